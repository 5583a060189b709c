"""Objections to the numbers that are printed of a run: `unexplained(stored)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

import honesty_facts as facts
import pandas as pd
from honesty_runs import Stored
from honesty_text import Number, Piece, numbers, pieces, without_names

# Numbers of code that are the same whatever the run: defaults of frameworks that are switched off or kept, and guards.
CODE = (
    r"epsilon=1e-8", r"eps=1e-8", r"1e-9\)  # 0 itself is refused", r"max_grad_norm=0\.0", r"alpha=0\.0",
    r"weight_decay=0\.0", r"betas=\(0\.9, 0\.99\)", r"step 0, 1, 2, \.\.\.", r"seed=0", r"order\[:(?=\d)",
    r"\b[012]\.0\b", r"\b[012]\b(?!\.)",
)  # fmt: skip
# Numbers that are the same in every report: the words they stand in are all that is allowed.
STATIC = (
    r"gives? up at most 5 % of the gain",
    r"90 % of 80 test problems",
    r"90 % band",
    r"about 1\.4 \(square root; Malladi et al\. 2022\)",
    r"about 2 \(linear; Goyal et al\. 2017\)",
    r"more than 1,000-fold",
    r"expected at least 8\b",
    r"at least 10 times the rows",
    r"a batch 4 times as large",
    r"at least 16 --seeds",
    r"at least 50 rows",
    r"at least 400 --steps",
    r"standardised to mean 0 and sd 1",
    r"tried with scikit-learn 1\.9",
)


def unexplained(run: Stored) -> list[str]:
    """Return every number printed of a run that is neither in run.json nor follows from it.

    Parameters
    ----------
    run : Stored

    Returns
    -------
    list of str
        Table, medium, number and line of each.
    """
    return [
        f"{run.case.name}, {piece.medium}: {number.text!r} ({number.kind} {number.noun}) in {piece.label!r}: {piece.text!r}"
        for piece, number in printed_numbers(run)
        if not is_explained(number, piece, run)
    ]


def printed_numbers(run: Stored) -> Iterator[tuple[Piece, Number]]:
    """Yield every number that has to be explained, and where it stands."""
    for piece in pieces(run):
        if is_setting(piece, run):
            continue
        is_code = piece.medium.startswith("code") and not piece.text.lstrip().startswith("#")
        text = without_statics(without_names(without_command(piece.text), run), phrases=CODE if is_code else STATIC)
        for number in numbers(text, label=piece.label, is_code=is_code):
            yield piece, number


def is_setting(piece: Piece, run: Stored) -> bool:
    """Return whether a text is the value of the setting beside it, in the list of all."""
    if piece.label == "Classes":
        return set(re.split(r", | and \d+ more", piece.text)) <= {*run.document["problem"]["classes"], ""}
    value = run.document["config"].get(piece.label)
    return piece.label in run.document["config"] and piece.text == shown_setting(value)


def shown_setting(value: object) -> str:
    """Return a setting as the page shows it."""
    return ", ".join(map(str, value)) if isinstance(value, list) else "not set" if value is None else str(value)


def without_command(text: str) -> str:
    """Return a text without the commands in it, which are run by tests of their own."""
    return re.sub(r"lrfind (?:sweep|check|recommend) .*?(?= says whether|$)", "§", text)


def without_statics(text: str, *, phrases: Sequence[str] = STATIC) -> str:
    """Return a text without the phrases that stand in every report."""
    text = text.replace("\u00a0", " ")
    for phrase in phrases:
        text = re.sub(phrase, "§", text)
    return text


def is_explained(number: Number, piece: Piece, run: Stored) -> bool:
    """Return whether a number is one of the run's, as lrfind's own formatters print it."""
    if number.noun == "distinct":
        return int(number.text.replace(",", "")) == n_distinct(run)
    if number.text in _printed(run.place, number.kind, number.noun, run=_Hashed(run)):
        return True
    return number.text.replace(",", "").isdigit() and int(number.text.replace(",", "")) in run.case.true


def n_distinct(run: Stored) -> int:
    """Return how many values the target has in the rows that were used, by reading the table anew."""
    data = run.document["data"]
    table = pd.read_csv(run.place / data["path"])
    chosen = run.document["config"]
    count = int(table[data["target"]].nunique())
    return -1 if chosen["where"] else count


class _Hashed:
    """A run that a cache can hold."""

    def __init__(self, run: Stored) -> None:
        self.run = run

    def __hash__(self) -> int:
        return hash(self.run.place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other.run.place == self.run.place


@cache
def _printed(_place: object, kind: str, noun: str, *, run: _Hashed) -> set[str]:
    return facts.printed(run.run.document, kind, noun)
