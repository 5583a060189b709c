"""LR321: columns, kinds, target, classes or an order of rows are not what they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from baseline_fixture import against, trained_dataset
from dataset_fixture import dataset_of, good_columns

from lrfind.checks.baseline import baseline_of, check_baseline


def without(columns: dict[str, object], name: str) -> dict[str, object]:
    return {key: values for key, values in columns.items() if key != name}


OLD = {"when": np.arange(240), **good_columns()}
OLD["y"] = np.where(OLD["y"] == "yes", "good", "bad")
CHANGES = {
    "gone: 'b'": without(OLD, "b"),
    "new: 'extra'": {"extra": good_columns()["a"] + 1, **OLD},
    "'c' was number and is text": OLD | {"c": [f"t{i % 5}" for i in range(240)]},
    "order of 'when'": OLD | {"when": np.arange(240)[::-1]},
    "classes come or gone: 'maybe'": OLD | {"y": np.where(np.arange(240) < 30, "maybe", OLD["y"])},
    "empty or no longer so: 'c'": OLD | {"c": [None] * 240},
    "the task was classification and is regression": OLD | {"y": np.arange(240) * 1.5},
}


@pytest.mark.parametrize("said", CHANGES)
def test_it_fires_and_says_what_changed(tmp_path: Path, said: str) -> None:
    baseline = baseline_of(dataset_of(OLD, tmp_path))
    finding = against("LR321", dataset_of(CHANGES[said], tmp_path), baseline)
    assert (finding.state, finding.severity) == ("found", "error")
    assert said in finding.message


def test_another_target_is_a_change(tmp_path: Path) -> None:
    baseline = baseline_of(dataset_of(OLD, tmp_path))
    assert "the target was 'y' and is 'a'" in against("LR321", dataset_of(OLD, tmp_path, target="a"), baseline).message


def test_it_stays_quiet_when_only_the_place_of_columns_changed(tmp_path: Path) -> None:
    baseline = baseline_of(dataset_of(OLD, tmp_path))
    assert against("LR321", dataset_of(dict(reversed(OLD.items())), tmp_path), baseline).state == "passed"


def test_an_order_that_chance_makes_is_none(tmp_path: Path) -> None:
    last, first = np.zeros(240, int), np.zeros(240, int)
    last[-1], first[0] = 1, 1
    baseline = baseline_of(dataset_of({"flag": last, **good_columns()}, tmp_path))
    assert baseline.orders["flag"] == ""
    assert against("LR321", dataset_of({"flag": first, **good_columns()}, tmp_path), baseline).state == "passed"


def test_rows_sorted_by_the_target_may_be_shuffled(tmp_path: Path) -> None:
    columns = good_columns()
    order = np.argsort(columns["y"], kind="stable")
    baseline = baseline_of(dataset_of({name: values[order] for name, values in columns.items()}, tmp_path))
    assert against("LR321", dataset_of(columns, tmp_path), baseline).state == "passed"


def test_a_nearly_empty_column_may_be_empty_by_chance(tmp_path: Path) -> None:
    old = {"remark": ["late"] + [None] * 239, **good_columns()}
    new = old | {"remark": [None] * 240}
    for before, after in ((old, new), (new, old)):
        baseline = baseline_of(dataset_of(before, tmp_path))
        assert against("LR321", dataset_of(after, tmp_path), baseline).state == "passed"


def test_none_of_the_family_applies_without_a_baseline(tmp_path: Path) -> None:
    findings = check_baseline(trained_dataset(tmp_path), None)
    assert [finding.code for finding in findings] == ["LR321", "LR322", "LR323", "LR324"]
    assert {finding.state for finding in findings} == {"not_applicable"}


@pytest.mark.parametrize(("n_rows", "severity"), [(3, "warning"), (60, "error")])
def test_a_class_that_chance_may_leave_out_is_a_warning(tmp_path: Path, n_rows: int, severity: str) -> None:
    baseline = baseline_of(dataset_of(OLD, tmp_path))
    labels = np.where(np.arange(240) < n_rows, "maybe", OLD["y"])
    finding = against("LR321", dataset_of(OLD | {"y": labels}, tmp_path), baseline)
    assert (finding.state, finding.severity) == ("found", severity)
    # older files do not say how many rows a class had
    older = replace(baseline, classes=("bad", "good", "maybe"), class_rows=())
    assert against("LR321", dataset_of(OLD, tmp_path), older).severity == "error"
