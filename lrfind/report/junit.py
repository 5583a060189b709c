"""What was found as JUnit XML, which CI servers show: one suite a dataset, one test case a check."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from lrfind.checks.finding import Finding
from lrfind.errors import OutputError
from lrfind.report.check import CheckReport
from lrfind.text import printable

# Characters that XML 1.0 forbids, even escaped (W3C, section 2.2).
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(reports: Sequence[CheckReport]) -> JUnitXml:
    """Return reports as JUnit suites.

    What fails a dataset is a failure, what does not apply is skipped; milder findings pass, with their message in
    the test's output.

    Parameters
    ----------
    reports : sequence of CheckReport

    Returns
    -------
    JUnitXml
    """
    xml = JUnitXml("lrfind check")
    for report in reports:
        suite = TestSuite(_clean(printable(report.table.source.path, width=200)))
        failures = {finding.code for finding in report.failures}
        for finding in report.findings:
            suite.add_testcase(_case(finding, suite=suite.name, is_failure=finding.code in failures))
        xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    return xml


def _case(finding: Finding, *, suite: str, is_failure: bool) -> TestCase:
    # a fixed time: the same data must give the same bytes
    case = TestCase(name=f"{finding.code} {finding.title}", classname=f"lrfind.{suite}", time=0.0)
    message = _clean(f"{finding.message} {finding.advice}".strip())
    if is_failure:
        case.result = [Failure(message=message, type_=finding.severity)]
    elif finding.state == "not_applicable":
        case.result = [Skipped(message=message)]
    elif finding.state == "found":
        case.system_out = f"{finding.severity}: {message}"
    return case


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)


def write_junit(reports: Sequence[CheckReport], path: Path) -> None:
    """Write reports as a JUnit XML file, whole or not at all.

    Parameters
    ----------
    reports : sequence of CheckReport
    path : Path

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    try:
        handle, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            os.close(handle)
            to_junit(reports).write(fresh, pretty=True)
            Path(fresh).chmod(0o644)
            Path(fresh).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(fresh).unlink()
            raise
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise OutputError(f"--junit: {printable(path)} cannot be written: {reason}; name another file") from None
