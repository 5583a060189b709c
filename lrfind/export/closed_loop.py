"""What exporters share about the schedules that answer the run."""

from __future__ import annotations

from lrfind.export.plan import Plan, literal
from lrfind.schedule import COURSES
from lrfind.schedule.plateau import FACTOR, PATIENCE, THRESHOLD, window_length


def fallback_note(plan: Plan, framework: str) -> tuple[str, ...]:
    """Return the comment that says what a table of rates stands for, where a framework cannot answer the run."""
    if not plan.is_closed_loop:
        return ()
    is_recorded = plan.schedule.segments != COURSES[plan.schedule.name](plan.n_steps)
    course = "took, in the median of the race's runs" if is_recorded else "takes where nothing happens"
    return (f"# {framework} cannot answer the run as {plan.kind} does: these are the rates that it {course}.",)


def window(plan: Plan) -> int:
    """Return how many losses are averaged before a plateau is looked for."""
    return window_length(plan.n_steps)


def plateau_options(*, patience: int = PATIENCE) -> str:
    """Return the settings of a plateau, in the words that torch and optax share."""
    return f"factor={literal(FACTOR)}, patience={patience}"


# The comparison that a reduction follows is one more than torch's patience; Keras and optax count it in.
COUNTED_PATIENCE = PATIENCE + 1
RELATIVE_THRESHOLD = literal(THRESHOLD)


def controller_line(plan: Plan) -> str:
    """Return the line that makes the controller of an adaptive run."""
    return f"rate = AdaptiveRate(peak_lr={plan.peak}, n_steps={plan.n_steps})"


ADAPTIVE_IMPORT = "from lrfind import AdaptiveRate  # needs numpy alone"
