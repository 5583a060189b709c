"""What small models learn of a problem, judged on rows held out: `cross_fit(...) -> HeldOut`.

Whether anything can be learned is asked of several models at once, from a linear one that has hardly begun to train to
a network that has finished: on few rows and many columns the first sees what the last has long drowned in overfitting,
and on curved problems it is the other way round. Each is judged as it is and mixed with the constant predictor, which
forgives overconfidence and shows weak signals. Rates are fixed: they need not be good, only not all bad.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lrfind.checks.dataset.association import Association
from lrfind.curve import Analysis, Reading
from lrfind.mlp import Net, Training, replicas_per_group, steps_per_epoch, with_ones
from lrfind.problem import Problem, Task
from lrfind.sweep import Sweep

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Fold = tuple[Rows, Rows]

# Tables with fewer rows hold every row out once, in five folds; larger ones hold out a quarter.
FOLDS_BELOW, N_FOLDS, HELD_SHARE = 6000, 5, 0.25
# Rows that are learned from and judged on at most: enough to see a gain of a thousandth, few enough for seconds.
MOST_ROWS = 12_000
# Shares of a model in its mixtures with the constant predictor. A weak signal drowns in the errors of a model that was
# trained to the end: those fall with the square of the share, the signal with the share itself, and at an eighth next
# to nothing is left of them.
SHARES = (1.0, 0.5, 0.125)
# Key of this module's random streams.
STREAM = 0x1EA4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """What models reached on rows held out.

    Attributes
    ----------
    models : tuple of str
        In words: "linear, rate 0.01, after 25 steps". Each model is followed by its mixtures with the constant
        predictor, in the order of `SHARES`.
    losses : (n_models, n_held) ndarray
        Mean over seeds, nats or squared target sd; NaN throughout for a model of which a seed diverged.
    baseline : (n_held,) ndarray
        Of the best constant predictor of the rows each was judged against.
    held : (n_held,) ndarray of int64
        Positions of the rows in the problem's training part, then its validation part.
    n_folds : int
        Of equal size, one after the other.
    """

    models: tuple[str, ...]
    losses: Floats
    baseline: Floats
    held: Rows
    n_folds: int = 1

    @property
    def whole(self) -> Floats:
        """Losses of the models as they are, their mixtures left out."""
        return self.losses[:: len(SHARES)]

    def beside(self, other: HeldOut | None) -> HeldOut:
        """Return these models and others that were judged on the same rows."""
        if other is None:
            return self
        losses = np.concatenate([self.losses, other.losses])
        return replace(self, models=(*self.models, *other.models), losses=losses)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learning:
    """All that was learned of a problem.

    Attributes
    ----------
    sweep : Sweep
    analysis : Analysis
    reading : Reading or None
        Of the range test.
    held_out : HeldOut
        Of models that learned from rows drawn at random.
    at_rate : HeldOut or None
        Of the network trained at the rate read, a model a seed; None where no rate was read.
    in_order : HeldOut or None
        Of models that learned from the first rows of the file and were judged on its last.
    every : HeldOut
        Those of `held_out` and, where none of them beats the constant predictor, a forest.
    association : Association or None
        Of the columns with the target; None where models beat the constant predictor anyway.
    """

    sweep: Sweep
    analysis: Analysis
    reading: Reading | None
    held_out: HeldOut
    every: HeldOut
    at_rate: HeldOut | None
    in_order: HeldOut | None
    association: Association | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is trained.

    Attributes
    ----------
    hidden : tuple of int
    lrs : tuple of float
        A model each.
    n_seeds : int
        Averaged where `merge_seeds`, else models of their own.
    epochs : float
        Passes, within `steps`.
    steps : (int, int)
        Fewest and most.
    marks : tuple of float
        Shares of the run after which rows are judged.
    """

    hidden: tuple[int, ...]
    lrs: tuple[float, ...]
    n_seeds: int = 1
    epochs: float = 20
    steps: tuple[int, int] = (200, 800)
    marks: tuple[float, ...] = (1 / 16, 1 / 4, 1.0)
    merge_seeds: bool = True


# Steps times parameters of a model: large networks, as a thousand classes need, take fewer steps, so that any table is
# done in seconds. Networks of up to 31,000 parameters, 400 inputs for two classes, take all the steps of their plan.
MOST_WORK = 25_000_000

# Adam's usual rate and ten times it: inputs have unit size, so the steps have, too.
PLANS = (Plan(hidden=(), lrs=(1e-3, 1e-2)), Plan(hidden=(64,), lrs=(1e-3, 1e-2)))
BATCH_SIZE = 64


def make_folds(problem: Problem, *, seed: int) -> tuple[Fold, ...]:
    """Return rows to learn from and rows to hold out, at random, classes in proportion.

    Parameters
    ----------
    problem : Problem
    seed : int

    Returns
    -------
    tuple of (rows, rows)
        Five folds for small tables, else one; positions in the training part, then the validation part. A problem
        that is split by time or by group keeps its own split.
    """
    n_train, n_rows = len(problem.y_train), len(problem.y_train) + len(problem.y_val)
    if problem.split != "random":
        return (thinned((np.arange(n_train), np.arange(n_train, n_rows))),)
    y = np.concatenate([problem.y_train, problem.y_val])
    order = np.random.default_rng(np.random.SeedSequence([seed, STREAM])).permutation(n_rows)
    if problem.task == "classification":
        order = order[np.argsort(y[order], kind="stable")]
    n_folds = N_FOLDS if n_rows < FOLDS_BELOW else 1
    part = N_FOLDS if n_folds > 1 else round(1 / HELD_SHARE)
    # every part takes one row in so many, along the classes; the last few rows are only learned from
    held = [np.sort(order[: n_rows // part * part][i::part]) for i in range(n_folds)]
    return tuple(thinned((np.setdiff1d(np.arange(n_rows), rows), rows)) for rows in held)


def thinned(fold: Fold) -> Fold:
    """Return a fold with every k-th row only, where it has more than `MOST_ROWS`."""
    n_rows = sum(map(len, fold))
    if n_rows <= MOST_ROWS:
        return fold
    most = [max(2, MOST_ROWS * len(rows) // n_rows) for rows in fold]
    learned, held = (
        rows[np.linspace(0, len(rows) - 1, k).round().astype(np.int64)] for rows, k in zip(fold, most, strict=True)
    )
    return learned, held


def cross_fit(
    problem: Problem, *, folds: Sequence[Fold], plans: Sequence[Plan], seed: int, is_late: Callable[[], bool]
) -> HeldOut | None:
    """Train models on each fold and judge them on the rows it holds out.

    Parameters
    ----------
    problem : Problem
    folds : sequence of (rows, rows)
        Equally many of each kind in every fold.
    plans : sequence of Plan
        Each makes as many models as it has rates and marks, and of each its mixtures.
    seed : int
    is_late : callable
        Asked now and then; training is given up once it says so.

    Returns
    -------
    HeldOut or None
        None when given up.
    """
    X = with_ones(np.concatenate([problem.X_train, problem.X_val]))
    y = np.concatenate([problem.y_train, problem.y_val])
    judged = folds
    if problem.task == "regression":
        # every row once more with a target one higher: two losses tell the prediction itself
        X, y = np.concatenate([X, X]), np.concatenate([y, y + np.float32(1)])
        judged = [(learned, np.concatenate([rows, rows + len(y) // 2])) for learned, rows in folds]
    found: list[tuple[str, Floats]] = []
    for plan in plans:
        for name, seen in _run(X, y, folds=judged, plan=plan, problem=problem, seed=seed, is_late=is_late):
            if seen is None:
                return None
            found.append((name, _errors(seen, n_folds=len(folds)) if problem.task == "regression" else seen))
    return held_out_of(problem, found, folds=folds)


def held_out_of(problem: Problem, found: Sequence[tuple[str, Floats]], *, folds: Sequence[Fold]) -> HeldOut:
    """Return models beside their mixtures with the constant predictor.

    Parameters
    ----------
    problem : Problem
    found : sequence of (str, (n_held,) ndarray)
        Each model's name and its losses; of numbers its predictions less the targets.
    folds : sequence of (rows, rows)
    """
    y = np.concatenate([problem.y_train, problem.y_val])
    baseline = np.concatenate(
        [_baseline_rows(problem.task, y, fold=fold, n_classes=len(problem.classes)) for fold in folds]
    )
    mixed = [loss for _, seen in found for loss in _mixtures(problem, seen, baseline=baseline, folds=folds)]
    names = [[name, *(f"{name}, {share:.0%} of it and the constant" for share in SHARES[1:])] for name, _ in found]
    return HeldOut(
        models=tuple(name for group in names for name in group), losses=np.stack(mixed), baseline=baseline,
        held=np.concatenate([held for _, held in folds]), n_folds=len(folds),
    )  # fmt: skip


def _errors(seen: Floats, *, n_folds: int) -> Floats:
    """Return predictions less targets from the losses of each fold's rows and those of targets one higher."""
    own, higher = seen.reshape(n_folds, 2, -1).swapaxes(0, 1).reshape(2, -1)
    return np.asarray((own - higher + 1) / 2)


def _mixtures(problem: Problem, seen: Floats, *, baseline: Floats, folds: Sequence[Fold]) -> list[Floats]:
    """Return losses (n_held,) of a model and its mixtures with the constant predictor, one for each of `SHARES`."""
    with np.errstate(all="ignore"):
        if problem.task == "classification":
            # of the probabilities
            mixed = [np.logaddexp(math.log(a) - seen, math.log(1 - a) - baseline) for a in SHARES[1:]]
            return [seen, *(-log for log in mixed)]
        y = np.concatenate([problem.y_train, problem.y_val]).astype(np.float64)
        constant = np.concatenate([y[learned].mean() - y[held] for learned, held in folds])
        return [np.square(a * seen + (1 - a) * constant) for a in SHARES]


def count_steps(plan: Plan, net: Net, *, n_rows: int) -> int:
    """Return the steps that a model of a plan takes, of so many rows to learn from."""
    fewest, most = plan.steps
    epochs = plan.epochs * steps_per_epoch(n_rows, batch_size=BATCH_SIZE)
    return int(np.clip(epochs, fewest, max(fewest, min(most, MOST_WORK // net.n_params))))


def _run(
    X: npt.NDArray[np.float32], y: npt.NDArray[np.generic], *, folds: Sequence[Fold], plan: Plan, problem: Problem,
    seed: int, is_late: Callable[[], bool],
) -> Iterator[tuple[str, Floats | None]]:  # fmt: skip
    """Yield each model's name and held-out losses (n_held,)."""
    net = Net(
        n_inputs=problem.n_features,
        n_outputs=problem.n_outputs,
        hidden=plan.hidden,
        activation="relu",
        task=problem.task,
    )
    n_steps = count_steps(plan, net, n_rows=len(folds[0][0]))
    marks = sorted({max(1, round(share * n_steps)) for share in plan.marks})
    replicas = [(lr, s, f) for lr in plan.lrs for s in range(plan.n_seeds) for f in range(len(folds))]
    size = replicas_per_group(net, batch_size=BATCH_SIZE)
    # (mark, replica, held-out row)
    losses = np.full((len(marks), len(replicas), len(folds[0][1])), np.nan)
    for group in np.array_split(np.arange(len(replicas)), -(-len(replicas) // size)):
        part = _advance(
            net, X=X, y=y, replicas=[replicas[i] for i in group], folds=folds, marks=marks, seed=seed, is_late=is_late
        )
        if part is None:
            yield "", None
            return
        losses[:, group] = part
    by_rate = losses.reshape(len(marks), len(plan.lrs), plan.n_seeds, -1)
    kind = "linear" if not plan.hidden else "network"
    for m, mark in enumerate(marks):
        for i, lr in enumerate(plan.lrs):
            name = f"{kind}, rate {lr:.2g}, after {mark} steps"
            if plan.merge_seeds:
                yield name, by_rate[m, i].mean(0)
            else:
                yield from ((name, by_rate[m, i, s]) for s in range(plan.n_seeds))


# Steps between two looks at the clock.
LOOK_EVERY = 20


def _advance(
    net: Net, *, X: npt.NDArray[np.float32], y: npt.NDArray[np.generic], replicas: Sequence[tuple[float, int, int]],
    folds: Sequence[Fold], marks: Sequence[int], seed: int, is_late: Callable[[], bool],
) -> Floats | None:  # fmt: skip
    training = Training(
        net, X, y=y, optimizer="adam", batch_size=BATCH_SIZE,
        seeds=[np.random.SeedSequence(seed, spawn_key=(STREAM, s)) for _, s, _ in replicas],
        rows=[folds[f][0] for *_, f in replicas],
    )  # fmt: skip
    rates = np.array([lr for lr, *_ in replicas])
    held = [folds[f][1] for *_, f in replicas]
    seen = []
    with np.errstate(all="ignore"), threadpool_limits(1, user_api="blas"):
        for step in range(1, marks[-1] + 1):
            if step % LOOK_EVERY == 0 and is_late():
                return None
            training.step(rates)
            if step in marks:
                seen.append(training.held_out_losses(held))
    return np.stack(seen)


def _baseline_rows(task: Task, y: npt.NDArray[np.generic], *, fold: Fold, n_classes: int) -> Floats:
    """Return the loss (n_held,) of the best constant predictor of a fold's rows on those it holds out."""
    learned, held = (y[rows] for rows in fold)
    if task == "regression":
        return np.asarray(np.square(held.astype(np.float64) - learned.astype(np.float64).mean()))
    # one more of each class, so that a class seen only in the rows held out costs much and not everything
    counts = np.bincount(learned, minlength=n_classes) + 1.0
    return np.asarray(math.log(counts.sum()) - np.log(counts[held]))
