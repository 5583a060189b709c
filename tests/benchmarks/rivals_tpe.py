"""Optuna's TPE as people use it, given as many updates as lrfind made: `search(case, ...) -> rates`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import optuna
from problems import Case

from lrfind.mlp import Net
from lrfind.race import Course, Trial, lay_course, run_trials
from lrfind.report import Report
from lrfind.schedule import SCHEDULES, make_schedule

# Rates that TPE may try: a decade narrower at the lower end than lrfind's own range, where no good rate lies.
LOWEST, HIGHEST = 1e-6, 10.0
# Trials asked for at once when each is a single run, so that they train in lockstep.
AT_ONCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """What TPE settled on.

    Attributes
    ----------
    schedule : str
    peak_lr : float
    n_trials, n_updates : int
    """

    schedule: str
    peak_lr: float
    n_trials: int
    n_updates: int


def course_of(report: Report) -> Course:
    """Return the rows and folds that lrfind's own race used."""
    problem, config = report.problem, report.config
    net = Net(
        n_inputs=problem.n_features,
        n_outputs=problem.n_outputs,
        hidden=config["hidden"],
        activation=config["activation"],
        task=problem.task,
    )
    names = ("optimizer", "batch_size", "train_steps", "seed")
    return lay_course(problem, net, **{name: config[name] for name in names})


def search(report: Report, *, n_updates: int, averaged: bool, n_jobs: int) -> Pick:
    """Search rate and schedule with TPE.

    Parameters
    ----------
    report : Report
        Of the same problem; only its prepared rows and its settings are used.
    n_updates : int
        Replica-steps that may be spent.
    averaged : bool
        Whether a trial is the mean over every fold, or, where there is one fold, over four seeds; else a trial is one
        run with a seed of its own, judged on the first fold, as a plain search does.
    n_jobs : int

    Returns
    -------
    Pick
        The trial with the lowest held-out loss.
    """
    course = course_of(report)
    n_replicas = max(course.n_folds, 4) if averaged else 1
    n_trials = max(n_updates // (course.n_steps * n_replicas), 1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0, constant_liar=not averaged))
    for begin in range(0, n_trials, 1 if averaged else AT_ONCE):
        asked = [study.ask() for _ in range(1 if averaged else min(AT_ONCE, n_trials - begin))]
        losses = _losses(course, asked, n_replicas=n_replicas, first_seed=0 if averaged else begin, n_jobs=n_jobs)
        for trial, loss in zip(asked, losses, strict=True):
            study.tell(trial, float(loss))
    best = study.best_trial.params
    return Pick(
        schedule=best["schedule"],
        peak_lr=best["lr"],
        n_trials=n_trials,
        n_updates=n_trials * n_replicas * course.n_steps,
    )


def _losses(
    course: Course, asked: list[optuna.Trial], *, n_replicas: int, first_seed: int, n_jobs: int
) -> npt.NDArray[np.float64]:
    """Return the held-out loss of each trial; a run that diverged counts as twice the constant guess."""
    schedules = [
        make_schedule(
            trial.suggest_categorical("schedule", list(SCHEDULES)),
            peak_lr=trial.suggest_float("lr", LOWEST, HIGHEST, log=True),
            n_steps=course.n_steps,
        )
        for trial in asked
    ]
    if n_replicas == 1:
        folds = np.zeros(1, np.int64)
        runs = [Trial(schedule=s, seed=first_seed + i, fold=0) for i, s in enumerate(schedules)]
        losses = run_trials(course, runs, n_jobs=n_jobs).astype(np.float64)
        held_out = course.folds[0][1]
        level = course.by_row(np.full((1, len(held_out)), np.nan), folds) if course.n_folds == 1 else None
        worst = float(level.mean()) if level is not None else 2 * float(course.baseline().mean())
        return np.where(np.isnan(losses).any(1), worst, losses.mean(1))
    folds = np.arange(n_replicas) % course.n_folds
    runs = [
        Trial(schedule=schedule, seed=seed, fold=int(fold)) for schedule in schedules for seed, fold in enumerate(folds)
    ]
    losses = run_trials(course, runs, n_jobs=n_jobs).astype(np.float64)
    return course.by_row(losses.reshape(len(schedules), n_replicas, -1), folds).mean(-1)


def rates(pick: Pick, case: Case) -> npt.NDArray[np.float64]:
    """Return the rate of every step of the whole run."""
    from lrfind.schedule import values

    return values(make_schedule(pick.schedule, peak_lr=pick.peak_lr, n_steps=case.train_steps))
