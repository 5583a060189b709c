"""A report as a card for notebooks: `to_card(report)`.

Self-contained and without script: a notebook puts it among its own elements, so that every rule of its style holds
inside the card alone, and no id in it is used by another card.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from lrfind.report import palette, words
from lrfind.report.charts import loss_chart, schedule_chart
from lrfind.report.html import asset, template
from lrfind.report.race import words as race_words
from lrfind.report.race.charts import race_chart
from lrfind.report.titles import loss_title, schedule_title

if TYPE_CHECKING:
    from lrfind.report import Report

# Roles of the palette that the card and its charts use.
ROLES = ("INK", "MUTED", "HAIRLINE", "EDGE", "SEED", "BAND", "ACCENT", "ALARM", "CARD", "WASH")
# How notebooks say that they are dark or light, whatever the system is: JupyterLab, then VS Code.
DARK_PAGES = ('[data-jp-theme-light="false"]', ".vscode-dark")
LIGHT_PAGES = ('[data-jp-theme-light="true"]', ".vscode-light")
# Rules of the page's style that are about charts begin with one of these.
OF_CHARTS = (".chart", ".good")
# What a card has no use for: the numbers that the page's script reads out, and a place in the order of the keys.
_FOR_SCRIPT = re.compile(r' (?:data-[a-z]+|tabindex)="[^"]*"')
_ID = re.compile(r'( (?:id|aria-labelledby)="|url\(#)([^")]+)')
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def to_card(report: Report) -> str:
    """Return a report as one HTML element: the answer and two charts.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        What came from data is escaped.
    """
    key = f"lrfind-{secrets.token_hex(4)}"
    advice = report.recommendation
    card: str = template("card.html.j2").render(
        # our own files and colours, nothing from the data
        style=Markup(_style()),  # noqa: S704
        name=words.name(report.table.source.name),
        shape=words.shape(report),
        rate="" if advice.lr is None else words.rate(advice.lr),
        verdict=words.VERDICTS[advice.verdict],
        sentence=words.sentence(advice.sentence),
        setting=words.setting(advice),
        facts=_facts(report),
        charts=[{"title": title, "chart": _own(chart, key=key)} for title, chart in _charts(report)],
    )
    return card


def _facts(report: Report) -> list[dict[str, Any]]:
    advice = report.recommendation
    facts = []
    if advice.lr is not None:
        facts.append(("Good range", words.span(advice)))
    if advice.schedule is not None:
        facts.append(("Schedule", words.schedule_name(advice)))
    if reached := words.held_out(advice):
        facts.append(("Held-out loss", reached.removeprefix("held-out loss ")))
    return [{"label": label, "value": value} for label, value in facts]


def _charts(report: Report) -> list[tuple[str, Markup]]:
    """Return the two charts that say most, with their titles."""
    loss = (loss_title(report), loss_chart(report))
    if report.race is not None:
        title = race_words.race_title(report.race, has_answer=words.has_answer(report))
        return [(title, race_chart(report, report.race)), loss]
    schedule = report.recommendation.schedule
    return [loss] if schedule is None else [loss, (schedule_title(schedule), schedule_chart(schedule))]


def _own(chart: Markup, *, key: str) -> Markup:
    """Return a chart whose ids are its card's own."""

    def prefixed(found: re.Match[str]) -> str:
        return found[1] + " ".join(f"{key}-{name}" for name in found[2].split())

    # quotes in what came from data are escaped, so that a quote ends an attribute
    return Markup(_ID.sub(prefixed, _FOR_SCRIPT.sub("", str(chart))))  # noqa: S704


def _style() -> str:
    def colours(shades: Any, *pages: str) -> str:
        selectors = ",".join(f"{page} .lrfind-card" for page in pages) or ".lrfind-card"
        # the charts' labels stand on the card, where those of the page stand on the page
        roles = "".join(f"--{role.lower()}:{shades[role]};" for role in ROLES) + f"--page:{shades['CARD']};"
        return f"{selectors}{{{roles}}}"

    rules = []
    for selector, body in _RULE.findall(re.sub(r"/\*.*?\*/", "", asset("report.css"), flags=re.DOTALL)):
        every = [part.strip() for part in selector.split(",")]
        if mine := [part for part in every if part.startswith(OF_CHARTS)]:
            rules.append(",".join(f".lrfind-card {part}" for part in mine) + f"{{{body.strip()}}}")
    return "\n".join(
        [
            colours(palette.LIGHT),
            f"@media screen and (prefers-color-scheme:dark){{{colours(palette.DARK)}}}",
            colours(palette.LIGHT, *LIGHT_PAGES),
            colours(palette.DARK, *DARK_PAGES),
            *rules,
        ]
    )
