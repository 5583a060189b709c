"""What holds for every table: what is written comes back, and rubbish is refused in one sentence."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.data import Table, read_table
from lrfind.data.spellings import trimmed
from lrfind.errors import LrfindError

# Each example opens a database in memory, 20 to 50 ms.
pytestmark = pytest.mark.slow
SOME = settings(max_examples=25, deadline=None)
# What text cells come back unchanged from: no outer blanks, nothing that reads as a number, a date or a gap.
CELLS = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\t\n\x1b"), max_size=20).map(
    lambda text: f"<{text}>"
)
NAMES = st.lists(CELLS, min_size=2, max_size=5, unique=True)


def read_bytes(content: bytes, **options: object) -> Table:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "data.csv"
        path.write_bytes(content)
        return read_table(str(path), **options)  # type: ignore[arg-type]


def written(rows: list[list[str]], *, delimiter: str, end: str, encoding: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode(encoding)


@SOME
@given(
    data=st.data(),
    names=NAMES,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_quoted_text_comes_back_unchanged(data, names, delimiter, end, encoding):
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), min_size=1, max_size=8))
    table = read_bytes(written([names, *rows], delimiter=delimiter, end=end, encoding=encoding))
    assert [column.name for column in table.columns] == names
    assert [list(row) for row in zip(*(column.values.tolist() for column in table.columns), strict=True)] == rows


@SOME
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_numbers_come_back_to_the_last_bit(values):
    table = read_bytes(("x,y\n" + "".join(f"{value!r},a\n" for value in values)).encode())
    assert table.columns[0].kind == "number"
    assert np.array_equal(table.columns[0].values, np.array(values))


@SOME
@given(content=st.binary(max_size=300))
def test_any_bytes_give_a_table_or_one_sentence(content):
    try:
        table = read_bytes(content)
    except LrfindError as error:
        message = str(error)
        assert message.isprintable()
        assert len(message) <= 300
    else:
        assert all(len(column.values) == table.n_rows for column in table.columns)


@SOME
@given(text=st.text(st.sampled_from('ab1,;\t"\n\r\\ .-'), max_size=60))
def test_any_text_gives_a_table_or_one_sentence(text):
    try:
        table = read_bytes(text.encode())
    except LrfindError as error:
        message = str(error)
        assert message.isprintable()
        assert len(message) <= 300
    else:
        assert table.n_rows >= 1
        assert len({column.name for column in table.columns}) == len(table.columns) >= 2


@SOME
@given(where=st.text(max_size=40))
def test_any_condition_gives_rows_or_one_sentence(where):
    try:
        table = read_bytes(b"x,y\n1,a\n2,b\n", where=where)
    except LrfindError as error:
        message = str(error)
        assert message.isprintable()
        assert len(message) <= 300
    else:
        assert table.n_rows in (1, 2)


@SOME
@given(
    texts=st.lists(
        st.builds("".join, st.lists(st.sampled_from([" ", "\t", "\r", "\n", "\x0b", "a", "é", "!"]), max_size=6)),
        min_size=1,
    )
)
def test_trimming_takes_away_blanks_and_nothing_else(texts):
    import duckdb

    with duckdb.connect() as connection:
        relation = connection.sql("SELECT unnest($1) AS c0", params=[[*texts, None]])
        rows = relation.project(trimmed(0)).fetchall()
    assert [row[0] for row in rows] == [*(text.strip(" \t\r\n") for text in texts), None]
