"""The runs of `bench_diagnose.py`: `make_cases(folder)` trains them and writes their logs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from faulty_shapes import at_ten, at_the_end, at_twenty, constant, cosine, halfway, linear, warmed, warmup_cosine
from faulty_sklearn import sklearn_cases
from faulty_training import Course, Recipe, train_all
from faulty_truth import (
    COSTS_FROM,
    DEAD_TOO,
    EXPLODING_TOO,
    HEALTHY_TO,
    HIGH_TOO,
    LATE_TOO,
    LOW_TOO,
    OVERFIT_TOO,
    TINY_TOO,
    Base,
    Case,
    Truth,
    find_base,
    is_visible,
    save,
    tolerated_of,
)  # fmt: skip
from faulty_writers import WRITERS, Columns

# Share of knowing nothing that a run may end at, for its warm-up to have saved it.
SAVED_TO = 0.5

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


def rate_cases(base: Base, *, number: int) -> Iterator[Case]:
    """Yield healthy runs, rates too high and too low, and decays at the wrong time."""
    sound = replace(base.recipe, seed=number + 1)
    for k, shape in enumerate((cosine, warmup_cosine, halfway, linear)):
        yield Case(fault="healthy", strength=k, recipe=replace(sound, schedule=shape, seed=sound.seed + k))
    steady = replace(sound, schedule=constant, lr=sound.lr / 3)
    yield Case(fault="healthy", strength=9, recipe=steady, tolerated=("LR204", "LR206"))
    for k, factor in enumerate((3, 10, 30, 100)):
        shape = (cosine, constant, warmup_cosine, linear)[(k + number) % 4]
        high = replace(sound, lr=sound.lr * factor, schedule=shape, seed=sound.seed + k)
        yield costly("high", factor, high, codes=("LR202",), tolerated=HIGH_TOO)
        yield costly("low", factor, replace(high, lr=sound.lr / factor), codes=("LR203",), tolerated=LOW_TOO)
    for k, shape in enumerate((at_twenty, at_ten)):
        early = replace(sound, schedule=shape, seed=sound.seed + k)
        yield costly("early", k, early, codes=("LR205",), tolerated=("LR203", "LR204"))
    for k, factor in enumerate((1, 2), start=1):
        never = replace(sound, schedule=constant, lr=factor * sound.lr)
        yield costly("never", k, never, codes=("LR206",), tolerated=LATE_TOO)
    late = replace(sound, schedule=at_the_end, lr=1.5 * sound.lr)
    yield costly("late", 1, late, codes=("LR206",), tolerated=LATE_TOO)


def costly(
    fault: str, strength: float, recipe: Recipe, *, codes: tuple[str, ...], tolerated: tuple[str, ...], **more: bool
) -> Case:
    """Return a case that counts only if it costs something."""
    return Case(
        fault=fault, strength=strength, recipe=recipe, codes=codes, tolerated=tolerated, needs_cost=True, **more
    )


# Data, net, rate and seed of the runs whose faults are in their batches, their gradients or their units.
OTHER = (
    ("digits", "mlp", 5e-3, 1),
    ("cancer", "mlp", 3e-3, 2),
    ("shuttle", "mlp", 5e-3, 3),
    ("mpg", "mlp", 5e-3, 4),
    ("digits", "cnn", 5e-3, 5),
    ("payments", "mlp", 3e-3, 6),
    ("penguins", "tanh", 3e-3, 7),
    ("wine", "mlp", 3e-3, 8),
)
# Nets that want a warm-up, as in BASES.
DELICATE = (
    ("digits", "attention", "adam", 64, 300, 3e-3),
    ("digits", "attention", "adamw", 32, 400, 3e-3),
    ("digits", "deep", "adam", 64, 300, 1e-2),
    ("digits", "deep", "rmsprop", 64, 300, 3e-3),
    ("shuttle", "deep", "adam", 64, 300, 1e-2),
    ("digits", "gru", "adam", 64, 300, 1e-2),
    ("mpg", "deep", "momentum", 32, 300, 0.03),
)
# Times the best rate at which runs are tried without a warm-up.
ABRUPT = (2, 3, 5, 8, 12)


def other_cases() -> Iterator[tuple[str, Case]]:
    """Yield faults that have little to do with the rate's size; their bases need no grid."""
    for data, net, lr, seed in OTHER:
        sound = Recipe(data=data, net=net, optimizer="adam", batch=32, n_steps=300, lr=lr, schedule=cosine, seed=seed)
        for case in batch_cases(sound):
            yield f"{data}-{net}-other", case
    for seed, data in enumerate(("digits", "digits", "cancer", "mpg", "mpg", "wine", "payments", "macro")):
        for case in few_rows_cases(data, seed=seed):
            yield f"{data}-wide-few", case
    for seed in range(5):
        exploding = Recipe(
            data="digits", net="rnn", optimizer="sgd", batch=32, n_steps=200, lr=0.02 + 0.02 * seed,
            schedule=cosine, seed=seed, gain=3.0 + seed / 2,
        )  # fmt: skip
        yield "digits-rnn-sgd", Case(
            fault="exploding", strength=1, recipe=exploding, with_norm=True, codes=("LR209",), tolerated=EXPLODING_TOO,
            per_step=True,
        )  # fmt: skip


def abrupt_cases(base: Base, *, number: int) -> Iterator[tuple[str, Case]]:
    """Yield runs that begin at a high rate; those count whose twins with a warm-up reach much more."""
    for k, factor in enumerate(ABRUPT):
        shape = (cosine, constant, linear)[(k + number) % 3]
        abrupt = replace(base.recipe, lr=base.recipe.lr * factor, schedule=shape, seed=100 * number + k)
        yield base.name, costly("no warm-up", factor, abrupt, codes=("LR207",), tolerated=HIGH_TOO, per_step=True)


def batch_cases(sound: Recipe) -> Iterator[Case]:
    """Yield tiny batches, bad batches, clipped gradients and dead units."""
    lr, is_even = sound.lr, sound.seed % 2 == 0
    tiny = replace(sound, batch=1, n_steps=400, lr=lr / 5)
    yield stepwise("tiny batch", 1, tiny, code="LR212", tolerated=TINY_TOO)
    tiny = replace(sound, batch=2, n_steps=400, lr=lr / 3, schedule=constant)
    yield stepwise("tiny batch", 2, tiny, code="LR212", tolerated=TINY_TOO)
    bad = replace(sound, lr=lr / 3, bad_batches=(100, 180, 240))
    yield stepwise("bad batches", 3, bad, code="LR208", tolerated=("LR209", "LR202", "LR203"), with_norm=is_even)
    bad = replace(sound, lr=lr / 3, bad_batches=(150 + 10 * sound.seed,))
    yield stepwise("bad batches", 1, bad, code="LR208", tolerated=("LR209", "LR202", "LR203"))
    clipped = replace(sound, optimizer="sgd", lr=10 * lr, clip=0.05)
    yield stepwise("clipped", 1, clipped, code="LR209", tolerated=("LR203", "LR204", "LR205"), with_norm=True)
    if sound.net == "mlp":
        deep = replace(sound, net="deep", dead=8.0)
        yield Case(
            fault="dead", strength=8, codes=("LR214",), tolerated=DEAD_TOO, with_norm=is_even, recipe=deep
        )  # fmt: skip
        dead = replace(sound, dead=30.0, schedule=constant)
        yield Case(fault="dead", strength=30, codes=("LR214",), tolerated=DEAD_TOO, recipe=dead)


def stepwise(
    fault: str, strength: float, recipe: Recipe, *, code: str, tolerated: tuple[str, ...], **more: bool
) -> Case:
    """Return a case that is logged at each step."""
    return Case(
        fault=fault, strength=strength, recipe=recipe, codes=(code,), tolerated=tolerated, per_step=True, **more
    )


def few_rows_cases(data: str, *, seed: int) -> Iterator[Case]:
    """Yield wide nets that learn a few rows by heart."""
    recipe = Recipe(
        data=data, net="wide", optimizer="adam", batch=32, n_steps=300, lr=2e-3, seed=seed,
        schedule=(cosine, constant)[seed % 2], rows=(60, 100, 200)[seed % 3],
    )  # fmt: skip
    for fault, strength, few in (
        ("overfit", 1, recipe),
        ("label noise", 0.4, replace(recipe, flipped=0.4, rows=300)),
    ):
        yield Case(
            fault=fault, strength=strength, recipe=few, with_val=True, codes=("LR211",), tolerated=OVERFIT_TOO
        )  # fmt: skip


# Steps a logged point stands for; loops log each step or the mean of ten.
EVERY = (1, 1, 10, 1, 5)


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
    codes = list(case.codes)
    if case.fault == "high" and not np.isfinite(course.loss).all():
        codes = ["LR201"]
    format_ = list(WRITERS)[number % len(WRITERS)]
    write, suffix = WRITERS[format_]
    every = 1 if case.per_step else EVERY[number % 7 % len(EVERY)]
    if case.fault == "healthy":
        case = replace(case, with_val=number % 2 == 0, with_norm=number % 3 == 0)
    path = folder / f"{number:04d}-{base}-{case.fault.replace(' ', '-')}{suffix}"
    write(columns_of(course, case, every=every), path, course=course, optimizer=case.recipe.optimizer)
    return Truth(
        file=path.name,
        base=base,
        fault=case.fault,
        strength=case.strength,
        format=format_,
        codes=codes,
        tolerated=tolerated_of(case, course),
        lr=case.recipe.lr,
        optimizer=case.recipe.optimizer,
        lr_best=lr_best,
        regret=min(regret, 1e9),
    )


def trained(named: list[tuple[str, Case]]) -> Iterator[tuple[tuple[str, Case], Course, float]]:
    """Yield each case with its course and its cost, those of one shape trained side by side.

    The cost of a missing warm-up is what the same run with one gains, if that is saved by it; other faults count as
    they are.
    """
    groups: dict[tuple[object, ...], list[tuple[str, Case]]] = {}
    for name, case in named:
        r = case.recipe
        shape = (r.data, r.net, r.optimizer, r.batch, r.n_steps)
        groups.setdefault(shape, []).append((name, case))
    for group in groups.values():
        recipes = [case.recipe for _, case in group]
        warm = [
            replace(case.recipe, schedule=warmed(case.recipe.schedule))
            for _, case in group
            if case.fault == "no warm-up"
        ]
        courses = train_all(recipes + warm)
        others = iter(courses[len(recipes) :])
        for pair, course in zip(group, courses, strict=False):
            cost = 1.0
            if pair[1].fault == "no warm-up":
                cost = cost_of_cold(course, next(others))
            yield pair, course, cost


def cost_of_cold(cold: Course, warm: Course) -> float:
    """Return what a run missed for want of a warm-up: nothing where one does not save it, or nothing is left to see."""
    is_seen = np.isfinite(cold.loss).all() and math.isfinite(cold.final_train)
    if not (is_seen and warm.final_train <= SAVED_TO * warm.baseline):
        return 0.0
    return (cold.final_train - warm.final_train) / (warm.baseline - warm.final_train)


def make_cases(folder: Path) -> list[Truth]:
    """Train every run, write its log, and return the truth of each."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    truths: list[Truth | None] = []
    number = 0
    delicate: list[tuple[str, Case]] = []
    for index, row in enumerate(BASES):
        base = find_base(row)
        delicate += abrupt_cases(base, number=index)
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
    for index, row in enumerate(DELICATE, start=len(BASES)):
        delicate += abrupt_cases(find_base(row), number=index)
    for (name, case), course, cost in trained([*other_cases(), *delicate]):
        truths.append(write_case(name, case, course, folder=folder, number=number, judged=(None, (cost, cost))))
        number += 1
    save(truths, folder)
    truths += list(sklearn_cases(folder, number=number))
    return save(truths, folder)
