"""Decide what each column is, over every row kept: `readings(asked, declared)`.

Types sniffed from the first rows fail late: one "oops" in row 29,000 must not fail the file or turn numbers into
text. So text columns are counted here: how many values are numbers, dates, booleans.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lrfind.data.formats import Declared
from lrfind.data.spellings import (
    LEAST_INEXACT,
    MOSTLY,
    Asked,
    Reading,
    is_inexact,
    matches,
    number,
    read_amounts,
    read_booleans,
    read_dates,
    spelling_questions,
    trimmed,
)
from lrfind.text import listed

# From this share of numbers on, a text column is worth a remark.
MIXED = 0.05
# Columns a statement: DuckDB plans a few hundred aggregates quickly, thousands slowly.
COLUMNS_A_QUERY = 100
# Remarks of one sort; a table of a thousand such columns needs no thousand sentences.
MAX_NOTES = 6
# Strings from the first up to the second begin with a zero and another digit, as post codes do and amounts do not.
ZERO_LED, ZERO_LED_END = "00", "0:"


def readings(asked: Asked, declared: Mapping[int, Declared]) -> dict[int, Reading]:
    """Return how to read each column.

    Parameters
    ----------
    asked : Asked
    declared : mapping from position to Declared
        As the file types its columns.

    Returns
    -------
    dict from position to Reading
    """
    found: dict[int, Reading] = {}
    for group in groups([i for i in asked.names if declared[i] == "untyped"]):
        found |= _untyped(asked, group)
    for group in groups([i for i in asked.names if declared[i] != "untyped"]):
        found |= _declared(asked, {i: declared[i] for i in group})
    return found


def groups(positions: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield positions in groups small enough for one statement."""
    for start in range(0, len(positions), COLUMNS_A_QUERY):
        yield positions[start : start + COLUMNS_A_QUERY]


def _untyped(asked: Asked, group: Sequence[int]) -> dict[int, Reading]:
    casts = ", ".join(f"{number(i)} AS n{i}" for i in group)
    with_numbers = f"(SELECT *, {casts} FROM {asked.table})"
    first = asked.answers({i: _number_questions(i) for i in group}, table=with_numbers)
    # Only few columns hold more than plain finite numbers; the dearer questions are for them.
    odd = [i for i, (filled, numbers, largest, _) in first.items() if filled != numbers or not _is_finite(largest)]
    exact = asked.answers({i: _exact_questions(asked, i) for i in odd}, table=with_numbers)
    found: dict[int, Reading] = {}
    texts: dict[int, tuple[int, int]] = {}
    for i, (filled, numbers, largest, low) in first.items():
        n_present, n_numbers, n_infinite = exact.get(i, (filled, numbers, 0))
        zero_led = low is not None and low.strip() >= ZERO_LED
        is_code = (zero_led and _is_code(asked, i)) or (
            largest is not None and _is_long_code(asked, i, largest=largest)
        )
        if n_numbers >= MOSTLY * n_present and not is_code:
            reading = _as_number(asked, i, n_present=n_present, n_numbers=n_numbers, n_infinite=n_infinite)
            found[i] = _with_missing(asked, i, reading=reading, n_missing=filled - n_present)
        else:
            texts[i] = (n_present, n_numbers)
    hollow = {i for i in texts if first[i][0] > texts[i][0]}
    return found | {
        i: replace(reading, dropped_texts=_dropped_texts(asked, i)) if i in hollow else reading
        for i, reading in _texts(asked, texts).items()
    }


def _number_questions(i: int) -> tuple[str, ...]:
    low = f"CASE WHEN c{i} < '{ZERO_LED_END}' THEN c{i} END"
    return f"count(c{i})", f"count(n{i})", f"max(abs(n{i}))", f"max({low})"


def _exact_questions(asked: Asked, i: int) -> tuple[str, ...]:
    return (
        f"count(*) FILTER ({asked.present(i)})",
        f"count(*) FILTER (NOT isnan(n{i}))",
        f"count(*) FILTER (isinf(n{i}))",
    )


def _is_finite(largest: float | None) -> bool:
    return largest is None or math.isfinite(largest)


def _is_code(asked: Asked, i: int) -> bool:
    """Whether all values are digits alone, some with leading zeros: post codes and the like, not amounts."""
    digits, zero_led = matches(i, r"\s*\d+\s*"), matches(i, r"\s*0\d.*")
    questions = (f"count(*) FILTER ({asked.present(i)} AND NOT {digits})", f"count(*) FILTER ({zero_led})")
    n_others, n_zero_led = asked.answers({i: questions})[i]
    return bool(n_zero_led and not n_others)


def _is_long_code(asked: Asked, i: int, *, largest: float) -> bool:
    """Whether most values are whole numbers of so many digits that DOUBLE loses some: ids, not amounts."""
    if largest < LEAST_INEXACT:
        return False
    n_inexact, n_present = asked.answers(
        {i: (f"count(*) FILTER ({is_inexact(i)})", f"count(*) FILTER ({asked.present(i)})")}
    )[i]
    return bool(2 * n_inexact > n_present)


def _dropped_texts(asked: Asked, i: int) -> tuple[tuple[str, int], ...]:
    """Return the words that a column of texts or booleans loses as missing, and how often each occurs."""
    text = trimmed(i)
    where = f"c{i} IS NOT NULL AND {text} <> '' AND NOT {asked.present_text(i)}"
    sql = f"SELECT {text}, count(*) FROM {asked.table} WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1"
    return tuple((str(word), int(count)) for word, count in asked.connection.execute(sql).fetchall())


def _as_number(asked: Asked, i: int, *, n_present: int, n_numbers: int, n_infinite: int) -> Reading:
    sql = number(i)
    strays = asked.lost(i, f"{asked.present(i)} AND {sql} IS NULL", n=n_present - n_numbers, what="not numeric")
    infinite = asked.lost(i, f"isinf({sql})", n=n_infinite, what="not finite")
    return Reading(kind="number", sql=sql, n_present=n_numbers - n_infinite, notes=(*strays, *infinite))


def _with_missing(asked: Asked, i: int, *, reading: Reading, n_missing: int) -> Reading:
    """Say so where words, not gaps, stand for missing numbers."""
    if n_missing == 0:
        return reading
    value, place = asked.first(i, f"c{i} IS NOT NULL AND NOT {asked.present(i)}")
    entries = "1 entry was" if n_missing == 1 else f"{n_missing:,} entries were"
    note = f"{asked.column(i)}: {entries} read as missing (first {value}, {place})"
    return replace(reading, notes=(*reading.notes, ("missing", note)))


def _texts(asked: Asked, texts: Mapping[int, tuple[int, int]]) -> dict[int, Reading]:
    """Read columns that are not plain numbers."""
    counts = asked.answers({i: spelling_questions(i) for i in texts})
    found = {}
    for i, (n_booleans, n_iso, n_date_like, n_signed, n_comma) in counts.items():
        n_present, n_numbers = texts[i]
        enough = MOSTLY * n_present
        n_amounts = max(n_signed, n_comma)
        reading = None
        if n_booleans == n_present:
            reading = read_booleans(asked, i, n_present=n_present)
        elif max(n_iso, n_date_like) >= enough:
            reading = read_dates(asked, i, n_present=n_present, n_iso=n_iso)
        elif n_amounts and n_numbers + n_amounts >= enough:
            by_comma = n_comma > n_signed or (n_comma == n_signed and asked.comma_likely)
            reading = read_amounts(asked, i, n_present=n_present, n_read=n_numbers + n_amounts, by_comma=by_comma)
        found[i] = reading or _as_text(asked, i, n_present=n_present, n_numbers=n_numbers, n_dates=n_iso + n_date_like)
    return found


def _as_text(asked: Asked, i: int, *, n_present: int, n_numbers: int, n_dates: int) -> Reading:
    column = asked.column(i)
    notes = []
    if n_dates >= MOSTLY * n_present:
        notes.append(("dates", f"{column}: the dates have no one clear style, so it was read as text"))
    elif n_numbers == n_present:
        (is_long,) = asked.answers({i: (f"max({is_inexact(i)})",)})[i]
        why = "whole numbers of more digits than numbers keep" if is_long else "digits with leading zeros"
        notes.append(("codes", f"{column}: {why}, so it was read as text"))
    elif n_numbers >= MIXED * n_present:
        value, place = asked.first(i, f"{asked.present(i)} AND {number(i)} IS NULL")
        others = f"{n_present - n_numbers:,} other values (first {value}, {place})"
        notes.append(("mixed", f"{column} mixes {n_numbers:,} numbers and {others}, so it was read as text"))
    sql = f"CASE WHEN {asked.present_text(i)} THEN {trimmed(i)} END"
    return Reading(kind="text", sql=sql, n_present=n_present, notes=tuple(notes))


def _declared(asked: Asked, declared: Mapping[int, Declared]) -> dict[int, Reading]:
    questions = {
        i: (f"count(c{i})", f"count(*) FILTER (isinf(c{i}))" if kind == "number" else "0")
        for i, kind in declared.items()
    }
    found = {}
    for i, (n_present, n_infinite) in asked.answers(questions).items():
        kind = declared[i]
        if kind == "number":
            found[i] = _as_number(asked, i, n_present=n_present, n_numbers=n_present, n_infinite=n_infinite)
        elif kind == "boolean":
            value = f"CAST(c{i} AS DOUBLE)"
            found[i] = Reading(kind="boolean", sql=value, labels=("false", "true"), n_present=n_present)
        elif kind == "date":
            found[i] = Reading(kind="date", sql=f"CASE WHEN isfinite(c{i}) THEN c{i} END", n_present=n_present)
        elif kind == "category":
            sql = f"CASE WHEN {asked.present_text(i)} THEN {trimmed(i)} END"
            found[i] = Reading(kind="text", sql=sql, n_present=n_present, is_category=True)
        else:
            found[i] = Reading(kind="text", sql=f"c{i}", n_present=n_present)
    return found


def remarks(found: Mapping[int, Reading], names: Mapping[int, str]) -> list[str]:
    """Return the remarks on all columns, each sort cut after a few.

    Parameters
    ----------
    found : mapping from position to Reading
    names : mapping from position to str

    Returns
    -------
    list of str
    """
    by_sort: dict[str, list[tuple[int, str]]] = {}
    for i, reading in found.items():
        for sort, note in reading.notes:
            by_sort.setdefault(sort, []).append((i, note))
    shown = []
    for notes in by_sort.values():
        shown += [note for _, note in notes[:MAX_NOTES]]
        if rest := notes[MAX_NOTES:]:
            shown.append(f"the same holds for {listed((names[i] for i, _ in rest), most=3)}")
    return shown
