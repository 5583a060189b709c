"""Columns that number the rows are not learned from, whatever the order of the rows; quantities that rise are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from test_problem import table

from lrfind.data import read_table, table_from_arrays
from lrfind.problem import make_problem
from lrfind.problem.numbering import numbering
from lrfind.problem.order import by_content

RNG = np.random.default_rng(5)
N = 200
COUNT = np.arange(N, dtype=float)
SHUFFLED = RNG.permutation(COUNT)
GAPS = np.sort(RNG.choice(10 * N, N, replace=False)).astype(float)
RISING = np.cumsum(RNG.integers(1, 60, N)).astype(float)


@pytest.mark.parametrize("values", [COUNT, COUNT + 1, COUNT[::-1], SHUFFLED, SHUFFLED + 1, 3 * COUNT, 10 * COUNT + 10])
@pytest.mark.parametrize("name", ["id", "row", "Unnamed: 0", "index", "nr", "case", "f7", "probe", "X"])
def test_whole_numbers_without_a_gap_number_the_rows(name, values):
    assert numbering(name, values, places=np.arange(N)) == "row numbers"


@pytest.mark.parametrize("name", ["id", "row", "record_no", "orderID", "Unnamed: 0", "S.No", "invoice number", "#"])
def test_what_is_called_an_id_may_have_gaps(name):
    assert numbering(name, GAPS, places=np.arange(N)) == "row numbers"
    assert numbering(name, RNG.permutation(GAPS), places=np.arange(N)) == "id-like"


@pytest.mark.parametrize("name", ["odometer", "price", "visits", "f7", "x", "no_of_rooms", "index fund"])
def test_numbers_that_rise_unevenly_describe_the_rows(name):
    assert numbering(name, RISING, places=np.arange(N)) is None
    assert numbering(name, RNG.permutation(RISING), places=np.arange(N)) is None


@pytest.mark.parametrize(
    "name", ["year", "age", "time_s", "timestamp", "day", "dayOfYear", "depth_cm", "wavelength", "x"]
)
def test_a_quantity_may_rise_evenly(name):
    for values in (COUNT, COUNT + 1900, 3600 * COUNT):
        assert numbering(name, values, places=np.arange(N)) is None


def test_a_design_between_round_numbers_is_no_count():
    assert numbering("setting", 20 * COUNT + 400, places=np.arange(N)) is None
    assert numbering("setting", COUNT / 4, places=np.arange(N)) is None
    assert numbering("setting", np.repeat(COUNT[: N // 2], 2), places=np.arange(N)) is None
    assert numbering("setting", np.arange(19.0), places=np.arange(19)) is None


def test_rows_chosen_from_a_file_are_numbered_by_their_places_in_it():
    places = np.sort(RNG.choice(5000, N, replace=False))
    shuffled = RNG.permutation(places)
    for numbers in (shuffled + 1.0, 2.0 * shuffled, 9000.0 - shuffled):
        assert numbering("probe", numbers, places=shuffled) == "row numbers"
    assert numbering("probe", shuffled + 1.0, places=RNG.permutation(places)) is None


def test_an_index_may_begin_anew_where_tables_were_put_together():
    again = np.tile(COUNT[:50], 4)
    assert numbering("Unnamed: 0", again, places=np.arange(N)) == "row numbers"
    assert numbering("column_1", again, places=np.arange(N), is_row_name=True) == "row numbers"
    assert numbering("hour", again, places=np.arange(N)) is None
    assert numbering("column_1", again, places=RNG.permutation(N), is_row_name=True) == "id-like"


def _sorted_csv(path: Path, head: str, cells) -> str:
    text = io.StringIO()
    text.write(f"{head},f1,species\n")
    for i, cell in enumerate(cells):
        text.write(f"{cell},{RNG.normal():.3f},{'ash' if i < N // 2 else 'oak'}\n")
    path.write_text(text.getvalue())
    return str(path)


@pytest.mark.parametrize("cells", [[*range(N)], [f"{i:04d}" for i in range(N)], [f"{i}.0" for i in range(N, 0, -1)]])
@pytest.mark.parametrize("head", ["", "row", "probe"])
def test_a_file_sorted_by_class_gives_nothing_away(tmp_path, head, cells):
    made = read_table(_sorted_csv(tmp_path / "t.csv", head, cells))
    for ordered in (made, by_content(made)):
        problem = make_problem(ordered)
        assert problem.features == ("f1",)
        assert any("was left out: " in note for note in problem.notes)


@pytest.mark.parametrize("options", [{"where": "f1 > 0"}, {"sample": 60}])
def test_rows_left_out_on_reading_leave_row_numbers_what_they_are(tmp_path, options):
    path = _sorted_csv(tmp_path / "t.csv", "probe", range(1, N + 1))
    assert make_problem(by_content(read_table(path, **options))).features == ("f1",)


def test_a_data_frame_s_row_numbers_are_left_out_too():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"nummer": [str(i) for i in range(N)], "n": np.arange(N), "a": RNG.normal(size=N), "y": COUNT})
    assert make_problem(by_content(table_from_arrays(frame)), target="y").features == ("a",)


def test_an_index_of_two_levels_is_left_out(tmp_path):
    rows = "".join(f"{i // 10},{i % 10},{RNG.normal():.3f},{i % 2}\n" for i in range(N))
    (tmp_path / "t.csv").write_text(f",,a,y\n{rows}")
    (tmp_path / "u.csv").write_text(f"a,,b,y\n{rows}")
    assert make_problem(read_table(str(tmp_path / "t.csv"))).features == ("a",)
    assert make_problem(read_table(str(tmp_path / "u.csv"))).features == ("a", "column_2", "b")


def test_a_lone_column_that_counts_is_learned_from():
    assert make_problem(table(s=COUNT, y=RNG.normal(size=N))).features == ("s",)
    assert make_problem(table(s=COUNT, a=RNG.normal(size=N), y=RNG.normal(size=N))).features == ("a",)
