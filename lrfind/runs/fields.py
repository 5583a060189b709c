"""Take values out of a parsed document, checking each: the only way from run.json to a typed value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lrfind.errors import RunError

# Longest name of a schedule; ours have at most 16 letters.
LONGEST_WORD = 64
# Longest sentence, in characters: more than a screen.
LONGEST_TEXT = 10_000
# Beyond this a float64 rate or loss is noise, and products of two overflow.
LARGEST = 1e150


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of a document and the words to say where it stands.

    Attributes
    ----------
    run : str
        The run's path, ready to be shown.
    where : str
        Dotted path of the object inside run.json, ending in a dot; empty at the top.
    items : mapping
        The object.
    """

    run: str
    where: str
    items: Mapping[str, Any]

    def damaged(self, key: str, *, expected: str) -> RunError:
        """Return the error that says what should have been found; it never quotes what was."""
        return RunError(
            f"the run {self.run} is damaged: {self.where}{key} in its run.json is missing or invalid, "
            f"expected {expected}; run `lrfind sweep` again"
        )

    def inside(self, key: str) -> Fields:
        """Return the object at `key`."""
        value = self.items.get(key)
        if not isinstance(value, dict):
            raise self.damaged(key, expected="an object")
        return Fields(self.run, f"{self.where}{key}.", value)

    def rows(self, key: str, *, most: int) -> tuple[Fields, ...]:
        """Return the objects in the list at `key`; a missing list is an empty one."""
        value = self.items.get(key, [])
        if not isinstance(value, list) or len(value) > most or not all(isinstance(row, dict) for row in value):
            raise self.damaged(key, expected=f"a list of at most {most:,} objects")
        return tuple(Fields(self.run, f"{self.where}{key}[{i}].", row) for i, row in enumerate(value))

    def text(self, key: str) -> str:
        """Return the string at `key`."""
        value = self.items.get(key)
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise self.damaged(key, expected="a string")
        return value

    def word(self, key: str) -> str:
        """Return the string at `key`, which may hold only letters, digits and underscores."""
        value = self.items.get(key)
        if not (isinstance(value, str) and value.isascii() and value.isidentifier() and len(value) <= LONGEST_WORD):
            raise self.damaged(key, expected="a name of letters, digits and underscores")
        return value

    def choice(self, key: str, among: Iterable[str]) -> str:
        """Return the string at `key`, one of those named."""
        value = self.items.get(key)
        names = list(among)
        if value not in names:
            raise self.damaged(key, expected=f"one of {', '.join(names)}")
        return str(value)

    def number(self, key: str, *, above: float = -LARGEST, upto: float = LARGEST) -> float:
        """Return the number x at `key` with ``above < x <= upto``."""
        value = self.items.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not above < value <= upto:
            low = "" if above == -LARGEST else f" above {above:g}"
            high = "" if upto == LARGEST else f" up to {upto:g}"
            raise self.damaged(key, expected=f"a finite number{low}{high}")
        return float(value)

    def number_or_none(self, key: str, *, above: float = -LARGEST) -> float | None:
        """Return the number at `key`, or None where it is null or missing."""
        return None if self.items.get(key) is None else self.number(key, above=above)

    def count(self, key: str, *, most: int) -> int:
        """Return the whole number at `key`, from 1 to `most`."""
        value = self.items.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise self.damaged(key, expected=f"a whole number from 1 to {most:,}")
        return value
