"""What surrounds every command: streams, signals, errors and the exit code.

Nothing else catches `LrfindError`.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NoReturn, TextIO

from lrfind.errors import ExitCode, LrfindError
from lrfind.progress import Stages
from lrfind.text import printable

if TYPE_CHECKING:
    from rich.console import Console

# Columns of a terminal that does not say how many it has.
FALLBACK_WIDTH = 80
# Read when NumPy is imported, which is later: products this small gain nothing from more threads, each of which would
# take memory of its own from the start.
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What a write to a full disk or a failing device ends in.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
# Options that several commands have.
NA_HELP = "Read these texts as missing, and no others: NA,?; '' for blanks alone."
TEXT_HELP = "Read these columns as text, whatever they hold: zip,code."


class Stopped(SystemExit):
    """The end of a run that the user, or the system, asked for."""


def run_guarded(run: Callable[[], object]) -> NoReturn:
    """Run a command line and exit with its code, whatever happens.

    Parameters
    ----------
    run : callable
        Raises SystemExit, an LrfindError, or nothing.
    """
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    has_output = _ensure_streams()
    for stream in (sys.stdout, sys.stderr):
        # a name that the terminal cannot show must not end the run
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    code = _code_of(run) if has_output else _unwritten("standard output is closed")
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        code = _unwritten(error.strerror)
    sys.exit(code)


def _ensure_streams() -> bool:
    """Put a sink where the caller closed a standard stream, and say whether standard output was open."""
    has_output = getattr(sys, "stdout", None) is not None
    for name in ("stdout", "stderr"):
        if getattr(sys, name, None) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
    return has_output


def _unwritten(reason: str | None) -> int:
    say(f"error: the result could not be written: {reason}")
    return ExitCode.BAD_INPUT


def _stop(number: int, _frame: object) -> NoReturn:
    raise Stopped(128 + number)


def _code_of(run: Callable[[], object]) -> int:
    try:
        run()
    except SystemExit as end:
        return _code_of_exit(end)
    except LrfindError as error:
        say(f"error: {error}")
        return error.exit_code
    except BrokenPipeError:
        # the reader has left, as `| head` does: nothing is wrong, and nothing more can be said
        _silence(sys.stdout)
        return ExitCode.OK
    # the last resort: a bug must not bury the user in a traceback
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            _silence(sys.stdout)
            return _unwritten(error.strerror)
        if os.environ.get("LRFIND_DEBUG"):
            raise
        return _report_bug(error)
    return ExitCode.OK


def _code_of_exit(end: SystemExit) -> int:
    # typer answers a reader who left with 1, which here means that a check failed
    if isinstance(end.__context__, BrokenPipeError):
        _silence(sys.stdout)
        return ExitCode.OK
    code = end.code if isinstance(end.code, int) else ExitCode.OK
    if isinstance(end, Stopped):
        say("interrupted: no run was written")
    return code


def _silence(stream: TextIO) -> None:
    # the interpreter flushes at its end, and would complain once more
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Write to standard output, and go on in silence once nobody reads it: the exit code still says what was found."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
    except SystemExit as end:
        # how rich answers it
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        _silence(sys.stdout)


def say(message: str) -> None:
    """Write one line to standard error; control characters in it are escaped."""
    safe = "".join(c if c.isprintable() else printable(c) for c in message)
    try:
        sys.stderr.write(f"lrfind: {safe}\n")
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def _report_bug(error: Exception) -> int:
    import tempfile
    import traceback

    try:
        with tempfile.NamedTemporaryFile("w", prefix="lrfind-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
        where = f"; what happened is in {file.name}"
    except OSError:
        where = ""
    say(f"internal error ({type(error).__name__}), please report it{where}")
    return ExitCode.BAD_INPUT


def as_typed(argument: str | None) -> str | None:
    """Return an argument as the UTF-8 text it was typed as, whatever the locale makes of its bytes."""
    try:
        return None if argument is None else os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        return argument


def names(text: str | None) -> tuple[str, ...] | None:
    """Return the names in "a,b,c"; they may hold commas when quoted, as in the header of a file."""
    import csv

    typed = as_typed(text)
    return None if typed is None else tuple(name.strip() for row in csv.reader([typed]) for name in row)


def console(stream: TextIO) -> Console:
    """Return a console that takes no markup and guesses no highlights: what it prints may come from data."""
    from rich.console import Console

    # rich takes NO_COLOR for colour alone and would still send bold and dim
    colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    # rich would print nothing at all on a screen of no columns, which is what some terminals claim while they start
    width = FALLBACK_WIDTH if os.environ.get("COLUMNS", "").strip() == "0" else None
    return Console(file=stream, highlight=False, markup=False, emoji=False, color_system=colours, width=width)


@contextmanager
def progress(*, quiet: bool, after: float = 0.0) -> Iterator[Stages]:
    """Show how far a run is on standard error: live where somebody watches, else a line now and then in a long run.

    Parameters
    ----------
    quiet : bool
        Whether to show nothing.
    after : float
        Seconds that are expected after the stages of the library's function.
    """
    stages = Stages(after=after)
    if quiet:
        yield stages
        return
    from lrfind.report.progress import lines, live

    # rich is a fiftieth of a run's memory: not for those who see nothing of it
    with live(stages, console(sys.stderr)) if sys.stderr.isatty() else lines(stages, sys.stderr):
        yield stages
