"""What follows from a run.json, each by a named function: the only numbers that may be printed of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from lrfind.export.literal import literal
from lrfind.schedule import Schedule, Segment, values
from lrfind.text import measured, number, plural, rate

Document = dict[str, Any]
Fact = Callable[[Document], Iterable[float | None]]
# kind of number -> functions of a run that give such numbers
FACTS: dict[str, list[Fact]] = {}


def fact(*kinds: str) -> Callable[[Fact], Fact]:
    """Say what kind of number a function gives: a noun that is counted, or one of the kinds below."""

    def noted(function: Fact) -> Fact:
        for kind in kinds:
            FACTS.setdefault(kind, []).append(function)
        return function

    return noted


def of(document: Document, kind: str) -> set[float]:
    """Return the finite numbers of a kind."""
    found = {value for function in FACTS.get(kind, ()) for value in function(document) if value is not None}
    return {value for value in found if math.isfinite(value)}


def _race(document: Document) -> Document:
    return document["race"] or {"margins": [], "candidates": [], "leaders": [], "replicas": []}


# counts


@fact("batch", "rows")
def batch(document: Document) -> Iterable[float]:
    """Rows in a batch."""
    yield document["recommendation"]["batch_size"]


@fact("layer")
def widths(document: Document) -> Iterable[float]:
    """Widths of the hidden layers."""
    yield from document["config"]["hidden"]


@fact("seed", "cell")
def seed(document: Document) -> Iterable[float]:
    """The seed from which every random number follows."""
    yield document["config"]["seed"]


@fact("cell")
def cells(document: Document) -> Iterable[float]:
    """Numbers that stand alone in a table: features and missing values of a column."""
    for row in document["problem"]["encodings"]:
        yield from (row["n_features"], row["n_missing"])


@fact("by")
def peak_step(document: Document) -> Iterable[float]:
    """The step at which the schedule advised is at its peak."""
    lrs = scheduled(document)
    yield from ([int(np.argmax(lrs))] if len(lrs) else [])


@fact("rows", "of")
def rows(document: Document) -> Iterable[float | None]:
    """Rows used, in all, trained on, held out, left out, and held out a fold."""
    data, problem, race = document["data"], document["problem"], _race(document)
    yield from (data["rows"], data["rows_total"], problem["n_train"], problem["n_val"], problem["n_rows_dropped"])
    yield problem["n_train"] + problem["n_val"]
    if document["proof"]:
        yield document["proof"]["n_held_out"]
    if "n_held_out" in race:
        yield from (race["n_held_out"], race["n_held_out"] // race["n_folds"])


@fact("held", "to")
def split_rows(document: Document) -> Iterable[float]:
    """Rows trained on and held out."""
    return document["problem"]["n_train"], document["problem"]["n_val"]


@fact("features")
def features(document: Document) -> Iterable[float]:
    """Inputs of the network, in all and of each column."""
    yield document["problem"]["n_features"]
    yield from (row["n_features"] for row in document["problem"]["encodings"])


@fact("columns", "column", "standardised", "dropped", "marked", "one", "text", "date")
def columns(document: Document) -> Iterable[float]:
    """Columns beside the target, and those that were prepared in each way."""
    ways = [row["how"].split(":")[0] for row in document["problem"]["encodings"]]
    yield len(ways)
    yield from (ways.count(way) for way in set(ways))


@fact("classes", "class")
def classes(document: Document) -> Iterable[float]:
    """Classes of the target."""
    yield len(document["problem"]["classes"])


@fact("missing")
def missing(document: Document) -> Iterable[float]:
    """Missing values of each column, and of all together."""
    counts = [row["n_missing"] for row in document["problem"]["encodings"]]
    yield from (*counts, sum(counts))


@fact("seconds")
def seconds(document: Document) -> Iterable[float]:
    """Seconds that each stage took."""
    yield from document["timing"].values()


@fact("steps", "step", "updates")
def steps(document: Document) -> Iterable[float]:
    """Updates of the run advised, of the range test and of a raced run."""
    yield from (document["recommendation"]["train_steps"], document["sweep"]["n_steps"])
    if document["race"]:
        yield document["race"]["n_steps"]


@fact("seeds", "seed")
def seeds(document: Document) -> Iterable[float]:
    """Seeds of the range test, twice as many, and seeds of the race."""
    yield from (document["sweep"]["n_seeds"], 2 * document["sweep"]["n_seeds"])
    yield len({replica["seed"] for replica in _race(document)["replicas"]})


@fact("folds", "fold")
def folds(document: Document) -> Iterable[float]:
    """Folds of one partition."""
    yield from ([document["race"]["n_folds"]] if document["race"] else [])


@fact("rates", "rate")
def raced_rates(document: Document) -> Iterable[float]:
    """Different rates that were raced."""
    yield len({candidate["lr"] for candidate in _race(document)["candidates"]})


@fact("schedules", "schedule")
def raced_schedules(document: Document) -> Iterable[float]:
    """Schedules that were raced."""
    yield len(_race(document)["margins"])


@fact("pairs")
def pairs(document: Document) -> Iterable[float]:
    """Candidates: pairs of rate and schedule."""
    yield len(_race(document)["candidates"])


@fact("runs", "run")
def runs(document: Document) -> Iterable[float]:
    """Runs of the race, of each candidate, and lost ones."""
    race = _race(document)
    yield len(race["candidates"]) * len(race["replicas"])
    yield len(race["replicas"])
    yield from (leader["n_lost"] for leader in race["leaders"])
    if document.get("proof"):
        yield document["proof"]["n_runs"]


@fact("earlier", "of")
def races(document: Document) -> Iterable[float]:
    """Earlier races known, those of the user's own; schedules within noise, of all."""
    if document["experience"]:
        yield from (document["experience"]["n_races"], document["experience"]["n_own"])
    margins = _race(document)["margins"]
    yield sum(margin["standing"] in {"lowest", "within noise"} for margin in margins)


@fact("more")
def others_close(document: Document) -> Iterable[float]:
    """Schedules within noise beside the one advised and the two that are named."""
    close = [m["schedule"] for m in _race(document)["margins"] if m["standing"] in {"lowest", "within noise"}]
    advised = _race(document).get("winner", {}).get("schedule")
    simplest = simplest_schedule(document)
    yield from (len([name for name in close if name not in out]) - 2 for out in ({advised}, {advised, simplest}))


@fact("end")
def schedules_close(document: Document) -> Iterable[float]:
    """Schedules within noise of the lowest, and all of them."""
    yield from races(document)
    yield from raced_schedules(document)


@fact("checks", "things", "thing")
def checks(document: Document) -> Iterable[float]:
    """Checks that found something, and those that did not."""
    found = sum(finding["state"] == "found" for finding in document["findings"])
    yield from (found, len(document["findings"]) - found)


def simplest_schedule(document: Document) -> str | None:
    """Return the schedule that is nothing ahead of itself."""
    margins = _race(document)["margins"]
    return next((m["schedule"] for m in margins if m["ahead"] == m["ahead_se"] == 0), None)


@fact("line")
def lines(document: Document) -> Iterable[float]:
    """Lines of the file; which one is meant is looked up in the file."""
    yield from (document["lines"] if "lines" in document else ())


# code


@fact("code", "scale")
def code_counts(document: Document) -> Iterable[float]:
    """Whole numbers of code: steps, the last step, batches, widths."""
    advice = document["recommendation"]
    yield from (advice["train_steps"], advice["train_steps"] - 1, advice["batch_size"], *document["config"]["hidden"])


@fact("code")
def code_schedule(document: Document) -> Iterable[float]:
    """What a schedule is made of: its peak, and where its parts begin and end, by step and by fraction."""
    stored = document["recommendation"]["schedule"]
    for part in stored["segments"] if stored else ():
        start, stop, begin, end = (part[name] for name in ("start", "stop", "begin", "end"))
        yield from (start, stop, stop - start, begin, end, abs(begin - end), part["power"], stored["peak_lr"])
        yield from (stored["peak_lr"] * begin, stored["peak_lr"] * end)
        yield from (end / begin, begin / end) if begin and end else ()


@fact("code")
def code_range(document: Document) -> Iterable[float | None]:
    """The good range, as named in code."""
    yield from (document["recommendation"]["lr_low"], document["recommendation"]["lr_high"])


@fact("code", "scale")
def code_target(document: Document) -> Iterable[float]:
    """Mean and sd of the target, with four digits of the sd and as many places of the mean."""
    mean, sd = (document["problem"][name] for name in ("target_mean", "target_sd"))
    if sd and document["data"]["task"] == "regression":
        yield from (abs(round(mean, 3 - math.floor(math.log10(float(f"{sd:.4g}"))))), float(f"{sd:.4g}"))
        yield round(mean, 3 - math.floor(math.log10(float(f"{sd:.4g}"))))


# rates, losses and what is made of them


@fact("lr")
def rates(document: Document) -> Iterable[float | None]:
    """Every rate of the run: advised, good, stable, raced, read, expected, the ends of the range and of the race."""
    advice, analysis, race = document["recommendation"], document["analysis"], _race(document)
    yield from (advice["lr"], advice["lr_low"], advice["lr_high"], advice["lr_max_stable"])
    for mark in analysis["landmarks"].values():
        yield from (mark["lr"], mark["low"], mark["high"]) if mark else ()
    yield from analysis["rules"].values()
    yield from (document["sweep"]["lr_min"], document["sweep"]["lr_max"])
    if document["experience"]:
        yield from (document["experience"][end] for end in ("lr", "low", "high"))
    yield from (candidate["lr"] for candidate in race["candidates"])
    yield race.get("expected_lr")


@fact("lr")
def advised_rates(document: Document) -> Iterable[float]:
    """First, last, highest and lowest rate of the schedule advised."""
    lrs = scheduled(document)
    if len(lrs):
        yield from (float(lrs[0]), float(lrs[-1]), float(lrs.max()), float(lrs.min()))


def scheduled(document: Document) -> Any:
    """Return the rates of the schedule advised, one a step."""
    stored = document["recommendation"]["schedule"]
    if stored is None:
        return np.zeros(0)
    segments = tuple(Segment(**segment) for segment in stored["segments"])
    return values(Schedule(**{**stored, "segments": segments}))


@fact("lr")
def wider(document: Document) -> Iterable[float | None]:
    """Rates at which a range is advised to begin or to end: a thousandth, and ten, a hundred and a thousand times."""
    low, high = document["sweep"]["lr_min"], document["sweep"]["lr_max"]
    yield from (low / 1000, 10 * high, 100 * high, 1000 * high, max(10.0, 1000 * high))
    fallen = document["analysis"]["landmarks"]["fallen"]
    yield fallen["lr"] / 2 if fallen else None


@fact("loss")
def losses(document: Document) -> Iterable[float | None]:
    """Losses: of the range test, of a constant guess, of each schedule; falls and noise."""
    analysis, race, expected = document["analysis"], _race(document), document["recommendation"]["expected"]
    yield from (analysis["start_loss"], analysis["min_loss"], analysis["noise"])
    yield analysis["start_loss"] - analysis["min_loss"]
    yield document["problem"]["baseline_loss"]
    yield from (race.get("baseline_loss"), race.get("loss"))
    yield from (margin["loss"] for margin in race["margins"])
    if expected:
        yield from (expected["val_loss"], expected["baseline_loss"])
    if document["proof"]:
        yield document["proof"]["baseline_loss"]


@fact("axis")
def levels(document: Document) -> Iterable[float]:
    """Levels beside the terminal's plot: the start, the lowest point, and the middle of the two."""
    low = min((loss for loss in document["analysis"]["curve"]["pooled"] if loss is not None), default=math.nan)
    start = document["analysis"]["start_loss"]
    yield from (start, low, (start + low) / 2)


@fact("loss")
def gradient_norms(document: Document) -> Iterable[float]:
    """The lowest and the highest of the median norms of the gradient."""
    if document["gradient"]:
        yield from (min(document["gradient"]["median"]), max(document["gradient"]["median"]))


@fact("fold")
def growth(document: Document) -> Iterable[float]:
    """How many times the gradient grows beyond the stable limit, to one digit."""
    limit, curve = document["recommendation"]["lr_max_stable"], document["gradient"]
    if limit and curve:
        lrs, median = np.array(curve["lrs"]), np.array(curve["median"])
        if (lrs < limit).any() and (lrs >= limit).any():
            yield float(f"{median[lrs >= limit].max() / np.median(median[lrs < limit]):.1g}")


@fact("loss")
def target_scale(document: Document) -> Iterable[float | None]:
    """Mean and sd of a regression target."""
    yield from (document["problem"]["target_mean"], document["problem"]["target_sd"])


def measures(document: Document) -> set[tuple[float, float]]:
    """Return every value that has an error: losses, differences and gains."""
    race, expected, proof = _race(document), document["recommendation"]["expected"], document.get("proof")
    found = {(m[name], m[f"{name}_se"]) for m in race["margins"] for name in ("loss", "ahead", "behind")}
    if document["race"]:
        found |= {(race["gain"], race["gain_se"]), (abs(race["gain"]), race["gain_se"])}
    if expected:
        found.add((expected["val_loss"], expected["val_loss_se"]))
    if proof:
        for look in (proof, *proof["looks"]):
            found |= {(look["gain"], look["gain_se"]), (abs(look["gain"]), look["gain_se"])}
    return {pair for pair in found if None not in pair}


def cost_measures(document: Document) -> set[tuple[float, float]]:
    """Return what the defaults give up, in per cent, with its error."""
    leaders = [leader for leader in _race(document)["leaders"] if leader["cost"] is not None]
    return {(100 * leader["cost"], 100 * leader["cost_se"]) for leader in leaders}


@fact("share")
def shares(document: Document) -> Iterable[float | None]:
    """Shares: of the gain given up, of the guess's loss gained, of the steps after which a constant rate is reached."""
    race, expected = _race(document), document["recommendation"]["expected"]
    yield from (abs(leader["cost"]) for leader in race["leaders"] if leader["cost"] is not None)
    yield race.get("steps_sooner")
    if expected and expected["baseline_loss"] > 0:
        yield abs(expected["baseline_loss"] - expected["val_loss"]) / expected["baseline_loss"]


@fact("expected share")
def expected_shares(document: Document) -> Iterable[float]:
    """Shares of the gain that each schedule is expected to give up."""
    yield from (max(margin["expected_behind"], 0.0) for margin in _race(document)["margins"])


@fact("ratio")
def ratios(document: Document) -> Iterable[float | None]:
    """Ratios of rates, of a gain to its error, and of a fall to its noise."""
    race, analysis, lr = _race(document), document["analysis"], document["recommendation"]["lr"]
    known = [rule for rule in analysis["rules"].values() if rule]
    yield max(known) / min(known) if known else None
    yield from (rule / lr for rule in known if lr)
    if lr and document["experience"]:
        ratio = lr / document["experience"]["lr"]
        yield max(ratio, 1 / ratio)
    yield race["gain"] / race["gain_se"] if race.get("gain_se") else None
    for noise in filter(None, (analysis["noise"],)):
        yield (analysis["start_loss"] - analysis["min_loss"]) / noise
    mark = analysis["landmarks"]["minimum"] or analysis["landmarks"]["divergence"]
    yield mark["high"] / mark["low"] if mark and mark["low"] else None


@fact("decades")
def decades(document: Document) -> Iterable[float | None]:
    """Decades: between the seeds' lowest losses, from the fall to divergence, from the rate to each end."""
    marks, advice, race = document["analysis"]["landmarks"], document["recommendation"], _race(document)
    if marks["minimum"]:
        yield math.log10(marks["minimum"]["high"] / marks["minimum"]["low"])
    if marks["fallen"] and marks["divergence"]:
        yield math.log10(marks["divergence"]["lr"] / marks["fallen"]["lr"])
    raced = [candidate["lr"] for candidate in race["candidates"]]
    ends = (min(raced), max(raced)) if raced else (document["sweep"]["lr_min"], document["sweep"]["lr_max"])
    for lr in filter(None, (advice["lr"], race.get("winner", {}).get("lr"))):
        yield from (math.log10(lr / ends[0]), math.log10(ends[1] / lr))


# Formatters of lrfind, by the kind of number they print.
FORMATS: dict[str, tuple[Callable[[float], str], ...]] = {
    "lr": (rate,),
    "loss": (number,),
    "axis": (rate,),
    "share": (lambda share: f"{100 * share:.0f}", lambda share: f"{100 * share:.1g}"),
    "seconds": (lambda time: f"{time:.2f}",),
    "expected share": (lambda share: f"{100 * share:.1f}",),
    "ratio": (rate, number, lambda ratio: f"{ratio:.1f}", lambda ratio: f"{ratio:.0f}"),
    "decades": (lambda width: f"{width:.1f}",),
}
# What may be printed as a number of each kind.
KINDS = {
    "percent": ("share", "expected share"),
    "axis": ("axis",),
    "seconds": ("seconds",),
    "plain": ("lr", "loss", "ratio", "decades"),
}


def printed(document: Document, kind: str, noun: str = "") -> set[str]:
    """Return how the facts of a kind are printed by lrfind's own formatters."""
    if kind == "pair":
        return {_minus(measured(*pair)) for pair in measures(document)}
    if kind == "percent pair":
        return {_minus(measured(*pair)) for pair in cost_measures(document)}
    if kind == "code" or noun == "scale":
        return {
            text for value in of(document, noun or kind) for text in (repr(value), repr(float(value)), literal(value))
        }
    if kind == "count" and noun in FACTS:
        counts = {int(count) for count in of(document, noun)}
        return {plural(count, "x").split()[0] for count in counts} | set(map(str, counts))
    kinds = KINDS.get(kind, KINDS["plain"])
    return {show(value) for name in kinds for value in of(document, name) for show in FORMATS[name]}


def _minus(text: str) -> str:
    is_zero = not set(text.split(" ", maxsplit=1)[0]) & set("123456789")
    return text.removeprefix("-") if is_zero else text.replace("-", "\u2212")
