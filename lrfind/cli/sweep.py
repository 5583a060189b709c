"""`lrfind sweep DATA`."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.process import NA_HELP, TEXT_HELP, as_typed, console, names, progress, say
from lrfind.errors import ExitCode, UsageError
from lrfind.text import plain_choice, printable

if TYPE_CHECKING:
    from lrfind.report import Report
    from lrfind.settings import Settings


# Seconds to draw the charts and write the page; measured.
WRITE_SECONDS = 2.5


def sweep(
    data: Annotated[
        str, typer.Argument(help="CSV, TSV, Parquet, JSON lines, .npz, .gz, .zst, a glob, or - for standard input.")
    ],
    *,
    target: Annotated[
        str | None,
        typer.Option(help="Column to predict; by default one named target, label, class, y or outcome, else the last."),
    ] = None,
    task: Annotated[str | None, typer.Option(help="auto (the default), classification or regression.")] = None,
    model: Annotated[str, typer.Option(help="mlp or linear.", rich_help_panel="Model")] = "mlp",
    hidden: Annotated[str, typer.Option(help="Widths of the hidden layers.", rich_help_panel="Model")] = "64",
    activation: Annotated[str, typer.Option(help="relu, tanh or gelu.", rich_help_panel="Model")] = "relu",
    optimizer: Annotated[
        str,
        typer.Option(
            help="sgd, momentum, nesterov, rmsprop, adagrad, adam, adamw, nadam or lion.", rich_help_panel="Model"
        ),
    ] = "adam",
    batch_size: Annotated[int, typer.Option(help="Rows a step.", rich_help_panel="Model")] = 64,
    train_steps: Annotated[
        int | None, typer.Option(help="Length of the run the advice is for.", rich_help_panel="Model")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="The same in passes; by default 20, within 400 to 2000 steps.", rich_help_panel="Model"),
    ] = None,
    lr_min: Annotated[float, typer.Option(help="First rate.", rich_help_panel="Range test")] = 1e-7,
    lr_max: Annotated[float, typer.Option(help="Last rate.", rich_help_panel="Range test")] = 10.0,
    steps: Annotated[int, typer.Option(help="Steps from first to last.", rich_help_panel="Range test")] = 400,
    seeds: Annotated[int, typer.Option(help="Models trained side by side.", rich_help_panel="Range test")] = 8,
    race: Annotated[
        str, typer.Option(help="How much to train: quick, full or grid.", rich_help_panel="Evidence")
    ] = "full",
    no_race: Annotated[
        bool, typer.Option("--no-race", help="Judge by the range test alone.", rich_help_panel="Evidence")
    ] = False,
    schedules: Annotated[
        str, typer.Option(help="Schedules to race: all, or a,b,c.", rich_help_panel="Evidence")
    ] = "all",
    jobs: Annotated[int, typer.Option(help="Processes; 0 for one a core.", rich_help_panel="Evidence")] = 0,
    where: Annotated[str | None, typer.Option(help="Keep rows: an SQL condition.", rich_help_panel="Data")] = None,
    columns: Annotated[str | None, typer.Option(help="Keep columns: a,b,c.", rich_help_panel="Data")] = None,
    drop: Annotated[str | None, typer.Option(help="Leave out columns: a,b.", rich_help_panel="Data")] = None,
    sample: Annotated[int | None, typer.Option(help="Most rows to use.", rich_help_panel="Data")] = None,
    na: Annotated[str | None, typer.Option(help=NA_HELP, rich_help_panel="Data")] = None,
    text: Annotated[str | None, typer.Option(help=TEXT_HELP, rich_help_panel="Data")] = None,
    split: Annotated[
        str | None, typer.Option(help="random (the default), time:COL or group:COL.", rich_help_panel="Data")
    ] = None,
    learn: Annotated[
        bool,
        typer.Option("--learn", help="Learn from earlier runs in lrfind-runs, too.", rich_help_panel="Evidence"),
    ] = False,
    experience: Annotated[
        str | None,
        typer.Option(help="Learn from the earlier runs that this run learned from.", rich_help_panel="Evidence"),
    ] = None,
    forget: Annotated[
        str | None,
        typer.Option(
            envvar="LRFIND_FORGET",
            help="Leave out experience with a table: its name, or own.",
            rich_help_panel="Evidence",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Every random number follows from it; 0 by default.")] = None,
    out: Annotated[str | None, typer.Option(help="Folder for the run; by default lrfind-runs/NAME-DATE-TIME.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier run in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Find a learning rate and a schedule for a table, with evidence.

    What to learn from what may stand in lrfind.toml or pyproject.toml, as for check.
    """
    from lrfind.project import data_options, read_configuration, source_line
    from lrfind.settings import Settings

    project = read_configuration(Path())
    options, used = data_options(
        project, target=as_typed(target), task=task, split=as_typed(split), where=as_typed(where),
        columns=names(columns), drop=names(drop), na=names(na), text=names(text), sample=sample, seed=seed,
    )  # fmt: skip
    settings = Settings(
        **options, model=model, hidden=_widths(hidden), activation=activation,
        optimizer=optimizer, batch_size=batch_size, train_steps=train_steps, epochs=epochs, lr_min=lr_min,
        lr_max=lr_max, steps=steps, seeds=seeds, race=None if no_race else race,
        schedules=None if plain_choice(schedules) == "all" else names(schedules), jobs=jobs,
        learn=learn, experience=as_typed(experience), forget=as_typed(forget),
    )  # fmt: skip
    if used and not quiet:
        say(source_line(project, used))
    report = _swept(data, settings, out=out, force=force, quiet=quiet, as_json=as_json)
    if report.recommendation.lr is None:
        raise typer.Exit(ExitCode.NO_RECOMMENDATION)


def _swept(data: str, settings: Settings, *, out: str | None, force: bool, quiet: bool, as_json: bool) -> Report:
    from lrfind.find import find_lr
    from lrfind.report import to_json, write_report
    from lrfind.runs import check_out_dir, default_run_dir, new_run

    folder = Path(out) if out else default_run_dir(data, now=datetime.now().astimezone())
    check_out_dir(out if out is not None else folder, force=force)
    with progress(quiet=quiet, after=WRITE_SECONDS) as stages:
        report = find_lr(data, settings=settings, progress=stages, command=_again(data, settings, folder=folder))
        stages.begin("Writing", seconds=WRITE_SECONDS)
        with new_run(folder, force=force) as place:
            write_report(report, place, run=folder)
        stages.end()
    if as_json:
        sys.stdout.write(to_json(report))
    elif not quiet:
        from lrfind.report.terminal import print_report

        print_report(report, console(sys.stdout), folder=folder)
    return report


def _again(data: str, settings: Settings, *, folder: Path) -> tuple[str, ...]:
    """Return the command that repeats the run, into a folder of its own: it learns from what this one learned from."""
    from lrfind.settings import as_options

    if settings.learn:
        settings = replace(settings, learn=False, experience=str(folder))
    return ("lrfind", "sweep", data, *as_options(settings))


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--hidden is '{printable(text, width=40)}': expected widths such as 64 or 64,64") from None
