"""Diagnoses as matplotlib figures: the loss of each log with its findings marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.report import palette
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis_plot import Curve, curve_of
from lrfind.report.diagnosis_words import course, title
from lrfind.report.figures import DPI, MARGINS, SIZE, STYLE, TEXT_SIZE, TITLE_LENGTH, TITLE_SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def save_figures(diagnoses: Sequence[Diagnosis], folder: Path) -> list[Path]:
    """Write ``loss.png`` and ``loss.svg``, or ``loss-1.png`` and so on for several logs.

    Parameters
    ----------
    diagnoses : sequence of Diagnosis
    folder : Path
        Made if need be.

    Returns
    -------
    list of Path
        What was written; nothing for a log without a curve.
    """
    import matplotlib as mpl

    folder.mkdir(exist_ok=True)
    written = []
    for number, diagnosis in enumerate(diagnoses, start=1):
        curve = curve_of(diagnosis)
        if curve is None:
            continue
        stem = "loss" if len(diagnoses) == 1 else f"loss-{number}"
        with mpl.rc_context(STYLE):
            figure = _figure(diagnosis, curve)
            for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
                path = folder / f"{stem}.{kind}"
                figure.savefig(path, format=kind, dpi=DPI, metadata=metadata)
                written.append(path)
    return written


def _figure(diagnosis: Diagnosis, curve: Curve) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    figure.subplots_adjust(**MARGINS)
    head = title(diagnosis)
    size = TITLE_SIZE * min(1.0, TITLE_LENGTH / max(len(head), 1))
    figure.text(MARGINS["left"], 0.945, head, fontsize=size, fontweight="bold", va="center")
    figure.text(MARGINS["left"], 0.88, course(diagnosis), fontsize=TEXT_SIZE, color=palette.MUTED, va="center")
    if curve.log_loss:
        axes.set_yscale("log")
    axes.set_ylim(curve.low, curve.high)
    axes.set_xlim(float(curve.step[0]), float(curve.step[-1]))
    axes.grid(visible=True, axis="y", color=palette.HAIRLINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.plot(curve.step, curve.loss, color=palette.SEED, linewidth=0.7)
    axes.plot(curve.level_step, curve.level, color=palette.INK, linewidth=2, solid_capstyle="round")
    if len(curve.val_step):
        axes.plot(curve.val_step, curve.val_loss, color=palette.ACCENT, linewidth=1.6, linestyle=(0, (4, 2)))
        axes.annotate("held out", (curve.val_step[-1], curve.val_loss[-1]), xytext=(-4, 6), ha="right",
                      textcoords="offset points", color=palette.ACCENT)  # fmt: skip
    _marks(axes, curve)
    axes.annotate(diagnosis.log.step_unit, (1, 0), xycoords="axes fraction", xytext=(0, -24),
                  textcoords="offset points", ha="right", va="top", color=palette.MUTED)  # fmt: skip
    return figure


def _marks(axes: Axes, curve: Curve) -> None:
    for row, mark in enumerate(curve.marks):
        axes.axvline(mark.step, color=palette.ALARM, linewidth=1, linestyle=(0, (4, 2)))
        late = mark.step > (curve.step[0] + curve.step[-1]) / 2
        axes.annotate(mark.code, (mark.step, 1), xycoords=("data", "axes fraction"),
                      xytext=(-3 if late else 3, -10 - 12 * row), textcoords="offset points",
                      ha="right" if late else "left", color=palette.ALARM, fontsize=8)  # fmt: skip
