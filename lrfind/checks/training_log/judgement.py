"""What the shape of a loss curve tells of its rate: `judge_rate(signals)`, `advise(signals)`.

Logistic scores weigh the traits of a log, each along a line that may bend, to the chance that its rate was too high,
or too low, by a factor of three or more that cost something, that it decayed too early or too late, or that a warm-up
would have helped; linear fits name the factor. Their weights are in `rate_weights.csv`, fitted to some thousands of
small training runs whose best rate is known, since each was trained at a grid of rates: real and generated tables,
images, series and tokens; linear, deep, convolutional, recurrent and attention nets; twelve optimisers, all schedules.
`make rate-weights` trains those runs and fits anew.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from lrfind.checks.finding import Numbers
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.traits import read_traits, traits_of_rate
from lrfind.logs import Optimizer
from lrfind.text import number, rate

TABLE = "rate_weights.csv"
COLUMNS = ("model", "trait", "beyond", "weight")
# Rows of the table that weigh no trait: the constant of a fit, and the errors that one run in ten fell below and above
# when its base was kept out of the fit, in decades.
CONSTANT, LOWEST, HIGHEST = "(constant)", "(tenth)", "(ninetieth)"
# Factors that are ever advised; the runs that the fit knows are no further off.
LEAST_FACTOR, MOST_FACTOR = 2.0, 200.0
# A factor this near to the most is the most.
ROUNDING = 1e-6
# A decay to half of the peak before this share of the run may be early: a cosine or a straight line to 0 comes there at
# 0.5, an exponential to a hundredth at 0.15.
EARLY_TO = 0.4
# A decay that comes after this share of the run leaves too little of it: straight lines to 0 over the last 15 % pass
# half of the peak just before, and do as well as a cosine (Hägele et al. 2024, arXiv:2405.18392).
LATE_FROM = 0.93
# Logarithm of the rate at and below which large models are trained, and few of the pool train well, and the share that
# what the pool says of the rate itself counts there: of the chances of a fault, and, further below, of the factor. What
# is usual for an optimizer in the pool counts above it alone: with AdamW at 2e-5 large models are fine-tuned.
FINE_RATE, FINE_SHARE = -3.0, 0.25
FINEST_RATE, FINEST_SHARE = -4.0, 0.5
# Of the models that are fitted several times, the name of the one for logs with held-out losses ends in the first, of
# the one for logs without the rate in the second, and of the one for logs that name their optimizer in the third.
VALIDATED, UNRATED, NAMED = "_val", "_unrated", "_named"
# Traits that tell whether a log shows them.
OF_RATE, OF_VAL, OF_OPTIMIZER = "rate", "val_rises", "against_usual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Chances that the rate was too high, or too low, or decayed too early, or too late, by enough to cost something.

    `too_early` and `too_late` are None where the rate is not known, or did not decay early, or late. `cold` is the
    chance that a warm-up alone would have reached much more.
    """

    too_high: float
    too_low: float
    too_early: float | None
    too_late: float | None
    cold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """By how much to change the rate.

    Attributes
    ----------
    factor : float
        What to multiply the rate by.
    least, most : float
        Interval that held the best factor in eight runs of ten.
    """

    factor: float
    least: float
    most: float

    def of(self, lr: float) -> str:
        """Return "8e-4 (3e-4 to 0.002)"."""
        return f"{rate(lr * self.factor)} ({rate(lr * self.least)} to {rate(lr * self.most)})"

    def times(self) -> str:
        """Return "about 30x", the factor as a number above 1, or "at least 200x" where the fits know no more."""
        factor = max(self.factor, 1 / self.factor)
        is_most = factor > MOST_FACTOR * (1 - ROUNDING)
        return f"at least {number(MOST_FACTOR)}x" if is_most else f"about {number(factor, digits=2)}x"

    def told(self) -> str:
        """Return "about 30x (12x to 70x)"."""
        low, high = self._interval()
        return f"{self.times()} ({number(low, digits=2)}x to {number(high, digits=2)}x)"

    def _interval(self) -> tuple[float, float]:
        return (1 / self.most, 1 / self.least) if self.factor < 1 else (self.least, self.most)

    def suggested(self, lr: float | None) -> Numbers:
        """Return the rate to try in place of another, None where that is not known, and the factor, with intervals."""
        factors = {"": self.factor, "_low": self.least, "_high": self.most}
        low, high = self._interval()
        return {
            **{f"lr_suggested{end}": None if lr is None else lr * factor for end, factor in factors.items()},
            "factor": max(self.factor, 1 / self.factor), "factor_low": low, "factor_high": high,
        }  # fmt: skip


# All checks of a log ask for the same.
@lru_cache(maxsize=1)
def judge_rate(signals: Signals) -> Judgement:
    """Return the chances that the rate was too high, or too low, or decayed at the wrong time.

    Parameters
    ----------
    signals : Signals

    Returns
    -------
    Judgement
    """
    traits = read_traits(signals)
    at = traits.get("decayed_at")
    return Judgement(
        too_high=_chance("high", traits), too_low=_chance("low", traits),
        too_early=_chance("early", traits) if at is not None and at < EARLY_TO else None,
        too_late=_chance("late", traits) if at is not None and at > LATE_FROM else None,
        cold=_chance("cold", traits),
    )  # fmt: skip


def advise(signals: Signals, *, up: bool) -> Advice:
    """Return by how much to raise or lower the rate.

    Parameters
    ----------
    signals : Signals
    up : bool
        Whether it is to be raised.

    Returns
    -------
    Advice
    """
    model = "raise" if up else "lower"
    return _advice(model, read_traits(signals), up=up)


def advise_after_nan(lr: float | None, *, optimizer: Optimizer | None) -> Advice:
    """Return by how much to lower the rate of a run whose loss became NaN.

    How soon it did tells nothing more: deep nets break at once at rates that are hardly too high.

    Parameters
    ----------
    lr : float or None
        The highest learning rate until then, if known.
    optimizer : str or None
        As in `TrainingLog`.

    Returns
    -------
    Advice
    """
    traits = {} if lr is None else traits_of_rate(lr, optimizer=optimizer)
    return _advice("nan", traits, up=False)


def lacks_optimizer(signals: Signals) -> bool:
    """Say whether the judgement would be surer if the log named its optimizer."""
    rates = signals.rates
    return rates is not None and signals.log.optimizer is None and math.log10(rates.peak) > FINE_RATE


def _chance(model: str, traits: Mapping[str, float]) -> float:
    score = _score(model, traits, fine=FINE_RATE, share=FINE_SHARE)
    return 1 / (1 + math.exp(-min(max(score, -500.0), 500.0)))


def _advice(model: str, traits: Mapping[str, float], *, up: bool) -> Advice:
    least, most = math.log10(LEAST_FACTOR), math.log10(MOST_FACTOR)
    score = _score(model, traits, fine=FINEST_RATE, share=FINEST_SHARE)
    decades = min(max(score, least), most) if up else min(max(score, -most), -least)
    numbers = read_models()[_named(model, traits)].numbers
    return Advice(factor=10**decades, least=10 ** (decades + numbers[LOWEST]), most=10 ** (decades + numbers[HIGHEST]))


def _named(model: str, traits: Mapping[str, float], *, is_rated: bool = True) -> str:
    """Return the name of the model for logs that show these traits."""
    name = model + VALIDATED if OF_VAL in traits and model + VALIDATED in read_models() else model
    is_named = OF_OPTIMIZER in traits and traits["log_rate"] > FINE_RATE
    end = UNRATED if OF_RATE not in traits or not is_rated else NAMED if is_named else ""
    return name + end if name + end in read_models() else name


def _score(model: str, traits: Mapping[str, float], *, fine: float, share: float) -> float:
    """Return the sum of the weighted traits; at fine rates the model that knows the rate counts by a share alone."""
    score = read_models()[_named(model, traits)].weigh(traits)
    if OF_RATE in traits and traits["log_rate"] <= fine:
        return share * score + (1 - share) * read_models()[_named(model, traits, is_rated=False)].weigh(traits)
    return score


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What a trait adds to a score: a weight times the trait, or times how far it lies beyond a knot of its line."""

    trait: str
    beyond: float | None
    weight: float

    def of(self, traits: Mapping[str, float]) -> float:
        """Return what the trait of a log adds."""
        value = traits[self.trait]
        return self.weight * (value if self.beyond is None else max(value - self.beyond, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A score: a constant, and terms of traits.

    Attributes
    ----------
    numbers : mapping of str to float
        The constant and, of a factor, its errors.
    terms : tuple of Term
        Several of one trait make a line that bends.
    """

    numbers: Mapping[str, float]
    terms: tuple[Term, ...]

    def weigh(self, traits: Mapping[str, float]) -> float:
        """Return the score of a log."""
        return self.numbers[CONSTANT] + sum(term.of(traits) for term in self.terms)


@cache
def read_models() -> Mapping[str, Model]:
    """Return the models, by name, as shipped."""
    numbers: dict[str, dict[str, float]] = {}
    terms: dict[str, list[Term]] = {}
    for name, trait, beyond, weight in _rows_of_table():
        if trait.startswith("("):
            numbers.setdefault(name, {})[trait] = float(weight)
        else:
            bent = float(beyond) if beyond else None
            terms.setdefault(name, []).append(Term(trait=trait, beyond=bent, weight=float(weight)))
    return {name: Model(numbers=numbers[name], terms=tuple(terms.get(name, ()))) for name in numbers}


def _rows_of_table() -> Iterator[list[str]]:
    lines = csv.reader((files(__package__) / TABLE).read_text(encoding="utf-8").splitlines())
    next(lines)
    return lines
