"""The code for schedules that answer the run, run in the frameworks themselves where they are installed."""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import replace

import numpy as np
import pytest
from test_export import factors
from test_runs import a_recommendation

import lrfind
from lrfind.errors import UsageError
from lrfind.export import export
from lrfind.optim import OPTIMIZERS
from lrfind.schedule import ReduceOnPlateau, make_schedule, recorded, values

# What frameworks deprecate in one another is not ours.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

N_STEPS = 200
# Far above the best rates of the problem below.
PEAKS = dict.fromkeys(OPTIMIZERS, 0.5) | {"sgd": 3.0, "momentum": 1.0, "nesterov": 1.0, "adagrad": 3.0}
WINDOW = N_STEPS // 50


def needed(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def run(advice, name, **given):
    space = dict(given)
    exec(export(advice, name), space)  # noqa: S102 our own code is what is tested
    return space


def advised(name, optimizer="sgd", *, peak_lr=0.5, n_steps=N_STEPS):
    return a_recommendation(make_schedule(name, peak_lr=peak_lr, n_steps=n_steps), optimizer, n_steps=n_steps)


def losses_with_plateaus():
    """Return losses that fall, stand still, fall and stand still again."""
    fall = np.linspace(1, 0.5, N_STEPS // 4)
    stand = np.full(N_STEPS // 4, 0.5)
    return np.concatenate([fall, stand, fall - 0.4, stand - 0.4])


def plateau_rates(peak_lr=0.5):
    controller = ReduceOnPlateau(np.array([peak_lr]), N_STEPS)
    return [float(controller.update(np.array([loss])).lrs[0]) for loss in losses_with_plateaus()]


def a_course(n_steps=N_STEPS):
    schedule = make_schedule("adaptive", peak_lr=0.5, n_steps=n_steps)
    return recorded(schedule, values(schedule)[None] * np.where(np.arange(n_steps) < 60, 1, 0.3))


# --- Without a framework


def test_the_recorded_course_is_written_as_a_table():
    course = a_course()
    np.testing.assert_allclose(np.array(factors(course))[:-1] * 0.5, values(course), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("name", "framework"), [("sklearn", "scikit-learn"), ("transformers", "The Trainer")])
def test_where_a_framework_cannot_answer_the_run_a_sentence_says_whose_rates_these_are(name, framework):
    nominal = export(advised("adaptive"), name)
    assert f"# {framework} cannot answer the run as adaptive does: these are the rates that it takes where" in nominal
    taken = export(replace(advised("adaptive"), schedule=a_course()), name)
    assert "took, in the median of the race's runs." in taken


def test_csv_holds_the_course_that_was_taken():
    text = export(replace(advised("adaptive"), schedule=a_course()), "csv")
    rates = [float(line.split(",")[1]) for line in text.splitlines()[1:]]
    assert rates == values(a_course()).tolist()


def test_a_rate_of_ones_own_loop_survives_a_peak_far_too_high():
    rate = lrfind.AdaptiveRate(peak_lr=30.0, n_steps=200)
    x = saved = 1.0
    for _ in range(200):
        lr = rate.step(x * x, abs(2 * x))
        assert 0 < lr <= 30
        if rate.restore:
            x = saved
            continue
        if rate.save:
            saved = x
        x -= lr * 2 * x
    assert abs(x) < 1e-3
    assert rate.n_restores > 0


def test_a_rate_without_gradient_norms_goes_by_the_losses():
    rate = lrfind.AdaptiveRate(peak_lr=1.0, n_steps=50)
    assert rate.step(1.0) == pytest.approx(rate.first_lr)
    assert rate.save
    assert rate.step(math.nan) < rate.first_lr
    assert rate.restore


@pytest.mark.parametrize(("peak_lr", "n_steps"), [(0.0, 10), (math.inf, 10), (0.1, 0)])
def test_a_rate_that_cannot_be_is_refused(peak_lr, n_steps):
    with pytest.raises(UsageError):
        lrfind.AdaptiveRate(peak_lr, n_steps)


# --- PyTorch


@pytest.mark.torch
def test_torchs_plateau_gives_the_rates_of_ours():
    torch = needed("torch")
    made = run(advised("reduce_on_plateau"), "torch", model=torch.nn.Linear(2, 1))
    rates, losses = [], made["losses"]
    for loss in losses_with_plateaus():
        rates.append(made["optimizer"].param_groups[0]["lr"])
        made["optimizer"].step()
        losses.append(loss)
        if len(losses) == WINDOW:
            made["scheduler"].step(sum(losses) / WINDOW)
            losses.clear()
    assert len(set(rates)) > 2
    np.testing.assert_allclose(rates, plateau_rates(), rtol=1e-12)


def a_torch_problem(torch):
    torch.manual_seed(0)
    X = torch.randn(256, 4)
    y = X @ torch.tensor([[1.0], [-2.0], [0.5], [0.0]])
    return X, y, torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))


@pytest.mark.torch
@pytest.mark.parametrize("optimizer", sorted(set(OPTIMIZERS) - {"lion"}))
def test_torchs_adaptive_loop_survives_a_peak_far_too_high(optimizer):
    torch = needed("torch")
    X, y, model = a_torch_problem(torch)
    made = run(advised("adaptive", optimizer, peak_lr=PEAKS[optimizer], n_steps=400), "torch", model=model)
    for step in range(400):
        rows = torch.randperm(256, generator=torch.Generator().manual_seed(step))[:32]
        made["optimizer"].zero_grad()
        loss = torch.nn.functional.mse_loss(model(X[rows]), y[rows])
        loss.backward()
        made["update"](loss)
    assert torch.nn.functional.mse_loss(model(X), y).item() < 0.3 * y.var().item()


# --- Lightning


def fitted(lightning, torch, module, *, tmp_path, n_steps=N_STEPS):
    X, y, _ = a_torch_problem(torch)
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), batch_size=32, shuffle=True)
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(max_steps=n_steps, accelerator="cpu", default_root_dir=tmp_path, **quiet)
        trainer.fit(module, batches)
    return torch.nn.functional.mse_loss(module.layers(X), y).item() / y.var().item()


@pytest.mark.torch
def test_lightnings_plateau_gives_the_rates_of_ours(tmp_path):
    torch, lightning = needed("torch"), needed("lightning")
    rates, seen = [], iter(losses_with_plateaus().tolist())

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layers, self.losses = a_torch_problem(torch)[2], []

        def training_step(self, batch, _):
            rates.append(self.optimizers().param_groups[0]["lr"])
            loss = self.layers(batch[0]).square().mean()
            self.losses.append(next(seen))
            self.log("running_loss", sum(self.losses[-WINDOW:]) / len(self.losses[-WINDOW:]))
            return loss

    Module.configure_optimizers = run(advised("reduce_on_plateau"), "lightning")["configure_optimizers"]
    fitted(lightning, torch, Module(), tmp_path=tmp_path)
    np.testing.assert_allclose(rates, plateau_rates(), rtol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_lightnings_adaptive_steps_survive_a_peak_far_too_high(optimizer, tmp_path):
    torch, lightning = needed("torch"), needed("lightning")
    made = run(advised("adaptive", optimizer, peak_lr=PEAKS[optimizer], n_steps=400), "lightning")

    class Module(lightning.LightningModule):
        configure_optimizers, optimizer_step = made["configure_optimizers"], made["optimizer_step"]

        def __init__(self):
            super().__init__()
            self.layers = a_torch_problem(torch)[2]

        def training_step(self, batch, _):
            return torch.nn.functional.mse_loss(self.layers(batch[0]), batch[1])

    assert fitted(lightning, torch, Module(), tmp_path=tmp_path, n_steps=400) < 0.3


# --- Keras


@pytest.mark.torch
def test_keras_plateau_reduces_when_ours_does():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = needed("keras")
    made = run(advised("reduce_on_plateau"), "keras")
    callback, rates = made["callback"], []
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer=made["optimizer"], loss="mse")
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses_with_plateaus().reshape(-1, WINDOW).mean(1)):
        rates.append(float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)))
        callback.on_epoch_end(epoch, {"loss": loss})
    np.testing.assert_allclose(rates, plateau_rates()[::WINDOW], rtol=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_keras_adaptive_callback_survives_a_peak_far_too_high(optimizer):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = needed("keras")
    keras.utils.set_random_seed(0)
    X = np.random.default_rng(0).standard_normal((256, 4)).astype(np.float32)
    y = X @ np.array([1.0, -2.0, 0.5, 0.0], np.float32)
    made = run(advised("adaptive", optimizer, peak_lr=PEAKS[optimizer], n_steps=400), "keras")
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1)])
    model.compile(optimizer=made["optimizer"], loss="mse")
    callback = made["Adaptive"]()
    model.fit(X, y, batch_size=32, epochs=50, verbose=0, callbacks=[callback])
    assert model.evaluate(X, y, verbose=0) < 0.3 * y.var()


# --- optax


@pytest.mark.torch
def test_optax_plateau_reduces_when_ours_does():
    needed("optax")
    jax = needed("jax")
    optimizer = run(advised("reduce_on_plateau"), "optax")["optimizer"]
    weight = jax.numpy.ones(1)
    state, rates = optimizer.init(weight), []
    update = jax.jit(optimizer.update)
    for loss in losses_with_plateaus():
        moves, state = update(jax.numpy.ones(1), state, weight, value=loss)
        rates.append(-float(moves[0]))
    ours = plateau_rates()
    # optax reduces within the update whose loss completes the window, ours from the next on
    np.testing.assert_allclose(rates[:-1], ours[1:], rtol=1e-5)


@pytest.mark.torch
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optax_adaptive_loop_survives_a_peak_far_too_high(optimizer):
    needed("optax")
    jax = needed("jax")
    made = run(advised("adaptive", optimizer, peak_lr=PEAKS[optimizer], n_steps=300), "optax")
    X = jax.numpy.asarray(np.random.default_rng(0).standard_normal((64, 3)))
    y = X @ jax.numpy.array([1.0, -2.0, 0.5])

    def loss_of(weights):
        return ((X @ weights - y) ** 2).mean()

    look = jax.jit(jax.value_and_grad(loss_of))
    weights = jax.numpy.zeros(3)
    state = made["optimizer"].init(weights)
    for _ in range(300):
        loss, grads = look(weights)
        weights, state = made["update"](loss, grads, weights, state)
    assert float(loss_of(weights)) < 0.3 * float((y**2).mean())


# --- Transformers


@pytest.mark.torch
def test_transformers_takes_the_plateau(tmp_path, monkeypatch):
    needed("torch")
    needed("transformers")
    needed("accelerate")
    monkeypatch.chdir(tmp_path)
    arguments = run(advised("reduce_on_plateau", "adam"), "transformers")["arguments"]
    assert str(arguments.lr_scheduler_type.value) == "reduce_lr_on_plateau"
    assert arguments.eval_steps == WINDOW
