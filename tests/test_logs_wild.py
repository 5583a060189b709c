"""Logs as they are met: odd names of columns, exports of dashboards, lines that all kinds of programs print."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from lrfind.errors import DataError
from lrfind.logs import read_log
from lrfind.logs.cells import has_decimal_comma, parsed

N = 40
LOSS = [round(0.2 + 2 * math.exp(-t / 10), 4) for t in range(N)]
VAL = [round(0.3 + 2 * math.exp(-t / 10), 4) for t in range(N)]
LR = [round(0.01 * (1 - t / N), 6) for t in range(N)]


class Wild(NamedTuple):
    """A kind of log: its text, and what else than the loss must be found in it."""

    text: str
    steps: tuple[float, float]
    unit: str = "step"
    n_val: int = 0
    n_lr: int = 0
    exact: float = 1e-9


def rows(head: str, row: Callable[[int], str]) -> str:
    return head + "".join(row(t) for t in range(N))


def german(value: float) -> str:
    return f"{value:.4f}".replace(".", ",")


TABLES = {
    "slashes": Wild(
        rows("_step,train/loss,val/loss,learning_rate/group0\n", lambda t: f"{t},{LOSS[t]},{VAL[t]},{LR[t]}\n"),
        (0, 39),
        n_val=N,
        n_lr=N,
    ),
    "capitals": Wild(
        rows("Step,Loss,Val Loss,LR\n", lambda t: f"{t},{LOSS[t]},{VAL[t]},{LR[t]}\n"), (0, 39), n_val=N, n_lr=N
    ),
    "shouted": Wild(
        rows("GLOBAL_STEP\tTRAIN_LOSS\tVALID_LOSS\n", lambda t: f"{t}\t{LOSS[t]}\t{VAL[t]}\n"), (0, 39), n_val=N
    ),
    "camel": Wild(
        rows("globalStep,trainLoss,valLoss,learningRate\n", lambda t: f"{t},{LOSS[t]},{VAL[t]},{LR[t]}\n"),
        (0, 39),
        n_val=N,
        n_lr=N,
    ),
    "short": Wild(
        rows("iter,tr_loss,va_loss,lr-Adam\n", lambda t: f"{t},{LOSS[t]},{VAL[t]},{LR[t]}\n"), (0, 39), n_val=N, n_lr=N
    ),
    "units": Wild(rows("step,loss (nats),grad norm (L2)\n", lambda t: f"{t},{LOSS[t]},1.0\n"), (0, 39)),
    "two groups": Wild(
        rows("step,loss,lr-Adam/pg1,lr-Adam/pg2\n", lambda t: f"{t},{LOSS[t]},{LR[t]},{LR[t] / 10}\n"), (0, 39), n_lr=N
    ),
    "German": Wild(
        rows("step;loss;val_loss;lr\n", lambda t: f"{t};{german(LOSS[t])};{german(VAL[t])};{german(LR[t])}\n"),
        (0, 39),
        n_val=N,
        n_lr=N,
    ),
    "German in quotes": Wild(rows('"step","loss"\n', lambda t: f'{t},"{german(LOSS[t])}"\n'), (0, 39)),
    "thousands in quotes": Wild(rows("step,loss\n", lambda t: f'"{t * 500:,}",{LOSS[t]}\n'), (0, 19_500)),
    "fractions of epochs": Wild(
        rows("epoch,loss,eval_loss\n", lambda t: f"{t / 8:.3f},{LOSS[t]},{VAL[t] if t % 8 == 7 else ''}\n"),
        (0, 4.875),
        unit="epoch",
        n_val=5,
    ),
    "blanks": Wild(rows("step loss lr\n", lambda t: f"{t} {LOSS[t]} {LR[t]}\n"), (0, 39), n_lr=N),
    "comments": Wild(rows("# run 12\n# seed 0\nstep,loss\n", lambda t: f"{t},{LOSS[t]}\n"), (0, 39)),
    "wandb": Wild(
        rows(
            '"Step","fresh-sun-3 - train/loss","fresh-sun-3 - train/loss__MIN","fresh-sun-3 - train/loss__MAX"\n',
            lambda t: f'"{t}","{LOSS[t]}","{LOSS[t] - 0.1}","{LOSS[t] + 0.1}"\n',
        ),
        (0, 39),
    ),
    "wandb over another step": Wild(
        rows(
            '"train/global_step","a - _step","a - _step__MIN","a - train/loss","a - train/loss__MIN","a - train/lr"\n',
            lambda t: f'"{t * 10}","{t}","{t}","{LOSS[t]}","0","{LR[t]}"\n',
        ),
        (0, 390),
        n_lr=N,
    ),
    "TensorBoard": Wild(rows("Wall time,Step,Value\n", lambda t: f"{1.7e9 + t},{t * 10},{LOSS[t]}\n"), (0, 390)),
    "melted": Wild(
        rows("step,metric,value\n", lambda t: f"{t},loss,{LOSS[t]}\n{t},val_loss,{VAL[t]}\n{t},lr,{LR[t]}\n"),
        (0, 39),
        n_val=N,
        n_lr=N,
    ),
    "TensorBoard's data frame": Wild(
        rows(",step,tag,value\n", lambda t: f"{2 * t},{t},Loss/train,{LOSS[t]}\n{2 * t + 1},{t},Acc/train,0.5\n"),
        (0, 39),
    ),
    "YOLO": Wild(
        rows(
            "      epoch,   train/loss,    metrics/mAP50(B),     val/loss,    lr/pg0\n",
            lambda t: f"{t + 1:>11d},{LOSS[t]:>13},{0.5:>20},{VAL[t]:>13},{LR[t]:>10}\n",
        ),
        (1, 40),
        unit="epoch",
        n_val=N,
        n_lr=N,
    ),
    "fairseq": Wild(
        rows(
            "",
            lambda t: (
                json.dumps({"epoch": 1, "update": t / 8, "loss": f"{LOSS[t]}", "num_updates": str(t), "lr": f"{LR[t]}"})
                + "\n"
            ),
        ),
        (0, 39),
        n_lr=N,
    ),
    "XGBoost's evaluations": Wild(
        json.dumps({"validation_0": {"logloss": LOSS}, "validation_1": {"logloss": VAL}}),
        (0, 39),
        unit="epoch",
        n_val=N,
    ),
    "LightGBM's evaluations": Wild(
        json.dumps({"training": {"l2": LOSS}, "valid_1": {"l2": VAL}}), (0, 39), unit="epoch", n_val=N
    ),
}


def bar(epoch: int, batch: int) -> str:
    """A progress bar of tqdm in colour."""
    return (
        f"\r\x1b[32mEpoch {epoch}:\x1b[0m {batch * 10}%|\x1b[34m███   \x1b[0m| {batch}/10 [00:01<00:01, 8.51it/s, "
        f"loss={LOSS[epoch * 10 + batch]:.4f}]"
    )


def by_epoch(line: Callable[[int, int], str], end: Callable[[int], str] = lambda _: "") -> str:
    return "".join("".join(line(e, b) for b in range(10)) + end(e) for e in range(4))


PRINTED = {
    "Transformers": Wild(
        rows(
            "Some weights were not initialized\n",
            lambda t: (
                f"{{'loss': {LOSS[t]}, 'grad_norm': 1.25, 'learning_rate': {LR[t]}, 'epoch': {t / 8:.3f}}}\n"
                + (f"{{'eval_loss': {VAL[t]}, 'eval_runtime': 1.2, 'epoch': {t / 8:.3f}}}\n" if t % 8 == 7 else "")
            ),
        ),
        (0, 4.875),
        unit="epoch",
        n_val=5,
        n_lr=N,
    ),
    "Transformers between bars": Wild(
        rows(
            "",
            lambda t: (
                f"\r {t}%|##    | {t * 10}/400 [00:01<00:02]\r        \r{{'loss': {LOSS[t]}, "
                f"'learning_rate': {LR[t]}, 'epoch': {t / 8:.3f}}}\n\r {t}%|##    | {t * 10}/400 [00:01<00:02]"
            ),
        ),
        (0, 4.875),
        unit="epoch",
        n_lr=N,
    ),
    "tqdm in colour": Wild(by_epoch(bar, lambda _: "\n"), (0, 39)),
    "Keras": Wild(
        rows(
            "",
            lambda t: (
                f"Epoch {t + 1}/{N}\n\r 1/32 [>.............] - ETA: 2s - loss: 9.5\r16/32 [=====>........] - loss: 9"
                f"\r32/32 [==============] - 1s 5ms/step - loss: {LOSS[t]} - val_loss: {VAL[t]} - lr: {LR[t]}\n"
            ),
        ),
        (1, 40),
        unit="epoch",
        n_val=N,
        n_lr=N,
    ),
    "Keras 3": Wild(
        rows(
            "",
            lambda t: (
                f"Epoch {t + 1}/{N}\n\x1b[1m 1/32\x1b[0m \x1b[37m━━━━\x1b[0m \x1b[1m2s\x1b[0m 70ms/step - loss: 9.5"
                f"\b\b\b\b\r\x1b[1m32/32\x1b[0m \x1b[32m━━━━\x1b[0m\x1b[37m\x1b[0m 5ms/step - loss: {LOSS[t]} - "
                f"val_loss: {VAL[t]} - learning_rate: {LR[t]}\n"
            ),
        ),
        (1, 40),
        unit="epoch",
        n_val=N,
        n_lr=N,
    ),
    "Lightning": Wild(
        by_epoch(
            lambda e, b: (
                f"\rEpoch {e}: {b}%|##| {b + 1}/10 [00:00<00:00, 88.1it/s, v_num=0, train_loss={LOSS[10 * e + b]}]"
            ),
            lambda e: (
                f"\rEpoch {e}: 100%|##| 10/10 [00:00<00:00, 80.1it/s, v_num=0, train_loss={LOSS[10 * e + 9]}, "
                f"val_loss={VAL[10 * e + 9]}]"
            ),
        ),
        (1, 40),
        n_val=4,
    ),
    "Lightning's bars of rich": Wild(
        by_epoch(
            lambda e, b: (
                f"\r\x1b[2K\x1b[1A\x1b[2KEpoch {e}/3  \x1b[35m━━━━━━\x1b[0m {b + 1}/10 \x1b[2m0:00:00 • 0:00:01\x1b[0m "
                f"88.1it/s \x1b[3mtrain_loss: {LOSS[10 * e + b]}\x1b[0m\n" * 3
            ),
            lambda e: f"     \x1b[3mval_loss: {VAL[10 * e + 9]}\x1b[0m\n" * 2,
        ),
        (1, 40),
        n_val=4,
    ),
    "time stamps": Wild(
        rows(
            "",
            lambda t: (
                f"2026-01-02 10:{t:02d}:07,123 - INFO - [step {t * 50}/2000] loss={LOSS[t]} lr={LR[t]} tokens/s=12345\n"
            ),
        ),
        (0, 1950),
        n_lr=N,
    ),
    "time stamps in brackets": Wild(
        rows(
            "",
            lambda t: (
                f"[2026-01-02T10:{t:02d}:07Z][rank0] epoch {t // 8} | step {t:>6d} | train_loss {LOSS[t]} | 0.85 s/it\n"
            ),
        ),
        (0, 39),
    ),
    "glog": Wild(
        rows(
            "",
            lambda t: (
                f"I0102 10:{t:02d}:07.123456 4321 train.py:88] iter {t}: loss {LOSS[t]}, time 123.4ms, mfu 12.3%\n"
            ),
        ),
        (0, 39),
    ),
    "nanoGPT": Wild(
        rows(
            "",
            lambda t: (
                (f"step {t}: train loss 9.0, val loss {VAL[t]}\n" if t % 10 == 0 else "")
                + f"iter {t}: loss {LOSS[t]}, time 123.45ms, mfu 12.34%\n"
            ),
        ),
        (0, 39),
        n_val=4,
    ),
    "evaluations of nanoGPT": Wild(
        rows("", lambda t: f"step {t}: train loss {LOSS[t]}, val loss {VAL[t]}\n"), (0, 39), n_val=N
    ),
    "XGBoost": Wild(
        rows("", lambda t: f"[{t}]\tvalidation_0-logloss:{LOSS[t]}\tvalidation_1-logloss:{VAL[t]}\n"), (0, 39), n_val=N
    ),
    "XGBoost by name": Wild(
        rows("", lambda t: f"[{t}]\ttrain-mlogloss:{LOSS[t]}\teval-mlogloss:{VAL[t]}\n"), (0, 39), n_val=N
    ),
    "CatBoost": Wild(
        rows(
            "Learning rate set to 0.03\n",
            lambda t: f"{t}:\tlearn: {LOSS[t]}\ttest: {VAL[t]}\tbest: 9.9 ({t})\ttotal: 1ms\n",
        ),
        (0, 39),
        n_val=N,
    ),
    "LightGBM": Wild(
        rows("", lambda t: f"[{t}]\ttraining's l2: {LOSS[t]}\tvalid_1's l2: {VAL[t]}\n"), (0, 39), n_val=N
    ),
    "f-string": Wild(rows("", lambda t: f"epoch {t} loss {LOSS[t]:.4f}\n"), (0, 39), unit="epoch"),
    "f-string with capitals": Wild(
        rows("", lambda t: f"Epoch [{t + 1}/{N}], Loss: {LOSS[t]}\n"), (1, 40), unit="epoch"
    ),
    "f-string of everything": Wild(
        rows("", lambda t: f"Epoch: {t:03d}, Train Loss: {LOSS[t]}, Val Loss: {VAL[t]}, LR: {LR[t]}\n"),
        (0, 39),
        unit="epoch",
        n_val=N,
        n_lr=N,
    ),
    "the first tutorial": Wild(
        by_epoch(
            lambda e, b: (
                ("" if b else f"Epoch {e + 1}\n---------\n") + f"loss: {LOSS[10 * e + b]:>7f}  [{b * 6400:>5d}/60000]\n"
            ),
            lambda e: f"Test Error: \n Accuracy: 44.7%, Avg loss: {VAL[10 * e + 9]:>8f} \n\n",
        ),
        (0, 237_600),
        n_val=4,
    ),
    "the example of MNIST": Wild(
        by_epoch(
            lambda e, b: f"Train Epoch: {e + 1} [{b * 640}/6400 ({b}%)]\tLoss: {LOSS[10 * e + b]}\n",
            lambda e: f"\nTest set: Average loss: {VAL[10 * e + 9]}, Accuracy: 9843/10000 (98%)\n\n",
        ),
        (0, 24_960),
        n_val=4,
    ),
    "the example of CIFAR": Wild(
        by_epoch(lambda e, b: f"[{e + 1}, {(b + 1) * 2000:5d}] loss: {LOSS[10 * e + b]:.3f}\n"),
        (2000, 80_000),
        exact=6e-4,
    ),
    "the example of ImageNet": Wild(
        by_epoch(
            lambda e, b: (
                f"Epoch: [{e}][{b * 10:>4d}/100]\tTime  0.1 ( 0.1)\tLoss {LOSS[10 * e + b]:.4e} (9.0e+00)\tAcc@1 12.5\n"
            )
        ),
        (0, 390),
        exact=1e-4,
    ),
    "parts in brackets": Wild(
        rows("", lambda t: f"[train] epoch {t} loss {LOSS[t]} lr {LR[t]}\n[val] epoch {t} loss {VAL[t]}\n"),
        (0, 39),
        unit="epoch",
        n_val=N,
        n_lr=N,
    ),
    "parts in a line": Wild(
        rows("", lambda t: f"Epoch {t}: train: loss={LOSS[t]} acc=0.5 | val: loss={VAL[t]} acc=0.4\n"),
        (0, 39),
        unit="epoch",
        n_val=N,
    ),
    "Megatron": Wild(
        rows(
            "",
            lambda t: (
                f" iteration {t * 100:>8d}/   50000 | consumed samples: {t * 16:>12d} | learning rate: {LR[t]:.6E} | "
                f"global batch size:    16 | lm loss: {LOSS[t]:.6E} | loss scale: 1.0 | grad norm: 1.234 |\n"
            ),
        ),
        (0, 3900),
        n_lr=N,
        exact=1e-5,
    ),
    "torchtitan": Wild(
        rows(
            "",
            lambda t: (
                f"[rank0]: INFO - \x1b[31mstep: {t:2d}  \x1b[32mloss: {LOSS[t]:7.4f}  \x1b[33mgrad_norm:  1.2345  "
                f"\x1b[34mmemory:  4.12GiB(10.00%)  \x1b[36mtps: 1,234\x1b[39m\n"
            ),
        ),
        (0, 39),
    ),
    "MLPClassifier": Wild(
        rows("", lambda t: f"Iteration {t + 1}, loss = {LOSS[t]:.8f}\nValidation score: 0.9\n"), (1, 40)
    ),
    "thousands": Wild(rows("", lambda t: f"step {t * 500:,} loss {LOSS[t]}\n"), (0, 19_500)),
    "German lines": Wild(
        rows("", lambda t: f"step {t} loss: {german(LOSS[t])} lr: {german(LR[t])}\n"), (0, 39), n_lr=N
    ),
}


@pytest.mark.parametrize("kind", [*TABLES, *PRINTED])
def test_a_log_in_the_wild_is_read_as_it_was_meant(tmp_path, kind):
    wild = {**TABLES, **PRINTED}[kind]
    path = tmp_path / "log.txt"
    path.write_text(wild.text, encoding="utf-8", newline="")
    log = read_log(str(path))
    given = np.isfinite(log.loss)
    np.testing.assert_allclose(log.loss[given], LOSS, atol=wild.exact, rtol=0)
    assert (log.step[0], log.step[-1], log.step_unit) == (*wild.steps, wild.unit)
    for values, expected, n in ((log.val_loss, VAL, wild.n_val), (log.lr, LR, wild.n_lr)):
        known = np.empty(0) if values is None else values[np.isfinite(values)]
        assert len(known) == n
        if n == N:
            np.testing.assert_allclose(known, expected, atol=5.1e-5, rtol=0)
    assert log.repairs == ()


def test_an_export_of_tensorboard_that_is_no_loss_is_refused(tmp_path):
    path = tmp_path / "run-train-tag-epoch_accuracy.csv"
    path.write_text(TABLES["TensorBoard"].text)
    with pytest.raises(DataError, match="nothing in it looks like a training loss"):
        read_log(str(path))


def test_what_a_table_with_a_row_a_value_holds_is_said(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(TABLES["melted"].text)
    assert read_log(str(path)).notes == ("its rows hold one value each, named in 'metric': 'loss', 'val_loss', 'lr'",)


def test_a_column_called_name_beside_a_loss_is_no_table_of_values(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(rows("name,step,loss,value\n", lambda t: f"run,{t},{LOSS[t]},7\n"))
    np.testing.assert_array_equal(read_log(str(path)).loss, LOSS)


@pytest.mark.parametrize(
    ("texts", "is_decimal"),
    [
        (["0,5"], True), (["0,125", "1,250"], True), (["1,250", "12,000"], False), (["1,234.5"], False),
        (["abc,1"], False),
        ([], False),
    ],
)  # fmt: skip
def test_commas_before_decimals_are_told_from_those_before_thousands(texts, is_decimal):
    assert has_decimal_comma(texts) == is_decimal


@pytest.mark.parametrize(
    ("text", "decimal_comma", "value"),
    [("1,250", True, 1.25), ("1.250,5", True, 1250.5), ("1,250", False, 1250.0), ("1,234,567.5", False, 1234567.5)],
)
def test_numbers_with_commas(text, decimal_comma, value):
    assert parsed([text], decimal_comma=decimal_comma).values.tolist() == [value]
