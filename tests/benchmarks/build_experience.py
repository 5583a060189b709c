"""Run the races whose results lrfind ships as experience, and write them as a table.

    make experience [TABLES=folder]

TABLES is a folder of ``NAME.train.csv`` files with standardised features and a target ``y``, and ``NAME.json`` with
the task and training configurations. Each table is raced with its own configurations and with random ones, on all of
its rows and on parts; problems that scikit-learn generates are raced beside them. Every row of the result is one
finished race, read from the run's JSON exactly as a user's own runs are read. It takes about an hour on one core.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets

from lrfind import find_lr
from lrfind.errors import LrfindError
from lrfind.experience import Row, row_of_run
from lrfind.experience.rows import TABLE, rows_from_csv, rows_to_csv
from lrfind.optim import OPTIMIZERS
from lrfind.report import to_dict

# Random configurations a table, and problems generated.
N_RANDOM, N_GENERATED = 6, 150
HIDDEN = ((), (32,), (64,), (128,), (64, 64), (128, 64))
BATCHES = (32, 64, 128, 256)
STEPS = (200, 400, 800, 1200, 2000)
PARTS = (1.0, 0.5, 0.25)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """One race to run."""

    dataset: str
    X: np.ndarray
    y: np.ndarray
    config: dict[str, Any]


def jobs(tables: Path | None) -> Iterator[Job]:
    """Return every race, in an order that mixes sources so that a part of them is a fair sample."""
    rng = np.random.default_rng(0)
    everything = [*_of_tables(tables, rng), *_generated(rng)]
    for i in rng.permutation(len(everything)):
        yield everything[i]


def _of_tables(folder: Path | None, rng: np.random.Generator) -> Iterator[Job]:
    for path in sorted(folder.glob("*.train.csv")) if folder else ():
        name = path.name.partition(".")[0]
        about = json.loads(path.with_name(f"{name}.json").read_text(encoding="utf-8"))
        with path.open(encoding="utf-8", newline="") as file:
            records = list(csv.reader(file))[1:]
        X = np.array([record[:-1] for record in records], np.float64)
        y = np.array([record[-1] for record in records])
        y = y if about["task"] == "classification" else y.astype(np.float64)
        for config in about["configs"]:
            wanted = {key: config[key] for key in ("optimizer", "batch_size", "train_steps")}
            yield Job(dataset=name, X=X, y=y, config=_settings(about["task"], tuple(config["hidden"]), **wanted))
        for _ in range(N_RANDOM):
            keep = np.sort(rng.permutation(len(y))[: max(80, int(len(y) * rng.choice(PARTS)))])
            yield Job(dataset=name, X=X[keep], y=y[keep], config=_random(about["task"], rng))


def _settings(task: str, hidden: tuple[int, ...], **more: Any) -> dict[str, Any]:
    return {"task": task, "model": "mlp" if hidden else "linear", "hidden": hidden or (64,), **more}


def _random(task: str, rng: np.random.Generator) -> dict[str, Any]:
    return _settings(
        task,
        HIDDEN[rng.integers(len(HIDDEN))],
        optimizer=str(rng.choice(list(OPTIMIZERS))),
        batch_size=int(rng.choice(BATCHES)),
        train_steps=int(rng.choice(STEPS)),
    )


def _generated(rng: np.random.Generator) -> Iterator[Job]:
    for number in range(N_GENERATED):
        n_rows = int(np.exp(rng.uniform(np.log(80), np.log(4000))))
        n_inputs = int(np.exp(rng.uniform(np.log(2), np.log(100))))
        task = ("classification", "regression")[int(rng.integers(2))]
        make = _classes if task == "classification" else _numbers
        X, y = make(n_rows, n_inputs, seed=int(rng.integers(2**31)), rng=rng)
        X = (X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1)
        yield Job(dataset=f"generated-{number:03d}", X=X, y=y, config=_random(task, rng))


def _classes(n_rows: int, n_inputs: int, *, seed: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    if n_inputs <= 3:
        X, y = datasets.make_moons(n_rows, noise=float(rng.uniform(0.05, 0.6)), random_state=seed)
        return X, np.char.add("c", y.astype(str))
    n_informative = max(2, int(n_inputs * rng.uniform(0.2, 1)))
    n_classes = int(rng.integers(2, min(10, 2 ** (n_informative - 1)) + 1))
    X, y = datasets.make_classification(
        n_rows,
        n_inputs,
        n_informative=n_informative,
        n_redundant=0,
        n_classes=n_classes,
        n_clusters_per_class=1 if n_classes > 2 else int(rng.integers(1, 3)) if n_informative > 2 else 1,
        weights=None if rng.random() < 0.6 else list(rng.dirichlet(np.full(n_classes, 3.0))),
        flip_y=float(rng.choice([0.0, 0.02, 0.1, 0.3])),
        class_sep=float(rng.uniform(0.4, 2.0)),
        random_state=seed,
    )
    return X, np.char.add("c", y.astype(str))


def _numbers(n_rows: int, n_inputs: int, *, seed: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    noise = float(rng.choice([0.0, 0.1, 0.3, 1.0]))
    if rng.random() < 0.5:
        X, y = datasets.make_friedman1(n_rows, max(5, n_inputs), random_state=seed)
    else:
        n_informative = max(1, int(n_inputs * rng.uniform(0.1, 1)))
        X, y = datasets.make_regression(n_rows, n_inputs, n_informative=n_informative, random_state=seed)
    return X, y / y.std() + noise * rng.standard_normal(n_rows)


def run(job: Job) -> Row | None:
    """Return what one race showed, or None where there was nothing to learn."""
    try:
        report = find_lr(job.X, job.y, race="quick", learn=False, forget=job.dataset, **job.config)
    except LrfindError as error:
        print(f"{job.dataset}: {error}", file=sys.stderr)
        return None
    row = row_of_run(to_dict(report))
    return None if row is None else replace(row, dataset=job.dataset)


def main() -> int:
    """Run all races, or a part of them, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--part", default="0/1", help="i/n: every n-th race from the i-th, to share the work")
    parser.add_argument("--out", type=Path, default=Path("lrfind/experience") / TABLE)
    parser.add_argument("--merge", type=Path, nargs="+", help="only join these tables")
    args = parser.parse_args()
    rows: list[Row] = []
    if args.merge:
        rows = [row for path in args.merge for row in rows_from_csv(path.read_text(encoding="utf-8"))]
    else:
        part, n_parts = map(int, args.part.split("/"))
        todo, begin = list(jobs(args.tables))[part::n_parts], time.perf_counter()
        for number, job in enumerate(todo, start=1):
            row = run(job)
            rows += [] if row is None else [row]
            print(f"{number}/{len(todo)} {job.dataset} {time.perf_counter() - begin:.0f} s", flush=True)
            args.out.write_text(rows_to_csv(rows), encoding="utf-8")
    rows.sort(key=lambda row: (row.dataset, row.situation.optimizer, row.situation.n_rows, row.situation.reading))
    args.out.write_text(rows_to_csv(rows), encoding="utf-8")
    print(f"{len(rows)} races in {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
