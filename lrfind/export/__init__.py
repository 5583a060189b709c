"""The advice in the words of one's own framework: `export(recommendation, name) -> text`.

An exporter writes text and never imports the framework it writes for. Only numbers and names from fixed lists reach
the text, each number by `repr`, so that whatever a run holds can neither change its meaning nor lose a digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lrfind.errors import UsageError
from lrfind.export.keras import to_keras
from lrfind.export.lightning import to_lightning
from lrfind.export.optax import to_optax
from lrfind.export.plain import to_csv, to_json
from lrfind.export.sklearn import to_sklearn
from lrfind.export.torch import to_torch
from lrfind.export.transformers import to_transformers
from lrfind.recommend import Recommendation
from lrfind.text import listed, nearest

EXPORTERS: Mapping[str, Callable[[Recommendation], str]] = {
    "torch": to_torch,
    "lightning": to_lightning,
    "keras": to_keras,
    "optax": to_optax,
    "transformers": to_transformers,
    "sklearn": to_sklearn,
    "json": to_json,
    "csv": to_csv,
}


def export(recommendation: Recommendation, name: str) -> str:
    """Return a recommendation as text for one framework or format.

    Parameters
    ----------
    recommendation : Recommendation
    name : str
        One of `EXPORTERS`.

    Returns
    -------
    str
        Ends in a line break.

    Raises
    ------
    UsageError
        If the name is unknown, or the recommendation has no rate.
    """
    if name not in EXPORTERS:
        like = nearest(name, EXPORTERS)
        hint = f"did you mean '{like}'?" if like else f"choose one of {', '.join(EXPORTERS)}"
        raise UsageError(f"cannot export for {listed([name])}: {hint}")
    return EXPORTERS[name](recommendation)
