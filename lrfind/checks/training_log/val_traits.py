"""What the held-out loss looks like, beside the training loss: `read_val_traits(signals)`.

It is measured on the same rows each time, so it goes up and down with the weights alone, not with the batches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lrfind.checks.training_log.signals import Signals

# Fewer held-out losses than these show no shape.
FEWEST = 6
# A fall of less than this share of the training loss at the start is not taken for one.
FALL = 0.02
# Share of the held-out losses, at the end, whose mean is compared with the training loss.
END_SHARE = 0.1


def read_val_traits(signals: Signals) -> Mapping[str, float]:
    """Return the traits of the held-out loss; none where the log has too few.

    Parameters
    ----------
    signals : Signals

    Returns
    -------
    mapping of str to float
        "val_rough", the usual bend from one value to the next, and "val_rises", the sum of all rises, as decimal
        logarithms of shares of the fall; "val_lowest", where it is lowest, as a share of the run; "val_late", the
        fall in the second half, as a share of all; "val_gap", the logarithm of its end over the training loss's.
    """
    held = signals.log.val_loss
    loss = np.array([]) if held is None else held[np.isfinite(held)]
    top = float(np.abs(loss).max(initial=0.0))
    if len(loss) < FEWEST or top == 0:
        return {}
    # By way of the largest: differences of a diverging loss overflow.
    value = loss / top
    fall = max(float(value[0] - value.min()), abs(signals.span) / top, FALL * abs(signals.start) / top, 1e-12)
    bends = np.abs(value[:-2] - 2 * value[1:-1] + value[2:]) / fall
    rises = float(np.maximum(np.diff(value), 0).sum()) / fall
    end = float(loss[-max(int(END_SHARE * len(loss)), 1) :].mean())
    gap = end / signals.end if end > 0 and signals.end > 0 else 1.0
    return {
        "val_rough": math.log10(min(max(float(np.median(bends)), 1e-4), 10.0)),
        "val_rises": math.log10(min(max(rises, 1e-3), 10.0)),
        "val_lowest": int(np.argmin(value)) / (len(value) - 1),
        "val_late": min(max(float(value[len(value) // 2] - value[-1]) / fall, -1.0), 1.0),
        "val_gap": math.log10(min(max(gap, 0.3), 30.0)),
    }
