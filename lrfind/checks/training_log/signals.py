"""All that the checks of a training log look at, computed once: `read_signals(log) -> Signals`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lrfind.checks.training_log.rates import Rates, filled, read_rates
from lrfind.checks.training_log.smooth import (
    Blocks,
    Floats,
    falling_fit,
    in_blocks,
    local_noise,
    mean_name,
    trimmed_mean,
)
from lrfind.logs import TrainingLog
from lrfind.text import number, one_line, place, plural

# Points the level of the start is the median of: three outvote one odd batch, and are gone before much is learned.
START_POINTS = 3
# Logs shorter than this have no points to spare at the start: one value an epoch, as a rule.
SHORT = 60
# Share of the points whose mean is the level of the end.
END_SHARE = 0.05
# Points after the first that the noise of the opening is estimated from.
OPENING_POINTS = 16
# Standard deviations that tell a fall from an odd batch.
CLEAR = 4.0


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signals:
    """A training log, and what was computed from it.

    Attributes
    ----------
    log : TrainingLog
    step, loss : (n_points,) ndarray
        Points with a finite training loss.
    blocks : Blocks
        The same points in blocks.
    fit : (n_blocks,) ndarray
        The curve closest to the blocks' levels that never rises.
    rates : Rates or None
        What the learning rate did; None where it was not logged, or was never above 0.
    time : (n_blocks,) ndarray
        Sum of the rates up to the middle of each block, in the rate's unit times steps: how far a run of this
        schedule could have come. Steps where no rate is known.
    start, end, best : float
        Level of the loss in the first points, in the last, and in the best block: what the checks judge by. What is
        shown is `first`, `last` and `lowest`, as logged, or a level that is named for what it is.
    n_start : int
        Points that `start` is the level of.
    """

    log: TrainingLog
    step: Floats
    loss: Floats
    blocks: Blocks
    fit: Floats
    rates: Rates | None
    time: Floats
    start: float
    end: float
    best: float
    n_start: int

    @property
    def first(self) -> float:
        """First finite loss, as logged."""
        return float(self.loss[0])

    @property
    def last(self) -> float:
        """Last finite loss, as logged."""
        return float(self.loss[-1])

    @property
    def lowest(self) -> float:
        """Lowest loss, as logged."""
        return float(self.loss.min())

    @property
    def lowest_step(self) -> float:
        """Step of the lowest loss."""
        return float(self.step[int(np.argmin(self.loss))])

    @property
    def n_end(self) -> int:
        """Points that `end` is the mean of."""
        return max(int(END_SHARE * self.n_points), 1)

    @property
    def told_start(self) -> str:
        """The level at the start in words: "2.3", or "2.31 (median of the first 3 points)" where no point says so."""
        kind = "median" if self.n_start == START_POINTS else mean_name(self.n_start)
        return _named(self.start, logged=self.first, name=f"{kind} of the first {plural(self.n_start, 'point')}")

    @property
    def told_end(self) -> str:
        """The level at the end in words: "0.21", or "0.204 (mean of the last 20 points)" where the last differs."""
        name = f"{mean_name(self.n_end)} of the last {plural(self.n_end, 'point')}"
        return _named(self.end, logged=self.last, name=name)

    @property
    def came(self) -> str:
        """Where the loss came from and where to: "from 2.3 to 0.21"."""
        return f"from {self.told_start} to {self.told_end}"

    @property
    def n_points(self) -> int:
        """Points with a finite training loss."""
        return len(self.loss)

    @property
    def unit(self) -> str:
        """What the log counts."""
        return self.log.step_unit

    @property
    def span(self) -> float:
        """How far the loss came down at its best."""
        return self.start - self.best

    @property
    def share(self) -> Floats:
        """Share of the run at the middle of each block, shape (n_blocks,)."""
        length = float(self.step[-1] - self.step[0])
        return np.asarray((self.blocks.step - self.step[0]) / length) if length > 0 else np.zeros(len(self.blocks))

    def too_few(self, fewest: int, *, what: str = "") -> str:
        """Return that the log has fewer points than `what` needs."""
        needed = f"{what} {fewest}" if what else f"{fewest} are needed"
        return f"The log has {plural(self.n_points, 'point')}; {needed}."

    def logged(self, step: float) -> float:
        """Return the step of the log nearest to one: a block's middle, or half of a run, may lie between two."""
        return float(self.log.step[int(np.argmin(np.abs(self.log.step - step)))])

    def at_step(self, step: float) -> str:
        """Return "step 120", "epoch 3" or "row 7", the nearest that was logged."""
        return f"{self.unit} {place(self.logged(step))}"

    def rate_at(self, step: float) -> float | None:
        """Return the learning rate in force at a step, or None where it is not known."""
        if self.rates is None:
            return None
        point = int(np.searchsorted(self.step, step, side="right")) - 1
        rate = float(self.rates.at[max(point, 0)])
        return rate if rate > 0 else None

    def highest_rate(self, *, until: float) -> float | None:
        """Return the highest learning rate up to a step, or None where none above 0 is known."""
        if self.rates is None:
            return None
        n_points = max(int(np.searchsorted(self.step, until, side="right")), 1)
        rate = float(self.rates.at[:n_points].max())
        return rate if rate > 0 else None


def read_signals(log: TrainingLog) -> Signals | None:
    """Return what the checks look at, or None where no point of the log has a finite training loss.

    Parameters
    ----------
    log : TrainingLog

    Returns
    -------
    Signals or None
    """
    finite = np.isfinite(log.loss)
    if not finite.any():
        return None
    step, loss = log.step[finite], log.loss[finite]
    rates = read_rates(step, None if log.lr is None else _known_at(log.step, log.lr)[finite])
    blocks = in_blocks(step, loss)
    n_end = max(int(END_SHARE * len(loss)), 1)
    start, n_start = _start(loss, blocks)
    return Signals(
        log=log, step=step, loss=loss, blocks=blocks, fit=falling_fit(blocks.level), rates=rates,
        time=_time(step, blocks, rates=rates), start=start, n_start=n_start, end=trimmed_mean(loss[-n_end:]),
        best=float(blocks.level.min()),
    )  # fmt: skip


def opening_noise(loss: Floats) -> float:
    """Return the noise of the first points, the very first left out: only that one is untouched by the rate."""
    if len(loss) < SHORT:
        return 0.0
    first = loss[1 : OPENING_POINTS + 1]
    return float(local_noise(first, edges=np.array([0, len(first)], dtype=np.intp))[0])


def _start(loss: Floats, blocks: Blocks) -> tuple[float, int]:
    """Return the level before anything was learned, and how many points it is the level of."""
    if len(loss) < SHORT:
        return float(loss[0]), 1
    median, mean = float(np.median(loss[:START_POINTS])), float(blocks.level[0])
    level, n_points = (median, START_POINTS) if median >= mean else (mean, int(blocks.edges[1]))
    # A first loss far above those after it is no odd batch but a fall within the first steps.
    return (float(loss[0]), 1) if loss[0] > level + CLEAR * opening_noise(loss) else (level, n_points)


def _named(level: float, *, logged: float, name: str) -> str:
    return number(level) if number(level) == number(logged) else f"{number(level)} ({name})"


def _known_at(step: Floats, values: Floats) -> Floats:
    # Loggers write the rate on rows of its own; it holds until it is logged again.
    return filled(values) if (np.isfinite(values) & (values >= 0)).any() else np.full(len(step), np.nan)


def _time(step: Floats, blocks: Blocks, *, rates: Rates | None) -> Floats:
    spacing = np.diff(step, prepend=2 * step[0] - step[1] if len(step) > 1 else step[0] - 1)
    passed = np.cumsum(spacing * (rates.at if rates is not None else 1.0))
    middle = (blocks.edges[:-1] + blocks.edges[1:] - 1) // 2
    return np.asarray(passed[middle])
