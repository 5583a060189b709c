"""Runs of the tables of `honesty_tables`, made once for all tests and workers: `stored(name, place)`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from honesty_tables import CASES, Case
from rich.console import Console

from lrfind.export import EXPORTERS, export
from lrfind.find import find_lr
from lrfind.report import write_report
from lrfind.report.terminal import print_advice, print_report
from lrfind.runs import RUNS_ROOT, load_run, origin_of

BY_NAME: Mapping[str, Case] = {case.name: case for case in CASES}
# What no run of ours takes, in seconds: then another worker was killed.
PATIENCE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A run as it lies on the disk, and what was printed of it.

    Attributes
    ----------
    case : Case
    place : Path
        Where the commands are typed.
    folder : Path
        The run, as it is named from there.
    document : dict
        The contents of run.json.
    texts : dict of str to str
        By medium: "terminal 80", "terminal 120", "recommend", "page", "code torch" and so on.
    """

    case: Case
    place: Path
    folder: Path
    document: dict[str, Any]
    texts: dict[str, str]


@contextlib.contextmanager
def at(place: Path) -> Iterator[None]:
    """Work in another folder for a while."""
    with contextlib.chdir(place):
        yield


def stored(name: str, root: Path) -> Stored:
    """Return a run, making it where nobody has yet.

    Parameters
    ----------
    name : str
    root : Path
        Shared by all workers.

    Returns
    -------
    Stored
    """
    place, folder = root / name, RUNS_ROOT / name
    try:
        place.mkdir(parents=True)
    except FileExistsError:
        _wait_for(place / "texts.json")
    else:
        try:
            with at(place):
                texts = _made(BY_NAME[name], folder)
        except BaseException:
            # the next worker shall meet the same error, and not wait
            shutil.rmtree(place)
            raise
        fresh = place / "texts.tmp"
        fresh.write_text(json.dumps(texts), encoding="utf-8")
        fresh.replace(place / "texts.json")
    return Stored(
        case=BY_NAME[name],
        place=place,
        folder=folder,
        document=json.loads((place / folder / "run.json").read_text(encoding="ascii")),
        texts=json.loads((place / "texts.json").read_text(encoding="utf-8")),
    )


def _wait_for(path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"nobody made {path}")
        time.sleep(0.05)


def _made(case: Case, folder: Path) -> dict[str, str]:
    """Sweep a table in the present folder; return what was printed by medium."""
    path = case.write(Path.cwd())
    report = find_lr(os.fspath(path), **case.settings)
    folder.mkdir(parents=True)
    write_report(report, folder, run=folder, plots=False)
    texts = {f"terminal {width}": _printed(width, print_report, report, folder=folder) for width in (80, 120)}
    run = load_run(folder)
    origin, advice = origin_of(run), run.recommendation
    texts["recommend"] = _printed(80, print_advice, advice, folder=folder, origin=origin)
    texts["page"] = (folder / "report.html").read_text(encoding="utf-8")
    if advice.lr is not None:
        texts |= {f"code {target}": export(advice, target, origin=origin) for target in EXPORTERS}
    return texts


def _printed(width: int, show: Any, thing: object, **options: object) -> str:
    text = io.StringIO()
    show(thing, Console(file=text, width=width, force_terminal=False, color_system=None), **options)
    return text.getvalue()
