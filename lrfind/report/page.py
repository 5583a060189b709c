"""A screen of a terminal: labels beside facts, lines folded to its width, plain ASCII where it has nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

# Wider lines are harder to read, and a plot gains nothing.
MAX_WIDTH = 100
# Narrower, labels stand above what they label.
STACKED_BELOW = 60
# Where facts begin, beside their labels.
INDENT = 17
GOOD, QUIET, WARN = "bold green", "dim", "yellow"

# What our own words use beyond ASCII, and how to say it in a stream that cannot.
ASCII_WORDS = str.maketrans(
    {
        "·": "-",
        "→": ">",
        "×": "x",
        "±": "+/-",
        "…": "...",
        "–": "-",
        "│": "|",
        "┤": "+",
        "├": "|",
        "─": "-",
        "●": "O",
        "√": "sqrt ",
        "▲": "^",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A screen of a terminal: how wide it is and which characters it has.

    Attributes
    ----------
    console : Console
    width : int
    encoding : str
    """

    console: Console
    width: int
    encoding: str

    @property
    def ascii_only(self) -> bool:
        """Whether the stream cannot show what our own words and plots use."""
        try:
            "⠿│┤├─●·→×±…▲".encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return True
        return False

    def text(self, text: Text) -> Text:
        """Return the text in characters that the stream has."""
        if not self.ascii_only:
            return text
        pieces = Text(overflow="fold")
        for piece in text.divide(sorted({edge for span in text.spans for edge in (span.start, span.end)})):
            plain = piece.plain.translate(ASCII_WORDS).encode("ascii", "backslashreplace").decode("ascii")
            pieces.append(plain, style=piece.spans[0].style if piece.spans else "")
        return pieces

    def lines(self, text: Text, *, room: int) -> Iterator[Text]:
        """Yield the text folded to so many columns, in characters that the stream has."""
        for line in self.text(text).wrap(self.console, max(room, 1), overflow="fold"):
            line.rstrip()
            yield line

    def facts(self, facts: Iterable[tuple[str | Text, Text]]) -> Iterator[Text]:
        """Yield labels beside their facts, or above them where the screen is narrow."""
        stacked = self.width < STACKED_BELOW
        indent = 0 if stacked else INDENT
        for given, fact in facts:
            if fact.no_wrap:
                yield from self._unbroken(str(given), fact)
                continue
            label, style = (given, QUIET) if isinstance(given, str) else (given.plain, given.style)
            # A path is not broken while it fits on a line of its own: it will be copied. Nor does a label touch a fact.
            alone = (
                stacked or len(label) > INDENT - 3 or (" " not in fact.plain and fact.cell_len > self.width - indent)
            )
            if alone and label and not stacked and len(label) + fact.cell_len + 4 <= self.width:
                # beside its label, before the column of facts
                yield from self.lines(Text.assemble((f"  {label}  ", style), fact), room=self.width)
                continue
            if alone and label:
                yield from self.lines(Text(f"{'' if stacked else '  '}{label}", style=style), room=self.width)
            room = self.width - (min(indent, 2) if alone else indent)
            for number, line in enumerate(self.lines(fact, room=room)):
                head = " " * min(indent, 2) if alone else f"  {label if number == 0 else '':<{INDENT - 2}}"
                yield Text.assemble((head, style), line, no_wrap=True)

    def _unbroken(self, label: str, fact: Text) -> Iterator[Text]:
        """Yield a command in one line, however long: a terminal folds it, and what is copied stays whole."""
        if stacked := self.width < STACKED_BELOW:
            yield from self.lines(Text(label, style=QUIET), room=self.width)
        line = Text.assemble(("" if stacked else f"  {label:<{INDENT - 2}}", QUIET), fact, no_wrap=True)
        line.overflow = "ignore"
        yield line
