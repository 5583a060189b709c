"""What the scatter from batch to batch reveals: LR212."""

from __future__ import annotations

import numpy as np

from lrfind.checks.finding import Check, Finding
from lrfind.checks.training_log.signals import Signals
from lrfind.checks.training_log.too_high import CLIMBS
from lrfind.checks.training_log.unrest import read_unrest

# Fewer points than these are means over an epoch, as a rule, and show no batches.
FEWEST = 60
# Scatter of single batches as a share of the loss at the start. Batches of one or two rows scatter by 0.06 to 0.3.
NOISY = 0.1
# Scatter as a share of the loss itself. Losses of single rows scatter by about their own size (an exponential
# distribution exactly so), and the mean of 16 by a quarter of it.
OWN_SIZE = 0.25


def noisy_batches(check: Check, signals: Signals) -> Finding:
    """LR212: the loss scatters from batch to batch as much as it falls."""
    if signals.n_points < FEWEST:
        return check.not_applicable(f"The log has {signals.n_points} points; single batches show from {FEWEST} on.")
    blocks = signals.blocks
    scatter = float(np.median(blocks.noise))
    of_start = scatter / max(abs(signals.start), signals.span, 1e-300)
    of_itself = float(np.median(blocks.noise / np.maximum(np.abs(blocks.level), 1e-300)))
    numbers = {"scatter": scatter, "share_of_start": of_start, "share_of_itself": of_itself}
    unrest = read_unrest(signals)
    if of_start <= NOISY or of_itself <= OWN_SIZE or unrest.climb > CLIMBS:
        return check.passed(
            f"Single batches scatter by {scatter:.2g}, {of_start:.1%} of the loss at the start.", numbers
        )
    # Scatter falls with the square root of the batch.
    times = 2 ** max(round(2 * float(np.log2(of_start / (NOISY / 4)))), 2)
    message = (
        f"The loss scatters by {scatter:.2g} from batch to batch, {of_start:.0%} of its value at the start and "
        f"{of_itself:.0%} of its own size."
    )
    return check.found(
        message,
        numbers,
        f"Use batches {min(times, 64)} times as large (or accumulate as many), or average over as many steps.",
    )
