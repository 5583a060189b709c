"""One-hot features for the texts of a column that repeat."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.problem.labels import natural_key
from lrfind.problem.target import BINARY
from lrfind.text import printable

# A level in fewer rows tells a model more about those rows than about the level.
MIN_LEVEL_ROWS = 5
# In a small table a level may be this share of the rows, else nothing would be left of most columns.
MIN_LEVEL_SHARE = 1 / 50

RowArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texts:
    """A column of texts, each different one held once.

    Attributes
    ----------
    levels : tuple of str
        The different texts, without spaces at their ends.
    codes : (n_rows,) ndarray of int64
        Which of them each row has; -1 where it has none.
    """

    levels: tuple[str, ...]
    codes: RowArray

    def counts(self, rows: RowArray) -> Counter[str]:
        """Return how many of some rows have each text; texts of no row are left out."""
        codes = self.codes[rows]
        found = np.bincount(codes[codes >= 0], minlength=len(self.levels))
        return Counter({level: int(n) for level, n in zip(self.levels, found, strict=True) if n})


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelEncoder:
    """A 0/1 feature a level; not standardised, so that a rare level is no giant.

    Attributes
    ----------
    how : str
        "one-hot" or "frequent levels".
    features : tuple of str
    index : dict of str to int
        Level to its feature; -1 for a level that all the others being 0 stands for.
    other, missing : int
        Features of pooled or unseen levels and of missing values; -1 for all 0.
    log_counts : dict of str to float, or None
        Standardised logarithm of rows a level, the last feature; only for frequent levels.
    unseen : float
        The same of a level without rows.
    """

    how: str
    features: tuple[str, ...]
    index: dict[str, int]
    other: int
    missing: int
    log_counts: dict[str, float] | None = None
    unseen: float = 0.0

    def write(self, texts: Texts, rows: RowArray, *, out: npt.NDArray[np.float32]) -> None:
        """Write the features of some rows into `out`, (n, n_features)."""
        codes = texts.codes[rows]
        # The last entry is reached by -1, the code of a missing text.
        feature = np.array([*(self.index.get(level, self.other) for level in texts.levels), self.missing])[codes]
        out[:] = 0
        some = np.flatnonzero(feature >= 0)
        out[some, feature[some]] = 1
        if self.log_counts is not None:
            logs = np.array([*(self.log_counts.get(level, self.unseen) for level in texts.levels), 0.0])
            out[:, -1] = logs[codes]


def read_texts(values: npt.NDArray[np.generic]) -> Texts:
    """Tell the different texts of a column apart.

    Parameters
    ----------
    values : (n_rows,) ndarray of object, str or None

    Returns
    -------
    Texts
        A text of spaces alone is missing.
    """
    every = values.tolist()
    raw = {value: place for place, value in enumerate(dict.fromkeys(every))}
    places = np.fromiter(map(raw.__getitem__, every), np.int64, len(every))
    levels: dict[str, int] = {}
    codes = []
    for value in raw:
        text = value.strip() if isinstance(value, str) else ""
        codes.append(levels.setdefault(text, len(levels)) if text else -1)
    return Texts(levels=tuple(levels), codes=np.array(codes, dtype=np.int64)[places])


def frequent(counts: Counter[str], *, n_rows: int) -> list[str]:
    """Return the levels with enough rows of their own, most frequent first, ties in natural order.

    Parameters
    ----------
    counts : Counter
        Training rows a level.
    n_rows : int
        Training rows.

    Returns
    -------
    list of str
    """
    least = _least_rows(n_rows)
    return sorted((t for t, n in counts.items() if n >= least), key=lambda t: (-counts[t], natural_key(t)))


def fit_levels(
    name: str, counts: Counter[str], *, n_rows: int, most: int, with_counts: bool = False
) -> LevelEncoder | None:
    """Fit one-hot features for a column.

    Parameters
    ----------
    name : str
        Of the column.
    counts : Counter
        Training rows a level.
    n_rows : int
        Training rows, missing ones included.
    most : int
        Levels that get a feature at most.
    with_counts : bool
        Add how frequent the level is: for columns of which most levels are pooled.

    Returns
    -------
    LevelEncoder or None
        None when every feature would be constant.
    """
    least = _least_rows(n_rows)
    kept = sorted(frequent(counts, n_rows=n_rows)[:most], key=natural_key)
    n_missing = n_rows - counts.total()
    n_other = counts.total() - sum(counts[level] for level in kept)
    states = [f"{name}={printable(level, width=40)}" for level in kept]
    other = len(states) if n_other >= least else -1
    states += [f"{name} other"] if other >= 0 else []
    missing = len(states) if n_missing >= least else -1
    states += [f"{name} missing"] if missing >= 0 else []
    index = {level: i for i, level in enumerate(kept)}
    is_covered = (n_other == 0 or other >= 0) and (n_missing == 0 or missing >= 0)
    if len(states) < (BINARY if is_covered else 1):
        return None
    if len(states) == BINARY and is_covered:
        # Two states are one question: the second feature answers it, the first would only say the opposite.
        index, other, missing, states = {t: i - 1 for t, i in index.items()}, _less(other), _less(missing), states[1:]
    logs, unseen = _log_counts(counts) if with_counts else (None, 0.0)
    return LevelEncoder(
        how="frequent levels" if with_counts else "one-hot",
        features=(*states, f"{name} frequency") if with_counts else tuple(states),
        index=index,
        other=other,
        missing=missing,
        log_counts=logs,
        unseen=unseen,
    )


def _least_rows(n_rows: int) -> int:
    return min(MIN_LEVEL_ROWS, max(1, int(n_rows * MIN_LEVEL_SHARE)))


def _less(code: int) -> int:
    return max(code - 1, -1)


def _log_counts(counts: Counter[str]) -> tuple[dict[str, float], float]:
    """Return the logarithm of rows a level, standardised over the rows that have one, and that of no rows."""
    rows = np.fromiter(counts.values(), np.float64, len(counts))
    logs = np.log1p(rows)
    mean = float(np.average(logs, weights=rows))
    sd = float(np.sqrt(np.average((logs - mean) ** 2, weights=rows))) or 1.0
    scaled = (logs - mean) / sd
    return {level: float(z) for level, z in zip(counts, scaled, strict=True)}, -mean / sd
