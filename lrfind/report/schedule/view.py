"""What there is to show of a schedule, shared by the terminal, the figures and the JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfind.report.curves import Floats
from lrfind.report.schedule.texts import SCHEDULE_TEXTS, ScheduleText
from lrfind.schedule import CLOSED_LOOP, Schedule, recorded, rescaled, to_dict, values


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
        One of `lrfind.schedule.COURSES`; what `reduce_on_plateau` does is shown on an example, for where nothing
        happens it does nothing.

    Returns
    -------
    ScheduleView
    """
    shown = on_example(schedule) if kind == "reduce_on_plateau" else schedule
    return ScheduleView(schedule=shown, kind=kind, rates=values(shown), text=SCHEDULE_TEXTS[kind])


# Time constants at the peak rate of the example, in shares of the run: most of the loss falls early, some of it late.
SLOWEST, QUICKEST, N_MODES = 0.02, 0.002, 20
# Noise of its gradient, which holds the loss up in proportion to the rate, and scatter of single losses.
NOISE, SCATTER = 0.02, 0.05
# Steps of the example, which is stretched to the run: where its loss stops must not depend on its length.
EXAMPLE_STEPS = 1_000


def on_example(schedule: Schedule) -> Schedule:
    """Return a closed-loop schedule with the course it takes where a loss falls, and stops, until the rate falls.

    The loss is that of a quadratic under gradient descent with noise (Bottou, Curtis & Nocedal 2018, section 4): it
    falls until the noise of the batches holds it up, the higher the larger the rate.

    Parameters
    ----------
    schedule : Schedule
        Of a name in `lrfind.schedule.CLOSED_LOOP`.

    Returns
    -------
    Schedule
    """
    n_steps, peak = EXAMPLE_STEPS, schedule.peak_lr
    slopes = np.minimum(1 / (n_steps * np.geomspace(QUICKEST, SLOWEST, N_MODES)), 1.0)
    scatter = 1 + SCATTER * np.random.default_rng(0).standard_normal(n_steps)
    controller = CLOSED_LOOP[schedule.name].control(np.array([peak]), n_steps)
    squares, rates = np.ones(N_MODES), np.empty(n_steps)
    for step in range(n_steps):
        loss = float(slopes @ squares) * scatter[step]
        rates[step] = controller.update(np.array([loss])).lrs[0]
        share = rates[step] / peak
        squares = (1 - share * slopes) ** 2 * squares + share**2 * NOISE * slopes
    return rescaled(recorded(schedule, rates[None]), n_steps=schedule.n_steps)


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
