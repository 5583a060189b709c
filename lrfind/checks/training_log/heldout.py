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
    """The lowest point of the held-out loss and what came after."""

    step: float
    start: float
    lowest: float
    end: float
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
    lowest = int(np.argmin(means))
    n_end = max(int(END_SHARE * len(loss)), 2)
    noise = float(np.median(local_noise(loss, edges=np.array([0, len(loss)], dtype=np.intp))))
    return Turn(
        step=float(step[lowest]), start=max(float(loss[0]), start), lowest=float(means[lowest]),
        end=float(loss[-n_end:].mean()),
        error=noise * math.sqrt(1 / n_end + 1 / (2 * BESIDE + 1)), share=lowest / (len(loss) - 1),
    )  # fmt: skip


def overfitting(check: Check, signals: Signals) -> Finding:
    """LR211: the held-out loss turned up while the training loss went on falling."""
    log = signals.log
    if log.val_loss is None:
        return check.not_applicable("There is no validation loss in the log.")
    known = np.isfinite(log.val_loss)
    if known.sum() < FEWEST:
        return check.not_applicable(f"The log has {plural(int(known.sum()), 'validation loss')}; {FEWEST} are needed.")
    turn = find_turn(log.step[known], log.val_loss[known], start=signals.start)
    then = float(np.interp(turn.step, signals.blocks.step, signals.blocks.level))
    numbers = {
        "step": turn.step, "val_lowest": turn.lowest, "val_end": turn.end, "rise": turn.rise,
        "rise_in_errors": turn.rise / turn.error if turn.error > 0 else None, "train_then": then,
        "train_end": signals.end,
    }  # fmt: skip
    where = signals.at_step(turn.step)
    if turn.is_clear and signals.end < then:
        message = (
            f"The validation loss is lowest around {where}, at {number(turn.lowest)} on average, and then rises to "
            f"{number(turn.end)}, while the training loss falls on from {number(then)} to {number(signals.end)}."
        )
        return check.found(
            message, numbers,
            f"Stop at {where}, or keep the weights from there: the last {1 - turn.share:.0%} of the run cost "
            f"{number(turn.rise, digits=2)}; for longer runs, get more data or regularise (start with weight decay "
            "0.01).",
        )  # fmt: skip
    return check.passed(
        f"The validation loss ends at {number(turn.end)}; its lowest is {number(turn.lowest)}.", numbers
    )
