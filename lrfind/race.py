"""Train candidates for real and judge them on rows held out: `run_trials(course, trials) -> losses`.

A trial is one replica: a schedule, a peak rate, a seed and a fold. Trials advance in lockstep, whatever their rates,
schedules, seeds and folds; trials that share a seed and a fold share starting weights and batches, so that their
difference says more about the rate than either loss does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lrfind.mlp import Net, Training, replicas_per_group, steps_per_epoch
from lrfind.problem import Problem
from lrfind.schedule import Schedule, rescaled, values

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One replica's run.

    Attributes
    ----------
    schedule : Schedule
        Stretched to the course's number of steps.
    seed, fold : int
        Which starting weights and batches, and which fold of the course.
    """

    schedule: Schedule
    seed: int
    fold: int


def lay_course(problem: Problem, net: Net, *, optimizer: str, batch_size: int, train_steps: int, seed: int) -> Course:
    """Return the course on which a problem's candidates are compared, with the problem's own split as its fold.

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
    """
    n_train, n_val = len(problem.y_train), len(problem.y_val)
    n_rows = n_train + n_val
    fold = (np.arange(n_train), np.arange(n_train, n_rows))
    return Course(
        net=net,
        optimizer=optimizer,
        batch_size=batch_size,
        X=np.concatenate([problem.X_train, problem.X_val]),
        y=np.concatenate([problem.y_train, problem.y_val]),
        folds=(fold,),
        n_steps=equal_epochs(train_steps, batch_size=batch_size, n_rows=n_rows, n_part=n_train),
        seed=seed,
    )


def equal_epochs(n_steps: int, *, batch_size: int, n_rows: int, n_part: int) -> int:
    """Return the steps that take `n_part` rows through as many epochs as `n_steps` take `n_rows`.

    The number of passes decides how far a model overfits; equal steps on fewer rows would be more passes, and push
    the best rate low.
    """
    whole, part = (steps_per_epoch(n, batch_size=batch_size) for n in (n_rows, n_part))
    return max(1, round(n_steps * part / whole))


def run_trials(course: Course, trials: Sequence[Trial], *, on_step: Callable[[float], None] | None = None) -> Floats:
    """Return the loss of every held-out row at the end of each trial.

    Parameters
    ----------
    course : Course
    trials : sequence of Trial
    on_step : callable, optional
        Called with the share of the work done, 0 to 1.

    Returns
    -------
    (n_trials, n_held_out) ndarray
        Nats, or squared target sd; NaN where the trial diverged. Columns are the rows of the trial's own fold.
    """
    size = replicas_per_group(course.net, batch_size=course.batch_size)
    n_groups = -(-len(trials) // size)
    groups = np.array_split(np.arange(len(trials)), n_groups)
    losses = np.full((len(trials), len(course.folds[0][1])), np.nan)
    with threadpool_limits(1, user_api="blas"):
        for number, group in enumerate(groups):

            def tell(share: float, number: int = number) -> None:
                if on_step is not None:
                    on_step((number + share) / n_groups)

            losses[group] = _run_group(course, [trials[i] for i in group], tell)
    return losses


# Steps between two reports of progress.
REPORT_EVERY = 50


def _run_group(course: Course, trials: Sequence[Trial], tell: Callable[[float], None]) -> Floats:
    training = Training(
        course.net,
        course.X,
        course.y,
        optimizer=course.optimizer,
        batch_size=course.batch_size,
        seeds=[np.random.SeedSequence(course.seed, spawn_key=(3, trial.seed)) for trial in trials],
        rows=[course.folds[trial.fold][0] for trial in trials],
    )
    rates = np.stack([values(rescaled(trial.schedule, n_steps=course.n_steps)) for trial in trials], axis=1)
    with np.errstate(all="ignore"):  # a rate that diverges is a result
        for step, lr in enumerate(rates):
            training.step(lr)
            if step % REPORT_EVERY == 0:
                tell(step / course.n_steps)
        return training.held_out_losses([course.folds[trial.fold][1] for trial in trials])
