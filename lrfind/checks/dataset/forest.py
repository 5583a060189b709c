"""What a random forest learns of a problem, judged on rows held out: `forest_fit(...) -> HeldOut`.

Asked where neither linear models nor networks find anything: trees see steps and rare combinations of levels in rows
too few for those. scikit-learn grows them, and is imported only then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lrfind.checks.dataset.learn import Fold, HeldOut, held_out_of
from lrfind.problem import Problem, Task

# Trees of a forest, fewer where they take long; grown a few at a time so that the clock can be looked at.
N_TREES, A_FEW = 100, 10
# Rows times features tried at a split, of all trees of all folds: half a second.
MOST_WORK = 1_250_000
# Rows of a leaf at least: what linear models and networks miss is weak, and fewer rows hold more luck than that.
LEAF_ROWS = 10
# Classes beyond which a forest takes minutes.
MOST_CLASSES = 30


def forest_fit(problem: Problem, *, folds: Sequence[Fold], seed: int, is_late: Callable[[], bool]) -> HeldOut | None:
    """Grow a forest on each fold and judge it on the rows held out.

    Parameters
    ----------
    problem : Problem
    folds : sequence of (rows, rows)
        As in `cross_fit`.
    seed : int
    is_late : callable
        Asked now and then; growing is given up once it says so.

    Returns
    -------
    HeldOut or None
        None when given up, with more than `MOST_CLASSES` classes, or where even a few trees would take long: of so many
        rows and columns, other models see what there is.

    References
    ----------
    Breiman 2001, "Random forests", Machine Learning 45(1).
    """
    n_trees = count_trees(n_rows=sum(len(learned) for learned, _ in folds), n_features=problem.n_features)
    # Importing scikit-learn takes a second.
    if is_late() or not n_trees or len(problem.classes) > MOST_CLASSES:
        return None
    X, y = np.concatenate([problem.X_train, problem.X_val]), np.concatenate([problem.y_train, problem.y_val])
    seen = []
    for place, (learned, held) in enumerate(folds):
        forest = make_forest(problem.task, seed=seed + place)
        if not _grow(forest, X[learned], y=y[learned], n_trees=n_trees, is_late=is_late):
            return None
        seen.append(_seen(forest, X[held], y=y[held], problem=problem))
    return held_out_of(problem, [(f"forest of {n_trees} trees", np.concatenate(seen))], folds=folds)


def count_trees(*, n_rows: int, n_features: int) -> int:
    """Return how many trees there is time for, in tens, of so many rows and features; 0 where not even ten."""
    most = MOST_WORK / max(n_rows * math.sqrt(n_features), 1)
    return min(int(most) // A_FEW * A_FEW, N_TREES)


def make_forest(task: Task, *, seed: int) -> Any:
    """Return a forest of scikit-learn's that has not grown yet."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    make = RandomForestRegressor if task == "regression" else RandomForestClassifier
    return make(min_samples_leaf=LEAF_ROWS, max_features="sqrt", random_state=seed, warm_start=True)


def _grow(
    forest: Any, X: npt.NDArray[np.float32], *, y: npt.NDArray[np.generic], n_trees: int, is_late: Callable[[], bool]
) -> bool:
    """Grow a forest, and say whether that was not given up."""
    for so_many in range(A_FEW, n_trees + 1, A_FEW):
        if is_late():
            return False
        forest.set_params(n_estimators=so_many).fit(X, y)
    return True


def _seen(
    forest: Any, X: npt.NDArray[np.float32], *, y: npt.NDArray[np.generic], problem: Problem
) -> npt.NDArray[np.float64]:
    """Return the loss of each row; of numbers the prediction less the target."""
    if problem.task == "regression":
        return np.asarray(forest.predict(X) - y, np.float64)
    # a class that no row learned from has is given nothing
    given = np.zeros((len(y), len(problem.classes)))
    given[:, forest.classes_.astype(np.int64)] = forest.predict_proba(X)
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log(given[np.arange(len(y)), y.astype(np.int64)]))
