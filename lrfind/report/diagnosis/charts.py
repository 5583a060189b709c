"""Charts of diagnoses for the page: the loss of a log with its findings and its rate, and several runs in one."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from lrfind.report import words
from lrfind.report.curves import Window
from lrfind.report.diagnosis import Diagnosis
from lrfind.report.diagnosis.plot import Curve
from lrfind.report.diagnosis.words import course, title
from lrfind.report.svg import (
    NARROW,
    WIDE,
    Plane,
    clipped,
    coordinates,
    element,
    level_axis,
    line_between,
    path_through,
    picture,
    step_axis,
    text_at,
)
from lrfind.text import place

# Pixels: of a chart of losses, and of the strip of rates beneath it.
HEIGHT, RATE_HEIGHT = 340, 130
# Steps marked on the narrowest chart.
FEWEST_STEPS = 4
# Pixels between the labels of two findings.
LABEL_ROW = 15
# Pixels a character of a label takes.
CHARACTER = 7.5


def log_charts(diagnosis: Diagnosis, curve: Curve, *, key: str) -> Markup:
    """Return the loss over the steps with the findings marked, and the rate beneath where it changed, wide and narrow.

    Parameters
    ----------
    diagnosis : Diagnosis
    curve : Curve
    key : str
        Begins the ids in the pictures.

    Returns
    -------
    Markup
    """
    drawn = []
    for width in (WIDE, NARROW):
        drawn.append(_loss_chart(diagnosis, curve, key=key, width=width))
        if len(curve.lr):
            drawn.append(_rate_chart(diagnosis, curve, key=f"{key}-rate", width=width))
    return Markup("").join(drawn)


def _loss_chart(diagnosis: Diagnosis, curve: Curve, *, key: str, width: int) -> Markup:
    window = Window(x_low=float(curve.step[0]), x_high=curve.last, y_low=curve.low, y_high=curve.high)
    plane = Plane(width=width, height=HEIGHT, window=window, log_x=False, log_y=curve.log_loss, left=56)
    low = curve.low if curve.log_loss else -np.inf
    lines = [
        element("path", d=path_through(plane.x(step), plane.y(np.maximum(loss, low))), class_=name)
        for step, loss, name in (
            (curve.step, curve.loss, "seed"),
            (curve.level_step, curve.level, "pooled"),
            (curve.val_step, curve.val_loss, "held-out"),
        )
        if len(step)
    ]
    return picture(
        [*level_axis(plane), *step_axis(plane, unit=diagnosis.log.step_unit, fewest=FEWEST_STEPS),
         clipped(key, plane, *lines), *_marks(curve, plane), *_names(curve, plane),
         *_remarks(curve, plane, unit=diagnosis.log.step_unit)],
        plane=plane, key=key, title=title(diagnosis), description=course(diagnosis),
    )  # fmt: skip


def _names(curve: Curve, plane: Plane) -> list[Markup]:
    """Name the two losses where they end, above and below each other."""
    if not len(curve.val_step):
        return []
    right = plane.width - plane.right
    training = float(np.clip(plane.y(max(float(curve.level[-1]), curve.low)), plane.top, plane.base))
    held_out = float(np.clip(plane.y(float(curve.val_loss[-1])), plane.top, plane.base))
    is_above = held_out <= training
    parts = []
    for name, y, up, style in (
        ("held out", held_out, is_above, "label answer-line"),
        ("training", training, not is_above, "label"),
    ):
        place = float(np.clip(y - 8 if up else y + 17, plane.top + 12, plane.base - 4))
        parts.append(text_at(name, right - 4, place, class_=style, text_anchor="end"))
    return parts


def _remarks(curve: Curve, plane: Plane, *, unit: str) -> list[Markup]:
    """Say where the loss is NaN from, and how high the highest point is that left the picture."""
    parts = []
    if curve.ending.since is not None:
        told = f"{curve.ending.kind} from {unit} {place(curve.ending.since)}"
        parts.append(_aside(told, (float(plane.x(curve.ending.since)), plane.base - 8), plane=plane))
    if curve.beyond is not None:
        step, loss = curve.beyond
        told = f"↑ {words.number(loss)} at {unit} {place(step)}"
        parts.append(_aside(told, (float(plane.x(step)), plane.top + LABEL_ROW), plane=plane))
    return parts


def _aside(label: str, at: tuple[float, float], *, plane: Plane) -> Markup:
    """Return a label beside a place, on the side that has room."""
    x, y = at
    is_late = x + 6 + CHARACTER * len(label) > plane.width - plane.right
    return text_at(
        label, x - 6 if is_late else x + 6, y, class_="label alarm", text_anchor="end" if is_late else "start"
    )


def _rate_chart(diagnosis: Diagnosis, curve: Curve, *, key: str, width: int) -> Markup:
    high = float(curve.lr.max())
    window = Window(x_low=float(curve.step[0]), x_high=curve.last, y_low=0.0, y_high=1.15 * high)
    plane = Plane(width=width, height=RATE_HEIGHT, window=window, log_x=False, left=56, top=22, bottom=40)
    xs, ys = plane.x(curve.lr_step), plane.y(curve.lr)
    area = f"M{xs[0]:.1f} {plane.base}L{'L'.join(coordinates(xs, ys))}L{xs[-1]:.1f} {plane.base}Z"
    top = float(plane.y(high))
    parts = [
        line_between(plane.left, top, plane.width - plane.right, top, class_="grid"),
        text_at(words.rate(high), plane.left - 8, top + 4, class_="tick", text_anchor="end"),
        text_at("0", plane.left - 8, plane.base + 4, class_="tick", text_anchor="end"),
        element("path", d=area, class_="good"),
        element("path", d=path_through(xs, ys), class_="plan"),
        *step_axis(plane, unit=diagnosis.log.step_unit, fewest=FEWEST_STEPS),
        text_at("learning rate", plane.left, plane.top - 8, class_="tick"),
    ]
    return picture(
        parts, plane=plane, key=key, title="Learning rate as logged", description=f"At most {words.rate(high)}"
    )


def _marks(curve: Curve, plane: Plane) -> list[Markup]:
    parts, ends = [], [-np.inf]
    for step, label in curve.labels:
        x = float(plane.x(step))
        is_late = x > plane.left + plane.inner_width / 2
        start = x - 5 - CHARACTER * len(label) if is_late else x + 5
        # Beside the labels before it, or in a row below them.
        row = next((row for row, end in enumerate(ends) if end < start), len(ends))
        ends[row : row + 1] = [start + CHARACTER * len(label)]
        parts.append(line_between(x, plane.top, x, plane.base, class_="limit"))
        parts.append(
            text_at(
                label,
                x - 5 if is_late else x + 5,
                plane.top - 6 + LABEL_ROW * row,
                class_="label alarm",
                text_anchor="end" if is_late else "start",
            )
        )
    return parts
