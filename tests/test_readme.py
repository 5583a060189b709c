"""The README: what it shows is what happens. ``python tests/test_readme.py`` pastes the outputs anew."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from lrfind.checks.baseline import BASELINE_CHECKS
from lrfind.checks.dataset import DATASET_CHECKS
from lrfind.checks.range_test import RANGE_TEST_CHECKS
from lrfind.checks.training_log import TRAINING_LOG_CHECKS
from lrfind.cli import app
from lrfind.errors import ExitCode
from lrfind.export import EXPORTERS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"(?<=^```python\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
# They set up an environment, which is there when the tests run.
SET_UP = ("make ", "pip ")
# Instead of the time in the name of a run.
STAMP = "20260101-120000"
# Stands for the rest of an output.
REST = "..."
# A picture in a README is fetched by everybody who looks at it.
MOST_BYTES = 120_000
LONGEST_LINE = 125


def text() -> str:
    return README.read_text(encoding="utf-8")


def sessions(block: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block with the lines pasted beneath it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *pasted = part.splitlines()
        yield command, pasted


def commands() -> list[str]:
    return [command for block in CONSOLE.findall(text()) for command, _ in sessions(block)]


def lay_out(folder: Path) -> Path:
    """Make a folder in which the README's commands find the sample data."""
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    return folder


def output(command: str, folder: Path) -> list[str]:
    """Run a command in a shell and return what a terminal would show."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    plain = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "80", "PATH": path}
    run = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=os.environ | plain,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == 0, (command, run.stdout)
    lines = re.sub(r"\d{8}-\d{6}", STAMP, run.stdout).splitlines()
    # a machine that is slow or busy also hears how far it is
    return [line.rstrip() for line in lines if not re.match(r"lrfind: \w+, \d+ % done", line)]


def wordy(line: str) -> str:
    """Return a line without its numbers, whose last digits may differ from machine to machine."""
    return re.sub(r"\d[\d.,e-]*", "#", line)


# --- What can be seen without running anything. ---


def test_each_command_and_option_exists() -> None:
    known = typer.main.get_command(app).commands
    shown = [line for line in commands() if line.startswith("lrfind ")] + re.findall(r"`(lrfind [^`]+)`", text())
    assert len(shown) > 5
    for line in shown:
        words = line.split(" | ")[0].split()
        options = {option for parameter in known[words[1]].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
    every = {option for command in known.values() for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"`(--[a-z-]+)", text())) <= every


def test_every_command_is_shown() -> None:
    assert set(typer.main.get_command(app).commands) <= {line.split()[1] for line in commands()}


def test_every_export_format_is_named() -> None:
    assert {name for name in EXPORTERS if f"`{name}`" not in text() and f"--for {name}" not in text()} == set()


def test_the_tables_of_findings_are_the_catalogue() -> None:
    catalogue = [
        (check.code, check.title)
        for family in (RANGE_TEST_CHECKS, TRAINING_LOG_CHECKS, DATASET_CHECKS, BASELINE_CHECKS)
        for check, _ in family
    ]
    assert re.findall(r"^\| (LR\d{3}) \| ([^|]+?) \|", text(), re.MULTILINE) == catalogue


def test_the_exit_codes_are_those_of_the_code() -> None:
    assert re.findall(r"^\| (\d+) \| ", text(), re.MULTILINE) == [str(code.value) for code in ExitCode]


def test_each_link_leads_somewhere_and_each_picture_is_small() -> None:
    links = re.findall(r"(!?)\[[^]]*\]\(([^)]+)\)", text())
    assert any(mark for mark, _ in links)
    for mark, place in links:
        assert (ROOT / place).is_file(), place
        assert not mark or (ROOT / place).stat().st_size < MOST_BYTES, place


def test_prose_keeps_within_the_page() -> None:
    prose = PYTHON.sub("", CONSOLE.sub("", text())).splitlines()
    assert [line for line in prose if len(line) > LONGEST_LINE and not line.startswith(("|", "!"))] == []


# --- What is shown, run. ---


@pytest.mark.slow
def test_each_command_prints_what_is_pasted_beneath_it(tmp_path: Path) -> None:
    folder = lay_out(tmp_path)
    for block in CONSOLE.findall(text()):
        for command, pasted in sessions(block):
            if not command.startswith(SET_UP):
                first = output(command, folder)[:1]
                assert [wordy(line) for line in first] == [wordy(line) for line in pasted[:1]], command


@pytest.mark.slow
def test_the_python_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lay_out(tmp_path))
    code = "\n".join(PYTHON.findall(text()))
    test = doctest.DocTestParser().get_doctest(code, {}, README.name, str(README), 0)
    assert len(test.examples) > 10
    said: list[str] = []
    assert doctest.DocTestRunner().run(test, out=said.append).failed == 0, "".join(said)


def refreshed(shown: str, folder: Path) -> str:
    """Return the README's text with the outputs of its commands pasted anew."""

    def paste(block: re.Match[str]) -> str:
        lines = []
        for command, pasted in sessions(block[0]):
            lines.append(f"$ {command}")
            if command.startswith(SET_UP):
                continue
            fresh = output(command, folder)
            lines += [*fresh[: pasted.index(REST)], REST] if REST in pasted else fresh
        return "\n".join(lines) + "\n"

    return CONSOLE.sub(paste, shown)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        README.write_text(refreshed(text(), lay_out(Path(place))), encoding="utf-8")
