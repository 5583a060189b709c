"""Single events in the loss: LR208."""

from __future__ import annotations

import math

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.smooth import NORMAL_MEDIAN, Floats

# Points on either side that say what is usual at a place; an event of fewer than half as many stands out.
BESIDE = 12
# Fewer points than these have no usual.
FEWEST = 40
# Share of the run at its start that belongs to the warm-up (LR207), not to spikes.
OPENING = 0.03
# Robust standard deviations a point must stand above its neighbours: a normal one does so once in 1e15.
STANDS_OUT = 8.0
# Share of the fall that a spike must undo to be worth a word.
WORTH = 0.1
# Points beside one another, or with so many between, belong to one event.
SAME_EVENT = 5


def spikes(check: Check, signals: Signals) -> Finding:
    """LR208: the loss jumps up and comes back."""
    if signals.n_points < FEWEST:
        return check.not_applicable(f"The log has {signals.n_points} points; spikes need {FEWEST}.")
    above = heights(signals.loss)
    events = find_events(above, signals=signals)
    numbers: dict[str, float | int | str | None] = {"spikes": len(events), "highest": float(np.max(above))}
    if not events:
        return check.passed(f"No spike among {signals.n_points:,} points.", numbers)
    tallest = max(events, key=lambda point: float(signals.loss[point]))
    loss, usual = float(signals.loss[tallest]), float(neighbours(signals.loss)[tallest])
    where = signals.at_step(float(signals.step[tallest]))
    rate = signals.rate_at(float(signals.step[tallest]))
    numbers |= {"step": float(signals.step[tallest]), "loss": loss, "usual": usual, "lr": rate}
    times = (
        "once"
        if len(events) == 1
        else f"{len(events)} times (first at {signals.at_step(float(signals.step[events[0]]))})"
    )
    message = f"The loss jumps {times}, furthest at {where}: {loss:.3g}, where {usual:.3g} was usual."
    lower = f", or lower the peak rate by a third to {rate * 2 / 3:.2g}" if rate else ""
    advice = f"Look at the batch at {where}; clip the gradient's norm at 1.0{lower}."
    return check.found(message, numbers, advice)


def neighbours(loss: Floats) -> Floats:
    """Return the median of each point's neighbourhood, shape (n_points,)."""
    padded = np.pad(loss, BESIDE, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * BESIDE + 1), axis=1))


def heights(loss: Floats) -> Floats:
    """Return how far each point stands above its neighbours, in robust standard deviations of their scatter.

    On a logarithmic scale where the loss allows it: losses of small batches are skewed, and their logarithms are not.
    """
    values = np.log(loss) if (loss > 0).all() else loss
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, BESIDE, mode="edge"), 2 * BESIDE + 1)
    middle = np.median(windows, axis=1)
    scatter = np.median(np.abs(windows - middle[:, None]), axis=1) / NORMAL_MEDIAN
    # A scatter that is 0 for a stretch, as of a rounded loss, is taken from the rest of the run.
    floor = max(float(np.median(scatter)) / 4, math.ulp(float(np.abs(values).max())))
    return np.asarray((values - middle) / np.maximum(scatter, floor))


def find_events(above: Floats, *, signals: Signals) -> list[int]:
    """Return the highest point of each event, in order."""
    usual = neighbours(signals.loss)
    opening = max(int(OPENING * signals.n_points), 1)
    is_high = (above > STANDS_OUT) & (signals.loss - usual > WORTH * max(signals.span, 0.0))
    is_high[:opening] = False
    points = np.flatnonzero(is_high)
    if not len(points):
        return []
    groups = np.split(points, np.flatnonzero(np.diff(points) > SAME_EVENT) + 1)
    return [int(group[np.argmax(signals.loss[group])]) for group in groups]
