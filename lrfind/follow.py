"""Watch a log that grows: `follow(source)` looks at it every few seconds, and says when its run has ended."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lrfind.diagnose import diagnose, diagnose_log
from lrfind.errors import DataError, UsageError
from lrfind.logs import TrainingLog, read_log
from lrfind.logs.writer import Writer, writers_of
from lrfind.report.diagnosis import ABOUT_THE_END, Diagnosis
from lrfind.text import number

# Seconds between two looks at a growing log: often enough to feel live, rarely enough to cost nothing.
LOOK_EVERY = 2.0
# Seconds without a change after which a run is taken to have ended: longer than most evaluations and checkpoints.
IDLE_AFTER = 120.0
# The same while a process has the log open for writing: it may be within a long epoch, or a notebook that is done.
HELD_IDLE_AFTER = 1_200.0
# A run that logs once in a while is given this many of its longest pauses.
PAUSES = 5.0
# Seconds after the end of the process that wrote, for what else is on its way: buffers, or the next one in a script.
GRACE = 5.0
# Share of the time that reading may take: a log of a million rows takes seconds, and is read less often.
MOST_SHARE = 0.1
# Looks for the writer after changes without any found: loggers that open and close for each row are not caught at it.
MOST_SEARCHES = 20

State = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """A growing log at one moment.

    Attributes
    ----------
    diagnosis : Diagnosis or None
        The newest; None while the log could not be read yet.
    is_new : bool
        Whether that is another diagnosis than at the last look.
    problem : str
        Why the log cannot be read as it is now, in a sentence, or nothing.
    quiet : float
        Seconds since the log was last seen to change.
    patience : float
        Seconds without a change that end the run.
    has_writer : bool
        Whether a process is known whose end ends the run.
    ended : str
        Why the run is taken to have ended, or nothing while it goes on.
    """

    diagnosis: Diagnosis | None
    is_new: bool
    problem: str
    quiet: float
    patience: float
    has_writer: bool
    ended: str = ""


def follow(
    source: str,
    *,
    until: float | None = None,
    idle: float | None = None,
    every: float = LOOK_EVERY,
    optimizer: str | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Look]:
    """Look at a growing log until its run ends, and diagnose it anew when it has changed.

    The run has ended when the process that had the log open for writing has; where none was seen, when the log has
    not changed for `idle` seconds.

    Parameters
    ----------
    source : str
        A file or directory. One that is not there, is empty, or has no loss yet, is waited for.
    until : float, optional
        Most seconds to watch.
    idle : float, optional
        Seconds without a change after which the run is taken to have ended in any case. By default 120, or 1,200
        while a process has the log open, but at least five times the longest pause seen.
    every : float
        Seconds between two looks. A log that takes long to read is read less often.
    optimizer : str, optional
        As in `lrfind.logs.read_log`.
    clock, sleep : callable
        Replaced in tests.

    Yields
    ------
    Look
        The last one, and no other, says why the run has ended.

    Raises
    ------
    DataError
        The log could not be read to the end.
    UsageError
        It is standard input, which cannot be read twice, or the optimizer is none that is known.
    """
    if source == "-":
        raise UsageError("--follow cannot watch standard input: save it as it comes (| tee run.log) and name that file")
    watched = _Watched(source, clock=clock, idle=idle, optimizer=optimizer)
    began = clock()
    end = None if until is None else began + until
    while True:
        look = watched.look(is_last=end is not None and clock() >= end)
        if look.ended and look.diagnosis is None:
            # What is wrong with it is told by the error.
            try:
                diagnose(source, optimizer=optimizer)
            except DataError as error:
                raise DataError(f"{error} (watched for {number(clock() - began, digits=2)} s)") from None
        yield look
        if look.ended:
            return
        sleep(every)


class _Watched:
    """A log, and what was seen of it so far."""

    def __init__(self, source: str, *, clock: Callable[[], float], idle: float | None, optimizer: str | None) -> None:
        self._source, self._clock, self._idle, self._optimizer = source, clock, idle, optimizer
        self._began = self._changed = self._may_read_at = clock()
        self._longest_pause = 0.0
        self._seen: State | None = None
        self._read: State | None = None
        self._log: TrainingLog | None = None
        self._diagnosis: Diagnosis | None = None
        self._problem = ""
        self._writers: tuple[Writer, ...] = ()
        self._n_searches = 0
        self._ended_at: float | None = None

    def look(self, *, is_last: bool) -> Look:
        # Before the files: what a process wrote before it ended must be seen.
        self._see_writers()
        state, paths = _state_of(self._source)
        now = self._clock()
        if state != self._seen:
            if self._seen is not None:
                self._longest_pause = max(self._longest_pause, now - self._changed)
            self._seen, self._changed = state, now
            self._search_writers(paths)
        quiet = now - self._changed
        patience = self._patience(paths)
        ended = self._why_ended(quiet, patience=patience, is_last=is_last, now=now)
        is_due = self._seen != self._read and (now >= self._may_read_at or bool(ended))
        is_new = is_due and self._read_anew()
        if ended and self._log is not None and self._diagnosis is not None:
            # Only now is a line that is cut off damage, and the last step the end.
            self._diagnosis = diagnose_log(self._log)
        return Look(
            diagnosis=self._diagnosis, is_new=is_new, problem=self._problem, quiet=quiet, patience=patience,
            has_writer=bool(self._writers), ended=ended,
        )  # fmt: skip

    def _see_writers(self) -> None:
        alive = any(writer.is_alive for writer in self._writers)
        if alive or not self._writers:
            self._ended_at = None
        elif self._ended_at is None:
            self._ended_at = self._clock()

    def _search_writers(self, paths: list[Path]) -> None:
        if any(writer.is_alive for writer in self._writers) or self._n_searches >= MOST_SEARCHES:
            return
        self._n_searches += 1
        found = writers_of(paths)
        if found:
            self._writers, self._ended_at, self._n_searches = found, None, 0

    def _patience(self, paths: list[Path]) -> float:
        if self._idle is not None:
            return self._idle
        is_held = any(writer.holds(paths) for writer in self._writers)
        return max(HELD_IDLE_AFTER if is_held else IDLE_AFTER, PAUSES * self._longest_pause)

    def _why_ended(self, quiet: float, *, patience: float, is_last: bool, now: float) -> str:
        if self._ended_at is not None and min(now - self._ended_at, quiet) >= GRACE:
            return "the process that wrote it has ended"
        if quiet >= patience:
            return f"nothing was written for {number(patience)} s"
        return f"{number(now - self._began)} s are over" if is_last else ""

    def _read_anew(self) -> bool:
        began = self._clock()
        self._read = self._seen
        try:
            self._log = read_log(self._source, optimizer=self._optimizer)
            self._diagnosis, self._problem = _so_far(diagnose_log(_growing(self._log))), ""
        except DataError as error:
            # A run that has just begun has written nothing yet, and one may be put in the place of another.
            self._problem = str(error)
            return False
        finally:
            took = self._clock() - began
            self._may_read_at = began + took / MOST_SHARE
        return True


def _growing(log: TrainingLog) -> TrainingLog:
    """Return a log whose last line may still be on its way."""
    return replace(log, repairs=tuple(repair for repair in log.repairs if repair.kind != "truncated"))


def _so_far(diagnosis: Diagnosis) -> Diagnosis:
    """Return a diagnosis that does not take the last step so far for the end of the run."""
    findings = [
        replace(finding, message=f"If the run ended here: {finding.message[:1].lower()}{finding.message[1:]}")
        if finding.state == "found" and finding.code in ABOUT_THE_END
        else finding
        for finding in diagnosis.findings
    ]
    return replace(diagnosis, findings=tuple(findings))


def _state_of(source: str) -> tuple[State, list[Path]]:
    """Return name, size, number and time of change of a file, or of every file in a directory; and the files."""
    path = Path(source)
    files = [path]
    if path.is_dir():
        files = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    elif glob.has_magic(source) and not os.path.lexists(source):
        files = [Path(found) for found in glob.glob(source)]  # noqa: PTH207 - as the reader of logs does it
    state, there = [], []
    for file in sorted(files):
        try:
            status = file.stat()
        except (OSError, ValueError):
            continue
        state.append((str(file), status.st_ino, status.st_size, status.st_mtime_ns))
        there.append(file)
    return tuple(state), there
