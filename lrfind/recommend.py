"""From evidence to advice: a rate, an interval, a schedule, or an explained abstention.

`read_rate` reads a range test; `recommend` weighs it against what training on held-out rows showed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from lrfind.curve import Analysis, Outcome
from lrfind.errors import UsageError
from lrfind.schedule import Schedule, make_schedule, rescaled

Verdict = Literal["ok", "no_signal", "range_too_narrow", "unstable", "too_little_data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One reason for the advice.

    Attributes
    ----------
    name : str
        A word for tables: "range test", "held-out", "schedule", "valley".
    text : str
        A sentence.
    lr : float or None
        The rate it speaks for, where it speaks for one.
    """

    name: str
    text: str
    lr: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What training as advised reached on rows held out.

    Attributes
    ----------
    val_loss, val_loss_se : float
        Mean over seeds and its standard error, in nats or squared target sd.
    baseline_loss : float
        Of the best constant predictor.
    """

    val_loss: float
    val_loss_se: float
    baseline_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to train with, why, and how sure that is.

    Attributes
    ----------
    verdict : {"ok", "no_signal", "range_too_narrow", "unstable", "too_little_data"}
    sentence : str
        The verdict in words.
    lr, lr_low, lr_high : float or None
        Peak rate, and the interval in which any rate loses at most 5 % of what training can gain.
    lr_max_stable : float or None
        The rate at which the range test diverged.
    optimizer : str
    batch_size, train_steps : int
        What the advice is for.
    schedule : Schedule or None
    expected : Expected or None
    evidence : tuple of Evidence
    """

    verdict: Verdict
    sentence: str
    lr: float | None
    lr_low: float | None
    lr_high: float | None
    lr_max_stable: float | None
    optimizer: str
    batch_size: int
    train_steps: int
    schedule: Schedule | None
    expected: Expected | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a range test alone says about the rate.

    Attributes
    ----------
    lr, low, high : float
    """

    lr: float
    low: float
    high: float


# The loss is still lowest a step before it diverges, so its minimum lies too high for a whole run; a fifth of it is
# the margin that lost least on 80 problems (a tenth and a half lost more).
MINIMUM_MARGIN = 5.0
# Half-widths of the interval in decades, below and above: rates within lost at most 5 % more than the advised one on
# 85 % of those problems. A rate too high costs more than one too low.
WIDTH_BELOW, WIDTH_ABOVE = 0.25, 0.2
# A minimum within half a decade of the end of a steep fall says nothing about what lies beyond the range.
EDGE_DECADES = 0.5


def read_rate(analysis: Analysis) -> Reading | None:
    """Return the rate a range test speaks for, or None where it speaks for none.

    Three readings of the pooled curve that err in different directions are averaged in log lr: a fifth of the
    minimum, the rate at which four fifths of the fall is done, and the geometric mean of steepest fall and minimum.
    On 80 problems their mean lost less than each.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    Reading or None
    """
    minimum, steepest, fallen = analysis.minimum, analysis.steepest, analysis.fallen
    if minimum is None or steepest is None or fallen is None:
        return None
    ceiling = analysis.divergence.lr if analysis.divergence is not None else float(analysis.lrs[-1])
    readings = (minimum.lr / MINIMUM_MARGIN, fallen.lr, math.sqrt(steepest.lr * minimum.lr))
    lr = math.exp(sum(map(math.log, readings)) / len(readings))
    lr = float(np.clip(lr, analysis.lrs[0], ceiling))
    return Reading(
        lr=lr,
        low=max(lr * 10**-WIDTH_BELOW, float(analysis.lrs[0])),
        high=min(lr * 10**WIDTH_ABOVE, ceiling),
    )


# A rate this close below divergence needs its first steps taken slowly.
WARMUP_MARGIN = 3.0
# Below this many steps a warm-up of a tenth is a handful of updates.
SHORTEST_WARMUP_RUN = 50


def read_schedule(reading: Reading, analysis: Analysis, *, train_steps: int) -> tuple[str, str]:
    """Return the name of the schedule a range test speaks for, and why.

    Parameters
    ----------
    reading : Reading
    analysis : Analysis
    train_steps : int

    Returns
    -------
    name, reason : str
    """
    divergence = analysis.divergence
    if divergence is not None and divergence.low / reading.lr < WARMUP_MARGIN and train_steps >= SHORTEST_WARMUP_RUN:
        share = divergence.low / reading.lr
        return "warmup_cosine", f"divergence begins at only {share:.1f} times the rate, so the first steps rise to it"
    return "cosine", "decays to 0, which suits any budget; not compared with others without a race"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proof:
    """What training at the rate read reached on rows held out.

    Attributes
    ----------
    losses : (n_seeds, n_rows) ndarray
        Of each held-out row at the end; NaN for a seed that diverged.
    baseline : (n_rows,) ndarray
        Of the best constant predictor of the training part.
    gentle_losses : (n_seeds, n_rows) ndarray
        The same at a tenth of the rate, where overfitting and instability do most harm last.
    """

    losses: npt.NDArray[np.float64]
    baseline: npt.NDArray[np.float64]
    gentle_losses: npt.NDArray[np.float64]


# A gain this many standard errors above nothing is a signal: one-sided 1 %, over two rates looked at.
SIGNAL_ERRORS = 2.5
# And it must be this share of what a constant predictor loses: below it the best rate and the worst differ by less
# than seeds do.
SIGNAL_SHARE = 0.03


def gain(losses: npt.NDArray[np.float64], baseline: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return how far below the baseline held-out rows end, and the standard error of that.

    Parameters
    ----------
    losses : (n_seeds, n_rows) ndarray
    baseline : (n_rows,) ndarray

    Returns
    -------
    gain, standard_error : float
        ``-inf`` and 0 where every seed diverged.
    """
    alive = np.isfinite(losses).all(1)
    if not alive.any():
        return -math.inf, 0.0
    better = baseline - losses[alive].mean(0)
    return float(better.mean()), float(better.std() / math.sqrt(max(len(better) - 1, 1)))


def has_signal(proof: Proof) -> bool:
    """Return whether anything was learned that holds on rows not trained on, at the rate or a tenth of it."""
    level = float(proof.baseline.mean())
    for losses in (proof.losses, proof.gentle_losses):
        better, error = gain(losses, proof.baseline)
        if better > SIGNAL_ERRORS * error and better > SIGNAL_SHARE * level:
            return True
    return False


# Rows held out below which no loss can be told from another.
FEWEST_HELD_OUT = 8


def recommend(
    analysis: Analysis, *, reading: Reading | None, proof: Proof | None, optimizer: str, batch_size: int, train_steps: int
) -> Recommendation:
    """Return the advice that a range test and held-out rows support.

    Parameters
    ----------
    analysis : Analysis
    reading : Reading or None
        From `read_rate`.
    proof : Proof or None
        None where there was nothing to train, or no rows to spare.
    optimizer : str
    batch_size, train_steps : int
        Of the training run the advice is for.

    Returns
    -------
    Recommendation
    """
    divergence = analysis.divergence.lr if analysis.divergence is not None else None
    blank = Recommendation(
        verdict="ok", sentence="", lr=None, lr_low=None, lr_high=None, lr_max_stable=divergence, optimizer=optimizer,
        batch_size=batch_size, train_steps=train_steps, schedule=None, expected=None,
        evidence=tuple(_evidence(analysis, proof)),
    )  # fmt: skip
    verdict, sentence = _verdict(analysis, reading, proof)
    if reading is None or verdict not in ("ok", "unstable"):
        return replace(blank, verdict=verdict, sentence=sentence)
    name, why = read_schedule(reading, analysis, train_steps=train_steps)
    return replace(
        blank,
        verdict=verdict,
        sentence=sentence,
        lr=reading.lr,
        lr_low=reading.low,
        lr_high=reading.high,
        schedule=make_schedule(name, peak_lr=reading.lr, n_steps=train_steps),
        expected=_expected(proof),
        evidence=(*blank.evidence, Evidence(name="schedule", text=f"{name} {why}.")),
    )


def _verdict(analysis: Analysis, reading: Reading | None, proof: Proof | None) -> tuple[Verdict, str]:
    low, high = f"{analysis.lrs[0]:.2g}", f"{analysis.lrs[-1]:.2g}"
    if analysis.outcome is Outcome.DIVERGES_AT_ONCE:
        return "range_too_narrow", f"{analysis.outcome.value} Start below {low}: try --lr-min {analysis.lrs[0] / 1e3:.0e}."
    if analysis.outcome is Outcome.NEVER_FALLS and analysis.divergence is None and not _rises(analysis):
        return "range_too_narrow", (
            f"The loss does not move between {low} and {high}: the range ends too low, or nothing can be learned. "
            f"Try --lr-max {max(10.0, analysis.lrs[-1] * 1e3):.2g}."
        )
    if analysis.outcome in (Outcome.NEVER_FALLS, Outcome.NOISE_HIDES_FALL) or reading is None:
        return "no_signal", f"{analysis.outcome.value} Check the target, or try more rows."
    if analysis.outcome is Outcome.STILL_FALLING and _ends_in_the_fall(analysis):
        return "range_too_narrow", f"{analysis.outcome.value} Try --lr-max {analysis.lrs[-1] * 1e3:.2g}."
    if proof is not None and len(proof.baseline) < FEWEST_HELD_OUT:
        return "too_little_data", (
            f"Only {len(proof.baseline)} rows can be held out, too few to tell any rate from another: "
            f"expected at least {FEWEST_HELD_OUT}, which takes about {4 * FEWEST_HELD_OUT} rows in all."
        )
    if proof is not None and not has_signal(proof):
        better, error = max(gain(losses, proof.baseline) for losses in (proof.losses, proof.gentle_losses))
        change = f"{better:+.3g} ± {error:.2g}" if math.isfinite(better) else "none, every run diverged"
        return "no_signal", (
            f"Training lowers the loss on rows it has seen but not on rows held out (gain over a constant guess: "
            f"{change}, of {proof.baseline.mean():.3g}), so no rate is better than another."
        )
    if analysis.outcome is Outcome.SEEDS_DISAGREE:
        return "unstable", f"{analysis.outcome.value} Take the rate as a first guess: try more --seeds or a larger batch."
    return "ok", analysis.outcome.value


def _rises(analysis: Analysis) -> bool:
    # beyond the noise, at the high end
    return bool(analysis.pooled[-1] > analysis.start_loss + 3 * analysis.noise)


def _ends_in_the_fall(analysis: Analysis) -> bool:
    return analysis.fallen is not None and analysis.fallen.lr > analysis.lrs[-1] / 10**EDGE_DECADES


def _expected(proof: Proof | None) -> Expected | None:
    if proof is None:
        return None
    alive = proof.losses[np.isfinite(proof.losses).all(1)]
    if not len(alive):
        return None
    # seeds and rows are both samples; their errors add in squares
    error = math.hypot(
        float(alive.mean(1).std()) / math.sqrt(max(len(alive) - 1, 1)),
        float(alive.mean(0).std()) / math.sqrt(max(alive.shape[1] - 1, 1)),
    )
    return Expected(val_loss=float(alive.mean()), val_loss_se=error, baseline_loss=float(proof.baseline.mean()))


def _evidence(analysis: Analysis, proof: Proof | None) -> Iterator[Evidence]:
    fall = analysis.start_loss - analysis.min_loss
    if analysis.minimum is not None:
        lowest = analysis.minimum
        text = (
            f"The loss falls from {analysis.start_loss:.3g} by {fall:.3g}, "
            f"lowest at {lowest.lr:.2g} (seeds agree within {lowest.low:.2g} to {lowest.high:.2g})."
        )
        yield Evidence(name="range test", text=text, lr=lowest.lr)
    if proof is not None:
        better, error = gain(proof.losses, proof.baseline)
        if math.isfinite(better):
            text = (
                f"Trained so, held-out loss ends {better:.3g} ± {error:.2g} below a constant guess "
                f"({len(proof.losses)} seeds, {len(proof.baseline)} rows)."
            )
            yield Evidence(name="held-out", text=text)
    for name, lr in analysis.rules.items():
        found = f"reads {lr:.2g} off one seed." if lr is not None else "finds nothing to read."
        yield Evidence(name=name, text=f"The rule '{name}' {found}", lr=lr)


# How the best rate moves with the batch size: in proportion for plain gradient steps (Goyal et al. 2017,
# arXiv:1706.02677), with its square root where steps are normalised by the gradient's size (Malladi et al. 2022,
# arXiv:2205.10287).
LINEAR_RULE = frozenset({"sgd", "momentum", "nesterov"})
# Beyond these factors either rule is known to break.
MOST_RESCALING = 8.0


def adapt(
    recommendation: Recommendation,
    *,
    batch_size: int | None = None,
    train_steps: int | None = None,
    schedule: str | None = None,
) -> Recommendation:
    """Return the advice for another batch size, length of training or schedule, with each rule as evidence.

    Parameters
    ----------
    recommendation : Recommendation
    batch_size, train_steps : int, optional
    schedule : str, optional
        One of `lrfind.schedule.SCHEDULES`.

    Returns
    -------
    Recommendation
        Unchanged where there is no rate, or nothing to change.

    Raises
    ------
    UsageError
        If the schedule is unknown, or a number is below 1.
    """
    old = recommendation
    for name, number in (("--batch-size", batch_size), ("--train-steps", train_steps)):
        if number is not None and number < 1:
            raise UsageError(f"{name} is {number}: expected a whole number from 1")
    if old.lr is None or old.schedule is None:
        return old
    batch_size, train_steps = batch_size or old.batch_size, train_steps or old.train_steps
    factor, reasons = 1.0, []
    if batch_size != old.batch_size:
        factor, rule = _batch_factor(old, batch_size)
        reasons.append(Evidence(name="batch size", text=rule, lr=old.lr * factor))
    if train_steps != old.train_steps:
        text = f"Steps {old.train_steps} to {train_steps}: the schedule is stretched and its peak kept."
        if not 1 / MOST_RESCALING <= train_steps / old.train_steps <= MOST_RESCALING:
            text += " So different a run may want another rate: sweep again."
        reasons.append(Evidence(name="steps", text=text, lr=old.lr * factor))
    changed = rescaled(old.schedule, peak_lr=old.lr * factor, n_steps=train_steps)
    if schedule is not None and schedule != old.schedule.name:
        changed = make_schedule(schedule, peak_lr=old.lr * factor, n_steps=train_steps)
        text = f"Schedule {schedule} as asked, with the peak found for {old.schedule.name}; it was not measured."
        reasons.append(Evidence(name="schedule", text=text))
    return replace(
        old,
        lr=old.lr * factor,
        lr_low=None if old.lr_low is None else old.lr_low * factor,
        lr_high=None if old.lr_high is None else old.lr_high * factor,
        lr_max_stable=None if old.lr_max_stable is None else old.lr_max_stable * factor,
        batch_size=batch_size,
        train_steps=train_steps,
        schedule=changed,
        # what was measured was measured for something else
        expected=None if reasons else old.expected,
        evidence=(*reasons, *old.evidence),
    )


def _batch_factor(advice: Recommendation, batch_size: int) -> tuple[float, str]:
    ratio = batch_size / advice.batch_size
    is_linear = advice.optimizer in LINEAR_RULE
    factor = ratio if is_linear else math.sqrt(ratio)
    rule = "linear rule, Goyal 2017" if is_linear else "square-root rule, Malladi 2022"
    text = f"Batch {advice.batch_size} to {batch_size}: all rates times {factor:.3g} ({rule})."
    if not 1 / MOST_RESCALING <= ratio <= MOST_RESCALING:
        text += " So far from what was measured the rule is a guess: sweep again."
    return factor, text
