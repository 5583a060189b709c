"""What the repair of steps promises, on logs whose right reading is known."""

from __future__ import annotations

import numpy as np
import pytest

from lrfind.logs import Repair, TrainingLog, read_log


def read(tmp_path, rows, header="step,loss"):
    path = tmp_path / "log.csv"
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return read_log(str(path))


def found(log):
    return [(repair.kind, repair.count, repair.first) for repair in log.repairs]


def test_order_does_not_matter(tmp_path):
    rows = [(i, 1 / (i + 1), i) for i in range(200)]
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(200)]
    log = read(tmp_path, shuffled, "step,loss,val_loss")
    np.testing.assert_array_equal(log.step, np.arange(200))
    np.testing.assert_array_equal(log.loss, 1 / np.arange(1, 201))
    np.testing.assert_array_equal(log.val_loss, np.arange(200))
    assert [repair.kind for repair in log.repairs] == ["unsorted"]
    assert "not sorted" in log.repairs[0].sentence


def test_workers_that_write_blocks_are_sorted_not_cut(tmp_path):
    blocks = [range(0, 100, 2), range(1, 100, 2), range(100, 200, 2), range(101, 200, 2)]
    log = read(tmp_path, [(i, i) for block in blocks for i in block])
    np.testing.assert_array_equal(log.step, np.arange(200))
    assert found(log)[0][0] == "unsorted"


def test_resumed_run_forgets_the_branch_given_up(tmp_path):
    rows = [(i, 1.0) for i in range(100)] + [(i, 2.0) for i in range(60, 80)]
    log = read(tmp_path, rows)
    np.testing.assert_array_equal(log.step, np.arange(80))
    np.testing.assert_array_equal(log.loss, np.repeat([1.0, 2.0], [60, 20]))
    assert found(log) == [("repeat", 40, "step 60")]
    assert "resumed once" in log.repairs[0].sentence


def test_run_resumed_twice(tmp_path):
    rows = [(i, 1) for i in range(50)] + [(i, 2) for i in range(40, 90)] + [(i, 3) for i in range(20, 30)]
    log = read(tmp_path, rows)
    assert log.loss.tolist() == [1] * 20 + [3] * 10
    assert "resumed 2 times" in log.repairs[0].sentence


def test_last_of_a_repeated_step_counts(tmp_path):
    log = read(tmp_path, [(i, worker) for i in range(20) for worker in (1, 2, 3)])
    assert log.loss.tolist() == [3] * 20
    assert found(log) == [("repeat", 40, "step 0")]
    assert "40 points were logged" in log.repairs[0].sentence
    one = read(tmp_path, [(0, 1), (1, 1), (1, 2), (2, 1)])
    assert "1 point was logged" in one.repairs[0].sentence


def test_one_late_point(tmp_path):
    log = read(tmp_path, [(0, 1), (1, 1), (3, 1), (2, 1), (4, 1), (5, 1)])
    assert found(log) == [("unsorted", 1, "step 2")]


@pytest.mark.parametrize(("missing", "count"), [((40, 60), 1), ((95, 99), 1), ((0, 1), 0)])
def test_gaps(tmp_path, missing, count):
    rows = [(i * 10, 1.0) for i in range(100) if not missing[0] < i < missing[1]]
    log = read(tmp_path, rows)
    assert [each[:2] for each in found(log)] == ([("gap", 1)] if count else [])


def test_jumps_that_vary_by_nature_are_no_gaps(tmp_path):
    # Games of 10 to 60 moves each, a few of 100 to 130.
    rng = np.random.default_rng(0)
    lengths = np.where(rng.random(400) < 0.01, rng.integers(100, 130, 400), rng.integers(10, 60, 400))
    assert read(tmp_path, [(int(step), 1.0) for step in np.cumsum(lengths)]).repairs == ()


def test_two_gaps(tmp_path):
    log = read(tmp_path, [(i, 1.0) for i in range(100) if i not in (*range(20, 30), *range(50, 70))])
    assert found(log) == [("gap", 2, "step 19")]


@pytest.mark.parametrize(
    "steps", [[1, *range(50, 1000, 50)], np.unique(np.geomspace(1, 1e6, 60).astype(int)), [1, 2, 9]]
)
def test_logs_that_thin_out_on_purpose_have_no_gaps(tmp_path, steps):
    assert read(tmp_path, [(int(step), 1.0) for step in steps]).repairs == ()


def test_steps_within_an_epoch(tmp_path):
    rows = [(epoch, batch, epoch * 25 + batch) for epoch in range(4) for batch in range(25)]
    log = read(tmp_path, rows, "epoch,batch,loss")
    np.testing.assert_array_equal(log.step, np.arange(100))
    np.testing.assert_array_equal(log.loss, np.arange(100))
    assert log.repairs == ()


def test_epoch_as_the_only_counter_of_many_rows(tmp_path):
    log = read(tmp_path, [(i // 25, 1 / (i + 1)) for i in range(100)], "epoch,loss")
    assert (log.step_unit, log.step.tolist()) == ("row", list(range(1, 101)))
    assert log.notes == ("'epoch' holds 4 different values in 100 rows, so rows were counted instead",)


def test_epoch_as_the_counter(tmp_path):
    log = read(tmp_path, [(i, 1 / (i + 1)) for i in range(10)], "epoch,loss")
    assert log.step_unit == "epoch"
    np.testing.assert_array_equal(log.epoch, log.step)


def test_weird_steps_fall_back_to_rows(tmp_path):
    cycle = ["-5", "1e3", "10000000000000000000000000", "3.5", ""]
    log = read(tmp_path, [(cycle[i % 5], 1 / (i + 1)) for i in range(200)])
    assert (log.step_unit, len(log.step)) == ("row", 200)


def test_negative_and_fractional_steps_are_steps(tmp_path):
    log = read(tmp_path, [(-5, 1), (-0.5, 2), (3.25, 3)])
    assert log.step.tolist() == [-5, -0.5, 3.25]


def test_rows_without_a_step_are_left_out_and_counted(tmp_path):
    log = read(tmp_path, [(0, 1), ("", 2), (2, 3), ("inf", 4), (4, 5)])
    assert log.step.tolist() == [0, 2, 4]
    assert found(log)[0] == ("unreadable row", 2, "line 3")
    one = read(tmp_path, [(0, 1), ("", 2), (2, 3)])
    assert "1 row has no step" in one.repairs[0].sentence


def test_log_without_a_counter(tmp_path):
    log = read(tmp_path, [(1 / i, 0.1) for i in range(1, 9)], "loss,lr")
    assert (log.step_unit, log.step.tolist()) == ("row", list(range(1, 9)))
    assert log.notes == ("the log has no steps, so its rows were counted",)


def test_epoch_is_carried_only_as_logged(tmp_path):
    log = read(tmp_path, [(0, 1, 0), (1, 1, ""), (2, 1, 1)], "step,loss,epoch")
    np.testing.assert_array_equal(log.epoch, [0, np.nan, 1])


def make(**changes):
    step = np.array([1.0, 2.0])
    values = {"name": "a", "path": "a", "format": "csv", "columns": (), "step": step, "step_unit": "step", "n_rows": 2}
    values |= {"loss": step.copy(), "nonfinite_steps": np.empty(0)}
    values |= dict.fromkeys(("epoch", "val_loss", "lr", "grad_norm"))
    return TrainingLog(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [{"step": np.array([2.0, 1.0])}, {"step": np.array([1.0, np.nan])}, {"step": np.empty(0)}, {"lr": np.ones(3)}],
)
def test_a_log_that_breaks_its_promise_cannot_be_made(changes):
    with pytest.raises(ValueError, match="step"):
        make(**changes)


def test_a_log_is_read_only():
    log = make(lr=np.ones(2))
    with pytest.raises(ValueError, match="read-only"):
        log.lr[0] = 2
    assert Repair(kind="gap", count=1, first="step 1", sentence="x") == Repair(
        kind="gap", count=1, first="step 1", sentence="x"
    )
