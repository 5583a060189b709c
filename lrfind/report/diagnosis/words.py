"""A diagnosis in words, shared by terminal, figure and page; every string that came from a log is safe to show."""

from __future__ import annotations

import numpy as np

from lrfind.checks.training_log import Signals
from lrfind.checks.training_log.ending import read_ending
from lrfind.checks.training_log.judgement import lacks_optimizer
from lrfind.logs import Optimizer, TrainingLog
from lrfind.report.diagnosis import Diagnosis, Suggested
from lrfind.report.diagnosis.comparison import Comparison, Standing
from lrfind.text import number, place, plural, printable, rate

# How the kinds of optimizers are called.
OPTIMIZERS: dict[Optimizer, str] = {
    "sgd": "SGD", "plain sgd": "SGD without momentum", "momentum": "SGD with momentum", "adam": "Adam",
    "radam": "RAdam", "rmsprop": "RMSprop", "adagrad": "Adagrad", "lion": "Lion",
}  # fmt: skip
# Runs whose lengths differ by more than a tenth had not the same chance.
SAME_LENGTH = 0.9


def title(diagnosis: Diagnosis, *, most: int = 2) -> str:
    """Return what was found, in a line that names the first `most` findings."""
    found = [finding for finding in diagnosis.found if finding.severity != "tip"]
    if not found:
        n_passed, n_checks = len(diagnosis.in_state("passed")), len(diagnosis.findings)
        if n_passed < n_checks / 2:
            return f"Too little to say: nothing wrong in the {n_passed} of {n_checks} checks that could be made"
        return f"Nothing wrong found in {plural(n_passed, 'check')}"
    titles = ", ".join(f"{finding.title} ({finding.code})" for finding in found[:most])
    more = f", and {len(found) - most} more" if len(found) > most else ""
    return f"{titles[:1].upper()}{titles[1:]}{more}"


def extent(log: TrainingLog) -> str:
    """Return "400 points, steps 0 to 399", or "1 point, step 7"."""
    first, last = place(log.step[0]), place(log.step[-1])
    span = f"{log.step_unit}s {first} to {last}" if len(log.step) > 1 else f"{log.step_unit} {first}"
    return f"{plural(len(log.step), 'point')}, {span}"


def course(diagnosis: Diagnosis) -> str:
    """Return how the loss went, and which log it is."""
    name = printable(diagnosis.log.name, width=60)
    if diagnosis.signals is None:
        return f"{name}: no finite loss"
    return f"{name}: loss {losses(diagnosis.signals)}"


def losses(signals: Signals) -> str:
    """Return the first, the last and the lowest loss as logged: "0.702 → 5.4, lowest 0.11 at step 163; ...".

    A run that ended in NaN says so, and where.
    """
    ending, log = read_ending(signals.log), signals.log
    lowest = f"lowest {number(signals.lowest)} at {log.step_unit} {place(signals.lowest_step)}"
    noise = f"single points scatter by {number(float(np.median(signals.blocks.noise)))}"
    first, last = number(signals.first), number(signals.last)
    if ending.is_finite and signals.n_points == 1:
        return f"{first} at {log.step_unit} {place(log.step[np.isfinite(log.loss)][0])}"
    if ending.is_finite:
        return f"{first} → {last}, {lowest}; {noise}"
    until = f"{last} at {log.step_unit} {place(float(signals.step[-1]))}"
    lowest = "its lowest" if signals.lowest == signals.last else lowest
    return f"{first} → {ending.kind} from {ending.at} on; until then {until}, {lowest}; {noise}"


def held_out(diagnosis: Diagnosis) -> str:
    """Return where the held-out loss was lowest and where it ended, or nothing where there is none."""
    log = diagnosis.log
    known = np.zeros(0, dtype=np.intp) if log.val_loss is None else np.flatnonzero(np.isfinite(log.val_loss))
    if log.val_loss is None or not len(known):
        return ""
    values, steps = log.val_loss[known], log.step[known]
    lowest = int(np.argmin(values))
    if len(values) == 1:
        return f"{number(values[0])} at {log.step_unit} {place(steps[0])}"
    at = f"{number(values[lowest])} at {log.step_unit} {place(steps[lowest])}"
    where = "at the end" if lowest == len(values) - 1 else at
    return f"{number(values[0])} → {number(values[-1])}, lowest {where}"


def hedge(comparison: Comparison) -> str:
    """Return what the figures of a comparison do not hold."""
    if all(standing.loss is None for standing in comparison.standings):
        return ""
    said = f"{comparison.what[:1].upper()}{comparison.what[1:]} is the mean of a run's last tenth"
    said += ", ± its standard error there; another seed may move a run by more."
    ends = [standing.last_step for standing in comparison.standings if standing.loss is not None]
    if not comparison.unit:
        said += " They count different things (steps, epochs or rows), so each is drawn over its own length."
    elif min(ends) < SAME_LENGTH * max(ends):
        said += f" The runs are not of equal length: they end at {place(min(ends))} to {place(max(ends))}."
    return said


def suggestion(diagnosis: Diagnosis) -> str:
    """Return "try 0.01 (0.004 to 0.03)", "keep 0.01" where the rate suggested is the logged one, or nothing."""
    suggested, signals = diagnosis.suggested, diagnosis.signals
    peak = signals.rates.peak if signals is not None and signals.rates is not None else None
    return _to_do(suggested, peak=peak)


def tried(standing: Standing) -> str:
    """Return the same of one run of several: "0.01 (0.004 to 0.03)", "keep 0.01" or nothing."""
    return _to_do(standing.suggested, peak=standing.lr).removeprefix("try ")


def _to_do(suggested: Suggested | None, *, peak: float | None) -> str:
    if suggested is None:
        return ""
    low, high = suggested.low, suggested.high
    verb = "keep" if peak is not None and rate(peak) == rate(suggested.lr) else "try"
    interval = "" if low is None or high is None else f" ({rate(low)} to {rate(high)})"
    return f"{verb} {rate(suggested.lr)}{interval}"


def rates(diagnosis: Diagnosis) -> str:
    """Return what the logged rate did: "logged: 0.01, constant, with Adam", or that it is not in the log."""
    signals = diagnosis.signals
    if signals is None or signals.rates is None:
        return "not in the log" if diagnosis.log.lr is None else "logged: 0 throughout, so no step changed anything"
    logged = signals.rates
    under = "" if diagnosis.log.optimizer is None else f", with {OPTIMIZERS[diagnosis.log.optimizer]}"
    if logged.is_constant and not logged.has_warmup:
        return f"logged: {rate(logged.peak)}, constant{under}"
    warm = f" after {logged.peak_share:.0%} of the run" if logged.has_warmup else ""
    return f"logged: peak {rate(logged.peak)}{warm}, at the end {rate(logged.final) if logged.final else '0'}{under}"


def hint(diagnosis: Diagnosis) -> str:
    """Return how the rate could be judged more surely, or nothing."""
    suggested, signals = diagnosis.suggested, diagnosis.signals
    if suggested is None or suggested.low is None or signals is None or not lacks_optimizer(signals):
        return ""
    return "With the optimizer named (--optimizer adam, sgd, ...) the rate to try would be surer."
