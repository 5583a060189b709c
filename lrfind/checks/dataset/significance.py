"""Whether models beat the constant predictor by more than chance: `significance(held_out) -> Significance`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lrfind.checks.dataset.learn import HeldOut

Floats = npt.NDArray[np.float64]

# Probability of calling noise a signal. Rows held out in turn share training rows, which makes their gains a little
# less independent than the test takes them for: on 50 rows of noise 1 % are in truth up to 3 %.
CHANCE = 0.01
# Sign flips: the smallest p value is then 0.0005, far enough below `CHANCE` that its own noise decides nothing.
N_FLIPS, FLIPS_KEY = 1999, 0xF11B


@dataclass(frozen=True, slots=True, kw_only=True)
class Significance:
    """Whether the best of several models beats the constant predictor beyond chance.

    Attributes
    ----------
    errors : float
        Standard errors by which the best model's gain lies above nothing; -inf where all diverged.
    errors_required : float
        What chance exceeds with a probability of `CHANCE`.
    p : float
        Probability that chance does as well.
    """

    errors: float
    errors_required: float
    p: float


def gains(held_out: HeldOut) -> tuple[Floats, Floats]:
    """Return each model's mean gain over the constant predictor, and its standard error, (n_models,) each.

    Rows are judged by models that have not seen them, so the gains of one fold's rows are independent given its
    training rows; the rows are the sample, and seeds were averaged before. A model that diverged gains -inf.
    """
    better = held_out.baseline - held_out.losses
    alive = np.isfinite(better).all(axis=1)
    mean, error = np.full(len(better), -math.inf), np.ones(len(better))
    if alive.any():
        mean[alive] = better[alive].mean(axis=1)
        error[alive] = better[alive].std(axis=1, ddof=1) / math.sqrt(better.shape[1]) + np.finfo(np.float64).tiny
    return mean, error


# LR301 asks what decided already whether a forest is grown.
@lru_cache(maxsize=2)
def significance(held_out: HeldOut) -> Significance:
    """Test whether any model beats the constant predictor, by flipping the signs of the rows' gains.

    Without a signal no model's expected loss is below the constant's: at best a row's gain might as well have been a
    loss. So the sign of each row, the same for all models, is drawn at random, and the largest gain of any model in
    standard errors is noted; the share of draws that reach what was seen is the p value. The maximum over the models
    accounts for how many there are and how alike (Westfall & Young 1993), the rows' own values for heavy tails.

    Parameters
    ----------
    held_out : HeldOut

    Returns
    -------
    Significance

    References
    ----------
    Diebold & Mariano 1995, "Comparing predictive accuracy", JBES 13(3): the paired comparison of two losses.
    Westfall & Young 1993, "Resampling-Based Multiple Testing": the maximum under permutation.
    """
    better = held_out.baseline - held_out.losses
    better = better[np.isfinite(better).all(axis=1)]
    if not len(better):
        return Significance(errors=-math.inf, errors_required=math.inf, p=1.0)
    # to unit size: flips leave it as it is, and float32 is enough
    size = np.sqrt(np.square(better).mean(axis=1, keepdims=True)) + np.finfo(np.float64).tiny
    unit = (better / size).astype(np.float32)
    n_rows = unit.shape[1]
    rng = np.random.default_rng(FLIPS_KEY)
    signs = rng.integers(0, 2, (N_FLIPS, n_rows), dtype=np.int8).astype(np.float32) * 2 - 1
    with threadpool_limits(1, user_api="blas"):
        flipped = (signs @ unit.T).astype(np.float64) / n_rows
    chance = _errors(flipped, n_rows=n_rows).max(axis=1)
    errors = float(_errors(unit.astype(np.float64).mean(axis=1), n_rows=n_rows).max())
    return Significance(
        errors=errors,
        errors_required=float(np.quantile(chance, 1 - CHANCE)),
        p=float((1 + np.count_nonzero(chance >= errors)) / (1 + N_FLIPS)),
    )


def is_signal(held_out: HeldOut) -> bool:
    """Say whether any model beats the constant predictor beyond chance."""
    return significance(held_out).p <= CHANCE


def _errors(mean: Floats, *, n_rows: int) -> Floats:
    # of values whose mean square is 1; all alike they have no standard error, and float32 may even exceed 1
    variance = np.maximum(1 - np.square(mean), np.finfo(np.float32).eps) / (n_rows - 1)
    return np.asarray(mean / np.sqrt(variance))


def best_model(held_out: HeldOut) -> int:
    """Return the place of the model with the lowest mean loss; 0 where all diverged."""
    return int(np.argmax(gains(held_out)[0]))
