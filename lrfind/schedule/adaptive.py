"""Adaptive: a rate that rises while that helps, backs off at once where it hurts, and cools down at the end.

The rate is the peak times a level times an envelope. The envelope holds, then falls along a cosine, so that a run in
which nothing happens is a warmed-up cosine. The level begins low and rises by a constant factor a step, at the pace of
a range test: slow enough that the loss shows what a rate does before the next one is tried. It stops rising where the
fall of the loss is done, since a higher rate is no longer needed; where the running loss or the gradient's norm rises
beyond noise, the replica returns to where it was last well, at a lower level, and rises more slowly from there.

Constants were chosen on twelve runs on the tables in ``sample_data`` (six optimisers, 320 to 600 steps), at the best
peak rate of a cosine and at 3, 10 and 30 times that. Mean loss, in percent of the gain above the best cosine: cosine
0.0, 6.7, 28, 57; adaptive 0.3, 1.0, 2.8, 6.9. What is left at high rates is overfitting, which no training loss shows.
"""

from __future__ import annotations

import numpy as np

from lrfind.schedule.orders import Bools, Floats, Orders
from lrfind.schedule.shapes import Segments, cosine
from lrfind.schedule.value import Segment

# The level's start and the share of the run in which it rises to 1. Risen over a tenth of the run, a rate 10 times too
# high cost 15 % of the gain, over a quarter 3 %; a start at 1/100 helps at 30 times and costs a third of a percent at
# the right rate.
LEVEL_START, RISE_SHARE = 1 / 30, 0.25
# Share of the run after which the envelope falls.
HOLD_SHARE = 0.3
# Steps of memory of the running loss, of the slower one it is compared with, and of the noise.
FAST, SLOW, NOISE = 5.0, 15.0, 30.0
# A single loss counts as no more than this many times the noise above the running one: one hard batch is no rise.
MOST_SURPRISE = 4.0
# But so many in a row, each beyond that many times the noise, are: a divergence without noise is all surprise.
SURPRISES = 3
# And no squared difference as more than this many times the noise's square, so that a rise is not taken for noise.
MOST_NOISE = 9.0
# Standard errors of the running loss above the lowest slow one that are a rise. Of runs of 400 steps of nothing but
# noise, 73 % were set back with 4, 17 % with 5, 5 % with 6, which still finds a rise of two noises within six steps.
RISE_ERRORS = 6.0
# The same for the log of the gradient's norm above its lowest, while the loss does not fall: it grows by itself where
# noise is fitted, hence more.
GRAD_ERRORS = 8.0
# Steps after the start or a return in which the running loss is only measured.
SETTLE = 8
# What the level is multiplied by at a rise, and the pace of its growth each time after.
BACK_OFF, SLOWER = 0.3, 0.5
# The fall of the loss is done when its trend is below this share of its steepest, which must have been this many
# errors from none; then the level grows at this share of its pace.
DONE_SHARE, TREND_ERRORS, DONE_PACE = 1 / 3, 5.0, 0.2
# Steps between two saves, and errors above the lowest running loss within which a state is a good one.
SAVE_EVERY, GOOD_ERRORS = 4, 1.0
# Below this the level stays, so that no rate becomes 0.
LOWEST_LEVEL = 1e-6
# No noise is below the resolution of float32, in which most losses come.
RESOLUTION = float(np.finfo(np.float32).eps)
# Errors of the difference of the two running losses, which share most of their noise, beside those of their sum.
SHARED_NOISE = 0.8


def _turns(n_steps: int) -> tuple[int, int]:
    # steps at which the level has risen and at which the envelope begins to fall
    return int(RISE_SHARE * n_steps), int(HOLD_SHARE * n_steps)


def adaptive(n_steps: int) -> Segments:
    """Rise to the peak in a quarter of the run, hold it, fall along a cosine: the course while nothing happens."""
    rise, fall = _turns(n_steps)
    if not 0 < rise <= fall < n_steps:
        return cosine(n_steps)
    return (
        Segment(start=0, stop=rise, shape="exponential", begin=LEVEL_START, end=1),
        Segment(start=rise, stop=fall, shape="constant", begin=1, end=1),
        Segment(start=fall, stop=n_steps, shape="cosine", begin=1, end=0),
    )


class _Running:
    # running means of a series (n_replicas,) and its noise, from the differences of neighbours

    def __init__(self, n_replicas: int) -> None:
        self.fast, self.slow, self.last = np.full((3, n_replicas), np.nan)
        self.variance = np.full(n_replicas, np.inf)
        self.n_seen = 0

    def hear(self, values: Floats, *, seen: Bools, fresh: Bools, age: Floats) -> None:
        # a fresh replica begins again, but for its noise
        begin = fresh & seen
        self.fast, self.slow = np.where(begin, values, self.fast), np.where(begin, values, self.slow)
        most = MOST_SURPRISE * self.noise
        by_fast, by_slow = 1 / np.minimum(age + 1, FAST), 1 / np.minimum(age + 1, SLOW)
        self.fast = np.where(seen, self.fast + by_fast * np.minimum(values - self.fast, most), self.fast)
        self.slow = np.where(seen, self.slow + by_slow * np.minimum(values - self.slow, most), self.slow)
        self.fast_error = self.noise * np.sqrt(by_fast / (2 - by_fast))
        self.slow_error = self.noise * np.sqrt(by_slow / (2 - by_slow))
        pair = seen & ~fresh & np.isfinite(self.last)
        if self.n_seen:
            square = np.where(pair, np.square(values - self.last) / 2, self.variance)
            first = ~np.isfinite(self.variance)
            share = 1 / min(self.n_seen, NOISE)
            moved = np.where(first, 0.0, self.variance)
            moved = moved + share * (np.minimum(square, MOST_NOISE * moved) - moved)
            self.variance = np.where(first, square, moved)
        self.last = np.where(seen, values, np.nan)
        self.n_seen += 1

    @property
    def noise(self) -> Floats:
        # standard deviation of one value around the running mean
        return np.asarray(np.sqrt(np.maximum(self.variance, np.square(RESOLUTION * np.nan_to_num(self.slow)))))


class Adaptive:
    """Replicas whose rates answer their running losses and gradient norms.

    Parameters
    ----------
    peaks : (n_replicas,) ndarray
        Largest rates.
    n_steps : int
        Length of the run.
    """

    def __init__(self, peaks: Floats, n_steps: int) -> None:
        self.peaks, self.n_steps = np.array(peaks, np.float64), n_steps
        n = len(self.peaks)
        rise, self._fall = _turns(n_steps)
        self.level = np.full(n, LEVEL_START if rise > 0 else 1.0)
        self._growth = (1 / LEVEL_START) ** (1 / max(rise, 1))
        self._pace = np.ones(n)
        self._loss, self._norm = _Running(n), _Running(n)
        self._lowest_loss, self._lowest_norm = np.full((2, n), np.inf)
        self._steepest = np.zeros(n)
        self._surprises = np.zeros(n)
        # steps since the start or the last return
        self._age = np.zeros(n)
        self._is_done, self._is_saved, self._was_back = np.zeros((3, n), np.bool_)
        self.step = 0

    def update(self, losses: Floats, grad_norms: Floats | None = None) -> Orders:
        """Return the orders for the update that follows these losses.

        Parameters
        ----------
        losses : (n_replicas,) ndarray
            Measured before the update; one that is not finite is a rise.
        grad_norms : (n_replicas,) ndarray, optional
            Euclidean norms of the same step's gradients.

        Returns
        -------
        Orders
            A replica that goes back makes no update; the rate given is that of its next one.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            rises, done, good = self._judge(np.asarray(losses, np.float64), grad_norms)
        back = rises & self._is_saved
        save = good & (self.step % SAVE_EVERY == 0) & ((self._age >= SETTLE) | (self.step == 0))
        self._is_saved |= save
        lrs = self.peaks * np.where(rises, self.level * BACK_OFF, self.level) * self._envelope()
        self._move(rises, done)
        return Orders(np.maximum(lrs, self.peaks * LOWEST_LEVEL), back, save)

    def _judge(self, losses: Floats, grad_norms: Floats | None) -> tuple[Bools, Bools, Bools]:
        # who rises beyond noise, whose fall is done, who is well
        seen, fresh, ready = np.isfinite(losses), self._age == 0, self._age >= SETTLE
        loss = self._loss
        loss.hear(losses, seen=seen, fresh=fresh, age=self._age)
        surprised = ready & seen & (losses > np.maximum(self._lowest_loss, loss.slow) + MOST_SURPRISE * loss.noise)
        self._surprises = np.where(surprised, self._surprises + 1, 0.0)
        rises = (
            ~seen
            | (self._surprises >= SURPRISES)
            | (ready & (loss.fast > self._lowest_loss + RISE_ERRORS * loss.fast_error))
        )
        self._lowest_loss = np.where(ready, np.minimum(self._lowest_loss, loss.slow), loss.slow)
        if grad_norms is not None:
            rises |= self._norm_rises(np.asarray(grad_norms, np.float64), fresh=fresh, ready=ready)
        trend = loss.slow - loss.fast
        error = SHARED_NOISE * np.hypot(loss.fast_error, loss.slow_error)
        is_steep = ready & (trend > TREND_ERRORS * error)
        self._steepest = np.where(is_steep, np.maximum(self._steepest, trend), self._steepest)
        done = ~rises & ~self._is_done & (self._steepest > 0) & (trend + error < DONE_SHARE * self._steepest)
        good = ~rises & (loss.fast <= self._lowest_loss + GOOD_ERRORS * loss.fast_error)
        return rises, done, good

    def _norm_rises(self, grad_norms: Floats, *, fresh: Bools, ready: Bools) -> Bools:
        norm, known = self._norm, np.isfinite(grad_norms)
        logs = np.log(np.maximum(np.where(known, grad_norms, 1.0), np.finfo(np.float64).tiny))
        norm.hear(logs, seen=known, fresh=fresh, age=self._age)
        rises = ready & (norm.fast > self._lowest_norm + GRAD_ERRORS * norm.fast_error)
        self._lowest_norm = np.where(ready, np.minimum(self._lowest_norm, norm.fast), norm.fast)
        return rises & (self._loss.fast > self._loss.slow)

    def _envelope(self) -> float:
        # the last step's stays where a run is longer than was said
        step = min(self.step, self.n_steps - 1)
        if step < self._fall:
            return 1.0
        return float(1 + np.cos(np.pi * (step - self._fall) / (self.n_steps - self._fall))) / 2

    def _move(self, rises: Bools, done: Bools) -> None:
        self._was_back |= rises
        self._is_done |= done
        self._pace = np.where(rises, self._pace * SLOWER, np.where(done, np.minimum(self._pace, DONE_PACE), self._pace))
        self.level = np.maximum(np.where(rises, self.level * BACK_OFF, self.level), LOWEST_LEVEL)
        self._age = np.where(rises, 0.0, self._age + 1)
        grows = ~rises & ((self._age > SETTLE) | ~self._was_back)
        self.level = np.where(grows, np.minimum(self.level * self._growth**self._pace, 1.0), self.level)
        self.step += 1
