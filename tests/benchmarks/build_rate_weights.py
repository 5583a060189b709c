"""Fit the weights that `lrfind diagnose` judges a rate by to the runs of a pool, and write them as a table.

    make rate-weights [POOL=folder]
    python tests/benchmarks/build_rate_weights.py FOLDER [--out FILE]

FOLDER holds bases trained by `training_pool.py`. A rate is at fault from a factor of three, where it cost a tenth of
what could be learned; it is sound within a factor of 3.5 where it cost a fortieth at most; runs between are left out.
All bases weigh the same. What is printed was measured with whole kinds of data kept out of the fit.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faulty_truth import COSTS_FROM, HEALTHY_TO
from pool_logs import log_of, read_pool
from sklearn.linear_model import LogisticRegression, QuantileRegressor
from sklearn.model_selection import GroupKFold

from lrfind.checks.training_log import read_signals
from lrfind.checks.training_log.judgement import (
    CONSTANT,
    EARLY_TO,
    HIGHEST,
    LATE_FROM,
    LOWEST,
    OF_VAL,
    TABLE,
    UNRATED,
    VALIDATED,
)
from lrfind.checks.training_log.traits import read_traits

# Decades from the best rate: least and most of a fault, most of a sound run, most below it where a decay matters.
FAULT_FROM, FAULT_TO, SOUND_TO, BELOW_TO = 0.45, 2.15, 0.55, 0.1
# A base that learns less than this share of what it does not know shows no rates.
LEAST_GAIN = 0.2
# Schedules that are faults of their own.
EARLY, LATE = {"at_twenty", "at_ten", "at_a_seventh"}, {"at_the_end", "last_moment"}
LOGS_A_RUN, FOLDS = 2, 8
# Fewer points than these are no log to learn from.
FEWEST_POINTS = 5
# Strength of the penalties, on traits of variance 1: of 1, 10 and 50, 10 did best on kinds of data kept out.
PENALTY = 10.0
# The same for medians, per row, and the chance from which a run is found: factors are fitted to those that are.
MEDIAN_PENALTY, LIKELY = 0.003, 0.5
# Decades that count as a hit.
HIT = np.log10(3.0)

# Chosen one by one, as long as the fit to kinds of data and of nets that were kept out gained.
CHANCES = {
    "high": (
        "rate", "peak", "still_falling", "spikes", "down", "first_share", "climb", "rise", "first_fall", "brief_rise",
        "shock", "own_noise",
    ),
    "low": (
        "rate", "down", "still_falling", "spikes", "half_share", "climb", "length", "rise", "brief_rise", "first_fall",
        "first_share", "later_fall",
    ),
    "early": ("log_rate", "held", "decay_drop", "most_after", "middle_pace", "middle_fall", "late_share", "down"),
    "late": (
        "log_rate", "climb", "fallen", "still_falling", "peak", "down", "middle_pace", "shock", "first_fall",
    ),
}  # fmt: skip
VAL_TRAITS = ("val_rough", "val_rises", "val_lowest", "val_late", "val_gap")
FACTORS = ("log_rate", "rate", "tenth_after", "length", "down")
# Traits of the rate, which logs without it do not show; decays are judged with it alone.
RATED = {"rate", "log_rate", "held", "decayed_at", "decay_drop"}
NEEDS_RATE = {"early", "late"}
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Weights of traits, and the prediction for each row with its base kept out."""

    weights: dict[str, float]
    held_out: np.ndarray


def rows_of(folder: Path) -> list[Row]:
    """Return what is known of each log of the pool."""
    rows: list[Row] = []
    for base in read_pool(folder):
        if not base.is_inside or base.gain < LEAST_GAIN:
            continue
        for run in range(len(base)):
            decades = float(np.log10(base.about["lr_best"] / base.arrays["lr"][run]))
            if abs(decades) > FAULT_TO:
                continue
            for seed in range(LOGS_A_RUN):
                log = log_of(base, run, seed=seed)
                signals, bare = read_signals(log), read_signals(log_of(base, run, seed=seed, with_lr=False))
                if signals is None or bare is None or signals.n_points < FEWEST_POINTS:
                    continue
                regret, val_regret = float(base.regret[run]), float(base.val_regret[run])
                rows.append({
                    "base": base.name, "kind": base.about["data"].split("-")[0], "decades": decades, "regret": regret,
                    "worst": max(regret, val_regret), "traits": read_traits(signals), "bare": read_traits(bare),
                    "broken": bool(len(log.nonfinite_steps)), "schedule": str(base.arrays["schedule"][run]),
                })  # fmt: skip
        print(base.name, len(rows), file=sys.stderr)
    return rows


def fit(rows: list[Row], traits: tuple[str, ...], target: np.ndarray, *, is_chance: bool, shown: str = "traits") -> Fit:
    """Fit a logistic model or a linear one of the median, on traits brought to mean 0 and variance 1."""
    x = np.array([[row[shown][trait] for trait in traits] for row in rows])
    mean, spread = x.mean(0), np.where(x.std(0) > 1e-9, x.std(0), 1.0)
    z = (x - mean) / spread
    _, base, counts = np.unique([row["base"] for row in rows], return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(counts[base]) if is_chance else 1 / counts[base]
    weight = weight / weight.mean()
    make: Callable[[], Any] = lambda: (  # noqa: E731
        LogisticRegression(C=1 / PENALTY, max_iter=500) if is_chance else QuantileRegressor(alpha=MEDIAN_PENALTY)
    )
    held_out, kinds = np.zeros(len(rows)), np.array([row["kind"] for row in rows])
    for known, kept in GroupKFold(min(FOLDS, len(set(kinds)))).split(z, target, kinds):
        model = make().fit(z[known], target[known], sample_weight=weight[known])
        held_out[kept] = model.predict_proba(z[kept])[:, 1] if is_chance else model.predict(z[kept])
    model = make().fit(z, target, sample_weight=weight)
    slopes = np.ravel(model.coef_) / spread
    constant = float(np.ravel(model.intercept_)[0] - slopes @ mean)
    return Fit(weights={CONSTANT: constant, **dict(zip(traits, slopes.tolist(), strict=True))}, held_out=held_out)


def faults_of(row: Row) -> set[str]:
    """Return what is wrong with a run: "high", "low", "early", "late", or "sound"; nothing where that is not clear."""
    costs, off, schedule = row["regret"] >= COSTS_FROM, row["decades"], row["schedule"]
    is_special = schedule in EARLY | LATE
    faults = {
        "high": costs and off <= -FAULT_FROM and not is_special,
        "low": costs and off >= FAULT_FROM and not is_special,
        "early": costs and schedule in EARLY and abs(off) < FAULT_FROM,
        "late": costs and schedule in LATE | {"constant"} and -FAULT_FROM < off <= BELOW_TO,
        "sound": row["worst"] <= HEALTHY_TO and abs(off) <= SOUND_TO,
    }
    return {fault for fault, is_so in faults.items() if is_so}


def cases_of(model: str, rows: list[Row]) -> tuple[list[Row], np.ndarray]:
    """Return the runs that a model is fitted to, and which of them show what it is to find.

    A rate that is too high is no reason to call a decay early, nor the other way round; where a rate never decays, it
    is one reason more to want a decay. A run without its best decay is not one with too low a rate.
    """
    for_it = {"high": {"high"}, "low": {"low"}, "early": {"early"}, "late": {"late", "high"}}[model]
    against = {
        "high": {"sound", "low", "early"}, "low": {"sound", "high", "late"}, "early": {"sound", "low", "high"},
        "late": {"sound", "low"},
    }[model]  # fmt: skip
    some, target = [], []
    for row in rows:
        at, faults = row["traits"]["decayed_at"], faults_of(row)
        is_shown = at < EARLY_TO if model == "early" else at > LATE_FROM if model == "late" else True
        if is_shown and not row["broken"] and faults & (for_it | against):
            some.append(row)
            target.append(bool(faults & for_it))
    return some, np.array(target)


def fit_chances(rows: list[Row]) -> tuple[dict[str, dict[str, float]], dict[str, list[Row]]]:
    """Fit the chance of each fault, for logs with and without the rate and held-out losses.

    Return the weights of each model, and the runs at fault that it finds when their kind of data is kept out.
    """
    tables, finds = {}, {}
    for model, traits in CHANCES.items():
        some, target = cases_of(model, rows)
        for with_val in (False, True):
            kept = np.array([not with_val or OF_VAL in row["traits"] for row in some])
            names = traits + VAL_TRAITS if with_val else traits
            for unrated in (False, True)[: 1 if model in NEEDS_RATE else 2]:
                name = model + (VALIDATED if with_val else "") + (UNRATED if unrated else "")
                rows_kept = [row for row, is_kept in zip(some, kept, strict=True) if is_kept]
                shown = tuple(trait for trait in names if not unrated or trait not in RATED)
                result = fit(
                    rows_kept, shown, target[kept], is_chance=True, shown="bare" if unrated else "traits"
                )  # fmt: skip
                tables[name] = result.weights
                found = target[kept] & (result.held_out > LIKELY)
                finds[name] = [row for row, is_found in zip(rows_kept, found, strict=True) if is_found]
                tell_chances(name, result.held_out, target[kept])
    return tables, finds


def tell_chances(name: str, chance: np.ndarray, target: np.ndarray) -> None:
    print(f"{name}: {int(target.sum())} at fault, {int((~target).sum())} not")
    for least in (0.4, 0.5, 0.6, 0.7, 0.8):
        found = chance > least
        print(f"  from {least}: false {found[~target].mean():.3f}, found {found[target].mean():.3f}")


def fit_factors(rows: list[Row], finds: dict[str, list[Row]]) -> dict[str, dict[str, float]]:
    """Fit the factor to the best rate."""
    tables = {}
    for model, fault in (("raise", "low"), ("lower", "high")):
        for suffix, names in (("", FACTORS), (UNRATED, tuple(t for t in FACTORS if t not in RATED))):
            name, shown = model + suffix, "bare" if suffix else "traits"
            tables[name] = fit_factor(name, finds[fault + suffix], names, shown=shown)
    broken = [row for row in rows if row["broken"] and "high" in faults_of(row)]
    tables["nan"] = fit_factor("nan", broken, ("log_rate",))
    tables["nan" + UNRATED] = fit_factor("nan" + UNRATED, broken, ())
    return tables


def fit_factor(model: str, rows: list[Row], names: tuple[str, ...], *, shown: str = "traits") -> dict[str, float]:
    decades = np.array([row["decades"] for row in rows])
    if names:
        result = fit(rows, names, decades, is_chance=False, shown=shown)
        weights, guess = result.weights, result.held_out
    else:
        weights, guess = {CONSTANT: float(np.median(decades))}, np.full(len(rows), np.median(decades))
    off = decades - guess
    print(f"{model}: {len(rows)} logs, within 3 times {(abs(off) <= HIT).mean():.2f}, sd {off.std():.2f} decades")
    return {**weights, LOWEST: float(np.quantile(off, 0.1)), HIGHEST: float(np.quantile(off, 0.9))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("lrfind/checks/training_log") / TABLE)
    options = parser.parse_args()
    rows = rows_of(options.folder)
    print(f"{len(rows)} logs of {len({row['base'] for row in rows})} bases")
    chances, finds = fit_chances(rows)
    tables = {**chances, **fit_factors(rows, finds)}
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("model", "trait", "weight"))
        for model, weights in tables.items():
            writer.writerows((model, trait, f"{weight:.4g}") for trait, weight in weights.items())


if __name__ == "__main__":
    main()
