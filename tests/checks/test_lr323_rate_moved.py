"""LR323: the rate that the range test speaks for has moved beyond its uncertainty."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from baseline_fixture import against, trained_dataset, with_trained
from dataset_fixture import dataset_of, falling_sweep, good_columns

from lrfind.checks.baseline import baseline_of
from lrfind.checks.dataset import Dataset
from lrfind.checks.trained import equally_good
from lrfind.curve import analyse


@pytest.mark.parametrize(
    ("factor", "state"), [(1.0, "passed"), (2.0, "passed"), (0.5, "passed"), (10.0, "found"), (0.1, "found")]
)
def test_rates_within_the_interval_are_the_same(tmp_path: Path, factor: float, state: str) -> None:
    dataset = trained_dataset(tmp_path)
    lr = baseline_of(dataset).trained.lr
    moved = dict.fromkeys(("lr", "lr_low", "lr_high"), lr * factor)
    finding = against("LR323", narrow(dataset), with_trained(dataset, lr_decades=0.05, **moved))
    assert finding.state == state
    assert finding.evidence["lr_suggested"] == lr


def test_a_rate_may_move_within_its_flat_valley(tmp_path: Path) -> None:
    dataset = trained_dataset(tmp_path)
    then = baseline_of(dataset).trained
    # the fixture's valley is wide, and the blend of three readings follows it
    assert then.lr_low < then.lr < then.lr_high
    assert then.lr_high > 5 * then.lr_low
    finding = against("LR323", dataset, with_trained(dataset, lr=then.lr_high, lr_decades=0.0))
    assert finding.state == "passed"
    assert finding.evidence["decades_apart"] == 0


@pytest.mark.parametrize("valley", [1.0, 2.0, 3.0])
def test_the_valley_is_that_of_the_curve(tmp_path: Path, valley: float) -> None:
    sweep = falling_sweep(valley=valley)
    analysis = analyse(sweep)
    low, high = equally_good(analysis)
    # what the same three readings say of the first and the last rate within 5 % of the fall
    level = analysis.min_loss + 0.05 * (analysis.start_loss - analysis.min_loss)
    within = analysis.lrs[analysis.pooled <= level]
    for lr, minimum in ((low, within[0]), (high, within[-1])):
        steepest, fallen = (min(mark.lr, minimum) for mark in (analysis.steepest, analysis.fallen))
        expected = (minimum / 5 * fallen * np.sqrt(steepest * minimum)) ** (1 / 3)
        assert lr == pytest.approx(min(expected, analysis.divergence.lr), rel=1e-9)


def test_a_baseline_without_its_valley_is_read(tmp_path: Path) -> None:
    dataset = trained_dataset(tmp_path)
    assert against("LR323", dataset, with_trained(dataset, lr_low=None, lr_high=None)).state == "passed"


def narrow(dataset: Dataset) -> Dataset:
    """Return a dataset whose range test has its minimum at one rate alone."""
    analysis = dataset.learning.analysis
    bottom = np.arange(len(analysis.lrs)) == np.argmin(analysis.pooled)
    sharp = replace(analysis, pooled=np.where(bottom, analysis.pooled - 10, analysis.pooled))
    return replace(dataset, learning=replace(dataset.learning, analysis=sharp))


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
