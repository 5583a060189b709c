"""How a rate moves over a run: each takes the share of the run that is done and returns the share of the peak rate."""

from __future__ import annotations

import math
from collections.abc import Callable

Shape = Callable[[float], float]


def cosine(share: float) -> float:
    return (1 + math.cos(math.pi * share)) / 2


def constant(share: float) -> float:
    return 1.0


def warmed(shape: Shape) -> Shape:
    """Return a shape after a warm-up over the first tenth of the run."""
    return lambda share: (share + 1e-3) / 0.1 if share < 0.1 else shape((share - 0.1) / 0.9)


warmup_cosine = warmed(cosine)


def halfway(share: float) -> float:
    return 1.0 if share < 0.5 else 0.1 if share < 0.75 else 0.01


def linear(share: float) -> float:
    return 1 - share


def at_twenty(share: float) -> float:
    return 1.0 if share < 0.2 else 0.01


def at_ten(share: float) -> float:
    return max(math.exp(-share / 0.04), 1e-4)


def at_the_end(share: float) -> float:
    return 1.0 if share < 0.96 else 0.05


def one_cycle(share: float) -> float:
    if share < 0.3:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * share / 0.3)) / 2
    return max(cosine((share - 0.3) / 0.7), 1e-5)


def stable_decay(share: float) -> float:
    return min((share + 1e-3) / 0.05, 1.0) if share < 0.75 else (1 - share) / 0.25


def root(share: float) -> float:
    return (share + 1e-3) / 0.08 if share < 0.08 else math.sqrt(0.08 / share)


def exponential(share: float) -> float:
    return 0.01**share


def polynomial(share: float) -> float:
    return (1 - share) ** 2


def restarts(share: float) -> float:
    # T0 = T/7, mult 2
    return cosine(share * 7 if share < 1 / 7 else (share * 7 - 1) / 2 if share < 3 / 7 else (share * 7 - 3) / 4)


def cyclical(share: float) -> float:
    return 0.25 + 0.75 * (1 - abs(2 * (share * 4 % 1) - 1))


def to_a_tenth(share: float) -> float:
    return 0.1 + 0.9 * cosine(share)


def stairs(share: float) -> float:
    return 0.5 ** int(share * 6)


def inverse(share: float) -> float:
    return 1 / (1 + 20 * share)


def long_warmup(share: float) -> float:
    return (share + 1e-3) / 0.3 if share < 0.3 else 1.0 - 0.98 * (share - 0.3) / 0.7


def two_thirds(share: float) -> float:
    return 1.0 if share < 0.67 else 0.1


def root_to_nothing(share: float) -> float:
    return 1.0 if share < 0.8 else 1 - math.sqrt((share - 0.8) / 0.2)


def by_plateau(share: float) -> float:
    return 1.0 if share < 0.45 else 0.3 if share < 0.7 else 0.1


def last_moment(share: float) -> float:
    return 1.0 if share < 0.97 else (1 - share) / 0.03


def at_a_seventh(share: float) -> float:
    return 1.0 if share < 1 / 7 else 0.03
