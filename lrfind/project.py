"""What a project wants of `check` and `sweep`, from `lrfind.toml` or the `[tool.lrfind]` table of `pyproject.toml`.

[tool.lrfind]
target = "price"
fail-on = "warning"

[tool.lrfind.severity]
LR306 = "error"

[tool.lrfind.mute]
LR305 = "customer_id is needed to join the predictions back"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrfind.errors import UsageError
from lrfind.problem.split import as_split
from lrfind.problem.target import TASKS
from lrfind.text import nearest, plain_choice, printable

# Larger than any file people write by hand.
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a project's file says, and which it is.

    Attributes
    ----------
    values : mapping
        Names as in `configured`; empty where there is no such file.
    name : str
        Of the file, as messages call it.
    folder : Path
        Where it lies; a baseline it names lies relative to it.
    """

    values: Mapping[str, Any]
    name: str
    folder: Path


def read_configuration(folder: Path) -> Configuration:
    """Return what the project says that a folder belongs to, checked.

    The nearest file counts: `lrfind.toml`, or else `pyproject.toml` with a table `[tool.lrfind]`, in the folder or in
    one above it, up to the root of its repository.

    Parameters
    ----------
    folder : Path
        Where to begin.

    Returns
    -------
    Configuration

    Raises
    ------
    UsageError
        A file cannot be read, or says something unknown.
    """
    first = folder.absolute()
    for place in (first, *first.parents):
        own, shared = place / "lrfind.toml", place / "pyproject.toml"
        if own.is_file():
            return Configuration(values=_checked(_parsed(own), file=own.name), name=own.name, folder=place)
        tool = _parsed(shared).get("tool", {}) if shared.is_file() else {}
        if isinstance(tool, dict) and "lrfind" in tool:
            name = f"[tool.lrfind] of {shared.name}"
            return Configuration(values=_checked(tool["lrfind"], file=name), name=name, folder=place)
        if (place / ".git").exists():
            break
    return Configuration(values={}, name="", folder=first)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(MOST_BYTES).decode("utf-8"))
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {(error.strerror or 'unknown error').lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path.name} is no valid TOML: {printable(error, width=120)}") from None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_task(value: object) -> bool:
    return isinstance(value, str) and plain_choice(value) in TASKS


def _is_split(value: object) -> bool:
    return isinstance(value, str) and (as_split(value) == "random" or as_split(value).startswith(("time:", "group:")))


def _is_limit(value: object) -> bool:
    return isinstance(value, str) and plain_choice(value) in ("error", "warning")


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_codes(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


# Each key, what it must be, and that in words.
KEYS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "target": (_is_text, "the name of a column"),
    "task": (_is_task, "auto, classification or regression"),
    "split": (_is_split, "random, time:COL or group:COL"),
    "baseline": (_is_text, "a path"),
    "fail-on": (_is_limit, "error or warning"),
    "budget": (_is_positive, "a number of seconds above 0"),
    "where": (_is_text, "an SQL condition"),
    "columns": (_is_names, "a list of columns"),
    "drop": (_is_names, "a list of columns"),
    "na": (_is_names, "a list of texts"),
    "text": (_is_names, "a list of columns"),
    "sample": (_is_count, "a number of rows, 1 or more"),
    "seed": (_is_seed, "a whole number, 0 or more"),
    "severity": (_is_codes, "a table of codes and severities"),
    "mute": (_is_codes, "a table of codes and reasons"),
}

# Those of them that say what to learn from what, which holds for every command that reads a table.
DATA_KEYS = ("target", "task", "split", "where", "columns", "drop", "na", "text", "sample", "seed")


def _checked(table: object, *, file: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise UsageError(f"{file} is no table: expected keys such as target = 'price'")
    for key, value in table.items():
        if key not in KEYS:
            like = nearest(key, KEYS)
            hint = f"did you mean '{like}'?" if like else f"choose from {', '.join(KEYS)}"
            raise UsageError(f"{file} has an unknown key '{printable(key, width=40)}': {hint}")
        is_right, wanted = KEYS[key]
        if not is_right(value):
            raise UsageError(f"{file}: {key} is {printable(repr(value), width=40)}; expected {wanted}")
    return {key.replace("-", "_"): tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def data_options(configuration: Configuration, **given: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what to learn from what, as a call or else the project says.

    Parameters
    ----------
    configuration : Configuration
    **given
        Options of the call, of `DATA_KEYS`; None where one was not given.

    Returns
    -------
    options : dict
        Those that somebody gave.
    used : tuple of str
        The keys that the project's file decided.
    """
    own = {name: value for name, value in given.items() if value is not None}
    used = tuple(name for name in DATA_KEYS if name in configuration.values and name not in own)
    return {**{name: configuration.values[name] for name in used}, **own}, used


def source_line(configuration: Configuration, used: Collection[str]) -> str:
    """Return which file settings were taken from, and which: "settings from ../lrfind.toml: target, drop"."""
    path = os.path.relpath(configuration.folder / configuration.name.rpartition(" ")[2])
    table = "[tool.lrfind] of " if " " in configuration.name else ""
    return f"settings from {table}{printable(path)}: {', '.join(name.replace('_', '-') for name in used)}"
