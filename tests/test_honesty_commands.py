"""Every command that a report prints can be typed and speaks of that report's run; "Do it again" does it again."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from honesty_commands import FINISHED, again, commands, lasting, options_of, typed, wrong_commands
from honesty_runs import BY_NAME, RUNS_ROOT, Stored, stored
from honesty_tables import CASES
from honesty_text import page_pieces

# Enough for the table's own settings to be quick.
SHORT = "--race quick --train-steps 40 --steps 100 --seeds 3 --jobs 1"


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Return a folder that all workers share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if hasattr(request.config, "workerinput") else base) / "honesty"


@pytest.fixture(autouse=True)
def _without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    # they are the slowest part, and hold no command
    monkeypatch.setattr("lrfind.report.figures.save_figures", lambda *_args, **_options: None)


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_every_command_printed_speaks_of_its_run(name: str, root: Path) -> None:
    assert list(wrong_commands(stored(name, root))) == []


def test_commands_of_other_runs_and_broken_ones_are_objected_to(root: Path) -> None:
    run, other = stored("sgd", root), stored("lion", root)
    assert any(
        "another rate" in text for text in wrong_commands(replace(run, document=other.document, folder=other.folder))
    )
    moved = {**run.texts, "page": run.texts["page"].replace("lrfind sweep sgd.csv", "lrfind sweep gone.csv")}
    assert any("is for ['gone.csv']" in text for text in wrong_commands(replace(run, texts=moved)))
    without = {medium: text.replace("lrfind recommend", "lrfind") for medium, text in run.texts.items()}
    assert any("is told of in []" in text for text in wrong_commands(replace(run, texts=without)))


def document_of(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text(encoding="ascii"))


@pytest.mark.parametrize(
    "name", ["tiny", "noise_named", "groups", "chosen_rows", "odd_names", "without_race", "small_batch"]
)
def test_doing_it_again_gives_the_same_numbers(name: str, root: Path, tmp_path: Path) -> None:
    run = stored(name, root)
    code, _ = typed(again(run), run.place, "--jobs", "1", "--quiet", "--out", str(tmp_path / "again"))
    assert code in FINISHED
    assert lasting(document_of(tmp_path / "again")) == lasting(run.document)


def sweep(place: Path, command: str) -> tuple[Path, str]:
    """Type a sweep; return the run it made, and what it printed."""
    before = set((place / RUNS_ROOT).glob("*"))
    code, text = typed(command, place)
    assert code in FINISHED
    (folder,) = set((place / RUNS_ROOT).glob("*")) - before
    return folder, text


def test_a_run_that_learned_from_another_is_repeated_after_a_third(tmp_path: Path) -> None:
    for name in ("sgd", "tiny", "times"):
        BY_NAME[name].write(tmp_path)
    sweep(tmp_path, f"lrfind sweep sgd.csv {SHORT}")
    folder, text = sweep(tmp_path, f"lrfind sweep tiny.csv {SHORT} --learn")
    sweep(tmp_path, f"lrfind sweep times.csv {SHORT}")
    first = document_of(folder)
    assert first["experience"]["n_own"] > 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    (command,) = (piece.text for piece in page_pieces(page) if piece.text.startswith("lrfind sweep"))
    code, _ = typed(command, tmp_path, "--jobs", "1", "--quiet", "--out", "again")
    assert code in FINISHED
    assert lasting(document_of(tmp_path / "again")) == lasting(first)
    # neither is the newest run taken for this one
    run = Stored(
        case=BY_NAME["tiny"], place=tmp_path, folder=folder.relative_to(tmp_path), document=first,
        texts={"terminal 80": text, "terminal 120": text, "recommend": text, "page": page},
    )  # fmt: skip
    assert list(wrong_commands(run)) == []


@pytest.mark.parametrize(
    "options", ["--batch-size 128", "--train-steps 1000", "--schedule cosine", "--epochs 3 --batch-size 32"]
)
def test_the_next_command_of_adapted_advice_keeps_how_it_was_adapted(options: str, root: Path) -> None:
    run = stored("gaps", root)
    code, text = typed(f"lrfind recommend {run.folder} {options}", run.place)
    assert code == 0
    command = re.search(r"lrfind recommend .*", text)[0]
    rate, schedule = re.search(r"Learning rate +(\S+)", text)[1], re.search(r"Schedule +([a-z_]+)", text)[1]
    batch, steps = re.search(r"batch ([\d,]+) · ([\d,]+) steps", text).groups()
    _, code_text = typed(command, run.place)
    plain = " ".join(code_text.replace("# ", "").split())
    assert f"Learning rate {rate}" in plain
    assert f"batches of {batch}, {steps.replace(',', '')} steps, {schedule} schedule" in plain


def test_commands_are_found_and_understood(root: Path) -> None:
    run = stored("odd_names", root)
    every = commands(run)
    assert {command.split()[1] for command in every} == {"recommend", "sweep"}
    assert options_of(again(run))["data"] == "two words & 100 %.csv"
    assert {command.split()[1] for command in commands(stored("noise_classes", root))} == {"check", "sweep"}
    assert shlex.split(again(run))[:2] == ["lrfind", "sweep"]


def test_the_check_that_is_advised_reads_the_same_rows(root: Path) -> None:
    run = stored("noise_named", root)
    (command,) = (command for command in commands(run) if command.startswith("lrfind check"))
    _, text = typed(command, run.place)
    rows, target = run.document["data"]["rows"], run.document["data"]["target"]
    assert f"{rows} rows" in text
    assert f"→ {target}" in text
