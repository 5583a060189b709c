"""What a controller says each step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Orders(NamedTuple):
    """Orders for one step.

    Attributes
    ----------
    lrs : (n_replicas,) ndarray
        The rate of each replica's update, above 0 and at most its peak.
    back : (n_replicas,) ndarray of bool
        Replicas that return to where they were saved instead of making the update.
    save : (n_replicas,) ndarray of bool
        Replicas to be saved as they are before the update.
    """

    lrs: Floats
    back: Bools
    save: Bools
