"""LR314: training is unstable at the rate the range test speaks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dataset_fixture import dataset_of, falling_sweep, finding_of, good_columns, learned

from lrfind.checks.dataset.learn import SHARES
from lrfind.sweep import Sweep

FLAT = np.full(60, 0.7)


def trained(tmp_path: Path, *, n_lost: int, sweep: Sweep | None = None):
    at_rate = np.full((4 * len(SHARES), 60), 0.1)
    at_rate[: n_lost * len(SHARES)] = np.nan
    dataset = dataset_of(good_columns(), tmp_path)
    return learned(dataset, losses=np.full((2, 60), 0.1), baseline=FLAT, at_rate=at_rate, sweep=sweep)


def test_it_fires_when_a_seed_diverges(tmp_path: Path) -> None:
    finding = finding_of("LR314", trained(tmp_path, n_lost=1))
    assert finding.state == "found"
    assert "1 of 4 seeds diverge" in finding.message
    assert finding.evidence["lr_suggested"] > 0


def test_it_fires_when_the_window_is_narrow(tmp_path: Path) -> None:
    finding = finding_of("LR314", trained(tmp_path, n_lost=0, sweep=falling_sweep(valley=0.6)))
    assert finding.state == "found"
    assert "decades wide" in finding.message


def test_it_stays_quiet_when_all_seeds_train(tmp_path: Path) -> None:
    assert finding_of("LR314", trained(tmp_path, n_lost=0)).state == "passed"


def test_it_does_not_apply_without_a_rate(tmp_path: Path) -> None:
    lrs = np.geomspace(1e-6, 10, 200)
    flat = Sweep(lrs=lrs, losses=np.random.default_rng(0).normal(0.7, 0.1, (4, 200)), grad_norms=None)
    dataset = learned(dataset_of(good_columns(), tmp_path), losses=np.full((2, 60), 0.7), baseline=FLAT, sweep=flat)
    assert finding_of("LR314", dataset).state == "not_applicable"
    assert finding_of("LR314", dataset_of(good_columns(), tmp_path)).state == "not_applicable"
