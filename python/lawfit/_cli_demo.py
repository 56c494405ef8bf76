"""``lawfit demo``: the whole way on synthetic answers, or the main job on the user's runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from lawfit import _cli_arguments as arguments
from lawfit import _demo, _demo_t2
from lawfit._cli_output import check_place
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit.errors import DataError

PAGE = "lawfit-demo.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("--data", metavar="FILE", help="your runs, instead of synthetic ones")
    add("--law", metavar="NAME|FORMULA", help="with --data: a law of the catalogue, or a formula")
    add("--response", metavar="COLUMN", help="with --data: the column to fit")
    add("--where", metavar="CONDITION", help="with --data: rows to use")
    arguments.add_column(parser)
    add("--starts", type=arguments.whole, metavar="COUNT", help="with --data: number of starts (1000)")
    add("--bootstrap", type=arguments.whole, metavar="COUNT", help="number of replicates (400; with --data 1000)")
    add("--seed", type=arguments.whole, default=0, metavar="NUMBER", help="seed of answers, starts and resamples (0)")
    add("--threads", dest="n_threads", type=arguments.whole, metavar="COUNT", help="number of threads (all cores)")
    add("-o", "--output", metavar="FILE", help=f"without --data: where the page is written ({PAGE})")
    arguments.add_quiet(parser)


def run(chosen: argparse.Namespace) -> int:
    """Print the report of the job."""
    progress = arguments.progress(chosen.quiet)
    if chosen.data is None:
        if chosen.columns or any(
            each is not None for each in (chosen.law, chosen.response, chosen.where, chosen.starts)
        ):
            raise DataError(
                "--law, --response, --where, --column and --starts go with --data FILE; without it answers are made"
            )
        place = Path(PAGE if chosen.output is None else chosen.output)
        check_place(place)
        n_replicates = 400 if chosen.bootstrap is None else chosen.bootstrap
        report, success = _demo_t2.synthetic_job(n_replicates, chosen.seed, place, chosen.n_threads, progress)
    else:
        if chosen.law is None or chosen.response is None:
            raise DataError("--data needs --law and --response, such as --law chinchilla --response loss")
        if chosen.output is not None:
            raise DataError("--output is for the page of the synthetic way; `lawfit report` writes that of a fit")
        report, success = _demo.users_job(
            arguments.read_law(chosen.law),
            arguments.read_data([chosen.data]),
            "standard input" if chosen.data == "-" else chosen.data,
            chosen.response,
            arguments.pairs("--column", chosen.columns),
            chosen.where,
            1000 if chosen.starts is None else chosen.starts,
            1000 if chosen.bootstrap is None else chosen.bootstrap,
            chosen.seed,
            chosen.n_threads,
            progress,
        )
    print(report)
    return DONE if success else SOME_FAILED


VERB = Verb(
    name="demo",
    purpose="go from synthetic answers with a known truth to a plan and a page; or fit your law to --data",
    usage="[options]",
    example="""lawfit demo
lawfit demo --data runs.csv --law chinchilla --response loss""",
    add_arguments=add_arguments,
    run=run,
)
