"""Showing strings that come from data, paths and options without letting them act.

A column name can carry terminal escapes, bidirectional overrides or line breaks (CWE-150). Every string that was
not written by us goes through `printable` before it reaches a terminal, a message or a label.
"""

from __future__ import annotations

import difflib
import math
import os
import shlex
import string
from collections.abc import Iterable
from typing import TypeVar

# Similarity below which a suggestion would puzzle more than help (difflib ratio; clig.dev, "did you mean").
NEAREST_CUTOFF = 0.6
# Numbers of fewer digits are written out: "4,560", where three digits would give "4.56e3".
WHOLE_TO = 1e6
# A larger share says nothing more.
MOST_PERCENT = 10.0
# Of steps as far on, fractions are beside the point.
THOUSAND = 1_000.0
# What stands for itself in $'...'.
PLAIN = frozenset(string.ascii_letters + string.digits + "/._-+,:=@% ")
# How nouns end that take "es".
TAKES_ES = ("s", "x", "ch", "sh")
# Where "ch" is spoken as "k" it takes "s" alone.
SPOKEN_K = ("epoch",)
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


def plain_choice(text: str) -> str:
    """Return how a choice is compared: "Warmup-Cosine " is "warmup_cosine"."""
    return text.strip().lower().replace("-", "_").replace(" ", "_")


def shell_line(words: Iterable[str], *, ascii_only: bool = False) -> str:
    """Return a command line that a shell splits into these words again, whatever characters they hold.

    Parameters
    ----------
    words : iterable of str
    ascii_only : bool
        Whether every other character is written by its bytes.

    Returns
    -------
    str
        Printable, and never cut: half a command is another one.
    """
    return " ".join(_shell_word(word, ascii_only=ascii_only) for word in words)


def _shell_word(word: str, *, ascii_only: bool) -> str:
    if word.isprintable() and (word.isascii() or not ascii_only):
        return shlex.quote(word)
    # $'...' of bash, zsh and POSIX 2024 takes bytes; three octal digits end by themselves
    return "$'" + "".join(chr(byte) if chr(byte) in PLAIN else f"\\{byte:03o}" for byte in _bytes(word)) + "'"


def _bytes(word: str) -> bytes:
    try:
        return os.fsencode(word)
    # half a character that is no byte of a file name either
    except UnicodeError:
        return word.encode("utf-8", "surrogatepass")


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


def plural(count: int, noun: str) -> str:
    """Return "1 row", "1,234 rows", "2 classes", "0 batches"."""
    suffix = "" if count == 1 else "es" if noun.endswith(TAKES_ES) and not noun.endswith(SPOKEN_K) else "s"
    return f"{count:,} {noun}{suffix}"


def rate(lr: float | None) -> str:
    """Return a learning rate with two significant digits: "0.0042", "1.2e-5", "120"."""
    return number(lr, digits=2).replace(",", "")


def number(value: float | None, *, digits: int = 3) -> str:
    """Return a loss, a norm or a factor with so many significant digits: "0.0123", "4,560", "1.2e-7"."""
    if value is None or not math.isfinite(value):
        return "none"
    text = f"{value:.{digits}g}"
    return f"{float(text):,.0f}" if 10**digits <= abs(float(text)) < WHOLE_TO else short(text)


def percent(share: float) -> str:
    """Return a share as "16%", however large it is."""
    return f"{share:.0%}" if share <= MOST_PERCENT else f"more than {MOST_PERCENT:,.0%}"


def place(step: float) -> str:
    """Return a step, epoch or row as a log counts them: "12,000", "0.25"."""
    return f"{step:,.0f}" if float(step).is_integer() or abs(step) >= THOUSAND else short(f"{step:.4g}")


def short(text: str) -> str:
    """Return a number as axes write it: "1e-7", not "1e-07"."""
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


T = TypeVar("T")
# Characters of a value's one line, and of one field in it.
LINE_WIDTH, FIELD_WIDTH = 120, 32
# Names and numbers in a tuple that are shown; of longer ones the count is.
MOST_ITEMS = 3


def one_line(cls: type[T]) -> type[T]:
    """Give a class of values a `repr` of one line, in which arrays are shapes and long fields are counts.

    To be put above ``@dataclass``, for values that would otherwise fill the screen.
    """

    def __repr__(self: T) -> str:  # noqa: N807 - becomes a method
        values = {name: getattr(self, name) for name in self.__slots__}  # type: ignore[attr-defined]
        # shapes first: what the line has no room for is cut
        names = sorted(values, key=lambda name: not getattr(values[name], "shape", ()))
        fields = ", ".join(f"{name}={_brief(values[name])}" for name in names)
        return f"{cls.__name__}({printable(fields, width=LINE_WIDTH - len(cls.__name__) - 2)})"

    cls.__repr__ = __repr__  # type: ignore[assignment, method-assign]
    return cls


def _brief(value: object) -> str:
    if isinstance(value, str):
        return f"'{printable(value, width=FIELD_WIDTH)}'"
    if value is None or isinstance(value, bool | int | float):
        return f"{value:.4g}" if isinstance(value, float) else repr(value)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"<{' x '.join(map(str, shape))}>"
    if isinstance(value, tuple) and len(value) <= MOST_ITEMS and all(isinstance(x, str | int | float) for x in value):
        return f"({', '.join(map(_brief, value))})"
    is_many = isinstance(value, list | tuple | dict | set | frozenset)
    return f"<{len(value) if is_many else type(value).__name__}>"  # type: ignore[arg-type]
