"""Advice for another batch size, length of training or schedule: `adapt(recommendation, ...)`."""

from __future__ import annotations

import math
from dataclasses import replace

from lrfind.errors import UsageError
from lrfind.recommend.value import Evidence, Recommendation
from lrfind.schedule import CLOSED_LOOP, make_schedule, rescaled

# How the best rate moves with the batch size: in proportion for plain gradient steps (Goyal et al. 2017,
# arXiv:1706.02677), with its square root where steps are normalised by the gradient's size (Malladi et al. 2022,
# arXiv:2205.10287).
LINEAR_RULE = frozenset({"sgd", "momentum", "nesterov"})
# Beyond these factors either rule is known to break.
MOST_RESCALING = 8.0


def adapt(
    recommendation: Recommendation,
    *,
    batch_size: int | None = None,
    train_steps: int | None = None,
    schedule: str | None = None,
) -> Recommendation:
    """Return the advice for another batch size, length of training or schedule, with each rule as evidence.

    Parameters
    ----------
    recommendation : Recommendation
    batch_size, train_steps : int, optional
    schedule : str, optional
        One of `lrfind.schedule.COURSES`.

    Returns
    -------
    Recommendation
        Unchanged where there is no rate, or nothing to change.

    Raises
    ------
    UsageError
        If the schedule is unknown, or a number is below 1.
    """
    old = recommendation
    for name, number in (("--batch-size", batch_size), ("--train-steps", train_steps)):
        if number is not None and number < 1:
            raise UsageError(f"{name} is {number}: expected a whole number from 1")
    if old.lr is None or old.schedule is None:
        return old
    batch_size, train_steps = batch_size or old.batch_size, train_steps or old.train_steps
    factor, reasons = 1.0, []
    if batch_size != old.batch_size:
        factor, rule = _batch_factor(old, batch_size)
        reasons.append(Evidence(name="batch size", text=rule, lr=old.lr * factor))
    if train_steps != old.train_steps:
        text = f"Steps {old.train_steps} to {train_steps}: the schedule is stretched and its peak kept."
        if not 1 / MOST_RESCALING <= train_steps / old.train_steps <= MOST_RESCALING:
            text += " So different a run may want another rate: sweep again."
        reasons.append(Evidence(name="steps", text=text, lr=old.lr * factor))
    changed = rescaled(old.schedule, peak_lr=old.lr * factor, n_steps=train_steps)
    if schedule is not None and schedule != old.schedule.name:
        changed = make_schedule(schedule, peak_lr=old.lr * factor, n_steps=train_steps)
        text = f"Schedule {schedule} as asked, with the peak found for {old.schedule.name}; it was not measured."
        if schedule in CLOSED_LOOP:
            text += " It answers the run: its rates are those of one in which nothing happens."
        reasons.append(Evidence(name="schedule", text=text))
    return replace(
        old,
        lr=old.lr * factor,
        lr_low=None if old.lr_low is None else old.lr_low * factor,
        lr_high=None if old.lr_high is None else old.lr_high * factor,
        lr_max_stable=None if old.lr_max_stable is None else old.lr_max_stable * factor,
        batch_size=batch_size,
        train_steps=train_steps,
        schedule=changed,
        # what was measured was measured for something else
        expected=None if reasons else old.expected,
        evidence=(*reasons, *old.evidence),
    )


def _batch_factor(advice: Recommendation, batch_size: int) -> tuple[float, str]:
    ratio = batch_size / advice.batch_size
    is_linear = advice.optimizer in LINEAR_RULE
    factor = ratio if is_linear else math.sqrt(ratio)
    rule = "linear rule, Goyal 2017" if is_linear else "square-root rule, Malladi 2022"
    text = f"Batch {advice.batch_size} to {batch_size}: all rates times {factor:.3g} ({rule})."
    if not 1 / MOST_RESCALING <= ratio <= MOST_RESCALING:
        text += " So far from what was measured the rule is a guess: sweep again."
    return factor, text
