"""The whole story through its one function, `lrfind.find_lr`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import lrfind
from lrfind.errors import DataError, UsageError
from lrfind.recommend import FEWEST_HELD_OUT
from lrfind.report import to_dict

# The least training that still learns.
TINY = {"steps": 100, "seeds": 4, "train_steps": 100}
CURVE: dict[str, Any] = TINY | {"race": None}
RACE: dict[str, Any] = TINY | {"race": "quick"}


def features(n_rows: int = 120) -> npt.NDArray[np.float64]:
    return np.random.default_rng(0).normal(size=(n_rows, 3))


def labels(X: npt.NDArray[np.float64]) -> npt.NDArray[np.str_]:
    return np.where(X[:, 0] > X[:, 1], "left", "right")


X, Y = features(), labels(features())


def plain(report: lrfind.report.Report) -> dict[str, Any]:
    """Return a report without what the clock says."""
    return {name: part for name, part in to_dict(report).items() if name not in {"created", "timing"}}


# --- Where the table may come from. ---


def test_arrays_are_a_table() -> None:
    report = lrfind.find_lr(X, Y, **CURVE)
    advice = report.recommendation
    assert advice.verdict == "ok"
    assert advice.lr_low is not None
    assert advice.lr is not None
    assert advice.lr_high is not None
    assert 1e-7 < advice.lr_low <= advice.lr <= advice.lr_high < 10
    assert [column.name for column in report.table.columns] == ["x0", "x1", "x2", "target"]
    assert report.problem.classes == ("left", "right")


def test_numbers_to_predict_make_a_regression() -> None:
    report = lrfind.find_lr(X, X @ [1.0, 2.0, 3.0], **CURVE)
    assert (report.problem.task, report.recommendation.verdict) == ("regression", "ok")


def test_lists_frames_and_files_give_the_same_answer_as_arrays(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["x0", "x1", "x2"]).assign(target=Y)
    frame.to_csv(tmp_path / "t.csv", index=False)
    expected = lrfind.find_lr(X, Y, **CURVE).recommendation
    assert lrfind.find_lr(X.tolist(), Y.tolist(), **CURVE).recommendation == expected
    assert lrfind.find_lr(frame, **CURVE).recommendation == expected
    assert lrfind.find_lr(frame.rename(columns={"target": "z"}), target="z", **CURVE).recommendation == expected
    assert lrfind.find_lr(tmp_path / "t.csv", **CURVE).recommendation == expected
    assert lrfind.find_lr(str(tmp_path / "t.csv"), **CURVE).recommendation == expected


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((X, Y[:50]), {}, "X has 120 rows and y has 50: they have to be of equal length"),
        ((None,), {}, "X has shape (), and has to be rows by features (2-D with at least one column)"),
        ((X[:6], Y[:6]), {}, "too few rows: got 6 with a value of the target 'target' (of 6), need at least 8"),
    ],
)
def test_arrays_that_are_no_table_are_refused(
    arguments: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError) as error:
        lrfind.find_lr(*arguments, **CURVE, **options)
    assert str(error.value) == message


@pytest.mark.parametrize("option", [{"where": "x0 > 0"}, {"columns": ("x0",)}, {"drop": ("x0",)}, {"sample": 50}])
def test_rows_and_columns_of_arrays_are_not_chosen_here(option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(UsageError, match=f"^{name}= chooses from a file"):
        lrfind.find_lr(X, Y, **CURVE, **option)


def test_targets_beside_a_file_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^y is given beside a file: name the target column with target=$"):
        lrfind.find_lr("t.csv", Y)


# --- Settings. ---


SETTINGS = [
    ({"task": "guess"}, "--task 'guess' is not known: choose one of auto, classification, regression"),
    ({"model": "mpl"}, "--model 'mpl' is not known: did you mean 'mlp'?"),
    ({"activation": "gleu"}, "--activation 'gleu' is not known: did you mean 'gelu'?"),
    ({"optimizer": "adagard"}, "--optimizer 'adagard' is not known: did you mean 'adagrad'?"),
    ({"race": "slow"}, "--race 'slow' is not known: choose one of quick, full, grid"),
    ({"schedules": ()}, "--schedules names none: expected all or names such as cosine,one_cycle"),
    ({"schedules": ("cosine", "onecycle")}, "--schedules 'onecycle' is not known: did you mean 'one_cycle'?"),
    ({"jobs": 1025}, "--jobs is 1025: expected a whole number from 0 to 1024"),
    ({"batch_size": 0}, "--batch-size is 0: expected a whole number from 1 to 1000000"),
    ({"seeds": 0}, "--seeds is 0: expected a whole number from 1 to 256"),
    ({"seed": -1}, "--seed is -1: expected a whole number from 0 to 18446744073709551615"),
    ({"steps": 0}, "--steps is 0: expected a whole number from 1 to 1000000"),
    ({"hidden": (64, 0)}, "--hidden is 0: expected a whole number from 1 to 16384"),
    ({"train_steps": 0}, "--train-steps is 0: expected a whole number from 1 to 10000000"),
    ({"epochs": 0}, "--epochs is 0: expected a whole number from 1 to 10000000"),
    ({"sample": 0}, "--sample is 0: expected a whole number from 1 to 10000000"),
    ({"train_steps": 9, "epochs": 9}, "--train-steps and --epochs both say how long to train: give one of them"),
    ({"lr_min": -1.0}, "--lr-min is -1: expected a learning rate above 1e-37 and below infinity, such as 1e-7"),
    ({"lr_min": 1.0, "lr_max": 1.0}, "--lr-max 1 is not above --lr-min 1: expected a range, such as 1e-7 to 10"),
]


@pytest.mark.parametrize(("options", "message"), SETTINGS)
def test_a_setting_no_run_could_use_is_refused_before_anything_is_read(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as error:
        lrfind.find_lr("no-such-file.csv", **options)
    assert str(error.value) == message


def test_options_replace_those_of_settings() -> None:
    settings = lrfind.Settings(**CURVE, optimizer="sgd", seed=3)
    by_option = lrfind.find_lr(X, Y, settings=settings, seed=4)
    assert (by_option.config["optimizer"], by_option.config["seed"]) == ("sgd", 4)
    assert plain(by_option) == plain(lrfind.find_lr(X, Y, settings=replace(settings, seed=4)))


@pytest.mark.parametrize(
    ("n_rows", "options", "steps"),
    [
        # one whole batch of 64 in 120 rows: twenty passes are too short a run
        (120, {}, 400),
        (120, {"epochs": 30}, 30),
        (120, {"train_steps": 7}, 7),
        # 31 batches a pass, and 20 passes; 125 a pass, and too many
        (2_000, {}, 620),
        (8_000, {}, 2_000),
    ],
)
def test_the_length_of_the_run_follows_from_the_rows(n_rows: int, options: dict[str, Any], steps: int) -> None:
    # labels that say nothing end the story before anything is trained
    y = np.random.default_rng(1).permutation(labels(features(n_rows)))
    report = lrfind.find_lr(features(n_rows), y, race=None, steps=20, seeds=1, lr_max=1e-6, **options)
    assert report.config["train_steps"] == steps
    assert report.recommendation.train_steps == steps


def test_a_linear_model_has_no_hidden_layer() -> None:
    report = lrfind.find_lr(X, Y, model="linear", **CURVE)
    assert report.config["hidden"] == ()
    assert report.recommendation.verdict == "ok"


# --- What comes back. ---


def test_the_same_seed_gives_the_same_report_and_another_seed_another() -> None:
    first, again, other = (lrfind.find_lr(X, Y, seed=seed, **CURVE) for seed in (0, 0, 1))
    assert plain(first) == plain(again)
    assert not np.array_equal(first.sweep.losses, other.sweep.losses)


def test_the_order_of_the_rows_changes_nothing() -> None:
    order = np.random.default_rng(1).permutation(len(Y))
    one, other = (plain(lrfind.find_lr(X[rows], Y[rows], **CURVE)) for rows in (np.arange(len(Y)), order))
    assert one["sweep"] == other["sweep"]
    assert one["recommendation"] == other["recommendation"]


def test_progress_is_told_in_order_and_never_beyond_the_whole() -> None:
    told: list[tuple[str, float]] = []
    lrfind.find_lr(X, Y, progress=lambda stage, share: told.append((stage, share)), **CURVE)
    stages = list(dict.fromkeys(stage for stage, _ in told))
    assert stages == ["Reading", "Preparing", "Sweeping", "Training"]
    for stage in stages:
        shares = [share for name, share in told if name == stage]
        assert shares == sorted(shares)
        assert 0 <= shares[0] <= shares[-1] <= 1


def test_the_command_is_kept() -> None:
    assert lrfind.find_lr(X, Y, command=("lrfind", "sweep"), **CURVE).command == ("lrfind", "sweep")


def test_without_a_race_the_advice_rests_on_the_range_test_and_a_few_runs() -> None:
    report = lrfind.find_lr(X, Y, **CURVE)
    advice = report.recommendation
    assert report.race is None
    assert "Racing" not in report.timing
    names = {reason.name for reason in advice.evidence}
    assert {"range test", "held-out", "schedule"} <= names
    assert "race" not in names
    assert advice.schedule is not None
    assert advice.schedule.name == "cosine"
    assert advice.expected is not None
    assert advice.expected.val_loss < advice.expected.baseline_loss


@pytest.mark.slow
def test_a_race_is_the_evidence_and_progress_tells_of_it() -> None:
    stages = set()
    report = lrfind.find_lr(X, Y, progress=lambda stage, _: stages.add(stage), schedules=("constant", "step"), **RACE)
    assert report.race is not None
    assert "Racing" in stages
    assert any(reason.name == "race" for reason in report.recommendation.evidence)
    schedule = report.recommendation.schedule
    assert schedule is not None
    assert schedule.name in {"constant", "step"}
    rates = lrfind.values(schedule)
    assert rates.shape == (100,)
    assert rates.max() == pytest.approx(report.recommendation.lr)


@pytest.mark.slow
def test_a_net_too_dear_to_race_is_judged_without() -> None:
    options = {"steps": 60, "seeds": 1, "hidden": (256, 256), "train_steps": 400, "race": "quick"}
    report = lrfind.find_lr(X, Y, **options)
    assert report.race is None
    assert report.recommendation.verdict == "ok"
    reasons = [reason.text for reason in report.recommendation.evidence]
    assert any("without a race" in text for text in reasons)


# --- When there is no answer. ---


def test_labels_that_follow_from_nothing_get_no_rate() -> None:
    report = lrfind.find_lr(X, np.random.default_rng(1).permutation(Y), **CURVE)
    advice = report.recommendation
    assert (advice.verdict, advice.lr, advice.schedule) == ("no_signal", None, None)
    assert "does not clearly beat a constant guess" in advice.sentence


def test_too_few_rows_to_hold_out_are_too_little_data() -> None:
    frame = pd.DataFrame(X[:20], columns=["a", "b", "c"]).assign(day=range(20), y=np.where(X[:20, 0] > 0, "p", "q"))
    report = lrfind.find_lr(frame, split="time:day", **CURVE)
    assert len(report.problem.y_val) < FEWEST_HELD_OUT
    assert report.recommendation.verdict == "too_little_data"
    assert f"expected at least {FEWEST_HELD_OUT}" in report.recommendation.sentence


def test_a_range_below_every_good_rate_is_too_narrow() -> None:
    report = lrfind.find_lr(X, Y, lr_max=2e-4, **CURVE)
    assert report.recommendation.verdict == "range_too_narrow"
    assert "Try --lr-max" in report.recommendation.sentence
