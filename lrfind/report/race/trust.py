"""Answers to "can I trust this?" that a race gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lrfind.report import words
from lrfind.report.race import words as race_words
from lrfind.text import measured

if TYPE_CHECKING:
    from lrfind.race import Race
    from lrfind.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer to "can I trust this?".

    Attributes
    ----------
    question : str
    text : str
    state : {"yes", "careful", "unknown"}
    """

    question: str
    text: str
    state: Literal["yes", "careful", "unknown"]


# Standard errors by which training must beat a constant guess to be no luck; the advice itself asks for 2.5.
CLEAR_ERRORS = 2.5
# Closer than this to an end of the rates raced, a better one may lie outside: two steps of a race's rates.
EDGE_DECADES = 0.5


def trust_race(report: Report, race: Race) -> list[Answer]:
    """Return what a careful reader asks of a race.

    Parameters
    ----------
    report : Report
    race : Race

    Returns
    -------
    list of Answer
    """
    return [_noise(report, race), _schedule(race), _edge(report, race)]


def _noise(report: Report, race: Race) -> Answer:
    seeds = len({seed for seed, _ in race.replicas})
    folds = f" in each of {race.n_folds} folds, {_judges(report, race)}" if race.n_folds > 1 else ""
    text = (
        f"{words.plural(race_words.n_runs(race), 'run')}: {len(race.scores.names):,} pairs of rate and schedule, each "
        f"with {words.plural(seeds, 'seed')}{folds}. {_gained(race)}"
    )
    clear = race.gain > CLEAR_ERRORS * race.gain_se
    return Answer(question="Is that more than noise?", text=text, state="yes" if clear else "careful")


def _judges(report: Report, race: Race) -> str:
    """Return which rows judged: a few are over where folds are equal, and of many some only are held out."""
    n_rows = len(report.problem.y_train) + len(report.problem.y_val)
    if race.n_held_out == n_rows:
        return "so that every row was held out"
    return f"so that {race.n_held_out:,} of {n_rows:,} rows were held out"


def _gained(race: Race) -> str:
    if not race.gain > 0:
        return f"Training ends {measured(abs(race.gain), race.gain_se)} above a constant guess."
    times = race.gain / race.gain_se if race.gain_se > 0 else math.inf
    luck = f", {words.number(times)} times its error" if math.isfinite(times) else ""
    return f"Training gains {measured(race.gain, race.gain_se)} over a constant guess{luck}."


def _schedule(race: Race) -> Answer:
    question = "Does the schedule matter?"
    if len(race.margins) == 1:
        return Answer(question=question, text="Only one was raced.", state="unknown")
    close = sum(race_words.in_noise(race, margin) for margin in race.margins)
    worst = max(race.margins, key=lambda margin: margin.behind)
    least = measured(worst.behind, worst.behind_se)
    text = (
        f"{close} of {len(race.margins)} end within noise of the lowest loss; the last, {words.name(worst.schedule)}, "
        f"lies {least} above it. Differences are taken row by row and seed by seed."
    )
    return Answer(question=question, text=text, state="yes" if race_words.in_noise(race, race.winner) else "careful")


def _edge(report: Report, race: Race) -> Answer:
    lrs, lr = race.scores.lrs, race.winner.lr
    low, high = float(lrs.min()), float(lrs.max())
    below, above = math.log10(lr / low), math.log10(high / lr)
    lost = lrs[~np.isfinite(race.scores.losses).all(axis=1)]
    walled = bool(lost.size and lost.max() > lr)
    end = f", where runs diverge from {words.rate(float(lost[lost > lr].min()))} on" if walled else ""
    text = (
        f"Rates from {words.rate(low)} to {words.rate(high)} were raced{end}; the best lies {below:.1f} decades above "
        f"the lower end and {above:.1f} below the upper."
    )
    wide = below >= EDGE_DECADES and (walled or above >= EDGE_DECADES)
    if not wide and report.sweep.lrs.size:
        text += " A better one may lie beyond: widen --lr-min and --lr-max."
    return Answer(question="Was the range wide enough?", text=text, state="yes" if wide else "careful")
