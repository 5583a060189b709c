"""Which of a printed log's columns are its loss, its held-out loss, its rate: decided once, over the whole file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lrfind.logs.log import Floats
from lrfind.logs.names import STEP_NAMES, first_of_numbered, role_of, words_of
from lrfind.logs.printed.scan import Column, Family, Key, Scan
from lrfind.logs.readings import Ints
from lrfind.logs.wholes import are_parts, sum_note

# A series with half as many points as the longest is as fine as it; the name decides among those.
FINE_SHARE = 0.5
# A loss that is logged less often than this beside another is a remark, not the curve.
MIN_CLASS_SHARE = 0.02
# Fewer points are no curve.
MIN_CURVE = 8
# Distance of a name with a word beside "loss" that makes it another: "kl_loss".
PART_FROM = 3
# What is optimised is called a loss, or by what it is; a distance may be a metric beside it.
CLASSES: tuple[frozenset[str], ...] = (
    frozenset(("loss", "losses")),
    frozenset(("objective", "nll", "crossentropy", "xent", "logloss", "mlogloss", "cost")),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """The values of one name on lines that count alike.

    Attributes
    ----------
    name, role : str
    families : tuple of Family
    lines, values : arrays, shape (n,)
    first : (line, text)
        Where it comes first.
    distance : int
        How far its name is from the plain one.
    """

    name: str
    role: str
    families: tuple[Family, ...]
    lines: Ints
    values: Floats
    first: tuple[int, str]
    distance: int = 0

    @property
    def kinds(self) -> frozenset[str]:
        """What its lines count."""
        return frozenset(kind for kind, _ in self.families[0].counters)

    @property
    def bar(self) -> str:
        """Whether its lines are progress bars."""
        return self.families[0].bar


def groups_of(found: Scan, role: str) -> list[Group]:
    """Return the columns of a role, those that differ in the names of their counters alone as one."""
    gathered: dict[tuple[object, ...], list[tuple[Key, Column]]] = {}
    for key, column in found.columns.items():
        if key.role == role:
            kinds = frozenset(kind for kind, _ in key.family.counters)
            gathered.setdefault((key.name, kinds, key.family.bar), []).append((key, column))
    groups = []
    for members in gathered.values():
        name = members[0][0].name
        lines, values = together([column for _, column in members])
        groups.append(
            Group(
                name=name, role=role, families=tuple(key.family for key, _ in members), lines=lines, values=values,
                first=min(column.first for _, column in members), distance=(role_of(name) or (role, 0))[1],
            )
        )  # fmt: skip
    return groups


def together(columns: Iterable[Column]) -> tuple[Ints, Floats]:
    """Return the lines and values of several columns as one, in order; on one line the last counts."""
    wholes = [column.whole() for column in columns]
    if len(wholes) == 1 and (wholes[0][0][1:] > wholes[0][0][:-1]).all():
        return wholes[0]
    lines, values = (np.concatenate([whole[i] for whole in wholes]) for i in (0, 1))
    order = np.argsort(lines, kind="stable")
    lines, values = lines[order], values[order]
    is_last = np.append(lines[1:] > lines[:-1], [True]) if len(lines) else np.empty(0, dtype=bool)
    return lines[is_last].astype(np.int64), values[is_last]


def loss_of(found: Scan) -> tuple[Group | None, list[Group], list[str]]:
    """Return the training loss, the other losses that were passed over, and why.

    Parameters
    ----------
    found : Scan

    Returns
    -------
    group : Group or None
    others : list of Group
    notes : list of str
    """
    groups = groups_of(found, "loss")
    if not groups:
        held_out = groups_of(found, "val_loss")
        first = first_of_numbered([group.name for group in held_out])
        if first is None:
            return None, [], []
        return (
            next(group for group in held_out if group.name == first),
            [],
            [f"no name says training loss; '{first}', the first of several held-out sets, was taken for it"],
        )
    if (whole := whole_of(groups)) is not None:
        return whole, [], [sum_note(whole.name)]
    ranked = ranked_losses(groups, moving=_moving(found))
    chosen, others = ranked[0], ranked[1:]
    return chosen, others, _reasons(chosen, others)


def _moving(found: Scan) -> set[Family]:
    """Return the families with a step that changes."""
    moving = set()
    for key, column in found.columns.items():
        if key.role == "step" and any((values != column.values[0][0]).any() for values in column.values):
            moving.add(key.family)
    return moving


def ranked_losses(groups: Sequence[Group], *, moving: Collection[Family]) -> list[Group]:
    """Return losses, the likeliest first: called a loss, as fine as any, then by name, counters, number and order."""
    most = max(len(group.lines) for group in groups)
    called = min(_class(group) for group in groups if len(group.lines) >= max(MIN_CLASS_SHARE * most, 1))
    alike = [group for group in groups if _class(group) <= called]
    # A part of the loss is logged finer than the loss here and there; it is not what is looked for.
    whole = [group for group in alike if group.distance < PART_FROM and len(group.lines) >= MIN_CURVE] or alike
    finest = max(len(group.lines) for group in whole)

    def rank(group: Group) -> tuple[bool, bool, bool, int, bool, int, int]:
        return (
            _class(group) > called, group not in whole, len(group.lines) < FINE_SHARE * finest, group.distance,
            not any(family in moving for family in group.families), -len(group.lines), group.first[0],
        )  # fmt: skip

    return sorted(groups, key=rank)


def _class(group: Group) -> int:
    words = set(words_of(group.name))
    return next((i for i, names in enumerate(CLASSES) if words & names), len(CLASSES))


def _reasons(chosen: Group, others: Sequence[Group]) -> list[str]:
    if not others:
        return []
    coarser = [group for group in others if len(group.lines) < FINE_SHARE * len(chosen.lines)]
    beside = [group for group in others if group not in coarser and group.name != chosen.name]
    notes = []
    if beside:
        names = list(dict.fromkeys(group.name for group in beside))
        shown = ", ".join(f"'{name}'" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004
        notes.append(f"training loss: '{chosen.name}' was used; also there: {shown}")
    if coarser:
        group = max(coarser, key=lambda each: len(each.lines))
        notes.append(
            f"training loss: the {len(chosen.lines):,} values of '{chosen.name}' were used, not the "
            f"{len(group.lines):,} of '{group.name}' (line {group.first[0]}), which are fewer"
        )
    return notes


def whole_of(groups: Sequence[Group]) -> Group | None:
    """Return the sum of losses that are the parts of one that was not printed."""
    lines = groups[0].lines
    if not are_parts([group.name for group in groups]):
        return None
    if any(not np.array_equal(group.lines, lines) for group in groups):
        return None
    return Group(
        name=" + ".join(group.name for group in groups), role=groups[0].role, families=groups[0].families, lines=lines,
        values=np.sum([group.values for group in groups], axis=0), first=groups[0].first,
    )  # fmt: skip


def step_rank(name: str) -> int:
    """Return how telling the name of a counter of steps is; the smaller the more."""
    joined = "".join(words_of(name))
    return STEP_NAMES.index(joined) if joined in STEP_NAMES else len(STEP_NAMES)
