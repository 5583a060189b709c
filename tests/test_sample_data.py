"""The sample tables: small, listed with their licence, and, where made up, made again from their script."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from lrfind import find_lr
from lrfind.report.terminal import print_report

SAMPLES = Path(__file__).parents[1] / "sample_data"
TABLES = sorted(SAMPLES.glob("*.csv"))
SYNTHETIC = [path for path in TABLES if "synthetic" in path.name]
# A clone must stay quick.
MOST_BYTES = 1_500_000
FIELDS = {"biology", "chemistry", "control", "finance", "fraud", "healthcare", "ratings", "text", "vehicles", "vision"}


def listed() -> dict[str, dict[str, str]]:
    """Return the rows of the README's table by file name."""
    lines = (SAMPLES / "README.md").read_text(encoding="utf-8").splitlines()
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[0].strip("`"): dict(zip(head, row, strict=True)) for row in rows}


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_all_files_together_are_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.iterdir() if path.is_file()) < MOST_BYTES


def test_every_field_has_a_table() -> None:
    assert {path.name.partition("_")[0] for path in TABLES} == FIELDS


def test_the_readme_lists_exactly_the_files() -> None:
    assert sorted(listed()) == [path.name for path in TABLES]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_readme_tells_the_truth_about_a_table(path: Path) -> None:
    row = listed()[path.name]
    head, *rows = rows_of(path)
    assert int(row["rows"].replace(",", "")) == len(rows)
    assert row["target"].strip("`") == head[-1]
    assert row["source"]
    assert row["licence"]
    assert row["what was done to it"]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_is_rectangular_with_unique_names_and_no_empty_target(path: Path) -> None:
    head, *rows = rows_of(path)
    assert len(set(head)) == len(head)
    assert {len(row) for row in rows} == {len(head)}
    assert all(row[-1] for row in rows)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_has_unix_line_ends(path: Path) -> None:
    data = path.read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"\n")


def test_the_script_makes_the_same_bytes_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SAMPLES / "make_synthetic.py", tmp_path], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in SYNTHETIC]
    for path in SYNTHETIC:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("path", SYNTHETIC, ids=lambda path: path.stem)
def test_made_up_tables_say_so(path: Path) -> None:
    row = listed()[path.name]
    assert row["source"] == "`make_synthetic.py`"
    assert row["what was done to it"].startswith("made up")


def test_a_few_payments_are_fraud_and_most_are_not() -> None:
    fraud = [row[-1] for row in rows_of(SAMPLES / "fraud_synthetic_payments.csv")[1:]]
    assert set(fraud) == {"yes", "no"}
    assert 0.01 < fraud.count("yes") / len(fraud) < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_what_a_sweep_says_fits_the_screen_of_a_terminal(path: Path) -> None:
    report = find_lr(str(path))
    file = io.StringIO()
    print_report(report, Console(file=file, width=80), folder=Path("lrfind-runs") / f"{path.stem}-20260101-120000")
    assert file.getvalue().count("\n") <= 24
