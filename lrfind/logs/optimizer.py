"""Which optimizer trained a run, where its log tells: `optimizer_of(name)`, `OptimizerReader`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lrfind.errors import UsageError
from lrfind.logs.names import words_of
from lrfind.text import printable

Optimizer = Literal["sgd", "plain sgd", "momentum", "adam", "radam", "rmsprop", "adagrad", "lion"]

# What may be given by hand, as the message on others has it.
NAMES = ("adam", "adamw", "nadam", "radam", "rmsprop", "adagrad", "lion", "sgd", "momentum")
# What stands in the name of an optimizer, and what it is: the longer ones first. Those that follow Adam's rule with
# another decay, bound or momentum want its rates; "sgd" may have momentum or not.
KINDS: dict[str, Optimizer | None] = {
    "adamax": "adam", "radam": "radam", "nadam": "adam", "adamw": "adam", "amsgrad": "adam", "adagrad": "adagrad",
    "adadelta": None, "adafactor": None, "adam": "adam", "rmsprop": "rmsprop", "lion": "lion", "nesterov": "momentum",
    "momentum": "momentum", "sgd": "sgd",
}  # fmt: skip
KNOWN = re.compile("|".join(KINDS))
# How printed lines tell of it: "optimizer: AdamW", "--optim=adamw_torch", "'opt': 'sgd'", "optimizer SGD(lr=0.1,
# momentum=0.9)", "using the Adam optimizer", and "Adam (" of a PyTorch optimizer, with its "momentum: 0.9" below.
NAME = rf"[\w.]{{0,40}}(?:{'|'.join(kind for kind in KINDS if kind not in ('momentum', 'nesterov'))})\w{{0,40}}"
PRINTED = re.compile(
    rf"\b_?opt(?:im(?:i[sz]er)?)?(?:[_ -](?:name|type|class|kind))?['\"]?\s*[:=]?>?\s*['\"<]?({NAME}.{{0,200}})"
    rf"|({NAME})\s+optimi[sz]er\b|(?:^|\s)({NAME}) \($",
    re.IGNORECASE,
)
PRINTED_MOMENTUM = re.compile(r"\s*momentum: (\d+(?:\.\d+)?)\s*$")
# A key ends so: "optimizer", "config/optim", "optimizer_name".
KEYS = frozenset(("optimizer", "optimiser", "optim", "opt"))
KEY_ENDS = frozenset(("name", "type", "class", "kind"))
MOMENTUM_KEY = "momentum"
# Configurations are short; a longer text is none.
MAX_LENGTH = 500
# "SGD(lr=0.1, momentum=0.9)".
MOMENTUM = re.compile(r"momentum\W{0,3}[:=]\s*(\d*\.?\d+)")


def optimizer_of(name: str) -> Optimizer | None:
    """Return what kind of optimizer a name means: "adam" for AdamW, torch.optim.Adam, adamw_torch_fused.

    Parameters
    ----------
    name : str

    Returns
    -------
    Optimizer or None
        None where the name is of none that is known.
    """
    text = name[:MAX_LENGTH].lower()
    said = MOMENTUM.search(text)
    if said is not None:
        text = text[: said.start()]
    found = [KINDS[each] for each in KNOWN.findall(text)]
    kind = "momentum" if "sgd" in found and "momentum" in found else found[0] if found else None
    return _with_momentum(kind, None if said is None else float(said[1]))


def require_optimizer(name: str) -> Optimizer:
    """Return what kind of optimizer a name given by hand means.

    Raises
    ------
    UsageError
        It is of none that is known.
    """
    kind = optimizer_of(name)
    if kind is None:
        raise UsageError(
            f"--optimizer is '{printable(name, width=40)}', whose usual rates are not known: expected one of "
            f"{', '.join(NAMES)} (momentum is SGD with it), or leave it out"
        )
    return kind


def printed_name(line: str) -> slice | None:
    """Return where in a printed line an optimizer is told, or None."""
    line = line.rstrip()
    if not line.endswith(" (") and "opt" not in line.lower():
        return None
    found = PRINTED.search(line)
    return None if found is None else slice(*found.span(found.lastindex or 0))


def is_key(name: str) -> bool:
    """Whether a value of this name is the name of an optimizer."""
    words = words_of(name)
    while words and words[-1] in KEY_ENDS:
        words = words[:-1]
    return bool(words) and words[-1] in KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The optimizer of a run, and where its log tells it.

    Attributes
    ----------
    optimizer : str
    where : str
        The column, key or line, as it stands there.
    """

    optimizer: Optimizer
    where: str


def told_by_rate(column: str) -> Told | None:
    """Return the optimizer that the column of a rate names, as Lightning's "lr-AdamW/pg1" does."""
    kind = optimizer_of(column)
    return None if kind is None else Told(optimizer=kind, where=column)


class OptimizerReader:
    """Collects what a log tells of its optimizer; what is told first holds."""

    def __init__(self) -> None:
        self._name = self._where = ""
        self._momentum: float | None = None

    def take(self, name: str, *, where: str) -> None:
        """Take the name of an optimizer; an empty one is none."""
        if name and not self._name:
            self._name, self._where = name, where

    def take_momentum(self, momentum: float | None) -> None:
        """Take the value of a parameter called momentum, if there is one."""
        self._momentum = momentum if self._momentum is None else self._momentum

    @property
    def told(self) -> Told | None:
        """What was told, where it is known."""
        kind = _with_momentum(optimizer_of(self._name), self._momentum)
        return None if kind is None else Told(optimizer=kind, where=self._where)


def _with_momentum(kind: Optimizer | None, momentum: float | None) -> Optimizer | None:
    """Return what "sgd" is where its momentum is told."""
    if kind != "sgd" or momentum is None:
        return kind
    return "momentum" if momentum > 0 else "plain sgd"
