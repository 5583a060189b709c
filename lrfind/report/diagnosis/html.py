"""Diagnoses as one self-contained page: `to_html(diagnoses)`.

Nothing is fetched, and every string from a log is escaped by Jinja2. The page of one log has no script; that of several
has one that reads out the lines, and its own policy allows no other.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from lrfind.checks.finding import Finding
from lrfind.report import words
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis.charts import log_charts
from lrfind.report.diagnosis.comparison import Comparison, compare, reached_by
from lrfind.report.diagnosis.comparison_charts import comparison_charts, rates_charts
from lrfind.report.diagnosis.plot import curve_of
from lrfind.report.diagnosis.run_colours import rules
from lrfind.report.diagnosis.words import course, hedge, held_out, hint, rates, suggestion, title, tried
from lrfind.report.html import asset, moment, template, variables
from lrfind.text import place, printable


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
    is_one = len(diagnoses) == 1
    script = "" if is_one else asset("diagnosis.js")
    page: str = template("diagnosis.html.j2").render(
        version=printable(diagnoses[0].version),
        created=moment(created),
        # Our own files and our own colours: nothing of the log is in them.
        style=Markup(variables() + asset("report.css") + rules() + asset("diagnosis.css")),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=Markup(base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()),  # noqa: S704
        heading=words.name(diagnoses[0].log.name) if is_one else words.plural(len(diagnoses), "training log"),
        comparison=None if is_one else _comparison(compare(diagnoses)),
        logs=[_log(diagnosis, key=f"log{number}") for number, diagnosis in enumerate(diagnoses, start=1)],
        alone=is_one,
    )
    return page


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "best": words.sentence(comparison.best),
        "others": words.sentence(comparison.others),
        "further": words.sentence(comparison.further),
        "what": f"{comparison.what[:1].upper()}{comparison.what[1:]}",
        "hedge": hedge(comparison),
        "tries": any(standing.suggested is not None for standing in comparison.standings),
        "chart": comparison_charts(comparison),
        "rates_chart": rates_charts(comparison),
        "has_lowest": comparison.measure == "val_loss",
        "standings": [
            {
                "name": words.name(s.name),
                "lr": "not logged" if s.lr is None else words.rate(s.lr),
                "loss": reached_by(s),
                "lowest": ""
                if s.lowest is None or s.lowest_step is None
                else f"{words.number(s.lowest)} at {s.unit} {place(s.lowest_step)}",
                "suggested": tried(s).partition(" (")[0],
                "interval": tried(s).partition(" (")[2].rstrip(")"),
                "fault": f"{s.fault[:1].upper()}{s.fault[1:]}".partition(":")[0] or "Nothing",
                "codes": ", ".join(s.codes),
                "is_best": number == 0 and s.loss is not None,
            }
            for number, s in enumerate(comparison.standings)
        ],
    }


def _log(diagnosis: Diagnosis, *, key: str) -> dict[str, Any]:
    curve, log = curve_of(diagnosis), diagnosis.log
    return {
        "key": key,
        "name": words.name(log.name),
        "verdict": words.sentence(title(diagnosis)),
        "ok": not diagnosis.found,
        "suggested": suggestion(diagnosis),
        "rates": rates(diagnosis),
        "course": course(diagnosis),
        "held_out": held_out(diagnosis),
        "extent": f"{printable(log.format)}, {words.plural(len(log.step), 'point')} from "
        f"{words.plural(log.n_rows, 'row')}",
        "chart": "" if curve is None else log_charts(diagnosis, curve, key=key),
        "found": [_finding(finding) for finding in diagnosis.found],
        "quiet": [_finding(finding) for finding in diagnosis.findings if finding.state != "found"],
        "notes": [words.sentence(note) for note in (*(r.sentence for r in log.repairs), *log.notes)],
        "hint": hint(diagnosis),
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "state": finding.state.replace("_", " "),
        "title": finding.title[:1].upper() + finding.title[1:],
        "message": words.sentence(finding.message),
        "advice": words.sentence(finding.advice),
    }
