"""Whatever is printed of a run is true of it: numbers, claims and commands, on tables of many kinds."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import honesty_claims as claims
import pytest
from honesty_check import is_explained, printed_numbers, unexplained
from honesty_runs import stored
from honesty_tables import CASES
from honesty_text import numbers

NAMES = [case.name for case in CASES]
# Share of numbers with one digit changed that must be objected to; a changed digit may give another true number.
CAUGHT = 0.9
FEWEST_TABLES = 30


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Return a folder that all workers share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if hasattr(request.config, "workerinput") else base) / "honesty"


@pytest.mark.parametrize("name", NAMES)
def test_every_number_printed_is_the_runs_own_and_every_claim_holds(name: str, root: Path) -> None:
    run = stored(name, root)
    assert unexplained(run) == []
    assert claims.objections(run) == []


def test_tables_are_of_many_kinds_with_and_without_an_answer(root: Path) -> None:
    assert len(NAMES) >= FEWEST_TABLES
    verdicts = [
        stored(name, root).document["recommendation"]["verdict"] for name in ("sgd", "noise_classes", "ends_low")
    ]
    assert verdicts == ["ok", "no_signal", "range_too_narrow"]


# The checks themselves can fail.


@pytest.mark.parametrize("name", ["vehicles_auto_mpg", "tiny", "noise_classes"])
def test_a_changed_digit_is_objected_to(name: str, root: Path) -> None:
    run, draw = stored(name, root), random.Random(0)
    caught = []
    for piece, number in printed_numbers(run):
        place = draw.choice([i for i, character in enumerate(number.text) if character.isdigit()])
        digit = draw.choice([digit for digit in "0123456789" if digit != number.text[place]])
        changed = replace(number, text=f"{number.text[:place]}{digit}{number.text[place + 1 :]}")
        caught.append(not is_explained(changed, piece, run))
    assert sum(caught) > CAUGHT * len(caught)


@pytest.mark.parametrize("medium", ["terminal 80", "recommend", "page", "code torch"])
def test_a_changed_text_is_objected_to(medium: str, root: Path) -> None:
    run = stored("vehicles_auto_mpg", root)
    low = claims.rate(run.document["recommendation"]["lr_low"])
    changed = run.texts[medium].replace(low, f"{low}7")
    assert changed != run.texts[medium]
    spoiled = replace(run, texts={**run.texts, medium: changed})
    assert any(f"{low}7" in objection for objection in unexplained(spoiled))
    assert any("does not name the range" in objection for objection in claims.objections(spoiled))


def _spoil_winner(document: dict[str, Any]) -> None:
    for candidate in document["race"]["candidates"]:
        candidate["above"] -= 1.0


def _spoil_error(document: dict[str, Any]) -> None:
    for candidate in document["race"]["candidates"]:
        candidate["above_se"] = 0.0


def _spoil_standing(document: dict[str, Any]) -> None:
    document["race"]["margins"][-1]["standing"] = "lowest"


def _spoil_default(document: dict[str, Any]) -> None:
    for leader in document["race"]["leaders"]:
        leader["cost"], leader["cost_se"] = -0.3, 0.01


def _spoil_constant(document: dict[str, Any]) -> None:
    next(leader for leader in document["race"]["leaders"] if leader["label"] == "best constant")["lr"] = 1e-9


def _spoil_rows(document: dict[str, Any]) -> None:
    document["problem"]["n_train"] += 1


def _spoil_loss(document: dict[str, Any]) -> None:
    for candidate in document["race"]["candidates"]:
        candidate["loss"] += 0.1


@pytest.mark.parametrize(
    ("spoil", "claim"),
    [
        (_spoil_winner, "nothing_measured_beats_the_advice"),
        (_spoil_error, "nothing_measured_beats_the_advice"),
        (_spoil_standing, "standings_follow_one_rule"),
        (_spoil_default, "defaults_cost_what_they_are_said_to"),
        (_spoil_constant, "best_constant_is_the_best"),
        (_spoil_rows, "held_out_rows_are_counted"),
        (_spoil_loss, "pointing_at_a_chart_shows_what_was_measured"),
        (lambda document: document["recommendation"].update(batch_size=65), "exported_rates_are_the_schedules"),
        (lambda document: document["recommendation"]["schedule"].update(peak_lr=1), "exported_rates_are_the_schedules"),
        (lambda document: document["recommendation"].update(lr=0.123), "the_answer_is_the_same_everywhere"),
        (lambda document: document["recommendation"].update(lr=None), "no_answer_is_told_in_one_voice"),
    ],
)
def test_a_false_claim_is_objected_to(spoil: Callable[[Any], Any], claim: str, root: Path) -> None:
    run = stored("biology_iris", root)
    document = copy.deepcopy(run.document)
    spoil(document)
    assert claim in {
        objection.split(", ")[1].split(":")[0] for objection in claims.objections(replace(run, document=document))
    }


def test_a_lowest_rate_at_the_end_of_its_row_is_objected_to(root: Path) -> None:
    run = stored("biology_penguins", root)
    document = copy.deepcopy(run.document)
    loss = {c["lr"]: c["loss"] for c in document["race"]["candidates"] if c["schedule"] == "linear"}
    best = min(loss, key=loss.__getitem__)
    document["race"]["candidates"] = [
        c for c in document["race"]["candidates"] if c["schedule"] != "linear" or c["lr"] <= best
    ]
    assert any(
        "lowest_rates_are_bracketed: linear" in text for text in claims.objections(replace(run, document=document))
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,040 rows", [("1,040", "count", "rows")]),
        ("judged on 5 × 113 rows held out", [("5", "count", "folds"), ("113", "count", "rows")]),
        ("0.123 ± 0.004 and 4.1 ± 0.4 %", [("0.123 ± 0.004", "pair", ""), ("4.1 ± 0.4", "percent pair", "")]),
        ("5 % of 1.2e-5 to 0.0042", [("5", "percent", ""), ("1.2e-5", "plain", ""), ("0.0042", "plain", "")]),
        ("17.7 times", [("17.7", "plain", "times")]),
        ("batches of 64, LR301-LR304", [("64", "count", "batch")]),
        (
            "layers of 64, 32 and 16 (relu)",
            [("64", "count", "layer"), ("32", "count", "layer"), ("16", "count", "layer")],
        ),
        ("of 4,092, sampled", [("4,092", "count", "of")]),
        ("(y - 23.4) / 7", [("23.4", "scale", ""), ("7", "scale", "")]),
        ("read 0.12 s", [("0.12", "seconds", "")]),
        ("\u22120.001 ± 0.003", [("\u22120.001 ± 0.003", "pair", "")]),
    ],
)
def test_numbers_are_read_as_they_are_printed(text: str, expected: list[tuple[str, str, str]]) -> None:
    found = list(numbers(text))
    order = sorted(found, key=lambda number: text.index(number.text))
    assert [(n.text, n.kind, n.noun if n.kind == "count" else "") for n in order] == [
        (text, kind, noun if kind == "count" else "") for text, kind, noun in expected
    ]
