"""Whether a log whose steps go back goes on from what was logged before, or begins a run of its own."""

from __future__ import annotations

import itertools

import numpy as np

from lrfind.logs.log import Floats, StepUnit
from lrfind.logs.readings import Ints
from lrfind.text import number, place, printable

# Losses on either side of a return whose median is compared.
BESIDE = 3
# Runs named in the note; of more the first and the last.
MOST_NAMED = 4


def starts_anew(along: Floats, *, loss: Floats, back: Ints, may_resume: bool) -> Ints:
    """Return at which of the places where the steps go back another run begins.

    A run that is resumed goes back to a checkpoint: to a step after the first, at about the loss it had there. One that
    starts anew is at its first step again, or at about the loss of the first step where training had brought it down.

    Parameters
    ----------
    along : (n,) ndarray
        Steps in the order they were logged.
    loss : (n,) ndarray
        The losses logged with them; NaN where there is none.
    back : (k,) ndarray of int
        Rows whose step is below that of the row before.
    may_resume : bool
        Whether the steps after going back were logged before. Where they were not, only one that is at the first step
        again begins a run: the rest may be out of order.

    Returns
    -------
    (m,) ndarray of int
        Those of `back` at which a run begins.
    """
    anew: list[int] = []
    began = 0
    ends = [*back[1:].tolist(), len(along)]
    for row, end in zip(back.tolist(), ends, strict=True):
        if _is_at_first(along, began=began, row=row, end=end) or (
            may_resume and _is_lost(along, loss=loss, branch=(began, row, end))
        ):
            anew.append(row)
            began = row
    return np.array(anew, dtype=np.intp)


def _is_at_first(along: Floats, *, began: int, row: int, end: int) -> bool:
    """Say whether the steps are at the first one of the run again, or below it for more than a late point or two."""
    first = along[began:row].min()
    return bool(along[row] == first or (along[row] < first and end - row > BESIDE))


def _is_lost(along: Floats, *, loss: Floats, branch: tuple[int, int, int]) -> bool:
    """Say whether what was learned up to the step returned to is gone: the loss is as at the beginning."""
    began, row, end = branch
    now, first = _level(loss[row:end]), _level(loss[began:row])
    before = np.flatnonzero(along[began:row] <= along[row]) + began
    # The newest of what was logged up to there.
    there = _level(loss[before[::-1]])
    # It goes on where it is within noise of where it was, or nearer to that than to the beginning. A loss far above
    # both is no beginning: a rate that is too high may throw a resumed run.
    is_elsewhere = abs(now - there) > _scatter(loss[began:row])
    return bool(is_elsewhere and abs(now - first) < min(abs(now - there), abs(first - there)))


def _level(loss: Floats) -> float:
    """Return the median of the first finite losses, or NaN."""
    known = loss[np.isfinite(loss)][:BESIDE]
    return float(np.median(known)) if len(known) else float("nan")


def _scatter(loss: Floats) -> float:
    """Return how far two neighbouring losses are apart, as nine in ten are at most."""
    known = loss[np.isfinite(loss)]
    return float(np.quantile(np.abs(np.diff(known)), 0.9)) if len(known) > 1 else 0.0


def told_runs(along: Floats, *, loss: Floats, anew: Ints, unit: StepUnit, name: str) -> str:
    """Return a note that names each run of a file and says which is judged.

    Parameters
    ----------
    along, loss : (n,) ndarray
        As for `starts_anew`.
    anew : (m,) ndarray of int
        From it; at least one.
    unit : {"step", "epoch", "row"}
    name : str
        Of what counts them, fit to show.

    Returns
    -------
    str
    """
    edges = [0, *anew.tolist(), len(along)]
    n_runs = len(edges) - 1
    told = []
    for number_, (first, last) in enumerate(itertools.pairwise(edges), start=1):
        if n_runs <= MOST_NAMED or number_ in {1, n_runs}:
            told.append(f"run {number_} of {unit}s {place(along[first])} to {place(along[first:last].max())}"
                        f"{_losses(loss[first:last])}")  # fmt: skip
        elif number_ == 2:  # noqa: PLR2004 - stands for all that are left out
            told.append("...")
    return (
        f"'{printable(name, width=40)}' begins anew {'once' if n_runs == 2 else f'{n_runs - 1} times'}, "  # noqa: PLR2004
        f"so the file holds {n_runs} separate runs: {', '.join(told)}; the last one is judged"
    )


def _losses(loss: Floats) -> str:
    known = loss[np.isfinite(loss)]
    return f" (loss {number(float(known[0]))} → {number(float(known[-1]))})" if len(known) else ""
