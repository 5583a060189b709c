"""A report as one self-contained page: `to_html(report)`.

Nothing is fetched, nothing from the data can act: every string is escaped by Jinja2, and the page's own policy allows
one script, known by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

import jinja2
from markupsafe import Markup

from lrfind.recommend import cost, defaults
from lrfind.report import palette, words
from lrfind.report.charts import both, ruler, strip
from lrfind.report.commands import recommend_command
from lrfind.report.files import PAGE_FILE
from lrfind.report.race import words as race_words
from lrfind.report.race.charts import both_race, cost_bar, margin_strip
from lrfind.report.titles import gradient_title, loss_subtitle, loss_title, schedule_title
from lrfind.report.trust import trust
from lrfind.text import measured, printable

if TYPE_CHECKING:
    from pathlib import Path

    from lrfind.checks import Finding
    from lrfind.race import Race
    from lrfind.report import Report

# Longer tables are in run.json; a page of them would be scrolled past.
MAX_ROWS = 300


# Evidence that the race's own section shows in full.
SAID_BY_THE_RACE = ("range test", "race", "defaults", "sooner")


class Pair(NamedTuple):
    """A label, its value, and what else there is to say."""

    label: str
    value: str
    more: str = ""


def to_html(report: Report, *, run: Path | None = None) -> str:
    """Return a report as one HTML page that needs no network.

    Parameters
    ----------
    report : Report
    run : Path, optional
        The folder the page will be in, as whoever made the run would type it. A page that does not know it gives
        commands for the folder it is in.

    Returns
    -------
    str
        The same characters for the same report.
    """
    script = asset("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        **_answer(report), **_next(run), **_race(report), **_charts(report), **_evidence(report), **_data(report),
        **_again(report),
    }  # fmt: skip
    page: str = template("report.html.j2").render(
        **parts,
        contents=_contents(parts),
        # Both are our own files and hold nothing from the data.
        style=Markup(variables() + asset("report.css")),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=Markup(digest),  # noqa: S704
    )
    return page


# The parts of a page in their order: the id of its heading, its name in few words, and what it is shown for.
PARTS = (
    ("race", "The race", "race_title"),
    ("learning", "How it learns", "race_title"),
    ("why", "Why this rate", "has_reasons"),
    ("range-test", "Range test", "loss_title"),
    ("schedule", "Schedule", "schedule_chart"),
    ("gradient", "Gradients", "gradient_chart"),
    ("trust", "Can I trust this?", "trust"),
    ("rules", "Published rules", "rules"),
    ("findings", "Findings", "findings_title"),
    ("data", "The data", "data"),
    ("again", "Do it again", "provenance"),
)


def _contents(parts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the id and the name of each part that the page has."""
    return [(place, name) for place, name, shown_for in PARTS if parts[shown_for]]


@cache
def asset(name: str) -> str:
    """Return a file of the page."""
    # Universal newlines, so that the script's hash is of what is written on every system.
    with (resources.files("lrfind.report") / "templates" / name).open(encoding="utf-8") as file:
        return file.read()


@cache
def template(name: str) -> jinja2.Template:
    """Return the template of a page; what is put into it is escaped."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(asset(name))


def variables() -> str:
    """Return the palette as CSS variables, for light and for dark pages."""
    roles = ("INK", "MUTED", "HAIRLINE", "EDGE", "SEED", "BAND", "ACCENT", "ALARM", "PAGE", "CARD", "WASH")
    light = "".join(f"--{role.lower()}:{palette.LIGHT[role]};" for role in roles)
    dark = "".join(f"--{role.lower()}:{palette.DARK[role]};" for role in roles)
    # Printed pages stay light whatever the screen is.
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def moment(created: str) -> str:
    """Return a time of making as people read it: "2026-01-02 10:00:00 UTC"."""
    return printable(created).replace("T", " ").replace("+00:00", "Z").replace("Z", " UTC")


def _answer(report: Report) -> dict[str, Any]:
    advice = report.recommendation
    ok = advice.verdict == "ok"
    rate = "" if advice.lr is None else words.rate(advice.lr)
    label = words.VERDICTS[advice.verdict]
    return {
        "title": f"{rate or label} · {words.name(report.table.source.name)} · lrfind",
        "version": printable(report.version),
        "created": moment(report.created),
        "name": words.name(report.table.source.name),
        "shape": words.shape(report),
        "verdict": "" if ok else label,
        "sentence": words.sentence(advice.sentence),
        "try_next": "" if ok else words.to_try(report),
        "rate": rate,
        "setting": words.setting(advice),
        "ruler": ruler(report),
        "facts": _facts(report),
    }


def _next(run: Path | None) -> dict[str, str]:
    """Return the command to go on with, and where it is to be typed; the page may have been moved since."""
    if run is None:
        return {"next_command": recommend_command(PAGE_FILE), "next_where": "Typed in the folder that holds this page."}
    where = "" if run.is_absolute() else "Typed where lrfind sweep was typed. "
    moved = "If the run was moved since, name where it is now; this page alone is not enough."
    return {"next_command": recommend_command(run), "next_where": f"{where}{moved}"}


def _facts(report: Report) -> list[Pair]:
    advice = report.recommendation
    facts = []
    if advice.lr is not None:
        facts.append(Pair("Good range", words.span(advice), words.promise(advice)))
    limit = "" if advice.lr_max_stable is None else "where the range test diverged"
    divergence = report.analysis.divergence
    if limit and (divergence is None or advice.lr_max_stable != divergence.lr):
        limit = "the highest rate raced at which no run diverged"
    facts.append(Pair("Stable up to", words.stable(advice, highest=words.highest(report)), limit))
    if advice.schedule is not None:
        facts.append(Pair("Schedule", words.schedule_name(advice), words.schedule_reason(advice)))
    expected = advice.expected
    if expected is not None:
        reached = measured(expected.val_loss, expected.val_loss_se)
        facts.append(Pair("Held-out loss", reached, f"knowing nothing: {words.number(expected.baseline_loss)}"))
    elif report.race is not None:
        reached = measured(report.race.loss, report.race.loss_se)
        nothing = words.number(report.race.baseline_loss)
        facts.append(Pair("Held-out loss", reached, f"{_raced_at(report.race)}; knowing nothing: {nothing}"))
    else:
        facts.append(
            Pair("Held-out loss", "not measured", f"knowing nothing: {words.number(report.problem.baseline_loss)}")
        )
    return facts


def _raced_at(race: Race) -> str:
    """Return the candidate that a loss is of, where none is advised: "linear at 0.027"."""
    return f"{words.name(race.winner.schedule)} at {words.rate(race.winner.lr)}"


def _race(report: Report) -> dict[str, Any]:
    race, unit = report.race, words.loss_unit(report)
    if race is None:
        return {"race_title": ""}
    advised = words.has_answer(report)
    return {
        "race_title": race_words.race_title(race, has_answer=advised),
        "race_effort": race_words.effort(race),
        "race_subtitle": race_words.race_subtitle(unit=unit),
        "race_chart": both_race(report, name="race"),
        "margins_caption": race_words.margins_caption(race, has_answer=advised),
        "simplest": words.name(race_words.simplest(race).schedule),
        "margins": [
            {
                "schedule": words.name(margin.schedule),
                "lr": words.rate(margin.lr),
                "loss": measured(margin.loss, margin.loss_se),
                "ahead": race_words.ahead(race, margin),
                "strip": margin_strip(race, margin),
                "standing": race_words.standing(race, margin),
                "expected": race_words.expected_cost(margin),
                "ours": advised and margin.schedule == race.winner.schedule,
            }
            for margin in race.margins
        ],
        "learning_title": race_words.learning_title(race, has_answer=advised),
        "learning_subtitle": race_words.learning_subtitle(unit=unit),
        "learning_chart": both_race(report, name="learning"),
        "defaults": [
            {
                "lr": words.rate(leader.schedule.peak_lr),
                "cost": cost(leader, race=race),
                "share": race_words.cost_share(leader),
                "bar": cost_bar(leader),
            }
            for leader in defaults(race)
            if advised
        ],
    }


def _charts(report: Report) -> dict[str, Any]:
    schedule = report.recommendation.schedule
    return {
        "loss_title": loss_title(report),
        "loss_subtitle": f"{loss_subtitle(report)}.",
        "range_test": words.range_test(report.recommendation) if report.race else "",
        "loss_chart": both(report, name="loss"),
        "schedule_title": schedule_title(schedule) if schedule else "",
        "schedule_reason": words.schedule_line(report.recommendation)
        if words.schedule_reason(report.recommendation)
        else "",
        "schedule_chart": both(report, name="schedule"),
        "gradient_title": gradient_title(report),
        "gradient_chart": both(report, name="gradient"),
    }


def _evidence(report: Report) -> dict[str, Any]:
    found = words.found(report)
    reasons = [
        {
            "name": words.name(reason.name),
            "text": words.sentence(reason.text),
            "lr": "" if reason.lr is None else words.rate(reason.lr),
        }
        for reason in words.reasons(report.recommendation, rules=report.analysis.rules)
        if report.race is None or reason.name not in SAID_BY_THE_RACE
    ]
    quiet = [finding for finding in report.findings if finding.state != "found"]
    return {
        "reasons": reasons,
        # without a race and with an answer there is at least a sentence
        "has_reasons": bool(reasons) or (report.race is None and report.recommendation.verdict == "ok"),
        "trust": trust(report),
        **_rules(report),
        "findings_title": f"The checks found {words.plural(len(found), 'thing')}"
        if found
        else "The checks found nothing suspicious",
        "findings": [_finding(finding) for finding in found],
        "quiet_title": f"{words.plural(len(quiet), 'check')} found nothing or did not apply",
        "quiet": [_finding(finding) for finding in quiet],
    }


def _finding(finding: Finding) -> dict[str, str]:
    title = words.sentence(finding.title)
    return {
        "code": printable(finding.code, width=12),
        "severity": finding.severity,
        "state": finding.state.replace("_", " "),
        "title": title[:1].upper() + title[1:],
        "message": words.sentence(finding.message),
        "advice": words.sentence(finding.advice),
    }


def _rules(report: Report) -> dict[str, Any]:
    lr = report.recommendation.lr
    rows = [
        {
            "name": words.name(rule),
            "lr": "no answer" if read is None else words.rate(read),
            "ratio": "" if read is None or not lr else f"× {words.rate(read / lr)}",
            "strip": strip(report, read),
            "ours": False,
        }
        for rule, read in report.analysis.rules.items()
    ]
    known = [read for read in report.analysis.rules.values() if read]
    title = "Published rules compared"
    if known and max(known) > min(known):
        title = f"Published rules disagree by a factor of {words.rate(max(known) / min(known))}"
    if lr and rows:
        rows.insert(
            0, {"name": "this report", "lr": words.rate(lr), "ratio": "", "strip": strip(report, lr), "ours": True}
        )
    return {"rules": rows, "rules_title": title}


def _data(report: Report) -> dict[str, Any]:
    table, problem = report.table, report.problem
    total = f"of {table.n_rows_total:,}, sampled" if table.n_rows_total > table.n_rows else ""
    detected = ", ".join(f"{words.name(what)} {words.name(value)}" for what, value in table.source.detected)
    split = f"{problem.X_train.shape[0]:,} to train, {problem.X_val.shape[0]:,} held out"
    encodings = problem.encodings[:MAX_ROWS]
    left = len(problem.encodings) - len(encodings)
    pairs = [
        Pair("File", words.name(table.source.path), " · ".join(filter(None, (table.source.format, detected)))),
        Pair("Rows", f"{table.n_rows:,}", total),
        Pair("Target", words.name(problem.target), _because(problem.target_reason)),
        Pair("Task", problem.task, _because(problem.task_reason)),
        Pair("Classes", _classes(report)),
        Pair(
            "Target’s scale",
            ""
            if problem.classes
            else f"mean {words.number(problem.target_mean)}, sd {words.number(problem.target_sd)}",
        ),
        Pair("Split", split, words.name(problem.split)),
        Pair("Rows dropped", f"{problem.n_rows_dropped:,}" if problem.n_rows_dropped else "", "without a target"),
        Pair("Columns", words.preparation(report), f"{words.plural(problem.n_features, 'feature')} in all"),
    ]
    return {
        "data": [pair for pair in pairs if pair.value],
        "notes": [words.sentence(note) for note in (*table.notes, *problem.notes)][:MAX_ROWS],
        "encodings": [
            {
                "column": words.name(row.column),
                "how": words.name(row.how),
                "n_features": f"{row.n_features:,}",
                "n_missing": f"{row.n_missing:,}" if row.n_missing else "",
            }
            for row in encodings
        ],
        "encodings_caption": f"{left:,} more are in run.json."
        if left > 0
        else "In the order of the file, the target left out.",
    }


def _because(reason: str) -> str:
    return f"because {words.sentence(reason)}" if reason else ""


# More labels than these are a list nobody reads.
MAX_CLASSES = 12


def _classes(report: Report) -> str:
    classes = report.problem.classes
    shown = ", ".join(printable(label, width=30) for label in classes[:MAX_CLASSES])
    return shown if len(classes) <= MAX_CLASSES else f"{shown} and {len(classes) - MAX_CLASSES:,} more"


def _again(report: Report) -> dict[str, Any]:
    timing = ", ".join(f"{words.name(stage)} {seconds:.2f} s" for stage, seconds in report.timing.items())
    return {
        "command": words.command(report),
        "provenance": [
            Pair("Version", f"lrfind {printable(report.version)}"),
            Pair("Seed", printable(report.config.get("seed", "not recorded"))),
            Pair("Data", words.reproducible(report)),
            Pair("Made", printable(report.created)),
            *([Pair("Took", timing)] if timing else []),
        ],
        "config": [Pair(words.name(key), words.sentence(_setting(value))) for key, value in report.config.items()],
    }


def _setting(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return "not set" if value is None else str(value)
