"""Read a race: one smooth curve through noisy points, paired differences, a winner with an interval.

Two things make a small race say much. Candidates share seeds, batches and held-out rows, so that their differences
are far less noisy than their losses. And schedules that decay to nothing have their best peak rate in the same place,
so that all of them together locate it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.curve import kernel_weights
from lrfind.experience import Prior
from lrfind.race.course import WORST
from lrfind.schedule import make_schedule, values
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]

# From the simplest to the least simple: of schedules that cannot be told apart, the first is advised.
SIMPLICITY = (
    "constant", "linear", "cosine", "polynomial", "step", "exponential",
    "warmup_cosine", "one_cycle", "cyclical", "warm_restarts", "reduce_on_plateau", "adaptive",
)  # fmt: skip
# Schedules that end near nothing have nearly the same best peak rate: they locate it together. Measured on 80
# problems: the rate so found lost a quarter less than that of the cosine alone.
DECAYS = ("cosine", "linear", "warmup_cosine", "polynomial", "exponential", "one_cycle")
# Standard deviations of the kernels, in decades, that locate the best rate, that draw the curve, and that average a
# schedule's loss over neighbouring rates. To locate, 0.3 lost less than 0.15 to 0.25; to draw, it would hide walls.
LOCATE_WIDTH, DRAW_WIDTH, POINT_WIDTH = 0.3, 0.15, 0.15
# A loss more than this share of the gain above the best says "too far off" and nothing else; without a cap, cliffs
# bend the curve far from where they stand.
CAP_SHARE = 0.2
# Where nothing beats the constant guess, differences are still weighed against this share of its loss.
LEAST_GAIN = 0.05
# What the regret that earlier races lead one to expect counts beside the loss that this one measured: nothing where
# the race is clear, the balance where it is flat. On 80 problems, each judged without the rows of its own table, 0.1
# to 0.5 lost the same; 0 and 1 lost more.
TRUST = 0.25
# The interval holds rates whose drawn loss lies within this share of the gain of the best, and reaches no further
# than this below and above it. On 80 problems, each without the experience of its own table, rates so bounded lost less
# than 5 % more on 97 %.
INTERVAL_SHARE, INTERVAL_BELOW, INTERVAL_ABOVE = 0.015, 0.55, 0.35
# What each schedule gave up in earlier races against a warmed-up cosine, in shares of the gain, and how much that
# varies from problem to problem: with few rows it says more than one race can.
USUALLY_BEHIND = {
    "constant": 0.010, "linear": 0.001, "cosine": 0.001, "polynomial": 0.001, "step": 0.004, "exponential": 0.008,
    "warmup_cosine": 0.0, "one_cycle": 0.0, "cyclical": 0.006, "warm_restarts": 0.004,
    "reduce_on_plateau": 0.005, "adaptive": 0.002,
}  # fmt: skip
USUAL_SPREAD = 0.006
# Schedules this close, in shares of the gain, are the same to anyone: the simplest is advised.
SAME_SHARE = 0.002
GRID_STEP = 0.02


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Held-out losses of all candidates.

    Attributes
    ----------
    names : (n,) tuple of str
        The candidates' schedules.
    lrs : (n,) ndarray
        Their peak rates.
    losses : (n, n_replicas) ndarray
        Mean held-out loss; NaN where the replica diverged.
    rows : (n, n_rows) ndarray
        Loss of each held-out row, averaged over seeds; lost replicas count as twice the constant guess.
    baseline : (n_rows,) ndarray
        Loss of the constant guess.
    """

    names: tuple[str, ...]
    lrs: Floats
    losses: Floats
    rows: Floats
    baseline: Floats

    @property
    def means(self) -> Floats:
        """(n,) mean over rows."""
        return np.asarray(self.rows.mean(1))

    def of(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the indices of the candidates with these schedules, by rate."""
        found = np.array([i for i, name in enumerate(self.names) if name in names], np.int64)
        return found[np.argsort(self.lrs[found], kind="stable")]


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A smooth curve of held-out loss against peak rate.

    Attributes
    ----------
    lrs, losses : (n_points,) ndarray
        Losses are those of the first schedule fitted; capped at `CAP_SHARE` of the gain above the best.
    best : float
        The rate advised.
    low, high : float
        Ends of the interval around it.
    """

    lrs: Floats
    losses: Floats
    best: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """How one schedule did at its best rate.

    Attributes
    ----------
    schedule : str
    lr : float
    loss : float
    ahead, ahead_se : float
        How far its loss lies below that of the simplest schedule, and the standard error of that paired difference.
    behind, behind_se : float
        How far above the best schedule's.
    expected_behind : float
        Share of the gain it is expected to give up against the best, earlier races taken into account.
    """

    schedule: str
    lr: float
    loss: float
    ahead: float
    ahead_se: float
    behind: float
    behind_se: float
    expected_behind: float


def fit(scores: Scores, names: Sequence[str], *, prior: Prior) -> Fit:
    """Return the curve that these schedules' losses draw together.

    Parameters
    ----------
    scores : Scores
    names : sequence of str
        The first is the one the others are shifted to.
    prior : Prior
        Where earlier races expect the best rate; it decides where the curve is flat.

    Returns
    -------
    Fit
    """
    means = scores.means
    points = scores.of(names)
    x = np.log10(scores.lrs)
    floor = float(means[points].min())
    level = float(scores.baseline.mean())
    gain = max(level - floor, LEAST_GAIN * level)
    capped = np.minimum(means, floor + CAP_SHARE * gain)
    capped = (capped - _shifts(scores, capped, names=names))[points]
    grid = np.arange(x[points].min(), x[points].max() + GRID_STEP / 2, GRID_STEP)
    expected = TRUST * prior.at(grid)
    best = int(np.argmin(kernel_weights(grid, x[points], width=LOCATE_WIDTH) @ capped / gain + expected))
    drawn = kernel_weights(grid, x[points], width=DRAW_WIDTH) @ capped
    near_best = (grid >= grid[best] - INTERVAL_BELOW) & (grid <= grid[best] + INTERVAL_ABOVE)
    inside = near_best & (drawn <= drawn[best] + INTERVAL_SHARE * gain)
    inside[best] = True
    first = _run_start(inside, best)
    last = len(grid) - 1 - _run_start(inside[::-1], len(grid) - 1 - best)
    last = min(last, _last_safe(scores, points, grid=grid, bottom=best))
    lrs = 10**grid
    return Fit(lrs=lrs, losses=drawn, best=float(lrs[best]), low=float(lrs[first]), high=float(lrs[last]))


def _shifts(scores: Scores, capped: Floats, *, names: Sequence[str]) -> Floats:
    # what each schedule's losses lie above those of the first at the same rates
    shift = np.zeros(len(capped))
    first = {round(float(np.log10(scores.lrs[i])), 6): capped[i] for i in scores.of(names[:1])}
    for name in names[1:]:
        own = scores.of([name])
        common = [i for i in own if round(float(np.log10(scores.lrs[i])), 6) in first]
        if common:
            pairs = [capped[i] - first[round(float(np.log10(scores.lrs[i])), 6)] for i in common]
            shift[own] = float(np.median(pairs))
    return shift


def _run_start(inside: npt.NDArray[np.bool_], place: int) -> int:
    outside = np.flatnonzero(~inside[: place + 1])
    return int(outside[-1]) + 1 if len(outside) else 0


def _last_safe(scores: Scores, points: npt.NDArray[np.int64], *, grid: Floats, bottom: int) -> int:
    # the interval ends half a step before the first rate above the best at which a replica diverged
    lost = np.isnan(scores.losses[points]).any(1)
    above = np.log10(scores.lrs[points][lost])
    above = above[above > grid[bottom]]
    if not len(above):
        return len(grid) - 1
    return max(int(np.searchsorted(grid, above.min() - DRAW_WIDTH)) - 1, bottom)


def rows_at(scores: Scores, name: str, *, lr: float) -> Floats:
    """Return the row losses (n_rows,) that a schedule would have at a rate, averaged over the rates it ran at."""
    own = scores.of([name])
    weights = kernel_weights(np.log10([lr]), np.log10(scores.lrs[own]), width=POINT_WIDTH)
    return np.asarray((weights @ scores.rows[own])[0])


def replicas_at(scores: Scores, name: str, *, lr: float) -> Floats:
    """Return the same as `rows_at` for each replica's mean (n_replicas,), lost ones as twice the constant guess."""
    own = scores.of([name])
    weights = kernel_weights(np.log10([lr]), np.log10(scores.lrs[own]), width=POINT_WIDTH)
    worst = WORST * scores.baseline.mean()
    losses = np.minimum(np.where(np.isnan(scores.losses[own]), worst, scores.losses[own]), worst)
    return np.asarray((weights @ losses)[0])


def standard_error(numbers: Floats) -> float:
    """Return the standard error of the mean of independent numbers; 0 for a single one."""
    return float(np.std(numbers, ddof=1) / np.sqrt(len(numbers))) if len(numbers) > 1 else 0.0


def margins(scores: Scores, *, prior: Prior) -> tuple[Margin, ...]:
    """Return how each schedule did at its best rate, the best first.

    Parameters
    ----------
    scores : Scores
    prior : Prior
        As for `fit`.

    Returns
    -------
    tuple of Margin
        Differences are paired over held-out rows and over replicas; the larger of the two standard errors counts.
    """
    names = [name for name in SIMPLICITY if name in scores.names]
    decays = [name for name in DECAYS if name in names]
    shared = fit(scores, decays or names, prior=prior).best
    rates = {name: _own_rate(scores, name, shared=shared) for name in names}
    rows = {name: rows_at(scores, name, lr=rates[name]) for name in names}
    replicas = {name: replicas_at(scores, name, lr=rates[name]) for name in names}

    def paired(name: str, other: str) -> float:
        return max(standard_error(rows[name] - rows[other]), standard_error(replicas[name] - replicas[other]))

    losses = {name: float(rows[name].mean()) for name in names}
    best, simplest = min(names, key=lambda name: losses[name]), names[0]
    level = float(scores.baseline.mean())
    gain = max(level - losses[best], LEAST_GAIN * level)
    usual = min(names, key=USUALLY_BEHIND.__getitem__)
    expected = {
        name: _expected(name, usual, behind=(losses[name] - losses[usual]) / gain, error=paired(name, usual) / gain)
        for name in names
    }
    least = min(expected.values())
    table = [
        Margin(
            schedule=name,
            lr=rates[name],
            loss=losses[name],
            ahead=losses[simplest] - losses[name],
            ahead_se=paired(name, simplest),
            behind=losses[name] - losses[best],
            behind_se=paired(name, best),
            expected_behind=expected[name] - least,
        )
        for name in names
    ]
    return tuple(sorted(table, key=lambda margin: margin.loss))


def _own_rate(scores: Scores, name: str, *, shared: float) -> float:
    # A schedule that spends more of the run near its peak wants a lower one: the mean rate of a cosine is half its
    # peak, and equal mean rates are as near to best as can be told. Decays share their peak as they were fitted.
    lr = shared if name in DECAYS else shared * MEAN_OF_COSINE / mean_fraction(name)
    own = scores.lrs[scores.of([name])]
    return float(np.clip(lr, own.min(), own.max()))


MEAN_OF_COSINE = 0.5


def mean_fraction(name: str) -> float:
    """Return a schedule's mean rate as a fraction of its peak."""
    return float(values(make_schedule(name, peak_lr=1.0, n_steps=1000)).mean())


def _expected(name: str, usual: str, *, behind: float, error: float) -> float:
    # the normal posterior of a measured difference, with earlier races as its normal prior
    if name == usual:
        return 0.0
    prior = USUALLY_BEHIND[name] - USUALLY_BEHIND[usual]
    trust = USUAL_SPREAD**2 / (USUAL_SPREAD**2 + error**2)
    return trust * behind + (1 - trust) * prior


def winner(table: Sequence[Margin]) -> Margin:
    """Return the simplest schedule that is expected to give up next to nothing against the best."""
    by_simplicity = sorted(table, key=lambda margin: SIMPLICITY.index(margin.schedule))
    least = min(margin.expected_behind for margin in table)
    return next(margin for margin in by_simplicity if margin.expected_behind <= least + SAME_SHARE)
