"""How people spell what is no plain number: nothing, yes and no, dates, amounts such as "1,234.50 €".

Each reader here takes one column of text and returns its `Reading`, or None where the spellings are of several minds.
The pieces of SQL that `kinds` counts values with are here too, so that what is counted is what is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrfind.data.formats import quoted
from lrfind.data.table import Kind
from lrfind.text import printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Share of the present values that must be numbers (or dates) for the others to count as mistakes.
MOSTLY = 0.95
# Ways to write "no value", lower case. In text columns only those that are never a category:
# "none" and "missing" can be one (a house without a garage).
NO_TEXT = ("", "na", "n/a", "#n/a", "nan", "null", "<na>", "?")
NO_VALUE = (
    *NO_TEXT,
    "none",
    "nil",
    "missing",
    "-",
    "--",
    ".",
    "n.a.",
    "(null)",
    "#value!",
    "#div/0!",
    "#ref!",
    "#name?",
    "#num!",
    "#null!",
    "\\n",
)
BLANKS_ALONE = ("",)
# Python writes None so; in lower case it is left as the category it may be.
PYTHON_NONE = "None"
# What is no part of a text at its ends.
BLANK = " \t\r\n"
TRUE_WORDS = ("true", "t", "yes", "y")
FALSE_WORDS = ("false", "f", "no", "n")
# 1 and 0 may stand among such words, but alone they are numbers.
TRUE_DIGIT, FALSE_DIGIT = "1", "0"

# Sixteen digits and more: DOUBLE rounds some of them.
LONG_DIGITS, LEAST_INEXACT = r"\s*-?\d{16,}\s*", 2.0**53

ISO_DATE = r"\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?\s*"
ZONED = r".*:.*(Z|UTC|[+-]\d{2}(:?\d{2})?)\s*"
DATE_LIKE = (
    r"(?i)\s*(\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})"
    r"|(\d{1,2}[ -])?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ .-]+\d.*)([ T].*)?\s*"
)
# Day and month are told apart by trying both; every style is tried with and without a time of day.
DATE_STYLES = (
    "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
    "%b-%Y", "%b %Y", "%B %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
)  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
STYLE_WORDS = {"%d": "day", "%m": "month", "%Y": "year", "%y": "year", "%b": "month", "%B": "month"}
# What parts thousands besides commas and dots: blanks, some of which no line breaks at, and apostrophes.
GROUP_MARKS = " \u00a0\u2009\u202f'\u2019"
MARKED = rf"[1-9]\d{{0,2}}([{GROUP_MARKS}]\d{{3}})+"
# No group of thousands begins with a zero: "0,125" is an eighth. In India groups have two digits but for the last.
BY_POINT = rf"([1-9]\d{{0,2}}(,\d{{3}})+|[1-9]\d?(,\d\d)*,\d{{3}}|{MARKED}|\d+)([.]\d*)?|[.]\d+"
DOTTED = r"\d{1,3}([.]\d{3})"
BY_COMMA = rf"({DOTTED}+|{MARKED}|\d*),\d+([eE][-+]?\d+)?|{DOTTED}{{2,}}"
GROUPED_WITH_DOTS = rf"[-+]?{DOTTED}+,\d+|{DOTTED}{{2,}}"
MINUS = "-\u2212"
# Around an amount; brackets and a minus sign behind it mean that it is negative.
UNIT = r"[%$€£¥]?"
BLANKS = r"[\s\x{00a0}\x{202f}]*"


def _amount(digits: str) -> str:
    sign = f"{BLANKS}[{MINUS}+]?{BLANKS}"
    return f"{BLANKS}[(]?{sign}{UNIT}{sign}({digits}){BLANKS}{UNIT}{BLANKS}[{MINUS})]?{BLANKS}"


SIGNED_AMOUNT, DECIMAL_COMMA = _amount(BY_POINT), _amount(BY_COMMA)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """How one column is read.

    Attributes
    ----------
    kind : Kind
    sql : str
        An expression over c<position>: DOUBLE (possibly infinite or NaN, which count as missing), TIMESTAMP or VARCHAR.
    labels : tuple of (str, str) or None
        As in `Column`.
    n_present : int
        Values that are not missing.
    notes : tuple of (str, str)
        Sort of remark, and the remark.
    is_category, dropped_texts
        As in `Column`.
    """

    kind: Kind
    sql: str
    labels: tuple[str, str] | None = None
    n_present: int
    notes: tuple[tuple[str, str], ...] = ()
    is_category: bool = False
    dropped_texts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """The columns to be read, where to ask about them, and how to speak of them.

    Attributes
    ----------
    connection : DuckDB connection
    table : str
        Where they are: r, c0, c1, ...
    names : mapping from position to str
    place : function
        From a row's number in the file to words: "line 31".
    comma_likely : bool
        Whether the fields are separated by semicolons, as where decimals have commas.
    has_words : bool
        Whether the usual words for "no value" count as missing, or blanks alone.
    """

    connection: DuckDBPyConnection
    table: str
    names: Mapping[int, str]
    place: Callable[[int], str]
    comma_likely: bool
    has_words: bool = True

    def present(self, i: int) -> str:
        """Return SQL for whether column `i` holds a value; NULL, neither true nor false, counts as absent."""
        return f"(NOT {matches(i, one_of(NO_VALUE if self.has_words else BLANKS_ALONE))})"

    def present_text(self, i: int) -> str:
        """Return SQL for whether column `i`, of texts, holds one."""
        missing = one_of(NO_TEXT, exactly=(PYTHON_NONE,)) if self.has_words else one_of(BLANKS_ALONE)
        return f"(NOT {matches(i, missing)})"

    def answers(self, questions: Mapping[int, Sequence[str]], *, table: str = "") -> dict[int, list[Any]]:
        """Ask the same aggregates of several columns at once; the answers come back by column."""
        if not questions:
            return {}
        selected = ", ".join(question for asked in questions.values() for question in asked)
        row = self.connection.execute(f"SELECT {selected} FROM {table or self.table}").fetchone() or ()
        answers = iter(row)
        return {i: [next(answers) for _ in asked] for i, asked in questions.items()}

    def first(self, i: int, condition: str) -> tuple[str, str]:
        """Return the first value of column `i` that meets an SQL condition, quoted to be shown, and its place."""
        sql = f"SELECT left(c{i}, 100), r FROM {self.table} WHERE {condition} ORDER BY r LIMIT 1"
        value, row = self.connection.execute(sql).fetchone() or ("", 0)
        return f"'{printable(value, width=30)}'", self.place(int(row))

    def column(self, i: int) -> str:
        """Return how to speak of column `i`."""
        return f"column '{printable(self.names[i], width=40)}'"

    def lost(self, i: int, condition: str, *, n: int, what: str) -> tuple[tuple[str, str], ...]:
        """Return the remark that `n` values, which meet the condition, were no such thing; none where n is 0."""
        if n == 0:
            return ()
        value, place = self.first(i, condition)
        values = "1 value is" if n == 1 else f"{n:,} values are"
        return ((what, f"{self.column(i)}: {values} {what} (first {value}, {place}), read as missing"),)


def trimmed(i: int) -> str:
    """Return SQL for column `i` without white space at its ends.

    Looking at the ends first: DuckDB's trim walks through all of a text, fifty times as long where texts are long.
    """
    # Whatever begins with a blank sorts before '!', the first character after them.
    blank_ends = " OR ".join((f"c{i} < '!'", *(f"suffix(c{i}, '{blank}')" for blank in BLANK)))
    return f"(CASE WHEN {blank_ends} THEN trim(c{i}, '{BLANK}') ELSE c{i} END)"


def matches(i: int, pattern: str) -> str:
    """Return SQL for whether column `i` is of a pattern."""
    return f"regexp_full_match(c{i}, {quoted(pattern)})"


def one_of(words: Sequence[str], *, exactly: Sequence[str] = ()) -> str:
    """Return a pattern for any of the words, in upper or lower case or `exactly` so.

    DuckDB plans one pattern far faster than a list of words.
    """
    spelled = (*map(re.escape, words), *(f"(?-i:{re.escape(word)})" for word in exactly))
    return rf"(?i)\s*({'|'.join(spelled)})\s*"


def is_inexact(i: int) -> str:
    """Return SQL for whether column `i` holds a whole number with more digits than DOUBLE can keep."""
    held = f"CAST(TRY_CAST({number(i)} AS HUGEINT) AS VARCHAR)"
    return f"({matches(i, LONG_DIGITS)} AND {held} IS DISTINCT FROM {trimmed(i)})"


def number(i: int) -> str:
    """Return SQL for column `i` as a number, NULL where it is none."""
    return f"TRY_CAST(c{i} AS DOUBLE)"


def iso_date(i: int) -> str:
    """Return SQL for column `i` as a moment, NULL where it is no date as ISO 8601 has it."""
    text = trimmed(i)
    # Counting from the epoch puts every zone on one clock, UTC.
    zoned = f"make_timestamp(epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)))"
    value = f"CASE WHEN {matches(i, ZONED)} THEN {zoned} ELSE TRY_CAST({text} AS TIMESTAMP) END"
    return f"CASE WHEN {matches(i, ISO_DATE)} THEN {value} END"


def spelling_questions(i: int) -> tuple[str, ...]:
    """Return what to ask of a text column: how many booleans, ISO dates, dates, amounts, decimal commas it holds."""
    odd = f"{number(i)} IS NULL AND"
    return (
        f"count(*) FILTER ({matches(i, one_of((*TRUE_WORDS, *FALSE_WORDS, TRUE_DIGIT, FALSE_DIGIT)))})",
        f"count(*) FILTER ({matches(i, ISO_DATE)})",
        f"count(*) FILTER ({matches(i, DATE_LIKE)})",
        f"count(*) FILTER ({odd} {matches(i, SIGNED_AMOUNT)})",
        f"count(*) FILTER ({odd} {matches(i, DECIMAL_COMMA)})",
    )


def read_booleans(asked: Asked, i: int, *, n_present: int) -> Reading | None:
    """Read yes and no, true and false.

    Parameters
    ----------
    asked : Asked
    i : int
        The column's position.
    n_present : int
        Values that are not missing.

    Returns
    -------
    Reading or None
        None for a lone letter, which is more likely a category.
    """
    text = trimmed(i)
    sql = f"SELECT DISTINCT {text} FROM {asked.table} WHERE {asked.present(i)} ORDER BY 1"
    spellings = [str(row[0]) for row in asked.connection.execute(sql).fetchall()]
    true = [spelling for spelling in spellings if spelling.lower() in (*TRUE_WORDS, TRUE_DIGIT)]
    false = [spelling for spelling in spellings if spelling.lower() in (*FALSE_WORDS, FALSE_DIGIT)]
    if not (true and false) and any(len(spelling) == 1 for spelling in spellings):
        return None
    labels = (false[0], true[0]) if len(true) == len(false) == 1 else None
    is_true = matches(i, one_of((*TRUE_WORDS, TRUE_DIGIT)))
    value = f"CASE WHEN {asked.present(i)} THEN CAST({is_true} AS DOUBLE) END"
    return Reading(kind="boolean", sql=value, labels=labels, n_present=n_present)


def read_dates(asked: Asked, i: int, *, n_present: int, n_iso: int) -> Reading | None:
    """Read dates: as ISO 8601 where most are, else in the one style that reads most.

    Parameters
    ----------
    asked : Asked
    i : int
        The column's position.
    n_present : int
        Values that are not missing.
    n_iso : int
        Values written as ISO 8601 has it.

    Returns
    -------
    Reading or None
        None where no style reads most values, or several read equally many.
    """
    if n_iso >= MOSTLY * n_present:
        return _dates(asked, i, n_present=n_present, n_dates=n_iso, sql=iso_date(i))
    text = trimmed(i)
    parsed = {style: _strptime(text, style) for style in DATE_STYLES}
    counts = asked.answers({i: [f"count({sql})" for sql in parsed.values()]})[i]
    matching = {style: n for style, n in zip(parsed, counts, strict=True) if n >= MOSTLY * n_present}
    best = [style for style, n in matching.items() if n == max(matching.values())]
    # "%b" also reads full names in some versions, so equal readings of one style are one reading.
    if len({style.replace("%B", "%b") for style in best}) != 1:
        return None
    style = best[0]
    words = re.sub("%.", lambda sign: STYLE_WORDS[sign[0]], style)
    note = ("dates", f"{asked.column(i)}: dates were read as {words}")
    return _dates(asked, i, n_present=n_present, n_dates=matching[style], sql=parsed[style], notes=(note,))


def _strptime(text: str, style: str) -> str:
    styles = ", ".join(quoted(style + time) for time in TIMES)
    return f"try_strptime({text}, [{styles}])"


def _dates(
    asked: Asked, i: int, *, n_present: int, n_dates: int, sql: str, notes: tuple[tuple[str, str], ...] = ()
) -> Reading:
    lost = asked.lost(i, f"{asked.present(i)} AND ({sql}) IS NULL", n=n_present - n_dates, what="no date")
    return Reading(kind="date", sql=sql, n_present=n_dates, notes=(*notes, *lost))


def read_amounts(asked: Asked, i: int, *, n_present: int, n_read: int, by_comma: bool) -> Reading:
    """Read numbers with separators and signs.

    Parameters
    ----------
    asked : Asked
    i : int
        The column's position.
    n_present : int
        Values that are not missing.
    n_read : int
        Values that are numbers so read.
    by_comma : bool
        Whether the comma is the decimal point.

    Returns
    -------
    Reading
    """
    value = (
        _with_comma(asked, i)
        if by_comma
        else f"coalesce({number(i)}, {_signed(i, SIGNED_AMOUNT, point='.', group=',')})"
    )
    what = "amounts with decimal commas or thousands dots" if by_comma else "amounts with signs or thousands separators"
    sql = f"CASE WHEN {asked.present(i)} THEN {value} END"
    example, _ = asked.first(i, f"{number(i)} IS NULL AND ({sql}) IS NOT NULL")
    note = ("formatted", f"{asked.column(i)}: {what} were read as numbers (such as {example})")
    lost = asked.lost(i, f"{asked.present(i)} AND ({sql}) IS NULL", n=n_present - n_read, what="not numeric")
    return Reading(kind="number", sql=sql, n_present=n_read, notes=(note, *lost))


def _with_comma(asked: Asked, i: int) -> str:
    text = trimmed(i)
    is_grouped = f"count(*) FILTER (regexp_full_match({text}, {quoted(GROUPED_WITH_DOTS)}))"
    # Where dots part thousands, "1.234" without a comma is a whole number too.
    whole = f"replace({text}, '.', '')" if asked.answers({i: (is_grouped,)})[i][0] else text
    return f"coalesce({_signed(i, DECIMAL_COMMA, point=',', group='.')}, TRY_CAST({whole} AS DOUBLE))"


def _signed(i: int, pattern: str, *, point: str, group: str) -> str:
    """Return SQL for an amount of a pattern as a number: its digits, negative with a minus sign or in brackets."""
    around = f"^[^0-9{point}]+|[^0-9]+$|[{group}{GROUP_MARKS}]"
    digits = f"TRY_CAST(replace(regexp_replace(c{i}, {quoted(around)}, '', 'g'), '{point}', '.') AS DOUBLE)"
    is_negative = f"regexp_matches(c{i}, {quoted(f'^[^0-9]*[{MINUS}(]|[{MINUS}]{BLANKS}$')})"
    return f"CASE WHEN {matches(i, pattern)} THEN CASE WHEN {is_negative} THEN -{digits} ELSE {digits} END END"
