"""Labels of classes: read from any kind of column, told apart from numbers, put in natural order."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from lrfind.data import Column
from lrfind.text import listed, printable

# What to call the two classes where the file spells them in several ways.
TRUTH_LABELS = ("false", "true")


def read_labels(column: Column) -> tuple[list[str], npt.NDArray[np.bool_], list[str]]:
    """Return the class label of each row.

    Parameters
    ----------
    column : Column
        Text, numbers or booleans.

    Returns
    -------
    labels : list of str
        Without spaces at their ends, whole numbers without a point, booleans as the file spells them; "" where there
        is none.
    known : (n_rows,) ndarray of bool
        Rows that have a label.
    notes : list of str
    """
    if column.kind == "text":
        raw = ["" if text is None else str(text) for text in column.values]
        labels = [text.strip() for text in raw]
        return labels, np.array([label != "" for label in labels]), _label_notes(column, raw)
    values = column.values.astype(np.float64)
    distinct, inverse = np.unique(values, return_inverse=True)
    if column.kind == "boolean":
        spelled = column.labels or TRUTH_LABELS
        shown = ["" if np.isnan(v) else spelled[int(v)] for v in distinct]
    else:
        shown = [number_label(v) if np.isfinite(v) else "" for v in distinct]
    return [shown[i] for i in inverse], np.isfinite(values), []


def natural_key(label: str) -> tuple[object, ...]:
    """Return a sorting key: numbers by size and before words, digits inside words by size.

    Parameters
    ----------
    label : str

    Returns
    -------
    tuple
    """
    number = _number(label)
    if not np.isnan(number):
        return (0, number, label)
    # Digits compare by length, then as text, which is by size and has no limit.
    pieces = re.split(r"([0-9]+)", label)
    return (1, tuple((len(p.lstrip("0")) if i % 2 else 0, p) for i, p in enumerate(pieces)), label)


def number_label(value: float) -> str:
    """Return a number as a label: whole numbers without a point.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    str
    """
    return str(int(value)) if float(value).is_integer() else repr(float(value))


# Digits of whole numbers of which float64 rounds some; longer ones are left to `LONGEST_NUMBER`.
EXACT_FROM = range(16, 300)
# Letters beyond which a text is not tried as a number: float() would first copy it all.
LONGEST_NUMBER = 400


def parse_numbers(texts: Iterable[object]) -> npt.NDArray[np.float64]:
    """Return texts as numbers, NaN where one is none.

    Parameters
    ----------
    texts : iterable of str or None

    Returns
    -------
    (n,) ndarray of float64
    """
    return np.fromiter((_number(text) for text in texts), dtype=np.float64)


def are_codes(texts: Iterable[str]) -> bool:
    """Say whether texts that may look like numbers are codes: "00501" is a place, and 19 digits are no amount.

    Parameters
    ----------
    texts : iterable of str
        The different texts of a column.

    Returns
    -------
    bool
        Whether one begins with a zero and another digit, or most are whole numbers that float64 cannot hold exactly.
    """
    every = list(texts)
    if any(text[0] == "0" and text[1:2].isdigit() for text in every):
        return True
    return 2 * sum(
        len(text) in EXACT_FROM and text.isdigit() and int(float(text)) != int(text) for text in every
    ) > len(every)


def _number(text: object) -> float:
    # float() also takes "1_000"; an underscore in data is part of a name.
    if not isinstance(text, str) or len(text) > LONGEST_NUMBER or "_" in text:
        return np.nan
    try:
        return float(text)
    except ValueError:
        return np.nan


def _alike(name: str, labels: set[str]) -> list[str]:
    """Tell of labels that read the same but for upper and lower case and blanks."""
    groups: dict[str, list[str]] = {}
    for label in sorted(labels):
        groups.setdefault("".join(label.casefold().split()), []).append(label)
    doubled = [group for group in groups.values() if len(group) > 1]
    if not doubled:
        return []
    note = (
        f"labels of '{name}' that differ only in upper and lower case or blanks were kept apart, such as "
        f"{listed(doubled[0], most=3)}: {len(labels):,} classes for {len(groups):,}"
    )
    return [note]


def _label_notes(column: Column, raw: list[str]) -> list[str]:
    name = printable(column.name, width=40)
    notes = []
    padded = sum(text != text.strip() and text.strip() != "" for text in raw)
    labels = {text.strip() for text in raw} - {""}
    if padded:
        notes.append(f"{padded:,} labels of '{name}' lost spaces at their ends: ' a' and 'a' are one class")
    notes += _alike(name, labels)
    numeric = [label for label in labels if not np.isnan(_number(label))]
    if numeric and len(numeric) < len(labels):
        example = min(labels - set(numeric))
        notes.append(
            f"the target '{name}' mixes numbers and text, such as {listed([min(numeric), example])}; "
            "each was taken as a class"
        )
    return notes
