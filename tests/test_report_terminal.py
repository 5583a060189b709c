"""The terminal: one screen, safe characters, any width and encoding."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from race_fixture import EVERY, RACES
from report_fixture import PAYLOADS, REPORTS, hostile_classes_report, hostile_report, no_signal_report, ok_report
from rich.cells import cell_len
from rich.console import Console
from test_report_serialise import empty

from lrfind.report import Report
from lrfind.report.terminal import print_advice, print_report

FOLDER = Path("lrfind-runs/healthcare_breast_cancer-20260101-120000")


def shown(report: Report, *, width: int = 80, encoding: str = "utf-8", **options: object) -> str:
    stream = io.BytesIO()
    file = io.TextIOWrapper(stream, encoding=encoding)
    print_report(report, Console(file=file, width=width, **options), folder=FOLDER)  # type: ignore[arg-type]
    file.flush()
    return stream.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [10, 40, 80, 200])
@pytest.mark.parametrize("name", EVERY)
def test_no_control_character_and_no_line_too_long(name: str, width: int) -> None:
    text = shown(EVERY[name](), width=width)
    assert all(c.isprintable() for c in text.replace("\n", ""))
    # but for the command, which a terminal folds itself, so that what is copied stays whole
    assert max(cell_len(line) for line in text.splitlines() if "lrfind recommend " not in line) <= width
    assert not [line for line in text.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_data_is_shown_and_never_obeyed(payload: str) -> None:
    for report in (hostile_report(payload), hostile_classes_report(payload), hostile_report(f"[red]{payload}[/x]")):
        text = shown(report, width=200)
        assert all(c.isprintable() for c in text.replace("\n", ""))
    assert "[red]" in text


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("name", ["ok", "no_signal", "never_diverges", *RACES])
def test_a_report_fits_one_screen(name: str, width: int) -> None:
    assert shown(EVERY[name](), width=width).count("\n") <= 24


def rows(text: str) -> int:
    return sum(line[7:9] in (" │", " ┤") for line in text.splitlines())


def with_remarks(report: Report, *, n_remarks: int) -> Report:
    notes = tuple(f"column 'c{i}': {i + 2} values are not numeric, read as missing" for i in range(n_remarks))
    return replace(report, table=replace(report.table, notes=notes))


def test_the_plot_takes_what_the_facts_leave_of_a_screen() -> None:
    every = [with_remarks(no_signal_report(), n_remarks=n) for n in (0, 1, 2, 3, 4, 5)]
    assert [rows(shown(report)) for report in every] == [8, 8, 6, 6, 4, 4]
    assert max(shown(report).count("\n") for report in every) <= 24


def test_facts_are_cut_short_only_where_they_would_not_fit() -> None:
    report = ok_report()
    assert "--target names another" in shown(report, width=100)
    text = shown(with_remarks(report, n_remarks=9), width=100)
    assert "see --target" in text
    assert "more in the report" in text


def test_remarks_give_way_to_the_screen_and_are_counted() -> None:
    report = with_remarks(RACES["crowded"](), n_remarks=2)
    notes = tuple(f"{note}: " + "a longer story about this column " * 4 for note in report.table.notes)
    text = shown(replace(report, table=replace(report.table, notes=notes)))
    assert "remarks in the report" in text
    assert text.count("\n") <= 24


def test_the_plot_and_the_held_out_loss_say_what_they_show() -> None:
    text = shown(RACES["raced"](), width=100)
    assert "  Training loss against learning rate, 8 seeds pooled\n" in text
    assert " nats on 5 × 24 rows (knowing nothing: 0.66)\n" in text
    report = ok_report()
    values = replace(report, problem=replace(report.problem, task="regression", classes=()))
    assert "  Held-out loss  0.081 ± 0.006 target variances on rows held out (knowing nothing: 0.661)" in shown(
        values, width=100
    )


def test_the_answer_comes_first_then_why_then_what_next() -> None:
    lines = shown(ok_report(), width=100).splitlines()
    assert lines[0] == "healthcare_breast_cancer.csv · 569 rows, 30 features → diagnosis (2 classes)"
    assert lines[2].startswith("  Learning rate  0.0042    good between 0.0015 and 0.012 (estimated)    adam")
    assert lines[3] == "  Stable up to   0.21"
    assert lines[4].startswith("  Schedule       warmup_cosine: divergence begins")
    assert lines[6] == "  Held-out loss  0.081 ± 0.006 nats on rows held out (knowing nothing: 0.661)"
    labels = [line[2:15].strip() for line in lines[15:] if line[2:15].strip()]
    assert labels == ["Why", "Target", "Data", "Report", "Next"]
    assert lines[-1] == f"  Next           lrfind recommend {FOLDER} --for torch"


@pytest.mark.parametrize("width", [10, 59, 60, 80, 200])
def test_the_next_command_names_the_run_in_one_line(width: int) -> None:
    lines = shown(ok_report(), width=width).splitlines()
    assert lines[-1].endswith(f"lrfind recommend {FOLDER} --for torch")
    assert "Next" in "".join(lines[-2:])


def test_without_a_run_there_is_no_next_command() -> None:
    file = io.StringIO()
    print_report(ok_report(), Console(file=file, width=80))
    assert "lrfind recommend" not in file.getvalue()


def test_a_path_is_not_broken_while_it_fits_on_a_line() -> None:
    assert f"  {FOLDER}/report.html" in shown(ok_report(), width=70).splitlines()


def test_abstention_gives_the_sentence_why_and_what_to_try() -> None:
    text = shown(no_signal_report())
    assert "No answer      No rate was found: the loss never falls by more than its noise." in text
    assert "Try            Check that diagnosis is the right target." in text
    assert "recommend" not in text


def test_interval_is_marked_under_the_plot_at_its_place() -> None:
    lines = shown(ok_report(), width=100).splitlines()
    (mark,) = [line for line in lines if "●" in line]
    ticks = lines[lines.index(mark) + 1]
    assert mark.strip() == mark.strip().replace(" ", "")
    assert mark.strip()[0] == "├"
    assert mark.strip()[-1] == "┤"
    # 0.0042 lies between the ticks of 0.001 and 0.01
    assert ticks.index("0.001") < mark.index("●") < ticks.index("0.01 ") + 4
    plot = lines[lines.index(mark) - 8 : lines.index(mark)]
    assert [line.split()[0] for line in plot if "┤" in line] == ["0.69", "0.36", "0.03"]


def test_interval_without_an_end_runs_to_the_end_of_the_range() -> None:
    lines = shown(REPORTS["never_diverges"](), width=80).splitlines()
    (mark,) = [line for line in lines if "●" in line]
    assert mark.rstrip().endswith("─")
    assert len(mark) == 79


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_streams_that_cannot_carry_the_drawing_get_ascii(encoding: str) -> None:
    for name in REPORTS:
        text = shown(REPORTS[name](), encoding=encoding)
        assert text.isascii()
    text = shown(ok_report(), encoding=encoding)
    assert "569 rows, 30 features > diagnosis" in text
    assert "|---O---" in text
    assert "0.081 +/- 0.006" in text


def test_an_unknown_encoding_is_taken_for_ascii() -> None:
    class Odd(io.StringIO):
        encoding = "no-such-encoding"

    file = Odd()
    print_report(ok_report(), Console(file=file, width=80))
    assert file.getvalue().isascii()


def test_colour_only_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for encoding in ("utf-8", "ascii"):
        coloured = shown(ok_report(), encoding=encoding, force_terminal=True, color_system="standard")
        assert "\x1b[" in coloured
        plain = shown(ok_report(), encoding=encoding)
        assert "\x1b" not in plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32" not in shown(ok_report(), force_terminal=True, color_system="standard")


@pytest.mark.parametrize("width", [10, 40, 80])
def test_a_report_without_a_curve_is_shown_without_a_plot(width: int) -> None:
    text = shown(empty(ok_report()), width=width)
    assert "┤" not in text
    assert "0.0042" in text


def test_a_curve_of_nothing_finite_is_no_error() -> None:
    report = ok_report()
    nothing = np.full_like(report.analysis.pooled, np.nan)
    report = replace(report, analysis=replace(report.analysis, pooled=nothing))
    assert "0.0042" in shown(report)
    assert "0.0042" in shown(report, encoding="ascii")


def test_a_rate_without_interval_or_folder() -> None:
    report = ok_report()
    report = replace(
        report, recommendation=replace(report.recommendation, lr_low=None, lr_high=None, lr_max_stable=None)
    )
    file = io.StringIO()
    print_report(report, Console(file=file, width=100))
    assert "0.0042    interval not known" in file.getvalue()
    assert "report.html" not in file.getvalue()
    assert "beyond 10, the highest tried" in file.getvalue()


def test_advice_alone_has_the_answer_why_and_what_next() -> None:
    for report, lines in ((ok_report(), 9), (no_signal_report(), 3)):
        file = io.StringIO()
        print_advice(report.recommendation, Console(file=file, width=100), folder=FOLDER)
        assert file.getvalue().count("\n") == lines
        assert report.recommendation.lr is None or "  Learning rate  0.0042" in file.getvalue()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_advice_from_a_hostile_run_is_safe(payload: str) -> None:
    file = io.StringIO()
    advice = replace(hostile_report(payload).recommendation, verdict="unstable", optimizer=payload)
    print_advice(advice, Console(file=file, width=60), folder=Path(payload.replace("\0", "")))
    assert all(c.isprintable() for c in file.getvalue().replace("\n", ""))
