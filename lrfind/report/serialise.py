"""A report as JSON values: `to_dict(report)`, and its bytes: `to_json(report)`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from lrfind import schedule as schedules
from lrfind.experience import rows_to_csv
from lrfind.recommend import gain
from lrfind.report.curves import every_kth, gradient_curve
from lrfind.report.race.serialise import race_dict

if TYPE_CHECKING:
    from lrfind.curve import Analysis, Landmark
    from lrfind.data import Table
    from lrfind.experience import Prior
    from lrfind.problem import Problem
    from lrfind.recommend import Proof, Recommendation
    from lrfind.report import Report
    from lrfind.sweep import Sweep

# Raised when a key of run.json changes its meaning or goes; new keys do not raise it.
SCHEMA_VERSION = 1
# Enough to draw the curve smoothly at any size; the raw series are in sweep.csv.
MAX_CURVE_POINTS = 400
# A smooth curve over four decades.
MAX_EXPECTED_POINTS = 100
SWEEP_FILE = "sweep.csv"
LANDMARKS = ("onset", "steepest", "fallen", "minimum", "divergence")


def to_dict(report: Report) -> dict[str, Any]:
    """Return a report as strict JSON values: no NaN, no infinity, string keys only.

    Parameters
    ----------
    report : Report

    Returns
    -------
    dict
        The contents of ``run.json``; the raw losses are in ``sweep.csv`` and ``race.csv``.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "lrfind_version": report.version,
        "status": "complete",
        "created": report.created,
        "command": report.command,
        "data": _data(report.table, problem=report.problem),
        "problem": _problem(report.problem),
        "config": report.config,
        "sweep": _sweep(report.sweep),
        "analysis": _analysis(report.analysis),
        "gradient": _gradient(report),
        "experience": _experience(report.prior) if report.prior else None,
        "race": race_dict(report.race) if report.race else None,
        "proof": _proof(report.proof) if report.proof else None,
        "recommendation": _recommendation(report.recommendation),
        "findings": [_fields(finding) for finding in report.findings],
        "timing": report.timing,
    }
    plain: dict[str, Any] = _plain(document)
    return plain


def to_json(report: Report) -> str:
    """Return a report as one strict JSON document in ASCII, ending with a line break.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        The same characters for the same report, whatever the machine.
    """
    return json.dumps(to_dict(report), indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:  # noqa: PLR0911 - JSON is a union, and each kind of value leaves here once
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Enum):
        return value.name.lower()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _data(table: Table, *, problem: Problem) -> dict[str, Any]:
    return {
        **_fields(table.source),
        "detected": dict(table.source.detected),
        "rows": table.n_rows,
        "rows_total": table.n_rows_total,
        "columns": len(table.columns),
        "column_kinds": [{"name": column.name, "kind": column.kind} for column in table.columns],
        "target": problem.target,
        "task": problem.task,
        "notes": table.notes,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    names = (
        "classes",
        "split",
        "target_reason",
        "task_reason",
        "baseline_loss",
        "n_rows_dropped",
        "target_mean",
        "target_sd",
    )
    return {
        "n_train": problem.X_train.shape[0],
        "n_val": problem.X_val.shape[0],
        "n_features": problem.n_features,
        **{name: getattr(problem, name) for name in names},
        "encodings": [_fields(encoding) for encoding in problem.encodings],
        "notes": problem.notes,
    }


def _sweep(sweep: Sweep) -> dict[str, Any]:
    return {
        "n_seeds": sweep.n_seeds,
        "n_steps": sweep.n_steps,
        "lr_min": sweep.lrs[0] if sweep.lrs.size else None,
        "lr_max": sweep.lrs[-1] if sweep.lrs.size else None,
        "n_seeds_lost": int((~np.isfinite(sweep.losses)).any(axis=1).sum()),
        "file": SWEEP_FILE,
    }


def _analysis(analysis: Analysis) -> dict[str, Any]:
    keep = every_kth(analysis.lrs.size, most=MAX_CURVE_POINTS)
    marks: dict[str, Landmark | None] = {name: getattr(analysis, name) for name in LANDMARKS}
    return {
        "outcome": analysis.outcome,
        "sentence": analysis.outcome.value,
        "start_loss": analysis.start_loss,
        "min_loss": analysis.min_loss,
        "noise": analysis.noise,
        "noise_removed": analysis.noise_removed,
        "landmarks": {name: _fields(mark) if mark else None for name, mark in marks.items()},
        "rules": analysis.rules,
        "curve": {
            "lrs": analysis.lrs[keep],
            "pooled": analysis.pooled[keep],
            "low": analysis.low[keep],
            "high": analysis.high[keep],
        },
    }


def _experience(prior: Prior) -> dict[str, Any]:
    keep = every_kth(prior.lrs.size, most=MAX_EXPECTED_POINTS)
    return {
        "n_races": prior.n_rows,
        "n_own": prior.n_own,
        "own_rows": rows_to_csv(prior.own) if prior.own else "",
        "familiar": prior.familiar,
        **_fields(prior.reading),
        "expected_regret": {"lrs": prior.lrs[keep], "regret": prior.regret[keep]},
    }


def _gradient(report: Report) -> dict[str, Any] | None:
    curve = gradient_curve(report)
    if curve is None:
        return None
    return {name: getattr(curve, name) for name in ("lrs", "median", "low", "high")}


def _proof(proof: Proof) -> dict[str, Any]:
    """Return what training without a race has reached: each look's gain over a constant guess, and its error."""
    looks = [gain(losses, proof.baseline) for losses in proof.looks]
    reached, error = gain(proof.losses, proof.baseline)
    return {
        "n_runs": proof.n_runs,
        "n_held_out": len(proof.baseline),
        "baseline_loss": float(proof.baseline.mean()),
        "gain": reached,
        "gain_se": error,
        "looks": [{"gain": reached, "gain_se": error} for reached, error in looks],
    }


def _recommendation(recommendation: Recommendation) -> dict[str, Any]:
    schedule, expected = recommendation.schedule, recommendation.expected
    return {
        **_fields(recommendation),
        "schedule": schedules.to_dict(schedule) if schedule else None,
        "expected": _fields(expected) if expected else None,
        "evidence": [_fields(reason) for reason in recommendation.evidence],
        "raced": [_fields(schedule) for schedule in recommendation.raced],
    }
