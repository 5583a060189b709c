"""An order of rows that follows from what they hold: `by_content(table) -> Table`.

Which rows are held out, and which make a batch, is drawn by their place. Places that follow from the rows' own content
make the same table give the same advice however its file was sorted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lrfind.data import Column, Table

Hashes = npt.NDArray[np.uint64]

# Constants of the splitmix64 generator (Steele, Lea & Flood 2014): they mix 64 bits so well that two different rows
# of a million share a hash once in thirty million tables.
_GOLDEN, _MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def by_content(table: Table) -> Table:
    """Return the table with its rows in an order that follows from what they hold, and looks random.

    Parameters
    ----------
    table : Table

    Returns
    -------
    Table
        The same for every order of the same rows; rows that are equal in every column cannot be told apart.
    """
    order = np.argsort(hash_rows([_bits(column) for column in table.columns], n_rows=table.n_rows), kind="stable")
    columns = tuple(replace(column, values=column.values[order]) for column in table.columns)
    return replace(table, columns=columns, places=table.row_places[order])


def _bits(column: Column) -> npt.NDArray[np.int64]:
    if column.kind == "text":
        known = {text: _text_bits(text) for text in set(column.values)}
        return np.array([known[text] for text in column.values], np.int64)
    if column.kind == "date":
        return column.values.astype(np.int64)
    # one bit pattern for 0 and -0, and one for all that are not numbers
    return np.where(np.isnan(column.values), np.nan, column.values + 0.0).view(np.int64)


def _text_bits(text: str | None) -> int:
    # not hash(): Python salts it anew in every process
    digest = hashlib.blake2b(b"" if text is None else b"'" + text.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "little", signed=True)


def hash_rows(columns: Sequence[npt.NDArray[np.generic]], *, n_rows: int) -> Hashes:
    """Return a 64-bit hash of each row.

    Parameters
    ----------
    columns : sequence of (n_rows,) ndarray
        Whole numbers or float32.
    n_rows : int

    Returns
    -------
    (n_rows,) ndarray of uint64
    """
    mixed = np.zeros(n_rows, np.uint64)
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is what a hash is made of
        for column in columns:
            bits = column.view(np.int32) if column.dtype == np.float32 else column
            mixed += bits.astype(np.int64).view(np.uint64) + _GOLDEN
            mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
            mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
            mixed ^= mixed >> np.uint64(31)
    return mixed
