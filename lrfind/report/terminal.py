"""A report on one screen of a terminal: `render(report)`, `print_report(report, console=...)`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from lrfind.recommend import default_costs
from lrfind.report import words
from lrfind.report.commands import recommend_command
from lrfind.report.files import PAGE_FILE
from lrfind.report.page import GOOD, MAX_WIDTH, QUIET, WARN, Page
from lrfind.report.plot import PLOT_FROM, plot
from lrfind.report.race import words as race_words
from lrfind.text import printable

if TYPE_CHECKING:
    from lrfind.recommend import Recommendation
    from lrfind.report import Report
    from lrfind.runs import Origin

# Rows of a terminal as it opens: the plot gets what the facts leave of them, and remarks on the data give way to it.
SCREEN = 24
# Rows of a plot where there is room.
PLOT_ROWS = 8


class Layout(NamedTuple):
    """How much of a report is shown: rows of the plot, remarks on the data, and whether facts are cut short."""

    n_rows: int
    n_remarks: int
    brief: bool = False


# The first that fits is taken; the page has everything.
LAYOUTS = (
    *(Layout(n_rows, 3) for n_rows in (PLOT_ROWS, 6, 4)),
    *(Layout(n_rows, 3, brief=True) for n_rows in (6, 4)),
    *(Layout(4, n_remarks, brief=True) for n_remarks in (2, 1, 0)),
)
# Wide enough for the rate, its interval and what they are for on one line.
ONE_LINE_FROM = 88


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
        for layout in LAYOUTS:
            lines = self._lines(page, layout=layout)
            # a line that is not folded here is folded by the terminal
            if sum(max(-(-line.cell_len // options.max_width), 1) for line in lines) <= SCREEN:
                break
        yield from lines

    def _lines(self, page: Page, *, layout: Layout) -> list[Text]:
        report, advice = self.report, self.report.recommendation
        lines = [*page.lines(_header(report), room=page.width), Text()]
        lines += page.facts(_answer(advice, page=page, report=report, brief=layout.brief))
        if page.width >= PLOT_FROM and report.analysis.lrs.size > 1:
            lines += [Text(), *plot(report, page=page, n_rows=layout.n_rows)]
        lines += [] if layout.brief else [Text()]
        facts = [*_reasons(report, layout=layout), *_next(advice, folder=self.folder, page=page)]
        return [*lines, *page.facts(facts)]


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


def _answer(
    advice: Recommendation, *, page: Page, report: Report | None = None, brief: bool = False
) -> list[tuple[str, Text]]:
    one_line = page.width >= ONE_LINE_FROM
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
    limit = words.stable(advice, highest=words.highest(report) if report else None)
    # what it lies beyond is the highest tried
    limit = limit.partition(", ")[0] if brief else limit
    if advice.lr is None or not one_line:
        facts.append(("For", Text(f"{words.setting(advice)}; {LIMITS.get(limit.split()[0], 'stable up to ')}{limit}")))
    else:
        facts.append(("Stable up to", Text(limit)))
    if advice.schedule:
        line = words.schedule_line(advice)
        # after the semicolon stand the others
        facts.append(("Schedule", Text(line.partition("; ")[0] if brief else line)))
    if report is not None and (reached := words.held_out(advice)):
        facts.append(("Held-out loss", Text(_on_rows(reached, report))))
    elif reached := words.held_out(advice):
        facts.append(("Held-out loss", Text(reached.removeprefix(HELD_OUT))))
    return facts


# What stands before the highest stable rate where it is no number.
LIMITS = {"beyond": "stable ", "not": "stable limit "}
# How the loss that was reached begins, beside a label that says so.
HELD_OUT = "held-out loss "


def _on_rows(reached: str, report: Report) -> str:
    """Return the held-out loss with its unit and the rows it was measured on."""
    loss, _, rest = reached.removeprefix(HELD_OUT).partition(" (")
    unit = "nats" if report.problem.task == "classification" else "target variances"
    # without a race it was measured in folds whose rows are not counted in a report
    rows = "rows held out" if report.race is None else race_words.rows(report.race)
    return f"{loss} {unit} on {rows} ({rest}"


def _hedge(advice: Recommendation) -> str:
    """Return a word of caution behind an interval that was not measured."""
    known = advice.lr_low is not None and advice.lr_high is not None
    return " (estimated)" if known and not words.is_measured(advice) else ""


def _reasons(report: Report, *, layout: Layout) -> list[tuple[str, Text]]:
    advice = report.recommendation
    if report.race is not None:
        facts = [("Why", Text(race_words.raced(report.race)))]
        # without an answer a rate that was only expected is beside the point
        if advice.lr is not None and (expected := words.experience(advice)):
            # what became of the expectation stands after the semicolon
            _, and_then, since = expected.removesuffix(".").partition("; ")
            facts.append(("Experience", Text(f"{race_words.expectation(report.race)}{and_then}{since}")))
        if advice.lr is not None and (costs := default_costs(report.race)):
            # said once, at the end
            n_shares = costs.count(OF_THE_GAIN) - 1
            costs = costs.replace(OF_THE_GAIN, "", n_shares) if costs.endswith(OF_THE_GAIN) else costs
            facts.append(("Defaults", Text(costs.removeprefix("a "))))
    else:
        facts = [
            (
                "Why",
                Text(
                    _why(advice, rules=report.analysis.rules, most=1 if layout.brief else 2)
                    or report.analysis.outcome.value
                ),
            )
        ]
    if advice.verdict != "ok":
        facts.append(("Try", Text(words.to_try(report))))
    return [*facts, *_data(report, layout=layout)]


# What a share is of, where several are named.
OF_THE_GAIN = " of the gain"


def _data(report: Report, *, layout: Layout) -> list[tuple[str, Text]]:
    facts = []
    if guess := words.guess(report):
        facts.append(
            ("Target", Text(guess.replace("; --target names another", "; see --target") if layout.brief else guess))
        )
    if task := words.task_guess(report.problem):
        facts.append(("Task", Text(f"{task.partition('; --task')[0]}; see --task" if layout.brief else task)))
    suspicions = words.suspicions(report).removesuffix(" found")
    facts.append(("Data", Text("; ".join(filter(None, (words.preparation(report), suspicions))))))
    if remarks := words.remarks(report):
        rest = len(remarks) - layout.n_remarks
        left = f"and {rest} more" if layout.n_remarks else words.plural(rest, "remark")
        more = [f"{left} in the report"] if rest > 0 else []
        facts.append(("", Text("\n".join([*remarks[: layout.n_remarks], *more]))))
    return facts


def _why(advice: Recommendation, *, rules: Container[str] = (), most: int = 2) -> str:
    # Two reasons convince; the page has them all.
    return " ".join(words.sentence(reason.text) for reason in words.reasons(advice, rules=rules)[:most])


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
