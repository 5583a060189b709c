"""Which labels the charts of a race carry, in pixels of the page or points of a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrfind.report import words
from lrfind.report.captions import across, answer_label, dot_box, label_room, level_label, upright
from lrfind.report.labels import Box, Label, Points, placed, placed_together, points_along, text_width
from lrfind.report.race import words as race_words
from lrfind.report.race.curves import learning_view, race_view, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrfind.race import Race
    from lrfind.report import Report
    from lrfind.report.race.curves import LearningView, RaceView
    from lrfind.report.svg import Plane

# In sizes of the font: between the middles of two names, and from the end of a line to its name.
ROW, LEADER = 1.36, 1.1
# Name of the thick curve.
FIT = "fitted curve"


def names_beside(
    ends: Sequence[tuple[float, float]], texts: Sequence[str], *, roles: Sequence[str], plane: Plane, size: float
) -> list[Label]:
    """Return names in one column, each as near to the end of its line as the others let it.

    Parameters
    ----------
    ends : sequence of (x, y)
    texts, roles : sequence of str
    plane : Plane
    size : float
        Of the font.

    Returns
    -------
    list of Label
    """
    if not ends:
        return []
    widest = max(text_width(text, size=size, bold=True) for text in texts)
    column = min(max(x for x, _ in ends) + LEADER * size, plane.width - widest - 4)
    heights = spread([y for _, y in ends], gap=ROW * size, low=plane.top + size, high=plane.base - 0.7 * size)
    return [
        Label(
            text=text, kind=f"named {role}", x=column, y=height + 0.32 * size, size=size, point=end,
            bold=role in {"advised", "simplest"},
        )
        for end, text, role, height in zip(ends, texts, roles, heights, strict=True)
    ]  # fmt: skip


def race_labels(report: Report, *, plane: Plane, size: float) -> list[Label]:
    """Return the labels of the race: the rate, the strong schedules, and what else is drawn.

    Parameters
    ----------
    report : Report
        With a race.
    plane : Plane
    size : float
        Of the font.

    Returns
    -------
    list of Label
        None on another.
    """
    race = report.race
    assert race is not None  # noqa: S101 - only then there is something to label
    view, room = race_view(race), label_room(plane, size=size)
    strong = [line for line in view.lines if line.role != "other"]
    fit = points_along(plane.x(view.fit_lrs), plane.y(view.fit_losses))
    lines = [
        *(points_along(plane.x(line.lrs), plane.y(line.losses)) for line in strong),
        fit,
        across(view.level, plane=plane),
        *upright(report.recommendation.lr, plane=plane),
    ]
    crosses = [dot_box(float(x), plane.top + 0.55 * size, size=size) for x in plane.x(view.lost)]
    dots = [
        *crosses,
        *(dot_box(float(x), plane.base - 0.3 * size, size=size) for x in plane.x(np.array([race.expected_lr]))),
    ]
    answer = placed(answer_label(report.recommendation, plane=plane, size=size), room=room)
    names = placed_together(
        _names(view, plane=plane, size=size), room=room, taken=[*dots, *(each.box for each in answer)], lines=lines
    )
    others = [
        *_diverged(view, plane=plane, size=size),
        level_label(view.level, x=plane.left + 0.3 * size, anchor="start", plane=plane, size=size),
        *_expected(report, plane=plane, size=size),
        *_fitted(fit, plane=plane, size=size),
    ]
    done = [*answer, *names]
    taken = [*dots, *(each.box for each in done)]
    return [*done, *placed(others, room=room, taken=taken, lines=lines)]


def _names(view: RaceView, *, plane: Plane, size: float) -> list[Label]:
    strong = [(line, end) for line in view.lines if line.role != "other" and (end := view.end(line)) is not None]
    ends = [(float(plane.x(line.lrs[end])), float(plane.y(line.losses[end]))) for line, end in strong]
    texts = [words.name(line.name) for line, _ in strong]
    return names_beside(ends, texts, roles=[line.role for line, _ in strong], plane=plane, size=size)


def _diverged(view: RaceView, *, plane: Plane, size: float) -> list[Label]:
    if not view.lost.size:
        return []
    x, y = float(plane.x(view.lost[0])), plane.top + 0.55 * size
    return [
        Label(
            text="diverged", kind="alarm", x=x - 0.6 * size, y=y + 0.32 * size, anchor="end", size=size, bold=True,
            point=(x, y),
        )
    ]  # fmt: skip


def _expected(report: Report, *, plane: Plane, size: float) -> list[Label]:
    race = report.race
    assert race is not None  # noqa: S101 - only then there is something to label
    x, y, is_left = float(plane.x(race.expected_lr)), plane.base - 0.4 * size, race.expected_lr <= race.winner.lr
    if not plane.left <= x <= plane.width - plane.right:
        return []
    return [
        Label(
            text=race_words.expectation(race), kind="quiet", x=x + (-0.65 if is_left else 0.65) * size, y=y,
            anchor="end" if is_left else "start", size=size, point=(x, y),
        )
    ]  # fmt: skip


def _fitted(fit: Points, *, plane: Plane, size: float) -> list[Label]:
    """Return the name of the thick curve, at the left end of what is in sight of it."""
    low, high = (plane.left, plane.top), (plane.width - plane.right, plane.base)
    seen = fit[((fit >= low) & (fit <= high)).all(axis=1)]
    if not len(seen):
        return []
    x, y = seen[0].tolist()
    return [Label(text=FIT, kind="fitted", x=x, y=y - 0.7 * size, size=size, point=(x, y))]


def learning_labels(report: Report, *, plane: Plane, size: float) -> list[Label]:
    """Return the labels of the runs that were watched; their names stand right of the plot where there is a margin.

    Parameters
    ----------
    report : Report
        With a race.
    plane : Plane
    size : float
        Of the font.

    Returns
    -------
    list of Label
        None on another.
    """
    race = report.race
    assert race is not None  # noqa: S101 - only then there is something to label
    view, room = learning_view(race, has_answer=words.has_answer(report)), label_room(plane, size=size)
    lines = [
        *(points_along(plane.x(line.steps), plane.y(line.losses)) for line in view.lines),
        across(view.level, plane=plane),
    ]
    names = placed_together(_watched(view, plane=plane, size=size), room=room, lines=lines)
    others = [
        *_sooner(view, plane=plane, size=size),
        level_label(view.level, x=plane.left + 0.3 * size, anchor="start", plane=plane, size=size),
    ]
    inside = Box(room.left, room.top, plane.width - plane.right, room.bottom)
    return [*names, *placed(others, room=inside, taken=[each.box for each in names], lines=lines)]


def steps_label(race: Race, *, train_steps: int) -> str:
    """Return the name of the axis of steps: a fold trains on fewer rows than the advice is for, for as many epochs.

    Parameters
    ----------
    race : Race
    train_steps : int
        Of the run that the advice is for.

    Returns
    -------
    str
    """
    if race.n_steps == train_steps:
        return "step"
    return f"step: {race.n_steps:,} on the rows of a fold, {train_steps:,} on all"


def _watched(view: LearningView, *, plane: Plane, size: float) -> list[Label]:
    # A run that diverged, or left the picture, has its name at the top.
    edge = plane.width - plane.right
    heights = np.clip(
        np.nan_to_num([float(plane.y(line.losses[-1])) for line in view.lines], nan=plane.top), plane.top, plane.base
    )
    ends = [(edge, float(height)) for height in heights]
    return names_beside(
        ends, [line.label for line in view.lines], roles=[line.role for line in view.lines], plane=plane, size=size
    )


def names_width(view: LearningView, *, size: float) -> float:
    """Return the margin that the names of the watched runs need."""
    return max(text_width(line.label, size=size, bold=True) for line in view.lines) + (LEADER + 0.5) * size


def _sooner(view: LearningView, *, plane: Plane, size: float) -> list[Label]:
    if view.sooner is None:
        return []
    x, foot = float(plane.x(view.sooner[0])), plane.base - 0.65 * size
    return [
        Label(text=view.sooner_label, kind="plain", x=x - 0.6 * size, y=foot, anchor="end", size=size, point=(x, foot))
    ]
