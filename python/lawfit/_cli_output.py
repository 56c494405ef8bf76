"""What a verb of the command line writes, in the form that was asked for."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

from lawfit._export import columns_of, param_columns
from lawfit._fits import Fits
from lawfit.errors import DataError
from lawfit.results import Fit

FORMATS = ("table", "json", "csv")
_BY_SUFFIX = {".json": "json", ".csv": "csv", ".txt": "table"}


def choose_format(asked: str | None, output: str | None) -> str:
    """Return the form asked for, or the one that the ending of the output file says, or a table."""
    if asked is not None:
        return asked
    if output is None:
        return "table"
    suffix = Path(output).suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise DataError(f"-o {output}: the ending says no format; use {', '.join(_BY_SUFFIX)}, or give --format")
    return _BY_SUFFIX[suffix]


def write(result: Fit | Fits, form: str, output: str | None) -> None:
    """Write a result to a file or to standard output."""
    text = as_text(result, form)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise DataError(f"-o {output}: cannot write there ({error.strerror})") from None


def as_text(result: Fit | Fits, form: str) -> str:
    """Return a result as text: a table for people, JSON with every digit, or CSV with one row per parameter."""
    if form == "json":
        return json.dumps(result.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if form == "csv":
        columns = param_columns([result]) if isinstance(result, Fit) else columns_of(result, "params")
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        return lines.getvalue()
    return f"{result!r}\n"
