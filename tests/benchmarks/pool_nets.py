"""Nets drawn at random for `training_pool.py`, each named by its kind and size: `mlp-64x64-relu`, `gated-24`."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from faulty_training import cnn, mlp
from pool_data import CONTEXT, N_TOKENS
from torch import Tensor, nn

BENDS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU, "elu": nn.ELU, "leaky": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
}  # fmt: skip


class Gated(nn.Module):
    """A gated recurrent net over a row, eight numbers at a time, in plain operations that can be stacked."""

    def __init__(self, n_in: int, n_out: int, *, width: int) -> None:
        super().__init__()
        self.piece = 8 if n_in % 8 == 0 else 1
        self.width = width
        self.enter = nn.Linear(self.piece, 3 * width)
        self.turn = nn.Linear(width, 3 * width)
        self.leave = nn.Linear(width, n_out)

    def forward(self, x: Tensor) -> Tensor:
        pieces = x.reshape(len(x), -1, self.piece)
        h = torch.zeros(len(x), self.width)
        for k in range(pieces.shape[1]):
            a, b = self.enter(pieces[:, k]), self.turn(h)
            w = self.width
            keep, reset = torch.sigmoid(a[:, :w] + b[:, :w]), torch.sigmoid(a[:, w : 2 * w] + b[:, w : 2 * w])
            h = keep * h + (1 - keep) * torch.tanh(a[:, 2 * w :] + reset * b[:, 2 * w :])
        return self.leave(h)


class Skips(nn.Module):
    """Residual blocks without norms, the last layer of each scaled down."""

    def __init__(self, n_in: int, n_out: int, *, width: int, depth: int) -> None:
        super().__init__()
        self.enter = nn.Linear(n_in, width)
        self.blocks = nn.ModuleList(mlp(width, width, widths=(width,), bend=nn.ReLU) for _ in range(depth))
        self.leave = nn.Linear(width, n_out)
        self.share = 1 / math.sqrt(depth)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        for block in self.blocks:
            x = x + self.share * block(x)
        return self.leave(x)


class Normed(nn.Module):
    """Layers each followed by a norm."""

    def __init__(self, n_in: int, n_out: int, *, width: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for k in range(depth):
            layers += [nn.Linear(width if k else n_in, width), nn.LayerNorm(width), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(width, n_out))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Tokens(nn.Module):
    """Transformer layers over six tokens, pre-norm, whose mean tells the next."""

    def __init__(self, n_out: int, *, width: int, depth: int) -> None:
        super().__init__()
        self.embed = nn.Parameter(torch.randn(N_TOKENS, width) * 0.1)
        self.place = nn.Parameter(torch.randn(CONTEXT, width) * 0.1)
        layers = [
            nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(depth)
        ]
        self.layers = nn.Sequential(*layers)
        self.leave = nn.Linear(width, n_out)

    def forward(self, x: Tensor) -> Tensor:
        h = nn.functional.one_hot(x.long(), N_TOKENS).float() @ self.embed + self.place
        return self.leave(self.layers(h)[:, -1])


class Embedded(nn.Module):
    """Embedded tokens side by side, and a hidden layer."""

    def __init__(self, n_out: int, *, width: int) -> None:
        super().__init__()
        self.embed = nn.Parameter(torch.randn(N_TOKENS, 8))
        self.rest = mlp(8 * CONTEXT, n_out, widths=(width,), bend=nn.ReLU)

    def forward(self, x: Tensor) -> Tensor:
        return self.rest((nn.functional.one_hot(x.long(), N_TOKENS).float() @ self.embed).flatten(1))


class Patches(nn.Module):
    """A transformer layer over the eight rows of an image, pre-norm."""

    def __init__(self, n_out: int, *, width: int) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(8, width), nn.Linear(width, n_out)
        self.place = nn.Parameter(torch.randn(8, width) * 0.1)
        self.layer = nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True, norm_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(self.layer(self.enter(x.reshape(-1, 8, 8)) + self.place).mean(1))


def convolved(n_out: int, *, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, width, 3, padding=1), nn.GELU(), nn.AvgPool2d(2),
        nn.Conv2d(width, 2 * width, 3, padding=1), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(8 * width, n_out),
    )  # fmt: skip


class BatchNormed(nn.Module):
    """Layers each followed by a norm over the batch, of that batch's own statistics."""

    def __init__(self, n_in: int, n_out: int, *, width: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width if k else n_in, width) for k in range(depth))
        self.gain, self.shift = nn.Parameter(torch.ones(depth, width)), nn.Parameter(torch.zeros(depth, width))
        self.leave = nn.Linear(width, n_out)

    def forward(self, x: Tensor) -> Tensor:
        for k, layer in enumerate(self.layers):
            x = layer(x)
            x = (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()
            x = torch.relu(self.gain[k] * x + self.shift[k])
        return self.leave(x)


class Looped(nn.Module):
    """A plain recurrent net over a row, eight numbers at a time."""

    def __init__(self, n_in: int, n_out: int, *, width: int) -> None:
        super().__init__()
        self.piece = 8 if n_in % 8 == 0 else 1
        self.enter, self.turn, self.leave = (
            nn.Linear(self.piece, width),
            nn.Linear(width, width),
            nn.Linear(width, n_out),
        )

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(len(x), self.turn.in_features)
        pieces = x.reshape(len(x), -1, self.piece)
        for k in range(pieces.shape[1]):
            h = torch.tanh(self.enter(pieces[:, k]) + self.turn(h))
        return self.leave(h)


class Products(nn.Module):
    """Sums of products of two linear maps, and a linear part."""

    def __init__(self, n_in: int, n_out: int, *, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(n_in, width), nn.Linear(n_in, width)
        self.leave, self.straight = nn.Linear(width, n_out), nn.Linear(n_in, n_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(self.first(x) * self.second(x)) + self.straight(x)


def sliding(n_in: int, n_out: int, *, width: int) -> nn.Module:
    """Return convolutions along a row."""
    return nn.Sequential(
        nn.Unflatten(1, (1, n_in)), nn.Conv1d(1, width, 5, padding=2), nn.ReLU(), nn.AvgPool1d(2),
        nn.Conv1d(width, width, 5, padding=2), nn.ReLU(), nn.AvgPool1d(2), nn.Flatten(),
        nn.Linear(width * (n_in // 4), n_out),
    )  # fmt: skip


def dropping(n_in: int, n_out: int, *, width: int, depth: int, dropped: float) -> nn.Module:
    layers: list[nn.Module] = []
    for k in range(depth):
        layers += [nn.Linear(width if k else n_in, width), nn.ReLU(), nn.Dropout(dropped)]
    return nn.Sequential(*layers, nn.Linear(width, n_out))


def glorot(weight: Tensor) -> None:
    nn.init.xavier_uniform_(weight)


def he(weight: Tensor) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


def small(weight: Tensor) -> None:
    nn.init.normal_(weight, std=0.02)


def orthogonal(weight: Tensor) -> None:
    nn.init.orthogonal_(weight)


# How the matrices begin; biases then begin at 0. Other nets begin as PyTorch does it.
STARTS: dict[str, Callable[[Tensor], None]] = {"glorot": glorot, "he": he, "small": small, "orthogonal": orthogonal}


def started(make: Callable[[int, int], nn.Module], start: str) -> Callable[[int, int], nn.Module]:
    """Return a maker of the same net with another start; "still" sets the last layer to 0."""

    def made(n_in: int, n_out: int) -> nn.Module:
        net = make(n_in, n_out)
        layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)]
        with torch.no_grad():
            for layer in layers if start != "still" else layers[-1:]:
                if start == "still":
                    layer.weight.zero_()
                else:
                    STARTS[start](layer.weight)
                if layer.bias is not None:
                    layer.bias.zero_()
        return net

    return made


def maker_of(name: str) -> Callable[[int, int], nn.Module]:
    """Return the function that makes the net of a name, from its inputs and outputs: `mlp-64-relu`, `mlp-8-elu+he`."""
    name, _, start = name.partition("+")
    make = _maker_of(name)
    return started(make, start) if start else make


def _maker_of(name: str) -> Callable[[int, int], nn.Module]:
    kind, *rest = name.split("-")
    if kind == "mlp":
        widths, bend = tuple(int(w) for w in rest[0].split("x") if w), BENDS[rest[1]]
        return lambda i, o: mlp(i, o, widths=widths, bend=bend)
    sizes = [int(size) for size in rest]
    makers: dict[str, Callable[[int, int], nn.Module]] = {
        "gated": lambda i, o: Gated(i, o, width=sizes[0]),
        "looped": lambda i, o: Looped(i, o, width=sizes[0]),
        "skips": lambda i, o: Skips(i, o, width=sizes[0], depth=sizes[1]),
        "normed": lambda i, o: Normed(i, o, width=sizes[0], depth=sizes[1]),
        "batched": lambda i, o: BatchNormed(i, o, width=sizes[0], depth=sizes[1]),
        "dropping": lambda i, o: dropping(i, o, width=sizes[0], depth=sizes[1], dropped=sizes[2] / 100),
        "products": lambda i, o: Products(i, o, width=sizes[0]),
        "tokens": lambda _, o: Tokens(o, width=sizes[0], depth=sizes[1]),
        "embedded": lambda _, o: Embedded(o, width=sizes[0]),
        "rows": lambda _, o: Patches(o, width=sizes[0]),
        "convolved": lambda _, o: convolved(o, width=sizes[0]),
        "sliding": lambda i, o: sliding(i, o, width=sizes[0]),
        "cnn": cnn,
    }
    return makers[kind]
