"""Which optimizer trained a run, where its log tells: `optimizer_of(name)`, `OptimizerReader`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from lrfind.errors import UsageError
from lrfind.logs.names import words_of
from lrfind.text import printable

Optimizer = Literal["sgd", "plain sgd", "momentum", "adam", "radam", "rmsprop", "adagrad", "lion"]

# What may be given by hand, as the message on others has it.
NAMES = ("adam", "adamw", "nadam", "radam", "rmsprop", "adagrad", "lion", "sgd", "momentum")
# Words in the name of an optimizer, and what it is. Those that follow Adam's rule with another decay, bound or momentum
# want its rates; "sgd" may have momentum or not.
KINDS: dict[str, Optimizer] = {
    "adam": "adam", "adamw": "adam", "adamax": "adam", "nadam": "adam", "nadamw": "adam", "amsgrad": "adam",
    "radam": "radam", "rmsprop": "rmsprop", "adagrad": "adagrad", "lion": "lion", "sgd": "sgd", "sgdw": "sgd",
    "sgdm": "momentum",
}  # fmt: skip
# Words in the names of others, which want other rates, also of those that hold one of the above.
OTHERS = frozenset(
    ("adadelta", "adafactor", "adan", "adapt", "adaptation", "asgd", "dadapt", "free", "ftrl", "lamb", "lars", "lbfgs",
     "muon", "novograd", "prodigy", "rprop", "shampoo", "soap", "sophia")
)  # fmt: skip
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# "adam8bit".
BITS = re.compile(r"\d+(?:bit)?$")
# A name ends where its parameters begin: "SGD(lr=0.1)", "sgd --momentum 0.9"; but "dict(type='SGD', ...)".
NAME_END = re.compile(r"[(\[{,;|]|\s--")
INNER_NAME = re.compile(r"(?<!\w)(?:type|name|class)['\"]?\s?[:=]\s?['\"]([\w.]{1,60})")
MOMENTUM = re.compile(r"(?<!\w)momentum['\"]?\s{0,3}[:= ]\s{0,3}(\d*\.?\d+)", re.IGNORECASE)
NESTEROV = re.compile(r"(?<!\w)nesterov['\"]?\s{0,3}[:=]\s{0,3}true", re.IGNORECASE)
# A key ends so: "optimizer", "config/optim", "optimizer_name".
KEYS = frozenset(("optimizer", "optimiser", "optim", "opt"))
KEY_ENDS = frozenset(("name", "type", "class", "kind", "value"))
MOMENTUM_KEY = "momentum"
# Configurations are short; a longer text is none, and names are shorter.
MAX_LENGTH, MAX_NAME = 500, 80
# How printed lines tell of it: "optimizer: AdamW", "'opt': 'sgd'", "optim=adamw_torch", "optimizer ..... adam",
# "--optimizer sgd".
PRINTED = re.compile(
    r"(?<![\w-])['\"]?(?:--)?(?:optimi[sz]er|optim|opt)(?:[_ .-](?:name|type|class|kind))?['\"]?"
    r"(?:\s{0,3}[:=]\s{0,3}|\s?\.{3,80}\s?|(?<=--optimizer)\s|(?<=--optim)\s|(?<=--opt)\s)(?=['\"<{\w])(.{1,240})",
    re.IGNORECASE,
)
# A PyTorch optimizer that is printed: "Adam (", below it "Parameter Group 0", "    momentum: 0.9" and others.
REPR = re.compile(r"\s{0,20}([A-Za-z]\w{0,40}) \($")
GROUP = re.compile(r"\s{0,20}Parameter Group 0$")
REPR_MOMENTUM = re.compile(r"\s{0,20}momentum: (\d+(?:\.\d+)?)$")


def optimizer_of(text: str) -> Optimizer | None:
    """Return what kind of optimizer a name means: "adam" for AdamW, torch.optim.Adam, adamw_torch_fused.

    Parameters
    ----------
    text : str
        A name, and parameters in brackets behind it.

    Returns
    -------
    Optimizer or None
        None where it is none that is known, or several.
    """
    kind = _kind_of(text)
    return None if kind == "other" else kind


@lru_cache(maxsize=256)
def _kind_of(text: str) -> Optimizer | Literal["other"] | None:
    """Return the same, "other" where it is the name of one that is not known, and None where it names none."""
    text = text[:MAX_LENGTH].strip(" '\"<>")
    name = text[: end.start()] if (end := NAME_END.search(text)) is not None else text
    if name.lower() in ("", "dict") and (inner := INNER_NAME.search(text)) is not None:
        name = inner[1]
    words = _words(name[:MAX_NAME])
    kinds = {KINDS[word] for word in words if word in KINDS}
    if OTHERS & set(words):
        return "other"
    if not kinds:
        return "momentum" if words in (["momentum"], ["nesterov"]) else None
    # "adam or sgd" is a choice.
    return None if len(kinds) > 1 else _with_momentum(kinds.pop(), _momentum_in(words, text[len(name) :]))


def _words(name: str) -> list[str]:
    """Return the lower-case words of a name, those together that only the capitals part: "adamw", "rmsprop"."""
    parts = [BITS.sub("", part.lower()) for part in re.split(r"[\W_]+", CAMEL.sub(" ", name))]
    parts = [part for part in parts if part]
    words: list[str] = []
    for part in parts:
        if words and (words[-1] + part in KINDS or words[-1] + part in OTHERS):
            words[-1] += part
        else:
            words.append(part)
    return words


def _momentum_in(words: Sequence[str], parameters: str) -> float | None:
    """Return the momentum that a name or its parameters tell, some number above 0 where they tell that there is one."""
    told = MOMENTUM.search(parameters)
    if told is not None:
        return float(told[1])
    if MOMENTUM_KEY in words or "nesterov" in words:
        return 0.0 if {"without", "no"} & set(words) else 1.0
    return 1.0 if NESTEROV.search(parameters) else None


def _with_momentum(kind: Optimizer, momentum: float | None) -> Optimizer:
    """Return what "sgd" is where its momentum is told."""
    if kind != "sgd" or momentum is None:
        return kind
    return "momentum" if momentum > 0 else "plain sgd"


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


# A log has the same few names in every record.
@lru_cache(maxsize=10_000)
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
    _, mark, name = column.rpartition("lr-")
    kind = optimizer_of(name.partition("/")[0]) if mark else None
    return None if kind is None else Told(optimizer=kind, where=column)


class OptimizerReader:
    """Collects what a log tells of its optimizer; what is told first holds."""

    def __init__(self) -> None:
        self._name = self._where = self._opened = ""
        self._momenta: dict[str, float] = {}

    def take(self, name: str, *, where: str) -> None:
        """Take a text that may name an optimizer."""
        if not self._name and name and _kind_of(name) is not None:
            self._name, self._where = name, where

    def take_momentum(self, momentum: float, *, key: str) -> None:
        """Take a parameter called momentum: that of the optimizer if it stands beside its name."""
        self._momenta.setdefault(key.rpartition("/")[0], momentum)

    def take_line(self, line: str, *, where: str) -> None:
        """Take a printed line that `tells_of_optimizer`."""
        if (told := PRINTED.search(line[:MAX_LENGTH])) is not None:
            self.take(told[1], where=where)
        elif (opens := REPR.match(line)) is not None:
            self._opened = opens[1]
        elif GROUP.match(line) is not None:
            self.take(self._opened, where=where)
        elif self._opened and (momentum := REPR_MOMENTUM.match(line)) is not None:
            self.take_momentum(float(momentum[1]), key="")

    @property
    def told(self) -> Told | None:
        """What was told, where it is known."""
        kind = optimizer_of(self._name)
        if kind is None:
            return None
        momentum = self._momenta.get(self._where.rpartition("/")[0])
        return Told(optimizer=_with_momentum(kind, momentum), where=self._where)


def tells_of_optimizer(line: str) -> bool:
    """Whether a printed line may name an optimizer, or belongs to one that is printed."""
    start = line[:MAX_LENGTH]
    if "opt" in start.lower() and PRINTED.search(start) is not None:
        return True
    return len(line) < MAX_NAME and any(each.match(line) is not None for each in (REPR, GROUP, REPR_MOMENTUM))
