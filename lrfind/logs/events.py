"""TensorBoard event files: each record a protobuf `Event`, of which only the scalars are read.

The few fields needed are walked by hand: TensorBoard's own reader brings half a gigabyte of memory and seconds of
imports for four fields, and treats a cut file and a damaged one alike.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import numpy as np

from lrfind.errors import DataError
from lrfind.logs.log import Repair
from lrfind.logs.opened import LogFile
from lrfind.logs.readings import MAX_SERIES, Readings, Series
from lrfind.logs.records import Batch, read_records

# Field numbers of event.proto, summary.proto and tensor.proto.
EVENT_STEP, EVENT_SUMMARY = 2, 5
SUMMARY_VALUE = 1
VALUE_TAG, VALUE_SIMPLE, VALUE_TENSOR = 1, 2, 8
TENSOR_DTYPE, TENSOR_CONTENT = 1, 4
# How one number of each type lies in tensor_content (types.proto), and which repeated field may hold it instead.
CONTENT = {1: "<f", 2: "<d", 3: "<i", 9: "<q", 19: "<e"}
FLOAT_VALUES, DOUBLE_VALUES, INT_VALUES, INT64_VALUES = 5, 6, 7, 10
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
# A 64-bit number takes ten groups of seven bits.
MAX_VARINT_BYTES = 10
# Set in every byte of a varint but the last.
CONTINUED = 0x80
FLOAT_BYTES, DOUBLE_BYTES = 4, 8

FLOAT = struct.Struct("<f")
# An event as nearly all are: time, step, and a summary of one tag with one float. Read in one go, since walking the
# fields of a million events takes ten seconds; whatever differs is walked.
PLAIN = re.compile(
    rb"\x09.{8}\x10(?P<step>[\x80-\xff]{0,9}[\x00-\x7f])\x2a(?P<summary_length>[\x00-\x7f])"
    rb"\x0a(?P<value_length>[\x00-\x7f])\x0a(?P<tag_length>[\x00-\x7f])(?P<tag>.*)\x15(?P<value>.{4})",
    re.DOTALL,
)

# Keys of its first two fields, and where the step begins: behind the first key, eight bytes of time and the second.
TIME_KEY, STEP_KEY, STEP_AT = 0x09, 0x10, 10

Field = tuple[int, int, int | bytes]


def fields(message: bytes) -> Iterator[Field]:
    """Yield the fields of a protobuf message as (number, wire type, value).

    Raises
    ------
    ValueError
        It is malformed.
    """
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value: int | bytes
            value, position = _varint(message, position)
        else:
            if wire == BYTES:
                length, position = _varint(message, position)
            else:
                length = {FIXED64: 8, FIXED32: 4}.get(wire, -1)
            if length < 0 or length > end - position or not number:
                raise ValueError("malformed field")
            value = message[position : position + length]
            position += length
        yield number, wire, value


def _varint(message: bytes, position: int) -> tuple[int, int]:
    # Nearly all are short: numbers of fields, lengths of names.
    if position < len(message) and message[position] < CONTINUED:
        return message[position], position + 1
    value = shift = 0
    for at in range(position, min(position + MAX_VARINT_BYTES, len(message))):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        if byte < CONTINUED:
            return value, at + 1
        shift += 7
    raise ValueError("malformed number")


def scalars(event: bytes) -> tuple[int, list[tuple[str, float]]]:
    """Return the step of an event and its scalars as (tag, value).

    Parameters
    ----------
    event : bytes
        A protobuf message of type Event.

    Returns
    -------
    step : int
    values : list of (str, float)

    Raises
    ------
    ValueError
        It is malformed.
    """
    plain = PLAIN.fullmatch(event)
    if plain is not None and _is_whole(plain):
        (value,) = FLOAT.unpack(plain["value"])
        return _signed(_varint(plain["step"], 0)[0]), [(plain["tag"].decode("utf-8", errors="replace"), value)]
    step, found = 0, []
    for number, wire, value in fields(event):
        if number == EVENT_STEP and wire == VARINT:
            step = _signed(value)
        elif number == EVENT_SUMMARY and wire == BYTES:
            found += [
                _scalar(inner)
                for field, kind, inner in fields(_bytes(value))
                if (field, kind) == (SUMMARY_VALUE, BYTES)
            ]
    return step, [each for each in found if each is not None]


def _is_whole(plain: re.Match[bytes]) -> bool:
    """Whether the lengths in a plain event are those of what they stand before."""
    (summary,), (value,), (tag,) = plain["summary_length"], plain["value_length"], plain["tag_length"]
    return tag == len(plain["tag"]) and value == tag + 2 + 1 + FLOAT.size and summary == value + 2


def _bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _signed(value: int | bytes) -> int:
    number = (value if isinstance(value, int) else 0) & (2**64 - 1)
    return number - 2**64 if number >= 2**63 else number


def _scalar(message: int | bytes) -> tuple[str, float] | None:
    tag, number = "", None
    for field, wire, value in fields(_bytes(message)):
        if (field, wire) == (VALUE_TAG, BYTES):
            tag = _bytes(value).decode("utf-8", errors="replace")
        elif (field, wire) == (VALUE_SIMPLE, FIXED32):
            number = struct.unpack("<f", _bytes(value))[0]
        elif (field, wire) == (VALUE_TENSOR, BYTES):
            number = _tensor(_bytes(value))
    return None if number is None else (tag, float(number))


def _tensor(message: bytes) -> float | None:
    """Return the number in a tensor of one number, or None: texts, images and histograms are tensors too."""
    dtype, content, found = 1, b"", None
    for field, wire, value in fields(message):
        if (field, wire) == (TENSOR_DTYPE, VARINT):
            dtype = _signed(value)
        elif (field, wire) == (TENSOR_CONTENT, BYTES):
            content = _bytes(value)
        elif field == FLOAT_VALUES and len(_bytes(value)) == FLOAT_BYTES:
            found = struct.unpack("<f", _bytes(value))[0]
        elif field == DOUBLE_VALUES and len(_bytes(value)) == DOUBLE_BYTES:
            found = struct.unpack("<d", _bytes(value))[0]
        elif field in (INT_VALUES, INT64_VALUES):
            found = _only_varint(value)
    layout = CONTENT.get(dtype)
    if layout is None:
        return None
    if len(content) == struct.calcsize(layout):
        return float(struct.unpack(layout, content)[0])
    return None if found is None or content else float(found)


def _only_varint(value: int | bytes) -> int | None:
    if isinstance(value, int):
        return _signed(value)
    number, end = _varint(value, 0) if value else (0, -1)
    return _signed(number) if end == len(value) else None


_Rows = tuple[list[int], list[float]]


def _take_known(event: bytes, known: dict[bytes, _Rows], *, steps: list[int]) -> bool:
    """Take a plain event of a tag seen before, without walking it, and say whether it was one."""
    end = STEP_AT
    try:
        while event[end] >= CONTINUED:
            end += 1
    except IndexError:
        return False
    rows = known.get(event[end + 1 : -FLOAT.size])
    if rows is None or event[0] != TIME_KEY or event[STEP_AT - 1] != STEP_KEY or end - STEP_AT >= MAX_VARINT_BYTES:
        return False
    step = event[end]
    for at in range(end - 1, STEP_AT - 1, -1):
        step = step << 7 | event[at] & 0x7F
    rows[0].append(len(steps))
    rows[1].append(FLOAT.unpack_from(event, len(event) - FLOAT.size)[0])
    steps.append(_signed(step))
    return True


class ScalarReader:
    """Collects the scalars of one or several event files."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._tags: dict[str, _Rows] = {}
        self._repairs: list[Repair] = []
        self._notes: list[str] = []
        self.n_records = 0

    def add(self, log: LogFile, *, prefix: str = "") -> None:
        """Read one event file; its tags get `prefix` in front."""
        n_malformed = 0
        known: dict[bytes, _Rows] = {}
        for batch in read_records(log.file):
            self.n_records += len(batch.payloads)
            for payload in batch.payloads:
                if _take_known(payload, known, steps=self._steps):
                    continue
                try:
                    step, values = scalars(payload)
                except ValueError:
                    n_malformed += 1
                    continue
                if values:
                    self._take(step, values, prefix=prefix)
                    self._learn(payload, known, prefix=prefix)
            self._say_end(batch, log.name)
        if n_malformed:
            self._notes.append(
                f"{log.name}: records that are no events although the checksum is right (malformed protobuf), left "
                f"out: {n_malformed:,}"
            )

    def _take(self, step: int, values: list[tuple[str, float]], *, prefix: str) -> None:
        row = len(self._steps)
        self._steps.append(step)
        for tag, value in values:
            if prefix + tag not in self._tags and len(self._tags) >= MAX_SERIES:
                continue
            rows, numbers = self._tags.setdefault(prefix + tag, ([], []))
            rows.append(row)
            numbers.append(value)

    def _learn(self, event: bytes, known: dict[bytes, _Rows], *, prefix: str) -> None:
        """Remember what stands between step and value of a plain event: others of its tag have the same there."""
        plain = PLAIN.fullmatch(event)
        if plain is not None and _is_whole(plain):
            rows = self._tags.get(prefix + plain["tag"].decode("utf-8", errors="replace"))
            if rows is not None:
                known[event[plain.end("step") : -FLOAT.size]] = rows

    def _say_end(self, batch: Batch, name: str) -> None:
        at = f"byte {batch.offset}"
        if batch.state == "cut":
            sentence = (
                f"{name}: the last record is cut off at {at} (truncated): the run is still writing, or was killed"
            )
        elif batch.state == "damaged":
            sentence = (
                f"{name}: a record's checksum (CRC) is wrong at {at}: the file is corrupt, and the rest was left out"
            )
        else:
            return
        self._repairs.append(
            Repair(kind="truncated" if batch.state == "cut" else "unreadable row", count=1, first=at, sentence=sentence)
        )

    def readings(self, *, name: str) -> Readings:
        """Return everything read.

        Raises
        ------
        DataError
            There are no scalars.
        """
        if not self._tags:
            why = f" ({self._repairs[0].sentence[len(name) + 2 :]})" if self._repairs else ""
            raise DataError(
                f"{name}: no scalars in this TensorBoard event file (records: {self.n_records:,}), so no loss{why}"[
                    :290
                ]
            )
        series = {
            tag: Series(rows=np.array(rows, dtype=np.int64), values=np.array(values))
            for tag, (rows, values) in self._tags.items()
        }
        # The step belongs to the event, whatever tags there are; a name that no tag has.
        step_name = "step" if "step" not in series else "step of the event"
        series[step_name] = Series(rows=np.arange(len(self._steps)), values=np.array(self._steps, dtype=np.float64))
        return Readings(
            format="tensorboard", series=series, n_rows=len(self._steps), place="event", roles={"step": step_name},
            # Keras counts epochs under the tags it calls epoch_...
            step_unit="epoch" if any(tag.rpartition("/")[2] == "epoch_loss" for tag in self._tags) else "step",
            repairs=tuple(self._repairs), notes=tuple(self._notes),
        )  # fmt: skip


def claims(log: LogFile) -> bool:
    """Whether a log is an event file."""
    return not log.is_text


def read(log: LogFile) -> Readings:
    """Return the scalars of an event file."""
    reader = ScalarReader()
    reader.add(log)
    return reader.readings(name=log.name)
