"""What is true of a run: its fault, what it costs, and the best rate of its base.

The truth of a run is what was done to it, and that it mattered: a rate three times too high is a fault only where it
costs something. The cost is the regret on the training part, (loss - best) / (knowing nothing - best), against the best
of a grid of rates with a cosine schedule; the best is that on the training and the held-out part together.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from faulty_shapes import cosine
from faulty_training import Course, Recipe, train_all

# A fault must cost at least the first to count, a healthy run at most the second; what lies between is left out.
COSTS_FROM, HEALTHY_TO = 0.1, 0.025
# A run that ends above this share of knowing nothing learned nothing, whatever was done to it: LR214 may say so.
NOTHING = 0.9
# How far above the first loss the five after it must be on average, for a warm-up to be seen missing.
LEAP = 1.1
GRID_STEP = 10**0.5


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is known of a log: codes that must be found, codes that may, and the best rate of its base."""

    file: str
    base: str
    fault: str
    strength: float
    format: str
    codes: list[str]
    tolerated: list[str]
    lr: float
    optimizer: str
    lr_best: float | None
    regret: float


@dataclass(frozen=True, kw_only=True)
class Base:
    """A sound recipe, and what the best rate with a cosine schedule reaches."""

    name: str
    recipe: Recipe
    best: Course

    def regrets(self, course: Course) -> tuple[float, float]:
        """Return the regret on the training part and on the held-out part."""
        costs = []
        for reached, best in ((course.final_train, self.best.final_train), (course.final_val, self.best.final_val)):
            cost = (reached - best) / max(self.best.baseline - best, 1e-9)
            costs.append(cost if math.isfinite(cost) else math.inf)
        return costs[0], costs[1]


Row = tuple[str, str, str, int, int, float]


def find_base(row: Row, *, powers: Sequence[int] = range(-3, 3)) -> Base:
    """Train a row of data, net, optimiser, batch, steps and a middling rate at a grid of rates, and return the best."""
    data, net, optimizer, batch, n_steps, middle = row
    recipe = Recipe(data=data, net=net, optimizer=optimizer, batch=batch, n_steps=n_steps, lr=middle, schedule=cosine)
    rates = [middle * GRID_STEP**k for k in powers]
    courses = train_all([replace(recipe, lr=lr) for lr in rates])
    costs = np.array([c.final_val + c.final_train for c in courses])
    costs[~np.isfinite(costs)] = np.inf
    low = costs.min()
    gain = 2 * courses[0].baseline - low
    good = np.flatnonzero(costs <= low + 0.02 * gain)
    lr = float(np.exp(np.mean(np.log(np.array(rates)[good]))))
    best = courses[int(np.argmin(costs))]
    return Base(name=f"{data}-{net}-{optimizer}", recipe=replace(recipe, lr=lr), best=best)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A recipe with its fault; `needs_cost` where the fault counts only if it costs something."""

    fault: str
    strength: float
    recipe: Recipe
    codes: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()
    needs_cost: bool = False
    per_step: bool = False
    with_val: bool = False
    with_norm: bool = False


# Codes that a fault may bring along.
HIGH_TOO = ("LR201", "LR202", "LR204", "LR206", "LR207", "LR208", "LR209", "LR210", "LR212", "LR214", "LR211")
LOW_TOO = ("LR214", "LR212", "LR210")
LATE_TOO = ("LR202", "LR204", "LR212")
TINY_TOO = ("LR202", "LR203", "LR204", "LR206", "LR208")
DEAD_TOO = ("LR210", "LR204", "LR205", "LR206", "LR212")
EXPLODING_TOO = ("LR201", "LR202", "LR203", "LR208", "LR207", "LR214", "LR212")
OVERFIT_TOO = ("LR203", "LR204", "LR206", "LR212")


def is_visible(case: Case, course: Course) -> bool:
    """Say whether a fault left anything in what was logged that a person could point at."""
    first = course.loss[0]
    if case.fault in ("overfit", "label noise"):
        return turns_up(course)
    if case.fault == "no warm-up":
        return bool(course.loss[1:6].mean() > LEAP * first)
    if case.fault == "bad batches":
        return bool(max(course.loss[step] for step in case.recipe.bad_batches) > first)
    if case.fault in ("never", "late"):
        # A run that ends above knowing nothing was thrown: no schedule is to blame.
        return course.final_train < course.baseline
    if case.fault == "dead":
        # Where one class is rare, learning how rare it is alone brings the loss far down.
        return bool(course.final_train > 0.85 * first)
    return True


def turns_up(course: Course) -> bool:
    """Say whether the held-out loss turned up far enough to be seen."""
    lowest = course.val_loss.min()
    rise = course.val_loss[-4:].mean() - lowest
    return bool(rise > 0.08 * lowest and rise > 0.04 * (course.loss[0] - lowest))


def tolerated_of(case: Case, course: Course) -> list[str]:
    """Return the codes that a run may be found to have besides its fault's.

    Runs on few rows may learn them by heart whatever else is done to them, at the best rate too.
    """
    learned_nothing = course.final_train > NOTHING * course.baseline
    return [*case.tolerated, *(["LR214"] if learned_nothing else []), *(["LR211"] if turns_up(course) else [])]


def save(truths: list[Truth | None], folder: Path) -> list[Truth]:
    known = [truth for truth in truths if truth is not None]
    (folder / "truth.json").write_text(json.dumps([asdict(truth) for truth in known], indent=1))
    return known
