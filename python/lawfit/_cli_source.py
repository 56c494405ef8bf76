"""The fit that a verb is about: a file that was saved, or runs that are fitted on the spot."""

from __future__ import annotations

import argparse
from pathlib import Path

from lawfit import _cli_arguments as arguments
from lawfit._cli_fitting import add_fit_options, fit_one
from lawfit._cli_wording import in_options, option_names
from lawfit._count_fit import CountFit
from lawfit._draws import Draws
from lawfit._fits import Fits
from lawfit._wording import describe
from lawfit.errors import DataError
from lawfit.results import Fit
from lawfit.saving import load


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare the fit: a file, or runs with a law and a response."""
    parser.add_argument("--law", metavar="NAME|FORMULA", help="fit this law to DATA; otherwise FIT is a saved fit")
    parser.add_argument("--response", metavar="COLUMN", help="with --law: the column to fit, or a formula")
    before = {action.dest for action in parser._actions}
    arguments.add_runs(parser, "a file of `lawfit fit -o FIT.json`; or, with --law, runs as `lawfit fit` takes them")
    add_fit_options(parser)
    # What a fit that is there already cannot be told.
    parser.set_defaults(only_with_law=[each.dest for each in parser._actions if each.dest not in before | {"data"}])


def read_source(chosen: argparse.Namespace) -> Fit | Fits | CountFit | Draws:
    """Return the saved fit, or fit the runs as the options say."""
    if chosen.law is not None:
        if chosen.response is None:
            raise DataError("--law needs --response, the column to fit, such as --response loss")
        return fit_one(chosen)
    _refuse_options(chosen)
    if len(chosen.data) > 1:
        raise DataError("FIT: give one saved fit; with --law and --response, several files of runs")
    path = "/dev/stdin" if chosen.data[0] == "-" else chosen.data[0]
    if Path(path).suffix.lower() in (".csv", ".parquet", ".pq", ".jsonl", ".ndjson"):
        raise DataError(
            f"{path} is a table of runs: say --law and --response, such as --law chinchilla --response loss"
        )
    try:
        found = load(path)
    except DataError as error:
        raise about_source(error, {"path": "FIT"}) from None
    if isinstance(found, Fit | Fits | CountFit | Draws):
        return found
    raise DataError(f"FIT {path}: {describe(found)}; this verb takes a fit, fits by group, or draws")


def about_source(error: DataError, words: dict[str, str]) -> DataError:
    """Return an error about the source in words of this verb; ``words`` are what arguments are called in it."""
    message = str(error)
    if "saved without its rows" in message:
        message = "FIT was saved without its rows, which this needs: make it with `lawfit fit --with-rows -o FIT.json`"
    return DataError(in_options(message, words))


def _refuse_options(chosen: argparse.Namespace) -> None:
    options = option_names(chosen.parser)
    for dest in chosen.only_with_law:
        # Points are mapped to variables in the same way.
        if dest != "columns" and getattr(chosen, dest) != chosen.parser.get_default(dest):
            raise DataError(f"{options[dest]} is for a fit of runs, with --law and --response; FIT is fitted already")
    if chosen.response is not None:
        raise DataError("--response goes with --law; FIT is fitted already")
