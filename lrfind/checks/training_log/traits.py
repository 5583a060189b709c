"""What a loss curve looks like, in some thirty numbers that know no unit of the loss: `read_traits(signals)`.

The rate's judgement (`judgement.py`) weighs them. Most are decimal logarithms, clipped, so that one extreme log does
not outweigh all else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from lrfind.checks.training_log.rates import Rates
from lrfind.checks.training_log.signals import SHORT, Signals
from lrfind.checks.training_log.smooth import Floats, Trend, falling_fit, fit_line
from lrfind.checks.training_log.unrest import Unrest, read_unrest
from lrfind.checks.training_log.val_traits import read_val_traits
from lrfind.logs import Optimizer

# A fall of less than this share of the start is not taken for one: everything else would be large against it.
FALL = 0.02
# A loss that falls below 0 is lifted until its lowest is this share of its fall.
FLOOR = 0.1
# Share of the run's time over which the late pace is judged, and the fewest blocks it takes.
LATE_FROM, FEWEST = 0.4, 8
# Each window of the curve's beginning is as much longer than the one before: fine where a rate that is high enough
# does most of its work.
LONGER = 1.35
# Rates that the runs of the pool were trained at, as a rule; beyond, the rate itself says no more.
LEAST_RATE, MOST_RATE = 1e-3, 30.0
# Decimal logarithms of each optimizer's usual rate: half of the pool's runs did best above it (`make rate-weights`
# prints them). Where it is not told whether there was momentum, between the two.
USUAL: Mapping[Optimizer, float] = {
    "plain sgd": -0.53, "momentum": -1.36, "sgd": -0.95, "adam": -1.80, "radam": -1.00, "rmsprop": -2.19,
    "adagrad": -1.13, "lion": -2.67,
}  # fmt: skip
# Steps that a run is taken to have where its log counts epochs or rows: the middle of the pool's runs.
UNKNOWN_LENGTH = 400.0
# A fall that was not reached in the run is drawn on from its end at the same pace, this many times the run at most.
DRAWN_ON = 300.0
# A trend is a fall of this many standard errors at most; a logarithm's largest size.
MOST_ERRORS = 1e3
# Share of the run's time from which the pace of its middle is judged, until the late one, and the fewest blocks.
MIDDLE_FROM, FEWEST_MIDDLE = 0.08, 4
# Quantile of the bends from point to point that stands for the largest.
LARGEST = 0.98
# A fall of the logarithm of less than this is not taken for one.
LOG_FALL = 0.05
# Levels below this share of the start are not told apart: logs are rounded.
LEAST_LEVEL = 1e-4
# Shares of the run: its beginning, its quarter, and where its last part starts.
BEGINNING, QUARTER, LAST_PART = 0.1, 0.25, 0.6


def read_traits(signals: Signals) -> Mapping[str, float]:
    """Return the traits of a loss curve.

    Parameters
    ----------
    signals : Signals

    Returns
    -------
    mapping of str to float
        All finite; "rate", "log_rate" and those of the schedule only where the learning rate is known, "against_usual"
        where the optimizer is as well, those of the held-out loss only where it is.
    """
    of_val, signals = read_val_traits(signals), _lifted(signals)
    unrest = read_unrest(signals)
    scale = max(signals.span, FALL * abs(signals.start), 1e-300)
    crossing = _crossing(signals)
    has_steps = signals.unit == "step"
    length = math.log10(max(float(signals.step[-1] - signals.step[0]) + _spacing(signals), 1.0))
    length = length if has_steps else math.log10(UNKNOWN_LENGTH)
    traits = {
        "length": length,
        "tenth_after": length + _log(crossing(0.1), within=(1e-4, DRAWN_ON)),
        "half_share": _log(crossing(0.5), within=(1e-4, DRAWN_ON)),
        **_fall(signals, scale=scale),
        **_logarithmic(signals),
        **_paces(signals, scale=scale),
        **_scatter(signals),
        **_thrown(unrest),
        **of_val,
    }
    if signals.rates is not None:
        peak = signals.rates.peak
        traits |= traits_of_rate(peak, optimizer=signals.log.optimizer)
        traits |= _schedule(signals.rates, step=signals.step)
        traits["decay_drop"] = _decay_drop(signals, signals.rates)
    return traits


def traits_of_rate(lr: float, *, optimizer: Optimizer | None) -> dict[str, float]:
    """Return the traits of a rate: its logarithm, that within what is usual at all, and above what its optimizer wants.

    Parameters
    ----------
    lr : float
        The highest of a run.
    optimizer : str or None
        As in `TrainingLog`.

    Returns
    -------
    dict of str to float
        "rate", "log_rate" and, where the optimizer is known, "against_usual".
    """
    traits = {"rate": _log(lr, within=(LEAST_RATE, MOST_RATE)), "log_rate": _log(lr, within=(1e-9, 1e3))}
    return traits if optimizer is None else {**traits, "against_usual": traits["log_rate"] - USUAL[optimizer]}


def _lifted(signals: Signals) -> Signals:
    """Return the same curve above 0: of a loss that has no floor there, only what it fell by is known."""
    lowest = min(signals.start, signals.end, signals.best)
    if lowest >= 0:
        return signals
    lift = FLOOR * max(signals.start - lowest, FALL * abs(signals.start)) - lowest
    return replace(
        signals, loss=signals.loss + lift, blocks=replace(signals.blocks, level=signals.blocks.level + lift),
        fit=signals.fit + lift, start=signals.start + lift, end=signals.end + lift, best=signals.best + lift,
    )  # fmt: skip


def _log(value: float, *, within: tuple[float, float]) -> float:
    low, high = within
    return math.log10(low if math.isnan(value) else min(max(value, low), high))


def _spacing(signals: Signals) -> float:
    return float(signals.step[1] - signals.step[0]) if signals.n_points > 1 else 1.0


def _shares(signals: Signals) -> Floats:
    """Return the share of the run's time, the sum of its rates, at each block."""
    time = signals.time - signals.time[0]
    # The middle of the first block is half a block after the beginning.
    time = time + (time[1] / 2 if len(time) > 1 else 1.0)
    return np.asarray(time / time[-1]) if time[-1] > 0 else np.linspace(0, 1, len(time))


def _fall(signals: Signals, *, scale: float) -> dict[str, float]:
    """Return how far the loss came down, and when."""
    start, end, shares = signals.start, signals.end, _shares(signals)
    known = start > 0 and end > 0
    goal = start - 0.9 * signals.span
    done = int(np.argmax(signals.fit <= goal)) if (signals.fit <= goal).any() else len(shares) - 1
    at = shares[done]
    if done and signals.fit[done - 1] > signals.fit[done]:
        part = (signals.fit[done - 1] - goal) / (signals.fit[done - 1] - signals.fit[done])
        at = shares[done - 1] + part * (shares[done] - shares[done - 1])
    fit, run = falling_fit(signals.blocks.level), signals.share
    middle = float(np.interp(0.3, run, fit) - np.interp(0.6, run, fit))
    return {
        "fallen": min(max((start - end) / max(abs(start), 1e-300), -1.0), 1.0),
        "down": _log(start / end, within=(0.1, 1e3)) if known else 3.0,
        "most_after": _log(float(at), within=(1e-3, 1.0)),
        "middle_fall": _log(middle / scale, within=(1e-3, 1.0)),
    }


def _schedule(rates: Rates, *, step: Floats) -> dict[str, float]:
    """Return how much of its peak the rate kept, and until when."""
    spacing = np.diff(step, prepend=step[0] - (step[1] - step[0] if len(step) > 1 else 1.0))
    held = float((spacing * rates.at).sum() / (spacing.sum() * rates.peak))
    return {
        "held": _log(held, within=(1e-3, 1.0)),
        "decayed_at": 1.0 if rates.decayed_at is None else rates.decayed_at,
    }


def _decay_drop(signals: Signals, rates: Rates) -> float:
    """Return how far the loss came down since the rate was last high."""
    last = int(np.flatnonzero(rates.is_high)[-1])
    if last == signals.n_points - 1:
        return 0.0
    before = float(signals.loss[max(last - signals.n_points // 20 - 2, 0) : last + 1].mean())
    return _log(before / signals.end, within=(0.3, 30.0)) if before > 0 and signals.end > 0 else 0.0


def _logarithmic(signals: Signals) -> dict[str, float]:
    """Return which share of its logarithm's fall came in the beginning, and how far that fell in the middle."""
    level = np.maximum(signals.blocks.level, max(LEAST_LEVEL * signals.start, 1e-300))
    fit, run = np.log(falling_fit(level)), signals.share
    whole = max(float(fit[0] - fit[-1]), LOG_FALL)
    first, quarter, late = (float(np.interp(at, run, fit)) for at in (BEGINNING, QUARTER, LAST_PART))
    return {"first_share": (float(fit[0]) - first) / whole, "later_fall": quarter - late}


def _paces(signals: Signals, *, scale: float) -> dict[str, float]:
    """Return how clearly the loss still falls, and how fast against its level and its fall, in the middle and late."""
    shares, level = _shares(signals), signals.blocks.level
    late, middle = shares >= LATE_FROM, (shares >= MIDDLE_FROM) & (shares < LATE_FROM)
    if late.sum() < FEWEST // 2:
        late = np.arange(len(shares)) >= len(shares) - FEWEST
    # By way of the level's size: squares of a diverging loss overflow.
    against = max(abs(signals.end), 1e-3 * abs(signals.start), 1e-3 * float(np.abs(level).max()), 1e-300)
    trend: Trend = fit_line(np.log(shares[late]), level[late] / against)
    before = fit_line(np.log(shares[middle]), level[middle] / against).slope if middle.sum() >= FEWEST_MIDDLE else 0.0
    return {
        "still_falling": math.asinh(max(min(-trend.z, MOST_ERRORS), -MOST_ERRORS)),
        "late_share": min(max(-trend.slope * against / scale, -1.0), 1.0),
        "middle_pace": min(max(-before, -2.0), 3.0),
    }


def _scatter(signals: Signals) -> dict[str, float]:
    """Return how single points scatter: the tails, and the late size against the loss itself."""
    blocks, top = signals.blocks, max(float(np.abs(signals.loss).max()), 1e-300)
    loss, half = signals.loss / top, len(blocks) // 2
    # The first bends are those of the fall.
    loss = loss[max(int(BEGINNING * len(loss)), 1) :] if len(loss) > FEWEST else loss
    level, noise = np.abs(blocks.level[half:] / top), blocks.noise[half:] / top
    return {
        "spikes": _tail(np.abs(loss[:-2] - 2 * loss[1:-1] + loss[2:])),
        "own_noise": _log(float(np.median(noise / np.maximum(level, 1e-12))), within=(1e-4, 10.0)),
    }


def _tail(bends: Floats) -> float:
    usual = float(np.median(bends)) if len(bends) else 0.0
    return _log(float(np.quantile(bends, LARGEST)) / usual, within=(1.0, 1e3)) if usual > 0 else 0.0


def _thrown(unrest: Unrest) -> dict[str, float]:
    """Return how far the run was thrown back."""
    return {
        "climb": _log(unrest.climb, within=(1e-3, 1e3)),
        "rise": _log(unrest.level_rise, within=(1e-3, 1e4)),
        "brief_rise": _log(unrest.brief_rise, within=(1e-3, 1e4)),
        "peak": _log(unrest.peak, within=(1e-2, 1e4)),
        "shock": _log(unrest.shock, within=(0.1, 1e4)),
        "first_fall": _log(unrest.first_fall, within=(0.5, 1e4)),
        "hump": _log(unrest.hump, within=(0.1, 1e4)),
    }


def _crossing(signals: Signals) -> Callable[[float], float]:
    """Return a function from a share of the starting loss to the share of the run's time after which it was lost."""
    loss, rates = signals.loss, signals.rates
    edges = [0]
    width = 1.0
    while edges[-1] < len(loss):
        edges.append(min(len(loss), edges[-1] + int(width)))
        width *= LONGER
    pieces = list(pairwise(edges))
    level = falling_fit(np.array([float(np.median(loss[a:b])) for a, b in pieces]))
    spacing = np.diff(signals.step, prepend=signals.step[0] - _spacing(signals))
    passed = spacing * (rates.at / rates.peak if rates is not None else 1.0)
    time = np.cumsum(passed)
    # The first point's loss is that of the middle of its interval.
    middle = np.array([time[(a + b - 1) // 2] - (passed[a] / 2 if b - a == 1 else 0.0) for a, b in pieces])
    start = max(float(loss[0]), float(level[0])) if len(loss) < SHORT else signals.start

    def crossing(share: float) -> float:
        drop = share * abs(start)
        goal = start - drop
        if not (level <= goal).any():
            return min(drop / max(start - float(level[-1]), 1e-3 * drop, 1e-300), DRAWN_ON)
        at = int(np.argmax(level <= goal))
        if at == 0:
            return float(middle[0] / 2 / max(time[-1], 1e-300))
        part = (level[at - 1] - goal) / max(level[at - 1] - level[at], 1e-300)
        return float((middle[at - 1] + part * (middle[at] - middle[at - 1])) / max(time[-1], 1e-300))

    return crossing
