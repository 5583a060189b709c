"""Find a learning rate and a schedule that can be trusted.

>>> import lrfind
>>> report = lrfind.find_lr("table.csv")  # doctest: +SKIP
>>> report.recommendation.lr  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrfind.find import find_lr
    from lrfind.schedule import SCHEDULES, AdaptiveRate, make_schedule, values
    from lrfind.settings import Settings

__all__ = ["SCHEDULES", "AdaptiveRate", "Settings", "find_lr", "make_schedule", "values"]
__version__ = "0.1.0"

# Where each public name lives: imported when asked for, so that `import lrfind` and `lrfind --help` stay quick.
_HOMES = {
    "SCHEDULES": "lrfind.schedule",
    "AdaptiveRate": "lrfind.schedule",
    "Settings": "lrfind.settings",
    "find_lr": "lrfind.find",
    "make_schedule": "lrfind.schedule",
    "values": "lrfind.schedule",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lrfind' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
