"""LR304: a column repeats another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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


def _state(tmp_path: Path, **columns: object) -> str:
    return finding_of("LR304", dataset_of({**columns, **good_columns()}, tmp_path)).state


RNG = np.random.default_rng(3)
RISING = np.cumsum(RNG.integers(20, 60, 240))


@pytest.mark.parametrize(
    "other",
    [
        np.cumsum(RNG.integers(1, 40, 240)),
        RISING**2,
        np.log(RISING).round(6),
        RISING * 1.609 + RNG.uniform(-3, 3, size=240).round(2),
        [f"{day:05d}" for day in RISING],
    ],
)
def test_rising_together_is_not_equal(tmp_path: Path, other) -> None:
    assert _state(tmp_path, odometer=RISING, trip_km=other) == "passed"
    assert _state(tmp_path, odometer=RISING[::-1], trip_km=other) == "passed"


@pytest.mark.parametrize("repeat", [lambda x: (x / 1.609344).round(3), lambda x: 3 * x, lambda x: 2e9 - x])
def test_units_may_be_rounded_to_the_last_digit(tmp_path: Path, repeat) -> None:
    assert _state(tmp_path, km=RISING, miles=repeat(RISING)) == "found"


def test_levels_numbered_otherwise_are_not_the_same_values(tmp_path: Path) -> None:
    levels = RNG.integers(0, 3, 240)
    assert _state(tmp_path, a3=levels, b3=np.array([1, 2, 4])[levels]) == "passed"
    assert _state(tmp_path, a3=levels, b3=np.array([10, 20, 30])[levels]) == "found"


def test_texts_repeat_only_the_same_texts(tmp_path: Path) -> None:
    place = RNG.integers(0, 4, 240)
    towns, codes = np.array(["Bonn", "Kiel", "Mainz", "Ulm"])[place], np.array(["B", "K", "M", "U"])[place]
    assert _state(tmp_path, town=towns, code=codes) == "passed"
    assert _state(tmp_path, town=towns, city=towns) == "found"


def test_gaps_count_as_values(tmp_path: Path) -> None:
    values = [None if i % 7 == 0 else float(RISING[i]) for i in range(240)]
    assert _state(tmp_path, km=values, again=values) == "found"
    assert _state(tmp_path, km=values, again=[None, *values[1:-1], 0.5]) == "passed"
