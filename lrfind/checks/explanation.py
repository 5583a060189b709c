"""What `lrfind explain CODE` says about a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["curve", "bars"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A sketch of what a finding looks like.

    Attributes
    ----------
    kind : {"curve", "bars"}
        Heights joined by lines, or a bar each.
    heights : tuple of float
        Evenly spaced across, 0 at the bottom and 1 at the top.
    caption : str
        What is across, what is upward, and what to see.
    """

    kind: Kind
    heights: tuple[float, ...]
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
    """Return a sketch of a curve from digits, 0 at the bottom and 9 at the top: "9987532110"."""
    return Picture(kind="curve", heights=tuple(int(digit) / 9 for digit in heights), caption=caption)


def bars(heights: str, caption: str) -> Picture:
    """Return a sketch of bars from digits, 0 at the bottom and 9 at the top."""
    return Picture(kind="bars", heights=tuple(int(digit) / 9 for digit in heights), caption=caption)
