"""The command line: parse, call, print, exit. Nothing is computed here, and nowhere else is an error caught.

One file a command; `process` holds what surrounds them all: streams, signals, errors, exit codes.
"""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from lrfind import __version__
from lrfind.cli.check import check
from lrfind.cli.diagnose import diagnose
from lrfind.cli.explain import explain
from lrfind.cli.process import run_guarded
from lrfind.cli.recommend import recommend
from lrfind.cli.schedule import schedule
from lrfind.cli.sweep import sweep

app = typer.Typer(
    name="lrfind",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find a learning rate and a schedule that can be trusted.",
)

# Each command and the example its help ends with.
COMMANDS = (
    (sweep, "lrfind sweep data.csv --target price --optimizer adam --epochs 30"),
    (recommend, "lrfind recommend --for torch > optimizer.py"),
    (schedule, "lrfind schedule one_cycle --peak-lr 0.01 --train-steps 400 --for torch"),
    (check, "lrfind check data.csv --target price --junit check.xml"),
    (diagnose, "lrfind diagnose runs/*/metrics.csv"),
    (explain, "lrfind explain LR202"),
)
for _command, _example in COMMANDS:
    app.command(epilog=f"Example: {_example}")(_command)


def _print_version(*, value: bool) -> None:
    if value:
        typer.echo(f"lrfind {__version__}")
        raise typer.Exit


@app.callback(epilog="Start with: lrfind sweep data.csv")
def _options(
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    run_guarded(app)
