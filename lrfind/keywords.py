"""Options as Python gives them: `chosen(settings, options) -> Settings`."""

from __future__ import annotations

import csv
import numbers
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from lrfind.data import name_of
from lrfind.errors import UsageError
from lrfind.settings import Settings
from lrfind.text import listed, nearest, printable

# A table may name its columns by anything: what becomes of this one is decided where it is looked up.
FREE = frozenset({"target"})


def chosen(settings: Settings | None, options: Mapping[str, Any]) -> Settings:
    """Return settings with options in place of theirs.

    Parameters
    ----------
    settings : Settings or None
        The defaults if None.
    options : mapping
        Fields of `Settings`; one name or number may stand for a tuple of it, and "a,b" for names.

    Returns
    -------
    Settings

    Raises
    ------
    UsageError
        If an option is not known, or its value is of the wrong kind.
    """
    if settings is not None and not isinstance(settings, Settings):
        raise UsageError(f"settings= is a {type(settings).__name__}: expected lrfind.Settings(...)")
    kinds = {field.name: str(field.type) for field in fields(Settings)}
    for name in options:
        if name not in kinds:
            like = nearest(name, kinds)
            hint = f"did you mean '{like}'?" if like else f"choose among {', '.join(kinds)}"
            raise UsageError(f"there is no option {listed([name])}: {hint}")
    read: dict[str, Any] = {
        name: value if name in FREE else _read(name, value, kind=kinds[name]) for name, value in options.items()
    }
    if read.get("schedules") == ("all",):
        # as on the command line
        read["schedules"] = None
    return replace(settings or Settings(), **read)


def is_file(source: Any) -> bool:
    """Return whether a source is the name of a file, and not data in memory."""
    return isinstance(source, str) or hasattr(source, "__fspath__")


def named(settings: Settings, source: Any) -> Settings:
    """Return settings in which columns of a data frame, whose labels may be of any type, go by their names in a table.

    Parameters
    ----------
    settings : Settings
    source : data frame, array or file
    """
    if is_file(source):
        return settings
    target = None if settings.target is None else name_of(source, settings.target)
    text = None if settings.text is None else tuple(name_of(source, label) for label in settings.text)
    return replace(settings, target=target, text=text)


def _read(name: str, value: Any, *, kind: str) -> Any:
    """Return a value as the field holds it."""
    if value is None and kind.endswith("| None"):
        return None
    is_known, result = READERS[kind.removesuffix(" | None")](value)
    if not is_known:
        none = " or None" if kind.endswith("| None") else ""
        expected = EXPECTED[kind.removesuffix(" | None")]
        raise UsageError(f"{name}= is {printable(repr(value), width=40)}: expected {expected}{none}")
    return result


def _text(value: Any) -> tuple[bool, Any]:
    return isinstance(value, str), value if not isinstance(value, str) else str(value)


def _whole(value: Any) -> tuple[bool, Any]:
    if not _is_number(value) or value != value // 1:
        return False, value
    return True, int(value)


def _number(value: Any) -> tuple[bool, Any]:
    return _is_number(value), float(value) if _is_number(value) else value


def _is_number(value: Any) -> bool:
    # NumPy's numbers are numbers, too; True is none here
    return not isinstance(value, bool) and isinstance(value, numbers.Real)


def _yes_or_no(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value


def _names(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str):
        return True, tuple(name.strip() for row in csv.reader([value]) for name in row)
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return True, tuple(value)
    return False, value


def _wholes(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str):
        # "64,32", as on the command line
        value = [int(part) if part.strip().isdecimal() else part for part in value.split(",")]
    read = [_whole(item) for item in (value if isinstance(value, list | tuple) else [value])]
    return all(is_known for is_known, _ in read), tuple(item for _, item in read)


# By the kind that a field of `Settings` is declared to be.
READERS = {
    "str": _text, "int": _whole, "float": _number, "bool": _yes_or_no, "tuple[str, ...]": _names,
    "tuple[int, ...]": _wholes,
}  # fmt: skip
EXPECTED = {
    "str": "a text", "int": "a whole number", "float": "a number", "bool": "True or False",
    "tuple[str, ...]": 'names, as in "a,b" or ["a", "b"]', "tuple[int, ...]": "whole numbers, as in 64 or (64, 32)",
}  # fmt: skip
