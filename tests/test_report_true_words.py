"""Words of a report that are true of some runs only are said of these alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from race_fixture import abstaining_report, raced_report
from report_fixture import ok_report

from lrfind.checks import RangeTest, check_range_test
from lrfind.curve import Outcome, read_rate
from lrfind.recommend import Proof, gain, recommend
from lrfind.report import to_dict
from lrfind.report.curves import gradient_curve
from lrfind.report.html import to_html
from lrfind.report.race.trust import trust_race
from lrfind.report.race.words import margins_caption
from lrfind.text import rate


def noise_answer(*, n_rows: int, gained: float = 0.3) -> str:
    report = raced_report()
    race = replace(report.race, n_held_out=560, gain=gained, gain_se=0.1)
    problem = replace(
        report.problem,
        X_train=np.zeros((n_rows - 10, 2), np.float32), y_train=np.zeros(n_rows - 10),
        X_val=np.zeros((10, 2), np.float32), y_val=np.zeros(10),
    )  # fmt: skip
    return trust_race(replace(report, problem=problem, race=race), race)[0].text


def test_every_row_was_held_out_only_where_all_were() -> None:
    assert "so that every row was held out." in noise_answer(n_rows=560)
    assert "so that 560 of 20,000 rows were held out." in noise_answer(n_rows=20_000)


def test_training_that_ends_above_a_guess_gains_nothing() -> None:
    assert "Training gains 0.30 ± 0.10 over a constant guess, 3 times its error." in noise_answer(n_rows=560)
    assert "Training ends 0.30 ± 0.10 above a constant guess." in noise_answer(n_rows=560, gained=-0.3)


def test_nothing_is_advised_beneath_a_race_without_an_answer() -> None:
    race = raced_report().race
    assert "The schedule advised at the rate advised" in margins_caption(race, has_answer=True)
    assert "advised" not in margins_caption(race, has_answer=False)
    assert "gain" not in margins_caption(race, has_answer=False)
    assert "Expected cost" in to_html(raced_report())
    page = to_html(abstaining_report())
    assert "Expected cost" not in page
    # the loss told is that of one candidate, which need not be the lowest
    winner = abstaining_report().race.winner
    assert f"{winner.schedule} at {rate(winner.lr)}; knowing nothing" in page


@pytest.mark.parametrize(("verdict", "advises"), [("range_too_narrow", True), ("no_signal", False)])
def test_a_wider_range_is_advised_only_where_it_may_help(verdict: str, advises: bool) -> None:
    report = ok_report()
    analysis = replace(report.analysis, outcome=Outcome.STILL_FALLING, divergence=None)
    advice = replace(report.recommendation, verdict=verdict, lr=None, lr_low=None, lr_high=None)
    test = RangeTest(sweep=report.sweep, analysis=analysis, recommendation=advice, n_train=400, is_raced=True)
    said = " ".join(finding.advice for finding in check_range_test(test))
    assert ("--lr-max" in said) is advises


def test_a_range_that_ends_too_low_is_widened_alike_everywhere() -> None:
    report = ok_report()
    top = float(report.analysis.lrs[-1])
    analysis = replace(
        report.analysis, outcome=Outcome.STILL_FALLING, divergence=None, fallen=replace(report.analysis.fallen, lr=top)
    )
    advice = recommend(
        analysis, reading=read_rate(analysis), proof=None, optimizer="adam", batch_size=64,
        train_steps=400,
    )  # fmt: skip
    test = RangeTest(sweep=report.sweep, analysis=analysis, recommendation=advice, n_train=400)
    edge = next(finding for finding in check_range_test(test) if finding.code == "LR107")
    assert edge.advice.removeprefix("Sweep further: ").rstrip(".") in advice.sentence


def test_what_training_without_a_race_reached_is_stored() -> None:
    rng = np.random.default_rng(0)
    proof = Proof(losses=rng.random(50), looks=rng.random((8, 50)), baseline=np.full(50, 0.7), n_runs=5)
    stored = to_dict(replace(ok_report(), proof=proof))["proof"]
    assert (stored["gain"], stored["gain_se"]) == gain(proof.losses, proof.baseline)
    assert [(look["gain"], look["gain_se"]) for look in stored["looks"]] == [
        gain(look, proof.baseline) for look in proof.looks
    ]
    assert (stored["n_runs"], stored["n_held_out"], stored["baseline_loss"]) == (5, 50, pytest.approx(0.7))


def test_the_gradients_norms_are_stored() -> None:
    report = ok_report()
    curve, stored = gradient_curve(report), to_dict(report)["gradient"]
    assert stored["median"] == curve.median.tolist()
    assert stored["lrs"] == curve.lrs.tolist()


def test_how_far_each_candidate_ends_above_the_advised_one_is_stored() -> None:
    race = to_dict(raced_report())["race"]
    ours = next(
        c for c in race["candidates"] if (c["schedule"], c["lr"]) == (race["winner"]["schedule"], race["winner"]["lr"])
    )
    assert (ours["above"], ours["above_se"]) == (0.0, 0.0)
    known = [candidate for candidate in race["candidates"] if candidate["loss"] is not None]
    assert len(known) > 1
    for candidate in known:
        assert candidate["above"] == pytest.approx(candidate["loss"] - ours["loss"])
