"""LR324: the loss on rows held out is worse than noise allows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from baseline_fixture import against, trained_dataset, with_trained
from dataset_fixture import dataset_of, good_columns

from lrfind.checks.baseline import baseline_of
from lrfind.checks.dataset.learn import HeldOut
from lrfind.checks.trained import best_loss


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


def folds(losses: np.ndarray) -> HeldOut:
    """Return losses (n_models, n_folds, n_rows) as held out fold by fold."""
    n_models, n_folds, n_rows = losses.shape
    held = np.arange(n_folds * n_rows)
    return HeldOut(
        models=tuple("abcdefghijkl"[:n_models]), losses=losses.reshape(n_models, -1), baseline=np.ones(len(held)),
        held=held, n_folds=n_folds,
    )  # fmt: skip


def test_a_training_that_fails_in_one_fold_costs_that_fold_only() -> None:
    losses = np.full((2, 5, 20), 0.3)
    losses[1] = 0.4
    sound, _ = best_loss(folds(losses))
    losses[0, 2] = 9.0
    failed, _ = best_loss(folds(losses))
    assert sound == pytest.approx(0.3)
    assert failed == pytest.approx((4 * 0.3 + 0.4) / 5)


def test_the_error_covers_rows_and_folds() -> None:
    rng = np.random.default_rng(0)
    over_rows = rng.normal(size=(1, 5, 400))
    assert best_loss(folds(over_rows))[1] == pytest.approx(1 / np.sqrt(2000), rel=0.6)
    by_fold = np.broadcast_to(rng.normal(size=(1, 5, 1)), (1, 5, 400))
    assert best_loss(folds(by_fold))[1] == pytest.approx(by_fold[0, :, 0].std(ddof=1) / np.sqrt(5))


def test_the_error_of_one_fold_covers_seeds() -> None:
    rng = np.random.default_rng(1)
    one = folds(rng.normal(size=(1, 1, 100)))
    # of each seed the training itself and its two mixtures
    seeds = folds(np.repeat([0.1, 0.3, 0.2, np.nan], 3)[:, None, None] * np.ones((12, 1, 100)))
    alone, together = best_loss(one)[1], best_loss(one, at_rate=seeds)[1]
    assert alone == pytest.approx(one.losses.std(ddof=1) / 10)
    assert together == pytest.approx(np.hypot(alone, 0.1))


def test_models_that_diverged_have_no_loss() -> None:
    losses = np.full((2, 5, 20), 0.3)
    losses[0, 0, 0] = np.nan
    assert best_loss(folds(losses))[0] == pytest.approx(0.3)
    assert np.isinf(best_loss(folds(np.full((1, 5, 20), np.nan)))[0])
