"""What to draw of several runs side by side: shared by the figure and the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lrfind.report.curves import every_kth
from lrfind.report.diagnosis.comparison import Comparison, Floats
from lrfind.report.diagnosis.plot import FLOOR, LOG_FROM, ROOM
from lrfind.text import printable, rate

# More points than a page has dots across gain nothing.
MAX_POINTS = 600
# More lines cannot be told apart; those with the worst losses are left to the table.
MOST_LINES = 12
# Characters of a run's name beside its line.
NAME_WIDTH = 20

Role = Literal["advised", "rival", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One run.

    Attributes
    ----------
    label, short : str
        Its name and rate, and the rate alone where it is known.
    step, loss : (n,) ndarray
    role : {"advised", "rival", "lost"}
        The best, one of the others, or one that diverged.
    """

    label: str
    short: str
    step: Floats
    loss: Floats
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """All runs and the window they are seen in.

    Attributes
    ----------
    lines : tuple of Line
        The best first.
    first, last : float
        Of the steps.
    low, high : float
        Of the losses.
    log_loss : bool
    unit : str
        Of the steps.
    """

    lines: tuple[Line, ...]
    first: float
    last: float
    low: float
    high: float
    log_loss: bool
    unit: str


def lines_of(comparison: Comparison) -> Lines | None:
    """Return what to draw, or None where no run has two losses.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Lines or None
    """
    drawn = [standing for standing in comparison.standings if len(standing.course) > 1][:MOST_LINES]
    if not drawn:
        return None
    lines = []
    for number, standing in enumerate(drawn):
        keep = every_kth(len(standing.step), most=MAX_POINTS)
        name = printable(standing.name, width=NAME_WIDTH)
        shown = "" if standing.lr is None else rate(standing.lr)
        role: Role = "lost" if standing.loss is None else "advised" if number == 0 else "rival"
        step = standing.step[keep]
        if not comparison.unit:
            step = 100 * (step - step[0]) / max(float(step[-1] - step[0]), 1e-300)
        lines.append(
            Line(
                label=f"{shown} · {name}" if shown else name, short=shown or name, step=step,
                loss=standing.course[keep], role=role,
            )
        )  # fmt: skip
    # Runs that diverged leave the picture; the others set it, or all where all did.
    losses = np.concatenate([line.loss for line in lines if line.role != "lost"] or [line.loss for line in lines])
    low, high = float(losses.min()), float(losses.max())
    log_loss = low > 0 and high / low > LOG_FROM / 2
    if log_loss:
        low = max(low, high * FLOOR)
        margin = (high / low) ** ROOM
        low, high = low / margin, high * margin
    else:
        room = ROOM * (high - low) or 0.05 * abs(high) or 1e-9
        low, high = low - room, high + room
    first = min(float(line.step[0]) for line in lines)
    last = max(float(line.step[-1]) for line in lines)
    return Lines(
        lines=tuple(lines),
        first=first,
        last=last,
        low=low,
        high=high,
        log_loss=log_loss,
        unit=comparison.unit or "% of the run",
    )
