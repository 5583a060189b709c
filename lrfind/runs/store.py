"""Put a run in its place, whole or not at all: `with new_run(path) as folder: ...`.

The run is written into a folder of its own beside its final place, on the same file system, brought to the disk, and
renamed once. Whoever looks sees no run or a whole one; an error means that nothing was put there, and that a run
which was to be replaced is still what it was.

References
----------
Pillai et al. 2014, "All File Systems Are Not Created Equal", OSDI '14: why files and folders are synced before and
after the rename.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from lrfind.errors import OutputError, RunError
from lrfind.runs.document import read_document, shown

RUNS_ROOT: Final = Path("lrfind-runs")
# What a run directory may hold, so that `force` deletes nothing that lrfind did not write.
RUN_FILES: Final = frozenset({"run.json", "sweep.csv", "race.csv", "report.html", "plots"})
PLOT_SUFFIXES: Final = frozenset({".png", ".svg"})
# Half of what most file systems allow, so that suffixes and a readable path remain.
NAME_LENGTH: Final = 64
# Hexadecimal digits of SHA-256 that tell two shortened names apart: one clash in four billion.
HASH_LENGTH: Final = 8
# Seconds after which a folder left by a killed process is taken for litter; no run is written for a day.
STALE_AFTER: Final = 86_400.0

_DATA_SUFFIXES: Final = re.compile(r"(\.(csv|tsv|txt|parquet|pq|jsonl|ndjson|json|npz))?(\.(gz|zst))?$", re.IGNORECASE)
_STALE_NAME: Final = re.compile(r"\.(?P<name>.+)\.tmp-[a-z0-9_]{8}", re.DOTALL)
# The only two names inside a temporary folder: the run being written, and the one it replaces.
_FRESH, _ASIDE = "new", "old"

_REASONS: Final = {
    errno.ENOSPC: "the disk is full; free some space or name another folder with --out",
    errno.EDQUOT: "the disk quota is used up; free some space or name another folder with --out",
    errno.EFBIG: "a file would pass the size limit of this process; raise it (ulimit -f)",
    errno.EIO: "the disk reports an input/output error; name another folder with --out",
    errno.EACCES: "permission denied; name a folder you may write in with --out",
    errno.EPERM: "permission denied; name a folder you may write in with --out",
    errno.EROFS: "the file system is read-only; name another folder with --out",
    errno.ENAMETOOLONG: "the name is too long; name a shorter one with --out",
    errno.ENOTDIR: "a file stands where a folder is needed; name another folder with --out",
    errno.ENOTEMPTY: "another run was put there in the meantime; name another folder with --out",
    errno.EEXIST: "another run was put there in the meantime; name another folder with --out",
    errno.EBUSY: "something else is using it; name another folder with --out",
}


def default_run_dir(name: str, *, now: datetime, root: Path = RUNS_ROOT) -> Path:
    """Return a place for a new run, one that does not exist yet.

    Parameters
    ----------
    name : str
        What the data is called: a file's name or any other text.
    now : datetime
    root : Path

    Returns
    -------
    Path
        ``root/NAME-YYYYMMDD-HHMMSS``, with -2, -3 and so on where that is taken.
    """
    base = f"{_plain_name(name)}-{now:%Y%m%d-%H%M%S}"
    number = 1
    while _is_taken(root, candidate := base if number == 1 else f"{base}-{number}"):
        number += 1
    return root / candidate


def _plain_name(name: str) -> str:
    stem = _DATA_SUFFIXES.sub("", Path(name.replace("\0", "?")).name)
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", stem.replace(" ", "_")).lstrip(".-") or "data"
    if plain == stem.replace(" ", "_") and len(plain) <= NAME_LENGTH:
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
    return f"{plain[: NAME_LENGTH - HASH_LENGTH - 1]}-{digest}"


def _is_taken(root: Path, name: str) -> bool:
    """Say whether a run is there or being written; the writer refuses a place that cannot be looked at."""
    with suppress(OSError):
        return os.path.lexists(root / name) or any(root.glob(f".{name}.tmp-*"))
    return False


def check_out_dir(path: str | Path, *, force: bool = False) -> Path:
    """Refuse a place that a run cannot be put in, before any work is done, by trying.

    Parameters
    ----------
    path : str or Path
        Where the run is to be; parents may be missing.
    force : bool
        Whether an lrfind run that is there may be replaced.

    Returns
    -------
    Path
        The place. Nothing is left behind, neither a file nor a parent.

    Raises
    ------
    OutputError
        In one sentence.
    """
    target = _allowed(path, force=force)
    with _told(target), ExitStack() as undo:
        _make_parents(target.parent, undo)
        _remove_stale(target.parent)
        Path(_make_workplace(target)).rmdir()
    return target


@contextmanager
def new_run(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give an empty folder to write a run into, and put it in its place once the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Where the run is to be.
    force : bool
        Whether an lrfind run that is there may be replaced.

    Yields
    ------
    Path
        The temporary folder. An `OSError` raised in the block is taken for a failed write.

    Raises
    ------
    OutputError
        If the place is refused or a write fails. Then, as after any other exception, nothing was put there.
    """
    target = _allowed(path, force=force)
    with _told(target), ExitStack() as undo:
        _make_parents(target.parent, undo)
        _remove_stale(target.parent)
        workplace = Path(_make_workplace(target))
        try:
            fresh = workplace / _FRESH
            fresh.mkdir()
            yield fresh
            _sync_tree(fresh)
            # Once more: the place may have been taken while the block ran.
            _put(fresh, _allowed(target, force=force), aside=workplace / _ASIDE)
        finally:
            _clear(workplace, target)
        # Success: the parents stay.
        undo.pop_all()


def _allowed(path: str | Path, *, force: bool) -> Path:
    if not str(path).strip():
        raise OutputError("the output folder has an empty name: name a directory with --out, such as --out my-run")
    target = Path(path)
    try:
        reason = _objection(target, force=force)
    except OSError as error:
        raise _failed(target, error) from error
    except ValueError:
        raise OutputError(
            f"cannot write the run {shown(target)}: no path can be so named; name another folder"
        ) from None
    if reason:
        raise OutputError(f"cannot write the run {shown(target)}: {reason}")
    return target


def _objection(target: Path, *, force: bool) -> str:
    if target.name in {"", ".."} or (target.exists() and target.samefile(".")):
        return "it is the current folder or one above it; name a new folder"
    if target.is_symlink():
        return "it is a symbolic link, which lrfind does not write through; name the folder itself"
    if not target.exists():
        # Asks the file system whether it takes the name at all.
        with suppress(FileNotFoundError):
            target.lstat()
        return ""
    if not target.is_dir():
        return "it is a file, not a directory; name another folder"
    if target.is_mount():
        return "another file system is mounted there; name a folder inside it"
    return _objection_to_content(target, force=force) if any(target.iterdir()) else ""


def _objection_to_content(target: Path, *, force: bool) -> str:
    if not _is_run(target):
        return "it exists, is not empty and is not an lrfind run; name another folder"
    if not force:
        return "an lrfind run exists there; name another folder or replace it with --force"
    foreign = _foreign_file(target)
    if foreign is not None:
        return f"it holds {shown(foreign)}, which lrfind did not write; move that away or name another folder"
    return ""


def _is_run(folder: Path) -> bool:
    try:
        document = read_document(folder)
    except RunError:
        return False
    return isinstance(document.get("schema_version"), int) and isinstance(document.get("lrfind_version"), str)


def _foreign_file(folder: Path) -> Path | None:
    plots = folder / "plots"
    for entry in sorted(folder.iterdir()):
        if entry.name not in RUN_FILES or (entry != plots and not entry.is_file()):
            return entry.relative_to(folder)
    for entry in sorted(plots.rglob("*")) if plots.is_dir() else []:
        if entry.suffix not in PLOT_SUFFIXES or not entry.is_file():
            return entry.relative_to(folder)
    return None


@contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failed(target, error) from error


def _failed(target: Path, error: OSError) -> OutputError:
    told = _REASONS.get(error.errno or 0) or f"{(error.strerror or 'unknown error').lower()}; name another folder"
    kept = getattr(error, "__notes__", None)
    return OutputError(f"cannot write the run {shown(target)}: {told}" + (f"; {kept[-1]}" if kept else ""))


def _make_parents(folder: Path, undo: ExitStack) -> None:
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
        undo.callback(_remove_if_empty, parent)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _make_workplace(target: Path) -> str:
    return tempfile.mkdtemp(prefix=f".{target.name}.tmp-", dir=target.parent)


def _put(fresh: Path, target: Path, *, aside: Path) -> None:
    """Rename the new run into its place, or leave everything as it was and raise."""
    try:
        if target.exists() and any(target.iterdir()):
            # A run, and one that may be replaced: anything else was refused.
            target.rename(aside)
        fresh.rename(target)
        _sync(target.parent)
    except BaseException as error:
        if _is_put_back(fresh, target, aside=aside):
            raise
        if not fresh.exists() and isinstance(error, OSError):
            # The new run could not be taken out again: it is whole and in its place, so this is no failure.
            return
        error.add_note(f"the run that was there is kept in {shown(aside)}")
        raise


def _is_put_back(fresh: Path, target: Path, *, aside: Path) -> bool:
    try:
        if not fresh.exists():
            target.rename(fresh)
        if aside.exists():
            aside.rename(target)
    except OSError:
        return False
    return True


def _clear(workplace: Path, target: Path) -> None:
    """Delete a temporary folder, but never the only copy of a run that was to be replaced."""
    is_only_copy = (workplace / _ASIDE).exists() and not target.exists()
    shutil.rmtree(workplace / _FRESH if is_only_copy else workplace, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    for entry in folder.rglob("*"):
        _sync(entry)
    _sync(folder)


def _sync(path: Path) -> None:
    # Windows opens no folders, and needs no sync of them.
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_stale(parent: Path) -> None:
    """Delete what killed processes left in a folder; bring back a run whose replacement was cut short."""
    with suppress(OSError):
        for litter in parent.glob(".*.tmp-*"):
            found = _STALE_NAME.fullmatch(litter.name)
            if found and _is_stale(litter):
                target, aside = parent / found["name"], litter / _ASIDE
                if aside.exists() and not os.path.lexists(target):
                    aside.rename(target)
                _clear(litter, target)


def _is_stale(folder: Path) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    entries = list(folder.iterdir())
    newest = max(entry.lstat().st_mtime for entry in (folder, *entries))
    return {entry.name for entry in entries} <= {_FRESH, _ASIDE} and time.time() - newest > STALE_AFTER
