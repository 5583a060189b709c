"""From evidence to advice: what is read, what is proved, what is refused, what is rescaled."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from prior_fixture import expecting
from race_fixture import BEST, lost_report, raced_report

from lrfind.curve import MINIMUM_MARGIN, WIDTH_ABOVE, WIDTH_BELOW, Analysis, Landmark, Outcome, read_rate
from lrfind.errors import UsageError
from lrfind.recommend import AGREEING_RATES, Proof, adapt, agrees, gain, has_signal, read_schedule, recommend
from lrfind.recommend.adapt import LINEAR_RULE
from lrfind.schedule import values

LRS = np.geomspace(1e-7, 10, 400)
FOR = {"optimizer": "adam", "batch_size": 64, "train_steps": 400}


def at(lr: float) -> Landmark:
    return Landmark(lr=lr, low=lr / 1.1, high=lr * 1.1)


def curve(outcome: Outcome = Outcome.OK, **marks: Landmark | None) -> Analysis:
    places = {
        "onset": at(1e-4), "steepest": at(1e-3), "fallen": at(4e-3), "minimum": at(3e-2), "divergence": at(0.3), **marks
    }  # fmt: skip
    flat = np.full(len(LRS), 0.7)
    return Analysis(
        lrs=LRS.copy(), pooled=flat.copy(), low=flat.copy(), high=flat.copy(), start_loss=0.7, min_loss=0.1,
        noise=0.02, noise_removed=0.0, rules={"valley": 2e-3, "slide": None}, outcome=outcome, **places,
    )  # fmt: skip


def proof(better: float, *, n_rows: int = 100, spread: float = 0.1) -> Proof:
    rng = np.random.default_rng(0)
    noise = spread * rng.standard_normal(n_rows)
    baseline = np.full(n_rows, 0.7)
    losses = baseline - better - (noise - noise.mean())
    return Proof(losses=losses, looks=losses[None], baseline=baseline, n_runs=4)


def advise(analysis: Analysis, proved: Proof | None):
    return recommend(analysis, reading=read_rate(analysis), proof=proved, **FOR)


def test_the_rate_is_the_geometric_mean_of_three_readings():
    reading = read_rate(curve())
    expected = (3e-2 / MINIMUM_MARGIN * 4e-3 * math.sqrt(1e-3 * 3e-2)) ** (1 / 3)
    assert reading.lr == pytest.approx(expected)
    assert reading.low == pytest.approx(expected * 10**-WIDTH_BELOW)
    assert reading.high == pytest.approx(expected * 10**WIDTH_ABOVE)


def test_the_rate_never_passes_divergence_or_the_range():
    reading = read_rate(curve(steepest=at(0.28), fallen=at(0.29), minimum=at(0.295), divergence=at(0.2)))
    assert reading.lr <= 0.2
    assert reading.high <= 0.2
    assert read_rate(curve(minimum=None)) is None


def test_a_rate_close_to_divergence_is_warmed_up():
    reading = read_rate(curve())
    name, why = read_schedule(reading, curve(divergence=at(2 * reading.lr)), train_steps=400)
    assert name == "warmup_cosine"
    assert "1.8 times" in why
    assert read_schedule(reading, curve(divergence=at(2 * reading.lr)), train_steps=10)[0] == "cosine"
    assert read_schedule(reading, curve(), train_steps=400)[0] == "cosine"


def test_gain_and_its_error_are_the_textbook_ones():
    losses, baseline = np.array([0.1, 0.2, 0.6]), np.array([0.5, 0.5, 0.5])
    better, error = gain(losses, baseline)
    assert better == pytest.approx(0.2)
    assert error == pytest.approx(np.std(baseline - losses, ddof=1) / math.sqrt(3))
    assert gain(np.array([np.nan, 1.0, 1.0]), baseline) == (-math.inf, 0.0)


def test_a_gain_counts_when_it_is_clear_and_large_enough():
    assert has_signal(proof(0.3))
    assert not has_signal(proof(0.0))
    assert not has_signal(proof(0.3, spread=5.0))  # large, but lost in noise
    assert not has_signal(proof(0.01, spread=0.001))  # clear, but next to nothing


def test_one_look_that_shows_a_gain_is_enough():
    early, late = proof(0.3), proof(-0.2)
    both = Proof(losses=late.losses, looks=np.stack([early.losses, late.losses]), baseline=late.baseline, n_runs=4)
    assert has_signal(both)


def test_good_evidence_gives_a_rate_an_interval_and_a_schedule():
    advice = advise(curve(), proof(0.3))
    assert advice.verdict == "ok"
    assert advice.lr_low < advice.lr < advice.lr_high < advice.lr_max_stable == 0.3
    assert advice.schedule.peak_lr == advice.lr
    assert values(advice.schedule)[0] == pytest.approx(advice.lr)
    assert advice.expected.val_loss == pytest.approx(0.4)
    assert {evidence.name for evidence in advice.evidence} >= {"schedule", "range test", "held-out", "valley", "slide"}


@pytest.mark.parametrize(
    ("outcome", "marks", "verdict", "words"),
    [
        (Outcome.DIVERGES_AT_ONCE, {"minimum": None}, "range_too_narrow", "--lr-min 1e-10"),
        (Outcome.NEVER_FALLS, {"divergence": None}, "range_too_narrow", "--lr-max 10000"),
        (Outcome.NEVER_FALLS, {}, "no_signal", "Check the target"),
        (Outcome.NOISE_HIDES_FALL, {}, "no_signal", "more rows"),
        (Outcome.STILL_FALLING, {"fallen": at(8.0), "divergence": None}, "range_too_narrow", "--lr-max"),
    ],
)
def test_what_the_curve_cannot_answer_is_refused_with_what_to_try(outcome, marks, verdict, words):
    advice = advise(curve(outcome, **marks), proof(0.3))
    assert advice.verdict == verdict
    assert words in advice.sentence
    assert advice.lr is advice.schedule is advice.lr_low is None


def test_a_curve_that_still_falls_gently_at_the_end_has_an_answer():
    assert advise(curve(Outcome.STILL_FALLING, divergence=None), proof(0.3)).verdict == "ok"


def test_seeds_that_disagree_make_a_first_guess():
    advice = advise(curve(Outcome.SEEDS_DISAGREE), proof(0.3))
    assert advice.verdict == "unstable"
    assert advice.lr is not None


def test_nothing_learned_on_held_out_rows_is_no_signal():
    advice = advise(curve(), proof(0.0))
    assert advice.verdict == "no_signal"
    assert "rows held out" in advice.sentence
    assert advice.lr is None
    diverged = proof(0.3)
    lost = np.full_like(diverged.losses, np.nan)
    nothing = Proof(losses=lost, looks=lost[None], baseline=diverged.baseline, n_runs=4)
    assert "every run diverged" in advise(curve(), nothing).sentence


def test_too_few_held_out_rows_are_too_little_data():
    advice = advise(curve(), proof(0.3, n_rows=5))
    assert advice.verdict == "too_little_data"
    assert "Only 5 rows" in advice.sentence


def test_batch_size_rescales_by_the_optimisers_rule():
    advice = advise(curve(), proof(0.3))
    for optimizer, factor in (("adam", 2.0), *((name, 4.0) for name in LINEAR_RULE)):
        changed = adapt(replace(advice, optimizer=optimizer), batch_size=256)
        # to the two digits that a rate deserves
        for changed_lr, lr in (
            (changed.lr, advice.lr),
            (changed.lr_low, advice.lr_low),
            (changed.lr_max_stable, advice.lr_max_stable),
        ):
            assert changed_lr == pytest.approx(factor * lr, rel=0.05)
            assert float(f"{changed_lr:.2g}") == changed_lr
        assert changed.schedule.peak_lr == changed.lr
        assert "rule" in changed.evidence[0].text
        assert changed.expected is None


def test_far_changes_are_called_a_guess():
    advice = advise(curve(), proof(0.3))
    assert "sweep again" in adapt(advice, batch_size=4096).evidence[0].text
    assert "sweep again" in adapt(advice, train_steps=40_000).evidence[0].text
    assert "sweep again" not in adapt(advice, batch_size=128).evidence[0].text


def test_steps_stretch_the_schedule_and_keep_its_peak():
    advice = advise(curve(), proof(0.3))
    changed = adapt(advice, train_steps=1000)
    assert changed.schedule.n_steps == changed.train_steps == 1000
    assert changed.lr == advice.lr


def test_a_schedule_that_was_not_raced_says_so():
    advice = advise(curve(), proof(0.3))
    changed = adapt(advice, schedule="one_cycle")
    assert changed.schedule.name == "one_cycle"
    assert changed.lr == advice.lr
    assert "not raced" in changed.evidence[0].text
    assert changed.expected is None
    # a constant rate stays at its peak: half of a cosine's has the same mean
    halved = adapt(advice, schedule="constant")
    assert halved.lr == pytest.approx(advice.lr / 2, rel=0.05)
    assert values(halved.schedule).mean() == pytest.approx(values(advice.schedule).mean(), rel=0.05)


def test_a_schedule_that_was_raced_is_taken_as_it_was_raced():
    report = raced_report()
    analysis = curve()
    advice = recommend(analysis, reading=read_rate(analysis), proof=None, race=report.race, **FOR)
    assert [each.schedule for each in advice.raced] == [margin.schedule for margin in report.race.margins]
    constant = next(margin for margin in report.race.margins if margin.schedule == "constant")
    changed = adapt(advice, schedule="constant")
    assert (changed.lr, changed.lr_low, changed.lr_high) == (constant.lr, constant.low, constant.high)
    assert changed.schedule.peak_lr == constant.lr
    assert changed.expected.val_loss == constant.loss
    said = changed.evidence[0].text
    assert "raced" in said
    assert "clearly worse than warmup_cosine, the lowest raced" in said
    # what was said of the schedule advised is not said of another
    assert not [reason for reason in changed.evidence[1:] if reason.name in ("schedule", "defaults", "sooner")]
    assert adapt(changed, schedule="warmup_cosine").lr == advice.lr


def test_nothing_to_change_changes_nothing():
    advice = advise(curve(), proof(0.3))
    assert adapt(advice) == advice
    assert adapt(advice, batch_size=64, train_steps=400) == advice
    refused = advise(curve(), proof(0.0))
    assert adapt(refused, batch_size=128) is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "--batch-size is 0: expected a whole number from 1"),
        ({"train_steps": -3}, "--train-steps is -3: expected a whole number from 1"),
        ({"schedule": "cosin"}, "unknown schedule 'cosin': did you mean 'cosine'?"),
    ],
)
def test_impossible_changes_are_refused(options, message):
    with pytest.raises(UsageError) as caught:
        adapt(advise(curve(), proof(0.3)), **options)
    assert str(caught.value) == message


def experience_of(race, expected: float) -> str:
    analysis = curve()
    advice = recommend(analysis, reading=read_rate(analysis), proof=None, race=race, prior=expecting(expected), **FOR)
    (evidence,) = (evidence for evidence in advice.evidence if evidence.name == "experience")
    return evidence.text


@pytest.mark.parametrize(
    ("factor", "words"),
    [(0.9 * AGREEING_RATES, "agrees."), (4.0, "says 4.0 times lower."), (1 / 5, "says 5.0 times higher.")],
)
def test_a_race_is_set_against_what_was_expected_of_it(factor, words):
    race = raced_report().race
    assert experience_of(race, factor * BEST).endswith(f"; this race {words}")
    assert agrees(race, expecting(factor * BEST)) == (words == "agrees.")


def test_a_race_without_signal_is_not_set_against_anything():
    assert "this race" not in experience_of(lost_report().race, 4 * BEST)
