"""Read a training log: `read_log(source) -> TrainingLog`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from lrfind.errors import DataError
from lrfind.logs import delimited, documents, events, jsonl, keras_history, mlflow, numbers, printed, trainer_state
from lrfind.logs.folder import read_folder
from lrfind.logs.log import TrainingLog
from lrfind.logs.opened import EXPECTED, LogFile, open_log
from lrfind.logs.optimizer import require_optimizer
from lrfind.logs.readings import Readings
from lrfind.logs.repair import mended


@dataclass(frozen=True, slots=True)
class Reader:
    """A format: how it is known, and how it is read.

    Attributes
    ----------
    format : str
        What to call it.
    claims : function
        Whether a log is of this format, by its content.
    read : function
        The readings of a log that was claimed.
    """

    format: str
    claims: Callable[[LogFile], bool]
    read: Callable[[LogFile], Readings]


# The surest signs first; the first that claims a log reads it.
READERS = (
    Reader("TensorBoard events", events.claims, events.read),
    Reader("Transformers trainer_state.json", trainer_state.claims, trainer_state.read),
    Reader("Keras history (JSON)", keras_history.claims, keras_history.read),
    Reader("JSON array", documents.claims, documents.read),
    Reader("JSON lines", jsonl.claims, jsonl.read),
    Reader("MLflow metric", mlflow.claims, mlflow.read),
    Reader("bare numbers", numbers.claims, numbers.read),
    Reader("CSV", delimited.claims, delimited.read),
    Reader("printed text", printed.claims, printed.read),
)


def read_log(source: str, *, optimizer: str | None = None) -> TrainingLog:
    """Return the training log that `source` names.

    Parameters
    ----------
    source : str
        A file, plain or packed with gzip or zstandard; a directory that a logger or a trainer wrote; a pattern that
        fits one file; or "-" for standard input. The format is found by content.
    optimizer : str, optional
        Name of the optimizer of the run, such as "AdamW", in place of what the log tells. "sgd" may have momentum or
        not; "momentum" is SGD with it.

    Returns
    -------
    TrainingLog
        With strictly increasing steps; `repairs` and `notes` say what was done to get there.

    Raises
    ------
    DataError
        It is missing, empty, damaged beyond use, no training log, or holds no training loss.
    UsageError
        The name cannot be used: a URL, or standard input that is a terminal; or the optimizer is none that is known.
    """
    given = None if optimizer is None else require_optimizer(optimizer)
    log = _read(source)
    return log if given is None else replace(log, optimizer=given, columns=_without_optimizer(log.columns))


def _read(source: str) -> TrainingLog:
    if source != "-" and os.path.isdir(source):  # noqa: PTH112 - a Path raises on long names
        return read_folder(source, read_file=_read_file)
    return _read_file(source)


def _without_optimizer(columns: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((role, column) for role, column in columns if role != "optimizer")


def _read_file(source: str) -> TrainingLog:
    log = open_log(source)
    with log.file:
        for reader in READERS:
            if reader.claims(log):
                return mended(reader.read(log), name=log.name, path=log.path, notes=log.notes)
    raise DataError(f"{log.name} is text, but not of a known format; {EXPECTED}")
