"""A rate that is too high: LR201, LR202, LR207."""

from __future__ import annotations

import math

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.judgement import Advice, advise, advise_after_nan, judge_rate
from lrfind.checks.training_log.signals import SHORT, Signals
from lrfind.checks.training_log.unrest import CLEAR, MEDIAN_OF, OPENING, Unrest, read_unrest

# A loss that ends this many times its first value (or its fall, where that is more) above the first has exploded.
EXPLODED = 1.0
# A block's level this share of the first loss above it: the run was thrown back beyond its beginning.
ABOVE_START = 0.1
# The same for a running median of single points: it doubled, however briefly.
DOUBLED = 1.0
# How many times the first loss the level that one in twenty points of the opening pass must lie above it: losses of
# single rows reach four times their mean that often (an exponential distribution three times).
LEAPS = 5.0
# How many times the first loss, and the usual one after it, a single loss of the first steps must be: the loss of a
# single row passes ten times its mean once in 22,000.
SHOCKS = 10.0
# How many times the points after it the first one is where steps of its own interval threw it: a logged mean of many
# steps begins at the initial loss, and sound runs came down by a factor of at most 50 to the next four.
FIRST_FALL = 100.0
# Share of the fall that the level climbs back in the course of the run. A loss falls but for the noise of its batches
# as long as the rate is below the edge of stability, and climbs by jumps of the size of the fall above (Cohen et al.
# 2021, arXiv:2103.00065); measured, sound runs climb by at most 0.12 and rates ten times too high by 0.18 or more.
CLIMBS = 0.16
# Chance from which a rate is called too high: runs of the pool that were kept out of the fit, sound ones, passed it
# once in fifty (`make rate-weights` prints it). Where the loss was thrown back in plain sight, less is enough.
LIKELY, NOT_UNLIKELY = 0.75, 0.4
# Shares of the run up to which a warm-up is short, and the length that is advised.
SHORT_WARMUP, ADVISED_WARMUP = 0.05, 0.1


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
    lower = advise_lower(signals, until=until)
    suggested = None if rate is None else rate * lower.factor
    numbers |= {"step": since, "lr": rate, "factor": 1 / lower.factor, "lr_suggested": suggested}
    if rate is None:
        advice = (
            f"Divide the rate by {lower.told()} and start again from before that step; clip the gradient's norm at 1.0."
        )
    else:
        advice = (
            f"The peak until then was {rate:.2g}: try {lower.of(rate)}, warm up over the first tenth, and clip the "
            "gradient's norm at 1.0."
        )
    return check.found(message, numbers, advice)


def advise_lower(signals: Signals, *, until: float = math.inf) -> Advice:
    """Return by how much to lower the rate that was highest up to a step."""
    if len(signals.log.nonfinite_steps):
        return advise_after_nan(signals.highest_rate(until=until))
    return advise(signals, up=False)


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
    chance = judge_rate(signals).too_high
    numbers["chance"] = chance
    if not is_too_high(signals):
        return check.passed(
            f"The loss climbs back by {max(unrest.climb, 0.0):.1%} of its fall at most; runs like it are {chance:.0%} "
            "likely to have a rate that is too high.", numbers,
        )  # fmt: skip
    message, step = why_too_high(signals, unrest)
    lower = advise_lower(signals)
    suggested = None if rates is None else rates.peak * lower.factor
    numbers |= {"step": step, "factor": 1 / lower.factor, "lr_suggested": suggested}
    if rates is None:
        return check.found(message, numbers, f"Try a rate about {lower.told()} times lower.")
    warm = max(round(ADVISED_WARMUP * float(signals.step[-1])), 1)
    return check.found(
        message, numbers,
        f"The peak of {rates.peak:.2g} is about {1 / lower.factor:.2g}x too high: try {lower.of(rates.peak)}, warm up "
        f"over {warm:,} {signals.unit}s.",
    )  # fmt: skip


def is_too_high(signals: Signals) -> bool:
    """Say whether the rate was too high: likely from the whole curve, or plain and not unlikely.

    A log of noise alone, without the rate, does not tell that from a rate that is far too low.
    """
    judged, unrest = judge_rate(signals), read_unrest(signals)
    if signals.rates is None and unrest.is_only_noise:
        return False
    if judged.too_high >= LIKELY:
        return True
    is_plain = judged.too_high >= max(NOT_UNLIKELY, judged.too_low)
    return is_plain and bool(_why(signals, unrest))


def why_too_high(signals: Signals, unrest: Unrest) -> tuple[str, float]:
    """Return the reason in words and the step."""
    reason = _why(signals, unrest)
    if reason is not None:
        return reason
    message = (
        f"The loss came down from {signals.start:.3g} to {signals.end:.3g} as it does at rates that are too high: it "
        f"climbs back by {max(unrest.climb, 0.0):.0%} of its fall, and one in twenty of the points of its opening lies "
        f"above {unrest.first + unrest.peak * unrest.scale:.3g}."
    )
    return message, float(signals.step[-1])


def _why(signals: Signals, unrest: Unrest) -> tuple[str, float] | None:
    """Return what threw the run back, and where, or None where nothing stands out."""
    level, step = signals.blocks.level, signals.blocks.step
    if unrest.level_rise > ABOVE_START + unrest.odd:
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
    return None


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
