from __future__ import annotations

import numpy as np
from training_log_fixture import falling, finding

from lrfind.logs import Repair


def test_each_repair_is_told():
    gap = Repair(kind="gap", count=2, first="step 50", sentence="there are 2 gaps in the steps")
    cut = Repair(kind="truncated", count=1, first="line 90", sentence="the last line is cut off")
    found = finding("LR213", falling(), repairs=(gap, cut))
    assert found.state == "found"
    assert "2 gaps" in found.message
    assert "cut off" in found.message
    assert found.evidence["repairs"] == 3


def test_a_whole_log_stays_quiet():
    assert finding("LR213", falling()).state == "passed"


def test_nan_is_no_damage():
    nan = Repair(kind="nan", count=3, first="step 5", sentence="the loss is NaN at 3 of 400 points")
    loss = falling()
    loss[4:7] = np.nan
    assert finding("LR213", loss, repairs=(nan,)).state == "passed"


def test_a_log_without_finite_losses_is_judged_by_nothing_else():
    assert finding("LR213", np.full(30, np.nan)).state == "not_applicable"
