"""Every line of a printed log, taken apart: `scan(log) -> Scan`.

Lines that differ in their digits alone are taken apart once, and their numbers are read together: a log of a million
lines has some hundred shapes. What is kept are the numbers that may matter and the lines they stand on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lrfind.errors import DataError
from lrfind.logs.cells import THOUSANDS
from lrfind.logs.log import Floats
from lrfind.logs.names import CounterRole
from lrfind.logs.opened import LogFile
from lrfind.logs.optimizer import OptimizerReader
from lrfind.logs.printed.line import WIDTH
from lrfind.logs.printed.shape import EMPTY, Shape, shape_of
from lrfind.logs.printed.table import Header, header_of, role_in_table
from lrfind.logs.readings import MAX_SERIES, Ints

# A script prints a handful of kinds of lines, each with numbers of several lengths.
MOST_SHAPES = 8_192
# Lines read together: enough that NumPy's overhead vanishes, few enough that they stay small.
MOST_LINES = 20_000
# Fewer lines of one shape are read one by one.
FEW_LINES = 6
# More names of one role hold what is different in each line, such as the file that a loss is of.
MOST_NAMES = 100
# As do this many that come on fewer lines each.
MANY_NAMES, MIN_LINES = 8, 3
# Every digit is a 0 in a line's shape.
DIGITS = bytes.maketrans(b"123456789", b"000000000")
COLOURS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
# How much of a line is kept to be shown.
EXCERPT = 200


class Family(NamedTuple):
    """Lines that count the same things, about the same part of the data.

    Attributes
    ----------
    part : str
        The held-out part, or "".
    counters : tuple of (kind, name)
    bar : {"", "bar", "mean"}
    """

    part: str
    counters: tuple[tuple[CounterRole, str], ...]
    bar: str


class Key(NamedTuple):
    """A column: a family's values of one name, or one of its counters."""

    family: Family
    role: str
    name: str


@dataclass(slots=True)
class Column:
    """The numbers of a column, and the lines they stand on.

    Attributes
    ----------
    lines, values : list of arrays, later one array each
    first : (line, text)
        Where it comes first.
    is_whole : bool
        Whether they are one array each.
    shared : dict
        The lines of columns that have them in common, by their pieces, which are all kept.
    """

    lines: list[Ints] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    first: tuple[int, str] = (0, "")
    is_whole: bool = False
    shared: dict[tuple[int, ...], tuple[Ints, Ints | None]] = field(default_factory=dict)

    def _joined(self) -> tuple[Ints, Ints | None]:
        """Return the lines in one piece and in order, and that order; the same for columns of the same lines."""
        pieces = tuple(map(id, self.lines))
        if pieces not in self.shared:
            lines, order = np.concatenate(self.lines), None
            if not (lines[1:] > lines[:-1]).all():
                order = np.argsort(lines, kind="stable")
                lines = lines[order]
            self.shared[pieces] = (lines, order)
        return self.shared[pieces]

    def add(self, lines: Ints, values: Floats, *, text: bytes) -> None:
        """Take some numbers."""
        if not self.first[0] or lines[0] < self.first[0]:
            self.first = (int(lines[0]), text[:EXCERPT].decode("utf-8", errors="replace").strip())
        self.lines.append(lines)
        self.values.append(values)

    def whole(self) -> tuple[Ints, Floats]:
        """Return lines, in order, and values."""
        if not self.is_whole:
            lines, order = self._joined()
            values = np.concatenate(self.values)
            self.lines, self.values = [lines], [values if order is None else values[order]]
            self.is_whole = True
        return self.lines[0], self.values[0]


@dataclass(slots=True)
class Scan:
    """What all lines of a log say.

    Attributes
    ----------
    columns : dict from Key to Column
        Of values, their running means ("mean of NAME"), counters, and what those count up to ("total of NAME").
    shared : dict
        As in `Column`.
    headings : list of (line, part)
        Lines that announce of which part of the data the next is.
    crowded : set of (Family, role)
        Of which there were so many names that only their last words count.
    n_lines : int
    odd : (line, text) or None
        The first line with numbers of other names.
    """

    columns: dict[Key, Column] = field(default_factory=dict)
    shared: dict[tuple[int, ...], tuple[Ints, Ints | None]] = field(default_factory=dict)
    headings: list[tuple[int, str]] = field(default_factory=list)
    crowded: set[tuple[Family, str]] = field(default_factory=set)
    n_lines: int = 0
    odd: tuple[int, str] | None = None

    def add(self, key: Key, *, lines: Ints, values: Floats, text: bytes) -> None:
        """Take some numbers of a column."""
        if (key.family, key.role) in self.crowded:
            key = key._replace(name=_last_word(key.name))
        elif key not in self.columns and sum(each[:2] == key[:2] for each in self.columns) >= MOST_NAMES:
            self._crowd(key.family, key.role)
            key = key._replace(name=_last_word(key.name))
        if key not in self.columns and len(self.columns) >= MAX_SERIES:
            raise DataError(f"the log has more than {MAX_SERIES:,} different names of values: it is no training log")
        self.columns.setdefault(key, Column(shared=self.shared)).add(lines, values, text=text)

    def settle(self) -> None:
        """Take names that hardly ever come twice for one."""
        kinds = Counter((key.family, key.role) for key in self.columns if key.role not in ("step", "epoch", "total"))
        for (family, role), n_names in kinds.items():
            lengths = [sum(map(len, self.columns[key].lines)) for key in self.columns if key[:2] == (family, role)]
            if n_names >= MANY_NAMES and sum(lengths) < MIN_LINES * n_names:
                self._crowd(family, role)

    def _crowd(self, family: Family, role: str) -> None:
        """Call the columns of a family by their last words: before those stands what changes from line to line."""
        self.crowded.add((family, role))
        for old in [each for each in self.columns if each[:2] == (family, role)]:
            column = self.columns.pop(old)
            into = self.columns.setdefault(old._replace(name=_last_word(old.name)), Column(shared=self.shared))
            into.lines += column.lines
            into.values += column.values
            into.first = min(into.first, column.first) if into.first[0] else column.first


def _last_word(name: str) -> str:
    return re.sub(r"\d+", "", name.rpartition(" ")[2])


def scan(log: LogFile, *, optimizer: OptimizerReader) -> Scan:
    """Return what the lines of a log say, and hand what they tell of the optimizer to `optimizer`.

    Parameters
    ----------
    log : LogFile
    optimizer : OptimizerReader

    Returns
    -------
    Scan
    """
    scanner = _Scanner(optimizer)
    for block in log.blocks():
        scanner.take(COLOURS.sub(b"", block) if b"\x1b" in block else block)
    scanner.flush()
    scanner.found.settle()
    return scanner.found


class _Scanner:
    def __init__(self, optimizer: OptimizerReader) -> None:
        self.found = Scan()
        self.optimizer = optimizer
        self.known: dict[bytes, Shape] = {}
        self.groups: dict[Shape, tuple[list[int], list[bytes]]] = {}
        self.n_held = 0
        self.header: Header | None = None
        self.header_shape: Header | None = None

    def take(self, block: bytes) -> None:
        """Take whole lines."""
        lines = block.split(b"\n")
        shapes = block.translate(DIGITS).split(b"\n")
        if not lines[-1]:
            del lines[-1]
        known, groups, number = self.known, self.groups, self.found.n_lines
        for line, key in zip(lines, shapes, strict=False):
            number += 1
            shape = known.get(key)
            if shape is None:
                shape = self._new(key)
            if shape is EMPTY:
                continue
            group = groups.get(shape)
            if group is None:
                self._special(shape, line, number=number)
                groups = self.groups
                groups[shape] = ([number], [line])
            else:
                if shape.tells_of_optimizer or shape.heading or shape.header is not None:
                    self._special(shape, line, number=number)
                    groups = self.groups
                    group = groups.setdefault(shape, ([], []))
                group[0].append(number)
                group[1].append(line)
        self.n_held += len(lines)
        self.found.n_lines = number
        if self.n_held >= MOST_LINES:
            self.flush()

    def _new(self, key: bytes) -> Shape:
        if len(self.known) >= MOST_SHAPES:
            self.known.clear()
        shape = shape_of(key)
        if shape.is_empty and not shape.n_others:
            shape = EMPTY
        self.known[key] = shape
        return shape

    def _special(self, shape: Shape, line: bytes, *, number: int) -> None:
        """Take what concerns the lines below."""
        if shape.tells_of_optimizer:
            text = line[:WIDTH].decode("utf-8", errors="replace").rstrip()
            self.optimizer.take_line(text, where=f"line {number}")
        if shape.heading:
            self.found.headings.append((number, shape.heading))
        if shape.header is not None and shape.header != self.header_shape:
            self.flush()
            # The shape's digits are 0s.
            own, _ = header_of(line[:WIDTH].decode("utf-8", errors="replace"), has_values=False)
            self.header, self.header_shape = own or shape.header, shape.header
        if shape.n_others and not shape.values and self.found.odd is None:
            self.found.odd = (number, line[:EXCERPT].decode("utf-8", errors="replace").strip())

    def flush(self) -> None:
        """Read the numbers of the lines that are held."""
        groups, self.groups, self.n_held = self.groups, {}, 0
        for shape, (numbers, lines) in groups.items():
            at = np.array(numbers, dtype=np.int64)
            if shape.fields and (names := self._columns(shape, lines[0])):
                self._row(shape, at, names=names, lines=lines)
            elif shape.values or shape.counters:
                self._read(shape, at, lines=lines)

    def _columns(self, shape: Shape, line: bytes) -> tuple[str, ...]:
        """Return the names of the columns of a row of numbers, none where it is below no header that fits."""
        if self.header is None:
            return ()
        return self.header.names(len(shape.fields) - 1, is_whole=not line[shape.fields[-1]].strip(b" |:\t"))

    def _read(self, shape: Shape, numbers: Ints, *, lines: list[bytes]) -> None:
        family = Family(shape.part, tuple((each.kind, each.name) for each in shape.counters), shape.bar)

        def take(role: str, name: str, *, place: slice, is_count: bool) -> None:
            values = read_numbers(lines, place, is_count=is_count)
            self.found.add(Key(family, role, name), lines=numbers, values=values, text=lines[0])

        # Of several of one name the first counts: the mean so far or the best may stand behind.
        for counter in {(each.kind, each.name): each for each in reversed(shape.counters)}.values():
            take(counter.kind, counter.name, place=counter.place, is_count=True)
            if counter.total is not None:
                take("total", f"total of {counter.name}", place=counter.total, is_count=True)
        if shape.progress is not None:
            take("progress", "", place=shape.progress, is_count=True)
        self._values(shape, family, numbers=numbers, lines=lines)

    def _values(self, shape: Shape, family: Family, *, numbers: Ints, lines: list[bytes]) -> None:
        """Read the values with a role."""
        seen: set[str] = set()
        for value in shape.values:
            values = read_numbers(lines, value.place)
            means = None if value.mean is None else read_numbers(lines, value.mean)
            for name, rows in _names(lines, value.name, front=value.front):
                if name in seen:
                    continue
                seen.add(name)
                text = lines[0 if rows is None else rows[0]]
                at = numbers if rows is None else numbers[rows]
                for role, column, every in ((value.role, name, values), ("mean", f"{value.role}: {name}", means)):
                    if every is not None:
                        some = every if rows is None else every[rows]
                        self.found.add(Key(family, role, column), lines=at, values=some, text=text)

    def _row(self, shape: Shape, numbers: Ints, *, names: tuple[str, ...], lines: list[bytes]) -> None:
        """Read rows of numbers below a header."""
        rest = lines[0][shape.fields[-1]].strip(b" |:\t")
        roles = [role_in_table(name) for name in names]
        counters = tuple((role, name) for role, name in zip(roles, names, strict=True) if role in ("step", "epoch"))
        family = Family("", counters, "mean" if rest else "")
        for role, name, place in zip(roles, names, shape.fields, strict=False):
            if role is not None and place.stop > place.start:
                values = read_numbers(lines, place)
                self.found.add(Key(family, role, name), lines=numbers, values=values, text=lines[0])


def _names(lines: Sequence[bytes], place: slice, *, front: str) -> list[tuple[str, Ints | None]]:
    """Return the names that stand at one place, and on which of the lines each does, None for all.

    They may differ in digits.
    """
    first = lines[0][place]
    if not any(48 <= byte <= 57 for byte in first):  # noqa: PLR2004 - digits
        return [(_named(first, front), None)]
    texts = np.array([line[place] for line in lines])
    distinct, which = np.unique(texts, return_inverse=True)
    return [(_named(bytes(text), front), np.flatnonzero(which == i)) for i, text in enumerate(distinct)]


def _named(text: bytes, front: str) -> str:
    return " ".join([*([front] if front else []), *text.decode("utf-8", errors="replace").split()])


def _text(text: bytes) -> str:
    return text.decode("utf-8", errors="replace")


def read_numbers(lines: Sequence[bytes], place: slice, *, is_count: bool = False) -> Floats:
    """Return the numbers that stand at one place of lines of one shape.

    Parameters
    ----------
    lines : sequence of bytes
        All of one length.
    place : slice
    is_count : bool
        Whether a comma stands before thousands.

    Returns
    -------
    array, shape (n,)
    """
    if b"," in lines[0][place]:
        return np.array([_with_comma(_text(line[place]), is_count=is_count) for line in lines])
    if len(lines) < FEW_LINES:
        return np.array([float(line[place]) for line in lines])
    width = len(lines[0])
    table = np.frombuffer(b"".join(lines), dtype=np.uint8).reshape(len(lines), width)
    cells = np.ascontiguousarray(table[:, place]).view(f"S{place.stop - place.start}")[:, 0]
    return cells.astype(np.float64)


def _with_comma(text: str, *, is_count: bool) -> float:
    """Return a number with commas: one stands before decimals, but in a count before thousands."""
    if THOUSANDS.fullmatch(text) and (is_count or text.count(",") > 1 or "." in text):
        return float(text.replace(",", ""))
    if text.count(",") == 1 and "." not in text:
        return float(text.replace(",", "."))
    return float(text.partition(",")[0])
