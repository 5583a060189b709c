"""The weights that rates are judged by, and what they make of plain cases."""

from __future__ import annotations

import math

import numpy as np
from training_log_fixture import COSINE, N, falling, make_log

from lrfind.checks.training_log import read_signals
from lrfind.checks.training_log.judgement import (
    CONSTANT,
    HIGHEST,
    LOWEST,
    NAMED,
    UNRATED,
    VALIDATED,
    advise,
    advise_after_nan,
    judge_rate,
    read_models,
)
from lrfind.checks.training_log.traits import read_traits


def signals_of(loss: np.ndarray, **columns: object):
    signals = read_signals(make_log(loss, **columns))  # type: ignore[arg-type]
    assert signals is not None
    return signals


def test_every_weight_is_of_a_trait_that_logs_of_its_kind_show():
    rated, val = 0.1 * COSINE, falling(seed=1)
    for lr, val_loss, optimizer in (
        (rated, val, "adam"), (rated, None, "sgd"), (rated, val, None), (rated, None, None), (None, val, "adam"),
        (None, None, None),
    ):  # fmt: skip
        shown = read_traits(signals_of(falling(), lr=lr, val_loss=val_loss, optimizer=optimizer)).keys()
        for name, model in read_models().items():
            is_for_it = (
                (lr is not None or name.endswith(UNRATED))
                and (val_loss is not None or VALIDATED not in name)
                and (optimizer is not None or not name.endswith(NAMED))
            )
            assert not is_for_it or {term.trait for term in model.terms} <= shown
            assert model.numbers.keys() in ({CONSTANT}, {CONSTANT, LOWEST, HIGHEST})


def test_held_out_losses_are_weighed_where_they_are_logged():
    loss = falling(constants=2.0, noise=0.1)
    falls_too, turned = falling(constants=2.0, noise=0.0), 1.0 + np.linspace(1, 0, N) ** 8 + np.linspace(0, 0.2, N)
    bare, low, done = (
        judge_rate(signals_of(loss, lr=0.005, val_loss=val)).too_low for val in (None, falls_too, turned)
    )
    assert done < bare < low


def test_a_rate_is_judged_against_what_its_optimizer_wants():
    loss = falling(constants=2.0, noise=0.1)
    judged = {name: judge_rate(signals_of(loss, lr=0.02, optimizer=name)) for name in (None, "adam", "plain sgd")}
    assert judged["adam"].too_high > judged[None].too_high > judged["plain sgd"].too_high
    assert judged["adam"].too_low < judged[None].too_low < judged["plain sgd"].too_low
    slow = falling(constants=0.3)
    raised = {name: advise(signals_of(slow, lr=2e-3, optimizer=name), up=True) for name in ("adam", "plain sgd")}
    assert raised["plain sgd"].factor > 2 * raised["adam"].factor
    lowered = {name: advise_after_nan(1.0, optimizer=name) for name in ("adam", "plain sgd")}
    assert lowered["adam"].factor < lowered["plain sgd"].factor < 1


def test_a_chance_is_the_logistic_function_of_the_weighted_traits():
    signals = signals_of(falling(constants=1.0), lr=0.002)
    traits, model = read_traits(signals), read_models()["low"]
    score = model.numbers[CONSTANT]
    for term in model.terms:
        value = traits[term.trait]
        score += term.weight * (value if term.beyond is None else (value - term.beyond) * (value > term.beyond))
    assert math.isclose(judge_rate(signals).too_low, 1 / (1 + math.exp(-score)))


def test_a_trait_far_beyond_what_was_ever_seen_counts_no_more_than_the_most_that_was():
    high, traits = read_models()["high"], dict(read_traits(signals_of(falling(constants=1.0), lr=0.002)))
    for trait in {term.trait for term in high.terms}:
        last = max(term.beyond for term in high.terms if term.trait == trait and term.beyond is not None)
        at_most, beyond = (high.weigh({**traits, trait: last + more}) for more in (0.0, 10.0))
        assert math.isclose(at_most, beyond, abs_tol=0.02)


def test_a_plain_case_is_judged_as_a_person_would():
    rng = np.random.default_rng(0)
    thrown = 2.3 + 20 * rng.exponential(size=N)
    thrown[0] = 2.3
    assert judge_rate(signals_of(thrown, lr=0.5)).too_high > 0.8
    assert judge_rate(signals_of(falling(constants=0.3), lr=0.0001)).too_low > 0.9
    sound = judge_rate(signals_of(falling(constants=60.0), lr=0.01 * COSINE))
    assert max(sound.too_high, sound.too_low) < 0.5
    assert sound.too_early is None


def test_the_unit_of_the_loss_changes_nothing():
    loss = falling(constants=3.0)
    one, other = (judge_rate(signals_of(unit * loss, lr=0.01)) for unit in (1.0, 1e6))
    assert math.isclose(one.too_high, other.too_high, rel_tol=1e-6)
    assert math.isclose(one.too_low, other.too_low, rel_tol=1e-6)


def test_traits_are_finite_for_odd_losses():
    for loss in (
        np.ones(10), np.zeros(10), -falling(), np.array([1.0, 1e300, 1.0, 1e-300, 0.0]), np.array([1.0]),
        np.array([2.0, 1.0]), falling() - 1e6,
    ):  # fmt: skip
        for lr in (None, 0.1, np.zeros(len(loss))):
            assert all(math.isfinite(value) for value in read_traits(signals_of(loss, lr=lr)).values())


def test_advice_lies_in_its_interval_and_points_the_right_way():
    up = advise(signals_of(falling(constants=1.0), lr=0.001), up=True)
    down = advise(signals_of(falling(constants=1.0), lr=0.001), up=False)
    assert 1 < up.least < up.factor < up.most
    assert down.least < down.factor < down.most
    assert down.factor < 1
    assert advise_after_nan(None, optimizer=None).factor < 1


def test_fine_tuning_at_rates_that_no_small_net_trains_at_is_no_fault():
    rng, share = np.random.default_rng(0), np.linspace(0, 1, 2000)
    loss = (0.15 + 0.54 * np.exp(-share / 0.06)) * (1 + 0.2 * rng.normal(size=2000)).clip(0.1)
    tuned = signals_of(loss, lr=2e-5 * (1 - share) + 1e-12)
    assert judge_rate(tuned).too_low < 0.5
    assert judge_rate(tuned).too_high < 0.1
    named = signals_of(loss, lr=2e-5 * (1 - share) + 1e-12, optimizer="adam")
    assert judge_rate(named) == judge_rate(tuned)
