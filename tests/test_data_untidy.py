"""Files as other programs leave them: titles above the header, other quotes, amounts in every spelling."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lrfind.data import Table, read_table
from lrfind.errors import DataError

Write = Callable[..., str]
ROWS = [(f"{i % 7}.{i % 4}25", f"K{i % 5}, or so", "yes" if i % 3 else "no") for i in range(40)]
PLAIN = "size,name,y\n" + "".join(f'{size},"{name}",{y}\n' for size, name, y in ROWS)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(content: str, name: str = "table.csv") -> str:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="")
        return str(path)

    return _write


def assert_same(table: Table, other: Table) -> None:
    assert [column.name for column in table.columns] == [column.name for column in other.columns]
    assert [column.kind for column in table.columns] == [column.kind for column in other.columns]
    for column, expected in zip(table.columns, other.columns, strict=True):
        assert column.values.tolist() == expected.values.tolist()


@pytest.mark.parametrize(
    ("titles", "words"),
    [
        ("Sizes of things\n", "1 title line above the table skipped"),
        ("Sizes, by name\n\nas of today\n\n", "4 title lines above the table skipped"),
        ("# made by hand\n\n# twice\n", "3 comment lines above the table skipped"),
    ],
)
def test_titles_above_the_header_are_skipped_and_told(write: Write, titles: str, words: str) -> None:
    wide = PLAIN.replace("size,", "id,size,").replace("\n", "\n7,").replace("7,id", "id").removesuffix("7,")
    table = read_table(write(titles + wide, "titled.csv"))
    assert_same(table, read_table(write(wide)))
    assert any(words in note for note in table.notes)


def test_titles_padded_with_delimiters_are_skipped(write: Write) -> None:
    body = "a,b,c,d\n" + "".join(f"{i},x,{i % 3},{i % 2}\n" for i in range(30))
    table = read_table(write("Sizes,,,\nMade:,by hand,,\n" + body))
    assert [column.name for column in table.columns] == ["a", "b", "c", "d"]
    assert table.n_rows == 30


def test_a_header_with_blank_names_is_no_title(write: Write) -> None:
    body = "".join(f"{i},w{i % 4},{i % 3},{i % 2},{i % 5}\n" for i in range(30))
    table = read_table(write("a,b,,,\n" + body))
    assert table.n_rows == 30
    assert [column.name for column in table.columns][:2] == ["a", "b"]


def test_a_data_row_below_a_broken_header_is_no_header(write: Write) -> None:
    with pytest.raises(DataError, match="only one column"):
        read_table(write("only\n" + "".join(f"{i},w{i % 4},{i % 3},{i % 2}\n" for i in range(30))))


@pytest.mark.parametrize("delimiter", [" ", ":", "^", "~"])
def test_rare_delimiters_are_found_where_all_rows_agree(write: Write, delimiter: str) -> None:
    text = PLAIN.replace(", or so", "; or so").replace(",", delimiter).replace("; or so", ", or so")
    assert_same(read_table(write(text, "rare.txt")), read_table(write(PLAIN)))


def test_single_quotes_are_understood(write: Write) -> None:
    table = read_table(write(PLAIN.replace('"', "'"), "single.csv"))
    assert_same(table, read_table(write(PLAIN)))
    assert ("quotes", "single") in table.source.detected
    everywhere = "'a','b','y'\n" + "".join(f"'{i}.5','it''s {i % 3}','{i % 2}'\n" for i in range(30))
    table = read_table(write(everywhere))
    assert table.columns[0].values.tolist() == [i + 0.5 for i in range(30)]
    assert table.columns[1].values[1] == "it's 1"


def test_an_apostrophe_is_no_quote(write: Write) -> None:
    table = read_table(write("a,b\n" + "".join(f"'{i} o'clock,{i}\n" for i in range(9))))
    assert table.columns[0].values[3] == "'3 o'clock"


def test_blanks_before_quotes_and_numbers_do_not_matter(write: Write) -> None:
    spaced = PLAIN.replace(',"', ', "').replace(",yes", ", yes").replace(",no", ", no").replace(",name", ', "name"')
    assert_same(read_table(write(spaced, "spaced.csv")), read_table(write(PLAIN)))
    table = read_table(write("a,n,y\n" + "".join(f"w, {i},{i % 2}\n" for i in range(30))))
    assert table.columns[1].kind == "number"


def test_marks_that_no_eye_sees_are_no_part_of_a_name(write: Write) -> None:
    table = read_table(write("\ufeff\ufeffa,\u200bb\u00a0,y\n1,2,3\n2,3,4\n"), keep="b")
    assert [column.name for column in table.columns] == ["a", "b", "y"]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["(1.50)", "2.25", "(3)"], [-1.5, 2.25, -3]),
        (["0,125", "1,250", "-0,500"], [0.125, 1.25, -0.5]),
        (["1,250", "12,000", "7"], [1250, 12000, 7]),
        (["12,34,567.5", "1,23,456", "99"], [1234567.5, 123456, 99]),
        (["1 250", "12 000 000", "7"], [1250, 12000000, 7]),
        (["1\u202f250,5", "12\u00a0000,25", "7,0"], [1250.5, 12000.25, 7]),
        (["1'250.50", "12\u2019000", "7"], [1250.5, 12000, 7]),
        (["1.250.000", "12.000", "7"], [1250000, 12000, 7]),
        (["-1.250,75 €", "12,50 €", "0,5 €"], [-1250.75, 12.5, 0.5]),
        (["($1,000.50)", "$2", "-$3"], [-1000.5, 2, -3]),
        (["\u22120.5", "0.25", "\u22121"], [-0.5, 0.25, -1]),
        (["1.5-", "2.5", "3-"], [-1.5, 2.5, -3]),
        (["\u00a01.5", "2.5\u00a0", "3"], [1.5, 2.5, 3]),
        ([".5%", "12 %", "7.25%"], [0.5, 12, 7.25]),
        (["-1,5e-3", "2,5", "1e2"], [-0.0015, 2.5, 100]),
    ],
)
def test_amounts_are_read_in_every_common_spelling(write: Write, cells: list[str], values: list[float]) -> None:
    text = "f,y\n" + "".join(f'"{cell}",{i % 2}\n' for i, cell in enumerate(cells * 10))
    column = read_table(write(text)).columns[0]
    assert column.kind == "number"
    np.testing.assert_allclose(column.values[:3].astype(float), values, rtol=1e-12)


@pytest.mark.parametrize("cell", ["10.0.0.1", "1.10.2", "5'11", "0170 100 200", "12-15", "1,2,3"])
def test_what_only_looks_like_an_amount_stays_text(write: Write, cell: str) -> None:
    column = read_table(write("f,y\n" + "".join(f'"{cell}",{i}\n' for i in range(20)))).columns[0]
    assert column.kind == "text"


def test_times_of_day_in_halves_are_dates(write: Write) -> None:
    column = read_table(write("f,y\n" + "".join(f"1/{13 + i}/2024 1:30 PM,{i}\n" for i in range(9)))).columns[0]
    assert column.kind == "date"
    assert str(column.values[0]) == "2024-01-13T13:30:00.000000"


def test_arrays_without_names_are_no_table(write: Write) -> None:
    with pytest.raises(DataError, match="JSON arrays without names"):
        read_table(write("[1, 2]\n[3, 4]\n" * 9, "rows.jsonl"))
    assert read_table(write("[a],[b]\n" + "1,2\n2,3\n" * 9)).n_rows == 18


def test_a_link_that_leads_nowhere_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("nowhere.csv")
    with pytest.raises(DataError, match=r"link to a file that is not there"):
        read_table(str(tmp_path / "link.csv"))


def test_numbers_too_large_for_64_bits_are_missing_and_told(tmp_path: Path) -> None:
    wide = np.ones((20, 2), np.longdouble) * np.arange(20, dtype=np.longdouble)[:, None]
    wide[3] *= np.longdouble("1e4000")
    np.savez(tmp_path / "wide.npz", X=wide, y=np.arange(20))
    table = read_table(str(tmp_path / "wide.npz"))
    assert "1 value is not finite" in table.notes[0]
