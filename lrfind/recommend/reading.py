"""What a range test alone says: `read_rate(analysis) -> Reading`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrfind.curve import Analysis


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a range test alone says about the rate.

    Attributes
    ----------
    lr, low, high : float
    """

    lr: float
    low: float
    high: float


# The loss is still lowest a step before it diverges, so its minimum lies too high for a whole run; a fifth of it is
# the margin that lost least on 80 problems (a tenth and a half lost more).
MINIMUM_MARGIN = 5.0
# Half-widths of the interval in decades, below and above: rates within lost at most 5 % more than the advised one on
# 85 % of those problems. A rate too high costs more than one too low.
WIDTH_BELOW, WIDTH_ABOVE = 0.25, 0.2


def read_rate(analysis: Analysis) -> Reading | None:
    """Return the rate a range test speaks for, or None where it speaks for none.

    Three readings of the pooled curve that err in different directions are averaged in log lr: a fifth of the
    minimum, the rate at which four fifths of the fall is done, and the geometric mean of steepest fall and minimum.
    On 80 problems their mean lost less than each.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    Reading or None
    """
    minimum, steepest, fallen = analysis.minimum, analysis.steepest, analysis.fallen
    if minimum is None or steepest is None or fallen is None:
        return None
    ceiling = analysis.divergence.lr if analysis.divergence is not None else float(analysis.lrs[-1])
    readings = (minimum.lr / MINIMUM_MARGIN, fallen.lr, math.sqrt(steepest.lr * minimum.lr))
    lr = math.exp(sum(map(math.log, readings)) / len(readings))
    lr = float(np.clip(lr, analysis.lrs[0], ceiling))
    return Reading(
        lr=lr,
        low=max(lr * 10**-WIDTH_BELOW, float(analysis.lrs[0])),
        high=min(lr * 10**WIDTH_ABOVE, ceiling),
    )


# A rate this close below divergence needs its first steps taken slowly.
WARMUP_MARGIN = 3.0
# Below this many steps a warm-up of a tenth is a handful of updates.
SHORTEST_WARMUP_RUN = 50


def read_schedule(reading: Reading, analysis: Analysis, *, train_steps: int) -> tuple[str, str]:
    """Return the name of the schedule a range test speaks for, and why.

    Parameters
    ----------
    reading : Reading
    analysis : Analysis
    train_steps : int

    Returns
    -------
    name, reason : str
    """
    divergence = analysis.divergence
    if divergence is not None and divergence.low / reading.lr < WARMUP_MARGIN and train_steps >= SHORTEST_WARMUP_RUN:
        share = divergence.low / reading.lr
        return "warmup_cosine", f"takes the first steps slowly: divergence begins at only {share:.1f} times the rate"
    return "cosine", "decays to 0, which suits any budget; not compared with others without a race"
