import numpy as np
import pytest

from lrfind.optim import OPTIMIZERS

N_REPLICAS, N_PARAMS, N_STEPS = 3, 7, 50
LRS = np.array([1e-3, 0.03, 0.5])

# Every formula as its paper and torch.optim's documentation state it, for one replica: a generator that is sent a
# gradient and yields the parameters after it. Nothing is rescaled, nothing done in place.


def textbook_sgd(x, lr, momentum=0.0, nesterov=False):
    velocity = np.zeros_like(x)
    while True:
        g = yield x
        velocity = momentum * velocity + g
        x = x - lr * (g + momentum * velocity if nesterov else velocity)


def textbook_rmsprop(x, lr, alpha=0.99, eps=1e-8):
    v = np.zeros_like(x)
    while True:
        g = yield x
        v = alpha * v + (1 - alpha) * g**2
        x = x - lr * g / (np.sqrt(v) + eps)


def textbook_adagrad(x, lr, eps=1e-10):
    total = np.zeros_like(x)
    while True:
        g = yield x
        total = total + g**2
        x = x - lr * g / (np.sqrt(total) + eps)


def textbook_adam(x, lr, decay=0.0, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v, t = np.zeros_like(x), np.zeros_like(x), 0
    while True:
        g = yield x
        t += 1
        x = x - lr * decay * x
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        x = x - lr * m_hat / (np.sqrt(v_hat) + eps)


def textbook_nadam(x, lr, beta1=0.9, beta2=0.999, eps=1e-8, psi=4e-3):
    m, v, t, product = np.zeros_like(x), np.zeros_like(x), 0, 1.0
    while True:
        g = yield x
        t += 1
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * psi))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        product *= mu
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        v_hat = v / (1 - beta2**t)
        x = x - lr * m_hat / (np.sqrt(v_hat) + eps)


def textbook_lion(x, lr, beta1=0.9, beta2=0.99):
    m = np.zeros_like(x)
    while True:
        g = yield x
        x = x - lr * np.sign(beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g


TEXTBOOK = {
    "sgd": textbook_sgd,
    "momentum": lambda x, lr: textbook_sgd(x, lr, momentum=0.9),
    "nesterov": lambda x, lr: textbook_sgd(x, lr, momentum=0.9, nesterov=True),
    "rmsprop": textbook_rmsprop,
    "adagrad": textbook_adagrad,
    "adam": textbook_adam,
    "adamw": lambda x, lr: textbook_adam(x, lr, decay=0.01),
    "nadam": textbook_nadam,
    "lion": textbook_lion,
}


def some_gradients(dtype=np.float64):
    rng = np.random.default_rng(1)
    # eight decades of scale, so that each eps matters somewhere
    scale = 10.0 ** rng.integers(-8, 1, (1, N_REPLICAS, N_PARAMS))
    return (rng.normal(size=(N_STEPS, N_REPLICAS, N_PARAMS)) * scale).astype(dtype)


def trajectory(name, gradients, *, lrs=LRS, dtype=np.float64):
    n_replicas = gradients.shape[1]
    params = np.random.default_rng(2).normal(size=(N_REPLICAS, N_PARAMS))[:n_replicas].astype(dtype)
    optimizer = OPTIMIZERS[name]
    state, path = optimizer.init(params), []
    for g in gradients:
        optimizer.update(g.copy(), state, params, lrs[:, None].astype(dtype))
        path.append(params.copy())
    return np.array(path)


def test_every_optimiser_has_a_textbook_form():
    assert set(TEXTBOOK) == set(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_equal_the_textbook(name):
    gradients = some_gradients()
    path = trajectory(name, gradients)
    start = np.random.default_rng(2).normal(size=(N_REPLICAS, N_PARAMS))
    for replica, lr in enumerate(LRS):
        textbook = TEXTBOOK[name](start[replica], lr)
        next(textbook)
        expected = np.array([textbook.send(g) for g in gradients[:, replica]])
        np.testing.assert_allclose(path[:, replica], expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_parameters_stay_float32_and_close_to_float64(name):
    gradients = some_gradients(np.float32)
    path = trajectory(name, gradients, dtype=np.float32)
    assert path.dtype == np.float32
    np.testing.assert_allclose(path, trajectory(name, gradients.astype(np.float64)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_gradient_is_not_changed(name):
    gradient = some_gradients()[0]
    before, params = gradient.copy(), np.ones((N_REPLICAS, N_PARAMS))
    OPTIMIZERS[name].update(gradient, OPTIMIZERS[name].init(params), params, LRS[:, None])
    np.testing.assert_array_equal(gradient, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_replica_is_the_same_bytes_alone_and_in_company(name, dtype):
    gradients = some_gradients(dtype)
    together = trajectory(name, gradients, dtype=dtype)
    np.testing.assert_array_equal(together[:, :1], trajectory(name, gradients[:, :1], lrs=LRS[:1], dtype=dtype))
    # one neighbour's overflow and the other's lost gradient stay with them
    spoilt = gradients.copy()
    spoilt[3:, 1], spoilt[3:, 2] = np.nan, np.inf
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(together[:, 0], trajectory(name, spoilt, dtype=dtype)[:, 0])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_is_kept_goes_on_as_if_nothing_had_happened(name):
    gradients, kept = some_gradients(), np.array([True, False, True])
    whole = trajectory(name, gradients)
    optimizer, params = OPTIMIZERS[name], np.random.default_rng(2).normal(size=(N_REPLICAS, N_PARAMS))
    state = optimizer.init(params)
    for g in gradients[:20]:
        optimizer.update(g, state, params, LRS[:, None])
    state.keep(kept)
    params = params[kept]
    for g in gradients[20:]:
        optimizer.update(g[kept], state, params, LRS[kept, None])
    np.testing.assert_array_equal(params, whole[-1, kept])
    assert all(array.shape == (2, N_PARAMS) for array in (*state.slots, state.scratch))


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"adamw"}))
def test_a_zero_gradient_moves_nothing_at_rest(name):
    still = trajectory(name, np.zeros((3, N_REPLICAS, N_PARAMS)))
    np.testing.assert_array_equal(still[0], np.random.default_rng(2).normal(size=(N_REPLICAS, N_PARAMS)))
    np.testing.assert_array_equal(still[0], still[-1])


def test_adamw_at_rest_decays_by_rate_times_a_hundredth():
    shrunk = trajectory("adamw", np.zeros((1, N_REPLICAS, N_PARAMS)))[0]
    start = np.random.default_rng(2).normal(size=(N_REPLICAS, N_PARAMS))
    np.testing.assert_allclose(shrunk, start * (1 - 0.01 * LRS[:, None]), rtol=1e-15)
