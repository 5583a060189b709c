"""Schedules as pictures: one over its steps, or all of them as small multiples."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrfind.errors import OutputError
from lrfind.report import palette, words
from lrfind.report.curves import every_kth
from lrfind.report.figures import DPI, TEXT_SIZE, TITLE_SIZE, in_style, schedule_figure
from lrfind.report.schedule.view import ScheduleView
from lrfind.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Pictures in a row, and inches of each; the head takes some more.
N_ACROSS, CELL_SIZE, HEAD = 4, (2.1, 1.45), 0.75
# Points of a small picture: twice as many as it has pixels.
MAX_POINTS = 600
METADATA: dict[str, dict[str, None]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


def save_picture(every: Sequence[ScheduleView], path: Path, *, kind: str) -> None:
    """Write a picture of one schedule, or of several as small multiples.

    Parameters
    ----------
    every : sequence of ScheduleView
    path : Path
        Replaced where it exists.
    kind : {"png", "svg"}

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    drawn = io.BytesIO()
    with in_style():
        figure = schedule_figure(every[0].schedule) if len(every) == 1 else schedules_figure(every)
        figure.savefig(drawn, format=kind, dpi=DPI, metadata=METADATA[kind])
    try:
        path.write_bytes(drawn.getvalue())
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise OutputError(f"--{kind}: {printable(path)} cannot be written: {reason}; name another file") from None


def schedules_figure(every: Sequence[ScheduleView]) -> Figure:
    """Return small multiples, all with the same axes; to be called `in_style`.

    Parameters
    ----------
    every : sequence of ScheduleView
        All of the same peak and length.

    Returns
    -------
    Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n_rows = -(-len(every) // N_ACROSS)
    width, height = N_ACROSS * CELL_SIZE[0], n_rows * CELL_SIZE[1] + HEAD
    figure = Figure(figsize=(width, height), facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(
        left=0.06, right=0.98, top=1 - (HEAD + 0.18) / height, bottom=0.35 / height, hspace=0.55, wspace=0.18
    )
    figure.text(0.06, 1 - 0.27 / height, f"{len(every)} ways to move the learning rate", fontsize=TITLE_SIZE,
                fontweight="bold", va="center")  # fmt: skip
    n_steps = words.plural(len(every[0].rates), "step")
    what = f"Learning rate at each of {n_steps}, from 0 to the peak of {words.rate(every[0].peak)}; dotted: the mean"
    figure.text(0.06, 1 - 0.53 / height, what, fontsize=TEXT_SIZE, color=palette.MUTED, va="center")
    for number, shown in enumerate(every, start=1):
        _small(figure.add_subplot(n_rows, N_ACROSS, number), shown)
    return figure


def _small(axes: Axes, shown: ScheduleView) -> None:
    kept = every_kth(len(shown.rates), most=MAX_POINTS)
    shares = shown.rates[kept] / shown.peak
    axes.set_xlim(0, max(len(shown.rates) - 1, 1))
    axes.set_ylim(0, 1.06)
    axes.fill_between(kept, shares, color=palette.ACCENT, alpha=0.11, linewidth=0)
    axes.plot(kept, shares, color=palette.ACCENT, linewidth=1.7, clip_on=False)
    axes.axhline(float(np.mean(shown.rates)) / shown.peak, color=palette.MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0, 1.08, shown.kind, transform=axes.transAxes, fontweight="bold", fontsize=TEXT_SIZE)
