"""Which column is the loss, the step, the learning rate: `roles_of(readings)`, by name first and then by content."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from lrfind.errors import DataError
from lrfind.logs.readings import Readings, Series
from lrfind.text import listed, printable

Role = Literal["loss", "val_loss", "lr", "grad_norm", "step", "epoch"]

# A colour code in a name is no part of the word.
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
GLUED = re.compile(r"(train|training|val|valid|validation|eval|test|dev)(loss|nll|mse|rmse)")

# Names of counters as the words run together, most telling first.
STEP_NAMES = (
    "globalstep", "trainerglobalstep", "trainglobalstep", "step", "steps", "trainstep", "trainingstep", "currentstep",
    "stepnum", "iteration", "iterations", "iter", "iters", "niter", "iternum", "it", "update", "updates", "numupdates",
    "batch", "batchidx", "minibatch", "batchnum", "tick", "t", "i",
)  # fmt: skip
EPOCH_NAMES = ("epoch", "trainepoch", "epochs", "currentepoch", "epochnum", "epochidx", "trainerepoch")
# "loss" itself is the surest; the others may be metrics beside it.
LOSS_WORDS = {
    "loss": 0, "objective": 10, "nll": 10, "crossentropy": 10, "xent": 10, "logloss": 10, "cost": 10, "mse": 20,
    "rmse": 20,
}  # fmt: skip
HELD_OUT = {
    "val": 0,
    "valid": 0,
    "validation": 0,
    "eval": 0,
    "evaluation": 0,
    "dev": 1,
    "heldout": 1,
    "holdout": 1,
    "test": 2,
}
TRAIN_WORDS = frozenset(("train", "training", "trn", "tr", "learn", "fit"))
# Words that do not make a loss another loss.
NEUTRAL = TRAIN_WORDS | {"step", "epoch", "batch", "iter", "total", "main", "overall", "current", "metrics", "scalars"}
# A scale or a weight of the loss, the time it took, the best so far, the extremes that wandb exports beside it.
NOT_LOSS = frozenset(
    ("scale", "scaler", "scaling", "weight", "weights", "coef", "coefficient", "time", "ratio", "best", "min", "max",
     "std", "sem", "stderr", "patience", "delta", "grad", "gradnorm", "lr", "count", "runtime")
)  # fmt: skip
NOT_LR = frozenset(("momentum", "decay", "weight", "factor", "scale", "mult", "min", "max", "loss", "ratio", "beta"))
NOT_GRAD_NORM = frozenset(("clip", "clipped", "max", "min", "threshold", "loss", "std"))
# What a lone column with another name must not be taken for.
NOT_CONTENT = frozenset(
    ("acc", "accuracy", "auc", "f1", "score", "precision", "recall", "reward", "time", "wall", "timestamp", "date",
     "seconds", "bleu", "rouge", "samples", "throughput", "speed", "memory", "r2", "relative")
)  # fmt: skip
# How many of a log's names are shown in a message.
MOST_NAMES = 2


def words_of(name: str) -> list[str]:
    """Return the lower-case words of a column's name, "learning rate" and "gradient norm" as one word each."""
    text = CAMEL.sub(" ", ANSI.sub("", name[:400])).lower().replace("\\", "/")
    text = " ".join(re.findall(r"[^\W_]+", text))
    text = GLUED.sub(r"\1 \2", text)
    text = re.sub(r"\blearning ?rates?\b|\blrs\b", "lr", text)
    text = re.sub(r"\bcross entropy\b", "crossentropy", re.sub(r"\blog loss\b", "logloss", text))
    text = re.sub(r"\b(grads?|gradients?) (?:\d+ ?\d* )?norm\b|\bgnorm\b|\bnorm (of )?grads?\b", "gradnorm", text)
    return text.split()


def role_of(name: str) -> tuple[Role, int] | None:
    """Return what a column's name says it is, and how far it is from the plain name (0 is the plain name).

    Parameters
    ----------
    name : str

    Returns
    -------
    (role, distance) or None
    """
    words = words_of(name)
    joined = "".join(words)
    if joined in EPOCH_NAMES:
        return "epoch", EPOCH_NAMES.index(joined)
    if joined in STEP_NAMES:
        return "step", STEP_NAMES.index(joined)
    distinct = set(words)
    if "lr" in distinct and not distinct & NOT_LR:
        return "lr", len(distinct - NEUTRAL) - 1
    if "gradnorm" in distinct and not distinct & NOT_GRAD_NORM:
        return "grad_norm", len(distinct - NEUTRAL) - 1
    return _loss_role(distinct)


def _loss_role(words: set[str]) -> tuple[Role, int] | None:
    kinds = words & LOSS_WORDS.keys()
    if not kinds or words & NOT_LOSS:
        return None
    held_out = words & HELD_OUT.keys()
    distance = min(LOSS_WORDS[kind] for kind in kinds) + len(words - NEUTRAL - kinds - held_out) * 3
    if held_out:
        return "val_loss", distance + min(HELD_OUT[word] for word in held_out)
    return "loss", distance


def roles_of(readings: Readings, *, name: str) -> tuple[dict[str, str], list[str]]:
    """Return which column plays which role, and what there is to say about the choice.

    Parameters
    ----------
    readings : Readings
    name : str
        The log's name, for messages.

    Returns
    -------
    roles : dict from role to column
        "loss" is always there.
    notes : list of str

    Raises
    ------
    DataError
        Nothing looks like a training loss.
    """
    candidates = _candidates(readings.series)
    roles = {role: names[0] for role, names in candidates.items()} | dict(readings.roles)
    notes = [
        _also(role, names) for role, names in candidates.items() if role in ("loss", "val_loss") and len(names) > 1
    ]
    if "loss" not in roles:
        roles["loss"] = _by_content(readings.series, roles, name=name)
        column = printable(roles["loss"], width=40)
        notes.append(f"no column is called loss; '{column}' is the only one it can be and was taken for it")
    return roles, notes


def _candidates(series: Mapping[str, Series]) -> dict[str, list[str]]:
    """Return the columns for each role, the likeliest first: nearest name, then most values, then order."""
    found: dict[str, list[tuple[int, int, int, str]]] = {}
    for position, (column, values) in enumerate(series.items()):
        judged = role_of(column)
        if judged is not None and len(values.rows):
            role, distance = judged
            found.setdefault(role, []).append((distance, -len(values.rows), position, column))
    return {role: [column for *_, column in sorted(judged)] for role, judged in found.items()}


def _also(role: str, names: list[str]) -> str:
    what = {"loss": "training loss", "val_loss": "validation loss"}[role]
    return f"{what}: '{printable(names[0], width=40)}' was used; also there: {listed(names[1:], most=3)}"


def _by_content(series: Mapping[str, Series], roles: Mapping[str, str], *, name: str) -> str:
    taken = set(roles.values())
    left = [
        column for column, values in series.items()
        if column not in taken and len(values.rows) and role_of(column) is None
        and not NOT_CONTENT & set(words_of(column))
    ]  # fmt: skip
    if len(left) == 1 and "val_loss" not in roles:
        return left[0]
    empty = next((column for column in series if (role_of(column) or ("",))[0] == "loss"), None)
    if empty is not None or not any(len(values.rows) for values in series.values()):
        what = f"'{printable(empty, width=40)}'" if empty is not None else "any row"
        raise DataError(f"{name} holds no data: there are no loss values in {what}, or none that are numbers")
    if "val_loss" in roles:
        raise DataError(
            f"{name} has a validation loss ('{printable(roles['val_loss'], width=40)}') but no training loss: log the "
            "training loss too, as loss or train_loss"
        )
    raise DataError(
        f"{name}: nothing in it looks like a training loss (it has {listed(list(series), most=MOST_NAMES)}); name "
        "the column loss or train_loss"
    )
