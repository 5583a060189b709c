"""What `lrfind explain CODE` says about a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["curve", "points", "bars", "sheet"]

# In the digits of a line: no value, and a value above the picture.
GAP, BEYOND = " ", "^"
BEYOND_HEIGHT = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a sketch.

    Attributes
    ----------
    name : str
        What it is, where there are several.
    heights : tuple of float
        Evenly spaced across, 0 at the bottom and 1 at the top; NaN where there is no value.
    """

    name: str
    heights: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A sketch of what a finding looks like.

    Attributes
    ----------
    kind : {"curve", "points", "bars", "sheet"}
        Heights joined by lines, a dot each, or a bar each; or rows of a table.
    lines : tuple of Line
        Several only of a "curve", none of a "sheet".
    rows : tuple of str
        Of a "sheet".
    caption : str
        What is across, what is upward, and what to see.
    """

    kind: Kind
    lines: tuple[Line, ...]
    rows: tuple[str, ...]
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A check in words.

    Attributes
    ----------
    code : str
    meaning : str
        What it means to have it found.
    detection : str
        How it is found, with the numbers that decide.
    advice : str
        What to do.
    picture : Picture
    references : tuple of str
        Author, year, where.
    """

    code: str
    meaning: str
    detection: str
    advice: str
    picture: Picture
    references: tuple[str, ...]


def curve(heights: str, caption: str) -> Picture:
    """Return a sketch of a curve from digits, 0 at the bottom and 9 at the top: "99875321  0", "3579^"."""
    return curves(("", heights), caption=caption)


def curves(*lines: tuple[str, str], caption: str) -> Picture:
    """Return a sketch of several curves, each a name and digits."""
    drawn = tuple(Line(name=name, heights=_heights(heights)) for name, heights in lines)
    return Picture(kind="curve", lines=drawn, rows=(), caption=caption)


def points(heights: str, caption: str) -> Picture:
    """Return a sketch of single points from digits."""
    return Picture(kind="points", lines=(Line(name="", heights=_heights(heights)),), rows=(), caption=caption)


def bars(heights: str, caption: str) -> Picture:
    """Return a sketch of bars from digits, 0 at the bottom and 9 at the top."""
    return Picture(kind="bars", lines=(Line(name="", heights=_heights(heights)),), rows=(), caption=caption)


def sheet(*rows: str, caption: str) -> Picture:
    """Return rows of a table as they are."""
    return Picture(kind="sheet", lines=(), rows=rows, caption=caption)


def _heights(digits: str) -> tuple[float, ...]:
    special = {GAP: float("nan"), BEYOND: BEYOND_HEIGHT}
    return tuple(special[digit] if digit in special else int(digit) / 9 for digit in digits)
