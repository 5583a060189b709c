"""Whether anything was learned that holds on rows not trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.text import one_line

Floats = npt.NDArray[np.float64]


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proof:
    """What training at the rate read reached on rows held out.

    Attributes
    ----------
    losses : (n_rows,) ndarray
        Of each held-out row at the end of the run, averaged over seeds; NaN where every seed diverged.
    looks : (n_looks, n_rows) ndarray
        The same part-way through the run and at a tenth of the rate: a small table may be learned and then overfitted
        long before the end.
    baseline : (n_rows,) ndarray
        Of the best constant guess.
    n_runs : int
        Trained at the rate.
    """

    losses: Floats
    looks: Floats
    baseline: Floats
    n_runs: int


# A gain this many standard errors above nothing is a signal: one-sided 0.6 % a look.
SIGNAL_ERRORS = 2.5
# And it must be this share of what a constant guess loses: below it the best rate and the worst differ by less than
# seeds do.
SIGNAL_SHARE = 0.04


def gain(losses: Floats, baseline: Floats) -> tuple[float, float]:
    """Return how far below a constant guess held-out rows end, and the standard error of that.

    Parameters
    ----------
    losses, baseline : (n_rows,) ndarray

    Returns
    -------
    gain, standard_error : float
        ``-inf`` and 0 where the losses are not finite.
    """
    if not np.isfinite(losses).all():
        return -math.inf, 0.0
    better = baseline - losses
    return float(better.mean()), float(better.std() / math.sqrt(max(len(better) - 1, 1)))


def has_signal(proof: Proof) -> bool:
    """Return whether anything was learned, at some point of a run, that holds on rows not trained on."""
    level = float(proof.baseline.mean())
    gains = [gain(losses, proof.baseline) for losses in proof.looks]
    return any(better > SIGNAL_ERRORS * error and better > SIGNAL_SHARE * level for better, error in gains)
