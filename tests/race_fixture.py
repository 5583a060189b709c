"""Races made by formula: held-out losses that are parabolas in log10 of the rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from report_fixture import REPORTS, ok_report

from lrfind.race import SIMPLICITY, Fit, Leader, Margin, Race, Scores
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


def standard_error(numbers: np.ndarray) -> float:
    """Return the standard error of a mean."""
    return float(np.std(numbers, ddof=1) / np.sqrt(numbers.size))


def rate_of(name: str) -> float:
    """Return the rate at which a schedule is judged: a constant one at half the others'."""
    return BEST / 2 if name == "constant" else BEST


def margins_of(scores: Scores) -> tuple[Margin, ...]:
    """Return every schedule at the rate next to its own, the lowest loss first."""
    names = sorted(set(scores.names), key=SIMPLICITY.index)
    rows = {}
    for name in names:
        own = scores.of([name])
        rows[name] = scores.rows[own[np.argmin(np.abs(np.log(scores.lrs[own] / rate_of(name))))]]
    best = min(names, key=lambda name: rows[name].mean())
    gain = scores.baseline.mean() - rows[best].mean()
    table = []
    for name in names:
        ahead, behind = rows[names[0]] - rows[name], rows[name] - rows[best]
        table.append(
            Margin(
                schedule=name,
                lr=rate_of(name),
                low=rate_of(name) / 1.5,
                high=rate_of(name) * 1.5,
                loss=float(rows[name].mean()),
                loss_se=standard_error(rows[name]),
                ahead=float(ahead.mean()),
                ahead_se=standard_error(ahead),
                behind=float(behind.mean()),
                behind_se=standard_error(behind),
                expected_behind=float(behind.mean() / gain) if gain > 0 else 0.0,
                unbeaten=name == best,
            )
        )
    return tuple(sorted(table, key=lambda margin: margin.loss))


def fit_of(lowest: float) -> Fit:
    """Return a parabola with its lowest point at the best rate, flat once it is far off."""
    place = np.arange(-1.5, 1.26, 0.02)
    losses = lowest + np.minimum(0.3 * place**2, 0.12)
    return Fit(lrs=BEST * 10**place, losses=losses, best=BEST)


def race_of(scores: Scores) -> Race:
    """Return what these scores show, with leaders made up."""
    table = margins_of(scores)
    best = table[0]
    own = scores.of([best.schedule])
    rows = scores.rows[own[np.argmin(np.abs(np.log(scores.lrs[own] / best.lr)))]]
    leaders = [leader("advised", best.schedule, best.lr, end=best.loss, cost=0.0)]
    if best.schedule != "constant" and "constant" in scores.names:
        leaders.append(leader("best constant", "constant", rate_of("constant"), end=best.loss + 0.03, cost=0.05))
    leaders.append(leader("default 0.001", "constant", 1e-3, end=best.loss + 0.024, cost=0.041))
    leaders.append(leader("default 0.01", "constant", 1e-2, end=best.loss + 0.001, cost=0.002))
    return Race(
        scores=scores,
        expected_lr=BEST / 1.6,
        fit=fit_of(best.loss),
        margins=table,
        winner=best,
        leaders=tuple(leaders),
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
            lr_low=race.winner.low,
            lr_high=race.winner.high,
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


def abstaining_report() -> Report:
    """Return a race after which nothing is advised."""
    report = lost_report()
    return replace(
        report,
        recommendation=replace(
            report.recommendation,
            verdict="no_signal",
            sentence="Nothing to choose a rate by.",
            lr=None,
            lr_low=None,
            lr_high=None,
            schedule=None,
            expected=None,
        ),
    )


RACES = {
    "raced": raced_report,
    "crowded": crowded_report,
    "lonely": lonely_report,
    "lost": lost_report,
    "abstaining": abstaining_report,
}
EVERY = {**REPORTS, **RACES}
