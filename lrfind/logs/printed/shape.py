"""What all lines of one shape, that differ in their digits alone, have in common: `shape_of(line)`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lrfind.logs.cells import NUMBER
from lrfind.logs.names import HELD_OUT, role_of
from lrfind.logs.optimizer import tells_of_optimizer
from lrfind.logs.printed.line import WIDTH, Counter, Line, Value, line_of
from lrfind.logs.printed.table import Header, header_of

# "| 45/100 [00:10<" and "45it [00:10" of tqdm; "45/100 ━━" and "45/100 [==>" of Keras.
TQDM = re.compile(r"\|\s*(\d{1,15})/\d{1,15} \[|\b(\d{1,15})it \[\d")
KERAS = re.compile(r"\s*(\d{1,15})/\d{1,15}\s+(?:\[[=>.]+\]|[━╸╺─\s]*\d+m?s\b|━|- )")
# "Epoch 3/9 ━━━━━━━╸━━ 45/100 0:00:01 • 0:00:02" of rich, the bars of Lightning.
RICH = re.compile(r"[━╸╺]\s+(\d{1,15})/\d{1,15}\s+\d+:\d\d:\d\d")
# "|    loss            | 2.5     |" of Stable-Baselines3.
CELL = re.compile(r"\s*[|│┃]\s*([^|│┃\d]{0,3}[^|│┃]{1,60}?)\s*[|│┃]\s*(" + NUMBER + r")\s*[|│┃]\s*$", re.IGNORECASE)
# "10:  learn: 0.5  test: 0.6  best: 0.6 (9)" of CatBoost, which does not say that these are losses.
CATBOOST = re.compile(rf"\s*(\d{{1,15}}):\s+(learn):\s*({NUMBER})(?:\s+(test\d*):\s*({NUMBER}))?")
# "10: 2.5, 2.6 avg loss, 0.001 rate, 3.2 seconds, 640 images" of Darknet: numbers before their names.
DARKNET = re.compile(
    rf"\s*(\d{{1,15}}): ({NUMBER}), ({NUMBER}) (avg(?: loss)?), ({NUMBER}) (rate), {NUMBER} seconds", re.IGNORECASE
)
# Letters of which a line must hold some to be of use. Taking a line apart takes long, and logs hold a million lines
# of other things. Without a number it names a part of the data, an optimizer or columns; with one, a loss or a
# counter, or it begins with the number. Other scripts are always looked at.
TELLING = re.compile(rb"loss|cls|train|val|test|eval|dev|opt|\($|cost|adam|sgd|group|[\x80-\xff]", re.IGNORECASE)
COUNTING = re.compile(
    rb"loss|cost|l_|nll|entrop|xent|mse|mae|objec|verl|pert|p.?rd|fehler|l0\b|l\.?r|rate|epo|iter|step|batch|upd|norm|"
    rb"round|ep\b|test|val|optim|--opt|momentum|progress|learn|avg|paso|pas+o|schritt|krok|steg|tap|strat|[\x80-\xff]|"
    rb"group|\($|0epo|0\s?/\s?0|[\[|]\s*0|0\]|^[\s|]*[-+.0]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Where in a line its numbers are, in bytes, and what they are.

    Attributes
    ----------
    counters, values : tuple
    part : str
        Held-out part of the data that all its losses, or the line itself, are about; else "".
    heading : str
        The part that it announces for the next line.
    bar : {"", "bar", "mean"}
        A progress bar that shows single losses, or means over the epoch so far.
    progress : slice or None
        Where a bar of means stands.
    header : Header or None
        It names the columns of the numbers below it.
    fields : tuple of slice
        Its numbers, if it is a row of a table, and at last what follows them.
    tells_of_optimizer : bool
    n_others : int
        Numbers with other names.
    """

    counters: tuple[Counter, ...] = ()
    values: tuple[Value, ...] = ()
    part: str = ""
    heading: str = ""
    bar: str = ""
    progress: slice | None = None
    header: Header | None = None
    fields: tuple[slice, ...] = ()
    tells_of_optimizer: bool = False
    n_others: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (
            self.counters or self.values or self.heading or self.header or self.fields or self.tells_of_optimizer
        )


EMPTY = Shape()


def shape_of(line: bytes) -> Shape:
    """Return what lines with these letters, and any digits in place of the 0s, say.

    Parameters
    ----------
    line : bytes
        UTF-8, with every digit a 0.

    Returns
    -------
    Shape
    """
    line = line[:WIDTH]
    if (COUNTING if b"0" in line else TELLING).search(line) is None:
        return EMPTY
    text = line.decode("utf-8", errors="replace")
    shape = _special(text) or _general(text)
    if text.isascii():
        return shape
    return _in_bytes(shape, text)


def _special(text: str) -> Shape | None:
    """Return the shape of the few layouts that put names and numbers otherwise."""
    if (found := CATBOOST.match(text)) is not None:
        parts = ((2, 3), (4, 5)) if found[4] else ((2, 3),)
        values = [
            Value("loss" if found[name] == "learn" else "val_loss", "loss", _at(found, name), _at(found, number))
            for name, number in parts
        ]
        return Shape(counters=(Counter("step", "", _at(found, 1)),), values=tuple(values))
    if (found := DARKNET.match(text)) is not None:
        return Shape(
            counters=(Counter("step", "", _at(found, 1)),),
            values=(
                Value("loss", "loss", slice(0, 0), _at(found, 2)), Value("loss", "", _at(found, 4), _at(found, 3)),
                Value("lr", "", _at(found, 6), _at(found, 5)),
            ),
        )  # fmt: skip
    if (found := CELL.match(text)) is not None:
        role = (role_of(found[1]) or ("",))[0]
        if role in ("step", "epoch"):
            return Shape(counters=(Counter(role, found[1], _at(found, 2)),))
        return Shape(values=(Value(role, "", _at(found, 1), _at(found, 2)),)) if role else Shape(n_others=1)
    return None


def _at(found: re.Match[str], group: int) -> slice:
    return slice(*found.span(group))


def _general(text: str) -> Shape:
    keras = KERAS.match(text)
    bar = None if keras else (TQDM.search(text) or RICH.search(text))
    line = line_of(text, bar=bar.start(bar.lastindex or 1) if bar else -1)
    counters = list(line.counters)
    progress = None
    if keras is not None:
        progress = _at(keras, 1)
        counters = [each for each in counters if each.place.start != progress.start]
    header, fields = header_of(text, has_values=bool(line.values or counters))
    is_row = bool(fields) and not line.values
    return Shape(
        counters=tuple(counters), values=tuple(line.values), part=_held_out(line), heading=_heading(line),
        bar="mean" if keras else "bar" if bar else "", progress=progress, header=header,
        fields=fields if is_row else (), tells_of_optimizer=tells_of_optimizer(text.rstrip()), n_others=line.n_others,
    )  # fmt: skip


def _held_out(line: Line) -> str:
    losses = {each.role for each in line.values if each.role in ("loss", "val_loss")}
    if "loss" in losses:
        return ""
    if losses:
        return line.part if line.part in HELD_OUT else "val"
    return line.part if line.part in HELD_OUT else ""


def _heading(line: Line) -> str:
    is_alone = not line.values and not line.n_others
    return line.part if is_alone else ""


def _in_bytes(shape: Shape, text: str) -> Shape:
    """Return a shape whose places count bytes, not characters."""
    places = [0]
    for character in text:
        places.append(places[-1] + len(character.encode()))

    def moved(place: slice | None) -> slice | None:
        return None if place is None else slice(places[place.start], places[place.stop])

    def must(place: slice) -> slice:
        return slice(places[place.start], places[place.stop])

    return replace(
        shape,
        counters=tuple(Counter(e.kind, e.name, must(e.place), moved(e.total)) for e in shape.counters),
        values=tuple(Value(e.role, e.front, must(e.name), must(e.place), moved(e.mean)) for e in shape.values),
        progress=moved(shape.progress), fields=tuple(must(each) for each in shape.fields),
    )  # fmt: skip
