"""How the checks of training logs word what they found, over many logs of every kind."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from training_log_fixture import COSINE, SHARE, falling, make_log

from lrfind.checks.finding import Finding
from lrfind.checks.training_log import TRAINING_LOG_CHECKS, check_training_log, read_signals
from lrfind.checks.training_log.judgement import MOST_FACTOR, Advice
from lrfind.diagnose import diagnose_log
from lrfind.logs import Repair, TrainingLog
from lrfind.report.diagnosis.comparison import compare
from lrfind.report.diagnosis.words import course, extent, hedge, held_out, rates, suggestion, title

N = len(SHARE)
UNGRAMMATICAL = re.compile(r"(?<![\d.,])1 (steps|epochs|rows|points|losses|norms|times|batches|checks)\b")
STEP = re.compile(r"\b(?:step|epoch|row) ([\d,.]*\d)")


def shapes(rng: np.random.Generator) -> list[np.ndarray]:
    """Return losses of 400 points: sound ones, and what goes wrong."""
    spiky, broken, hump = falling(noise=0.02), falling(), falling()
    spiky[[150, 151, 152, 153, 300]] = 40.0
    broken[rng.integers(1, N) :] = np.nan
    hump[2:60] += 30 * np.exp(-np.arange(58) / 15)
    return [
        falling(noise=rng.uniform(0, 0.3)),
        falling(constants=rng.uniform(0.1, 3)),
        falling(noise=0.3) * rng.exponential(size=N) * 3,
        np.full(N, 0.7) + 0.01 * rng.normal(size=N),
        2.3 * np.exp(SHARE * rng.uniform(0, 200)),
        np.abs(falling(constants=80) + np.cumsum(rng.normal(size=N)) * 0.1) + 0.01,
        np.where(SHARE < 0.95, 1.0 + 0.02 * rng.normal(size=N), 0.3) + 1.3 * np.exp(-30 * SHARE),
        spiky,
        broken,
        hump,
        np.full(N, np.nan),
    ]


def schedules() -> list[np.ndarray | float | None]:
    step_down = np.where(SHARE < 0.15, 0.1, 0.001)
    warm = np.minimum(1, SHARE / 0.01) * COSINE
    return [None, 0.01, 350.0, 2e-7, 0.01 * COSINE, step_down, 12.0 * warm, np.zeros(N)]


def norms(rng: np.random.Generator) -> list[np.ndarray | None]:
    usual = rng.gamma(4.0, 250.0, size=N)
    burst = usual.copy()
    burst[100:103] = 5e8
    infinite = usual.copy()
    infinite[9] = np.inf
    return [None, usual, burst, infinite, np.minimum(usual, 400), usual * np.exp(-40 * SHARE)]


def synthetic(number: int) -> TrainingLog:
    rng = np.random.default_rng(number)
    every = shapes(rng)
    lrs, grads = schedules(), norms(rng)
    kept = slice(0, int(rng.choice([1, 2, 5, 9, 45, 100, N, N])), int(rng.choice([1, 1, 3])))
    loss = every[number % len(every)][kept] * 10.0 ** float(rng.choice([0, 0, 4, 9, -7]))
    lr, grad = lrs[number % len(lrs)], grads[number % len(grads)]
    val = loss + np.maximum(np.linspace(0, 2 * np.nanmax(loss, initial=1e-9), len(loss)) - loss, 0)
    # Of some logs one held-out loss only.
    val[0 if number % 4 else 1 :: 3 if number % 4 else 1] = np.nan
    log = make_log(
        loss, lr=lr[kept] if isinstance(lr, np.ndarray) else lr, grad_norm=None if grad is None else grad[kept],
        val_loss=val if number % 3 else None,
        repairs=(Repair(kind="gap", count=1, first="step 7", sentence="there is 1 gap in the steps"),) * (number % 2),
    )  # fmt: skip
    unit = ("step", "epoch", "row")[number % 3]
    step = log.step * float(rng.choice([0.125, 1, 25, 12_345])) if unit != "row" else log.step
    return replace(log, step=step, step_unit=unit, nonfinite_steps=step[~np.isfinite(loss)])


@pytest.fixture(scope="module")
def found() -> list[tuple[TrainingLog, Finding]]:
    logs = [synthetic(number) for number in range(528)]
    with np.errstate(over="ignore", invalid="ignore"):
        return [(log, finding) for log in logs for finding in check_training_log(log, signals=read_signals(log))]


def test_the_logs_show_every_code(found: list[tuple[TrainingLog, Finding]]):
    assert {finding.code for _, finding in found if finding.state == "found"} == {
        c.code for c, _ in TRAINING_LOG_CHECKS
    }


def test_every_sentence_is_one(found: list[tuple[TrainingLog, Finding]]):
    for _, finding in found:
        for text in filter(None, (finding.message, finding.advice)):
            assert re.fullmatch(r"[A-Z0-9].*[^.;,: ]\.", text), text
            assert "  " not in text, text


def test_numbers_read_as_a_person_writes_them(found: list[tuple[TrainingLog, Finding]]):
    for _, finding in found:
        text = f"{finding.message} {finding.advice}"
        assert not UNGRAMMATICAL.search(text), text
        assert not re.search(r"\de[+-]0|e\+|\d{7}|\bnan\b|\binf\b", text), text


def test_only_steps_that_were_logged_are_named(found: list[tuple[TrainingLog, Finding]]):
    for log, finding in found:
        if finding.code == "LR213":
            continue
        for named in STEP.findall(f"{finding.message} {finding.advice}"):
            at = float(named.replace(",", ""))
            assert np.abs(log.step - at).min() <= 1e-3 * at, finding.message
        step = finding.evidence.get("step")
        assert step is None or step in log.step, (finding.code, step)


def test_a_rate_that_is_advised_lies_in_its_interval(found: list[tuple[TrainingLog, Finding]]):
    n_intervals = 0
    for _, finding in found:
        low, advised, high = (finding.evidence.get(f"lr_suggested{end}") for end in ("_low", "", "_high"))
        assert (low is None) == (high is None)
        if low is not None:
            n_intervals += 1
            assert low < advised < high
    assert n_intervals > 100


def test_the_lines_above_the_findings_read_well(found: list[tuple[TrainingLog, Finding]]):
    diagnoses = [diagnose_log(synthetic(number)) for number in range(0, 528, 8)]
    comparison = compare(diagnoses)
    for diagnosis in diagnoses:
        words = [f(diagnosis) for f in (title, course, held_out, rates, suggestion)]
        for text in [*words, extent(diagnosis.log), comparison.sentence, hedge(comparison)]:
            assert not UNGRAMMATICAL.search(text), text
            assert not re.search(r"e\+|\de[+-]0|\bnan\b|\binf\b", text), text


def test_a_factor_beyond_those_known_is_not_named():
    assert Advice(factor=1 / 110, least=1 / 700, most=1 / 30).times() == "about 110x"
    assert Advice(factor=30.0, least=12.0, most=70.0).told() == "about 30x (12x to 70x)"
    assert Advice(factor=MOST_FACTOR, least=50.0, most=1e3).times() == f"at least {MOST_FACTOR:.0f}x"
    assert Advice(factor=1 / MOST_FACTOR, least=1e-3, most=0.1).times() == f"at least {MOST_FACTOR:.0f}x"
