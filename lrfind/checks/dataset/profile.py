"""Count what a table holds, once, so that each check only has to read: `profile_table(table, ...) -> Profile`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.data import Column, Kind, Table
from lrfind.problem.order import Hashes, hash_rows

# Four bytes a cell: rows are far fewer than two thousand million.
Ints = npt.NDArray[np.int32]

# Distribution of a column by tenths: enough to see a shift, few enough to read.
N_QUANTILES = 11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnProfile:
    """What one column holds.

    Attributes
    ----------
    name : str
    kind : {"number", "boolean", "date", "text"}
    n_missing, n_distinct : int
        Distinct values, missing ones left out.
    largest_share : float
        Share of the present values that are the most frequent one.
    collision : float
        Probability that two rows drawn at random agree in this column.
    longest_gap : int
        Most missing values in a row.
    steps_up, steps_down : float
        Share of neighbouring present values that rise, that fall.
    quantiles : (N_QUANTILES,) ndarray or None
        Of numbers; None for text, dates, and where nothing is present.
    """

    name: str
    kind: Kind
    n_missing: int
    n_distinct: int
    largest_share: float
    collision: float
    longest_gap: int
    steps_up: float
    steps_down: float
    quantiles: npt.NDArray[np.float64] | None

    @property
    def n_states(self) -> int:
        """Distinct values, and one more where some are missing: a blank tells something, too."""
        return self.n_distinct + (self.n_missing > 0)

    @property
    def is_mark(self) -> bool:
        """Whether there is one value, and it is there or not."""
        return self.n_distinct == 1 and self.n_missing > 0

    @property
    def spread(self) -> float:
        """Distance between the second and the eighth tenth; 0 where there is none."""
        return 0.0 if self.quantiles is None else float(self.quantiles[8] - self.quantiles[2])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """What a table holds.

    Attributes
    ----------
    columns : tuple of ColumnProfile
        In the table's order, the target included.
    codes : tuple of (n_rows,) ndarray of int32
        Which of its column's distinct values each row has, in ascending order; -1 where missing.
    """

    columns: tuple[ColumnProfile, ...]
    codes: tuple[Ints, ...]

    def of(self, name: str) -> ColumnProfile:
        """Return the profile of the column called `name`."""
        return next(column for column in self.columns if column.name == name)

    def row_hashes(self, names: Sequence[str]) -> Hashes:
        """Return a hash (n_rows,) of each row's values in some columns; equal rows have equal hashes."""
        wanted = set(names)
        chosen = [codes for column, codes in zip(self.columns, self.codes, strict=True) if column.name in wanted]
        return hash_rows(chosen, n_rows=len(self.codes[0]))


def profile_table(table: Table) -> Profile:
    """Count what each column of a table holds.

    Parameters
    ----------
    table : Table

    Returns
    -------
    Profile
    """
    coded = [_codes(column) for column in table.columns]
    profiles = (_profile(column, codes) for column, codes in zip(table.columns, coded, strict=True))
    return Profile(columns=tuple(profiles), codes=tuple(coded))


def _codes(column: Column) -> Ints:
    if column.kind == "text":
        index: dict[object, int] = {}
        seen = [-1 if text is None else index.setdefault(text, len(index)) for text in column.values]
        ranks = np.empty(len(index) + 1, np.int32)
        ranks[[index[text] for text in sorted(index, key=str)]] = np.arange(len(index))
        ranks[-1] = -1
        return ranks[np.array(seen, dtype=np.int64)]
    values = column.values
    missing = np.isnat(values) if column.kind == "date" else np.isnan(values)
    codes = np.full(len(values), -1, np.int32)
    codes[~missing] = np.unique(values[~missing], return_inverse=True)[1]
    return codes


def _profile(column: Column, codes: Ints) -> ColumnProfile:
    present = codes >= 0
    counts = np.bincount(codes[present]) if present.any() else np.zeros(1, np.int64)
    n_missing = len(codes) - int(counts.sum())
    shares = np.append(counts, n_missing) / max(len(codes), 1)
    steps = np.diff(codes[present])
    n_steps = max(len(steps), 1)
    is_number = column.kind in ("number", "boolean") and present.any()
    return ColumnProfile(
        name=column.name,
        kind=column.kind,
        n_missing=n_missing,
        n_distinct=int(np.count_nonzero(counts)),
        largest_share=float(counts.max() / max(counts.sum(), 1)),
        collision=float(np.square(shares).sum()),
        longest_gap=_longest_run(~present),
        steps_up=float(np.count_nonzero(steps > 0) / n_steps),
        steps_down=float(np.count_nonzero(steps < 0) / n_steps),
        quantiles=quantiles(column.values[present]) if is_number else None,
    )


def quantiles(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return tenths of the present values, (N_QUANTILES,); each is a value that occurs."""
    return np.asarray(np.quantile(values, np.linspace(0, 1, N_QUANTILES), method="inverted_cdf"))


def _longest_run(flags: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
