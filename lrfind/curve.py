"""Read a range test: `analyse(sweep) -> Analysis`.

The losses of all seeds are pooled before anything is read off them. Three things make the pooled curve trustworthy
where a single smoothed curve is not:

* each batch's own difficulty is taken out of its loss (a control variate), which removes much of the noise for free;
* smoothing is centred and linear in log lr, so it neither lags nor lifts the ends;
* losses far above the start are capped in units of the fall itself, so that one seed's explosion cannot move the
  others' landmarks, on any scale of loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from lrfind.rules import published_rules
from lrfind.sweep import Sweep
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]


class Outcome(Enum):
    """What a range test showed; the value is a sentence for people."""

    OK = "The loss falls, has a minimum and diverges inside the range."
    NEVER_FALLS = "The loss never falls below where it starts by more than noise."
    NEVER_DIVERGES = "The loss is still well behaved at the highest rate tried."
    STILL_FALLING = "The loss is still falling at the highest rate tried, so the range ends too low."
    DIVERGES_AT_ONCE = "The loss rises from the first steps, so the range starts too high."
    NOISE_HIDES_FALL = "The loss may fall, but by little more than its noise, so no landmark can be placed."
    SEEDS_DISAGREE = "The seeds place the minimum more than a decade and a half apart."


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmark:
    """A rate at which the curve does something, with its uncertainty.

    Attributes
    ----------
    lr : float
        On the curve pooled over all seeds.
    low, high : float
        Central 90 % interval of the same landmark over bootstrap samples of the seeds.
    """

    lr: float
    low: float
    high: float


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """What a range test says.

    Attributes
    ----------
    lrs : (n_points,) ndarray
        The sweep's rates.
    pooled, low, high : (n_points,) ndarray
        Smoothed loss pooled over seeds, and its pointwise 90 % band over bootstrap samples of the seeds; capped
        above the start by `CAP_FALLS` times the fall.
    start_loss, min_loss : float
        Loss before anything is learned, and at the pooled curve's minimum.
    noise : float
        Standard deviation of one seed's batch loss about the pooled curve in the quiet first part, after batch
        difficulty is taken out.
    noise_removed : float
        Share of the raw noise's variance that batch difficulty explained, 0 to 1.
    onset, steepest, fallen, minimum, divergence : Landmark or None
        Where the fall begins, is fastest in ln(lr), is four fifths done, ends; and where the loss has risen half the
        way back. None where the curve has no such point.
    rules : mapping of str to (float or None)
        What published rules read off the first seed alone, as they do.
    outcome : Outcome
    """

    lrs: Floats
    pooled: Floats
    low: Floats
    high: Floats
    start_loss: float
    min_loss: float
    noise: float
    noise_removed: float
    onset: Landmark | None
    steepest: Landmark | None
    fallen: Landmark | None
    minimum: Landmark | None
    divergence: Landmark | None
    rules: Mapping[str, float | None]
    outcome: Outcome

    def __post_init__(self) -> None:
        """Hold the arrays still."""
        for array in (self.lrs, self.pooled, self.low, self.high):
            array.flags.writeable = False


# Share of the sweep that is taken for its quiet beginning; with a range from 1e-7 that is below 1e-5.
QUIET_SHARE = 0.1
# Standard deviation of the smoother's kernel, in decades. Measured on 80 problems: 0.1 to 0.3 read equally well, less
# leaves noise in, more blurs divergence into the minimum.
BANDWIDTH = 0.2
# Losses above the start by more than this many falls say "diverged" and nothing else.
CAP_FALLS = 2.0
N_BOOTSTRAP = 200
# The fall must exceed its own standard error by these factors to exist, and to carry landmarks. Five rather than two
# because the minimum is the best of some forty independent places on the curve.
FALL_EXISTS, FALL_IS_CLEAR = 5.0, 8.0
# A bootstrap interval of the minimum wider than this, in decades, is no landmark. Flat minima are a decade wide on
# good problems.
DISAGREEMENT = 1.5


def analyse(sweep: Sweep, *, seed: int = 0) -> Analysis:
    """Pool the seeds of a range test and place its landmarks.

    Parameters
    ----------
    sweep : Sweep
    seed : int
        Of the bootstrap.

    Returns
    -------
    Analysis

    References
    ----------
    Smith 2015, "Cyclical learning rates for training neural networks", arXiv:1506.01186 (the range test).
    Glynn & Szechtman 2002, "Some new perspectives on the method of control variates" (taking out batch difficulty).
    """
    calm, removed = without_difficulty(sweep)
    n_quiet = max(3, round(QUIET_SHARE * sweep.n_steps))
    start = float(np.nanmedian(calm[:, :n_quiet])) if np.isfinite(calm[:, :n_quiet]).any() else np.inf
    capped = _capped(calm, start)
    # the mean of what is pooled: neither may a capped seed look like a fall, nor an outlier raise the start
    start = float(capped[:, :n_quiet].mean()) if np.isfinite(start) else start
    smoother = local_linear(np.log10(sweep.lrs), bandwidth=BANDWIDTH)
    pooled = smoother @ capped.mean(0)
    # resampling weights of the seeds, (n_bootstrap, n_seeds)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
    weights = rng.multinomial(sweep.n_seeds, np.full(sweep.n_seeds, 1 / sweep.n_seeds), size=N_BOOTSTRAP)
    resampled = (weights @ capped / sweep.n_seeds) @ smoother.T
    noise = _noise(calm[:, :n_quiet])
    places = _places(pooled, start)
    marks = _landmarks(sweep.lrs, places, resampled=np.stack([_places(curve, start) for curve in resampled]))
    low, high = np.quantile(resampled, (0.05, 0.95), axis=0)
    # losses come in float32, so below its resolution a fall is rounding, however quiet the curve
    resolution = float(np.finfo(np.float32).eps) * abs(start)
    standard_error = max(noise, resolution) / np.sqrt(sweep.n_seeds * _effective_steps(smoother))
    # straight lines overshoot at a bend: no average lies below every loss that was seen
    floor = float(np.nanmin(sweep.losses)) if np.isfinite(sweep.losses).any() else -np.inf
    outcome = _outcome(sweep, pooled, start=start, standard_error=standard_error, marks=marks)
    pooled, low, high = (np.maximum(curve, floor) for curve in (pooled, low, high))
    return Analysis(
        lrs=sweep.lrs.copy(),
        pooled=pooled,
        low=low,
        high=high,
        start_loss=start,
        min_loss=float(pooled.min()),
        noise=noise,
        noise_removed=removed,
        rules=published_rules(sweep.lrs, sweep.losses[0]),
        outcome=outcome,
        **marks,
    )


def without_difficulty(sweep: Sweep) -> tuple[Floats, float]:
    """Return the losses less what their batches' difficulty explains, and the share of the noise that was.

    Parameters
    ----------
    sweep : Sweep

    Returns
    -------
    losses : (n_seeds, n_steps) ndarray
        As the sweep's, with the same mean, less noisy; the sweep's own where it knows no difficulty.
    removed : float
        Share of the variance about each seed's mean, in the quiet part, that is gone; 0 to 1.
    """
    if sweep.difficulty is None:
        return sweep.losses, 0.0
    quiet = slice(0, max(3, round(2 * QUIET_SHARE * sweep.n_steps)))
    loss, hard = (a[:, quiet] - a[:, quiet].mean(1, keepdims=True) for a in (sweep.losses, sweep.difficulty))
    spread = float((hard * hard).sum())
    if not (np.isfinite(loss).all() and spread > 0):
        return sweep.losses, 0.0
    # least squares; a batch twice as hard never explains more than twice its own excess
    slope = float(np.clip((loss * hard).sum() / spread, 0.0, 2.0))
    left = float(np.square(loss - slope * hard).sum()) / max(float(np.square(loss).sum()), np.finfo(float).tiny)
    # a step whose difficulty is not known keeps its loss
    excess = np.nan_to_num(sweep.difficulty - np.nanmean(sweep.difficulty), nan=0.0)
    return sweep.losses - slope * excess, float(np.clip(1 - left, 0, 1))


def local_linear(x: Floats, *, bandwidth: float) -> Floats:
    """Return the matrix (n, n) of a local linear smoother with a Gaussian kernel at the points themselves.

    Parameters
    ----------
    x : (n,) ndarray
    bandwidth : float
        Standard deviation of the kernel, in units of `x`; widened to at least one step between points.

    Returns
    -------
    (n, n) ndarray
        ``smooth = matrix @ values``; reproduces straight lines exactly, the ends included.

    References
    ----------
    Fan & Gijbels 1996, "Local polynomial modelling and its applications", section 3.
    """
    step = (x[-1] - x[0]) / max(len(x) - 1, 1)
    gaps = x[None, :] - x[:, None]
    kernel = np.exp(-0.5 * np.square(gaps / max(bandwidth, step)))
    s0, s1, s2 = (np.sum(kernel * gaps**power, axis=1, keepdims=True) for power in (0, 1, 2))
    return np.asarray(kernel * (s2 - s1 * gaps) / (s0 * s2 - s1 * s1))


def kernel_weights(at: Floats, x: Floats, *, width: float) -> Floats:
    """Return the weights (n_at, n_x) of a Gaussian kernel average of values at `x`, seen at `at`; rows add up to 1.

    Parameters
    ----------
    at : (n_at,) ndarray
    x : (n_x,) ndarray
    width : float
        Standard deviation of the kernel, in units of `x`.

    Returns
    -------
    (n_at, n_x) ndarray
    """
    exponent = -0.5 * np.square((at[:, None] - x[None, :]) / width)
    # where `at` lies far from all of `x`, the nearest still counts
    weights = np.exp(exponent - exponent.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _effective_steps(smoother: Floats) -> float:
    # how many steps the smoother averages in the middle of the curve
    middle = smoother[len(smoother) // 2]
    return float(1 / np.sum(middle * middle))


def _capped(losses: Floats, start: float) -> Floats:
    # the fall is measured on running means of five steps of the median seed, so that one lucky batch sets no cap
    median = np.nanmedian(np.where(np.isnan(losses), np.inf, losses), axis=0)
    running = np.convolve(np.where(np.isfinite(median), median, np.finfo(np.float32).max), np.full(5, 0.2), "valid")
    fall = max(start - float(running.min()), 0.0) if np.isfinite(start) else 0.0
    spread = _noise(losses[:, : max(3, round(QUIET_SHARE * losses.shape[1]))])
    cap = start + max(CAP_FALLS * fall, FALL_EXISTS * spread)
    if not np.isfinite(cap):
        cap = float(np.nanmax(losses)) if np.isfinite(losses).any() else 1.0
    return np.asarray(np.minimum(np.where(np.isnan(losses), cap, losses), cap))


def _noise(quiet: Floats) -> float:
    # differences of neighbouring steps: neither the seeds' different starts nor a slow trend count as noise
    steps = np.diff(quiet, axis=1)
    steps = steps[np.isfinite(steps)]
    if not len(steps):
        return 0.0
    # an explosion is no noise: differences beyond five robust standard deviations (1.48 medians) count as five
    far = 5 * 1.48 * np.median(np.abs(steps))
    return float(np.sqrt(np.mean(np.square(np.clip(steps, -far, far))) / 2))


# Shares of the whole fall that mark its beginning and the point where most of it is done; the share of the fall that
# has to be lost again to call it divergence.
ONSET_SHARE, FALLEN_SHARE, LOST_SHARE = 0.1, 0.8, 0.5
_NAMES = ("onset", "steepest", "fallen", "minimum", "divergence")


def _places(curve: Floats, start: float) -> npt.NDArray[np.int64]:
    # indices of the landmarks, -1 where the curve has none
    bottom = int(np.argmin(curve))
    fall = start - curve[bottom]
    if not 0 < fall < np.inf or bottom == 0:
        return np.full(len(_NAMES), -1)
    onset = int(np.argmax(curve <= start - ONSET_SHARE * fall))
    fallen = int(np.argmax(curve <= start - FALLEN_SHARE * fall))
    steepest = int(np.argmin(np.diff(curve[: bottom + 1])))
    lost = np.flatnonzero(curve[bottom:] > curve[bottom] + LOST_SHARE * fall)
    return np.array([onset, steepest, fallen, bottom, bottom + lost[0] if len(lost) else -1])


def _landmarks(
    lrs: Floats, places: npt.NDArray[np.int64], *, resampled: npt.NDArray[np.int64]
) -> dict[str, Landmark | None]:
    marks: dict[str, Landmark | None] = {}
    for name, place, others in zip(_NAMES, places, resampled.T, strict=True):
        known = lrs[others[others >= 0]]
        if place < 0 or not len(known):
            marks[name] = None
            continue
        low, high = np.quantile(known, (0.05, 0.95))
        lr = float(lrs[place])
        marks[name] = Landmark(lr=lr, low=min(lr, float(low)), high=max(lr, float(high)))
    return marks


def _outcome(
    sweep: Sweep, pooled: Floats, *, start: float, standard_error: float, marks: Mapping[str, Landmark | None]
) -> Outcome:
    fall = start - float(pooled.min())
    minimum = marks["minimum"]
    tenth = max(1, sweep.n_steps // 10)
    if not np.isfinite(start) or (minimum is None and pooled[tenth] > start + FALL_IS_CLEAR * standard_error):
        return Outcome.DIVERGES_AT_ONCE
    if minimum is None or fall < FALL_EXISTS * standard_error:
        return Outcome.NEVER_FALLS
    if fall < FALL_IS_CLEAR * standard_error:
        return Outcome.NOISE_HIDES_FALL
    if np.log10(minimum.high / minimum.low) > DISAGREEMENT and marks["divergence"] is not None:
        return Outcome.SEEDS_DISAGREE
    if marks["divergence"] is not None:
        return Outcome.OK
    at_edge = minimum.lr > sweep.lrs[-1] / 10 ** (2 * BANDWIDTH)
    return Outcome.STILL_FALLING if at_edge else Outcome.NEVER_DIVERGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a range test alone says about the rate.

    Attributes
    ----------
    lr, low, high : float
    """

    lr: float
    low: float
    high: float


# The loss is still lowest a step before it diverges, so its minimum lies too high for a whole run; a fifth of it is
# the margin that lost least on 80 problems (a tenth and a half lost more).
MINIMUM_MARGIN = 5.0
# Half-widths of the interval in decades, below and above: rates within lost at most 5 % more than the advised one on
# 85 % of those problems. A rate too high costs more than one too low.
WIDTH_BELOW, WIDTH_ABOVE = 0.25, 0.2


def blended_reading(*, steepest: float, fallen: float, minimum: float, ceiling: float) -> float:
    """Return the rate that three landmarks speak for together, as `read_rate` explains; at most `ceiling`."""
    readings = (minimum / MINIMUM_MARGIN, fallen, math.sqrt(steepest * minimum))
    return min(math.exp(sum(map(math.log, readings)) / len(readings)), ceiling)


def read_rate(analysis: Analysis) -> Reading | None:
    """Return the rate a range test speaks for, or None where it speaks for none.

    Three readings of the pooled curve that err in different directions are averaged in log lr: a fifth of the
    minimum, the rate at which four fifths of the fall is done, and the geometric mean of steepest fall and minimum.
    On 80 problems their mean lost less than each.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    Reading or None
    """
    minimum, steepest, fallen = analysis.minimum, analysis.steepest, analysis.fallen
    if minimum is None or steepest is None or fallen is None:
        return None
    ceiling = analysis.divergence.lr if analysis.divergence is not None else float(analysis.lrs[-1])
    lr = blended_reading(steepest=steepest.lr, fallen=fallen.lr, minimum=minimum.lr, ceiling=ceiling)
    lr = max(lr, float(analysis.lrs[0]))
    return Reading(
        lr=lr,
        low=max(lr * 10**-WIDTH_BELOW, float(analysis.lrs[0])),
        high=min(lr * 10**WIDTH_ABOVE, ceiling),
    )
