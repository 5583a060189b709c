"""Does the same table in another row order get the same advice?

    python tests/benchmarks/bench_row_order.py FOLDER [--every K] [--jobs N] [--json FILE]

FOLDER holds tables: any CSV, or problems as `problems.py` describes them, whose model and optimizer are then used.
Each is asked about twice, the second time with its rows shuffled.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from problems import read_cases

from lrfind.find import find_lr

# The promise: another order moves the rate by no more than this (decades) on at least this share of the tables.
MOST_DECADES, LEAST_SHARE = 0.1, 0.95


def shuffled(path: Path, folder: Path, *, seed: int) -> Path:
    """Write the table's rows in another order, and return the new file."""
    head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rows[-1] = rows[-1].rstrip("\n") + "\n"
    order = np.random.default_rng(seed).permutation(len(rows))
    there = folder / path.name
    there.write_text(head + "".join(rows[i] for i in order), encoding="utf-8")
    return there


def compare(path: Path, *, options: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return what both orders are advised, and how far apart that is in decades."""
    with tempfile.TemporaryDirectory() as folder:
        advice = [
            find_lr(str(p), learn=False, **options).recommendation
            for p in (path, shuffled(path, Path(folder), seed=seed))
        ]
    lrs = [one.lr for one in advice]
    known = lrs[0] is not None and lrs[1] is not None
    moved = abs(float(np.log10(lrs[0] / lrs[1]))) if known else 0.0 if lrs == [None, None] else None
    schedules = [one.schedule.name if one.schedule else None for one in advice]
    return {"name": path.name, "lrs": lrs, "schedules": schedules, "decades": moved}


def main() -> int:
    """Measure, print a line a table and the verdict; return 1 where the promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1, help="of the shuffle")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    todo = [(case.csv, case.options) for case in read_cases(args.folder)]
    if not todo:
        todo = [(path, {}) for path in sorted(args.folder.glob("*.csv"))]
    rows = []
    for path, options in todo[:: args.every]:
        rows.append(compare(path, options={**options, "jobs": args.jobs}, seed=args.seed))
        print(" ".join(f"{key}={value}" for key, value in rows[-1].items()), flush=True)
    moved = np.array([np.inf if row["decades"] is None else row["decades"] for row in rows])
    share = float((moved <= MOST_DECADES).mean())
    same = np.mean([row["schedules"][0] == row["schedules"][1] for row in rows])
    print(f"{len(rows)} tables: moved by at most {MOST_DECADES} decade on {share:.1%} (promised {LEAST_SHARE:.0%}),")
    print(f"median {np.median(moved):.3f}, worst {moved.max():.3f} decade; the same schedule on {same:.1%}")
    if args.json:
        args.json.write_text(json.dumps({"share": share, "rows": rows}, indent=1), encoding="utf-8")
    return 0 if share >= LEAST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
