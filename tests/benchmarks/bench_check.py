"""What `lrfind check` finds in tables with faults put in at graded strength, and in the tables as they are.

    python tests/benchmarks/bench_check.py [--tables FOLDER] [--regret FOLDER] [--seeds 20] [--rows 2000] [--only leak]

The sample tables, those of a folder with a `manifest.json` (file, target) and those called `NAME.train.csv` (target y)
in another are read, a fault is put in, and the result is checked in this process. A fault counts as detected when its
code is found where it was not found before, tips included; where a table cannot hold a fault (a constant target, no
column of numbers), or the clean table has the finding already, it is not tried.

Clean tables: an alarm is an error, that is, what makes `lrfind check` exit with 1. Warnings are listed by code, to be
judged one by one: many are true of public tables. Each seed draws other rows where the table has more than `--rows`.
Tables from whose rows nothing can be learned, by what `learnable.py` sees, are counted apart: for them LR301 is no
false alarm.
Own baseline: the same rows with another seed, and, halved at random, one half against the baseline of the other. There
an alarm is any finding from LR321 to LR324.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from learnable import is_learnable

from lrfind.checks.baseline import Baseline
from lrfind.data import MAX_ROWS, read_table
from lrfind.errors import DataError
from lrfind.examine import Examination, examine
from lrfind.report.check import CheckReport

SAMPLES = Path(__file__).parents[2] / "sample_data"
Inject = Callable[[pd.DataFrame, str, float, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault at several strengths, weakest first, and the code that has to find it."""

    inject: Inject
    grades: tuple[float, ...]
    codes: tuple[str, ...]
    with_baseline: bool = False
    is_trained: bool = False


def numeric(frame: pd.DataFrame, target: str, rng: np.random.Generator) -> str | None:
    """Return a column of many different numbers, chosen at random."""
    names = [n for n in frame if n != target and pd.api.types.is_numeric_dtype(frame[n]) and frame[n].nunique() > 10]
    return str(rng.choice(names)) if names else None


def labels(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame:
    rows = np.flatnonzero(rng.random(len(frame)) < grade)
    values = frame[target].to_numpy(copy=True)
    values[rows] = values[rng.permutation(rows)]
    return frame.assign(**{target: values})


def leak(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame:
    """Add a copy of the target in other units, with noise of 1 - grade of its spread or of its labels."""
    values = frame[target]
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > 10:
        noise = rng.normal(size=len(frame)) * (1 - grade) * values.std()
        return frame.assign(settled=3 * values + noise + 7)[["settled", *frame]]
    codes = values.astype("category").cat.codes.to_numpy(copy=True)
    wrong = np.flatnonzero(rng.random(len(frame)) < 1 - grade)
    codes[wrong] = rng.permutation(codes[wrong])
    return frame.assign(settled=[f"s{code}" for code in codes])[["settled", *frame]]


def copies(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame:
    return pd.concat([frame, frame.sample(frac=grade, random_state=int(rng.integers(2**31)))]).sample(
        frac=1, random_state=int(rng.integers(2**31))
    )


def constant(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame:
    return frame.assign(fixed=np.where(rng.random(len(frame)) < grade, 3.0, 4.0))[["fixed", *frame]]


def drift(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame | None:
    name = numeric(frame, target, rng)
    return None if name is None else frame.assign(**{name: frame[name] + grade * frame[name].std()})


def rescale(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame | None:
    name = numeric(frame, target, rng)
    return None if name is None else frame.assign(**{name: frame[name] * grade})


def as_text(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame | None:
    name = numeric(frame, target, rng)
    if name is None:
        return None
    chosen = rng.random(len(frame)) < grade
    texts = [f"{value} kg" if some else f"{value}" for value, some in zip(frame[name], chosen, strict=True)]
    return frame.assign(**{name: texts})


def clock(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame:
    """Add a clock, and let a share of the rows lose their place."""
    stamped = frame.assign(clock=pd.date_range("2020-01-01", periods=len(frame), freq="h"))[["clock", *frame]]
    order = np.arange(len(frame))
    lost = np.flatnonzero(rng.random(len(frame)) < grade)
    order[lost] = rng.permutation(lost)
    return stamped.iloc[order]


def rare(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame | None:
    if frame[target].nunique() > 10:
        return None
    few = frame[target].value_counts().index[-1]
    rows = np.flatnonzero((frame[target] == few).to_numpy())
    keep = max(1, round(len(frame) * grade))
    return frame.drop(frame.index[rng.permutation(rows)[keep:]]) if keep < len(rows) else None


def bursts(frame: pd.DataFrame, target: str, grade: float, rng: np.random.Generator) -> pd.DataFrame | None:
    name = numeric(frame, target, rng)
    if name is None:
        return None
    length = round(len(frame) * grade)
    start = int(rng.integers(0, len(frame) - length))
    values = frame[name].astype(float).to_numpy(copy=True)
    values[start : start + length] = np.nan
    return frame.assign(**{name: values})


FAULTS: dict[str, Fault] = {
    "labels shuffled, alone": Fault(inject=labels, grades=(0.3, 0.6, 1.0), codes=("LR301", "LR310"), is_trained=True),
    "labels shuffled": Fault(
        inject=labels, grades=(0.3, 0.6, 1.0), codes=("LR301", "LR310", "LR324"), is_trained=True, with_baseline=True
    ),
    "target leak": Fault(inject=leak, grades=(0.9, 0.99, 1.0), codes=("LR302",)),
    "rows duplicated": Fault(inject=copies, grades=(0.05, 0.3), codes=("LR306", "LR307")),
    "column constant": Fault(inject=constant, grades=(0.99, 1.0), codes=("LR303",)),
    "column drifted (sd)": Fault(inject=drift, grades=(0.1, 0.3, 1.0), codes=("LR322",), with_baseline=True),
    "column rescaled, alone": Fault(inject=rescale, grades=(1e3, 1e6), codes=("LR311",)),
    "column rescaled": Fault(inject=rescale, grades=(1.1, 10.0, 1e6), codes=("LR311", "LR322"), with_baseline=True),
    "column as text": Fault(inject=as_text, grades=(0.03, 0.3, 1.0), codes=("LR312", "LR321"), with_baseline=True),
    "time order broken": Fault(inject=clock, grades=(0.01, 0.1, 1.0), codes=("LR313", "LR321"), with_baseline=True),
    "class rare (share)": Fault(inject=rare, grades=(0.02, 0.01, 0.002), codes=("LR309",)),
    "gaps in a burst": Fault(inject=bursts, grades=(0.01, 0.05, 0.2), codes=("LR315",)),
}


def tables(folder: Path | None, regret: Path | None) -> Iterator[tuple[str, str, Path]]:
    """Yield name, target and path of every table."""
    for path in sorted(SAMPLES.glob("*.csv")):
        yield path.stem, path.read_text(encoding="utf-8").splitlines()[0].rpartition(",")[2].strip('"'), path
    for path in sorted(regret.glob("*.train.csv")) if regret is not None else ():
        yield path.name.removesuffix(".train.csv"), "y", path
    if folder is not None:
        for entry in json.loads((folder / "manifest.json").read_text(encoding="utf-8")):
            yield entry["name"], entry["target"], folder / entry["file"]


def frame_of(path: Path, target: str, *, rows: int, seed: int = 0) -> pd.DataFrame:
    table = read_table(str(path), sample=rows, seed=seed, keep=target)
    return pd.DataFrame({column.name: column.values for column in table.columns})


# Seconds that leave no time to train: what only counts needs no models.
NO_TIME = 1e-9


def checked(
    frame: pd.DataFrame, target: str, *, seed: int, baseline: Baseline | None = None, is_trained: bool = True
) -> CheckReport | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        frame.to_csv(path, index=False)
        try:
            settings = Examination(target=target, seed=seed, budget=None if is_trained else NO_TIME)
            return examine(str(path), settings, baseline=baseline)
        except DataError:
            return None


def codes(report: CheckReport | None) -> set[str]:
    return {"refused"} if report is None else {finding.code for finding in report.found}


def percent(hits: list[bool]) -> str:
    return f"{np.mean(hits):>6.0%} of {len(hits)}" if hits else "     -     "


@dataclass(frozen=True)
class Tally:
    """What was found, over all tables and seeds."""

    alarms: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    barren: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    own: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    halves: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    warned: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    hits: dict[tuple[str, float], list[bool]] = field(default_factory=lambda: defaultdict(list))
    misses: dict[tuple[str, float], list[str]] = field(default_factory=lambda: defaultdict(list))


def changes(report: CheckReport | None) -> list[str]:
    """Return what differs from a baseline, as codes."""
    if report is None:
        return ["refused"]
    return [f.code for f in report.findings if f.state == "found" and f.code >= "LR321"]


# Seeds with which the halves of a table are compared: two trainings more, of which a few show enough.
HALVED_SEEDS = 5


def try_halves(frame: pd.DataFrame, target: str, *, seed: int) -> list[str] | None:
    """Return what one half of a table is said to have changed against the other, drawn at random, in order."""
    order = np.random.default_rng([seed, 5]).permutation(len(frame))
    first, second = (frame.iloc[np.sort(part)] for part in np.array_split(order, 2))
    then = checked(first, target, seed=seed)
    return None if then is None else changes(checked(second, target, seed=seed + 1000, baseline=then.baseline))


def try_clean(
    frame: pd.DataFrame, target: str, *, name: str, seed: int, tally: Tally, learnable: bool
) -> CheckReport | None:
    clean = checked(frame, target, seed=seed)
    if clean is None:
        return None
    (tally.alarms if learnable else tally.barren)[name].append(not clean.passed)
    own = changes(checked(frame, target, seed=seed + 1000, baseline=clean.baseline))
    tally.own[name].append(bool(own))
    apart = try_halves(frame, target, seed=seed) if seed < HALVED_SEEDS else None
    if apart is not None:
        tally.halves[name].append(bool(apart))
    for finding in clean.found:
        tally.warned[f"{finding.severity} {finding.code}"].append(name)
    found = " ".join(f"{f.code}{'!' if f.severity == 'error' else ''}" for f in clean.found)
    print(f"{name:<28} seed {seed}  {found:<36}  own baseline {own}, of other rows {apart}", flush=True)
    return clean


def try_fault(
    frame: pd.DataFrame, target: str, *, name: str, seed: int, tally: Tally, clean: CheckReport, fault_name: str
) -> None:
    fault = FAULTS[fault_name]
    for place, grade in enumerate(fault.grades):
        rng = np.random.default_rng([seed, place])
        first = clean
        if not fault.is_trained:
            # a table must have a clock before it can lose it
            before = clock(frame, target, 0.0, rng) if fault.inject is clock else frame
            first = checked(before, target, seed=seed, is_trained=False)
        broken = fault.inject(frame, target, grade, rng)
        # what is found without the fault cannot show whether the fault is
        if broken is None or first is None or codes(first) & set(fault.codes):
            continue
        if fault.inject is rare and first.problem.task == "regression":
            continue
        baseline = first.baseline if fault.with_baseline else None
        seen = codes(checked(broken, target, seed=seed, baseline=baseline, is_trained=fault.is_trained)) - codes(first)
        hit = bool(seen & {*fault.codes, "refused"})
        tally.hits[fault_name, grade].append(hit)
        if not hit:
            tally.misses[fault_name, grade].append(name)


def main() -> int:
    """Print detection and false alarms."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tables", type=Path)
    options.add_argument("--regret", type=Path)
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--rows", type=int, default=2000)
    options.add_argument("--only", default="", help="Words of the faults to try; 'none' for the clean tables alone.")
    options.add_argument("--names", default="", help="Words of the tables to try.")
    options.add_argument("--half", choices=("0", "1"), help="Every other table, by a hash of its name.")
    options.add_argument("--no-clean", action="store_false", dest="clean", help="Faults alone.")
    chosen = options.parse_args()
    faults = [name for name in FAULTS if not chosen.only or any(word in name for word in chosen.only.split(","))]
    tally, begin = Tally(), time.perf_counter()
    # seeds outside: interrupted, it has seen every table
    try:
        for seed in range(chosen.seeds):
            for name, target, path in tables(chosen.tables, chosen.regret):
                if chosen.half and zlib.crc32(name.encode()) % 2 != int(chosen.half):
                    continue
                if chosen.names and not any(word in name for word in chosen.names.split(",")):
                    continue
                frame, whole = (frame_of(path, target, rows=rows, seed=seed) for rows in (chosen.rows, MAX_ROWS))
                learnable = is_learnable(frame, target, whole=whole, path=path)
                clean = partial(try_clean, learnable=learnable) if chosen.clean else try_nothing
                try_table(frame, target, name=name, seed=seed, tally=tally, faults=faults, clean=clean)
    except KeyboardInterrupt:
        print("interrupted")
    report(tally)
    print(f"{time.perf_counter() - begin:.0f} s")
    return 0


Clean = Callable[..., CheckReport | None]


def try_nothing(frame: pd.DataFrame, target: str, *, name: str, seed: int, tally: Tally) -> CheckReport | None:
    del name, tally
    return checked(frame, target, seed=seed)


def try_table(
    frame: pd.DataFrame, target: str, *, name: str, seed: int, tally: Tally, faults: list[str], clean: Clean
) -> None:
    found = clean(frame, target, name=name, seed=seed, tally=tally)
    for fault in faults if found is not None else ():
        try_fault(frame, target, name=name, seed=seed, tally=tally, clean=found, fault_name=fault)


def report(tally: Tally) -> None:
    for words, seen in (
        ("clean tables with an error", tally.alarms),
        ("tables with nothing to learn with an error", tally.barren),
        ("changed against a baseline of their own", tally.own),
        ("changed against a baseline of their other half", tally.halves),
    ):
        every = [hit for hits in seen.values() for hit in hits]
        where = ", ".join(f"{name} {sum(hits)}/{len(hits)}" for name, hits in seen.items() if any(hits))
        print(f"{words}: {percent(every)}  {where}")
    for code in sorted(tally.warned):
        names = {name: tally.warned[code].count(name) for name in tally.warned[code]}
        print(f"  {code} in {len(names)} tables: {', '.join(f'{name} {n}' for name, n in names.items())}")
    print("\ndetected, by strength of the fault")
    for (fault, grade), hits in sorted(tally.hits.items(), key=lambda item: list(FAULTS).index(item[0][0])):
        missed = ", ".join(sorted(set(tally.misses[fault, grade])))
        print(f"  {fault:<26} {grade:<8g} {percent(hits)}  missed: {missed[:200]}")


if __name__ == "__main__":
    sys.exit(main())
