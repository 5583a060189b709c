"""What each figure shows, in one sentence: a title states the finding, not the axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrfind.report import words
from lrfind.report.curves import Floats, gradient_curve, smoothed_over
from lrfind.schedule import values

if TYPE_CHECKING:
    from lrfind.report import Report
    from lrfind.schedule import Schedule

# A growth below this is the ordinary scatter of gradients.
CLEAR_GROWTH = 3.0
# Beyond this an exact factor says nothing more.
MOST_GROWTH = 1_000.0


def loss_title(report: Report) -> str:
    """Return what the range test found."""
    advice = report.recommendation
    limit = "" if advice.lr_max_stable is None else f"; above {words.rate(advice.lr_max_stable)} it diverges"
    minimum, divergence = report.analysis.minimum, report.analysis.divergence
    if report.race is not None and minimum is not None and divergence is not None:
        # The answer stands above; here is what the range test itself has seen.
        lowest, limit = words.rate(minimum.lr), words.rate(divergence.lr)
        return f"In the range test the loss is lowest at {lowest} and diverges at {limit}"
    if advice.verdict == "ok" and advice.lr_low is not None and advice.lr_high is not None:
        return f"Any rate from {words.rate(advice.lr_low)} to {words.rate(advice.lr_high)} trains well{limit}"
    return report.analysis.outcome.value.rstrip(".")


def loss_subtitle(report: Report) -> str:
    """Return what the axes of the range test show."""
    seeds = words.plural(report.sweep.n_seeds, "seed")
    if (n_steps := smoothed_over(report)) > 1:
        seeds += f" (medians of {n_steps} steps)"
    unit = words.loss_unit(report)
    return f"Training loss ({unit}) as the rate rises: {seeds}, pooled curve and 90\u00a0% band"


def schedule_title(schedule: Schedule) -> str:
    """Return what the schedule does over the run."""
    lrs = values(schedule)
    peak, last, n_steps = int(np.argmax(lrs)), float(lrs[-1]), schedule.n_steps
    name = words.name(schedule.name)
    if np.ptp(lrs) == 0:
        return f"{name} holds {words.rate(float(lrs[0]))} for {words.plural(n_steps, 'step')}"
    if (n_peaks := _n_peaks(lrs)) > 1:
        steps = words.plural(n_steps, "step")
        return f"{name} reaches its peak of {words.rate(float(lrs[peak]))} {n_peaks} times in {steps}"
    # What is left at the end is nothing when it is a hundredth of the peak.
    end = "almost nothing" if last < lrs[peak] / 100 else words.rate(last)
    if peak == 0:
        return f"{name} falls from {words.rate(float(lrs[0]))} to {end} in {words.plural(n_steps, 'step')}"
    return f"{name} rises to {words.rate(float(lrs[peak]))} by step {peak:,}, then falls to {end}"


def _n_peaks(lrs: Floats) -> int:
    """Return how often the rate turns from rising to falling, a fall from the first step counted."""
    trend = np.sign(np.diff(lrs))
    trend = np.concatenate([[1.0], trend[trend != 0], [-1.0]])
    return int(np.sum((trend[:-1] > 0) & (trend[1:] < 0)))


def gradient_title(report: Report) -> str:
    """Return how the gradient's norm moved over the range."""
    curve = gradient_curve(report)
    if curve is None:
        return "No gradient norms were recorded"
    limit = report.recommendation.lr_max_stable
    lowest, highest = words.number(float(curve.median.min())), words.number(float(curve.median.max()))
    if limit is not None and np.any(curve.lrs >= limit):
        before = np.median(curve.median[curve.lrs < limit]) if np.any(curve.lrs < limit) else curve.median[0]
        growth = float(curve.median[curve.lrs >= limit].max() / before)
        if growth > CLEAR_GROWTH:
            fold = "more than 1,000-fold" if growth > MOST_GROWTH else f"{float(f'{growth:.1g}'):.0f}-fold"
            return f"Above {words.rate(limit)} the gradients grow {fold}"
    return f"The gradient's norm stays between {lowest} and {highest}"
