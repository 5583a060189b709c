from __future__ import annotations

import numpy as np
import pytest
from training_log_fixture import N, falling, finding

from lrfind.checks.training_log.smooth import white_scatter


def test_losses_of_single_rows_are_found():
    loss = falling(noise=0, constants=3) * np.random.default_rng(0).exponential(size=N)
    found = finding("LR212", loss, lr=0.01)
    assert found.state == "found"
    assert "times as large" in found.advice


def squared_errors(rows: int) -> np.ndarray:
    """Return losses that are means of so many squared normal errors."""
    rng = np.random.default_rng(0)
    return falling(noise=0, constants=3, floor=1.0) * (rng.normal(size=(N, rows)) ** 2).mean(axis=1)


@pytest.mark.parametrize(("rows", "state"), [(1, "found"), (2, "found"), (4, "found"), (32, "passed"), (64, "passed")])
def test_squared_errors_of_few_rows_are_told_from_those_of_many(rows: int, state: str):
    assert finding("LR212", squared_errors(rows), lr=0.01).state == state


def test_a_few_bad_batches_are_no_noise_of_all():
    loss = squared_errors(64)
    loss[[100, 180, 240]] = 1_000.0
    assert finding("LR212", loss, lr=0.01).state == "passed"


def test_slow_swings_are_no_noise_of_batches():
    swings = 1 + 0.8 * np.sin(np.arange(N) / 12)
    assert finding("LR212", falling(noise=0.02, constants=3, floor=1.0) * swings).state == "passed"
    assert white_scatter(swings) < 0.06
    assert white_scatter(np.random.default_rng(0).normal(size=100_000)) == pytest.approx(1, rel=0.01)


def test_a_short_log_is_judged_like_a_long_one():
    assert finding("LR212", squared_errors(2)[:64], lr=0.01).state == "found"
    assert finding("LR212", squared_errors(64)[:64], lr=0.01).state == "passed"


def test_single_rows_betray_themselves_by_losses_of_almost_nothing():
    def late(rows: int) -> np.ndarray:
        errors = np.random.default_rng(0).normal(size=(N, rows)) ** 2
        return falling(noise=0, floor=0.05) * errors.mean(axis=1)

    found = finding("LR212", late(1), lr=0.01)
    assert found.state == "found"
    assert found.evidence["share_of_start"] < 0.14
    assert "hardly any" in found.message
    assert finding("LR212", late(32), lr=0.01).state == "passed"


def test_a_loss_with_a_floor_at_0_is_not_taken_for_that_of_single_rows():
    loss = np.maximum(falling(noise=0, floor=0.05) + 0.1 * np.random.default_rng(0).normal(size=N), 0)
    assert finding("LR212", loss, lr=0.01).state == "passed"


def test_ordinary_batches_stay_quiet():
    assert finding("LR212", falling(noise=0.1), lr=0.01).state == "passed"


def test_scatter_of_a_loss_near_zero_stays_quiet():
    loss = falling(noise=0, floor=0.001) * np.random.default_rng(0).exponential(size=N)
    assert finding("LR212", loss, lr=0.01).state == "passed"


def test_means_over_epochs_show_no_batches():
    assert finding("LR212", falling(20)).state == "not_applicable"
