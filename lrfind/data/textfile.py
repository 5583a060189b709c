"""Bring any text to plain UTF-8 with one kind of line end: `as_utf8(file)`.

Most files need nothing; they are only read once, at the speed of memory, to make sure. The others are copied.
"""

from __future__ import annotations

import codecs
import hashlib
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

from lrfind.errors import DataError

# Large enough that Python's loop costs nothing beside the reading, small enough to stay in the cache.
CHUNK_BYTES = 1024**2
# UTF-32 first: its little-endian mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Text has tabs, line ends, form feeds, escapes and an old end-of-file mark; other control bytes are rare in it.
TEXT_CONTROLS = b"\t\n\r\x0c\x1a\x1b"
CONTROLS = bytes(set(range(32)) - set(TEXT_CONTROLS)) + b"\x7f"
# Random bytes hold 11 % of them, text none; a stray one must pass.
MAX_CONTROL_SHARE = 0.02
# In a file of a few lines, a stray control byte or two is a large share.
MAX_STRAY_CONTROLS = 4
# In UTF-16 text of a Western script nearly every second byte is zero.
UTF16_ZERO_SHARE = 0.6
# Bytes of the widest character, in UTF-32.
WIDEST = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextFile:
    """Text in UTF-8, with what was detected and repaired."""

    file: IO[bytes]
    n_lines: int
    detected: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scan:
    """What one pass over the bytes saw; lines are 1-based, 0 where there is none."""

    n_newlines: int
    n_returns: int
    n_pairs: int
    n_nuls: int
    first_nul_line: int
    first_bad_line: int
    has_multibyte: bool


def sha256(file: IO[bytes]) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def as_utf8(file: IO[bytes], head: bytes, *, name: str) -> TextFile:
    """Return `file`, or a copy of it, as UTF-8 text without byte order mark or NUL and with one kind of line end.

    Parameters
    ----------
    file : binary file
        Seekable.
    head : bytes
        Its first bytes.
    name : str
        What to call it in messages.

    Returns
    -------
    TextFile

    Raises
    ------
    DataError
        It is binary, blank, or not in the encoding it claims.
    """
    mark, encoding = _marked_encoding(head)
    if encoding is None:
        encoding = _unmarked_wide_encoding(head)
    if encoding not in (None, "utf-8"):
        return _decoded(file, mark, encoding=str(encoding), name=name)
    _refuse_binary(head, name)
    scan = _scan(file)
    detected, notes, errors = [], [], "strict"
    encoding = "utf-8"
    if scan.first_bad_line:
        where = f"{name}, line {scan.first_bad_line}"
        if scan.has_multibyte:
            errors = "replace"
            notes.append(f"{where}: bytes that are not UTF-8 were replaced by U+FFFD")
        else:
            encoding = "cp1252"
            detected.append(("encoding", "latin-1 (Windows-1252)"))
            notes.append(f"{where} is not valid UTF-8, so the file was read as Latin-1 (Windows-1252)")
    if scan.n_nuls:
        notes.append(f"{name}, line {scan.first_nul_line}: {scan.n_nuls} NUL bytes in the file were removed")
    n_bare = scan.n_returns - scan.n_pairs
    mixed = n_bare > 0 or scan.n_pairs not in (0, scan.n_newlines)
    if n_bare and not scan.n_newlines:
        detected.append(("line ends", "carriage returns"))
    elif n_bare:
        # Within a line they are data, or a slip; as line ends they would tear rows apart.
        notes.append(f"{name}: {n_bare:,} carriage returns inside lines were replaced by blanks")
    if not (mixed or scan.n_nuls or scan.first_bad_line or mark):
        return TextFile(file=file, n_lines=scan.n_newlines, detected=(), notes=())
    copy, n_lines = _copied(file, mark, encoding=encoding, errors=errors, bare=" " if scan.n_newlines else "\n")
    return TextFile(file=copy, n_lines=n_lines, detected=tuple(detected), notes=tuple(notes))


def _marked_encoding(head: bytes) -> tuple[bytes, str | None]:
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return mark, encoding
    return b"", None


def _unmarked_wide_encoding(head: bytes) -> str | None:
    """Guess UTF-16 or UTF-32 without a mark from where the zero bytes fall."""
    n_groups = len(head) // WIDEST
    if n_groups == 0:
        return None
    usable = head[: n_groups * WIDEST]
    shares = [usable[i::WIDEST].count(0) / n_groups for i in range(WIDEST)]
    zero = tuple(share > UTF16_ZERO_SHARE for share in shares)
    patterns: dict[tuple[bool, ...], str] = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return patterns.get(zero)


def _refuse_binary(head: bytes, name: str) -> None:
    if not head.strip(b" \t\r\n\x0b\x0c\xef\xbb\xbf\0"):
        raise DataError(f"{name} is blank: no header and no rows (empty but for white space)")
    n_controls = len(head) - len(head.translate(None, CONTROLS))
    if n_controls > max(MAX_CONTROL_SHARE * len(head), MAX_STRAY_CONTROLS):
        raise DataError(f"{name} is binary, not a text table: save it as CSV, Parquet or JSON lines (UTF-8)")


def _scan(file: IO[bytes]) -> _Scan:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    newlines = returns = pairs = nuls = nul_line = bad_line = 0
    multibyte, last = False, b""
    while chunk := file.read(CHUNK_BYTES):
        if not bad_line and not (chunk.isascii() and decoder.getstate()[0] == b""):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
                multibyte = True
            except UnicodeDecodeError as error:
                multibyte = multibyte or (error.start > pending and not chunk[: error.start - pending].isascii())
                bad_line = newlines + chunk.count(b"\n", 0, max(error.start - pending, 0)) + 1
                multibyte = multibyte or _has_multibyte(chunk)
        if (found := chunk.find(b"\0")) >= 0:
            nul_line = nul_line or newlines + chunk.count(b"\n", 0, found) + 1
            nuls += chunk.count(b"\0")
        if b"\r" in chunk or last == b"\r":
            returns += chunk.count(b"\r")
            pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
        newlines += chunk.count(b"\n")
        last = chunk[-1:]
    if not bad_line and decoder.getstate()[0]:
        bad_line = newlines + 1
    return _Scan(
        n_newlines=newlines, n_returns=returns, n_pairs=pairs, n_nuls=nuls, first_nul_line=nul_line,
        first_bad_line=bad_line, has_multibyte=multibyte,
    )  # fmt: skip


def _has_multibyte(chunk: bytes) -> bool:
    """Whether a chunk with bad bytes also has good sequences of several bytes, and more of them."""
    text = chunk.decode("utf-8", errors="replace")
    n_bad = text.count("\ufffd")
    n_good = sum(1 for character in text if not character.isascii()) - n_bad
    return n_good > n_bad


def _decoded(file: IO[bytes], mark: bytes, *, encoding: str, name: str) -> TextFile:
    try:
        copy, n_lines = _copied(file, mark, encoding=encoding, errors="strict")
    except UnicodeError:
        raise DataError(f"{name} begins like {encoding.upper()} text but is not valid in that encoding") from None
    copy.seek(0)
    if not copy.read(CHUNK_BYTES).strip():
        copy.close()
        raise DataError(f"{name} is blank: no header and no rows (empty but for white space)")
    return TextFile(file=copy, n_lines=n_lines, detected=(("encoding", encoding),), notes=())


def _copied(file: IO[bytes], mark: bytes, *, encoding: str, errors: str, bare: str = "\n") -> tuple[IO[bytes], int]:
    """Copy as UTF-8; `bare` takes the place of returns without a line feed."""
    file.seek(len(mark))
    # Windows-1252 leaves five bytes undefined; Latin-1 would not, but has no curly quotes.
    errors = "replace" if encoding == "cp1252" else errors
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with ExitStack() as closing:
        copy = closing.enter_context(tempfile.TemporaryFile())
        n_lines, held = 0, ""
        while True:
            chunk = file.read(CHUNK_BYTES)
            text = held + decoder.decode(chunk, final=not chunk)
            # A return at the end of a chunk may be half of a pair.
            held = "\r" if chunk and text.endswith("\r") else ""
            text = text[: len(text) - len(held)].replace("\r\n", "\n").replace("\r", bare).replace("\0", "")
            n_lines += text.count("\n")
            copy.write(text.encode("utf-8", errors="replace"))
            if not chunk:
                break
        copy.flush()
        # whole: it is handed on open
        closing.pop_all()
    return copy, n_lines
