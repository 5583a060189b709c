"""What is counted in a run.json, each by a named function, and the table of all such functions: `FACTS`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from lrfind.schedule import Schedule, Segment, values
from lrfind.schedule.plateau import window_length

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


def race_of(document: Document) -> Document:
    return document["race"] or {"margins": [], "candidates": [], "leaders": [], "replicas": []}


def scheduled(document: Document) -> Any:
    """Return the rates of the schedule advised, one a step."""
    stored = document["recommendation"]["schedule"]
    if stored is None:
        return np.zeros(0)
    segments = tuple(Segment(**segment) for segment in stored["segments"])
    return values(Schedule(**{**stored, "segments": segments}))


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
    data, problem, race = document["data"], document["problem"], race_of(document)
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
    n_steps = document["recommendation"]["train_steps"]
    yield from (n_steps, n_steps // window_length(n_steps), document["sweep"]["n_steps"])
    if document["race"]:
        yield document["race"]["n_steps"]


@fact("seeds", "seed")
def seeds(document: Document) -> Iterable[float]:
    """Seeds of the range test, twice as many, and seeds of the race."""
    yield from (document["sweep"]["n_seeds"], 2 * document["sweep"]["n_seeds"])
    yield len({replica["seed"] for replica in race_of(document)["replicas"]})


@fact("folds", "fold")
def folds(document: Document) -> Iterable[float]:
    """Folds of one partition."""
    yield from ([document["race"]["n_folds"]] if document["race"] else [])


@fact("rates", "rate")
def raced_rates(document: Document) -> Iterable[float]:
    """Different rates that were raced."""
    yield len({candidate["lr"] for candidate in race_of(document)["candidates"]})


@fact("schedules", "schedule")
def raced_schedules(document: Document) -> Iterable[float]:
    """Schedules that were raced."""
    yield len(race_of(document)["margins"])


@fact("pairs")
def pairs(document: Document) -> Iterable[float]:
    """Candidates: pairs of rate and schedule."""
    yield len(race_of(document)["candidates"])


@fact("runs", "run")
def runs(document: Document) -> Iterable[float]:
    """Runs of the race, of each candidate, and lost ones."""
    race = race_of(document)
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
    margins = race_of(document)["margins"]
    yield sum(margin["standing"] in {"lowest", "within noise"} for margin in margins)


@fact("more")
def others_close(document: Document) -> Iterable[float]:
    """Schedules within noise beside the one advised and the two that are named."""
    close = [m["schedule"] for m in race_of(document)["margins"] if m["standing"] in {"lowest", "within noise"}]
    advised = race_of(document).get("winner", {}).get("schedule")
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
    margins = race_of(document)["margins"]
    return next((m["schedule"] for m in margins if m["ahead"] == m["ahead_se"] == 0), None)


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


@fact("code", "scale", "updates", "losses")
def plateau_window(document: Document) -> Iterable[float]:
    """Losses that reduce_on_plateau averages before it compares."""
    yield window_length(document["recommendation"]["train_steps"])
