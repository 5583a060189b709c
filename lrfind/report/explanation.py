"""An explanation of a check on a terminal: `print_explanation`, and the list of all: `print_catalogue`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from lrfind.checks.explanation import Explanation, Picture
from lrfind.checks.finding import Check
from lrfind.report.braille import draw
from lrfind.report.findings import STYLES
from lrfind.report.page import MAX_WIDTH

# Characters across and lines of a picture: a sketch, no plot.
PICTURE_WIDTH, PICTURE_ROWS = 44, 5
LABEL_WIDTH = 10
# Samples a character, for lines without steps.
SAMPLES = 4


def print_explanation(check: Check, text: Explanation, *, console: Console) -> None:
    """Print what a check is about, what it looks like, and what to do.

    Parameters
    ----------
    check : Check
    text : Explanation
    console : Console
    """
    console.print(
        Text.assemble((check.code, "bold"), "  ", (check.title, "bold"), "  ", (check.severity, STYLES[check.severity]))
    )
    console.print()
    for line in sketch(text.picture, ascii_only=_is_ascii(console)):
        console.print(Text(f"    {line.rstrip()}", style="cyan"), no_wrap=True, crop=False, overflow="ignore")
    console.print(Text(f"    {text.picture.caption}", style="dim"))
    console.print()
    for label, sentence in (("Means", text.meaning), ("Found by", text.detection), ("Do", text.advice)):
        _print_fact(label, sentence, console=console)
    for row, reference in enumerate(text.references):
        _print_fact("Read" if row == 0 else "", reference, console=console)


def print_catalogue(families: Sequence[tuple[str, Sequence[Check]]], console: Console) -> None:
    """Print every check, a line each.

    Parameters
    ----------
    families : sequence of (name, checks)
    console : Console
    """
    for name, checks in families:
        console.print(Text(name[:1].upper() + name[1:], style="bold"))
        for check in checks:
            console.print(
                Text.assemble(f"  {check.code}  ", (f"{check.severity:<8}", STYLES[check.severity]), check.title)
            )
        console.print()
    console.print(Text("lrfind explain CODE says more about each.", style="dim"))


def sketch(picture: Picture, *, ascii_only: bool) -> list[str]:
    """Return a picture as lines of characters, the top line first.

    Parameters
    ----------
    picture : Picture
    ascii_only : bool

    Returns
    -------
    list of str
    """
    heights = np.array(picture.heights)
    if picture.kind == "bars":
        return list(_bars(picture.heights, ascii_only=ascii_only))
    places = np.linspace(0, len(heights) - 1, SAMPLES * PICTURE_WIDTH)
    return draw(
        np.interp(places, np.arange(len(heights)), heights), width=PICTURE_WIDTH, n_rows=PICTURE_ROWS,
        ascii_only=ascii_only,
    )  # fmt: skip


def _bars(heights: Sequence[float], *, ascii_only: bool) -> Iterator[str]:
    block = "#" if ascii_only else "█"
    width = max(PICTURE_WIDTH // len(heights) - 1, 1)
    for row in range(PICTURE_ROWS, 0, -1):
        # A bar of height 0 is no bar; any other has at least the lowest line.
        cells = (
            block if round(height * PICTURE_ROWS) >= row or (row == 1 and height > 0) else " " for height in heights
        )
        yield " ".join(cell * width for cell in cells)


def _print_fact(label: str, sentence: str, *, console: Console) -> None:
    width = min(console.width, MAX_WIDTH) - LABEL_WIDTH - 2
    for row, line in enumerate(Text(sentence).wrap(console, max(width, 1))):
        line.rstrip()
        console.print(Text.assemble((f"  {label if row == 0 else '':<{LABEL_WIDTH}}", "dim"), line), no_wrap=True)


def _is_ascii(console: Console) -> bool:
    try:
        "⠿█".encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return True
    return False
