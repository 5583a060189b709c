"""The page's own charts as inline SVG: crisp at any size, coloured by the page's style sheet, readable without script.

Each chart is drawn twice, wide and narrow, because text that scales with its picture cannot be read on a phone; the
style sheet shows one of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from lrfind.report import words
from lrfind.report.captions import answer_label, loss_labels, place_of, schedule_labels
from lrfind.report.curves import (
    Window,
    every_kth,
    gradient_curve,
    loss_window,
    marks,
    pooled_curve,
    rates,
    seed_curves,
)
from lrfind.report.svg import (
    LABEL_SIZE,
    NARROW,
    WIDE,
    Plane,
    band_between,
    clipped,
    coordinates,
    element,
    level_axis,
    line_between,
    path_through,
    picture,
    rate_axis,
    step_axis,
    text_at,
    with_levels,
    written,
)
from lrfind.report.titles import gradient_title, loss_subtitle, loss_title, schedule_title
from lrfind.schedule import values

if TYPE_CHECKING:
    from lrfind.report import Report
    from lrfind.report.curves import GradientCurve, Mark
    from lrfind.schedule import Schedule

# A seed's line on a phone needs no more points than the phone has pixels to tell apart.
NARROW_POINTS = 200


def advice_marks(report: Report, *, plane: Plane) -> tuple[list[Markup], list[Markup]]:
    """Return what lies under the curves, the shaded interval, and what lies above, the line at the rate."""
    advice, under, above = report.recommendation, [], []
    if advice.lr_low is not None or advice.lr_high is not None:
        left, right = plane.x(advice.lr_low or plane.window.x_low), plane.x(advice.lr_high or plane.window.x_high)
        size = {"x": f"{left:.1f}", "width": f"{right - left:.1f}"}
        under.append(element("rect", y=plane.top, height=plane.inner_height, class_="good", **size))
    if advice.lr is not None:
        x = float(plane.x(advice.lr))
        above.append(line_between(x, plane.top, x, plane.base, class_="rate"))
    return under, above


def loss_chart(report: Report, *, width: int = WIDE) -> Markup:
    """Return the range test: every seed, the pooled curve and its band, landmarks and the good interval.

    Parameters
    ----------
    report : Report
    width : int
        `WIDE` or `NARROW`.

    Returns
    -------
    Markup
        An ``svg`` element; its data attributes carry the curve for the read-out.
    """
    plane = with_levels(Plane(width=width, height=400 if width == WIDE else 320, window=loss_window(report)))
    under, above = advice_marks(report, plane=plane)
    lrs, pooled, low, high = pooled_curve(report)
    xs = plane.x(lrs)
    curve = [
        *(element("path", d=path, class_="seed") for path in _seed_paths(report, plane=plane)),
        element("path", d=band_between(xs, low=plane.y(low), high=plane.y(high)), class_="band"),
        element("path", d=path_through(xs, plane.y(pooled)), class_="pooled"),
    ]
    places = [part for mark in marks(report) for part in _mark(mark, plane=plane)]
    # A phone has room for names; the numbers are in the read-out.
    labels = written(loss_labels(report, plane=plane, size=LABEL_SIZE, is_short=width == NARROW))
    cursor = element(
        "g",
        line_between(0, plane.top, 0, plane.base),
        element("circle", r=4.5),
        class_="cursor",
        visibility="hidden",
    )
    return picture(
        [*under, *level_axis(plane), *rate_axis(plane), clipped("loss", plane, *curve),
         *_baseline(report, plane=plane), *above, *places, *labels, cursor],
        plane=plane,
        key="loss",
        title=loss_title(report),
        description=loss_subtitle(report),
        tabindex="0",
        **_read_out(report, plane=plane),
    )  # fmt: skip


def _seed_paths(report: Report, *, plane: Plane) -> list[str]:
    lrs, losses = seed_curves(report)
    keep = every_kth(lrs.size, most=NARROW_POINTS if plane.width == NARROW else lrs.size + 2)
    return [path_through(plane.x(lrs[keep]), plane.y(seed[keep])) for seed in losses]


def _read_out(report: Report, *, plane: Plane) -> dict[str, str]:
    """Return the pooled curve as data attributes: places on the picture, and the words to show there."""
    lrs, pooled, low, high = pooled_curve(report)
    known = np.isfinite(pooled) & (lrs <= plane.window.x_high)
    texts = {"lr": lrs, "loss": pooled, "low": low, "high": high}
    data = {f"data_{name}": " ".join(words.number(v) for v in values[known].tolist()) for name, values in texts.items()}
    data["data_x"] = " ".join(f"{x:.1f}" for x in plane.x(lrs[known]).tolist())
    data["data_y"] = " ".join(f"{y:.1f}" for y in np.clip(plane.y(pooled[known]), plane.top, plane.base).tolist())
    return {**data, "data_noise": words.number(report.analysis.noise)}


def _baseline(report: Report, *, plane: Plane) -> list[Markup]:
    level = report.problem.baseline_loss
    if not plane.window.y_low < level < plane.window.y_high:
        return []
    y = float(plane.y(level))
    return [line_between(plane.left, y, plane.width - plane.right, y, class_="baseline")]


def _mark(mark: Mark, *, plane: Plane) -> list[Markup]:
    x, y = place_of(mark, plane=plane)
    if mark.name == "divergence":
        return [line_between(x, plane.top, x, plane.base, class_="limit")]
    return [element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, class_="mark")]


def schedule_chart(schedule: Schedule, *, width: int = WIDE) -> Markup:
    """Return the schedule over the steps of the training run."""
    lrs = values(schedule)
    keep = every_kth(lrs.size, most=400)
    # A run of one step has no width of its own.
    window = Window(x_low=0, x_high=max(lrs.size - 1, 1), y_low=0, y_high=1.1 * float(lrs.max()))
    plane = with_levels(Plane(width=width, height=260, window=window, log_x=False, left=56))
    xs, ys = plane.x(keep.astype(np.float64)), plane.y(lrs[keep])
    area = f"M{xs[0]:.1f} {plane.base}L{'L'.join(coordinates(xs, ys))}L{xs[-1]:.1f} {plane.base}Z"
    parts = [
        *level_axis(plane),
        element("path", d=area, class_="good"),
        element("path", d=path_through(xs, ys), class_="plan"),
        *step_axis(plane),
        *written(schedule_labels(lrs, plane=plane, size=LABEL_SIZE)),
    ]
    return picture(
        parts, plane=plane, key="schedule", title=schedule_title(schedule), description="Learning rate at each step"
    )


def gradient_chart(report: Report, curve: GradientCurve, *, width: int = WIDE) -> Markup:
    """Return the gradient's norm against the rate, median and range over the seeds."""
    low, high = rates(report)
    window = Window(x_low=low, x_high=high, y_low=curve.window.y_low, y_high=curve.window.y_high)
    plane = with_levels(Plane(width=width, height=280, window=window, log_y=True, left=52))
    answer = written(answer_label(report.recommendation, plane=plane, size=LABEL_SIZE))
    under, above = advice_marks(report, plane=plane)
    xs = plane.x(curve.lrs)
    lines = [
        element("path", d=band_between(xs, low=plane.y(curve.low), high=plane.y(curve.high)), class_="band"),
        element("path", d=path_through(xs, plane.y(curve.median)), class_="pooled thin"),
    ]
    return picture(
        [*under, *level_axis(plane), *rate_axis(plane), clipped("gradient", plane, *lines), *above, *answer],
        plane=plane,
        key="gradient",
        title=gradient_title(report),
        description="Norm of the gradient: median and range over the seeds",
    )


def both(report: Report, *, name: str) -> Markup:
    """Return a chart wide and narrow, or nothing where the report has nothing to show.

    Parameters
    ----------
    report : Report
    name : {"loss", "schedule", "gradient"}

    Returns
    -------
    Markup
    """
    schedule, curve = report.recommendation.schedule, gradient_curve(report) if name == "gradient" else None
    drawn = []
    for width in (WIDE, NARROW):
        if name == "loss":
            drawn.append(loss_chart(report, width=width))
        elif name == "schedule" and schedule is not None:
            drawn.append(schedule_chart(schedule, width=width))
        elif curve is not None:
            drawn.append(gradient_chart(report, curve, width=width))
    return Markup("").join(drawn)


def _rules_window(report: Report) -> Window:
    """Return the rates that the rules and the advice span, with room at both ends."""
    advice = report.recommendation
    every = [*report.analysis.rules.values(), advice.lr, advice.lr_low, advice.lr_high]
    known = [lr for lr in every if lr is not None and 0 < lr < math.inf] or [*rates(report)]
    return Window(x_low=min(known) / 2, x_high=max(known) * 2, y_low=0, y_high=1)


def strip(report: Report, lr: float | None) -> Markup:
    """Return one rate as a dot beside the good interval; for a table's cell.

    Parameters
    ----------
    report : Report
    lr : float or None

    Returns
    -------
    Markup
        An ``svg`` element on the same scale for every rate of the report.
    """
    plane = Plane(width=220, height=16, window=_rules_window(report), left=4, right=4, top=0, bottom=0)
    advice = report.recommendation
    parts = [line_between(4, 8, plane.width - 4, 8, class_="axis")]
    if advice.lr_low is not None and advice.lr_high is not None:
        left, right = float(plane.x(advice.lr_low)), float(plane.x(advice.lr_high))
        parts.append(element("rect", x=f"{left:.1f}", y=1, width=f"{right - left:.1f}", height=14, rx=4, class_="good"))
    if lr is not None and 0 < lr < math.inf:
        parts.append(element("circle", cx=f"{float(plane.x(lr)):.1f}", cy=8, r=4, class_="dot"))
    return element("svg", *parts, class_="strip", viewBox="0 0 220 16", aria_hidden="true", focusable="false")


def ruler(report: Report) -> Markup:
    """Return the range of rates as a line, with the good interval, the rate and the stable limit on it.

    Parameters
    ----------
    report : Report

    Returns
    -------
    Markup
        An ``svg`` element, or nothing where no rate is recommended.
    """
    advice = report.recommendation
    if advice.lr is None:
        return Markup("")
    low, high = rates(report)
    window = Window(x_low=low, x_high=high, y_low=0, y_high=1)
    plane = Plane(width=300, height=44, window=window, left=6, right=6, top=0, bottom=0)
    parts = [line_between(plane.left, 12, plane.width - plane.right, 12, class_="axis")]
    if advice.lr_low is not None or advice.lr_high is not None:
        left, right = float(plane.x(advice.lr_low or low)), float(plane.x(advice.lr_high or high))
        size = {"x": f"{left:.1f}", "width": f"{max(right - left, 6):.1f}"}
        parts.append(element("rect", y=5, height=14, rx=7, class_="good", **size))
    if advice.lr_max_stable is not None and low <= advice.lr_max_stable <= high:
        x = float(plane.x(advice.lr_max_stable))
        parts.append(line_between(x, 4, x, 20, class_="limit"))
    parts.append(element("circle", cx=f"{float(plane.x(advice.lr)):.1f}", cy=12, r=5, class_="dot"))
    for lr, place, anchor in ((low, plane.left, "start"), (high, plane.width - plane.right, "end")):
        parts.append(text_at(words.rate(lr), place, 38, class_="tick", text_anchor=anchor))
    return element("svg", *parts, class_="ruler chart", viewBox="0 0 300 44", aria_hidden="true", focusable="false")
