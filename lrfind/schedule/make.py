"""Schedules by name, and the same schedule at another peak or length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from lrfind.errors import UsageError
from lrfind.schedule.closed_loop import CLOSED_LOOP
from lrfind.schedule.shapes import SCHEDULES, Segments
from lrfind.schedule.value import Schedule
from lrfind.text import listed, nearest

# Every schedule by name, those that answer the run with the course they take where nothing happens.
COURSES: Mapping[str, Callable[[int], Segments]] = {
    **SCHEDULES,
    **{name: kind.course for name, kind in CLOSED_LOOP.items()},
}


def make_schedule(name: str, *, peak_lr: float, n_steps: int) -> Schedule:
    """Return a named schedule for a training run.

    Parameters
    ----------
    name : str
        One of `SCHEDULES` or `CLOSED_LOOP`; a closed-loop schedule has the segments of a run in which nothing happens.
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
    if name not in COURSES:
        like = nearest(name, COURSES)
        hint = f"did you mean '{like}'?" if like else f"choose one of {', '.join(COURSES)}"
        raise UsageError(f"unknown schedule {listed([name])}: {hint}")
    if n_steps < 1:
        raise UsageError(f"the schedule has {n_steps} steps: expected at least 1")
    return Schedule(name=name, peak_lr=float(peak_lr), n_steps=int(n_steps), segments=COURSES[name](int(n_steps)))


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
