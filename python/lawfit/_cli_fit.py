"""``lawfit fit``: `lawfit.fit_many` on a table of runs."""

from __future__ import annotations

import argparse
import sys

from lawfit import _cli_arguments as arguments
from lawfit._cli_output import Output, add_output, choose_format, write
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._engine import registries
from lawfit._export import columns_of, param_columns
from lawfit._fits import Fits
from lawfit._protocols import protocols
from lawfit._report import names_line
from lawfit._wording import listed
from lawfit.errors import DataError
from lawfit.fitting import fit_many
from lawfit.results import Fit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--law", required=True, metavar="NAME|FORMULA", help="a law of the catalogue, or a formula")
    parser.add_argument("--response", metavar="COLUMN", help="the column to fit (with --melt: the melted values)")
    runs = arguments.add_runs(parser)
    runs.add_argument(
        "--by", action="append", default=[], metavar="COLUMNS", help="one fit per value of these columns (a,b)"
    )
    add_fit_options(parser)
    add_bootstrap_options(parser)
    arguments.add_quiet(add_output(parser))


def add_fit_options(parser: argparse.ArgumentParser) -> None:
    """Declare what any verb that fits can be told about the fit."""
    known = registries()
    add = parser.add_argument_group("noise and loss").add_argument
    add("--weights", metavar="COLUMN", help="precisions of the rows: a column or a formula")
    add("--sigma", metavar="COLUMN", help="known noise of the rows, a standard deviation: a column or a formula")
    add("--cluster", metavar="COLUMN", help="rows with one value here, such as a run's, are not independent")
    add("--protocol", metavar="NAME", help=f"set loss, scale, residual and starts as in {listed(protocols)}")
    add("--loss", metavar="NAME", help=f"robust loss: {listed(known.losses)} (huber)")
    add("--f-scale", metavar=f"NUMBER|{'|'.join(known.scale_rules)}", help="scale of the robust loss (mad)")
    add("--residual", metavar="|".join(known.residuals), help="difference of logarithms or of values (log)")
    add = parser.add_argument_group("parameters").add_argument
    add("--fixed", action="append", default=[], metavar="NAME=VALUE", help="hold a parameter, such as E=1.7")
    add("--bound", dest="bounds", action="append", default=[], metavar="NAME=LOW:HIGH",
        help="bound a parameter, such as alpha=0:3 or E=0:")  # fmt: skip
    add("--prior", action="append", default=[], metavar="NAME=MEAN:SD", help="what is known, such as alpha=0.35:0.03")
    rules = [rule for rule in known.start_rules if rule != "given"]
    add = parser.add_argument_group("search").add_argument
    add("--starts", metavar="RULE|COUNT", help=f"a number of starts, or a rule: {listed(rules)} (auto)")
    add("--seed", type=arguments.whole, default=0, metavar="NUMBER", help="seed of starts and resamples (0)")
    add("--solver", default="auto", metavar="auto|separable|generic", help="whether amplitudes are solved for (auto)")
    add(
        "--max-iterations",
        type=arguments.whole,
        default=1000,
        metavar="COUNT",
        help="limit of iterations of a start (1000)",
    )
    add("--kernels", default="auto", metavar="LEVEL", help=f"vector kernels: {listed(known.kernels)} (auto)")
    add("--threads", dest="n_threads", type=arguments.whole, metavar="COUNT", help="number of threads (all cores)")


def add_bootstrap_options(parser: argparse.ArgumentParser) -> None:
    """Declare what `fit_many` can be told about uncertainty."""
    known = registries()
    add = parser.add_argument_group("uncertainty").add_argument
    add(
        "--covariance",
        default="auto",
        metavar="KIND",
        help=f"kind of standard error: {listed(known.covariances)} (auto)",
    )
    add("--bootstrap", type=arguments.whole, default=0, metavar="COUNT", help="replicates of a bootstrap (0)")
    add("--resample", metavar="SCHEME", help=f"scheme of the bootstrap: {listed(known.resamplers)} (bayesian)")
    add("--search", default="warm", metavar="warm|global", help="search replicates from the fit alone, or anew (warm)")


def run(chosen: argparse.Namespace) -> int:
    """Fit, write, and say how many fits failed."""
    form = choose_format(chosen)
    by, fits = fit_runs(chosen)
    write(_output(fits if by else fits[0]).content(form), chosen.output)
    if not chosen.quiet and (form != "table" or chosen.output):
        print(names_line(fits.rows.variables, fits.law.parameters), file=sys.stderr)
    if not chosen.quiet and fits.failed.any():
        print(f"lawfit: {fits.failed.sum()} of {len(fits)} fits failed", file=sys.stderr)
    return SOME_FAILED if fits.failed.any() else DONE


def fit_runs(chosen: argparse.Namespace) -> tuple[list[str], Fits]:
    """Read the runs and fit them as the options say; return the columns that make groups, and the fits."""
    if chosen.response is None and not chosen.metrics:
        raise DataError("--response is missing: name the column to fit, such as --response loss")
    law, table = arguments.read_law(chosen.law), arguments.read_runs(chosen)
    by = arguments.split_names(chosen.by, table.names)
    metric, value = arguments.melted_names(chosen)
    if chosen.metrics and metric not in by:
        by.append(metric)
    fits = fit_many(
        law,
        table,
        by=by,
        response=value if chosen.response is None else chosen.response,
        columns=arguments.pairs("--column", chosen.columns),
        where=chosen.where,
        missing=chosen.missing,
        protocol=chosen.protocol,
        loss=chosen.loss,
        f_scale=arguments.scale(chosen.f_scale),
        residual=chosen.residual,
        weights=chosen.weights,
        sigma=chosen.sigma,
        cluster=chosen.cluster,
        bounds=arguments.bounds(chosen.bounds),
        fixed=arguments.fixed(chosen.fixed),
        prior=arguments.priors(chosen.prior),
        starts=arguments.count_or_rule(chosen.starts),
        seed=chosen.seed,
        solver=chosen.solver,
        max_iterations=chosen.max_iterations,
        covariance=chosen.covariance,
        bootstrap=chosen.bootstrap,
        resample=chosen.resample,
        search=chosen.search,
        kernels=chosen.kernels,
        n_threads=chosen.n_threads,
        progress=arguments.progress(chosen.quiet),
    )
    return by, fits


def _output(found: Fit | Fits) -> Output:
    return Output(
        table=lambda: repr(found),
        document=found.to_dict,
        columns=lambda: param_columns([found]) if isinstance(found, Fit) else columns_of(found, "params"),
    )


VERB = Verb(
    name="fit",
    purpose="fit a law to a table of runs, or to each of many groups of it",
    usage="DATA [DATA ...] --law NAME|FORMULA --response COLUMN [options]",
    example="""lawfit fit runs.csv --law chinchilla --response loss \\
    --bootstrap 1000 -o fit.json
lawfit fit runs.csv --law "E + A*C**-g" --column "C=6*N*D" --response loss
lawfit fit runs.csv --law chinchilla --melt "eval/*" --by data \\
    --missing drop -o fits.parquet""",
    add_arguments=add_arguments,
    run=run,
)
