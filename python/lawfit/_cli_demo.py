"""``lawfit demo``: the main job end to end, on synthetic runs or on the user's."""

from __future__ import annotations

import argparse

from lawfit import _cli_arguments as arguments
from lawfit import _demo
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit.errors import DataError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("--data", metavar="FILE", help="your runs, instead of synthetic ones")
    add("--law", metavar="NAME|FORMULA", help="with --data: a law of the catalogue, or a formula")
    add("--response", metavar="COLUMN", help="with --data: the column to fit")
    add("--where", metavar="CONDITION", help="with --data: rows to use")
    arguments.add_column(parser)
    add("--starts", type=arguments.whole, default=1000, metavar="COUNT", help="number of starts (1000)")
    add("--bootstrap", type=arguments.whole, default=1000, metavar="COUNT", help="number of replicates (1000)")
    add("--seed", type=arguments.whole, default=0, metavar="NUMBER", help="seed of noise, starts and resamples (0)")
    add("--threads", dest="n_threads", type=arguments.whole, metavar="COUNT", help="number of threads (all cores)")
    arguments.add_quiet(parser)


def run(chosen: argparse.Namespace) -> int:
    """Print the report of the job."""
    progress = arguments.progress(chosen.quiet)
    if chosen.data is None:
        if chosen.law is not None or chosen.response is not None or chosen.where is not None or chosen.columns:
            raise DataError(
                "--law, --response, --where and --column go with --data FILE; without it the runs are synthetic"
            )
        report, success = _demo.synthetic_job(chosen.starts, chosen.bootstrap, chosen.seed, chosen.n_threads, progress)
    else:
        if chosen.law is None or chosen.response is None:
            raise DataError("--data needs --law and --response, such as --law chinchilla --response loss")
        report, success = _demo.users_job(
            arguments.read_law(chosen.law),
            arguments.read_data([chosen.data]),
            "standard input" if chosen.data == "-" else chosen.data,
            chosen.response,
            arguments.pairs("--column", chosen.columns),
            chosen.where,
            chosen.starts,
            chosen.bootstrap,
            chosen.seed,
            chosen.n_threads,
            progress,
        )
    print(report)
    return DONE if success else SOME_FAILED


VERB = Verb(
    name="demo",
    purpose="fit the T2 loss law to synthetic runs from many starts and bootstrap it; or your law to --data",
    usage="[options]",
    example="""lawfit demo
lawfit demo --data runs.csv --law chinchilla --response loss""",
    add_arguments=add_arguments,
    run=run,
)
