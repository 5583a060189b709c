"""What a column's name says it is: `role_of(name)`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from lrfind.logs.languages import in_english

CounterRole = Literal["step", "epoch"]
Role = Literal["loss", "val_loss", "lr", "grad_norm", "step", "epoch"]

# A colour code in a name is no part of the word.
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
GLUED = re.compile(r"(train|training|val|valid|validation|eval|test|dev)(loss|nll|mse|rmse)")
# "l_pix", "l_g_gan": losses of BasicSR and its many relatives.
BASICSR = re.compile(r"\bl (?=(?:pix|percep|fea|style|gan|total|tv|d|g)\b)")

# Names of counters as the words run together, most telling first.
STEP_NAMES = (
    "globalstep", "totaltimesteps", "timetotaltimesteps", "trainerglobalstep", "trainglobalstep", "step", "steps",
    "trainstep", "trainingstep", "currentstep",
    "stepnum", "stepidx", "nstep", "nsteps", "numsteps", "gradientstep", "optimizerstep", "iteration", "iterations",
    "iter", "iters", "niter", "iternum", "it", "boostinground", "round", "numupdates", "nupdates", "update", "updates",
    "batch", "batchidx", "batchid", "minibatch", "batchnum", "batches", "itr", "itrs", "timesteps",
    "timestep", "numtimesteps", "envsteps", "totalsteps", "currentiter", "curiter", "totaliter", "tick", "up", "t", "i",
)  # fmt: skip
EPOCH_NAMES = (
    "epoch",
    "trainepoch",
    "epochs",
    "currentepoch",
    "epochnum",
    "epochidx",
    "epochno",
    "trainerepoch",
    "ep",
    "eps",
)
# "loss" itself is the surest; the others may be metrics beside it.
LOSS_WORDS = {
    "loss": 0, "losses": 0, "objective": 10, "nll": 10, "crossentropy": 10, "xent": 10, "logloss": 10, "mlogloss": 10,
    "cost": 10, "mse": 20, "rmse": 20, "mae": 20,
}  # fmt: skip
# What LightGBM calls its losses; beside other words they are norms and penalties. Printed lines are searched with all
# digits 0.
BARE_LOSS_WORDS = {"l2": 20, "l1": 20, "l0": 20}
HELD_OUT = {
    "val": 0,
    "valid": 0,
    "validation": 0,
    "eval": 0,
    "evaluation": 0,
    "dev": 1,
    "va": 1,
    "vl": 1,
    "cv": 1,
    "heldout": 1,
    "holdout": 1,
    "crossval": 0,
    "validate": 0,
    "validating": 0,
    "evaluate": 0,
    "evaluating": 0,
    "test": 2,
    "testing": 2,
}
TRAIN_WORDS = frozenset(("train", "training", "trn", "tr", "learn", "fit"))
# Words that do not make a loss another loss.
NEUTRAL = TRAIN_WORDS | {
    "step", "epoch", "batch", "iter", "main", "current", "metrics", "scalars", "function", "value", "is", "curr",
    "this",
    "the", "of", "per", "on", "set", "at", "net", "output", "error",
}  # fmt: skip
# What is optimised, where it has parts beside it.
WHOLE = frozenset(("total", "overall", "sum", "all", "full", "final", "combined"))
# The mean of what was logged so far follows the loss late: it is taken where there is nothing else.
MEANS = frozenset(("mean", "avg", "average", "averaged", "running", "smooth", "smoothed", "moving", "cumulative"))
# A scale or a weight of the loss, the time it took, the best so far, the extremes that wandb exports beside it.
NOT_LOSS = frozenset(
    ("scale", "scaler", "scaling", "weight", "weights", "coef", "coefficient", "time", "ratio", "best", "min", "max",
     "std", "sem", "stderr", "patience", "delta", "grad", "gradnorm", "lr", "count", "runtime", "sec", "secs",
     "seconds",
     "ms", "reader", "elapsed", "duration", "previous", "prev", "last", "lowest", "minimum", "initial", "eta", "target",
     "threshold", "improvement", "diff", "acc", "accuracy", "change")
)  # fmt: skip
# "training's l2", "valid_1's l2".
POSSESSIVE = frozenset(("s", "0", "1", "2"))
NUMBERED_SET = re.compile(r"(?:validation|valid|eval|test)_?(\d{1,3})(?![a-z\d])", re.IGNORECASE)
NOT_LR = frozenset(
    ("momentum", "decay", "weight", "factor", "scale", "mult", "min", "max", "loss", "ratio", "beta", "steps", "step",
     "gamma", "policy", "patience", "warmup", "initial", "final", "schedule", "mode", "epochs", "epoch")
)  # fmt: skip
NOT_GRAD_NORM = frozenset(("clip", "clipped", "max", "min", "threshold", "loss", "std"))


def words_of(name: str) -> list[str]:
    """Return the lower-case words of a column's name in English, "learning rate" and "gradient norm" as one word each.

    Parameters
    ----------
    name : str

    Returns
    -------
    list of str
    """
    text = CAMEL.sub(" ", ANSI.sub("", name[:400])).lower().replace("\\", "/")
    text = in_english(" ".join(re.findall(r"[^\W_]+", text)))
    text = BASICSR.sub("loss ", GLUED.sub(r"\1 \2", text))
    text = re.sub(r"\blearn(?:ing)? ?rates?\b|\bl ?r(?:s|ate)?\b|\blr\d+\b", "lr", text)
    text = re.sub(r"\bcross entropy\b", "crossentropy", re.sub(r"\blog loss\b", "logloss", text))
    text = re.sub(r"\b(grads?|gradients?) (?:\d+ ?\d* )?norm\b|\bgnorm\b|\bnorm (of )?grads?\b", "gradnorm", text)
    return text.split()


@lru_cache(maxsize=20_000)
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
    return _loss_role(words)


@lru_cache(maxsize=20_000)
def counter_of(name: str) -> CounterRole | None:
    """Return what a name counts, be it of training or held-out rows.

    Parameters
    ----------
    name : str

    Returns
    -------
    {"step", "epoch"} or None
    """
    joined = "".join(word for word in words_of(name) if word not in TRAIN_WORDS and word not in HELD_OUT)
    return "epoch" if joined in EPOCH_NAMES else "step" if joined in STEP_NAMES else None


def names_part(name: str) -> bool:
    """Whether a name says which rows it is about: training or held-out."""
    return bool(part_of(name))


@lru_cache(maxsize=20_000)
def part_of(name: str) -> str:
    """Return the word of a name that says which rows it is about, or "".

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        In lower case.
    """
    return next((word for word in words_of(name) if word in TRAIN_WORDS or word in HELD_OUT), "")


def first_of_numbered(names: Iterable[str]) -> str | None:
    """Return the first of several held-out sets that are told apart by numbers alone, or None.

    XGBoost calls them validation_0, validation_1; the first is the training part, as its documentation has it.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    str or None
    """
    numbered: dict[int, str] = {}
    for name in names:
        if (role_of(name) or ("",))[0] == "val_loss" and (found := NUMBERED_SET.search(name)) is not None:
            numbered.setdefault(int(found[1]), name)
    return numbered[min(numbered)] if len(numbered) > 1 else None


def _loss_role(words: Sequence[str]) -> tuple[Role, int] | None:
    distinct = set(words)
    held_out = distinct & HELD_OUT.keys()
    is_bare = not distinct - NEUTRAL - held_out - BARE_LOSS_WORDS.keys() - POSSESSIVE
    kinds = distinct & (LOSS_WORDS.keys() | BARE_LOSS_WORDS.keys() if is_bare else LOSS_WORDS.keys())
    if not kinds or distinct & NOT_LOSS:
        return None
    nearest = min(kinds, key=lambda kind: {**LOSS_WORDS, **BARE_LOSS_WORDS}[kind])
    others = distinct - NEUTRAL - held_out - WHOLE - MEANS - {nearest}
    distance = {**LOSS_WORDS, **BARE_LOSS_WORDS}[nearest] + 3 * len(others) + len(distinct & MEANS)
    if distinct & WHOLE and not others:
        # Beside its parts, or beside one that is called loss alone, the whole is what is optimised.
        distance -= 1
    if held_out:
        return "val_loss", distance + min(HELD_OUT[word] for word in held_out)
    return "loss", distance
