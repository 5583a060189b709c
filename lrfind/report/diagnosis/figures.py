"""Diagnoses as matplotlib figures: the loss of each log with its findings and its rate, and several runs in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrfind.report import palette, words
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis.comparison import Comparison, compare
from lrfind.report.diagnosis.comparison_plot import Lines, lines_of
from lrfind.report.diagnosis.plot import Curve, curve_of
from lrfind.report.diagnosis.words import course, suggestion, title
from lrfind.report.figure_labels import HALO
from lrfind.report.figures import MARGINS, in_style, save_each, titled_axes
from lrfind.report.race.curves import spread
from lrfind.report.race.figures import level_scale
from lrfind.text import place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Where the losses end and the rates begin, as shares of the figure's height.
LOSS_BOTTOM, RATE_TOP = 0.36, 0.265
# Shares of the figure: where lines end, so that names have room, and the least between two names.
NAMES_FROM, NAME_GAP = 0.74, 0.065
# Points between two rows of labels.
LABEL_ROW = 11
# Share of the width that a character of a label takes.
CHARACTER = 0.0105
# Colour and width of a run's line.
ROLES = {"advised": (palette.ACCENT, 2.0), "rival": (palette.MUTED, 1.2), "lost": (palette.ALARM, 1.0)}


def save_figures(diagnoses: Sequence[Diagnosis], folder: Path) -> list[Path]:
    """Write ``loss.png`` and ``loss.svg``; for several logs ``loss-1.png`` and so on, and ``compared.png``.

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
    axes.set_xlim(float(curve.step[0]), float(curve.step[-1]))
    axes.plot(curve.step, curve.loss, color=palette.SEED, linewidth=0.7, alpha=0.6)
    axes.plot(curve.level_step, curve.level, color=palette.INK, linewidth=2, solid_capstyle="round")
    if len(curve.val_step):
        axes.plot(curve.val_step, curve.val_loss, color=palette.ACCENT, linewidth=1.6, linestyle=(0, (4, 2)))
        _names(axes, curve)
    _marks(axes, curve)
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
        # A held-out loss may come after the last training loss, outside the picture.
        place = (min(float(x), float(curve.step[-1])), float(np.clip(y, curve.low, curve.high)))
        axes.annotate(name, place, xytext=(-4, 7 if up else -7), textcoords="offset points", ha="right",
                      va="bottom" if up else "top", color=colour, bbox=HALO)  # fmt: skip


def _rates(figure: Figure, curve: Curve) -> Axes:
    """Draw the learning rate beneath the losses, over the same steps."""
    high = float(curve.lr.max())
    left, bottom = MARGINS["left"], MARGINS["bottom"]
    axes = figure.add_axes((left, bottom, MARGINS["right"] - left, RATE_TOP - bottom))
    axes.set_xlim(float(curve.step[0]), float(curve.step[-1]))
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
    length = float(curve.step[-1] - curve.step[0])
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
    figure, axes = titled_axes(
        title=comparison.best.removesuffix("."),
        subtitle=f"{comparison.what[:1].upper()}{comparison.what[1:]} of each run, with its peak rate",
    )
    figure.subplots_adjust(**{**MARGINS, "right": NAMES_FROM})
    level_scale(axes, low=lines.low, high=lines.high, log_y=lines.log_loss)
    axes.set_xlim(lines.first, lines.last)
    for line in reversed(lines.lines):
        colour, width = ROLES[line.role]
        axes.plot(
            line.step, line.loss, color=colour, linewidth=width, linestyle=(0, (4, 2)) if line.role == "lost" else "-"
        )
    ends = [(line.step[-1], np.clip(line.loss[-1], lines.low, lines.high)) for line in lines.lines]
    shares = axes.transAxes.inverted().transform(axes.transData.transform(ends))
    heights = spread(shares[:, 1].tolist(), gap=NAME_GAP, low=0.02, high=0.98)
    for (x, y), height, line in zip(shares.tolist(), heights, lines.lines, strict=True):
        axes.annotate(line.label, (x, y), xycoords="axes fraction", xytext=(1.03, height), textcoords="axes fraction",
                      va="center", color=ROLES[line.role][0], annotation_clip=False, fontsize=8.5, bbox=HALO,
                      fontweight="bold" if line.role == "advised" else "normal",
                      arrowprops={"arrowstyle": "-", "color": palette.EDGE, "linewidth": 0.6, "shrinkA": 1,
                                  "shrinkB": 2})  # fmt: skip
    _step_axis(axes, unit=lines.unit)
    return figure
