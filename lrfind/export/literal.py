"""Numbers as code."""

from __future__ import annotations

from typing import Final

# Beyond this, digits of a whole number say more than float64 knows.
LARGEST_WHOLE: Final = 1e15


def literal(number: float) -> str:
    """Return a number as code that gives the same float64, whole ones without a point."""
    exact = float(number)
    return str(int(exact)) if exact.is_integer() and abs(exact) < LARGEST_WHOLE else repr(exact)
