"""Metric files of MLflow: lines of time in milliseconds, value and step; a file for each metric."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from lrfind.logs.log import Repair, RepairKind
from lrfind.logs.opened import LogFile
from lrfind.logs.optimizer import is_key
from lrfind.logs.readings import Readings, RecordReader

# Times since 1970 in milliseconds: from 2001 on; no count of steps is so large.
MIN_MILLISECONDS = 10**12
# Lines looked at to tell.
SNIFF_LINES = 20
N_FIELDS = 3


def claims(log: LogFile) -> bool:
    """Whether the first lines are time, value and step."""
    if not log.is_text or log.is_json:
        return False
    lines = [line for line in itertools.islice(log.lines(), SNIFF_LINES) if not line.isspace()]
    good = [line for line in lines if _point(line) is not None]
    return bool(good) and len(good) >= len(lines) - 1


def read(log: LogFile) -> Readings:
    """Return one metric, called as its file."""
    return read_metrics([(PurePath(log.path).name if log.path != "-" else "loss", log)])


def read_metrics(metrics: Sequence[tuple[str, LogFile]], *, params: Iterable[tuple[str, str]] = ()) -> Readings:
    """Return several metrics of one run.

    Parameters
    ----------
    metrics : sequence of (name, file)
    params : iterable of (name, value)
        Of the same run: which optimizer it had.

    Returns
    -------
    Readings
    """
    reader = RecordReader(place="record")
    for name, value in params:
        if is_key(name):
            reader.optimizer.take(value, where=f"params/{name}")
    repairs = []
    for name, log in metrics:
        number, broken = 0, []
        for number, line in enumerate(log.lines(), start=1):
            point = _point(line)
            if point is not None:
                reader.add({"step": point[1], name: point[0]}, place=len(reader) + 1)
            elif not line.isspace():
                broken.append(number)
        if broken:
            is_cut = broken == [number] and log.ends_open
            what = (
                "the last line is incomplete (truncated) and was left out"
                if is_cut
                else f"lines that are not time, value, step, left out: {len(broken):,} (first: line {broken[0]})"
            )
            sentence = f"{log.name}: {what}"
            kind: RepairKind = "truncated" if is_cut else "unreadable row"
            repairs.append(Repair(kind=kind, count=len(broken), first=f"line {broken[0]}", sentence=sentence))
    return reader.readings("mlflow", repairs=repairs)


def _point(line: str) -> tuple[float, float] | None:
    """Return value and step."""
    fields = line.split()
    if len(fields) != N_FIELDS or not fields[0].isascii() or not fields[0].isdigit():
        return None
    try:
        value, step = float(fields[1]), float(int(fields[2]))
    except (ValueError, OverflowError):
        return None
    return (value, step) if float(fields[0]) >= MIN_MILLISECONDS else None
