from itertools import product

import numpy as np
import pytest

from lrfind.mlp import (
    ACTIVATIONS,
    Net,
    StackedMLP,
    Training,
    constant_losses,
    initial_weights,
    replicas_per_group,
    row_losses,
    steps_per_epoch,
    with_ones,
)
from lrfind.optim import OPTIMIZERS

TASKS = ("classification", "regression")


def a_net(task="classification", *, hidden=(5,), activation="relu", n_inputs=4, n_outputs=3):
    n_outputs = n_outputs if task == "classification" else 1
    return Net(n_inputs=n_inputs, n_outputs=n_outputs, hidden=hidden, activation=activation, task=task)


def a_table(net, *, n_rows=50, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, net.n_inputs)).astype(np.float32)
    if net.task == "classification":
        return X, rng.integers(0, net.n_outputs, n_rows)
    return X, rng.normal(size=n_rows).astype(np.float32)


def a_training(net, *, n_seeds=4, optimizer="adam", batch_size=16, table=None, **options):
    X, y = a_table(net) if table is None else table
    seeds = options.pop("seeds", None) or np.random.SeedSequence(7).spawn(n_seeds)
    return Training(net, with_ones(X), y=y, optimizer=optimizer, batch_size=batch_size, seeds=seeds, **options)


def run(training, n_steps, lr=0.01):
    """Return losses and gradient norms, (n_seeds, n_steps) each."""
    record = []
    with np.errstate(all="ignore"):
        for _ in range(n_steps):
            losses = training.step(lr)
            record.append((losses, training.grad_norms))
    return np.array(record).transpose(1, 2, 0)


# --- The network ---


def test_parameters_are_counted():
    net = a_net(hidden=(5, 2))
    assert net.sizes == (4, 5, 2, 3)
    assert net.n_params == (4 * 5 + 5) + (5 * 2 + 2) + (2 * 3 + 3)
    assert a_net("regression", hidden=()).n_params == 4 + 1


def test_a_hand_worked_example():
    # one input, two hidden units of which relu stops one, one output
    net = Net(n_inputs=1, n_outputs=1, hidden=(2,), activation="relu", task="regression")
    # W1 = (2, -1), b1 = (1, 0), W2 = (3, 5), b2 = -4
    mlp = StackedMLP(net, np.array([[2.0, -1, 1, 0, 3, 5, -4]]))
    # x = 1: hidden (3, 0), output 5, error 5 - 3 = 2, loss 4
    # x = 0: hidden (1, 0), output -1, error -1 - 0 = -1, loss 1
    loss = mlp.loss_and_grad(with_ones(np.array([[[1.0], [0.0]]])), np.array([[3.0, 0.0]]))
    assert loss == [2.5]
    # d loss / d output = 2 error / 2 = (2, -1); through W2 = 3 to the first hidden unit (6, -3)
    # dW1 = 6 * 1 - 3 * 0, db1 = 6 - 3, dW2 = 2 * 3 - 1 * 1, db2 = 2 - 1
    np.testing.assert_allclose(mlp.grads, [[6, 0, 3, 0, 5, 0, 1]])
    np.testing.assert_allclose(mlp.predict(with_ones(np.array([[1.0], [0.0]])), replica=0), [[5], [-1]])


@pytest.mark.parametrize(("task", "activation", "hidden"), list(product(TASKS, ACTIVATIONS, [(), (5,), (6, 3)])))
def test_gradients_equal_central_differences(task, activation, hidden):
    net, rng, h = a_net(task, hidden=hidden, activation=activation), np.random.default_rng(3), 1e-5
    params = rng.normal(size=(2, net.n_params))
    X = with_ones(rng.normal(size=(2, 6, net.n_inputs)))
    y = rng.integers(0, 3, (2, 6)) if task == "classification" else rng.normal(size=(2, 6))
    mlp = StackedMLP(net, params.copy())
    mlp.loss_and_grad(X, y)
    numeric = np.empty_like(params)
    for i in range(net.n_params):
        shifted = [params + sign * h * np.eye(net.n_params)[i] for sign in (1, -1)]
        up, down = (StackedMLP(net, p).loss_and_grad(X, y) for p in shifted)
        numeric[:, i] = (up - down) / (2 * h)
    # the approximation of gelu's cdf is not smooth beyond 1e-7
    np.testing.assert_allclose(mlp.grads, numeric, rtol=1e-6, atol=2e-6 if activation == "gelu" else 1e-8)


def test_gelu_is_the_input_times_the_normal_cdf():
    # values of the cdf from tables, to ten digits
    cdf = {-3.0: 0.0013498980, -1.0: 0.1586552539, 0.0: 0.5, 0.5: 0.6914624613, 2.0: 0.9772498681}
    density = {z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi) for z in cdf}
    z = np.array([[list(cdf)]])
    slope = ACTIVATIONS["gelu"](z)
    np.testing.assert_allclose(z[0, 0], [x * p for x, p in cdf.items()], atol=3e-7)
    np.testing.assert_allclose(slope[0, 0], [p + x * density[x] for x, p in cdf.items()], atol=3e-7)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_stay_in_their_type_and_finite(activation):
    z = np.array([[[-1e4, -30, -1e-30, 0, 1e-30, 30, 1e4]]], np.float32)
    slope = ACTIVATIONS[activation](z)
    assert z.dtype == np.float32
    assert np.isfinite(z).all()
    assert np.isfinite(slope).all()


# --- Losses ---


def outputs_of(z, y, task="classification"):
    """Return the loss of a linear net whose outputs are `z` (batch, k) whatever comes in: they are its biases."""
    k = z.shape[-1]
    net = Net(n_inputs=1, n_outputs=k, hidden=(), activation="relu", task=task)
    rows = np.broadcast_to(z, (len(y), k))
    mlp = StackedMLP(net, np.concatenate([np.zeros((len(y), k)), rows], axis=1))
    loss = mlp.loss_and_grad(with_ones(np.zeros((len(y), 1, 1))), np.asarray(y)[:, None])
    return loss, mlp.grads[:, k:]


def test_two_classes_are_logistic_regression():
    margin = np.linspace(-30, 30, 61)
    loss, grads = outputs_of(np.stack([np.zeros(61), margin], axis=1), np.ones(61, int))
    np.testing.assert_allclose(loss, np.log1p(np.exp(-margin)), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(grads[:, 1], -1 / (1 + np.exp(margin)), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(grads[:, 0], -grads[:, 1], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("k", [2, 3, 10, 1000])
def test_equal_outputs_cost_the_logarithm_of_their_number(k):
    loss, grads = outputs_of(np.full((1, k), 123.0), [k - 1])
    assert loss == pytest.approx(np.log(k))
    np.testing.assert_allclose(grads[0], 1 / k - np.eye(k)[k - 1])


def test_large_outputs_do_not_overflow():
    loss, grads = outputs_of(np.array([[1e4, -1e4], [-1e4, 1e4]]), [0, 0])
    np.testing.assert_allclose(loss, [0, 2e4])
    np.testing.assert_allclose(grads, [[0, 0], [-1, 1]])


@pytest.mark.parametrize("task", TASKS)
def test_row_losses_average_to_the_loss_of_the_batch(task):
    net, rng = a_net(task), np.random.default_rng(0)
    mlp = StackedMLP(net, rng.normal(size=(2, net.n_params)))
    X, y = (array[:12] for array in a_table(net))
    X = with_ones(X.astype(float))
    losses = mlp.loss_and_grad(np.stack([X, X]), np.stack([y, y]))
    for replica in (0, 1):
        rows = row_losses(task, mlp.predict(X, replica=replica), y=y)
        assert rows.mean() == pytest.approx(losses[replica])


def test_the_best_constant_is_the_frequencies_or_the_mean():
    y = np.array([0, 0, 0, 2])
    np.testing.assert_allclose(constant_losses("classification", y), -np.log([3 / 4, 3 / 4, 3 / 4, 1 / 4]))
    np.testing.assert_allclose(constant_losses("regression", np.array([1.0, 2, 6])), [4, 1, 9])


# --- Starting weights ---


def test_weights_start_uniform_within_the_root_of_fan_in():
    net = a_net(hidden=(300, 200), n_inputs=100)
    flat, offset = initial_weights(net, np.random.SeedSequence(0)), 0
    assert (flat.dtype, flat.shape) == (np.float32, (net.n_params,))
    for fan_in, fan_out in ((100, 300), (300, 200), (200, 3)):
        n = (fan_in + 1) * fan_out
        layer, bound = flat[offset : offset + n], 1 / np.sqrt(fan_in)
        assert np.abs(layer).max() <= bound
        # Kolmogorov and Smirnov's distance from the uniform distribution; 1.95 / sqrt(n) is exceeded once in 1000
        gap = np.abs((np.sort(layer) / bound + 1) / 2 - (np.arange(n) + 0.5) / n).max()
        assert gap < 1.95 / np.sqrt(n)
        offset += n
    np.testing.assert_array_equal(flat, initial_weights(net, np.random.SeedSequence(0)))
    assert not np.isin(flat[:1000], initial_weights(net, np.random.SeedSequence(1))).all()


# --- Lockstep ---


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lion"])
@pytest.mark.parametrize(
    ("task", "hidden", "activation", "batch_size", "k"),
    [
        ("classification", (), "relu", 16, 3),
        ("classification", (64, 64), "relu", 16, 10),
        ("classification", (7,), "tanh", 33, 2),
        ("classification", (7,), "gelu", 1, 12),
        ("classification", (), "relu", 1, 40),
        ("regression", (9,), "gelu", 16, 1),
        ("regression", (130, 9), "relu", 1, 1),
    ],
)
def test_a_seed_is_the_same_bytes_whoever_trains_beside_it(task, hidden, activation, batch_size, k, optimizer):
    net, seeds = a_net(task, hidden=hidden, activation=activation, n_outputs=k), np.random.SeedSequence(3).spawn(5)
    options = {"optimizer": optimizer, "batch_size": batch_size}
    together = run(a_training(net, seeds=seeds, **options), 12)
    for group in ([0], [1, 2], [3, 4, 0], [4]):
        apart = run(a_training(net, seeds=[seeds[i] for i in group], **options), 12)
        np.testing.assert_array_equal(apart, together[:, group])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_lost_seed_returns_nan_for_ever_and_harms_nobody(optimizer):
    net = a_net(hidden=(8,))
    undisturbed = run(a_training(net, optimizer=optimizer), 30)
    training = a_training(net, optimizer=optimizer)
    first = run(training, 5)
    # the second replica's next step destroys it, then it is given sane rates again
    fatal = run(training, 1, lr=np.array([0.01, 1e38, 0.01, 0.01]))
    rest = run(training, 24)
    everything = np.concatenate([first, fatal, rest], axis=2)
    others = [0, 2, 3]
    np.testing.assert_array_equal(everything[:, others], undisturbed[:, others])
    lost = np.isnan(rest[:, 1])
    assert lost[:, -1].all()
    # once lost, always lost; loss and gradient together
    assert (np.diff(lost.astype(int), axis=1) >= 0).all()
    np.testing.assert_array_equal(lost[0], lost[1])


@pytest.mark.parametrize("task", TASKS)
def test_when_all_are_lost_steps_go_on(task):
    training = a_training(a_net(task, hidden=(8, 8)), optimizer="sgd")
    run(training, 1, lr=1e30)
    assert np.isnan(run(training, 20)[:, :, 3:]).all()
    assert np.isnan(training.held_out_losses([np.arange(5)] * 4)).all()
    assert np.isfinite(training.difficulty).all()


def test_replicas_may_have_rates_of_their_own():
    net, lrs = a_net(), [1e-3, 1e-2, 0.1, 1.0]
    each = run(a_training(net), 10, lr=np.array(lrs))
    for replica, lr in enumerate(lrs):
        np.testing.assert_array_equal(each[:, replica], run(a_training(net), 10, lr=lr)[:, replica])


def test_equal_seeds_mean_equal_weights_and_batches():
    seed, other = np.random.SeedSequence(1).spawn(2)
    losses, _ = run(a_training(a_net(), seeds=[seed, other, seed]), 10)
    np.testing.assert_array_equal(losses[0], losses[2])
    assert (losses[0] != losses[1]).all()


def test_seeds_that_differ_in_entropy_alone_differ():
    losses, _ = run(a_training(a_net(), seeds=[np.random.SeedSequence(s) for s in (1, 2, [1, 2], 1)]), 10)
    np.testing.assert_array_equal(losses[0], losses[3])
    assert len(np.unique(losses[:, 0])) == 3


# --- Batches ---


def batches_seen(n_rows, batch_size, n_steps, *, n_seeds=2, rows=None):
    """Return the rows of each batch (n_seeds, n_steps, batch), read off a difficulty that names them."""
    net = a_net("regression", hidden=(), n_inputs=1)
    training = a_training(net, table=(np.zeros((n_rows, 1), np.float32), np.arange(n_rows, dtype=np.float32)),
                          batch_size=batch_size, n_seeds=n_seeds, rows=rows)  # fmt: skip
    seen, inner = [], training._mlp.loss_and_grad

    def watch(X, y):
        seen.append(y.astype(int))
        return inner(X, y)

    training._mlp.loss_and_grad = watch
    for _ in range(n_steps):
        training.step(0.0)
    return np.array(seen).swapaxes(0, 1)


def test_each_epoch_is_a_fresh_permutation_without_the_partial_batch():
    epochs = batches_seen(23, 5, 12).reshape(2, 3, 4 * 5)
    for epoch in epochs.reshape(6, 20):
        assert len(np.unique(epoch)) == 20
        assert set(epoch) <= set(range(23))
    assert len(np.unique(epochs.reshape(6, 20), axis=0)) == 6


def test_the_dropped_rows_differ_between_epochs():
    epochs = batches_seen(6, 5, 40, n_seeds=1)[0]
    dropped = [next(iter(set(range(6)) - set(epoch))) for epoch in epochs]
    assert set(dropped) == set(range(6))


def test_a_batch_larger_than_the_data_is_all_of_it():
    for batch in batches_seen(7, 64, 3).reshape(-1, 7):
        assert sorted(batch) == list(range(7))


def test_replicas_may_have_rows_of_their_own():
    rows = [np.arange(10), np.arange(5, 15)]
    seen = batches_seen(20, 4, 10, rows=rows)
    assert set(seen[0].ravel()) == set(range(10))
    assert set(seen[1].ravel()) == set(range(5, 15))


@pytest.mark.parametrize(("n_rows", "batch_size", "expected"), [(100, 32, 3), (96, 32, 3), (5, 64, 1), (64, 64, 1)])
def test_steps_per_epoch_counts_whole_batches(n_rows, batch_size, expected):
    assert steps_per_epoch(n_rows, batch_size=batch_size) == expected


@pytest.mark.parametrize("task", TASKS)
def test_difficulty_is_the_loss_of_a_constant_on_the_same_batch(task):
    net = a_net(task)
    X, y = a_table(net)
    training = a_training(net, table=(X, y), batch_size=50)
    training.step(0.1)
    # the batch is the whole table
    np.testing.assert_allclose(training.difficulty, constant_losses(task, y).mean(), rtol=1e-6)


# --- What training does ---


@pytest.mark.parametrize("task", TASKS)
def test_held_out_losses_are_those_of_the_parameters_reached(task):
    net = a_net(task, hidden=(5,), activation="tanh")
    X, y = a_table(net)
    training = a_training(net, table=(X, y), n_seeds=3)
    run(training, 20, lr=0.05)
    rows = [np.arange(10), np.arange(20, 30), np.arange(40, 50)]
    found = training.held_out_losses(rows)
    for replica, params in enumerate(training._mlp.params.astype(np.float64)):
        W1, b1, W2, b2 = np.split(params, np.cumsum([4 * 5, 5, 5 * net.n_outputs]))
        z = np.tanh(X[rows[replica]] @ W1.reshape(4, 5) + b1) @ W2.reshape(5, -1) + b2
        truth = y[rows[replica]]
        if task == "classification":
            expected = [np.log(np.exp(row).sum()) - row[label] for row, label in zip(z, truth, strict=True)]
        else:
            expected = (z[:, 0] - truth) ** 2
        np.testing.assert_allclose(found[replica], expected, rtol=1e-4, atol=1e-6)


def test_a_replica_beyond_numbers_has_no_held_out_loss():
    training = a_training(a_net("regression"), optimizer="sgd")
    with np.errstate(all="ignore"):
        training.step(np.array([0.01, 1e38, 0.01, 0.01]))
        found = training.held_out_losses([np.arange(5)] * 4)
    np.testing.assert_array_equal(np.isnan(found).all(1), [False, True, False, False])


@pytest.mark.parametrize("seed", range(5))
def test_gradient_descent_is_stable_below_two_over_the_hessian_and_not_above(seed):
    net = a_net("regression", hidden=(), n_inputs=6)
    X, y = a_table(net, n_rows=80, seed=seed)
    inputs = np.column_stack([X, np.ones(80)]).astype(float)
    # the loss is the mean square without a half: its Hessian is 2 X'X / n
    limit = 2 / np.linalg.eigvalsh(2 * inputs.T @ inputs / 80).max()
    training = a_training(net, table=(X, y), optimizer="sgd", batch_size=80, n_seeds=2)
    losses, _ = run(training, 300, lr=limit * np.array([0.98, 1.05]))
    best = np.square(inputs @ np.linalg.lstsq(inputs, y, rcond=None)[0] - y).mean()
    below, above = losses
    assert (np.diff(below) <= 1e-6 * below[:-1]).all()
    assert below[-1] == pytest.approx(best, rel=1e-3)
    assert above[-1] > 1e3 * above[0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser_learns_what_can_be_learned(optimizer):
    net = a_net(hidden=(16,))
    X, _ = a_table(net, n_rows=200)
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    lr = {"sgd": 0.5, "momentum": 0.1, "nesterov": 0.1, "adagrad": 0.1}.get(optimizer, 0.01)
    losses, norms = run(a_training(net, table=(X, y), optimizer=optimizer), 200, lr=lr)
    assert (losses[:, -20:].mean(1) < 0.2 * losses[:, :5].mean(1)).all()
    assert (norms > 0).all()


def test_groups_fit_the_cache_between_their_bounds():
    tiny, wide = a_net(hidden=()), a_net(hidden=(2000, 2000))
    assert replicas_per_group(tiny, batch_size=8) == 26
    assert replicas_per_group(wide, batch_size=8) == 4
    assert 8 <= replicas_per_group(a_net(n_inputs=64, hidden=(64,), n_outputs=10), batch_size=64) <= 26


# --- Setting replicas back ---


def walked(training, n_steps, *, save_at=None, back_at=None, which=None, lr=0.05):
    """Return the parameters and losses after steps in which some replicas are saved and set back."""
    losses = []
    for step in range(n_steps):
        losses.append(training.measure())
        if step == save_at:
            training.save(which)
        training.move(lr, back=which if step == back_at else None)
    return training._mlp.params.copy(), np.array(losses)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_replicas_not_set_back_are_the_same_bytes(optimizer):
    which = np.array([False, True, False, True])
    net = a_net()
    plain, losses = walked(a_training(net, optimizer=optimizer), 20)
    moved, others = walked(a_training(net, optimizer=optimizer), 20, save_at=5, back_at=9, which=which)
    assert plain[~which].tobytes() == moved[~which].tobytes()
    assert losses[:, ~which].tobytes() == others[:, ~which].tobytes()
    assert not (plain[which] == moved[which]).all(1).any()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_replica_set_back_goes_on_as_if_nothing_had_happened(optimizer):
    # one batch is all rows, so that a step taken again is the same step but for the order of its sums
    net, which = a_net(), np.array([True, False, True, False])
    table = a_table(net, n_rows=32)
    straight, _ = walked(a_training(net, optimizer=optimizer, batch_size=32, table=table), 12)
    again, _ = walked(
        a_training(net, optimizer=optimizer, batch_size=32, table=table), 17, save_at=5, back_at=9, which=which
    )
    if optimizer != "lion":  # which steps by a sign, and so by the last bit of a sum
        np.testing.assert_allclose(again[which], straight[which], rtol=2e-3, atol=2e-4)


def test_a_replica_that_is_set_back_is_not_lost():
    training = a_training(a_net(), n_seeds=2, optimizer="sgd")
    both = np.array([True, True])
    training.measure()
    training.save(both)
    before = training._mlp.params.copy()
    training.move(np.array([1e30, 0.01]))
    with np.errstate(all="ignore"):
        losses = training.measure()
        assert not np.isfinite(losses[0])
        training.move(0.01, back=~np.isfinite(losses))
    assert training._mlp.params[0].tobytes() == before[0].tobytes()
    assert np.isfinite(training.step(0.01)).all()


def test_what_was_saved_survives_the_loss_of_another():
    training = a_training(a_net(), n_seeds=3, optimizer="adam")
    training.measure()
    training.save(np.array([True, True, True]))
    saved = training._mlp.params.copy()
    with np.errstate(all="ignore"):
        training.move(np.array([0.01, np.inf, 0.01]))
        for _ in range(3):
            training.step(0.01)
        training.measure()
        training.move(0.01, back=np.array([False, False, True]))
    assert training.n_seeds == 3
    assert training._mlp.params[1].tobytes() == saved[2].tobytes()
