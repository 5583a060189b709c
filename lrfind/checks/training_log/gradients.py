"""What the gradient norm reveals: LR209, LR210."""

from __future__ import annotations

import math

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.smooth import Floats
from lrfind.checks.training_log.too_high import has_diverged, is_too_high
from lrfind.checks.training_log.too_low import is_standing, is_too_low
from lrfind.text import number, plural

# Fewer norms than these have no usual.
FEWEST = 20
# A norm this many times the median is an explosion: clipping at the median would cut it to a fiftieth. Norms shrink
# with the loss, so where the loss has come down by half it must also be large against those of the beginning.
EXPLODES, ABOVE_FIRST, COME_DOWN = 50.0, 6.0, 0.5
# What a step would take off the loss if that were a straight line, rate times squared norm, in multiples of the loss.
# Gradient descent on a parabola is stable up to 4, with momentum of 0.9 up to 8; a norm that stands out and stays below
# moved nothing, as a rule because its optimiser divides by it. Sound runs pass 100 in three steps once in 180.
STABLE, FAR_BEYOND, OFTEN = 8.0, 100.0, 3
# Beyond, all norms are alike.
MOST_NORM = 1e100
# A norm threw the loss where the points after it lie higher than those up to it: by so many standard errors, and by a
# share of the fall, which is at least so much of the start.
AFTER, BEFORE, CLEAR, WORTH, FALL = 3, 5, 4.0, 0.15, 0.1
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
    """LR209: gradient norms that throw the loss, or are without bound, or are cut off in most steps."""
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
    is_finite = bool(np.isfinite(norm).all())
    if share > AT_LIMIT and is_finite:
        return check.found(
            f"{share:.0%} of the gradient norms are exactly {number(largest)}: clipping cuts those steps off.", numbers,
            f"Log the norm before clipping; raise the limit to about {number(10 * largest, digits=2)}"
            f"{_or_lower(signals)}, so that fewer than 1 in 10 steps are cut.",
        )  # fmt: skip
    reason = _why_exploding(signals, step=step, norm=norm) if is_finite else f"the median is {number(usual)}"
    at = signals.at_step(where)
    if reason:
        limit = number(float(np.quantile(finite, 0.9)), digits=2)
        lower = _and_lower(signals)
        return check.found(
            f"The gradient norm is {number(largest) if is_finite else 'infinite'} at {at}; {reason}.",
            numbers,
            f"Clip the norm at {limit}, which nine of ten steps do not reach{lower}.",
        )
    usually = f"{_times(largest, usual)} its median of {number(usual)}"
    if largest <= EXPLODES * usual:
        return check.passed(f"The gradient norm stays within {usually}.", numbers)
    return check.passed(f"The gradient norm reaches {usually} at {at}, with no harm to the loss.", numbers)


def _or_lower(signals: Signals) -> str:
    return "" if is_too_low(signals) else ", or lower the rate"


def _and_lower(signals: Signals) -> str:
    """Return what is to become of the rate, as the findings about it say; nothing where it is too low as it is."""
    if is_too_low(signals):
        return ""
    if has_diverged(signals):
        return ", and lower the peak rate as LR201 says"
    return ", and lower the peak rate as LR202 says" if is_too_high(signals) else ", and halve the peak rate"


def _times(norm: float, usual: float) -> str:
    return f"{number(norm / max(usual, 1e-300))} times"


def _why_exploding(signals: Signals, *, step: Floats, norm: Floats) -> str:
    """Return what is wrong with the largest norm, where it stands out and matters or is too large for its rate."""
    first = max(float(norm[0]), float(np.median(norm[: max(len(norm) // 10, 3)])))
    least = ABOVE_FIRST * first if signals.end < COME_DOWN * signals.start else 0.0
    usual, largest = float(np.median(norm)), float(norm.max())
    large = norm > max(EXPLODES * usual, least)
    leaps = _leaps(signals, step=step, norm=norm)
    if (leaps[large] > STABLE).any() or _throws(signals, steps=step[large]):
        return f"that is {_times(largest, usual)} the median of {number(usual)}"
    if np.sort(leaps)[-OFTEN] > FAR_BEYOND:
        return f"at this rate its step is {_times(float(leaps.max()), STABLE)} too long"
    return ""


def _leaps(signals: Signals, *, step: Floats, norm: Floats) -> Floats:
    """Return how many times the loss each step would bring it down if it were a straight line; 0 without a rate."""
    if signals.rates is None:
        return np.zeros(len(step))
    point = np.maximum(np.searchsorted(signals.step, step, side="right") - 1, 0)
    loss = np.maximum(np.abs(signals.loss[point]), max(abs(signals.start), 1e-300))
    # In two factors, since the square of a diverging norm overflows.
    return np.asarray(signals.rates.at[point] * norm / loss * np.minimum(norm, MOST_NORM))


def _throws(signals: Signals, *, steps: Floats) -> bool:
    """Say whether the loss stands higher after one of the steps than before, beyond noise and by enough to matter."""
    at = np.searchsorted(signals.step, steps, side="right")
    at = at[(at > 0) & (at < signals.n_points)]
    if not len(at):
        return False
    # The window that ends with each point, and the one that begins with it.
    windows = np.lib.stride_tricks.sliding_window_view
    before = windows(np.pad(signals.loss, (BEFORE - 1, 0), mode="edge"), BEFORE)[at - 1]
    after = windows(np.pad(signals.loss, (0, AFTER - 1), mode="edge"), AFTER)[at]
    rises = np.median(after, axis=1) - np.median(before, axis=1)
    noise = float(np.median(signals.blocks.noise)) * math.sqrt(1 / BEFORE + 1 / AFTER)
    return bool(rises.max() > max(WORTH * max(signals.span, FALL * abs(signals.start)), CLEAR * noise))


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
        f"The gradient norm came down from {number(first, digits=2)} to {number(last, digits=2)} (medians of the first "
        f"and the last {n} norms), while the loss went {signals.came}."
    )
    # Where the rate was too high, more of it is no help anywhere.
    is_lowered = has_diverged(signals) or is_too_high(signals)
    more = "" if is_lowered else "; a higher rate helps only where the first layers' gradients are above 0"
    return check.found(
        message, numbers,
        "Use ReLU or GELU instead of sigmoid, normalise the layers, and scale the initial weights by sqrt(2 / "
        f"inputs){more}.",
    )  # fmt: skip


def _norms(signals: Signals) -> tuple[Floats, Floats] | str:
    norm = signals.log.grad_norm
    if norm is None:
        return "There is no gradient norm in the log."
    logged = ~np.isnan(norm)
    if logged.sum() < FEWEST or not np.isfinite(norm[logged]).any():
        return f"The log has {plural(int(logged.sum()), 'gradient norm')}; {FEWEST} are needed."
    return signals.log.step[logged], norm[logged]
