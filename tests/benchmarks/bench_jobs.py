"""How much quicker a race is in two processes than in one: the same race on the digits, in turns.

Two figures are printed. The first is the ratio of wall times, as it was. Other work on the machine spoils it: one
process finds a free core where two do not. The second is what the ratio would be with a core for each process, from
the processes' own clocks: all of the single process's time, against the parent's own and an even share of the workers'.
It counts what two processes cost each other in caches and memory, but not waiting. On a quiet machine they agree; the
second is judged. As a control, a plain loop is run in one and two processes between the races: where it gains less
than 2x, the machine had no second core to give.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import measure

import lrfind.find

DATA = measure.ROOT / "sample_data" / "vision_digits.csv"
# Less means that a second core is bought dearly.
TARGET, N_JOBS = 1.7, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one race took, in seconds.

    Attributes
    ----------
    wall : float
    own : float
        CPU time of this process.
    workers : float
        CPU time of its workers, together.
    """

    wall: float
    own: float
    workers: float

    @property
    def busy(self) -> float:
        """Wall time with a core for each process."""
        return self.own + self.workers / N_JOBS


@contextmanager
def timed_race(turns: list[Turn]) -> Iterator[None]:
    """Note what each race takes, the range test before it left out."""
    race = lrfind.find.race

    def timed(*args: Any, **kwargs: Any) -> Any:
        before, begin = os.times(), time.perf_counter()
        done = race(*args, **kwargs)
        wall, after = time.perf_counter() - begin, os.times()
        own = after.user + after.system - before.user - before.system
        workers = after.children_user + after.children_system - before.children_user - before.children_system
        turns.append(Turn(wall=wall, own=own, workers=workers))
        return done

    lrfind.find.race = timed
    try:
        yield
    finally:
        lrfind.find.race = race


# Turns of the control's loop: about as long as one of the race's rounds.
N_LOOPS = 20_000_000


def burn(n_loops: int) -> int:
    """Keep a core busy."""
    total = 0
    for number in range(n_loops):
        total += number
    return total


def control() -> float:
    """Return how much quicker two processes do twice the work than one after the other would."""
    with multiprocessing.get_context("fork").Pool(N_JOBS) as pool:
        begin = time.perf_counter()
        pool.map(burn, [N_LOOPS], chunksize=1)
        middle = time.perf_counter()
        pool.map(burn, [N_LOOPS] * N_JOBS, chunksize=1)
        return N_JOBS * (middle - begin) / (time.perf_counter() - middle)


def main() -> None:
    """Measure, print, judge."""
    args = measure.parser(__doc__, repeat=3).parse_args()
    turns: dict[int, list[Turn]] = {1: [], N_JOBS: []}
    controls = []
    for _ in range(args.repeat):
        controls.append(control())
        for n_jobs, taken in turns.items():
            with timed_race(taken):
                lrfind.find.find_lr(str(DATA), jobs=n_jobs, learn=False)
    for n_jobs, taken in turns.items():
        wall, busy = median(turn.wall for turn in taken), median(turn.own + turn.workers for turn in taken)
        print(f"{n_jobs} process{'es' if n_jobs > 1 else ''}: {wall:6.2f} s wall, {busy:6.2f} s of CPU")
    pairs = list(zip(turns[1], turns[N_JOBS], strict=True))
    seen = median(one.wall / two.wall for one, two in pairs)
    print(f"wall time, as it was (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores): {seen:.2f}x")
    print(f"a plain loop: {median(controls):.2f}x")
    ratio = median(one.own / two.busy for one, two in pairs)
    met = measure.judge(f"race in {N_JOBS} processes, a core for each", ratio, target=TARGET, at_most=False)
    measure.finish([met], judged=not args.no_judge)


if __name__ == "__main__":
    main()
