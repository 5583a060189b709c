"""Past its last step an exported schedule stays where it is, or the code says what it does; a Keras model loads again.

Run in the frameworks themselves; each test needs its own to be installed.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from test_export_frameworks import ALL_SCHEDULES, advice_for, keras, label, needed, optax, run, torch  # noqa: F401

from lrfind.export import export

# ruff: noqa: F811 - fixtures are asked for by the names they are imported by
pytestmark = [pytest.mark.frameworks, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")]

# Twice a run of 56 steps: restarts, triangles and cosines beyond it would show.
BEYOND = 56


def stays(rates) -> bool:
    """Say whether the rates past the end are all one."""
    return bool(np.ptp(rates) <= 1e-6 * max(np.max(np.abs(rates)), 1e-12))


def torch_rates_beyond(optimizer, scheduler, n_steps):
    """Return the rates past the last step, or None where there are none."""
    rates = []
    try:
        for step in range(n_steps + BEYOND):
            optimizer.step()
            scheduler.step()
            if step >= n_steps - 1:
                rates.append(optimizer.param_groups[0]["lr"])
    except ValueError:
        return None
    return rates


def holds_or_says(rates, code, *, words) -> None:
    holds = rates is not None and stays(rates)
    assert holds != (words in code)


@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_torch_holds_or_says_what_it_does(torch, schedule):
    advice = advice_for(schedule)
    made = run(advice, "torch", model=torch.nn.Linear(2, 1))
    rates = torch_rates_beyond(made["optimizer"], made["scheduler"], advice.train_steps)
    for name in ("torch", "lightning"):
        holds_or_says(rates, export(advice, name), words=f"# Stop after {advice.train_steps} updates: past them ")
    if rates is None:
        assert "OneCycleLR raises an error" in export(advice, "torch")


@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_keras_holds_or_says_what_it_does(keras, schedule):
    advice = advice_for(schedule)
    optimizer = run(advice, "keras")["optimizer"]
    weight, rates = keras.Variable([1.0]), []
    for _ in range(advice.train_steps + BEYOND):
        optimizer.apply([keras.ops.zeros(1)], [weight])
        rates.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    holds_or_says(rates[advice.train_steps - 1 :], export(advice, "keras"), words="# Stop after ")


@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_optax_holds(optax, schedule):
    advice = advice_for(schedule)
    made = run(advice, "optax")["schedule"]
    assert stays([float(made(np.int32(advice.train_steps + k))) for k in range(BEYOND)])


@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_transformers_holds_or_says_what_it_does(torch, schedule, tmp_path, monkeypatch):
    transformers = needed("transformers")
    needed("accelerate")
    monkeypatch.chdir(tmp_path)
    advice = replace(advice_for(schedule, "adam"), batch_size=4)
    model = torch.nn.Linear(2, 1)
    made = run(advice, "transformers", model=model)
    given = (made.get("optimizer"), made.get("scheduler"))
    trainer = transformers.Trainer(model=model, args=made["arguments"], optimizers=given)
    trainer.create_optimizer_and_scheduler(num_training_steps=made["arguments"].max_steps)
    rates = torch_rates_beyond(trainer.optimizer, trainer.lr_scheduler, advice.train_steps)
    code = export(advice, "transformers")
    said = "# Stop after " in code or "past it the cosine would rise again" in code
    assert (rates is not None and stays(rates)) != said


# --- A Keras model that was saved with its optimizer.


@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_a_saved_keras_model_loads_with_its_schedule(keras, schedule, tmp_path):
    advice = advice_for(schedule, "adam")
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer=run(advice, "keras")["optimizer"], loss="mse")
    X, y = np.ones((64, 2)), np.ones(64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y, batch_size=8, epochs=2, verbose=0)
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(X, y, batch_size=8, epochs=1, verbose=0, shuffle=False)
    rates = [float(keras.ops.convert_to_numpy(each.optimizer.learning_rate)) for each in (model, loaded)]
    assert rates[0] == rates[1]
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)
