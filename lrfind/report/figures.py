"""A report as matplotlib figures: `figures(report)`, `save_figures(report, folder)`.

Drawn without pyplot, so that no window system, no backend setting and no global state is touched.
"""

from __future__ import annotations

import gc
import logging
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lrfind.errors import UsageError
from lrfind.report import palette, words
from lrfind.report.curves import clear_of_rise, gradient_curve, loss_window, marks, pooled_curve, rates, seed_curves
from lrfind.report.race import words as race_words
from lrfind.report.race.curves import race_view
from lrfind.report.race.figures import draw_learning, draw_race, level_scale
from lrfind.report.svg import log_label, log_levels
from lrfind.report.titles import gradient_title, loss_subtitle, loss_title, schedule_title
from lrfind.schedule import values
from lrfind.text import listed, nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrfind.report import Report
    from lrfind.report.curves import Mark, Window
    from lrfind.schedule import Schedule

# Inches and dots per inch: 1,260 pixels across, sharp on a page and on a slide.
SIZE = (8.4, 4.4)
DPI = 150
# Room for the title above and the rates below, as shares of the figure; measured once instead of at every drawing.
MARGINS = {"left": 0.075, "right": 0.975, "top": 0.8, "bottom": 0.115}
# Points, and how many characters of that size fit across; a longer title is set smaller.
TITLE_SIZE, TITLE_LENGTH = 12.5, 72
TEXT_SIZE, TEXT_LENGTH = 9, 105
# Rates that fit on the horizontal axis.
MOST_RATES = 12
# What a label stands on, so that it reads on top of curves.
HALO = {"facecolor": palette.PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    # Names may hold dollar signs; they are never formulas.
    "text.parse_math": False,
    "text.usetex": False,
    # Text stays text, and the same figure has the same bytes.
    "svg.fonttype": "none",
    "svg.hashsalt": "lrfind",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": palette.MUTED,
    "axes.linewidth": 0.8,
    "axes.grid": False,
    "xtick.color": palette.MUTED,
    "ytick.color": palette.MUTED,
    "ytick.major.size": 0,
    "text.color": palette.INK,
    "path.simplify": True,
    "agg.path.chunksize": 0,
}


@contextmanager
def in_style() -> Iterator[None]:
    """Import matplotlib whatever its environment says, and draw in our style, silently."""
    # A backend named in the environment is for windows; a wrong name would even fail the import.
    backend = os.environ.pop("MPLBACKEND", None)
    logger = logging.getLogger("matplotlib")
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)
        import matplotlib as mpl

        # The defaults first: a user's matplotlibrc must not change what a report looks like.
        style: dict[Any, Any] = {k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")}
        style.update(STYLE)
        with warnings.catch_warnings(), mpl.rc_context(style):
            # A glyph that no font has is drawn as a box; that is all there is to say about it.
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


def figures(report: Report) -> dict[str, Figure]:
    """Return the figures of a report that have something to show.

    Parameters
    ----------
    report : Report

    Returns
    -------
    dict of str to Figure
        "loss" always; "race", "learning", "schedule" and "gradient" where there is one.
    """
    with in_style():
        return {name: draw(report) for name, draw in _drawings(report).items()}


# Every chart there is, and why a run may have none.
CHARTS = {
    "race": "no race was run",
    "learning": "no race was run",
    "loss": "",
    "schedule": "no schedule is advised",
    "gradient": "no gradients were recorded",
}


def figure(report: Report, name: str) -> Figure:
    """Return one of `figures`, or raise UsageError where there is none of that name or nothing to show in it."""
    drawings = _drawings(report)
    if name in drawings:
        with in_style():
            return drawings[name](report)
    if name in CHARTS:
        raise UsageError(f"this run has no chart '{name}': {CHARTS[name]}; it has {', '.join(drawings)}")
    like = nearest(str(name), CHARTS)
    hint = f"did you mean '{like}'?" if like else f"choose one of {', '.join(CHARTS)}"
    raise UsageError(f"there is no chart {listed([name])}: {hint}")


def _drawings(report: Report) -> dict[str, Callable[[Report], Figure]]:
    """Return how to draw each figure that has something to show."""
    drawings: dict[str, Callable[[Report], Figure]] = {}
    if report.race is not None:
        drawings |= {"race": _race, "learning": _learning}
    drawings["loss"] = _loss
    if report.recommendation.schedule is not None:
        drawings["schedule"] = _schedule
    if gradient_curve(report) is not None:
        drawings["gradient"] = _gradient
    return drawings


def save_figures(report: Report, folder: Path) -> list[Path]:
    """Write every figure as PNG and SVG into a folder, which is made if need be.

    Parameters
    ----------
    report : Report
    folder : Path

    Returns
    -------
    list of Path
        What was written; the same bytes for the same report.
    """
    with in_style():
        return save_each({name: partial(draw, report) for name, draw in _drawings(report).items()}, folder)


def save_each(drawings: Mapping[str, Callable[[], Figure]], folder: Path) -> list[Path]:
    """Draw one figure after the other, and write each as PNG and SVG; to be called `in_style`.

    Parameters
    ----------
    drawings : mapping from name to function
    folder : Path
        Made if need be.

    Returns
    -------
    list of Path
    """
    folder.mkdir(exist_ok=True)
    written = []
    with _short_lived() as release:
        for name, draw in drawings.items():
            figure = draw()
            for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
                path = folder / f"{name}.{kind}"
                figure.savefig(path, format=kind, dpi=DPI, metadata=metadata)
                written.append(path)
            del figure
            release()
    return written


@contextmanager
def _short_lived() -> Iterator[Callable[[], object]]:
    """Yield a function that frees what was made since the start and is no longer used.

    A figure and its canvas refer to each other, so they would stay, megabytes each, until Python happens to look for
    such rings. What was there before is set aside, which makes looking quick.
    """
    gc.freeze()
    try:
        yield gc.collect
    finally:
        gc.unfreeze()


def titled_axes(*, title: str, subtitle: str) -> tuple[Figure, Axes]:
    """Return an empty figure with a finding as its title and what is plotted beneath it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    figure.subplots_adjust(**MARGINS)
    size = TITLE_SIZE * min(1.0, TITLE_LENGTH / max(len(title), 1))
    small = TEXT_SIZE * min(1.0, TEXT_LENGTH / max(len(subtitle), 1))
    figure.text(MARGINS["left"], 0.945, title, fontsize=size, fontweight="bold", va="center")
    figure.text(MARGINS["left"], 0.88, subtitle, fontsize=small, color=palette.MUTED, va="center")
    axes.grid(visible=True, axis="y", color=palette.HAIRLINE, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _rate_axis(axes: Axes, *, low: float, high: float, label: str = "learning rate") -> None:
    """Make the horizontal axis logarithmic in the rate, labelled with real numbers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(log_levels(low, high, most=MOST_RATES)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda lr, _: log_label(lr)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.annotate(label, (1, 0), xycoords="axes fraction", xytext=(0, -24), textcoords="offset points",
                  ha="right", va="top", color=palette.MUTED)  # fmt: skip


def _race(report: Report) -> Figure:
    race = report.race
    assert race is not None  # noqa: S101 - `_drawings` asked
    window, unit = race_view(race).window, words.loss_unit(report)
    title = race_words.race_title(race, has_answer=words.has_answer(report))
    figure, axes = titled_axes(title=title, subtitle=race_words.race_subtitle(unit=unit))
    _rate_axis(axes, low=window.x_low, high=window.x_high, label="peak learning rate")
    draw_race(axes, race)
    _advice(axes, report=report, window=window)
    if words.has_answer(report):
        axes.plot([race.winner.lr], [race.winner.loss], "o", markersize=7, color=palette.ACCENT,
                  markeredgecolor=palette.PAPER, markeredgewidth=1.2, zorder=5, gid="chosen")  # fmt: skip
    return figure


def _learning(report: Report) -> Figure:
    race = report.race
    assert race is not None  # noqa: S101 - `_drawings` asked
    unit, has_answer = words.loss_unit(report), words.has_answer(report)
    title = race_words.learning_title(race, has_answer=has_answer)
    figure, axes = titled_axes(title=title, subtitle=race_words.learning_subtitle(unit=unit))
    # Room for the names of the lines.
    figure.subplots_adjust(right=0.84)
    draw_learning(axes, race, has_answer=has_answer)
    return figure


def _loss(report: Report) -> Figure:
    from matplotlib.collections import LineCollection

    window = loss_window(report)
    figure, axes = titled_axes(title=loss_title(report), subtitle=loss_subtitle(report))
    _rate_axis(axes, low=window.x_low, high=window.x_high)
    axes.set_ylim(window.y_low, window.y_high)
    lrs, losses = seed_curves(report)
    # One collection draws many times faster than a line a seed.
    seeds = [np.column_stack([lrs, seed]) for seed in losses]
    axes.add_collection(
        LineCollection(seeds, colors=palette.SEED, linewidths=0.6, alpha=0.4, gid="seeds"), autolim=False
    )
    lrs, pooled, low, high = pooled_curve(report)
    axes.fill_between(lrs, low, high, color=palette.BAND, linewidth=0, alpha=0.9)
    axes.plot(lrs, pooled, color=palette.INK, linewidth=2, solid_capstyle="round", gid="pooled")
    _baseline(axes, report=report, window=window)
    _advice(axes, report=report, window=window)
    for mark in marks(report):
        _mark(axes, mark, window=window, report=report)
    return figure


def _baseline(axes: Axes, *, report: Report, window: Window) -> None:
    level = report.problem.baseline_loss
    if not window.y_low < level < window.y_high:
        return
    axes.axhline(level, color=palette.MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
    axes.annotate(f"knowing nothing {words.number(level)}", (clear_of_rise(report), level), xytext=(-5, 4),
                  textcoords="offset points", ha="right", color=palette.MUTED, fontsize=8, bbox=HALO)  # fmt: skip


def _advice(axes: Axes, *, report: Report, window: Window) -> None:
    """Shade the good interval and mark the rate."""
    advice = report.recommendation
    if advice.lr_low is not None or advice.lr_high is not None:
        low, high = advice.lr_low or window.x_low, advice.lr_high or window.x_high
        axes.axvspan(low, high, color=palette.ACCENT, alpha=0.11, linewidth=0, gid="interval")
    if advice.lr is not None:
        axes.axvline(advice.lr, color=palette.ACCENT, linewidth=1.6, gid="recommended")
        axes.annotate(words.rate(advice.lr), (advice.lr, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
                      textcoords="offset points", ha="center", va="bottom", color=palette.ACCENT, fontweight="bold",
                      fontsize=10.5)  # fmt: skip


# Where a landmark's label stands, in points from it, and which of its ends is there.
LABEL_PLACES = {
    "onset": (6, 8, "left"),
    "steepest": (-9, -9, "right"),
    "minimum": (0, -15, "center"),
}


def _mark(axes: Axes, mark: Mark, *, window: Window, report: Report) -> None:
    label = f"{mark.label} {words.rate(mark.lr)}"
    if mark.name == "divergence":
        axes.axvline(mark.lr, color=palette.ALARM, linewidth=1, linestyle=(0, (4, 2)), gid="divergence")
        share, end = _label_on_top(mark.lr, window=window, lr=report.recommendation.lr)
        axes.annotate(label, (mark.lr, share), xycoords=("data", "axes fraction"), xytext=(0 if share == 1 else -5, 4),
                      textcoords="offset points", ha=end, color=palette.ALARM, fontsize=9, bbox=HALO)  # fmt: skip
        return
    height = min(mark.loss, window.y_high)
    right, up, end = LABEL_PLACES[mark.name]
    axes.plot([mark.lr], [height], "o", markersize=5, markerfacecolor=palette.PAPER, markeredgecolor=palette.INK)
    axes.annotate(label, (mark.lr, height), xytext=(right, up), textcoords="offset points", ha=end, va="center",
                  fontsize=8, bbox=HALO)  # fmt: skip


# Shares of the width: what two labels above the plot need between them, and where a centred one would be cut off.
LABEL_GAP, LABEL_EDGE = 0.11, 0.95


def _label_on_top(limit: float, *, window: Window, lr: float | None) -> tuple[float, str]:
    """Return the height of the label of divergence, as a share of the plot, and which of its ends is at the line."""
    width = math.log(window.x_high / window.x_low)
    if lr is not None and abs(math.log(limit / lr)) < LABEL_GAP * width:
        return 0.25, "right"
    return 1.0, "right" if math.log(limit / window.x_low) > LABEL_EDGE * width else "center"


def _schedule(report: Report) -> Figure:
    schedule = report.recommendation.schedule
    assert schedule is not None  # noqa: S101 - `figures` asked
    return schedule_figure(schedule)


def schedule_figure(schedule: Schedule) -> Figure:
    """Return the rate of every step as a figure; to be called `in_style`."""
    lrs = values(schedule)
    steps = np.arange(lrs.size)
    figure, axes = titled_axes(
        title=schedule_title(schedule), subtitle="Learning rate at each step of the training run"
    )
    axes.set_xlim(0, max(lrs.size - 1, 1))
    axes.set_ylim(0, 1.12 * float(lrs.max()))
    axes.fill_between(steps, lrs, color=palette.ACCENT, alpha=0.11, linewidth=0)
    axes.plot(steps, lrs, color=palette.ACCENT, linewidth=2, clip_on=False)
    axes.yaxis.set_major_formatter(lambda lr, _: f"{lr:.3g}")
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    peak = int(np.argmax(lrs))
    axes.annotate(f"peak {words.rate(float(lrs[peak]))}", (peak, lrs[peak]), xytext=(8, 6), textcoords="offset points",
                  color=palette.ACCENT, fontweight="bold")  # fmt: skip
    axes.annotate("step", (1, 0), xycoords="axes fraction", xytext=(0, -24), textcoords="offset points", ha="right",
                  va="top", color=palette.MUTED)  # fmt: skip
    return figure


def _gradient(report: Report) -> Figure:
    curve = gradient_curve(report)
    assert curve is not None  # noqa: S101 - `figures` asked
    figure, axes = titled_axes(
        title=gradient_title(report), subtitle="Norm of the gradient: median and range over the seeds"
    )
    low, high = rates(report)
    _rate_axis(axes, low=low, high=high)
    level_scale(axes, low=curve.window.y_low, high=curve.window.y_high, log_y=True)
    axes.fill_between(curve.lrs, curve.low, curve.high, color=palette.BAND, linewidth=0, alpha=0.9)
    axes.plot(curve.lrs, curve.median, color=palette.INK, linewidth=1.6)
    _advice(axes, report=report, window=curve.window)
    return figure
