"""`lrfind check DATA...`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.process import NA_HELP, TEXT_HELP, as_typed, console, names, progress, reader_may_leave, say
from lrfind.errors import DataError, ExitCode, UsageError
from lrfind.text import printable

if TYPE_CHECKING:
    from lrfind.examine.configuration import Options
    from lrfind.report.check import CheckReport, Unread


def check(
    data: Annotated[
        list[str], typer.Argument(help="Tables; a pattern in quotes, 'part-*.csv', is one table in parts.")
    ],
    *,
    target: Annotated[str | None, typer.Option(help="Column to predict; as for sweep.")] = None,
    task: Annotated[str | None, typer.Option(help="auto, classification or regression.")] = None,
    split: Annotated[str | None, typer.Option(help="random, time:COL or group:COL.")] = None,
    baseline: Annotated[
        str | None, typer.Option(help="What the data was like; by default lrfind-baseline.json beside it.")
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write the baseline instead of comparing with it.")
    ] = False,
    junit: Annotated[str | None, typer.Option(help="Write a JUnit XML file, one test case a check.")] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Print annotations for GitHub, and write the summary of the job.")
    ] = False,
    fail_on: Annotated[str | None, typer.Option(help="What fails a table: error (the default) or warning.")] = None,
    budget: Annotated[
        float | None, typer.Option(help="Seconds a table may take; what does not fit is left out.")
    ] = None,
    where: Annotated[str | None, typer.Option(help="Keep rows: an SQL condition.", rich_help_panel="Data")] = None,
    columns: Annotated[str | None, typer.Option(help="Keep columns: a,b,c.", rich_help_panel="Data")] = None,
    drop: Annotated[str | None, typer.Option(help="Leave out columns: a,b.", rich_help_panel="Data")] = None,
    sample: Annotated[int | None, typer.Option(help="Most rows to use.", rich_help_panel="Data")] = None,
    na: Annotated[str | None, typer.Option(help=NA_HELP, rich_help_panel="Data")] = None,
    text: Annotated[str | None, typer.Option(help=TEXT_HELP, rich_help_panel="Data")] = None,
    seed: Annotated[int | None, typer.Option(help="Every random number follows from it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what each check saw that passed, too.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what fails.")] = False,
) -> None:
    """Check that tables are fit to train on, and still what they were.

    Exits with 1 when one fails, with 2 when one cannot be read. Settings may stand in lrfind.toml or pyproject.toml.
    """
    from lrfind.examine.configuration import configured
    from lrfind.project import read_configuration, source_line

    project = read_configuration(Path())
    given = {
        "target": as_typed(target), "task": task, "split": as_typed(split), "baseline": baseline, "fail_on": fail_on,
        "budget": budget, "where": as_typed(where), "columns": names(columns), "drop": names(drop), "sample": sample,
        "na": names(na), "text": names(text), "seed": seed,
    }  # fmt: skip
    options = configured(project, **given)
    if (used := [key for key in project.values if given.get(key) is None]) and not quiet:
        say(source_line(project, used))
    if junit is not None:
        from lrfind.report.check.junit import require_place

        # before the work, not after it
        require_place(Path(junit))
    call = _Call(
        options=options, update=update_baseline, is_sole=baseline is not None and len(data) == 1, as_json=as_json,
        quiet=quiet, verbose=verbose,
    )  # fmt: skip
    reports, unread = _all_checked(data, call)
    if junit is not None:
        from lrfind.report.check.junit import write_junit

        write_junit(reports, Path(junit), unread=unread)
    if github:
        from lrfind.report.check.github import publish

        # standard output belongs to the JSON where that was asked for; GitHub reads both
        with reader_may_leave():
            publish(reports, sys.stderr if as_json else sys.stdout, unread=unread)
    if unread:
        raise typer.Exit(ExitCode.BAD_INPUT)
    if not all(report.passed for report in reports):
        raise typer.Exit(ExitCode.CHECK_FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """What holds for every table of a call."""

    options: Options
    update: bool
    is_sole: bool
    as_json: bool
    quiet: bool
    verbose: bool


def _all_checked(data: list[str], call: _Call) -> tuple[list[CheckReport], list[Unread]]:
    """Check every table and tell of it at once; one that cannot be read does not keep the others from being told of."""
    from lrfind.report.check import Unread

    reports: list[CheckReport] = []
    unread: list[Unread] = []
    for source in data:
        try:
            reports.append(_checked(source, call))
        except (DataError, UsageError) as error:
            # what is wrong with the call itself is said once, not for every table
            if str(error) not in {lost.message for lost in unread}:
                say(f"error: {error}")
            unread.append(Unread(path=source, message=str(error)))
        else:
            _show(reports[-1], call, is_first=not any(_is_shown(report, call) for report in reports[:-1]))
    _show_end(reports, unread, call=call)
    return reports, unread


def _checked(source: str, call: _Call) -> CheckReport:
    from lrfind.checks.baseline import NO_BASELINE
    from lrfind.examine import examine
    from lrfind.examine.baseline_file import (
        add_baseline,
        baseline_key,
        baseline_path,
        choose_baseline,
        read_baselines,
    )

    path = baseline_path(source, call.options.baseline)
    if call.update and path is None:
        raise UsageError("--update-baseline: standard input has no place beside it; name a file with --baseline")
    stored = read_baselines(path) if path is not None and _is_asked_for(path, call) else {}
    old, reason = None, NO_BASELINE
    if call.update:
        reason = f"A baseline was written to {printable(path)}; the next check compares with it."
    elif path is not None:
        old, reason = choose_baseline(stored, source, path=path, is_sole=call.is_sole)
    with progress(quiet=call.quiet) as stages:
        report = examine(
            source,
            call.options.settings,
            policy=call.options.policy,
            baseline=old,
            no_baseline=reason,
            progress=stages,
        )
    if call.update and path is not None:
        add_baseline(path, baseline_key(source, path), report.baseline, version=report.version)
    return report


def _is_asked_for(path: Path, call: _Call) -> bool:
    # a baseline that was named must be there, one that is found beside the data is welcome
    return path.exists() or (call.options.baseline is not None and not call.update)


def _is_shown(report: CheckReport, call: _Call) -> bool:
    return not call.as_json and not (call.quiet and report.passed)


def _show(report: CheckReport, call: _Call, *, is_first: bool) -> None:
    from lrfind.report.check import print_check

    if not _is_shown(report, call):
        return
    # flushed at its end: in a log both streams are one, and stay in order
    with reader_may_leave():
        if not is_first:
            sys.stdout.write("\n")
        print_check(report, console(sys.stdout), verbose=call.verbose, quiet=call.quiet)


def _show_end(reports: list[CheckReport], unread: list[Unread], *, call: _Call) -> None:
    from lrfind.report.check import tally, to_json

    with reader_may_leave():
        # a single table that cannot be read leaves nothing to print: the message on standard error says it all
        if call.as_json and reports:
            sys.stdout.write(to_json(reports, unread))
        elif reports and len(reports) + len(unread) > 1 and not (call.quiet or call.as_json):
            sys.stdout.write(f"\n{tally(reports, unread)}\n")
