"""``lawfit isoflop``: the best size at each of several budgets, `lawfit.isoflop`."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from lawfit import _cli_arguments as arguments
from lawfit._cli_output import Output, add_output, choose_format, json_text, write
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._export import plain
from lawfit._isoflop import IsoFlop
from lawfit.isoflops import METHODS, TOLERANCE, isoflop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_response(parser)
    arguments.add_runs(parser)
    add = parser.add_argument_group("curves").add_argument
    add("--by", action="append", default=[], metavar="COLUMNS", help="groups that have curves of their own (a,b)")
    add("--compute", default="6*N*D", metavar="FORMULA", help="compute, of N and D (6*N*D)")
    add("--budget", metavar="COLUMN", help="which runs are one curve; otherwise those of nearly equal compute")
    add("--tolerance", type=arguments.real, default=TOLERANCE, metavar="SHARE", help=f"how nearly ({TOLERANCE})")
    add("--method", choices=METHODS, default=METHODS[0], help=f"how the lowest point is found ({METHODS[0]})")
    add("--noise", type=arguments.real, metavar="SD", help="of ln response from seed to seed, for an interpolation")
    add("--bootstrap", dest="n_replicates", type=arguments.whole, default=1000, metavar="COUNT", help="draws (1000)")
    add("--seed", type=arguments.whole, default=0, help="of the draws (0)")
    arguments.add_quiet(add_output(parser))


def run(chosen: argparse.Namespace) -> int:
    """Find the optima and write them with the power laws through them."""
    form = choose_format(chosen)
    runs = arguments.read_runs(chosen)
    found = isoflop(
        runs,
        response=chosen.response,
        columns=arguments.pairs("--column", chosen.columns),
        where=chosen.where,
        missing=chosen.missing,
        by=arguments.split_names(chosen.by, runs.names),
        compute=chosen.compute,
        budget=chosen.budget,
        tolerance=chosen.tolerance,
        method=chosen.method,
        noise=chosen.noise,
        n_replicates=chosen.n_replicates,
        seed=chosen.seed,
    )
    output = Output(table=lambda: repr(found), json=lambda: json_text(_document(found)), columns=found.columns)
    write(output.content(form), chosen.output)
    if not chosen.quiet and (form != "table" or chosen.output):
        for note in found.notes:
            print(f"lawfit: {note}", file=sys.stderr)
    return DONE if all(np.isfinite(law.exponent) for law in found.power_laws) else SOME_FAILED


def _document(found: IsoFlop) -> dict[str, object]:
    """Return what JSON can hold: numbers that are missing are null."""

    def clean(value: object) -> object:
        if isinstance(value, dict):
            return {name: clean(part) for name, part in value.items()}
        if isinstance(value, list):
            return [clean(part) for part in value]
        return plain(value) if isinstance(value, float) else value

    return {"format": "lawfit.isoflop", "version": 1} | {name: clean(part) for name, part in found.to_dict().items()}


VERB = Verb(
    name="isoflop",
    purpose="find the best size at each of several budgets, and the power law that they follow",
    usage="DATA --response COLUMN [options]",
    example="""lawfit isoflop runs.csv --response loss --column N=params --column D=tokens \\
    --by experiment --budget budget""",
    add_arguments=add_arguments,
    run=run,
)
