"""Run DuckDB where it cannot do harm: `connect(files)`, `keep_rows(...)`, `column_values(...)`, errors in plain words.

The connection may open the files it was given, by number, and nothing else; its configuration is locked before the
first word of a user's condition is parsed.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lrfind.data.formats import Relation
from lrfind.data.source import OpenFile, is_json
from lrfind.errors import DataError
from lrfind.text import printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Longest piece of a reader's own words that is shown: they quote the data, up to megabytes of it.
EXCERPT_WIDTH = 120
# DuckDB cuts CSV into pieces of this order; a file of one piece leaves a second thread nothing but memory to take.
SMALL_BYTES = 8 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Condition:
    """The user's condition, made safe.

    Attributes
    ----------
    sql : str
        Over w0, w1, ...
    values : mapping from position to str
        SQL that reads the columns it uses as the kind they are; column 3 becomes w3.
    """

    sql: str
    values: Mapping[int, str]

    def over(self, sql: str) -> str:
        """Return SQL for the rows of `sql`, with the columns the condition uses beside them."""
        columns = "".join(f", {value} AS w{i}" for i, value in self.values.items())
        return f"SELECT *{columns} FROM ({sql})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """What `keep_rows` left in the table `kept`: its columns are r (1-based row of the file) and c0, c1, ...

    Attributes
    ----------
    n_rows : int
        Rows kept.
    n_rows_total : int
        Rows that passed the condition.
    """

    n_rows: int
    n_rows_total: int


def connect(files: Sequence[OpenFile]) -> DuckDBPyConnection:
    """Return a DuckDB connection that can read these open files and touch nothing else.

    Parameters
    ----------
    files : sequence of OpenFile

    Returns
    -------
    DuckDB connection
        In memory; close it.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "allow_community_extensions": "false",
        # Spilling would write beside the user's files.
        "temp_directory": "",
        # These wait for files on far machines, which are never read.
        "async_threads": "0",
    }
    if sum(os.fstat(opened.file.fileno()).st_size for opened in files) < SMALL_BYTES:
        config["threads"] = "1"
    connection = duckdb.connect(config=config)
    paths = ", ".join(f"'{opened.device}'" for opened in files)
    for setting in (
        "enable_progress_bar = false",
        "enable_external_file_cache = false",
        # Else DuckDB may put the whole file, not the chosen rows, into the hash table of the join.
        "disabled_optimizers = 'join_order,build_side_probe_side'",
        "python_enable_replacements = false",
        f"allowed_paths = [{paths}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


@contextlib.contextmanager
def plain_errors(files: Sequence[OpenFile]) -> Iterator[None]:
    """Turn what DuckDB raises on reading `files` into one clear sentence."""
    import duckdb

    try:
        yield
    except (duckdb.Error, RuntimeError) as error:
        raise DataError(_sentence(str(error), files)) from None


def _sentence(text: str, files: Sequence[OpenFile]) -> str:
    named = [opened for opened in files if re.search(rf"{re.escape(opened.device)}\b", text)]
    opened = named[0] if named else files[0]
    line = re.search(r"CSV Error on Line: (\d+)|in (?:line|record/value) (\d+)", text)
    place = f"{opened.name}, line {line[1] or line[2]}" if line else opened.name
    if "Malformed JSON" in text:
        return _bad_json(opened)
    widths = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if widths:
        expected, found = int(widths[1]), int(widths[2])
        how = "too many" if found > expected else "too few"
        return f"{place}: expected {expected} fields, found {found} ({how}; a ragged row): mend or remove that line"
    for sign, words in (
        ("unterminated quote", "a quoted field is not closed, or goes on after its closing quote"),
        ("Maximum line size", "the row is longer than 2,000,000 bytes, the limit for one row"),
        ("maximum_object_size", "the record is too long for one row"),
        ("invalid state", "the row breaks the rules of CSV: look for stray quotes or mixed line ends"),
        ("Out of Memory", "the table does not fit into memory: select fewer columns with --columns"),
        ("OutOfMemory", "the table does not fit into memory: select fewer columns with --columns"),
        ("out of memory", "the table does not fit into memory: select fewer columns with --columns"),
    ):
        if sign in text:
            return f"{place}: {words}"
    return f"{place} cannot be read as {opened.format}: {_excerpt(text, files)}"


def _bad_json(opened: OpenFile) -> str:
    """Find the line ourselves: DuckDB counts from where its buffer began."""
    opened.file.seek(0)
    for number, line in enumerate(opened.file, start=1):
        if opened.format == "jsonl" and not line.isspace() and not is_json(line):
            return f"{opened.name}, line {number}: this is not valid JSON (one record a line is expected)"
    return f"{opened.name} is not valid JSON: expected an array of records, [{{...}}, {{...}}]"


def _excerpt(text: str, files: Sequence[OpenFile]) -> str:
    first = re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", text.strip().split("\n", maxsplit=1)[0])
    for opened in files:
        first = first.replace(opened.device, opened.name)
    return printable(first, width=EXCERPT_WIDTH)


def keep_rows(
    connection: DuckDBPyConnection, relation: Relation, *, positions: Sequence[int], condition: Condition | None,
    cap: int, seed: int,
) -> Kept:  # fmt: skip
    """Put at most `cap` rows that meet the condition into the table `kept`, a uniform sample if there are more.

    Parameters
    ----------
    connection : DuckDB connection
    relation : Relation
    positions : sequence of int
        Columns wanted.
    condition : Condition or None
        From `condition_over`.
    cap : int
    seed : int

    Returns
    -------
    Kept

    Notes
    -----
    Rows are chosen by their number, drawn by NumPy from the seed: neither threads nor DuckDB's version have a say.
    """
    columns = ", ".join(f"c{i}" for i in positions)
    # Row numbers over a stream are given in the order of the file, whatever the number of threads.
    passing = f"SELECT row_number() OVER () AS r, * FROM ({relation.sql})"
    if condition is not None:
        passing = f"SELECT row_number() OVER () AS p, * FROM ({condition.over(passing)}) WHERE {condition.sql}"
    place = "r" if condition is None else "p"
    n_rows = int(one(connection, f"CREATE TEMP TABLE kept AS SELECT r, {columns} FROM ({passing}) LIMIT {cap + 1}"))
    if n_rows <= cap:
        return Kept(n_rows=n_rows, n_rows_total=n_rows)
    connection.execute("DROP TABLE kept")
    everything = (
        relation.sql if condition is None else f"SELECT 1 FROM ({condition.over(relation.sql)}) WHERE {condition.sql}"
    )
    total = int(one(connection, f"SELECT count(*) FROM ({everything})"))
    # Beyond the cap the rows of a sample are few among many; a hash join finds them while the file streams past.
    chosen = np.sort(np.random.default_rng(seed).choice(total, size=cap, replace=False, shuffle=False)) + 1
    connection.execute("CREATE TEMP TABLE chosen AS SELECT unnest($1::BIGINT[]) AS n", [chosen.tolist()])
    connection.execute(
        f"CREATE TEMP TABLE kept AS SELECT r, {columns} FROM ({passing}) "
        f"WHERE {place} IN (SELECT n FROM chosen) ORDER BY r"
    )
    return Kept(n_rows=cap, n_rows_total=total)


def one(connection: DuckDBPyConnection, sql: str, *, parameters: Sequence[object] = ()) -> Any:
    """Return the one value that a statement yields; for CREATE TABLE AS, the number of rows."""
    row = connection.execute(sql, list(parameters)).fetchone()
    return row[0] if row else None


def column_values(connection: DuckDBPyConnection, columns: Mapping[int, str]) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Yield columns of the table `kept`, its rows in order, missing values masked.

    Parameters
    ----------
    connection : DuckDB connection
    columns : mapping from position to str
        SQL over c<position>.

    Yields
    ------
    position : int
    values : ndarray, masked where anything is missing
    """
    selected = ", ".join(f"{sql} AS c{i}" for i, sql in columns.items())
    # A table gives its rows in the order they were put in; sorting them anew would hold all of them twice.
    arrays = connection.execute(f"SELECT {selected} FROM kept").fetchnumpy()
    for i in columns:
        yield i, np.ma.asanyarray(arrays.pop(f"c{i}"))


def places(connection: DuckDBPyConnection) -> npt.NDArray[np.int64]:
    """Return which row of the file each row of the table `kept` is, (n_rows,), counted from 0."""
    numbers = connection.execute("SELECT r FROM kept").fetchnumpy()["r"]
    return np.asarray(np.ma.getdata(numbers), np.int64) - 1
