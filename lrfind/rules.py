"""The rules that other learning-rate finders use, for comparison with lrfind's own reading.

Each reads a single seed, as its source does: the range test's losses are thinned to a hundred steps and smoothed by
the exponential moving average that fastai and its descendants apply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# fastai's `Learner.lr_find`: 100 steps, moving average with beta 0.98, first tenth and last five steps left out,
# stopped when the average exceeds four times its best (Howard & Gugger 2020, arXiv:2002.04688).
N_POINTS, BETA, STOP_FACTOR, SKIP_LAST = 100, 0.98, 4.0, 5
# Fewer points than this have no shape to read.
FEWEST_POINTS = 10


def steepest(lrs: Floats, losses: Floats) -> float | None:
    """Return the rate where the smoothed loss falls fastest in ln(lr) (Smith 2015, as fastai's `steep`)."""
    slopes = np.diff(losses) / np.diff(np.log(lrs))
    return float(lrs[int(np.argmin(slopes))])


def valley(lrs: Floats, losses: Floats) -> float | None:
    """Return the rate half-way down the longest valley, fastai's default."""
    # length of the longest decreasing subsequence that ends at each point
    length = np.ones(len(losses), np.int64)
    for i in range(1, len(losses)):
        length[i] += length[:i][losses[:i] > losses[i]].max(initial=0)
    end = int(np.argmax(length))
    # fastai takes the valley to begin as many points before its end as it is long, one too many
    third = length[end] / 3
    return float(lrs[max(end - length[end] + int(third) + int(third / 2), 0)])


def slide(lrs: Floats, losses: Floats) -> float | None:
    """Return the rate where a window sliding down from the right first meets flat slopes (Novak's interval slide)."""
    # fastai's constants: a window of 15 points, slopes within 0.005 of each other
    width, threshold = 15, 0.005
    slopes = np.gradient(losses)
    agree = np.flatnonzero(np.abs(slopes[width:] - slopes[:-width]) <= threshold)
    last = len(slopes) - width - 1
    # the left end of the last window that disagrees, or of the first one there is
    return float(lrs[np.clip(agree.max(initial=-1) + 1, 0, max(last, 0))])


def minimum_tenth(lrs: Floats, losses: Floats) -> float | None:
    """Return a tenth of the rate with the lowest smoothed loss (fastai's `minimum`)."""
    return float(lrs[int(np.argmin(losses))] / 10)


RULES: Mapping[str, Callable[[Floats, Floats], float | None]] = {
    "steepest": steepest,
    "valley": valley,
    "slide": slide,
    "minimum / 10": minimum_tenth,
}


def published_rules(lrs: Floats, losses: Floats) -> dict[str, float | None]:
    """Return what each of `RULES` says about one seed's raw losses.

    Parameters
    ----------
    lrs, losses : (n_steps,) ndarray
        NaN where the seed was lost.

    Returns
    -------
    dict of str to (float or None)
        None where too little of the curve is left to read.
    """
    thin = np.unique(np.linspace(0, len(lrs) - 1, min(N_POINTS, len(lrs))).round().astype(np.int64))
    lrs, losses = lrs[thin], losses[thin]
    known = np.isfinite(losses)
    n_known = len(losses) if known.all() else int(np.argmin(known))
    lrs, losses = lrs[:n_known], losses[:n_known]
    powers = BETA ** np.arange(n_known)
    smooth = np.cumsum(losses / powers) / np.cumsum(1 / powers) if n_known else losses
    over = np.flatnonzero(smooth > STOP_FACTOR * np.minimum.accumulate(smooth)) if n_known else np.array([])
    end = int(over[0]) if len(over) else n_known
    read = slice(len(thin) // 10, max(end - SKIP_LAST, 0))
    lrs, smooth = lrs[read], smooth[read]
    if len(lrs) < FEWEST_POINTS:
        return dict.fromkeys(RULES)
    return {name: rule(lrs, smooth) for name, rule in RULES.items()}
