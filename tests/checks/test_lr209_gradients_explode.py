from __future__ import annotations

import numpy as np
from training_log_fixture import N, falling, finding


def norms() -> np.ndarray:
    return np.random.default_rng(0).gamma(4.0, 0.25, size=N)


def test_a_norm_hundreds_of_times_the_usual_is_found():
    norm = norms()
    norm[119] = 500.0
    found = finding("LR209", falling(), grad_norm=norm)
    assert found.state == "found"
    assert found.evidence["step"] == 120


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
