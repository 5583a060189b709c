"""Many small networks trained in lockstep: one array program moves every replica.

Parameters are one ``(n_replicas, n_params)`` array and layers are views of it. Replicas never mix: one replica's
numbers are the same bytes whatever trains beside it.

::

    net        the replicas of a network: outputs, losses, gradients
    training   their way through a table
"""

from lrfind.mlp.net import (
    ACTIVATIONS,
    LOSSES,
    Net,
    StackedMLP,
    constant_losses,
    initial_weights,
    row_losses,
    with_ones,
)
from lrfind.mlp.training import Training, replicas_per_group, steps_per_epoch

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "Net",
    "StackedMLP",
    "Training",
    "constant_losses",
    "initial_weights",
    "replicas_per_group",
    "row_losses",
    "steps_per_epoch",
    "with_ones",
]
