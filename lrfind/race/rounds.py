"""Which candidates a race trains, round by round: `Field`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lrfind.experience import Prior
from lrfind.progress import Parts
from lrfind.race.course import Course
from lrfind.race.fit import fit
from lrfind.race.judge import SIMPLICITY, Margin, judge
from lrfind.race.noise import is_clear
from lrfind.race.plan import ABOVE, BELOW, CONTEST_STEPS, DEFAULTS, EXTRA, SPACING, Plan, n_after_scouting
from lrfind.race.scores import Scores, joined
from lrfind.race.trials import Trial, run_trials
from lrfind.schedule import make_schedule, two_digits

# A schedule's name and its peak rate.
Entry = tuple[str, float]

# The schedule of the first round: it decays to nothing, so no rate is punished for its last steps.
SCOUT = "cosine"
# Rates added at an end where the best lies, and how often.
EXTENSION, MOST_EXTENSIONS = 3, 3
# Rates added at an end of a schedule's row at a time while its lowest loss lies there, and how often.
FURTHER, MOST_FURTHER = 1, 6
# Schedules that spend the run near their peak rate want a lower one; in steps of SPACING.
SHIFTS = {"constant": -1}
# Rates were rounded: one this close to a step of the row, in steps, is that step.
ON_GRID = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """What all rounds of one race share.

    Attributes
    ----------
    course : Course
    prior : Prior
    plan : Plan
    limits : (float, float)
        No rate outside is tried.
    n_jobs : int
    parts : Parts
        Told how far the race is.
    """

    course: Course
    prior: Prior
    plan: Plan
    limits: tuple[float, float]
    n_jobs: int
    parts: Parts

    @property
    def lr(self) -> float:
        """The rate that earlier races expect; the rates trained lie in steps of `SPACING` from it."""
        return self.prior.reading.lr

    def scores(self) -> Scores:
        """Return the losses of all candidates, round by round."""
        later = n_after_scouting(self.plan)
        scores = self._run(self._allowed(SCOUT, range(-BELOW, ABOVE + 1)), later=later)
        scores = self._extended(scores)
        entries = self._contest(scores)
        scores = joined(scores, self._run(entries, later=EXTRA)) if entries else scores
        return self._bracketed(self._widened(self._bracketed(scores)))

    def judged(self, scores: Scores) -> tuple[tuple[Margin, ...], Margin]:
        """Return how each schedule did, the first round's among them, and the one to advise."""
        return judge(scores, names=self._names(scores), advisable=self.plan.schedules, prior=self.prior)

    def _rate(self, k: float) -> float:
        # with the digits that are shown, so that what is advised is what was trained; unless they leave the limits
        exact = float(self.lr * 10 ** (SPACING * k))
        shown, (low, high) = two_digits(exact), self.limits
        return shown if low <= shown <= high else exact

    def _step(self, lr: float) -> float:
        return float(np.log10(lr / self.lr) / SPACING)

    def _allowed(self, name: str, steps: Iterable[int]) -> list[Entry]:
        return self.within([(name, self._rate(k)) for k in steps])

    def within(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the candidates whose rates lie within the limits."""
        low, high = self.limits
        return [(name, lr) for name, lr in entries if low <= lr <= high]

    def _run(self, entries: Sequence[Entry], *, later: int) -> Scores:
        """Train candidates; `later` is about how many are still to come."""
        trials = [
            Trial(schedule=make_schedule(name, peak_lr=rate, n_steps=self.course.n_steps), seed=seed, fold=fold)
            for name, rate in entries
            for seed, fold in self.plan.replicas
        ]
        losses = run_trials(
            self.course,
            trials,
            n_jobs=self.n_jobs,
            on_share=self.parts.part(len(entries), later=later),
        )
        # by candidate, replica and held-out row
        by_candidate = losses.reshape(len(entries), len(self.plan.replicas), -1).astype(np.float64)
        folds = np.array([fold for _, fold in self.plan.replicas])
        return Scores(
            names=tuple(name for name, _ in entries),
            lrs=np.array([rate for _, rate in entries]),
            losses=by_candidate.mean(2),
            rows=self.course.by_row(by_candidate, folds),
            baseline=self.course.baseline(),
        )

    def _extended(self, scores: Scores) -> Scores:
        """Return the first round's scores with rates added while the best lies among the last two at an end."""
        low, high = -BELOW, ABOVE
        for _ in range(MOST_EXTENSIONS):
            best = round(self._step(fit(scores, [SCOUT], prior=self.prior).best))
            new: range = range(0)
            if best <= low + 1:
                new, low = range(low - EXTENSION, low), low - EXTENSION
            elif best >= high - 1 and not np.isnan(scores.losses[np.argmax(scores.lrs)]).any():
                new, high = range(high + 1, high + 1 + EXTENSION), high + EXTENSION
            entries = self._allowed(SCOUT, new)
            if not entries:
                break
            scores = joined(scores, self._run(entries, later=n_after_scouting(self.plan)))
        return scores

    def _contest(self, scores: Scores) -> list[Entry]:
        """Return the second round's candidates: each schedule at a few rates around the best of the first."""
        known = {round(self._step(lr)) for lr in scores.lrs.tolist()}
        centre = round(self._step(fit(scores, [SCOUT], prior=self.prior).best))
        steps = sorted(known) if self.plan.every_rate else [centre + k for k in CONTEST_STEPS]
        entries = [
            entry
            for name in self.plan.schedules
            for entry in self._allowed(
                name, [k + SHIFTS.get(name, 0) for k in steps if not (name == SCOUT and k in known)]
            )
        ]
        defaults = self.within(("constant", lr) for lr in DEFAULTS)
        return [*entries, *(entry for entry in defaults if entry not in entries)]

    def _bracketed(self, scores: Scores) -> Scores:
        """Return the scores with rates added to each schedule until its lowest loss lies between two others."""
        for _ in range(MOST_FURTHER):
            entries = [entry for name in self._names(scores) for entry in self._beyond(scores, name)]
            if not entries:
                break
            scores = joined(scores, self._run(entries, later=EXTRA))
        return scores

    def _beyond(self, scores: Scores, name: str) -> list[Entry]:
        """Return the next rates on the side of a schedule's lowest loss, where no other was trained there."""
        own = scores.of([name])
        lowest, rates = int(np.argmin(scores.means[own])), scores.lrs[own]
        if lowest == 0:
            first = math.ceil(self._step(rates[0]) - ON_GRID)
            return self._allowed(name, range(first - FURTHER, first))
        if lowest == len(own) - 1 and not np.isnan(scores.losses[own[-1]]).any():
            last = math.floor(self._step(rates[-1]) + ON_GRID)
            return self._allowed(name, range(last + 1, last + 1 + FURTHER))
        return []

    def _widened(self, scores: Scores) -> Scores:
        """Return the scores with the schedule advised trained also at defaults that do as well, as far as they go.

        A rate that does no worse with another schedule may be good with this one too: then the interval has to hold it.
        """
        (_, best), apart = self.judged(scores), scores.pairs()
        at, own = scores.find(best.schedule, best.lr), scores.of([best.schedule])
        rates, entries = scores.lrs[own], []
        for name, lr in self.within(("constant", lr) for lr in DEFAULTS):
            other = scores.find(name, lr)
            difference, error = float(apart.differences[other, at]), float(apart.errors[other, at])
            if lr in rates or is_clear(difference, error, level=scores.level):
                continue
            first, last, place = (self._step(float(x)) for x in (rates.min(), rates.max(), lr))
            below = range(math.ceil(place + ON_GRID), math.ceil(first - ON_GRID))
            above = range(math.floor(last + ON_GRID) + 1, math.floor(place - ON_GRID) + 1)
            entries += [*self._allowed(best.schedule, [*below, *above]), (best.schedule, lr)]
        # a default may be a step of the row, and two may ask for the same
        new = [entry for entry in dict.fromkeys(entries) if entry[1] not in rates]
        return joined(scores, self._run(new, later=EXTRA)) if new else scores

    def _names(self, scores: Scores) -> list[str]:
        """Return the schedules that are compared, from the simplest: those asked for and the first round's."""
        return [name for name in SIMPLICITY if name in (*self.plan.schedules, SCOUT) and name in scores.names]
