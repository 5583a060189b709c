from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from log_fixture import broken, healthy, run, write_log
from rich.console import Console

from lrfind.diagnose import diagnose
from lrfind.report.diagnosis.figures import save_figures
from lrfind.report.diagnosis.html import to_html
from lrfind.report.diagnosis.serialise import to_json
from lrfind.report.diagnosis.terminal import print_diagnoses
from lrfind.text import rate


def test_every_check_has_a_state_and_a_sentence(tmp_path: Path):
    diagnosis = diagnose(str(write_log(tmp_path / "log.csv", healthy())))
    assert [f.code for f in diagnosis.findings] == [f"LR{number}" for number in range(201, 215)]
    assert all(f.message.endswith(".") for f in diagnosis.findings)
    assert not diagnosis.found


def test_the_document_of_one_log_has_the_two_keys_of_the_contract(tmp_path: Path):
    parsed = json.loads(to_json([diagnose(str(write_log(tmp_path / "log.csv", broken())))]), parse_constant=pytest.fail)
    assert list(parsed) == ["log", "findings"]
    assert parsed["log"]["lr_suggested"] < 0.01
    assert {f["state"] for f in parsed["findings"]} <= {"found", "passed", "not_applicable"}


def test_the_same_log_gives_the_same_bytes(tmp_path: Path):
    path = str(write_log(tmp_path / "log.csv", broken()))
    assert to_json([diagnose(path)]) == to_json([diagnose(path)])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 0),
        (("--fail-on", "error"), 1),
        (("--fail-on", "warning"), 1),
        (("--fail-on", "lr201"), 1),
        (("--fail-on", "LR203, LR201"), 1),
        (("--fail-on", "LR203"), 0),
        (("--fail-on", ","), 0),
    ],
)
def test_the_exit_code_is_1_only_when_asked_for(tmp_path: Path, options: tuple[str, ...], code: int):
    assert run(write_log(tmp_path / "log.csv", broken()), "--quiet", *options).returncode == code


@pytest.mark.parametrize(("codes", "code"), [("LR201", 1), ("LR203", 0)])
def test_of_several_logs_one_that_fails_is_enough(tmp_path: Path, codes: str, code: int):
    logs = [write_log(tmp_path / "good.csv", healthy()), write_log(tmp_path / "bad.csv", broken())]
    done = run(*logs, "--json", "--fail-on", codes)
    assert done.returncode == code
    assert len(json.loads(done.stdout)["logs"]) == 2


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ("LR2O1", "did you mean LR201"),
        ("LR201,LR999", "LR999"),
        ("LR301", "codes from LR201 to LR214"),
        ("errors", "did you mean error"),
        ("LR201 LR202", "separated by commas"),
    ],
)
def test_a_code_that_does_not_exist_is_refused_in_one_sentence(tmp_path: Path, codes: str, said: str):
    refused = run(write_log(tmp_path / "log.csv", healthy()), "--fail-on", codes)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_terminal_says_the_answer_first(tmp_path: Path):
    lines = run(write_log(tmp_path / "log.csv", broken())).stdout.splitlines()
    assert "log.csv" in lines[0]
    assert "Diverged: NaN from step 151 on (LR201)" in lines[2]
    assert any("lrfind explain LR201" in line for line in lines)


def test_hostile_names_do_not_act(tmp_path: Path):
    path = tmp_path / "log.csv"
    path.write_text("step,loss\x1b[31m\n" + "\n".join(f"{k},{1 / k}" for k in range(1, 50)))
    assert "\x1b" not in run(path).stdout


def test_a_report_is_written_whole_and_not_replaced_unasked(tmp_path: Path):
    path, out = write_log(tmp_path / "<b>log.csv", broken()), tmp_path / "report"
    assert run(path, "--out", out, "--quiet").returncode == 0
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*")) == [
        "plots", "plots/loss.png", "plots/loss.svg", "report.html", "run.json",
    ]  # fmt: skip
    document = json.loads((out / "run.json").read_text())
    assert document["kind"] == "diagnosis"
    page = (out / "report.html").read_text("utf-8")
    assert "<b>log" not in page
    assert "<script" not in page
    assert run(path, "--out", out).returncode == 2
    assert run(path, "--out", out, "--force", "--quiet").returncode == 0


@pytest.mark.parametrize(
    ("losses", "shown"),
    [
        ([0.5], "Too little to say"),
        ([0.5, 0.4], "Too little to say"),
        ([float("nan")] * 20, "Diverged (LR201)"),
        ([1e300 * (1 + t) for t in range(100)], "Diverged (LR201)"),
        ([1e-300 * (100 - t) for t in range(100)], "log.csv"),
        ([-t / 10 for t in range(100)], "log.csv"),
        ([0.0] * 100, "log.csv"),
        ([10.0 ** (300 - 6 * t) for t in range(100)], "log.csv"),
    ],
)
def test_odd_losses_are_shown_and_drawn_without_a_warning(tmp_path: Path, losses: list[float], shown: str):
    path = tmp_path / "log.csv"
    path.write_text("step,loss,lr\n" + "".join(f"{t},{loss},0.01\n" for t, loss in enumerate(losses)))
    diagnosis = diagnose(str(path))
    console = Console(file=StringIO(), width=80)
    print_diagnoses([diagnosis], console)
    print_diagnoses([diagnosis, diagnosis], console)
    assert shown in console.file.getvalue()
    assert shown in to_html([diagnosis, diagnosis], created="2026-01-02")
    save_figures([diagnosis, diagnosis], tmp_path / "plots")


def test_the_readme_names_every_key_of_the_json(tmp_path: Path):
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## JSON of a diagnosis")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", section))
    logs = [str(write_log(tmp_path / f"{name}.csv", loss)) for name, loss in (("a", healthy()), ("b", broken()))]
    document = json.loads(to_json([diagnose(log) for log in logs]))
    parts = [document, document["logs"][0], *(document["logs"][0][key] for key in ("log",)), document["comparison"]]
    parts += [document["logs"][0]["log"][key] for key in ("loss", "lr")] + document["logs"][0]["findings"]
    assert {key for part in parts for key in part} - named - {"log", "findings"} == set()


def test_the_interval_of_a_rate_is_shown_wherever_the_rate_is(tmp_path: Path):
    bad, good = (str(write_log(tmp_path / f"{name}.csv", loss)) for name, loss in (("b", broken()), ("a", healthy())))
    log = json.loads(run(bad, "--json").stdout)["log"]
    low, advised, high = (rate(log[f"lr_suggested{end}"]) for end in ("_low", "", "_high"))
    assert f"try {advised} ({low} to {high})" in run(bad).stdout
    assert f"try {advised} ({low} to {high})" in to_html([diagnose(bad)], created="2026-01-02T10:00:00+00:00")
    table = run(bad, good, width=140).stdout.partition("scatter at the end")[0]
    assert advised in table
    assert f"({low} to {high})" in table
    page = to_html([diagnose(bad), diagnose(good)], created="2026-01-02T10:00:00+00:00")
    assert f'{advised}<br><span class="quiet">{low} to {high}</span>' in page
    (standing,) = [
        s for s in json.loads(run(bad, good, "--json").stdout)["comparison"]["standings"] if s["loss"] is None
    ]
    assert standing["lr_suggested_low"] == log["lr_suggested_low"]


def test_series_shows_how_a_log_was_read(tmp_path):
    path = tmp_path / "out.txt"
    lines = [f"epoch {i} loss {1 / (i + 1):.4f} lr 0.1\n" for i in range(5)] * 2
    path.write_text("".join(["saved at step 9\n", *lines, "epoch 4 mean loss 0.9\n"]))
    shown = run(path, "--series")
    assert shown.returncode == 0
    text = " ".join(shown.stdout.split())
    assert "from line 2: epoch 0 to 4, 5 points from line 7: epoch 0 to 4, 5 points, read here" in text
    assert "training loss loss: 5 values, 1 to 0.2" in text
    assert "passed over 1 × 'mean loss': coarser (first: line 12) epoch 4 mean loss 0.9" in text
    read = json.loads(run(path, "--series", "--json").stdout)["series"][0]
    assert [each["is_judged"] for each in read["runs"]] == [False, True]
    assert run(path, "--series", "--follow").returncode == 2
