"""What the scatter from batch to batch reveals: LR212."""

from __future__ import annotations

import math

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.smooth import white_scatter
from lrfind.text import number, percent

# Fewer points than these are means over an epoch, as a rule, and show no batches.
FEWEST = 60
# Pieces of the run whose scatter is measured, and the fewest points in one.
PIECES, FEWEST_IN_PIECE = 20, 16
# Scatter of single batches as a share of the loss at the start, and of the loss itself, that both must be passed. The
# second is what the mean of ten squared errors scatters by, if the errors are normal; losses far from 0 scatter by less
# of themselves.
NOISY, OWN_SIZE = 0.14, math.sqrt(2 / 10)
# Or the lowest loss of a piece as a share of its median, and the least scatter, as a share of the start: now and then
# one or two rows are told almost without an error, as the mean of many never is. In the training pool three in four of
# the runs with one or two rows in a batch pass either, and one in eleven of those with 16 rows or more.
QUIET, SEEN = 0.05, 0.02
# Scatter, as a share of the start, that larger batches are to bring it down to.
CALM = 0.035
# Larger factors than this are not advised: scatter of that size has other reasons too.
MOST_TIMES = 64


def noisy_batches(check: Check, signals: Signals) -> Finding:
    """LR212: the loss scatters from batch to batch as much as it falls."""
    if signals.n_points < FEWEST:
        return check.not_applicable(signals.too_few(FEWEST, what="single batches need"))
    size = max(abs(signals.start), signals.span, 1e-300)
    pieces = np.array_split(signals.loss / size, min(PIECES, signals.n_points // FEWEST_IN_PIECE))
    # Medians over the pieces: a few bad batches are no noise of all.
    scatters = [white_scatter(piece) for piece in pieces]
    of_start = float(np.median(scatters))
    of_itself = float(np.median([s / max(abs(float(p.mean())), 1e-9) for s, p in zip(scatters, pieces, strict=True)]))
    lowest = float(np.median([p.min() / max(float(np.median(p)), 1e-300) for p in pieces]))
    scatter = of_start * size
    numbers = {"scatter": scatter, "share_of_start": of_start, "share_of_itself": of_itself, "lowest_share": lowest}
    message = (
        f"The loss scatters by {number(scatter, digits=2)} from batch to batch, {percent(of_start)} of its value at "
        f"the start and {percent(of_itself)} of its own size."
    )
    # A loss that is now and then exactly 0 has a floor there, or was logged where nothing was computed.
    is_quiet = 0 <= lowest < QUIET and of_start > SEEN and bool((signals.loss != 0).all())
    if is_quiet:
        message += f" Now and then a batch has hardly any: {percent(lowest)} of what is usual around it, or less."
    if not is_quiet and (of_start <= NOISY or of_itself <= OWN_SIZE):
        return check.passed(message, numbers)
    # Scatter falls with the square root of the batch.
    times = 2 ** max(round(2 * math.log2(of_start / CALM)), 2)
    return check.found(
        message, numbers,
        f"Use batches {min(times, MOST_TIMES)} times as large (or accumulate as many), or average over as many steps.",
    )  # fmt: skip
