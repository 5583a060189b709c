"""The history of Keras as JSON: a list of numbers for each metric, one an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lrfind.logs.log import Repair
from lrfind.logs.names import role_of
from lrfind.logs.opened import LogFile
from lrfind.logs.readings import Readings, RecordReader


def claims(log: LogFile) -> bool:
    """Whether a log is a mapping from names to lists of numbers, as the history of Keras is."""
    return log.is_json and bool(_lists(log.document))


def read(log: LogFile) -> Readings:
    """Return the lists, one value an epoch."""
    lists = _lists(log.document)
    reader = RecordReader(place="record")
    n_epochs = max(len(values) for values in lists.values())
    for i in range(n_epochs):
        record = {name: values[i] for name, values in lists.items() if i < len(values)}
        reader.add(record if "epoch" in lists else {"epoch": float(i), **record}, place=i + 1)
    lengths = {len(values) for values in lists.values()}
    repairs = []
    if len(lengths) > 1:
        shortest = min(lengths)
        repairs.append(
            Repair(
                kind="truncated", count=n_epochs - shortest, first=f"record {shortest + 1}",
                sentence=f"the lists are not of equal length ({shortest:,} to {n_epochs:,}): what is missing is "
                "taken to be missing at the end",
            )
        )  # fmt: skip
    return reader.readings("keras history", repairs=repairs)


def _lists(document: Any) -> dict[str, Sequence[Any]]:
    """Return the lists of a history, also of one inside {"history": ...} or of a data frame's to_json()."""
    if not isinstance(document, dict):
        return {}
    for within in ("history", "loss_curve_"):
        if isinstance(document.get(within), dict):
            return _lists(document[within])
    lists: dict[str, Sequence[Any]] = {}
    for name, given in _flat(document).items():
        values = list(given.values()) if isinstance(given, dict) else given
        if isinstance(values, list) and values and any(isinstance(value, (float, str)) for value in values):
            lists[name] = values
    names_loss = any((role_of(name) or ("", 0))[0] in ("loss", "val_loss") for name in lists)
    return lists if names_loss else {}


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """Bring lists within objects up: the evaluations of LightGBM and XGBoost are {"train": {"rmse": [...]}}."""
    flat: dict[str, Any] = {}
    for name, given in document.items():
        if isinstance(given, dict) and given and all(isinstance(each, list) for each in given.values()):
            flat.update({f"{name}/{inner}": each for inner, each in given.items()})
        else:
            flat[name] = given
    return flat
