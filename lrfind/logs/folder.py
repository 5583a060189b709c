"""Find the log in a directory that a trainer or logger wrote: `read_folder(path)`.

Known are a checkpoint of Transformers, a version of Lightning, a logdir of TensorBoard, a run of MLflow, and
directories that hold several of one of these, of which the newest by number and name is read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lrfind.errors import DataError
from lrfind.logs import mlflow
from lrfind.logs.events import ScalarReader
from lrfind.logs.log import TrainingLog
from lrfind.logs.opened import LogFile, open_log
from lrfind.logs.repair import mended
from lrfind.text import plural, printable

# lightning_logs/version_0/, runs/NAME/train/, checkpoint-500/: logs lie no deeper below what people name.
MAX_DEPTH = 3
# A directory with more entries is a data set.
MAX_ENTRIES = 10_000
# More event files of one run than any restarts leave; each is opened.
MAX_EVENT_FILES = 200
# Files that are logs by name, surest first.
NAMED = (
    "trainer_state.json",
    "catboost_training.json",
    "metrics.csv",
    "history.json",
    "training.log",
    "log.csv",
    "train_log.csv",
    "results.csv",
)
SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".log", ".txt")
# Writers of TensorBoard keep what was measured on other data in a directory beside.
SIDE_WORDS = re.compile(r"train|learn|val|valid|validation|eval|test", re.IGNORECASE)
EVENT_MARK = "tfevents"
# Characters of a parameter's value that are read.
MAX_PARAM = 500

ReadFile = Callable[[str], TrainingLog]


def read_folder(path: str, *, read_file: ReadFile) -> TrainingLog:
    """Return the log in a directory.

    Parameters
    ----------
    path : str
    read_file : function
        Reads one file.

    Returns
    -------
    TrainingLog
        Its notes say which file was read.

    Raises
    ------
    DataError
        There is none, or it cannot be read.
    """
    found = _found(Path(path), read_file=read_file, depth=0)
    if found is None:
        raise DataError(
            f"{printable(Path(path).name or path, width=60)} is a directory without a log in it: expected "
            "trainer_state.json, metrics.csv, TensorBoard event files or MLflow metrics; name the log file itself"
        )
    return found


def _found(folder: Path, *, read_file: ReadFile, depth: int) -> TrainingLog | None:
    files, folders = _entries(folder)
    names = {file.name: file for file in files}
    for name in NAMED:
        if name in names:
            return _told(read_file(str(names[name])), folder=folder, file=name)
    events = _event_files(files, folders)
    if events:
        return _events(folder, events)
    metrics = folder if folder.name == "metrics" else folder / "metrics"
    if metrics.is_dir() and (log := _metrics(metrics)) is not None:
        return log
    likely = [file for file in files if file.suffix.lower() in SUFFIXES]
    if len(likely) == 1:
        return _told(read_file(str(likely[0])), folder=folder, file=likely[0].name)
    if depth < MAX_DEPTH:
        for inner in reversed(folders):
            if (log := _found(inner, read_file=read_file, depth=depth + 1)) is not None:
                return log
    return None


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the files and directories in a directory, 2 before 10."""
    try:
        with os.scandir(folder) as entries:
            found = [
                (Path(entry.path), entry.is_dir(follow_symlinks=False), entry.is_file())
                for entry, _ in zip(entries, range(MAX_ENTRIES), strict=False)
            ]
    except OSError as error:
        shown = printable(folder.name, width=60)
        raise DataError(
            f"the directory {shown} cannot be read: {printable(error.strerror or 'unknown error')}"
        ) from None
    found.sort(key=lambda each: _natural(each[0].name))
    return [path for path, _, is_file in found if is_file], [path for path, is_folder, _ in found if is_folder]


def _natural(name: str) -> list[tuple[int, str]]:
    return [
        (int(part[:18]), "") if part.isascii() and part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)
    ]


def _event_files(files: Sequence[Path], folders: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return (prefix of the tags, file) of a run: those in the directory, and those beside for other data."""
    own = [("", file) for file in files if EVENT_MARK in file.name]
    beside = []
    for inner in folders:
        if own or SIDE_WORDS.fullmatch(inner.name):
            beside += [(f"{inner.name}/", file) for file in _entries(inner)[0] if EVENT_MARK in file.name]
    return (own + beside)[-MAX_EVENT_FILES:]


def _events(folder: Path, events: Sequence[tuple[str, Path]]) -> TrainingLog:
    reader = ScalarReader()
    skipped: list[str] = []
    with contextlib.ExitStack() as stack:
        for prefix, file in events:
            try:
                log = open_log(str(file))
            except DataError as error:
                # A run that died at once leaves an empty file; one bad file does not spoil the others.
                if len(events) == 1:
                    raise
                skipped.append(str(error))
                continue
            stack.enter_context(log.file)
            reader.add(log, prefix=prefix)
    name = printable(folder.name, width=60)
    last = printable(events[-1][1].name, width=60)
    which = f"the event file {last}" if len(events) == 1 else f"{len(events)} event files, the last of them {last},"
    note = (
        f"{name} is a directory: {which} in it was read"
        if len(events) == 1
        else f"{name} is a directory: {which} were read"
    )
    return mended(reader.readings(name=name), name=name, path=str(folder), notes=(note, *skipped))


def _metrics(folder: Path) -> TrainingLog | None:
    """Read the metrics of an MLflow run; one called train/loss lies in a directory of its own."""
    files, folders = _entries(folder)
    found = [(file.name, file) for file in files]
    for inner in folders:
        found += [(f"{inner.name}/{file.name}", file) for file in _entries(inner)[0]]
    with contextlib.ExitStack() as stack:
        metrics: list[tuple[str, LogFile]] = []
        for name, file in found:
            if not file.stat().st_size:
                continue
            log = open_log(str(file))
            stack.enter_context(log.file)
            if mlflow.claims(log):
                metrics.append((name, log))
        if not metrics:
            return None
        readings = mlflow.read_metrics(metrics, params=_params(folder.with_name("params")))
    name = printable(folder.parent.name or folder.name, width=60)
    note = f"{name} is a run of MLflow with {plural(len(metrics), 'metric')}"
    return mended(readings, name=name, path=str(folder), notes=(note,))


def _params(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and value of the parameters of an MLflow run, a file each."""
    for file in _entries(folder)[0] if folder.is_dir() else ():
        with contextlib.suppress(OSError), file.open(encoding="utf-8", errors="replace") as text:
            yield file.name, text.read(MAX_PARAM)


def _told(log: TrainingLog, *, folder: Path, file: str) -> TrainingLog:
    note = f"{printable(folder.name, width=60)} is a directory: {printable(file, width=60)} in it was read"
    return dataclasses.replace(log, notes=(note, *log.notes))
