"""Fit the weights that `lrfind diagnose` judges a rate by to the runs of a pool, and write them as a table.

    make rate-weights [POOL=folder] [TWINS=folder]
    python tests/benchmarks/build_rate_weights.py FOLDER TWINS [--out FILE]

FOLDER holds bases trained by `training_pool.py`, TWINS such as it trains with --twins. A rate is at fault from a factor
of three, where it cost a tenth of what could be learned; it is sound within a factor of 3.5 where it cost a fortieth at
most; runs between are left out. What is printed was measured with whole kinds of data kept out of the fit.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from faulty_truth import COSTS_FROM, HEALTHY_TO
from pool_logs import PooledBase, log_of, read_pool
from sklearn.linear_model import LogisticRegression, QuantileRegressor
from sklearn.model_selection import GroupKFold

from lrfind.checks.training_log import read_signals
from lrfind.checks.training_log.judgement import (
    COLUMNS,
    CONSTANT,
    EARLY_TO,
    HIGHEST,
    LATE_FROM,
    LOWEST,
    NAMED,
    OF_OPTIMIZER,
    OF_VAL,
    TABLE,
    UNRATED,
    VALIDATED,
    Model,
    Term,
)
from lrfind.checks.training_log.signals import SHORT
from lrfind.checks.training_log.traits import read_traits

# Decades from the best rate: least and most of a fault, most of a sound run, most below it where a decay matters.
FAULT_FROM, FAULT_TO, SOUND_TO, BELOW_TO = 0.45, 2.15, 0.55, 0.1
# A base that learns less than this share of what it does not know shows no rates.
LEAST_GAIN = 0.2
# Schedules that are faults of their own.
EARLY, LATE = {"at_twenty", "at_ten", "at_a_seventh"}, {"at_the_end", "last_moment"}
# Those that begin with a warm-up, and what runs are that want none, whatever else they want.
WARM = {"warmup_cosine", "one_cycle", "stable_decay", "root", "long_warmup"}
NOT_COLD = {"sound", "low", "early"}
LOGS_A_RUN, LOGS_A_TWIN, FOLDS = 2, 3, 8
# What a run with a warm-up may have missed, for the warm-up to have saved it.
SAVED_TO = 0.5
# What a run without one may have missed, for none to be missing.
SOUND_COLD = 0.05
# Fewer points than these are no log to learn from.
FEWEST_POINTS = 5
# Chance from which a run is found: factors are fitted to those that are.
LIKELY = 0.5
# Decades that count as a hit.
HIT = np.log10(3.0)

FAULTS = ("high", "low", "early", "late")
# Where straight lines do as well, or little is to be seen, few traits do best: these were chosen one by one, as long as
# the fit to kinds of data and of nets that were kept out gained. The other chances take all traits there are.
CHOSEN = {
    "low": (
        "rate", "down", "still_falling", "spikes", "half_share", "climb", "length", "rise", "brief_rise", "first_fall",
        "first_share", "later_fall",
    ),
    "late": ("log_rate", "climb", "fallen", "still_falling", "peak", "down", "middle_pace", "shock", "first_fall"),
}  # fmt: skip
VAL_TRAITS = ("val_rough", "val_rises", "val_lowest", "val_late", "val_gap")
FACTORS = ("log_rate", "rate", "tenth_after", "length", "down")
# Traits of the rate, which logs without it do not show; decays are judged with it alone.
RATED = {"rate", "log_rate", "held", "decayed_at", "decay_drop"}
# Logs that some models are not fitted for: without the rate no decay is judged, and whether one came early, the
# optimizer does not tell.
NOT_FITTED = {("early", UNRATED), ("late", UNRATED), ("early", NAMED)}
# What a log may show of its rate, as models' names end: the optimizer as well, the rate alone, nothing; and where its
# traits are in a row.
SHOWN = {NAMED: "traits", "": "traits", UNRATED: "bare"}
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a model is fitted.

    `knots` are the quantiles of a trait between which its line may bend; before the first and beyond the last it is
    flat. Without them the line is straight. A base counts as the number of its runs to the power of 1 - `share`.
    """

    make: Callable[[], Any]
    knots: tuple[float, ...] = ()
    share: float = 0.5


# Penalties are of columns of variance 1. Of 1 to 30, and of 3 and 5 knots between the ends, these found most in kinds
# of data and of nets kept out; straight lines found a tenth fewer of the rates that are too high, and of the decays
# that came too early a fifth. Of those that came too late straight lines found most, and of the rates that are too low
# as many but for one in thirty; there they are surer of curves unlike any of the pool's, such as those of fine-tuning.
BENT = Way(make=lambda: LogisticRegression(C=1.0, max_iter=500), knots=(0.005, 0.1, 0.3, 0.5, 0.7, 0.9, 0.995))
STRAIGHT = Way(make=lambda: LogisticRegression(C=0.1, max_iter=500))
BALANCED = Way(make=lambda: LogisticRegression(C=0.1, max_iter=500, class_weight="balanced"))
MEDIAN = Way(make=lambda: QuantileRegressor(alpha=0.003), share=1.0)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A model, and the prediction for each row with its kind of data kept out."""

    model: Model
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
            more = {
                "decades": decades, "worst": float(max(base.regret[run], base.val_regret[run])),
                "schedule": str(base.arrays["schedule"][run]), "optimizer": base.optimizer,
                "best": float(np.log10(base.about["lr_best"])),
            }  # fmt: skip
            rows += [row | more for row in shown_of(base, run, n_logs=LOGS_A_RUN, fewest=FEWEST_POINTS)]
        print(base.name, len(rows), file=sys.stderr)
    return rows


def twin_rows_of(folder: Path) -> list[Row]:
    """Return what is known of each log of the runs without a warm-up whose twins had one."""
    rows: list[Row] = []
    for base in read_pool(folder):
        if base.gain < LEAST_GAIN:
            continue
        for run in range(len(base)):
            shown = shown_of(base, run, n_logs=LOGS_A_TWIN, fewest=SHORT)
            rows += [row | {"warm": float(base.warm_regret[run])} for row in shown if not row["broken"]]
    return rows


def shown_of(base: PooledBase, run: int, *, n_logs: int, fewest: int) -> Iterator[Row]:
    """Yield what several logs of a run show, those of too few points left out."""
    for seed in range(n_logs):
        log = log_of(base, run, seed=seed)
        signals, bare = read_signals(log), read_signals(log_of(base, run, seed=seed, with_lr=False))
        if signals is not None and bare is not None and signals.n_points >= fewest:
            yield {
                "base": base.name, "kind": base.about["data"].split("-")[0], "regret": float(base.regret[run]),
                "traits": read_traits(signals), "bare": read_traits(bare), "broken": bool(len(log.nonfinite_steps)),
            }  # fmt: skip


def wants_warmup(row: Row) -> bool | None:
    """Say whether a warm-up alone would have reached much more; None where that is not clear.

    Nor is it of runs that are lost in either case: their rate is too high, and what a little less of it would have
    reached with a warm-up is not known.
    """
    if row["regret"] - row["warm"] >= COSTS_FROM and row["warm"] <= SAVED_TO:
        return True
    return False if row["regret"] <= SOUND_COLD else None


def fit(rows: list[Row], traits: Sequence[str], target: np.ndarray, *, way: Way, shown: str = "traits") -> Fit:
    """Fit a model to traits, or to how far each lies beyond its knots."""
    places, columns, lasts = columns_of(
        {trait: np.array([row[shown][trait] for row in rows]) for trait in traits}, way.knots
    )
    mean, spread = columns.mean(0), np.where(columns.std(0) > 1e-9, columns.std(0), 1.0)
    z = (columns - mean) / spread
    weight = weights_of(rows, share=way.share)
    held_out, kinds = np.zeros(len(rows)), np.array([row["kind"] for row in rows])
    for known, kept in GroupKFold(min(FOLDS, len(set(kinds)))).split(z, target, kinds):
        model = way.make().fit(z[known], target[known], sample_weight=weight[known])
        held_out[kept] = model.predict_proba(z[kept])[:, 1] if target.dtype == bool else model.predict(z[kept])
    model = way.make().fit(z, target, sample_weight=weight)
    slopes = np.ravel(model.coef_) / spread
    constant = float(np.ravel(model.intercept_)[0] - slopes @ mean)
    terms = [Term(trait=t, beyond=k, weight=w) for (t, k), w in zip(places, slopes.tolist(), strict=True)]
    model = Model(numbers={CONSTANT: constant}, terms=(*terms, *flat_beyond(terms, lasts)))
    return Fit(model=model, held_out=held_out)


def weights_of(rows: list[Row], *, share: float) -> np.ndarray:
    """Return how much each row counts, 1 on average."""
    _, base, counts = np.unique([row["base"] for row in rows], return_inverse=True, return_counts=True)
    weight = 1 / counts[base] ** share
    return np.asarray(weight / weight.mean())


def flat_beyond(terms: list[Term], lasts: dict[str, float]) -> list[Term]:
    """Return terms that make a trait's line flat beyond its last knot."""
    return [Term(trait=t, beyond=k, weight=-sum(e.weight for e in terms if e.trait == t)) for t, k in lasts.items()]


Places = list[tuple[str, float | None]]
# Standard deviations between two knots at least: a line is not to leap.
APART = 0.2


def apart(knots: list[float], *, least: float) -> list[float]:
    """Return knots without those that follow another too closely."""
    kept = knots[:1]
    for knot in knots[1:]:
        if knot - kept[-1] > least:
            kept.append(knot)
    return kept


def columns_of(values: dict[str, np.ndarray], knots: tuple[float, ...]) -> tuple[Places, np.ndarray, dict[str, float]]:
    """Return traits as they are, or how far they lie beyond each knot but the last, and that, at which they are cut."""
    if not knots:
        return [(trait, None) for trait in values], np.stack(list(values.values()), axis=1), {}
    places: Places = []
    columns, lasts = [], {}
    for trait, x in values.items():
        *bends, last = apart(np.quantile(x, knots).round(3).tolist(), least=APART * float(x.std()))
        if bends:
            lasts[trait] = last
        places += [(trait, knot) for knot in bends]
        columns += [np.maximum(np.minimum(x, last) - knot, 0) for knot in bends]
    return places, np.stack(columns, axis=1), lasts


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


def cases_of(fault: str, rows: list[Row]) -> tuple[list[Row], np.ndarray]:
    """Return the runs that a model is fitted to, and which of them show what it is to find.

    A rate that is too high is no reason to call a decay early, nor the other way round; where a rate never decays, it
    is one reason more to want a decay. A run without its best decay is not one with too low a rate.
    """
    for_it = {"high": {"high"}, "low": {"low"}, "early": {"early"}, "late": {"late", "high"}}[fault]
    against = {
        "high": {"sound", "low", "early"}, "low": {"sound", "high", "late"}, "early": {"sound", "low", "high"},
        "late": {"sound", "low"},
    }[fault]  # fmt: skip
    some, target = [], []
    for row in rows:
        at, faults = row["traits"]["decayed_at"], faults_of(row)
        is_shown = at < EARLY_TO if fault == "early" else at > LATE_FROM if fault == "late" else True
        if is_shown and not row["broken"] and faults & (for_it | against):
            some.append(row)
            target.append(bool(faults & for_it))
    return some, np.array(target)


def fit_chances(rows: list[Row]) -> tuple[dict[str, Model], dict[str, list[Row]]]:
    """Fit the chance of each fault, for logs with and without the rate and held-out losses.

    Return the models, and the runs at fault that each finds when their kind of data is kept out.
    """
    models, finds = {}, {}
    for fault in FAULTS:
        every, at_fault = cases_of(fault, rows)
        for with_val in (False, True):
            kept = [k for k, row in enumerate(every) if not with_val or OF_VAL in row["traits"]]
            some, target = [every[k] for k in kept], at_fault[kept]
            for end, shown in SHOWN.items():
                if (fault, end) in NOT_FITTED:
                    continue
                name = fault + (VALIDATED if with_val else "") + end
                every_trait = traits_of(some, shown)
                traits = [trait for trait in CHOSEN.get(fault, every_trait) if trait in every_trait]
                more = (*(VAL_TRAITS if with_val else ()), *((OF_OPTIMIZER,) if end == NAMED else ()))
                way = STRAIGHT if fault in CHOSEN else BENT
                result = fit(some, (*traits, *more), target, shown=shown, way=way)
                models[name] = result.model
                found = target & (result.held_out > LIKELY)
                finds[name] = [row for row, is_found in zip(some, found, strict=True) if is_found]
                tell_chances(name, result.held_out, target)
    return models, finds


def fit_cold(twins: list[Row], rows: list[Row]) -> dict[str, Model]:
    """Fit the chance that a warm-up alone would have reached more, against all runs that began at full rate.

    Both count the same in all: few runs want one.
    """
    some = [row for row in twins if wants_warmup(row) is not None]
    some += [row for row in rows if row["schedule"] not in WARM and faults_of(row) & NOT_COLD and not row["broken"]]
    target = np.array([bool(wants_warmup(row)) if "warm" in row else False for row in some])
    models = {}
    for end, shown in SHOWN.items():
        traits = [*traits_of(some, shown), *((OF_OPTIMIZER,) if end == NAMED else ())]
        result = fit(some, traits, target, way=BALANCED, shown=shown)
        models["cold" + end] = result.model
        tell_chances("cold" + end, result.held_out, target)
    return models


def traits_of(rows: list[Row], shown: str) -> list[str]:
    """Return the traits that all logs show, but those of the held-out loss and of the optimizer."""
    return sorted(set.intersection(*(set(row[shown]) for row in rows)) - {*VAL_TRAITS, OF_OPTIMIZER})


def tell_usual(rows: list[Row]) -> None:
    """Print the usual rate of each optimizer: half of its bases do best above it."""
    best: dict[str, dict[str, float]] = {}
    for row in rows:
        best.setdefault(row["optimizer"], {})[row["base"]] = row["best"]
    for optimizer, each in best.items():
        print(f"{optimizer}: {len(each)} bases, usual rate 10^{np.median(list(each.values())):.2f}")


def tell_chances(name: str, chance: np.ndarray, target: np.ndarray) -> None:
    print(f"{name}: {int(target.sum())} at fault, {int((~target).sum())} not")
    for least in (0.4, 0.5, 0.6, 0.7, 0.8):
        found = chance > least
        print(f"  from {least}: false {found[~target].mean():.3f}, found {found[target].mean():.3f}")


def fit_factors(rows: list[Row], finds: dict[str, list[Row]]) -> dict[str, Model]:
    """Fit the factor to the best rate."""
    models = {}
    broken = [row for row in rows if row["broken"] and "high" in faults_of(row)]
    for name, fault, known in (("raise", "low", FACTORS), ("lower", "high", FACTORS), ("nan", "", ("log_rate",))):
        for end, shown in SHOWN.items():
            traits = [trait for trait in known if end != UNRATED or trait not in RATED]
            traits += [OF_OPTIMIZER] if end == NAMED else []
            some = finds[fault + end] if fault else broken
            models[name + end] = fit_factor(name + end, some, tuple(traits), shown=shown)
    return models


def fit_factor(name: str, rows: list[Row], traits: tuple[str, ...], *, shown: str = "traits") -> Model:
    decades = np.array([row["decades"] for row in rows])
    middle = float(np.median(decades))
    alone = Fit(model=Model(numbers={CONSTANT: middle}, terms=()), held_out=np.full(len(rows), middle))
    result = fit(rows, traits, decades, way=MEDIAN, shown=shown) if traits else alone
    off = decades - result.held_out
    print(f"{name}: {len(rows)} logs, within 3 times {(abs(off) <= HIT).mean():.2f}, sd {off.std():.2f} decades")
    low, high = np.quantile(off, (0.1, 0.9), weights=weights_of(rows, share=MEDIAN.share), method="inverted_cdf")
    tails = {LOWEST: float(low), HIGHEST: float(high)}
    return replace(result.model, numbers={**result.model.numbers, **tails})


def lines_of(name: str, model: Model) -> Iterator[tuple[str, ...]]:
    """Yield a model as lines of the table: its numbers, then its terms."""
    for number, value in model.numbers.items():
        yield name, number, "", f"{value:.5g}"
    for term in model.terms:
        yield name, term.trait, "" if term.beyond is None else f"{term.beyond:g}", f"{term.weight:.5g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("twins", type=Path)
    parser.add_argument("--out", type=Path, default=Path("lrfind/checks/training_log") / TABLE)
    options = parser.parse_args()
    rows, twins = rows_of(options.folder), twin_rows_of(options.twins)
    for some in (rows, twins):
        print(f"{len(some)} logs of {len({row['base'] for row in some})} bases")
    tell_usual(rows)
    chances, finds = fit_chances(rows)
    models = {**chances, **fit_cold(twins, rows), **fit_factors(rows, finds)}
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name, model in models.items():
            writer.writerows(lines_of(name, model))


if __name__ == "__main__":
    main()
