"""PyTorch: an optimiser and a scheduler of `torch.optim`, which are what lrfind's own follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lrfind.export.closed_loop import ADAPTIVE_IMPORT, controller_line, window
from lrfind.export.factor import factor_code, needs_math
from lrfind.export.literal import literal
from lrfind.export.plan import Plan, joined
from lrfind.schedule import N_TRIANGLES
from lrfind.schedule.plateau import FACTOR, PATIENCE, THRESHOLD

# What is not said is torch's default, and lrfind's.
OPTIMIZER_CALLS: Final[Mapping[str, str]] = {
    "sgd": "torch.optim.SGD({parameters}, lr={lr})",
    "momentum": "torch.optim.SGD({parameters}, lr={lr}, momentum=0.9)",
    "nesterov": "torch.optim.SGD({parameters}, lr={lr}, momentum=0.9, nesterov=True)",
    "rmsprop": "torch.optim.RMSprop({parameters}, lr={lr})",
    "adagrad": "torch.optim.Adagrad({parameters}, lr={lr})",
    "adam": "torch.optim.Adam({parameters}, lr={lr})",
    "adamw": "torch.optim.AdamW({parameters}, lr={lr})",
    "nadam": "torch.optim.NAdam({parameters}, lr={lr})",
    "lion": "Lion({parameters}, lr={lr}, betas=(0.9, 0.99), weight_decay=0.0)",
}
_SCHEDULERS: Final = "torch.optim.lr_scheduler"
# What torch's schedulers do after the last step, where the rate does not stay.
_AFTER: Final[Mapping[str, str]] = {
    "exponential": "ExponentialLR goes on falling",
    "cosine": "CosineAnnealingLR rises again",
    "one_cycle": "OneCycleLR raises an error",
    "cyclical": "CyclicLR goes on with further triangles",
    "warm_restarts": "CosineAnnealingWarmRestarts restarts again",
}
# A first cosine of n / 7 steps is torch's only where that is whole.
RESTART_UNIT: Final = 7


def to_torch(plan: Plan) -> str:
    """Return code that makes the optimiser and its scheduler for a `model`."""
    if plan.kind == "adaptive":
        return _adaptive(plan)
    return joined(
        plan.header,
        imports(plan),
        "",
        definitions(plan),
        f"optimizer = {optimizer_call(plan)}",
        f"scheduler = {scheduler_call(plan)}",
        "",
        _loop(plan),
    )


def _loop(plan: Plan) -> tuple[str, ...]:
    if plan.kind == "reduce_on_plateau":
        n = window(plan)
        return (
            "losses = []",
            "",
            f"# In the training loop, after every batch: the scheduler compares means of {n} losses, not epochs.",
            "#     optimizer.step()",
            "#     losses.append(loss.item())",
            f"#     if len(losses) == {n}:",
            f"#         scheduler.step(sum(losses) / {n})",
            "#         losses.clear()",
        )
    return (
        "# In the training loop, after every batch (the scheduler counts updates, not epochs):",
        "#     optimizer.step()",
        "#     scheduler.step()",
        *after_note(plan),
    )


def _adaptive(plan: Plan) -> str:
    return joined(
        plan.header,
        "import copy",
        "",
        imports(plan),
        ADAPTIVE_IMPORT,
        "",
        f"optimizer = {optimizer_call(plan)}",
        controller_line(plan),
        "saved = None",
        "",
        "",
        "def update(loss):",
        '    """Make one update, or go back to the last good state; call it after loss.backward()."""',
        "    global saved",
        adaptive_update(model="model", saved="saved"),
        "",
        "",
        "# In the training loop, for every batch:",
        "#     optimizer.zero_grad()",
        "#     loss = ...",
        "#     loss.backward()",
        "#     update(loss)",
    )


def adaptive_update(*, model: str, saved: str) -> tuple[str, ...]:
    """Return the body of a function that makes one update of an adaptive run, or goes back to the last good state.

    Parameters
    ----------
    model, saved : str
        What the module, and the copy to go back to, are called there.
    """
    return (
        f"    norm = sum(p.grad.square().sum() for p in {model}.parameters() if p.grad is not None) ** 0.5",
        "    lr = rate.step(loss.item(), norm.item())",
        "    if rate.restore:",
        f"        {model}.load_state_dict({saved}[0])",
        f"        optimizer.load_state_dict(copy.deepcopy({saved}[1]))  # which may keep what it is given",
        "        return",
        "    if rate.save:",
        f"        {saved} = copy.deepcopy(({model}.state_dict(), optimizer.state_dict()))",
        "    for group in optimizer.param_groups:",
        '        group["lr"] = lr',
        "    optimizer.step()",
    )


def imports(plan: Plan) -> tuple[str, ...]:
    """Return the import lines that the calls below need."""
    math = ("import math", "") if _is_custom(plan) and needs_math(plan.schedule) else ()
    lion = ("from lion_pytorch import Lion  # pip install lion-pytorch",) if plan.optimizer == "lion" else ()
    return (*math, "import torch", *lion)


def definitions(plan: Plan) -> tuple[str, ...]:
    """Return the function a `LambdaLR` calls, where one is needed."""
    return ("", *factor_code(plan.schedule), "", "") if _is_custom(plan) else ()


def optimizer_call(plan: Plan, *, parameters: str = "model.parameters()") -> str:
    """Return the expression that makes the optimiser."""
    return OPTIMIZER_CALLS[plan.optimizer].format(parameters=parameters, lr=plan.peak)


def scheduler_call(plan: Plan) -> str:
    """Return the expression that makes the scheduler for a variable `optimizer`."""
    return f"{_SCHEDULERS}.{_own_scheduler(plan) or 'LambdaLR(optimizer, factor)'}"


def after_note(plan: Plan) -> tuple[str, ...]:
    """Return the comment on what the scheduler does past its last step, where the rate does not stay."""
    after = None if _is_custom(plan) else _AFTER.get(plan.kind or "")
    return (f"# Stop after {plan.n_steps} updates: past them {after}.",) if after else ()


def _is_custom(plan: Plan) -> bool:
    return _own_scheduler(plan) is None


def _own_scheduler(plan: Plan) -> str | None:
    """Return torch's class for the schedule; LinearLR cannot start at 0, so warm-up has none."""
    n = plan.n_steps
    calls = {
        "constant": "ConstantLR(optimizer, factor=1.0)",
        "linear": f"LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters={n})",
        "polynomial": f"PolynomialLR(optimizer, total_iters={n}, power=2.0)",
        "exponential": f"ExponentialLR(optimizer, gamma=0.01 ** (1 / {n}))",
        "cosine": f"CosineAnnealingLR(optimizer, T_max={n})",
        "step": f"MultiStepLR(optimizer, milestones=[{n // 2}, {3 * n // 4}], gamma=0.1)",
        "one_cycle": f"OneCycleLR(optimizer, max_lr={plan.peak}, total_steps={n}, cycle_momentum=False)",
        "cyclical": (
            f"CyclicLR(optimizer, base_lr={plan.peak} / 4, max_lr={plan.peak}, "
            f"step_size_up={literal(n / (2 * N_TRIANGLES))}, cycle_momentum=False)"
        ),
    }
    calls["reduce_on_plateau"] = (
        f"ReduceLROnPlateau(optimizer, factor={literal(FACTOR)}, patience={PATIENCE}, threshold={literal(THRESHOLD)})"
    )
    if n % RESTART_UNIT == 0:
        calls["warm_restarts"] = f"CosineAnnealingWarmRestarts(optimizer, T_0={n // RESTART_UNIT}, T_mult=2)"
    return calls.get(plan.kind or "")
