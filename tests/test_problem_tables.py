"""`lrfind.problem`: targets, tasks, labels, texts, dates, and real tables end to end."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.data import read_table
from lrfind.errors import DataError, LrfindError, UsageError
from lrfind.problem import Problem, make_problem
from lrfind.problem.dates import PARTS, date_parts
from lrfind.problem.encode import MAX_TEXT_FEATURES
from lrfind.problem.labels import natural_key
from lrfind.problem.target import read_target
from tests.test_problem import table

ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(8)
X = RNG.normal(size=120)


def problem_of(y: object, **options: object) -> Problem:
    return make_problem(table(x=X[: len(list(y))], y=y), **options)  # type: ignore[arg-type]


# --- which column


@pytest.mark.parametrize(
    ("names", "chosen", "reason"),
    [
        (("a", "Target", "label"), "Target", "of its name"),
        (("outcome", "b", "c"), "outcome", "of its name"),
        (("y", "CLASS", "c"), "CLASS", "of its name"),
        (("a", "b", "c"), "c", "it is the last column"),
        (("x", "y", "z"), "y", "of its name, though y beside x and z may be a place"),
    ],
)
def test_the_target_is_found_by_its_name_else_last(names: tuple[str, ...], chosen: str, reason: str):
    problem = make_problem(table(**{name: RNG.normal(size=40) for name in names}))
    assert (problem.target, problem.target_reason) == (chosen, reason)
    assert problem.is_target_guessed == (reason != "of its name")
    assert not make_problem(table(**dict.fromkeys(names, X)), target=names[0]).is_target_guessed


def test_where_a_guess_fails_the_other_columns_are_named():
    rows = table(kind=["a", "b"] * 20, size=X[:40], text=[f"n{i}" for i in range(40)])
    others = "no --target was given; the other columns are .kind., .size."
    with pytest.raises(DataError, match=f"40 different labels.*{others}"):
        make_problem(rows)
    with pytest.raises(DataError, match=r"choose another --target$"):
        make_problem(rows, target="text")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("widht", "no column 'widht' in t.csv; did you mean 'width'\\? The columns are 'width', 'y'"),
        ("3", "columns are chosen by name, not by position: 'width', 'y'"),
        ("", "--target is empty; give the name of a column: 'width', 'y'"),
        ("zzz", "no column 'zzz' in t.csv; the columns are 'width', 'y'"),
        ("\x1b[31m", r"no column '\\x1b\[31m'"),
    ],
)
def test_an_unknown_target_is_explained(target: str, message: str):
    with pytest.raises(UsageError, match=message):
        make_problem(table(width=X, y=X), target=target)


def test_a_column_named_like_an_index_can_be_the_target():
    assert make_problem(table(**{"3": X, "x": X**2}), target="3").target == "3"


def test_a_table_without_rows_or_columns_is_an_error():
    with pytest.raises(DataError, match=r"t\.csv has no rows"):
        make_problem(table(x=[], y=[]))
    with pytest.raises(DataError, match=r"t\.csv has no columns"):
        make_problem(table())


# --- which task


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1] * 60, "classification"),
        ([-1, 1] * 60, "classification"),
        ([1.0, 2.0, 3.0] * 40, "classification"),
        (list(range(10)) * 12, "classification"),
        (["a", "b"] * 60, "classification"),
        ([True, False] * 60, "classification"),
        (list(range(11)) * 10, "regression"),
        ([0, 2, 4] * 40, "regression"),
        ([5, 6, 7] * 40, "regression"),
        ([0.5, 1.0, 1.5] * 40, "regression"),
        (list(range(1, 8)) * 2, "regression"),
        (X, "regression"),
    ],
)
def test_the_task_follows_from_the_values(values: object, task: str):
    problem = problem_of(values)
    assert problem.task == task
    assert problem.task_reason.startswith("the target")


def test_names_of_amounts_make_small_whole_numbers_a_regression():
    problem = make_problem(table(x=X, n_stars=[1, 2, 3, 4, 5] * 24))
    assert problem.task == "regression"
    assert problem.task_reason == "values 1 to 5 are amounts by its name"


def test_the_task_can_be_asked_for():
    assert problem_of([0, 1, 2] * 40, task="regression").task == "regression"
    assert problem_of(["1", "2", "3.5"] * 40, task="regression").task == "regression"
    assert problem_of([0.5, 1.5, 7.0] * 40, task="classification").classes == ("0.5", "1.5", "7")
    assert problem_of(X, task="regression").task_reason == "it was asked for"


def test_unknown_tasks_are_refused():
    with pytest.raises(
        UsageError, match="expected auto, classification or regression, got 'clasification'; did you mean"
    ):
        problem_of(X, task="clasification")


def test_regression_on_text_is_refused_with_an_example():
    with pytest.raises(
        DataError, match="needs numbers, but the target 'y' holds text in 120 of 120 rows, such as 'hot'"
    ):
        problem_of(["hot", "cold"] * 60, task="regression")


def test_a_date_is_no_target():
    with pytest.raises(DataError, match="the target 'y' is a date"):
        problem_of(np.datetime64("2020-01-01") + np.arange(120).astype("timedelta64[D]"))


def test_text_that_is_nearly_all_numbers_is_a_regression():
    problem = problem_of(["none", *(f"{v:.4f}" for v in X[1:])])
    assert problem.task == "regression"
    assert problem.n_rows_dropped == 1
    assert "the target 'y' mixes numbers and text; the 1 with text were left out" in problem.notes


# --- labels


def test_labels_lose_their_outer_spaces():
    problem = problem_of(["yes", " yes", "no", "no "] * 30)
    assert problem.classes == ("no", "yes")
    assert any("60 labels" in note for note in problem.notes)


def test_labels_that_differ_in_case_are_noted():
    assert any("upper and lower case" in note for note in problem_of(["yes", "Yes", "no"] * 40).notes)


def test_whole_float_labels_have_no_point():
    assert problem_of([1.0, 2.0] * 60).classes == ("1", "2")


def test_mixed_labels_are_noted():
    assert any("mixes numbers and text, such as '7', 'no'" in n for n in problem_of(["7", "no", "yes"] * 40).notes)


@pytest.mark.parametrize(
    ("cells", "classes"),
    [(("yes", "no"), ("no", "yes")), (("T", "F"), ("F", "T")), (("yes", "no", "NO"), ("false", "true"))],
)
def test_booleans_are_called_as_the_file_spells_them(tmp_path, cells, classes):
    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + "".join(f"{i},{cells[i % len(cells)]}\n" for i in range(24)))
    problem = make_problem(read_table(str(path)))
    assert problem.classes == classes
    assert problem.task_reason == f"the target is {classes[0]} or {classes[1]}"


def test_classes_stand_in_natural_order():
    assert problem_of(["k10", "k2", "9", "10", "b"] * 24).classes == ("9", "10", "b", "k2", "k10")


@settings(deadline=None)
@given(st.lists(st.text(max_size=6), min_size=2))
def test_any_labels_can_be_ordered(labels: list[str]):
    backwards = list(reversed(labels))
    assert sorted(labels, key=natural_key) == sorted(backwards, key=natural_key)


# --- targets nothing can be learned from


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([None] * 20, "the target 'y' is empty: all 20 values are missing"),
        ([" "] * 20, "the target 'y' is empty: all 20 values are missing"),
        ([5] * 20, "the target 'y' has only one value, '5': it is constant"),
        (["a"] * 20, "the target 'y' has only one class, 'a': it is constant"),
        ([1, 2, 3], "too few rows: got 3 with a value of the target 'y' \\(of 3\\), need at least 8"),
        ([f"n{i}" for i in range(40)], "has 40 different labels in 40 rows, too few rows a class; choose another"),
        ([f"n{i % 1001}" for i in range(2002)], "has 1,001 classes, more than 1,000"),
    ],
)
def test_unlearnable_targets_are_errors(values: list[object], message: str):
    with pytest.raises(DataError, match=message):
        make_problem(table(x=RNG.normal(size=len(values)), y=values))


def test_constant_regression_target_is_an_error():
    with pytest.raises(DataError, match="the target 'y' is constant, it has only one value, 5"):
        problem_of([5.0] * 20, task="regression")


def test_regression_on_empty_text_says_it_is_empty():
    with pytest.raises(DataError, match="the target 'y' is empty"):
        problem_of([" "] * 20, task="regression")


def test_rows_without_target_are_dropped_and_counted():
    y = RNG.normal(size=120)
    y[:5], y[5:8] = np.nan, np.inf
    problem = problem_of(y)
    assert problem.n_rows_dropped == 8
    assert len(problem.y_train) + len(problem.y_val) == 112
    assert "5 rows without a target left out: the value is missing" in problem.notes
    assert "3 rows with an infinite target left out: inf is no amount" in problem.notes


def test_a_copy_of_the_target_is_noted():
    y = RNG.normal(size=120)
    problem = make_problem(table(x=X, twin=y.copy(), again=X.copy(), y=y))
    assert "column 'twin' equals the target and may be a leak" in problem.notes
    assert "column 'again' is a copy of another column" in problem.notes


# --- texts


def test_few_levels_are_one_hot():
    colour = ["red", "green", "blue", None] * 30
    problem = make_problem(table(colour=colour, y=X))
    assert problem.features == ("colour=blue", "colour=green", "colour=red", "colour missing")
    np.testing.assert_array_equal(problem.X_train.sum(axis=1), 1)
    assert problem.encodings[0].n_missing == 30


def test_two_levels_are_one_feature():
    assert make_problem(table(c=["a", " b"] * 60, y=X)).features == ("c=b",)


def test_rare_levels_are_pooled_and_unseen_ones_join_them():
    n = 1000
    colour = np.array(["red", "green", "blue"] * 333 + ["red"], dtype=object)
    colour[:24] = [f"odd{i % 8}" for i in range(24)]
    problem = make_problem(table(t=np.arange(n), c=colour[::-1].tolist(), y=RNG.normal(size=n)), split="time:t")
    assert problem.features[-4:] == ("c=blue", "c=green", "c=red") or "c other" not in problem.features
    shuffled = make_problem(table(c=colour.tolist(), y=RNG.normal(size=n)))
    assert shuffled.features == ("c=blue", "c=green", "c=red", "c other")


def test_ids_are_dropped_and_repeating_ones_too():
    codes = [f"A-{i:05d}" for i in range(120)]
    people = [f"N{i % 70}A{i % 70}" for i in range(120)]
    problem = make_problem(table(x=X, code=codes, person=people, nothing=[" "] * 119 + [None], y=X))
    assert problem.features == ("x",)
    assert [e.how for e in problem.encodings[1:]] == ["dropped: id-like", "dropped: id-like", "dropped: empty"]
    assert "column 'code' was left out: 120 different texts look like an id" in problem.notes


def test_one_text_everywhere_is_constant():
    assert make_problem(table(x=X, c=["a"] * 120, y=X)).encodings[1].how == "dropped: constant"


def test_many_levels_that_repeat_keep_the_most_frequent():
    levels = [f"u{i:03d}" for i in range(200) for _ in range(20)]
    problem = make_problem(table(u=RNG.permutation(levels).tolist(), y=RNG.normal(size=4000)))
    assert problem.n_features == 102  # 100 levels, the others, how frequent
    assert problem.features[-2:] == ("u other", "u frequency")
    assert abs(float(problem.X_train[:, -1].mean())) < 1e-5


def test_width_of_texts_is_shared_out():
    columns = {f"c{i}": [f"v{j % 25}" for j in RNG.permutation(500)] for i in range(60)}
    problem = make_problem(table(**columns, y=RNG.normal(size=500)))
    assert problem.n_features <= MAX_TEXT_FEATURES + 60


def test_numbers_kept_as_text_are_read():
    words = [f"{v:.5f}" for v in X]
    words[3] = "lots"
    problem = make_problem(table(z=words, y=X))
    assert problem.encodings[0].how == "standardised"
    assert any(note.startswith("column 'z' was read as numbers; ") for note in problem.notes)


def test_codes_with_leading_zeros_stay_text():
    codes = [f"{i:05d}" for i in range(40) for _ in range(10)]
    problem = make_problem(table(zip=RNG.permutation(codes).tolist(), y=RNG.normal(size=400)))
    assert problem.encodings[0].how == "frequent levels"


@pytest.mark.slow
def test_prose_becomes_features_that_tell_texts_apart():
    subject = RNG.integers(0, 2, 240)
    words = (["ship", "sea", "wind", "port", "crew", "sail"], ["cell", "gene", "blood", "tissue", "enzyme", "nerve"])
    texts = [" ".join(RNG.choice(words[s], 12)) for s in subject]
    problem = make_problem(table(text=texts, y=subject))
    assert problem.encodings[0].how == "text"
    np.testing.assert_allclose(problem.X_train.mean(axis=0), 0, atol=1e-5)
    gap = abs(problem.X_train[problem.y_train == 0].mean(axis=0) - problem.X_train[problem.y_train == 1].mean(axis=0))
    # Twelve words in all, each of one subject.
    assert problem.n_features == 12
    assert gap.min() > 1.2


@pytest.mark.slow
def test_texts_give_the_same_bytes_whatever_the_threads():
    code = (
        "import hashlib\n"
        "from lrfind.data import read_table\n"
        "from lrfind.problem import make_problem\n"
        "p = make_problem(read_table('sample_data/vehicles_auto_mpg.csv'))\n"
        "print(p.n_features, hashlib.sha256(p.X_train.tobytes() + p.X_val.tobytes()).hexdigest())\n"
    )
    said = set()
    for threads in ("1", "4"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT, env={"OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads, "PATH": ""},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        said.add(done.stdout)
    assert len(said) == 1


# --- dates


def test_date_parts_have_closed_forms():
    dates = np.array(["1970-01-05T06:00", "2000-02-29", "1969-12-31T12:00", "NaT"], dtype="datetime64[us]")
    parts = dict(zip(PARTS, date_parts(dates), strict=True))
    np.testing.assert_allclose(parts["elapsed days"][:3], [4.25, 11016, -0.5])
    np.testing.assert_allclose(parts["week sin"][0], 0, atol=1e-12)  # a Monday
    np.testing.assert_allclose(parts["week sin"][1], np.sin(2 * np.pi / 7))  # a Tuesday
    np.testing.assert_allclose(parts["day sin"][:3], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(parts["year cos"][1], np.cos(2 * np.pi * 59 / 365.2425))
    assert all(np.isnan(part[3]) for part in parts.values())


def test_dates_become_parts_that_vary():
    when = [np.datetime64("2020-01-01") + np.timedelta64(i, "D") for i in range(119)] + [None]
    problem = make_problem(table(when=when, y=X), seed=2)
    assert problem.encodings[0].how == "date parts"
    assert problem.encodings[0].n_missing == 1
    assert not any("day sin" in name for name in problem.features)
    assert np.isfinite(problem.X_train).all()


def test_constant_and_empty_dates_are_dropped():
    when = [np.datetime64("2020-01-01")] * 120
    with pytest.raises(DataError, match=r"'when' \(constant\)"):
        make_problem(table(when=when, y=X))
    when[5:] = [None] * 115
    problem = make_problem(table(t=np.arange(120)[::-1], when=when, x=X, y=X), split="time:t")
    assert problem.encodings[1].how == "dropped: empty"


# --- any table


numbers = st.floats(allow_nan=True, allow_infinity=True) | st.none() | st.integers(-3, 3)
texts = st.sampled_from(["a", "b", " a", "1", "2.5", "", "x y z", "é\x1b"]) | st.none()
dates = st.datetimes().map(lambda d: np.datetime64(d, "us")) | st.none()


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(4, 30))
def test_any_table_gives_finite_features_or_a_plain_error(data: st.DataObject, n: int):
    kinds = data.draw(st.lists(st.sampled_from([numbers, texts, dates]), min_size=1, max_size=4))
    columns = {f"c{i}": data.draw(st.lists(kind, min_size=n, max_size=n)) for i, kind in enumerate(kinds)}
    split = data.draw(st.sampled_from(["random", "time:c0", "group:c0"]))
    try:
        problem = make_problem(table(**columns), split=split)
    except LrfindError as error:
        said = str(error)
    else:
        said = "".join(problem.notes)
        _check(problem, n_rows=n)
    assert said.isprintable()


def _check(problem: Problem, *, n_rows: int) -> None:
    arrays = (problem.X_train, problem.X_val, problem.y_train, problem.y_val)
    assert all(np.isfinite(array).all() for array in arrays)
    assert np.isfinite([problem.baseline_loss, problem.target_mean, problem.target_sd]).all()
    assert problem.X_train.shape == (len(problem.y_train), len(problem.features))
    assert sum(e.n_features for e in problem.encodings) == problem.n_features
    assert len(problem.y_train) + len(problem.y_val) == n_rows - problem.n_rows_dropped


@pytest.mark.parametrize(
    ("name", "task", "outputs"),
    [
        ("biology_iris", "classification", 3),
        ("biology_penguins", "classification", 3),
        ("chemistry_wine", "classification", 3),
        ("control_shuttle", "classification", 2),
        ("finance_synthetic_returns", "regression", 1),
        ("finance_us_macro", "regression", 1),
        ("fraud_synthetic_payments", "classification", 2),
        ("healthcare_breast_cancer", "classification", 2),
        ("ratings_synthetic_films", "regression", 1),
        ("vision_digits", "classification", 10),
    ],
)
def test_sample_tables_become_problems(name: str, task: str, outputs: int):
    problem = make_problem(read_table(str(ROOT / "sample_data" / f"{name}.csv")))
    assert (problem.task, problem.n_outputs) == (task, outputs)
    assert np.isfinite(problem.X_train).all()
    assert 0.24 < len(problem.y_val) / (len(problem.y_val) + len(problem.y_train)) < 0.26


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ([-1, 0, 1], "--task classification if they name classes"),
        ([10, 20, 30], "--task classification if they name classes"),
        (range(12), "--task classification if they name classes"),
        ([0.5, 1.0, 1.5], "--task classification if they name classes"),
        ([0, 1, 2], "--task regression if they are amounts"),
        ([1, 2, 3, 4, 5], "--task regression if they are amounts"),
        ([0, 1], ""),
        ([-1, 1], ""),
        (["a", "b", "c"], ""),
        (range(40), ""),
    ],
)
def test_a_task_that_could_be_doubted_names_the_option(values, doubt):
    y = [*values] * 20
    read = read_target(table(y=y).columns[0], "auto")
    assert read.doubt == doubt
    if doubt:
        asked = read_target(table(y=y).columns[0], doubt.split()[1])
        assert (asked.task, asked.doubt) == (doubt.split()[1], "")


def test_labels_alike_but_for_case_and_blanks_are_named():
    labels = ["Boots", "boots", "BOOTS ", "ankle boots", "Ankle  Boots", "shoes"] * 20
    problem = problem_of(labels)
    (remark,) = [remark for remark in problem.remarks if "blanks were kept apart" in remark]
    assert remark.endswith("such as 'Ankle  Boots', 'ankle boots': 6 classes for 3")
    assert problem_of(["yes", "no"] * 60).remarks == ()


def test_counts_are_of_all_rows_or_say_of_which():
    n = 100
    some = [None if i % 4 == 0 else float(i % 7) for i in range(n)]
    made = table(
        part=some,
        mark=[None if i % 4 else 1.0 for i in range(n)],
        word=[None if i % 10 == 0 else "abc"[i % 3] for i in range(n)],
        code=[f"A{i:03d}" for i in range(n)],
        y=RNG.normal(size=n),
    )
    told = [
        "25 missing values in 'part' were replaced by the median and marked",
        "column 'mark' is constant where it is not missing; only its 75 missing values were marked",
        "10 missing values in text 'word' were kept as a value of their own",
        "column 'code' was left out: 100 different texts look like an id",
    ]
    assert set(told) <= set(make_problem(made).notes)
    columns = [column for column in made.columns if column.name != "y"]
    y = np.where(np.arange(n) < 40, np.nan, RNG.normal(size=n))
    notes = make_problem(replace(made, columns=(*columns, table(y=y).columns[0]))).notes
    assert (
        "15 missing values in 'part' were replaced by the median and marked (counted in the rows with a target)"
        in notes
    )
    assert "column 'code' was left out: 60 different texts look like an id (counted in the rows with a target)" in notes
