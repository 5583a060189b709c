"""Plan what one column becomes; whatever is fitted is fitted on the training part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.problem.dates import PARTS, date_parts
from lrfind.problem.levels import LevelEncoder, Texts, fit_levels
from lrfind.problem.notes import ColumnNote
from lrfind.problem.scale import Scaler, apply_scaler, fit_scalers
from lrfind.problem.words import MAX_LETTERS, Reading, TextEncoder, fit_text

# Numbers fitted at once: 16 MB, so that the copies a sort and a square need stay small.
BLOCK_VALUES = 2**21

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows of the table in either part, ascending."""

    train: RowArray
    val: RowArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What one column becomes.

    Attributes
    ----------
    column : str
    how : str
        As `Encoding.how`.
    features : tuple of str
        Empty when dropped.
    write : function (rows, out) -> number of clipped values, or None
        Writes the features of some rows of the table; out : (n, n_features).
    notes : tuple of ColumnNote
    """

    column: str
    how: str
    features: tuple[str, ...] = ()
    write: Callable[[RowArray, npt.NDArray[np.float32]], int] | None = None
    notes: tuple[ColumnNote, ...] = ()


def dropped(column: str, why: str, *, note: str | None = None, count: int = 0) -> Plan:
    """Return the plan of a column that becomes nothing.

    Parameters
    ----------
    column : str
    why : str
        A word or three: "constant".
    note : str or None
        Kind of note, as in `lrfind.problem.notes`.
    count : int
        For the note.

    Returns
    -------
    Plan
    """
    notes = () if note is None else (ColumnNote(kind=note, column=column, count=count),)
    return Plan(column=column, how=f"dropped: {why}", notes=notes)


def plan_numbers(columns: Sequence[tuple[str, FloatArray]], rows: Rows) -> Iterator[Plan]:
    """Plan numeric columns: standardised, missing values imputed and marked.

    Parameters
    ----------
    columns : sequence of (name, values)
        Values of all rows of the table; NaN where missing, no infinities.
    rows : Rows

    Yields
    ------
    Plan
    """
    size = max(1, BLOCK_VALUES // len(rows.train))
    for start in range(0, len(columns), size):
        some = columns[start : start + size]
        block = np.stack([values[rows.train] for _, values in some])
        n_missing = np.count_nonzero(np.isnan(block), axis=1)
        for (name, values), missing, scaler in zip(some, n_missing, fit_scalers(block), strict=True):
            yield _plan_number(name, values, n_missing=int(missing), scaler=scaler, rows=rows)


def _plan_number(name: str, values: FloatArray, *, n_missing: int, scaler: Scaler | None, rows: Rows) -> Plan:
    if n_missing == len(rows.train):
        return dropped(name, "empty", note="empty")
    marked = (f"{name} missing",) if n_missing else ()
    if scaler is None and not marked:
        return dropped(name, "constant", note="constant")
    all_missing = n_missing + int(np.count_nonzero(np.isnan(values[rows.val])))
    if scaler is None:
        gaps = (ColumnNote(kind="gaps", column=name, count=all_missing),)
        return Plan(column=name, how="missing indicator", features=marked, write=_marker(values), notes=gaps)

    def write(some: RowArray, out: npt.NDArray[np.float32]) -> int:
        n_clipped, missing = apply_scaler(scaler, values[some], out=out[:, 0])
        if marked:
            out[:, 1] = 0.0 if missing is None else missing
        return n_clipped

    notes = (ColumnNote(kind="missing", column=name, count=all_missing),) if all_missing else ()
    return Plan(column=name, how="standardised", features=(name, *marked), write=write, notes=notes)


def _marker(values: FloatArray) -> Callable[[RowArray, npt.NDArray[np.float32]], int]:
    def write(some: RowArray, out: npt.NDArray[np.float32]) -> int:
        out[:, 0] = np.isnan(values[some])
        return 0

    return write


def plan_date(name: str, values: npt.NDArray[np.generic], *, rows: Rows, is_clock: bool) -> Plan:
    """Plan a date column: elapsed days and cycles, each standardised.

    Parameters
    ----------
    name : str
    values : (n_rows,) ndarray of datetime64[us]
    rows : Rows
    is_clock : bool
        The rows are split by this column: elapsed time is left out, for all held-out rows lie beyond what was learned.

    Returns
    -------
    Plan
    """
    missing = np.isnat(values)
    if missing[rows.train].all():
        return dropped(name, "empty", note="empty")
    scalers = fit_scalers(date_parts(values[rows.train]))
    kept = [(i, s) for i, s in enumerate(scalers) if s is not None and not (is_clock and i == 0)]
    marked = (f"{name} missing",) if missing[rows.train].any() else ()
    features = (*(f"{name} {PARTS[i]}" for i, _ in kept), *marked)
    if not features:
        return (
            dropped(name, "order of the split", note="order")
            if is_clock
            else dropped(name, "constant", note="constant")
        )

    def write(some: RowArray, out: npt.NDArray[np.float32]) -> int:
        parts = date_parts(values[some])
        n_clipped = sum(apply_scaler(scaler, parts[i], out=out[:, j])[0] for j, (i, scaler) in enumerate(kept))
        if marked:
            out[:, -1] = missing[some]
        return n_clipped

    notes = [ColumnNote(kind="date", column=name, count=len(features))]
    notes += [ColumnNote(kind="order", column=name)] if is_clock else []
    if n_missing := int(np.count_nonzero(missing[rows.train]) + np.count_nonzero(missing[rows.val])):
        notes.append(ColumnNote(kind="missing", column=name, count=n_missing))
    return Plan(column=name, how="date parts", features=features, write=write, notes=tuple(notes))


def plan_levels(name: str, texts: Texts, *, counts: Counter[str], rows: Rows, most: int, few: bool) -> Plan:
    """Plan a column of texts that repeat: a 0/1 feature a level.

    Parameters
    ----------
    name : str
    texts : Texts
        Of all rows of the table.
    counts : Counter
        Training rows a level.
    rows : Rows
    most : int
        Levels that get a feature at most.
    few : bool
        The column has few levels; else a feature says how frequent the level is.

    Returns
    -------
    Plan
    """
    encoder = fit_levels(name, counts, n_rows=len(rows.train), most=most, with_counts=not few)
    if encoder is None:
        return dropped(name, "constant", note="constant")
    notes = () if few else (ColumnNote(kind="pooled", column=name, count=len(encoder.index)),)
    return _plan_texts(name, texts, encoder=encoder, notes=notes)


def plan_text(name: str, texts: Texts, *, rows: Rows, reading: Reading, most: int, seed: int) -> Plan:
    """Plan a column of texts that do not repeat.

    Parameters
    ----------
    name : str
    texts : Texts
        Of all rows of the table.
    rows : Rows
    reading : Reading
        How they are taken apart.
    most : int
        Features at most.
    seed : int

    Returns
    -------
    Plan
    """
    encoder = fit_text(name, texts, rows=rows.train, reading=reading, most=most, seed=seed)
    if encoder is None:
        return dropped(name, "constant", note="constant")
    notes = [ColumnNote(kind="text", column=name, count=len(encoder.features))]
    if reading.letters < MAX_LETTERS:
        notes.append(ColumnNote(kind="begun", column=name, count=reading.letters))
    return _plan_texts(name, texts, encoder=encoder, notes=tuple(notes))


def _plan_texts(name: str, texts: Texts, *, encoder: LevelEncoder | TextEncoder, notes: tuple[ColumnNote, ...]) -> Plan:
    def write(some: RowArray, out: npt.NDArray[np.float32]) -> int:
        encoder.write(texts, some, out=out)
        return 0

    return Plan(column=name, how=encoder.how, features=encoder.features, write=write, notes=notes)
