"""The story of `diagnose` on one page: a training log in, what its learning rate did out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lrfind import __version__
from lrfind.checks.training_log import check_training_log, read_signals
from lrfind.errors import DataError, UsageError
from lrfind.logs import TrainingLog, read_log
from lrfind.report.diagnosis import Diagnosis

# Seconds between two looks at a growing log: often enough to feel live, rarely enough to cost nothing.
LOOK_EVERY = 2.0
# Seconds without a change after which a run is taken to have ended: longer than most evaluations and checkpoints.
IDLE_AFTER = 120.0


def diagnose(source: str) -> Diagnosis:
    """Read a training log and say what its learning rate did.

    Parameters
    ----------
    source : str
        As in `lrfind.logs.read_log`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    DataError
        It is missing, empty, damaged beyond use, no training log, or holds no training loss.
    UsageError
        The name cannot be used.
    """
    return diagnose_log(read_log(source))


def diagnose_log(log: TrainingLog) -> Diagnosis:
    """Return what every check finds in a log that was read.

    Parameters
    ----------
    log : TrainingLog

    Returns
    -------
    Diagnosis
    """
    signals = read_signals(log)
    return Diagnosis(version=__version__, log=log, signals=signals, findings=check_training_log(log, signals=signals))


def follow(
    source: str,
    *,
    until: float | None = None,
    idle: float = IDLE_AFTER,
    every: float = LOOK_EVERY,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Diagnosis]:
    """Diagnose a growing log anew each time it has changed, until the run ends.

    Parameters
    ----------
    source : str
        A file or directory. A file that is still empty, or has no loss yet, is waited for.
    until : float, optional
        Most seconds to watch.
    idle : float
        Seconds without a change after which the run is taken to have ended.
    every : float
        Seconds between two looks.
    clock, sleep : callable
        Replaced in tests.

    Yields
    ------
    Diagnosis
        The first as soon as the log can be read; at least one, unless an error is raised.

    Raises
    ------
    DataError
        The log cannot be read, also not when the time is up.
    UsageError
        It is standard input, which cannot be read twice.
    """
    if source == "-":
        raise UsageError("--follow cannot watch standard input: name the file that the run writes")
    began = changed = clock()
    seen: tuple[tuple[int, int], ...] | None = None
    yielded = False
    while True:
        state, now = _state_of(Path(source)), clock()
        if state != seen:
            seen, changed = state, now
            diagnosis = _read_or_wait(source)
            if diagnosis is not None:
                yielded = True
                yield diagnosis
        is_over = clock() - changed >= idle or (until is not None and clock() - began >= until)
        if is_over:
            if not yielded:
                yield diagnose(source)
            return
        sleep(every)


def _read_or_wait(source: str) -> Diagnosis | None:
    try:
        return diagnose(source)
    except DataError:
        # A run that has just begun has written nothing yet; what stays wrong is told at the end.
        return None


def _state_of(path: Path) -> tuple[tuple[int, int], ...]:
    """Return size and time of change of a file, or of every file in a directory."""
    files = [path]
    if path.is_dir():
        files = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    state = []
    for file in sorted(files):
        try:
            status = file.stat()
        except OSError:
            continue
        state.append((status.st_size, status.st_mtime_ns))
    return tuple(state)
