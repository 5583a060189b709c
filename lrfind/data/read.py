"""The story: `read_table(source)` opens, looks, keeps rows, decides kinds, and tells what it did."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lrfind.data import kinds, query
from lrfind.data.arrays import table_from_npz
from lrfind.data.condition import condition_errors, condition_of
from lrfind.data.formats import Relation, joined, relation_of, without
from lrfind.data.source import OpenFile, open_sources
from lrfind.data.spellings import Asked, Reading
from lrfind.data.table import Column, Kind, Source, Table
from lrfind.errors import DataError, UsageError
from lrfind.text import listed, nearest, printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# More rows than any small model needs to show its best learning rate, and few enough (100 columns: 80 MB) for any
# machine; `sample` raises it.
MAX_ROWS = 100_000
# A target and a feature.
MIN_COLUMNS = 2

# How the values of each kind are held, and what stands for a missing one.
MISSING: Mapping[Kind, tuple[str, object]] = {
    "number": ("float64", np.nan),
    "boolean": ("float64", np.nan),
    "date": ("datetime64[us]", np.datetime64("NaT", "us")),
    "text": ("object", None),
}


def read_table(
    source: str, *, where: str | None = None, columns: Sequence[str] | None = None, drop: Sequence[str] | None = None,
    sample: int | None = None, seed: int = 0, keep: str | None = None, na: Sequence[str] | None = None,
    text: Sequence[str] | None = None,
) -> Table:  # fmt: skip
    """Read a table from a file.

    Parameters
    ----------
    source : str
        CSV, TSV, Parquet, JSON lines, a JSON array of records or .npz; plain, gzip or zstandard; a pattern such as
        "part-*.csv" for several files with the same columns; "-" for standard input.
    where : str or None
        An SQL condition over the columns; other rows are left out.
    columns : sequence of str or None
        The columns to read; default all.
    drop : sequence of str or None
        Columns to leave out.
    sample : int or None
        Most rows to keep, at random over the whole file; default `MAX_ROWS`.
    seed : int
        Of the sample; the same seed keeps the same rows.
    keep : str or None
        A column that is read whatever `columns` and `drop` say: the target.
    na : sequence of str or None
        Texts that are read as missing, spelled exactly so; blanks always are. Default the usual ones, such as NA, n/a,
        NaN and null, in any case.
    text : sequence of str or None
        Columns that are read as text, though their values look like numbers, dates or booleans.

    Returns
    -------
    Table
        Rows in the order of the file.

    Raises
    ------
    DataError
        The file cannot be read, or does not hold what was asked for.
    UsageError
        An option cannot be used.
    """
    if sample is not None and sample < 1:
        raise UsageError(f"--sample is {sample}, and has to be at least 1 row")
    if seed < 0:
        raise UsageError(f"--seed is {seed}, and has to be 0 or more")
    with contextlib.ExitStack() as stack:
        files = []
        for opened in open_sources(source):
            stack.enter_context(opened.file)
            files.append(opened)
        described = _source_of(source, files)
        if any(opened.format == "npz" for opened in files):
            options = {"where": where, "columns": columns, "drop": drop, "na": na, "text": text}
            return _from_npz(described, files, options=options, sample=sample, seed=seed)
        connection = stack.enter_context(contextlib.closing(query.connect(files)))
        with query.plain_errors(files):
            relation = joined([relation_of(opened, connection, keep=keep, text=text or ()) for opened in files], files)
            positions = _wanted(relation.names, described.name, columns=columns, drop=drop, keep=keep, text=text)
            if na is not None:
                relation = without(relation, {word.strip() for word in na})
            has_words = na is None
            kept = _kept(
                connection, relation, positions=positions, where=where, cap=sample or MAX_ROWS, seed=seed,
                has_words=has_words,
            )  # fmt: skip
            if kept.n_rows == 0:
                raise DataError(_no_rows(described.name, relation, filtered=where is not None))
            asked = Asked(
                connection=connection, table="kept", names={i: relation.names[i] for i in positions},
                place=_places(relation, kept, filtered=where is not None), comma_likely=relation.has_semicolons,
                has_words=has_words,
            )  # fmt: skip
            found, notes = _readings(asked, relation)
            made = _columns(connection, relation, found=found)
            is_part = where is not None or kept.n_rows < kept.n_rows_total
            places = query.places(connection) if is_part else None
        if kept.n_rows < kept.n_rows_total:
            notes.insert(0, f"used {kept.n_rows:,} of {kept.n_rows_total:,} rows, chosen at random with seed {seed}")
        detected = (*_detected_in(files), *relation.detected)
        return Table(
            source=replace(described, detected=detected), columns=made, n_rows=kept.n_rows,
            n_rows_total=kept.n_rows_total,
            notes=(*(note for opened in files for note in opened.notes), *relation.notes, *notes), places=places,
        )  # fmt: skip


def _source_of(source: str, files: Sequence[OpenFile]) -> Source:
    first = files[0]
    hashes = [opened.sha256 for opened in files]
    if len(files) == 1:
        sha256 = first.sha256
    else:
        whole = "".join(each or "" for each in hashes)
        sha256 = hashlib.sha256(whole.encode()).hexdigest() if all(hashes) else None
    times = [opened.mtime for opened in files if opened.mtime is not None]
    return Source(
        name=first.name if len(files) == 1 else source, path=source,
        format="jsonl" if first.format == "json" else first.format, sha256=sha256,
        size=sum(opened.size for opened in files), mtime=max(times, default=None), detected=(),
    )  # fmt: skip


def _detected_in(files: Sequence[OpenFile]) -> tuple[tuple[str, str], ...]:
    """Return what was detected while opening, once each."""
    return tuple(dict.fromkeys(pair for opened in files for pair in opened.detected))


def _from_npz(
    source: Source, files: Sequence[OpenFile], *, options: Mapping[str, object], sample: int | None, seed: int
) -> Table:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UsageError(f"--{given[0]} works on files with named columns, not on .npz arrays: select in NumPy instead")
    if len(files) > 1:
        raise DataError(f"{printable(source.name, width=60)}: a pattern cannot name .npz files: give one of them")
    return table_from_npz(files[0].file, source=source, cap=sample or MAX_ROWS, seed=seed)


def _wanted(
    names: Sequence[str], file: str, *, columns: Sequence[str] | None, drop: Sequence[str] | None, keep: str | None,
    text: Sequence[str] | None,
) -> list[int]:  # fmt: skip
    """Return the positions of the columns to read, in the order of the file."""
    for option, given in (
        ("--columns", columns or ()),
        ("--drop", drop or ()),
        ("--text", text or ()),
        ("target", (keep,) if keep is not None else ()),
    ):
        for name in given:
            if name not in names:
                raise DataError(_unknown(name, names, file=file, option=option))
    wanted = set(names if columns is None else columns) - set(drop or ())
    if keep is not None:
        wanted.add(keep)
    if not wanted:
        raise UsageError("--columns and --drop leave no column to read")
    return [i for i, name in enumerate(names) if name in wanted]


def _unknown(name: str, names: Sequence[str], *, file: str, option: str) -> str:
    close = nearest(name, names)
    hint = f"; did you mean '{printable(close, width=40)}'?" if close else ";"
    asked = f"'{printable(name, width=40)}' ({option})"
    return f"{printable(file, width=60)} has no column {asked}{hint} it has {listed(names, most=4)}"


def _kept(
    connection: DuckDBPyConnection, relation: Relation, *, positions: Sequence[int], where: str | None, cap: int,
    seed: int, has_words: bool,
) -> query.Kept:  # fmt: skip
    condition = None if where is None else condition_of(where, connection, relation=relation, has_words=has_words)
    with condition_errors(relation.names, condition):
        return query.keep_rows(connection, relation, positions=positions, condition=condition, cap=cap, seed=seed)


def _no_rows(name: str, relation: Relation, *, filtered: bool) -> str:
    shown = printable(name, width=60)
    if filtered:
        return f"{shown}: no row meets the condition of --where"
    return f"{shown} has no rows of data, only a header ({listed(relation.names, most=3)})"


def _places(relation: Relation, kept: query.Kept, *, filtered: bool) -> Callable[[int], str]:
    """Return how to speak of a row: by its line where every row is one line, else by its number."""
    above = relation.n_header_lines
    if above is not None and not filtered and relation.n_lines - above - kept.n_rows_total in (0, -1):
        return lambda row: f"line {row + above}"
    return lambda row: f"row {row}"


def _readings(asked: Asked, relation: Relation) -> tuple[dict[int, Reading], list[str]]:
    found = kinds.readings(asked, dict(enumerate(relation.declared)))
    notes = kinds.remarks(found, asked.names)
    hollow = {i for i, reading in found.items() if i in relation.unnamed and reading.n_present == 0}
    if hollow and len(found) - len(hollow) >= MIN_COLUMNS:
        notes.append(f"empty columns without a name were dropped: {listed((asked.names[i] for i in hollow), most=3)}")
        found = {i: reading for i, reading in found.items() if i not in hollow}
    return found, notes


def _columns(connection: DuckDBPyConnection, relation: Relation, *, found: Mapping[int, Reading]) -> tuple[Column, ...]:
    made = []
    nameless = [i in relation.unnamed or not name.strip() for i, name in enumerate(relation.names)]
    # those in front, as pandas writes an index of several levels
    n_row_names = nameless.index(False) if False in nameless else 0
    for group in kinds.groups(sorted(found)):
        for i, values in query.column_values(connection, {i: found[i].sql for i in group}):
            kind, labels = found[i].kind, found[i].labels
            made.append(
                Column(
                    name=relation.names[i],
                    kind=kind,
                    values=_filled(values, kind),
                    labels=labels,
                    is_row_name=i < n_row_names,
                    is_category=found[i].is_category,
                    dropped_texts=found[i].dropped_texts,
                )
            )
    return tuple(made)


def _filled(values: npt.NDArray[Any], kind: Kind) -> npt.NDArray[Any]:
    """Return plain values; what is masked or infinite made None, NaT or NaN."""
    mask = np.ma.getmask(values)
    dtype, missing = MISSING[kind]
    data = np.ma.getdata(values).astype(dtype, copy=False)
    if mask is not np.ma.nomask:
        data[mask] = missing
    if kind == "number":
        data[~np.isfinite(data)] = missing
    return data
