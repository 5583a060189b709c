from __future__ import annotations

import numpy as np
from training_log_fixture import N, falling, finding


def test_a_norm_that_is_gone_while_the_loss_stays_is_found():
    norm = np.exp(-10 * np.linspace(0, 1, N))
    found = finding("LR210", 2.3 + 0.01 * np.random.default_rng(0).normal(size=N), grad_norm=norm)
    assert found.state == "found"


def test_a_norm_that_goes_with_the_loss_stays_quiet():
    assert finding("LR210", falling(), grad_norm=np.exp(-10 * np.linspace(0, 1, N))).state == "passed"


def test_a_log_without_norms_cannot_be_judged():
    assert finding("LR210", falling()).state == "not_applicable"
