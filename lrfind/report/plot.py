"""The loss against the learning rate, drawn in characters for a report on a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from lrfind.report import words
from lrfind.report.braille import draw
from lrfind.report.curves import Floats, Window, loss_window
from lrfind.report.page import GOOD, QUIET, Page

if TYPE_CHECKING:
    from lrfind.report import Report

# Narrower, a plot shows nothing.
PLOT_FROM = 30
# Share of the window below which the fall is not stretched to fill the plot.
SMALL_FALL = 0.3
# Characters in front of the plot: the loss and the axis.
GUTTER = 9


def plot(report: Report, *, page: Page, n_rows: int) -> Iterator[Text]:
    """Yield the loss against the learning rate, with what it shows above and the good interval marked beneath.

    Parameters
    ----------
    report : Report
    page : Page
    n_rows : int
        Of the curve; even, so that the middle of the fall has a row of its own.

    Yields
    ------
    Text
    """
    window, width = _window(report, n_rows=n_rows), page.width - GUTTER - 1
    seeds = words.plural(report.sweep.n_seeds, "seed")
    yield from page.lines(Text(f"  Training loss against learning rate, {seeds} pooled", style=QUIET), room=page.width)
    lines = draw(
        _heights(report, window=window, n_samples=4 * width), width=width, n_rows=n_rows, ascii_only=page.ascii_only
    )
    labelled = _loss_labels(report, window=window, n_rows=n_rows)
    for row, line in enumerate(lines):
        axis = f"{labelled.get(row, ''):>{GUTTER - 2}} {'┤' if row in labelled else '│'}"
        yield page.text(Text.assemble((axis, QUIET), (line.rstrip(), "cyan"), no_wrap=True))
    mark = _interval_line(report, window=window, width=width)
    if mark.strip():
        yield page.text(Text.assemble(" " * GUTTER, (mark, GOOD), no_wrap=True))
    yield page.text(Text.assemble(" " * GUTTER, (_ticks(window, width=width), QUIET), no_wrap=True))


def _window(report: Report, *, n_rows: int) -> Window:
    """Return the window in which the start, the lowest loss and their middle lie on rows of their own."""
    window = loss_window(report)
    finite = report.analysis.pooled[np.isfinite(report.analysis.pooled)]
    start, low = report.analysis.start_loss, float(finite.min(initial=math.inf))
    row = (start - low) / (n_rows - 2)
    # A fall that is small in the common window is noise, and must look like it.
    if not row * n_rows > SMALL_FALL * (window.y_high - window.y_low):
        return window
    return replace(window, y_low=low - row / 2, y_high=start + 3 * row / 2)


def _heights(report: Report, *, window: Window, n_samples: int) -> Floats:
    """Return the pooled curve at evenly spaced log rates, as shares of the window's height."""
    analysis = report.analysis
    places = np.linspace(math.log(window.x_low), math.log(window.x_high), n_samples)
    loss = np.interp(places, np.log(analysis.lrs), analysis.pooled, left=np.nan, right=np.nan)
    return np.asarray((loss - window.y_low) / (window.y_high - window.y_low))


def _loss_labels(report: Report, *, window: Window, n_rows: int) -> dict[int, str]:
    """Return the rows that carry a loss: the start, the lowest and the middle of the two."""
    finite = report.analysis.pooled[np.isfinite(report.analysis.pooled)]
    if finite.size == 0:
        return {}
    start, low = report.analysis.start_loss, float(finite.min())
    labels = {}
    for loss in (low, (start + low) / 2, start):
        depth = (window.y_high - loss) / (window.y_high - window.y_low) * n_rows
        if 0 <= depth < n_rows:
            labels[int(depth)] = words.rate(loss)
    return labels


def _place(lr: float, *, window: Window, width: int) -> int:
    share = math.log(lr / window.x_low) / math.log(window.x_high / window.x_low)
    return min(max(round(share * (width - 1)), 0), width - 1)


def _interval_line(report: Report, *, window: Window, width: int) -> str:
    advice, line = report.recommendation, [" "] * width
    places = {
        end: _place(lr, window=window, width=width) for end, lr in (("├", advice.lr_low), ("┤", advice.lr_high)) if lr
    }
    # An end that is not known lies beyond the range.
    first, last = places.get("├", 0), places.get("┤", width - 1)
    for place in range(first, last + 1) if places else ():
        line[place] = "─"
    for end, place in places.items():
        line[place] = end
    if advice.lr:
        line[_place(advice.lr, window=window, width=width)] = "●"
    return "".join(line).rstrip()


def _ticks(window: Window, *, width: int) -> str:
    """Return powers of ten beneath their places, as many as fit with room between."""
    first, last = math.ceil(math.log10(window.x_low) - 1e-9), math.floor(math.log10(window.x_high) + 1e-9)
    # Seven characters a label and two between.
    every = max(1, math.ceil((last - first + 1) * 9 / max(width, 1)))
    line = [" "] * (width + GUTTER)
    for exponent in range(first, last + 1, every):
        label, place = words.tick(10.0**exponent), _place(10.0**exponent, window=window, width=width)
        start = min(max(place - len(label) // 2, 0), width - len(label))
        line[start : start + len(label)] = label
    return "".join(line[:width]).rstrip()
