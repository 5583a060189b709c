"""A diagnosis in words, shared by figure and page; every string that came from a log is safe to show."""

from __future__ import annotations

import numpy as np

from lrfind.report.diagnosis import Diagnosis
from lrfind.report.words import number, plural, rate
from lrfind.text import printable


def title(diagnosis: Diagnosis) -> str:
    """Return what was found, in a line."""
    found = [finding for finding in diagnosis.found if finding.severity != "tip"]
    if not found:
        return f"Nothing wrong found in {plural(len(diagnosis.in_state('passed')), 'check')}"
    titles = ", ".join(f"{finding.title} ({finding.code})" for finding in found[:2])
    return f"{titles[:1].upper()}{titles[1:]}"


def course(diagnosis: Diagnosis) -> str:
    """Return how the loss went, and which log it is."""
    name, signals = printable(diagnosis.log.name, width=60), diagnosis.signals
    if signals is None:
        return f"{name}: no finite loss"
    noise = float(np.median(signals.blocks.noise))
    return f"{name}: loss {number(signals.start)} → {number(signals.end)}, single points scatter by {number(noise)}"


def rates(diagnosis: Diagnosis) -> str:
    """Return what the logged rate did."""
    signals = diagnosis.signals
    if signals is None or signals.rates is None:
        return "not in the log" if diagnosis.log.lr is None else "0 throughout"
    logged = signals.rates
    if logged.is_constant and not logged.has_warmup:
        return f"{rate(logged.peak)}, constant"
    warm = f" after {logged.peak_share:.0%} of the run" if logged.has_warmup else ""
    return f"peak {rate(logged.peak)}{warm}, at the end {rate(logged.final) if logged.final else '0'}"
