"""Whether any column has to do with the target, by shuffling it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lrfind.checks.dataset.association import ASSOCIATED, Association, Coded, associate, ranked


def coded(values: np.ndarray, *, name: str = "x", is_ordered: bool = True) -> Coded:
    return Coded(name=name, codes=np.unique(values, return_inverse=True)[1], is_ordered=is_ordered)


def of(columns: list[Coded], target: np.ndarray, *, n_classes: int = 0, seed: int = 0) -> Association:
    found = associate(columns, target, n_classes=n_classes, seed=seed, is_late=lambda: False)
    assert found is not None
    return found


def noise(n_rows: int, *, seed: int, n_columns: int = 3) -> list[Coded]:
    rng = np.random.default_rng([seed, 1])
    return [coded(rng.normal(size=n_rows), name=f"noise {i}") for i in range(n_columns)]


@pytest.mark.parametrize("seed", range(3))
def test_a_trend_too_weak_to_learn_from_is_seen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 400))
    found = of([*noise(400, seed=seed), coded(x)], y + 0.35 * x)
    assert found.is_certain
    assert (found.column, found.n_columns) == ("x", 4)


def test_what_bends_is_seen() -> None:
    x = np.random.default_rng(0).normal(size=400)
    y = (np.abs(x) + np.random.default_rng(1).normal(size=400) > 1).astype(int)
    assert of([*noise(400, seed=0), coded(x)], y, n_classes=2).column == "x"


def test_one_of_many_levels_that_repeat_a_little_is_seen() -> None:
    # 300 levels of four rows each, as of people who rate
    rng = np.random.default_rng(0)
    level = np.repeat(np.arange(300), 4)
    y = rng.normal(size=300)[level] * 0.5 + rng.normal(size=1200)
    found = of([*noise(1200, seed=0), coded(level, name="who", is_ordered=False)], y)
    assert found.is_certain
    assert found.column == "who"


def test_shuffled_targets_are_rarely_something() -> None:
    found = [
        of(noise(120, seed=seed), np.random.default_rng(seed).integers(0, 3, 120), n_classes=3, seed=seed).p
        for seed in range(200)
    ]
    assert np.mean(np.array(found) <= ASSOCIATED) <= stats.binom.isf(0.001, 200, ASSOCIATED) / 200
    assert np.mean(np.array(found) <= 0.5) == pytest.approx(0.5, abs=0.12)


def test_the_p_value_of_one_trend_is_that_of_spearman() -> None:
    rng = np.random.default_rng(2)
    x = rng.permutation(60)
    # two groups of ranks and no more: neither levels nor fifths
    y = x * 0.02 + rng.normal(size=60)
    two = (x > 30).astype(int)
    expected = stats.kruskal(y[two == 0], y[two == 1]).pvalue
    assert of([coded(two)], y).p == pytest.approx(expected, abs=0.03)


def test_ranks_are_scipys() -> None:
    values = np.array([3.0, 1.0, 3.0, 2.0, 9.0])
    ranks = stats.rankdata(values) - 3
    assert ranked(values) == pytest.approx(ranks / np.sqrt(np.square(ranks).sum()))
    assert ranked(np.ones(4)) == pytest.approx(np.zeros(4))


def test_columns_that_never_repeat_and_have_no_order_say_nothing() -> None:
    texts = Coded(name="text", codes=np.arange(50), is_ordered=False)
    assert of([texts], np.arange(50) % 2, n_classes=2) == Association(p=1.0, column="", n_columns=0)


def test_it_is_given_up_when_late() -> None:
    assert associate(noise(50, seed=0), np.arange(50.0), n_classes=0, seed=0, is_late=lambda: True) is None
