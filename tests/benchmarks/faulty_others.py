"""Runs unlike those of `faulty_cases.py`, to see whether what was learned there holds elsewhere: `make_others(folder)`.

Other data (letters of names, spirals, raw targets, ratings), other nets (with norms, residual, attention, embeddings,
recurrent), every schedule in use, longer runs, losses of any scale, logs a step, every 50 steps or an epoch, with and
without the rate, the held-out loss and the gradient norm. `half_time` with its bounds, when a decay is late, when a
first loss tells a broken start, and how far advice goes were chosen with these runs in sight: no test of those.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from faulty_shapes import (
    Shape,
    at_ten,
    at_the_end,
    at_twenty,
    constant,
    cosine,
    cyclical,
    exponential,
    halfway,
    linear,
    one_cycle,
    polynomial,
    restarts,
    root,
    stable_decay,
    stairs,
    to_a_tenth,
    warmup_cosine,
)  # fmt: skip
from faulty_training import SAMPLES, Course, know, mlp, train_all
from faulty_truth import COSTS_FROM, HEALTHY_TO, HIGH_TOO, Base, Case, Truth, find_base, is_visible, save, tolerated_of
from faulty_writers import WRITERS, Columns
from torch import Tensor, nn

LETTERS = " abcdefghijklmnopqrstuvwxyz"
CONTEXT = 6


# ---- data ----


def letters() -> tuple[Tensor, Tensor, int]:
    """Return the next letter of animals' names from the six before it."""
    with (SAMPLES / "text_seattle_pets.csv").open(newline="") as lines:
        names = [row["animal_name"].lower() for row in csv.DictReader(lines)]
    rows, nexts = [], []
    for name in names[:1200]:
        codes = [0] * CONTEXT + [LETTERS.index(c) for c in name if c in LETTERS] + [0]
        for i in range(CONTEXT, len(codes)):
            rows.append(codes[i - CONTEXT : i])
            nexts.append(codes[i])
    return torch.tensor(rows, dtype=torch.float32), torch.tensor(nexts), len(LETTERS)


def spirals() -> tuple[Tensor, Tensor, int]:
    rng = np.random.default_rng(0)
    turn = 3 * np.sqrt(rng.random(1500)) * math.pi
    side = rng.integers(0, 2, 1500)
    sign = 2 * side - 1
    x = np.stack([sign * turn * np.cos(turn), sign * turn * np.sin(turn)], axis=1) / 5 + rng.normal(size=(1500, 2)) / 9
    return torch.tensor(x, dtype=torch.float32), torch.tensor(side), 2


def friedman() -> tuple[Tensor, Tensor, int]:
    """Friedman's first function of ten uniform numbers, target standardised."""
    rng = np.random.default_rng(1)
    x = rng.random((1200, 10))
    y = 10 * np.sin(math.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y += rng.normal(size=1200)
    x = (x - 0.5) * math.sqrt(12)
    return torch.tensor(x, dtype=torch.float32), torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32), 0


def ratings() -> tuple[Tensor, Tensor, int]:
    """Stars that viewers gave films, as two codes."""
    with (SAMPLES / "ratings_synthetic_films.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    x = np.array([[int(row["user"][1:]), int(row["film"][1:])] for row in rows], dtype=float)
    y = np.array([float(row["stars"]) for row in rows])
    return torch.tensor(x, dtype=torch.float32), torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32), 0


DATA = {"letters": letters, "spirals": spirals, "friedman": friedman, "ratings": ratings}


# ---- nets ----


class Residual(nn.Module):
    """Residual blocks with layer norms."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.enter = nn.Linear(n_in, 32)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32)) for _ in range(3)
        )
        self.leave = nn.Linear(32, n_out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        for block in self.blocks:
            x = x + block(x)
        return self.leave(x)


class Letters(nn.Module):
    """A small causal language model, pre-norm, that predicts the letter after the last."""

    def __init__(self, n_out: int) -> None:
        super().__init__()
        self.embed = nn.Parameter(torch.randn(len(LETTERS), 24) * 0.3)
        self.place = nn.Parameter(torch.randn(CONTEXT, 24) * 0.1)
        self.qkv, self.out = nn.Linear(24, 72), nn.Linear(24, 24)
        self.first, self.second = nn.LayerNorm(24), nn.LayerNorm(24)
        self.wide = nn.Sequential(nn.Linear(24, 64), nn.GELU(), nn.Linear(64, 24))
        self.leave = nn.Linear(24, n_out)

    def forward(self, x: Tensor) -> Tensor:
        h = nn.functional.one_hot(x.long(), len(LETTERS)).float() @ self.embed + self.place
        q, k, v = self.qkv(self.first(h)).chunk(3, dim=-1)
        scores = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(24), dim=-1)
        h = h + self.out(scores @ v)
        h = h + self.wide(self.second(h))
        return self.leave(h[:, -1])


class Bag(nn.Module):
    """Embedded letters side by side, and one hidden layer."""

    def __init__(self, n_out: int) -> None:
        super().__init__()
        self.embed = nn.Parameter(torch.randn(len(LETTERS), 8))
        self.rest = mlp(8 * CONTEXT, n_out, widths=(64,), bend=nn.Tanh)

    def forward(self, x: Tensor) -> Tensor:
        return self.rest((nn.functional.one_hot(x.long(), len(LETTERS)).float() @ self.embed).flatten(1))


class Factors(nn.Module):
    """Matrix factorisation with biases."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.film = nn.Parameter(torch.randn(400, 9) * 0.2), nn.Parameter(torch.randn(200, 9) * 0.2)

    def forward(self, x: Tensor) -> Tensor:
        one = nn.functional.one_hot
        user, film = one(x[:, 0].long(), 400).float() @ self.user, one(x[:, 1].long(), 200).float() @ self.film
        return ((user[:, 1:] * film[:, 1:]).sum(1) + user[:, 0] + film[:, 0])[:, None]


def convnorm(_: int, n_out: int) -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.GroupNorm(2, 16), nn.ReLU(), nn.Flatten(), nn.Linear(256, n_out),
    )  # fmt: skip


NETS: dict[str, Callable[[int, int], nn.Module]] = {
    "residual": Residual,
    "attends": lambda _, o: Letters(o),
    "bag": lambda _, o: Bag(o),
    "factors": lambda _, o: Factors(),
    "convnorm": convnorm,
    "selu": lambda i, o: mlp(i, o, widths=(48, 48, 48), bend=nn.SELU),
    "softplus": lambda i, o: mlp(i, o, widths=(24,), bend=nn.Softplus),
    "flat": lambda i, o: mlp(i, o, widths=(), bend=nn.ReLU),
}
OPTIMIZERS = {
    "nadam": torch.optim.NAdam,
    "nesterov": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9, nesterov=True),
    "adamax": torch.optim.Adamax,
}


SOUND: tuple[Shape, ...] = (
    cosine, one_cycle, stable_decay, linear, root, exponential, polynomial, warmup_cosine, restarts, halfway,
    to_a_tenth, stairs, cyclical,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a run is logged: steps a point (0: an epoch), and what with it."""

    every: int
    mean: bool = True
    scale: float = 1.0
    digits: int | None = None
    with_lr: bool = True
    with_val: bool = False
    with_norm: bool = False


STYLES = (
    Style(every=1),
    Style(every=0, with_val=True),
    Style(every=10, with_val=True, with_norm=True),
    Style(every=1, mean=False, scale=250.0, with_norm=True),
    Style(every=0, with_lr=False),
    Style(every=25, digits=4, with_norm=True),
    Style(every=5, mean=False, scale=1e-3),
    Style(every=0, with_val=True, scale=1e3, digits=3),
    Style(every=2, with_lr=False, with_val=True),
    Style(every=50, digits=4, with_val=True),
)

# data, net, optimiser, batch, steps, middle of the grid of rates
OTHERS = (
    ("letters", "attends", "adam", 64, 800, 1e-2),
    ("spirals", "selu", "adam", 64, 600, 1e-2),
    ("friedman", "residual", "adam", 32, 500, 3e-3),
    ("digits", "convnorm", "momentum", 32, 300, 0.1),
    ("ratings", "factors", "adam", 128, 500, 1e-2),
    ("letters", "bag", "sgd", 64, 1000, 0.3),
    ("friedman", "softplus", "nesterov", 16, 900, 0.01),
    ("cancer", "flat", "adam", 16, 650, 0.03),
    ("spirals", "residual", "rmsprop", 64, 500, 3e-3),
    ("shuttle", "selu", "momentum", 64, 800, 0.03),
    ("wine", "flat", "nadam", 16, 400, 0.03),
    ("penguins", "residual", "adamax", 32, 480, 1e-2),
    ("macro", "selu", "sgd", 16, 450, 0.03),
)


def cases_of(base: Base, *, number: int) -> Iterator[Case]:
    """Yield sound runs with every schedule, rates too high and too low, decays at the wrong time, and a few faults."""
    sound = replace(base.recipe, seed=number + 11)
    for k in range(8):
        shape, factor = SOUND[(k + 3 * number) % len(SOUND)], (1, 0.6, 1.6, 1)[k % 4]
        sure = replace(sound, schedule=shape, seed=sound.seed + k, lr=sound.lr * factor)
        tolerated = ("LR204", "LR206") if shape is cyclical else ()
        yield Case(fault="healthy", strength=k, recipe=sure, tolerated=tolerated)
    steady = replace(sound, schedule=constant, lr=sound.lr / 3)
    yield Case(fault="healthy", strength=9, recipe=steady, tolerated=("LR204", "LR206"))
    for k, factor in enumerate((3, 10, 30, 100)):
        shape = (cosine, constant, one_cycle, exponential, warmup_cosine)[(k + number) % 5]
        high = replace(sound, lr=sound.lr * factor, schedule=shape, seed=sound.seed + k)
        yield Case(fault="high", strength=factor, recipe=high, codes=("LR202",), tolerated=HIGH_TOO, needs_cost=True)
        low = replace(high, lr=sound.lr / factor)
        also = ("LR214", "LR212", "LR210")
        yield Case(fault="low", strength=factor, recipe=low, codes=("LR203",), tolerated=also, needs_cost=True)
    for k, shape in enumerate((at_twenty, at_ten)):
        early = replace(sound, schedule=shape, seed=sound.seed + k)
        yield Case(
            fault="early", strength=k, recipe=early, codes=("LR205",), tolerated=("LR203", "LR204"), needs_cost=True
        )
    for k, (factor, shape) in enumerate(((1, constant), (2, constant), (1.5, at_the_end))):
        never = replace(sound, schedule=shape, lr=sound.lr * factor)
        also = ("LR202", "LR204", "LR212")
        yield Case(fault="never", strength=k, recipe=never, codes=("LR206",), tolerated=also, needs_cost=True)


def columns_of(course: Course, style: Style) -> Columns:
    every = style.every or course.steps_per_epoch
    n = len(course.loss) // every * every
    step = np.arange(1, len(course.loss) + 1)[:n].reshape(-1, every)[:, -1]
    with np.errstate(over="ignore", invalid="ignore"):
        pieces = style.scale * course.loss[:n].reshape(-1, every)
        loss = pieces.mean(1) if style.mean else pieces[:, -1]
    loss = loss if style.digits is None else loss.round(style.digits)
    columns: Columns = {"step": step.tolist(), "loss": loss.tolist()}
    if style.with_lr:
        columns["lr"] = course.lr[:n].reshape(-1, every)[:, -1].tolist()
    if style.with_norm:
        columns["grad_norm"] = course.grad_norm[:n].reshape(-1, every)[:, -1].tolist()
    if style.with_val:
        at = {(k + 1) * course.val_every: style.scale * v for k, v in enumerate(course.val_loss.tolist())}
        columns["val_loss"] = [
            next((at[s] for s in range(int(last) - every + 1, int(last) + 1) if s in at), None) for last in step
        ]
    if not style.every:
        columns["epoch"] = [float(k + 1) for k in range(len(step))]
        columns = {"epoch": columns.pop("epoch"), **columns}
    return columns


NEEDS_LR = {"LR205", "LR206"}


def write(base: Base, case: Case, course: Course, *, folder: Path, number: int) -> Truth | None:
    regret, val_regret = base.regrets(course)
    style = STYLES[number % len(STYLES)]
    if len(course.loss) < 8 * (style.every or course.steps_per_epoch):
        style = replace(style, every=1)
    if case.needs_cost and regret < COSTS_FROM:
        return None
    if (case.fault == "healthy" and max(regret, val_regret) > HEALTHY_TO) or not is_visible(case, course):
        return None
    codes = list(case.codes)
    if case.fault == "high" and not np.isfinite(course.loss).all():
        codes = ["LR201"]
    if NEEDS_LR & set(codes):
        style = replace(style, with_lr=True)
    columns = columns_of(course, style)
    usable = {name: pair for name, pair in WRITERS.items() if style.with_lr or name in ("csv", "jsonl", "text")}
    format_ = list(usable)[number // 3 % len(usable)]
    writer, suffix = usable[format_]
    if format_ in ("trainer_state", "lightning", "text", "jsonl"):
        columns.pop("epoch", None)
    elif "epoch" in columns:
        # Keras logs no steps.
        columns.pop("step")
    path = folder / f"{number:04d}-{base.name}-{case.fault}-{case.strength:g}{suffix}"
    writer(columns, path, course=course, optimizer=case.recipe.optimizer)
    return Truth(
        file=path.name, base=base.name, fault=case.fault, strength=case.strength, format=format_, codes=codes,
        tolerated=tolerated_of(case, course), lr=case.recipe.lr, lr_best=base.recipe.lr, regret=min(regret, 1e9),
        optimizer=case.recipe.optimizer,
    )  # fmt: skip


def make_others(folder: Path) -> list[Truth]:
    """Train every run, write its log, and return the truth of each."""
    torch.set_num_threads(1)
    know(data=DATA, nets=NETS, optimizers=OPTIMIZERS)
    folder.mkdir(parents=True, exist_ok=True)
    truths: list[Truth | None] = []
    for index, row in enumerate(OTHERS):
        base = find_base(row, powers=range(-4, 3))
        cases = list(cases_of(base, number=index))
        number = 100 * index
        for k, (case, course) in enumerate(zip(cases, train_all([case.recipe for case in cases]), strict=True)):
            truths.append(write(base, case, course, folder=folder, number=number + k))
        print(base.name, f"best {base.recipe.lr:.2g}", sum(t is not None for t in truths), flush=True)
        save(truths, folder)
    return save(truths, folder)
