"""LR304: a column repeats another."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_fixture import dataset_of, finding_of, good_columns


@pytest.mark.parametrize("repeat", [lambda a: a, lambda a: 1.8 * a + 32, lambda a: -a])
def test_it_fires_on_the_same_values_in_any_units(tmp_path: Path, repeat) -> None:
    columns = good_columns()
    finding = finding_of("LR304", dataset_of({"again": repeat(columns["a"]), **columns}, tmp_path))
    assert finding.state == "found"
    assert "'a' repeats 'again'" in finding.message


def test_it_stays_quiet_on_columns_that_are_alike(tmp_path: Path) -> None:
    columns = good_columns()
    swapped = columns["a"].copy()
    swapped[:2] = swapped[1::-1]
    assert finding_of("LR304", dataset_of({"near": swapped, **columns}, tmp_path)).state == "passed"


def test_a_target_that_is_repeated_is_no_duplicate_column(tmp_path: Path) -> None:
    columns = good_columns()
    assert finding_of("LR304", dataset_of({"leak": columns["y"], **columns}, tmp_path)).state == "passed"
