"""The adaptive schedule for a training loop of one's own: `AdaptiveRate(peak_lr, n_steps)`."""

from __future__ import annotations

import numpy as np

from lrfind.schedule.adaptive import Adaptive
from lrfind.schedule.make import make_schedule
from lrfind.schedule.value import values


class AdaptiveRate:
    """A learning rate that answers one run, in any framework.

    Once a step, after the gradient and before the update, give it the loss; it gives the rate of that update, and says
    whether to keep a copy of the model and optimiser first, or to go back to the last copy instead of updating.

    Parameters
    ----------
    peak_lr : float
        The largest rate. It may be several times too high: see `lrfind.schedule.adaptive`.
    n_steps : int
        Updates in the run; the rate cools down towards its end.

    Attributes
    ----------
    lr : float
        The rate last given.
    first_lr : float
        The rate of the first update, for frameworks that set a rate before they have a loss.
    restore : bool
        Whether to go back to the last copy of model and optimiser, and make no update this step.
    save : bool
        Whether to copy model and optimiser before this step's update.
    n_restores : int
        How often the run was set back.

    Raises
    ------
    UsageError
        If the rate is not a finite positive number, or there is no step.

    Examples
    --------
    A loop that minimises x squared:

    >>> from lrfind import AdaptiveRate
    >>> rate = AdaptiveRate(peak_lr=30.0, n_steps=200)
    >>> x = saved = 1.0
    >>> for _ in range(200):
    ...     loss, gradient = x * x, 2 * x
    ...     lr = rate.step(loss, abs(gradient))
    ...     if rate.restore:
    ...         x = saved
    ...         continue
    ...     if rate.save:
    ...         saved = x
    ...     x -= lr * gradient
    >>> abs(x) < 1e-3
    True
    """

    def __init__(self, peak_lr: float, n_steps: int) -> None:
        schedule = make_schedule("adaptive", peak_lr=peak_lr, n_steps=n_steps)
        self._controller = Adaptive(np.array([schedule.peak_lr]), schedule.n_steps)
        self.first_lr = float(values(schedule)[0])
        self.lr, self.restore, self.save, self.n_restores = 0.0, False, False, 0

    def step(self, loss: float, grad_norm: float | None = None) -> float:
        """Return the rate of the update that follows this loss.

        Parameters
        ----------
        loss : float
            Of this step's batch, before the update; it may be NaN.
        grad_norm : float, optional
            Euclidean norm of the same step's gradient over all parameters; without it, the loss alone is watched.

        Returns
        -------
        float
            Above 0 and at most the peak.
        """
        norms = None if grad_norm is None else np.array([float(grad_norm)])
        orders = self._controller.update(np.array([float(loss)]), norms)
        self.lr, self.restore, self.save = float(orders.lrs[0]), bool(orders.back[0]), bool(orders.save[0])
        self.n_restores += self.restore
        return self.lr
