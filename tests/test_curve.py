import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lrfind.curve import Outcome, analyse, local_linear, without_difficulty
from lrfind.sweep import Sweep

NAMES = ("onset", "steepest", "fallen", "minimum", "divergence")


def a_sweep(losses, *, lr_min=1e-7, lr_max=10.0, difficulty=None):
    losses = np.array(losses, np.float64)
    lrs = np.geomspace(lr_min, lr_max, losses.shape[1])
    return Sweep(lrs=lrs, losses=losses, grad_norms=None, difficulty=difficulty)


def a_fall(x, *, at=-3.0, floor=0.2, rises_at=0.0):
    """Return a loss over x = log10 lr: from 1 down a logistic curve about `at`, up by lr^3 from `rises_at` on."""
    fall = 1 - (1 - floor) / (1 + np.exp(-(x - at) / 0.35))
    return fall + np.where(x > rises_at, 10 ** (3 * (x - rises_at).clip(0, 50)) - 1, 0)


def falling(*, n_steps=100, n_seeds=8, noise=0.03, seed=0, **shape):
    rng = np.random.default_rng(seed)
    x = np.linspace(-7, 1, n_steps)
    return a_sweep(a_fall(x, **shape) + noise * rng.normal(size=(n_seeds, n_steps)))


def flat(*, n_steps=100, n_seeds=8, noise=0.1, seed=0):
    return a_sweep(1 + noise * np.random.default_rng(seed).normal(size=(n_seeds, n_steps)))


def decades(analysis):
    marks = (getattr(analysis, name) for name in NAMES)
    return np.array([np.nan if mark is None else np.log10(mark.lr) for mark in marks])


# --- Smoothing ---


@given(
    st.integers(2, 80),
    st.floats(0.01, 3),
    st.floats(-1e3, 1e3),
    st.floats(-1e3, 1e3),
)
@settings(max_examples=50, deadline=None)
def test_straight_lines_are_reproduced_to_the_very_ends(n, bandwidth, height, slope):
    x = np.linspace(-7, 1, n)
    line = height + slope * x
    np.testing.assert_allclose(local_linear(x, bandwidth=bandwidth) @ line, line, rtol=1e-8, atol=1e-8)


def test_a_constant_stays_constant_and_noise_gets_less():
    smoother = local_linear(np.linspace(-7, 1, 200), bandwidth=0.2)
    np.testing.assert_allclose(smoother.sum(1), 1, rtol=1e-12)
    noise = np.random.default_rng(0).normal(size=200)
    # in the middle a Gaussian kernel averages 2 sqrt(pi) bandwidths: 0.2 * 3.54 decades of 25 points
    assert np.square(smoother[100]).sum() == pytest.approx(1 / (0.2 * 2 * np.sqrt(np.pi) * 199 / 8), rel=1e-3)
    assert (smoother @ noise)[20:-20].std() < 0.4


def test_the_kernel_is_at_least_a_step_wide():
    x = np.linspace(-7, 1, 10)
    np.testing.assert_array_equal(local_linear(x, bandwidth=1e-6), local_linear(x, bandwidth=8 / 9))


# --- Batch difficulty ---


@pytest.mark.parametrize(("slope", "removed"), [(1.0, 0.8), (0.5, 0.5), (0.0, 0.0)])
def test_the_share_of_noise_that_difficulty_explains_is_removed(slope, removed):
    rng = np.random.default_rng(0)
    hard, rest = 0.1 * rng.normal(size=(64, 200)), 0.05 * rng.normal(size=(64, 200))
    sweep = a_sweep(1 + slope * hard + rest, difficulty=0.7 + hard)
    losses, share = without_difficulty(sweep)
    # slope^2 0.01 of slope^2 0.01 + 0.0025
    assert share == pytest.approx(removed, abs=0.02)
    assert losses.std() == pytest.approx(0.05, rel=0.03)
    assert analyse(sweep).noise == pytest.approx(0.05, rel=0.1)
    assert analyse(sweep).noise_removed == share


@given(st.integers(0, 1000), st.floats(-3, 3))
@settings(max_examples=50, deadline=None)
def test_taking_difficulty_out_never_moves_the_mean(seed, slope):
    rng = np.random.default_rng(seed)
    hard = rng.normal(size=(3, 40))
    raw = slope * hard + rng.normal(size=(3, 40))
    losses, share = without_difficulty(a_sweep(raw, difficulty=hard))
    assert losses.mean() == pytest.approx(raw.mean(), abs=1e-12)
    assert 0 <= share <= 1


@pytest.mark.parametrize("difficulty", [None, np.zeros((8, 100)), np.full((8, 100), 0.7), np.full((8, 100), np.nan)])
def test_difficulty_that_says_nothing_changes_nothing(difficulty):
    losses = falling().losses
    found, share = without_difficulty(a_sweep(losses, difficulty=difficulty))
    np.testing.assert_array_equal(found, losses)
    assert share == 0


def test_a_step_of_unknown_difficulty_keeps_its_loss():
    rng = np.random.default_rng(0)
    hard = 0.1 * rng.normal(size=(8, 100))
    losses = a_fall(np.linspace(-7, 1, 100)) + hard
    known = analyse(a_sweep(losses, difficulty=0.7 + hard))
    hard[:, 60:] = np.nan
    found, _ = without_difficulty(a_sweep(losses, difficulty=0.7 + hard))
    assert np.isfinite(found).all()
    partly = analyse(a_sweep(losses, difficulty=0.7 + hard))
    assert partly.outcome is known.outcome is Outcome.OK
    np.testing.assert_allclose(decades(partly), decades(known), atol=0.4)


def test_seeds_lost_in_the_quiet_part_leave_losses_as_they_are():
    losses = flat().losses.copy()
    losses[0, 3:] = np.nan
    hard = np.random.default_rng(1).normal(size=(8, 100))
    assert without_difficulty(a_sweep(losses, difficulty=hard))[1] == 0


# --- Landmarks ---


@pytest.mark.parametrize("n_steps", [50, 100, 400])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_landmarks_lie_where_the_formula_has_them(n_steps, noise):
    analysis = analyse(falling(n_steps=n_steps, noise=noise))
    # a logistic curve has lost a tenth at at - 0.35 ln 9, four fifths at at + 0.35 ln 4
    onset, steepest, fallen, minimum, divergence = decades(analysis)
    assert onset == pytest.approx(-3 - 0.35 * np.log(9), abs=0.25)
    assert steepest == pytest.approx(-3, abs=0.25)
    assert fallen == pytest.approx(-3 + 0.35 * np.log(4), abs=0.2)
    # from a fifth of a percent above the floor to the rise, less the smoother's width
    assert -1.6 < minimum < 0
    # half the fall of 0.8 is back where lr^3 - 1 is 0.4; the smoother sees it coming
    assert divergence == pytest.approx(np.log10(1.4) / 3, abs=0.25)
    assert analysis.outcome is Outcome.OK
    assert analysis.start_loss == pytest.approx(1, abs=0.02)
    assert analysis.min_loss == pytest.approx(0.2, abs=0.03)
    assert analysis.noise == pytest.approx(noise, rel=0.25, abs=1e-4)


@given(
    st.floats(-6, 6).map(lambda power: 10**power),
    st.floats(-100, 100),
    st.integers(0, 20),
)
@settings(max_examples=12, deadline=None)
def test_no_scale_or_offset_of_the_loss_moves_a_landmark(scale, offset, seed):
    sweep = falling(n_steps=40, n_seeds=4, noise=0.05, seed=seed)
    moved = a_sweep(scale * (sweep.losses + offset))
    one, other = analyse(sweep), analyse(moved)
    assert one.outcome is other.outcome
    np.testing.assert_allclose(decades(one), decades(other), rtol=1e-12)
    for name in NAMES:
        assert getattr(one, name).low == pytest.approx(getattr(other, name).low)
        assert getattr(one, name).high == pytest.approx(getattr(other, name).high)


@given(st.permutations(range(8)))
@settings(max_examples=8, deadline=None)
def test_the_order_of_seeds_does_not_matter(order):
    sweep = falling(n_steps=40, noise=0.05)
    moved = analyse(a_sweep(sweep.losses[list(order)]))
    np.testing.assert_allclose(decades(moved), decades(analyse(sweep)))
    np.testing.assert_allclose(moved.pooled, analyse(sweep).pooled)


def test_the_range_may_lie_anywhere():
    losses = falling().losses
    here, there = analyse(a_sweep(losses)), analyse(a_sweep(losses, lr_min=1e-10, lr_max=1e-2))
    np.testing.assert_allclose(decades(there), decades(here) - 3)


@pytest.mark.parametrize("lost", [np.nan, 1e6, 3e38])
def test_one_seed_that_explodes_early_drags_the_minimum_no_further_than_itself(lost):
    losses = falling(noise=0.02).losses.copy()
    whole = analyse(a_sweep(losses))
    # at lr 0.012, once the fall is over and long before the others' minimum
    losses[3, 63:] = lost
    analysis = analyse(a_sweep(losses))
    # the minimum moves down to where all seeds are sane, and no further than the smoother is wide
    assert 0.012 / 10**0.6 < analysis.minimum.lr <= whole.minimum.lr
    np.testing.assert_allclose(decades(analysis)[:3], decades(whole)[:3], atol=0.3)
    assert np.isfinite(analysis.pooled).all()


@pytest.mark.parametrize("n_seeds", [1, 2, 4])
@pytest.mark.parametrize("outlier", [50.0, 1e9, 3e38])
def test_outliers_at_the_start_hide_no_fall(outlier, n_seeds):
    losses = falling().losses.copy()
    whole = analyse(a_sweep(losses))
    losses[:n_seeds, 0] = outlier
    analysis = analyse(a_sweep(losses))
    assert analysis.outcome is Outcome.OK
    # the way down from the outlier itself is the steepest
    np.testing.assert_allclose(decades(analysis)[2:], decades(whole)[2:], atol=0.3)
    assert analysis.noise < 3 * whole.noise


@pytest.mark.parametrize("seed", range(4))
def test_seeds_that_start_far_apart_and_stay_there_never_fall(seed):
    rng = np.random.default_rng(seed)
    losses = rng.lognormal(0, 0.6, (8, 1)) + 1e-3 * rng.normal(size=(8, 100))
    assert analyse(a_sweep(losses)).outcome is Outcome.NEVER_FALLS


@pytest.mark.parametrize("n_seeds", [4, 8])
def test_an_explosion_at_the_fifth_step_diverges_at_once(n_seeds):
    losses = flat(noise=0.05).losses.copy()
    losses[:n_seeds, 4:40] = 10.0 ** np.clip(np.arange(36), 0, 30)
    losses[:n_seeds, 40:] = np.nan
    assert analyse(a_sweep(losses)).outcome is Outcome.DIVERGES_AT_ONCE


def test_one_seed_that_explodes_late_moves_nothing():
    losses = falling(noise=0.02).losses.copy()
    whole = analyse(a_sweep(losses))
    losses[3, 88:] = np.nan
    np.testing.assert_allclose(decades(analyse(a_sweep(losses)))[:4], decades(whole)[:4], atol=0.4)


def test_the_rules_see_the_first_seed_raw():
    sweep = falling()
    changed = sweep.losses.copy()
    changed[1:] = 1
    assert analyse(a_sweep(changed)).rules == analyse(sweep).rules


def test_the_same_sweep_gives_the_same_bytes():
    one, other = analyse(falling()), analyse(falling())
    np.testing.assert_array_equal(one.low, other.low)
    assert one.minimum == other.minimum
    assert analyse(falling(), seed=1).low.tobytes() != one.low.tobytes()


def test_an_analysis_holds_still():
    sweep = falling()
    analysis = analyse(sweep)
    for array in (analysis.lrs, analysis.pooled, analysis.low, analysis.high):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert analysis.lrs is not sweep.lrs


# --- Intervals ---


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    truth = decades(analyse(falling(n_steps=80, noise=0.0)))
    smooth = analyse(falling(n_steps=80, noise=0.0)).pooled
    uncapped, inside, band, n = smooth < 1, np.zeros(5), 0.0, 150
    for seed in range(n):
        analysis = analyse(falling(n_steps=80, noise=0.1, seed=seed))
        marks = [getattr(analysis, name) for name in NAMES]
        # half a step of slack: landmarks lie on the grid of rates
        inside += [
            np.log10(mark.low) - 0.051 <= place <= np.log10(mark.high) + 0.051
            for mark, place in zip(marks, truth, strict=True)
        ]
        band += np.mean(((analysis.low <= smooth) & (smooth <= analysis.high))[uncapped])
    # 90 % intervals from eight seeds: the bootstrap is known to be a little narrow
    assert (inside / n > 0.75).all()
    assert 0.75 < band / n < 0.95


def test_intervals_hold_their_own_landmark_and_shrink_with_seeds():
    few, many = (analyse(falling(n_seeds=n, noise=0.1)) for n in (4, 64))
    for analysis in (few, many):
        for name in NAMES:
            mark = getattr(analysis, name)
            assert mark.low <= mark.lr <= mark.high
    assert np.mean(many.high - many.low) < 0.5 * np.mean(few.high - few.low)


def test_one_seed_has_no_spread():
    analysis = analyse(falling(n_seeds=1))
    np.testing.assert_allclose(analysis.low, analysis.high)
    assert analysis.minimum.low == analysis.minimum.lr == analysis.minimum.high


# --- Outcomes ---


def disagreeing():
    x, rng = np.linspace(-7, 1, 100), np.random.default_rng(0)
    ends = np.repeat([-4.5, 0.5], 4)
    return a_sweep([a_fall(x, at=end - 1.5, rises_at=end, floor=0.5) + 0.02 * rng.normal(size=100) for end in ends])


def test_a_fall_with_minimum_and_rise_is_ok():
    assert analyse(falling()).outcome is Outcome.OK


@pytest.mark.parametrize("losses", [0.0, 0.1, 0.7, 1 / 3, 1e30, -5.3])
@pytest.mark.parametrize("n_steps", [20, 100])
def test_a_constant_never_falls(losses, n_steps):
    assert analyse(a_sweep(np.full((8, n_steps), losses))).outcome is Outcome.NEVER_FALLS


def test_a_flat_middle_never_diverges():
    x = np.linspace(-7, 1, 100)
    # the lowest point is a shallow dip a decade before the end, from which less than half is lost again
    losses = (
        a_fall(x, at=-4, rises_at=9)
        + 0.1 * np.exp(-((x - 1) ** 2) * 4)
        + 0.01 * np.random.default_rng(0).normal(size=(8, 100))
    )
    analysis = analyse(a_sweep(losses))
    assert analysis.outcome is Outcome.NEVER_DIVERGES
    assert analysis.divergence is None


def test_a_fall_at_the_end_is_still_falling():
    analysis = analyse(falling(at=0.5, rises_at=9))
    assert analysis.outcome is Outcome.STILL_FALLING
    assert analysis.minimum.lr > 5


@pytest.mark.parametrize("rises_at", [-7.5, -7.0])
def test_a_rise_from_the_first_steps_diverges_at_once(rises_at):
    analysis = analyse(falling(at=9, rises_at=rises_at))
    assert analysis.outcome is Outcome.DIVERGES_AT_ONCE
    assert decades(analysis)[3] < -6 or np.isnan(decades(analysis)[3])


@pytest.mark.parametrize("n_steps", [10, 20, 100])
@pytest.mark.parametrize("n_seeds", [1, 8])
def test_lost_from_the_first_step_diverges_at_once(n_steps, n_seeds):
    analysis = analyse(a_sweep(np.full((n_seeds, n_steps), np.nan)))
    assert analysis.outcome is Outcome.DIVERGES_AT_ONCE
    assert np.isnan(decades(analysis)).all()
    assert np.isfinite(analysis.pooled).all()


def test_two_camps_of_seeds_disagree():
    analysis = analyse(disagreeing())
    assert analysis.outcome is Outcome.SEEDS_DISAGREE
    assert analysis.minimum.high / analysis.minimum.low > 10**1.5


def test_between_no_fall_and_a_clear_one_noise_hides_it():
    # the same noise over falls of growing depth: never, perhaps, clearly; in this order
    order = [Outcome.NEVER_FALLS, Outcome.NOISE_HIDES_FALL, Outcome.OK]
    seen = [analyse(falling(noise=0.1, floor=1 - depth, seed=1)).outcome for depth in np.linspace(0, 0.4, 30)]
    assert set(seen) >= set(order[:2])
    assert seen[0] is Outcome.NEVER_FALLS
    assert seen[-1] is Outcome.OK


@pytest.mark.slow
@pytest.mark.parametrize(("n_seeds", "at_least"), [(8, 95), (1, 85)])
def test_flat_noise_never_falls(n_seeds, at_least):
    outcomes = [analyse(flat(n_seeds=n_seeds, seed=seed)).outcome for seed in range(100)]
    assert outcomes.count(Outcome.NEVER_FALLS) >= at_least
    # what is left is called noise, or a rise
    assert outcomes.count(Outcome.NEVER_FALLS) + outcomes.count(Outcome.NOISE_HIDES_FALL) >= 97


def test_flat_noise_never_falls_in_brief():
    outcomes = [analyse(flat(n_steps=40, n_seeds=3, seed=seed)).outcome for seed in range(10)]
    assert outcomes.count(Outcome.NEVER_FALLS) >= 9


def test_every_outcome_is_a_sentence():
    for outcome in Outcome:
        assert outcome.value[0].isupper()
        assert outcome.value.endswith(".")


# --- Anything at all ---


@st.composite
def any_sweep(draw):
    n_seeds, n_steps = draw(st.integers(1, 6)), draw(st.integers(10, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([0.0, 1e-30, 1e-6, 1.0, 1e6, 1e30, 3e37]))
    losses = scale * (
        draw(st.sampled_from([-1.0, 0.0, 1.0]))
        + draw(st.sampled_from([0, 1e-9, 1])) * rng.normal(size=(n_seeds, n_steps))
    )
    if draw(st.booleans()):
        losses += scale * np.exp(np.linspace(-50, draw(st.floats(-10, 2)), n_steps))
    for seed in range(n_seeds):
        tail = draw(st.one_of(st.none(), st.integers(0, n_steps)))
        if tail is not None:
            losses[seed, tail:] = draw(st.sampled_from([np.nan, 3e38]))
    if draw(st.booleans()):
        losses[draw(st.integers(0, n_seeds - 1)), draw(st.integers(0, n_steps - 1))] = np.nan
    kinds = [
        None,
        np.zeros_like(losses),
        np.abs(rng.normal(size=losses.shape)),
        np.where(rng.random(losses.shape) < 0.1, np.nan, 1.0),
    ]
    low = draw(st.sampled_from([1e-37, 1e-7, 1e-3]))
    return a_sweep(
        losses,
        lr_min=low,
        lr_max=low * draw(st.sampled_from([1.0001, 10, 1e8])),
        difficulty=draw(st.sampled_from(kinds)),
    )


@given(any_sweep())
@settings(max_examples=40, deadline=None)
def test_any_sweep_is_read_without_a_warning_or_a_number_that_is_none(sweep):
    raw = sweep.losses.tobytes()
    analysis = analyse(sweep)
    assert sweep.losses.tobytes() == raw
    for curve in (analysis.pooled, analysis.low, analysis.high):
        assert curve.shape == (sweep.n_steps,)
        assert np.isfinite(curve).all()
    assert (analysis.low <= analysis.high + 1e-9 * np.abs(analysis.high)).all()
    assert np.isfinite([analysis.min_loss, analysis.noise, analysis.noise_removed]).all()
    assert analysis.noise >= 0
    assert not np.isnan(analysis.start_loss)
    for name in NAMES:
        mark = getattr(analysis, name)
        if mark is not None:
            assert sweep.lrs[0] <= mark.low <= mark.lr <= mark.high <= sweep.lrs[-1]
    onset, _, fallen, minimum, divergence = decades(analysis)
    assert not onset > fallen
    assert not fallen > minimum
    assert not minimum > divergence
    if analysis.outcome is Outcome.OK:
        assert None not in [getattr(analysis, name) for name in NAMES]


@given(any_sweep())
@settings(max_examples=15, deadline=None)
def test_no_average_lies_below_all_losses(sweep):
    known = sweep.losses[np.isfinite(sweep.losses)]
    assume(len(known) and sweep.difficulty is None)
    analysis = analyse(sweep)
    assert min(analysis.pooled.min(), analysis.low.min(), analysis.min_loss) >= known.min()


def test_a_loss_at_zero_is_not_smoothed_below_it():
    lrs = np.geomspace(1e-7, 10, 400)
    fall = np.maximum(1 - 0.5 * np.log10(lrs / 1e-4).clip(0), 0.0)
    analysis = analyse(Sweep(lrs=lrs, losses=np.stack([fall] * 4), grad_norms=None, difficulty=None))
    assert analysis.pooled.min() == analysis.low.min() == analysis.min_loss == 0.0
