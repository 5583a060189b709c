"""How long `lrfind check` takes on 10,000 rows and 30 columns, whatever their faults, and how well it keeps a budget.

    python tests/benchmarks/bench_check_time.py [--repeat 3] [--only dates] [--no-judge]

Whole processes, from before the start to after the end, the best of several: other work on the machine only ever adds
time. Beside the wall time stands what the processors computed, which other work hardly changes, and at the end the load
of the machine.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import measure
import numpy as np
import pandas as pd

N_ROWS, N_COLUMNS = 10_000, 30
# Seconds: what a CI job may take longer for one table without anybody minding.
TARGET = 8.0
BUDGETS = (1.0, 2.0, 4.0)
# Seconds beyond a budget: what is under way is brought to an end.
OVERSHOOT = 1.0
Make = Callable[[np.random.Generator], pd.DataFrame]


def numbers(rng: np.random.Generator, n_columns: int = N_COLUMNS) -> pd.DataFrame:
    """Return columns of normal numbers, the last of them the class that follows from two of the others."""
    frame = pd.DataFrame(rng.normal(size=(N_ROWS, n_columns - 1)).round(4)).add_prefix("x")
    return frame.assign(y=np.where(frame["x0"] + frame["x1"] + 0.5 * rng.normal(size=N_ROWS) > 0, "yes", "no"))


def replaced(frame: pd.DataFrame, make: Callable[[int], object], n_columns: int) -> pd.DataFrame:
    """Return the frame with its last columns before the target made anew; `make` is given their numbers."""
    names = frame.columns[-1 - n_columns : -1]
    return frame.assign(**{name: make(i) for i, name in enumerate(names)})


def words(rng: np.random.Generator, n_words: int) -> list[str]:
    vocabulary = np.array([f"{a}{b}" for a in ("ka", "lo", "mi", "nu", "re") for b in range(400)])
    rank = np.minimum(rng.zipf(1.3, (N_ROWS, n_words)) - 1, len(vocabulary) - 1)
    return [" ".join(row) for row in vocabulary[rank]]


def levels(rng: np.random.Generator, n_levels: int) -> list[str]:
    return [f"level {code}" for code in rng.integers(0, n_levels, N_ROWS)]


def dates(rng: np.random.Generator) -> np.ndarray:
    return (np.datetime64("2015-01-01") + rng.integers(0, 4000, N_ROWS)).astype(str)


def mixed(rng: np.random.Generator) -> pd.DataFrame:
    frame = replaced(numbers(rng), lambda i: levels(rng, (3, 12, 40, 300)[i % 4]), 12)
    return frame.assign(x0=dates(rng), x2=dates(rng), x3=words(rng, 8), x4=rng.random(N_ROWS) < 0.2)


def gappy(rng: np.random.Generator) -> pd.DataFrame:
    frame = numbers(rng)
    values = frame.iloc[:, :-1].to_numpy(copy=True)
    values[rng.random(values.shape) < 0.3] = np.nan
    values[2000:5000, :10] = np.nan
    values[rng.random(values.shape) < 0.01] = np.inf
    return pd.DataFrame(values, columns=frame.columns[:-1]).assign(y=frame["y"])


def heavy(rng: np.random.Generator) -> pd.DataFrame:
    frame = replaced(numbers(rng), lambda _: rng.standard_cauchy(N_ROWS) * 1e6, 12)
    return frame.assign(x2=np.exp(20 * rng.normal(size=N_ROWS)), x3=1e30 * rng.normal(size=N_ROWS))


def as_text(rng: np.random.Generator) -> pd.DataFrame:
    frame = numbers(rng)
    units = (lambda v: f"{v} kg", lambda v: f"${1000 * v:,.2f}", lambda v: f"{v}%", lambda v: str(v).replace(".", ","))
    return frame.assign(**{name: frame[name].map(units[i % 4]) for i, name in enumerate(frame.columns[:-1])})


def classes(rng: np.random.Generator, n_classes: int) -> pd.DataFrame:
    frame = numbers(rng)
    ranks = (frame["x0"] + 0.1 * rng.normal(size=N_ROWS)).rank(method="first").to_numpy()
    return frame.assign(y=[f"c{int(rank * n_classes / (N_ROWS + 1))}" for rank in ranks])


def long_texts(rng: np.random.Generator, n_columns: int) -> pd.DataFrame:
    return replaced(numbers(rng), lambda _: words(rng, 200), n_columns)


def amount(rng: np.random.Generator) -> pd.DataFrame:
    frame = numbers(rng)
    return frame.assign(y=(3 * frame["x0"] - frame["x1"] ** 2 + rng.normal(size=N_ROWS)).round(4))


def halves(rng: np.random.Generator) -> pd.DataFrame:
    frame = numbers(rng)
    return pd.concat([frame[: N_ROWS // 2]] * 2)


def copies(rng: np.random.Generator) -> pd.DataFrame:
    frame = numbers(rng)
    return replaced(frame, lambda i: frame["x0"] * (i + 1), 20)


def shuffled(rng: np.random.Generator) -> pd.DataFrame:
    frame = numbers(rng)
    return frame.assign(y=rng.permutation(frame["y"]))


def rare(rng: np.random.Generator) -> pd.DataFrame:
    return numbers(rng).assign(y=np.where(np.arange(N_ROWS) < 30, "fraud", "fine"))


def leaking(rng: np.random.Generator) -> pd.DataFrame:
    frame = numbers(rng)
    return frame.assign(x9=frame["y"].map({"yes": "paid", "no": "open"}))


def ids(rng: np.random.Generator) -> pd.DataFrame:
    return replaced(numbers(rng), lambda i: [f"{i:x}{code:016x}" for code in rng.integers(0, 2**62, N_ROWS)], 15)


def drifting(rng: np.random.Generator) -> pd.DataFrame:
    frame = numbers(rng)
    clock = pd.date_range("2020-01-01", periods=N_ROWS, freq="h").astype(str)
    turned = np.where(np.arange(N_ROWS) > N_ROWS // 2, frame["x2"] > 0, frame["x2"] < 0)
    return frame.assign(x1=clock, y=np.where(turned, "up", "down"))


CASES: dict[str, Make] = {
    "numbers, 2 classes": numbers,
    "a number to predict": amount,
    "10 classes": lambda rng: classes(rng, 10),
    "100 classes": lambda rng: classes(rng, 100),
    "1000 classes": lambda rng: classes(rng, 1000),
    "a class of 30 rows": rare,
    "shuffled labels": shuffled,
    "a copy of the target": leaking,
    "numbers, levels, dates, text": mixed,
    "29 columns of dates": lambda rng: replaced(numbers(rng), lambda _: dates(rng), 29),
    "29 columns of 30 levels": lambda rng: replaced(numbers(rng), lambda _: levels(rng, 30), 29),
    "29 columns of 3000 levels": lambda rng: replaced(numbers(rng), lambda _: levels(rng, 3000), 29),
    "15 columns of ids": ids,
    "29 columns of 8 words": lambda rng: replaced(numbers(rng), lambda _: words(rng, 8), 29),
    "a column of 200 words": lambda rng: long_texts(rng, 1),
    "5 columns of 200 words": lambda rng: long_texts(rng, 5),
    "29 columns of 200 words": lambda rng: long_texts(rng, 29),
    "heavy tails": heavy,
    "gaps, bursts, infinities": gappy,
    "numbers as text": as_text,
    "20 copies of a column": copies,
    "every row twice": halves,
    "another rule halfway": drifting,
}

# Those that take long, each for another reason, are tried with budgets, too.
SLOW = ("1000 classes", "numbers, levels, dates, text", "29 columns of 3000 levels", "5 columns of 200 words")


def best_of(arguments: list[str | Path], *, repeat: int) -> tuple[float, float]:
    """Return the least wall time of several checks, and the least processor time.

    A check that fails the table is none of our business, one that breaks is.
    """
    command = [sys.executable, "-m", "lrfind", "check", *map(str, arguments)]
    wall, processor = [], []
    for _ in range(repeat):
        start, before = time.perf_counter(), _processor_seconds()
        run = subprocess.run(command, cwd=measure.ROOT, capture_output=True, text=True, check=False)
        wall.append(time.perf_counter() - start)
        processor.append(_processor_seconds() - before)
        if run.returncode not in (0, 1):
            raise RuntimeError(f"{command} ended with exit code {run.returncode}:\n{run.stderr}")
    return min(wall), min(processor)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def judged(name: str, arguments: list[str | Path], *, target: float, repeat: int) -> bool:
    seconds, processor = best_of(arguments, repeat=repeat)
    return measure.judge(f"{name}, seconds ({processor:.1f} computed)", seconds, target=target, at_most=True)


def main() -> None:
    """Measure, print, judge."""
    options = measure.parser(__doc__, repeat=3)
    options.add_argument("--only", default="", help="cases whose name holds this")
    asked = options.parse_args()
    met = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, make in CASES.items():
            if asked.only not in name:
                continue
            table = Path(scratch, "table.csv")
            make(np.random.default_rng(0)).to_csv(table, index=False)
            met.append(judged(name, [table, "--target", "y"], target=TARGET, repeat=asked.repeat))
            for budget in BUDGETS if name in SLOW else ():
                allowed = [table, "--target", "y", "--budget", str(budget)]
                met.append(judged(f"  {budget:g} s allowed", allowed, target=budget + OVERSHOOT, repeat=asked.repeat))
    print(f"load of the machine over the last minutes: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    measure.finish(met, judged=not asked.no_judge)


if __name__ == "__main__":
    main()
