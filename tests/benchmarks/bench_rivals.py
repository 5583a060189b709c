"""What lrfind's advice gives up of the possible gain, beside what other ways to choose a rate give up.

    python tests/benchmarks/bench_rivals.py FOLDER [--every 4] [--seeds 3] [--jobs 1] [--json FILE] [--without tpe,free]

FOLDER holds problems as `problems.py` describes them; `reference.py` in the folder above, or `--reference`, judges:
it trains with the rates it is given on all training rows and returns test losses. Only problems on which something can
be gained count. Every way is judged on the same problems with the same starting weights and batches.

lrfind forgets what earlier races on the same table taught it (`--forget own`). Optuna's TPE gets as many
updates as lrfind made in all, its range test included. The optimizers that need no rate train as many steps as the
problem says, with the same batch size, in place of the problem's own optimizer.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import io
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import threadpoolctl
from problems import Case, read_cases, summary, table

import lrfind.mlp
from lrfind.export import export
from lrfind.find import find_lr

# Seeds of the judge, which nothing else uses.
FIRST_SEED = 70
OURS = "lrfind"
TPE = {"Optuna TPE, single runs": False, "Optuna TPE, averaged": True}


def load_reference(path: Path) -> ModuleType:
    """Return the judge's trainer."""
    spec = importlib.util.spec_from_file_location("reference", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def counted_updates() -> Iterator[list[int]]:
    """Count every update of every replica that lrfind makes in this process."""
    counts: list[int] = []
    step = lrfind.mlp.Training.step

    def counting(self: lrfind.mlp.Training, lr: Any) -> Any:
        counts.append(self.n_seeds)
        return step(self, lr)

    lrfind.mlp.Training.step = counting  # type: ignore[method-assign]
    try:
        yield counts
    finally:
        lrfind.mlp.Training.step = step  # type: ignore[method-assign]


def judged(case: Case, lrs: npt.NDArray[np.float64], *, reference: ModuleType, seeds: Sequence[int]) -> float:
    """Return the regret of training with these rates."""
    X, y = case.arrays()
    X_test, y_test = case.test_arrays()
    how = {"task": case.task, "hidden": case.hidden, "optimizer": case.optimizer, "batch_size": case.batch_size}
    loss = reference.train(X, y, X_test, y_test, lrs=lrs, seeds=seeds, **how)
    return float(case.regret(loss.mean()))


def measure_case(
    case: Case, *, reference: ModuleType, seeds: Sequence[int], without: Sequence[str], jobs: int
) -> dict[str, Any]:
    """Return the regret of every way on one problem, and what it took."""
    begin = time.process_time()
    with counted_updates() as counts:
        # what lrfind knows of this very table would be an unfair advantage
        report = find_lr(str(case.csv), jobs=1, learn=False, forget="own", **case.options)
    n_updates = sum(counts)
    regrets: dict[str, float] = {OURS: 1.0}
    about: dict[str, Any] = {"updates": n_updates, "cpu_seconds": {OURS: time.process_time() - begin}}
    if report.recommendation.lr is not None:
        rows = csv.DictReader(io.StringIO(export(report.recommendation, "csv")))
        lrs = np.array([float(row["lr"]) for row in rows])
        regrets[OURS] = judged(case, lrs, reference=reference, seeds=seeds)
    if "tpe" not in without:
        import rivals_tpe

        for name, averaged in TPE.items():
            begin = time.process_time()
            pick = rivals_tpe.search(report, n_updates=n_updates, averaged=averaged, n_jobs=jobs)
            about["cpu_seconds"][name] = time.process_time() - begin
            about[name] = {"schedule": pick.schedule, "lr": pick.peak_lr, "trials": pick.n_trials}
            regrets[name] = judged(case, rivals_tpe.rates(pick, case), reference=reference, seeds=seeds)
    if "free" not in without:
        import rivals_free

        for name in rivals_free.RIVALS:
            loss = rivals_free.train(name, case, reference=reference, seeds=seeds)
            regrets[name] = float(case.regret(loss.mean()))
    return {"name": case.name, "optimizer": case.optimizer, "hidden": case.hidden, "regrets": regrets, **about}


def spread(cases: Sequence[Case]) -> list[Case]:
    """Return the cases in an order whose beginning is a fair sample, for those who stop early."""
    return [cases[place] for place in np.random.default_rng(0).permutation(len(cases))]


def main() -> int:
    """Measure and print a line a problem, then the table; return 1 where TPE is better than lrfind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--only", help="name of a problem")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="processes of TPE's trials")
    parser.add_argument("--without", default="", help="tpe, free or both: tpe,free")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    reference = load_reference(args.reference or args.folder.parent / "reference.py")
    rows: list[dict[str, Any]] = []
    for case in spread(read_cases(args.folder, every=args.every, learnable_only=True)):
        if args.only not in {None, case.name}:
            continue
        # the judge, too, trains nets so small that one thread is quickest
        with threadpoolctl.threadpool_limits(1):
            seeds = range(FIRST_SEED, FIRST_SEED + args.seeds)
            without = args.without.split(",")
            rows.append(measure_case(case, reference=reference, seeds=seeds, without=without, jobs=args.jobs))
        figures = " ".join(f"{name}={regret:.4f}" for name, regret in rows[-1]["regrets"].items())
        print(f"{case.name} {case.optimizer} {case.hidden}: {figures}", flush=True)
        if args.json:
            args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    if not rows:
        raise SystemExit(f"no problems in {args.folder}")
    regrets = {name: [row["regrets"][name] for row in rows] for name in rows[0]["regrets"]}
    print(f"\nRegret on {len(rows)} problems, {args.seeds} seeds each:\n")
    print(table(["way", "mean", "median", "p90", "worst"], [[name, *summary(all_)] for name, all_ in regrets.items()]))
    means = {name: float(np.mean(all_)) for name, all_ in regrets.items()}
    return int(any(means[name] <= means[OURS] for name in TPE if name in means))


if __name__ == "__main__":
    sys.exit(main())
