"""LR307: rows of the training part lie in the validation part too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dataset_fixture import dataset_of, finding_of, good_columns

from lrfind.problem import make_problem


def with_copies(share: float) -> dict[str, np.ndarray]:
    columns = good_columns()
    n_copies = round(240 * share)
    return {name: np.concatenate([values, values[:n_copies]]) for name, values in columns.items()}


@pytest.mark.parametrize(("share", "severity"), [(0.06, "warning"), (0.3, "warning"), (0.7, "error")])
def test_it_fires_and_many_are_an_error(tmp_path: Path, share: float, severity: str) -> None:
    finding = finding_of("LR307", dataset_of(with_copies(share), tmp_path))
    assert (finding.state, finding.severity) == ("found", severity)


def test_the_count_is_that_of_a_set(tmp_path: Path) -> None:
    dataset = dataset_of(with_copies(0.5), tmp_path)
    problem = dataset.problem
    train = {(*row, y) for row, y in zip(problem.X_train.tolist(), problem.y_train.tolist(), strict=True)}
    shared = sum((*row, y) in train for row, y in zip(problem.X_val.tolist(), problem.y_val.tolist(), strict=True))
    assert finding_of("LR307", dataset).evidence["n_shared"] == shared


def test_it_stays_quiet_when_copies_stay_on_one_side(tmp_path: Path) -> None:
    columns = with_copies(1.0) | {"pair": np.tile([f"p{i}" for i in range(60)], 8)}
    columns = {"pair": columns["pair"], **{name: values for name, values in columns.items() if name != "pair"}}
    assert finding_of("LR307", dataset_of(columns, tmp_path, split="group:pair")).state == "passed"


def test_it_stays_quiet_where_short_rows_repeat_by_chance(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(0, 3, 240) for name in "abc"} | {"y": rng.choice(["p", "n"], 240)}
    assert finding_of("LR307", dataset_of(columns, tmp_path)).state == "passed"


def test_rows_of_common_values_that_repeat_by_nature_are_a_warning(tmp_path: Path) -> None:
    # most rows are one of ten states that a machine returns to; the others are measured and never repeat
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=400).round(4) for name in "abcd"} | {"y": rng.choice(["p", "n"], 400)}
    idle = rng.integers(0, 10, 300)
    for values in columns.values():
        values[:300] = values[idle]
    order = rng.permutation(400)
    finding = finding_of("LR307", dataset_of({name: values[order] for name, values in columns.items()}, tmp_path))
    assert (finding.state, finding.severity) == ("found", "warning")
    assert finding.evidence["share"] > 0.5
    assert finding.evidence["share_of_rare_rows"] < 0.25


def test_it_does_not_apply_where_texts_were_not_read_to_their_end(tmp_path: Path) -> None:
    # alike but for the end of the texts
    columns = good_columns() | {name: np.arange(240) % 2 for name in "abc"}
    whole = dataset_of({"text": [f"{i % 9} {'word ' * 60}{i}" for i in range(240)], **columns}, tmp_path)
    for most, used in ((0, "dropped: not read"), (1, "beginning of text")):
        problem = make_problem(whole.table, target="y", most_pieces=most)
        dataset = replace(whole, problem=problem)
        assert {made.column: made.how for made in problem.encodings}["text"] == used
        assert "text" in dataset.used
        assert finding_of("LR307", dataset).message == "There was no time to read all texts to their end."
        assert finding_of("LR306", dataset).state == "passed"
