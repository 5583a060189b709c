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


def topics(seed: int) -> Data:
    """Counts of words, most of them 0, of documents about one topic each; their logarithm, not standardised."""
    rng = np.random.default_rng(seed)
    n_rows, n_classes, n_words = rows_of(rng), int(rng.integers(2, 9)), int(rng.integers(30, 160))
    chances = rng.dirichlet(np.full(n_words, 0.1), n_classes)
    share = float(rng.uniform(0.1, 0.9))
    everyone = rng.dirichlet(np.full(n_words, 0.3))
    y = rng.integers(0, n_classes, n_rows)
    length = int(rng.integers(8, 60))
    x = np.stack([rng.multinomial(length, share * chances[k] + (1 - share) * everyone) for k in y])
    return as_data(np.log1p(x), y, n_classes, scaled=bool(rng.random() < 0.3))


def rare(seed: int) -> Data:
    """One class of a few per cent, whose chance follows some of the features, not always standardised."""
    rng = np.random.default_rng(seed)
    n_rows, n_inputs = rows_of(rng, low=800, high=5000), int(rng.integers(5, 30))
    x = rng.standard_normal((n_rows, n_inputs))
    score = 1.5 * x[:, 0] + x[:, 1] - x[:, 2] * (x[:, 3] > 0) + 0.7 * rng.standard_normal(n_rows)
    y = (score > np.quantile(score, 1 - rng.uniform(0.02, 0.15))).astype(int)
    x = x * 10 ** rng.uniform(-0.3, 0.3, n_inputs) + rng.uniform(-1, 1, n_inputs)
    return as_data(x, y, 2, scaled=bool(rng.random() < 0.5))


def clicks(seed: int) -> Data:
    """One-hot codes of a few categories with effects of their pairs; whether it was clicked, or how much was spent."""
    rng = np.random.default_rng(seed)
    n_rows, sizes = rows_of(rng, low=600), rng.integers(2, 12, int(rng.integers(3, 7)))
    codes = np.stack([rng.integers(0, size, n_rows) for size in sizes], axis=1)
    x = np.concatenate([np.eye(size)[codes[:, k]] for k, size in enumerate(sizes)], axis=1)
    pairs = rng.standard_normal((sizes[0], sizes[1])) * rng.uniform(0.3, 2)
    score = pairs[codes[:, 0], codes[:, 1]] + x @ rng.standard_normal(x.shape[1])
    if rng.random() < 0.6:
        chance = 1 / (1 + np.exp(-(score - np.quantile(score, rng.uniform(0.4, 0.9))) * rng.uniform(1, 4)))
        return as_data(x, (rng.random(n_rows) < chance).astype(int), 2, scaled=False)
    return as_data(x, standard(score + rng.uniform(0, 1) * rng.standard_normal(n_rows)), 0, scaled=False)


def surfaces(seed: int) -> Data:
    """Smooth random functions of one to six numbers between 0 and 1."""
    rng = np.random.default_rng(seed)
    n_rows, n_inputs = rows_of(rng, low=150), int(rng.integers(1, 7))
    x = rng.random((n_rows, n_inputs))
    waves = np.cos(x @ rng.normal(0, rng.uniform(2, 8), (n_inputs, 12)) + rng.uniform(0, 6.3, 12))
    y = standard(waves @ rng.standard_normal(12)) + float(rng.choice([0.0, 0.05, 0.3])) * rng.standard_normal(n_rows)
    return as_data(x, y, 0, scaled=bool(rng.random() < 0.6))


def trees(seed: int) -> Data:
    """What a random tree of questions says, as a class or as a number."""
    rng = np.random.default_rng(seed)
    n_rows, n_inputs, depth = rows_of(rng), int(rng.integers(3, 25)), int(rng.integers(2, 6))
    x = rng.uniform(-1, 1, (n_rows, n_inputs))
    leaf = np.zeros(n_rows, dtype=int)
    for level in range(depth):
        asked, cut = rng.integers(0, n_inputs, 2**level), rng.uniform(-0.5, 0.5, 2**level)
        leaf = 2 * leaf + (x[np.arange(n_rows), asked[leaf]] > cut[leaf])
    if rng.random() < 0.5:
        n_classes = int(rng.integers(2, 5))
        y = rng.integers(0, n_classes, 2**depth)[leaf]
        return as_data(x, y, n_classes) if len(np.unique(y)) > 1 else as_data(x, (x[:, 0] > 0).astype(int), 2)
    values = rng.standard_normal(2**depth)[leaf]
    return as_data(x, standard(values + 0.1 * rng.standard_normal(n_rows)), 0)


def sensors(seed: int) -> Data:
    """Windows of 32 noisy values that swing at the pace of their class."""
    rng = np.random.default_rng(seed)
    n_rows, n_classes = rows_of(rng, high=2000), int(rng.integers(2, 7))
    y = rng.integers(0, n_classes, n_rows)
    pace = np.linspace(0.15, 1.2, n_classes)[y] * rng.lognormal(0, 0.08, n_rows)
    swing = np.sin(pace[:, None] * np.arange(32) + rng.uniform(0, 6.3, n_rows)[:, None])
    x = swing * rng.lognormal(0, 0.4, n_rows)[:, None] + rng.uniform(0.1, 1) * rng.standard_normal((n_rows, 32))
    return as_data(x, y, n_classes, scaled=bool(rng.random() < 0.5))


def recall(seed: int) -> Data:
    """Six tokens, of which one place, the largest, or the one after a mark is asked for; some answers are wrong."""
    rng = np.random.default_rng(seed)
    n_rows, n_used, kind = rows_of(rng, low=1000, high=4000), int(rng.integers(4, 15)), int(rng.integers(3))
    tokens = rng.integers(1, n_used, (n_rows, CONTEXT))
    if kind == 0:
        y = tokens[:, int(rng.integers(0, CONTEXT))]
    elif kind == 1:
        y = tokens.max(1)
    else:
        mark = rng.integers(0, CONTEXT - 1, n_rows)
        tokens[np.arange(n_rows), mark] = 0
        y = tokens[np.arange(n_rows), mark + 1]
    wrong = rng.random(n_rows) < rng.choice([0.0, 0.05, 0.3])
    return as_data(tokens.astype(float), np.where(wrong, rng.integers(1, n_used, n_rows), y), N_TOKENS, scaled=False)


def gratings(seed: int) -> Data:
    """Images of 8 x 8 points with stripes in the direction of their class, or a number for how steep they are."""
    rng = np.random.default_rng(seed)
    n_rows, n_classes = rows_of(rng, high=1800), int(rng.integers(2, 9))
    y = rng.integers(0, n_classes, n_rows)
    angle = math.pi * (y / n_classes) + 0.05 * rng.standard_normal(n_rows)
    rows, columns = np.mgrid[0:8, 0:8]
    wave = np.cos(angle)[:, None, None] * rows + np.sin(angle)[:, None, None] * columns
    x = np.sin(rng.uniform(0.6, 1.4) * wave + rng.uniform(0, 6.3, n_rows)[:, None, None])
    x = ((x + rng.uniform(0.1, 1) * rng.standard_normal(x.shape)).reshape(n_rows, 64) + 2) / 4
    if rng.random() < 0.3:
        return as_data(x, standard(np.sin(2 * angle)), 0, scaled=False)
    return as_data(x, y, n_classes, scaled=bool(rng.random() < 0.5))


def amounts(seed: int) -> Data:
    """Positive amounts with a long tail: as they are, or their logarithm, from features of various scales."""
    rng = np.random.default_rng(seed)
    n_rows, n_inputs = rows_of(rng), int(rng.integers(3, 20))
    x = np.exp(rng.uniform(0.2, 0.8) * rng.standard_normal((n_rows, n_inputs)))
    y = np.exp(0.5 * np.log(x[:, :3]).sum(1) + rng.uniform(0.05, 0.5) * rng.standard_normal(n_rows))
    y = np.log(y) if rng.random() < 0.5 else np.minimum(y, np.quantile(y, 0.99))
    return as_data(x, y if rng.random() < 0.4 else standard(y), 0, scaled=bool(rng.random() < 0.7))


KINDS: dict[str, Callable[[int], Data]] = {
    "classes": classes, "numbers": numbers, "planes": planes, "teacher": teacher, "heavy": heavy, "markov": markov,
    "series": series, "patches": patches, "topics": topics, "rare": rare, "clicks": clicks, "surfaces": surfaces,
    "trees": trees, "sensors": sensors, "recall": recall, "gratings": gratings, "amounts": amounts,
}  # fmt: skip
