"""Labels of pictures: placed once, inside, none on another; on the page and in the figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from race_fixture import EVERY, raced_report
from report_fixture import ok_report

from lrfind.report import charts, html
from lrfind.report.figures import figures, in_style
from lrfind.report.labels import Box, Label, placed, placed_together, points_along, text_width
from lrfind.report.race.charts import both_race, race_chart
from lrfind.report.schedule.figures import schedules_figure
from lrfind.report.schedule.view import view
from lrfind.report.svg import NARROW, WIDE
from lrfind.schedule import SCHEDULES, make_schedule

ROOM = Box(10.0, 5.0, 390.0, 205.0)
numbers = st.floats(-100, 500)


@st.composite
def labels(draw: st.DrawFn) -> Label:
    return Label(
        text=draw(st.text(st.sampled_from("abcXYZ 0.1_→語"), min_size=1, max_size=24)),
        kind="plain", x=draw(numbers), y=draw(numbers), anchor=draw(st.sampled_from(["start", "middle", "end"])),
        size=draw(st.sampled_from([9.0, 12.5, 15.0])), bold=draw(st.booleans()),
    )  # fmt: skip


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h), numbers, numbers, st.floats(1, 120), st.floats(1, 120)
)  # fmt: skip
lines = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=8).map(lambda ends: points_along(*np.array(ends).T))


def overlap(a: Box, b: Box) -> bool:
    tiny = 1e-6
    return (
        a.left < b.right - tiny and b.left < a.right - tiny and a.top < b.bottom - tiny and b.top < a.bottom - tiny
    )  # fmt: skip


def inside(box: Box, room: Box) -> bool:
    tiny = 1e-6
    return (
        box.left >= room.left - tiny and box.top >= room.top - tiny
        and box.right <= room.right + tiny and box.bottom <= room.bottom + tiny
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(labels(), max_size=9), st.lists(boxes, max_size=4), st.lists(lines, max_size=3))
def test_no_label_is_on_another_nor_outside(wanted: list[Label], taken: list[Box], drawn: list[np.ndarray]) -> None:
    for place in (placed, placed_together):
        if place is placed_together and any(overlap(a.box, b.box) for a, b in combinations(wanted, 2)):
            continue
        done = place(wanted, room=ROOM, taken=taken, lines=drawn)
        found = [label.box for label in done]
        assert all(inside(box, ROOM) for box in found)
        assert not any(overlap(a, b) for a, b in combinations(found, 2))
        assert not any(overlap(a, b) for a in found for b in taken)
        assert [label.text for label in done] == [
            label.text for label in wanted if label.text in {d.text for d in done}
        ]


@settings(max_examples=60, deadline=None)
@given(labels(), st.lists(boxes, max_size=6))
def test_a_label_is_left_out_only_where_there_is_no_room(label: Label, taken: list[Box]) -> None:
    (left, top, right, bottom) = label.box
    across = np.linspace(ROOM.left, ROOM.right - (right - left), 25) if right - left <= ROOM.right - ROOM.left else []
    tried = [
        Box(x, y, x + right - left, y + bottom - top)
        for x in across
        for y in np.linspace(ROOM.top, ROOM.bottom - (bottom - top), 25)
    ]
    if any(not any(overlap(box, other) for other in taken) for box in tried):
        assert placed([label], room=ROOM, taken=taken)


@settings(max_examples=60, deadline=None)
@given(labels())
def test_a_label_that_is_in_nobodys_way_stays_where_it_is(label: Label) -> None:
    far = Box(-800, -200, 1300, 600)
    (done,) = placed([label], room=far)
    assert (done.x, done.y) == (label.x, label.y)


def test_a_label_moves_off_a_line_where_that_costs_less_than_covering_it() -> None:
    label = Label(text="lowest 0.03", kind="plain", x=200.0, y=104.0, anchor="middle", size=12.5)
    line = points_along(np.array([10.0, 390.0]), np.array([100.0, 100.0]))
    (done,) = placed([label], room=ROOM, lines=[line])
    assert not done.box.top < 100 < done.box.bottom
    assert abs(done.y - label.y) < 2 * label.size
    # a wall of lines has no better place
    wall = [points_along(np.array([10.0, 390.0]), np.array([y, y])) for y in np.arange(5.0, 206.0, 4.0)]
    (done,) = placed([label], room=ROOM, lines=wall)
    assert abs(done.y - label.y) < 1


def test_labels_that_belong_together_move_as_one() -> None:
    column = [Label(text=text, kind="plain", x=380.0, y=y, size=12.5) for text, y in (("one", 60.0), ("three", 80.0))]
    first, second = placed_together(column, room=ROOM)
    assert first.x == second.x < 380
    assert second.y - first.y == 20


def test_a_label_that_moved_away_is_joined_to_what_it_names() -> None:
    near = Label(text="a", kind="plain", x=50.0, y=50.0, size=10.0, point=(45.0, 50.0))
    assert near.lead is None
    far = Label(text="a", kind="plain", x=50.0, y=50.0, size=10.0, point=(20.0, 50.0))
    assert far.lead == (far.box.left, 50.0)
    assert Label(text="a", kind="plain", x=50.0, y=50.0, size=10.0).lead is None


def test_points_along_a_line_are_near_each_other_and_leave_gaps_where_it_breaks() -> None:
    xs, ys = np.array([0.0, 100.0, 150.0, 200.0, 300.0]), np.array([0.0, 0.0, np.nan, 10.0, 10.0])
    points = points_along(xs, ys)
    assert not ((points[:, 0] > 100) & (points[:, 0] < 200)).any()
    assert np.abs(np.diff(points[points[:, 1] == 0, 0])).max() <= 4
    assert points_along(xs, np.full(5, np.nan)).shape == (0, 2)


@cache
def measured_width(text: str, *, size: float, bold: bool) -> float:
    """Return the width that a font's own metrics give, in pixels; nothing of lrfind is asked."""
    from matplotlib import font_manager, ft2font

    weight = "bold" if bold else "normal"
    font = ft2font.FT2Font(font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans", weight=weight)))
    # so large that no hint rounds a width
    font.set_size(1000, 72)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0] / 64) * size / 1000


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40), st.booleans())
def test_a_text_is_no_wider_than_thought_and_hardly_narrower(text: str, is_bold: bool) -> None:
    real = measured_width(text, size=100.0, bold=is_bold)
    thought = text_width(text, size=100.0, bold=is_bold)
    # rounding of each character, and what italics or accents hang over
    assert real <= thought + 1.5 * len(text) + 12
    assert thought <= real + 1.5 * len(text) + 45


# --- The page. ---


def drawn(svg: str) -> Iterator[tuple[str, str, Box]]:
    """Yield the texts of a picture and where they are, by a font's own metrics and the sizes of the style sheet."""
    root = ET.fromstring(svg)  # noqa: S314 - our own
    for text in root.iter("text"):
        classes, words = set((text.get("class") or "").split()), text.text or ""
        size = 12.0 if "tick" in classes else 15.0 if "answer" in classes else 12.5
        is_bold = bool(classes & {"answer", "alarm", "advised", "simplest"})
        width = measured_width(words, size=size, bold=is_bold)
        x, y = float(text.get("x", "nan")), float(text.get("y", "nan"))
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[text.get("text-anchor", "start")]
        # digits and letters reach no further down, up or across
        yield words, " ".join(classes), Box(left, y - 0.76 * size, left + width, y + 0.24 * size)


def pictures(page: str) -> list[str]:
    return re.findall(r'<svg [^>]*class="chart[^"]*".*?</svg>', page, re.DOTALL)


@pytest.mark.parametrize("name", EVERY)
def test_no_text_of_a_chart_is_on_another_nor_outside(name: str) -> None:
    report = EVERY[name]()
    parts = [charts.both(report, name=key) for key in ("loss", "schedule", "gradient")]
    parts += [both_race(report, name=key) for key in ("race", "learning")]
    for svg in pictures("".join(parts)):
        root = ET.fromstring(svg)  # noqa: S314 - our own
        _, _, width, height = map(float, root.get("viewBox", "").split())
        found = list(drawn(svg))
        assert found
        for text, _, box in found:
            assert inside(box, Box(0, 0, width, height)), (root.get("class"), text, box)
        for (one, _, a), (other, _, b) in combinations(found, 2):
            assert not overlap(a, b), (root.get("class"), one, other)


def test_the_sizes_of_labels_are_those_of_the_style_sheet() -> None:
    style = html.asset("report.css")
    assert ".chart text, .strip text { font-size: 12.5px;" in style
    assert ".chart .tick { fill: var(--muted); font-size: 12px; }" in style
    assert "font-size: 15px; }" in style.split(".chart text.answer {")[1].split("\n")[0]


def test_the_thick_curve_has_a_name() -> None:
    page = html.to_html(EVERY["raced"]())
    assert page.count("fitted curve") == 2
    assert "fitted curve" not in html.to_html(ok_report())


# --- The figures. ---


@pytest.mark.parametrize("name", EVERY)
def test_no_text_of_a_figure_is_on_another_nor_outside(name: str) -> None:
    for key, figure in figures(EVERY[name]()).items():
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        (axes,) = figure.axes
        ticks = [
            label
            for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim()))
            for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
            # what lies outside is not drawn
            if low <= place <= high
        ]
        texts = [text for text in [*figure.texts, *axes.texts, *ticks] if text.get_text() and text.get_visible()]
        # the box of the letters alone, without what they stand on
        found = [(text.get_text(), Text.get_window_extent(text, renderer)) for text in texts]
        assert any(text in {label.get_text() for label in axes.texts} for text, _ in found) or key == "gradient"
        room = Box(0, 0, *figure.canvas.get_width_height())
        for text, box in found:
            assert inside(Box(*box.extents), room), (key, text)
        for (one, a), (other, b) in combinations(found, 2):
            assert not overlap(Box(*a.extents), Box(*b.extents)), (key, one, other)


def test_names_of_small_multiples_are_apart() -> None:
    with in_style():
        every = [view(make_schedule(kind, peak_lr=0.01, n_steps=400), kind=kind) for kind in SCHEDULES]
        figure = schedules_figure(every)
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
        found = [(text.get_text(), Box(*text.get_window_extent(renderer).extents)) for text in texts]
    assert len(found) == len(SCHEDULES) + 2
    for text, box in found:
        assert inside(box, Box(0, 0, *figure.canvas.get_width_height())), text
    for (one, a), (other, b) in combinations(found, 2):
        assert not overlap(a, b), (one, other)


@given(labels(), boxes)
def test_a_label_moves_no_further_than_the_nearest_free_place_of_a_fine_grid(wanted: Label, other: Box) -> None:
    found = placed([wanted], room=ROOM, taken=[other])
    grid = np.stack(np.meshgrid(np.arange(-620, 621, 7.0), np.arange(-620, 621, 7.0)), axis=-1).reshape(-1, 2)
    left, top, right, bottom = (edge + grid[:, axis] for edge, axis in zip(wanted.box, (0, 1, 0, 1), strict=True))
    free = (left >= ROOM.left) & (top >= ROOM.top) & (right <= ROOM.right) & (bottom <= ROOM.bottom)
    free &= ~((left < other.right) & (right > other.left) & (top < other.bottom) & (bottom > other.top))
    if free.any():
        (moved,) = found
        way = np.hypot(moved.x - wanted.x, moved.y - wanted.y)
        assert way <= np.hypot(*grid[free].T).min() + 1e-6


@pytest.mark.parametrize("lr", [1e-5, 1e-3, 0.1])
@pytest.mark.parametrize("is_wide", [True, False])
def test_lines_from_labels_end_inside_the_picture(lr: float, is_wide: bool) -> None:
    report = raced_report()
    race = report.race
    assert race is not None
    # the fitted curve is drawn around the rate that won, wherever that is
    report = replace(report, race=replace(race, winner=replace(race.winner, lr=lr), expected_lr=lr))
    chart = ET.fromstring(race_chart(report, report.race, width=WIDE if is_wide else NARROW))  # noqa: S314 - our own
    width, height = map(float, (chart.get("viewBox") or "").split()[2:])
    for line in chart.iter("line"):
        if line.get("class") == "lead":
            assert all(0 <= float(line.get(name, "nan")) <= width for name in ("x1", "x2"))
            assert all(0 <= float(line.get(name, "nan")) <= height for name in ("y1", "y2"))
    texts = [text.text or "" for text in chart.iter("text")]
    is_seen = len([mark for mark in chart.iter("path") if mark.get("class") == "expected"])
    assert sum(text.startswith("earlier races") for text in texts) == is_seen
