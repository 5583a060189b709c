"""Summaries of columns small enough to keep in a file, and the test of whether a column still fits its own."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.data import Column, Kind

Floats = npt.NDArray[np.float64]

# Bins of a column of numbers: tenths see shifts of location, scale and shape alike.
N_BINS = 10
# Levels of a column of texts that are kept one by one.
MOST_LEVELS = 12
# Groups that all other levels are put in, by what they read and not by how often they occur: levels chosen because they
# are frequent in one sample are less so in the next, which is no drift. When all of k levels are replaced, groups
# change by about sqrt(2 * 32 / k) of themselves: a stability index of 0.1 for six hundred levels.
N_GROUPS = 32
# Standard errors between the counts of the last level kept and the first left out, when there are more levels than can
# be kept: then the same would have been kept in another sample.
CLEARLY_MORE = 2.0
# Digits of the edges in the file: enough for counts, few enough to read.
DIGITS = 6
# Rows expected in a bin below which the chi-square approximation fails (Cochran 1954); smaller bins are merged.
FEWEST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summary:
    """What is kept of a column.

    Attributes
    ----------
    kind : {"number", "boolean", "date", "text"}
    n_missing : int
    edges : tuple of float
        Upper edges of the bins; a value belongs to the first whose edge it does not exceed, beyond all of them to one
        more. Numbers only.
    levels : tuple of str
        The most frequent texts, or "0" and "1" of booleans.
    counts : tuple of int
        Rows a bin or level; in the last place those of all other levels. Empty for dates.
    rest : tuple of int
        The last of these counts by groups of levels; empty where all levels are kept, and in older files.
    mean, sd : float or None
        Of numbers, for people to read.
    """

    kind: Kind
    n_missing: int
    edges: tuple[float, ...]
    levels: tuple[str, ...]
    counts: tuple[int, ...]
    mean: float | None
    sd: float | None
    rest: tuple[int, ...] = ()

    @property
    def bins(self) -> tuple[int, ...]:
        """Rows a bin, level or group of levels."""
        return (*self.counts[:-1], *self.rest) if self.rest else self.counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far a column has moved.

    Attributes
    ----------
    p : float
        Of the two-sample chi-square test.
    psi : float
        Population stability index: the sum over bins of (q - p) ln(q / p), shares then p and now q; less what chance
        makes of it, at least 0.
    """

    p: float
    psi: float


def summarise(column: Column) -> Summary:
    """Return what is kept of a column.

    Parameters
    ----------
    column : Column

    Returns
    -------
    Summary
    """
    if column.kind == "number":
        return _of_numbers(column)
    if column.kind == "date":
        missing = int(np.isnat(column.values).sum())
        return Summary(kind="date", n_missing=missing, edges=(), levels=(), counts=(), mean=None, sd=None)
    found = Counter(_texts(column))
    top = _clear_levels(found)
    counts = (*(found[text] for text in top), found.total() - sum(found[text] for text in top))
    n_missing = len(column.values) - found.total()
    rest = tuple(_grouped(found, kept=top)) if len(top) < len(found) else ()
    return Summary(
        kind=column.kind, n_missing=n_missing, edges=(), levels=tuple(top), counts=counts, mean=None, sd=None, rest=rest
    )


def _clear_levels(found: Counter[str]) -> list[str]:
    """Return the most frequent levels, the most frequent first: all if they are few, else those clearly so."""
    ordered = sorted(found, key=lambda text: (-found[text], text))
    if len(ordered) <= MOST_LEVELS:
        return ordered
    counts = np.array([found[text] for text in ordered[: MOST_LEVELS + 1]], dtype=np.float64)
    clear = np.flatnonzero(counts[:-1] - counts[1:] > CLEARLY_MORE * np.sqrt(counts[:-1] + counts[1:]))
    return ordered[: int(clear[-1]) + 1] if len(clear) else []


def _grouped(found: Counter[str], *, kept: Sequence[str]) -> list[int]:
    groups, known = [0] * N_GROUPS, set(kept)
    for text, count in found.items():
        if text not in known:
            groups[zlib.crc32(text.encode("utf-8", "surrogatepass")) % N_GROUPS] += count
    return groups


def _texts(column: Column) -> list[str]:
    if column.kind == "text":
        return [text.strip() for text in column.values if text is not None]
    return [f"{value:.0f}" for value in column.values if not np.isnan(value)]


def _of_numbers(column: Column) -> Summary:
    values = column.values[np.isfinite(column.values)]
    edges: tuple[float, ...] = ()
    mean = sd = None
    if len(values):
        # the largest value, too: a column that is mostly one number and now lies far above it must not look the same
        upper = np.quantile(values, np.linspace(0, 1, N_BINS + 1)[1:], method="inverted_cdf")
        edges = tuple(sorted({float(f"{edge:.{DIGITS}g}") for edge in upper}))
        largest = float(np.abs(values).max()) or 1.0
        mean = float(f"{(values / largest).mean() * largest:.{DIGITS}g}")
        sd = float(f"{(values / largest).std() * largest:.{DIGITS}g}")
    return Summary(
        kind="number", n_missing=len(column.values) - len(values), edges=edges, levels=(),
        counts=tuple(_binned(values, edges)), mean=mean, sd=sd,
    )  # fmt: skip


def _binned(values: Floats, edges: Sequence[float]) -> list[int]:
    places = np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="left")
    return [int(n) for n in np.bincount(places, minlength=len(edges) + 1)]


def compare(old: Summary, column: Column) -> Shift:
    """Return how far a column has moved from what is kept of it.

    Parameters
    ----------
    old : Summary
    column : Column
        Of the same kind, no date.

    Returns
    -------
    Shift
    """
    if column.kind == "number":
        values = column.values[np.isfinite(column.values)]
        now = _binned(values, old.edges)
        missing = len(column.values) - len(values)
    else:
        found = Counter(_texts(column))
        now = [found[level] for level in old.levels]
        now += _grouped(found, kept=old.levels) if old.rest else [found.total() - sum(now)]
        missing = len(column.values) - found.total()
    then = np.array([*old.bins, old.n_missing], dtype=np.float64)
    return shift_of(then, np.array([*now, missing], dtype=np.float64))


def shift_of(then: Floats, now: Floats) -> Shift:
    """Return the two-sample chi-square test of counts, and the population stability index.

    Parameters
    ----------
    then, now : (n_bins,) ndarray

    Returns
    -------
    Shift

    References
    ----------
    Yurdakul & Naranjo 2020, "Statistical properties of the population stability index", J. Risk Model Validation 14(4).
    """
    if not then.sum() or not now.sum():
        return Shift(p=1.0, psi=0.0)
    # half a row more a bin, so that an empty one does not cost everything
    p, q = (counts + 0.5 for counts in (then, now))
    p, q = p / p.sum(), q / q.sum()
    psi = float(np.sum((q - p) * np.log(q / p)))
    # of two samples alike each bin has a variance of about its share; the index is then chi-square over the rows
    n_used = np.count_nonzero(then + now)
    chance = (n_used - 1) * (1 / then.sum() + 1 / now.sum())
    then, now = _merged(then, now)
    total = then + now
    statistic = 0.0
    for counts in (then, now):
        expected = total * counts.sum() / total.sum()
        statistic += float(np.sum(np.square(counts - expected)[expected > 0] / expected[expected > 0]))
    return Shift(p=chi_square_tail(statistic, len(total) - 1), psi=max(psi - chance, 0.0))


def _merged(then: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Put bins together in which fewer than five rows of either sample are expected."""
    share = min(then.sum(), now.sum()) / (then.sum() + now.sum())
    small = (then + now) * share < FEWEST_EXPECTED
    if not small.any():
        return then, now
    return np.append(then[~small], then[small].sum()), np.append(now[~small], now[small].sum())


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Return the probability that a chi-square variable exceeds a statistic.

    Exact: the closed forms for whole degrees of freedom (Abramowitz & Stegun 1964, 26.4.4 and 26.4.5).

    Parameters
    ----------
    statistic : float
    freedom : int
        Degrees of freedom; 0 leaves nothing to test.

    Returns
    -------
    float
    """
    half = statistic / 2
    if freedom < 1 or half <= 0:
        return 1.0
    # terms half^i / gamma(i + 1) for i = 0, 1, ... or 1/2, 3/2, ...
    first = 0.5 if freedom % 2 else 0.0
    powers = (first + i for i in range(freedom // 2))
    terms = (math.exp(power * math.log(half) - half - math.lgamma(power + 1)) for power in powers)
    return (math.erfc(math.sqrt(half)) if freedom % 2 else 0.0) + math.fsum(terms)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for how many there are, in the order given.

    Parameters
    ----------
    p_values : sequence of float

    Returns
    -------
    list of float
        Rejecting those below alpha keeps the chance of any false rejection below alpha.

    References
    ----------
    Holm 1979, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6.
    """
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    stepped = np.minimum(np.maximum.accumulate(np.asarray(p_values, dtype=np.float64)[order] * factors), 1.0)
    adjusted = np.empty(len(p_values))
    adjusted[order] = stepped
    return [float(p) for p in adjusted]
