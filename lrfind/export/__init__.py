"""The advice in the words of one's own framework: `export(recommendation, name) -> text`.

An exporter writes text and never imports the framework it writes for. Only numbers and names from fixed lists reach
its code, so that whatever a run holds cannot change its meaning; names from a run stand in comments, made printable.
A rate that was measured is written with the digits it deserves, those of the report; one that was asked for, and the
formats of numbers alone, CSV and JSON, keep every digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from lrfind.errors import UsageError
from lrfind.export.keras import to_keras
from lrfind.export.lightning import to_lightning
from lrfind.export.optax import to_optax
from lrfind.export.plain import to_csv, to_json
from lrfind.export.plan import Plan, make_plan
from lrfind.export.sklearn import to_sklearn
from lrfind.export.torch import to_torch
from lrfind.export.transformers import to_transformers
from lrfind.recommend import Recommendation
from lrfind.text import listed, nearest

if TYPE_CHECKING:
    from lrfind.runs import Origin

CODE: Final[Mapping[str, Callable[[Plan], str]]] = {
    "torch": to_torch,
    "lightning": to_lightning,
    "keras": to_keras,
    "optax": to_optax,
    "transformers": to_transformers,
    "sklearn": to_sklearn,
}
NUMBERS: Final[Mapping[str, Callable[[Recommendation], str]]] = {"json": to_json, "csv": to_csv}
EXPORTERS: Final = (*CODE, *NUMBERS)


def export(
    recommendation: Recommendation,
    name: str,
    *,
    origin: Origin | None = None,
    changes: Sequence[str] = (),
    is_asked: bool = False,
) -> str:
    """Return a recommendation as text for one framework or format.

    Parameters
    ----------
    recommendation : Recommendation
    name : str
        One of `EXPORTERS`.
    origin : Origin, optional
        What the rate was measured with, which code says in its comments.
    changes : sequence of str
        Sentences on how the advice was adapted since.
    is_asked : bool
        Whether the rate was asked for, not measured: it keeps all its digits.

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
    if name in NUMBERS:
        return NUMBERS[name](recommendation)
    return CODE[name](make_plan(recommendation, origin=origin, changes=changes, is_asked=is_asked))
