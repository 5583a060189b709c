"""Train candidates for real and judge them on rows held out: `race(course, lr, plan=...) -> Race`.

::

    course    the rows: folds, the constant guess, equal epochs
    trials    replicas in lockstep, over processes
    plan      what a budget buys
    judge     one curve through all points, paired differences, the winner
    contest   the race: the rate, the schedules, the leaders
"""

from lrfind.race.contest import FEWEST_WATCHED, Leader, Race, race
from lrfind.race.course import Course, equal_epochs, lay_course
from lrfind.race.judge import DECAYS, SIMPLICITY, Fit, Margin, Scores
from lrfind.race.plan import BUDGETS, Plan, plan_race, race_seconds, rough_seconds, step_cost
from lrfind.race.trials import Runs, Trial, n_workers, run_curves, run_trials, run_watched

__all__ = [
    "BUDGETS",
    "DECAYS",
    "FEWEST_WATCHED",
    "SIMPLICITY",
    "Course",
    "Fit",
    "Leader",
    "Margin",
    "Plan",
    "Race",
    "Runs",
    "Scores",
    "Trial",
    "equal_epochs",
    "lay_course",
    "n_workers",
    "plan_race",
    "race",
    "race_seconds",
    "rough_seconds",
    "run_curves",
    "run_trials",
    "run_watched",
    "step_cost",
]
