"""What `diagnose` prints is true: over logs of every kind each number is the log's, or follows from its JSON."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from lrfind.checks.training_log.judgement import MOST_FACTOR
from lrfind.diagnose import diagnose, diagnose_log
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis.comparison import compare, comparison_dict, reached_by
from lrfind.report.diagnosis.html import to_html
from lrfind.report.diagnosis.serialise import to_dict
from lrfind.report.diagnosis.terminal import print_diagnoses
from lrfind.text import number, percent, place, rate

N = 400
T = np.arange(N)
SHARE = T / N
FALL = 0.2 + 2.1 * np.exp(-SHARE * 30)


def noisy(loss: np.ndarray, noise: float) -> np.ndarray:
    return loss * (1 + noise * np.random.default_rng(3).normal(size=len(loss)))


def spiky() -> np.ndarray:
    loss = noisy(FALL, 0.01)
    loss[[150, 151, 152, 153, 300]] = 40.0
    return loss


def with_nan(*, at: slice, value: float = np.nan) -> np.ndarray:
    loss = noisy(FALL, 0.02)
    loss[at] = value
    return loss


# Losses by their kind; each is tried as steps and as epochs, with rates and without.
KINDS = {
    "healthy": noisy(FALL, 0.02),
    "healthy and noisy": noisy(FALL, 0.3),
    "diverged": 0.7 * 0.985**T + 0.002 * 1.02**T,
    "exploded": 2.3 * np.exp(SHARE * 100),
    "ended in NaN": with_nan(at=slice(149, None)),
    "ended in infinity": with_nan(at=slice(200, None), value=np.inf),
    "NaN once": with_nan(at=slice(100, 101)),
    "NaN at times": with_nan(at=slice(100, 390, 30)),
    "NaN, back, and NaN": np.concatenate([with_nan(at=slice(50, 53))[:-10], np.full(10, np.nan)]),
    "too high": np.abs(noisy(1.5 + np.sin(T / 7) * np.exp(-SHARE), 0.2)) + 0.1,
    "thrown at first": noisy(FALL + 30 * np.exp(-T / 15) * (T > 0), 0.02),
    "too low": noisy(2.3 - 0.8 * SHARE, 0.01),
    "stands": noisy(np.full(N, 0.7), 0.01),
    "plateau": noisy(0.5 + 1.8 * np.exp(-SHARE * 60), 0.08),
    "spikes": spiky(),
    "small": noisy(FALL, 0.02) * 1e-7,
    "large": noisy(FALL, 0.02) * 1e9,
    "negative": noisy(FALL, 0.02) - 5,
    "through 0": noisy(FALL, 0.02) - 1,
    "few points": noisy(FALL, 0.02)[::80],
    "two points": noisy(FALL, 0.02)[:2],
    "epochs": noisy(FALL, 0.02)[::10],
    "overfit": noisy(0.02 + 2.2 * np.exp(-SHARE * 8), 0.03),
    "decayed late": noisy(np.where(SHARE < 0.95, 1.0, 0.3) + 1.3 * np.exp(-30 * SHARE), 0.02),
    "decayed early": noisy(np.maximum(2.3 - 8 * SHARE, 1.1), 0.01),
    "one row a batch": FALL * np.random.default_rng(5).exponential(size=N),
}
RATES = ("constant", "decaying", "none")
# Share of the run from which the rate is low, where that is not a cosine.
DECAYS = {"decayed late": 0.95, "decayed early": 0.15}


def written(folder: Path, kind: str, *, rates: str) -> Path:
    loss = KINDS[kind]
    share = np.arange(len(loss)) / len(loss)
    lr = np.full(len(loss), 0.1)
    if rates == "decaying":
        lr = np.where(share < DECAYS[kind], 0.1, 1e-3) if kind in DECAYS else 0.05 * (1 + np.cos(np.pi * share))
    has_val = kind in {"overfit", "epochs", "healthy", "ended in NaN"}
    val = loss + (3 * np.maximum(share - 0.3, 0) if kind == "overfit" else 0.1)
    counter = "epoch" if len(loss) < 100 else "step"
    rows = [",".join([counter, "loss", *(["lr"] if rates != "none" else []), *(["val_loss"] if has_val else [])])]
    for i, each in enumerate(loss):
        cells = [str(i), f"{each:.6g}", *([f"{lr[i]:.6g}"] if rates != "none" else [])]
        rows.append(",".join([*cells, *([f"{val[i]:.6g}"] if has_val else [])]))
    path = folder / f"{re.sub(' |,', '_', kind)}-{rates}.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def diagnoses(tmp_path_factory: pytest.TempPathFactory) -> list[Diagnosis]:
    folder = tmp_path_factory.mktemp("logs")
    return [diagnose(str(written(folder, kind, rates=rates))) for kind in KINDS for rates in RATES]


@cache
def terminal(*every: Diagnosis) -> str:
    """Return what a wide terminal shows, but for the curve and its axes, with lines that belong together joined."""
    console = Console(file=StringIO(), width=100)
    print_diagnoses(every, console)
    lines = [line for line in console.file.getvalue().splitlines() if not re.search("[│┤▲]", line)]
    kept = [
        line for line in lines if not re.fullmatch(r"\s+[\d,.]+\s+(training, and dashed held out\s+)?[\d,.]+", line)
    ]
    return re.sub(r"\s+", " ", " ".join(kept))


class Page(HTMLParser):
    """The text of a page without style, script and the numbers of axes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self._hidden = "", 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_axis = tag == "text" and "tick" in (dict(attrs).get("class") or "")
        self._hidden = 1 if tag in {"style", "script", "header", "footer"} or is_axis else self._hidden

    def handle_endtag(self, tag: str) -> None:
        self._hidden = 0 if tag in {"style", "script", "text", "header", "footer"} else self._hidden
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else data


@cache
def page(*every: Diagnosis) -> str:
    return re.sub(r"\s+", " ", Page(to_html(every, created="2026-01-02T10:00:00")).text)


def texts(diagnosis: Diagnosis) -> list[str]:
    """Return what a terminal shows, and of one log of each kind the page, which says the same at more length."""
    return [terminal(diagnosis), *([page(diagnosis)] if diagnosis.log.name.endswith("constant.csv") else [])]


def values(document: Any) -> Iterator[float]:
    """Yield every number of a JSON document."""
    if isinstance(document, dict | list):
        for each in document.values() if isinstance(document, dict) else document:
            yield from values(each)
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield float(document)


def known(diagnosis: Diagnosis) -> list[float]:
    """Return the numbers of the JSON, the first, last, lowest and highest losses of the log, and its steps."""
    log = diagnosis.log
    logged = [log.step]
    for losses in (log.loss, log.val_loss):
        finite = np.empty(0) if losses is None else losses[np.isfinite(losses)]
        logged += [np.array([finite[0], finite[-1], finite.min(), finite.max()])] if len(finite) else []
    return [*values(to_dict(diagnosis)), *(float(each) for array in logged for each in array)]


def factors(diagnosis: Diagnosis) -> Iterator[float]:
    """Yield what follows from the evidence: factors between rates, shares of 1, counts of points, a third less."""
    for finding in diagnosis.findings:
        evidence = finding.evidence
        lr = evidence.get("lr")
        for end in ("", "_low", "_high"):
            advised = evidence.get(f"lr_suggested{end}")
            if lr and advised:
                yield from (lr / advised, advised / lr)
        factor = evidence.get("factor")
        if factor:
            yield from (factor, 1 / factor, min(factor, 10))
        if lr:
            yield lr * 2 / 3
    yield from (MOST_FACTOR, len(diagnosis.findings), len(diagnosis.in_state("passed")))


def shown(value: float) -> set[str]:
    """Return how a number may be written."""
    texts = {number(value), number(value, digits=2), rate(value), place(value), number(-value), f"{value:,.0f}"}
    shares = {percent(each) for each in (value, 1 - value) if 0 <= each < 1e6}
    return {text.lstrip("-") for text in texts} | {f"{value:.1%}"} | shares


# What advice says of any log, or a text of how things are measured: gradient norms of 1.0, a tenth of the run, 20 rows,
# weight decay 0.01, a rate for Adam of 0.001, the power of ten more that is asked for.
GENERAL = {"1.0", "20", "0.01", "0.001", "0", "1", "2", "3", "5", "8", "16", "40", "60", "1,000%"}
TOKEN = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?%?")


def told(text: str, diagnosis: Diagnosis) -> list[str]:
    """Return the numbers in a text that are neither the log's nor follow from its JSON."""
    allowed = set(GENERAL)
    for value in itertools.chain(known(diagnosis), factors(diagnosis)):
        allowed |= shown(value)
    text = re.sub(r"LR\d+(-LR\d+)?|\bv?\d+\.\d+\.\d+|\S+\.csv", " ", text)
    return [token for token in TOKEN.findall(text) if token.strip(",").lstrip("-") not in allowed]


def test_every_number_is_the_log_s_or_follows_from_the_json(diagnoses: list[Diagnosis]):
    assert len(diagnoses) >= 40
    for diagnosis in diagnoses:
        for text in texts(diagnosis):
            assert told(text, diagnosis) == [], (diagnosis.log.name, told(text, diagnosis), text)


def test_start_end_and_lowest_are_the_log_s_everywhere(diagnoses: list[Diagnosis]):
    for diagnosis in diagnoses:
        log = diagnosis.log
        finite = np.isfinite(log.loss)
        loss, step = log.loss[finite], log.step[finite]
        written_ = to_dict(diagnosis)["log"]["loss"]
        ends = not len(log.nonfinite_steps) or log.nonfinite_steps[-1] < step[-1]
        assert (written_["start"], written_["lowest"]) == (loss[0], loss.min())
        assert written_["end"] == (loss[-1] if ends else None)
        assert written_["last_finite"] == loss[-1]
        lowest = f"lowest {number(loss.min())} at {log.step_unit} {place(step[np.argmin(loss)])}"
        for text in texts(diagnosis):
            assert f"{number(loss[0])} → {number(loss[-1]) if ends else ''}" in text
            assert lowest in text or "its lowest" in text


def test_what_is_called_the_end_is_the_end(diagnoses: list[Diagnosis]):
    n_seen = 0
    for diagnosis in diagnoses:
        for text in texts(diagnosis):
            for is_val, said in re.findall(r"(validation loss )?(?:ends|ended) at (-?[\d.,e-]*\d)", text):
                series = diagnosis.log.val_loss if is_val else diagnosis.log.loss
                assert said == number(series[np.isfinite(series)][-1]), text
                n_seen += 1
    assert n_seen > 40


def test_a_run_that_ended_in_nan_says_so_and_where(diagnoses: list[Diagnosis]):
    n_ended = 0
    for diagnosis in diagnoses:
        log = diagnosis.log
        steps = log.step[np.isfinite(log.loss)]
        after = log.nonfinite_steps[log.nonfinite_steps > steps[-1]]
        kind = "infinite" if "infinity" in log.name else "NaN"
        for text in texts(diagnosis):
            assert ("ended in" in text) == bool(len(after)), log.name
            if len(after):
                n_ended += 1
                assert f"→ {kind} from {log.step_unit} {place(after[0])} on" in text
                assert f"Diverged: {kind} from {log.step_unit} {place(after[0])} on (LR201)" in text
    assert n_ended >= 9


def test_no_lowest_is_above_an_end(diagnoses: list[Diagnosis]):
    for diagnosis in diagnoses:
        for finding in diagnosis.findings:
            lowest, end = finding.evidence.get("lowest"), finding.evidence.get("end")
            assert lowest is None or end is None or lowest <= end
            val_lowest, val_end = finding.evidence.get("val_lowest"), finding.evidence.get("val_end")
            assert val_lowest is None or val_lowest <= val_end


def test_the_advice_of_one_finding_keeps_to_that_of_another(diagnoses: list[Diagnosis]):
    for diagnosis in diagnoses:
        found = {finding.code: finding for finding in diagnosis.found}
        # A tenth of the rate, for a run that goes on, is no peak.
        peaks = {rate(f.evidence["lr_suggested"]) for code, f in found.items()
                 if f.evidence.get("lr_suggested") and code != "LR204"}  # fmt: skip
        assert len(peaks) <= 1, (diagnosis.log.name, {c: f.advice for c, f in found.items()})
        assert not {"LR201", "LR202"} & set(found) or "LR203" not in found
        for code, finding in found.items():
            if {"LR201", "LR202"} & set(found):
                assert not re.search(r"\b[Rr]aise the rate\b|Keep the peak|higher rate helps", finding.advice), code
            if "LR203" in found:
                assert not re.search(r"lower the|[Hh]alve", finding.advice), (code, finding.advice)
            if "LR211" in found and code in {"LR203", "LR205", "LR206"}:
                assert "times as long" not in finding.advice
                assert "LR211" in finding.advice, (code, finding.advice)


def test_findings_lead_with_what_matters(diagnoses: list[Diagnosis]):
    n_overfit = 0
    for diagnosis in diagnoses:
        codes = [finding.code for finding in diagnosis.found]
        severities = [finding.severity for finding in diagnosis.found]
        assert severities == sorted(severities, key=("error", "warning", "tip").index)
        if "LR211" in codes:
            n_overfit += 1
            assert not {"LR203", "LR204", "LR205", "LR206"} & set(codes[: codes.index("LR211")])
    assert n_overfit >= 3


def test_the_same_loss_has_the_same_digits_in_a_comparison(diagnoses: list[Diagnosis]):
    for rates in RATES:
        several = [d for d in diagnoses if d.log.name.endswith(f"{rates}.csv")][:12]
        comparison = compare(several)
        every = [value for d in several for value in known(d)] + list(values(comparison_dict(comparison)))
        allowed = GENERAL | {text for value in every for text in shown(value)}
        for standing in comparison.standings:
            if standing.loss is None:
                assert standing.ended or "diverged" in terminal(*several)
                continue
            log = next(d.log for d in several if d.log.name == standing.name)
            series = log.loss if comparison.measure == "loss" else log.val_loss
            finite = series[np.isfinite(series)]
            assert standing.loss == pytest.approx(finite[-max(len(finite) // 10, 1) :].mean(), rel=1e-12)
            assert (standing.last, standing.lowest) == (finite[-1], finite.min())
            mean = f"{standing.loss:.{2 - math.floor(math.log10(abs(standing.loss)))}f}" if standing.loss else "0"
            allowed |= {mean, *re.findall(r"[\d.]+", reached_by(standing))}
        text = re.sub(r"LR\d+|\S+\.csv", " ", comparison.sentence)
        lost = [t for t in TOKEN.findall(text) if t.strip(",").lstrip("-") not in allowed]
        assert [t for t in lost if t != rate((comparison.standings[0].lr or 0) / 3)] == [], (lost, text)
        assert reached_by(comparison.standings[0]) in comparison.best
        assert reached_by(comparison.standings[0]) in page(*several)


def test_a_false_number_would_be_seen(diagnoses: list[Diagnosis]):
    diagnosis = next(d for d in diagnoses if d.log.name.startswith("diverged"))
    finding = replace(diagnosis.findings[0], message="The loss ended at 4.44.")
    false = replace(diagnosis, findings=(finding, *diagnosis.findings[1:]))
    assert told(terminal(false), false) == ["4.44"]


def test_a_log_read_again_says_the_same(diagnoses: list[Diagnosis]):
    for diagnosis in diagnoses[::7]:
        assert terminal(diagnose_log(diagnosis.log)) == terminal(diagnosis)
