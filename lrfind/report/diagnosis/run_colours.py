"""What tells the lines of several runs apart: a colour and a dash each, the best in the page's own accent.

No two of a dozen share both. The colours keep a contrast of 4.5 with the page, and neighbours in rank differ in their
dash too, so print in grey and any kind of colour blindness lose nothing.
"""

from __future__ import annotations

from lrfind.report import palette

# Of the best, then of the others in turn: green, purple, ochre, magenta, slate.
LIGHT = (palette.LIGHT["ACCENT"], "#1a7a3c", "#9b4fd0", "#9a5b00", "#d01070", "#2b3340")
DARK = (palette.DARK["ACCENT"], "#5fe0b8", "#c39bf0", "#f0c860", "#f060a8", "#eceef2")
# Lengths of dashes and gaps in pixels; nothing is a whole line. Four of them and five colours repeat after twenty.
DASHES = ("", "8 4", "2 4", "10 3 2 3")


def colour_of(number: int) -> int:
    """Return the index of a run's colour; 0 is the best."""
    return 0 if number == 0 else 1 + (number - 1) % (len(LIGHT) - 1)


def dash_of(number: int) -> str:
    """Return a run's dash."""
    return DASHES[number % len(DASHES)]


def rules() -> str:
    """Return the colours as CSS: ``.run-0`` is the best, for light and for dark pages; printed pages stay light."""
    light = "".join(f"--run-{i}:{colour};" for i, colour in enumerate(LIGHT))
    dark = "".join(f"--run-{i}:{colour};" for i, colour in enumerate(DARK))
    each = "".join(
        f".chart .line.run-{i},.chart .key.run-{i}{{stroke:var(--run-{i})}}"
        f".chart text.run-{i},.chart .point.run-{i}{{fill:var(--run-{i})}}"
        f".chart .ring.run-{i},.chart .reach.run-{i}{{stroke:var(--run-{i})}}"
        for i in range(len(LIGHT))
    )
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}{each}"
