"""`lrfind recommend [RUN]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.process import console, say
from lrfind.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from lrfind.recommend import Recommendation
    from lrfind.runs import Origin


def recommend(
    run: Annotated[
        str | None,
        typer.Argument(help="A run: its folder, run.json or report.html; by default the newest under lrfind-runs."),
    ] = None,
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
    from lrfind.recommend import adapt
    from lrfind.runs import RUNS_ROOT, folder_of, load_run, newest_run, origin_of, steps_in
    from lrfind.settings import MOST_TRAIN_STEPS

    target_format, schedule = _usable(
        target_format, schedule, train_steps=train_steps, epochs=epochs, batch_size=batch_size
    )
    # As it was typed: epochs become steps below.
    options = {"--batch-size": batch_size, "--train-steps": train_steps, "--epochs": epochs, "--schedule": schedule}
    stored = load_run(newest_run(RUNS_ROOT) if run is None else folder_of(Path(run)))
    origin, chosen = origin_of(stored), f"the newest under {RUNS_ROOT}" if run is None else ""
    if epochs is not None:
        train_steps = min(steps_in(stored, epochs, batch_size=batch_size), MOST_TRAIN_STEPS)
    advice = adapt(stored.recommendation, batch_size=batch_size, train_steps=train_steps, schedule=schedule)
    changes = [reason.text for reason in advice.evidence if reason not in stored.recommendation.evidence]
    if chosen and target_format is not None:
        # What is printed may go into a file at once, and not every format has comments.
        say(f"{origin.table or 'a table without a name'}, from {origin.run}, {chosen}")
    # the schedule's own sentence stands beside its name where the advice is printed
    said = {reason.text for reason in advice.evidence if reason.name == "schedule"} if target_format is None else set()
    for change in changes:
        if change not in said:
            typer.echo(change, err=True)
    if target_format is None:
        from lrfind.report.terminal import print_advice

        print_advice(advice, console(sys.stdout), folder=stored.path, origin=origin, chosen=chosen, options=options)
    elif advice.lr is None:
        say(f"nothing to export: {advice.sentence}")
    else:
        _write_code(advice, target_format, origin=origin, changes=changes)
    if advice.lr is None:
        raise typer.Exit(ExitCode.NO_RECOMMENDATION)


def _write_code(advice: Recommendation, target_format: str, *, origin: Origin, changes: Sequence[str]) -> None:
    from lrfind.export import export

    code = export(advice, target_format, origin=origin, changes=changes)
    # Python takes a file for UTF-8: names in comments are escaped where the stream would write anything else.
    is_utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"
    sys.stdout.write(code if is_utf8 else code.encode("ascii", "backslashreplace").decode("ascii"))


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
