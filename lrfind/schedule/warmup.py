"""The same schedule after a warm-up of any length: `warmed_up(schedule, n_warmup)`."""

from __future__ import annotations

from dataclasses import replace

from lrfind.errors import UsageError
from lrfind.schedule.closed_loop import CLOSED_LOOP
from lrfind.schedule.shapes import SCHEDULES, warmup_cosine
from lrfind.schedule.value import Schedule, Segment


def warmed_up(schedule: Schedule, n_warmup: int) -> Schedule:
    """Return a schedule that rises from 0 for some steps and does in the rest what it would have done in all.

    Parameters
    ----------
    schedule : Schedule
        One of `lrfind.schedule.SCHEDULES`.
    n_warmup : int
        Steps of the straight rise; 0 for none.

    Returns
    -------
    Schedule
        Of the same length. That of `warmup_cosine` has this warm-up in place of its own.

    Raises
    ------
    UsageError
        If no step is left after the warm-up, or the schedule rises by itself.
    """
    n_steps = schedule.n_steps
    if not 0 <= n_warmup < n_steps:
        raise UsageError(
            f"the warm-up is {n_warmup} steps of {n_steps}: expected at least 0 and fewer than the run has"
        )
    if schedule.name == "warmup_cosine":
        return replace(schedule, segments=warmup_cosine(n_steps, warmup=n_warmup))
    if n_warmup == 0:
        return schedule
    if schedule.name in CLOSED_LOOP:
        raise UsageError(f"{schedule.name} finds its rate from the run's own losses: leave the warm-up out")
    if schedule.name == "one_cycle":
        raise UsageError("one_cycle rises by itself, for three tenths of the run: leave the warm-up out")
    body = SCHEDULES[schedule.name](n_steps - n_warmup)
    rise = Segment(start=0, stop=n_warmup, shape="linear", begin=0, end=body[0].begin)
    moved = (replace(piece, start=piece.start + n_warmup, stop=piece.stop + n_warmup) for piece in body)
    return replace(schedule, name=f"{schedule.name} with warm-up", segments=(rise, *moved))
