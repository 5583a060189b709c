"""The whole story on one page: a file in, a report out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lrfind import __version__
from lrfind.checks import Finding, RangeTest, check_range_test
from lrfind.curve import Analysis, analyse
from lrfind.data import Table, read_table, table_from_arrays
from lrfind.errors import UsageError
from lrfind.experience import (
    Prior,
    Row,
    dataset_name,
    expect,
    repeats,
    rows_from_csv,
    rows_to_csv,
    shipped_rows,
    situation_of,
    without,
)  # fmt: skip
from lrfind.keywords import chosen, is_file, named
from lrfind.mlp import Net, Training, steps_per_epoch, with_ones
from lrfind.problem import Problem, make_problem
from lrfind.problem.order import by_content
from lrfind.progress import Progress, Stages
from lrfind.race import (
    Course,
    Race,
    Trial,
    lay_course,
    n_workers,
    plan_race,
    race,
    race_seconds,
    rough_seconds,
    run_curves,
    step_cost,
)
from lrfind.recommend import FEWEST_HELD_OUT, Proof, Recommendation, recommend
from lrfind.report import Report
from lrfind.report.progress import watched
from lrfind.runs import RUNS_ROOT, own_rows, rows_used
from lrfind.schedule import make_schedule
from lrfind.settings import DEFAULT_EPOCHS, FEWEST_STEPS, MOST_STEPS, MOST_TRAIN_STEPS, Settings, as_options, stored
from lrfind.sweep import Sweep, range_test


def find_lr(
    source: Any,
    y: Any = None,
    *,
    progress: Progress | Stages | bool | None = None,
    command: tuple[str, ...] = (),
    settings: Settings | None = None,
    **options: Any,
) -> Report:
    """Find a learning rate and a schedule for a table.

    Parameters
    ----------
    source : str, path, (n_rows, n_features) array or data frame
        A file (CSV, TSV, Parquet, JSON lines, .npz, compressed or not, a glob, "-" for standard input), or features.
    y : (n_rows,) array, optional
        Targets, when `source` is an array; or name the target column of a data frame with ``target=``.
    progress : bool or callable, optional
        Whether to show how far the run is, on standard error; by default in notebooks alone. A function is called with
        a stage's name and the share of the whole run that is done, several times a second.
    command : tuple of str, optional
        A command line to show as the way to reproduce the report; by default that of a file's settings.
    settings : Settings, optional
    **options
        Fields of `Settings`, in place of `settings` or over it.

    Returns
    -------
    Report
        With ``report.recommendation.lr``, ``.lr_low``, ``.lr_high``, ``.schedule`` and the evidence.

    Raises
    ------
    UsageError
        If an option cannot be used.
    DataError
        If the table cannot be read or learned from.

    Examples
    --------
    >>> import lrfind
    >>> report = lrfind.find_lr("sample_data/healthcare_breast_cancer.csv")  # doctest: +SKIP
    >>> report.recommendation.lr  # doctest: +SKIP
    """
    settings = named(chosen(settings, options), source)
    with watched(progress=progress) as stages:
        return _found(source, y, stages=stages, command=command, settings=settings)


def _found(source: Any, y: Any, *, stages: Stages, command: tuple[str, ...], settings: Settings) -> Report:
    asked, clock, training = settings, _Clock(), training_seconds(settings)
    with clock.time("read"):
        stages.begin("Reading", seconds=reading_seconds(source), later=training)
        table = _table(source, y, settings=settings)
    with clock.time("prepare"):
        stages.begin("Preparing", seconds=preparing_seconds(table), later=training)
        problem = make_problem(
            # only a random split may take the rows in an order of its own; others follow a column
            by_content(table) if settings.split == "random" else table,
            target=TARGET if settings.target is None and y is not None else settings.target,
            task=settings.task,
            split=settings.split,
            seed=settings.seed,
        )
        settings = _settled(settings, problem)
    with clock.time("sweep"), threadpool_limits(1, user_api="blas"):
        sweep = _sweep(problem, settings, stages=stages)
    with clock.time("analyse"):
        analysis = analyse(sweep, seed=settings.seed)
        prior = _prior(problem, analysis, settings=settings, table=table)
    with clock.time("train"):
        race = _race(problem, prior, settings=settings, stages=stages)
        proof = None if race is not None else _proof(problem, prior, settings=settings, stages=stages)
    stages.end()
    recommendation = recommend(
        analysis,
        reading=None if prior is None else prior.reading,
        proof=proof,
        race=race,
        prior=prior,
        optimizer=settings.optimizer,
        batch_size=settings.batch_size,
        train_steps=_train_steps(settings),
    )
    return Report(
        version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command or _command(source, asked),
        config=stored(settings),
        table=table,
        problem=problem,
        sweep=sweep,
        analysis=analysis,
        prior=prior,
        race=race,
        proof=proof,
        recommendation=recommendation,
        findings=_findings(sweep, analysis, problem=problem, recommendation=recommendation, is_raced=race is not None),
        timing=clock.seconds,
    )


# Seconds that reading takes whatever is read, a byte of text more, and that preparing a cell takes; measured.
READ_SECONDS, SECONDS_A_BYTE, SECONDS_A_CELL = 0.3, 4e-8, 1e-7
# And that one run takes of a small net, before the table is known that decides it.
RUN_SECONDS = 0.1


def reading_seconds(source: Any) -> float:
    """Return about how many seconds a source takes to read."""
    try:
        size = Path(source).stat().st_size
    except (OSError, TypeError, ValueError):
        size = 0
    return READ_SECONDS + SECONDS_A_BYTE * size


def preparing_seconds(table: Table) -> float:
    """Return about how many seconds it takes to make a problem of a table."""
    return SECONDS_A_CELL * table.n_rows * len(table.columns)


def training_seconds(settings: Settings, *, run: float = RUN_SECONDS) -> float:
    """Return about how many seconds a race takes, or a few runs where there is none, if one run takes so many."""
    seconds = 0.0 if settings.race is None else rough_seconds(settings.race, run=run)
    return (seconds or 2 * N_PROOF_RUNS * run) / n_workers(settings.jobs or -1)


def _findings(
    sweep: Sweep, analysis: Analysis, *, problem: Problem, recommendation: Recommendation, is_raced: bool
) -> tuple[Finding, ...]:
    test = RangeTest(
        sweep=sweep, analysis=analysis, recommendation=recommendation, n_train=len(problem.y_train), is_raced=is_raced
    )
    return check_range_test(test)


def _command(source: Any, settings: Settings) -> tuple[str, ...]:
    if not is_file(source):
        return ()
    return ("lrfind", "sweep", str(source), *as_options(settings))


@dataclass(frozen=True, slots=True)
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - begin, 3)


# What targets are called that come as an array of their own.
TARGET = "target"


def _table(source: Any, y: Any, *, settings: Settings) -> Table:
    if not is_file(source):
        for name in ("where", "columns", "drop", "sample"):
            if getattr(settings, name) is not None:
                raise UsageError(
                    f"{name}= chooses from a file: choose from arrays and data frames before they are given"
                )
        is_bare = hasattr(source, "__len__") and not hasattr(source, "columns")
        if is_bare and y is None and settings.target is None:
            raise UsageError(
                "there is no target: pass it after the features, as in find_lr(X, y), or pass a data frame "
                'and name its column, as in find_lr(df, target="price")'
            )
        return table_from_arrays(source, y, target_name=TARGET, na=settings.na or (), text=settings.text or ())
    if y is not None:
        raise UsageError("y is given beside a file: name the target column with target=")
    return read_table(
        str(source),
        where=settings.where,
        columns=settings.columns,
        drop=settings.drop,
        sample=settings.sample,
        seed=settings.seed,
        keep=settings.target,
        na=settings.na,
        text=settings.text,
    )


def _settled(settings: Settings, problem: Problem) -> Settings:
    # what depended on the table becomes a number
    n_rows = len(problem.y_train) + len(problem.y_val)
    batch_size = min(settings.batch_size, n_rows)
    per_epoch = steps_per_epoch(n_rows, batch_size=batch_size)
    steps = settings.train_steps
    if steps is None and settings.epochs is not None:
        steps = min(settings.epochs * per_epoch, MOST_TRAIN_STEPS)
    if steps is None:
        steps = min(max(DEFAULT_EPOCHS * per_epoch, FEWEST_STEPS), MOST_STEPS)
    hidden = () if settings.model == "linear" else settings.hidden
    return replace(
        settings, train_steps=steps, epochs=None, hidden=hidden, task=problem.task, target=problem.target,
        batch_size=batch_size,
    )  # fmt: skip


def _train_steps(settings: Settings) -> int:
    return settings.train_steps or FEWEST_STEPS


def _net(problem: Problem, settings: Settings) -> Net:
    return Net(
        n_inputs=problem.n_features,
        n_outputs=problem.n_outputs,
        hidden=settings.hidden,
        activation=settings.activation,
        task=problem.task,
    )


def _sweep(problem: Problem, settings: Settings, *, stages: Stages) -> Sweep:
    net = _net(problem, settings)
    step = step_cost(net, batch_size=min(settings.batch_size, len(problem.y_train)))
    stages.begin("Sweeping", seconds=settings.steps * settings.seeds * step,
                 later=training_seconds(settings, run=_train_steps(settings) * step))  # fmt: skip
    model = Training(
        net,
        with_ones(problem.X_train),
        y=problem.y_train,
        optimizer=settings.optimizer,
        batch_size=settings.batch_size,
        seeds=[np.random.SeedSequence(settings.seed, spawn_key=(1, i)) for i in range(settings.seeds)],
    )
    return range_test(
        model,
        lr_min=settings.lr_min,
        lr_max=settings.lr_max,
        n_steps=settings.steps,
        on_step=lambda step: stages.at(step / settings.steps),
    )


def _prior(problem: Problem, analysis: Analysis, *, settings: Settings, table: Table) -> Prior | None:
    situation = situation_of(
        _net(problem, settings),
        analysis,
        n_rows=len(problem.y_train) + len(problem.y_val),
        optimizer=settings.optimizer,
        batch_size=settings.batch_size,
        train_steps=_train_steps(settings),
    )
    if situation is None:
        return None
    own = _own(settings)
    own = tuple(row for row in own if not repeats(row, situation, sha256=table.source.sha256))
    shipped = shipped_rows()
    if settings.forget is not None:
        name = dataset_name(table.source.name) if settings.forget == "own" else settings.forget
        own, shipped = without(own, name), without(shipped, name)
    # as they are stored with the run, so that they give the same numbers when they are read again
    own = rows_from_csv(rows_to_csv(own))
    return expect(shipped, situation, own=own, limits=(settings.lr_min, settings.lr_max))


def _own(settings: Settings) -> tuple[Row, ...]:
    if settings.experience is not None:
        return rows_used(settings.experience)
    return own_rows(RUNS_ROOT) if settings.learn else ()


def _course(problem: Problem, settings: Settings) -> Course:
    return lay_course(
        problem,
        _net(problem, settings),
        optimizer=settings.optimizer,
        batch_size=settings.batch_size,
        train_steps=_train_steps(settings),
        seed=settings.seed,
    )


def _race(problem: Problem, prior: Prior | None, *, settings: Settings, stages: Stages) -> Race | None:
    if prior is None or settings.race is None:
        return None
    course = _course(problem, settings)
    if len(course.held_out) < FEWEST_HELD_OUT:
        return None
    plan = plan_race(course, effort=settings.race, schedules=settings.schedules)
    if plan is None:
        return None
    n_jobs = settings.jobs or -1
    stages.begin("Racing", seconds=race_seconds(course, plan) / n_workers(n_jobs))
    return race(
        course,
        prior,
        plan=plan,
        limits=(settings.lr_min, settings.lr_max),
        n_jobs=n_jobs,
        on_share=stages.at,
    )


# Runs at each of the two rates that are tried on held-out rows, how much gentler the second is, and how often each run
# is looked at.
N_PROOF_RUNS, GENTLER, N_LOOKS = 4, 10.0, 4


def _proof(problem: Problem, prior: Prior | None, *, settings: Settings, stages: Stages) -> Proof | None:
    if prior is None:
        return None
    course, lr = _course(problem, settings), prior.reading.lr
    n_folds = course.n_folds
    replicas = [(seed, fold) for seed in range(-(-N_PROOF_RUNS // n_folds)) for fold in range(n_folds)]
    schedules = [make_schedule("cosine", peak_lr=peak, n_steps=course.n_steps) for peak in (lr, lr / GENTLER)]
    trials = [Trial(schedule=schedule, seed=seed, fold=fold) for schedule in schedules for seed, fold in replicas]
    n_jobs = settings.jobs or -1
    step = step_cost(course.net, batch_size=min(course.batch_size, len(course.folds[0][0])))
    stages.begin("Training", seconds=len(trials) * course.n_steps * step / n_workers(n_jobs))
    losses = run_curves(
        course,
        trials,
        n_checkpoints=N_LOOKS,
        n_jobs=n_jobs,
        on_share=stages.at,
    )
    # (n_rates, n_looks, n_replicas, n_held_out of a fold)
    looked = losses.reshape(len(schedules), len(replicas), N_LOOKS, -1).swapaxes(1, 2)
    rows = course.by_row(looked, np.array([fold for _, fold in replicas]))
    return Proof(
        losses=rows[0, -1],
        looks=rows.reshape(len(schedules) * N_LOOKS, -1),
        baseline=course.baseline(),
        n_runs=len(replicas),
    )
