"""What of a race is worth drawing, and in which window; shared by the figures and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lrfind.report import words
from lrfind.report.curves import Floats, Window, every_kth
from lrfind.report.race import words as race_words

if TYPE_CHECKING:
    from lrfind.race import Race

# Lines a reader can follow: the advised schedule, the simplest, and the best of the others.
MOST_RIVALS = 3
# A loss that falls by more than this factor is drawn on a logarithmic axis, where its lower end can be read.
LOG_FROM = 4.0
# Shares of the window left free: above the level of knowing nothing for its name and for crosses, below the lowest.
HEADROOM, FOOTROOM = 0.16, 0.1
# Height, as a share of the level, of a window in which nothing was gained.
FLAT_SHARE = 0.1
# Where the fitted curve is capped it says nothing more: it is drawn while within this share of the gain.
FIT_SHOWN = 0.08
MAX_FIT_POINTS = 120
# Room beside the lowest and the highest rate raced, in decades.
BESIDE = 0.12
# Decades beyond the end of the shortest line within which longer lines are named, so that all names are in one place.
LABEL_REACH = 0.3
# Height of a window in which nothing happens at all.
TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RaceLine:
    """One schedule's held-out loss against its peak rate.

    Attributes
    ----------
    name : str
    role : {"advised", "simplest", "rival", "other"}
        Others are drawn faint and not named.
    lrs, losses, errors : (n_rates,) ndarray
        Mean held-out loss and its standard error; NaN where every replica diverged.
    """

    name: str
    role: str
    lrs: Floats
    losses: Floats
    errors: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RaceView:
    """A race as it is drawn.

    Attributes
    ----------
    window : Window
    log_y : bool
    lines : tuple of RaceLine
        The faint ones first, the advised last, so that it lies on top.
    lost : (n_lost,) ndarray
        Rates at which a replica diverged.
    fit_lrs, fit_losses : (n_points,) ndarray
        The fitted curve near its lowest point, at the height of the advised schedule.
    level : float
        Loss of knowing nothing.
    """

    window: Window
    log_y: bool
    lines: tuple[RaceLine, ...]
    lost: Floats
    fit_lrs: Floats
    fit_losses: Floats
    level: float

    def end(self, line: RaceLine) -> int | None:
        """Return which of a line's points its name is beside: the last in sight, not far from where others end."""
        right = min(float(other.lrs[-1]) for other in self.lines) * 10**LABEL_REACH
        inside = np.flatnonzero((line.losses < self.window.y_high) & (line.lrs <= right))
        return int(inside[-1]) if inside.size else None


def race_view(race: Race) -> RaceView:
    """Return what to draw of a race.

    Parameters
    ----------
    race : Race

    Returns
    -------
    RaceView
    """
    roles = _roles(race)
    lines = sorted((_line(race, name, role=role) for name, role in roles.items()), key=lambda line: DEPTHS[line.role])
    lrs, gain = race.scores.lrs, race.baseline_loss - race.winner.loss
    shown = race.fit.losses <= race.fit.losses.min() + FIT_SHOWN * max(gain, 0.0)
    # The curve was drawn for the decaying schedules; another's lies as far off as its rate and its loss do.
    fit_lrs = race.fit.lrs[shown] * race.winner.lr / race.fit.best
    lowest = float(np.interp(np.log(race.fit.best), np.log(race.fit.lrs), race.fit.losses))
    fit_losses = race.fit.losses[shown] + race.winner.loss - lowest
    keep = every_kth(fit_lrs.size, most=MAX_FIT_POINTS)
    advised = lines[-1]
    low, high, log_y = loss_range(
        [advised.losses - advised.errors, *(line.losses for line in lines)], level=race.baseline_loss
    )
    return RaceView(
        window=Window(
            x_low=float(lrs.min()) / 10**BESIDE, x_high=float(lrs.max()) * 10**BESIDE, y_low=low, y_high=high
        ),
        log_y=log_y,
        lines=tuple(lines),
        lost=np.unique(lrs[~np.isfinite(race.scores.losses).all(axis=1)]),
        fit_lrs=fit_lrs[keep],
        fit_losses=fit_losses[keep],
        level=race.baseline_loss,
    )


DEPTHS = {"other": 0, "rival": 1, "simplest": 2, "advised": 3}


def _roles(race: Race) -> dict[str, str]:
    roles = {race.winner.schedule: "advised"}
    roles.setdefault(race_words.simplest(race).schedule, "simplest")
    for margin in race.margins:
        n_rivals = sum(role == "rival" for role in roles.values())
        roles.setdefault(margin.schedule, "rival" if n_rivals < MOST_RIVALS else "other")
    return roles


def _line(race: Race, name: str, *, role: str) -> RaceLine:
    scores = race.scores
    own = scores.of([name])
    finished = np.isfinite(scores.losses[own]).any(axis=1)
    rows = scores.rows[own]
    errors = rows.std(axis=1, ddof=1) / np.sqrt(rows.shape[1]) if rows.shape[1] > 1 else np.zeros(len(own))
    return RaceLine(
        name=name,
        role=role,
        lrs=scores.lrs[own],
        losses=np.where(finished, rows.mean(axis=1), np.nan),
        errors=np.where(finished, errors, np.nan),
    )


def loss_range(curves: Sequence[Floats], *, level: float) -> tuple[float, float, bool]:
    """Return the lowest and highest loss to draw, and whether on a logarithmic axis.

    What lies above the level of knowing nothing leaves the picture: how far above does not matter.

    Parameters
    ----------
    curves : sequence of ndarray
    level : float
        Loss of knowing nothing.

    Returns
    -------
    low, high : float
    log_y : bool
    """
    every = np.concatenate([np.ravel(curve) for curve in curves])
    # An error may reach below nothing; no loss does.
    floor = max(float(np.min(every[np.isfinite(every)], initial=level)), 0.0)
    if level - floor <= FLAT_SHARE * abs(level) / 2:
        # Nothing was gained: a flat picture, not a magnified one.
        half = max(FLAT_SHARE * abs(level), TINY)
        return level - half, level + half, False
    if floor > 0 and level > LOG_FROM * floor:
        ratio = level / floor
        return floor / ratio**FOOTROOM, level * ratio**HEADROOM, True
    span = level - floor
    return floor - FOOTROOM * span, level + HEADROOM * span, False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WatchedLine:
    """One run's held-out loss over its steps.

    Attributes
    ----------
    label : str
    role : {"advised", "simplest", "default"}
    steps : (n_checkpoints,) ndarray
    losses : (n_checkpoints,) ndarray
        NaN once it had diverged.
    """

    label: str
    role: str
    steps: Floats
    losses: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearningView:
    """Runs that were watched as they learned, as they are drawn.

    Attributes
    ----------
    window : Window
    log_y : bool
    lines : tuple of WatchedLine
        The advised run last, so that it lies on top.
    level : float
        Loss of knowing nothing.
    sooner : (float, float) or None
        The step at which the advised run is as good as the best constant rate at its end, and that loss.
    sooner_label : str
        How much of the run that takes; empty where it is not known.
    """

    window: Window
    log_y: bool
    lines: tuple[WatchedLine, ...]
    level: float
    sooner: tuple[float, float] | None
    sooner_label: str


def learning_view(race: Race, *, has_answer: bool) -> LearningView:
    """Return what to draw of the runs that were watched.

    Parameters
    ----------
    race : Race
    has_answer : bool
        Whether a rate is advised; else the run with the lowest loss goes by the name of its schedule.

    Returns
    -------
    LearningView
    """
    lines: list[WatchedLine] = []
    for leader in race.leaders:
        role = {"advised": "advised", "best constant": "simplest"}.get(leader.label, "default")
        label = f"{words.name(leader.schedule.name)} {words.rate(leader.schedule.peak_lr)}"
        label = leader.label if role == "advised" and has_answer else label
        # a default may be the best constant rate, which is drawn already
        if label in {line.label for line in lines}:
            continue
        lines.append(WatchedLine(label=label, role=role, steps=leader.steps.astype(np.float64), losses=leader.losses))
    lines.reverse()
    low, high, log_y = loss_range([line.losses for line in lines], level=race.baseline_loss)
    window = Window(x_low=0, x_high=max(float(race.n_steps), 1.0), y_low=low, y_high=high)
    sooner = None
    constant = next((leader for leader in race.leaders if leader.label == "best constant"), None)
    if race.steps_sooner is not None and constant is not None and has_answer and race_words.sooner(race):
        sooner = (race.steps_sooner * float(constant.steps[-1]), float(constant.losses[-1]))
    label = f"as good after {race_words.sooner_share(race)} of the steps" if sooner is not None else ""
    return LearningView(
        window=window, log_y=log_y, lines=tuple(lines), level=race.baseline_loss, sooner=sooner, sooner_label=label
    )


def spread(places: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Return places moved as little as needed to be `gap` apart, in the same order, inside `low` to `high`.

    Parameters
    ----------
    places : sequence of float
    gap, low, high : float
        Where there is no room for all, the gaps shrink.

    Returns
    -------
    list of float
    """
    if not places:
        return []
    gap = min(gap, (high - low) / max(len(places) - 1, 1))
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [min(max(places[i], low), high) for i in order]
    # Neighbours that are too close form a block, which stands where its members would stand on average.
    blocks = [[place - i * gap] for i, place in enumerate(moved)]
    merged: list[list[float]] = []
    for block in blocks:
        merged.append(block)
        while len(merged) > 1 and np.mean(merged[-2]) > np.mean(merged[-1]):
            merged[-2:] = [merged[-2] + merged[-1]]
    free = [float(np.mean(block)) for block in merged for _ in block]
    out = [0.0] * len(places)
    for rank, i in enumerate(order):
        out[i] = min(max(free[rank], low), high - (len(places) - 1) * gap) + rank * gap
    return out
