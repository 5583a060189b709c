"""The page: nothing in it acts that is not ours, and it says what the report says."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from race_fixture import EVERY
from report_fixture import PAYLOADS, REPORTS, hostile_classes_report, hostile_report, ok_report
from test_report_serialise import empty

from lrfind.problem import Encoding
from lrfind.report import Report
from lrfind.report.html import MAX_CLASSES, MAX_ROWS, to_html


class Page(HTMLParser):
    """Every element, attribute and piece of text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.attributes: Counter[tuple[str, str]] = Counter()
        self.values: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        for name, value in attrs:
            self.attributes[tag, name] += 1
            self.values.setdefault(name, []).append(value or "")
        if tag not in {"meta", "br", "img", "link", "input"} and tag not in {"line", "circle", "rect", "path"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif not self.open or self.open[-1] != "style":
            self.text += f"{data}\n"

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def everywhere(payload: str) -> Report:
    return hostile_report(payload)


def in_classes(payload: str) -> Report:
    return hostile_classes_report(payload)


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("make", [everywhere, in_classes])
def test_data_makes_no_element_and_no_attribute(payload: str, make: Callable[[str], Report]) -> None:
    harmless, attacked = Page(to_html(make("plain"))), Page(to_html(make(payload)))
    assert attacked.elements == harmless.elements
    assert attacked.attributes == harmless.attributes
    assert attacked.scripts == harmless.scripts
    assert attacked.open == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_control_and_bidirectional_characters_never_reach_the_page(payload: str) -> None:
    html = to_html(hostile_report(f"\x00\x1b\u202e\u2028\x9b{payload}"))
    assert set(html) & set("\x00\x1b\u202e\u2028\u2029\x9b\x07") == set()


@pytest.mark.parametrize("name", EVERY)
def test_page_is_self_contained_and_allows_only_its_own_script(name: str) -> None:
    html = to_html(EVERY[name]())
    page = Page(html)
    assert page.open == []
    (script,) = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [value for value in page.values["content"] if "default-src" in value]
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert page.elements["script"] == page.elements["style"] == 1
    assert not {"link", "iframe", "object", "embed", "base", "form", "img"} & set(page.elements)
    assert not [name for _, name in page.attributes if name.startswith("on") or name in {"src", "style"}]
    assert not re.search(r"url\((?!#)|@import|https?:", html.replace("http://www.w3.org/2000/svg", ""))


@pytest.mark.parametrize("name", EVERY)
def test_every_chart_is_xml_with_a_title_a_description_and_ids_of_its_own(name: str) -> None:
    html = to_html(EVERY[name]())
    charts = [ET.fromstring(svg) for svg in re.findall(r"<svg .*?</svg>", html, re.DOTALL)]  # noqa: S314 - our own
    pictures = [chart for chart in charts if chart.get("role") == "img"]
    assert len(pictures) >= 2
    for chart in pictures:
        assert chart.findtext("title")
        assert chart.findtext("desc")
        ids = {element.get("id") for element in chart.iter()}
        assert set(chart.get("aria-labelledby", "").split()) <= ids
    every = re.findall(r' id="([^"]+)"', html)
    assert len(every) == len(set(every))
    assert all(chart.get("aria-hidden") == "true" for chart in charts if chart not in pictures)


@pytest.mark.parametrize("name", EVERY)
def test_page_is_well_formed_for_those_who_cannot_see_it(name: str) -> None:
    html = to_html(EVERY[name]())
    page = Page(html)
    assert page.elements["main"] == page.elements["h1"] == page.elements["header"] == page.elements["footer"] == 1
    assert page.elements["caption"] == page.elements["table"]
    assert page.attributes["th", "scope"] == page.elements["th"]
    labels = page.values["aria-labelledby"]
    assert all(f'id="{place}"' in html for label in labels for place in label.split())


def test_page_says_what_the_report_says() -> None:
    text = Page(to_html(ok_report())).text
    for words in (
        "0.0042", "0.0015 to 0.012", "0.21", "warmup_cosine", "0.081 ± 0.006", "adam · batch 64 · 400 steps",
        "lrfind recommend report.html --for torch", "Can I trust this?",
        "569 rows, 30 features → diagnosis (2 classes)",
        "LR105", "Use 16 seeds: --seeds 16.", "× 0.5", "no answer",
        "lrfind sweep sample_data/healthcare_breast_cancer.csv", "9f9f",
        "because it is the last column", "3 checks found nothing or did not apply", "diverges 0.21",
    ):  # fmt: skip
        assert words in text, words


@pytest.mark.parametrize(
    ("run", "command", "where"),
    [
        (None, "lrfind recommend report.html --for torch", "Typed in the folder that holds this page."),
        (
            Path("lrfind-runs/x-1"),
            "lrfind recommend lrfind-runs/x-1 --for torch",
            "Typed where lrfind sweep was typed.",
        ),
        (Path("/data/<b>&'x"), """lrfind recommend '/data/<b>&'"'"'x' --for torch""", "If the run was moved since,"),
    ],
)
def test_the_command_names_the_run_and_where_to_type_it(run: Path | None, command: str, where: str) -> None:
    page = to_html(ok_report(), run=run)
    (code,) = re.findall(r"<code>(lrfind recommend .*?)</code>", page)
    assert unescape(code) == command
    assert where in Page(page).text


def test_abstention_says_why_and_what_to_try_and_offers_no_rate() -> None:
    page = Page(to_html(REPORTS["no_signal"]()))
    assert "No rate was found: the loss never falls by more than its noise." in page.text
    assert "Check that diagnosis is the right target." in page.text
    assert "lrfind recommend" not in page.text
    assert "Against ours" not in page.text


def test_same_report_has_the_same_bytes() -> None:
    assert to_html(ok_report()) == to_html(ok_report())


def test_series_are_thinned() -> None:
    report = ok_report()
    lrs = np.geomspace(1e-7, 10, 20_000)
    losses = np.tile(np.linspace(0.7, 0.1, 20_000), (64, 1))
    html = to_html(replace(report, sweep=replace(report.sweep, lrs=lrs, losses=losses, grad_norms=losses.copy())))
    assert len(html) < 600_000
    for path in re.findall(r' d="([^"]*)"', html):
        # a band is a curve there and a curve back
        assert len(re.findall("[ML]", path)) <= 2 * 800


def test_long_tables_and_lists_are_cut_with_a_count() -> None:
    report = ok_report()
    encodings = tuple(Encoding(column=f"c{i}", how="one-hot", n_features=1, n_missing=i) for i in range(MAX_ROWS + 50))
    classes = tuple(f"class {i}" for i in range(MAX_CLASSES + 3))
    problem = replace(report.problem, encodings=encodings, classes=classes, n_rows_dropped=4)
    table = replace(report.table, n_rows_total=9_000, source=replace(report.table.source, sha256=None, mtime=1e9))
    text = Page(to_html(replace(report, problem=problem, table=table))).text
    assert "50 more are in run.json." in text
    assert "and 3 more" in text
    assert "of 9,000, sampled" in text
    assert "119,913 bytes" in text


def test_a_report_with_almost_nothing_in_it_still_has_a_page() -> None:
    report = empty(ok_report())
    report = replace(report, command=(), timing={}, findings=(), analysis=replace(report.analysis, rules={}))
    page = Page(to_html(report))
    assert "found nothing suspicious" in page.text
    assert "Published rules" not in page.text


def test_no_rule_of_the_style_sheet_is_undone_by_a_later_twin() -> None:
    css = (files("lrfind.report") / "templates" / "report.css").read_text("utf-8")
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    everywhere = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^}]*\})*[^}]*\}", "", css)
    said = [
        (selector.strip(), declaration.partition(":")[0].strip())
        for selector, body in re.findall(r"([^{}]+)\{([^}]*)\}", everywhere)
        for declaration in body.split(";")
        if declaration.strip()
    ]
    assert [pair for pair, times in Counter(said).items() if times > 1] == []


@pytest.mark.parametrize("name", EVERY)
def test_the_contents_lead_to_every_part_in_order(name: str) -> None:
    html = to_html(EVERY[name]())
    (contents,) = re.findall(r'<nav class="contents".*?</nav>', html, re.DOTALL)
    places = re.findall(r'<a href="#([^"]+)">', contents)
    assert places == re.findall(r'<h2 id="([^"]+)"', html)
    assert len(places) >= 6
    assert html.index("<nav") > html.index('id="answer"')


def test_the_contents_are_not_printed() -> None:
    style = re.findall(r"@media print \{.*?\n\}", to_html(ok_report()), re.DOTALL)
    assert any(re.search(r"\.contents[^{]*\{ display: none", rule) for rule in style)
