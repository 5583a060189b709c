"""What was found out about training logs: as a value, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfind.checks.finding import Finding, Severity
from lrfind.checks.training_log import Signals
from lrfind.logs import TrainingLog

# Raised when a key of the JSON changes its meaning or goes; new keys do not raise it.
SCHEMA_VERSION = 1
# From the worst to the mildest.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "tip")
# What explains the most comes first among findings of one severity: a rate that is wrong causes the rest.
TELLING = ("LR201", "LR202", "LR203", "LR214", "LR207", "LR205", "LR206", "LR209", "LR210", "LR211", "LR204")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Diagnosis:
    """What was found out about one training log.

    Attributes
    ----------
    version : str
        Of lrfind.
    log : TrainingLog
    signals : Signals or None
        None where no point has a finite loss.
    findings : tuple of Finding
        Of every check, in the order of their codes.
    """

    version: str
    log: TrainingLog
    signals: Signals | None
    findings: tuple[Finding, ...]

    @property
    def found(self) -> tuple[Finding, ...]:
        """What was found: the worst first, and what explains the rest before it."""
        return tuple(sorted((f for f in self.findings if f.state == "found"), key=_rank))

    @property
    def lr_suggested(self) -> float | None:
        """The rate that the first finding to name one suggests."""
        rates = (finding.evidence.get("lr_suggested") for finding in self.found)
        return next((float(rate) for rate in rates if rate is not None), None)

    def in_state(self, state: str) -> list[Finding]:
        """Return the findings in a state."""
        return [finding for finding in self.findings if finding.state == state]

    def fails(self, fail_on: Collection[str]) -> bool:
        """Say whether a code or a severity (or a worse one) among `fail_on` was found."""
        limits = [SEVERITIES.index(severity) for severity in SEVERITIES if severity in fail_on]
        worst = max(limits, default=-1)
        return any(f.code in fail_on or SEVERITIES.index(f.severity) <= worst for f in self.found)


def _rank(finding: Finding) -> tuple[int, int, str]:
    telling = TELLING.index(finding.code) if finding.code in TELLING else len(TELLING)
    return SEVERITIES.index(finding.severity), telling, finding.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one log of several stands.

    Attributes
    ----------
    name : str
    lr : float or None
        Peak rate.
    loss : float or None
        What it reached, on held-out data where every log has that; None where it diverged.
    error : float
        Standard error of `loss`.
    codes : tuple of str
        Codes found.
    """

    name: str
    lr: float | None
    loss: float | None
    error: float
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several logs side by side.

    Attributes
    ----------
    measure : str
        "val_loss" or "loss": what the logs are compared by.
    standings : tuple of Standing
        The best first, diverged runs last.
    sentence : str
        Which was best, and why.
    """

    measure: str
    standings: tuple[Standing, ...]
    sentence: str


# Share of the points whose mean is what a run reached.
END_SHARE = 0.1
# Differences of less than two standard errors are no differences.
CLEAR = 2.0


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
        (_standing(d, by_val=by_val) for d in diagnoses), key=lambda s: math.inf if s.loss is None else s.loss
    )
    measure = "val_loss" if by_val else "loss"
    return Comparison(measure=measure, standings=tuple(standings), sentence=_why(standings, measure=measure))


def _standing(diagnosis: Diagnosis, *, by_val: bool) -> Standing:
    signals, log = diagnosis.signals, diagnosis.log
    codes = tuple(finding.code for finding in diagnosis.found)
    lr = signals.rates.peak if signals is not None and signals.rates is not None else None
    if signals is None or "LR201" in codes:
        return Standing(name=log.name, lr=lr, loss=None, error=0.0, codes=codes)
    values = log.val_loss[np.isfinite(log.val_loss)] if by_val and log.val_loss is not None else signals.loss
    last = values[-max(int(END_SHARE * len(values)), 1) :]
    error = float(last.std(ddof=1) / math.sqrt(len(last))) if len(last) > 1 else 0.0
    return Standing(name=log.name, lr=lr, loss=float(last.mean()), error=error, codes=codes)


def _why(standings: Sequence[Standing], *, measure: str) -> str:
    best, *rest = standings
    what = "held-out loss" if measure == "val_loss" else "training loss"
    if best.loss is None:
        return f"All {len(standings)} runs diverged."
    at = "" if best.lr is None else f" (peak rate {best.lr:.2g})"
    sentence = f"{best.name}{at} reached the lowest {what}, {best.loss:.3g}"
    if not rest:
        return f"{sentence}."
    second = rest[0]
    if second.loss is None:
        return f"{sentence}; the others diverged."
    margin, error = second.loss - best.loss, math.hypot(best.error, second.error)
    if margin <= CLEAR * error:
        return f"{sentence}, but {second.name} with {second.loss:.3g} is within the noise of it ({CLEAR * error:.2g})."
    reason = f"; {second.name} shows {', '.join(second.codes)}" if second.codes else ""
    return f"{sentence}, {margin:.2g} below {second.name}{reason}."


def to_json(diagnoses: Sequence[Diagnosis]) -> str:
    """Return diagnoses as one strict JSON document in ASCII, ending with a line break.

    Parameters
    ----------
    diagnoses : sequence of Diagnosis
        Of one log: ``{"log": ..., "findings": [...]}``; of several, a list of those under "logs", and "comparison".

    Returns
    -------
    str
    """
    return json.dumps(document(diagnoses), indent=1, allow_nan=False) + "\n"


def document(diagnoses: Sequence[Diagnosis]) -> dict[str, Any]:
    """Return what `to_json` writes, as JSON values."""
    if len(diagnoses) == 1:
        return to_dict(diagnoses[0])
    comparison = compare(diagnoses)
    standings = [{**_fields(standing), "codes": list(standing.codes)} for standing in comparison.standings]
    return {
        "logs": [to_dict(diagnosis) for diagnosis in diagnoses],
        "comparison": {"measure": comparison.measure, "standings": standings, "sentence": comparison.sentence},
    }


def to_dict(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as strict JSON values: no NaN, no infinity.

    Parameters
    ----------
    diagnosis : Diagnosis

    Returns
    -------
    dict
        "log" and "findings".
    """
    log = diagnosis.log
    return {
        "log": {
            "name": log.name,
            "path": log.path,
            "format": log.format,
            "columns": dict(log.columns),
            "step_unit": log.step_unit,
            "rows": log.n_rows,
            "points": len(log.step),
            "first_step": plain(float(log.step[0])),
            "last_step": plain(float(log.step[-1])),
            "nonfinite": len(log.nonfinite_steps),
            **_course(diagnosis.signals),
            "lr_suggested": diagnosis.lr_suggested,
            "repairs": [_fields(repair) for repair in log.repairs],
            "notes": list(log.notes),
            "lrfind_version": diagnosis.version,
            "schema_version": SCHEMA_VERSION,
        },
        "findings": [
            {**_fields(f), "evidence": {name: plain(number) for name, number in f.evidence.items()}}
            for f in diagnosis.findings
        ],
    }


def _course(signals: Signals | None) -> dict[str, Any]:
    if signals is None:
        return {"loss": None, "lr": None}
    rates = signals.rates
    loss = {
        "start": signals.start, "end": signals.end, "lowest": signals.best,
        "noise": float(np.median(signals.blocks.noise)),
    }  # fmt: skip
    lr = None if rates is None else {
        "peak": rates.peak, "final": rates.final, "warmup_share": rates.peak_share, "is_constant": rates.is_constant,
        "decayed_at": rates.decayed_at,
    }  # fmt: skip
    return {"loss": {name: plain(value) for name, value in loss.items()}, "lr": lr}


def _fields(value: Any) -> dict[str, Any]:
    return {name: plain(getattr(value, name)) for name in value.__slots__}


def plain(number: Any) -> Any:
    """Return a number as JSON has it: None where it is not finite."""
    value = number.item() if isinstance(number, np.generic) else number
    return None if isinstance(value, float) and not math.isfinite(value) else value
