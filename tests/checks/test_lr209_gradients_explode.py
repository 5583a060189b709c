from __future__ import annotations

import numpy as np
from training_log_fixture import N, falling, finding


def norms() -> np.ndarray:
    return np.random.default_rng(0).gamma(4.0, 0.25, size=N)


def spiked(*steps: int) -> np.ndarray:
    norm = norms()
    norm[[step - 1 for step in steps]] = 500.0
    return norm


def test_a_norm_hundreds_of_times_the_usual_is_found_where_its_step_is_too_long():
    found = finding("LR209", falling(), grad_norm=spiked(120), lr=0.1)
    assert found.state == "found"
    assert found.evidence["step"] == 120


def test_the_same_is_found_where_it_throws_the_loss():
    loss = falling()
    assert finding("LR209", loss, grad_norm=spiked(120)).state == "passed"
    loss[120:130] += 1.0
    assert finding("LR209", loss, grad_norm=spiked(120)).state == "found"
    # The loss of step 120 is measured before its update: a hard batch, but nothing was thrown.
    hard = falling()
    hard[119] += 5.0
    assert finding("LR209", hard, grad_norm=spiked(120)).state == "passed"


def test_a_single_norm_that_moves_nothing_stays_quiet():
    passed = finding("LR209", falling(), grad_norm=spiked(120), lr=1e-6)
    assert passed.state == "passed"
    assert "no harm" in passed.message


def test_steps_far_too_long_at_the_beginning_are_found_though_norms_shrink_later():
    norm = norms()
    norm[:4] = 1500.0, 700.0, 900.0, 30.0
    assert finding("LR209", falling(), grad_norm=norm, lr=0.01).state == "found"
    assert finding("LR209", falling(), grad_norm=norm, lr=1e-6).state == "passed"


def test_an_infinite_norm_is_found():
    norm = norms()
    norm[9] = np.inf
    assert finding("LR209", falling(), grad_norm=norm).state == "found"


def test_norms_cut_off_by_clipping_are_found():
    found = finding("LR209", falling(), grad_norm=np.minimum(norms(), 0.5))
    assert found.state == "found"
    assert "clipping" in found.message


def test_usual_norms_stay_quiet():
    assert finding("LR209", falling(), grad_norm=norms()).state == "passed"


def test_norms_that_die_away_with_the_loss_stay_quiet():
    assert finding("LR209", falling(), grad_norm=norms() * np.exp(-8 * np.linspace(0, 1, N))).state == "passed"


def test_a_log_without_norms_cannot_be_judged():
    assert finding("LR209", falling()).state == "not_applicable"
