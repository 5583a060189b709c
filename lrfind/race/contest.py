"""The race itself: `race(course, ...) -> Race`.

First the rate, with one schedule over many rates, the row of rates extended while the best lies at its end; then the
schedules, each at a few rates around it; at last the leaders once more, watched as they learn, beside the usual
defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrfind.experience import Prior
from lrfind.progress import Parts
from lrfind.race.course import Course
from lrfind.race.judge import DECAYS, Fit, Margin, Scores, fit, margins, rows_at, standard_error, winner
from lrfind.race.plan import ABOVE, BELOW, CONTEST_STEPS, SPACING, Plan, n_contested
from lrfind.race.trials import Trial, run_trials, run_watched
from lrfind.schedule import CLOSED_LOOP, Schedule, make_schedule, recorded
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


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
        Share of the possible gain given up at the end, against the advised run, and its standard error.
    """

    label: str
    schedule: Schedule
    steps: npt.NDArray[np.int64]
    losses: Floats
    cost: float
    cost_se: float


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Race:
    """What training for real has shown.

    Attributes
    ----------
    scores : Scores
        Every candidate's held-out losses.
    fit : Fit
        The curve of loss against peak rate, its lowest point and the interval.
    margins : tuple of Margin
        Every schedule at its best rate, the best first.
    winner : Margin
        The schedule advised; ``winner.lr`` is the rate advised.
    leaders : tuple of Leader
        The advised run, the best constant rate, and the usual defaults.
    loss, loss_se : float
        Held-out loss of the winner.
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
    loss: float
    loss_se: float
    gain: float
    gain_se: float
    n_steps: int
    n_folds: int
    n_held_out: int
    replicas: tuple[tuple[int, int], ...]
    expected_lr: float

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


# The schedule of the first round: it decays to nothing, so no rate is punished for its last steps.
SCOUT = "cosine"
# Rates added at an end where the best lies, and how often.
EXTENSION, MOST_EXTENSIONS = 3, 3
# Schedules that spend the run near their peak rate want a lower one; in steps of SPACING.
SHIFTS = {"constant": -1}
# What people take who do not search: Adam's in every framework, and the next round number.
DEFAULTS = (1e-3, 1e-2)
N_CHECKPOINTS = 30
# Runs watched of each leader: one seed a fold, or this many seeds where there are fewer folds.
FEWEST_WATCHED = 4


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
    parts = Parts(on_share or _silent)
    field = _Field(course=course, prior=prior, plan=plan, limits=limits, n_jobs=n_jobs, parts=parts)
    scores = field.run(field.allowed(SCOUT, range(-BELOW, ABOVE + 1)), later=n_contested(plan))
    scores = field.extended(scores)
    centre = round(np.log10(fit(scores, [SCOUT], prior=prior).best / field.lr) / SPACING)
    entries = field.contest(scores, centre)
    scores = joined(scores, field.run(entries)) if entries else scores
    table = margins(scores, prior=prior)
    # the first round's schedule is judged with the others, but advised only if it was asked for
    best = winner([margin for margin in table if margin.schedule in plan.schedules])
    decays = [name for name in DECAYS if name in scores.names]
    curve = fit(scores, decays or [best.schedule], prior=prior)
    rows = rows_at(scores, best.schedule, lr=best.lr)
    better = scores.baseline - rows
    return Race(
        scores=scores,
        fit=curve,
        margins=table,
        winner=best,
        leaders=field.parade(table, best, gain=float(better.mean())),
        loss=float(rows.mean()),
        loss_se=standard_error(rows),
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


def n_watched(course: Course) -> int:
    """Return about how many runs are watched at the end of a race: the advised, the best constant and the defaults."""
    return (2 + len(DEFAULTS)) * max(course.n_folds, FEWEST_WATCHED)


def joined(one: Scores, other: Scores) -> Scores:
    """Return the candidates of both."""
    return Scores(
        names=one.names + other.names,
        lrs=np.concatenate([one.lrs, other.lrs]),
        losses=np.concatenate([one.losses, other.losses]),
        rows=np.concatenate([one.rows, other.rows]),
        baseline=one.baseline,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Field:
    # what every round of one race shares; a candidate is a schedule's name and a number of steps of SPACING from `lr`
    course: Course
    prior: Prior
    plan: Plan
    limits: tuple[float, float]
    n_jobs: int
    parts: Parts

    @property
    def lr(self) -> float:
        return self.prior.reading.lr

    def rate(self, k: int) -> float:
        return float(self.lr * 10 ** (SPACING * k))

    def allowed(self, name: str, steps: Iterable[int]) -> list[tuple[str, int]]:
        low, high = self.limits
        return [(name, k) for k in steps if low <= self.rate(k) <= high]

    def run(self, entries: Sequence[tuple[str, int]], *, later: int = 0) -> Scores:
        """Train candidates; `later` is about how many are still to come, the leaders left out."""
        rates = [self.rate(k) for _, k in entries]
        trials = [
            Trial(schedule=make_schedule(name, peak_lr=rate, n_steps=self.course.n_steps), seed=seed, fold=fold)
            for (name, _), rate in zip(entries, rates, strict=True)
            for seed, fold in self.plan.replicas
        ]
        losses = run_trials(
            self.course,
            trials,
            n_jobs=self.n_jobs,
            on_share=self.parts.part(len(trials), later=later * len(self.plan.replicas) + n_watched(self.course)),
        )
        # by candidate, replica and held-out row
        by_candidate = losses.reshape(len(rates), len(self.plan.replicas), -1).astype(np.float64)
        folds = np.array([fold for _, fold in self.plan.replicas])
        return Scores(
            names=tuple(name for name, _ in entries),
            lrs=np.asarray(rates),
            losses=by_candidate.mean(2),
            rows=self.course.by_row(by_candidate, folds),
            baseline=self.course.baseline(),
        )

    def extended(self, scores: Scores) -> Scores:
        """Return the first round's scores with rates added while the best lies among the last two at an end."""
        low, high = -BELOW, ABOVE
        for _ in range(MOST_EXTENSIONS):
            best = round(np.log10(fit(scores, [SCOUT], prior=self.prior).best / self.lr) / SPACING)
            new: range = range(0)
            if best <= low + 1:
                new, low = range(low - EXTENSION, low), low - EXTENSION
            elif best >= high - 1 and not np.isnan(scores.losses[np.argmax(scores.lrs)]).any():
                new, high = range(high + 1, high + 1 + EXTENSION), high + EXTENSION
            entries = self.allowed(SCOUT, new)
            if not entries:
                break
            scores = joined(scores, self.run(entries, later=n_contested(self.plan)))
        return scores

    def contest(self, scores: Scores, centre: int) -> list[tuple[str, int]]:
        """Return the second round's candidates: each schedule at a few rates around the best of the first."""
        known = {round(np.log10(lr / self.lr) / SPACING) for lr in scores.lrs}
        steps = sorted(known) if self.plan.every_rate else [centre + k for k in CONTEST_STEPS]
        return [
            entry
            for name in self.plan.schedules
            for entry in self.allowed(name, [k + SHIFTS.get(name, 0) for k in steps])
            if not (name == SCOUT and entry[1] in known)
        ]

    def parade(self, table: Sequence[Margin], best: Margin, *, gain: float) -> tuple[Leader, ...]:
        """Return the advised run, the best constant rate, the best other schedule and the defaults, as they learned."""
        constant = next((m for m in table if m.schedule == "constant"), None)
        runs = [("advised", best.schedule, best.lr)]
        if constant is not None and best.schedule != "constant":
            runs.append(("best constant", "constant", constant.lr))
        runs += [(f"default {lr:g}", "constant", lr) for lr in DEFAULTS]
        schedules = [make_schedule(name, peak_lr=lr, n_steps=self.course.n_steps) for _, name, lr in runs]
        replicas = self.plan.replicas[: max(self.course.n_folds, FEWEST_WATCHED)]
        trials = [Trial(schedule=s, seed=seed, fold=fold) for s in schedules for seed, fold in replicas]
        watched = run_watched(
            self.course,
            trials,
            n_checkpoints=N_CHECKPOINTS,
            n_jobs=self.n_jobs,
            on_share=self.parts.part(len(trials)),
        )
        if best.schedule in CLOSED_LOOP:
            schedules[0] = recorded(schedules[0], watched.lrs[: len(replicas)])
        curves = watched.losses.mean(2, dtype=np.float64).reshape(len(runs), len(replicas), N_CHECKPOINTS)
        steps = np.linspace(0, self.course.n_steps, N_CHECKPOINTS + 1).round().astype(np.int64)[1:]
        return tuple(
            self._leader(label, schedule, steps=steps, own=curves[i], advised=curves[0], gain=gain)
            for i, ((label, _, _), schedule) in enumerate(zip(runs, schedules, strict=True))
        )

    def _leader(
        self, label: str, schedule: Schedule, *, steps: Steps, own: Floats, advised: Floats, gain: float
    ) -> Leader:
        level = float(self.course.baseline().mean())
        # a run that diverged, or ends above the constant guess, has given up all there was
        final = np.minimum(np.where(np.isnan(own[:, -1]), level, own[:, -1]), level)
        lost = (final - np.minimum(np.where(np.isnan(advised[:, -1]), level, advised[:, -1]), level)) / max(gain, 1e-12)
        alive = np.isfinite(own).any(0)
        means = np.full(own.shape[1], np.nan)
        means[alive] = np.nanmean(own[:, alive], axis=0)
        return Leader(
            label=label,
            schedule=schedule,
            steps=steps,
            losses=means,
            cost=float(lost.mean()),
            cost_se=standard_error(lost),
        )
