from __future__ import annotations

import numpy as np
from training_log_fixture import COSINE, N, falling, finding


def test_leaps_far_above_the_first_loss_are_found():
    rng = np.random.default_rng(0)
    loss = 2.3 + 20 * COSINE * rng.exponential(size=N)
    loss[0] = 2.3
    found = finding("LR202", loss, lr=0.5 * COSINE)
    assert found.state == "found"
    assert found.evidence["lr_suggested"] < 0.5 / 4
    assert f"{found.evidence['lr_suggested']:.2g}" in found.advice


def test_climbing_back_is_found():
    loss = falling() + 0.8 * (np.sin(np.arange(N) / 12) > 0.6)
    assert finding("LR202", loss, lr=0.1).state == "found"


def test_noise_of_batches_stays_quiet():
    assert finding("LR202", falling(noise=0.3), lr=0.1).state == "passed"


def test_three_points_are_too_few():
    assert finding("LR202", falling(3), lr=0.1).state == "not_applicable"


def test_a_first_mean_a_hundred_times_the_rest_is_found():
    # The first epoch's mean holds the explosion of its first steps.
    loss = falling(20)
    loss[0] = 2000.0
    assert finding("LR202", loss, lr=0.1).state == "found"
    loss[0] = 20.0
    assert finding("LR202", loss, lr=0.1).state == "passed"


def test_noise_about_a_level_tells_no_rate_to_be_too_high():
    # Losses of two rows each have a long tail; the first of them happened to be small.
    n_found = 0
    for seed in range(20):
        loss = np.random.default_rng(seed).gamma(1.2, 0.6, size=N)
        loss[0] = 0.2
        n_found += finding("LR202", loss).state == "found"
    assert n_found <= 2


def test_a_leap_to_a_level_above_the_first_loss_is_found_without_the_rate():
    loss = 3.0 + 0.05 * np.random.default_rng(0).normal(size=N)
    loss[0] = 0.7
    assert finding("LR202", loss).state == "found"
