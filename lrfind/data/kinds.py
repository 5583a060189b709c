"""Decide what each column is, over every row kept: `readings(connection, ...)`.

Types sniffed from the first rows fail late: one "oops" in row 29,000 must not fail the file or turn numbers into
text. So text columns are counted here: how many values are numbers, dates, booleans.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lrfind.data.formats import Declared, quoted
from lrfind.data.table import Kind
from lrfind.text import listed, printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Share of the present values that must be numbers (or dates) for the others to count as mistakes.
MOSTLY = 0.95
# From this share of numbers on, a text column is worth a remark.
MIXED = 0.05
# Columns a statement: DuckDB plans a few hundred aggregates quickly, thousands slowly.
COLUMNS_A_QUERY = 100
# Remarks of one sort; a table of a thousand such columns needs no thousand sentences.
MAX_NOTES = 6

# Ways to write "no value", lower case. In text columns only those that are never a category:
# "none" and "missing" can be one (a house without a garage).
NO_TEXT = ("", "na", "n/a", "#n/a", "nan", "null", "<na>", "?")
NO_VALUE = (*NO_TEXT, "none", "nil", "missing", "-", "--", ".", "n.a.", "(null)", "#value!", "#div/0!", "#ref!", "\\n")
TRUE_WORDS = ("true", "t", "yes", "y")
FALSE_WORDS = ("false", "f", "no", "n")
# 1 and 0 may stand among such words, but alone they are numbers.
DIGITS = ("0", "1")

ISO_DATE = r"\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?\s*"
ZONED = r".*:.*(Z|UTC|[+-]\d{2}(:?\d{2})?)\s*"
DATE_LIKE = (
    r"(?i)\s*(\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|(\d{1,2}[ -])?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
    r"[ .-]+\d.*)([ T].*)?\s*"
)
# Day and month are told apart by trying both; every style is tried with and without a time of day.
DATE_STYLES = (
    "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
    "%b-%Y", "%b %Y", "%B %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
)  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S")
FORMATTED = r"\s*[-+(]?\s*[$€£¥]?\s*[-+]?(\d{1,3}(,\d{3})+|\d+)([.]\d*)?\s*[%$€£¥]?\)?\s*"
DECIMAL_COMMA = r"\s*[-+]?(\d{1,3}([.]\d{3})+|\d*),\d+([eE][-+]?\d+)?\s*"
GROUPED_WITH_DOTS = r"[-+]?\d{1,3}([.]\d{3})+,\d+"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """How one column is read.

    Attributes
    ----------
    kind : Kind
    sql : str
        An expression over c<position>: DOUBLE, TIMESTAMP or VARCHAR.
    labels : tuple of (str, str) or None
        As in `Column`.
    n_present : int
        Values that are not missing.
    notes : tuple of (str, str)
        Sort of remark, and the remark.
    """

    kind: Kind
    sql: str
    labels: tuple[str, str] | None = None
    n_present: int
    notes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """The columns to be read, and how to speak of them.

    Attributes
    ----------
    table : str
        Where they are: r, c0, c1, ...
    names : mapping from position to str
    place : function
        From a row's number in the file to words: "line 31".
    comma_likely : bool
        Whether the fields are separated by semicolons, as where decimals have commas.
    """

    table: str
    names: Mapping[int, str]
    place: Callable[[int], str]
    comma_likely: bool


def readings(connection: DuckDBPyConnection, asked: Asked, declared: Mapping[int, Declared]) -> dict[int, Reading]:
    """Return how to read each column.

    Parameters
    ----------
    connection : DuckDB connection
    asked : Asked
    declared : mapping from position to Declared
        As the file types its columns.

    Returns
    -------
    dict from position to Reading
    """
    found: dict[int, Reading] = {}
    untyped = [i for i in asked.names if declared[i] == "untyped"]
    for group in _groups(untyped):
        found |= _untyped(connection, asked, group)
    for group in _groups([i for i in asked.names if declared[i] != "untyped"]):
        found |= _declared(connection, asked, {i: declared[i] for i in group})
    return found


def _groups(positions: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(positions), COLUMNS_A_QUERY):
        yield positions[start : start + COLUMNS_A_QUERY]


def _ask(connection: DuckDBPyConnection, table: str, questions: Mapping[int, Sequence[str]]) -> dict[int, list[object]]:
    """Ask the same aggregates of several columns at once; the answers come back by column."""
    if not questions:
        return {}
    selected = ", ".join(f"{question}" for asked in questions.values() for question in asked)
    row = connection.execute(f"SELECT {selected} FROM {table}").fetchone() or ()
    answers = iter(row)
    return {i: [next(answers) for _ in asked] for i, asked in questions.items()}


def _trimmed(i: int) -> str:
    return f"trim(c{i}, ' \t\r\n')"


def _words(words: Sequence[str]) -> str:
    return ", ".join(quoted(word) for word in words)


def _one_of(words: Sequence[str]) -> str:
    """Return a pattern for any of the words; DuckDB plans one pattern far faster than a list of words."""
    return r"(?i)\s*(" + "|".join(re.escape(word) for word in words) + r")\s*"


def _matches(i: int, pattern: str) -> str:
    return f"regexp_full_match(c{i}, {quoted(pattern)})"


def _present(i: int, words: Sequence[str] = NO_VALUE) -> str:
    # NULL, neither true nor false, counts as absent.
    return f"(NOT {_matches(i, _one_of(words))})"


def _number(i: int) -> str:
    return f"TRY_CAST(c{i} AS DOUBLE)"


def _untyped(connection: DuckDBPyConnection, asked: Asked, group: Sequence[int]) -> dict[int, Reading]:
    casts = ", ".join(f"{_number(i)} AS n{i}" for i in group)
    with_numbers = f"(SELECT *, {casts} FROM {asked.table})"
    first = _ask(connection, with_numbers, {i: _number_questions(i) for i in group})
    # Only few columns hold more than plain finite numbers; the dearer questions are for them.
    odd = [i for i, (filled, numbers, largest, _) in first.items() if filled != numbers or not _is_finite(largest)]
    exact = _ask(connection, with_numbers, {i: _exact_questions(i) for i in odd})
    found: dict[int, Reading] = {}
    texts: dict[int, tuple[int, int]] = {}
    for i, (filled, numbers, _, low) in first.items():
        n_filled = int(str(filled))
        n_present, n_numbers, n_infinite = (int(str(n)) for n in exact.get(i, (filled, numbers, 0)))
        # Strings from "00" up to "0:" begin with a zero and another digit.
        zero_led = low is not None and str(low).strip() >= "00"
        if n_numbers >= MOSTLY * n_present and not (zero_led and _is_code(connection, asked, i)):
            reading = _as_number(connection, asked, i, n_present, n_numbers, n_infinite)
            found[i] = _with_missing(connection, asked, i, n_filled - n_present, reading)
        else:
            texts[i] = (n_present, n_numbers)
    return found | _texts(connection, asked, texts)


def _with_missing(connection: DuckDBPyConnection, asked: Asked, i: int, n_missing: int, reading: Reading) -> Reading:
    """Say so where words, not gaps, stand for missing numbers."""
    if n_missing == 0:
        return reading
    value, place = _first(connection, asked, i, f"c{i} IS NOT NULL AND NOT {_present(i)}")
    entries = "1 entry was" if n_missing == 1 else f"{n_missing:,} entries were"
    note = f"column {_name(asked, i)}: {entries} read as missing (first {value}, {place})"
    return replace(reading, notes=(*reading.notes, ("missing", note)))


def _number_questions(i: int) -> tuple[str, ...]:
    return (f"count(c{i})", f"count(n{i})", f"max(abs(n{i}))", f"max(CASE WHEN c{i} < '0:' THEN c{i} END)")


def _exact_questions(i: int) -> tuple[str, ...]:
    return (
        f"count(*) FILTER ({_present(i)})",
        f"count(*) FILTER (NOT isnan(n{i}))",
        f"count(*) FILTER (isinf(n{i}))",
    )


def _is_finite(largest: object) -> bool:
    return largest is None or math.isfinite(float(str(largest)))


def _is_code(connection: DuckDBPyConnection, asked: Asked, i: int) -> bool:
    """Whether all values are digits alone, some with leading zeros: post codes and the like, not amounts."""
    digits = _matches(i, r"\s*\d+\s*")
    other = f"count(*) FILTER ({_present(i)} AND NOT {digits})"
    return not _ask(connection, asked.table, {i: (other,)})[i][0]


def _as_number(
    connection: DuckDBPyConnection, asked: Asked, i: int, n_present: int, n_numbers: int, n_infinite: int
) -> Reading:
    number = _number(i)
    notes = []
    if n_numbers < n_present:
        value, place = _first(connection, asked, i, f"{_present(i)} AND {number} IS NULL")
        n = n_present - n_numbers
        notes.append(
            ("strays", f"column {_name(asked, i)}: {_values(n)} not numeric (first {value}, {place}), read as missing")
        )
    if n_infinite:
        value, place = _first(connection, asked, i, f"isinf({number})")
        notes.append(
            (
                "infinite",
                f"column {_name(asked, i)}: {_values(n_infinite)} not finite (first {value}, {place}), read as missing",
            )
        )
    sql = f"CASE WHEN isfinite({number}) THEN {number} END"
    return Reading(kind="number", sql=sql, n_present=n_numbers - n_infinite, notes=tuple(notes))


def _values(n: int) -> str:
    return "1 value is" if n == 1 else f"{n:,} values are"


def _name(asked: Asked, i: int) -> str:
    return f"'{printable(asked.names[i], width=40)}'"


def _first(connection: DuckDBPyConnection, asked: Asked, i: int, condition: str) -> tuple[str, str]:
    sql = f"SELECT left(c{i}, 100), r FROM {asked.table} WHERE {condition} ORDER BY r LIMIT 1"
    value, row = connection.execute(sql).fetchone() or ("", 0)
    return f"'{printable(value, width=30)}'", asked.place(int(row))


def _texts(connection: DuckDBPyConnection, asked: Asked, texts: Mapping[int, tuple[int, int]]) -> dict[int, Reading]:
    """Read columns that are not plain numbers."""
    counts = _ask(connection, asked.table, {i: _text_questions(i) for i in texts})
    found = {}
    for i, answers in counts.items():
        n_present, n_numbers = texts[i]
        n_bool, n_iso, n_date_like, n_formatted, n_comma = (int(str(answer)) for answer in answers)
        enough = MOSTLY * n_present
        reading = None
        if n_bool == n_present:
            reading = _as_boolean(connection, asked, i, n_present)
        elif n_iso >= enough:
            reading = _as_date(connection, asked, i, n_present, n_iso, sql=_iso(i), style="")
        elif n_date_like >= enough:
            reading = _as_styled_date(connection, asked, i, n_present)
        elif n_numbers + max(n_formatted, n_comma) >= enough and max(n_formatted, n_comma):
            by_comma = n_comma > n_formatted or (n_comma == n_formatted and asked.comma_likely)
            n_read = n_numbers + (n_comma if by_comma else n_formatted)
            reading = _as_formatted(connection, asked, i, n_present, n_read, by_comma=by_comma)
        found[i] = reading or _as_text(connection, asked, i, n_present, n_numbers, n_dates=n_iso + n_date_like)
    return found


def _text_questions(i: int) -> tuple[str, ...]:
    odd = f"{_number(i)} IS NULL AND"
    return (
        f"count(*) FILTER ({_matches(i, _one_of((*TRUE_WORDS, *FALSE_WORDS, *DIGITS)))})",
        f"count(*) FILTER ({_matches(i, ISO_DATE)})",
        f"count(*) FILTER ({_matches(i, DATE_LIKE)})",
        f"count(*) FILTER ({odd} {_matches(i, FORMATTED)})",
        f"count(*) FILTER ({odd} {_matches(i, DECIMAL_COMMA)})",
    )


def _iso(i: int) -> str:
    text = _trimmed(i)
    # Counting from the epoch puts every zone on one clock, UTC.
    zoned = f"make_timestamp(epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)))"
    value = f"CASE WHEN {_matches(i, ZONED)} THEN {zoned} ELSE TRY_CAST({text} AS TIMESTAMP) END"
    return f"CASE WHEN {_matches(i, ISO_DATE)} THEN {value} END"


def _as_boolean(connection: DuckDBPyConnection, asked: Asked, i: int, n_present: int) -> Reading | None:
    text = _trimmed(i)
    rows = connection.execute(f"SELECT DISTINCT {text} FROM {asked.table} WHERE {_present(i)} ORDER BY 1").fetchall()
    spellings = [str(row[0]) for row in rows]
    true = [spelling for spelling in spellings if spelling.lower() in (*TRUE_WORDS, "1")]
    false = [spelling for spelling in spellings if spelling.lower() in (*FALSE_WORDS, "0")]
    # A column of nothing but "F" is more likely a category.
    if not (true and false) and any(len(spelling) == 1 for spelling in spellings):
        return None
    labels = (false[0], true[0]) if len(true) == len(false) == 1 else None
    sql = f"CASE WHEN {_present(i)} THEN CAST({_matches(i, _one_of((*TRUE_WORDS, '1')))} AS DOUBLE) END"
    return Reading(kind="boolean", sql=sql, labels=labels, n_present=n_present)


def _as_date(
    connection: DuckDBPyConnection, asked: Asked, i: int, n_present: int, n_dates: int, *, sql: str, style: str
) -> Reading:
    notes = []
    if style:
        notes.append(("dates", f"column {_name(asked, i)}: dates were read as {style}"))
    if n_dates < n_present:
        value, place = _first(connection, asked, i, f"{_present(i)} AND ({sql}) IS NULL")
        notes.append(
            (
                "strays",
                f"column {_name(asked, i)}: {_values(n_present - n_dates)} no date (first {value}, {place}), read as missing",
            )
        )
    return Reading(kind="date", sql=sql, n_present=n_dates, notes=tuple(notes))


def _as_styled_date(connection: DuckDBPyConnection, asked: Asked, i: int, n_present: int) -> Reading | None:
    text = _trimmed(i)
    parsed = {style: _strptime(text, style) for style in DATE_STYLES}
    counts = _ask(connection, asked.table, {i: [f"count({sql})" for sql in parsed.values()]})[i]
    matching = {
        style: int(str(n)) for style, n in zip(parsed, counts, strict=True) if int(str(n)) >= MOSTLY * n_present
    }
    best = [style for style, n in matching.items() if n == max(matching.values())]
    # "%b" also reads full names in some versions, so equal readings of one style are one reading.
    swapped = {style.replace("%B", "%b") for style in best}
    if len(swapped) != 1:
        return None
    style = best[0]
    return _as_date(connection, asked, i, n_present, matching[style], sql=parsed[style], style=_style_in_words(style))


def _strptime(text: str, style: str) -> str:
    return f"try_strptime({text}, [{_words([style + time for time in TIMES])}])"


def _style_in_words(style: str) -> str:
    words = {"%d": "day", "%m": "month", "%Y": "year", "%y": "year", "%b": "month", "%B": "month"}
    for sign, word in words.items():
        style = style.replace(sign, word)
    return style


def _as_formatted(
    connection: DuckDBPyConnection, asked: Asked, i: int, n_present: int, n_read: int, *, by_comma: bool
) -> Reading:
    text = _trimmed(i)
    if by_comma:
        grouped = _ask(
            connection, asked.table, {i: (f"count(*) FILTER (regexp_full_match({text}, {quoted(GROUPED_WITH_DOTS)}))",)}
        )
        whole = f"replace({text}, '.', '')" if grouped[i][0] else text
        sql = f"CASE WHEN contains({text}, ',') OR NOT contains({text}, '.') THEN TRY_CAST(replace(replace({text}, '.', ''), ',', '.') AS DOUBLE) ELSE TRY_CAST({whole} AS DOUBLE) END"
        what = "decimal commas were read as points"
    else:
        digits = f"TRY_CAST(regexp_replace({text}, '[^0-9.+-]', '', 'g') AS DOUBLE)"
        sql = f"coalesce({_number(i)}, CASE WHEN regexp_full_match({text}, {quoted(FORMATTED)}) THEN {digits} END)"
        what = "thousands separators, percent and currency signs were dropped"
    sql = f"CASE WHEN {_present(i)} AND isfinite({sql}) THEN {sql} END"
    value, _ = _first(connection, asked, i, f"{_number(i)} IS NULL AND ({sql}) IS NOT NULL")
    notes = [("formatted", f"column {_name(asked, i)}: {what} (such as {value})")]
    if n_read < n_present:
        value, place = _first(connection, asked, i, f"{_present(i)} AND ({sql}) IS NULL")
        notes.append(
            (
                "strays",
                f"column {_name(asked, i)}: {_values(n_present - n_read)} not numeric (first {value}, {place}), read as missing",
            )
        )
    return Reading(kind="number", sql=sql, n_present=n_read, notes=tuple(notes))


def _as_text(
    connection: DuckDBPyConnection, asked: Asked, i: int, n_present: int, n_numbers: int, *, n_dates: int
) -> Reading:
    notes = []
    if n_dates >= MOSTLY * n_present:
        notes.append(("dates", f"column {_name(asked, i)}: the dates have no one clear style, so it was read as text"))
    elif n_numbers == n_present:
        notes.append(("codes", f"column {_name(asked, i)}: digits with leading zeros, so it was read as text"))
    elif n_numbers >= MIXED * n_present:
        value, place = _first(connection, asked, i, f"{_present(i)} AND {_number(i)} IS NULL")
        n = n_present - n_numbers
        notes.append(
            (
                "mixed",
                f"column {_name(asked, i)} mixes {n_numbers:,} numbers and {n:,} other values (first {value}, {place}), so it was read as text",
            )
        )
    text = _trimmed(i)
    # Python writes None so; lower case is left as the category it may be.
    sql = f"CASE WHEN {_present(i, NO_TEXT)} AND {text} <> 'None' THEN {text} END"
    return Reading(kind="text", sql=sql, n_present=n_present, notes=tuple(notes))


def _declared(connection: DuckDBPyConnection, asked: Asked, declared: Mapping[int, Declared]) -> dict[int, Reading]:
    counts = _ask(connection, asked.table, {i: (f"count(c{i})",) for i in declared})
    found = {}
    for i, kind in declared.items():
        n_present = int(str(counts[i][0]))
        if kind == "number":
            n_odd = _ask(connection, asked.table, {i: (f"count(*) FILTER (isinf(c{i}))",)})[i][0]
            found[i] = _as_number(connection, asked, i, n_present, n_present, int(str(n_odd)))
        elif kind == "boolean":
            found[i] = Reading(
                kind="boolean", sql=f"CAST(c{i} AS DOUBLE)", labels=("false", "true"), n_present=n_present
            )
        elif kind == "date":
            found[i] = Reading(kind="date", sql=f"CASE WHEN isfinite(c{i}) THEN c{i} END", n_present=n_present)
        else:
            found[i] = Reading(kind="text", sql=f"c{i}", n_present=n_present)
    return found


def remarks(found: Mapping[int, Reading], names: Mapping[int, str]) -> list[str]:
    """Return the remarks on all columns, each sort cut after a few.

    Parameters
    ----------
    found : mapping from position to Reading
    names : mapping from position to str

    Returns
    -------
    list of str
    """
    by_sort: dict[str, list[tuple[int, str]]] = {}
    for i, reading in found.items():
        for sort, note in reading.notes:
            by_sort.setdefault(sort, []).append((i, note))
    shown = []
    for notes in by_sort.values():
        shown += [note for _, note in notes[:MAX_NOTES]]
        if rest := notes[MAX_NOTES:]:
            shown.append(f"the same holds for {listed((names[i] for i, _ in rest), most=3)}")
    return shown
