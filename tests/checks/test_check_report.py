"""What was found, rendered: terminal, JSON, JUnit, GitHub."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import xmlschema
from dataset_fixture import dataset_of, good_columns
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lrfind.checks.baseline import baseline_of
from lrfind.checks.finding import Finding
from lrfind.report.check import NOT_ABOUT_DATA, CheckReport, Unread, print_check, tally, to_dict, to_json
from lrfind.report.check.github import annotation, markdown, plain, publish
from lrfind.report.check.junit import to_junit, write_junit
from lrfind.report.findings import ranges

NASTY = "a]]>\x1b[31m<b>&\"'|`*\u202e\x00\r\n::error::%0A"


def finding(code: str = "LR301", **fields: object) -> Finding:
    values = {
        "state": "found",
        "severity": "error",
        "title": "no learnable signal",
        "message": "Nothing.",
        "evidence": {"gain": 0.5, "lost": float("nan"), "n": np.int64(3)},
        "advice": "Do 3 things.",
    }
    return Finding(code=code, **(values | fields))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> CheckReport:
    dataset = dataset_of(good_columns(), tmp_path_factory.mktemp("table"))
    findings = (
        finding("LR305", severity="tip", message="Tip."),
        finding("LR306", severity="warning", message="Copies."),
        finding("LR301"),
        finding("LR310", state="not_applicable", message="Why not.", advice="", evidence={}),
        finding("LR309", state="passed", message="Fine.", advice=""),
    )
    return CheckReport(
        version="1.2.3",
        table=dataset.table,
        problem=dataset.problem,
        seed=0,
        findings=findings,
        fail_on="error",
        baseline=baseline_of(dataset),
    )


def printed(report: CheckReport, *, width: int = 100, encoding: str = "utf-8", **options: bool) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="\n")
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
    print_check(report, console, **options)
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_the_worst_comes_first_and_decides(report: CheckReport) -> None:
    assert [f.code for f in report.found] == ["LR301", "LR306", "LR305"]
    assert [f.code for f in report.failures] == ["LR301"]
    assert not report.passed
    assert [f.code for f in replace(report, fail_on="warning").failures] == ["LR301", "LR306"]
    assert replace(report, findings=report.findings[:2]).passed


def test_json_is_strict_and_has_three_keys(report: CheckReport) -> None:
    document = json.loads(to_json([report]), parse_constant=pytest.fail)
    assert list(document) == ["data", "passed", "findings"]
    assert document["findings"][0]["evidence"] == {"gain": 0.5, "lost": None, "n": 3}
    assert set(document["findings"][0]) == {"code", "state", "severity", "title", "message", "evidence", "advice"}
    assert to_json([report]) == to_json([report])


def test_json_of_several_datasets_is_one_document(report: CheckReport) -> None:
    document = json.loads(to_json([report, report]))
    assert list(document) == ["passed", "datasets"]
    assert document["datasets"][0] == to_dict(report)


@pytest.mark.parametrize("width", [10, 20, 40, 59, 60, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_it_fits_any_width_and_encoding(report: CheckReport, width: int, encoding: str) -> None:
    nasty = replace(report, findings=(finding(message=NASTY * 3), *report.findings))
    text = printed(nasty, width=width, encoding=encoding)
    assert all(len(line) <= width for line in text.splitlines())
    assert all(c.isprintable() or c == "\n" for c in text)


def test_all_well_is_a_line_each_for_the_verdict_what_passed_and_what_was_not_checked(report: CheckReport) -> None:
    lines = printed(replace(report, findings=report.findings[3:])).splitlines()
    assert lines[0].endswith("passed · 1 check")
    assert [line.split() for line in lines[1:]] == [["passed", "LR309"], ["not", "checked", "LR310:", "Why", "not."]]


def test_a_verdict_that_does_not_fit_stands_on_a_line_of_its_own(report: CheckReport) -> None:
    lines = printed(report, width=62).splitlines()
    assert lines[0] == "table.csv · 240 rows, 3 columns → y (2 classes)"
    assert lines[1] == "  FAILED · 4 checks, 1 error, 1 warning, 1 tip"


def test_what_was_found_ends_with_where_to_read_more(report: CheckReport) -> None:
    assert printed(report).splitlines()[-1].split() == ["more", "lrfind", "explain", "LR301"]


def test_quiet_tells_what_fails_alone(report: CheckReport) -> None:
    assert [line.split()[0] for line in printed(report, quiet=True).splitlines()] == ["table.csv", "error"]


def test_checks_that_no_dataset_could_be_asked_are_in_the_json_alone(report: CheckReport) -> None:
    never = finding("LR102", state="not_applicable", message=NOT_ABOUT_DATA, advice="", evidence={})
    whole = replace(report, findings=(never, *report.findings))
    assert (printed(whole), markdown(whole)) == (printed(report), markdown(report))
    assert to_dict(whole)["findings"][0]["code"] == "LR102"


def test_a_target_that_was_guessed_is_said_to_be_guessed(report: CheckReport) -> None:
    guessed = replace(report, problem=replace(report.problem, target_reason="it is the last column"))
    assert "y: it is the last column; --target names another" in printed(guessed)
    assert "another" not in printed(report)


def test_several_tables_are_counted(report: CheckReport) -> None:
    fine = replace(report, findings=report.findings[3:])
    assert tally([fine, fine, report], [Unread(path="b", message="why")]) == (
        "4 tables: 2 passed, 1 failed, 1 could not be checked"
    )
    assert tally([fine, fine], []) == "2 tables: 2 passed"


def test_asked_for_it_says_what_each_check_saw(report: CheckReport) -> None:
    assert "LR309  no learnable signal: not found. Fine." in printed(report, verbose=True)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([1], "LR001"), ([1, 2], "LR001, LR002"), ([1, 2, 3, 5], "LR001-LR003, LR005"), ([], "")],
)
def test_neighbours_among_codes_are_joined(numbers: list[int], text: str) -> None:
    assert ranges([f"LR{number:03d}" for number in numbers]) == text


def test_a_table_that_could_not_be_read_is_told_of_with_the_others(report: CheckReport, tmp_path: Path) -> None:
    lost = Unread(path="b<.csv", message="b<.csv: no such file")
    document = json.loads(to_json([report], [lost]))
    assert (document["passed"], document["datasets"][1]["error"]) == (False, "b<.csv: no such file")
    path = tmp_path / "check.xml"
    write_junit([report], path, unread=[lost])
    xmlschema.XMLSchema(Path(__file__).parent / "junit.xsd").validate(str(path))
    root = ET.parse(path).getroot()  # noqa: S314 - we wrote it
    assert (root[1].get("errors"), root[1].find(".//error").get("message")) == ("1", "b<.csv: no such file")
    stream = io.StringIO()
    publish([], stream, unread=[lost])
    assert stream.getvalue() == "::error file=b<.csv,title=not checked::b<.csv: no such file\n"


def test_junit_validates_and_counts(report: CheckReport, tmp_path: Path) -> None:
    path = tmp_path / "check.xml"
    write_junit([report], path)
    xmlschema.XMLSchema(Path(__file__).parent / "junit.xsd").validate(str(path))
    suite = ET.parse(path).getroot()[0]  # noqa: S314 - we wrote it
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["5", "1", "0", "1"]
    cases = suite.findall("testcase")
    assert [[child.tag for child in case] for case in cases] == [[], [], ["failure"], ["skipped"], []]
    assert cases[2].get("name") == "LR301 no learnable signal"
    mild = suite.findtext("system-out").splitlines()
    assert [line.split(":")[0] for line in mild] == [
        "warning LR306 no learnable signal",
        "tip LR305 no learnable signal",
    ]


@given(st.text())
def test_junit_of_any_text_is_xml(text: str) -> None:
    case = finding(message=text, advice=text)
    root = ET.fromstring(junit_of(case))  # noqa: S314 - we wrote it
    assert root.find(".//failure") is not None


def junit_of(*findings: Finding) -> bytes:
    dataset_report = _Plain(findings)
    stream = io.BytesIO()
    to_junit([dataset_report], when=datetime(2026, 1, 1, tzinfo=UTC)).write(stream)  # type: ignore[list-item]
    return stream.getvalue()


class _Plain:
    """As much of a report as JUnit needs."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = self.found = self.failures = findings
        self.version = "1"
        self.problem = type("Problem", (), {"target": NASTY})
        self.table = type("Table", (), {"n_rows": 3, "source": type("Source", (), {"path": NASTY})})


def test_annotations_are_one_line_and_escaped() -> None:
    line = annotation(finding(message=NASTY), path="a,b:c%.csv")
    assert "\n" not in line
    assert line.startswith("::error file=a%2Cb%3Ac%25.csv,title=LR301 no learnable signal::a]]>\\x1b[31m")
    assert annotation(finding(severity="tip"), path="a").startswith("::notice ")


def test_nothing_from_data_is_markdown() -> None:
    assert not set(plain(NASTY)) & set("<>`*|\"'[]\n\x1b")
    assert plain("x_1") == "x&#95;1"


def test_the_summary_is_appended(report: CheckReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "summary.md"
    place.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place))
    stream = io.StringIO()
    publish([report], stream)
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["::error", "::warning", "::notice"]
    text = place.read_text(encoding="utf-8")
    assert text.startswith("before\n### table&#46;csv: FAILED")
    assert markdown(report) in text
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    publish([report], stream)
