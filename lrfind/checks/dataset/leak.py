"""LR302: one column alone gives the target away."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lrfind.checks.dataset.columns import drop_option, named
from lrfind.checks.dataset.value import Dataset
from lrfind.checks.finding import Check, Finding, Numbers
from lrfind.text import listed

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.signedinteger]

# Skill from which a column is too good to be a measurement.
SUSPICIOUS, PERFECT = 0.98, 1.0 - 1e-9
# Fewest rows, and rows outside the largest class: below, a column can be perfect by luck. A column of noise puts the k
# rows of one class side by side among n with probability (n - k + 1) / C(n, k): 0.1 % for 5 of 20.
FEWEST_ROWS, FEWEST_OTHERS = 20, 5
# A class column is called a copy of the target beyond doubt from so many rows outside the largest class on, all told
# right: it may then be wrong in at most 5 % of them (the upper 99 % bound, 1 - 0.01 ^ (1/n)). An honest test for a rare
# disease is right in the first twenty cases as well.
CERTAIN_COPY = 90
# Squared correlation from which a number is the target in other units; rounding to four digits leaves 1 - 1e-8.
SAME_NUMBER = 1.0 - 1e-7
# Neighbours on either side that predict a value of a column whose values do not repeat.
NEIGHBOURS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Lone:
    """How well one column alone predicts the target.

    Attributes
    ----------
    name : str
    skill : float
        1 is perfect, 0 no better than a constant.
    is_copy : bool
        The column holds the target itself, in its own or other units.
    """

    name: str
    skill: float
    is_copy: bool


def target_leak(check: Check, dataset: Dataset) -> Finding:
    """LR302: one column predicts the target (nearly) perfectly.

    Each column alone predicts every row from the other rows (leave-one-out): from those with the same value, else
    from its two neighbours on either side in the order of the column. The skill is the share of a constant's squared
    error (numbers) or of the errors of the majority class (classes) that this removes. A copy of the target is an
    error, any skill above 0.98 a warning: some honest columns are as good. So is a copy of classes where fewer than 90
    rows lie outside the largest.

    References
    ----------
    Kaufman, Rosset & Perlich 2012, "Leakage in data mining", ACM TKDD 6(4).
    """
    n_others = _n_others(dataset)
    if len(dataset.rows) < FEWEST_ROWS or n_others < FEWEST_OTHERS:
        return check.not_applicable(
            f"{len(dataset.rows):,} rows, {n_others:,} outside the largest class: too few to tell a leak from luck."
        )
    lone = [lone_skill(dataset, name) for name in dataset.used]
    leaks = sorted(
        (one for one in lone if one.is_copy or one.skill > SUSPICIOUS), key=lambda one: (not one.is_copy, -one.skill)
    )
    best = max(lone, key=lambda one: one.skill)
    numbers: Numbers = {
        "n_columns": len(lone),
        "n_leaks": len(leaks),
        "best_skill": best.skill,
        "best_column": best.name,
    }
    if not leaks:
        return check.passed(
            f"No column alone gives the target away; the best, {listed([best.name])}, has a skill of "
            f"{best.skill:.2f} of 1.",
            numbers,
        )
    target = listed([dataset.problem.target])
    first = leaks[0]
    how = (
        f"is a copy of the target {target}, in its own or other units"
        if first.is_copy
        else f"alone predicts the target {target} with a skill of {first.skill:.3f} of 1"
    )
    more = f"; so do {len(leaks) - 1} more: {named([one.name for one in leaks[1:]])}" if len(leaks) > 1 else ""
    is_certain = first.is_copy and (dataset.problem.task == "regression" or n_others >= CERTAIN_COPY)
    found = replace(check, severity="error") if is_certain else check
    advice = f"If it is known only together with the target, leave it out: {drop_option([one.name for one in leaks])}."
    return found.found(f"Column {listed([first.name])} {how}: a leak{more}.", numbers, advice)


def _n_others(dataset: Dataset) -> int:
    # rows outside the largest class, or that differ from the most frequent number
    profile = dataset.profile.of(dataset.problem.target)
    present = dataset.table.n_rows - profile.n_missing
    return present - round(profile.largest_share * present)


def lone_skill(dataset: Dataset, name: str) -> Lone:
    """Return how well one column alone predicts the target.

    Parameters
    ----------
    dataset : Dataset
    name : str

    Returns
    -------
    Lone
    """
    place = next(i for i, column in enumerate(dataset.profile.columns) if column.name == name)
    y = targets(dataset)
    codes = dataset.profile.codes[place][dataset.rows]
    column = dataset.table.columns[place]
    if dataset.problem.task == "classification":
        skill = _class_skill(
            codes, y.astype(np.int64), n_classes=len(dataset.problem.classes), ordered=column.kind != "text"
        )
        return Lone(
            name=name,
            skill=skill,
            is_copy=skill >= PERFECT and dataset.profile.columns[place].n_states == len(dataset.problem.classes),
        )
    is_copy = column.kind == "number" and _is_same(column.values[dataset.rows], y)
    return Lone(
        name=name, skill=1.0 if is_copy else _number_skill(codes, y, ordered=column.kind != "text"), is_copy=is_copy
    )


def targets(dataset: Dataset) -> Floats:
    """Return the targets as learned from, (n_used,), in the order of `Dataset.rows`."""
    problem = dataset.problem
    return np.concatenate([problem.y_train, problem.y_val]).astype(np.float64)


def _is_same(values: Floats, y: Floats) -> bool:
    known = np.isfinite(values)
    if known.sum() < max(FEWEST_ROWS, len(y) / 2):
        return False
    x, z = values[known], y[known]
    x = x / max(np.abs(x).max(), np.finfo(np.float64).tiny)
    if x.std() == 0 or z.std() == 0:
        return False
    return bool(np.corrcoef(x, z)[0, 1] ** 2 >= SAME_NUMBER)


def _class_skill(codes: Ints, y: Ints, *, n_classes: int, ordered: bool) -> float:
    counts = np.bincount(y, minlength=n_classes)
    worst = 1 - counts.max() / len(y)
    if worst == 0:
        return 0.0
    guess = class_guesses(codes, y, n_classes=n_classes, ordered=ordered)
    guess = np.where(guess < 0, counts.argmax(), guess)
    return 1 - float(np.mean(guess != y)) / float(worst)


def class_guesses(codes: Ints, y: Ints, *, n_classes: int, ordered: bool) -> Ints:
    """Return the class that the rows like each row have most often, itself left out.

    Parameters
    ----------
    codes : (n_rows,) ndarray of int
        Which value of the column a row has, -1 where missing.
    y : (n_rows,) ndarray of int
        Classes.
    n_classes : int
    ordered : bool
        A row whose value no other has is judged by its neighbours in the order of the values.

    Returns
    -------
    (n_rows,) ndarray of int
        The lowest of classes equally frequent; -1 where no row is like it.
    """
    first, second, own, their = _two_most_frequent(codes + 1, y, n_classes=n_classes)
    # without itself, a row of the most frequent class leaves it one fewer
    left = own - (first == y)
    guess = np.where((left > their) | ((left == their) & (first < second)), first, second)
    guess[np.maximum(left, their) == 0] = -1
    if ordered:
        alone = np.flatnonzero((np.bincount(codes + 1)[codes + 1] == 1) & (codes >= 0))
        guess[alone] = _neighbours_class(codes, y)[alone]
    return guess


def _two_most_frequent(groups: Ints, y: Ints, *, n_classes: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Return, for each row, the two most frequent classes of its group and how many rows each has, four (n_rows,)."""
    pairs, counts = np.unique(groups.astype(np.int64) * n_classes + y, return_counts=True)
    group, label = pairs // n_classes, pairs % n_classes
    # of each group the most frequent comes first, and of equals the lowest class
    order = np.lexsort((label, -counts, group))
    group, label, counts = group[order], label[order], counts[order]
    begin = np.searchsorted(group, np.arange(int(groups.max()) + 1))
    begin = np.minimum(begin, len(group) - 1)
    after = np.minimum(begin + 1, len(group) - 1)
    has_second = (group[after] == group[begin]) & (after > begin)
    second, their = np.where(has_second, label[after], n_classes), np.where(has_second, counts[after], 0)
    return label[begin][groups], second[groups], counts[begin][groups], their[groups]


def _neighbours_class(codes: Ints, y: Ints) -> Ints:
    """Return the most frequent class among each row's neighbours in the order of the values, (n_rows,)."""
    order = np.argsort(codes, kind="stable")
    ranked = np.pad(y[order], NEIGHBOURS, constant_values=-1)
    shifts = [NEIGHBOURS + shift for shift in range(-NEIGHBOURS, NEIGHBOURS + 1) if shift]
    # a line for each neighbour on either side
    near = np.stack([ranked[shift : shift + len(y)] for shift in shifts])
    votes = np.where(near < 0, 0, (near[:, None] == near[None]).sum(axis=1))
    best: Ints = np.where(votes == votes.max(axis=0), near, np.iinfo(near.dtype).max).min(axis=0)
    back = np.empty_like(best)
    back[order] = best
    return back


def _number_skill(codes: Ints, y: Floats, *, ordered: bool) -> float:
    centred = y - y.mean()
    sums = _votes(codes, np.stack([centred, np.ones_like(y)], axis=1), ordered=ordered)
    guess = sums[:, 0] / np.maximum(sums[:, 1], 1)
    total = float(np.square(centred).sum())
    return 1 - float(np.square(centred - guess).sum()) / total if total > 0 else 0.0


def _votes(codes: Ints, told: Floats, *, ordered: bool) -> Floats:
    """Return, for each row, the sum of what the rows like it tell, itself left out; (n_rows, n_told)."""
    groups = codes + 1
    n_groups = int(groups.max()) + 1
    sums = np.stack([np.bincount(groups, weights=column, minlength=n_groups) for column in told.T], axis=1)
    votes: Floats = sums[groups] - told
    if ordered:
        alone = np.flatnonzero((np.bincount(groups, minlength=n_groups)[groups] == 1) & (codes >= 0))
        votes[alone] = _neighbours(codes, told)[alone]
    return votes


def _neighbours(codes: Ints, told: Floats) -> Floats:
    order = np.argsort(codes, kind="stable")
    ranked = told[order]
    near = np.zeros_like(ranked)
    for shift in range(1, NEIGHBOURS + 1):
        near[shift:] += ranked[:-shift]
        near[:-shift] += ranked[shift:]
    back = np.empty_like(near)
    back[order] = near
    return back
