from __future__ import annotations

import numpy as np
from training_log_fixture import N, falling, finding


def test_nan_to_the_end_is_found_at_its_first_step():
    loss = falling()
    loss[300:] = np.nan
    found = finding("LR201", loss, lr=0.1)
    assert found.state == "found"
    assert found.evidence["step"] == 301
    assert "step 301" in found.message
    assert 0 < found.evidence["lr_suggested"] < 0.1


def test_a_finite_explosion_is_found():
    assert finding("LR201", 2.0 * 1.05 ** np.arange(N), lr=0.1).state == "found"


def test_a_log_of_nothing_but_nan_is_found():
    found = finding("LR201", np.full(50, np.nan), lr=0.5)
    assert found.state == "found"
    assert found.evidence["lr_suggested"] < 0.5


def test_a_falling_loss_stays_quiet():
    assert finding("LR201", falling(), lr=0.1).state == "passed"


def test_a_negative_falling_loss_stays_quiet():
    assert finding("LR201", falling() - 5, lr=0.1).state == "passed"
