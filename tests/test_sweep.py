import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.errors import UsageError
from lrfind.sweep import EXPLODED_RUN, Sweep, has_exploded, lr_range, range_test

RANGE = {"lr_min": 1e-7, "lr_max": 10.0}


class Scripted:
    """A model whose losses are a formula of step and rate."""

    def __init__(self, loss, *, n_seeds=2, norms=None, difficulty=None):
        self.n_seeds, self._loss, self._norms, self._difficulty = n_seeds, loss, norms, difficulty
        self.lrs = []

    @property
    def grad_norms(self):
        return None if self._norms is None else self._norms(len(self.lrs) - 1)

    @property
    def difficulty(self):
        return None if self._difficulty is None else self._difficulty(len(self.lrs) - 1)

    def step(self, lr):
        self.lrs.append(lr)
        return np.broadcast_to(self._loss(len(self.lrs) - 1, lr), self.n_seeds)


def test_what_the_model_says_is_recorded_raw():
    def loss(t, lr):
        return np.array([1 / (1 + lr) + t % 3, 2.0])

    model = Scripted(loss, norms=lambda t: np.array([t, 2.0 * t]), difficulty=lambda t: np.array([0.5, -t]))
    done = []
    sweep = range_test(model, **RANGE, n_steps=50, on_step=done.append)
    steps = np.arange(50)
    np.testing.assert_allclose(sweep.lrs, 1e-7 * 10 ** (8 * steps / 49), rtol=1e-12)
    np.testing.assert_array_equal(sweep.lrs, model.lrs)
    said = [loss(t, lr) for t, lr in zip(steps, sweep.lrs, strict=True)]
    np.testing.assert_array_equal(sweep.losses, np.transpose(said))
    np.testing.assert_array_equal(sweep.grad_norms, [steps, 2 * steps])
    np.testing.assert_array_equal(sweep.difficulty, [np.full(50, 0.5), -steps])
    assert done == list(range(1, 51))
    assert (sweep.n_seeds, sweep.n_steps) == (2, 50)


def test_a_model_that_cannot_tell_leaves_nothing():
    sweep = range_test(Scripted(lambda t, lr: 1.0), **RANGE, n_steps=20)
    assert sweep.grad_norms is None
    assert sweep.difficulty is None


def test_a_sweep_holds_still():
    sweep = range_test(
        Scripted(lambda t, lr: 1.0, norms=lambda t: np.ones(2), difficulty=lambda t: np.ones(2)), **RANGE, n_steps=20
    )
    for array in (sweep.lrs, sweep.losses, sweep.grad_norms, sweep.difficulty):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize("lost", [np.nan, np.inf, -np.inf, 1e39, -1e300])
def test_what_is_no_loss_is_recorded_as_lost(lost):
    model = Scripted(lambda t, lr: np.array([1.0, lost if t >= 30 else 1.0]), norms=lambda t: np.array([1.0, np.inf]))
    sweep = range_test(model, **RANGE, n_steps=60)
    assert sweep.n_steps == 60
    np.testing.assert_array_equal(np.isnan(sweep.losses), [np.zeros(60, bool), np.arange(60) >= 30])
    np.testing.assert_array_equal(np.isnan(sweep.grad_norms[1]), np.ones(60, bool))


def test_a_sweep_ends_when_every_seed_is_lost():
    model = Scripted(lambda t, lr: np.where(t >= np.array([12, 31]), np.nan, 1.0))
    sweep = range_test(model, **RANGE, n_steps=100)
    assert sweep.n_steps == len(sweep.lrs) == 40
    # the rates are those of the whole range
    np.testing.assert_array_equal(sweep.lrs, lr_range(1e-7, 10, n_steps=100)[:40])


def test_lost_from_the_first_step():
    sweep = range_test(Scripted(lambda t, lr: np.nan), **RANGE, n_steps=100)
    assert sweep.losses.shape == (2, EXPLODED_RUN)
    assert np.isnan(sweep.losses).all()


def test_overflow_inside_the_model_raises_no_warning():
    def loss(t, lr):
        return np.exp(np.float64(20.0) * t) * np.ones(2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert range_test(Scripted(loss), **RANGE, n_steps=100).n_steps < 100


def noisy(*levels, noise=0.01, n_seeds=3):
    """Return losses of a run of (level, number of steps), with a little noise."""
    curve = np.concatenate([np.full(n, float(level)) for level, n in levels])
    return curve + noise * np.random.default_rng(0).normal(size=(n_seeds, len(curve)))


def lost(losses, seeds, since):
    losses = losses.copy()
    losses[seeds, since:] = np.nan
    return losses


EXPLODED = {
    "never moved": (noisy((1, 60)), False),
    "fell": (noisy((1, 30), (0.1, 30)), False),
    "back at its start": (noisy((1, 30), (0.1, 20), (1, 10)), False),
    "back above its start by three falls": (noisy((1, 30), (0.1, 20), (1 + 3 * 0.9, 10)), False),
    "above its start by six falls": (noisy((1, 30), (0.1, 20), (1 + 6 * 0.9, 10)), True),
    "above for nine steps only": (noisy((1, 30), (0.1, 21), (100, 9)), False),
    "overshoot that came back": (noisy((1, 30), (0.1, 20), (100, 15), (0.1, 5)), False),
    "one good step among the bad": (noisy((1, 30), (0.1, 20), (100, 5), (0.1, 1), (100, 4)), False),
    "fell near zero, then to its start again": (noisy((1, 30), (1e-9, 20), (0.9, 10), noise=1e-10), False),
    "starts near zero, explodes": (noisy((1e-12, 40), (1, 20), noise=1e-13), True),
    "starts near zero, within noise": (noisy((1e-12, 40), (3e-12, 20), noise=1e-12), False),
    "negative, rises a little": (noisy((-5, 40), (-4.9, 20), noise=0.1), False),
    "negative, falls on": (noisy((-5, 30), (-50, 30)), False),
    "negative, explodes": (noisy((-5, 30), (-6, 20), (5, 10)), True),
    "starts at zero exactly": (np.zeros((3, 60)), False),
    "one seed explodes": (np.vstack([noisy((1, 60)), noisy((1, 40), (1e6, 20), n_seeds=1)]), False),
    "one seed lost": (lost(noisy((1, 60)), [0], 20), False),
    "all seeds lost": (lost(noisy((1, 60)), [0, 1, 2], 59), True),
    "all lost at once": (lost(noisy((1, 60)), [0, 1, 2], 0)[:, :10], True),
    "some lost, the rest explodes": (lost(noisy((1, 40), (1e6, 20)), [0, 1], 45), True),
    "explodes before there is anything to compare with": (noisy((1, 20), (1e9, 19)), False),
}


@pytest.mark.parametrize("case", EXPLODED)
def test_an_explosion_is_told_from_what_comes_back(case):
    losses, exploded = EXPLODED[case]
    assert has_exploded(losses) is exploded


@given(st.sampled_from(sorted(EXPLODED)), st.floats(-30, 30).map(lambda power: 10**power))
@settings(max_examples=60, deadline=None)
def test_no_scale_of_the_loss_matters(case, scale):
    losses, exploded = EXPLODED[case]
    assert has_exploded(scale * losses) is exploded


@given(st.sampled_from([case for case in EXPLODED if "near zero" not in case]), st.floats(-100, 100))
@settings(max_examples=60, deadline=None)
def test_no_offset_of_the_loss_matters(case, offset):
    losses, exploded = EXPLODED[case]
    assert has_exploded(losses + offset) is exploded


@given(st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_seeds_does_not_matter(order):
    losses, exploded = EXPLODED["one seed explodes"]
    assert has_exploded(losses[list(order)]) is exploded


def test_rates_grow_by_the_same_factor():
    lrs = lr_range(1e-7, 10, n_steps=81)
    np.testing.assert_allclose(lrs[1:] / lrs[:-1], 10**0.1)
    assert (lrs[0], lrs[-1]) == (1e-7, 10)


@pytest.mark.parametrize(
    ("lr_min", "lr_max", "n_steps", "message"),
    [
        (0.0, 1.0, 50, "--lr-min is 0: expected a learning rate above 1e-37 and below infinity, such as 1e-7"),
        (-1e-3, 1.0, 50, "--lr-min is -0.001: expected a learning rate above 1e-37 and below infinity, such as 1e-7"),
        (1e-39, 1.0, 50, "--lr-min is 1e-39: expected a learning rate above 1e-37 and below infinity, such as 1e-7"),
        (np.nan, 1.0, 50, "--lr-min is nan: expected a learning rate above 1e-37 and below infinity, such as 1e-7"),
        (1e-7, np.inf, 50, "--lr-max is inf: expected a learning rate above 1e-37 and below infinity, such as 1e-7"),
        (1e-7, np.nan, 50, "--lr-max is nan: expected a learning rate above 1e-37 and below infinity, such as 1e-7"),
        (1.0, 0.1, 50, "--lr-max 0.1 is not above --lr-min 1: expected a range, such as 1e-7 to 10"),
        (1.0, 1.0, 50, "--lr-max 1 is not above --lr-min 1: expected a range, such as 1e-7 to 10"),
        (1e-7, 10.0, 19, "--steps is 19: expected at least 20 steps, or the curve has no shape"),
        (1e-7, 10.0, -1, "--steps is -1: expected at least 20 steps, or the curve has no shape"),
    ],
)
def test_an_impossible_range_is_refused(lr_min, lr_max, n_steps, message):
    model = Scripted(lambda t, lr: 1.0)
    with pytest.raises(UsageError) as error:
        range_test(model, lr_min=lr_min, lr_max=lr_max, n_steps=n_steps)
    assert str(error.value) == message
    assert not model.lrs


def test_the_shortest_sweep_there_is():
    assert range_test(Scripted(lambda t, lr: 1.0), **RANGE, n_steps=20).n_steps == 20


def test_sweeps_compare_by_identity():
    arrays = {"lrs": np.ones(3), "losses": np.ones((2, 3)), "grad_norms": None}
    one, other = Sweep(**arrays), Sweep(**arrays)
    assert one != other
    assert len({one, other}) == 2
