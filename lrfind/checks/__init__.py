"""Coded checks: what was looked at and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["found", "passed", "not_applicable"]
Severity = Literal["error", "warning", "tip"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finding:
    """The outcome of one check.

    Attributes
    ----------
    code : str
        "LR101" and so on; never reused.
    state : {"found", "passed", "not_applicable"}
    severity : {"error", "warning", "tip"}
    title : str
        A few words.
    message : str
        What was seen, with counts, steps and names.
    evidence : mapping of str to float
        The numbers; "lr_suggested" where a rate is advised.
    advice : str
        What to do, with a number; empty when nothing needs doing.
    """

    code: str
    state: State
    severity: Severity
    title: str
    message: str
    evidence: Mapping[str, float | int | str | None] = field(default_factory=dict)
    advice: str = ""
