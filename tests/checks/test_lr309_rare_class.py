"""LR309: a class has too few rows to be split and judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, finding_of, good_columns


def with_rare(n_rows: int) -> dict[str, object]:
    columns = good_columns()
    return columns | {"y": ["zebra"] * n_rows + ["horse"] * 120 + ["mule"] * (120 - n_rows)}


@pytest.mark.parametrize(("n_rows", "state"), [(1, "found"), (19, "found"), (20, "passed")])
def test_the_border_is_twenty_rows(tmp_path: Path, n_rows: int, state: str) -> None:
    finding = finding_of("LR309", dataset_of(with_rare(n_rows), tmp_path))
    assert finding.state == state
    assert "'zebra'" in finding.message
    assert finding.evidence["smallest"] == n_rows


def test_several_are_named_together(tmp_path: Path) -> None:
    columns = good_columns() | {"y": ["p", "q"] * 5 + ["r"] * 230}
    finding = finding_of("LR309", dataset_of(columns, tmp_path))
    assert finding.message.startswith("2 classes are rare: 'p', 'q'")


def test_it_does_not_apply_to_numbers(tmp_path: Path) -> None:
    columns = good_columns() | {"y": np.random.default_rng(0).normal(size=240)}
    assert finding_of("LR309", dataset_of(columns, tmp_path)).state == "not_applicable"
