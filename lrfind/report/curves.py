"""What of a run is worth drawing, and in which window; shared by the terminal, the figures and the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lrfind.curve import BANDWIDTH, QUIET_SHARE

if TYPE_CHECKING:
    from lrfind.report import Report

Floats = npt.NDArray[np.float64]

# More points than a printed page has dots across gain nothing.
MAX_POINTS = 800
# All seeds together: a page with 64 seeds must not weigh megabytes.
MAX_SEED_POINTS = 6_000
# Share of the fall left free above the level of knowing nothing, where the blow-up leaves the picture.
HEADROOM = 0.35
# Share of the height left free below the lowest loss, for the labels of landmarks.
FOOTROOM = 0.16
# Falls below this many noises, or this share of the start, are drawn as flat.
CLEAR_FALL = 6.0
SMALL_SHARE = 0.05
# Height of a window in which nothing happens at all.
TINY = 1e-9
# Beyond divergence by this factor every seed has blown up, and a plot of it shows bars, not curves.
BEYOND_DIVERGENCE = 4.0
# Scatter of single losses above this share of the fall is smoothed where seeds are drawn: a fall has ten of it then.
READABLE = 0.1
# Steps from which scatter can be told: fewer have no two differences.
FEWEST_STEPS = 3
# A range to draw when a run has none.
EMPTY_RANGE = (1e-7, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of the plane a plot shows.

    Attributes
    ----------
    x_low, x_high : float
        Learning rates, both above 0.
    y_low, y_high : float
        Losses or norms.
    """

    x_low: float
    x_high: float
    y_low: float
    y_high: float


def every_kth(n_points: int, *, most: int) -> npt.NDArray[np.intp]:
    """Return at most `most` evenly spaced indices, the first and the last among them.

    Parameters
    ----------
    n_points : int
    most : int
        At least 2.

    Returns
    -------
    (n_kept,) ndarray of int
    """
    if n_points <= most:
        return np.arange(n_points)
    return np.unique(np.linspace(0, n_points - 1, most).round().astype(np.intp))


def rates(report: Report) -> tuple[float, float]:
    """Return the lowest and highest rate to draw.

    The sweep's range, cut once the loss has clearly left, and widened to hold the advice.
    """
    advice, lrs, divergence = report.recommendation, report.sweep.lrs, report.analysis.divergence
    if lrs.size <= 1:
        return EMPTY_RANGE
    last = float(lrs[-1]) if divergence is None else min(float(lrs[-1]), BEYOND_DIVERGENCE * divergence.lr)
    seen = [float(lrs[0]), last, advice.lr, advice.lr_low, advice.lr_high]
    usable = [float(lr) for lr in seen if lr is not None and np.isfinite(lr) and lr > 0]
    low, high = min(usable, default=0.0), max(usable, default=0.0)
    return (low, high) if low < high else EMPTY_RANGE


def loss_window(report: Report) -> Window:
    """Return the window in which the fall of the loss fills the height, however high it ends.

    A diverging loss is unbounded; the top is a third of the fall above the level of knowing nothing.

    Parameters
    ----------
    report : Report

    Returns
    -------
    Window
    """
    analysis = report.analysis
    levels = np.array([analysis.start_loss, report.problem.baseline_loss])
    top = float(np.max(levels[np.isfinite(levels)], initial=0.0))
    curve = np.concatenate([analysis.pooled, analysis.low])
    bottom = float(np.min(curve[np.isfinite(curve)], initial=top))
    x_low, x_high = rates(report)
    noise = analysis.noise if np.isfinite(analysis.noise) else 0.0
    if top - bottom < CLEAR_FALL * noise or top - bottom < SMALL_SHARE * abs(top) or top == bottom:
        # A curve that never falls is shown flat in the middle of its noise, not magnified to look like a fall.
        half = max(CLEAR_FALL * noise, SMALL_SHARE * abs(top), TINY)
        middle = (top + bottom) / 2
        return Window(x_low=x_low, x_high=x_high, y_low=middle - half, y_high=middle + half)
    span = top - bottom
    return Window(
        x_low=x_low,
        x_high=x_high,
        y_low=bottom - FOOTROOM * span,
        y_high=top + HEADROOM * span,
    )


def seed_curves(report: Report) -> tuple[Floats, Floats]:
    """Return the losses of every seed, thinned by leaving steps out; smoothed where they scatter too much to be read.

    Parameters
    ----------
    report : Report

    Returns
    -------
    lrs : (n_kept,) ndarray
    losses : (n_seeds, n_kept) ndarray
        Raw, or medians over `smoothed_over` steps; NaN where a seed had diverged.
    """
    sweep, n_steps = report.sweep, smoothed_over(report)
    most = max(2, min(MAX_POINTS, MAX_SEED_POINTS // max(sweep.n_seeds, 1)))
    n_shown = _n_shown(report, sweep.lrs)
    # two points a window say what a median over it has to say
    keep = every_kth(n_shown, most=max(2, min(most, 2 * n_shown // n_steps)))
    return sweep.lrs[keep], running_median(sweep.losses, n_steps)[:, keep]


def smoothed_over(report: Report) -> int:
    """Return over how many steps a seed's losses are smoothed where they are drawn: 1 for not at all.

    As many as bring their scatter down to `READABLE` of the fall, but never more than the pooled curve's own bandwidth.
    An odd number, so that a median has its step in the middle.

    Parameters
    ----------
    report : Report

    Returns
    -------
    int
    """
    lrs, losses, analysis = report.sweep.lrs, report.sweep.losses, report.analysis
    if lrs.size < FEWEST_STEPS:
        return 1
    quiet = losses[:, : max(FEWEST_STEPS, round(QUIET_SHARE * lrs.size))]
    # what changes from step to step in the quiet beginning is scatter
    scatter = float(np.median(np.std(np.diff(quiet, axis=1), axis=1))) / np.sqrt(2)
    fall = analysis.start_loss - analysis.min_loss
    if not np.isfinite(scatter) or scatter <= READABLE * fall:
        return 1
    decades = float(np.log10(lrs[-1] / lrs[0]))
    most = BANDWIDTH * (lrs.size - 1) / decades if decades > 0 else 1.0
    wanted = (scatter / (READABLE * fall)) ** 2 if fall > 0 else most
    return 2 * (int(min(wanted, most)) // 2) + 1


def running_median(losses: Floats, n_steps: int) -> Floats:
    """Return the median over an odd number of steps around each; a step that diverged counts as higher than any.

    Parameters
    ----------
    losses : (n_seeds, n_points) ndarray
    n_steps : int

    Returns
    -------
    (n_seeds, n_points) ndarray
        NaN where the median step had diverged.
    """
    if n_steps == 1:
        return losses
    half = n_steps // 2
    whole = np.pad(np.where(np.isnan(losses), np.inf, losses), ((0, 0), (half, half)), mode="edge")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(whole, n_steps, axis=1), axis=-1)
    return np.where(np.isfinite(medians), medians, np.nan)


def _n_shown(report: Report, lrs: Floats) -> int:
    """Return how many of the rates to draw: those in the window and the one after, to which the line leads."""
    return min(int(np.searchsorted(lrs, rates(report)[1], side="right")) + 1, lrs.size)


def pooled_curve(report: Report) -> tuple[Floats, Floats, Floats, Floats]:
    """Return rates, pooled loss, and the low and high edge of its band, thinned."""
    analysis = report.analysis
    keep = every_kth(_n_shown(report, analysis.lrs), most=MAX_POINTS // 2)
    return analysis.lrs[keep], analysis.pooled[keep], analysis.low[keep], analysis.high[keep]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A landmark on the pooled curve.

    Attributes
    ----------
    name : str
        "onset", "steepest", "minimum" or "divergence".
    label : str
        In words.
    lr, loss : float
    """

    name: str
    label: str
    lr: float
    loss: float


MARKS = {"onset": "fall begins", "steepest": "steepest", "minimum": "lowest", "divergence": "diverges"}


def clear_of_rise(report: Report) -> float:
    """Return the rate to the left of which a label at the starting loss is clear of the rising curve."""
    divergence = report.analysis.divergence
    high = rates(report)[1]
    return min(divergence.lr, high) if divergence is not None else high


def marks(report: Report) -> list[Mark]:
    """Return the landmarks that can be placed on the pooled curve.

    Parameters
    ----------
    report : Report

    Returns
    -------
    list of Mark
    """
    analysis = report.analysis
    placed = []
    for name, label in MARKS.items():
        landmark = getattr(analysis, name)
        if landmark is None or analysis.lrs.size == 0 or not landmark.lr > 0:
            continue
        loss = float(np.interp(np.log(landmark.lr), np.log(analysis.lrs), analysis.pooled))
        if np.isfinite(loss):
            placed.append(Mark(name=name, label=label, lr=landmark.lr, loss=loss))
    return placed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GradientCurve:
    """Gradient norms over the seeds.

    Attributes
    ----------
    lrs, median, low, high : (n_kept,) ndarray
        Median and range over the seeds still alive.
    window : Window
    """

    lrs: Floats
    median: Floats
    low: Floats
    high: Floats
    window: Window


def gradient_curve(report: Report) -> GradientCurve | None:
    """Return the gradient norms to draw on logarithmic axes, or None where there are none.

    Parameters
    ----------
    report : Report

    Returns
    -------
    GradientCurve or None
    """
    norms = report.sweep.grad_norms
    if norms is None:
        return None
    usable = np.isfinite(norms) & (norms > 0)
    alive = usable.any(axis=0)
    if alive.sum() <= 1:
        return None
    kept = np.flatnonzero(alive)
    kept = kept[every_kth(kept.size, most=MAX_POINTS // 2)]
    shown = np.where(usable, norms, np.nan)[:, kept]
    low, median, high = (np.asarray(f(shown, axis=0)) for f in (np.nanmin, np.nanmedian, np.nanmax))
    lrs = report.sweep.lrs[kept]
    x_low, x_high = rates(report)
    # The blow-up spans many orders, and a seed that died has almost no gradient: what the medians span can be read.
    inside = (lrs >= x_low) & (lrs <= x_high)
    middle = median[inside] if inside.any() else median
    y_low, y_high = np.quantile(middle, 0.01) / 4, np.quantile(middle, 0.99) * 4
    window = Window(x_low=x_low, x_high=x_high, y_low=float(y_low), y_high=float(y_high))
    return GradientCurve(lrs=lrs, median=median, low=low, high=high, window=window)
