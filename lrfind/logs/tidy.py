"""Tables with a row for each value, not for each step: a column of names beside a column of values.

Data frames of TensorBoard's and MLflow's metrics come so, and whatever was melted for plotting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lrfind.errors import DataError
from lrfind.logs.names import role_of, words_of
from lrfind.logs.readings import MAX_SERIES, Series
from lrfind.text import listed

# Headings of the two columns, as their words run together, the most telling first.
NAMES = ("metric", "metricname", "tag", "key", "name", "variable", "scalar", "series")
VALUES = ("value", "val", "metricvalue", "scalarvalue", "y")


class Melted:
    """Collects the names of the values, and sorts the values by them."""

    def __init__(self, *, names: str, values: str, numbers: Sequence[str]) -> None:
        self.names, self.values, self.numbers = names, values, tuple(numbers)
        self._texts: list[str] = []

    def add(self, texts: Sequence[str]) -> None:
        """Take the names of some rows."""
        self._texts += [text.strip() for text in texts]

    def cast(self, series: Mapping[str, Series]) -> dict[str, Series]:
        """Return one series for each name, beside those of the counters.

        Raises
        ------
        DataError
            There are so many names that it is no log.
        """
        distinct, number = np.unique(np.array(self._texts, dtype=object).astype(str), return_inverse=True)
        if len(distinct) > MAX_SERIES:
            raise DataError(f"the log has more than {MAX_SERIES:,} different names of values: it is no training log")
        values = series[self.values]
        of_row = number[values.rows]
        cast = {name: each for name, each in series.items() if name != self.values}
        for i, name in enumerate(distinct.tolist()):
            mine = of_row == i
            cast[name] = Series(rows=values.rows[mine], values=values.values[mine])
        return cast

    @property
    def note(self) -> str:
        """What is said about it."""
        return f"its rows hold one value each, named in '{self.names}': {listed(dict.fromkeys(self._texts), most=4)}"


def melted(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Melted | None:
    """Return how to read a table whose rows hold one named value each, or None where it is none.

    Parameters
    ----------
    names : sequence of str
        Of the columns.
    rows : sequence of rows
        The first ones.

    Returns
    -------
    Melted or None
    """
    heads = {"".join(words_of(name)): name for name in names}
    name = next((heads[word] for word in NAMES if word in heads), None)
    value = next((heads[word] for word in VALUES if word in heads), None)
    if name is None or value is None or name == value:
        return None
    at = list(names).index(name)
    if not any((role_of(row[at]) or ("",))[0] == "loss" for row in rows):
        return None
    counters = [each for each in names if (role_of(each) or ("",))[0] in ("step", "epoch")]
    return Melted(names=name, values=value, numbers=[*counters, value])
