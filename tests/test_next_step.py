"""The next step: each command that is printed speaks of the run it stands beside, and says so."""

# ruff: noqa: F811 - fixtures are asked for by the names they are imported by

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from test_cli import COMMAND, CURVE, Call, Stored, call, stored  # noqa: F401 - fixtures

from lrfind.report.commands import recommend_command
from lrfind.text import rate

CODE = ["torch", "lightning", "keras", "optax", "transformers", "sklearn"]


def typed(command: str, call: Call) -> object:
    """Type a command as a shell would read it."""
    program, *words = shlex.split(command)
    assert program == "lrfind"
    return call(*words)


def after_next(out: str) -> str:
    return out.split("Next", 1)[1].strip()


def numbers(path: Path, *, slope: float, n_rows: int = 150) -> Path:
    """Write a table whose target, far from 0, follows from its columns."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, n_rows))
    rows = [f"{x:.4f},{y:.4f},{1000 + slope * (x - y):.3f}" for x, y in zip(a, b, strict=True)]
    path.write_text("\n".join(["a,b,price", *rows]) + "\n", encoding="utf-8")
    return path


FOLDERS = ["run", "my run", "größe", "it's", "-x", "a/b", "$HOME;x", "~"]


@pytest.mark.parametrize("name", FOLDERS)
def test_the_next_command_is_of_this_run_whatever_came_after(
    name: str,
    call: Call,
    stored: Stored,
    tmp_path: Path,
) -> None:
    shutil.copytree(stored.folder, tmp_path / name)
    shutil.copytree(stored.folder, tmp_path / "lrfind-runs/later")
    first = call("recommend", f"./{name}")
    again = typed(after_next(first.out), call)
    assert (again.code, again.err) == (0, "")
    assert f"# For d.csv, column label; from the run {name}" in again.out.splitlines()[0]


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("name", [*FOLDERS, "a\n\x1b[31mb", "\udce9", "ü\u2028", "a'\t\\", "\x7f0"])
def test_bash_reads_the_name_that_was_meant(name: str, ascii_only: bool) -> None:
    command = recommend_command(name, ascii_only=ascii_only)
    assert command.isprintable()
    assert command.isascii() or not ascii_only
    printed = command.removeprefix("lrfind recommend").removesuffix("--for torch")
    read = subprocess.run(["bash", "-c", f"printf %s {printed}"], capture_output=True, check=True)  # noqa: S607
    assert os.fsdecode(read.stdout) == name.replace("-x", "./-x")


def test_a_sweep_names_its_run_in_the_terminal_and_on_the_page(call: Call, tmp_path: Path) -> None:
    numbers(tmp_path / "n.csv", slope=2)
    for out in (["--out", "my runs/one"], []):
        ran = call("sweep", "n.csv", *CURVE, *out)
        folder = ran.out.split("Report", 1)[1].split("/report.html")[0].strip()
        assert after_next(ran.out) == recommend_command(folder)
        page = (tmp_path / folder / "report.html").read_text(encoding="utf-8")
        (code,) = re.findall(r"<code>(lrfind recommend .*?)</code>", page)
        assert unescape(code) == after_next(ran.out)
        again = typed(unescape(code), call)
        assert again.out.splitlines()[0] == f"# For n.csv, column price; from the run {folder}"


def test_options_are_kept(call: Call, stored: Stored) -> None:
    options = ("--batch-size", "16", "--epochs", "9", "--schedule", "linear")
    shown = call("recommend", stored.folder, *options).out
    assert after_next(shown) == f"lrfind recommend {stored.folder} {' '.join(options)} --for torch"
    code = typed(after_next(shown), call).out
    assert code == call("recommend", stored.folder, *options, "--for", "torch").out
    raced = json.loads((stored.folder / "run.json").read_text())["recommendation"]["raced"]
    scaled = next(each["lr"] for each in raced if each["schedule"] == "linear") / 2
    assert f"# Learning rate {rate(scaled)} (" in code
    assert "batches of 16, 63 steps, linear schedule." in code
    assert "Batch 64 to 16: all rates times 0.5" in code
    assert "Measured       at batch 64 · 100 steps; the reasons below are of those runs" in shown
    assert "Measured" not in call("recommend", stored.folder).out


@pytest.mark.parametrize("name", ["run.json", "report.html", "sweep.csv", "plots/loss.png", "."])
def test_a_run_is_named_by_any_of_its_files(name: str, call: Call, stored: Stored) -> None:
    assert call("recommend", stored.folder / name) == call("recommend", stored.folder)


def test_a_run_is_named_from_inside(call: Call, stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stored.folder)
    for name in (".", "report.html"):
        ran = call("recommend", name)
        assert typed(after_next(ran.out), call).out.splitlines()[0].endswith(f"from the run {stored.folder}")


@pytest.mark.parametrize("target_format", [None, *CODE, "json", "csv"])
def test_a_run_that_was_not_named_is_told(
    target_format: str | None,
    call: Call,
    stored: Stored,
    tmp_path: Path,
) -> None:
    shutil.copytree(stored.folder, tmp_path / "lrfind-runs/x-1")
    ran = call("recommend", *(["--for", target_format] if target_format else []))
    if target_format is None:
        assert ran.out.splitlines()[0].startswith("d.csv · 120 rows, ")
        assert "Run            the newest under lrfind-runs\n" in ran.out
        assert "lrfind-runs/x-1/report.html" in ran.out
    else:
        assert ran.err == "lrfind: d.csv, from lrfind-runs/x-1, the newest under lrfind-runs\n"
        assert call("recommend", "lrfind-runs/x-1", "--for", target_format).err == ""


def test_an_older_run_that_says_less_is_read(call: Call, stored: Stored, tmp_path: Path) -> None:
    document = json.loads((stored.folder / "run.json").read_text(encoding="ascii"))
    for key in ("config", "problem", "data"):
        del document[key]
    (tmp_path / "old").mkdir()
    (tmp_path / "old/run.json").write_text(json.dumps(document), encoding="ascii")
    assert call("recommend", "old").out.splitlines()[0] == "old"
    for name in CODE:
        code = call("recommend", "old", "--for", name).out
        assert code.splitlines()[0] == "# For a table without a name; from the run old"
        compile(code, name, "exec")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_code_is_python_in_a_file_of_any_encoding(encoding: str, stored: Stored, tmp_path: Path) -> None:
    shutil.copytree(stored.folder, tmp_path / "größe")
    command = [COMMAND, "recommend", "größe", "--for", "optax"]
    env = os.environ | {"PYTHONIOENCODING": encoding}
    code = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=True).stdout
    compile(code, "code", "exec")
    assert ("größe".encode() in code) == (encoding == "utf-8")


def test_without_any_run_what_to_do_is_told(call: Call, stored: Stored, tmp_path: Path) -> None:
    assert call("recommend").err.endswith("or make one with `lrfind sweep DATA`\n")
    shutil.copytree(stored.folder, tmp_path / "mine")
    advised = call("recommend").err.split("`")[1]
    assert typed(advised, call).out.startswith("d.csv · 120 rows")


# --- Regression: the code that is printed reaches what the run did.


def test_the_code_for_sklearn_learns_the_target_as_it_stands(call: Call, tmp_path: Path) -> None:
    data = numbers(tmp_path / "n.csv", slope=20)
    assert call("sweep", data.name, *CURVE, "-q", "--out", "run", "--hidden", "16,8", "--activation", "tanh").code == 0
    space: dict[str, object] = {}
    code = call("recommend", "run", "--for", "sklearn").out
    exec(code, space)  # noqa: S102 our own code is what is tested
    with data.open(encoding="utf-8") as file:
        rows = np.array([[float(cell) for cell in row] for row in list(csv.reader(file))[1:]])
    X, y = rows[:, :2], rows[:, 2]
    model = space["model"]
    assert type(model).__name__ == "MLPRegressor"
    assert (model.hidden_layer_sizes, model.activation, model.batch_size) == ((16, 8), "tanh", 64)
    space["train"](model, (X - X.mean(0)) / X.std(0), y)
    guessed = model.predict((X - X.mean(0)) / X.std(0)) * space["TARGET_SD"] + space["TARGET_MEAN"]
    assert ((guessed - y) ** 2).mean() < 0.5 * y.var()
    problem = json.loads((tmp_path / "run/run.json").read_text())["problem"]
    assert space["TARGET_SD"] == pytest.approx(problem["target_sd"], rel=1e-3)
    assert space["TARGET_MEAN"] == pytest.approx(problem["target_mean"], abs=1e-3 * problem["target_sd"])
    assert "hidden layers of 16 and 8 (tanh), batches of 64, for the epochs of 100 steps, mean squared" in code
