from __future__ import annotations

import numpy as np
from training_log_fixture import COSINE, SHARE, falling, finding


def test_a_loss_still_falling_at_the_end_is_found():
    found = finding("LR203", falling(constants=1.0), lr=0.001)
    assert found.state == "found"
    assert found.evidence["lr_suggested"] > 0.01


def test_the_factor_grows_as_the_run_gets_shorter_and_the_rate_lower():
    short, shorter = (finding("LR203", falling(constants=c), lr=0.001).evidence["factor"] for c in (2.0, 0.5))
    lower = finding("LR203", falling(constants=2.0), lr=0.0002).evidence["factor"]
    assert shorter > short
    assert lower > 1.1 * short


def test_a_loss_that_does_not_clearly_fall_is_not_said_to():
    share = np.linspace(0, 1, 2000)
    loss = (1.1 + 0.8 * np.exp(-share / 0.1)) * (1 + 0.1 * np.random.default_rng(0).normal(size=2000))
    found = finding("LR203", loss, lr=1e-4)
    assert found.state == "found"
    assert found.evidence["fall_per_efold"] == 0
    assert "of the runs like it" in found.message
    assert "still falling" in finding("LR203", falling(constants=1.0), lr=0.001).message


def test_the_advice_is_an_interval_around_the_rate_that_is_suggested():
    found = finding("LR203", falling(constants=1.0), lr=0.001)
    low, high = found.advice.rpartition("(")[2].rstrip(").").split(" to ")
    assert 0.001 < float(low) < found.evidence["lr_suggested"] < float(high) < 1


def test_a_finished_run_stays_quiet():
    assert finding("LR203", falling(), lr=0.001).state == "passed"
    assert finding("LR203", falling(), lr=0.001 * COSINE).state == "passed"


def test_units_of_the_loss_do_not_matter():
    loss = falling(constants=1.0)
    assert finding("LR203", 1e6 * loss).state == "found"
    assert finding("LR203", loss - 100).state == "found"


def test_a_run_cut_short_by_its_schedule_is_not_blamed_on_the_rate():
    lr = np.where(np.arange(400) < 60, 0.1, 0.0005)
    level = 2.3 * np.exp(-np.cumsum(lr) / 8)
    assert finding("LR203", level * (1 + 0.01 * np.random.default_rng(0).normal(size=400)), lr=lr).state == "passed"


def test_a_power_of_time_that_fell_at_once_stays_quiet():
    # Language models: a tenth of the fall an e-fold to the end, nine tenths of it in the first steps.
    time = np.arange(1, 401) / 400
    loss = 2 + 8 * np.exp(-time / 0.02) + 0.6 * time**-0.3
    found = finding("LR203", loss * (1 + 0.005 * np.random.default_rng(0).normal(size=400)), lr=0.001)
    assert found.state == "passed"
    assert found.evidence["half_time"] < 0.1


def test_the_tail_of_a_power_law_stays_quiet_with_and_without_the_rate():
    # A language model over 100,000 steps: half of the fall within 3 % of them, 5 % of it an e-fold to the end.
    time = np.arange(1, 3001) * 100_000 / 3000
    level = 1.7 + 8 * time**-0.12 + 2 * np.exp(-time / 500)
    loss = level * (1 + 0.01 * np.random.default_rng(0).normal(size=3000))
    val_loss = np.where(np.arange(3000) % 150 == 149, level, np.nan)
    for columns in ({}, {"lr": 6e-4}, {"lr": 6e-4, "val_loss": val_loss}):
        assert finding("LR203", loss, **columns).state == "passed"


def test_no_more_can_fall_than_is_left_of_a_positive_loss():
    # Nothing for a third of the run, then down to 3 % of the start: steep to the end, and all but done.
    loss = 1 / (1 + np.exp((SHARE - 0.4) / 0.06)) + 0.03 * (1 - SHARE)
    found = finding("LR203", loss * (1 + 0.01 * np.random.default_rng(0).normal(size=400)), lr=0.001)
    assert found.state == "passed"
    assert found.evidence["half_time"] > 0.3


def test_five_points_are_too_few():
    assert finding("LR203", falling(5), lr=0.1).state == "not_applicable"
