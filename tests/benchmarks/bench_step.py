"""Training steps a second on one core: lrfind's stacked replicas, a PyTorch loop, and matrix products alone.

All three train (or pretend to train) a 64-64-10 network on the digits with Adam and batches of 64. One replica-step is
one update of one network, the choice of its batch included. The three take turns, so that a busy machine slows all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import measure
import numpy as np
import threadpoolctl
import torch
from torch import nn

from lrfind.mlp import Net, Training, replicas_per_group, with_ones

NET = Net(n_inputs=64, n_outputs=10, hidden=(64,), activation="relu", task="classification")
BATCH_SIZE = 64
# Small enough to keep all three learning; speed does not depend on it.
LR = 1e-3
# Updates a turn: a turn of each takes a good part of a second.
N_STEPS = 150
# How much faster than PyTorch: less is not worth a network of our own.
TORCH_TARGET = 8.0
# Part of the speed of the matrix products alone: less means that time is lost around them.
MATMUL_TARGET = 0.5


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return standardised pixels (n_rows, 64), float32, and digits (n_rows,)."""
    table = np.loadtxt(measure.ROOT / "sample_data" / "vision_digits.csv", delimiter=",", skiprows=1)
    X = table[:, :-1]
    # Some pixels are never inked: no spread to divide by.
    spread = np.maximum(X.std(axis=0), 1e-6)
    return ((X - X.mean(axis=0)) / spread).astype(np.float32), table[:, -1].astype(np.int64)


def stacked(X: np.ndarray, y: np.ndarray, *, n_replicas: int) -> Callable[[], None]:
    """Return a function that takes one step of `n_replicas` of lrfind's networks."""
    seeds = np.random.SeedSequence(0).spawn(n_replicas)
    training = Training(NET, with_ones(X), y=y, optimizer="adam", batch_size=BATCH_SIZE, seeds=seeds)

    def step() -> None:
        training.step(LR)

    return step


def pytorch(X: np.ndarray, y: np.ndarray) -> Callable[[], None]:
    """Return a function that takes one step of one PyTorch network, as its tutorials do it."""
    torch.manual_seed(0)
    inputs, labels = torch.from_numpy(X), torch.from_numpy(y)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    measure_loss = nn.CrossEntropyLoss()
    batches: list[torch.Tensor] = []

    def step() -> None:
        if not batches:
            batches.extend(b for b in torch.randperm(len(inputs)).split(BATCH_SIZE) if len(b) == BATCH_SIZE)
        index = batches.pop()
        optimizer.zero_grad()
        loss = measure_loss(model(inputs[index]), labels[index])
        loss.backward()
        optimizer.step()
        # A range test reads every loss.
        loss.item()

    return step


def products(*, n_replicas: int) -> Callable[[], None]:
    """Return a function that does the matrix products of one step, forwards and backwards, and nothing else."""
    rng = np.random.default_rng(0)
    n, shape = NET.n_inputs, (n_replicas, BATCH_SIZE)
    X, hidden, delta = (rng.random((*shape, width), dtype=np.float32) for width in (n, 64, 10))
    W1 = rng.random((n_replicas, n, 64), dtype=np.float32)
    W2 = rng.random((n_replicas, 64, 10), dtype=np.float32)
    # One output for each product: new memory every step would be slower than the products.
    outs = [np.empty_like(hidden), np.empty_like(delta), np.empty_like(W2), np.empty_like(hidden), np.empty_like(W1)]

    def step() -> None:
        np.matmul(X, W1, out=outs[0])
        np.matmul(hidden, W2, out=outs[1])
        np.matmul(hidden.swapaxes(-1, -2), delta, out=outs[2])
        np.matmul(delta, W2.swapaxes(-1, -2), out=outs[3])
        np.matmul(X.swapaxes(-1, -2), hidden, out=outs[4])

    return step


def microseconds(step: Callable[[], None], *, n_replicas: int) -> float:
    """Return how long one replica-step takes, over one turn."""
    start = time.perf_counter()
    for _ in range(N_STEPS):
        step()
    return (time.perf_counter() - start) / N_STEPS / n_replicas * 1e6


def main() -> None:
    """Measure, print, judge."""
    asked = measure.parser(__doc__, repeat=15).parse_args()
    torch.set_num_threads(1)
    X, y = digits()
    n_replicas = replicas_per_group(NET, batch_size=BATCH_SIZE)
    with threadpoolctl.threadpool_limits(1):
        runs = {
            "lrfind": (stacked(X, y, n_replicas=n_replicas), n_replicas),
            "PyTorch": (pytorch(X, y), 1),
            "matrix products": (products(n_replicas=n_replicas), n_replicas),
        }
        turns: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(asked.repeat):
            for name, (step, n) in runs.items():
                turns[name].append(microseconds(step, n_replicas=n))
    typical = {name: median(taken) for name, taken in turns.items()}
    for name, taken in typical.items():
        print(f"{name:<20}{taken:8.1f} us a replica-step{1e6 / taken:12,.0f} a second")
    print(f"{n_replicas} replicas in lockstep")
    met = [
        measure.judge(
            "speed, lrfind / PyTorch", typical["PyTorch"] / typical["lrfind"], target=TORCH_TARGET, at_most=False
        ),
        measure.judge(
            "speed, lrfind / matrix products",
            typical["matrix products"] / typical["lrfind"],
            target=MATMUL_TARGET,
            at_most=False,
        ),
    ]
    measure.finish(met, judged=not asked.no_judge)


if __name__ == "__main__":
    main()
