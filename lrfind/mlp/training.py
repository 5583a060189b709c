"""Replicas on their way through a table: batches, updates, replicas lost and set back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lrfind.mlp.net import Net, StackedMLP, constant_losses, initial_weights, row_losses
from lrfind.optim import OPTIMIZERS, State

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


class Training:
    """Replicas of a network on their way through the same table; a `lrfind.sweep.Trainable`.

    Parameters
    ----------
    net : Net
    X : (n_rows, n_inputs + 1) ndarray of float32
        Made `with_ones`, once for all trainings on a table.
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
        # (n_seeds, batch) rows of the last step
        self._batch = np.zeros((len(seeds), 1), np.int64)
        self._loss = np.zeros(len(seeds))
        # parameters and optimiser state to go back to, once `save` was called
        self._saved: tuple[Array, State] | None = None

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
        return np.asarray(self._constant[self._batch].mean(-1))

    def step(self, lr: float | Floats) -> Floats:
        """Take one update and return the losses (n_seeds,) measured before it, NaN for lost replicas.

        Parameters
        ----------
        lr : float or (n_seeds,) ndarray
            One rate for all, or one a replica.
        """
        losses = self.measure()
        self.move(lr)
        # a loss that is not finite is the replica's last
        losses[~np.isfinite(losses)] = np.nan
        return losses

    def measure(self) -> Floats:
        """Return the losses (n_seeds,) on the next batch, NaN for lost replicas; `move` makes the update."""
        if not self._epoch:
            self._epoch = self._new_epoch()
        batch = self._epoch.pop()
        self._batch = batch
        # most runs lose nobody: no copies for those
        index = batch if len(self._alive) == len(batch) else batch[self._alive]
        self._loss = self._mlp.loss_and_grad(self._X.take(index, 0), self._y.take(index)).astype(np.float64)
        return self._spread(self._loss)

    def move(self, lr: float | Floats, *, back: Array | None = None) -> None:
        """Update what `measure` has measured; a replica whose loss is not finite is lost.

        Parameters
        ----------
        lr : float or (n_seeds,) ndarray
            One rate for all, or one a replica.
        back : (n_seeds,) ndarray of bool, optional
            Replicas that return to where `save` saw them instead, whatever their loss.
        """
        held = np.isfinite(self._loss)
        if back is not None:
            held |= back[self._alive]
        if not held.all():
            self._retire(held)
        if len(self._alive):
            rates = np.asarray(lr, self._mlp.params.dtype)
            rates = rates[self._alive, None] if rates.ndim else np.full((len(self._alive), 1), rates)
            self._optimizer.update(self._mlp.grads, self._state, self._mlp.params, rates)
        if back is not None and self._saved is not None and (back := back[self._alive]).any():
            params, state = self._saved
            np.copyto(self._mlp.params, params, where=back[:, None])
            self._state.take(state, back)

    def save(self, replicas: Array) -> None:
        """Remember where these replicas are, in place of where they were saved before.

        Parameters
        ----------
        replicas : (n_seeds,) ndarray of bool
        """
        replicas = replicas[self._alive]
        if self._saved is None:
            self._saved = self._mlp.params.copy(), self._state.copy()
            return
        params, state = self._saved
        np.copyto(params, self._mlp.params, where=replicas[:, None])
        state.take(self._state, replicas)

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
        if self._saved is not None:
            self._saved = self._saved[0][finite], self._saved[1]
            self._saved[1].keep(finite)

    def _spread(self, numbers: Array) -> Floats:
        if len(self._alive) == self.n_seeds:
            return np.array(numbers, np.float64)
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


# Bytes of parameters, optimiser state and activations that advance together: more than a core's own cache holds, since
# NumPy's calls cost more than the nearer part of the shared one. Measured with 1 MB a core: of a 64-64-10 net, a
# replica takes 31 us in a group of 9, 26 in one of 19 to 100, and 36 in one of 400.
CACHE_BYTES = 3_200_000
FEWEST_REPLICAS, MOST_REPLICAS = 4, 26
# Parameters, gradients, scratch and two moving averages.
ARRAYS_PER_PARAM = 5


def replicas_per_group(net: Net, *, batch_size: int) -> int:
    """Return how many replicas to advance together so that they stay in a core's cache."""
    floats = ARRAYS_PER_PARAM * net.n_params + 2 * batch_size * sum(net.sizes)
    return int(np.clip(CACHE_BYTES // (4 * floats), FEWEST_REPLICAS, MOST_REPLICAS))
