"""Data frames as people have them: time zones, objects, ids, categories, names of any type, and indexes."""

from __future__ import annotations

from datetime import UTC, date, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest

from lrfind.data import table_from_arrays
from lrfind.data.arrays import name_of
from lrfind.errors import DataError
from lrfind.problem import make_problem

pd = pytest.importorskip("pandas")

N = 60
RNG = np.random.default_rng(2)
HOURS = pd.date_range("2024-03-30", periods=N, freq="h", tz="Europe/Berlin")
EAST = timezone(timedelta(hours=5, minutes=30))
UTC_HOURS = HOURS.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")


@pytest.mark.parametrize(
    "moments",
    [
        HOURS,
        HOURS.astype(object),
        [moment.to_pydatetime() for moment in HOURS],
        [moment.to_pydatetime().astimezone(EAST if i % 2 else UTC) for i, moment in enumerate(HOURS)],
        [np.datetime64(moment) for moment in UTC_HOURS],
        HOURS.tz_convert("UTC").tz_localize(None),
    ],
)
def test_times_with_a_zone_are_dates_on_one_clock(moments):
    (column, _) = table_from_arrays(pd.DataFrame({"t": moments, "y": range(N)})).columns
    assert column.kind == "date"
    assert np.array_equal(column.values, UTC_HOURS)


def test_a_missing_time_stays_missing():
    times = pd.Series([None, *HOURS[1:].astype(object)], dtype=object)
    (column, _) = table_from_arrays(pd.DataFrame({"t": times, "y": range(N)})).columns
    assert (column.kind, np.flatnonzero(np.isnat(column.values)).tolist()) == ("date", [0])


def test_dates_periods_durations_and_decimals_are_what_they_are():
    frame = pd.DataFrame({
        "day": [date(2024, 1, 1) + timedelta(days=i) for i in range(N)],
        "month": pd.period_range("2020-01", periods=N, freq="M"),
        "long": pd.to_timedelta(np.arange(N), unit="min"),
        "price": pd.Series([Decimal("1.25")] * N, dtype=object),
        "words": pd.Series(["2024-01-01"] * N, dtype=object),
        "mixed": pd.Series([date(2024, 1, 1), "later"] * (N // 2), dtype=object),
    })  # fmt: skip
    made = {column.name: column for column in table_from_arrays(frame).columns}
    assert [made[name].kind for name in frame] == ["date", "date", "number", "number", "text", "text"]
    assert str(made["month"].values[1]).startswith("2020-02-01")
    assert (made["long"].values[:3].tolist(), made["price"].values[0]) == ([0.0, 60.0, 120.0], 1.25)


@pytest.mark.parametrize("dtype", ["int64", "object", "Int64"])
def test_ids_of_nineteen_digits_are_not_constant(dtype):
    ids = pd.Series([1582218195625940000 + 37 * i for i in range(N)], dtype=dtype)
    frame = pd.DataFrame({"tweet": ids, "a": RNG.normal(size=N), "y": RNG.normal(size=N)})
    made = table_from_arrays(frame)
    assert (made.columns[0].kind, made.columns[0].values[1]) == ("text", "1582218195625940037")
    assert make_problem(made).encodings[0].how == "dropped: id-like"


def test_large_round_amounts_stay_numbers():
    frame = pd.DataFrame({"wei": [(i + 1) * 10**18 for i in range(N)], "y": RNG.normal(size=N)})
    assert table_from_arrays(frame.astype({"wei": object})).columns[0].kind == "number"


def test_columns_may_be_called_anything_and_alike():
    frame = pd.DataFrame(RNG.normal(size=(N, 4)), columns=[4, "4", ("a", "mean"), None])
    assert [column.name for column in table_from_arrays(frame).columns] == ["4", "4_2", "('a', 'mean')", "None"]
    assert [name_of(frame, label) for label in (4, "4", ("a", "mean"), 4.0, 9)] == [
        "4", "4_2", "('a', 'mean')", "4", "9",
    ]  # fmt: skip
    assert name_of(np.zeros((3, 5)), 4) == "4"


def test_a_categorical_is_no_number():
    codes = RNG.integers(1, 5, N)
    frame = pd.DataFrame({"grade": pd.Categorical(codes), "a": RNG.normal(size=N), "y": RNG.normal(size=N)})
    made = table_from_arrays(frame)
    assert (made.columns[0].kind, made.columns[0].values[0]) == ("text", str(codes[0]))
    assert make_problem(made, target="y").encodings[0].how == "one-hot"
    assert make_problem(made, target="grade").classes == ("1", "2", "3", "4")
    y = pd.Series(codes, dtype="category")
    assert make_problem(table_from_arrays(frame[["a", "y"]], y)).task == "classification"
    assert make_problem(table_from_arrays(frame[["a", "y"]], y), task="regression").task == "regression"


def test_text_and_missing_words_may_be_named():
    frame = pd.DataFrame({"zip": [94110.0, 10001.0] * (N // 2), "c": ["NA", "x"] * (N // 2), "y": range(N)})
    made = table_from_arrays(frame, text=["zip"], na=["NA"])
    assert made.columns[0].values[:2].tolist() == ["94110", "10001"]
    assert made.columns[1].values[:2].tolist() == [None, "x"]
    assert table_from_arrays(frame).columns[1].values[0] == "NA"
    with pytest.raises(DataError, match="no column 'zipp'"):
        table_from_arrays(frame, text=["zipp"])


def test_y_is_put_in_the_order_of_x():
    X = pd.DataFrame({"a": np.arange(N)}, index=RNG.permutation(N) + 100)
    y = pd.Series(np.arange(N), index=X.index)
    shuffled = y.sample(frac=1, random_state=0)
    for given in (shuffled, shuffled.to_frame()):
        made = table_from_arrays(X, given)
        assert np.array_equal(made.columns[0].values, made.columns[1].values)
        assert "y was put in the order of X by their indexes" in made.notes
    assert table_from_arrays(X, y).notes == ()
    assert table_from_arrays(X, y.to_numpy()[::-1]).columns[1].values[0] == N - 1
    assert table_from_arrays(X.to_numpy(), y).notes == ()


@pytest.mark.parametrize("index", [range(N), [*range(99, 99 + N)], [100] * N])
def test_other_indexes_are_refused_in_one_sentence(index):
    X = pd.DataFrame({"a": np.arange(N)}, index=np.arange(N) + 100)
    with pytest.raises(DataError, match="X and y have different indexes"):
        table_from_arrays(X, pd.Series(np.arange(N), index=index))
