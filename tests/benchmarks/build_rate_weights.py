"""Fit the weights that `lrfind diagnose` judges a rate by to the runs of a pool, and write them as a table.

    make rate-weights [POOL=folder]
    python tests/benchmarks/build_rate_weights.py FOLDER [--out FILE]

FOLDER holds bases trained by `training_pool.py`. A rate is at fault from a factor of three, where it cost a tenth of
what could be learned; it is sound within a factor of 3.5 where it cost a fortieth at most; runs between are left out.
All bases weigh the same. What is printed was measured with whole bases kept out of the fit.
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
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold

from lrfind.checks.training_log import read_signals
from lrfind.checks.training_log.judgement import CONSTANT, EARLY_TO, HIGHEST, LATE_FROM, LOWEST, TABLE, UNRATED
from lrfind.checks.training_log.traits import read_traits

# Decades from the best rate: least and most of a fault, most of a sound run.
FAULT_FROM, FAULT_TO, SOUND_TO = 0.45, 2.15, 0.55
# A base that learns less than this share of what it does not know shows no rates.
LEAST_GAIN = 0.2
# Schedules that are faults of their own.
EARLY, LATE = {"at_twenty", "at_ten"}, {"at_the_end"}
LOGS_A_RUN, FOLDS = 2, 10
# Strength of the penalties, on traits of variance 1.
LOGISTIC_C, RIDGE = 1.0, 10.0
# Decades that count as a hit.
HIT = np.log10(3.0)

CHANCES = {
    "high": (
        "rate", "peak", "first_fall", "shock", "down", "first_noise", "middle_fall", "rise", "brief_rise", "length",
        "tenth_after", "wander", "climb", "quarter_share", "late_rises",
    ),
    "low": (
        "rate", "down", "still_falling", "most_after", "late_pace", "quarter_share", "first_fall", "rise", "climb",
        "early_rises", "late_rises",
    ),
}  # fmt: skip
EARLY_TRAITS = (
    "rate", "held", "decayed_at", "still_falling", "late_pace", "most_after", "down", "tenth_after", "quarter_share",
    "length", "fallen", "late_noise",
)  # fmt: skip
LATE_TRAITS = ("late_noise", "still_falling", "late_pace", "late_rises", "down", "climb")
FACTORS = ("log_rate", "tenth_after", "length", "down", "fallen")
RATED = {"rate", "log_rate"}
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
                signals = read_signals(log)
                if signals is None or signals.n_points < 5:
                    continue
                row: Row = {"base": base.name, "decades": decades, "regret": float(base.regret[run]),
                            "val_regret": float(base.val_regret[run]), "traits": read_traits(signals),
                            "broken": bool(len(log.nonfinite_steps))}  # fmt: skip
                row["schedule"] = str(base.arrays["schedule"][run])
                rows.append(row)
        print(base.name, len(rows), file=sys.stderr)
    return rows


def fit(rows: list[Row], traits: tuple[str, ...], target: np.ndarray, *, is_chance: bool) -> Fit:
    """Fit a logistic or a linear model, on traits brought to mean 0 and variance 1."""
    x = np.array([[row["traits"][trait] for trait in traits] for row in rows])
    mean, spread = x.mean(0), np.where(x.std(0) > 1e-9, x.std(0), 1.0)
    z = (x - mean) / spread
    _, base, counts = np.unique([row["base"] for row in rows], return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(counts[base]) if is_chance else 1 / counts[base]
    weight = weight / weight.mean()
    make: Callable[[], Any] = lambda: LogisticRegression(C=LOGISTIC_C, max_iter=500) if is_chance else Ridge(RIDGE)  # noqa: E731
    held_out = np.zeros(len(rows))
    for known, kept in GroupKFold(FOLDS).split(z, target, base):
        model = make().fit(z[known], target[known], sample_weight=weight[known])
        held_out[kept] = model.predict_proba(z[kept])[:, 1] if is_chance else model.predict(z[kept])
    model = make().fit(z, target, sample_weight=weight)
    slopes = np.ravel(model.coef_) / spread
    constant = float(np.ravel(model.intercept_)[0] - slopes @ mean)
    return Fit(weights={CONSTANT: constant, **dict(zip(traits, slopes.tolist(), strict=True))}, held_out=held_out)


def fit_chances(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Fit the chance that a rate is at fault, for logs with and without it."""
    decades, regret = (np.array([row[key] for row in rows]) for key in ("decades", "regret"))
    fault = (regret >= COSTS_FROM) & (abs(decades) >= FAULT_FROM)
    worst = np.maximum(regret, [row["val_regret"] for row in rows])
    sound = (worst <= HEALTHY_TO) & (abs(decades) <= SOUND_TO)
    keep = np.flatnonzero(fault | sound)
    tables = {}
    for model, traits in CHANCES.items():
        target = fault & ((decades < 0) if model == "high" else (decades > 0))
        for suffix, names in (("", traits), (UNRATED, tuple(t for t in traits if t not in RATED))):
            result = fit([rows[k] for k in keep], names, target[keep], is_chance=True)
            tables[model + suffix] = result.weights
            print(f"{model}{suffix}: {int(target[keep].sum())} at fault, {int(sound[keep].sum())} sound")
            for least in (0.5, 0.6, 0.7, 0.8, 0.9):
                found = result.held_out > least
                near = [
                    float(found[target[keep] & (abs(abs(decades[keep]) - at) <= 0.25)].mean())
                    for at in (0.5, 1, 1.5, 2)
                ]
                print(
                    f"  from {least}: false alarms {found[sound[keep]].mean():.3f}, found at 3, 10, 30, 100 times: "
                    + " ".join(f"{share:.2f}" for share in near)
                )
    return tables


def fit_decays(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Fit the chances that the rate decayed too early, or too late or never, each for logs that may show it."""
    early, late = [], []
    for row in rows:
        costs = row["regret"] >= COSTS_FROM
        is_sound = max(row["regret"], row["val_regret"]) <= HEALTHY_TO
        is_near = costs and abs(row["decades"]) < FAULT_FROM
        is_low = costs and row["decades"] >= FAULT_FROM and row["schedule"] not in EARLY
        is_early = row["schedule"] in EARLY and is_near
        is_late = row["schedule"] in {*LATE, "constant"} and is_near
        at = row["traits"]["decayed_at"]
        if at < EARLY_TO and (is_early or is_low or is_sound):
            early.append({**row, "target": is_early})
        # Where the rate is too low, LR203 says so, and LR206 nothing.
        if at > LATE_FROM and (is_late or is_sound):
            late.append({**row, "target": is_late})
    tables = {}
    for model, some, traits in (("early", early, EARLY_TRAITS), ("late", late, LATE_TRAITS)):
        target = np.array([row["target"] for row in some])
        result = fit(some, traits, target, is_chance=True)
        tables[model] = result.weights
        print(f"{model}: {int(target.sum())} at fault, {int((~target).sum())} not")
        for least in (0.5, 0.6, 0.7, 0.8, 0.9):
            found = result.held_out > least
            print(f"  from {least}: false {found[~target].mean():.3f}, found {found[target].mean():.3f}")
    return tables


def fit_factors(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Fit the factor to the best rate."""
    costly = [row for row in rows if row["regret"] >= COSTS_FROM and abs(row["decades"]) >= FAULT_FROM]
    tables = {}
    for model, sign in (("raise", 1), ("lower", -1)):
        some = [row for row in costly if sign * row["decades"] > 0 and not row["broken"]]
        for suffix, names in (("", FACTORS), (UNRATED, tuple(t for t in FACTORS if t not in RATED))):
            tables[model + suffix] = fit_factor(model + suffix, some, names)
    broken = [row for row in costly if row["broken"] and row["decades"] < 0]
    tables["nan"] = fit_factor("nan", broken, ("log_rate",))
    tables["nan" + UNRATED] = fit_factor("nan" + UNRATED, broken, ())
    return tables


def fit_factor(model: str, rows: list[Row], names: tuple[str, ...]) -> dict[str, float]:
    decades = np.array([row["decades"] for row in rows])
    if names:
        result = fit(rows, names, decades, is_chance=False)
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
    finite = [row for row in rows if not row["broken"]]
    plain = [row for row in rows if row["schedule"] not in EARLY | LATE]
    tables = {
        **fit_chances([row for row in plain if not row["broken"]]), **fit_decays(finite), **fit_factors(plain)
    }  # fmt: skip
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("model", "trait", "weight"))
        for model, weights in tables.items():
            writer.writerows((model, trait, f"{weight:.4g}") for trait, weight in weights.items())


if __name__ == "__main__":
    main()
