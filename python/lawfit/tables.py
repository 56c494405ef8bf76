"""Whatever holds runs in rows and columns becomes a `Table`; frames are made the other way.

None of the libraries that it may come from is imported before the user has handed over one of its objects or a path
that only it can read.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lawfit import _files, _reshape
from lawfit._csv import parse_csv
from lawfit._table import Table as Table
from lawfit._wording import describe, suggest
from lawfit.errors import DataError

FRAME_LIBRARIES = ("pandas", "polars", "pyarrow")
ACCEPTED = (
    "a dict of arrays, a list of dicts, a structured array, a pandas, polars or pyarrow table, a DuckDB relation, "
    f"or the path of a {_files.ENDINGS} file"
)
# Column that says which of several files a row comes from.
FILE_COLUMN = "file"


def read_table(data: object, argument: str = "data") -> Table:
    """Read anything that holds runs as a table: to look at it, melt it, keep last checkpoints, and fit it.

    Parameters
    ----------
    data : table
        Dict of arrays; list of dicts, one a row; structured array; pandas, polars (eager or lazy) or pyarrow table or
        reader; DuckDB relation; anything with an Arrow C stream; the path of a .csv, .parquet or .jsonl file, a pattern
        such as ``"runs/*.csv"``, or a list of paths. Rows of several files come below each other, with the stem of the
        file in the column ``file`` if there is no such column.
    argument : str
        How messages call the data.

    Returns
    -------
    Table
        Prints its columns with their kinds and missing values. Columns are read when something asks for them. A chart
        exported by W&B (``Step`` and columns ``run - metric``) comes as columns ``run``, ``step`` and the metrics.

    Raises
    ------
    DataError
        It is nothing of the kind, has no rows, or its columns differ in length.

    Notes
    -----
    When to use: before `fit` where a table needs melting or its last checkpoints; `fit` itself takes all of these.

    Examples
    --------
    >>> import lawfit as lf
    >>> lf.read_table({"size": ["150M", "1B", None], "loss": [3.5, 3.1, 2.9]})
    Table of 3 rows, 2 columns
    column  kind    values                 missing
    size    text    2 different: 150M, 1B        1
    loss    number  2.9 to 3.5                   0
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, Mapping):
        return _from_columns({str(name): values for name, values in data.items()}, "dict", argument)
    if _files.are_paths(data):
        return _from_paths(data, argument)
    if isinstance(data, np.ndarray):
        if data.dtype.names is None:
            raise DataError(f"{argument}: an array without named fields; give {ACCEPTED}")
        return _from_columns({name: data[name] for name in data.dtype.names}, "dict", argument)
    if isinstance(data, list | tuple) and data and all(isinstance(record, Mapping) for record in data):
        return _from_columns(_files.records_as_columns([dict(record) for record in data], argument), "dict", argument)
    return _from_object(data, argument)


def borrow_table(data: object, argument: str = "data") -> Table:
    """Read a table for one call: its columns may be the caller's arrays, which are copied by what outlives the call."""
    table = read_table(data, argument)
    return table if table is data else replace(table, _is_borrowed=True)


def _from_object(data: object, argument: str) -> Table:
    """Read an object of another library, by what it can do."""
    library = type(data).__module__.partition(".")[0].lstrip("_")
    given: Any = data
    if library == "polars" and hasattr(data, "collect"):
        return read_table(given.collect(), argument)
    if library == "pyarrow" and hasattr(data, "read_all"):
        return read_table(given.read_all(), argument)
    if library == "pyarrow" and hasattr(data, "to_table"):
        return read_table(given.to_table(), argument)
    if library == "duckdb" and hasattr(data, "fetchnumpy"):
        return _from_columns(dict(given.fetchnumpy()), "dict", argument)
    if library not in FRAME_LIBRARIES and hasattr(data, "__arrow_c_stream__"):
        return _from_arrow_stream(given, argument)
    return _from_frame(data, library, argument)


def _from_arrow_stream(data: Any, argument: str) -> Table:
    """Read an Arrow C stream through a library that can; it can be read only once."""
    if importlib.util.find_spec("pyarrow") is not None:
        pyarrow: Any = importlib.import_module("pyarrow")
        return read_table(pyarrow.RecordBatchReader.from_stream(data).read_all(), argument)
    if importlib.util.find_spec("polars") is not None:
        polars: Any = importlib.import_module("polars")
        return read_table(polars.DataFrame(data), argument)
    raise DataError(f"{argument}: reading the Arrow stream of {describe(data)} needs pyarrow or polars; install one")


def is_table_like(data: object) -> bool:
    """Whether `read_table` would try: tells a mapping of tables from a mapping of columns."""
    if isinstance(data, np.ndarray):
        return data.dtype.names is not None
    # A lazy frame is asked for nothing: its columns may cost a query.
    known = isinstance(data, Table | Path | Mapping) or any(
        hasattr(data, verb) for verb in ("collect", "fetchnumpy", "__arrow_c_stream__")
    )
    return known or _frame_columns(data) is not None


def _frame_columns(data: object) -> Sequence[object] | None:
    """Column names of a frame, whatever it calls them."""
    for attribute in ("column_names", "columns"):
        names = getattr(data, attribute, None)
        if names is not None and not callable(names) and hasattr(data, "__getitem__"):
            if attribute == "columns" and any(not np.isscalar(name) for name in names):
                continue
            return list(names)
    schema_names = getattr(getattr(data, "schema", None), "names", None)
    return None if schema_names is None or callable(schema_names) else list(schema_names)


def _from_frame(data: object, library: str, argument: str) -> Table:
    names = _frame_columns(data)
    if names is None:
        raise DataError(f"{argument}: cannot read {describe(data)}; give {ACCEPTED}")
    frame: Any = data
    known = library if library in FRAME_LIBRARIES else "dict"
    texts = tuple(name for name in names if isinstance(name, str))
    if not texts:
        raise DataError(f"{argument}: the table has no columns with text names")
    for position, name in enumerate(texts):
        if name in texts[:position]:
            raise DataError(f"{argument}: two columns are called {name!r}; rename one")
    n_rows = int(frame.num_rows) if hasattr(frame, "num_rows") else len(frame)
    if n_rows == 0:
        raise DataError(f"{argument}: the table has no rows")
    return Table(texts, n_rows, known, frame.__getitem__)


def _from_columns(columns: dict[str, Any], library: str, argument: str) -> Table:
    if not columns:
        raise DataError(f"{argument}: the table has no columns")
    lengths = {}
    for name, values in columns.items():
        # An array without dimensions has the method, but no length; a list of lists is judged when it is read.
        if isinstance(values, str | bytes) or not hasattr(values, "__len__") or getattr(values, "ndim", 1) == 0:
            raise DataError(f"{argument}: column {name!r} is {describe(values)}; give one value per row")
        lengths[name] = len(values)
    first_name, n_rows = next(iter(lengths.items()))
    if len(set(lengths.values())) > 1:
        name, length = next(pair for pair in lengths.items() if pair[1] != n_rows)
        raise DataError(f"{argument}: column {name!r} has {length} rows where column {first_name!r} has {n_rows}")
    if n_rows == 0:
        raise DataError(f"{argument}: the table has no rows")
    return Table(tuple(columns), n_rows, library, columns.__getitem__)


def _from_paths(data: object, argument: str) -> Table:
    paths = _files.expand(data, argument)
    read = [_from_file(path) for path in paths]
    if isinstance(data, str | Path) and paths == [Path(data)]:
        return read[0]
    return _reshape.stack(read, [path.stem for path in paths], FILE_COLUMN)


def _from_file(path: Path) -> Table:
    content = _files.read_path(path)
    if not isinstance(content, dict):
        return read_table(content, str(path))
    return _from_csv(content, str(path))


def read_csv_lines(lines: Iterable[str], source: str) -> Table:
    """Read lines of CSV as the table that a file of them would be; ``source`` names them in messages."""
    return _from_csv(parse_csv(lines, source), source)


def _from_csv(columns: dict[str, Any], source: str) -> Table:
    table = _from_columns(columns, "csv", source)
    return _reshape.unpivot_wandb(table) if _reshape.is_wandb_chart(table) else table


def make_frame(columns: Mapping[str, Any], library: str) -> Any:
    """Put columns into a frame of the named library."""
    if library not in FRAME_LIBRARIES:
        raise DataError(f"library={library!r} is not known; {suggest(library, FRAME_LIBRARIES)}")
    try:
        module = importlib.import_module(library)
    except ImportError:
        raise DataError(f"library={library!r} is not installed") from None
    return module.table(dict(columns)) if library == "pyarrow" else module.DataFrame(dict(columns))
