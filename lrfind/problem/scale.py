"""Fit the scaling of numeric columns, many at a time, and apply it, one at a time.

Every column becomes ``(x - mean) / sd`` of the training part, exactly, unless a value is so far out that plain
standardisation would press all others into one point; only such columns are clipped first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# A value further than this many spreads from the median is a slip of the pen or a broken sensor. In 31 public tables
# the furthest real value (an accelerometer spike in telemetry) lay 2,971 spreads out.
FAR_SPREADS = 1e4
# A column with such values is clipped here: its usual range keeps a visible share of the standard deviation.
FENCE_SPREADS = 1e2
# Spread below this share of the mean is rounding: float64 carries 16 digits and a mean of many loses a few.
ROUNDING = 1e-12
# Squares of numbers beyond 2**±300 come near the ends of float64 (2**±1022); such columns are scaled by a power of two.
SAFE_EXPONENT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaler:
    """How one numeric column is scaled.

    Attributes
    ----------
    exponent : int
        Values are multiplied by 2**-exponent first; 0 for all but absurd magnitudes.
    low, high : float
        Values beyond are clipped.
    median : float
        What missing values become.
    mean, sd : float
        Of the training part, clipped and imputed; in scaled units.
    """

    exponent: int
    low: float
    high: float
    median: float
    mean: float
    sd: float


def fit_scalers(block: npt.NDArray[np.float64]) -> list[Scaler | None]:
    """Fit one scaler a row of `block`.

    Parameters
    ----------
    block : (n_columns, n_train) ndarray
        Columns as rows; NaN where missing, no infinities. Overwritten.

    Returns
    -------
    list of Scaler or None
        None where the known values are constant or there are none.
    """
    exponents = _exponents(block)
    with np.errstate(all="ignore"):
        ordered = np.sort(block, axis=1)  # NaN last
    n_known = block.shape[1] - np.count_nonzero(np.isnan(ordered), axis=1)
    rows = np.flatnonzero((n_known > 0) & (ordered[:, 0] != _last(ordered, n_known)))
    scalers: list[Scaler | None] = [None] * len(block)
    if not len(rows):
        return scalers
    if len(rows) < len(block):
        block, ordered, n_known = block[rows], ordered[rows], n_known[rows]
    low, high, median = _fences(ordered, n_known)
    mean, sd = _moments(block, low=low, high=high, median=median)
    for i, row in enumerate(rows):
        if sd[i] > ROUNDING * abs(mean[i]):
            scalers[row] = Scaler(
                exponent=int(exponents[row]),
                low=float(low[i]),
                high=float(high[i]),
                median=float(median[i]),
                mean=float(mean[i]),
                sd=float(sd[i]),
            )
    return scalers


def apply_scaler(
    scaler: Scaler, values: npt.NDArray[np.float64], *, out: npt.NDArray[np.float32]
) -> tuple[int, npt.NDArray[np.bool_] | None]:
    """Scale the values of one column into `out`.

    Parameters
    ----------
    scaler : Scaler
    values : (n,) ndarray
        NaN where missing. Overwritten.
    out : (n,) ndarray

    Returns
    -------
    n_clipped : int
    missing : (n,) ndarray of bool, or None when no value is missing
    """
    if scaler.exponent:
        with np.errstate(over="ignore", under="ignore"):
            values = np.ldexp(values, -scaler.exponent)
    with np.errstate(invalid="ignore"):
        n_clipped = int(np.count_nonzero(values < scaler.low) + np.count_nonzero(values > scaler.high))
    if n_clipped:
        np.clip(values, scaler.low, scaler.high, out=values)
    unknown = np.isnan(values)
    missing = unknown if unknown.any() else None
    if missing is not None:
        values[missing] = scaler.median
    values -= scaler.mean
    values /= scaler.sd
    with np.errstate(under="ignore"):
        out[:] = values
    return n_clipped, missing


def _exponents(block: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Scale rows of absurd magnitude in place; return the exponents used."""
    largest = np.fmax.reduce(block, axis=1, initial=0.0)
    largest = np.maximum(largest, -np.fmin.reduce(block, axis=1, initial=0.0))
    exponents: npt.NDArray[np.int64] = np.frexp(largest)[1].astype(np.int64)
    exponents[(np.abs(exponents) <= SAFE_EXPONENT) | (largest == 0)] = 0
    with np.errstate(under="ignore"):
        for row in np.flatnonzero(exponents):
            block[row] = np.ldexp(block[row], -int(exponents[row]))
    return exponents


def _last(ordered: npt.NDArray[np.float64], n_known: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    last: npt.NDArray[np.float64] = np.take_along_axis(ordered, np.maximum(n_known - 1, 0)[:, None], axis=1)[:, 0]
    return last


def _quantile(
    ordered: npt.NDArray[np.float64], n_known: npt.NDArray[np.int64], *, share: float
) -> npt.NDArray[np.float64]:
    """Return a quantile a row, interpolated linearly between neighbours."""
    place = share * (n_known - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, n_known - 1)
    first = np.take_along_axis(ordered, below[:, None], axis=1)[:, 0]
    second = np.take_along_axis(ordered, above[:, None], axis=1)[:, 0]
    quantile: npt.NDArray[np.float64] = first + (second - first) * (place - below)
    return quantile


def _fences(
    ordered: npt.NDArray[np.float64], n_known: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return low and high fence and median a row."""
    median = _quantile(ordered, n_known, share=0.5)
    spread = _quantile(ordered, n_known, share=0.75) - _quantile(ordered, n_known, share=0.25)
    for row in np.flatnonzero(spread == 0):
        # More than half the values are one: measure how far the others lie from it.
        known = ordered[row, : n_known[row]]
        spread[row] = np.median(np.abs(known[known != median[row]] - median[row]))
    far = FAR_SPREADS * spread
    reaches = (ordered[:, 0] < median - far) | (_last(ordered, n_known) > median + far)
    fence = np.where(reaches, FENCE_SPREADS, FAR_SPREADS) * spread
    return median - fence, median + fence, median


def _moments(
    block: npt.NDArray[np.float64],
    *,
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    median: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean and standard deviation a row, after clipping and imputing in place."""
    np.clip(block, low[:, None], high[:, None], out=block)
    missing = np.isnan(block)
    if missing.any():
        np.copyto(block, median[:, None], where=missing)
    mean = block.mean(axis=1)
    block -= mean[:, None]
    np.square(block, out=block)
    return mean, np.sqrt(block.mean(axis=1))
