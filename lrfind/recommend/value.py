"""What advice is: a rate, an interval, a schedule and the evidence, or an explained abstention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lrfind.schedule import Schedule
from lrfind.text import one_line

Verdict = Literal["ok", "no_signal", "range_too_narrow", "unstable", "too_little_data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One reason for the advice.

    Attributes
    ----------
    name : str
        A word for tables: "range test", "held-out", "schedule", "valley".
    text : str
        A sentence.
    lr : float or None
        The rate it speaks for, where it speaks for one.
    """

    name: str
    text: str
    lr: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What training as advised reached on rows held out.

    Attributes
    ----------
    val_loss, val_loss_se : float
        Mean over seeds and its standard error, in nats or squared target sd.
    baseline_loss : float
        Of the best constant predictor.
    """

    val_loss: float
    val_loss_se: float
    baseline_loss: float


@one_line
@dataclass(frozen=True, slots=True, kw_only=True)
class Raced:
    """A schedule that was raced, at its best rate.

    Attributes
    ----------
    schedule : str
    lr, lr_low, lr_high : float
        Peak rate, and the interval in which any rate does about as well.
    val_loss, val_loss_se : float
        Held-out loss and its standard error, in nats or squared target sd.
    standing : str
        How it did beside the schedule that ended lowest: "lowest", "within noise", "clearly worse" ...
    """

    schedule: str
    lr: float
    lr_low: float
    lr_high: float
    val_loss: float
    val_loss_se: float
    standing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to train with, why, and how sure that is.

    Attributes
    ----------
    verdict : {"ok", "no_signal", "range_too_narrow", "unstable", "too_little_data"}
    sentence : str
        The verdict in words.
    lr, lr_low, lr_high : float or None
        Peak rate, and the interval in which any rate loses at most 5 % of what training can gain.
    lr_max_stable : float or None
        The rate at which the range test diverged, or a higher one at which no run of the race did.
    optimizer : str
    batch_size, train_steps : int
        What the advice is for.
    schedule : Schedule or None
    expected : Expected or None
    evidence : tuple of Evidence
    raced : tuple of Raced
        Every schedule that was raced, the lowest loss first.
    """

    verdict: Verdict
    sentence: str
    lr: float | None
    lr_low: float | None
    lr_high: float | None
    lr_max_stable: float | None
    optimizer: str
    batch_size: int
    train_steps: int
    schedule: Schedule | None
    expected: Expected | None
    evidence: tuple[Evidence, ...]
    raced: tuple[Raced, ...] = ()
