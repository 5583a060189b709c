from __future__ import annotations

import numpy as np
from training_log_fixture import COSINE, SHARE, N, falling, finding


def test_a_rate_that_never_decays_on_a_plateau_is_found():
    found = finding("LR206", falling(floor=0.8, noise=0.15), lr=0.1)
    assert found.state == "found"
    assert "0.1" in found.advice


def test_a_drop_at_a_late_decay_is_found():
    lr = np.where(np.arange(N) < 380, 0.1, 0.001)
    loss = falling(floor=0.8) - 0.5 * (np.arange(N) >= 380)
    found = finding("LR206", loss, lr=lr)
    assert found.state == "found"
    assert found.evidence["step"] == 381


def test_a_cosine_stays_quiet():
    assert finding("LR206", falling(floor=0.8, noise=0.15), lr=0.1 * COSINE).state == "passed"


def test_a_constant_rate_stays_quiet_while_the_loss_falls():
    assert finding("LR206", falling(constants=1.0), lr=0.1).state == "passed"


def test_a_log_without_rates_cannot_be_judged():
    assert finding("LR206", falling()).state == "not_applicable"


def test_a_straight_line_to_zero_over_the_last_fifth_stays_quiet():
    lr = 0.1 * np.minimum(1, (1 - SHARE) / 0.2)
    loss = falling(floor=0.8) - 0.5 * np.maximum(SHARE - 0.8, 0) / 0.2
    assert finding("LR206", loss, lr=lr).state == "passed"


def test_a_rate_that_is_too_high_as_well_is_annealed_from_a_lower_one():
    rng = np.random.default_rng(0)
    loss = np.abs(1.0 + 0.5 * rng.standard_t(3, size=N)) + 2 * np.exp(-SHARE / 0.02)
    found = finding("LR206", loss, lr=3.0)
    assert finding("LR202", loss, lr=3.0).state == found.state == "found"
    assert found.evidence["lr_suggested"] < 3.0 / 2
