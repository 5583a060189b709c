"""What is drawn of a run, and in which window; lines of characters; pieces of SVG."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from report_fixture import N_SEEDS, never_diverges_report, no_signal_report, ok_report
from test_report_serialise import empty

from lrfind.curve import Landmark
from lrfind.report import Report, charts, svg
from lrfind.report.braille import draw
from lrfind.report.curves import (
    EMPTY_RANGE,
    MAX_SEED_POINTS,
    every_kth,
    gradient_curve,
    loss_window,
    marks,
    pooled_curve,
    rates,
    running_median,
    seed_curves,
    smoothed_over,
)
from lrfind.report.titles import loss_subtitle
from lrfind.schedule import SCHEDULES, make_schedule


@given(st.integers(0, 5000), st.integers(2, 900))
def test_thinning_keeps_both_ends_and_the_order(n_points: int, most: int) -> None:
    kept = every_kth(n_points, most=most)
    assert len(kept) == min(n_points, most)
    assert (np.diff(kept) > 0).all()
    if n_points:
        assert (kept[0], kept[-1]) == (0, n_points - 1)


def test_window_is_set_by_the_fall_and_not_by_the_blow_up() -> None:
    report = ok_report()
    window = loss_window(report)
    fall = report.analysis.start_loss - report.analysis.low.min()
    assert window.y_high == pytest.approx(report.analysis.start_loss + 0.35 * fall)
    assert window.x_low == report.sweep.lrs[0]
    assert window.x_high == pytest.approx(4 * 0.21)


def test_a_flat_curve_is_shown_flat_within_its_noise() -> None:
    window = loss_window(no_signal_report())
    assert window.y_high - window.y_low >= 12 * 0.025 * (1 - 1e-9)


def test_a_curve_of_zeros_has_a_window() -> None:
    report = ok_report()
    nothing = np.zeros_like(report.analysis.pooled)
    analysis = replace(
        report.analysis, pooled=nothing, low=nothing.copy(), high=nothing.copy(), start_loss=0.0, noise=np.nan
    )
    window = loss_window(replace(report, analysis=analysis, problem=replace(report.problem, baseline_loss=0.0)))
    assert window.y_low < 0 < window.y_high


def test_range_holds_the_advice_and_is_never_empty() -> None:
    report = ok_report()
    far = replace(report.recommendation, lr_high=50.0, lr=float("nan"))
    assert rates(replace(report, recommendation=far))[1] == 50.0
    assert rates(empty(report)) == EMPTY_RANGE
    assert rates(never_diverges_report())[1] == pytest.approx(10)
    odd = replace(report.sweep, lrs=np.array([-1.0, -2.0]), losses=np.zeros((1, 2)), grad_norms=None)
    bare = replace(report.recommendation, lr=None, lr_low=None, lr_high=None)
    assert (
        rates(replace(report, sweep=odd, recommendation=bare, analysis=replace(report.analysis, divergence=None)))
        == EMPTY_RANGE
    )


def test_seeds_share_a_budget_of_points() -> None:
    report = ok_report()
    lrs, losses = seed_curves(report)
    assert losses.shape == (N_SEEDS, lrs.size)
    np.testing.assert_array_equal(losses[:, :50], report.sweep.losses[:, :50])
    assert smoothed_over(report) == 1
    many = replace(report.sweep, losses=np.tile(report.sweep.losses, (32, 1)), grad_norms=None)
    lrs, losses = seed_curves(replace(report, sweep=many))
    assert losses.size <= MAX_SEED_POINTS
    assert pooled_curve(report)[0].size <= 400


def scattered(report: Report, *, by: float) -> Report:
    """Return the report with losses that scatter by so many falls about the mean."""
    fall = report.analysis.start_loss - report.analysis.min_loss
    rng = np.random.default_rng(1)
    mean = np.nan_to_num(report.sweep.losses, nan=1e3).mean(axis=0)
    losses = mean + by * fall * rng.standard_normal(report.sweep.losses.shape)
    return replace(report, sweep=replace(report.sweep, losses=losses, grad_norms=None))


@pytest.mark.parametrize(("by", "n_steps"), [(0.05, 1), (0.09, 1), (0.2, 3), (0.5, 9), (5.0, 9)])
def test_seeds_are_smoothed_where_they_scatter_and_never_more_than_the_pooled_curve(by: float, n_steps: int) -> None:
    report = scattered(ok_report(), by=by)
    # 400 steps over eight decades, of which the pooled curve's kernel spans a fifth of one
    assert smoothed_over(report) == n_steps <= 0.2 * 399 / 8
    _, drawn = seed_curves(report)
    quiet = drawn[:, : drawn.shape[1] // 10]
    raw = report.sweep.losses[:, :40]
    assert np.std(quiet) <= np.std(raw) * (1.05 if n_steps == 1 else 0.8)
    assert (n_steps > 1) == (f"8 seeds (medians of {n_steps} steps)" in loss_subtitle(report))
    assert report.sweep.losses.shape == (N_SEEDS, 400)


def test_flat_noise_is_smoothed_as_far_as_the_pooled_curve() -> None:
    report = scattered(ok_report(), by=0.2)
    flat = replace(report, analysis=replace(report.analysis, min_loss=report.analysis.start_loss))
    assert smoothed_over(flat) == 9


@given(st.lists(st.floats(-9, 9) | st.just(np.nan), min_size=1, max_size=30), st.sampled_from([1, 3, 9]))
def test_running_medians_are_medians(losses: list[float], n_steps: int) -> None:
    found = running_median(np.array([losses]), n_steps)[0]
    assert found.shape == (len(losses),)
    half, edged = n_steps // 2, [np.inf if np.isnan(x) else x for x in losses]
    for i, median in enumerate(found):
        near = sorted(edged[min(max(j, 0), len(losses) - 1)] for j in range(i - half, i + half + 1))
        expected = near[half]
        assert np.isnan(median) if np.isinf(expected) else median == expected


def test_landmarks_lie_on_the_pooled_curve() -> None:
    report = ok_report()
    placed = {mark.name: mark for mark in marks(report)}
    assert list(placed) == ["onset", "steepest", "minimum", "divergence"]
    assert placed["steepest"].loss == pytest.approx(0.36, abs=0.01)
    nowhere = replace(
        report.analysis, onset=Landmark(lr=0.0, low=0.0, high=0.0), pooled=np.full_like(report.analysis.pooled, np.nan)
    )
    assert marks(replace(report, analysis=nowhere)) == []


def test_gradients_that_are_zero_or_lost_are_left_out() -> None:
    report = ok_report()
    norms = report.sweep.grad_norms.copy()
    norms[:, :10] = 0
    norms[3, 20:] = np.nan
    curve = gradient_curve(replace(report, sweep=replace(report.sweep, grad_norms=norms)))
    assert curve is not None
    assert curve.lrs[0] == report.sweep.lrs[10]
    assert np.isfinite(curve.median).all()
    assert (curve.low <= curve.median).all()
    for none in (None, np.zeros_like(norms)):
        assert gradient_curve(replace(report, sweep=replace(report.sweep, grad_norms=none))) is None


@pytest.mark.parametrize("ascii_only", [False, True])
@given(heights=st.lists(st.floats(-1, 3) | st.just(float("nan")), min_size=1, max_size=80), width=st.integers(1, 60))
def test_drawings_have_their_size_and_alphabet(heights: list[float], width: int, ascii_only: bool) -> None:
    lines = draw(np.array(heights), width=width, n_rows=4, ascii_only=ascii_only)
    assert [len(line) for line in lines] == [width] * 4
    alphabet = set(" |'-.") if ascii_only else {" ", *map(chr, range(0x2800, 0x2900))}
    assert set("".join(lines)) <= alphabet


def test_a_straight_line_is_drawn_straight() -> None:
    assert draw(np.linspace(1, 0, 40), width=2, n_rows=2, ascii_only=True) == ["-.", " '"]
    assert draw(np.zeros(40), width=3, n_rows=2, ascii_only=True) == ["   ", "..."]
    assert draw(np.ones(40), width=3, n_rows=2, ascii_only=True) == ["'''", "   "]
    assert draw(np.zeros(40), width=2, n_rows=1, ascii_only=False) == ["⣀⣀"]
    assert draw(np.full(40, 2.0), width=2, n_rows=1, ascii_only=False) == ["  "]
    assert draw(np.full(1, np.nan), width=2, n_rows=1, ascii_only=False) == ["  "]


def test_elements_escape_what_they_are_given() -> None:
    made = svg.element("text", "<b>&", Markup("<i/>"), data_x='"><x>', class_="a")
    assert made == '<text data-x="&#34;&gt;&lt;x&gt;" class="a">&lt;b&gt;&amp;<i/></text>'
    assert svg.element("line", x1=1) == '<line x1="1"/>'


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("n_steps", [1, 2, 3, 400])
def test_every_schedule_can_be_drawn(name: str, n_steps: int) -> None:
    schedule = make_schedule(name, peak_lr=0.01, n_steps=n_steps)
    for width in (svg.WIDE, svg.NARROW):
        root = ET.fromstring(charts.schedule_chart(schedule, width=width))  # noqa: S314 - our own
        assert "nan" not in ET.tostring(root, encoding="unicode")


def test_labels_of_the_rate_and_of_divergence_keep_apart() -> None:
    report = ok_report()
    near = replace(report, recommendation=replace(report.recommendation, lr=0.2))
    heights = []
    for case in (report, near):
        root = ET.fromstring(charts.loss_chart(case))  # noqa: S314 - our own
        (label,) = [text for text in root.iter("text") if (text.text or "").startswith("diverges")]
        (answer,) = [text for text in root.iter("text") if "answer" in (text.get("class") or "")]
        heights.append(label.get("y") == answer.get("y"))
    assert heights == [True, False]


def test_read_out_has_a_value_for_every_place() -> None:
    root = ET.fromstring(charts.loss_chart(ok_report()))  # noqa: S314 - our own
    lengths = {len(root.get(f"data-{name}", "").split()) for name in ("lr", "loss", "low", "high", "x", "y")}
    assert len(lengths) == 1
    xs = [float(x) for x in root.get("data-x", "").split()]
    assert xs == sorted(xs)
    assert 0 <= xs[0] < xs[-1] <= svg.WIDE


def test_baseline_is_labelled_at_its_line_on_every_screen() -> None:
    report = ok_report()
    for width in (svg.WIDE, svg.NARROW):
        root = ET.fromstring(charts.loss_chart(report, width=width))  # noqa: S314 - our own
        (label,) = [text for text in root.iter("text") if (text.text or "").startswith("knowing nothing")]
        (line,) = [line for line in root.iter("line") if line.get("class") == "baseline"]
        assert abs(float(label.get("y", "nan")) - float(line.get("y1", "nan"))) < 36
    gaps = np.where(report.analysis.lrs < 1e-6, np.nan, 0.5)
    assert 'd="M' in charts.loss_chart(replace(report, analysis=replace(report.analysis, pooled=gaps)))
    far = replace(report, problem=replace(report.problem, baseline_loss=1e9))
    assert loss_window(far).y_high > 1e9


def test_a_ruler_is_drawn_only_for_a_rate() -> None:
    assert charts.ruler(no_signal_report()) == ""
    report = ok_report()
    bare = replace(report.recommendation, lr_low=None, lr_high=None, lr_max_stable=None)
    assert "good" not in charts.ruler(replace(report, recommendation=bare))
    assert "good" in charts.ruler(report)
    assert "good" not in charts.strip(no_signal_report(), 0.1)


def test_a_baseline_out_of_sight_is_not_drawn() -> None:
    report = no_signal_report()
    report = replace(report, problem=replace(report.problem, baseline_loss=0.01))
    assert "knowing nothing" not in charts.loss_chart(report)
