"""The race itself: `race(course, ...) -> Race`.

First the rate, with one schedule over many rates, the row of rates extended while the best lies at its end; then the
schedules, each at a few rates around it and at more until its lowest loss lies between others, the constant one also
at the usual defaults; at last the leaders once more, watched as they learn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.experience import Prior
from lrfind.progress import Parts
from lrfind.race.course import Course
from lrfind.race.fit import Fit, fit, least_gain
from lrfind.race.judge import Margin, locating
from lrfind.race.noise import Pairs, standard_error
from lrfind.race.plan import DEFAULTS, Plan
from lrfind.race.rounds import Field
from lrfind.race.scores import Scores
from lrfind.race.trials import Trial, run_watched
from lrfind.schedule import CLOSED_LOOP, Schedule, make_schedule, recorded
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leader:
    """A run that was watched as it learned.

    Attributes
    ----------
    label : str
        "advised", "best constant", "default 0.001".
    schedule : Schedule
        A closed-loop one with the course it took, the median of the runs.
    steps : (n_checkpoints,) ndarray of int64
    losses : (n_checkpoints,) ndarray
        Mean held-out loss; NaN once every replica had diverged.
    cost, cost_se : float
        Share of the possible gain given up against the advised run, and its standard error, over all replicas.
    n_lost : int
        Replicas that diverged.
    """

    label: str
    schedule: Schedule
    steps: npt.NDArray[np.int64]
    losses: Floats
    cost: float
    cost_se: float
    n_lost: int = 0


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Race:
    """What training for real has shown.

    Attributes
    ----------
    scores : Scores
        Every candidate's held-out losses.
    fit : Fit
        The curve of loss against peak rate and its lowest point.
    margins : tuple of Margin
        Every schedule, the lowest loss first: the one advised at the rate advised, the others where they ended lowest.
    winner : Margin
        The schedule advised; ``winner.lr`` is the rate advised.
    leaders : tuple of Leader
        The advised run, the best constant rate, and the usual defaults.
    gain, gain_se : float
        How far below the constant guess it ends.
    n_steps : int
        Updates of each trial, on the folds' smaller part.
    n_folds, n_held_out : int
    replicas : (n_replicas,) tuple of (seed, fold)
        Which run each column of ``scores.losses`` is.
    expected_lr : float
        Where earlier races expected the best rate, and this one began.
    """

    scores: Scores
    fit: Fit
    margins: tuple[Margin, ...]
    winner: Margin
    leaders: tuple[Leader, ...]
    gain: float
    gain_se: float
    n_steps: int
    n_folds: int
    n_held_out: int
    replicas: tuple[tuple[int, int], ...]
    expected_lr: float

    @property
    def loss(self) -> float:
        """Held-out loss of the winner."""
        return self.winner.loss

    @property
    def loss_se(self) -> float:
        """Standard error of `loss`, over rows."""
        return self.winner.loss_se

    @property
    def n_replicas(self) -> int:
        """Runs of each candidate."""
        return len(self.replicas)

    @property
    def baseline_loss(self) -> float:
        """Held-out loss of the constant guess."""
        return float(self.scores.baseline.mean())

    @property
    def steps_sooner(self) -> float | None:
        """Share of the run after which the advised run is as good as the best constant rate at its end, or None."""
        advised, constant = self.leaders[0], next((x for x in self.leaders if x.label == "best constant"), None)
        if constant is None or not np.isfinite(constant.losses[-1]):
            return None
        reached = np.flatnonzero(advised.losses <= constant.losses[-1])
        return float(advised.steps[reached[0]] / advised.steps[-1]) if len(reached) else None


N_CHECKPOINTS = 30


def race(
    course: Course,
    prior: Prior,
    *,
    plan: Plan,
    limits: tuple[float, float],
    n_jobs: int = 1,
    on_share: Callable[[float], None] | None = None,
) -> Race:
    """Train candidates around the rate that earlier races expect, and judge them on rows held out.

    Parameters
    ----------
    course : Course
    prior : Prior
        What the range test and earlier races say.
    plan : Plan
        From `plan_race`.
    limits : (float, float)
        No rate outside is tried.
    n_jobs : int
        Processes, -1 for one a core; the numbers do not depend on it.
    on_share : callable, optional
        Called with the share of the work done, 0 to 1.

    Returns
    -------
    Race
    """
    field = Field(course=course, prior=prior, plan=plan, limits=limits, n_jobs=n_jobs, parts=Parts(on_share or _silent))
    scores = field.scores()
    (table, best), apart = field.judged(scores), scores.pairs()
    at = scores.find(best.schedule, best.lr)
    curve = fit(scores, locating(scores), prior=prior)
    better = scores.baseline - scores.rows[at]
    return Race(
        scores=scores,
        fit=curve,
        margins=table,
        winner=best,
        leaders=_parade(field, scores, table=table, best=best, apart=apart),
        gain=float(better.mean()),
        gain_se=standard_error(better),
        n_steps=course.n_steps,
        n_folds=course.n_folds,
        n_held_out=len(scores.baseline),
        replicas=plan.replicas,
        expected_lr=field.lr,
    )


def _silent(_share: float) -> None:
    pass


def _parade(field: Field, scores: Scores, *, table: Sequence[Margin], best: Margin, apart: Pairs) -> tuple[Leader, ...]:
    """Return the advised run, the best constant rate and the defaults, as they learned."""
    constant = next((m for m in table if m.schedule == "constant"), None)
    runs = [("advised", best.schedule, best.lr)]
    if constant is not None and best.schedule != "constant":
        runs.append(("best constant", "constant", constant.lr))
    runs += [(f"default {lr:g}", name, lr) for name, lr in field.within(("constant", lr) for lr in DEFAULTS)]
    schedules = [make_schedule(name, peak_lr=lr, n_steps=field.course.n_steps) for _, name, lr in runs]
    replicas = field.plan.replicas
    trials = [Trial(schedule=s, seed=seed, fold=fold) for s in schedules for seed, fold in replicas]
    watched = run_watched(
        field.course,
        trials,
        n_checkpoints=N_CHECKPOINTS,
        n_jobs=field.n_jobs,
        on_share=field.parts.part(len(trials)),
    )
    if best.schedule in CLOSED_LOOP:
        schedules[0] = recorded(schedules[0], watched.lrs[: len(replicas)])
    curves = watched.losses.mean(2, dtype=np.float64).reshape(len(runs), len(replicas), N_CHECKPOINTS)
    steps = np.linspace(0, field.course.n_steps, N_CHECKPOINTS + 1).round().astype(np.int64)[1:]
    at = [scores.find(name, lr) for _, name, lr in runs]
    gain = least_gain(scores, float(scores.means[at[0]]))
    return tuple(
        Leader(
            label=label,
            schedule=schedule,
            steps=steps,
            losses=_alive_means(curve),
            cost=float(apart.differences[i, at[0]]) / gain,
            cost_se=float(apart.errors[i, at[0]]) / gain,
            n_lost=int(np.isnan(scores.losses[i]).sum()),
        )
        for (label, _, _), schedule, curve, i in zip(runs, schedules, curves, at, strict=True)
    )


def _alive_means(curves: Floats) -> Floats:
    # (n_replicas, n_checkpoints) -> (n_checkpoints,) mean of the replicas that had not diverged
    alive = np.isfinite(curves).any(0)
    means = np.full(curves.shape[1], np.nan)
    means[alive] = np.nanmean(curves[:, alive], axis=0)
    return means
