"""How far a run is: what is reckoned, with a clock of its own, and what is shown."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
import types
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import lrfind
from lrfind.cli import process
from lrfind.errors import UsageError
from lrfind.examine import examine
from lrfind.progress import REPORT_EVERY, Parts, Stages
from lrfind.report import progress as shown

COMMAND = Path(sys.executable).with_name("lrfind")


class Clock:
    """A clock that goes on when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def steady_run(clock: Clock, stages: Stages, *, expected: tuple[float, ...], taken: tuple[float, ...]) -> None:
    """Go through stages that take other times than expected, reporting every 50 ms; the first tells nothing."""
    for number, (think, take) in enumerate(zip(expected, taken, strict=True)):
        stages.begin(f"stage {number}", seconds=think, later=sum(expected[number + 1 :]))
        n = round(take / 0.05)
        for k in range(n):
            clock.now += take / n
            if number:
                stages.at((k + 1) / n)
    stages.end()


@pytest.mark.parametrize(
    ("expected", "taken"),
    [((1, 2, 5), (1, 2, 5)), ((1, 2, 5), (6, 1, 40)), ((1, 2, 50), (0.2, 1, 4)), ((0.1, 0.1, 0.1), (3, 3, 9))],
)
def test_the_share_goes_up_to_one_whatever_was_expected(expected: Any, taken: Any) -> None:
    clock, told = Clock(), []
    stages = Stages(lambda stage, share: told.append((clock.now, stage, share)), clock=clock)
    steady_run(clock, stages, expected=expected, taken=taken)
    shares = [share for *_, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    # every report of a stage that reports moves, and none is long after the last
    late = [row for row in told if row[1] != "stage 0"]
    assert all(b[2] > a[2] for a, b in pairwise(late) if b[0] > a[0])
    assert max(b[0] - a[0] for a, b in pairwise(late)) <= REPORT_EVERY + 0.06
    # at most about ten a second
    assert len(told) <= sum(taken) / REPORT_EVERY + 2 * len(taken) + 1


def test_right_expectations_make_the_share_that_of_the_time() -> None:
    clock, told = Clock(), []
    begin = clock.now
    stages = Stages(lambda _, share: told.append(((clock.now - begin) / 8, share)), clock=clock)
    steady_run(clock, stages, expected=(1, 2, 5), taken=(1, 2, 5))
    assert all(share == pytest.approx(time, abs=0.02) for time, share in told)


def test_the_time_left_comes_to_what_the_machine_shows() -> None:
    clock = Clock()
    stages = Stages(clock=clock)
    stages.begin("racing", seconds=4)
    # a machine ten times slower than expected: 40 s in all
    for done in np.linspace(0, 0.25, 101)[1:]:
        clock.now += 0.1
        stages.at(float(done))
    assert stages.left == pytest.approx(30, rel=0.2)
    assert stages.elapsed == pytest.approx(10)


def test_a_stage_that_tells_nothing_moves_all_the_same_and_leaves_room() -> None:
    clock = Clock()
    stages = Stages(clock=clock)
    stages.begin("reading", seconds=1, later=5)
    shares = []
    for _ in range(20):
        clock.now += 1
        shares.append(stages.share)
    assert all(b > a for a, b in pairwise(shares))
    assert shares[-1] < 1
    stages.begin("racing", seconds=5)
    assert stages.share >= shares[-1]


def test_what_comes_after_is_counted_once() -> None:
    clock = Clock()
    stages = Stages(clock=clock, after=2)
    stages.begin("racing", seconds=8)
    clock.now += 8
    stages.end()
    assert stages.share == pytest.approx(0.8)
    stages.begin("writing", seconds=2)
    clock.now += 1
    assert stages.share == pytest.approx(0.9)
    clock.now += 1
    stages.end()
    assert stages.share == 1


def test_parts_that_turn_up_later_share_what_is_left() -> None:
    told: list[float] = []
    parts = Parts(told.append)
    for size, later in ((10, 30), (3, 30), (3, 30), (30, 0)):
        tell = parts.part(size, later=later)
        before = told[-1] if told else 0.0
        for share in (0.0, 0.5, 1.0):
            tell(share)
        assert told[-1] > before
    assert told == sorted(told)
    assert told[2] == 10 / 40
    assert told[-1] == 1


# --- The whole story. ---

X = np.random.default_rng(0).normal(size=(120, 3))
Y = np.where(X[:, 0] > X[:, 1], "left", "right")
TINY: dict[str, Any] = {"steps": 100, "seeds": 4, "train_steps": 100}


@pytest.mark.parametrize("race", [None, pytest.param("quick", marks=pytest.mark.slow)])
def test_find_lr_tells_its_share_up_to_the_end(race: str | None) -> None:
    told: list[tuple[str, float]] = []
    lrfind.find_lr(X, Y, progress=lambda stage, share: told.append((stage, share)), race=race, **TINY)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    stages = list(dict.fromkeys(stage for stage, _ in told))
    assert stages == ["Reading", "Preparing", "Sweeping", "Training" if race is None else "Racing"]


def test_check_tells_its_share_up_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("a,b,y\n" + "".join(f"{a:.3f},{b:.3f},{y}\n" for (a, b, _), y in zip(X, Y, strict=True)))
    told: list[tuple[str, float]] = []
    examine(str(path), progress=lambda stage, share: told.append((stage, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert [*dict.fromkeys(stage for stage, _ in told)] == ["Reading", "Preparing", "Learning", "Judging"]
    assert sum(stage == "Learning" for stage, _ in told) > 1


def test_progress_that_is_neither_yes_nor_a_function_is_refused() -> None:
    with pytest.raises(UsageError, match="progress= is 'yes': expected True, False or a function"):
        lrfind.find_lr(X, Y, progress="yes", **TINY)  # type: ignore[arg-type]


# --- What is shown. ---


def wait_for(stream: io.StringIO, pattern: str) -> None:
    for _ in range(200):
        if re.search(pattern, stream.getvalue()):
            return
        threading.Event().wait(0.01)
    raise AssertionError(stream.getvalue())


def test_short_runs_away_from_a_terminal_are_silent() -> None:
    for options in ({"force_terminal": False}, {"force_terminal": True, "_environ": {"TERM": "dumb"}}):
        file, stages = io.StringIO(), Stages()
        with shown.live(stages, Console(file=file, **options)):  # type: ignore[arg-type]
            stages.begin("Racing", seconds=1)
        assert file.getvalue() == ""


@pytest.mark.parametrize(("quiet", "is_watched"), [(True, True), (False, False), (False, True)])
def test_progress_is_for_who_watches_and_wants_it(
    monkeypatch: pytest.MonkeyPatch, quiet: bool, is_watched: bool
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: is_watched)
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with process.progress(quiet=quiet) as stages:
        stages.begin("sweep", seconds=1)
    assert bool(stream.getvalue()) == (is_watched and not quiet)


def test_a_terminal_shows_stage_percent_and_times_safely() -> None:
    file, clock = io.StringIO(), Clock()
    stages = Stages(clock=clock)
    console = Console(file=file, force_terminal=True, width=100, _environ={"TERM": "xterm"}, legacy_windows=False)
    stages.begin("sweep [red]\x1b", seconds=100)
    clock.now += 25
    with shown.live(stages, console):
        wait_for(file, "left")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())
    assert "sweep [red]\\x1b" in text
    assert re.search(r"25 %.*25 s, about 1 min 15 s left", text)


def test_lines_come_while_a_stage_tells_nothing_and_stop_at_the_end() -> None:
    file, clock = io.StringIO(), Clock()
    stages = Stages(clock=clock)
    stages.begin("Racing", seconds=40)
    clock.now += 10
    with shown.lines(stages, file, first=0.01, every=0.01):
        wait_for(file, r"(.*\n){3}")
    assert file.getvalue().splitlines()[0] == "lrfind: Racing, 25 % done, 10 s so far, about 30 s left"
    written = file.getvalue()
    threading.Event().wait(0.05)
    assert file.getvalue() == written
    assert not any(thread.name == "lrfind-progress" for thread in threading.enumerate())


def test_a_stream_that_was_closed_does_not_stop_the_run() -> None:
    file = io.StringIO()
    file.close()
    with shown.lines(Stages(), file, first=0.0, every=0.01):
        threading.Event().wait(0.05)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3599, "59 min 59 s"), (4800, "1 h 20 min")],
)
def test_times_read_as_people_tell_them(seconds: float, words: str) -> None:
    assert shown.span(seconds) == words


def pretend(monkeypatch: pytest.MonkeyPatch, shell: object) -> io.StringIO:
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(shown, "EVERY_CHANGE", 0.001)
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    return stream


def test_a_notebook_shows_one_line_unasked_and_clears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = pretend(monkeypatch, types.SimpleNamespace(kernel=object()))
    with shown.watched(progress=None) as stages:
        stages.begin("Racing", seconds=9)
        wait_for(stream, "Racing")
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("kernel", "progress"), [(object(), False), (None, None)])
def test_no_progress_where_it_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch, kernel: object, progress: bool | None
) -> None:
    stream = pretend(monkeypatch, types.SimpleNamespace(kernel=kernel))
    with shown.watched(progress=progress) as stages:
        stages.begin("Racing", seconds=9)
        threading.Event().wait(0.02)
    assert stream.getvalue() == ""


def run_long(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run for more than ten seconds, with standard error in a pipe."""
    data = tmp_path / "d.csv"
    rows = np.random.default_rng(0).normal(size=(1500, 4))
    data.write_text("a,b,c,y\n" + "".join(f"{a:.4f},{b:.4f},{c:.4f},{a + d:.4f}\n" for a, b, c, d in rows))
    arguments = [COMMAND, "sweep", data.name, "--jobs", "1", "--train-steps", "4000", "--hidden", "128", *options]
    plain = {"NO_COLOR": "1", "COLUMNS": "100", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        arguments, cwd=tmp_path, env=os.environ | plain, capture_output=True, text=True, timeout=300, check=True
    )


@pytest.mark.slow
def test_a_long_run_in_a_pipe_tells_how_far_it_is(tmp_path: Path) -> None:
    ran = run_long(tmp_path, "--json")
    lines = ran.stderr.splitlines()
    assert lines
    pattern = re.compile(r"lrfind: \w+, (\d+) % done, (?:(\d+) min )?(\d+) s so far(, about .* left)?")
    found = [pattern.fullmatch(line) for line in lines]
    assert all(found)
    percents = [int(match[1]) for match in found if match]
    times = [60 * int(match[2] or 0) + int(match[3]) for match in found if match]
    assert percents == sorted(percents)
    assert times[0] >= 10
    assert all(4 <= b - a <= 8 for a, b in pairwise(times))
    assert ran.stdout.startswith("{")


@pytest.mark.slow
def test_a_quiet_run_says_nothing_however_long_it_is(tmp_path: Path) -> None:
    ran = run_long(tmp_path, "--quiet")
    assert (ran.stdout, ran.stderr) == ("", "")
