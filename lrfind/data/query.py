"""Run DuckDB where it cannot do harm: `connect(files)`, `keep_rows(...)`, and its errors in plain words.

The connection may open the files it was given, by number, and nothing else; its configuration is locked before the
first word of a user's condition is parsed.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lrfind.data.formats import Relation
from lrfind.data.source import OpenFile
from lrfind.errors import DataError, UsageError
from lrfind.text import listed, nearest, printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Rows that settle how a condition sees a column: DuckDB's own sniffer looks at as many.
PROBE_ROWS = 20_480
# Longest piece of a reader's own words that is shown: they quote the data, up to megabytes of it.
EXCERPT_WIDTH = 120
REFUSED_CLASSES = {
    "SUBQUERY": "a subquery",
    "STAR": "*",
    "WINDOW": "a window function",
    "PARAMETER": "a parameter",
    "LAMBDA": "a lambda",
    "DEFAULT": "DEFAULT",
}


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

    connection = duckdb.connect(
        config={
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
            "allow_community_extensions": "false",
            # Spilling would write beside the user's files.
            "temp_directory": "",
        }
    )
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
    except duckdb.Error as error:
        raise DataError(_sentence(str(error), files)) from None
    except RuntimeError as error:
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
        if opened.format == "jsonl" and not line.isspace() and not _is_json(line):
            return f"{opened.name}, line {number}: this is not valid JSON (one record a line is expected)"
    return f"{opened.name} is not valid JSON: expected an array of records, [{{...}}, {{...}}]"


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


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
    connection.execute(f"CREATE TEMP TABLE kept AS SELECT r, {columns} FROM ({passing}) LIMIT {cap + 1}")
    n_rows = _count(connection, "kept")
    if n_rows <= cap:
        return Kept(n_rows=n_rows, n_rows_total=n_rows)
    connection.execute("DROP TABLE kept")
    everything = (
        relation.sql if condition is None else f"SELECT 1 FROM ({condition.over(relation.sql)}) WHERE {condition.sql}"
    )
    total = _count(connection, f"({everything})")
    # Beyond the cap the rows of a sample are few among many; a hash join finds them while the file streams past.
    chosen = np.sort(np.random.default_rng(seed).choice(total, size=cap, replace=False, shuffle=False)) + 1
    connection.execute("CREATE TEMP TABLE chosen AS SELECT unnest($1::BIGINT[]) AS n", [chosen.tolist()])
    connection.execute(
        f"CREATE TEMP TABLE kept AS SELECT r, {columns} FROM ({passing}) WHERE {place} IN (SELECT n FROM chosen) ORDER BY r"
    )
    return Kept(n_rows=cap, n_rows_total=total)


def _count(connection: DuckDBPyConnection, what: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
    return int(row[0]) if row else 0


def condition_over(
    where: str, connection: DuckDBPyConnection, relation: Relation, *,
    typed: Callable[[Sequence[int]], Mapping[int, str]],
) -> Condition:  # fmt: skip
    """Return the user's condition in a form that is safe to put after WHERE.

    Parameters
    ----------
    where : str
        One SQL expression over the columns' names.
    connection : DuckDB connection
        Locked.
    relation : Relation
    typed : function
        From positions of columns to the SQL that reads each as the kind it is.

    Returns
    -------
    Condition

    Raises
    ------
    UsageError
        It is no single expression, names an unknown column, or asks for more than the columns of a row.
    """
    import duckdb

    try:
        parsed = str(duckdb.SQLExpression(where))
        tree = json.loads(str(_one(connection, "SELECT json_serialize_sql($1)", [f"SELECT ({parsed})"])))
        expression = tree["statements"][0]["node"]["select_list"][0]
        uses = list(_uses(expression))
    except (duckdb.Error, KeyError, ValueError, RecursionError, RuntimeError) as error:
        raise UsageError(f"--where is not one SQL condition: {_cause(error)}") from None
    _refuse_functions(expression, connection)
    found = {id(use): _position(use["column_names"], relation.names) for use in uses}
    sql = typed(sorted(set(found.values())))
    for use in uses:
        use["column_names"] = [f"w{found[id(use)]}"]
        use.pop("qualified_name", None)
    try:
        rebuilt = str(_one(connection, "SELECT json_deserialize_sql($1::JSON)", [json.dumps(tree)]))
    except duckdb.Error as error:
        raise UsageError(f"--where cannot be used: {_cause(error)}") from None
    return Condition(sql=f"({rebuilt.removeprefix('SELECT ').rstrip('; ')})", values=sql)


def _cause(error: Exception, names: Sequence[str] = ()) -> str:
    """Return the first line of DuckDB's words, the columns called by their names."""
    text = str(error).strip().split("\n", maxsplit=1)[0]
    text = re.sub(r"\bw(\d+)\b", lambda found: names[int(found[1])] if int(found[1]) < len(names) else found[0], text)
    return printable(re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", text), width=EXCERPT_WIDTH)


def _one(connection: DuckDBPyConnection, sql: str, parameters: Sequence[object]) -> object:
    row = connection.execute(sql, list(parameters)).fetchone()
    return row[0] if row else None


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from _nodes(child)


def _uses(expression: Any) -> Iterator[dict[str, Any]]:
    for node in _nodes(expression):
        class_ = node.get("class")
        if class_ in REFUSED_CLASSES:
            raise ValueError(f"{REFUSED_CLASSES[class_]} is not allowed, only the columns of a row may be used")
        if class_ == "COLUMN_REF":
            yield node


def _refuse_functions(expression: Any, connection: DuckDBPyConnection) -> None:
    """Refuse functions that differ from call to call: the same command must keep the same rows."""
    named = {node["function_name"] for node in _nodes(expression) if node.get("class") == "FUNCTION"}
    for name in sorted(named):
        sql = "SELECT count(*) FROM duckdb_functions() WHERE function_name = $1 AND stability = 'VOLATILE'"
        if _one(connection, sql, [name]):
            raise UsageError(f"--where may not use {printable(name, width=40)}(): its value changes from call to call")


def _position(path: Sequence[str], names: Sequence[str]) -> int:
    name = ".".join(path)
    if name in names:
        return names.index(name)
    alike = [i for i, other in enumerate(names) if other.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise UsageError(
            f"--where: column '{printable(name, width=40)}' could be any of {listed(names[i] for i in alike)}"
        )
    close = nearest(name, names)
    hint = f"did you mean '{printable(close, width=40)}'? " if close else ""
    raise UsageError(
        f"--where: there is no column '{printable(name, width=40)}'; {hint}Columns: {listed(names, most=4)} (text values "
        "go in single quotes)"
    )


def check_condition(connection: DuckDBPyConnection, condition: Condition, *, names: Sequence[str]) -> None:
    """Try the condition on the first rows, in the table `probe`, so that its errors are told from the file's.

    Raises
    ------
    UsageError
        DuckDB cannot evaluate it.
    """
    import duckdb

    try:
        _count(connection, f"({condition.over('SELECT * FROM probe')}) WHERE {condition.sql}")
    except (duckdb.Error, RuntimeError) as error:
        raise UsageError(f"--where cannot be used: {_cause(error, names)}") from None


@contextlib.contextmanager
def condition_errors(names: Sequence[str], condition: Condition | None) -> Iterator[None]:
    """Turn what a condition raises on a later row into a sentence about the condition."""
    import duckdb

    try:
        yield
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        if condition is None:
            raise
        raise UsageError(f"--where cannot be used: {_cause(error, names)}") from None
