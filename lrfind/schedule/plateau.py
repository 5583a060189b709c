"""Reduce on plateau: divide the rate when the running loss has stopped falling."""

from __future__ import annotations

import numpy as np

from lrfind.schedule.orders import Floats, Orders
from lrfind.schedule.shapes import Segments, constant

# What torch.optim.lr_scheduler.ReduceLROnPlateau does by default.
FACTOR, THRESHOLD, COOLDOWN, MIN_LR, EPS = 0.1, 1e-4, 0, 0.0, 1e-8
# Losses of single batches are too noisy to compare: the run is cut into this many windows, and their mean losses are.
N_WINDOWS = 50
# Windows without a new lowest loss that are waited out: a tenth of the run. torch's 10 would be a fifth, and leave
# time for few reductions.
PATIENCE = 5


def window_length(n_steps: int) -> int:
    """Return how many losses are averaged before they are compared."""
    return max(n_steps // N_WINDOWS, 1)


def reduce_on_plateau(n_steps: int) -> Segments:
    """Hold the peak rate, which is what happens as long as the loss falls; torch's ReduceLROnPlateau."""
    return constant(n_steps)


class ReduceOnPlateau:
    """Replicas whose rates are reduced when their running losses stop falling.

    Given the same mean losses, the rates are those of `torch.optim.lr_scheduler.ReduceLROnPlateau`.

    Parameters
    ----------
    peaks : (n_replicas,) ndarray
        First rates.
    n_steps : int
        Length of the run.
    window, patience, cooldown : int, optional
        Losses averaged before they are compared; comparisons without a new lowest that are waited out; comparisons
        after a reduction that do not count.
    factor, threshold, min_lr, eps : float, optional
        What a rate is multiplied by; the share by which a loss must lie below the lowest to count as lower; the
        lowest rate; the smallest reduction worth making.
    """

    def __init__(
        self,
        peaks: Floats,
        n_steps: int,
        *,
        window: int | None = None,
        patience: int = PATIENCE,
        cooldown: int = COOLDOWN,
        factor: float = FACTOR,
        threshold: float = THRESHOLD,
        min_lr: float = MIN_LR,
        eps: float = EPS,
    ) -> None:
        self.lrs = np.array(peaks, np.float64)
        self.window = window_length(n_steps) if window is None else window
        self.patience, self.cooldown, self.factor = patience, cooldown, factor
        self.threshold, self.min_lr, self.eps = threshold, min_lr, eps
        self._total, self._count = np.zeros_like(self.lrs), 0
        self._best = np.full_like(self.lrs, np.inf)
        self._bad, self._cooling = np.zeros((2, len(self.lrs)), np.int64)

    def update(self, losses: Floats, grad_norms: Floats | None = None) -> Orders:  # noqa: ARG002 - as all controllers
        """Return the orders for the update that follows these losses.

        Parameters
        ----------
        losses : (n_replicas,) ndarray
            Measured before the update.
        grad_norms : (n_replicas,) ndarray, optional
            Not looked at.

        Returns
        -------
        Orders
            None goes back, none is saved.
        """
        lrs = self.lrs.copy()
        self._total += losses
        self._count += 1
        if self._count == self.window:
            self._compare(self._total / self.window)
            self._total, self._count = np.zeros_like(self._total), 0
        nobody = np.zeros(len(lrs), np.bool_)
        return Orders(lrs, nobody, nobody)

    def _compare(self, means: Floats) -> None:
        better = means < self._best * (1 - self.threshold)
        self._best = np.where(better, means, self._best)
        self._bad = np.where(better, 0, self._bad + 1)
        cooling = self._cooling > 0
        self._cooling -= cooling
        self._bad[cooling] = 0
        tired = self._bad > self.patience
        lower = np.maximum(self.lrs * self.factor, self.min_lr)
        self.lrs = np.where(tired & (self.lrs - lower > self.eps), lower, self.lrs)
        self._cooling[tired] = self.cooldown
        self._bad[tired] = 0
