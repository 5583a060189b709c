"""A rate that is too high: LR201, LR202, LR207."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.ending import read_ending, told_nonfinite
from lrfind.checks.training_log.judgement import Advice, advise, advise_after_nan, judge_rate
from lrfind.checks.training_log.signals import SHORT, Signals
from lrfind.checks.training_log.unrest import CLEAR, MEDIAN_OF, Unrest, read_unrest
from lrfind.text import number, percent, plural, rate

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
# Chance from which a rate is called too high: one in forty passed it of the runs of the pool that were not at fault,
# with their kind of data kept out of the fit (`make rate-weights` prints it). Where the loss was thrown back in plain
# sight, less is enough.
LIKELY, NOT_UNLIKELY = 0.6, 0.3
# What is said where no step could change anything.
STILL = "The rate in the log is never above 0."
# Shares of the run up to which a warm-up is short, and the length that is advised.
SHORT_WARMUP, ADVISED_WARMUP = 0.05, 0.1


def diverged(check: Check, signals: Signals) -> Finding:
    """LR201: the loss left for infinity, or ended far above where it began."""
    broken = signals.log.nonfinite_steps
    numbers: dict[str, float | int | str | None] = {
        "nonfinite": len(broken), "start": signals.first, "end": signals.last if read_ending(signals.log).is_finite
        else None, "lowest": signals.lowest, "level_end": signals.end,
    }  # fmt: skip
    if len(broken):
        return _nonfinite(check, signals, numbers=numbers)
    if not has_exploded(signals):
        return check.passed(f"The loss is finite throughout, and ends at {number(signals.last)}.", numbers)
    since = signals.lowest_step
    message = (
        f"The loss exploded: it began at {number(signals.first)} and ended at {number(signals.last)}, rising since "
        f"{signals.at_step(since)}."
    )
    return _diverged(check, signals, since=since, told=(message, numbers))


def has_exploded(signals: Signals) -> bool:
    """Say whether the loss ended far above where it began."""
    unrest = read_unrest(signals)
    return signals.end - unrest.first - CLEAR * float(signals.blocks.error[-1]) > EXPLODED * unrest.scale


def has_diverged(signals: Signals) -> bool:
    """Say whether LR201 is found: the loss was NaN or infinite somewhere, or ended far above where it began."""
    return len(signals.log.nonfinite_steps) > 0 or has_exploded(signals)


def _nonfinite(check: Check, signals: Signals, *, numbers: dict[str, float | int | str | None]) -> Finding:
    first, ending = float(signals.log.nonfinite_steps[0]), read_ending(signals.log)
    numbers |= {
        "nonfinite_since": ending.since,
        "last_finite": signals.last,
        "last_finite_step": float(signals.step[-1]),
    }
    found = _diverged(check, signals, since=first, told=(told_nonfinite(signals.log), numbers))
    came_back = "loss was NaN or infinite on the way"
    return replace(found, title=came_back if ending.is_finite else f"{check.title}: {ending.kind} from {ending.at} on")


def _diverged(
    check: Check, signals: Signals, *, since: float, told: tuple[str, dict[str, float | int | str | None]]
) -> Finding:
    message, numbers = told
    lr, lower = signals.highest_rate(until=_broke_at(signals)), advise_lower(signals)
    numbers |= {"step": since, "lr": lr, **lower.suggested(lr)}
    if lr is None:
        advice = (
            f"Lower the rate {lower.told()} and start again from before that step; clip the gradient's norm at 1.0."
        )
    else:
        advice = (
            f"The peak until then was {rate(lr)}: try {lower.of(lr)}, warm up over the first tenth, and clip the "
            "gradient's norm at 1.0."
        )
    return check.found(message, numbers, advice)


def _broke_at(signals: Signals) -> float:
    """Return the step of the first loss that is no number, or of the highest level of the loss."""
    broken = signals.log.nonfinite_steps
    return float(broken[0]) if len(broken) else float(signals.blocks.step[int(np.argmax(signals.blocks.level))])


def peak_at_fault(signals: Signals) -> float | None:
    """Return the rate that advice to lower it speaks of: the peak, until it broke the run where it did."""
    return signals.highest_rate(until=_broke_at(signals) if has_diverged(signals) else math.inf)


def sound_peak(signals: Signals, peak: float) -> float:
    """Return the peak that all other advice speaks of: where it was too high (LR201, LR202), the one to try."""
    if has_diverged(signals) or is_too_high(signals):
        return (peak_at_fault(signals) or peak) * advise_lower(signals).factor
    return peak


def advise_lower(signals: Signals) -> Advice:
    """Return by how much to lower the rate at fault."""
    if len(signals.log.nonfinite_steps):
        return advise_after_nan(signals.highest_rate(until=_broke_at(signals)), optimizer=signals.log.optimizer)
    return advise(signals, up=False)


def too_high(check: Check, signals: Signals) -> Finding:
    """LR202: the rate threw the run back, again and again or far."""
    if signals.n_points < MEDIAN_OF:
        return check.not_applicable(signals.too_few(MEDIAN_OF))
    if is_still(signals):
        return check.not_applicable(STILL)
    unrest = read_unrest(signals)
    numbers: dict[str, float | int | str | None] = {
        "rise_above_start": unrest.level_rise, "brief_rise": unrest.brief_rise, "climb": unrest.climb,
        "lr": peak_at_fault(signals),
    }  # fmt: skip
    chance = judge_rate(signals).too_high
    numbers |= {"chance": chance, "shock": unrest.shock, "first_fall": unrest.first_fall}
    numbers["opening_peak"] = unrest.first + unrest.peak * unrest.scale if math.isfinite(unrest.peak) else None
    if not is_too_high(signals):
        return check.passed(
            f"The loss climbs back by {percent(max(unrest.climb, 0.0))} of its fall at most; runs like it "
            f"are {chance:.0%} likely to have a rate that is too high.", numbers,
        )  # fmt: skip
    message, step = why_too_high(signals, unrest)
    lower, peak = advise_lower(signals), peak_at_fault(signals)
    there = float(signals.loss[int(np.searchsorted(signals.step, step))])
    numbers |= {"step": step, "loss": there, **lower.suggested(peak)}
    warm = f"warm up over {warmup_of(signals)}"
    if peak is None:
        return check.found(message, numbers, f"Lower the rate {lower.told()}, and {warm}.")
    return check.found(
        message, numbers,
        f"The peak of {rate(peak)} is {lower.times()} too high: try {lower.of(peak)}, and {warm}.",
    )  # fmt: skip


def is_still(signals: Signals) -> bool:
    """Say whether the rate is logged and never above 0: no step changed anything."""
    return signals.rates is None and signals.log.lr is not None


def warmup_of(signals: Signals) -> str:
    """Return how long to warm up: "the first 40 steps", or "the first tenth of the run" where no count is known."""
    length = round(ADVISED_WARMUP * float(signals.step[-1] - signals.step[0]))
    if signals.unit == "row" or length <= 1:
        return "the first tenth of the run"
    return f"the first {plural(int(float(f'{length:.2g}')), signals.unit)}"


def is_too_high(signals: Signals) -> bool:
    """Say whether the rate was too high: likely from the whole curve, or plain and not unlikely.

    A log of noise alone, without the rate, does not tell that from a rate that is far too low.
    """
    judged, unrest = judge_rate(signals), read_unrest(signals)
    if signals.rates is None and unrest.is_only_noise:
        return False
    # A rate that fell too soon leaves the same marks as one that threw the run: what is likelier counts.
    if judged.too_high >= max(LIKELY, judged.too_early or 0.0):
        return True
    is_plain = judged.too_high >= max(NOT_UNLIKELY, judged.too_low)
    return is_plain and bool(_why(signals, unrest))


def why_too_high(signals: Signals, unrest: Unrest) -> tuple[str, float]:
    """Return the reason in words and the step."""
    reason = _why(signals, unrest)
    if reason is not None:
        return reason
    message = (
        f"The loss went {signals.came} as it does at rates that are too high: it climbs back by "
        f"{percent(max(unrest.climb, 0.0))} of its fall, and one in twenty of the points of its opening lies above "
        f"{number(unrest.first + unrest.peak * unrest.scale)}."
    )
    return message, float(signals.step[-1])


def _why(signals: Signals, unrest: Unrest) -> tuple[str, float] | None:
    """Return what threw the run back, and where, or None where nothing stands out."""
    level, edges = signals.blocks.level, signals.blocks.edges
    if unrest.level_rise > ABOVE_START + unrest.odd:
        worst = int(np.argmax(level[1:])) + 1
        highest, where = _highest(signals, slice(int(edges[worst]), int(edges[worst + 1])))
        return (
            f"The loss rises above its first value of {number(unrest.first)}, to {number(highest)} at "
            f"{signals.at_step(where)}."
        ), where
    thrown = _why_thrown(signals, unrest)
    if thrown is not None:
        return thrown
    if unrest.climb > CLIMBS:
        return (
            f"The loss climbs back by {percent(unrest.climb)} of its whole fall around "
            f"{signals.at_step(unrest.climb_step)}, far beyond the noise of its batches."
        ), signals.logged(unrest.climb_step)
    return None


def _highest(signals: Signals, points: slice) -> tuple[float, float]:
    """Return the highest of some points and its step, as logged."""
    highest = int(np.argmax(signals.loss[points]))
    return float(signals.loss[points][highest]), float(signals.step[points][highest])


def _why_thrown(signals: Signals, unrest: Unrest) -> tuple[str, float] | None:
    """Return how the first steps threw the loss, and where."""
    begins, first = float(signals.step[0]), unrest.first
    if unrest.brief_rise > DOUBLED:
        brief = int(np.searchsorted(signals.step, unrest.brief_step))
        highest, where = _highest(signals, slice(max(brief - MEDIAN_OF // 2, 0), brief + MEDIAN_OF // 2 + 1))
        return (
            f"The loss leaps from {number(first)} to {number(highest)} at {signals.at_step(where)} before it falls."
        ), where
    if unrest.peak > LEAPS:
        highest = first + unrest.peak * unrest.scale
        return (
            f"The loss begins at {number(first)}, and one in twenty of the points after it lies above "
            f"{number(highest)}."
        ), begins
    if unrest.shock > SHOCKS:
        return (
            f"The first steps throw the loss from {number(first)} to {number(unrest.shock)} times what is usual."
        ), float(signals.step[1])
    if unrest.first_fall > FIRST_FALL:
        return (
            f"The first point, {number(first)}, is {number(unrest.first_fall)} times those after it: the first steps "
            "threw the loss before anything was logged."
        ), begins
    return None


# A leap of the first steps, five on average, of this share of the first loss is no noise of a batch.
LEAP = 0.2
# Standard deviations of the points after them that it must be besides: the first loss may be low by chance.
LEAP_CLEAR = 2.0
# Scores from which a warm-up is called missing where the loss leaps, and where it leaps beyond four times its first
# value. One in a hundred of the pool's sound runs passes, and of those that a warm-up alone would have saved two in
# five, most of those that leap at all.
COLD_LIKELY = 0.85
FAR_LEAP, COLD_FAR = 3.0, 0.5


def short_warmup(check: Check, signals: Signals) -> Finding:
    """LR207: the run began at full rate, and a warm-up alone would have brought it further."""
    if signals.n_points < SHORT:
        return check.not_applicable(signals.too_few(SHORT, what="the first steps need"))
    if is_still(signals):
        return check.not_applicable(STILL)
    unrest, rates = read_unrest(signals), signals.rates
    leap = unrest.hump - 1
    warmup = 0.0 if rates is None or not rates.has_warmup else rates.peak_share
    chance = judge_rate(signals).cold
    numbers: dict[str, float | int | str | None] = {
        "first": unrest.first, "after": unrest.first * unrest.hump, "end": signals.last, "leap": leap,
        "step": float(signals.step[1]), "warmup_share": warmup, "chance": chance,
    }  # fmt: skip
    if warmup > SHORT_WARMUP:
        return check.passed(f"The rate warms up over {warmup:.0%} of the run.", numbers)
    if leap <= LEAP + LEAP_CLEAR * unrest.hump_noise or unrest.is_only_noise:
        return check.passed("The first steps are calm: the loss stays near its first value, or falls.", numbers)
    if chance < (COLD_FAR if leap > FAR_LEAP else COLD_LIKELY):
        return check.passed(
            f"The loss leaps in the first steps, by {percent(leap)}, and goes on like those that need no warm-up.",
            numbers,
        )
    has = (
        "If the rate does not warm up, it should:" if rates is None
        else "The run has no warm-up, and" if not warmup
        else f"The run warms up over {warmup:.1%} of its length, and"
    )  # fmt: skip
    message = (
        f"{has} the loss leaps from {number(unrest.first)} to {number(unrest.first * unrest.hump)}, the mean of the "
        f"next five points, and ends at {number(signals.last)}; runs like it reach more with a warm-up."
    )
    to = "" if rates is None else f" from 0 to {rate(sound_peak(signals, rates.peak))}"
    return check.found(message, numbers, f"Warm up linearly{to} over {warmup_of(signals)}.")
