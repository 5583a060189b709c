"""Columns that number or name the rows by whole numbers: `numbering(...)` says how a column does, if it does.

Values alone tell a counter: whole numbers without a repetition or a gap. They cannot tell a counter from a clock, an
odometer or a list of years, which rise just as evenly; so names have a say, in both directions.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import numpy.typing as npt

Numbering = Literal["row numbers", "id-like"]
FloatArray = npt.NDArray[np.float64]
PlaceArray = npt.NDArray[np.int64]

# Names of what only numbers rows: pandas, R and spreadsheets write them, or people do.
INDEX_NAME = re.compile(
    r"(?i:unnamed: ?\d+|(__)?index(_level_\d+__)?|level_\d+|idx|#|№|\.\.\.\d+"
    r"|(row|record|line|case|obs|observation)s?([ _.-]?(id|idx|index|no\.?|nr\.?|num|number|names?|#))?"
    r"|s(r|l)?[ _.-]?no\.?|(serial|running|seq|sequence)([ _.-]?(no\.?|nr\.?|num|number))?|lfd[ _.-]?nr\.?)"
)
# Names of ids.
ID_NAME = re.compile(
    rf"{INDEX_NAME.pattern}|(?i:(.*[ _.-])?(id|uid|uuid|guid|key)|pid|no\.?|nr\.?|nummer|zip([ _.-]?code)?)"
    r"|(?i:(.*[ _.-])?(order|sample|account|customer|patient|subject|item|entry|ticket|trip|member|user|client|invoice"
    r"|transaction|ref(erence)?|phone|policy|student|employee)s?[ _.-]?(no\.?|nr\.?|num|number|#))"
    r"|.*[a-z]I[dD]"
)
# Words in the names of quantities that may rise evenly from row to row, and mean something all the same.
QUANTITIES = frozenset({
    "age", "alter", "altitude", "amount", "ampere", "angle", "area", "brightness", "celsius", "century", "channel",
    "chapter", "cm", "cohort", "concentration", "current", "cycle", "date", "datetime", "datum", "day",
    "days", "decade", "deg", "degree", "degrees", "depth", "dist", "distance", "dosage", "dose", "duration",
    "edition", "elapsed", "energy", "epoch", "ev", "exposure", "feet", "floor", "force", "freq", "frequency", "ft",
    "generation", "height", "horizon", "hour", "hours", "hr", "hrs", "hz", "inch", "inches", "intensity", "jahr",
    "kelvin", "kev", "khz", "km", "lag", "lat", "latitude", "length", "level", "load", "lon", "longitude", "m",
    "mass", "meter", "meters", "metre", "metres", "mev", "mhz", "mile", "mileage", "miles", "minute", "minutes", "mm",
    "monat", "month", "months", "ms", "nm", "ns", "odometer", "offset", "page", "pct", "percent", "period", "phase",
    "pos", "position", "power", "pressure", "price", "quarter", "rank", "ranking", "rate", "rating", "round", "rpm",
    "score", "season", "sec", "second", "seconds", "semester", "size", "speed", "step", "steps", "strain", "stress",
    "t", "tag", "temp", "temperatur", "temperature", "tenure", "term", "tick", "ticks", "time", "times", "timestamp",
    "torque", "ts", "um", "us", "vintage", "volt", "voltage", "volume", "watt", "watts", "wavelength", "week",
    "weeks", "weight", "width", "year", "years", "yr", "zeit",
})  # fmt: skip
# Axes, in lower case only: R calls a column without a name X.
AXES = frozenset("xyz")
# Below so many rows, few numbers in a row can be chance: in 20 rows, 20 values out of 21 whole numbers differ with a
# probability of 1e-7.
FEWEST_COUNTED = 20
# Share of different values from which whole numbers in a column named like an id name the rows; and of steps of one
# size from which an index counts, though it begins anew where tables were put together.
DISTINCT_SHARE, STEP_SHARE = 0.99, 0.9


def numbering(name: str, values: FloatArray, *, places: PlaceArray, is_row_name: bool = False) -> Numbering | None:
    """Say whether a column numbers the rows, or names them by whole numbers.

    Parameters
    ----------
    name : str
        Of the column.
    values : (n_rows,) ndarray of float64
        Of all rows of the table; NaN where missing.
    places : (n_rows,) ndarray of int64
        Which row of the file each row is.
    is_row_name : bool
        The first column, without a name in the file.

    Returns
    -------
    {"row numbers", "id-like"} or None
        None for a column that may describe the rows.
    """
    known = np.isfinite(values)
    numbers = values[known]
    if len(numbers) <= 1 or not bool((numbers == np.floor(numbers)).all()):
        return None
    if not is_row_name and not is_named_id(name):
        is_whole = bool(known.all()) and len(numbers) >= FEWEST_COUNTED
        return "row numbers" if is_whole and not is_quantity(name) and _is_count(numbers, places) else None
    in_order = numbers[np.argsort(places[known], kind="stable")]
    steps = np.diff(in_order)
    is_index = is_row_name or INDEX_NAME.fullmatch(name.strip()) is not None
    if bool((steps > 0).all() or (steps < 0).all()) or _is_counter(numbers) or (is_index and _counts_on(steps)):
        return "row numbers"
    is_id = is_row_name or len(np.unique(numbers)) >= DISTINCT_SHARE * len(numbers)
    return "id-like" if is_id else None


def is_named_id(name: str) -> bool:
    """Return whether a column is called like an id or a row number."""
    return ID_NAME.fullmatch(name.strip()) is not None


def is_quantity(name: str) -> bool:
    """Return whether a column is called like a quantity that may rise evenly from row to row."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return name.strip() in AXES or not QUANTITIES.isdisjoint(words)


def _is_count(numbers: FloatArray, places: PlaceArray) -> bool:
    """Return whether numbers count the rows: in any order, or by their places in the file."""
    if numbers.max() - numbers.min() < len(numbers) - 1:  # some repeat
        return False
    if _is_counter(numbers):
        return True
    first, last = places.argmin(), places.argmax()
    step, rest = divmod(float(numbers[last] - numbers[first]), int(places[last] - places[first]))
    if rest or not (numbers - numbers[first] == step * (places - places[first])).all():
        return False
    return _is_usual(float(numbers[first] - step * places[first]), step=step)


def _is_counter(numbers: FloatArray) -> bool:
    """Return whether numbers are start, start + step, ... in any order, none left out or repeated."""
    ordered = np.sort(numbers)
    step = float(ordered[1] - ordered[0])
    return step > 0 and bool((np.diff(ordered) == step).all()) and _is_usual(float(ordered[0]), step=step)


def _is_usual(start: float, *, step: float) -> bool:
    # counters begin at 0, at 1 or at their step, or they go by ones
    return abs(step) == 1 or start in (0.0, 1.0, step)


def _counts_on(steps: FloatArray) -> bool:
    """Return whether nearly all steps from row to row are one and the same, and not 0."""
    sizes, counts = np.unique(steps, return_counts=True)
    most = int(counts.argmax())
    return bool(sizes[most] != 0 and counts[most] >= STEP_SHARE * counts.sum())
