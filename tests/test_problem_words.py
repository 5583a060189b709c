"""Texts taken apart: as scikit-learn does, each different piece once, and no more of them than there is time for."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfind.data import Table, read_table
from lrfind.problem import make_problem
from lrfind.problem.levels import read_texts
from lrfind.problem.words import (
    MAX_LETTERS,
    Reading,
    _Pieces,
    fit_text,
    letter_groups_of,
    readings,
    volume_of,
    words_of,
)

PHRASES = [f"red car {i} of the north {i % 7}" for i in range(100)]
PROSE = [f"{' '.join(f'word{i * j % 50}' for j in range(1, 41))} end{i}" for i in range(100)]
BOTH = [volume_of(PHRASES), volume_of(PROSE)]


@pytest.mark.slow
@given(st.text())
def test_pieces_are_those_of_scikit_learn(text: str) -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    groups = CountVectorizer(analyzer="char_wb", ngram_range=(3, 4)).build_analyzer()
    assert sorted(_Pieces(letter_groups_of)(text)) == sorted(groups(text))
    assert sorted(_Pieces(words_of)(text)) == sorted(CountVectorizer().build_analyzer()(text))


def test_texts_are_read_whole_where_there_is_time() -> None:
    whole = [Reading(by_words=False), Reading(by_words=True)]
    assert readings(BOTH, most=None) == readings(BOTH, most=10**6) == whole
    assert whole[0].letters == MAX_LETTERS


def test_phrases_are_read_by_words_where_letter_groups_are_too_many() -> None:
    n_letters = sum(map(len, PHRASES))
    assert readings([volume_of(PHRASES)], most=2 * n_letters + 2500) == [Reading(by_words=False)]
    assert readings([volume_of(PHRASES)], most=2 * n_letters + 2499) == [Reading(by_words=True)]
    names = [f"name{i}" for i in range(100)]
    assert readings([volume_of(names)], most=1)[0].by_words is False


def test_beginnings_are_read_where_words_are_too_many() -> None:
    n_words, mean = 41 * 100, sum(map(len, PROSE)) / 100
    (half,) = readings([volume_of(PROSE)], most=n_words // 2 + 2500)
    assert (half.by_words, half.letters) == (True, pytest.approx(mean / 2, abs=1))
    assert readings([volume_of(PROSE)], most=1)[0].letters == 40
    assert readings([], most=1) == []


@pytest.mark.slow
def test_a_table_says_that_its_texts_were_only_begun(tmp_path: Path) -> None:
    table = table_of(tmp_path, text=PROSE, a=[i % 5 for i in range(100)], y=["yes", "no"] * 50)
    whole, quick = make_problem(table), make_problem(table, most_pieces=1000)
    assert "of each text in 'text' only the first" not in " ".join(whole.notes)
    assert "of each text in 'text' only the first" in " ".join(quick.notes)
    assert whole.n_features == quick.n_features


def table_of(folder: Path, **columns: list[object]) -> Table:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_table(str(folder / "table.csv"))


def test_without_time_texts_are_left_out_and_scikit_learn_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    table = table_of(tmp_path, text=PROSE, a=[i % 50 for i in range(100)], y=["yes", "no"] * 50)
    problem = make_problem(table, most_pieces=0)
    assert "text 'text' was left out: there was no time to read it" in problem.notes
    assert problem.features == ("a",)


def test_without_time_texts_that_repeat_become_their_most_frequent_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    texts = [f"red car {max(i - 30, 0)}" for i in range(100)]
    table = table_of(tmp_path, text=texts, a=[i % 5 for i in range(100)], y=["yes", "no"] * 50)
    problem = make_problem(table, most_pieces=0)
    assert "text=red car 0" in problem.features
    assert [made.how for made in problem.encodings] == ["frequent levels for want of time", "standardised"]
    assert "features by its most frequent values alone: there was no time to read it" in " ".join(problem.notes)


@pytest.mark.slow
def test_texts_are_read_all_the_same_where_there_is_nothing_else(tmp_path: Path) -> None:
    table = table_of(tmp_path, long=PROSE, short=PHRASES, y=["yes", "no"] * 50)
    problem = make_problem(table, most_pieces=0)
    assert {made.column: made.how for made in problem.encodings} == {
        "long": "dropped: not read",
        "short": "beginning of text",
    }


@pytest.mark.slow
@pytest.mark.parametrize("texts", [PHRASES, PROSE])
def test_a_text_that_was_fitted_on_gets_the_features_it_would_get_as_a_new_one(texts: list[str]) -> None:
    column, rows = read_texts(np.array([*texts, None], dtype=object)), np.arange(80)
    (reading,) = readings([volume_of(texts)], most=None)
    encoder = fit_text("text", column, rows=rows, reading=reading, most=5, seed=0)
    knowing, forgetful = np.empty((2, 101, 5), np.float32)
    encoder.write(column, np.arange(101), out=knowing)
    replace(encoder, known={}).write(column, np.arange(101), out=forgetful)
    np.testing.assert_allclose(knowing, forgetful, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("texts", "most"), [(PHRASES, 5), (PROSE, 20), (["aa", "bb", "aa bb", "bb cc"] * 5, 7)])
def test_texts_become_what_skrub_makes_of_them(texts: list[str], most: int) -> None:
    import pandas as pd
    from skrub import StringEncoder

    reading = Reading(by_words=True)
    encoder = fit_text("text", read_texts(np.array(texts, object)), rows=np.arange(len(texts)), reading=reading,
                       most=most, seed=3)  # fmt: skip
    assert encoder is not None
    theirs = StringEncoder(n_components=most, analyzer="word", ngram_range=(1, 1), random_state=3)
    with warnings.catch_warnings():
        # of fewer words than components
        warnings.simplefilter("ignore")
        expected = theirs.fit_transform(pd.Series(sorted(set(texts)), dtype="str", name="text")).to_numpy()
    # skrub scales all components together, here each is standardised
    np.testing.assert_allclose(encoder.components, expected * theirs.scaling_factor_, rtol=1e-4, atol=1e-5)
