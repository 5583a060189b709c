from __future__ import annotations

import numpy as np
from training_log_fixture import COSINE, N, falling, finding


def run(lr: np.ndarray) -> np.ndarray:
    """Return the loss of a run that falls with the sum of its rates."""
    return (0.1 + 2.2 * np.exp(-np.cumsum(lr) / 8)) * (1 + 0.01 * np.random.default_rng(0).normal(size=N))


def test_a_decay_while_the_loss_was_falling_is_found():
    lr = np.where(np.arange(N) < 80, 0.1, 0.001)
    found = finding("LR205", run(lr), lr=lr)
    assert found.state == "found"
    assert found.evidence["step"] == 81
    assert found.evidence["lr_suggested"] == 0.1


def test_a_decay_after_the_fall_stays_quiet():
    lr = np.where(np.arange(N) < 80, 1.0, 0.01)
    assert finding("LR205", run(lr), lr=lr).state == "passed"


def test_a_cosine_stays_quiet():
    assert finding("LR205", run(0.1 * COSINE), lr=0.1 * COSINE).state == "passed"


def test_a_log_without_rates_cannot_be_judged():
    assert finding("LR205", falling()).state == "not_applicable"
