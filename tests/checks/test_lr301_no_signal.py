"""LR301: nothing can be learned that helps on rows held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, examined, finding_of, good_columns, learned, state_of
from scipy import stats

from lrfind.checks.dataset import Dataset
from lrfind.checks.dataset.association import ASSOCIATED, Association
from lrfind.checks.dataset.learn import HeldOut
from lrfind.checks.dataset.signal import POWER, USEFUL_SHARE, least_share, rows_needed, rows_to_see
from lrfind.checks.dataset.significance import CHANCE, Significance, significance


def with_gain(tmp_path: Path, *, mean: float, n_rows: int = 100):
    """Return a dataset of which a model gains `mean` with a standard error of exactly 0.01."""
    baseline = np.full(n_rows, 0.7)
    scatter = np.tile([-1.0, 1.0], n_rows // 2)
    scatter *= 0.01 * np.sqrt(n_rows) / scatter.std(ddof=1)
    losses = np.stack([baseline - mean - scatter, baseline + 1])
    return learned(dataset_of(good_columns(), tmp_path), losses=losses, baseline=baseline)


def test_it_fires_when_no_model_gains(tmp_path: Path) -> None:
    finding = finding_of("LR301", with_gain(tmp_path, mean=0.01))
    assert (finding.state, finding.severity) == ("found", "error")
    assert finding.evidence["gain"] == pytest.approx(0.01)
    assert finding.evidence["standard_error"] == pytest.approx(0.01)


def test_it_passes_when_a_model_gains_beyond_chance(tmp_path: Path) -> None:
    finding = finding_of("LR301", with_gain(tmp_path, mean=0.05))
    assert finding.state == "passed"
    assert finding.evidence["p"] == pytest.approx(0.0005)
    assert finding.evidence["errors_above_nothing"] == pytest.approx(5, rel=0.02)


@pytest.mark.parametrize(("errors", "severity"), [(2.2, "warning"), (1.5, "error")])
def test_a_gain_that_chance_seldom_reaches_makes_it_a_warning(tmp_path: Path, errors: float, severity: str) -> None:
    finding = finding_of("LR301", with_gain(tmp_path, mean=0.01 * errors, n_rows=200))
    assert (finding.state, finding.severity) == ("found", severity)
    assert ("too good to be called noise" in finding.message) == (severity == "warning")


def associated(dataset: Dataset, p: float) -> Dataset:
    association = Association(p=p, column="a", n_columns=3)
    return replace(dataset, learning=replace(dataset.learning, association=association))


@pytest.mark.parametrize(("p", "severity"), [(0.001, "warning"), (0.3, "error")])
def test_columns_that_have_to_do_with_the_target_make_it_a_warning(tmp_path: Path, p: float, severity: str) -> None:
    finding = finding_of("LR301", associated(with_gain(tmp_path, mean=0.01), p))
    assert (finding.state, finding.severity) == ("found", severity)
    assert finding.evidence["p_association"] == p
    assert ("'a' above all" in finding.message) == (severity == "warning")


def small(tmp_path: Path, *, n_rows: int, n_noise: int = 0) -> Dataset:
    """Return a small table of which nothing was learned."""
    rng = np.random.default_rng(0)
    columns = {f"x{i}": rng.normal(size=n_rows).round(4) for i in range(n_noise)} | good_columns(n_rows)
    return learned(dataset_of(columns, tmp_path), losses=np.full((2, n_rows), 0.7), baseline=np.full(n_rows, 0.7))


@pytest.mark.parametrize(("n_rows", "severity"), [(60, "warning"), (118, "warning"), (126, "error")])
def test_too_few_rows_to_see_a_useful_column_make_it_a_warning(tmp_path: Path, n_rows: int, severity: str) -> None:
    finding = finding_of("LR301", small(tmp_path, n_rows=n_rows))
    assert (finding.state, finding.severity) == ("found", severity)
    assert (finding.title == "too few rows to learn from") == (severity == "warning")
    assert ("at least 123 rows" in finding.advice) == (severity == "warning")


def test_more_features_than_rows_are_an_error_however_few(tmp_path: Path) -> None:
    finding = finding_of("LR301", small(tmp_path, n_rows=40, n_noise=60))
    assert (finding.state, finding.severity) == ("found", "error")


def test_the_rows_advised_show_a_medium_effect_as_often_as_promised() -> None:
    n_rows, rng = rows_to_see(USEFUL_SHARE, n_columns=3), np.random.default_rng(0)
    slope = np.sqrt(USEFUL_SHARE / (1 - USEFUL_SHARE))
    seen = []
    for _ in range(2000):
        x, y = rng.normal(size=(2, n_rows))
        seen.append(stats.pearsonr(x, y + slope * x).pvalue <= ASSOCIATED / 3)
    # the chance of a normal deviate, so that the correlation's own spread is left out
    assert np.mean(seen) == pytest.approx(POWER, abs=0.05)
    assert least_share(n_rows=n_rows, n_columns=3) == pytest.approx(USEFUL_SHARE, rel=0.01)


def held_out(gains: np.ndarray) -> HeldOut:
    names = tuple(f"model {i}" for i in range(len(gains)))
    n_rows = gains.shape[1]
    return HeldOut(models=names, losses=1 - gains, baseline=np.ones(n_rows), held=np.arange(n_rows))


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1, 0.15])
def test_the_p_value_of_one_model_is_that_of_a_t_test(shift: float) -> None:
    gains = np.random.default_rng(3).normal(shift, 1, (1, 400))
    oracle = stats.ttest_1samp(gains[0], 0, alternative="greater")
    test = significance(held_out(gains))
    assert test.errors == pytest.approx(oracle.statistic, rel=1e-4)
    assert test.p == pytest.approx(oracle.pvalue, abs=0.02)
    assert test.errors_required == pytest.approx(stats.norm.ppf(1 - CHANCE), abs=0.2)


def test_independent_models_cost_what_sidak_says_and_copies_nothing() -> None:
    rng = np.random.default_rng(4)
    gains = rng.normal(size=(1, 400))
    one = significance(held_out(gains)).errors_required
    copies = significance(held_out(np.tile(gains, (30, 1)))).errors_required
    thirty = significance(held_out(rng.normal(size=(30, 400)))).errors_required
    assert copies == pytest.approx(one, rel=1e-4)
    assert thirty == pytest.approx(stats.norm.ppf((1 - CHANCE) ** (1 / 30)), abs=0.3)


@pytest.mark.parametrize("gain", [-1.0, 1.0])
def test_rows_that_all_gain_the_same_are_no_division_by_zero(gain: float) -> None:
    test = significance(held_out(np.full((2, 50), gain)))
    assert (test.p <= CHANCE) == (gain > 0)


def test_the_rows_advised_are_those_at_which_such_a_gain_would_count() -> None:
    # half the errors required: four times the rows
    assert rows_needed(Significance(errors=1.5, errors_required=3.0, p=0.2), n_held=100) == 400
    assert rows_needed(Significance(errors=-1.0, errors_required=3.0, p=0.9), n_held=100) == 400


def test_it_fires_when_every_model_diverged(tmp_path: Path) -> None:
    dataset = learned(dataset_of(good_columns(), tmp_path), losses=np.full((2, 60), np.nan), baseline=np.full(60, 0.7))
    assert finding_of("LR301", dataset).state == "found"


def test_it_does_not_apply_to_a_handful_of_rows(tmp_path: Path) -> None:
    dataset = learned(dataset_of(good_columns(), tmp_path), losses=np.full((2, 8), 0.1), baseline=np.full(8, 0.7))
    assert finding_of("LR301", dataset).state == "not_applicable"


def test_it_does_not_apply_where_nothing_was_trained(tmp_path: Path) -> None:
    assert finding_of("LR301", dataset_of(good_columns(), tmp_path)).message == "Nothing was trained."


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_shuffled_labels_fail_and_the_same_table_passes(tmp_path: Path, seed: int) -> None:
    columns = good_columns(seed=seed)
    assert examined(columns, tmp_path).passed
    columns["y"] = np.random.default_rng(seed).permutation(columns["y"])
    report = examined(columns, tmp_path)
    assert not report.passed
    assert state_of("LR301", report) == "found"


@pytest.mark.slow
def test_sorting_by_class_changes_nothing(tmp_path: Path) -> None:
    columns = good_columns()
    order = np.argsort(columns["y"], kind="stable")
    assert examined({name: values[order] for name, values in columns.items()}, tmp_path).passed


@pytest.mark.slow
def test_a_signal_that_no_linear_model_sees_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 500)).round(3)
    assert state_of("LR301", examined({"a": a, "b": b, "y": np.where(a * b > 0, "p", "n")}, tmp_path)) == "passed"


@pytest.mark.slow
def test_a_rare_combination_that_only_trees_see_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    columns = {f"x{i}": rng.normal(size=600).round(3) for i in range(30)}
    inside = (abs(columns["x0"]) < 0.7) & (abs(columns["x1"]) < 0.7)
    y = np.where(rng.random(600) < np.where(inside, 0.75, 0.1), "p", "n")
    report = examined(columns | {"y": y}, tmp_path)
    finding = next(finding for finding in report.findings if finding.code == "LR301")
    assert finding.state == "passed"
    assert "forest" in str(finding.evidence["best_model"])


@pytest.mark.slow
def test_more_columns_than_rows_of_noise_fail(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    columns = {f"x{i}": rng.normal(size=50).round(3) for i in range(200)} | {"y": rng.permutation(np.arange(50) % 2)}
    assert not examined(columns, tmp_path).passed
