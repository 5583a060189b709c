"""scikit-learn: an MLP with the rate, and where that changes, a loop that sets the rate of every update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lrfind.export.closed_loop import fallback_note
from lrfind.export.comments import scale
from lrfind.export.factor import factor_code, needs_math
from lrfind.export.plan import Plan, joined

_SOLVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "sgd": ('solver="sgd"', "momentum=0.0"),
    "momentum": ('solver="sgd"', "momentum=0.9", "nesterovs_momentum=False"),
    "nesterov": ('solver="sgd"', "momentum=0.9", "nesterovs_momentum=True"),
}
# Of lrfind's activations, those that scikit-learn has too.
_ACTIVATIONS: Final = ("relu", "tanh")
_ADAM: Final = ('solver="adam"',)
# scikit-learn refuses a rate of 0, at which a warm-up starts; this share of the peak moves nothing.
LEAST_SHARE: Final = "1e-9"


def to_sklearn(plan: Plan) -> str:
    """Return code that makes an MLP and trains it at the recommended rates."""
    is_constant = plan.kind == "constant"
    return joined(
        plan.header,
        _notes(plan),
        fallback_note(plan, "scikit-learn"),
        () if is_constant else ("# scikit-learn has no such schedule: the loop sets the rate before every update.",),
        ("import math", "") if not is_constant and needs_math(plan.schedule) else (),
        "import numpy as np",
        _imports(plan),
        "",
        _model(plan),
        _scale_lines(plan),
        () if is_constant else ("", "", *factor_code(plan.schedule)),
        _loop(plan, () if is_constant else _rate_lines(plan)),
        _use_lines(plan),
    )


def _task(plan: Plan) -> str | None:
    return None if plan.origin is None else plan.origin.task


def _is_halved(plan: Plan) -> bool:
    # Where steps are divided by the gradient's size, its factor does not matter.
    return _task(plan) == "regression" and plan.optimizer in _SOLVERS


def _peak(plan: Plan) -> str:
    return f"2 * {plan.peak}" if _is_halved(plan) else plan.peak


def _imports(plan: Plan) -> tuple[str, ...]:
    if _task(plan) == "regression":
        return ("from sklearn.neural_network import MLPRegressor",)
    if _task(plan) == "classification":
        return ("from sklearn.neural_network import MLPClassifier",)
    return (
        "from sklearn.base import is_classifier",
        "from sklearn.neural_network import MLPClassifier  # or MLPRegressor",
    )


def _model(plan: Plan) -> tuple[str, ...]:
    name = "MLPRegressor" if _task(plan) == "regression" else "MLPClassifier"
    hidden = None if plan.origin is None else plan.origin.hidden
    activation = None if plan.origin is None else plan.origin.activation
    return (
        f"model = {name}(",
        *(() if hidden is None else (f"    hidden_layer_sizes={hidden!r},",)),
        *((f'    activation="{activation}",',) if activation in _ACTIVATIONS else ()),
        *(f"    {line}," for line in _SOLVERS.get(plan.optimizer, _ADAM)),
        f"    learning_rate_init={_peak(plan)},",
        f"    batch_size={plan.batch_size},",
        # alpha is the L2 penalty, which lrfind does not use.
        "    alpha=0.0,",
        ")",
    )


def _scale_lines(plan: Plan) -> tuple[str, ...]:
    if _task(plan) != "regression" or plan.origin is None:
        return ()
    found = scale(plan.origin)
    if found is None:
        return ("TARGET_MEAN, TARGET_SD = 0.0, 1.0  # put those of your training rows here",)
    return (f"TARGET_MEAN, TARGET_SD = {found[0]}, {found[1]}  # of the run's training rows",)


def _notes(plan: Plan) -> tuple[str, ...]:
    lines: tuple[str, ...] = ()
    if plan.optimizer not in _SOLVERS and plan.optimizer != "adam":
        lines += (
            f"# scikit-learn has no {plan.optimizer}; adam is the nearest, but this rate is for {plan.optimizer}.",
            "# For a rate of its own sweep the table again with --optimizer adam.",
        )
    activation = None if plan.origin is None else plan.origin.activation
    if plan.origin is not None and plan.origin.hidden and activation not in {*_ACTIVATIONS, None}:
        lines += (f"# scikit-learn has no {activation}; this is its default, but the rate is for {activation}.",)
    if _is_halved(plan):
        lines += ("# scikit-learn minimises half of the squared error: twice the rate makes the same steps.",)
    return lines


def _loop(plan: Plan, rate_lines: tuple[str, ...]) -> tuple[str, ...]:
    size, task = plan.batch_size, _task(plan)
    prepared = {
        "regression": ("    y = (y - TARGET_MEAN) / TARGET_SD",),
        "classification": ("    classes = np.unique(y)",),
        None: ('    classes = {"classes": np.unique(y)} if is_classifier(model) else {}',),
    }[task]
    classes = {"regression": "", "classification": ", classes=classes", None: ", **classes"}[task]
    return (
        "",
        "",
        "def train(model, X, y, seed=0):",
        f'    """Make {plan.n_steps} updates on shuffled batches of {size} rows.',
        "",
        "    X is an array of features, numeric ones standardised, and y one of targets as they stand in the table.",
        '    """',
        "    random, order = np.random.default_rng(seed), []",
        *prepared,
        f"    for step in range({plan.n_steps}):",
        f"        if len(order) < {size}:",
        "            order = random.permutation(len(X))",
        f"        batch, order = order[:{size}], order[{size}:]",
        *(f"        {line}" for line in rate_lines),
        f"        model.partial_fit(X[batch], y[batch]{classes})  # one update",
        "    return model",
    )


def _use_lines(plan: Plan) -> tuple[str, ...]:
    if _task(plan) != "regression":
        return ()
    return ("", "", "# Predictions in the target's own units: train(model, X, y).predict(X) * TARGET_SD + TARGET_MEAN")


def _rate_lines(plan: Plan) -> tuple[str, ...]:
    attribute = "learning_rate" if plan.optimizer in _SOLVERS else "learning_rate_init"
    return (
        f"rate = {_peak(plan)} * max(factor(step), {LEAST_SHARE})  # 0 itself is refused",
        "if step == 0:",
        "    model.set_params(learning_rate_init=rate)",
        "else:",
        f"    model._optimizer.{attribute} = rate  # private, but the only way: tried with scikit-learn 1.9",
    )
