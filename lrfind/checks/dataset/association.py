"""Whether any column has to do with the target at all: `associate(columns, target, ...) -> Association`.

Models have to learn from some rows and be judged on others, so that a weak signal in few rows is there long before it
can be learned. Counts and ranks of all rows, against those of shuffled targets, see it earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

# Probability of taking shuffled targets for others.
ASSOCIATED = 0.005
# Most and fewest shuffles, the fewest that `ASSOCIATED` can be told with; a first look at some of them ends it where
# the targets are nothing special among those.
N_SHUFFLES, FEWEST_SHUFFLES, N_FIRST, LOOK_ON = 999, 199, 99, 0.1
SHUFFLES_KEY = 0x5AFE
# Groups of about equal size that a column of many different values is cut into; they see what bends.
N_BINS = 5
# Levels of a column up to which each is a column of the design, and numbers in the design, 32 MB.
MOST_DENSE, MOST_CELLS = 30, 2**23
# Numbers that are added up group by group in a shuffle, which takes 10 ms, and in all of them, two seconds; products
# with a design take a fortieth of that each.
MOST_GROUPED, MOST_ADDED, DENSE_COST = 400_000, 10**8, 1 / 40
# Numbers of shuffled targets held at a time, 16 MB.
MOST_SHUFFLED = 2**22


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A column as codes.

    Attributes
    ----------
    name : str
    codes : (n_rows,) ndarray of int64
        Places of its values in ascending order; -1 where missing.
    is_ordered : bool
        Greater codes are greater values.
    """

    name: str
    codes: Ints
    is_ordered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Whether columns have to do with the target.

    Attributes
    ----------
    p : float
        Probability that shuffled targets have as much to do with the columns.
    column : str
        The one that has most to do with it; empty where no column could be looked at.
    n_columns : int
        How many were.
    """

    p: float
    column: str
    n_columns: int

    @property
    def is_certain(self) -> bool:
        """Whether that is beyond chance."""
        return self.p <= ASSOCIATED


def associate(
    columns: Sequence[Coded], target: npt.NDArray[np.generic], *, n_classes: int, seed: int, is_late: Callable[[], bool]
) -> Association | None:
    """Test whether any column, or all of them together, have to do with the target, by shuffling it.

    Of each column three things are looked at: its levels where they repeat, the trend of its ranks, and fifths of its
    ranks. Each gives a sum of squares between groups (chi-square for classes, Kruskal-Wallis for numbers), its cube
    root is brought to mean 0 and standard deviation 1 over the shuffles, and the largest and the sum of all are
    compared with those of shuffled targets, the better of the two counting as such.

    Parameters
    ----------
    columns : sequence of Coded
    target : (n_rows,) ndarray
        Classes as 0, 1, ..., or numbers.
    n_classes : int
        0 for numbers.
    seed : int
    is_late : callable
        Asked now and then; given up once it says so.

    Returns
    -------
    Association or None
        None when given up.

    References
    ----------
    Westfall & Young 1993, "Resampling-Based Multiple Testing": the maximum under permutation.
    Wilson & Hilferty 1931, "The distribution of chi-square": cube roots of it are nearly normal.
    """
    scores = _scores(target, n_classes=n_classes)
    statistics = _affordable([one for column in columns for one in _statistics(column)], size=scores.size)
    if not statistics:
        return Association(p=1.0, column="", n_columns=0)
    rng = np.random.default_rng(np.random.SeedSequence([seed, SHUFFLES_KEY]))
    sums = _between(statistics, scores, orders=[np.arange(len(scores))])
    for n_shuffles in (N_FIRST, _count_shuffles(statistics, size=scores.size) - N_FIRST):
        for batch in _batches(n_shuffles, size=max(1, MOST_SHUFFLED // scores.size)):
            if is_late():
                return None
            orders = [rng.permutation(len(scores)) for _ in range(batch)]
            sums = np.concatenate([sums, _between(statistics, scores, orders=orders)])
        p, best = _judged(sums)
        if p > LOOK_ON:
            break
    return Association(p=p, column=statistics[best].name, n_columns=len({one.name for one in statistics}))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Statistic:
    """Weights of the rows, (n_rows, n_weights); or, of many groups, which of them each row is in."""

    name: str
    weights: Singles
    groups: Ints | None = None


def _statistics(column: Coded) -> Iterator[_Statistic]:
    levels = np.unique(column.codes, return_inverse=True)[1]
    n_levels = int(levels.max(initial=0)) + 1
    if n_levels == 1:
        return
    if n_levels <= len(levels) / 2 or not column.is_ordered:
        # values that occur once say nothing each, and are one group
        repeats = (np.bincount(levels) > 1)[levels]
        groups = np.unique(np.where(repeats, levels, -1), return_inverse=True)[1]
        if groups.max():
            yield _grouped(column.name, groups)
    if column.is_ordered:
        ranks = ranked(np.where(column.codes < 0, np.median(column.codes), column.codes))
        yield _Statistic(name=column.name, weights=ranks[:, None].astype(np.float32))
        if n_levels > N_BINS:
            edges = np.quantile(levels, np.linspace(0, 1, N_BINS + 1)[1:-1])
            yield _grouped(column.name, np.unique(np.searchsorted(edges, levels), return_inverse=True)[1])


def _affordable(statistics: Sequence[_Statistic], *, size: int) -> list[_Statistic]:
    """Return the statistics that do not take too long, for so many numbers of targets."""
    left = max(1, MOST_GROUPED // size)
    chosen = []
    for one in statistics:
        if one.groups is not None:
            left -= 1
        if one.groups is None or left >= 0:
            chosen.append(one)
    return chosen


def _count_shuffles(statistics: Sequence[_Statistic], *, size: int) -> int:
    added = sum(1.0 if one.groups is not None else one.weights.shape[1] * DENSE_COST for one in statistics)
    return int(np.clip(MOST_ADDED / (added * size), FEWEST_SHUFFLES, N_SHUFFLES))


def _grouped(name: str, groups: Ints) -> _Statistic:
    counts = np.bincount(groups)
    if len(counts) > MOST_DENSE:
        return _Statistic(name=name, weights=np.empty((0, 0), np.float32), groups=groups)
    weights = (groups[:, None] == np.arange(len(counts))) / np.sqrt(counts)
    return _Statistic(name=name, weights=weights.astype(np.float32))


def ranked(values: npt.NDArray[np.generic]) -> Floats:
    """Return ranks, ties sharing their mean, brought to mean 0 and sum of squares 1; zeros for values all alike."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    ranks -= ranks.mean()
    return np.asarray(ranks / max(float(np.sqrt(np.square(ranks).sum())), np.finfo(np.float64).tiny))


def _scores(target: npt.NDArray[np.generic], *, n_classes: int) -> Singles:
    """Return the target as scores (n_rows, n_scores) of mean 0; sums of squares between groups are then chi-squares."""
    if not n_classes:
        return np.asarray(ranked(target)[:, None] * np.sqrt(len(target)), dtype=np.float32)
    counts = np.bincount(target.astype(np.int64), minlength=n_classes)
    known = np.flatnonzero(counts)
    if len(known) == 2:  # noqa: PLR2004 - of two classes each says what the other does
        known = known[1:]
    share = counts[known] / len(target)
    scores = ((target[:, None] == known) - share) / np.sqrt(share)
    return np.asarray(scores, dtype=np.float32)


def _batches(count: int, *, size: int) -> Iterator[int]:
    for begin in range(0, count, size):
        yield min(size, count - begin)


def _between(statistics: Sequence[_Statistic], scores: Singles, *, orders: Sequence[Ints]) -> Floats:
    """Return the sums of squares between groups, (n_orders, n_statistics), of the scores in each order."""
    shuffled = np.stack([scores[order] for order in orders], axis=1)
    flat = shuffled.reshape(len(scores), -1)
    sums = np.empty((len(orders), len(statistics)))
    with threadpool_limits(1, user_api="blas"):
        for place, one in enumerate(statistics):
            inside = one.weights.T @ flat if one.groups is None else _group_means(one.groups, flat)
            sums[:, place] = np.square(inside).reshape(-1, *shuffled.shape[1:]).sum(axis=(0, 2))
    return sums


def _group_means(groups: Ints, flat: Singles) -> Singles:
    """Return the sums (n_groups, n) of each group's rows, over the square root of how many they are."""
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups)
    sums = np.add.reduceat(flat[order], np.cumsum(counts) - counts, axis=0)
    return np.asarray(sums / np.sqrt(counts)[:, None], dtype=np.float32)


def _judged(sums: Floats) -> tuple[float, int]:
    """Return the p value of the first line of sums among all, and the statistic that stands out most in it."""
    roots = np.cbrt(sums)
    deviations = (roots - roots.mean(axis=0)) / np.maximum(roots.std(axis=0), np.finfo(np.float64).tiny)
    # share of lines that do at least as well, for the largest and for the sum
    ranks = [_share_above(found) for found in (deviations.max(axis=1), deviations.sum(axis=1))]
    better = np.minimum(*ranks)
    return float(np.mean(better <= better[0])), int(deviations[0].argmax())


def _share_above(found: Floats) -> Floats:
    return np.asarray(1 - np.searchsorted(np.sort(found), found, side="left") / len(found))


def most_rows(columns: int) -> int:
    """Return how many rows of so many columns fit into the design."""
    return max(MOST_CELLS // max(columns * (N_BINS + 1), 1), 100)
