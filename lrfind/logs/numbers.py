"""Bare numbers: one a line (the loss_curve_ of scikit-learn, numpy.savetxt), or a few with blanks between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from lrfind.errors import DataError
from lrfind.logs.cells import parsed
from lrfind.logs.log import Repair
from lrfind.logs.names import role_of
from lrfind.logs.opened import LogFile
from lrfind.logs.readings import ColumnReader, Readings, number_repairs, positional
from lrfind.text import plural

# Lines looked at to tell.
SNIFF_LINES = 50
# Rows parsed in one go.
CHUNK_ROWS = 5_000
# All but the odd one must be numbers of the same count.
MIN_NUMERIC_SHARE = 0.9


def claims(log: LogFile) -> bool:
    """Whether all lines but a first one with names hold as many numbers, with blanks between them."""
    if not log.is_text or log.is_json or b"\t" in log.head:
        return False
    lines = list(itertools.islice(_lines(log), SNIFF_LINES))
    names, body = _split_header([fields for _, fields in lines])
    # Below "step,loss", 1,100.0 is a step and a loss.
    if any("," in name for name in names):
        return False
    width = len(names)
    good = [fields for fields in body if len(fields) == width and len(parsed(fields).given) == width]
    return bool(good) and len(good) >= MIN_NUMERIC_SHARE * (len(body) - 1)


def read(log: LogFile) -> Readings:
    """Return one column for each number of a line."""
    lines = _lines(log)
    start = list(itertools.islice(lines, 2))
    names, body = _split_header([fields for _, fields in start])
    rows = itertools.chain(start[len(start) - len(body) :], lines)
    columns = {name: ColumnReader() for name in names}
    places: list[int] = []
    broken: list[int] = []
    while piece := list(itertools.islice(rows, CHUNK_ROWS)):
        good = [(line, fields) for line, fields in piece if len(fields) == len(names)]
        broken += [line for line, fields in piece if len(fields) != len(names)]
        for name, texts in zip(names, zip(*(fields for _, fields in good), strict=True), strict=False):
            columns[name].add(texts, first_row=len(places))
        places += [line for line, _ in good]
    if not places:
        raise DataError(f"{log.name} has a header but no rows of numbers: no data")
    where = np.array(places, dtype=np.int64)
    named = names if any(role_of(name) for name in names) else ()
    series = {name: column.series for name, column in columns.items()}
    roles = {} if named else positional(series)
    return Readings(
        format="numbers", series=series, n_rows=len(places), places=where, roles=roles, repairs=(
            *_broken_repairs(broken, log=log, last=max([*broken, places[-1]]), width=len(names)),
            *number_repairs(columns, where=where, place="line"),
        ),
        notes=() if named or len(names) == 1 else (
            f"{log.name} has no names: {roles['step']} of a line was taken for the step, {roles['loss']} for the loss",
        ),
    )  # fmt: skip


def _lines(log: LogFile) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(log.lines(), start=1):
        if fields := line.replace("#", " ").split():
            yield number, fields


def _split_header(lines: Sequence[list[str]]) -> tuple[list[str], Sequence[list[str]]]:
    """Return the names of the columns and the lines below them."""
    if not lines:
        return [], []
    first = lines[0]
    if (
        not len(parsed(first).given)
        and len(set(first)) == len(first)
        and all(len(fields) == len(first) for fields in lines[1:2])
    ):
        return first, lines[1:]
    return [f"number {i + 1}" for i in range(len(first))], lines


def _broken_repairs(broken: list[int], *, log: LogFile, last: int, width: int) -> list[Repair]:
    if not broken:
        return []
    if broken == [last] and log.ends_open:
        sentence = f"the last line ({last}) is incomplete (truncated; the run is still writing?) and was left out"
        return [Repair(kind="truncated", count=1, first=f"line {last}", sentence=sentence)]
    do, were = ("does", "was") if len(broken) == 1 else ("do", "were")
    lines = plural(len(broken), "line")
    sentence = f"{lines} {do} not hold {plural(width, 'number')}, and {were} left out (first: line {broken[0]})"
    return [Repair(kind="unreadable row", count=len(broken), first=f"line {broken[0]}", sentence=sentence)]
