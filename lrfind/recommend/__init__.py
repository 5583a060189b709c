"""From evidence to advice: a rate, an interval, a schedule, or an explained abstention.

::

    value     what advice is
    reading   which schedule the range test speaks for
    costs     what the usual default rates would give up
    proof     whether anything was learned that holds on other rows
    weigh     the advice: `recommend(analysis, reading=..., proof=..., race=...)`
    adapt     the same advice for another batch size, length or schedule
"""

from lrfind.recommend.adapt import adapt
from lrfind.recommend.costs import cost, default_costs, defaults
from lrfind.recommend.proof import Proof, gain, has_signal
from lrfind.recommend.reading import read_schedule
from lrfind.recommend.value import Evidence, Expected, Raced, Recommendation, Verdict
from lrfind.recommend.weigh import AGREEING_RATES, FAMILIAR, FEWEST_HELD_OUT, HIGHER, agrees, recommend, schedule_why

__all__ = [
    "AGREEING_RATES",
    "FAMILIAR",
    "FEWEST_HELD_OUT",
    "HIGHER",
    "Evidence",
    "Expected",
    "Proof",
    "Raced",
    "Recommendation",
    "Verdict",
    "adapt",
    "agrees",
    "cost",
    "default_costs",
    "defaults",
    "gain",
    "has_signal",
    "read_schedule",
    "recommend",
    "schedule_why",
]
