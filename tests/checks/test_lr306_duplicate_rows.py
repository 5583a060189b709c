"""LR306: rows repeat others, more often than chance makes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, finding_of, good_columns

from lrfind.checks.dataset.rows import count_copies


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


def test_copies_are_seen_among_short_rows_that_repeat_by_chance(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {name: np.minimum(rng.geometric(0.7, 600), 6) for name in "abcdefgh"} | {"y": rng.choice(["p", "n"], 600)}
    clean = finding_of("LR306", dataset_of(columns, tmp_path))
    assert clean.state == "passed"
    assert clean.evidence["n_duplicates"] > 100
    copied = finding_of("LR306", dataset_of(repeated(columns, 240), tmp_path))
    assert copied.state == "found"
    # 0.4 of the rows were copied, whatever is in them
    assert copied.evidence["share_of_rare_rows"] == pytest.approx(0.4, abs=0.08)


def test_the_chance_of_a_copy_is_that_of_draws(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    shares = []
    for seed in range(20):
        draws = {name: np.random.default_rng([seed, i]).integers(0, 5, 300) for i, name in enumerate("abcd")}
        copies = count_copies(dataset_of(draws | {"y": rng.choice(["p", "n"], 300)}, tmp_path))
        shares.append((copies.rare, copies.rare_by_chance))
    seen, expected = np.mean(shares, axis=0)
    assert seen == pytest.approx(expected, rel=0.15)
