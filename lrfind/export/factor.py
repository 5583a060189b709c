"""Any schedule as a plain Python function: `factor(step)`, the fraction of the peak rate, its segments written out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from lrfind.export.literal import literal
from lrfind.schedule import Schedule, Segment


def factor_code(schedule: Schedule) -> tuple[str, ...]:
    """Return the lines of a function ``factor(step)`` that gives ``values(schedule) / peak_lr``.

    Parameters
    ----------
    schedule : Schedule

    Returns
    -------
    tuple of str
        They need ``math`` where `needs_math` says so.
    """
    if len(schedule.segments) > MOST_BRANCHES and all(s.shape in {"linear", "constant"} for s in schedule.segments):
        return _table_code(schedule)
    *before, last = (segment for segment in schedule.segments if _is_reached(segment, schedule))
    lines = ["def factor(step):", '    """Return the fraction of the peak rate for step 0, 1, 2, ..."""']
    # Schedulers ask for one step more than is trained.
    if last.shape != "constant":
        lines.append(f"    step = min(step, {literal(last.stop)})")
    for segment in before:
        lines += [f"    if step < {literal(segment.stop)}:", f"        return {_fraction(segment)}"]
    return (*lines, f"    return {_fraction(last)}")


# Beyond this a recorded course is read from a table rather than from as many conditions.
MOST_BRANCHES = 20
# Width of the lines of a table.
TABLE_WIDTH = 112


def _table_code(schedule: Schedule) -> tuple[str, ...]:
    pieces = schedule.segments
    return (
        *_numbers("STARTS", [piece.start for piece in pieces]),
        *_numbers("STOPS", [piece.stop for piece in pieces]),
        *_numbers("BEGINS", [piece.begin for piece in pieces]),
        *_numbers("ENDS", [piece.end for piece in pieces]),
        "",
        "",
        "def factor(step):",
        '    """Return the fraction of the peak rate for step 0, 1, 2, ...: straight lines between recorded ones."""',
        "    i = max(i for i, start in enumerate(STARTS) if start <= step)",
        "    share = min((step - STARTS[i]) / (STOPS[i] - STARTS[i]), 1)",
        "    return BEGINS[i] + (ENDS[i] - BEGINS[i]) * share",
    )


def _numbers(name: str, numbers: Sequence[float]) -> tuple[str, ...]:
    rows = textwrap.wrap(", ".join(map(literal, numbers)), TABLE_WIDTH)
    return (f"{name} = [", *(f"    {row}" for row in rows), "]")


def needs_math(schedule: Schedule) -> bool:
    """Say whether `factor_code` needs ``import math``."""
    return any(segment.shape == "cosine" for segment in schedule.segments)


def _is_reached(segment: Segment, schedule: Schedule) -> bool:
    return segment is schedule.segments[-1] or segment.stop > max(segment.start, 0)


def _fraction(segment: Segment) -> str:
    begin, end = segment.begin, segment.end
    if segment.shape == "constant" or segment.stop <= segment.start:
        return literal(begin if segment.shape == "constant" else end)
    progress = _progress(segment)
    if segment.shape == "cosine":
        return _blend(f"(1 + math.cos(math.pi * {progress})) / 2", base=end, gain=begin - end)
    if segment.shape == "exponential":
        return _blend(f"{literal(end / begin)} ** ({progress})", base=0, gain=begin)
    if segment.power == 1:
        return _blend(progress, base=begin, gain=end - begin)
    return _blend(f"(1 - {progress}) ** {literal(segment.power)}", base=end, gain=begin - end)


def _progress(segment: Segment) -> str:
    done = "step" if segment.start == 0 else f"(step - {literal(segment.start)})"
    return f"{done} / {literal(segment.stop - segment.start)}"


def _blend(shape: str, *, base: float, gain: float) -> str:
    """Return ``base + gain * shape`` without what changes nothing."""
    scaled = shape if abs(gain) == 1 else f"{literal(abs(gain))} * {shape}"
    if base == 0 and gain > 0:
        return scaled
    return f"{literal(base)} {'+' if gain >= 0 else '-'} {scaled}"
