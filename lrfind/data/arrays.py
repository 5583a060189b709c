"""Tables from arrays in memory: `table_from_arrays(X, y)`, and from .npz files.

Data frames are recognised by what they offer (columns, to_numpy); pandas is never imported.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from lrfind.data.dialect import MAX_COLUMNS, distinct_names
from lrfind.data.table import Column, Source, Table
from lrfind.data.typed import as_category, typed, without
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
    na: Collection[str] = (),
    text: Collection[str] = (),
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
    na : collection of str
        Texts that are missing values.
    text : collection of str
        Columns that are categories, though they hold numbers.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        Shapes do not fit, or there is nothing in them; or X and y are pandas objects with other indexes.
    """
    y, notes = aligned(X, y)
    source = Source(name="arrays", path="", format="arrays", sha256=None, size=0, mtime=None, detected=())
    table = _table(X, y, feature_names=feature_names, target_name=target_name, source=source, rows=None)
    unknown = [name for name in text if all(column.name != name for column in table.columns)]
    if unknown:
        raise DataError(
            f"text: there is no column {listed(unknown[:1])}; there are {listed(c.name for c in table.columns)}"
        )
    columns = tuple(
        without(as_category(column) if column.name in text else column, words=na) for column in table.columns
    )
    return replace(table, columns=columns, notes=(*notes, *table.notes))


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
    categories = {i for i, column in enumerate(_series(X)) if _is_categorical(column)}
    names = _feature_names(X, len(columns), given=feature_names)
    if y is not None:
        if target_name in names:
            raise DataError(f"'{printable(target_name, width=40)}' names both a feature and the target: rename one")
        categories |= {len(columns)} if _is_categorical(y) else set()
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
    for i, (name, values) in enumerate(zip(names, columns, strict=True)):
        column, note = _column(name, values if rows is None else values[rows])
        made.append(as_category(column) if i in categories else column)
        notes += note
    n_rows = n_total if rows is None else len(rows)
    if n_rows < n_total:
        notes.insert(0, f"used {n_rows:,} of {n_total:,} rows, chosen at random with seed {seed}")
    return Table(
        source=source, columns=tuple(made), n_rows=n_rows, n_rows_total=n_total, notes=tuple(notes), places=rows
    )


def _feature_arrays(X: Any, name: str) -> list[npt.NDArray[Any]]:
    if _is_frame(X):
        return [_plain(series) for series in _series(X)]
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


def _is_frame(X: Any) -> bool:
    return hasattr(X, "columns") and hasattr(X, "to_numpy")


def _series(X: Any) -> list[Any]:
    """Return the columns of a data frame; none of anything else."""
    if not _is_frame(X):
        return []
    return [X.iloc[:, i] if hasattr(X, "iloc") else X[X.columns[i]] for i in range(len(X.columns))]


def _is_categorical(series: Any) -> bool:
    if _is_frame(series) and len(series.columns) == 1:
        (series,) = _series(series)
    return hasattr(getattr(series, "dtype", None), "categories")


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


def column_names(frame: Any) -> tuple[str, ...]:
    """Return what the columns of a data frame are called here: as text, told apart where two would be the same."""
    return distinct_names([str(name) for name in frame.columns])


def name_of(frame: Any, label: Any) -> str:
    """Return what the column of a data frame with this label, of any type, is called here.

    Parameters
    ----------
    frame : data frame, or anything else
    label : hashable
        Such as 4, or ("a", "mean").

    Returns
    -------
    str
        The label as text where there is no such column; a message about it can only come later.
    """
    if hasattr(frame, "columns"):
        for own, name in zip(frame.columns, column_names(frame), strict=True):
            if type(own) is type(label) and own == label:
                return name
        for own, name in zip(frame.columns, column_names(frame), strict=True):
            if bool(own == label):
                return name
    return str(label)


def aligned(X: Any, y: Any) -> tuple[Any, tuple[str, ...]]:
    """Return y in the rows of X where both are pandas objects, and what was done.

    Parameters
    ----------
    X, y : array-like or pandas object

    Returns
    -------
    y : array-like
    notes : tuple of str

    Raises
    ------
    DataError
        Their indexes do not hold the same labels, once each.
    """
    ours: Any = getattr(X, "index", None)
    theirs: Any = getattr(y, "index", None)
    if not (hasattr(ours, "equals") and hasattr(theirs, "equals")) or ours.equals(theirs):
        return y, ()
    is_one_to_one = len(ours) == len(theirs) and ours.is_unique and theirs.is_unique
    if not is_one_to_one or not bool(ours.isin(theirs).all()):
        raise DataError(
            "X and y have different indexes, so that it is not clear which row is whose: give y.loc[X.index], or "
            "y.to_numpy() if both are in the same order"
        )
    return y.reindex(ours), ("y was put in the order of X by their indexes",)


def _feature_names(X: Any, n: int, *, given: Sequence[str] | None) -> list[str]:
    if given is None:
        return list(column_names(X)) if hasattr(X, "columns") else [f"x{i}" for i in range(n)]
    if len(given) != n:
        raise DataError(f"feature_names has {len(given)} names, and X has {n} columns")
    if len(set(given)) < n:
        raise DataError("feature_names holds the same name twice")
    return [str(name) for name in given]


def _column(name: str, values: npt.NDArray[Any]) -> tuple[Column, list[str]]:
    kind, array = typed(values)
    notes = []
    if kind == "number" and (n_odd := int(np.isinf(array).sum())):
        array = np.where(np.isinf(array), np.nan, array)
        was = "1 value is" if n_odd == 1 else f"{n_odd:,} values are"
        notes.append(f"column '{printable(name, width=40)}': {was} not finite, read as missing")
    labels = ("false", "true") if kind == "boolean" else None
    return Column(name=name, kind=kind, values=array, labels=labels), notes
