"""Schedules on a terminal: one with its plot and what it is for, or all of them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from lrfind.report import words
from lrfind.report.braille import draw
from lrfind.report.page import MAX_WIDTH, QUIET, Page
from lrfind.report.plot import GUTTER, PLOT_FROM
from lrfind.report.schedule.view import ScheduleView
from lrfind.report.terminal import PLOT_ROWS
from lrfind.report.titles import schedule_title
from lrfind.text import printable

# Of one small picture among many; narrower ones lose the shape, more rows push the first out of sight.
CELL_WIDTH, CELL_ROWS = 22, 4
GAP = 3
# Samples a character, as many as a braille one has columns of dots: averages would round off each fall.
SAMPLES = 2
# Marks on the axis of steps: the quarters.
N_QUARTERS = 4
MORE = "lrfind schedule NAME"


def print_schedule(shown: ScheduleView, console: Console, *, written: Sequence[Path] = (), again: str = "") -> None:
    """Print one schedule: its plot, what it is, when to use it, its rates.

    Parameters
    ----------
    shown : ScheduleView
    console : Console
    written : sequence of Path
        Pictures that were made.
    again : str
        A command to go on with.
    """
    # a command is never cut
    console.print(_One(shown=shown, written=tuple(written), again=again), crop=False)


def print_schedules(
    every: Sequence[ScheduleView], console: Console, *, written: Sequence[Path] = (), more: str = MORE
) -> None:
    """Print small pictures of schedules side by side, and when to use each.

    Parameters
    ----------
    every : sequence of ScheduleView
        All of the same peak and length.
    console : Console
    written : sequence of Path
        Pictures that were made.
    more : str
        The command that shows one of them, NAME in the place of its name.
    """
    console.print(_All(every=tuple(every), written=tuple(written), more=more), crop=False)


def _page(console: Console, options: ConsoleOptions) -> Page:
    return Page(console=console, width=min(options.max_width, MAX_WIDTH), encoding=options.encoding)


def _written(paths: Sequence[Path]) -> list[tuple[str, Text]]:
    return [
        ("Picture" if row == 0 else "", Text(printable(path, width=words.SENTENCE_WIDTH)))
        for row, path in enumerate(paths)
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _One:
    shown: ScheduleView
    written: tuple[Path, ...]
    again: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, shown = _page(console, options), self.shown
        yield from page.lines(Text(schedule_title(shown.schedule), style="bold"), room=page.width)
        if page.width >= PLOT_FROM:
            yield Text()
            yield from _plot(shown, page=page)
        yield Text()
        facts = [
            ("What", Text(shown.text.what)),
            ("Use it", Text(shown.text.use)),
            ("Rates", Text(rates_line(shown))),
            ("Source", Text(shown.text.source)),
            *_written(self.written),
        ]
        if self.again:
            facts.append(("Next", Text(self.again, style="bold", no_wrap=True)))
        yield from page.facts(facts)


def rates_line(shown: ScheduleView) -> str:
    """Return "first 0.0004, peak 0.01 at step 119, last 4e-08, mean 0.0051".

    Parameters
    ----------
    shown : ScheduleView

    Returns
    -------
    str
    """
    peak = f"peak {words.rate(shown.peak)}"
    at = f" at step {shown.peak_step:,}" if shown.peak_step else ""
    return f"first {words.rate(shown.first)}, {peak}{at}, last {words.rate(shown.last)}, mean {words.rate(shown.mean)}"


def _heights(shown: ScheduleView, *, width: int) -> np.ndarray:
    """Return the rates at evenly spaced places as shares of the highest."""
    # each sample is a step's own rate: a fall from one step to the next must stay steep
    places = np.linspace(0, len(shown.rates) - 1, SAMPLES * width).round().astype(int)
    return np.asarray(shown.rates[places] / shown.peak)


def _plot(shown: ScheduleView, *, page: Page) -> Iterator[Text]:
    width = page.width - GUTTER - 1
    lines = draw(_heights(shown, width=width), width=width, n_rows=PLOT_ROWS, ascii_only=page.ascii_only)
    labels = {0: words.rate(shown.peak), PLOT_ROWS - 1: "0"}
    for row, line in enumerate(lines):
        axis = f"{labels.get(row, ''):>{GUTTER - 2}} {'┤' if row in labels else '│'}"
        yield page.text(Text.assemble((axis, QUIET), (line.rstrip(), "cyan"), no_wrap=True))
    yield Text.assemble(" " * GUTTER, (_steps(len(shown.rates), width=width), QUIET), no_wrap=True)


def _steps(n_steps: int, *, width: int) -> str:
    """Return the numbers of steps beneath their places, at the quarters that fit."""
    line = ""
    for quarter in range(N_QUARTERS + 1):
        step = round((n_steps - 1) * quarter / N_QUARTERS)
        label = f"step {step:,}" if quarter == N_QUARTERS else f"{step:,}"
        start = min(max(round((width - 1) * quarter / N_QUARTERS) - len(label) // 2, 0), width - len(label))
        if not line or start > len(line):
            line = f"{line:<{start}}{label}"
    return line


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _All:
    every: tuple[ScheduleView, ...]
    written: tuple[Path, ...]
    more: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, first = _page(console, options), self.every[0]
        n_steps = words.plural(len(first.rates), "step")
        head = f"{len(self.every)} schedules over {n_steps}, each from 0 to its peak of {words.rate(first.peak)}"
        yield from page.lines(Text(head, style="bold"), room=page.width)
        yield Text()
        if page.width >= PLOT_FROM:
            yield from _grid(self.every, page=page)
        yield from page.facts([*((shown.kind, Text(shown.text.use)) for shown in self.every), *_written(self.written)])
        yield Text()
        yield from page.lines(Text(f"{self.more} says more about each.", style=QUIET), room=page.width)


def _grid(every: Sequence[ScheduleView], *, page: Page) -> Iterator[Text]:
    per_row = max((page.width + GAP) // (CELL_WIDTH + GAP), 1)
    for start in range(0, len(every), per_row):
        row = every[start : start + per_row]
        drawn = [
            draw(_heights(shown, width=CELL_WIDTH), width=CELL_WIDTH, n_rows=CELL_ROWS, ascii_only=page.ascii_only)
            for shown in row
        ]
        yield _beside([shown.kind for shown in row], style="bold")
        for lines in zip(*drawn, strict=True):
            yield _beside(lines, style="cyan")
        yield page.text(_beside([f"mean {shown.mean / shown.peak:.0%} of the peak" for shown in row], style=QUIET))
        yield Text()


def _beside(parts: Sequence[str], *, style: str) -> Text:
    return Text((" " * GAP).join(f"{part:<{CELL_WIDTH}}" for part in parts).rstrip(), style=style, no_wrap=True)
