from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lrfind.diagnose import diagnose, follow
from lrfind.errors import DataError, UsageError
from lrfind.report.diagnosis import compare, document, to_json


def write_log(path: Path, loss: np.ndarray, *, lr: float = 0.01) -> Path:
    rows = [f"{step},{value:.6g},{lr}" for step, value in enumerate(loss, start=1)]
    path.write_text("\n".join(["step,loss,lr", *rows]) + "\n")
    return path


def healthy(n: int = 300, *, floor: float = 0.2) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=n)
    return (floor + 2 * np.exp(-30 * np.linspace(0, 1, n))) * (1 + 0.01 * noise)


def broken(n: int = 300) -> np.ndarray:
    loss = healthy(n)
    loss[n // 2 :] = np.nan
    return loss


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lrfind", "diagnose", *map(str, arguments)]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **options)


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


def test_several_logs_are_ranked_and_the_diverged_one_is_last(tmp_path: Path):
    sources = {"low": healthy(floor=0.5), "best": healthy(floor=0.1), "nan": broken()}
    diagnoses = [diagnose(str(write_log(tmp_path / f"{name}.csv", loss))) for name, loss in sources.items()]
    comparison = compare(diagnoses)
    assert [s.name for s in comparison.standings] == ["best.csv", "low.csv", "nan.csv"]
    assert comparison.sentence.startswith("best.csv (peak rate 0.01) reached the lowest training loss")
    assert set(document(diagnoses)) == {"logs", "comparison"}


def test_runs_within_the_noise_of_each_other_are_called_so(tmp_path: Path):
    diagnoses = [diagnose(str(write_log(tmp_path / f"{k}.csv", healthy(floor=0.2 + k / 1e5)))) for k in range(2)]
    assert "within the noise" in compare(diagnoses).sentence


@pytest.mark.parametrize(
    ("options", "code"),
    [((), 0), (("--fail-on", "error"), 1), (("--fail-on", "lr201"), 1), (("--fail-on", "LR203"), 0)],
)
def test_the_exit_code_is_1_only_when_asked_for(tmp_path: Path, options: tuple[str, ...], code: int):
    assert run(write_log(tmp_path / "log.csv", broken()), "--quiet", *options).returncode == code


def test_a_code_that_does_not_exist_is_refused(tmp_path: Path):
    refused = run(write_log(tmp_path / "log.csv", healthy()), "--fail-on", "LR2O1")
    assert refused.returncode == 2
    assert "LR201" in refused.stderr


def test_the_terminal_says_the_answer_first(tmp_path: Path):
    lines = run(write_log(tmp_path / "log.csv", broken())).stdout.splitlines()
    assert "log.csv" in lines[0]
    assert "Diverged (LR201)" in lines[2]
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


class Clock:
    """A clock that runs as fast as it is slept by, and calls a function before each look."""

    def __init__(self, before_look: list[object]) -> None:
        self.now, self.before_look = 0.0, before_look

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.before_look:
            self.before_look.pop(0)()  # type: ignore[operator]

    def __call__(self) -> float:
        return self.now


def test_following_yields_once_a_change_and_ends_when_nothing_changes(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy()[:100])
    clock = Clock([lambda: None, lambda: write_log(path, healthy()[:200]), lambda: write_log(path, broken())])
    seen = list(follow(str(path), idle=30.0, every=2.0, clock=clock, sleep=clock.sleep))
    assert [len(d.log.step) for d in seen] == [100, 200, 300]
    assert [bool(d.found) for d in seen] == [False, False, True]
    assert 36.0 <= clock.now <= 40.0


def test_following_waits_for_a_log_that_is_not_there_yet(tmp_path: Path):
    path = tmp_path / "log.csv"
    clock = Clock([lambda: None, lambda: write_log(path, healthy())])
    assert len(list(follow(str(path), until=60.0, idle=30.0, clock=clock, sleep=clock.sleep))) == 1


def test_following_ends_in_the_error_of_a_log_that_never_came(tmp_path: Path):
    clock = Clock([])
    with pytest.raises(DataError):
        list(follow(str(tmp_path / "log.csv"), until=10.0, clock=clock, sleep=clock.sleep))


def test_standard_input_cannot_be_followed():
    with pytest.raises(UsageError, match="standard input"):
        list(follow("-"))


@pytest.mark.slow
def test_a_growing_log_is_followed_and_only_changes_are_printed(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy()[:120])
    writer = threading.Timer(1.5, lambda: write_log(path, broken()))
    writer.start()
    done = run(path, "--follow", "--every", "0.2", "--idle", "4", "--fail-on", "LR201", timeout=120)
    writer.join()
    assert done.returncode == 1
    assert "LR201" in done.stdout
    assert len(done.stdout.splitlines()) < 20


@pytest.mark.slow
def test_an_interrupt_ends_following_with_130(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy())
    command = [sys.executable, "-m", "lrfind", "diagnose", str(path), "--follow", "--every", "0.2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(2)
        assert process.wait(60) == 130
