"""What verbs that fit are told, and the fit itself: `lawfit.fit_many` with the options of the command line."""

from __future__ import annotations

import argparse

from lawfit import _cli_arguments as arguments
from lawfit._engine import registries
from lawfit._fits import Fits
from lawfit._protocols import protocols
from lawfit._wording import listed
from lawfit.fitting import fit_many
from lawfit.results import Fit
from lawfit.tables import Table


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
    add = parser.add_argument_group("search and errors").add_argument
    add("--starts", metavar="RULE|COUNT", help=f"a number of starts, or a rule: {listed(rules)} (auto)")
    add("--seed", type=arguments.whole, default=0, metavar="NUMBER", help="seed of starts and resamples (0)")
    add("--solver", default="auto", metavar="auto|separable|generic", help="whether amplitudes are solved for (auto)")
    add("--max-iterations", type=arguments.whole, default=1000, metavar="COUNT", help="limit of a start (1000)")
    add("--covariance", default="auto", metavar="KIND", help=f"standard error: {listed(known.covariances)} (auto)")
    add("--kernels", default="auto", metavar="LEVEL", help=f"vector kernels: {listed(known.kernels)} (auto)")
    add("--threads", dest="n_threads", type=arguments.whole, metavar="COUNT", help="number of threads (all cores)")


def fit_one(chosen: argparse.Namespace) -> Fit:
    """Read the runs and fit them all at once."""
    return fit_table(chosen, arguments.read_runs(chosen), by=[], response=chosen.response)[0]


def fit_table(
    chosen: argparse.Namespace,
    table: Table,
    *,
    by: list[str],
    response: str,
    bootstrap: int = 0,
    resample: str | None = None,
    search: str = "warm",
) -> Fits:
    """Fit the groups of a table as the options say."""
    return fit_many(
        arguments.read_law(chosen.law),
        table,
        by=by,
        response=response,
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
        bootstrap=bootstrap,
        resample=resample,
        search=search,
        kernels=chosen.kernels,
        n_threads=chosen.n_threads,
        progress=arguments.progress(chosen.quiet),
    )
