"""LR311: heavy tails, or scales far apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, finding_of, good_columns


def test_it_fires_on_one_absurd_value(tmp_path: Path) -> None:
    columns = good_columns()
    columns["a"][5] = 1e12
    finding = finding_of("LR311", dataset_of(columns, tmp_path))
    assert finding.state == "found"
    assert "'a'" in finding.message
    assert finding.evidence["largest_tail_share"] == 1


def test_it_fires_on_a_scale_far_from_the_others(tmp_path: Path) -> None:
    columns = good_columns()
    columns["a"] = columns["a"] * 1e7
    finding = finding_of("LR311", dataset_of(columns, tmp_path))
    assert (finding.state, finding.severity) == ("found", "warning")
    assert finding.evidence["n_unscaled"] == 1
    # three standard normal columns, and one of them scaled
    assert finding.evidence["scale_ratio"] == pytest.approx(1e7, rel=0.2)


def test_a_scale_that_money_has_by_nature_is_a_tip(tmp_path: Path) -> None:
    columns = good_columns()
    columns["a"] = columns["a"] * 1e5
    finding = finding_of("LR311", dataset_of(columns, tmp_path))
    assert (finding.state, finding.severity) == ("found", "tip")


def test_yes_and_no_count_as_numbers_beside_which_scales_are_judged(tmp_path: Path) -> None:
    flags = {f"flag_{i}": np.random.default_rng(i).integers(0, 2, 240) for i in range(3)}
    columns = {"big": good_columns()["a"] * 1e7, **flags, "y": good_columns()["y"]}
    assert "'big'" in finding_of("LR311", dataset_of(columns, tmp_path)).message


def test_it_stays_quiet_on_normal_and_lognormal_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"income": np.exp(rng.normal(size=240) + 7).round(2), **good_columns()}
    assert finding_of("LR311", dataset_of(columns, tmp_path)).state == "passed"


@pytest.mark.parametrize("n_others", [1, 2, 3])
def test_of_few_columns_one_is_still_told_from_the_others(tmp_path: Path, n_others: int) -> None:
    rng = np.random.default_rng(0)
    columns = {"big": rng.normal(size=240) * 1e8}
    columns |= {name: rng.normal(size=240) for name in "abc"[:n_others]} | {"y": good_columns()["y"]}
    finding = finding_of("LR311", dataset_of(columns, tmp_path))
    # of two columns either may be the odd one
    assert finding.evidence["n_unscaled"] == (2 if n_others == 1 else 1)
    assert "'big'" in finding.message


def test_few_different_values_have_a_scale_too(tmp_path: Path) -> None:
    pixels = {f"pixel_{i}": np.random.default_rng(i).integers(0, 16, 240) for i in range(4)}
    columns = pixels | {"pixel_0": pixels["pixel_0"] * 1e7, "y": good_columns()["y"]}
    assert "'pixel_0'" in finding_of("LR311", dataset_of(columns, tmp_path)).message


def test_it_does_not_apply_without_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"a": rng.choice(["r", "g", "b"], 240), "y": rng.choice(["p", "n"], 240)}
    assert finding_of("LR311", dataset_of(columns, tmp_path)).state == "not_applicable"


def test_a_column_alone_has_no_others_to_be_far_from(tmp_path: Path) -> None:
    y = good_columns()["y"]
    big = good_columns()["a"] * 1e8
    town = np.random.default_rng(0).choice(["r", "g", "b"], 240)
    assert finding_of("LR311", dataset_of({"big": big, "town": town, "y": y}, tmp_path)).state == "passed"
    # an id that is left out and a column that never varies are none either
    left_out = {"row": np.arange(240), "fixed": [1] * 240}
    assert finding_of("LR311", dataset_of({"big": big, **left_out, "y": y}, tmp_path)).state == "passed"


def test_where_all_are_far_apart_it_is_from_one_another(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"big": rng.normal(size=240) * 1e8, "small": rng.normal(size=240), "y": good_columns()["y"]}
    message = finding_of("LR311", dataset_of(columns, tmp_path)).message
    assert "'big', 'small' are a factor of 1e+08 apart from one another" in message
    assert "others" not in message
