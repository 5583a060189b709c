"""LR302: one column alone gives the target away."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, finding_of, good_columns
from hypothesis import given
from hypothesis import strategies as st

from lrfind.checks.dataset.leak import class_guesses, lone_skill


def regression(n_rows: int = 200, *, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n_rows)).round(4)
    return {"a": a, "b": b, "y": (a + rng.normal(size=n_rows)).round(4)}


def test_a_copy_in_other_units_is_an_error(tmp_path: Path) -> None:
    columns = regression()
    finding = finding_of("LR302", dataset_of({"settled": 2 * columns["y"] + 1, **columns}, tmp_path))
    assert (finding.state, finding.severity) == ("found", "error")
    assert "'settled'" in finding.message
    assert finding.evidence["best_skill"] == 1


@pytest.mark.parametrize("name", ["after", "Y2"])
def test_a_class_under_another_name_is_an_error(tmp_path: Path, name: str) -> None:
    columns = good_columns()
    finding = finding_of("LR302", dataset_of({name: [f"s-{label}" for label in columns["y"]], **columns}, tmp_path))
    assert (finding.state, finding.severity) == ("found", "error")
    assert f"'{name}'" in finding.message


def test_a_column_that_is_nearly_the_target_is_a_warning(tmp_path: Path) -> None:
    columns = regression()
    near = columns["y"] + 0.05 * np.random.default_rng(1).normal(size=200)
    finding = finding_of("LR302", dataset_of({"near": near, **columns}, tmp_path))
    assert (finding.state, finding.severity) == ("found", "warning")


def test_it_stays_quiet_on_honest_columns(tmp_path: Path) -> None:
    assert finding_of("LR302", dataset_of(regression(), tmp_path)).state == "passed"
    assert finding_of("LR302", dataset_of(good_columns(), tmp_path)).state == "passed"


def test_a_column_of_texts_that_never_repeat_tells_nothing(tmp_path: Path) -> None:
    columns = {"word": [f"w{i} and more words {i}" for i in range(240)], **good_columns()}
    dataset = dataset_of(columns, tmp_path)
    assert lone_skill(dataset, "word").skill <= 0


def test_the_skill_of_a_threshold_is_that_of_its_neighbours(tmp_path: Path) -> None:
    # in order of x, only the two rows beside the border have neighbours on both sides
    columns = {"x": np.arange(100) * 1.5, "y": np.where(np.arange(100) < 50, "l", "h")}
    assert lone_skill(dataset_of(columns, tmp_path), "x").skill == pytest.approx(1.0, abs=0.05)


def test_it_does_not_apply_to_a_handful_of_rows(tmp_path: Path) -> None:
    assert finding_of("LR302", dataset_of(good_columns(12), tmp_path)).state == "not_applicable"


def counted(codes: np.ndarray, y: np.ndarray, *, row: int, ordered: bool) -> int:
    """Return the class that rows like one have most often, counted one by one."""
    like = [other for other in range(len(y)) if other != row and codes[other] == codes[row]]
    if ordered and not like and codes[row] >= 0:
        order = sorted(range(len(y)), key=lambda other: codes[other])
        place = order.index(row)
        like = order[max(place - 2, 0) : place] + order[place + 1 : place + 3]
    votes = Counter(int(y[other]) for other in like)
    return min(votes, key=lambda label: (-votes[label], label)) if votes else -1


@given(st.data(), st.booleans())
def test_guesses_are_those_of_counting_row_by_row(data: st.DataObject, ordered: bool) -> None:
    n_rows = data.draw(st.integers(2, 30))
    codes, y = (
        np.array(data.draw(st.lists(st.integers(*bounds), min_size=n_rows, max_size=n_rows)))
        for bounds in ((-1, 25), (0, 3))
    )
    guesses = class_guesses(codes, y, n_classes=4, ordered=ordered)
    assert guesses.tolist() == [counted(codes, y, row=row, ordered=ordered) for row in range(n_rows)]


def test_a_thousand_classes_are_looked_at(tmp_path: Path) -> None:
    labels = np.repeat([f"c{i:03d}" for i in range(1000)], 20)
    y = np.random.default_rng(0).permutation(labels)
    columns = {"settled": [f"s-{label}" for label in y], "a": np.arange(len(y)) % 7, "y": y}
    assert lone_skill(dataset_of(columns, tmp_path), "settled").is_copy


def test_a_copy_of_a_few_rare_cases_may_be_an_honest_test(tmp_path: Path) -> None:
    columns = good_columns(600)
    columns["y"] = np.where(np.arange(600) % 20 == 7, "ill", "well")
    finding = finding_of("LR302", dataset_of({"test": np.where(columns["y"] == "ill", "+", "-"), **columns}, tmp_path))
    assert (finding.state, finding.severity) == ("found", "warning")
