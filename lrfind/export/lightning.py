"""Lightning: the `configure_optimizers` of a module, with torch's optimiser and scheduler stepped every update."""

from __future__ import annotations

from lrfind.export.plan import joined, make_plan
from lrfind.export.torch import definitions, imports, optimizer_call, scheduler_call
from lrfind.recommend import Recommendation


def to_lightning(recommendation: Recommendation) -> str:
    """Return a method for a LightningModule."""
    plan = make_plan(recommendation)
    return joined(
        plan.header,
        imports(plan),
        "",
        definitions(plan) or ("",),
        f"# Put this into your LightningModule, and train with Trainer(max_steps={plan.n_steps}).",
        "def configure_optimizers(self):",
        f"    optimizer = {optimizer_call(plan, parameters='self.parameters()')}",
        f"    scheduler = {scheduler_call(plan)}",
        '    # "step": after every update; Lightning\'s default is every epoch.',
        '    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}',
    )
