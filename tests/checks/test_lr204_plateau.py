from __future__ import annotations

from training_log_fixture import COSINE, falling, finding


def test_a_noisy_plateau_at_the_full_rate_is_found():
    found = finding("LR204", falling(floor=0.8, noise=0.15), lr=0.1)
    assert found.state == "found"
    assert found.evidence["step"] < 120
    assert "0.01" in found.advice


def test_a_plateau_at_a_decayed_rate_stays_quiet():
    assert finding("LR204", falling(floor=0.8, noise=0.15), lr=0.1 * COSINE).state == "passed"


def test_a_loss_that_rests_without_noise_stays_quiet():
    assert finding("LR204", falling(noise=0.001), lr=0.1).state == "passed"


def test_five_points_are_too_few():
    assert finding("LR204", falling(5), lr=0.1).state == "not_applicable"
