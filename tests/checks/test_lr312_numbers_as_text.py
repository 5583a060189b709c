"""LR312: numbers stored as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_fixture import dataset_of, finding_of, good_columns

from lrfind.checks.dataset.columns import NUMBER_IN_TEXT


def test_it_fires_on_numbers_with_units(tmp_path: Path) -> None:
    columns = {"weight": [f"{i % 97}.5 kg" for i in range(240)], **good_columns()}
    finding = finding_of("LR312", dataset_of(columns, tmp_path))
    assert finding.state == "found"
    assert "'weight'" in finding.message


@pytest.mark.parametrize("make", [lambda i: f"u{i % 97:04d}", lambda i: f"A{i % 97}", lambda i: f"{i % 3} rooms"])
def test_it_stays_quiet_on_codes_and_levels(tmp_path: Path, make) -> None:
    columns = {"code": [make(i) for i in range(240)], **good_columns()}
    assert finding_of("LR312", dataset_of(columns, tmp_path)).state == "passed"


@pytest.mark.parametrize("text", ["12.5 kg", "$1,200", "~7", "-3.5e-2 V", "€ 9,99", "50%"])
def test_numbers_are_seen_in(text: str) -> None:
    assert NUMBER_IN_TEXT.fullmatch(text)


@pytest.mark.parametrize("text", ["A12", "2020-01-05", "x", "", "12 main street", "1.2.3.4"])
def test_numbers_are_not_seen_in(text: str) -> None:
    assert NUMBER_IN_TEXT.fullmatch(text) is None


@pytest.mark.parametrize("make", ['"${},200.5"'.format, "{}%".format])
def test_it_fires_on_amounts_that_only_our_reader_takes_for_numbers(tmp_path: Path, make) -> None:
    columns = {"price": [make(i % 97 + 1) for i in range(240)], **good_columns()}
    finding = finding_of("LR312", dataset_of(columns, tmp_path))
    assert finding.state == "found"
    assert "'price'" in finding.message
    assert "read as numbers" in finding.message


def test_it_does_not_apply_without_texts(tmp_path: Path) -> None:
    assert finding_of("LR312", dataset_of(good_columns(), tmp_path)).state == "not_applicable"
