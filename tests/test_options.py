"""What holds for the options of every command: any case, a project's file, and several commands at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lrfind.checks.finding import as_code
from lrfind.cli import app
from lrfind.cli.process import names, run_guarded
from lrfind.errors import UsageError
from lrfind.examine import Examination
from lrfind.find import find_lr
from lrfind.settings import Settings, as_options

FAST = ["--no-race", "--steps", "40", "--seeds", "2", "--train-steps", "40"]


def run(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["lrfind", *arguments])
    with pytest.raises(SystemExit) as end:
        run_guarded(app)
    return int(end.value.code or 0)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 80)).round(3)
    path = tmp_path / "t.csv"
    rows = (f"{x},{y},{i % 9 + 10},{'u' if x > y else 'v'}" for i, (x, y) in enumerate(zip(a, b, strict=True)))
    path.write_text("a,b,zip,kind\n" + "\n".join(rows) + "\n")
    monkeypatch.chdir(tmp_path)
    return path


def test_choices_are_taken_in_any_case():
    asked = Settings(
        optimizer="Adam", task="Classification", race="FULL", model="MLP", activation="ReLU", split="Time:When",
        schedules=("Cosine", "One-Cycle", "warmup cosine"),
    )  # fmt: skip
    assert asked == Settings(
        optimizer="adam", task="classification", race="full", model="mlp", activation="relu", split="time:When",
        schedules=("cosine", "one_cycle", "warmup_cosine"),
    )  # fmt: skip
    assert Examination(split="RANDOM").split == "random"


def test_what_is_no_choice_in_any_case_is_still_refused():
    with pytest.raises(UsageError, match="--optimizer 'Adamm' is not known: did you mean 'adam'"):
        Settings(optimizer="Adamm")
    with pytest.raises(UsageError, match="--schedules 'Cos' is not known"):
        Settings(schedules=("Cos",))


@pytest.mark.parametrize(
    ("typed", "code"), [("202", "LR202"), ("lr202", "LR202"), ("LR-202", "LR202"), (" lr 202 ", "LR202"), ("x2", "X2")]
)
def test_a_code_is_known_by_its_number(typed, code):
    assert as_code(typed) == code


@pytest.mark.parametrize("typed", ["202", "lr202"])
def test_explain_takes_a_number(typed, monkeypatch, capsys):
    assert run(["explain", typed], monkeypatch) == 0
    assert capsys.readouterr().out.startswith("LR202")


@pytest.mark.parametrize("arguments", [["schedule", "Cosine", "--for", "Torch"], ["schedule", "ONE_CYCLE"]])
def test_schedules_and_formats_are_taken_in_any_case(arguments, monkeypatch, capsys):
    assert run(arguments, monkeypatch) == 0
    assert capsys.readouterr().out


def test_a_project_s_file_holds_for_a_sweep(table, monkeypatch, capsys):
    (table.parent / "lrfind.toml").write_text(
        "target = 'kind'\ndrop = ['b']\ntext = ['zip']\nbudget = 5\n[mute]\nLR305 = 'why'\n"
    )
    run(["sweep", str(table), "--json", "--seed", "4", *FAST], monkeypatch)
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert [column["name"] for column in report["data"]["column_kinds"]] == ["a", "zip", "kind"]
    assert (report["config"]["text"], report["config"]["seed"]) == (["zip"], 4)
    assert err == "lrfind: settings from lrfind.toml: target, drop, text\n"
    run(["sweep", str(table), "--json", "--quiet", "--drop", "a", "--target", "kind", *FAST], monkeypatch)
    out, err = capsys.readouterr()
    assert [column["name"] for column in json.loads(out)["data"]["column_kinds"]] == ["b", "zip", "kind"]
    assert err == ""


def test_settings_of_reading_are_stored_only_where_they_were_given(table):
    options = {"race": None, "steps": 40, "seeds": 2, "learn": False, "train_steps": 40}
    assert "na" not in find_lr(str(table), **options).config
    assert find_lr(str(table), na=(), **options).config["na"] == ()


@pytest.mark.parametrize(("asked", "used"), [(1024, 80), (80, 80), (32, 32)])
def test_the_batch_that_is_stored_is_the_one_that_was_used(table, asked, used):
    report = find_lr(str(table), race=None, steps=40, seeds=2, learn=False, batch_size=asked)
    assert (report.config["batch_size"], report.recommendation.batch_size) == (used, used)


def test_a_data_frame_s_target_may_have_any_label():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 5)), columns=[1, 2, 3, 4, ("a", 5)])
    options = {"race": None, "steps": 40, "seeds": 2, "learn": False, "train_steps": 40}
    for label, name in ((4, "4"), (("a", 5), "('a', 5)")):
        report = find_lr(frame, target=label, **options)
        assert (report.problem.target, report.problem.target_reason) == (name, "it was asked for")
    report = find_lr(frame[[1, 2]], frame[3], **options)
    assert (report.problem.target, report.problem.target_reason) == ("target", "it was asked for")


@pytest.mark.slow
def test_baselines_written_at_the_same_time_are_all_kept(table):
    names = [f"t{i}.csv" for i in range(6)]
    for name in names:
        (table.parent / name).write_bytes(table.read_bytes())
    code = "import sys; from lrfind.cli import main; sys.argv[0] = 'lrfind'; main()"
    commands = [[sys.executable, "-c", code, "check", name, "--update-baseline", "--quiet"] for name in names]
    running = [subprocess.Popen(command, cwd=table.parent) for command in commands]
    assert [process.wait() for process in running] == [0] * len(names)
    assert list(json.loads((table.parent / "lrfind-baseline.json").read_text())["datasets"]) == names


def test_a_baseline_is_added_to_what_another_process_wrote(table, tmp_path):
    """Two processes that wait for one another: each reads, pauses, and writes."""
    code = """
import sys, time
from pathlib import Path
from lrfind.checks.baseline import Baseline
from lrfind.examine import baseline_file as files
made = Baseline(name="t", n_rows=1, target="y", task="regression", classes=(), columns={}, orders={}, trained=None)
slow = files.read_baselines
def read(path):
    found = slow(path)
    time.sleep(0.2)
    return found
files.read_baselines = read
for i in range(3):
    files.add_baseline(Path("b.json"), f"{sys.argv[1]}{i}", made, version="1")
"""
    (tmp_path / "b.json").write_text('{"schema_version": 1, "datasets": {}}')
    running = [subprocess.Popen([sys.executable, "-c", code, name], cwd=tmp_path) for name in "ab"]
    assert [process.wait() for process in running] == [0, 0]
    assert list(json.loads((tmp_path / "b.json").read_text())["datasets"]) == ["a0", "a1", "a2", "b0", "b1", "b2"]


@pytest.mark.parametrize("given", [(), ("NA",), ("NA", "?"), ("a,b", 'say "hi"', "c d")])
def test_lists_are_repeated_by_the_command_that_repeats_a_run(given):
    (option, typed) = as_options(Settings(na=given))
    assert (option, names(typed)) == ("--na", given)
