"""Showing strings that come from data, paths and options without letting them act.

A column name can carry terminal escapes, bidirectional overrides or line breaks (CWE-150). Every string that was
not written by us goes through `printable` before it reaches a terminal, a message or a label.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable

# Similarity below which a suggestion would puzzle more than help (difflib ratio; clig.dev, "did you mean").
NEAREST_CUTOFF = 0.6
# One line of a narrow terminal.
DEFAULT_WIDTH = 80
# Below the first, two hexadecimal digits name a character; below the second, four.
BYTE_END, PLANE_END = 0x100, 0x10000


def printable(text: object, *, width: int = DEFAULT_WIDTH) -> str:
    """Return `text` with every character that is not printable escaped, cut to `width` characters.

    Parameters
    ----------
    text : object
        Anything; `str` is applied to it.
    width : int
        Longest result, in characters, the ellipsis included; nothing is shown in 0.

    Returns
    -------
    str
        Printable characters only, on one line.
    """
    # Cut first: a 100 kB column name must not be escaped in full to show 80 characters of it.
    raw = str(text)[: max(width, 0) + 1]
    shown = "".join(c if c.isprintable() else _escape(c) for c in raw)
    if len(shown) <= width:
        return shown
    return shown[: width - 1] + "…" if width > 0 else ""


def _escape(character: str) -> str:
    code = ord(character)
    if code < BYTE_END:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < PLANE_END else f"\\U{code:08x}"


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like `name`, case ignored, or None when none is close.

    Parameters
    ----------
    name : str
        What was given.
    choices : iterable of str
        What there is.

    Returns
    -------
    str or None
    """
    by_lower = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=NEAREST_CUTOFF)
    return by_lower[found[0]] if found else None


def listed(names: Iterable[str], *, most: int = 8) -> str:
    """Return names as a quoted, comma-separated list, cut after `most` with a count of the rest.

    Parameters
    ----------
    names : iterable of str
        Names that may come from data; each is made printable.
    most : int
        How many to show.

    Returns
    -------
    str
    """
    every = list(names)
    shown = ", ".join(f"'{printable(name, width=40)}'" for name in every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def measured(value: float, error: float) -> str:
    """Return a mean and its standard error, both to the digits the error allows: "0.037 ± 0.010", "0.754 ± 0.03"."""
    if not (math.isfinite(error) and error > 0):
        return f"{value:.3g}" if math.isfinite(value) else "none"
    exponent = math.floor(math.log10(error))
    # One digit of the error, two when it begins with a 1: rounding 0.014 to 0.01 would change it by a third.
    digits = max(-exponent + (1 if error < 2 * 10.0**exponent else 0), 0)
    return f"{value:.{digits}f} ± {error:.{digits}f}"
