"""What a format's reader hands over: `Readings`, one `Series` a column or tag, as sparse as the log was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from lrfind.errors import DataError
from lrfind.logs.cells import Cells, parsed
from lrfind.logs.log import Floats, Passed, Repair, StepUnit
from lrfind.logs.names import role_of
from lrfind.logs.optimizer import MOMENTUM_KEY, OptimizerReader, Told, is_key
from lrfind.text import printable

Ints = npt.NDArray[np.int64]
Place = Literal["line", "record", "row", "event"]

# Objects inside a record are opened this deep: {"train": {"loss": 1}} is common, deeper nesting is configuration, of
# which only what an optimizer is called matters.
MAX_NESTING = 2
# Tags and columns beyond this are no scalars people logged but a table laid on its side.
MAX_SERIES = 10_000
# Steps rise, but where a run is started again.
MIN_RISING_SHARE = 0.9
# How much of an odd value is shown: enough to know it again.
EXCERPT_WIDTH = 40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """The values of one column or tag.

    Attributes
    ----------
    rows : array of int, shape (k,)
        Increasing positions of the rows that have a value; a row may come twice, and then the later value counts.
    values : array, shape (k,)
        As logged; NaN only where NaN was logged.
    """

    rows: Ints
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Readings:
    """A log as read, before anything is mended.

    Attributes
    ----------
    format : str
        As in `TrainingLog`.
    series : mapping from column or tag to Series
    n_rows : int
    places : array of int, shape (n_rows,), or None
        Line (or record) of each row; None for 1, 2, ...
    place : {"line", "record", "row", "event"}
        What `places` counts.
    roles : mapping from role to column
        What the format itself settles; the rest goes by name.
    step_unit : {"step", "epoch", "row"} or None
        What the step column counts, where the format settles it.
    optimizer : Told or None
    repairs, notes, passed
        As in `TrainingLog`.
    names : tuple of str
        Of losses that are not among the series.
    """

    format: str
    series: Mapping[str, Series]
    n_rows: int
    places: Ints | None = None
    place: Place = "line"
    roles: Mapping[str, str] = field(default_factory=dict)
    step_unit: StepUnit | None = None
    optimizer: Told | None = None
    repairs: tuple[Repair, ...] = ()
    notes: tuple[str, ...] = ()
    passed: tuple[Passed, ...] = ()
    names: tuple[str, ...] = ()

    def where(self, row: int) -> str:
        """Return where a row stands, fit to show."""
        return f"{self.place} {row + 1 if self.places is None else int(self.places[row])}"


class ColumnReader:
    """Collects one column of text, a piece at a time."""

    def __init__(self, *, decimal_comma: bool = False) -> None:
        self._decimal_comma = decimal_comma
        self._rows: list[Ints] = []
        self._values: list[Floats] = []
        self.n_odd = self.n_wrapped = 0
        self.first_odd: tuple[int, str] | None = None
        self.first_wrapped: tuple[int, str] | None = None

    def add(self, texts: Sequence[str], *, first_row: int) -> None:
        """Read the column's text in the rows from `first_row` on."""
        cells = parsed(texts, decimal_comma=self._decimal_comma)
        self._rows.append(cells.given + first_row)
        self._values.append(cells.values)
        self._count(cells, texts, first_row=first_row)

    def _count(self, cells: Cells, texts: Sequence[str], *, first_row: int) -> None:
        if cells.odd and self.first_odd is None:
            self.first_odd = (first_row + cells.odd[0], texts[cells.odd[0]])
        if cells.wrapped and self.first_wrapped is None:
            self.first_wrapped = (first_row + cells.wrapped[0], texts[cells.wrapped[0]])
        self.n_odd += len(cells.odd)
        self.n_wrapped += len(cells.wrapped)

    @property
    def series(self) -> Series:
        """What was read so far."""
        if not self._rows:
            return Series(rows=np.empty(0, dtype=np.int64), values=np.empty(0))
        return Series(rows=np.concatenate(self._rows), values=np.concatenate(self._values))


def number_repairs(columns: Mapping[str, ColumnReader], *, where: Sequence[int] | Ints, place: Place) -> list[Repair]:
    """Return what to say about values that were no plain numbers.

    Parameters
    ----------
    columns : mapping from name to ColumnReader
        Those whose values are wanted.
    where : sequence of int
        Line of each row.
    place : str
        What `where` counts.

    Returns
    -------
    list of Repair
    """
    repairs = []
    for name, column in columns.items():
        for count, first, what, done in (
            (
                column.n_wrapped,
                column.first_wrapped,
                ("a number", "numbers"),
                "inside other text, and the number was taken",
            ),
            (column.n_odd, column.first_odd, ("no number", "no numbers"), "and left out"),
        ):
            if first is not None:
                at = f"{place} {int(where[first[0]])}"
                values, verb = ("1 value", f"is {what[0]}") if count == 1 else (f"{count:,} values", f"are {what[1]}")
                repairs.append(
                    Repair(
                        kind="non-numeric",
                        count=count,
                        first=at,
                        sentence=f"{values} of '{printable(name, width=EXCERPT_WIDTH)}' {verb} {done} "
                        f"(first: {at}, {printable(first[1], width=EXCERPT_WIDTH)!r})",
                    )
                )
    return repairs


class RecordReader:
    """Collects records, mappings from name to value, into columns."""

    def __init__(self, *, place: Place) -> None:
        self._place = place
        self._places: list[int] = []
        self._columns: dict[str, tuple[list[int], list[float]]] = {}
        self._odd: dict[str, ColumnReader] = {}
        self._roles: dict[str, bool] = {}
        self.optimizer = OptimizerReader()

    def __len__(self) -> int:
        return len(self._places)

    def add(self, record: Mapping[str, object], *, place: int) -> None:
        """Take one record that stands at line (or with number) `place`."""
        row = len(self._places)
        self._places.append(place)
        for name, value in record.items():
            # Nearly all values are plain numbers of columns that are known; a million rows have several million.
            if type(value) is float and name in self._columns:
                rows, values = self._columns[name]
                rows.append(row)
                values.append(value)
                continue
            for inner, each in flattened({name: value}):
                self._add(inner, each, row=row)

    def _add(self, name: str, value: object, *, row: int) -> None:
        number = self._number(name, value, row=row)
        if number is None:
            return
        if name not in self._columns and name.rpartition("/")[2] == MOMENTUM_KEY:
            self.optimizer.take_momentum(number, key=name)
        if name not in self._columns and len(self._columns) >= MAX_SERIES:
            raise DataError(f"the log has more than {MAX_SERIES:,} different names of values: it is no training log")
        rows, values = self._columns.setdefault(name, ([], []))
        rows.append(row)
        values.append(number)

    def _number(self, name: str, value: object, *, row: int) -> float | None:
        if isinstance(value, float):
            return value
        if isinstance(value, str) and is_key(name):
            self.optimizer.take(value, where=name)
        # Texts such as {"mode": "train"} are common, and are no numbers gone wrong.
        if not isinstance(value, str) or not self._has_role(name):
            return None
        column = self._odd.setdefault(name, ColumnReader())
        column.add([value], first_row=row)
        found = parsed([value])
        return float(found.values[0]) if len(found.values) else None

    def _has_role(self, name: str) -> bool:
        if name not in self._roles:
            self._roles[name] = len(self._roles) < MAX_SERIES and role_of(name) is not None
        return self._roles[name]

    def readings(
        self, format_: str, *, repairs: Iterable[Repair] = (), notes: Iterable[str] = (),
        step_unit: StepUnit | None = None,
    ) -> Readings:  # fmt: skip
        """Return everything taken so far."""
        series = {
            name: Series(rows=np.array(rows, dtype=np.int64), values=np.array(values))
            for name, (rows, values) in self._columns.items()
        }
        return Readings(
            format=format_, series=series, n_rows=len(self), places=np.array(self._places, dtype=np.int64),
            place=self._place, repairs=(*repairs, *number_repairs(self._odd, where=self._places, place=self._place)),
            notes=tuple(notes), step_unit=step_unit, optimizer=self.optimizer.told,
        )  # fmt: skip


def flattened(record: Mapping[str, object], *, depth: int = 1) -> Iterable[tuple[str, object]]:
    """Yield the values of a record that may be numbers, those of inner objects as "outer/inner"."""
    for key, value in record.items():
        if isinstance(value, Mapping):
            if depth < MAX_NESTING or (depth == MAX_NESTING and is_key(key)):
                yield from ((f"{key}/{inner}", each) for inner, each in flattened(value, depth=depth + 1))
        elif isinstance(value, bool):
            continue
        elif isinstance(value, int):
            yield key, float(value)
        else:
            yield key, value


def positional(series: Mapping[str, Series]) -> dict[str, str]:
    """Return the roles of columns without names: a step and a loss, or a loss alone.

    The first is the step, unless the second rises by whole steps and the first does not.

    Parameters
    ----------
    series : mapping from column to Series
        In order.

    Returns
    -------
    dict from role to column
    """
    names = list(series)[:2]
    if len(names) == 1:
        return {"loss": names[0]}
    is_swapped = counts_on(series[names[1]].values) and not counts_on(series[names[0]].values)
    return dict(zip(("step", "loss"), names[::-1] if is_swapped else names, strict=True))


def counts_on(values: Floats) -> bool:
    """Whether whole numbers rise, but where they start anew.

    Parameters
    ----------
    values : array

    Returns
    -------
    bool
    """
    rises = np.diff(values) > 0
    return len(rises) > 0 and bool((values == np.round(values)).all() and rises.mean() >= MIN_RISING_SHARE)
