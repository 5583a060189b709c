"""Commands that are printed of a run, and running them where they are to be typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from honesty_runs import Stored, at
from honesty_text import COMMAND, pieces
from typer.testing import CliRunner

from lrfind.cli import app
from lrfind.errors import ExitCode
from lrfind.text import rate

COMMANDS = typer.main.get_command(app).commands
# A sweep that ran to its end, with and without an answer.
FINISHED = frozenset({0, int(ExitCode.NO_RECOMMENDATION)})
# What another run of the same table may differ in.
OF_THE_MOMENT = frozenset({"created", "command", "timing", "config"})


def commands(run: Stored) -> dict[str, set[str]]:
    """Return every command printed of a run, as it is to be typed, and the media it stands in."""
    found: dict[str, set[str]] = {}
    for piece in pieces(run):
        for command in COMMAND.finditer(piece.text):
            found.setdefault(command[0], set()).add(piece.medium)
    return found


def typed(command: str, place: Path, *more: str) -> tuple[int, str]:
    """Type a command in a folder; return its exit code, and what it printed."""
    with at(place):
        result = CliRunner().invoke(app, [*shlex.split(command)[1:], *more], env={"COLUMNS": "80"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def options_of(command: str) -> dict[str, Any]:
    """Return what a command line is understood as; an option that is not known raises."""
    _, name, *words = shlex.split(command)
    return dict(COMMANDS[name].make_context(name, words).params)


def wrong_commands(run: Stored) -> Iterator[str]:
    """Yield what is wrong with the commands printed of a run.

    Those of `recommend` are run and must speak of this table and its rate; of the others it is only looked at whether
    they can be understood and name a table that is there.
    """
    document, every = run.document, commands(run)
    lr = document["recommendation"]["lr"]
    for command in every:
        given = options_of(command)
        if "recommend" in command.split()[:2]:
            yield from _wrong_code(run, command)
            continue
        # a check takes several tables
        tables = [given["data"]] if isinstance(given["data"], str) else list(given["data"])
        if tables != [document["data"]["path"]]:
            yield f"{command}: is for {tables}"
        elif not (run.place / tables[0]).is_file():
            yield f"{command}: there is no {tables[0]}"
    media = {medium for command, media in every.items() if command.startswith("lrfind recommend") for medium in media}
    wanted = {"terminal 80", "terminal 120", "recommend", "page"} if lr is not None else set()
    if media != wanted:
        yield f"lrfind recommend is told of in {sorted(media)}"
    if not any("page" in media for command, media in every.items() if command.startswith("lrfind sweep")):
        yield "the page does not say how to do it again"
    if document["recommendation"]["verdict"] == "no_signal" and not any("check" in command[:13] for command in every):
        yield "no command says what to do without a signal"


def _wrong_code(run: Stored, command: str) -> Iterator[str]:
    code, text = typed(command, run.place)
    first = " ".join(text.split())
    if code:
        yield f"{command}: ends with {code} and {text!r}"
    elif f"Learning rate {rate(run.document['recommendation']['lr'])}" not in first:
        yield f"{command}: is of another rate: {text.splitlines()[:3]}"
    elif str(run.folder) not in first or run.document["data"]["name"] not in first:
        yield f"{command}: is of another run: {text.splitlines()[:3]}"


def again(run: Stored) -> str:
    """Return the command by which the page says that the run can be repeated."""
    (command,) = (command for command in commands(run) if command.startswith("lrfind sweep"))
    return command


def lasting(document: dict[str, Any]) -> dict[str, Any]:
    """Return what must be the same when a run is repeated, its settings without the number of processes."""
    config = {name: value for name, value in document["config"].items() if name not in {"jobs", "learn", "experience"}}
    return {key: value for key, value in document.items() if key not in OF_THE_MOMENT} | {"config": config}
