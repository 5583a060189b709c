"""How long reading a training log of a million rows takes, format by format; each at most five seconds.

    python tests/benchmarks/bench_logs.py [--rows ROWS] [--no-judge]

Counts processor time, which other work on the machine inflates less than the time of the clock.
"""

from __future__ import annotations

import argparse
import json
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from measure import finish, judge

from lrfind.logs import read_log
from lrfind.logs.crc32c import crc32c_each

TARGET = 5.0
Rows = list[tuple[int, float, float]]


def rows_of(n_rows: int) -> Rows:
    """Return (step, loss, rate) of a run under a cosine."""
    share = np.arange(n_rows) / n_rows
    loss = 2 * np.exp(-5 * share) + 0.3 + 0.1 * np.random.default_rng(0).normal(size=n_rows)
    lr = 0.01 * (1 + np.cos(np.pi * share)) / 2
    return list(zip(range(n_rows), loss.round(6).tolist(), lr.tolist(), strict=True))


def csv_lines(rows: Rows) -> Iterator[str]:
    yield "step,loss,lr\n"
    yield from (f"{step},{loss},{lr:.6g}\n" for step, loss, lr in rows)


def json_lines(rows: Rows) -> Iterator[str]:
    yield from (json.dumps({"step": step, "loss": loss, "lr": lr}) + "\n" for step, loss, lr in rows)


def printed_lines(rows: Rows) -> Iterator[str]:
    yield from (f"[INFO] step {step} loss: {loss:.4f} lr: {lr:.3e}\n" for step, loss, lr in rows)


def trainer_state(rows: Rows) -> Iterator[str]:
    yield '{"global_step": 1, "log_history": [\n'
    records = (json.dumps({"step": s, "epoch": s / 1e3, "loss": y, "learning_rate": lr}) for s, y, lr in rows)
    yield ",\n".join(records)
    yield "]}\n"


def mlflow_lines(rows: Rows) -> Iterator[str]:
    yield from (f"{1_700_000_000_000 + step} {loss} {step}\n" for step, loss, _ in rows)


def event_file(rows: Rows) -> bytes:
    """Return TensorBoard events, one scalar each, as `SummaryWriter.add_scalar` frames them."""
    bodies = []
    for step, loss, _ in rows:
        value = b"\x0a\x04loss\x15" + struct.pack("<f", loss)
        body = b"\x09" + struct.pack("<d", 1.7e9 + step) + b"\x10" + varint(step)
        bodies.append(body + b"\x2a" + bytes([len(value) + 2, 0x0A, len(value)]) + value)
    heads = [struct.pack("<Q", len(body)) for body in bodies]
    pieces = [piece for pair in zip(heads, bodies, strict=True) for piece in pair]
    lengths = np.array([len(piece) for piece in pieces])
    crcs = crc32c_each(np.frombuffer(b"".join(pieces), np.uint8), starts=lengths.cumsum() - lengths, lengths=lengths)
    masked = ((crcs >> 15 | crcs << 17) + np.uint32(0xA282EAD8)).astype("<u4")
    return b"".join(piece + crc.tobytes() for piece, crc in zip(pieces, masked, strict=True))


def varint(number: int) -> bytes:
    digits = []
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


TEXTS: dict[str, Callable[[Rows], Iterator[str]]] = {
    "metrics.csv": csv_lines, "log.jsonl": json_lines, "out.log": printed_lines, "trainer_state.json": trainer_state,
    "train_loss": mlflow_lines,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--no-judge", action="store_true", help="exit 0 even when a target is missed")
    options = parser.parse_args()
    rows = rows_of(options.rows)
    met = []
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in TEXTS.items():
            with (Path(folder) / name).open("w") as file:
                file.writelines(lines(rows))
        (Path(folder) / "events.out.tfevents.1.host").write_bytes(event_file(rows))
        for path in sorted(Path(folder).iterdir()):
            began = time.process_time()
            log = read_log(str(path))
            seconds = time.process_time() - began
            if len(log.step) != options.rows:
                raise RuntimeError(f"{path.name}: {len(log.step):,} points of {options.rows:,} rows")
            met.append(judge(f"{path.name} ({log.format}), seconds", seconds, target=TARGET, at_most=True))
    finish(met, judged=not options.no_judge)


if __name__ == "__main__":
    main()
