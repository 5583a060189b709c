"""Train candidates for real: `run_trials(course, trials) -> losses of the held-out rows`.

A trial is one replica: a schedule, a seed and a fold. Trials advance in lockstep, whatever their rates, schedules,
seeds and folds; trials that share a seed and a fold share starting weights and batches, so that their difference
says more about the rate than either loss does.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lrfind.mlp import Training, replicas_per_group
from lrfind.progress import Parts
from lrfind.race.course import Course
from lrfind.schedule import Schedule, Watched, rescaled, values, watch
from lrfind.text import one_line

if TYPE_CHECKING:
    from multiprocessing.pool import IMapIterator, Pool

Floats = npt.NDArray[np.float64]


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


def run_trials(
    course: Course,
    trials: Sequence[Trial],
    *,
    n_jobs: int = 1,
    on_share: Callable[[float], None] | None = None,
) -> npt.NDArray[np.float32]:
    """Return the loss of every held-out row at the end of each trial.

    Parameters
    ----------
    course : Course
    trials : sequence of Trial
    n_jobs : int
        Processes, -1 for one a core; the numbers do not depend on it.
    on_share : callable, optional
        Called with the share of the work done, 0 to 1: after every step, or five times a second with several processes.

    Returns
    -------
    (n_trials, n_held_out) ndarray of float32
        Nats, or squared target sd; NaN where the trial diverged. Rows are those of the trial's own fold.
    """
    return run_curves(course, trials, n_checkpoints=1, n_jobs=n_jobs, on_share=on_share)[:, 0]


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """What trials did.

    Attributes
    ----------
    losses : (n_trials, n_checkpoints, n_held_out) ndarray of float32
        NaN where the trial had diverged.
    lrs : (n_trials, n_steps) ndarray of float64
        The rate of every update, as closed-loop schedules set it.
    """

    losses: npt.NDArray[np.float32]
    lrs: Floats


def run_curves(
    course: Course,
    trials: Sequence[Trial],
    *,
    n_checkpoints: int,
    n_jobs: int = 1,
    on_share: Callable[[float], None] | None = None,
) -> npt.NDArray[np.float32]:
    """Return the loss of every held-out row along each trial.

    Parameters
    ----------
    course, trials, n_jobs, on_share
        As for `run_trials`.
    n_checkpoints : int
        How often, evenly spaced and at the end, the held-out rows are judged.

    Returns
    -------
    (n_trials, n_checkpoints, n_held_out) ndarray of float32
        NaN where the trial had diverged.
    """
    runs = run_watched(course, trials, n_checkpoints=n_checkpoints, n_jobs=n_jobs, on_share=on_share)
    return runs.losses


def run_watched(
    course: Course,
    trials: Sequence[Trial],
    *,
    n_checkpoints: int,
    n_jobs: int = 1,
    on_share: Callable[[float], None] | None = None,
) -> Runs:
    """Return the same as `run_curves` together with the rates at which each trial trained.

    Parameters
    ----------
    course, trials, n_checkpoints, n_jobs, on_share
        As for `run_curves`.

    Returns
    -------
    Runs
    """
    groups = _groups(course, len(trials))
    parts = [[trials[i] for i in group] for group in groups]
    told = on_share or (lambda _share: None)
    done: list[Runs] = []
    if n_jobs == 1 or len(parts) == 1:
        tally = Parts(told)
        with threadpool_limits(1, user_api="blas"):
            for number, part in enumerate(parts):
                tell = tally.part(len(part), later=sum(map(len, parts[number + 1 :])))
                done.append(_run_group(course, part, n_checkpoints=n_checkpoints, tell=tell))
    else:
        # shared with the workers, each of which writes the shares of its own groups
        shares = multiprocessing.RawArray("d", len(parts))
        tasks = [(number, part, n_checkpoints) for number, part in enumerate(parts)]
        with _workers(min(n_workers(n_jobs), len(parts)), course=course, shares=shares) as pool:
            for results in _awaited(pool.imap(_run_in_worker, tasks)):
                done += results
                told(sum(len(part) * share for part, share in zip(parts, shares, strict=True)) / len(trials))
    return Runs(
        losses=np.concatenate([runs.losses for runs in done]),
        lrs=np.concatenate([runs.lrs for runs in done]),
    )


# Seconds between two looks at what the workers have done.
LOOK_EVERY = 0.2


def _awaited(results: IMapIterator[Runs]) -> Iterator[list[Runs]]:
    """Yield the results of workers in order, each alone, and nothing now and then while there is none."""
    while True:
        try:
            yield [results.next(timeout=LOOK_EVERY)]
        except StopIteration:
            return
        except multiprocessing.TimeoutError:
            yield []


def n_workers(n_jobs: int) -> int:
    """Return how many processes `n_jobs` stands for: itself, or one for each core this process may use."""
    return n_jobs if n_jobs > 0 else _n_cores()


def _n_cores() -> int:
    # what this process may use, where the system tells
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _workers(n: int, *, course: Course, shares: Sequence[float]) -> Iterator[Pool]:
    # Forked processes have the course in memory at once, start in milliseconds, and are gone when the block ends,
    # their parent's helpers included; joblib's would outlive the run by a second. Where there is no fork, they start
    # anew.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    with warnings.catch_warnings():
        # Python 3.12 warns of forking beside other threads; the only one here draws the progress bar, and workers
        # print nothing
        warnings.simplefilter("ignore", DeprecationWarning)
        pool = multiprocessing.get_context(method).Pool(n, _start_worker, (course, shares))
    try:
        yield pool
    finally:
        pool.terminate()
        pool.join()


# The course of the worker that this process is, and where it tells how far each group is.
_here: tuple[Course, MutableSequence[float]] | None = None


def _start_worker(course: Course, shares: MutableSequence[float]) -> None:
    global _here  # noqa: PLW0603 - a process has no other place for what all its tasks share
    _here = course, shares
    # Ctrl-C reaches every process of the terminal: the first one answers for all
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _run_in_worker(task: tuple[int, Sequence[Trial], int]) -> Runs:
    number, trials, n_checkpoints = task
    if _here is None:
        raise RuntimeError("a worker was not told its course")
    course, shares = _here
    with threadpool_limits(1, user_api="blas"):
        return _run_group(course, trials, n_checkpoints=n_checkpoints, tell=partial(shares.__setitem__, number))


# A group this small still keeps NumPy busy; smaller groups only share the work more evenly.
SMALLEST_GROUP = 8


def _groups(course: Course, n_trials: int) -> list[npt.NDArray[np.int64]]:
    # fixed by the course and the trials alone, never by the number of processes
    size = replicas_per_group(course.net, batch_size=course.batch_size)
    n_groups = max(-(-n_trials // size), min(2, n_trials // SMALLEST_GROUP), 1)
    # an even number of groups leaves no process idle in the commonest case, two
    if n_groups > 1:
        n_groups += n_groups % 2
    return np.array_split(np.arange(n_trials), min(n_groups, n_trials))


def _run_group(course: Course, trials: Sequence[Trial], *, n_checkpoints: int, tell: Callable[[float], None]) -> Runs:
    training = Training(
        course.net,
        course.X,
        y=course.y,
        optimizer=course.optimizer,
        batch_size=course.batch_size,
        seeds=[np.random.SeedSequence(course.seed, spawn_key=(3, trial.seed)) for trial in trials],
        rows=[course.folds[trial.fold][0] for trial in trials],
    )
    held_out = [course.folds[trial.fold][1] for trial in trials]
    rates = np.stack([values(rescaled(trial.schedule, n_steps=course.n_steps)) for trial in trials], axis=1)
    watched = watch([trial.schedule for trial in trials], course.n_steps)
    stops = np.linspace(0, course.n_steps, n_checkpoints + 1).round().astype(np.int64)[1:]
    stops = np.unique(np.maximum(stops, 1))
    out = np.full((len(trials), n_checkpoints, len(held_out[0])), np.nan, np.float32)
    checkpoint = 0
    with np.errstate(all="ignore"):  # a rate that diverges is a result
        for step, lr in enumerate(rates, start=1):
            _step(training, watched, lrs=lr)
            if step == stops[checkpoint]:
                # where there are fewer steps than checkpoints, the last repeats
                out[:, checkpoint:] = training.held_out_losses(held_out)[:, None]
                checkpoint += 1
            tell(step / course.n_steps)
    return Runs(losses=out, lrs=rates.T)


def _step(training: Training, watched: Watched | None, *, lrs: Floats) -> None:
    # closed-loop schedules overwrite their replicas' rates, so that these end as those trained at
    if watched is None:
        training.step(lrs)
        return
    losses = training.measure()
    norms = training.grad_norms if watched.reads_grad_norms else None
    back, save = watched.steer(losses, norms, lrs=lrs)
    if save.any():
        training.save(save)
    training.move(lrs, back=back)
