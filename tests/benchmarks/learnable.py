"""Whether anything can be learned from some rows of a table, as others see it: `is_learnable(frame, target, path=...)`.

Of whole tables the reference beside them tells: the best training found over rates, schedules and nets, on test data.
Of tables that were cut, models of scikit-learn learn from the rows that are left and predict those cut off, which are
many: what the best of them gains there is no luck, and shows what a check of the rows that are left should find.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skrub import StringEncoder, TableVectorizer

# Share of the constant's loss that the best training known gains where there is something to learn.
LEARNABLE = 0.01
# Rows cut off from which a gain can be told.
FEWEST_CUT_OFF = 200
# Values of a target of numbers from which it is one to regress on.
MANY_VALUES = 10


def is_learnable(frame: pd.DataFrame, target: str, *, whole: pd.DataFrame, path: Path) -> bool:
    """Say whether rows of a table hold anything to learn, by its reference or by the rows cut off."""
    rest = whole[~_marks(whole).isin(set(_marks(frame)))]
    if len(rest) >= FEWEST_CUT_OFF:
        return gain_of(frame, rest, target) >= LEARNABLE
    reference = path.with_name(path.name.replace(".train.csv", ".json"))
    if reference.suffix != ".json" or not reference.is_file():
        return True
    known = json.loads(reference.read_text(encoding="utf-8"))
    best = min(config["best"] for config in known["configs"] if config["best"] is not None)
    return bool(1 - best / known["baseline"] >= LEARNABLE)


def _marks(frame: pd.DataFrame) -> pd.Series[int]:
    return pd.util.hash_pandas_object(frame.astype(str), index=False)


def gain_of(frame: pd.DataFrame, rest: pd.DataFrame, target: str) -> float:
    """Return the share of the constant's loss on `rest` that the best model of `frame` gains."""
    y = frame[target]
    is_number = pd.api.types.is_numeric_dtype(y) and y.nunique() > MANY_VALUES
    y = y if is_number else y.astype(str)
    known = rest if is_number else rest[rest[target].astype(str).isin(set(y))]
    truth = known[target] if is_number else known[target].astype(str)
    keep, y = frame.drop(columns=target)[y.notna()], y[y.notna()]
    known, truth = known.drop(columns=target)[truth.notna()], truth[truth.notna()]
    gains = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model in _models(is_number=is_number):
            model.fit(keep, y)
            if is_number:
                gains.append(1 - np.square(truth - model.predict(known)).mean() / np.square(truth - y.mean()).mean())
            else:
                labels = sorted(set(y))
                share = np.tile(y.value_counts(normalize=True)[labels].to_numpy(), (len(truth), 1))
                constant = log_loss(truth, share, labels=labels)
                gains.append(1 - log_loss(truth, model.predict_proba(known), labels=labels) / constant)
    return float(max(gains))


def _models(*, is_number: bool) -> Iterator[Any]:
    """Yield a linear model from hardly to well fitted, and shallow boosted trees."""
    for strength in (1e-4, 1e-3, 1e-2, 1e-1):
        linear = Ridge(1 / strength) if is_number else LogisticRegression(C=strength, max_iter=500)
        yield make_pipeline(_features(), SimpleImputer(keep_empty_features=True), StandardScaler(), linear)
    trees = HistGradientBoostingRegressor if is_number else HistGradientBoostingClassifier
    yield make_pipeline(_features(), trees(max_iter=30, learning_rate=0.05, max_depth=3))


def _features() -> TableVectorizer:
    return TableVectorizer(high_cardinality=StringEncoder(n_components=20))
