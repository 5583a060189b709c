"""Steps that count within an epoch, put one epoch after another: `unwrapped(step)`."""

from __future__ import annotations

import numpy as np

from lrfind.logs.log import Floats
from lrfind.logs.readings import Ints

# Share of the places where the steps go back at which the epoch goes up, for the steps to count within an epoch.
MIN_WRAP_SHARE = 0.9
# The last step that is logged of an epoch lies this many usual jumps before its end at most, or more than it was cut.
END_OF_USUAL = 1.5


def unwrapped(step: Floats, *, epoch: Floats, rows: Ints, total: float = 0.0) -> tuple[Floats, float]:
    """Put steps that count within an epoch one epoch after another.

    Parameters
    ----------
    step, epoch : array, shape (n,)
    rows : array of int
        Where both are known and count.
    total : float
        Steps of an epoch, where the log says so; 0 where it does not.

    Returns
    -------
    step : array, shape (n,)
        As it was where it does not start anew with each epoch.
    period : float
        Steps of an epoch; 0 where they do not start anew.
    """
    along, epochs = step[rows], epoch[rows]
    jumps, rises = np.diff(along), np.diff(epochs)
    # Where the epoch falls too, another run begins.
    back = (jumps < 0) & (rises >= 0)
    if not back.any() or np.mean(rises[back] > 0) < MIN_WRAP_SHARE:
        return step, 0.0
    forward = jumps[jumps > 0]
    usual = float(np.median(forward)) if len(forward) else 1.0
    period = float(along.max() - along.min()) + usual
    if along.max() <= total <= along.max() + END_OF_USUAL * usual:
        period = total
    return step + (epoch - np.nanmin(epochs)) * period, period
