"""Other JSON documents: an array of records, of numbers (the loss_curve_ of scikit-learn) or of [time, step, value]."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lrfind.errors import DataError
from lrfind.logs.log import Repair
from lrfind.logs.names import role_of
from lrfind.logs.opened import EXPECTED, LogFile
from lrfind.logs.readings import Readings, RecordReader, Series
from lrfind.text import listed, printable

# What Transformers writes once, at the end: averages over the whole run, under names that mean a point elsewhere.
SUMMARY_SIGNS = frozenset(("train_runtime", "train_samples_per_second", "total_flos"))


def claims(log: LogFile) -> bool:
    """Whether a log is a JSON array, or one record."""
    return log.is_json


def read(log: LogFile) -> Readings:
    """Return an array of records, of numbers (the loss_curve_ of scikit-learn), or of [time, step, value]."""
    document = log.document
    if isinstance(document, dict):
        if _catboost(document):
            return records_of([_of_catboost(each) for each in document["iterations"]], "catboost")
        # One line of JSON lines, or JSON of another kind.
        return records_of([document], "jsonl") if _has_loss(document) else _refused(log)
    if document and all(isinstance(item, (float, type(None))) for item in document):
        return _numbers(document)
    widths = {len(item) for item in document if isinstance(item, list)}
    if document and all(isinstance(item, list) for item in document) and widths in ({2}, {3}):
        names = ("step", "loss") if widths == {2} else ("wall time", "step", "loss")
        return records_of([dict(zip(names, item, strict=True)) for item in document], "json")
    if any(isinstance(item, dict) for item in document):
        return records_of(document, "json")
    return _refused(log)


def _catboost(document: Mapping[str, Any]) -> bool:
    iterations = document.get("iterations")
    return isinstance(iterations, list) and any(
        isinstance(each, dict) and isinstance(each.get("learn"), list) for each in iterations
    )


def _of_catboost(iteration: Any) -> dict[str, Any]:
    """Return a record of catboost_training.json: of several metrics the first is what is optimised."""
    if not isinstance(iteration, dict):
        return {}
    first = {part: iteration[part][0] for part in ("learn", "test") if iteration.get(part)}
    names = {"learn": "learn loss", "test": "test loss"}
    return {"iteration": iteration.get("iteration")} | {names[part]: value for part, value in first.items()}


def _has_loss(record: Mapping[str, Any]) -> bool:
    return any(
        (role_of(name) or ("", 0))[0] == "loss" and isinstance(value, (float, str)) for name, value in record.items()
    )


def _refused(log: LogFile) -> Readings:
    document = log.document
    what = f"an object with {listed(list(document), most=1)}" if isinstance(document, dict) else "an array"
    raise DataError(f"{log.name} is JSON but not a log ({what}, and no list of loss); {EXPECTED}")


def _numbers(values: Sequence[float | None]) -> Readings:
    rows = np.array([i for i, value in enumerate(values) if value is not None], dtype=np.int64)
    kept = np.array([value for value in values if value is not None])
    series = {"the numbers": Series(rows=rows, values=kept)}
    return Readings(format="numbers", series=series, n_rows=len(values), place="record", roles={"loss": "the numbers"})


def records_of(records: Iterable[Any], format_: str) -> Readings:
    """Return records as readings; those that sum up the whole run are told from its points."""
    reader = RecordReader(place="record")
    notes, unreadable = [], []
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            unreadable.append(number)
        elif SUMMARY_SIGNS & record.keys() and "train_loss" in record:
            notes.append(
                f"record {number} sums the run up (mean loss {printable(record['train_loss'], width=20)}): no point"
            )
        else:
            reader.add(record, place=number)
    repairs = []
    if unreadable:
        repairs.append(
            Repair(
                kind="unreadable row", count=len(unreadable), first=f"record {unreadable[0]}",
                sentence=f"entries that are no record, left out: {len(unreadable):,}, the first is {unreadable[0]}",
            )
        )  # fmt: skip
    return reader.readings(format_, repairs=repairs, notes=notes[-1:])
