"""The grammar of printed lines: what it promises for any text, and that it takes no longer than the text is long."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.logs import read_log
from lrfind.logs.printed.line import line_of
from lrfind.logs.printed.shape import shape_of
from lrfind.logs.printed.tokens import tokens_of

SOME = settings(max_examples=80, deadline=None)
SIGNS = "step loss epoch 训练损失 ,;:=[]{}()\"'\t/.-+einfa|#<>%‖│0123456789 val"
# Texts that make a careless pattern go back and forth.
HARD = [
    "a",
    "0",
    "a.",
    "0,",
    "0.0",
    "-",
    "a-",
    "a/0",
    "0:",
    "0:00",
    "0000-",
    "[0",
    "loss ",
    "loss:",
    "(",
    "e0e",
    "0/",
    "|0",
]


@SOME
@given(st.text(max_size=200) | st.text(st.sampled_from(SIGNS), max_size=200))
def test_tokens_stand_where_they_say_and_leave_nothing_out(text):
    tokens = tokens_of(text)
    ends = 0
    for token in tokens:
        assert ends <= token.start < token.end <= len(text)
        assert not text[ends : token.start].strip()
        ends = token.end + len(token.unit)
    assert not text[ends:].strip()


@SOME
@given(st.text(max_size=200) | st.text(st.sampled_from(SIGNS), max_size=200))
def test_what_a_line_says_are_numbers_in_it(text):
    zeros = re.sub(r"[0-9]", "0", text)
    line = line_of(zeros)
    for place in [each.place for each in (*line.counters, *line.values)]:
        float(zeros[place].replace(",", ""))
    shape = shape_of(zeros.encode())
    for value in shape.values:
        assert re.search(rb"0|nan|inf", zeros.encode()[value.place], re.IGNORECASE)


@pytest.mark.parametrize("unit", HARD)
def test_time_grows_as_the_line_does(unit):
    times = []
    for n in (1_000, 4_000):
        line = (unit * n)[:n]
        times.append(min(seconds_of(line) for _ in range(3)))
    # Sixteen times would be the square. Of the processor's time, since the machine may be busy.
    assert times[1] < 12 * times[0] + 0.05


def seconds_of(line: str) -> float:
    start = time.process_time()
    line_of(line)
    return time.process_time() - start


STEPS = (
    "step {i}",
    "Step: {i}",
    "iter={i}",
    "Iteration [{i}/5000]",
    "[{i}]",
    "batch {i} of 5000",
    "global_step: {i:,}",
)
GAPS = (", ", " | ", " - ", "\t", "  ", "; ")
LOSSES = (
    "loss {x}",
    "Loss: {x}",
    "train_loss={x}",
    "loss: {x} (9.99)",
    "'loss': {x}",
    "training loss is {x}",
    "Loss = tensor({x})",
)
RATES = ("lr {r}", "lr: {r}", "learning_rate={r}", "LR: [{r}]", "'learning_rate': {r}")
PREFIXES = ("", "2026-01-02 10:00:00,123 - INFO - ", "[10:00:00] ", "I0102 10:00:00.1 77 a.py:8] ")
REST = ("", "time 0.12s", "eta: 0:01:02", "acc=0.5", "12.3 it/s", "mem 4.2GB (10%)", "grad_norm: 1.5")


@SOME
@given(
    step=st.sampled_from(STEPS), loss=st.sampled_from(LOSSES), rate=st.sampled_from(RATES), rest=st.sampled_from(REST),
    gap=st.sampled_from(GAPS), prefix=st.sampled_from(PREFIXES), every=st.integers(1, 50),
)  # fmt: skip
def test_what_a_made_up_layout_prints_comes_back(step, loss, rate, rest, gap, prefix, every):
    n = 12
    losses, rates = [round(2 * 0.9**k + 0.5, 4) for k in range(n)], [round(0.01 * (1 - k / n), 6) for k in range(n)]
    lines = []
    for k in range(n):
        parts = (step.format(i=k * every), loss.format(x=losses[k]), rate.format(r=rates[k]), rest)
        lines.append(prefix + gap.join(part for part in parts if part))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.txt"
        path.write_text("\n".join(lines) + "\n")
        log = read_log(str(path))
    assert log.loss.tolist() == losses
    np.testing.assert_allclose(log.lr, rates)
    assert log.step.tolist() == [k * every for k in range(n)]
    assert log.repairs == ()
