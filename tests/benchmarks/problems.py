"""Problems to measure advice on, in a folder that is not part of this repository.

``NAME.train.csv`` holds the rows that may be learned from, ``NAME.test.npz`` (X, y) those that judge, and
``NAME.json`` the task, the loss of a constant predictor ("baseline") and "configs": model, optimizer, batch size and
number of steps, each with the best test loss that a grid of rates and schedules reached ("best").
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# Below this share of the baseline there is nothing to gain, and regret divides by almost nothing.
LEARNABLE_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One table with one way to train on it.

    Attributes
    ----------
    folder : Path
    name : str
    task : str
    hidden : tuple of int
    optimizer : str
    batch_size, train_steps : int
    baseline, best : float
        Test losses of a constant predictor and of the best training found.
    """

    folder: Path
    name: str
    task: str
    hidden: tuple[int, ...]
    optimizer: str
    batch_size: int
    train_steps: int
    baseline: float
    best: float

    @property
    def csv(self) -> Path:
        """The rows that may be learned from."""
        return self.folder / f"{self.name}.train.csv"

    @property
    def is_learnable(self) -> bool:
        """Whether training can gain anything."""
        return (self.baseline - self.best) / self.baseline > LEARNABLE_SHARE

    @property
    def options(self) -> dict[str, Any]:
        """How `lrfind.find_lr` is asked about it."""
        return {
            "target": "y",
            "task": self.task,
            "model": "mlp" if self.hidden else "linear",
            "hidden": self.hidden,
            "optimizer": self.optimizer,
            "batch_size": self.batch_size,
            "train_steps": self.train_steps,
        }

    def arrays(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
        """Return X (n_rows, n_features) and y (n_rows,) of the training rows; classes are written c0, c1, ..."""
        with self.csv.open(encoding="utf-8", newline="") as lines:
            _, *rows = csv.reader(lines)
        X = np.array([row[:-1] for row in rows], np.float32)
        if self.task == "classification":
            return X, np.array([int(row[-1][1:]) for row in rows])
        return X, np.array([row[-1] for row in rows], np.float32)

    def test_arrays(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
        """Return X and y of the rows that judge."""
        with np.load(self.folder / f"{self.name}.test.npz", allow_pickle=False) as test:
            return test["X"], test["y"]

    def regret(self, loss: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the share of the possible gain that test losses give up, 0 to 1."""
        return np.clip((np.asarray(loss, np.float64) - self.best) / (self.baseline - self.best), 0, 1)


def read_cases(folder: Path, *, every: int = 1, learnable_only: bool = False) -> list[Case]:
    """Return the cases of a folder, or every k-th of them.

    Parameters
    ----------
    folder : Path
    every : int
    learnable_only : bool
        Leave out, before counting, those where nothing can be gained.

    Returns
    -------
    list of Case
        In order of name and configuration.
    """
    cases = [
        Case(
            folder=folder,
            name=path.stem,
            task=about["task"],
            hidden=tuple(config["hidden"]),
            baseline=about["baseline"],
            **{key: config[key] for key in ("optimizer", "batch_size", "train_steps", "best")},
        )
        for path in sorted(folder.glob("*.json"))
        for about in [json.loads(path.read_text(encoding="utf-8"))]
        for config in about["configs"]
    ]
    return [case for case in cases if case.is_learnable or not learnable_only][::every]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; the first column to the left, numbers to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def summary(regrets: npt.ArrayLike) -> list[str]:
    """Return mean, median, 90th percentile and worst as text."""
    numbers = np.asarray(regrets, np.float64)
    figures = [numbers.mean(), np.median(numbers), np.quantile(numbers, 0.9), numbers.max()]
    return [f"{figure:.4f}" for figure in figures]
