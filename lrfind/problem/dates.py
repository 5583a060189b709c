"""Dates as numbers: how long ago, and where in the year, the week and the day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Names of the parts, in the order of `date_parts`.
PARTS = (
    "elapsed days",
    "year sin",
    "year cos",
    "week sin",
    "week cos",
    "day sin",
    "day cos",
)
# Mean length of a year in days (Gregorian).
DAYS_IN_YEAR = 365.2425
# 1 January 1970 was a Thursday; weeks begin on Monday (ISO 8601).
EPOCH_WEEKDAY = 3


def date_parts(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return the parts of dates, cycles as sine and cosine so that their ends meet.

    Parameters
    ----------
    values : (n,) ndarray of datetime64[us]

    Returns
    -------
    (7, n) ndarray of float64
        In the order of `PARTS`; NaN where the date is missing.
    """
    missing = np.isnat(values)
    known = np.where(missing, np.datetime64(0, "us"), values).astype("datetime64[us]")
    days = known.astype("datetime64[D]")
    day = days.astype(np.int64)
    of_day = (known - days).astype(np.int64) / 86_400e6
    of_year = (day - known.astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)) / DAYS_IN_YEAR
    of_week = ((day + EPOCH_WEEKDAY) % 7) / 7
    parts = [day + of_day]
    for turn in (of_year, of_week, of_day):
        parts += [np.sin(2 * np.pi * turn), np.cos(2 * np.pi * turn)]
    block = np.stack(parts)
    block[:, missing] = np.nan
    return block
