"""scikit-learn's own loss curves at a grid of rates, and what is true of each."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from faulty_shapes import constant
from faulty_training import Recipe, parts, table
from faulty_truth import COSTS_FROM, HEALTHY_TO, HIGH_TOO, Truth


def sklearn_cases(folder: Path, *, number: int) -> Iterator[Truth]:
    """Yield scikit-learn's own loss curves, one value an epoch, at rates around the best."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    warnings.simplefilter("ignore")
    for data, solver in (("digits", "adam"), ("digits", "sgd"), ("cancer", "adam"), ("mpg", "adam"), ("wine", "sgd")):
        recipe = Recipe(data=data, net="mlp", optimizer=solver, batch=32, n_steps=1, lr=1.0, schedule=constant)
        x, y, _, _ = (part.numpy() for part in parts(recipe))
        make = MLPClassifier if table(data)[2] else MLPRegressor
        curves = {}
        for lr in 10.0 ** np.arange(-5, 0.1, 0.5):
            model = make(
                hidden_layer_sizes=(32,),
                solver=solver,
                batch_size=32,
                learning_rate_init=lr,
                max_iter=40,
                tol=1e-12,
                n_iter_no_change=50,
            )
            try:
                curves[lr] = np.array(model.fit(x, y).loss_curve_)
            except ValueError as error:
                print(data, solver, lr, error)
                continue
        finals = {lr: float(np.mean(curve[-3:])) for lr, curve in curves.items() if np.isfinite(curve).all()}
        if not finals:
            continue
        best = min(finals, key=finals.__getitem__)
        span = max(curve[0] for curve in curves.values()) - finals[best]
        span = min(span, 3.0)
        for lr, curve in curves.items():
            regret = (finals.get(lr, math.inf) - finals[best]) / span
            fault = "healthy" if regret < HEALTHY_TO else "high" if lr > best else "low"
            # Far from the best rate a run that did well by luck is neither healthy nor at fault.
            if HEALTHY_TO <= regret < COSTS_FROM or (fault == "healthy" and not 0.3 < lr / best < 3):
                continue
            codes = {"healthy": [], "high": ["LR202"], "low": ["LR203"]}[fault]
            tolerated = {"healthy": [], "high": list(HIGH_TOO), "low": ["LR214"]}[fault]
            path = folder / f"{number:04d}-sklearn-{data}-{solver}-{fault}.json"
            path.write_text(json.dumps(curve.tolist()))
            yield Truth(
                file=path.name,
                base=f"sklearn-{data}-{solver}",
                fault=fault,
                strength=lr / best,
                format="loss_curve_",
                codes=codes,
                tolerated=tolerated,
                lr=float(lr),
                optimizer={"sgd": "momentum"}.get(solver, solver),
                lr_best=float(best),
                regret=min(regret, 1e9),
            )
            number += 1
