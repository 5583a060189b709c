"""Advice for another batch size, length of training or schedule: `adapt(recommendation, ...)`."""

from __future__ import annotations

import math
from dataclasses import replace

from lrfind.errors import UsageError
from lrfind.race import Standing, peak_ratio
from lrfind.recommend.value import Evidence, Raced, Recommendation
from lrfind.schedule import CLOSED_LOOP, make_schedule, rescaled, two_digits
from lrfind.text import measured, rate

# How the best rate moves with the batch size: in proportion for plain gradient steps (Goyal et al. 2017,
# arXiv:1706.02677), with its square root where steps are normalised by the gradient's size (Malladi et al. 2022,
# arXiv:2205.10287).
LINEAR_RULE = frozenset({"sgd", "momentum", "nesterov"})
# Beyond these factors either rule is known to break.
MOST_RESCALING = 8.0
# Reasons that speak of the schedule advised; they are not those of another.
OF_THE_SCHEDULE = frozenset({"schedule", "course", "sooner", "defaults"})


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
    for name, number in (("--batch-size", batch_size), ("--train-steps", train_steps)):
        if number is not None and number < 1:
            raise UsageError(f"{name} is {number}: expected a whole number from 1")
    old = recommendation
    if old.lr is None or old.schedule is None:
        return old
    if schedule is not None and schedule != old.schedule.name:
        old = _rescheduled(old, schedule, advised=old.schedule.name)
    if batch_size is not None and batch_size != old.batch_size:
        old = _rebatched(old, batch_size)
    if train_steps is not None and train_steps != old.train_steps:
        old = _restepped(old, train_steps)
    return old


def _rescheduled(old: Recommendation, name: str, *, advised: str) -> Recommendation:
    # as it was raced, or else at the peak with the mean rate that was found good
    raced = next((each for each in old.raced if each.schedule == name), None)
    expected = None
    if raced is not None:
        text = _as_raced(raced, lowest=old.raced[0].schedule)
        new = replace(old, lr=raced.lr, lr_low=raced.lr_low, lr_high=raced.lr_high)
        if old.expected is not None:
            expected = replace(old.expected, val_loss=raced.val_loss, val_loss_se=raced.val_loss_se)
    else:
        ratio = peak_ratio(name) / peak_ratio(advised)
        times = "" if ratio == 1 else f" times {ratio:.2g}, which keeps the mean rate"
        text = f"was asked for but not raced: its peak is that of {advised}{times}"
        new = _scaled(old, ratio)
    if name in CLOSED_LOOP:
        text += "; it answers the run, and these are its rates where nothing happens"
    return replace(
        new,
        schedule=make_schedule(name, peak_lr=new.lr or 0.0, n_steps=old.train_steps),
        expected=expected,
        evidence=(
            Evidence(name="schedule", text=f"{name} {text}.", lr=new.lr),
            *(reason for reason in old.evidence if reason.name not in OF_THE_SCHEDULE),
        ),
    )


# How a standing goes on with the schedule that ended lowest.
BESIDE = {
    Standing.CLOSE: "within noise of",
    Standing.UNSURE: "too noisy to tell from",
    Standing.WORSE: "clearly worse than",
}


def _as_raced(raced: Raced, *, lowest: str) -> str:
    beside = BESIDE.get(Standing(raced.standing))
    place = "the lowest of all raced" if beside is None else f"{beside} {lowest}, the lowest raced"
    reached = measured(raced.val_loss, raced.val_loss_se)
    return f"was asked for: raced too, it is best at {rate(raced.lr)}, held-out loss {reached}, {place}"


def _rebatched(old: Recommendation, batch_size: int) -> Recommendation:
    factor, rule = _batch_factor(old, batch_size)
    new = replace(_scaled(old, factor), batch_size=batch_size, expected=None)
    return replace(new, evidence=(Evidence(name="batch size", text=rule, lr=new.lr), *old.evidence))


def _restepped(old: Recommendation, train_steps: int) -> Recommendation:
    text = f"Steps {old.train_steps} to {train_steps}: the schedule is stretched and its peak kept."
    if not 1 / MOST_RESCALING <= train_steps / old.train_steps <= MOST_RESCALING:
        text += " So different a run may want another rate: sweep again."
    return replace(
        old,
        train_steps=train_steps,
        schedule=None if old.schedule is None else rescaled(old.schedule, n_steps=train_steps),
        # what was measured was measured for something else
        expected=None,
        evidence=(Evidence(name="steps", text=text, lr=old.lr), *old.evidence),
    )


def _scaled(old: Recommendation, factor: float) -> Recommendation:
    # every rate times a factor, with the digits a rate deserves
    def times(lr: float | None) -> float | None:
        return None if lr is None else lr if factor == 1 else two_digits(lr * factor)

    peak = times(old.lr)
    return replace(
        old,
        lr=peak,
        lr_low=times(old.lr_low),
        lr_high=times(old.lr_high),
        lr_max_stable=times(old.lr_max_stable),
        schedule=None if old.schedule is None else rescaled(old.schedule, peak_lr=peak),
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
