"""Small datasets for the tests of checks: made from columns, profiled, and, where a test needs it, learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lrfind.checks.dataset import DATASET_CHECKS, Dataset
from lrfind.checks.dataset.learn import HeldOut, Learning
from lrfind.checks.dataset.profile import profile_table
from lrfind.checks.finding import Finding
from lrfind.curve import analyse, read_rate
from lrfind.data import Table, read_table
from lrfind.examine import Examination, examine
from lrfind.problem import make_problem
from lrfind.problem.make import VAL_SHARE
from lrfind.problem.split import split_rows
from lrfind.problem.target import find_column, read_target
from lrfind.report.check import CheckReport
from lrfind.sweep import Sweep

Columns = Mapping[str, Sequence[object] | np.ndarray]


def good_columns(n_rows: int = 240, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Return three columns of numbers and a class that two of them tell well."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, n_rows)).round(4)
    y = np.where(rng.random(n_rows) < 1 / (1 + np.exp(-3 * (a - b))), "yes", "no")
    return {"a": a, "b": b, "c": c, "y": y}


def write_csv(columns: Columns, path: Path) -> Path:
    """Write columns as CSV; None and NaN are empty."""
    lines = [",".join(columns)]
    lines += [",".join(map(_cell, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _cell(value: object) -> str:
    return "" if value is None or (isinstance(value, float) and np.isnan(value)) else str(value)


def dataset_of(columns: Columns, folder: Path, *, target: str = "y", split: str = "random", seed: int = 0) -> Dataset:
    """Return a dataset that nothing was learned from."""
    table: Table = read_table(str(write_csv(columns, folder / "table.csv")))
    problem = make_problem(table, target=target, split=split, seed=seed)
    read = read_target(find_column(table, target, option="--target"), "auto")
    parts = split_rows(table, read, split=split, seed=seed, val_share=VAL_SHARE)
    rows = np.concatenate([read.rows[parts.train], read.rows[parts.val]])
    return Dataset(
        table=table,
        problem=problem,
        profile=profile_table(table),
        rows=rows,
        learning=None,
        reason="Nothing was trained.",
    )


def learned(
    dataset: Dataset,
    *,
    losses: np.ndarray,
    baseline: np.ndarray,
    in_order: np.ndarray | None = None,
    at_rate: np.ndarray | None = None,
    sweep: Sweep | None = None,
) -> Dataset:
    """Return a dataset of which the losses on rows held out are as given: of every row, for a model and its half."""
    held = np.arange(len(baseline))
    sweep = sweep or falling_sweep()
    analysis = analyse(sweep)

    def held_out(rows: np.ndarray) -> HeldOut:
        names = tuple(f"model {i}" for i in range(len(rows)))
        return HeldOut(models=names, losses=rows, baseline=baseline[: rows.shape[1]], held=held[: rows.shape[1]])

    learning = Learning(
        sweep=sweep,
        analysis=analysis,
        reading=read_rate(analysis),
        held_out=held_out(losses),
        every=held_out(losses),
        at_rate=None if at_rate is None else held_out(at_rate),
        in_order=None if in_order is None else held_out(in_order),
    )
    return replace(dataset, learning=learning, reason="")


def falling_sweep(*, top: float = 1.0, valley: float = 3.0, seed: int = 0) -> Sweep:
    """Return a range test of four seeds that falls, stays low for `valley` decades, and rises."""
    lrs = np.geomspace(1e-6, 10, 200)
    x = np.log10(lrs / top)
    curve = 0.7 - 0.6 / (1 + np.exp(-6 * (x + valley))) + 3 / (1 + np.exp(-12 * x))
    noise = np.random.default_rng(seed).normal(scale=0.01, size=(4, 200))
    return Sweep(lrs=lrs, losses=curve + noise, grad_norms=None)


def finding_of(code: str, dataset: Dataset) -> Finding:
    """Return what one check says of a dataset."""
    return next(look(check, dataset) for check, look in DATASET_CHECKS if check.code == code)


def examined(columns: Columns, folder: Path, **options: object) -> CheckReport:
    """Return the report on a table, trained and all."""
    path = write_csv(columns, folder / "table.csv")
    return examine(str(path), Examination(**{"target": "y", **options}))  # type: ignore[arg-type]


def state_of(code: str, report: CheckReport) -> str:
    """Return how a check of a report ended."""
    return next(finding.state for finding in report.findings if finding.code == code)
