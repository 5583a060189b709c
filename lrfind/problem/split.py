"""Choose the rows to hold out: at random, the latest, or whole groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.data import Column, Table
from lrfind.errors import DataError, UsageError
from lrfind.problem.target import Target, find_column
from lrfind.text import listed, nearest, printable

KINDS = ("random", "time", "group")
# Fewest rows in either part: a mean of one loss has no spread.
MIN_PART = 2
# Key of this module's random stream, so that it shares no numbers with streams of the same seed elsewhere.
STREAM = 0x5917


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Which of the target's rows are learned from and which are held out.

    Attributes
    ----------
    name : str
        "random", "time:COL" or "group:COL".
    train, val : ndarray of int64
        Positions in `Target.rows`, ascending.
    notes : tuple of str
    """

    name: str
    train: npt.NDArray[np.int64]
    val: npt.NDArray[np.int64]
    notes: tuple[str, ...]


def as_split(split: str) -> str:
    """Return a split as it is written here: its kind in lower case, the column as it is."""
    kind, colon, name = split.partition(":")
    return f"{kind.strip().lower()}{colon}{name}"


def split_rows(table: Table, target: Target, *, split: str, seed: int, val_share: float) -> Split:
    """Split the rows that have a target into a training and a validation part.

    Parameters
    ----------
    table : Table
    target : Target
    split : str
        "random" (stratified for classes), "time:COL" (the latest rows are held out; rows of one time stay together)
        or "group:COL" (whole groups are held out).
    seed : int
        At least 0.
    val_share : float
        Share of the rows to hold out, between 0 and 1; at least two rows stay on either side.

    Returns
    -------
    Split

    Raises
    ------
    UsageError
        An option cannot be used.
    DataError
        The column does not allow the split.
    """
    if not 0 < val_share < 1:
        raise UsageError(f"the validation share must lie between 0 and 1, got {val_share}")
    if seed < 0:
        raise UsageError(f"--seed must be 0 or more, got {seed}")
    split = as_split(split)
    kind, _, name = split.partition(":")
    if kind not in KINDS or (kind == "random") == bool(name) or (kind != "random" and not name):
        close = nearest(kind, KINDS)
        hint = f"; did you mean {close}{'' if close == 'random' else ':COL'}?" if close else ""
        raise UsageError(f"--split: expected random, time:COL or group:COL, got '{printable(split, width=40)}'{hint}")
    n_rows = len(target.rows)
    n_val = min(max(round(n_rows * val_share), MIN_PART), n_rows - MIN_PART)
    rng = np.random.default_rng(np.random.SeedSequence([seed, STREAM]))
    if kind == "random":
        val, notes = _random(target, n_val=n_val, rng=rng)
        return _split(split, val, n_rows=n_rows, notes=notes)
    column = find_column(table, name, option="--split")
    if kind == "time":
        val, notes = _latest(column, target.rows, n_val=n_val)
    else:
        val, notes = _groups(column, target.rows, n_val=n_val, rng=rng)
    return _split(split, val, n_rows=n_rows, notes=notes)


def _split(name: str, val: npt.NDArray[np.int64], *, n_rows: int, notes: list[str]) -> Split:
    held = np.zeros(n_rows, bool)
    held[val] = True
    return Split(name=name, train=np.flatnonzero(~held), val=np.flatnonzero(held), notes=tuple(notes))


def _random(target: Target, *, n_val: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.int64], list[str]]:
    order = rng.permutation(len(target.rows))
    if target.task == "regression":
        return order[:n_val], []
    codes = target.values[order].astype(np.int64)
    counts = np.bincount(codes, minlength=len(target.classes))
    quota = _quotas(counts, n_val=n_val)
    # Rank of each shuffled row among those of its class: a stable sort keeps the shuffled order within a class.
    by_class = np.argsort(codes, kind="stable")
    rank = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[by_class[rank < quota[codes[by_class]]]], _rare(target, counts)


def _quotas(counts: npt.NDArray[np.int64], *, n_val: int) -> npt.NDArray[np.int64]:
    """Return rows to hold out a class: in proportion, by largest remainder, leaving every class one to learn from."""
    exact = counts * (n_val / counts.sum())
    quota: npt.NDArray[np.int64] = np.minimum(np.floor(exact).astype(np.int64), counts - 1)
    # Classes that would go without any come first, the most frequent of them first.
    wants = np.lexsort((-counts, -(exact - quota), quota > 0))
    while (short := n_val - int(quota.sum())) > 0:
        open_classes = wants[quota[wants] < counts[wants] - 1][:short]
        if not len(open_classes):
            break
        quota[open_classes] += 1
    return quota


def _rare(target: Target, counts: npt.NDArray[np.int64]) -> list[str]:
    rare = [name for name, count in zip(target.classes, counts, strict=True) if count == 1]
    if not rare:
        return []
    if len(rare) == 1:
        return [f"class {listed(rare)} is rare: it has only one row, which stays in the training part"]
    shown = listed(rare, most=3)
    return [f"{len(rare):,} rare classes have only one row each, which stays in the training part: {shown}"]


def _latest(column: Column, rows: npt.NDArray[np.int64], *, n_val: int) -> tuple[npt.NDArray[np.int64], list[str]]:
    name = printable(column.name, width=40)
    if column.kind == "text":
        raise DataError(f"--split time: column '{name}' is text; expected numbers or dates to order the rows by")
    values = column.values[rows]
    known = np.flatnonzero(~np.isnat(values) if column.kind == "date" else ~np.isnan(values.astype(np.float64)))
    order = known[np.argsort(values[known], kind="stable")]
    ordered = values[order]
    borders = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    # Both parts must hold some rows; those without a time are learned from.
    fits = (borders + len(rows) - len(known) >= MIN_PART) & (len(order) - borders >= MIN_PART)
    if not fits.any():
        n_times = "1 distinct time" if not len(borders) else f"{len(borders) + 1:,} distinct times"
        raise DataError(
            f"--split time: column '{name}' has {n_times}, which cannot be cut so that {MIN_PART} rows lie on either "
            "side; choose another --split"
        )
    border = borders[fits][np.argmin(np.abs(borders[fits] - (len(order) - n_val)))]
    notes = []
    if (missing := len(rows) - len(known)) > 0:
        notes.append(f"{missing:,} rows without a time in '{name}' stay in the training part")
    return order[border:], notes


def _groups(
    column: Column, rows: npt.NDArray[np.int64], *, n_val: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], list[str]]:
    group, known = _group_codes(column, rows)
    name = printable(column.name, width=40)
    counts = np.bincount(group[known])
    held = _nearest_groups(counts, n_val=n_val, rng=rng)
    val = np.flatnonzero(known & np.isin(group, held))
    if not MIN_PART <= len(val) <= len(rows) - MIN_PART:
        raise DataError(
            f"--split group: column '{name}' has {len(counts):,} {'group' if len(counts) == 1 else 'groups'}, which "
            f"cannot be divided so that {MIN_PART} rows lie on either side; choose another --split"
        )
    notes = []
    if (missing := len(rows) - int(np.count_nonzero(known))) > 0:
        notes.append(f"{missing:,} rows without a group in '{name}' stay in the training part")
    return val, notes


def _nearest_groups(counts: npt.NDArray[np.int64], *, n_val: int, rng: np.random.Generator) -> list[int]:
    """Return groups to hold out: taken at random, each that brings their rows nearer to `n_val`, at least one."""
    held: list[int] = []
    total = 0
    for group in rng.permutation(len(counts)).tolist():
        if abs(total + int(counts[group]) - n_val) <= abs(total - n_val):
            held.append(group)
            total += int(counts[group])
    return held or [int(np.argmin(counts))] if len(counts) else []


def _group_codes(column: Column, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return a code a row, in order of value, and which rows have a group; the others' code is -1."""
    values = column.values[rows]
    if column.kind == "text":
        known = np.fromiter((text is not None and text.strip() != "" for text in values), bool, len(values))
        keys = [str(text).strip() for text in values[known]]
        code = {key: i for i, key in enumerate(sorted(set(keys)))}
        found = np.fromiter((code[key] for key in keys), np.int64, len(keys))
    else:
        known = ~np.isnat(values) if column.kind == "date" else ~np.isnan(values.astype(np.float64))
        found = np.unique(values[known], return_inverse=True)[1].astype(np.int64)
    group = np.full(len(rows), -1, np.int64)
    group[known] = found
    return group, known
