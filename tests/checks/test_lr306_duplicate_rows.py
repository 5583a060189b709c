"""LR306: rows repeat others, more often than chance makes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dataset_fixture import dataset_of, finding_of, good_columns


def repeated(columns: dict[str, np.ndarray], n_copies: int) -> dict[str, np.ndarray]:
    return {name: np.concatenate([values, values[:n_copies]]) for name, values in columns.items()}


def test_it_counts_copies(tmp_path: Path) -> None:
    finding = finding_of("LR306", dataset_of(repeated(good_columns(), 60), tmp_path))
    assert (finding.state, finding.severity) == ("found", "warning")
    assert finding.evidence["n_duplicates"] == 60
    assert "60 of 300 rows" in finding.message


def test_a_table_of_few_distinct_rows_is_an_error(tmp_path: Path) -> None:
    columns = {"a": np.tile([1.5, 2.5, 3.5], 100), "b": np.tile([1, 5, 2], 100), "y": np.tile(["p", "n", "n"], 100)}
    finding = finding_of("LR306", dataset_of(columns, tmp_path))
    assert (finding.state, finding.severity) == ("found", "error")


def test_copies_with_an_id_of_their_own_are_copies(tmp_path: Path) -> None:
    columns = repeated(good_columns(), 60)
    columns = {"user_id": [f"u{i:05x}" for i in range(300)], **columns}
    assert finding_of("LR306", dataset_of(columns, tmp_path)).state == "found"


def test_it_stays_quiet_where_short_rows_repeat_by_chance(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(0, 3, 240) for name in "abc"} | {"y": rng.choice(["p", "n"], 240)}
    finding = finding_of("LR306", dataset_of(columns, tmp_path))
    assert finding.state == "passed"
    assert finding.evidence["n_duplicates"] > 100


def test_it_stays_quiet_on_one_copy(tmp_path: Path) -> None:
    assert finding_of("LR306", dataset_of(repeated(good_columns(), 1), tmp_path)).state == "passed"
