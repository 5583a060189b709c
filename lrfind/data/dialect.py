"""Look at the first lines of delimited text: `read_layout(file) -> Layout`.

The width, the delimiter and the names are settled here, so that DuckDB is never left to guess: with them given it
refuses ragged rows, left alone it turns them into one column without a word.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from lrfind.errors import DataError
from lrfind.text import listed, printable

# Readers hold whole rows in memory, thousands at a time; no small model trains on more columns.
MAX_COLUMNS = 10_000
# DuckDB's own limit (max_line_size), so that header and rows fail alike.
MAX_LINE_BYTES = 2_000_000
# Rows looked at for the delimiter and for whether the first line is a header.
SNIFF_ROWS = 200
SNIFF_BYTES = 64 * 1024
# On equal evidence: text before tabs, semicolons and bars is rarely cut into equal numbers of fields by chance.
DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}
# Tried only where those cut nothing, and believed only where every row has the same width.
RARE_DELIMITERS = {" ": "blank", ":": "colon", "^": "caret", "~": "tilde"}
# Share of the first rows that must have the header's width for a delimiter to be believed.
MIN_AGREEMENT = 0.5
# Share of a column's first values that must be numbers for it to count as numeric here.
NUMERIC_SHARE = 0.9
# Headers made of years are names, not data.
YEARS = range(1800, 2101)
# Below it there is nothing to cut, and nothing to count up.
MIN_WIDTH = 2
# A line of titles names a thing and its value at most: "Source:,census".
MAX_TITLE_FIELDS = 2
# Marks of a kind that no eye sees, left at the ends of names by other programs.
UNSEEN = "\ufeff\u200b"
# Excel's first line, quoted or not; Excel itself pads it with the delimiter when it saves the file again.
DECLARED = re.compile(r'\s*"?sep=(?:([^"\r\n])\1*)?"?\s*', re.IGNORECASE)
NUMBER = re.compile(r"\s*[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?\s*")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """How delimited text is laid out.

    Attributes
    ----------
    delimiter : str
        One character.
    quote : str
        What stands around a field that holds the delimiter.
    escape : str
        What stands before a quote inside a quoted field.
    names : tuple of str
        Distinct; as in the header, or column_1, column_2, ...
    unnamed : frozenset of int
        Positions of columns without a name in the header.
    n_skipped : int
        Lines above the first row of data, as DuckDB counts them.
    n_header_lines : int
        The same, counted as an editor does.
    has_header : bool
    notes : tuple of str
    """

    delimiter: str
    quote: str
    escape: str
    names: tuple[str, ...]
    unnamed: frozenset[int]
    n_skipped: int
    n_header_lines: int
    has_header: bool
    notes: tuple[str, ...]


def read_layout(file: IO[bytes], *, name: str, keep: str | None = None, is_data: bool = False) -> Layout:
    """Return the layout of delimited UTF-8 text.

    Parameters
    ----------
    file : binary file
    name : str
        What to call it in messages.
    keep : str or None
        A column the caller needs: a first line that holds it is a header, and it may not be there twice.
    is_data : bool
        Whether it is a table for sure, in which titles, single quotes and rare delimiters are looked for as well; a log
        may be printed text.

    Returns
    -------
    Layout

    Raises
    ------
    DataError
        No header, no rows, one column, too many columns, or `keep` is missing or ambiguous.
    """
    lines, is_whole = _first_lines(file, name)
    n_skipped, declared = _preamble(lines)
    text = "".join(lines[n_skipped:])
    delimiter = declared or _delimiter(text, is_whole=is_whole)
    if is_data and not declared:
        delimiter = _rare_delimiter(text, is_whole=is_whole, usual=delimiter)
    quote = "'" if is_data and _is_quoted_singly(text, delimiter, is_whole=is_whole) else '"'
    escape = "\\" if f"\\{quote}" in text and quote * 2 not in text else quote
    rows = _rows(text, delimiter, quote=quote, escape=escape, is_whole=is_whole)
    notes = []
    if not declared and (n_above := _n_comment_rows(rows) or (is_data and _n_title_rows(rows))):
        n_lines = _n_lines(text, delimiter, quote=quote, n_rows=n_above)
        what = "comment" if rows[0][0].lstrip().startswith("#") else "title"
        noun = "line" if n_lines == 1 else "lines"
        notes.append(f"{name}: {n_lines} {what} {noun} above the table skipped")
        n_skipped += n_lines
        rows = rows[n_above:]
    if not rows:
        raise DataError(f"{name} is blank: no header and no rows")
    header, body = rows[0], rows[1:]
    _refuse_width(len(header), name)
    has_header = keep in [_name(cell) for cell in header] or not _looks_like_data(header, body)
    n_names = len(header)
    if has_header and body and all(len(row) == n_names + 1 for row in body):
        header, note = _with_missing_name(header, body, name=name)
        notes.append(note)
    if len(header) == 1:
        raise DataError(_one_column(header[0], name))
    n_lines_of_header = sum(cell.count("\n") for cell in header) + 1 if has_header else 0
    if has_header and not body and is_whole:
        raise DataError(f"{name} has a header but no rows of data")
    names, unnamed, name_notes = _names(header, name=name, keep=keep, has_header=has_header)
    return Layout(
        delimiter=delimiter, quote=quote, escape=escape, names=names, unnamed=unnamed, n_skipped=n_skipped + has_header,
        n_header_lines=n_skipped + n_lines_of_header, has_header=has_header, notes=(*notes, *name_notes),
    )  # fmt: skip


def _first_lines(file: IO[bytes], name: str) -> tuple[list[str], bool]:
    """Lines from the start, at least one that is not blank; and whether they are all."""
    file.seek(0)
    lines: list[str] = []
    size, seen_text = 0, False
    while size < SNIFF_BYTES or not seen_text:
        line = file.readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES:
            raise DataError(
                f"{name}, line {len(lines) + 1}: the row is longer than {MAX_LINE_BYTES:,} bytes, the limit for one row"
            )
        if not line:
            return lines, True
        seen_text = seen_text or not line.isspace()
        size += len(line)
        lines.append(line.decode("utf-8", errors="replace"))
    return lines, not file.read(1)


def _preamble(lines: Sequence[str]) -> tuple[int, str]:
    """Count blank lines at the top; Excel's `sep=;` line also names the delimiter."""
    n_blank = sum(1 for _ in itertools.takewhile(lambda line: not line.strip(), lines))
    first = lines[n_blank] if n_blank < len(lines) else ""
    if declared := DECLARED.fullmatch(first):
        # a tab at the end of a line is easily lost
        return n_blank + 1, declared[1] or "\t"
    return n_blank, ""


def _rows(
    text: str, delimiter: str, *, quote: str = '"', escape: str = '"', is_whole: bool, is_strict: bool = False
) -> list[list[str]]:
    """Return the first rows that are complete and not blank."""
    options = {"escapechar": "\\", "doublequote": False} if escape == "\\" else {}
    csv.field_size_limit(MAX_LINE_BYTES)
    # As DuckDB does, take a quote behind blanks for one that opens a field.
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=is_strict,
        skipinitialspace=delimiter != " ", **options,  # type: ignore[arg-type]
    )  # fmt: skip
    rows: list[list[str]] = []
    try:
        # Row by row: those before a broken one count.
        rows.extend(row for row in itertools.islice(reader, SNIFF_ROWS) if not _is_blank(row))
        # The last row may be cut off by the end of the piece looked at, or swallowed by an open quote.
        if len(rows) > 1 and next(reader, None) is None and not is_whole:
            rows.pop()
    except csv.Error:
        return [] if is_strict else rows
    return rows


def _delimiter(text: str, *, is_whole: bool) -> str:
    # With the wrong delimiter quotes end in the middle of fields, so strictness comes first.
    for is_strict in (True, False):
        best, best_score = ",", 0.0
        for delimiter in DELIMITERS:
            widths = [len(row) for row in _rows(text, delimiter, is_whole=is_whole, is_strict=is_strict)]
            if not widths or widths[0] < MIN_WIDTH:
                continue
            agreement = sum(width == widths[0] for width in widths) / len(widths)
            if agreement > best_score:
                best, best_score = delimiter, agreement
        if best_score >= MIN_AGREEMENT:
            return best
    # No header agrees with its rows: take the delimiter that cuts the rows most alike, and let them be judged by it.
    return max(DELIMITERS, key=lambda delimiter: _modal_share(_rows(text, delimiter, is_whole=is_whole)))


def _rare_delimiter(text: str, *, is_whole: bool, usual: str) -> str:
    """Return a delimiter that cuts all rows alike where the usual ones cut nothing."""
    rows = _rows(text, usual, is_whole=is_whole)
    if not rows or len(rows[0]) > 1:
        return usual
    for delimiter in RARE_DELIMITERS:
        widths = {len(row) for row in _rows(text, delimiter, is_whole=is_whole, is_strict=True)}
        if len(widths) == 1 and widths.pop() >= MIN_WIDTH:
            return delimiter
    return usual


def _is_quoted_singly(text: str, delimiter: str, *, is_whole: bool) -> bool:
    """Whether single quotes, not double ones, make the rows alike or stand around all values of a column."""
    if "'" not in text:
        return False
    singly = _rows(text, delimiter, quote="'", escape="'", is_whole=is_whole, is_strict=True)
    if len({len(row) for row in singly}) != 1:
        return False
    doubly = _rows(text, delimiter, is_whole=is_whole)
    if len({len(row) for row in doubly}) != 1:
        return True
    columns = zip(*doubly[1:], strict=True)
    return any(all(re.fullmatch(r"\s*'.*'\s*", cell, re.DOTALL) for cell in column) for column in columns)


def _is_blank(row: Sequence[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip())


def _n_lines(text: str, delimiter: str, *, quote: str, n_rows: int) -> int:
    """Count the lines that the first rows take, with the blank ones among and below them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    n_lines = 0
    for row in reader:
        if n_rows == 0 and not _is_blank(row):
            break
        n_rows -= not _is_blank(row)
        n_lines = reader.line_num
    return n_lines


def _n_title_rows(rows: Sequence[Sequence[str]]) -> int:
    """Count the rows above a header that hold titles: they have far fewer fields, or leave most of them blank."""
    width, count = Counter(len(row) for row in rows).most_common(1)[0] if rows else (0, 0)
    n = sum(1 for _ in itertools.takewhile(lambda row: _is_title(row, width=width), rows))
    if n == 0 or n + count < len(rows) or len(rows) - n < MIN_WIDTH:
        return 0
    header, body = rows[n], rows[n + 1 :]
    # What stands below the titles must be a header beyond doubt: words above numbers, all different.
    is_header = all(cell.strip() for cell in header[1:]) and len(set(header)) == len(header)
    numeric = [i for i in range(width) if _is_numeric([row[i] for row in body if len(row) == width])]
    has_words = bool(numeric) and not any(NUMBER.fullmatch(header[i]) for i in numeric)
    return n if is_header and has_words else 0


def _is_title(row: Sequence[str], *, width: int) -> bool:
    n_filled = sum(1 for cell in row if cell.strip())
    return len(row) < width - 1 or (len(row) == width > MAX_TITLE_FIELDS + 1 and n_filled <= MAX_TITLE_FIELDS)


def _modal_share(rows: Sequence[Sequence[str]]) -> float:
    widths = Counter(len(row) for row in rows if len(row) > 1)
    return max(widths.values(), default=0) / max(len(rows), 1)


def _n_comment_rows(rows: Sequence[Sequence[str]]) -> int:
    n = sum(1 for _ in itertools.takewhile(lambda row: row[0].lstrip().startswith("#"), rows))
    # A header may begin with #; a comment has another width than the table.
    return n if n < len(rows) and any(len(row) != len(rows[n]) for row in rows[:n]) else 0


def _refuse_width(width: int, name: str) -> None:
    if width > MAX_COLUMNS:
        raise DataError(
            f"{name} has {width:,} columns, and at most {MAX_COLUMNS:,} are read: leave some out of the file"
        )


def _one_column(only: str, name: str) -> str:
    known = ", ".join(DELIMITERS.values())
    return (
        f"{name} has only one column ('{printable(only, width=40)}'): a table needs a target and a feature, with "
        f"fields separated by one of {known}"
    )


def _looks_like_data(header: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether the first line is numeric wherever the lines below it are, and so is no header."""
    rows = [row for row in body if len(row) == len(header)]
    numeric = [i for i in range(len(header)) if _is_numeric([row[i] for row in rows])] if rows else range(len(header))
    if not numeric or not all(NUMBER.fullmatch(header[i]) for i in numeric):
        return False
    return not _is_enumeration([header[i] for i in range(len(header)) if NUMBER.fullmatch(header[i])])


def _is_numeric(values: Sequence[str]) -> bool:
    present = [value for value in values if value.strip()]
    return bool(present) and sum(1 for v in present if NUMBER.fullmatch(v)) >= NUMERIC_SHARE * len(present)


def _is_enumeration(cells: Sequence[str]) -> bool:
    """Whether numeric names count up from 0 or 1, or are years: what exports write as headers."""
    if len(cells) < MIN_WIDTH or not all(cell.strip().isascii() and cell.strip().isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    steps = {b - a for a, b in itertools.pairwise(numbers)}
    return steps == {1} and (numbers[0] in (0, 1) or all(number in YEARS for number in numbers))


def _with_missing_name(header: list[str], body: Sequence[Sequence[str]], *, name: str) -> tuple[list[str], str]:
    """Give a name to the column that has none because the header is one field short."""
    if not any(row[-1].strip() for row in body):
        return [*header, ""], f"{name}: every row ends in a delimiter that the header does not have"
    return ["", *header], f"{name}: the header is one name short, so the first column was taken to be row names"


def _names(
    header: Sequence[str], *, name: str, keep: str | None, has_header: bool
) -> tuple[tuple[str, ...], frozenset[int], list[str]]:
    if not has_header:
        note = (
            f"{name}: the first line looks like data, so there is no header; columns are called column_1, column_2, ..."
        )
        if keep is not None and not re.fullmatch(r"column_[1-9]\d*", keep):
            raise DataError(
                f"{name} has no column '{printable(keep, width=40)}': its first line looks like data "
                f"({listed(header, most=3)}), not like a header; add a header line, or name column_1, column_2, ..."
            )
        return tuple(f"column_{i + 1}" for i in range(len(header))), frozenset(), [note]
    given = [_name(cell) for cell in header]
    unnamed = frozenset(i for i, cell in enumerate(given) if not cell.strip())
    twice = [cell for cell, count in Counter(given).items() if count > 1 and cell.strip()]
    if keep in twice:
        raise DataError(
            f"{name} has {given.count(str(keep))} columns named '{printable(keep, width=40)}' (duplicate): rename or "
            "remove all but one, so that it is clear which is meant"
        )
    notes = []
    if unnamed:
        places = listed((f"column_{i + 1}" for i in sorted(unnamed)), most=5)
        notes.append(f"{name}: columns without a name in the header are called {places}")
    if twice:
        notes.append(f"{name}: duplicate column names {listed(twice, most=3)} were numbered to tell them apart")
    return distinct_names(given, unnamed), unnamed, notes


def _name(cell: str) -> str:
    return cell.strip(string.whitespace + "\xa0" + UNSEEN)


def distinct_names(given: Sequence[str], unnamed: frozenset[int] = frozenset()) -> tuple[str, ...]:
    """Return names, numbered where one is there twice; columns without one are called column_1, column_2, ...

    Parameters
    ----------
    given : sequence of str
    unnamed : frozenset of int
        Positions of columns without a name.

    Returns
    -------
    tuple of str
    """
    taken = set(given)
    names: list[str] = []
    seen: set[str] = set()
    for i, cell in enumerate(given):
        wanted = f"column_{i + 1}" if i in unnamed else cell
        if wanted in seen or (i in unnamed and wanted in taken):
            wanted = next(new for k in itertools.count(2) if (new := f"{wanted}_{k}") not in taken | seen)
        seen.add(wanted)
        names.append(wanted)
    return tuple(names)
