"""What the logged learning rate did: warm-up, peak, hold, decay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.checks.training_log.smooth import Floats

# A rate within this share of the peak counts as the peak: schedulers round, and log in six digits.
AT_PEAK = 0.98
# A rate is high while it is at least this share of its peak; below, it has been decayed.
HIGH = 0.5
# One hundredth of the peak moves the weights no further in the rest of a run than one step in a hundred would.
TINY = 0.02
# A rise by less than this factor before the peak is no warm-up.
WARMUP_RISE = 1.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rates:
    """The learning rate over a run.

    Attributes
    ----------
    at : (n_points,) ndarray
        Rate at each point with a finite loss; carried on where it was not logged.
    peak : float
    peak_share : float
        Share of the run at which the peak is first reached: the length of the warm-up.
    final : float
        Last rate.
    is_constant : bool
        Whether it never left the peak, a warm-up left out.
    decayed_at : float or None
        Share of the run from which the rate is below half of the peak for good.
    tiny_at : float or None
        The same for a fiftieth.
    has_warmup : bool
    """

    at: Floats
    peak: float
    peak_share: float
    final: float
    is_constant: bool
    decayed_at: float | None
    tiny_at: float | None
    has_warmup: bool

    @property
    def is_high(self) -> npt.NDArray[np.bool_]:
        """(n_points,) whether the rate is half of its peak or more."""
        return np.asarray(self.at >= HIGH * self.peak)


def read_rates(step: Floats, lr: Floats | None) -> Rates | None:
    """Return what the rate did, or None where it was not logged or was never above 0.

    Parameters
    ----------
    step : (n_points,) ndarray
    lr : (n_points,) ndarray or None
        NaN where it was not logged.

    Returns
    -------
    Rates or None
    """
    if lr is None or not (np.isfinite(lr) & (lr > 0)).any():
        return None
    at = filled(lr)
    peak = float(at.max())
    share = (step - step[0]) / max(float(step[-1] - step[0]), 1.0)
    first_peak = int(np.argmax(at >= AT_PEAK * peak))
    return Rates(
        at=at,
        peak=peak,
        peak_share=float(share[first_peak]),
        final=float(at[-1]),
        is_constant=bool((at[first_peak:] >= AT_PEAK * peak).all()),
        decayed_at=_below_for_good(share, at < HIGH * peak),
        tiny_at=_below_for_good(share, at <= TINY * peak),
        has_warmup=bool(first_peak > 0 and peak > WARMUP_RISE * at[0]),
    )


def filled(values: Floats) -> Floats:
    """Return values with gaps filled by the value before, at the beginning by the first; negative ones are gaps."""
    known = np.flatnonzero(np.isfinite(values) & (values >= 0))
    last = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return np.asarray(values[known[np.maximum(last, 0)]])


def _below_for_good(share: Floats, is_below: np.ndarray) -> float | None:
    above = np.flatnonzero(~is_below)
    start = int(above[-1]) + 1 if len(above) else 0
    return float(share[start]) if start < len(share) else None
