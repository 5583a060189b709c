"""The race and the runs that were watched, as inline SVG for the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from lrfind.report import words
from lrfind.report.captions import label_room
from lrfind.report.charts import advice_marks
from lrfind.report.labels import placed_together
from lrfind.report.race import words as race_words
from lrfind.report.race.curves import learning_view, race_view
from lrfind.report.race.labels import learning_labels, names_beside, names_width, race_labels, steps_label
from lrfind.report.svg import (
    LABEL_SIZE,
    NARROW,
    WIDE,
    Plane,
    band_between,
    clipped,
    element,
    level_axis,
    line_between,
    path_through,
    picture,
    rate_axis,
    step_axis,
    with_levels,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrfind.race import Leader, Margin, Race
    from lrfind.report import Report
    from lrfind.report.curves import Floats
    from lrfind.report.race.curves import LearningView, RaceView

# Dashes tell rivals apart without colour, in the order of their losses.
DASHES = ("7 4", "2 4", "9 3 2 3")
# Width of a character of a strong label, in pixels.
STRONG_CHARACTER = 7.4
# Pixels between the end of a line and its name.
LEADER_LENGTH = 14


def race_chart(report: Report, race: Race, *, width: int = WIDE) -> Markup:
    """Return held-out loss against peak rate, a line a schedule, with the interval and the chosen rate.

    Parameters
    ----------
    report : Report
    race : Race
    width : int
        `WIDE` or `NARROW`.

    Returns
    -------
    Markup
        An ``svg`` element; its data attributes carry what was measured at each rate.
    """
    view = race_view(race)
    height = 420 if width == WIDE else 340
    plane = with_levels(Plane(width=width, height=height, window=view.window, log_y=view.log_y, left=52))
    under, above = advice_marks(report, plane=plane)
    xs = plane.x(view.fit_lrs)
    lines = [
        *_band(view, plane=plane),
        element("path", d=path_through(xs, plane.y(view.fit_losses)), class_="fit"),
        *_paths(view, plane=plane),
    ]
    labels = written(race_labels(report, plane=plane, size=LABEL_SIZE))
    scales = [*level_axis(plane), *rate_axis(plane, label="peak learning rate"), *_level(view, plane=plane)]
    points = [*_expected(race, plane=plane), *_chosen(report, race, plane=plane)]
    return picture(
        [*under, *scales, clipped("race", plane, *lines), *_lost(view, plane=plane), *above, *points, *labels,
         cursor(plane)],
        plane=plane,
        key="race",
        title=race_words.race_title(race, has_answer=words.has_answer(report)),
        description=race_words.race_subtitle(unit=words.loss_unit(report)),
        tabindex="0",
        **_race_read_out(view, plane=plane),
    )  # fmt: skip


def cursor(plane: Plane) -> Markup:
    """Return the line that follows the pointer, hidden until it does."""
    return element("g", line_between(0, plane.top, 0, plane.base), class_="cursor", visibility="hidden")


def _band(view: RaceView, *, plane: Plane) -> list[Markup]:
    advised = view.lines[-1]
    # A logarithm has no room below nothing.
    low = np.maximum(advised.losses - advised.errors, view.window.y_low / 2 if view.log_y else -np.inf)
    d = band_between(plane.x(advised.lrs), low=plane.y(low), high=plane.y(advised.losses + advised.errors))
    return [element("path", d=d, class_="error")] if d else []


def _paths(view: RaceView, *, plane: Plane) -> list[Markup]:
    dashes = dict(zip([line.name for line in view.lines if line.role == "rival"], DASHES, strict=False))
    parts = []
    for line in view.lines:
        xs, ys = plane.x(line.lrs), plane.y(line.losses)
        style = {"stroke_dasharray": dashes[line.name]} if line.name in dashes else {}
        parts.append(element("path", d=path_through(xs, ys), class_=f"runner {line.role}", **style))
        if line.role in {"advised", "simplest"}:
            known = np.isfinite(ys)
            parts += [
                element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=2.6, class_=f"run {line.role}")
                for x, y in zip(xs[known].tolist(), ys[known].tolist(), strict=True)
            ]
    return parts


def _level(view: RaceView | LearningView, *, plane: Plane) -> list[Markup]:
    y = float(plane.y(view.level))
    return [
        line_between(plane.left, y, plane.width - plane.right, y, class_="baseline"),
    ]


def _lost(view: RaceView, *, plane: Plane) -> list[Markup]:
    """Return a small cross at the top edge for each rate at which a run diverged."""
    if not view.lost.size:
        return []
    y, places = plane.top + 7, plane.x(view.lost).tolist()
    return [
        *(element("path", d=f"M{x - 3.5:.1f} {y - 3.5}l7 7m0 -7l-7 7", class_="cross") for x in places),
    ]


# Half the width of the mark at the foot, in pixels.
MARK = 4.5


def _expected(race: Race, *, plane: Plane) -> list[Markup]:
    """Return a small triangle at the foot where earlier races expected the best rate."""
    x = float(plane.x(race.expected_lr))
    if not plane.left <= x <= plane.width - plane.right:
        return []
    return [element("path", d=f"M{x - MARK:.1f} {plane.base:.1f}h{2 * MARK}l{-MARK} {-2 * MARK}z", class_="expected")]


def _chosen(report: Report, race: Race, *, plane: Plane) -> list[Markup]:
    if not words.has_answer(report):
        return []
    x, y = float(plane.x(race.winner.lr)), float(np.clip(plane.y(race.winner.loss), plane.top, plane.base))
    return [element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=5.5, class_="chosen")]


def labels_beside(
    ends: Sequence[tuple[float, float]], texts: Sequence[str], *, roles: Sequence[str], plane: Plane
) -> list[Markup]:
    """Return texts in one column, each joined to the end of its line, none on top of another.

    Parameters
    ----------
    ends : sequence of (x, y)
        In pixels.
    texts, roles : sequence of str
    plane : Plane

    Returns
    -------
    list of Markup
    """
    names = names_beside(ends, texts, roles=roles, plane=plane, size=LABEL_SIZE)
    return written(placed_together(names, room=label_room(plane, size=LABEL_SIZE)))


def _race_read_out(view: RaceView, *, plane: Plane) -> dict[str, str]:
    """Return, for each rate raced, its place and what every schedule reached there, best first."""
    rates = np.unique(np.concatenate([line.lrs for line in view.lines]))
    rows = []
    for lr in rates.tolist():
        here = [(line.losses[i], line.name) for line in view.lines for i in np.flatnonzero(line.lrs == lr)]
        known = sorted((loss, name) for loss, name in here if np.isfinite(loss))
        lost = len(here) - len(known)
        parts = [f"{words.name(name)} {words.number(loss)}" for loss, name in known]
        parts += [f"{lost} diverged"] if lost else []
        rows.append(";".join([f"peak rate {words.rate(lr)}", *parts]))
    return {"data_x": " ".join(f"{x:.1f}" for x in plane.x(rates).tolist()), "data_rows": "|".join(rows)}


def learning_chart(report: Report, race: Race, *, width: int = WIDE) -> Markup:
    """Return held-out loss over the steps of the advised run, the best constant rate and the defaults.

    Parameters
    ----------
    report : Report
    race : Race
    width : int
        `WIDE` or `NARROW`.

    Returns
    -------
    Markup
    """
    view = learning_view(race, has_answer=words.has_answer(report))
    # On a phone the names stand inside the plot.
    right = math.ceil(names_width(view, size=LABEL_SIZE)) if width == WIDE else 14
    height = 320 if width == WIDE else 300
    plane = with_levels(
        Plane(
            width=width, height=height, window=view.window, log_x=False, log_y=view.log_y, left=52, right=right, top=20
        )
    )
    dashes = iter(("none", *DASHES))
    paths = [
        element(
            "path",
            d=path_through(plane.x(line.steps), plane.y(line.losses)),
            class_=f"runner {line.role}",
            stroke_dasharray=next(dashes) if line.role == "default" else "none",
        )
        for line in view.lines
    ]
    labels = written(learning_labels(report, plane=plane, size=LABEL_SIZE))
    steps = step_axis(plane, label=steps_label(race, train_steps=report.recommendation.train_steps))
    return picture(
        [*level_axis(plane), *steps, *_level(view, plane=plane), clipped("learning", plane, *paths),
         *_sooner(view, plane=plane), *labels, cursor(plane)],
        plane=plane,
        key="learning",
        title=race_words.learning_title(race, has_answer=words.has_answer(report)),
        description=race_words.learning_subtitle(unit=words.loss_unit(report)),
        tabindex="0",
        **_learning_read_out(view, plane=plane),
    )  # fmt: skip


def _sooner(view: LearningView, *, plane: Plane) -> list[Markup]:
    """Return the level at which the best constant rate ends, from where the advised run crosses it."""
    if view.sooner is None:
        return []
    step, loss = view.sooner
    x, y = float(plane.x(step)), float(plane.y(loss))
    return [
        line_between(x, y, plane.width - plane.right, y, class_="reached"),
        line_between(x, y, x, plane.base, class_="reached"),
        element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, class_="mark"),
    ]


def _learning_read_out(view: LearningView, *, plane: Plane) -> dict[str, str]:
    steps = view.lines[-1].steps
    rows = [
        ";".join([f"step {step:,.0f}", *(f"{line.label} {_loss(line.losses[i])}" for line in reversed(view.lines))])
        for i, step in enumerate(steps.tolist())
    ]
    return {"data_x": " ".join(f"{x:.1f}" for x in plane.x(steps).tolist()), "data_rows": "|".join(rows)}


def _loss(value: float) -> str:
    return words.number(value) if np.isfinite(value) else "diverged"


def margin_strip(race: Race, margin: Margin) -> Markup:
    """Return how far ahead of the simplest schedule one ends, with its standard error; for a table's cell."""
    reach = _reach(race)
    middle, scale = 60.0, 52.0 / reach
    x, half = middle + scale * margin.ahead, scale * margin.ahead_se
    parts = [
        line_between(4, 8, 116, 8, class_="axis"),
        line_between(middle, 1, middle, 15, class_="zero"),
        line_between(x - half, 8, x + half, 8, class_="whisker"),
        element("circle", cx=f"{x:.1f}", cy=8, r=4, class_="dot"),
    ]
    return element("svg", *parts, class_="strip short", viewBox="0 0 120 16", aria_hidden="true", focusable="false")


def _reach(race: Race) -> float:
    ends: Floats = np.array([abs(m.ahead) + m.ahead_se for m in race.margins])
    return max(float(ends.max()), 1e-12)


def cost_bar(leader: Leader) -> Markup:
    """Return a share of the gain as a bar; for a table's cell."""
    share = min(max(leader.cost, 0.0), 1.0) if np.isfinite(leader.losses[-1]) else 1.0
    parts = [
        element("rect", x=0, y=3, width=220, height=10, rx=5, class_="track"),
        element("rect", x=0, y=3, width=f"{220 * share:.1f}", height=10, rx=5, class_="bar"),
    ]
    return element("svg", *parts, class_="strip", viewBox="0 0 220 16", aria_hidden="true", focusable="false")


def both_race(report: Report, *, name: str) -> Markup:
    """Return a chart of the race wide and narrow, or nothing where there was none.

    Parameters
    ----------
    report : Report
    name : {"race", "learning"}

    Returns
    -------
    Markup
    """
    race = report.race
    if race is None:
        return Markup("")
    chart = race_chart if name == "race" else learning_chart
    return Markup("").join(chart(report, race, width=width) for width in (WIDE, NARROW))
