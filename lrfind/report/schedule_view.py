"""What there is to show of a schedule, shared by the terminal, the figures and the JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfind.report.curves import Floats
from lrfind.report.schedule_texts import SCHEDULE_TEXTS, ScheduleText
from lrfind.schedule import Schedule, to_dict, values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScheduleView:
    """A schedule, its rates and what is known of it.

    Attributes
    ----------
    schedule : Schedule
    kind : str
        One of `lrfind.schedule.COURSES`; the schedule may have a warm-up besides.
    rates : (n_steps,) ndarray
    text : ScheduleText
    """

    schedule: Schedule
    kind: str
    rates: Floats
    text: ScheduleText

    @property
    def first(self) -> float:
        """The rate of the first step."""
        return float(self.rates[0])

    @property
    def last(self) -> float:
        """The rate of the last step."""
        return float(self.rates[-1])

    @property
    def peak(self) -> float:
        """The largest rate of any step."""
        return float(self.rates.max())

    @property
    def peak_step(self) -> int:
        """The first step with that rate."""
        return int(np.argmax(self.rates))

    @property
    def mean(self) -> float:
        """The mean rate, which says how far a run can move in all."""
        return float(self.rates.mean())


def view(schedule: Schedule, *, kind: str) -> ScheduleView:
    """Return what there is to show of a schedule.

    Parameters
    ----------
    schedule : Schedule
    kind : str
        One of `lrfind.schedule.COURSES`.

    Returns
    -------
    ScheduleView
    """
    return ScheduleView(schedule=schedule, kind=kind, rates=values(schedule), text=SCHEDULE_TEXTS[kind])


def document(shown: ScheduleView) -> dict[str, Any]:
    """Return a schedule as JSON values: its rates, what they come to, and what it is.

    Parameters
    ----------
    shown : ScheduleView

    Returns
    -------
    dict
    """
    return {
        **to_dict(shown.schedule),
        "first_lr": shown.first,
        "last_lr": shown.last,
        "max_lr": shown.peak,
        "max_step": shown.peak_step,
        "mean_lr": shown.mean,
        "what": shown.text.what,
        "use": shown.text.use,
        "source": shown.text.source,
        "rates": shown.rates.tolist(),
    }


def to_json(every: Sequence[ScheduleView]) -> str:
    """Return one schedule's document, or several under "schedules".

    Parameters
    ----------
    every : sequence of ScheduleView

    Returns
    -------
    str
        Ends in a line break.
    """
    documents = [document(shown) for shown in every]
    whole = documents[0] if len(documents) == 1 else {"schedules": documents}
    return json.dumps(whole, allow_nan=False) + "\n"
