"""Several runs in one picture for the page: their losses over the steps, and what they reached against their rates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from lrfind.report.curves import Window
from lrfind.report.diagnosis.comparison import Comparison
from lrfind.report.diagnosis.comparison_plot import Dot, Dots, Line, Lines, dots_of, free_places, lines_of
from lrfind.report.diagnosis.run_colours import colour_of, dash_of
from lrfind.report.race.curves import spread
from lrfind.report.svg import (
    NARROW,
    WIDE,
    Plane,
    clipped,
    element,
    level_axis,
    line_between,
    path_through,
    picture,
    rate_axis,
    step_axis,
    text_at,
)

# Pixels: of a picture, and of one with a label for each of a dozen runs.
HEIGHT, RATES_HEIGHT = 340, 300
# Steps marked on the narrowest chart.
FEWEST_STEPS = 4
# Pixels: a character of a bold label, the sample of a line before its name, between the names of two lines, and between
# a line's end and the sample.
CHARACTER, KEY, LABEL_GAP, LEADER = 7.4, 22, 17, 16
# Half the size of the cross that ends a run which diverged.
CROSS = 4
# Pixels: the height of a label.
LABEL_HEIGHT = 15


def comparison_charts(comparison: Comparison) -> Markup:
    """Return the losses of several runs over their steps, wide and narrow, or nothing where there is nothing to draw.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Markup
    """
    lines = lines_of(comparison)
    if lines is None:
        return Markup("")
    return Markup("").join(_lines_chart(comparison, lines, width=width) for width in (WIDE, NARROW))


def rates_charts(comparison: Comparison) -> Markup:
    """Return what the runs reached against their peak rates, wide and narrow; nothing where two rates are not known.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Markup
    """
    dots = dots_of(comparison)
    if dots is None:
        return Markup("")
    return Markup("").join(_rates_chart(comparison, dots, width=width) for width in (WIDE, NARROW))


def _lines_chart(comparison: Comparison, lines: Lines, *, width: int) -> Markup:
    window = Window(x_low=lines.first, x_high=lines.last, y_low=lines.low, y_high=lines.high)
    labels = [line.label if width == WIDE else line.short for line in lines.lines]
    room = int(CHARACTER * max(map(len, labels))) + KEY + LEADER + 10
    plane = Plane(
        width=width, height=HEIGHT, window=window, log_x=False, log_y=lines.log_loss, left=56, right=room, top=16
    )
    drawn = [_path(line, lines, plane=plane) for line in reversed(lines.lines)]
    crosses = [_cross(*_end(line, lines, plane=plane)) for line in lines.lines if line.lost]
    names = _names(lines, labels, plane=plane)
    return picture(
        [*level_axis(plane), *step_axis(plane, unit=lines.unit, fewest=FEWEST_STEPS),
         clipped("compared", plane, *drawn), *crosses, *names, _pointer()],
        plane=plane, key="compared", title=comparison.best, description=f"{comparison.what} of each run",
        tabindex="0", data_hover="",
    )  # fmt: skip


def _pointer() -> Markup:
    """Return the ring that marks what is read out, hidden until something is."""
    return element("circle", r=5, class_="pointer", visibility="hidden")


def _end(line: Line, lines: Lines, *, plane: Plane) -> tuple[float, float]:
    y = plane.y(max(line.loss[-1], lines.low) if lines.log_loss else line.loss[-1])
    return float(plane.x(line.step[-1])), float(np.clip(y, plane.top, plane.base))


def _path(line: Line, lines: Lines, *, plane: Plane) -> Markup:
    # A logarithmic axis has no place for losses of 0 and below.
    loss = np.maximum(line.loss, lines.low) if lines.log_loss else line.loss
    xs, ys = plane.x(line.step), plane.y(loss)
    places = zip(xs.tolist(), np.clip(ys, plane.top, plane.base).tolist(), strict=True)
    return element(
        "path", d=path_through(xs, ys), class_=f"line run-{colour_of(line.rank)}{' best' if line.rank == 0 else ''}",
        stroke_dasharray=dash_of(line.rank) or "none", data_name=line.label,
        data_at=" ".join(f"{x:.0f},{y:.0f}" for x, y in places), data_told="|".join(line.told),
    )  # fmt: skip


def _cross(x: float, y: float) -> Markup:
    return element("path", d=f"M{x - CROSS:.1f} {y - CROSS:.1f}l8 8m0 -8l-8 8", class_="cross")


def _names(lines: Lines, labels: Sequence[str], *, plane: Plane) -> list[Markup]:
    """Return the names in a column, each after a sample of its line and joined to the end of it."""
    ends = [_end(line, lines, plane=plane) for line in lines.lines]
    column = plane.width - plane.right + LEADER
    heights = spread([y for _, y in ends], gap=LABEL_GAP, low=plane.top + 6, high=plane.base - 4)
    parts = []
    for line, label, (x, y), height in zip(lines.lines, labels, ends, heights, strict=True):
        colour = f"run-{colour_of(line.rank)}"
        best = " best" if line.rank == 0 else ""
        parts += [
            line_between(x + 2, y, column - 3, height, class_="lead"),
            line_between(column, height, column + KEY, height, class_=f"key {colour}{best}",
                         stroke_dasharray=dash_of(line.rank) or "none"),
            text_at(label, column + KEY + 5, height + 4, class_=f"label named {colour}{best}"),
        ]  # fmt: skip
    return parts


def _rates_chart(comparison: Comparison, dots: Dots, *, width: int) -> Markup:
    window = Window(x_low=dots.lr_low, x_high=dots.lr_high, y_low=dots.low, y_high=dots.high)
    plane = Plane(width=width, height=RATES_HEIGHT, window=window, log_y=dots.log_loss, left=56, top=26)
    lowest_of = {lr: min(dot.loss for dot in dots.dots if dot.lr == lr and dot.loss is not None)
                 for lr in {dot.lr for dot in dots.dots if dot.loss is not None}}  # fmt: skip
    rates = np.array(sorted(lowest_of))
    through = path_through(plane.x(rates), plane.y(np.array([lowest_of[lr] for lr in rates.tolist()])))
    drawn = [part for dot in reversed(dots.dots) for part in _dot(dot, plane=plane)]
    return picture(
        [*level_axis(plane), *rate_axis(plane, label="peak learning rate"),
         element("path", d=through, class_="through"), *drawn, *_dot_names(dots, plane=plane), _pointer()],
        plane=plane, key="rates", title=f"{comparison.what} against the peak learning rate",
        description=f"mean {comparison.what} of the last tenth of each run", tabindex="0", data_hover="",
    )  # fmt: skip


def _at(dot: Dot, *, plane: Plane) -> tuple[float, float]:
    """Return where a dot lies; runs that diverged at the top edge."""
    return float(plane.x(dot.lr)), plane.top + CROSS if dot.loss is None else float(plane.y(dot.loss))


def _dot(dot: Dot, *, plane: Plane) -> list[Markup]:
    x, y = _at(dot, plane=plane)
    read = {"data_name": dot.label, "data_at": f"{x:.0f},{y:.0f}", "data_told": dot.told}
    if dot.loss is None:
        return [element("path", d=f"M{x - CROSS:.1f} {y - CROSS:.1f}l8 8m0 -8l-8 8", class_="cross", **read)]
    colour = f"run-{colour_of(dot.rank)}"
    parts = []
    if dot.lowest is not None:
        low = float(plane.y(dot.lowest))
        parts = [
            line_between(x, y, x, low, class_=f"reach {colour}"),
            element("circle", cx=f"{x:.1f}", cy=f"{low:.1f}", r=3.5, class_=f"ring {colour}"),
        ]
    point = element(
        "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=5.5 if dot.rank == 0 else 4.5, class_=f"point {colour}", **read
    )
    return [*parts, point]


def _dot_names(dots: Dots, *, plane: Plane) -> list[Markup]:
    """Return the names of the dots, the best first, each in a place beside it that is free, or nowhere."""
    marks = [_at(dot, plane=plane) for dot in dots.dots]
    rings = [(float(plane.x(dot.lr)), float(plane.y(dot.lowest))) for dot in dots.dots if dot.lowest is not None]
    taken = [(x - CROSS - 2, y - CROSS - 2, x + CROSS + 2, y + CROSS + 2) for x, y in (*marks, *rings)]
    labels = [dot.label if plane.width == WIDE else dot.short for dot in dots.dots]
    places = free_places(
        marks, [CHARACTER * len(label) for label in labels], taken=taken, height=LABEL_HEIGHT,
        room=(plane.left, 0, plane.width - 2, plane.base),
    )  # fmt: skip
    return [
        text_at(
            label, place.x, place.y, text_anchor=place.anchor,
            class_=f"label named {'alarm' if dot.loss is None else f'run-{colour_of(dot.rank)}'}",
        )
        for dot, label, place in zip(dots.dots, labels, places, strict=True)
        if place is not None
    ]  # fmt: skip
