"""What the rows of a table can hide: LR306, LR307, LR308 and LR309."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lrfind.checks.dataset.value import Dataset
from lrfind.checks.finding import Check, Finding
from lrfind.problem.order import Hashes, hash_rows
from lrfind.text import listed

# Share of repeated rows worth a word, and the share from which a table is hardly more than copies.
SOME_COPIES, MOSTLY_COPIES = 0.01, 0.9
# Copies must outnumber what chance makes this many times.
ABOVE_CHANCE = 10.0
# Rows of a kind from which on it is as good as certain that there are two.
MOST_EXPECTED = 100.0
# Share of rows of rare values from which they were copied, however short rows are.
LARGE_SHARE = 0.25
# Share of the validation part from which its loss is more of rows remembered than of rows predicted.
MEMORY_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """How often rows repeat, and how often they would by nature.

    Whoever copies rows does not look at what is in them, so that rare and common ones are copied alike; where rows are
    alike by nature, it is the common ones. The half of the distinct rows whose values are rarest tells the two apart.

    Attributes
    ----------
    n_copies : int
        Rows that repeat an earlier one.
    by_chance : float
        How many would if columns had nothing to do with each other.
    rare, rare_by_chance : float
        Share of the rarer half of the distinct rows that have a copy, and how many would by chance.
    is_list : bool
        So few rows are distinct that the table is hardly more than a list of them.
    """

    n_copies: int
    by_chance: float
    rare: float
    rare_by_chance: float
    is_list: bool

    @property
    def are_natural(self) -> bool:
        """Whether chance explains them: within a factor of ten, in all rows and in rare ones."""
        is_usual = self.n_copies < ABOVE_CHANCE * self.by_chance
        return is_usual and self.rare < max(ABOVE_CHANCE * self.rare_by_chance, LARGE_SHARE) and not self.is_list


def duplicate_rows(check: Check, dataset: Dataset) -> Finding:
    """LR306: rows repeat others, more often than chance makes them.

    Two rows agree by chance in a column with the probability that two draws from it agree, and in all columns with at
    least the product of these; tables of few short columns repeat rows naturally, and are let be until copies are ten
    times as many as that product explains, or a quarter of the rows of rare values has a copy.
    """
    copies, n_rows = count_copies(dataset), dataset.table.n_rows
    share = copies.n_copies / n_rows
    numbers = {
        "n_rows": n_rows, "n_duplicates": copies.n_copies, "share": share, "n_by_chance": copies.by_chance,
        "share_of_rare_rows": copies.rare,
    }  # fmt: skip
    if share >= MOSTLY_COPIES and copies.is_list:
        message = f"Only {n_rows - copies.n_copies:,} of {n_rows:,} rows are distinct; all others are duplicates."
        return replace(check, severity="error").found(
            message, numbers, "Remove the copies: no model can be judged on rows it has seen."
        )
    if share < SOME_COPIES:
        return check.passed(f"{copies.n_copies:,} of {n_rows:,} rows are duplicates.", numbers)
    if copies.are_natural:
        return check.passed(
            f"{copies.n_copies:,} rows repeat others, as chance alone makes {copies.by_chance:,.0f} of such short rows "
            "do.",
            numbers,
        )
    message = f"{copies.n_copies:,} of {n_rows:,} rows ({share:.0%}) are duplicates of others."
    return check.found(message, numbers, f"Remove {copies.n_copies:,} copies, or count them as weights.")


# Distinct rows a class below which nothing can be learned that is not in the list of rows itself.
DISTINCT_PER_CLASS = 4


def few_distinct(dataset: Dataset) -> int:
    """Return how many distinct rows are too few to learn from."""
    return DISTINCT_PER_CLASS * max(len(dataset.problem.classes), 1)


def count_copies(dataset: Dataset) -> Copies:
    """Return how many rows repeat an earlier one in all columns used, the target too, and how many would by chance."""
    names = {*dataset.used, dataset.problem.target}
    hashes, n_rows = dataset.profile.row_hashes([*names]), dataset.table.n_rows
    _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    chosen = [
        (column, codes)
        for column, codes in zip(dataset.profile.columns, dataset.profile.codes, strict=True)
        if column.name in names
    ]
    # probability of each distinct row if columns had nothing to do with each other, in logarithms; its own copies must
    # not make it look common
    log_row = np.zeros(len(first))
    for _, codes in chosen:
        log_row += np.log(np.bincount(codes[first] + 1)[codes[first] + 1] / len(first))
    rare = np.argsort(log_row, kind="stable")[: max(1, len(first) // 2)]
    # rows that are seen at all are seen again with probability 1 - m / (e^m - 1), where m are expected (Poisson)
    expected = np.clip(n_rows * np.exp(log_row[rare]), np.finfo(np.float64).eps, MOST_EXPECTED)
    again = 1 - expected / np.expm1(expected)
    log_pair = sum(np.log(column.collision) for column, _ in chosen)
    n_copies = n_rows - len(first)
    return Copies(
        n_copies=n_copies,
        by_chance=float(min(n_rows * (n_rows - 1) / 2 * np.exp(log_pair), n_rows)),
        rare=float(np.mean(counts[rare] > 1)),
        rare_by_chance=float(again.mean()),
        is_list=len(first) <= few_distinct(dataset),
    )


# One or two twins are a coincidence in any table.
FEWEST_SHARED = 3


def shared_rows(check: Check, dataset: Dataset) -> Finding:
    """LR307: rows of the training part lie in the validation part too.

    Rows are compared as they are learned from, target included. Where rows repeat by chance (see LR306) shared ones
    are natural. From half of the validation part on, and of the rows of rare values, its loss is more of rows
    remembered than of rows predicted (error). Where only rows of common values repeat, new rows will repeat them too.
    """
    problem = dataset.problem
    if not dataset.is_read_whole:
        return check.not_applicable("There was no time to read all texts to their end.")
    train, val = _hashes(problem.X_train, problem.y_train), _hashes(problem.X_val, problem.y_val)
    n_shared = int(np.isin(val, train).sum())
    share = n_shared / len(val)
    copies = count_copies(dataset)
    numbers = {
        "n_validation": len(val), "n_shared": n_shared, "share": share, "n_by_chance": copies.by_chance,
        "share_of_rare_rows": copies.rare,
    }  # fmt: skip
    if share < SOME_COPIES or n_shared < FEWEST_SHARED or copies.are_natural:
        return check.passed(f"{n_shared:,} of {len(val):,} rows held out are in the training part too.", numbers)
    message = f"{n_shared:,} of {len(val):,} rows held out ({share:.0%}) are identical to rows trained on."
    advice = (
        f"Remove the copies, or keep copies on one side with --split group:COL: {n_shared:,} rows held out measure "
        "memory."
    )
    is_memory = min(share, copies.rare) >= MEMORY_SHARE
    return (replace(check, severity="error") if is_memory else check).found(message, numbers, advice)


def _hashes(X: npt.NDArray[np.float32], y: npt.NDArray[np.generic]) -> Hashes:
    return hash_rows([*np.ascontiguousarray(X.T), y if y.dtype == np.float32 else y.astype(np.int64)], n_rows=len(y))


# Share of rows without a target from which what is left may be another population than the one wanted.
MANY_MISSING = 0.3


def missing_targets(check: Check, dataset: Dataset) -> Finding:
    """LR308: rows without a target.

    Counted over every row. From 30 % on it is an error: the mean of what is left can then lie off by as much as 0.3
    of the target's range, whatever the number of rows (Manski 1990, worst-case bounds).
    """
    n_missing, n_rows = dataset.problem.n_rows_dropped, dataset.table.n_rows
    share = n_missing / n_rows
    numbers = {"n_rows": n_rows, "n_missing": n_missing, "share": share}
    name = listed([dataset.problem.target])
    if not n_missing:
        return check.passed(f"Every row has a value of {name}.", numbers)
    message = f"{n_missing:,} of {n_rows:,} rows ({share:.0%}) have no value of the target {name}; they were left out."
    advice = f"Find out why {n_missing:,} are missing: what is left may differ from what you want to predict."
    return (replace(check, severity="error") if share >= MANY_MISSING else check).found(message, numbers, advice)


# Rows of a class below which fewer than five can be held out: a share correct is then uncertain by 0.22 and more.
FEWEST_OF_CLASS = 20


def rare_classes(check: Check, dataset: Dataset) -> Finding:
    """LR309: a class has too few rows to be split and judged.

    Of k held-out rows the share that is predicted right has a standard error of up to 1 / (2 sqrt k): 0.22 for the 5
    that a quarter of 20 rows leaves.
    """
    problem = dataset.problem
    if problem.task == "regression":
        return check.not_applicable("The target is a number.")
    counts = np.bincount(
        np.concatenate([problem.y_train, problem.y_val]).astype(np.int64), minlength=len(problem.classes)
    )
    rare = [i for i in np.argsort(counts, kind="stable") if counts[i] < FEWEST_OF_CLASS]
    least = int(counts.argmin())
    numbers = {
        "n_classes": len(counts),
        "n_rare": len(rare),
        "smallest": int(counts.min()),
        "smallest_share": float(counts.min() / counts.sum()),
    }
    if not rare:
        return check.passed(
            f"The rarest of {len(counts)} classes, {listed([problem.classes[least]])}, has {counts.min():,} rows.",
            numbers,
        )
    which = listed((problem.classes[i] for i in rare), most=3)
    rows = "only 1 row" if counts.min() == 1 else f"only {counts.min():,} of {counts.sum():,} rows"
    message = f"Class {which} is rare: {rows}."
    if len(rare) > 1:
        message = f"{len(rare)} classes are rare: {which}; the smallest has {rows}."
    advice = f"Collect at least {FEWEST_OF_CLASS} rows of each class, merge rare classes, or weight them."
    return check.found(message, numbers, advice)
