"""Many small networks trained in lockstep: one array program moves every replica.

Parameters are one ``(n_replicas, n_params)`` array and layers are views of it; every operation is one call for all
replicas, into memory that was allocated once. Which of several equal NumPy expressions is fast cannot be seen, so
where the obvious one is slow, a comment says so. Replicas never mix: one replica's numbers are the same bytes
whatever trains beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from lrfind.optim import OPTIMIZERS
from lrfind.problem import Task

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """The shape of a network.

    Attributes
    ----------
    n_inputs, n_outputs : int
    hidden : tuple of int
        Widths of the hidden layers; none for a linear model.
    activation : str
        One of `ACTIVATIONS`.
    task : {"classification", "regression"}
    """

    n_inputs: int
    n_outputs: int
    hidden: tuple[int, ...]
    activation: str
    task: Task

    @property
    def sizes(self) -> tuple[int, ...]:
        """Widths from input to output."""
        return (self.n_inputs, *self.hidden, self.n_outputs)

    @property
    def n_params(self) -> int:
        """Weights and biases of one replica."""
        return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(self.sizes))


def _relu(z: Array) -> Array:
    # against an array: NumPy's maximum with a scalar takes four times as long
    np.maximum(z, np.zeros(z.shape[1:], z.dtype), out=z)
    return z > 0


def _tanh(z: Array) -> Array:
    np.tanh(z, out=z)
    return np.asarray(1 - z * z)


# The error function's rational approximation, Abramowitz & Stegun 1964, 7.1.26 (error below 1.5e-7).
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_ERF_P = 0.3275911


def _normal_cdf(z: Array) -> Array:
    x = np.abs(z) / np.sqrt(2.0).astype(z.dtype)
    t = 1 / (1 + _ERF_P * x)
    poly = t * (_ERF[0] + t * (_ERF[1] + t * (_ERF[2] + t * (_ERF[3] + t * _ERF[4]))))
    tail = poly * np.exp(-x * x) / 2
    return np.asarray(np.where(z > 0, 1 - tail, tail))


def _gelu(z: Array) -> Array:
    # z times the normal distribution's cdf, the exact form (Hendrycks & Gimpel 2016, arXiv:1606.08415)
    cdf = _normal_cdf(z)
    slope: Array = cdf + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi).astype(z.dtype)
    z *= cdf
    return slope


# Each makes pre-activations outputs, in place, and returns the slope there.
ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {"relu": _relu, "tanh": _tanh, "gelu": _gelu}


class StackedMLP:
    """Replicas of one network: parameters, gradients, losses.

    Parameters
    ----------
    net : Net
    params : (n_replicas, n_params) ndarray
        Starting values, float32 for training and float64 for checks; taken over, not copied.

    Attributes
    ----------
    params, grads : (n_replicas, n_params) ndarray
    """

    def __init__(self, net: Net, params: Array) -> None:
        self.net = net
        self._activate = ACTIVATIONS[net.activation]
        self._hold(params)

    def _hold(self, params: Array) -> None:
        self.params, self.grads = params, np.empty_like(params)
        self._layers, self._slopes = (list(_layers(flat, self.net)) for flat in (self.params, self.grads))
        self._outputs: list[Array] = []

    @property
    def n_replicas(self) -> int:
        """Replicas that still train."""
        return int(self.params.shape[0])

    def keep(self, replicas: Array) -> None:
        """Forget all replicas but these; `replicas` is a boolean mask (n_replicas,)."""
        self._hold(self.params[replicas])

    def loss_and_grad(self, X: Array, y: Array) -> Array:
        """Return each replica's mean loss; its gradient is left in `grads`.

        Parameters
        ----------
        X : (n_replicas, batch, n_inputs) ndarray
        y : (n_replicas, batch) ndarray
            Class codes, or standardised targets.

        Returns
        -------
        (n_replicas,) ndarray
            Nats, or squared target sd.
        """
        self._reserve(X.shape[1])
        inputs, bends = [X], []
        for (weights, bias), output in zip(self._layers, self._outputs, strict=True):
            np.matmul(inputs[-1], weights, out=output)
            np.add(output, bias, out=output)
            if output is not self._outputs[-1]:
                bends.append(self._activate(output))
                inputs.append(output)
        loss, delta = LOSSES[self.net.task](self._outputs[-1], y)
        for i in reversed(range(len(self._layers))):
            by_weights, by_bias = self._slopes[i]
            np.matmul(inputs[i].swapaxes(-1, -2), delta, out=by_weights)
            # a product with ones: a sum over the same axis takes five times as long
            np.matmul(self._ones, delta, out=by_bias)
            if i:
                delta = np.matmul(delta, self._layers[i][0].swapaxes(-1, -2), out=self._deltas[i - 1])
                delta *= bends[i - 1]
        return loss

    def _reserve(self, batch: int) -> None:
        # Activations are allocated once: fresh pages every step would cost more than the arithmetic.
        if self._outputs and self._outputs[0].shape[:2] == (self.n_replicas, batch):
            return
        dtype = self.params.dtype
        self._outputs = [np.empty((self.n_replicas, batch, width), dtype) for width in self.net.sizes[1:]]
        self._deltas = [np.empty_like(output) for output in self._outputs[:-1]]
        self._ones = np.ones((1, batch), dtype)

    def predict(self, X: Array, *, replica: int) -> Floats:
        """Return one replica's outputs (n_rows, n_outputs) for rows (n_rows, n_inputs)."""
        z = X
        for i, (weights, bias) in enumerate(self._layers):
            z = z @ weights[replica]
            z += bias[replica]
            if i < len(self._layers) - 1:
                self._activate(z)
        return z.astype(np.float64)


def _layers(flat: Array, net: Net) -> Iterator[tuple[Array, Array]]:
    # weights (n_replicas, fan_in, fan_out) and biases (n_replicas, 1, fan_out), views of (n_replicas, n_params)
    offset = 0
    for fan_in, fan_out in pairwise(net.sizes):
        middle = offset + fan_in * fan_out
        weights = flat[:, offset:middle].reshape(len(flat), fan_in, fan_out)
        offset = middle + fan_out
        yield weights, flat[:, None, middle:offset]


def initial_weights(net: Net, seed: np.random.SeedSequence) -> npt.NDArray[np.float32]:
    """Return one replica's parameters (n_params,): U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as `torch.nn.Linear` starts."""
    rng, parts = np.random.default_rng(seed), []
    for fan_in, fan_out in pairwise(net.sizes):
        bound = np.float32(1 / np.sqrt(fan_in))
        parts.append((2 * rng.random((fan_in + 1) * fan_out, dtype=np.float32) - 1) * bound)
    return np.concatenate(parts)


def _cross_entropy(z: Array, y: Array) -> tuple[Array, Array]:
    # z (n_replicas, batch, k) becomes its own gradient. Meanwhile classes come first: NumPy reduces a short last
    # axis ten times slower than a first one.
    rows = z.reshape(-1, z.shape[-1])
    scores = np.ascontiguousarray(rows.T)
    scores -= scores.max(0)
    # flat positions of the right classes in `scores`
    right = y.reshape(-1) * len(rows)
    right += np.arange(len(rows))
    loss = -scores.reshape(-1).take(right)
    np.exp(scores, out=scores)
    # NumPy adds several columns row by row but a lone one in pairs, whose last bits differ
    total = scores.sum(0) if len(rows) > 1 else np.add.accumulate(scores, 0)[-1]
    loss += np.log(total)
    total *= z.shape[1]
    scores /= total
    scores.reshape(-1)[right] -= z.dtype.type(1 / z.shape[1])
    rows[...] = scores.T
    return loss.reshape(y.shape).mean(-1), z


def _squared_error(z: Array, y: Array) -> tuple[Array, Array]:
    # z (n_replicas, batch, 1) becomes its own gradient
    z[..., 0] -= y
    loss = np.square(z[..., 0]).mean(-1)
    z *= 2 / z.shape[1]
    return loss, z


LOSSES: Mapping[Task, Callable[[Array, Array], tuple[Array, Array]]] = {
    "classification": _cross_entropy,
    "regression": _squared_error,
}


def row_losses(task: Task, outputs: Floats, *, y: Array) -> Floats:
    """Return the loss of every row.

    Parameters
    ----------
    task : {"classification", "regression"}
    outputs : (n_rows, n_outputs) ndarray of float64
    y : (n_rows,) ndarray

    Returns
    -------
    (n_rows,) ndarray
        Nats, or squared target sd.
    """
    if task == "regression":
        return np.asarray(np.square(outputs[:, 0] - y))
    scores = outputs - outputs.max(-1, keepdims=True)
    return np.asarray(np.log(np.exp(scores).sum(-1)) - scores[np.arange(len(y)), y])


def constant_losses(task: Task, y: Array) -> Floats:
    """Return each row's loss (n_rows,) under the best constant predictor: class frequencies, or the mean."""
    if task == "regression":
        return np.asarray(np.square(y - y.mean(dtype=np.float64)))
    counts = np.bincount(y)
    return np.asarray(-np.log(counts[y] / len(y)))


class Training:
    """Replicas of a network on their way through the same table; a `lrfind.sweep.Trainable`.

    Parameters
    ----------
    net : Net
    X : (n_rows, n_inputs) ndarray of float32
    y : (n_rows,) ndarray
    optimizer : str
        One of `lrfind.optim.OPTIMIZERS`.
    batch_size : int
        Reduced to the number of rows where those are fewer.
    seeds : sequence of numpy.random.SeedSequence
        One a replica; equal seeds mean equal starting weights and equal batches.
    rows : sequence of (n,) ndarray of int64, optional
        The rows each replica trains on, equally many; all of them by default.
    """

    def __init__(
        self,
        net: Net,
        X: Array,
        *,
        y: Array,
        optimizer: str,
        batch_size: int,
        seeds: Sequence[np.random.SeedSequence],
        rows: Sequence[Array] | None = None,
    ) -> None:
        # what a seed generates is its name: equal seeds share one, however they were made
        self._X, self._y, self._seeds = X, y, [seed.generate_state(4).tobytes() for seed in seeds]
        unique = dict(zip(self._seeds, seeds, strict=True))
        weights = {name: initial_weights(net, _stream(seed, 0)) for name, seed in unique.items()}
        self._mlp = StackedMLP(net, np.stack([weights[name] for name in self._seeds]))
        self._optimizer = OPTIMIZERS[optimizer]
        self._state = self._optimizer.init(self._mlp.params)
        self._rows = [np.arange(len(X))] * len(seeds) if rows is None else [np.asarray(r) for r in rows]
        self._batch_size = min(batch_size, len(self._rows[0]))
        self._shuffles = {name: np.random.default_rng(_stream(seed, 1)) for name, seed in unique.items()}
        self._alive = np.arange(len(seeds))
        self._epoch: list[Array] = []
        self._constant = constant_losses(net.task, y)
        self._difficulty = np.zeros(len(seeds))

    @property
    def n_seeds(self) -> int:
        """Replicas, lost ones included."""
        return len(self._seeds)

    @property
    def grad_norms(self) -> Floats:
        """(n_seeds,) Euclidean norm of the last step's gradient; NaN for lost replicas."""
        grads = self._mlp.grads
        return self._spread(np.sqrt(np.einsum("rp,rp->r", grads, grads, dtype=np.float64)))

    @property
    def difficulty(self) -> Floats:
        """(n_seeds,) loss of the best constant predictor on each replica's last batch."""
        return self._difficulty

    def step(self, lr: float | Floats) -> Floats:
        """Take one update and return the losses (n_seeds,) measured before it, NaN for lost replicas.

        Parameters
        ----------
        lr : float or (n_seeds,) ndarray
            One rate for all, or one a replica.
        """
        if not self._epoch:
            self._epoch = self._new_epoch()
        batch = self._epoch.pop()
        self._difficulty = self._constant[batch].mean(-1)
        index = batch[self._alive]
        loss = self._mlp.loss_and_grad(self._X.take(index, 0), self._y.take(index)).astype(np.float64)
        finite = np.isfinite(loss)
        if not finite.all():
            self._retire(finite)
            loss = loss[finite]
        if len(self._alive):
            rates = np.broadcast_to(np.asarray(lr, self._mlp.params.dtype), self.n_seeds)[self._alive, None]
            self._optimizer.update(self._mlp.grads, self._state, self._mlp.params, rates)
        return self._spread(loss)

    def _new_epoch(self) -> list[Array]:
        # one (n_seeds, batch) table of rows a step; the last partial batch is dropped
        n_rows, size = len(self._rows[0]), self._batch_size
        n_batches = n_rows // size
        order = {name: rng.permutation(n_rows)[: n_batches * size] for name, rng in self._shuffles.items()}
        index = np.stack([rows[order[name]] for rows, name in zip(self._rows, self._seeds, strict=True)])
        return list(index.reshape(-1, n_batches, size).swapaxes(0, 1))[::-1]

    def _retire(self, finite: Array) -> None:
        # Lost replicas leave the arrays: NaN would not harm the others, but would still cost their time.
        grads = self._mlp.grads[finite]
        self._alive = self._alive[finite]
        self._mlp.keep(finite)
        self._mlp.grads[...] = grads
        self._state.keep(finite)

    def _spread(self, numbers: Array) -> Floats:
        out = np.full(self.n_seeds, np.nan)
        out[self._alive] = numbers
        return out

    def held_out_losses(self, rows: Sequence[Array]) -> Floats:
        """Return each replica's losses on rows of its own.

        Parameters
        ----------
        rows : sequence of (n_rows,) ndarray of int64
            One array of row numbers a replica, equally many in each.

        Returns
        -------
        (n_seeds, n_rows) ndarray
            Nats, or squared target sd; NaN for lost replicas.
        """
        losses = np.full((self.n_seeds, len(rows[0])), np.nan)
        for place, replica in enumerate(self._alive.tolist()):
            outputs = self._mlp.predict(self._X[rows[replica]], replica=place)
            seen = row_losses(self._mlp.net.task, outputs, y=self._y[rows[replica]])
            # one row beyond float64 is a replica that diverged at the last step
            losses[replica] = seen if np.isfinite(seen).all() else np.nan
        return losses


def steps_per_epoch(n_rows: int, *, batch_size: int) -> int:
    """Return the whole batches in one pass over `n_rows`, at least 1."""
    return max(n_rows // min(batch_size, n_rows), 1)


def _stream(seed: np.random.SeedSequence, key: int) -> np.random.SeedSequence:
    # as `seed.spawn` does, without its counter: asking twice must give the same stream
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, key))


# Bytes of parameters, optimiser state and activations that advance together: about what a core's own cache holds.
# Measured: 8 to 26 replicas of a 64-64-10 net run twice as fast as 400 in one group.
CACHE_BYTES = 1_600_000
FEWEST_REPLICAS, MOST_REPLICAS = 4, 26
# Parameters, gradients, scratch and two moving averages.
ARRAYS_PER_PARAM = 5


def replicas_per_group(net: Net, *, batch_size: int) -> int:
    """Return how many replicas to advance together so that they stay in a core's cache."""
    floats = ARRAYS_PER_PARAM * net.n_params + 2 * batch_size * sum(net.sizes)
    return int(np.clip(CACHE_BYTES // (4 * floats), FEWEST_REPLICAS, MOST_REPLICAS))
