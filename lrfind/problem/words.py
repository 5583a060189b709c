"""Texts that do not repeat: names, sentences, documents.

They become what skrub's `StringEncoder` makes of them, latent semantic analysis of their tf-idf weights, put together
here from scikit-learn: importing skrub takes twice as long. Even scikit-learn is imported only when a table has such a
column, for that takes longer than all else this package does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lrfind.problem.levels import RowArray, Texts

# Components kept of short texts (skrub's default) and of prose. Measured on film reviews and news: of 100 a linear
# model learns twice what it learns of 30.
N_COMPONENTS, N_PROSE_COMPONENTS = 30, 100
# Different texts a component must rest on.
TEXTS_PER_COMPONENT = 5
# Texts of more words than this on average are prose and are read by words, shorter ones by letter groups, which see
# the kinship of 'chevrolet' and 'chevy'. Letter groups of prose take five times as long and tell no more.
PROSE_WORDS = 8
# Letters of a text that are read; a text as long as a book says what it is about in its first pages.
MAX_LETTERS = 20_000
# Letters of a text in which words are counted; the rest is taken to have as many.
COUNTED = 500
# The least that is read of a text where there is little time: a line.
FEWEST_READ = 40
# What became of a column of texts that were not read to their end.
BEGUN = "beginning of text"
# Words a text has on average from which it can be read by words at all.
PHRASE_WORDS = 1.5
# A letter begins a group of three and one of four.
GROUPS_PER_LETTER = 2
# Pieces that take as long as a text does however short it is: seven microseconds, at a quarter of one a piece.
PIECES_PER_TEXT = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How texts are taken apart.

    Attributes
    ----------
    by_words : bool
        Else by letter groups.
    letters : int
        Read of each text.
    """

    by_words: bool
    letters: int = MAX_LETTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How much text a column holds; counted once, for a long text takes as long to count as to read.

    Attributes
    ----------
    n_texts, n_words, n_letters : int
        Of the different texts.
    """

    n_texts: int
    n_words: int
    n_letters: int

    @property
    def is_prose(self) -> bool:
        """Whether texts are rather read by words."""
        return self.n_words > PROSE_WORDS * self.n_texts

    def n_pieces(self, *, by_words: bool) -> int:
        """Return how many pieces the texts are taken apart into, and what each text takes beside them."""
        n_pieces = self.n_words if by_words else GROUPS_PER_LETTER * self.n_letters
        return n_pieces + PIECES_PER_TEXT * self.n_texts


def volume_of(texts: Collection[str]) -> Volume:
    """Count texts, their words and their letters; of long texts, words are counted in the beginning.

    Parameters
    ----------
    texts : collection of str
        All different.

    Returns
    -------
    Volume
    """
    n_spaces = sum(text.count(" ", 0, COUNTED) * max(COUNTED, len(text)) // COUNTED for text in texts)
    return Volume(n_texts=len(texts), n_words=len(texts) + n_spaces, n_letters=sum(map(len, texts)))


def readings(columns: Sequence[Volume], *, most: int | None) -> list[Reading]:
    """Return how the texts of each column are taken apart: as they deserve, or as there is time for.

    Where the pieces would be too many, phrases are read by words instead of letter groups, which are ten times as many;
    where that is not enough, only the beginning of each text is read.

    Parameters
    ----------
    columns : sequence of Volume
    most : int or None
        Pieces of all texts together; None for all there are.

    Returns
    -------
    list of Reading
    """
    if most is None or sum(column.n_pieces(by_words=column.is_prose) for column in columns) <= most:
        return [Reading(by_words=column.is_prose) for column in columns]
    by_words = [column.n_words > PHRASE_WORDS * column.n_texts for column in columns]
    n_pieces = sum(column.n_pieces(by_words=asked) for column, asked in zip(columns, by_words, strict=True))
    n_fixed = sum(PIECES_PER_TEXT * column.n_texts for column in columns)
    share = min(1.0, (most - n_fixed) / max(n_pieces - n_fixed, 1))
    return [
        Reading(by_words=asked, letters=MAX_LETTERS if share == 1 else _letters(column, share=share))
        for column, asked in zip(columns, by_words, strict=True)
    ]


def _letters(column: Volume, *, share: float) -> int:
    return max(FEWEST_READ, min(MAX_LETTERS, round(share * column.n_letters / max(column.n_texts, 1))))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextEncoder:
    """Latent semantic analysis of a text column, each component standardised.

    Attributes
    ----------
    features : tuple of str
    weights : sklearn.feature_extraction.text.TfidfVectorizer
        Fitted: weighs the pieces of a text.
    decomposition : sklearn.decomposition.TruncatedSVD or None
        Fitted: turns weights into components. None where pieces are so few that their weights are the components.
    reading : Reading
        How much of each text it is given.
    known : mapping of str to int
        Places of the texts it was fitted on in `components`; taking a text apart is most of the work, and done once.
    components : (n_known, n_features) ndarray
        Of those texts.
    mean, sd : (n_features,) ndarray
        Of the components on the training part.
    """

    features: tuple[str, ...]
    weights: Any
    decomposition: Any
    reading: Reading
    known: Mapping[str, int]
    components: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]

    @property
    def how(self) -> str:
        """What became of the column, in a few words."""
        return "text" if self.reading.letters == MAX_LETTERS else BEGUN

    def write(self, texts: Texts, rows: RowArray, *, out: npt.NDArray[np.float32]) -> None:
        """Write the features of some rows into `out`, (n, n_features)."""
        distinct, place = _distinct(texts, rows)
        places = np.array([self.known.get(text, -1) for text in distinct])
        components, fresh = self.components[places], np.flatnonzero(places < 0)
        if len(fresh):
            components[fresh] = self._components([distinct[i] for i in fresh])
        out[:] = ((components - self.mean) / self.sd)[place]

    def _components(self, texts: list[str]) -> npt.NDArray[np.float64]:
        with threadpool_limits(1):
            weighed = self.weights.transform(_begun(texts, self.reading)).astype(np.float32)
            made = weighed.toarray() if self.decomposition is None else self.decomposition.transform(weighed)
        return np.asarray(made, np.float64)


def n_components(column: Volume) -> int:
    """Return how many features texts are worth.

    Parameters
    ----------
    column : Volume
        Of the training part.

    Returns
    -------
    int
    """
    most = N_PROSE_COMPONENTS if column.is_prose else N_COMPONENTS
    return max(1, min(most, column.n_texts // TEXTS_PER_COMPONENT))


def fit_text(name: str, texts: Texts, *, rows: RowArray, reading: Reading, most: int, seed: int) -> TextEncoder | None:
    """Fit text features for a column.

    Parameters
    ----------
    name : str
        Of the column.
    texts : Texts
    rows : (n_train,) ndarray of int64
        Of the training part.
    reading : Reading
    most : int
        Features.
    seed : int
        Of the randomised decomposition.

    Returns
    -------
    TextEncoder or None
        None when the texts hold nothing to tell them apart.
    """
    found, place = _distinct(texts, rows)
    # Whatever the order of the rows.
    distinct, rank = _alphabetical(found)
    fitted = _fit(distinct, reading=reading, most=most, seed=seed)
    if fitted is None:
        return None
    weights, decomposition, components = fitted
    every = components[rank[place]]
    mean, sd = every.mean(axis=0), every.std(axis=0)
    sd[sd == 0] = 1.0
    return TextEncoder(
        features=tuple(f"{name} text {i + 1}" for i in range(components.shape[1])), weights=weights,
        decomposition=decomposition, reading=reading, known={text: i for i, text in enumerate(distinct)},
        components=components, mean=mean, sd=sd,
    )  # fmt: skip


# Sizes of letter groups, skrub's default.
FEWEST_LETTERS, MOST_LETTERS = 3, 4
WORD = re.compile(r"\b\w\w+\b")


def words_of(chunk: str) -> list[str]:
    """Return the words in what stands between two spaces, as scikit-learn's "word" analyzer does.

    Parameters
    ----------
    chunk : str
        In lower case.

    Returns
    -------
    list of str
    """
    return WORD.findall(chunk)


def letter_groups_of(chunk: str) -> list[str]:
    """Return the letter groups of what stands between two spaces, as scikit-learn's "char_wb" analyzer does.

    Parameters
    ----------
    chunk : str
        In lower case.

    Returns
    -------
    list of str
        Of a chunk shorter than a group, itself once.
    """
    padded = f" {chunk} "
    groups = [padded[i : i + n] for n in (FEWEST_LETTERS, MOST_LETTERS) for i in range(len(padded) - n + 1)]
    return groups or [padded]


class _Pieces(dict[str, list[str]]):
    """Takes texts apart; each different chunk once, for most come again and again."""

    def __init__(self, take_apart: Callable[[str], list[str]]) -> None:
        self.take_apart = take_apart

    def __missing__(self, chunk: str) -> list[str]:
        self[chunk] = self.take_apart(chunk)
        return self[chunk]

    def __call__(self, text: str) -> list[str]:
        return list(chain.from_iterable(map(self.__getitem__, text.lower().split())))


def _distinct(texts: Texts, rows: RowArray) -> tuple[list[str], RowArray]:
    """Return the different texts of some rows, and which each row has; a missing one is empty."""
    codes, place = np.unique(texts.codes[rows], return_inverse=True)
    return [texts.levels[code] if code >= 0 else "" for code in codes], place


def _alphabetical(texts: list[str]) -> tuple[list[str], RowArray]:
    """Return texts in alphabetical order, and where each is there."""
    order = sorted(range(len(texts)), key=texts.__getitem__)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return [texts[i] for i in order], rank


def _begun(texts: list[str], reading: Reading) -> list[str]:
    return [text[: reading.letters] for text in texts]


def _fit(
    texts: list[str], *, reading: Reading, most: int, seed: int
) -> tuple[Any, Any, npt.NDArray[np.float64]] | None:
    """Return the weights, the decomposition and the components (n_texts, n_features), or None without any piece.

    One thread, so that sums are made in the same order on every machine.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    pieces = _Pieces(words_of if reading.by_words else letter_groups_of)
    weights = TfidfVectorizer(analyzer=pieces)
    with threadpool_limits(1), np.errstate(all="ignore"):
        try:
            weighed = weights.fit_transform(_begun(texts, reading)).astype(np.float32)
        except ValueError:
            # scikit-learn: "empty vocabulary", as in a column of punctuation.
            return None
        if weighed.shape[1] <= most:
            return weights, None, weighed.toarray().astype(np.float64)
        decomposition = TruncatedSVD(n_components=most, random_state=seed)
        components = decomposition.fit_transform(weighed).astype(np.float64)
    return (weights, decomposition, components) if np.isfinite(components).all() else None
