"""What single columns can hide: LR303, LR304, LR305, LR311, LR312 and LR315."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lrfind.checks.dataset.profile import ColumnProfile
from lrfind.checks.dataset.value import Dataset
from lrfind.checks.finding import Check, Finding
from lrfind.data import Column
from lrfind.problem.encode import is_copy
from lrfind.problem.labels import are_codes
from lrfind.problem.scale import FAR_SPREADS
from lrfind.text import listed, printable

Floats = npt.NDArray[np.float64]

# Names in one message; the evidence has the count.
MOST_NAMED = 4
# Characters of names that an option to be copied may have.
MOST_TYPED = 300
QUOTE = '"'


def named(names: Sequence[str]) -> str:
    """Return columns as a phrase: "column 'a'", "columns 'a', 'b' and 3 more"."""
    return f"{'column' if len(names) == 1 else 'columns'} {listed(names, most=MOST_NAMED)}"


def sentence(text: str) -> str:
    """Return words as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def drop_option(names: Sequence[str]) -> str:
    """Return the option that leaves columns out, as a shell takes it; the first of them where they are many."""
    # a name that is not what it looks like cannot be typed
    typed = [name for name in names if printable(name) == name]
    cells = [f'"{name.replace(QUOTE, QUOTE * 2)}"' if set(name) & {",", QUOTE} else name for name in typed]
    lengths = np.cumsum([len(cell) + 1 for cell in cells])
    kept = cells[: max(int(np.searchsorted(lengths, MOST_TYPED, side="right")), 1)]
    rest = len(names) - len(kept)
    return f"--drop {shlex.quote(','.join(kept))}" + (f" and {rest} more" if rest else "") if kept else "--drop"


def constant_columns(check: Check, dataset: Dataset) -> Finding:
    """LR303: a column holds one value in every row, or none in any.

    Exact: distinct values are counted over every row. A blank counts as a value: a coupon that is there or not varies.
    """
    names = [column.name for column in dataset.features if column.n_states <= 1]
    numbers = {"n_columns": len(names), "n_features": len(dataset.features)}
    if not names:
        return check.passed(f"All {len(dataset.features)} columns vary.", numbers)
    is_one = len(names) == 1
    message = sentence(f"{named(names)} {'is' if is_one else 'are'} constant or empty and cannot help to predict")
    return check.found(message, numbers, f"Leave {'it' if is_one else f'the {len(names)}'} out: {drop_option(names)}.")


def duplicate_columns(check: Check, dataset: Dataset) -> Finding:
    """LR304: a column repeats another.

    Two columns are one when they hold the same values row by row, gaps included; numbers also when one is the other in
    other units, a + b x. So much is exact, but for the rounding of float64 and of the last digit written. Columns that
    only rank the rows alike, as an odometer and a clock do, are two.
    """
    used = set(dataset.used)
    seen: dict[bytes, list[Column]] = {}
    copies: list[tuple[str, str]] = []
    for column, codes in zip(dataset.profile.columns, dataset.profile.codes, strict=True):
        if column.name not in used or column.n_states < 2:  # noqa: PLR2004 - one value repeats every other
            continue
        # columns in other units rank the rows alike, upwards or downwards
        downwards = np.where(codes >= 0, column.n_distinct - 1 - codes, -1)
        alike = seen.setdefault(min(codes.tobytes(), downwards.tobytes()), [])
        own = dataset.column(column.name)
        original = next((other for other in alike if _is_same(own, other)), None)
        if original is None:
            alike.append(own)
        else:
            copies.append((own.name, original.name))
    numbers = {"n_columns": len(copies), "n_features": len(used)}
    if not copies:
        return check.passed(f"No two of {len(used)} columns say the same.", numbers)
    name, original_name = copies[0]
    more = f", and {len(copies) - 1} more columns repeat others" if len(copies) > 1 else ""
    message = (
        f"Column {listed([name])} repeats {listed([original_name])}: the same values, or the same in other units{more}."
    )
    return check.found(message, numbers, f"Keep one of each: {drop_option([copy for copy, _ in copies])}.")


# Share of a column's range by which float64 may miss a value in other units.
ROUNDING = 1e-9
# Share of the range up to which the last decimal is rounding; where it is coarser it may be the value itself: levels
# 1, 2, 3 are not 1, 2, 4 rounded.
FINE = 1e-3
# Decimals beyond which digits are those of float64, not of whoever wrote them.
MOST_DECIMALS = 12


def _is_same(one: Column, other: Column) -> bool:
    """Return whether two columns that rank the rows alike hold the same values, or numbers in other units."""
    numeric = ("number", "boolean")
    if one.kind not in numeric or other.kind not in numeric:
        return is_copy(one, other)
    # both have their gaps in the same rows, for they rank the rows alike
    x, y = (column.values[np.isfinite(column.values)] for column in (one, other))
    return _is_in_units(x, y) or _is_in_units(y, x)


def _is_in_units(x: Floats, y: Floats) -> bool:
    """Return whether y is a + b x, to float64's rounding or to half of the last decimal in which y is written."""
    low, high = int(x.argmin()), int(x.argmax())
    if x[low] == x[high]:
        return bool(x[low] == y[low])
    with np.errstate(all="ignore"):  # values near the ends of float64 are the same only where they are equal
        span = float(abs(y[high] - y[low]))
        share = (x - x[low]) / (x[high] - x[low])
        missed = float(np.abs(y - (y[low] + share * (y[high] - y[low]))).max())
    # the ends may be rounded by half of a decimal each, and any value by another half
    decimal = _last_decimal(y)
    return missed <= max(ROUNDING * span, decimal if decimal <= FINE * span else 0.0)


def _last_decimal(values: Floats) -> float:
    """Return the unit of the last decimal in which numbers are written; 0 where it is beyond float64's own."""
    largest = float(np.abs(values).max())
    for decimals in range(MOST_DECIMALS):
        unit = 10.0**-decimals
        if largest / unit < 1 / np.finfo(np.float64).eps and bool((np.round(values, decimals) == values).all()):
            return unit
    return 0.0


def id_columns(check: Check, dataset: Dataset) -> Finding:
    """LR305: a column names the rows instead of describing them.

    Texts of which nearly all differ, whole numbers that count the rows without a gap, and whole numbers that differ in
    a column called like an id (see `lrfind.problem.numbering`). In n rows of a quantity of few more than n possible
    values, no repetition at all has a probability near e^-n/2 (the birthday problem).
    """
    names = id_names(dataset)
    numbers = {"n_columns": len(names)}
    if not names:
        return check.passed("No column merely names the rows.", numbers)
    is_one = len(names) == 1
    verb = "is an id: its values name" if is_one else "are ids: their values name"
    left = "it was left out" if is_one else "they were left out"
    message = sentence(f"{named(names)} {verb} the rows, and nothing about them carries over to others; {left} here")
    return check.found(
        message, numbers, f"Leave {'it' if is_one else f'the {len(names)}'} out everywhere: {drop_option(names)}."
    )


def id_names(dataset: Dataset) -> list[str]:
    """Return the columns that name the rows, and were left out for it."""
    how = ("dropped: id-like", "dropped: row numbers")
    return [made.column for made in dataset.problem.encodings if made.how in how]


# The furthest rows, this share of all, may hold at most half of a column's variance; of a normal column of 1,000 rows
# the furthest holds 1 %, of a log-normal one (sigma 1) 10 %.
FAR_SHARE, MOST_OF_VARIANCE = 0.001, 0.5
# Fewer distinct values are levels, and a rare level is no tail.
FEWEST_DISTINCT = 20
# Curvatures go with the square of scales: 1e4 apart they are 1e8 apart, and float32 (24 bits) keeps nothing of the
# smaller one beyond 1.7e7. At any rate that the large column allows the small one then stays where it was. Money beside
# shares is as far apart by nature, so that up to 1e6, where float32's seven digits are lost in the values themselves,
# it is worth a tip only.
SCALE_RATIO, WILD_RATIO = 1e4, 1e6
# Largest logarithm of which the exponential is a number.
MOST_LOG = 700.0


def unscaled_features(check: Check, dataset: Dataset) -> Finding:
    """LR311: heavy tails, or scales far apart.

    A column is heavy-tailed when its furthest 0.1 % of rows (at least one) hold more than half of its variance about
    the median, or when a value lies more than 10,000 spreads out; standardising then presses all other rows into one
    point. Scales are standard deviations of numeric columns, each against the others: a factor of 10,000 to at least
    half of them is a tip, one of a million a warning.
    """
    columns = [c for c in dataset.features if c.kind == "number" and c.n_distinct > 1 and c.name in dataset.used]
    if not columns:
        return check.not_applicable("No column holds different numbers.")
    shares = {column.name: _tail_share(dataset, column) for column in columns if column.n_distinct >= FEWEST_DISTINCT}
    tails = [name for name, share in shares.items() if share > MOST_OF_VARIANCE]
    ratios = _scale_ratios(dataset, [column for column in columns if column.name not in tails], tails=tails)
    wild = [name for name, ratio in ratios.items() if ratio > SCALE_RATIO]
    ratio = max(ratios.values(), default=1.0)
    numbers = {
        "n_heavy_tailed": len(tails),
        "largest_tail_share": max(shares.values(), default=0.0),
        "n_unscaled": len(wild),
        "scale_ratio": ratio,
    }
    if not tails and not wild:
        return check.passed(
            f"No tail of {len(columns)} numeric columns holds over {MOST_OF_VARIANCE:.0%} of its variance; scales lie "
            f"within a factor of {ratio:.2g}.",
            numbers,
        )
    parts, advice = [], []
    if tails:
        parts.append(
            f"extreme values make up most of the variance of {named(tails)} "
            f"({max(shares.values()):.0%} in 0.1 % of the rows)"
        )
        advice.append("clip at the 0.1 and 99.9 % quantiles or take logarithms")
    if wild:
        parts.append(_apart(wild, ratio=ratio, n_compared=len(_compared(dataset, tails=tails))))
        advice.append("standardise to mean 0 and sd 1 before training elsewhere (here that is done)")
    found = check if tails or ratio > WILD_RATIO else replace(check, severity="tip")
    return found.found(sentence("; ".join(parts)), numbers, sentence("; ".join(advice)))


def _tail_share(dataset: Dataset, column: ColumnProfile) -> float:
    values = dataset.column(column.name).values
    with np.errstate(all="ignore"):
        distance = np.abs(values[np.isfinite(values)] - np.median(values[np.isfinite(values)]))
        largest = distance.max(initial=0.0)
        if largest == 0:
            return 0.0
        if column.spread > 0 and largest > FAR_SPREADS * column.spread:
            return 1.0
        squares = np.square(distance / largest)
    n_far = max(1, round(FAR_SHARE * len(squares)))
    return float(np.partition(squares, -n_far)[-n_far:].sum() / squares.sum())


def _scale_ratios(dataset: Dataset, columns: Sequence[ColumnProfile], *, tails: Sequence[str]) -> dict[str, float]:
    """Return by what factor, 1 or more, at least half of the other columns are away from the scale of each.

    A column that is alone has none to be far from.
    """
    scales = {column.name: _scale(dataset, column) for column in _compared(dataset, tails=tails)}
    logs = {name: math.log(scale) for name, scale in scales.items() if scale > 0}
    every, ratios = np.array([*logs.values()]), {}
    for column in columns if len(logs) > 1 else ():
        if column.name in logs:
            # the first place is its own, 0
            apart = np.sort(np.abs(every - logs[column.name]))
            ratios[column.name] = math.exp(min(apart[len(apart) // 2], MOST_LOG))
    return ratios


def _compared(dataset: Dataset, *, tails: Sequence[str]) -> list[ColumnProfile]:
    """Return the columns whose scales are compared: numbers that are learned from, heavy tails left out."""
    used = set(dataset.used)
    return [
        column for column in dataset.features
        if column.kind in ("number", "boolean") and column.n_distinct > 1
        and column.name in used and column.name not in tails
    ]  # fmt: skip


def _apart(wild: Sequence[str], *, ratio: float, n_compared: int) -> str:
    """Return which scales are far from which: from the others', or from one another where there are no others."""
    if len(wild) == n_compared:
        return f"the scales of {named(wild)} are a factor of {ratio:.1g} apart from one another"
    return f"the scale of {named(wild)} is a factor of {ratio:.1g} away from the others'"


def _scale(dataset: Dataset, column: ColumnProfile) -> float:
    values = dataset.column(column.name).values
    known = values[np.isfinite(values)]
    largest = float(np.abs(known).max(initial=0.0))
    return float((known / largest).std() * largest) if largest > 0 else 0.0


# A number after a sign or two and before a unit: "$1,200", "12.5 kg", "~7". A letter before it makes a name: "A12".
NUMBER_IN_TEXT = re.compile(r"[^\w+\-.]{0,4}[-+]?(\d[\d,' ]*)?[.,]?\d+([eE][-+]?\d+)?\D{0,6}")
# Share of the different texts that have to be numbers, and how many there must be: below, they are names of levels.
NUMBERS_SHARE, FEWEST_NUMBERS = 0.5, 10


# What the reader says about columns of amounts that it could make numbers of.
FORMATTED = re.compile(
    r"column '(?P<name>.*)': amounts with signs or thousands separators were read as numbers "
    r"\(such as (?P<example>.*)\)"
)


def numbers_as_text(check: Check, dataset: Dataset) -> Finding:
    """LR312: numbers stored as text.

    A column read as text of whose different texts at least half hold one number, with at most a few other characters
    around it, and no leading zero (a code); and amounts such as "$1,200", which are read as numbers here, but not by
    every program. Texts are counted, not sampled.
    """
    texts = [c for c in dataset.features if c.kind == "text" and not dataset.column(c.name).is_category]
    amounts = [match for note in dataset.table.notes if (match := FORMATTED.match(note))]
    if not texts and not amounts:
        return check.not_applicable("No column holds text.")
    if not any(_number_share(dataset, column) >= NUMBERS_SHARE for column in texts) and amounts:
        return _amounts(check, amounts, n_texts=len(texts))
    shares = {column.name: _number_share(dataset, column) for column in texts}
    names = [name for name, share in shares.items() if share >= NUMBERS_SHARE]
    numbers = {"n_columns": len(names), "n_text_columns": len(texts), "largest_share": max(shares.values())}
    if not names:
        held = "1 text column holds" if len(texts) == 1 else f"{len(texts)} text columns hold"
        return check.passed(f"{held} no numbers.", numbers)
    example = next(
        text for text in dataset.column(names[0]).values if text is not None and NUMBER_IN_TEXT.fullmatch(text.strip())
    )
    message = sentence(
        f"{named(names)} {'was' if len(names) == 1 else 'were'} read as text, but {max(shares.values()):.0%} of the "
        f"different values are numbers, such as {listed([example])}"
    )
    return check.found(message, numbers, "Strip signs and units so that at least 95 % of the values are plain numbers.")


def _amounts(check: Check, amounts: Sequence[re.Match[str]], *, n_texts: int) -> Finding:
    names = [match["name"] for match in amounts]
    message = sentence(
        f"{named(names)} {'holds' if len(names) == 1 else 'hold'} amounts stored as text, such as "
        f"{amounts[0]['example']}; here they were read as numbers"
    )
    numbers = {"n_columns": len(names), "n_text_columns": n_texts, "largest_share": 1.0}
    return check.found(message, numbers, "Export plain numbers: other programs take 100 % of these values for words.")


def _number_share(dataset: Dataset, column: ColumnProfile) -> float:
    levels = {text.strip() for text in dataset.column(column.name).values if text is not None}
    if len(levels) < FEWEST_NUMBERS or are_codes(level for level in levels if level):
        return 0.0
    return sum(NUMBER_IN_TEXT.fullmatch(level) is not None for level in levels) / len(levels)


# What the reader says about values that are no finite numbers.
NOT_FINITE = re.compile(r"column '(?P<name>.*)': (?P<count>[\d,]+) values? (is|are) not finite")
# From this share on a column is more gap than data.
MOSTLY_MISSING = 0.5
# Probability below which so long a run of gaps is no chance, over all columns (Bonferroni); and a run that matters.
GAP_CHANCE, SHORTEST_BURST = 1e-6, 20


def non_finite_values(check: Check, dataset: Dataset) -> Finding:
    """LR315: infinite values, columns mostly missing, or gaps that come in bursts.

    Gaps placed at random, a share q of n rows, have a run of L or more with probability at most n q^L (a union bound);
    a longer run than that explains at 1e-6 is a burst: a sensor that was off, a join that failed.
    """
    notes = [match for note in dataset.table.notes if (match := NOT_FINITE.search(note))]
    n_infinite = sum(int(match["count"].replace(",", "")) for match in notes)
    # where there is one value or none, a blank is the other value, and nothing is missing
    gappy = [c for c in dataset.features if not c.is_mark]
    hollow = [c.name for c in gappy if MOSTLY_MISSING <= c.n_missing / dataset.table.n_rows < 1]
    bursts = [c for c in gappy if c.name not in hollow and _is_burst(c, n_rows=dataset.table.n_rows)]
    n_missing = sum(column.n_missing for column in dataset.features)
    longest = max((c.longest_gap for c in bursts), default=0)
    numbers = {
        "n_infinite": n_infinite,
        "n_missing": n_missing,
        "n_mostly_missing": len(hollow),
        "n_bursts": len(bursts),
        "longest_burst": longest,
    }
    parts = []
    if notes:
        parts.append(f"{n_infinite:,} values of {named([match['name'] for match in notes])} are not finite")
    if hollow:
        most = max(dataset.profile.of(name).n_missing for name in hollow) / dataset.table.n_rows
        parts.append(f"{named(hollow)} {'is' if len(hollow) == 1 else 'are'} mostly missing ({most:.0%})")
    if bursts:
        parts.append(f"missing values of {named([c.name for c in bursts])} come in bursts of up to {longest:,} rows")
    if not parts:
        return check.passed(f"All values are finite; {n_missing:,} are missing, none in bursts.", numbers)
    return check.found(
        sentence("; ".join(parts)),
        numbers,
        "Find what wrote them, and leave out columns under 50 % filled or mark their gaps.",
    )


def _is_burst(column: ColumnProfile, *, n_rows: int) -> bool:
    share = column.n_missing / n_rows
    if column.longest_gap < SHORTEST_BURST or share == 1:
        return False
    return bool(np.log(n_rows) + column.longest_gap * np.log(share) < np.log(GAP_CHANCE))
