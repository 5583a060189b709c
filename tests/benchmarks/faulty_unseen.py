"""A third collection for `bench_diagnose.py`: nets of neither other one nor of the pool, and new data but for digits.

Chaotic and periodic series, rings, sparse parity, sums modulo a prime, counts, patients; nets with gates, maxima of
pieces, sines, memory cells, mixed pixels and residual convolutions. Which traits are weighed, and
the weights, were chosen with runs of `training_pool.py` alone; these and the other two were looked at for what goes
wrong, and for the chances from which LR202, LR203 and LR206 are found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from faulty_cases import abrupt_cases, batch_cases, few_rows_cases, trained, write_case
from faulty_others import OPTIMIZERS, cases_of, write
from faulty_shapes import cosine
from faulty_training import Recipe, know, mlp, train_all
from faulty_truth import Case, Row, Truth, find_base, save
from sklearn import datasets
from torch import Tensor, nn

Data = tuple[Tensor, Tensor, int]
PRIME = 13


def as_data(x: np.ndarray, y: np.ndarray, n_classes: int = 0) -> Data:
    target = torch.tensor(y) if n_classes else torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
    return torch.tensor(x, dtype=torch.float32), target, n_classes


def lorenz() -> Data:
    """The next value of a chaotic series from the 24 before it."""
    state, values = np.array([1.0, 1.0, 20.0]), []
    for _ in range(3600):
        x, y, z = state
        state = state + 0.02 * np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])
        values.append(state[0])
    series = np.array(values)[200::3]
    series = (series - series.mean()) / series.std()
    windows = np.lib.stride_tricks.sliding_window_view(series, 25)
    return as_data(windows[:, :-1].copy(), windows[:, -1].copy())


def rings() -> Data:
    """Five rings around one another, in the plane."""
    rng = np.random.default_rng(21)
    y = rng.integers(0, 5, 1100)
    angle, radius = rng.uniform(0, 2 * math.pi, 1100), 0.4 + 0.4 * y + 0.08 * rng.standard_normal(1100)
    return as_data(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y, 5)


def parity() -> Data:
    """The product of three of twelve signs."""
    x = np.random.default_rng(22).choice([-1.0, 1.0], (1600, 12))
    return as_data(x, (x[:, 0] * x[:, 4] * x[:, 9] > 0).astype(np.int64), 2)


def modular() -> Data:
    """The sum of two numbers modulo a prime, as one-hot codes, each pair three times."""
    pairs = np.array([(a, b) for a in range(PRIME) for b in range(PRIME)] * 3)
    return as_data(np.eye(PRIME)[pairs].reshape(len(pairs), -1), pairs.sum(1) % PRIME, PRIME)


def wave() -> Data:
    """A sine of growing frequency with noise."""
    rng = np.random.default_rng(23)
    x = rng.uniform(-1, 1, (700, 1))
    return as_data(x, np.sin(4 * (x[:, 0] + 1.2) ** 2) + 0.1 * rng.standard_normal(700))


def counts() -> Data:
    """Poisson counts whose rate follows a few of 16 features."""
    rng = np.random.default_rng(24)
    x = rng.standard_normal((1400, 16))
    return as_data(x, rng.poisson(np.exp(np.clip(0.6 * x[:, 0] - 0.4 * x[:, 3] * x[:, 5] + 0.5, -3, 3))).astype(float))


def diabetes() -> Data:
    x, y = datasets.load_diabetes(return_X_y=True)
    return as_data((x - x.mean(0)) / x.std(0), y)


def iris() -> Data:
    x, y = datasets.load_iris(return_X_y=True)
    return as_data((x - x.mean(0)) / x.std(0), y, 3)


DATA: dict[str, Callable[[], Data]] = {
    "lorenz": lorenz, "rings": rings, "parity": parity, "modular": modular, "wave": wave, "counts": counts,
    "diabetes": diabetes, "iris": iris,
}  # fmt: skip


class Gates(nn.Module):
    """Two hidden layers, each half of which gates the other half."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(n_in, 80), nn.Linear(40, 80)
        self.leave = nn.Linear(40, n_out)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.glu(self.first(x), dim=-1)
        return self.leave(nn.functional.glu(self.second(x), dim=-1))


class Maxima(nn.Module):
    """Hidden units that are the largest of four linear pieces."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first, self.leave = nn.Linear(n_in, 120), nn.Linear(30, n_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(self.first(x).unflatten(-1, (30, 4)).max(-1).values)


class Sines(nn.Module):
    """Two hidden layers of sines."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first, self.second, self.leave = nn.Linear(n_in, 48), nn.Linear(48, 48), nn.Linear(48, n_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(torch.sin(self.second(torch.sin(3 * self.first(x)))))


class Memory(nn.Module):
    """A cell with a long memory over a series, four values at a time."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.enter, self.turn, self.leave = nn.Linear(4, 80), nn.Linear(20, 80), nn.Linear(20, n_out)

    def forward(self, x: Tensor) -> Tensor:
        h = c = torch.zeros(len(x), 20)
        for k in range(x.shape[1] // 4):
            i, f, o, g = (self.enter(x[:, 4 * k : 4 * k + 4]) + self.turn(h)).chunk(4, dim=-1)
            c = torch.sigmoid(f + 1) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.leave(h)


class Mixed(nn.Module):
    """Mixes the rows of a digit, then its columns, twice."""

    def __init__(self, n_out: int) -> None:
        super().__init__()
        self.rows = nn.ModuleList(nn.Linear(8, 8) for _ in range(2))
        self.columns = nn.ModuleList(mlp(8, 8, widths=(32,), bend=nn.GELU) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(8) for _ in range(4))
        self.leave = nn.Linear(64, n_out)

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(-1, 8, 8)
        for k in range(2):
            x = x + self.rows[k](self.norms[2 * k](x).transpose(1, 2)).transpose(1, 2)
            x = x + self.columns[k](self.norms[2 * k + 1](x))
        return self.leave(x.flatten(1))


class Skipping(nn.Module):
    """Convolutions that are added to what they read."""

    def __init__(self, n_out: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(1, 8, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(3))
        self.leave = nn.Linear(128, n_out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x.reshape(-1, 1, 8, 8))
        for block in self.blocks:
            x = x + torch.relu(block(x)) / 2
        return self.leave(nn.functional.avg_pool2d(x, 2).flatten(1))


NETS: dict[str, Callable[[int, int], nn.Module]] = {
    "gates": Gates,
    "maxima": Maxima,
    "sines": Sines,
    "memory": Memory,
    "mixed": lambda _, o: Mixed(o),
    "skipping": lambda _, o: Skipping(o),
    "scanned": lambda _, o: nn.Sequential(
        nn.Unflatten(1, (1, 24)), nn.Conv1d(1, 8, 5), nn.SiLU(), nn.Conv1d(8, 8, 5, stride=2), nn.SiLU(), nn.Flatten(),
        nn.Linear(64, o),
    ),
    "hardtanh": lambda i, o: mlp(i, o, widths=(40, 20), bend=nn.Hardtanh),
}  # fmt: skip

# Data, net, optimiser, batch, steps, middle of the grid of rates.
UNSEEN = (
    ("rings", "gates", "adamw", 32, 450, 5e-3),
    ("lorenz", "memory", "adam", 32, 300, 1e-2),
    ("lorenz", "scanned", "momentum", 32, 500, 0.03),
    ("diabetes", "maxima", "adam", 16, 400, 1e-2),
    ("diabetes", "sines", "sgd", 32, 350, 0.1),
    ("parity", "gates", "adam", 64, 700, 1e-2),
    ("modular", "hardtanh", "adamw", 64, 900, 1e-2),
    ("wave", "sines", "adam", 32, 800, 3e-3),
    ("iris", "maxima", "momentum", 8, 300, 0.03),
    ("counts", "gates", "rmsprop", 64, 500, 3e-3),
    ("counts", "hardtanh", "adagrad", 64, 300, 0.1),
    ("digits", "mixed", "adam", 64, 400, 5e-3),
    ("digits", "skipping", "sgd", 32, 300, 0.2),
    ("rings", "hardtanh", "nesterov", 16, 600, 0.03),
)


# Data, net and rate of the runs whose faults are in their batches, their gradients or their units; data of those with
# few rows.
OTHER = (
    ("rings", "mlp", 5e-3), ("diabetes", "mlp", 5e-3), ("parity", "gates", 5e-3), ("iris", "mlp", 3e-3),
    ("counts", "mlp", 3e-3), ("digits", "mixed", 5e-3), ("lorenz", "scanned", 3e-3),
)  # fmt: skip
FEW = ("rings", "diabetes", "counts", "iris", "parity", "lorenz")


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What is trained, and where the numbers begin that its cases, files and seeds are told apart by."""

    bases: tuple[Row, ...]
    other: tuple[tuple[str, str, float], ...]
    few: tuple[str, ...]
    first_case: int
    first_file: int
    first_seed: int
    first_few_seed: int


def other_cases(wanted: Collection) -> Iterator[tuple[str, Case]]:
    """Yield faults of batches, gradients, units and few rows."""
    for seed, (data, net, lr) in enumerate(wanted.other, start=wanted.first_seed):
        sound = Recipe(data=data, net=net, optimizer="adam", batch=32, n_steps=300, lr=lr, schedule=cosine, seed=seed)
        for case in batch_cases(sound):
            yield f"{data}-{net}-other", case
    for seed, data in enumerate(wanted.few, start=wanted.first_few_seed):
        for case in few_rows_cases(data, seed=seed):
            yield f"{data}-wide-few", case


def make_collection(folder: Path, wanted: Collection) -> list[Truth]:
    """Train every run, write its log, and return the truth of each."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    truths: list[Truth | None] = []
    abrupt: list[tuple[str, Case]] = []
    for index, row in enumerate(wanted.bases):
        base = find_base(row, powers=range(-4, 4))
        abrupt += abrupt_cases(base, number=index + wanted.first_case)
        cases = list(cases_of(base, number=index + wanted.first_case))
        courses = train_all([case.recipe for case in cases])
        for number, (case, course) in enumerate(
            zip(cases, courses, strict=True), start=100 * index + wanted.first_file
        ):
            truths.append(write(base, case, course, folder=folder, number=number))
        print(base.name, f"best {base.recipe.lr:.2g}", sum(t is not None for t in truths), flush=True)
        save(truths, folder)
    others = trained([*other_cases(wanted), *abrupt])
    for number, ((name, case), course, cost) in enumerate(others, start=100 * len(wanted.bases)):
        truths.append(write_case(name, case, course, folder=folder, number=number, judged=(None, (cost, cost))))
    return save(truths, folder)


def make_unseen(folder: Path) -> list[Truth]:
    """Train every run, write its log, and return the truth of each."""
    know(data=DATA, nets=NETS, optimizers=OPTIMIZERS)
    wanted = Collection(
        bases=UNSEEN, other=OTHER, few=FEW, first_case=40, first_file=3, first_seed=8, first_few_seed=30
    )
    return make_collection(folder, wanted)
