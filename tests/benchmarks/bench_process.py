"""Whole process against whole process: `lrfind sweep` and a script that runs torch-lr-finder once, on the same file.

All start cold in their own interpreter, read the CSV, and leave a plot behind; lrfind also trains several seeds, reads
the curve and writes its report. What is judged is the like against the like, a range test alone (`--no-race`); beside
it stands the whole of lrfind, which goes on to train rates and schedules for real. They alternate, so that a busy
machine slows all.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import measure

DATA = measure.ROOT / "sample_data" / "vision_digits.csv"
SCRIPT = Path(__file__).with_name("torch_lr_finder_script.py")
# Parts of the script's time and memory that lrfind may take: the report must come before the script's import of
# PyTorch is half done.
TIME_TARGET = 0.45
MEMORY_TARGET = 0.35


def main() -> None:
    """Measure, print, judge."""
    options = measure.parser(__doc__, repeat=5)
    options.add_argument("--torch-python", default=sys.executable, help="an interpreter that has torch-lr-finder")
    options.add_argument("--data", type=Path, default=DATA, help="a CSV file of numbers, its class last")
    asked = options.parse_args()
    kinds: dict[str, list[str]] = {"lrfind sweep --no-race": ["--no-race"], "lrfind sweep": []}
    ours: dict[str, list[measure.Run]] = {name: [] for name in kinds}
    theirs = []
    with tempfile.TemporaryDirectory() as scratch:
        for i in range(asked.repeat):
            for name, extra in kinds.items():
                out = Path(scratch, f"{name}{i}")
                command = [sys.executable, "-m", "lrfind", "sweep", asked.data, "--out", out, "--quiet", *extra]
                ours[name].append(measure.run(command))
            theirs.append(measure.run([asked.torch_python, SCRIPT, asked.data, Path(scratch, f"plot{i}.png")]))
    figures = [measure.summary(name, runs) for name, runs in ours.items()]
    seconds_theirs, peak_theirs = measure.summary("torch-lr-finder script", theirs)
    (seconds, peak), (seconds_raced, peak_raced) = figures
    print(
        f"with the race: {seconds_raced / seconds_theirs:.2f} of its time, {peak_raced / peak_theirs:.2f} of its memory"
    )
    met = [
        measure.judge("time, lrfind / script", seconds / seconds_theirs, target=TIME_TARGET, at_most=True),
        measure.judge("memory, lrfind / script", peak / peak_theirs, target=MEMORY_TARGET, at_most=True),
    ]
    measure.finish(met, judged=not asked.no_judge)


if __name__ == "__main__":
    main()
