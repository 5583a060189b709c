"""What a schedule is, `Schedule`, and its only interpreter, `values(schedule) -> one rate a step`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lrfind.errors import UsageError
from lrfind.text import one_line

Shape = Literal["constant", "linear", "polynomial", "exponential", "cosine"]
SHAPES: tuple[Shape, ...] = ("constant", "linear", "polynomial", "exponential", "cosine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One piece of a schedule, over the steps t with ``start <= t < stop``.

    Attributes
    ----------
    start, stop : float
        Steps; they may fall between two updates, as one-cycle's do.
    shape : {"constant", "linear", "polynomial", "exponential", "cosine"}
        How the rate moves from `begin` to `end`.
    begin, end : float
        Fractions of the peak rate at `start` and `stop`.
    power : float
        Of the polynomial; 1 is linear.
    """

    start: float
    stop: float
    shape: Shape
    begin: float
    end: float
    power: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what `values` could not interpret."""
        numbers = (self.start, self.stop, self.begin, self.end, self.power)
        if self.shape not in SHAPES or not all(math.isfinite(n) for n in numbers):
            raise UsageError(
                f"a schedule's segment is damaged: expected a shape of {', '.join(SHAPES)} and finite numbers"
            )
        if self.stop < self.start or min(self.begin, self.end) < 0:
            raise UsageError("a schedule's segment is damaged: it ends before it starts, or a rate in it is negative")
        if self.power <= 0 or (self.shape == "exponential" and self.begin == 0):
            raise UsageError("a schedule's segment is damaged: a power is not above 0, or an exponential starts at 0")


@one_line
@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A peak learning rate and how it is approached and left.

    Attributes
    ----------
    name : str
        One of `SCHEDULES`.
    peak_lr : float
        The largest rate, the one a range test or a race chooses.
    n_steps : int
        Updates in the training run.
    segments : tuple of Segment
        In order, covering steps 0 to ``n_steps - 1``.
    """

    name: str
    peak_lr: float
    n_steps: int
    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        """Refuse rates and lengths no training run can have."""
        if not (math.isfinite(self.peak_lr) and self.peak_lr > 0):
            raise UsageError(f"the peak learning rate is {self.peak_lr!r}: expected a finite number above 0")
        if self.n_steps < 1 or not self.segments:
            raise UsageError(f"the schedule has {self.n_steps} steps: expected at least 1")


def two_digits(lr: float) -> float:
    """Return a rate with two significant digits: no measurement tells rates apart that are closer."""
    return float(f"{lr:.2g}")


def values(schedule: Schedule) -> npt.NDArray[np.float64]:
    """Return the learning rate of every step.

    Parameters
    ----------
    schedule : Schedule

    Returns
    -------
    (n_steps,) ndarray of float64
        ``lr[t] = peak_lr * f(t)`` for t = 0 .. n_steps - 1.
    """
    steps = np.arange(schedule.n_steps, dtype=np.float64)
    fractions = np.zeros(schedule.n_steps)
    last = schedule.segments[-1]
    for segment in schedule.segments:
        # The last segment keeps what lies at or beyond its stop, so that rounding can leave no step without a rate.
        inside = (steps >= segment.start) & ((steps < segment.stop) | (segment is last))
        fractions[inside] = _fractions(segment, steps[inside])
    return schedule.peak_lr * fractions


def _fractions(segment: Segment, steps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    length = segment.stop - segment.start
    progress = np.clip((steps - segment.start) / length, 0.0, 1.0) if length > 0 else np.ones_like(steps)
    begin, end = segment.begin, segment.end
    if segment.shape == "constant":
        return np.full_like(steps, begin)
    if segment.shape == "cosine":
        return end + (begin - end) * (1 + np.cos(np.pi * progress)) / 2
    if segment.shape == "exponential":
        return np.asarray(begin * (end / begin) ** progress)
    return np.asarray(end + (begin - end) * (1 - progress) ** segment.power)


def to_dict(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule as JSON values.

    Parameters
    ----------
    schedule : Schedule

    Returns
    -------
    dict
        "name", "peak_lr", "n_steps", "segments".
    """
    rows = [{key: getattr(segment, key) for key in Segment.__slots__} for segment in schedule.segments]
    return {"name": schedule.name, "peak_lr": schedule.peak_lr, "n_steps": schedule.n_steps, "segments": rows}
