"""Optimisers on stacked parameters, as pairs of functions: ``init(params)`` and ``update(grads, state, params, lr)``.

Formulas and defaults are those of `torch.optim`. Parameters are ``(n_replicas, n_params)``; the learning rate is an
argument, one a replica, because varying it is what lrfind is for. Updates happen in place.

Moving averages are stored divided by ``1 - beta`` (so ``m = beta * m + g``): the same numbers with one pass over
memory fewer; the factor is put back where they are used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(slots=True, eq=False)
class State:
    """What an optimiser remembers between updates.

    Attributes
    ----------
    slots : list of (n_replicas, n_params) ndarray
        Moving averages, in the order the optimiser's `init` made them.
    scratch : (n_replicas, n_params) ndarray
        Working space; its content means nothing between updates.
    step : int
        Updates made.
    behind : (n_replicas,) ndarray of int64 or None
        Updates that were undone where replicas were set back; None while none was.
    momentum_products : list of float
        Of NAdam's momentum schedule, by step; 1 at step 0.
    """

    slots: list[Array]
    scratch: Array
    step: int = 0
    behind: npt.NDArray[np.int64] | None = None
    momentum_products: list[float] = field(default_factory=lambda: [1.0])

    def keep(self, replicas: Array) -> None:
        """Forget all replicas but these; `replicas` is a boolean mask (n_replicas,)."""
        self.slots = [slot[replicas] for slot in self.slots]
        self.scratch = self.scratch[replicas]
        self.behind = None if self.behind is None else self.behind[replicas]

    def copy(self) -> State:
        """Return a state to `take` from or into; it has no working space."""
        behind = None if self.behind is None else self.behind.copy()
        return State([slot.copy() for slot in self.slots], self.scratch[:, :0], self.step, behind)

    def take(self, other: State, replicas: Array) -> None:
        """Remember what another state does for these replicas; `replicas` is a boolean mask (n_replicas,)."""
        for mine, theirs in zip(self.slots, other.slots, strict=True):
            np.copyto(mine, theirs, where=replicas[:, None])
        behind = self.step - np.where(replicas, other.steps, self.steps)
        self.behind = behind if behind.any() else None

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """(n_replicas,) updates that still count."""
        behind = 0 if self.behind is None else self.behind
        return np.full(len(self.scratch), self.step, np.int64) - behind


class Optimizer(NamedTuple):
    """A pair of functions."""

    init: Callable[[Array], State]
    # (grads, state, params, lr): all (n_replicas, n_params), lr (n_replicas, 1) of the parameters' type.
    update: Callable[[Array, State, Array, Array], None]


def _remembering(n_slots: int) -> Callable[[Array], State]:
    return lambda params: State([np.zeros_like(params) for _ in range(n_slots)], np.empty_like(params))


def _sgd(grads: Array, state: State, params: Array, lr: Array) -> None:
    np.multiply(grads, lr, out=state.scratch)
    params -= state.scratch


# torch.optim.SGD has no default; 0.9 is the value of Sutskever et al. 2013 and of every tutorial since.
MOMENTUM = 0.9


def _momentum(grads: Array, state: State, params: Array, lr: Array) -> None:
    (velocity,) = state.slots
    velocity *= MOMENTUM
    velocity += grads
    np.multiply(velocity, lr, out=state.scratch)
    params -= state.scratch


def _nesterov(grads: Array, state: State, params: Array, lr: Array) -> None:
    (velocity,) = state.slots
    velocity *= MOMENTUM
    velocity += grads
    np.multiply(velocity, MOMENTUM, out=state.scratch)
    state.scratch += grads
    state.scratch *= lr
    params -= state.scratch


def _accumulate_square(average: Array, grads: Array, scratch: Array, *, decay: float) -> None:
    if decay != 1:
        average *= decay
    np.multiply(grads, grads, out=scratch)
    average += scratch


RMSPROP_ALPHA, RMSPROP_EPS = 0.99, 1e-8


def _rmsprop(grads: Array, state: State, params: Array, lr: Array) -> None:
    (square,) = state.slots
    _accumulate_square(square, grads, state.scratch, decay=RMSPROP_ALPHA)
    # grads / (sqrt((1 - alpha) square) + eps), with the root's factor moved to the rate and to eps
    root = math.sqrt(1 - RMSPROP_ALPHA)
    _step_by_ratio(grads, square, state.scratch, params, lr / root, eps=RMSPROP_EPS / root)


ADAGRAD_EPS = 1e-10


def _adagrad(grads: Array, state: State, params: Array, lr: Array) -> None:
    (square,) = state.slots
    _accumulate_square(square, grads, state.scratch, decay=1)
    _step_by_ratio(grads, square, state.scratch, params, lr, eps=ADAGRAD_EPS)


def _step_by_ratio(
    above: Array, square: Array, scratch: Array, params: Array, rate: Array, *, eps: float | Array
) -> None:
    # the step is `rate` times `above` over the root of `square`, kept off zero by `eps`
    np.sqrt(square, out=scratch)
    scratch += eps
    np.divide(above, scratch, out=scratch)
    scratch *= rate.astype(params.dtype, copy=False)
    params -= scratch


BETA1, BETA2, ADAM_EPS = 0.9, 0.999, 1e-8


def _adam(grads: Array, state: State, params: Array, lr: Array) -> None:
    mean, square = state.slots
    state.step += 1
    mean *= BETA1
    mean += grads
    _accumulate_square(square, grads, state.scratch, decay=BETA2)
    factor, eps = _by_step(state, _adam_numbers)
    _step_by_ratio(mean, square, state.scratch, params, lr * factor, eps=eps)


def _adam_numbers(step: int) -> tuple[float, float]:
    # lr / bias1 * m / (sqrt(v / bias2) + eps), with m = (1 - beta1) mean and v = (1 - beta2) square
    root = math.sqrt((1 - BETA2) / (1 - BETA2**step))
    return (1 - BETA1) / (1 - BETA1**step) / root, ADAM_EPS / root


def _by_step(state: State, numbers: Callable[[int], tuple[float, ...]]) -> tuple[float, ...] | list[Array]:
    # numbers that depend on the count of updates: one each for all replicas, or, where some were set back, one a
    # replica, rounded as NumPy rounds a Python float that meets an array
    if state.behind is None:
        return numbers(state.step)
    steps, which = np.unique(state.steps, return_inverse=True)
    table = np.array([numbers(step) for step in steps.tolist()], state.scratch.dtype)
    return list(table.T[:, which, None])


ADAMW_DECAY = 0.01


def _adamw(grads: Array, state: State, params: Array, lr: Array) -> None:
    params *= (1 - lr * ADAMW_DECAY).astype(params.dtype, copy=False)
    _adam(grads, state, params, lr)


NADAM_DECAY = 4e-3


def _nadam(grads: Array, state: State, params: Array, lr: Array) -> None:
    mean, square = state.slots
    state.step += 1
    state.momentum_products.append(state.momentum_products[-1] * _nadam_momentum(state.step))
    mean *= BETA1
    mean += grads
    _accumulate_square(square, grads, state.scratch, decay=BETA2)

    def numbers(step: int) -> tuple[float, ...]:
        now, then, product = _nadam_momentum(step), _nadam_momentum(step + 1), state.momentum_products[step]
        root = math.sqrt((1 - BETA2) / (1 - BETA2**step))
        return (1 - now) / (1 - product), (1 - BETA1) * then / (1 - product * then), root, ADAM_EPS / root

    by_gradient, by_mean, root, eps = _by_step(state, numbers)
    above = by_gradient * grads
    above += by_mean * mean
    _step_by_ratio(above, square, state.scratch, params, lr / root, eps=eps)


def _nadam_momentum(step: int) -> float:
    momentum: float = BETA1 * (1 - 0.5 * 0.96 ** (step * NADAM_DECAY))
    return momentum


# Chen et al. 2023, arXiv:2302.06675: defaults of the reference implementation, without weight decay.
LION_BETA1, LION_BETA2 = 0.9, 0.99


def _lion(grads: Array, state: State, params: Array, lr: Array) -> None:
    (mean,) = state.slots
    scratch = state.scratch
    # mean is kept divided by 1 - beta2
    np.multiply(mean, LION_BETA1 * (1 - LION_BETA2) / (1 - LION_BETA1), out=scratch)
    scratch += grads
    np.sign(scratch, out=scratch)
    scratch *= lr
    params -= scratch
    mean *= LION_BETA2
    mean += grads


OPTIMIZERS: Mapping[str, Optimizer] = {
    "sgd": Optimizer(_remembering(0), _sgd),
    "momentum": Optimizer(_remembering(1), _momentum),
    "nesterov": Optimizer(_remembering(1), _nesterov),
    "rmsprop": Optimizer(_remembering(1), _rmsprop),
    "adagrad": Optimizer(_remembering(1), _adagrad),
    "adam": Optimizer(_remembering(2), _adam),
    "adamw": Optimizer(_remembering(2), _adamw),
    "nadam": Optimizer(_remembering(2), _nadam),
    "lion": Optimizer(_remembering(1), _lion),
}
