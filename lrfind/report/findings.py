"""Findings as every report shows them: from the worst to the mildest, with one style for each severity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lrfind.checks.finding import Finding, Severity

# From the worst to the mildest.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "tip")
STYLES: Mapping[str, str] = {"error": "bold red", "warning": "yellow", "tip": "cyan"}
# Fewer neighbours are shorter to read one by one.
MIN_SPAN = 3


def ranges(codes: Sequence[str]) -> str:
    """Return codes with neighbours joined: "LR301-LR304, LR306".

    Parameters
    ----------
    codes : sequence of str
        In ascending order.

    Returns
    -------
    str
    """
    runs: list[list[str]] = []
    for code in codes:
        if runs and int(code[2:]) == int(runs[-1][-1][2:]) + 1:
            runs[-1].append(code)
        else:
            runs.append([code])
    spans = ([f"{run[0]}-{run[-1]}"] if len(run) >= MIN_SPAN else run for run in runs)
    return ", ".join(text for span in spans for text in span)


def grouped(findings: Sequence[Finding]) -> list[tuple[list[str], str]]:
    """Return codes by the reason they share, in the order of the first code."""
    by_reason: dict[str, list[str]] = {}
    for finding in findings:
        by_reason.setdefault(finding.message, []).append(finding.code)
    return [(codes, reason) for reason, codes in by_reason.items()]


def finding_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as strict JSON values.

    Parameters
    ----------
    finding : Finding

    Returns
    -------
    dict
        The keys that every report of findings has.
    """
    return {
        "code": finding.code,
        "state": finding.state,
        "severity": finding.severity,
        "title": finding.title,
        "message": finding.message,
        "evidence": {name: plain(number) for name, number in finding.evidence.items()},
        "advice": finding.advice,
    }


def plain(number: Any) -> Any:
    """Return a number as JSON has it: None where it is not finite."""
    value = number.item() if isinstance(number, np.generic) else number
    return None if isinstance(value, float) and not math.isfinite(value) else value
