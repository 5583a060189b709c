"""`lrfind diagnose LOG...`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.process import console
from lrfind.errors import ExitCode, UsageError
from lrfind.text import nearest, printable

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
        float, typer.Option(help="Seconds without a change that end the run.", rich_help_panel="Following")
    ] = 120.0,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", rich_help_panel="Following")] = 2.0,
    fail_on: Annotated[
        str | None, typer.Option(help="Exit with 1 if one of these is found: codes a,b, or error, or warning.")
    ] = None,
    out: Annotated[str | None, typer.Option(help="Folder for the report: page, plot and JSON.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier report in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Say what the learning rate of a training run did, and what to change."""
    from lrfind.diagnose import diagnose as diagnose_source
    from lrfind.report.diagnosis import to_json

    wanted = _wanted(fail_on)
    if out is not None:
        from lrfind.runs import check_out_dir

        check_out_dir(out, force=force)
    if follow:
        diagnoses = [_followed(logs, until=until, idle=idle, every=every, quiet=quiet or as_json)]
    else:
        diagnoses = [diagnose_source(log) for log in logs]
    if out is not None:
        _write(diagnoses, out, force=force)
    if as_json:
        sys.stdout.write(to_json(diagnoses))
    elif not quiet and not follow:
        from lrfind.report.diagnosis_terminal import print_diagnoses

        print_diagnoses(diagnoses, console(sys.stdout), folder=None if out is None else Path(out))
    if any(diagnosis.fails(wanted) for diagnosis in diagnoses):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _wanted(fail_on: str | None) -> tuple[str, ...]:
    """Return what --fail-on names, codes in capitals."""
    from lrfind.checks.training_log import TRAINING_LOG_CHECKS
    from lrfind.report.diagnosis import SEVERITIES

    known = {*SEVERITIES, *(check.code for check, _ in TRAINING_LOG_CHECKS)}
    wanted = []
    for word in [word.strip() for word in (fail_on or "").split(",") if word.strip()]:
        name = word.lower() if word.lower() in known else word.upper()
        if name not in known:
            like = nearest(word, known)
            hint = f"; did you mean {like}?" if like else ", such as LR202"
            raise UsageError(
                f"--fail-on is '{printable(word, width=40)}': expected error, warning or codes from LR201 to "
                f"LR214{hint}"
            )
        wanted.append(name)
    return tuple(wanted)


def _followed(logs: list[str], *, until: float | None, idle: float, every: float, quiet: bool) -> Diagnosis:
    from lrfind.diagnose import follow
    from lrfind.report.diagnosis_terminal import watching

    if len(logs) > 1:
        raise UsageError(f"--follow watches one log, and {len(logs)} were named: start one command for each")
    if not every > 0 or not idle > 0:
        raise UsageError("--every and --idle are seconds and must be above 0")
    with watching(console(sys.stdout), quiet=quiet) as show:
        for diagnosis in follow(logs[0], until=until, idle=idle, every=every):
            show(diagnosis)
    return diagnosis


def _write(diagnoses: Sequence[Diagnosis], out: str, *, force: bool) -> None:
    from lrfind.report.diagnosis_files import write_diagnoses
    from lrfind.runs import new_run

    created = datetime.now().astimezone()
    with new_run(out, force=force) as place:
        write_diagnoses(
            diagnoses, place, created=created.isoformat(timespec="seconds"), command=("lrfind", *sys.argv[1:])
        )
