"""Texts that do not repeat: names, sentences, documents.

Only this module imports skrub, and only when a table has such a column: the import takes about three seconds, more than
everything else this package does.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lrfind.problem.levels import RowArray, Texts

# Components kept of short texts (skrub's own default) and of prose. Measured on film reviews and news: of 100 a linear
# model learns twice what it learns of 30.
N_COMPONENTS, N_PROSE_COMPONENTS = 30, 100
# Different texts a component must rest on.
TEXTS_PER_COMPONENT = 5
# Texts of more words than this on average are prose and are read by words, shorter ones by letter groups, which see
# the kinship of 'chevrolet' and 'chevy'. Letter groups of prose take five times as long and tell no more.
PROSE_WORDS = 8
# Letters of a text that are read; a text as long as a book says what it is about in its first pages.
MAX_LETTERS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextEncoder:
    """Latent semantic analysis of a text column, each component standardised.

    Attributes
    ----------
    features : tuple of str
    encoder : skrub.StringEncoder
        Fitted.
    mean, sd : (n_features,) ndarray
        Of the components on the training part.
    """

    features: tuple[str, ...]
    encoder: Any
    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]
    how: str = "text"

    def write(self, texts: Texts, rows: RowArray, *, out: npt.NDArray[np.float32]) -> None:
        """Write the features of some rows into `out`, (n, n_features)."""
        distinct, place = _distinct(texts, rows)
        out[:] = ((_transform(self.encoder, distinct) - self.mean) / self.sd)[place]


def n_components(counts: Counter[str]) -> int:
    """Return how many features texts are worth.

    Parameters
    ----------
    counts : Counter
        Training rows a text.

    Returns
    -------
    int
    """
    most = N_PROSE_COMPONENTS if _is_prose(counts) else N_COMPONENTS
    return max(1, min(most, len(counts) // TEXTS_PER_COMPONENT))


def fit_text(name: str, texts: Texts, *, rows: RowArray, most: int, seed: int) -> TextEncoder | None:
    """Fit text features for a column.

    Parameters
    ----------
    name : str
        Of the column.
    texts : Texts
    rows : (n_train,) ndarray of int64
        Of the training part.
    most : int
        Features.
    seed : int
        Of the randomised decomposition.

    Returns
    -------
    TextEncoder or None
        None when the texts hold nothing to tell them apart.
    """
    from skrub import StringEncoder

    distinct, place = _distinct(texts, rows)
    how = {"analyzer": "word", "ngram_range": (1, 1)} if _is_prose(distinct) else {}
    encoder = StringEncoder(n_components=most, random_state=seed, **how)
    components = _fit_transform(encoder, distinct)
    if components is None:
        return None
    components = components[place]
    mean, sd = components.mean(axis=0), components.std(axis=0)
    sd[sd == 0] = 1.0
    features = tuple(f"{name} text {i + 1}" for i in range(components.shape[1]))
    return TextEncoder(features=features, encoder=encoder, mean=mean, sd=sd)


def _is_prose(texts: Collection[str]) -> bool:
    return sum(text.count(" ") + 1 for text in texts) > PROSE_WORDS * len(texts)


def _distinct(texts: Texts, rows: RowArray) -> tuple[list[str], RowArray]:
    """Return the different texts of some rows in alphabetical order, and which each row has; a missing one is empty."""
    codes, place = np.unique(texts.codes[rows], return_inverse=True)
    found = [texts.levels[code] if code >= 0 else "" for code in codes]
    order = sorted(range(len(found)), key=found.__getitem__)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return [found[i] for i in order], rank[place]


def _series(texts: list[str]) -> Any:
    import pandas as pd

    return pd.Series([text[:MAX_LETTERS] for text in texts], dtype="str", name="text")


def _fit_transform(encoder: Any, texts: list[str]) -> npt.NDArray[np.float64] | None:
    """Fit in one thread, so that sums are made in the same order on every machine."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings(), np.errstate(all="ignore"):
        # Too few different words for a decomposition: skrub says so and uses the words themselves.
        warnings.simplefilter("ignore")
        try:
            components = encoder.fit_transform(_series(texts)).to_numpy(np.float64)
        except ValueError:
            # scikit-learn: "empty vocabulary", as in a column of punctuation.
            return None
    return components if components.size and np.isfinite(components).all() else None


def _transform(encoder: Any, texts: list[str]) -> npt.NDArray[np.float64]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return np.asarray(encoder.transform(_series(texts)).to_numpy(np.float64))
