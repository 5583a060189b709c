"""`lrfind check DATA...`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.process import as_typed, console, names
from lrfind.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from lrfind.examine.configuration import Options
    from lrfind.report.check import CheckReport


def check(
    data: Annotated[list[str], typer.Argument(help="Tables, as for sweep; several may be given.")],
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
    github: Annotated[bool, typer.Option("--github", help="Print annotations and write the job summary.")] = False,
    fail_on: Annotated[str | None, typer.Option(help="error or warning.")] = None,
    budget: Annotated[float | None, typer.Option(help="Seconds a table; what does not fit is left out.")] = None,
    where: Annotated[str | None, typer.Option(help="Keep rows: an SQL condition.", rich_help_panel="Data")] = None,
    columns: Annotated[str | None, typer.Option(help="Keep columns: a,b,c.", rich_help_panel="Data")] = None,
    drop: Annotated[str | None, typer.Option(help="Leave out columns: a,b.", rich_help_panel="Data")] = None,
    sample: Annotated[int | None, typer.Option(help="Most rows to use.", rich_help_panel="Data")] = None,
    seed: Annotated[int | None, typer.Option(help="Every random number follows from it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but failures.")] = False,
) -> None:
    """Check that tables are fit to train on, and still what they were."""
    from lrfind.examine.configuration import configured, read_configuration

    options = configured(
        read_configuration(Path()), target=as_typed(target), task=task, split=as_typed(split), baseline=baseline,
        fail_on=fail_on, budget=budget, where=as_typed(where), columns=names(columns), drop=names(drop), sample=sample,
        seed=seed,
    )  # fmt: skip
    reports = [_checked(source, options, update=update_baseline, quiet=quiet or as_json) for source in data]
    _show(reports, as_json=as_json, quiet=quiet)
    if junit is not None:
        from lrfind.report.junit import write_junit

        write_junit(reports, Path(junit))
    if github:
        from lrfind.report.github import publish

        # standard output belongs to the JSON where that was asked for; GitHub reads both
        publish(reports, sys.stderr if as_json else sys.stdout)
    if not all(report.passed for report in reports):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _checked(source: str, options: Options, *, update: bool, quiet: bool) -> CheckReport:
    from lrfind.examine import examine
    from lrfind.examine.baseline_file import baseline_path, read_baselines, write_baselines
    from lrfind.report.terminal import progress

    path = baseline_path(source, options.baseline)
    stored = read_baselines(path) if path is not None and _is_asked_for(path, options, update=update) else {}
    name = Path(source).name
    with progress(console(sys.stderr), quiet=quiet) as tell:
        report = examine(
            source,
            options.settings,
            policy=options.policy,
            baseline=None if update else stored.get(name),
            progress=tell,
        )
    if update:
        if path is None:
            raise UsageError("--update-baseline: standard input has no place beside it; name a file with --baseline")
        write_baselines(path, {**stored, name: report.baseline}, version=report.version)
    return report


def _is_asked_for(path: Path, options: Options, *, update: bool) -> bool:
    # a baseline that was named must be there, one that is found beside the data is welcome
    return path.exists() or (options.baseline is not None and not update)


def _show(reports: list[CheckReport], *, as_json: bool, quiet: bool) -> None:
    from lrfind.report.check import print_check, to_json

    if as_json:
        sys.stdout.write(to_json(reports))
        return
    for report in reports:
        if not (quiet and report.passed):
            print_check(report, console(sys.stdout))
