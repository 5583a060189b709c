"""`lrfind check` as people and CI jobs call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def write(path: Path, *, seed: int = 0, n_rows: int = 240, shuffled: bool = False, leak: bool = False) -> Path:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n_rows)).round(4)
    y = np.where(rng.random(n_rows) < 1 / (1 + np.exp(-3 * (a - b))), "good", "bad")
    y = rng.permutation(y) if shuffled else y
    head, rows = "a,b,y", zip(a, b, y, strict=True)
    if leak:
        head, rows = "copy,a,b,y", zip(np.char.upper(y), a, b, y, strict=True)
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


def check(*arguments: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lrfind", "check", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NO_COLOR": "1"} | env
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "good.csv")


def test_good_data_passes_and_says_so_on_a_line(good: Path, tmp_path: Path) -> None:
    run = check(good, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert "good.csv · 240 rows, 2 columns → y (2 classes)  passed" in run.stdout
    assert check(good, "--quiet", cwd=tmp_path).stdout == ""


def test_bad_data_fails_with_the_finding_first(tmp_path: Path) -> None:
    run = check(write(tmp_path / "bad.csv", shuffled=True), "--quiet", cwd=tmp_path)
    assert run.returncode == 1
    assert "error    LR301" in run.stdout.splitlines()[1 if "error  " in run.stdout.splitlines()[1] else 2]


def test_json_is_the_same_twice_and_has_nothing_else(good: Path, tmp_path: Path) -> None:
    first, second = (check(good, "--json", cwd=tmp_path, FORCE_COLOR="1").stdout for _ in range(2))
    assert first == second
    assert list(json.loads(first)) == ["data", "passed", "findings"]


def test_warnings_fail_when_asked_to(good: Path, tmp_path: Path) -> None:
    text = good.read_text(encoding="utf-8").splitlines()
    good.write_text("\n".join(["k," + text[0], *("1," + line for line in text[1:])]) + "\n", encoding="utf-8")
    assert check(good, cwd=tmp_path).returncode == 0
    assert check(good, "--fail-on", "warning", cwd=tmp_path).returncode == 1


def test_several_tables_are_all_told(good: Path, tmp_path: Path) -> None:
    leak = write(tmp_path / "leak.csv", leak=True)
    run = check(good, leak, "--target", "y", "--json", "--junit", "j.xml", cwd=tmp_path)
    document = json.loads(run.stdout)
    assert (run.returncode, document["passed"]) == (1, False)
    assert [dataset["passed"] for dataset in document["datasets"]] == [True, False]
    assert (tmp_path / "j.xml").read_text(encoding="utf-8").count("<testsuite ") == 2


def test_each_table_that_cannot_be_read_is_told_of(good: Path, tmp_path: Path) -> None:
    run = check("nope.csv", good, "nix.csv", cwd=tmp_path)
    assert run.returncode == 2
    assert [line.split()[2] for line in run.stderr.splitlines()] == ["nope.csv:", "nix.csv:"]
    assert run.stdout.splitlines()[-1] == "3 tables: 1 passed, 2 could not be checked"


@pytest.mark.parametrize("options", [[], ["--json"], ["--github", "--quiet"]])
def test_a_reader_who_leaves_does_not_turn_a_failure_into_a_success(tmp_path: Path, options: list[str]) -> None:
    bad = write(tmp_path / "bad.csv", shuffled=True)
    summary = tmp_path / "summary.md"
    command = [sys.executable, "-m", "lrfind", "check", str(bad), str(bad), *options]
    with subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"GITHUB_STEP_SUMMARY": str(summary)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 1)
    assert summary.exists() == ("--github" in options)


def test_what_is_wrong_with_the_call_is_said_once(good: Path, tmp_path: Path) -> None:
    run = check(good, good, "--task", "cls", cwd=tmp_path)
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (2, "", 1)


def test_a_baseline_that_the_project_names_is_found_from_below(good: Path, tmp_path: Path) -> None:
    (tmp_path / "lrfind.toml").write_text("baseline = 'base.json'\n", encoding="utf-8")
    below = tmp_path / "below"
    below.mkdir()
    assert check(good, "--update-baseline", cwd=below).returncode == 0
    assert list(json.loads((tmp_path / "base.json").read_text(encoding="utf-8"))["datasets"]) == ["good.csv"]
    assert "baseline" not in check("../good.csv", cwd=below).stdout


def test_a_baseline_is_written_found_and_compared(good: Path, tmp_path: Path) -> None:
    assert check(good, "--update-baseline", cwd=tmp_path).returncode == 0
    before = (tmp_path / "lrfind-baseline.json").read_bytes()
    assert check(good, cwd=tmp_path).returncode == 0
    assert check(good, "--update-baseline", cwd=tmp_path).returncode == 0
    assert (tmp_path / "lrfind-baseline.json").read_bytes() == before
    text = good.read_text(encoding="utf-8").replace("a,b,y", "a,c,y")
    good.write_text(text, encoding="utf-8")
    run = check(good, cwd=tmp_path)
    assert run.returncode == 1
    assert "LR321" in run.stdout


def test_github_gets_annotations_and_a_summary(tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.csv", shuffled=True)
    summary = tmp_path / "summary.md"
    run = check(bad, "--github", "--quiet", cwd=tmp_path, GITHUB_STEP_SUMMARY=str(summary))
    assert any(line.startswith("::error file=") for line in run.stdout.splitlines())
    assert "FAILED" in summary.read_text(encoding="utf-8")


def test_a_project_says_what_it_wants(good: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.lrfind]\ntarget = 'a'\n", encoding="utf-8")
    assert json.loads(check(good, "--json", cwd=tmp_path).stdout)["data"]["target"] == "a"
    assert json.loads(check(good, "--json", "--target", "y", cwd=tmp_path).stdout)["data"]["target"] == "y"


def test_a_budget_leaves_out_what_does_not_fit(good: Path, tmp_path: Path) -> None:
    run = check(good, "--json", "--budget", "0.001", cwd=tmp_path)
    findings = {finding["code"]: finding for finding in json.loads(run.stdout)["findings"]}
    for code in ("LR101", "LR301"):
        assert findings[code]["state"] == "not_applicable"
        assert "budget of 0.001 s" in findings[code]["message"]
    assert findings["LR303"]["state"] == "passed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.csv"], "nope.csv"),
        (["good.csv", "--target", "z"], "no column 'z'"),
        (["good.csv", "--fail-on", "never"], "expected error or warning"),
        (["good.csv", "--budget", "-1"], "above 0"),
        (["good.csv", "--baseline", "nope.json"], "--update-baseline"),
        (["good.csv", "--baseline", ".", "--update-baseline"], "it is a folder"),
        (["good.csv", "--junit", "no/such/folder.xml"], "its folder does not exist"),
        (["good.csv", "--junit", "."], "it is a folder"),
    ],
)
def test_bad_input_is_told_in_a_line(good: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    run = check(*arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert message in run.stderr.splitlines()[-1]
    assert (run.stdout, "Traceback" in run.stderr) == ("", False)
