"""Which part of a loss curve is worth drawing, and where its findings are: shared by terminal, figure and page."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.checks.training_log.ending import Ending, read_ending
from lrfind.report.curves import Floats, every_kth
from lrfind.report.diagnosis import Diagnosis

# More points than a page has dots across gain nothing.
MAX_POINTS = 1_200
# Share of the losses that set the top; single spikes above it leave the picture, which says so.
TOP = 0.98
# On a linear axis a level leaves the picture beyond so many falls above the start: an explosion must not flatten the
# rest. A logarithmic axis shows all of it.
MOST_FALLS = 4.0
# Share of the height left free above and below; below two losses the name of one has to find room.
ROOM, NAME_ROOM = 0.06, 0.14
# A curve that spans this factor and stays above 0 is drawn on a logarithmic axis: its end would else lie on the floor.
LOG_FROM = 20.0
# Losses below this share of the start are as good as nothing, and would press the rest together.
FLOOR = 1e-6
# Findings closer than this share of the run share a line and a label.
SAME_PLACE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A finding at its step.

    Attributes
    ----------
    code : str
    step : float
    severity : str
    """

    code: str
    step: float
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """What to draw of a log.

    Attributes
    ----------
    step, loss : (n_kept,) ndarray
        Raw points; of many the lowest and the highest of each stretch.
    level_step, level : (n_blocks,) ndarray
        The smoothed course.
    val_step, val_loss : (n_val,) ndarray
        Empty where there is none.
    last : float
        Last step with a loss that was logged, finite or not.
    ending : Ending
        Whether the run ended in NaN.
    beyond : (step, loss) or None
        The highest point, where it leaves the picture.
    low, high : float
        Of the vertical axis.
    log_loss : bool
        Whether the vertical axis is logarithmic.
    lr_step, lr : (n_kept,) ndarray
        The learning rate; empty where it is not known or never changed.
    marks : tuple of Mark
    """

    step: Floats
    loss: Floats
    level_step: Floats
    level: Floats
    val_step: Floats
    val_loss: Floats
    last: float
    ending: Ending
    beyond: tuple[float, float] | None
    low: float
    high: float
    log_loss: bool
    lr_step: Floats
    lr: Floats
    marks: tuple[Mark, ...]

    @property
    def labels(self) -> list[tuple[float, str]]:
        """Steps of the findings with their codes, those close to each other together."""
        close = SAME_PLACE * (self.last - float(self.step[0]))
        labels: list[tuple[float, list[str]]] = []
        for mark in sorted(self.marks, key=lambda mark: mark.step):
            if labels and mark.step - labels[-1][0] <= close:
                labels[-1][1].append(mark.code)
            else:
                labels.append((mark.step, [mark.code]))
        return [(step, " ".join(codes)) for step, codes in labels]

    def heights(self, loss: Floats) -> Floats:
        """Return losses as shares of the height, above 1 where they leave the picture."""
        low, high = self.low, self.high
        if self.log_loss:
            with np.errstate(divide="ignore", invalid="ignore"):
                loss, low, high = np.log(np.maximum(loss, low)), float(np.log(low)), float(np.log(high))
        return np.asarray((loss - low) / (high - low))


def curve_of(diagnosis: Diagnosis, *, has_names: bool = True) -> Curve | None:
    """Return what to draw of a diagnosis, or None where there are not two finite losses.

    Parameters
    ----------
    diagnosis : Diagnosis
    has_names : bool
        Whether two losses are named where they end, and take room for that.

    Returns
    -------
    Curve or None
    """
    signals, log = diagnosis.signals, diagnosis.log
    if signals is None or signals.n_points < 2:  # noqa: PLR2004 - a curve takes two points
        return None
    keep = extremes(signals.loss, most=MAX_POINTS)
    known = np.zeros(0, dtype=np.intp) if log.val_loss is None else np.flatnonzero(np.isfinite(log.val_loss))
    known = known[every_kth(len(known), most=MAX_POINTS)] if len(known) else known
    val = np.empty(0) if log.val_loss is None else log.val_loss[known]
    drawn = np.concatenate([signals.loss[keep], signals.blocks.level, val])
    levels = np.array([signals.start, *signals.blocks.level, signals.last, *val[-1:]])
    below = NAME_ROOM if has_names and len(known) else ROOM
    low, high, is_log = _window(drawn, levels=levels, start=signals.start, below=below)
    rates = signals.rates
    has_schedule = rates is not None and float(rates.at.max()) > float(rates.at.min())
    lr = rates.at[keep] if rates is not None and has_schedule else np.empty(0)
    return Curve(
        step=signals.step[keep], loss=signals.loss[keep], level_step=signals.blocks.step, level=signals.blocks.level,
        val_step=log.step[known], val_loss=val, last=_last_step(diagnosis), ending=read_ending(log),
        beyond=_beyond(signals.step[keep], signals.loss[keep], high=high), low=low, high=high, log_loss=is_log,
        lr_step=signals.step[keep] if len(lr) else np.empty(0), lr=lr, marks=_marks(diagnosis),
    )  # fmt: skip


def extremes(values: Floats, *, most: int) -> npt.NDArray[np.intp]:
    """Return which points to draw: all where they are few, else the lowest and the highest of each stretch.

    Parameters
    ----------
    values : (n,) ndarray
    most : int
        About so many are kept; a spike is among them, however many points there are.

    Returns
    -------
    (n_kept,) ndarray of int
        Increasing; the first and the last are always there.
    """
    if len(values) <= most:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), most // 2 + 1).astype(np.intp)
    lows = [start + int(np.argmin(values[start:end])) for start, end in itertools.pairwise(edges)]
    highs = [start + int(np.argmax(values[start:end])) for start, end in itertools.pairwise(edges)]
    return np.unique([0, *lows, *highs, len(values) - 1])


def _window(losses: Floats, *, levels: Floats, start: float, below: float) -> tuple[float, float, bool]:
    """Return the lowest and the highest loss of the picture, and whether its axis is logarithmic.

    Where the run was and where it ended is always in it, but for explosions on a linear axis.
    """
    low, top = float(losses.min()), max(float(np.quantile(losses, TOP)), float(levels.max()))
    if low > 0 and top / low > LOG_FROM:
        low = max(low, start * FLOOR)
        return low / (top / low) ** below, top * (top / low) ** ROOM, True
    top = min(top, start + MOST_FALLS * max(start - low, abs(start)))
    height = top - low or abs(top) or 1e-9
    # Losses that are positive have no room below 0.
    return max(low - below * height, 0.0 if low > 0 else -np.inf), top + ROOM * height, False


def _beyond(step: Floats, loss: Floats, *, high: float) -> tuple[float, float] | None:
    highest = int(np.argmax(loss))
    return (float(step[highest]), float(loss[highest])) if loss[highest] > high else None


def _last_step(diagnosis: Diagnosis) -> float:
    log = diagnosis.log
    known = np.isfinite(log.loss) if log.val_loss is None else np.isfinite(log.loss) | np.isfinite(log.val_loss)
    return max(float(log.step[known][-1]), float(log.nonfinite_steps.max(initial=-np.inf)))


def _marks(diagnosis: Diagnosis) -> tuple[Mark, ...]:
    marks = []
    for finding in diagnosis.found:
        step = finding.evidence.get("step")
        if isinstance(step, int | float):
            marks.append(Mark(code=finding.code, step=float(step), severity=finding.severity))
    return tuple(marks)
