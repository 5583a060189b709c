"""An explanation of a check on a terminal: `print_explanation`, and the list of all: `print_catalogue`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from lrfind.checks.explanation import Explanation, Line, Picture
from lrfind.checks.finding import Check
from lrfind.report.braille import dashed, draw, overlaid
from lrfind.report.findings import STYLES
from lrfind.report.page import MAX_WIDTH

# Characters across and lines of a picture: a sketch, no plot.
PICTURE_WIDTH, PICTURE_ROWS = 44, 5
LABEL_WIDTH = 10
# Samples a character, for lines without steps; and samples of a dash, which tells a second line from the first.
SAMPLES, DASH = 4, 8
# Characters beside a picture for the names of its lines.
NAME_WIDTH = 12


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
    for line in sketch(text.picture, ascii_only=_is_ascii(console), width=console.width - 4):
        console.print(Text(f"    {line.rstrip()}", style="cyan"), no_wrap=True, crop=False, overflow="ignore")
    for caption in Text(text.picture.caption, style="dim").wrap(console, max(min(console.width, MAX_WIDTH) - 4, 1)):
        caption.rstrip()
        console.print(Text.assemble("    ", caption), no_wrap=True)
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


def sketch(picture: Picture, *, ascii_only: bool, width: int = PICTURE_WIDTH + NAME_WIDTH) -> list[str]:
    """Return a picture as lines of characters, the top line first.

    Parameters
    ----------
    picture : Picture
    ascii_only : bool
    width : int
        Characters there are; names of lines are left out where there is no room for them.

    Returns
    -------
    list of str
    """
    if picture.kind == "sheet":
        return [row.replace("█", "#") if ascii_only else row for row in picture.rows]
    if picture.kind == "bars":
        return list(_bars(picture.lines[0].heights, ascii_only=ascii_only))
    if picture.kind == "points":
        return _points(picture.lines[0].heights, ascii_only=ascii_only)
    drawn = [
        _line(line, is_dashed=bool(line.name) and number > 0, ascii_only=ascii_only)
        for number, line in enumerate(picture.lines)
    ]
    rows = overlaid(drawn)
    named = [(line.name, _row_of(line.heights[-1])) for line in picture.lines if line.name]
    # Lines that end at the same height are told apart by the caption.
    if width >= PICTURE_WIDTH + NAME_WIDTH and len({row for _, row in named}) == len(named):
        for name, row in named:
            rows[row] += f"  {name}"
    return rows


def _line(line: Line, *, is_dashed: bool, ascii_only: bool) -> list[str]:
    places = np.linspace(0, len(line.heights) - 1, SAMPLES * PICTURE_WIDTH)
    heights = np.interp(places, np.arange(len(line.heights)), line.heights)
    heights = dashed(heights, every=DASH) if is_dashed else heights
    return draw(heights, width=PICTURE_WIDTH, n_rows=PICTURE_ROWS, ascii_only=ascii_only)


def _row_of(height: float) -> int:
    return round((1 - min(height, 1.0)) * (PICTURE_ROWS - 1))


def _points(heights: Sequence[float], *, ascii_only: bool) -> list[str]:
    rows = [[" "] * PICTURE_WIDTH for _ in range(PICTURE_ROWS)]
    for place, height in zip(np.linspace(0, PICTURE_WIDTH - 1, len(heights)), heights, strict=True):
        if np.isfinite(height):
            rows[_row_of(height)][round(place)] = "o" if ascii_only else "●"
    return ["".join(row) for row in rows]


def _bars(heights: Sequence[float], *, ascii_only: bool) -> Iterator[str]:
    block = "#" if ascii_only else "█"
    width = max(PICTURE_WIDTH // len(heights) - 1, 1)
    for row in range(PICTURE_ROWS, 0, -1):
        # No bar is lower than the lowest line; where there is no height there is no bar.
        cells = (
            block if np.isfinite(height) and max(round(height * PICTURE_ROWS), 1) >= row else " " for height in heights
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
