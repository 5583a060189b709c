"""Training runs drawn at random, each at a grid of rates, so that the best rate of every one is known.

    python tests/benchmarks/training_pool.py FOLDER [--seed N] [--bases N] [--from N]

Needs PyTorch. A base is data, net, optimiser, batch, number of steps and schedule; its runs differ in the rate, and
some more in the schedule. Each base is kept in one file, with every loss, rate, gradient norm and held-out loss.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import faulty_shapes as shapes
import numpy as np
import torch
from faulty_shapes import Shape
from faulty_training import MADE, NETS, Course, Recipe, train_all
from pool_data import KINDS
from pool_nets import BENDS, maker_of

# Rates of the grid: steps of a third of a decade, from 3 decades below a middling rate to 3 above.
GRID = 10.0 ** (np.arange(-9, 10) / 3)
# Middling rates of the optimisers for small nets.
MIDDLES = {
    "sgd": 0.2, "momentum": 0.03, "adam": 5e-3, "adamw": 5e-3, "rmsprop": 3e-3, "adagrad": 0.05,
}  # fmt: skip
OFTEN = ("sgd", "sgd", "momentum", "momentum", "adam", "adam", "adam", "adamw", "rmsprop", "adagrad")
SCHEDULES: dict[str, Shape] = {
    name: getattr(shapes, name)
    for name in (
        "cosine", "constant", "warmup_cosine", "halfway", "linear", "one_cycle", "stable_decay", "exponential",
        "polynomial", "root", "stairs", "to_a_tenth", "at_twenty", "at_ten", "at_the_end",
    )
}  # fmt: skip
SOUND = tuple(SCHEDULES)[:-3]
# Share of the gain that a rate may cost and still be counted among the best, whose middle is taken for the best.
GOOD = 0.02
TABLES = ("digits", "cancer", "shuttle", "mpg", "payments", "wine", "penguins", "macro")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a base: what was logged, its rate and schedule, and what it reached."""

    lr: float
    schedule: str
    course: Course


def draw(seed: int, number: int) -> tuple[Recipe, str]:
    """Return a recipe at its middling rate, and the name of its schedule."""
    rng = np.random.default_rng([seed, number])
    kind = str(rng.choice([*KINDS, "table", "table"]))
    data = str(rng.choice(TABLES)) if kind == "table" else f"{kind}-{seed * 1000 + number}"
    if kind != "table":
        MADE[data] = lambda: KINDS[kind](seed * 1000 + number)
    net = draw_net(rng, kind=kind, data=data)
    NETS[net] = maker_of(net)
    schedule = str(rng.choice(["cosine", "constant", *SOUND]))
    optimizer = str(rng.choice(OFTEN))
    most = 900 if net.split("-")[0] in ("mlp", "skips", "normed", "embedded") else 350
    n_steps = int(np.exp(rng.uniform(np.log(100), np.log(most))))
    recipe = Recipe(
        data=data, net=net, optimizer=optimizer, batch=int(rng.choice([8, 16, 32, 32, 64, 64, 128])), n_steps=n_steps,
        lr=MIDDLES[optimizer], schedule=SCHEDULES[schedule], seed=number,
    )  # fmt: skip
    return recipe, schedule


def draw_net(rng: np.random.Generator, *, kind: str, data: str) -> str:
    """Return the name of a net that suits the data."""
    if kind == "markov":
        return str(
            rng.choice([f"tokens-{rng.choice([16, 32])}-{rng.integers(1, 3)}", f"embedded-{rng.integers(16, 97)}"])
        )
    special = {"series": ["gated-24"], "patches": ["convolved-6", "convolved-12", "cnn", "rows-24", "gated-16"]}
    images = special["patches"] if data == "digits" else special.get(kind, [])
    if images and rng.random() < 0.6:
        return str(rng.choice(images))
    if rng.random() < 0.25:
        return f"{rng.choice(['skips', 'normed'])}-{rng.choice([16, 32, 64])}-{rng.integers(1, 5)}"
    depth = int(rng.choice([0, 1, 1, 2, 2, 3, 4, 6]))
    return f"mlp-{'x'.join([str(rng.choice([8, 16, 32, 64, 128]))] * depth)}-{rng.choice(list(BENDS))}"


def costs_of(courses: list[Course]) -> np.ndarray:
    """Return the share of the possible gain that each run missed, on both parts together."""
    reached = np.array([c.final_train + c.final_val for c in courses])
    reached[~np.isfinite(reached)] = np.inf
    low = reached.min()
    return np.asarray((reached - low) / max(2 * courses[0].baseline - low, 1e-9))


def train_base(seed: int, number: int) -> tuple[list[Run], dict[str, Any]]:
    """Train a base at every rate of the grid, and with other schedules at the best."""
    recipe, schedule = draw(seed, number)
    rates = recipe.lr * GRID
    courses = train_all([replace(recipe, lr=float(lr)) for lr in rates])
    costs = costs_of(courses)
    lr_best = float(np.exp(np.log(rates[costs <= GOOD]).mean()))
    rng = np.random.default_rng([seed, number, 1])
    more = [(str(name), float(rng.choice([0.5, 1.0, 1.0, 2.0]))) for name in rng.choice(SOUND, 5, replace=False)]
    more += [("at_twenty", 1.0), ("at_ten", 1.0), ("constant", 1.0), ("constant", 2.0), ("at_the_end", 1.5)]
    others = train_all(
        [
            replace(recipe, lr=lr_best * factor, schedule=SCHEDULES[name], seed=recipe.seed + 1000)
            for name, factor in more
        ]
    )
    runs = [Run(lr=float(lr), schedule=schedule, course=c) for lr, c in zip(rates, courses, strict=True)]
    runs += [Run(lr=lr_best * factor, schedule=name, course=c) for (name, factor), c in zip(more, others, strict=True)]
    about = {
        "data": recipe.data, "net": recipe.net, "optimizer": recipe.optimizer, "batch": recipe.batch,
        "n_steps": recipe.n_steps, "schedule": schedule, "lr_best": lr_best, "n_grid": len(rates),
        "baseline": courses[0].baseline, "lowest": min(float(costs.min()), 1.0),
    }  # fmt: skip
    return runs, about


def save(path: Path, runs: list[Run], about: dict[str, Any]) -> None:
    """Write the runs of a base to one file."""
    n_steps, courses = about["n_steps"], [run.course for run in runs]

    def padded(rows: list[np.ndarray], width: int) -> np.ndarray:
        return np.stack([np.pad(row, (0, width - len(row)), constant_values=np.nan) for row in rows])

    with np.errstate(over="ignore"):
        np.savez(
            path, about=np.array(json.dumps(about)), lr=np.array([run.lr for run in runs]),
            schedule=np.array([run.schedule for run in runs]), loss=padded([c.loss for c in courses], n_steps),
            length=np.array([len(c.loss) for c in courses]),
            grad_norm=np.stack([c.grad_norm for c in courses]).astype(np.float32),
            val_loss=np.stack([c.val_loss for c in courses]), val_every=courses[0].val_every,
            steps_per_epoch=np.array([c.steps_per_epoch for c in courses]),
            final_train=np.array([c.final_train for c in courses]), final_val=np.array([c.final_val for c in courses]),
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bases", type=int, default=200)
    parser.add_argument("--from", type=int, default=0, dest="first")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.first + options.bases):
        path = options.folder / f"{options.seed:03d}-{number:04d}.npz"
        if path.exists():
            continue
        begin = time.perf_counter()
        try:
            runs, about = train_base(options.seed, number)
        except ValueError as error:
            print(number, error, flush=True)
            continue
        save(path, runs, about)
        seconds = time.perf_counter() - begin
        print(
            number,
            about["data"],
            about["net"],
            about["optimizer"],
            about["n_steps"],
            f"{about['lr_best']:.2g} {seconds:.1f}s",
            flush=True,
        )


if __name__ == "__main__":
    main()
