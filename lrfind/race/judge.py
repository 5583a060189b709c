"""Read a race: every schedule at its best rate, paired differences, and the one to advise.

Two things make a small race say much. Candidates share seeds, batches and held-out rows, so that their differences
are far less noisy than their losses. And schedules that decay to nothing have their best peak rate in the same place,
so that all of them together locate it. What is advised is a candidate that was trained, and no other that was trained
ends lower by more than noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from lrfind.experience import Prior
from lrfind.race.fit import fit, good_range, least_gain
from lrfind.race.noise import Flags, Pairs, is_clear, standard_error
from lrfind.race.plan import SPACING
from lrfind.race.scores import Indices, Scores
from lrfind.schedule import make_schedule, two_digits, values

# From the simplest to the least simple: of schedules that cannot be told apart, the first is advised.
SIMPLICITY = (
    "constant", "linear", "cosine", "polynomial", "step", "exponential",
    "warmup_cosine", "one_cycle", "cyclical", "warm_restarts", "reduce_on_plateau", "adaptive",
)  # fmt: skip
# Schedules that end near nothing have nearly the same best peak rate: they locate it together. Measured on 80
# problems: the rate so found lost a quarter less than that of the cosine alone.
DECAYS = ("cosine", "linear", "warmup_cosine", "polynomial", "exponential", "one_cycle")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """How one schedule did at one rate.

    Attributes
    ----------
    schedule : str
    lr : float
        A rate that it was trained with, and none of the others clearly lower.
    low, high : float
        The rates around it that give up next to nothing against it.
    loss, loss_se : float
    ahead, ahead_se : float
        How far its loss lies below that of the simplest schedule, and the standard error of that paired difference.
    behind, behind_se : float
        How far above the best schedule's.
    expected_behind : float
        Share of the gain it is expected to give up against the best, earlier races taken into account.
    unbeaten : bool
        Whether it may be advised: no candidate that may be, whatever its schedule and rate, ends clearly lower.
    """

    schedule: str
    lr: float
    low: float
    high: float
    loss: float
    loss_se: float
    ahead: float
    ahead_se: float
    behind: float
    behind_se: float
    expected_behind: float
    unbeaten: bool


def judge(
    scores: Scores, *, names: Sequence[str], prior: Prior, advisable: Sequence[str] | None = None
) -> tuple[tuple[Margin, ...], Margin]:
    """Return how each schedule did, the lowest loss first, and the one to advise.

    Parameters
    ----------
    scores : Scores
    names : sequence of str
        The schedules to compare, from the simplest.
    prior : Prior
        As for `lrfind.race.fit.fit`.
    advisable : sequence of str, optional
        Those of them that may be advised; all by default.

    Returns
    -------
    table : tuple of Margin
        Differences are paired over held-out rows and over replicas; the larger of the two standard errors counts.
    best : Margin
        The row of the schedule advised. It stands near the rate that all schedules together speak for, which chance
        moves less than the lowest of a few losses; the others stand at the rate at which they ended lowest, so that
        nothing is said to beat their best that does not.
    """
    apart = scores.pairs()
    may_be_advised = np.isin(scores.names, advisable or names)
    unbeaten = apart.unbeaten(may_be_advised) & may_be_advised
    near = fit(scores, locating(scores), prior=prior).best
    spoken_for = {
        name: representative(scores, name, near=near * peak_ratio(name), apart=apart, unbeaten=unbeaten)
        for name in names
    }
    chosen = winner(_margins(scores, spoken_for, apart=apart, unbeaten=unbeaten)).schedule
    lowest = {name: int(own[np.argmin(scores.means[own])]) for name in names for own in [scores.of([name])]}
    table = _margins(scores, lowest | {chosen: spoken_for[chosen]}, apart=apart, unbeaten=unbeaten)
    return table, next(margin for margin in table if margin.schedule == chosen)


def _margins(
    scores: Scores, at: Mapping[str, int], *, apart: Pairs, unbeaten: npt.NDArray[np.bool_]
) -> tuple[Margin, ...]:
    # the schedules, from the simplest, each at one of its candidates
    losses = {name: float(scores.means[i]) for name, i in at.items()}
    best, simplest, usual = min(at, key=losses.__getitem__), next(iter(at)), min(at, key=USUALLY_BEHIND.__getitem__)
    gain = least_gain(scores, losses[best])
    expected = {
        name: _expected(
            name, usual, behind=(losses[name] - losses[usual]) / gain, error=float(apart.errors[i, at[usual]]) / gain
        )
        for name, i in at.items()
    }
    ranges = {name: good_range(scores, apart=apart, at=i) for name, i in at.items()}
    table = [
        Margin(
            schedule=name,
            lr=float(scores.lrs[i]),
            low=two_digits(ranges[name][0]),
            high=two_digits(ranges[name][1]),
            loss=losses[name],
            loss_se=standard_error(scores.rows[i]),
            ahead=losses[simplest] - losses[name],
            ahead_se=float(apart.errors[i, at[simplest]]),
            behind=losses[name] - losses[best],
            behind_se=float(apart.errors[i, at[best]]),
            expected_behind=expected[name] - min(expected.values()),
            unbeaten=bool(unbeaten[i]),
        )
        for name, i in at.items()
    ]
    return tuple(sorted(table, key=lambda margin: margin.loss))


def locating(scores: Scores) -> list[str]:
    """Return the schedules that locate the best rate together: those that decay, or all where none does."""
    return [name for name in DECAYS if name in scores.names] or [name for name in SIMPLICITY if name in scores.names]


# What a candidate must make up for lying one step of `SPACING` from the rate that all schedules speak for, in shares of
# the gain and in standard errors of the difference; it counts with the square of the steps. On 80 problems these lost
# 0.0091 of the gain, as did half and twice as much; the nearest candidate lost 0.0096, the lowest 0.0099.
PULL, NOISE_PULL = 0.005, 0.2


def representative(scores: Scores, name: str, *, near: float, apart: Pairs, unbeaten: npt.NDArray[np.bool_]) -> int:
    """Return the candidate that stands for a schedule: a low one, drawn towards the rate that all schedules speak for.

    Parameters
    ----------
    scores : Scores
    name : str
    near : float
        The rate that all schedules speak for, as this one wants it.
    apart : Pairs
        Of `scores`.
    unbeaten : (n,) ndarray of bool
        Candidates that nothing clearly beats. Only these are taken, or where the schedule has none, those that no
        other of its own beats.

    Returns
    -------
    int
        Its index.
    """
    own = scores.of([name])
    good = own[unbeaten[own]]
    if not len(good):
        good = own[apart.unbeaten_within(own)]
    good = _clear_of_the_edge(scores, good, own=own, apart=apart)
    steps = np.abs(np.log10(scores.lrs[good] / near) / SPACING)
    error = apart.errors[good, good[np.argmin(steps)]]
    gain = least_gain(scores, float(scores.means[own].min()))
    return int(good[np.argmin(scores.means[good] + (PULL * gain + NOISE_PULL * error) * np.square(steps))])


def _clear_of_the_edge(scores: Scores, good: Indices, *, own: Indices, apart: Pairs) -> Indices:
    # A rate too high costs more than one too low: of two neighbours that cannot be told apart, the upper one is left
    # out where a replica diverged at the next rate above it.
    is_lost: Flags = np.asarray(np.isnan(scores.losses[own]).any(1))
    is_beaten = apart.beaten()
    at_edge = [
        int(i) for below, i, above in zip(own, own[1:], is_lost[2:], strict=False) if above and not is_beaten[below, i]
    ]
    clear = good[~np.isin(good, at_edge)]
    return clear if len(clear) else good


def peak_ratio(name: str) -> float:
    """Return the peak rate that a schedule wants, as a multiple of what a cosine wants.

    A schedule that spends more of the run near its peak wants a lower one: the mean rate of a cosine is half its peak,
    and equal mean rates are as near to best as can be told. Decays share their peak, as they were fitted.
    """
    return 1.0 if name in DECAYS else MEAN_OF_COSINE / mean_fraction(name)


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


class Standing(Enum):
    """How a schedule did beside the one with the lowest loss; the value is what is said of it."""

    LOWEST = "lowest"
    CLOSE = "within noise"
    # it ends above one that is clearly worse, but scatters too much to be called so itself
    UNSURE = "too noisy to tell"
    WORSE = "clearly worse"


def standings(table: Sequence[Margin]) -> dict[str, Standing]:
    """Return the standing of every schedule: the one rule by which they are called close or worse.

    Parameters
    ----------
    table : sequence of Margin
        The lowest loss first, as `margins` returns it.

    Returns
    -------
    dict of str to Standing
    """
    worse = [margin for margin in table if is_clear(margin.behind, margin.behind_se)]
    bound = min((margin.behind for margin in worse), default=math.inf)
    found = {margin.schedule: Standing.CLOSE if margin.behind < bound else Standing.UNSURE for margin in table}
    found |= dict.fromkeys((margin.schedule for margin in worse), Standing.WORSE)
    return found | {table[0].schedule: Standing.LOWEST}


def winner(table: Sequence[Margin]) -> Margin:
    """Return the simplest unbeaten schedule that is expected to give up next to nothing, or else the least."""
    good = [margin for margin in table if margin.unbeaten]
    least = min(margin.expected_behind for margin in good)
    by_simplicity = sorted(good, key=lambda margin: SIMPLICITY.index(margin.schedule))
    return next(margin for margin in by_simplicity if margin.expected_behind <= least + SAME_SHARE)
