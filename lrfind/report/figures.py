"""A report as matplotlib figures: `figures(report)`, `save_figures(report, folder)`.

Drawn without pyplot, so that no window system, no backend setting and no global state is touched.
"""

from __future__ import annotations

import gc
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lrfind.errors import UsageError
from lrfind.report import palette, words
from lrfind.report.captions import answer_label, loss_labels, schedule_labels
from lrfind.report.curves import Window, gradient_curve, loss_window, marks, pooled_curve, rates, seed_curves
from lrfind.report.figure_labels import INCH, plane_of, write_labels
from lrfind.report.figure_labels import SIZE as LABEL_SIZE
from lrfind.report.labels import text_width
from lrfind.report.race import words as race_words
from lrfind.report.race.curves import learning_view, race_view
from lrfind.report.race.figures import draw_learning, draw_race, level_scale
from lrfind.report.race.labels import learning_labels, names_width, race_labels, steps_label
from lrfind.report.svg import LEVEL_GAP, log_label, log_levels, round_numbers
from lrfind.report.titles import gradient_title, loss_subtitle, loss_title, schedule_title
from lrfind.schedule import values
from lrfind.text import listed, nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lrfind.report import Report
    from lrfind.report.curves import Mark
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
# And on the vertical one.
MOST_RATES_UP = 6
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
    view, unit = race_view(race), words.loss_unit(report)
    window = view.window
    title = race_words.race_title(race, has_answer=words.has_answer(report))
    figure, axes = titled_axes(title=title, subtitle=race_words.race_subtitle(unit=unit))
    _rate_axis(axes, low=window.x_low, high=window.x_high, label="peak learning rate")
    draw_race(axes, race)
    _advice(axes, report=report, window=window)
    plane = plane_of(axes, window=window, log_y=view.log_y)
    write_labels(axes, race_labels(report, plane=plane, size=LABEL_SIZE), plane=plane)
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
    view = learning_view(race, has_answer=has_answer)
    # Room for the names of the lines.
    room = names_width(view, size=LABEL_SIZE) / (INCH * SIZE[0])
    figure.subplots_adjust(right=min(MARGINS["right"], 1 - room))
    steps = steps_label(race, train_steps=report.recommendation.train_steps)
    draw_learning(axes, race, has_answer=has_answer, steps=steps)
    plane = plane_of(axes, window=view.window, log_x=False, log_y=view.log_y)
    write_labels(axes, learning_labels(report, plane=plane, size=LABEL_SIZE), plane=plane)
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
        _mark(axes, mark, window=window)
    plane = plane_of(axes, window=window)
    write_labels(axes, loss_labels(report, plane=plane, size=LABEL_SIZE), plane=plane)
    return figure


def _baseline(axes: Axes, *, report: Report, window: Window) -> None:
    level = report.problem.baseline_loss
    if not window.y_low < level < window.y_high:
        return
    axes.axhline(level, color=palette.MUTED, linewidth=0.9, linestyle=(0, (1, 2)))


def _advice(axes: Axes, *, report: Report, window: Window) -> None:
    """Shade the good interval and mark the rate."""
    advice = report.recommendation
    if advice.lr_low is not None or advice.lr_high is not None:
        low, high = advice.lr_low or window.x_low, advice.lr_high or window.x_high
        axes.axvspan(low, high, color=palette.ACCENT, alpha=0.11, linewidth=0, gid="interval")
    if advice.lr is not None:
        axes.axvline(advice.lr, color=palette.ACCENT, linewidth=1.6, gid="recommended")


def _mark(axes: Axes, mark: Mark, *, window: Window) -> None:
    if mark.name == "divergence":
        axes.axvline(mark.lr, color=palette.ALARM, linewidth=1, linestyle=(0, (4, 2)), gid="divergence")
        return
    height = min(mark.loss, window.y_high)
    axes.plot([mark.lr], [height], "o", markersize=5, markerfacecolor=palette.PAPER, markeredgecolor=palette.INK)


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
    window = Window(x_low=0, x_high=max(lrs.size - 1, 1), y_low=0, y_high=1.12 * float(lrs.max()))
    axes.set_xlim(0, window.x_high)
    axes.set_ylim(0, window.y_high)
    axes.fill_between(steps, lrs, color=palette.ACCENT, alpha=0.11, linewidth=0)
    axes.plot(steps, lrs, color=palette.ACCENT, linewidth=2, clip_on=False)
    levels = round_numbers(window.y_low, window.y_high, most=MOST_RATES_UP)
    axes.set_yticks(levels, [words.rate(level) if level else "0" for level in levels])
    widest = max(text_width(label.get_text(), size=TEXT_SIZE) for label in axes.get_yticklabels())
    figure.subplots_adjust(left=max(MARGINS["left"], (widest + LEVEL_GAP) / (INCH * SIZE[0])))
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    plane = plane_of(axes, window=window, log_x=False)
    write_labels(axes, schedule_labels(lrs, plane=plane, size=LABEL_SIZE), plane=plane)
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
    plane = plane_of(axes, window=replace(curve.window, x_low=low, x_high=high), log_y=True)
    write_labels(axes, answer_label(report.recommendation, plane=plane, size=LABEL_SIZE), plane=plane)
    return figure
