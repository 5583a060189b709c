"""PyTorch is the oracle: the same weights and batches in, the same losses out."""

import math

import numpy as np
import pytest

from lrfind.mlp import ACTIVATIONS, Net, StackedMLP, Training, initial_weights, with_ones
from lrfind.optim import OPTIMIZERS
from lrfind.schedule import SCHEDULES, make_schedule, values

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

N_STEPS, BATCH, N_INPUTS = 50, 16, 6


class Lion:
    """torch.optim has no Lion; this is the program of its paper (Chen et al. 2023, arXiv:2302.06675)."""

    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr
        self.means = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for p, m in zip(self.params, self.means, strict=True):
            p.sub_(self.lr * torch.sign(0.9 * m + 0.1 * p.grad))
            m.mul_(0.99).add_(0.01 * p.grad)


THEIRS = {
    "sgd": torch.optim.SGD,
    "momentum": lambda params, lr: torch.optim.SGD(params, lr, momentum=0.9),
    "nesterov": lambda params, lr: torch.optim.SGD(params, lr, momentum=0.9, nesterov=True),
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "lion": Lion,
}
LAYER_BETWEEN = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU}
LRS = {"sgd": 0.1, "momentum": 0.03, "nesterov": 0.03, "adagrad": 0.03}


def their_net(net, flat):
    """Return the same network in torch, with our weights in it."""
    layers, offset = [], 0
    for i, (fan_in, fan_out) in enumerate(zip(net.sizes[:-1], net.sizes[1:], strict=True)):
        linear = torch.nn.Linear(fan_in, fan_out, dtype=torch.from_numpy(flat).dtype)
        middle, end = offset + fan_in * fan_out, offset + (fan_in + 1) * fan_out
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(flat[offset:middle].reshape(fan_in, fan_out).T.copy()))
            linear.bias.copy_(torch.from_numpy(flat[middle:end].copy()))
        layers += [linear] if i == 0 else [LAYER_BETWEEN[net.activation](), linear]
        offset = end
    return torch.nn.Sequential(*layers)


def some_batches(net, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_STEPS, BATCH, N_INPUTS)).astype(dtype)
    if net.task == "classification":
        return X, rng.integers(0, net.n_outputs, (N_STEPS, BATCH))
    return X, (X[..., 0] + 0.5 * rng.normal(size=(N_STEPS, BATCH))).astype(dtype)


def their_losses(net, flat, optimizer, lrs, X, y):
    model = their_net(net, flat)
    optimiser = THEIRS[optimizer](model.parameters(), lr=float(lrs[0]))
    losses = []
    loss_of = torch.nn.functional.cross_entropy if net.task == "classification" else torch.nn.functional.mse_loss
    for lr, inputs, truth in zip(lrs, torch.from_numpy(X), torch.from_numpy(y), strict=True):
        if isinstance(optimiser, Lion):
            optimiser.lr = float(lr)
        else:
            optimiser.param_groups[0]["lr"] = float(lr)
        outputs = model(inputs)
        loss = loss_of(outputs if net.task == "classification" else outputs[:, 0], truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return np.array(losses)


def our_losses(net, params, optimizer, lrs, X, y):
    mlp, ours, losses = StackedMLP(net, params.copy()), OPTIMIZERS[optimizer], []
    state = ours.init(mlp.params)
    for lr, inputs, truth in zip(lrs, X, y, strict=True):
        stack = [np.stack([array] * len(params)) for array in (with_ones(inputs), truth)]
        losses.append(mlp.loss_and_grad(*stack).astype(float))
        ours.update(mlp.grads, state, mlp.params, np.full((len(params), 1), lr, params.dtype))
    return np.array(losses).T


def compare(net, optimizer, *, dtype, rtol, lrs=None):
    lrs = np.full(N_STEPS, LRS.get(optimizer, 0.003)) if lrs is None else lrs
    params = np.stack([initial_weights(net, seed) for seed in np.random.SeedSequence(1).spawn(3)]).astype(dtype)
    X, y = some_batches(net, dtype)
    ours = our_losses(net, params, optimizer, lrs, X, y)
    for replica, flat in enumerate(params):
        np.testing.assert_allclose(ours[replica], their_losses(net, flat, optimizer, lrs, X, y), rtol=rtol)


def a_net(task="classification", *, hidden=(8,), activation="relu"):
    n_outputs = 4 if task == "classification" else 1
    return Net(n_inputs=N_INPUTS, n_outputs=n_outputs, hidden=hidden, activation=activation, task=task)


@pytest.mark.parametrize("hidden", [(), (8,), (9, 7)], ids=["linear", "one hidden", "two hidden"])
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_losses_in_float64_are_torchs(optimizer, task, hidden):
    compare(a_net(task, hidden=hidden), optimizer, dtype=np.float64, rtol=1e-9)


@pytest.mark.parametrize("hidden", [(), (8,), (9, 7)], ids=["linear", "one hidden", "two hidden"])
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("optimizer", sorted(set(OPTIMIZERS) - {"lion"}))
def test_losses_in_float32_are_torchs(optimizer, task, hidden):
    compare(a_net(task, hidden=hidden), optimizer, dtype=np.float32, rtol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_activations_are_torchs(optimizer, task, activation):
    net = a_net(task, hidden=(8, 8), activation=activation)
    compare(net, optimizer, dtype=np.float32, rtol=1e-5)
    # our gelu approximates the error function to 1.5e-7
    compare(net, optimizer, dtype=np.float64, rtol=2e-5 if activation == "gelu" else 1e-9)


@pytest.mark.parametrize("optimizer", sorted(set(OPTIMIZERS) - {"lion"}))
def test_a_rate_that_grows_as_in_a_range_test_is_torchs(optimizer):
    compare(a_net(), optimizer, dtype=np.float64, rtol=1e-8, lrs=np.geomspace(1e-7, 0.1, N_STEPS))


def test_torch_still_has_no_lion():
    assert not hasattr(torch.optim, "Lion")


# --- Schedules ---


def with_warm_up(optimiser, n):
    rise = max(1, n // 10)
    up = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda t: t / rise)
    down = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n - rise)
    return torch.optim.lr_scheduler.SequentialLR(optimiser, [up, down], milestones=[rise])


PEAK = 0.3
SCHEDULERS = {
    "constant": lambda o, n: torch.optim.lr_scheduler.ConstantLR(o, factor=1, total_iters=n),
    "linear": lambda o, n: torch.optim.lr_scheduler.LinearLR(o, 1, 0, total_iters=n),
    "polynomial": lambda o, n: torch.optim.lr_scheduler.PolynomialLR(o, n, power=2),
    "exponential": lambda o, n: torch.optim.lr_scheduler.ExponentialLR(o, 0.01 ** (1 / n)),
    "cosine": torch.optim.lr_scheduler.CosineAnnealingLR,
    "step": lambda o, n: torch.optim.lr_scheduler.MultiStepLR(o, [n // 2, 3 * n // 4], 0.1),
    "warmup_cosine": with_warm_up,
    "one_cycle": lambda o, n: torch.optim.lr_scheduler.OneCycleLR(o, PEAK, total_steps=n, cycle_momentum=False),
    "cyclical": lambda o, n: torch.optim.lr_scheduler.CyclicLR(o, PEAK / 4, PEAK, n / 8, cycle_momentum=False),
    "warm_restarts": lambda o, n: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, n // 7, T_mult=2),
}


@pytest.mark.parametrize("n_steps", [7, 14, 21, 50, 63, 100, 231, 400, 700, 994, 1000])
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.filterwarnings("ignore:The epoch parameter in:UserWarning", "ignore:Detected call of:UserWarning")
def test_rates_are_torchs(name, n_steps):
    if name == "warm_restarts" and n_steps % 7:
        pytest.skip("torch restarts after whole steps only")
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=PEAK)
    scheduler, theirs = SCHEDULERS[name](optimiser, n_steps), []
    for step in range(n_steps):
        theirs.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        # OneCycleLR refuses the step after the last
        if step < n_steps - 1:
            scheduler.step()
    np.testing.assert_allclose(values(make_schedule(name, peak_lr=PEAK, n_steps=n_steps)), theirs, rtol=1e-9, atol=1e-9)


# --- Starting weights ---


def test_weights_start_from_the_distribution_of_torchs_linear():
    net = Net(n_inputs=80, n_outputs=3, hidden=(100,), activation="relu", task="classification")
    torch.manual_seed(0)
    flat, offset = initial_weights(net, np.random.SeedSequence(0)), 0
    for fan_in, fan_out in ((80, 100), (100, 3)):
        linear = torch.nn.Linear(fan_in, fan_out)
        theirs = np.concatenate([linear.weight.detach().numpy().ravel(), linear.bias.detach().numpy()])
        ours = flat[offset : offset + len(theirs)]
        offset += len(theirs)
        bound = 1 / math.sqrt(fan_in)
        assert max(np.abs(ours).max(), np.abs(theirs).max()) <= bound * (1 + 1e-6)
        # Smirnov's distance between two samples; this bound is exceeded once in a thousand
        both = np.sort(np.concatenate([ours, theirs]))
        gap = [np.searchsorted(np.sort(sample), both, side="right") / len(sample) for sample in (ours, theirs)]
        assert np.abs(gap[0] - gap[1]).max() < 1.95 * math.sqrt(2 / len(ours))


def test_a_training_run_from_a_table_is_torchs():
    """Batches included: what `Training` does is what a torch loop does with the same order of rows."""
    net = a_net(hidden=(8,))
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(70, N_INPUTS)).astype(np.float32), rng.integers(0, 4, 70)
    training = Training(
        net, with_ones(X), y=y, optimizer="adam", batch_size=BATCH, seeds=np.random.SeedSequence(2).spawn(2)
    )
    flat, seen, inner = training._mlp.params.copy(), [], training._mlp.loss_and_grad

    def watch(inputs, truth):
        seen.append((inputs[..., :-1].copy(), truth.copy()))
        return inner(inputs, truth)

    training._mlp.loss_and_grad = watch
    lrs = values(make_schedule("one_cycle", peak_lr=0.01, n_steps=N_STEPS))
    ours = np.array([training.step(lr) for lr in lrs]).T
    for replica in (0, 1):
        batches = [np.stack([batch[i][replica] for batch in seen]) for i in (0, 1)]
        np.testing.assert_allclose(ours[replica], their_losses(net, flat[replica], "adam", lrs, *batches), rtol=1e-4)
