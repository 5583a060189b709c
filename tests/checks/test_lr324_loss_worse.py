"""LR324: the loss on rows held out is worse than noise allows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from baseline_fixture import against, trained_dataset, with_trained
from dataset_fixture import dataset_of, good_columns

from lrfind.checks.baseline import baseline_of


@pytest.mark.parametrize(("loss", "state"), [(0.1, "passed"), (0.3, "passed"), (0.33, "passed"), (0.36, "found")])
def test_the_border_is_three_standard_errors_of_both(tmp_path: Path, loss: float, state: str) -> None:
    # each error is 0.01, together 0.014
    baseline = baseline_of(trained_dataset(tmp_path, loss=0.3))
    finding = against("LR324", trained_dataset(tmp_path, loss=loss), baseline)
    assert finding.state == state
    assert finding.evidence["worse"] == pytest.approx(loss - 0.3)


def test_a_precise_loss_may_still_be_a_little_worse(tmp_path: Path) -> None:
    dataset = trained_dataset(tmp_path)
    finding = against("LR324", dataset, with_trained(dataset, loss=0.3 - 0.013, loss_error=0.0))
    assert finding.evidence["worse_allowed"] >= 0.02 * 0.69


def test_it_does_not_apply_without_both_losses_or_for_another_task(tmp_path: Path) -> None:
    dataset, untrained = trained_dataset(tmp_path), dataset_of(good_columns(), tmp_path)
    assert against("LR324", untrained, baseline_of(dataset)).state == "not_applicable"
    assert against("LR324", dataset, baseline_of(untrained)).state == "not_applicable"
    numbers = good_columns() | {"y": np.random.default_rng(0).normal(size=240)}
    assert against("LR324", trained_dataset(tmp_path, numbers), baseline_of(dataset)).state == "not_applicable"
