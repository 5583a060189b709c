"""How far a run is, on a live terminal: `progress(console)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from lrfind.text import printable


@contextmanager
def progress(console: Console) -> Iterator[Callable[[str, float], None]]:
    """Show how far a run is, on a live terminal only.

    Parameters
    ----------
    console : Console
        Of standard error: standard output belongs to the result.

    Yields
    ------
    callable of (stage, share)
        To be called with a stage's name and the share of it that is done, from 0 to 1; does nothing when silent.
    """
    if not console.is_terminal or console.is_dumb_terminal:
        yield lambda _stage, _share: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=30))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def show(stage: str, share: float) -> None:
            bar.update(task, description=printable(stage, width=30), completed=share)

        yield show
