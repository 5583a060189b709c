"""How long small models train for the checks of a dataset."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_fixture import dataset_of, good_columns

from lrfind.checks.dataset import learn


@pytest.mark.parametrize(("most", "n_steps"), [(10**9, 400), (300, 300), (1, 200)])
def test_large_networks_take_fewer_steps_but_never_fewer_than_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, n_steps: int
) -> None:
    problem = dataset_of(good_columns(), tmp_path).problem
    # a linear model of two classes: a weight an input and a bias for each
    monkeypatch.setattr(learn, "MOST_WORK", most * 2 * (problem.n_features + 1))
    plan = learn.Plan(hidden=(), lrs=(0.01,), epochs=10**6, steps=(200, 400), marks=(1.0,))
    folds = learn.make_folds(problem, seed=0)[:1]
    held_out = learn.cross_fit(problem, folds=folds, plans=[plan], seed=0, is_late=lambda: False)
    assert held_out is not None
    assert held_out.models[0] == f"linear, rate 0.01, after {n_steps} steps"
