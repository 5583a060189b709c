"""Tables from arrays in memory: `table_from_arrays(X, y)`, and from .npz files.

Data frames are recognised by what they offer (columns, to_numpy); pandas is never imported.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from lrfind.data.dialect import MAX_COLUMNS
from lrfind.data.table import Column, Kind, Source, Table
from lrfind.data.unpack import MAX_UNPACKED_BYTES
from lrfind.errors import DataError
from lrfind.text import listed, printable

# What people call the two arrays in a .npz file, most common first.
NPZ_FEATURES = ("X", "x", "data", "features", "X_train", "x_train")
NPZ_TARGETS = ("y", "Y", "target", "targets", "label", "labels", "y_train")
# Axes of a table, rows and columns.
TWO_AXES = 2


def table_from_arrays(
    X: Any,
    y: Any = None,
    *,
    feature_names: Sequence[str] | None = None,
    target_name: str = "target",
) -> Table:
    """Return a table made of arrays or a data frame.

    Parameters
    ----------
    X : array-like or data frame, shape (n_rows, n_features)
    y : array-like, shape (n_rows,), or None
        Becomes the last column.
    feature_names : sequence of str or None
        Default the names of a data frame, else x0, x1, ...
    target_name : str

    Returns
    -------
    Table

    Raises
    ------
    DataError
        Shapes do not fit, or there is nothing in them.
    """
    source = Source(name="arrays", path="", format="arrays", sha256=None, size=0, mtime=None, detected=())
    return _table(X, y, feature_names=feature_names, target_name=target_name, source=source, rows=None)


def table_from_npz(file: IO[bytes], *, source: Source, cap: int, seed: int) -> Table:
    """Return the table in a .npz file with arrays X and y.

    Parameters
    ----------
    file : binary file
    source : Source
    cap : int
        Most rows to keep.
    seed : int

    Returns
    -------
    Table

    Raises
    ------
    DataError
        It is damaged, too big, holds Python objects, or no such arrays.
    """
    name = printable(source.name, width=60)
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_UNPACKED_BYTES:
            raise DataError(f"{name} unpacks to more than {MAX_UNPACKED_BYTES // 1024**3} GB, the limit")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            features, target = _npz_keys(arrays.files, name)
            X, y = arrays[features], arrays[target] if target else None
            names = [str(each) for each in arrays["feature_names"]] if "feature_names" in arrays.files else None
    except (zipfile.BadZipFile, OSError, EOFError, KeyError) as error:
        raise DataError(f"{name} is a damaged .npz file: {printable(error, width=80)}") from None
    except ValueError:
        raise DataError(
            f"{name} holds Python objects or damaged arrays, and pickles are not opened because they can run code: "
            "save X and y as arrays of numbers or text"
        ) from None
    n_rows = len(X) if X.ndim else 0
    rows = None
    if n_rows > cap:
        rows = np.sort(np.random.default_rng(seed).choice(n_rows, size=cap, replace=False, shuffle=False))
    return _table(X, y, feature_names=names, target_name=target or "target", source=source, rows=rows, seed=seed)


def _npz_keys(keys: Sequence[str], name: str) -> tuple[str, str | None]:
    features = next((key for key in NPZ_FEATURES if key in keys), None)
    target = next((key for key in NPZ_TARGETS if key in keys), None)
    if features is None:
        raise DataError(
            f"{name} has no array X (features): it holds {listed(keys, most=5)}; save it with numpy.savez(X=, y=)"
        )
    return features, target


def _table(
    X: Any, y: Any, *, feature_names: Sequence[str] | None, target_name: str, source: Source,
    rows: npt.NDArray[np.int64] | None, seed: int = 0,
) -> Table:  # fmt: skip
    columns = _feature_arrays(X, source.name)
    names = _feature_names(X, len(columns), given=feature_names)
    if y is not None:
        if target_name in names:
            raise DataError(f"'{printable(target_name, width=40)}' names both a feature and the target: rename one")
        columns.append(_one_dimensional(y, target_name))
        names.append(target_name)
    lengths = {len(column) for column in columns}
    if len(lengths) != 1:
        shown = f"{len(columns[0]):,} rows and y has {len(columns[-1]):,}"
        raise DataError(f"X has {shown}: they have to be of equal length")
    n_total = lengths.pop()
    if n_total == 0:
        raise DataError(f"{printable(source.name, width=60)}: there are no rows (X is empty)")
    notes: list[str] = []
    made = []
    for name, values in zip(names, columns, strict=True):
        column, note = _column(name, values if rows is None else values[rows])
        made.append(column)
        notes += note
    n_rows = n_total if rows is None else len(rows)
    if n_rows < n_total:
        notes.insert(0, f"used {n_rows:,} of {n_total:,} rows, chosen at random with seed {seed}")
    return Table(
        source=source, columns=tuple(made), n_rows=n_rows, n_rows_total=n_total, notes=tuple(notes), places=rows
    )


def _feature_arrays(X: Any, name: str) -> list[npt.NDArray[Any]]:
    if hasattr(X, "columns") and hasattr(X, "to_numpy"):
        n_columns = len(X.columns)
        return [_plain(X.iloc[:, i] if hasattr(X, "iloc") else X[X.columns[i]]) for i in range(n_columns)]
    if hasattr(X, "toarray"):
        X = X.toarray()
    array = np.asarray(X)
    if array.ndim == 1 and array.dtype.kind in "biufOSUM":
        array = array[:, None]
    if array.ndim > TWO_AXES:
        array = array.reshape(len(array), -1)
    if array.ndim != TWO_AXES or array.shape[1] == 0:
        raise DataError(f"X has shape {array.shape}, and has to be rows by features (2-D with at least one column)")
    if array.shape[1] > MAX_COLUMNS:
        shown = printable(name, width=60)
        raise DataError(f"{shown}: X has {array.shape[1]:,} columns, and at most {MAX_COLUMNS:,} are read")
    return [array[:, i] for i in range(array.shape[1])]


def _plain(values: Any) -> npt.NDArray[Any]:
    """Return a series as an array; its missing values as None or NaN."""
    return np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)


def _one_dimensional(y: Any, name: str) -> npt.NDArray[Any]:
    values = _plain(y)
    if values.ndim == TWO_AXES and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(f"'{printable(name, width=40)}' has shape {values.shape}, and has to be one value a row (1-D)")
    return values


def _feature_names(X: Any, n: int, *, given: Sequence[str] | None) -> list[str]:
    if given is None:
        return [str(name) for name in X.columns] if hasattr(X, "columns") else [f"x{i}" for i in range(n)]
    if len(given) != n:
        raise DataError(f"feature_names has {len(given)} names, and X has {n} columns")
    if len(set(given)) < n:
        raise DataError("feature_names holds the same name twice")
    return [str(name) for name in given]


def _column(name: str, values: npt.NDArray[Any]) -> tuple[Column, list[str]]:
    kind, array = _typed(values)
    notes = []
    if kind == "number" and (n_odd := int(np.isinf(array).sum())):
        array = np.where(np.isinf(array), np.nan, array)
        was = "1 value is" if n_odd == 1 else f"{n_odd:,} values are"
        notes.append(f"column '{printable(name, width=40)}': {was} not finite, read as missing")
    labels = ("false", "true") if kind == "boolean" else None
    return Column(name=name, kind=kind, values=array, labels=labels), notes


def _typed(values: npt.NDArray[Any]) -> tuple[Kind, npt.NDArray[Any]]:
    if values.dtype.kind == "b":
        return "boolean", values.astype(np.float64)
    if values.dtype.kind in "iuf":
        # Numbers wider than 64 bits may be too large for them; infinity, they are told of.
        with np.errstate(over="ignore"):
            return "number", values.astype(np.float64)
    if values.dtype.kind == "M":
        return "date", values.astype("datetime64[us]")
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    items = [None if _is_missing(item) else item for item in values.tolist()]
    present = [item for item in items if item is not None]
    if present and all(isinstance(item, (bool, np.bool_)) for item in present):
        return "boolean", np.array([np.nan if item is None else float(item) for item in items])
    if all(isinstance(item, (int, float, np.number)) for item in present):
        return "number", np.array([np.nan if item is None else float(item) for item in items])
    text = np.empty(len(items), dtype=object)
    text[:] = [None if item is None else str(item) for item in items]
    return "text", text


def _is_missing(item: object) -> bool:
    # pandas.NA and NaT say so by name, without importing pandas.
    if item is None or type(item).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(item, (float, np.floating)) and bool(np.isnan(item))
