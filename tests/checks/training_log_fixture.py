"""Training logs made up for the tests of LR201 to LR214: a falling loss, and what can go wrong with it."""

from __future__ import annotations

import numpy as np

from lrfind.checks.finding import Finding
from lrfind.checks.training_log import check_training_log, read_signals
from lrfind.logs import Optimizer, Repair, TrainingLog

N = 400
SHARE = np.linspace(0, 1, N)
COSINE = (1 + np.cos(np.pi * SHARE)) / 2


def falling(
    n: int = N, *, constants: float = 30.0, floor: float = 0.2, noise: float = 0.03, seed: int = 0
) -> np.ndarray:
    """Return a loss that falls from 2.3 to a floor within 1/`constants` of the run, its noise a share of its level."""
    rng = np.random.default_rng(seed)
    loss = floor + (2.3 - floor) * np.exp(-constants * np.linspace(0, 1, n))
    return loss * (1 + noise * rng.normal(size=n))


def make_log(
    loss: np.ndarray, *, lr: np.ndarray | float | None = None, val_loss: np.ndarray | None = None,
    grad_norm: np.ndarray | None = None, repairs: tuple[Repair, ...] = (), optimizer: Optimizer | None = None,
) -> TrainingLog:  # fmt: skip
    """Return a log with a point a step, from step 1."""
    step = np.arange(1.0, len(loss) + 1)
    rates = np.full(len(loss), lr) if isinstance(lr, float) else lr
    return TrainingLog(
        name="run.csv", path="run.csv", format="csv", columns=(("loss", "loss"),), step=step, step_unit="step",
        epoch=None, loss=np.array(loss, dtype=float), val_loss=val_loss, lr=rates, grad_norm=grad_norm,
        nonfinite_steps=step[~np.isfinite(loss)], n_rows=len(loss), repairs=repairs, optimizer=optimizer,
    )  # fmt: skip


def finding(code: str, loss: np.ndarray, **columns: object) -> Finding:
    """Return what one check makes of a log."""
    log = make_log(loss, **columns)  # type: ignore[arg-type]
    return next(f for f in check_training_log(log, signals=read_signals(log)) if f.code == code)


def codes_found(loss: np.ndarray, **columns: object) -> set[str]:
    """Return the codes found in a log."""
    log = make_log(loss, **columns)  # type: ignore[arg-type]
    return {f.code for f in check_training_log(log, signals=read_signals(log)) if f.state == "found"}
