"""How much training a race may cost, and what it buys: `plan_race(course, ...) -> Plan`.

The plan follows from an estimate of the cost, never from the clock: the same input must race the same trials on a
slow machine and on a fast one.
"""

from __future__ import annotations

from dataclasses import dataclass

from lrfind.mlp import Net
from lrfind.race.course import Course
from lrfind.schedule import COURSES

# Seconds on one core that a race may take; on two cores "full" leaves a small table at about eight seconds in all.
BUDGETS = {"quick": 5.0, "full": 11.0, "grid": 120.0}
# A race that would cost this many times its budget even at its smallest is not run.
MOST_OVERRUN = 3.0
# Decades between neighbouring rates.
SPACING = 0.25
# Rates of the first round, around the one that earlier races expect, in steps of SPACING. Of 80 problems, each without
# the experience of its own table, 74 had a rate as good as the best within three steps of it, and all but one within
# six; a best rate at an end extends the row.
BELOW, ABOVE = 5, 4
# Rates at which each schedule runs, around the best of the first round.
CONTEST_STEPS = (-2, -1, 0, 1, 2)
# What people take who do not search: Adam's in every framework, and the next round number. They race as constant rates.
DEFAULTS = (1e-3, 1e-2)
# Candidates that come on top: the defaults, rates until each schedule's lowest is bracketed (5 in the mean of 80
# problems), and the leaders once more.
EXTRA = 9
# Runs a candidate: more judge the same rows again, fewer tell nothing of chance.
MOST_REPLICAS, FEWEST_REPLICAS = 20, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a race trains.

    Attributes
    ----------
    replicas : tuple of (seed, fold)
        Every candidate runs once for each.
    schedules : tuple of str
        Compared in the second round.
    every_rate : bool
        Whether the second round covers all rates of the first, as a slow cross-check.
    """

    replicas: tuple[tuple[int, int], ...]
    schedules: tuple[str, ...]
    every_rate: bool


# Of a group of eight replicas, measured: products at 40 GFLOP/s with what surrounds them, one pass of an optimiser's
# ten over a parameter, and NumPy's own calls.
SECONDS_A_FLOP, SECONDS_A_PARAM, SECONDS_A_STEP = 2.3e-11, 1.5e-9, 4e-6


def step_cost(net: Net, *, batch_size: int) -> float:
    """Return about how many seconds one update of one replica takes on one core."""
    # forward, and backward for weights and for inputs: two flops each a parameter and row
    flops = 6.0 * net.n_params * batch_size
    return SECONDS_A_STEP + flops * SECONDS_A_FLOP + net.n_params * SECONDS_A_PARAM


# In order of simplicity. When a race can afford few, these.
CORE_SCHEDULES = ("constant", "linear", "cosine", "warmup_cosine")


def plan_race(course: Course, *, effort: str, schedules: tuple[str, ...] | None = None) -> Plan | None:
    """Return what a race of this effort trains, or None where even the smallest would cost too much.

    Parameters
    ----------
    course : Course
    effort : {"quick", "full", "grid"}
    schedules : tuple of str, optional
        To compare; all by default, or the core ones where all are too dear.

    Returns
    -------
    Plan or None
    """
    budget = BUDGETS[effort]
    batch = min(course.batch_size, len(course.folds[0][0]))
    seconds = course.n_steps * step_cost(course.net, batch_size=batch)
    wanted = schedules or (tuple(COURSES) if effort != "quick" else CORE_SCHEDULES)
    for names in (wanted, tuple(name for name in wanted if name in CORE_SCHEDULES) or wanted[:1]):
        candidates = _n_candidates(names, every_rate=effort == "grid")
        affordable = budget / (seconds * candidates)
        # whole partitions, so that every row counts the same; the first may cost up to twice the budget
        rounds = max(int(min(affordable, MOST_REPLICAS)) // course.n_folds, int(affordable >= course.n_folds / 2))
        if rounds * course.n_folds >= FEWEST_REPLICAS:
            return Plan(replicas=_replicas(course, rounds), schedules=names, every_rate=effort == "grid")
    few = _replicas(course, -(-FEWEST_REPLICAS // course.n_folds))
    if len(few) * candidates * seconds > MOST_OVERRUN * budget:
        return None
    return Plan(replicas=few, schedules=names, every_rate=False)


def _replicas(course: Course, rounds: int) -> tuple[tuple[int, int], ...]:
    # each round has a seed and, as long as there are any, a partition of its own
    n_partitions = len(course.folds) // course.n_folds
    return tuple(
        (number, (number % n_partitions) * course.n_folds + fold)
        for number in range(rounds)
        for fold in range(course.n_folds)
    )


# Rates of the first round.
N_RATES = BELOW + ABOVE + 1


def _n_candidates(schedules: tuple[str, ...], *, every_rate: bool) -> int:
    return N_RATES + len(schedules) * (N_RATES if every_rate else len(CONTEST_STEPS)) + EXTRA


def n_after_scouting(plan: Plan) -> int:
    """Return about how many candidates a race trains after its first round."""
    return _n_candidates(plan.schedules, every_rate=plan.every_rate) - N_RATES


def race_seconds(course: Course, plan: Plan) -> float:
    """Return about how many seconds a race takes on one core."""
    batch = min(course.batch_size, len(course.folds[0][0]))
    n_runs = len(plan.replicas) * (N_RATES + n_after_scouting(plan))
    return n_runs * course.n_steps * step_cost(course.net, batch_size=batch)


def rough_seconds(effort: str, *, run: float) -> float:
    """Return about how many seconds a race takes on one core where a run takes so many; 0 where there would be none."""
    budget, smallest = BUDGETS[effort], FEWEST_REPLICAS * _n_candidates(CORE_SCHEDULES, every_rate=False) * run
    return 0.0 if smallest > MOST_OVERRUN * budget else max(budget, smallest)
