"""Encode the columns of a table as features: what each is taken for, and the matrix they make together."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.data import Column
from lrfind.problem.levels import Texts, clean_texts, frequent
from lrfind.problem.notes import ColumnNote
from lrfind.problem.plan import (
    ID_NAME,
    FloatArray,
    Plan,
    Rows,
    dropped,
    plan_date,
    plan_levels,
    plan_numbers,
    plan_text,
)
from lrfind.problem.target import NUMBER_SHARE, number_label, parse_numbers
from lrfind.problem.value import Encoding
from lrfind.problem.words import N_COMPONENTS

# A text column with at most so many levels is one-hot encoded whole.
FEW_LEVELS = 30
# Levels of a column with more that get a feature of their own.
MOST_LEVELS = 100
# Features all text columns of a table may become together.
MAX_TEXT_FEATURES = 512
# Training rows a level must have on average before its column is taken for repeating codes rather than texts.
ROWS_PER_LEVEL = 5
# Share of different texts from which a column of single words is taken for an id, and any column of short texts.
WORD_ID_SHARE, TEXT_ID_SHARE = 0.5, 0.99
# Words a text has on average from which it may be unique and yet mean something.
MEANING_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """Features of both parts, and what became of each column.

    Attributes
    ----------
    X_train, X_val : (n, n_features) ndarray of float32
    features : tuple of str
    encodings : tuple of Encoding
    notes : tuple of ColumnNote
    """

    X_train: npt.NDArray[np.float32]
    X_val: npt.NDArray[np.float32]
    features: tuple[str, ...]
    encodings: tuple[Encoding, ...]
    notes: tuple[ColumnNote, ...]


def encode(columns: Sequence[Column], rows: Rows, *, split: str, seed: int) -> Encoded:
    """Encode columns as features, fitted on the training part.

    Parameters
    ----------
    columns : sequence of Column
        Without the target.
    rows : Rows
    split : str
        "random", "time:COL" or "group:COL"; the column is not learned from.
    seed : int
        Of the decomposition of texts.

    Returns
    -------
    Encoded
    """
    notes: list[ColumnNote] = []
    plans: dict[int, Plan] = {}
    numbers: dict[int, FloatArray] = {}
    texts: dict[int, tuple[Texts, Counter[str]]] = {}
    kind, _, by = split.partition(":")
    for i, column in enumerate(columns):
        if column.name == by and (kind == "group" or column.kind != "date"):
            plans[i] = dropped(column.name, "group of the split" if kind == "group" else "order of the split")
        elif column.kind == "date":
            plans[i] = plan_date(column.name, column.values, rows=rows, is_clock=column.name == by)
        elif column.kind == "text":
            _take_text(i, column, rows, numbers=numbers, texts=texts, notes=notes)
        else:
            _take_number(i, column, rows, numbers=numbers, texts=texts, plans=plans, notes=notes)
    named = [(columns[i].name, values) for i, values in numbers.items()]
    plans.update(zip(numbers, plan_numbers(named, rows), strict=True))
    plans.update(_plan_texts(columns, texts, rows=rows, seed=seed))
    return _write(columns, [plans[i] for i in range(len(columns))], rows=rows, notes=notes)


def copies(columns: Iterable[Column]) -> list[ColumnNote]:
    """Return a note for each column that repeats an earlier one.

    Parameters
    ----------
    columns : iterable of Column

    Returns
    -------
    list of ColumnNote
    """
    seen: dict[tuple[str, int], list[Column]] = {}
    notes = []
    for column in columns:
        values = column.values
        mark = hash(tuple(values)) if column.kind == "text" else zlib.crc32(np.ascontiguousarray(values).view(np.uint8))
        alike = seen.setdefault((column.kind, mark), [])
        if any(is_copy(column, other) for other in alike):
            notes.append(ColumnNote(kind="duplicate", column=column.name))
        alike.append(column)
    return notes


def is_copy(one: Column, other: Column) -> bool:
    """Say whether two columns hold the same values, missing ones included."""
    if one.kind != other.kind:
        return False
    return bool(np.array_equal(one.values, other.values, equal_nan=one.kind != "text"))


def _take_number(
    i: int,
    column: Column,
    rows: Rows,
    *,
    numbers: dict[int, FloatArray],
    texts: dict[int, tuple[Texts, Counter[str]]],
    plans: dict[int, Plan],
    notes: list[ColumnNote],
) -> None:
    """Take a column for numbers, for codes, or for row numbers."""
    values = _without_infinities(column.name, column.values, rows, notes=notes)
    if column.kind == "number" and ID_NAME.fullmatch(column.name.strip()):
        train = values[rows.train]
        whole = bool((train == np.floor(train)).all())
        steps = np.diff(train)
        if whole and ((steps > 0).all() or (steps < 0).all()):
            plans[i] = dropped(column.name, "row numbers", note="rownumber")
            return
        n_levels = len(np.unique(train))
        if whole and n_levels > FEW_LEVELS and len(train) >= ROWS_PER_LEVEL * n_levels:
            labels = [None if np.isnan(value) else number_label(value) for value in values]
            texts[i] = labels, _counts(labels, rows)
            return
    numbers[i] = values


def _take_text(
    i: int,
    column: Column,
    rows: Rows,
    *,
    numbers: dict[int, FloatArray],
    texts: dict[int, tuple[Texts, Counter[str]]],
    notes: list[ColumnNote],
) -> None:
    """Take a text column for texts, or for numbers when nearly all its values are."""
    cleaned = clean_texts(column.values)
    counts = _counts(cleaned, rows)
    if len(counts) > FEW_LEVELS and not any(text[0] == "0" and text[1:2].isdigit() for text in counts):
        parsed = parse_numbers(np.array(cleaned, dtype=object))
        used = np.isnan(parsed[rows.train])
        n_known = counts.total()
        n_numbers = int(np.count_nonzero(~used))
        if n_numbers >= NUMBER_SHARE * n_known:
            notes.append(ColumnNote(kind="unparsed", column=column.name, count=n_known - n_numbers))
            numbers[i] = _without_infinities(column.name, parsed, rows, notes=notes)
            return
    texts[i] = cleaned, counts


def _without_infinities(
    name: str, values: npt.NDArray[np.generic], rows: Rows, *, notes: list[ColumnNote]
) -> FloatArray:
    numbers = values.astype(np.float64, copy=False)
    infinite = np.isinf(numbers)
    if not infinite.any():
        return numbers
    count = int(np.count_nonzero(infinite[rows.train]) + np.count_nonzero(infinite[rows.val]))
    if count:
        notes.append(ColumnNote(kind="infinite", column=name, count=count))
    return np.where(infinite, np.nan, numbers)


def _counts(texts: Texts, rows: Rows) -> Counter[str]:
    return Counter(text for text in (texts[i] for i in rows.train) if text is not None)


def _plan_texts(
    columns: Sequence[Column], texts: dict[int, tuple[Texts, Counter[str]]], *, rows: Rows, seed: int
) -> dict[int, Plan]:
    """Plan the text columns, sharing out the features they may become together."""
    roles = {i: _role(counts) for i, (_, counts) in texts.items()}
    wanted = {
        i: N_COMPONENTS if roles[i] == "text" else min(MOST_LEVELS, len(frequent(counts, n_rows=len(rows.train))))
        for i, (_, counts) in texts.items()
        if roles[i] in ("few", "many", "text")
    }
    most = _share_out(list(wanted.values()))
    plans = {}
    for i, (values, counts) in texts.items():
        name = columns[i].name
        if roles[i] == "empty":
            plans[i] = dropped(name, "empty", note="empty")
        elif roles[i] == "id":
            plans[i] = dropped(name, "id-like", note="id", count=len(counts))
        elif roles[i] == "text":
            plans[i] = plan_text(name, values, rows=rows, most=most, seed=seed)
        else:
            plans[i] = plan_levels(name, values, counts=counts, rows=rows, most=most, few=roles[i] == "few")
    return plans


def _role(counts: Counter[str]) -> str:
    """Return what texts are: "empty", "few" levels, "many" levels, an "id" or "text"."""
    n_known, n_levels = counts.total(), len(counts)
    if not n_known:
        return "empty"
    share = n_levels / n_known
    n_words = sum(text.count(" ") + 1 for text in counts) / n_levels
    if share >= TEXT_ID_SHARE and n_words < MEANING_WORDS and n_known > 1:
        return "id"
    if n_levels <= FEW_LEVELS:
        return "few"
    if share > WORD_ID_SHARE and n_words < 1.05:
        return "id"
    return "many" if n_known >= ROWS_PER_LEVEL * n_levels else "text"


def _share_out(wanted: Sequence[int]) -> int:
    """Return the cap on each column's features that keeps their sum within `MAX_TEXT_FEATURES`, but at least two."""
    most = max(wanted, default=0)
    while most > 2 and sum(min(want, most) for want in wanted) > MAX_TEXT_FEATURES:
        most -= 1
    return most


def _write(columns: Sequence[Column], plans: Sequence[Plan], *, rows: Rows, notes: list[ColumnNote]) -> Encoded:
    width = sum(len(plan.features) for plan in plans)
    X_train = np.empty((len(rows.train), width), np.float32)
    X_val = np.empty((len(rows.val), width), np.float32)
    encodings = []
    start = 0
    for column, plan in zip(columns, plans, strict=True):
        stop = start + len(plan.features)
        if plan.write is not None:
            n_clipped = plan.write(rows.train, X_train[:, start:stop]) + plan.write(rows.val, X_val[:, start:stop])
            if n_clipped:
                notes.append(ColumnNote(kind="extreme", column=column.name, count=n_clipped))
        notes += plan.notes
        n_missing = _n_missing(column, rows)
        encodings.append(
            Encoding(column=column.name, how=plan.how, n_features=len(plan.features), n_missing=n_missing)
        )
        start = stop
    features = tuple(name for plan in plans for name in plan.features)
    return Encoded(X_train=X_train, X_val=X_val, features=features, encodings=tuple(encodings), notes=tuple(notes))


def _n_missing(column: Column, rows: Rows) -> int:
    if column.kind == "text":
        values = column.values
        return sum(values[i] is None for part in (rows.train, rows.val) for i in part)
    missing = np.isnat(column.values) if column.kind == "date" else np.isnan(column.values.astype(np.float64, copy=False))
    return int(np.count_nonzero(missing[rows.train]) + np.count_nonzero(missing[rows.val]))
