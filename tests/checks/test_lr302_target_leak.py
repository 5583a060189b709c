"""LR302: one column alone gives the target away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, finding_of, good_columns

from lrfind.checks.dataset.leak import lone_skill


def regression(n_rows: int = 200, *, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n_rows)).round(4)
    return {"a": a, "b": b, "y": (a + rng.normal(size=n_rows)).round(4)}


def test_a_copy_in_other_units_is_an_error(tmp_path: Path) -> None:
    columns = regression()
    finding = finding_of("LR302", dataset_of({"settled": 2 * columns["y"] + 1, **columns}, tmp_path))
    assert (finding.state, finding.severity) == ("found", "error")
    assert "'settled'" in finding.message
    assert finding.evidence["best_skill"] == 1


@pytest.mark.parametrize("name", ["after", "Y2"])
def test_a_class_under_another_name_is_an_error(tmp_path: Path, name: str) -> None:
    columns = good_columns()
    finding = finding_of("LR302", dataset_of({name: [f"s-{label}" for label in columns["y"]], **columns}, tmp_path))
    assert (finding.state, finding.severity) == ("found", "error")
    assert f"'{name}'" in finding.message


def test_a_column_that_is_nearly_the_target_is_a_warning(tmp_path: Path) -> None:
    columns = regression()
    near = columns["y"] + 0.05 * np.random.default_rng(1).normal(size=200)
    finding = finding_of("LR302", dataset_of({"near": near, **columns}, tmp_path))
    assert (finding.state, finding.severity) == ("found", "warning")


def test_it_stays_quiet_on_honest_columns(tmp_path: Path) -> None:
    assert finding_of("LR302", dataset_of(regression(), tmp_path)).state == "passed"
    assert finding_of("LR302", dataset_of(good_columns(), tmp_path)).state == "passed"


def test_a_column_of_texts_that_never_repeat_tells_nothing(tmp_path: Path) -> None:
    columns = {"word": [f"w{i} and more words {i}" for i in range(240)], **good_columns()}
    dataset = dataset_of(columns, tmp_path)
    assert lone_skill(dataset, "word").skill <= 0


def test_the_skill_of_a_threshold_is_that_of_its_neighbours(tmp_path: Path) -> None:
    # in order of x, only the two rows beside the border have neighbours on both sides
    columns = {"x": np.arange(100) * 1.5, "y": np.where(np.arange(100) < 50, "l", "h")}
    assert lone_skill(dataset_of(columns, tmp_path), "x").skill == pytest.approx(1.0, abs=0.05)


def test_it_does_not_apply_to_a_handful_of_rows(tmp_path: Path) -> None:
    assert finding_of("LR302", dataset_of(good_columns(12), tmp_path)).state == "not_applicable"
