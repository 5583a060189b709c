from __future__ import annotations

import numpy as np
from training_log_fixture import N, codes_found, falling, finding


def flat(level: float = 2.3) -> np.ndarray:
    return level + 0.02 * np.random.default_rng(0).normal(size=N)


def test_a_loss_that_stays_is_found():
    found = finding("LR214", flat(), lr=0.01)
    assert found.state == "found"
    assert found.evidence["lr_suggested"] > 0.01


def test_a_rate_of_zero_is_named():
    found = finding("LR214", flat(), lr=np.zeros(N))
    assert found.state == "found"
    assert "0 throughout" in found.advice


def test_a_slow_but_steady_fall_is_learning():
    assert finding("LR214", flat() - np.linspace(0, 0.2, N), lr=0.01).state == "passed"


def test_a_falling_loss_is_learning():
    assert finding("LR214", falling(), lr=0.01).state == "passed"


def test_five_points_are_too_few():
    assert finding("LR214", flat()[:5], lr=0.01).state == "not_applicable"


def test_a_loss_that_stands_because_the_rate_had_decayed_is_left_to_lr205():
    share = np.arange(N) / N
    lr = 0.05 * np.maximum(np.exp(-share / 0.04), 1e-4)
    loss = 0.7 - 0.04 * (1 - np.exp(-np.cumsum(lr) / 0.4)) + 0.01 * np.random.default_rng(0).normal(size=N)
    assert codes_found(loss, lr=lr) & {"LR205", "LR214"} == {"LR205"}
    assert "LR214" in codes_found(loss, lr=0.05)


def test_noise_that_could_hide_a_fall_leaves_it_open():
    noise = 0.5 * np.random.default_rng(0).gamma(1.0, size=N)
    assert finding("LR214", 0.5 + noise, lr=0.01).state == "passed"
    # As many points of less noise, or many more of as much, do say.
    assert finding("LR214", 0.75 + 0.5 * noise, lr=0.01).state == "found"
    more = 0.5 + 0.5 * np.random.default_rng(1).gamma(1.0, size=16 * N)
    assert finding("LR214", more, lr=0.01).state == "found"
