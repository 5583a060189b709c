"""Read run.json as strict JSON, from a place that may hold anything."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from pathlib import Path
from typing import Any, Final, NoReturn

from lrfind.errors import RunError
from lrfind.text import printable

RUN_JSON: Final = "run.json"
# The only folder in a run's folder.
PLOTS: Final = "plots"
# A run of 64 seeds and 10,000 steps takes some 15 MB; anything far beyond was not written by us.
MAX_BYTES: Final = 50_000_000
LOOK: Final = "name one that `lrfind sweep` wrote, or leave it out for the newest under lrfind-runs"
# Long enough for most paths, short enough for a message.
PATH_WIDTH: Final = 200
# Neither follow a link nor wait for the other end of a pipe; Windows has neither flag.
_OPEN_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def shown(path: Path) -> str:
    """Return a path for a message."""
    return f"'{printable(path, width=PATH_WIDTH)}'"


def folder_of(path: Path) -> Path:
    """Return the folder of the run that a path names: the folder itself, or that of a file in it.

    Parameters
    ----------
    path : Path
        A run's folder, its run.json, its report.html, or any other file in it or in its plots.

    Returns
    -------
    Path
        `path` where it is no file.

    Raises
    ------
    RunError
        If the file lies in no run.
    """
    try:
        if not path.is_file():
            return path
        homes = [path.parent, *([path.parent.parent] if path.parent.name == PLOTS else [])]
        home = next((folder for folder in homes if (folder / RUN_JSON).is_file()), None)
    # A name with a NUL byte or half a character: told when the run is read.
    except (OSError, ValueError):
        return path
    if home is None:
        raise RunError(
            f"cannot read a run from {shown(path)}: there is no run.json beside it; "
            "name the folder that `lrfind sweep` wrote, or a file in it"
        )
    return home


def read_document(folder: Path) -> dict[str, Any]:
    """Return the JSON object in a run directory's run.json; nothing in it is checked yet.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict

    Raises
    ------
    RunError
        If there is no such directory, no regular run.json in it, or no JSON object in that.
    """
    raw = _read_bytes(folder)
    if not raw.strip():
        raise RunError(f"the run {shown(folder)} is damaged: its run.json is empty; run `lrfind sweep` again")
    try:
        document = json.loads(raw.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    # Never chained: the cause would quote the file.
    except (ValueError, RecursionError):
        raise RunError(
            f"the run {shown(folder)} is damaged: its run.json is truncated or is not valid JSON; "
            "run `lrfind sweep` again"
        ) from None
    if not isinstance(document, dict):
        raise RunError(f"{shown(folder)} is not an lrfind run: its run.json holds no JSON object; name another folder")
    return document


def _read_bytes(folder: Path) -> bytes:
    try:
        _require_folder(folder)
        descriptor = os.open(folder / RUN_JSON, _OPEN_FLAGS)
    except FileNotFoundError:
        raise RunError(
            f"{shown(folder)} is not a finished lrfind run: it has no run.json; "
            "name the folder that `lrfind sweep` reported"
        ) from None
    # A name with a NUL byte or half a character is a ValueError.
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from None
    try:
        _require_file(folder, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise _unreadable(folder, error) from None
    finally:
        os.close(descriptor)


def _require_folder(folder: Path) -> None:
    if not folder.exists():
        raise RunError(f"cannot read the run {shown(folder)}: there is no such file or folder; {LOOK}")
    if not folder.is_dir():
        raise RunError(f"cannot read the run {shown(folder)}: it is a file; name the folder that holds run.json")


def _require_file(folder: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise RunError(f"{shown(folder)} is not an lrfind run: its run.json is not a regular file; name another folder")
    if status.st_size > MAX_BYTES:
        raise RunError(
            f"{shown(folder)} is not an lrfind run: its run.json has {status.st_size:,} bytes, "
            f"at most {MAX_BYTES:,} are read; name another folder"
        )


def _unreadable(folder: Path, error: OSError | ValueError) -> RunError:
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return RunError(
            f"cannot read the run {shown(folder)}: its run.json is a symbolic link, which lrfind does not follow; "
            "put the file itself there"
        )
    reason = (error.strerror or "unknown error").lower() if isinstance(error, OSError) else "no path can be so named"
    return RunError(f"cannot read the run {shown(folder)}: {reason}; {LOOK}")


def _refuse(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number beyond the range of float64")
    return number
