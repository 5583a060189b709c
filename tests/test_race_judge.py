"""The judge of races against closed forms: a parabola in log lr, paired noise, a prior from earlier races."""

from __future__ import annotations

import numpy as np
import pytest
from prior_fixture import expecting

from lrfind.race.judge import (
    INTERVAL_ABOVE,
    INTERVAL_BELOW,
    SIMPLICITY,
    USUALLY_BEHIND,
    Margin,
    Scores,
    fit,
    margins,
    mean_fraction,
    replicas_at,
    rows_at,
    standard_error,
    winner,
)
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


def test_the_best_rate_of_a_parabola_is_found_between_the_rates_that_ran():
    best = 1e-2 * 10**0.1
    found = fit(scores({"cosine": valley(RATES, best=best, curvature=1.0)}), ["cosine"], prior=expecting(best))
    assert abs(np.log10(found.best / best)) < 0.1
    assert found.low < found.best < found.high


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


def test_the_interval_reaches_no_further_than_its_bounds():
    flat = scores({"cosine": np.full(len(RATES), FLOOR)})
    found = fit(flat, ["cosine"], prior=expecting(1e-2))
    assert np.log10(found.best / found.low) <= INTERVAL_BELOW + 1e-9
    assert np.log10(found.high / found.best) <= INTERVAL_ABOVE + 1e-9


def test_the_interval_ends_before_a_rate_at_which_a_replica_diverged():
    curve = np.full(len(RATES), FLOOR)
    curve[7:] = 2 * BASELINE
    found = fit(scores({"cosine": curve}), ["cosine"], prior=expecting(1e-2))
    assert found.high < RATES[7]


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
    table = margins(scores(curves, noise=0.01), prior=expecting(1e-2))
    assert winner(table).schedule == "warm_restarts"
    best = next(margin for margin in table if margin.schedule == "warm_restarts")
    assert best.ahead == pytest.approx(0.1, abs=0.02)
    assert best.behind == 0


def test_where_all_do_the_same_without_noise_the_simplest_wins():
    curves = {name: np.full(len(RATES), FLOOR) for name in SIMPLICITY}
    table = margins(scores(curves), prior=expecting(1e-2))
    assert winner(table).schedule == "constant"
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
    assert winner(margins(noisy, prior=expecting(1e-2))).schedule == "cosine"


def test_differences_are_paired_so_row_difficulty_does_not_count():
    table = margins(scores({n: valley(RATES, best=1e-2) for n in ("constant", "cosine")}), prior=expecting(1e-2))
    # rows differ by 0.3, the two schedules not at all: unpaired, the error would be 0.03
    assert max(margin.behind_se for margin in table) < 1e-3


def test_a_constant_schedule_takes_half_the_peak_of_a_cosine():
    table = margins(scores({n: valley(RATES, best=1e-2) for n in ("constant", "cosine")}), prior=expecting(1e-2))
    rates = {margin.schedule: margin.lr for margin in table}
    assert rates["constant"] == pytest.approx(rates["cosine"] / 2)


def test_averages_at_a_rate_that_ran_far_from_others_are_that_rates():
    one = scores({"cosine": valley(np.array([1e-4, 1.0]), best=1e-2)}, lrs=np.array([1e-4, 1.0]))
    assert np.allclose(rows_at(one, "cosine", lr=1e-4), one.rows[0])
    assert np.allclose(replicas_at(one, "cosine", lr=1.0), one.losses[1])


def test_a_diverged_replica_counts_as_twice_the_constant_guess():
    curve = np.full(len(RATES), 2 * BASELINE)
    assert np.allclose(replicas_at(scores({"cosine": curve}), "cosine", lr=1e-2), 2 * BASELINE)


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
    def margin(schedule: str, expected_behind: float) -> Margin:
        return Margin(
            schedule=schedule,
            lr=0.01,
            loss=0.2,
            ahead=0.0,
            ahead_se=0.0,
            behind=0.0,
            behind_se=0.0,
            expected_behind=expected_behind,
        )

    table = [margin("one_cycle", 0.0), margin("linear", 0.0015), margin("constant", 0.02)]
    assert winner(table).schedule == "linear"
