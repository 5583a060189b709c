"""Logs of the runs of `training_pool.py`, as various loops write them: `read_pool(folder)`, `log_of(base, run)`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faulty_shapes
import numpy as np

from lrfind.logs import Optimizer, TrainingLog

# Steps a logged point stands for; 0 an epoch.
EVERY = (1, 1, 1, 2, 5, 10, 10, 20, 50, 0, 0, 0)
# What the pool's optimizers are to a log, where that is not their name.
OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": "plain sgd", "heavy_momentum": "momentum", "adamw": "adam", "quick_adam": "adam", "slow_adam": "adam",
    "rmsprop_momentum": "rmsprop",
}  # fmt: skip
# Share of the logs that name SGD and do not tell of its momentum.
UNTOLD = 0.5
# Fewer points than these are no log to judge, and are written finer.
FEWEST = 10


@dataclass(frozen=True, kw_only=True)
class PooledBase:
    """The runs of one base, and what each cost on the training and on the held-out part.

    `warm_regret` is what the twin of each cost on the training part, which differs in a warm-up alone; empty where
    there are none.
    """

    name: str
    about: dict[str, Any]
    arrays: dict[str, np.ndarray]
    regret: np.ndarray
    val_regret: np.ndarray
    warm_regret: np.ndarray
    gain: float
    is_inside: bool

    @property
    def optimizer(self) -> Optimizer:
        """What a log calls its optimizer."""
        name = self.about["optimizer"]
        return OPTIMIZERS.get(name, name)

    @property
    def seed(self) -> list[int]:
        """The seed and the number of the base."""
        return [int(part) for part in self.name.split("-")]

    def __len__(self) -> int:
        return len(self.arrays["lr"])


def read_pool(folder: Path) -> Iterator[PooledBase]:
    """Yield each base; `is_inside` where its best rate is not at the edge of its grid, `gain` what it learns."""
    for path in sorted(folder.glob("*.npz")):
        arrays = dict(np.load(path))
        about = json.loads(str(arrays.pop("about")))
        n_grid, baseline = about["n_grid"], about["baseline"]
        parts = [arrays["final_train"].astype(float), arrays["final_val"].astype(float)]
        total = np.where(np.isfinite(sum(parts)), sum(parts), np.inf)
        best = int(np.argmin(total[:n_grid]))
        warm = np.array(about.get("warm", []), dtype=float)
        train, val = (part[best] for part in parts)
        yield PooledBase(
            name=path.stem, about=about, arrays=arrays, regret=regret_of(parts[0], best=train, baseline=baseline),
            val_regret=regret_of(parts[1], best=val, baseline=baseline),
            warm_regret=regret_of(warm, best=train, baseline=baseline),
            gain=1 - float(total[best]) / (2 * baseline), is_inside=0 < best < n_grid - 1,
        )  # fmt: skip


def regret_of(reached: np.ndarray, *, best: float, baseline: float) -> np.ndarray:
    """Return the share of what could be learned that each run missed; infinity where it is not finite."""
    with np.errstate(all="ignore"):
        regret = (reached - best) / max(baseline - best, 1e-9)
    return np.where(np.isfinite(regret), regret, np.inf)


def log_of(base: PooledBase, run: int, *, seed: int = 0, with_lr: bool = True) -> TrainingLog:
    """Return the log of a run, its interval, means, scale and digits drawn at random."""
    rng = np.random.default_rng([*base.seed, run, seed])
    a = base.arrays
    n_steps, length = a["loss"].shape[1], int(a["length"][run])
    kind = int(rng.choice(EVERY))
    every = kind or int(a["steps_per_epoch"][run])
    if n_steps // every < FEWEST:
        every = max(n_steps // int(rng.integers(15, 40)), 1) if rng.random() < 0.5 else 1
    if length < every:
        every = 1
    n = length // every * every
    with np.errstate(all="ignore"):
        pieces = a["loss"][run][:n].reshape(-1, every)
        loss = pieces.mean(1) if rng.random() < 0.7 else pieces[:, -1]
        scale = 10 ** rng.uniform(-2, 2) if rng.random() < 0.3 else 1.0
        digits = int(rng.choice([4, 6, 8]))
        loss = np.array([float(f"{value:.{digits}g}") for value in loss * scale])
    shape = getattr(faulty_shapes, str(a["schedule"][run]))
    lr = np.array([a["lr"][run] * shape(k / n_steps) for k in range(n)])[every - 1 :: every]
    by_epoch = kind == 0 and rng.random() < 0.5
    step = np.arange(1.0, len(loss) + 1) * (1 if by_epoch else every)
    val = np.full(len(loss), np.nan)
    val_every = int(a["val_every"])
    for k, value in enumerate(a["val_loss"][run].tolist()):
        if (k + 1) * val_every <= n:
            val[((k + 1) * val_every - 1) // every] = value * scale
    is_untold = base.optimizer in ("plain sgd", "momentum") and rng.random() < UNTOLD
    return TrainingLog(
        name=base.name, path=base.name, format="csv", columns=(("loss", "loss"),), step=step,
        step_unit="epoch" if by_epoch else "step", epoch=None, loss=loss, val_loss=val, lr=lr if with_lr else None,
        grad_norm=a["grad_norm"][run][:n].astype(float)[every - 1 :: every],
        optimizer="sgd" if is_untold else base.optimizer, nonfinite_steps=step[~np.isfinite(loss)], n_rows=len(loss),
    )  # fmt: skip
