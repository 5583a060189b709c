"""Train candidates for real and judge them on rows held out."""

from lrfind.race.course import Course, equal_epochs, lay_course
from lrfind.race.trials import Trial, run_curves, run_trials

__all__ = ["Course", "Trial", "equal_epochs", "lay_course", "run_curves", "run_trials"]
