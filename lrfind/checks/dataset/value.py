"""What the checks of a dataset look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.checks.dataset.learn import Learning
from lrfind.checks.dataset.profile import ColumnProfile, Profile
from lrfind.checks.finding import Check, Finding
from lrfind.data import Column, Table
from lrfind.problem import Problem
from lrfind.problem.encode import SKIMMED, UNREAD
from lrfind.problem.words import BEGUN


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """A table, the problem made of it, and what was counted and learned.

    Attributes
    ----------
    table : Table
    problem : Problem
    profile : Profile
    rows : (n_used,) ndarray of int64
        Rows of the table in the order of the problem's training part, then its validation part.
    learning : Learning or None
        What small models reached on rows held out.
    reason : str
        Why there is no learning, where there is none.
    """

    table: Table
    problem: Problem
    profile: Profile
    rows: npt.NDArray[np.int64]
    learning: Learning | None
    reason: str = ""

    @property
    def features(self) -> tuple[ColumnProfile, ...]:
        """Profiles of all columns but the target."""
        return tuple(column for column in self.profile.columns if column.name != self.problem.target)

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the columns that are learned from, or would be if there were time to read them."""
        return tuple(made.column for made in self.problem.encodings if made.n_features or made.how == UNREAD)

    @property
    def is_read_whole(self) -> bool:
        """Whether no text was left out or cut short for want of time, so that rows alike as learned from are alike."""
        return not any(made.how in (UNREAD, SKIMMED, BEGUN) for made in self.problem.encodings)

    @property
    def target(self) -> Column:
        """The column to predict."""
        return self.column(self.problem.target)

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(column for column in self.table.columns if column.name == name)


Look = Callable[[Check, Dataset], Finding]
