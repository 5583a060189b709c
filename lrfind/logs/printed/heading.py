"""Lines that announce of which part of the data the next loss is: "Test Error:" above "Avg loss: 0.5"."""

from __future__ import annotations

import numpy as np

from lrfind.logs.names import HELD_OUT, names_part
from lrfind.logs.printed.scan import Column, Key, Scan
from lrfind.logs.readings import Ints

# Lines between an announcement and its loss, where the loss counts for itself, and where it does not.
NEAR, FAR = 2, 10


def apply_headings(found: Scan) -> None:
    """Move the losses that stand below the name of a held-out part to that part.

    Parameters
    ----------
    found : Scan
        Changed in place.
    """
    if not any(part in HELD_OUT for _, part in found.headings):
        return
    keys = [key for key in found.columns if key.role == "loss" and not names_part(key.name)]
    others = [column.whole()[0] for key, column in found.columns.items() if key.role in ("loss", "val_loss")]
    if not keys or not others:
        return
    every = np.unique(np.concatenate(others))
    headings = np.array([line for line, _ in found.headings], dtype=np.int64)
    for key in keys:
        _move(found, key, every=every, headings=headings)


def _move(found: Scan, key: Key, *, every: Ints, headings: Ints) -> None:
    column = found.columns[key]
    lines, values = column.whole()
    last = np.searchsorted(headings, lines, side="left") - 1
    before = np.searchsorted(every, lines, side="left") - 1
    at = headings[np.maximum(last, 0)]
    near = lines - at <= (NEAR if key.family.counters else FAR)
    is_under = (last >= 0) & near & (at > np.where(before >= 0, every[np.maximum(before, 0)], 0))
    parts = np.array([found.headings[i][1] for i in np.maximum(last, 0)])
    for part in np.unique(parts[is_under]):
        if part not in HELD_OUT:
            continue
        mine = is_under & (parts == part)
        moved = Column(lines=[lines[mine]], values=[values[mine]], first=(int(lines[mine][0]), column.first[1]))
        family = key.family._replace(part=str(part))
        _put(found, Key(family, "val_loss", f"{part} {key.name}"), column=moved)
        for counter in [each for each in found.columns if each.family == key.family and each.role in COUNTERS]:
            _put(found, counter._replace(family=family), column=found.columns[counter])
        is_under = is_under & ~mine
        keep = ~np.isin(lines, moved.lines[0])
        lines, values, parts, is_under = lines[keep], values[keep], parts[keep], is_under[keep]
    if len(lines):
        found.columns[key] = Column(lines=[lines], values=[values], first=column.first)
    else:
        del found.columns[key]


COUNTERS = ("step", "epoch", "total")


def _put(found: Scan, key: Key, *, column: Column) -> None:
    if key in found.columns:
        column = Column(
            lines=[*found.columns[key].lines, *column.lines], values=[*found.columns[key].values, *column.values],
            first=min(found.columns[key].first, column.first),
        )  # fmt: skip
    found.columns[key] = column
