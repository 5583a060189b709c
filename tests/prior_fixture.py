"""What earlier races might say, made by formula: a parabola of expected regret around a rate."""

from __future__ import annotations

import numpy as np

from lrfind.curve import Reading
from lrfind.experience import Prior


def expecting(lr: float, *, curvature: float = 0.02) -> Prior:
    """Return an expectation that gives up `curvature` a square decade away from a rate."""
    x = np.log10(lr) + np.arange(-2, 2.01, 0.01)
    return Prior(
        lrs=10**x,
        regret=curvature * np.square(x - np.log10(lr)),
        reading=Reading(lr=lr, low=lr / 2, high=lr * 2),
        n_rows=100,
        familiar=0.9,
    )
