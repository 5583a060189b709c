"""Which optimizer a log names, in each format, and what is no name of one."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from lrfind.errors import UsageError
from lrfind.logs import read_log
from lrfind.logs.optimizer import OptimizerReader, optimizer_of, tells_of_optimizer

LOSSES = 1 / np.arange(1, 21)
CSV = "step,loss,lr\n" + "".join(f"{i},{loss},0.1\n" for i, loss in enumerate(LOSSES))


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("AdamW", "adam"), ("torch.optim.adamw.AdamW", "adam"), ("OptimizerNames.ADAMW_TORCH", "adam"),
        ("paged_adamw_8bit", "adam"), ("FusedAdam", "adam"), ("NAdam", "adam"), ("Adamax", "adam"), ("RAdam", "radam"),
        ("RMSprop", "rmsprop"), ("RMSProp", "rmsprop"), ("Adagrad", "adagrad"), ("Lion", "lion"), ("SGD", "sgd"),
        ("sgd_momentum", "momentum"), ("SGD with Nesterov momentum", "momentum"),
        ("SGD(lr=0.1, momentum=0.9)", "momentum"), ("SGD(lr=0.1, momentum=0)", "plain sgd"),
        ("Adam(lr=0.1, momentum=0.9)", "adam"), ("adafactor", None), ("Adadelta", None), ("lamb", None), ("", None),
        ("million", None), ("dandelion", None), ("madam", None), ("MuonWithAuxAdam", None), ("DAdaptAdam", None),
        ("muon+adamw", None), ("adam or sgd", None), ("DeepSpeedCPUAdam", "adam"), ("Adam8bit", "adam"),
        ("SGD(lr=0.01, nesterov=False)", "sgd"), ("SGD(lr=0.01, nesterov=True)", "momentum"),
        ("SGD without momentum", "plain sgd"), ("SGD, momentum=None", "sgd"), ("momentum", "momentum"),
        ("dict(amsgrad=False, type='SGD')", "sgd"), ("<keras.optimizers.Adam object at 0x7f>", "adam"),
    ],
)  # fmt: skip
def test_names_mean_kinds(name, optimizer):
    assert optimizer_of(name) == optimizer


@pytest.mark.parametrize(
    ("line", "optimizer"),
    [
        ("optimizer: AdamW", "adam"), ("python train.py --optim=adamw_torch --lr 1e-3", "adam"),
        ("train.py --optimizer sgd --momentum 0.9", "momentum"), ("train.py --optimizer sgd", "sgd"),
        ("  optimizer .................. adam", "adam"),
        ("Namespace(opt='sgd', bn_momentum=0.1, momentum=0.0)", "plain sgd"),
        ("Namespace(opt='sgd', bn_momentum=0.1, momentum=0.9)", "momentum"),
        ("optimizer = torch.optim.Adam(params)", "adam"),
        ("optimizer=dict(type='SGD', lr=0.1, nesterov=True)", "momentum"),
        ("optimizer: AdamW(lr=0.000714, momentum=0.9) with parameter groups 57 weight(decay=0.0)", "adam"),
        ("optimizer='lamb', optimizer_adam_beta=0.9", None), ("optimizer momentum: 0.9", None),
        ("  --optimizer OPTIMIZER  adam or sgd (default: sgd)", None), ("Optimizer step took 3 s", None),
        ("we adopted adam's idea", None), ("options.adam=false", None), ("Adam (the first)", None),
        ("3 billion tokens in 2 million optimizer steps", None), ("Reviewed by Adam (", None),
        ("Warning: not using the Adam optimizer", None), ("optimizer_steps_million: 3", None),
    ],
)  # fmt: skip
def test_printed_lines_name_it(line, optimizer):
    reader = OptimizerReader()
    if tells_of_optimizer(line):
        reader.take_line(line, where="line 1")
    assert (reader.told and reader.told.optimizer) == optimizer


def test_lines_made_to_take_long_take_no_time():
    reader = OptimizerReader()
    began = time.perf_counter()
    for line in (
        "adam" * 1000 + " opt",
        "opt" + " " * 4000 + "x",
        "opt: " * 800,
        "optimizer " * 400,
        "o" * 4000 + " (",
    ):
        for _ in range(200):
            reader.take_line(line, where="line 1")
            tells_of_optimizer(line)
    assert time.perf_counter() - began < 2


def printed(*before):
    return "\n".join([*before, *(f"step {i} loss: {loss} lr: 0.1" for i, loss in enumerate(LOSSES))]) + "\n"


def torch_repr(momentum):
    return ("SGD (", "Parameter Group 0", "    lr: 0.1", f"    momentum: {momentum}", "    nesterov: False", ")")


LOGS = {
    "nothing": ("log.csv", CSV, (None, None)),
    "a column": ("log.csv", CSV.replace("loss,lr", "loss,lr,optimizer").replace(",0.1\n", ",0.1,AdamW\n"),
                 ("adam", "optimizer")),
    "Lightning": ("log.csv", CSV.replace(",lr", ",lr-RMSprop/pg1"), ("rmsprop", "lr-RMSprop/pg1")),
    "JSON lines": ("log.jsonl", "".join(
        json.dumps({"step": i, "loss": loss, "lr": 0.1, "config": {"optimizer": "SGD", "momentum": 0.9}}) + "\n"
        for i, loss in enumerate(LOSSES)), ("momentum", "config/optimizer")),
    "a configuration": ("log.jsonl", json.dumps({"config": {
        "model": {"layers": {"optimizer": 3}}, "optimizer": {"name": "sgd", "momentum": 0.9}}}) + "\n" + "".join(
        json.dumps({"step": i, "loss": loss}) + "\n" for i, loss in enumerate(LOSSES)),
        ("momentum", "config/optimizer/name")),
    "a record of its own": ("log.jsonl", json.dumps({"args": {"opt": "lion"}}) + "\n" + "".join(
        json.dumps({"step": i, "loss": loss}) + "\n" for i, loss in enumerate(LOSSES)), ("lion", "args/opt")),
    "printed": ("log.txt", printed("Training starts", "Optimizer: Adam", "later: optimizer: SGD"), ("adam", "line 2")),
    "printed by PyTorch": ("log.txt", printed(*torch_repr("0.9")), ("momentum", "line 2")),
    "printed by PyTorch, without": ("log.txt", printed(*torch_repr("0")), ("plain sgd", "line 2")),
    "printed, momentum untold": ("log.txt", printed("optimizer: sgd"), ("sgd", "line 1")),
    "a batch norm's momentum": ("log.jsonl", json.dumps({"optimizer": "SGD", "bn": {"momentum": 0.1}}) + "\n" + "".join(
        json.dumps({"step": i, "loss": loss}) + "\n" for i, loss in enumerate(LOSSES)), ("sgd", "optimizer")),
    "a run called after something else": ("log.csv", CSV.replace(",lr", ",vermilion-lantern-7 - lr"), (None, None)),
    "a column that begins with a gap": ("log.csv", CSV.replace("loss,lr", "loss,lr,optimizer").replace(
        ",0.1\n", ",0.1,nan\n", 1).replace(",0.1\n", ",0.1,AdamW\n"), ("adam", "optimizer")),
    "somebody's name": ("log.txt", printed("Reviewed by", "Adam (", "no group"), (None, None)),
    "printed in colour": ("log.txt", printed(
        "\x1b[34moptimizer:\x1b[0m 'optimizer=auto' found, ignoring 'lr0=0.01'",
        "\x1b[34moptimizer:\x1b[0m AdamW(lr=0.0007, momentum=0.9) with parameter groups"), ("adam", "line 2")),
    "printed, unknown": ("log.txt", printed("optimizer: adafactor"), (None, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", LOGS)
def test_logs_name_it(tmp_path, case):
    name, text, told = LOGS[case]
    path = tmp_path / name
    path.write_text(text)
    log = read_log(str(path))
    assert (log.optimizer, log.column("optimizer")) == told
    np.testing.assert_allclose(log.loss[np.isfinite(log.loss)], LOSSES)


def test_a_run_of_mlflow_names_it_among_its_parameters(tmp_path):
    lines = [f"{1_700_000_000_000 + i} {loss} {i}" for i, loss in enumerate(LOSSES)]
    for folder, name, text in (("metrics", "loss", "\n".join(lines)), ("params", "opt_name", "Adagrad")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    log = read_log(str(tmp_path))
    assert (log.optimizer, log.column("optimizer")) == ("adagrad", "params/opt_name")


def test_what_is_given_by_hand_holds(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(CSV.replace(",lr", ",lr-SGD"))
    assert read_log(str(path)).optimizer == "sgd"
    given = read_log(str(path), optimizer="AdamW")
    assert (given.optimizer, given.column("optimizer"), given.column("lr")) == ("adam", None, "lr-SGD")
    with pytest.raises(UsageError, match=r"--optimizer is 'lamb\\x1b', .* expected one of adam, adamw"):
        read_log(str(path), optimizer="lamb\x1b")
