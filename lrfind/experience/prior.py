"""What earlier races lead one to expect: `expect(rows, situation) -> Prior`.

A row of experience is a whole curve, the share of the gain given up at each rate, seen from the rate that the range
test reads. The expectation for a new problem is the posterior mean of a Gaussian process over situations whose values
are such curves. Its lowest point is where the *expected loss* is least, which is not where the best rate is likeliest:
a rate too high usually costs more than one too low, and the curves know by how much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.curve import Reading, kernel_weights
from lrfind.experience.rows import OFFSETS, Row
from lrfind.experience.situation import Situation, features
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]

# The process's length scale, in standard deviations of all features together, and the variance of what features do
# not explain as a share of what they do. The marginal likelihood of the shipped rows is greatest near these (3.8 and
# 0.4); lengths from 3 to 10 and noises from 0.05 to 0.4 expect equally well of tables left out.
LENGTH, NOISE = 5.0, 0.4
# Curves are drawn at steps of GRID_STEP decades through a kernel of this standard deviation, in decades.
GRID_STEP, DRAW_WIDTH = 0.02, 0.2
# The interval holds rates that are expected to give up this share of the gain more than the best, within bounds. On
# 80 problems, each without the rows of its own table, rates so bounded lost less than 5 % more on 89 %.
INTERVAL_SHARE, INTERVAL_BELOW, INTERVAL_ABOVE = 0.02, 0.25, 0.25


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """What earlier races say about a problem that was not raced yet.

    Attributes
    ----------
    lrs : (n_points,) ndarray
        Rates, evenly spaced in log lr.
    regret : (n_points,) ndarray
        Share of the gain that each is expected to give up.
    reading : Reading
        The rate that is expected to give up least, and the interval around it.
    n_rows : int
        Races it rests on, the user's own among them.
    own : tuple of Row
        Those of them that are the user's own.
    familiar : float
        How much the rows say about this very situation: 1 for one like many seen, 0 for one like none, for which only
        the mean of all races remains.
    """

    lrs: Floats
    regret: Floats
    reading: Reading
    n_rows: int
    own: tuple[Row, ...] = ()
    familiar: float

    def __post_init__(self) -> None:
        """Hold the arrays still."""
        for array in (self.lrs, self.regret):
            array.flags.writeable = False

    @property
    def n_own(self) -> int:
        """How many of the races are the user's own."""
        return len(self.own)

    def at(self, x: Floats) -> Floats:
        """Return the expected regret at log10 rates `x`; beyond what was ever raced, that of the nearest rate."""
        return np.asarray(np.interp(x, np.log10(self.lrs), self.regret))


def expect(
    rows: Sequence[Row],
    situation: Situation,
    *,
    own: Sequence[Row] = (),
    limits: tuple[float, float] = (0.0, math.inf),
) -> Prior:
    """Return what earlier races say about a situation.

    Parameters
    ----------
    rows : sequence of Row
    situation : Situation
    own : sequence of Row
        Races of the user's own that join them.
    limits : (float, float)
        No rate outside is advised.

    Returns
    -------
    Prior

    References
    ----------
    Rasmussen & Williams 2006, "Gaussian processes for machine learning", algorithm 2.1.
    """
    rows = (*rows, *own)
    curves = np.stack([row.regret for row in rows])
    seen = np.stack([features(row.situation) for row in rows])
    centre, spread = seen.mean(0), seen.std(0)
    # a feature that never varied says nothing yet
    scale = np.where(spread > 0, spread, np.inf)
    mean, weight = posterior((seen - centre) / scale, curves, at=(features(situation) - centre) / scale)
    grid = np.arange(OFFSETS[0], OFFSETS[-1] + GRID_STEP / 2, GRID_STEP)
    rates = 10 ** (grid + math.log10(situation.reading))
    # the reading itself lies within the limits, whatever they are
    grid = grid[((rates >= limits[0]) & (rates <= limits[1])) | (np.abs(grid) < GRID_STEP / 2)]
    drawn = kernel_weights(grid, OFFSETS, width=DRAW_WIDTH) @ mean
    x = grid + math.log10(situation.reading)
    return Prior(
        lrs=10**x,
        regret=drawn - drawn.min(),
        reading=_reading(x, drawn),
        n_rows=len(rows),
        own=tuple(own),
        familiar=weight,
    )


def posterior(seen: Floats, curves: Floats, *, at: Floats) -> tuple[Floats, float]:
    """Return the posterior mean (n_offsets,) of a Gaussian process at a point, and how much it rests on what was seen.

    Parameters
    ----------
    seen : (n_rows, n_features) ndarray
        Standardised.
    curves : (n_rows, n_offsets) ndarray
    at : (n_features,) ndarray

    Returns
    -------
    mean : (n_offsets,) ndarray
    familiar : float
        Share of the process's variance that the rows explain there, 0 to 1.
    """
    gram = _covariance(seen, seen)
    gram[np.diag_indices_from(gram)] += NOISE
    cross = _covariance(at[None], seen)[0]
    weights = np.linalg.solve(gram, cross)
    average = curves.mean(0)
    return average + weights @ (curves - average), float(np.clip(weights @ cross, 0, 1))


def _covariance(one: Floats, other: Floats) -> Floats:
    # |a - b|^2 = |a|^2 + |b|^2 - 2 ab: no array of all differences, which would be the largest of a whole run
    distance = np.square(one).sum(1)[:, None] + np.square(other).sum(1) - 2 * (one @ other.T)
    return np.asarray(np.exp(-0.5 * np.maximum(distance, 0) / LENGTH**2))


def _reading(x: Floats, drawn: Floats) -> Reading:
    best = int(np.argmin(drawn))
    near = (x >= x[best] - INTERVAL_BELOW) & (x <= x[best] + INTERVAL_ABOVE)
    outside = np.flatnonzero(~(near & (drawn <= drawn[best] + INTERVAL_SHARE)))
    below, above = outside[outside < best], outside[outside > best]
    first = below[-1] + 1 if len(below) else 0
    last = above[0] - 1 if len(above) else len(x) - 1
    return Reading(lr=float(10 ** x[best]), low=float(10 ** x[first]), high=float(10 ** x[last]))
