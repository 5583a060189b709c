"""Labels of a picture, each placed once: inside it, none on another, as near as can be to what it names.

Lengths are in the picture's own unit, pixels or points, counted from its top left corner. One rule places everything:
a label moves to the free place that costs least, and a unit of a line covered costs as much as a unit moved.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]  # (n, 2), x and y

# Advance widths of the characters from space to tilde in hundredths of the font's size: those of DejaVu Sans, the
# widest of the fonts that the page and the figures may be shown in, so that a label is never wider than was thought.
REGULAR = (
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79,
    60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63,
    63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
)  # fmt: skip
BOLD = (
    35, 46, 52, 84, 70, 100, 87, 31, 46, 46, 52, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70, 70, 70,
    70, 70, 40, 40, 84, 84, 84, 58, 100, 77, 76, 73, 83, 68, 68, 82, 84, 37, 37, 77, 64, 100, 84, 85,
    73, 85, 77, 72, 68, 81, 77, 110, 77, 72, 73, 46, 37, 46, 84, 50, 50, 67, 72, 59, 72, 68, 44, 72,
    71, 34, 34, 67, 34, 104, 71, 69, 72, 72, 49, 60, 48, 71, 65, 92, 65, 65, 58, 71, 37, 71, 84,
)  # fmt: skip
# The same for any other character, and for those as wide as two.
OTHER, WIDE_OTHER = 100, 140
# How far a font reaches above and below its baseline, in sizes.
ASCENT, DESCENT = 0.93, 0.24
# Air around a label, in sizes.
AIR = 0.16
# Sizes from what it names beyond which a label is joined to it by a line.
NEAR = 1.3
# Places tried beside the wanted one: so many steps each way, of so many sizes across and down.
N_STEPS, ACROSS, DOWN = 14, 1.2, 0.6
# Units between two points that stand for a line in sight.
SPACING = 4.0
# Units by which sums of places may be off: a label may touch what it must not cover.
ROUNDING = 1e-9
# Units to which the covering of lines is counted.
CELL = 2.0


class Box(NamedTuple):
    """A rectangle; `top` is the smaller number."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text and where it stands.

    Attributes
    ----------
    text : str
    kind : str
        How it is drawn: "answer", "alarm", "quiet", "plain" or the role of a line.
    x, y : float
        Of its anchor, and of its baseline.
    anchor : {"start", "middle", "end"}
        Which part of the text is at `x`.
    size : float
        Of the font.
    bold : bool
    point : (float, float) or None
        What it names; joined to it by a line where it had to move away.
    """

    text: str
    kind: str
    x: float
    y: float
    anchor: str = "start"
    size: float
    bold: bool = False
    point: tuple[float, float] | None = None

    @property
    def box(self) -> Box:
        """The room it takes, air included."""
        width, air = text_width(self.text, size=self.size, bold=self.bold), AIR * self.size
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return Box(
            left - air,
            self.y - ASCENT * self.size - air / 2,
            left + width + air,
            self.y + DESCENT * self.size + air / 2,
        )

    @property
    def lead(self) -> tuple[float, float] | None:
        """Where the line to what it names begins, on the edge of its box; None where it stands near enough."""
        if self.point is None:
            return None
        (x, y), box = self.point, self.box
        nearest = min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
        is_near = np.hypot(nearest[0] - x, nearest[1] - y) <= NEAR * self.size
        return None if is_near else nearest


def text_width(text: str, *, size: float, bold: bool = False) -> float:
    """Return how wide a text is at most, in the unit of the font's size."""
    widths = BOLD if bold else REGULAR
    hundredths = [
        widths[ord(c) - 32] if " " <= c <= "~" else WIDE_OTHER if unicodedata.east_asian_width(c) in "WF" else OTHER
        for c in text
    ]
    return size * sum(hundredths) / 100


def points_along(xs: Floats, ys: Floats) -> Points:
    """Return points `SPACING` apart on a line through places, which breaks where a height is not finite.

    Parameters
    ----------
    xs, ys : (n,) ndarray

    Returns
    -------
    (n_points, 2) ndarray
    """
    known = np.isfinite(ys)
    pieces = np.split(np.arange(len(ys)), np.flatnonzero(np.diff(known.astype(int))) + 1)
    made = [np.empty((0, 2))]
    for piece in pieces:
        if len(piece) and known[piece[0]]:
            x, y = xs[piece], ys[piece]
            way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
            stops = np.arange(0.0, way[-1] + SPACING, SPACING)
            made.append(np.column_stack([np.interp(stops, way, x), np.interp(stops, way, y)]))
    return np.concatenate(made)


def placed(
    labels: Sequence[Label], *, room: Box, taken: Sequence[Box] = (), lines: Sequence[Points] = ()
) -> list[Label]:
    """Return labels moved to where each is free of the others; the first has the first choice.

    Parameters
    ----------
    labels : sequence of Label
        Where they would stand best.
    room : Box
        None leaves it.
    taken : sequence of Box
        No label covers these.
    lines : sequence of (n, 2) ndarray
        From `points_along`: better not covered.

    Returns
    -------
    list of Label
        In the same order; those for which there is no room left are missing.
    """
    occupied, out, counts = list(taken), [], _counts(lines, room=room)
    for label in labels:
        moved = _moved([label], room=room, taken=occupied, counts=counts)
        out += moved
        occupied += [each.box for each in moved]
    return out


def placed_together(
    labels: Sequence[Label], *, room: Box, taken: Sequence[Box] = (), lines: Sequence[Points] = ()
) -> list[Label]:
    """Return labels that keep their places to each other, moved as one; each alone where there is no room for that.

    Parameters
    ----------
    labels : sequence of Label
        None on another.
    room, taken, lines
        As for `placed`.

    Returns
    -------
    list of Label
    """
    moved = _moved(labels, room=room, taken=taken, counts=_counts(lines, room=room))
    return moved or placed(labels, room=room, taken=taken, lines=lines)


def _moved(labels: Sequence[Label], *, room: Box, taken: Sequence[Box], counts: Floats) -> list[Label]:
    """Return the labels at the cheapest free place, or none where there is none."""
    if not labels:
        return []
    boxes = np.array([label.box for label in labels])
    shifts = _shifts(boxes, room=room, taken=taken, size=labels[0].size)
    free = np.ones(len(shifts), bool)
    for left, top, right, bottom in boxes.tolist():
        x, y = shifts[:, 0], shifts[:, 1]
        free &= (left + x > room.left - ROUNDING) & (right + x < room.right + ROUNDING)
        free &= (top + y > room.top - ROUNDING) & (bottom + y < room.bottom + ROUNDING)
        for other in taken:
            across = (left + x < other.right - ROUNDING) & (right + x > other.left + ROUNDING)
            free &= ~(across & (top + y < other.bottom - ROUNDING) & (bottom + y > other.top + ROUNDING))
    shifts = shifts[free]
    if not len(shifts):
        return []
    costs = np.hypot(shifts[:, 0], shifts[:, 1]) + SPACING * _covered(boxes, shifts, counts=counts, room=room)
    x, y = shifts[int(np.argmin(costs))].tolist()
    return [replace(label, x=label.x + x, y=label.y + y) for label in labels]


def _shifts(boxes: Floats, *, room: Box, taken: Sequence[Box], size: float) -> Floats:
    """Return the moves to try, (n, 2): steps around, and to the edges of all that is in the way.

    The nearest free place of a rectangle among rectangles has each of its coordinates either as wanted or at an edge,
    so where there is a free place for one label, one is found.
    """
    axes = []
    for low, high, edges, step in (
        (boxes[:, 0], boxes[:, 2], [(room.left, room.right), *((b.right, b.left) for b in taken)], ACROSS),
        (boxes[:, 1], boxes[:, 3], [(room.top, room.bottom), *((b.bottom, b.top) for b in taken)], DOWN),
    ):
        ends = np.array(edges)
        around = np.arange(-N_STEPS, N_STEPS + 1) * step * size
        to_edges = [np.ravel(ends[:, 0] - low[:, None]), np.ravel(ends[:, 1] - high[:, None])]
        axes.append(np.unique(np.concatenate([around, *to_edges])))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def _counts(lines: Sequence[Points], *, room: Box) -> Floats:
    """Return how many points of lines lie above and to the left of each knot of a grid `CELL` wide."""
    points = np.concatenate([np.empty((0, 2)), *lines])
    edges = [np.arange(low, high + 2 * CELL, CELL) for low, high in ((room.left, room.right), (room.top, room.bottom))]
    count, *_ = np.histogram2d(points[:, 0], points[:, 1], bins=edges)
    return np.pad(count.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))


def _covered(boxes: Floats, shifts: Floats, *, counts: Floats, room: Box) -> Floats:
    """Return how many points of lines lie under the boxes after each move."""
    total = np.zeros(len(shifts))
    for left, top, right, bottom in boxes.tolist():
        x0, x1 = (((shifts[:, 0] + x - room.left) / CELL).round().astype(int) for x in (left, right))
        y0, y1 = (((shifts[:, 1] + y - room.top) / CELL).round().astype(int) for y in (top, bottom))
        total += counts[x1, y1] - counts[x0, y1] - counts[x1, y0] + counts[x0, y0]
    return total
