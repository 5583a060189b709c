"""When the rate decayed, and whether that was the moment: LR204, LR205, LR206."""

from __future__ import annotations

import math

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.heldout import find_overfit
from lrfind.checks.training_log.judgement import LATE_FROM, judge_rate
from lrfind.checks.training_log.rates import Rates
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.smooth import fit_line
from lrfind.checks.training_log.too_high import has_diverged, is_too_high, sound_peak
from lrfind.checks.training_log.too_low import (
    FEWEST,
    TWICE,
    UNFINISHED,
    is_cut_short,
    is_standing,
    is_too_low,
    unfinished,
)
from lrfind.text import number, percent, rate

# Share of the run that is looked at for a plateau.
PLATEAU = 0.4
# Standard errors a slope must differ from 0.
CLEAR = 2.5
# Chance from which a decay is called late, or missing. A run that does well without one is none the worse for the
# advice, so less than even odds will do; one in eight of them passed it (`make rate-weights` prints it).
LATE_LIKELY = 0.4
# Share of the fall, and of the level before, that the loss must drop at a late decay to show that it waited for it.
WORTH, WORTH_OF_LEVEL = 0.03, 0.2
# A plateau's scatter from step to step, as a share of the fall: less is no noise that a lower rate would average out.
NOISY = 0.01


def plateau(check: Check, signals: Signals) -> Finding:
    """LR204: the loss has stopped falling at a rate that could still be lowered."""
    if len(signals.blocks) < FEWEST:
        return check.not_applicable(signals.too_few(FEWEST, what="a plateau needs"))
    if cannot_wait(signals):
        return check.passed(cannot_wait(signals), {})
    rates = signals.rates
    if rates is None:
        return check.not_applicable("There is no learning rate in the log: whether it could be lowered is not known.")
    start = plateau_start(signals)
    if start is None:
        return check.passed("The loss falls to the end, or rests on its floor.", {})
    if not rates.is_high[-1]:
        return check.passed(f"The rate has come down, to {rates.final / rates.peak:.0%} of its peak.", {})
    noise = _late_noise(signals)
    # Where the peak was too high (LR202), a tenth of what is to replace it.
    lower = rates.final / 10 * (sound_peak(signals, rates.peak) / rates.peak if is_too_high(signals) else 1.0)
    numbers: dict[str, float | int | str | None] = {
        "step": start, "level": signals.end, "end": signals.last, "noise": noise, "lr": rates.final,
        "lr_suggested": lower,
    }  # fmt: skip
    message = (
        f"Since {signals.at_step(start)} the loss scatters by {number(noise, digits=2)} about {signals.told_end} "
        "and falls no further."
    )
    turn = find_overfit(signals)
    since = "" if turn is None else f" from the weights of {signals.at_step(turn.step)} (LR211)"
    return check.found(
        message, numbers,
        f"If the run goes on{since}, lower the rate now, from {rate(rates.final)} to {rate(lower)}, or anneal it to 0 "
        "over as long as the loss has stood still.",
    )  # fmt: skip


def cannot_wait(signals: Signals) -> str:
    """Return why a loss does not wait for a lower rate, or an empty sentence."""
    if has_diverged(signals):
        return "The loss diverged, so the peak is what has to change (LR201)."
    if is_standing(signals) or signals.end >= signals.start:
        return "The loss never fell, so a lower rate would not help (LR214)."
    return "The rate is too low as it is (LR203)." if is_too_low(signals) else ""


def plateau_start(signals: Signals) -> float | None:
    """Return the step from which the loss only scatters, or None where it falls to the end."""
    share, level = signals.share, signals.blocks.level
    late = share >= 1 - PLATEAU
    if late.sum() < FEWEST or unfinished(signals) >= UNFINISHED:
        return None
    trend = fit_line(share[late], level[late])
    noise = float(np.median(signals.blocks.noise[late]))
    if -trend.z > CLEAR or noise < NOISY * max(signals.span, 0.0):
        return None
    # The first block that is as low as the plateau itself.
    low = float(level[late].mean()) + 2 * float(level[late].std())
    return signals.logged(float(signals.blocks.step[int(np.argmax(level <= low))]))


def too_early(check: Check, signals: Signals) -> Finding:
    """LR205: the rate fell while the loss was still falling fast, and the rest of the run stood still."""
    rates = signals.rates
    if rates is None:
        return check.not_applicable("There is no learning rate in the log.")
    if len(signals.blocks) < FEWEST:
        return check.not_applicable(signals.too_few(FEWEST))
    pace = unfinished(signals, clear=CLEAR)
    numbers: dict[str, float | int | str | None] = {
        "fall_per_efold": pace, "decayed_at": rates.decayed_at, "peak": rates.peak,
        "chance": judge_rate(signals).too_early,
    }  # fmt: skip
    if rates.decayed_at is None:
        return check.passed("The rate never fell below half of its peak.", numbers)
    where = signals.logged(float(signals.step[0] + rates.decayed_at * (signals.step[-1] - signals.step[0])))
    numbers["step"] = where
    if not is_cut_short(signals):
        return check.passed(f"The rate fell below half of its peak at {signals.at_step(where)}.", numbers)
    peak = sound_peak(signals, rates.peak)
    numbers |= {"lr_suggested": peak, "end": signals.last, "more": TWICE * pace}
    more = (
        f", and twice the training at these rates would bring {percent(TWICE * pace)} of the fall again"
        if pace > 0
        else ""
    )
    message = (
        f"The rate fell below half of its peak at {signals.at_step(where)}, after {rates.decayed_at:.0%} of the run, "
        f"while the loss was falling; it ended at {number(signals.last)}{more}."
    )
    return check.found(message, numbers, _stretch(signals, peak=peak, is_kept=peak == rates.peak))


def _stretch(signals: Signals, *, peak: float, is_kept: bool) -> str:
    keep = f"Keep the peak of {rate(peak)}" if is_kept else f"Take a peak of {rate(peak)} (LR202)"
    whole, half = _planned(signals)
    return f"{keep} and stretch the decay over {whole}: half of the peak at {half}."


def _planned(signals: Signals) -> tuple[str, str]:
    """Return which part of the run the next schedule is for, and its middle: all of it, or until the turn (LR211)."""
    turn = find_overfit(signals)
    last = float(signals.step[-1]) if turn is None else turn.step
    whole = "the whole run" if turn is None else f"the run up to {signals.at_step(turn.step)} (LR211)"
    return whole, signals.at_step(float(signals.step[0] + last) / 2)


def too_late(check: Check, signals: Signals) -> Finding:
    """LR206: the rate stayed high until the end, or almost, on a loss that had stopped falling."""
    rates = signals.rates
    if rates is None:
        return check.not_applicable("There is no learning rate in the log.")
    if len(signals.blocks) < FEWEST:
        return check.not_applicable(signals.too_few(FEWEST))
    numbers: dict[str, float | int | str | None] = {
        "decayed_at": rates.decayed_at,
        "peak": rates.peak,
        "final": rates.final,
        "chance": judge_rate(signals).too_late,
    }
    if rates.decayed_at is not None and rates.decayed_at <= LATE_FROM:
        return check.passed(f"The rate was below half of its peak from {rates.decayed_at:.0%} of the run on.", numbers)
    if cannot_wait(signals):
        return check.passed(cannot_wait(signals), numbers)
    found = None if rates.decayed_at is None else _late(signals, decayed_at=rates.decayed_at)
    found = found or _never(signals, rates, chance=judge_rate(signals).too_late or 0.0)
    if found is None:
        return check.passed("The rate stayed high, and the loss went on falling with it.", numbers)
    message, step = found
    whole, half = _planned(signals)
    # Where the rate was too high as well, LR202 says by how much.
    peak = sound_peak(signals, rates.peak)
    numbers |= {
        "step": step,
        "lr_suggested": peak,
        "end": signals.last,
        "level": signals.end,
        "noise": _late_noise(signals),
    }
    if rates.decayed_at is not None:
        numbers["level_before"] = _held(signals, decayed_at=rates.decayed_at)
    advice = (
        f"Next time, anneal from {rate(peak)} to 0 over the second half of {whole}, from {half} on, or use a cosine."
    )
    return check.found(message, numbers, advice)


def _never(signals: Signals, rates: Rates, *, chance: float) -> tuple[str, float] | None:
    start = plateau_start(signals) if rates.decayed_at is None else None
    until = "to the end" if rates.decayed_at is None else f"until {rates.decayed_at:.0%} of the run"
    stays = f"The rate stays at {rate(rates.peak)} {until}, while the loss"
    if start is not None:
        return f"{stays} only scatters about {signals.told_end} since {signals.at_step(start)}.", start
    if chance < LATE_LIKELY:
        return None
    scatter = _late_noise(signals)
    message = (
        f"{stays} scatters by {number(scatter, digits=2)} about {signals.told_end}; {chance:.0%} of the runs like "
        "it reached more with a decay."
    )
    return message, float(signals.step[-1])


def _late_noise(signals: Signals) -> float:
    return float(np.median(signals.blocks.noise[signals.share >= 1 - PLATEAU]))


def _late(signals: Signals, *, decayed_at: float) -> tuple[str, float] | None:
    level, error, share = signals.blocks.level, signals.blocks.error, signals.share
    before = (share < decayed_at) & (share >= decayed_at - PLATEAU / 2)
    held = _held(signals, decayed_at=decayed_at)
    if held is None:
        return None
    drop = held - signals.end
    noise = math.hypot(float(level[before].std()) / math.sqrt(int(before.sum())), float(error[-1]))
    if drop < CLEAR * noise or drop < WORTH * signals.span or drop < WORTH_OF_LEVEL * abs(held):
        return None
    where = signals.logged(float(signals.step[0] + decayed_at * (signals.step[-1] - signals.step[0])))
    message = (
        f"The loss waited about {number(held)} on average and fell to {signals.told_end} once the rate fell, at "
        f"{signals.at_step(where)}, after {decayed_at:.0%} of the run."
    )
    return message, where


def _held(signals: Signals, *, decayed_at: float) -> float | None:
    """Return the level before a late decay, or None where too few blocks tell it."""
    before = (signals.share < decayed_at) & (signals.share >= decayed_at - PLATEAU / 2)
    # A level and its scatter take three blocks.
    return float(signals.blocks.level[before].mean()) if before.sum() >= 3 else None  # noqa: PLR2004
