"""What a range test can reveal: LR101 to LR108, each a small pure function of the evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.curve import Analysis, Landmark, Outcome
from lrfind.recommend import HIGHER, Recommendation
from lrfind.sweep import Sweep
from lrfind.text import number, rate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RangeTest:
    """All that these checks look at.

    Attributes
    ----------
    sweep : Sweep
    analysis : Analysis
    recommendation : Recommendation
    n_train : int
        Rows trained on.
    is_raced : bool
        Whether the recommendation comes from a race, which judges rates by rows held out.
    """

    sweep: Sweep
    analysis: Analysis
    recommendation: Recommendation
    n_train: int
    is_raced: bool = False


def never_falls(check: Check, test: RangeTest) -> Finding:
    """LR101: the loss never falls."""
    analysis = test.analysis
    fall = analysis.start_loss - analysis.min_loss
    numbers = {"start_loss": analysis.start_loss, "fall": fall, "noise": analysis.noise}
    if analysis.outcome is Outcome.NEVER_FALLS:
        message = (
            f"The loss starts at {number(analysis.start_loss)} and never falls by more than its noise "
            f"({number(analysis.noise)})."
        )
        advice = "Check the target and the features, or train on at least 10 times the rows."
        return check.found(message, numbers, advice)
    return check.passed(f"The loss falls by {number(fall)}, {_ratio(fall, analysis.noise)} its noise.", numbers)


def never_diverges(check: Check, test: RangeTest) -> Finding:
    """LR102: the range ends before the loss diverges."""
    analysis = test.analysis
    top = float(analysis.lrs[-1])
    if analysis.outcome in (Outcome.NEVER_FALLS, Outcome.DIVERGES_AT_ONCE):
        return check.not_applicable("The loss never fell, so it has nothing to diverge from.")
    if analysis.divergence is None:
        message = f"The loss has not diverged at {rate(top)}, the highest rate tried, so no stable limit is known."
        # where rows held out show nothing to choose a rate by, a limit is beside the point
        advice = "" if _shows_nothing(test) else f"To see the limit, sweep up to {rate(10 * top)} with --lr-max."
        return check.found(message, {"lr_max": top}, advice)
    return check.passed(f"The loss diverges at {rate(analysis.divergence.lr)}.", {"lr": analysis.divergence.lr})


def diverges_at_once(check: Check, test: RangeTest) -> Finding:
    """LR103: the range starts beyond stability."""
    analysis = test.analysis
    bottom = float(analysis.lrs[0])
    if analysis.outcome is Outcome.DIVERGES_AT_ONCE:
        message = f"The loss rises from the first steps, at a rate of {rate(bottom)}."
        return check.found(message, {"lr_min": bottom}, f"Start lower: --lr-min {rate(bottom / 1000)}.")
    return check.passed(f"The first steps, at {rate(bottom)}, are calm.", {"lr_min": bottom})


def noise_hides_fall(check: Check, test: RangeTest) -> Finding:
    """LR104: the fall is hardly more than noise."""
    analysis = test.analysis
    fall = analysis.start_loss - analysis.min_loss
    numbers = {"fall": fall, "noise": analysis.noise, "noise_removed": analysis.noise_removed}
    if analysis.outcome is Outcome.NOISE_HIDES_FALL:
        message = f"The loss falls by {number(fall)} while single batches scatter by {number(analysis.noise)}."
        return check.found(message, numbers, "Use a batch 4 times as large, or twice the --seeds and --steps.")
    if analysis.outcome is Outcome.NEVER_FALLS:
        return check.not_applicable("There is no fall to hide.")
    return check.passed(f"Single batches scatter by {number(analysis.noise)} about a fall of {number(fall)}.", numbers)


def seeds_disagree(check: Check, test: RangeTest) -> Finding:
    """LR105: the seeds place the minimum far apart."""
    minimum = test.analysis.minimum
    if minimum is None:
        return check.not_applicable("No minimum was found.")
    width = _decades(minimum)
    numbers = {"decades": width, "low": minimum.low, "high": minimum.high}
    where = f"between {rate(minimum.low)} and {rate(minimum.high)}, {width:.1f} decades"
    if test.analysis.outcome is Outcome.SEEDS_DISAGREE:
        advice = "Use at least 16 --seeds, or a larger batch."
        return check.found(f"The seeds place the minimum {where}.", numbers, advice)
    return check.passed(f"{test.sweep.n_seeds} seeds place the minimum {where}.", numbers)


# A stable window narrower than this leaves no room for a schedule's peak to be a little off.
NARROW_WINDOW = 0.5


def narrow_window(check: Check, test: RangeTest) -> Finding:
    """LR106: learning and divergence lie within half a decade."""
    fallen, divergence = test.analysis.fallen, test.analysis.divergence
    if fallen is None or divergence is None:
        return check.not_applicable("The window between learning and divergence has an open end.")
    width = float(np.log10(divergence.lr / fallen.lr))
    numbers = {"decades": width, "fallen": fallen.lr, "divergence": divergence.lr, "lr_suggested": fallen.lr / 2}
    ends = f"most of the fall ({rate(fallen.lr)}) and divergence ({rate(divergence.lr)})"
    window = f"Between {ends} lie {width:.1f} decades."
    if width < NARROW_WINDOW:
        advice = f"Stay at {rate(fallen.lr / 2)} or below and warm up, or normalise the layers."
        return check.found(window, numbers, advice)
    return check.passed(window, numbers)


# Decades below the top of the range in which the good rates must end for the top not to matter.
CLEAR_OF_EDGE = 1.0


def best_at_edge(check: Check, test: RangeTest) -> Finding:
    """LR107: the loss is lowest at an end of the range."""
    minimum = test.analysis.minimum
    if minimum is None:
        return check.not_applicable("No minimum was found.")
    top = float(test.analysis.lrs[-1])
    if test.analysis.outcome is Outcome.STILL_FALLING:
        high = test.recommendation.lr_high
        if high is not None and test.is_raced and np.log10(top / high) >= CLEAR_OF_EDGE:
            # rows that are learned by heart are learned faster still at rates that serve no others
            message = f"The loss on rows seen is lowest at {rate(minimum.lr)}, but good rates end at {rate(high)}."
            return check.passed(message, {"lr": minimum.lr, "lr_high": high})
        message = f"The loss is lowest at {rate(minimum.lr)}, at the end of the range ({rate(top)})."
        if _shows_nothing(test):
            message = (
                f"The loss on rows seen is lowest at {rate(minimum.lr)}, but nothing is learned for rows held out."
            )
            return check.passed(message, {"lr": minimum.lr})
        return check.found(message, {"lr": minimum.lr, "lr_max": top}, f"Sweep further: --lr-max {rate(HIGHER * top)}.")
    return check.passed(f"The loss is lowest at {rate(minimum.lr)}, inside the range.", {"lr": minimum.lr})


# Below this many steps a curve over eight decades has under a dozen points a decade; below this many rows a batch is
# most of the data.
FEW_STEPS, FEW_ROWS = 100, 50


def too_little(check: Check, test: RangeTest) -> Finding:
    """LR108: too few steps or rows to say much."""
    numbers = {"n_steps": test.sweep.n_steps, "n_train": test.n_train}
    if test.n_train < FEW_ROWS:
        message = f"Only {test.n_train} rows are trained on; what suits them may not suit others like them."
        return check.found(message, numbers, f"Collect at least {FEW_ROWS} rows, or trust the interval, not the rate.")
    if len(test.sweep.lrs) < FEW_STEPS and test.analysis.outcome is not Outcome.DIVERGES_AT_ONCE:
        message = f"The sweep has {test.sweep.n_steps} steps, too few for a clear curve."
        return check.found(message, numbers, f"Use at least {4 * FEW_STEPS} --steps.")
    return check.passed(f"{test.sweep.n_steps} steps on {test.n_train} rows.", numbers)


def _shows_nothing(test: RangeTest) -> bool:
    """Return whether training found nothing to choose a rate by, wherever the range ends."""
    return test.recommendation.verdict == "no_signal"


def _decades(landmark: Landmark) -> float:
    return float(np.log10(landmark.high / landmark.low))


def _ratio(above: float, below: float) -> str:
    return f"{above / below:.0f} times" if below > 0 else "far above"


Look = Callable[[Check, RangeTest], Finding]

# Each row of the family, and the function that looks.
RANGE_TEST_CHECKS: tuple[tuple[Check, Look], ...] = (
    (Check(code="LR101", severity="error", title="loss never falls"), never_falls),
    (Check(code="LR102", severity="tip", title="never diverges: range ends too low"), never_diverges),
    (Check(code="LR103", severity="error", title="diverges at once: range starts too high"), diverges_at_once),
    (Check(code="LR104", severity="error", title="noise hides the fall"), noise_hides_fall),
    (Check(code="LR105", severity="warning", title="seeds disagree"), seeds_disagree),
    (Check(code="LR106", severity="warning", title="stable window under half a decade"), narrow_window),
    (Check(code="LR107", severity="warning", title="best rate at the edge of the range"), best_at_edge),
    (Check(code="LR108", severity="warning", title="too few steps or rows to say"), too_little),
)


def check_range_test(test: RangeTest) -> tuple[Finding, ...]:
    """Return what each range-test check found, in the order of their codes.

    Parameters
    ----------
    test : RangeTest

    Returns
    -------
    tuple of Finding
    """
    return tuple(look(check, test) for check, look in RANGE_TEST_CHECKS)
