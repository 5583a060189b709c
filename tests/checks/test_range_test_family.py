"""LR101 to LR108: each fires on what it is for, stays quiet on a good curve, and says when it cannot be made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lrfind.checks import RangeTest, check_range_test
from lrfind.curve import Analysis, Landmark, Outcome, read_rate
from lrfind.recommend import recommend
from lrfind.sweep import Sweep

LRS = np.geomspace(1e-7, 10, 400)


def at(lr: float) -> Landmark:
    return Landmark(lr=lr, low=lr / 1.1, high=lr * 1.1)


def range_test_with(outcome: Outcome = Outcome.OK, *, n_train: int = 400, n_steps: int = 400, **marks: Landmark | None):
    places = {
        "onset": at(1e-4), "steepest": at(1e-3), "fallen": at(4e-3), "minimum": at(3e-2), "divergence": at(0.3), **marks
    }  # fmt: skip
    lrs = LRS[:n_steps]
    flat = np.full(len(lrs), 0.7)
    analysis = Analysis(
        lrs=lrs.copy(), pooled=flat.copy(), low=flat.copy(), high=flat.copy(), start_loss=0.7, min_loss=0.1,
        noise=0.02, noise_removed=0.0, rules={}, outcome=outcome, **places,
    )  # fmt: skip
    sweep = Sweep(lrs=lrs.copy(), losses=np.full((8, len(lrs)), 0.7), grad_norms=None)
    advice = recommend(
        analysis, reading=read_rate(analysis), proof=None, optimizer="adam", batch_size=64, train_steps=400
    )
    return RangeTest(sweep=sweep, analysis=analysis, recommendation=advice, n_train=n_train)


def state(test: RangeTest, code: str):
    return next(finding for finding in check_range_test(test) if finding.code == code)


FIRES = {
    "LR101": {"outcome": Outcome.NEVER_FALLS},
    "LR102": {"outcome": Outcome.NEVER_DIVERGES, "divergence": None},
    "LR103": {"outcome": Outcome.DIVERGES_AT_ONCE, "minimum": None},
    "LR104": {"outcome": Outcome.NOISE_HIDES_FALL},
    "LR105": {"outcome": Outcome.SEEDS_DISAGREE, "minimum": Landmark(lr=1e-2, low=1e-4, high=1.0)},
    "LR106": {"divergence": at(1e-2)},
    "LR107": {"outcome": Outcome.STILL_FALLING, "minimum": at(9.0), "divergence": None},
    "LR108": {"n_train": 20},
}
NOT_APPLICABLE = {
    "LR102": {"outcome": Outcome.NEVER_FALLS},
    "LR104": {"outcome": Outcome.NEVER_FALLS},
    "LR105": {"minimum": None},
    "LR106": {"divergence": None},
    "LR107": {"minimum": None},
}


@pytest.mark.parametrize(("code", "case"), FIRES.items())
def test_it_fires_with_numbers_and_advice(code, case):
    finding = state(range_test_with(**case), code)
    assert finding.state == "found"
    assert any(character.isdigit() for character in finding.message)
    assert any(character.isdigit() for character in finding.advice)
    assert finding.evidence


@pytest.mark.parametrize("code", FIRES)
def test_it_stays_quiet_on_a_good_curve(code):
    finding = state(range_test_with(), code)
    assert finding.state == "passed"
    assert finding.advice == ""


@pytest.mark.parametrize(("code", "case"), NOT_APPLICABLE.items())
def test_it_says_when_it_cannot_be_made(code, case):
    finding = state(range_test_with(**case), code)
    assert finding.state == "not_applicable"
    assert finding.message


def test_a_short_sweep_says_too_little_too():
    assert state(range_test_with(n_steps=60), "LR108").state == "found"


def test_a_fall_to_the_edge_is_none_where_a_race_found_lower_rates_better():
    edge = range_test_with(**FIRES["LR107"])
    for lr_high, expected in ((0.05, "passed"), (5.0, "found"), (None, "found")):
        advice = replace(edge.recommendation, lr_high=lr_high)
        assert state(replace(edge, recommendation=advice, is_raced=True), "LR107").state == expected


def test_codes_come_in_order_and_once():
    codes = [finding.code for finding in check_range_test(range_test_with())]
    assert codes == sorted(set(codes)) == list(FIRES)
