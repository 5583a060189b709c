"""Several runs side by side."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from log_fixture import broken, healthy, run, write_log
from rich.console import Console

from lrfind.diagnose import diagnose
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis.comparison import compare, told_apart
from lrfind.report.diagnosis.comparison_plot import lines_of
from lrfind.report.diagnosis.html import to_html
from lrfind.report.diagnosis.serialise import document
from lrfind.report.diagnosis.terminal import print_diagnoses
from lrfind.report.diagnosis.words import hedge


def diagnoses(folder: Path, **losses: np.ndarray) -> list[Diagnosis]:
    """Diagnose one log for each loss, the first at rate 0.001, the next at 0.01 and so on."""
    return [
        diagnose(str(write_log(folder / f"{name}.csv", loss, lr=0.001 * 10**number)))
        for number, (name, loss) in enumerate(losses.items())
    ]


def test_several_logs_are_ranked_and_the_diverged_one_is_last(tmp_path: Path):
    compared = compare(diagnoses(tmp_path, low=healthy(floor=0.5), best=healthy(floor=0.1), nan=broken()))
    assert [s.name for s in compared.standings] == ["best.csv", "low.csv", "nan.csv"]
    assert compared.best == (
        "best.csv (peak rate 0.01) ended with the lowest training loss, 0.0998 over its last tenth, "
        "0.399 below low.csv."
    )
    assert compared.others == "Diverged (LR201): nan.csv."
    assert compared.further == ""


def test_the_best_at_an_end_of_the_rates_tried_asks_for_one_beyond(tmp_path: Path):
    by_rate = {"a": healthy(floor=0.5), "b": healthy(floor=0.3), "c": healthy(floor=0.1)}
    assert "No higher rate was tried: 0.3 " in compare(diagnoses(tmp_path, **by_rate)).further
    backward = dict(reversed(by_rate.items()))
    assert "No lower rate was tried: 0.00033 " in compare(diagnoses(tmp_path, **backward)).further


def test_runs_within_the_noise_of_each_other_are_called_so(tmp_path: Path):
    compared = compare(diagnoses(tmp_path, a=healthy(), b=healthy(floor=0.20001)))
    assert "within the noise" in compared.best


def test_runs_that_all_diverged_have_no_best(tmp_path: Path):
    compared = compare(diagnoses(tmp_path, a=broken(), b=broken()))
    assert (compared.best, compared.further) == ("Both runs diverged.", "")


def test_the_held_out_loss_decides_where_every_log_has_one(tmp_path: Path):
    paths = []
    for name, val in (("lower", 0.4), ("higher", 0.3)):
        rows = [f"{t},{loss:.5f},{val + 1 / t:.5f}" for t, loss in enumerate(healthy(floor=val / 2), start=1)]
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text("\n".join(["step,loss,val_loss", *rows]))
    compared = compare([diagnose(str(path)) for path in paths])
    assert compared.measure == "val_loss"
    assert compared.standings[0].name == "higher.csv"
    # The mean of 1 / t over the last tenth, 271 to 300.
    assert compared.standings[0].loss == pytest.approx(0.3 + np.mean(1 / np.arange(271, 301)), abs=1e-4)
    assert compared.standings[0].lowest_step == 300


def test_logs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path):
    for folder, floor in (("a", 0.5), ("b", 0.1)):
        (tmp_path / folder).mkdir()
        write_log(tmp_path / folder / "metrics.csv", healthy(floor=floor))
    every = [diagnose(str(tmp_path / folder / "metrics.csv")) for folder in ("a", "b")]
    assert [d.log.name for d in told_apart(every)] == ["a/metrics.csv", "b/metrics.csv"]
    assert [d.log.name for d in told_apart(every[:1])] == ["metrics.csv"]


def test_the_document_holds_every_log_and_the_comparison(tmp_path: Path):
    written = document(diagnoses(tmp_path, a=healthy(), b=broken()))
    assert set(written) == {"logs", "comparison"}
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert set(written["comparison"]) == {"measure", "standings", "sentence", "margin", "noise"}


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_table_fits_its_screen(tmp_path: Path, width: int, encoding: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    losses = {"a_run_with_a_rather_long_name_of_its_own": healthy(floor=0.5), "b": healthy(floor=0.1), "c": broken()}
    every = diagnoses(tmp_path, **losses)
    done = run(*(d.log.path for d in every), width=width)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= width
    head = done.stdout.splitlines()
    assert any("b.csv" in line and "0.01" in line for line in head)


@pytest.mark.parametrize(("n_logs", "n_told"), [(6, 6), (7, 1)])
def test_of_many_runs_only_the_best_is_told_about_below_the_table(tmp_path: Path, n_logs: int, n_told: int):
    every = [diagnose(str(write_log(tmp_path / f"{k}.csv", healthy(floor=0.9 - k / 10)))) for k in range(n_logs)]
    console = Console(file=StringIO(), width=100)
    print_diagnoses(every, console)
    text = console.file.getvalue()
    assert text.count("  Verdict ") == n_told
    assert f"{n_logs - 1}.csv · csv · 300 points" in text
    assert ("lrfind diagnose LOG" in text) == (n_told == 1)


def test_runs_of_different_length_are_called_so(tmp_path: Path):
    every = [diagnose(str(write_log(tmp_path / f"{n}.csv", healthy(n)))) for n in (300, 290)]
    assert "equal length" not in hedge(compare(every))
    every.append(diagnose(str(write_log(tmp_path / "short.csv", healthy(100)))))
    assert "not of equal length: they end at 100 to 300." in hedge(compare(every))


def test_runs_that_count_different_things_are_drawn_over_their_own_lengths(tmp_path: Path):
    steps, epochs = write_log(tmp_path / "steps.csv", healthy()), tmp_path / "epochs.csv"
    epochs.write_text(write_log(tmp_path / "e.csv", healthy(40)).read_text().replace("step", "epoch"))
    every = [diagnose(str(path)) for path in (epochs, steps)]
    compared = compare(every)
    assert [(s.name, s.unit) for s in compared.standings] == [("steps.csv", "step"), ("epochs.csv", "epoch")]
    assert compared.unit == ""
    assert "count different things" in hedge(compared)
    lines = lines_of(compared)
    assert lines is not None
    assert (lines.unit, lines.first, lines.last) == ("% of the run", 0, 100)
    page = to_html(every, created="2026-01-02T10:00:00+00:00")
    assert " at step " in page
    assert " at epoch " in page
    alike = lines_of(compare(every[:1]))
    assert alike is not None
    assert alike.unit == "epoch"
