"""What every exporter needs to know: `make_plan(recommendation) -> Plan`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lrfind.errors import UsageError
from lrfind.export.comments import comment, measured_with, subject
from lrfind.export.literal import literal
from lrfind.optim import OPTIMIZERS
from lrfind.recommend import Recommendation
from lrfind.schedule import CLOSED_LOOP, SCHEDULES, Schedule, make_schedule, two_digits, warmup_cosine
from lrfind.text import listed, printable, rate

if TYPE_CHECKING:
    from lrfind.runs import Origin

# Of a sentence quoted in an error.
SENTENCE_WIDTH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A recommendation that can be exported.

    Attributes
    ----------
    schedule : Schedule
        The recommended one, or a constant rate where none was recommended.
    kind : str or None
        The name of the built-in schedule whose segments these are, `warmup_cosine` with any warm-up among them; None
        for any others.
    optimizer : str
        One of `lrfind.optim.OPTIMIZERS`.
    batch_size : int
    origin : Origin or None
        What the rate was measured with.
    header : tuple of str
        Comment lines that say what the code is for.
    """

    schedule: Schedule
    kind: str | None
    optimizer: str
    batch_size: int
    origin: Origin | None
    header: tuple[str, ...]

    @property
    def peak(self) -> str:
        """The peak rate as a literal."""
        return literal(self.schedule.peak_lr)

    @property
    def is_closed_loop(self) -> bool:
        """Whether the schedule answers the run."""
        return self.kind in CLOSED_LOOP

    @property
    def n_steps(self) -> int:
        """Updates in the run."""
        return self.schedule.n_steps


def make_plan(
    recommendation: Recommendation,
    *,
    origin: Origin | None = None,
    changes: Sequence[str] = (),
    is_asked: bool = False,
) -> Plan:
    """Return what exporters need.

    Parameters
    ----------
    recommendation : Recommendation
    origin : Origin, optional
    changes : sequence of str
        Sentences on how the advice was adapted.
    is_asked : bool
        Whether the rate was asked for, and keeps its digits.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        If there is no rate to export, or the optimiser is unknown.
    """
    schedule = exported_schedule(recommendation)
    if recommendation.optimizer not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS)
        raise UsageError(f"cannot export for the optimizer {listed([recommendation.optimizer])}: choose one of {known}")
    schedule = schedule if is_asked else _rounded(schedule)
    kind = kind_of(schedule)
    header = _header(recommendation, schedule, kind=kind, is_asked=is_asked)
    return Plan(
        schedule=schedule,
        kind=kind,
        optimizer=recommendation.optimizer,
        batch_size=int(recommendation.batch_size),
        origin=origin,
        header=header if origin is None else (*subject(origin), *header, *measured_with(origin, changes=changes)),
    )


def exported_schedule(recommendation: Recommendation) -> Schedule:
    """Return the recommended schedule, or a constant rate where none was recommended."""
    if recommendation.lr is None:
        sentence = printable(recommendation.sentence, width=SENTENCE_WIDTH)
        raise UsageError(f"nothing to export: {sentence or 'the run recommends no learning rate'}")
    if recommendation.schedule is not None:
        return recommendation.schedule
    return make_schedule("constant", peak_lr=recommendation.lr, n_steps=recommendation.train_steps)


def kind_of(schedule: Schedule) -> str | None:
    """Return the built-in schedule with these very segments; the name alone proves nothing.

    But for a closed-loop schedule, whose segments are only the course it took.
    """
    if schedule.name in CLOSED_LOOP:
        return schedule.name
    n_steps, segments = schedule.n_steps, schedule.segments
    kinds = (name for name, build in SCHEDULES.items() if build(n_steps) == segments)
    rise = float(segments[0].stop)
    # frameworks have a warm-up of any whole length
    is_warm = rise.is_integer() and warmup_cosine(n_steps, warmup=int(rise)) == segments
    return next(kinds, "warmup_cosine" if is_warm else None)


def _rounded(schedule: Schedule) -> Schedule:
    """Return a schedule whose peak has the digits that a measured rate is shown with everywhere."""
    return replace(schedule, peak_lr=two_digits(schedule.peak_lr))


def _header(advice: Recommendation, schedule: Schedule, *, kind: str | None, is_asked: bool) -> tuple[str, ...]:
    low, high = advice.lr_low, advice.lr_high
    interval = "" if low is None or high is None else f" (good between {rate(low)} and {rate(high)})"
    peak = literal(schedule.peak_lr) if is_asked else rate(schedule.peak_lr)
    what = f"{advice.optimizer}, batches of {int(advice.batch_size)}, {schedule.n_steps} steps"
    lines = comment(f"Learning rate {peak}{interval}: {what}, {kind or 'custom'} schedule.")
    if advice.verdict != "ok":
        lines += comment("Caution: lrfind could not stand behind this rate; see the verdict in its report.")
    return lines


def joined(*parts: str | tuple[str, ...]) -> str:
    """Return lines as one text; an empty line stays, an empty tuple vanishes."""
    lines = [line for part in parts for line in ((part,) if isinstance(part, str) else part)]
    return "\n".join(lines) + "\n"
