"""Whether anything was learned that holds on rows not trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proof:
    """What training at the rate read reached on rows held out.

    Attributes
    ----------
    losses : (n_seeds, n_rows) ndarray
        Of each held-out row at the end; NaN for a seed that diverged.
    baseline : (n_rows,) ndarray
        Of the best constant predictor of the training part.
    gentle_losses : (n_seeds, n_rows) ndarray
        The same at a tenth of the rate, where overfitting and instability do most harm last.
    """

    losses: npt.NDArray[np.float64]
    baseline: npt.NDArray[np.float64]
    gentle_losses: npt.NDArray[np.float64]


# A gain this many standard errors above nothing is a signal: one-sided 1 %, over two rates looked at.
SIGNAL_ERRORS = 2.5
# And it must be this share of what a constant predictor loses: below it the best rate and the worst differ by less
# than seeds do.
SIGNAL_SHARE = 0.03


def gain(losses: npt.NDArray[np.float64], baseline: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return how far below the baseline held-out rows end, and the standard error of that.

    Parameters
    ----------
    losses : (n_seeds, n_rows) ndarray
    baseline : (n_rows,) ndarray

    Returns
    -------
    gain, standard_error : float
        ``-inf`` and 0 where every seed diverged.
    """
    alive = np.isfinite(losses).all(1)
    if not alive.any():
        return -math.inf, 0.0
    better = baseline - losses[alive].mean(0)
    return float(better.mean()), float(better.std() / math.sqrt(max(len(better) - 1, 1)))


def has_signal(proof: Proof) -> bool:
    """Return whether anything was learned that holds on rows not trained on, at the rate or a tenth of it."""
    level = float(proof.baseline.mean())
    for losses in (proof.losses, proof.gentle_losses):
        better, error = gain(losses, proof.baseline)
        if better > SIGNAL_ERRORS * error and better > SIGNAL_SHARE * level:
            return True
    return False
