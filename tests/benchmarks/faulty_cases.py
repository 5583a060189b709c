"""The runs of `bench_diagnose.py` and what is wrong with each: `make_cases(folder)` trains them and writes their logs.

The truth of a run is what was done to it, and that it mattered: a rate three times too high is a fault only where it
costs something. The cost is the regret on the training part, (loss - best) / (knowing nothing - best), against the best
of a grid of rates with a cosine schedule; the best is that on the training and the held-out part together.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from faulty_training import Course, Recipe, parts, table, train_all

Shape = Callable[[float], float]
# A fault must cost at least the first to count, a healthy run at most the second; what lies between is left out.
COSTS_FROM, HEALTHY_TO = 0.1, 0.025
GRID_STEP = 10**0.5


def cosine(share: float) -> float:
    return (1 + math.cos(math.pi * share)) / 2


def constant(share: float) -> float:
    return 1.0


def warmup_cosine(share: float) -> float:
    return (share + 1e-3) / 0.1 if share < 0.1 else cosine((share - 0.1) / 0.9)


def halfway(share: float) -> float:
    return 1.0 if share < 0.5 else 0.1 if share < 0.75 else 0.01


def linear(share: float) -> float:
    return 1 - share


def at_twenty(share: float) -> float:
    return 1.0 if share < 0.2 else 0.01


def at_ten(share: float) -> float:
    return max(math.exp(-share / 0.04), 1e-4)


def at_the_end(share: float) -> float:
    return 1.0 if share < 0.96 else 0.05


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is known of a log: codes that must be found, codes that may, and the best rate of its base."""

    file: str
    base: str
    fault: str
    strength: float
    format: str
    codes: list[str]
    tolerated: list[str]
    lr: float
    lr_best: float | None
    regret: float


# data, net, optimiser, batch, steps, middle of the grid of rates
BASES = (
    ("digits", "mlp", "adam", 64, 300, 1e-2),
    ("cancer", "linear", "sgd", 32, 300, 0.3),
    ("mpg", "mlp", "momentum", 32, 300, 0.03),
    ("shuttle", "tanh", "adam", 64, 300, 1e-2),
    ("wine", "tanh", "rmsprop", 16, 300, 3e-3),
    ("payments", "mlp", "adam", 128, 300, 1e-2),
    ("digits", "tanh", "momentum", 64, 300, 0.1),
    ("mpg", "mlp", "adam", 32, 300, 1e-2),
    ("wine", "mlp", "sgd", 16, 300, 0.1),
    ("penguins", "tanh", "adagrad", 32, 300, 0.03),
    ("digits", "deep", "adam", 32, 600, 3e-3),
    ("cancer", "mlp", "adam", 32, 300, 1e-2),
    ("digits", "cnn", "adam", 32, 250, 1e-2),
    ("payments", "deep", "sgd", 64, 300, 0.3),
    ("shuttle", "deep", "rmsprop", 32, 300, 3e-3),
    ("digits", "mlp", "sgd", 16, 400, 0.3),
)


@dataclass(frozen=True, kw_only=True)
class Base:
    """A sound recipe, and what the best rate with a cosine schedule reaches."""

    name: str
    recipe: Recipe
    best: Course

    def regrets(self, course: Course) -> tuple[float, float]:
        """Return the regret on the training part and on the held-out part."""
        costs = []
        for reached, best in ((course.final_train, self.best.final_train), (course.final_val, self.best.final_val)):
            cost = (reached - best) / max(self.best.baseline - best, 1e-9)
            costs.append(cost if math.isfinite(cost) else math.inf)
        return costs[0], costs[1]


def find_base(row: tuple[str, str, str, int, int, float]) -> Base:
    data, net, optimizer, batch, n_steps, middle = row
    recipe = Recipe(data=data, net=net, optimizer=optimizer, batch=batch, n_steps=n_steps, lr=middle, schedule=cosine)
    rates = [middle * GRID_STEP**k for k in (-3, -2, -1, 0, 1, 2)]
    courses = train_all([replace(recipe, lr=lr) for lr in rates])
    costs = np.array([c.final_val + c.final_train for c in courses])
    costs[~np.isfinite(costs)] = np.inf
    low = costs.min()
    gain = 2 * courses[0].baseline - low
    good = np.flatnonzero(costs <= low + 0.02 * gain)
    lr = float(np.exp(np.mean(np.log(np.array(rates)[good]))))
    best = courses[int(np.argmin(costs))]
    return Base(name=f"{data}-{net}-{optimizer}", recipe=replace(recipe, lr=lr), best=best)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A recipe with its fault; `needs_cost` where the fault counts only if it costs something."""

    fault: str
    strength: float
    recipe: Recipe
    codes: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()
    needs_cost: bool = False
    per_step: bool = False
    with_val: bool = False
    with_norm: bool = False


HIGH_TOO = ("LR201", "LR202", "LR204", "LR206", "LR207", "LR208", "LR209", "LR210", "LR212", "LR214", "LR211")


TINY_TOO = ("LR202", "LR203", "LR204", "LR206", "LR208")
DEAD_TOO = ("LR210", "LR204", "LR205", "LR206", "LR212")
EXPLODING_TOO = ("LR201", "LR202", "LR203", "LR208", "LR207", "LR214", "LR212")


def rate_cases(base: Base, *, number: int) -> Iterator[Case]:
    """Yield healthy runs, rates too high and too low, and decays at the wrong time."""
    sound = replace(base.recipe, seed=number + 1)
    for k, shape in enumerate((cosine, warmup_cosine, halfway, linear)):
        yield Case(fault="healthy", strength=k, recipe=replace(sound, schedule=shape, seed=sound.seed + k))
    yield Case(
        fault="healthy",
        strength=9,
        recipe=replace(sound, schedule=constant, lr=sound.lr / 3),
        tolerated=("LR204", "LR206"),
    )
    for k, factor in enumerate((3, 10, 30, 100)):
        shape = (cosine, constant, warmup_cosine, linear)[(k + number) % 4]
        high = replace(sound, lr=sound.lr * factor, schedule=shape, seed=sound.seed + k)
        yield Case(fault="high", strength=factor, recipe=high, codes=("LR202",), tolerated=HIGH_TOO, needs_cost=True)
        low = replace(high, lr=sound.lr / factor)
        yield Case(
            fault="low",
            strength=factor,
            recipe=low,
            codes=("LR203",),
            tolerated=("LR214", "LR212", "LR210"),
            needs_cost=True,
        )
    for k, shape in enumerate((at_twenty, at_ten)):
        yield Case(
            fault="early",
            strength=k,
            recipe=replace(sound, schedule=shape, seed=sound.seed + k),
            codes=("LR205",),
            tolerated=("LR203", "LR204"),
            needs_cost=True,
        )
    never = ("LR206",)
    yield Case(
        fault="never",
        strength=1,
        recipe=replace(sound, schedule=constant),
        codes=never,
        tolerated=("LR202", "LR204", "LR212"),
        needs_cost=True,
    )
    yield Case(
        fault="never",
        strength=2,
        recipe=replace(sound, schedule=constant, lr=2 * sound.lr),
        codes=never,
        tolerated=("LR202", "LR204", "LR212"),
        needs_cost=True,
    )
    yield Case(
        fault="late",
        strength=1,
        recipe=replace(sound, schedule=at_the_end, lr=1.5 * sound.lr),
        codes=never,
        tolerated=("LR202", "LR204", "LR212"),
        needs_cost=True,
    )


def other_cases() -> Iterator[tuple[str, Case]]:
    """Yield faults that have little to do with the rate's size; their bases need no grid."""
    for data, net, lr, seed in (
        ("digits", "mlp", 5e-3, 1),
        ("cancer", "mlp", 3e-3, 2),
        ("shuttle", "mlp", 5e-3, 3),
        ("mpg", "mlp", 5e-3, 4),
        ("digits", "cnn", 5e-3, 5),
        ("payments", "mlp", 3e-3, 6),
        ("penguins", "tanh", 3e-3, 7),
        ("wine", "mlp", 3e-3, 8),
    ):
        sound = Recipe(data=data, net=net, optimizer="adam", batch=32, n_steps=300, lr=lr, schedule=cosine, seed=seed)
        name = f"{data}-{net}-other"
        yield (
            name,
            Case(
                fault="tiny batch",
                strength=1,
                per_step=True,
                codes=("LR212",),
                tolerated=TINY_TOO,
                recipe=replace(sound, batch=1, n_steps=400, lr=lr / 5),
            ),
        )
        yield (
            name,
            Case(
                fault="tiny batch",
                strength=2,
                per_step=True,
                codes=("LR212",),
                tolerated=TINY_TOO,
                recipe=replace(sound, batch=2, n_steps=400, lr=lr / 3, schedule=constant),
            ),
        )
        yield (
            name,
            Case(
                fault="bad batches",
                strength=3,
                per_step=True,
                codes=("LR208",),
                tolerated=("LR209", "LR202", "LR203"),
                with_norm=seed % 2 == 0,
                recipe=replace(sound, lr=lr / 3, bad_batches=(100, 180, 240)),
            ),
        )
        yield (
            name,
            Case(
                fault="bad batches",
                strength=1,
                per_step=True,
                codes=("LR208",),
                tolerated=("LR209", "LR202", "LR203"),
                recipe=replace(sound, lr=lr / 3, bad_batches=(150 + 10 * seed,)),
            ),
        )
        yield (
            name,
            Case(
                fault="clipped",
                strength=1,
                per_step=True,
                with_norm=True,
                codes=("LR209",),
                tolerated=("LR203", "LR204", "LR205"),
                recipe=replace(sound, optimizer="sgd", lr=10 * lr, clip=0.05),
            ),
        )
        if net == "mlp":
            yield (
                name,
                Case(
                    fault="dead",
                    strength=8,
                    codes=("LR214",),
                    tolerated=DEAD_TOO,
                    with_norm=seed % 2 == 0,
                    recipe=replace(sound, net="deep", dead=8.0),
                ),
            )
            yield (
                name,
                Case(
                    fault="dead",
                    strength=30,
                    codes=("LR214",),
                    tolerated=DEAD_TOO,
                    recipe=replace(sound, dead=30.0, schedule=constant),
                ),
            )
    for seed, data in enumerate(("digits", "digits", "cancer", "mpg", "mpg", "wine", "payments", "macro")):
        recipe = Recipe(
            data=data,
            net="wide",
            optimizer="adam",
            batch=32,
            n_steps=300,
            lr=2e-3,
            seed=seed,
            schedule=(cosine, constant)[seed % 2],
            rows=(60, 100, 200)[seed % 3],
        )
        yield (
            f"{data}-wide-few",
            Case(
                fault="overfit",
                strength=1,
                recipe=recipe,
                with_val=True,
                codes=("LR211",),
                tolerated=("LR203", "LR204", "LR206", "LR212"),
            ),
        )
        noisy = replace(recipe, flipped=0.4, rows=300)
        yield (
            f"{data}-wide-few",
            Case(
                fault="label noise",
                strength=0.4,
                recipe=noisy,
                with_val=True,
                codes=("LR211",),
                tolerated=("LR203", "LR204", "LR206", "LR212"),
            ),
        )
    for seed in range(5):
        exploding = Recipe(
            data="digits",
            net="rnn",
            optimizer="sgd",
            batch=32,
            n_steps=200,
            lr=0.02 + 0.02 * seed,
            schedule=cosine,
            seed=seed,
            gain=3.0 + seed / 2,
        )
        yield (
            "digits-rnn-sgd",
            Case(
                fault="exploding",
                strength=1,
                recipe=exploding,
                with_norm=True,
                codes=("LR209",),
                tolerated=EXPLODING_TOO,
                per_step=True,
            ),
        )
    for seed, (net, optimizer, lr) in enumerate(
        (
            ("attention", "adam", 0.01),
            ("attention", "adam", 0.006),
            ("attention", "momentum", 0.3),
            ("deep", "adam", 0.03),
            ("deep", "adam", 0.02),
            ("gru", "adam", 0.05),
            ("mlp", "adam", 0.1),
            ("deep", "momentum", 0.2),
            ("wide", "adam", 0.02),
            ("wide", "adam", 0.04),
        )
    ):
        recipe = Recipe(
            data="digits", net=net, optimizer=optimizer, batch=64, n_steps=300, lr=lr, schedule=cosine, seed=seed
        )
        yield (
            f"digits-{net}-warm",
            Case(
                fault="no warm-up",
                strength=lr,
                recipe=recipe,
                per_step=True,
                codes=("LR207",),
                tolerated=("LR202", "LR209", "LR208"),
                needs_cost=True,
            ),
        )


# ---- writing logs ----------------------------------------------------------------------------------------------------

Columns = dict[str, list[float | None]]


def columns_of(course: Course, case: Case, *, every: int) -> Columns:
    """Return what a loop logs: means over `every` steps, the held-out loss where it was measured."""
    n = len(course.loss) // every * every
    step = np.arange(1, len(course.loss) + 1)[:n].reshape(-1, every)[:, -1]
    with np.errstate(over="ignore", invalid="ignore"):
        columns: Columns = {"step": step.tolist(), "loss": course.loss[:n].reshape(-1, every).mean(1).tolist()}
    columns["lr"] = course.lr[:n].reshape(-1, every)[:, -1].tolist()
    if case.with_norm:
        columns["grad_norm"] = course.grad_norm[:n].reshape(-1, every)[:, -1].tolist()
    if case.with_val:
        at = {(k + 1) * course.val_every: v for k, v in enumerate(course.val_loss.tolist())}
        columns["val_loss"] = [
            next((at[s] for s in range(int(last) - every + 1, int(last) + 1) if s in at), None) for last in step
        ]
    return columns


def text_of(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def write_csv(columns: Columns, path: Path, *, course: Course) -> None:
    rows = [",".join(columns)] + [",".join(map(text_of, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(rows) + "\n")


def write_jsonl(columns: Columns, path: Path, *, course: Course) -> None:
    names = {"loss": "train_loss", "lr": "learning_rate", "step": "iteration"}
    with path.open("w") as file:
        for row in zip(*columns.values(), strict=True):
            record = {names.get(k, k): v for k, v in zip(columns, row, strict=True) if v is not None}
            file.write(json.dumps(record) + "\n")


def write_trainer_state(columns: Columns, path: Path, *, course: Course) -> None:
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


def write_text(columns: Columns, path: Path, *, course: Course) -> None:
    names = list(columns)
    lines = [
        " ".join(f"{name}: {text_of(v)}" for name, v in zip(names, row, strict=True) if v is not None)
        for row in zip(*columns.values(), strict=True)
    ]
    path.write_text("\n".join(f"[INFO] {line}" for line in lines) + "\n")


def write_lightning(columns: Columns, path: Path, *, course: Course) -> None:
    names = {"loss": "train_loss_step", "lr": "lr-Adam", "val_loss": "val_loss"}
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
# Steps a logged point stands for; loops log each step or the mean of ten.
EVERY = (1, 1, 10, 1, 5)


def write_case(
    base: str,
    case: Case,
    course: Course,
    *,
    folder: Path,
    number: int,
    judged: tuple[float | None, tuple[float, float]],
) -> Truth | None:
    """Write a log, and return what is true of it; None where nothing can be said."""
    lr_best, (regret, val_regret) = judged
    # Without held-out losses in its log, a fault that costs nothing on the training part cannot be seen.
    if case.needs_cost and regret < COSTS_FROM:
        return None
    if (case.fault == "healthy" and max(regret, val_regret) > HEALTHY_TO) or not is_visible(case, course):
        return None
    codes, tolerated = list(case.codes), list(case.tolerated)
    if case.fault == "high" and not np.isfinite(course.loss).all():
        codes = ["LR201"]
    format_ = list(WRITERS)[number % len(WRITERS)]
    write, suffix = WRITERS[format_]
    every = 1 if case.per_step else EVERY[number % 7 % len(EVERY)]
    if case.fault == "healthy":
        case = replace(case, with_val=number % 2 == 0, with_norm=number % 3 == 0)
    path = folder / f"{number:04d}-{base}-{case.fault.replace(' ', '-')}{suffix}"
    write(columns_of(course, case, every=every), path, course=course)
    return Truth(
        file=path.name,
        base=base,
        fault=case.fault,
        strength=case.strength,
        format=format_,
        codes=codes,
        tolerated=tolerated,
        lr=case.recipe.lr,
        lr_best=lr_best,
        regret=min(regret, 1e9),
    )


def is_visible(case: Case, course: Course) -> bool:
    """Say whether a fault left anything in what was logged that a person could point at."""
    first = course.loss[0]
    if case.fault in ("overfit", "label noise"):
        lowest = course.val_loss.min()
        rise = course.val_loss[-4:].mean() - lowest
        return bool(rise > 0.08 * lowest and rise > 0.04 * (first - lowest))
    if case.fault == "bad batches":
        return bool(max(course.loss[step] for step in case.recipe.bad_batches) > first)
    if case.fault == "dead":
        # Where one class is rare, learning how rare it is alone brings the loss far down.
        return bool(course.final_train > 0.85 * first)
    return True


def trained(named: list[tuple[str, Case]]) -> Iterator[tuple[tuple[str, Case], Course, float]]:
    """Yield each case with its course and its cost, those of one shape trained side by side.

    The cost of a missing warm-up is what the same run with one gains; other faults count as they are.
    """
    groups: dict[tuple[object, ...], list[tuple[str, Case]]] = {}
    for name, case in named:
        r = case.recipe
        shape = (r.data, r.net, r.optimizer, r.batch, r.n_steps)
        groups.setdefault(shape, []).append((name, case))
    for group in groups.values():
        recipes = [case.recipe for _, case in group]
        warm = [replace(case.recipe, schedule=warmup_cosine) for _, case in group if case.fault == "no warm-up"]
        courses = train_all(recipes + warm)
        others = iter(courses[len(recipes) :])
        for pair, course in zip(group, courses, strict=False):
            cost = 1.0
            if pair[1].fault == "no warm-up":
                better = next(others)
                cost = (course.final_train - better.final_train) / max(course.baseline - better.final_train, 1e-9)
            yield pair, course, cost


def make_cases(folder: Path) -> list[Truth]:
    """Train every run, write its log, and return the truth of each."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    truths: list[Truth | None] = []
    number = 0
    for index, row in enumerate(BASES):
        base = find_base(row)
        cases = list(rate_cases(base, number=index))
        for case, course in zip(cases, train_all([case.recipe for case in cases]), strict=True):
            truths.append(
                write_case(
                    base.name, case, course, folder=folder, number=number, judged=(base.recipe.lr, base.regrets(course))
                )
            )
            number += 1
        print(base.name, f"best {base.recipe.lr:.2g}", flush=True)
        save(truths, folder)
    for (name, case), course, cost in trained(list(other_cases())):
        truths.append(write_case(name, case, course, folder=folder, number=number, judged=(None, (cost, cost))))
        number += 1
    save(truths, folder)
    truths += list(sklearn_cases(folder, number=number))
    return save(truths, folder)


def save(truths: list[Truth | None], folder: Path) -> list[Truth]:
    known = [truth for truth in truths if truth is not None]
    (folder / "truth.json").write_text(json.dumps([asdict(truth) for truth in known], indent=1))
    return known


def sklearn_cases(folder: Path, *, number: int) -> Iterator[Truth]:
    """Yield scikit-learn's own loss curves, one value an epoch, at rates around the best."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    warnings.simplefilter("ignore")
    for data, solver in (("digits", "adam"), ("digits", "sgd"), ("cancer", "adam"), ("mpg", "adam"), ("wine", "sgd")):
        recipe = Recipe(data=data, net="mlp", optimizer=solver, batch=32, n_steps=1, lr=1.0, schedule=constant)
        x, y, _, _ = (part.numpy() for part in parts(recipe))
        make = MLPClassifier if table(data)[2] else MLPRegressor
        curves = {}
        for lr in 10.0 ** np.arange(-5, 0.1, 0.5):
            model = make(
                hidden_layer_sizes=(32,),
                solver=solver,
                batch_size=32,
                learning_rate_init=lr,
                max_iter=40,
                tol=1e-12,
                n_iter_no_change=50,
            )
            try:
                curves[lr] = np.array(model.fit(x, y).loss_curve_)
            except ValueError as error:
                print(data, solver, lr, error)
                continue
        finals = {lr: float(np.mean(curve[-3:])) for lr, curve in curves.items() if np.isfinite(curve).all()}
        if not finals:
            continue
        best = min(finals, key=finals.__getitem__)
        span = max(curve[0] for curve in curves.values()) - finals[best]
        span = min(span, 3.0)
        for lr, curve in curves.items():
            regret = (finals.get(lr, math.inf) - finals[best]) / span
            fault = "healthy" if regret < HEALTHY_TO else "high" if lr > best else "low"
            # Far from the best rate a run that did well by luck is neither healthy nor at fault.
            if HEALTHY_TO <= regret < COSTS_FROM or (fault == "healthy" and not 0.3 < lr / best < 3):
                continue
            codes = {"healthy": [], "high": ["LR202"], "low": ["LR203"]}[fault]
            tolerated = {"healthy": [], "high": list(HIGH_TOO), "low": ["LR214"]}[fault]
            path = folder / f"{number:04d}-sklearn-{data}-{solver}-{fault}.json"
            path.write_text(json.dumps(curve.tolist()))
            yield Truth(
                file=path.name,
                base=f"sklearn-{data}-{solver}",
                fault=fault,
                strength=lr / best,
                format="loss_curve_",
                codes=codes,
                tolerated=tolerated,
                lr=float(lr),
                lr_best=float(best),
                regret=min(regret, 1e9),
            )
            number += 1
