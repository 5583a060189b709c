"""Where candidates are compared: rows, folds and the length of a run. `lay_course(problem, ...) -> Course`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.mlp import Net, steps_per_epoch, with_ones
from lrfind.problem import Problem
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


# The largest loss that a run may count for, in constant guesses.
WORST = 2.0


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What every trial runs on.

    Attributes
    ----------
    net : Net
    optimizer : str
    batch_size : int
    X : (n_rows, n_inputs + 1) ndarray of float32
        The last input is one: see `lrfind.mlp.with_ones`.
    y : (n_rows,) ndarray
    folds : tuple of (rows trained on, rows held out)
        Each fold trains on equally many rows and holds out equally many; partition after partition.
    n_folds : int
        Folds in one partition: every row that is ever held out is held out once in each.
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
    n_folds: int
    n_steps: int
    seed: int

    @property
    def held_out(self) -> Rows:
        """(n_held_out,) the rows that are ever held out, in order."""
        return np.sort(np.concatenate([held_out for _, held_out in self.folds[: self.n_folds]]))

    def baseline(self) -> Floats:
        """Return the loss (n_held_out,) of each held-out row under the best constant guess of its fold."""
        folds = np.arange(self.n_folds)
        return self._gathered(np.stack([self._baseline(*self.folds[fold]) for fold in folds]), folds)

    def by_row(self, losses: npt.NDArray[np.floating], folds: Rows) -> Floats:
        """Return the losses of all held-out rows, each averaged over the replicas that held it out.

        Parameters
        ----------
        losses : (..., n_replicas, n_held_out of one fold) ndarray
        folds : (n_replicas,) ndarray
            Each replica's fold; together they cover every held-out row.

        Returns
        -------
        (..., n_held_out) ndarray
            Of float64, in the order of `held_out`; a replica that diverged, or ended above `WORST` times the constant
            guess, counts as that: how far off it was says nothing, and would drown what its neighbours say.
        """
        guess = np.stack([self._baseline(*self.folds[fold]) for fold in folds])
        is_lost = ~(losses.mean(-1, keepdims=True) <= WORST * guess.mean(-1, keepdims=True))
        return self._gathered(np.where(is_lost, WORST * guess, losses), folds)

    def _gathered(self, losses: npt.NDArray[np.floating], folds: Rows) -> Floats:
        total = np.zeros((*losses.shape[:-2], len(self.y)))
        times = np.zeros(len(self.y))
        for replica, fold in enumerate(folds):
            held_out = self.folds[fold][1]
            total[..., held_out] += losses[..., replica, :]
            times[held_out] += 1
        return np.asarray(total[..., self.held_out] / times[self.held_out])

    def _baseline(self, train: Rows, held_out: Rows) -> Floats:
        if self.net.task == "regression":
            return np.asarray(np.square(self.y[held_out] - self.y[train].mean(dtype=np.float64)))
        # one more of each class, so that a class seen only among the held-out rows costs much and not everything
        counts = np.bincount(self.y[train], minlength=self.net.n_outputs) + 1.0
        return np.asarray(np.log(counts.sum()) - np.log(counts[self.y[held_out]]))


# Below this many rows every row is precious: five folds, each trained on four fifths of them. On tables under 1,000
# rows that lowered the worst loss from a bad choice by a quarter. Larger tables have four, as many as the runs that a
# candidate gets at least: the same training, and all rows judge instead of a quarter of them. Other partitions, for
# races that can afford them, average out the luck of one.
FOLDS_BELOW, N_FOLDS, N_FOLDS_LARGE, N_PARTITIONS = 1_500, 5, 4, 4
# More rows than this in all say no more about which rate is better, and cost time.
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
        Folds for a table split at random; else the problem's own split, which time and groups demand.
    """
    n_train, n_val = len(problem.y_train), len(problem.y_val)
    n_rows = n_train + n_val
    y = np.concatenate([problem.y_train, problem.y_val])
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(4,)))
    if problem.split == "random":
        n_folds = N_FOLDS if n_rows < FOLDS_BELOW else N_FOLDS_LARGE
        folds = _partitions(y, rng, n_folds=n_folds, is_class=problem.task == "classification")
    else:
        held_out = n_train + np.sort(rng.permutation(n_val)[:MOST_HELD_OUT])
        folds, n_folds = ((np.arange(n_train), held_out),), 1
    return Course(
        net=net,
        optimizer=optimizer,
        batch_size=batch_size,
        X=with_ones(np.concatenate([problem.X_train, problem.X_val])),
        y=y,
        folds=folds,
        n_folds=n_folds,
        n_steps=equal_epochs(train_steps, batch_size=batch_size, n_rows=n_rows, n_part=len(folds[0][0])),
        seed=seed,
    )


def _partitions(
    y: npt.NDArray[np.generic], rng: np.random.Generator, *, n_folds: int, is_class: bool
) -> tuple[tuple[Rows, Rows], ...]:
    # a few rows that would make hands unequal are only trained on, the same in every partition
    dealt = rng.permutation(len(y))[: len(y) // n_folds * n_folds]
    # of many rows some only judge, but all are kept from the training of their own fold
    judges = np.zeros(len(y), bool)
    judges[dealt[:MOST_HELD_OUT]] = True
    folds = []
    for _ in range(N_PARTITIONS):
        order = rng.permutation(dealt)
        if is_class:
            # dealt like cards, class by class, so that each fold has its share of every class
            order = order[np.argsort(y[order], kind="stable")]
        # judges first, so that each fold has as many of them
        order = np.concatenate([order[judges[order]], order[~judges[order]]])
        for fold in range(n_folds):
            hand = order[fold::n_folds]
            is_trained_on = np.ones(len(y), bool)
            is_trained_on[hand] = False
            folds.append((np.flatnonzero(is_trained_on), np.sort(hand[judges[hand]])))
    return tuple(folds)


def equal_epochs(n_steps: int, *, batch_size: int, n_rows: int, n_part: int) -> int:
    """Return the steps that take `n_part` rows through as many epochs as `n_steps` take `n_rows`.

    The number of passes decides how far a model overfits; equal steps on fewer rows would be more passes, and push
    the best rate low.
    """
    whole, part = (steps_per_epoch(n, batch_size=batch_size) for n in (n_rows, n_part))
    return max(1, round(n_steps * part / whole))
