"""``lawfit t2``: from sampled answers to a page that says what to train and how often to sample, `lawfit.t2_report`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from lawfit import _cli_arguments as arguments
from lawfit._cli_allocate import limit, read_budgets, values_of
from lawfit._cli_output import Output, add_output, choose_format, json_text, write
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._engine import F64
from lawfit.errors import DataError
from lawfit.t2_reporting import DEFAULT_FORMS, T2Report, t2_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("data", nargs="+", metavar="DATA", help=f"{arguments.DATA}; a row for each problem of each run")
    add = parser.add_argument_group("plan").add_argument
    add("--budget", dest="budgets", action="append", default=[], metavar="FORMULA=AMOUNT", required=True,
        help='what may be spent, such as "6*N*D=1e24"; LOW..HIGH or LOW..HIGH:COUNT is a sweep')  # fmt: skip
    add("--headline", action="append", default=[], metavar="FORMULA=AMOUNT",
        help="the budget that the page opens with (the last of a sweep)")  # fmt: skip
    add("--limit", dest="bounds", action="append", default=[], metavar="NAME=LOW:HIGH",
        help="bounds of a variable, such as D=:1e12")  # fmt: skip
    add("--menu", dest="menus", action="append", default=[], metavar="NAME=A,B,...",
        help="what a variable may be, such as N=1e9,3e9")  # fmt: skip
    add("--integer", action="append", default=[], metavar="NAME", help="a variable that is a whole number, such as k")
    add("--hold", dest="at", action="append", default=[], metavar="NAME=VALUE", help="hold a variable, such as k=1")
    add = parser.add_argument_group("answers").add_argument
    arguments.add_column(parser)
    add("--where", metavar="CONDITION", help="rows to use, such as \"benchmark == 'gsm8k'\"")
    add("--k", metavar="LIST", help="numbers of tries, such as 1,4,16 (powers of 2 up to 128 or the samples)")
    add("--by", action="append", default=[], metavar="COLUMNS", help="what makes a checkpoint (N,D)")
    add("--problem", action="append", default=[], metavar="COLUMNS", help="what names a problem (problem)")
    add("--probability", metavar="COLUMN", help="chance that one answer is right, instead of n_samples and n_correct")
    add("--nll", metavar="COLUMN", help="its -log, instead")
    add("--few-samples", default="error", metavar="error|drop_problem|drop_cell", help="where k is above the samples")
    add("--problems", default="all", metavar="all|common", help="means over all problems, or those of every checkpoint")
    add("--bias", metavar="delta|jackknife", help="correct -log of the means for their bias (not)")
    add = parser.add_argument_group("laws").add_argument
    add("--law", metavar="NAME|FORMULA", help="the form that the page is about (the best on held-out cells)")
    add("--forms", action="append", default=[], metavar="NAMES", help=f"forms to compare ({','.join(DEFAULT_FORMS)})")
    add("--cluster", metavar="COLUMN", help="what makes checkpoints belong together, such as N (each by itself)")
    add("--bootstrap", dest="n_replicates", type=arguments.whole, default=1000, metavar="COUNT",
        help="draws of each form (1000)")  # fmt: skip
    add("--level", type=arguments.real, default=0.95, metavar="SHARE", help="coverage of the intervals (0.95)")
    add("--seed", type=arguments.whole, default=0, metavar="NUMBER", help="seed of starts and draws (0)")
    add("--threads", dest="n_threads", type=arguments.whole, metavar="COUNT", help="number of threads (all cores)")
    arguments.add_quiet(add_output(parser, ("html", "table", "json")))


def run(chosen: argparse.Namespace) -> int:
    """Make the report and write it."""
    form = choose_format(chosen)
    found = _report(chosen)
    output = Output(
        table=lambda: repr(found),
        json=lambda: json_text(found.to_dict()),
        columns=lambda: {},
        others={"html": found.to_html},
    )
    write(output.content(form), chosen.output)
    if not chosen.quiet and (form != "table" or chosen.output):
        print(f"lawfit: {found.verdict.sentence}", file=sys.stderr)
    return DONE if found.chosen.reason is None else SOME_FAILED


def _report(chosen: argparse.Namespace) -> T2Report:
    names = [name for text in chosen.by for name in text.split(",")]
    headline = _budgets(chosen.headline)
    for text, amount in headline.items():
        if amount.size != 1:
            raise DataError(f"--headline {text}: give one amount, not a sweep")
    found = t2_report(
        arguments.read_data(chosen.data),
        _budgets(chosen.budgets),
        headline={text: float(amount) for text, amount in headline.items()} or None,
        k=None if chosen.k is None else [arguments.number("--k", each) for each in chosen.k.split(",")],
        by=names or ("N", "D"),
        problem=arguments.split_names(chosen.problem) or "problem",
        columns=arguments.pairs("--column", chosen.columns) or None,
        where=chosen.where,
        probability=chosen.probability,
        nll=chosen.nll,
        few_samples=chosen.few_samples,
        problems=chosen.problems,
        bias=chosen.bias,
        law=chosen.law,
        forms=arguments.split_names(chosen.forms) or DEFAULT_FORMS,
        bounds={name: limit(ends) for name, ends in arguments.pairs("--limit", chosen.bounds).items()} or None,
        at={name: arguments.size("--hold", value) for name, value in arguments.pairs("--hold", chosen.at).items()}
        or None,
        menus={name: values_of(name, values) for name, values in arguments.pairs("--menu", chosen.menus).items()}
        or None,
        integer=chosen.integer or (),
        cluster=chosen.cluster,
        n_replicates=chosen.n_replicates,
        level=chosen.level,
        seed=chosen.seed,
        n_threads=chosen.n_threads,
        progress=arguments.progress(chosen.quiet),
    )
    return replace(found, call=replace(found.call, source=" ".join(chosen.data)))


def _budgets(texts: list[str]) -> dict[str, F64]:
    """Read budgets, all of which have an amount here."""
    return {text: amount for text, amount in read_budgets(texts, False).items() if amount is not None}


VERB = Verb(
    name="t2",
    purpose="say what to train and how often to sample, from sampled answers to one page",
    usage="DATA --budget FORMULA=AMOUNT -o PAGE.html [options]",
    example="""lawfit t2 counts.csv --budget "6*N*D=1e18..1e25" --budget "2*N*k=1.4e11" \\
    -o report.html
lawfit t2 counts.csv --budget "6*N*D=1e22" --budget "2*N*k=1e11" \\
    --where "benchmark == 'gsm8k'" --column N=params -o report.html""",
    add_arguments=add_arguments,
    run=run,
)
