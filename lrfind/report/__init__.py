"""One value that holds a finished run; every rendering derives from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrfind.checks import Finding
from lrfind.curve import Analysis
from lrfind.data import Table
from lrfind.errors import OutputError
from lrfind.experience import Prior
from lrfind.problem import Problem
from lrfind.race import Race
from lrfind.recommend import Proof, Recommendation
from lrfind.report.files import write_report
from lrfind.report.serialise import to_dict, to_json
from lrfind.sweep import Sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Report", "to_dict", "to_json", "write_report"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """A finished run.

    Attributes
    ----------
    version : str
        Of lrfind.
    created : str
        ISO 8601, UTC, seconds.
    command : tuple of str
        A command line that reproduces the run.
    config : mapping
        Every setting, defaults included: "model", "hidden", "activation", "optimizer", "batch_size", "lr_min",
        "lr_max", "steps", "seeds", "train_steps", "epochs", "seed", ...
    table : Table
    problem : Problem
    sweep : Sweep
    analysis : Analysis
    prior : Prior or None
        What earlier races led to expect; None where the range test places no landmark.
    race : Race or None
        None where the range test alone was asked for, or a race would have been too dear.
    proof : Proof or None
        What training at the rate read has reached where there was no race.
    recommendation : Recommendation
    findings : tuple of Finding
    timing : mapping of str to float
        Seconds a stage: "read", "prepare", "sweep", "analyse".
    """

    version: str
    created: str
    command: tuple[str, ...]
    config: Mapping[str, Any]
    table: Table
    problem: Problem
    sweep: Sweep
    analysis: Analysis
    prior: Prior | None = None
    race: Race | None = None
    proof: Proof | None = None
    recommendation: Recommendation
    findings: tuple[Finding, ...]
    timing: Mapping[str, float]

    def __repr__(self) -> str:
        """Return the answer in one line."""
        from lrfind.report import words

        advice = self.recommendation
        parts: list[str] = [advice.verdict]
        if advice.lr is not None:
            parts = [f"lr {words.rate(advice.lr)}", f"good {words.span(advice)}", words.schedule_name(advice), *parts]
        return f"Report({words.name(self.table.source.name)}: {', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return the answer and its charts as notebooks show them."""
        from lrfind.report.card import to_card

        return to_card(self)

    def save(self, folder: str | Path, *, force: bool = False, plots: bool = True) -> Path:
        """Write the run as ``lrfind sweep --out`` does: whole or not at all.

        Parameters
        ----------
        folder : str or Path
            Where the run is to be; its parents are made.
        force : bool
            Whether an lrfind run that is there may be replaced.
        plots : bool
            Whether to draw ``plots/*.png`` and ``plots/*.svg``, the slowest part.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        OutputError
            If the place is refused or a write fails; then nothing was put there.
        """
        from lrfind.runs import new_run

        try:
            with new_run(folder, force=force) as place:
                write_report(self, place, plots=plots)
        except OutputError as error:
            # in the words of who calls a function
            told = str(error).replace("--force", "force=True").replace(" with --out, such as --out my-run", "")
            raise OutputError(told.replace(" with --out", "")) from None
        return Path(folder)

    def plot(self, name: str) -> Figure:
        """Return one of the charts.

        Parameters
        ----------
        name : {"race", "learning", "loss", "schedule", "gradient"}
            As the files in ``plots/``.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        UsageError
            If there is no chart of that name, or this run has none.
        """
        from lrfind.report.figures import figure

        return figure(self, name)

    def to_dict(self) -> dict[str, Any]:
        """Return the contents of ``run.json``: strict JSON values, no NaN and no infinity."""
        return to_dict(self)
