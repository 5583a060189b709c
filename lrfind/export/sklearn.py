"""scikit-learn: an MLP with the rate, and where that changes, a loop that sets the rate of every update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lrfind.export.closed_loop import fallback_note
from lrfind.export.factor import factor_code, needs_math
from lrfind.export.plan import Plan, joined, make_plan
from lrfind.recommend import Recommendation

_SOLVERS: Final[Mapping[str, str]] = {
    "sgd": 'solver="sgd", momentum=0.0',
    "momentum": 'solver="sgd", momentum=0.9, nesterovs_momentum=False',
    "nesterov": 'solver="sgd", momentum=0.9, nesterovs_momentum=True',
}
_ADAM: Final = 'solver="adam"'
# scikit-learn refuses a rate of 0, at which a warm-up starts; this share of the peak moves nothing.
LEAST_SHARE: Final = "1e-9"


def to_sklearn(recommendation: Recommendation) -> str:
    """Return code that makes an MLP and trains it at the recommended rates."""
    plan = make_plan(recommendation)
    is_constant = plan.kind == "constant"
    solver = _SOLVERS.get(plan.optimizer, _ADAM)
    return joined(
        plan.header,
        _note_on_solver(plan),
        fallback_note(plan, "scikit-learn"),
        () if is_constant else ("# scikit-learn has no such schedule: the loop sets the rate before every update.",),
        ("import math", "") if not is_constant and needs_math(plan.schedule) else (),
        "import numpy as np",
        "from sklearn.base import is_classifier",
        "from sklearn.neural_network import MLPClassifier  # or MLPRegressor",
        "",
        # alpha is the L2 penalty, which lrfind does not use.
        f"model = MLPClassifier({solver}, learning_rate_init={plan.peak}, batch_size={plan.batch_size}, alpha=0.0)",
        () if is_constant else ("", "", *factor_code(plan.schedule)),
        _loop(plan, () if is_constant else _rate_lines(plan)),
    )


def _note_on_solver(plan: Plan) -> tuple[str, ...]:
    if plan.optimizer in _SOLVERS or plan.optimizer == "adam":
        return ()
    return (
        f"# scikit-learn has no {plan.optimizer}; adam is the nearest, but this rate was found for {plan.optimizer}.",
        "# For a rate of its own: lrfind sweep DATA --optimizer adam",
    )


def _loop(plan: Plan, rate_lines: tuple[str, ...]) -> tuple[str, ...]:
    size = plan.batch_size
    return (
        "",
        "",
        "def train(model, X, y, seed=0):",
        f'    """Make {plan.n_steps} updates on shuffled batches of {size} rows; X and y are arrays."""',
        "    random, order = np.random.default_rng(seed), []",
        '    classes = {"classes": np.unique(y)} if is_classifier(model) else {}',
        f"    for step in range({plan.n_steps}):",
        f"        if len(order) < {size}:",
        "            order = random.permutation(len(X))",
        f"        batch, order = order[:{size}], order[{size}:]",
        *(f"        {line}" for line in rate_lines),
        "        model.partial_fit(X[batch], y[batch], **classes)  # one update",
        "    return model",
    )


def _rate_lines(plan: Plan) -> tuple[str, ...]:
    attribute = "learning_rate" if plan.optimizer in _SOLVERS else "learning_rate_init"
    return (
        f"rate = {plan.peak} * max(factor(step), {LEAST_SHARE})  # 0 itself is refused",
        "if step == 0:",
        "    model.set_params(learning_rate_init=rate)",
        "else:",
        f"    model._optimizer.{attribute} = rate  # private, but the only way: tried with scikit-learn 1.9",
    )
