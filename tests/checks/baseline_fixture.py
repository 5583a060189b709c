"""Datasets and baselines for the tests of LR321 to LR324."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from dataset_fixture import dataset_of, good_columns, learned

from lrfind.checks.baseline import BASELINE_CHECKS, Baseline, baseline_of
from lrfind.checks.dataset import Dataset
from lrfind.checks.finding import Finding
from lrfind.checks.trained import Trained


def trained_dataset(folder: Path, columns: dict[str, object] | None = None, *, loss: float = 0.3) -> Dataset:
    """Return a dataset whose best model has the loss given, with a standard error of about 0.01."""
    dataset = dataset_of(columns or good_columns(), folder)
    losses = np.full((2, 100), loss) + np.tile([-0.1, 0.1], 50)
    return learned(dataset, losses=losses, baseline=np.full(100, 0.69))


def against(code: str, dataset: Dataset, baseline: Baseline) -> Finding:
    """Return what one check against a baseline says."""
    return next(look(check, dataset, old=baseline) for check, look in BASELINE_CHECKS if check.code == code)


def with_trained(dataset: Dataset, **changed: float | None) -> Baseline:
    """Return a dataset's own baseline with other figures of training."""
    baseline = baseline_of(dataset)
    assert baseline.trained is not None
    fields = {name: getattr(baseline.trained, name) for name in Trained.__slots__}
    return replace(baseline, trained=Trained(**(fields | changed)))
