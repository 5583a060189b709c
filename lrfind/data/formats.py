"""For each format, the SQL that yields a file's columns: `relation_of(opened) -> Relation`.

Columns go by position (c0, c1, ...) inside SQL, so no name of the user's is ever part of a statement that reads a
text file, and names that differ only in case do not collide.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from lrfind.data.dialect import DELIMITERS, MAX_COLUMNS, RARE_DELIMITERS, read_layout
from lrfind.data.source import OpenFile
from lrfind.errors import DataError
from lrfind.text import listed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# As the file types a column: "untyped" text is to be judged by its values, the others are taken at their word. The user
# declares a "category": text, whatever it looks like.
Declared = Literal["untyped", "number", "boolean", "date", "text", "category"]

SQL_TYPES: dict[Declared, str] = {
    "untyped": "VARCHAR",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "TIMESTAMP",
    "text": "VARCHAR",
    "category": "VARCHAR",
}
NUMERIC_TYPE = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)|REAL|BIGNUM")
# Whole numbers of which DOUBLE rounds some.
WIDE_TYPES = ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT")
# A number as SQL writes it.
NUMBER = re.compile(r"[-+]?\d+([.]\d*)?([eE][-+]?\d+)?")
DATE_TYPE = re.compile(r"DATE|TIMESTAMP.*")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relation:
    """A file as SQL.

    Attributes
    ----------
    sql : str
        A SELECT whose columns are c0, c1, ...
    names : tuple of str
        Of the columns, in order.
    declared : tuple of Declared
        As the file types them.
    unnamed : frozenset of int
        Columns without a name in the file.
    n_header_lines : int or None
        Lines above the first row, for text with one row a line.
    n_lines : int
        Line ends in the file.
    detected, notes
        As in `Source` and `Table`.
    """

    sql: str
    names: tuple[str, ...]
    declared: tuple[Declared, ...]
    unnamed: frozenset[int]
    n_header_lines: int | None
    n_lines: int
    detected: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def has_semicolons(self) -> bool:
        """Whether semicolons part the fields, as where decimals have commas."""
        return ("delimiter", "semicolon") in self.detected


def relation_of(
    opened: OpenFile, connection: DuckDBPyConnection, *, keep: str | None, text: Collection[str] = ()
) -> Relation:
    """Return the SQL that reads one open file.

    Parameters
    ----------
    opened : OpenFile
        Text or Parquet.
    connection : DuckDB connection
        Allowed to read the file.
    keep : str or None
        A column that has to be there.
    text : collection of str
        Columns that are categories, whatever they look like.

    Returns
    -------
    Relation
    """
    if opened.format == "csv":
        relation = _delimited(opened, keep=keep)
        declared = tuple(
            _as_asked(was, name, text=text) for was, name in zip(relation.declared, relation.names, strict=True)
        )
        return replace(relation, declared=declared)
    return _typed(opened, connection, text=text)


def _as_asked(declared: Declared, name: str, *, text: Collection[str]) -> Declared:
    return "category" if name in text else declared


def _delimited(opened: OpenFile, *, keep: str | None) -> Relation:
    layout = read_layout(opened.file, name=opened.name, keep=keep, is_data=True)
    n = len(layout.names)
    untyped: Declared = "untyped"
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(n))
    sql = (
        f"SELECT * FROM read_csv('{opened.device}', auto_detect=false, header=false, skip={layout.n_skipped}, "
        f"delim={quoted(layout.delimiter)}, quote={quoted(layout.quote)}, escape={quoted(layout.escape)}, "
        f"columns={{{columns}}})"
    )
    return Relation(
        sql=sql, names=layout.names, declared=(untyped,) * n, unnamed=layout.unnamed,
        n_header_lines=layout.n_header_lines, n_lines=opened.n_lines,
        detected=(
            ("delimiter", (DELIMITERS | RARE_DELIMITERS).get(layout.delimiter, layout.delimiter)),
            ("header", "first line" if layout.has_header else "none"),
            *((("quotes", "single"),) if layout.quote == "'" else ()),
        ),
        notes=layout.notes,
    )  # fmt: skip


def _typed(opened: OpenFile, connection: DuckDBPyConnection, *, text: Collection[str]) -> Relation:
    """Parquet and JSON name and type their columns themselves."""
    if opened.format == "parquet":
        reader = f"read_parquet('{opened.device}')"
    else:
        layout = "array" if opened.format == "json" else "newline_delimited"
        reader = f"read_json('{opened.device}', format='{layout}', records=true, sample_size=-1, maximum_depth=2)"
    described = connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()
    if len(described) > MAX_COLUMNS:
        raise DataError(f"{opened.name} has {len(described):,} columns, and at most {MAX_COLUMNS:,} are read")
    names = tuple(row[0] for row in described)
    types = [str(row[1]) for row in described]
    if len(names) == 1:
        raise DataError(f"{opened.name} has only one column ({listed(names)}): a table needs a target and a feature")
    long = _long_codes(
        connection, reader, names=[n for n, type_ in zip(names, types, strict=True) if type_ in WIDE_TYPES]
    )
    declared = tuple(
        "text" if name in long else _as_asked(_declared(type_, is_json=opened.format != "parquet"), name, text=text)
        for name, type_ in zip(names, types, strict=True)
    )
    nested = [name for name, type_ in zip(names, types, strict=True) if re.search(r"STRUCT|MAP|\[", type_)]
    notes = (f"{opened.name}: nested values in {listed(nested, most=3)} were kept as text",) if nested else ()
    parts = [f"{_cast(name, kind)} AS c{i}" for i, (name, kind) in enumerate(zip(names, declared, strict=True))]
    return Relation(
        sql=f"SELECT {', '.join(parts)} FROM {reader}", names=names, declared=declared, unnamed=frozenset(),
        n_header_lines=None, n_lines=0, detected=(), notes=notes,
    )  # fmt: skip


def _long_codes(connection: DuckDBPyConnection, reader: str, *, names: Sequence[str]) -> set[str]:
    """Return the columns of whole numbers most of which DOUBLE cannot hold exactly: ids, not amounts."""
    if not names:
        return set()
    columns = [_identifier(name) for name in names]
    asked = ", ".join(
        f"2 * count(*) FILTER (CAST(CAST({c} AS DOUBLE) AS HUGEINT) <> {c}) > count({c})" for c in columns
    )
    answers = connection.execute(f"SELECT {asked} FROM {reader}").fetchone() or ()
    return {name for name, is_long in zip(names, answers, strict=True) if is_long}


def _declared(type_: str, *, is_json: bool) -> Declared:
    if NUMERIC_TYPE.fullmatch(type_):
        return "number"
    if type_ == "BOOLEAN":
        return "boolean"
    if DATE_TYPE.fullmatch(type_):
        return "date"
    # Strings in JSON and Parquet are often numbers or dates that an export has put in quotes.
    return "untyped" if type_ == "VARCHAR" or is_json else "text"


def _cast(name: str, declared: Declared) -> str:
    return f"CAST({_identifier(name)} AS {SQL_TYPES[declared]})"


def _identifier(name: str) -> str:
    return f'"{name.replace(chr(34), chr(34) * 2)}"'


def without(relation: Relation, words: Collection[str]) -> Relation:
    """Return a relation in which some texts, and numbers so written, are missing.

    Parameters
    ----------
    relation : Relation
    words : collection of str
        Spelled as in the file, without blanks at their ends.

    Returns
    -------
    Relation
    """
    numbers = [word for word in words if NUMBER.fullmatch(word)]
    columns = []
    for i, declared in enumerate(relation.declared):
        is_text = SQL_TYPES[declared] == "VARCHAR"
        listed_words = ", ".join(quoted(word) for word in words) if is_text else ", ".join(numbers)
        text = f"trim(c{i}, ' \t\r\n')" if is_text else f"c{i}"
        lost = bool(listed_words) and (is_text or declared == "number")
        columns.append(f"CASE WHEN {text} IN ({listed_words}) THEN NULL ELSE c{i} END AS c{i}" if lost else f"c{i}")
    return replace(relation, sql=f"SELECT {', '.join(columns)} FROM ({relation.sql})")


def quoted(text: str) -> str:
    """Return `text` as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def joined(relations: Sequence[Relation], files: Sequence[OpenFile]) -> Relation:
    """Return the files of one glob as one relation, rows in the order of the files.

    Parameters
    ----------
    relations : sequence of Relation
        At least one.
    files : sequence of OpenFile
        The files they read, for messages.

    Returns
    -------
    Relation

    Raises
    ------
    DataError
        The files do not have the same columns.
    """
    first = relations[0]
    if len(relations) == 1:
        return first
    for relation, opened in zip(relations, files, strict=True):
        if sorted(relation.names) != sorted(first.names):
            differing = listed(sorted(set(relation.names) ^ set(first.names)), most=3)
            raise DataError(
                f"{opened.name} and {files[0].name} do not have the same columns (different: {differing}), so they "
                "cannot be read as one table"
            )
    places = [[relation.names.index(name) for name in first.names] for relation in relations]
    # Where files disagree on a column's type, its values are written out and judged afresh.
    declared: list[Declared] = []
    for i in range(len(first.names)):
        kinds = {relation.declared[place[i]] for relation, place in zip(relations, places, strict=True)}
        declared.append(kinds.pop() if len(kinds) == 1 else "untyped")
    parts = []
    for relation, place in zip(relations, places, strict=True):
        columns = (
            f"CAST(c{p} AS {SQL_TYPES[kind]}) AS c{i}" for i, (p, kind) in enumerate(zip(place, declared, strict=True))
        )
        parts.append(f"SELECT {', '.join(columns)} FROM ({relation.sql})")
    notes = [note for relation in relations for note in relation.notes]
    return Relation(
        sql=" UNION ALL ".join(parts), names=first.names, declared=tuple(declared), unnamed=first.unnamed,
        n_header_lines=None, n_lines=0, detected=(*first.detected, ("files", str(len(files)))),
        notes=(*notes, f"{len(files)} files with the same columns were read as one table"),
    )  # fmt: skip
