"""LR313: the order of the rows matters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, examined, finding_of, good_columns, learned, state_of


def with_difference(tmp_path: Path, difference: float, columns=None):
    n_rows = 100
    random = np.full((2, n_rows), 0.3) + np.tile([-0.1, 0.1], n_rows // 2)
    ordered = random + difference + np.repeat([-0.01, 0.01], n_rows // 2)
    dataset = dataset_of(columns or good_columns(), tmp_path)
    return learned(dataset, losses=random, baseline=np.full(n_rows, 0.7), in_order=ordered)


def test_it_fires_when_the_last_rows_are_predicted_worse_from_the_first(tmp_path: Path) -> None:
    finding = finding_of("LR313", with_difference(tmp_path, 0.2))
    assert (finding.state, finding.severity) == ("found", "warning")
    assert finding.evidence["worse"] == pytest.approx(0.2)


def test_rows_sorted_by_the_target_are_called_so(tmp_path: Path) -> None:
    columns = good_columns()
    order = np.argsort(columns["y"], kind="stable")
    dataset = with_difference(tmp_path, 0.2, {name: values[order] for name, values in columns.items()})
    assert "sorted by the target" in finding_of("LR313", dataset).message


@pytest.mark.parametrize("difference", [0.0, -0.2, 0.03])
def test_it_stays_quiet_on_differences_that_do_not_matter(tmp_path: Path, difference: float) -> None:
    assert finding_of("LR313", with_difference(tmp_path, difference)).state == "passed"


def test_it_does_not_apply_where_the_split_is_in_order_already(tmp_path: Path) -> None:
    columns = {"when": np.arange(240), **good_columns()}
    dataset = dataset_of(columns, tmp_path, split="time:when")
    assert finding_of("LR313", dataset).state == "not_applicable"


@pytest.mark.slow
def test_a_drift_in_time_is_seen_and_its_shuffle_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    when = np.arange(600)
    x = rng.normal(size=600).round(3)
    columns = {"x": x, "y": (x + when / 150 + 0.3 * rng.normal(size=600)).round(3)}
    assert state_of("LR313", examined(columns, tmp_path)) == "found"
    order = rng.permutation(600)
    shuffled = {name: values[order] for name, values in columns.items()}
    assert state_of("LR313", examined(shuffled, tmp_path)) == "passed"
