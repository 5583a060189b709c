"""Lightning: the `configure_optimizers` of a module, with torch's optimiser and scheduler stepped every update."""

from __future__ import annotations

from lrfind.export.closed_loop import ADAPTIVE_IMPORT, controller_line, window
from lrfind.export.plan import Plan, joined
from lrfind.export.torch import adaptive_update, after_note, definitions, imports, optimizer_call, scheduler_call


def to_lightning(plan: Plan) -> str:
    """Return a method for a LightningModule."""
    if plan.kind == "adaptive":
        return _adaptive(plan)
    n = window(plan)
    is_plateau = plan.kind == "reduce_on_plateau"
    return joined(
        plan.header,
        imports(plan),
        "",
        definitions(plan) or ("",),
        f"# Put this into your LightningModule, and train with Trainer(max_steps={plan.n_steps}).",
        "def configure_optimizers(self):",
        f"    optimizer = {optimizer_call(plan, parameters='self.parameters()')}",
        f"    scheduler = {scheduler_call(plan)}",
        tuple(f"    {line}" for line in after_note(plan)),
        _plateau_lines(n) if is_plateau else _step_lines(),
    )


def _step_lines() -> tuple[str, ...]:
    return (
        '    # "step": after every update; Lightning\'s default is every epoch.',
        '    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}',
    )


def _plateau_lines(n: int) -> tuple[str, ...]:
    return (
        f"    # compares the mean loss of every {'update' if n == 1 else f'{n} updates'}",
        f'    every = {{"interval": "step", "frequency": {n}, "monitor": "running_loss"}}',
        '    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, **every}}',
        "",
        "",
        "# And this at the end of training_step, with self.losses = [] in __init__:",
        "#     self.losses.append(loss.item())",
        f'#     self.log("running_loss", sum(self.losses[-{n}:]) / len(self.losses[-{n}:]))',
    )


def _adaptive(plan: Plan) -> str:
    return joined(
        plan.header,
        "import copy",
        "",
        imports(plan),
        ADAPTIVE_IMPORT,
        "",
        controller_line(plan),
        "",
        "",
        f"# Put both methods into your LightningModule, and train with Trainer(max_steps={plan.n_steps}).",
        "def configure_optimizers(self):",
        f"    return {optimizer_call(plan, parameters='self.parameters()')}",
        "",
        "",
        "def optimizer_step(self, epoch, batch_idx, optimizer, optimizer_closure=None):",
        '    """Make one update, or go back to the last good state."""',
        "    loss = optimizer_closure()  # training_step and the gradient",
        adaptive_update(model="self", saved="self.saved"),
    )
