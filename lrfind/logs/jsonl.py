"""JSON lines: a record a line."""

from __future__ import annotations

from lrfind.errors import DataError
from lrfind.logs.log import Repair
from lrfind.logs.opened import LogFile, parse_json
from lrfind.logs.readings import Readings, RecordReader

# More broken lines than good ones: something else that happens to begin like JSON.
MAX_BROKEN_SHARE = 0.5
# No record of numbers is longer; a longer line is not parsed.
MAX_LINE_BYTES = 2_000_000


def claims(log: LogFile) -> bool:
    """Whether the first line that is not blank is a JSON object."""
    first = log.head.lstrip().partition(b"\n")[0]
    return log.is_text and first.startswith(b"{") and _record(first.decode("utf-8", errors="replace")) is not None


def read(log: LogFile) -> Readings:
    """Return the records; a broken last line is a run that is still writing."""
    reader = RecordReader(place="line")
    broken: list[int] = []
    number = last = 0
    for number, line in enumerate(log.lines(), start=1):
        if line.isspace():
            continue
        record = _record(line)
        last = number
        if record is None:
            broken.append(number)
        else:
            reader.add(record, place=number)
    repairs = []
    if broken and broken[-1] == last and log.ends_open:
        broken.pop()
        sentence = f"the last line ({last}) is incomplete (truncated; the run is still writing?) and was left out"
        repairs.append(Repair(kind="truncated", count=1, first=f"line {last}", sentence=sentence))
    if len(broken) > MAX_BROKEN_SHARE * number:
        raise DataError(f"{log.name}, line {broken[0]}: this is not valid JSON (one record a line is expected)")
    if broken:
        was = "1 line is" if len(broken) == 1 else f"{len(broken):,} lines are"
        sentence = f"{was} no JSON record and left out (first: line {broken[0]})"
        repairs.append(Repair(kind="unreadable row", count=len(broken), first=f"line {broken[0]}", sentence=sentence))
    return reader.readings("jsonl", repairs=repairs)


def _record(line: str) -> dict[str, object] | None:
    if len(line) > MAX_LINE_BYTES:
        return None
    try:
        record = parse_json(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
