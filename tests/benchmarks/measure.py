"""What the benchmarks share: run a child process and measure it, judge a figure against its target."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
# Seconds between two looks at the memory of a process and its children: short against the second a run takes, and
# cheap enough (one small read a process) not to slow it.
LOOK_EVERY = 0.02
PAGE = os.sysconf("SC_PAGE_SIZE")
# `ru_maxrss` counts in kilobytes on Linux.
MAXRSS_UNIT = 1024
MB = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one whole process took.

    Attributes
    ----------
    seconds : float
        Wall time, from before its start to after its end.
    peak : float
        Bytes. The larger of the kernel's own high-water mark of a single process and the largest sum over the process
        and its children seen at one moment; pages they share count once for each, so the sum is never too small.
    """

    seconds: float
    peak: float


def run(command: Sequence[str | Path]) -> Usage:
    """Run `command` to its end, output thrown away, and return what it took.

    Raises
    ------
    RuntimeError
        When it does not end with exit code 0; its messages are quoted.
    """
    # Not a pipe: a talkative child would wait for us to empty it.
    with tempfile.TemporaryFile() as messages:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=messages, cwd=ROOT
        )
        largest, pid = 0.0, 0
        while not pid:
            largest = max(largest, _memory_of_tree(process.pid))
            time.sleep(LOOK_EVERY)
            pid, status, rusage = os.wait4(process.pid, os.WNOHANG)
        seconds = time.perf_counter() - start
        # Reaped above: told to Popen, so that it does not wait for a process that is gone.
        process.returncode = os.waitstatus_to_exitcode(status)
        messages.seek(0)
        said = messages.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{command} ended with exit code {process.returncode}:\n{said}")
    return Usage(seconds=seconds, peak=max(largest, rusage.ru_maxrss * MAXRSS_UNIT))


def _memory_of_tree(pid: int) -> float:
    """Return the resident bytes of a process and all its descendants; 0 for one that has just ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        tasks = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except (OSError, IndexError):
        return 0.0
    return pages * PAGE + sum(_memory_of_tree(int(child)) for text in tasks for child in text.split())


def summary(name: str, usages: Sequence[Usage]) -> tuple[float, float]:
    """Print the medians of several runs, and the spread of their times; return the medians (seconds, bytes)."""
    seconds, peak = median(usage.seconds for usage in usages), median(usage.peak for usage in usages)
    fastest, slowest = min(usage.seconds for usage in usages), max(usage.seconds for usage in usages)
    print(f"{name:<24}{seconds:8.2f} s  ({fastest:.2f} to {slowest:.2f}){peak / MB:8.0f} MB")
    return seconds, peak


def judge(name: str, value: float, *, target: float, at_most: bool) -> bool:
    """Print a figure beside its target and return whether the target is met."""
    met = value <= target if at_most else value >= target
    bound = "at most" if at_most else "at least"
    print(f"{name:<48}{value:8.3f}   target {bound} {target:g}   {'met' if met else 'MISSED'}")
    return met


def parser(description: str | None, *, repeat: int) -> argparse.ArgumentParser:
    """Return a parser of the two options every benchmark has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--repeat", type=int, default=repeat, help="measure this many times (default: %(default)s)")
    made.add_argument("--no-judge", action="store_true", help="exit 0 even when a target is missed")
    return made


def finish(met: Sequence[bool], *, judged: bool) -> None:
    """End the benchmark: exit code 1 when a target was missed and that matters."""
    sys.exit(0 if all(met) or not judged else 1)
