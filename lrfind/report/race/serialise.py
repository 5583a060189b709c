"""A race as JSON values and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lrfind import schedule as schedules
from lrfind.race import Standing, standings
from lrfind.report.curves import every_kth

if TYPE_CHECKING:
    from lrfind.race import Leader, Margin, Race

RACE_FILE = "race.csv"
# Enough to draw the fitted curve smoothly at any size.
MAX_FIT_POINTS = 200


def race_dict(race: Race) -> dict[str, Any]:
    """Return a race as values for JSON; floats may still be NaN.

    Parameters
    ----------
    race : Race

    Returns
    -------
    dict
        A candidate's ``loss`` counts each replica that diverged as twice the constant guess; null where all did.
        ``above`` is how far it ends above the advised candidate, ``above_se`` the error of that paired difference.
    """
    keep = every_kth(race.fit.lrs.size, most=MAX_FIT_POINTS)
    fit = race.fit
    margins = {margin.schedule: _margin(margin, standings(race.margins)) for margin in race.margins}
    return {
        "n_steps": race.n_steps,
        "n_folds": race.n_folds,
        "n_held_out": race.n_held_out,
        "n_replicas": race.n_replicas,
        "replicas": [{"seed": seed, "fold": fold} for seed, fold in race.replicas],
        "expected_lr": race.expected_lr,
        "baseline_loss": race.baseline_loss,
        "loss": race.loss,
        "loss_se": race.loss_se,
        "gain": race.gain,
        "gain_se": race.gain_se,
        "candidates": _candidates(race),
        "fit": {
            "lrs": fit.lrs[keep], "losses": fit.losses[keep], "best": fit.best,
        },
        "margins": list(margins.values()),
        "winner": margins[race.winner.schedule],
        "leaders": [_leader(leader) for leader in race.leaders],
        "steps_sooner": race.steps_sooner,
        "file": RACE_FILE,
    }  # fmt: skip


def _candidates(race: Race) -> list[dict[str, Any]]:
    scores = race.scores
    means = np.where(np.isfinite(scores.losses).any(axis=1), scores.rows.mean(axis=1), np.nan)
    apart, at = scores.pairs(), scores.find(race.winner.schedule, race.winner.lr)
    above = zip(apart.differences[:, at], apart.errors[:, at], strict=True)
    return [
        {"schedule": name, "lr": lr, "loss": mean, "above": more, "above_se": error, "losses": losses}
        for name, lr, mean, (more, error), losses in zip(
            scores.names, scores.lrs, means, above, scores.losses, strict=True
        )
    ]


def _margin(margin: Margin, standing: Mapping[str, Standing]) -> dict[str, Any]:
    numbers = {name: getattr(margin, name) for name in margin.__slots__}
    return numbers | {"standing": standing[margin.schedule].value}


def _leader(leader: Leader) -> dict[str, Any]:
    return {
        "label": leader.label,
        "schedule": schedules.to_dict(leader.schedule),
        "lr": leader.schedule.peak_lr,
        "cost": leader.cost,
        "cost_se": leader.cost_se,
        "n_lost": leader.n_lost,
        "steps": leader.steps,
        "losses": leader.losses,
    }


def race_csv(race: Race) -> str:
    """Return every candidate's loss as CSV, one column a replica; empty where the replica diverged.

    Parameters
    ----------
    race : Race

    Returns
    -------
    str
        Columns ``schedule``, ``peak_lr``, ``loss_seed_0_fold_0`` and so on.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["schedule", "peak_lr", *(f"loss_seed_{seed}_fold_{fold}" for seed, fold in race.replicas)])
    for name, lr, losses in zip(race.scores.names, race.scores.lrs.tolist(), race.scores.losses.tolist(), strict=True):
        writer.writerow([name, lr, *(loss if np.isfinite(loss) else "" for loss in losses)])
    return text.getvalue()
