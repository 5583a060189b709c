"""Everything a user can choose: `Settings`, checked on construction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from lrfind.errors import UsageError
from lrfind.mlp import ACTIVATIONS
from lrfind.optim import OPTIMIZERS
from lrfind.problem.split import as_split
from lrfind.problem.target import TASKS
from lrfind.race import BUDGETS
from lrfind.schedule import COURSES
from lrfind.sweep import lr_range
from lrfind.text import listed, nearest, plain_choice

# A default training run: twenty passes, but long enough for a schedule to matter and short enough to try at once.
DEFAULT_EPOCHS, FEWEST_STEPS, MOST_STEPS = 20, 400, 2000
MOST_JOBS = 1024
# Beyond these a typing error is likelier than a wish; they bound memory.
MOST_SEEDS, MOST_WIDTH, MOST_TRAIN_STEPS, MOST_SWEEP_STEPS = 256, 16_384, 10_000_000, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a user can choose; the defaults are the command line's.

    Attributes
    ----------
    target, task, split, where, columns, drop, sample, na, text
        What to learn from what; see `lrfind.data.read_table` and `lrfind.problem.make_problem`.
    model : {"mlp", "linear"}
    hidden : tuple of int
        Widths of the hidden layers of the mlp.
    activation, optimizer : str
    batch_size : int
    lr_min, lr_max, steps, seeds : float, float, int, int
        The range test.
    train_steps, epochs : int, optional
        The training run the advice is for; by default 20 epochs, at least 400 and at most 2,000 steps.
    race : {"quick", "full", "grid"} or None
        How much training the advice may rest on; None for the range test alone.
    schedules : tuple of str, optional
        To compare in the race; all by default.
    learn : bool
        Whether the races of earlier runs, below ``lrfind-runs``, join the experience that lrfind ships. The numbers
        then depend on those runs too.
    experience : str, optional
        A run: the races of the user's own that it learned from join, and no others. It repeats a run with `learn`.
    forget : str, optional
        Leave out experience with the table of this name, "own" for the table's own: to see what lrfind would say
        about a table that it has never met.
    seed : int
        Every random number follows from it.
    jobs : int
        Processes; 0 for one a core. The numbers do not depend on it.

    Raises
    ------
    UsageError
        On construction, if a setting cannot be used.
    """

    target: str | None = None
    task: str = "auto"
    model: str = "mlp"
    hidden: tuple[int, ...] = (64,)
    activation: str = "relu"
    optimizer: str = "adam"
    batch_size: int = 64
    lr_min: float = 1e-7
    lr_max: float = 10.0
    steps: int = 400
    seeds: int = 8
    train_steps: int | None = None
    epochs: int | None = None
    where: str | None = None
    columns: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None
    sample: int | None = None
    na: tuple[str, ...] | None = None
    text: tuple[str, ...] | None = None
    split: str = "random"
    race: str | None = "full"
    schedules: tuple[str, ...] | None = None
    learn: bool = False
    experience: str | None = None
    forget: str | None = None
    seed: int = 0
    jobs: int = 1

    def __post_init__(self) -> None:
        """Refuse what no run could use, before anything is read."""
        for name, choices in CHOICES.items():
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, require_one_of(given, choices, option=f"--{name}"))
        object.__setattr__(self, "split", as_split(self.split))
        if self.schedules is not None:
            if not self.schedules:
                raise UsageError("--schedules names none: expected all or names such as cosine,one_cycle")
            named = tuple(require_one_of(name, COURSES, option="--schedules") for name in self.schedules)
            object.__setattr__(self, "schedules", named)
        require_between(self.jobs, (0, MOST_JOBS), option="--jobs")
        require_between(self.batch_size, (1, 1_000_000), option="--batch-size")
        require_between(self.seeds, (1, MOST_SEEDS), option="--seeds")
        require_between(self.seed, (0, 2**64 - 1), option="--seed")
        require_between(self.steps, (1, MOST_SWEEP_STEPS), option="--steps")
        for width in self.hidden:
            require_between(width, (1, MOST_WIDTH), option="--hidden")
        for name, number in (("--train-steps", self.train_steps), ("--epochs", self.epochs), ("--sample", self.sample)):
            if number is not None:
                require_between(number, (1, MOST_TRAIN_STEPS), option=name)
        if self.train_steps is not None and self.epochs is not None:
            raise UsageError("--train-steps and --epochs both say how long to train: give one of them")
        if self.learn and self.experience is not None:
            raise UsageError("--learn and --experience both say what to learn from: give one of them")
        lr_range(self.lr_min, self.lr_max, n_steps=self.steps)


def stored(settings: Settings) -> dict[str, Any]:
    """Return settings as a run keeps them; those of reading only where they were given."""
    kept = asdict(settings)
    return {name: value for name, value in kept.items() if value is not None or name not in ("na", "text")}


def as_options(settings: Settings) -> tuple[str, ...]:
    """Return the command line's options that make these settings; none for what is the default.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    tuple of str
        ``("--target", "price", "--hidden", "64,64", "--no-race")``; the number of processes changes no number and is
        left out.
    """
    options: list[str] = []
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if value == field.default or field.name == "jobs":
            continue
        option = f"--{field.name.replace('_', '-')}"
        if value is None:
            # only a race can be wished away that would be run by default
            options.append("--no-race")
        elif value is True:
            options.append(option)
        else:
            text = ",".join(map(_cell, value)) if isinstance(value, tuple) else str(value)
            # a value that begins like an option must be joined to its own
            options += [f"{option}={text}"] if text.startswith("-") else [option, text]
    return tuple(options)


# What each of these may be.
CHOICES: Mapping[str, Collection[str]] = {
    "task": TASKS,
    "model": ("mlp", "linear"),
    "activation": tuple(ACTIVATIONS),
    "optimizer": tuple(OPTIMIZERS),
    "race": tuple(BUDGETS),
}


def _cell(value: object) -> str:
    """Return one of several values as a list takes it: names with commas or quotes in quotes, as in a CSV header."""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & {",", '"', "\n"} else text


def require_one_of(name: str, choices: Collection[str], *, option: str) -> str:
    """Return the choice that an option names, in upper or lower case, with hyphens or underscores.

    Parameters
    ----------
    name : str
        As typed.
    choices : collection of str
    option : str
        As typed, such as "--task".

    Returns
    -------
    str
        As it stands among the choices.

    Raises
    ------
    UsageError
        It names none; the message has the nearest.
    """
    known = {plain_choice(choice): choice for choice in choices}
    found = known.get(plain_choice(name))
    if found is not None:
        return found
    like = nearest(name, choices)
    hint = f"did you mean '{like}'?" if like else f"choose one of {', '.join(choices)}"
    raise UsageError(f"{option} {listed([name])} is not known: {hint}")


def require_between(number: int, bounds: tuple[int, int], *, option: str) -> None:
    """Raise UsageError unless the number given with an option lies within its bounds."""
    low, high = bounds
    if not low <= number <= high:
        raise UsageError(f"{option} is {number}: expected a whole number from {low} to {high}")
