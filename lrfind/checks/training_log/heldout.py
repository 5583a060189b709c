"""What the held-out loss reveals: LR211."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.smooth import Floats, local_noise
from lrfind.text import number, plural

# Fewer held-out losses than these show no turn that could be told from noise.
FEWEST = 5
# Share of the held-out losses whose mean is the level of the end.
END_SHARE = 0.15
# Points beside the lowest that its level is the mean of: the lowest of many noisy ones alone is too low.
BESIDE = 1
# A rise above the lowest held-out loss must pass all: standard errors, against the noise of the held-out loss; a share
# of the fall; a share of the lowest loss itself.
CLEAR, WORTH_OF_FALL, WORTH_OF_LOSS = 3.0, 0.03, 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The lowest point of the held-out loss and what came after.

    Attributes
    ----------
    step : float
        Of the lowest loss, as logged.
    logged_lowest : float
        That loss.
    start, lowest, end : float
        Levels: the larger of the first held-out and the first training loss, the mean about the lowest point, and the
        mean of the last points.
    n_end : int
        Points that `end` is the mean of.
    error : float
        Standard error of the rise.
    share : float
        Share of the run at `step`.
    """

    step: float
    logged_lowest: float
    start: float
    lowest: float
    end: float
    n_end: int
    error: float
    share: float

    @property
    def rise(self) -> float:
        """End above the lowest level."""
        return self.end - self.lowest

    @property
    def is_clear(self) -> bool:
        """Whether it rose beyond noise and by enough to matter."""
        least = max(WORTH_OF_FALL * (self.start - self.lowest), WORTH_OF_LOSS * abs(self.lowest), CLEAR * self.error)
        return self.rise > least


def find_turn(step: Floats, loss: Floats, *, start: float) -> Turn:
    """Return where a held-out loss is lowest and how far it rises from there.

    Parameters
    ----------
    step, loss : (n_points,) ndarray
        Finite; at least `FEWEST`.
    start : float
        Training loss before anything was learned; the first held-out loss may be much lower.

    Returns
    -------
    Turn
    """
    means = np.array([loss[max(i - BESIDE, 0) : i + BESIDE + 1].mean() for i in range(len(loss))])
    logged = int(np.argmin(loss))
    n_end = max(int(END_SHARE * len(loss)), 2)
    noise = float(np.median(local_noise(loss, edges=np.array([0, len(loss)], dtype=np.intp))))
    return Turn(
        step=float(step[logged]), logged_lowest=float(loss[logged]), start=max(float(loss[0]), start),
        lowest=float(means.min()), end=float(loss[-n_end:].mean()), n_end=n_end,
        error=noise * math.sqrt(1 / n_end + 1 / (2 * BESIDE + 1)), share=logged / (len(loss) - 1),
    )  # fmt: skip


def find_overfit(signals: Signals) -> Turn | None:
    """Return the turn of the held-out loss where LR211 is found, else None."""
    log = signals.log
    known = np.zeros(0) if log.val_loss is None else np.isfinite(log.val_loss)
    if log.val_loss is None or known.sum() < FEWEST:
        return None
    turn = find_turn(log.step[known], log.val_loss[known], start=signals.start)
    return turn if turn.is_clear and signals.end < _then(signals, turn) else None


def _then(signals: Signals, turn: Turn) -> float:
    """Return the level of the training loss at the turn."""
    return float(np.interp(turn.step, signals.blocks.step, signals.blocks.level))


def overfitting(check: Check, signals: Signals) -> Finding:
    """LR211: the held-out loss turned up while the training loss went on falling."""
    log = signals.log
    if log.val_loss is None:
        return check.not_applicable("There is no validation loss in the log.")
    known = np.isfinite(log.val_loss)
    if known.sum() < FEWEST:
        return check.not_applicable(f"The log has {plural(int(known.sum()), 'validation loss')}; {FEWEST} are needed.")
    losses = log.val_loss[known]
    turn = find_turn(log.step[known], losses, start=signals.start)
    numbers = {
        "step": turn.step, "val_lowest": turn.logged_lowest, "val_end": float(losses[-1]),
        "val_level_lowest": turn.lowest, "val_level_end": turn.end, "rise": turn.rise, "share_after": 1 - turn.share,
        "rise_in_errors": turn.rise / turn.error if turn.error > 0 else None, "train_then": _then(signals, turn),
        "train_end": signals.last, "train_level_end": signals.end,
    }  # fmt: skip
    if find_overfit(signals) is None:
        return check.passed(
            f"The validation loss ends at {number(float(losses[-1]))}; its lowest is {number(turn.logged_lowest)}.",
            numbers,
        )
    where = signals.at_step(turn.step)
    message = (
        f"The validation loss is lowest at {where}, {number(turn.logged_lowest)}, and then rises: the mean of its last "
        f"{turn.n_end} is {number(turn.end)}, while the training loss falls on, to {signals.told_end}."
    )
    return check.found(
        message, numbers,
        f"Stop at {where}, or keep the weights from there: the last {1 - turn.share:.0%} of the run cost "
        f"{number(turn.rise, digits=2)}; for longer runs, get more data or regularise (start with weight decay "
        "0.01).",
    )  # fmt: skip
