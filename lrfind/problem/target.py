"""Choose the column to predict, and whether to predict a class or a number."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lrfind.data import Column, Table
from lrfind.errors import DataError, TargetError, UsageError
from lrfind.problem.labels import TRUTH_LABELS, natural_key, number_label, parse_numbers, read_labels
from lrfind.problem.value import ASKED, NAMED, Task
from lrfind.text import listed, nearest, plain_choice, printable

# Names people give to what they want to predict, most telling first.
TARGET_NAMES = ("target", "label", "class", "y", "outcome")
# Why a column is the target, when that is a guess.
LAST, PERHAPS_A_PLACE = "it is the last column", "of its name, though y beside x and z may be a place"
TASKS = ("auto", "classification", "regression")
# Whole numbers up to this many distinct values may be codes of classes: ten digits are, eleven counts rarely.
MAX_CODES = 10
# Whole numbers of up to so many distinct values may be names of classes that were numbered in some way of their own.
MOST_NAMES = 30
# Rows a code must have on average before a small sample of counts is taken for classes.
MIN_ROWS_PER_CODE = 3
# Above it a softmax over the classes is wider than any network this tool is for.
MAX_CLASSES = 1000
# Fewest rows that leave two to validate on and six to learn from.
MIN_ROWS = 8
# A text column is a column of numbers when at least this share of its values are; the rest are typing errors.
NUMBER_SHARE = 0.9
# Spread below this share of the mean is rounding: float64 carries 16 digits and a mean of many loses a few.
ROUNDING = 1e-12
# Words in a target's name that promise an amount or an order, not a code.
AMOUNT_WORDS = frozenset({
    "age", "amount", "count", "counts", "days", "grade", "hours", "n", "num", "number", "quality", "quantity",
    "rank", "rating", "ratings", "score", "scores", "stars", "visits",
})  # fmt: skip
# Two values are two classes, whatever they are.
BINARY = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """The target read for its task, over all rows of the table.

    Attributes
    ----------
    task : {"classification", "regression"}
    task_reason : str
        In words that follow "because".
    rows : (n_used,) ndarray of int64
        Rows of the table that have a target, ascending.
    values : (n_used,) ndarray of int64 (codes) or float64
    classes : tuple of str
        Empty for regression.
    notes : tuple of str
    remarks : tuple of str
        Those of `notes` that are told beside the answer.
    doubt : str
        The option that chooses the other task, and when to give it; empty where the values leave no doubt.
    """

    task: Task
    task_reason: str
    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.generic]
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    doubt: str = ""


def find_column(table: Table, name: str, *, option: str) -> Column:
    """Return the column called `name`.

    Parameters
    ----------
    table : Table
    name : str
    option : str
        What the user wrote it for, such as "--target".

    Returns
    -------
    Column

    Raises
    ------
    UsageError
        No column has that name; the message suggests the nearest one.
    """
    names = [column.name for column in table.columns]
    if name in names:
        return table.columns[names.index(name)]
    where = f"{option}: no column '{printable(name, width=40)}' in {printable(table.source.name)}"
    if not name.strip():
        raise UsageError(f"{option} is empty; give the name of a column: {listed(names)}")
    close = nearest(name, names)
    if close is not None:
        raise UsageError(f"{where}; did you mean '{printable(close, width=40)}'? The columns are {listed(names)}")
    if re.fullmatch(r"[+-]?\d+", name):
        raise UsageError(f"{where}; columns are chosen by name, not by position: {listed(names)}")
    raise UsageError(f"{where}; the columns are {listed(names)}")


def choose_target(table: Table, target: str | None) -> tuple[Column, str]:
    """Return the column to predict and why it was chosen.

    Parameters
    ----------
    table : Table
    target : str or None
        As given; None to look for a telling name, else take the last column.

    Returns
    -------
    column : Column
    reason : str
        In words that follow "because".
    """
    if not table.columns or not table.n_rows:
        what = "columns" if not table.columns else "rows"
        raise DataError(f"{printable(table.source.name)} has no {what}; expected a table with a header and rows")
    if target is not None:
        return find_column(table, target, option="--target"), ASKED
    by_lower = {column.name.strip().lower(): column for column in reversed(table.columns)}
    for name in TARGET_NAMES:
        if name in by_lower:
            # beside an x and a z, a y is a place as often as an answer
            is_place = name == "y" and {"x", "z"} <= set(by_lower)
            return by_lower[name], PERHAPS_A_PLACE if is_place else NAMED
    return table.columns[-1], LAST


def read_target(column: Column, task: str) -> Target:
    """Read the target as classes or as numbers.

    Parameters
    ----------
    column : Column
    task : {"auto", "classification", "regression"}

    Returns
    -------
    Target

    Raises
    ------
    UsageError
        The task is unknown.
    DataError
        Nothing can be learned from the column; the message says why and what to do. A `TargetError` where another
        column may do.
    """
    task = plain_choice(task)
    if task not in TASKS:
        close = nearest(task, TASKS)
        hint = f"; did you mean {close}?" if close else ""
        got = printable(task, width=40)
        raise UsageError(f"--task: expected auto, classification or regression, got '{got}'{hint}")
    if column.kind == "date":
        raise TargetError(
            f"the target {_quoted(column)} is a date, which can be neither a class nor an amount; "
            "choose another --target, or turn it into a number first"
        )
    numbers = _numbers(column)
    chosen, reason = _choose_task(column, numbers=numbers, task=task)
    doubt = _doubt(column, chosen, numbers=numbers) if task == "auto" else ""
    if chosen == "classification":
        return replace(_classification(column, reason), doubt=doubt)
    if numbers is None:
        raise TargetError(_text_for_regression(column))
    return replace(_regression(column, numbers=numbers, reason=reason), doubt=doubt)


def _quoted(column: Column) -> str:
    return f"'{printable(column.name, width=40)}'"


def _present(column: Column) -> npt.NDArray[np.bool_]:
    if column.kind == "text":
        return np.array([text is not None and text.strip() != "" for text in column.values], dtype=bool)
    return ~np.isnan(column.values.astype(np.float64))


def _numbers(column: Column) -> npt.NDArray[np.float64] | None:
    """Return the column as numbers, or None when it is text that is not."""
    if column.kind != "text":
        return column.values.astype(np.float64)
    numbers = parse_numbers(column.values)
    n_numbers, n_present = int(np.count_nonzero(~np.isnan(numbers))), int(np.count_nonzero(_present(column)))
    return numbers if n_numbers >= NUMBER_SHARE * n_present else None


def _choose_task(column: Column, *, numbers: npt.NDArray[np.float64] | None, task: str) -> tuple[Task, str]:
    if task == "classification":
        return "classification", "it was asked for"
    if task == "regression":
        return "regression", "it was asked for"
    if column.is_category:
        return "classification", "the target's values are categories"
    if numbers is None:
        return "classification", "the target is text"
    if column.kind == "boolean":
        spelled = column.labels or TRUTH_LABELS
        return "classification", f"the target is {' or '.join(printable(label, width=20) for label in spelled)}"
    return _task_of_numbers(column.name, numbers[np.isfinite(numbers)])


def _doubt(column: Column, chosen: Task, *, numbers: npt.NDArray[np.float64] | None) -> str:
    """Return how to choose the other task where a few numbers may be names of classes as well as amounts."""
    if numbers is None or column.kind == "boolean":
        return ""
    known = numbers[np.isfinite(numbers)]
    distinct = np.unique(known)
    if column.is_category or (chosen == "classification" and len(distinct) > BINARY):
        return "--task regression if they are amounts"
    is_whole = bool((distinct == np.floor(distinct)).all())
    n_most = MOST_NAMES if is_whole else MAX_CODES
    repeats = len(known) >= MIN_ROWS_PER_CODE * len(distinct)
    return "--task classification if they name classes" if BINARY < len(distinct) <= n_most and repeats else ""


def _text_for_regression(column: Column) -> str:
    present = _present(column)
    numbers = parse_numbers(column.values)
    other = np.flatnonzero(present & np.isnan(numbers))
    return (
        f"--task regression needs numbers, but the target {_quoted(column)} holds text in {len(other):,} of "
        f"{np.count_nonzero(present):,} rows, such as '{printable(column.values[other[0]], width=40)}'; "
        "choose another --target or --task classification"
    )


def _task_of_numbers(name: str, numbers: npt.NDArray[np.float64]) -> tuple[Task, str]:
    distinct = np.unique(numbers)
    if len(distinct) <= BINARY:
        return "classification", "the target has only two distinct values"
    if len(distinct) > MAX_CODES:
        return "regression", f"the target is a number with {len(distinct):,} distinct values"
    shown = f"{number_label(distinct[0])} to {number_label(distinct[-1])}"
    if not np.array_equal(distinct, distinct[0] + np.arange(len(distinct))) or distinct[0] not in (0, 1):
        return "regression", f"the target's {len(distinct)} values are not whole numbers counting up from 0 or 1"
    if set(re.split(r"[^a-z]+", name.lower())) & AMOUNT_WORDS:
        return "regression", f"values {shown} are amounts by its name"
    if len(numbers) < MIN_ROWS_PER_CODE * len(distinct):
        return "regression", f"the target's values {shown} hardly repeat"
    reason = f"the target's values are the whole numbers {shown} (--task regression if they are amounts)"
    return "classification", reason


def _dropped(column: Column, keep: npt.NDArray[np.bool_], *, infinite: int) -> list[str]:
    """Say how many rows have no target, and stop when too few have one."""
    name = _quoted(column)
    n_used, n_rows = int(np.count_nonzero(keep)), len(keep)
    if n_used == 0:
        raise TargetError(
            f"the target {name} is empty: all {n_rows:,} values are missing or infinite; choose another --target"
        )
    if n_used < MIN_ROWS:
        raise DataError(
            f"too few rows: got {n_used:,} with a value of the target {name} (of {n_rows:,}), need at least {MIN_ROWS}"
        )
    notes = []
    missing = n_rows - n_used - infinite
    if missing:
        notes.append(f"{_rows(missing)} without a target left out: {_why_missing(column)}")
    if infinite:
        notes.append(f"{_rows(infinite)} with an infinite target left out: inf is no amount")
    return notes


def _why_missing(column: Column) -> str:
    if not column.dropped_texts:
        return "the value is missing"
    words = listed((word for word, _ in column.dropped_texts), most=3)
    n_rows = _rows(sum(count for _, count in column.dropped_texts))
    return f'{words} in {n_rows} was read as missing (--na "" keeps it as a class)'


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _regression(column: Column, *, numbers: npt.NDArray[np.float64], reason: str) -> Target:
    name = _quoted(column)
    keep = np.isfinite(numbers)
    notes = _dropped(column, keep, infinite=int(np.count_nonzero(np.isinf(numbers))))
    if column.kind == "text":
        other = int(np.count_nonzero(_present(column) & np.isnan(numbers)))
        if other:
            notes.append(f"the target {name} mixes numbers and text; the {other:,} with text were left out")
    values = numbers[keep]
    if is_constant(values):
        raise TargetError(
            f"the target {name} is constant, it has only one value, {values[0]:.6g}: there is nothing to learn; "
            "choose another --target"
        )
    return Target(
        task="regression", task_reason=reason, rows=np.flatnonzero(keep), values=values, classes=(), notes=tuple(notes)
    )


def is_constant(values: npt.NDArray[np.float64]) -> bool:
    """Say whether numbers differ by no more than rounding."""
    largest = float(np.abs(values).max())
    return largest == 0 or float((values / largest).max() - (values / largest).min()) <= ROUNDING


def _classification(column: Column, reason: str) -> Target:
    labels, keep, remarks = read_labels(column)
    used = [label for label, kept in zip(labels, keep, strict=True) if kept]
    infinite = int(np.count_nonzero(np.isinf(column.values.astype(np.float64)))) if column.kind == "number" else 0
    notes = _dropped(column, keep, infinite=infinite)
    counts = Counter(used)
    _refuse_classes(column, counts)
    classes = sorted(counts, key=natural_key)
    code = {label: i for i, label in enumerate(classes)}
    return Target(
        task="classification",
        task_reason=reason,
        rows=np.flatnonzero(keep),
        values=np.fromiter((code[label] for label in used), np.int64, len(used)),
        classes=tuple(classes),
        notes=(*notes, *remarks),
        remarks=tuple(remarks),
    )


def _refuse_classes(column: Column, counts: Counter[str]) -> None:
    name, n_rows = _quoted(column), counts.total()
    if len(counts) == 1:
        raise TargetError(
            f"the target {name} has only one {'value' if column.kind == 'number' else 'class'}, {listed(counts)}: "
            "it is constant and there is nothing to learn; choose another --target"
        )
    hint = "choose another --target" + (", or --task regression" if column.kind == "number" else "")
    if len(counts) > MAX_CLASSES:
        raise TargetError(f"the target {name} has {len(counts):,} classes, more than {MAX_CLASSES:,}; {hint}")
    if len(counts) * 2 > n_rows:
        raise TargetError(
            f"the target {name} has {len(counts):,} different labels in {n_rows:,} rows, too few rows a class; {hint}"
        )
