"""Real training runs with faults put in on purpose, for `bench_diagnose.py`: PyTorch models on the sample data.

`train(recipe)` trains one model and returns what a training loop would log; `Recipe` holds everything that can be
done wrongly.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
# File and target; all other columns that are numbers are features.
TABLES = {
    "digits": ("vision_digits.csv", "digit"),
    "cancer": ("healthcare_breast_cancer.csv", "diagnosis"),
    "shuttle": ("control_shuttle.csv", "anomaly"),
    "mpg": ("vehicles_auto_mpg.csv", "mpg"),
    "payments": ("fraud_synthetic_payments.csv", "fraud"),
    "wine": ("chemistry_wine.csv", "cultivar"),
    "penguins": ("biology_penguins.csv", "Species"),
    "macro": ("finance_us_macro.csv", "unemployment_change_next"),
}
REGRESSION = {"mpg", "macro"}
VAL_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One training run, and what is done wrongly in it.

    `schedule` maps the share of the run that is done to a share of `lr`. `gain` multiplies the initial weights,
    `dead` is taken from the hidden biases, `clip` is the largest gradient norm (logged after clipping), `flipped` is
    the share of labels drawn at random, `rows` the number of training rows kept, `bad_batches` the steps whose
    features are a hundred times too large. `shrink` is the share of the weights taken off at a step, per unit of the
    rate, `smoothing` the share of a class's target that is spread over all classes in training.
    """

    data: str
    net: str
    optimizer: str
    batch: int
    n_steps: int
    lr: float
    schedule: Callable[[float], float]
    seed: int = 0
    gain: float = 1.0
    dead: float = 0.0
    clip: float | None = None
    flipped: float = 0.0
    rows: int | None = None
    bad_batches: tuple[int, ...] = ()
    shrink: float = 0.0
    smoothing: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Course:
    """What one run logged: a value a step, and the held-out loss every `val_every` steps; losses on whole parts."""

    loss: np.ndarray
    lr: np.ndarray
    grad_norm: np.ndarray
    val_loss: np.ndarray
    val_every: int
    steps_per_epoch: int
    final_train: float
    final_val: float
    baseline: float


# Added to the seed of every run by `bench_diagnose.py --redraw`: the same recipes, drawn anew.
REDRAW = [0]
# Data that other modules make: features, targets, and the number of classes.
MADE: dict[str, Callable[[], tuple[Tensor, Tensor, int]]] = {}


@cache
def table(name: str) -> tuple[Tensor, Tensor, int]:
    """Return standardised features, targets and the number of classes (0 for a number)."""
    if name in MADE:
        return MADE[name]()
    file, target = TABLES[name]
    with (SAMPLES / file).open(newline="") as lines:
        rows = list(csv.DictReader(lines))

    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return math.nan

    columns = [c for c in rows[0] if c != target and not math.isnan(number(rows[0][c]))]
    x = np.array([[number(row[c]) for c in columns] for row in rows])
    keep = np.isfinite(x).all(axis=1)
    x = x[keep]
    x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    texts = [row[target] for row, kept in zip(rows, keep, strict=True) if kept]
    if name in REGRESSION:
        y = np.array([float(text) for text in texts])
        return torch.tensor(x, dtype=torch.float32), torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32), 0
    classes = sorted(set(texts))
    codes = [classes.index(text) for text in texts]
    return torch.tensor(x, dtype=torch.float32), torch.tensor(codes), len(classes)


class Attention(nn.Module):
    """Two post-norm transformer layers over the eight rows of a digit; they want a warm-up."""

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.enter = nn.Linear(8, 32)
        self.place = nn.Parameter(torch.randn(8, 32) * 0.1)
        layers = [nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True) for _ in range(3)]
        self.layers = nn.Sequential(*layers)
        self.leave = nn.Linear(32, n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(self.layers(self.enter(x.reshape(-1, 8, 8)) + self.place).mean(1))


class Recurrent(nn.Module):
    """A recurrent net over the 64 pixels of a digit, eight at a time or one by one."""

    def __init__(self, n_outputs: int, *, cell: type[nn.RNNBase], width: int = 8) -> None:
        super().__init__()
        self.width = width
        self.cell = cell(width, 32, batch_first=True)
        self.leave = nn.Linear(32, n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        outputs, _ = self.cell(x.reshape(len(x), -1, self.width))
        return self.leave(outputs[:, -1])


def mlp(n_in: int, n_out: int, *, widths: tuple[int, ...], bend: type[nn.Module]) -> nn.Module:
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(n_in, width), bend()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))


def cnn(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, n_out),
    )  # fmt: skip


NETS: dict[str, Callable[[int, int], nn.Module]] = {
    "linear": lambda i, o: mlp(i, o, widths=(), bend=nn.ReLU),
    "mlp": lambda i, o: mlp(i, o, widths=(64,), bend=nn.ReLU),
    "tanh": lambda i, o: mlp(i, o, widths=(32, 32), bend=nn.Tanh),
    "deep": lambda i, o: mlp(i, o, widths=(32,) * 5, bend=nn.ReLU),
    "wide": lambda i, o: mlp(i, o, widths=(256, 256), bend=nn.ReLU),
    "sigmoid": lambda i, o: mlp(i, o, widths=(32,) * 6, bend=nn.Sigmoid),
    "cnn": cnn,
    "gru": lambda _, o: Recurrent(o, cell=nn.GRU),
    "rnn": lambda _, o: Recurrent(o, cell=nn.RNN, width=2),
    "attention": lambda _, o: Attention(o),
}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.Adam,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
}


def know(
    *,
    data: dict[str, Callable[[], tuple[Tensor, Tensor, int]]],
    nets: dict[str, Callable[[int, int], nn.Module]],
    optimizers: dict[str, Callable[..., torch.optim.Optimizer]],
) -> None:
    """Take on the data, the nets and the optimisers of another module."""
    MADE.update(data)
    NETS.update(nets)
    OPTIMIZERS.update(optimizers)


# Share of the weights that is taken off at a step, per unit of the rate.
DECAYS = {"adamw": 0.01}


def parts(recipe: Recipe) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the training and the held-out part, with the recipe's faults in the first."""
    x, y, n_classes = table(recipe.data)
    rng = np.random.default_rng(recipe.seed + REDRAW[0])
    order = torch.from_numpy(rng.permutation(len(x)))
    n_val = int(VAL_SHARE * len(x))
    val, train = order[:n_val], order[n_val:][: recipe.rows]
    y_train = y[train].clone()
    if recipe.flipped:
        flipped = torch.from_numpy(rng.random(len(train)) < recipe.flipped)
        if n_classes:
            y_train[flipped] = torch.from_numpy(rng.integers(0, n_classes, int(flipped.sum())))
        else:
            y_train[flipped] = torch.from_numpy(rng.normal(size=int(flipped.sum())).astype(np.float32))
    return x[train], y_train, x[val], y[val]


def baseline_of(y: Tensor) -> float:
    """Return the loss of knowing nothing."""
    if y.dtype == torch.int64:
        shares = torch.bincount(y).double() / len(y)
        return float(-(shares[shares > 0] * shares[shares > 0].log()).sum())
    return float(y.var())


def build(recipe: Recipe, *, n_inputs: int, n_outputs: int) -> nn.Module:
    torch.manual_seed(recipe.seed + REDRAW[0])
    net = NETS[recipe.net](n_inputs, n_outputs)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(recipe.gain)
        if recipe.dead:
            for layer in [m for m in net.modules() if isinstance(m, nn.Linear)][:-1]:
                layer.bias -= recipe.dead
    return net


def steps_of(recipe: Recipe, n_rows: int) -> np.ndarray:
    """Return the rows of each step's batch, (n_steps, batch): a fresh order each epoch, the rest of it dropped."""
    rng = np.random.default_rng(recipe.seed + REDRAW[0] + 1)
    batch = min(recipe.batch, n_rows)
    per_epoch = n_rows // batch
    epochs = -(-recipe.n_steps // per_epoch)
    orders = [rng.permutation(n_rows)[: per_epoch * batch].reshape(per_epoch, batch) for _ in range(epochs)]
    return np.concatenate(orders)[: recipe.n_steps]


class Stack:
    """Several models of one shape that train in lockstep, each with its own rate: one call for all of them.

    The update of every optimiser used here is proportional to the rate and does not read the weights (but for decay,
    done here), so it is taken at a rate of 1 with the weights set to 0, and each model's part is multiplied by its own
    rate.
    """

    def __init__(self, models: list[nn.Module], recipe: Recipe) -> None:
        self.models, self.looped = models, isinstance(models[0], Recurrent)
        self.params, self.buffers = torch.func.stack_module_state(models)
        self.optimizer = OPTIMIZERS[recipe.optimizer](list(self.params.values()), lr=1.0)
        self.decay = DECAYS.get(recipe.optimizer, 0.0) + recipe.shrink
        self.smoothing = recipe.smoothing

    def set_training(self, training: bool) -> None:
        """Switch dropout on or off; transformer layers that are not in training take a way that cannot be stacked."""
        for module in self.models[0].modules():
            if isinstance(module, nn.Dropout):
                module.train(training)

    def outputs(self, x: Tensor) -> Tensor:
        """Return each model's outputs, (n_models, batch, n_outputs)."""
        model = self.models[0]
        if self.looped:
            # Recurrent kernels cannot be stacked.
            pieces = [{k: v[r] for k, v in self.params.items()} for r in range(len(self.models))]
            return torch.stack([torch.func.functional_call(model, p, (x[r],)) for r, p in enumerate(pieces)])
        call = lambda p, b, rows: torch.func.functional_call(model, (p, b), (rows,))  # noqa: E731
        return torch.vmap(call, randomness="different")(self.params, self.buffers, x)

    def losses(self, x: Tensor, y: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return each model's mean loss, (n_models,)."""
        outputs = self.outputs(x)
        if y.dtype == torch.int64:
            flat = nn.functional.cross_entropy(
                outputs.flatten(0, 1), y.flatten(), reduction="none", label_smoothing=smoothing
            )
            return flat.view(y.shape).mean(1)
        return ((outputs[..., 0] - y) ** 2).mean(1)

    def step(self, losses: Tensor, *, lr: Tensor, clip: Tensor) -> Tensor:
        """Make one update; return the gradient norms, (n_models,), after clipping."""
        self.optimizer.zero_grad()
        losses.sum().backward()
        squares = sum((p.grad**2).flatten(1).sum(1) for p in self.params.values())
        norms = squares.sqrt()
        scale = torch.where(norms > clip, clip / norms, torch.ones_like(norms))
        with torch.no_grad():
            kept = [p.clone() for p in self.params.values()]
            for p in self.params.values():
                p.grad *= scale.view(-1, *[1] * (p.dim() - 1))
                p.zero_()
            self.optimizer.step()
            for p, before in zip(self.params.values(), kept, strict=True):
                rate = lr.view(-1, *[1] * (p.dim() - 1))
                p.mul_(rate).add_(before * (1 - self.decay * rate))
        return norms * scale


def train_all(recipes: list[Recipe]) -> list[Course]:
    """Train models that differ in nothing but their rates, seeds and faults, and return what each logged."""
    first = recipes[0]
    data = [parts(recipe) for recipe in recipes]
    n_outputs = table(first.data)[2] or 1
    stack = Stack([build(r, n_inputs=data[0][0].shape[1], n_outputs=n_outputs) for r in recipes], first)
    order = np.stack([steps_of(recipe, len(d[0])) for recipe, d in zip(recipes, data, strict=True)])
    x_val, y_val = (torch.stack([d[k] for d in data]) for k in (2, 3))
    clip = torch.tensor([recipe.clip or math.inf for recipe in recipes])
    shares = np.arange(first.n_steps) / first.n_steps
    lrs = np.array([[recipe.lr * recipe.schedule(share) for share in shares] for recipe in recipes])
    val_every = max(first.n_steps // 40, 1)
    losses, norms, vals = [], [], []
    for step in range(first.n_steps):
        x = torch.stack([d[0][rows] for d, rows in zip(data, order[:, step], strict=True)])
        y = torch.stack([d[1][rows] for d, rows in zip(data, order[:, step], strict=True)])
        bad = torch.tensor([100.0 if step in recipe.bad_batches else 1.0 for recipe in recipes])
        loss = stack.losses(x * bad[:, None, None], y, smoothing=first.smoothing)
        norms.append(stack.step(loss, lr=torch.tensor(lrs[:, step], dtype=torch.float32), clip=clip).detach().numpy())
        losses.append(loss.detach().numpy().astype(float))
        if step % val_every == val_every - 1:
            stack.set_training(False)
            with torch.no_grad():
                vals.append(stack.losses(x_val, y_val).numpy().astype(float))
            stack.set_training(True)
    n_same = min(len(d[0]) for d in data)
    stack.set_training(False)
    with torch.no_grad():
        final_train = stack.losses(*(torch.stack([d[k][:n_same] for d in data]) for k in (0, 1))).numpy().astype(float)
    columns = np.array(losses).T, np.array(norms).T.astype(float), np.array(vals).T
    return [
        Course(
            loss=cut(columns[0][r]), lr=lrs[r], grad_norm=columns[1][r], val_loss=columns[2][r], val_every=val_every,
            steps_per_epoch=max(len(data[r][0]) // min(first.batch, len(data[r][0])), 1),
            final_train=float(final_train[r]), final_val=float(columns[2][r][-1]), baseline=baseline_of(data[r][1]),
        )
        for r in range(len(recipes))
    ]  # fmt: skip


def cut(loss: np.ndarray) -> np.ndarray:
    """Return the losses up to the tenth that is no number, where a training loop would stop."""
    broken = np.flatnonzero(~np.isfinite(loss))
    return loss if len(broken) < 10 else loss[: broken[9] + 1]


def train(recipe: Recipe) -> Course:
    """Train one model and return what it logged."""
    return train_all([recipe])[0]
