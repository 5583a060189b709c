"""What `read_table` makes of files as people have them, and what it says of those it refuses."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lrfind.data import Table, read_table, table_from_arrays
from lrfind.errors import DataError, LrfindError, UsageError

PLAIN = "x1,color,y\n1.5,red,no\n-2,blue,yes\n3e2,,no\n"


@pytest.fixture
def write(tmp_path):
    """Write text or bytes to a file and return its path."""

    def write_file(content: str | bytes, name: str = "data.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write_file


def names_of(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def kinds_of(table: Table) -> list[str]:
    return [column.kind for column in table.columns]


def values_of(table: Table, name: str) -> list[object]:
    return next(column.values.tolist() for column in table.columns if column.name == name)


def is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def refusal(source: str, **options: object) -> str:
    with pytest.raises(LrfindError) as caught:
        read_table(source, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert len(message) <= 300
    assert "\n" not in message
    return message


def same(left: Table, right: Table) -> bool:
    pairs = zip(left.columns, right.columns, strict=True)
    return all(
        a.name == b.name and a.kind == b.kind and str(a.values.tolist()) == str(b.values.tolist()) for a, b in pairs
    )


def test_a_plain_table_is_read_as_it_stands(write):
    table = read_table(write(PLAIN))
    assert names_of(table) == ["x1", "color", "y"]
    assert kinds_of(table) == ["number", "text", "boolean"]
    assert values_of(table, "x1") == [1.5, -2.0, 300.0]
    assert values_of(table, "color") == ["red", "blue", None]
    assert values_of(table, "y") == [0.0, 1.0, 0.0]
    assert table.columns[2].labels == ("no", "yes")
    assert (table.n_rows, table.n_rows_total, table.notes) == (3, 3, ())


def test_values_are_read_only(write):
    with pytest.raises(ValueError, match="read-only"):
        read_table(write(PLAIN)).columns[0].values[0] = 7


def test_the_source_is_known_by_its_hash(write):
    source = read_table(write(PLAIN)).source
    assert (source.name, source.format, source.size, source.mtime) == ("data.csv", "csv", len(PLAIN), None)
    assert source.sha256 == __import__("hashlib").sha256(PLAIN.encode()).hexdigest()
    assert ("delimiter", "comma") in source.detected


def test_reading_imports_neither_pandas_nor_pyarrow(write):
    code = (
        "import sys; from lrfind.data import read_table; assert 'duckdb' not in sys.modules; "
        f"read_table({write(PLAIN)!r}); assert not {{'pandas', 'pyarrow'}} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(write, delimiter):
    assert same(read_table(write(PLAIN.replace(",", delimiter))), read_table(write(PLAIN, "plain.csv")))


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8-sig", b""),
        ("utf-16", b""),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-32", b""),
        ("utf-32-be", b""),
        ("cp1252", b""),
    ],
)
def test_the_encoding_is_found(write, encoding, mark):
    text = "größe,färbe,y\n1,blau,nein\n2,grün,ja\n"
    table = read_table(write(mark + text.encode(encoding)))
    assert names_of(table) == ["größe", "färbe", "y"]
    assert values_of(table, "färbe") == ["blau", "grün"]


def test_latin_1_is_told_with_its_line(write):
    notes = read_table(write("a,b\n1,x\n2,\xe9t\xe9\n".encode("latin-1"))).notes
    assert notes == ("data.csv, line 3 is not valid UTF-8, so the file was read as Latin-1 (Windows-1252)",)


def test_a_bad_byte_in_utf_8_is_replaced_and_told(write):
    content = "a,b\nété,1\nöl,2\n".encode() + b"caf\xff,3\n"
    table = read_table(write(content))
    assert values_of(table, "a") == ["été", "öl", "caf�"]
    assert table.notes == ("data.csv, line 4: bytes that are not UTF-8 were replaced by U+FFFD",)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_make_no_difference(write, end):
    assert same(read_table(write(PLAIN.replace("\n", end))), read_table(write(PLAIN, "plain.csv")))


def test_mixed_line_ends_make_no_difference(write):
    mixed = PLAIN.replace("\n", "\r\n", 2)
    assert same(read_table(write(mixed)), read_table(write(PLAIN, "plain.csv")))


@pytest.mark.parametrize(
    "content",
    [
        "\n\nx1,color,y\n\n1.5,red,no\n\n-2,blue,yes\n3e2,,no\n\n\n",
        " x1 , color , y \n 1.5 , red , no\n -2 , blue , yes\n 3e2 , , no\n",
        "x1,color,y,\n1.5,red,no,\n-2,blue,yes,\n3e2,,no,\n",
        "x1,color,y\n1.5,red,no,\n-2,blue,yes,\n3e2,,no,\n",
        '"x1","color","y"\n"1.5","red","no"\n"-2","blue","yes"\n"3e2","","no"\n',
        "sep=,\nx1,color,y\n1.5,red,no\n-2,blue,yes\n3e2,,no\n",
        "# made by hand\nx1,color,y\n1.5,red,no\n-2,blue,yes\n3e2,,no\n",
        PLAIN.rstrip("\n"),
        PLAIN.replace("2", "2\0"),
    ],
    ids=["blank lines", "padding", "trailing", "trailing rows", "quotes", "sep", "comment", "no end", "nul"],
)
def test_untidy_files_hold_the_same_table(write, content):
    assert same(read_table(write(content)), read_table(write(PLAIN, "plain.csv")))


def test_row_names_without_a_header_are_kept_as_a_column(write):
    table = read_table(write("a,b\nr1,1,2\nr2,3,4\n"))
    assert names_of(table) == ["column_1", "a", "b"]
    assert "row names" in table.notes[0]


def test_quoted_fields_hold_anything(write):
    cells = ['a "quoted" word', "one,two", "first\nsecond", "tab\there"]
    rows = "".join('"{}",{}\n'.format(cell.replace('"', '""'), i) for i, cell in enumerate(cells))
    assert values_of(read_table(write("text,n\n" + rows)), "text") == cells


def test_backslash_escapes_are_understood(write):
    table = read_table(write('text,n\n"say \\"yes\\" now",1\n"plain, too",2\n'))
    assert values_of(table, "text") == ['say "yes" now', "plain, too"]


@pytest.mark.parametrize(
    "name",
    ["a\nb", "tab\there", "'; DROP TABLE t; --", '"', "<script>", "\u202eabc", "[/red]", "$x$", "x" * 100_000, "=1+1"],
)
def test_names_survive_unharmed(write, name):
    header = '"{}",y\n'.format(name.replace('"', '""'))
    assert names_of(read_table(write(header + "1,2\n3,4\n"), keep="y")) == [name, "y"]


def test_names_that_differ_in_case_both_survive(write):
    table = read_table(write("X1,x1,y\n1,2,a\n3,4,b\n"))
    assert names_of(table) == ["X1", "x1", "y"]
    assert values_of(table, "x1") == [2.0, 4.0]
    assert read_table(write("X1,x1,y\n1,2,a\n3,4,b\n"), where="x1 > 3 AND X1 < 4").n_rows == 1


def test_duplicate_names_are_numbered(write):
    table = read_table(write("a,a,y\n1,2,3\n4,5,6\n"))
    assert names_of(table) == ["a", "a_2", "y"]
    assert "duplicate" in table.notes[0]
    assert "2 columns named 'a'" in refusal(write("a,a,y\n1,2,3\n4,5,6\n"), keep="a")


def test_a_missing_header_is_noticed(write):
    table = read_table(write("1.5,2,0\n2.5,3,1\n3.5,4,0\n"))
    assert names_of(table) == ["column_1", "column_2", "column_3"]
    assert table.n_rows == 3
    assert "first line looks like data" in table.notes[0]
    assert "looks like data" in refusal(write("1.5,red,no\n2.5,blue,yes\n"), keep="y")


@pytest.mark.parametrize("header", ["0,1,2", "1,2,3", "2019,2020,2021"])
def test_numbers_that_count_up_are_a_header(write, header):
    assert names_of(read_table(write(header + "\n1.5,2.5,3.25\n7.5,2.5,0.25\n"))) == header.split(",")


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", "NA", "n/a", "3"], "number", [1, None, None, 3]),
        (["1", "?", "-", ""], "number", [1, None, None, None]),
        (["1", "inf", "1e400", "-Infinity"], "number", [1, None, None, None]),
        (["1,234.5", "2,000", "7", "1,000,000"], "number", [1234.5, 2000, 7, 1e6]),
        (["45%", "5.5%", "100%", "7 %"], "number", [45, 5.5, 100, 7]),
        (["$3", "-$4.50", "€1,000", "12"], "number", [3, -4.5, 1000, 12]),
        (["1,5", "2,25", "-3", "1.234,5"], "number", [1.5, 2.25, -3, 1234.5]),
        (["0012", "0450", "1234", "9999"], "text", ["0012", "0450", "1234", "9999"]),
        (["0.5", "0", "00.5", "1"], "number", [0.5, 0, 0.5, 1]),
        (["true", "FALSE", "t", ""], "boolean", [1, 0, 1, None]),
        (["Yes", "no", "1", "0"], "boolean", [1, 0, 1, 0]),
        (["0", "1", "1", "0"], "number", [0, 1, 1, 0]),
        (["F", "F", "F", "F"], "text", ["F"] * 4),
        (["none", "brick", "None", "stone"], "text", ["none", "brick", None, "stone"]),
        ([" none", "brick", "\tNone ", " stone "], "text", ["none", "brick", None, "stone"]),
        (["", "", "NA", ""], "number", [None] * 4),
        (["99999999999999999999999", "1", "2", "3"], "number", [1e23, 1, 2, 3]),
        (["0x1F", "0x2F", "1", "2"], "text", ["0x1F", "0x2F", "1", "2"]),
    ],
)
def test_kinds_follow_the_values(write, cells, kind, values):
    body = "".join(f'"{cell}",{i}\n' for i, cell in enumerate(cells))
    column = read_table(write("c,n\n" + body)).columns[0]
    assert column.kind == kind
    assert [None if is_missing(v) else v for v in column.values.tolist()] == values


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2020-01-31", "2021-12-01"], "2020-01-31"),
        (["2020/1/31", "2021/12/01"], "2020-01-31"),
        (["2020-01-31T10:30:00Z", "2020-01-31 10:30"], "2020-01-31T10:30"),
        (["2020-01-31 10:00:00+02:00", "2020-02-01 10:00:00+02:00"], "2020-01-31T08:00"),
        (["31/01/2020", "01/12/2021"], "2020-01-31"),
        (["01/31/2020", "12/01/2021"], "2020-01-31"),
        (["31.01.2020 08:15", "01.12.2021 08:16"], "2020-01-31T08:15"),
        (["Jan-2020", "Dec-2021"], "2020-01-01"),
        (["31 Jan 2020", "1 Dec 2021"], "2020-01-31"),
        (["January 31, 2020", "December 1, 2021"], "2020-01-31"),
    ],
)
def test_dates_in_one_clear_style_are_dates(write, cells, first):
    column = read_table(write("when,n\n" + "".join(f'"{cell}",{i}\n' for i, cell in enumerate(cells)))).columns[0]
    assert column.kind == "date"
    assert column.values.dtype == np.dtype("datetime64[us]")
    assert column.values[0] == np.datetime64(first)


@pytest.mark.parametrize("cells", [["01/02/2020", "03/04/2021"], ["2020-01-31", "2/3/20"]])
def test_dates_without_one_clear_style_stay_text(write, cells):
    table = read_table(write("when,n\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells))))
    assert table.columns[0].kind == "text"
    assert table.notes == ("column 'when': the dates have no one clear style, so it was read as text",)


def test_a_stray_word_among_numbers_is_missing_and_told_with_its_line(write):
    rows = "".join(f"{i},a\n" for i in range(60))
    table = read_table(write("x,y\n" + rows + "oops,b\n"))
    assert table.columns[0].kind == "number"
    assert np.isnan(table.columns[0].values[60])
    assert table.notes == ("column 'x': 1 value is not numeric (first 'oops', line 62), read as missing",)


def test_a_mixed_column_is_text_and_told(write):
    table = read_table(write("x,y\n" + "1,a\nred,b\n" * 10))
    assert table.columns[0].kind == "text"
    assert "mixes 10 numbers and 10 other values (first 'red', line 3)" in table.notes[0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,2,3", "data.csv, line 3: expected 2 fields, found 3 (too many; a ragged row): mend or remove that line"),
        ("1", "data.csv, line 3: expected 2 fields, found 1 (too few; a ragged row): mend or remove that line"),
        ('"open,2', "data.csv, line 3: a quoted field is not closed, or goes on after its closing quote"),
        ("1," + "x" * 3_000_000, "data.csv, line 3: the row is longer than 2,000,000 bytes, the limit for one row"),
    ],
    ids=["long", "short", "quote", "huge"],
)
def test_a_broken_row_is_refused_by_its_line(write, row, message):
    assert refusal(write(f"a,b\n1,2\n{row}\n3,4\n5,6\n")) == message


def test_a_ragged_row_is_found_far_behind_the_first_lines(write):
    content = "a,b\n" + "1,2\n" * 50_000 + "1,2,3\n" + "1,2\n" * 10
    assert "line 50002: expected 2 fields, found 3" in refusal(write(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "data.csv is empty (0 bytes)"),
        (b" \n\n \t\n", "data.csv is blank: no header and no rows (empty but for white space)"),
        (b"\xef\xbb\xbf", "data.csv is blank: no header and no rows (empty but for white space)"),
        (b"a,b,c\n", "data.csv has a header but no rows of data"),
        (b"\x89PNG\r\n\x1a\n123", "data.csv is a PNG picture (binary, not a table)"),
        (b"%PDF-1.7", "data.csv is a PDF document (binary, not a table)"),
        (
            bytes(range(256)) * 40,
            "data.csv is binary, not a text table: save it as CSV, Parquet or JSON lines (UTF-8)",
        ),
        (
            b"<!DOCTYPE html>\n<html><body>Log in, please</body></html>\n",
            "data.csv is an HTML page, not a table: perhaps a login or error page was saved in place of the data",
        ),
    ],
)
def test_what_is_no_table_is_refused(write, content, message):
    assert refusal(write(content)) == message


def test_one_column_is_refused(write):
    assert "only one column ('y')" in refusal(write("y\n1\n2\n"))


def test_workbooks_and_archives_are_refused(tmp_path):
    for inside, words in (("xl/workbook.xml", "save it as CSV"), ("notes.txt", "zip archive")):
        with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as archive:
            archive.writestr(inside, "x")
        assert words in refusal(str(tmp_path / "book.xlsx"))


def test_too_many_columns_are_refused(write):
    header = ",".join(f"c{i}" for i in range(100_000))
    assert "100,000 columns" in refusal(write(f"{header}\n{header.replace('c', '')}\n"))


def test_a_missing_file_names_its_neighbour(write, tmp_path):
    write(PLAIN, "iris.csv")
    assert refusal(str(tmp_path / "irris.csv")).endswith("irris.csv: no such file; did you mean 'iris.csv'?")


def test_irregular_files_are_refused(tmp_path):
    loop, pipe = tmp_path / "loop.csv", tmp_path / "pipe.csv"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    assert refusal(str(loop)) == "loop.csv is a symbolic link that leads back to itself"
    assert refusal(str(pipe)) == "pipe.csv is a pipe, not a regular file: use - to read from standard input"
    assert "is a directory" in refusal(str(tmp_path))
    assert refusal("/dev/zero") == "zero is a device, not a regular file"
    assert "no such file" in refusal(str(tmp_path / ("n" * 300)))


def test_permission_denied_is_said(write, monkeypatch):
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(PLAIN)
    monkeypatch.setattr("builtins.open", denied)
    assert refusal(path) == "data.csv cannot be read: permission denied"


@pytest.mark.parametrize("url", ["https://example.org/a.csv", "s3://bucket/key.parquet", "file:///etc/passwd"])
def test_urls_are_refused(url):
    assert "is a URL, and only local files are read" in refusal(url)


def test_names_with_glob_characters_are_files_first(write, tmp_path):
    star = write("a,b\n1,2\n3,4\n", "sta*r.csv")
    write("WRONG,b\n1,2\n", "staXr.csv")
    assert names_of(read_table(star)) == ["a", "b"]
    assert names_of(read_table(write("a,b\n1,2\n3,4\n", "data[1].csv"))) == ["a", "b"]
    assert "no file matches" in refusal(str(tmp_path / "none*.csv"))


def test_a_pattern_joins_files_with_the_same_columns(write, tmp_path):
    write("a,b\n1,x\n2,y\n", "part1.csv")
    write("b;a\nz;3\n", "part2.csv")
    table = read_table(str(tmp_path / "part*.csv"))
    assert values_of(table, "a") == [1.0, 2.0, 3.0]
    assert values_of(table, "b") == ["x", "y", "z"]
    assert table.notes[-1] == "2 files with the same columns were read as one table"
    write("a,c\n1,x\n", "part3.csv")
    assert "do not have the same columns (different: 'b', 'c')" in refusal(str(tmp_path / "part*.csv"))


def test_standard_input_is_read(monkeypatch, write):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PLAIN.encode())))
    table = read_table("-")
    assert same(table, read_table(write(PLAIN)))
    assert table.source.name == "standard input"


def test_gzip_is_known_by_its_content(write):
    packed = gzip.compress(PLAIN.encode())
    assert same(read_table(write(packed, "odd.csv")), read_table(write(PLAIN)))


def test_zstandard_is_known_by_its_content(write):
    zstandard = pytest.importorskip("zstandard")
    packed = zstandard.ZstdCompressor().compress(PLAIN.encode())
    assert same(read_table(write(packed, "odd.csv")), read_table(write(PLAIN)))
    assert "zstandard file is" in refusal(write(packed[:-5], "cut.csv"))


def test_damaged_gzip_is_refused(write):
    packed = gzip.compress(PLAIN.encode() * 50)
    assert "truncated: its end is missing" in refusal(write(packed[: len(packed) // 2]))
    assert "checksum (CRC)" in refusal(write(packed[:-8] + b"\0\0\0\0" + packed[-4:]))


def test_decompression_bombs_are_refused(write, monkeypatch):
    monkeypatch.setattr("lrfind.data.unpack.RATIO_FREE_BYTES", 1024**2)
    assert "200 times its size" in refusal(write(gzip.compress(b"a,b\n" + b"0,0\n" * 10**6)))


def test_json_lines_and_arrays_hold_the_same_table(write):
    records = [{"x1": 1.5, "color": "red", "y": "no"}, {"x1": -2, "color": "blue", "y": "yes"}]
    records.append({"x1": 300, "color": None, "y": "no"})
    lines = "\n".join(json.dumps(record) for record in records) + "\n"
    for content in (lines, json.dumps(records), json.dumps(records, indent=1), gzip.compress(lines.encode())):
        table = read_table(write(content))
        assert table.source.format == "jsonl"
        assert same(table, read_table(write(PLAIN, "plain.csv")))


def test_broken_json_is_refused_by_its_line(write):
    message = refusal(write('{"a": 1, "b": 2}\n{"a": 1, "b": }\n', "data.jsonl"))
    assert message == "data.jsonl, line 2: this is not valid JSON (one record a line is expected)"


def test_parquet_is_taken_at_its_word(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "data.parquet"
    columns = '1.5::DECIMAL(4, 2) AS n, true AS b, DATE \'2020-01-31\' AS d, \'0012\' AS "it\'s ""odd"""'
    duckdb.sql(f"COPY (SELECT {columns} UNION ALL SELECT 2, NULL, NULL, NULL) TO '{path}'")
    table = read_table(str(path))
    assert kinds_of(table) == ["number", "boolean", "date", "text"]
    assert names_of(table)[3] == 'it\'s "odd"'
    assert values_of(table, "n") == [1.5, 2.0]
    path.write_bytes(path.read_bytes()[:-20])
    assert "cannot be read as parquet" in refusal(str(path))


def test_columns_are_selected_and_the_kept_one_stays(write):
    path = write("a,b,c,y\n1,2,3,4\n5,6,7,8\n")
    assert names_of(read_table(path, columns=["c", "a"])) == ["a", "c"]
    assert names_of(read_table(path, columns=["a"], keep="y")) == ["a", "y"]
    assert names_of(read_table(path, drop=["y", "b"], keep="y")) == ["a", "c", "y"]
    assert refusal(path, columns=["bb"]).startswith("data.csv has no column 'bb' (--columns); did you mean 'b'?")
    assert "has no column 'zzz' (target); it has 'a', 'b', 'c', 'y'" in refusal(path, keep="zzz")


AGES = "age,job,ok,when\n" + "".join(
    f"{i},{'cook' if i % 2 else 'NA'},{'yes' if i < 5 else 'no'},2020-01-{i + 1:02}\n" for i in range(20)
)


@pytest.mark.parametrize(
    ("where", "n_rows"),
    [
        ("age >= 10", 10),
        ("AGE between 3 and 4 -- a remark", 2),
        ("job = 'cook' and age < 4", 2),
        ("job is null", 10),
        ("ok = 'yes'", 5),
        ("\"when\" >= DATE '2020-01-19'", 2),
        ("job like 'c%' or age = 0", 11),
        ("age::int % 5 = 0", 4),
    ],
)
def test_a_condition_filters_typed_columns(write, where, n_rows):
    assert read_table(write(AGES), where=where).n_rows == n_rows


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("1=1) union select * from read_csv('/etc/passwd'", "not one SQL condition"),
        ("1=1) union select (1", "not one SQL condition"),
        ("(select count(*) from read_csv('/etc/passwd')) > 0", "subquery"),
        ("exists (from read_text('/etc/passwd'))", "subquery"),
        ("age > 1; drop table kept", "not one SQL condition"),
        ("", "not one SQL condition"),
        ("*", "* is not allowed"),
        ("columns(*) > 1", "* is not allowed"),
        ("age > ?", "parameter"),
        ("row_number() over () < 3", "window function"),
        ("random() < 0.5", "may not use random()"),
        ("agee > 3", "no column 'agee'; did you mean age? Columns: age, job, ok, \"when\" (text"),
        ("age > 'old'", "Could not convert string 'old'"),
        ("job", "--where cannot be used: Could not convert string"),
        ("read_text('/etc/passwd') is not null", "--where cannot be used"),
        ("(" * 3000 + "1=1" + ")" * 3000, "not one SQL condition"),
        ("repeat('x', 100000000000) = job", "--where cannot be used"),
    ],
)
def test_a_condition_can_only_look_at_the_columns_of_a_row(write, where, words):
    path = write(AGES)
    with pytest.raises(UsageError):
        read_table(path, where=where)
    assert words in refusal(path, where=where)


def test_to_a_condition_infinity_and_nan_are_missing(write):
    table = read_table(write("x,y\n1,a\ninf,b\nNaN,c\n5,d\n-inf,e\n"), where="x > 3 OR x < 0")
    assert values_of(table, "y") == ["d"]


def test_a_condition_no_row_meets_is_an_error(write):
    assert refusal(write(AGES), where="age > 99") == "data.csv: no row meets the condition of --where"


def test_the_connection_opens_no_other_file(write, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    from lrfind.data.query import connect
    from lrfind.data.source import open_sources

    secret = write("secret,b\n1,2\n", "secret.csv")
    files = list(open_sources(write(PLAIN)))
    connection = connect(files)
    for sql in (
        f"FROM read_csv('{secret}')",
        f"FROM '{secret}'",
        "SELECT * FROM read_text('/etc/passwd')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/new.db'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SELECT * FROM files",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(sql)
    connection.close()
    files[0].file.close()


def numbered(n: int) -> str:
    return "i,word\n" + "".join(f"{i},w{i % 7}\n" for i in range(n))


def test_a_sample_is_uniform_seeded_and_in_order(write):
    path = write(numbered(5000))
    table = read_table(path, sample=500, seed=3)
    chosen = np.array(values_of(table, "i"))
    assert (table.n_rows, table.n_rows_total) == (500, 5000)
    assert table.notes == ("used 500 of 5,000 rows, chosen at random with seed 3",)
    assert (np.diff(chosen) > 0).all()
    # Mean of a uniform sample without replacement: sd = 5000 / sqrt(12 * 500) = 65.
    assert abs(chosen.mean() - 2499.5) < 5 * 65
    assert same(table, read_table(path, sample=500, seed=3))
    assert not same(table, read_table(path, sample=500, seed=4))


def test_a_sample_comes_from_the_rows_that_pass(write):
    table = read_table(write(numbered(3000)), where="i >= 1000", sample=100)
    assert (table.n_rows, table.n_rows_total) == (100, 2000)
    assert min(values_of(table, "i")) >= 1000  # type: ignore[type-var]


def test_a_sample_as_large_as_the_table_is_the_table(write):
    table = read_table(write(numbered(50)), sample=50)
    assert (table.n_rows, table.n_rows_total, table.notes) == (50, 50, ())


@pytest.mark.slow
def test_a_sample_does_not_depend_on_the_number_of_threads(write, monkeypatch):
    import duckdb

    path, connect, found = write(numbered(3_000_000)), duckdb.connect, []
    for threads in (1, 2, 4):
        monkeypatch.setattr(duckdb, "connect", lambda config, n=threads: connect(config={**config, "threads": n}))
        found.append(read_table(path, sample=1000))
    assert same(found[0], found[1])
    assert same(found[0], found[2])


@pytest.mark.slow
def test_rows_read_by_several_threads_keep_their_order(write, monkeypatch):
    import duckdb

    # Several pieces of CSV, and several row groups of the table they go into.
    n_rows = 2_000_000
    path, connect = write(numbered(n_rows)), duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda config: connect(config={**config, "threads": 4}))
    table = read_table(path, sample=n_rows)
    assert np.array_equal(table.columns[0].values, np.arange(n_rows))


@pytest.mark.parametrize(("options", "words"), [({"sample": 0}, "--sample is 0"), ({"seed": -1}, "--seed is -1")])
def test_options_out_of_range_are_refused(write, options, words):
    assert words in refusal(write(PLAIN), **options)


def test_arrays_become_a_table():
    X = np.array([[1.0, 2.0], [3.0, np.inf]])
    table = table_from_arrays(X, np.array(["a", "b"]))
    assert names_of(table) == ["x0", "x1", "target"]
    assert kinds_of(table) == ["number", "number", "text"]
    assert table.notes == ("column 'x1': 1 value is not finite, read as missing",)
    assert table.source.format == "arrays"


def test_arrays_keep_their_kinds():
    when = np.array(["2020-01-31", "NaT"], dtype="datetime64[D]")
    X = np.array([[True, 1, "a"], [None, None, None]], dtype=object)
    assert kinds_of(table_from_arrays(X, when, feature_names=["b", "n", "t"])) == ["boolean", "number", "text", "date"]


def test_a_data_frame_brings_its_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"n": [1, 2], "t": ["a", None], "b": [True, False], "d": pandas.to_datetime(["2020-01-31", None])}
    )
    frame["c"] = frame["t"].astype("category")
    table = table_from_arrays(frame, pandas.Series([0, 1], name="y"), target_name="y")
    assert names_of(table) == ["n", "t", "b", "d", "c", "y"]
    assert kinds_of(table) == ["number", "text", "boolean", "date", "text", "number"]
    assert values_of(table, "t") == ["a", None]


@pytest.mark.parametrize(
    ("X", "y", "options", "words"),
    [
        (np.zeros((2, 2)), np.zeros(3), {}, "X has 2 rows and y has 3"),
        (np.zeros((0, 2)), None, {}, "no rows"),
        (np.zeros((2, 0)), None, {}, "X has shape (2, 0)"),
        (np.float64(3), None, {}, "X has shape ()"),
        (np.zeros((2, 2)), np.zeros((2, 2)), {}, "one value a row"),
        (np.zeros((2, 2)), None, {"feature_names": ["a"]}, "feature_names has 1 names"),
        (np.zeros((2, 2)), None, {"feature_names": ["a", "a"]}, "same name twice"),
        (np.zeros((2, 1)), np.zeros(2), {"feature_names": ["target"]}, "names both"),
        (np.zeros((1, 10_001)), None, {}, "10,001 columns"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(X, y, options, words):
    with pytest.raises(DataError) as caught:
        table_from_arrays(X, y, **options)
    assert words in str(caught.value)


def test_npz_files_hold_x_and_y(tmp_path):
    path = str(tmp_path / "data.npz")
    np.savez(path, X=np.arange(20.0).reshape(10, 2), y=np.arange(10))
    table = read_table(path)
    assert names_of(table) == ["x0", "x1", "y"]
    assert table.source.format == "npz"
    assert read_table(path, sample=4).n_rows == 4
    assert "--where" in refusal(path, where="x0 > 1")
    np.savez(path, a=np.arange(3))
    assert "no array X" in refusal(path)


def test_npz_files_with_pickles_are_refused(tmp_path):
    path = str(tmp_path / "data.npz")
    np.savez(path, X=np.array([{}, []], dtype=object), y=np.arange(2))
    assert "pickles are not opened" in refusal(path)


@pytest.mark.parametrize("content", [b"\xff\xfea\xd8\x00\x00b", b"\xff\xfe \x00\n\x00"])
def test_a_copy_that_comes_to_nothing_is_closed(tmp_path, content, monkeypatch):
    made = []

    def recorded(*args, **options):
        made.append(tempfile.NamedTemporaryFile(*args, **options))  # noqa: SIM115 - what is tested is who closes it
        return made[-1]

    monkeypatch.setattr("lrfind.data.textfile.tempfile.TemporaryFile", recorded)
    path = tmp_path / "wide.csv"
    path.write_bytes(content)
    refusal(str(path))
    assert made
    assert all(file.closed for file in made)
