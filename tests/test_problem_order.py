"""The order of rows: it follows from what they hold, and from nothing else."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_problem import table

from lrfind.data import Table, read_table
from lrfind.problem.order import by_content

CELLS = st.tuples(
    st.one_of(st.none(), st.floats(allow_nan=False)),
    st.one_of(st.none(), st.text(max_size=3)),
    st.one_of(st.none(), st.datetimes().map(np.datetime64)),
)


def shuffled(made: Table, seed: int) -> Table:
    order = np.random.default_rng(seed).permutation(made.n_rows)
    return replace(made, columns=tuple(replace(c, values=c.values[order]) for c in made.columns))


def rows(made: Table) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in zip(*(c.values for c in made.columns), strict=True)]


@given(cells=st.lists(CELLS, min_size=1, max_size=30), seed=st.integers(0, 99))
def test_any_order_of_the_same_rows_becomes_the_same(cells, seed):
    numbers, texts, dates = zip(*cells, strict=True)
    made = table(a=[*numbers, 1.0], b=[*texts, "x"], c=[*dates, np.datetime64("2020-01-01")])
    once = rows(by_content(made))
    assert once == rows(by_content(shuffled(made, seed)))
    assert sorted(once) == sorted(rows(made))


def test_sorted_rows_are_mixed():
    order = by_content(table(a=np.arange(1000.0))).columns[0].values
    assert abs(np.corrcoef(order, np.arange(1000))[0, 1]) < 0.1


def test_zero_has_no_sign():
    signed = by_content(table(a=[0.0, 1.0, 2.0])).columns[0].values
    assert np.array_equal(signed, by_content(table(a=[2.0, -0.0, 1.0])).columns[0].values)


def test_every_process_orders_alike(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i},word{i % 7}\n" for i in range(40)))
    here = rows(by_content(read_table(str(tmp_path / "t.csv"))))
    code = (
        "import sys; from lrfind.data import read_table; from lrfind.problem.order import by_content;"
        "print([[str(v) for v in c.values] for c in by_content(read_table(sys.argv[1])).columns])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "t.csv"], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert run.stdout.strip() == str([list(column) for column in zip(*here, strict=True)])


@pytest.mark.parametrize("kind", ["number", "text"])
def test_rows_stay_together(kind):
    values = np.arange(50.0) if kind == "number" else [f"v{i}" for i in range(50)]
    made = by_content(table(a=values, b=np.arange(50.0)))
    expected = [str(v) for v in values]
    assert [str(a) for a in made.columns[0].values] == [expected[int(b)] for b in made.columns[1].values]
