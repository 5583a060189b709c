"""At which epoch and step the lines of a printed log stand: `Places`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lrfind.logs.log import Floats
from lrfind.logs.names import CounterRole
from lrfind.logs.printed.choose import Group, step_rank, together
from lrfind.logs.printed.join import MIN_COVERED, beside, carried, on_same_lines
from lrfind.logs.printed.scan import Column, Key, Scan
from lrfind.logs.readings import Ints
from lrfind.logs.steps import MIN_WRAP_SHARE, unwrapped
from lrfind.text import place

# Bars without epochs start anew in each; one return alone may be another run.
MIN_RETURNS = 2


@dataclass(slots=True, kw_only=True)
class Places:
    """Where the points of a group stand.

    Attributes
    ----------
    epoch, step : array, shape (n,), or None
        NaN where unknown; steps count on through the epochs.
    raw_step : array, shape (n,), or None
        As printed.
    period : float
        Steps of an epoch, where they start anew in each; else 0.
    total : float
        What the steps are counted up to in the log; 0 where it does not say.
    names : dict
        The counters' names.
    notes : list of str
    """

    epoch: Floats | None = None
    step: Floats | None = None
    raw_step: Floats | None = None
    period: float = 0.0
    total: float = 0.0
    names: dict[CounterRole, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def position(self) -> Floats | None:
        """What orders the points."""
        return self.step if self.step is not None else self.epoch


def places_of(found: Scan, group: Group, *, is_own: bool = False) -> Places:
    """Return where the lines of a group stand.

    Parameters
    ----------
    found : Scan
    group : Group
    is_own : bool
        Whether only the counters on the lines themselves are looked at.

    Returns
    -------
    Places
    """
    places = Places()
    lines = group.lines
    _own(found, group, places=places)
    if not is_own:
        if places.epoch is None:
            _epoch_above(found, group, places=places)
        if places.step is None and not _is_rising(places.epoch):
            _step_beside(found, group, places=places)
    if places.step is not None:
        _count_on(places, rows=np.arange(len(lines)))
    return places


def _columns(found: Scan, group: Group, *, kind: str) -> dict[str, list[Column]]:
    """Return the counters of a kind that stand on a group's lines, by name."""
    columns: dict[str, list[Column]] = {}
    for key, column in found.columns.items():
        if key.family in group.families and key.role == kind:
            columns.setdefault(key.name, []).append(column)
    return columns


def _own(found: Scan, group: Group, *, places: Places) -> None:
    epochs = _columns(found, group, kind="epoch")
    for name, columns in epochs.items():
        values = on_same_lines(group.lines, together(columns))
        if places.epoch is None or _distinct(values) > _distinct(places.epoch):
            places.epoch, places.names["epoch"] = values, name
    best: tuple[int, int] | None = None
    others: dict[str, Floats] = {}
    for name, columns in _columns(found, group, kind="step").items():
        others[name] = values = on_same_lines(group.lines, together(columns))
        # What never changes does not count: "batch 64", and the last line of each epoch's bar.
        if _distinct(values) < 2 and len(values) > 1:  # noqa: PLR2004
            continue
        judged = (-_distinct_pairs(places.epoch, values), step_rank(name))
        if best is None or judged < best:
            best, places.step, places.names["step"] = judged, values, name
            places.total = _total(found, group, name=name)
    _coarser(others, places=places)


def _coarser(others: Mapping[str, Floats], *, places: Places) -> None:
    """Take another counter of steps for the epoch, where the step starts anew each time it rises."""
    step = places.step
    if places.epoch is not None or step is None:
        return
    back = np.diff(step) < 0
    for name, values in others.items():
        rises = np.diff(values)
        if name == places.names["step"] or not back.any():
            continue
        # But where a run is resumed.
        if (rises[back] > 0).mean() >= MIN_WRAP_SHARE and (rises[~back] == 0).mean() >= MIN_WRAP_SHARE:
            places.epoch, places.names["epoch"] = values, name


def _total(found: Scan, group: Group, *, name: str) -> float:
    columns = _columns(found, group, kind="total").get(f"total of {name}", [])
    if not columns:
        return 0.0
    _, totals = together(columns)
    return float(totals[0]) if (totals == totals[0]).all() else 0.0


def _distinct(values: Floats) -> int:
    return len(np.unique(values[~np.isnan(values)]))


def _distinct_pairs(epoch: Floats | None, step: Floats) -> int:
    if epoch is None:
        return _distinct(step)
    has = ~np.isnan(step)
    epochs = np.nan_to_num(epoch[has], nan=-1)
    return int(((np.diff(step[has]) != 0) | (np.diff(epochs) != 0)).sum()) + 1


def _is_rising(epoch: Floats | None) -> bool:
    """Whether each point has an epoch, or a part of one, of its own."""
    return epoch is not None and not np.isnan(epoch).any() and bool((np.diff(epoch) != 0).all())


def _epoch_above(found: Scan, group: Group, *, places: Places) -> None:
    """Take the epoch of the lines above: of those that name the most."""
    best: tuple[int, Key, Column] | None = None
    for key, column in found.columns.items():
        if key.role != "epoch" or key.family.part or key.family in group.families:
            continue
        count = _distinct(column.whole()[1])
        if count > 1 and (best is None or count > best[0]):
            best = (count, key, column)
    if best is not None:
        places.epoch = _above_or_below(group.lines, best[2].whole())
        places.names["epoch"] = best[1].name


def _above_or_below(lines: Ints, named: tuple[Ints, Floats]) -> Floats:
    """Return the epoch that is named above each line, or below it where only the end of each epoch is told."""
    at, values = named
    if lines[0] < at[0] and lines[-1] < at[-1]:
        return values[np.searchsorted(at, lines, side="left")]
    return carried(lines, named)


def _step_beside(found: Scan, group: Group, *, places: Places) -> None:
    """Take the step from lines of its own, where nearly each point has one: a table's, or a bar's above a record."""
    best: tuple[int, int] | None = None
    for key in found.columns:
        if key.role != "step" or key.family.part or key.family in group.families:
            continue
        for lines, values, total in _by_total(found, key):
            steps, _ = beside(group.lines, (lines, values))
            has = ~np.isnan(steps)
            if has.mean() < MIN_COVERED or _distinct_pairs(places.epoch, steps) < MIN_COVERED * has.sum():
                continue
            judged = (step_rank(key.name), -int(has.sum()))
            if best is None or judged < best:
                best, places.step, places.names["step"], places.total = judged, steps, key.name, total


def _by_total(found: Scan, key: Key) -> list[tuple[Ints, Floats, float]]:
    """Return the counts of bars apart by what they count up to: training's from those of evaluations between."""
    lines, values = found.columns[key].whole()
    totals = found.columns.get(Key(key.family, "total", f"total of {key.name}"))
    if totals is None:
        return [(lines, values, 0.0)]
    of_line = on_same_lines(lines, totals.whole())
    return [
        (lines[of_line == total], values[of_line == total], float(total))
        for total in np.unique(of_line[~np.isnan(of_line)])[-4:]
    ]


def _with_full_epochs(step: Floats, *, epoch: Floats, total: float) -> Floats:
    """Return steps whose epoch ends at its total, where some count modulo that, and end at 0."""
    is_end = np.append(np.diff(epoch) != 0, [True])
    is_within = np.append([False], (np.diff(epoch) == 0) & (step[:-1] > 0))
    return np.where((step == 0) & is_end & is_within, total, step)


def _count_on(places: Places, *, rows: Ints) -> None:
    """Let steps that start anew in each epoch count on."""
    step = places.step
    if step is None:
        return
    if places.epoch is not None and places.total:
        step = _with_full_epochs(step, epoch=places.epoch, total=places.total)
        places.step = step
    places.raw_step = step
    along = step[~np.isnan(step)]
    back = np.flatnonzero(np.diff(along) < 0)
    if not len(back):
        return
    epoch = places.epoch
    is_unknown = epoch is None or bool(np.isnan(epoch[~np.isnan(step)][:1]).any())
    if is_unknown and places.total and len(back) >= MIN_RETURNS:
        # Counted up to the same number again and again: an epoch each time.
        epoch = np.cumsum(np.append([0.0], np.nan_to_num(np.diff(step), nan=0.0) < 0))
        places.epoch = epoch
        places.names["epoch"] = ""
    if epoch is None:
        return
    known = rows[~np.isnan(step) & ~np.isnan(epoch)]
    if not len(known):
        return
    places.step, places.period = unwrapped(step, epoch=np.floor(epoch), rows=known, total=places.total)
    if places.period:
        name = places.names.get("step") or "the count"
        places.notes.append(
            f"'{name}' starts anew in each epoch, so epochs of {place(places.period)} steps were put one after another"
        )
