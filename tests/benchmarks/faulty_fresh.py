"""A fourth collection for `bench_diagnose.py`, of data, nets and optimisers of none of the others nor of the pool.

Twenty blobs, the place of a largest number, brackets, a delayed series, pendulums, patients, sounds, rare events; nets
with highways, dilated convolutions, bells, products of features, weights of rank four, sorted pairs and attention that
pools. None of its logs was looked at, only its score.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from faulty_others import OPTIMIZERS
from faulty_training import know, mlp
from faulty_truth import Truth
from faulty_unseen import Collection, as_data, make_collection
from torch import Tensor, nn

Data = tuple[Tensor, Tensor, int]


def blobs() -> Data:
    """Twenty overlapping clusters in ten dimensions."""
    rng = np.random.default_rng(41)
    y = rng.integers(0, 20, 1800)
    return as_data(1.2 * rng.standard_normal((20, 10))[y] + rng.standard_normal((1800, 10)), y, 20)


def largest() -> Data:
    """The place of the largest of eight numbers."""
    x = np.random.default_rng(42).standard_normal((1500, 8))
    return as_data(x, x.argmax(1), 8)


def brackets() -> Data:
    """How deep sixteen random brackets are nested at most, as far as five."""
    x = np.random.default_rng(43).choice([-1.0, 1.0], (1600, 16))
    depth = np.maximum(np.cumsum(x, axis=1).max(1), 0)
    return as_data(x, np.minimum(depth, 5).astype(np.int64), 6)


def delayed() -> Data:
    """The next value of a chaotic series with a delay (Mackey & Glass 1977) from the 24 before it."""
    values = [1.2] * 18
    for _ in range(1500):
        values.append(values[-1] + 0.2 * values[-18] / (1 + values[-18] ** 10) - 0.1 * values[-1])
    series = np.array(values)[200:]
    windows = np.lib.stride_tricks.sliding_window_view((series - series.mean()) / series.std(), 25)
    return as_data(windows[:, :-1].copy(), windows[:, -1].copy())


def pendulum() -> Data:
    """Where a pendulum with friction is a second later, from angle, speed, length and friction."""
    rng = np.random.default_rng(44)
    x = rng.uniform(-1, 1, (1000, 4))
    angle, speed = 2.5 * x[:, 0], 2 * x[:, 1]
    for _ in range(50):
        speed = speed + 0.02 * (-9.8 / (1.2 + x[:, 2]) * np.sin(angle) - (0.6 + 0.5 * x[:, 3]) * speed)
        angle = angle + 0.02 * speed
    return as_data(math.sqrt(3) * x, angle)


def heart() -> Data:
    """Patients of whom a third fall ill, by a few levels and numbers, with much left to chance."""
    rng = np.random.default_rng(45)
    x = np.concatenate([rng.standard_normal((900, 6)), rng.integers(0, 2, (900, 5))], axis=1)
    risk = 1.2 * x[:, 0] + x[:, 6] * (1.5 * x[:, 1] - 1) + x[:, 7] - 0.8 * x[:, 2] ** 2
    return as_data(x, (rng.random(900) < 1 / (1 + np.exp(-risk))).astype(np.int64), 2)


def sounds() -> Data:
    """A level that follows products of powers of five positive features."""
    rng = np.random.default_rng(46)
    x = rng.standard_normal((1100, 5))
    y = np.exp(0.5 * x[:, 0] - 0.3 * x[:, 1]) * (1 + 0.5 * np.tanh(x[:, 2] * x[:, 3])) + 0.2 * rng.standard_normal(1100)
    return as_data(x, y)


def rare() -> Data:
    """One event in twelve, in a corner of nine features."""
    rng = np.random.default_rng(47)
    x = rng.standard_normal((2400, 9))
    score = x[:, 0] + x[:, 1] - np.abs(x[:, 2]) + 0.4 * rng.standard_normal(2400)
    return as_data(x, (score > np.quantile(score, 0.92)).astype(np.int64), 2)


DATA: dict[str, Callable[[], Data]] = {
    "blobs": blobs, "largest": largest, "brackets": brackets, "delayed": delayed, "pendulum": pendulum,
    "heart": heart, "sounds": sounds, "rare": rare,
}  # fmt: skip


class Highway(nn.Module):
    """Four layers that each let a part of their input through (Srivastava et al. 2015)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(n_in, 32), nn.Linear(32, n_out)
        self.change = nn.ModuleList(nn.Linear(32, 32) for _ in range(4))
        self.gate = nn.ModuleList(nn.Linear(32, 32) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.enter(x))
        for change, gate in zip(self.change, self.gate, strict=True):
            share = torch.sigmoid(gate(h) - 1)
            h = share * torch.tanh(change(h)) + (1 - share) * h
        return self.leave(h)


class Products(nn.Module):
    """A linear model and products of every two features, by factors of rank six (Rendle 2010)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.linear, self.factors = nn.Linear(n_in, n_out), nn.Parameter(0.2 * torch.randn(n_out, n_in, 6))

    def forward(self, x: Tensor) -> Tensor:
        pairs = torch.einsum("bi,oif->bof", x, self.factors) ** 2
        alone = torch.einsum("bi,oif->bof", x**2, self.factors**2)
        return self.linear(x) + 0.5 * (pairs - alone).sum(-1)


class Bells(nn.Module):
    """Forty bells around points that are learned."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.points, self.width = nn.Parameter(torch.randn(40, n_in)), nn.Parameter(torch.zeros(40))
        self.leave = nn.Linear(40, n_out)

    def forward(self, x: Tensor) -> Tensor:
        squares = ((x[:, None, :] - self.points) ** 2).mean(-1)
        return self.leave(torch.exp(-squares * torch.exp(self.width)))


class Thin(nn.Module):
    """Three linear layers of rank four with bends between."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.Linear(n, 4, bias=False) for n in (n_in, 64, 64))
        self.up = nn.ModuleList(nn.Linear(4, n) for n in (64, 64, n_out))

    def forward(self, x: Tensor) -> Tensor:
        for k in range(3):
            x = self.up[k](self.down[k](x))
            x = nn.functional.elu(x) if k < 2 else x
        return x


class Pairs(nn.Module):
    """Hidden units sorted in pairs (Anil et al. 2019)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first, self.second, self.leave = nn.Linear(n_in, 64), nn.Linear(64, 64), nn.Linear(64, n_out)

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.first, self.second):
            a, b = layer(x).chunk(2, dim=-1)
            x = torch.cat([torch.maximum(a, b), torch.minimum(a, b)], dim=-1)
        return self.leave(x)


class Pooled(nn.Module):
    """Attention of one question over the values of a row, each embedded with its place."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.scale, self.place = nn.Parameter(torch.randn(n_in, 16) * 0.5), nn.Parameter(torch.randn(n_in, 16) * 0.5)
        self.hidden, self.ask = nn.Linear(16, 32), nn.Parameter(torch.randn(32) * 0.2)
        self.leave = mlp(32, n_out, widths=(32,), bend=nn.SiLU)

    def forward(self, x: Tensor) -> Tensor:
        h = nn.functional.silu(self.hidden(x[:, :, None] * self.scale + self.place))
        shares = torch.softmax(h @ self.ask, dim=-1)
        return self.leave((shares[..., None] * h).sum(1))


NETS: dict[str, Callable[[int, int], nn.Module]] = {
    "highway": Highway,
    "products": Products,
    "bells": Bells,
    "thin": Thin,
    "pairs": Pairs,
    "pooled": Pooled,
    "dilated": lambda i, o: nn.Sequential(
        nn.Unflatten(1, (1, i)), nn.Conv1d(1, 8, 3, padding=1), nn.ELU(), nn.Conv1d(8, 8, 3, padding=2, dilation=2),
        nn.ELU(), nn.Conv1d(8, 8, 3, padding=4, dilation=4), nn.ELU(), nn.Flatten(), nn.Linear(8 * i, o),
    ),
    "mishes": lambda i, o: mlp(i, o, widths=(48, 32, 16), bend=nn.Mish),
}  # fmt: skip
MORE_OPTIMIZERS = {
    "radam": torch.optim.RAdam,
    "amsgrad": lambda p, lr: torch.optim.Adam(p, lr=lr, amsgrad=True),
}

# Data, net, optimiser, batch, steps, middle of the grid of rates.
FRESH = (
    ("blobs", "pairs", "adam", 64, 400, 5e-3),
    ("blobs", "thin", "momentum", 32, 500, 0.05),
    ("largest", "pooled", "adamw", 32, 700, 1e-2),
    ("largest", "mishes", "sgd", 16, 600, 0.1),
    ("brackets", "dilated", "adam", 32, 500, 5e-3),
    ("brackets", "pairs", "rmsprop", 64, 450, 3e-3),
    ("delayed", "highway", "amsgrad", 32, 400, 1e-2),
    ("delayed", "mishes", "momentum", 64, 900, 0.03),
    ("pendulum", "bells", "adam", 32, 600, 1e-2),
    ("pendulum", "mishes", "nesterov", 32, 400, 0.03),
    ("heart", "products", "sgd", 16, 400, 0.05),
    ("sounds", "highway", "sgd", 32, 800, 0.1),
    ("sounds", "bells", "radam", 16, 500, 1e-2),
    ("rare", "pairs", "adagrad", 64, 350, 0.05),
    ("rare", "products", "adam", 64, 600, 1e-2),
)


OTHER = (
    ("blobs", "mlp", 5e-3), ("largest", "mlp", 5e-3), ("brackets", "pairs", 5e-3), ("pendulum", "mlp", 3e-3),
    ("sounds", "mishes", 3e-3), ("delayed", "mlp", 5e-3), ("rare", "mlp", 3e-3),
)  # fmt: skip
FEW = ("blobs", "heart", "sounds", "brackets", "rare", "pendulum")


def make_fresh(folder: Path) -> list[Truth]:
    """Train every run, write its log, and return the truth of each."""
    know(data=DATA, nets=NETS, optimizers={**OPTIMIZERS, **MORE_OPTIMIZERS})
    wanted = Collection(bases=FRESH, other=OTHER, few=FEW, first_case=80, first_file=7, first_seed=4, first_few_seed=70)
    return make_collection(folder, wanted)
