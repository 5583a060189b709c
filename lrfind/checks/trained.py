"""What training on a dataset shows, as numbers to keep and to compare: `trained_of(learning) -> Trained`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrfind.checks.dataset.learn import HeldOut, Learning
from lrfind.curve import Analysis, Landmark, Outcome, blended_reading


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """What training showed.

    Attributes
    ----------
    lr, lr_decades : float or None
        Rate read off the range test, and the standard error of its logarithm to base 10; None where the loss does not
        clearly fall and none was read.
    loss, loss_error, constant_loss : float
        Of the best models and the constant predictor on rows held out; nats or squared target sd.
    lr_low, lr_high : float or None
        Rates that the range test would as well have spoken for: its valley is flat between them.
    """

    lr: float | None
    lr_decades: float | None
    loss: float
    loss_error: float
    constant_loss: float
    lr_low: float | None = None
    lr_high: float | None = None


# What a range test must show before its rate is one to compare: without a clear fall it lies anywhere.
WITHOUT_RATE = frozenset({Outcome.NEVER_FALLS, Outcome.NOISE_HIDES_FALL, Outcome.DIVERGES_AT_ONCE})


def trained_of(learning: Learning) -> Trained | None:
    """Return what training showed, or None where every model diverged.

    Parameters
    ----------
    learning : Learning

    Returns
    -------
    Trained or None
    """
    loss, error = best_loss(learning.held_out, at_rate=learning.at_rate)
    if not math.isfinite(loss):
        return None
    analysis, reading = learning.analysis, learning.reading
    lr = lr_decades = low = high = None
    if reading is not None and analysis.outcome not in WITHOUT_RATE:
        marks = [mark for mark in (analysis.steepest, analysis.fallen, analysis.minimum) if mark is not None]
        lr, lr_decades = reading.lr, float(np.mean([_decades(mark) for mark in marks]))
        low, high = equally_good(analysis)
    return Trained(
        lr=lr, lr_decades=lr_decades, loss=loss, loss_error=error,
        constant_loss=float(learning.held_out.baseline.mean()), lr_low=low, lr_high=high,
    )  # fmt: skip


def best_loss(held_out: HeldOut, *, at_rate: HeldOut | None = None) -> tuple[float, float]:
    """Return the mean loss of the best model of each fold, and its standard error.

    The best of each fold, because a training that fails in one fold must not change the model in all of them. The
    error is that over rows or that over folds, whichever is larger: rows know nothing of trainings that fail, and of
    rare large losses that happen not to be among them. Of a single fold, what seeds make of a training is added.

    Parameters
    ----------
    held_out : HeldOut
    at_rate : HeldOut or None
        Of one training with several seeds, a model each.

    Returns
    -------
    loss, error : float
        Infinite where every model diverged.
    """
    alive = held_out.losses[np.isfinite(held_out.losses).all(axis=1)]
    if not len(alive):
        return math.inf, math.inf
    n_folds = held_out.n_folds
    # models, folds, rows
    by_fold = alive.reshape(len(alive), n_folds, -1)
    best = by_fold.mean(axis=2).argmin(axis=0)
    losses = by_fold[best, np.arange(n_folds)]
    over_rows = float(losses.std(ddof=1) / math.sqrt(losses.size))
    if n_folds == 1:
        return float(losses.mean()), math.hypot(over_rows, _over_seeds(at_rate))
    over_folds = float(losses.mean(axis=1).std(ddof=1) / math.sqrt(n_folds))
    return float(losses.mean()), max(over_rows, over_folds)


def _over_seeds(at_rate: HeldOut | None) -> float:
    """Return the standard deviation of a training's loss over its seeds; 0 where it is not known."""
    losses = [] if at_rate is None else [float(loss) for loss in at_rate.whole.mean(axis=1) if np.isfinite(loss)]
    return float(np.std(losses, ddof=1)) if len(losses) > 1 else 0.0


# Half-width of a central 90 % interval in standard errors of a normal distribution.
HALF_WIDTH_90 = 1.645


def _decades(mark: Landmark) -> float:
    return math.log10(mark.high / mark.low) / (2 * HALF_WIDTH_90)


# Share of the fall by which losses may differ and be equally low; the regret that an advised interval may cost.
EQUALLY_LOW = 0.05


def equally_good(analysis: Analysis) -> tuple[float, float]:
    """Return the lowest and highest rate the range test would speak for, were its minimum elsewhere in the valley.

    Where the loss stays low over decades, its minimum may lie anywhere in them, and the rate read off it with it.

    Parameters
    ----------
    analysis : Analysis
        With landmarks.

    Returns
    -------
    low, high : float
    """
    steepest, fallen, minimum = analysis.steepest, analysis.fallen, analysis.minimum
    if steepest is None or fallen is None or minimum is None:
        raise ValueError("an analysis without landmarks speaks for no rate")
    bottom = int(np.argmin(analysis.pooled))
    level = analysis.pooled[bottom] + EQUALLY_LOW * (analysis.start_loss - analysis.pooled[bottom])
    above = np.flatnonzero(analysis.pooled > level)
    first = int(above[above < bottom].max(initial=-1)) + 1
    last = int(above[above > bottom].min(initial=len(analysis.pooled))) - 1
    ceiling = analysis.divergence.lr if analysis.divergence is not None else float(analysis.lrs[-1])
    low, high = (
        blended_reading(steepest=min(steepest.lr, lr), fallen=min(fallen.lr, lr), minimum=lr, ceiling=ceiling)
        for lr in (float(analysis.lrs[first]), float(analysis.lrs[last]))
    )
    return low, high
