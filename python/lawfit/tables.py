"""Whatever holds runs in rows and columns, read column by column and only where a formula asks for it.

A table is a dict of arrays, a structured array, a pandas or polars frame (eager or lazy), a pyarrow table, or the path
of a .csv or .parquet file. None of these libraries is imported here before the user has handed over one of its objects
or a .parquet path.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from lawfit import _arrays, _engine
from lawfit._columns import Column, as_column
from lawfit._csv import read_csv
from lawfit._engine import F64, I64
from lawfit._wording import describe, suggest
from lawfit.errors import DataError, LawError

FRAME_LIBRARIES = ("pandas", "polars", "pyarrow")
ACCEPTED = (
    "a dict of arrays, a structured array, a pandas, polars or pyarrow table, or the path of a .csv or .parquet file"
)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns by name, read when asked for."""

    names: tuple[str, ...]
    n_rows: int
    library: str
    _get: Callable[[str], Any] = field(repr=False)
    _read: dict[str, Column] = field(repr=False, default_factory=dict)

    def column(self, name: str) -> Column:
        """Read one column; a second look costs nothing."""
        if name not in self._read:
            if name not in self.names:
                raise DataError(f"there is no column {name!r}; {suggest(name, self.names, 'the columns are')}")
            self._read[name] = as_column(name, self._get(name))
        return self._read[name]

    def evaluate(self, text: str, *, want: str, argument: str) -> F64:
        """Evaluate a column name or a formula over the columns, row by row; ``want`` is "number" or "condition"."""
        if text in self.names:
            return self._plain(text, want, argument)
        try:
            used = _engine.names(text)
        except LawError as error:
            raise DataError(f"{argument}: {error}") from None
        for name in used:
            if name not in self.names:
                raise DataError(
                    f"{argument}={text!r}: there is no column {name!r}; {suggest(name, self.names, 'the columns are')}"
                )
        columns: list[_engine.EngineColumn] = [
            (column.name, column.values, column.kind, column.levels) for column in map(self.column, used)
        ]
        # A constant says how many rows there are by no column of its own.
        columns = columns or [("row", np.zeros(self.n_rows), "number", ())]
        return _engine.evaluate_columns(text, columns, want=want, argument=argument)

    def _plain(self, name: str, want: str, argument: str) -> F64:
        """Return one column as it is, provided that it holds what is wanted."""
        column = self.column(name)
        if column.kind == want or (want == "number" and column.kind == "condition"):
            return column.values
        if column.kind == "text":
            row, cell = _first_odd_cell(column)
            raise DataError(
                f"{argument}={name!r}: the column holds text, {cell!r} in row {row} (counted from 0), not {want}s; "
                "convert it, or compare it with a text: where=\"column == 'value'\""
            )
        example = f"{name} > 0"
        raise DataError(f"{argument}={name!r}: the column holds numbers; compare it with one: {argument}={example!r}")


def read_table(data: object, argument: str = "data") -> Table:
    """Anything table-like as a `Table`.

    Raises
    ------
    DataError
        It is nothing of the kind, has no rows, or its columns differ in length.
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, str | Path):
        return _from_path(Path(data))
    if isinstance(data, Mapping):
        return _from_columns({str(name): values for name, values in data.items()}, "dict", argument)
    if isinstance(data, np.ndarray):
        if data.dtype.names is None:
            raise DataError(f"{argument}: an array without named fields; give {ACCEPTED}")
        return _from_columns({name: data[name] for name in data.dtype.names}, "dict", argument)
    library = type(data).__module__.partition(".")[0]
    if library == "polars" and hasattr(data, "collect"):
        return read_table(data.collect(), argument)
    if library == "pyarrow" and hasattr(data, "read_all"):
        return read_table(data.read_all(), argument)
    return _from_frame(data, library, argument)


def is_table_like(data: object) -> bool:
    """Whether `read_table` would try: tells a mapping of tables from a mapping of columns."""
    if isinstance(data, np.ndarray):
        return data.dtype.names is not None
    # A lazy frame is asked for nothing: its columns may cost a query.
    known = isinstance(data, Table | Path | Mapping) or hasattr(data, "collect")
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
        if isinstance(values, str | bytes) or not hasattr(values, "__len__") or np.ndim(values) == 0:
            raise DataError(f"{argument}: column {name!r} is {describe(values)}; give one value per row")
        lengths[name] = len(values)
    first_name, n_rows = next(iter(lengths.items()))
    for name, length in lengths.items():
        if length != n_rows:
            raise DataError(f"{argument}: column {name!r} has {length} rows where column {first_name!r} has {n_rows}")
    if n_rows == 0:
        raise DataError(f"{argument}: the table has no rows")
    return Table(tuple(columns), n_rows, library, columns.__getitem__)


def _from_path(path: Path) -> Table:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _from_columns(dict(read_csv(path)), "csv", str(path))
    if suffix in (".parquet", ".pq"):
        if not path.is_file():
            raise DataError(f"no file {path}; the working directory is {Path.cwd()}")
        return _read_parquet(path)
    raise DataError(f"data={str(path)!r}: a path must end in .csv or .parquet")


def _read_parquet(path: Path) -> Table:
    """Read a .parquet file through whichever library is installed."""
    readers: dict[str, Callable[[ModuleType], Any]] = {
        "pyarrow.parquet": lambda module: module.read_table(path),
        "polars": lambda module: module.read_parquet(path),
        "pandas": lambda module: module.read_parquet(path),
    }
    for name, reader in readers.items():
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            try:
                return read_table(reader(importlib.import_module(name)), str(path))
            except Exception as error:  # each library has its own for a file that is damaged
                raise DataError(f"{path} cannot be read as Parquet by {name.partition('.')[0]}: {error}") from None
    raise DataError(f"{path}: reading Parquet needs one of {', '.join(FRAME_LIBRARIES)}; install one, or give a .csv")


class Groups(NamedTuple):
    """Rows put together by key: rows ``order[offsets[g]:offsets[g + 1]]`` of the table belong to group ``g``."""

    keys: tuple[tuple[object, ...], ...]
    order: I64
    offsets: I64


def _first_odd_cell(column: Column) -> tuple[int, str]:
    """Return the first row of a text column that no number could be read from, with what it holds."""
    for row, code in enumerate(column.values.tolist()):
        cell = "" if code != code else column.levels[int(code)]
        try:
            float(cell)
        except ValueError:
            return row, cell
    return 0, column.levels[0]


def _group_codes(table: Table, by: Sequence[str], rows: I64) -> I64:
    """Give rows with equal values in the columns ``by`` equal numbers; missing values are equal to each other."""
    codes = np.zeros(rows.size, dtype=np.int64)
    for name in by:
        levels, inverse = np.unique(table.column(name).values[rows], return_inverse=True)
        # Codes are made dense again after each column, so that many columns cannot overflow them.
        _, codes = np.unique(codes * levels.size + inverse.reshape(-1), return_inverse=True)
        codes = codes.reshape(-1).astype(np.int64)
    return codes


def numbers_within_groups(table: Table, by: Sequence[str]) -> I64:
    """Return the number of each row within its group, from 0, in the order of the table."""
    if not by:
        return np.arange(table.n_rows, dtype=np.int64)
    codes = _group_codes(table, by, np.arange(table.n_rows, dtype=np.int64))
    within = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))])
    numbers = np.empty(table.n_rows, dtype=np.int64)
    numbers[within] = np.arange(table.n_rows) - np.repeat(starts[:-1], np.diff(starts))
    return numbers


# Whole numbers up to here are exact in 64-bit floats.
EXACT = 2.0**53
LEAVE_EMPTY_OUT = "give it a value, or drop such rows with where="


def _check_labels(table: Table, name: str, rows: I64, argument: str) -> None:
    """Raise ``DataError`` unless the values of a column tell rows apart: present, and exact."""
    if name not in table.names:
        raise DataError(f"{argument}: there is no column {name!r}; {suggest(name, table.names, 'the columns are')}")
    column = table.column(name)
    values = column.values[rows]
    _arrays.check_finite(values, f"{argument}: column {name!r}", "drop those rows with where=", rows)
    if column.kind == "number" and np.any(np.abs(values) >= EXACT):
        raise DataError(
            f"{argument}: column {name!r} holds numbers beyond 2**53, which 64-bit floats cannot tell apart; "
            "make it text"
        )
    if "" in column.levels and np.any(values == column.levels.index("")):
        row = rows[np.flatnonzero(values == column.levels.index(""))[0]]
        raise DataError(
            f"{argument}: column {name!r} is missing or empty in row {row} (counted from 0); {LEAVE_EMPTY_OUT}"
        )


def label_rows(table: Table, name: str, rows: I64, argument: str) -> tuple[I64, tuple[object, ...]]:
    """Give each of the rows the position of its value of a column among the distinct ones, which come second."""
    _check_labels(table, name, rows, argument)
    column = table.column(name)
    _, first, codes = np.unique(column.values[rows], return_index=True, return_inverse=True)
    labels = tuple(key_value(column, int(row)) for row in rows[first])
    return codes.reshape(-1).astype(np.int64), labels


def group_rows(table: Table, by: Sequence[str], rows: I64) -> Groups:
    """Group ``rows`` of a table by the values of its columns ``by``, groups in order of first appearance."""
    for name in by:
        _check_labels(table, name, rows, "by")
    codes = _group_codes(table, by, rows)
    _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(first.size)
    groups = rank[codes.reshape(-1)]
    within = np.argsort(groups, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=first.size))]).astype(np.int64)
    heads = rows[within[offsets[:-1]]]
    keys = tuple(tuple(key_value(table.column(name), int(row)) for name in by) for row in heads)
    return Groups(keys, rows[within], offsets)


def key_value(column: Column, row: int) -> object:
    """Return one value of a column as a reader would write it: text, a truth value, a whole number or another."""
    value = float(column.values[row])
    if column.kind == "text":
        return column.levels[int(value)]
    if column.kind == "condition":
        return bool(value)
    return int(value) if value.is_integer() else value


def select_rows(table: Table, where: object) -> I64:
    """Positions of the rows that a condition keeps: text in the law language, or one truth value per row."""
    if where is None:
        return np.arange(table.n_rows, dtype=np.int64)
    if isinstance(where, str):
        kept = table.evaluate(where, want="condition", argument="where")
        label = f"where={where!r}"
    else:
        given = np.asarray(where)
        if given.dtype.kind != "b" or given.shape != (table.n_rows,):
            raise DataError(
                f"where: give a condition as text, or {table.n_rows} truth values, one per row; "
                f"got {given.dtype} of shape {given.shape}"
            )
        kept, label = given.astype(np.float64), "where"
    _arrays.check_finite(kept, label, "a condition needs a value in every row")
    rows = np.flatnonzero(kept != 0.0).astype(np.int64)
    if rows.size == 0:
        raise DataError(f"{label} keeps none of the {table.n_rows} rows")
    return rows


def make_frame(columns: Mapping[str, Any], library: str) -> Any:
    """Put columns into a frame of the named library."""
    if library not in FRAME_LIBRARIES:
        raise DataError(f"library={library!r} is not known; {suggest(library, FRAME_LIBRARIES)}")
    try:
        module = importlib.import_module(library)
    except ImportError:
        raise DataError(f"library={library!r} is not installed") from None
    return module.table(dict(columns)) if library == "pyarrow" else module.DataFrame(dict(columns))
