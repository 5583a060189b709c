"""`lrfind schedule [NAME]`."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.process import console
from lrfind.errors import UsageError
from lrfind.text import plain_choice, printable, shell_line

if TYPE_CHECKING:
    from lrfind.report.schedule.view import ScheduleView
    from lrfind.schedule import Schedule

# Adam's rate in every framework, and a length at which every schedule shows its shape.
DEFAULT_LR, DEFAULT_STEPS = 1e-3, 1_000
# As for sweep.
DEFAULT_OPTIMIZER, DEFAULT_BATCH = "adam", 64
ALL = "all"


def schedule(
    name: Annotated[str, typer.Argument(help="A schedule, such as cosine or one_cycle; all of them by default.")] = ALL,
    *,
    peak_lr: Annotated[float, typer.Option(help="The largest rate.")] = DEFAULT_LR,
    train_steps: Annotated[int, typer.Option(help="Updates in the run.")] = DEFAULT_STEPS,
    warmup: Annotated[
        str | None, typer.Option(help="Rise from 0 first: steps such as 100, or a share such as 0.1 or 10%.")
    ] = None,
    png: Annotated[str | None, typer.Option(help="Write the picture to this PNG file.")] = None,
    svg: Annotated[str | None, typer.Option(help="Write the picture to this SVG file.")] = None,
    target_format: Annotated[
        str | None,
        typer.Option(
            "--for",
            help="Print code: torch, lightning, keras, optax, transformers, sklearn, json or csv.",
            rich_help_panel="Code",
        ),
    ] = None,
    optimizer: Annotated[
        str, typer.Option(help="The optimizer in the code; as for sweep.", rich_help_panel="Code")
    ] = DEFAULT_OPTIMIZER,
    batch_size: Annotated[
        int, typer.Option(help="The batch size in the code.", rich_help_panel="Code")
    ] = DEFAULT_BATCH,
    as_json: Annotated[bool, typer.Option("--json", help="Print rates and facts as JSON.")] = False,
) -> None:
    """Show what a schedule does with the rate, and hand it to a framework."""
    from lrfind.report.schedule.view import to_json, view

    name = plain_choice(name)
    target_format, optimizer = _usable(name, target_format, optimizer=optimizer, batch_size=batch_size, as_json=as_json)
    schedules = _schedules(name, peak_lr=peak_lr, train_steps=train_steps, warmup=warmup)
    shown = [view(made, kind=kind) for kind, made in schedules.items()]
    written = _pictures(shown, png=png, svg=svg) if png is not None or svg is not None else []
    if target_format is not None:
        sys.stdout.write(_code(schedules[name], target_format, optimizer=optimizer, batch_size=batch_size))
    elif as_json:
        sys.stdout.write(to_json(shown))
    else:
        options = _kept(peak_lr=peak_lr, train_steps=train_steps, warmup=warmup)
        code = _kept(optimizer=optimizer, batch_size=batch_size)
        _show(shown, written, again=["lrfind", "schedule", "NAME" if len(shown) > 1 else name, *options, *code])


def _usable(
    name: str, target_format: str | None, *, optimizer: str, batch_size: int, as_json: bool
) -> tuple[str | None, str]:
    """Return the format and the optimizer as lrfind spells them, or refuse what cannot be used."""
    from lrfind.export import EXPORTERS
    from lrfind.optim import OPTIMIZERS
    from lrfind.settings import MOST_TRAIN_STEPS, require_between, require_one_of

    optimizer = require_one_of(optimizer, OPTIMIZERS, option="--optimizer")
    require_between(batch_size, (1, MOST_TRAIN_STEPS), option="--batch-size")
    if target_format is not None:
        target_format = require_one_of(target_format, EXPORTERS, option="--for")
        if as_json:
            raise UsageError("--for and --json both say what to print: give one of them")
        if name == ALL:
            raise UsageError("--for prints code for one schedule: name it, as in `lrfind schedule cosine --for torch`")
    return target_format, optimizer


def _schedules(name: str, *, peak_lr: float, train_steps: int, warmup: str | None) -> dict[str, Schedule]:
    """Return the schedules asked for, by name."""
    from lrfind.schedule import COURSES, make_schedule, warmed_up
    from lrfind.settings import MOST_TRAIN_STEPS, require_between

    if not (math.isfinite(peak_lr) and peak_lr > 0):
        raise UsageError(f"--peak-lr is {peak_lr:g}: expected a finite number above 0")
    require_between(train_steps, (1, MOST_TRAIN_STEPS), option="--train-steps")
    if name == ALL and warmup is not None:
        raise UsageError("--warmup changes one schedule: name it, as in `lrfind schedule cosine --warmup 100`")
    names = list(COURSES) if name == ALL else [name]
    made = {each: make_schedule(each, peak_lr=peak_lr, n_steps=train_steps) for each in names}
    if warmup is not None:
        made[name] = warmed_up(made[name], _warmup_steps(warmup, n_steps=train_steps))
    return made


def _warmup_steps(text: str, *, n_steps: int) -> int:
    """Return the steps that "100", "0.1" or "10%" of a run means; a whole number without a point counts steps."""
    shown, number = printable(text, width=40), text.strip()
    try:
        steps = int(number) if number.isdecimal() else round(_share(number) * n_steps)
    except ValueError:
        steps = -1
    if not 0 <= steps < n_steps:
        raise UsageError(
            f"--warmup is '{shown}': expected steps from 0 to {n_steps - 1}, or a share of the run below 1 such as 0.1"
        )
    return steps


def _share(number: str) -> float:
    share = float(number[:-1]) / 100 if number.endswith("%") else float(number)
    if not 0 <= share < 1:
        raise ValueError(number)
    return share


def _pictures(shown: list[ScheduleView], *, png: str | None, svg: str | None) -> list[Path]:
    from lrfind.report.schedule.figures import save_picture

    files = {"png": png, "svg": svg}
    paths = {kind: Path(file) for kind, file in files.items() if file is not None}
    for kind, path in paths.items():
        save_picture(shown, path, kind=kind)
    return list(paths.values())


def _code(made: Schedule, target_format: str, *, optimizer: str, batch_size: int) -> str:
    from lrfind.export import export
    from lrfind.recommend import Recommendation

    asked = Recommendation(
        verdict="ok",
        sentence="This schedule was asked for; no training was done to find it.",
        lr=made.peak_lr,
        lr_low=None,
        lr_high=None,
        lr_max_stable=None,
        optimizer=optimizer,
        batch_size=batch_size,
        train_steps=made.n_steps,
        schedule=made,
        expected=None,
        evidence=(),
    )
    return export(asked, target_format, is_asked=True)


# What is not typed again.
_DEFAULTS: Mapping[str, object] = {
    "peak_lr": DEFAULT_LR, "train_steps": DEFAULT_STEPS, "warmup": None, "optimizer": DEFAULT_OPTIMIZER,
    "batch_size": DEFAULT_BATCH,
}  # fmt: skip


def _kept(**options: object) -> list[str]:
    """Return the options that are not the defaults, as they would be typed."""
    given = {name: value for name, value in options.items() if value != _DEFAULTS[name]}
    return [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def _show(shown: list[ScheduleView], written: list[Path], *, again: list[str]) -> None:
    from lrfind.report.schedule.terminal import print_schedule, print_schedules

    if len(shown) > 1:
        print_schedules(shown, console(sys.stdout), written=written, more=shell_line(again))
        return
    print_schedule(shown[0], console(sys.stdout), written=written, again=shell_line([*again, "--for", "torch"]))
