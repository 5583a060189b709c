"""What was found out about training logs, as JSON: `to_json(diagnoses)`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from lrfind.checks.training_log import Signals
from lrfind.checks.training_log.ending import read_ending
from lrfind.report.diagnosis import Diagnosis, suggested_dict
from lrfind.report.diagnosis.comparison import compare, comparison_dict
from lrfind.report.findings import finding_dict, plain

# Raised when a key of the JSON changes its meaning or goes; new keys do not raise it.
SCHEMA_VERSION = 1


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
            "optimizer": log.optimizer,
            "step_unit": log.step_unit,
            "rows": log.n_rows,
            "points": len(log.step),
            "first_step": plain(float(log.step[0])),
            "last_step": plain(float(log.step[-1])),
            "nonfinite": len(log.nonfinite_steps),
            **_course(diagnosis.signals),
            **suggested_dict(diagnosis.suggested),
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
    ending = read_ending(signals.log)
    loss = {
        "start": signals.first, "end": signals.last if ending.is_finite else None, "lowest": signals.lowest,
        "lowest_step": signals.lowest_step, "nonfinite_since": ending.since, "last_finite": signals.last,
        "last_finite_step": float(signals.step[-1]), "level_start": signals.start, "level_end": signals.end,
        "level_end_points": signals.n_end, "noise": float(np.median(signals.blocks.noise)),
    }  # fmt: skip
    lr = None if rates is None else {
        "peak": rates.peak, "final": rates.final, "warmup_share": rates.peak_share, "is_constant": rates.is_constant,
        "decayed_at": rates.decayed_at,
    }  # fmt: skip
    return {"loss": {name: plain(value) for name, value in loss.items()}, "lr": lr}


def _fields(value: Any) -> dict[str, Any]:
    return {name: plain(getattr(value, name)) for name in value.__slots__}
