"""Train candidates for real and judge them on rows held out: `race(course, lr, plan=...) -> Race`.

::

    course    the rows: folds, the constant guess, equal epochs
    trials    replicas in lockstep, over processes
    plan      what a budget buys
    scores    held-out losses of all candidates
    noise     which differences are clear: one rule for all that is said of two losses
    fit       one curve through all points, the best rate, the rates around it that are good
    judge     every schedule at its best rate, the winner
    rounds    which candidates are trained, round by round
    contest   the race: the rate, the schedules, the leaders
"""

from lrfind.race.contest import Leader, Race, race
from lrfind.race.course import Course, equal_epochs, lay_course
from lrfind.race.fit import PROMISE, Fit
from lrfind.race.judge import DECAYS, SIMPLICITY, Margin, Standing, peak_ratio, standings
from lrfind.race.noise import is_clear, standard_error
from lrfind.race.plan import BUDGETS, Plan, plan_race, race_seconds, rough_seconds, step_cost
from lrfind.race.scores import Scores
from lrfind.race.trials import Runs, Trial, n_workers, run_curves, run_trials, run_watched

__all__ = [
    "BUDGETS",
    "DECAYS",
    "PROMISE",
    "SIMPLICITY",
    "Course",
    "Fit",
    "Leader",
    "Margin",
    "Plan",
    "Race",
    "Runs",
    "Scores",
    "Standing",
    "Trial",
    "equal_epochs",
    "is_clear",
    "lay_course",
    "n_workers",
    "peak_ratio",
    "plan_race",
    "race",
    "race_seconds",
    "rough_seconds",
    "run_curves",
    "run_trials",
    "run_watched",
    "standard_error",
    "standings",
    "step_cost",
]
