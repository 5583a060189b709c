"""What exporters share about the schedules that answer the run."""

from __future__ import annotations

from typing import Final

from lrfind.export.plan import Plan
from lrfind.schedule import COURSES
from lrfind.schedule.plateau import PATIENCE, window_length

# Comparisons without a new lowest that Keras and optax take before they reduce: they count the one that torch, which
# reduces after more than its patience, does not.
COUNTED_PATIENCE: Final = PATIENCE + 1
ADAPTIVE_IMPORT: Final = "from lrfind import AdaptiveRate  # needs NumPy alone"


def fallback_note(plan: Plan, framework: str) -> tuple[str, ...]:
    """Return the comment that says what a table of rates stands for, where a framework cannot answer the run."""
    if not plan.is_closed_loop:
        return ()
    is_nominal = plan.schedule.segments == COURSES[plan.schedule.name](plan.n_steps)
    course = "takes where nothing happens" if is_nominal else "took, in the median of the race's runs"
    return (f"# {framework} cannot answer the run as {plan.kind} does: these are the rates that it {course}.",)


def window(plan: Plan) -> int:
    """Return how many losses are averaged before a plateau is looked for."""
    return window_length(plan.n_steps)


def controller_line(plan: Plan) -> str:
    """Return the line that makes the controller of an adaptive run."""
    return f"rate = AdaptiveRate(peak_lr={plan.peak}, n_steps={plan.n_steps})"
