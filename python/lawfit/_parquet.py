"""Columns as the bytes of a Parquet file, through whichever library is installed."""

from __future__ import annotations

import importlib
import importlib.util
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lawfit._wording import listed
from lawfit.errors import DataError
from lawfit.tables import make_frame


def parquet_bytes(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return a Parquet file of columns.

    Raises
    ------
    DataError
        No library that can write one is installed, or it cannot write these columns.
    """
    for library, write in _WRITERS.items():
        if importlib.util.find_spec(library) is None:
            continue
        file = io.BytesIO()
        try:
            write(make_frame(columns, library), file)
        except Exception as error:  # each library has its own
            raise DataError(f"Parquet cannot be written by {library}: {error}") from None
        return file.getvalue()
    raise DataError(f"writing Parquet needs one of {listed(_WRITERS)}; install one, or write .csv or .json")


def _write_pyarrow(frame: Any, file: io.BytesIO) -> None:
    importlib.import_module("pyarrow.parquet").write_table(frame, file)


_WRITERS: dict[str, Callable[[Any, io.BytesIO], object]] = {
    "pyarrow": _write_pyarrow,
    "polars": lambda frame, file: frame.write_parquet(file),
    "pandas": lambda frame, file: frame.to_parquet(file),
}
