"""What the log itself is like: LR213."""

from __future__ import annotations

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals
from lrfind.text import plural

# A loss that is no number is no damage of the log: LR201 tells of it.
NOT_DAMAGE = "nan"
# More sentences are a list nobody reads; the reader's own repairs are all in the JSON.
MOST = 4


def broken_log(check: Check, signals: Signals) -> Finding:
    """LR213: gaps, repeats, a cut end."""
    log = signals.log
    damage = [repair for repair in log.repairs if repair.kind != NOT_DAMAGE]
    numbers = {"rows": log.n_rows, "points": len(log.step), "repairs": sum(repair.count for repair in damage)}
    if not damage:
        return check.passed(f"The log is whole: {plural(log.n_rows, 'row')}, no gaps, no repeats.", numbers)
    sentences = "; ".join(repair.sentence for repair in damage[:MOST])
    kept = f"read {plural(len(log.step), 'point')} out of {plural(log.n_rows, 'row')}"
    advice = f"The other checks {kept}; where that is too few, log one row a step with a flush after each."
    return check.found(f"{sentences[:1].upper()}{sentences[1:]}.", numbers, advice)
