"""What the usual default rates would cost, in words: `default_costs(race)`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lrfind.race import Leader, Race, is_clear
from lrfind.text import plural, rate

# A larger share of the gain than this rounds to all of it; a smaller one than this to nothing.
ALL, ONE_PERCENT = 0.995, 0.01


def defaults(race: Race) -> Sequence[Leader]:
    """Return the runs at the constant rates that people take who do not search."""
    return [leader for leader in race.leaders if leader.label.startswith("default")]


def default_costs(race: Race) -> str:
    """Return what the defaults cost: "a constant 0.001 gives up 4 % of the gain, 0.01 does as well"."""
    costs = [f"{rate(leader.schedule.peak_lr)} {cost(leader, race=race)}" for leader in defaults(race)]
    return f"a constant {', '.join(costs)}" if costs else ""


def cost(leader: Leader, *, race: Race) -> str:
    """Return what a run gave up against the advised one: "gives up 4 % of the gain", "does as well"."""
    if not np.isfinite(leader.losses[-1]):
        return "diverges"
    if leader.n_lost:
        return f"diverges in {leader.n_lost} of {plural(race.n_replicas, 'run')}"
    if is_clear(leader.cost, leader.cost_se):
        return "gives up all of the gain" if leader.cost > ALL else f"gives up {_share(leader.cost)} of the gain"
    if is_clear(-leader.cost, leader.cost_se):
        return f"gains {_share(-leader.cost)} more"
    # the interval is that of the schedule advised: a rate outside of it may do as well with another one
    return "does as well" if race.winner.low <= leader.schedule.peak_lr <= race.winner.high else "is within noise"


def _share(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if share >= ONE_PERCENT else f"{percent:.1g} %"
