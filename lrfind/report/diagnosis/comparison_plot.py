"""What to draw of several runs side by side: shared by the figure and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lrfind.checks.training_log.smooth import mean_name
from lrfind.report.curves import every_kth
from lrfind.report.diagnosis.comparison import Comparison, Floats, Standing, reached_by
from lrfind.report.diagnosis.plot import FLOOR, LOG_FROM, ROOM
from lrfind.text import number, place, printable, rate

# More points than these of a line are neither drawn nor read out: they would make the page heavy.
MAX_POINTS = 160
# More lines cannot be told apart; those with the worst losses are left to the table.
MOST_LINES = 12
# Characters of a run's name beside its line, and on a phone.
NAME_WIDTH, SHORT_WIDTH = 20, 12
# How far above the others a run that diverged may lift the picture, in multiples or in falls.
MOST_LIFT = 10.0
# Rates this much of a decade apart at least have a chart of their own.
LEAST_DECADES = 0.1
# Room beside the outermost rates, in decades.
BESIDE = 0.35


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One run.

    Attributes
    ----------
    rank : int
        0 is the best; its colour and its dash follow from it (`series`).
    label, short : str
        Its rate and name, as it stands beside the line, and cut for a phone.
    step, loss : (n,) ndarray
    told : tuple of str
        Of each point: its step, its loss and its rate.
    lost : str
        How it was lost, or nothing.
    """

    rank: int
    label: str
    short: str
    step: Floats
    loss: Floats
    told: tuple[str, ...]
    lost: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """All runs and the window they are seen in.

    Attributes
    ----------
    lines : tuple of Line
        The best first.
    first, last : float
        Of the steps.
    low, high : float
        Of the losses.
    log_loss : bool
    unit : str
        Of the steps.
    """

    lines: tuple[Line, ...]
    first: float
    last: float
    low: float
    high: float
    log_loss: bool
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """What one run reached, at its peak rate.

    Attributes
    ----------
    rank : int
    label, short : str
        Its name, as it stands beside the dot, and cut for a phone.
    lr : float
    loss : float or None
        None where it diverged.
    lowest : float or None
        The lowest held-out loss, where that is what runs are compared by.
    told : str
    """

    rank: int
    label: str
    short: str
    lr: float
    loss: float | None
    lowest: float | None
    told: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dots:
    """What each run reached against its peak rate, and the window.

    Attributes
    ----------
    dots : tuple of Dot
        The best first.
    lr_low, lr_high, low, high : float
    log_loss : bool
    """

    dots: tuple[Dot, ...]
    lr_low: float
    lr_high: float
    low: float
    high: float
    log_loss: bool


def lines_of(comparison: Comparison) -> Lines | None:
    """Return what to draw, or None where no run has two losses.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Lines or None
    """
    ranked = [(rank, s) for rank, s in enumerate(comparison.standings) if len(s.course) > 1][:MOST_LINES]
    if not ranked:
        return None
    shorts = short_names([standing for _, standing in ranked])
    names = cut_names([standing.name for _, standing in ranked], width=NAME_WIDTH)
    lines = [
        _line(standing, rank=rank, names=each, comparison=comparison)
        for (rank, standing), each in zip(ranked, zip(names, shorts, strict=True), strict=True)
    ]
    sound = [line.loss for line in lines if not line.lost] or [line.loss for line in lines]
    low, high, log_loss = _window(np.concatenate(sound), every=np.concatenate([line.loss for line in lines]))
    return Lines(
        lines=tuple(lines), first=min(float(line.step[0]) for line in lines),
        last=max(float(line.step[-1]) for line in lines), low=low, high=high, log_loss=log_loss,
        unit=comparison.unit or "% of the run",
    )  # fmt: skip


def cut_names(names: Sequence[str], *, width: int) -> list[str]:
    """Return names cut to a width; of those that are too long what all begin with is left out first.

    Parameters
    ----------
    names : sequence of str
    width : int
        In characters.

    Returns
    -------
    list of str
    """
    if max(map(len, names)) > width and len(set(names)) > 1:
        columns = enumerate(zip(*names, strict=False))
        common = next((i for i, each in columns if len(set(each)) > 1), min(map(len, names)))
        names = [f"…{name[common:]}" if common > 1 else name for name in names]
    return [printable(name, width=width) for name in names]


def short_names(standings: Sequence[Standing]) -> list[str]:
    """Return a rate or a short name for each run, none twice.

    Parameters
    ----------
    standings : sequence of Standing

    Returns
    -------
    list of str
    """
    rates = ["" if s.lr is None else rate(s.lr) for s in standings]
    shorts = [
        lr if lr and rates.count(lr) == 1 else " · ".join(filter(None, (lr, name)))
        for lr, name in zip(rates, cut_names([s.name for s in standings], width=SHORT_WIDTH), strict=True)
    ]
    return [short if shorts.count(short) == 1 else f"{rank}: {short}" for rank, short in enumerate(shorts, start=1)]


def _line(standing: Standing, *, rank: int, names: tuple[str, str], comparison: Comparison) -> Line:
    keep = every_kth(len(standing.step), most=MAX_POINTS)
    name, short = names
    step = standing.step[keep]
    told = tuple(_told(standing, int(point), what=comparison.what) for point in keep)
    if not comparison.unit:
        step = 100 * (step - step[0]) / max(float(step[-1] - step[0]), 1e-300)
    return Line(
        rank=rank, label=name if standing.lr is None else f"{rate(standing.lr)} · {name}", short=short, step=step,
        loss=standing.course[keep], told=told, lost="" if standing.loss is not None else reached_by(standing),
    )  # fmt: skip


def _told(standing: Standing, point: int, *, what: str) -> str:
    n_points, lr = int(standing.n_each[point]), float(standing.lrs[point])
    mean = "" if n_points == 1 else f" ({mean_name(n_points)} of {n_points} points)"
    at = "" if np.isnan(lr) else f" · rate {rate(lr)}"
    return f"{standing.unit} {place(standing.step[point])} · {what} {number(standing.course[point])}{mean}{at}"


def _window(losses: Floats, *, every: Floats) -> tuple[float, float, bool]:
    """Return the window of sound runs, lifted for those that diverged as far as it bears."""
    low, high = float(losses.min()), float(losses.max())
    log_loss = low > 0 and high / low > LOG_FROM / 2
    if log_loss:
        low, high = max(low, high * FLOOR), min(max(high, float(every.max())), MOST_LIFT * high)
        margin = (high / low) ** ROOM
        return low / margin, high * margin, True
    high = min(max(high, float(every.max())), high + (high - low))
    room = ROOM * (high - low) or 0.05 * abs(high) or 1e-9
    return low - room, high + room, False


def dots_of(comparison: Comparison) -> Dots | None:
    """Return the losses against the peak rates, or None where fewer than two rates are known.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Dots or None
    """
    ranked = [(rank, s) for rank, s in enumerate(comparison.standings) if s.lr][:MOST_LINES]
    names = cut_names([standing.name for _, standing in ranked], width=NAME_WIDTH) if ranked else []
    shorts = cut_names([standing.name for _, standing in ranked], width=SHORT_WIDTH) if ranked else []
    dots = [
        _dot(standing, rank=rank, names=each, comparison=comparison)
        for (rank, standing), each in zip(ranked, zip(names, shorts, strict=True), strict=True)
    ]
    known = np.array([each for dot in dots for each in (dot.loss, dot.lowest) if each is not None])
    rates = [dot.lr for dot in dots]
    if not len(known) or np.log10(max(rates) / min(rates)) < LEAST_DECADES:
        return None
    low, high, log_loss = _window(known, every=known)
    beside = 10**BESIDE
    return Dots(
        dots=tuple(dots), lr_low=min(rates) / beside, lr_high=max(rates) * beside, low=low, high=high,
        log_loss=log_loss,
    )  # fmt: skip


def _dot(standing: Standing, *, rank: int, names: tuple[str, str], comparison: Comparison) -> Dot:
    lowest = standing.lowest if comparison.measure == "val_loss" and standing.loss is not None else None
    told = f"peak rate {rate(standing.lr)} · {reached_by(standing)}"
    if standing.loss is not None:
        told = f"peak rate {rate(standing.lr)} · {comparison.what} {reached_by(standing)}, mean of the last tenth"
    if lowest is not None and standing.lowest_step is not None:
        told += f" · lowest {number(lowest)} at {standing.unit} {place(standing.lowest_step)}"
    return Dot(
        rank=rank, label=names[0], short=names[1], lr=standing.lr or 1.0, loss=standing.loss,
        lowest=lowest, told=told,
    )  # fmt: skip


Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a label goes: its anchor in pixels, from the top left, and which part of it lies there."""

    x: float
    y: float
    anchor: str


def free_places(
    marks: Sequence[tuple[float, float]], lengths: Sequence[float], *, taken: Sequence[Box], room: Box, height: float
) -> list[Place | None]:
    """Return for each mark a place for its label that no other label and no mark has, or None where there is none.

    Parameters
    ----------
    marks : sequence of (x, y)
        In pixels, from the top left.
    lengths : sequence of float
        Of the labels, in pixels.
    taken : sequence of (left, top, right, bottom)
        What must not be written on.
    room : (left, top, right, bottom)
        What labels must stay within.
    height : float
        Of a label.

    Returns
    -------
    list of Place or None
        The first in turn has the first choice.
    """
    busy = list(taken)
    places: list[Place | None] = []
    for (x, y), length in zip(marks, lengths, strict=True):
        for place_ in _beside(x, y, height=height):
            box = _box(place_, length=length, height=height)
            within = room[0] <= box[0] and room[1] <= box[1] and box[2] <= room[2] and box[3] <= room[3]
            if within and not any(_overlap(box, other) for other in busy):
                busy.append(box)
                places.append(place_)
                break
        else:
            places.append(None)
    return places


def _beside(x: float, y: float, *, height: float) -> list[Place]:
    """Return places beside a mark, the best first: to the right, to the left, above and below."""
    across, base = 0.6 * height, 0.27 * height
    sides = [(x + across, "start"), (x - across, "end")]
    away = (-across, 1.3 * height)
    near = [Place(x=left, y=y + down, anchor=anchor) for left, anchor in sides for down in (base, *away)]
    return [*near, *(Place(x=x, y=y + down, anchor="middle") for down in away)]


def _box(place_: Place, *, length: float, height: float) -> Box:
    left = place_.x - length * {"start": 0.0, "middle": 0.5, "end": 1.0}[place_.anchor]
    return left, place_.y - 0.75 * height, left + length, place_.y + 0.25 * height


def _overlap(box: Box, other: Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
