"""Answers to "can I trust this?": `trust(report)`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lrfind.recommend import FAMILIAR, agrees
from lrfind.report import words
from lrfind.report.race.trust import Answer, trust_race
from lrfind.text import measured

if TYPE_CHECKING:
    from lrfind.report import Report


# A fall of this many noises is seen by eye on a single seed.
CLEAR_FALL = 5.0
# The lowest part of a good curve is about a decade wide, so its lowest point moves that much by chance.
AGREEING_SEEDS = 10.0
# Standard errors: the usual bar for a difference that is not luck.
CLEAR_ERRORS = 2.0
# Closer than this to an end of the range, a better rate may lie outside it.
EDGE_DECADES = 0.5


def trust(report: Report) -> list[Answer]:
    """Return the answers to the questions a careful reader asks of a learning rate."""
    if report.race is not None:
        return [
            _trust_learning(report),
            *trust_race(report, report.race),
            *_trust_experience(report),
            _trust_seeds(report),
            _trust_change(report),
        ]
    return [
        _trust_learning(report),
        *_trust_experience(report),
        _trust_noise(report),
        _trust_seeds(report),
        _trust_edge(report),
        _trust_change(report),
    ]


def _trust_learning(report: Report) -> Answer:
    question = "Does the model learn?"
    expected = report.recommendation.expected
    if expected is None:
        return Answer(
            question=question,
            text="No model was trained as advised, so no loss on held-out rows is known.",
            state="unknown",
        )
    gain = expected.baseline_loss - expected.val_loss
    n_rows = report.race.n_held_out if report.race is not None else int(report.problem.X_val.shape[0])
    rows = words.plural(n_rows, "row")
    reached = measured(expected.val_loss, expected.val_loss_se)
    share = f"{100 * abs(gain) / expected.baseline_loss:.0f} % " if expected.baseline_loss > 0 else ""
    constant = f"{'below' if gain > 0 else 'above'} the {words.number(expected.baseline_loss)} of a constant guess"
    clear = gain > CLEAR_ERRORS * expected.val_loss_se
    text = f"On {rows} held out the loss is {reached}, {share}{constant}."
    return Answer(question=question, text=text, state="yes" if clear else "careful")


def _trust_experience(report: Report) -> list[Answer]:
    prior, text = report.prior, words.experience(report.recommendation)
    if prior is None or not text:
        return []
    if report.race is None or report.recommendation.lr is None:
        question, state = "Do earlier races know such problems?", prior.familiar > FAMILIAR
    else:
        question, state = "Do earlier races agree?", agrees(report.race, prior)
    return [Answer(question=question, text=text, state="yes" if state else "careful")]


def _trust_noise(report: Report) -> Answer:
    question = "Is the fall larger than the noise?"
    analysis = report.analysis
    lowest = min((loss for loss in analysis.pooled.tolist() if math.isfinite(loss)), default=math.nan)
    fall = max(analysis.start_loss - lowest, 0.0)
    if not (math.isfinite(fall) and analysis.noise > 0):
        return Answer(question=question, text="Too little was measured to tell.", state="unknown")
    times, noise = words.number(fall / analysis.noise), words.number(analysis.noise)
    text = f"The loss falls by {words.number(fall)}, {times} times the {noise} by which one batch scatters."
    return Answer(question=question, text=text, state="yes" if fall > CLEAR_FALL * analysis.noise else "careful")


def _trust_seeds(report: Report) -> Answer:
    question = "Do the seeds agree?"
    analysis = report.analysis
    mark, what = (analysis.minimum, "lowest loss") if analysis.minimum else (analysis.divergence, "divergence")
    if mark is None or not mark.low > 0:
        return Answer(question=question, text="No landmark was found to compare them by.", state="unknown")
    factor = mark.high / mark.low
    seeds = words.plural(report.sweep.n_seeds, "seed")
    between = f"between {words.rate(mark.low)} and {words.rate(mark.high)}"
    text = f"{seeds} place the {what} {between}, a factor of {words.rate(factor)}."
    return Answer(question=question, text=text, state="yes" if factor <= AGREEING_SEEDS else "careful")


def _trust_edge(report: Report) -> Answer:
    question = "Was the range wide enough?"
    lr, lrs = report.recommendation.lr, report.sweep.lrs
    if lr is None or not lr > 0 or lrs.size <= 1:
        return Answer(question=question, text=report.analysis.outcome.value, state="unknown")
    below, above = math.log10(lr / lrs[0]), math.log10(lrs[-1] / lr)
    # A sweep that ends because the loss diverged leaves nothing to find above.
    diverged = report.analysis.divergence is not None
    end = "where the loss had diverged" if diverged else "where it was still well behaved"
    text = (
        f"It ran from {words.rate(float(lrs[0]))} to {words.rate(float(lrs[-1]))}, {end}; the rate lies {below:.1f} "
        f"decades above the lower end and {above:.1f} below the upper."
    )
    wide = below > EDGE_DECADES and (diverged or above > EDGE_DECADES)
    return Answer(question=question, text=text, state="yes" if wide else "careful")


# Optimisers that divide by the gradient's size, for which rate goes with the square root of the batch.
ADAPTIVE = ("adam", "adamw", "nadam", "rmsprop", "adagrad", "lion")


def _trust_change(report: Report) -> Answer:
    advice = report.recommendation
    if advice.optimizer in ADAPTIVE:
        rule = "by about 1.4 (square root; Malladi et al. 2022)"
    else:
        rule = "by about 2 (linear; Goyal et al. 2017)"
    more = "" if report.race is not None else " A race may: this answer rests on the range test alone."
    text = (
        f"Another optimiser, network or table. Twice the batch moves it {rule}. A much longer run on few rows "
        f"wants a lower rate. Measure again when one of these changes.{more}"
    )
    return Answer(question="What would change the answer?", text=text, state="unknown")
