"""What a verb of the command line writes: in the form that was asked for, to a file as a whole or not at all."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lawfit._parquet import parquet_bytes
from lawfit._wording import listed
from lawfit.errors import DataError

_SUFFIXES = {"table": ".txt", "json": ".json", "csv": ".csv", "parquet": ".parquet", "latex": ".tex", "html": ".html"}
_BY_SUFFIX = {suffix: form for form, suffix in _SUFFIXES.items()}


@dataclass(frozen=True, slots=True)
class Output:
    """What there is to write, each form made when it is asked for.

    Attributes
    ----------
    table : callable
        Text for people.
    json : callable
        JSON, with every digit.
    columns : callable
        Columns by name, for CSV and Parquet.
    others : mapping of str to callable
        Text in forms that some verbs alone have.
    """

    table: Callable[[], str]
    json: Callable[[], str]
    columns: Callable[[], Mapping[str, Sequence[Any]]]
    others: Mapping[str, Callable[[], str]] = field(default_factory=dict)

    def content(self, form: str) -> str | bytes:
        """Return all of it in a form."""
        if form == "json":
            return self.json()
        if form == "csv":
            return csv_text(self.columns())
        if form == "parquet":
            return parquet_bytes(self.columns())
        return self.others.get(form, self.table)().removesuffix("\n") + "\n"


FORMS = ("table", "json", "csv", "parquet")


def add_output(parser: argparse.ArgumentParser, forms: Sequence[str] = FORMS) -> argparse._ArgumentGroup:
    """Add ``--format`` and ``-o``; return their group."""
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=forms, help=f"form of the output ({forms[0]}, or by the ending of -o)")
    group.add_argument("-o", "--output", metavar="FILE", help="write there instead of to standard output")
    parser.set_defaults(output_forms=forms)
    return group


def choose_format(chosen: argparse.Namespace) -> str:
    """Return the form asked for, or the one that the ending of the output file says, or the first; before any work.

    Raises
    ------
    DataError
        The ending says no form, or the file could not be written.
    """
    asked: str | None = chosen.format
    forms: Sequence[str] = chosen.output_forms
    if chosen.output in (None, "-"):
        form = forms[0] if asked is None else asked
        if form in ("parquet", "html") and sys.stdout.isatty():
            raise DataError(f"{form} is not for a terminal: give -o FILE{_SUFFIXES[form]}, or pipe it on")
        return form
    check_place(Path(chosen.output))
    if asked is not None:
        return asked
    form = _BY_SUFFIX.get(Path(chosen.output).suffix.lower(), "")
    if form not in forms:
        endings = listed(_SUFFIXES[each] for each in forms)
        raise DataError(f"-o {chosen.output}: the ending says no format; use {endings}, or give --format")
    return form


def write(content: str | bytes, output: str | None) -> None:
    """Write to a file, which is replaced as a whole or stays as it was, or to standard output."""
    if output is not None and output != "-":
        _replace(Path(output), content.encode() if isinstance(content, str) else content)
    elif isinstance(content, str):
        sys.stdout.write(content)
    else:
        sys.stdout.buffer.write(content)


def json_text(document: object) -> str:
    """Return values that JSON can hold as JSON."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def csv_text(columns: Mapping[str, Sequence[Any]]) -> str:
    """Return columns as CSV, numbers with every digit."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return lines.getvalue()


def check_place(path: Path) -> None:
    """Refuse a place where nothing can be written before time is spent on what would go there."""
    if path.is_dir():
        raise DataError(f"-o {path}: that is a folder; give a file in it")
    if not path.parent.is_dir():
        raise DataError(f"-o {path}: cannot write there (there is no folder {path.parent})")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise DataError(f"-o {path}: cannot write there (no permission)")


def _replace(path: Path, content: bytes) -> None:
    """Write beside a file and rename; what is no plain file, such as /dev/null or a named pipe, is written to."""
    # A link keeps pointing where it points.
    target = path.resolve()
    beside = target.with_name(f".{target.name[:200]}.{os.getpid()}.part")
    try:
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            target.write_bytes(content)
            return
        try:
            beside.write_bytes(content)
            if target.exists():
                shutil.copymode(target, beside)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"-o {path}: cannot write there ({error.strerror})") from None
