"""Unpack gzip and zstandard, checksums checked, size capped: `unpacked(file, packed)`."""

from __future__ import annotations

import gzip
import importlib
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from lrfind.errors import DataError, MissingExtraError

# Decompression bombs (CWE-409): more than this is no table for a small model.
MAX_UNPACKED_BYTES = 2 * 1024**3
# Real tables pack 3 to 50 times; a bomb 1,000 times.
MAX_RATIO = 200
# Below this a high ratio does no harm: a constant column packs well.
RATIO_FREE_BYTES = 256 * 1024**2
CHUNK_BYTES = 1024**2
# A few bytes of zstandard can say 128 kB; so little is fed at a time that no step unpacks more than some 30 MB.
ZSTD_FEED_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packed:
    """A compression: how it is known and how it is read."""

    name: str
    magic: bytes
    chunks: Callable[[IO[bytes]], Iterator[bytes]]


def _gzip_chunks(file: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as reader:
        while chunk := reader.read(CHUNK_BYTES):
            yield chunk


def _zstd_chunks(file: IO[bytes]) -> Iterator[bytes]:
    new_decoder = _zstd_decoder()
    decoder = None
    fed = file.read(ZSTD_FEED_BYTES)
    while fed:
        # Several frames may follow one another, as in files put together with cat.
        decoder = decoder or new_decoder()
        yield decoder.decompress(fed)
        rest = b""
        if decoder.eof:
            rest, decoder = decoder.unused_data, None
        fed = rest or file.read(ZSTD_FEED_BYTES)
    if decoder is not None:
        raise EOFError


def _zstd_decoder() -> Callable[[], Any]:
    """Return what makes a decoder: from the standard library (Python 3.14) or the package zstandard."""
    try:
        standard: Any = importlib.import_module("compression.zstd")
    except ImportError:
        pass
    else:
        return standard.ZstdDecompressor  # type: ignore[no-any-return]
    try:
        package: Any = importlib.import_module("zstandard")
    except ImportError:
        raise MissingExtraError(
            "zstandard files need the package zstandard: pip install zstandard, or unpack with zstd -d"
        ) from None
    return lambda: package.ZstdDecompressor().decompressobj()


PACKED = (
    Packed(name="gzip", magic=b"\x1f\x8b", chunks=_gzip_chunks),
    Packed(name="zstandard", magic=b"\x28\xb5\x2f\xfd", chunks=_zstd_chunks),
)


def unpacked(file: IO[bytes], packed: Packed, *, name: str) -> IO[bytes]:
    """Return a temporary file with the unpacked content.

    Parameters
    ----------
    file : binary file
        Compressed.
    packed : Packed
        By which compression.
    name : str
        What to call the file in messages.

    Returns
    -------
    binary file

    Raises
    ------
    DataError
        The content is damaged, cut off, or far too big.
    """
    packed_size = file.seek(0, 2)
    file.seek(0)
    content = tempfile.TemporaryFile()  # noqa: SIM115 - handed on
    try:
        for chunk in packed.chunks(file):
            content.write(chunk)
            _refuse_bomb(content.tell(), packed_size=packed_size, name=name)
    except (EOFError, OSError, zlib.error, ValueError) as error:
        content.close()
        raise DataError(_damage(error, packed, name=name)) from None
    except Exception as error:
        content.close()
        # zstandard's own error class derives from Exception alone.
        if type(error).__module__.split(".")[0] in ("zstandard", "compression", "_zstd"):
            raise DataError(_damage(error, packed, name=name)) from None
        raise
    content.flush()
    return content


def _refuse_bomb(size: int, *, packed_size: int, name: str) -> None:
    if size > MAX_UNPACKED_BYTES:
        raise DataError(
            f"{name} unpacks to more than {MAX_UNPACKED_BYTES // 1024**3} GB, the limit for compressed files"
        )
    if size > RATIO_FREE_BYTES and size > MAX_RATIO * packed_size:
        raise DataError(
            f"{name} unpacks to more than {MAX_RATIO} times its size, as decompression bombs do: unpack it yourself if "
            "you trust it"
        )


def _damage(error: Exception, packed: Packed, *, name: str) -> str:
    text = str(error).lower()
    if "crc" in text or "checksum" in text or "incorrect length" in text:
        what = "is corrupt: its checksum (CRC) does not match"
    elif isinstance(error, EOFError) or "ended" in text or "incomplete" in text:
        what = "is truncated: its end is missing"
    else:
        what = "is corrupt and cannot be unpacked"
    return f"{name}: the {packed.name} file {what}; download or copy it again"
