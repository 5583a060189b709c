"""The schedules that watch a run and answer it: one controller steers every replica, each by its own losses.

As data they are schedules like any other, with segments: those of the course they take where nothing happens, or,
after a race, of the course they took. A new one is a course, a controller, and a line in `CLOSED_LOOP`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np

from lrfind.schedule.adaptive import Adaptive, adaptive
from lrfind.schedule.orders import Bools, Floats, Orders
from lrfind.schedule.plateau import ReduceOnPlateau, reduce_on_plateau
from lrfind.schedule.shapes import Segments
from lrfind.schedule.value import Schedule, Segment


class Controller(Protocol):
    """What steers replicas, step by step."""

    def update(self, losses: Floats, grad_norms: Floats | None = None) -> Orders:
        """Return the orders for the update that follows these losses (n_replicas,), measured before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLoop:
    """A schedule that answers the run.

    Attributes
    ----------
    course : callable
        ``course(n_steps)`` gives the segments of a run in which nothing happens.
    control : callable
        ``control(peaks, n_steps)`` gives a controller of as many replicas as there are peak rates.
    reads_grad_norms : bool
        Whether the controller wants gradient norms; without, it goes by the losses alone.
    """

    course: Callable[[int], Segments]
    control: Callable[[Floats, int], Controller]
    reads_grad_norms: bool


CLOSED_LOOP: Mapping[str, ClosedLoop] = {
    "reduce_on_plateau": ClosedLoop(course=reduce_on_plateau, control=ReduceOnPlateau, reads_grad_norms=False),
    "adaptive": ClosedLoop(course=adaptive, control=Adaptive, reads_grad_norms=True),
}

# Pieces of a recorded course: fewer lose its corners, more say nothing of another run.
MOST_PIECES = 100
# Of a recorded fraction of the peak: runs differ by far more than the next digit.
DIGITS = 4


def recorded(schedule: Schedule, lrs: Floats) -> Schedule:
    """Return a closed-loop schedule with the course it took.

    Parameters
    ----------
    schedule : Schedule
    lrs : (n_runs, n_steps) ndarray
        Rates of each step; the course is their median, in at most `MOST_PIECES` straight pieces.

    Returns
    -------
    Schedule
    """
    middle = [float(f"{fraction:.{DIGITS}g}") for fraction in np.median(lrs, axis=0) / schedule.peak_lr]
    n_steps = len(middle)
    knots = np.unique(np.linspace(0, n_steps - 1, min(n_steps, MOST_PIECES + 1)).round().astype(np.int64)).tolist()
    pieces = tuple(
        Segment(start=start, stop=stop, shape="linear", begin=middle[start], end=middle[stop])
        for start, stop in pairwise(knots)
    )
    # a single step has no pieces; the last one holds
    last = Segment(start=n_steps - 1, stop=n_steps, shape="constant", begin=middle[-1], end=middle[-1])
    return Schedule(name=schedule.name, peak_lr=schedule.peak_lr, n_steps=n_steps, segments=(*pieces, last))


class Watched(NamedTuple):
    """Controllers of the closed-loop replicas among many.

    Attributes
    ----------
    groups : list of (indices, Controller)
    reads_grad_norms : bool
    """

    groups: list[tuple[np.ndarray, Controller]]
    reads_grad_norms: bool

    def steer(self, losses: Floats, grad_norms: Floats | None, *, lrs: Floats) -> tuple[Bools, Bools]:
        """Overwrite the rates (n_replicas,) of those steered; return who goes back and who is saved first."""
        back, save = np.zeros((2, len(losses)), np.bool_)
        for which, controller in self.groups:
            orders = controller.update(losses[which], None if grad_norms is None else grad_norms[which])
            lrs[which], back[which], save[which] = orders
        return back, save


def watch(schedules: Sequence[Schedule], n_steps: int) -> Watched | None:
    """Return the controllers of the replicas whose schedules are closed-loop, or None where none is.

    Parameters
    ----------
    schedules : sequence of Schedule
        One a replica.
    n_steps : int
        Length of the run.

    Returns
    -------
    Watched or None
    """
    names = np.array([schedule.name for schedule in schedules])
    peaks = np.array([schedule.peak_lr for schedule in schedules])
    present = [(kind, np.flatnonzero(names == name)) for name, kind in CLOSED_LOOP.items() if name in names]
    if not present:
        return None
    return Watched(
        groups=[(which, kind.control(peaks[which], n_steps)) for kind, which in present],
        reads_grad_norms=any(kind.reads_grad_norms for kind, _ in present),
    )
