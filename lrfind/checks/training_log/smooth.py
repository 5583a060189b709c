"""A loss curve in a few dozen blocks, each with its level, its noise and its standard error.

All checks read the same blocks, so that a log of twenty epochs and one of a million steps are judged alike. Nothing
here knows the unit of the loss: noise is estimated from the curve itself, by differences that no trend can inflate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

# Blocks a curve is cut into: enough to place an event within 3 % of the run, few enough that each is quiet.
MOST_BLOCKS = 40
# From this many points on, the most extreme tenth at each end of a block, and one point at least, is left out of its
# level: one spike must not lift it.
TRIM_FROM = 5
TRIM_SHARE = 0.1
# The median of |N(0, 1)|; makes the median absolute deviation an estimate of the standard deviation.
NORMAL_MEDIAN = 0.6745
# Standard deviation of x[i-1] - 2 x[i] + x[i+1] for independent x of variance 1.
SECOND_DIFFERENCE = math.sqrt(6.0)
# Differences a local estimate of the noise is made of, at least.
FEWEST_DIFFERENCES = 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """A curve in consecutive blocks of as equal a number of points as possible.

    Attributes
    ----------
    edges : (n_blocks + 1,) ndarray of int
        First point of each block, and the number of points.
    step : (n_blocks,) ndarray
        Mean step.
    level : (n_blocks,) ndarray
        Trimmed mean of the loss.
    noise : (n_blocks,) ndarray
        Standard deviation of single points about the trend.
    error : (n_blocks,) ndarray
        Standard error of the level, for independent noise.
    """

    edges: Ints
    step: Floats
    level: Floats
    noise: Floats
    error: Floats

    def __len__(self) -> int:
        return len(self.level)


def in_blocks(step: Floats, loss: Floats) -> Blocks:
    """Cut a curve into blocks.

    Parameters
    ----------
    step, loss : (n_points,) ndarray
        Finite; at least one point.

    Returns
    -------
    Blocks
    """
    n_blocks = min(len(loss), MOST_BLOCKS)
    edges = np.linspace(0, len(loss), n_blocks + 1).round().astype(np.intp)
    pieces = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    noise = local_noise(loss, edges=edges)
    return Blocks(
        edges=edges,
        step=np.array([step[a:b].mean() for a, b in pieces]),
        level=np.array([trimmed_mean(loss[a:b]) for a, b in pieces]),
        noise=noise,
        error=noise / np.sqrt(np.diff(edges)),
    )


def trimmed_mean(values: Floats) -> float:
    """Return the mean without the most extreme tenth at each end, the plain mean of fewer than five values."""
    cut = max(int(TRIM_SHARE * len(values)), 1) if len(values) >= TRIM_FROM else 0
    kept = np.partition(values, (cut, len(values) - cut - 1))[cut : len(values) - cut] if cut else values
    # By way of the largest: a diverging loss overflows when summed.
    scale = float(np.abs(kept).max()) or 1.0
    return float((kept / scale).mean() * scale)


def mean_name(n_points: int) -> str:
    """Return what `trimmed_mean` of so many points is called."""
    return "trimmed mean" if n_points >= TRIM_FROM else "mean"


def local_noise(loss: Floats, *, edges: Ints) -> Floats:
    """Return the noise about each block, robustly, from second differences.

    Parameters
    ----------
    loss : (n_points,) ndarray
    edges : (n_blocks + 1,) ndarray of int

    Returns
    -------
    (n_blocks,) ndarray
        Standard deviation of one point; 0 where the curve is exactly straight, or too short to say.
    """
    if len(loss) < 3:  # noqa: PLR2004 - a second difference takes three points
        return np.zeros(len(edges) - 1)
    half = loss / 4
    # In quarters, since a diverging loss overflows when doubled.
    bends = 4 * np.abs(half[:-2] - 2 * half[1:-1] + half[2:]) / SECOND_DIFFERENCE
    noise = []
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        missing = max(FEWEST_DIFFERENCES - (last - first), 0)
        low = max(first - 1 - missing // 2, 0)
        near = bends[
            min(low, max(len(bends) - FEWEST_DIFFERENCES, 0)) : max(last - 1 + missing // 2, FEWEST_DIFFERENCES)
        ]
        noise.append(float(np.median(near)) / NORMAL_MEDIAN)
    return np.array(noise)


def falling_fit(level: Floats) -> Floats:
    """Return the closest curve that never rises: isotonic regression by pooling neighbours that rise.

    Parameters
    ----------
    level : (n_blocks,) ndarray

    Returns
    -------
    (n_blocks,) ndarray

    References
    ----------
    Barlow, Bartholomew, Bremner & Brunk 1972, "Statistical Inference under Order Restrictions": pool adjacent
    violators.
    """
    means: list[float] = []
    sizes: list[int] = []
    for value in level.tolist():
        mean, size = value, 1
        while means and means[-1] < mean:
            last, n_last = means.pop(), sizes.pop()
            mean, size = mean + (last - mean) * (n_last / (size + n_last)), size + n_last
        means.append(mean)
        sizes.append(size)
    return np.repeat(means, sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A straight line through some blocks.

    Attributes
    ----------
    slope : float
        Change of the loss per unit of what it was fitted against.
    error : float
        Standard error of the slope, from the scatter about the line.
    """

    slope: float
    error: float

    @property
    def z(self) -> float:
        """Slope in standard errors."""
        return self.slope / self.error if self.error > 0 else math.copysign(math.inf, self.slope) if self.slope else 0.0


def fit_line(x: Floats, y: Floats) -> Trend:
    """Return the least-squares line of y against x; the error is infinite for fewer than three points."""
    if len(x) < 3 or float(np.ptp(x)) == 0:  # noqa: PLR2004 - two points fix a line and leave nothing to judge it by
        return Trend(slope=0.0, error=math.inf)
    dx, dy = x - x.mean(), y - y.mean()
    slope = float((dx * dy).sum() / (dx * dx).sum())
    left = dy - slope * dx
    return Trend(slope=slope, error=math.sqrt(float((left * left).sum()) / (len(x) - 2) / float((dx * dx).sum())))


def white_scatter(loss: Floats) -> float:
    """Return the standard deviation of noise that is new at each point, rare large losses included.

    Neither the trend of a loss nor slow swings of its level count, as a rate that is too high makes them.

    Parameters
    ----------
    loss : (n_points,) ndarray

    Returns
    -------
    float

    References
    ----------
    von Neumann 1941, "Distribution of the Ratio of the Mean Square Successive Difference to the Variance".
    """
    differences = np.diff(loss)
    largest = max(float(np.abs(differences).max(initial=0.0)), 1e-300)
    # By way of the largest: squares of a diverging loss overflow.
    return largest * math.sqrt(float(np.mean((differences / largest) ** 2)) / 2) if len(differences) else 0.0
