import ast
import json
import math
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neural_network import MLPClassifier, MLPRegressor
from test_runs import a_recommendation

import lrfind.export
from lrfind.errors import UsageError
from lrfind.export import EXPORTERS, export
from lrfind.export.factor import factor_code, needs_math
from lrfind.export.literal import literal
from lrfind.export.plan import kind_of
from lrfind.optim import OPTIMIZERS
from lrfind.schedule import COURSES, SCHEDULES, Schedule, Segment, make_schedule, to_dict, values, warmup_cosine

CODE = sorted(set(EXPORTERS) - {"csv", "json"})
# Short runs have degenerate schedules, and those that 7 and 8 divide have classes of their own.
LENGTHS = [1, 2, 3, 4, 5, 7, 8, 10, 20, 56, 101, 400]


def a_custom_schedule(n_steps=20):
    segments = (
        Segment(start=0, stop=3.5, shape="exponential", begin=0.01, end=1),
        Segment(start=3.5, stop=3.5, shape="linear", begin=1, end=1),
        Segment(start=3.5, stop=9, shape="constant", begin=0.75, end=0.75),
        Segment(start=9, stop=15, shape="polynomial", begin=0.9, end=0.2, power=1.5),
        Segment(start=15, stop=n_steps, shape="cosine", begin=0.2, end=0.7),
    )
    return Schedule(name="'''; import os #", peak_lr=0.037, n_steps=n_steps, segments=segments)


def factors(schedule):
    """Run the exported function over the run and one step beyond, as schedulers do."""
    space = {"math": math} if needs_math(schedule) else {}
    exec("\n".join(factor_code(schedule)), space)  # noqa: S102 our own code is what is tested
    return [space["factor"](step) for step in range(schedule.n_steps + 1)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", [*COURSES, a_custom_schedule()], ids=lambda s: getattr(s, "name", s)[:12])
@pytest.mark.parametrize("name", CODE)
def test_code_is_python_and_begins_with_what_it_is_for(name, schedule, optimizer):
    code = export(a_recommendation(schedule, optimizer, n_steps=20), name)
    compile(code, name, "exec")
    kind = schedule if isinstance(schedule, str) else "custom"
    peak = "0.012" if isinstance(schedule, str) else "0.037"
    expected = (
        f"# Learning rate {peak} (good between 0.006 and 0.03): {optimizer}, batches of 64, 20 steps, {kind} schedule."
    )
    assert code.splitlines()[0] == expected
    assert code.endswith("\n")
    assert not code.endswith("\n\n")
    assert max(map(len, code.splitlines())) <= 140


@pytest.mark.parametrize("n_steps", LENGTHS)
@pytest.mark.parametrize("name", SCHEDULES)
def test_the_function_gives_every_rate(name, n_steps):
    schedule = make_schedule(name, peak_lr=0.37, n_steps=n_steps)
    made = 0.37 * np.array(factors(schedule)[:-1])
    np.testing.assert_allclose(made, values(schedule), rtol=1e-12, atol=1e-18)


def test_the_function_gives_the_rates_of_a_custom_schedule():
    schedule = a_custom_schedule()
    np.testing.assert_allclose(0.037 * np.array(factors(schedule)[:-1]), values(schedule), rtol=1e-12)


FRACTIONS = st.floats(0.001, 1)
PIECES = st.lists(
    st.tuples(
        st.floats(0.1, 30),
        st.sampled_from(["constant", "linear", "polynomial", "exponential", "cosine"]),
        FRACTIONS,
        FRACTIONS,
        st.floats(0.1, 9),
    ),
    min_size=1,
    max_size=6,
)


@given(pieces=PIECES)
def test_the_function_gives_the_rates_of_any_schedule(pieces):
    segments, start = [], 0.0
    for length, shape, begin, end, power in pieces:
        segments.append(Segment(start=start, stop=start + length, shape=shape, begin=begin, end=end, power=power))
        start += length
    schedule = Schedule(name="any", peak_lr=2.0, n_steps=math.ceil(start), segments=tuple(segments))
    made = factors(schedule)
    np.testing.assert_allclose(2.0 * np.array(made[:-1]), values(schedule), rtol=1e-9)
    assert 0 < made[-1] <= 1


def test_a_schedule_is_known_by_its_segments_not_its_name():
    disguised = replace(make_schedule("linear", peak_lr=1, n_steps=9), name="cosine")
    assert kind_of(disguised) == "linear"
    longer = Schedule(name="warmup_cosine", peak_lr=1, n_steps=9, segments=warmup_cosine(9, warmup=4))
    assert kind_of(longer) == "warmup_cosine"
    bent = replace(longer, segments=(replace(longer.segments[0], stop=3.5), *longer.segments[1:]))
    assert kind_of(bent) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_literal_keeps_every_digit(number):
    assert ast.literal_eval(literal(number)) == number
    assert ast.literal_eval(literal(np.float64(number))) == number


# --- plain formats


@pytest.mark.parametrize("name", COURSES)
def test_csv_holds_every_rate_exactly(name):
    advice = a_recommendation(name)
    header, *lines = export(advice, "csv").splitlines()
    assert header == "step,lr"
    assert [int(line.split(",")[0]) for line in lines] == list(range(400))
    assert [float(line.split(",")[1]) for line in lines] == values(advice.schedule).tolist()


@pytest.mark.parametrize("name", COURSES)
def test_json_is_one_document_with_advice_schedule_and_rates(name):
    advice = a_recommendation(name)
    document = json.loads(export(advice, "json"), parse_constant=pytest.fail)
    assert document.pop("rates") == values(advice.schedule).tolist()
    assert document.pop("schedule") == to_dict(advice.schedule)
    expected = asdict(advice) | {"evidence": list(map(asdict, advice.evidence)), "raced": []}
    assert document == {key: value for key, value in expected.items() if key != "schedule"}


# --- scikit-learn


def run_sklearn(advice, *, regression=False):
    """Train for real, and note the rate each update was made with."""
    space = {}
    exec(export(advice, "sklearn"), space)  # noqa: S102 our own code is what is tested
    random = np.random.default_rng(0)
    X = random.normal(size=(150, 3))
    y = X[:, 0] if regression else np.where(X[:, 0] > 0, "yes", "no")
    kept = space["model"].get_params()
    model = (MLPRegressor if regression else MLPClassifier)(**{key: kept[key] for key in kept if key != "loss"})
    rates, update = [], model.partial_fit

    def noting(X, y, **classes):
        assert X.shape == (64, 3)
        update(X, y, **classes)
        rates.append(getattr(model._optimizer, "learning_rate_init" if kept["solver"] == "adam" else "learning_rate"))

    model.partial_fit = noting
    space["train"](model, X, y)
    return rates, model, kept


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize("schedule", COURSES)
@pytest.mark.parametrize("regression", [False, True])
def test_sklearn_trains_at_every_rate(schedule, optimizer, regression):
    advice = a_recommendation(schedule, optimizer, n_steps=20)
    rates, model, _ = run_sklearn(advice, regression=regression)
    np.testing.assert_allclose(rates, values(advice.schedule), rtol=1e-6, atol=1e-9 * 0.012)
    # Samples seen: one batch an update.
    assert model.t_ == 20 * 64


def test_sklearn_moves_by_the_rate():
    """The first step of plain gradient descent is in proportion to the rate."""
    moves = []
    for rate in (0.012, 0.024):
        advice = replace(a_recommendation("constant", "sgd", n_steps=1), lr=rate, schedule=None, train_steps=1)
        start = MLPClassifier(hidden_layer_sizes=4, solver="sgd", learning_rate_init=1e-300, random_state=0, alpha=0)
        space = {}
        exec(export(advice, "sklearn"), space)  # noqa: S102 our own code is what is tested
        X = np.random.default_rng(0).normal(size=(64, 3))
        y = X[:, 0] > 0
        start.set_params(batch_size=64, momentum=0.0).partial_fit(X, y, classes=[False, True])
        before = start.coefs_[0].copy()
        start._optimizer.learning_rate = space["model"].learning_rate_init
        space["train"](start, X, y)
        moves.append(start.coefs_[0] - before)
    np.testing.assert_allclose(moves[1], 2 * moves[0], rtol=1e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_sklearn_says_which_optimiser_it_lacks(optimizer):
    code = export(a_recommendation("cosine", optimizer), "sklearn")
    is_missing = optimizer in {"rmsprop", "adagrad", "adamw", "nadam", "lion"}
    assert (f"scikit-learn has no {optimizer}; adam is the nearest" in code) == is_missing
    assert ('solver="adam"' in code) == (is_missing or optimizer == "adam")


# --- what cannot be exported, and what is not to be trusted


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pytroch", "cannot export for 'pytroch': did you mean 'torch'?"),
        ("Keras", "cannot export for 'Keras': did you mean 'keras'?"),
        ("\x1b[31m", f"cannot export for '\\x1b[31m': choose one of {', '.join(EXPORTERS)}"),
    ],
)
def test_an_unknown_exporter_is_refused_with_the_nearest(name, said):
    with pytest.raises(UsageError) as caught:
        export(a_recommendation(), name)
    assert str(caught.value) == said


@pytest.mark.parametrize("name", EXPORTERS)
def test_without_a_rate_there_is_nothing_to_export(name):
    nothing = replace(a_recommendation(), verdict="no_signal", lr=None, schedule=None, sentence="Nothing\x1b to learn.")
    with pytest.raises(UsageError) as caught:
        export(nothing, name)
    assert str(caught.value) == "nothing to export: Nothing\\x1b to learn."


@pytest.mark.parametrize("name", EXPORTERS)
def test_without_a_schedule_the_rate_is_constant(name):
    bare = replace(a_recommendation(), schedule=None)
    held = replace(a_recommendation(), schedule=make_schedule("constant", peak_lr=0.012, n_steps=400))
    assert export(bare, name).replace('"schedule": null', "") == export(held, name)


@pytest.mark.parametrize("name", CODE)
def test_an_unknown_optimizer_is_refused(name):
    with pytest.raises(UsageError, match="cannot export for the optimizer 'x; import os'"):
        export(replace(a_recommendation(), optimizer="x; import os"), name)


@pytest.mark.parametrize("name", CODE)
def test_no_string_of_a_run_reaches_code(name):
    hostile = "'''\"\"\"\n__import__('os').system('true')\n#"
    advice = a_recommendation(replace(a_custom_schedule(), name=hostile))
    code = export(replace(advice, sentence=hostile, verdict=hostile, evidence=(), lr=np.float64(0.012)), name)
    assert "__import__" not in code
    assert "np.float64" not in code
    compile(code, name, "exec")


@pytest.mark.parametrize("name", CODE)
def test_a_rate_that_is_in_doubt_says_so(name):
    advice = replace(a_recommendation(), verdict="unstable", lr_low=None)
    first, second, *_ = export(advice, name).splitlines()
    assert first == "# Learning rate 0.012: adam, batches of 64, 400 steps, warmup_cosine schedule."
    assert second == "# Caution: lrfind could not stand behind this rate; see the verdict in its report."
    assert "Caution" not in export(a_recommendation(), name)


@pytest.mark.parametrize("file", sorted(Path(lrfind.export.__file__).parent.glob("*.py")), ids=lambda file: file.name)
def test_an_exporter_imports_only_lrfind_and_what_python_brings(file):
    imported = [
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    assert {name.partition(".")[0] for name in imported} <= {"lrfind", *sys.stdlib_module_names}
