"""Encode the columns of a table as features: what each is taken for, and the matrix they make together."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lrfind.data import Column
from lrfind.problem.labels import are_codes, number_label, parse_numbers
from lrfind.problem.levels import Texts, frequent, read_texts
from lrfind.problem.notes import ColumnNote
from lrfind.problem.numbering import PlaceArray, is_named_id, numbering
from lrfind.problem.plan import (
    FloatArray,
    Plan,
    Rows,
    dropped,
    plan_date,
    plan_levels,
    plan_numbers,
    plan_text,
)
from lrfind.problem.target import BINARY, NUMBER_SHARE
from lrfind.problem.value import Encoding
from lrfind.problem.words import Volume, n_components, readings, volume_of

# A text column with at most so many levels is one-hot encoded whole.
FEW_LEVELS = 30
# Levels of a column with more that get a feature of their own.
MOST_LEVELS = 100
# Features all text columns of a table may become together.
MAX_TEXT_FEATURES = 512
# Training rows a level must have on average before its column is taken for repeating codes rather than texts.
ROWS_PER_LEVEL = 5
# How a column that numbers the rows is left out.
ROW_NUMBERS = "row numbers"
# Share of different texts from which a column of single words is taken for an id, and any column of short texts.
WORD_ID_SHARE, TEXT_ID_SHARE = 0.5, 0.99
# What became of texts that there was no time to read: nothing, or a feature for each that comes often.
UNREAD, SKIMMED = "dropped: not read", "frequent levels for want of time"
# Words a text has on average below which a column is one of single words, a few slips allowed.
SINGLE_WORD = 1.05
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


def encode(
    columns: Sequence[Column], rows: Rows, *, places: PlaceArray, split: str, seed: int, most_pieces: int | None = None
) -> Encoded:
    """Encode columns as features, fitted on the training part.

    Parameters
    ----------
    columns : sequence of Column
        Without the target.
    rows : Rows
    places : (n_rows,) ndarray of int64
        Which row of the file each row of the table is.
    split : str
        "random", "time:COL" or "group:COL"; the column is not learned from.
    seed : int
        Of the decomposition of texts.
    most_pieces : int or None
        Words or letter groups that all texts together may be taken apart into; with 0, only the most frequent texts of
        a column get features, and columns in which none repeats are left out while there is anything else.

    Returns
    -------
    Encoded
    """
    taken = [_read(column, rows, places=places, split=split) for column in columns]
    if not any(isinstance(reading, _Numbers | _Texts) or reading.features for reading in taken):
        # a lone column that rises evenly may be all there is to learn from
        taken = [_unless_named(column, reading, rows=rows) for column, reading in zip(columns, taken, strict=True)]
    plans = {i: reading for i, reading in enumerate(taken) if isinstance(reading, Plan)}
    numbers = {i: reading for i, reading in enumerate(taken) if isinstance(reading, _Numbers)}
    texts = {i: reading for i, reading in enumerate(taken) if isinstance(reading, _Texts)}
    planned = plan_numbers([(reading.name, reading.values) for reading in numbers.values()], rows)
    plans.update(zip(numbers, planned, strict=True))
    told = _plan_texts(list(texts.values()), rows, seed=seed, most_pieces=most_pieces)
    unread = [i for i, plan in enumerate(told) if plan.how == UNREAD]
    if unread and not any(plan.features for plan in (*plans.values(), *told)):
        # better late than without anything to learn from: the one that is read soonest
        columns_of_text = list(texts.values())
        least = min(unread, key=lambda i: columns_of_text[i].volume.n_letters)
        (told[least],) = _plan_texts([columns_of_text[least]], rows, seed=seed, most_pieces=1)
    plans.update(zip(texts, told, strict=True))
    notes = [note for reading in numbers.values() for note in reading.notes]
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
        mark = hash(tuple(values)) if column.kind == "text" else zlib.crc32(values.tobytes())
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Numbers:
    """A column taken for numbers: NaN where missing or infinite."""

    name: str
    values: FloatArray
    notes: tuple[ColumnNote, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Texts:
    """A column taken for texts, and the training rows each has."""

    name: str
    values: Texts
    counts: Counter[str]
    volume: Volume


def _read(column: Column, rows: Rows, *, places: PlaceArray, split: str) -> Plan | _Numbers | _Texts:
    """Decide what a column is taken for."""
    kind, _, by = split.partition(":")
    if column.name == by and (kind == "group" or column.kind != "date"):
        note = "group" if kind == "group" else "order"
        return dropped(column.name, f"{note} of the split", note=note)
    if column.kind == "date":
        return plan_date(column.name, column.values, rows=rows, is_clock=column.name == by)
    return (_read_texts if column.kind == "text" else _read_numbers)(column, rows, places=places)


def _unless_named(column: Column, reading: Plan | _Numbers | _Texts, *, rows: Rows) -> Plan | _Numbers | _Texts:
    """Take a column for numbers after all where its values alone said that it numbers the rows."""
    is_counter = isinstance(reading, Plan) and reading.how == f"dropped: {ROW_NUMBERS}" and column.kind == "number"
    if not is_counter or is_named_id(column.name) or column.is_row_name:
        return reading
    return _finite(column.name, column.values.astype(np.float64, copy=False), rows=rows)


def _read_numbers(column: Column, rows: Rows, *, places: PlaceArray) -> Plan | _Numbers | _Texts:
    """Take a column for numbers, for codes, or for row numbers."""
    values = column.values.astype(np.float64, copy=False)
    if column.kind == "number":
        if (plan := _plan_numbering(column, values, places=places)) is not None:
            return plan
        known = values[rows.train][np.isfinite(values[rows.train])]
        if is_named_id(column.name) and len(known) and bool((known == np.floor(known)).all()):
            n_levels = len(np.unique(known))
            if n_levels > FEW_LEVELS and len(known) >= ROWS_PER_LEVEL * n_levels:
                found, codes = np.unique(values, return_inverse=True)
                whole = np.flatnonzero(np.isfinite(found))
                texts = Texts(levels=tuple(number_label(v) for v in found[whole]), codes=_codes(codes, whole=whole))
                return _texts(column.name, texts, counts=texts.counts(rows.train))
    return _finite(column.name, values, rows=rows)


def _plan_numbering(column: Column, values: FloatArray, *, places: PlaceArray) -> Plan | None:
    """Leave out a column that numbers the rows, or names them by whole numbers."""
    how = numbering(column.name, values, places=places, is_row_name=column.is_row_name)
    if how is None:
        return None
    if how == ROW_NUMBERS:
        return dropped(column.name, how, note="rownumber")
    return dropped(column.name, how, note="numberid", count=len(np.unique(values[np.isfinite(values)])))


def _read_texts(column: Column, rows: Rows, *, places: PlaceArray) -> Plan | _Numbers | _Texts:
    """Take a text column for texts, or for numbers when nearly all its values are."""
    texts = read_texts(column.values)
    counts = texts.counts(rows.train)
    if len(counts) > FEW_LEVELS and not column.is_category and not are_codes(counts):
        parsed = np.append(parse_numbers(texts.levels), np.nan)[texts.codes]
        n_none = counts.total() - int(np.count_nonzero(~np.isnan(parsed[rows.train])))
        if n_none <= (1 - NUMBER_SHARE) * counts.total():
            if (plan := _plan_numbering(column, parsed, places=places)) is not None:
                return plan
            n_lost = sum(int(np.isnan(parsed[part][texts.codes[part] >= 0]).sum()) for part in (rows.train, rows.val))
            note = ColumnNote(kind="unparsed", column=column.name, count=n_lost)
            numbers = _finite(column.name, parsed, rows=rows)
            return replace(numbers, notes=(note, *numbers.notes))
    return _texts(column.name, texts, counts=counts)


def _texts(name: str, texts: Texts, *, counts: Counter[str]) -> _Texts:
    return _Texts(name=name, values=texts, counts=counts, volume=volume_of(counts))


def _finite(name: str, values: FloatArray, *, rows: Rows) -> _Numbers:
    infinite = np.isinf(values)
    if not infinite.any():
        return _Numbers(name=name, values=values, notes=())
    count = int(np.count_nonzero(infinite[rows.train]) + np.count_nonzero(infinite[rows.val]))
    notes = (ColumnNote(kind="infinite", column=name, count=count),) if count else ()
    return _Numbers(name=name, values=np.where(infinite, np.nan, values), notes=notes)


def _codes(codes: npt.NDArray[np.int64], *, whole: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Renumber codes so that those in `whole` count from 0 and all others are -1."""
    renumbered = np.full(int(codes.max()) + 1, -1)
    renumbered[whole] = np.arange(len(whole))
    return renumbered[codes]


def _plan_texts(columns: Sequence[_Texts], rows: Rows, *, seed: int, most_pieces: int | None) -> list[Plan]:
    """Plan the text columns, sharing out the features they may become together."""
    roles = [_role(column) for column in columns]
    most = _share_out([_wish(column, rows, role=role) for column, role in zip(columns, roles, strict=True)])
    texts = [column.volume for column, role in zip(columns, roles, strict=True) if role == "text"]
    how = iter(readings(texts, most=most_pieces))
    if most_pieces == 0:
        roles = [
            _unread_role(column, rows) if role == "text" else role for column, role in zip(columns, roles, strict=True)
        ]
    return [
        plan_text(
            column.name,
            column.values,
            rows=rows,
            reading=next(how),
            seed=seed,
            most=min(most, n_components(column.volume)),
        )
        if role == "text"
        else _plan_levels(column, rows, role=role, most=most)
        for column, role in zip(columns, roles, strict=True)
    ]


def _wish(column: _Texts, rows: Rows, *, role: str) -> int:
    """Return how many features a text column would become if there were no others."""
    if role in ("empty", "id"):
        return 0
    if role == "text":
        return n_components(column.volume)
    return min(MOST_LEVELS, len(frequent(column.counts, n_rows=len(rows.train))))


def _plan_levels(column: _Texts, rows: Rows, *, role: str, most: int) -> Plan:
    name, texts, counts = column.name, column.values, column.counts
    if role == "empty":
        return dropped(name, "empty", note="empty")
    if role == "unread":
        return dropped(name, UNREAD.removeprefix("dropped: "), note="unread")
    if role == "id":
        return dropped(name, "id-like", note="id", count=len(texts.counts(np.concatenate([rows.train, rows.val]))))
    plan = plan_levels(name, texts, counts=counts, rows=rows, most=most, few=role == "few")
    if role == "skimmed":
        note = ColumnNote(kind="skimmed", column=name, count=len(plan.features))
        return replace(plan, how=SKIMMED, notes=(note,))
    return plan


def _role(column: _Texts) -> str:
    """Return what texts are: "empty", "few" levels, "many" levels, an "id" or "text"."""
    n_known, n_levels = column.counts.total(), len(column.counts)
    if not n_known:
        return "empty"
    share = n_levels / n_known
    n_words = column.volume.n_words / n_levels
    if share >= TEXT_ID_SHARE and n_words < MEANING_WORDS and n_known > 1:
        return "id"
    if n_levels <= FEW_LEVELS:
        return "few"
    if share > WORD_ID_SHARE and n_words < SINGLE_WORD:
        return "id"
    return "many" if n_known >= ROWS_PER_LEVEL * n_levels else "text"


def _unread_role(column: _Texts, rows: Rows) -> str:
    """Return what becomes of texts that there is no time to read: "skimmed" where some are frequent, or "unread"."""
    repeats = max(column.counts.values()) > 1 and frequent(column.counts, n_rows=len(rows.train))
    return "skimmed" if repeats else "unread"


def _share_out(wanted: Sequence[int]) -> int:
    """Return the cap on each column's features that keeps their sum within `MAX_TEXT_FEATURES`, but at least two."""
    most = max(wanted, default=0)
    while most > BINARY and sum(min(want, most) for want in wanted) > MAX_TEXT_FEATURES:
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
        if n_missing and plan.features and column.kind == "text" and plan.how != "standardised":
            notes.append(ColumnNote(kind="blank", column=column.name, count=n_missing))
        encodings.append(Encoding(column=column.name, how=plan.how, n_features=len(plan.features), n_missing=n_missing))
        start = stop
    features = tuple(name for plan in plans for name in plan.features)
    return Encoded(X_train=X_train, X_val=X_val, features=features, encodings=tuple(encodings), notes=tuple(notes))


def _n_missing(column: Column, rows: Rows) -> int:
    if column.kind == "text":
        return sum(column.values[part].tolist().count(None) for part in (rows.train, rows.val))
    is_date = column.kind == "date"
    missing = np.isnat(column.values) if is_date else np.isnan(column.values.astype(np.float64, copy=False))
    return int(np.count_nonzero(missing[rows.train]) + np.count_nonzero(missing[rows.val]))
