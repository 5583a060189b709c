"""Which column is the loss, the step, the learning rate: `roles_of(readings)`, by name first and then by content."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lrfind.errors import DataError
from lrfind.logs.names import first_of_numbered, role_of, words_of
from lrfind.logs.readings import Readings, Series
from lrfind.text import listed, printable

# What a lone column with another name must not be taken for.
NOT_CONTENT = frozenset(
    ("acc", "accuracy", "auc", "f1", "score", "precision", "recall", "reward", "time", "wall", "timestamp", "date",
     "seconds", "bleu", "rouge", "samples", "throughput", "speed", "memory", "r2", "relative")
)  # fmt: skip
# How many of a log's names are shown in a message.
MOST_NAMES = 2


def roles_of(readings: Readings, *, name: str) -> tuple[dict[str, str], list[str]]:
    """Return which column plays which role, and what there is to say about the choice.

    Parameters
    ----------
    readings : Readings
    name : str
        The log's name, for messages.

    Returns
    -------
    roles : dict from role to column
        "loss" is always there.
    notes : list of str

    Raises
    ------
    DataError
        Nothing looks like a training loss.
    """
    candidates = _candidates(readings.series)
    roles = {role: names[0] for role, names in candidates.items()} | dict(readings.roles)
    notes = [
        _also(role, names)
        for role, names in candidates.items()
        if role in ("loss", "val_loss") and len(names) > 1 and "loss" not in readings.roles
    ]
    if "loss" not in readings.roles and (broken := _broken(readings.series, candidates.get("loss", [])[1:])):
        notes.append(broken)
    first = first_of_numbered(readings.series) if "loss" not in roles else None
    if first is not None:
        roles["loss"] = first
        roles["val_loss"] = next(name for name in candidates["val_loss"] if name != first)
        shown = printable(first, width=40)
        notes = [f"no column is called training loss; '{shown}', the first of several held-out sets, was taken for it"]
    if "loss" not in roles:
        roles["loss"] = _by_content(readings.series, roles, name=name)
        column = printable(roles["loss"], width=40)
        notes.append(f"no column is called loss; '{column}' is the only one it can be and was taken for it")
    return roles, notes


def _candidates(series: Mapping[str, Series]) -> dict[str, list[str]]:
    """Return the columns for each role, the likeliest first: nearest name, then most values, then order."""
    found: dict[str, list[tuple[int, int, int, str]]] = {}
    for position, (column, values) in enumerate(series.items()):
        judged = role_of(column)
        if judged is not None and len(values.rows):
            role, distance = judged
            found.setdefault(role, []).append((distance, -len(values.rows), position, column))
    return {role: [column for *_, column in sorted(judged)] for role, judged in found.items()}


def _also(role: str, names: list[str]) -> str:
    what = {"loss": "training loss", "val_loss": "validation loss"}[role]
    return f"{what}: '{printable(names[0], width=40)}' was used; also there: {listed(names[1:], most=3)}"


def _by_content(series: Mapping[str, Series], roles: Mapping[str, str], *, name: str) -> str:
    taken = set(roles.values())
    left = [
        column for column, values in series.items()
        if column not in taken and len(values.rows) and role_of(column) is None
        and not NOT_CONTENT & set(words_of(column)) and not _is_constant(values)
    ]  # fmt: skip
    # TensorBoard's CSV has the name of what was measured in that of the file alone.
    is_named_apart = len(left) == 1 and words_of(left[0]) == ["value"] and NOT_CONTENT & set(words_of(name))
    if len(left) == 1 and "val_loss" not in roles and not is_named_apart:
        return left[0]
    empty = next((column for column in series if (role_of(column) or ("",))[0] == "loss"), None)
    if empty is not None or not any(len(values.rows) for values in series.values()):
        what = f"'{printable(empty, width=40)}'" if empty is not None else "any row"
        raise DataError(f"{name} holds no data: there are no loss values in {what}, or none that are numbers")
    if "val_loss" in roles:
        raise DataError(
            f"{name} has a validation loss ('{printable(roles['val_loss'], width=40)}') but no training loss: log the "
            "training loss too, as loss or train_loss"
        )
    raise DataError(
        f"{name}: nothing in it looks like a training loss (it has {listed(list(series), most=MOST_NAMES)}); name "
        "the column loss or train_loss"
    )


def _is_constant(series: Series) -> bool:
    return len(series.values) > 2 and bool((series.values == series.values[0]).all())  # noqa: PLR2004 - of few, by chance


def _broken(series: Mapping[str, Series], names: list[str]) -> str:
    """Say which losses that were not used are NaN or infinite somewhere, where all of them should be numbers."""
    counts = {name: int((~np.isfinite(series[name].values)).sum()) for name in names}
    broken = [name for name, count in counts.items() if 0 < count < len(series[name].values)]
    if not broken:
        return ""
    first = broken[0]
    return (
        f"'{printable(first, width=40)}', which was not used, is NaN or infinite in {counts[first]:,} of "
        f"{len(series[first].values):,} values"
    )
