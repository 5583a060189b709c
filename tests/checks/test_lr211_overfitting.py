from __future__ import annotations

import numpy as np
from training_log_fixture import SHARE, N, falling, finding, make_log

from lrfind.diagnose import diagnose_log


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


def advice(loss: np.ndarray, *, lr: np.ndarray | float) -> list[tuple[str, str]]:
    val = np.where(np.arange(N) % 5 == 4, 0.5 + 1.8 * np.exp(-12 * SHARE) + 2 * np.maximum(SHARE - 0.3, 0), np.nan)
    return [(each.code, each.advice) for each in diagnose_log(make_log(loss, lr=lr, val_loss=val)).found]


def test_it_comes_before_a_late_decay_which_is_advised_for_the_run_up_to_the_turn():
    (first, stop), (second, anneal), *_ = advice(falling(constants=15, noise=0.15), lr=0.05)
    assert (first, second) == ("LR211", "LR206")
    assert stop.startswith("Stop at step 120")
    assert "the second half of the run up to step 120 (LR211), from step 60 on" in anneal


def test_a_rate_that_is_too_low_is_not_made_up_for_by_longer_training():
    loss = 2.3 - SHARE + 0.02 * np.random.default_rng(0).normal(size=N)
    (_, (code, higher)) = advice(loss, lr=1e-4)
    assert code == "LR203"
    assert higher.endswith(
        "Stop where the held-out loss turns up (LR211): at a higher rate that comes before step 120."
    )


def test_a_run_that_ended_in_nan_is_not_told_to_raise_its_rate():
    codes = [code for code, _ in advice(np.where(SHARE < 0.8, 2.3 - 0.8 * SHARE, np.nan), lr=1e-4)]
    assert codes == ["LR201", "LR211"]
