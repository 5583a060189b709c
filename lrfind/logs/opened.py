"""Open a log for the readers: `open_log(source) -> LogFile`.

The guard of `lrfind.data` does what it does for tables: regular files only, gzip and zstandard with their checksums
and limits, any encoding to UTF-8. What is particular to logs is done here: event files are binary and go as they
are, carriage returns of progress bars end lines, and a JSON document is parsed once for all readers.
"""

from __future__ import annotations

import glob
import io
import json
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lrfind.data import textfile
from lrfind.data.source import FOREIGN, HEAD_BYTES, MAX_COPY_BYTES, open_sources
from lrfind.data.unpack import PACKED, unpacked
from lrfind.errors import DataError, UsageError
from lrfind.logs.records import MAX_RECORD_HEAD, begins_with_record
from lrfind.text import printable

# Parsed JSON takes some ten times its size in memory; the state of a long run is a few megabytes.
MAX_JSON_BYTES = 256 * 1024**2
COPY_CHUNK_BYTES = 1024**2
# Longer lines are cut in two; no row of a log is as long.
MAX_LINE_BYTES = 2_000_000
# Smaller than the longest line, so that of the lines in a chunk only the first can be longer than that.
LINES_CHUNK_BYTES = 256 * 1024
EXPECTED = (
    "expected CSV, JSON lines, Keras history, trainer_state.json, TensorBoard events, MLflow metrics or printed text"
)
# Every other byte of Western text in UTF-16 is zero, of random bytes one in 256.
MIN_WIDE_SHARE = 0.2
# What plain text consists of.
PLAIN = bytes(range(32, 127)) + b"\t\n\r\b\x1b"
# What JSON begins with, but a line like "[100] loss: 0.5" or "{'loss': 0.5}" does not.
JSON_START = re.compile(
    rb"\s*(\{\s*[\"}]|\[\s*([\[{\"\]]|-?[\d.]+([eE][-+]?\d+)?\s*,\s*-?[\d.]|(NaN|-?Infinity|null)\s*,))"
)
# Two numbers in brackets before a text: "[1, 2000] loss: 0.5".
BRACKETED = re.compile(rb"\s*\[\s*\d+\s*,\s*\d+\s*\]\s*[^\s,\]]")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogFile:
    """A log, open and safe to hand to a reader.

    Attributes
    ----------
    name : str
        Fit to show.
    path : str
        As given.
    file : binary file
        Text: UTF-8 with line feeds. Else an event file as it is.
    head : bytes
        Its first bytes.
    is_text : bool
    is_json : bool
        Whether the whole file is one JSON document.
    document : object
        That document.
    notes : tuple of str
    """

    name: str
    path: str
    file: IO[bytes]
    head: bytes
    is_text: bool
    is_json: bool = False
    document: Any = None
    notes: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the lines of a text log, their ends included."""
        for block in self.blocks():
            yield from io.StringIO(block.decode("utf-8", errors="replace"), newline="\n")

    def blocks(self) -> Iterator[bytes]:
        """Yield the text a piece at a time, each of whole lines, but for lines that are too long."""
        self.file.seek(0)
        held = b""
        # Split a chunk at a time: a call for each line takes longer than most readers need for it.
        while chunk := self.file.read(LINES_CHUNK_BYTES):
            held += chunk
            # A file without line ends must not become one string of gigabytes.
            while len(held) > MAX_LINE_BYTES and held.find(b"\n", 0, MAX_LINE_BYTES) < 0:
                yield held[:MAX_LINE_BYTES]
                held = held[MAX_LINE_BYTES:]
            end = held.rfind(b"\n") + 1
            if end:
                yield held[:end]
            held = held[end:]
        if held:
            yield held

    @property
    def ends_open(self) -> bool:
        """Whether the last line has no end, as while it is being written."""
        self.file.seek(-1, io.SEEK_END)
        return self.file.read(1) != b"\n"


def open_log(source: str) -> LogFile:
    """Open the one log that `source` names: a file, a pattern that fits one file, or "-".

    Parameters
    ----------
    source : str

    Returns
    -------
    LogFile
        Close its file.

    Raises
    ------
    DataError, UsageError
        It is missing, unreadable, no regular file, damaged, or of no kind that is known.
    """
    path = source if source == "-" else _one_path(source)
    name = "standard input" if path == "-" else printable(Path(path).name or path, width=60)
    file = _copy_of_stdin() if path == "-" else _regular(path)
    made = [file]
    opened = None
    try:
        opened = _inspected(made, name=name, path=path)
    finally:
        for each in made:
            if opened is None or each is not opened.file:
                each.close()
    return opened


def _one_path(source: str) -> str:
    if not source or "\0" in source or "://" in source[:12] or os.path.lexists(source) or not glob.has_magic(source):
        return source
    found = sorted(glob.glob(source))  # noqa: PTH207 - as the guard of tables does it, patterns with any characters
    if len(found) > 1:
        raise DataError(
            f"{printable(source, width=60)}: {len(found):,} files match, and a log is one run: name one of them, "
            f"such as {printable(found[-1], width=60)}"
        )
    return found[0] if found else source


def _regular(path: str) -> IO[bytes]:
    try:
        status = os.stat(path) if path else None  # noqa: PTH116 - a Path would refuse names that are not UTF-8
        if status is not None and stat.S_ISREG(status.st_mode) and status.st_size:
            return open(path, "rb")  # noqa: PTH123 - handed on; LogFile's owner closes it
    except (OSError, ValueError):
        pass
    # The guard of tables knows a sentence for everything that is wrong with a name.
    return next(open_sources(path)).file


def _copy_of_stdin() -> IO[bytes]:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("- reads standard input, which is a terminal here: pipe a log into it")
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - handed on
    while chunk := sys.stdin.buffer.read(COPY_CHUNK_BYTES):
        copy.write(chunk)
        if copy.tell() > MAX_COPY_BYTES:
            copy.close()
            raise DataError(f"standard input is longer than {MAX_COPY_BYTES // 1024**3} GB: save it to a file first")
    if not copy.tell():
        copy.close()
        raise DataError("standard input is empty (0 bytes): no data")
    copy.flush()
    return copy


def _inspected(made: list[IO[bytes]], *, name: str, path: str) -> LogFile:
    """Look into the file in `made`, and add the copies made on the way to it."""
    head = _head(made[-1])
    for packed in PACKED:
        if head.startswith(packed.magic):
            made.append(unpacked(made[-1], packed, name=name))
            head = _head(made[-1])
            break
    if not head:
        raise DataError(f"{name} is empty (0 bytes): no data")
    if begins_with_record(head[:MAX_RECORD_HEAD]):
        return LogFile(name=name, path=path, file=made[-1], head=head, is_text=False)
    _refuse_foreign(head, name)
    made.append(_with_line_feeds(made[-1], head))
    text = textfile.as_utf8(made[-1], _head(made[-1]), name=name)
    made.append(text.file)
    head = _head(text.file)
    is_json, document = _document(text.file, head, name=name)
    return LogFile(
        name=name, path=path, file=text.file, head=head, is_text=True, is_json=is_json, document=document,
        notes=text.notes,
    )  # fmt: skip


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(HEAD_BYTES)


def _refuse_foreign(head: bytes, name: str) -> None:
    if "tfevents" in name:
        raise DataError(
            f"{name} is named like a TensorBoard event file but does not begin with a record of one: its checksum "
            "(CRC) is wrong, so it is corrupt or something else"
        )
    for magic, what in (*FOREIGN, (b"PAR1", "a Parquet file: save it as CSV"), (b"PK\x03\x04", "a zip archive")):
        if head.startswith(magic):
            raise DataError(f"{name} is {what} (binary, not a log); {EXPECTED}")
    if head.count(b"\0") > MIN_WIDE_SHARE * len(head):
        # Text in UTF-16 or UTF-32, or not: the guard of tables tells.
        return
    kept = textfile.CONTROLS.replace(b"\b", b"")
    if _has_stray_zeros(head):
        kept = kept.replace(b"\0", b"")
    n_controls = len(head) - len(head.translate(None, kept))
    if n_controls > max(textfile.MAX_CONTROL_SHARE * len(head), textfile.MAX_STRAY_CONTROLS):
        raise DataError(f"{name} is binary and of no known format; {EXPECTED}")


def _has_stray_zeros(head: bytes) -> bool:
    """Whether there are zero bytes in what is plain text else, as programs in C print them at the ends of strings."""
    return 0 < head.count(b"\0") <= MIN_WIDE_SHARE * len(head) and not head.translate(None, PLAIN + b"\0")


def _with_line_feeds(file: IO[bytes], head: bytes) -> IO[bytes]:
    """Return the text with a line for each update of a progress bar, which begins with returns and backspaces."""
    has_zeros = _has_stray_zeros(head)
    is_wide = head.startswith((b"\xff\xfe", b"\xfe\xff")) or (b"\0" in head and not has_zeros)
    if is_wide or not (has_zeros or b"\b" in head or _has_bare_returns(file)):
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - handed on
    file.seek(0)
    held = b""
    while chunk := file.read(COPY_CHUNK_BYTES):
        piece = held + chunk
        held = b"\r" if piece.endswith(b"\r") else b""
        copy.write(
            piece[: len(piece) - len(held)].translate(None, b"\b\0").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        )
    copy.write(b"\n" if held else b"")
    copy.flush()
    return copy


def _has_bare_returns(file: IO[bytes]) -> bool:
    file.seek(0)
    last = b""
    while chunk := file.read(COPY_CHUNK_BYTES):
        piece = last + chunk
        last = b"\r" if piece.endswith(b"\r") else b""
        if piece.count(b"\r") - len(last) != piece.count(b"\r\n"):
            return True
    return last == b"\r"


def _document(file: IO[bytes], head: bytes, *, name: str) -> tuple[bool, Any]:
    """Parse the file as one JSON document where it looks like one; lines of JSON are not one."""
    if not JSON_START.match(head) or BRACKETED.match(head) or _has_json_lines(head):
        return False, None
    size = file.seek(0, io.SEEK_END)
    if size > MAX_JSON_BYTES:
        raise DataError(
            f"{name} is a JSON document of {size // 1024**2:,} MB, and at most {MAX_JSON_BYTES // 1024**2} MB are "
            "read: log as JSON lines or CSV"
        )
    file.seek(0)
    text = file.read().decode("utf-8", errors="replace")
    try:
        return True, parse_json(text)
    except RecursionError:
        raise DataError(f"{name} is not a log: its JSON is nested too deep") from None
    except json.JSONDecodeError as error:
        if error.msg.startswith("Extra data"):
            # Settings, and below them records.
            return False, None
        is_cut = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated")
        what = "is cut off: its JSON is incomplete (truncated)" if is_cut else "is not valid JSON"
        raise DataError(f"{name}, line {error.lineno}: the file {what} there; copy it again, or name another") from None


def _has_json_lines(head: bytes) -> bool:
    """Whether the first line is a JSON object by itself and is not all there is, or all there is and one record."""
    first, _, rest = head.lstrip().partition(b"\n")
    if not first.startswith(b"{") or not rest.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(parse_json(first.decode("utf-8", errors="replace")), dict)
    except (ValueError, RecursionError):
        return False


# Made once: json.loads makes one for each text, which takes as long as parsing a line.
DECODER = json.JSONDecoder(parse_int=float)


def parse_json(text: str) -> Any:
    """Parse JSON with Python's NaN and Infinity; whole numbers too, as floats: they may have thousands of digits."""
    return DECODER.decode(text)
