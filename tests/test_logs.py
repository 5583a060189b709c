"""Each format by hand: what is in the file comes back, and what is no log is refused in one sentence."""

from __future__ import annotations

import gzip
import io
import json
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from lrfind.errors import DataError, LrfindError, UsageError
from lrfind.logs import READERS, read_log
from lrfind.logs.cells import parsed
from lrfind.logs.names import role_of

LOSSES = 1 / np.arange(1, 21)


def written(tmp_path, text, name="log.csv"):
    path = tmp_path / name
    if isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(text, encoding="utf-8")
    return str(path)


def read(tmp_path, text, name="log.csv"):
    return read_log(written(tmp_path, text, name))


def table(rows, header="step,loss"):
    return "\n".join([header, *(",".join(str(cell) for cell in row) for row in rows)]) + "\n"


def kinds(log):
    return [repair.kind for repair in log.repairs]


# --- Delimited ---


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_are_found_by_name(tmp_path, delimiter):
    text = table([(i, loss, 2 * loss, 1e-3, 0.5) for i, loss in enumerate(LOSSES)], "step,loss,val_loss,lr,grad_norm")
    log = read(tmp_path, text.replace(",", delimiter))
    np.testing.assert_array_equal(log.step, np.arange(20))
    np.testing.assert_array_equal(log.loss, LOSSES)
    np.testing.assert_array_equal(log.val_loss, 2 * LOSSES)
    np.testing.assert_array_equal(log.lr, np.full(20, 1e-3))
    np.testing.assert_array_equal(log.grad_norm, np.full(20, 0.5))
    assert (log.format, log.step_unit, log.n_rows, log.repairs, log.notes) == ("csv", "step", 20, (), ())
    assert log.column("loss") == "loss"
    assert log.column("epoch") is None
    assert not log.loss.flags.writeable


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("loss", "loss"), ("train_loss", "loss"), ("train/loss", "loss"), ("training_loss", "loss"),
        ("trainLoss", "loss"),
        ("train_loss_step", "loss"), ("train_loss_epoch", "loss"), ("loss_train", "loss"), ("Loss/train", "loss"),
        ("trainloss", "loss"), ("run-3 - train/loss", "loss"), ("binary_logloss", "loss"), ("train_nll", "loss"),
        ("val_loss", "val_loss"), ("eval_loss", "val_loss"), ("valid/loss", "val_loss"), ("test_loss", "val_loss"),
        ("validation_loss", "val_loss"), ("Loss/test", "val_loss"), ("valLoss", "val_loss"),
        ("val_cross_entropy", "val_loss"),
        ("lr", "lr"), ("learning_rate", "lr"), ("train/learning_rate", "lr"), ("lr-Adam", "lr"), ("lr/group0", "lr"),
        ("LearningRate", "lr"), ("\x1b[31mlr\x1b[0m", "lr"), ("grad_norm", "grad_norm"),
        ("train/grad_norm", "grad_norm"),
        ("gradient_norm", "grad_norm"), ("gnorm", "grad_norm"), ("grad_2.0_norm", "grad_norm"),
        ("step", "step"), ("global_step", "step"), ("_step", "step"), ("Iteration", "step"),
        ("trainer/global_step", "step"),
        ("epoch", "epoch"), ("train/epoch", "epoch"), ("Epoch", "epoch"),
        ("loss_scale", None), ("train/loss__MIN", None), ("best_loss", None), ("lr-Adam-momentum", None),
        ("accuracy", None),
        ("grad_norm_clip", None), ("lr_decay", None), ("", None),
    ],
)  # fmt: skip
def test_roles_go_by_name(name, role):
    found = role_of(name)
    assert (found[0] if found else None) == role


def test_nearest_name_is_the_loss_and_the_others_are_named(tmp_path):
    text = table([(i, 9, loss, 8) for i, loss in enumerate(LOSSES)], "step,kl_loss,train_loss,ema_loss")
    log = read(tmp_path, text)
    np.testing.assert_array_equal(log.loss, LOSSES)
    assert log.notes == ("training loss: 'train_loss' was used; also there: 'kl_loss', 'ema_loss'",)


def test_lightning_rows_are_sparse_and_merge(tmp_path):
    rows = "epoch,lr-Adam,train_loss_epoch,step,train_loss_step,val_loss\n"
    for i in range(6):
        rows += f"{i // 3},,,{i},{1 / (i + 1)},\n,0.001,,{i},,\n"
        rows += f"{i // 3},,0.7,{i},,{2 / (i + 1)}\n" if i % 3 == 2 else ""
    log = read(tmp_path, rows, "metrics.csv")
    assert (log.format, log.column("loss"), log.n_rows) == ("lightning csv", "train_loss_step", 14)
    np.testing.assert_array_equal(log.step, np.arange(6))
    np.testing.assert_array_equal(log.loss, LOSSES[:6])
    np.testing.assert_array_equal(log.val_loss, [np.nan, np.nan, 2 / 3, np.nan, np.nan, 1 / 3])
    np.testing.assert_array_equal(log.lr, np.full(6, 0.001))
    np.testing.assert_array_equal(log.epoch, [0, 0, 0, 1, 1, 1])
    assert log.repairs == ()


def test_keras_semicolons_with_decimal_commas_and_na(tmp_path):
    log = read(tmp_path, "epoch;loss;val_loss\n0;0,5;NA\n1;0,25;0,75\n", "training.log")
    assert (log.format, log.step_unit) == ("keras csv", "epoch")
    np.testing.assert_array_equal(log.loss, [0.5, 0.25])
    np.testing.assert_array_equal(log.val_loss, [np.nan, 0.75])


def test_gzip_and_windows_line_ends_and_bom(tmp_path):
    text = "\ufeff" + table(enumerate(LOSSES)).replace("\n", "\r\n")
    log = read(tmp_path, gzip.compress(text.encode()), "log.csv.gz")
    np.testing.assert_array_equal(log.loss, LOSSES)
    assert log.repairs == ()
    np.testing.assert_array_equal(read(tmp_path, text[1:].encode("utf-16")).loss, LOSSES)


def test_all_spellings_of_nan_and_infinity(tmp_path):
    spelt = [
        "nan",
        "NaN",
        "NAN",
        "-nan",
        "nan(ind)",
        "1.#QNAN",
        "-1.#IND",
        "inf",
        "-inf",
        "Infinity",
        "1.#INF",
        "-1.#INF00",
    ]
    log = read(tmp_path, table([(0, 1.0), *enumerate(spelt, start=1)]))
    np.testing.assert_array_equal(log.nonfinite_steps, np.arange(1, 13))
    assert np.isposinf(log.loss[[8, 10, 11]]).tolist() == [True, True, True]
    assert np.isneginf(log.loss[[9, 12]]).all()
    assert kinds(log) == ["nan"]
    assert log.repairs[0].sentence == "the loss is NaN or infinite at 12 of 13 points (first: step 1)"


def test_missing_is_not_nan(tmp_path):
    log = read(
        tmp_path, table([(0, 0.5, 1), (1, "", 1), (2, "None", 1), (3, "null", 1), (4, "nan", 1)], "step,loss,lr")
    )
    np.testing.assert_array_equal(log.nonfinite_steps, [4])
    np.testing.assert_array_equal(log.step, np.arange(5))


def test_nan_that_pads_the_other_loss_is_no_divergence(tmp_path):
    rows = [(i, "nan" if i % 5 == 4 else 0.5, 0.7 if i % 5 == 4 else "nan") for i in range(20)]
    log = read(tmp_path, table(rows, "step,loss,val_loss"))
    assert not len(log.nonfinite_steps)
    assert np.isfinite(log.val_loss).sum() == 4


@pytest.mark.parametrize(
    "text",
    [
        "tensor(0.5)", "tensor(0.5, device='cuda:0', grad_fn=<NllLossBackward0>)",
        "tf.Tensor(0.5, shape=(), dtype=float32)",
        "[0.5]", "[[0.5]]", "np.float32(0.5)", "array(0.5, dtype=float32)", "Array(0.5, dtype=float32)",
        "tensor([0.5])",
        "<tf.Tensor: shape=(), dtype=float32, numpy=0.5>", "'0.5'", "jax.numpy.array([0.5])",
    ],
)  # fmt: skip
def test_numbers_inside_tensors(text):
    cells = parsed(["0.5", text])
    assert cells.values.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("text", ["abc", "0.5 0.6", "tensor([0.5, 0.6]", "1,5", "x" * 600, "(0.5"])
def test_other_text_is_no_number(text):
    assert len(parsed(["0.5", text]).values) == 1 + text.startswith("tensor")


def test_tensor_texts_are_counted_and_said(tmp_path):
    log = read(tmp_path, 'step,loss\n1,"tensor(0.5, device=cpu)"\n2,0.4\n3,oops\n')
    np.testing.assert_array_equal(log.loss, [0.5, 0.4])
    assert kinds(log) == ["non-numeric", "non-numeric"]
    assert log.repairs[0].sentence == (
        "1 value of 'loss' is a number inside other text, and the number was taken (first: line 2, "
        "'tensor(0.5, device=cpu)')"
    )
    assert (log.repairs[1].count, log.repairs[1].first) == (1, "line 4")


def test_live_run_loses_its_last_line_alone(tmp_path):
    log = read(tmp_path, "step,loss,lr\n1,0.5,1\n2,0.4,1\n3,0.")
    assert kinds(log) == ["truncated"]
    assert log.repairs[0].first == "line 4"
    np.testing.assert_array_equal(log.step, [1, 2])


def test_broken_lines_are_counted(tmp_path):
    log = read(tmp_path, "step,loss,lr\n1,0.5,1\n2,0.4\n3,0.3,1\n\n4,0.2,1,1\n5,0.1,1\n6,0.1,1\n")
    assert (kinds(log), log.repairs[0].count, log.repairs[0].first) == (["unreadable row"], 2, "line 3")
    np.testing.assert_array_equal(log.step, [1, 3, 5, 6])


def test_a_stray_quote_is_charged_with_all_it_swallows(tmp_path):
    lines = table(enumerate(LOSSES)).splitlines(keepends=True)
    log = read(tmp_path, "".join([*lines[:15], '14,"0.5\n', *lines[16:]]))
    assert (kinds(log), log.repairs[0].count, log.repairs[0].first) == (["unreadable row"], 6, "line 16")
    with pytest.raises(DataError, match="line 4: expected 2 fields"):
        read(tmp_path, "".join([*lines[:3], '2,"0.5,\n', *lines[4:]]))


def test_header_again_is_a_run_started_again(tmp_path):
    text = table(enumerate(LOSSES)) + table(enumerate(2 * LOSSES[:10]))
    log = read(tmp_path, text)
    np.testing.assert_array_equal(log.loss, 2 * LOSSES[:10])
    assert kinds(log) == []
    assert "the header comes again in line 22" in log.notes[0]
    assert "the file holds 2 runs, one after another: the last of them, from line 23 on" in log.notes[1]
    assert [(run.first, run.n_points, run.is_judged) for run in log.runs] == [
        ("line 2", 20, False), ("line 23", 10, True)
    ]  # fmt: skip


def test_table_without_header(tmp_path):
    log = read(tmp_path, "\n".join(f"{i * 10},{loss}" for i, loss in enumerate(LOSSES)))
    np.testing.assert_array_equal(log.loss, LOSSES)
    assert log.step[1] == 10
    assert "no header" in log.notes[0]


def test_lone_column_is_taken_by_content(tmp_path):
    log = read(tmp_path, table([(1.7e9 + i, i, loss) for i, loss in enumerate(LOSSES)], "Wall time,Step,Value"))
    np.testing.assert_array_equal(log.loss, LOSSES)
    assert log.notes == ("no column is called loss; 'Value' is the only one it can be and was taken for it",)


# --- JSON ---


def test_keras_history(tmp_path):
    log = read(tmp_path, '{"loss": [0.5, 0.4, NaN], "val_loss": [0.6, 0.5, 0.4], "lr": [1, 1, 1]}', "history.json")
    assert (log.format, log.step_unit) == ("keras history", "epoch")
    np.testing.assert_array_equal(log.loss, [0.5, 0.4, np.nan])
    np.testing.assert_array_equal(log.nonfinite_steps, [2])


def test_history_of_a_data_frame_and_within_another_object(tmp_path):
    inner = {"loss": {"0": 0.5, "1": 0.4}, "val_loss": {"0": 0.6, "1": 0.5}}
    for document in (inner, {"history": inner}, {"params": {}, "history": {"loss": [0.5, 0.4], "epoch": [3, 4]}}):
        np.testing.assert_array_equal(read(tmp_path, json.dumps(document)).loss, [0.5, 0.4])


def test_history_with_lists_of_unequal_length(tmp_path):
    log = read(tmp_path, '{"loss": [0.5, 0.4, 0.3], "val_loss": [0.6]}')
    assert kinds(log) == ["truncated"]
    np.testing.assert_array_equal(log.val_loss, [0.6, np.nan, np.nan])


def test_trainer_state(tmp_path):
    history = [
        {"step": 10 * i, "epoch": i / 10, "loss": 1 / i, "learning_rate": 1e-3, "grad_norm": 1.0} for i in range(1, 6)
    ]
    history += [{"step": 50, "epoch": 0.5, "eval_loss": 0.7}, "odd"]
    history += [{"step": 50, "train_loss": 0.4, "train_runtime": 3.0, "epoch": 0.5}]
    log = read(tmp_path, json.dumps({"log_history": history}), "trainer_state.json")
    assert (log.format, log.column("loss")) == ("trainer_state", "loss")
    np.testing.assert_array_equal(log.step, [10, 20, 30, 40, 50])
    np.testing.assert_array_equal(log.val_loss, [np.nan] * 4 + [0.7])
    assert kinds(log) == ["unreadable row"]
    assert log.notes == ("record 8 sums the run up (mean loss 0.4): no point",)


@pytest.mark.parametrize(
    "document",
    [list(LOSSES), [[i, loss] for i, loss in enumerate(LOSSES)], [[1.7e9, i, loss] for i, loss in enumerate(LOSSES)],
     [{"step": i, "loss": loss} for i, loss in enumerate(LOSSES)], [None, *LOSSES]],
)  # fmt: skip
def test_arrays(tmp_path, document):
    log = read(tmp_path, json.dumps(document), "curve.json")
    np.testing.assert_array_equal(log.loss, LOSSES)


def test_json_lines(tmp_path):
    lines = [
        json.dumps({"step": i, "train": {"loss": loss, "deep": {"er": 1}}, "ok": True, "mode": "train"})
        for i, loss in enumerate(LOSSES)
    ]
    log = read(tmp_path, "\n\n".join(lines), "log.jsonl")
    assert (log.format, log.column("loss")) == ("jsonl", "train/loss")
    np.testing.assert_array_equal(log.loss, LOSSES)
    assert log.repairs == ()


def test_json_lines_cut_broken_and_odd(tmp_path):
    text = '{"step": 1, "loss": 0.5}\n{"step": 2, "loss": \n{"step": 3, "loss": "tensor(0.4)"}\n{"step": 4, "lo'
    log = read(tmp_path, text, "log.jsonl")
    assert kinds(log) == ["truncated", "unreadable row", "non-numeric"]
    assert [repair.first for repair in log.repairs] == ["line 4", "line 2", "line 3"]
    np.testing.assert_array_equal(log.loss, [0.5, 0.4])


def test_one_record_is_a_log_of_one_point(tmp_path):
    assert read(tmp_path, '{"step": 7, "loss": 0.5}\n').step.tolist() == [7]


# --- Numbers, MLflow ---


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("\n".join(map(str, LOSSES)), "row"),
        ("loss\n" + "\n".join(map(str, LOSSES)), "row"),
        ("# step loss\n" + "\n".join(f"{i} {loss}" for i, loss in enumerate(LOSSES)), "step"),
        ("\n".join(f"{i} {loss} 0.1" for i, loss in enumerate(LOSSES)), "step"),
        ("\n".join(f"{1_700_000_000_000 + i} {loss} {i}" for i, loss in enumerate(LOSSES)), "step"),
    ],
)
def test_bare_numbers(tmp_path, text, unit):
    log = read(tmp_path, text, "losses.txt")
    np.testing.assert_array_equal(log.loss, LOSSES)
    assert log.step_unit == unit


def test_bare_numbers_cut_and_broken(tmp_path):
    lines = [f"{i} {loss}" for i, loss in enumerate(LOSSES)]
    assert kinds(read(tmp_path, "\n".join([*lines, "20"]))) == ["truncated"]
    assert kinds(read(tmp_path, "\n".join([*lines[:9], "oops", *lines[9:]]) + "\n")) == ["unreadable row"]


def mlflow_run(folder, *, last=""):
    metrics = folder / "metrics"
    (metrics / "val").mkdir(parents=True)
    lines = [f"{1_700_000_000_000 + i} {loss} {i}" for i, loss in enumerate(LOSSES)]
    (metrics / "train_loss").write_text("\n".join(lines) + "\n" + last)
    (metrics / "val" / "loss").write_text("\n".join(lines) + "\nwhat\n")
    (metrics / "empty").write_text("")
    (metrics / "README").write_text("no metric")
    return folder


def test_mlflow_run(tmp_path):
    run = mlflow_run(tmp_path / "run", last="17000")
    for named in (run, run / "metrics"):
        log = read_log(str(named))
        assert (log.format, log.column("loss"), log.column("val_loss")) == ("mlflow", "train_loss", "val/loss")
        np.testing.assert_array_equal(log.val_loss, LOSSES)
        assert kinds(log) == ["truncated", "unreadable row"]


# --- Printed text ---

PRINTED = {
    "steps": (lambda i, loss: f"step {i} loss: {loss} lr: 1e-3\n", "step"),
    "bracket": (lambda i, loss: f"[{i}] train loss={loss}\n", "step"),
    "epochs": (lambda i, loss: f"Epoch {i}/20 ... - loss: {loss} - val_loss: 0.6\n", "epoch"),
    "two lines": (lambda i, loss: f"Epoch {i}\n  train loss: {loss}\n  val loss: 0.6\n", "epoch"),
    "nanoGPT": (lambda i, loss: f"iter {i}: loss {loss}, time 23.4ms, mfu 12.3%\n", "step"),
    "scikit-learn": (lambda i, loss: f"Iteration {i}, loss = {loss}\n", "step"),
    "dict": (lambda i, loss: f"{{'loss': {loss}, 'learning_rate': 1e-05, 'epoch': {i}}}\n", "epoch"),
    "quoted": (lambda i, loss: f"{{'loss': '{loss}', 'epoch': '{i}'}}\n", "epoch"),
    "logging": (lambda i, loss: f"10:00:00,123 INFO a.py:5 - epoch=0 step={i} loss={loss} grad_norm=2\n", "step"),
    "LightGBM": (lambda i, loss: f"[{i}]\ttraining's binary_logloss: {loss}\tvalid_1's binary_logloss: 0.6\n", "step"),
    "XGBoost": (lambda i, loss: f"[{i}]\ttrain-rmse:{loss}\teval-rmse:0.6\n", "step"),
    "fairseq": (lambda i, loss: f"INFO | epoch 001: {i} / 3000 loss={loss}, num_updates={i}, gnorm=2.3\n", "step"),
    "tensor": (lambda i, loss: f"step {i} loss tensor({loss})\n", "step"),
}  # fmt: skip


@pytest.mark.parametrize("style", PRINTED)
def test_printed_lines(tmp_path, style):
    line, unit = PRINTED[style]
    log = read(tmp_path, "hello\n" + "".join(line(i, loss) for i, loss in enumerate(LOSSES)) + "done\n", "out.txt")
    assert (log.format, log.step_unit) == ("text", unit)
    np.testing.assert_array_equal(log.step, np.arange(20))
    np.testing.assert_array_equal(log.loss, LOSSES)
    assert log.repairs == ()


def test_printed_nan_diverges(tmp_path):
    log = read(tmp_path, "step 1 loss: 0.5\nstep 2 loss: nan\nstep 3 loss: inf\n", "out.txt")
    np.testing.assert_array_equal(log.nonfinite_steps, [2, 3])


@pytest.mark.parametrize(
    "line",
    [
        "\rEpoch {e}:  45%|████      | {b}/100 [00:10<00:12,  4.50it/s, loss={loss}, v_num=0]",
        "[{e},  {b}] loss: {loss}\n",
        "Epoch [{e}/5], Step [{b}/600], Loss: {loss}\n",
        "Train Epoch: {e} [{b}/60000 (1%)]\tLoss: {loss}\n",
        "epoch {e} step {b} loss {loss}\n",
    ],
)
def test_steps_within_epochs_are_put_one_after_another(tmp_path, line):
    losses = iter(np.tile(LOSSES[:10], 2))
    text = "".join(line.format(e=e, b=b, loss=next(losses)) for e in (1, 2) for b in range(10, 110, 10))
    log = read(tmp_path, text, "out.txt")
    np.testing.assert_array_equal(log.step, np.arange(10, 210, 10))
    np.testing.assert_array_equal(log.loss, np.tile(LOSSES[:10], 2))
    assert log.repairs == ()
    assert "starts anew in each epoch" in log.notes[-1]


def test_keras_bars_count_once_an_epoch(tmp_path):
    text = "".join(
        f"Epoch {e}/3\n"
        + "".join(
            f"\b\b\b\r\x1b[1m{b}/10\x1b[0m \x1b[32m━━━\x1b[0m \x1b[1m0s\x1b[0m 5ms/step - loss: 9" for b in range(1, 10)
        )
        + f"\b\b\r10/10 [==========] - 0s 5ms/step - loss: {1 / e} - val_loss: 0.7\n"
        for e in (1, 2, 3)
    )
    log = read(tmp_path, text, "out.txt")
    assert (log.step_unit, log.step.tolist(), log.loss.tolist()) == ("epoch", [1, 2, 3], [1, 1 / 2, 1 / 3])


def test_summary_of_an_epoch_is_no_point_of_the_curve(tmp_path):
    text = "".join(f"epoch 1 step {i} loss {loss}\n" for i, loss in enumerate(LOSSES)) + "loss 5.0 val_loss 0.7\n"
    log = read(tmp_path, text, "out.txt")
    np.testing.assert_array_equal(log.loss, LOSSES)
    assert log.val_loss[-1] == 0.7


# --- Directories, names, standard input ---


def test_directory_of_a_version_and_of_checkpoints(tmp_path):
    for number in (2, 10):
        folder = tmp_path / "out" / f"checkpoint-{number}"
        folder.mkdir(parents=True)
        (folder / "trainer_state.json").write_text(json.dumps({"log_history": [{"step": number, "loss": 0.5}]}))
    log = read_log(str(tmp_path / "out"))
    assert log.step.tolist() == [10]
    assert log.notes[0] == "checkpoint-10 is a directory: trainer_state.json in it was read"


def test_directory_with_one_likely_file(tmp_path):
    written(tmp_path, table(enumerate(LOSSES)), "mine.csv")
    written(tmp_path, "notes", "README")
    assert len(read_log(str(tmp_path)).loss) == 20


def test_directory_without_a_log(tmp_path):
    (tmp_path / "a" / "metrics").mkdir(parents=True)
    with pytest.raises(DataError, match="is a directory without a log in it"):
        read_log(str(tmp_path))


def test_pattern_of_one_file(tmp_path):
    written(tmp_path, table(enumerate(LOSSES)), "a.csv")
    assert len(read_log(f"{tmp_path}/*.csv").loss) == 20
    written(tmp_path, "x", "b.csv")
    with pytest.raises(DataError, match="2 files match, and a log is one run"):
        read_log(f"{tmp_path}/*.csv")
    with pytest.raises(DataError, match="no file matches"):
        read_log(f"{tmp_path}/*.tsv")


@dataclass
class Piped:
    buffer: io.BytesIO
    is_terminal: bool = False

    def isatty(self):
        return self.is_terminal


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Piped(io.BytesIO(table(enumerate(LOSSES)).encode())))
    log = read_log("-")
    assert (log.name, log.path) == ("standard input", "-")
    np.testing.assert_array_equal(log.loss, LOSSES)
    monkeypatch.setattr(sys, "stdin", Piped(io.BytesIO(b"")))
    with pytest.raises(DataError, match="standard input is empty"):
        read_log("-")
    monkeypatch.setattr(sys, "stdin", Piped(io.BytesIO(b""), is_terminal=True))
    with pytest.raises(UsageError, match="terminal"):
        read_log("-")
    monkeypatch.setattr(sys, "stdin", Piped(io.BytesIO(b"12345678")))
    monkeypatch.setattr("lrfind.logs.opened.MAX_COPY_BYTES", 4)
    with pytest.raises(DataError, match="standard input is longer"):
        read_log("-")


REFUSED = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\n", "is blank"),
    "header only": (b"step,loss,lr\n", "no rows of data"),
    "header of one": (b"loss\n", "no data|known format"),
    "header and a cut row": (b"step,loss,lr\n1,2", "no whole row"),
    "no loss": (b"step,accuracy\n1,2\n2,3\n", "nothing in it looks like a training loss"),
    "validation alone": (b"step,val_loss\n1,2\n2,3\n", "no training loss"),
    "no values": (b"step,loss\n1,\n2,\n", "no data"),
    "words for losses": (b"step,loss\n1,abc\n2,def\n", "no data"),
    "another width": (b"step,loss,lr\n" + b"1,2\n" * 5 + b"1,2,3\n", "expected|known format|loss"),
    "random": (bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)), "binary and of no known format"),
    "pickle": (b"\x80\x04\x95\x10\x00", "pickle"),
    "parquet": (b"PAR1....", "Parquet"),
    "picture": (b"\x89PNG\r\n", "PNG"),
    "prose": (b"Dear all,\nnothing was lost.\n", "not of a known format"),
    "deep": (b"[" * 200_000, "nested too deep"),
    "deep object": (b'{"a":' * 100_000, "nested too deep|not valid JSON"),
    "other JSON": (b'{"hello": [1, {"loss": "x"}]}', "is JSON but not a log"),
    "empty array": (b"[]", "is JSON but not a log"),
    "empty history": (b'{"log_history": []}', "log_history is empty"),
    "cut JSON": (b'{"log_history": [{"loss": 0.5, "st', "is cut off"),
    "broken JSON": (b'{"log_history": [{"loss": 0.5,, }]}', "is not valid JSON"),
    "no JSON lines": (b'{"loss": 0.5}\n{"lo\n{"lo\n{"lo\n{}\n', "line 2: this is not valid JSON"),
    "cut gzip": (gzip.compress(b"step,loss\n1,2\n" * 99)[:-9], "truncated"),
    "validation printed": (b"step 1 val loss: 0.5\nstep 2 val loss: 0.4\n", "no line tells of a training loss"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_log_is_refused_in_one_sentence(tmp_path, case):
    content, why = REFUSED[case]
    with pytest.raises(LrfindError, match=why) as caught:
        read(tmp_path, content, "log")
    message = str(caught.value)
    assert len(message) <= 300
    assert message.isprintable()


def test_names_are_shown_safely_and_messages_stay_short(tmp_path):
    wide = ",".join(f"\x1b[31m{'x' * 90}{i}" for i in range(50))
    name = "\x1b[2J" + "n" * 150 + ".csv"
    with pytest.raises(DataError) as caught:
        read(tmp_path, f"{wide}\n{','.join('1' * 50)}\n{','.join('2' * 50)}\n", name)
    assert len(str(caught.value)) <= 300
    assert str(caught.value).isprintable()


def test_missing_file_and_url_and_json_too_big(tmp_path, monkeypatch):
    written(tmp_path, "x", "train.csv")
    with pytest.raises(DataError, match=r"no such file; did you mean 'train\.csv'"):
        read_log(str(tmp_path / "trian.csv"))
    with pytest.raises(UsageError, match="URL"):
        read_log("https://example.org/log.csv")
    for name in ("", "a\0b"):
        with pytest.raises(UsageError):
            read_log(name)
    monkeypatch.setattr("lrfind.logs.opened.MAX_JSON_BYTES", 10)
    with pytest.raises(DataError, match="JSON document"):
        read(tmp_path, json.dumps(list(LOSSES)))


def test_name_longer_than_the_system_allows(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_log(str(tmp_path / ("n" * 300)))


def test_a_line_without_end_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("lrfind.logs.opened.MAX_LINE_BYTES", 50)
    log = read(tmp_path, "step 1 loss: 0.5\n" + "x" * 1000 + "\nstep 2 loss: 0.4\n", "out.txt")
    assert log.loss.tolist() == [0.5, 0.4]


def test_words_beside_the_numbers_are_no_damage(tmp_path):
    lines = [json.dumps({"mode": "train", "step": i, "loss": loss}) for i, loss in enumerate(LOSSES)]
    assert read(tmp_path, "\n".join(lines)).repairs == ()


def test_too_many_names(tmp_path, monkeypatch):
    monkeypatch.setattr("lrfind.logs.readings.MAX_SERIES", 3)
    with pytest.raises(DataError, match="different names of values"):
        read(tmp_path, json.dumps({"loss": 1, "a": 1, "b": 2, "c": 3}) + "\n")


def test_readers_are_named_apart():
    assert len({reader.format for reader in READERS}) == len(READERS)
