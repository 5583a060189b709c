"""One value that holds a finished run; every rendering derives from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrfind.checks import Finding
from lrfind.curve import Analysis
from lrfind.data import Table
from lrfind.experience import Prior
from lrfind.problem import Problem
from lrfind.race import Race
from lrfind.recommend import Recommendation
from lrfind.report.files import write_report
from lrfind.report.serialise import to_dict, to_json
from lrfind.sweep import Sweep

__all__ = ["Report", "to_dict", "to_json", "write_report"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """A finished run.

    Attributes
    ----------
    version : str
        Of lrfind.
    created : str
        ISO 8601, UTC, seconds.
    command : tuple of str
        A command line that reproduces the run.
    config : mapping
        Every setting, defaults included: "model", "hidden", "activation", "optimizer", "batch_size", "lr_min",
        "lr_max", "steps", "seeds", "train_steps", "epochs", "seed", ...
    table : Table
    problem : Problem
    sweep : Sweep
    analysis : Analysis
    prior : Prior or None
        What earlier races led to expect; None where the range test places no landmark.
    race : Race or None
        None where the range test alone was asked for, or a race would have been too dear.
    recommendation : Recommendation
    findings : tuple of Finding
    timing : mapping of str to float
        Seconds a stage: "read", "prepare", "sweep", "analyse".
    """

    version: str
    created: str
    command: tuple[str, ...]
    config: Mapping[str, Any]
    table: Table
    problem: Problem
    sweep: Sweep
    analysis: Analysis
    prior: Prior | None = None
    race: Race | None = None
    recommendation: Recommendation
    findings: tuple[Finding, ...]
    timing: Mapping[str, float]
