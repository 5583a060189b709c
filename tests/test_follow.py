"""Logs that grow: when they are read, when their runs have ended, and what a person sees of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from log_fixture import broken, healthy, run, write_log
from rich.console import Console

from lrfind.checks.finding import Check
from lrfind.diagnose import diagnose_log
from lrfind.errors import DataError, UsageError
from lrfind.follow import GRACE, Look, follow
from lrfind.logs.writer import writers_of
from lrfind.report.diagnosis.watch import watching

LINUX = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell who writes a file")
# Holds a log open for writing until it is told to end.
HOLDER = "import sys; f = open(sys.argv[1], 'a'); print('open', flush=True); sys.stdin.read()"


class Clock:
    """A clock that runs as fast as it is slept by, and calls a function before each look."""

    def __init__(self, before_look: list[Callable[[], object]]) -> None:
        self.now, self.before_look = 0.0, before_look

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.before_look:
            self.before_look.pop(0)()

    def __call__(self) -> float:
        return self.now


def nothing() -> None:
    pass


def looks(path: Path | str, *before_look: Callable[[], object], **options: float) -> tuple[list[Look], Clock]:
    clock = Clock(list(before_look))
    return list(follow(str(path), every=2.0, clock=clock, sleep=clock.sleep, **options)), clock


@contextlib.contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has a file open for writing."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_a_log_is_read_once_a_change_and_the_run_ends_when_nothing_changes(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy()[:100])
    seen, clock = looks(
        path, nothing, lambda: write_log(path, healthy()[:200]), lambda: write_log(path, broken()), idle=30.0
    )
    new = [look.diagnosis for look in seen if look.is_new]
    assert [len(d.log.step) for d in new if d] == [100, 200, 300]
    assert [bool(d.found) for d in new if d] == [False, False, True]
    assert 36.0 <= clock.now <= 40.0
    assert [bool(look.ended) for look in seen] == [False] * (len(seen) - 1) + [True]
    assert "30 s" in seen[-1].ended


def test_a_log_that_is_not_there_yet_is_waited_for(tmp_path: Path):
    path = tmp_path / "log.csv"
    seen, _ = looks(path, nothing, lambda: write_log(path, healthy()), until=60.0, idle=30.0)
    assert [look.diagnosis is None for look in seen[:3]] == [True, True, False]
    assert "no such file" in seen[0].problem
    assert sum(look.is_new for look in seen) == 1


def test_a_log_that_never_came_ends_in_its_error(tmp_path: Path):
    with pytest.raises(DataError, match=r"no such file \(watched for 10 s\)"):
        looks(tmp_path / "log.csv", until=10.0)


def test_a_log_that_is_emptied_moved_and_begun_anew_is_followed_on(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy()[:100])
    seen, _ = looks(
        path,
        lambda: path.write_text(""),
        lambda: write_log(path, healthy()[:80]),
        lambda: path.rename(tmp_path / "log.csv.1"),
        lambda: write_log(path, broken()),
        path.unlink,
        idle=10.0,
    )
    assert [len(look.diagnosis.log.step) for look in seen if look.is_new and look.diagnosis] == [100, 80, 300]
    assert "empty" in seen[1].problem
    assert "no such file" in seen[-1].problem
    assert seen[-1].ended
    # What was last there to be read is still the verdict.
    assert seen[-1].diagnosis is not None
    assert len(seen[-1].diagnosis.log.step) == 300


def test_a_half_written_line_is_no_finding_while_it_is_written(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy()[:100])
    with path.open("a") as file:
        file.write("101,0.2")
    seen, _ = looks(path, until=4.0)
    found = [{f.code for f in look.diagnosis.found} for look in seen if look.diagnosis]
    # When the run is over it is one.
    assert found == [set(), set(), {"LR213"}]


def test_a_run_that_goes_on_is_not_judged_by_its_last_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    check = Check(code="LR203", severity="warning", title="rate too low")
    found = check.found("The loss is still falling.", {}, "Try 1.")
    monkeypatch.setattr("lrfind.follow.diagnose_log", lambda log: replace(diagnose_log(log), findings=(found,)))
    seen, _ = looks(write_log(tmp_path / "log.csv", healthy()), until=4.0)
    messages = [finding.message for look in seen if look.diagnosis for finding in look.diagnosis.found]
    assert messages == ["If the run ended here: the loss is still falling."] * 2 + ["The loss is still falling."]


def test_a_run_that_logs_rarely_is_given_five_of_its_pauses(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy()[:100])
    fifty = [nothing] * 49
    seen, clock = looks(
        path, *fifty, lambda: write_log(path, healthy()[:110]), *fifty, lambda: write_log(path, healthy()[:120])
    )
    # Written at 100 and at 200 seconds, so it is waited until 700.
    assert seen[-1].patience == 500.0
    assert clock.now == 700.0


def test_a_log_that_takes_long_to_read_is_read_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_log(tmp_path / "log.csv", healthy()[:100])
    clock = Clock([lambda n=n: write_log(path, healthy()[: 100 + n]) for n in range(1, 60)])
    read = sys.modules["lrfind.follow"].read_log

    def slowly(source: str, **options: str | None) -> object:
        clock.now += 4.0
        return read(source, **options)

    monkeypatch.setattr("lrfind.follow.read_log", slowly)
    seen = list(follow(str(path), idle=30.0, every=2.0, clock=clock, sleep=clock.sleep))
    n_read = sum(look.is_new for look in seen)
    assert 3 <= n_read <= 1 + clock.now / 40
    # The last change is read in any case.
    assert seen[-1].diagnosis is not None
    assert len(seen[-1].diagnosis.log.step) == 159


def test_time_that_is_over_ends_the_watching(tmp_path: Path):
    seen, clock = looks(write_log(tmp_path / "log.csv", healthy()), until=10.0)
    assert clock.now == 10.0
    assert seen[-1].ended == "10 s are over"


@LINUX
def test_the_run_ends_when_the_process_that_wrote_it_does(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy()[:100])
    with holder(path) as process:
        seen, clock = looks(path, nothing, nothing, lambda: (process.kill(), process.wait()))
    assert seen[0].has_writer
    assert seen[-1].ended == "the process that wrote it has ended"
    assert 6.0 + GRACE <= clock.now <= 6.0 + GRACE + 2.0


@LINUX
def test_an_open_log_is_given_more_time_but_not_more_than_was_asked_for(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy()[:100])
    with holder(path):
        assert looks(path)[1].now == 1200.0
        assert looks(path, idle=20.0)[1].now == 20.0


@LINUX
def test_who_writes_a_file_is_known_and_who_reads_it_is_not_taken_for_a_writer(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy())
    assert writers_of([path, tmp_path / "missing"]) == ()
    with path.open("a"):
        # This process itself does not count.
        assert writers_of([path]) == ()
    with holder(path) as process:
        (writer,) = writers_of([path])
        assert writer.pid == process.pid
        assert writer.is_alive
        assert writer.holds([path])
        assert not writer.holds([tmp_path])
        process.kill()
        # Not yet waited for, it is a zombie: ended all the same.
        deadline = time.monotonic() + 10
        while writer.is_alive and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not writer.is_alive
        assert not writer.holds([path])


def test_standard_input_cannot_be_followed():
    with pytest.raises(UsageError, match="standard input"):
        list(follow("-"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--every", "0"), "--every is 0"),
        (("--idle", "nan"), "--idle is nan"),
        (("--until", "-1"), "--until is -1"),
        (("other.csv",), "2 were named"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_one_sentence(tmp_path: Path, options: tuple[str, ...], said: str):
    refused = run(write_log(tmp_path / "log.csv", healthy()), "--follow", *options)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_log_begun_anew_is_told_and_what_may_still_come_only_in_passing(tmp_path: Path):
    path, screen = tmp_path / "log.csv", Console(file=StringIO(), width=100)
    write_log(path, 2.0 * np.exp(-np.linspace(0, 0.5, 300)))
    seen, _ = looks(path, lambda: write_log(path, healthy()[:250]), lambda: write_log(path, healthy()), idle=10.0)
    with watching(screen) as show:
        for look in seen:
            show(look)
    assert screen.file.getvalue().splitlines() == [
        "step 300: LR203 rate too low, if the run ended here",
        "step 250: the log was begun anew",
        "step 250: nothing found so far",
    ]


@pytest.mark.slow
def test_a_logger_that_opens_the_log_for_each_line_is_followed_to_its_end(tmp_path: Path):
    path = tmp_path / "train.log"
    script = (
        "import sys, time\n"
        "for t in range(60):\n"
        "    with open(sys.argv[1], 'a') as log:\n"
        "        log.write(f'step {t} loss {2 * 0.9 ** t + 0.1:.4f} lr 0.01\\n')\n"
        "    time.sleep(0.02)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)]) as logger:
        done = run(path, "--follow", "--every", "0.2", "--idle", "4", timeout=120)
        assert logger.wait() == 0
    assert done.returncode == 0
    assert "60 points, steps 0 to 59" in done.stdout


@pytest.mark.slow
def test_in_a_pipe_only_changes_are_printed_and_then_the_verdict(tmp_path: Path):
    path = write_log(tmp_path / "log.csv", healthy()[:120])
    writer = threading.Timer(1.5, lambda: write_log(path, broken()))
    writer.start()
    done = run(path, "--follow", "--every", "0.2", "--idle", "4", "--fail-on", "LR201", timeout=120)
    writer.join()
    assert done.returncode == 1
    first, second, *rest = done.stdout.splitlines()
    assert first == "step 120: nothing found so far"
    assert second.startswith("step 300: error LR201 ")
    assert any(re.search(r"Diverged.*LR201", line) for line in rest)
    assert "nothing was written for 4 s" in done.stderr
    assert "\x1b" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("options", "code"), [((), 130), (("--fail-on", "LR201"), 1)])
def test_an_interrupt_ends_the_watching_with_the_verdict(tmp_path: Path, options: tuple[str, ...], code: int):
    path, out = write_log(tmp_path / "log.csv", broken()), tmp_path / "report"
    command = [sys.executable, "-m", "lrfind", "diagnose", path, "--follow", "--every", "0.2", "--json", "--out", out]
    with subprocess.Popen(
        [*map(str, command), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(3.0)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert {f["code"] for f in json.loads(printed)["findings"] if f["state"] == "found"} == {"LR201"}
    assert said == "lrfind: stopped watching: interrupted\n"
    assert (out / "run.json").exists()


@pytest.mark.slow
def test_an_interrupt_before_there_was_anything_to_read_is_no_verdict(tmp_path: Path):
    command = [sys.executable, "-m", "lrfind", "diagnose", str(tmp_path / "log.csv"), "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(2.0)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == ""
    assert "log.csv: no such file" in said
    assert said.endswith("stopped watching: interrupted before there was anything to judge\n")


@pytest.mark.slow
def test_on_a_terminal_it_is_shown_in_place_on_a_screen_of_its_own(tmp_path: Path):
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    path = write_log(tmp_path / "log.csv", broken())
    pid, screen = pty.fork()
    if pid == 0:
        # Whoever has loaded readline has a size in its environment, which would count for more than the terminal's.
        environment = {**os.environ, "TERM": "xterm"}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            environment.pop(name, None)
        command = [sys.executable, "-m", "lrfind", "diagnose", str(path), "--follow", "--every", "0.2", "--idle", "3"]
        os.execve(sys.executable, command, environment)  # noqa: S606
    n_rows = 20
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", n_rows, 80, 0, 0))
    output = b""
    with contextlib.suppress(OSError):
        while piece := os.read(screen, 65536):
            output += piece
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    text = output.decode()
    watched, verdict = text.split("\x1b[?1049l")
    frames = watched.split("\x1b[?1049h")[1].split("\x1b[H")[1:]
    assert len(frames) >= 3
    # Nothing scrolls: no frame has more lines than the screen.
    assert max(frame.count("\n") for frame in frames) < n_rows
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", frames[-1])
    assert "Diverged" in last
    assert "without a change · Ctrl-C to stop" in last
    assert verdict.count("Diverged") == verdict.count("(LR201)") == 1
