"""What a random forest learns of rows that linear models and networks find nothing in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, good_columns
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import log_loss

from lrfind.checks.dataset import forest, learn
from lrfind.problem import Problem


def never() -> bool:
    return False


def fitted(problem: Problem, *, seed: int = 3) -> tuple[learn.HeldOut, learn.Fold]:
    folds = learn.make_folds(problem, seed=0)
    found = forest.forest_fit(problem, folds=folds, seed=seed, is_late=never)
    assert found is not None
    assert found.losses.shape == (len(learn.SHARES), len(problem.y_train) + len(problem.y_val))
    return found, folds[0]


def parts(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([problem.X_train, problem.X_val]), np.concatenate([problem.y_train, problem.y_val])


def test_classes_are_given_what_one_forest_gives_them(tmp_path: Path) -> None:
    problem = dataset_of(good_columns(), tmp_path).problem
    found, (learned, held) = fitted(problem)
    X, y = parts(problem)
    alone = RandomForestClassifier(forest.N_TREES, min_samples_leaf=forest.LEAF_ROWS, random_state=3)
    given = alone.fit(X[learned], y[learned]).predict_proba(X[held])
    assert found.losses[0, : len(held)].mean() == pytest.approx(log_loss(y[held], given))
    constant = np.exp(-found.baseline[: len(held)])
    own = given[np.arange(len(held)), y[held]]
    np.testing.assert_allclose(found.losses[1, : len(held)], -np.log((own + constant) / 2))


def test_numbers_are_predicted_as_one_forest_predicts_them(tmp_path: Path) -> None:
    columns = good_columns()
    columns["y"] = columns["a"] ** 2 + columns["b"]
    problem = dataset_of(columns, tmp_path).problem
    found, (learned, held) = fitted(problem)
    X, y = parts(problem)
    alone = RandomForestRegressor(
        forest.N_TREES, min_samples_leaf=forest.LEAF_ROWS, max_features="sqrt", random_state=3
    ).fit(X[learned], y[learned])
    predicted = alone.predict(X[held])
    np.testing.assert_allclose(found.losses[0, : len(held)], (predicted - y[held]) ** 2, rtol=1e-6)
    halfway = (predicted + y[learned].mean()) / 2
    np.testing.assert_allclose(found.losses[1, : len(held)], (halfway - y[held]) ** 2, rtol=1e-5, atol=1e-9)


def test_a_class_that_no_row_learned_from_has_costs_everything_and_half_of_it_does_not(tmp_path: Path) -> None:
    problem = dataset_of(good_columns(), tmp_path).problem
    _, y = parts(problem)
    fold = (np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:40])
    found = forest.forest_fit(problem, folds=[fold], seed=0, is_late=never)
    assert found is not None
    assert np.isinf(found.losses[0]).all()
    assert np.isfinite(found.losses[1:]).all()


def test_it_is_given_up_when_it_is_late_and_not_begun_with_many_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = dataset_of(good_columns(), tmp_path).problem
    folds = learn.make_folds(problem, seed=0)
    looks = iter([False, False, False, True])
    assert forest.forest_fit(problem, folds=folds, seed=0, is_late=lambda: next(looks)) is None
    monkeypatch.setattr(forest, "MOST_CLASSES", 1)
    assert forest.forest_fit(problem, folds=folds, seed=0, is_late=never) is None


def test_fewer_trees_grow_where_they_take_long_and_none_where_ten_do() -> None:
    assert forest.count_trees(n_rows=480 * 5, n_features=25) == forest.N_TREES
    assert forest.count_trees(n_rows=9000, n_features=25) == 20
    assert forest.count_trees(n_rows=10_000, n_features=625) == 0


def test_no_forest_grows_where_there_is_no_time_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = dataset_of(good_columns(), tmp_path).problem
    monkeypatch.setattr(forest, "MOST_WORK", 9000)
    assert forest.forest_fit(problem, folds=learn.make_folds(problem, seed=0), seed=0, is_late=never) is None
