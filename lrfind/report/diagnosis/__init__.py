"""What was found out about a training log, as a value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lrfind.checks.finding import Finding
from lrfind.checks.training_log import Signals
from lrfind.logs import TrainingLog
from lrfind.report.findings import SEVERITIES
from lrfind.text import LINE_WIDTH, printable

# The order among findings of one severity, a group a line:
# - the run was lost, or learned nothing;
# - steps that threw it: a cause of spikes, of large gradients, of a held-out loss that rises, of a plateau;
# - gradients that are too large, or gone;
# - what was lost on held-out rows for certain, since it was measured;
# - what another rate or schedule would have gained by estimate, the whole run's rate before its decay;
# - single events and noise, and last the log itself.
TELLING = (
    *("LR201", "LR214"),
    *("LR202", "LR207"),
    *("LR209", "LR210"),
    "LR211",
    *("LR203", "LR205", "LR206", "LR204"),
    *("LR208", "LR212", "LR213"),
)
# What is found about how a run ended; while it goes on that is still to come.
ABOUT_THE_END = frozenset(("LR203", "LR205", "LR206"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """A rate to try.

    Attributes
    ----------
    code : str
        The finding that suggests it.
    lr : float
    low, high : float or None
        Interval that holds the best rate in eight runs of ten; None where it is the run's own peak, or a tenth of it.
    """

    code: str
    lr: float
    low: float | None
    high: float | None


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
        """What was found: the worst first, causes before what follows from them."""
        return tuple(sorted((f for f in self.findings if f.state == "found"), key=_rank))

    @property
    def suggested(self) -> Suggested | None:
        """The rate that the first finding to name one suggests."""
        return next((_suggested(f) for f in self.found if f.evidence.get("lr_suggested") is not None), None)

    def in_state(self, state: str) -> list[Finding]:
        """Return the findings in a state."""
        return [finding for finding in self.findings if finding.state == state]

    def __repr__(self) -> str:
        """Return what was found in one line."""
        codes = ", ".join(finding.code for finding in self.found) or "nothing found"
        return printable(f"Diagnosis({printable(self.log.name, width=60)}: {codes})", width=LINE_WIDTH)

    def fails(self, fail_on: Collection[str]) -> bool:
        """Say whether a code or a severity (or a worse one) among `fail_on` was found."""
        limits = [SEVERITIES.index(severity) for severity in SEVERITIES if severity in fail_on]
        worst = max(limits, default=-1)
        return any(f.code in fail_on or SEVERITIES.index(f.severity) <= worst for f in self.found)


def suggested_dict(suggested: Suggested | None) -> dict[str, float | None]:
    """Return a rate to try and its interval under the names that evidence has for them."""
    if suggested is None:
        return dict.fromkeys(("lr_suggested", "lr_suggested_low", "lr_suggested_high"))
    return {"lr_suggested": suggested.lr, "lr_suggested_low": suggested.low, "lr_suggested_high": suggested.high}


def _suggested(finding: Finding) -> Suggested:
    lr, low, high = (finding.evidence.get(f"lr_suggested{end}") for end in ("", "_low", "_high"))
    return Suggested(
        code=finding.code, lr=float(lr or 0), low=None if low is None else float(low),
        high=None if high is None else float(high),
    )  # fmt: skip


def _rank(finding: Finding) -> tuple[int, int]:
    return SEVERITIES.index(finding.severity), TELLING.index(finding.code)
