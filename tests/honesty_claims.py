"""Objections to what is said of a run, from its run.json alone: `objections(stored)`.

Each claim is a function of its own that yields sentences; the rules are written down here once more, not imported.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator

import numpy as np
from honesty_counts import Document, scheduled
from honesty_runs import Stored
from honesty_text import page_rows, pieces

from lrfind.text import measured, number, rate

# Standard errors, and the relative rounding of losses, within which a difference is none.
ERRORS, ROUNDING = 2.0, 1e-6
# A replica that diverged, or ended higher, counts as this many constant guesses.
WORST = 2.0
# Share of the gain that any rate of the good range gives up at most.
PROMISE = 0.05
# What is said of a default, by the kind of claim it makes.
WORSE, EVEN, BETTER = r"gives up|diverges", r"does as well|is within noise", r"gains"
# Most rounds in which a schedule gets rates beyond its lowest.
MOST_EXTENSIONS = 6


def is_clear(difference: float, error: float) -> bool:
    """Return whether a difference is more than noise."""
    return difference > ERRORS * error + ROUNDING


def replicas(document: Document) -> dict[tuple[str, float], np.ndarray]:
    """Return each candidate's losses, one a replica."""
    worst = WORST * document["race"]["baseline_loss"]
    return {
        (candidate["schedule"], candidate["lr"]): np.array(
            [worst if loss is None else min(loss, worst) for loss in candidate["losses"]]
        )
        for candidate in document["race"]["candidates"]
    }


def asked(document: Document) -> set[str]:
    """Return the schedules that were to be compared."""
    chosen = document["config"]["schedules"]
    return set(chosen) if chosen else {margin["schedule"] for margin in document["race"]["margins"]}


def means(document: Document) -> dict[tuple[str, float], float]:
    """Return each candidate's held-out loss."""
    return {
        (candidate["schedule"], candidate["lr"]): candidate["loss"]
        for candidate in document["race"]["candidates"]
        if candidate["loss"] is not None
    }


def nothing_measured_beats_the_advice(run: Stored) -> Iterator[str]:
    """No candidate of a schedule that was asked for ends clearly below the advised one, nor does a default."""
    race, loss = run.document["race"], means(run.document) if run.document["race"] else {}
    if not race or run.document["recommendation"]["lr"] is None:
        return
    losses, ours = replicas(run.document), (race["winner"]["schedule"], race["winner"]["lr"])
    for candidate in race["candidates"]:
        other, above, error = (candidate["schedule"], candidate["lr"]), candidate["above"], candidate["above_se"]
        by_replica = float(np.std(losses[ours] - losses[other], ddof=1) / math.sqrt(race["n_replicas"]))
        if error < by_replica * (1 - ROUNDING):
            yield f"{other}: the error of the difference is {error:.3g}, over replicas alone it is {by_replica:.3g}"
        if other in loss and abs(above - (loss[other] - loss[ours])) > ROUNDING:
            yield f"{other}: lies {above:.4g} above the advised, by the losses {loss[other] - loss[ours]:.4g}"
        if other[0] in asked(run.document) and is_clear(-above, error):
            yield f"{other} ends {-above:.3g} ± {error:.2g} below the advised {ours}"
    for leader in race["leaders"]:
        is_asked = leader["schedule"]["name"] in asked(run.document)
        if leader["label"] != "advised" and is_asked and is_clear(-leader["cost"], leader["cost_se"]):
            yield f"{leader['label']} beats the advice by {-leader['cost']:.2g} ± {leader['cost_se']:.2g} of the gain"


def standings_follow_one_rule(run: Stored) -> Iterator[str]:
    """Lowest, within noise, too noisy to tell and clearly worse are told apart by two standard errors."""
    margins = run.document["race"]["margins"] if run.document["race"] else []
    worse = [margin["behind"] for margin in margins if is_clear(margin["behind"], margin["behind_se"])]
    for place, margin in enumerate(margins):
        if is_clear(margin["behind"], margin["behind_se"]):
            expected = "clearly worse"
        else:
            expected = "within noise" if margin["behind"] < min(worse, default=math.inf) else "too noisy to tell"
        expected = expected if place else "lowest"
        if margin["standing"] != expected:
            yield f"{margin['schedule']} is {margin['standing']}, not {expected}"
    # a landmark of the range test has the same name, further down
    said = [piece.text for piece in pieces(run) if piece.medium == "page" and piece.text in STANDINGS][: len(margins)]
    if len(margins) > 1 and said != [margin["standing"] for margin in margins]:
        yield f"the page's standings are {said}"


STANDINGS = frozenset({"lowest", "within noise", "too noisy to tell", "clearly worse"})


def schedules_are_named_as_they_stand(run: Stored) -> Iterator[str]:
    """Who "is within noise" is so by the table, and who "beats" another does by more than noise."""
    if not run.document["race"] or run.document["recommendation"]["lr"] is None:
        return
    standing = {margin["schedule"]: margin["standing"] for margin in run.document["race"]["margins"]}
    winner = run.document["race"]["winner"]
    for piece in pieces(run):
        for names in re.findall(r"; ([a-z_, ]+?)(?: and \d+ more)? (?:is|are) within noise", piece.text):
            for name in re.split(r", | and ", names):
                if standing[name] not in {"lowest", "within noise"}:
                    yield f"{name} is said to be within noise ({piece.medium}), but is {standing[name]}"
        if re.search(rf"\b{winner['schedule']}\b.* beats the best", piece.text) and not is_clear(
            winner["ahead"], winner["ahead_se"]
        ):
            yield f"{piece.text!r} ({piece.medium}), but by {winner['ahead']:.2g} ± {winner['ahead_se']:.2g}"


def defaults_cost_what_they_are_said_to(run: Stored) -> Iterator[str]:
    """What is said of 0.001 and 0.01 agrees with what was measured, and with the good range."""
    race, advice = run.document["race"], run.document["recommendation"]
    if not race or advice["lr"] is None:
        return
    for leader in (leader for leader in race["leaders"] if leader["label"].startswith("default")):
        lr, cost, error = leader["lr"], leader["cost"], leader["cost_se"]
        losses = next(
            c["losses"] for c in race["candidates"] if (c["schedule"], c["lr"]) == (leader["schedule"]["name"], lr)
        )
        if leader["n_lost"] != losses.count(None):
            yield f"{leader['n_lost']} runs at {lr:g} are said to be lost, {losses.count(None)} were"
        is_lost = None in losses
        expected = WORSE if is_lost or is_clear(cost, error) else BETTER if is_clear(-cost, error) else EVEN
        is_good = advice["lr_low"] <= lr <= advice["lr_high"]
        for medium, said in said_of_defaults(run, lr):
            if not re.match(expected, said):
                yield f"{lr:g} {said} ({medium}), but costs {cost:.3f} ± {error:.3f}"
            if said.startswith("does as well") and not is_good:
                yield f"{lr:g} {said} ({medium}), but lies outside the good range"
            # elsewhere the range is that of another schedule
            if (
                said.startswith("gives up")
                and advice["schedule"]["name"] == "constant"
                and is_good
                and cost - ERRORS * error > PROMISE
            ):
                yield f"{lr:g} {said} ({medium}), but lies in the good range"


def said_of_defaults(run: Stored, lr: float) -> Iterator[tuple[str, str]]:
    """Yield what is said of a default, by medium: in a sentence, or in a row between its rate and its share."""
    every = list(pieces(run))
    for piece in every:
        for found in re.finditer(rf"(?:onstant |, ){re.escape(rate(lr))} ({WORSE}|{EVEN}|{BETTER})", piece.text):
            yield piece.medium, found[1]
    for before, piece, after in zip(every, every[1:], every[2:], strict=False):
        if before.text == rate(lr) and after.text.endswith(" %") and re.match(f"{WORSE}|{EVEN}|{BETTER}", piece.text):
            yield piece.medium, piece.text


def best_constant_is_the_best(run: Stored) -> Iterator[str]:
    """The best constant rate is the lowest constant candidate."""
    race = run.document["race"]
    leader = next((leader for leader in race["leaders"] if leader["label"] == "best constant"), None) if race else None
    if leader is None:
        return
    constants = {lr: loss for (name, lr), loss in means(run.document).items() if name == "constant"}
    if leader["lr"] != min(constants, key=constants.__getitem__):
        yield f"the best constant is {min(constants, key=constants.__getitem__)}, not {leader['lr']}"


def lowest_rates_are_bracketed(run: Stored) -> Iterator[str]:
    """Each schedule's lowest candidate has neighbours on both sides, unless nothing more could be tried."""
    race, config = run.document["race"], run.document["config"]
    for name in {margin["schedule"] for margin in race["margins"]} if race else ():
        row = sorted(
            (c["lr"], math.inf if c["loss"] is None else c["loss"], c["losses"])
            for c in race["candidates"]
            if c["schedule"] == name
        )
        at = min(range(len(row)), key=lambda i: row[i][1])
        is_limited = row[0][0] / 2 <= config["lr_min"] or row[-1][0] * 2 >= config["lr_max"]
        has_diverged = any(None in losses for _, _, losses in row)
        if at in {0, len(row) - 1} and not is_limited and not has_diverged and len(row) < 5 + MOST_EXTENSIONS:
            yield f"{name} is lowest at {row[at][0]}, an end of {[lr for lr, _, _ in row]}"


# What must not stand in a report without an answer.
NEVER = (r"gives? up", r"does as well", r"of the gain", r"beats the best", r"Learning rate \d", r"this race agrees")
# Nor where a race was run and has found nothing.
NEVER_RACED = (r"not measured", r"[Ss]weep further")


def no_answer_is_told_in_one_voice(run: Stored) -> Iterator[str]:
    """A run without an answer says why, in the same words everywhere, and names no rate and no cost."""
    advice = run.document["recommendation"]
    if advice["lr"] is not None:
        return
    phrases = [*NEVER, *(NEVER_RACED if run.document["race"] and advice["verdict"] == "no_signal" else ())]
    if run.case.options.get("target"):
        phrases.append(r"--target names another")
    for piece in pieces(run):
        for phrase in phrases:
            if re.search(phrase, piece.text):
                yield f"{piece.text!r} ({piece.medium}) of a run without an answer"
    for medium in ("terminal 80", "terminal 120", "recommend", "page"):
        if not any(advice["sentence"] in piece.text for piece in pieces(run) if piece.medium == medium):
            yield f"{medium} does not say {advice['sentence']!r}"


def the_answer_is_the_same_everywhere(run: Stored) -> Iterator[str]:
    """The rate, its range and the held-out loss are printed with the same characters in every medium."""
    advice = run.document["recommendation"]
    if advice["lr"] is None:
        return
    lr = rate(advice["lr"])
    said = {medium: [piece for piece in pieces(run) if piece.medium == medium] for medium in run.texts}
    for medium in ("terminal 80", "terminal 120", "recommend"):
        if not any(p.label == "Learning rate" and p.text.split()[0] == lr for p in said[medium]):
            yield f"{medium} does not begin with {lr}"
    if not any(p.label == "Learning rate" and p.text == lr for p in said["page"]):
        yield f"the page's large number is not {lr}"
    ends = (
        None
        if advice["lr_low"] is None or advice["lr_high"] is None
        else (rate(advice["lr_low"]), rate(advice["lr_high"]))
    )
    for medium, every in said.items():
        whole = " ".join(p.text for p in every)
        if (
            medium not in {"code json", "code csv"}
            and ends
            and not re.search(rf"{ends[0]} (?:and|to) {ends[1]}\b", whole)
        ):
            yield f"{medium} does not name the range {ends}"
        if medium.startswith("code") and every and f"Learning rate {lr}" not in whole:
            yield f"{medium} is not for {lr}"
        if advice["expected"] and not medium.startswith("code"):
            loss = measured(advice["expected"]["val_loss"], advice["expected"]["val_loss_se"])
            if loss not in whole:
                yield f"{medium} does not say that {loss} is reached"


def pointing_at_a_chart_shows_what_was_measured(run: Stored) -> Iterator[str]:
    """What the race's chart says of a rate is what each schedule reached there."""
    if not run.document["race"]:
        return
    table = {(rate(lr), name): number(loss) for (name, lr), loss in means(run.document).items()}
    for row in page_rows(run.texts["page"]):
        head, *rest = row.split(";")
        if head.startswith("peak rate "):
            lr = head.removeprefix("peak rate ")
            for part in rest:
                name, _, loss = part.rpartition(" ")
                if loss != "diverged" and table.get((lr, name)) != loss:
                    yield f"{name} at {lr} is said to reach {loss}, not {table.get((lr, name))}"


def held_out_rows_are_counted(run: Stored) -> Iterator[str]:
    """Every row was held out only where every row was."""
    race, problem = run.document["race"], run.document["problem"]
    if not race:
        return
    is_every = race["n_held_out"] == problem["n_train"] + problem["n_val"]
    for piece in pieces(run):
        if "every row was held out" in piece.text and not is_every:
            yield f"{piece.text!r}, but {race['n_held_out']} of {problem['n_train'] + problem['n_val']} were"


def exported_rates_are_the_schedules(run: Stored) -> Iterator[str]:
    """What is exported as data is the advice that is stored, and the rates of its schedule."""
    advice = run.document["recommendation"]
    if advice["lr"] is None:
        return
    lrs, exported = scheduled(run.document), json.loads(run.texts["code json"])
    for key, value in exported.items():
        if key != "rates" and value != advice[key]:
            yield f"{key} is exported as {value}, not {advice[key]}"
    listed = [line.split(",") for line in run.texts["code csv"].splitlines()[1:]]
    for name, rates in (("json", exported["rates"]), ("csv", [float(row[-1]) for row in listed])):
        if len(rates) != advice["train_steps"] or not np.allclose(rates, lrs, rtol=1e-9, atol=0):
            yield f"{len(rates)} rates are exported as {name} that are not the schedule's"


CLAIMS: tuple[Callable[[Stored], Iterator[str]], ...] = (
    nothing_measured_beats_the_advice,
    standings_follow_one_rule,
    schedules_are_named_as_they_stand,
    defaults_cost_what_they_are_said_to,
    best_constant_is_the_best,
    lowest_rates_are_bracketed,
    no_answer_is_told_in_one_voice,
    the_answer_is_the_same_everywhere,
    pointing_at_a_chart_shows_what_was_measured,
    held_out_rows_are_counted,
    exported_rates_are_the_schedules,
)


def objections(run: Stored) -> list[str]:
    """Return everything that is said of a run and is not so."""
    return [f"{run.case.name}, {claim.__name__}: {text}" for claim in CLAIMS for text in claim(run)]
