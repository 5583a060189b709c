"""What the gradient norm reveals: LR209, LR210."""

from __future__ import annotations

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.smooth import Floats
from lrfind.checks.training_log.too_low import is_standing
from lrfind.text import number, plural

# Fewer norms than these have no usual.
FEWEST = 20
# A norm this many times the median is an explosion: clipping at the median would cut it to a fiftieth. Norms shrink
# with the loss, so where the loss has come down by half it must also be large against those of the beginning.
EXPLODES, ABOVE_FIRST, COME_DOWN = 50.0, 6.0, 0.5
# Share of the norms that are equal to the largest, but for rounding: that is a limit, not a norm. In runs without one
# it is the largest norm alone, a fiftieth at most.
AT_LIMIT, ROUNDING = 0.15, 1e-3
# A norm below this share of the first, on a loss that has not come down with it, no longer moves the weights.
VANISHES = 0.02
# Share of the first loss above which a loss has not come down.
STILL_HIGH = 0.9
# A norm this small against the loss itself moves a loss of 1 by a millionth a step at a rate of 0.01.
FAINT = 0.01


def gradients_explode(check: Check, signals: Signals) -> Finding:
    """LR209: gradient norms far beyond the usual, without bound, or cut off in most steps."""
    norms = _norms(signals)
    if isinstance(norms, str):
        return check.not_applicable(norms)
    step, norm = norms
    finite = norm[np.isfinite(norm)]
    usual, largest = float(np.median(finite)), float(finite.max())
    where = float(step[int(np.argmax(np.where(np.isnan(norm), -1.0, norm)))])
    share = float(np.mean(finite >= largest * (1 - ROUNDING)))
    numbers: dict[str, float | int | str | None] = {
        "median": usual, "largest": largest, "step": where, "infinite": int((~np.isfinite(norm)).sum()),
        "share_at_limit": share,
    }  # fmt: skip
    first = max(float(finite[0]), float(np.median(finite[: max(len(finite) // 10, 3)])))
    least = ABOVE_FIRST * first if signals.end < COME_DOWN * signals.start else 0.0
    if not np.isfinite(norm).all() or largest > max(EXPLODES * usual, least):
        times = (
            "infinite"
            if not np.isfinite(norm).all()
            else f"{number(largest)}, {number(largest / max(usual, 1e-300))} times the median"
        )
        message = f"The gradient norm is {times} at {signals.at_step(where)}; the median is {number(usual)}."
        limit = number(float(np.quantile(finite, 0.9)), digits=2)
        return check.found(
            message,
            numbers,
            f"Clip the norm at {limit}, which nine of ten steps do not reach, and halve the peak rate.",
        )
    if share > AT_LIMIT:
        message = f"{share:.0%} of the gradient norms are exactly {number(largest)}: clipping cuts off most steps."
        return check.found(
            message, numbers,
            f"Log the norm before clipping; raise the limit to about {number(10 * largest, digits=2)}, or lower the "
            "rate, so that fewer than 1 in 10 steps are cut.",
        )  # fmt: skip
    return check.passed(
        f"The gradient norm stays within {number(largest / max(usual, 1e-300))} times its median of {number(usual)}.",
        numbers,
    )


def gradients_vanish(check: Check, signals: Signals) -> Finding:
    """LR210: gradient norms near 0 on a loss that has not come down."""
    norms = _norms(signals)
    if isinstance(norms, str):
        return check.not_applicable(norms)
    step, norm = norms
    finite = np.isfinite(norm)
    values, steps = norm[finite], step[finite]
    n = max(len(values) // 10, 3)
    first, last = float(np.median(values[:n])), float(np.median(values[-n:]))
    numbers: dict[str, float | int | str | None] = {
        "first": first, "last": last, "loss_start": signals.start, "loss_end": signals.end,
    }  # fmt: skip
    is_high = (signals.start > 0 and signals.end > STILL_HIGH * signals.start) or is_standing(signals)
    faint = last < FAINT * abs(signals.end) or last < VANISHES * first
    if not (is_high and faint):
        return check.passed(f"The gradient norm went from {number(first)} to {number(last)}, with the loss.", numbers)
    below = np.flatnonzero(values < max(2 * last, VANISHES * first))
    numbers["step"] = float(steps[below[0]]) if len(below) else float(steps[-1])
    message = (
        f"The gradient norm is {number(last, digits=2)} at the end (it began at {number(first, digits=2)}), while the "
        f"loss is still {number(signals.end)} of {number(signals.start)}."
    )
    return check.found(
        message, numbers,
        "Use ReLU or GELU instead of sigmoid, normalise the layers, and scale the initial weights by sqrt(2 / "
        "inputs); a rate 10 times higher helps only where the first layers' gradients are above 0.",
    )  # fmt: skip


def _norms(signals: Signals) -> tuple[Floats, Floats] | str:
    norm = signals.log.grad_norm
    if norm is None:
        return "There is no gradient norm in the log."
    logged = ~np.isnan(norm)
    if logged.sum() < FEWEST or not np.isfinite(norm[logged]).any():
        return f"The log has {plural(int(logged.sum()), 'gradient norm')}; {FEWEST} are needed."
    return signals.log.step[logged], norm[logged]
