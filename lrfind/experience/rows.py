"""Finished races as rows of a table: `shipped_rows() -> rows`, `row_of_run(document) -> Row`."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from lrfind.curve import blended_reading
from lrfind.experience.situation import FAMILIES, Situation
from lrfind.problem import Task

Floats = npt.NDArray[np.float64]

# Where a race's curve is kept, in decades from the range test's reading: the best rate of 300 races lay within.
OFFSETS: Floats = np.arange(-8.0, 8.0) * 0.25
# A rate that gives up more than this share of the gain is bad, and how bad says nothing about where the best one lies.
MOST_REGRET = 0.3
# A race whose winner gained less than this share of the constant guess's loss learned nothing about rates.
LEAST_GAIN_SHARE = 0.03
TABLE = "table.csv"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """What one finished race showed.

    Attributes
    ----------
    dataset : str
        Name of the table, without what follows its first dot; rows of one table share it.
    sha256 : str or None
        Of the data, where known: a run is no evidence for a repetition of itself.
    situation : Situation
    regret : (n_offsets,) ndarray
        Share of the gain given up at each of `OFFSETS` from the reading, 0 at the best, capped at `MOST_REGRET`.
    """

    dataset: str
    sha256: str | None
    situation: Situation
    regret: Floats

    def __post_init__(self) -> None:
        """Hold the array still."""
        self.regret.flags.writeable = False


def row_of_run(document: Mapping[str, Any]) -> Row | None:
    """Return what the race in a run.json showed, or None where there was none, it found no signal, or it is damaged.

    Parameters
    ----------
    document : mapping
        The contents of run.json. Nothing in it is trusted.

    Returns
    -------
    Row or None
    """
    try:
        return _row(document)
    # Whatever a hostile or older file lacks, it only means that nothing is learned from it.
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, ZeroDivisionError):
        return None


def _row(document: Mapping[str, Any]) -> Row | None:
    race, data, problem = document["race"], document["data"], document["problem"]
    config, analysis = document["config"], document["analysis"]
    if race is None or not race["gain"] > LEAST_GAIN_SHARE * race["baseline_loss"]:
        return None
    marks = {name: mark["lr"] for name, mark in analysis["landmarks"].items() if mark is not None}
    divergence = marks.get("divergence")
    situation = Situation(
        task=_one_of(config["task"], get_args(Task)),
        n_rows=_count(problem["n_train"]) + _count(problem["n_val"]),
        n_inputs=_count(problem["n_features"]),
        n_outputs=len(problem["classes"]) if config["task"] == "classification" else 1,
        hidden=tuple(_count(width) for width in config["hidden"]),
        optimizer=_one_of(config["optimizer"], FAMILIES),
        batch_size=_count(config["batch_size"]),
        train_steps=_count(config["train_steps"]),
        start_loss=_positive(analysis["start_loss"]),
        min_loss=_number(analysis["min_loss"]),
        noise=_number(analysis["noise"]),
        onset=_positive(marks["onset"]),
        steepest=_positive(marks["steepest"]),
        minimum=_positive(marks["minimum"]),
        divergence=None if divergence is None else _positive(divergence),
        reading=blended_reading(
            steepest=_positive(marks["steepest"]),
            fallen=_positive(marks["fallen"]),
            minimum=_positive(marks["minimum"]),
            ceiling=_positive(config["lr_max"] if divergence is None else divergence),
        ),
    )
    lrs, losses = (np.array([_number(x) for x in race["fit"][name]]) for name in ("lrs", "losses"))
    regret = (losses - losses.min()) / _positive(race["gain"])
    at = np.interp(math.log10(situation.reading) + OFFSETS, np.log10(lrs), regret)
    digest = data["sha256"]
    return Row(
        dataset=dataset_name(data["name"]),
        sha256=digest if isinstance(digest, str) else None,
        situation=situation,
        regret=np.minimum(at, MOST_REGRET),
    )


def _one_of(name: Any, known: Container[str]) -> Any:
    if name not in known:
        raise ValueError("not a known name")
    return name


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a finite number")
    return float(value)


def _positive(value: Any) -> float:
    number = _number(value)
    if number <= 0:
        raise ValueError("not above 0")
    return number


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**53:
        raise ValueError("not a count")
    return value


def dataset_name(file_name: str) -> str:
    """Return what a file's name has before its first dot: all files of one table are called the same."""
    return file_name.rpartition("/")[2].partition(".")[0]


# Columns of the shipped table: the situation's own names, then the regret at each offset.
_SITUATION = tuple(field.name for field in fields(Situation))
_REGRET = tuple(f"regret{offset:+.2f}" for offset in OFFSETS)
_COLUMNS = ("dataset", *_SITUATION, *_REGRET)
_TEXTS = ("task", "optimizer")
_COUNTS = ("n_rows", "n_inputs", "n_outputs", "batch_size", "train_steps")
# Digits of a number in the table: far beyond what a race can tell, and half the size.
DIGITS = 4


def rows_to_csv(rows: Iterable[Row]) -> str:
    """Return rows as the text of a table.

    Parameters
    ----------
    rows : iterable of Row

    Returns
    -------
    str
        CSV, one line a row, numbers to `DIGITS` digits.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        values = [getattr(row.situation, name) for name in _SITUATION]
        writer.writerow([row.dataset, *map(_cell, values), *(f"{number:.{DIGITS - 1}f}" for number in row.regret)])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)


def rows_from_csv(text: str) -> tuple[Row, ...]:
    """Return the rows of a table that `rows_to_csv` wrote.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of Row

    Raises
    ------
    KeyError, ValueError
        If it is not such a table.
    """
    return tuple(_parsed(record) for record in csv.DictReader(io.StringIO(text)))


def _parsed(record: Mapping[str, str]) -> Row:
    values: dict[str, Any] = {}
    for name in _SITUATION:
        cell = record[name]
        if name in _TEXTS:
            values[name] = cell
        elif name == "hidden":
            values[name] = tuple(int(width) for width in cell.split())
        elif name in _COUNTS:
            values[name] = int(cell)
        else:
            values[name] = float(cell) if cell else None
    return Row(
        dataset=record["dataset"],
        sha256=None,
        situation=Situation(**values),
        regret=np.array([float(record[name]) for name in _REGRET]),
    )


@cache
def shipped_rows() -> tuple[Row, ...]:
    """Return the races that lrfind comes with; `make experience` ran them."""
    table = resources.files("lrfind.experience").joinpath(TABLE)
    return rows_from_csv(table.read_text(encoding="utf-8"))


def without(rows: Sequence[Row], dataset: str) -> tuple[Row, ...]:
    """Return the rows of other tables than the one called `dataset`."""
    return tuple(row for row in rows if row.dataset != dataset)


def repeats(row: Row, situation: Situation, *, sha256: str | None) -> bool:
    """Return whether a row is of the same training run on the same data: a repetition is no evidence for itself."""
    setup = ("hidden", "optimizer", "batch_size", "train_steps")
    is_same = all(getattr(row.situation, name) == getattr(situation, name) for name in setup)
    return is_same and row.sha256 is not None and row.sha256 == sha256
