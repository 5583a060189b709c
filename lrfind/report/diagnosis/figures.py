"""Diagnoses as matplotlib figures: the loss of each log with its findings and its rate, and several runs in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrfind.report import palette, words
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis.comparison import Comparison, compare, reached_by
from lrfind.report.diagnosis.comparison_plot import Dots, Lines, dots_of, free_places, lines_of
from lrfind.report.diagnosis.plot import Curve, curve_of
from lrfind.report.diagnosis.run_colours import LIGHT, colour_of, dash_of
from lrfind.report.diagnosis.words import course, suggestion, title
from lrfind.report.figure_labels import HALO
from lrfind.report.figures import MARGINS, MOST_RATES, in_style, save_each, titled_axes
from lrfind.report.race.curves import spread
from lrfind.report.race.figures import level_scale
from lrfind.report.svg import log_label, log_levels
from lrfind.text import place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Where the losses end and the rates begin, as shares of the figure's height.
LOSS_BOTTOM, RATE_TOP = 0.36, 0.265
# Shares of the figure: the sample of a line before a name, a character of a name; and of the axes: the least between
# two names.
KEY_ROOM, LABEL_SHARE, NAME_GAP = 0.075, 0.0093, 0.065
# Points that a character of a dot's name takes.
LABEL_CHARACTER = 5.2
# Points between two rows of labels.
LABEL_ROW = 11
# Share of the width that a character of a label takes.
CHARACTER = 0.0105
# Where the sample of a line before its name begins and ends, as shares of the axes' width.
KEY = (1.03, 1.07)


def save_figures(diagnoses: Sequence[Diagnosis], folder: Path) -> list[Path]:
    """Write ``loss.png`` and ``loss.svg``.

    For several logs ``loss-1.png`` and so on, ``compared.png``, and
    ``rates.png`` where several peak rates are known.

    Parameters
    ----------
    diagnoses : sequence of Diagnosis
    folder : Path
        Made if need be.

    Returns
    -------
    list of Path
        What was written; nothing for a log without a curve.
    """
    drawings: dict[str, Callable[[], Figure]] = {}
    for number, diagnosis in enumerate(diagnoses, start=1):
        curve = curve_of(diagnosis)
        if curve is not None:
            name = "loss" if len(diagnoses) == 1 else f"loss-{number}"
            drawings[name] = _drawing(diagnosis, curve)
    if len(diagnoses) > 1:
        comparison = compare(diagnoses)
        lines = lines_of(comparison)
        if lines is not None:
            drawings["compared"] = lambda: _compared(comparison, lines)
        dots = dots_of(comparison)
        if dots is not None:
            drawings["rates"] = lambda: _against_rates(comparison, dots)
    with in_style():
        return save_each(drawings, folder)


def _drawing(diagnosis: Diagnosis, curve: Curve) -> Callable[[], Figure]:
    return lambda: _figure(diagnosis, curve)


def _figure(diagnosis: Diagnosis, curve: Curve) -> Figure:
    to_do = suggestion(diagnosis).replace("try ", "try a rate of ").replace("keep ", "keep the peak of ")
    subtitle = "; ".join(filter(None, (course(diagnosis), to_do)))
    figure, axes = titled_axes(title=title(diagnosis), subtitle=subtitle)
    if len(curve.lr):
        figure.subplots_adjust(**{**MARGINS, "bottom": LOSS_BOTTOM})
    level_scale(axes, low=curve.low, high=curve.high, log_y=curve.log_loss)
    axes.set_xlim(float(curve.step[0]), curve.last)
    axes.plot(curve.step, curve.loss, color=palette.SEED, linewidth=0.7, alpha=0.6)
    axes.plot(curve.level_step, curve.level, color=palette.INK, linewidth=2, solid_capstyle="round")
    if len(curve.val_step):
        axes.plot(curve.val_step, curve.val_loss, color=palette.ACCENT, linewidth=1.6, linestyle=(0, (4, 2)))
        _names(axes, curve)
    _marks(axes, curve)
    _remarks(axes, curve, unit=diagnosis.log.step_unit)
    last = axes
    if len(curve.lr):
        axes.tick_params(labelbottom=False)
        last = _rates(figure, curve)
    _step_axis(last, unit=diagnosis.log.step_unit)
    return figure


def _names(axes: Axes, curve: Curve) -> None:
    """Name the two losses where they end, above and below each other."""
    is_above = curve.val_loss[-1] >= curve.level[-1]
    for name, x, y, up, colour in (
        ("held out", curve.val_step[-1], curve.val_loss[-1], is_above, palette.ACCENT),
        ("training", curve.level_step[-1], max(curve.level[-1], curve.low), not is_above, palette.INK),
    ):
        beside = (float(x), float(np.clip(y, curve.low, curve.high)))
        axes.annotate(name, beside, xytext=(-4, 7 if up else -7), textcoords="offset points", ha="right",
                      va="bottom" if up else "top", color=colour, bbox=HALO)  # fmt: skip


def _remarks(axes: Axes, curve: Curve, *, unit: str) -> None:
    """Say where the loss is NaN from, and how high the highest point is that left the picture."""
    told = []
    if curve.ending.since is not None:
        since = curve.ending.since
        told.append((since, 0.0, 6, f"{curve.ending.kind} from {unit} {place(since)}"))
    if curve.beyond is not None:
        step, loss = curve.beyond
        told.append((step, 1.0, -LABEL_ROW, f"↑ {words.number(loss)} at {unit} {place(step)}"))
    for step, height, up, text in told:
        is_late = step - float(curve.step[0]) > (curve.last - float(curve.step[0])) / 2
        axes.annotate(text, (step, height), xycoords=("data", "axes fraction"), xytext=(-4 if is_late else 4, up),
                      textcoords="offset points", ha="right" if is_late else "left", va="bottom", color=palette.ALARM,
                      fontsize=8, bbox=HALO)  # fmt: skip


def _rates(figure: Figure, curve: Curve) -> Axes:
    """Draw the learning rate beneath the losses, over the same steps."""
    high = float(curve.lr.max())
    left, bottom = MARGINS["left"], MARGINS["bottom"]
    axes = figure.add_axes((left, bottom, MARGINS["right"] - left, RATE_TOP - bottom))
    axes.set_xlim(float(curve.step[0]), curve.last)
    axes.set_ylim(0, 1.1 * high)
    axes.set_yticks([0, high], ["0", words.rate(high)])
    axes.fill_between(curve.lr_step, curve.lr, color=palette.ACCENT, alpha=0.11, linewidth=0)
    axes.plot(curve.lr_step, curve.lr, color=palette.ACCENT, linewidth=1.6)
    axes.annotate("learning rate", (0, 1), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points",
                  va="bottom", color=palette.MUTED)  # fmt: skip
    return axes


def _step_axis(axes: Axes, *, unit: str) -> None:
    axes.xaxis.set_major_formatter(lambda step, _: place(step))
    axes.annotate(unit, (1, 0), xycoords="axes fraction", xytext=(0, -24), textcoords="offset points", ha="right",
                  va="top", color=palette.MUTED)  # fmt: skip


def _marks(axes: Axes, curve: Curve) -> None:
    length = curve.last - float(curve.step[0])
    ends = [-np.inf]
    for step, label in curve.labels:
        share = (step - float(curve.step[0])) / length
        is_late = share > 1 / 2
        start = share - CHARACTER * len(label) if is_late else share
        # Beside the labels before it, or in a row below them.
        row = next((row for row, end in enumerate(ends) if end < start), len(ends))
        ends[row : row + 1] = [start + CHARACTER * len(label) + CHARACTER]
        axes.axvline(step, color=palette.ALARM, linewidth=1, linestyle=(0, (4, 2)))
        beside = (-3 if is_late else 3, 3 - LABEL_ROW * row)
        axes.annotate(label, (step, 1), xycoords=("data", "axes fraction"), xytext=beside, textcoords="offset points",
                      ha="right" if is_late else "left", va="bottom", color=palette.ALARM, fontsize=8,
                      bbox=HALO)  # fmt: skip


def _compared(comparison: Comparison, lines: Lines) -> Figure:
    best = comparison.standings[0]
    title = comparison.best.removesuffix(".")
    if best.loss is not None:
        title = f"{lines.lines[0].label} ended with the lowest {comparison.what}, {reached_by(best)}"
    figure, axes = titled_axes(
        title=title,
        subtitle=f"{comparison.what[:1].upper()}{comparison.what[1:]} of each run, with its peak rate",
    )
    longest = max(len(line.label) for line in lines.lines)
    figure.subplots_adjust(**{**MARGINS, "right": MARGINS["right"] - KEY_ROOM - LABEL_SHARE * longest})
    level_scale(axes, low=lines.low, high=lines.high, log_y=lines.log_loss)
    axes.set_xlim(lines.first, lines.last)
    for line in reversed(lines.lines):
        axes.plot(line.step, line.loss, color=_colour(line.rank), linewidth=2.4 if line.rank == 0 else 1.3,
                  linestyle=_dash(line.rank))  # fmt: skip
        if line.lost:
            axes.plot(line.step[-1:], np.clip(line.loss[-1:], lines.low, lines.high), color=palette.ALARM, marker="x",
                      markersize=7, clip_on=False)  # fmt: skip
    ends = [(line.step[-1], np.clip(line.loss[-1], lines.low, lines.high)) for line in lines.lines]
    shares = axes.transAxes.inverted().transform(axes.transData.transform(ends))
    heights = spread(shares[:, 1].tolist(), gap=NAME_GAP, low=0.02, high=0.98)
    for (x, y), height, line in zip(shares.tolist(), heights, lines.lines, strict=True):
        axes.plot(KEY, (height, height), transform=axes.transAxes, color=_colour(line.rank), clip_on=False,
                  linewidth=2.4 if line.rank == 0 else 1.6, linestyle=_dash(line.rank))  # fmt: skip
        axes.annotate("", (x, y), xycoords="axes fraction", xytext=(KEY[0], height), textcoords="axes fraction",
                      annotation_clip=False, arrowprops={"arrowstyle": "-", "color": palette.EDGE, "linewidth": 0.6,
                                                         "shrinkA": 1, "shrinkB": 2})  # fmt: skip
        axes.annotate(line.label, (KEY[1] + 0.01, height), xycoords="axes fraction", va="center", fontsize=8.5,
                      color=_colour(line.rank), annotation_clip=False,
                      fontweight="bold" if line.rank == 0 else "normal")  # fmt: skip
    _step_axis(axes, unit=lines.unit)
    return figure


def _colour(rank: int) -> str:
    return LIGHT[colour_of(rank)]


def _dash(rank: int) -> str | tuple[int, tuple[float, ...]]:
    dash = tuple(float(length) / 2 for length in dash_of(rank).split())
    return (0, dash) if dash else "-"


def _against_rates(comparison: Comparison, dots: Dots) -> Figure:
    lowest = ", a ring its lowest" if comparison.measure == "val_loss" else ""
    what = f"{comparison.what[:1].upper()}{comparison.what[1:]}"
    figure, axes = titled_axes(
        title=f"{what} against the peak learning rate",
        subtitle=f"A dot is the mean of a run's last tenth{lowest}; a cross at the top is a run that diverged",
    )
    level_scale(axes, low=dots.low, high=dots.high, log_y=dots.log_loss)
    rate_scale(axes, low=dots.lr_low, high=dots.lr_high)
    best: dict[float, float] = {}
    for dot in dots.dots:
        colour = _colour(dot.rank)
        if dot.loss is None:
            axes.plot([dot.lr], [dots.high], color=palette.ALARM, marker="x", clip_on=False)
            continue
        best[dot.lr] = min(best.get(dot.lr, np.inf), dot.loss)
        if dot.lowest is not None:
            axes.plot([dot.lr, dot.lr], [dot.lowest, dot.loss], color=colour, linewidth=0.8, linestyle=(0, (1, 2)))
            axes.plot([dot.lr], [dot.lowest], color=colour, marker="o", markerfacecolor=palette.PAPER, markersize=5)
        axes.plot([dot.lr], [dot.loss], color=colour, marker="o", markersize=8 if dot.rank == 0 else 6)
    rates = sorted(best)
    axes.plot(rates, [best[lr] for lr in rates], color=palette.EDGE, linewidth=1.2, zorder=1)
    _dot_names(axes, dots)
    return figure


def _dot_names(axes: Axes, dots: Dots) -> None:
    """Name the dots, the best first, each in a place beside it that is free, or not at all."""
    left, bottom, right, top = axes.bbox.extents
    ats = [(dot.lr, dots.high if dot.loss is None else dot.loss) for dot in dots.dots]
    ats += [(dot.lr, dot.lowest) for dot in dots.dots if dot.lowest is not None]
    # From the top left, as labels are placed on the page.
    marks = [(float(x), float(top - y)) for x, y in axes.transData.transform(ats)]
    pixel = axes.figure.dpi / 72
    size = 5 * pixel
    places = free_places(
        marks[: len(dots.dots)], [LABEL_CHARACTER * pixel * len(dot.label) for dot in dots.dots],
        taken=[(x - size, y - size, x + size, y + size) for x, y in marks], height=LABEL_ROW * pixel,
        room=(left, 0.0, right, top - bottom),
    )  # fmt: skip
    for dot, place_, at, (x, y) in zip(dots.dots, places, ats, marks, strict=False):
        if place_ is not None:
            # In points, which keep their length when the picture is written at another resolution.
            away = ((place_.x - x) / pixel, (y - place_.y) / pixel)
            axes.annotate(dot.label, at, xytext=away, textcoords="offset points", fontsize=8,
                          ha={"start": "left", "middle": "center", "end": "right"}[place_.anchor],
                          color=palette.ALARM if dot.loss is None else _colour(dot.rank))  # fmt: skip


def rate_scale(axes: Axes, *, low: float, high: float) -> None:
    """Make the horizontal axis logarithmic in the peak rate, labelled with real numbers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(log_levels(low, high, most=MOST_RATES)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda lr, _: log_label(lr)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.annotate("peak learning rate", (1, 0), xycoords="axes fraction", xytext=(0, -24), textcoords="offset points",
                  ha="right", va="top", color=palette.MUTED)  # fmt: skip
