from __future__ import annotations

import numpy as np
from training_log_fixture import N, falling, finding


def held_out(rise: float) -> np.ndarray:
    """Return a loss every tenth step, lowest in the middle of the run."""
    share = np.linspace(0, 1, N)
    val = 0.5 + 1.8 * np.exp(-12 * share) + rise * np.maximum(share - 0.5, 0)
    val[np.arange(N) % 10 != 9] = np.nan
    return val


def test_a_held_out_loss_that_turns_up_is_found_at_its_turn():
    found = finding("LR211", falling(constants=5), val_loss=held_out(1.0))
    assert found.state == "found"
    assert 180 <= found.evidence["step"] <= 220


def test_a_held_out_loss_that_stays_down_is_quiet():
    assert finding("LR211", falling(), val_loss=held_out(0.0)).state == "passed"


def test_a_rise_within_noise_is_quiet():
    val = held_out(0.05) + 0.1 * np.random.default_rng(0).normal(size=N)
    assert finding("LR211", falling(), val_loss=val).state == "passed"


def test_a_log_without_held_out_loss_cannot_be_judged():
    assert finding("LR211", falling()).message == "There is no validation loss in the log."


def test_three_held_out_losses_are_too_few():
    val = np.full(N, np.nan)
    val[[50, 200, 350]] = [1.0, 0.5, 0.9]
    assert finding("LR211", falling(), val_loss=val).state == "not_applicable"
