"""Losses that are logged in parts alone: what was optimised is their sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lrfind.logs.names import role_of, words_of
from lrfind.logs.readings import Readings, Series
from lrfind.text import printable

# YOLO weighs its parts before it logs them, and does not log what it optimises, which is their sum.
YOLO_PARTS = frozenset(("box", "obj", "cls", "dfl", "seg", "pose", "kobj", "angle", "rle", "sem"))
BESIDE = frozenset(("train", "training", "val", "valid", "loss"))
FEWEST = 2


def are_parts(names: Sequence[str]) -> bool:
    """Whether losses are the parts of one that is not among them.

    Parameters
    ----------
    names : sequence of str
        Of all training losses, or all held-out ones.

    Returns
    -------
    bool
    """
    words = [set(words_of(name)) - BESIDE for name in names]
    return len(names) >= FEWEST and {"box"} in words and all(each and each <= YOLO_PARTS for each in words)


def with_wholes(readings: Readings) -> Readings:
    """Return readings with the sum of the parts of a loss that was logged in parts alone.

    Parameters
    ----------
    readings : Readings

    Returns
    -------
    Readings
    """
    if "loss" in readings.roles:
        return readings
    series, roles, notes = dict(readings.series), dict(readings.roles), list(readings.notes)
    for role in ("loss", "val_loss"):
        parts = [name for name in series if (role_of(name) or ("",))[0] == role and len(series[name].rows)]
        rows = series[parts[0]].rows if parts else np.empty(0)
        if not are_parts(parts) or any(not np.array_equal(series[name].rows, rows) for name in parts):
            continue
        name = " + ".join(parts)
        values = np.sum([series[part].values for part in parts], axis=0)
        series[name] = Series(rows=series[parts[0]].rows, values=values)
        roles[role] = name
        notes.append(sum_note(name))
    return replace(readings, series=series, roles=roles, notes=tuple(notes))


def sum_note(name: str) -> str:
    """Return what is said about a sum of parts."""
    return f"'{printable(name, width=80)}': what is optimised is the sum of the parts that were logged, and was taken"
