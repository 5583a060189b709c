"""What a run's rate was measured with: `origin_of(run) -> Origin`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from lrfind.mlp import ACTIVATIONS
from lrfind.problem import Task
from lrfind.runs.document import PATH_WIDTH
from lrfind.runs.fields import LARGEST
from lrfind.runs.load import StoredRun
from lrfind.text import printable

# Of names of tables and columns in a sentence.
NAME_WIDTH: Final = 60
# More layers, or wider ones, were never trained by us.
MOST_LAYERS, MOST_WIDTH = 64, 1_000_000
# More rows or columns than any table that was read.
MOST_COUNTED: Final = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a rate comes from; what an older run does not say is None.

    Attributes
    ----------
    run : str
        The run's folder as it was given, printable.
    table, target : str or None
        Names, printable.
    task : {"classification", "regression"} or None
    n_rows, n_features, n_classes : int or None
        Rows used, encoded features, classes.
    hidden : tuple of int or None
        Widths of the hidden layers; none for a linear model.
    activation : str or None
    batch_size, train_steps : int
        Of the runs that were made, whatever the advice was adapted to since.
    target_mean, target_sd : float or None
        What a regression target was standardised with.
    """

    run: str
    table: str | None
    target: str | None
    task: Task | None
    n_rows: int | None
    n_features: int | None
    n_classes: int | None
    hidden: tuple[int, ...] | None
    activation: str | None
    batch_size: int
    train_steps: int
    target_mean: float | None
    target_sd: float | None


def origin_of(run: StoredRun) -> Origin:
    """Return what a stored run says about its table, its model and its scale.

    Parameters
    ----------
    run : StoredRun
        Nothing in its document is trusted: what is missing, or is not what it should be, is not known.

    Returns
    -------
    Origin
    """
    data, problem, config = (_object(run.data.get(key)) for key in ("data", "problem", "config"))
    # The last part of "." or ".." is no name.
    folder = run.path if run.path.name not in {"", ".."} else run.path.resolve()
    task = next((known for known in get_args(Task) if known == data.get("task")), None)
    mean, sd = (_number(problem.get(key)) if task == "regression" else None for key in ("target_mean", "target_sd"))
    is_scaled = mean is not None and sd is not None and sd > 0
    return Origin(
        run=printable(folder, width=PATH_WIDTH),
        table=_name(data.get("name")),
        target=_name(data.get("target")),
        task=task,
        n_rows=_count(data.get("rows")),
        n_features=_count(problem.get("n_features")),
        n_classes=_length(problem.get("classes")) if task == "classification" else None,
        hidden=_hidden(config),
        activation=next((known for known in ACTIVATIONS if known == config.get("activation")), None),
        batch_size=run.recommendation.batch_size,
        train_steps=run.recommendation.train_steps,
        target_mean=mean if is_scaled else None,
        target_sd=sd if is_scaled else None,
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(value: object) -> str | None:
    return printable(value, width=NAME_WIDTH) if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
    return float(value) if is_number else None  # type: ignore[arg-type]


def _count(value: object, *, most: int = MOST_COUNTED) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most
    return value if is_count else None  # type: ignore[return-value]


def _length(value: object) -> int | None:
    return len(value) if isinstance(value, list) and value else None


def _hidden(config: Mapping[str, Any]) -> tuple[int, ...] | None:
    if config.get("model") == "linear":
        return ()
    hidden = config.get("hidden")
    if not isinstance(hidden, list) or not 0 < len(hidden) <= MOST_LAYERS:
        return None
    widths = [_count(width, most=MOST_WIDTH) for width in hidden]
    return None if None in widths else tuple(width for width in widths if width is not None)
