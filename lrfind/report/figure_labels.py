"""The labels of a matplotlib figure, placed by the rule that places those of the page, in points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lrfind.report import palette
from lrfind.report.svg import Plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lrfind.report.curves import Window
    from lrfind.report.labels import Label

# Points of a figure's labels.
SIZE = 8.0
# Points in an inch.
INCH = 72
# What a label stands on, so that it reads on top of curves.
HALO = {"facecolor": palette.PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.6}
COLOURS = {
    "answer": palette.ACCENT,
    "fitted": palette.ACCENT,
    "named advised": palette.ACCENT,
    "alarm": palette.ALARM,
    "plain": palette.INK,
    "named simplest": palette.INK,
}


def plane_of(axes: Axes, *, window: Window, log_x: bool = True, log_y: bool = False) -> Plane:
    """Return where a point of the axes lies on the figure, in points from its top left corner.

    Parameters
    ----------
    axes : Axes
        Laid out already.
    window : Window
        What the axes show.
    log_x, log_y : bool

    Returns
    -------
    Plane
    """
    figure, box = axes.figure, axes.get_position()
    width, height = (INCH * float(side) for side in figure.get_size_inches())  # type: ignore[union-attr]
    return Plane(
        width=width, height=height, window=window, log_x=log_x, log_y=log_y,
        left=box.x0 * width, right=(1 - box.x1) * width, top=(1 - box.y1) * height, bottom=box.y0 * height,
    )  # fmt: skip


def write_labels(axes: Axes, labels: Iterable[Label], *, plane: Plane) -> None:
    """Write labels that were placed, each with a line to what it names where it had to move away.

    Parameters
    ----------
    axes : Axes
    labels : iterable of Label
        From a function that was given the same plane.
    plane : Plane
        From `plane_of`.
    """
    sides = {"start": "left", "middle": "center", "end": "right"}
    for label in labels:
        if label.lead is not None and label.point is not None:
            ends = [(x, plane.height - y) for x, y in (label.point, label.lead)]
            axes.annotate("", ends[0], xytext=ends[1], xycoords="figure points", textcoords="figure points",
                          annotation_clip=False,
                          arrowprops={"arrowstyle": "-", "color": palette.EDGE, "linewidth": 0.6, "shrinkA": 0,
                                      "shrinkB": 2})  # fmt: skip
        axes.annotate(label.text, (label.x, plane.height - label.y), xycoords="figure points", va="baseline",
                      ha=sides[label.anchor], color=COLOURS.get(label.kind, palette.MUTED), fontsize=label.size,
                      fontweight="bold" if label.bold else "normal", annotation_clip=False, bbox=HALO)  # fmt: skip
