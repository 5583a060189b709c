"""trainer_state.json, which the Trainer of Transformers saves with each checkpoint."""

from __future__ import annotations

from lrfind.errors import DataError
from lrfind.logs.documents import records_of
from lrfind.logs.opened import LogFile
from lrfind.logs.readings import Readings


def claims(log: LogFile) -> bool:
    """Whether a log is the state that the Trainer of Transformers saves."""
    return log.is_json and isinstance(log.document, dict) and isinstance(log.document.get("log_history"), list)


def read(log: LogFile) -> Readings:
    """Return the log history: training, evaluation and summary records mixed."""
    history = log.document["log_history"]
    if not history:
        raise DataError(f"{log.name} holds no data: log_history is empty, so no loss was logged")
    return records_of(history, "trainer_state")
