"""`lrfind diagnose LOG...`."""

from __future__ import annotations

import math
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.process import Stopped, console, say
from lrfind.errors import ExitCode, UsageError
from lrfind.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lrfind.report.diagnosis import Diagnosis


def diagnose(
    logs: Annotated[
        list[str],
        typer.Argument(help="Training logs: CSV, JSON, JSON lines, TensorBoard, printed text, a folder, or -."),
    ],
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Watch a log that grows, until its run ends.")] = False,
    until: Annotated[float | None, typer.Option(help="Most seconds to watch.", rich_help_panel="Following")] = None,
    idle: Annotated[
        float | None,
        typer.Option(
            help="Seconds without a change that end the run in any case. Default: 120, or 1,200 while a process has "
            "the log open; at least five times the longest pause so far.",
            rich_help_panel="Following",
        ),
    ] = None,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", rich_help_panel="Following")] = 2.0,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="The run's optimizer (adam, adamw, radam, rmsprop, adagrad, lion, sgd, or momentum for SGD with it), "
            "if its log does not name it: its usual rate makes the judgement surer."
        ),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            help="Exit with 1 if one of these is found: codes such as LR201,LR202, error, or warning (and worse)."
        ),
    ] = None,
    out: Annotated[str | None, typer.Option(help="Folder for the report: page, plot and JSON.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier report in --out.")] = False,
    series: Annotated[
        bool,
        typer.Option(
            "--series", help="Show how the log was read, and do not judge it: runs, columns, points, lines passed over."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print log and findings as JSON, and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Say what the learning rate of a training run did, and what to change.

    Several logs are compared: which rate was best, and why.

    With --follow a log is read anew as it grows, until its run has ended: when
    the process that had it open for writing has; where the system cannot tell,
    when nothing was written for a while (--idle). Then, or at Ctrl-C, the
    verdict is printed, and the report written if there is --out. The exit code
    is 0, or 1 for what --fail-on names, or else 130 after Ctrl-C.
    """
    from lrfind.diagnose import diagnose as diagnose_source
    from lrfind.report.diagnosis.comparison import told_apart
    from lrfind.report.diagnosis.serialise import to_json

    wanted = _wanted(fail_on)
    if series:
        _show_series(logs, optimizer=optimizer, as_json=as_json, quiet=quiet, others=follow or out is not None)
        return
    if out is not None:
        from lrfind.runs import check_out_dir

        check_out_dir(out, force=force)
    interrupted = False
    if follow:
        followed, interrupted = _followed(
            logs, until=until, idle=idle, every=every, optimizer=optimizer, quiet=quiet, as_json=as_json
        )
        diagnoses = [followed]
    else:
        diagnoses = told_apart([diagnose_source(log, optimizer=optimizer) for log in logs])
    if out is not None:
        _write(diagnoses, out, force=force)
    if as_json:
        sys.stdout.write(to_json(diagnoses))
    elif not quiet:
        from lrfind.report.diagnosis.terminal import print_diagnoses

        print_diagnoses(diagnoses, console(sys.stdout), folder=None if out is None else Path(out))
    if any(diagnosis.fails(wanted) for diagnosis in diagnoses):
        raise typer.Exit(ExitCode.CHECK_FAILED)
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)


def _show_series(logs: Sequence[str], *, optimizer: str | None, as_json: bool, quiet: bool, others: bool) -> None:
    from lrfind.logs import read_log
    from lrfind.report.diagnosis.series import print_series, series_json

    if others:
        raise UsageError("--series shows how logs were read and judges nothing: leave --follow and --out away")
    read = [read_log(log, optimizer=optimizer) for log in logs]
    if as_json:
        sys.stdout.write(series_json(read))
    elif not quiet:
        print_series(read, console(sys.stdout))


def _wanted(fail_on: str | None) -> tuple[str, ...]:
    """Return what --fail-on names, codes in capitals."""
    from lrfind.checks.finding import nearest_code
    from lrfind.checks.training_log import TRAINING_LOG_CHECKS
    from lrfind.report.findings import SEVERITIES

    known = {*SEVERITIES, *(check.code for check, _ in TRAINING_LOG_CHECKS)}
    wanted = []
    for word in [word.strip() for word in (fail_on or "").split(",") if word.strip()]:
        name = word.lower() if word.lower() in known else word.upper()
        if name not in known:
            like = nearest_code(word, known)
            hint = f"; did you mean {like}?" if like else ", such as LR202"
            raise UsageError(
                f"--fail-on is '{printable(word, width=40)}': expected error, warning or codes from LR201 to "
                f"LR214, separated by commas{hint}"
            )
        wanted.append(name)
    return tuple(wanted)


def _followed(
    logs: list[str],
    *,
    until: float | None,
    idle: float | None,
    every: float,
    optimizer: str | None,
    quiet: bool,
    as_json: bool,
) -> tuple[Diagnosis, bool]:
    """Return the last diagnosis, and whether watching was interrupted."""
    from lrfind.follow import follow
    from lrfind.report.diagnosis.watch import is_live, watching

    if len(logs) > 1:
        raise UsageError(f"--follow watches one log, and {len(logs)} were named: start one command for each")
    for option, seconds in (("--every", every), ("--idle", idle), ("--until", until)):
        if seconds is not None and not 0 < seconds < math.inf:
            raise UsageError(f"{option} is {seconds:g}: expected seconds above 0")
    screen = console(sys.stdout)
    is_silent = quiet or as_json
    tells = not quiet and (as_json or not is_live(screen))
    look, interrupted = None, False
    try:
        with watching(screen, quiet=is_silent) as show:
            told = ""
            for look in follow(logs[0], until=until, idle=idle, every=every, optimizer=optimizer):
                show(look)
                if tells and look.problem and look.problem != told:
                    say(f"waiting: {look.problem}")
                told = look.problem
    except Stopped as stopped:
        # Ctrl-C ends the watching, not the command: the verdict so far is what was asked for.
        if stopped.code != ExitCode.INTERRUPTED:
            raise
        if look is None or look.diagnosis is None:
            say("stopped watching: interrupted before there was anything to judge")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        interrupted = True
    assert look is not None and look.diagnosis is not None  # noqa: S101, PT018 - `follow` promises it
    if not quiet:
        say(f"stopped watching: {'interrupted' if interrupted else look.ended}")
    return look.diagnosis, interrupted


def _write(diagnoses: Sequence[Diagnosis], out: str, *, force: bool) -> None:
    from lrfind.report.diagnosis.files import write_diagnoses
    from lrfind.runs import new_run

    created = datetime.now().astimezone()
    with new_run(out, force=force) as place:
        write_diagnoses(
            diagnoses, place, created=created.isoformat(timespec="seconds"), command=("lrfind", *sys.argv[1:])
        )
