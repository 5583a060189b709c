from __future__ import annotations

import numpy as np
from training_log_fixture import N, falling, finding


def test_losses_of_single_rows_are_found():
    loss = falling(noise=0, constants=3) * np.random.default_rng(0).exponential(size=N)
    found = finding("LR212", loss, lr=0.01)
    assert found.state == "found"
    assert "times as large" in found.advice


def test_ordinary_batches_stay_quiet():
    assert finding("LR212", falling(noise=0.1), lr=0.01).state == "passed"


def test_scatter_of_a_loss_near_zero_stays_quiet():
    loss = falling(noise=0, floor=0.001) * np.random.default_rng(0).exponential(size=N)
    assert finding("LR212", loss, lr=0.01).state == "passed"


def test_means_over_epochs_show_no_batches():
    assert finding("LR212", falling(20)).state == "not_applicable"
