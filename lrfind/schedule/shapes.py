"""The schedules that depend on the step alone, each as its segments; a new one is a function and a line in `SCHEDULES`.

Every one equals its counterpart in `torch.optim.lr_scheduler`, step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from lrfind.schedule.value import Segment

Segments = tuple[Segment, ...]


def constant(n_steps: int) -> Segments:
    """Hold the peak rate; torch's ConstantLR with factor 1."""
    return (Segment(start=0, stop=n_steps, shape="constant", begin=1, end=1),)


def linear(n_steps: int) -> Segments:
    """Fall in a straight line to 0 over the run; torch's LinearLR from 1 to 0."""
    return (Segment(start=0, stop=n_steps, shape="linear", begin=1, end=0),)


def polynomial(n_steps: int) -> Segments:
    """Fall as the square of what is left of the run; torch's PolynomialLR with power 2."""
    return (Segment(start=0, stop=n_steps, shape="polynomial", begin=1, end=0, power=2),)


def exponential(n_steps: int) -> Segments:
    """Fall by the same factor each step, to a hundredth; torch's ExponentialLR with gamma 0.01 ** (1 / n_steps)."""
    return (Segment(start=0, stop=n_steps, shape="exponential", begin=1, end=0.01),)


def cosine(n_steps: int) -> Segments:
    """Fall along half a cosine to 0; torch's CosineAnnealingLR (Loshchilov & Hutter 2016, arXiv:1608.03983)."""
    return (Segment(start=0, stop=n_steps, shape="cosine", begin=1, end=0),)


def step(n_steps: int) -> Segments:
    """Divide by 10 at a half and at three quarters of the run; torch's MultiStepLR."""
    # Integer milestones, as torch has them; a run too short to have three pieces keeps those it has.
    cuts = (0, n_steps // 2, 3 * n_steps // 4, n_steps)
    return tuple(
        Segment(start=start, stop=stop, shape="constant", begin=level, end=level)
        for (start, stop), level in zip(pairwise(cuts), (1.0, 0.1, 0.01), strict=True)
        if stop > start
    )


# The share of the run that `warmup_cosine` spends warming up: DESIGN's convention, common in transformer training.
WARMUP_SHARE = 0.1


def warmup_cosine(n_steps: int, *, warmup: int | None = None) -> Segments:
    """Rise linearly from 0 for a tenth of the run (Goyal et al. 2017, arXiv:1706.02677), then fall along a cosine."""
    rise = max(1, int(n_steps * WARMUP_SHARE)) if warmup is None else warmup
    # A run of one step, or without warm-up, is all cosine: a rate of 0 throughout would train nothing.
    if not 0 < rise < n_steps:
        return cosine(n_steps)
    return (
        Segment(start=0, stop=rise, shape="linear", begin=0, end=1),
        Segment(start=rise, stop=n_steps, shape="cosine", begin=1, end=0),
    )


def one_cycle(n_steps: int) -> Segments:
    """Rise from 1/25 for three tenths, fall to almost nothing; torch's OneCycleLR (Smith 2018, arXiv:1803.09820)."""
    # torch places both turning points one step early: the last step then has the final rate itself.
    turn, end = 0.3 * n_steps - 1, n_steps - 1
    if turn <= 0:
        return cosine(n_steps)
    return (
        Segment(start=0, stop=turn, shape="cosine", begin=1 / 25, end=1),
        Segment(start=turn, stop=end, shape="cosine", begin=1, end=1 / 25 / 1e4),
    )


# Smith 2015 runs several triangles in a training run; four, from a quarter of the peak.
N_TRIANGLES = 4


def cyclical(n_steps: int) -> Segments:
    """Four triangles between a quarter of the peak and the peak; torch's CyclicLR (Smith 2015, arXiv:1506.01186)."""
    half = n_steps / (2 * N_TRIANGLES)
    levels = [0.25, 1.0] * N_TRIANGLES + [0.25]
    return tuple(
        Segment(start=i * half, stop=(i + 1) * half, shape="linear", begin=levels[i], end=levels[i + 1])
        for i in range(2 * N_TRIANGLES)
    )


def warm_restarts(n_steps: int) -> Segments:
    """Three cosines, each twice as long as the one before; SGDR (Loshchilov & Hutter 2016, arXiv:1608.03983)."""
    first = n_steps / 7
    cuts = (0.0, first, 3 * first, float(n_steps))
    return tuple(Segment(start=start, stop=stop, shape="cosine", begin=1, end=0) for start, stop in pairwise(cuts))


SCHEDULES: Mapping[str, Callable[[int], Segments]] = {
    "constant": constant,
    "linear": linear,
    "polynomial": polynomial,
    "exponential": exponential,
    "cosine": cosine,
    "step": step,
    "warmup_cosine": warmup_cosine,
    "one_cycle": one_cycle,
    "cyclical": cyclical,
    "warm_restarts": warm_restarts,
}
