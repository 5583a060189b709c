"""The race and the runs that were watched, as matplotlib axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrfind.report import palette
from lrfind.report.race.curves import learning_view, race_view
from lrfind.report.svg import MOST_LEVELS, log_label, log_levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lrfind.race import Race
    from lrfind.report.race.curves import LearningView, RaceLine, RaceView

# Colour, width and order of each role's line.
ROLES = {
    "other": (palette.SEED, 0.7),
    "rival": (palette.MUTED, 1.1),
    "default": (palette.MUTED, 1.1),
    "simplest": (palette.INK, 1.5),
    "advised": (palette.ACCENT, 2.0),
}
# Dashes tell rivals apart without colour, in the order of their losses.
DASHES = ((0, (5, 3)), (0, (1.5, 2.5)), (0, (6, 2, 1.5, 2)))


def draw_race(axes: Axes, race: Race) -> None:
    """Draw held-out loss against peak rate, a line a schedule, on axes whose rates are laid out already.

    Parameters
    ----------
    axes : Axes
    race : Race
    """
    view = race_view(race)
    level_scale(axes, low=view.window.y_low, high=view.window.y_high, log_y=view.log_y)
    advised = view.lines[-1]
    low = np.maximum(advised.losses - advised.errors, view.window.y_low / 2 if view.log_y else -np.inf)
    axes.fill_between(advised.lrs, low, advised.losses + advised.errors, color=palette.BAND, linewidth=0, alpha=0.5)
    axes.plot(view.fit_lrs, view.fit_losses, color=palette.ACCENT, linewidth=6, alpha=0.24, gid="fit")
    rivals = iter(DASHES)
    for line in view.lines:
        _line(axes, line, dashes=next(rivals) if line.role == "rival" else "-")
    _level(axes, view)
    if view.lost.size:
        axes.plot(view.lost, np.full(view.lost.size, 0.975), "x", transform=axes.get_xaxis_transform(), markersize=5,
                  markeredgewidth=1.2, color=palette.ALARM, gid="lost")  # fmt: skip
    axes.plot([race.expected_lr], [0.012], "^", transform=axes.get_xaxis_transform(), markersize=5, color=palette.MUTED,
              gid="expected")  # fmt: skip


def level_scale(axes: Axes, *, low: float, high: float, log_y: bool) -> None:
    """Give the vertical axis its range, and real numbers where it is logarithmic."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    if log_y:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(FixedLocator(log_levels(low, high, most=MOST_LEVELS)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda level, _: log_label(level)))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(low, high)


def _line(axes: Axes, line: RaceLine, *, dashes: object) -> None:
    colour, width = ROLES[line.role]
    marked = line.role in {"advised", "simplest"}
    axes.plot(line.lrs, line.losses, color=colour, linewidth=width, linestyle=dashes, marker="o" if marked else None,
              markersize=3, gid=f"race-{line.role}")  # fmt: skip


def _level(axes: Axes, view: RaceView | LearningView) -> None:
    axes.axhline(view.level, color=palette.MUTED, linewidth=0.9, linestyle=(0, (1, 2)))


def draw_learning(axes: Axes, race: Race, *, has_answer: bool, steps: str) -> None:
    """Draw the held-out loss of the watched runs over their steps.

    Parameters
    ----------
    axes : Axes
    race : Race
    has_answer : bool
        Whether a rate is advised.
    steps : str
        Name of the horizontal axis.
    """
    view = learning_view(race, has_answer=has_answer)
    axes.set_xlim(0, view.window.x_high)
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    level_scale(axes, low=view.window.y_low, high=view.window.y_high, log_y=view.log_y)
    _level(axes, view)
    defaults = iter(("-", *DASHES))
    for line in view.lines:
        colour, width = ROLES[line.role]
        dashes = next(defaults) if line.role == "default" else "-"
        axes.plot(line.steps, line.losses, color=colour, linewidth=width, linestyle=dashes, gid=f"learning-{line.role}")
    if view.sooner is not None:
        step, loss = view.sooner
        axes.plot([step, step, view.window.x_high], [view.window.y_low, loss, loss], color=palette.INK, linewidth=0.9,
                  linestyle=(0, (1, 2)))  # fmt: skip
        axes.plot([step], [loss], "o", markersize=5, markerfacecolor=palette.PAPER, markeredgecolor=palette.INK)
    axes.annotate(steps, (1, 0), xycoords="axes fraction", xytext=(0, -24), textcoords="offset points", ha="right",
                  va="top", color=palette.MUTED)  # fmt: skip
