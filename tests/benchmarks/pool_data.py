"""Data drawn at random for `training_pool.py`, each named by its kind and seed: `classes-12`, `series-7`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor

Data = tuple[Tensor, Tensor, int]
N_TOKENS, CONTEXT = 27, 6


def as_data(x: np.ndarray, y: np.ndarray, n_classes: int, *, scaled: bool = True) -> Data:
    """Return tensors; features standardised where wanted."""
    if scaled:
        x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    target = torch.tensor(y, dtype=torch.int64 if n_classes else torch.float32)
    return torch.tensor(x, dtype=torch.float32), target, n_classes


def standard(y: np.ndarray) -> np.ndarray:
    return (y - y.mean()) / y.std()


def rows_of(rng: np.random.Generator, *, low: float = 200, high: float = 3000) -> int:
    return int(np.exp(rng.uniform(np.log(low), np.log(high))))


def classes(seed: int) -> Data:
    """Clusters on the corners of a cube, two to ten classes, some of them rare or with labels flipped."""
    rng = np.random.default_rng(seed)
    n_inputs = int(np.exp(rng.uniform(np.log(4), np.log(60))))
    n_informative = max(3, int(n_inputs * rng.uniform(0.3, 1)))
    n_classes = int(rng.integers(2, min(10, 2 ** (n_informative - 1)) + 1))
    x, y = datasets.make_classification(
        rows_of(rng), n_inputs, n_informative=min(n_informative, n_inputs), n_redundant=0, n_classes=n_classes,
        n_clusters_per_class=1, weights=None if rng.random() < 0.6 else list(rng.dirichlet(np.full(n_classes, 3.0))),
        flip_y=float(rng.choice([0.0, 0.02, 0.1, 0.3])), class_sep=float(rng.uniform(0.5, 2.5)), random_state=seed,
    )  # fmt: skip
    return as_data(x, y, n_classes)


def numbers(seed: int) -> Data:
    """A linear target, or one of Friedman's, with noise; one in five as it was measured, far from 0."""
    rng = np.random.default_rng(seed)
    n_rows, kind = rows_of(rng), int(rng.integers(4))
    if kind == 0:
        x, y = datasets.make_regression(n_rows, int(rng.integers(4, 60)), n_informative=4, random_state=seed)
    elif kind == 1:
        x, y = datasets.make_friedman2(n_rows, random_state=seed)
    elif kind == 2:
        x, y = datasets.make_friedman3(n_rows, random_state=seed)
    else:
        x, y = datasets.make_s_curve(n_rows, noise=0.05, random_state=seed)
    y = standard(y) + float(rng.choice([0.0, 0.1, 0.5])) * rng.standard_normal(n_rows)
    y = y * float(rng.choice([3.0, 12.0])) + 20.0 if rng.random() < 0.2 else y
    return as_data(x, y, 0)


def planes(seed: int) -> Data:
    """Two interleaved moons, circles or a checkerboard."""
    rng = np.random.default_rng(seed)
    n_rows, kind = rows_of(rng), int(rng.integers(3))
    if kind == 0:
        x, y = datasets.make_moons(n_rows, noise=float(rng.uniform(0.05, 0.4)), random_state=seed)
    elif kind == 1:
        x, y = datasets.make_circles(n_rows, noise=float(rng.uniform(0.02, 0.15)), factor=0.5, random_state=seed)
    else:
        x = rng.uniform(-1, 1, (n_rows, 2))
        y = (np.floor(x[:, 0] * 1.5) + np.floor(x[:, 1] * 1.5)).astype(int) % 2
    return as_data(x, y, 2)


def teacher(seed: int) -> Data:
    """The outputs of a random net, as numbers or as the largest of several."""
    rng = np.random.default_rng(seed)
    n_inputs, n_hidden = int(rng.integers(5, 40)), int(rng.integers(3, 30))
    n_outputs = int(rng.integers(2, 6)) if rng.random() < 0.5 else 1
    x = rng.standard_normal((rows_of(rng), n_inputs))
    hidden = np.tanh(x @ rng.standard_normal((n_inputs, n_hidden)) * rng.uniform(0.5, 2) / math.sqrt(n_inputs))
    outputs = hidden @ rng.standard_normal((n_hidden, n_outputs))
    if n_outputs > 1:
        return as_data(x, outputs.argmax(1), n_outputs)
    return as_data(x, standard(outputs[:, 0]) + float(rng.choice([0.0, 0.3])) * rng.standard_normal(len(x)), 0)


def heavy(seed: int) -> Data:
    """Features with heavy tails, not brought to one scale, and a target that follows three of them."""
    rng = np.random.default_rng(seed)
    n_inputs, n_rows = int(rng.integers(4, 20)), rows_of(rng)
    raw = rng.standard_t(3, (n_rows, n_inputs))
    x = raw * 10 ** rng.uniform(-0.5, 0.5, n_inputs)
    signal = raw[:, 0] - raw[:, 1] * np.sign(raw[:, 2]) + 0.3 * rng.standard_normal(n_rows)
    if rng.random() < 0.5:
        return as_data(x, (signal > np.quantile(signal, rng.uniform(0.5, 0.95))).astype(int), 2, scaled=False)
    return as_data(x, standard(np.clip(signal, -6, 6)), 0, scaled=False)


def markov(seed: int) -> Data:
    """The next token of random chains of the second order, from the six before it."""
    rng = np.random.default_rng(seed)
    n_rows, n_used = rows_of(rng, low=800, high=4000), int(rng.integers(6, N_TOKENS + 1))
    chances = rng.dirichlet(np.full(n_used, rng.uniform(0.03, 0.5)), (n_used, n_used))
    tokens = [0, 0]
    for _ in range(n_rows + CONTEXT):
        tokens.append(int(rng.choice(n_used, p=chances[tokens[-2] if seed % 2 else 0, tokens[-1]])))
    windows = np.lib.stride_tricks.sliding_window_view(np.array(tokens), CONTEXT + 1)
    return as_data(windows[:, :-1].astype(float), windows[:, -1], N_TOKENS, scaled=False)


def series(seed: int) -> Data:
    """The next value of a noisy sum of sines or a random walk with pull, from the 32 before it."""
    rng = np.random.default_rng(seed)
    time = np.arange(rows_of(rng, high=1500) + 33)
    values = sum(np.sin(time / rng.uniform(2, 15) + rng.uniform(0, 6)) for _ in range(3))
    walk = np.zeros(len(time))
    for t in range(1, len(time)):
        walk[t] = 0.95 * walk[t - 1] + rng.standard_normal()
    values = standard(values + rng.choice([0.0, 0.2, 1.0]) * walk + 0.1 * rng.standard_normal(len(time)))
    windows = np.lib.stride_tricks.sliding_window_view(values, 33)
    return as_data(windows[:, :-1], windows[:, -1], 0, scaled=False)


def patches(seed: int) -> Data:
    """Images of 8 x 8 points: a smooth template a class, shifted, with noise."""
    rng = np.random.default_rng(seed)
    n_rows, n_classes = rows_of(rng, high=1800), int(rng.integers(3, 11))
    templates = rng.standard_normal((n_classes, 8, 8))
    templates = (templates + np.roll(templates, 1, 1) + np.roll(templates, 1, 2)) / math.sqrt(3)
    y = rng.integers(0, n_classes, n_rows)
    shifts = rng.integers(0, 3, (n_rows, 2))
    x = np.stack([np.roll(templates[k], tuple(s), (0, 1)) for k, s in zip(y, shifts, strict=True)])
    x = x + float(rng.uniform(0.2, 1.5)) * rng.standard_normal(x.shape)
    return as_data(x.reshape(n_rows, 64), y, n_classes)


KINDS: dict[str, Callable[[int], Data]] = {
    "classes": classes, "numbers": numbers, "planes": planes, "teacher": teacher, "heavy": heavy, "markov": markov,
    "series": series, "patches": patches,
}  # fmt: skip
