"""Numbers as logs spell them: `parsed(texts)`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# What writers put where there is no value (Keras "NA", R "NA", pandas "<NA>", Python "None", JSON "null").
MISSING = frozenset(("", "na", "n/a", "none", "null", "nil", "-", "--", "<na>", "missing"))
# Spellings that Python's float() does not know: those of old C libraries, and of a NaN with its payload.
ODD_NAN = re.compile(r"[-+]?(1\.#(qnan|ind|snan)0*|nan\((ind|snan|0x[0-9a-f]+)?\))", re.IGNORECASE)
ODD_INF = re.compile(r"([-+]?)1\.#inf0*", re.IGNORECASE)
# The number inside tensor(0.5, device='cuda:0'), tf.Tensor(0.5, shape=(), ...), np.float64(0.5), array([0.5]), [0.5]
# and <tf.Tensor: shape=(), dtype=float32, numpy=0.5>.
NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"
TENSORS = r"(?:\w+\.)*(?:Tensor|array|Variable|EagerTensor|float\d+|bfloat16|int\d+)"
WRAPPED = re.compile(
    rf"{TENSORS}\s*\(\s*[\[(\s]*({NUMBER})\s*[\])]*\s*(?:,.*)?\)?|\[+\s*({NUMBER})\s*\]+|<.*\bnumpy=({NUMBER})\b.*>",
    re.IGNORECASE | re.DOTALL,
)
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
# 1,000 and 1,234,567.5, but neither 1,5 nor 0,125.
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
# A tensor's text is short; longer cells are not searched.
MAX_WRAPPED_LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """What a run of texts says.

    Attributes
    ----------
    given : array of int, shape (k,)
        Positions that hold a number.
    values : array, shape (k,)
        The numbers.
    wrapped : list of int
        Positions where the number stood inside other text.
    odd : list of int
        Positions of texts that are neither number nor gap.
    """

    given: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    wrapped: list[int]
    odd: list[int]


def parsed(texts: Sequence[str], *, decimal_comma: bool = False) -> Cells:
    """Return the numbers in `texts`.

    Parameters
    ----------
    texts : sequence of str
    decimal_comma : bool
        Whether 0,5 is a half.

    Returns
    -------
    Cells
    """
    try:
        plain = np.array([float(text) for text in texts])
    except ValueError:
        return _one_by_one(texts, decimal_comma=decimal_comma)
    return Cells(given=np.arange(len(plain)), values=plain, wrapped=[], odd=[])


def has_decimal_comma(texts: Sequence[str]) -> bool:
    """Whether the commas in numbers stand before decimals: some number with a comma is no number of thousands.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    bool
    """
    with_comma = [text.strip() for text in texts if "," in text]
    numbers = [text for text in with_comma if DECIMAL_COMMA.fullmatch(text)]
    return any(not THOUSANDS.fullmatch(text) for text in numbers)


def _one_by_one(texts: Sequence[str], *, decimal_comma: bool) -> Cells:
    given: list[int] = []
    values: list[float] = []
    wrapped: list[int] = []
    odd: list[int] = []
    for i, text in enumerate(texts):
        if not text:
            continue
        try:
            value = float(text)
        except ValueError:
            stripped = text.strip().strip("'\"")
            if stripped.lower() in MISSING:
                continue
            number = _plain(stripped, decimal_comma=decimal_comma)
            if number is None:
                number = _inside(stripped)
                (odd if number is None else wrapped).append(i)
            if number is None:
                continue
            value = number
        given.append(i)
        values.append(value)
    return Cells(given=np.array(given, dtype=np.int64), values=np.array(values), wrapped=wrapped, odd=odd)


def _plain(text: str, *, decimal_comma: bool) -> float | None:
    if "," in text:
        if decimal_comma and text.count(",") == 1 and text.rfind(".") < text.index(","):
            text = text.replace(".", "").replace(",", ".")
        elif THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        pass
    if ODD_NAN.fullmatch(text):
        return float("nan")
    infinite = ODD_INF.fullmatch(text)
    return float(f"{infinite[1]}inf") if infinite else None


def _inside(text: str) -> float | None:
    found = WRAPPED.fullmatch(text) if len(text) <= MAX_WRAPPED_LENGTH else None
    return float(found[1] or found[2] or found[3]) if found else None
