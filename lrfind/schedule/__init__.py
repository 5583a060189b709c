"""Learning-rate schedules as data: `make_schedule(name, ...) -> Schedule`, `values(schedule) -> one rate a step`.

A schedule is a peak rate and a row of segments, each a named shape between two fractions of the peak. Being data it
prints, compares, serialises and exports; `values` is the only interpreter.

::

    value     segments, schedules, their rates
    shapes    the schedules by name
    closed_loop  those that answer the run, by name: plateau, adaptive
    make      a schedule by name; the same one at another peak or length
    warmup    the same one after a warm-up of any length
    rate      the adaptive one for a training loop of one's own
"""

from lrfind.schedule.adaptive import Adaptive
from lrfind.schedule.closed_loop import CLOSED_LOOP, ClosedLoop, Controller, Watched, recorded, watch
from lrfind.schedule.make import COURSES, make_schedule, rescaled
from lrfind.schedule.orders import Orders
from lrfind.schedule.plateau import ReduceOnPlateau
from lrfind.schedule.rate import AdaptiveRate
from lrfind.schedule.shapes import N_TRIANGLES, SCHEDULES, WARMUP_SHARE, Segments, warmup_cosine
from lrfind.schedule.value import SHAPES, Schedule, Segment, Shape, to_dict, two_digits, values
from lrfind.schedule.warmup import warmed_up

__all__ = [
    "CLOSED_LOOP",
    "COURSES",
    "N_TRIANGLES",
    "SCHEDULES",
    "SHAPES",
    "WARMUP_SHARE",
    "Adaptive",
    "AdaptiveRate",
    "ClosedLoop",
    "Controller",
    "Orders",
    "ReduceOnPlateau",
    "Schedule",
    "Segment",
    "Segments",
    "Shape",
    "Watched",
    "make_schedule",
    "recorded",
    "rescaled",
    "to_dict",
    "two_digits",
    "values",
    "warmed_up",
    "warmup_cosine",
    "watch",
]
