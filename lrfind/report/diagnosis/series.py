"""How a log was read, on a terminal and as JSON: its runs, columns, points, and what was passed over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from lrfind.logs import TrainingLog
from lrfind.report.page import MAX_WIDTH, QUIET, Page
from lrfind.text import number, place, plural, printable

# Columns in the order a person reads them.
ROLES = {
    "loss": "training loss", "val_loss": "held-out loss", "lr": "learning rate", "grad_norm": "gradient norm",
    "step": "step", "epoch": "epoch", "optimizer": "optimizer",
}  # fmt: skip
# Runs and kinds of lines shown; the JSON has them all.
MOST_LINES = 12
# How much of a line is shown.
EXCERPT_WIDTH = 70
SENTENCE_WIDTH = 600


def print_series(logs: Sequence[TrainingLog], console: Console) -> None:
    """Print how each log was read.

    Parameters
    ----------
    logs : sequence of TrainingLog
    console : Console
    """
    options = console.options
    page = Page(console=console, width=min(options.max_width, MAX_WIDTH), encoding=options.encoding)
    for i, log in enumerate(logs):
        if i:
            console.print()
        name = Text.assemble((printable(log.name, width=60), "bold"), f" · {log.format}")
        for line in page.lines(name, room=page.width):
            console.print(line)
        console.print()
        for fact in page.facts(list(_facts(log))):
            console.print(fact)


Fact = tuple[str | Text, Text]


def _facts(log: TrainingLog) -> Iterator[Fact]:
    for row, run in enumerate(log.runs[-MOST_LINES:]):
        text = (
            f"from {run.first}: {run.counter}, {plural(run.n_points, 'point')}{', read here' if run.is_judged else ''}"
        )
        yield "runs" if row == 0 else "", Text(text, style="" if run.is_judged else QUIET)
    for role, shown in ROLES.items():
        if (column := log.column(role)) is not None:
            yield shown, Text(f"{printable(column, width=60)}{_extent(log, role)}")
    if log.column("step") is None:
        unit = "the epoch" if log.step_unit == "epoch" else "the rows, counted"
        yield "step", Text(f"{unit}: {place(log.step[0])} to {place(log.step[-1])}")
    if log.nature is not None:
        yield "kind", Text(f"{log.nature} training, by the names of its losses")
    yield "kept", Text(_kept(log))
    for row, passed in enumerate(log.passed[:MOST_LINES]):
        counted = Text(f"{passed.count:,} × {printable(passed.why, width=80)} (first: {passed.first})")
        yield "passed over" if row == 0 else "", counted
        if passed.text:
            yield "", Text(printable(" ".join(passed.text.split()), width=EXCERPT_WIDTH), style=QUIET)
    notes = [*(repair.sentence for repair in log.repairs), *log.notes]
    for row, note in enumerate(notes):
        yield "because" if row == 0 else "", Text(printable(note, width=SENTENCE_WIDTH), style=QUIET)


def _kept(log: TrainingLog) -> str:
    given = int((~np.isnan(log.loss)).sum()) + int(np.isnan(log.loss[np.isin(log.step, log.nonfinite_steps)]).sum())
    text = f"{plural(given, 'point')} with a training loss, of {plural(log.n_rows, 'row')}"
    if log.val_loss is not None:
        text += f"; {plural(int((~np.isnan(log.val_loss)).sum()), 'point')} with a held-out loss"
    return text


def _extent(log: TrainingLog, role: str) -> str:
    """Return how many values a column has, and the first and last of them."""
    values = {"step": log.step}.get(role, getattr(log, role, None))
    if not isinstance(values, np.ndarray):
        return ""
    known = values[np.isfinite(values)]
    if not len(known):
        return ": no finite value"
    show = place if role in ("step", "epoch") else number
    return f": {plural(len(known), 'value')}, {show(float(known[0]))} to {show(float(known[-1]))}"


def series_json(logs: Sequence[TrainingLog]) -> str:
    """Return how logs were read as one strict JSON document.

    Parameters
    ----------
    logs : sequence of TrainingLog

    Returns
    -------
    str
    """
    return json.dumps({"series": [_dict(log) for log in logs]}, indent=1, allow_nan=False) + "\n"


def _dict(log: TrainingLog) -> dict[str, Any]:
    return {
        "name": log.name, "path": log.path, "format": log.format, "columns": dict(log.columns),
        "nature": log.nature,
        "step_unit": log.step_unit, "rows": log.n_rows, "points": int((~np.isnan(log.loss)).sum()),
        "first_step": float(log.step[0]), "last_step": float(log.step[-1]),
        "runs": [{field: getattr(run, field) for field in run.__slots__} for run in log.runs],
        "passed_over": [{field: getattr(each, field) for field in each.__slots__} for each in log.passed],
        "repairs": [repair.sentence for repair in log.repairs], "notes": list(log.notes),
    }  # fmt: skip
