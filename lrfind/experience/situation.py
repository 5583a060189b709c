"""What is known of a training run before anything is raced: `situation_of(net, analysis, ...) -> Situation`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.curve import Analysis, Landmark, read_rate
from lrfind.mlp import Net, steps_per_epoch
from lrfind.problem import Task

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A problem, the training run the advice is for, and what the range test showed.

    Attributes
    ----------
    task : {"classification", "regression"}
    n_rows : int
        Rows trained on, the held-out ones included.
    n_inputs, n_outputs : int
    hidden : tuple of int
    optimizer : str
    batch_size, train_steps : int
    start_loss, min_loss, noise : float
        Of the range test's pooled curve.
    onset, steepest, minimum : float
        Landmarks, as rates.
    divergence : float or None
        None where the range test never diverged.
    reading : float
        The rate read off the curve alone; everything else is told relative to it.
    """

    task: Task
    n_rows: int
    n_inputs: int
    n_outputs: int
    hidden: tuple[int, ...]
    optimizer: str
    batch_size: int
    train_steps: int
    start_loss: float
    min_loss: float
    noise: float
    onset: float
    steepest: float
    minimum: float
    divergence: float | None
    reading: float

    @property
    def n_params(self) -> int:
        """Weights and biases of the network."""
        # an activation has no parameters: any does
        net = Net(
            n_inputs=self.n_inputs, n_outputs=self.n_outputs, hidden=self.hidden, activation="relu", task=self.task
        )
        return net.n_params

    @property
    def epochs(self) -> float:
        """Passes over the rows."""
        return self.train_steps / steps_per_epoch(self.n_rows, batch_size=self.batch_size)


def situation_of(
    net: Net, analysis: Analysis, *, n_rows: int, optimizer: str, batch_size: int, train_steps: int
) -> Situation | None:
    """Return what is known before a race, or None where the range test places no landmark.

    Parameters
    ----------
    net : Net
    analysis : Analysis
    n_rows : int
        Rows of the whole table.
    optimizer : str
    batch_size, train_steps : int
        Of the training run the advice is for.

    Returns
    -------
    Situation or None
    """
    reading = read_rate(analysis)
    onset, steepest, minimum = analysis.onset, analysis.steepest, analysis.minimum
    if reading is None or onset is None or steepest is None or minimum is None:
        return None
    return Situation(
        task=net.task,
        n_rows=n_rows,
        n_inputs=net.n_inputs,
        n_outputs=net.n_outputs,
        hidden=net.hidden,
        optimizer=optimizer,
        batch_size=batch_size,
        train_steps=train_steps,
        start_loss=analysis.start_loss,
        min_loss=analysis.min_loss,
        noise=analysis.noise,
        onset=onset.lr,
        steepest=steepest.lr,
        minimum=minimum.lr,
        divergence=_rate(analysis.divergence),
        reading=reading.lr,
    )


def _rate(mark: Landmark | None) -> float | None:
    return None if mark is None else mark.lr


# How optimisers turn a gradient into a step: as it is; with momentum, which multiplies the rate by up to ten; divided
# by the root of all squared gradients so far; by that of recent ones; reduced to its sign.
FAMILIES = {
    "sgd": "plain", "momentum": "momentum", "nesterov": "momentum", "adagrad": "accumulating", "rmsprop": "adaptive",
    "adam": "adaptive", "adamw": "adaptive", "nadam": "adaptive", "lion": "sign",
}  # fmt: skip
# What stands for a divergence beyond the range, in decades above the reading: the usual place.
USUAL_DIVERGENCE = 2.0
# Ratios are told apart down to this.
LEAST = 1e-4

FEATURES = (
    "log rows", "log inputs", "log outputs", "log epochs", "log steps", "log batch", "log parameters a row",
    "regression", "hidden layers", "onset", "steepest", "minimum", "divergence", "log noise", "log depth", "log start",
    "log reading", "plain", "momentum", "accumulating", "adaptive", "sign",
)  # fmt: skip


def features(situation: Situation) -> Floats:
    """Return a situation as numbers of comparable size: `FEATURES`, (n_features,), logarithms to base 10.

    Parameters
    ----------
    situation : Situation

    Returns
    -------
    (n_features,) ndarray
        Landmarks are in decades from the reading; noise is in shares of the fall, depth the share of the starting
        loss that is left at the minimum.
    """
    s = situation
    fall = max(s.start_loss - s.min_loss, LEAST)
    beyond = USUAL_DIVERGENCE if s.divergence is None else math.log10(s.divergence / s.reading)
    family = FAMILIES[s.optimizer]
    numbers = (
        math.log10(s.n_rows),
        math.log10(s.n_inputs),
        math.log10(s.n_outputs),
        math.log10(s.epochs),
        math.log10(s.train_steps),
        math.log10(min(s.batch_size, s.n_rows)),
        math.log10(s.n_params / s.n_rows),
        float(s.task == "regression"),
        float(len(s.hidden)),
        math.log10(s.onset / s.reading),
        math.log10(s.steepest / s.reading),
        math.log10(s.minimum / s.reading),
        beyond,
        math.log10(max(s.noise / fall, LEAST)),
        math.log10(max(s.min_loss / s.start_loss, LEAST)),
        math.log10(s.start_loss),
        math.log10(s.reading),
        *(float(family == name) for name in ("plain", "momentum", "accumulating", "adaptive", "sign")),
    )
    return np.array(numbers)
