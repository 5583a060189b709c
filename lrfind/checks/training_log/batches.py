"""What the scatter from batch to batch reveals: LR212."""

from __future__ import annotations

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.too_high import CLIMBS
from lrfind.checks.training_log.unrest import read_unrest
from lrfind.text import number, percent

# Fewer points than these are means over an epoch, as a rule, and show no batches.
FEWEST = 60
# Scatter of single batches as a share of the loss at the start. Those of one to four rows scatter by 0.07 to 0.35,
# those of 8 to 128 rows by more than this in one sound run of 30.
NOISY = 0.11
# The same as a share of the loss itself; losses far from 0 scatter by little of themselves.
OWN_SIZE = 0.1


def noisy_batches(check: Check, signals: Signals) -> Finding:
    """LR212: the loss scatters from batch to batch as much as it falls."""
    if signals.n_points < FEWEST:
        return check.not_applicable(signals.too_few(FEWEST, what="single batches need"))
    blocks = signals.blocks
    # Of all points, rare large ones too: losses of a few rows have long tails, which robust estimates leave out.
    size = max(abs(signals.start), signals.span, 1e-300)
    pieces = zip(blocks.edges[:-1].tolist(), blocks.edges[1:].tolist(), strict=True)
    scatters = np.array([float((signals.loss[a:b] / size).std()) for a, b in pieces])
    of_start = float(np.median(scatters))
    of_itself = float(np.median(scatters / np.maximum(np.abs(blocks.level) / size, 1e-9)))
    scatter = of_start * size
    numbers = {"scatter": scatter, "share_of_start": of_start, "share_of_itself": of_itself}
    unrest = read_unrest(signals)
    if of_start <= NOISY or of_itself <= OWN_SIZE or unrest.climb > CLIMBS:
        return check.passed(
            f"Single batches scatter by {number(scatter, digits=2)}, {percent(of_start)} of the loss at the start.",
            numbers,
        )
    # Scatter falls with the square root of the batch.
    times = 2 ** max(round(2 * float(np.log2(of_start / (NOISY / 4)))), 2)
    message = (
        f"The loss scatters by {number(scatter, digits=2)} from batch to batch, {percent(of_start)} of its value at "
        f"the start and {percent(of_itself)} of its own size."
    )
    return check.found(
        message,
        numbers,
        f"Use batches {min(times, 64)} times as large (or accumulate as many), or average over as many steps.",
    )
