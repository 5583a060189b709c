"""LR308: rows without a target."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_fixture import dataset_of, finding_of, good_columns


@pytest.mark.parametrize(("n_missing", "severity"), [(1, "warning"), (71, "warning"), (72, "error")])
def test_it_counts_them_and_many_are_an_error(tmp_path: Path, n_missing: int, severity: str) -> None:
    columns = good_columns()
    columns["y"] = [None] * n_missing + list(columns["y"][n_missing:])
    finding = finding_of("LR308", dataset_of(columns, tmp_path))
    assert (finding.state, finding.severity) == ("found", severity)
    assert finding.evidence["n_missing"] == n_missing


def test_it_stays_quiet_when_every_row_has_one(tmp_path: Path) -> None:
    assert finding_of("LR308", dataset_of(good_columns(), tmp_path)).state == "passed"
