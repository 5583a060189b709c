"""LR305: a column names the rows instead of describing them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dataset_fixture import dataset_of, finding_of, good_columns


def test_it_fires_on_texts_that_are_all_different(tmp_path: Path) -> None:
    columns = {"user_id": [f"u{i:05x}" for i in range(240)], **good_columns()}
    finding = finding_of("LR305", dataset_of(columns, tmp_path))
    assert finding.state == "found"
    assert "'user_id'" in finding.message


def test_it_fires_on_numbers_that_count_the_rows_in_any_order(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(240) + 1000
    assert finding_of("LR305", dataset_of({"ticket": order, **good_columns()}, tmp_path)).state == "found"


def test_it_stays_quiet_on_measurements_that_never_repeat(tmp_path: Path) -> None:
    assert finding_of("LR305", dataset_of(good_columns(), tmp_path)).state == "passed"


def test_it_stays_quiet_on_whole_numbers_with_gaps(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).choice(5000, size=240, replace=False)
    assert finding_of("LR305", dataset_of({"price": numbers, **good_columns()}, tmp_path)).state == "passed"
