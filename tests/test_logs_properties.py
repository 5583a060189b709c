"""What holds for any bytes: a log or one sentence, never anything else."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_logs_events import events, losses

from lrfind.errors import LrfindError
from lrfind.logs import TrainingLog, read_log

SOME = settings(max_examples=30, deadline=None)
HISTORY = [{"step": i, "epoch": i / 10, "loss": 1 / (i + 1), "learning_rate": 1e-3} for i in range(20)]
VALID = [
    "step,loss,lr\n" + "".join(f"{i},{1 / (i + 1)},0.1\n" for i in range(20)),
    "epoch;loss;val_loss\n" + "".join(f"{i};{1 / (i + 1)};NA\n" for i in range(20)),
    'step,loss\n' + "".join(f'{i},"tensor({1 / (i + 1)}, device=\'cuda:0\')"\n' for i in range(20)),
    "\n".join(json.dumps(record) for record in HISTORY),
    json.dumps({"log_history": HISTORY}, indent=1),
    json.dumps({"loss": [0.5, float("nan"), 0.4], "val_loss": [1, 2, 3]}),
    "".join(f"{1 / (i + 1)}\n" for i in range(20)),
    "".join(f"{1_700_000_000_000 + i} {1 / (i + 1)} {i}\n" for i in range(20)),
    "".join(f"Epoch {i}/20\r{i}/10 [==>..] - loss: {1 / (i + 1)} - val_loss: nan\n" for i in range(20)),
]  # fmt: skip
EVENTS = events(*losses())
CONTENTS = [*(text.encode() for text in VALID), EVENTS, gzip.compress(VALID[0].encode())]


def outcome(content: bytes, name: str = "log") -> TrainingLog | str:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.write_bytes(content)
        try:
            log = read_log(str(path))
        except LrfindError as error:
            message = str(error)
            assert message
            assert len(message) <= 300
            assert message.isprintable()
            return message
    assert (np.diff(log.step) > 0).all()
    assert len(log.step) <= max(log.n_rows, 1)
    assert np.isin(log.nonfinite_steps, log.step).all()
    for text in (
        log.name,
        *log.notes,
        *(repair.sentence for repair in log.repairs),
        *(column for _, column in log.columns),
    ):
        assert text.isprintable()
    return log


@SOME
@given(st.binary(max_size=400))
def test_random_bytes(content):
    outcome(content)


@SOME
@given(st.text(st.sampled_from("step loss,;:=[]{}\"'\n\r\t0123456789.-+einfa/|#epoch"), max_size=300))
def test_random_text_of_the_signs_of_logs(text):
    outcome(text.encode())


@SOME
@given(data=st.data(), content=st.sampled_from(CONTENTS))
def test_truncated_anywhere(data, content):
    outcome(content[: data.draw(st.integers(0, len(content)))])


@SOME
@given(data=st.data(), content=st.sampled_from(CONTENTS))
def test_spliced_anywhere(data, content):
    at = data.draw(st.integers(0, len(content)))
    outcome(content[:at] + data.draw(st.binary(max_size=8)) + content[at + data.draw(st.integers(0, 8)) :])


@SOME
@given(data=st.data())
def test_a_cut_event_file_is_a_prefix(data):
    whole = outcome(EVENTS)
    log = outcome(EVENTS[: data.draw(st.integers(120, len(EVENTS)))])
    assert isinstance(whole, TrainingLog)
    assert isinstance(log, TrainingLog)
    np.testing.assert_array_equal(log.loss, whole.loss[: len(log.loss)])


@SOME
@given(
    values=st.lists(st.floats(width=64), min_size=2, max_size=30),
    delimiter=st.sampled_from([",", ";", "\t"]),
    is_lines=st.booleans(),
)
@example(values=[0.0, 100.0], delimiter=",", is_lines=False)
def test_losses_come_back_as_written(values, delimiter, is_lines):
    if is_lines:
        text = "\n".join(json.dumps({"step": i, "loss": value}) for i, value in enumerate(values))
    else:
        text = "\n".join([f"step{delimiter}loss", *(f"{i}{delimiter}{value!r}" for i, value in enumerate(values))])
    log = outcome(text.encode())
    assert isinstance(log, TrainingLog)
    np.testing.assert_array_equal(log.loss, values)
    np.testing.assert_array_equal(log.nonfinite_steps, np.flatnonzero(~np.isfinite(values)))


@SOME
@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=12))
def test_steps_always_increase(order, again):
    rows = [*order, *again]
    log = outcome(("step,loss\n" + "".join(f"{step},{i}\n" for i, step in enumerate(rows))).encode())
    assert isinstance(log, TrainingLog)
    assert set(log.loss) <= set(range(len(rows)))
