"""What was found out about training logs: as a value, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrfind.checks.finding import Finding
from lrfind.checks.training_log import Signals
from lrfind.logs import TrainingLog
from lrfind.report.comparison import compare, comparison_dict
from lrfind.report.findings import SEVERITIES, finding_dict, plain

# Raised when a key of the JSON changes its meaning or goes; new keys do not raise it.
SCHEMA_VERSION = 1
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
    return {"logs": [to_dict(diagnosis) for diagnosis in diagnoses], "comparison": comparison_dict(compare(diagnoses))}


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
        "findings": [finding_dict(finding) for finding in diagnosis.findings],
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
