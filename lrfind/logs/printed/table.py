"""Tables inside printed text: a line of names above lines of numbers, as spaCy, Ultralytics and fastai print them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lrfind.logs.cells import NUMBER
from lrfind.logs.names import Role, role_of

# A number with a unit, or one of several ("1/3", "640:"), a duration, a gap.
FIELD = re.compile(
    rf"(?P<number>{NUMBER})(?P<unit>/\d+|[A-Za-z%]{{1,3}})?:?|\d+:\d\d(?::\d\d)?(?:\.\d+)?|-|--|NA|n/a|None|null",
    re.IGNORECASE,
)
BETWEEN = re.compile(r"[|│┃,;]")
BLANKS = re.compile(r"\s+")
WIDE = re.compile(r"\s{2,}|\t")
# What spaCy calls its epochs and its steps.
SHORT: dict[str, Role] = {"e": "epoch", "#": "step", "it": "step"}
YOLO_LOSSES = frozenset(("box", "obj", "cls", "total", "giou", "dfl"))
# Letters of a title beside the numbers of a header, such as mAP50-95; a header has no number by itself.
MAX_NAMES = 60


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns below.

    Attributes
    ----------
    readings : tuple of tuple of str
        The names, one way or another: names that hold blanks stand apart by two, others by one.
    """

    readings: tuple[tuple[str, ...], ...]

    def names(self, n_fields: int, *, is_whole: bool) -> tuple[str, ...]:
        """Return the names of the columns of a row, or none where it does not fit.

        Parameters
        ----------
        n_fields : int
            Numbers that the row begins with.
        is_whole : bool
            Whether nothing follows them.
        """
        for names in self.readings:
            if len(names) == n_fields or (len(names) < n_fields and not is_whole):
                return names
        return ()


def header_of(text: str, *, has_values: bool) -> tuple[Header | None, tuple[slice, ...]]:
    """Return the header that a line is, or the fields of the row of numbers that it is (the last may be empty).

    Parameters
    ----------
    text : str
    has_values : bool
        Whether its numbers have names in the line: then it is neither.

    Returns
    -------
    header : Header or None
    fields : tuple of slice
        Of a row: its numbers, an empty slice for a field that is none, and at last what follows them.
    """
    stripped = text.strip().strip("|│┃").strip()
    if not stripped or (has_values and not stripped[0].isdigit()):
        return None, ()
    if stripped[0].isdigit() or stripped[0] in "-+.":
        return None, _fields(text)
    if re.search(r"(?<![\w.-])\d", stripped) or (":" in stripped and BETWEEN.search(stripped) is None):
        return None, ()
    readings: list[tuple[str, ...]] = []
    for names in (_with_losses(_split(stripped, sign)) for sign in (BETWEEN, WIDE, BLANKS)):
        is_header = 1 < len(names) <= MAX_NAMES and any(role_in_table(name) in ("loss", "val_loss") for name in names)
        if is_header and names not in readings and (not readings or _counts(names)):
            readings.append(names)
    # One name of a loss between words is prose.
    return (Header(tuple(readings)) if any(_counts(names) for names in readings) else None), ()


def _with_losses(names: tuple[str, ...]) -> tuple[str, ...]:
    """Call the parts of YOLO's loss so: its older versions print "box obj cls total"."""
    if not {"box", "cls"} <= {name.lower() for name in names}:
        return names
    return tuple(f"{name} loss" if name.lower() in YOLO_LOSSES else name for name in names)


def role_in_table(name: str) -> Role | None:
    """Return what a column's name says it is, where a lone letter may be a name."""
    found = role_of(name)
    return found[0] if found else SHORT.get(name.strip().lower())


def _counts(names: tuple[str, ...]) -> bool:
    return any(role_in_table(name) in ("step", "epoch") for name in names)


def _split(text: str, sign: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in sign.split(text) if name.strip())


def _fields(text: str) -> tuple[slice, ...]:
    """Return the numbers that a line begins with, and the rest of it; an empty slice for what is no number."""
    fields: list[slice] = []
    at = 0
    for piece in re.finditer(r"[^\s|│┃,;]+", text):
        found = FIELD.fullmatch(piece[0])
        if found is None:
            return (*fields, slice(at, len(text))) if "%|" in text[at:] else ()
        unit = found["unit"] or ""
        is_number = found["number"] is not None and (not unit or unit.startswith("/"))
        start = piece.start()
        fields.append(slice(start, start + len(found["number"])) if is_number else slice(start, start))
        at = piece.end()
        if piece[0].endswith(":"):
            return (*fields, slice(at, len(text)))
    return (*fields, slice(at, at)) if len(fields) > 1 else ()
