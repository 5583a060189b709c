"""Pictures and pages of diagnoses."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from log_fixture import broken, healthy, write_log
from rich.console import Console

from lrfind.diagnose import diagnose
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis.comparison import compare
from lrfind.report.diagnosis.comparison_plot import MOST_LINES, lines_of
from lrfind.report.diagnosis.figures import save_figures
from lrfind.report.diagnosis.html import to_html
from lrfind.report.diagnosis.plot import Mark, curve_of, extremes
from lrfind.report.diagnosis.run_colours import colour_of, dash_of
from lrfind.report.diagnosis.terminal import print_diagnoses
from lrfind.report.diagnosis.words import held_out, hint, rates, suggestion, title
from lrfind.report.html import asset

CREATED = "2026-01-02T10:00:00+00:00"


@pytest.fixture
def decayed(tmp_path: Path) -> Diagnosis:
    """A run with a cosine and held-out losses at every tenth step."""
    lines = ["step,loss,val_loss,lr"]
    for t, loss in enumerate(healthy()):
        val = f"{loss + 0.1:.4f}" if t % 10 == 0 else ""
        lines.append(f"{t},{loss:.4f},{val},{0.005 * (1 + np.cos(np.pi * t / 300)):.6g}")
    path = tmp_path / "run.csv"
    path.write_text("\n".join(lines))
    return diagnose(str(path))


class Elements(HTMLParser):
    """Collects the names of elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.classes: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.classes.append(dict(attrs).get("class") or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_spike_survives_the_thinning_of_a_long_log():
    values = np.full(100_000, 0.5)
    values[54_321], values[77_777] = 9.0, 0.1
    kept = extremes(values, most=1_000)
    assert {0, 54_321, 77_777, 99_999} <= set(kept.tolist())
    assert len(kept) <= 1_002
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(extremes(values[:10], most=1_000), np.arange(10))


def test_findings_close_to_each_other_share_a_label(decayed: Diagnosis):
    curve = curve_of(decayed)
    assert curve is not None
    marks = [
        Mark(code=code, step=step, severity="warning")
        for code, step in (("LR202", 3.0), ("LR208", 200.0), ("LR207", 5.0))
    ]
    assert replace(curve, marks=tuple(marks)).labels == [(3.0, "LR202 LR207"), (200.0, "LR208")]


def test_the_rate_is_drawn_where_it_changed_and_nowhere_else(decayed: Diagnosis, tmp_path: Path):
    constant = diagnose(str(write_log(tmp_path / "constant.csv", healthy())))
    assert "learning rate" in to_html([decayed], created=CREATED)
    assert "learning rate<" not in to_html([constant], created=CREATED)
    with_rate, without = curve_of(decayed), curve_of(constant)
    assert with_rate is not None
    assert without is not None
    assert with_rate.lr.max() == pytest.approx(0.01)
    assert not len(without.lr)


def test_a_page_has_each_chart_for_wide_and_for_narrow_screens(decayed: Diagnosis, tmp_path: Path):
    logs = [decayed, diagnose(str(write_log(tmp_path / "bad.csv", broken())))]
    page = Elements(to_html(logs, created=CREATED))
    # Compared, the losses of both, and the rate of the one that changed it.
    assert [page.classes.count(f"chart {size}") for size in ("wide", "narrow")] == [4, 4]
    assert page.names.count("h1") == 1
    assert "2026-01-02 10:00:00 UTC" in page.text
    assert "Diverged (LR201): bad.csv." in page.text
    assert "held out" in page.text


def test_names_of_logs_do_not_act_on_a_page(decayed: Diagnosis):
    name = "<script>x</script>$a_b$&amp;.csv"
    log = replace(decayed.log, name=name)
    hostile = replace(decayed, log=log)
    page = Elements(to_html([hostile, replace(hostile, log=replace(log, name="other"))], created=CREATED))
    # Our own, which is the last, and no other.
    assert page.names.count("script") == 1
    assert page.text.strip().count(asset("diagnosis.js").strip()) == 1
    assert name in page.text


def test_figures_are_written_for_each_log_and_for_all(decayed: Diagnosis, tmp_path: Path):
    bad = diagnose(str(write_log(tmp_path / "bad $x^{.csv", broken())))
    written = save_figures([decayed, bad], tmp_path / "plots")
    assert [path.name for path in written] == [
        f"{name}.{kind}" for name in ("loss-1", "loss-2", "compared") for kind in ("png", "svg")
    ]
    texts = {path.stem: "".join(ET.parse(path).getroot().itertext()) for path in written if path.suffix == ".svg"}  # noqa: S314
    assert "learning rate" in texts["loss-1"]
    assert "held out" in texts["loss-1"]
    assert "LR201" in texts["loss-2"]
    assert "bad $x^{" in texts["compared"]


def test_losses_over_decades_have_real_numbers_on_their_axis(tmp_path: Path):
    loss = 2 * np.exp(-np.linspace(0, 8, 300)) * (1 + 0.01 * np.random.default_rng(0).normal(size=300))
    (_, svg) = save_figures([diagnose(str(write_log(tmp_path / "log.csv", loss)))], tmp_path / "plots")
    text = "".join(ET.parse(svg).getroot().itertext())  # noqa: S314
    assert "0.01" in text
    assert "mathdefault" not in text


def test_the_best_run_is_told_apart_and_only_so_many_are_drawn(tmp_path: Path):
    every = [
        diagnose(str(write_log(tmp_path / f"{k}.csv", healthy(floor=0.1 + k / 10)))) for k in range(MOST_LINES + 2)
    ]
    lines = lines_of(compare(every))
    assert lines is not None
    assert len(lines.lines) == MOST_LINES
    assert [line.rank for line in lines.lines] == list(range(MOST_LINES))
    assert len({(colour_of(line.rank), dash_of(line.rank)) for line in lines.lines}) == MOST_LINES
    assert lines.lines[0].label == "0.01 · 0.csv"
    assert all(lines.low <= line.loss.min() and line.loss.max() <= lines.high for line in lines.lines)


def test_a_diagnosis_in_words(decayed: Diagnosis, tmp_path: Path):
    assert title(decayed).startswith("Nothing wrong found in")
    assert held_out(decayed).startswith("2.3 → ")
    assert rates(decayed).startswith("logged: peak 0.01, at the end ")
    assert suggestion(decayed) == ""
    bad = diagnose(str(write_log(tmp_path / "bad.csv", broken())))
    assert (title(bad), rates(bad), held_out(bad)) == (
        "Diverged: NaN from step 151 on (LR201)",
        "logged: 0.01, constant",
        "",
    )
    assert suggestion(bad).startswith("try 0.00")
    assert hint(bad).startswith("With the optimizer named (--optimizer adam")
    fine, named = (
        write_log(tmp_path / "fine.csv", broken(), lr=1e-4),
        diagnose(str(tmp_path / "bad.csv"), optimizer="sgd"),
    )
    assert hint(diagnose(str(fine))) == hint(named) == hint(decayed) == ""
    assert rates(named) == "logged: 0.01, constant, with SGD"


def test_the_held_out_loss_is_dashed_on_a_terminal(decayed: Diagnosis):
    def plotted(diagnosis: Diagnosis) -> str:
        screen = Console(file=StringIO(), width=80)
        print_diagnoses([diagnosis], screen)
        return screen.file.getvalue()

    alone = replace(decayed, log=replace(decayed.log, val_loss=None))
    assert "dashed held out" in plotted(decayed)
    assert "dashed held out" not in plotted(alone)
    assert plotted(decayed).count("⠒") != plotted(alone).count("⠒")


def test_names_have_room_below_two_losses_and_positive_losses_stay_above_0(decayed: Diagnosis):
    alone = curve_of(replace(decayed, log=replace(decayed.log, val_loss=None)))
    both = curve_of(decayed)
    assert alone is not None
    assert both is not None
    assert 0 <= both.low < alone.low
    unnamed = curve_of(decayed, has_names=False)
    assert unnamed is not None
    assert both.low < unnamed.low


def test_a_single_held_out_loss_is_no_course(tmp_path: Path):
    (tmp_path / "log.csv").write_text("step,loss,val_loss\n1,2.3,2.4\n2,2.0,\n")
    assert held_out(diagnose(str(tmp_path / "log.csv"))) == "2.4 at step 1"


def test_a_figure_names_the_rate_to_try_and_a_held_out_loss_that_ends_last(tmp_path: Path):
    rows = [f"{t},{2.0 * np.exp(-t / 500):.4f},,1e-5" for t in range(300)] + ["309,,1.2,1e-5"]
    rows[100] = "100,1.6375,1.7,1e-5"
    (tmp_path / "log.csv").write_text("\n".join(["step,loss,val_loss,lr", *rows]))
    diagnosis = diagnose(str(tmp_path / "log.csv"))
    (_, svg) = save_figures([diagnosis], tmp_path / "plots")
    text = "".join(ET.parse(svg).getroot().itertext())  # noqa: S314
    assert "held out" in text
    assert suggestion(diagnosis).replace("try", "try a rate of") in text
