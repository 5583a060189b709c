"""LR303: a column holds one value, or none."""

from __future__ import annotations

import shlex
from pathlib import Path

from dataset_fixture import dataset_of, finding_of, good_columns

from lrfind.checks.dataset.columns import drop_option
from lrfind.cli.process import names


def test_it_fires_on_one_value_and_on_none(tmp_path: Path) -> None:
    columns = {"Fixed": [3] * 240, "hollow": [None] * 240, **good_columns()}
    finding = finding_of("LR303", dataset_of(columns, tmp_path))
    assert (finding.state, finding.severity) == ("found", "warning")
    assert "'Fixed'" in finding.message
    assert "'hollow'" in finding.message
    assert finding.evidence["n_columns"] == 2


def test_it_stays_quiet_when_one_row_differs(tmp_path: Path) -> None:
    assert finding_of("LR303", dataset_of({"x": [3] * 239 + [4], **good_columns()}, tmp_path)).state == "passed"


def test_it_always_applies(tmp_path: Path) -> None:
    assert finding_of("LR303", dataset_of(good_columns(), tmp_path)).state == "passed"


def test_the_option_it_ends_with_leaves_out_just_those_columns() -> None:
    columns = ["a", "two words", "x,y", 'say "hi"', "it's", *(f"c{i}" for i in range(20))]
    (_, typed) = shlex.split(drop_option(columns))
    assert names(typed) == tuple(columns)


def test_of_many_long_names_the_first_are_given_and_the_rest_counted() -> None:
    option = drop_option([f"a very long name of a column, number {i}" for i in range(100)])
    (_, typed, *more) = shlex.split(option)
    assert len(option) < 400
    assert f"and {100 - len(names(typed))} more".split() == more
    assert drop_option(["\x1b[31m"]) == "--drop"


def test_a_value_that_is_there_or_not_is_no_constant(tmp_path: Path) -> None:
    marks = {
        "coupon": ["YES" if i % 3 else None for i in range(240)],
        "lot": ["red" if i % 3 == 1 else None for i in range(240)],
        "flag": [7 if i % 5 else None for i in range(240)],
    }
    dataset = dataset_of({**marks, **good_columns()}, tmp_path)
    assert finding_of("LR303", dataset).state == "passed"
    # nor is it a column of which most is missing
    assert finding_of("LR315", dataset).state == "passed"
    assert set(marks) <= set(dataset.used)


def test_a_coupon_that_decides_the_target_is_a_leak_and_no_constant(tmp_path: Path) -> None:
    columns = good_columns()
    coupon = ["YES" if y == "yes" else None for y in columns["y"]]
    dataset = dataset_of({"coupon": coupon, **columns}, tmp_path)
    assert finding_of("LR303", dataset).state == "passed"
    leak = finding_of("LR302", dataset)
    assert (leak.state, leak.severity) == ("found", "error")
    assert "Column 'coupon' is a copy of the target 'y'" in leak.message
