"""`lrfind recommend [RUN]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lrfind.cli.process import console
from lrfind.errors import ExitCode


def recommend(
    run: Annotated[str | None, typer.Argument(help="A run's folder; by default the newest under lrfind-runs.")] = None,
    *,
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
    from lrfind.recommend import adapt
    from lrfind.runs import RUNS_ROOT, load_run, newest_run, steps_in

    stored = load_run(newest_run(RUNS_ROOT) if run is None else Path(run))
    if epochs is not None:
        train_steps = steps_in(stored, epochs, batch_size=batch_size)
    advice = adapt(stored.recommendation, batch_size=batch_size, train_steps=train_steps, schedule=schedule)
    for reason in advice.evidence[: len(advice.evidence) - len(stored.recommendation.evidence)]:
        typer.echo(reason.text, err=True)
    if target_format is not None:
        sys.stdout.write(export(advice, target_format))
    else:
        from lrfind.report.terminal import print_advice

        print_advice(advice, console(sys.stdout), folder=stored.path)
    if advice.lr is None:
        raise typer.Exit(ExitCode.NO_RECOMMENDATION)
