"""What is noise and what is not: one rule for every comparison that a race makes.

Candidates share seeds, folds and held-out rows, so a difference between two is taken pair by pair. It is clear when it
exceeds `NOISE_ERRORS` of its standard error; everything that lrfind says of two losses ("beats", "within noise",
"clearly worse", "gives up") rests on `is_clear`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.text import one_line

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

# Standard errors within which a difference cannot be told from none: two-sided 5 %.
NOISE_ERRORS = 2.0
# Relative rounding of losses that were computed in float32; a smaller difference is none, whatever its error.
ROUNDING = 1e-6


def is_clear(difference: float, error: float, *, level: float = 1.0) -> bool:
    """Return whether a loss lies above another by more than noise.

    Parameters
    ----------
    difference, error : float
        Of the two losses, and its standard error.
    level : float
        A loss of the same scale, in whose rounding a difference is none.

    Returns
    -------
    bool
    """
    return difference > NOISE_ERRORS * error + ROUNDING * abs(level)


def standard_error(numbers: Floats) -> float:
    """Return the standard error of the mean of independent numbers; 0 for a single one."""
    return float(np.std(numbers, ddof=1) / np.sqrt(len(numbers))) if len(numbers) > 1 else 0.0


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Every candidate against every other.

    Attributes
    ----------
    differences : (n, n) ndarray
        Mean loss of the row's candidate less that of the column's.
    errors : (n, n) ndarray
        Standard error of each: over held-out rows or over replicas, whichever is larger.
    level : float
        Loss of the constant guess.
    """

    differences: Floats
    errors: Floats
    level: float

    def beaten(self) -> Flags:
        """(n, n) whether the column's candidate ends clearly lower than the row's."""
        return np.asarray(self.differences > NOISE_ERRORS * self.errors + ROUNDING * self.level)

    def unbeaten(self, among: Flags) -> Flags:
        """(n,) which candidates no one of `among` ends clearly lower than; the lowest of them is always one."""
        return np.asarray(~self.beaten()[:, among].any(1))

    def unbeaten_within(self, own: Indices) -> Flags:
        """(len(own),) which of these candidates no other of them ends clearly lower than."""
        return np.asarray(~self.beaten()[np.ix_(own, own)].any(1))


def pairs(rows: Floats, replicas: Floats, *, level: float) -> Pairs:
    """Return the paired differences of all candidates.

    Parameters
    ----------
    rows : (n, n_rows) ndarray
        Loss of each held-out row.
    replicas : (n, n_replicas) ndarray
        Mean held-out loss of each replica.
    level : float
        Loss of the constant guess.

    Returns
    -------
    Pairs
    """
    means = rows.mean(1)
    errors = np.maximum(_paired_errors(rows), _paired_errors(replicas))
    return Pairs(differences=means[:, None] - means[None, :], errors=errors, level=level)


def _paired_errors(numbers: Floats) -> Floats:
    # Var(a - b) = Var a + Var b - 2 Cov(a, b), all at once
    n = numbers.shape[1]
    if n < 2:  # noqa: PLR2004 - a single number has no scatter
        return np.zeros((len(numbers), len(numbers)))
    away = numbers - numbers.mean(1, keepdims=True)
    covariance = away @ away.T / (n - 1)
    own = np.diag(covariance)
    return np.asarray(np.sqrt(np.maximum(own[:, None] + own[None, :] - 2 * covariance, 0.0) / n))
