"""How long a person waits for `lrfind --help`: what every command pays before it begins."""

from __future__ import annotations

import sys
from statistics import median

import measure

# Seconds; a person feels a wait of more than about a third of a second.
HELP_TARGET = 0.3


def main() -> None:
    """Measure, print, judge."""
    asked = measure.parser(__doc__, repeat=15).parse_args()
    command = [sys.executable, "-m", "lrfind", "--help"]
    # Once unmeasured: the first run after an installation compiles the modules.
    measure.run(command)
    seconds = [measure.run(command).seconds for _ in range(asked.repeat)]
    met = measure.judge("lrfind --help, seconds", median(seconds), target=HELP_TARGET, at_most=True)
    measure.finish([met], judged=not asked.no_judge)


if __name__ == "__main__":
    main()
