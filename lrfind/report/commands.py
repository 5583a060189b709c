"""Commands that a report tells its reader to go on with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lrfind.text import shell_line


def recommend_command(run: Path | str, *, options: Mapping[str, object] | None = None, ascii_only: bool = False) -> str:
    """Return the command that prints the code of one run, quoted for a shell and never cut.

    Parameters
    ----------
    run : Path or str
        The run's folder, or a file in it, as it is to be typed.
    options : mapping, optional
        Options of `lrfind recommend` to keep, such as ``{"--batch-size": 256}``; None is left out.
    ascii_only : bool
        Whether every other character is written by its bytes.

    Returns
    -------
    str
        "lrfind recommend lrfind-runs/iris-20260101-120000 --batch-size 256 --for torch".
    """
    name = str(run)
    kept = [str(part) for pair in (options or {}).items() if pair[1] is not None for part in pair]
    # a leading dash would be taken for an option
    words = ["lrfind", "recommend", f"./{name}" if name.startswith("-") else name, *kept, "--for", "torch"]
    return shell_line(words, ascii_only=ascii_only)
