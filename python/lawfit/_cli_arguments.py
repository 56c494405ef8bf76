"""What verbs of the command line share: runs to read, laws, NAME=VALUE, numbers, bounds."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from lawfit._engine import Progress, registries
from lawfit._law import Law
from lawfit._progress import draw_line
from lawfit._sizes import RULE, parse_size
from lawfit._wording import suggest
from lawfit.errors import DataError, LawError
from lawfit.laws import CATALOGUE
from lawfit.tables import Table, read_csv_lines, read_table

DATA = ".csv, .parquet or .jsonl files or quoted patterns; - is CSV on standard input"


def add_runs(parser: argparse.ArgumentParser, what: str = DATA) -> argparse._ArgumentGroup:
    """Add the arguments that say which runs to read; return their group, for those of one verb alone."""
    parser.add_argument("data", nargs="+", metavar="DATA", help=what)
    group = parser.add_argument_group("runs")
    add_column(group)
    add = group.add_argument
    add("--where", metavar="CONDITION", help='rows to use, such as "step > 0.9*max_step"')
    add("--missing", default="error", metavar="error|drop", help="what a missing value in a used row means (error)")
    add("--last-checkpoint", dest="last", action="append", default=[], metavar="COLUMNS",
        help="keep the last row of each run that these columns name; comes before all else")  # fmt: skip
    add("--order", metavar="FORMULA", help="with it: what grows during training (step)")
    add("--share", type=real, metavar="SHARE", help="with it: keep rows past this share of the run's largest")
    return group


def add_law(parser: argparse.ArgumentParser) -> None:
    """Add ``--law``."""
    parser.add_argument("--law", required=True, metavar="NAME|FORMULA", help="a law of the catalogue, or a formula")


def add_response(parser: argparse.ArgumentParser) -> None:
    """Add ``--response``."""
    parser.add_argument("--response", required=True, metavar="COLUMN", help="the column to fit, or a formula")


def add_column(group: argparse._ActionsContainer) -> None:
    """Add ``--column``."""
    group.add_argument(
        "--column",
        dest="columns",
        action="append",
        default=[],
        metavar="NAME=FORMULA",
        help="a variable from columns, such as N=params or N=6*width**2",
    )


def add_quiet(group: argparse._ActionsContainer) -> None:
    """Add ``--quiet``."""
    group.add_argument("-q", "--quiet", action="store_true", help="no words on standard error")


def read_runs(chosen: argparse.Namespace) -> Table:
    """Read the runs, and keep the last checkpoints where the options say so."""
    table = read_data(chosen.data)
    if chosen.last:
        order = "step" if chosen.order is None else chosen.order
        table = table.last(by=split_names(chosen.last, table.names), order=order, share=chosen.share)
    elif chosen.order is not None or chosen.share is not None:
        raise DataError("--order and --share go with --last-checkpoint COLUMNS, which names the runs")
    return table


def read_data(paths: Sequence[str]) -> Table:
    """Read files, or CSV from standard input for ``-``."""
    if "-" not in paths:
        return read_table(Path(paths[0]) if len(paths) == 1 else list(paths))
    if len(paths) > 1:
        raise DataError("data: - stands for standard input and goes alone, without other files")
    if sys.stdin is None or sys.stdin.isatty():
        raise DataError("data=- reads CSV from standard input, but nothing is piped into it")
    binary = getattr(sys.stdin, "buffer", None)
    if binary is None:
        return read_csv_lines(sys.stdin, "standard input")
    # As a file is read: UTF-8 whatever the terminal speaks, and line ends left to the reader of CSV.
    lines = io.TextIOWrapper(binary, encoding="utf-8", newline="")
    try:
        return read_csv_lines(lines, "standard input")
    finally:
        lines.detach()


def read_law(text: str) -> Law:
    """Return a law of the catalogue by its name, or a formula; a lone unknown word is a misspelt name."""
    if text in CATALOGUE:
        return CATALOGUE[text]
    if text.isidentifier():
        raise LawError(f"--law {text}: no law of the catalogue is called so; {suggest(text, CATALOGUE)}")
    return Law(text)


def progress(quiet: bool) -> Progress | None:
    """Return what draws the progress: nothing unless standard error is a terminal."""
    return draw_line if sys.stderr.isatty() and not quiet else None


def split_names(texts: Sequence[str], known: Sequence[str] = ()) -> list[str]:
    """Names given one by one or with commas between; one of the ``known`` may hold a comma itself."""
    parts = [part for text in texts for part in ([text] if text in known else text.split(","))]
    return [part.strip() for part in parts if part.strip()]


def pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """Return NAME=VALUE arguments by name; a name given twice is an error, not a silent choice."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise DataError(f"{option} {text}: write NAME=VALUE")
        if name in found:
            raise DataError(f"{option}: {name} is given twice, as {found[name]} and as {value}")
        found[name] = value
    return found


def whole(text: str) -> int:
    """Read a whole number, in words of its own where argparse has the name of a type."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def real(text: str) -> float:
    """Read a number, likewise."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def number(option: str, text: str) -> float:
    """Read a number."""
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{option}: {text!r} is not a number") from None
    if value != value:
        raise DataError(f"{option}: {text!r} is not a number")
    return value


def size(option: str, text: str) -> float:
    """Read a number that may be written as a size, such as 70B."""
    value = parse_size(text)
    if value is None:
        raise DataError(f"{option}: {text!r} is not a number; write {RULE}")
    return value


def count_or_rule(text: str | None) -> int | str | None:
    """Read a number of starts, or leave the name of their rule."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


def scale(text: str | None) -> float | str | None:
    """Read a scale of the robust loss, or leave the name of its rule."""
    return text if text is None or text in registries().scale_rules else number("--f-scale", text)


def bounds(texts: Sequence[str]) -> dict[str, tuple[float | None, float | None]]:
    """Read NAME=LOW:HIGH."""
    return {name: _bound(ends) for name, ends in pairs("--bound", texts).items()}


def fixed(texts: Sequence[str]) -> dict[str, float]:
    """Read NAME=VALUE of parameters."""
    return {name: number("--fixed", value) for name, value in pairs("--fixed", texts).items()}


def priors(texts: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Read NAME=MEAN:SD."""
    return {name: _known(pair) for name, pair in pairs("--prior", texts).items()}


def _bound(ends: str) -> tuple[float | None, float | None]:
    lower, colon, upper = ends.partition(":")
    if not colon:
        raise DataError(f"--bound {ends}: write NAME=LOW:HIGH; leave an end empty where there is none")
    return _end(lower), _end(upper)


def _known(pair: str) -> tuple[float, float]:
    mean, colon, sd = pair.partition(":")
    if not colon:
        raise DataError(f"--prior {pair}: write NAME=MEAN:SD")
    return number("--prior", mean), number("--prior", sd)


def _end(text: str) -> float | None:
    return number("--bound", text) if text.strip() else None
