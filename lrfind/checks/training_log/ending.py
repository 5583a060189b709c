"""How a log ends: with a finite loss, or in NaN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lrfind.checks.training_log.smooth import Floats
from lrfind.logs import TrainingLog
from lrfind.text import number, place, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What the last losses of a log are.

    Attributes
    ----------
    kind : {"finite", "NaN", "infinite", "NaN or infinite"}
        Of the losses after the last finite one, or of that one.
    since : float or None
        First step of those losses; None where the last loss is finite.
    at : str
        The same as the log counts it, "step 149", or nothing.
    """

    kind: str
    since: float | None
    at: str

    @property
    def is_finite(self) -> bool:
        """Whether the last loss that was logged is a number."""
        return self.since is None


def read_ending(log: TrainingLog) -> Ending:
    """Return how a log ends.

    Parameters
    ----------
    log : TrainingLog

    Returns
    -------
    Ending
    """
    finite = log.step[np.isfinite(log.loss)]
    last = float(finite[-1]) if len(finite) else -np.inf
    after = log.nonfinite_steps[log.nonfinite_steps > last]
    if not len(after):
        return Ending(kind="finite", since=None, at="")
    since = float(after[0])
    return Ending(kind=_kind(log, after), since=since, at=f"{log.step_unit} {place(since)}")


def told_nonfinite(log: TrainingLog) -> str:
    """Return where the loss is no number, and whether it came back, as a sentence; at least one loss is none.

    Parameters
    ----------
    log : TrainingLog

    Returns
    -------
    str
    """
    broken, ending = log.nonfinite_steps, read_ending(log)
    finite = np.flatnonzero(np.isfinite(log.loss))
    n_before = int((broken < ending.since).sum()) if ending.since is not None else len(broken)
    first = f"The loss was {_kind(log, broken[:1])} at {log.step_unit} {place(broken[0])}"
    ended = f"ended in {ending.kind.replace('infinite', 'infinity')}: it is {ending.kind} from {ending.at} on"
    if not n_before and len(finite):
        last = finite[-1]
        return f"The loss {ended}, after {number(log.loss[last])} at {log.step_unit} {place(log.step[last])}."
    if not n_before:
        return f"The loss is {ending.kind} at every point of the log ({plural(len(broken), 'point')})."
    if not ending.is_finite:
        return f"{first}, came back, and {ended}."
    if n_before == 1:
        return f"{first} alone, and came back."
    return f"{first} and at {plural(n_before - 1, 'later point')}, and came back."


def _kind(log: TrainingLog, steps: Floats) -> str:
    """Return "NaN", "infinite" or "NaN or infinite": what the losses at some steps are."""
    is_infinite = np.isinf(log.loss[np.isin(log.step, steps)])
    return "infinite" if is_infinite.all() else "NaN or infinite" if is_infinite.any() else "NaN"
