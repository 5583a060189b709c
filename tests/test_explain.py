from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from lrfind.checks.catalogue import CATALOGUE, EXPLANATIONS, FAMILIES
from lrfind.report.explanation import print_explanation, sketch

README = Path(__file__).parents[1] / "README.md"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lrfind", "explain", *arguments], capture_output=True, text=True, check=False
    )


def test_every_check_is_explained_and_nothing_else_is():
    assert list(EXPLANATIONS) == list(CATALOGUE)


def test_no_code_is_used_twice():
    assert len(CATALOGUE) == sum(len(checks) for _, checks in FAMILIES)


@pytest.mark.skipif(not README.exists() or "LR201" not in README.read_text("utf-8"), reason="the README has no table")
def test_the_table_of_the_readme_is_the_catalogue():
    rows = re.findall(r"^\|\s*`?(LR\d{3})`?\s*\|\s*([^|]+?)\s*\|", README.read_text("utf-8"), flags=re.MULTILINE)
    if rows:
        assert {code for code, _ in rows} == set(CATALOGUE)


@pytest.mark.parametrize("code", CATALOGUE)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_each_picture_shows_something(code: str, ascii_only: bool):
    lines = sketch(EXPLANATIONS[code].picture, ascii_only=ascii_only)
    assert any(line.strip() for line in lines)
    assert not ascii_only or all(line.isascii() for line in lines)


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_text_says_something_and_ends(code: str):
    text = EXPLANATIONS[code]
    for sentence in (text.meaning, text.detection, text.advice):
        assert sentence.endswith(".")
    assert text.picture.caption


@pytest.mark.parametrize("width", [40, 100])
def test_an_explanation_fits_its_screen(width: int, capsys: pytest.CaptureFixture[str]):
    print_explanation(CATALOGUE["LR202"], EXPLANATIONS["LR202"], console=Console(width=width, no_color=True))
    out = capsys.readouterr().out
    assert "Cohen" in out
    assert max(map(len, out.splitlines())) <= max(width, 50)


def test_the_command_explains_lists_and_refuses():
    assert "rate too high" in run("lr202").stdout
    listed = run().stdout
    assert all(code in listed for code in CATALOGUE)
    wrong = run("LR2O1")
    assert wrong.returncode == 2
    assert wrong.stdout == ""
    assert "did you mean" in wrong.stderr
