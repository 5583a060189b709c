from __future__ import annotations

import numpy as np
from training_log_fixture import falling, finding


def test_a_tower_is_found_at_its_step():
    loss = falling()
    loss[249] = 4.0
    found = finding("LR208", loss, lr=0.1)
    assert found.state == "found"
    assert found.evidence["step"] == 250
    assert found.evidence["spikes"] == 1


def test_neighbours_are_one_event():
    loss = falling()
    loss[200:204] += [3.0, 2.0, 1.5, 1.0]
    loss[300] += 3.0
    assert finding("LR208", loss).evidence["spikes"] == 2


def test_skewed_noise_of_small_batches_stays_quiet():
    loss = falling(noise=0) * np.random.default_rng(0).gamma(2.0, 0.5, size=400)
    assert finding("LR208", loss).state == "passed"


def test_a_short_log_has_no_usual():
    assert finding("LR208", falling(20)).state == "not_applicable"


def test_one_hard_batch_stays_quiet_below_where_the_run_began():
    loss = falling(noise=0.02)
    loss[300] = loss[300] + 0.7 * (loss[0] - loss[-1])
    assert finding("LR208", loss).state == "passed"
    loss[300] = loss[0] + 0.7 * (loss[0] - loss[-1])
    assert finding("LR208", loss).state == "found"
