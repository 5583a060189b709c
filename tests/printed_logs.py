"""Printed logs of sixty rows in the layouts people write, and what must be read from them."""

# ruff: noqa: E501 - logs have long lines

from __future__ import annotations

from typing import NamedTuple

N = 60
LOSS = [round(2 * 0.95**k + 0.5, 4) for k in range(N)]
VAL = [round(2 * 0.95**k + 0.7, 4) for k in range(N)]
LR = [round(0.01 * (1 - k / N), 7) for k in range(N)]


class Printed(NamedTuple):
    """A log, and what must be read from it."""

    text: str
    steps: tuple[float, float] = (0, N - 1)
    unit: str = "step"
    lr: bool = False
    n_val: int = 0
    loss: list[float] = LOSS


def rows(line, head="", tail=""):
    return head + "".join(line(k) for k in range(N)) + tail


def within(k):
    """Epoch and iteration of the k-th row: ten rows an epoch, one every ten iterations of a hundred."""
    return k // 10, k % 10 * 10


COUNTERS = {
    "two bars": lambda e, i, k: f"Epoch: [{e}/6] Iter [{i}/100] ‖ lr: {LR[k]} ‖ Loss: {LOSS[k]}\n",
    "ImageNet": lambda e, i, k: f"Epoch: [{e}][{i}/100]\tTime  0.1 ( 0.2)\tData  0.0 ( 0.0)\tLoss {LOSS[k]} (9.9)\tAcc@1 1 (2)\n",
    "MetricLogger": lambda e, i, k: (
        f"Epoch: [{e}]  [{i:3d}/100]  eta: 0:01:{k:02d}  lr: {LR[k]}  loss: {LOSS[k]} (9.9)  loss_ce: 0.3 (0.4)  "
        "time: 0.2345  data: 0.0123  max mem: 4321\n"
    ),
    "DCGAN": lambda e, i, k: f"[{e}/6][{i}/100]\tLoss_D: {LOSS[k]}\tLoss_G: 9.9\tD(x): 0.5\n",
    "of": lambda e, i, k: f"Epoch {e} of 6, Step {i} of 100, Loss: {LOSS[k]}\n",
    "GAN in brackets": lambda e, i, k: f"[Epoch {e}/6] [Batch {i}/100] [D loss: {LOSS[k]}] [G loss: 9.9]\n",
    "CycleGAN": lambda e, i, k: f"(epoch: {e}, iters: {i}, time: 0.1, data: 0.2) loss: {LOSS[k]} G_A: 0.3\n",
    "mmengine": lambda e, i, k: (
        f"2023/06/06 22:01:{k:02d} - mmengine - INFO - Epoch(train)  [{e}][{i:3d}/100]  lr: {LR[k]}  eta: 2:09:04  "
        f"time: 0.1898  data_time: 0.0007  memory: 5806  loss: {LOSS[k]}\n"
    ),
    "braces": lambda e, i, k: f"INFO epoch: {{{e}/6}}, step: {{{i}/100}}, loss : {{{LOSS[k]}}}, lr : {{{LR[k]}}}\n",
    "percent": lambda e, i, k: f"[train] epoch:{e} iter:{i}/100 {i}.00% lr:{LR[k]} loss:{LOSS[k]} ETA:0.1min\n",
    "full width": lambda e, i, k: f"轮次：{e}/6，批次：{i}/100，训练损失：{LOSS[k]}，学习率：{LR[k]}\n",
}  # fmt: skip


def bar(k, total=60_000):
    return f"\r  {k}%|▏    | {10 * (k + 1)}/{total} [00:{k:02d}<10:00,  1.2it/s]"


LAYOUTS = {
    "records below a bar, epochs rounded": Printed(
        rows(lambda k: bar(k) + f"\r{{'loss': {LOSS[k]}, 'learning_rate': {LR[k]}, 'epoch': 0.0}}\n"), (10, 600), lr=True
    ),
    "a tag concerns its own line": Printed(
        rows(lambda k: f"step {k} loss {LOSS[k]}\n" + (f"[valid] step {k} accuracy 0.59\n" if k % 5 == 4 else ""))
    ),
    "a tag after the name": Printed(
        rows(lambda k: f"step {k} loss {LOSS[k]}\n" + (f"step {k} - Validation: accuracy 0.59\n" if k % 5 == 4 else ""))
    ),
    "settings and checkpoints among rows": Printed(
        rows(
            lambda k: f"loss: {LOSS[k]}\n" + (f"saved checkpoint at step {k * 100}\n" if k % 6 == 5 else ""),
            "Batch: 64\nNumber of steps: 1000\nEpochs: 10\nlearning rate: 0.1\n",
        ),
        (1, 60), "row",
    ),
    "checkpoints of rows with steps": Printed(
        rows(lambda k: f"step {k} loss: {LOSS[k]}\n" + (f"Model saved at step {k}\n" if k % 6 == 5 else ""))
    ),
    "time is no loss": Printed(
        rows(
            lambda k: f"Epoch[{k}] Train-cross-entropy={LOSS[k]}\nEpoch[{k}] Time cost=114.3\n"
            f"Epoch[{k}] Validation-cross-entropy={VAL[k]}\n"
        ),
        unit="epoch", n_val=N,
    ),
    "seconds are no loss": Printed(
        rows(lambda k: f"Epoch {k} Train, Loss: {LOSS[k]}, Cost: 667.8 sec \nEpoch {k} Val, acc: 0.5, Cost 12.1 sec\n"),
        unit="epoch",
    ),
    "thousands of lines before": Printed(
        rows(lambda k: f"step {k} loss {LOSS[k]}\n", "".join(f"copying file{i}.txt, {i} of 9999 done\n" for i in range(9999)))
    ),
    "decimal comma": Printed(rows(lambda k: f"Epoch {k}: loss = {LOSS[k]:.4f}".replace(".", ",") + "\n"), unit="epoch"),
    "loss and rate on two lines": Printed(
        rows(lambda k: f"Iteration {k}, loss = {LOSS[k]}\nIteration {k}, lr = {LR[k]}\n"), lr=True
    ),
    "rate before the loss": Printed(
        rows(lambda k: f"Iteration {k}, lr = {LR[k]}\n\nIteration {k}, loss = {LOSS[k]}\n"), lr=True
    ),
    "rate of each epoch": Printed(
        rows(lambda k: (f"epoch {k // 10} lr      :\t{LR[k]}\n" if k % 10 == 0 else "") + f"step {k}: loss {LOSS[k]}\n")
    ),
    "the total of parts": Printed(
        rows(lambda k: f"step {k} loss_rmse: 9.1, loss_inv: 9.2, loss_total: {LOSS[k]}\n")
    ),
    "the loss beside its average": Printed(
        rows(lambda k: f"Iteration {k}: Loss function: {LOSS[k]}, Average Loss: 0.25\n")
    ),
    "the finer of two series": Printed(
        rows(
            lambda k: f"epoch {k // 20} step {k} loss {LOSS[k]}\n"
            + (f"Epoch {k // 20} finished: loss 9.9, val loss 9.7\n" if k % 20 == 19 else "")
        ),
        n_val=3,
    ),
    "tests between rows without steps": Printed(
        rows(lambda k: f"loss: {LOSS[k]}\n" + ("Test: loss: 2.8\n" if k % 2 else "")), (1, 60), "row", n_val=30
    ),
    "tests that count their own batches": Printed(
        rows(
            lambda k: f"Epoch: [{k // 10}][{k % 10 * 10}/100]  Loss {LOSS[k]} (9.9)\n"
            + "".join(f"Test: [{b}/50]  Loss 9.8 ({VAL[k]})\n" for b in range(0, 50, 10)) * (k % 10 == 9)
        ),
        (0, 590), n_val=6,
    ),
    "SB3": Printed(
        rows(
            lambda k: "---------------------------------\n| rollout/           |          |\n|    ep_rew_mean     | 22.5     |\n"
            f"| time/              |          |\n|    total_timesteps | {2048 * (k + 1)}     |\n| train/             |          |\n"
            f"|    learning_rate   | {LR[k]}   |\n|    loss            | {LOSS[k]}      |\n|    n_updates       | {10 * k}   |\n"
            "|    policy_gradient_loss | -0.01 |\n|    value_loss      | 7.5      |\n---------------------------------\n"
        ),
        (2048, 2048 * 60), lr=True,
    ),
    "spaCy": Printed(
        rows(
            lambda k: f"{k // 10:>3} {k * 200:>7}          0.00  {LOSS[k]:>8}    0.00    0.00    0.00    0.00\n",
            "\x1b[38;5;4mℹ Pipeline: ['tok2vec', 'ner']\x1b[0m\n\x1b[38;5;4mℹ Initial learn rate: 0.001\x1b[0m\n"
            "E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  ENTS_P  ENTS_R  SCORE \n"
            "---  ------  ------------  --------  ------  ------  ------  ------\n",
        ),
        (0, 59 * 200),
    ),
    "Darknet": Printed(
        rows(
            lambda k: f"Region 82 Avg IOU: 0.4, Class: 0.5, Obj: 0.5, No Obj: 0.4, .5R: 0.1, .75R: 0.0,  count: 3\n"
            f"{k + 1}: {LOSS[k]}, {LOSS[k]} avg, {LR[k]} rate, 3.2 seconds, {64 * (k + 1)} images\n"
        ),
        (1, 60), lr=True,
    ),
    "Darknet of AlexeyAB": Printed(
        rows(
            lambda k: f" (next mAP calculation at 1000 iterations) \n {k + 1}: {LOSS[k]}, 9.9 avg loss, {LR[k]} rate, "
            f"3.2 seconds, {64 * (k + 1)} images, 1.5 hours left\nLoaded: 0.00003 seconds\n"
        ),
        (1, 60), lr=True,
    ),
    "Kaldi": Printed(
        rows(
            lambda k: f"ITERATION {k:02d}: TRAIN AVG.LOSS {LOSS[k]}, (lrate{LR[k]:.7f}), CROSSVAL AVG.LOSS {VAL[k]}, "
            "nnet accepted\n"
        ),
        lr=True, n_val=N,
    ),
    "Composer": Printed(
        rows(lambda k: f"[epoch={k // 10}][batch={k % 10}/10]:\n\t Train time/batch: {k}\n\t Train lr-SGD/group0: {LR[k]}\n"
             f"\t Train loss/train/total: {LOSS[k]}\n"),
        lr=True,
    ),
    "Coqui": Printed(
        rows(
            lambda k: f"\n\x1b[1m   --> STEP: {k % 10}/10 -- GLOBAL_STEP: {25 * k}\x1b[0m\n     | > loss: {LOSS[k]}  (9.9)\n"
            f"     | > grad_norm: 1.5  (1.6)\n     | > current_lr: {LR[k]} \n     | > step_time: 0.55  (0.54)\n"
        ),
        (0, 59 * 25), lr=True,
    ),
    "Caffe": Printed(
        rows(
            lambda k: f"I0829 03:13:03.8 41275 solver.cpp:228] Iteration {k}, loss = {LOSS[k]}\n"
            f"I0829 03:13:03.8 41275 solver.cpp:244]     Train net output #0: loss = 9.9 (* 1 = 9.9 loss)\n"
            f"I0829 03:13:03.8 41275 sgd_solver.cpp:106] Iteration {k}, lr = {LR[k]}\n"
            + (
                f"I0829 03:13:03.8 41275 solver.cpp:337] Iteration {k}, Testing net (#0)\n"
                f"I0829 03:13:03.8 41275 solver.cpp:404]     Test net output #0: accuracy = 0.5\n"
                f"I0829 03:13:03.8 41275 solver.cpp:404]     Test net output #1: loss = {VAL[k]} (* 1 = {VAL[k]} loss)\n"
                if k % 10 == 9 else ""
            )
        ),
        lr=True, n_val=6,
    ),
    "Marian": Printed(
        rows(
            lambda k: f"[2017-01-01 10:00:00] Ep. {k // 20 + 1} : Up. {1000 * (k + 1)} : Sen. 3,000 : Cost {LOSS[k]} * 1,234 @ "
            f"2,000 after 10,000 : Time 10.5s : 1,234.5 words/s : L.r. {LR[k]:.4e}\n"
        ),
        (1000, 60_000), lr=True,
    ),
    "fastText": Printed(
        "".join(
            f"\rProgress: {k * 1.5:5.1f}% words/sec/thread:    1234 lr:  {LR[k]} avg.loss:  {LOSS[k]} ETA:   0h 0m 1s"
            for k in range(N)
        ),
        (0, 88.5), lr=True,
    ),
    "MXNet": Printed(
        rows(lambda k: f"INFO:root:Epoch[{k // 10}] Batch [{k % 10 * 10}]\tSpeed: 1234.56 samples/sec\tcross-entropy={LOSS[k]}\n"),
        (0, 590),
    ),
    "scikit-learn's boosting": Printed(
        rows(lambda k: f"{k + 1:>10} {LOSS[k]:>16} {1.5 * (N - k):>15.2f}s\n", "      Iter       Train Loss   Remaining Time \n"),
        (1, 60),
    ),
    "scikit-learn's SGD": Printed(
        rows(lambda k: f"-- Epoch {k + 1}\nNorm: 1.2, NNZs: 4, Bias: 0.5, T: {100 * (k + 1)}, Avg. loss: {LOSS[k]}\nTotal training time: 0.00 seconds.\n"),
        (100, 6000),
    ),
    "fastai": Printed(
        rows(lambda k: f"{k:<10}{LOSS[k]:<12}{VAL[k]:<12}0.8512      00:1{k % 10}   \n", "epoch     train_loss  valid_loss  accuracy  time    \n"),
        unit="epoch", n_val=N,
    ),
    "a table of Markdown below prose": Printed(
        rows(
            lambda k: f"| {k} | {LOSS[k]} | {VAL[k]} | {LR[k]} |\n",
            "Results of the run of 3 May, with 2 GPUs:\n\n| Epoch | Train loss | Val loss | LR |\n|---|---|---|---|\n",
        ),
        unit="epoch", n_val=N, lr=True,
    ),
    "Coursera": Printed(rows(lambda k: f"Cost after iteration {k * 100}: {LOSS[k]}\n"), (0, 5900)),
    "TensorFlow's estimators": Printed(
        rows(lambda k: f"INFO:tensorflow:loss = {LOSS[k]}, step = {k * 100} (14.2 sec)\nINFO:tensorflow:global_step/sec: 7.05\n"),
        (0, 5900),
    ),
    "swift": Printed(
        rows(lambda k: f"{{'loss': {LOSS[k]}, 'learning_rate': {LR[k]}, 'epoch': 0.0, 'global_step/max_steps': '{k}/58114', 'elapsed_time': '1m 52s'}}\n"),
        lr=True,
    ),
    "fairseq": Printed(
        rows(lambda k: f"| epoch 001:  {k * 100:>5} / 6000 loss={LOSS[k]}, nll_loss=9.9, ppl=300, wps=25000, ups=2.5, lr={LR[k]}, gnorm=2.3, wall=10\n"),
        (0, 5900), lr=True,
    ),
    "PaddleOCR": Printed(
        rows(lambda k: f"[2021/01/01 10:00:00] root INFO: epoch: [{k // 10}/6], iter: {k * 10}, lr: {LR[k]}, loss: {LOSS[k]}, "
             "avg_reader_cost: 0.12 s, avg_batch_cost: 0.34 s, avg_samples: 256.0, ips: 123.4 samples/s\n"),
        (0, 590), lr=True,
    ),
    "PaddleDetection": Printed(
        rows(lambda k: f"[01/01 10:00:00] ppdet.engine INFO: Epoch: [{k // 10}] [{k % 10 * 10:>3}/100] learning_rate: {LR[k]} "
             f"loss_xy: 9.2 loss: {LOSS[k]} eta: 0:10:00 batch_cost: 0.5432 data_cost: 0.0012 ips: 2.0 images/s\n"),
        (0, 590), lr=True,
    ),
    "detectron2": Printed(
        rows(lambda k: f"[01/01 10:00:00 d2.utils.events]:  eta: 0:10:00  iter: {20 * k + 19}  total_loss: {LOSS[k]}  loss_cls: 0.5  "
             f"loss_box_reg: 0.1  time: 0.2345  data_time: 0.01  lr: {LR[k]}  max_mem: 2341M\n"),
        (19, 1199), lr=True,
    ),
    "OpenNMT": Printed(
        rows(lambda k: f"[2019-01-01 10:00:00,123 INFO] Step {50 * (k + 1)}/ 3000; acc:   5.55; ppl: 300.50; xent: {LOSS[k]}; lr: {LR[k]}; "
             "1234/2345 tok/s;     10 sec\n"),
        (50, 3000), lr=True,
    ),
    "ESPnet": Printed(
        rows(lambda k: f"[host] 2021-01-01 10:00:00,123 (trainer:653) INFO: {k + 1}epoch:train:1-50batch: iter_time=0.1, "
             f"forward_time=0.2, loss_ctc=50.1, loss={LOSS[k]}, acc=0.1, optim0_lr0={LR[k]}, train_time=1.2\n"),
        (1, 60), "epoch", lr=True,
    ),
    "icefall": Printed(
        rows(lambda k: f"2022-01-01 10:00:00,123 INFO [train.py:900] (0/8) Epoch 1, batch {50 * k}, loss[loss={LOSS[k]}, simple_loss=0.3, "
             f"over 7890.00 frames. ], tot_loss[loss=9.9, simple_loss=9.8, over 39100.00 frames. ], batch size: 51, lr: {LR[k]:.6e}\n"),
        (0, 2950), lr=True,
    ),
    "the tutorials of bentrevett": Printed(
        rows(lambda k: f"Epoch: {k + 1:02d} | Time: 0m 14s\n\tTrain Loss: {LOSS[k]:.4f} | Train PPL:  12.345\n\t Val. Loss: {VAL[k]:.4f} |  "
             "Val. PPL:  13.456\n"),
        (1, 60), "epoch", n_val=N,
    ),
    "PyTorch's transfer learning": Printed(
        rows(lambda k: f"Epoch {k}/{N - 1}\n----------\ntrain Loss: {LOSS[k]} Acc: 0.7049\nval Loss: {VAL[k]} Acc: 0.8039\n\n"),
        (0, 59), "epoch", n_val=N,
    ),
    "PyTorch's word language model": Printed(
        rows(lambda k: f"| epoch {k // 10 + 1:>3} | {k % 10 * 100:>5}/ 1000 batches | lr {LR[k]} | ms/batch 30.70 | loss {LOSS[k]:>5} | ppl  3031.10\n"
             + f"{'-' * 89}\n| end of epoch   1 | time: 11.23s | valid loss {VAL[k]} | valid ppl   365.0\n{'-' * 89}\n" * (k % 10 == 9)),
        (0, 5900), lr=True, n_val=6,
    ),
    "modded nanoGPT": Printed(
        rows(lambda k: f"step:{k}/1000 train_loss:{LOSS[k]} train_time:{k * 123}ms step_avg:12.34ms\n"
             + f"step:{k}/1000 val_loss:{VAL[k]} train_time:{k * 123}ms step_avg:12.34ms\n" * (k % 10 == 9)),
        n_val=6,
    ),
    "clu": Printed(rows(lambda k: f"I0101 10:00:00.123456 1234 logging_writer.py:48] [{100 * k}] learning_rate={LR[k]}, loss={LOSS[k]}\n"),
                   (0, 5900), lr=True),
    "a box of rich": Printed(
        rows(lambda k: f"│ {k:>5} │ {LOSS[k]} │ {VAL[k]} │\n", "┏━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━┓\n┃ Epoch ┃ Train loss ┃ Val loss ┃\n┡━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━┩\n",
             "└───────┴────────────┴──────────┘\n"),
        unit="epoch", n_val=N,
    ),
    "records of JSON below other lines": Printed(
        rows(lambda k: f'{{"step": {k}, "loss": {LOSS[k]}, "lr": {LR[k]}}}\n', "".join(f"loading shard {i} of 3000\n" for i in range(3000))), lr=True
    ),
    "a table of commas below other lines": Printed(
        rows(lambda k: f"{k},{LOSS[k]},{LR[k]}\n", "".join(f"loading shard {i} of 3000\n" for i in range(3000)) + "step,loss,lr\n"), lr=True
    ),
    "records behind a logger": Printed(
        rows(lambda k: f"2026-01-01 10:00:00 | INFO | trainer | {{'train': {{'loss': {LOSS[k]}}}, 'valid': {{'loss': {VAL[k]}}}, 'iter': {k}}}\n"), n_val=N
    ),
    "DeepSpeed": Printed(
        rows(lambda k: f"steps: {k * 10} loss: {LOSS[k]} iter time (s): 0.512 samples/sec: 31.2\n"
             f"[2023-01-01 10:00:00,123] [INFO] [logging.py:69:log_dist] [Rank 0] step={k * 10}, skipped=0, lr=[{LR[k]}, {LR[k]}], mom=[[0.9, 0.95]]\n"),
        (0, 590), lr=True,
    ),
    "d2l": Printed(rows(lambda k: f"epoch {k + 1}, loss {LOSS[k]}, train acc 0.812, test acc 0.83\n"), (1, 60), "epoch"),
    "llm.c": Printed(rows(lambda k: f"step {k + 1:>4}/1000 | loss {LOSS[k]} (+1.23z)| norm 1.2 (-0.1z)| lr {LR[k]} | 123.45 ms | 40.1% bf16 MFU | 1234567 tok/s\n"), (1, 60), lr=True),
    "W&B's history": Printed(
        rows(lambda k: f'{{"_step": {k}, "_runtime": {k * 1.5}, "_timestamp": 1.7e9, "train/loss": {LOSS[k]}, "train/lr": {LR[k]}, "gradients/w": {{"_type": "histogram", "values": [1, 2], "bins": [0, 1, 2]}}}}\n'), lr=True,
    ),
    "an index": Printed(rows(lambda k: f"loss[{k}] = {LOSS[k]}\n")),
    "a sentence": Printed(
        rows(lambda k: f"After epoch {k}, the training loss was {LOSS[k]} and the validation loss was {VAL[k]}.\n"), unit="epoch", n_val=N
    ),
    "parts in brackets behind the name": Printed(
        rows(lambda k: f"Epoch {k}: Loss (train): {LOSS[k]}, Loss (val): {VAL[k]}\n"), unit="epoch", n_val=N
    ),
    "a heading above held-out rows with steps": Printed(
        rows(lambda k: f"step {k} | loss {LOSS[k]}\n" + f"=== Validation ===\nstep {k} | loss {VAL[k]}\n==================\n" * (k % 10 == 9)), n_val=6
    ),
    "a record behind its bar": Printed(
        rows(lambda k: f"\r  2%|▏         | {10 * k + 10}/600 [00:10<10:00,  1.2it/s]{{'loss': {LOSS[k]}, 'learning_rate': {LR[k]}, 'epoch': 0.0}}\n"),
        (10, 600), lr=True,
    ),
    "chinese": Printed(rows(lambda k: f"第 {k} 轮 | 训练Loss: {LOSS[k]} | 验证Loss: {VAL[k]}\n"), (1, 60), "row", n_val=N),
}  # fmt: skip
