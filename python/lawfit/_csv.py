"""A small CSV reader: comma-separated text with a header becomes columns of numbers, conditions or text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lawfit.errors import DataError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_CONDITION = {"true": True, "false": False}


def read_csv(path: Path) -> dict[str, NDArray[np.generic]]:
    """Columns of a CSV file by name."""
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            return parse_csv(lines, str(path))
    except FileNotFoundError:
        raise DataError(f"no file {path}; the working directory is {Path.cwd()}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None


def parse_csv(lines: Iterable[str], source: str) -> dict[str, NDArray[np.generic]]:
    """Columns of CSV text by name; ``source`` names it in messages."""
    reader = csv.reader(lines)
    try:
        header = [name.strip().removeprefix("\ufeff") for name in next(reader, [])]
        _check_header(header, source)
        rows = [row for row in reader if _is_row(row, len(header), f"{source}, line {reader.line_num}")]
    except csv.Error as error:
        raise DataError(f"{source}, line {reader.line_num}: {error}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{source} is not UTF-8 text ({error.reason})") from None
    if not rows:
        raise DataError(f"{source} has a header and no rows")
    return {name: typed(list(cells)) for name, cells in zip(header, zip(*rows, strict=True), strict=True)}


def _is_row(row: list[str], n_columns: int, place: str) -> bool:
    """Whether a line holds anything; it must then have a field for each column."""
    if row and len(row) != n_columns:
        hint = "; is a quote not closed?" if any("\n" in cell for cell in row) else ""
        raise DataError(f"{place}: {len(row)} fields where the header has {n_columns}{hint}")
    if any("\0" in cell for cell in row):
        raise DataError(f"{place}: a NUL character; save the table as UTF-8 text")
    return bool(row)


def _check_header(header: list[str], source: str) -> None:
    if not header:
        raise DataError(f"{source} is empty; the first line must name the columns")
    for separator in (";", "\t", "|"):
        if len(header) == 1 and separator in header[0]:
            raise DataError(f"{source}: the columns are separated by {separator!r}; save the table with commas")
    if any(mark < " " and not mark.isspace() for name in header for mark in name):
        raise DataError(f"{source} is no CSV text: its first line holds control characters")
    if all(_NUMBER.fullmatch(name) for name in header):
        raise DataError(f"{source}: the first line holds numbers, where it must name the columns")
    for position, name in enumerate(header):
        if name in header[:position]:
            raise DataError(f"{source}: two columns are called {name!r}; rename one")


def typed(cells: list[str]) -> NDArray[np.generic]:
    """Cells of one column as float64 (missing: NaN), as bool, or as they are."""
    words = [cell.strip() for cell in cells]
    if all(word.lower() in _CONDITION for word in words):
        return np.array([_CONDITION[word.lower()] for word in words])
    present = [word.lower() not in MISSING for word in words]
    if any(present) and all(_NUMBER.fullmatch(word) for word, is_there in zip(words, present, strict=True) if is_there):
        numbers = (float(word) if is_there else np.nan for word, is_there in zip(words, present, strict=True))
        return np.fromiter(numbers, dtype=np.float64, count=len(words))
    if not any(present):
        return np.full(len(words), np.nan)
    return np.array(words, dtype=object)
