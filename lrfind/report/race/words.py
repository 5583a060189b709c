"""What a race has shown, in words: shared by the terminal, the figures and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lrfind.race import Standing, is_clear, standings
from lrfind.recommend import default_costs
from lrfind.report import words
from lrfind.text import measured

if TYPE_CHECKING:
    from lrfind.race import Leader, Margin, Race

# Later than this a shorter run is no news.
CLEARLY_SOONER = 0.95


def rows(race: Race) -> str:
    """Return the rows that judged: "5 × 113 rows", or "449 rows" where there is one fold."""
    each = words.plural(race.n_held_out // race.n_folds, "row")
    return each if race.n_folds == 1 else f"{race.n_folds} × {each}"


def n_runs(race: Race) -> int:
    """Return how many models were trained."""
    return len(race.scores.names) * race.n_replicas


def raced(race: Race) -> str:
    """Return what was trained: "12 rates and 4 schedules raced in 280 runs"."""
    rates = words.plural(np.unique(race.scores.lrs).size, "rate")
    names = words.plural(len(race.margins), "schedule")
    return f"{rates} and {names} raced in {words.plural(n_runs(race), 'run')}"


def effort(race: Race) -> str:
    """Return what was done: "12 rates and 4 schedules raced in 280 runs, judged on 5 × 113 rows held out"."""
    return f"{raced(race)}, judged on {rows(race)} held out"


def expectation(race: Race) -> str:
    """Return where earlier races expected the best rate, as the picture of the race says it."""
    return f"earlier races expected {words.rate(race.expected_lr)}"


def simplest(race: Race) -> Margin:
    """Return the schedule that the others are compared with: the one that is nothing ahead of itself."""
    return min(race.margins, key=lambda margin: (abs(margin.ahead) + margin.ahead_se, margin.ahead))


def standing(race: Race, margin: Margin) -> str:
    """Return how a schedule did against the one with the lowest loss, in words."""
    return standings(race.margins)[margin.schedule].value


def in_noise(race: Race, margin: Margin) -> bool:
    """Return whether a schedule cannot be told from the one with the lowest loss."""
    return standings(race.margins)[margin.schedule] in (Standing.LOWEST, Standing.CLOSE)


def clearly_ahead(margin: Margin) -> bool:
    """Return whether a schedule ends below the simplest one by more than noise."""
    return is_clear(margin.ahead, margin.ahead_se)


def ahead(race: Race, margin: Margin) -> str:
    """Return how far below the simplest schedule one ends: "0.011 ± 0.003"."""
    if margin.schedule == simplest(race).schedule:
        return ""
    return _signed(measured(margin.ahead, margin.ahead_se))


def _signed(text: str) -> str:
    """Return a number with a typographic minus, and none in front of a zero."""
    is_zero = not set(text.split(" ", maxsplit=1)[0]) & set("123456789")
    return text.removeprefix("-") if is_zero else text.replace("-", "\u2212")


def expected_cost(margin: Margin) -> str:
    """Return the share of the gain that a schedule is expected to give up against the best."""
    return f"{100 * max(margin.expected_behind, 0.0):.1f} %"


def margins_caption(race: Race, *, has_answer: bool) -> str:
    """Return what the table of schedules compares; `has_answer` says whether a rate is advised."""
    if len(race.margins) == 1:
        return "The only schedule raced, at its best rate."
    shared = (
        "Schedules share seeds, batches and held-out rows, so a difference between two is known far better than "
        "either loss."
    )
    if not has_answer:
        return f"Each schedule at a rate where it ended low. {shared}"
    return (
        f"The schedule advised at the rate advised, the others at the rate where they ended lowest. {shared} The "
        "expected cost, as a share of the gain, also counts how each did in earlier races. Of those that no other run "
        "of the race ends clearly below, by two standard errors, the simplest is advised that is expected to cost next "
        "to nothing."
    )


def cost_share(leader: Leader) -> str:
    """Return the share of the gain given up, with its standard error: "4.1 ± 0.4 %"."""
    if not np.isfinite(leader.losses[-1]):
        return "100 %"
    return _signed(f"{measured(100 * leader.cost, 100 * leader.cost_se)} %")


def sooner_share(race: Race) -> str:
    """Return the share of the steps after which the advised run is there: "58 %"; empty where it is not known."""
    return "" if race.steps_sooner is None else f"{100 * race.steps_sooner:.0f} %"


def sooner(race: Race) -> str:
    """Return how much sooner the advised run is as good as the best constant rate; empty where it is not."""
    share = race.steps_sooner
    if share is None or share > CLEARLY_SOONER or race.winner.schedule == "constant":
        return ""
    return f"reaches the best constant rate's final loss after {sooner_share(race)} of the steps"


def race_title(race: Race, *, has_answer: bool) -> str:
    """Return what the race found; `has_answer` says whether a rate is advised."""
    if not has_answer:
        return "No rate clearly beats a constant guess on rows held out"
    best, plain = race.winner, simplest(race)
    at = f"{words.name(best.schedule)} at {words.rate(best.lr)}"
    if len(race.margins) == 1:
        return f"{at} ends lowest on rows held out"
    if standings(race.margins)[best.schedule] is Standing.WORSE:
        return f"{at} was asked for; {words.name(race.margins[0].schedule)} ends lower"
    if clearly_ahead(best):
        return f"{at} beats the best {words.name(plain.schedule)} by {measured(best.ahead, best.ahead_se)}"
    return f"No schedule does clearly better than {at}"


def race_subtitle(*, unit: str) -> str:
    """Return what the axes of the race show."""
    return f"Held-out loss ({unit}) after training against the peak rate; the band is one standard error"


def learning_title(race: Race, *, has_answer: bool) -> str:
    """Return what the watched runs show; `has_answer` says whether a rate is advised."""
    if not has_answer:
        return "Training hardly helps on rows held out"
    if text := sooner(race):
        return f"{words.name(race.winner.schedule)} {text}"
    text = default_costs(race)
    return text[:1].upper() + text[1:] if text else "How the advised run learns"


def learning_subtitle(*, unit: str) -> str:
    """Return what the axes of the watched runs show."""
    return f"Held-out loss ({unit}) over the steps of training"
