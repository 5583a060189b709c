"""LR323: the rate that the range test speaks for has moved beyond its uncertainty."""

from __future__ import annotations

from pathlib import Path

import pytest
from baseline_fixture import against, trained_dataset, with_trained
from dataset_fixture import dataset_of, good_columns

from lrfind.checks.baseline import baseline_of


@pytest.mark.parametrize(
    ("factor", "state"), [(1.0, "passed"), (2.0, "passed"), (0.5, "passed"), (10.0, "found"), (0.1, "found")]
)
def test_rates_within_the_interval_are_the_same(tmp_path: Path, factor: float, state: str) -> None:
    dataset = trained_dataset(tmp_path)
    lr = baseline_of(dataset).trained.lr
    finding = against("LR323", dataset, with_trained(dataset, lr=lr * factor, lr_decades=0.05))
    assert finding.state == state
    assert finding.evidence["lr_suggested"] == lr


def test_an_uncertain_rate_may_move_further(tmp_path: Path) -> None:
    dataset = trained_dataset(tmp_path)
    lr = baseline_of(dataset).trained.lr
    assert against("LR323", dataset, with_trained(dataset, lr=lr * 10, lr_decades=0.5)).state == "passed"


def test_it_does_not_apply_without_both_rates(tmp_path: Path) -> None:
    dataset = trained_dataset(tmp_path)
    assert against("LR323", dataset, with_trained(dataset, lr=None)).state == "not_applicable"
    untrained = dataset_of(good_columns(), tmp_path)
    assert against("LR323", untrained, baseline_of(dataset)).state == "not_applicable"
    assert against("LR323", dataset, baseline_of(untrained)).state == "not_applicable"
