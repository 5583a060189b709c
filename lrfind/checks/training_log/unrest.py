"""How a run was thrown back: `read_unrest(signals)`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lrfind.checks.training_log.signals import SHORT, Signals, opening_noise
from lrfind.checks.training_log.smooth import Floats, white_scatter

# Standard errors that a level must stand above another.
CLEAR = 4.0
# Standard deviations by which the first point alone may be off.
ODD = 2.0
# Points a running median takes: two odd ones among five change nothing.
MEDIAN_OF = 5
# Share of the run in which an eruption counts as one of the beginning.
OPENING = 0.25
# The level that one in twenty points of the opening passes.
PEAK_QUANTILE = 0.95
# How far the quantile of a few hundred losses may be off, in distances between the outer two.
QUANTILE_ERROR = 0.25
# Share of the run in which a single loss counts as a shock of the first steps.
SHOCK_SHARE = 0.05
# Points after the first that it is compared with.
FIRST_AFTER = 4
# Points after the first whose mean says whether the first steps threw the loss, and after them those whose scatter says
# how far the first may be off. Multiples of it are no larger than the last.
HUMP_POINTS, HUMP_NOISE_POINTS, MOST_HUMP = 5, 30, 1e9
# A fall of less than this share of the first loss is not taken for one: noise could climb any share of it.
FALL = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrest:
    """How a run was thrown back.

    Attributes
    ----------
    first : float
        Loss before the rate could do anything.
    scale : float
        What a rise is measured in: the size of the first loss, or of the fall where that is more.
    odd : float
        How far `first`, a single point, may be off by noise, in `scale`s.
    level_rise : float
        Highest level of a block above `first`, in `scale`s.
    brief_rise : float
        The same for a running median of points in the opening of the run.
    brief_step : float
        Where that is.
    peak : float
        The level that one in twenty points of the opening passes, the very first left out, above `first`, in `scale`s.
    shock : float
        Highest of the first points after the very first, in multiples of the larger of `first` and what is usual in the
        opening.
    first_fall : float
        The very first loss in multiples of those right after it; 0 where they are not positive.
    hump : float
        Mean of the five losses after the very first, in multiples of `first`; 0 where that is not positive.
    hump_noise : float
        Scatter of the thirty losses after those, in multiples of `first`.
    climb : float
        Furthest that the level climbs above its lowest so far while the rate is high, beyond its noise, in falls.
    climb_step : float
    is_only_noise : bool
        Whether the loss neither falls nor rises but for noise: only the rate tells then which way it is wrong.
    """

    first: float
    scale: float
    odd: float
    level_rise: float
    brief_rise: float
    brief_step: float
    peak: float
    shock: float
    first_fall: float
    hump: float
    hump_noise: float
    climb: float
    climb_step: float
    is_only_noise: bool


# All checks of a log ask for the same.
@lru_cache(maxsize=1)
def read_unrest(signals: Signals) -> Unrest:
    """Return how a run was thrown back."""
    level, error = signals.blocks.level, signals.blocks.error
    first = float(signals.loss[0])
    span = max(first - signals.best, 0.0)
    scale = max(abs(first), span, 1e-300)
    medians = running_median(signals.loss)
    opening = max(int(OPENING * signals.n_points), min(3, signals.n_points))
    early_noise = opening_noise(signals.loss)
    brief = int(np.argmax(medians[1:opening])) + 1 if opening > 1 else 0
    lowest = np.minimum.accumulate(level)
    climbs = np.where(while_high(signals), level - lowest - CLEAR * error, 0.0)
    furthest = int(np.argmax(climbs))
    hump, hump_noise = _hump(signals.loss)
    return Unrest(
        first=first, scale=scale,
        # what an eruption adds to the noise of the opening is none of it
        odd=ODD * min(early_noise, float(np.median(signals.blocks.noise))) / scale,
        level_rise=float(((level - CLEAR * error - first) / scale)[1:].max(initial=-1.0)),
        brief_rise=float(medians[brief] - first - CLEAR * early_noise) / scale,
        brief_step=float(signals.step[brief]),
        shock=_shock(signals.loss, opening=opening), first_fall=_first_fall(signals.loss),
        hump=hump, hump_noise=hump_noise,
        peak=(_peak(signals.loss[1:opening]) - first) / scale,
        climb=float(climbs[furthest]) / max(span, FALL * abs(first), 1e-300),
        climb_step=float(signals.blocks.step[furthest]), is_only_noise=_is_only_noise(signals, opening=opening),
    )  # fmt: skip


def _peak(opening: Floats) -> float:
    return float(np.quantile(opening, PEAK_QUANTILE)) if len(opening) else -math.inf


def _shock(loss: Floats, *, opening: int) -> float:
    early = loss[1 : max(int(SHOCK_SHARE * len(loss)), 4)]
    usual = max(float(loss[0]), float(np.median(loss[:opening])), 1e-300)
    return float(early.max()) / usual if len(early) and len(loss) >= SHORT else 0.0


def _is_only_noise(signals: Signals, *, opening: int) -> bool:
    loss, level, error = signals.loss, signals.blocks.level, signals.blocks.error
    if len(loss) < SHORT:
        return False
    moves = np.abs(level - level[0]) > CLEAR * np.hypot(error, error[0])
    low, high = np.quantile(loss[len(loss) // 2 :], (1 - PEAK_QUANTILE, PEAK_QUANTILE))
    erupts = _peak(loss[1:opening]) > high + QUANTILE_ERROR * (high - low)
    leaps = float(loss[0]) < low - (high - low)
    return not (moves.any() or erupts or leaps)


def _first_fall(loss: Floats) -> float:
    after = float(np.median(loss[1 : 1 + FIRST_AFTER])) if len(loss) > FIRST_AFTER else 0.0
    return float(loss[0]) / after if after > 0 else 0.0


def _hump(loss: Floats) -> tuple[float, float]:
    """Return the mean of the losses after the very first, and the scatter of those after them, in multiples of it."""
    if len(loss) < SHORT or loss[0] <= 0:
        return 0.0, 0.0
    with np.errstate(over="ignore"):
        after = np.minimum(loss[1 : 1 + HUMP_POINTS + HUMP_NOISE_POINTS] / loss[0], MOST_HUMP)
    return float(after[:HUMP_POINTS].mean()), white_scatter(after[HUMP_POINTS:])


def running_median(loss: Floats) -> Floats:
    """Return the median of each point and its neighbours, fewer of them at the ends; short logs as they are."""
    if len(loss) < SHORT:
        return loss
    half = MEDIAN_OF // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(loss, half, mode="edge"), MEDIAN_OF)
    return np.asarray(np.median(windows, axis=1))


def while_high(signals: Signals) -> np.ndarray:
    """Return which blocks were trained at half of the peak rate or more; all but the first where no rate is known."""
    if signals.rates is None:
        high = np.ones(len(signals.blocks), dtype=bool)
    else:
        high = signals.rates.is_high[signals.blocks.edges[1:] - 1]
    high[0] = False
    return high
