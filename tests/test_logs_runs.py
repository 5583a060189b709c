"""Several runs in one file: resumed where one goes on from the other, else told apart and the last one judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lrfind.logs import TrainingLog, read_log


def curve(n: int, *, pace: float = 20.0, noise: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(n)
    return (0.2 + 2 * np.exp(-np.arange(n) / pace)) * (1 + noise * rng.normal(size=n))


def read(folder: Path, *parts: tuple[np.ndarray, np.ndarray], counter: str = "step") -> TrainingLog:
    rows = [f"{step:g},{loss:.6g}" for steps, losses in parts for step, loss in zip(steps, losses, strict=True)]
    (folder / "log.csv").write_text("\n".join([f"{counter},loss", *rows]) + "\n")
    return read_log(str(folder / "log.csv"))


def said(log: TrainingLog) -> str:
    return " ".join([*(repair.sentence for repair in log.repairs), *log.notes])


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("counter", ["step", "epoch"])
def test_two_runs_are_no_resumed_one(tmp_path: Path, noise: float, counter: str):
    first, second = curve(100, noise=noise), curve(80, pace=10.0, noise=noise)
    log = read(tmp_path, (np.arange(100), first), (np.arange(80), second), counter=counter)
    assert "resumed" not in said(log)
    assert "the file holds 2 runs, one after another: the last of them" in said(log)
    assert [run.counter for run in log.runs] == [f"{counter} 0 to 99", f"{counter} 0 to 79"]
    assert [run.is_judged for run in log.runs] == [False, True]
    np.testing.assert_allclose(log.loss, second, rtol=1e-5)
    assert log.repairs == ()


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_run_that_goes_on_from_its_checkpoint_is_resumed(tmp_path: Path, noise: float):
    whole = curve(140, pace=40.0, noise=noise)
    log = read(tmp_path, (np.arange(100), whole[:100]), (np.arange(60, 140), whole[60:]))
    assert "the run was resumed once (first from step 60)" in said(log)
    assert "the file holds" not in said(log)
    np.testing.assert_allclose(log.loss, whole, rtol=1e-5)


def test_a_later_step_at_the_loss_of_the_beginning_is_a_run_of_its_own(tmp_path: Path):
    second = curve(60)
    log = read(tmp_path, (np.arange(1, 101), curve(100)), (np.arange(20, 80), second))
    assert "the file holds 2 runs" in said(log)
    np.testing.assert_allclose(log.loss, second, rtol=1e-5)


def test_runs_logged_at_other_steps_are_not_mixed(tmp_path: Path):
    second = curve(30, pace=5.0)
    log = read(tmp_path, (np.arange(0, 1000, 10), curve(100)), (np.arange(0, 210, 7), second))
    np.testing.assert_allclose(log.loss, second, rtol=1e-5)
    assert "the file holds 2 runs" in said(log)


def test_of_many_runs_all_are_listed_and_the_last_is_judged(tmp_path: Path):
    log = read(tmp_path, *((np.arange(20), curve(20, pace=k)) for k in range(1, 8)))
    assert "the file holds 7 runs" in said(log)
    assert [run.n_points for run in log.runs] == [20] * 7
    assert [run.is_judged for run in log.runs] == [False] * 6 + [True]


def test_a_run_after_another_may_itself_be_resumed(tmp_path: Path):
    whole = curve(100, pace=30.0)
    parts = [(np.arange(90), curve(90)), (np.arange(70), whole[:70]), (np.arange(50, 100), whole[50:])]
    log = read(tmp_path, *parts)
    assert "the file holds 2 runs" in said(log)
    assert "resumed once (first from step 50)" in said(log)
    np.testing.assert_allclose(log.loss, whole, rtol=1e-5)


def test_a_single_late_point_does_not_take_the_place_of_the_run(tmp_path: Path):
    log = read(tmp_path, (np.arange(1, 40), curve(39)), (np.array([0]), np.array([2.5])))
    assert "(step 1 to 39, 39 points), was read" in said(log)
    np.testing.assert_allclose(log.loss, curve(39), rtol=1e-5)
