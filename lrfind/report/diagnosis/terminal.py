"""Diagnoses on a terminal: `print_diagnoses`; `diagnosis_watch` shows a log that grows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from lrfind.report.braille import dashed, draw, overlaid
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis.comparison import Comparison, Standing, compare, reached_by
from lrfind.report.diagnosis.plot import Curve, curve_of
from lrfind.report.diagnosis.words import (
    extent,
    hedge,
    held_out,
    hint,
    losses,
    rates,
    suggestion,
    title,
    tried,
)
from lrfind.report.files import PAGE_FILE
from lrfind.report.findings import STYLES, grouped, ranges
from lrfind.report.page import GOOD, MAX_WIDTH, QUIET, Page
from lrfind.report.plot import GUTTER, PLOT_FROM
from lrfind.text import number, place, printable, rate, short

PLOT_ROWS = 8
# Samples of a dash, four to a character.
DASH = 8
# A sentence may quote several names and repairs; beyond this it is cut.
SENTENCE_WIDTH = 600
# Remarks on the log shown; the JSON has them all.
MOST_NOTES = 4
# Of more runs only the best is told about below the table, which would else scroll out of sight.
MOST_DETAILED = 6
# On screens as wide, the table of several runs has room for their curves and for what the codes mean.
CURVES_FROM = 110
# From this width on it has room for the rates to try, which take so many columns with their intervals beneath.
TRY_FROM, TRY_WIDTH = 72, 20
# The table may be wider than text: its lines are not read from end to end.
MAX_TABLE_WIDTH = 140
# Characters of a curve in the table.
SPARK_WIDTH = 16
# Eight heights of a character.
BLOCKS = "▁▂▃▄▅▆▇█"
# Names are folded beyond this: the numbers must stay side by side.
NARROW_RUN_WIDTH, RUN_WIDTH = 18, 28
# Columns that the rest of the table takes on a narrow screen.
BESIDE_RUN = 66

Fact = tuple[str | Text, Text]


def print_diagnoses(diagnoses: Sequence[Diagnosis], console: Console, *, folder: Path | None = None) -> None:
    """Print one diagnosis in full, or several side by side and what was found about each.

    Parameters
    ----------
    diagnoses : sequence of Diagnosis
    console : Console
    folder : Path, optional
        Where the report was written.
    """
    if len(diagnoses) == 1:
        console.print(Summary(diagnosis=diagnoses[0], folder=folder))
        return
    console.print(SideBySide(diagnoses=tuple(diagnoses), folder=folder))


def page_of(console: Console, options: ConsoleOptions) -> Page:
    """Return the page that a screen holds."""
    return Page(console=console, width=min(options.max_width, MAX_WIDTH), encoding=options.encoding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The lines of a diagnosis: who and what, the curve, what was found, and the rest."""

    head: list[Text]
    curve: list[Text]
    found: list[Text]
    rest: list[Text]


def parts_of(diagnosis: Diagnosis, *, page: Page, folder: Path | None = None, verdict: str = "Verdict") -> Parts:
    """Return the lines of a diagnosis in its parts, the telling ones first.

    Parameters
    ----------
    diagnosis : Diagnosis
    page : Page
    folder : Path, optional
        Where the report was written.
    verdict : str
        What to call it.

    Returns
    -------
    Parts
    """
    curve = curve_of(diagnosis, has_names=False)
    return Parts(
        head=[
            *page.lines(headline(diagnosis), room=page.width),
            Text(),
            *page.facts(_answer(diagnosis, verdict=verdict)),
        ],
        curve=[] if curve is None or page.width < PLOT_FROM else list(plot(curve, page=page)),
        found=list(page.facts(_findings(diagnosis))),
        rest=list(page.facts([*_checked(diagnosis), *_next(diagnosis, folder=folder)])),
    )


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
        parts = parts_of(self.diagnosis, page=page_of(console, options), folder=self.folder)
        yield from parts.head
        if parts.curve:
            yield Text()
            yield from parts.curve
        yield Text()
        yield from parts.found
        yield from parts.rest


def headline(diagnosis: Diagnosis) -> Text:
    """Return the log's name, its format and its extent."""
    log = diagnosis.log
    name = printable(log.name, width=60)
    return Text.assemble((name, "bold"), f" · {log.format} · {extent(log)}")


def _answer(diagnosis: Diagnosis, *, verdict: str = "Verdict") -> Iterator[Fact]:
    found = [finding for finding in diagnosis.found if finding.severity != "tip"]
    clean = GOOD if len(diagnosis.in_state("passed")) >= len(diagnosis.findings) / 2 else QUIET
    yield verdict, Text(title(diagnosis, most=3), style=STYLES[found[0].severity] if found else clean)
    yield "Learning rate", _rate(diagnosis)
    signals = diagnosis.signals
    if signals is not None:
        yield "Loss", Text(losses(signals))
    if validation := held_out(diagnosis):
        yield "Held-out loss", Text(validation)


def _rate(diagnosis: Diagnosis) -> Text:
    suggested = suggestion(diagnosis)
    text = Text.assemble((suggested, GOOD), "    ") if suggested else Text()
    return text.append(rates(diagnosis))


def _findings(diagnosis: Diagnosis) -> Iterator[Fact]:
    for finding in diagnosis.found:
        text = Text.assemble((f"{finding.code} ", STYLES[finding.severity]), _shown(finding.message))
        if finding.advice:
            text.append(f" {_shown(finding.advice)}", style="bold")
        yield Text(finding.severity, style=STYLES[finding.severity]), text


def _checked(diagnosis: Diagnosis) -> Iterator[Fact]:
    passed = diagnosis.in_state("passed")
    if passed and diagnosis.found:
        yield "passed", Text(ranges([f.code for f in passed]), style=QUIET)
    elif passed:
        # A clean bill says what it is for.
        yield "checked", Text(", ".join(f"{f.code} {f.title}" for f in passed), style=QUIET)
    for row, (codes, reason) in enumerate(grouped(diagnosis.in_state("not_applicable"))):
        yield "not checked" if row == 0 else "", Text(f"{ranges(codes)}: {_shown(reason)}", style=QUIET)
    log = diagnosis.log
    notes = [*(r.sentence for r in log.repairs if "LR213" not in {f.code for f in diagnosis.found}), *log.notes]
    for row, note in enumerate(notes[:MOST_NOTES]):
        yield "log" if row == 0 else "", Text(_shown(note), style=QUIET)


def _next(diagnosis: Diagnosis, *, folder: Path | None) -> Iterator[Fact]:
    if folder is not None:
        yield "report", Text(printable(folder / PAGE_FILE, width=SENTENCE_WIDTH))
    if told := hint(diagnosis):
        yield "hint", Text(told, style=QUIET)
    if diagnosis.found:
        yield "next", Text(f"lrfind explain {diagnosis.found[0].code}", style="bold")


def _shown(sentence: str) -> str:
    return printable(sentence, width=SENTENCE_WIDTH)


def plot(curve: Curve, *, page: Page) -> Iterator[Text]:
    """Yield the losses over the steps, with each finding marked at its step."""
    width = page.width - GUTTER - 1
    places = np.linspace(curve.step[0], curve.last, 4 * width)
    drawn = [curve.heights(np.interp(places, curve.step, curve.loss, right=np.nan))]
    if len(curve.val_step) > 1:
        held_out = curve.heights(np.interp(places, curve.val_step, curve.val_loss, left=np.nan, right=np.nan))
        drawn.append(dashed(held_out, every=DASH))
    lines = overlaid([draw(h, width=width, n_rows=PLOT_ROWS, ascii_only=page.ascii_only) for h in drawn])
    labels = _loss_labels(curve)
    for row, line in enumerate(lines):
        axis = f"{labels.get(row, ''):>{GUTTER - 2}} {'┤' if row in labels else '│'}"
        yield page.text(Text.assemble((axis, QUIET), (line.rstrip(), "cyan"), no_wrap=True))
    for marks in _mark_lines(curve, width=width):
        yield page.text(Text.assemble(" " * GUTTER, (marks, "bold yellow"), no_wrap=True))
    first, last = place(curve.step[0]), place(curve.last)
    between = max(width - len(first) - len(last), 0)
    name = "training, and dashed held out" if len(drawn) > 1 else ""
    middle = f"{name if len(name) < between else '':^{between}}"
    yield Text(f"{' ' * GUTTER}{first}{middle}{last}", style=QUIET, no_wrap=True)


def _loss_labels(curve: Curve) -> dict[int, str]:
    rows = {}
    for row in (0, PLOT_ROWS // 2, PLOT_ROWS - 1):
        share = 1 - (row + 0.5) / PLOT_ROWS
        low, high = curve.low, curve.high
        loss = low * (high / low) ** share if curve.log_loss else low + share * (high - low)
        rows[row] = label if len(label := number(loss)) <= GUTTER - 2 else short(f"{loss:.1e}")
    return rows


def _mark_lines(curve: Curve, *, width: int) -> list[str]:
    """Return a line of arrows with their codes beneath the curve; another where two would overlap."""
    lines: list[str] = []
    length = curve.last - float(curve.step[0])
    for step, codes in curve.labels:
        place = min(max(round((step - float(curve.step[0])) / length * (width - 1)), 0), width - 1)
        start, text = place, f"▲ {codes}"
        if place + len(text) > width:
            start, text = max(place - len(text) + 1, 0), f"{codes} ▲"
        row = next((row for row, line in enumerate(lines) if len(line) < start), len(lines))
        lines[row : row + 1] = [f"{lines[row] if row < len(lines) else '':<{start}}{text}"]
    return lines


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SideBySide:
    """Several diagnoses: which run was best and why, a table of them, the best first, and what was found about each.

    Attributes
    ----------
    diagnoses : tuple of Diagnosis
    folder : Path or None
    """

    diagnoses: tuple[Diagnosis, ...]
    folder: Path | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the verdict, the table, and the findings of each run."""
        page = page_of(console, options)
        comparison = compare(self.diagnoses)
        said = (("Best", comparison.best, "bold"), ("Others", comparison.others, ""), ("Next", comparison.further, ""))
        yield from page.facts((label, Text(_shown(text), style=style)) for label, text, style in said if text)
        yield Text()
        yield _table(comparison, page=page, width=min(options.max_width, MAX_TABLE_WIDTH))
        yield Text()
        yield from page.facts([("", Text(hedge(comparison), style=QUIET))])
        best = comparison.standings[0].name
        is_short = len(self.diagnoses) <= MOST_DETAILED
        for diagnosis in self.diagnoses if is_short else [d for d in self.diagnoses if d.log.name == best]:
            yield Text()
            yield from page.lines(headline(diagnosis), room=page.width)
            yield from page.facts([*_answer(diagnosis), *_findings(diagnosis)])
        folder = [] if self.folder is None else [("report", Text(printable(self.folder / PAGE_FILE, width=600)))]
        codes = sorted({code for standing in comparison.standings for code in standing.codes})
        facts: list[Fact] = [*folder]
        if not is_short:
            facts.append(("more", Text("lrfind diagnose LOG says all about one of them", style="bold")))
        if codes:
            facts.append(("next", Text(f"lrfind explain {codes[0]}", style="bold")))
        yield Text()
        yield from page.facts(facts)


def _table(comparison: Comparison, *, page: Page, width: int) -> Table:
    tries = width >= TRY_FROM and any(row.suggested is not None for row in comparison.standings)
    has_room = width >= CURVES_FROM + (TRY_WIDTH if tries else 0)
    # Narrow screens have no room for both.
    has_lowest, has_curves = has_room or not tries, has_room and not page.ascii_only
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET, width=None)
    longest = 2 + max(len(row.name) for row in comparison.standings)
    run_width = min(longest, RUN_WIDTH if has_room else max(NARROW_RUN_WIDTH, width - BESIDE_RUN))
    # Codes are folded before names are, but on the narrowest screens.
    table.add_column("  run", overflow="fold", width=run_width if tries else None, max_width=RUN_WIDTH)
    wanted = (True, True, has_lowest, tries, has_curves)
    for heading in compress(("peak rate", comparison.what, "lowest, at", "try", "over the run"), wanted):
        table.add_column(heading, no_wrap=True)
    table.add_column("found", overflow="fold")
    low, high = _extent(comparison.standings)
    for row in comparison.standings:
        cells = (
            "not logged" if row.lr is None else rate(row.lr), _reached(row), _lowest(row),
            tried(row).replace(" (", "\n("), _spark(row, low=low, high=high),
        )  # fmt: skip
        whole = [f"  {printable(row.name, width=60)}", *compress(cells, wanted), _codes(row, has_room=has_room)]
        table.add_row(*(page.text(Text(cell)) for cell in whole))
    return table


def _reached(row: Standing) -> str:
    """Return what a run reached, in few columns: what its steps count is said above."""
    return reached_by(row).replace(f" from {row.unit} ", " at ").replace("diverged to ", "diverged\nto ")


def _lowest(row: Standing) -> str:
    if row.lowest is None or row.lowest_step is None:
        return ""
    return f"{number(row.lowest)}, {place(row.lowest_step)}"


def _codes(row: Standing, *, has_room: bool) -> str:
    if not row.codes or not has_room:
        return ", ".join(row.codes) or "nothing"
    first, *others = row.codes
    return ", ".join([f"{row.fault.partition(':')[0]} ({first})", *others])


def _extent(standings: Iterable[Standing]) -> tuple[float, float]:
    """Return the range of the losses that the curves of all runs share, in logarithms where that is possible."""
    every = np.concatenate([row.course for row in standings if row.loss is not None] or [np.empty(0)])
    return (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)


def _spark(row: Standing, *, low: float, high: float) -> str:
    if not len(row.course):
        return ""
    places = np.linspace(row.step[0], row.step[-1], SPARK_WIDTH)
    course = np.interp(places, row.step, np.clip(row.course, low, high))
    if low > 0:
        course, low, high = np.log(course), math.log(low), math.log(high)
    shares = (course - low) / (high - low) if high > low else np.zeros(SPARK_WIDTH)
    return "".join(BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)] for share in shares)
