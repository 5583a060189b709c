"""A log that grows, on a terminal: `watching` shows each look at it in place, or prints what has changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from lrfind.checks.finding import Finding
from lrfind.report.diagnosis import ABOUT_THE_END, Diagnosis
from lrfind.report.diagnosis.terminal import page_of, parts_of
from lrfind.report.page import QUIET, WARN, Page
from lrfind.text import place, printable

# A sentence may quote several names and repairs; beyond this it is cut.
SENTENCE_WIDTH = 600
# Lines of findings that matter more than the curve.
MIN_FOUND = 4


class Look(Protocol):
    """A growing log at one moment; `lrfind.follow.Look` is one."""

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The newest; None while the log could not be read yet."""

    @property
    def is_new(self) -> bool:
        """Whether that is another diagnosis than at the last look."""

    @property
    def problem(self) -> str:
        """Why the log cannot be read as it is now, or nothing."""

    @property
    def quiet(self) -> float:
        """Seconds since the log was last seen to change."""

    @property
    def patience(self) -> float:
        """Seconds without a change that end the run."""

    @property
    def has_writer(self) -> bool:
        """Whether a process is known whose end ends the run."""


Show = Callable[[Look], None]


def is_live(console: Console) -> bool:
    """Whether a console can be written anew in place."""
    return console.is_terminal and not console.is_dumb_terminal


@contextmanager
def watching(console: Console, *, quiet: bool = False) -> Iterator[Show]:
    """Show each look at a growing log: in place on a terminal, else a line for each change.

    Parameters
    ----------
    console : Console
    quiet : bool
        Show nothing.

    Yields
    ------
    callable of Look
    """
    if quiet:
        yield lambda _: None
    elif is_live(console):
        # A screen of its own, as pagers have: nothing scrolls, whatever the height, and what was there comes back.
        with Live(console=console, auto_refresh=False, screen=True) as live:
            yield lambda look: live.update(Watch(look=look), refresh=True)
    else:
        yield _changes(console)


def _changes(console: Console) -> Show:
    """Return what prints a line for each finding that comes or goes."""
    known: dict[str, str] = {}
    last = -math.inf

    def say(sentence: str) -> None:
        page = page_of(console, console.options)
        # One line each, whatever its length: a script reads them.
        console.print(page.text(Text(sentence)), soft_wrap=True)

    def show(look: Look) -> None:
        nonlocal last
        diagnosis = look.diagnosis
        if diagnosis is None or not look.is_new:
            return
        now = {finding.code: finding.title.partition(":")[0] for finding in diagnosis.found}
        log = diagnosis.log
        where = f"{log.step_unit} {place(log.step[-1])}"
        if log.step[-1] < last:
            say(f"{where}: the log was begun anew")
            known.clear()
        if not now and (last == -math.inf or log.step[-1] < last):
            say(f"{where}: nothing found so far")
        for finding in diagnosis.found:
            if finding.code not in known:
                say(f"{where}: {_told(finding)}")
        for code in [code for code in known if code not in now]:
            say(f"{where}: {code} {known.pop(code)}: no longer found")
        known.update(now)
        last = float(log.step[-1])

    return show


def _told(finding: Finding) -> str:
    """Return a finding in a line; what tells of the end of a run that goes on, in a few words."""
    if finding.code in ABOUT_THE_END:
        return f"{finding.code} {finding.title.partition(':')[0]}, if the run ended here"
    text = printable(f"{finding.message} {finding.advice}".strip(), width=SENTENCE_WIDTH)
    return f"{finding.severity} {finding.code} {text}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watch:
    """One look at a growing log, cut to the height of the screen.

    Attributes
    ----------
    look : Look
    """

    look: Look

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the answer, as much of the rest as fits, and what is waited for."""
        page = page_of(console, options)
        height = (options.height or console.height) - 1
        shown = self._lines(page, height=height)
        yield from shown[:height]
        for _ in range(height - len(shown)):
            yield Text()
        for line in list(page.lines(Text(self._status(), style=QUIET), room=page.width))[:1]:
            line.no_wrap = True
            yield line

    def _lines(self, page: Page, *, height: int) -> list[Text]:
        if self.look.diagnosis is None:
            return list(
                page.lines(Text(f"waiting: {printable(self.look.problem, width=SENTENCE_WIDTH)}"), room=page.width)
            )
        parts = parts_of(self.look.diagnosis, page=page, verdict="So far")
        lines = [*parts.head, Text()]
        if self.look.problem:
            problem = f"As it is now it cannot be read: {printable(self.look.problem, width=SENTENCE_WIDTH)}"
            lines += [*page.lines(Text(problem, style=WARN), room=page.width), Text()]
        left = height - len(lines)
        if parts.curve and left >= len(parts.curve) + 1 + min(len(parts.found), MIN_FOUND):
            lines += [*parts.curve, Text()]
            left -= len(parts.curve) + 1
        if len(parts.found) > left:
            return [*lines, *parts.found[: max(left - 1, 0)], Text("  ...", style=QUIET)]
        lines += parts.found
        return [*lines, *parts.rest] if len(parts.rest) <= left - len(parts.found) else lines

    def _status(self) -> str:
        look = self.look
        if look.has_writer:
            changed = "just changed" if look.quiet < 1 else f"changed {look.quiet:,.0f} s ago"
            return f"watching · {changed} · ends with the writing process · Ctrl-C to stop"
        return f"watching · {look.quiet:,.0f} of {look.patience:,.0f} s without a change · Ctrl-C to stop"
