"""What stands on other lines than the loss, brought to its points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lrfind.logs.log import Floats
from lrfind.logs.readings import Ints

# The lines of some numbers, and the numbers.
Numbers = tuple[Ints, Floats]

# A counter or a rate that stands on lines of its own belongs to the points if nearly all of them have one.
MIN_COVERED = 0.9


def on_same_lines(lines: Ints, other: Numbers) -> Floats:
    """Return the values that stand on `lines`, NaN where there are none."""
    at, values = other
    if not len(at):
        return np.full(len(lines), np.nan)
    if np.array_equal(lines, at):
        return values
    places = np.minimum(np.searchsorted(at, lines), len(at) - 1)
    return np.where(at[places] == lines, values[places], np.nan)


def beside(lines: Ints, other: Numbers) -> tuple[Floats, float]:
    """Return for each of `lines` the value on a line of its own before it, or behind it, whichever is the habit.

    Parameters
    ----------
    lines : array of int, shape (n,)
        Of the points.
    other : (lines, values)
        Other lines, and what they say.

    Returns
    -------
    values : array, shape (n,)
        NaN where there is none between a point and its neighbour.
    share : float
        Of the points that have one of their own.
    """
    at, values = other
    if not len(at) or not len(lines):
        return np.full(len(lines), np.nan), 0.0
    last = np.searchsorted(at, lines, side="right") - 1
    before = np.where((last >= 0) & (at[last] > np.append([-1], lines[:-1])), last, -1)
    first = np.searchsorted(at, lines, side="left")
    clipped = np.minimum(first, len(at) - 1)
    after = np.where((first < len(at)) & (at[clipped] < np.append(lines[1:], [np.iinfo(np.int64).max])), clipped, -1)

    def judged(which: Ints) -> tuple[float, float]:
        has = which >= 0
        far = float(np.median(np.abs(at[which[has]] - lines[has]))) if has.any() else np.inf
        return float(has.mean()), -far

    chosen = before if judged(before) >= judged(after) else after
    return np.where(chosen >= 0, values[chosen], np.nan), float((chosen >= 0).mean())


def carried(lines: Ints, other: Numbers) -> Floats:
    """Return the last value at or before each line."""
    at, values = other
    last = np.searchsorted(at, lines, side="right") - 1
    return np.where(last >= 0, values[last], np.nan) if len(at) else np.full(len(lines), np.nan)


def row_above(lines: Ints, rows: Ints) -> Ints:
    """Return for each line the last of `rows` at or above it, or the first of them."""
    return np.maximum(np.searchsorted(rows, lines, side="right") - 1, 0)


def changes(values: Floats) -> npt.NDArray[np.bool_]:
    """Return where a value differs from the one before: bars show the last one until there is a new one."""
    return np.append([True], values[1:] != values[:-1]) if len(values) else np.empty(0, dtype=bool)


def falls(position: Floats) -> int:
    """Return how often a position goes back."""
    return int((np.diff(position[~np.isnan(position)]) < 0).sum())
