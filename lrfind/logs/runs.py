"""Several runs in one file: `runs_in(step)` tells where one ends and the next begins.

A run that is resumed goes back to a step it has been at, and goes on from the loss it had there. One that starts anew
goes back to where the first one began, or comes back with the loss of a beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lrfind.logs.log import Floats, Run
from lrfind.logs.readings import Ints, Readings
from lrfind.text import place, plural

# Rows between two returns: a run goes back and then logs on for a while; workers that share a file go back every other
# row, as does what was shuffled.
MIN_ROWS = 3
# Half as far from the first run's beginning as from where it was at that step: a beginning too.
NEARER = 0.5
# A run that goes on is logged as often as it was before.
COARSER = 2.0
# Losses compared where a run begins: single ones scatter.
N_COMPARED = 3


def runs_in(step: Floats, *, loss: Floats, rows: Ints, series: Sequence[Ints]) -> list[tuple[int, int]]:
    """Return where each run begins and ends among `rows`.

    Parameters
    ----------
    step, loss : array, shape (n_rows,)
        NaN where there is none.
    rows : array of int, shape (k,)
        Those that have a step and a value.
    series : sequence of arrays
        Those of each loss: training, held-out.

    Returns
    -------
    list of (begin, end)
        Positions in `rows`; one pair where there is one run.
    """
    along, losses = step[rows], loss[rows]
    # Each loss has to go back by itself: some writers put one below the other.
    back = distinct(np.concatenate([each[1:][np.diff(step[each]) < 0] for each in series]))
    back = np.searchsorted(rows, back)
    is_apart = any(len(a) and len(b) and a[-1] < b[0] for a in series for b in series)
    if not len(back) or is_apart or len(along) / (len(back) + 1) < MIN_ROWS:
        return [(0, len(rows))]
    begins = [0]
    for at in back.tolist():
        usual = _usual(along[at : at + MIN_ROWS * N_COMPARED])
        before = slice(begins[-1], at)
        if _is_anew(along[before], losses[before], back_to=along[at], usual=usual, losses_then=losses[at:]):
            begins.append(at)
    return list(zip(begins, [*begins[1:], len(rows)], strict=True))


def distinct(values: Ints) -> Ints:
    """Return the distinct values in order; nearly all logs are in order, which is quick to see."""
    return values if (values[1:] > values[:-1]).all() else np.unique(values)


def _is_anew(along: Floats, losses: Floats, *, back_to: float, usual: float, losses_then: Floats) -> bool:
    """Whether a run begins anew: at its beginning, at the first step of a coarser count, or with the loss of one."""
    if back_to <= along[0] or (back_to <= usual and usual >= COARSER * _usual(along)):
        return True
    start, then = _level(losses), _level(losses_then)
    there = _level(losses[np.searchsorted(np.maximum.accumulate(along), back_to) :])
    return bool(abs(then - start) < NEARER * abs(then - there))


def _usual(along: Floats) -> float:
    forward = np.diff(along)
    return float(np.median(forward[forward > 0])) if (forward > 0).any() else 0.0


def _level(losses: Floats) -> float:
    finite = losses[np.isfinite(losses)][:N_COMPARED]
    return float(np.median(finite)) if len(finite) else np.nan


def judged_run(runs: list[tuple[int, int]], *, has_loss: npt.NDArray[np.bool_]) -> int:
    """Return which run is read: the last that has a curve of training losses, else the last with any.

    Parameters
    ----------
    runs : list of (begin, end)
    has_loss : array of bool
        Of the rows that `runs` counts.
    """
    counts = [int(has_loss[begin:end].sum()) for begin, end in runs]
    for least in (2, 1):
        with_loss = [i for i, count in enumerate(counts) if count >= least]
        if with_loss:
            return with_loss[-1]
    return len(runs) - 1


def described(
    runs: list[tuple[int, int]], chosen: int, *, readings: Readings, step: Floats, rows: Ints,
    has_loss: npt.NDArray[np.bool_], unit: str,
) -> tuple[tuple[Run, ...], str]:  # fmt: skip
    """Return the runs, and what is said about them."""
    told = tuple(
        Run(
            first=readings.where(int(rows[begin])),
            counter=f"{unit} {place(float(np.nanmin(step[rows[begin:end]])))} to "
            f"{place(float(np.nanmax(step[rows[begin:end]])))}",
            n_points=int(has_loss[begin:end].sum()), is_judged=i == chosen,
        )
        for i, (begin, end) in enumerate(runs)
    )  # fmt: skip
    run = told[chosen]
    which = "the last of them" if chosen == len(runs) - 1 else "the last of them with a training loss"
    return told, (
        f"the file holds {plural(len(runs), 'run')}, one after another: {which}, from {run.first} on ({run.counter}, "
        f"{plural(run.n_points, 'point')}), was read"
    )
