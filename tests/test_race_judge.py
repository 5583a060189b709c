"""The judge of races against closed forms: a parabola in log lr, paired noise, a prior from earlier races."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prior_fixture import expecting

from lrfind.race.fit import GOOD_ABOVE, GOOD_BELOW, GOOD_SHARE, PROMISE, SURE_SHARE, fit, good_range
from lrfind.race.judge import (
    NOISE_PULL,
    PULL,
    SIMPLICITY,
    USUALLY_BEHIND,
    Margin,
    Standing,
    judge,
    mean_fraction,
    peak_ratio,
    representative,
    standings,
    winner,
)
from lrfind.race.noise import is_clear, pairs, standard_error
from lrfind.race.scores import Scores
from lrfind.schedule import COURSES

RATES = 1e-2 * 10 ** (0.25 * np.arange(-6, 6))
BASELINE, FLOOR = 1.0, 0.2


def valley(lrs: np.ndarray, *, best: float, curvature: float = 0.1) -> np.ndarray:
    return np.minimum(FLOOR + curvature * np.square(np.log10(lrs / best)), 2 * BASELINE)


def scores(
    curves: dict[str, np.ndarray],
    *,
    lrs: np.ndarray = RATES,
    n_rows: int = 200,
    noise: float = 0.0,
    n_replicas: int = 5,
) -> Scores:
    rng = np.random.default_rng(0)
    means = np.concatenate(list(curves.values()))
    # difficulty of a row is shared by all candidates, as in a real race
    rows = means[:, None] + 0.3 * rng.standard_normal(n_rows) + noise * rng.standard_normal((len(means), n_rows))
    replicas = means[:, None] + noise * rng.standard_normal((len(means), n_replicas)) / np.sqrt(n_rows / n_replicas)
    names = tuple(name for name, curve in curves.items() for _ in curve)
    return Scores(
        names=names,
        lrs=np.tile(lrs, len(curves)),
        losses=np.where(means[:, None] >= 2 * BASELINE, np.nan, replicas),
        rows=rows,
        baseline=np.full(n_rows, BASELINE),
    )


def judged(scores: Scores, *, near: float = 1e-2) -> tuple[tuple[Margin, ...], Margin]:
    return judge(scores, names=[name for name in SIMPLICITY if name in scores.names], prior=expecting(near))


def table_of(scores: Scores, *, near: float = 1e-2) -> tuple[Margin, ...]:
    return judged(scores, near=near)[0]


def test_the_best_rate_of_a_parabola_is_found_between_the_rates_that_ran():
    best = 1e-2 * 10**0.1
    found = fit(scores({"cosine": valley(RATES, best=best, curvature=1.0)}), ["cosine"], prior=expecting(best))
    assert abs(np.log10(found.best / best)) < 0.1


def test_schedules_that_only_lie_higher_do_not_move_the_curve():
    alone = scores({"cosine": valley(RATES, best=1e-2)})
    both = scores({"cosine": valley(RATES, best=1e-2), "linear": valley(RATES, best=1e-2) + 0.05})
    one, two = (
        fit(s, names, prior=expecting(1e-2)) for s, names in ((alone, ["cosine"]), (both, ["cosine", "linear"]))
    )
    assert abs(np.log10(one.best / two.best)) < 0.05


def test_a_flat_curve_stays_at_the_rate_it_was_told():
    flat = Scores(
        names=("cosine",) * len(RATES),
        lrs=RATES,
        losses=np.full((len(RATES), 2), FLOOR),
        rows=np.full((len(RATES), 50), FLOOR),
        baseline=np.full(50, BASELINE),
    )
    for near in (2e-3, 1e-2, 5e-2):
        assert abs(np.log10(fit(flat, ["cosine"], prior=expecting(near)).best / near)) < 0.02


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_units_of_the_loss_change_nothing(scale):
    one = scores({"cosine": valley(RATES, best=8e-3)})
    other = Scores(
        names=one.names,
        lrs=one.lrs,
        losses=one.losses * scale,
        rows=one.rows * scale,
        baseline=one.baseline * scale,
    )
    assert fit(other, ["cosine"], prior=expecting(1e-2)).best == pytest.approx(
        fit(one, ["cosine"], prior=expecting(1e-2)).best
    )


def test_a_schedule_that_is_clearly_better_wins():
    curves = {name: valley(RATES, best=1e-2) + 0.1 for name in ("constant", "linear", "cosine")}
    curves["warm_restarts"] = valley(RATES, best=1e-2)
    table, advised = judged(scores(curves, noise=0.01))
    assert advised.schedule == "warm_restarts"
    best = next(margin for margin in table if margin.schedule == "warm_restarts")
    assert best.ahead == pytest.approx(0.1, abs=0.02)
    assert best.behind == 0


def test_where_all_do_the_same_without_noise_the_simplest_wins():
    curves = {name: np.full(len(RATES), FLOOR) for name in SIMPLICITY}
    table, advised = judged(scores(curves))
    assert advised.schedule == "constant"
    assert all(margin.behind == pytest.approx(0, abs=1e-9) for margin in table)


def test_where_noise_hides_the_difference_earlier_races_decide():
    rng = np.random.default_rng(1)
    rows = FLOOR + rng.standard_normal((2 * len(RATES), 30))
    rows = rows - rows.mean(1, keepdims=True) + FLOOR
    noisy = Scores(
        names=("constant",) * len(RATES) + ("cosine",) * len(RATES),
        lrs=np.tile(RATES, 2),
        losses=FLOOR + 0.3 * rng.standard_normal((2 * len(RATES), 5)),
        rows=rows,
        baseline=np.full(30, BASELINE),
    )
    assert judged(noisy)[1].schedule == "cosine"


def test_differences_are_paired_so_row_difficulty_does_not_count():
    table = table_of(scores({n: valley(RATES, best=1e-2) for n in ("constant", "cosine")}))
    # rows differ by 0.3, the two schedules not at all: unpaired, the error would be 0.03
    assert max(margin.behind_se for margin in table) < 1e-3


@pytest.mark.parametrize(("share", "steps"), [(0.5, 0), (2.0, 1)])
def test_a_candidate_off_what_all_speak_for_must_make_up_for_it(share, steps):
    curve = np.full(len(RATES), FLOOR)
    curve[5] -= share * PULL * (BASELINE - FLOOR)
    found = scores({"cosine": curve})
    every = np.ones(len(RATES), bool)
    chosen = representative(found, "cosine", near=RATES[6], apart=found.pairs(), unbeaten=every)
    assert chosen == 6 - steps


@pytest.mark.parametrize(("noise", "steps"), [(0.0, 0), (2.0, 1)])
def test_next_to_divergence_only_what_is_clearly_better_is_advised(noise, steps):
    curve = valley(RATES, best=RATES[7], curvature=0.05)
    curve[8:] = 2 * BASELINE
    found = scores({"cosine": curve}, noise=noise)
    exact = replace(found, rows=found.rows - found.rows.mean(1, keepdims=True) + curve[:, None])
    every = np.ones(len(RATES), bool)
    chosen = representative(exact, "cosine", near=RATES[7], apart=exact.pairs(), unbeaten=every)
    assert chosen == 7 - steps


@pytest.mark.parametrize(("errors", "steps"), [(0.5 * NOISE_PULL, 0), (3 * NOISE_PULL, 1)])
def test_what_scatters_must_lie_further_below(errors, steps):
    found = scores({"cosine": np.full(len(RATES), FLOOR)}, noise=1.0)
    error = found.pairs().errors[5, 6]
    curve = np.full(len(RATES), FLOOR)
    curve[5] -= errors * error + PULL * (BASELINE - FLOOR)
    exact = replace(found, rows=found.rows - found.rows.mean(1, keepdims=True) + curve[:, None])
    every = np.ones(len(RATES), bool)
    chosen = representative(exact, "cosine", near=RATES[6], apart=exact.pairs(), unbeaten=every)
    assert chosen == 6 - steps


def test_other_schedules_stand_where_they_ended_lowest():
    found = scores({n: valley(RATES, best=1e-2) for n in ("constant", "linear", "cosine")}, noise=0.5)
    table, advised = judged(found)
    for margin in table:
        own = found.of([margin.schedule])
        if margin.schedule != advised.schedule:
            assert margin.loss == pytest.approx(found.means[own].min())


def test_peaks_keep_the_mean_rate():
    assert peak_ratio("cosine") == peak_ratio("linear") == 1
    assert peak_ratio("constant") == pytest.approx(0.5)


def test_a_diverged_replica_counts_as_twice_the_constant_guess():
    curve = np.full(len(RATES), 2 * BASELINE)
    assert np.allclose(scores({"cosine": curve}).replicas, 2 * BASELINE)


def test_standard_error_is_the_textbook_one():
    numbers = np.array([1.0, 2.0, 4.0, 7.0])
    assert standard_error(numbers) == pytest.approx(np.sqrt(np.var(numbers, ddof=1) / 4))
    assert standard_error(np.array([3.0])) == 0


def test_every_schedule_has_a_place_in_simplicity_and_in_earlier_races():
    assert set(SIMPLICITY) == set(COURSES) == set(USUALLY_BEHIND)


def test_mean_fractions_in_closed_form():
    assert mean_fraction("constant") == pytest.approx(1)
    assert mean_fraction("linear") == pytest.approx(0.5, abs=1e-3)
    assert mean_fraction("cosine") == pytest.approx(0.5, abs=1e-3)
    assert mean_fraction("polynomial") == pytest.approx(1 / 3, abs=1e-3)


def test_winner_takes_the_simplest_of_those_expected_to_give_up_nothing():
    def margin(schedule: str, expected_behind: float, *, unbeaten: bool = True) -> Margin:
        return Margin(
            schedule=schedule,
            lr=0.01,
            low=0.005,
            high=0.02,
            loss=0.2,
            loss_se=0.01,
            ahead=0.0,
            ahead_se=0.0,
            behind=0.0,
            behind_se=0.0,
            expected_behind=expected_behind,
            unbeaten=unbeaten,
        )

    table = [margin("one_cycle", 0.0), margin("linear", 0.0015), margin("constant", 0.02)]
    assert winner(table).schedule == "linear"
    # what something else that was trained clearly beats is not advised, however simple
    table[1] = margin("linear", 0.0015, unbeaten=False)
    assert winner(table).schedule == "one_cycle"


# --- What is noise


def test_paired_differences_are_those_taken_one_by_one():
    rng = np.random.default_rng(2)
    rows, replicas = rng.normal(1, 0.1, (4, 50)), rng.normal(1, 0.1, (4, 6))
    apart = pairs(rows, replicas, level=1.0)
    for i in range(4):
        for j in range(4):
            errors = [np.std(x[i] - x[j], ddof=1) / np.sqrt(x.shape[1]) for x in (rows, replicas)]
            assert apart.differences[i, j] == pytest.approx(rows[i].mean() - rows[j].mean(), abs=1e-12)
            assert apart.errors[i, j] == pytest.approx(max(errors), abs=1e-9)


def test_a_difference_is_clear_beyond_two_standard_errors():
    assert not is_clear(0.0199, 0.01)
    assert is_clear(0.0201, 0.01)
    assert not is_clear(-1.0, 0.01)
    # rounding is no difference, however sure
    assert not is_clear(1e-7, 0.0)


def test_the_lowest_is_never_beaten_and_what_is_beaten_lies_above():
    rng = np.random.default_rng(3)
    rows = rng.normal(0, 0.3, 200) + np.linspace(0.2, 0.5, 12)[:, None] + rng.normal(0, 0.1, (12, 200))
    apart = pairs(rows, rows[:, :5], level=1.0)
    unbeaten = apart.unbeaten(np.ones(12, bool))
    means = rows.mean(1)
    assert unbeaten[np.argmin(means)]
    for i in np.flatnonzero(unbeaten):
        assert all(not is_clear(means[i] - means[j], apart.errors[i, j]) for j in range(12))
    for i in np.flatnonzero(~unbeaten):
        assert any(is_clear(means[i] - means[j], apart.errors[i, j]) for j in range(12))


def wandering(name: str, *, low: float, prior: float) -> tuple[Scores, Margin]:
    # a clear lowest loss far from where earlier races expect it
    found = scores({name: valley(RATES, best=low, curvature=0.02)}, noise=0.001)
    return found, judged(found, near=prior)[1]


@pytest.mark.parametrize("name", ["cosine", "constant", "one_cycle"])
def test_what_was_measured_overrules_what_was_expected(name):
    found, best = wandering(name, low=RATES[2], prior=RATES[9])
    i = found.find(best.schedule, best.lr)
    apart = found.pairs()
    assert not apart.beaten()[i].any()
    assert abs(np.log10(best.lr / RATES[2])) <= 0.5


def test_what_is_advised_was_trained():
    found = scores({name: valley(RATES, best=7e-3) for name in ("constant", "linear", "cosine")}, noise=0.01)
    for margin in table_of(found):
        assert margin.lr in RATES
        assert margin.loss == pytest.approx(found.rows[found.find(margin.schedule, margin.lr)].mean())


def test_no_schedule_stands_at_a_rate_that_another_of_its_own_clearly_beats():
    curves = {"cosine": valley(RATES, best=1e-2), "constant": valley(RATES, best=RATES[1], curvature=0.3)}
    found = scores(curves, noise=0.001)
    constant = next(margin for margin in table_of(found) if margin.schedule == "constant")
    assert constant.lr == RATES[1]


def margin_at(name: str, behind: float, error: float) -> Margin:
    return Margin(
        schedule=name, lr=0.01, low=0.005, high=0.02, loss=0.1 + behind, loss_se=0.01, ahead=0.0, ahead_se=0.0,
        behind=behind, behind_se=error, expected_behind=behind, unbeaten=True,
    )  # fmt: skip


def test_none_is_within_noise_above_one_that_is_clearly_worse():
    table = [
        margin_at("cosine", 0.0, 0.0),
        margin_at("linear", 0.001, 0.001),
        margin_at("step", 0.004, 0.001),
        margin_at("constant", 0.006, 0.004),
    ]
    assert standings(table) == {
        "cosine": Standing.LOWEST,
        "linear": Standing.CLOSE,
        "step": Standing.WORSE,
        "constant": Standing.UNSURE,
    }


# --- The rates that are good


def ranged(curve: np.ndarray, *, at: int, noise: float = 0.0) -> tuple[float, float]:
    found = scores({"cosine": curve}, noise=noise)
    return good_range(found, apart=found.pairs(), at=at)


def test_where_the_curve_is_flat_the_range_is_wide():
    low, high = ranged(np.full(len(RATES), FLOOR), at=6)
    assert low <= RATES[0] * 1.01
    assert high >= RATES[-1] * 0.99


def test_where_noise_hides_what_the_curve_does_the_range_keeps_its_bounds():
    found = scores({"cosine": np.full(len(RATES), FLOOR)}, noise=0.5)
    lowest = int(np.argmin(found.means))
    low, high = good_range(found, apart=found.pairs(), at=lowest)
    assert np.log10(RATES[lowest] / low) <= GOOD_BELOW + 1e-9
    assert np.log10(high / RATES[lowest]) <= GOOD_ABOVE + 1e-9


@pytest.mark.parametrize(("share", "is_inside"), [(0.9 * SURE_SHARE, True), (1.1 * SURE_SHARE, False)])
def test_beyond_its_bounds_the_range_holds_what_surely_gives_up_little(share, is_inside):
    curve = np.full(len(RATES), FLOOR)
    curve[:4] += share * (BASELINE - FLOOR)
    low, _ = ranged(curve, at=6)
    assert bool(low <= RATES[3]) is is_inside


@pytest.mark.parametrize(("share", "is_inside"), [(0.9 * GOOD_SHARE, True), (1.2 * GOOD_SHARE, False)])
def test_within_its_bounds_the_range_holds_what_seems_to_give_up_little(share, is_inside):
    # a little noise, so that nothing is sure
    curve = np.full(len(RATES), FLOOR)
    curve[:6] += share * (BASELINE - FLOOR)
    found = scores({"cosine": curve}, noise=0.0)
    noisy = replace(found, losses=found.losses + np.linspace(-0.1, 0.1, 5) * np.arange(len(RATES))[:, None])
    low, _ = good_range(noisy, apart=noisy.pairs(), at=6)
    assert bool(low <= RATES[5]) is is_inside


def test_the_range_goes_on_as_far_as_a_line_to_the_next_rate_does():
    curve = np.full(len(RATES), FLOOR)
    curve[:6] += 10 * GOOD_SHARE * (BASELINE - FLOOR)
    low, _ = ranged(curve, at=6)
    assert low == pytest.approx(RATES[6] * (RATES[5] / RATES[6]) ** 0.1, rel=0.01)
    # and no further than half-way, however flat
    curve[:6] = FLOOR + 1.01 * SURE_SHARE * (BASELINE - FLOOR)
    low, _ = ranged(curve, at=6)
    assert low >= np.sqrt(RATES[5] * RATES[6]) * (1 - 1e-9)


def test_the_range_ends_where_a_replica_diverged():
    curve = np.full(len(RATES), FLOOR)
    curve[8:] = 2 * BASELINE
    _, high = ranged(curve, at=6)
    assert high == RATES[7]


def test_no_rate_in_the_range_breaks_the_promise_where_the_curve_is_a_valley():
    for curvature in (0.01, 0.1, 1.0):
        curve = valley(RATES, best=RATES[6], curvature=curvature)
        low, high = ranged(curve, at=6)
        for end in (low, high):
            assert curvature * np.log10(end / RATES[6]) ** 2 <= PROMISE * (BASELINE - FLOOR)
