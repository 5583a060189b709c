from __future__ import annotations

import subprocess
import sys

import pytest
from rich.console import Console

from lrfind.checks.catalogue import CATALOGUE, EXPLANATIONS, FAMILIES
from lrfind.checks.explanation import curve, curves
from lrfind.checks.finding import nearest_code
from lrfind.report.explanation import print_explanation, sketch


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lrfind", "explain", *arguments], capture_output=True, text=True, check=False
    )


def test_every_check_is_explained_and_nothing_else_is():
    assert list(EXPLANATIONS) == list(CATALOGUE)


def test_no_code_is_used_twice():
    assert len(CATALOGUE) == sum(len(checks) for _, checks in FAMILIES)


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


@pytest.mark.parametrize("code", CATALOGUE)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_each_picture_fits_a_terminal_of_80_columns(code: str, ascii_only: bool):
    lines = sketch(EXPLANATIONS[code].picture, ascii_only=ascii_only)
    assert max(map(len, lines)) <= 76
    assert len(EXPLANATIONS[code].picture.caption) <= 76


def test_each_line_of_a_picture_is_to_be_seen():
    held_out_only = curves(("held out", "9753345678"), caption="")
    both = curves(("held out", "9753345678"), ("training", "9742100000"), caption="")
    alone, together = (sketch(picture, ascii_only=False) for picture in (held_out_only, both))
    assert alone[-1].strip() == ""
    assert together[-1].strip()
    assert [line.split()[-2:] for line in together if "held out" in line] == [["held", "out"]]
    assert sum("training" in line for line in together) == 1


def test_a_curve_may_have_holes_and_leave_the_picture():
    (top, *_, low) = sketch(curve("0 ^0", ""), ascii_only=True)
    assert top.count("|") + top.count("'") + top.count("-") + top.count(".") <= 2
    assert low[0] != " "
    assert low.rstrip()[-1] != " "


@pytest.mark.parametrize(
    ("typed", "meant"), [("202", "LR202"), ("lr-202", "LR202"), ("LR2O2", "LR202"), ("LR2I4", "LR214")]
)
def test_a_mistyped_code_is_answered_with_the_one_that_was_meant(typed: str, meant: str):
    assert nearest_code(typed, CATALOGUE) == meant


def test_the_command_explains_lists_and_refuses():
    assert "rate too high" in run("lr202").stdout
    listed = run().stdout
    assert all(code in listed for code in CATALOGUE)
    wrong = run("LR2O1")
    assert wrong.returncode == 2
    assert wrong.stdout == ""
    assert "did you mean" in wrong.stderr
