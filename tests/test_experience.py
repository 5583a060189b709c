"""Experience against scikit-learn's Gaussian process, closed forms, and runs that lie."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lrfind
from lrfind.errors import RunError
from lrfind.experience import (
    FEATURES,
    OFFSETS,
    Row,
    Situation,
    dataset_name,
    expect,
    features,
    repeats,
    row_of_run,
    shipped_rows,
    without,
)
from lrfind.experience.prior import INTERVAL_ABOVE, INTERVAL_BELOW, LENGTH, NOISE, posterior
from lrfind.experience.rows import MOST_REGRET, rows_from_csv, rows_to_csv
from lrfind.experience.situation import FAMILIES
from lrfind.optim import OPTIMIZERS
from lrfind.report import to_dict
from lrfind.runs import new_run, own_rows, rows_used


def situation(**changes) -> Situation:
    plain = Situation(
        task="classification",
        n_rows=1000,
        n_inputs=10,
        n_outputs=3,
        hidden=(64,),
        optimizer="adam",
        batch_size=50,
        train_steps=400,
        start_loss=1.1,
        min_loss=0.3,
        noise=0.05,
        onset=1e-4,
        steepest=1e-3,
        minimum=1e-2,
        divergence=0.3,
        reading=3e-3,
    )
    return replace(plain, **changes)


def row(best: float = 0.0, *, dataset: str = "one", sha256: str | None = None, **changes) -> Row:
    """Return a race whose best rate lies `best` decades above the reading."""
    regret = np.minimum(0.1 * np.square(OFFSETS - best), MOST_REGRET)
    return Row(dataset=dataset, sha256=sha256, situation=situation(**changes), regret=regret)


def test_the_posterior_is_scikit_learns():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF

    rng = np.random.default_rng(0)
    seen, curves, at = rng.normal(size=(40, 5)), rng.normal(size=(40, 3)), rng.normal(size=5)
    process = GaussianProcessRegressor(RBF(LENGTH), alpha=NOISE, optimizer=None).fit(seen, curves - curves.mean(0))
    expected, deviation = process.predict(at[None], return_std=True)
    mean, familiar = posterior(seen, curves, at=at)
    np.testing.assert_allclose(mean, expected[0] + curves.mean(0), rtol=1e-6, atol=1e-9)
    assert familiar == pytest.approx(1 - deviation[0, 0] ** 2, abs=1e-6)


def test_races_that_all_say_the_same_are_believed():
    prior = expect([row(0.5, n_rows=n) for n in (500, 1000, 2000)], situation())
    assert math.log10(prior.reading.lr / 3e-3) == pytest.approx(0.5, abs=0.03)
    assert prior.reading.low < prior.reading.lr < prior.reading.high
    assert prior.n_rows == 3


def test_like_problems_count_more():
    # small tables want a lower rate, large ones a higher; twenty of each, with a little variety
    small = [row(-0.75, n_rows=90 + i, train_steps=300 + i) for i in range(20)]
    large = [row(0.75, n_rows=9000 + 100 * i, train_steps=2000 + i) for i in range(20)]
    for n_rows, train_steps, sign in ((100, 310, -1), (10_000, 2010, 1)):
        prior = expect([*small, *large], situation(n_rows=n_rows, train_steps=train_steps))
        assert sign * math.log10(prior.reading.lr / 3e-3) > 0.3
        assert prior.familiar > 0.9


def test_a_problem_like_none_gets_the_mean_of_all_races():
    rows = [row(0.5, n_rows=1000 + i) for i in range(10)]
    alien = expect(rows, situation(n_rows=10**9))
    assert alien.familiar < 0.1
    assert math.log10(alien.reading.lr / 3e-3) == pytest.approx(0.5, abs=0.05)


def test_the_least_expected_loss_lies_below_the_likeliest_best_rate_where_too_high_costs_more():
    # half the races are best at the reading, half at half a decade above it; all lose everything a step above
    cliffs = []
    for best in (0.0, 0.5):
        regret = np.where(best + 0.25 < OFFSETS, MOST_REGRET, 0.02 * np.square(OFFSETS - best))
        cliffs += [Row(dataset="d", sha256=None, situation=situation(n_rows=1000 + i), regret=regret) for i in range(5)]
    assert math.log10(expect(cliffs, situation()).reading.lr / 3e-3) < 0.1


@given(best=st.floats(-1.5, 1.5), reading=st.floats(1e-5, 1.0))
def test_the_interval_holds_the_rate_and_keeps_its_bounds(best, reading):
    prior = expect([row(best, n_rows=n) for n in (500, 1000)], situation(reading=reading))
    low, lr, high = prior.reading.low, prior.reading.lr, prior.reading.high
    assert low <= lr <= high
    assert math.log10(lr / low) <= INTERVAL_BELOW + 1e-9
    assert math.log10(high / lr) <= INTERVAL_ABOVE + 1e-9
    assert prior.at(np.log10([lr]))[0] == pytest.approx(0, abs=1e-12)


def test_no_rate_outside_the_limits_is_advised():
    rows = [row(1.0), row(1.0, n_rows=2000)]
    prior = expect(rows, situation(), limits=(1e-7, 5e-3))
    assert prior.reading.lr <= 5e-3
    assert prior.reading.high <= 5e-3


def test_features_have_names_and_stay_finite():
    odd = situation(divergence=None, noise=0.0, min_loss=0.0, hidden=(), n_rows=2, batch_size=500)
    for one in (situation(), odd):
        assert features(one).shape == (len(FEATURES),)
        assert np.isfinite(features(one)).all()
    assert set(FAMILIES) == set(OPTIMIZERS)


def test_parameters_and_epochs_in_closed_form():
    assert situation().n_params == 11 * 64 + 65 * 3
    assert situation().epochs == 400 / 20


def test_a_table_of_rows_reads_back():
    rows = (row(0.25), row(-1.0, hidden=(), divergence=None, dataset="two"))
    back = rows_from_csv(rows_to_csv(rows))
    assert [one.dataset for one in back] == ["one", "two"]
    assert [one.situation for one in back] == [one.situation for one in rows]
    np.testing.assert_allclose([one.regret for one in back], [one.regret for one in rows], atol=5e-4)


def test_the_shipped_table_is_large_varied_and_sane():
    rows = shipped_rows()
    assert len(rows) >= 300
    assert len({one.dataset for one in rows}) >= 100
    assert {one.situation.optimizer for one in rows} == set(OPTIMIZERS)
    for one in rows:
        assert ((one.regret >= 0) & (one.regret <= MOST_REGRET)).all()
        assert np.isfinite(features(one.situation)).all()
    # every race has a best rate somewhere within what is kept
    assert np.mean([one.regret.min() < 0.05 for one in rows]) > 0.98


def test_names_and_repetitions():
    assert dataset_name("/data/auto_mpg.train.csv") == "auto_mpg"
    rows = (row(dataset="a"), row(dataset="b"))
    assert without(rows, "a") == rows[1:]
    assert repeats(row(sha256="x"), situation(), sha256="x")
    assert not repeats(row(sha256="x"), situation(optimizer="sgd"), sha256="x")
    assert not repeats(row(sha256="x"), situation(), sha256="y")
    assert not repeats(row(sha256=None), situation(), sha256=None)


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    y = np.where(X[:, 0] + X[:, 1] > 0, "up", "down")
    return lrfind.find_lr(X, y, race="quick", schedules=("cosine",), train_steps=60, learn=False)


def test_a_finished_race_becomes_a_row(report):
    found = row_of_run(json.loads(json.dumps(to_dict(report))))
    assert found is not None
    best = OFFSETS[np.argmin(found.regret)] + math.log10(found.situation.reading)
    assert abs(best - math.log10(report.race.fit.lrs[np.argmin(report.race.fit.losses)])) <= 0.25
    assert found.situation.n_rows == 150
    assert found.situation.hidden == (64,)


@pytest.mark.parametrize(
    "damage",
    [
        {"race": None},
        {"race": {"gain": 0.1, "baseline_loss": 0.7}},
        {"config": {}},
        {"analysis": {"landmarks": {}}},
        {"data": []},
        {"problem": {"n_train": True, "n_val": -1}},
    ],
)
def test_what_is_no_sound_run_teaches_nothing(report, damage):
    document = {**json.loads(json.dumps(to_dict(report))), **damage}
    assert row_of_run(document) is None


def test_a_run_that_found_no_signal_teaches_nothing(report):
    document = json.loads(json.dumps(to_dict(report)))
    document["race"]["gain"] = 0.001
    assert row_of_run(document) is None
    document["race"]["gain"] = "much"
    assert row_of_run(document) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_survived(value):
    keys = ("race", "data", "problem", "config", "analysis")
    assert row_of_run(dict.fromkeys(keys, value)) is None


def test_own_runs_join_and_damaged_folders_do_not(report, tmp_path):
    with new_run(tmp_path / "good", force=False) as place:
        (place / "run.json").write_text(json.dumps(to_dict(report)), encoding="utf-8")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text("{", encoding="utf-8")
    (tmp_path / ".half-written").mkdir()
    (tmp_path / "a file").write_text("", encoding="utf-8")
    assert len(own_rows(tmp_path)) == 1
    assert own_rows(tmp_path / "nowhere") == ()


def test_earlier_runs_are_learned_from_where_that_is_asked_for(report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lrfind-runs").mkdir()
    with new_run(tmp_path / "lrfind-runs" / "earlier", force=False) as place:
        (place / "run.json").write_text(json.dumps(to_dict(report)), encoding="utf-8")
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(120, 3)), rng.permutation(np.repeat(["a", "b"], 60))
    X[:, 0] += y == "a"
    learned, plain = (lrfind.find_lr(X, y, race=None, train_steps=60, learn=learn) for learn in (True, False))
    assert learned.prior.n_own == 1
    assert learned.prior.n_rows == plain.prior.n_rows + 1
    assert plain.prior.n_own == 0
    # what is stored with a run is what it learned from, to the digit
    with new_run(tmp_path / "again", force=False) as place:
        (place / "run.json").write_text(json.dumps(to_dict(learned)), encoding="utf-8")
    shutil.rmtree(tmp_path / "lrfind-runs")
    again = lrfind.find_lr(X, y, race=None, train_steps=60, experience=str(tmp_path / "again"))
    assert again.recommendation == learned.recommendation
    assert np.array_equal(again.prior.regret, learned.prior.regret)


def test_by_default_earlier_runs_change_nothing(report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lrfind-runs").mkdir()
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(120, 3)), rng.permutation(np.repeat(["a", "b"], 60))
    X[:, 0] += y == "a"
    before = lrfind.find_lr(X, y, race=None, train_steps=60)
    with new_run(tmp_path / "lrfind-runs" / "earlier", force=False) as place:
        (place / "run.json").write_text(json.dumps(to_dict(report)), encoding="utf-8")
    after = lrfind.find_lr(X, y, race=None, train_steps=60)
    assert before.recommendation == after.recommendation


@pytest.mark.parametrize("damage", ["no table", "dataset\n1\n", 3, [], {}])
def test_a_damaged_record_of_what_was_learned_from_is_refused(report, tmp_path, damage):
    document = json.loads(json.dumps(to_dict(report)))
    document["experience"]["own_rows"] = damage
    with new_run(tmp_path / "run", force=False) as place:
        (place / "run.json").write_text(json.dumps(document), encoding="utf-8")
    if damage in ([], {}, "no table"):
        assert rows_used(tmp_path / "run") == ()
    else:
        with pytest.raises(RunError, match="own_rows"):
            rows_used(tmp_path / "run")


def test_a_table_can_be_forgotten(tmp_path):
    name = shipped_rows()[0].dataset
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120, 2))
    path = tmp_path / f"{name}.csv"
    lines = [f"{a},{b},{'u' if a > b else 'v'}" for a, b in X]
    path.write_text("a,b,y\n" + "\n".join(lines) + "\n", encoding="utf-8")
    own, other = (
        lrfind.find_lr(path, race=None, train_steps=60, learn=False, forget=forget).prior.n_rows
        for forget in ("own", "no such table")
    )
    assert own == other - sum(one.dataset == name for one in shipped_rows())
    assert own < other
