"""The schedules that answer the run: against torch's rule written down again, and by what must hold of any run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lrfind.schedule import (
    CLOSED_LOOP,
    COURSES,
    SCHEDULES,
    Adaptive,
    ReduceOnPlateau,
    Schedule,
    make_schedule,
    recorded,
    rescaled,
    to_dict,
    values,
    watch,
)
from lrfind.schedule.plateau import N_WINDOWS, window_length


def plateau_rates(metrics, lr, *, factor=0.1, patience=10, threshold=1e-4, cooldown=0, min_lr=0.0, eps=1e-8):
    """Return the rate after each metric, as the documentation of torch's ReduceLROnPlateau tells it."""
    best, bad, cooling, rates = float("inf"), 0, 0, []
    for metric in metrics:
        if metric < best * (1 - threshold):
            best, bad = metric, 0
        else:
            bad += 1
        if cooling > 0:
            cooling, bad = cooling - 1, 0
        if bad > patience:
            lower = max(lr * factor, min_lr)
            if lr - lower > eps:
                lr = lower
            cooling, bad = cooldown, 0
        rates.append(lr)
    return rates


def run(controller, losses, norms=None):
    """Return what a controller orders: rates, back and save, (n_steps, n_replicas) each."""
    orders = [controller.update(losses[:, t], None if norms is None else norms[:, t]) for t in range(losses.shape[1])]
    return tuple(np.array(part) for part in zip(*orders, strict=True))


losses_of_runs = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(2, 60)),
    elements=st.one_of(st.floats(0, 10, width=32), st.sampled_from([np.nan, np.inf, 1e30])),
)
settings_of_plateau = st.fixed_dictionaries(
    {
        "factor": st.floats(0.1, 0.9),
        "patience": st.integers(0, 4),
        "threshold": st.sampled_from([0.0, 1e-4, 0.1]),
        "cooldown": st.integers(0, 3),
        "min_lr": st.sampled_from([0.0, 1e-3]),
        "eps": st.sampled_from([0.0, 1e-8, 1e-2]),
    }
)


# --- Reduce on plateau ---


@given(metrics=st.lists(st.floats(0, 3), min_size=1, max_size=40), lr=st.floats(1e-6, 10), settings=settings_of_plateau)
def test_rates_equal_torchs_rule(metrics, lr, settings):
    controller = ReduceOnPlateau(np.array([lr]), len(metrics), window=1, **settings)
    rates, back, save = run(controller, np.array([[*metrics, 0.0]]))
    assert rates[1:, 0].tolist() == plateau_rates(metrics, lr, **settings)
    assert not back.any()
    assert not save.any()


@pytest.mark.torch
@given(metrics=st.lists(st.floats(0, 3), min_size=1, max_size=40), lr=st.floats(1e-6, 10), settings=settings_of_plateau)
def test_rates_equal_torchs(metrics, lr, settings):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    theirs = []
    for metric in metrics:
        scheduler.step(metric)
        theirs.append(optimizer.param_groups[0]["lr"])
    controller = ReduceOnPlateau(np.array([lr]), len(metrics), window=1, **settings)
    rates, _, _ = run(controller, np.array([[*metrics, 0.0]]))
    assert rates[1:, 0].tolist() == theirs


def test_a_plateau_is_seen_in_mean_losses_of_a_window():
    n_steps = 20 * N_WINDOWS
    assert window_length(n_steps) == 20
    # single losses jump up and down, their means never fall: from the first window on, none is better
    losses = np.tile([0.5, 1.5], n_steps // 2)[None]
    rates, _, _ = run(ReduceOnPlateau(np.array([1.0]), n_steps), losses)
    # one window sets the best; six without a better one are more than a patience of five
    changes = np.flatnonzero(np.diff(rates[:, 0])) + 1
    assert changes[:2].tolist() == [7 * 20, 13 * 20]
    np.testing.assert_allclose(rates[[0, 140, 260], 0], [1, 0.1, 0.01])


def test_a_falling_loss_keeps_the_rate():
    losses = np.linspace(1, 0.1, 500)[None]
    rates, _, _ = run(ReduceOnPlateau(np.array([0.3]), 500), losses)
    assert (rates == 0.3).all()


# --- Adaptive ---

N = 400


def a_run(seed, *, noise=0.05, n_steps=N, floor=0.3):
    """Return losses that fall from 1 to a floor, with noise."""
    rng = np.random.default_rng(seed)
    return floor + (1 - floor) * np.exp(-np.arange(n_steps) / 60) + noise * rng.standard_normal(n_steps)


def test_where_nothing_happens_the_rates_are_those_of_the_course():
    rates, back, _ = run(Adaptive(np.array([0.2]), N), np.ones((1, N)))
    np.testing.assert_allclose(rates[:, 0], values(make_schedule("adaptive", peak_lr=0.2, n_steps=N)), rtol=1e-9)
    assert not back.any()


def test_an_ordinary_run_is_not_set_back():
    losses = np.array([a_run(seed) for seed in range(200)])
    _, back, _ = run(Adaptive(np.ones(200), N), losses)
    assert back.any(0).mean() < 0.02


def test_pure_noise_is_seldom_taken_for_a_rise():
    losses = 1 + 0.1 * np.random.default_rng(0).standard_normal((200, N))
    _, back, _ = run(Adaptive(np.ones(200), N), losses)
    assert back.any(0).mean() < 0.1


def test_a_rise_beyond_noise_is_answered_within_ten_steps_by_a_return_and_a_lower_rate():
    losses = np.array([a_run(seed) for seed in range(50)])
    losses[:, 150:] += 0.5
    rates, back, save = run(Adaptive(np.ones(50), N), losses)
    first = back.argmax(0)
    assert (first >= 150).all()
    assert (first < 162).all()
    replicas = np.arange(50)
    # the rate after the rise against the one before it, the envelope's own fall aside
    assert (rates[first, replicas] < 0.4 * rates[first - 1, replicas]).all()
    # what it returns to was saved before the rise
    saved = [np.flatnonzero(save[:at, k])[-1] for k, at in enumerate(first)]
    assert np.mean(np.array(saved) < 152) > 0.9


def test_a_gradient_that_grows_beyond_noise_while_the_loss_stands_is_a_rise():
    rng = np.random.default_rng(0)
    losses = 1 + 0.1 * rng.standard_normal((50, N))
    norms = np.exp(0.2 * rng.standard_normal((50, N)))
    _, calm, _ = run(Adaptive(np.ones(50), N), losses, norms)
    norms[:, 200:] *= np.exp(1.5)
    _, back, _ = run(Adaptive(np.ones(50), N), losses, norms)
    assert calm.any(0).mean() < 0.1
    assert back[200:230].any(0).mean() > 0.9


def test_the_rise_of_the_rate_ends_where_the_fall_of_the_loss_is_done():
    rng = np.random.default_rng(0)
    # the whole fall takes place between steps 20 and 40 of a rise that takes 100
    fall = 0.05 + 0.95 / (1 + np.exp((np.arange(N) - 30) / 3))
    rates, _, _ = run(Adaptive(np.array([1.0]), N), (fall + 0.01 * rng.standard_normal(N))[None])
    course = values(make_schedule("adaptive", peak_lr=1.0, n_steps=N))
    assert rates[100, 0] < 0.4 * course[100]
    # and goes on slowly while nothing speaks against it
    assert rates[100, 0] > 1.2 * rates[45, 0]


def test_one_hard_batch_is_no_rise():
    losses = np.array([a_run(seed) for seed in range(100)])
    losses[:, 200] += 3.0
    _, back, _ = run(Adaptive(np.ones(100), N), losses)
    assert back.any(0).mean() < 0.05


def test_a_loss_that_is_no_number_is_a_rise_at_once():
    losses = np.ones((1, 50))
    losses[0, 3] = np.nan
    rates, back, _ = run(Adaptive(np.array([1.0]), 50), losses)
    assert back[:, 0].tolist() == [False] * 3 + [True] + [False] * 46
    assert rates[3, 0] < rates[2, 0]


def test_nothing_is_returned_to_before_anything_was_saved():
    _, back, save = run(Adaptive(np.array([1.0]), 5), np.full((1, 5), np.nan))
    assert not back.any()
    assert not save.any()


# --- All of them ---


@pytest.mark.parametrize("name", CLOSED_LOOP)
@given(losses=losses_of_runs, log_peak=st.floats(-8, 3))
def test_rates_are_above_nothing_and_at_most_the_peak(name, losses, log_peak):
    peaks = 10.0 ** (log_peak + np.arange(len(losses)))
    rates, back, save = run(CLOSED_LOOP[name].control(peaks, losses.shape[1]), losses, losses)
    assert np.isfinite(rates).all()
    assert (rates > 0).all()
    assert (rates <= peaks * (1 + 1e-12)).all()
    assert not (back & save).any()
    assert not save[~np.isfinite(losses.T)].any()


@pytest.mark.parametrize("name", CLOSED_LOOP)
@given(losses=losses_of_runs)
def test_a_replica_is_steered_the_same_alone_and_in_company(name, losses):
    peaks = np.geomspace(0.1, 10, len(losses))
    norms = np.abs(losses[:, ::-1]) + 0.1
    together = run(CLOSED_LOOP[name].control(peaks, losses.shape[1]), losses, norms)
    again = run(CLOSED_LOOP[name].control(peaks, losses.shape[1]), losses, norms)
    for k in range(len(losses)):
        one = slice(k, k + 1)
        alone = run(CLOSED_LOOP[name].control(peaks[one], losses.shape[1]), losses[one], norms[one])
        for a, b, c in zip(alone, together, again, strict=True):
            assert a.tobytes() == b[:, one].tobytes() == c[:, one].tobytes()


@pytest.mark.parametrize("name", CLOSED_LOOP)
@pytest.mark.parametrize("n_steps", [1, 2, 3, 5, 13, 400])
def test_a_course_has_a_rate_for_every_step(name, n_steps):
    lrs = values(make_schedule(name, peak_lr=0.3, n_steps=n_steps))
    assert lrs.shape == (n_steps,)
    assert lrs.max() == pytest.approx(0.3)
    assert (lrs >= 0).all()
    rates, _, _ = run(CLOSED_LOOP[name].control(np.array([0.3]), n_steps), np.linspace(1, 0.9, n_steps)[None])
    assert len(rates) == n_steps


def test_every_schedule_has_one_name():
    assert not set(SCHEDULES) & set(CLOSED_LOOP)
    assert set(COURSES) == set(SCHEDULES) | set(CLOSED_LOOP)


def test_the_recorded_course_is_the_median_of_the_runs():
    schedule = make_schedule("adaptive", peak_lr=2.0, n_steps=7)
    lrs = np.array([[1, 2, 2, 1, 1, 1, 0.5], [1, 2, 2, 2, 2, 1, 0.5], [1, 1, 0.1, 0.1, 0.1, 0.1, 0.1]])
    taken = recorded(schedule, lrs)
    assert taken.name == "adaptive"
    np.testing.assert_allclose(values(taken), [1, 2, 2, 1, 1, 1, 0.5], rtol=1e-3)
    assert to_dict(taken)["segments"]
    # it is stretched as it is, not made anew
    longer = values(rescaled(taken, n_steps=14, peak_lr=4.0))
    np.testing.assert_allclose(longer[::2], [2, 4, 4, 2, 2, 2, 1], rtol=1e-3)


def test_a_long_course_is_recorded_in_few_pieces():
    schedule = make_schedule("adaptive", peak_lr=0.5, n_steps=5000)
    taken = recorded(schedule, values(schedule)[None])
    assert len(taken.segments) <= 101
    np.testing.assert_allclose(values(taken), values(schedule), atol=0.01 * 0.5)
    single = recorded(make_schedule("adaptive", peak_lr=0.5, n_steps=1), np.array([[0.25]]))
    assert values(single).tolist() == [0.25]


def test_only_closed_loops_are_watched():
    def schedule(name: str) -> Schedule:
        return make_schedule(name, peak_lr=1.0, n_steps=10)

    assert watch([schedule("cosine"), schedule("linear")], 10) is None
    watched = watch([schedule("cosine"), schedule("adaptive"), schedule("reduce_on_plateau")], 10)
    assert watched is not None
    assert watched.reads_grad_norms
    lrs = np.full(3, 7.0)
    watched.steer(np.ones(3), np.ones(3), lrs=lrs)
    assert lrs[0] == 7
    assert lrs[1] < 1
    assert lrs[2] == 1
