"""Baselines as a file: whole, readable, and refused when damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from baseline_fixture import against, trained_dataset
from dataset_fixture import good_columns

from lrfind.checks.baseline import baseline_of
from lrfind.errors import DataError, OutputError
from lrfind.examine.baseline_file import (
    as_text,
    baseline_key,
    baseline_path,
    choose_baseline,
    read_baselines,
    write_baselines,
)

COLUMNS = {"when": range(240), "colour": ["red", 'b"l', "\u202e"] * 80, "flag": ["yes", "no"] * 120, **good_columns()}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory):
    return trained_dataset(tmp_path_factory.mktemp("table"), COLUMNS)


def test_what_is_written_is_read(dataset, tmp_path: Path) -> None:
    path = tmp_path / "lrfind-baseline.json"
    write_baselines(path, {"t.csv": baseline_of(dataset)}, version="1.0")
    read = read_baselines(path)
    assert list(read) == ["t.csv"]
    assert as_text(read, version="1.0") == path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("code", ["LR321", "LR322", "LR323", "LR324"])
def test_a_dataset_fits_its_own_baseline(dataset, tmp_path: Path, code: str) -> None:
    path = tmp_path / "b.json"
    write_baselines(path, {"t": baseline_of(dataset)}, version="1.0")
    assert against(code, dataset, read_baselines(path)["t"]).state == "passed"


def test_a_column_is_a_line_and_the_file_is_small(dataset) -> None:
    text = as_text({"t": baseline_of(dataset)}, version="1.0")
    assert sum(line.startswith('    "') for line in text.splitlines()) == len(COLUMNS)
    assert len(text) < 400 * len(COLUMNS)
    assert json.loads(text)["datasets"]["t"]["columns"]["when"]["order"] == "rising"


def broken(text: str) -> dict[str, str]:
    document = json.loads(text)
    column = document["datasets"]["t"]["columns"]["a"]
    return {
        "cut": text[: len(text) // 2],
        "empty": "",
        "list": "[]",
        "deep": "[" * 100_000,
        "no version": json.dumps({"datasets": {}}),
        "no datasets": json.dumps({"schema_version": 1}),
        "counts": text.replace(json.dumps(column["counts"]), "[1]"),
        "kind": text.replace('"kind": "number"', '"kind": "complex"'),
        "trained": text.replace('"loss": ', '"lost": '),
        "columns": json.dumps({"schema_version": 1, "datasets": {"t": {"columns": []}}}),
    }


@pytest.mark.parametrize(
    "how",
    list(
        broken(
            as_text({}, version="1").replace('"datasets": {', '"datasets": {"t": {"columns": {"a": {"counts": []}}}')
        )
    ),
)
def test_a_damaged_file_is_refused_by_name(dataset, tmp_path: Path, how: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(broken(as_text({"t": baseline_of(dataset)}, version="1.0"))[how], encoding="utf-8")
    with pytest.raises(DataError, match=r"b\.json is damaged"):
        read_baselines(path)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text('{"schema_version": 2, "datasets": {}}', encoding="utf-8")
    with pytest.raises(DataError, match="newer lrfind"):
        read_baselines(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--update-baseline"):
        read_baselines(tmp_path / "b.json")


def test_a_file_that_cannot_be_written_leaves_what_was_there(
    dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.json"
    path.write_text("before", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OutputError, match="no space left"):
        write_baselines(path, {"t": baseline_of(dataset)}, version="1.0")
    assert [p.read_text(encoding="utf-8") for p in tmp_path.iterdir()] == ["before"]


def test_it_lies_beside_the_data_unless_named() -> None:
    assert baseline_path("data/t.csv", None) == Path("data/lrfind-baseline.json")
    assert baseline_path("data/t.csv", "b.json") == Path("b.json")
    assert baseline_path("-", None) is None


@pytest.mark.parametrize(
    ("source", "baseline", "key"),
    [
        ("data/t.csv", "data/lrfind-baseline.json", "t.csv"),
        ("data/t.csv", "b.json", "data/t.csv"),
        ("data/*.csv", "b.json", "data/*.csv"),
        ("data/t.csv", "other/b.json", "t.csv"),
        ("-", "b.json", "-"),
    ],
)
def test_a_table_is_known_by_its_place_below_the_baseline(source: str, baseline: str, key: str) -> None:
    assert baseline_key(source, Path(baseline)) == key


def test_the_only_baseline_of_a_file_named_for_a_table_is_meant(dataset) -> None:
    one = baseline_of(dataset)
    path = Path("b.json")
    assert choose_baseline({"old.csv": one}, "new.csv", path=path, is_sole=True) == (one, "")
    for stored, is_sole in (({"old.csv": one}, False), ({"old.csv": one, "x.csv": one}, True)):
        found, reason = choose_baseline(stored, "new.csv", path=path, is_sole=is_sole)
        assert found is None
        assert "is of 'old.csv'" in reason
    assert choose_baseline({"new.csv": one}, "new.csv", path=path, is_sole=False) == (one, "")
    assert "no baseline" in choose_baseline({}, "new.csv", path=path, is_sole=True)[1]
