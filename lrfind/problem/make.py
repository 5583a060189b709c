"""Make a problem of a table, in one line of steps: target, split, features, units, baseline."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lrfind.data import Column, Table
from lrfind.errors import DataError, TargetError, UsageError
from lrfind.problem.encode import Encoded, copies, encode, is_copy
from lrfind.problem.notes import NAMES_ROWS, ColumnNote, sentences
from lrfind.problem.plan import Rows
from lrfind.problem.split import Split, split_rows
from lrfind.problem.target import Target, choose_target, is_constant, read_target
from lrfind.problem.value import ASKED, NAMED, Problem
from lrfind.text import listed, printable

# Share of rows held out: enough to judge by, while three quarters are left to learn from.
VAL_SHARE = 0.25
# Columns named when none is usable.
MOST_WHYS = 5


def make_problem(
    table: Table,
    *,
    target: str | None = None,
    task: str = "auto",
    split: str = "random",
    seed: int = 0,
    val_share: float = VAL_SHARE,
    most_pieces: int | None = None,
) -> Problem:
    """Turn a table into a supervised problem, encoded and split.

    Parameters
    ----------
    table : Table
    target : str or None
        Column to predict; None for one with a telling name, else the last.
    task : {"auto", "classification", "regression"}
    split : str
        "random", "time:COL" or "group:COL".
    seed : int
        Of the split and of the decomposition of texts.
    val_share : float
        Share of rows to hold out.
    most_pieces : int or None
        Words or letter groups that all texts together may be taken apart into, where there is little time: with 0,
        texts that do not repeat are left out while there is anything else. None for all there are.

    Returns
    -------
    Problem

    Raises
    ------
    UsageError
        An option names something that is not there.
    DataError
        Nothing can be learned from the table.
    """
    column, target_reason = choose_target(table, target)
    if split.partition(":")[2] == column.name:
        raise UsageError(f"--split: '{printable(column.name, width=40)}' is the target; split by another column")
    read = _read(column, task, table=table, is_guessed=target_reason not in {ASKED, NAMED})
    parts = split_rows(table, read, split=split, seed=seed, val_share=val_share)
    others = [other for other in table.columns if other is not column]
    encoded = _encode(others, column, read=read, parts=parts, table=table, seed=seed, most_pieces=most_pieces)
    y_train, y_val, mean, sd = _targets(column, read=read, parts=parts)
    notes = [*encoded.notes, *_suspicions(others, column, encoded=encoded)]
    is_part = len(read.rows) < table.n_rows
    return Problem(
        task=read.task,
        target=column.name,
        target_reason=target_reason,
        task_reason=read.task_reason,
        classes=read.classes,
        features=encoded.features,
        encodings=encoded.encodings,
        X_train=encoded.X_train,
        y_train=y_train,
        X_val=encoded.X_val,
        y_val=y_val,
        split=split,
        target_mean=mean,
        target_sd=sd,
        baseline_loss=baseline_loss(y_train, y_val, n_classes=len(read.classes)),
        n_rows_dropped=table.n_rows - len(read.rows),
        notes=(*read.notes, *parts.notes, *sentences(notes, is_part=is_part)),
        task_doubt=read.doubt,
        remarks=(*read.remarks, *sentences((note for note in notes if note.kind in NAMES_ROWS), is_part=is_part)),
    )


def _read(column: Column, task: str, *, table: Table, is_guessed: bool) -> Target:
    try:
        return read_target(column, task)
    except TargetError as error:
        others = [other.name for other in table.columns if other is not column]
        if not is_guessed or not others:
            raise
        # who named no target may not know that one was chosen
        raise TargetError(f"{error} (no --target was given; the other columns are {listed(others)})") from None


def baseline_loss(y_train: npt.NDArray[np.generic], y_val: npt.NDArray[np.generic], *, n_classes: int) -> float:
    """Return the validation loss of the best constant predictor of the training part.

    Parameters
    ----------
    y_train, y_val : ndarray
        Codes of classes, or standardised numbers.
    n_classes : int
        0 for regression.

    Returns
    -------
    float
        Mean cross-entropy in nats, or mean squared error in squared training sd. When a class is held out that no
        training row has, every class counts one row more (Laplace), for its loss would be infinite.
    """
    if not n_classes:
        return float(np.mean(np.square(y_val.astype(np.float64))))
    counts = np.bincount(y_train.astype(np.int64), minlength=n_classes).astype(np.float64)
    held = y_val.astype(np.int64)
    if (counts[held] == 0).any():
        counts += 1
    return float(np.mean(np.log(counts.sum()) - np.log(counts[held])))


def _encode(
    others: list[Column], column: Column, *, read: Target, parts: Split, table: Table, seed: int,
    most_pieces: int | None,
) -> Encoded:  # fmt: skip
    name = printable(column.name, width=40)
    if not others:
        raise DataError(f"no features to learn from: the table has no column but the target '{name}'")
    rows = Rows(train=read.rows[parts.train], val=read.rows[parts.val])
    encoded = encode(others, rows, places=table.row_places, split=parts.name, seed=seed, most_pieces=most_pieces)
    if not encoded.features:
        whys = ", ".join(
            f"{listed([e.column])} ({e.how.removeprefix('dropped: ')})" for e in encoded.encodings[:MOST_WHYS]
        )
        more = len(encoded.encodings) - MOST_WHYS
        raise DataError(
            f"no usable feature is left to learn '{name}' from: {whys}{f' and {more} more' if more > 0 else ''}; "
            "add a column that varies"
        )
    return encoded


def _targets(
    column: Column, *, read: Target, parts: Split
) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic], float, float]:
    """Return both parts' targets, numbers standardised on the training part, with mean and sd."""
    train, val = read.values[parts.train], read.values[parts.val]
    name = printable(column.name, width=40)
    if read.task == "classification":
        if len(np.unique(train)) == 1:
            raise DataError(
                f"the training part holds only one class of '{name}', {listed([read.classes[int(train[0])]])}: "
                "choose another --split"
            )
        return train, val, 0.0, 1.0
    numbers = train.astype(np.float64)
    if is_constant(numbers):
        raise DataError(f"the target '{name}' is constant in the training part: choose another --split")
    # By the largest, so that squares of 1e300 or 1e-300 stay numbers; a power of two changes no digit.
    exponent = int(np.frexp(np.abs(numbers).max())[1])
    scaled = np.ldexp(numbers, -exponent)
    mean = float(scaled.mean())
    sd = float(np.sqrt(np.mean(np.square(scaled - mean))))
    with np.errstate(under="ignore", over="ignore"):
        held = np.ldexp(val.astype(np.float64), -exponent)
        z_train, z_val = (scaled - mean) / sd, (held - mean) / sd
        largest = np.finfo(np.float32).max
        return (
            z_train.astype(np.float32),
            np.clip(z_val, -largest, largest).astype(np.float32),
            float(np.ldexp(mean, exponent)),
            float(np.ldexp(sd, exponent)),
        )


def _suspicions(others: list[Column], column: Column, *, encoded: Encoded) -> list[ColumnNote]:
    """Return notes on columns that repeat the target or each other, of those that are learned from."""
    used = [other for other, made in zip(others, encoded.encodings, strict=True) if made.n_features]
    leaks = [other for other in used if is_copy(other, column)]
    notes = [ColumnNote(kind="leak", column=other.name) for other in leaks]
    return notes + copies(other for other in used if other not in leaks)
