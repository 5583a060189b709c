"""Which labels the charts of a range test and of a schedule carry, in pixels of the page or points of a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrfind.report import words
from lrfind.report.curves import clear_of_rise, marks, pooled_curve
from lrfind.report.labels import Box, Label, Points, placed, points_along

if TYPE_CHECKING:
    from lrfind.recommend import Recommendation
    from lrfind.report import Report
    from lrfind.report.curves import Floats, Mark
    from lrfind.report.svg import Plane

# Of the recommended rate's number, in sizes of the other labels.
ANSWER_SIZE = 1.2
# Room for labels above a plot, in sizes.
HEAD = 2.0
# Where a landmark's label stands best, in sizes from it, and which of its ends is there: clear of a falling curve.
BESIDE = {"onset": (0.55, -0.7, "start"), "steepest": (-0.95, 1.3, "end"), "minimum": (0.0, 1.9, "middle")}
# Half the width of a landmark's dot, in sizes.
DOT = 0.4


def label_room(plane: Plane, *, size: float) -> Box:
    """Return where the labels of a plot may stand: inside it, in the line above it and in the margin to its right."""
    return Box(plane.left, max(plane.top - HEAD * size, 1.0), plane.width - 1.0, plane.base - 1.0)


def answer_label(advice: Recommendation, *, plane: Plane, size: float) -> list[Label]:
    """Return the recommended rate, above the plot."""
    if advice.lr is None:
        return []
    x, y = float(plane.x(advice.lr)), plane.top - 0.7 * size
    text = words.rate(advice.lr)
    return [Label(text=text, kind="answer", x=x, y=y, anchor="middle", size=ANSWER_SIZE * size, bold=True)]


def level_label(level: float, *, x: float, anchor: str, plane: Plane, size: float, is_short: bool = False) -> Label:
    """Return the name of the line at the loss of knowing nothing."""
    text = "knowing nothing" if is_short else f"knowing nothing {words.number(level)}"
    y = float(plane.y(level))
    return Label(text=text, kind="quiet", x=x, y=y - 0.5 * size, anchor=anchor, size=size, point=(x, y))


def loss_labels(report: Report, *, plane: Plane, size: float, is_short: bool = False) -> list[Label]:
    """Return the labels of the range test: the rate, divergence, the landmarks and the level of knowing nothing.

    Parameters
    ----------
    report : Report
    plane : Plane
    size : float
        Of the font.
    is_short : bool
        Names alone, their numbers left out.

    Returns
    -------
    list of Label
        None on another.
    """
    advice, level = report.recommendation, report.problem.baseline_loss
    lrs, pooled, _, _ = pooled_curve(report)
    lines, dots = [points_along(plane.x(lrs), plane.y(pooled)), *upright(advice.lr, plane=plane)], []
    labels = answer_label(advice, plane=plane, size=size)
    for mark in marks(report):
        text = mark.label if is_short else f"{mark.label} {words.rate(mark.lr)}"
        if mark.name == "divergence":
            labels.insert(1, _limit(mark, text, plane=plane, size=size))
            lines += upright(mark.lr, plane=plane)
        else:
            labels.append(_beside(mark, text, plane=plane, size=size))
            dots.append(dot_box(*place_of(mark, plane=plane), size=size))
    if plane.window.y_low < level < plane.window.y_high:
        x = float(plane.x(clear_of_rise(report))) - 0.6 * size
        labels.append(level_label(level, x=x, anchor="end", plane=plane, size=size, is_short=is_short))
        lines.append(across(level, plane=plane))
    return placed(labels, room=label_room(plane, size=size), taken=dots, lines=lines)


def place_of(mark: Mark, *, plane: Plane) -> tuple[float, float]:
    """Return where a landmark's dot stands; at the edge where it lies beyond."""
    return float(plane.x(mark.lr)), float(np.clip(plane.y(mark.loss), plane.top, plane.base))


def dot_box(x: float, y: float, *, size: float) -> Box:
    """Return the room of a dot."""
    return Box(x - DOT * size, y - DOT * size, x + DOT * size, y + DOT * size)


def upright(lr: float | None, *, plane: Plane) -> list[Points]:
    """Return the line at a rate, for labels to keep clear of; nothing where there is no rate."""
    if lr is None:
        return []
    x = float(plane.x(lr))
    return [points_along(np.array([x, x]), np.array([plane.top, plane.base]))]


def across(level: float, *, plane: Plane) -> Points:
    """Return the line at a level, for labels to keep clear of."""
    y = float(plane.y(level))
    return points_along(np.array([plane.left, plane.width - plane.right]), np.array([y, y]))


def _beside(mark: Mark, text: str, *, plane: Plane, size: float) -> Label:
    (right, down, anchor), (x, y) = BESIDE[mark.name], place_of(mark, plane=plane)
    return Label(text=text, kind="plain", x=x + right * size, y=y + down * size, anchor=anchor, size=size, point=(x, y))


def _limit(mark: Mark, text: str, *, plane: Plane, size: float) -> Label:
    x = float(plane.x(mark.lr))
    return Label(
        text=text, kind="alarm", x=x, y=plane.top - 0.7 * size, anchor="middle", size=size, bold=True,
        point=(x, plane.top),
    )  # fmt: skip


def schedule_labels(lrs: Floats, *, plane: Plane, size: float) -> list[Label]:
    """Return the name of a schedule's peak.

    Parameters
    ----------
    lrs : (n_steps,) ndarray
        The rate of each step.
    plane : Plane
    size : float

    Returns
    -------
    list of Label
    """
    peak = int(np.argmax(lrs))
    x, y = float(plane.x(float(peak))), float(plane.y(lrs[peak]))
    # The label stands where the room is.
    anchor, beside = ("start", 0.6 * size) if x < plane.width / 2 else ("end", -0.6 * size)
    text = f"peak {words.rate(float(lrs[peak]))}"
    label = Label(
        text=text, kind="answer", x=x + beside, y=y - 0.6 * size, anchor=anchor, size=ANSWER_SIZE * size, bold=True
    )
    line = points_along(plane.x(np.arange(lrs.size, dtype=np.float64)), plane.y(lrs))
    return placed([label], room=label_room(plane, size=size), lines=[line])
