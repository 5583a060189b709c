"""What the user's own finished runs add to experience: `own_rows(root) -> rows`, `rows_used(run) -> rows`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lrfind.errors import RunError
from lrfind.experience import Row, row_of_run, rows_from_csv
from lrfind.runs.document import read_document, shown

# Reading a run takes a few milliseconds; this many say what can be said without being felt.
MOST_RUNS: Final = 100


def own_rows(root: Path | str) -> tuple[Row, ...]:
    """Return what the newest runs below a folder showed.

    Parameters
    ----------
    root : Path or str
        Nothing in it is trusted: what is no finished run with a race adds nothing.

    Returns
    -------
    tuple of Row
        In the order of the folders' names, so that the same runs always give the same rows.
    """
    try:
        # A leading dot marks runs that are being written.
        found = [folder for folder in Path(root).iterdir() if not folder.name.startswith(".")]
        folders = sorted(found, key=lambda folder: (folder.stat().st_mtime, folder.name))[-MOST_RUNS:]
    except (OSError, ValueError):
        return ()
    rows = (_row_or_none(folder) for folder in sorted(folders))
    return tuple(row for row in rows if row is not None)


def _row_or_none(folder: Path) -> Row | None:
    try:
        return row_of_run(read_document(folder))
    except RunError:
        return None


def rows_used(run: Path | str) -> tuple[Row, ...]:
    """Return the user's own rows that a run learned from, so that it can be repeated.

    Parameters
    ----------
    run : Path or str

    Returns
    -------
    tuple of Row
        Empty where the run learned from what lrfind ships alone.

    Raises
    ------
    RunError
        If there is no such run, or it is damaged.
    """
    folder = Path(run)
    experience = read_document(folder).get("experience") or {}
    text = experience.get("own_rows", "") if isinstance(experience, dict) else None
    try:
        return rows_from_csv(text) if text else ()
    # whatever a damaged file holds there
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise RunError(f"the run {shown(folder)} is damaged: its experience.own_rows cannot be read") from None
