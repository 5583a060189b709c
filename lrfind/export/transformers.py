"""Hugging Face Transformers: `TrainingArguments`, or a pair of optimiser and scheduler where those cannot say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lrfind.export.closed_loop import fallback_note, window
from lrfind.export.literal import literal
from lrfind.export.plan import Plan, joined
from lrfind.export.torch import after_note, definitions, imports, optimizer_call, scheduler_call
from lrfind.schedule.plateau import FACTOR, PATIENCE

# Optimisers whose settings TrainingArguments can express; adamw_torch with its default decay of 0 is Adam.
_OPTIMIZERS: Final[Mapping[str, tuple[str, ...]]] = {
    "sgd": ('optim="sgd",',),
    "rmsprop": ('optim="rmsprop",',),
    "adagrad": ('optim="adagrad",',),
    "adam": ('optim="adamw_torch",  # with weight_decay=0.0, its default, this is Adam',),
    "adamw": ('optim="adamw_torch",', "weight_decay=0.01,  # biases and norms are left out of it"),
}
# Schedules of Transformers that do not stay at their end.
_RISING: Final = ("cosine", "warmup_cosine")


def to_transformers(plan: Plan) -> str:
    """Return code for a Trainer."""
    scheduler = _own_scheduler(plan)
    if scheduler is None or plan.optimizer not in _OPTIMIZERS:
        return _with_optimizers(plan)
    return joined(
        plan.header,
        "from transformers import TrainingArguments",
        "",
        _arguments(
            plan,
            f"learning_rate={plan.peak},",
            *_OPTIMIZERS[plan.optimizer],
            *scheduler,
            "max_grad_norm=0.0,  # lrfind does not clip gradients",
        ),
        () if plan.kind not in _RISING else ("# max_steps ends the run: past it the cosine would rise again.",),
    )


def _with_optimizers(plan: Plan) -> str:
    return joined(
        plan.header,
        fallback_note(plan, "The Trainer"),
        imports(plan),
        "from transformers import TrainingArguments",
        "",
        definitions(plan),
        f"optimizer = {optimizer_call(plan)}",
        f"scheduler = {scheduler_call(plan)}",
        _arguments(plan, "max_grad_norm=0.0,  # lrfind does not clip gradients"),
        after_note(plan),
        "",
        "# Trainer(model=model, args=arguments, optimizers=(optimizer, scheduler), ...): it steps both every update.",
    )


def _arguments(plan: Plan, *lines: str) -> tuple[str, ...]:
    return (
        "arguments = TrainingArguments(",
        '    output_dir="trainer",',
        f"    max_steps={plan.n_steps},",
        f"    per_device_train_batch_size={plan.batch_size},  # of one device; lrfind's batch is the whole one",
        *(f"    {line}" for line in lines),
        ")",
    )


def _own_scheduler(plan: Plan) -> tuple[str, ...] | None:
    warmup = int(plan.schedule.segments[0].stop)
    calls = {
        "constant": ('lr_scheduler_type="constant",',),
        "linear": ('lr_scheduler_type="linear",',),
        "polynomial": (
            'lr_scheduler_type="polynomial",',
            'lr_scheduler_kwargs={"power": 2.0, "lr_end": 0.0},',
        ),
        "cosine": ('lr_scheduler_type="cosine",',),
        "reduce_on_plateau": (
            'lr_scheduler_type="reduce_lr_on_plateau",',
            f'lr_scheduler_kwargs={{"factor": {literal(FACTOR)}, "patience": {PATIENCE}}},',
            f'eval_strategy="steps",  # it compares the loss of the evaluation rows, every {window(plan)} updates',
            f"eval_steps={window(plan)},",
            'metric_for_best_model="loss",',
        ),
        "warmup_cosine": ('lr_scheduler_type="cosine",', f"warmup_steps={warmup},"),
    }
    return calls.get(plan.kind or "")
