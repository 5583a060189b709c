"""The framing of event files: `read_records(file)` yields what the records hold, checksums checked.

A record is its length (8 bytes, little-endian), the masked CRC-32C of those, the data and the masked CRC-32C of the
data. A file that stops within a record is still being written, or its writer was killed; a wrong checksum is damage.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Literal

import numpy as np
import numpy.typing as npt

from lrfind.logs.crc32c import crc32c, crc32c_each

HEADER = 12
FOOTER = 4
MAX_RECORD_HEAD = HEADER
# Records checked in one go: large enough that NumPy's overhead vanishes, small enough for the cache.
CHUNK_BYTES = 4 * 1024**2
# No event is longer; TensorFlow's own protobufs end at 2 GB, images and histograms at some megabytes.
MAX_RECORD_BYTES = 512 * 1024**2
# CRCs are stored rotated and shifted by this number, so that the CRC of data with CRCs in it is no trap (TFRecord).
MASK = 0xA282EAD8

State = Literal["open", "whole", "cut", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some records.

    Attributes
    ----------
    payloads : list of bytes
        Their data, in order.
    state : {"open", "whole", "cut", "damaged"}
        "open" while there is more; the last batch says how the file ends.
    offset : int
        Byte at which the reading stopped.
    """

    payloads: list[bytes]
    state: State
    offset: int


def begins_with_record(head: bytes) -> bool:
    """Whether bytes begin with a length and the right checksum of it."""
    return len(head) >= HEADER and bool(_masked(crc32c(head[:8])) == struct.unpack_from("<I", head, 8)[0])


def read_records(file: IO[bytes]) -> Iterator[Batch]:
    """Yield the records of an event file, a batch at a time.

    Parameters
    ----------
    file : binary file

    Yields
    ------
    Batch
        The last one is not "open".
    """
    size = file.seek(0, io.SEEK_END)
    offset = 0
    while True:
        file.seek(offset)
        buffer = file.read(CHUNK_BYTES)
        needed = _needed(buffer)
        if (
            needed > len(buffer)
            and begins_with_record(buffer[:HEADER])
            and needed <= min(size - offset, MAX_RECORD_BYTES)
        ):
            buffer += file.read(needed - len(buffer))
        starts, lengths = _frames(buffer)
        n_good = _n_good(buffer, starts=starts, lengths=lengths)
        payloads = [
            buffer[start : start + length]
            for start, length in zip(starts[:n_good].tolist(), lengths[:n_good].tolist(), strict=True)
        ]
        used = int(starts[n_good - 1] + lengths[n_good - 1]) + FOOTER if n_good else 0
        offset += used
        state = _state(buffer[used:], n_left=len(starts) - n_good, is_last=offset - used + len(buffer) >= size)
        if state == "open" and not used:
            # A record that is longer than any event, or than the file.
            state = "cut" if begins_with_record(buffer[:HEADER]) else "damaged"
        yield Batch(payloads=payloads, state=state, offset=offset)
        if state != "open":
            return


def _needed(buffer: bytes) -> int:
    return int(struct.unpack_from("<Q", buffer)[0]) + HEADER + FOOTER if len(buffer) >= HEADER else HEADER


def _frames(buffer: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where the data of each whole record starts and how long it is; nothing is checked yet."""
    starts, lengths = [], []
    position, end = 0, len(buffer)
    while position + HEADER + FOOTER <= end:
        (length,) = struct.unpack_from("<Q", buffer, position)
        if length > end - position - HEADER - FOOTER:
            break
        starts.append(position + HEADER)
        lengths.append(length)
        position += HEADER + length + FOOTER
    return np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int64)


def _n_good(buffer: bytes, *, starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> int:
    """Return how many records from the start have both checksums right."""
    if not len(starts):
        return 0
    data = np.frombuffer(buffer, dtype=np.uint8)
    heads = starts - HEADER
    is_good = _masked(crc32c_each(data, starts=heads, lengths=np.full_like(heads, 8))) == _stored(data, heads + 8)
    # Lengths behind a bad one lead anywhere, so their data is not worth the checking.
    n = int(np.argmin(is_good)) if not is_good.all() else len(is_good)
    is_good = _masked(crc32c_each(data, starts=starts[:n], lengths=lengths[:n])) == _stored(
        data, starts[:n] + lengths[:n]
    )
    return int(np.argmin(is_good)) if not is_good.all() else n


def _stored(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    stored: npt.NDArray[np.uint32] = data[at[:, None] + np.arange(4)].copy().view("<u4")[:, 0]
    return stored


def _masked(crc: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    crc = np.asarray(crc, dtype=np.uint32)
    rotated = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    return np.asarray((rotated.astype(np.uint64) + MASK).astype(np.uint32))


def _state(rest: bytes, *, n_left: int, is_last: bool) -> State:
    """Say how it goes on after the last good record; `rest` is what was read beyond it."""
    if n_left or (len(rest) >= HEADER and not begins_with_record(rest[:HEADER])):
        return "damaged"
    if not is_last:
        return "open"
    return "cut" if rest else "whole"
