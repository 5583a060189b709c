"""What was found as GitHub shows it: annotations on standard output, Markdown in the job's summary.

References
----------
GitHub, "Workflow commands for GitHub Actions": the format of annotations and what must be escaped in it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from lrfind.checks.finding import Finding
from lrfind.errors import OutputError
from lrfind.report.check import CheckReport, Unread, shape, skipped, tally, verdict
from lrfind.report.findings import ranges
from lrfind.text import printable

# lrfind's severities in GitHub's words.
LEVELS: Mapping[str, str] = {"error": "error", "warning": "warning", "tip": "notice"}
SENTENCE_WIDTH = 1000
# Characters that mean something in Markdown or HTML; each as an entity, so that data stays text.
SPECIAL = frozenset("\\`*_{}[]()<>#+-.!|&~@:/\"'$")


def publish(reports: Sequence[CheckReport], stream: TextIO, *, unread: Sequence[Unread] = ()) -> None:
    """Print annotations, and append a summary to the file that GITHUB_STEP_SUMMARY names.

    Parameters
    ----------
    reports : sequence of CheckReport
    stream : text stream
    unread : sequence of Unread

    Raises
    ------
    OutputError
        The summary cannot be written.
    """
    stream.writelines(
        f"{annotation(finding, path=report.table.source.path)}\n" for report in reports for finding in report.found
    )
    stream.writelines(f"{_command('error', lost.message, path=lost.path, title='not checked')}\n" for lost in unread)
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        return
    try:
        with Path(place).open("a", encoding="utf-8") as file:
            if len(reports) + len(unread) > 1:
                file.write(f"## {tally(reports, unread)}\n\n")
            file.writelines(markdown(report) for report in reports)
            file.writelines(f"### {plain(lost.path)}: not checked\n\n{plain(lost.message)}\n\n" for lost in unread)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise OutputError(f"GITHUB_STEP_SUMMARY: {printable(place)} cannot be written: {reason}") from None


def annotation(finding: Finding, *, path: str) -> str:
    """Return one workflow command: ``::error file=data.csv,title=LR301 ...::message``."""
    message = f"{finding.message} {finding.advice}".strip()
    return _command(LEVELS[finding.severity], message, path=path, title=f"{finding.code} {finding.title}")


def _command(level: str, message: str, *, path: str, title: str) -> str:
    shown = printable(message, width=SENTENCE_WIDTH)
    return f"::{level} file={_property(printable(path, width=200))},title={_property(title)}::{_data(shown)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def markdown(report: CheckReport) -> str:
    """Return a report as Markdown; nothing in it that comes from data is markup."""
    lines = [
        f"### {plain(report.table.source.name)}: {verdict(report)}",
        "",
        plain(shape(report)),
        "",
    ]
    if report.found:
        lines += ["| | check | what was found | what to do |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(_cells(finding))} |" for finding in report.found]
        lines.append("")
    passed = [finding.code for finding in report.findings if finding.state == "passed"]
    lines += [f"- passed: {ranges(passed)}"] if passed else []
    lines += [f"- not checked: {ranges(codes)}: {plain(reason)}" for codes, reason in skipped(report)]
    return "\n".join([*lines, "", ""])


def _cells(finding: Finding) -> tuple[str, ...]:
    return finding.severity, f"{finding.code} {finding.title}", plain(finding.message), plain(finding.advice)


def plain(text: str) -> str:
    """Return text whose every character that Markdown or HTML could act on is an entity."""
    shown = printable(text, width=SENTENCE_WIDTH)
    return "".join(f"&#{ord(character)};" if character in SPECIAL else character for character in shown)
