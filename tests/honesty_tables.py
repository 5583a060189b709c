"""Tables of many kinds, and how each is swept: what `tests/test_honesty.py` looks at.

Every table is made from a seed. `true` holds what the run itself does not store as a number but says in words, known
from how the table was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SAMPLES = Path(__file__).parents[1] / "sample_data"
# Short runs of few seeds: what is said must be true of them as of longer ones.
QUICK: Mapping[str, Any] = {"race": "quick", "train_steps": 40, "steps": 100, "seeds": 3, "jobs": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A table and how it is swept.

    Attributes
    ----------
    name : str
    make : callable
        Given a seed, the table; for a sample its path.
    options : mapping
        Fields of `lrfind.Settings`, over `QUICK`.
    file : str
        What the table is called.
    true : sequence of int
        Counts known from how the table was made.
    """

    name: str
    make: Callable[[int], pd.DataFrame] | Path
    options: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    true: Sequence[int] = ()

    def write(self, folder: Path) -> Path:
        """Write the table into a folder and return its name there."""
        path = Path(self.file or f"{self.name}.csv")
        if isinstance(self.make, Path):
            (folder / path).write_bytes(self.make.read_bytes())
        else:
            # the name decides the seed, so that a case added changes no other
            self.make(sum(map(ord, self.name))).to_csv(folder / path, index=False)
        return path

    @property
    def settings(self) -> dict[str, Any]:
        """Keywords of `lrfind.find_lr`."""
        return {**QUICK, **self.options}


def _features(rng: np.random.Generator, n_rows: int, n_columns: int) -> pd.DataFrame:
    return pd.DataFrame(rng.normal(size=(n_rows, n_columns)), columns=[f"x{i}" for i in range(n_columns)]).round(4)


def _regression(n_rows: int, n_columns: int, *, noise: float) -> Callable[[int], pd.DataFrame]:
    def make(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        table = _features(rng, n_rows, n_columns)
        signal = np.sin(table["x0"]) + 0.5 * table["x1"]
        return table.assign(y=(3 * signal + noise * rng.normal(size=n_rows) + 40).round(3))

    return make


def _classes(n_rows: int, n_columns: int, *, n_classes: int = 2, noise: float = 0.5) -> Callable[[int], pd.DataFrame]:
    def make(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        table = _features(rng, n_rows, n_columns)
        place = table["x0"] + noise * rng.normal(size=n_rows)
        labels = pd.qcut(place, n_classes, labels=[f"class {chr(97 + i)}" for i in range(n_classes)])
        return table.assign(kind=labels.astype(str))

    return make


def _with(make: Callable[[int], pd.DataFrame], change: Callable[[pd.DataFrame, Any], Any]) -> Callable[[int], Any]:
    def changed(seed: int) -> pd.DataFrame:
        table = make(seed)
        other = change(table, np.random.default_rng(seed + 1))
        return table if other is None else other

    return changed


def _typo(table: pd.DataFrame, _rng: np.random.Generator) -> None:
    table.loc[17, "y"] *= 1000


def _sentinels(table: pd.DataFrame, rng: np.random.Generator) -> None:
    for column in ("x0", "x1", "x2"):
        table.loc[rng.random(len(table)) < 0.1, column] = -9999


def _grouped(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return table.assign(site=[f"site {i}" for i in rng.integers(0, 30, len(table))]).sort_values("site")


def _timed(table: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    return table.assign(when=pd.date_range("2020-01-01", periods=len(table), freq="D").strftime("%Y-%m-%d"))


def _texts(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    words = np.array(["red", "green", "blue", "round", "square", "large", "small", "old", "new", "soft"])
    said = [" ".join(rng.choice(words, 6)) + f" of {i}" for i in range(len(table))]
    return table.assign(said=said)[["said", *table.columns]]


def _gaps(table: pd.DataFrame, _rng: np.random.Generator) -> None:
    # exactly 40, 25, 25 and 10 values
    for place, (column, count) in enumerate({"x0": 40, "x1": 25, "x2": 25, "x3": 10}.items()):
        table.loc[range(place, place + 5 * count, 5), column] = np.nan


def _copies(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    extra = {"same": 7, "also": "constant", "copy": table["x0"], "again": table["x0"]}
    ids = {"code": [f"Q{i:07d}" for i in rng.permutation(10**6)[: len(table)]], "row": range(len(table))}
    return table.assign(**extra, **ids)[[*extra, *ids, *table.columns]]


def _collinear(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    copies = {f"z{i}": (table["x0"] + 1e-3 * rng.normal(size=len(table))).round(5) for i in range(6)}
    return table.assign(**copies)[[*copies, *table.columns]]


def _missing_target(table: pd.DataFrame, _rng: np.random.Generator) -> None:
    table.loc[range(0, 150, 10), "kind"] = None


def _renamed(table: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    return table.rename(columns={"x0": "-weight (kg)", "kind": 'it\'s 90 % "kind"'})


def _scaled(table: pd.DataFrame, _rng: np.random.Generator) -> None:
    table["y"] *= -1e6


def _noise(n_rows: int, n_columns: int, *, is_class: bool) -> Callable[[int], pd.DataFrame]:
    def make(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        label = rng.choice(["no", "yes"], n_rows) if is_class else rng.normal(size=n_rows).round(4)
        return _features(rng, n_rows, n_columns).assign(outcome=label)

    return make


def _rare(seed: int) -> pd.DataFrame:
    table = _classes(500, 5, noise=0.1)(seed)
    is_rare = np.argsort(-table["x0"].to_numpy())[:8]
    return table.assign(kind=["fraud" if i in set(is_rare.tolist()) else "fine" for i in range(len(table))])


def _parity(seed: int) -> pd.DataFrame:
    # nothing is learned but at rates that let the hidden units turn
    rng = np.random.default_rng(seed)
    table = _features(rng, 400, 2)
    return table.assign(kind=np.where(table["x0"] * table["x1"] > 0, "same", "other"))


LONG, PAIR = {"sample": 300}, ("constant", "one_cycle")
SAMPLE_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "control_shuttle": LONG, "finance_synthetic_returns": LONG, "fraud_synthetic_payments": LONG,
    "ratings_synthetic_films": LONG, "text_seattle_pets": LONG, "vision_digits": LONG,
    "healthcare_breast_cancer": {}, "finance_us_macro": {"split": "time:quarter"},
}  # fmt: skip

CASES = (
    *(
        Case(name=path.stem, make=path, options=SAMPLE_OPTIONS.get(path.stem, {}))
        for path in sorted(SAMPLES.glob("*.csv"))
    ),
    Case(name="noise_classes", make=_noise(200, 5, is_class=True)),
    Case(name="noise_regression", make=_noise(200, 5, is_class=False)),
    Case(name="noise_named", make=_noise(150, 4, is_class=True), options={"target": "outcome", "schedules": PAIR}),
    Case(name="noise_guessed", make=_classes(150, 4, noise=30.0), options={"schedules": PAIR}),
    Case(name="noise_without_race", make=_noise(150, 4, is_class=True), options={"race": None}),
    Case(name="weak_signal", make=_regression(400, 5, noise=9.0)),
    Case(name="tiny", make=_classes(30, 3, noise=0.2)),
    Case(name="too_few", make=_classes(9, 3, noise=0.2)),
    Case(name="wide", make=_classes(60, 80, noise=0.1)),
    Case(name="many_classes", make=_classes(300, 4, n_classes=15, noise=0.05), options={"schedules": PAIR}),
    Case(name="rare_class", make=_rare),
    Case(name="typo", make=_with(_regression(300, 4, noise=0.3), _typo)),
    Case(name="sentinels", make=_with(_regression(300, 4, noise=0.3), _sentinels), options={"schedules": PAIR}),
    Case(name="groups", make=_with(_classes(300, 4), _grouped), options={"target": "kind", "split": "group:site"}),
    Case(name="times", make=_with(_regression(300, 4, noise=0.5), _timed),
         options={"target": "y", "split": "time:when"}),
    Case(name="texts", make=_with(_classes(200, 3), _texts), options={"schedules": PAIR}),
    Case(name="dates", make=_with(_classes(200, 3), _timed), options={"target": "kind", "schedules": PAIR}),
    Case(name="gaps", make=_with(_classes(250, 6), _gaps), true=(100,)),
    Case(name="copies", make=_with(_classes(200, 3), _copies), options={"schedules": PAIR}),
    Case(name="collinear", make=_with(_regression(200, 3, noise=0.5), _collinear), options={"schedules": PAIR}),
    Case(name="missing_target", make=_with(_classes(200, 3), _missing_target), true=(15,)),
    Case(name="sgd", make=_regression(200, 4, noise=0.5), options={"optimizer": "sgd"}),
    Case(name="lion", make=_regression(200, 4, noise=0.5), options={"optimizer": "lion"}),
    Case(name="rmsprop", make=_classes(200, 4), options={"optimizer": "rmsprop", "hidden": (32, 32)}),
    Case(name="momentum_tanh", make=_classes(200, 4), options={"optimizer": "momentum", "activation": "tanh"}),
    Case(name="without_race", make=_regression(200, 4, noise=0.5), options={"race": None}),
    Case(name="one_cycle_only", make=_regression(200, 4, noise=0.5), options={"schedules": ("one_cycle",)}),
    Case(name="closed_loop", make=_classes(200, 4), options={"schedules": ("reduce_on_plateau", "adaptive")}),
    Case(name="linear_model", make=_classes(200, 4), options={"model": "linear", "schedules": PAIR}),
    Case(name="large_batch", make=_regression(60, 4, noise=0.3), options={"batch_size": 1024, "schedules": PAIR}),
    Case(name="small_batch", make=_classes(120, 4), options={"batch_size": 8, "epochs": 3, "train_steps": None}),
    Case(name="ends_too_low", make=_regression(200, 4, noise=0.3), options={"lr_max": 1e-6}),
    Case(name="ends_low", make=_regression(200, 4, noise=0.3), options={"lr_max": 0.003, "schedules": PAIR}),
    Case(name="starts_too_high", make=_regression(200, 4, noise=0.3),
         options={"lr_min": 5.0, "lr_max": 500.0, "optimizer": "sgd"}),
    Case(name="parity", make=_parity, options={"optimizer": "sgd", "train_steps": 150, "schedules": PAIR}),
    Case(name="separable", make=_classes(200, 3, noise=0.0)),
    Case(name="scaled_target", make=_with(_regression(200, 4, noise=0.3), _scaled), options={"schedules": PAIR}),
    Case(name="many_rows", make=_classes(4_600, 2), options={"model": "linear", "train_steps": 60, "schedules": PAIR}),
    Case(name="full_race", make=_classes(150, 3), options={"race": "full", "train_steps": 30}),
    Case(name="chosen_rows", make=_with(_classes(300, 5), _timed),
         options={"target": "kind", "where": "x1 > -1", "drop": ("when", "x4"), "sample": 150}),
    Case(name="odd_names", make=_with(_classes(150, 3), _renamed),
         file="two words & 100 %.csv", options={"schedules": PAIR}),
)  # fmt: skip
