"""From the lines of a printed log to the readings of one run: `assembled(found)`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from lrfind.logs.log import Floats, Passed
from lrfind.logs.names import role_of
from lrfind.logs.optimizer import Told
from lrfind.logs.printed.choose import Group, groups_of, loss_of, together, whole_of
from lrfind.logs.printed.join import MIN_COVERED, beside, carried, changes, falls, on_same_lines, row_above
from lrfind.logs.printed.place import Places, places_of
from lrfind.logs.printed.scan import Key, Scan
from lrfind.logs.readings import Ints, Readings, Series
from lrfind.text import listed

# Held-out lines whose counter goes back more often than once in ten blocks of them count something of their own.
MAX_FALLS_SHARE = 0.1
# Names shown of those that were not used.
MOST_NAMES = 4


@dataclass(slots=True)
class _Made:
    """Series under their columns' names, roles, and what there is to say."""

    series: dict[str, Series] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)

    def add(self, role: str, name: str, *, rows: Ints, values: Floats) -> None:
        name = name if name not in self.series else f"{name} ({role})"
        if role in ("step", "epoch") and np.isnan(values).any():
            known = ~np.isnan(values)
            rows, values = rows[known], values[known]
        self.series[name] = Series(rows=rows, values=values)
        self.roles[role] = name


def assembled(found: Scan, *, optimizer: Told | None) -> Readings | None:
    """Return the readings of a printed log, or None where no line tells of a training loss.

    Parameters
    ----------
    found : Scan
    optimizer : Told or None

    Returns
    -------
    Readings or None
    """
    loss, others, notes = loss_of(found)
    if loss is None:
        return None
    made = _Made(notes=notes)
    loss, places = _settled(found, loss, made=made)
    held_out = _held_out(found, loss)
    lines = loss.lines
    val_lines = np.empty(0, dtype=np.int64)
    if held_out is not None:
        held_out, val_position = _val_places(found, held_out, loss=loss, places=places)
        if val_position is not None:
            val_lines = np.setdiff1d(held_out.lines, lines)
    every = np.union1d(lines, val_lines).astype(np.int64) if len(val_lines) else lines
    rows = np.searchsorted(every, lines) if len(val_lines) else np.arange(len(lines))
    made.add("loss", loss.name, rows=rows, values=loss.values)
    if held_out is not None:
        _add_val(made, held_out, own=val_position, every=every, loss=loss, places=places, rows=rows)
    else:
        _add_places(made, places, rows=rows)
    for role in ("lr", "grad_norm"):
        _add_beside(found, made, role=role, loss=loss, rows=rows)
    _pass_over(found, made, others=others, loss=loss, places=places)
    has_steps = "step" in made.roles
    return Readings(
        format="text", series=made.series, n_rows=len(every), places=every, roles=made.roles,
        step_unit=None if has_steps or "epoch" not in made.roles else "epoch", optimizer=optimizer,
        notes=(*made.notes, *places.notes), passed=tuple(made.passed),
        names=tuple(group.name for group in others),
    )  # fmt: skip


def _kept(group: Group, keep: npt.NDArray[np.bool_]) -> Group:
    return replace(group, lines=group.lines[keep], values=group.values[keep])


def _settled(found: Scan, loss: Group, *, made: _Made) -> tuple[Group, Places]:
    """Return the loss with each point once, and where its points stand."""
    places = places_of(found, loss)
    if loss.bar == "mean":
        keep, what = _last_of_means(found, loss, places=places), "means so far, of which the last of an epoch counts"
    elif loss.bar:
        keep, what = _last_drawn(loss, places), "a bar drawn again"
    else:
        keep, what = ~_is_repeated(loss, places), "the same line again"
    if keep.all():
        return loss, places
    made.passed.append(Passed(count=int((~keep).sum()), why=what, first=f"line {loss.first[0]}", text=loss.first[1]))
    loss = _kept(loss, keep)
    return loss, places_of(found, loss)


def _last_drawn(loss: Group, places: Places) -> npt.NDArray[np.bool_]:
    """Return which updates of a bar are the last at their step."""
    step = places.raw_step if places.raw_step is not None else places.step
    if step is None:
        return np.ones(len(loss.lines), dtype=bool)
    epoch = np.zeros(len(step)) if places.epoch is None else np.nan_to_num(places.epoch, nan=-1)
    is_same = (np.diff(step) == 0) & (np.diff(epoch) == 0)
    keep = np.append(~is_same, [True])
    if places.total and (step == 0).any():
        # A bar that shows a loss before it counts it shows the last of an epoch once more, when it is full.
        keep[1:] &= ~((step[1:] == places.total) & (np.diff(loss.values) == 0) & (np.diff(epoch) == 0))
    return keep


def _is_repeated(loss: Group, places: Places) -> npt.NDArray[np.bool_]:
    """Return which rows say what the row above says, as where two loggers print each line."""
    step = places.raw_step if places.raw_step is not None else places.step
    if step is None:
        return np.zeros(len(loss.lines), dtype=bool)
    epoch = np.zeros(len(step)) if places.epoch is None else np.nan_to_num(places.epoch, nan=-1)
    return np.append([False], (np.diff(step) == 0) & (np.diff(epoch) == 0) & (np.diff(loss.values) == 0))


def _last_of_means(found: Scan, loss: Group, *, places: Places) -> npt.NDArray[np.bool_]:
    """Return which updates of a bar of running means are the last of their epoch."""
    n = len(loss.lines)
    epoch = np.zeros(n) if places.epoch is None else np.nan_to_num(places.epoch, nan=-1)
    ends = np.diff(epoch) != 0
    columns = [
        column for key, column in found.columns.items() if key.family in loss.families and key.role == "progress"
    ]
    if columns:
        progress = on_same_lines(loss.lines, together(columns))
        ends = ends | (np.diff(progress) < 0)
    return np.append(ends, [True])


# --- The held-out loss ---


def _held_out(found: Scan, loss: Group) -> Group | None:
    groups = [
        group for group in groups_of(found, "val_loss")
        if not (group.name == loss.name and set(group.families) & set(loss.families))
    ]  # fmt: skip
    if not groups:
        return None
    if (whole := whole_of(groups)) is not None:
        return whole
    best = min(groups, key=lambda group: (group.distance, -len(group.lines), group.first[0]))
    # Lines that count alike or not, the same loss is meant.
    same = [group for group in groups if group.name == best.name and group.bar == best.bar]
    best = max(same, key=lambda group: len(group.lines))
    means = [
        column for key, column in found.columns.items()
        if key.family in best.families and key.role == "mean" and key.name == f"val_loss: {best.name}"
    ]  # fmt: skip
    if means:
        # Over the whole held-out part, not over its last batch.
        lines, values = together(means)
        best = replace(best, lines=lines, values=values)
    if best.bar:
        best = _kept(best, changes(best.values) | np.isin(best.lines, loss.lines) & (best.bar == "mean"))
    return best


def _val_places(found: Scan, group: Group, *, loss: Group, places: Places) -> tuple[Group, Places | None]:
    """Return where held-out lines stand by their own counters, or None where those count something else."""
    is_beside = np.isin(group.lines, loss.lines).all()
    if is_beside or places.position is None or group.kinds != loss.kinds:
        return group, None
    own = places_of(found, group, is_own=True)
    if own.position is None or (own.step is None) != (places.step is None):
        return group, None
    if own.total and places.total and own.total != places.total:
        return group, None
    if places.period and own.epoch is not None and own.raw_step is not None and places.epoch is not None:
        own.step = own.raw_step + (np.floor(own.epoch) - np.nanmin(np.floor(places.epoch))) * places.period
    position = own.step if own.step is not None else own.epoch
    lines = np.concatenate([loss.lines, group.lines])
    mixed = np.concatenate([places.position, position])[np.argsort(lines, kind="stable")]
    n_blocks = len(np.unique(np.searchsorted(loss.lines, group.lines)))
    if falls(mixed) - falls(places.position) > 1 + MAX_FALLS_SHARE * n_blocks:
        return group, None
    return group, own


def _add_val(
    made: _Made, group: Group, *, own: Places | None, every: Ints, loss: Group, places: Places, rows: Ints
) -> None:
    if own is None:
        at = rows[row_above(group.lines, loss.lines)]
        made.add("val_loss", group.name, rows=at, values=group.values)
        _add_places(made, places, rows=rows)
        if not np.isin(group.lines, loss.lines).all():
            apart = group.lines[~np.isin(group.lines, loss.lines)]
            made.passed.append(
                Passed(
                    count=len(apart), why="held-out losses, put at the training row above",
                    first=f"line {group.first[0]}", text=group.first[1],
                )
            )  # fmt: skip
        return
    made.add("val_loss", group.name, rows=np.searchsorted(every, group.lines), values=group.values)
    is_new = ~np.isin(group.lines, loss.lines)
    at = np.concatenate([rows, np.searchsorted(every, group.lines[is_new])])
    order = np.argsort(at, kind="stable")

    def both(ours: Floats | None, theirs: Floats | None) -> Floats | None:
        if ours is None:
            return None
        added = np.full(int(is_new.sum()), np.nan) if theirs is None else theirs[is_new]
        return np.concatenate([ours, added])[order]

    merged = replace(places, epoch=both(places.epoch, own.epoch), step=both(places.step, own.step))
    _add_places(made, merged, rows=at[order])


def _add_places(made: _Made, places: Places, *, rows: Ints) -> None:
    if places.epoch is not None:
        made.add("epoch", places.names.get("epoch") or "the first count", rows=rows, values=places.epoch)
    if places.step is not None:
        made.add("step", places.names.get("step") or "the count", rows=rows, values=places.step)


# --- What stands beside the loss ---


def _add_beside(found: Scan, made: _Made, *, role: str, loss: Group, rows: Ints) -> None:
    """Take the rate, or the norm of the gradient, from the loss's own lines or those around them."""
    best: tuple[float, int, str, Floats] | None = None
    for group in groups_of(found, role):
        values = on_same_lines(loss.lines, (group.lines, group.values))
        share = float((~np.isnan(values)).mean())
        if not share:
            values, share = beside(loss.lines, (group.lines, group.values))
            if share < MIN_COVERED and role == "lr" and len(group.lines) > 1 and not group.families[0].part:
                # A rate that is told when it changes holds until it is told anew.
                values = carried(loss.lines, (group.lines, group.values))
                share = min(float((~np.isnan(values)).mean()), MIN_COVERED)
            elif share < MIN_COVERED:
                continue
        judged = (-round(share, 1), group.distance, group.name, values)
        if best is None or judged[:3] < best[:3]:
            best = judged
    if best is not None and not np.isnan(best[3]).all():
        known = ~np.isnan(best[3])
        made.add(role, best[2], rows=rows[known], values=best[3][known])


# --- What was passed over ---


def _pass_over(found: Scan, made: _Made, *, others: list[Group], loss: Group, places: Places) -> None:
    """Say which lines and columns were not used, and how NaN in them would have been missed."""
    for group in others[:MOST_NAMES]:
        why = f"'{group.name}': another loss" if len(group.lines) >= len(loss.lines) else f"'{group.name}': coarser"
        made.passed.append(Passed(count=len(group.lines), why=why, first=f"line {group.first[0]}", text=group.first[1]))
    broken = [(group, int((~np.isfinite(group.values)).sum())) for group in others]
    broken = [(group, count) for group, count in broken if count]
    if broken:
        group, count = broken[0]
        first = int(group.lines[~np.isfinite(group.values)][0])
        also = f"; so are values of {listed([each.name for each, _ in broken[1:]], most=2)}" if len(broken) > 1 else ""
        made.notes.append(
            f"'{group.name}' is NaN or infinite in {count:,} of {len(group.values):,} lines (first: line {first}){also}"
        )
    for key, column in found.columns.items():
        if key.role == "step" and not key.family.part and _is_unused(found, key, places=places):
            lines, _ = column.whole()
            made.passed.append(
                Passed(
                    count=len(lines), why=f"'{key.name or 'a count'}': not a step of the rows",
                    first=f"line {column.first[0]}", text=column.first[1],
                )
            )  # fmt: skip


def _is_unused(found: Scan, key: Key, *, places: Places) -> bool:
    has_values = any(
        other.family == key.family and role_of(other.name) for other in found.columns if other.role == "loss"
    )
    return not has_values and key.name != places.names.get("step")
