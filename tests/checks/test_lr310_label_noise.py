"""LR310: labels contradict what the other rows say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, examined, finding_of, good_columns, learned, state_of

from lrfind.checks.dataset.signal import contradictions


def with_probabilities(tmp_path: Path, probabilities: np.ndarray):
    losses = -np.log(np.stack([probabilities, (probabilities + 0.5) / 2]))
    return learned(dataset_of(balanced(), tmp_path), losses=losses, baseline=np.full(len(probabilities), np.log(2)))


def balanced() -> dict[str, np.ndarray]:
    return good_columns() | {"y": np.tile(["no", "yes"], 120)}


def test_it_fires_on_rows_doubted_without_doubt_around_them(tmp_path: Path) -> None:
    finding = finding_of("LR310", with_probabilities(tmp_path, np.r_[np.full(20, 0.1), np.full(220, 0.95)]))
    assert (finding.state, finding.severity) == ("found", "warning")
    assert finding.evidence["n_doubted"] == 20


def test_it_stays_quiet_where_classes_overlap(tmp_path: Path) -> None:
    probabilities = np.r_[np.full(20, 0.1), np.full(60, 0.4), np.full(160, 0.9)]
    assert finding_of("LR310", with_probabilities(tmp_path, probabilities)).state == "passed"


def test_it_stays_quiet_on_a_few_rows(tmp_path: Path) -> None:
    probabilities = np.r_[np.full(11, 0.01), np.full(229, 0.99)]
    assert finding_of("LR310", with_probabilities(tmp_path, probabilities)).state == "passed"


def test_rows_with_the_same_features_and_other_labels_are_counted(tmp_path: Path) -> None:
    columns = balanced()
    for name in "abc":
        columns[name][1] = columns[name][0]
    assert contradictions(dataset_of(columns, tmp_path)) == 2


def test_it_does_not_apply_to_numbers_or_without_training(tmp_path: Path) -> None:
    numbers = good_columns() | {"y": np.random.default_rng(0).normal(size=240)}
    assert finding_of("LR310", dataset_of(numbers, tmp_path)).state == "not_applicable"
    assert finding_of("LR310", dataset_of(balanced(), tmp_path)).state == "not_applicable"


@pytest.mark.slow
def test_a_tenth_of_the_labels_turned_is_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 400)).round(3)
    clear = np.abs(a + b) > 0.4
    columns = {"a": a[clear], "b": b[clear], "y": np.where(a + b > 0, "p", "n")[clear]}
    assert state_of("LR310", examined(columns, tmp_path)) == "passed"
    turned = np.where(rng.random(clear.sum()) < 0.1, np.where(columns["y"] == "p", "n", "p"), columns["y"])
    assert state_of("LR310", examined(columns | {"y": turned}, tmp_path)) == "found"
