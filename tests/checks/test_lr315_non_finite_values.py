"""LR315: infinite values, columns mostly missing, or gaps that come in bursts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dataset_fixture import dataset_of, finding_of, good_columns


def test_it_fires_on_infinite_values(tmp_path: Path) -> None:
    columns = good_columns() | {"c": ["inf", "-inf", *good_columns()["c"][2:]]}
    finding = finding_of("LR315", dataset_of(columns, tmp_path))
    assert finding.state == "found"
    assert finding.evidence["n_infinite"] == 2
    assert "'c'" in finding.message


def test_it_fires_on_a_column_that_is_mostly_missing(tmp_path: Path) -> None:
    sparse = np.where(np.arange(240) % 9 == 0, good_columns()["c"], np.nan)
    finding = finding_of("LR315", dataset_of({"sparse": sparse, **good_columns()}, tmp_path))
    assert finding.evidence["n_mostly_missing"] == 1
    assert "'sparse'" in finding.message


def test_it_fires_on_a_burst_and_not_on_the_same_gaps_scattered(tmp_path: Path) -> None:
    columns = good_columns()
    columns["a"][100:140] = np.nan
    finding = finding_of("LR315", dataset_of(columns, tmp_path))
    assert finding.evidence["longest_burst"] == 40
    columns["a"] = np.random.default_rng(0).permutation(columns["a"])
    assert finding_of("LR315", dataset_of(columns, tmp_path)).state == "passed"


def test_it_stays_quiet_on_a_whole_table(tmp_path: Path) -> None:
    assert finding_of("LR315", dataset_of(good_columns(), tmp_path)).state == "passed"
