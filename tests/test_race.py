"""Courses, trials, plans and whole races on tiny problems."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prior_fixture import expecting

from lrfind.data import table_from_arrays
from lrfind.mlp import Net, Training, row_losses
from lrfind.problem import make_problem
from lrfind.race import (
    BUDGETS,
    Course,
    Trial,
    equal_epochs,
    lay_course,
    plan_race,
    race,
    run_curves,
    run_trials,
    run_watched,
)
from lrfind.race.plan import ABOVE, BELOW, CONTEST_STEPS, CORE_SCHEDULES, EXTRA, step_cost
from lrfind.schedule import CLOSED_LOOP, COURSES, make_schedule, values

N_STEPS = 40


def make(n_rows: int = 100, *, split: str = "random", is_class: bool = True, seed: int = 0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, 3))
    score = X[:, 0] + 0.5 * X[:, 1]
    y = (score > 0).astype(int) if is_class else score + 0.1 * rng.standard_normal(n_rows)
    table = table_from_arrays(X, y)
    return make_problem(table, task="classification" if is_class else "regression", split=split)


def course_of(problem, *, train_steps: int = N_STEPS, batch_size: int = 16) -> Course:
    net = Net(
        n_inputs=problem.n_features, n_outputs=problem.n_outputs, hidden=(8,), activation="relu", task=problem.task
    )
    return lay_course(problem, net, optimizer="adam", batch_size=batch_size, train_steps=train_steps, seed=0)


@pytest.fixture(scope="module")
def course() -> Course:
    return course_of(make())


def trial(course: Course, lr: float, *, name: str = "cosine", seed: int = 0, fold: int = 0) -> Trial:
    return Trial(schedule=make_schedule(name, peak_lr=lr, n_steps=course.n_steps), seed=seed, fold=fold)


def test_small_tables_hold_out_every_row_once_and_never_train_on_it(course):
    for first in range(0, len(course.folds), course.n_folds):
        held_out = np.concatenate([fold[1] for fold in course.folds[first : first + course.n_folds]])
        assert sorted(held_out) == list(range(100))
    assert list(course.held_out) == list(range(100))
    for train, held in course.folds:
        assert not set(train) & set(held)
        assert len(train) + len(held) == 100


def test_folds_share_out_every_class():
    course = course_of(make(200))
    shares = [course.y[held].mean() for _, held in course.folds]
    assert max(shares) - min(shares) <= 1 / len(course.folds[0][1]) + 1e-9


def test_large_tables_have_four_folds_and_only_some_rows_judge():
    course = course_of(make(9002))
    assert course.n_folds == 4
    assert len(course.held_out) == 4000
    for first in range(0, len(course.folds), 4):
        judges = np.concatenate([held for _, held in course.folds[first : first + 4]])
        assert sorted(judges) == list(course.held_out)
        # two rows cannot be dealt evenly; every other row is left out of training once
        trained = np.concatenate([train for train, _ in course.folds[first : first + 4]])
        assert sorted(np.bincount(trained, minlength=9002))[-3:] == [3, 4, 4]
    for train, held in course.folds:
        assert len(train) == 9002 - 2250
        assert len(held) == 1000
        assert not set(train) & set(held)


def test_chosen_splits_have_one_fold():
    by_time = course_of(make(100, split="time:x0"))
    assert by_time.n_folds == 1


def test_equal_epochs_keep_the_number_of_passes():
    assert equal_epochs(400, batch_size=10, n_rows=100, n_part=80) == 320
    assert equal_epochs(400, batch_size=1000, n_rows=100, n_part=80) == 400
    assert equal_epochs(1, batch_size=10, n_rows=1000, n_part=20) == 1


def test_the_constant_guess_is_the_folds_own(course):
    train, held = course.folds[0]
    share = (course.y[train].sum() + 1) / (len(train) + 2)
    expected = np.where(course.y[held] == 1, -np.log(share), -np.log(1 - share))
    assert np.allclose(course.baseline()[held], expected)
    regression = course_of(make(is_class=False))
    train, held = regression.folds[0]
    expected = np.square(regression.y[held] - regression.y[train].mean(dtype=np.float64))
    assert np.allclose(regression.baseline()[held], expected)


def test_rows_are_averaged_over_the_replicas_that_held_them_out(course):
    folds = np.array([0, 0, 1, 2, 3, 4])
    losses = np.arange(6.0)[:, None] / 4 * np.ones(20)
    losses[4] = np.nan
    rows = course.by_row(losses, folds)
    assert np.allclose(rows[course.folds[0][1]], 0.125)
    assert np.allclose(rows[course.folds[1][1]], 0.5)
    held = course.folds[3][1]
    assert np.allclose(rows[held], 2 * course.baseline()[held])


def test_a_replica_far_above_the_constant_guess_counts_as_twice_that_and_drowns_nobody(course):
    folds = np.arange(5)
    losses = np.full((2, 5, 20), 0.1)
    losses[1] = 1e25
    rows = course.by_row(losses, folds)
    assert np.allclose(rows[0], 0.1)
    assert np.allclose(rows[1], 2 * course.baseline())


def test_rows_that_do_not_share_out_evenly_are_only_trained_on():
    course = course_of(make(103))
    assert len(course.held_out) == 100
    for train, held in course.folds:
        assert len(train) == 83
        assert set(held) <= set(course.held_out)


def test_a_trial_is_training_alone_on_its_fold(course):
    lr, seed, fold = 0.02, 1, 2
    losses = run_trials(course, [trial(course, 0.3), trial(course, lr, seed=seed, fold=fold), trial(course, 1e-3)])[1]
    alone = Training(
        course.net,
        course.X,
        y=course.y,
        optimizer="adam",
        batch_size=16,
        seeds=[np.random.SeedSequence(0, spawn_key=(3, seed))],
        rows=[course.folds[fold][0]],
    )
    for rate in values(make_schedule("cosine", peak_lr=lr, n_steps=course.n_steps)):
        alone.step(float(rate))
    held = course.folds[fold][1]
    assert np.array_equal(losses, alone.held_out_losses([held])[0].astype(np.float32))
    assert row_losses("classification", np.zeros((2, 2)), y=np.array([0, 1])) == pytest.approx(np.log(2))


def test_processes_change_no_number(course):
    trials = [trial(course, lr, fold=fold) for lr in (1e-3, 1e-2, 1e-1, 1.0) for fold in range(5)]
    assert np.array_equal(run_trials(course, trials), run_trials(course, trials, n_jobs=2))


def test_curves_end_where_trials_do_and_repeat_where_steps_are_few(course):
    trials = [trial(course, 1e-2)]
    curves = run_curves(course, trials, n_checkpoints=4)
    assert np.array_equal(curves[:, -1], run_trials(course, trials))
    short = course_of(make(), train_steps=2)
    curves = run_curves(short, [trial(short, 1e-2)], n_checkpoints=5)
    assert curves.shape[1] == 5
    assert np.isfinite(curves).all()


def test_a_trial_that_diverges_is_nan_and_alone_in_that():
    course = course_of(make(is_class=False))
    diverging = Trial(schedule=make_schedule("constant", peak_lr=1e30, n_steps=course.n_steps), seed=0, fold=0)
    losses = run_trials(course, [diverging, trial(course, 1e-2)])
    assert np.isnan(losses[0]).all()
    assert np.isfinite(losses[1]).all()


def test_progress_ends_at_the_whole(course):
    seen: list[float] = []
    run_trials(course, [trial(course, 1e-2, fold=f) for f in range(5)], on_share=seen.append)
    assert all(0 <= share <= 1 for share in seen)
    assert seen == sorted(seen)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_group_tells_of_itself_before_it_is_done(n_jobs, monkeypatch):
    monkeypatch.setattr("lrfind.race.trials.LOOK_EVERY", 0.005)
    # two groups of eight: reports at 0, 1/2 and 1 alone would be those of whole groups
    long = course_of(make(), train_steps=2000)
    trials = [trial(long, 1e-2, seed=seed, fold=fold) for seed in range(4) for fold in range(4)]
    seen: list[float] = []
    losses = run_trials(long, trials, n_jobs=n_jobs, on_share=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)
    assert any(0.02 < share < 0.48 for share in seen)
    if n_jobs == 1:
        assert max(np.diff(seen)) <= 1.01 / (2 * long.n_steps)
    assert np.array_equal(losses, run_trials(long, trials, n_jobs=n_jobs))


def test_rounds_that_extend_the_rates_move_the_progress(course):
    told: list[float] = []
    plan = plan_race(course, effort="quick", schedules=("constant",))
    # expected so low that the best lies above what is tried first
    race(course, expecting(1e-5), plan=plan, limits=(1e-7, 10.0), on_share=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert max(np.diff(told)) < 0.02


def test_a_larger_budget_buys_more_and_a_huge_net_nothing(course):
    quick, full = (plan_race(course, effort=effort) for effort in ("quick", "full"))
    assert len(quick.schedules) < len(full.schedules)
    assert set(quick.schedules) == set(CORE_SCHEDULES)
    assert set(full.schedules) == set(COURSES)
    net = Net(n_inputs=3, n_outputs=2, hidden=(8000, 8000), activation="relu", task="classification")
    huge = Course(
        net=net,
        optimizer="adam",
        batch_size=64,
        X=course.X,
        y=course.y,
        folds=course.folds,
        n_folds=course.n_folds,
        n_steps=2000,
        seed=0,
    )
    assert plan_race(huge, effort="full") is None


def test_a_plan_keeps_within_its_budget_unless_it_is_the_smallest():
    for width in (8, 64, 256, 512):
        problem = make()
        net = Net(n_inputs=3, n_outputs=2, hidden=(width, width), activation="relu", task="classification")
        course = lay_course(problem, net, optimizer="adam", batch_size=64, train_steps=1000, seed=0)
        plan = plan_race(course, effort="full")
        if plan is None:
            continue
        candidates = BELOW + ABOVE + 1 + len(CONTEST_STEPS) * len(plan.schedules) + EXTRA
        seconds = candidates * len(plan.replicas) * course.n_steps * step_cost(net, batch_size=64)
        most = BUDGETS["full"] if len(plan.replicas) > course.n_folds else 2 * BUDGETS["full"]
        assert seconds <= most or len(plan.schedules) == len(CORE_SCHEDULES)
        # every row is judged equally often
        folds = [fold for _, fold in plan.replicas]
        assert len({folds.count(fold) for fold in set(folds)}) == 1


def test_asked_schedules_alone_can_win(course):
    plan = plan_race(course, effort="quick", schedules=("one_cycle",))
    result = race(course, expecting(1e-2), plan=plan, limits=(1e-7, 10.0))
    assert result.winner.schedule == "one_cycle"


@pytest.fixture(scope="module")
def finished(course):
    plan = plan_race(course, effort="quick", schedules=("constant", "cosine"))
    return race(course, expecting(1e-2), plan=plan, limits=(1e-4, 0.5))


def test_no_rate_outside_the_limits_is_tried(finished):
    assert finished.scores.lrs.min() >= 1e-4
    assert finished.scores.lrs.max() <= 0.5


def test_a_race_tells_gain_interval_and_leaders(finished):
    assert finished.gain > 5 * finished.gain_se > 0
    assert finished.loss == pytest.approx(finished.baseline_loss - finished.gain)
    best = finished.winner
    assert best.low <= best.lr <= best.high
    assert finished.fit.lrs[0] <= finished.fit.best <= finished.fit.lrs[-1]
    assert finished.leaders[0].label == "advised"
    assert finished.leaders[0].cost == 0
    assert {leader.label for leader in finished.leaders} >= {"default 0.001", "default 0.01"}


def test_a_race_extends_its_rates_towards_a_best_at_the_end(course):
    plan = plan_race(course, effort="quick", schedules=("cosine",))
    low = race(course, expecting(1e-5), plan=plan, limits=(1e-9, 10.0))
    assert low.scores.lrs.max() > 1e-5 * 10 ** (0.25 * 5.5)


def test_limits_closer_than_two_digits_leave_a_rate_to_train(course):
    plan = plan_race(course, effort="quick", schedules=("constant", "cosine"))
    narrow = race(course, expecting(1.05e-3), plan=plan, limits=(1.01e-3, 1.09e-3))
    assert set(narrow.scores.lrs) == {1.05e-3}


def test_nothing_is_trained_twice(finished):
    entries = list(zip(finished.scores.names, finished.scores.lrs.tolist(), strict=True))
    assert len(entries) == len(set(entries))


@pytest.mark.parametrize("lr", [1e-2, 3e-2, 5.6e-2])
def test_a_flat_race_asks_for_no_rate_twice(course, lr):
    # nothing is learned in a step: the defaults do as well, and lie on the row or beside it
    flat = replace(course, n_steps=1)
    plan = plan_race(course, effort="quick", schedules=("constant", "cosine"))
    finished = race(flat, expecting(lr), plan=plan, limits=(1e-7, 10.0))
    entries = list(zip(finished.scores.names, finished.scores.lrs.tolist(), strict=True))
    assert len(entries) == len(set(entries))


def test_each_schedule_is_trained_on_both_sides_of_its_lowest_loss(finished):
    scores, low, high = finished.scores, 1e-4, 0.5
    for name in ("constant", "cosine"):
        own = scores.of([name])
        lowest = scores.lrs[own[np.argmin(scores.means[own])]]
        step = 10**0.25
        assert scores.lrs[own].min() < lowest or lowest / step < low
        assert scores.lrs[own].max() > lowest or lowest * step > high


def test_leaders_end_as_the_candidates_they_are(finished):
    for leader in finished.leaders:
        i = finished.scores.find(leader.schedule.name, leader.schedule.peak_lr)
        assert leader.losses[-1] == pytest.approx(np.nanmean(finished.scores.losses[i]), rel=1e-5)
    advised = finished.scores.find(finished.winner.schedule, finished.winner.lr)
    costs = finished.scores.means - finished.scores.means[advised]
    for leader in finished.leaders:
        i = finished.scores.find(leader.schedule.name, leader.schedule.peak_lr)
        assert leader.cost * finished.gain == pytest.approx(costs[i], abs=1e-9)


def test_the_best_constant_is_the_lowest_constant(finished):
    own = finished.scores.of(["constant"])
    named = [leader for leader in finished.leaders if leader.label == "best constant"]
    margin = next(margin for margin in finished.margins if margin.schedule == "constant")
    if finished.winner.schedule != "constant":
        assert margin.loss == pytest.approx(finished.scores.means[own].min())
        assert named[0].schedule.peak_lr == margin.lr


def test_the_same_race_twice_is_the_same(course, finished):
    plan = plan_race(course, effort="quick", schedules=("constant", "cosine"))
    again = race(course, expecting(1e-2), plan=plan, limits=(1e-4, 0.5), n_jobs=2)
    assert np.array_equal(again.scores.losses, finished.scores.losses)
    assert again.winner == finished.winner


# --- Schedules that answer the run


def mixed_trials(course: Course, names: tuple[str, ...], *, lr: float = 0.3) -> list[Trial]:
    return [trial(course, lr, name=name, seed=seed, fold=seed) for name in names for seed in range(4)]


def test_open_loop_trials_are_the_same_bytes_beside_closed_loops(course):
    plain = run_watched(course, mixed_trials(course, ("cosine", "constant")), n_checkpoints=3)
    mixed = run_watched(
        course, mixed_trials(course, ("cosine", "constant", "adaptive", "reduce_on_plateau")), n_checkpoints=3
    )
    assert mixed.losses[:8].tobytes() == plain.losses.tobytes()
    assert mixed.lrs[:8].tobytes() == plain.lrs.tobytes()


@pytest.mark.parametrize("name", CLOSED_LOOP)
def test_a_closed_loop_trial_is_the_same_bytes_alone_and_in_company(course, name):
    trials = mixed_trials(course, ("cosine", name, "adaptive", "reduce_on_plateau"), lr=3.0)
    together = run_watched(course, trials, n_checkpoints=2)
    for k in (4, 5, 6, 7):
        alone = run_watched(course, trials[k : k + 1], n_checkpoints=2)
        assert alone.losses[0].tobytes() == together.losses[k].tobytes()
        assert alone.lrs[0].tobytes() == together.lrs[k].tobytes()


def test_closed_loops_give_the_same_numbers_with_any_number_of_processes(course):
    trials = mixed_trials(course, (*CLOSED_LOOP, "cosine", "one_cycle", "adaptive", "linear"))
    one, two = (run_watched(course, trials, n_checkpoints=2, n_jobs=n) for n in (1, 2))
    assert one.losses.tobytes() == two.losses.tobytes()
    assert one.lrs.tobytes() == two.lrs.tobytes()


def test_each_closed_loop_trial_reads_its_own_losses(course):
    lrs = run_watched(course, mixed_trials(course, ("adaptive",), lr=30.0), n_checkpoints=1).lrs
    assert len({row.tobytes() for row in lrs}) > 1
    assert (lrs > 0).all()
    assert (lrs <= 30.0).all()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_adaptive_survives_a_rate_at_which_others_are_lost(optimizer):
    problem = make(400, is_class=False)
    course = replace(course_of(problem, train_steps=300), optimizer=optimizer)
    good, wild = (0.1, 10.0) if optimizer == "sgd" else (0.02, 5.0)
    losses = {
        (name, lr): run_trials(course, mixed_trials(course, (name,), lr=lr)).mean()
        for name, lr in (("cosine", good), ("cosine", wild), ("adaptive", good), ("adaptive", wild))
    }
    level = course.baseline().mean()
    assert losses["cosine", good] < 0.1 * level
    assert losses["adaptive", good] < losses["cosine", good] + 0.01 * level
    # NaN where it diverged
    assert not losses["cosine", wild] < level
    assert losses["adaptive", wild] < 0.2 * level


def test_a_race_won_by_a_closed_loop_advises_the_course_it_took(course):
    expected = expecting(0.03)
    plan = plan_race(course, effort="quick", schedules=("adaptive",))
    finished = race(course, expected, plan=plan, limits=(1e-4, 10.0))
    assert finished.winner.schedule == "adaptive"
    taken = finished.leaders[0].schedule
    replicas = plan.replicas[: course.n_folds]
    trials = [
        Trial(schedule=make_schedule("adaptive", peak_lr=taken.peak_lr, n_steps=course.n_steps), seed=s, fold=f)
        for s, f in replicas
    ]
    runs = run_watched(course, trials, n_checkpoints=1)
    np.testing.assert_allclose(values(taken), np.median(runs.lrs, axis=0), rtol=1e-3)
