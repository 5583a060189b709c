"""The whole story on one page: a file in, a report out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lrfind import __version__
from lrfind.checks import Finding, RangeTest, check_range_test
from lrfind.curve import Analysis, analyse
from lrfind.data import Table, name_of, read_table, table_from_arrays
from lrfind.errors import UsageError
from lrfind.experience import Prior, dataset_name, expect, repeats, shipped_rows, situation_of, without
from lrfind.mlp import Net, Training, steps_per_epoch, with_ones
from lrfind.problem import Problem, make_problem
from lrfind.problem.order import by_content
from lrfind.race import Course, Race, Trial, lay_course, plan_race, race, run_curves
from lrfind.recommend import FEWEST_HELD_OUT, Proof, Recommendation, recommend
from lrfind.report import Report
from lrfind.runs import RUNS_ROOT, own_rows
from lrfind.schedule import make_schedule
from lrfind.settings import DEFAULT_EPOCHS, FEWEST_STEPS, MOST_STEPS, MOST_TRAIN_STEPS, Settings
from lrfind.sweep import Sweep, range_test

# (stage, share of it that is done)
Progress = Callable[[str, float], None]


def find_lr(
    source: Any,
    y: Any = None,
    *,
    progress: Progress | None = None,
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
    progress : callable, optional
        Called with a stage's name and the share of it that is done.
    command : tuple of str, optional
        A command line to show as the way to reproduce the report.
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
    settings = _named(replace(settings or Settings(), **options), source)
    tell, clock = progress or _silent, _Clock()
    with clock.time("read"):
        tell("Reading", 0.0)
        table = _table(source, y, settings=settings)
    with clock.time("prepare"):
        tell("Preparing", 0.0)
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
        sweep = _sweep(problem, settings, tell=tell)
    with clock.time("analyse"):
        analysis = analyse(sweep, seed=settings.seed)
        prior = _prior(problem, analysis, settings=settings, table=table)
    with clock.time("train"):
        race = _race(problem, prior, settings=settings, tell=tell)
        proof = None if race is not None else _proof(problem, prior, settings=settings, tell=tell)
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
        command=command,
        config=_stored(settings),
        table=table,
        problem=problem,
        sweep=sweep,
        analysis=analysis,
        prior=prior,
        race=race,
        recommendation=recommendation,
        findings=_findings(sweep, analysis, problem=problem, recommendation=recommendation, is_raced=race is not None),
        timing=clock.seconds,
    )


def _findings(
    sweep: Sweep, analysis: Analysis, *, problem: Problem, recommendation: Recommendation, is_raced: bool
) -> tuple[Finding, ...]:
    test = RangeTest(
        sweep=sweep, analysis=analysis, recommendation=recommendation, n_train=len(problem.y_train), is_raced=is_raced
    )
    return check_range_test(test)


def _silent(_stage: str, _share: float) -> None:
    pass


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


def _is_file(source: Any) -> bool:
    return isinstance(source, str) or hasattr(source, "__fspath__")


def _named(settings: Settings, source: Any) -> Settings:
    """Return settings in which the columns of a data frame, whose labels may be of any type, go by their names."""
    if _is_file(source):
        return settings
    target = None if settings.target is None else name_of(source, settings.target)
    text = None if settings.text is None else tuple(name_of(source, label) for label in settings.text)
    return replace(settings, target=target, text=text)


def _stored(settings: Settings) -> dict[str, Any]:
    """Return settings as a run keeps them; those of reading only where they were given."""
    fields = asdict(settings)
    return {name: value for name, value in fields.items() if value is not None or name not in ("na", "text")}


def _table(source: Any, y: Any, *, settings: Settings) -> Table:
    if not _is_file(source):
        for name in ("where", "columns", "drop", "sample"):
            if getattr(settings, name) is not None:
                raise UsageError(
                    f"{name}= chooses from a file: choose from arrays and data frames before they are given"
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


def _sweep(problem: Problem, settings: Settings, *, tell: Progress) -> Sweep:
    model = Training(
        _net(problem, settings),
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
        on_step=lambda step: tell("Sweeping", step / settings.steps),
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
    own = own_rows(RUNS_ROOT) if settings.learn else ()
    own = tuple(row for row in own if not repeats(row, situation, sha256=table.source.sha256))
    shipped = shipped_rows()
    if settings.forget is not None:
        name = dataset_name(table.source.name) if settings.forget == "own" else settings.forget
        own, shipped = without(own, name), without(shipped, name)
    return expect((*shipped, *own), situation, limits=(settings.lr_min, settings.lr_max), n_own=len(own))


def _course(problem: Problem, settings: Settings) -> Course:
    return lay_course(
        problem,
        _net(problem, settings),
        optimizer=settings.optimizer,
        batch_size=settings.batch_size,
        train_steps=_train_steps(settings),
        seed=settings.seed,
    )


def _race(problem: Problem, prior: Prior | None, *, settings: Settings, tell: Progress) -> Race | None:
    if prior is None or settings.race is None:
        return None
    course = _course(problem, settings)
    if len(course.held_out) < FEWEST_HELD_OUT:
        return None
    plan = plan_race(course, effort=settings.race, schedules=settings.schedules)
    if plan is None:
        return None
    return race(
        course,
        prior,
        plan=plan,
        limits=(settings.lr_min, settings.lr_max),
        n_jobs=settings.jobs or -1,
        on_share=lambda share: tell("Racing", share),
    )


# Runs at each of the two rates that are tried on held-out rows, how much gentler the second is, and how often each run
# is looked at.
N_PROOF_RUNS, GENTLER, N_LOOKS = 4, 10.0, 4


def _proof(problem: Problem, prior: Prior | None, *, settings: Settings, tell: Progress) -> Proof | None:
    if prior is None:
        return None
    course, lr = _course(problem, settings), prior.reading.lr
    n_folds = course.n_folds
    replicas = [(seed, fold) for seed in range(-(-N_PROOF_RUNS // n_folds)) for fold in range(n_folds)]
    schedules = [make_schedule("cosine", peak_lr=peak, n_steps=course.n_steps) for peak in (lr, lr / GENTLER)]
    trials = [Trial(schedule=schedule, seed=seed, fold=fold) for schedule in schedules for seed, fold in replicas]
    losses = run_curves(
        course,
        trials,
        n_checkpoints=N_LOOKS,
        n_jobs=settings.jobs or -1,
        on_share=lambda share: tell("Training", share),
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
