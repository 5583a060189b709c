"""Exported code says which run it is from and what its rate was measured with, in digits that mean something."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_fixture import PAYLOADS
from test_runs import a_document, a_recommendation, put_run

from lrfind.export import CODE, EXPORTERS, export
from lrfind.export.comments import comment, scale
from lrfind.optim import OPTIMIZERS
from lrfind.runs import Origin, load_run, origin_of
from lrfind.schedule import COURSES, make_schedule, values
from lrfind.text import rate

CLASSES = Origin(
    run="lrfind-runs/iris-1", table="iris.csv", target="species", task="classification", n_rows=150, n_features=4,
    n_classes=3, hidden=(64,), activation="relu", batch_size=64, train_steps=400, target_mean=None, target_sd=None,
)  # fmt: skip
NUMBERS = replace(
    CLASSES, table="houses.csv", target="price", task="regression", n_classes=None, target_mean=212_345.678,
    target_sd=81_234.5,
)  # fmt: skip


def prose(code: str) -> str:
    """Return the comments above the code as one text."""
    lines = [line for line in code.splitlines()[: code.splitlines().index("")] if line.startswith("# ")]
    return " ".join(line.removeprefix("# ") for line in lines)


@pytest.mark.parametrize("name", CODE)
def test_code_begins_with_table_and_run_and_says_what_the_rate_was_measured_with(name: str) -> None:
    code = export(a_recommendation(), name, origin=CLASSES)
    assert code.splitlines()[0] == "# For iris.csv, column species; from the run lrfind-runs/iris-1"
    said = prose(code)
    assert "Measured with a hidden layer of 64 (relu), batches of 64, for the epochs of 400 steps, cross-" in said
    assert "target" not in said
    compile(code, name, "exec")


@pytest.mark.parametrize("name", CODE)
def test_code_for_a_number_says_how_its_target_is_scaled(name: str) -> None:
    code = export(a_recommendation(), name, origin=replace(NUMBERS, hidden=(32, 16, 8), activation="tanh"))
    said = prose(code)
    assert "hidden layers of 32, 16 and 8 (tanh)" in said
    assert "mean squared error; numeric features and the target standardised to mean 0 and sd 1." in said
    assert "train on (y - 212350) / 81230" in said
    assert "turn predictions back with * 81230 + 212350." in said
    below = prose(export(a_recommendation(), name, origin=replace(NUMBERS, target_mean=-0.5, target_sd=0.25)))
    assert "train on (y + 0.5) / 0.25 and turn predictions back with * 0.25 - 0.5." in below


def test_of_an_older_run_only_what_is_known_is_said() -> None:
    nothing = dict.fromkeys(("table", "target", "task", "n_rows", "hidden", "activation", "target_mean", "target_sd"))
    for name in CODE:
        code = export(a_recommendation(), name, origin=replace(CLASSES, **nothing))
        assert "Measured with batches of 64, for the epochs of 400 steps; numeric features standardised" in prose(code)
        assert "None" not in code
    said = prose(export(a_recommendation(), "torch", origin=replace(NUMBERS, target_mean=None, target_sd=None)))
    assert "With the target as it stands the rate does not hold: standardise yours too." in said


@given(mean=st.floats(-1e12, 1e12), sd=st.floats(1e-9, 1e12))
def test_the_scale_is_as_fine_as_it_matters(mean: float, sd: float) -> None:
    found = scale(replace(NUMBERS, target_mean=mean, target_sd=sd))
    assert found is not None
    told_mean, told_sd = map(ast.literal_eval, found)
    assert abs(told_mean - mean) <= 1e-3 * sd + 1e-15 * abs(mean)
    assert told_sd == pytest.approx(sd, rel=6e-4)


# --- Names from a run cannot become code.


@pytest.mark.parametrize("payload", [*PAYLOADS, "coding: utf-7", "x # -*- coding=hex -*-", "a\r\nimport os", "\f", " "])
@pytest.mark.parametrize("name", CODE)
def test_no_name_of_a_run_becomes_code(name: str, payload: str, tmp_path: Path) -> None:
    data = {"name": payload, "target": payload, "task": "regression"}
    stored = load_run(put_run(tmp_path / "run", a_document(data=data)))
    plain = load_run(put_run(tmp_path / "plain", a_document(data=data | {"name": "t", "target": "y"})))
    origin = replace(origin_of(stored), run=f"runs/{payload}")
    code = export(a_recommendation(), name, origin=origin, changes=[payload])
    # the same program, and Python reads it from a file as it does here
    expected = export(a_recommendation(), name, origin=origin_of(plain))
    assert ast.dump(ast.parse(code.encode("utf-8"))) == ast.dump(ast.parse(expected))
    assert all(line.isprintable() for line in code.split("\n"))


def test_a_comment_never_chooses_the_encoding(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text("\n".join([*comment("For coding: no-such.csv, coding=latin-9"), "x = 1"]), encoding="utf-8")
    subprocess.run([sys.executable, file], check=True)


# --- What a run says about itself.

FACTS = {
    "data": {"name": "t.csv", "target": "y", "task": "regression", "rows": 90},
    "problem": {"n_features": 3, "classes": [], "target_mean": 5.0, "target_sd": 2.0},
    "config": {"model": "mlp", "hidden": [8, 4], "activation": "tanh"},
}


def origin_with(tmp_path: Path, part: str = "data", **changes: object) -> Origin:
    document = FACTS | {part: FACTS[part] | changes}
    return origin_of(load_run(put_run(tmp_path / "run", a_document(**document))))


def test_what_a_run_was_made_with_is_read(tmp_path: Path) -> None:
    expected = Origin(
        run=str(tmp_path / "run"), table="t.csv", target="y", task="regression", n_rows=90, n_features=3,
        n_classes=None, hidden=(8, 4), activation="tanh", batch_size=64, train_steps=400, target_mean=5.0,
        target_sd=2.0,
    )  # fmt: skip
    assert origin_with(tmp_path) == expected
    assert origin_with(tmp_path, "config", model="linear").hidden == ()
    some = origin_with(tmp_path, task="classification")
    assert (some.target_mean, some.target_sd) == (None, None)


ODD = [None, "x", -1, 0, True, [], {}, [1], {"a": 1}, 1e300, "\x1b"]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(("part", "key"), [(part, key) for part, facts in FACTS.items() for key in facts])
def test_what_is_no_fact_is_not_known_and_still_exports(part: str, key: str, odd: object, tmp_path: Path) -> None:
    origin = origin_with(tmp_path, part, **{key: odd})
    for name in EXPORTERS:
        text = export(a_recommendation(), name, origin=origin)
        if name in CODE:
            compile(text, name, "exec")


# --- Digits.


@pytest.mark.parametrize("lr", [0.05535523561560381, 1.2345e-05, 1.0, 123.456, 0.0009999])
@pytest.mark.parametrize("name", CODE)
def test_a_measured_rate_has_the_digits_of_the_report(name: str, lr: float) -> None:
    schedule = make_schedule("cosine", peak_lr=lr, n_steps=400)
    advice = replace(a_recommendation(), lr=lr, lr_low=lr / 3, lr_high=lr * 3, schedule=schedule)
    code = export(advice, name, origin=CLASSES)
    assert f"Learning rate {rate(lr)} (good between {rate(lr / 3)} and {rate(lr * 3)})" in code
    assert repr(lr) not in code or lr == 1
    numbers = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    assert float(rate(lr)) in numbers


def test_a_rate_that_was_asked_for_and_bare_numbers_keep_every_digit() -> None:
    lr = 0.05535523561560381
    advice = replace(a_recommendation(), lr=lr, schedule=make_schedule("cosine", peak_lr=lr, n_steps=400))
    for name in CODE:
        assert repr(lr) in export(advice, name, is_asked=True)
    assert repr(lr) in export(advice, "json", origin=CLASSES)
    rates = [float(line.split(",")[1]) for line in export(advice, "csv", origin=CLASSES).splitlines()[1:]]
    assert rates == values(advice.schedule).tolist()


# --- scikit-learn


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
@pytest.mark.parametrize("hidden", [(), (5,), (6, 3)])
@pytest.mark.parametrize("origin", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_sklearn_trains_the_model_that_was_measured(
    origin: Origin, hidden: tuple[int, ...], schedule: str, optimizer: str
) -> None:
    space: dict = {}
    advice = a_recommendation(schedule, optimizer, n_steps=20)
    code = export(advice, "sklearn", origin=replace(origin, hidden=hidden, target_mean=None, target_sd=None))
    exec(code, space)  # noqa: S102 our own code is what is tested
    X = np.random.default_rng(0).normal(size=(150, 3))
    model = space["train"](space["model"], X, X[:, 0] if origin is NUMBERS else np.where(X[:, 0] > 0, "yes", "no"))
    assert type(model).__name__ == ("MLPRegressor" if origin is NUMBERS else "MLPClassifier")
    assert [weights.shape[1] for weights in model.coefs_] == [*hidden, 1]
    assert model.t_ == 20 * 64


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
def test_sklearn_makes_the_step_that_was_measured(optimizer: str) -> None:
    """One update of a linear model, worked out by hand: minus the rate times the gradient of the mean squared error."""
    space: dict = {}
    advice = replace(a_recommendation("constant", optimizer, n_steps=1), train_steps=1)
    linear = replace(NUMBERS, hidden=(), target_mean=10.0, target_sd=2.0)
    exec(export(advice, "sklearn", origin=linear), space)  # noqa: S102 our own code is what is tested
    random = np.random.default_rng(0)
    X, y = random.normal(size=(64, 3)), random.normal(size=64) * 2 + 10
    model = space["model"].set_params(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = type(model)(**model.get_params()).set_params(learning_rate_init=1e-300).partial_fit(X, (y - 10) / 2)
    weights, bias = before.coefs_[0][:, 0], before.intercepts_[0]
    gradient = 2 * X.T @ (X @ weights + bias - (y - 10) / 2) / 64
    space["train"](model, X, y)
    step = model.coefs_[0][:, 0] - weights
    # Nesterov's first step looks ahead by nine tenths of itself
    expected = -0.012 * gradient * (1.9 if optimizer == "nesterov" else 1)
    np.testing.assert_allclose(step, expected, rtol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_sklearn_says_which_activation_it_lacks(activation: str) -> None:
    code = export(a_recommendation(), "sklearn", origin=replace(CLASSES, activation=activation))
    assert ("scikit-learn has no gelu" in code) == (activation == "gelu")
    assert (f'activation="{activation}"' in code) == (activation != "gelu")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_twice_the_rate_is_explained(optimizer: str) -> None:
    code = export(a_recommendation("constant", optimizer), "sklearn", origin=NUMBERS)
    is_halved = optimizer in {"sgd", "momentum", "nesterov"}
    assert ("learning_rate_init=2 * 0.012" in code) == is_halved
    assert ("half of the squared error: twice the rate makes the same steps" in code) == is_halved


@pytest.mark.parametrize("schedule", COURSES)
@pytest.mark.parametrize("name", CODE)
def test_lines_stay_short(name: str, schedule: str) -> None:
    code = export(a_recommendation(schedule), name, origin=NUMBERS, changes=["Batch 64 to 256. " * 20])
    assert max(map(len, code.splitlines())) <= 140
    assert not re.search(r"[ \t]$", code, re.MULTILINE)
