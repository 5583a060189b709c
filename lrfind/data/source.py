"""Open what the user named: `open_sources(source)` gives plain UTF-8 text, Parquet or .npz, or says why not.

No reader is safe alone: DuckDB expands `*` in a real file name and ignores a wrong gzip checksum, others read
UTF-16 as rubbish. So everything is looked at here first, and readers are only ever handed an open file.
"""

from __future__ import annotations

import errno
import glob
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from lrfind.data import textfile
from lrfind.data.unpack import PACKED, unpacked
from lrfind.errors import DataError, UsageError
from lrfind.text import nearest, printable

# Enough to see a magic number, an encoding and a few hundred rows; one read of a disk.
HEAD_BYTES = 64 * 1024
# A copy of standard input may not fill the disk; the same figure as for unpacked files.
MAX_COPY_BYTES = 2 * 1024**3
# Above this, hashing would be felt; size and time of change stand in for the hash.
MAX_HASH_BYTES = 64 * 1024**2
# A path's end tells most: long enough for most paths, short enough for a message.
PATH_WIDTH = 200
# Files of one glob are open together; most systems allow 256 or more in a process.
MAX_FILES = 100
COPY_CHUNK_BYTES = 4 * 1024**2

Format = Literal["csv", "jsonl", "json", "parquet", "npz"]

# First bytes of files that people hand over by mistake, and what to call them.
FOREIGN = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file: save it as CSV"),
    (b"BZh", "bzip2-compressed: unpack it first, or use gzip"),
    (b"\xfd7zXZ", "xz-compressed: unpack it first, or use gzip"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"SQLite format 3\0", "an SQLite database: export the table as CSV"),
    (b"\x89HDF", "an HDF5 file: export the table as CSV or Parquet"),
    (b"ARROW1", "an Arrow file: save it as Parquet"),
    (b"ORC", "an ORC file: save it as Parquet"),
    (b"\x93NUMPY", "a single NumPy array: save X and y together with numpy.savez"),
    (b"\x80\x04\x95", "a pickle, which is not safe to open: save it as CSV or Parquet"),
    (b"\x7fELF", "a program"),
)
HTML_STARTS = (b"<!doctype html", b"<html", b"<head>", b"<body")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenFile:
    """One file, open and safe to hand to a reader.

    Attributes
    ----------
    name : str
        Fit to show: the file's name, made printable.
    file : binary file
        Text formats: UTF-8 without a byte order mark, with one kind of line end.
    format : {"csv", "jsonl", "json", "parquet", "npz"}
    n_lines : int
        Line ends in a text file.
    sha256 : str or None
        Of the bytes as they were given.
    size : int
        Bytes as given.
    mtime : float or None
    detected, notes
        As in `Source` and `Table`.
    """

    name: str
    file: IO[bytes]
    format: Format
    n_lines: int
    sha256: str | None
    size: int
    mtime: float | None
    detected: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def device(self) -> str:
        """The open file by number: a path without any character of the user's, safe inside SQL."""
        return f"/dev/fd/{self.file.fileno()}"


def open_sources(source: str) -> Iterator[OpenFile]:
    """Open the file, standard input ("-") or files (a glob) that `source` names.

    Parameters
    ----------
    source : str
        As the user gave it.

    Yields
    ------
    OpenFile
        In order of name; whoever iterates closes them.

    Raises
    ------
    DataError
        What is named is missing, unreadable, no regular file, or no table.
    """
    if source == "-":
        yield _inspected(_copy_of_stdin(), name="standard input", mtime=None)
        return
    for path in _paths(source):
        name = printable(Path(path).name or path, width=60)
        file, mtime = _open_regular(path, name)
        try:
            opened = _inspected(file, name=name, mtime=mtime)
        except BaseException:
            file.close()
            raise
        if opened.file is not file:
            file.close()
        yield opened


def _paths(source: str) -> list[str]:
    if "://" in source[:12]:
        raise UsageError(
            f"{printable(source, width=60)} is a URL, and only local files are read: download it first, then name the "
            "file"
        )
    if not source or "\0" in source:
        raise UsageError("the name of the data file is empty or holds a NUL character")
    if os.path.lexists(source) or not glob.has_magic(source):
        return [source]
    # A Path would want the folder and the pattern apart, and a pattern may stand in both.
    found = sorted(path for path in glob.glob(source) if not Path(path).is_dir())  # noqa: PTH207
    if not found:
        raise DataError(f"{printable(source, width=60)}: no file matches this pattern")
    if len(found) > MAX_FILES:
        raise DataError(
            f"{printable(source, width=60)}: {len(found)} files match, and at most {MAX_FILES} are read together"
        )
    return found


def _open_regular(path: str, name: str) -> tuple[IO[bytes], float]:
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path would refuse names that are not UTF-8 on some systems
        _refuse_irregular(status, name)
        file = open(path, "rb")  # noqa: SIM115, PTH123 - handed on; OpenFile's owner closes it
    except OSError as error:
        raise DataError(_refusal(error, path, name=name)) from None
    return file, status.st_mtime


def _refuse_irregular(status: os.stat_result, name: str) -> None:
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        raise DataError(f"{name} is a directory, not a file: name a file in it, or a pattern such as {name}/*.csv")
    if stat.S_ISFIFO(mode):
        raise DataError(f"{name} is a pipe, not a regular file: use - to read from standard input")
    if not stat.S_ISREG(mode):
        raise DataError(f"{name} is a device, not a regular file")
    if status.st_size == 0:
        raise DataError(f"{name} is empty (0 bytes)")


def _refusal(error: OSError, path: str, *, name: str) -> str:
    if error.errno == errno.ENOENT and os.path.lexists(path):
        return f"{name} is a symbolic link to a file that is not there"
    if error.errno == errno.ENOENT:
        return f"{printable(path, width=PATH_WIDTH)}: no such file{_suggestion(path)}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{name} cannot be read: permission denied"
    if error.errno == errno.ELOOP:
        return f"{name} is a symbolic link that leads back to itself"
    if error.errno == errno.ENAMETOOLONG:
        return f"{printable(path, width=60)}: no such file (the name is longer than the system allows)"
    return f"{name} cannot be read: {printable(error.strerror or type(error).__name__)}"


def _suggestion(path: str) -> str:
    try:
        neighbours = os.listdir(Path(path).parent)  # noqa: PTH208 - names as given, also those that are not UTF-8
    except OSError:
        return ""
    close = nearest(Path(path).name, neighbours)
    return f"; did you mean '{printable(close, width=60)}'?" if close else ""


def _copy_of_stdin() -> IO[bytes]:
    if sys.stdin is None:
        raise UsageError("- reads standard input, which is closed: pipe a file into it")
    if sys.stdin.isatty():
        raise UsageError("- reads standard input, which is a terminal here: pipe a file into it")
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - handed on
    size = 0
    while chunk := sys.stdin.buffer.read(COPY_CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_COPY_BYTES:
            raise DataError(f"standard input is longer than {MAX_COPY_BYTES // 1024**3} GB: save it to a file first")
        copy.write(chunk)
    copy.flush()
    if size == 0:
        raise DataError("standard input is empty (0 bytes)")
    return copy


def _inspected(file: IO[bytes], *, name: str, mtime: float | None) -> OpenFile:
    size = os.fstat(file.fileno()).st_size
    sha256 = textfile.sha256(file) if size <= MAX_HASH_BYTES else None
    detected: tuple[tuple[str, str], ...] = ()
    head = _head(file)
    for packed in PACKED:
        if head.startswith(packed.magic):
            file = unpacked(file, packed, name=name)
            head = _head(file)
            detected = (("compression", packed.name),)
            break
    kind = _binary_format(head, name)
    if kind is not None:
        return OpenFile(
            name=name, file=file, format=kind, n_lines=0, sha256=sha256, size=size, mtime=None if sha256 else mtime,
            detected=detected, notes=(),
        )  # fmt: skip
    if head.lstrip()[:20].lower().startswith(HTML_STARTS):
        raise DataError(
            f"{name} is an HTML page, not a table: perhaps a login or error page was saved in place of the data"
        )
    text = textfile.as_utf8(file, head, name=name)
    return OpenFile(
        name=name, file=text.file, format=_text_format(_head(text.file), name), n_lines=text.n_lines, sha256=sha256,
        size=size, mtime=None if sha256 else mtime, detected=(*detected, *text.detected), notes=text.notes,
    )  # fmt: skip


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(HEAD_BYTES)


def _binary_format(head: bytes, name: str) -> Format | None:
    if not head:
        raise DataError(f"{name} is empty (0 bytes)")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        if b".npy" in head[:4096]:
            return "npz"
        office = b"xl/" in head or b"[Content_Types]" in head
        what = "an Excel workbook: save it as CSV" if office else "a zip archive: unpack it first"
        raise DataError(f"{name} is {what}, and try again with that file")
    for magic, what in FOREIGN:
        if head.startswith(magic):
            raise DataError(f"{name} is {what} (binary, not a table)")
    return None


def _text_format(head: bytes, name: str) -> Format:
    # A CSV header may well begin with a bracket; records begin with a bracket and a quote.
    start = b"".join(head[:256].split())
    if start.startswith((b'{"', b"{}")):
        return "jsonl"
    if start.startswith((b'[{"', b"[{}", b"[]")):
        return "json"
    first = head.strip().split(b"\n", maxsplit=1)[0].strip()
    if first.startswith(b"[") and first.endswith(b"]") and is_json(first):
        raise DataError(f'{name} holds JSON arrays without names: write one record a line, such as {{"x": 1, "y": 2}}')
    return "csv"


def is_json(line: bytes) -> bool:
    """Return whether a line is a JSON document."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
