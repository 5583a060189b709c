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


def test_it_does_not_apply_without_many_different_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"a": rng.integers(0, 4, 240), "y": rng.choice(["p", "n"], 240)}
    assert finding_of("LR311", dataset_of(columns, tmp_path)).state == "not_applicable"
