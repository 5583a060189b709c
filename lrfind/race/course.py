"""Where candidates are compared: rows, folds and the length of a run. `lay_course(problem, ...) -> Course`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.mlp import Net, steps_per_epoch
from lrfind.problem import Problem

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What every trial runs on.

    Attributes
    ----------
    net : Net
    optimizer : str
    batch_size : int
    X : (n_rows, n_inputs) ndarray of float32
    y : (n_rows,) ndarray
    folds : tuple of (rows trained on, rows held out)
        Each fold trains on equally many rows and holds out equally many.
    n_steps : int
        Updates that give a fold's smaller part as many epochs as the whole run gives all rows.
    seed : int
    """

    net: Net
    optimizer: str
    batch_size: int
    X: npt.NDArray[np.float32]
    y: npt.NDArray[np.generic]
    folds: tuple[tuple[Rows, Rows], ...]
    n_steps: int
    seed: int

    @property
    def n_held_out(self) -> int:
        """Rows held out, over all folds."""
        return sum(len(held_out) for _, held_out in self.folds)

    def baseline(self) -> Floats:
        """Return the loss (n_held_out,) of each held-out row, fold by fold, under its fold's best constant guess."""
        return np.concatenate([self._baseline(train, held_out) for train, held_out in self.folds])

    def by_row(self, losses: npt.NDArray[np.floating], folds: npt.NDArray[np.int64]) -> Floats:
        """Return the losses of all held-out rows, fold by fold, averaged over the replicas that held them out.

        Parameters
        ----------
        losses : (..., n_replicas, n_held_out of one fold) ndarray
        folds : (n_replicas,) ndarray
            Each replica's fold.

        Returns
        -------
        (..., n_held_out) ndarray
            Of float64; replicas that diverged count as twice the constant guess.
        """
        guess = self.baseline().reshape(len(self.folds), -1)
        filled = np.where(np.isnan(losses), 2 * guess[folds], losses)
        rows = [filled[..., folds == fold, :].mean(-2, dtype=np.float64) for fold in range(len(self.folds))]
        return np.concatenate(rows, axis=-1)

    def _baseline(self, train: Rows, held_out: Rows) -> Floats:
        if self.net.task == "regression":
            return np.asarray(np.square(self.y[held_out] - self.y[train].mean(dtype=np.float64)))
        # one more of each class, so that a class seen only among the held-out rows costs much and not everything
        counts = np.bincount(self.y[train], minlength=self.net.n_outputs) + 1.0
        return np.asarray(np.log(counts.sum()) - np.log(counts[self.y[held_out]]))


# Below this many rows a quarter of them judges too roughly: every row is held out once, in one of five folds. On
# tables under 1,000 rows that lowered the worst loss from a bad choice by a quarter.
FOLDS_BELOW, N_FOLDS = 1_500, 5
# More rows than this say no more about which rate is better, and cost time.
MOST_HELD_OUT = 4_000


def lay_course(problem: Problem, net: Net, *, optimizer: str, batch_size: int, train_steps: int, seed: int) -> Course:
    """Return the course on which a problem's candidates are compared.

    Parameters
    ----------
    problem : Problem
    net : Net
    optimizer : str
    batch_size, train_steps : int
        Of the training run the advice is for, on all rows.
    seed : int

    Returns
    -------
    Course
        Five folds for a small table split at random; else the problem's own split, which time and groups demand.
    """
    n_train, n_val = len(problem.y_train), len(problem.y_val)
    n_rows = n_train + n_val
    y = np.concatenate([problem.y_train, problem.y_val])
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(4,)))
    if problem.split == "random" and n_rows < FOLDS_BELOW:
        folds = _dealt_folds(y, rng, is_class=problem.task == "classification")
    else:
        held_out = n_train + np.sort(rng.permutation(n_val)[:MOST_HELD_OUT])
        folds = ((np.arange(n_train), held_out),)
    return Course(
        net=net,
        optimizer=optimizer,
        batch_size=batch_size,
        X=np.concatenate([problem.X_train, problem.X_val]),
        y=y,
        folds=folds,
        n_steps=equal_epochs(train_steps, batch_size=batch_size, n_rows=n_rows, n_part=len(folds[0][0])),
        seed=seed,
    )


def _dealt_folds(
    y: npt.NDArray[np.generic], rng: np.random.Generator, *, is_class: bool
) -> tuple[tuple[Rows, Rows], ...]:
    order = rng.permutation(len(y))
    if is_class:
        # dealt like cards, class by class, so that each fold has its share of every class
        order = order[np.argsort(y[order], kind="stable")]
    size = len(y) // N_FOLDS
    hands = [np.sort(order[fold::N_FOLDS][:size]) for fold in range(N_FOLDS)]
    return tuple((np.setdiff1d(np.arange(len(y)), hand), hand) for hand in hands)


def equal_epochs(n_steps: int, *, batch_size: int, n_rows: int, n_part: int) -> int:
    """Return the steps that take `n_part` rows through as many epochs as `n_steps` take `n_rows`.

    The number of passes decides how far a model overfits; equal steps on fewer rows would be more passes, and push
    the best rate low.
    """
    whole, part = (steps_per_epoch(n, batch_size=batch_size) for n in (n_rows, n_part))
    return max(1, round(n_steps * part / whole))
