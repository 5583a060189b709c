"""Read a run again: `load_run(folder) -> StoredRun`. A run may come by e-mail, so nothing in it is trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast, get_args

from lrfind.errors import RunError, UsageError
from lrfind.mlp import steps_per_epoch
from lrfind.optim import OPTIMIZERS
from lrfind.race import Standing
from lrfind.recommend import Evidence, Expected, Raced, Recommendation, Verdict
from lrfind.runs.document import read_document, shown
from lrfind.runs.fields import Fields
from lrfind.schedule import COURSES, SHAPES, Schedule, Segment, Shape, make_schedule
from lrfind.text import shell_line

# Of run.json; raised when a reader of the older one would misread the newer.
SCHEMA_VERSION: Final = 1
# No training run that lrfind advises on is longer: 80 MB of rates.
MAX_STEPS: Final = 10_000_000
# Rows in a batch; beyond any memory.
MAX_BATCH: Final = 1_000_000_000
# Enough for a restart every percent of a run; `values` takes one pass over the steps for each.
MAX_SEGMENTS: Final = 200
MAX_EVIDENCE: Final = 1_000
# More than there are schedules.
MAX_RACED: Final = 100
# Of the decay shapes; 1 and 2 are in use, and 0.01 to 100 spans every curve one could tell from a step.
MAX_POWER: Final = 100.0
# Neighbouring segments must meet within this fraction of the run: float64 rounding, generously.
JOIN_TOLERANCE: Final = 1e-9
# Peak times largest fraction; a schedule's fractions are of its peak.
FRACTION_LIMIT: Final = 1 + 1e-9

# What must be an object, or a list, wherever it is present.
_OBJECTS: Final = ("data", "problem", "config", "sweep", "analysis", "recommendation", "timing")
_LISTS: Final = ("findings",)
# The kind of what `lrfind diagnose --out` writes under the same name.
DIAGNOSIS: Final = "diagnosis"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredRun:
    """A finished run read from its directory.

    Attributes
    ----------
    path : Path
        The directory, as given.
    created : datetime
        When the run was made, with its zone; the file's age where the run does not say.
    data : mapping
        The whole of run.json. Only its outline was checked; every string in it may be hostile.
    recommendation : Recommendation
        Checked field by field.
    """

    path: Path
    created: datetime
    data: Mapping[str, Any]
    recommendation: Recommendation


def load_run(path: Path | str) -> StoredRun:
    """Return the run in a directory.

    Parameters
    ----------
    path : Path or str
        The directory that `lrfind sweep` reported.

    Returns
    -------
    StoredRun

    Raises
    ------
    RunError
        If it is no run, not a finished one, one of a newer lrfind, or damaged.
    """
    folder = Path(path)
    document = read_document(folder)
    top = Fields(shown(folder), "", document)
    _require_known_schema(top)
    _require_outline(top)
    return StoredRun(
        path=folder,
        created=_created(folder, document),
        data=MappingProxyType(document),
        recommendation=_recommendation(top.inside("recommendation")),
    )


def steps_in(run: StoredRun, epochs: int, *, batch_size: int | None = None) -> int:
    """Return the updates in `epochs` passes over the table a run was made on.

    Parameters
    ----------
    run : StoredRun
    epochs : int
    batch_size : int, optional
        The run's own by default.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        If `epochs` or `batch_size` is below 1.
    RunError
        If the run does not say how many rows it had.
    """
    size = run.recommendation.batch_size if batch_size is None else batch_size
    for name, number in (("--epochs", epochs), ("--batch-size", size)):
        if number < 1:
            raise UsageError(f"{name} is {number}: expected a whole number from 1")
    problem = run.data.get("problem") or {}
    counts = [n for n in (problem.get("n_train"), problem.get("n_val")) if isinstance(n, int) and n > 0]
    # Both, or the table is not known in full.
    if len(counts) != 2:  # noqa: PLR2004
        raise RunError(f"{shown(run.path)} does not say how many rows it was made on: use --train-steps")
    return epochs * steps_per_epoch(sum(counts), batch_size=size)


def list_runs(root: Path | str) -> tuple[StoredRun, ...]:
    """Return every readable run directly below a directory, the newest first; what is not a run is passed over.

    Parameters
    ----------
    root : Path or str

    Returns
    -------
    tuple of StoredRun
    """
    return tuple(sorted(_readable_runs(Path(root)), key=_age, reverse=True))


def newest_run(root: Path | str) -> Path:
    """Return the directory of the newest finished run below `root`.

    Parameters
    ----------
    root : Path or str

    Returns
    -------
    Path

    Raises
    ------
    RunError
        If there is none.
    """
    # One at a time: a hundred long runs need not fit in memory.
    newest = max(_readable_runs(Path(root)), key=_age, default=None)
    if newest is None:
        raise RunError(f"no run found under {shown(Path(root))}: {_elsewhere(Path(root))}")
    return newest.path


def _elsewhere(root: Path) -> str:
    """Return what to do without a run below `root`: name one that ``--out`` has put beside it, or make one."""
    beside = max(_readable_runs(root.parent), key=_age, default=None)
    if beside is None:
        return "name the folder of one, as in `lrfind recommend FOLDER`, or make one with `lrfind sweep DATA`"
    name = str(beside.path)
    command = shell_line(["lrfind", "recommend", f"./{name}" if name.startswith("-") else name])
    return f"the newest run beside it is {shown(beside.path)}; read that with `{command}`"


def _age(run: StoredRun) -> tuple[datetime, str]:
    return run.created, run.path.name


def _readable_runs(root: Path) -> Iterator[StoredRun]:
    try:
        # A leading dot marks runs that are being written.
        folders = [folder for folder in root.iterdir() if not folder.name.startswith(".")]
    except (OSError, ValueError):
        return
    yield from (run for run in map(_load_or_none, folders) if run is not None)


def _load_or_none(folder: Path) -> StoredRun | None:
    try:
        return load_run(folder)
    except RunError:
        return None


def _require_known_schema(top: Fields) -> None:
    if "schema_version" not in top.items:
        raise RunError(
            f"{top.run} is not an lrfind run: its run.json has no schema_version; "
            "name the folder that `lrfind sweep` reported"
        )
    version = top.count("schema_version", most=10**9)
    if version > SCHEMA_VERSION:
        raise RunError(
            f"the run {top.run} was written by a newer lrfind (schema {version}, "
            f"this one reads up to {SCHEMA_VERSION}): upgrade lrfind to read it"
        )


def _require_outline(top: Fields) -> None:
    if top.items.get("kind") == DIAGNOSIS:
        raise RunError(
            f"{top.run} is a diagnosis of a log, which advises no run: name a folder that `lrfind sweep` wrote"
        )
    if top.items.get("status") != "complete":
        raise RunError(f"the run {top.run} is incomplete: it was interrupted or failed; run `lrfind sweep` again")
    for keys, kind, words in ((_OBJECTS, dict, "an object"), (_LISTS, list, "a list")):
        for key in keys:
            if top.items.get(key) is not None and not isinstance(top.items[key], kind):
                raise top.damaged(key, expected=words)


def _created(folder: Path, document: Mapping[str, Any]) -> datetime:
    try:
        created = datetime.fromisoformat(document["created"])
        return created if created.tzinfo else created.replace(tzinfo=UTC)
    except (KeyError, TypeError, ValueError):
        return datetime.fromtimestamp(folder.stat().st_mtime, UTC)


def _recommendation(fields: Fields) -> Recommendation:
    verdict = fields.choice("verdict", get_args(Verdict))
    lr, low, high = _rates(fields, is_needed=verdict == "ok")
    return Recommendation(
        verdict=cast("Verdict", verdict),
        sentence="" if fields.items.get("sentence") is None else fields.text("sentence"),
        lr=lr,
        lr_low=low,
        lr_high=high,
        lr_max_stable=fields.number_or_none("lr_max_stable", above=0),
        optimizer=fields.choice("optimizer", OPTIMIZERS),
        batch_size=fields.count("batch_size", most=MAX_BATCH),
        train_steps=fields.count("train_steps", most=MAX_STEPS),
        schedule=None if fields.items.get("schedule") is None else _schedule(fields.inside("schedule")),
        expected=None if fields.items.get("expected") is None else _expected(fields.inside("expected")),
        evidence=tuple(_evidence(row) for row in fields.rows("evidence", most=MAX_EVIDENCE)),
        raced=tuple(_raced(row) for row in fields.rows("raced", most=MAX_RACED)) if "raced" in fields.items else (),
    )


def _rates(fields: Fields, *, is_needed: bool) -> tuple[float | None, float | None, float | None]:
    lr = fields.number("lr", above=0) if is_needed else fields.number_or_none("lr", above=0)
    low, high = (fields.number_or_none(key, above=0) for key in ("lr_low", "lr_high"))
    if lr is not None and low is not None and low > lr:
        raise fields.damaged("lr_low", expected="a rate not above recommendation.lr")
    if high is not None and max(rate for rate in (lr, low, high) if rate is not None) > high:
        raise fields.damaged("lr_high", expected="a rate not below recommendation.lr and lr_low")
    return lr, low, high


def _expected(fields: Fields) -> Expected | None:
    # A loss that was not finite is written as null.
    if any(fields.items.get(key) is None for key in Expected.__slots__):
        return None
    return Expected(
        val_loss=fields.number("val_loss"),
        val_loss_se=fields.number("val_loss_se"),
        baseline_loss=fields.number("baseline_loss"),
    )


def _raced(fields: Fields) -> Raced:
    lr, low, high = _rates(fields, is_needed=True)
    return Raced(
        schedule=fields.choice("schedule", COURSES),
        lr=cast("float", lr),
        lr_low=cast("float", low),
        lr_high=cast("float", high),
        val_loss=fields.number("val_loss"),
        val_loss_se=fields.number("val_loss_se"),
        standing=fields.choice("standing", [standing.value for standing in Standing]),
    )


def _evidence(fields: Fields) -> Evidence:
    return Evidence(name=fields.text("name"), text=fields.text("text"), lr=fields.number_or_none("lr", above=0))


def _schedule(fields: Fields) -> Schedule:
    name = fields.word("name")
    peak_lr = fields.number("peak_lr", above=0)
    n_steps = fields.count("n_steps", most=MAX_STEPS)
    segments = tuple(_segment(row) for row in fields.rows("segments", most=MAX_SEGMENTS))
    # A schedule known by name needs no segments.
    if not segments and name in COURSES:
        return make_schedule(name, peak_lr=peak_lr, n_steps=n_steps)
    slack = JOIN_TOLERANCE * n_steps
    joins = [(0.0, segments[0].start), *((a.stop, b.start) for a, b in pairwise(segments))] if segments else []
    if not segments or any(abs(a - b) > slack for a, b in joins) or segments[-1].stop < n_steps - 1 - slack:
        raise fields.damaged("segments", expected="a known schedule's name, or segments that cover every step in order")
    return Schedule(name=name, peak_lr=peak_lr, n_steps=n_steps, segments=segments)


def _segment(fields: Fields) -> Segment:
    shape = fields.choice("shape", SHAPES)
    # An exponential reaches no zero and leaves none; the others may.
    least = 0.0 if shape == "exponential" else -1e-300
    try:
        return Segment(
            start=fields.number("start", above=-1, upto=MAX_STEPS),
            stop=fields.number("stop", above=-1, upto=MAX_STEPS),
            shape=cast("Shape", shape),
            begin=fields.number("begin", above=least, upto=FRACTION_LIMIT),
            end=fields.number("end", above=least, upto=FRACTION_LIMIT),
            power=1.0 if fields.items.get("power") is None else fields.number("power", above=0, upto=MAX_POWER),
        )
    except UsageError:
        raise fields.damaged("start", expected="a segment that starts before it stops") from None
