"""Rates, losses and shares that follow from a run.json, and how each is printed: `printed(document, kind, noun)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from honesty_counts import FACTS, Document, fact, of, race_of, scheduled

from lrfind.export.literal import literal
from lrfind.text import measured, number, plural, rate


@fact("lr", "cell")
def rates(document: Document) -> Iterable[float | None]:
    """Every rate of the run: advised, good, stable, raced, read, expected, the ends of the range and of the race."""
    advice, analysis, race = document["recommendation"], document["analysis"], race_of(document)
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
    analysis, race, expected = document["analysis"], race_of(document), document["recommendation"]["expected"]
    yield from (analysis["start_loss"], analysis["min_loss"], analysis["noise"])
    yield from (analysis["start_loss"] - analysis["min_loss"], lowest_fall(document))
    yield document["problem"]["baseline_loss"]
    yield from (race.get("baseline_loss"), race.get("loss"))
    yield from (margin["loss"] for margin in race["margins"])
    if expected:
        yield from (expected["val_loss"], expected["baseline_loss"])
    if document["proof"]:
        yield document["proof"]["baseline_loss"]


def lowest_fall(document: Document) -> float:
    """Return how far the pooled curve falls from its start; nothing where it only rises."""
    low = min((loss for loss in document["analysis"]["curve"]["pooled"] if loss is not None), default=math.nan)
    return max(document["analysis"]["start_loss"] - low, 0.0)


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
    race, expected, proof = race_of(document), document["recommendation"]["expected"], document.get("proof")
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
    leaders = [leader for leader in race_of(document)["leaders"] if leader["cost"] is not None]
    return {(100 * leader["cost"], 100 * leader["cost_se"]) for leader in leaders}


@fact("share")
def shares(document: Document) -> Iterable[float | None]:
    """Shares: of the gain given up, of the guess's loss gained, of the steps after which a constant rate is reached."""
    race, expected = race_of(document), document["recommendation"]["expected"]
    yield from (abs(leader["cost"]) for leader in race["leaders"] if leader["cost"] is not None)
    yield race.get("steps_sooner")
    if expected and expected["baseline_loss"] > 0:
        yield abs(expected["baseline_loss"] - expected["val_loss"]) / expected["baseline_loss"]


@fact("expected share")
def expected_shares(document: Document) -> Iterable[float]:
    """Shares of the gain that each schedule is expected to give up."""
    yield from (max(margin["expected_behind"], 0.0) for margin in race_of(document)["margins"])


@fact("ratio")
def ratios(document: Document) -> Iterable[float | None]:
    """Ratios of rates, of a gain to its error, and of a fall to its noise."""
    race, analysis, lr = race_of(document), document["analysis"], document["recommendation"]["lr"]
    known = [rule for rule in analysis["rules"].values() if rule]
    yield max(known) / min(known) if known else None
    yield from (rule / lr for rule in known if lr)
    if lr and document["experience"]:
        ratio = lr / document["experience"]["lr"]
        yield max(ratio, 1 / ratio)
    yield race["gain"] / race["gain_se"] if race.get("gain_se") else None
    for noise in filter(None, (analysis["noise"],)):
        yield from ((analysis["start_loss"] - analysis["min_loss"]) / noise, lowest_fall(document) / noise)
    mark = analysis["landmarks"]["minimum"] or analysis["landmarks"]["divergence"]
    yield mark["high"] / mark["low"] if mark and mark["low"] else None


@fact("decades")
def decades(document: Document) -> Iterable[float | None]:
    """Decades: between the seeds' lowest losses, from the fall to divergence, from the rate to each end."""
    marks, advice, race = document["analysis"]["landmarks"], document["recommendation"], race_of(document)
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
    if kind in {"code", "scale"}:
        return {text for value in of(document, kind) for text in (repr(value), repr(float(value)), literal(value))}
    if kind == "count" and noun in FACTS:
        counts = {int(count) for count in of(document, noun)}
        return {plural(count, "x").split()[0] for count in counts} | set(map(str, counts))
    kinds = KINDS.get(kind, KINDS["plain"])
    return {show(value) for name in kinds for value in of(document, name) for show in FORMATS[name]}


def _minus(text: str) -> str:
    is_zero = not set(text.split(" ", maxsplit=1)[0]) & set("123456789")
    return text.removeprefix("-") if is_zero else text.replace("-", "\u2212")
