"""Logs in the formats that training loops write, one function a format: `WRITERS`."""

from __future__ import annotations

import json
from pathlib import Path

from faulty_training import Course

Columns = dict[str, list[float | None]]
# PyTorch's classes of the optimizers, by which Lightning calls their rates.
CLASSES = {
    "sgd": "SGD", "momentum": "SGD", "nesterov": "SGD", "adam": "Adam", "amsgrad": "Adam", "adamw": "AdamW",
    "nadam": "NAdam", "adamax": "Adamax", "radam": "RAdam", "rmsprop": "RMSprop", "adagrad": "Adagrad",
}  # fmt: skip


def text_of(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def write_csv(columns: Columns, path: Path, *, course: Course, optimizer: str) -> None:
    rows = [",".join(columns)] + [",".join(map(text_of, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(rows) + "\n")


def write_jsonl(columns: Columns, path: Path, *, course: Course, optimizer: str) -> None:
    names = {"loss": "train_loss", "lr": "learning_rate", "step": "iteration"}
    with path.open("w") as file:
        for row in zip(*columns.values(), strict=True):
            record = {names.get(k, k): v for k, v in zip(columns, row, strict=True) if v is not None}
            file.write(json.dumps(record) + "\n")


def write_trainer_state(columns: Columns, path: Path, *, course: Course, optimizer: str) -> None:
    history = []
    for row in zip(*columns.values(), strict=True):
        record = dict(zip(columns, row, strict=True))
        step = record["step"]
        entry = {
            "epoch": step / course.steps_per_epoch,
            "step": step,
            "loss": record["loss"],
            "learning_rate": record["lr"],
        }
        if record.get("grad_norm") is not None:
            entry["grad_norm"] = record["grad_norm"]
        history.append(entry)
        if record.get("val_loss") is not None:
            history.append(
                {"epoch": entry["epoch"], "step": step, "eval_loss": record["val_loss"], "eval_runtime": 1.0}
            )
    path.write_text(json.dumps({"global_step": len(course.loss), "log_history": history}, indent=1))


def write_text(columns: Columns, path: Path, *, course: Course, optimizer: str) -> None:
    names = list(columns)
    lines = [
        " ".join(f"{name}: {text_of(v)}" for name, v in zip(names, row, strict=True) if v is not None)
        for row in zip(*columns.values(), strict=True)
    ]
    path.write_text("\n".join(f"[INFO] {line}" for line in lines) + "\n")


def write_lightning(columns: Columns, path: Path, *, course: Course, optimizer: str) -> None:
    names = {"loss": "train_loss_step", "lr": f"lr-{CLASSES.get(optimizer, optimizer)}", "val_loss": "val_loss"}
    order = [k for k in columns if k != "step"]
    lines = ["epoch,step," + ",".join(names.get(k, k) for k in order)]
    for row in zip(*columns.values(), strict=True):
        record = dict(zip(columns, row, strict=True))
        step = int(record["step"])
        for name in order:
            if record[name] is not None:
                cells = [text_of(record[name]) if k == name else "" for k in order]
                lines.append(f"{step // course.steps_per_epoch},{step}," + ",".join(cells))
    path.write_text("\n".join(lines) + "\n")


WRITERS = {
    "csv": (write_csv, ".csv"),
    "jsonl": (write_jsonl, ".jsonl"),
    "trainer_state": (write_trainer_state, ".json"),
    "text": (write_text, ".log"),
    "lightning": (write_lightning, ".metrics.csv"),
}
