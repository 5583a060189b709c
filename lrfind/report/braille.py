"""Draw a curve in characters: braille dots where the terminal has them, plain ASCII where it has not."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# A braille character is two dots wide and four high; bits in the order of Unicode's block, rows from the top.
DOT_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BRAILLE_BLANK = 0x2800
# Three heights of one ASCII cell, from the top.
ASCII_LEVELS = "'-."


def draw(heights: Floats, *, width: int, n_rows: int, ascii_only: bool) -> list[str]:
    """Return a curve as lines of characters, the top line first.

    Parameters
    ----------
    heights : (n_samples,) ndarray
        0 at the bottom, 1 at the top; evenly spaced across; NaN where the curve is not known, above 1 cut off.
    width, n_rows : int
        Characters across and lines.
    ascii_only : bool

    Returns
    -------
    list of str
        `n_rows` lines of `width` characters.
    """
    if ascii_only:
        dots = _dots(heights, width=width, n_high=n_rows * len(ASCII_LEVELS))
        return _ascii(dots, n_rows=n_rows)
    dots = _dots(heights, width=2 * width, n_high=4 * n_rows)
    cells = dots.reshape(n_rows, 4, width, 2)
    codes = np.einsum("rdwe,de->rw", cells.astype(int), np.array(DOT_BITS)) + BRAILLE_BLANK
    return ["".join(" " if code == BRAILLE_BLANK else chr(code) for code in row) for row in codes]


def dashed(heights: Floats, *, every: int) -> Floats:
    """Return heights with gaps: as many samples as are kept are left out after them."""
    return np.where(np.arange(len(heights)) // every % 2 == 1, np.nan, heights)


def overlaid(drawings: Sequence[Sequence[str]]) -> list[str]:
    """Lay drawings of one size over each other: dots of braille add up, of other characters the first counts.

    Parameters
    ----------
    drawings : sequence of lines
        From `draw`.

    Returns
    -------
    list of str
    """
    return ["".join(_over(cells) for cells in zip(*rows, strict=True)) for rows in zip(*drawings, strict=True)]


def _over(cells: Sequence[str]) -> str:
    inked = [cell for cell in cells if cell != " "]
    if not inked or any(ord(cell) < BRAILLE_BLANK for cell in inked):
        return inked[0] if inked else " "
    return chr(functools.reduce(operator.or_, map(ord, inked)))


def _dots(heights: Floats, *, width: int, n_high: int) -> npt.NDArray[np.bool_]:
    """Return the dots set, (n_high, width), the top row first; steep pieces are joined."""
    columns = _columns(heights, width=width)
    dots = np.zeros((n_high, width), bool)
    previous: int | None = None
    for x, height in enumerate(columns.tolist()):
        if not np.isfinite(height):
            previous = None
            continue
        y = round((1 - min(max(height, 0.0), 1.0)) * (n_high - 1))
        # Above the window nothing is drawn, but the line that leaves it reaches the edge.
        if height <= 1 or (previous is not None and previous > 0):
            # Join to halfway, so that neighbours share a steep piece and flat ones stay one dot high.
            start = y if previous is None else previous + (1 if y > previous else -1 if y < previous else 0)
            dots[min(start, y) : max(start, y) + 1, x] = True
        previous = y
    return dots


def _columns(heights: Floats, *, width: int) -> Floats:
    """Return the mean of the samples that fall into each column, NaN where none is finite; interpolated when few."""
    if heights.size < width:
        known = np.flatnonzero(np.isfinite(heights))
        if known.size == 0:
            return np.full(width, np.nan)
        places = np.linspace(0, heights.size - 1, width)
        return np.asarray(np.interp(places, known, heights[known], left=np.nan, right=np.nan))
    groups = np.array_split(heights, width)
    return np.array([np.mean(g[np.isfinite(g)]) if np.isfinite(g).any() else np.nan for g in groups])


def _ascii(dots: npt.NDArray[np.bool_], *, n_rows: int) -> list[str]:
    cells = dots.reshape(n_rows, len(ASCII_LEVELS), -1)
    lines = []
    for row in range(n_rows):
        column_sets = cells[row].T
        lines.append("".join(_ascii_cell(levels) for levels in column_sets))
    return lines


def _ascii_cell(levels: npt.NDArray[np.bool_]) -> str:
    if not levels.any():
        return " "
    return "|" if levels.all() else ASCII_LEVELS[int(np.flatnonzero(levels)[0])]
