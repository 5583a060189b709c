"""A rate that is too high: LR201, LR202, LR207."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals, opening_noise
from lrfind.checks.training_log.smooth import Floats
from lrfind.logs import TrainingLog

# A loss that ends this many times its first value (or its fall, where that is more) above the first has exploded.
EXPLODED = 1.0
# Standard errors that a level must stand above another.
CLEAR = 4.0
# Points a running median takes: two odd ones among five change nothing.
MEDIAN_OF = 5
# Logs shorter than this have one value an epoch, as a rule, and each is a mean already.
SHORT = 60
# Share of the run in which an eruption counts as one of the beginning.
OPENING = 0.25
# A block's level this share of the first loss above it: the run was thrown back beyond its beginning.
ABOVE_START = 0.1
# The same for a running median of single points: it doubled, however briefly.
DOUBLED = 1.0
# The level that one in twenty points of the opening passes, and how many times the first loss it must lie above it:
# losses of single rows reach four times their mean that often (an exponential distribution three times).
PEAK_QUANTILE, LEAPS = 0.95, 5.0
# Share of the run in which a single loss counts as a shock of the first steps, and how many times the first loss, and
# the usual one after it, it must be: the loss of a single row passes ten times its mean once in 22,000.
SHOCK_SHARE, SHOCKS = 0.05, 10.0
# How many times the points after it the first one is where steps of its own interval threw it: a logged mean of many
# steps begins at the initial loss, and sound runs came down by a factor of at most 50 to the next four.
FIRST_FALL, FIRST_AFTER = 100.0, 4
# Share of the fall that the level climbs back in the course of the run. A loss falls but for the noise of its batches
# as long as the rate is below the edge of stability, and climbs by jumps of the size of the fall above (Cohen et al.
# 2021, arXiv:2103.00065); measured, sound runs climb by at most 0.12 and rates ten times too high by 0.18 or more.
CLIMBS = 0.16
# A fall of less than this share of the first loss is not taken for one: noise could climb any share of it.
FALL = 0.25
# A rate is high while it is at least this share of its peak.
HIGH = 0.5
# Shares of the run up to which a warm-up is short, and the length that is advised.
SHORT_WARMUP, ADVISED_WARMUP = 0.05, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrest:
    """How a run was thrown back.

    Attributes
    ----------
    first : float
        Loss before the rate could do anything.
    scale : float
        What a rise is measured in: the size of the first loss, or of the fall where that is more.
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
    brief_lasts : float
        Share of the run from the start until the loss is below its first value for good.
    climb : float
        Furthest that the level climbs above its lowest so far while the rate is high, beyond its noise, in falls.
    climb_step : float
    """

    first: float
    scale: float
    level_rise: float
    brief_rise: float
    brief_step: float
    peak: float
    shock: float
    first_fall: float
    brief_lasts: float
    climb: float
    climb_step: float


def read_unrest(signals: Signals) -> Unrest:
    """Return how a run was thrown back."""
    level, error = signals.blocks.level, signals.blocks.error
    first = float(signals.loss[0])
    span = max(first - signals.best, 0.0)
    scale = max(abs(first), span, 1e-300)
    medians = running_median(signals.loss)
    opening = max(int(OPENING * signals.n_points), min(3, signals.n_points))
    brief = int(np.argmax(medians[1:opening])) + 1 if opening > 1 else 0
    beyond = np.flatnonzero(level > first + CLEAR * error)
    lowest = np.minimum.accumulate(level)
    climbs = np.where(while_high(signals), level - lowest - CLEAR * error, 0.0)
    furthest = int(np.argmax(climbs))
    share = signals.share
    return Unrest(
        first=first, scale=scale, level_rise=float(((level - CLEAR * error - first) / scale)[1:].max(initial=-1.0)),
        brief_rise=float(medians[brief] - first - CLEAR * opening_noise(signals.loss)) / scale,
        brief_step=float(signals.step[brief]),
        shock=_shock(signals.loss, opening=opening), first_fall=_first_fall(signals.loss),
        peak=(_peak(signals.loss[1:opening]) - first) / scale,
        brief_lasts=float(share[beyond[-1]]) if len(beyond) else 0.0,
        climb=float(climbs[furthest]) / max(span, FALL * abs(first), 1e-300),
        climb_step=float(signals.blocks.step[furthest]),
    )  # fmt: skip


def _peak(opening: Floats) -> float:
    return float(np.quantile(opening, PEAK_QUANTILE)) if len(opening) else -math.inf


def _shock(loss: Floats, *, opening: int) -> float:
    early = loss[1 : max(int(SHOCK_SHARE * len(loss)), 4)]
    usual = max(float(loss[0]), float(np.median(loss[:opening])), 1e-300)
    return float(early.max()) / usual if len(early) and len(loss) >= SHORT else 0.0


def _first_fall(loss: Floats) -> float:
    after = float(np.median(loss[1 : 1 + FIRST_AFTER])) if len(loss) > FIRST_AFTER else 0.0
    return float(loss[0]) / after if after > 0 else 0.0


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
        at = signals.rates.at[signals.blocks.edges[1:] - 1]
        high = np.asarray(at >= HIGH * signals.rates.peak)
    high[0] = False
    return high


def diverged(check: Check, signals: Signals) -> Finding:
    """LR201: the loss left for infinity, or ended far above where it began."""
    broken = signals.log.nonfinite_steps
    unrest = read_unrest(signals)
    numbers: dict[str, float | int | str | None] = {
        "nonfinite": len(broken), "start": unrest.first, "end": signals.end, "lowest": signals.best,
    }  # fmt: skip
    if len(broken):
        return _nonfinite(check, signals, numbers=numbers)
    if signals.end - unrest.first - CLEAR * float(signals.blocks.error[-1]) <= EXPLODED * unrest.scale:
        return check.passed(f"The loss is finite throughout, and ends at {signals.end:.3g}.", numbers)
    since = float(signals.blocks.step[int(np.argmin(signals.blocks.level))])
    message = (
        f"The loss exploded: it began at {unrest.first:.3g} and ended at {signals.end:.3g}, rising since "
        f"{signals.at_step(round(since))}."
    )
    worst = float(signals.blocks.step[int(np.argmax(signals.blocks.level))])
    return _diverged(check, signals, since=since, until=worst, told=(message, numbers))


def _nonfinite(check: Check, signals: Signals, *, numbers: dict[str, float | int | str | None]) -> Finding:
    broken = signals.log.nonfinite_steps
    first = float(broken[0])
    after = signals.step > broken[-1]
    lost = "for good" if not after.any() else f"at {len(broken):,} points in all; it came back each time"
    message = f"The loss is NaN or infinite from {signals.at_step(first)} on, {lost}."
    return _diverged(check, signals, since=first, until=first, told=(message, numbers))


def _diverged(
    check: Check,
    signals: Signals,
    *,
    since: float,
    until: float,
    told: tuple[str, dict[str, float | int | str | None]],
) -> Finding:
    message, numbers = told
    rate = signals.highest_rate(until=until)
    suggested = None if rate is None else rate / factor_down(signals)
    numbers |= {"step": since, "lr": rate, "lr_suggested": suggested}
    if rate is None or suggested is None:
        advice = "Divide the rate by 10 and start again from before that step; clip the gradient's norm at 1.0."
    else:
        advice = (
            f"The peak until then was {rate:.2g}: try {suggested:.2g}, warm up over the first tenth, and clip the "
            "gradient's norm at 1.0."
        )
    return check.found(message, numbers, advice)


# How far a rate is too high, from how far it threw the run: fitted to runs whose best rate was measured. A rise of one
# first loss came with a rate 11 times too high, one of a hundred with 35 times; they scatter by a factor of 3.
FACTOR_AT_ONE, FACTOR_SLOPE = 1.06, 0.29
LEAST_FACTOR, MOST_FACTOR = 4.0, 40.0
# Where the loss became NaN only the number of steps tells by how much, and not much: rates 10 times too high took 5 to
# 300 steps, those 100 times too high 3 to 30. Counted in epochs or rows, it tells nothing.
NAN_FACTOR, NAN_STEPS, NAN_SLOPE, LEAST_NAN_FACTOR = 45.0, 5.0, 0.25, 15.0
NAN_FACTOR_UNTOLD = 30.0


def nan_factor(log: TrainingLog) -> float:
    """Return by how much a rate is too high whose loss became NaN: the sooner, the more."""
    if log.step_unit != "step":
        return NAN_FACTOR_UNTOLD
    n_steps = max(float(log.nonfinite_steps[0]), NAN_STEPS)
    return float(max(NAN_FACTOR * (NAN_STEPS / n_steps) ** NAN_SLOPE, LEAST_NAN_FACTOR))


def _thrown(unrest: Unrest) -> float:
    return unrest.first_fall if unrest.first_fall > FIRST_FALL else 0.0


def factor_down(signals: Signals) -> float:
    """Return by how much the peak rate is too high, roughly: the more violent the run, the more."""
    unrest = read_unrest(signals)
    rise = max(unrest.level_rise, unrest.brief_rise, unrest.peak, unrest.shock, _thrown(unrest), unrest.climb, 0.1)
    if len(signals.log.nonfinite_steps):
        return nan_factor(signals.log)
    if not math.isfinite(rise):
        return MOST_FACTOR
    return float(min(max(10 ** (FACTOR_AT_ONE + FACTOR_SLOPE * math.log10(rise)), LEAST_FACTOR), MOST_FACTOR))


def too_high(check: Check, signals: Signals) -> Finding:
    """LR202: the rate threw the run back, again and again or far."""
    if signals.n_points < MEDIAN_OF:
        return check.not_applicable(f"The log has {signals.n_points} points; {MEDIAN_OF} are needed.")
    unrest = read_unrest(signals)
    rates = signals.rates
    numbers: dict[str, float | int | str | None] = {
        "rise_above_start": unrest.level_rise, "brief_rise": unrest.brief_rise, "climb": unrest.climb,
        "lr": rates.peak if rates else None,
    }  # fmt: skip
    message, step = why_too_high(signals, unrest)
    if not message:
        return check.passed(
            f"The loss never climbs back by more than {max(unrest.climb, 0.0):.1%} of its fall.", numbers
        )
    factor = factor_down(signals)
    suggested = None if rates is None else rates.peak / factor
    numbers |= {"step": step, "factor": factor, "lr_suggested": suggested}
    if rates is None or suggested is None:
        return check.found(message, numbers, f"Try a rate about {factor:.2g} times lower.")
    warm = max(round(ADVISED_WARMUP * float(signals.step[-1])), 1)
    return check.found(
        message, numbers,
        f"The peak of {rates.peak:.2g} is about {factor:.2g}x too high: try {suggested:.2g}, warm up over {warm:,} "
        f"{signals.unit}s.",
    )  # fmt: skip


def why_too_high(signals: Signals, unrest: Unrest) -> tuple[str, float]:
    """Return the reason in words and the step, or an empty sentence where there is none."""
    level, step = signals.blocks.level, signals.blocks.step
    if unrest.level_rise > ABOVE_START:
        worst = int(np.argmax(level[1:])) + 1
        return (
            f"The loss rises above its first value of {unrest.first:.3g}, to {level[worst]:.3g} around "
            f"{signals.at_step(round(float(step[worst])))}."
        ), float(step[worst])
    thrown = _why_thrown(signals, unrest)
    if thrown is not None:
        return thrown
    if unrest.climb > CLIMBS:
        return (
            f"The loss climbs back by {unrest.climb:.0%} of its whole fall around "
            f"{signals.at_step(round(unrest.climb_step))}, far beyond the noise of its batches."
        ), unrest.climb_step
    return "", math.nan


def _why_thrown(signals: Signals, unrest: Unrest) -> tuple[str, float] | None:
    """Return how the first steps threw the loss, and where."""
    begins, first = float(signals.step[0]), unrest.first
    if unrest.brief_rise > DOUBLED:
        highest = first + unrest.brief_rise * unrest.scale
        where = signals.at_step(unrest.brief_step)
        return f"The loss leaps from {first:.3g} to {highest:.3g} at {where} before it falls.", unrest.brief_step
    if unrest.peak > LEAPS:
        highest = first + unrest.peak * unrest.scale
        return (
            f"The loss begins at {first:.3g}, and one in twenty of the points after it lies above {highest:.3g}."
        ), begins
    if unrest.shock > SHOCKS:
        return (
            f"The first steps throw the loss from {first:.3g} to {unrest.shock:.3g} times what is usual later."
        ), float(signals.step[1])
    if unrest.first_fall > FIRST_FALL:
        return (
            f"The first point, {first:.3g}, is {unrest.first_fall:.3g} times those after it: the first steps threw the "
            "loss before anything was logged."
        ), begins
    return None


# A leap at the beginning of this share of the first loss is no noise of a batch.
LEAP = 0.3


def short_warmup(check: Check, signals: Signals) -> Finding:
    """LR207: the loss leaps up in the first steps and then the same rate does well."""
    if signals.n_points < SHORT:
        return check.not_applicable(f"The log has {signals.n_points} points; the first steps show from {SHORT} on.")
    unrest, rates = read_unrest(signals), signals.rates
    warmup = 0.0 if rates is None or not rates.has_warmup else rates.peak_share
    numbers: dict[str, float | int | str | None] = {
        "leap": unrest.brief_rise,
        "step": unrest.brief_step,
        "warmup_share": warmup,
    }
    height = unrest.brief_rise * unrest.scale
    leaps = unrest.brief_rise > LEAP and unrest.brief_lasts < OPENING
    if not leaps or warmup > SHORT_WARMUP or signals.end > unrest.first:
        return check.passed(
            f"The first steps are calm: the loss rises by {max(unrest.brief_rise, 0):.0%} at most.", numbers
        )
    until = max(round(ADVISED_WARMUP * float(signals.step[-1])), 1)
    has = "has no warm-up" if not warmup else f"warms up over {warmup:.1%} of the run"
    message = (
        f"The run {has}, and the loss leaps from {unrest.first:.3g} to {unrest.first + height:.3g} at "
        f"{signals.at_step(unrest.brief_step)} before it falls to {signals.end:.3g}."
    )
    to = "" if rates is None else f" from 0 to {rates.peak:.2g}"
    return check.found(message, numbers, f"Warm up linearly{to} over the first {until:,} {signals.unit}s.")
