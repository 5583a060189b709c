"""What was found out about a dataset: as a value, as JSON, and on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from lrfind.checks.baseline import Baseline
from lrfind.checks.finding import Finding, Severity
from lrfind.data import Table
from lrfind.problem import Problem
from lrfind.report.findings import SEVERITIES, STYLES, finding_dict, grouped, ranges
from lrfind.report.page import ASCII_WORDS, MAX_WIDTH, STACKED_BELOW
from lrfind.report.words import target_guess, task_guess
from lrfind.text import LINE_WIDTH, printable

# Where messages begin on a wide screen: after "  warning  LR301  ".
INDENT = 18
# Remarks on the data shown; the JSON has them all.
MOST_NOTES = 6
# A sentence may quote several names; beyond this it is cut.
SENTENCE_WIDTH = 400
# Why checks of a range of rates are not made of a dataset.
NOT_ABOUT_DATA = "About the range of a sweep, not about data."


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A dataset that could not be checked.

    Attributes
    ----------
    path : str
        As the user gave it.
    message : str
        Why.
    """

    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckReport:
    """What was found out about a dataset.

    Attributes
    ----------
    version : str
        Of lrfind.
    table : Table
    problem : Problem
    seed : int
    findings : tuple of Finding
        Of every check, in the order of their families.
    fail_on : {"error", "warning"}
        The least severity that fails the dataset.
    baseline : Baseline
        What the dataset is like, to compare with another day.
    """

    version: str
    table: Table
    problem: Problem
    seed: int
    findings: tuple[Finding, ...]
    fail_on: Severity
    baseline: Baseline

    @property
    def found(self) -> tuple[Finding, ...]:
        """What was found, the worst first."""
        found = [finding for finding in self.findings if finding.state == "found"]
        return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What fails the dataset."""
        limit = SEVERITIES.index(self.fail_on)
        return tuple(finding for finding in self.found if SEVERITIES.index(finding.severity) <= limit)

    @property
    def passed(self) -> bool:
        """Whether nothing fails the dataset."""
        return not self.failures

    def count(self, state: str) -> int:
        """Return how many checks ended in a state."""
        return sum(finding.state == state for finding in self.findings)

    def __repr__(self) -> str:
        """Return the outcome in one line."""
        codes = ", ".join(finding.code for finding in self.found) or "nothing found"
        verdict = "passed" if self.passed else "failed"
        return printable(
            f"CheckReport({printable(self.table.source.name, width=60)}: {verdict}, {codes})", width=LINE_WIDTH
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as ``lrfind check --json`` prints it of one table."""
        return to_dict(self)


def to_dict(report: CheckReport) -> dict[str, Any]:
    """Return a report as strict JSON values.

    Parameters
    ----------
    report : CheckReport

    Returns
    -------
    dict
        "data", "passed" and "findings"; the same for the same data, options and version.
    """
    table, problem = report.table, report.problem
    return {
        "data": {
            "name": table.source.name,
            "path": table.source.path,
            "format": table.source.format,
            "sha256": table.source.sha256,
            "size": table.source.size,
            "rows": table.n_rows,
            "rows_total": table.n_rows_total,
            "columns": len(table.columns),
            "target": problem.target,
            "task": problem.task,
            "classes": list(problem.classes),
            "split": problem.split,
            "n_train": len(problem.y_train),
            "n_val": len(problem.y_val),
            "n_features": problem.n_features,
            "seed": report.seed,
            "lrfind_version": report.version,
            "notes": [*table.notes, *problem.notes],
        },
        "passed": report.passed,
        "findings": [finding_dict(finding) for finding in report.findings],
    }


def to_json(reports: Sequence[CheckReport], unread: Sequence[Unread] = ()) -> str:
    """Return one strict JSON document in ASCII, ending with a line break.

    Parameters
    ----------
    reports : sequence of CheckReport
    unread : sequence of Unread

    Returns
    -------
    str
        The report of a single dataset as it is; of several ``{"passed": ..., "datasets": [...]}``, in which those that
        could not be checked come last, with an "error".
    """
    documents = [to_dict(report) for report in reports]
    documents += [{"data": {"path": lost.path}, "passed": False, "error": lost.message} for lost in unread]
    passed = all(document["passed"] for document in documents)
    whole = documents[0] if len(documents) == 1 else {"passed": passed, "datasets": documents}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def print_check(report: CheckReport, console: Console, *, verbose: bool = False, quiet: bool = False) -> None:
    """Print a report: the verdict, what was found with the worst first, what passed, and what was not checked and why.

    Parameters
    ----------
    report : CheckReport
    console : Console
    verbose : bool
        Say of each check that passed what it saw, too.
    quiet : bool
        Say nothing but the verdict and what fails the dataset.
    """
    width = min(console.width, MAX_WIDTH)
    indent = 2 if width < STACKED_BELOW else INDENT
    for text in _head(report, width=width):
        _print_text(text, console, indent=0, width=width)
    lines = (_finding_line(finding) for finding in report.failures) if quiet else _lines(report, verbose=verbose)
    for head, text, style in lines:
        label = Text(head, style=style)
        if width < STACKED_BELOW:
            if head.strip():
                _print_text(label, console, indent=0, width=width)
            _print_text(text, console, indent=indent, width=width)
        else:
            _print_text(text, console, indent=indent, width=width, head=label)


def _head(report: CheckReport, *, width: int) -> list[Text]:
    """Return the dataset and its verdict, on one line where they fit."""
    what, told = headline(report), Text(verdict(report), "bold green" if report.passed else "bold red")
    if what.cell_len + 2 + told.cell_len <= width:
        return [Text.assemble(what, "  ", told)]
    return [what, Text.assemble("  ", told)]


def _lines(report: CheckReport, *, verbose: bool) -> Iterator[tuple[str, Text, str]]:
    yield from (_finding_line(finding) for finding in report.found)
    passed = [finding for finding in report.findings if finding.state == "passed"]
    if verbose:
        for finding in passed:
            yield f"  passed   {finding.code}", Text(f"{finding.title}: not found. {_shown(finding.message)}"), "green"
    elif passed:
        yield "  passed", Text(ranges([finding.code for finding in passed]), style="dim"), "dim"
    for number, (codes, reason) in enumerate(skipped(report)):
        yield _label("not checked", number), Text(f"{ranges(codes)}: {_shown(reason)}", style="dim"), "dim"
    for label, guess in (("target", target_guess(report.problem)), ("task", task_guess(report.problem))):
        if guess:
            yield f"  {label}", Text(guess, style="dim"), "dim"
    notes = [*report.table.notes, *report.problem.notes]
    for number, note in enumerate(notes[:MOST_NOTES]):
        yield _label("data", number), Text(_shown(note), style="dim"), "dim"
    if len(notes) > MOST_NOTES:
        yield _label("", 1), Text(f"and {len(notes) - MOST_NOTES} more remarks, which --json has", style="dim"), "dim"
    if report.found:
        yield "  more", Text(f"lrfind explain {report.found[0].code}", style="dim"), "dim"


def _finding_line(finding: Finding) -> tuple[str, Text, str]:
    title = f"{finding.title[:1].upper()}{finding.title[1:]}. "
    text = Text.assemble((title, "bold"), _shown(finding.message))
    if finding.advice:
        text.append(f" {_shown(finding.advice)}", style="dim")
    return f"  {finding.severity:<7}  {finding.code}", text, STYLES[finding.severity]


def _label(word: str, number: int) -> str:
    # a label stands before the first of its lines only
    return f"  {word if number == 0 else ''}"


def skipped(report: CheckReport) -> list[tuple[list[str], str]]:
    """Return the codes of checks that could not be made by the reason they share, in the order of the first code.

    Parameters
    ----------
    report : CheckReport

    Returns
    -------
    list of (codes, reason)
        Without those that no dataset could be asked: it would be the same line every time.
    """
    asked = (finding for finding in report.findings if finding.message != NOT_ABOUT_DATA)
    return grouped([finding for finding in asked if finding.state == "not_applicable"])


def headline(report: CheckReport) -> Text:
    """Return what the dataset is: "data.csv · 150 rows, 4 columns → species (3 classes)"."""
    name = printable(report.table.source.name, width=60)
    return Text.assemble((name, "bold"), f" · {shape(report)}")


def shape(report: CheckReport) -> str:
    """Return how large a dataset is and what is to be predicted: "150 rows, 4 columns → species (3 classes)"."""
    problem, table = report.problem, report.table
    what = f"{len(problem.classes)} classes" if problem.classes else "a number"
    n_columns = len(table.columns) - 1
    columns = f"{n_columns:,} column{'' if n_columns == 1 else 's'}"
    return f"{table.n_rows:,} rows, {columns} → {printable(problem.target, width=40)} ({what})"


def verdict(report: CheckReport) -> str:
    """Return the verdict in a few words: "passed · 21 checks, 1 warning"."""
    n_made = report.count("passed") + report.count("found")
    counts = [f"{n_made} check{'' if n_made == 1 else 's'}"]
    for severity in SEVERITIES:
        n = sum(finding.severity == severity for finding in report.found)
        if n:
            counts.append(f"{n} {severity}{'' if n == 1 else 's'}")
    return f"{'passed' if report.passed else 'FAILED'} · {', '.join(counts)}"


def tally(reports: Sequence[CheckReport], unread: Sequence[Unread]) -> str:
    """Return how several datasets did: "3 tables: 1 passed, 1 failed, 1 could not be checked".

    Parameters
    ----------
    reports : sequence of CheckReport
    unread : sequence of Unread

    Returns
    -------
    str
    """
    n_passed = sum(report.passed for report in reports)
    counts = {"passed": n_passed, "failed": len(reports) - n_passed, "could not be checked": len(unread)}
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{len(reports) + len(unread)} tables: {told}"


def _shown(sentence: str) -> str:
    return printable(sentence, width=SENTENCE_WIDTH)


def _print_text(text: Text, console: Console, *, indent: int, width: int, head: Text | None = None) -> None:
    """Print text in lines of `width`, each beginning at `indent`, the first after `head`."""
    text = _encodable(text, console)
    for number, line in enumerate(text.wrap(console, max(width - indent, 1), overflow="fold")):
        line.rstrip()
        lead = Text(
            f"{head.plain if head is not None and number == 0 else '':<{indent}}",
            style=head.style if head is not None else "",
        )
        console.print(Text.assemble(lead, line), no_wrap=True, overflow="ignore", crop=False)


def _encodable(text: Text, console: Console) -> Text:
    """Return text in characters that the stream has."""
    try:
        text.plain.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        pieces = Text()
        for piece in text.divide(sorted({edge for span in text.spans for edge in (span.start, span.end)})):
            plain = piece.plain.translate(ASCII_WORDS).encode("ascii", "backslashreplace").decode("ascii")
            pieces.append(plain, style=piece.spans[0].style if piece.spans else piece.style)
        return pieces
    return text
