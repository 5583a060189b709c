"""What a check is, and what it returns."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lrfind.text import nearest

State = Literal["found", "passed", "not_applicable"]
Severity = Literal["error", "warning", "tip"]
# What a finger or an eye takes for a digit.
ALIKE = str.maketrans("OQILSBZ", "0011582")
Numbers = Mapping[str, float | int | str | None]


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
    evidence : mapping of str to number
        The numbers; "lr_suggested" where a rate is advised.
    advice : str
        What to do, with a number; empty when nothing needs doing.
    """

    code: str
    state: State
    severity: Severity
    title: str
    message: str
    evidence: Numbers = field(default_factory=dict)
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A row of the catalogue.

    Attributes
    ----------
    code : str
    severity : {"error", "warning", "tip"}
        Of the finding, when there is one.
    title : str
    """

    code: str
    severity: Severity
    title: str

    def found(self, message: str, evidence: Numbers, advice: str) -> Finding:  # noqa: PLR0917 - as a doctor speaks: what, how much, what to do
        """Return that the check found what it looks for."""
        return self._finding("found", message, evidence=evidence, advice=advice)

    def passed(self, message: str, evidence: Numbers) -> Finding:
        """Return that it did not."""
        return self._finding("passed", message, evidence=evidence)

    def not_applicable(self, reason: str) -> Finding:
        """Return that it could not be made, and why."""
        return self._finding("not_applicable", reason, evidence={})

    def _finding(self, state: State, message: str, *, evidence: Numbers, advice: str = "") -> Finding:
        return Finding(
            code=self.code, state=state, severity=self.severity, title=self.title,
            message=message, evidence=evidence, advice=advice,
        )  # fmt: skip


def as_code(text: str) -> str:
    """Return a code as it is written here: "202", "lr202" and "LR-202" are LR202; anything else in capitals."""
    typed = re.fullmatch(r"(?:LR)?[\s_-]*(\d+)", text.strip(), re.IGNORECASE)
    return f"LR{typed[1]}" if typed else text.strip().upper()


def nearest_code(text: str, codes: Collection[str]) -> str | None:
    """Return the code that was probably meant: "202", "lr-202" and "LR2O2" mean LR202.

    Parameters
    ----------
    text : str
        What was typed.
    codes : collection of str
        What there is.

    Returns
    -------
    str or None
    """
    digits = re.sub(r"\D", "", re.sub(r"^\W*LR?\W*", "", text.upper()).translate(ALIKE))
    return f"LR{digits}" if f"LR{digits}" in codes else nearest(text, codes)
