"""optax: a gradient transformation with a schedule, a function of the count of updates that starts at 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lrfind.export.closed_loop import ADAPTIVE_IMPORT, COUNTED_PATIENCE, controller_line, window
from lrfind.export.factor import factor_code, needs_math
from lrfind.export.literal import literal
from lrfind.export.plan import Plan, joined
from lrfind.schedule.plateau import FACTOR, THRESHOLD

# Set to lrfind's (torch's) values where optax has others.
_OPTIMIZERS: Final[Mapping[str, str]] = {
    "sgd": "sgd({lr})",
    "momentum": "sgd({lr}, momentum=0.9)",
    "nesterov": "sgd({lr}, momentum=0.9, nesterov=True)",
    "rmsprop": "rmsprop({lr}, decay=0.99, eps_in_sqrt=False)",
    "adagrad": "adagrad({lr}, initial_accumulator_value=0.0, eps=1e-20)",
    "adam": "adam({lr})",
    "adamw": "adamw({lr}, weight_decay=0.01)",
    "nadam": "nadam({lr})",
    "lion": "lion({lr}, b1=0.9, b2=0.99, weight_decay=0.0)",
}
_NOTES: Final[Mapping[str, tuple[str, ...]]] = {
    "nadam": ("# optax has full momentum from the start where PyTorch warms it up; in the long run both use b1.",),
}


def to_optax(plan: Plan) -> str:
    """Return code that makes the optimiser with its schedule."""
    if plan.kind == "reduce_on_plateau":
        return _plateau(plan)
    if plan.kind == "adaptive":
        return _adaptive(plan)
    own = _own_schedule(plan)
    return joined(
        plan.header,
        ("import math", "") if own is None and needs_math(plan.schedule) else (),
        "import jax.numpy as jnp" if own is None else (),
        "import optax",
        "",
        _table(plan) if own is None else f"schedule = optax.{own}",
        _NOTES.get(plan.optimizer, ()),
        f"optimizer = optax.{_OPTIMIZERS[plan.optimizer].format(lr='schedule')}",
        "",
        "# The schedule counts calls of optimizer.update, not epochs.",
    )


def _plateau(plan: Plan) -> str:
    n = window(plan)
    return joined(
        plan.header,
        "import optax",
        "from optax.contrib import reduce_on_plateau",
        "",
        _NOTES.get(plan.optimizer, ()),
        "optimizer = optax.chain(",
        f"    optax.{_OPTIMIZERS[plan.optimizer].format(lr=plan.peak)},",
        f"    # compares the mean loss of every {'update' if n == 1 else f'{n} updates'}",
        f"    reduce_on_plateau(factor={literal(FACTOR)}, patience={COUNTED_PATIENCE}, rtol={literal(THRESHOLD)}, "
        f"accumulation_size={n}),",
        ")",
        "",
        "# In the training loop: updates, state = optimizer.update(grads, state, params, value=loss)",
    )


def _adaptive(plan: Plan) -> str:
    name, _, options = _OPTIMIZERS[plan.optimizer].partition("(")
    return joined(
        plan.header,
        "import optax",
        ADAPTIVE_IMPORT,
        "",
        _NOTES.get(plan.optimizer, ()),
        f"optimizer = optax.inject_hyperparams(optax.{name})({options.format(lr=f'learning_rate={plan.peak}')}",
        controller_line(plan),
        "saved = None",
        "",
        "",
        "def update(loss, grads, params, state):",
        '    """Return parameters and state after one update, or the last good ones; it is not to be compiled."""',
        "    global saved",
        "    lr = rate.step(float(loss), float(optax.tree.norm(grads)))",
        "    if rate.restore:",
        "        return saved",
        "    if rate.save:",
        "        saved = params, state",
        '    state = state._replace(hyperparams={**state.hyperparams, "learning_rate": lr})',
        "    updates, state = optimizer.update(grads, state, params)",
        "    return optax.apply_updates(params, updates), state",
    )


def _table(plan: Plan) -> tuple[str, ...]:
    return (
        "",
        *factor_code(plan.schedule),
        "",
        "",
        f"rates = jnp.array([{plan.peak} * factor(step) for step in range({plan.n_steps})])",
        "",
        "",
        "def schedule(count):",
        '    """Return the rate of update 0, 1, 2, ...; the last one stays."""',
        "    return rates[jnp.minimum(count, len(rates) - 1)]",
        "",
        "",
    )


def _own_schedule(plan: Plan) -> str | None:
    peak, n = plan.peak, plan.n_steps
    rise = plan.schedule.segments[0].stop
    half, three_quarters = n // 2, 3 * n // 4
    calls = {
        "constant": f"constant_schedule({peak})",
        "linear": f"linear_schedule({peak}, 0.0, transition_steps={n})",
        "polynomial": f"polynomial_schedule({peak}, 0.0, power=2, transition_steps={n})",
        "exponential": f"exponential_decay({peak}, transition_steps={n}, decay_rate=0.01, end_value={peak} / 100)",
        "cosine": f"cosine_decay_schedule({peak}, decay_steps={n})",
        "warmup_cosine": f"warmup_cosine_decay_schedule(0.0, {peak}, warmup_steps={int(rise)}, decay_steps={n})",
    }
    # Boundaries are keys of a dict: shorter runs would lose one.
    if 0 < half < three_quarters < n:
        calls["step"] = f"piecewise_constant_schedule({peak}, {{{half}: 0.1, {three_quarters}: 0.1}})"
    return calls.get(plan.kind or "")
