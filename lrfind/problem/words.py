"""Texts that do not repeat: names, sentences, documents.

Only this module imports skrub, and only when a table has such a column: the import takes about three seconds, more than
everything else this package does.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lrfind.problem.levels import Texts

# Components of the text's meaning kept; skrub's own default.
N_COMPONENTS = 30
# Texts of more words than this on average are prose and are read by words, shorter ones by letter groups, which see
# the kinship of 'chevrolet' and 'chevy'. Letter groups of prose take ten times as long.
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

    def write(self, texts: Texts, out: npt.NDArray[np.float32]) -> None:
        """Write the features of `texts` into `out`, (n, n_features)."""
        out[:] = (_components(self.encoder, texts) - self.mean) / self.sd


def fit_text(name: str, texts: Texts, *, most: int, seed: int) -> TextEncoder | None:
    """Fit text features for a column.

    Parameters
    ----------
    name : str
        Of the column.
    texts : sequence of str or None
        Of the training part.
    most : int
        Features at most.
    seed : int
        Of the randomised decomposition.

    Returns
    -------
    TextEncoder or None
        None when the texts hold nothing to tell them apart.
    """
    from skrub import StringEncoder

    n_words = np.mean([text.count(" ") + 1 for text in texts if text is not None])
    how = {"analyzer": "word", "ngram_range": (1, 1)} if n_words > PROSE_WORDS else {}
    encoder = StringEncoder(n_components=min(N_COMPONENTS, most), random_state=seed, **how)
    components = _fit_components(encoder, texts)
    if components is None:
        return None
    mean, sd = components.mean(axis=0), components.std(axis=0)
    sd[sd == 0] = 1.0
    features = tuple(f"{name} text {i + 1}" for i in range(components.shape[1]))
    return TextEncoder(features=features, encoder=encoder, mean=mean, sd=sd)


def _series(texts: Texts) -> Any:
    import pandas as pd

    return pd.Series([(text or "")[:MAX_LETTERS] for text in texts], dtype="str", name="text")


def _fit_components(encoder: Any, texts: Texts) -> npt.NDArray[np.float64] | None:
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


def _components(encoder: Any, texts: Texts) -> npt.NDArray[np.float64]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return np.asarray(encoder.transform(_series(texts)).to_numpy(np.float64))
