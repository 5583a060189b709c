"""Facts in words: numbers, titles, and the answers to "can I trust this?"."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_fixture import FINDINGS, REPORTS, never_diverges_report, no_signal_report, ok_report
from test_report_serialise import empty

from lrfind.curve import Landmark
from lrfind.problem import Encoding
from lrfind.recommend import Expected
from lrfind.report import words
from lrfind.report.titles import gradient_title, loss_title, schedule_title
from lrfind.report.trust import trust
from lrfind.schedule import SCHEDULES, make_schedule
from lrfind.text import measured


@pytest.mark.parametrize(
    ("lr", "text"),
    [(0.0042, "0.0042"), (0.00419, "0.0042"), (1.2e-5, "1.2e-5"), (10.0, "10"), (123.0, "120"), (0.21, "0.21"),
     (99.6, "100"), (3e7, "3e7"), (None, "none"), (float("nan"), "none"), (float("inf"), "none")],
)  # fmt: skip
def test_rates_have_two_significant_digits(lr: float | None, text: str) -> None:
    assert words.rate(lr) == text


@given(st.floats(1e-12, 1e5))
def test_rates_are_numbers_within_five_percent(lr: float) -> None:
    assert float(words.rate(lr)) == pytest.approx(lr, rel=0.05)


@pytest.mark.parametrize(
    ("lr", "text"),
    [(1e-7, "1e-7"), (1e-5, "1e-5"), (1e-4, "0.0001"), (0.001, "0.001"), (1.0, "1"), (1e4, "10,000"), (1e6, "1e6")],
)
def test_ticks_are_real_numbers(lr: float, text: str) -> None:
    assert words.tick(lr) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [(0.0368, 0.0112, "0.037 ± 0.011"), (0.0812, 0.006, "0.081 ± 0.006"), (123.4, 25.0, "123 ± 25"), (0.5, 0.0, "0.5"),
     (0.5, float("nan"), "0.5")],
)  # fmt: skip
def test_a_mean_has_the_digits_its_error_allows(value: float, error: float, text: str) -> None:
    assert measured(value, error) == text


@pytest.mark.parametrize(
    ("count", "noun", "text"), [(1, "row", "1 row"), (1234, "row", "1,234 rows"), (2, "class", "2 classes")]
)
def test_plurals(count: int, noun: str, text: str) -> None:
    assert words.plural(count, noun) == text


@pytest.mark.parametrize(
    ("low", "high", "text", "span"),
    [(0.001, 0.1, "between 0.001 and 0.1", "0.001 to 0.1"), (0.001, None, "from 0.001 up", "from 0.001 up"),
     (None, 0.1, "up to 0.1", "up to 0.1"), (None, None, "interval not known", "interval not known")],
)  # fmt: skip
def test_intervals_say_what_is_known(low: float | None, high: float | None, text: str, span: str) -> None:
    advice = replace(ok_report().recommendation, lr_low=low, lr_high=high)
    assert words.interval(advice) == text
    assert words.span(advice) == span


def test_columns_are_counted_by_what_became_of_them() -> None:
    report = ok_report()
    assert words.preparation(report) == "30 columns standardised"
    hows = ["a", "a", "dropped: constant", "dropped: id-like", "b", "c", "d"]
    made = tuple(Encoding(column="x", how=how, n_features=1, n_missing=0) for how in hows)
    mixed = replace(report, problem=replace(report.problem, encodings=made))
    assert words.preparation(mixed) == "7 columns: 2 a, 2 dropped, 1 b, 1 c, …"
    assert words.preparation(replace(report, problem=replace(report.problem, encodings=()))) == "0 columns"


def test_findings_come_errors_first_and_advice_is_theirs_before_ours() -> None:
    report = ok_report()
    assert words.suspicions(report) == "LR105 seeds disagree"
    error = replace(FINDINGS[0], state="found", advice="Look.")
    both = replace(report, findings=(FINDINGS[2], error))
    assert [finding.code for finding in words.found(both)] == ["LR101", "LR105"]
    silent = replace(no_signal_report(), command=("lrfind", "sweep", "a b.csv", "--target", "y", "--steps", "50"))
    see = "lrfind check 'a b.csv' --target y says whether other models find a signal"
    # rows held out show nothing: what the curve might need is beside the point, unless it shows nothing either
    assert words.to_try(replace(silent, findings=(FINDINGS[2],))).startswith(see)
    assert words.to_try(replace(silent, findings=(FINDINGS[2], error))).startswith(f"Look. {see}")
    none = replace(silent, findings=())
    guessed = replace(none, problem=replace(none.problem, target_reason="it is the last column"))
    named = replace(none, problem=replace(none.problem, target_reason="it was asked for"))
    assert words.to_try(guessed) == f"{see}; --target names another column"
    assert words.to_try(named) == see
    clean = replace(none, table=replace(none.table, notes=()), problem=replace(none.problem, n_rows_dropped=0))
    assert words.suspicions(clean) == "nothing suspicious found"
    assert words.suspicions(none) == ""


def test_remarks_are_what_happened_to_the_file_and_rows_left_out() -> None:
    report = ok_report()
    table = replace(report.table, notes=("column 'a': 1 value is not numeric",))
    problem = replace(report.problem, n_rows_dropped=2, notes=("2 rows without a target left out", "more"))
    assert words.remarks(replace(report, table=table, problem=problem)) == [
        "column 'a': 1 value is not numeric",
        "2 rows without a target left out",
    ]
    assert words.remarks(replace(report, table=table, problem=replace(problem, n_rows_dropped=0))) == [table.notes[0]]


def test_a_guessed_target_is_told_and_a_named_one_not() -> None:
    report = ok_report()
    assert words.guess(report) == "diagnosis: it is the last column; --target names another"
    named = replace(report, problem=replace(report.problem, target_reason="it was asked for"))
    assert words.guess(named) == ""


def test_evidence_for_the_rate_leaves_rules_and_schedule_out() -> None:
    report = ok_report()
    kept = words.reasons(report.recommendation, rules=report.analysis.rules)
    assert [reason.name for reason in kept] == [
        "range test",
        "held-out",
    ]
    assert words.schedule_reason(report.recommendation).startswith("divergence begins at only 2.1 times")
    assert words.schedule_reason(no_signal_report().recommendation) == ""


def test_data_are_known_by_hash_or_by_size_and_time() -> None:
    report = ok_report()
    assert words.reproducible(report) == "sha256 " + "9f" * 32
    source = replace(report.table.source, sha256=None, mtime=None)
    assert words.reproducible(replace(report, table=replace(report.table, source=source))) == "119,913 bytes"


def test_stable_limit_is_a_rate_or_lies_beyond_what_was_tried() -> None:
    report = never_diverges_report()
    assert words.stable(ok_report().recommendation) == "0.21"
    assert words.stable(report.recommendation, highest=words.highest(report)) == "beyond 10, the highest tried"
    assert words.stable(report.recommendation, highest=words.highest(empty(report))) == "not known"


def test_regression_losses_have_their_own_unit() -> None:
    assert words.loss_unit(ok_report()) == "cross-entropy, nats"
    assert words.loss_unit(REPORTS["hostile"]()) == "squared error in target variances"


def test_loss_title_is_the_finding() -> None:
    assert loss_title(ok_report()) == "Any rate from 0.0015 to 0.012 trains well; above 0.21 it diverges"
    assert loss_title(no_signal_report()) == "The loss never falls below where it starts by more than noise"
    unlimited = replace(ok_report().recommendation, lr_max_stable=None)
    assert loss_title(replace(ok_report(), recommendation=unlimited)) == "Any rate from 0.0015 to 0.012 trains well"


@pytest.mark.parametrize(
    ("name", "title"),
    [("constant", "constant holds 0.01 for 100 steps"),
     ("cosine", "cosine falls from 0.01 to almost nothing in 100 steps"),
     ("step", "step falls from 0.01 to 0.0001 in 100 steps"),
     ("warm_restarts", "warm_restarts reaches its peak of 0.01 3 times in 100 steps"),
     ("warmup_cosine", "warmup_cosine rises to 0.01 by step 10, then falls to almost nothing"),
     ("cyclical", "cyclical reaches its peak of 0.0097 4 times in 100 steps")],
)  # fmt: skip
def test_schedule_titles_say_what_the_rate_does(name: str, title: str) -> None:
    assert schedule_title(make_schedule(name, peak_lr=0.01, n_steps=100)) == title


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_has_a_title(name: str) -> None:
    assert schedule_title(make_schedule(name, peak_lr=0.01, n_steps=1)).startswith(name)


def test_gradient_titles() -> None:
    report = ok_report()
    assert gradient_title(report) == "Above 0.21 the gradients grow more than 1,000-fold"
    assert gradient_title(empty(report)) == "No gradient norms were recorded"
    flat = replace(report, sweep=replace(report.sweep, grad_norms=np.ones_like(report.sweep.losses)))
    assert gradient_title(flat) == "The gradient's norm stays between 1 and 1"
    grown = np.where(report.sweep.lrs >= 0.21, 40.0, 1.0) * np.ones((8, 1))
    assert gradient_title(replace(report, sweep=replace(report.sweep, grad_norms=grown))).endswith("grow 40-fold")
    early = replace(report.recommendation, lr_max_stable=1e-9)
    assert gradient_title(replace(flat, recommendation=early)) == "The gradient's norm stays between 1 and 1"


def test_a_good_run_is_trusted() -> None:
    answers = trust(ok_report())
    assert [answer.state for answer in answers] == ["yes", "yes", "yes", "yes", "unknown"]
    assert (
        answers[0].text == "On 142 rows held out the loss is 0.081 ± 0.006, 88 % below the 0.661 of a constant guess."
    )
    assert "square root" in answers[4].text


def test_a_run_without_signal_is_not() -> None:
    answers = trust(no_signal_report())
    assert [answer.state for answer in answers] == ["unknown", "careful", "yes", "unknown", "unknown"]


def test_a_run_that_never_diverges_is_taken_with_care() -> None:
    answers = trust(never_diverges_report())
    assert answers[2].state == "unknown"
    assert "still well behaved" in answers[3].text
    assert "linear" in answers[4].text
    report = never_diverges_report()
    nearer = replace(report, recommendation=replace(report.recommendation, lr=9.0))
    assert trust(nearer)[3].state == "careful"


def test_no_gain_and_seeds_that_disagree_ask_for_care() -> None:
    report = ok_report()
    worse = Expected(val_loss=0.8, val_loss_se=0.01, baseline_loss=0.661)
    analysis = replace(report.analysis, minimum=Landmark(lr=0.01, low=1e-4, high=0.1), noise=0.0)
    answers = trust(replace(report, analysis=analysis, recommendation=replace(report.recommendation, expected=worse)))
    assert [answer.state for answer in answers] == ["careful", "unknown", "careful", "yes", "unknown"]
    assert "21 % above the 0.661" in answers[0].text
    nothing = Expected(val_loss=0.0, val_loss_se=0.0, baseline_loss=0.0)
    answers = trust(replace(report, recommendation=replace(report.recommendation, expected=nothing)))
    assert "%" not in answers[0].text


def test_a_target_chosen_by_its_name_is_told_too() -> None:
    report = ok_report()
    named = replace(report, problem=replace(report.problem, target="label", target_reason="of its name"))
    assert words.guess(named) == "label: its name says so; --target names another"


def test_the_task_is_told_where_it_could_be_doubted() -> None:
    problem = replace(ok_report().problem, task_reason="the target's values are the whole numbers 0 to 9 (--task x)")
    assert words.task_guess(problem) == ""
    doubted = replace(problem, task_doubt="--task regression if they are amounts")
    assert words.task_guess(doubted) == (
        f"{problem.task}: the target's values are the whole numbers 0 to 9; --task regression if they are amounts"
    )


def test_remarks_of_the_problem_come_first() -> None:
    report = ok_report()
    problem = replace(report.problem, remarks=("column 'id' was left out: it numbers the rows",), n_rows_dropped=0)
    assert words.remarks(replace(report, problem=problem))[0] == "column 'id' was left out: it numbers the rows"
