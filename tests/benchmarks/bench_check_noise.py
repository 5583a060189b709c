"""How often `lrfind check` calls noise healthy, and good tables ill.

    python tests/benchmarks/bench_check_noise.py [--seeds 200] [--begin 0]

Noise: a table with shuffled labels, nine in ten labels alike and nothing behind them, 500 columns of noise in 50 rows.
It must fail: an error, whichever. Good tables of six kinds and three sizes, as they are and sorted by the target, must
pass: no error. Warnings about them are counted by code. Every twentieth table is examined twice, and must give the same
JSON.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
from bench_check import checked

from lrfind.report.check import CheckReport, to_json

# Seeds between two tables examined twice, and between two lines of progress.
EVERY = 20
SIZES = (200, 500, 1000)
KINDS = ("linear", "curved", "three classes", "one in ten", "levels", "a number")


def good(kind: str, n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return a table from which much can be learned."""
    frame = pd.DataFrame(rng.normal(size=(n_rows, 6)), columns=list("abcdef"))
    a, b, noise = frame["a"], frame["b"], rng.normal(size=n_rows)
    if kind == "linear":
        return frame.assign(y=np.where(2 * a - 2 * b + noise > 0, "yes", "no"))
    if kind == "curved":
        return frame.assign(y=np.where(np.abs(a) + 0.2 * noise > 0.8, "far", "near"))
    if kind == "three classes":
        return frame.assign(y=np.stack([2 * a, 2 * b, noise]).argmax(axis=0).astype(str)).replace(
            {"y": dict(zip("012", "pqr", strict=True))}
        )
    if kind == "one in ten":
        return frame.assign(y=np.where(3 * a + noise > 4, "sick", "well"))
    if kind == "levels":
        town = rng.choice(["north", "south", "east", "west"], n_rows)
        return frame.assign(town=town, y=np.where((town == "north") ^ (rng.random(n_rows) < 0.1), "buys", "leaves"))
    return frame.assign(y=3 * a + np.sin(2 * b) + noise)


def noise(kind: str, rng: np.random.Generator) -> pd.DataFrame:
    if kind == "shuffled":
        frame = good(str(rng.choice(KINDS)), int(rng.choice(SIZES)), rng)
        return frame.assign(y=rng.permutation(frame["y"].to_numpy()))
    n_rows, n_columns = (50, 500) if kind == "wide" else (int(rng.choice(SIZES)), 10)
    frame = pd.DataFrame(rng.normal(size=(n_rows, n_columns))).add_prefix("x")
    return frame.assign(y=rng.permutation(np.where(np.arange(n_rows) % (2 if kind == "wide" else 10) == 0, "p", "n")))


def main() -> int:
    """Print the shares."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=200)
    options.add_argument("--begin", type=int, default=0)
    chosen = options.parse_args()
    healthy: dict[str, list[bool]] = defaultdict(list)
    alarms: dict[str, list[bool]] = defaultdict(list)
    warnings: Counter[str] = Counter()
    same, start = [], time.perf_counter()
    for seed in range(chosen.begin, chosen.begin + chosen.seeds):
        rng = np.random.default_rng([seed, 22])
        for kind in ("shuffled", "nine in ten", "wide"):
            report = checked(noise(kind, rng), "y", seed=seed)
            healthy[kind].append(report is not None and report.passed)
        kind = KINDS[seed % len(KINDS)]
        frame = good(kind, SIZES[seed // len(KINDS) % len(SIZES)], rng)
        by_class = frame.sort_values("y", kind="stable")
        for words, table in (("as it is", frame), ("sorted by target", by_class)):
            report = checked(table, "y", seed=seed)
            alarms[words].append(report is None or not report.passed)
            warnings.update(told(report, f"{kind}, {words}"))
        if seed % EVERY == 0:
            same.append(_json(checked(frame, "y", seed=seed)) == _json(checked(frame, "y", seed=seed)))
        if (seed + 1) % EVERY == 0:
            print(f"seed {seed}: healthy {_sums(healthy)}; failed {_sums(alarms)}", flush=True)
    print("noise called healthy:", *(f"{kind} {sum(seen)} of {len(seen)};" for kind, seen in healthy.items()))
    print("good tables failed:", *(f"{words} {sum(seen)} of {len(seen)};" for words, seen in alarms.items()))
    print("found in good tables:", dict(warnings.most_common()))
    print(f"the same JSON twice: {sum(same)} of {len(same)}; {time.perf_counter() - start:.0f} s")
    return 0


def _sums(seen: dict[str, list[bool]]) -> dict[str, int]:
    return {words: sum(hits) for words, hits in seen.items()}


def told(report: CheckReport | None, words: str) -> list[str]:
    if report is None:
        return [f"{words}: refused"]
    return [f"{words}: {finding.severity} {finding.code}" for finding in report.found]


def _json(report: CheckReport | None) -> str:
    # each is written to a file of its own
    return "" if report is None else "\n".join(line for line in to_json([report]).splitlines() if '"path"' not in line)


if __name__ == "__main__":
    sys.exit(main())
