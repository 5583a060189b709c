"""What training scripts print: "step 10 loss: 0.5 lr: 1e-3", progress bars of tqdm and Keras, tables, blocks of lines.

The story::

    tokens     the words, numbers and signs of a line
    line       the grammar: counters, named values, and whose they are
    table      headers above rows of numbers
    shape      all of that for lines that differ in digits alone
    scan       every line of the file, shape by shape, into columns
    heading    announcements of a part of the data, for the line below
    choose     which column is the loss, over the whole file
    place      at which epoch and step its lines stand
    join       what stands on other lines, brought to them
    assemble   the readings
"""

from __future__ import annotations

import re

from lrfind.errors import DataError
from lrfind.logs.opened import EXPECTED, LogFile
from lrfind.logs.optimizer import OptimizerReader
from lrfind.logs.printed.assemble import assembled
from lrfind.logs.printed.heading import apply_headings
from lrfind.logs.printed.scan import Scan, scan
from lrfind.logs.readings import Readings
from lrfind.text import printable

# How much of a line is quoted.
QUOTED = 60


def claims(log: LogFile) -> bool:
    """Whether a log is text; whether there is a loss in it is known once all of it was looked at."""
    return log.is_text and not log.is_json


def read(log: LogFile) -> Readings:
    """Return the points that the lines tell of."""
    optimizer = OptimizerReader()
    found = scan(log, optimizer=optimizer)
    apply_headings(found)
    readings = assembled(found, optimizer=optimizer.told)
    if readings is None:
        raise DataError(_refusal(log, found))
    if readings.n_rows == 1 and not {"step", "epoch"} & readings.roles.keys():
        raise DataError(_too_little(log, found))
    return readings


def _too_little(log: LogFile, found: Scan) -> str:
    """Say that settings, or a program, name a loss once."""
    number, text = min(column.first for key, column in found.columns.items() if key.role in ("loss", "val_loss"))
    return (
        f"{log.name}: one line alone has a loss, and no step: expected a loss for each step or epoch (line {number} is "
        f"'{printable(text, width=QUOTED)}')"
    )


def _refusal(log: LogFile, found: Scan) -> str:
    """Say what was looked for, and quote a line."""
    held_out = [column.first for key, column in found.columns.items() if key.role == "val_loss"]
    if held_out:
        number, text = min(held_out)
        return (
            f"{log.name} has a held-out loss (line {number}: '{printable(text, width=QUOTED)}'), but no line tells of "
            "a training loss ('loss: 0.5')"
        )
    counted = [column.first for key, column in found.columns.items() if key.role in ("step", "epoch")]
    number, text = found.odd or (min(counted) if counted else _first(log))
    return (
        f"{log.name} is text, but not of a known format: no line has a loss (a number named loss, cost, nll, ...; line "
        f"{number} is '{printable(text, width=QUOTED)}'); {EXPECTED}"
    )


def _first(log: LogFile) -> tuple[int, str]:
    for number, line in enumerate(log.lines(), start=1):
        if re.search(r"\w", line):
            return number, line.strip()
    return 1, ""
