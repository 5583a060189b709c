"""Held-out losses of all candidates: `Scores`, joined round by round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.race.course import WORST
from lrfind.race.noise import Pairs, pairs
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Held-out losses of all candidates.

    Attributes
    ----------
    names : (n,) tuple of str
        The candidates' schedules.
    lrs : (n,) ndarray
        Their peak rates.
    losses : (n, n_replicas) ndarray
        Mean held-out loss; NaN where the replica diverged.
    rows : (n, n_rows) ndarray
        Loss of each held-out row, averaged over seeds; lost replicas count as twice the constant guess.
    baseline : (n_rows,) ndarray
        Loss of the constant guess.
    """

    names: tuple[str, ...]
    lrs: Floats
    losses: Floats
    rows: Floats
    baseline: Floats

    @property
    def means(self) -> Floats:
        """(n,) mean over rows."""
        return np.asarray(self.rows.mean(1))

    @property
    def level(self) -> float:
        """Loss of the constant guess, averaged over rows."""
        return float(self.baseline.mean())

    @property
    def replicas(self) -> Floats:
        """(n, n_replicas) mean held-out losses, those of lost replicas as twice the constant guess."""
        worst = WORST * self.level
        return np.minimum(np.where(np.isnan(self.losses), worst, self.losses), worst)

    def of(self, names: Sequence[str]) -> Indices:
        """Return the indices of the candidates with these schedules, by rate."""
        found = np.array([i for i, name in enumerate(self.names) if name in names], np.int64)
        return found[np.argsort(self.lrs[found], kind="stable")]

    def find(self, name: str, lr: float) -> int:
        """Return the index of the candidate with this schedule and rate; it must be there."""
        own = self.of([name])
        return int(own[np.argmin(np.abs(np.log(self.lrs[own] / lr)))])

    def pairs(self) -> Pairs:
        """Return every candidate's paired difference from every other."""
        return pairs(self.rows, self.replicas, level=self.level)


def joined(one: Scores, other: Scores) -> Scores:
    """Return the candidates of both."""
    return Scores(
        names=one.names + other.names,
        lrs=np.concatenate([one.lrs, other.lrs]),
        losses=np.concatenate([one.losses, other.losses]),
        rows=np.concatenate([one.rows, other.rows]),
        baseline=one.baseline,
    )
