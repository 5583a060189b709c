"""The story of `check` on one page: a file in, what was found out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from threadpoolctl import threadpool_limits

from lrfind import __version__
from lrfind.checks import RangeTest, check_range_test
from lrfind.checks.baseline import BASELINE_CHECKS, NO_BASELINE, Baseline, baseline_of, check_baseline
from lrfind.checks.dataset import DATASET_CHECKS, Dataset, check_dataset
from lrfind.checks.dataset.forest import forest_fit
from lrfind.checks.dataset.learn import (
    BATCH_SIZE,
    PLANS,
    Fold,
    Learning,
    Plan,
    count_steps,
    cross_fit,
    make_folds,
    thinned,
)
from lrfind.checks.dataset.profile import profile_table
from lrfind.checks.dataset.signal import find_association
from lrfind.checks.dataset.significance import is_signal
from lrfind.checks.finding import Finding, Severity
from lrfind.checks.range_test import RANGE_TEST_CHECKS
from lrfind.curve import analyse, read_rate
from lrfind.data import Table, read_table
from lrfind.errors import UsageError
from lrfind.mlp import Net, Training, with_ones
from lrfind.problem import Problem, make_problem
from lrfind.problem.make import VAL_SHARE
from lrfind.problem.split import as_split, split_rows
from lrfind.problem.target import find_column, read_target
from lrfind.progress import Progress, Stages, silent
from lrfind.race import step_cost
from lrfind.recommend import recommend
from lrfind.report.check import NOT_ABOUT_DATA, CheckReport
from lrfind.settings import Settings
from lrfind.sweep import Sweep, range_test


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What is examined, and how.

    Attributes
    ----------
    target, task, split, where, columns, drop, sample, na, text
        What to learn from what; see `lrfind.data.read_table` and `lrfind.problem.make_problem`.
    seed : int
        Every random number follows from it.
    budget : float or None
        Seconds a dataset; checks that would not fit are not applicable.

    Raises
    ------
    UsageError
        On construction, if a setting cannot be used.
    """

    target: str | None = None
    task: str = "auto"
    split: str = "random"
    where: str | None = None
    columns: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None
    sample: int | None = None
    na: tuple[str, ...] | None = None
    text: tuple[str, ...] | None = None
    seed: int = 0
    budget: float | None = None

    def __post_init__(self) -> None:
        """Refuse a budget that is none, and take the split however it is written."""
        object.__setattr__(self, "split", as_split(self.split))
        if self.budget is not None and not self.budget > 0:
            raise UsageError(f"--budget is {self.budget:g}: expected a number of seconds above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a project makes of findings.

    Attributes
    ----------
    fail_on : {"error", "warning"}
        The least severity that fails a dataset.
    severity : mapping of code to severity
        In place of the check's own.
    mute : mapping of code to reason
        Checks that are not made, and why.
    """

    fail_on: Severity = "error"
    severity: Mapping[str, Severity] = field(default_factory=dict)
    mute: Mapping[str, str] = field(default_factory=dict)


def examine(
    source: str,
    settings: Examination | None = None,
    *,
    policy: Policy | None = None,
    baseline: Baseline | None = None,
    no_baseline: str = NO_BASELINE,
    progress: Progress | Stages | None = None,
) -> CheckReport:
    """Examine a dataset.

    Parameters
    ----------
    source : str
        As in `lrfind.data.read_table`.
    settings : Examination, optional
    policy : Policy, optional
    baseline : Baseline, optional
        What the dataset was like.
    no_baseline : str
        Why there is no baseline, where there is none.
    progress : callable, optional
        Called with a stage's name and the share of the whole that is done, several times a second.

    Returns
    -------
    CheckReport

    Raises
    ------
    UsageError
        If an option cannot be used.
    DataError
        If the table cannot be read or learned from.
    """
    settings, policy = settings or Examination(), policy or Policy()
    stages = progress if isinstance(progress, Stages) else Stages(progress or silent)
    clock = _Clock(begin=time.perf_counter(), budget=settings.budget, stages=stages)
    stages.begin("Reading", seconds=READ_SECONDS, later=LEARN_SECONDS)
    table = _read(source, settings)
    on_cells = _seconds_on_cells(table)
    stages.begin("Preparing", seconds=on_cells, later=LEARN_SECONDS + on_cells)
    problem = make_problem(
        table, target=settings.target, task=settings.task, split=settings.split, seed=settings.seed,
        most_pieces=_most_pieces(clock),
    )  # fmt: skip
    dataset = Dataset(
        table=table,
        problem=problem,
        profile=profile_table(table),
        rows=_rows(table, problem, settings=settings),
        learning=None,
    )
    dataset = _learned(dataset, settings, clock=clock)
    stages.begin("Judging", seconds=JUDGE_SECONDS + on_cells)
    findings = (
        *_of_range_test(dataset),
        *check_dataset(dataset),
        *check_baseline(dataset, baseline, reason=no_baseline),
    )
    stages.end()
    return CheckReport(
        version=__version__,
        table=table,
        problem=problem,
        seed=settings.seed,
        findings=tuple(_under(policy, finding) for finding in findings),
        fail_on=policy.fail_on,
        baseline=baseline_of(dataset),
    )


class _LateError(Exception):
    """The budget is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    begin: float
    budget: float | None
    stages: Stages

    def left(self) -> float:
        return math.inf if self.budget is None else self.begin + self.budget - time.perf_counter()

    def is_late(self) -> bool:
        # who asks is at work
        self.stages.beat()
        return self.left() < 0


def _read(source: str, settings: Examination) -> Table:
    return read_table(
        source, where=settings.where, columns=settings.columns, drop=settings.drop, sample=settings.sample,
        seed=settings.seed, keep=settings.target, na=settings.na, text=settings.text,
    )  # fmt: skip


# Seconds that reading, learning and judging usually take, and preparing or judging a cell; measured. They weigh in the
# progress that is shown, and nowhere else.
READ_SECONDS, LEARN_SECONDS, JUDGE_SECONDS, SECONDS_A_CELL = 0.5, 2.0, 0.2, 1.5e-7


def _seconds_on_cells(table: Table) -> float:
    return SECONDS_A_CELL * table.n_rows * len(table.columns)


# Words or letter groups that texts are taken apart into, which takes one to two seconds; for how long a check that
# is the share it should have; and seconds that reading takes however little is read, importing scikit-learn above all.
MOST_PIECES, USUAL_SECONDS, UNTIL_READ = 5_000_000, 8.0, 2.0


def _most_pieces(clock: _Clock) -> int:
    return round(MOST_PIECES * min(1.0, max(0.0, (clock.left() - UNTIL_READ) / (USUAL_SECONDS - UNTIL_READ))))


def _rows(table: Table, problem: Problem, *, settings: Examination) -> np.ndarray:
    """Return the rows of the table in the order of the problem's parts, by splitting once more."""
    read = read_target(find_column(table, problem.target, option="--target"), settings.task)
    parts = split_rows(table, read, split=problem.split, seed=settings.seed, val_share=VAL_SHARE)
    return np.concatenate([read.rows[parts.train], read.rows[parts.val]])


# The range test of `lrfind sweep` as it is by default, so that both see the same.
AS_SWEPT = Settings()
# Runs at the rate it reads.
N_TRIED = 4
HIDDEN = AS_SWEPT.hidden


def _learned(dataset: Dataset, settings: Examination, *, clock: _Clock) -> Dataset:
    late = (
        f"The budget of {settings.budget:g} s was used up before all models were trained; raise --budget."
        if settings.budget
        else ""
    )
    problem, seed = dataset.problem, settings.seed
    clock.stages.begin("Learning", seconds=_learning_seconds(problem, seed=seed),
                       later=JUDGE_SECONDS + _seconds_on_cells(dataset.table))  # fmt: skip
    try:
        sweep = _sweep(problem, seed=seed, clock=clock)
    except _LateError:
        return replace(dataset, reason=late)
    analysis = analyse(sweep, seed=seed)
    reading = read_rate(analysis)
    folds = make_folds(problem, seed=seed)
    held_out = cross_fit(problem, folds=folds, plans=PLANS, seed=seed, is_late=clock.is_late)
    if held_out is None:
        return replace(dataset, reason=late)
    tried = None
    if reading is not None:
        plan = Plan(hidden=HIDDEN, lrs=(reading.lr,), n_seeds=N_TRIED, marks=(1.0,), merge_seeds=False)
        tried = cross_fit(problem, folds=folds[:1], plans=[plan], seed=seed, is_late=clock.is_late)
    in_order = cross_fit(problem, folds=(_last_quarter(dataset),), plans=PLANS, seed=seed, is_late=clock.is_late)
    every, association = held_out, None
    if not is_signal(held_out):
        every = held_out.beside(forest_fit(problem, folds=folds, seed=seed, is_late=clock.is_late))
    if not is_signal(every):
        association = find_association(dataset, seed=seed, is_late=clock.is_late)
    learning = Learning(
        sweep=sweep, analysis=analysis, reading=reading, held_out=held_out, every=every, at_rate=tried,
        in_order=in_order, association=association,
    )  # fmt: skip
    return replace(dataset, learning=learning, reason=late if clock.is_late() else "")


def _net(problem: Problem, hidden: tuple[int, ...]) -> Net:
    return Net(
        n_inputs=problem.n_features, n_outputs=problem.n_outputs, hidden=hidden, activation="relu", task=problem.task
    )


def _learning_seconds(problem: Problem, *, seed: int) -> float:
    """Return about how many seconds the range test and the models take."""
    folds = make_folds(problem, seed=seed)
    seconds = AS_SWEPT.seeds * AS_SWEPT.steps * step_cost(_net(problem, HIDDEN), batch_size=BATCH_SIZE)
    for plan in PLANS:
        net = _net(problem, plan.hidden)
        # the folds at random, and one in the order of the rows
        n_models = len(plan.lrs) * plan.n_seeds * (len(folds) + 1)
        n_steps = count_steps(plan, net, n_rows=len(folds[0][0]))
        seconds += n_models * n_steps * step_cost(net, batch_size=BATCH_SIZE)
    return seconds


def _sweep(problem: Problem, *, seed: int, clock: _Clock) -> Sweep:
    seeds = [np.random.SeedSequence(seed, spawn_key=(1, i)) for i in range(AS_SWEPT.seeds)]
    X = with_ones(problem.X_train)
    model = Training(_net(problem, HIDDEN), X, y=problem.y_train, optimizer="adam", batch_size=BATCH_SIZE, seeds=seeds)

    def look(_step: int) -> None:
        if clock.is_late():
            raise _LateError

    with threadpool_limits(1, user_api="blas"):
        return range_test(model, lr_min=AS_SWEPT.lr_min, lr_max=AS_SWEPT.lr_max, n_steps=AS_SWEPT.steps, on_step=look)


def _last_quarter(dataset: Dataset) -> Fold:
    order = np.argsort(dataset.rows)
    n_learned = len(order) - max(2, round(len(order) * VAL_SHARE))
    return thinned((order[:n_learned], order[n_learned:]))


# What concerns the range that was swept, and not the data.
ABOUT_THE_RANGE = frozenset({"LR102", "LR103", "LR107"})


def _of_range_test(dataset: Dataset) -> tuple[Finding, ...]:
    """Return what the range test shows; it only hints at the data, so that none of it is an error here."""
    learning = dataset.learning
    if learning is None:
        return tuple(check.not_applicable(dataset.reason) for check, _ in RANGE_TEST_CHECKS)
    advice = recommend(
        learning.analysis,
        reading=learning.reading,
        proof=None,
        optimizer="adam",
        batch_size=BATCH_SIZE,
        train_steps=AS_SWEPT.steps,
    )
    test = RangeTest(
        sweep=learning.sweep, analysis=learning.analysis, recommendation=advice, n_train=len(dataset.problem.y_train)
    )
    return tuple(_hint(finding) for finding in check_range_test(test))


def _hint(finding: Finding) -> Finding:
    if finding.code in ABOUT_THE_RANGE:
        return replace(finding, state="not_applicable", message=NOT_ABOUT_DATA, evidence={}, advice="")
    return replace(finding, severity="warning") if finding.severity == "error" else finding


def _under(policy: Policy, finding: Finding) -> Finding:
    """Return a finding as the project wants it judged."""
    if finding.code in policy.mute:
        return replace(
            finding, state="not_applicable", message=f"Muted: {policy.mute[finding.code]}", evidence={}, advice=""
        )
    if finding.code in policy.severity:
        return replace(finding, severity=policy.severity[finding.code])
    return finding


def known_codes() -> tuple[str, ...]:
    """Return the codes of every check of a dataset."""
    return tuple(check.code for check, _ in (*RANGE_TEST_CHECKS, *DATASET_CHECKS, *BASELINE_CHECKS))
