"""The whole story on one page: a file in, a report out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lrfind import __version__
from lrfind.checks import RangeTest, check_range_test
from lrfind.curve import Analysis, analyse
from lrfind.data import Table, read_table, table_from_arrays
from lrfind.errors import UsageError
from lrfind.experience import Prior, dataset_name, expect, repeats, shipped_rows, situation_of, without
from lrfind.mlp import ACTIVATIONS, Net, Training, steps_per_epoch
from lrfind.optim import OPTIMIZERS
from lrfind.problem import Problem, make_problem
from lrfind.problem.order import by_content
from lrfind.race import BUDGETS, Course, Race, Trial, lay_course, plan_race, race, run_curves
from lrfind.recommend import FEWEST_HELD_OUT, Proof, recommend
from lrfind.report import Report
from lrfind.runs import RUNS_ROOT, own_rows
from lrfind.schedule import COURSES, make_schedule
from lrfind.sweep import Sweep, lr_range, range_test
from lrfind.text import listed, nearest

# (stage, share of it that is done)
Progress = Callable[[str, float], None]

# A default training run: twenty passes, but long enough for a schedule to matter and short enough to try at once.
DEFAULT_EPOCHS, FEWEST_STEPS, MOST_STEPS = 20, 400, 2000
MOST_JOBS = 1024
# Beyond these a typing error is likelier than a wish; they bound memory.
MOST_SEEDS, MOST_WIDTH, MOST_TRAIN_STEPS, MOST_SWEEP_STEPS = 256, 16_384, 10_000_000, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a user can choose; the defaults are the command line's.

    Attributes
    ----------
    target, task, split, where, columns, drop, sample
        What to learn from what; see `lrfind.data.read_table` and `lrfind.problem.make_problem`.
    model : {"mlp", "linear"}
    hidden : tuple of int
        Widths of the hidden layers of the mlp.
    activation, optimizer : str
    batch_size : int
    lr_min, lr_max, steps, seeds : float, float, int, int
        The range test.
    train_steps, epochs : int, optional
        The training run the advice is for; by default 20 epochs, at least 400 and at most 2,000 steps.
    race : {"quick", "full", "grid"} or None
        How much training the advice may rest on; None for the range test alone.
    schedules : tuple of str, optional
        To compare in the race; all by default.
    learn : bool
        Whether the races of earlier runs, below ``lrfind-runs``, join the experience that lrfind ships.
    forget : str, optional
        Leave out experience with the table of this name, "own" for the table's own: to see what lrfind would say
        about a table that it has never met.
    seed : int
        Every random number follows from it.
    jobs : int
        Processes; 0 for one a core. The numbers do not depend on it.

    Raises
    ------
    UsageError
        On construction, if a setting cannot be used.
    """

    target: str | None = None
    task: str = "auto"
    model: str = "mlp"
    hidden: tuple[int, ...] = (64,)
    activation: str = "relu"
    optimizer: str = "adam"
    batch_size: int = 64
    lr_min: float = 1e-7
    lr_max: float = 10.0
    steps: int = 400
    seeds: int = 8
    train_steps: int | None = None
    epochs: int | None = None
    where: str | None = None
    columns: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None
    sample: int | None = None
    split: str = "random"
    race: str | None = "full"
    schedules: tuple[str, ...] | None = None
    learn: bool = True
    forget: str | None = None
    seed: int = 0
    jobs: int = 1

    def __post_init__(self) -> None:
        """Refuse what no run could use, before anything is read."""
        require_one_of(self.task, ("auto", "classification", "regression"), option="--task")
        require_one_of(self.model, ("mlp", "linear"), option="--model")
        require_one_of(self.activation, ACTIVATIONS, option="--activation")
        require_one_of(self.optimizer, OPTIMIZERS, option="--optimizer")
        if self.race is not None:
            require_one_of(self.race, BUDGETS, option="--race")
        if self.schedules is not None and not self.schedules:
            raise UsageError("--schedules names none: expected all or names such as cosine,one_cycle")
        for name in self.schedules or ():
            require_one_of(name, COURSES, option="--schedules")
        require_between(self.jobs, (0, MOST_JOBS), option="--jobs")
        require_between(self.batch_size, (1, 1_000_000), option="--batch-size")
        require_between(self.seeds, (1, MOST_SEEDS), option="--seeds")
        require_between(self.seed, (0, 2**64 - 1), option="--seed")
        require_between(self.steps, (1, MOST_SWEEP_STEPS), option="--steps")
        for width in self.hidden:
            require_between(width, (1, MOST_WIDTH), option="--hidden")
        for name, number in (("--train-steps", self.train_steps), ("--epochs", self.epochs), ("--sample", self.sample)):
            if number is not None:
                require_between(number, (1, MOST_TRAIN_STEPS), option=name)
        if self.train_steps is not None and self.epochs is not None:
            raise UsageError("--train-steps and --epochs both say how long to train: give one of them")
        lr_range(self.lr_min, self.lr_max, n_steps=self.steps)


def require_one_of(name: str, choices: Mapping[str, Any] | tuple[str, ...], *, option: str) -> None:
    """Raise UsageError, naming the nearest choice, unless the name given with an option is a choice."""
    if name in choices:
        return
    like = nearest(name, choices)
    hint = f"did you mean '{like}'?" if like else f"choose one of {', '.join(choices)}"
    raise UsageError(f"{option} {listed([name])} is not known: {hint}")


def require_between(number: int, bounds: tuple[int, int], *, option: str) -> None:
    """Raise UsageError unless the number given with an option lies within its bounds."""
    low, high = bounds
    if not low <= number <= high:
        raise UsageError(f"{option} is {number}: expected a whole number from {low} to {high}")


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
    settings = replace(settings or Settings(), **options)
    tell, clock = progress or _silent, _Clock()
    with clock.time("read"):
        tell("Reading", 0.0)
        table = _table(source, y, settings=settings)
    with clock.time("prepare"):
        tell("Preparing", 0.0)
        # only a random split may take the rows in an order of its own; others follow a column
        rows = by_content(table) if settings.split == "random" else table
        problem = make_problem(
            rows, target=settings.target, task=settings.task, split=settings.split, seed=settings.seed
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
    test = RangeTest(sweep=sweep, analysis=analysis, recommendation=recommendation, n_train=len(problem.y_train))
    return Report(
        version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        config=asdict(settings),
        table=table,
        problem=problem,
        sweep=sweep,
        analysis=analysis,
        prior=prior,
        race=race,
        recommendation=recommendation,
        findings=check_range_test(test),
        timing=clock.seconds,
    )


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


def _table(source: Any, y: Any, *, settings: Settings) -> Table:
    if not isinstance(source, str) and not hasattr(source, "__fspath__"):
        for name in ("where", "columns", "drop", "sample"):
            if getattr(settings, name) is not None:
                raise UsageError(
                    f"{name}= chooses from a file: choose from arrays and data frames before they are given"
                )
        return table_from_arrays(source, y)
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
    )


def _settled(settings: Settings, problem: Problem) -> Settings:
    # what depended on the table becomes a number
    n_rows = len(problem.y_train) + len(problem.y_val)
    per_epoch = steps_per_epoch(n_rows, batch_size=settings.batch_size)
    steps = settings.train_steps
    if steps is None and settings.epochs is not None:
        steps = min(settings.epochs * per_epoch, MOST_TRAIN_STEPS)
    if steps is None:
        steps = min(max(DEFAULT_EPOCHS * per_epoch, FEWEST_STEPS), MOST_STEPS)
    hidden = () if settings.model == "linear" else settings.hidden
    return replace(settings, train_steps=steps, epochs=None, hidden=hidden, task=problem.task, target=problem.target)


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
        problem.X_train,
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
