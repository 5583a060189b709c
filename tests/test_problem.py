"""`lrfind.problem`: split, units, baseline, and what is fitted on what."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.data import Column, Source, Table
from lrfind.errors import DataError, UsageError
from lrfind.problem import Problem, make_problem
from lrfind.problem.scale import FAR_SPREADS, FENCE_SPREADS
from lrfind.problem.split import _quotas

RNG = np.random.default_rng(3)


def column(name: str, values: object) -> Column:
    """A column of the kind its values suggest; None is a missing value."""
    given_values = list(values)
    known = [v for v in given_values if v is not None]
    if any(isinstance(v, str) for v in known):
        return Column(name=name, kind="text", values=np.array(given_values, dtype=object))
    if known and isinstance(known[0], np.datetime64):
        dates = [np.datetime64("NaT", "us") if v is None else v for v in given_values]
        return Column(name=name, kind="date", values=np.array(dates, dtype="datetime64[us]"))
    kind = "boolean" if known and all(isinstance(v, (bool, np.bool_)) for v in known) else "number"
    numbers = np.array([np.nan if v is None else v for v in given_values], dtype=np.float64)
    return Column(name=name, kind=kind, values=numbers)


def table(**columns: object) -> Table:
    made = tuple(column(name, values) for name, values in columns.items())
    source = Source(name="t.csv", path="t.csv", format="csv", sha256=None, size=0, mtime=None, detected=())
    n_rows = len(made[0].values) if made else 0
    return Table(source=source, columns=made, n_rows=n_rows, n_rows_total=n_rows, notes=())


def rows_of(problem: Problem, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of either part, found by a feature that holds distinct `values`."""
    both = np.concatenate([problem.X_train[:, 0], problem.X_val[:, 0]])
    place = np.empty(len(values), int)
    place[np.argsort(both, kind="stable")] = np.argsort(values, kind="stable")
    return place[: len(problem.X_train)], place[len(problem.X_train) :]


def same(one: Problem, other: Problem) -> bool:
    arrays = ("X_train", "y_train", "X_val", "y_val")
    return all(getattr(one, a).tobytes() == getattr(other, a).tobytes() for a in arrays) and one.notes == other.notes


# --- numbers


def test_numbers_become_plain_standard_scores_of_the_training_part():
    heavy = RNG.standard_t(2, 400)
    skewed = RNG.lognormal(0, 2.5, 400)
    problem = make_problem(table(a=heavy, b=skewed, y=RNG.normal(size=400)))
    train, val = rows_of(problem, heavy)
    for j, x in enumerate((heavy, skewed)):
        mean, sd = x[train].mean(), x[train].std()
        np.testing.assert_array_equal(problem.X_train[:, j], ((x[train] - mean) / sd).astype(np.float32))
        np.testing.assert_array_equal(problem.X_val[:, j], ((x[val] - mean) / sd).astype(np.float32))
    assert problem.X_train.dtype == problem.X_val.dtype == np.float32
    assert problem.notes == ()


def test_ordinary_digits_and_counts_are_not_clipped():
    counts = RNG.poisson(0.05, 1000) * RNG.integers(1, 2000, 1000)
    problem = make_problem(table(a=counts, b=RNG.normal(size=1000), y=RNG.normal(size=1000)))
    assert not any("clipped" in note for note in problem.notes)


def test_one_absurd_value_is_clipped_and_named():
    x = RNG.normal(size=1000)
    x[17] = 1e12
    problem = make_problem(table(x=x, y=RNG.normal(size=1000)))
    assert any("'x'" in note and "clipped" in note and "outlier" in note for note in problem.notes)
    bulk = np.concatenate([problem.X_train[:, 0], problem.X_val[:, 0]])
    # Fenced at 100 spreads the bulk keeps a visible width; unfenced it would be 1e-10.
    assert np.quantile(bulk, 0.9) - np.quantile(bulk, 0.1) > 0.3


def test_fences_are_as_documented():
    x = np.r_[RNG.normal(size=996), 1e12, 150.0, -150.0, 5.0]
    problem = make_problem(table(x=x, y=RNG.normal(size=1000)), seed=1)
    train, _ = rows_of(problem, x)
    q1, median, q3 = np.percentile(x[train], [25, 50, 75])
    fence = FENCE_SPREADS if np.abs(x[train] - median).max() > FAR_SPREADS * (q3 - q1) else FAR_SPREADS
    clipped = np.clip(x, median - fence * (q3 - q1), median + fence * (q3 - q1))
    expected = (clipped - clipped[train].mean()) / clipped[train].std()
    np.testing.assert_allclose(problem.X_train[:, 0], expected[train], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-30, 1e30, 1e300, 1e307])
def test_any_scale_gives_the_same_standard_scores(scale: float):
    x = RNG.integers(1, 16, 200).astype(float)
    y = RNG.integers(0, 12, 200).astype(float)
    plain = make_problem(table(x=x, y=y))
    scaled = make_problem(table(x=x * scale, y=y * scale))
    np.testing.assert_allclose(scaled.X_train, plain.X_train, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(scaled.y_val, plain.y_val, rtol=1e-3, atol=1e-3)
    assert scaled.target_sd == pytest.approx(plain.target_sd * scale, rel=1e-3)


def test_numbers_of_both_extremes_stay_finite():
    x = np.r_[RNG.normal(size=98), 1.7e308, -1.7e308]
    tiny = np.r_[np.zeros(60), 5e-324 * np.arange(1, 41)]
    problem = make_problem(table(x=x, t=tiny, y=RNG.normal(size=100)))
    assert np.isfinite(problem.X_train).all()
    assert np.isfinite(problem.X_val).all()


def test_nanosecond_timestamps_survive():
    x = 1.7e18 + np.arange(200) * 1e9
    problem = make_problem(table(x=x, y=RNG.normal(size=200)))
    assert len(np.unique(np.r_[problem.X_train[:, 0], problem.X_val[:, 0]])) == 200


def test_missing_numbers_become_the_training_median_and_are_marked():
    x = RNG.normal(size=100)
    x[::10] = np.nan
    problem = make_problem(table(k=np.arange(100) ** 1.5, x=x, y=RNG.normal(size=100)))
    assert problem.features == ("k", "x", "x missing")
    train, val = rows_of(problem, np.arange(100))
    filled = np.where(np.isnan(x), np.nanmedian(x[train]), x)
    expected = (filled - filled[train].mean()) / filled[train].std()
    np.testing.assert_allclose(problem.X_val[:, 1], expected[val], rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(problem.X_train[:, 2], np.isnan(x[train]))
    assert "10 missing values in 'x' were replaced by the median and marked" in problem.notes


def test_infinite_features_count_as_missing():
    x = RNG.normal(size=60)
    x[[3, 4]] = np.inf, -np.inf
    problem = make_problem(table(x=x, y=RNG.normal(size=60)))
    assert "2 infinite values in 'x' were taken as missing" in problem.notes


def test_a_constant_with_gaps_keeps_its_gaps():
    problem = make_problem(table(x=[7, None] * 40, z=RNG.normal(size=80), y=RNG.normal(size=80)))
    assert problem.features == ("x missing", "z")
    assert problem.encodings[0].how == "missing indicator"
    assert problem.encodings[0].n_missing == 40


@pytest.mark.parametrize(
    "values", [[5.0] * 50, [1.0, 1.0 + 2e-16] * 25, [1e15, 1e15 + 0.125] * 25, [True] * 50, [1e300] * 50]
)
def test_constant_columns_are_dropped(values: list[float]):
    problem = make_problem(table(x=values, z=RNG.normal(size=50), y=RNG.normal(size=50)))
    assert problem.features == ("z",)
    assert problem.encodings[0].how == "dropped: constant"
    assert "column 'x' was left out: it is constant" in problem.notes


def test_many_constant_columns_share_a_sentence():
    same_again = {f"c{i}": [i] * 40 for i in range(12)}
    problem = make_problem(table(**same_again, z=RNG.normal(size=40), y=RNG.normal(size=40)))
    assert "12 constant columns were left out: 'c0', 'c1', 'c2' and 9 more" in problem.notes


def test_booleans_are_numbers():
    problem = make_problem(table(b=[True, False, False, None] * 20, y=RNG.normal(size=80)))
    assert problem.features == ("b", "b missing")
    assert abs(float(problem.X_train[:, 0].mean())) < 1e-6


def test_row_numbers_are_dropped_and_ids_that_are_amounts_kept():
    n = 60
    problem = make_problem(
        table(id=np.arange(n), width=np.arange(n), user_id=RNG.integers(0, 9, n), y=RNG.normal(size=n))
    )
    assert [e.how for e in problem.encodings] == ["dropped: row numbers", "standardised", "standardised"]
    assert "column 'id' was left out: it numbers the rows" in problem.notes


def test_whole_number_ids_that_repeat_become_levels():
    ids = RNG.permutation(np.repeat(np.arange(40), 25))
    problem = make_problem(table(user_id=ids, y=RNG.normal(size=1000)))
    assert problem.encodings[0].how == "frequent levels"
    assert "user_id=7" in problem.features


# --- nothing to learn from


def test_no_features_is_an_error():
    with pytest.raises(DataError, match="no features to learn from: the table has no column but the target 'y'"):
        make_problem(table(y=RNG.normal(size=20)))


def test_only_constant_features_is_an_error_that_names_them():
    with pytest.raises(DataError, match=r"no usable feature .* 'a' \(constant\), 'b' \(empty\)"):
        make_problem(table(a=[1] * 20, b=[None] * 20, y=RNG.normal(size=20)))


# --- split


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), st.floats(0.05, 0.9), st.integers(0, 5))
def test_the_random_split_is_stratified(counts: list[int], share: float, seed: int):
    labels = [f"k{i}" for i, count in enumerate(counts) for _ in range(count)]
    if len(labels) < 8 or len(counts) * 2 > len(labels):
        return
    problem = make_problem(table(x=np.arange(len(labels)) ** 1.1, y=labels), seed=seed, val_share=share)
    assert len(problem.y_train) + len(problem.y_val) == len(labels)
    held = Counter(problem.y_val.tolist())
    for code, name in enumerate(problem.classes):
        count = counts[int(name[1:])]
        assert held[code] <= count - 1
        exact = min(max(count * share, 0), count - 1)
        assert abs(held[code] - exact) <= 2 + count * 2 / len(labels) + sum(c == 1 for c in counts)


@settings(deadline=None)
@given(st.lists(st.integers(1, 500), min_size=2, max_size=30), st.floats(0.05, 0.95))
def test_quotas_are_in_proportion(sizes: list[int], share: float):
    counts = np.array(sizes)
    n_val = min(max(round(counts.sum() * share), 1), int((counts - 1).sum()))
    quota = _quotas(counts, n_val=n_val)
    assert quota.sum() == n_val
    assert ((quota >= 0) & (quota < counts)).all()
    free = quota < counts - 1
    # Largest remainder keeps within one row of the exact share; classes that gave all they can pass their lack on.
    assert (quota[free] >= np.floor(counts * (n_val / counts.sum()))[free]).all()


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=3, max_size=12), st.integers(0, 3))
def test_groups_are_held_out_whole_and_near_the_share(sizes: list[int], seed: int):
    who = np.repeat(np.arange(len(sizes)), sizes)
    data = table(x=np.arange(len(who)) ** 1.1, who=who, y=np.arange(len(who)) % 13)
    if len(who) < 20:
        return
    try:
        problem = make_problem(data, split="group:who", seed=seed, task="regression")
    except DataError as error:
        assert "--split" in str(error) or "constant" in str(error)  # noqa: PT017
        return
    train, val = rows_of(problem, np.arange(len(who)))
    assert not set(who[train]) & set(who[val])
    assert abs(len(val) - round(len(who) / 4)) <= max(sizes)


def test_a_class_of_one_row_stays_in_training():
    labels = ["cat"] * 30 + ["dog"] * 30 + ["zebra"]
    problem = make_problem(table(x=RNG.normal(size=61), y=labels))
    assert 2 in problem.y_train
    assert 2 not in problem.y_val
    assert "class 'zebra' is rare: it has only one row, which stays in the training part" in problem.notes


def test_seeds_differ_and_repeat():
    data = table(x=RNG.normal(size=200), c=list("abcd") * 50, y=RNG.normal(size=200))
    assert same(make_problem(data, seed=4), make_problem(data, seed=4))
    assert not same(make_problem(data, seed=4), make_problem(data, seed=5))


@pytest.mark.parametrize("as_date", [False, True])
def test_time_split_holds_out_the_latest(as_date: bool):
    day = RNG.permutation(100)
    when = [np.datetime64("2020-01-01") + np.timedelta64(int(d), "D") for d in day] if as_date else day
    x = day * 1.5
    problem = make_problem(table(x=x, day=when, y=RNG.normal(size=100)), split="time:day")
    train, val = rows_of(problem, x)
    assert len(val) == 25
    assert day[train].max() < day[val].min()
    assert "day elapsed days" not in problem.features
    assert problem.split == "time:day"


def test_time_split_keeps_equal_times_together_and_unknown_ones_in_training():
    year = np.repeat([2001.0, 2002, 2003, np.nan], [40, 40, 25, 5])
    problem = make_problem(table(x=np.arange(110) ** 1.2, year=year, y=RNG.normal(size=110)), split="time:year")
    assert len(problem.y_val) == 25
    assert "5 rows without a time in 'year' stay in the training part" in problem.notes


def test_group_split_shares_no_group():
    who = RNG.choice([f"p{i}" for i in range(20)], 200)
    x = RNG.normal(size=200)
    problem = make_problem(table(x=x, who=who.tolist(), y=RNG.normal(size=200)), split="group:who")
    train, val = rows_of(problem, x)
    assert not set(who[train]) & set(who[val])
    assert 30 <= len(val) <= 70
    assert problem.features == ("x",)
    assert problem.encodings[1].how == "dropped: group of the split"


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("time:dya", "did you mean 'day'"),
        ("time", "expected random, time:COL or group:COL, got 'time'; did you mean time:COL"),
        ("time:", "expected random, time:COL or group:COL"),
        ("randm", "did you mean random"),
        ("random:x", "expected random"),
        ("group:y", "is the target"),
    ],
)
def test_splits_that_cannot_be_used(split: str, message: str):
    with pytest.raises(UsageError, match=message):
        make_problem(table(day=np.arange(20), y=RNG.normal(size=20)), split=split)


@pytest.mark.parametrize(
    ("split", "values"),
    [
        ("time:a", ["x", "z"] * 10),
        ("time:a", [1] * 20),
        ("time:a", [1] * 19 + [2]),
        ("group:a", [1] * 20),
        ("group:a", [None] * 20),
        ("group:a", [1] * 19 + [2]),
    ],
)
def test_columns_that_cannot_be_split_by(split: str, values: list[object]):
    with pytest.raises(DataError, match=f"--split {split[:-2]}: column 'a'"):
        make_problem(table(a=values, x=RNG.normal(size=20), y=RNG.normal(size=20)), split=split)


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_validation_share_is_checked(share: float):
    with pytest.raises(UsageError, match="between 0 and 1"):
        make_problem(table(x=np.arange(20), y=RNG.normal(size=20)), val_share=share)


def test_negative_seed_is_refused():
    with pytest.raises(UsageError, match="--seed must be 0 or more"):
        make_problem(table(x=np.arange(20), y=RNG.normal(size=20)), seed=-1)


# --- fitted on the training part


def test_held_out_rows_change_nothing_that_is_fitted():
    n = 200
    x, y = RNG.normal(size=n), RNG.normal(size=n)
    holes = np.where(RNG.random(n) < 0.1, np.nan, RNG.normal(size=n))
    codes = RNG.choice(list("abcde"), n).astype(object)
    when = np.datetime64("2020-01-01") + RNG.integers(0, 900, n).astype("timedelta64[D]")
    before = make_problem(table(k=np.arange(n) ** 1.1, x=x, holes=holes, codes=codes, when=list(when), y=y))
    _, val = rows_of(before, np.arange(n))
    x[val], holes[val], codes[val], y[val] = 1e9, np.nan, "new", 1e6
    when[val] = np.datetime64("1900-01-01")
    after = make_problem(table(k=np.arange(n) ** 1.1, x=x, holes=holes, codes=codes, when=list(when), y=y))
    assert after.features == before.features
    assert after.X_train.tobytes() == before.X_train.tobytes()
    assert after.y_train.tobytes() == before.y_train.tobytes()
    assert (after.target_mean, after.target_sd) == (before.target_mean, before.target_sd)
    assert np.isfinite(after.X_val).all()


def test_order_of_columns_does_not_change_the_split():
    x, z, y = RNG.normal(size=80), RNG.normal(size=80), RNG.normal(size=80)
    one, other = make_problem(table(x=x, z=z, y=y)), make_problem(table(z=z, x=x, y=y))
    np.testing.assert_array_equal(one.X_train[:, 0], other.X_train[:, 1])


# --- units and baseline


def test_regression_target_is_standardised_on_the_training_part():
    x, y = RNG.normal(size=100), RNG.lognormal(size=100) * 1e5
    problem = make_problem(table(x=x, y=y))
    train, val = rows_of(problem, x)
    assert problem.target_mean == pytest.approx(y[train].mean())
    assert problem.target_sd == pytest.approx(y[train].std())
    np.testing.assert_allclose(problem.y_val, (y[val] - y[train].mean()) / y[train].std(), rtol=1e-5, atol=1e-6)
    assert problem.y_train.dtype == np.float32
    assert problem.n_outputs == 1


def test_regression_baseline_is_the_loss_of_the_training_mean():
    problem = make_problem(table(x=RNG.normal(size=100), y=RNG.normal(size=100)))
    assert problem.baseline_loss == pytest.approx(float(np.mean(problem.y_val.astype(float) ** 2)))


def test_classification_baseline_is_the_loss_of_the_training_frequencies():
    problem = make_problem(table(x=RNG.normal(size=100), y=RNG.choice(["a", "b", "c"], 100).tolist()))
    share = np.bincount(problem.y_train) / len(problem.y_train)
    assert problem.baseline_loss == pytest.approx(-np.log(share[problem.y_val]).mean())
    assert problem.y_train.dtype == np.int64
    assert problem.n_outputs == 3


def test_baseline_of_a_class_seen_only_in_validation_is_finite():
    labels = ["a"] * 30 + ["b"] * 30 + ["c"] * 20
    problem = make_problem(table(t=np.arange(80), x=RNG.normal(size=80), y=labels), split="time:t")
    assert problem.baseline_loss == pytest.approx(-np.log(1 / 63))


def test_time_split_with_one_class_in_training_is_an_error():
    labels = ["a"] * 60 + ["b"] * 20
    with pytest.raises(DataError, match="training part holds only one class of 'y', 'a'"):
        make_problem(table(t=np.arange(80), x=RNG.normal(size=80), y=labels), split="time:t")


def test_arrays_are_read_only():
    problem = make_problem(table(x=RNG.normal(size=20), y=RNG.normal(size=20)))
    with pytest.raises(ValueError, match="read-only"):
        problem.X_train[0, 0] = 1.0


# --- cost


def test_numeric_tables_import_nothing_heavy():
    code = (
        "import sys\n"
        "from tests.test_problem import RNG, make_problem, table\n"
        "make_problem(table(x=RNG.normal(size=50), c=['a', 'b'] * 25, y=RNG.normal(size=50)))\n"
        "print(sorted({'sklearn', 'skrub', 'pandas', 'scipy'} & {name.split('.')[0] for name in sys.modules}))\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
