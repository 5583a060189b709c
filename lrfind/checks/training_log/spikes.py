"""Single events in the loss: LR208."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.smooth import NORMAL_MEDIAN, Floats
from lrfind.checks.training_log.too_high import has_diverged, is_too_high
from lrfind.checks.training_log.too_low import is_cut_short, is_too_low
from lrfind.text import number, plural, rate

# Points on either side that say what is usual at a place; an event of fewer than half as many stands out.
BESIDE = 12
# Neighbourhoods whose median is taken; a million would take seconds.
MOST_WINDOWS = 50_000
# Fewer points than these have no usual.
FEWEST = 40
# Share of the run at its start that belongs to the warm-up (LR207), not to spikes; in a short log these first points,
# an eighth of it at most.
OPENING, OPENING_POINTS, OPENING_MOST = 0.05, 8, 8
# Robust standard deviations a point must stand above its neighbours: a normal one does so once in 1e23. Losses of
# batches may have heavy tails, and then one point in twenty stands far out already: a spike stands out this many times
# further still.
STANDS_OUT, TAIL_QUANTILE, BEYOND_TAIL = 10.0, 0.95, 8.0
# The same on a logarithmic scale, where the skewed losses of small batches are nearly normal.
STANDS_OUT_OF_LOG = 5.0
# Share of the fall that a spike must undo to be worth a word.
WORTH = 0.15
# A run that was thrown off its course takes some points to come back. One odd batch (rows that are hard, say) is over
# at once, and is worth a word only above where the run began: there no batch lies for being hard alone.
LASTS, WORTH_ALONE = 3, 1.0
# A fall of less than this share of the start is not taken for one.
FALL = 0.1
# Points beside one another, or with so many between, belong to one event.
SAME_EVENT = 5


def spikes(check: Check, signals: Signals) -> Finding:
    """LR208: the loss jumps up and comes back."""
    if signals.n_points < FEWEST:
        return check.not_applicable(signals.too_few(FEWEST, what="spikes need"))
    events = find_events(signals)
    numbers: dict[str, float | int | str | None] = {"spikes": len(events)}
    if not events:
        return check.passed(f"No spike among {plural(signals.n_points, 'point')}.", numbers)
    tallest = max(events, key=lambda point: float(signals.loss[point]))
    loss, usual = float(signals.loss[tallest]), float(neighbours(signals.loss)[tallest])
    where = signals.at_step(float(signals.step[tallest]))
    lr = signals.rate_at(float(signals.step[tallest]))
    numbers |= {"step": float(signals.step[tallest]), "loss": loss, "usual": usual, "lr": lr}
    times = (
        "once"
        if len(events) == 1
        else f"{len(events)} times (first at {signals.at_step(float(signals.step[events[0]]))})"
    )
    message = f"The loss jumps {times}, furthest at {where}: {number(loss)}, where {number(usual)} was usual."
    # Where another finding says what to do about the rate, that counts.
    is_judged = has_diverged(signals) or is_too_high(signals) or is_too_low(signals) or is_cut_short(signals)
    lower = f", or lower the peak rate by a third to {rate(lr * 2 / 3)}" if lr and not is_judged else ""
    advice = f"Look at the batch at {where}; clip the gradient's norm at 1.0{lower}."
    return check.found(message, numbers, advice)


def neighbours(values: Floats) -> Floats:
    """Return the median of each point's neighbourhood, shape (n_points,)."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, BESIDE, mode="edge"), 2 * BESIDE + 1)
    # In a long log neighbourhoods overlap in all but a few points: every so many are enough.
    every = max(len(values) // MOST_WINDOWS, 1)
    places = np.arange(0, len(values), min(every, BESIDE))
    return np.asarray(np.interp(np.arange(len(values)), places, np.median(windows[places], axis=1)))


def heights(values: Floats) -> Floats:
    """Return how far each point stands above its neighbours, in robust standard deviations of their scatter."""
    middle = neighbours(values)
    scatter = neighbours(np.abs(values - middle)) / NORMAL_MEDIAN
    # A scatter that is 0 for a stretch, as of a rounded loss, is taken from the rest of the run.
    floor = max(float(np.median(scatter)) / 4, math.ulp(float(np.abs(values).max())))
    return np.asarray((values - middle) / np.maximum(scatter, floor))


def stands_out(loss: Floats) -> npt.NDArray[np.bool_]:
    """Return which points stand out of their neighbours, of the tail of all points, and of their logarithms."""
    above = heights(loss)
    out = above > max(STANDS_OUT, BEYOND_TAIL * float(np.quantile(above, TAIL_QUANTILE)))
    return out & (heights(np.log(loss)) > STANDS_OUT_OF_LOG) if (loss > 0).all() else out


def find_events(signals: Signals) -> list[int]:
    """Return the highest point of each event, in order."""
    height = (signals.loss - neighbours(signals.loss)) / max(signals.span, FALL * abs(signals.start), 1e-300)
    is_high = stands_out(signals.loss) & (height > WORTH)
    is_high[: max(int(OPENING * signals.n_points), min(OPENING_POINTS, signals.n_points // OPENING_MOST), 1)] = False
    points = np.flatnonzero(is_high)
    if not len(points):
        return []
    groups = np.split(points, np.flatnonzero(np.diff(points) > SAME_EVENT) + 1)
    tops = [int(group[np.argmax(signals.loss[group])]) for group in groups]
    return [top for top in tops if height[top] > WORTH_ALONE or (height[top : top + LASTS] > WORTH / 2).all()]
