"""The user's condition, made safe: `condition_of(where, connection, relation) -> Condition`.

What comes after --where is parsed, never pasted: DuckDB turns it into a tree, in which only the columns of a row and
functions of them may stand, and columns go by position.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lrfind.data import kinds
from lrfind.data.formats import Relation
from lrfind.data.query import EXCERPT_WIDTH, Condition, one
from lrfind.data.spellings import Asked, Reading
from lrfind.errors import UsageError
from lrfind.text import nearest, printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

QUOTE = '"'
# Rows that settle how a condition sees a column: DuckDB's own sniffer looks at as many.
PROBE_ROWS = 20_480
REFUSED_CLASSES = {
    "SUBQUERY": "a subquery",
    "STAR": "*",
    "WINDOW": "a window function",
    "PARAMETER": "a parameter",
    "LAMBDA": "a lambda",
    "DEFAULT": "DEFAULT",
}


def condition_of(
    where: str, connection: DuckDBPyConnection, *, relation: Relation, has_words: bool = True
) -> Condition:
    """Return the user's condition in a form that is safe to put after WHERE, tried on the first rows.

    Parameters
    ----------
    where : str
        One SQL expression over the columns' names.
    connection : DuckDB connection
        Locked.
    relation : Relation
    has_words : bool
        As in `Asked`.

    Returns
    -------
    Condition

    Raises
    ------
    UsageError
        It is no single expression, names an unknown column, asks for more than the columns of a row, or cannot be
        evaluated.
    """
    import duckdb

    try:
        parsed = str(duckdb.SQLExpression(where))
        tree = json.loads(str(one(connection, "SELECT json_serialize_sql($1)", parameters=[f"SELECT ({parsed})"])))
        expression = tree["statements"][0]["node"]["select_list"][0]
        uses = list(_uses(expression))
    except (duckdb.Error, KeyError, ValueError, RecursionError, RuntimeError) as error:
        hint = _unquoted(where, relation.names)
        raise UsageError(f"--where is not one SQL condition: {_cause(error)}{hint}") from None
    _refuse_functions(expression, connection)
    found = {id(use): _position(use["column_names"], relation.names) for use in uses}
    values = _probe(connection, relation, positions=sorted(set(found.values())), has_words=has_words)
    for use in uses:
        use["column_names"] = [f"w{found[id(use)]}"]
        use.pop("qualified_name", None)
    try:
        rebuilt = str(one(connection, "SELECT json_deserialize_sql($1::JSON)", parameters=[json.dumps(tree)]))
        condition = Condition(sql=f"({rebuilt.removeprefix('SELECT ').rstrip('; ')})", values=values)
        # Tried here, its errors are told from the file's.
        one(connection, f"SELECT count(*) FROM ({condition.over('SELECT * FROM probe')}) WHERE {condition.sql}")
    except (duckdb.Error, RuntimeError) as error:
        raise UsageError(f"--where cannot be used: {_cause(error, relation.names)}") from None
    return condition


def _probe(
    connection: DuckDBPyConnection, relation: Relation, *, positions: Sequence[int], has_words: bool
) -> dict[int, str]:
    """Put the first rows into the table `probe`; return the SQL that reads each column as the kind it is there."""
    # A condition without columns still needs rows to be tried on.
    chosen = positions or [0]
    columns = ", ".join(f"c{i}" for i in chosen)
    numbered = f"SELECT row_number() OVER () AS r, {columns} FROM ({relation.sql})"
    connection.execute(f"CREATE TEMP TABLE probe AS {numbered} LIMIT {PROBE_ROWS}")
    names = {i: relation.names[i] for i in chosen}
    asked = Asked(
        connection=connection, table="probe", names=names, place=str, comma_likely=relation.has_semicolons,
        has_words=has_words,
    )  # fmt: skip
    found = kinds.readings(asked, dict(enumerate(relation.declared)))
    return {i: _as_spelled(i, found[i]) for i in positions}


def _as_spelled(i: int, reading: Reading) -> str:
    """Leave spelled-out booleans as they are: people write student = 'Yes'."""
    if reading.kind == "number":
        # To SQL infinity and NaN are larger than any number, and would pass `x > 3`.
        return f"CASE WHEN isfinite({reading.sql}) THEN {reading.sql} END"
    if reading.kind != "boolean":
        return reading.sql
    if reading.labels is not None and {label.lower() for label in reading.labels} == {"false", "true"}:
        return f"CAST({reading.sql} AS BOOLEAN)"
    return f"c{i}"


def _cause(error: Exception, names: Sequence[str] = ()) -> str:
    """Return the first line of DuckDB's words, the columns called by their names."""
    text = str(error).strip().split("\n", maxsplit=1)[0]
    spelled = dict(enumerate(map(identifier, names)))
    text = re.sub(r"\bw(\d+)\b", lambda found: spelled.get(int(found[1]), found[0]), text)
    return printable(re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", text), width=EXCERPT_WIDTH)


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
        if one(connection, sql, parameters=[name]):
            raise UsageError(f"--where may not use {printable(name, width=40)}(): its value changes from call to call")


def _position(path: Sequence[str], names: Sequence[str]) -> int:
    name = ".".join(path)
    if name in names:
        return names.index(name)
    alike = [i for i, other in enumerate(names) if other.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        spelled = _spelled([names[i] for i in alike], most=len(alike))
        raise UsageError(f"--where: column '{printable(name, width=40)}' could be any of {spelled}")
    close = nearest(name, names)
    hint = f"did you mean {identifier(close)}? " if close else ""
    raise UsageError(
        f"--where: there is no column '{printable(name, width=40)}'; {hint}Columns: {_spelled(names)} (text values go "
        "in single quotes)"
    )


# Names that SQL takes as they are. Words of SQL itself, such as order, need quotes; more words than DuckDB reserves are
# quoted here, which does no harm.
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SQL_WORDS = frozenset({
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "at", "between", "both", "by",
    "case", "cast", "check", "collate", "column", "constraint", "create", "cross", "current_date", "current_time",
    "current_timestamp", "default", "deferrable", "desc", "describe", "distinct", "do", "else", "end", "except",
    "exists", "false", "fetch", "for", "foreign", "from", "full", "glob", "grant", "group", "having", "ilike", "in",
    "initially", "inner", "intersect", "interval", "into", "is", "isnull", "join", "lambda", "lateral", "leading",
    "left", "like", "limit", "natural", "not", "notnull", "null", "offset", "on", "only", "or", "order", "outer",
    "overlaps", "pivot", "pivot_longer", "pivot_wider", "placing", "position", "primary", "qualify", "references",
    "returning", "right", "row", "select", "show", "similar", "some", "summarize", "symmetric", "table",
    "tablesample", "then", "time", "timestamp", "to", "trailing", "true", "union", "unique", "unpivot", "using",
    "values", "variadic", "when", "where", "window", "with",
})  # fmt: skip
# Columns named in a message, and the width of each.
MOST_NAMED, NAME_WIDTH = 4, 60


def identifier(name: str) -> str:
    """Return a column's name as a condition has to spell it: in double quotes unless it is a plain word.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Printable, and cut where it is very long.
    """
    if PLAIN_NAME.fullmatch(name) and name.lower() not in SQL_WORDS:
        return printable(name, width=NAME_WIDTH)
    return f'"{printable(name.replace(QUOTE, QUOTE * 2), width=NAME_WIDTH)}"'


def _spelled(names: Sequence[str], *, most: int = MOST_NAMED) -> str:
    shown = ", ".join(map(identifier, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _unquoted(where: str, names: Sequence[str]) -> str:
    """Return the advice to put quotes around a name in a condition that SQL cannot read without."""
    parts = re.split(r"\"[^\"]*\"|'[^']*'", where)
    for name in sorted(names, key=len, reverse=True):
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        if identifier(name).startswith(QUOTE) and name.strip() and any(word.search(part) for part in parts):
            return f"; write {identifier(name)} with its quotes"
    return ""


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
