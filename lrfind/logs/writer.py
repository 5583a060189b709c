"""Which process writes a log: `writers_of(paths)`.

Linux tells of the processes of the same user; elsewhere nothing is known.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
# What /proc/PID/stat holds behind the name of the program: the state first, the time of the start as the 20th.
STATE, STARTED = 0, 19
# A process that has ended and that its parent has not asked about yet.
ENDED = ("Z", "X")
# The lowest two bits of the flags of an open file say what it is open for; 0 is reading alone.
ACCESS = 0b11


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A process that has, or had, a log open for writing.

    Attributes
    ----------
    pid : int
    started : str
        When it was started, as the system counts: the number may be given to another process later.
    """

    pid: int
    started: str

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return _started(self.pid) == self.started

    def holds(self, paths: Iterable[Path]) -> bool:
        """Whether it has one of these files open for writing."""
        return self.is_alive and _writes(self.pid, _identities(paths))


def writers_of(paths: Iterable[Path]) -> tuple[Writer, ...]:
    """Return the processes of this user, other than this one, that have one of these files open for writing.

    Parameters
    ----------
    paths : iterable of Path

    Returns
    -------
    tuple of Writer
        Empty where the system does not tell.
    """
    wanted = _identities(paths)
    found = []
    for pid in _processes() if wanted else ():
        started = _started(pid) if pid != os.getpid() and _writes(pid, wanted) else ""
        if started:
            found.append(Writer(pid=pid, started=started))
    return tuple(found)


def _identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found


def _processes() -> Iterator[int]:
    try:
        with os.scandir(PROC) as entries:
            yield from [int(entry.name) for entry in entries if entry.name.isdecimal()]
    except OSError:
        return


def _writes(pid: int, wanted: set[tuple[int, int]]) -> bool:
    folder = PROC / str(pid)
    try:
        with os.scandir(folder / "fd") as entries:
            for entry in entries:
                # Follows the link, also to a file that was renamed or deleted.
                status = entry.stat()
                is_wanted = (status.st_dev, status.st_ino) in wanted
                if is_wanted and _is_open_for_writing(folder / "fdinfo" / entry.name):
                    return True
    except OSError:
        # It has ended, or belongs to somebody else.
        pass
    return False


def _is_open_for_writing(path: Path) -> bool:
    for line in path.read_text("ascii", errors="replace").splitlines():
        if line.startswith("flags:"):
            return bool(int(line.split()[1], 8) & ACCESS)
    return False


def _started(pid: int) -> str:
    """Return when a process was started, or nothing where it has ended."""
    try:
        # The name of the program may hold anything, brackets and spaces too.
        fields = (PROC / str(pid) / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[STATE] in ENDED else fields[STARTED]
    except (OSError, IndexError):
        return ""
