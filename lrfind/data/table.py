"""What a table is: named columns of equal length, where they came from, and what was decided on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lrfind.text import one_line

Kind = Literal["number", "boolean", "date", "text"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """Where a table came from and how it was read.

    Attributes
    ----------
    name : str
        What to call it: the file's name, the glob, "standard input", or "arrays".
    path : str
        As the user gave it.
    format : str
        "csv", "parquet", "jsonl", "npz" or "arrays".
    sha256 : str or None
        Of the file's bytes; None for big files, which are known by size and mtime.
    size : int
        Bytes.
    mtime : float or None
        Seconds since the epoch; only for files without a sha256.
    detected : tuple of (str, str)
        What was sniffed, in words: ("delimiter", "semicolon"), ("encoding", "latin-1").
    """

    name: str
    path: str
    format: str
    sha256: str | None
    size: int
    mtime: float | None
    detected: tuple[tuple[str, str], ...]


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        As in the file; may hold any character.
    kind : {"number", "boolean", "date", "text"}
    values : (n_rows,) ndarray, read-only
        number: float64, NaN where missing; boolean: float64 0, 1 or NaN; date: datetime64[us], NaT where missing;
        text: object, str or None.
    labels : tuple of (str, str) or None
        boolean: how the file spells 0 and 1, such as ("no", "yes"); None where it says so in several ways.
    is_row_name : bool
        A column without a name in front of the others: pandas and R write row names so.
    is_category : bool
        Text whatever it looks like, because the user or a categorical type says so; never taken for numbers.
    dropped_texts : tuple of (str, int)
        Words such as "NA" that were read as missing in a column of texts or booleans, and how often.
    """

    name: str
    kind: Kind
    values: npt.NDArray[Any]
    labels: tuple[str, str] | None = None
    is_row_name: bool = False
    is_category: bool = False
    dropped_texts: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        """Set the values read-only."""
        self.values.setflags(write=False)


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Columns of equal length, and what was decided while reading them.

    Attributes
    ----------
    source : Source
    columns : tuple of Column
    n_rows : int
        Rows held.
    n_rows_total : int
        Rows that passed the filter; more than `n_rows` when a sample was taken.
    notes : tuple of str
        One sentence each: what was repaired, dropped or assumed.
    places : (n_rows,) ndarray of int64, or None
        Which row of the file each row is, counted from 0; None where they are the file's first rows in order.
    """

    source: Source
    columns: tuple[Column, ...]
    n_rows: int
    n_rows_total: int
    notes: tuple[str, ...]
    places: npt.NDArray[np.int64] | None = None

    @property
    def row_places(self) -> npt.NDArray[np.int64]:
        """Which row of the file each row is, (n_rows,), counted from 0."""
        return np.arange(self.n_rows) if self.places is None else self.places
