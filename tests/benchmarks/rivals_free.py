"""Optimizers that promise to need no learning rate, in PyTorch, at their defaults: `RIVALS`, `train(...)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any

import dadaptation
import numpy as np
import numpy.typing as npt
import prodigyopt
import schedulefree
import torch
from problems import Case
from torch import nn

# Nets this small are slower on more.
torch.set_num_threads(1)

Parameters = list[nn.Parameter]
Optimizer = torch.optim.Optimizer


def _plain(make: Callable[[Parameters], Optimizer]) -> Callable[[Parameters, int], tuple[Optimizer, Any]]:
    return lambda parameters, _: (make(parameters), None)


def _prodigy_cosine(parameters: Parameters, n_steps: int) -> tuple[Optimizer, Any]:
    # what Prodigy's own page advises
    optimizer = prodigyopt.Prodigy(parameters)
    return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=n_steps)


# The last is no rival, only what everybody knows.
RIVALS: Mapping[str, Callable[[Parameters, int], tuple[Optimizer, Any]]] = {
    "Prodigy": _plain(prodigyopt.Prodigy),
    "Prodigy, cosine": _prodigy_cosine,
    "D-Adaptation Adam": _plain(dadaptation.DAdaptAdam),
    "D-Adaptation SGD": _plain(dadaptation.DAdaptSGD),
    "schedule-free AdamW": _plain(schedulefree.AdamWScheduleFree),
    "Adam at 0.001": _plain(torch.optim.Adam),
}


def network(dims: Sequence[int], replica: Any) -> nn.Sequential:
    """Return a PyTorch network with the weights of the reference's first replica."""
    layers: list[nn.Module] = []
    for place, (fan_in, fan_out) in enumerate(pairwise(dims)):
        layer = nn.Linear(fan_in, fan_out)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(replica.W[place][0].T.copy()))
            layer.bias.copy_(torch.tensor(replica.b[place][0, 0].copy()))
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train(name: str, case: Case, *, reference: ModuleType, seeds: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return the test loss (n_seeds,) of a rival, from the starting weights and batches of the judge.

    Parameters
    ----------
    name : str
        One of `RIVALS`.
    case : Case
    reference : module
        The judge's trainer: `Replicas`, `batches`.
    seeds : sequence of int

    Returns
    -------
    (n_seeds,) ndarray
        infinite where training diverged.
    """
    X, y = case.arrays()
    X_test, y_test = case.test_arrays()
    is_class = case.task == "classification"
    n_out = int(max(y.max(), y_test.max())) + 1 if is_class else 1
    dims, size = [X.shape[1], *case.hidden, n_out], min(case.batch_size, len(y))
    rows, targets = torch.tensor(X), torch.tensor(y)
    losses = []
    for seed in seeds:
        replica = reference.Replicas(dims, [seed], case.task)
        model = network(dims, replica)
        order = torch.tensor(reference.batches(seed, len(y), size, case.train_steps))
        _fit(model, name, rows=rows, targets=targets, order=order, is_class=is_class)
        with torch.no_grad():
            for place, layer in enumerate(model[::2]):
                replica.W[place][0] = layer.weight.numpy().T
                replica.b[place][0, 0] = layer.bias.numpy()
        loss = float(replica.evaluate(X_test, y_test)[0])
        losses.append(loss if np.isfinite(loss) else np.inf)
    return np.array(losses)


def _fit(
    model: nn.Sequential, name: str, *, rows: torch.Tensor, targets: torch.Tensor, order: torch.Tensor, is_class: bool
) -> None:
    optimizer, scheduler = RIVALS[name](list(model.parameters()), len(order))
    loss_of = nn.CrossEntropyLoss() if is_class else nn.MSELoss()
    if hasattr(optimizer, "train"):
        optimizer.train()
    for batch in order:
        optimizer.zero_grad()
        out = model(rows[batch])
        loss_of(out if is_class else out[:, 0], targets[batch]).backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    # schedule-free keeps two sets of weights, one to train and one to use
    if hasattr(optimizer, "eval"):
        optimizer.eval()
