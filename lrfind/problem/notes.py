"""What people are told about their columns: one sentence each, or one for all of a kind when there are many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lrfind.text import listed, printable

# Columns of one kind that get a sentence each; more share one.
MOST_SINGLE = 3
# Names shown in a shared sentence.
MOST_NAMED = 3

# kind -> (sentence for one column, sentence for several); {column} and {columns} are quoted, printable names, {count}
# counts values, {n} columns. The order is the order in which people read them: losses first, then repairs, then news.
SENTENCES: dict[str, tuple[str, str]] = {
    "leak": (
        "column {column} equals the target and may be a leak",
        "{n} columns equal the target and may be leaks: {columns}",
    ),
    "empty": (
        "column {column} was left out: it is empty in the training part, all values are missing",
        "{n} empty columns were left out, all their values are missing: {columns}",
    ),
    "unread": (
        "text {column} was left out: there was no time to read it",
        "{n} columns of text were left out, there was no time to read them: {columns}",
    ),
    "skimmed": (
        "text {column} became {count} features by its most frequent values alone: there was no time to read it",
        "{n} texts became {count} features by their most frequent values, for want of time: {columns}",
    ),
    "constant": (
        "column {column} was left out: it is constant",
        "{n} constant columns were left out: {columns}",
    ),
    "id": (
        "column {column} was left out: {count} different texts look like an id",
        "{n} columns were left out, their texts are almost all different and look like ids: {columns}",
    ),
    "numberid": (
        "column {column} was left out: its {count} different whole numbers look like an id",
        "{n} columns were left out, their whole numbers look like ids: {columns}",
    ),
    "rownumber": (
        "column {column} was left out: it numbers the rows",
        "{n} columns were left out, they number the rows: {columns}",
    ),
    "group": (
        "column {column} groups the split and is not learned from",
        "{n} columns group the split and are not learned from: {columns}",
    ),
    "order": (
        "column {column} orders the split; how much time has passed is not learned from",
        "{n} columns order the split; how much time has passed is not learned from: {columns}",
    ),
    "gaps": (
        "column {column} is constant where it is not missing; only its {count} missing values were marked",
        "{n} columns are constant where they are not missing; only missing values were marked: {columns}",
    ),
    "infinite": (
        "{count} infinite values in {column} were taken as missing",
        "{count} infinite values in {n} columns were taken as missing: {columns}",
    ),
    "unparsed": (
        "column {column} was read as numbers; {count} of its texts are none and were taken as missing",
        "{n} columns were read as numbers; {count} of their texts are none and were taken as missing: {columns}",
    ),
    "missing": (
        "{count} missing values in {column} were replaced by the median and marked",
        "{count} missing values in {n} columns were replaced by the median and marked: {columns}",
    ),
    "blank": (
        "{count} missing values in text {column} were kept as a value of their own",
        "{count} missing values in {n} columns of text were kept as a value of their own: {columns}",
    ),
    "extreme": (
        "{count} extreme values in {column} were clipped: outliers thousands of times its usual range",
        "{count} extreme values in {n} columns were clipped, outliers thousands of times their usual range: {columns}",
    ),
    "duplicate": (
        "column {column} is a copy of another column",
        "{n} columns are copies of other columns: {columns}",
    ),
    "pooled": (
        "column {column} has many different texts; the {count} most frequent became features",
        "{n} columns have many different texts; the {count} most frequent became features: {columns}",
    ),
    "date": (
        "date {column} became {count} features: elapsed time and its place in the year, the week and the day",
        "{n} dates became {count} features, elapsed time and place in the year, the week and the day: {columns}",
    ),
    "text": (
        "text {column} became {count} features by its most common letter groups or words",
        "{n} texts became {count} features by their most common letter groups or words: {columns}",
    ),
    "begun": (
        "of each text in {column} only the first {count} letters were read, to be quick",
        "of each text in {n} columns only the first letters were read, to be quick: {columns}",
    ),
}
# Kinds that count values of the rows learned from and judged on.
COUNTS_VALUES = ("id", "numberid", "gaps", "infinite", "unparsed", "missing", "blank", "extreme")
# Kinds that say that a column was left out because its values name the rows.
NAMES_ROWS = ("id", "numberid", "rownumber")
# What a count of one turns round.
PLURALS = (
    (" values ", " value "),
    (" were replaced", " was replaced"),
    (" were clipped: outliers", " was clipped: an outlier"),
    (" were taken", " was taken"),
    (" were kept as a value of their own", " was kept as a value of its own"),
    ("texts are none", "text is none"),
    (" features", " feature"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnNote:
    """Something to say about one column.

    Attributes
    ----------
    kind : str
        A key of `SENTENCES`.
    column : str
    count : int
        Values concerned.
    """

    kind: str
    column: str
    count: int = 0


def sentences(notes: Iterable[ColumnNote], *, is_part: bool = False) -> list[str]:
    """Return one sentence a note, or one a kind when more than three columns share it.

    Parameters
    ----------
    notes : iterable of ColumnNote
    is_part : bool
        Whether rows without a target were left out, so that counts are of the others alone.

    Returns
    -------
    list of str
        In the order of `SENTENCES`.
    """
    every = list(notes)
    said: list[str] = []
    for kind, (single, shared) in SENTENCES.items():
        same = [note for note in every if note.kind == kind]
        if len(same) > MOST_SINGLE:
            columns = listed((note.column for note in same), most=MOST_NAMED)
            made = [shared.format(n=len(same), columns=columns, count=f"{sum(n.count for n in same):,}")]
        else:
            made = [_single(single, note) for note in same]
        of = " (counted in the rows with a target)" if is_part and kind in COUNTS_VALUES else ""
        said += [f"{sentence}{of}" for sentence in made]
    return said


def _single(sentence: str, note: ColumnNote) -> str:
    said = sentence.format(column=f"'{printable(note.column, width=40)}'", count=f"{note.count:,}")
    if note.count != 1:
        return said
    for many, one in PLURALS:
        said = said.replace(many, one)
    return said
