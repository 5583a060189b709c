"""What the user says about reading: words that are missing values, and columns that are text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lrfind.data import read_table
from lrfind.data.condition import identifier
from lrfind.errors import DataError, UsageError
from lrfind.problem import make_problem

N = 60
REGIONS = ["EU", "NA", "AS"]


@pytest.fixture
def csv(tmp_path: Path) -> str:
    rows = [
        f"{94000 + i % 7},{i % 5 if i % 6 else -999},{'n/a' if i % 4 == 0 else i},{REGIONS[i % 3]}" for i in range(N)
    ]
    path = tmp_path / "t.csv"
    path.write_text("zip,flux,load,region\n" + "\n".join(rows) + "\n")
    return str(path)


def test_a_class_that_reads_like_no_value_is_named(csv):
    problem = make_problem(read_table(csv))
    assert problem.classes == ("AS", "EU")
    assert problem.notes[0] == (
        "20 rows without a target left out: 'NA' in 20 rows was read as missing (--na \"\" keeps it as a class)"
    )


def test_it_can_be_kept(csv):
    assert make_problem(read_table(csv, na=())).classes == ("AS", "EU", "NA")
    assert make_problem(read_table(csv, na=("na", "n/a"))).classes == ("AS", "EU", "NA")


def test_a_target_without_words_is_told_of_as_before(tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i},{'' if i % 5 == 0 else 'xy'[i % 2]}\n" for i in range(N)))
    assert make_problem(read_table(str(tmp_path / "t.csv"))).notes[0] == (
        "12 rows without a target left out: the value is missing"
    )


def test_listed_texts_are_missing_and_no_others(csv):
    made = {column.name: column for column in read_table(csv, na=("-999", "n/a")).columns}
    assert int(np.isnan(made["flux"].values).sum()) == 10
    assert int(np.isnan(made["load"].values).sum()) == 15
    usual = {column.name: column for column in read_table(csv).columns}
    assert int((usual["flux"].values == -999).sum()) == 10
    blank = {column.name: column for column in read_table(csv, na=()).columns}
    assert blank["load"].kind == "text"


def test_a_condition_sees_them_as_missing(csv):
    assert read_table(csv, na=("-999",), where="flux < 0 OR region = 'NA'").n_rows == 20
    assert read_table(csv, where="flux < 0").n_rows == 10


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_columns_can_be_read_as_text(csv, tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    if suffix == "parquet":
        import duckdb

        duckdb.read_csv(csv).write_parquet(str(path))
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps({"zip": 94000 + i % 7, "region": REGIONS[i % 3]}) + "\n" for i in range(N)))
    made = read_table(str(path), text=("zip",))
    column = next(column for column in made.columns if column.name == "zip")
    assert (column.kind, column.values[0]) == ("text", "94000")
    assert make_problem(made).encodings[0].how == "one-hot"
    assert make_problem(made, target="zip").task == "classification"
    assert make_problem(read_table(str(path)), target="zip").task == "regression"


def test_a_column_to_be_text_must_be_there(csv):
    with pytest.raises(DataError, match=r"no column 'zap' \(--text\)"):
        read_table(csv, text=("zap",))


def test_arrays_in_a_file_take_no_such_options(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.zeros((9, 2)), y=np.arange(9))
    with pytest.raises(UsageError, match="--na works on files"):
        read_table(str(tmp_path / "t.npz"), na=())


@pytest.mark.parametrize("first", ["sep=\t", '"sep=\t"', "sep=", "SEP=\t\t\t", "sep=\t\r"])
def test_a_first_line_that_names_a_tab(tmp_path, first):
    (tmp_path / "t.csv").write_text(f"{first}\na\tb,c\ty\n" + "".join(f"{i}\tx,{i % 3}\t{i % 2}\n" for i in range(N)))
    assert [column.name for column in read_table(str(tmp_path / "t.csv")).columns] == ["a", "b,c", "y"]


@pytest.mark.parametrize("mark", [";", "|", ",", "^", "~"])
@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "sep={}{}{}", " sep={} "])
def test_a_first_line_that_names_another_mark(tmp_path, mark, line):
    rows = "".join(f"{i}{mark}2 3{mark}{i % 2}\n" for i in range(N))
    (tmp_path / "t.csv").write_text(f"{line.replace('{}', mark)}\na{mark}b{mark}y\n{rows}")
    assert [column.name for column in read_table(str(tmp_path / "t.csv")).columns] == ["a", "b", "y"]


def test_ids_of_nineteen_digits_are_ids_in_any_format(tmp_path):
    import duckdb

    ids = [1582218195625940000 + 37 * i for i in range(N)]
    (tmp_path / "t.csv").write_text("key,a,y\n" + "".join(f"{k},{i % 9},{i % 2}\n" for i, k in enumerate(ids)))
    (tmp_path / "t.jsonl").write_text(
        "".join(f'{{"key": {k}, "a": {i % 9}, "y": {i % 2}}}\n' for i, k in enumerate(ids))
    )
    duckdb.read_csv(str(tmp_path / "t.csv")).write_parquet(str(tmp_path / "t.parquet"))
    for name in ("t.csv", "t.jsonl", "t.parquet"):
        made = read_table(str(tmp_path / name))
        assert (made.columns[0].kind, made.columns[0].values[1]) == ("text", str(ids[1]))
        assert [encoding.how for encoding in make_problem(made).encodings] == ["dropped: id-like", "standardised"]


def test_amounts_of_nineteen_digits_that_are_held_exactly_stay_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("wei,y\n" + "".join(f"{(i % 9 + 1) * 10**18},{i % 2}\n" for i in range(N)))
    assert read_table(str(tmp_path / "t.csv")).columns[0].kind == "number"


NAMES = ["hours per week", 'say "hi"', "order", "x-y", "Größe", "2nd", "plain_1", "y"]


@pytest.fixture
def odd(tmp_path: Path) -> str:
    head = ",".join('"' + name.replace('"', '""') + '"' for name in NAMES)
    path = tmp_path / "odd.csv"
    path.write_text(head + "\n" + "".join(",".join([str(i % 5)] * 7 + [str(i % 2)]) + "\n" for i in range(N)))
    return str(path)


@pytest.mark.parametrize("name", NAMES)
def test_a_condition_takes_a_column_as_messages_spell_it(odd, name):
    assert read_table(odd, where=f"{identifier(name)} = 1").n_rows > 0


@pytest.mark.parametrize(
    ("where", "spelled"),
    [
        ("hours per week > 1", 'write "hours per week" with its quotes'),
        ("order > 1 AND y = 1", 'write "order" with its quotes'),
        ("hours_per_week > 1", 'did you mean "hours per week"?'),
        ("plain_2 > 1", "did you mean plain_1?"),
        ("plain_1 >> > 1 AND y = 'order'", "not one SQL condition"),
    ],
)
def test_what_is_wrong_with_a_condition_says_how_to_spell_the_column(odd, where, spelled):
    with pytest.raises(UsageError) as raised:
        read_table(odd, where=where)
    assert spelled in str(raised.value)
    assert ("with its quotes" in str(raised.value)) == ("with its quotes" in spelled)
