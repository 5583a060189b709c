"""Keras: an optimiser with a `LearningRateSchedule`; its step is `optimizer.iterations`, 0 at the first update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lrfind.export.closed_loop import ADAPTIVE_IMPORT, COUNTED_PATIENCE, window
from lrfind.export.factor import factor_code, needs_math
from lrfind.export.literal import literal
from lrfind.export.plan import Plan, joined
from lrfind.schedule.plateau import FACTOR

# Set to lrfind's (torch's) values where Keras has others. Keras adds epsilon inside the root, hence its square.
_OPTIMIZERS: Final[Mapping[str, str]] = {
    "sgd": "SGD({lr})",
    "momentum": "SGD({lr}, momentum=0.9)",
    "nesterov": "SGD({lr}, momentum=0.9, nesterov=True)",
    "rmsprop": "RMSprop({lr}, rho=0.99, epsilon=1e-16)",
    "adagrad": "Adagrad({lr}, initial_accumulator_value=0.0, epsilon=1e-20)",
    "adam": "Adam({lr}, epsilon=1e-8)",
    "adamw": "AdamW({lr}, weight_decay=0.01, epsilon=1e-8)",
    "nadam": "Nadam({lr}, epsilon=1e-8)",
    "lion": "Lion({lr}, beta_1=0.9, beta_2=0.99)",
}
_FOLDED: Final = ("# Keras keeps the rate inside the velocity, so a change of rate takes hold over some ten updates.",)
_NOTES: Final[Mapping[str, tuple[str, ...]]] = {
    "momentum": _FOLDED,
    "nesterov": _FOLDED,
    "nadam": ("# Keras raises Nadam's momentum faster than PyTorch; in the long run both use beta_1.",),
}


def to_keras(plan: Plan) -> str:
    """Return code that makes the optimiser with its schedule."""
    if plan.is_closed_loop:
        return _closed_loop(plan)
    is_constant = plan.kind == "constant"
    learning_rate = _float(plan) if is_constant else "schedule"
    return joined(
        plan.header,
        () if is_constant else _imports(plan),
        "import keras",
        "",
        () if is_constant else _schedule(plan),
        _NOTES.get(plan.optimizer, ()),
        f"optimizer = keras.optimizers.{_OPTIMIZERS[plan.optimizer].format(lr=learning_rate)}",
        "",
        "# model.compile(optimizer=optimizer, ...); the schedule counts updates, not epochs.",
        # The others stay at their last rate.
        (f"# Stop after {plan.n_steps} updates: past them ExponentialDecay goes on falling.",)
        if plan.kind == "exponential"
        else (),
    )


def _closed_loop(plan: Plan) -> str:
    return joined(
        plan.header,
        "import keras",
        ADAPTIVE_IMPORT if plan.kind == "adaptive" else (),
        "",
        _adaptive_lines(plan) if plan.kind == "adaptive" else (),
        _NOTES.get(plan.optimizer, ()),
        f"optimizer = keras.optimizers.{_OPTIMIZERS[plan.optimizer].format(lr=_float(plan))}",
        _adaptive_use(plan) if plan.kind == "adaptive" else _plateau_lines(plan),
    )


def _float(plan: Plan) -> str:
    # Keras refuses a whole number
    return repr(float(plan.schedule.peak_lr))


def _plateau_lines(plan: Plan) -> tuple[str, ...]:
    n = window(plan)
    return (
        "callback = keras.callbacks.ReduceLROnPlateau(",
        f'    monitor="loss", factor={literal(FACTOR)}, patience={COUNTED_PATIENCE}, min_delta=0.0, min_lr=0.0',
        ")",
        "",
        f"# Keras compares once an epoch, lrfind every {n} updates: let batches repeat without end, and an epoch be",
        "# that short.",
        "# model.compile(optimizer=optimizer, ...)",
        f"# model.fit(batches, steps_per_epoch={n}, epochs={-(-plan.n_steps // n)}, callbacks=[callback])",
    )


def _adaptive_use(plan: Plan) -> tuple[str, ...]:
    return (
        "",
        f"# model.compile(optimizer=optimizer, ...); model.fit(..., callbacks=[Adaptive()]), {plan.n_steps} updates.",
        "# With Keras on torch or TensorFlow; on JAX a callback does not see the weights.",
    )


def _adaptive_lines(plan: Plan) -> tuple[str, ...]:
    return (
        "",
        "class Adaptive(keras.callbacks.Callback):",
        '    """Answer the loss of every batch with the rate of the next update; a callback sees no gradients."""',
        "",
        "    def on_train_begin(self, logs=None):",
        f"        self.rate = AdaptiveRate(peak_lr={plan.peak}, n_steps={plan.n_steps})",
        "        self.model.optimizer.build(self.model.trainable_variables)",
        "        self.model.optimizer.learning_rate = self.rate.first_lr",
        "",
        "    def variables(self):",
        "        return [*self.model.variables, *self.model.optimizer.variables]",
        "",
        "    def on_train_batch_begin(self, batch, logs=None):",
        "        self.before = [keras.ops.copy(variable.value) for variable in self.variables()]",
        "",
        "    def on_train_batch_end(self, batch, logs=None):",
        "        # Keras tells the mean of the epoch so far.",
        '        total = logs["loss"] * (batch + 1)',
        "        loss, self.total = total - (self.total if batch else 0.0), total",
        "        lr = self.rate.step(loss)",
        "        if self.rate.save:",
        "            self.saved = self.before",
        "        if self.rate.restore:",
        "            for variable, value in zip(self.variables(), self.saved):",
        "                variable.assign(value)",
        "        self.model.optimizer.learning_rate = lr",
        "",
        "",
    )


def _imports(plan: Plan) -> tuple[str, ...]:
    return ("import math", "") if _own_schedule(plan) is None and needs_math(plan.schedule) else ()


def _schedule(plan: Plan) -> tuple[str, ...]:
    own = _own_schedule(plan)
    if own is not None:
        return (f"schedule = keras.optimizers.schedules.{own}",)
    return ("", *factor_code(plan.schedule), *_schedule_class(plan))


def _schedule_class(plan: Plan) -> tuple[str, ...]:
    return (
        "",
        "",
        '@keras.saving.register_keras_serializable(package="lrfind")  # so that load_model knows it',
        "class Schedule(keras.optimizers.schedules.LearningRateSchedule):",
        '    """A rate for every update; the last one stays."""',
        "",
        "    def __init__(self):",
        f"        rates = [{plan.peak} * factor(step) for step in range({plan.n_steps})]",
        '        self.rates = keras.ops.convert_to_tensor(rates, "float32")',
        "",
        "    def __call__(self, step):",
        f'        step = keras.ops.minimum(keras.ops.cast(step, "int32"), {plan.n_steps - 1})',
        "        return keras.ops.take(self.rates, step)",
        "",
        "    def get_config(self):",
        "        return {}",
        "",
        "",
        "schedule = Schedule()",
    )


def _own_schedule(plan: Plan) -> str | None:
    peak, n = plan.peak, plan.n_steps
    rise = plan.schedule.segments[0].stop
    half, three_quarters = n // 2, 3 * n // 4
    calls = {
        "linear": f"PolynomialDecay({peak}, decay_steps={n}, end_learning_rate=0.0)",
        "polynomial": f"PolynomialDecay({peak}, decay_steps={n}, end_learning_rate=0.0, power=2.0)",
        "exponential": f"ExponentialDecay({peak}, decay_steps={n}, decay_rate=0.01)",
        "cosine": f"CosineDecay({peak}, decay_steps={n})",
        "warmup_cosine": (
            f"CosineDecay(0.0, decay_steps={n - int(rise)}, warmup_target={peak}, warmup_steps={int(rise)})"
        ),
    }
    # A boundary is the last step before the change; shorter runs do not have all three levels.
    if 0 < half < three_quarters < n:
        calls["step"] = (
            f"PiecewiseConstantDecay([{half - 1}, {three_quarters - 1}], [{peak}, {peak} / 10, {peak} / 100])"
        )
    return calls.get(plan.kind or "")
