"""Replicas of one network as one array program: outputs, losses, gradients.

Every operation is one call for all replicas, into memory that was allocated once. Which of several equal NumPy
expressions is fast cannot be seen, so where the obvious one is slow, a comment says so.

A bias is the weight of an input that is always one: adding biases to outputs, and adding up their gradients, takes
longer than a product that is one longer. Between the layers features come before rows, so that the input of ones is
the last of a contiguous block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

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
    # against an array: with a scalar NumPy's maximum takes four times as long, its comparison half as long again
    zero = np.zeros(z.shape[1:], z.dtype)
    np.maximum(z, zero, out=z)
    return z > zero


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
        self._batch = 0

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
        X : (n_replicas, batch, n_inputs + 1) ndarray
            The last input is one: see `with_ones`.
        y : (n_replicas, batch) ndarray
            Class codes, or standardised targets.

        Returns
        -------
        (n_replicas,) ndarray
            Nats, or squared target sd.
        """
        self._reserve(X.shape[1])
        inputs, bends = [X.swapaxes(-1, -2), *self._hidden], []
        for weights, values, hidden in zip(self._layers, inputs, self._hidden, strict=False):
            z = hidden[:, :-1]
            np.matmul(weights.swapaxes(-1, -2), values, out=z)
            bends.append(self._activate(z))
        scores = self._scores.swapaxes(0, 1)
        np.matmul(self._layers[-1].swapaxes(-1, -2), inputs[-1], out=scores)
        loss = LOSSES[self.net.task](self._scores, y)
        delta = scores
        for i in reversed(range(1, len(self._layers))):
            np.matmul(inputs[i], delta.swapaxes(-1, -2), out=self._slopes[i])
            delta = np.matmul(self._layers[i][:, :-1], delta, out=self._deltas[i - 1])
            delta *= bends[i - 1]
        # weights and biases apart: a product of odd height takes a fifth longer
        np.matmul(inputs[0][:, :-1], delta.swapaxes(-1, -2), out=self._slopes[0][:, :-1])
        np.matmul(self._ones, delta.swapaxes(-1, -2), out=self._slopes[0][:, -1:])
        return loss

    def _reserve(self, batch: int) -> None:
        # Activations are allocated once: fresh pages every step would cost more than the arithmetic.
        if self._batch == batch:
            return
        self._batch, dtype, n = batch, self.params.dtype, self.n_replicas
        # (n_replicas, width + 1, batch), the last feature one
        self._hidden = [np.ones((n, width + 1, batch), dtype) for width in self.net.hidden]
        self._deltas = [np.empty((n, width, batch), dtype) for width in self.net.hidden]
        # outputs come first: NumPy reduces a short last axis ten times slower than a first one
        self._scores = np.empty((self.net.n_outputs, n, batch), dtype)
        self._ones = np.ones((1, batch), dtype)

    def predict(self, X: Array, *, replica: int) -> Floats:
        """Return one replica's outputs (n_rows, n_outputs) for rows (n_rows, n_inputs + 1), the last input one."""
        z = X[:, :-1]
        for i, layer in enumerate(self._layers):
            if i:
                self._activate(z)
            z = z @ layer[replica, :-1]
            z += layer[replica, -1]
        return z.astype(np.float64)


def _layers(flat: Array, net: Net) -> Iterator[Array]:
    # weights (n_replicas, fan_in + 1, fan_out), the last row the biases: views of (n_replicas, n_params)
    offset = 0
    for fan_in, fan_out in pairwise(net.sizes):
        end = offset + (fan_in + 1) * fan_out
        yield flat[:, offset:end].reshape(len(flat), fan_in + 1, fan_out)
        offset = end


def with_ones(X: Array) -> Array:
    """Return the inputs (..., n_inputs) and a last one that is always one (..., n_inputs + 1): the biases' input."""
    out = np.ones((*X.shape[:-1], X.shape[-1] + 1), X.dtype)
    out[..., :-1] = X
    return out


def initial_weights(net: Net, seed: np.random.SeedSequence) -> npt.NDArray[np.float32]:
    """Return one replica's parameters (n_params,): U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as `torch.nn.Linear` starts."""
    rng, parts = np.random.default_rng(seed), []
    for fan_in, fan_out in pairwise(net.sizes):
        bound = np.float32(1 / np.sqrt(fan_in))
        parts.append((2 * rng.random((fan_in + 1) * fan_out, dtype=np.float32) - 1) * bound)
    return np.concatenate(parts)


def _cross_entropy(z: Array, y: Array) -> Array:
    scores = z.reshape(len(z), -1)
    scores -= scores.max(0)
    # flat positions of the right classes
    right = y.reshape(-1) * y.size
    right += np.arange(y.size)
    loss = -scores.reshape(-1).take(right)
    np.exp(scores, out=scores)
    # NumPy adds several columns row by row but a lone one in pairs, whose last bits differ
    total = scores.sum(0) if y.size > 1 else np.add.accumulate(scores, 0)[-1]
    loss += np.log(total)
    total *= y.shape[1]
    scores /= total
    scores.reshape(-1)[right] -= z.dtype.type(1 / y.shape[1])
    return np.asarray(loss.reshape(y.shape).mean(-1))


def _squared_error(z: Array, y: Array) -> Array:
    z -= y
    loss = np.square(z[0]).mean(-1)
    z *= 2 / y.shape[1]
    return np.asarray(loss)


# Each returns the losses (n_replicas,) of outputs (n_outputs, n_replicas, batch), which become their own gradients.
LOSSES: Mapping[Task, Callable[[Array, Array], Array]] = {
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
