"""Pieces of SVG that the page's charts are made of: elements that escape what they hold, planes, axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup

from lrfind.report import words
from lrfind.report.curves import Floats, Window
from lrfind.report.labels import Label, text_width

# Pixels across; a picture is shown about as large as it was drawn.
WIDE, NARROW = 880, 350
# Of the style sheet's fonts, in pixels: of labels, and of the numbers of an axis.
LABEL_SIZE, TICK_SIZE = 12.5, 12.0
# Between the numbers of levels and the plot.
LEVEL_GAP = 8


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
class Plane:
    """A plot's rectangle on the picture and the window it shows.

    Attributes
    ----------
    width, height : float
        Of the picture, in pixels or points.
    window : Window
    left, right, top, bottom : float
        Margins.
    log_x, log_y : bool
        Whether an axis is logarithmic.
    """

    width: float
    height: float
    window: Window
    left: float = 46
    right: float = 14
    top: float = 34
    bottom: float = 44
    log_x: bool = True
    log_y: bool = False

    def x(self, value: Floats | float) -> Floats:
        """Return the places of rates or steps, in pixels from the left."""
        share = self._share(value, low=self.window.x_low, high=self.window.x_high, log=self.log_x)
        return self.left + share * self.inner_width

    def y(self, value: Floats | float) -> Floats:
        """Return the places of losses or norms, in pixels from the top."""
        share = self._share(value, low=self.window.y_low, high=self.window.y_high, log=self.log_y)
        # What leaves the window goes one height beyond it: the clip hides it, and numbers stay short.
        return self.height - self.bottom - np.clip(share, -1, 2) * self.inner_height

    @property
    def inner_width(self) -> float:
        """Pixels between the margins."""
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> float:
        """Pixels between the margins."""
        return self.height - self.top - self.bottom

    @property
    def base(self) -> float:
        """Where the horizontal axis lies, in pixels from the top."""
        return self.height - self.bottom

    @staticmethod
    def _share(value: Floats | float, *, low: float, high: float, log: bool) -> Floats:
        numbers = np.asarray(value, dtype=np.float64)
        if log:
            return np.asarray((np.log(numbers) - math.log(low)) / (math.log(high) - math.log(low)))
        return np.asarray((numbers - low) / (high - low))


def coordinates(xs: Floats, ys: Floats) -> list[str]:
    """Return "x y" of each point."""
    return [f"{x:.1f} {y:.1f}" for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]


def path_through(xs: Floats, ys: Floats) -> str:
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


def band_between(xs: Floats, *, low: Floats, high: Floats) -> str:
    """Return the outline of what lies between two curves, where both are known."""
    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return ""
    there = coordinates(xs[known], high[known])
    back = coordinates(xs[known][::-1], low[known][::-1])
    return f"M{'L'.join([*there, *back])}Z"


def text_at(text: str, x: float, y: float, **attributes: object) -> Markup:  # noqa: PLR0917 - a label and its place
    """Return a label."""
    return element("text", text, x=f"{float(x):.1f}", y=f"{float(y):.1f}", **attributes)


def line_between(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:  # noqa: PLR0917 - two points
    """Return a straight line."""
    places = {key: f"{float(value):.1f}" for key, value in (("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2))}
    return element("line", **places, **attributes)


def picture(
    parts: Iterable[str], *, plane: Plane, key: str, title: str, description: str, **attributes: object
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


def clipped(key: str, plane: Plane, *children: str) -> Markup:
    """Return the parts, cut off at the plane's edges."""
    size = "wide" if plane.width == WIDE else "narrow"
    return element("g", *children, clip_path=f"url(#{key}-{size}-clip)")


def decades(low: float, high: float, *, most: int) -> list[float]:
    """Return powers of ten between two values, at most about `most` of them."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / most))
    return [10.0**exponent for exponent in range(first, last + 1, every)]


# Steps a reader adds up without thinking.
NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def round_numbers(low: float, high: float, *, most: int) -> list[float]:
    """Return at most about `most` round numbers between two values."""
    rough = (high - low) / most
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(magnitude * nice for nice in NICE_STEPS if magnitude * nice >= rough * (1 - 1e-9))
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def rate_axis(plane: Plane, *, label: str = "learning rate") -> list[Markup]:
    """Return the horizontal axis, with real numbers at powers of ten."""
    # A label such as "0.0001" and its air take about 60 pixels.
    places = log_levels(plane.window.x_low, plane.window.x_high, most=max(2, int(plane.inner_width // 60)))
    parts = [line_between(plane.left, plane.base, plane.width - plane.right, plane.base, class_="axis")]
    for lr in places:
        x = float(plane.x(lr))
        parts.append(line_between(x, plane.base, x, plane.base + 5, class_="axis"))
    parts += _numbers([(float(plane.x(lr)), log_label(lr)) for lr in places], plane=plane)
    parts.append(text_at(label, plane.width - plane.right, plane.base + 38, class_="tick", text_anchor="end"))
    return parts


def _numbers(marks: Sequence[tuple[float, str]], *, plane: Plane) -> list[Markup]:
    """Return the numbers of a horizontal axis, inside the picture; one that would touch the last is left out."""
    parts, free = [], 0.0
    for x, text in marks:
        half = text_width(text, size=TICK_SIZE) / 2
        middle = min(max(x, half + 1), plane.width - half - 1)
        if middle - half >= free:
            parts.append(text_at(text, middle, plane.base + 19, class_="tick", text_anchor="middle"))
            free = middle + half + TICK_SIZE / 2
    return parts


def step_axis(plane: Plane, *, unit: str = "step", fewest: int = 2, label: str = "") -> list[Markup]:
    """Return the horizontal axis of a picture over steps, or over what else they count.

    Parameters
    ----------
    plane : Plane
    unit : str
        Epochs may be marked between whole ones.
    fewest : int
        Numbers that are asked for however narrow the picture is.
    label : str
        Name of the axis, where the unit alone does not say enough.

    Returns
    -------
    list of Markup
    """
    steps = round_numbers(plane.window.x_low, plane.window.x_high, most=max(fewest, int(plane.inner_width // 110)))
    parts = [line_between(plane.left, plane.base, plane.width - plane.right, plane.base, class_="axis")]
    whole = [step for step in steps if unit == "epoch" or step == int(step)]
    parts += _numbers([(float(plane.x(step)), f"{step:,.6g}") for step in whole], plane=plane)
    parts.append(text_at(label or unit, plane.width - plane.right, plane.base + 38, class_="tick", text_anchor="end"))
    return parts


# From here on a level is written out: 10,500, not 1.05e+04.
THOUSANDS = 1000
# Levels to read a height by, on a logarithmic axis.
MOST_LEVELS = 7
# With this many decades in sight, powers of ten are enough to read a logarithmic axis by.
ENOUGH_DECADES = 4


def log_levels(low: float, high: float, *, most: int) -> list[float]:
    """Return the numbers that mark a logarithmic axis: powers of ten, or 1, 2, 5 times them where there are few."""
    powers = decades(low, high, most=most)
    if len(powers) >= ENOUGH_DECADES:
        return powers
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = [digit * 10.0**exponent for exponent in range(first, last + 1) for digit in (1, 2, 5)]
    inside = [level for level in every if low <= level <= high]
    return inside if len(inside) <= most else powers


def log_label(value: float) -> str:
    """Return the number that a mark of a logarithmic axis carries."""
    return words.tick(value) if round(math.log10(value), 9).is_integer() else words.rate(value)


def level_axis(plane: Plane) -> list[Markup]:
    """Return grid lines with their numbers."""
    parts = []
    for level, label in _levels(plane):
        y = float(plane.y(level))
        parts.append(line_between(plane.left, y, plane.width - plane.right, y, class_="grid"))
        parts.append(text_at(label, plane.left - LEVEL_GAP, y + 4, class_="tick", text_anchor="end"))
    return parts


def _levels(plane: Plane) -> list[tuple[float, str]]:
    window = plane.window
    if plane.log_y:
        return [(level, log_label(level)) for level in log_levels(window.y_low, window.y_high, most=MOST_LEVELS)]
    levels = round_numbers(window.y_low, window.y_high, most=5)
    return [(level, f"{level:,.0f}" if abs(level) >= THOUSANDS else f"{level:.3g}") for level in levels]


def with_levels(plane: Plane) -> Plane:
    """Return the plane with room on its left for the numbers of its levels."""
    widest = max((text_width(label, size=TICK_SIZE) for _, label in _levels(plane)), default=0.0)
    return replace(plane, left=max(plane.left, math.ceil(widest + LEVEL_GAP + 1)))


def written(labels: Iterable[Label]) -> list[Markup]:
    """Return labels that were placed, each with a line to what it names where it had to move away."""
    parts = []
    for label in labels:
        if label.lead is not None and label.point is not None:
            parts.append(line_between(*label.point, *label.lead, class_="lead"))
        parts.append(text_at(label.text, label.x, label.y, class_=f"label {label.kind}", text_anchor=label.anchor))
    return parts
