"""The supervised problem as a value: what was encoded, split and noted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lrfind.text import one_line

Task = Literal["classification", "regression"]
# Why a column is the target for certain; see `is_target_guessed`.
ASKED, NAMED = "it was asked for", "of its name"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoding:
    """What became of one column.

    Attributes
    ----------
    column : str
        As in the table.
    how : str
        In a few words: "standardised", "one-hot", "frequent levels", "text", "beginning of text", "date parts",
        "missing indicator", "dropped: not read", "dropped: constant", "dropped: empty", "dropped: id-like",
        "dropped: row numbers", "dropped: group of the split", "dropped: order of the split".
    n_features : int
        Features it became; 0 when dropped.
    n_missing : int
        Missing values among the rows used.
    """

    column: str
    how: str
    n_features: int
    n_missing: int


@one_line
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A supervised problem, encoded and split; everything in it was fitted on the training part only.

    Attributes
    ----------
    task : {"classification", "regression"}
    target : str
    target_reason, task_reason : str
        Why this target and this task, in words that follow "because".
    classes : tuple of str
        Labels in the order of the integer codes; empty for regression.
    features : tuple of str
        Names of the encoded features.
    encodings : tuple of Encoding
        What became of each column, in the table's order, the target left out.
    X_train : (n_train, n_features) ndarray of float32
    y_train : (n_train,) ndarray of int64 (classes) or float32 (standardised on the training part)
    X_val : (n_val, n_features) ndarray of float32
    y_val : (n_val,) ndarray
        As `y_train`.
    split : str
        "random", "time:COL" or "group:COL".
    target_mean, target_sd : float
        What the regression target was standardised with; 0 and 1 for classification.
    baseline_loss : float
        Validation loss of the best constant predictor of the training part, in nats or squared target sd.
    n_rows_dropped : int
        Rows without a target.
    notes : tuple of str
        One sentence each: what was chosen, dropped, imputed or suspicious.
    remarks : tuple of str
        Those of `notes` that are told beside the answer: columns left out as ids, labels of several spellings.
    task_doubt : str
        The option that chooses the other task, and when to give it; empty where the task is clear or was asked for.
    """

    task: Task
    target: str
    target_reason: str
    task_reason: str
    classes: tuple[str, ...]
    features: tuple[str, ...]
    encodings: tuple[Encoding, ...]
    X_train: npt.NDArray[np.float32]
    y_train: npt.NDArray[np.generic]
    X_val: npt.NDArray[np.float32]
    y_val: npt.NDArray[np.generic]
    split: str
    target_mean: float
    target_sd: float
    baseline_loss: float
    n_rows_dropped: int
    notes: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    task_doubt: str = ""

    def __post_init__(self) -> None:
        """Hold the arrays still."""
        for array in (self.X_train, self.y_train, self.X_val, self.y_val):
            array.flags.writeable = False

    @property
    def is_target_guessed(self) -> bool:
        """Whether neither the user nor the column's name says that it is the target."""
        return self.target_reason not in {ASKED, NAMED}

    @property
    def n_features(self) -> int:
        """Encoded features."""
        return int(self.X_train.shape[1])

    @property
    def n_outputs(self) -> int:
        """Outputs a model needs: one a class, or one number."""
        return len(self.classes) if self.task == "classification" else 1
