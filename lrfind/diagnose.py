"""The story of `diagnose` on one page: a training log in, what its learning rate did out."""

from __future__ import annotations

import numpy as np

from lrfind import __version__
from lrfind.checks.training_log import check_training_log, read_signals
from lrfind.logs import TrainingLog, read_log
from lrfind.report.diagnosis import Diagnosis


def diagnose(source: str, *, optimizer: str | None = None) -> Diagnosis:
    """Read a training log and say what its learning rate did.

    Parameters
    ----------
    source : str
    optimizer : str, optional
        As in `lrfind.logs.read_log`. A known optimizer, whose usual rates are known, makes the judgement surer.

    Returns
    -------
    Diagnosis

    Raises
    ------
    DataError
        It is missing, empty, damaged beyond use, no training log, or holds no training loss.
    UsageError
        The name cannot be used, or the optimizer is none that is known.
    """
    return diagnose_log(read_log(source, optimizer=optimizer))


def diagnose_log(log: TrainingLog) -> Diagnosis:
    """Return what every check finds in a log that was read.

    Parameters
    ----------
    log : TrainingLog

    Returns
    -------
    Diagnosis
    """
    # Losses may be as large as numbers get; their squares are not.
    with np.errstate(over="ignore", invalid="ignore"):
        signals = read_signals(log)
        findings = check_training_log(log, signals=signals)
    return Diagnosis(version=__version__, log=log, signals=signals, findings=findings)
