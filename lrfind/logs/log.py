"""What a training log says once it is read: `TrainingLog`, and what had to be mended: `Repair`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lrfind.logs.nature import Nature
from lrfind.logs.optimizer import Optimizer
from lrfind.text import one_line

Floats = npt.NDArray[np.float64]
StepUnit = Literal["step", "epoch", "row"]
RepairKind = Literal["gap", "repeat", "unsorted", "truncated", "unreadable row", "non-numeric", "nan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One kind of damage in a log, and what was done about it.

    Attributes
    ----------
    kind : str
        "gap": logged points are missing; "repeat": a step was logged again, and the last value counts; "unsorted":
        steps were put in order; "truncated": the end is cut off, as of a run that is still writing; "unreadable row":
        a row in the middle was left out; "non-numeric": values that are no numbers were left out or read out of
        their text; "nan": the loss was logged as NaN or infinite.
    count : int
        How many rows, values or gaps.
    first : str
        Where the first is: "line 12", "step 50", "byte 4096".
    sentence : str
        All of it in words, fit to show.
    """

    kind: RepairKind
    count: int
    first: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """Lines or values of one kind that are no points of the log, or were put elsewhere.

    Attributes
    ----------
    count : int
    why : str
        What they are.
    first : str
        Where the first is: "line 12".
    text : str
        That line, as it stands there; may be "".
    """

    count: int
    why: str
    first: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One of the runs that a file holds, one after another.

    Attributes
    ----------
    first : str
        Where it begins: "line 12".
    counter : str
        What it counts from and to: "epoch 1 to 5".
    n_points : int
        With a training loss.
    is_judged : bool
        Whether it is the one that was read.
    """

    first: str
    counter: str
    n_points: int
    is_judged: bool


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingLog:
    """The course of one training run.

    Attributes
    ----------
    name : str
        The file's name, fit to show.
    path : str
        As the file was named.
    format : str
        "csv", "keras csv", "lightning csv", "keras history", "trainer_state", "tensorboard", "mlflow", "jsonl",
        "catboost", "numbers" or "text".
    columns : tuple of (role, column)
        Which column or tag each field was read from, fit to show: ("loss", "train_loss_step"). A role that is absent
        here was not logged.
    step : array, shape (n,)
        Strictly increasing; one row a logged point.
    step_unit : {"step", "epoch", "row"}
        What `step` counts; "row" when the log has no counter that can be used.
    epoch : array, shape (n,), or None
        NaN where the row has none.
    loss : array, shape (n,)
        Training loss as logged: NaN where the row has none or has NaN (see `nonfinite_steps`), infinities kept.
    val_loss, lr, grad_norm : array, shape (n,), or None
        NaN where the row has none; infinities kept.
    optimizer : str or None
        Where the log tells of it: "sgd" with or without momentum, "plain sgd", "momentum", "adam" and those that
        follow its rule, "radam", "rmsprop", "adagrad" or "lion".
    nonfinite_steps : array, shape (k,)
        Steps at which the training loss was logged as NaN or infinite.
    n_rows : int
        As read, before repair.
    repairs : tuple of Repair
    notes : tuple of str
        What else was decided on the way, fit to show.
    runs : tuple of Run
        Where the file holds several.
    passed : tuple of Passed
        What is no point, or was put elsewhere.
    nature : {"adversarial", "reinforcement"} or None
        Training whose losses, by their names, do not tell how well it goes.
    """

    name: str
    path: str
    format: str
    columns: tuple[tuple[str, str], ...]
    step: Floats
    step_unit: StepUnit
    epoch: Floats | None
    loss: Floats
    val_loss: Floats | None
    lr: Floats | None
    grad_norm: Floats | None
    nonfinite_steps: Floats
    n_rows: int
    optimizer: Optimizer | None = None
    repairs: tuple[Repair, ...] = ()
    notes: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()
    passed: tuple[Passed, ...] = ()
    nature: Nature | None = None

    def __post_init__(self) -> None:
        if self.step.ndim != 1 or not len(self.step):
            raise ValueError("step must be a one-dimensional array with at least one element")
        if not (np.isfinite(self.step).all() and (np.diff(self.step) > 0).all()):
            raise ValueError("step must be finite and strictly increasing")
        for field in ("epoch", "loss", "val_loss", "lr", "grad_norm"):
            values = getattr(self, field)
            if values is not None and values.shape != self.step.shape:
                raise ValueError(f"{field} has shape {values.shape}, and step has {self.step.shape}")
        for values in (self.step, self.epoch, self.loss, self.val_loss, self.lr, self.grad_norm, self.nonfinite_steps):
            if values is not None:
                values.flags.writeable = False

    def column(self, role: str) -> str | None:
        """Return the column or tag that the field `role` was read from, fit to show, or None."""
        return dict(self.columns).get(role)
