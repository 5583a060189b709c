"""Races made by formula: held-out losses that are parabolas in log10 of the rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from report_fixture import ok_report

from lrfind.race import DECAYS, Leader, Race, Scores
from lrfind.race.judge import fit, margins, rows_at, standard_error, winner
from lrfind.recommend import Evidence, Expected
from lrfind.report import Report
from lrfind.schedule import SCHEDULES, make_schedule

N_FOLDS, N_A_FOLD, N_SEEDS, BASELINE = 5, 24, 2, 0.66
BEST = 0.0042
# How far each schedule's lowest loss lies above that of the best.
OFFSETS = {"warmup_cosine": 0.0, "one_cycle": 0.0005, "cosine": 0.02, "linear": 0.021, "constant": 0.03}
# From these rates on, in steps of a quarter decade from the best, replicas diverge: one of them, then all.
SOME_LOST, ALL_LOST = 4, 5


def scores_of(offsets: dict[str, float], *, steps: range = range(-6, 6)) -> Scores:
    """Return candidates on a parabola, with scatter that all of them share and a little of their own."""
    rng = np.random.default_rng(0)
    entries = [(name, k) for name in offsets for k in (steps if name == "cosine" else range(-2, 3))]
    shared = rng.normal(0, 0.02, (N_SEEDS, N_FOLDS, N_A_FOLD))
    rows, losses = [], []
    for name, k in entries:
        own = rng.normal(0, 0.003, shared.shape)
        by_row = 0.08 + offsets[name] + 0.3 * (0.25 * k) ** 2 + shared + own
        # columns are seed by seed, fold by fold, as in a plan
        by_replica = by_row.mean(2).reshape(-1)
        if k >= ALL_LOST:
            by_row[:], by_replica[:] = 2 * BASELINE, np.nan
        elif k >= SOME_LOST:
            by_row[0, 0], by_replica[0] = 2 * BASELINE, np.nan
        rows.append(by_row.mean(0).reshape(-1))
        losses.append(by_replica)
    return Scores(
        names=tuple(name for name, _ in entries),
        lrs=np.array([BEST * 10 ** (0.25 * k) for _, k in entries]),
        losses=np.array(losses),
        rows=np.array(rows),
        baseline=np.full(N_FOLDS * N_A_FOLD, BASELINE),
    )


def leader(label: str, schedule: str, lr: float, *, end: float, cost: float) -> Leader:
    """Return a run whose loss falls exponentially to `end`."""
    steps = np.arange(13, 391, 13)
    losses = end + (BASELINE - end) * np.exp(-steps / 60)
    return Leader(
        label=label,
        schedule=make_schedule(schedule, peak_lr=lr, n_steps=390),
        steps=steps,
        losses=losses,
        cost=cost,
        cost_se=0.004,
    )


def race_of(scores: Scores) -> Race:
    """Return what the judge makes of these scores, with leaders made up."""
    table = margins(scores)
    best = winner(table)
    names = [name for name in DECAYS if name in scores.names] if best.schedule in DECAYS else [best.schedule]
    rows = rows_at(scores, best.schedule, best.lr)
    leaders = [leader("advised", best.schedule, best.lr, end=best.loss, cost=0.0)]
    if best.schedule != "constant" and "constant" in scores.names:
        leaders.append(leader("best constant", "constant", BEST / 2, end=best.loss + 0.03, cost=0.05))
    leaders.append(leader("default 0.001", "constant", 1e-3, end=best.loss + 0.024, cost=0.041))
    leaders.append(leader("default 0.01", "constant", 1e-2, end=best.loss + 0.001, cost=0.002))
    return Race(
        scores=scores,
        fit=fit(scores, names),
        margins=table,
        winner=best,
        leaders=tuple(leaders),
        loss=float(rows.mean()),
        loss_se=standard_error(rows),
        gain=float((scores.baseline - rows).mean()),
        gain_se=standard_error(scores.baseline - rows),
        n_steps=390,
        n_folds=N_FOLDS,
        n_held_out=N_FOLDS * N_A_FOLD,
        replicas=tuple((seed, fold) for seed in range(N_SEEDS) for fold in range(N_FOLDS)),
    )


def with_race(report: Report, race: Race) -> Report:
    """Return the report as a race would have made it."""
    best, advice = race.winner, report.recommendation
    evidence = (
        Evidence(name="schedule", text=f"{best.schedule} beats constant by 0.03 ± 0.002; one_cycle is within noise."),
        Evidence(name="range test", text="The loss falls from 0.69 by 0.66, lowest at 0.03.", lr=0.03),
        Evidence(name="race", text="12 rates and 5 schedules raced, 10 runs each.", lr=best.lr),
        Evidence(name="defaults", text="0.001 would give up 4% of the gain, 0.01 would give up 0% of the gain."),
    )
    return replace(
        report,
        race=race,
        recommendation=replace(
            advice,
            lr=best.lr,
            lr_low=race.fit.low,
            lr_high=race.fit.high,
            schedule=make_schedule(best.schedule, peak_lr=best.lr, n_steps=advice.train_steps),
            expected=Expected(val_loss=race.loss, val_loss_se=race.loss_se, baseline_loss=race.baseline_loss),
            evidence=evidence,
        ),
    )


def raced_report() -> Report:
    """Return a run whose race warmup_cosine wins."""
    return with_race(ok_report(), race_of(scores_of(OFFSETS)))


def crowded_report() -> Report:
    """Return a race of every schedule, all nearly alike, which the simplest wins."""
    return with_race(ok_report(), race_of(scores_of(dict.fromkeys(("cosine", *SCHEDULES), 1e-5))))


def lonely_report() -> Report:
    """Return a race of one schedule on one fold, in which every default diverges."""
    race = race_of(scores_of({"cosine": 0.0}))
    nothing = np.full(race.leaders[0].losses.shape, np.nan)
    leaders = (race.leaders[0], *(replace(lost, losses=nothing, cost=1.0) for lost in race.leaders[1:]))
    replicas = tuple((seed, 0) for seed in range(race.n_replicas))
    return with_race(ok_report(), replace(race, n_folds=1, leaders=leaders, replicas=replicas))


def lost_report() -> Report:
    """Return a race in which every replica diverged."""
    race = raced_report().race
    assert race is not None
    scores = replace(
        race.scores,
        losses=np.full_like(race.scores.losses, np.nan),
        rows=np.full_like(race.scores.rows, 2 * BASELINE),
    )
    return with_race(ok_report(), race_of(scores))


RACES = {"raced": raced_report, "crowded": crowded_report, "lonely": lonely_report, "lost": lost_report}
