"""Weigh what the range test and the held-out rows say: `recommend(...) -> Recommendation`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lrfind.curve import Analysis, Outcome, Reading
from lrfind.experience import Prior
from lrfind.race import SIMPLICITY, Race, Standing, is_clear, standings
from lrfind.recommend.costs import default_costs
from lrfind.recommend.proof import SIGNAL_ERRORS, SIGNAL_SHARE, Proof, gain, has_signal
from lrfind.recommend.reading import read_schedule
from lrfind.recommend.value import Evidence, Expected, Raced, Recommendation, Verdict
from lrfind.schedule import CLOSED_LOOP, Schedule, make_schedule, rescaled, two_digits
from lrfind.text import measured, number, plural, rate

# Rows held out below which no loss can be told from another.
FEWEST_HELD_OUT = 8
# Schedules named when they cannot be told from the one advised.
MOST_RIVALS = 2
# A minimum within half a decade of the end of a steep fall says nothing about what lies beyond the range.
EDGE_DECADES = 0.5


def recommend(
    analysis: Analysis,
    *,
    reading: Reading | None,
    proof: Proof | None,
    race: Race | None = None,
    prior: Prior | None = None,
    optimizer: str,
    batch_size: int,
    train_steps: int,
) -> Recommendation:
    """Return the advice that a range test and held-out rows support.

    Parameters
    ----------
    analysis : Analysis
    reading : Reading or None
        The first guess, with its interval: from `lrfind.curve.read_rate`, or of an `lrfind.experience.Prior`.
    proof : Proof or None
        Without a race: what training at the rate read has reached.
    race : Race or None
        What it measured overrules what was read.
    prior : Prior or None
        What earlier races said, for the record.
    optimizer : str
    batch_size, train_steps : int
        Of the training run the advice is for.

    Returns
    -------
    Recommendation
    """
    verdict, sentence = _verdict(analysis, reading, proof=proof, race=race)
    trained = _from_race(race) if race else _from_proof(proof)
    # a race that found no signal has no rate to set against an earlier one, nor any gain to give up
    raced = race if verdict == "ok" else None
    evidence = (
        *_from_curve(analysis),
        *_from_prior(prior, raced),
        *trained,
        *(_from_defaults(raced) if raced else ()),
        *_from_rules(analysis),
    )
    blank = Recommendation(
        verdict="ok",
        sentence="",
        lr=None,
        lr_low=None,
        lr_high=None,
        lr_max_stable=_stable(analysis, race),
        optimizer=optimizer,
        batch_size=batch_size,
        train_steps=train_steps,
        schedule=None,
        expected=None,
        evidence=evidence,
    )
    if reading is None or verdict not in ("ok", "unstable"):
        return replace(blank, verdict=verdict, sentence=sentence)
    if race is not None:
        answer = _raced(race, train_steps=train_steps)
    else:
        answer = _read(reading, analysis, proof=proof, train_steps=train_steps)
    return replace(
        blank,
        verdict=verdict,
        sentence=sentence,
        lr=answer.schedule.peak_lr,
        lr_low=answer.low,
        lr_high=answer.high,
        schedule=answer.schedule,
        expected=answer.expected,
        raced=_every(race) if race is not None else (),
        evidence=(answer.reason, *evidence),
    )


def _stable(analysis: Analysis, race: Race | None) -> float | None:
    # the range test's divergence, or a higher rate of the schedule advised at which every run of the race held
    if analysis.divergence is None:
        return None
    if race is None:
        return analysis.divergence.lr
    own = race.scores.of([race.winner.schedule])
    lost = np.flatnonzero(np.isnan(race.scores.losses[own]).any(1))
    held = race.scores.lrs[own[: lost[0]]] if len(lost) else race.scores.lrs[own]
    return max(analysis.divergence.lr, float(held.max(initial=0.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    schedule: Schedule
    low: float
    high: float
    expected: Expected | None
    reason: Evidence


def _read(reading: Reading, analysis: Analysis, *, proof: Proof | None, train_steps: int) -> _Answer:
    name, why = read_schedule(reading, analysis, train_steps=train_steps)
    return _Answer(
        schedule=make_schedule(name, peak_lr=two_digits(reading.lr), n_steps=train_steps),
        low=two_digits(reading.low),
        high=two_digits(reading.high),
        expected=_expected(proof),
        reason=Evidence(name="schedule", text=f"{name} {why}."),
    )


def _raced(race: Race, *, train_steps: int) -> _Answer:
    best = race.winner
    return _Answer(
        # a closed-loop schedule is the course it took
        schedule=rescaled(race.leaders[0].schedule, peak_lr=best.lr, n_steps=train_steps),
        low=race.winner.low,
        high=race.winner.high,
        expected=Expected(val_loss=race.loss, val_loss_se=race.loss_se, baseline_loss=race.baseline_loss),
        reason=Evidence(name="schedule", text=f"{best.schedule} {schedule_why(race)}."),
    )


def _every(race: Race) -> tuple[Raced, ...]:
    standing = standings(race.margins)
    return tuple(
        Raced(
            schedule=margin.schedule,
            lr=margin.lr,
            lr_low=margin.low,
            lr_high=margin.high,
            val_loss=margin.loss,
            val_loss_se=margin.loss_se,
            standing=standing[margin.schedule].value,
        )
        for margin in race.margins
    )


def schedule_why(race: Race) -> str:
    """Return why the race's schedule is advised, to be read on from its name."""
    best = race.winner
    others = [margin for margin in race.margins if margin.schedule != best.schedule]
    if not others:
        return "was the only schedule raced"
    standing = standings(race.margins)
    if standing[best.schedule] is Standing.WORSE:
        lowest = race.margins[0].schedule
        return f"was asked for; {lowest}, which was not, ends {measured(best.behind, best.behind_se)} lower"
    simplest = min(race.margins, key=lambda m: SIMPLICITY.index(m.schedule)).schedule
    is_ahead = is_clear(best.ahead, best.ahead_se)
    close = [m.schedule for m in others if standing[m.schedule] in (Standing.LOWEST, Standing.CLOSE)]
    # what is beaten is not in the same breath within noise
    close = [name for name in close if not (is_ahead and name == simplest)]
    rivals = f"; {_listed(close)} within noise" if close else ""
    if is_ahead:
        return f"beats the best {simplest} by {measured(best.ahead, best.ahead_se)}{rivals}"
    if best.schedule == simplest:
        return f"is the simplest, and none does clearly better{rivals}"
    return f"is the best bet by this race and earlier ones{rivals}"


def _listed(names: Sequence[str]) -> str:
    # two names and a count: the table has them all
    if len(names) == 1:
        return f"{names[0]} is"
    if len(names) <= MOST_RIVALS:
        return f"{' and '.join(names)} are"
    return f"{', '.join(names[:2])} and {len(names) - 2} more are"


def _verdict(
    analysis: Analysis, reading: Reading | None, *, proof: Proof | None, race: Race | None
) -> tuple[Verdict, str]:
    # the first objection, in the order in which the evidence was gathered
    objection = _to_the_range(analysis, reading) or _to_the_rows(proof, race) or _to_learning(proof, race)
    if objection is not None:
        return objection
    if analysis.outcome is Outcome.SEEDS_DISAGREE and race is None:
        return "unstable", f"{analysis.outcome.value} Take the rate as a first guess: try more --seeds."
    if analysis.outcome is Outcome.STILL_FALLING and race is not None:
        return (
            "ok",
            "On rows seen the loss still falls at the highest rate tried; on rows held out lower rates do better.",
        )
    return "ok", analysis.outcome.value


# Factors by which a range that shows nothing is widened.
LOWER, HIGHER = 1e-3, 1e3


def _to_the_range(analysis: Analysis, reading: Reading | None) -> tuple[Verdict, str] | None:
    outcome, low, high = analysis.outcome, float(analysis.lrs[0]), float(analysis.lrs[-1])
    if outcome is Outcome.DIVERGES_AT_ONCE:
        return "range_too_narrow", f"{outcome.value} Start below {rate(low)}: try --lr-min {rate(low * LOWER)}."
    if outcome is Outcome.NEVER_FALLS and analysis.divergence is None and not _rises(analysis):
        return "range_too_narrow", (
            f"The loss does not move between {rate(low)} and {rate(high)}: the range ends too low, or nothing can be "
            f"learned. Try --lr-max {rate(max(10.0, high * HIGHER))}."
        )
    if outcome in (Outcome.NEVER_FALLS, Outcome.NOISE_HIDES_FALL) or reading is None:
        return "no_signal", f"{outcome.value} Check the target, or try more rows."
    if outcome is Outcome.STILL_FALLING and _ends_in_the_fall(analysis):
        return "range_too_narrow", f"{outcome.value} Try --lr-max {rate(high * HIGHER)}."
    return None


def _to_the_rows(proof: Proof | None, race: Race | None) -> tuple[Verdict, str] | None:
    n_held_out = race.n_held_out if race is not None else len(proof.baseline) if proof is not None else FEWEST_HELD_OUT
    if n_held_out >= FEWEST_HELD_OUT:
        return None
    return "too_little_data", (
        f"Only {n_held_out} rows can be held out, too few to tell any rate from another: "
        f"expected at least {FEWEST_HELD_OUT}."
    )


def _to_learning(proof: Proof | None, race: Race | None) -> tuple[Verdict, str] | None:
    if race is not None:
        better, error, level = race.gain, race.gain_se, race.baseline_loss
        if better > SIGNAL_ERRORS * error and better > SIGNAL_SHARE * level:
            return None
    elif proof is None or has_signal(proof):
        return None
    else:
        level = float(proof.baseline.mean())
        better, error = max(gain(losses, proof.baseline) for losses in proof.looks)
    if not math.isfinite(better):
        reached = "every run diverged"
    else:
        side = "below" if better > 0 else "above"
        reached = f"it ends {measured(abs(better), error)} {side} the {number(level)} of a constant guess"
    return "no_signal", (
        f"The network learns the rows it sees, but on rows held out it does not clearly beat a constant guess "
        f"({reached}), so there is nothing to choose a rate by."
    )


def _rises(analysis: Analysis) -> bool:
    # beyond the noise, at the high end
    return bool(analysis.pooled[-1] > analysis.start_loss + 3 * analysis.noise)


def _ends_in_the_fall(analysis: Analysis) -> bool:
    return analysis.fallen is not None and analysis.fallen.lr > analysis.lrs[-1] / 10**EDGE_DECADES


def _expected(proof: Proof | None) -> Expected | None:
    if proof is None:
        return None
    if not np.isfinite(proof.losses).all():
        return None
    return Expected(
        val_loss=float(proof.losses.mean()),
        val_loss_se=float(proof.losses.std() / math.sqrt(max(len(proof.losses) - 1, 1))),
        baseline_loss=float(proof.baseline.mean()),
    )


def _from_curve(analysis: Analysis) -> Iterator[Evidence]:
    if analysis.minimum is not None:
        lowest, fall = analysis.minimum, analysis.start_loss - analysis.min_loss
        low, high = rate(lowest.low), rate(lowest.high)
        agree = "all seeds agree" if low == high else f"seeds agree within {low} to {high}"
        falls = f"The loss falls from {number(analysis.start_loss)} by {number(fall)}"
        text = f"{falls}, lowest at {rate(lowest.lr)} ({agree})."
        yield Evidence(name="range test", text=text, lr=lowest.lr)


# Rates within this factor are the same to anyone: the lowest part of a good curve is that wide.
AGREEING_RATES = 2.0


def agrees(race: Race, prior: Prior) -> bool:
    """Say whether a race's best rate is what earlier races led one to expect."""
    ratio = race.winner.lr / prior.reading.lr
    return max(ratio, 1 / ratio) <= AGREEING_RATES


def _from_prior(prior: Prior | None, race: Race | None) -> Iterator[Evidence]:
    if prior is None:
        return
    own = f", {prior.n_own} of them yours," if prior.n_own else ""
    like = "much" if prior.familiar > FAMILIAR else "little"
    text = (
        f"{prior.n_rows} earlier races{own} have {like} to say about a problem like this and expect "
        f"{rate(prior.reading.lr)} (good between {rate(prior.reading.low)} and {rate(prior.reading.high)})"
    )
    if race is not None:
        ratio = race.winner.lr / prior.reading.lr
        far = f"says {max(ratio, 1 / ratio):.1f} times {'higher' if ratio > 1 else 'lower'}"
        text += f"; this race {'agrees' if agrees(race, prior) else far}"
    yield Evidence(name="experience", text=f"{text}.", lr=prior.reading.lr)


# Share of the variance that earlier races must explain to be called familiar with a problem.
FAMILIAR = 0.8


def _from_proof(proof: Proof | None) -> Iterator[Evidence]:
    if proof is None:
        return
    better, error = gain(proof.losses, proof.baseline)
    if math.isfinite(better):
        side = "below" if better > 0 else "above"
        text = (
            f"Trained so, it ends {measured(abs(better), error)} {side} a constant guess on rows held out "
            f"({plural(proof.n_runs, 'run')}, {plural(len(proof.baseline), 'row')})."
        )
        yield Evidence(name="held-out", text=text)


def _from_race(race: Race) -> Iterator[Evidence]:
    n_rates = len(set(race.scores.lrs.tolist()))
    folds = f"{race.n_folds} folds of" if race.n_folds > 1 else "one part of"
    text = (
        f"{n_rates} rates and {len(race.margins)} schedules raced, {race.n_replicas} runs each, "
        f"judged on {folds} {race.n_held_out // race.n_folds} rows held out."
    )
    yield Evidence(name="race", text=text, lr=race.winner.lr)
    if race.winner.schedule in CLOSED_LOOP:
        text = (
            f"{race.winner.schedule} answers each run, so its rates are known only afterwards: those given are the "
            f"median of {race.n_replicas} runs, stretched to the whole one."
        )
        yield Evidence(name="course", text=text)
    if race.steps_sooner is not None and race.winner.schedule != "constant":
        text = (
            f"Reaches the loss at which the best constant rate ends after {100 * race.steps_sooner:.0f} % of the steps."
        )
        yield Evidence(name="sooner", text=text)


def _from_defaults(race: Race) -> Iterator[Evidence]:
    if text := default_costs(race):
        yield Evidence(name="defaults", text=f"{text[0].upper()}{text[1:]}.")


def _from_rules(analysis: Analysis) -> Iterator[Evidence]:
    for name, lr in analysis.rules.items():
        found = f"reads {rate(lr)} off one seed." if lr is not None else "finds nothing to read."
        yield Evidence(name=name, text=f"The rule '{name}' {found}", lr=lr)
