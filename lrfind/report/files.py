"""Write a finished run into a folder: `write_report(report, folder)`."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrfind.report.race.serialise import RACE_FILE, race_csv
from lrfind.report.serialise import SWEEP_FILE, to_json

if TYPE_CHECKING:
    from lrfind.report import Report
    from lrfind.sweep import Sweep

RUN_FILE = "run.json"
PAGE_FILE = "report.html"
PLOTS_FOLDER = "plots"


def write_report(report: Report, folder: Path, *, run: Path | None = None, plots: bool = True) -> None:
    """Write every file of a run into an existing, empty folder; ``run.json`` last, so that it marks a whole run.

    Parameters
    ----------
    report : Report
    folder : Path
    run : Path, optional
        Where the files will finally be, as the user would type it: the page names it in its commands.
    plots : bool
        Whether to draw ``plots/*.png`` and ``plots/*.svg``, the slowest part.
    """
    (folder / SWEEP_FILE).write_text(sweep_csv(report.sweep), encoding="ascii", newline="")
    if report.race is not None:
        (folder / RACE_FILE).write_text(race_csv(report.race), encoding="ascii", newline="")
    # Imported here: reading a run back or printing JSON needs neither matplotlib nor Jinja2. The plots come first, so
    # that the page is made in the memory their canvas has left.
    if plots:
        from lrfind.report.figures import save_figures

        save_figures(report, folder / PLOTS_FOLDER)
    from lrfind.report.html import to_html

    (folder / PAGE_FILE).write_text(to_html(report, run=run), encoding="utf-8", newline="")
    (folder / RUN_FILE).write_text(to_json(report), encoding="ascii", newline="")


def sweep_csv(sweep: Sweep) -> str:
    """Return the raw losses as CSV: step, lr, ``loss_seed_0`` and so on; empty where a seed was lost.

    Parameters
    ----------
    sweep : Sweep

    Returns
    -------
    str
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", "lr", *(f"loss_seed_{seed}" for seed in range(sweep.n_seeds))])
    for step, (lr, losses) in enumerate(zip(sweep.lrs.tolist(), sweep.losses.T, strict=True)):
        writer.writerow([step, lr, *(loss if np.isfinite(loss) else "" for loss in losses.tolist())])
    return text.getvalue()
