"""The fit that a verb is about: a file that was saved, or runs that are fitted on the spot."""

from __future__ import annotations

import argparse

from lawfit import _cli_arguments as arguments
from lawfit._cli_fitting import add_fit_options, fit_one
from lawfit.errors import DataError
from lawfit.results import Fit


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare the fit: a file, or runs with a law and a response."""
    add = parser.add_argument
    add("--law", metavar="NAME|FORMULA", help="fit this law to DATA; without it, FIT is a file of lawfit fit -o")
    add("--response", metavar="COLUMN", help="with --law: the column to fit, or a formula")
    arguments.add_runs(parser)
    add_fit_options(parser)


def read_fit(chosen: argparse.Namespace) -> Fit:
    """Fit the runs as the options say."""
    if chosen.law is None or chosen.response is None:
        raise DataError("--law and --response are needed to fit the runs, such as --law chinchilla --response loss")
    return fit_one(chosen)
