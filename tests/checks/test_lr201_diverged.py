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


def test_the_higher_the_rate_that_broke_it_the_further_it_is_lowered():
    loss = falling()
    loss[5:] = np.nan
    factors = [rate / finding("LR201", loss, lr=rate).evidence["lr_suggested"] for rate in (0.05, 5.0)]
    assert 2 <= factors[0] < 0.5 * factors[1] <= 100


def test_the_rate_that_broke_it_is_the_highest_until_then():
    # The loss turns within the warm-up, at a low rate, and explodes at the peak.
    lr = 0.5 * np.minimum(np.arange(1, N + 1) / 100, 1.0)
    loss = np.where(np.arange(N) < 5, 2.3, 2.3 + 0.2 * np.arange(N))
    assert finding("LR201", loss, lr=lr).evidence["lr"] == 0.5


def said(*broken: slice, value: float = np.nan) -> tuple[str, str]:
    loss = falling(noise=0.0)
    for points in broken:
        loss[points] = value
    found = finding("LR201", loss, lr=0.1)
    return found.title, found.message


def test_how_a_log_ends_is_told_from_a_nan_on_the_way():
    title, message = said(slice(300, None))
    assert title == "diverged: NaN from step 301 on"
    assert message == "The loss ended in NaN: it is NaN from step 301 on, after 0.2 at step 300."
    assert said(slice(300, None), value=np.inf)[0] == "diverged: infinite from step 301 on"
    title, message = said(slice(50, 51))
    assert title == "loss was NaN or infinite on the way"
    assert message == "The loss was NaN at step 51 alone, and came back."
    assert said(slice(50, 52))[1] == "The loss was NaN at step 51 and at 1 later point, and came back."
    assert said(slice(50, 53), slice(350, None))[1] == (
        "The loss was NaN at step 51, came back, and ended in NaN: it is NaN from step 351 on."
    )
    assert said(slice(0, None))[1] == f"The loss is NaN at every point of the log ({N} points)."
