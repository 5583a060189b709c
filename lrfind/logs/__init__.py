"""Read a training log, whatever wrote it."""

from lrfind.logs.log import Repair, TrainingLog

__all__ = ["Repair", "TrainingLog"]
