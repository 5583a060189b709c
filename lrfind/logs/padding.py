"""Values that fill a gap: NaN where the other loss stands, zeros where nothing was validated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lrfind.logs.readings import Series
from lrfind.text import plural, printable

# A held-out loss that truly reaches 0 comes near it before: zeros among values all above this share of their median
# were not computed.
MIN_NEAR_ZERO = 0.01
# One zero may be a loss of nothing.
MIN_ZEROS = 2


def without_padding(role: str, *, roles: Mapping[str, str], series: Mapping[str, Series]) -> tuple[Series, str]:
    """Return a role's series without what pads it, and what to say about that.

    Parameters
    ----------
    role : str
    roles : mapping from role to column
    series : mapping from column to Series

    Returns
    -------
    series : Series
    note : str
        "" where nothing was left out.
    """
    own = series[roles[role]]
    other_role = {"loss": "val_loss", "val_loss": "loss"}.get(role)
    n_zeros = int((own.values == 0).sum())
    if role == "val_loss" and n_zeros and (n_zeros >= MIN_ZEROS or n_zeros == len(own.values)):
        return _without_zeros(own, loss=series[roles["loss"]], name=roles[role])
    if other_role not in roles or not np.isnan(own.values).any():
        return own, ""
    return _without_nan(own, series[roles[str(other_role)]]), ""


def _without_nan(series: Series, other: Series) -> Series:
    """Leave out the NaN that some writers put wherever the other loss stands: it pads, it was not computed."""
    is_nan = np.isnan(series.values)
    own, others = set(series.rows[~is_nan].tolist()), set(other.rows[~np.isnan(other.values)].tolist())
    if own and others and not own & others and set(series.rows[is_nan].tolist()) <= others:
        return Series(rows=series.rows[~is_nan], values=series.values[~is_nan])
    return series


def _without_zeros(series: Series, *, loss: Series, name: str) -> tuple[Series, str]:
    is_zero = series.values == 0
    others = np.abs(series.values[~is_zero & np.isfinite(series.values)])
    if len(others):
        is_padding = others.min() >= MIN_NEAR_ZERO * np.median(others)
    else:
        is_padding = bool(len(loss.values)) and not (loss.values == 0).any()
    if not is_padding:
        return series, ""
    count = int(is_zero.sum())
    note = (
        f"{plural(count, 'value')} of '{printable(name, width=40)}' {'is' if count == 1 else 'are'} exactly 0, which "
        "stands for not validated, and counted for nothing"
    )
    return Series(rows=series.rows[~is_zero], values=series.values[~is_zero]), note
