"""Learning-rate schedules as data: `make_schedule(name, ...) -> Schedule`, `values(schedule) -> one rate a step`.

A schedule is a peak rate and a row of segments, each a named shape between two fractions of the peak. Being data it
prints, compares, serialises and exports; `values` is the only interpreter. Every named schedule equals its
counterpart in `torch.optim.lr_scheduler`, step by step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lrfind.errors import UsageError
from lrfind.text import listed, nearest

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


Segments = tuple[Segment, ...]


def constant(n_steps: int) -> Segments:
    """Hold the peak rate; torch's ConstantLR with factor 1."""
    return (Segment(start=0, stop=n_steps, shape="constant", begin=1, end=1),)


def linear(n_steps: int) -> Segments:
    """Fall in a straight line to 0 over the run; torch's LinearLR from 1 to 0."""
    return (Segment(start=0, stop=n_steps, shape="linear", begin=1, end=0),)


def polynomial(n_steps: int) -> Segments:
    """Fall as the square of what is left of the run; torch's PolynomialLR with power 2."""
    return (Segment(start=0, stop=n_steps, shape="polynomial", begin=1, end=0, power=2),)


def exponential(n_steps: int) -> Segments:
    """Fall by the same factor each step, to a hundredth; torch's ExponentialLR with gamma 0.01 ** (1 / n_steps)."""
    return (Segment(start=0, stop=n_steps, shape="exponential", begin=1, end=0.01),)


def cosine(n_steps: int) -> Segments:
    """Fall along half a cosine to 0; torch's CosineAnnealingLR (Loshchilov & Hutter 2016, arXiv:1608.03983)."""
    return (Segment(start=0, stop=n_steps, shape="cosine", begin=1, end=0),)


def step(n_steps: int) -> Segments:
    """Divide by 10 at a half and at three quarters of the run; torch's MultiStepLR."""
    # Integer milestones, as torch has them; a run too short to have three pieces keeps those it has.
    cuts = (0, n_steps // 2, 3 * n_steps // 4, n_steps)
    return tuple(
        Segment(start=start, stop=stop, shape="constant", begin=level, end=level)
        for (start, stop), level in zip(pairwise(cuts), (1.0, 0.1, 0.01), strict=True)
        if stop > start
    )


# The share of the run that `warmup_cosine` spends warming up: DESIGN's convention, common in transformer training.
WARMUP_SHARE = 0.1


def warmup_cosine(n_steps: int, *, warmup: int | None = None) -> Segments:
    """Rise linearly from 0 for a tenth of the run (Goyal et al. 2017, arXiv:1706.02677), then fall along a cosine."""
    rise = max(1, int(n_steps * WARMUP_SHARE)) if warmup is None else warmup
    # A run of one step, or without warm-up, is all cosine: a rate of 0 throughout would train nothing.
    if not 0 < rise < n_steps:
        return cosine(n_steps)
    return (
        Segment(start=0, stop=rise, shape="linear", begin=0, end=1),
        Segment(start=rise, stop=n_steps, shape="cosine", begin=1, end=0),
    )


def one_cycle(n_steps: int) -> Segments:
    """Rise from 1/25 for three tenths, fall to almost nothing; torch's OneCycleLR (Smith 2018, arXiv:1803.09820)."""
    # torch places both turning points one step early: the last step then has the final rate itself.
    turn, end = 0.3 * n_steps - 1, n_steps - 1
    if turn <= 0:
        return cosine(n_steps)
    return (
        Segment(start=0, stop=turn, shape="cosine", begin=1 / 25, end=1),
        Segment(start=turn, stop=end, shape="cosine", begin=1, end=1 / 25 / 1e4),
    )


# Smith 2015 runs several triangles in a training run; four, from a quarter of the peak.
N_TRIANGLES = 4


def cyclical(n_steps: int) -> Segments:
    """Four triangles between a quarter of the peak and the peak; torch's CyclicLR (Smith 2015, arXiv:1506.01186)."""
    half = n_steps / (2 * N_TRIANGLES)
    levels = [0.25, 1.0] * N_TRIANGLES + [0.25]
    return tuple(
        Segment(start=i * half, stop=(i + 1) * half, shape="linear", begin=levels[i], end=levels[i + 1])
        for i in range(2 * N_TRIANGLES)
    )


def warm_restarts(n_steps: int) -> Segments:
    """Three cosines, each twice as long as the one before; SGDR (Loshchilov & Hutter 2016, arXiv:1608.03983)."""
    first = n_steps / 7
    cuts = (0.0, first, 3 * first, float(n_steps))
    return tuple(Segment(start=start, stop=stop, shape="cosine", begin=1, end=0) for start, stop in pairwise(cuts))


SCHEDULES: Mapping[str, Callable[[int], Segments]] = {
    "constant": constant,
    "linear": linear,
    "polynomial": polynomial,
    "exponential": exponential,
    "cosine": cosine,
    "step": step,
    "warmup_cosine": warmup_cosine,
    "one_cycle": one_cycle,
    "cyclical": cyclical,
    "warm_restarts": warm_restarts,
}


def make_schedule(name: str, *, peak_lr: float, n_steps: int) -> Schedule:
    """Return a named schedule for a training run.

    Parameters
    ----------
    name : str
        One of `SCHEDULES`.
    peak_lr : float
        The largest rate.
    n_steps : int
        Updates in the run.

    Returns
    -------
    Schedule

    Raises
    ------
    UsageError
        If the name is unknown, the rate is not a finite positive number, or there is no step.
    """
    if name not in SCHEDULES:
        like = nearest(name, SCHEDULES)
        hint = f"did you mean '{like}'?" if like else f"choose one of {', '.join(SCHEDULES)}"
        raise UsageError(f"unknown schedule {listed([name])}: {hint}")
    if n_steps < 1:
        raise UsageError(f"the schedule has {n_steps} steps: expected at least 1")
    return Schedule(name=name, peak_lr=float(peak_lr), n_steps=int(n_steps), segments=SCHEDULES[name](int(n_steps)))


def rescaled(schedule: Schedule, *, peak_lr: float | None = None, n_steps: int | None = None) -> Schedule:
    """Return the same schedule with another peak or stretched over another number of steps.

    Parameters
    ----------
    schedule : Schedule
    peak_lr : float, optional
    n_steps : int, optional

    Returns
    -------
    Schedule
    """
    peak = schedule.peak_lr if peak_lr is None else peak_lr
    length = schedule.n_steps if n_steps is None else n_steps
    if schedule.name in SCHEDULES:
        return make_schedule(schedule.name, peak_lr=peak, n_steps=length)
    factor = length / schedule.n_steps
    stretched = tuple(replace(s, start=s.start * factor, stop=s.stop * factor) for s in schedule.segments)
    return replace(schedule, peak_lr=peak, n_steps=length, segments=stretched)


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
