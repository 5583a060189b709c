"""Whole process against whole process: `lrfind sweep` and a script that runs torch-lr-finder once, on the same file.

Both start cold in their own interpreter, read the CSV, and leave a plot behind; lrfind also trains several seeds,
reads the curve and writes its report. The two alternate, so that a busy machine slows both.
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
    asked, passed_on = options.parse_known_args()
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for i in range(asked.repeat):
            out, plot = Path(scratch, f"run{i}"), Path(scratch, f"plot{i}.png")
            ours.append(
                measure.run([sys.executable, "-m", "lrfind", "sweep", asked.data, "--out", out, "--quiet", *passed_on])
            )
            theirs.append(measure.run([asked.torch_python, SCRIPT, asked.data, plot]))
    seconds, peak = measure.summary("lrfind sweep", ours)
    seconds_theirs, peak_theirs = measure.summary("torch-lr-finder script", theirs)
    met = [
        measure.judge("time, lrfind / script", seconds / seconds_theirs, target=TIME_TARGET, at_most=True),
        measure.judge("memory, lrfind / script", peak / peak_theirs, target=MEMORY_TARGET, at_most=True),
    ]
    measure.finish(met, judged=not asked.no_judge)


if __name__ == "__main__":
    main()
