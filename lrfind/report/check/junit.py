"""What was found as JUnit XML, which CI servers show: one suite a dataset, one test case a check."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from junitparser import Attr, Error, Failure, IntAttr, JUnitXml, Properties, Skipped, TestCase, TestSuite
from junitparser.junitparser import SystemErr, SystemOut

from lrfind.checks.finding import Finding
from lrfind.errors import OutputError
from lrfind.report.check import CheckReport, Unread
from lrfind.text import printable

# Characters that XML 1.0 forbids, even escaped (W3C, section 2.2).
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Suite(TestSuite):
    """A suite with the attributes that Ant's schema asks for in a file of several.

    Most methods it inherits have no types, which is why suites are `Any` below.
    """

    id = IntAttr("id")
    package = Attr("package")


def to_junit(reports: Sequence[CheckReport], unread: Sequence[Unread] = (), *, when: datetime) -> JUnitXml:
    """Return reports as JUnit suites, by the rules of both Ant's schema and that of Jenkins.

    What fails a dataset is a failure, what does not apply is skipped; milder findings pass, with their message in
    the suite's output. A dataset that could not be checked is an error.

    Parameters
    ----------
    reports : sequence of CheckReport
    unread : sequence of Unread
    when : datetime
        When the datasets were checked, in UTC.

    Returns
    -------
    JUnitXml
    """
    suites: list[Any] = [*(_suite(report) for report in reports), *(_unread(lost) for lost in unread)]
    xml: Any = JUnitXml()
    for number, suite in enumerate(suites):
        suite.id, suite.package, suite.hostname = number, "lrfind", "localhost"
        suite.timestamp = when.strftime("%Y-%m-%dT%H:%M:%S")
        suite.update_statistics()
        xml.append(suite)
    return cast(JUnitXml, xml)


def _suite(report: CheckReport) -> Suite:
    failures = {finding.code for finding in report.failures}
    mild = [finding for finding in report.found if finding.code not in failures]
    facts = {"lrfind": report.version, "target": report.problem.target, "rows": report.table.n_rows}
    cases = [
        _case(finding, path=report.table.source.path, is_failure=finding.code in failures)
        for finding in report.findings
    ]
    lines = [f"{finding.severity} {finding.code} {finding.title}: {_message(finding)}" for finding in mild]
    return _filled(report.table.source.path, facts=facts, cases=cases, output=lines)


def _unread(lost: Unread) -> Suite:
    case = TestCase(name="read the data", classname=_class_name(lost.path), time=0.0)
    case.result = [Error(message=_clean(lost.message), type_="error")]
    return _filled(lost.path, facts={}, cases=[case], output=[])


def _filled(path: str, *, facts: Mapping[str, object], cases: Sequence[TestCase], output: Sequence[str]) -> Suite:
    suite: Any = Suite(_clean(printable(path, width=200)))
    # the schemas want an order, and these elements even where they are empty
    suite.append(Properties())  # type: ignore[no-untyped-call]
    for name, value in facts.items():
        suite.add_property(name, _clean(printable(value)))
    for case in cases:
        suite.append(case)
    suite.append(SystemOut("\n".join(output)))
    suite.append(SystemErr(""))
    return cast(Suite, suite)


def _case(finding: Finding, *, path: str, is_failure: bool) -> TestCase:
    # the checks share one training, and none has a time of its own
    case = TestCase(name=f"{finding.code} {finding.title}", classname=_class_name(path), time=0.0)
    if is_failure:
        failure = Failure(message=_clean(finding.message), type_=finding.severity)
        # Jenkins shows both, GitLab the text alone
        failure.text = _message(finding)
        case.result = [failure]
    elif finding.state == "not_applicable":
        case.result = [Skipped(message=_message(finding))]
    return case


def _class_name(path: str) -> str:
    # what is left of the last dot is taken for a package, which "csv" would be torn from
    return f"lrfind.{_clean(printable(path, width=200)).replace('.', '_')}"


def _message(finding: Finding) -> str:
    return _clean(f"{finding.message} {finding.advice}".strip())


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)


def require_place(path: Path) -> None:
    """Refuse a path at which no file can be written, before there is anything to write.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OutputError
        If its folder is not there, or it is a folder itself.
    """
    if not path.parent.is_dir():
        raise _unwritable(path, "its folder does not exist")
    if path.is_dir():
        raise _unwritable(path, "it is a folder")


def _unwritable(path: Path, reason: str) -> OutputError:
    return OutputError(f"--junit: {printable(path)} cannot be written: {reason}; name another file")


def write_junit(reports: Sequence[CheckReport], path: Path, *, unread: Sequence[Unread] = ()) -> None:
    """Write reports as a JUnit XML file, whole or not at all.

    Parameters
    ----------
    reports : sequence of CheckReport
    path : Path
    unread : sequence of Unread

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    try:
        handle, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            os.close(handle)
            to_junit(reports, unread, when=datetime.now(UTC)).write(fresh, pretty=True)
            Path(fresh).chmod(0o644)
            Path(fresh).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(fresh).unlink()
            raise
    except OSError as error:
        raise _unwritable(path, (error.strerror or "unknown error").lower()) from None
