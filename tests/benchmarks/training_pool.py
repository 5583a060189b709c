"""Training runs drawn at random, each at a grid of rates, so that the best rate of every one is known.

    python tests/benchmarks/training_pool.py FOLDER [--seed N] [--bases N] [--from N] [--plain | --twins]

Needs PyTorch. A base is data, net, optimiser, batch, number of steps and schedule; its runs differ in the rate, and
some more in the schedule. With --twins each run has a twin that differs in a warm-up alone, of which only what it
reached is kept. Each base is kept in one file, with every loss, rate, gradient norm and held-out loss.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import faulty_shapes as shapes
import numpy as np
import torch
from faulty_shapes import Shape
from faulty_training import MADE, NETS, OPTIMIZERS, Course, Recipe, train_all
from pool_data import KINDS
from pool_nets import BENDS, STARTS, maker_of

# Rates of the grid: steps of a third of a decade, from 3 decades below a middling rate to 3 above.
GRID = 10.0 ** (np.arange(-9, 10) / 3)
# Those of them that are tried with and without a warm-up: where it matters, the rate is high.
TWINS = slice(5, 15)
# Schedules that begin at their peak, for twins.
COLD = ("cosine", "cosine", "constant", "halfway", "linear", "exponential", "to_a_tenth")
# Middling rates of the optimisers for small nets, and how often each is drawn.
MIDDLES = {
    "sgd": 0.2, "momentum": 0.03, "adam": 5e-3, "adamw": 5e-3, "rmsprop": 3e-3, "adagrad": 0.05, "heavy_momentum": 0.01,
    "quick_adam": 5e-3, "slow_adam": 3e-3, "radam": 1e-2, "rmsprop_momentum": 1e-3, "lion": 1e-3,
}  # fmt: skip
OFTEN = {
    "sgd": 5, "momentum": 6, "adam": 8, "adamw": 3, "rmsprop": 2, "adagrad": 2, "heavy_momentum": 1, "quick_adam": 2,
    "slow_adam": 1, "radam": 1, "rmsprop_momentum": 1, "lion": 1,
}  # fmt: skip
SCHEDULES: dict[str, Shape] = {
    name: getattr(shapes, name)
    for name in (
        "cosine", "constant", "warmup_cosine", "halfway", "linear", "one_cycle", "stable_decay", "exponential",
        "polynomial", "root", "stairs", "to_a_tenth", "inverse", "long_warmup", "two_thirds", "root_to_nothing",
        "by_plateau", "at_twenty", "at_ten", "at_a_seventh", "at_the_end", "last_moment",
    )
}  # fmt: skip
# Schedules that are no fault of their own.
SOUND = tuple(SCHEDULES)[:-5]
# Share of the gain that a rate may cost and still be counted among the best, whose middle is taken for the best.
GOOD = 0.02
TABLES = ("digits", "cancer", "shuttle", "mpg", "payments", "wine", "penguins", "macro")
TOKENS = ("markov", "recall")
# Nets that take little time a step, and may train longer.
QUICK = ("mlp", "skips", "normed", "embedded", "batched", "dropping", "products")
LEAST_STEPS, MOST_STEPS, MOST_SLOW_STEPS = 100, 2000, 400
# Where runs are drawn as most are: optimisers, batches, and most steps.
PLAIN_OFTEN = {"sgd": 2, "momentum": 2, "adam": 3, "adamw": 1, "rmsprop": 1, "adagrad": 1}
PLAIN_BATCHES = {8: 1, 16: 1, 32: 2, 64: 2, 128: 1}
PLAIN_STEPS = 900
BATCHES = {1: 1, 2: 1, 4: 2, 8: 3, 16: 4, 32: 6, 64: 6, 128: 3, 256: 2}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a base: what was logged, its rate and schedule, and what it reached."""

    lr: float
    schedule: str
    course: Course


class Lion(torch.optim.Optimizer):
    """The sign of a mean of gradients (Chen et al. 2023, arXiv:2302.06675)."""

    def __init__(self, params: Iterable[torch.Tensor], lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for p in self.param_groups[0]["params"]:
            mean = self.state[p].setdefault("mean", torch.zeros_like(p))
            p.sub_(self.param_groups[0]["lr"] * (0.9 * mean + 0.1 * p.grad).sign())
            mean.lerp_(p.grad, 0.01)


OPTIMIZERS.update(
    heavy_momentum=lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.97),
    quick_adam=lambda p, lr: torch.optim.Adam(p, lr=lr, betas=(0.9, 0.95)),
    slow_adam=lambda p, lr: torch.optim.Adam(p, lr=lr, betas=(0.95, 0.999)),
    radam=lambda p, lr: torch.optim.RAdam(p, lr=lr),
    rmsprop_momentum=lambda p, lr: torch.optim.RMSprop(p, lr=lr, momentum=0.9),
    lion=Lion,
)


def pick(rng: np.random.Generator, often: dict[Any, int]) -> Any:
    """Return a key, each as often as its value says."""
    chances = np.array(list(often.values()), dtype=float)
    return list(often)[int(rng.choice(len(often), p=chances / chances.sum()))]


def draw(seed: int, number: int, *, plain: bool) -> tuple[Recipe, str]:
    """Return a recipe at its middling rate, and the name of its schedule."""
    rng = np.random.default_rng([seed, number])
    kind = str(rng.choice([*KINDS, "table", "table", "table"]))
    data = str(rng.choice(TABLES)) if kind == "table" else f"{kind}-{seed * 1000 + number}"
    if kind != "table":
        MADE[data] = lambda: KINDS[kind](seed * 1000 + number)
    net = (draw_shape if plain else draw_net)(rng, kind=kind, data=data)
    NETS[net] = maker_of(net)
    schedule = str(rng.choice(["cosine", "cosine", "constant", "constant", *SOUND]))
    optimizer = pick(rng, PLAIN_OFTEN if plain else OFTEN)
    most = MOST_STEPS if net.split("-")[0] in QUICK else MOST_SLOW_STEPS
    most = min(most, PLAIN_STEPS) if plain else most
    batch = pick(rng, PLAIN_BATCHES if plain else BATCHES)
    # Norms over a batch take one that has statistics.
    batch = max(batch, 16) if net.startswith("batched") else batch
    n_steps = int(np.exp(rng.uniform(np.log(LEAST_STEPS), np.log(most))))
    recipe = Recipe(
        data=data, net=net, optimizer=optimizer, batch=batch, n_steps=n_steps,
        lr=MIDDLES[optimizer], schedule=SCHEDULES[schedule], seed=number,
    )  # fmt: skip
    return recipe if plain else replace(recipe, **draw_habits(rng)), schedule


def draw_habits(rng: np.random.Generator) -> dict[str, Any]:
    """Return what some runs do besides: clip, shrink, smooth, learn wrong labels or few rows, start otherwise."""
    habits: dict[str, tuple[float, Callable[[], Any]]] = {
        "clip": (0.15, lambda: float(rng.choice([0.3, 1.0, 1.0, 5.0]))),
        "shrink": (0.2, lambda: float(10 ** rng.uniform(-4, -1.5))),
        "smoothing": (0.1, lambda: float(rng.choice([0.05, 0.1]))),
        "flipped": (0.15, lambda: float(rng.uniform(0.05, 0.4))),
        "rows": (0.12, lambda: int(rng.integers(60, 300))),
        "gain": (0.15, lambda: float(rng.choice([0.5, 1.5, 2.0]))),
    }
    return {name: value() for name, (chance, value) in habits.items() if rng.random() < chance}


def draw_net(rng: np.random.Generator, *, kind: str, data: str) -> str:
    """Return the name of a net that suits the data, now and then with another start than PyTorch's."""
    net = draw_shape(rng, kind=kind, data=data)
    return f"{net}+{rng.choice([*STARTS, 'still'])}" if rng.random() < 0.35 else net


def draw_shape(rng: np.random.Generator, *, kind: str, data: str) -> str:
    if kind in TOKENS:
        return str(
            rng.choice([f"tokens-{rng.choice([16, 32])}-{rng.integers(1, 4)}", f"embedded-{rng.integers(16, 97)}"])
        )
    images = ["convolved-6", "convolved-12", "cnn", "rows-24", "gated-16"]
    rows = ["gated-24", "looped-24", "sliding-8", "sliding-16"]
    special = {"series": rows, "sensors": rows, "patches": images, "gratings": [*images, "looped-16"]}
    usual = images if data == "digits" else special.get(kind, [])
    if usual and rng.random() < 0.6:
        return str(rng.choice(usual))
    width, some = rng.choice([16, 32, 64, 128]), rng.random()
    if some < 0.4:
        kinds = (
            f"skips-{width}-{rng.integers(1, 7)}", f"normed-{width}-{rng.integers(1, 5)}",
            f"batched-{width}-{rng.integers(1, 5)}",
            f"dropping-{width}-{rng.integers(1, 4)}-{rng.choice([10, 30, 50])}", f"products-{rng.choice([8, 16, 32])}",
        )  # fmt: skip
        return str(rng.choice(kinds))
    depth = int(rng.choice([0, 0, 1, 1, 1, 2, 2, 3, 4, 6, 8, 10]))
    return f"mlp-{'x'.join([str(rng.choice([8, 16, 32, 64, 128]))] * depth)}-{rng.choice(list(BENDS))}"


def costs_of(courses: list[Course]) -> np.ndarray:
    """Return the share of the possible gain that each run missed, on both parts together."""
    reached = np.array([c.final_train + c.final_val for c in courses])
    reached[~np.isfinite(reached)] = np.inf
    low = reached.min()
    return np.asarray((reached - low) / max(2 * courses[0].baseline - low, 1e-9))


def best_of(rates: np.ndarray, costs: np.ndarray) -> float:
    """Return the middle of the rates that do as well as the best, or almost."""
    return float(np.exp(np.log(rates[costs <= costs.min() + GOOD]).mean()))


def train_base(seed: int, number: int, *, plain: bool) -> tuple[list[Run], dict[str, Any]]:
    """Train a base at every rate of the grid, and with other schedules at the best."""
    recipe, schedule = draw(seed, number, plain=plain)
    rates = recipe.lr * GRID
    courses = train_all([replace(recipe, lr=float(lr)) for lr in rates])
    lr_best = best_of(rates, costs_of(courses))
    rng = np.random.default_rng([seed, number, 1])
    more = [(str(name), float(rng.choice([0.5, 1.0, 1.0, 2.0]))) for name in rng.choice(SOUND, 5, replace=False)]
    more += [
        ("at_twenty", 1.0), ("at_ten", 1.0), ("at_a_seventh", 1.5), ("constant", 0.6), ("constant", 1.0),
        ("constant", 2.0), ("at_the_end", 1.5), ("last_moment", float(rng.choice([0.7, 1.0, 2.0]))),
    ]  # fmt: skip
    others = train_all(
        [
            replace(recipe, lr=lr_best * factor, schedule=SCHEDULES[name], seed=recipe.seed + 1000)
            for name, factor in more
        ]
    )
    runs = [Run(lr=float(lr), schedule=schedule, course=c) for lr, c in zip(rates, courses, strict=True)]
    runs += [Run(lr=lr_best * factor, schedule=name, course=c) for (name, factor), c in zip(more, others, strict=True)]
    return runs, about_of(recipe, schedule, lr_best=lr_best, n_grid=len(rates), baseline=courses[0].baseline)


def train_twins(seed: int, number: int) -> tuple[list[Run], dict[str, Any]]:
    """Train a base at the upper rates of the grid, without and with a warm-up, and return the runs without."""
    recipe, _ = draw(seed, number, plain=False)
    schedule = str(np.random.default_rng([seed, number, 2]).choice(COLD))
    rates = (recipe.lr * GRID)[TWINS]
    cold = [replace(recipe, lr=float(lr), schedule=SCHEDULES[schedule]) for lr in rates]
    warm = [replace(each, schedule=shapes.warmed(each.schedule)) for each in cold]
    courses = train_all(cold + warm)
    lr_best = best_of(rates, costs_of(courses)[: len(cold)])
    runs = [Run(lr=float(lr), schedule=schedule, course=c) for lr, c in zip(rates, courses, strict=False)]
    about = about_of(recipe, schedule, lr_best=lr_best, n_grid=len(rates), baseline=courses[0].baseline)
    return runs, {**about, "warm": [float(min(c.final_train, 1e30)) for c in courses[len(cold) :]]}


def about_of(recipe: Recipe, schedule: str, *, lr_best: float, n_grid: int, baseline: float) -> dict[str, Any]:
    """Return what is known of a base."""
    return {
        "data": recipe.data, "net": recipe.net, "optimizer": recipe.optimizer, "batch": recipe.batch,
        "n_steps": recipe.n_steps, "schedule": schedule, "lr_best": lr_best, "n_grid": n_grid, "baseline": baseline,
        **{habit: getattr(recipe, habit) for habit in ("clip", "shrink", "smoothing", "flipped", "rows", "gain")},
    }  # fmt: skip


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
    parser.add_argument("--plain", action="store_true", help="runs as most are, without odd habits")
    parser.add_argument("--twins", action="store_true", help="runs with and without a warm-up")
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
            runs, about = (
                train_twins(options.seed, number)
                if options.twins
                else train_base(options.seed, number, plain=options.plain)
            )
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
