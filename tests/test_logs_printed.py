"""Printed logs of the layouts people really write: what is in the lines comes back, and nothing of our own making."""

from __future__ import annotations

import json

import numpy as np
import pytest
from printed_logs import COUNTERS, LAYOUTS, LOSS, LR, VAL, N, rows, within

from lrfind.errors import DataError
from lrfind.logs import read_log


def read(tmp_path, text, name="out.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return read_log(str(path))


@pytest.mark.parametrize("layout", COUNTERS)
def test_steps_come_from_epoch_and_iteration(tmp_path, layout):
    log = read(tmp_path, rows(lambda k: COUNTERS[layout](*within(k), k)))
    assert log.loss.tolist() == LOSS
    assert log.step.tolist() == [10 * k for k in range(N)]
    assert log.repairs == ()
    if log.lr is not None:
        assert log.lr.tolist() == LR
    assert (log.lr is not None) == ("lr" in COUNTERS[layout](0, 0, 0) or "学习率" in COUNTERS[layout](0, 0, 0))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_read_as_it_was_meant(tmp_path, layout):
    want = LAYOUTS[layout]
    log = read(tmp_path, want.text)
    given = ~np.isnan(log.loss)
    np.testing.assert_allclose(log.loss[given], want.loss, atol=1e-9)
    assert (log.step[given][0], log.step[given][-1], log.step_unit) == (*want.steps, want.unit)
    if want.lr:
        np.testing.assert_allclose(log.lr[given], LR, rtol=1e-3)
    assert (0 if log.val_loss is None else np.isfinite(log.val_loss).sum()) == want.n_val
    assert log.repairs == ()


def test_each_row_of_the_loss_is_told_where_it_stands_beside_epochs(tmp_path):
    log = read(tmp_path, LAYOUTS["the finer of two series"].text)
    assert log.notes == (
        "training loss: the 60 values of 'loss' were used, not the 3 of 'loss' (line 21), which are fewer",
    )


def test_a_run_that_starts_anew_is_told_and_the_last_is_read(tmp_path):
    first = "".join(f"epoch {k // 10} loss {LOSS[k]}\n" for k in range(N))
    log = read(tmp_path, first + "".join(f"epoch 0 loss {LOSS[k]}\n" for k in range(4)))
    assert log.loss.tolist() == LOSS[:4]
    assert "the file holds 2 runs, one after another: the last of them, from line 61 on" in " ".join(log.notes)
    assert [(run.first, run.n_points, run.is_judged) for run in log.runs] == [
        ("line 1", 60, False), ("line 61", 4, True)
    ]  # fmt: skip
    assert "resumed" not in " ".join([*log.notes, *(repair.sentence for repair in log.repairs)])


def test_a_run_of_held_out_losses_alone_stays_apart(tmp_path):
    text = "".join(f"epoch {k} train loss {LOSS[k]} dev loss {VAL[k]}\n" for k in range(5))
    log = read(tmp_path, text + "".join(f"epoch {k} dev loss {VAL[k] + 1}\n" for k in range(N)))
    assert log.loss.tolist() == LOSS[:5]
    assert log.val_loss.tolist() == VAL[:5]
    assert [(run.n_points, run.is_judged) for run in log.runs] == [(5, True), (0, False)]


def test_a_run_that_goes_on_is_resumed(tmp_path):
    steps = [*range(50), *range(40, N)]
    log = read(tmp_path, "".join(f"step {k} loss {LOSS[k]}\n" for k in steps))
    assert log.loss.tolist() == LOSS
    assert log.runs == ()
    assert "resumed once" in log.repairs[0].sentence


def test_a_run_that_comes_back_with_the_loss_of_a_beginning_is_another(tmp_path):
    steps = [(k, LOSS[k]) for k in range(N)] + [(k + 1, LOSS[k]) for k in range(50)]
    log = read(tmp_path, "".join(f"step {k} loss {loss}\n" for k, loss in steps))
    assert log.loss.tolist() == LOSS[:50]
    assert len(log.runs) == 2


def test_zeros_that_stand_for_not_validated_are_no_losses(tmp_path):
    text = "epoch,loss,val_loss\n" + "".join(f"{k},{LOSS[k]},{0 if k < N - 1 else 0.9}\n" for k in range(N))
    log = read(tmp_path, text, "log.csv")
    assert np.isfinite(log.val_loss).sum() == 1
    assert "59 values of 'val_loss' are exactly 0, which stands for not validated" in log.notes[-1]


def test_a_held_out_loss_that_reaches_zero_stays(tmp_path):
    falling = [round(2 * 0.7**k, 4) for k in range(N)]
    text = "epoch,loss,val_loss\n" + "".join(f"{k},{LOSS[k]},{falling[k]}\n" for k in range(N))
    assert np.isfinite(read(tmp_path, text, "log.csv").val_loss).sum() == N


@pytest.mark.parametrize("order", ["loss first", "step first"])
@pytest.mark.parametrize("separator", [" ", "\t", ","])
def test_of_two_bare_columns_the_rising_one_is_the_step(tmp_path, order, separator):
    pairs = [(LOSS[k], k * 10) if order == "loss first" else (k * 10, LOSS[k]) for k in range(N)]
    log = read(tmp_path, "".join(f"{a}{separator}{b}\n" for a, b in pairs), "losses.txt")
    assert log.loss.tolist() == LOSS
    assert log.step.tolist() == [10 * k for k in range(N)]


@pytest.mark.parametrize("is_one_line", [True, False])
def test_nan_in_another_loss_is_told(tmp_path, is_one_line):
    between = ", " if is_one_line else "\n"
    log = read(tmp_path, rows(lambda k: f"step {k} loss: {LOSS[k]}{between}mean_loss: {'nan' if k > 30 else 9.9}\n"))
    assert log.loss.tolist() == LOSS
    assert any("'mean_loss' is NaN or infinite in 29 of 60 lines" in note for note in log.notes)


@pytest.mark.parametrize(
    "name",
    [
        "训练Loss",
        "Verlust",
        "Trainingsverlust",
        "perte",
        "pérdida",
        "損失",
        "потери",
        "perda",
        "손실",
        "Perte d'entraînement",
    ],
)
def test_losses_in_other_languages(tmp_path, name):
    log = read(tmp_path, rows(lambda k: f"Epoch {k}: {name}: {LOSS[k]}\n"))
    assert log.loss.tolist() == LOSS
    assert log.step_unit == "epoch"


@pytest.mark.parametrize("name", ["L.r.", "x/lr0", "optim0_lr0", "base_lr", "learning rate", "Lernrate", "lr"])
def test_names_of_the_rate(tmp_path, name):
    log = read(tmp_path, rows(lambda k: f"step {k} loss {LOSS[k]} {name} {LR[k]}\n"))
    assert log.lr.tolist() == LR


def test_the_parts_that_yolo_prints_are_summed(tmp_path):
    head = "      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size\n"
    text = "".join(
        head
        + "".join(
            f"\r      {k + 1}/{N}      2.1G {LOSS[k] + (7 - b):>10.4f} {0.25:>10} {0.125:>10} {12:>10} {640:>10}: "
            f"{b * 12}%|███       | {b}/8 [00:00<00:01,  7.8it/s]"
            for b in range(1, 8)
        )
        + "\n                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): "
        "100%|██| 4/4 [00:01<00:00]\n"
        "                   all        128        929      0.64      0.537      0.605      0.446\n\n"
        for k in range(N)
    )
    log = read(tmp_path, text)
    np.testing.assert_allclose(log.loss, np.array(LOSS) + 0.375)
    assert (log.step_unit, log.step[0], log.step[-1]) == ("epoch", 1, N)
    assert log.column("loss") == "box_loss + cls_loss + dfl_loss"
    assert "what is optimised is the sum of the parts" in log.notes[0]


def test_the_parts_of_ultralytics_results_are_summed(tmp_path):
    head = "epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,mAP50(B),"
    head += "val/box_loss,val/cls_loss,val/dfl_loss,lr/pg0\n"
    log = read(
        tmp_path, rows(lambda k: f"{k + 1},{k},{LOSS[k]},0.25,0.125,0.5,{VAL[k]},0.5,0.5,{LR[k]}\n", head), "r.csv"
    )
    np.testing.assert_allclose(log.loss, np.array(LOSS) + 0.375)
    np.testing.assert_allclose(log.val_loss, np.array(VAL) + 1)
    assert log.lr.tolist() == LR
    assert len([note for note in log.notes if "sum of the parts" in note]) == 2
    assert not any("also there" in note for note in log.notes)


def test_parts_beside_their_total_are_not_summed(tmp_path):
    log = read(
        tmp_path,
        rows(lambda k: f"{k},{LOSS[k]},0.25,0.125\n", "epoch,train/loss,train/box_loss,train/cls_loss\n"),
        "r.csv",
    )
    assert log.loss.tolist() == LOSS


def test_a_refusal_quotes_a_line_and_says_what_was_looked_for(tmp_path):
    with pytest.raises(DataError) as caught:
        read(tmp_path, "starting\nepoch 1 accuracy 0.5\nepoch 2 accuracy 0.6\n")
    assert "line 2 is 'epoch 1 accuracy 0.5'" in str(caught.value)
    assert "named loss, cost" in str(caught.value)


@pytest.mark.parametrize(
    ("names", "nature"),
    [
        (("Loss_D", "Loss_G"), "adversarial"), (("D loss", "G loss"), "adversarial"), (("loss", "val_loss"), None),
        (("policy_loss", "value_loss", "loss"), "reinforcement"), (("LossPi", "LossV"), "reinforcement"),
        (("loss", "loss_box_reg", "loss_cls"), None), (("generator_loss",), None),
    ],
)  # fmt: skip
def test_training_that_its_losses_do_not_tell_of_is_known_by_their_names(tmp_path, names, nature):
    printed = rows(lambda k: f"step {k} " + ", ".join(f"{name}: {LOSS[k]}" for name in names) + "\n")
    assert read(tmp_path, printed).nature == nature
    table = ",".join(["step", *names]) + "\n" + rows(lambda k: f"{k}" + f",{LOSS[k]}" * len(names) + "\n")
    assert read(tmp_path, table, "log.csv").nature == nature


def test_the_older_tables_of_yolo(tmp_path):
    text = rows(
        lambda k: (
            "\n     Epoch   gpu_mem       box       obj       cls     total    labels  img_size\n"
            f"\r     {k}/59      1.2G   0.03   0.05   0.02   {LOSS[k]:.4f}    20    640: 100%|####| 8/8 [00:01<00:00]\n"
            "               Class      Images      Labels           P           R      mAP@.5\n"
            "                 all         128         929       0.7       0.6       0.7\n"
        )
    )
    log = read(tmp_path, text)
    assert (log.loss.tolist(), log.step_unit, log.column("loss")) == (LOSS, "epoch", "total loss")


def test_losses_of_basicsr(tmp_path):
    log = read(
        tmp_path,
        rows(
            lambda k: f"INFO: [train..] <epoch:  0, iter:{100 * (k + 1):>8,}, lr:{LR[k]:.3e}> l_pix: {LOSS[k]:.4e} \n"
        ),
    )
    np.testing.assert_allclose(log.loss, LOSS)
    assert log.step.tolist() == [100 * (k + 1) for k in range(N)]


def drawn(epochs, *, head="", foot=""):
    """A bar that shows a loss before it counts it, and so the last of an epoch once more, when it is full."""
    text = ""
    for e in range(epochs):
        text += head.format(e=e)
        for b in range(10):
            loss = LOSS[e * 10 + b]
            for n in (b, b + 1):
                text += f"\r  Train: {n * 10}%|##  | {n}/10 [00:01<00:02, 4.07it/s, loss={loss}]"
        text += "\n" + foot.format(e=e)
    return text


@pytest.mark.parametrize("words", [{"head": "[fold_0] epoch {e}\n"}, {"foot": "[Epoch {e}/6] done\n"}, {}])
def test_a_bar_that_shows_a_loss_before_it_counts_it(tmp_path, words):
    log = read(tmp_path, drawn(6, **words))
    assert log.loss.tolist() == LOSS
    assert log.step.tolist() == list(range(N))
    assert log.repairs == ()


def test_lines_that_two_loggers_print_are_one_point_each(tmp_path):
    log = read(
        tmp_path,
        rows(
            lambda k: f"INFO:tensorflow:step {k} loss {LOSS[k]}\nI1212 15:10:30.9 7 t.py:3] step {k} loss {LOSS[k]}\n"
        ),
    )
    assert log.loss.tolist() == LOSS
    assert log.repairs == ()
    assert [(each.count, each.why) for each in log.passed] == [(60, "the same line again")]


def test_a_phase_that_is_logged_coarser_is_another_run(tmp_path):
    first = rows(lambda k: f"epoch {k} loss {LOSS[k]}\n")
    log = read(tmp_path, first + "".join(f"epoch {k} loss {0.1 + 1 / k}\n" for k in range(10, 110, 10)))
    assert log.step.tolist() == list(range(10, 110, 10))
    assert len(log.runs) == 2


def test_records_below_settings_that_are_one_too(tmp_path):
    settings = '{\n  "model": {"width": 64},\n  "run": {"epochs": 60}\n}\n'
    log = read(
        tmp_path, rows(lambda k: f'{{"train_lr": "{LR[k]}", "train_loss": "{LOSS[k]}"}}\n{{"bleu": 0.1}}\n', settings)
    )
    assert log.loss.tolist() == LOSS
    np.testing.assert_allclose(log.lr, LR)


@pytest.mark.parametrize("is_folder", [True, False])
def test_what_catboost_writes(tmp_path, is_folder):
    iterations = [
        {"learn": [LOSS[k], 0.5], "iteration": k, "passed_time": 0.1, "test": [VAL[k], 0.6]} for k in range(N)
    ]
    path = tmp_path / "catboost_training.json"
    path.write_text(json.dumps({"meta": {"name": "experiment"}, "iterations": iterations}))
    (tmp_path / "learn_error.tsv").write_text("iter\tLogloss\n" + rows(lambda k: f"{k}\t{LOSS[k]}\n"))
    (tmp_path / "time_left.tsv").write_text("iter\tPassed\tRemaining\n" + rows(lambda k: f"{k}\t1\t2\n"))
    log = read_log(str(tmp_path if is_folder else path))
    assert (log.loss.tolist(), log.val_loss.tolist(), log.step.tolist()) == (LOSS, VAL, list(range(N)))


def test_the_table_that_stable_baselines_writes(tmp_path):
    head = "rollout/ep_rew_mean,time/fps,time/iterations,time/total_timesteps,"
    head += "train/learning_rate,train/loss,train/value_loss\n"
    first = "22.5,900,1,2048,,,\n"
    text = head + first + rows(lambda k: f"22.5,900,{k + 2},{2048 * (k + 2)},{LR[k]},{LOSS[k]},7.5\n")
    log = read(tmp_path, text, "progress.csv")
    assert (log.loss[~np.isnan(log.loss)].tolist(), log.step[-1], log.lr[-1]) == (LOSS, 2048 * 61, LR[-1])


@pytest.mark.parametrize(
    "cost", ["Cost: 12.5 s/epoch", "cost 12.5s", "Time cost 12.5", "cost time: 12.5", "Cost: 3.5 min"]
)
def test_what_an_epoch_costs_is_no_loss(tmp_path, cost):
    log = read(tmp_path, rows(lambda k: f"epoch {k}: train_mse {LOSS[k]}\n{cost}\n"))
    assert log.loss.tolist() == LOSS


def test_a_coarser_counter_of_steps_is_the_epoch(tmp_path):
    log = read(tmp_path, rows(lambda k: f"iteration:{k // 10 + 1} step:{k % 10 * 100}/1000, NER loss: {LOSS[k]}\n"))
    assert log.step.tolist() == [100 * k for k in range(N)]
    assert (log.column("epoch"), log.epoch[-1]) == ("iteration", 6)


def test_prose_that_tells_of_losses_is_no_log(tmp_path):
    with pytest.raises(DataError, match="no line has a loss"):
        read(
            tmp_path, "The bank had billion in losses in 2011.\nLosses fell to 30 in 2012, and rose by 5 after 2013.\n"
        )


@pytest.mark.parametrize("n", [20, 300])
def test_names_that_hold_something_else_in_each_line_are_one(tmp_path, n):
    letters = "bdfhjkmpqz"
    names = [f"{letters[k // 100]}{letters[k // 10 % 10]}{letters[k % 10]}" for k in range(n)]
    log = read(tmp_path, "".join(f"step {k} sample {name} loss: {1 / (k + 1):.6f}\n" for k, name in enumerate(names)))
    assert log.step.tolist() == list(range(n))
    np.testing.assert_allclose(log.loss, 1 / np.arange(1, n + 1), atol=1e-6)
    assert log.column("loss") == "loss"


def test_a_program_that_names_losses_is_no_log(tmp_path):
    with pytest.raises(DataError, match=r"one line alone has a loss, and no step.*line 2 is 'box_loss = 0.0'"):
        read(tmp_path, "def loss(x):\n    box_loss = 0.0\n    return box_loss + x\n")


def test_zero_bytes_in_plain_text_are_passed_over(tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(
        rows(lambda k: f"{k + 1}: {LOSS[k]}, {LOSS[k]} avg loss, 0.001 rate, 3.2 seconds, 64 images\n\0\0\0").encode()
    )
    assert read_log(str(path)).loss.tolist() == LOSS


def test_text_in_utf_16_stays_what_it_is(tmp_path):
    path = tmp_path / "train.log"
    path.write_bytes(rows(lambda k: f"step {k} loss {LOSS[k]}\n").encode("utf-16"))
    assert read_log(str(path)).loss.tolist() == LOSS


def test_counts_modulo_the_epoch_end_at_its_total(tmp_path):
    steps = [(e, (i + 1) * 50 % 500) for e in range(6) for i in range(10)]
    log = read(
        tmp_path, "".join(f"Epoch[{e}/6]({i}/500): Loss: {loss}\n" for (e, i), loss in zip(steps, LOSS, strict=True))
    )
    assert log.step.tolist() == [50 * (k + 1) for k in range(N)]
    assert log.runs == ()


def test_a_sentence_is_no_header(tmp_path):
    log = read(
        tmp_path, rows(lambda k: f"Loss at epoch {k // 10} and iteration {k % 10 * 100} is {LOSS[k]}\n"
                       f"NCE Loss at epoch {k // 10} and iteration {k % 10 * 100} is 0.9\n")
    )  # fmt: skip
    assert log.loss.tolist() == LOSS
    assert log.step.tolist() == [100 * k for k in range(N)]
