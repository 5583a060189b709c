"""The range test: raise the learning rate exponentially, one step at a time, and write down the loss.

The loop knows no model, only `Trainable.step(lr) -> loss of every seed`, and keeps raw numbers only: smoothing and
reading belong to `lrfind.curve`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lrfind.errors import UsageError
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]


class Trainable(Protocol):
    """Seeds of a model that train in lockstep; the only thing in lrfind that changes as it is used."""

    @property
    def n_seeds(self) -> int:
        """How many replicas take each step."""

    @property
    def grad_norms(self) -> npt.NDArray[np.floating] | None:
        """(n_seeds,) Euclidean norm of the last step's gradient, or None where the model cannot tell."""

    @property
    def difficulty(self) -> npt.NDArray[np.floating] | None:
        """(n_seeds,) loss of a constant predictor on the last step's batch, or None where the model cannot tell.

        Much of a batch loss's noise is how hard the batch happens to be; knowing that, `lrfind.curve` takes it out.
        """

    def step(self, lr: float) -> npt.NDArray[np.floating]:
        """Take one update of every seed and return the losses (n_seeds,) measured before it.

        A seed whose loss is not finite is lost: it returns NaN from then on.
        """


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """The raw record of a range test.

    Attributes
    ----------
    lrs : (n_steps,) ndarray of float64
        Rate of each step, growing by the same factor.
    losses : (n_seeds, n_steps) ndarray of float64
        Mean loss of each step's batch, before the update, in nats or squared target sd; NaN once a seed is lost.
    grad_norms : (n_seeds, n_steps) ndarray of float64 or None
        Euclidean norms of the gradients.
    difficulty : (n_seeds, n_steps) ndarray of float64 or None
        Loss of a constant predictor on the same batches.
    """

    lrs: Floats
    losses: Floats
    grad_norms: Floats | None
    difficulty: Floats | None = None

    def __post_init__(self) -> None:
        """Hold the arrays still."""
        for array in (self.lrs, self.losses, self.grad_norms, self.difficulty):
            if array is not None:
                array.flags.writeable = False

    @property
    def n_seeds(self) -> int:
        """Seeds trained side by side."""
        return int(self.losses.shape[0])

    @property
    def n_steps(self) -> int:
        """Steps recorded; fewer than asked for when every seed was lost earlier."""
        return int(self.losses.shape[1])


# Fewest steps in which a curve over several decades can have a fall, a minimum and a rise.
FEWEST_STEPS = 20
# A loss beyond float32 is lost in every precision: its square must still fit into float64 when the curve is read.
LARGEST = float(np.finfo(np.float32).max)
# The loss has exploded when this many steps in a row, in every seed, lie far above anything learning explains: beyond
# the start by five times the whole fall so far, and by twenty times the noise. It depends on no scale of the loss and
# so holds near zero; a run of steps, not one, so that momentum's overshoot and a hard batch do not end the sweep.
EXPLODED_RUN, EXPLODED_FALLS, EXPLODED_NOISES = 10, 5.0, 20.0


def range_test(
    model: Trainable,
    *,
    lr_min: float,
    lr_max: float,
    n_steps: int,
    on_step: Callable[[int], None] | None = None,
) -> Sweep:
    """Train while the learning rate grows exponentially, and record every loss (Smith 2015, arXiv:1506.01186).

    Parameters
    ----------
    model : Trainable
        Changed by the test; it cannot be used again.
    lr_min, lr_max : float
        First and last rate.
    n_steps : int
        Updates from the first rate to the last.
    on_step : callable, optional
        Called with the number of steps done, for progress.

    Returns
    -------
    Sweep
        Shorter than `n_steps` when every seed was lost or had exploded earlier.

    Raises
    ------
    UsageError
        If the range is empty or not finite and positive, or has fewer than `FEWEST_STEPS` steps.
    """
    lrs = lr_range(lr_min, lr_max, n_steps=n_steps)
    record = np.full((3, model.n_seeds, n_steps), np.nan)
    done = 0
    with np.errstate(all="ignore"):  # overflow is what the test looks for
        for step, lr in enumerate(lrs):
            seen = (model.step(float(lr)), model.grad_norms, model.difficulty)
            for column, numbers in zip(record[..., step], seen, strict=True):
                if numbers is not None:
                    column[:] = np.where(np.abs(numbers) <= LARGEST, numbers, np.nan)
            done = step + 1
            if on_step is not None:
                on_step(done)
            if done % EXPLODED_RUN == 0 and has_exploded(record[0, :, :done]):
                break
    losses, norms, difficulty = record[..., :done]
    return Sweep(
        lrs=lrs[:done],
        losses=losses,
        grad_norms=norms if np.isfinite(norms).any() else None,
        difficulty=difficulty if np.isfinite(difficulty).any() else None,
    )


def lr_range(lr_min: float, lr_max: float, *, n_steps: int) -> Floats:
    """Return the rates (n_steps,) of a range test, each the same factor above the one before."""
    for name, lr in (("--lr-min", lr_min), ("--lr-max", lr_max)):
        if not (np.isfinite(lr) and lr >= np.finfo(np.float32).tiny):
            raise UsageError(f"{name} is {lr:g}: expected a learning rate above 1e-37 and below infinity, such as 1e-7")
    if lr_max <= lr_min:
        raise UsageError(f"--lr-max {lr_max:g} is not above --lr-min {lr_min:g}: expected a range, such as 1e-7 to 10")
    if n_steps < FEWEST_STEPS:
        raise UsageError(f"--steps is {n_steps}: expected at least {FEWEST_STEPS} steps, or the curve has no shape")
    return np.geomspace(lr_min, lr_max, n_steps)


def has_exploded(losses: Floats) -> bool:
    """Return whether no seed can come back: all lost, or all far above their start for several steps.

    Parameters
    ----------
    losses : (n_seeds, n_steps) ndarray
        Raw losses so far, NaN once a seed is lost.

    Returns
    -------
    bool
    """
    recent = losses[:, -EXPLODED_RUN:]
    if np.isnan(recent[:, -1]).all():
        return True
    # the first tenth of a hundred steps tells start and noise; before that there is nothing to compare with
    n_first = 2 * EXPLODED_RUN
    if losses.shape[1] < 2 * n_first:
        return False
    first = losses[:, :n_first]
    start = np.nanmean(first)
    # no noise is below the resolution of float32, in which most losses come
    noise = max(np.nanstd(first), np.finfo(np.float32).eps * abs(start))
    fall = max(start - np.nanmin(np.nanmedian(losses, axis=0)), 0.0) if np.isfinite(start) else 0.0
    limit = start + EXPLODED_FALLS * fall + EXPLODED_NOISES * noise
    return bool(np.all((recent > limit) | np.isnan(recent)))
