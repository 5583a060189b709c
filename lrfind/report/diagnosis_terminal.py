"""Diagnoses on a terminal: `print_diagnoses`, and `watching` for a log that grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lrfind.checks.finding import Finding
from lrfind.report.braille import draw
from lrfind.report.diagnosis import Diagnosis, compare
from lrfind.report.diagnosis_plot import Curve, curve_of
from lrfind.report.files import PAGE_FILE
from lrfind.report.page import ASCII_WORDS, GOOD, INDENT, MAX_WIDTH, QUIET, STACKED_BELOW
from lrfind.report.terminal import GUTTER, PLOT_FROM
from lrfind.report.words import number, plural, rate
from lrfind.text import printable

STYLES = {"error": "bold red", "warning": "yellow", "tip": "cyan"}
PLOT_ROWS = 8
# A sentence may quote several names and repairs; beyond this it is cut.
SENTENCE_WIDTH = 600
# Remarks on the log shown; the JSON has them all.
MOST_NOTES = 4


def print_diagnoses(diagnoses: Sequence[Diagnosis], console: Console, *, folder: Path | None = None) -> None:
    """Print one diagnosis in full, or several and how they compare.

    Parameters
    ----------
    diagnoses : sequence of Diagnosis
    console : Console
    folder : Path, optional
        Where the report was written.
    """
    if len(diagnoses) > 1:
        console.print(SideBySide(diagnoses=tuple(diagnoses)))
    for diagnosis in diagnoses:
        if len(diagnoses) > 1:
            console.print()
        console.print(Summary(diagnosis=diagnosis, folder=folder))


@contextmanager
def watching(console: Console, *, quiet: bool = False) -> Iterator[Callable[[Diagnosis], None]]:
    """Show each new diagnosis of a growing log: in place on a terminal, else only what has changed.

    Parameters
    ----------
    console : Console
    quiet : bool
        Show nothing.

    Yields
    ------
    callable of Diagnosis
    """
    if quiet:
        yield lambda _: None
    elif console.is_terminal and not console.is_dumb_terminal:
        with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
            yield lambda diagnosis: live.update(Summary(diagnosis=diagnosis, folder=None), refresh=True)
    else:
        yield _changes(console)


def _changes(console: Console) -> Callable[[Diagnosis], None]:
    known: dict[str, str] = {}

    def show(diagnosis: Diagnosis) -> None:
        now = {finding.code: finding.title for finding in diagnosis.found}
        page = _Page(console=console, options=console.options)
        where = "" if diagnosis.signals is None else diagnosis.signals.at_step(float(diagnosis.log.step[-1]))
        if not known and not now and "" not in known:
            known[""] = ""
            console.print(page.fit(Text(f"{where}: nothing found so far")))
        for finding in diagnosis.found:
            if finding.code not in known:
                console.print(
                    page.fit(Text(f"{where}: {finding.code} {_shown(finding.message)} {_shown(finding.advice)}"))
                )
        for code in [code for code in known if code and code not in now]:
            console.print(page.fit(Text(f"{where}: {code} {known[code]} is over")))
            del known[code]
        known.update(now)

    return show


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Page:
    console: Console
    options: ConsoleOptions

    @property
    def width(self) -> int:
        return min(self.options.max_width, MAX_WIDTH)

    @property
    def ascii_only(self) -> bool:
        try:
            "⠿│┤├─●·→×±…▲".encode(self.options.encoding)
        except (UnicodeEncodeError, LookupError):
            return True
        return False

    def fit(self, text: Text) -> Text:
        """Return the text in characters that the stream has."""
        if not self.ascii_only:
            return text
        pieces = Text()
        for piece in text.divide(sorted({edge for span in text.spans for edge in (span.start, span.end)})):
            plain = piece.plain.translate({**ASCII_WORDS, ord("▲"): "^"}).encode("ascii", "backslashreplace")
            pieces.append(plain.decode("ascii"), style=piece.spans[0].style if piece.spans else "")
        return pieces

    def fact(self, label: str, text: Text, *, style: str = QUIET) -> Iterator[Text]:
        """Yield a label beside what it labels, or above it where the screen is narrow."""
        stacked = self.width < STACKED_BELOW
        if stacked:
            yield Text(label.strip(), style=style)
        indent = 2 if stacked else INDENT
        for row, line in enumerate(self.fit(text).wrap(self.console, max(self.width - indent, 1), overflow="fold")):
            line.rstrip()
            lead = label if row == 0 and not stacked else ""
            yield Text.assemble((f"{'  ' + lead if lead else '':<{indent}}", style), line, no_wrap=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summary:
    """A diagnosis that rich can print.

    Attributes
    ----------
    diagnosis : Diagnosis
    folder : Path or None
    """

    diagnosis: Diagnosis
    folder: Path | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the answer, the curve, the findings, what was checked, and what next."""
        page = _Page(console=console, options=options)
        diagnosis = self.diagnosis
        yield from page.fit(headline(diagnosis)).wrap(console, page.width, overflow="fold")
        yield Text()
        for label, text, style in _answer(diagnosis):
            yield from page.fact(label, text, style=style)
        curve = curve_of(diagnosis)
        if curve is not None and page.width >= PLOT_FROM:
            yield Text()
            yield from plot(curve, page=page)
        yield Text()
        for label, text, style in (*_findings(diagnosis), *_checked(diagnosis), *_next(diagnosis, folder=self.folder)):
            yield from page.fact(label, text, style=style)


def headline(diagnosis: Diagnosis) -> Text:
    """Return the log's name, its format and its extent."""
    log = diagnosis.log
    name = printable(log.name, width=60)
    extent = f"{log.step_unit}s {log.step[0]:,.6g} to {log.step[-1]:,.6g}"
    return Text.assemble((name, "bold"), f" · {log.format} · {plural(len(log.step), 'point')}, {extent}")


Fact = tuple[str, Text, str]


def _answer(diagnosis: Diagnosis) -> Iterator[Fact]:
    found = [finding for finding in diagnosis.found if finding.severity != "tip"]
    if not found:
        yield "Verdict", Text(_clean(diagnosis), style=GOOD), QUIET
    else:
        titles = ", ".join(f"{finding.title} ({finding.code})" for finding in found[:3])
        yield "Verdict", Text(f"{titles[:1].upper()}{titles[1:]}", style=STYLES[found[0].severity]), QUIET
    yield "Learning rate", _rate(diagnosis), QUIET
    signals = diagnosis.signals
    if signals is not None:
        noise = float(np.median(signals.blocks.noise))
        course = f"{number(signals.start)} → {number(signals.end)}, lowest {number(signals.best)}"
        yield "Loss", Text(f"{course}; single points scatter by {number(noise)}"), QUIET


def _clean(diagnosis: Diagnosis) -> str:
    passed = len(diagnosis.in_state("passed"))
    return f"Nothing wrong found in {plural(passed, 'check')}"


def _rate(diagnosis: Diagnosis) -> Text:
    signals, suggested = diagnosis.signals, diagnosis.lr_suggested
    rates = None if signals is None else signals.rates
    text = Text() if suggested is None else Text.assemble((f"try {rate(suggested)}", GOOD), "    ")
    if rates is None:
        column = diagnosis.log.column("lr")
        return text.append("not in the log" if column is None else "0 throughout: no step changed anything")
    course = f"logged: peak {rate(rates.peak)}"
    if rates.is_constant and not rates.has_warmup:
        return text.append(f"logged: {rate(rates.peak)}, constant")
    if rates.has_warmup:
        course += f" after {rates.peak_share:.0%} of the run"
    return text.append(f"{course}, at the end {rate(rates.final) if rates.final else '0'}")


def _findings(diagnosis: Diagnosis) -> Iterator[Fact]:
    for finding in diagnosis.found:
        text = Text.assemble((f"{finding.code} ", STYLES[finding.severity]), _shown(finding.message))
        if finding.advice:
            text.append(f" {_shown(finding.advice)}", style="bold")
        yield finding.severity, text, STYLES[finding.severity]


def _checked(diagnosis: Diagnosis) -> Iterator[Fact]:
    passed = diagnosis.in_state("passed")
    if passed:
        yield "checked", Text(", ".join(f"{f.code} {f.title}" for f in passed), style=QUIET), QUIET
    for row, (codes, reason) in enumerate(grouped(diagnosis.in_state("not_applicable"))):
        yield "not checked" if row == 0 else "", Text(f"{', '.join(codes)}: {_shown(reason)}", style=QUIET), QUIET
    log = diagnosis.log
    notes = [*(r.sentence for r in log.repairs if "LR213" not in {f.code for f in diagnosis.found}), *log.notes]
    for row, note in enumerate(notes[:MOST_NOTES]):
        yield "log" if row == 0 else "", Text(_shown(note), style=QUIET), QUIET


def grouped(findings: Sequence[Finding]) -> list[tuple[list[str], str]]:
    """Return codes by the reason they share, in the order of the first code."""
    by_reason: dict[str, list[str]] = {}
    for finding in findings:
        by_reason.setdefault(finding.message, []).append(finding.code)
    return [(codes, reason) for reason, codes in by_reason.items()]


def _next(diagnosis: Diagnosis, *, folder: Path | None) -> Iterator[Fact]:
    if folder is not None:
        yield "report", Text(printable(folder / PAGE_FILE, width=SENTENCE_WIDTH)), QUIET
    if diagnosis.found:
        yield "next", Text(f"lrfind explain {diagnosis.found[0].code}", style="bold"), QUIET


def _shown(sentence: str) -> str:
    return printable(sentence, width=SENTENCE_WIDTH)


def plot(curve: Curve, *, page: _Page) -> Iterator[Text]:
    """Yield the loss over the steps, with each finding marked at its step."""
    width = page.width - GUTTER - 1
    places = np.linspace(curve.step[0], curve.step[-1], 4 * width)
    heights = curve.heights(np.interp(places, curve.step, curve.loss))
    lines = draw(heights, width=width, n_rows=PLOT_ROWS, ascii_only=page.ascii_only)
    labels = _loss_labels(curve)
    for row, line in enumerate(lines):
        axis = f"{labels.get(row, ''):>{GUTTER - 2}} {'┤' if row in labels else '│'}"
        yield page.fit(Text.assemble((axis, QUIET), (line.rstrip(), "cyan"), no_wrap=True))
    for marks in _mark_lines(curve, width=width):
        yield page.fit(Text.assemble(" " * GUTTER, (marks, "bold yellow"), no_wrap=True))
    first, last = f"{curve.step[0]:,.6g}", f"{curve.step[-1]:,.6g}"
    yield Text(f"{' ' * GUTTER}{first}{last:>{max(width - len(first), 0)}}", style=QUIET, no_wrap=True)


def _loss_labels(curve: Curve) -> dict[int, str]:
    rows = {}
    for row in (0, PLOT_ROWS // 2, PLOT_ROWS - 1):
        share = 1 - (row + 0.5) / PLOT_ROWS
        low, high = curve.low, curve.high
        loss = low * (high / low) ** share if curve.log_loss else low + share * (high - low)
        rows[row] = number(loss)
    return rows


def _mark_lines(curve: Curve, *, width: int) -> list[str]:
    """Return a line of arrows with their codes beneath the curve; another where two would overlap."""
    lines: list[str] = []
    length = float(curve.step[-1] - curve.step[0])
    for mark in sorted(curve.marks, key=lambda mark: mark.step):
        place = min(max(round((mark.step - float(curve.step[0])) / length * (width - 1)), 0), width - 1)
        text = f"▲ {mark.code}"
        if place + len(text) > width:
            place, text = max(place - len(text) + 1, 0), f"{mark.code} ▲"
        row = next((row for row, line in enumerate(lines) if len(line) < place), len(lines))
        lines[row : row + 1] = [f"{lines[row] if row < len(lines) else '':<{place}}{text}"]
    return lines


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SideBySide:
    """Several diagnoses in one table, the best run first.

    Attributes
    ----------
    diagnoses : tuple of Diagnosis
    """

    diagnoses: tuple[Diagnosis, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the verdict and the table."""
        page = _Page(console=console, options=options)
        comparison = compare(self.diagnoses)
        yield from page.fact("Best", Text(_shown(comparison.sentence), style="bold"))
        yield Text()
        table = Table(box=None, pad_edge=False, padding=(0, 2), header_style=QUIET)
        measure = "held-out loss" if comparison.measure == "val_loss" else "loss at the end"
        for heading in ("  run", "peak rate", measure, "found"):
            table.add_column(heading, overflow="fold")
        for row in comparison.standings:
            reached = "diverged" if row.loss is None else f"{number(row.loss)} ± {row.error:.1g}"
            cells = (f"  {printable(row.name, width=40)}", rate(row.lr), reached, ", ".join(row.codes) or "nothing")
            table.add_row(*(page.fit(Text(cell)) for cell in cells))
        yield table
