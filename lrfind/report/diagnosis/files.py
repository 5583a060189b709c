"""Write diagnoses into a folder: page, plots and JSON from one value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis.serialise import SCHEMA_VERSION, document
from lrfind.report.files import PAGE_FILE, PLOTS_FOLDER, RUN_FILE


def write_diagnoses(
    diagnoses: Sequence[Diagnosis], folder: Path, *, created: str, command: Sequence[str], plots: bool = True
) -> None:
    """Write every file into an existing, empty folder; ``run.json`` last, so that it marks a whole run.

    Parameters
    ----------
    diagnoses : sequence of Diagnosis
        At least one.
    folder : Path
    created : str
        Time of making, ISO 8601.
    command : sequence of str
    plots : bool
        Whether to draw ``plots/*.png`` and ``plots/*.svg``.
    """
    # Imported here: printing needs neither Jinja2 nor matplotlib.
    from lrfind.report.diagnosis.html import to_html

    (folder / PAGE_FILE).write_text(to_html(diagnoses, created=created), encoding="utf-8", newline="")
    if plots:
        from lrfind.report.diagnosis.figures import save_figures

        save_figures(diagnoses, folder / PLOTS_FOLDER)
    head = {
        "schema_version": SCHEMA_VERSION,
        "lrfind_version": diagnoses[0].version,
        "kind": "diagnosis",
        "status": "complete",
        "created": created,
        "command": list(command),
    }
    text = json.dumps({**head, **document(diagnoses)}, indent=1, allow_nan=False) + "\n"
    (folder / RUN_FILE).write_text(text, encoding="ascii", newline="")
