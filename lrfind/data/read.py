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
from lrfind.data.formats import Relation, joined, relation_of
from lrfind.data.source import OpenFile, open_sources
from lrfind.data.table import Column, Kind, Source, Table
from lrfind.errors import DataError, UsageError
from lrfind.text import listed, nearest, printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# More rows than any small model needs to show its best learning rate, and few enough (100 columns: 80 MB) for any
# machine; `sample` raises it.
MAX_ROWS = 100_000


def read_table(
    source: str, *, where: str | None = None, columns: Sequence[str] | None = None, drop: Sequence[str] | None = None,
    sample: int | None = None, seed: int = 0, keep: str | None = None,
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
            options = {"where": where, "columns": columns, "drop": drop}
            return _from_npz(described, files, options=options, sample=sample, seed=seed)
        connection = stack.enter_context(contextlib.closing(query.connect(files)))
        with query.plain_errors(files):
            relation = joined([relation_of(opened, connection, keep=keep) for opened in files], files)
            positions = _wanted(relation.names, described.name, columns=columns, drop=drop, keep=keep)
            condition = None if where is None else _condition(where, connection, relation)
            with query.condition_errors(relation.names, condition):
                kept = query.keep_rows(
                    connection, relation, positions=positions, condition=condition, cap=sample or MAX_ROWS, seed=seed
                )
            if kept.n_rows == 0:
                raise DataError(_no_rows(described.name, relation, filtered=where is not None))
            place = _places(relation, kept, filtered=where is not None)
            found, notes = _readings(connection, relation, positions, place)
            made = _columns(connection, relation, found)
        if kept.n_rows < kept.n_rows_total:
            notes.insert(0, f"used {kept.n_rows:,} of {kept.n_rows_total:,} rows, chosen at random with seed {seed}")
        detected = (*_detected_in(files), *relation.detected)
        return Table(
            source=replace(described, detected=detected), columns=made, n_rows=kept.n_rows,
            n_rows_total=kept.n_rows_total,
            notes=(*(note for opened in files for note in opened.notes), *relation.notes, *notes),
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
    names: Sequence[str], file: str, *, columns: Sequence[str] | None, drop: Sequence[str] | None, keep: str | None
) -> list[int]:
    """Return the positions of the columns to read, in the order of the file."""
    for option, given in (
        ("--columns", columns or ()),
        ("--drop", drop or ()),
        ("target", (keep,) if keep is not None else ()),
    ):
        for name in given:
            if name not in names:
                raise DataError(_unknown(name, names, file, option))
    wanted = set(names if columns is None else columns) - set(drop or ())
    if keep is not None:
        wanted.add(keep)
    if not wanted:
        raise UsageError("--columns and --drop leave no column to read")
    return [i for i, name in enumerate(names) if name in wanted]


def _unknown(name: str, names: Sequence[str], file: str, option: str) -> str:
    close = nearest(name, names)
    hint = f"; did you mean '{printable(close, width=40)}'?" if close else ";"
    asked = f" ({option})" if option else ""
    return f"{printable(file, width=60)} has no column '{printable(name, width=40)}'{asked}{hint} it has {listed(names, most=4)}"


def _condition(where: str, connection: DuckDBPyConnection, relation: Relation) -> query.Condition:
    def typed(positions: Sequence[int]) -> dict[int, str]:
        # A condition without columns still needs rows to be tried on.
        chosen = positions or [0]
        columns = ", ".join(f"c{i}" for i in chosen)
        numbered = f"SELECT row_number() OVER () AS r, {columns} FROM ({relation.sql})"
        connection.execute(f"CREATE TEMP TABLE probe AS {numbered} LIMIT {query.PROBE_ROWS}")
        names = {i: relation.names[i] for i in chosen}
        asked = kinds.Asked(table="probe", names=names, place=str, comma_likely=_has_semicolons(relation))
        found = kinds.readings(connection, asked, dict(enumerate(relation.declared)))
        # Spelled-out booleans stay as spelled: people write student = 'Yes'.
        return {i: _as_asked(i, found[i]) for i in positions}

    condition = query.condition_over(where, connection, relation, typed=typed)
    query.check_condition(connection, condition, names=relation.names)
    return condition


def _as_asked(i: int, reading: kinds.Reading) -> str:
    if reading.kind != "boolean":
        return reading.sql
    if reading.labels is not None and {label.lower() for label in reading.labels} == {"false", "true"}:
        return f"CAST({reading.sql} AS BOOLEAN)"
    return f"c{i}"


def _has_semicolons(relation: Relation) -> bool:
    return ("delimiter", "semicolon") in relation.detected


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


def _readings(
    connection: DuckDBPyConnection, relation: Relation, positions: Sequence[int], place: Callable[[int], str]
) -> tuple[dict[int, kinds.Reading], list[str]]:
    names = {i: relation.names[i] for i in positions}
    asked = kinds.Asked(table="kept", names=names, place=place, comma_likely=_has_semicolons(relation))
    found = kinds.readings(connection, asked, dict(enumerate(relation.declared)))
    notes = kinds.remarks(found, names)
    hollow = [i for i in positions if i in relation.unnamed and found[i].n_present == 0]
    if hollow and len(found) - len(hollow) >= 2:
        notes.append(f"empty columns without a name were dropped: {listed((names[i] for i in hollow), most=3)}")
        found = {i: reading for i, reading in found.items() if i not in hollow}
    return {i: found[i] for i in positions if i in found}, notes


def _columns(
    connection: DuckDBPyConnection, relation: Relation, found: Mapping[int, kinds.Reading]
) -> tuple[Column, ...]:
    made = []
    positions = list(found)
    for start in range(0, len(positions), kinds.COLUMNS_A_QUERY):
        group = positions[start : start + kinds.COLUMNS_A_QUERY]
        selected = ", ".join(f"{found[i].sql} AS c{i}" for i in group)
        arrays = connection.execute(f"SELECT {selected} FROM kept ORDER BY r").fetchnumpy()
        for i in group:
            reading = found[i]
            values = _filled(np.ma.asarray(arrays[f"c{i}"]), reading.kind)
            made.append(Column(name=relation.names[i], kind=reading.kind, values=values, labels=reading.labels))
    return tuple(made)


def _filled(values: np.ma.MaskedArray, kind: Kind) -> npt.NDArray[Any]:
    """Return plain values, what is masked made None, NaT or NaN."""
    mask = np.ma.getmaskarray(values)
    if kind == "text":
        data: npt.NDArray[Any] = values.data.astype(object)
        data[mask] = None
    elif kind == "date":
        data = values.data.astype("datetime64[us]")
        data[mask] = np.datetime64("NaT")
    else:
        data = values.data.astype(np.float64)
        data[mask] = np.nan
    return data
