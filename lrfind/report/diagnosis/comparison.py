"""Several runs side by side: which was best, and why."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrfind.checks.training_log.ending import read_ending
from lrfind.checks.training_log.too_high import has_exploded
from lrfind.report.diagnosis import Diagnosis, Suggested, suggested_dict
from lrfind.report.findings import plain
from lrfind.report.words import NAME_WIDTH
from lrfind.text import measured, number, printable, rate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

# Share of the points whose mean is what a run reached.
END_SHARE = 0.1
# Differences of less than two standard errors are no differences.
CLEAR = 2.0
# The next rate to try beyond an end of those tried: half a decade, the step of a coarse grid.
BEYOND = 3.0
# A rate within half of that step of one that was run was tried.
NEAR = math.sqrt(BEYOND)
# Share of a loss from which its error shows in three digits.
SHOWN_FROM = 0.005
# Runs named for one fault; more are counted.
MOST_NAMES = 3
# What keeps a rate from being called the best of a range whose end is not reached.
TOO_HIGH = frozenset(("LR201", "LR202", "LR207"))
TOO_LOW = frozenset(("LR203",))
WHAT = {"val_loss": "held-out loss", "loss": "training loss"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """Where one run of several stands.

    Attributes
    ----------
    name : str
    lr : float or None
        Peak rate.
    loss : float or None
        What it reached: the mean of the last tenth of its points, on held-out data where every log has that; None
        where it diverged.
    error : float
        Standard error of `loss`, from the scatter at the end of the run: another seed is not in it.
    n_points : int
        Points that `loss` is the mean of.
    last : float or None
        The last finite loss of the same kind, as logged.
    ended : str
        "NaN from step 151" where the training loss ended in that, else nothing.
    lowest : float or None
        The lowest that was logged of the same loss.
    lowest_step : float or None
    last_step : float
    unit : {"step", "epoch", "row"}
        What its steps count.
    codes : tuple of str
        Codes found.
    fault : str
        The title of what explains the most among them; nothing where nothing was found.
    suggested : Suggested or None
        The rate to try in its place.
    step, course : (n,) ndarray
        The same loss over the steps; empty where it is not known.
    n_each : (n,) ndarray of int
        Points that each of `course` is the trimmed mean of; 1 where it is a loss as logged.
    lrs : (n,) ndarray
        Learning rate at each of `step`; NaN where it is not known.
    """

    name: str
    lr: float | None
    loss: float | None
    error: float
    n_points: int
    last: float | None
    ended: str
    lowest: float | None
    lowest_step: float | None
    last_step: float
    unit: str
    codes: tuple[str, ...]
    fault: str
    suggested: Suggested | None
    step: Floats
    course: Floats
    n_each: Ints
    lrs: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Several runs side by side.

    Attributes
    ----------
    measure : str
        "val_loss" or "loss": what the runs are compared by.
    standings : tuple of Standing
        The best first, diverged runs last.
    best : str
        Which was best.
    others : str
        What was wrong with the others, or nothing.
    further : str
        What to try next, or nothing.
    margin : float or None
        By how much the best ended below the second; None where it was alone.
    noise : float or None
        Two standard errors of that: less is no difference.
    """

    measure: str
    standings: tuple[Standing, ...]
    margin: float | None
    noise: float | None
    best: str
    others: str
    further: str

    @property
    def sentence(self) -> str:
        """All of it in words: which was best, why, and what to try next."""
        return " ".join(filter(None, (self.best, self.others, self.further)))

    @property
    def unit(self) -> str:
        """What the steps of every run count, or nothing where they count different things."""
        units = {standing.unit for standing in self.standings}
        return units.pop() if len(units) == 1 else ""

    @property
    def what(self) -> str:
        """What the runs are compared by, in words."""
        return WHAT[self.measure]


def compare(diagnoses: Sequence[Diagnosis]) -> Comparison:
    """Return which of several runs was best, and why.

    Parameters
    ----------
    diagnoses : sequence of Diagnosis
        At least one.

    Returns
    -------
    Comparison
    """
    by_val = all(d.log.val_loss is not None and np.isfinite(d.log.val_loss).any() for d in diagnoses)
    standings = sorted(
        (_standing(d, by_val=by_val) for d in diagnoses),
        key=lambda standing: math.inf if standing.loss is None else standing.loss,
    )
    measure = "val_loss" if by_val else "loss"
    margin, noise = _margin(standings)
    return Comparison(
        measure=measure, standings=tuple(standings), margin=margin, noise=noise,
        best=_best(standings, what=WHAT[measure]), others=_faults(standings), further=_next(standings),
    )  # fmt: skip


def reached_by(standing: Standing) -> str:
    """Return what a run reached, with its scatter where three digits of it would show that, or how it was lost."""
    if standing.loss is None:
        return standing.ended or ("diverged" if standing.last is None else f"diverged to {number(standing.last)}")
    shows = standing.error > SHOWN_FROM * abs(standing.loss)
    return measured(standing.loss, standing.error) if shows else number(standing.loss)


def told_apart(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Return diagnoses whose logs have names of their own: those of ``runs/*/metrics.csv`` keep their folders.

    Parameters
    ----------
    diagnoses : sequence of Diagnosis

    Returns
    -------
    list of Diagnosis
    """
    names = [diagnosis.log.name for diagnosis in diagnoses]
    if len(set(names)) == len(names):
        return list(diagnoses)
    paths = [Path(diagnosis.log.path).absolute() for diagnosis in diagnoses]
    common = os.path.commonpath([path.parent for path in paths])
    return [
        diagnosis
        if names.count(diagnosis.log.name) == 1
        else replace(diagnosis, log=replace(diagnosis.log, name=printable(path.relative_to(common), width=NAME_WIDTH)))
        for diagnosis, path in zip(diagnoses, paths, strict=True)
    ]


def comparison_dict(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as strict JSON values."""
    keys = (
        *("name", "lr", "loss", "error", "n_points", "last", "ended", "lowest", "lowest_step", "last_step", "unit"),
        "fault",
    )
    standings = [
        {
            **{key: plain(getattr(standing, key)) for key in keys},
            **suggested_dict(standing.suggested),
            "codes": list(standing.codes),
        }
        for standing in comparison.standings
    ]
    return {
        "measure": comparison.measure, "standings": standings, "sentence": comparison.sentence,
        "margin": comparison.margin, "noise": comparison.noise,
    }  # fmt: skip


def _standing(diagnosis: Diagnosis, *, by_val: bool) -> Standing:
    signals, log, found = diagnosis.signals, diagnosis.log, diagnosis.found
    codes = tuple(finding.code for finding in found)
    # A rate that was logged and is no rate was 0 throughout.
    lr = signals.rates.peak if signals is not None and signals.rates is not None else None if log.lr is None else 0.0
    values = steps = course_step = course = np.empty(0)
    n_each = np.empty(0, dtype=np.intp)
    if by_val and log.val_loss is not None:
        known = np.isfinite(log.val_loss)
        values, steps = log.val_loss[known], log.step[known]
        course_step, course, n_each = steps, values, np.ones(len(steps), dtype=np.intp)
    elif signals is not None:
        values, steps = signals.loss, signals.step
        # The middle of a block may lie between two steps.
        places = np.minimum(np.searchsorted(steps, signals.blocks.step), len(steps) - 1)
        course_step, course, n_each = steps[places], signals.blocks.level, np.diff(signals.blocks.edges)
    known_rates = [None if signals is None else signals.rate_at(step) for step in course_step.tolist()]
    ending = read_ending(log)
    reached = len(values) > 0 and signals is not None and ending.is_finite and not has_exploded(signals)
    last = values[-max(int(END_SHARE * len(values)), 1) :]
    lowest = int(np.argmin(values)) if len(values) else None
    return Standing(
        name=log.name, lr=lr, loss=float(last.mean()) if reached else None,
        error=float(last.std(ddof=1) / math.sqrt(len(last))) if reached and len(last) > 1 else 0.0,
        n_points=len(last), last=float(values[-1]) if len(values) else None,
        ended="" if ending.is_finite else f"{ending.kind} from {ending.at}",
        lowest=None if lowest is None else float(values[lowest]),
        lowest_step=None if lowest is None else float(steps[lowest]),
        last_step=float(log.step[-1]), unit=log.step_unit, codes=codes, fault=found[0].title if found else "",
        suggested=diagnosis.suggested, step=course_step, course=course, n_each=n_each,
        lrs=np.array([np.nan if each is None else each for each in known_rates]),
    )  # fmt: skip


def _margin(standings: Sequence[Standing]) -> tuple[float | None, float | None]:
    """Return by how much the best ended below the second, and two standard errors of that."""
    best, second = standings[0], standings[1] if len(standings) > 1 else None
    if best.loss is None or second is None or second.loss is None:
        return None, None
    return second.loss - best.loss, CLEAR * math.hypot(best.error, second.error)


def _best(standings: Sequence[Standing], *, what: str) -> str:
    best = standings[0]
    if best.loss is None:
        return {1: "The run diverged.", 2: "Both runs diverged."}.get(
            len(standings), f"All {len(standings)} runs diverged."
        )
    at = "" if best.lr is None else f" (peak rate {rate(best.lr)})"
    sentence = f"{best.name}{at} ended with the lowest {what}, {reached_by(best)} over its last tenth"
    margin, noise = _margin(standings)
    if margin is None or noise is None:
        return f"{sentence}."
    second = standings[1]
    if margin <= noise:
        within = f"is within the noise of it (±{number(noise)})" if noise > 0 else "is equal to it"
        return f"{sentence}, but {second.name} with {reached_by(second)} {within}."
    return f"{sentence}, {number(margin)} below {second.name}."


def _faults(standings: Sequence[Standing]) -> str:
    """Say what was wrong with the others, those with the same fault together."""
    by_fault: dict[str, list[str]] = {}
    for standing in standings[1:]:
        if standing.fault:
            fault = f"{standing.fault.partition(':')[0]} ({standing.codes[0]})"
            by_fault.setdefault(fault, []).append(standing.name)
    parts = []
    for fault, names in by_fault.items():
        shown = ", ".join(names[:MOST_NAMES]) + (
            f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        )
        parts.append(f"{fault[:1].upper()}{fault[1:]}: {shown}.")
    return " ".join(parts)


def _next(standings: Sequence[Standing]) -> str:
    """Say what to try next: what the best run's own log suggests, or a rate beyond those tried."""
    best = standings[0]
    if best.loss is None or not best.lr:
        return ""
    suggested = best.suggested
    if suggested is not None and suggested.lr != best.lr:
        between = ""
        if suggested.low is not None and suggested.high is not None:
            between = f", or what is between {rate(suggested.low)} and {rate(suggested.high)}"
        return f"The log of {best.name} suggests {rate(suggested.lr)}{between} ({suggested.code}){_but(standings)}."
    rates = [standing.lr for standing in standings if standing.lr is not None]
    if len(set(rates)) > 1 and best.lr == max(rates) and not TOO_HIGH & set(best.codes):
        return f"No higher rate was tried: {rate(best.lr * BEYOND)} may do better still."
    if len(set(rates)) > 1 and best.lr == min(rates) and not TOO_LOW & set(best.codes):
        return f"No lower rate was tried: {rate(best.lr / BEYOND)} may do better still."
    return ""


def _but(standings: Sequence[Standing]) -> str:
    """Return that a run at the rate which the best suggests was no better, or nothing."""
    best, *others = standings
    if best.suggested is None:
        return ""
    near = [s for s in others if s.lr and max(s.lr / best.suggested.lr, best.suggested.lr / s.lr) < NEAR]
    return f", but {near[0].name}, run at {rate(near[0].lr)}, was no better" if near else ""
