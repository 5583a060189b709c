from __future__ import annotations

import numpy as np
from training_log_fixture import COSINE, falling, finding

from lrfind.text import rate


def hump(height: float) -> np.ndarray:
    loss = falling()
    loss[1:25] += height * np.exp(-np.arange(24) / 8)
    return loss


def test_a_hump_at_the_beginning_is_found():
    found = finding("LR207", hump(20.0), lr=0.1 * COSINE)
    assert found.state == "found"
    assert "first 40 steps" in found.advice


def test_the_same_hump_after_a_warmup_is_not_blamed_on_its_lack():
    lr = 0.1 * np.minimum(np.arange(1, 401) / 60, 1.0)
    assert finding("LR207", hump(20.0), lr=lr).state == "passed"


def test_calm_first_steps_stay_quiet():
    assert finding("LR207", falling(noise=0.2), lr=0.1).state == "passed"


def test_means_over_epochs_show_no_first_steps():
    assert finding("LR207", falling(20), lr=0.1).state == "not_applicable"


def test_the_warm_up_ends_at_the_rate_that_is_advised_where_the_peak_was_too_high():
    loss = hump(300.0)
    high, short = finding("LR202", loss, lr=1.0), finding("LR207", loss, lr=1.0)
    assert high.state == short.state == "found"
    assert f"to {rate(high.evidence['lr_suggested'])} over" in short.advice


def test_a_hump_that_is_no_more_than_the_noise_of_the_first_points_is_none():
    loss = hump(0.0)
    loss[1:6] *= 1.2
    assert finding("LR207", loss, lr=0.1 * COSINE).state == "passed"


def test_without_the_rate_in_the_log_nothing_is_said_of_the_warm_up_it_had():
    found = finding("LR207", hump(20.0))
    assert found.state == "found"
    assert found.message.startswith("If the rate does not warm up, it should")
    assert "has no warm-up" not in found.message


def test_a_first_loss_that_is_low_by_chance_is_no_hump():
    rng = np.random.default_rng(0)
    loss = falling(noise=0, constants=4, floor=0.01) * rng.normal(size=400) ** 2
    loss[0] = 0.03
    assert finding("LR207", loss, lr=0.01).state == "passed"
    assert finding("LR207", rng.normal(size=400) ** 2 + 0.001, lr=0.01).state == "passed"


def test_a_rate_that_is_never_above_0_threw_nothing():
    for code in ("LR202", "LR207"):
        assert finding(code, hump(20.0), lr=np.zeros(400)).state == "not_applicable"


def test_a_hump_beyond_the_largest_numbers_is_told_in_numbers():
    loss = hump(20.0)
    loss[1:4] = 1e307
    for first in (2.3, 5e-324):
        loss[0] = first
        with np.errstate(over="ignore", invalid="ignore"):
            found = finding("LR207", loss, lr=1.0)
        assert "none" not in found.message
        assert all(value is None or np.isfinite(value) for value in found.evidence.values())
