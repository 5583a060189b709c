"""What earlier races say about a new problem: `expect(rows, situation) -> Prior`.

::

    situation   what is known before anything is raced: the problem, the training run, the range test
    rows        finished races as rows of a table; lrfind ships one, the user's own runs join it
    prior       what rows like this one gave up at each rate, and so where the best rate is expected
"""

from lrfind.experience.prior import Prior, expect
from lrfind.experience.rows import (
    OFFSETS,
    Row,
    dataset_name,
    repeats,
    row_of_run,
    rows_from_csv,
    rows_to_csv,
    shipped_rows,
    without,
)  # fmt: skip
from lrfind.experience.situation import FEATURES, Situation, features, situation_of

__all__ = [
    "FEATURES",
    "OFFSETS",
    "Prior",
    "Row",
    "Situation",
    "dataset_name",
    "expect",
    "features",
    "repeats",
    "row_of_run",
    "rows_from_csv",
    "rows_to_csv",
    "shipped_rows",
    "situation_of",
    "without",
]
