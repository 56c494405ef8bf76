"""The ``modelcard`` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import lawfit as lf
from modelcard.planning import outlooks


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each recipe; return 2 where the table cannot be used."""
    parser = argparse.ArgumentParser(description="What a planned run would reach, by the runs of each recipe.")
    parser.add_argument("runs", help="table with the columns N, D and loss: .csv, .parquet or .jsonl")
    parser.add_argument("--by", required=True, help="column that tells recipes apart")
    parser.add_argument("--at", required=True, metavar="N,D", help="parameters and tokens of the planned run")
    chosen = parser.parse_args(arguments)
    n_parameters, n_tokens = (float(part) for part in chosen.at.split(","))
    try:
        found = outlooks(chosen.runs, chosen.by, n_parameters, n_tokens)
    except lf.LawfitError as error:
        print(error, file=sys.stderr)
        return 2
    for each in found:
        said = each.reason or f"{each.loss:.4f} ({each.lower:.4f} to {each.upper:.4f}), N* ~ C^{each.exponent:.3f}"
        print(f"{each.recipe}: {said}")
    return 0
