"""From readings to a log with strictly increasing steps: `mended(readings) -> TrainingLog`.

Logs of resumed runs repeat steps, several workers write them out of order, some loggers count batches within an
epoch. Each is told from the others by where the steps go back and what was logged at those steps before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from lrfind.errors import DataError
from lrfind.logs.log import Floats, Repair, RepairKind, Run, StepUnit, TrainingLog
from lrfind.logs.nature import nature_of
from lrfind.logs.optimizer import told_by_rate
from lrfind.logs.padding import without_padding
from lrfind.logs.readings import Ints, Readings, Series
from lrfind.logs.roles import roles_of
from lrfind.logs.runs import described, judged_run, runs_in
from lrfind.logs.steps import unwrapped
from lrfind.logs.wholes import with_wholes
from lrfind.text import place, plural, printable

# A resumed run goes back and then logs on for a while; workers that share a file go back every other row.
MIN_RESUMED_ROWS = 5
# Share of the steps after going back that were logged before: nearly all in a resumed run, few among workers.
MIN_SEEN_SHARE = 0.5
# Less than one distinct step in two rows, and out of order: the counter is of no use.
MIN_DISTINCT_SHARE = 0.5
# A jump three times the usual one, and twice its neighbours (logs that thin out on purpose grow smoothly), is a gap.
GAP_OF_USUAL = 3.0
GAP_OF_NEIGHBOURS = 2.0
LONG_SHARE = 0.9
# Below this many points "usual" means little.
MIN_POINTS_FOR_GAPS = 8
# A log with more rows unplaced than placed is not mended but refused or numbered anew.
MAX_UNPLACED_SHARE = 0.5

VALUES = ("loss", "val_loss", "lr", "grad_norm", "epoch")
Mask = npt.NDArray[np.bool_]
Number = TypeVar("Number", np.float64, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Steps:
    """A step for every row (NaN: the row is left out), and what was found on the way."""

    step: Floats
    unit: StepUnit
    repairs: list[Repair]
    notes: list[str]
    runs: tuple[Run, ...] = ()


def mended(readings: Readings, *, name: str, path: str, notes: tuple[str, ...] = ()) -> TrainingLog:
    """Return the training log that readings amount to.

    Parameters
    ----------
    readings : Readings
    name : str
        Of the log, fit to show.
    path : str
        As given.
    notes : tuple of str
        From opening it.

    Returns
    -------
    TrainingLog

    Raises
    ------
    DataError
        Nothing looks like a training loss, or it has no values.
    """
    readings = with_wholes(readings)
    roles, role_notes = roles_of(readings, name=name)
    used, padding_notes = _used(readings, roles=roles)
    if not len(used["loss"].rows):
        raise DataError(f"{name} holds no data: there are no loss values in it")
    steps = _steps(readings, roles=roles, used=used)
    step, columns = _merged(steps.step, used)
    is_nonfinite, nan_repair = _nonfinite(step, given=columns.pop("loss given"), loss=columns["loss"], unit=steps.unit)
    gaps = _gaps(step, given=~np.isnan(columns["loss"]) | is_nonfinite, unit=steps.unit)
    shown = tuple(
        (role, printable(column, width=60)) for role, column in roles.items()
        if role in used or (role == "step" and steps.unit != "row")
    )  # fmt: skip
    told = readings.optimizer or told_by_rate(roles.get("lr", ""))
    if told is not None:
        shown = (*shown, ("optimizer", printable(told.where, width=60)))
    return TrainingLog(
        name=name, path=path, format=readings.format, columns=shown, step=step, step_unit=steps.unit,
        epoch=columns.get("epoch"), loss=columns["loss"], val_loss=columns.get("val_loss"), lr=columns.get("lr"),
        grad_norm=columns.get("grad_norm"), optimizer=None if told is None else told.optimizer,
        nonfinite_steps=step[is_nonfinite], n_rows=readings.n_rows,
        repairs=(*readings.repairs, *steps.repairs, *gaps, *nan_repair),
        notes=(*notes, *readings.notes, *role_notes, *padding_notes, *steps.notes), runs=steps.runs,
        passed=readings.passed, nature=nature_of([*readings.series, *readings.names]),
    )  # fmt: skip


def _used(readings: Readings, *, roles: dict[str, str]) -> tuple[dict[str, Series], list[str]]:
    """Return the series of each role without what pads them; a role of which nothing is left goes."""
    used, notes = {}, []
    for role in VALUES:
        if role in roles:
            used[role], note = without_padding(role, roles=roles, series=readings.series)
            notes += [note] if note else []
    if "val_loss" in used and not len(used["val_loss"].rows):
        del used["val_loss"], roles["val_loss"]
    return used, notes


def distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Return the distinct values in order; nearly all logs are in order, which is quick to see."""
    return values if (values[1:] > values[:-1]).all() else np.unique(values)


def _any_row(series: Iterable[Series], n_rows: int) -> Ints:
    has_value = np.zeros(n_rows, dtype=bool)
    for each in series:
        has_value[each.rows] = True
    return np.flatnonzero(has_value)


def _dense(series: Series, n_rows: int) -> Floats:
    values = np.full(n_rows, np.nan)
    values[series.rows] = series.values
    return values


def _steps(readings: Readings, *, roles: dict[str, str], used: dict[str, Series]) -> _Steps:
    """Give each row a step: from the counter that most rows with a loss have, else by counting rows."""
    loss_rows = distinct(used["loss"].rows)
    for role in ("step", "epoch"):
        if role not in roles:
            continue
        step = _dense(readings.series[roles[role]], readings.n_rows)
        step[~np.isfinite(step)] = np.nan
        if np.isnan(step[loss_rows]).mean() > MAX_UNPLACED_SHARE:
            continue
        unit: StepUnit = readings.step_unit or ("epoch" if role == "epoch" else "step")
        return _ordered(readings, roles=roles, used=used, step=step, unit=unit)
    return _counted(used, readings.n_rows, notes=[])


def _counted(
    used: dict[str, Series], n_rows: int, *, notes: list[str], within: Mask | None = None, runs: tuple[Run, ...] = ()
) -> _Steps:
    """Count the rows that hold anything, from 1, as a person would."""
    rows = _any_row(used.values(), n_rows)
    rows = rows if within is None else rows[within[rows]]
    step = np.full(n_rows, np.nan)
    step[rows] = np.arange(1, len(rows) + 1)
    return _Steps(
        step=step, unit="row", repairs=[], notes=notes or ["the log has no steps, so its rows were counted"],
        runs=runs,
    )  # fmt: skip


def _ordered(
    readings: Readings, *, roles: dict[str, str], used: dict[str, Series], step: Floats, unit: StepUnit
) -> _Steps:
    rows = distinct(used["loss"].rows)
    rows = rows[~np.isnan(step[rows])]
    repairs = _unplaced(readings, used=used, step=step)
    notes: list[str] = []
    shown = printable(roles[unit] if unit in roles else roles.get("step", unit), width=40)
    if unit == "step" and "epoch" in used:
        epoch = _filled(_dense(used["epoch"], readings.n_rows))
        step, period = unwrapped(step, epoch=np.floor(epoch), rows=rows)
        if period:
            notes.append(
                f"'{shown}' starts anew in each epoch, so epochs of {place(period)} steps were put one after another"
            )
    runs, within, told = _last_run(readings, used=used, step=step, unit=unit)
    notes += told
    rows = rows[within[rows]]
    step = np.where(within, step, np.nan)
    along = step[rows]
    back = np.flatnonzero(np.diff(along) < 0) + 1
    first_seen = _first_seen(along)
    if len(back) and _is_resumed(along, back=back, first_seen=first_seen):
        step, n_superseded = _newest_branch(step, rows=rows, back=rows[back])
        repairs.append(_resumed(along, back=back, n_superseded=n_superseded, unit=unit))
        return _Steps(step=step, unit=unit, repairs=repairs, notes=notes, runs=runs)
    n_distinct = int(first_seen.sum())
    if n_distinct < MIN_DISTINCT_SHARE * len(rows) and (len(back) or unit == "epoch"):
        note = f"'{shown}' holds {n_distinct:,} different values in {len(rows):,} rows, so rows were counted instead"
        return _counted(used, readings.n_rows, notes=[*notes, note], within=within, runs=runs)
    repairs += _repeats(along, first_seen=first_seen, unit=unit)
    repairs += _unsorted(along, first_seen=first_seen, unit=unit)
    return _Steps(step=step, unit=unit, repairs=repairs, notes=notes, runs=runs)


def _last_run(
    readings: Readings, *, used: dict[str, Series], step: Floats, unit: StepUnit
) -> tuple[tuple[Run, ...], Mask, list[str]]:
    """Return the runs of a file, which rows are of the one that is read, and what to say."""
    within = np.ones(readings.n_rows, dtype=bool)
    losses = [used[role].rows[~np.isnan(step[used[role].rows])] for role in ("loss", "val_loss") if role in used]
    rows = distinct(np.concatenate(losses))
    loss = _dense(used["loss"], readings.n_rows)
    runs = runs_in(step, loss=loss, rows=rows, series=losses)
    if len(runs) == 1:
        return (), within, []
    has_loss = np.zeros(readings.n_rows, dtype=bool)
    has_loss[used["loss"].rows] = True
    chosen = judged_run(runs, has_loss=has_loss[rows])
    begin, end = runs[chosen]
    within[: rows[begin]] = False
    within[rows[end] if end < len(rows) else readings.n_rows :] = False
    told, note = described(runs, chosen, readings=readings, step=step, rows=rows, has_loss=has_loss[rows], unit=unit)
    return told, within, [note]


def _unplaced(readings: Readings, *, used: dict[str, Series], step: Floats) -> list[Repair]:
    rows = _any_row([series for role, series in used.items() if role != "epoch"], readings.n_rows)
    unplaced = rows[np.isnan(step[rows])]
    if not len(unplaced):
        return []
    first = readings.where(int(unplaced[0]))
    are = "1 row has" if len(unplaced) == 1 else f"{len(unplaced):,} rows have"
    return [
        Repair(
            kind="unreadable row", count=len(unplaced), first=first,
            sentence=f"{are} no step that can be used, and were left out (first: {first})",
        )
    ]  # fmt: skip


def _filled(values: Floats) -> Floats:
    """Carry each value on to the rows below that have none, and the first one up."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return values
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.asarray(values[np.where(last < 0, known[0], last)])


def _first_seen(along: Floats) -> Mask:
    if (np.diff(along) > 0).all():
        return np.ones(len(along), dtype=bool)
    is_first = np.zeros(len(along), dtype=bool)
    is_first[np.unique(along, return_index=True)[1]] = True
    return is_first


def _is_resumed(along: Floats, *, back: Ints, first_seen: Mask) -> bool:
    if len(along) / (len(back) + 1) < MIN_RESUMED_ROWS:
        return False
    # Only steps below the highest one so far could have been seen.
    highest = np.maximum.accumulate(along)
    is_below = np.zeros(len(along), dtype=bool)
    is_below[1:] = along[1:] <= highest[:-1]
    return bool(np.mean(~first_seen[is_below]) >= MIN_SEEN_SHARE)


def _newest_branch(step: Floats, *, rows: Ints, back: Ints) -> tuple[Floats, int]:
    """Drop what was logged before each return at or beyond the step returned to: that branch was given up."""
    bound = np.full(len(step), np.inf)
    bound[back] = step[back]
    # For each row, the lowest step returned to in the rows after it.
    later = np.minimum.accumulate(bound[::-1])[::-1]
    is_superseded = np.append(step[:-1] >= later[1:], [False])
    return np.where(is_superseded, np.nan, step), int(is_superseded[rows].sum())


def _resumed(along: Floats, *, back: Ints, n_superseded: int, unit: StepUnit) -> Repair:
    times = "once" if len(back) == 1 else f"{len(back):,} times"
    first = f"{unit} {place(along[back[0]])}"
    points, were = plural(n_superseded, "point"), "was" if n_superseded == 1 else "were"
    return Repair(
        kind="repeat", count=n_superseded, first=first,
        sentence=f"the run was resumed {times} (first from {first}): {points} before that {were} logged again "
        "or given up, and the last ones count",
    )  # fmt: skip


def _repeats(along: Floats, *, first_seen: Mask, unit: StepUnit) -> list[Repair]:
    of = "an epoch" if unit == "epoch" else f"a {unit}"
    return _told(
        along, ~first_seen, kind="repeat", unit=unit,
        what=f"logged for {of} that was logged before, and the last one of each counts (first: {{}})",
    )  # fmt: skip


def _unsorted(along: Floats, *, first_seen: Mask, unit: StepUnit) -> list[Repair]:
    is_late = first_seen & (along < np.maximum.accumulate(along))
    return _told(
        along, is_late, kind="unsorted", unit=unit,
        what=f"not in order of {unit}s (not sorted; first: {{}}), and all were put in order",
    )  # fmt: skip


def _told(along: Floats, at: Mask, *, kind: RepairKind, unit: StepUnit, what: str) -> list[Repair]:
    places = np.flatnonzero(at)
    if not len(places):
        return []
    first = f"{unit} {place(along[places[0]])}"
    was = "1 point was" if len(places) == 1 else f"{len(places):,} points were"
    return [Repair(kind=kind, count=len(places), first=first, sentence=f"{was} {what.format(first)}")]


def _merged(step: Floats, used: dict[str, Series]) -> tuple[Floats, dict[str, Floats]]:
    """Bring all that was logged for a step into one row; of several values the last counts."""
    pieces = {role: _placed(step, series) for role, series in used.items()}
    points = distinct(np.empty(0))
    for places in (places for role, (places, _) in pieces.items() if role != "epoch"):
        # Most columns are logged at the same steps.
        if not np.array_equal(points, places):
            points = distinct(np.concatenate([points, places]))
    if not len(points):
        raise DataError("no row of the log has both a step and a loss")
    columns: dict[str, Floats] = {}
    for role, (places, values) in pieces.items():
        at = np.minimum(np.searchsorted(points, places), len(points) - 1)
        fits = points[at] == places
        columns[role] = np.full(len(points), np.nan)
        columns[role][at[fits]] = values[fits]
        if role == "loss":
            given = np.zeros(len(points))
            given[at[fits]] = 1.0
            columns["loss given"] = given
    return points, columns


def _placed(step: Floats, series: Series) -> tuple[Floats, Floats]:
    places = step[series.rows]
    has_step = ~np.isnan(places)
    return places[has_step], series.values[has_step]


def _nonfinite(step: Floats, *, given: Floats, loss: Floats, unit: StepUnit) -> tuple[Mask, list[Repair]]:
    is_nonfinite = (given > 0) & ~np.isfinite(loss)
    count = int(is_nonfinite.sum())
    if not count:
        return is_nonfinite, []
    first = f"{unit} {place(step[is_nonfinite][0])}"
    sentence = f"the loss is NaN or infinite at {count:,} of {plural(int(given.sum()), 'point')} (first: {first})"
    return is_nonfinite, [Repair(kind="nan", count=count, first=first, sentence=sentence)]


def _gaps(step: Floats, *, given: Mask, unit: StepUnit) -> list[Repair]:
    logged = step[given]
    if len(logged) < MIN_POINTS_FOR_GAPS:
        return []
    jumps = np.diff(logged)
    usual = float(np.median(jumps))
    # Where jumps vary by nature, as those of games do, the longer ones are usual too.
    long = float(np.quantile(jumps, LONG_SHARE, method="lower"))
    beside = np.maximum(np.append(jumps[1:], 0.0), np.insert(jumps[:-1], 0, 0.0))
    gaps = np.flatnonzero((jumps >= GAP_OF_USUAL * max(usual, long)) & (jumps > GAP_OF_NEIGHBOURS * beside))
    if not len(gaps) or not math.isfinite(usual):
        return []
    at = int(gaps[0])
    first = f"{unit} {place(logged[at])}"
    is_one = "is 1 gap" if len(gaps) == 1 else f"are {len(gaps):,} gaps"
    sentence = (
        f"there {is_one} in the {unit}s (first: nothing between {unit} {place(logged[at])} and "
        f"{place(logged[at + 1])}, where a point every {place(usual)} is usual)"
    )
    return [Repair(kind="gap", count=len(gaps), first=first, sentence=sentence)]
