"""LR303: a column holds one value, or none."""

from __future__ import annotations

from pathlib import Path

from dataset_fixture import dataset_of, finding_of, good_columns


def test_it_fires_on_one_value_and_on_none(tmp_path: Path) -> None:
    columns = {"Fixed": [3] * 240, "hollow": [None] * 240, **good_columns()}
    finding = finding_of("LR303", dataset_of(columns, tmp_path))
    assert (finding.state, finding.severity) == ("found", "warning")
    assert "'Fixed'" in finding.message
    assert "'hollow'" in finding.message
    assert finding.evidence["n_columns"] == 2


def test_it_stays_quiet_when_one_row_differs(tmp_path: Path) -> None:
    assert finding_of("LR303", dataset_of({"x": [3] * 239 + [4], **good_columns()}, tmp_path)).state == "passed"


def test_it_always_applies(tmp_path: Path) -> None:
    assert finding_of("LR303", dataset_of(good_columns(), tmp_path)).state == "passed"
