"""Learning-rate schedules as data: `make_schedule(name, ...) -> Schedule`, `values(schedule) -> one rate a step`.

A schedule is a peak rate and a row of segments, each a named shape between two fractions of the peak. Being data it
prints, compares, serialises and exports; `values` is the only interpreter.

::

    value     segments, schedules, their rates
    shapes    the schedules by name
    make      a schedule by name; the same one at another peak or length
    warmup    the same one after a warm-up of any length
"""

from lrfind.schedule.make import make_schedule, rescaled
from lrfind.schedule.shapes import N_TRIANGLES, SCHEDULES, WARMUP_SHARE, Segments, warmup_cosine
from lrfind.schedule.value import SHAPES, Schedule, Segment, Shape, to_dict, values
from lrfind.schedule.warmup import warmed_up

__all__ = [
    "N_TRIANGLES",
    "SCHEDULES",
    "SHAPES",
    "WARMUP_SHARE",
    "Schedule",
    "Segment",
    "Segments",
    "Shape",
    "make_schedule",
    "rescaled",
    "to_dict",
    "values",
    "warmed_up",
    "warmup_cosine",
]
