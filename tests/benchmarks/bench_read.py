"""How long `read_table` takes on a large CSV, beside DuckDB's own full parse of the same file.

    python tests/benchmarks/bench_read.py [ROWS] [DIRECTORY]

Writes the file if it is not there (5,000,000 rows of 20 columns: 0.8 GB), reads it both ways in processes of their
own, alternating, and prints the best times, their ratio and the peak memory of each.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

DEFAULT_ROWS = 5_000_000
N_NUMBERS = 19
# Blocks of rows are drawn once and repeated: drawing is slower than writing.
BLOCK_ROWS = 50_000
N_BLOCKS = 4
# Best of so many: other work on the machine only ever adds time.
REPEATS = 3

PREAMBLE = "import json, resource, sys, time; start = time.perf_counter(); "
EPILOGUE = (
    "; print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))"
)
READERS = {
    "duckdb": (
        "import duckdb; duckdb.sql('SET enable_progress_bar = false'); "
        "duckdb.execute('SELECT max(COLUMNS(*)) FROM read_csv(?)', [sys.argv[1]]).fetchall()"
    ),
    "lrfind": "from lrfind.data import read_table; read_table(sys.argv[1])",
}


def write_table(path: Path, n_rows: int) -> None:
    """Write `n_rows` rows of 19 numbers and a yes/no column."""
    rng = np.random.default_rng(0)
    blocks = []
    for _ in range(N_BLOCKS):
        numbers = rng.normal(size=(BLOCK_ROWS, N_NUMBERS))
        rows = (",".join(f"{value:.5f}" for value in row) + (",yes" if row[0] > 0 else ",no") for row in numbers)
        blocks.append([row + "\n" for row in rows])
    with path.open("w") as file:
        file.write(",".join(f"x{i}" for i in range(N_NUMBERS)) + ",y\n")
        for k in range(-(-n_rows // BLOCK_ROWS)):
            file.writelines(blocks[k % N_BLOCKS][: n_rows - k * BLOCK_ROWS])


def measure(reader: str, path: Path) -> tuple[float, float]:
    """Return seconds and peak megabytes of one reading in a fresh process."""
    code = PREAMBLE + READERS[reader] + EPILOGUE
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def main() -> None:
    """Write, measure, print."""
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_ROWS
    directory = Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.gettempdir())
    path = directory / f"lrfind-bench-{n_rows}.csv"
    if not path.exists():
        write_table(path, n_rows)
    runs = {reader: [] for reader in READERS}
    for _ in range(REPEATS):
        for reader in READERS:
            runs[reader].append(measure(reader, path))
    best = {reader: min(seconds for seconds, _ in found) for reader, found in runs.items()}
    peak = {reader: max(megabytes for _, megabytes in found) for reader, found in runs.items()}
    print(f"{n_rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB")
    for reader in READERS:
        print(f"{reader:8} {best[reader]:6.2f} s  peak {peak[reader]:5.0f} MB")
    print(f"ratio    {best['lrfind'] / best['duckdb']:6.2f}")


if __name__ == "__main__":
    main()
