"""The command line: parse, call, print, exit. Nothing is computed here, and nowhere else is an error caught."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lrfind.errors import ExitCode, LrfindError
from lrfind.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from lrfind.find import Progress, Settings
    from lrfind.report import Report

app = typer.Typer(
    name="lrfind",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find a learning rate and a schedule that can be trusted.",
)


def _print_version(*, value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"lrfind {version('lrfind')}")
        raise typer.Exit


@app.callback(epilog="Start with: lrfind sweep data.csv")
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: lrfind sweep data.csv --target price --optimizer adam --epochs 30")
def sweep(
    data: Annotated[
        str, typer.Argument(help="CSV, TSV, Parquet, JSON lines, .npz, .gz, .zst, a glob, or - for standard input.")
    ],
    target: Annotated[str | None, typer.Option(help="Column to predict. [default: by name, else the last]")] = None,
    task: Annotated[str, typer.Option(help="auto, classification or regression.")] = "auto",
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
        typer.Option(help="The same in passes. [default: 20, within 400 to 2000 steps]", rich_help_panel="Model"),
    ] = None,
    lr_min: Annotated[float, typer.Option(help="First rate.", rich_help_panel="Range test")] = 1e-7,
    lr_max: Annotated[float, typer.Option(help="Last rate.", rich_help_panel="Range test")] = 10.0,
    steps: Annotated[int, typer.Option(help="Steps from first to last.", rich_help_panel="Range test")] = 400,
    seeds: Annotated[int, typer.Option(help="Models trained side by side.", rich_help_panel="Range test")] = 8,
    race: Annotated[
        bool, typer.Option("--race/--no-race", help="Judge by the sweep alone.", hidden=True)
    ] = False,
    where: Annotated[str | None, typer.Option(help="Keep rows: an SQL condition.", rich_help_panel="Data")] = None,
    columns: Annotated[str | None, typer.Option(help="Keep columns: a,b,c.", rich_help_panel="Data")] = None,
    drop: Annotated[str | None, typer.Option(help="Leave out columns: a,b.", rich_help_panel="Data")] = None,
    sample: Annotated[int | None, typer.Option(help="Most rows to use.", rich_help_panel="Data")] = None,
    split: Annotated[str, typer.Option(help="random, time:COL or group:COL.", rich_help_panel="Data")] = "random",
    seed: Annotated[int, typer.Option(help="Every random number follows from it.")] = 0,
    out: Annotated[
        str | None, typer.Option(help="Folder for the run. [default: lrfind-runs/NAME-DATE-TIME]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier run in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Find a learning rate and a schedule for a table, with evidence."""
    from lrfind.find import Settings

    settings = Settings(
        target=target, task=task, model=model, hidden=_widths(hidden), activation=activation, optimizer=optimizer,
        batch_size=batch_size, train_steps=train_steps, epochs=epochs, lr_min=lr_min, lr_max=lr_max, steps=steps,
        seeds=seeds, where=where, columns=_names(columns), drop=_names(drop), sample=sample, split=split, seed=seed,
    )  # fmt: skip
    report = _swept(data, settings, out=out, force=force, quiet=quiet or as_json, as_json=as_json)
    if report.recommendation.lr is None:
        raise typer.Exit(ExitCode.NO_RECOMMENDATION)


def _swept(data: str, settings: Settings, *, out: str | None, force: bool, quiet: bool, as_json: bool) -> Report:
    from lrfind.find import find_lr
    from lrfind.report import to_json, write_report
    from lrfind.runs import check_out_dir, default_run_dir, new_run

    folder = Path(out) if out else default_run_dir(data, now=datetime.now().astimezone())
    check_out_dir(out if out is not None else folder, force=force)
    with _progress(quiet=quiet) as tell:
        report = find_lr(data, settings=settings, progress=tell, command=("lrfind", *sys.argv[1:]))
        tell("Writing", 0.0)
        with new_run(folder, force=force) as place:
            write_report(report, place)
    if as_json:
        sys.stdout.write(to_json(report))
    elif not quiet:
        from lrfind.report.terminal import print_report

        print_report(report, _console(sys.stdout), folder=folder)
    return report


@app.command(epilog="Example: lrfind recommend --for torch > optimizer.py")
def recommend(
    run: Annotated[str | None, typer.Argument(help="A run's folder. [default: the newest under lrfind-runs]")] = None,
    target_format: Annotated[
        str | None,
        typer.Option("--for", help="torch, lightning, keras, optax, transformers, sklearn, json or csv."),
    ] = None,
    train_steps: Annotated[int | None, typer.Option(help="Stretch the schedule to this many steps.")] = None,
    epochs: Annotated[int | None, typer.Option(help="The same in passes through the run's table.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rescale the rate to this batch size.")] = None,
    schedule: Annotated[str | None, typer.Option(help="Another schedule with the same peak.")] = None,
) -> None:
    """Read a run again and hand its answer to a framework."""
    from lrfind.export import export
    from lrfind.find import adapted
    from lrfind.runs import RUNS_ROOT, load_run, newest_run

    stored = load_run(newest_run(RUNS_ROOT) if run is None else Path(run))
    advice, reasons = adapted(
        stored, train_steps=train_steps, epochs=epochs, batch_size=batch_size, schedule=schedule
    )
    for reason in reasons:
        typer.echo(reason, err=True)
    if target_format is not None:
        sys.stdout.write(export(advice, target_format))
        return
    from lrfind.report.advice import print_advice

    print_advice(advice, _console(sys.stdout), run=stored.path)
    if advice.lr is None:
        raise typer.Exit(ExitCode.NO_RECOMMENDATION)


def _names(text: str | None) -> tuple[str, ...] | None:
    import csv

    # names may hold commas when quoted, as in the file's own header
    return None if text is None else tuple(name.strip() for row in csv.reader([text]) for name in row)


def _widths(text: str) -> tuple[int, ...]:
    from lrfind.errors import UsageError

    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise UsageError(f"--hidden is '{printable(text, width=40)}': expected widths such as 64 or 64,64") from None


def _console(stream: Any) -> Console:
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)


def _progress(*, quiet: bool) -> Any:
    from lrfind.report.terminal import progress

    return progress(_console(sys.stderr), quiet=quiet)


def main() -> NoReturn:
    """Run the command line and exit with its code; the only place that catches `LrfindError`."""
    for stream in (sys.stdout, sys.stderr):
        # a name that the terminal cannot show must not end the run
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    sys.exit(_guarded(app))


def _stop(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _guarded(run: Callable[[], object]) -> int:
    code: int = ExitCode.OK
    try:
        run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else ExitCode.OK
        if code in (ExitCode.INTERRUPTED, 128 + signal.SIGTERM):
            _say("interrupted: no run was written")
    except LrfindError as error:
        code = error.exit_code
        _say(f"error: {error}")
    except BrokenPipeError:
        return _without_stdout()
    except Exception as error:  # noqa: BLE001 - the last resort: a bug must not bury the user in a traceback
        code = _report_bug(error)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _without_stdout()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _say(f"error: the result could not be written to standard output: {error.strerror}")
        return ExitCode.BAD_INPUT
    return code


def _without_stdout() -> int:
    # the reader has left, as `| head` does: nothing is wrong, and nothing more can be said
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.OK


def _say(message: str) -> None:
    safe = "".join(c if c.isprintable() else printable(c) for c in message)
    try:
        sys.stderr.write(f"lrfind: {safe}\n")
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _report_bug(error: Exception) -> int:
    import tempfile
    import traceback

    if os.environ.get("LRFIND_DEBUG"):
        raise error
    try:
        with tempfile.NamedTemporaryFile("w", prefix="lrfind-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
        where = f"; what happened is in {file.name}"
    except OSError:
        where = ""
    _say(f"internal error ({type(error).__name__}), please report it{where}")
    return ExitCode.BAD_INPUT


if __name__ == "__main__":
    main()
