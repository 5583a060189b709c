"""Write the synthetic tables of this folder: made-up numbers that describe no real person, firm or market.

Run as ``python sample_data/make_synthetic.py [DIRECTORY]``; without an argument the files are written beside this
script. The same bytes come out every time and with every Python: all draws come from `Random.random`, whose stream is
promised to stay the same for a seed, and all sums are exactly rounded.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

Row = tuple[object, ...]

# One seed for every file, each with its own stream: adding a file never changes the others.
SEED = 20260101

N_DAYS = 2_000
FIRST_DAY = dt.date(2018, 1, 1)
# Monday to Friday are 0 to 4 in `date.weekday`.
N_WEEKDAYS = 5
# Share of the last day's return that carries over; real daily returns show 0.05 or less, this is learnable.
MOMENTUM = 0.4
# Daily volatility in per cent: calm and nervous markets, and how often the market changes its mood.
CALM, NERVOUS, P_SWITCH = 0.7, 2.2, 0.01

N_PAYMENTS = 6_000
# Payments whose distance is missing, as the logs of terminals have them.
P_UNKNOWN = 0.03
# Payments that are probed by a fraudster; about two thirds of them look the part, the rest cannot be told apart.
P_FRAUD = 0.02
P_FRAUD_TYPICAL = 0.67
KINDS = ("groceries", "fuel", "travel", "electronics", "gift cards", "restaurants")
KIND_WEIGHTS = (38, 16, 8, 10, 4, 24)
FRAUD_KIND_WEIGHTS = (4, 4, 22, 34, 32, 4)

N_USERS, N_FILMS, N_RATINGS = 400, 160, 6_000
GENRES = ("drama", "comedy", "thriller", "documentary", "animation")


def normal(rng: random.Random, *, mean: float, sd: float) -> float:
    """Return a draw of nearly a normal law: twelve uniforms summed, so that no platform's `log` matters."""
    return mean + sd * (math.fsum(rng.random() for _ in range(12)) - 6.0)


def below(rng: random.Random, n: int) -> int:
    """Return a whole number from 0 to n - 1, each as likely."""
    return int(n * rng.random())


def pick(rng: random.Random, weights: tuple[int, ...]) -> str:
    """Return one of `KINDS`, as likely as its weight; `weights` add up to 100."""
    position = below(rng, 100)
    for kind, weight in zip(KINDS, weights, strict=True):
        position -= weight
        if position < 0:
            return kind
    raise AssertionError("weights must add up to 100")


def returns(rng: random.Random) -> Iterator[Row]:
    """Yield one row a trading day: what was known at its close, and the next day's return (regression)."""
    yield ("date", "return_1d", "return_5d", "volatility_5d", "volume", "rate", "return_next")
    history = [0.0] * N_WEEKDAYS
    volatility, rate, day = CALM, 2.0, FIRST_DAY
    for _ in range(N_DAYS):
        if rng.random() < P_SWITCH:
            volatility = NERVOUS if volatility == CALM else CALM
        rate += normal(rng, mean=0.0, sd=0.02)
        upcoming = MOMENTUM * history[-1] - 0.1 * (rate - 2.0) + normal(rng, mean=0.03, sd=volatility)
        spread = math.fsum(abs(value) for value in history) / len(history)
        volume = int(900_000 * (1.0 + spread / 2.0) * (0.8 + 0.4 * rng.random()))
        known = (f"{history[-1]:.3f}", f"{math.fsum(history):.3f}", f"{spread:.3f}", volume, f"{rate:.3f}")
        yield (day.isoformat(), *known, f"{upcoming:.3f}")
        history = [*history[1:], upcoming]
        day += dt.timedelta(days=3 if day.weekday() == N_WEEKDAYS - 1 else 1)


def payments(rng: random.Random) -> Iterator[Row]:
    """Yield one row a card payment; about one in fifty is fraud (two classes, imbalanced)."""
    yield (
        "amount",
        "hour",
        "kind",
        "card_present",
        "km_from_home",
        "minutes_since_last",
        "account_age_days",
        "fraud",
    )
    for _ in range(N_PAYMENTS):
        fraud = rng.random() < P_FRAUD
        odd = fraud and rng.random() < P_FRAUD_TYPICAL
        kind = pick(rng, FRAUD_KIND_WEIGHTS if odd else KIND_WEIGHTS)
        # A product of uniforms has the heavy right tail that amounts and distances have.
        amount = (900.0 if odd else 160.0) * rng.random() * rng.random() + 1.0
        hour = int(normal(rng, mean=3.0 if odd else 14.0, sd=3.5)) % 24
        distance = (4_000.0 if odd else 40.0) * rng.random() * rng.random() * rng.random()
        gap = int((90 if odd else 2_500) * rng.random() * rng.random()) + 1
        age = 1 + below(rng, 700 if odd else 3_000)
        present = "no" if rng.random() < (0.9 if odd else 0.3) else "yes"
        shown = "" if rng.random() < P_UNKNOWN else f"{distance:.1f}"
        yield (f"{amount:.2f}", hour, kind, present, shown, gap, age, "yes" if fraud else "no")


def ratings(rng: random.Random) -> Iterator[Row]:
    """Yield one row a rating of a film by a viewer: two id columns of many values, stars from 1 to 5 (regression)."""
    yield ("user", "film", "genre", "year", "day", "stars")
    kindness = [normal(rng, mean=0.0, sd=0.5) for _ in range(N_USERS)]
    tastes = [[normal(rng, mean=0.0, sd=0.5) for _ in GENRES] for _ in range(N_USERS)]
    films = [(below(rng, len(GENRES)), 1960 + below(rng, 60), normal(rng, mean=3.4, sd=0.6)) for _ in range(N_FILMS)]
    seen: set[tuple[int, int]] = set()
    while len(seen) < N_RATINGS:
        # The lower of two draws: some films are seen by many, most by few.
        user, film = below(rng, N_USERS), min(below(rng, N_FILMS), below(rng, N_FILMS))
        if (user, film) in seen:
            continue
        seen.add((user, film))
        genre, year, quality = films[film]
        liking = quality + kindness[user] + tastes[user][genre] + normal(rng, mean=0.0, sd=0.6)
        stars = min(5, max(1, int(liking + 0.5)))
        yield (f"u{user:04d}", f"f{film:04d}", GENRES[genre], year, 1 + below(rng, 365), stars)


FILES: dict[str, Callable[[random.Random], Iterator[Row]]] = {
    "finance_synthetic_returns.csv": returns,
    "fraud_synthetic_payments.csv": payments,
    "ratings_synthetic_films.csv": ratings,
}


def write_all(directory: Path) -> None:
    """Write every synthetic file into `directory`."""
    for name, rows in FILES.items():
        with (directory / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows(random.Random(f"{SEED} {name}")))


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
