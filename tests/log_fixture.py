"""Small training logs whose faults are known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np


def write_log(path: Path, loss: np.ndarray, *, lr: float = 0.01) -> Path:
    rows = [f"{step},{value:.6g},{lr}" for step, value in enumerate(loss, start=1)]
    path.write_text("\n".join(["step,loss,lr", *rows]) + "\n")
    return path


def healthy(n: int = 300, *, floor: float = 0.2) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=n)
    return (floor + 2 * np.exp(-30 * np.linspace(0, 1, n))) * (1 + 0.01 * noise)


def broken(n: int = 300) -> np.ndarray:
    loss = healthy(n)
    loss[n // 2 :] = np.nan
    return loss


def run(*arguments: object, width: int = 100, **options: object) -> subprocess.CompletedProcess[str]:
    """Run `lrfind diagnose` as a script would."""
    command = [sys.executable, "-m", "lrfind", "diagnose", *map(str, arguments)]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": str(width)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **options)
