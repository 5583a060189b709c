"""The page's own charts as inline SVG: crisp at any size, coloured by the page's style sheet, readable without script.

Each chart is drawn twice, wide and narrow, because text that scales with its picture cannot be read on a phone; the
style sheet shows one of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from lrfind.report import words
from lrfind.report.curves import (
    Floats,
    Window,
    clear_of_rise,
    every_kth,
    gradient_curve,
    loss_window,
    marks,
    pooled_curve,
    rates,
    seed_curves,
)
from lrfind.report.titles import gradient_title, loss_subtitle, loss_title, schedule_title
from lrfind.schedule import values

if TYPE_CHECKING:
    from lrfind.report import Report
    from lrfind.report.curves import GradientCurve, Mark
    from lrfind.schedule import Schedule

WIDE, NARROW = 880, 350
# A seed's line on a phone needs no more points than the phone has pixels to tell apart.
NARROW_POINTS = 200
# Characters of 12-pixel text are about 6.5 pixels wide: used to keep labels inside the picture.
CHARACTER = 6.7
# Half the width of the recommended rate above a plot, and air.
ANSWER_ROOM = 36


def element(name: str, *children: str, **attributes: object) -> Markup:
    """Return one SVG element; attributes and text are escaped, `Markup` children are kept.

    A trailing underscore of an attribute's name is dropped and the others become hyphens: ``class_``, ``text_anchor``.
    """
    pairs = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items()
    )
    inner = Markup("").join(children)
    whole = Markup("<{0}{1}>{2}</{0}>") if inner else Markup("<{0}{1}/>")
    return whole.format(name, pairs, inner)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plane:
    """A plot's rectangle on the picture and the window it shows."""

    width: int
    height: int
    window: Window
    left: int = 46
    right: int = 14
    top: int = 34
    bottom: int = 44
    log_x: bool = True
    log_y: bool = False

    def x(self, value: Floats | float) -> Floats:
        return (
            self.left
            + self._share(value, low=self.window.x_low, high=self.window.x_high, log=self.log_x) * self.inner_width
        )

    def y(self, value: Floats | float) -> Floats:
        share = self._share(value, low=self.window.y_low, high=self.window.y_high, log=self.log_y)
        # What leaves the window goes one height beyond it: the clip hides it, and numbers stay short.
        return self.height - self.bottom - np.clip(share, -1, 2) * self.inner_height

    @property
    def inner_width(self) -> int:
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> int:
        return self.height - self.top - self.bottom

    @property
    def base(self) -> int:
        return self.height - self.bottom

    @staticmethod
    def _share(value: Floats | float, *, low: float, high: float, log: bool) -> Floats:
        numbers = np.asarray(value, dtype=np.float64)
        if log:
            return np.asarray((np.log(numbers) - math.log(low)) / (math.log(high) - math.log(low)))
        return np.asarray((numbers - low) / (high - low))


def _coordinates(xs: Floats, ys: Floats) -> list[str]:
    return [f"{x:.1f} {y:.1f}" for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]


def _path(xs: Floats, ys: Floats) -> str:
    """Return a path that breaks where a value is not known."""
    pieces: list[str] = []
    pen_up = True
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        if not math.isfinite(y):
            pen_up = True
            continue
        pieces.append(f"{'M' if pen_up else 'L'}{x:.1f} {y:.1f}")
        pen_up = False
    return "".join(pieces)


def _band(xs: Floats, *, low: Floats, high: Floats) -> str:
    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return ""
    there = _coordinates(xs[known], high[known])
    back = _coordinates(xs[known][::-1], low[known][::-1])
    return f"M{'L'.join([*there, *back])}Z"


def _text(text: str, x: float, y: float, **attributes: object) -> Markup:  # noqa: PLR0917 - a label and its place
    return element("text", text, x=f"{float(x):.1f}", y=f"{float(y):.1f}", **attributes)


def _line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:  # noqa: PLR0917 - two points
    places = {key: f"{float(value):.1f}" for key, value in (("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2))}
    return element("line", **places, **attributes)


def _picture(
    parts: Iterable[str], *, plane: _Plane, key: str, title: str, description: str, **attributes: object
) -> Markup:
    """Return a whole picture with its title and description for those who cannot see it."""
    size = "wide" if plane.width == WIDE else "narrow"
    clip = element(
        "clipPath",
        element("rect", x=plane.left, y=plane.top, width=plane.inner_width, height=plane.inner_height),
        id=f"{key}-{size}-clip",
    )
    return element(
        "svg",
        element("title", title, id=f"{key}-{size}-title"),
        element("desc", description, id=f"{key}-{size}-desc"),
        element("defs", clip),
        *parts,
        class_=f"chart {size}",
        viewBox=f"0 0 {plane.width} {plane.height}",
        role="img",
        aria_labelledby=f"{key}-{size}-title {key}-{size}-desc",
        **attributes,
    )


def _clipped(key: str, plane: _Plane, *children: str) -> Markup:
    size = "wide" if plane.width == WIDE else "narrow"
    return element("g", *children, clip_path=f"url(#{key}-{size}-clip)")


def _decades(low: float, high: float, *, most: int) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / most))
    return [10.0**exponent for exponent in range(first, last + 1, every)]


# Steps a reader adds up without thinking.
NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def _round_numbers(low: float, high: float, *, most: int) -> list[float]:
    """Return at most about `most` round numbers between two values."""
    rough = (high - low) / most
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(magnitude * nice for nice in NICE_STEPS if magnitude * nice >= rough * (1 - 1e-9))
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _rate_axis(plane: _Plane) -> list[Markup]:
    # A label such as "0.0001" and its air take about 60 pixels.
    places = _decades(plane.window.x_low, plane.window.x_high, most=max(2, plane.inner_width // 60))
    parts = [_line(plane.left, plane.base, plane.width - plane.right, plane.base, class_="axis")]
    for lr in places:
        x = float(plane.x(lr))
        parts.append(_line(x, plane.base, x, plane.base + 5, class_="axis"))
        parts.append(_text(words.tick(lr), x, plane.base + 19, class_="tick", text_anchor="middle"))
    parts.append(_text("learning rate", plane.width - plane.right, plane.base + 38, class_="tick", text_anchor="end"))
    return parts


def _level_axis(plane: _Plane) -> list[Markup]:
    """Return grid lines with their numbers."""
    if plane.log_y:
        levels = _decades(plane.window.y_low, plane.window.y_high, most=5)
    else:
        levels = _round_numbers(plane.window.y_low, plane.window.y_high, most=5)
    parts = []
    for level in levels:
        y = float(plane.y(level))
        parts.append(_line(plane.left, y, plane.width - plane.right, y, class_="grid"))
        label = words.tick(level) if plane.log_y else f"{level:.3g}"
        parts.append(_text(label, plane.left - 8, y + 4, class_="tick", text_anchor="end"))
    return parts


def _advice(report: Report, *, plane: _Plane) -> tuple[list[Markup], list[Markup]]:
    """Return what lies under the curves, the shaded interval, and what lies above, the rate and its number."""
    advice, under, above = report.recommendation, [], []
    if advice.lr_low is not None or advice.lr_high is not None:
        left, right = plane.x(advice.lr_low or plane.window.x_low), plane.x(advice.lr_high or plane.window.x_high)
        size = {"x": f"{left:.1f}", "width": f"{right - left:.1f}"}
        under.append(element("rect", y=plane.top, height=plane.inner_height, class_="good", **size))
    if advice.lr is not None:
        x = float(plane.x(advice.lr))
        above.append(_line(x, plane.top, x, plane.base, class_="rate"))
        above.append(_text(words.rate(advice.lr), x, plane.top - 9, class_="answer", text_anchor="middle"))
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
    plane = _Plane(width=width, height=400 if width == WIDE else 320, window=loss_window(report))
    under, above = _advice(report, plane=plane)
    lrs, pooled, low, high = pooled_curve(report)
    xs = plane.x(lrs)
    curve = [
        *(element("path", d=path, class_="seed") for path in _seed_paths(report, plane=plane)),
        element("path", d=_band(xs, low=plane.y(low), high=plane.y(high)), class_="band"),
        element("path", d=_path(xs, plane.y(pooled)), class_="pooled"),
    ]
    placed = [part for mark in marks(report) for part in _mark(mark, plane=plane, report=report)]
    cursor = element(
        "g",
        _line(0, plane.top, 0, plane.base),
        element("circle", r=4.5),
        class_="cursor",
        visibility="hidden",
    )
    return _picture(
        [*under, *_level_axis(plane), *_rate_axis(plane), _clipped("loss", plane, *curve),
         *_baseline(report, plane=plane), *above, *placed, cursor],
        plane=plane,
        key="loss",
        title=loss_title(report),
        description=loss_subtitle(report),
        tabindex="0",
        **_read_out(report, plane=plane),
    )  # fmt: skip


def _seed_paths(report: Report, *, plane: _Plane) -> list[str]:
    lrs, losses = seed_curves(report)
    keep = every_kth(lrs.size, most=NARROW_POINTS if plane.width == NARROW else lrs.size + 2)
    return [_path(plane.x(lrs[keep]), plane.y(seed[keep])) for seed in losses]


def _read_out(report: Report, *, plane: _Plane) -> dict[str, str]:
    """Return the pooled curve as data attributes: places on the picture, and the words to show there."""
    lrs, pooled, low, high = pooled_curve(report)
    known = np.isfinite(pooled) & (lrs <= plane.window.x_high)
    texts = {"lr": lrs, "loss": pooled, "low": low, "high": high}
    data = {f"data_{name}": " ".join(words.number(v) for v in values[known].tolist()) for name, values in texts.items()}
    data["data_x"] = " ".join(f"{x:.1f}" for x in plane.x(lrs[known]).tolist())
    data["data_y"] = " ".join(f"{y:.1f}" for y in np.clip(plane.y(pooled[known]), plane.top, plane.base).tolist())
    return {**data, "data_noise": words.number(report.analysis.noise)}


def _baseline(report: Report, *, plane: _Plane) -> list[Markup]:
    level = report.problem.baseline_loss
    if not plane.window.y_low < level < plane.window.y_high:
        return []
    y = float(plane.y(level))
    label = f"knowing nothing {words.number(level)}" if plane.width == WIDE else "knowing nothing"
    right = float(plane.x(clear_of_rise(report))) - 8
    steepest = report.analysis.steepest
    left = plane.left if steepest is None else float(plane.x(steepest.lr))
    place: dict[str, object] = {"x": right, "y": y - 7, "text_anchor": "end"}
    if right - left < CHARACTER * len(label):
        # No room in the valley of the curve: under the line at its start.
        place = {"x": plane.left + 4, "y": y + 16, "text_anchor": "start"}
    return [
        _line(plane.left, y, plane.width - plane.right, y, class_="baseline"),
        element("text", label, class_="label quiet", **place),
    ]


# Where a landmark's label stands, in pixels from it, and which of its ends is there: clear of a falling curve.
LABEL_PLACES = {"onset": (7, -9, "start"), "steepest": (-12, 16, "end"), "minimum": (0, 24, "middle")}
# Height of the label of divergence where the top is taken: above the label of the lowest loss.
LIMIT_LABEL_HEIGHT = 0.25


def _mark(mark: Mark, *, plane: _Plane, report: Report) -> list[Markup]:
    # A phone has room for names; the numbers are in the read-out.
    label = f"{mark.label} {words.rate(mark.lr)}" if plane.width == WIDE else mark.label
    x, y = float(plane.x(mark.lr)), float(np.clip(plane.y(mark.loss), plane.top, plane.base))
    if mark.name == "divergence":
        return [_line(x, plane.top, x, plane.base, class_="limit"), _limit_label(label, x, plane=plane, report=report)]
    right, down, anchor = LABEL_PLACES[mark.name]
    half = CHARACTER * len(label) / 2
    inside = min(max(x, plane.left + half), plane.width - plane.right - half)
    return [
        element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, class_="mark"),
        _text(label, inside if anchor == "middle" else x + right, y + down, class_="label", text_anchor=anchor),
    ]


def _limit_label(label: str, x: float, *, plane: _Plane, report: Report) -> Markup:
    """Return the label of divergence: on top of its line, or left of it where the answer's own label is too near."""
    half, lr = CHARACTER * len(label) / 2, report.recommendation.lr
    inside = min(x, plane.width - half - 2)
    if lr is None or abs(inside - float(plane.x(lr))) > half + ANSWER_ROOM:
        return _text(label, inside, plane.top - 9, class_="label alarm", text_anchor="middle")
    height = plane.base - LIMIT_LABEL_HEIGHT * plane.inner_height
    return _text(label, x - 7, height, class_="label alarm", text_anchor="end")


def schedule_chart(schedule: Schedule, *, width: int = WIDE) -> Markup:
    """Return the schedule over the steps of the training run."""
    lrs = values(schedule)
    keep = every_kth(lrs.size, most=400)
    # A run of one step has no width of its own.
    window = Window(x_low=0, x_high=max(lrs.size - 1, 1), y_low=0, y_high=1.1 * float(lrs.max()))
    plane = _Plane(width=width, height=260, window=window, log_x=False, left=56)
    xs, ys = plane.x(keep.astype(np.float64)), plane.y(lrs[keep])
    area = f"M{xs[0]:.1f} {plane.base}L{'L'.join(_coordinates(xs, ys))}L{xs[-1]:.1f} {plane.base}Z"
    peak = int(np.argmax(lrs))
    x = float(plane.x(float(peak)))
    # The label stands where the room is.
    anchor, beside = ("start", x + 8) if x < plane.width / 2 else ("end", x - 8)
    parts = [
        *_level_axis(plane),
        element("path", d=area, class_="good"),
        element("path", d=_path(xs, ys), class_="plan"),
        _line(plane.left, plane.base, plane.width - plane.right, plane.base, class_="axis"),
        *(
            _text(f"{step:,.0f}", float(plane.x(step)), plane.base + 19, class_="tick", text_anchor="middle")
            for step in _round_numbers(0, window.x_high, most=max(2, plane.inner_width // 110))
            if step == int(step)
        ),
        _text("step", plane.width - plane.right, plane.base + 38, class_="tick", text_anchor="end"),
        _text(
            f"peak {words.rate(float(lrs[peak]))}",
            beside,
            float(plane.y(lrs[peak])) - 8,
            class_="answer",
            text_anchor=anchor,
        ),
    ]
    return _picture(
        parts, plane=plane, key="schedule", title=schedule_title(schedule), description="Learning rate at each step"
    )


def gradient_chart(report: Report, curve: GradientCurve, *, width: int = WIDE) -> Markup:
    """Return the gradient's norm against the rate, median and range over the seeds."""
    low, high = rates(report)
    window = Window(x_low=low, x_high=high, y_low=curve.window.y_low, y_high=curve.window.y_high)
    plane = _Plane(width=width, height=280, window=window, log_y=True, left=52)
    under, above = _advice(report, plane=plane)
    xs = plane.x(curve.lrs)
    lines = [
        element("path", d=_band(xs, low=plane.y(curve.low), high=plane.y(curve.high)), class_="band"),
        element("path", d=_path(xs, plane.y(curve.median)), class_="pooled thin"),
    ]
    return _picture(
        [*under, *_level_axis(plane), *_rate_axis(plane), _clipped("gradient", plane, *lines), *above],
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
    plane = _Plane(width=220, height=16, window=_rules_window(report), left=4, right=4, top=0, bottom=0)
    advice = report.recommendation
    parts = [_line(4, 8, plane.width - 4, 8, class_="axis")]
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
    plane = _Plane(width=300, height=44, window=window, left=6, right=6, top=0, bottom=0)
    parts = [_line(plane.left, 12, plane.width - plane.right, 12, class_="axis")]
    if advice.lr_low is not None or advice.lr_high is not None:
        left, right = float(plane.x(advice.lr_low or low)), float(plane.x(advice.lr_high or high))
        size = {"x": f"{left:.1f}", "width": f"{max(right - left, 6):.1f}"}
        parts.append(element("rect", y=5, height=14, rx=7, class_="good", **size))
    if advice.lr_max_stable is not None and low <= advice.lr_max_stable <= high:
        x = float(plane.x(advice.lr_max_stable))
        parts.append(_line(x, 4, x, 20, class_="limit"))
    parts.append(element("circle", cx=f"{float(plane.x(advice.lr)):.1f}", cy=12, r=5, class_="dot"))
    for lr, place, anchor in ((low, plane.left, "start"), (high, plane.width - plane.right, "end")):
        parts.append(_text(words.rate(lr), place, 38, class_="tick", text_anchor=anchor))
    return element("svg", *parts, class_="ruler chart", viewBox="0 0 300 44", aria_hidden="true", focusable="false")
