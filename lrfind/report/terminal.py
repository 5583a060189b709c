"""A report on one screen of a terminal: `render(report)`, `print_report(report, console=...)`."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from lrfind.recommend import default_costs
from lrfind.report import words
from lrfind.report.braille import draw
from lrfind.report.commands import recommend_command
from lrfind.report.curves import Floats, Window, loss_window
from lrfind.report.files import PAGE_FILE
from lrfind.report.page import GOOD, MAX_WIDTH, QUIET, WARN, Page
from lrfind.report.race import words as race_words
from lrfind.text import printable

if TYPE_CHECKING:
    from lrfind.recommend import Recommendation
    from lrfind.report import Report
    from lrfind.runs import Origin

# Narrower, a plot shows nothing.
PLOT_FROM = 30
# Even, so that the middle of the fall has a row of its own.
PLOT_ROWS = 8
# Wide enough for the rate, its interval and what they are for on one line.
ONE_LINE_FROM = 88
# Remarks on the data that fit beside the answer; the page has them all.
MOST_REMARKS = 3
# Share of the window below which the fall is not stretched to fill the plot.
SMALL_FALL = 0.3
# Characters in front of the plot: the loss and the axis.
GUTTER = 9


def render(report: Report, *, folder: Path | None = None) -> Summary:
    """Return a report as something rich can print, for any width and encoding.

    Parameters
    ----------
    report : Report
    folder : Path, optional
        Where the run was written.

    Returns
    -------
    Summary
    """
    return Summary(report=report, folder=folder)


def print_report(report: Report, console: Console, *, folder: Path | None = None) -> None:
    """Print a report on a console.

    Parameters
    ----------
    report : Report
    console : Console
    folder : Path, optional
        Where the run was written.
    """
    # a command is never cut
    console.print(render(report, folder=folder), crop=False)


def print_advice(
    advice: Recommendation,
    console: Console,
    *,
    folder: Path | None = None,
    origin: Origin | None = None,
    chosen: str = "",
    options: Mapping[str, object] | None = None,
) -> None:
    """Print advice without the run it came from: whose it is, the answer, why, and what next.

    Parameters
    ----------
    advice : Recommendation
        Every string in it may come from a file of unknown origin.
    console : Console
    folder : Path, optional
        Where the run is.
    origin : Origin, optional
        What the run was made with.
    chosen : str
        Why this run, where it was not named.
    options : mapping, optional
        Options of `lrfind recommend` that made this advice, to be kept.
    """
    shown = Advice(advice=advice, folder=folder, origin=origin, chosen=chosen, options=options or {})
    console.print(shown, crop=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Advice:
    """A recommendation that rich can print.

    Attributes
    ----------
    advice : Recommendation
    folder : Path or None
    origin : Origin or None
    chosen : str
    options : mapping
    """

    advice: Recommendation
    folder: Path | None
    origin: Origin | None
    chosen: str
    options: Mapping[str, object]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the answer and its reasons."""
        page = Page(console=console, width=min(options.max_width, MAX_WIDTH), encoding=options.encoding)
        if self.origin is not None:
            yield from page.lines(_subject(self.origin), room=page.width)
            yield Text()
        yield from page.facts(_answer(self.advice, page=page))
        yield from page.facts([*_measured_for(self.advice, self.origin), *_remembered(self.advice)])
        yield from page.facts([("Run", Text(self.chosen))] if self.chosen else [])
        yield from page.facts(_next(self.advice, folder=self.folder, page=page, options=self.options))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summary:
    """A report that rich can print; `render` makes it.

    Attributes
    ----------
    report : Report
    folder : Path or None
    """

    report: Report
    folder: Path | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the summary, part by part."""
        width = min(options.max_width, MAX_WIDTH)
        page = Page(console=console, width=width, encoding=options.encoding)
        report = self.report
        yield from page.lines(_header(report), room=width)
        yield Text()
        yield from page.facts(_answer(report.recommendation, page=page, highest=words.highest(report)))
        if width >= PLOT_FROM and report.analysis.lrs.size > 1:
            yield Text()
            yield from _plot(report, page=page)
        yield Text()
        yield from page.facts([*_reasons(report), *_next(report.recommendation, folder=self.folder, page=page)])


# Characters that a rate takes at most, so that what follows it stands in a column.
RATE_WIDTH = 9


def _header(report: Report) -> Text:
    return Text.assemble(
        (words.name(report.table.source.name), "bold"), (f" · {words.shape(report)}", ""), overflow="fold"
    )


def _subject(origin: Origin) -> Text:
    """Return which table advice is for, as the report of its run begins."""
    sizes = ((origin.n_rows, "row"), (origin.n_features, "feature"))
    shape = ", ".join(words.plural(count, noun) for count, noun in sizes if count is not None)
    kind = words.plural(origin.n_classes, "class") if origin.n_classes else origin.task
    target = f"→ {origin.target}{f' ({kind})' if kind else ''}" if origin.target else ""
    rest = " ".join(filter(None, (shape, target)))
    return Text.assemble((origin.table or origin.run, "bold"), f" · {rest}" if rest else "", overflow="fold")


def _answer(advice: Recommendation, *, page: Page, highest: float | None = None) -> list[tuple[str, Text]]:
    limit, one_line = words.stable(advice, highest=highest), page.width >= ONE_LINE_FROM
    facts: list[tuple[str, Text]] = []
    if advice.verdict != "ok":
        label = "No answer" if advice.lr is None else "Careful"
        facts.append((label, Text(words.sentence(advice.sentence), style=WARN)))
    if advice.lr is not None:
        style = GOOD if advice.verdict == "ok" else "bold"
        lead = "good " if advice.lr_low is not None or advice.lr_high is not None else ""
        rate = Text.assemble((f"{words.rate(advice.lr):<9} ", style), f"{lead}{words.interval(advice)}{_hedge(advice)}")
        if one_line:
            rate.append(f"    {words.setting(advice)}", style=QUIET)
        facts.append(("Learning rate", rate))
    if advice.lr is None or not one_line:
        facts.append(("For", Text(words.setting(advice))))
    if advice.schedule:
        facts.append(("Schedule", Text(words.schedule_line(advice))))
    # a rate stands in its column; words end with a stop of their own
    lead = f"{limit:<9} " if len(limit) <= RATE_WIDTH else f"{limit}; "
    facts.append(("Stable up to", Text(f"{lead}{words.held_out(advice)}".rstrip(" ;"))))
    return facts


def _hedge(advice: Recommendation) -> str:
    """Return a word of caution behind an interval that was not measured."""
    known = advice.lr_low is not None and advice.lr_high is not None
    return " (estimated)" if known and not words.is_measured(advice) else ""


def _reasons(report: Report) -> list[tuple[str, Text]]:
    advice = report.recommendation
    if report.race is not None:
        facts = [("Why", Text(race_words.effort(report.race)))]
        # without an answer a rate that was only expected is beside the point
        if advice.lr is not None and (expected := words.experience(advice)):
            facts.append(("Experience", Text(expected.removesuffix("."))))
        if advice.lr is not None and (costs := default_costs(report.race)):
            facts.append(("Defaults", Text(costs)))
    else:
        facts = [("Why", Text(_why(advice, rules=report.analysis.rules) or report.analysis.outcome.value))]
    if advice.verdict != "ok":
        facts.append(("Try", Text(words.to_try(report))))
    return [*facts, *_data(report)]


def _data(report: Report) -> list[tuple[str, Text]]:
    facts = []
    if guess := words.guess(report):
        facts.append(("Target", Text(guess)))
    if task := words.task_guess(report.problem):
        facts.append(("Task", Text(task)))
    facts.append(("Data", Text("; ".join(filter(None, (words.preparation(report), words.suspicions(report)))))))
    if remarks := words.remarks(report):
        rest = len(remarks) - MOST_REMARKS
        more = [f"and {rest} more in the report"] if rest > 0 else []
        facts.append(("", Text("\n".join([*remarks[:MOST_REMARKS], *more]))))
    return facts


def _why(advice: Recommendation, *, rules: Container[str] = ()) -> str:
    # Two reasons convince; the page has them all.
    return " ".join(words.sentence(reason.text) for reason in words.reasons(advice, rules=rules)[:2])


def _measured_for(advice: Recommendation, origin: Origin | None) -> list[tuple[str, Text]]:
    """Return what the reasons that follow are for, where the advice was adapted to something else since."""
    if origin is None or (origin.batch_size, origin.train_steps) == (advice.batch_size, advice.train_steps):
        return []
    steps = words.plural(origin.train_steps, "step")
    return [("Measured", Text(f"at batch {origin.batch_size:,} · {steps}; the reasons below are of those runs"))]


def _remembered(advice: Recommendation) -> list[tuple[str, Text]]:
    """Return the reasons that advice read from a file brings along."""
    texts = {reason.name: words.sentence(reason.text).removesuffix(".") for reason in advice.evidence}
    why = texts.get("race") or _why(advice)
    facts = [("Why", why), ("Defaults", texts.get("defaults", ""))]
    return [(label, Text(text)) for label, text in facts if text]


def _next(
    advice: Recommendation, *, folder: Path | None, page: Page, options: Mapping[str, object] | None = None
) -> list[tuple[str, Text]]:
    """Return where the report is and the command that goes on from it: without a folder there is neither."""
    if folder is None:
        return []
    facts = [("Report", Text(printable(folder / PAGE_FILE, width=words.SENTENCE_WIDTH)))]
    if advice.lr is not None:
        command = recommend_command(folder, options=options, ascii_only=page.ascii_only)
        facts.append(("Next", Text(command, style="bold", no_wrap=True)))
    return facts


def _plot(report: Report, *, page: Page) -> Iterator[Text]:
    """Yield the loss against the learning rate, with the good interval marked beneath."""
    window, width = _window(report), page.width - GUTTER - 1
    lines = draw(
        _heights(report, window=window, n_samples=4 * width), width=width, n_rows=PLOT_ROWS, ascii_only=page.ascii_only
    )
    labelled = _loss_labels(report, window=window)
    for row, line in enumerate(lines):
        axis = f"{labelled.get(row, ''):>{GUTTER - 2}} {'┤' if row in labelled else '│'}"
        yield page.text(Text.assemble((axis, QUIET), (line.rstrip(), "cyan"), no_wrap=True))
    mark = _interval_line(report, window=window, width=width)
    if mark.strip():
        yield page.text(Text.assemble(" " * GUTTER, (mark, GOOD), no_wrap=True))
    yield page.text(Text.assemble(" " * GUTTER, (_ticks(window, width=width), QUIET), no_wrap=True))


def _window(report: Report) -> Window:
    """Return the window in which the start, the lowest loss and their middle lie on rows of their own."""
    window = loss_window(report)
    finite = report.analysis.pooled[np.isfinite(report.analysis.pooled)]
    start, low = report.analysis.start_loss, float(finite.min(initial=math.inf))
    row = (start - low) / (PLOT_ROWS - 2)
    # A fall that is small in the common window is noise, and must look like it.
    if not row * PLOT_ROWS > SMALL_FALL * (window.y_high - window.y_low):
        return window
    return replace(window, y_low=low - row / 2, y_high=start + 3 * row / 2)


def _heights(report: Report, *, window: Window, n_samples: int) -> Floats:
    """Return the pooled curve at evenly spaced log rates, as shares of the window's height."""
    analysis = report.analysis
    places = np.linspace(math.log(window.x_low), math.log(window.x_high), n_samples)
    loss = np.interp(places, np.log(analysis.lrs), analysis.pooled, left=np.nan, right=np.nan)
    return np.asarray((loss - window.y_low) / (window.y_high - window.y_low))


def _loss_labels(report: Report, *, window: Window) -> dict[int, str]:
    """Return the rows that carry a loss: the start, the lowest and the middle of the two."""
    finite = report.analysis.pooled[np.isfinite(report.analysis.pooled)]
    if finite.size == 0:
        return {}
    start, low = report.analysis.start_loss, float(finite.min())
    labels = {}
    for loss in (low, (start + low) / 2, start):
        depth = (window.y_high - loss) / (window.y_high - window.y_low) * PLOT_ROWS
        if 0 <= depth < PLOT_ROWS:
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
