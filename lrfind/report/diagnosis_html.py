"""Diagnoses as one self-contained page: `to_html(diagnoses)`.

Nothing is fetched and nothing acts: the page has no script, and every string from a log is escaped by Jinja2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from lrfind.report import palette, words
from lrfind.report.comparison import compare
from lrfind.report.curves import Window
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis_plot import Curve, curve_of
from lrfind.report.diagnosis_words import course, rates, title
from lrfind.report.svg import (
    WIDE,
    Plane,
    clipped,
    level_axis,
    line_between,
    path_through,
    picture,
    round_numbers,
    text_at,
)
from lrfind.report.svg import element as make
from lrfind.text import printable

# Pixels between the labels of two findings.
LABEL_ROW = 15


def to_html(diagnoses: Sequence[Diagnosis], *, created: str) -> str:
    """Return diagnoses as one HTML page that needs no network.

    Parameters
    ----------
    diagnoses : sequence of Diagnosis
        At least one.
    created : str
        Time of making.

    Returns
    -------
    str
    """
    comparison = compare(diagnoses) if len(diagnoses) > 1 else None
    page: str = _template().render(
        version=printable(diagnoses[0].version),
        created=printable(created).replace("T", " "),
        # Our own file and our own colours: nothing of the log is in it.
        style=Markup(_variables() + _asset("report.css")),  # noqa: S704
        heading=_heading(diagnoses),
        comparison=None if comparison is None else words.sentence(comparison.sentence),
        standings=[
            {
                "name": words.name(s.name),
                "lr": words.rate(s.lr),
                "loss": "diverged" if s.loss is None else f"{words.number(s.loss)} ± {s.error:.1g}",
                "codes": ", ".join(s.codes) or "nothing",
            }
            for s in (comparison.standings if comparison else ())
        ],
        logs=[_log(diagnosis, key=f"log{number}") for number, diagnosis in enumerate(diagnoses, start=1)],
    )
    return page


def _heading(diagnoses: Sequence[Diagnosis]) -> str:
    return words.name(diagnoses[0].log.name) if len(diagnoses) == 1 else words.plural(len(diagnoses), "training log")


@cache
def _asset(name: str) -> str:
    with (resources.files("lrfind.report") / "templates" / name).open(encoding="utf-8") as file:
        return file.read()


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_asset("diagnosis.html.j2"))


def _variables() -> str:
    light = "".join(f"--{role.lower()}:{colour};" for role, colour in palette.LIGHT.items())
    dark = "".join(f"--{role.lower()}:{colour};" for role, colour in palette.DARK.items())
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _log(diagnosis: Diagnosis, *, key: str) -> dict[str, Any]:
    curve, log = curve_of(diagnosis), diagnosis.log
    suggested = diagnosis.lr_suggested
    return {
        "key": key,
        "name": words.name(log.name),
        "verdict": words.sentence(title(diagnosis)),
        "ok": not diagnosis.found,
        "suggested": "" if suggested is None else words.rate(suggested),
        "rates": rates(diagnosis),
        "course": course(diagnosis),
        "extent": f"{printable(log.format)}, {words.plural(len(log.step), 'point')} from "
        f"{words.plural(log.n_rows, 'row')}",
        "chart": "" if curve is None else chart(diagnosis, curve, key=key),
        "found": [_finding(finding) for finding in diagnosis.found],
        "quiet": [_finding(finding) for finding in diagnosis.findings if finding.state != "found"],
        "notes": [words.sentence(note) for note in (*(r.sentence for r in log.repairs), *log.notes)],
    }


def _finding(finding: Any) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "state": finding.state.replace("_", " "),
        "title": finding.title[:1].upper() + finding.title[1:],
        "message": words.sentence(finding.message),
        "advice": words.sentence(finding.advice),
    }


def chart(diagnosis: Diagnosis, curve: Curve, *, key: str) -> Markup:
    """Return the loss over the steps as an ``svg`` element, with the findings marked.

    Parameters
    ----------
    diagnosis : Diagnosis
    curve : Curve
    key : str
        Begins the ids in the picture.

    Returns
    -------
    Markup
    """
    window = Window(
        x_low=float(curve.step[0]), x_high=float(curve.step[-1]), y_low=curve.low, y_high=curve.high
    )  # fmt: skip
    plane = Plane(width=WIDE, height=360, window=window, log_x=False, log_y=curve.log_loss)
    low = curve.low if curve.log_loss else -np.inf
    lines = [
        make("path", d=path_through(plane.x(step), plane.y(np.maximum(loss, low))), class_=name)
        for step, loss, name in (
            (curve.step, curve.loss, "seed"),
            (curve.level_step, curve.level, "pooled"),
            (curve.val_step, curve.val_loss, "plan"),
        )
        if len(step)
    ]
    return picture(
        [*level_axis(plane), *_step_axis(plane, unit=diagnosis.log.step_unit), clipped(key, plane, *lines),
         *_marks(curve, plane)],
        plane=plane, key=key, title=title(diagnosis), description=course(diagnosis),
    )  # fmt: skip


def _step_axis(plane: Plane, *, unit: str) -> list[Markup]:
    parts = [line_between(plane.left, plane.base, plane.width - plane.right, plane.base, class_="axis")]
    for step in round_numbers(plane.window.x_low, plane.window.x_high, most=6):
        x = float(plane.x(step))
        parts.append(text_at(f"{step:,.6g}", x, plane.base + 19, class_="tick", text_anchor="middle"))
    parts.append(text_at(unit, plane.width - plane.right, plane.base + 38, class_="tick", text_anchor="end"))
    return parts


def _marks(curve: Curve, plane: Plane) -> list[Markup]:
    parts = []
    for row, mark in enumerate(curve.marks):
        x = float(plane.x(mark.step))
        late = x > plane.width / 2
        parts.append(line_between(x, plane.top, x, plane.base, class_="limit"))
        place = {"text_anchor": "end" if late else "start"}
        parts.append(
            text_at(
                mark.code, x - 4 if late else x + 4, plane.top + 12 + LABEL_ROW * row, class_="label alarm", **place
            )
        )
    return parts
