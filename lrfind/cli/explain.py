"""`lrfind explain [CODE]`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lrfind.cli.process import console
from lrfind.errors import UsageError
from lrfind.text import printable


def explain(
    code: Annotated[str | None, typer.Argument(help="A code such as LR202; without one, all are listed.")] = None,
) -> None:
    """Say what a finding means, how it is found, and what to do."""
    from lrfind.checks.catalogue import CATALOGUE, EXPLANATIONS, FAMILIES
    from lrfind.checks.finding import as_code, nearest_code
    from lrfind.report.explanation import print_catalogue, print_explanation

    if code is None:
        print_catalogue(FAMILIES, console(sys.stdout))
        return
    known = as_code(code)
    if known not in CATALOGUE:
        like = nearest_code(known, CATALOGUE)
        hint = f"did you mean {like}? " if like else ""
        raise UsageError(f"there is no check '{printable(code, width=20)}': {hint}`lrfind explain` lists them all")
    print_explanation(CATALOGUE[known], EXPLANATIONS[known], console=console(sys.stdout))
