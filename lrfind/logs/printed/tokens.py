"""The words, numbers and signs of a printed line: `tokens_of(text)`.

A line comes with every digit a 0, so that lines that differ in digits alone are taken apart once.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["word", "number", "sign", "junk"]

# Signs of other scripts and of boxes that stand for ASCII ones, one character each.
SIGNS = str.maketrans("：＝，；（）［］｛｝‖│┃｜║、／", ":=,;()[]{}|||||,/")
TOKEN = re.compile(
    # Dates, times of day and durations: 2026-01-02 10:00:00,123; 0:00:05; 00:10<10:00. Versions and addresses.
    r"(?P<junk>\d{4}[-/.]\d\d?[-/.]\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[-+]\d\d:?\d\d)?)?"
    r"|\d\d[-/.]\d\d(?=[T ]\d\d:\d\d)|\d+:\d\d(?::\d\d)?(?:[.,]\d+)?(?![\d.])|\d+(?:\.\d+){2,})"
    r"|(?P<number>[-+]?(?:\d+(?:,\d+)*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)(?!\w))"
    # What a number runs into is its unit: "114.3s", "10%", "2.1G", "1.2it/s".
    r"(?P<unit>[^\W\d_][\w/%]*|%)?"
    # "lrate0.008" is a name that runs into its number.
    r"|(?P<word>[^\W\d_]{2,12}(?=\d{1,15}\.\d)|[^\W\d]\w*(?:[/.@'’-]+[^\W\d]\w*|[/@]\d+)*)"
    r"|(?P<sign>\S)",
    re.IGNORECASE,
)


class Token(NamedTuple):
    """A piece of a line.

    Attributes
    ----------
    kind : {"word", "number", "sign", "junk"}
        "junk" is a date, a time or a version.
    text : str
    start, end : int
        Where it stands; of a number without its unit.
    unit : str
        What a number runs into: "s", "%".
    gap : int
        Blanks before it; a tab counts as several.
    """

    kind: Kind
    text: str
    start: int
    end: int
    unit: str = ""
    gap: int = 0


# A tab parts words as several blanks do.
TAB = 4


def tokens_of(text: str) -> list[Token]:
    """Return the pieces of a line, in order.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Token
    """
    text = text.translate(SIGNS)
    tokens, last = [], 0
    for found in TOKEN.finditer(text):
        group = found.lastgroup
        kind: Kind = "number" if group in ("number", "unit") else group  # type: ignore[assignment]
        unit = found["unit"] or ""
        start, end = found.span(kind)
        gap = found.start() - last
        if gap and "\t" in text[last : found.start()]:
            gap += TAB
        tokens.append(Token(kind, text[start:end], start, end, unit, gap))
        last = found.end()
    return tokens
