"""Files of runs: paths, patterns and lists of them; CSV and JSON lines by our own readers, Parquet by a library."""

from __future__ import annotations

import glob
import importlib
import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from lawfit._csv import read_csv
from lawfit._wording import describe, listed
from lawfit.errors import DataError

ENDINGS = ".csv, .parquet or .jsonl"


def are_paths(data: object) -> bool:
    """Whether this is a path, a pattern, or a list of such."""
    if isinstance(data, Sequence) and not isinstance(data, str | bytes) and len(data):
        return all(isinstance(part, str | Path) for part in data)
    return isinstance(data, str | Path)


def expand(data: object, argument: str) -> list[Path]:
    """Paths that are meant; those of a pattern come in alphabetical order."""
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [path for part in data for path in expand(part, argument)]
    text = str(data)
    if not text.strip():
        raise DataError(f"{argument}: an empty text is no path")
    # A file whose name holds brackets is that file.
    if not glob.has_magic(text) or os.path.exists(text):
        return [Path(text)]
    found = [Path(name) for name in sorted(glob.glob(text, recursive=True)) if os.path.isfile(name)]
    if not found:
        raise DataError(f"{argument}={text!r}: no file fits the pattern; the working directory is {Path.cwd()}")
    return found


def read_path(path: Path) -> object:
    """Read one file: a dict of columns, or a frame of the library that read it."""
    reader = _READERS.get(path.suffix.lower())
    # os.path answers False where a text can be no path at all.
    if os.path.isdir(path):
        raise DataError(f'{path} is a folder; give a file, or a pattern such as "{path}/*.csv"')
    if reader is None:
        raise DataError(f"data={str(path)!r}: a path must end in {ENDINGS}")
    if not os.path.isfile(path):
        raise DataError(f"no file {path}; the working directory is {Path.cwd()}")
    return reader(path)


def records_as_columns(records: Sequence[object], source: str) -> dict[str, list[object]]:
    """Columns of mappings, one a row; what a row does not have is missing."""
    columns: dict[str, list[object]] = {}
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            raise DataError(f"{source}, row {number} (counted from 0): {describe(record)} where a mapping is needed")
        for name in record:
            columns.setdefault(str(name), [None] * len(records))
        for name, value in record.items():
            columns[str(name)][number] = value
    return columns


def _read_json_lines(path: Path) -> dict[str, list[object]]:
    records: list[object] = []
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    records.append(_read_record(line, path, number))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error.reason})") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if not records:
        raise DataError(f"{path} is empty; each line must be one JSON object")
    return records_as_columns(records, str(path))


def _read_record(line: str, path: Path, number: int) -> object:
    try:
        record: object = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {number}: no JSON ({error}); each line must be one object") from None
    return record


def _read_parquet(path: Path) -> object:
    """Read a .parquet file through whichever library is installed."""
    for name, read in _PARQUET.items():
        library = name.partition(".")[0]
        if importlib.util.find_spec(library) is not None:
            try:
                return read(importlib.import_module(name), str(path))
            except Exception as error:  # each library has its own for a file that is damaged
                raise DataError(f"{path} cannot be read as Parquet by {library}: {error}") from None
    libraries = listed(name.partition(".")[0] for name in _PARQUET)
    raise DataError(f"{path}: reading Parquet needs one of {libraries}; install one, or give a .csv")


_PARQUET: dict[str, Callable[[ModuleType, str], Any]] = {
    "pyarrow.parquet": lambda module, path: module.read_table(path),
    "polars": lambda module, path: module.read_parquet(path),
    "duckdb": lambda module, path: module.read_parquet(path),
    "pandas": lambda module, path: module.read_parquet(path),
}
_READERS: dict[str, Callable[[Path], object]] = {
    ".csv": read_csv,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
}
