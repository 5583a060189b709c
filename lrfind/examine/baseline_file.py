"""Baselines as a file to commit beside the data: small, one line a column, whole or not at all."""

from __future__ import annotations

import fcntl
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from lrfind.checks.baseline import NO_BASELINE, Baseline
from lrfind.checks.drift import N_GROUPS, Summary
from lrfind.checks.trained import Trained
from lrfind.errors import DataError, OutputError
from lrfind.text import listed, printable

FILE_NAME = "lrfind-baseline.json"
# Raised when a key changes its meaning or goes; files of an older version are read.
SCHEMA_VERSION = 1
# Ten thousand columns take three megabytes.
MOST_BYTES = 50_000_000


def baseline_path(source: str, asked: str | None) -> Path | None:
    """Return where the baseline of a dataset is: as asked for, else beside the data; None for standard input.

    Parameters
    ----------
    source : str
        As given on the command line.
    asked : str or None

    Returns
    -------
    Path or None
    """
    if asked is not None:
        return Path(asked)
    return None if source == "-" else Path(source).parent / FILE_NAME


def baseline_key(source: str, path: Path) -> str:
    """Return what a dataset is called in a baseline file.

    Parameters
    ----------
    source : str
        As given on the command line.
    path : Path
        Of the baseline.

    Returns
    -------
    str
        Its path from the folder of the baseline when it lies below, so that tables of one name in two folders are two;
        else its name.
    """
    # by what is written alone: a link to data is another place than the data
    place, folder = Path(os.path.abspath(source)), Path(os.path.abspath(path)).parent  # noqa: PTH100
    return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else place.name


def choose_baseline(
    stored: Mapping[str, Baseline], source: str, *, path: Path, is_sole: bool
) -> tuple[Baseline | None, str]:
    """Return the baseline of a dataset, or why there is none.

    Parameters
    ----------
    stored : mapping of name to Baseline
    source : str
        As given on the command line.
    path : Path
        Of the baseline.
    is_sole : bool
        Whether the file was named for this dataset alone, so that the one baseline in it is meant whatever its name.

    Returns
    -------
    Baseline or None
    reason : str
    """
    key = baseline_key(source, path)
    if key in stored or (is_sole and len(stored) == 1):
        return stored.get(key) or next(iter(stored.values())), ""
    if not stored:
        return None, NO_BASELINE
    return None, (
        f"The baseline {printable(path)} is of {listed(stored, most=3)}, not of '{printable(key, width=60)}'; add it "
        "with --update-baseline."
    )


def read_baselines(path: Path) -> dict[str, Baseline]:
    """Return the baselines of a file, by the name of their data.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict

    Raises
    ------
    DataError
        The file is not there, damaged, or of a newer version.
    """
    document = _document(path)
    stored = document.get("datasets")
    if not isinstance(stored, dict):
        _refuse(path, "it has no 'datasets'")
    found = {}
    for name, value in stored.items():
        try:
            found[name] = _baseline(name, value)
        except (KeyError, TypeError, ValueError, AttributeError):
            _refuse(path, f"what it says of '{printable(name, width=40)}' is not whole")
    return found


def _document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            _refuse(path, f"it is larger than {MOST_BYTES // 10**6} MB")
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"the baseline {printable(path)} is not there; write it with --update-baseline, or name another"
        ) from None
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else (error.strerror or "unknown error").lower()
        raise DataError(f"the baseline {printable(path)} cannot be read: {reason}; name another file") from None
    except (ValueError, RecursionError):
        _refuse(path, "it is no valid JSON")
    if not isinstance(document, dict) or not isinstance(document.get("schema_version"), int):
        _refuse(path, "it has no schema_version")
    if document["schema_version"] > SCHEMA_VERSION:
        raise DataError(
            f"the baseline {printable(path)} was written by a newer lrfind (its schema version is "
            f"{document['schema_version']}, this one reads up to {SCHEMA_VERSION}): update lrfind"
        )
    return document


def _refuse(path: Path, why: str) -> NoReturn:
    raise DataError(
        f"the baseline {printable(path)} is damaged: {why}; restore it, or delete it and write it anew with "
        "--update-baseline"
    )


def _baseline(name: str, value: Mapping[str, Any]) -> Baseline:
    columns = {str(column): _summary(summary) for column, summary in value["columns"].items()}
    trained = value["trained"]
    return Baseline(
        name=name,
        n_rows=int(value["rows"]),
        target=str(value["target"]),
        task=str(value["task"]),
        classes=tuple(map(str, value["classes"])),
        class_rows=tuple(map(int, value.get("class_rows", []))),
        columns=columns,
        orders={str(column): summary.get("order", "") for column, summary in value["columns"].items()},
        trained=None if trained is None else Trained(**{key: _number(number) for key, number in trained.items()}),  # type: ignore[arg-type]
    )


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def _summary(value: Mapping[str, Any]) -> Summary:
    edges, counts = tuple(map(float, value.get("edges", []))), tuple(map(int, value.get("counts", [])))
    levels, rest = tuple(map(str, value.get("levels", []))), tuple(map(int, value.get("rest", [])))
    n_bins = 0 if value["kind"] == "date" else len(edges) + 1 if value["kind"] == "number" else len(levels) + 1
    if (
        value["kind"] not in ("number", "boolean", "date", "text")
        or len(counts) != n_bins
        or min(counts, default=0) < 0
        or (rest and (min(rest) < 0 or len(rest) != N_GROUPS or sum(rest) != counts[-1]))
    ):
        raise ValueError(value)
    return Summary(
        kind=value["kind"], n_missing=int(value["missing"]), edges=edges, levels=levels, counts=counts,
        mean=_number(value.get("mean")), sd=_number(value.get("sd")), rest=rest,
    )  # fmt: skip


def write_baselines(path: Path, baselines: Mapping[str, Baseline], *, version: str) -> None:
    """Write baselines to a file: beside it first, brought to the disk, then renamed over it.

    Parameters
    ----------
    path : Path
    baselines : mapping of name to Baseline
    version : str
        Of lrfind.

    Raises
    ------
    OutputError
        The file cannot be written; what was there is still there.
    """
    text = as_text(baselines, version=version)
    try:
        handle, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # readable by all, as a file made in the ordinary way
            Path(fresh).chmod(0o644)
            Path(fresh).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(fresh).unlink()
            raise
    except OSError as error:
        raise OutputError(
            f"the baseline {printable(path)} cannot be written: {(error.strerror or 'unknown error').lower()}; "
            "name another file with --baseline"
        ) from None


def add_baseline(path: Path, name: str, baseline: Baseline, *, version: str) -> None:  # noqa: PLR0917 - where, whose, what
    """Put one dataset's baseline into a file and keep the others, though other processes may be at the same.

    Parameters
    ----------
    path : Path
    name : str
        Of the dataset, as `baseline_key` has it.
    baseline : Baseline
    version : str
        Of lrfind.

    Raises
    ------
    DataError
        The file that is there is damaged.
    OutputError
        The file cannot be written; what was there is still there.
    """
    with _alone_in(path.parent):
        stored = read_baselines(path) if path.exists() else {}
        write_baselines(path, {**stored, name: baseline}, version=version)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process writes a baseline into a folder, and keep others waiting.

    The folder itself is locked: a file for the lock would stay beside the data, and the baseline is replaced by
    another file each time. Where a folder cannot be locked, as on some network drives, nobody waits.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            # given back when the handle is closed, whatever happens
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def as_text(baselines: Mapping[str, Baseline], *, version: str) -> str:
    """Return baselines as JSON with one line a column, so that a difference shows which column changed."""
    blocks = [f"  {_line(name)}: {{\n{_block(baselines[name])}\n  }}" for name in sorted(baselines)]
    body = ",\n".join(blocks)
    head = f' "schema_version": {SCHEMA_VERSION},\n "lrfind_version": {_line(version)},\n'
    return f'{{\n{head} "datasets": {{\n{body}\n }}\n}}\n'


def _block(baseline: Baseline) -> str:
    columns = ",\n".join(
        f"    {_line(name)}: {_line(_column(summary, order=baseline.orders.get(name, '')))}"
        for name, summary in baseline.columns.items()
    )
    trained = baseline.trained
    numbers = None if trained is None else {name: _rounded(getattr(trained, name)) for name in Trained.__slots__}
    return "\n".join([
        f'   "rows": {baseline.n_rows},',
        f'   "target": {_line(baseline.target)},',
        f'   "task": {_line(baseline.task)},',
        f'   "classes": {_line(list(baseline.classes))},',
        f'   "class_rows": {_line(list(baseline.class_rows))},',
        f'   "trained": {_line(numbers)},',
        f'   "columns": {{\n{columns}\n   }}',
    ])  # fmt: skip


def _column(summary: Summary, *, order: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": summary.kind, "missing": summary.n_missing}
    if summary.mean is not None:
        fields |= {"mean": summary.mean, "sd": summary.sd}
    if summary.kind == "number":
        fields["edges"] = list(summary.edges)
    elif summary.kind != "date":
        fields["levels"] = list(summary.levels)
    if summary.counts:
        fields["counts"] = list(summary.counts)
    if summary.rest:
        fields["rest"] = list(summary.rest)
    return fields | ({"order": order} if order else {})


def _rounded(number: float | None) -> float | None:
    # six digits are far below any uncertainty here, and a last digit that flickers is no difference to show
    return None if number is None else float(f"{number:.6g}")


def _line(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
