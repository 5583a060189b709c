"""The schedule as numbers: CSV, one line a step, and one JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict

from lrfind.export.plan import exported_schedule
from lrfind.recommend import Recommendation
from lrfind.schedule import to_dict, values


def to_csv(recommendation: Recommendation) -> str:
    """Return ``step,lr``, one line a step, every digit kept."""
    rates = values(exported_schedule(recommendation)).tolist()
    return "step,lr\n" + "".join(f"{step},{rate!r}\n" for step, rate in enumerate(rates))


def to_json(recommendation: Recommendation) -> str:
    """Return one document: the advice, its schedule, and the rate of every step."""
    schedule = exported_schedule(recommendation)
    advice = asdict(recommendation) | {"schedule": to_dict(schedule), "rates": values(schedule).tolist()}
    return json.dumps(advice, allow_nan=False) + "\n"
