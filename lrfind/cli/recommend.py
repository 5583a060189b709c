"""`lrfind recommend [RUN]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lrfind.cli.process import console, say
from lrfind.errors import ExitCode, UsageError


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
    from lrfind.settings import MOST_TRAIN_STEPS

    target_format, schedule = _usable(
        target_format, schedule, train_steps=train_steps, epochs=epochs, batch_size=batch_size
    )
    stored = load_run(newest_run(RUNS_ROOT) if run is None else Path(run))
    if epochs is not None:
        train_steps = min(steps_in(stored, epochs, batch_size=batch_size), MOST_TRAIN_STEPS)
    advice = adapt(stored.recommendation, batch_size=batch_size, train_steps=train_steps, schedule=schedule)
    for reason in advice.evidence[: len(advice.evidence) - len(stored.recommendation.evidence)]:
        typer.echo(reason.text, err=True)
    if target_format is None:
        from lrfind.report.terminal import print_advice

        print_advice(advice, console(sys.stdout), folder=stored.path)
    elif advice.lr is None:
        say(f"nothing to export: {advice.sentence}")
    else:
        sys.stdout.write(export(advice, target_format))
    if advice.lr is None:
        raise typer.Exit(ExitCode.NO_RECOMMENDATION)


def _usable(
    target_format: str | None,
    schedule: str | None,
    *,
    train_steps: int | None,
    epochs: int | None,
    batch_size: int | None,
) -> tuple[str | None, str | None]:
    """Return the format and the schedule as lrfind spells them, or refuse what cannot be used."""
    from lrfind.export import EXPORTERS
    from lrfind.schedule import COURSES
    from lrfind.settings import MOST_TRAIN_STEPS, require_between, require_one_of

    if target_format is not None:
        target_format = require_one_of(target_format, EXPORTERS, option="--for")
    if schedule is not None:
        schedule = require_one_of(schedule, COURSES, option="--schedule")
    for number, option in ((train_steps, "--train-steps"), (epochs, "--epochs"), (batch_size, "--batch-size")):
        if number is not None:
            require_between(number, (1, MOST_TRAIN_STEPS), option=option)
    if epochs is not None and train_steps is not None:
        raise UsageError("--epochs and --train-steps both say how long to train: give one of them")
    return target_format, schedule
