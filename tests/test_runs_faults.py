"""Every system call that saving a run makes fails in its turn, once or for good, and processes are killed at random.

After each: an error in one sentence and no new run, or no error and a whole one; a run that was to be replaced is
intact where it was, or where the error says.
"""

import errno
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_runs import a_document, a_recommendation, put_run

from lrfind.errors import OutputError
from lrfind.runs import check_out_dir, list_runs, load_run, new_run

OLD = a_document(a_recommendation("linear"))
NEW = a_document(a_recommendation("cosine"))
CALLS = ("open", "write", "fsync", "rename", "mkdir", "rmdir", "unlink")
# More calls than one save makes: the loop must end because nothing was left to fail.
MOST_CALLS = 200


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch):
    """Syncing is counted and can fail, but need not wait for a disk: nobody pulls the plug."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Faults:
    """Count calls into `os`, and fail the k-th, or it and all after it."""

    def __init__(self, kinds, number, *, at, persistent):
        self.kinds, self.number, self.at, self.persistent = kinds, number, at, persistent
        self.count = 0

    def install(self, patch):
        for kind in self.kinds:
            patch.setattr(os, kind, self.wrapped(getattr(os, kind)))

    def wrapped(self, call):
        def failing(*args, **kwargs):
            self.count += 1
            if self.count == self.at or (self.persistent and self.count > self.at):
                raise OSError(self.number, os.strerror(self.number))
            return call(*args, **kwargs)

        return failing

    @property
    def happened(self):
        return self.count >= self.at


def write_by_os(folder, document):
    """Write a run with system calls that can be made to fail."""
    os.mkdir(folder / "plots")  # noqa: PTH102 the call itself is what fails
    for name, text in (("sweep.csv", "step,lr\n"), ("plots/a.svg", "<svg/>"), ("run.json", json.dumps(document))):
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def save(target, *, force):
    with new_run(target, force=force) as folder:
        write_by_os(folder, NEW)


def schedule_in(folder):
    """Return which run is there; None for none. What is there must be whole."""
    if not folder.exists():
        return None
    return load_run(folder).recommendation.schedule.name


@pytest.mark.parametrize("persistent", [False, True], ids=["transient", "persistent"])
@pytest.mark.parametrize(
    ("kinds", "number"),
    [
        *(((kind,), errno.EIO) for kind in CALLS),
        *(((kind,), errno.ENOSPC) for kind in ("open", "write", "mkdir")),
        *(((kind,), errno.EACCES) for kind in ("open", "rename", "mkdir", "rmdir", "unlink")),
        (CALLS, errno.EIO),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "+".join(value),
)
@pytest.mark.parametrize("force", [False, True], ids=["new", "replaced"])
def test_a_failing_call_leaves_a_whole_run_or_none(tmp_path, monkeypatch, kinds, number, persistent, force):
    n_failed = 0
    for k in range(1, MOST_CALLS):
        root = tmp_path / f"{k}"
        root.mkdir()
        target = put_run(root / "run", OLD) if force else root / "a" / "run"
        faults = Faults(kinds, number, at=k, persistent=persistent)
        with monkeypatch.context() as patch:
            faults.install(patch)
            try:
                save(target, force=force)
                said = None
            except OutputError as error:
                said = str(error)
        check_state(target, said, force=force)
        n_failed += said is not None
        if not faults.happened:
            break
    else:
        pytest.fail("the loop did not end")
    # Litter that cannot be deleted is no failure; whatever else cannot be done is.
    assert (n_failed > 0) == bool(set(kinds) - {"rmdir", "unlink"})


def check_state(target, said, *, force):
    if said is None:
        assert schedule_in(target) == "cosine"
        return
    assert "\n" not in said
    assert str(target) in said
    kept = re.search(r"the run that was there is kept in '(.*)'", said)
    if kept:
        assert schedule_in(Path(kept[1])) == "linear"
        assert not target.exists()
    else:
        assert schedule_in(target) == ("linear" if force else None)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES], ids=errno.errorcode.get)
def test_a_transient_fault_leaves_no_litter(tmp_path, monkeypatch, number):
    for k in range(1, MOST_CALLS):
        root = tmp_path / f"{k}"
        root.mkdir()
        faults = Faults(("open", "write", "fsync", "rename", "mkdir"), number, at=k, persistent=False)
        with monkeypatch.context() as patch:
            faults.install(patch)
            if_failed = []
            try:
                save(root / "a" / "b" / "run", force=False)
            except OutputError:
                if_failed = list(root.rglob("*"))
        assert if_failed == []
        if not faults.happened:
            return
    pytest.fail("the loop did not end")


@pytest.mark.parametrize("kind", ["mkdir", "rmdir"])
@pytest.mark.parametrize("persistent", [False, True])
def test_a_check_that_fails_says_so_and_touches_nothing(tmp_path, monkeypatch, kind, persistent):
    for k in range(1, MOST_CALLS):
        run = put_run(tmp_path / f"{k}" / "run", OLD)
        faults = Faults((kind,), errno.EROFS, at=k, persistent=persistent)
        with monkeypatch.context() as patch:
            faults.install(patch)
            try:
                check_out_dir(run, force=True)
            except OutputError as error:
                assert "the file system is read-only" in str(error)  # noqa: PT017 which calls fail is not known
        assert schedule_in(run) == "linear"
        if not faults.happened:
            return
    pytest.fail("the loop did not end")


def test_a_run_set_aside_comes_back_at_a_later_start(tmp_path, monkeypatch):
    run = put_run(tmp_path / "run", OLD)
    faults = Faults(("rename",), errno.EIO, at=2, persistent=True)
    with monkeypatch.context() as patch:
        faults.install(patch)
        with pytest.raises(OutputError, match="the run that was there is kept in"):
            save(run, force=True)
    (aside,) = tmp_path.glob(".run.tmp-*")
    for path in (*aside.iterdir(), aside):
        os.utime(path, (0, 0))
    save(tmp_path / "other", force=False)
    assert schedule_in(run) == "linear"
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["other", "run"]


# One process that forks: the imports are paid for once.
KILLED = """
import os, signal, sys, time
from pathlib import Path
from lrfind.runs import new_run
root, mode, text = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text()
for trial, pause in enumerate(sys.argv[4:]):
    child = os.fork()
    if child:
        time.sleep(float(pause))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    else:
        for number in range(10_000):
            name = f"run{number}" if mode == "new" else "run"
            with new_run(root / str(trial) / name, force=True) as folder:
                (folder / "plots").mkdir()
                (folder / "plots" / "a.svg").write_text("<svg/>")
                (folder / "run.json").write_text(text)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["new", "replaced"])
def test_a_killed_process_leaves_whole_runs_only(tmp_path, mode):
    moments, text = random.Random(0), tmp_path / "new.json"
    text.write_text(json.dumps(NEW))
    roots = [tmp_path / f"{trial}" for trial in range(20)]
    for root in roots:
        put_run(root / "run", OLD)
    pauses = [str(moments.uniform(0, 0.05)) for _ in roots]
    subprocess.run([sys.executable, "-c", KILLED, tmp_path, mode, text, *pauses], check=True)
    for root in roots:
        found = {run.name: schedule_in(run) for run in root.iterdir() if not run.name.startswith(".")}
        assert len(list_runs(root)) == len(found)
        # Between the two renames of a replacement the old run is aside, whole.
        replaced = found.pop("run", None) or schedule_in(next(root.glob(".run.tmp-*/old")))
        assert replaced in ({"linear", "cosine"} if mode == "replaced" else {"linear"})
        assert set(found.values()) <= {"cosine"}
