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

Floats = npt.NDArray[np.float64]


class Trainable(Protocol):
    """Seeds of a model that train in lockstep; the only thing in lrfind that changes as it is used."""

    @property
    def n_seeds(self) -> int:
        """How many replicas take each step."""

    @property
    def grad_norms(self) -> npt.NDArray[np.floating] | None:
        """(n_seeds,) Euclidean norm of the last step's gradient, or None where the model cannot tell."""

    def step(self, lr: float) -> npt.NDArray[np.floating]:
        """Take one update of every seed and return the losses (n_seeds,) measured before it.

        A seed whose loss is not finite is lost: it returns NaN from then on.
        """


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
    """

    lrs: Floats
    losses: Floats
    grad_norms: Floats | None

    def __post_init__(self) -> None:
        """Hold the arrays still."""
        for array in (self.lrs, self.losses, self.grad_norms):
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
