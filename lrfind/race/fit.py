"""One smooth curve of held-out loss against the peak rate, and the rates around the one advised that are good.

Schedules that decay to nothing have their best peak rate in the same place, so that all of them together locate it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.curve import kernel_weights
from lrfind.experience import Prior
from lrfind.race.noise import NOISE_ERRORS, Pairs
from lrfind.race.scores import Scores
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Standard deviations of the kernels, in decades, that locate the best rate and that draw the curve. To locate, 0.3 lost
# less than 0.15 to 0.25; to draw, it would hide walls.
LOCATE_WIDTH, DRAW_WIDTH = 0.3, 0.15
# A loss more than this share of the gain above the best says "too far off" and nothing else; without a cap, cliffs
# bend the curve far from where they stand.
CAP_SHARE = 0.2
# Where nothing beats the constant guess, differences are still weighed against this share of its loss.
LEAST_GAIN = 0.05
# What the regret that earlier races lead one to expect counts beside the loss that this one measured: nothing where
# the race is clear, the balance where it is flat. On 80 problems 0.05 and 0.1 lost 0.0096 of the gain, 0.25 0.0103 and
# none 0.0100.
TRUST = 0.1
# The good range promises that a rate in it gives up at most this share of the gain.
PROMISE = 0.05
# It holds rates that were trained and gave up at most `GOOD_SHARE`, no further than this many decades below and above
# the one advised; and beyond those bounds while they surely gave up less than `SURE_SHARE`, two standard errors
# counted. On 80 problems, all rates so bounded gave up less than 5 % more on test rows than the one advised; with a
# `GOOD_SHARE` of 1.5 % on three problems they did not.
GOOD_SHARE, GOOD_BELOW, GOOD_ABOVE = 0.005, 0.55, 0.35
SURE_SHARE = 0.03
GRID_STEP = 0.02


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A smooth curve of held-out loss against peak rate.

    Attributes
    ----------
    lrs, losses : (n_points,) ndarray
        Losses are those of the first schedule fitted; capped at `CAP_SHARE` of the gain above the best.
    best : float
        Its lowest point, experience taken into account.
    """

    lrs: Floats
    losses: Floats
    best: float


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
        Its best rate lies next to one that no other rate of the same schedule clearly beats.
    """
    means = scores.means
    points = scores.of(names)
    x = np.log10(scores.lrs)
    gain = least_gain(scores, float(means[points].min()))
    capped = np.minimum(means, means[points].min() + CAP_SHARE * gain)
    capped = (capped - _shifts(scores, capped, names=names))[points]
    grid = np.arange(x[points].min(), x[points].max() + GRID_STEP / 2, GRID_STEP)
    located = kernel_weights(grid, x[points], width=LOCATE_WIDTH) @ capped / gain + TRUST * prior.at(grid)
    best = int(np.argmin(np.where(_near_unbeaten(scores, names, grid=grid), located, np.inf)))
    drawn = kernel_weights(grid, x[points], width=DRAW_WIDTH) @ capped
    lrs = 10**grid
    return Fit(lrs=lrs, losses=drawn, best=float(lrs[best]))


def least_gain(scores: Scores, loss: float) -> float:
    """Return what a loss gains over the constant guess, or a small share of that where it gains nothing."""
    return max(scores.level - loss, LEAST_GAIN * scores.level)


def _near_unbeaten(scores: Scores, names: Sequence[str], *, grid: Floats) -> Flags:
    # the rates for which some schedule was trained next to there and does clearly better nowhere else
    apart = scores.pairs()
    is_good = np.zeros(len(scores.names), bool)
    for name in names:
        own = scores.of([name])
        is_good[own] = apart.unbeaten_within(own)
    points = scores.of(names)
    nearest = np.argmin(np.abs(grid[:, None] - np.log10(scores.lrs[points])[None, :]), axis=1)
    # candidates of several schedules stand at one rate: any of them will do
    good_lrs = scores.lrs[points][is_good[points]]
    return np.asarray(np.isclose(scores.lrs[points][nearest][:, None], good_lrs[None, :]).any(1))


def good_range(scores: Scores, *, apart: Pairs, at: int) -> tuple[float, float]:
    """Return the lowest and the highest rate that the candidate `at` may be trained with at little loss.

    Parameters
    ----------
    scores : Scores
    apart : Pairs
        Of `scores`.
    at : int
        The candidate advised.

    Returns
    -------
    low, high : float
        The range over which the same schedule was trained and gave up little. Towards the next rate that gave up more
        it goes on as far as a straight line between the two does, at most half-way; towards one at which a replica
        diverged it ends.
    """
    own = scores.of([scores.names[at]])
    rates, place = scores.lrs[own], int(np.flatnonzero(own == at)[0])
    gain = least_gain(scores, float(scores.means[at]))
    behind, error = apart.differences[own, at] / gain, apart.errors[own, at] / gain
    is_safe: Flags = np.asarray(~np.isnan(scores.losses[own]).any(1))
    is_sure: Flags = np.asarray(behind + NOISE_ERRORS * error <= SURE_SHARE)
    lowest, highest = float(rates[place] / 10**GOOD_BELOW), float(rates[place] * 10**GOOD_ABOVE)
    is_near = (rates >= lowest) & (rates <= highest)
    is_good: Flags = np.asarray(is_safe & (is_sure | ((behind <= GOOD_SHARE) & is_near)))
    is_good[place] = True
    ends = []
    for inner, step in zip(_run(is_good, place), (-1, 1), strict=True):
        end, outer = float(rates[inner]), inner + step
        if 0 <= outer < len(rates) and is_safe[outer]:
            rise = float(behind[outer] - behind[inner])
            share = (GOOD_SHARE - float(behind[inner])) / rise if rise > 0 else 0.5
            end *= float(rates[outer] / rates[inner]) ** min(max(share, 0.0), 0.5)
        # only from a rate that is sure to be good it goes on beyond the bounds
        ends.append(end if is_sure[inner] else min(max(end, lowest), highest))
    return min(ends[0], float(rates[place])), max(ends[1], float(rates[place]))


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


def _run(inside: Flags, place: int) -> tuple[int, int]:
    # first and last of the unbroken run of true values that holds the place
    below, above = np.flatnonzero(~inside[:place]), np.flatnonzero(~inside[place + 1 :])
    first = int(below[-1]) + 1 if len(below) else 0
    last = place + int(above[0]) if len(above) else len(inside) - 1
    return first, last
