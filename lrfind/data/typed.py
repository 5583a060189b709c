"""What arrays in memory hold: `typed(values) -> (kind, values)`, and columns made categories."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from lrfind.data.table import Column, Kind

# From here on float64 skips whole numbers.
LEAST_INEXACT = 2**53
MICROSECONDS = "datetime64[us]"


def typed(values: npt.NDArray[Any]) -> tuple[Kind, npt.NDArray[Any]]:
    """Return what an array holds, and its values as a column has them.

    Parameters
    ----------
    values : (n_rows,) ndarray
        Of any type; objects are looked at one by one.

    Returns
    -------
    kind : Kind
    values : (n_rows,) ndarray
        Durations in seconds; dates with a time zone in UTC; whole numbers that float64 cannot hold, as most ids of
        nineteen digits, as text.
    """
    if values.dtype.kind == "b":
        return "boolean", values.astype(np.float64)
    if values.dtype.kind in "iu" and _are_inexact(values.tolist()):
        return "text", _texts(values.tolist())
    if values.dtype.kind in "iuf":
        # Numbers wider than 64 bits may be too large for them; infinity, they are told of.
        with np.errstate(over="ignore"):
            return "number", values.astype(np.float64)
    if values.dtype.kind == "m":
        return "number", values / np.timedelta64(1, "s")
    if values.dtype.kind == "M":
        return "date", values.astype(MICROSECONDS)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    return _of_objects([None if _is_missing(item) else item for item in values.tolist()])


def _of_objects(items: list[Any]) -> tuple[Kind, npt.NDArray[Any]]:
    present = [item for item in items if item is not None]
    if present and all(isinstance(item, (bool, np.bool_)) for item in present):
        return "boolean", _numbers(items)
    if all(isinstance(item, (int, float, np.number, Decimal)) for item in present):
        return ("text", _texts(items)) if _are_inexact(present) else ("number", _numbers(items))
    if all(isinstance(item, timedelta) for item in present):
        return "number", np.array([np.nan if item is None else item.total_seconds() for item in items])
    if all(isinstance(item, (date, np.datetime64)) or hasattr(item, "to_timestamp") for item in present):
        moments = [np.datetime64("NaT") if item is None else _moment(item) for item in items]
        return "date", np.array(moments, dtype=MICROSECONDS)
    return "text", _texts(items)


def _numbers(items: list[Any]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if item is None else float(item) for item in items])


def _texts(items: list[Any]) -> npt.NDArray[Any]:
    texts = np.empty(len(items), dtype=object)
    texts[:] = [None if item is None else str(item) for item in items]
    return texts


def _are_inexact(items: list[Any]) -> bool:
    """Return whether most of these are whole numbers that float64 rounds: ids, not amounts."""
    whole = (item for item in items if isinstance(item, (int, np.integer)) and abs(int(item)) > LEAST_INEXACT)
    return 2 * sum(int(float(item)) != int(item) for item in whole) > len(items)


def _moment(item: Any) -> np.datetime64:
    """Return a date, a time or a period's beginning as a moment; with a time zone, in UTC."""
    if hasattr(item, "to_timestamp"):
        item = item.to_timestamp()
    if isinstance(item, datetime) and item.tzinfo is not None:
        item = item.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(item, "us")


def _is_missing(item: object) -> bool:
    # pandas.NA and NaT say so by name, without importing pandas.
    if item is None or type(item).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(item, np.datetime64):
        return bool(np.isnat(item))
    return isinstance(item, (float, np.floating)) and bool(np.isnan(item))


def as_category(column: Column) -> Column:
    """Return a column as text that is never taken for numbers: 3.0 is called "3", a date as ISO 8601 has it."""
    if column.kind == "text":
        return replace(column, is_category=True)
    is_date = column.kind == "date"
    missing = np.isnat(column.values) if is_date else np.isnan(column.values)
    known = column.values[~missing]
    if column.kind == "boolean":
        spelled = [(column.labels or ("false", "true"))[int(value)] for value in known]
    else:
        spelled = [str(value) if is_date or value % 1 else str(int(value)) for value in known.tolist()]
    texts = np.full(len(missing), None, dtype=object)
    texts[~missing] = spelled
    return replace(column, kind="text", values=texts, labels=None, is_category=True)


def without(column: Column, *, words: Collection[str]) -> Column:
    """Return a column of texts in which some words are missing values; another as it is."""
    if column.kind != "text" or not words:
        return column
    texts = np.array([None if text is None or text.strip() in words else text for text in column.values], dtype=object)
    return replace(column, values=texts)
