"""What a range test says of the schedule: `read_schedule(reading, analysis) -> name, reason`."""

from __future__ import annotations

from lrfind.curve import Analysis, Reading

# A rate this close below divergence needs its first steps taken slowly.
WARMUP_MARGIN = 3.0
# Below this many steps a warm-up of a tenth is a handful of updates.
SHORTEST_WARMUP_RUN = 50


def read_schedule(reading: Reading, analysis: Analysis, *, train_steps: int) -> tuple[str, str]:
    """Return the name of the schedule a range test speaks for, and why.

    Parameters
    ----------
    reading : Reading
    analysis : Analysis
    train_steps : int

    Returns
    -------
    name, reason : str
    """
    divergence = analysis.divergence
    if divergence is not None and divergence.low / reading.lr < WARMUP_MARGIN and train_steps >= SHORTEST_WARMUP_RUN:
        share = divergence.low / reading.lr
        return "warmup_cosine", f"takes the first steps slowly: divergence begins at only {share:.1f} times the rate"
    return "cosine", "decays to 0, which suits any budget; not compared with others without a race"
