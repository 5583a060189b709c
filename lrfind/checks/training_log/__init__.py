"""What a training log can reveal: LR201 to LR214, each a small pure function of the evidence.

`smooth` cuts the curve into blocks, `rates` reads the schedule, `signals` holds both; the checks are in `too_high`,
`too_low`, `schedules`, `spikes`, `gradients`, `heldout`, `batches` and `broken`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log import batches, broken, gradients, heldout, schedules, spikes, too_high, too_low
from lrfind.checks.training_log.ending import told_nonfinite
from lrfind.checks.training_log.judgement import advise_after_nan
from lrfind.checks.training_log.signals import Signals, read_signals
from lrfind.logs import TrainingLog
from lrfind.text import rate

__all__ = ["TRAINING_LOG_CHECKS", "Signals", "check_training_log", "read_signals"]

Look = Callable[[Check, Signals], Finding]

# Each row of the family, and the function that looks. A severity is an error where the run is lost, and a warning
# where it could have been better.
TRAINING_LOG_CHECKS: tuple[tuple[Check, Look], ...] = (
    (Check(code="LR201", severity="error", title="diverged"), too_high.diverged),
    (Check(code="LR202", severity="warning", title="rate too high"), too_high.too_high),
    (Check(code="LR203", severity="warning", title="rate too low: still falling steadily at the end"), too_low.too_low),
    (Check(code="LR204", severity="warning", title="plateau: lower the rate now"), schedules.plateau),
    (Check(code="LR205", severity="warning", title="decayed too early"), schedules.too_early),
    (Check(code="LR206", severity="warning", title="decayed too late or never"), schedules.too_late),
    (Check(code="LR207", severity="warning", title="warm-up missing or too short"), too_high.short_warmup),
    (Check(code="LR208", severity="warning", title="loss spikes"), spikes.spikes),
    (Check(code="LR209", severity="warning", title="gradients explode"), gradients.gradients_explode),
    (Check(code="LR210", severity="warning", title="gradients vanish"), gradients.gradients_vanish),
    (Check(code="LR211", severity="warning", title="overfitting"), heldout.overfitting),
    (Check(code="LR212", severity="warning", title="batches too noisy"), batches.noisy_batches),
    (Check(code="LR213", severity="warning", title="broken log"), broken.broken_log),
    (Check(code="LR214", severity="error", title="not learning at all"), too_low.not_learning),
)


def check_training_log(log: TrainingLog, *, signals: Signals | None) -> tuple[Finding, ...]:
    """Return what each check of a training log found, in the order of their codes.

    Parameters
    ----------
    log : TrainingLog
    signals : Signals or None
        From `read_signals(log)`.

    Returns
    -------
    tuple of Finding
    """
    if signals is not None:
        return tuple(look(check, signals) for check, look in TRAINING_LOG_CHECKS)
    return tuple(_without_loss(check, log) for check, _ in TRAINING_LOG_CHECKS)


def _without_loss(check: Check, log: TrainingLog) -> Finding:
    if check.code != "LR201":
        return check.not_applicable("No point of the log has a finite training loss.")
    n_points = len(log.nonfinite_steps)
    message = told_nonfinite(log)
    lrs = [] if log.lr is None else log.lr[np.isfinite(log.lr) & (log.lr > 0)].tolist()
    first = lrs[0] if lrs else None
    lower = advise_after_nan(first, optimizer=log.optimizer)
    numbers = {"nonfinite": n_points, "step": float(log.step[0]), **lower.suggested(first)}
    to = f"Lower the rate {lower.told()}" if first is None else f"Try {lower.of(first)} in place of {rate(first)}"
    return check.found(message, numbers, f"{to}; if the loss is still NaN at once, look for NaN in the data.")
