"""The exported code run in the frameworks themselves; each test needs its own to be installed."""

import os
import warnings
from dataclasses import replace

import numpy as np
import pytest
from test_export import a_custom_schedule
from test_runs import a_recommendation

from lrfind.export import export
from lrfind.optim import OPTIMIZERS
from lrfind.schedule import SCHEDULES, make_schedule, values, warmed_up

# What frameworks deprecate in one another is not ours.
pytestmark = [pytest.mark.frameworks, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")]

# Keras and optax compute rates in float32, where a cosine near its end keeps this share of its peak.
FLOAT32 = 1e-6
WARMED_UP = [warmed_up(make_schedule(name, peak_lr=0.012, n_steps=56), 7) for name in ("linear", "warmup_cosine")]
ALL_SCHEDULES = [*SCHEDULES, *WARMED_UP, a_custom_schedule()]
LENGTHS = [1, 2, 3, 5, 8, 56, 400]


def label(value):
    name = getattr(value, "name", str(value))[:12]
    return name if isinstance(value, str | int) else f"{name}, {value.segments[0].stop:g}"


def needed(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason=f"{name} is not installed; `make frameworks` installs it")


@pytest.fixture(scope="module")
def torch():
    return needed("torch")


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return needed("keras")


@pytest.fixture(scope="module")
def optax():
    return needed("optax")


def run(advice, name, **given):
    space = dict(given)
    exec(export(advice, name), space)  # noqa: S102 our own code is what is tested
    return space


def advice_for(schedule, optimizer="sgd", n_steps=56, *, needs_lion=True):
    if optimizer == "lion" and needs_lion:
        needed("lion_pytorch")
    return a_recommendation(schedule, optimizer, n_steps=n_steps if isinstance(schedule, str) else schedule.n_steps)


def rates_in_training(optimizer, scheduler, n_steps):
    rates = []
    for _ in range(n_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_torch_trains_at_every_rate(torch, schedule, optimizer):
    advice = advice_for(schedule, optimizer)
    made = run(advice, "torch", model=torch.nn.Linear(2, 1))
    rates = rates_in_training(made["optimizer"], made["scheduler"], advice.train_steps)
    np.testing.assert_allclose(rates, values(advice.schedule), rtol=1e-6, atol=1e-18)


@pytest.mark.parametrize("n_steps", [*LENGTHS, 2000])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_torch_trains_at_every_rate_of_any_run(torch, schedule, n_steps):
    advice = advice_for(schedule, n_steps=n_steps)
    made = run(advice, "torch", model=torch.nn.Linear(2, 1))
    rates = rates_in_training(made["optimizer"], made["scheduler"], n_steps)
    np.testing.assert_allclose(rates, values(advice.schedule), rtol=1e-6, atol=1e-18)


def moves_of(optimizer, rates):
    """Return where lrfind's own optimiser takes four parameters, and the gradients that take them there."""
    start = np.array([[0.5, -1.0, 2.0, 0.1]], dtype=np.float32)
    gradients = np.random.default_rng(3).normal(size=(len(rates), 1, 4)).astype(np.float32)
    init, update = OPTIMIZERS[optimizer]
    params = start.copy()
    state = init(params)
    for gradient, rate in zip(gradients, rates, strict=True):
        update(gradient.copy(), state, params, np.array([[rate]], dtype=np.float32))
    return start[0], gradients[:, 0], params[0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["constant", "warmup_cosine"])
def test_torch_moves_as_lrfind_does(torch, schedule, optimizer):
    advice = advice_for(schedule, optimizer)
    start, gradients, goal = moves_of(optimizer, values(advice.schedule))
    model = torch.nn.ParameterList([torch.tensor(start)])
    made = run(advice, "torch", model=model)
    for gradient in gradients:
        model[0].grad = torch.tensor(gradient)
        made["optimizer"].step()
        made["scheduler"].step()
    np.testing.assert_allclose(model[0].detach().numpy(), goal, rtol=1e-4, atol=1e-6)


# --- Lightning


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_lightning_trains_at_every_rate(torch, schedule, optimizer, tmp_path):
    lightning = needed("lightning")
    advice = advice_for(schedule, optimizer)
    rates = []

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch, _):
            rates.append(self.optimizers().param_groups[0]["lr"])
            return self.layer(batch[0]).square().mean()

    Module.configure_optimizers = run(advice, "lightning")["configure_optimizers"]
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(24, 2)), batch_size=4)
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    with warnings.catch_warnings():
        # About loaders without workers and the like.
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(max_steps=advice.train_steps, accelerator="cpu", default_root_dir=tmp_path, **quiet)
        trainer.fit(Module(), batches)
    np.testing.assert_allclose(rates, values(advice.schedule), rtol=1e-6, atol=1e-18)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_lightning_makes_the_optimizer_torch_does(torch, optimizer):
    advice = advice_for("cosine", optimizer)
    model = torch.nn.Linear(2, 1)
    made = run(advice, "lightning")["configure_optimizers"](model)
    expected = run(advice, "torch", model=model)["optimizer"]
    assert type(made["optimizer"]) is type(expected)
    assert made["optimizer"].defaults == expected.defaults


# --- Keras


@pytest.mark.parametrize("n_steps", LENGTHS)
@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_keras_trains_at_every_rate(keras, schedule, n_steps):
    advice = advice_for(schedule, n_steps=n_steps)
    optimizer = run(advice, "keras")["optimizer"]
    weight = keras.Variable([1.0])
    rates = []
    for _ in range(advice.train_steps):
        rates.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
        optimizer.apply([keras.ops.zeros(1)], [weight])
    np.testing.assert_allclose(rates, values(advice.schedule), rtol=1e-6, atol=FLOAT32 * advice.schedule.peak_lr)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_keras_moves_as_lrfind_does_or_says_where_not(keras, schedule, optimizer):
    advice = advice_for(schedule, optimizer, needs_lion=False)
    start, gradients, goal = moves_of(optimizer, values(advice.schedule))
    weight = keras.Variable(start)
    made = run(advice, "keras")["optimizer"]
    for gradient in gradients:
        made.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    end = keras.ops.convert_to_numpy(weight)
    says = "# Keras " in export(advice, "keras")
    assert says == (optimizer in {"momentum", "nesterov", "nadam"})
    # Momentum differs only where the rate changes, Nadam only at first.
    is_same = not says or (schedule == "constant" and optimizer != "nadam")
    np.testing.assert_allclose(end, goal, **({"rtol": 1e-4, "atol": 1e-6} if is_same else {"rtol": 0.5, "atol": 0.1}))


def test_a_keras_model_is_trained_with_it(keras):
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer=run(advice_for("one_cycle"), "keras")["optimizer"], loss="mse")
    model.fit(np.ones((64, 2)), np.ones(64), batch_size=8, epochs=8, verbose=0)
    last = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    assert last == pytest.approx(values(advice_for("one_cycle").schedule)[-1])


# --- optax


@pytest.mark.parametrize("n_steps", LENGTHS)
@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_optax_trains_at_every_rate(optax, schedule, n_steps):
    advice = advice_for(schedule, n_steps=n_steps)
    made = run(advice, "optax")
    rates = [float(made["schedule"](np.int32(step))) for step in range(advice.train_steps)]
    np.testing.assert_allclose(rates, values(advice.schedule), rtol=1e-6, atol=FLOAT32 * advice.schedule.peak_lr)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_optax_moves_as_lrfind_does_or_says_where_not(optax, schedule, optimizer):
    jax = needed("jax")
    advice = advice_for(schedule, optimizer, needs_lion=False)
    start, gradients, goal = moves_of(optimizer, values(advice.schedule))
    made = run(advice, "optax")["optimizer"]
    weight = jax.numpy.asarray(start)
    state, update = made.init(weight), jax.jit(made.update)
    for gradient in gradients:
        moves, state = update(jax.numpy.asarray(gradient), state, weight)
        weight = optax.apply_updates(weight, moves)
    says = "# optax " in export(advice, "optax")
    assert says == (optimizer == "nadam")
    tolerance = {"rtol": 0.2, "atol": 0.05} if says else {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(np.asarray(weight), goal, **tolerance)


# --- Transformers


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ALL_SCHEDULES, ids=label)
def test_transformers_trains_at_every_rate(torch, schedule, optimizer, tmp_path, monkeypatch):
    transformers = needed("transformers")
    needed("accelerate")
    monkeypatch.chdir(tmp_path)
    advice = replace(advice_for(schedule, optimizer), batch_size=4)
    model = torch.nn.Linear(2, 1)
    made = run(advice, "transformers", model=model)
    trainer = transformers.Trainer(
        model=model,
        args=made["arguments"],
        optimizers=(made.get("optimizer"), made.get("scheduler")),
    )
    trainer.create_optimizer_and_scheduler(num_training_steps=made["arguments"].max_steps)
    rates = rates_in_training(trainer.optimizer, trainer.lr_scheduler, advice.train_steps)
    np.testing.assert_allclose(rates, values(advice.schedule), rtol=1e-6, atol=1e-18)
    expected = run(advice, "torch", model=model)["optimizer"]
    # AdamW without decay is Adam.
    assert isinstance(trainer.optimizer, type(expected))
    # How to compute, not what; and what a decay of 0 makes meaningless.
    ignored = {"fused", "foreach", "lr", "initial_lr"} | ({"decoupled_weight_decay"} if optimizer == "adam" else set())
    group = trainer.optimizer.param_groups[0]
    settings = {key: value for key, value in expected.defaults.items() if key not in ignored}
    assert {key: group[key] for key in settings} == settings
