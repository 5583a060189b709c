"""The figures: what is in them, not how their pixels fall."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure
from race_fixture import EVERY
from report_fixture import hostile_report, no_signal_report, ok_report
from test_report_serialise import empty

from lrfind.report.curves import loss_window
from lrfind.report.figures import figures, save_figures
from lrfind.schedule import make_schedule


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in [*figure.texts, *figure.axes[0].texts]]


def test_loss_shows_the_fall_however_high_the_loss_ends() -> None:
    report = ok_report()
    (axes,) = figures(report)["loss"].axes
    low, high = axes.get_ylim()
    assert low < report.analysis.min_loss < report.analysis.start_loss < high
    assert high < 2 * report.analysis.start_loss < report.analysis.pooled[-1]
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == (loss_window(report).x_low, loss_window(report).x_high)


def test_loss_labels_what_it_marks() -> None:
    labels = texts(figures(ok_report())["loss"])
    for label in (
        "0.0042",
        "fall begins 6e-5",
        "steepest 0.0004",
        "lowest 0.03",
        "diverges 0.21",
        "knowing nothing 0.661",
    ):
        assert label in labels
    assert "Any rate from 0.0015 to 0.012 trains well; above 0.21 it diverges" in labels


def test_loss_draws_every_seed_the_interval_and_the_rate() -> None:
    report = ok_report()
    (axes,) = figures(report)["loss"].axes
    (seeds,) = [c for c in axes.collections if c.get_gid() == "seeds"]
    assert len(seeds.get_paths()) == report.sweep.n_seeds
    (rate,) = [line for line in axes.lines if line.get_gid() == "recommended"]
    assert list(rate.get_xdata()) == [0.0042, 0.0042]
    (interval,) = [patch for patch in axes.patches if patch.get_gid() == "interval"]
    assert interval.get_x() == 0.0015
    assert interval.get_x() + interval.get_width() == pytest.approx(0.012)
    (pooled,) = [line for line in axes.lines if line.get_gid() == "pooled"]
    assert set(pooled.get_ydata()) <= set(report.analysis.pooled)


def test_rates_are_written_as_numbers() -> None:
    figure = figures(ok_report())["loss"]
    figure.canvas.draw()
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert {"1e-5", "0.0001", "0.001", "0.1"} <= set(labels)


def test_figures_with_nothing_to_show_are_left_out() -> None:
    assert list(figures(ok_report())) == ["loss", "schedule", "gradient"]
    assert list(figures(no_signal_report())) == ["loss", "gradient"]
    assert list(figures(empty(no_signal_report()))) == ["loss"]


def test_schedule_is_drawn_from_first_to_last_step() -> None:
    (axes,) = figures(ok_report())["schedule"].axes
    assert axes.get_xlim() == (0, 399)
    assert axes.lines[0].get_ydata().max() == pytest.approx(0.0042)
    assert "peak 0.0042" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("n_steps", [1, 2])
def test_the_shortest_schedules_can_be_drawn(n_steps: int) -> None:
    report = ok_report()
    schedule = make_schedule("cosine", peak_lr=1e-3, n_steps=n_steps)
    assert "schedule" in figures(replace(report, recommendation=replace(report.recommendation, schedule=schedule)))


def test_gradient_shows_median_and_range() -> None:
    report = ok_report()
    (axes,) = figures(report)["gradient"].axes
    assert axes.get_yscale() == "log"
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.median(report.sweep.grad_norms, axis=0))
    assert "Above 0.21 the gradients grow more than 1,000-fold" in texts(figures(report)["gradient"])


def test_dollar_signs_are_no_formulas(tmp_path: Path) -> None:
    report = hostile_report("$x^$ $\\frac{")
    report = replace(
        report,
        recommendation=replace(report.recommendation, schedule=replace(report.recommendation.schedule, name="$x^$")),
    )
    drawn = figures(report)
    assert all(
        not text.get_parse_math() for figure in drawn.values() for text in [*figure.texts, *figure.axes[0].texts]
    )
    assert len(save_figures(report, tmp_path / "plots")) == 6


@pytest.mark.parametrize("name", EVERY)
def test_saved_svg_is_xml_with_text_and_without_a_date(name: str, tmp_path: Path) -> None:
    for path in save_figures(EVERY[name](), tmp_path):
        if path.suffix == ".svg":
            root = ET.parse(path).getroot()  # noqa: S314 - our own
            tags = {element.tag.rsplit("}", 1)[-1] for element in root.iter()}
            assert "text" in tags
            assert not {"script", "foreignObject", "date", "image"} & tags
        else:
            assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("backend", ["nonsense", "TkAgg"])
def test_the_backend_of_the_environment_is_ignored(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", backend)
    assert "loss" in figures(no_signal_report())
    import os

    assert os.environ["MPLBACKEND"] == backend


def test_glyphs_that_no_font_has_are_no_warning(tmp_path: Path) -> None:
    report = no_signal_report()
    schedule = replace(make_schedule("cosine", peak_lr=1.0, n_steps=9), name="数据\U0001f9ea")
    report = replace(report, recommendation=replace(report.recommendation, schedule=schedule))
    assert len(save_figures(report, tmp_path)) == 6


def test_a_baseline_out_of_sight_is_not_drawn() -> None:
    report = no_signal_report()
    report = replace(report, problem=replace(report.problem, baseline_loss=0.01))
    assert not [text for text in texts(figures(report)["loss"]) if text.startswith("knowing nothing")]


def test_divergence_near_the_rate_is_labelled_clear_of_it() -> None:
    heights = []
    for lr in (0.0042, 0.15):
        report = replace(ok_report(), recommendation=replace(ok_report().recommendation, lr=lr))
        labels = {text.get_text(): text for text in figures(report)["loss"].axes[0].texts}
        heights.append(labels["diverges 0.21"].xy[1] == labels[str(lr)].xy[1])
    assert heights == [True, False]


@pytest.mark.parametrize("peak", [1.75e-7, 0.000123, 0.033, 40.0])
def test_levels_of_a_schedule_are_inside_the_figure(peak: float) -> None:
    report = ok_report()
    schedule = make_schedule("cosine", peak_lr=peak, n_steps=40)
    figure = figures(replace(report, recommendation=replace(report.recommendation, schedule=schedule)))["schedule"]
    figure.canvas.draw()
    for label in figure.axes[0].get_yticklabels():
        assert label.get_window_extent().x0 >= 0
