"""A rate that is too low, and a run that learns nothing: LR203, LR214."""

from __future__ import annotations

import math

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.heldout import find_overfit
from lrfind.checks.training_log.judgement import Advice, advise, judge_rate
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.smooth import Trend, fit_line
from lrfind.checks.training_log.too_high import advise_lower, has_diverged, is_too_high
from lrfind.text import number, percent, rate

# Share of the run's time, the sum of its rates, over which its late pace is judged: the first part, where any rate
# that learns falls fast, is left out.
LATE_FROM = 0.4
# Fewer blocks show no pace.
FEWEST = 8
# A slope this many standard errors below 0 is a fall; many, since neighbouring blocks are not independent.
CLEAR = 6.0
# Share of the whole fall that a further e-fold of time still brings. An exponential that has run for four of its time
# constants, or the inverse of time after a run of ten, would bring about 0.08; measured on runs of other data and nets
# than those it was chosen on, three sound runs in four bring less, and two in three of those at rates ten times too low
# bring more.
UNFINISHED = 0.14
# E-folds of time that a run twice as long adds.
TWICE = math.log(2)
# A fall of this share of the start that noise could hide leaves open whether anything was learned.
HIDDEN = 0.1
# A fall of less than this share of the loss at the start, all of it at the beginning, is that of the output's bias
# alone: the classes' frequencies, or the target's mean, are learned, and nothing else.
BARELY = 0.1
# A slope this many standard errors below 0 still moves: to call a run dead takes more than doubt.
MOVES = 3.0
# A rate below which hardly a small net trains well, with any optimiser: one sound run in 70 of the pool. A loss that
# stands still at such a rate waits for a higher one; at others units may be dead as well (LR214).
FEEBLE = 1e-3
# Share of the run after which a run that learns nothing stands still.
STANDS_FROM = 0.3
# Chance from which a rate is called too low: even odds. Of the runs of the pool that were not at fault, with their kind
# of data kept out of the fit, one in twenty passed it, one in forty where held-out losses were logged (`make
# rate-weights` prints it).
LIKELY = 0.5
# A loss that came down by this share of its start, half of that by this share of the run's time, and clearly falls on
# by less than this share of its fall per e-fold is on the tail of a power law, as those of language models are from
# early on (Kaplan et al. 2020, arXiv:2001.08361). Of the pool's runs on such a tail one in 15 had too low a rate.
TAIL_FALL, TAIL_HALF, TAIL_PACE = 0.3, 0.1, 0.08
# Chance from which a decay is called early: even odds. Of the runs that decayed as early and did well, or were too slow
# anyway, or too fast, one in fifteen passed it.
EARLY_LIKELY = 0.5


def late_pace(signals: Signals) -> Trend:
    """Return the late change of the loss per e-fold of time.

    Time is the sum of the rates, so k times the rate is read as k times the run: as long as a rate is too low, the
    loss follows the same course, stretched (gradient flow). A course that is nearly over changes little per e-fold,
    whether it goes as an exponential or as a power of time; one that has just begun loses its whole fall per e-fold.
    """
    time = signals.time - signals.time[0]
    # The middle of the first block is half a block after the beginning.
    time = time + (time[1] / 2 if len(time) > 1 else 1.0)
    late = (time >= LATE_FROM * time[-1]) & (time > 0)
    if late.sum() < FEWEST:
        late = np.arange(len(time)) >= len(time) - FEWEST
        late &= time > 0
    return fit_line(np.log(time[late]), signals.blocks.level[late])


def unfinished(signals: Signals, *, clear: float = CLEAR) -> float:
    """Return the share of the whole fall that a further e-fold of time would bring, 0 where that is not clear."""
    pace = late_pace(signals)
    if signals.span <= 0 or pace.z > -clear:
        return 0.0
    # Losses that are positive end at 0: no more than what is left of one can still fall.
    left = signals.end if signals.end > 0 else math.inf
    return min(-pace.slope, left) / signals.span


def half_done(signals: Signals) -> tuple[float, float]:
    """Return the step by which half of the fall is done, and the share of the run's time, the sum of its rates."""
    time = signals.time - signals.time[0]
    done = int(np.argmax(signals.fit <= (signals.start + signals.end) / 2))
    step = signals.logged(float(signals.blocks.step[done]))
    if time[-1] <= 0:
        return step, 1.0
    # The middle of the first block is half a block after the beginning.
    return step, float((time[done] + time[1] / 2) / (time[-1] + time[1] / 2))


def is_standing(signals: Signals) -> bool:
    """Say whether the loss stands still, but for noise, near where it began."""
    level, error = signals.blocks.level, signals.blocks.error
    late = signals.share >= STANDS_FROM
    if late.sum() < FEWEST:
        return False
    trend = fit_line(signals.share[late], level[late])
    fall = -trend.slope * (1 - STANDS_FROM)
    moves = -trend.z > MOVES and fall > float(np.median(error[late]))
    # The first steps of a rate that is far too high may lift the start.
    start = min(signals.start, max(float(signals.loss[0]), signals.end)) if is_too_high(signals) else signals.start
    whole = start - signals.end
    scale = max(abs(signals.start), abs(float(level[0])))
    noise = math.hypot(float(error[0]), float(error[-1]))
    # Noise as large as that hides a fall; it proves none that is missing.
    return not moves and abs(whole) < BARELY * scale + min(noise, BARELY * scale)


def too_low(check: Check, signals: Signals) -> Finding:
    """LR203: the loss is still falling steadily at the end."""
    if len(signals.blocks) < FEWEST:
        return check.not_applicable(signals.too_few(FEWEST, what="a pace needs"))
    pace = unfinished(signals)
    chance, (half, half_time) = judge_rate(signals).too_low, half_done(signals)
    numbers: dict[str, float | int | str | None] = {
        "fall_per_efold": pace, "half_time": half_time, "fall": signals.start - signals.end,
        "chance": chance, "more": TWICE * pace,
    }  # fmt: skip
    rates = signals.rates
    stands = is_standing(signals)
    if has_diverged(signals) or signals.end > signals.start or (stands and (rates is None or rates.peak >= FEEBLE)):
        why = "diverged (LR201)" if has_diverged(signals) else "is not falling at the end"
        return check.passed(f"The loss {why}.", numbers)
    if chance < LIKELY or is_on_tail(signals):
        more = f"{percent(TWICE * pace)} of the fall" if pace > 0 else "nothing that stands out of the noise"
        sooner = f"half of it came by {signals.at_step(half)}"
        return check.passed(
            f"The rate is high enough: a run twice as long would bring {more}, {sooner}, and runs like "
            f"it are {chance:.0%} likely to have a rate that is too low.", numbers,
        )  # fmt: skip
    if rates is not None and is_cut_short(signals):
        return check.passed("The loss stopped falling because the rate had decayed (LR205).", numbers)
    if is_too_high(signals):
        return check.passed("The loss is falling because the rate, which was too high, came down (LR202).", numbers)
    higher, step = advise(signals, up=True), float(signals.step[-1])
    numbers |= {"step": step, "lr": rates.peak if rates else None,
                **higher.suggested(rates.peak if rates else None)}  # fmt: skip
    message = _why_too_low(signals, pace=pace, stands=stands, chance=chance)
    return check.found(message, numbers, _raise(signals, higher))


def _why_too_low(signals: Signals, *, pace: float, stands: bool, chance: float) -> str:
    came, half = signals.came, signals.at_step(half_done(signals)[0])
    if stands:
        return f"The loss hardly moved, {came}, at a rate that few nets learn at."
    if pace > 0:
        return (
            f"The loss is still falling at the end ({signals.at_step(float(signals.step[-1]))}): {came}, half of it by "
            f"{half}; a run twice as long would bring {percent(TWICE * pace)} of that fall again."
        )
    return f"The loss came down {came}, half of it by {half}; {chance:.0%} of the runs like it had too low a rate."


def _raise(signals: Signals, higher: Advice) -> str:
    turn, rates = find_overfit(signals), signals.rates
    # Where the held-out loss turned up, longer training is no way out.
    longer = "" if turn is not None else f", or train {number(min(higher.factor, 10), digits=2)} times as long"
    stop = (
        ""
        if turn is None
        else f" Stop where the held-out loss turns up (LR211): at a higher rate that comes before "
        f"{signals.at_step(turn.step)}."
    )
    if rates is None:
        return f"Raise the rate {higher.told()}{longer}.{stop}"
    return f"The peak of {rate(rates.peak)} is {higher.times()} too low: try {higher.of(rates.peak)}.{stop}"


def hidden_fall(signals: Signals) -> float:
    """Return twice the standard error of the first third of the points against the last, in units of the loss."""
    return 2 * float(np.median(signals.blocks.noise)) * math.sqrt(2 / max(signals.n_points / 3, 1))


def _why_else(signals: Signals, *, noise: float) -> str:
    """Return why a loss that stands still is no sign that nothing is learned; nothing where it is."""
    if is_cut_short(signals):
        return "The loss stands still because the rate had decayed (LR205)."
    hidden = hidden_fall(signals)
    if hidden <= HIDDEN * abs(signals.start):
        return ""
    return f"Points scatter by {number(noise, digits=2)}, which a fall of {number(hidden, digits=2)} could hide in."


def not_learning(check: Check, signals: Signals) -> Finding:
    """LR214: the loss does not move from where it began."""
    if len(signals.blocks) < FEWEST:
        return check.not_applicable(signals.too_few(FEWEST))
    noise = float(np.median(signals.blocks.noise))
    numbers: dict[str, float | int | str | None] = {
        "start": signals.first, "end": signals.last, "noise": noise, "level_start": signals.start,
        "level_end": signals.end,
    }  # fmt: skip
    if has_diverged(signals) or not is_standing(signals):
        moved = "diverged (LR201)" if has_diverged(signals) else f"moved {signals.came}"
        return check.passed(f"The loss {moved}.", numbers)
    if other := _why_else(signals, noise=noise):
        return check.passed(other, numbers)
    since = signals.logged(float(signals.blocks.step[int(np.argmax(signals.share >= STANDS_FROM))]))
    rates = signals.rates
    numbers |= {"step": since, "lr": rates.peak if rates else None}
    message = (
        f"The loss began at {number(signals.first)} and ended at {number(signals.last)}; from {signals.at_step(since)} "
        f"on it does not move beyond its noise ({number(noise, digits=2)})."
    )
    if rates is None and signals.log.lr is not None:
        return check.found(message, numbers, "The logged rate is 0 throughout: set one, such as 0.001 for Adam.")
    thrown = is_too_high(signals)
    change = advise_lower(signals) if thrown else advise(signals, up=True)
    numbers |= change.suggested(rates.peak if rates else None)
    shown = f"try {change.of(rates.peak)}" if rates else f"{'lower' if thrown else 'raise'} the rate {change.told()}"
    if thrown:
        return check.found(message, numbers, f"The first steps were too large (LR202) and left it there: {shown}.")
    advice = (
        "Look at the gradient norm of each layer (dead or saturated units show 0) and whether 20 rows alone can be "
        f"learned by heart; if gradients reach the first layer, {shown}."
    )
    return check.found(message, numbers, advice)


def is_on_tail(signals: Signals) -> bool:
    """Say whether the loss did most of its fall at once and goes on as a power of time, as at any sound rate."""
    fell = signals.start - signals.end >= TAIL_FALL * abs(signals.start)
    return fell and half_done(signals)[1] < TAIL_HALF and 0 < unfinished(signals) < TAIL_PACE


def is_too_low(signals: Signals) -> bool:
    """Say whether the rate is likely to be too low."""
    likely = judge_rate(signals).too_low >= LIKELY and not is_on_tail(signals)
    return likely and not (is_cut_short(signals) or is_too_high(signals) or has_diverged(signals))


def is_cut_short(signals: Signals) -> bool:
    """Say whether the rate is likely to have decayed too early."""
    chance = judge_rate(signals).too_early
    return chance is not None and chance >= EARLY_LIKELY
