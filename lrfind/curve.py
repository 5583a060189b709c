"""Read a range test: `analyse(sweep) -> Analysis`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Outcome(Enum):
    """What a range test showed; the value is a sentence for people."""

    OK = "The loss falls, has a minimum and diverges inside the range."
    NEVER_FALLS = "The loss never falls below where it starts by more than noise."
    NEVER_DIVERGES = "The loss is still well behaved at the highest rate, so the range ends too low."
    DIVERGES_AT_ONCE = "The loss diverges from the first steps, so the range starts too high."
    NOISE_HIDES_FALL = "The loss may fall, but less than its noise, so no landmark can be placed."
    SEEDS_DISAGREE = "The seeds place the landmarks more than a decade apart."


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmark:
    """A rate at which the curve does something, with its uncertainty.

    Attributes
    ----------
    lr : float
        On the curve pooled over all seeds.
    low, high : float
        Central 90 % interval of the same landmark over bootstrap samples of the seeds.
    """

    lr: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """What a range test says.

    Attributes
    ----------
    lrs : (n_points,) ndarray
        The sweep's rates, up to where the pooled curve is known.
    pooled, low, high : (n_points,) ndarray
        Smoothed loss pooled over seeds, and its pointwise 90 % band over bootstrap samples of the seeds.
    start_loss : float
        Loss before anything is learned.
    noise : float
        Standard deviation of one seed's batch loss about the pooled curve in the quiet first part.
    onset, steepest, minimum, divergence : Landmark or None
        Where the fall begins, is fastest in ln(lr), ends, and where the loss leaves for good.
    rules : mapping of str to (float or None)
        What published rules read off the same sweep (first seed alone, as they do).
    outcome : Outcome
    """

    lrs: Floats
    pooled: Floats
    low: Floats
    high: Floats
    start_loss: float
    noise: float
    onset: Landmark | None
    steepest: Landmark | None
    minimum: Landmark | None
    divergence: Landmark | None
    rules: Mapping[str, float | None]
    outcome: Outcome

    def __post_init__(self) -> None:
        """Hold the arrays still."""
        for array in (self.lrs, self.pooled, self.low, self.high):
            array.flags.writeable = False
