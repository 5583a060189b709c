"""LR322: the distribution of a column has moved."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from baseline_fixture import against
from dataset_fixture import dataset_of, good_columns
from scipy import stats

from lrfind.checks.baseline import baseline_of
from lrfind.checks.drift import Shift, chi_square_tail, compare, holm, shift_of, summarise
from lrfind.data import Column


def test_it_fires_and_a_large_shift_is_an_error(tmp_path: Path) -> None:
    old, new = good_columns(1000), good_columns(1000, seed=1)
    baseline = baseline_of(dataset_of(old, tmp_path))
    slight = against("LR322", dataset_of(new | {"c": new["c"] + 0.36}, tmp_path), baseline)
    large = against("LR322", dataset_of(new | {"c": new["c"] + 2}, tmp_path), baseline)
    assert [(f.state, f.severity, f.evidence["worst_column"]) for f in (slight, large)] == [
        ("found", "warning", "c"),
        ("found", "error", "c"),
    ]


@pytest.mark.parametrize("change", [lambda c: c * 3, lambda c: np.where(np.arange(len(c)) % 2, c, np.nan)])
def test_it_sees_a_change_of_scale_and_missing_values(tmp_path: Path, change) -> None:
    old, new = good_columns(1000), good_columns(1000, seed=1)
    baseline = baseline_of(dataset_of(old, tmp_path))
    assert against("LR322", dataset_of(new | {"c": change(new["c"])}, tmp_path), baseline).state == "found"


def test_it_sees_a_change_of_scale_where_most_values_are_one(tmp_path: Path) -> None:
    pixel = np.where(np.arange(1000) % 20 == 0, np.arange(1000) % 16, 0)
    baseline = baseline_of(dataset_of({"pixel": pixel, **good_columns(1000)}, tmp_path))
    same = against("LR322", dataset_of({"pixel": pixel, **good_columns(1000)}, tmp_path), baseline)
    grown = against("LR322", dataset_of({"pixel": pixel * 10**6, **good_columns(1000)}, tmp_path), baseline)
    assert (same.state, grown.state) == ("passed", "found")


def test_it_sees_levels_of_text_come_and_go(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    old = {"colour": rng.choice(["red", "green"], 500), **good_columns(500)}
    new = {"colour": rng.choice(["red", "blue"], 500), **good_columns(500)}
    finding = against("LR322", dataset_of(new, tmp_path), baseline_of(dataset_of(old, tmp_path)))
    assert finding.evidence["worst_column"] == "colour"


def towns(seed: int, *, prefix: str = "town", n_towns: int = 150) -> dict[str, np.ndarray]:
    """Return a table with many levels, none clearly more frequent than the next."""
    rng = np.random.default_rng(seed)
    return {"town": [f"{prefix} {i}" for i in rng.integers(0, n_towns, 1000)], **good_columns(1000, seed=seed)}


def test_the_most_frequent_of_many_levels_are_no_drift_when_others_are_next_time(tmp_path: Path) -> None:
    for seed in range(4):
        baseline = baseline_of(dataset_of(towns(2 * seed), tmp_path))
        assert baseline.columns["town"].levels == ()
        assert against("LR322", dataset_of(towns(2 * seed + 1), tmp_path), baseline).state == "passed"


def test_other_levels_in_place_of_many_are_drift(tmp_path: Path) -> None:
    baseline = baseline_of(dataset_of(towns(0), tmp_path))
    finding = against("LR322", dataset_of(towns(1, prefix="city"), tmp_path), baseline)
    assert finding.evidence["worst_column"] == "town"
    assert finding.state == "found"


def test_levels_that_are_clearly_frequent_are_kept_by_name() -> None:
    found = Counter({f"rare {i}": 10 for i in range(50)} | {"often": 400, "second": 200})
    texts = np.array(list(found.elements()), dtype=object)
    summary = summarise(Column(name="c", kind="text", values=texts))
    assert summary.levels == ("often", "second")
    assert summary.counts == (400, 200, 500)
    assert sum(summary.rest) == 500
    assert compare(summary, Column(name="c", kind="text", values=texts[::-1])) == Shift(p=1.0, psi=0.0)


def test_the_index_is_less_what_chance_makes_of_it() -> None:
    rng, shares = np.random.default_rng(0), np.full(10, 0.1)
    raw, net = [], []
    for _ in range(400):
        then, now = rng.multinomial(300, shares, size=2).astype(float)
        p, q = (then + 0.5) / 305, (now + 0.5) / 305
        raw.append(np.sum((q - p) * np.log(q / p)))
        net.append(shift_of(then, now).psi)
    chance = 9 * (2 / 300)
    assert np.mean(raw) == pytest.approx(chance, rel=0.1)
    assert net == pytest.approx(np.maximum(np.array(raw) - chance, 0))


def test_it_stays_quiet_on_other_rows_of_the_same_kind(tmp_path: Path) -> None:
    baseline = baseline_of(dataset_of(good_columns(1000), tmp_path))
    for seed in range(1, 9):
        assert against("LR322", dataset_of(good_columns(1000, seed=seed), tmp_path), baseline).state == "passed"


def test_it_does_not_apply_when_no_column_is_left(tmp_path: Path) -> None:
    baseline = baseline_of(dataset_of({"p": np.arange(100) * 1.5, "q": np.arange(100) % 3}, tmp_path, target="q"))
    assert against("LR322", dataset_of(good_columns(), tmp_path), baseline).state == "not_applicable"


@pytest.mark.parametrize("name", ["count", "day"])
def test_a_column_that_counts_the_rows_moves_on_by_nature(tmp_path: Path, name: str) -> None:
    old, new = ({name: np.arange(240) + start, **good_columns(seed=start)} for start in (0, 240))
    finding = against("LR322", dataset_of(new, tmp_path), baseline_of(dataset_of(old, tmp_path)))
    assert (finding.state, finding.evidence["n_tested"]) == ("passed", 4)


@pytest.mark.parametrize("freedom", [1, 2, 5, 10, 30])
@pytest.mark.parametrize("p", [0.9, 0.5, 0.01, 1e-6, 1e-12])
def test_the_tail_of_chi_square_is_scipys(freedom: int, p: float) -> None:
    statistic = stats.chi2.isf(p, freedom)
    assert chi_square_tail(statistic, freedom) == pytest.approx(p, rel=1e-9)


def test_the_two_sample_test_is_scipys() -> None:
    then, now = np.array([30.0, 40.0, 50.0, 60.0]), np.array([45.0, 40.0, 55.0, 30.0])
    expected = stats.chi2_contingency([then, now], correction=False).pvalue
    assert shift_of(then, now).p == pytest.approx(expected, rel=1e-9)


def test_equal_counts_have_not_moved() -> None:
    shift = shift_of(np.array([10.0, 20.0, 0.0]), np.array([20.0, 40.0, 0.0]))
    assert shift.p == 1
    assert shift.psi == pytest.approx(0, abs=0.01)
    assert shift_of(np.zeros(3), np.zeros(3)).p == 1


def test_holm_is_the_worked_example() -> None:
    # Holm 1979: multiply by how many are left, never below an earlier one
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
