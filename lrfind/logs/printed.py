"""What training scripts print: "step 10 loss: 0.5 lr: 1e-3", progress bars of tqdm and Keras, "[100] train loss=0.5".

Every line is searched for names followed by numbers; the names are judged as those of columns are.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from lrfind.errors import DataError
from lrfind.logs.cells import NUMBER, THOUSANDS
from lrfind.logs.log import StepUnit
from lrfind.logs.names import first_of_numbered, names_part, role_of
from lrfind.logs.opened import EXPECTED, LogFile
from lrfind.logs.optimizer import OptimizerReader, tells_of_optimizer
from lrfind.logs.readings import Readings, RecordReader

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Words that belong to the name that follows: "train loss", "val_loss", "learning rate", "valid_1's binary_logloss".
BEFORE = (
    r"(?:(?:train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|test|dev|learning|grad(?:ient)?|global|running|avg|mean)"
    r"(?:_?\d+)?(?:'s)?[ _/.-])"
)
# 1,000 as a count and 0,5 as a loss; not the first of "1, 2" or "1,2,3".
WITH_COMMA = r"[-+]?\d+(?:,\d+)+(?:\.\d+)?(?:[eE][-+]?\d+)?"
PAIR = re.compile(
    rf"(?<![\w.])({BEFORE}{{0,3}}[A-Za-z][\w/.-]{{0,80}}?)['\"]?(?:\s*[:=]\s*|\s*\[\s*|\s+)['\"]?(?:tensor\()?"
    rf"({WITH_COMMA}|{NUMBER})(?![\w.]*[A-Za-z%])",
    re.IGNORECASE,
)
# "Test set: Average loss: 0.05", "[val] loss 0.5", "| valid | loss 0.5": what is said in front holds for what follows.
HEADING = re.compile(
    r"(?<![\w/.-])(train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|test|dev)(?:\s+(?:set|error|results?|metrics|loop))?"
    r"\s*[\])]?\s*(?:[:|>]|(?<=[\])])|-+\s)",
    re.IGNORECASE,
)
# [100] and [1,  2000] at the start; "iteration 5/100"; "| 45/100 [" of tqdm; "45/100 ━━" and "45/100 [==>" of Keras.
BRACKET = re.compile(r"\W*?\[\s*(\d{1,15})\s*(?:([,/])\s*(\d{1,15})\s*)?\]")
TQDM = re.compile(r"\|\s*(\d{1,15})/(\d{1,15}) \[")
# "Train Epoch: 1 [640/60000 (1%)]": samples seen in this epoch.
SAMPLES = re.compile(r"\d\s+\[\s*(\d{1,15})/\d{1,15}\b[^\]]{0,12}\]")
KERAS = re.compile(r"\s*(\d{1,15})/(\d{1,15})\s+(?:\[[=>.]+\]|[━╸╺─\s]*\d+m?s\b|━)")
# "Epoch 3/9 ━━━━━━━╸━━ 45/100 0:00:01 • 0:00:02" of rich, the bars of Lightning.
RICH = re.compile(r"[━╸╺]\s+(\d{1,15})/(\d{1,15})\s+\d+:\d\d:\d\d")
# "10:  learn: 0.5  test: 0.6  best: 0.6 (9)" of CatBoost, which does not say that these are losses.
CATBOOST = re.compile(rf"\s*(\d{{1,15}}):\s+(learn):\s*({NUMBER})(?:\s+(test):\s*({NUMBER}))?")
EPOCH_IN_BAR = re.compile(r"\bepoch\D{0,3}(\d{1,9})", re.IGNORECASE)
# A line that is one long dump is not searched further than this.
MAX_LINE_CHARACTERS = 4_000
# Lines searched to tell whether there is any loss.
SNIFF_LINES = 2_000
# A script prints a handful of kinds of lines, each with numbers of several lengths.
MOST_SHAPES = 4_096
# Every digit is a 0 in a line's shape.
DIGITS = bytes.maketrans(b"123456789", b"000000000")


@dataclass(slots=True)
class _Line:
    """What one line says."""

    values: dict[str, float] = field(default_factory=dict)
    step: float | None = None
    epoch: float | None = None
    is_running_mean: bool = False
    is_bar: bool = False
    heading: str = ""
    tells_of_optimizer: bool = False


@dataclass(slots=True)
class _Shape:
    """Where in a line its numbers are: (what is said in front, name, number) of each value, and the counters."""

    values: tuple[tuple[str, slice, slice], ...] = ()
    has_commas: bool = False
    step: slice | None = None
    epoch: slice | None = None
    is_running_mean: bool = False
    is_bar: bool = False
    heading: str = ""
    tells_of_optimizer: bool = False


def claims(log: LogFile) -> bool:
    """Whether some line names a loss."""
    if not log.is_text or log.is_json:
        return False
    return any(_searched(line).values for line in itertools.islice(log.lines(), SNIFF_LINES))


def read(log: LogFile) -> Readings:
    """Return the points that the lines tell of."""
    reader = RecordReader(place="line")
    columns: set[str] = set()
    has_steps = False
    for number, line in _points(_lines(log, optimizer=reader.optimizer)):
        record = dict(line.values)
        if line.epoch is not None:
            record["epoch"] = line.epoch
        if line.step is not None:
            record["step"] = line.step
        has_steps = has_steps or line.step is not None
        if not record.keys() <= columns:
            columns |= record.keys()
        reader.add(record, place=number)
    if not any((role_of(name) or ("", 0))[0] == "loss" for name in columns) and first_of_numbered(columns) is None:
        raise DataError(f"{log.name}: no line tells of a training loss ('loss: 0.5'); {EXPECTED}")
    unit: StepUnit | None = None if has_steps else "epoch"
    return reader.readings("text", step_unit=unit if "epoch" in columns else None)


def _lines(log: LogFile, *, optimizer: OptimizerReader) -> Iterator[tuple[int, _Line]]:
    """Yield (line, what it says), and take what is told of the optimizer."""
    for number, text in enumerate(log.lines(), start=1):
        line = _searched(text)
        if line.tells_of_optimizer:
            optimizer.take_line(ANSI.sub("", text).rstrip(), where=f"line {number}")
        yield number, line


def _points(lines: Iterable[tuple[int, _Line]]) -> Iterator[tuple[int, _Line]]:
    """Yield (line, what it says), with the epoch of the lines above, the updates of one bar as one."""
    epoch = step = None
    heading = ""
    drawn: dict[str, tuple[float | None, float, float]] = {}
    held: tuple[int, _Line] | None = None
    for number, line in lines:
        if heading and line.values:
            line.values = {_under(heading, name): value for name, value in line.values.items()}
        # What a line of its own announces is the next one.
        heading = line.heading if not line.values else ""
        if line.epoch is not None and line.epoch != epoch:
            epoch, step = line.epoch, None
        line.epoch = epoch
        if not line.values:
            step = line.step if line.step is not None else step
            continue
        if line.step is None and step is not None:
            # A summary below the steps of an epoch: its mean loss is no point of the curve, the rest is.
            line.values = {name: value for name, value in line.values.items() if (role_of(name) or ("",))[0] != "loss"}
            line.step = step
        step = line.step
        if line.is_bar and step is not None:
            # A bar is drawn again and again, also when nothing is new.
            now = {name: (epoch, step, value) for name, value in line.values.items()}
            line.values = {name: value for name, value in line.values.items() if drawn.get(name) != now[name]}
            drawn.update(now)
            if not line.values:
                continue
        if held is not None and not _is_update(held[1], line):
            yield held
        held = (number, line)
    if held is not None:
        yield held


def _is_update(before: _Line, line: _Line) -> bool:
    """Whether a line is the next state of the bar before it: Keras shows running means, so only the last counts."""
    if line.is_running_mean and before.is_running_mean:
        return line.epoch == before.epoch
    return (
        line.step is not None
        and (line.step, line.epoch) == (before.step, before.epoch)
        and before.values.keys() <= line.values.keys()
    )


def _searched(text: str) -> _Line:
    """Return what a line says. Lines of one shape are searched once: only their digits differ."""
    text = text[:MAX_LINE_CHARACTERS]
    if "\x1b" in text:
        text = ANSI.sub("", text)
    # As bytes: translating a string takes ten times as long.
    shape = _shape(text.encode().translate(DIGITS))
    line = _Line(
        is_running_mean=shape.is_running_mean, is_bar=shape.is_bar, heading=shape.heading,
        tells_of_optimizer=shape.tells_of_optimizer,
    )  # fmt: skip
    value, count = (_value, _count) if shape.has_commas else (float, float)
    for front, name, number in shape.values:
        line.values.setdefault(front + text[name], value(text[number]))
    if shape.step is not None:
        line.step = count(text[shape.step])
    if shape.epoch is not None:
        line.epoch = count(text[shape.epoch])
    return line


def _count(text: str) -> float:
    """Return a count, with or without commas before its thousands."""
    return float(text.replace(",", "") if THOUSANDS.fullmatch(text) else text.partition(",")[0])


def _value(text: str) -> float:
    """Return a value; one comma in it stands before the decimals."""
    if "," not in text:
        return float(text)
    return float(text.replace(",", ".")) if text.count(",") == 1 and "." not in text else _count(text)


def _under(heading: str, name: str) -> str:
    """Return a loss's name with the part of the data it was announced under, unless it names one itself."""
    is_loss = (role_of(name) or ("",))[0] == "loss"
    return f"{heading} {name}" if heading and is_loss and not names_part(name) else name


@lru_cache(maxsize=MOST_SHAPES)
def _shape(line: bytes) -> _Shape:
    """Return where a line with these letters, and any digits, says what."""
    text = line.decode()
    shape, values = _Shape(), []
    headings = list(HEADING.finditer(text))
    for found in PAIR.finditer(text):
        heading = next((each[1] for each in reversed(headings) if each.end() <= found.start()), "")
        name = _under(heading, found[1])
        role = (role_of(name) or ("",))[0]
        if role == "epoch":
            shape.epoch = shape.epoch or _place(found, 2)
        elif role == "step":
            shape.step = shape.step or _place(found, 2)
        elif role:
            values.append((role, name.removesuffix(found[1]), _place(found, 1), _place(found, 2)))
    if any(role in ("loss", "val_loss") for role, *_ in values):
        shape.values = tuple((front, name, number) for _, front, name, number in values)
    elif (catboost := CATBOOST.match(text)) is not None:
        shape.step = _place(catboost, 1)
        parts = ((2, 3), (4, 5)) if catboost[4] else ((2, 3),)
        shape.values = tuple(("loss ", _place(catboost, name), _place(catboost, number)) for name, number in parts)
    elif headings:
        shape.heading = headings[-1][1]
    _count_in_bar(text, shape)
    shape.tells_of_optimizer = tells_of_optimizer(text.rstrip())
    numbers = [number for *_, number in shape.values] + [each for each in (shape.step, shape.epoch) if each is not None]
    shape.has_commas = any("," in text[number] for number in numbers)
    return shape


def _place(found: re.Match[str], group: int) -> slice:
    return slice(*found.span(group))


def _count_in_bar(text: str, shape: _Shape) -> None:
    """Take the counters that stand without a name."""
    keras, tqdm, bracket = KERAS.match(text), TQDM.search(text) or RICH.search(text), BRACKET.match(text)
    if keras is not None:
        shape.is_running_mean, shape.step = True, None
    elif tqdm is not None:
        shape.is_bar = True
        shape.step = _place(tqdm, 1)
        named = EPOCH_IN_BAR.search(text)
        shape.epoch = _place(named, 1) if named else shape.epoch
    elif shape.step is None and shape.epoch is not None and (samples := SAMPLES.search(text)) is not None:
        shape.step = _place(samples, 1)
    elif bracket is not None and shape.step is None:
        if bracket[2] == ",":
            shape.epoch, shape.step = _place(bracket, 1), _place(bracket, 3)
        elif shape.epoch is None:
            shape.step = _place(bracket, 1)
