"""Logs with a delimiter: CSV and TSV of any program, the CSVLogger of Keras, metrics.csv of Lightning.

Read with Python's csv, not as a table: a broken line must be counted and passed over, the last one may be half
written, and infinity and NaN are what a log is read for.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lrfind.data.dialect import MAX_LINE_BYTES, Layout, read_layout
from lrfind.errors import DataError
from lrfind.logs import tidy
from lrfind.logs.cells import MISSING, has_decimal_comma, parsed
from lrfind.logs.log import Repair
from lrfind.logs.names import role_of
from lrfind.logs.opened import LogFile
from lrfind.logs.optimizer import OptimizerReader, is_key
from lrfind.logs.readings import ColumnReader, Ints, Readings, counts_on, number_repairs, positional

# Rows parsed in one go: little memory, and little overhead a row.
CHUNK_ROWS = 5_000
# A body whose cells are mostly numbers or gaps is a table; printed text with commas is not.
MIN_NUMERIC_SHARE = 0.5
# Without names above them, nearly all cells are numbers.
MIN_BARE_SHARE = 0.9
# Rows looked at to tell.
SNIFF_ROWS = 50
# Different texts in a column of optimizers' names that are looked at.
MOST_OPTIMIZERS = 3
# More broken lines than whole ones: no table with this header.
MAX_BROKEN_SHARE = 0.5
# Marks of Lightning's CSVLogger beside "epoch" and "step".
LIGHTNING_SIGNS = ("_step", "_epoch")


# "loss: 0.5" and "val loss 0.5" are no names of columns but printed lines.
VALUE_IN_NAME = re.compile(r"[:=]\s*\S*\d|[A-Za-z]\s+[-+]?\d*\.\d+(?:[eE][-+]?\d+)?\s*$")


NUMBER_AS_NAME = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?")


@dataclass(slots=True)
class _Broken:
    """Lines that do not have as many fields as the header: in the middle, headers again, a last one cut off."""

    lines: list[int] = field(default_factory=list)
    headers: list[int] = field(default_factory=list)
    cut: int = 0


def claims(log: LogFile) -> bool:
    """Whether a log has a delimiter and a header or columns of numbers."""
    if not log.is_text or log.is_json:
        return False
    try:
        layout = read_layout(log.file, name=log.name)
    except DataError:
        return _has_header_alone(log)
    broken = _Broken()
    lines, rows = next(_pieces(log, layout, broken=broken))
    rows = rows[:SNIFF_ROWS]
    n_broken = sum(1 for line in broken.lines if not lines or line <= lines[:SNIFF_ROWS][-1])
    cells = [cell.strip() for row in rows for cell in row]
    numbers = parsed(cells)
    n_gaps = sum(1 for cell in cells if cell.lower() in MISSING)
    share = (len(numbers.given) - len(numbers.wrapped) + n_gaps) / len(cells) if cells and len(numbers.given) else 0.0
    if not layout.has_header:
        # Printed lines may hold a comma each.
        return share >= MIN_BARE_SHARE
    # Names are no numbers, but a year, or a number that counts the columns.
    is_header = not any(VALUE_IN_NAME.search(name) or NUMBER_AS_NAME.fullmatch(name) for name in layout.names)
    if not is_header and (n_broken > len(rows) or share < MIN_BARE_SHARE):
        return False
    return share >= MIN_NUMERIC_SHARE or (is_header and sum(1 for name in layout.names if role_of(name)) > 1)


def _has_header_alone(log: LogFile) -> bool:
    lines = [
        line.strip()
        for line in log.head[:MAX_LINE_BYTES].decode("utf-8", errors="replace").splitlines()
        if line.strip()
    ]
    return len(lines) == 1 and any(
        sum(1 for cell in lines[0].split(delimiter) if role_of(cell)) > 1 for delimiter in (",", ";", "\t", "|")
    )


def read(log: LogFile) -> Readings:
    """Return the columns that have a role in a log, or all where none is a loss."""
    layout = read_layout(log.file, name=log.name)
    broken = _Broken()
    pieces = _pieces(log, layout, broken=broken)
    first = next(pieces)
    layout = _with_counter_first(layout, first[1])
    decimal_comma = layout.delimiter != "," or has_decimal_comma([cell for row in first[1] for cell in row])
    melted = tidy.melted(layout.names, first[1]) if layout.has_header else None
    wanted = _wanted(layout.names) if melted is None else set(melted.numbers)
    columns = {name: ColumnReader(decimal_comma=decimal_comma) for name in layout.names if name in wanted}
    optimizer, names_optimizer = OptimizerReader(), {name for name in layout.names if is_key(name)}
    places: list[int] = []
    for lines, rows in itertools.chain([first], pieces):
        for name, texts in zip(layout.names, zip(*rows, strict=True), strict=False):
            if name in columns:
                columns[name].add(texts, first_row=len(places))
            elif melted is not None and name == melted.names:
                melted.add(texts)
            if name in names_optimizer:
                for text in itertools.islice(dict.fromkeys(texts), MOST_OPTIMIZERS):
                    optimizer.take(text, where=name)
        places += lines
    if len(broken.lines) > max(MAX_BROKEN_SHARE * len(places), 1):
        raise DataError(
            f"{log.name}, line {broken.lines[0]}: expected {len(layout.names)} fields as in the first line, and most "
            "lines below it have another number: mend the header or the lines"
        )
    if not places:
        raise DataError(f"{log.name} has a header but no whole row: no data")
    series = {name: column.series for name, column in columns.items()}
    if melted is not None:
        series = melted.cast(series)
    where: Ints = np.array(places, dtype=np.int64)
    roles = {} if layout.has_header else positional(series)
    return Readings(
        format=_format(layout), series=series, n_rows=len(places), places=where, place="line",
        roles=roles, optimizer=optimizer.told,
        repairs=(*_broken_repairs(broken, len(layout.names)), *number_repairs(columns, where=where, place="line")),
        notes=(*_shown(layout, log.name, roles=roles), *_header_notes(broken),
               *([] if melted is None else [melted.note])),
    )  # fmt: skip


def _with_counter_first(layout: Layout, rows: Sequence[Sequence[str]]) -> Layout:
    """Move the names of a header that is one short to the left, where its first is that of a counter.

    Tables whose rows are named have a column more than names, in front; Flair's losses have it at the end.
    """
    names = layout.names
    if not layout.has_header or layout.unnamed != {0} or (role_of(names[1]) or ("",))[0] not in ("step", "epoch"):
        return layout
    first, second = (parsed([row[i] for row in rows[:SNIFF_ROWS]]) for i in (0, 1))
    if not counts_on(first.values) or len(second.given) > MIN_NUMERIC_SHARE * len(rows[:SNIFF_ROWS]):
        return layout
    note = f"the header is one name short, and '{names[1]}' counts the rows: the last column has no name"
    moved = (*names[1:], f"column_{len(names)}")
    return replace(layout, names=moved, unnamed=frozenset({len(names) - 1}), notes=(note,))


def _wanted(names: Sequence[str]) -> set[str]:
    judged = {name: role_of(name) for name in names}
    has_loss = any(found is not None and found[0] == "loss" for found in judged.values())
    return {name for name, found in judged.items() if found is not None} if has_loss else set(names)


def _pieces(log: LogFile, layout: Layout, *, broken: _Broken) -> Iterator[tuple[list[int], list[list[str]]]]:
    """Yield (lines, rows) of the rows that are as wide as the header; note the others in `broken`."""
    csv.field_size_limit(MAX_LINE_BYTES)
    options = {"escapechar": "\\", "doublequote": False} if layout.escape == "\\" else {}
    text = itertools.islice(log.lines(), layout.n_header_lines, None)
    reader = csv.reader(text, delimiter=layout.delimiter, **options)  # type: ignore[arg-type]
    width, first = len(layout.names), layout.names[0]
    last = layout.n_header_lines
    while True:
        lines, rows, is_end = _piece(reader, broken, skipped=layout.n_header_lines)
        has_one_line_each = not lines or lines[-1] - last == len(lines)
        last = lines[-1] if lines else last
        if not has_one_line_each or set(map(len, rows)) != {width} or any(row[0] == first for row in rows):
            lines, rows = _sifted(lines, rows, layout=layout, broken=broken)
        yield lines, rows
        if is_end:
            break
    if broken.lines and broken.lines[-1] >= last and log.ends_open:
        broken.cut = broken.lines.pop()


def _piece(reader: Any, broken: _Broken, *, skipped: int) -> tuple[list[int], list[list[str]], bool]:
    """Read up to `CHUNK_ROWS` rows and the lines on which they end."""
    lines: list[int] = []
    rows: list[list[str]] = []
    while len(rows) < CHUNK_ROWS:
        try:
            for row in itertools.islice(reader, CHUNK_ROWS - len(rows)):
                rows.append(row)
                lines.append(reader.line_num + skipped)
        except csv.Error:
            broken.lines.append(reader.line_num + skipped)
            continue
        return lines, rows, len(rows) < CHUNK_ROWS
    return lines, rows, False


def _sifted(
    lines: Sequence[int], rows: Sequence[list[str]], *, layout: Layout, broken: _Broken
) -> tuple[list[int], list[list[str]]]:
    """Tell whole rows from broken ones, blank lines and headers that come again."""
    good: list[tuple[int, list[str]]] = []
    for line, row in zip(lines, rows, strict=True):
        if tuple(cell.strip(" ") for cell in row) == layout.names:
            broken.headers.append(line)
        elif any(cell.strip() for cell in row):
            # A stray quote swallows the lines below it; each of them is lost.
            n_swallowed = sum(cell.rstrip("\n").count("\n") for cell in row)
            if len(row) == len(layout.names) and not n_swallowed:
                good.append((line, row))
            else:
                broken.lines += range(line - n_swallowed, line + 1)
    return [line for line, _ in good], [row for _, row in good]


def _format(layout: Layout) -> str:
    names = layout.names
    if "epoch" in names and "step" in names and any(name.endswith(LIGHTNING_SIGNS) or "lr-" in name for name in names):
        return "lightning csv"
    counts_steps = any((role_of(name) or ("",))[0] == "step" for name in names)
    return "keras csv" if names[0] == "epoch" and "loss" in names and not counts_steps else "csv"


def _shown(layout: Layout, name: str, *, roles: Mapping[str, str]) -> tuple[str, ...]:
    if layout.has_header:
        return layout.notes
    return (f"{name} has no header: {roles['step']} was taken for the step and {roles['loss']} for the loss",)


def _header_notes(broken: _Broken) -> list[str]:
    if not broken.headers:
        return []
    return [f"the header comes again in line {broken.headers[0]}, as where a run was started again into the same file"]


def _broken_repairs(broken: _Broken, width: int) -> list[Repair]:
    repairs = []
    if broken.lines:
        first = f"line {broken.lines[0]}"
        do = "1 line does" if len(broken.lines) == 1 else f"{len(broken.lines):,} lines do"
        sentence = f"left out as unreadable: {do} not have {width} fields (first: {first})"
        repairs.append(Repair(kind="unreadable row", count=len(broken.lines), first=first, sentence=sentence))
    if broken.cut:
        first = f"line {broken.cut}"
        sentence = f"the last line ({broken.cut}) is incomplete (truncated; the run is still writing?) and was left out"
        repairs.append(Repair(kind="truncated", count=1, first=first, sentence=sentence))
    return repairs
