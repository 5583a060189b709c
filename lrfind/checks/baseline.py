"""Whether a dataset still is what it was: LR321 to LR324, against numbers kept from an earlier day."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from lrfind.checks.dataset.columns import id_names
from lrfind.checks.dataset.profile import ColumnProfile
from lrfind.checks.dataset.value import Dataset
from lrfind.checks.drift import Summary, compare, holm, summarise
from lrfind.checks.finding import Check, Finding, Numbers
from lrfind.checks.trained import Trained, trained_of
from lrfind.text import listed, one_line

Order = Literal["", "rising", "falling"]


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """What a dataset was like.

    Attributes
    ----------
    name : str
        Of the data.
    n_rows : int
    target, task : str
    classes : tuple of str
    columns : mapping of name to Summary
    orders : mapping of name to {"", "rising", "falling"}
        Columns by which the rows were sorted, the target left out: rows sorted by it lose nothing when shuffled.
    trained : Trained or None
    class_rows : tuple of int
        Rows of each class; empty in older files.
    """

    name: str
    n_rows: int
    target: str
    task: str
    classes: tuple[str, ...]
    columns: Mapping[str, Summary]
    orders: Mapping[str, Order]
    trained: Trained | None
    class_rows: tuple[int, ...] = ()

    def n_present(self, name: str) -> int:
        """Return how many rows have a value in the column called `name`."""
        return self.n_rows - self.columns[name].n_missing


def baseline_of(dataset: Dataset) -> Baseline:
    """Return what a dataset is like today.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    Baseline
    """
    problem, columns = dataset.problem, zip(dataset.table.columns, dataset.profile.columns, strict=True)
    return Baseline(
        name=dataset.table.source.name,
        n_rows=dataset.table.n_rows,
        target=problem.target,
        task=problem.task,
        classes=problem.classes,
        columns={column.name: summarise(column) for column, _ in columns},
        orders=_orders(dataset),
        trained=None if dataset.learning is None else trained_of(dataset.learning),
        class_rows=_class_rows(dataset),
    )


def _class_rows(dataset: Dataset) -> tuple[int, ...]:
    problem = dataset.problem
    y = np.concatenate([problem.y_train, problem.y_val]) if problem.classes else np.zeros(0)
    return tuple(np.bincount(y.astype(np.int64), minlength=len(problem.classes)).tolist())


# Probability below which it is no chance that a column rises or falls throughout: two values, one of them in a single
# row, do so in one table of n.
ORDER_CHANCE = 1e-6


def _orders(dataset: Dataset) -> dict[str, Order]:
    found: dict[str, Order] = {}
    for column, codes in zip(dataset.profile.columns, dataset.profile.codes, strict=True):
        is_sorted = (column.steps_up > 0) != (column.steps_down > 0) and column.name != dataset.problem.target
        is_chance = not is_sorted or _sorted_by_chance(codes[codes >= 0]) > ORDER_CHANCE
        found[column.name] = "" if is_chance else "rising" if column.steps_up > 0 else "falling"
    return found


def _sorted_by_chance(codes: npt.NDArray[np.int32]) -> float:
    """Return the probability that these values in a random order rise throughout: 1 / (n! / (n1! n2! ...))."""
    log_arrangements = math.lgamma(len(codes) + 1) - sum(math.lgamma(n + 1) for n in np.bincount(codes).tolist())
    return math.exp(-log_arrangements)


def schema_changed(check: Check, dataset: Dataset, *, old: Baseline) -> Finding:
    """LR321: columns, their kinds, the target, its classes or an order of rows are not what they were.

    Exact, but for three things: a column without any value has no kind, and is a change only where chance makes none;
    rows were in an order only where chance makes none; and classes so rare that chance may leave them out are a
    warning, if nothing else has changed.
    """
    new = baseline_of(dataset)
    gone, added = [n for n in old.columns if n not in new.columns], [n for n in new.columns if n not in old.columns]
    kept = [name for name in old.columns if name in new.columns]
    emptied = [name for name in kept if _has_emptied(name, old=old, new=new)]
    changed = [
        name for name in kept
        if old.columns[name].kind != new.columns[name].kind and old.n_present(name) and new.n_present(name)
    ]  # fmt: skip
    unordered = [
        name for name in kept
        if old.orders.get(name) and new.orders[name] != old.orders[name] and name not in (*changed, new.target)
    ]  # fmt: skip
    classes = sorted(set(old.classes) ^ set(new.classes)) if old.task == new.task else []
    parts = [
        *([f"columns gone: {listed(gone, most=4)}"] if gone else []),
        *([f"columns new: {listed(added, most=4)}"] if added else []),
        *(f"column {listed([n])} was {old.columns[n].kind} and is {new.columns[n].kind}" for n in changed[:4]),
        *([f"columns empty or no longer so: {listed(emptied, most=4)}"] if emptied else []),
        *([f"rows are no longer in order of {listed(unordered, most=4)}"] if unordered else []),
        *([f"the target was {listed([old.target])} and is {listed([new.target])}"] if old.target != new.target else []),
        *([f"the task was {old.task} and is {new.task}"] if old.task != new.task else []),
        *([f"classes come or gone: {listed(classes, most=4)}"] if classes else []),
    ]
    numbers = {
        "n_gone": len(gone),
        "n_new": len(added),
        "n_kinds_changed": len(changed),
        "n_emptied": len(emptied),
        "n_unordered": len(unordered),
        "n_classes_changed": len(classes),
    }
    if not parts:
        return check.passed(f"{len(kept)} columns, their kinds and order are as they were.", numbers)
    text = "; ".join(parts)
    is_chance = (
        len(parts) == 1 and bool(classes) and not any(_is_sure_class(name, old=old, new=new) for name in classes)
    )
    return (replace(check, severity="warning") if is_chance else check).found(
        f"The schema has changed: {text}.",
        numbers,
        f"Mend {_them(len(parts), 'difference')}, or accept what is new with --update-baseline.",
    )


def _them(count: int, noun: str) -> str:
    return f"the {noun}" if count == 1 else f"the {count} {noun}s"


# Probability below which it is no chance that none of a column's values were drawn.
EMPTY_CHANCE = 1e-6


def _has_emptied(name: str, *, old: Baseline, new: Baseline) -> bool:
    """Return whether a column has values in one of two tables only, and too many there to be absent by chance."""
    full, empty = (old, new) if old.n_present(name) else (new, old)
    if empty.n_present(name) or not full.n_present(name):
        return False
    return _are_missed(full.n_present(name), n_rows=full.n_rows, n_drawn=empty.n_rows)


def _is_sure_class(name: str, *, old: Baseline, new: Baseline) -> bool:
    """Return whether a class that one of two tables lacks has too many rows in the other to be left out by chance."""
    full, empty = (old, new) if name in old.classes else (new, old)
    if len(full.class_rows) != len(full.classes) or not empty.class_rows:
        return True
    n_rows = full.class_rows[full.classes.index(name)]
    return _are_missed(n_rows, n_rows=sum(full.class_rows), n_drawn=sum(empty.class_rows))


def _are_missed(count: int, *, n_rows: int, n_drawn: int) -> bool:
    """Return whether rows that are `count` of `n_rows` cannot all be absent from `n_drawn` by chance."""
    share = count / n_rows
    return share == 1 or n_drawn * math.log1p(-share) < math.log(EMPTY_CHANCE)


# Chance of calling any column of an unchanged table drifted (family-wise, Holm 1979).
FAMILY_ALPHA = 0.01
# Population stability index from which a shift matters, and from which it is large; the customary bounds of credit
# scoring (Siddiqi 2006). Without it any shift, however small, would be found in enough rows.
PSI_MATTERS, PSI_LARGE = 0.1, 0.25


def column_drifted(check: Check, dataset: Dataset, *, old: Baseline) -> Finding:
    """LR322: the distribution of a column has moved.

    Two-sample chi-square tests of the counts in the baseline's tenths (numbers) or levels (text), missing values as a
    level of their own, over all columns that both have; Holm's step-down procedure keeps the chance of any false alarm
    at 1 %. A column counts as drifted when its adjusted p value is below that and its population stability index at
    least 0.1; from 0.25 on it is an error. Dates and counts of days or steps move on by nature, and ids are new by
    nature: none of them is tested.

    References
    ----------
    Holm 1979, "A simple sequentially rejective multiple test procedure"; Siddiqi 2006, "Credit Risk Scorecards".
    """
    by_nature = {*id_names(dataset), *(column.name for column in dataset.features if _counts_on(column))}
    tested = {
        column.name: compare(old.columns[column.name], column)
        for column in dataset.table.columns
        if column.name in old.columns and column.name not in by_nature
        and column.kind == old.columns[column.name].kind != "date"
    }  # fmt: skip
    if not tested:
        return check.not_applicable("No column can be compared with the baseline.")
    adjusted = dict(zip(tested, holm([shift.p for shift in tested.values()]), strict=True))
    drifted = sorted(
        (n for n in tested if adjusted[n] < FAMILY_ALPHA and tested[n].psi >= PSI_MATTERS), key=lambda n: -tested[n].psi
    )
    worst = max(tested, key=lambda name: tested[name].psi)
    numbers: Numbers = {
        "n_tested": len(tested), "n_drifted": len(drifted), "worst_column": worst, "psi": tested[worst].psi,
        "p_adjusted": adjusted[worst], "psi_allowed": PSI_MATTERS, "alpha": FAMILY_ALPHA,
    }  # fmt: skip
    if not drifted:
        return check.passed(
            f"None of {len(tested)} columns has drifted; the most changed, {listed([worst])}, has a stability index of "
            f"{tested[worst].psi:.2g} (allowed {PSI_MATTERS:g}).",
            numbers,
        )
    name = drifted[0]
    more = f"; so have {len(drifted) - 1} more: {listed(drifted[1:], most=4)}" if len(drifted) > 1 else ""
    message = (
        f"Column {listed([name])} has drifted: stability index {tested[name].psi:.2g} (allowed {PSI_MATTERS:g}), "
        f"adjusted p {adjusted[name]:.1g} (allowed {FAMILY_ALPHA:g}){more}."
    )
    found = replace(check, severity="error") if tested[name].psi >= PSI_LARGE else check
    advice = f"Compare {_them(len(drifted), 'column')} with the source, or accept what is new with --update-baseline."
    return found.found(message, numbers, advice)


# Below so many rows, few numbers in a row can be chance.
FEWEST_COUNTED = 20


def _counts_on(column: ColumnProfile) -> bool:
    """Return whether a column counts by ones, each number once: days, steps."""
    if column.kind != "number" or column.quantiles is None or column.n_distinct < FEWEST_COUNTED or column.n_missing:
        return False
    low, high = float(column.quantiles[0]), float(column.quantiles[-1])
    return column.largest_share * column.n_distinct == 1.0 and high - low == column.n_distinct - 1


# Decades within which rates are equally good (see lrfind.recommend): closer than this, each is inside the other's
# interval.
SAME_RATE = 0.45
# Standard errors that rates must lie apart: the 99.5 % quantile of Student's t with three degrees of freedom, because
# the errors come from four seeds.
RATE_ERRORS = 5.84


def rate_moved(check: Check, dataset: Dataset, *, old: Baseline) -> Finding:
    """LR323: the rate that the range test speaks for has moved beyond its uncertainty.

    A range test's valley is flat, and would as well have spoken for other rates in it. So it is not the two rates that
    must lie further apart than their errors (bootstrap over seeds), but the two ranges of rates that would do; and the
    rates by more than the width within which they are equally good.
    """
    new = None if dataset.learning is None else trained_of(dataset.learning)
    was = old.trained
    if was is None or was.lr is None or was.lr_decades is None:
        return check.not_applicable("The baseline has no learning rate.")
    if new is None or new.lr is None or new.lr_decades is None:
        return check.not_applicable(dataset.reason or "No learning rate could be read off the range test.")
    moved = math.log10(new.lr / was.lr)
    upwards, downwards = (
        math.log10((above.lr_low or above.lr or 1.0) / (below.lr_high or below.lr or 1.0))
        for above, below in ((new, was), (was, new))
    )
    apart = max(upwards, downwards, 0.0)
    allowed = RATE_ERRORS * math.hypot(new.lr_decades, was.lr_decades)
    numbers = {
        "lr": new.lr, "lr_before": was.lr, "decades": moved, "decades_same": SAME_RATE, "decades_apart": apart,
        "decades_allowed": allowed, "lr_suggested": new.lr,
    }  # fmt: skip
    text = (
        f"The learning rate moved from {was.lr:.2g} to {new.lr:.2g}, {abs(moved):.2f} decades; the rates that would do "
        f"lie {apart:.2f} apart (allowed {allowed:.2f})."
    )
    if abs(moved) <= SAME_RATE or apart <= allowed:
        return check.passed(text, numbers)
    return check.found(text, numbers, f"Train at {new.lr:.2g}, and find out what changed in the data.")


# Standard errors a loss must have risen; one in 700 does so by chance, and the rise must also matter.
WORSE_ERRORS = 3.0
# Share of the constant's loss below which a loss is not worth calling worse.
WORSE_MATTERS = 0.02


def loss_worse(check: Check, dataset: Dataset, *, old: Baseline) -> Finding:
    """LR324: the loss on rows held out is worse than noise allows.

    The mean loss of each fold's best model then and now, against both standard errors (Welch; over rows or over folds,
    whichever is larger), three of them, and 2 % of the constant's loss.
    """
    new = None if dataset.learning is None else trained_of(dataset.learning)
    was = old.trained
    if was is None:
        return check.not_applicable("The baseline has no loss.")
    if new is None:
        return check.not_applicable(dataset.reason or "No model could be trained.")
    if old.task != dataset.problem.task or len(old.classes) != len(dataset.problem.classes):
        return check.not_applicable("The task has changed, and the losses cannot be compared.")
    worse = new.loss - was.loss
    allowed = max(WORSE_ERRORS * math.hypot(new.loss_error, was.loss_error), WORSE_MATTERS * was.constant_loss)
    numbers = {"loss": new.loss, "loss_before": was.loss, "worse": worse, "worse_allowed": allowed}
    text = f"Loss on rows held out: {new.loss:.3g}, before {was.loss:.3g} ({worse:+.2g}, allowed {allowed:+.2g})."
    if worse <= allowed:
        return check.passed(text, numbers)
    return check.found(
        text, numbers, f"Look for what changed: the loss is {worse - allowed:.2g} above what noise allows."
    )


class Look(Protocol):
    """A check against a baseline."""

    def __call__(self, check: Check, dataset: Dataset, *, old: Baseline) -> Finding:
        """Compare a dataset with its baseline."""
        ...


# Each row of the family, and the function that looks.
BASELINE_CHECKS: tuple[tuple[Check, Look], ...] = (
    (Check(code="LR321", severity="error", title="schema changed"), schema_changed),
    (Check(code="LR322", severity="warning", title="column drifted"), column_drifted),
    (Check(code="LR323", severity="warning", title="recommended rate moved"), rate_moved),
    (Check(code="LR324", severity="error", title="loss worse than noise allows"), loss_worse),
)


NO_BASELINE = "There is no baseline; write one with --update-baseline."


def check_baseline(dataset: Dataset, baseline: Baseline | None, *, reason: str = NO_BASELINE) -> tuple[Finding, ...]:
    """Return what each check against a baseline found; none of them when there is no baseline.

    Parameters
    ----------
    dataset : Dataset
    baseline : Baseline or None
    reason : str
        Why there is none, where there is none.

    Returns
    -------
    tuple of Finding
    """
    if baseline is None:
        return tuple(check.not_applicable(reason) for check, _ in BASELINE_CHECKS)
    return tuple(look(check, dataset, old=baseline) for check, look in BASELINE_CHECKS)
