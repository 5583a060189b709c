"""Read a table from a file: `read_table(source) -> Table`.

The story is told in `read`; each step has its place::

    source    open the file: refuse what is no table, unpack it, decode it to UTF-8
    dialect   look at the first lines: delimiter, header, names
    formats   one SQL expression over the file's columns, for each format
    query     DuckDB, locked; the sample, the values, errors in plain words
    condition the user's --where, made safe
    kinds     number, boolean, date or text: decided over every row kept
    spellings how people write nothing, yes and no, dates and amounts
    arrays    tables from NumPy arrays, data frames and .npz files
    typed     what arrays in memory hold: numbers, dates, categories
    table     the types: Table, Column, Source
"""

from lrfind.data.arrays import name_of, table_from_arrays
from lrfind.data.read import MAX_ROWS, read_table
from lrfind.data.table import Column, Kind, Source, Table

__all__ = ["MAX_ROWS", "Column", "Kind", "Source", "Table", "name_of", "read_table", "table_from_arrays"]
