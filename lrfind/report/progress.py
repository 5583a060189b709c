"""How far a run is, shown: a bar on a live terminal, one line in a notebook, a line now and then elsewhere.

`live` chooses between the first and the last, `watched` is what `lrfind.find_lr` makes of its option.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from lrfind.errors import UsageError
from lrfind.progress import Progress, Stages
from lrfind.text import printable

if TYPE_CHECKING:
    from rich.console import Console

# Seconds of a run that nobody watches before it is told of, and from then on from line to line.
FIRST_LINE, EVERY_LINE = 10.0, 5.0
# Seconds between two changes of the line in a notebook.
EVERY_CHANGE = 0.5
STAGE_WIDTH, BAR_WIDTH = 30, 30
# Seconds from which minutes and hours are told.
MINUTE, HOUR = 60, 3600


def line(stages: Stages) -> str:
    """Return how far a run is: "Racing, 42 % done, 8 s so far, about 11 s left"."""
    return f"{_stage(stages)}, {_percent(stages)} done, {_times(stages, ' so far')}"


def _stage(stages: Stages) -> str:
    return printable(stages.name, width=STAGE_WIDTH) or "Starting"


def _percent(stages: Stages) -> str:
    # cut, not rounded: what goes on is not done
    return f"{int(100 * stages.share)} %"


def _times(stages: Stages, words: str = "") -> str:
    left = round(stages.left)
    return f"{span(stages.elapsed)}{words}" + (f", about {span(left)} left" if left else "")


def span(seconds: float) -> str:
    """Return a time as people tell it: "8 s", "2 min 05 s", "1 h 20 min"."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02d} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} min"


@contextmanager
def live(stages: Stages, console: Console) -> Iterator[None]:
    """Show how far a run is: stage, bar, percent, time passed and time left on a live terminal, else lines.

    Parameters
    ----------
    stages : Stages
        Asked ten times a second, from another thread.
    console : Console
        Of standard error: standard output belongs to the result.
    """
    if not console.is_terminal or console.is_dumb_terminal:
        with lines(stages, console.file):
            yield
        return
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, SpinnerColumn, Task
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    class Column(ProgressColumn):
        """What the stages say at this moment, whether they report or not."""

        def __init__(self, draw: Callable[[], Text | ProgressBar]) -> None:
            super().__init__()
            self._draw = draw

        def render(self, _task: Task) -> Text | ProgressBar:
            return self._draw()

    columns = (
        SpinnerColumn(),
        Column(lambda: Text(_stage(stages))),
        Column(lambda: ProgressBar(total=1.0, completed=stages.share, width=BAR_WIDTH)),
        Column(lambda: Text(f"{_percent(stages):>5}")),
        Column(lambda: Text(_times(stages), style="dim")),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        bar.add_task("", total=1.0)
        yield


@contextmanager
def lines(
    stages: Stages, stream: IO[str], *, first: float = FIRST_LINE, every: float = EVERY_LINE, prefix: str = "lrfind: ",
    end: str = "\n",
) -> Iterator[None]:  # fmt: skip
    """Write a line now and then, from another thread, so that it comes in long stages, too.

    Parameters
    ----------
    stages : Stages
    stream : text file
    first, every : float
        Seconds before the first line, and between two.
    prefix, end : str
        Of each line.
    """
    over = threading.Event()

    def write() -> None:
        wait = first
        # a reader who left, or a stream that was closed, is no reason to stop the run
        with suppress(OSError, ValueError):
            while not over.wait(wait):
                stream.write(f"{prefix}{line(stages)}{end}")
                stream.flush()
                wait = every

    thread = threading.Thread(target=write, name="lrfind-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def one_line(stages: Stages, stream: IO[str]) -> Iterator[None]:
    """Write one line over and over, and take it away at the end: for notebooks, which keep what was written."""
    # "erase to the end of the line", which notebooks know as terminals do
    try:
        with lines(stages, stream, first=EVERY_CHANGE, every=EVERY_CHANGE, prefix="\r\x1b[K", end=""):
            yield
    finally:
        with suppress(OSError, ValueError):
            stream.write("\r\x1b[K")
            stream.flush()


def in_notebook() -> bool:
    """Return whether this is the kernel of a notebook; IPython is not imported to find out."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if callable(get_ipython) else None
    # the shell of a terminal has no kernel
    return getattr(shell, "kernel", None) is not None


@contextmanager
def watched(*, progress: Progress | Stages | bool | None) -> Iterator[Stages]:
    """Yield the stages of a run, shown to whom the option says.

    Parameters
    ----------
    progress : callable, Stages, bool or None
        Who is told; True for whoever reads standard error, None for those who do so in a notebook.

    Raises
    ------
    UsageError
        If it is something else.
    """
    is_asked = progress is True or (progress is None and in_notebook())
    if isinstance(progress, Stages):
        yield progress
    elif is_asked:
        stages = Stages()
        with _on_standard_error(stages):
            yield stages
    elif progress is None or progress is False:
        yield Stages()
    elif callable(progress):
        yield Stages(progress)
    else:
        raise UsageError(f"progress= is {printable(repr(progress), width=40)}: expected True, False or a function")


@contextmanager
def _on_standard_error(stages: Stages) -> Iterator[None]:
    if in_notebook():
        with one_line(stages, sys.stderr):
            yield
        return
    from rich.console import Console

    with live(stages, Console(file=sys.stderr, highlight=False, markup=False, emoji=False)):
        yield
