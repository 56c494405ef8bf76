"""``lawfit compare``: several laws on the same runs, scored on runs that they were not fitted to, `lawfit.compare`."""

from __future__ import annotations

import argparse

from lawfit import _cli_arguments as arguments
from lawfit._cli_output import Output, add_output, choose_format, json_text, write
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._comparison_text import comparison_columns
from lawfit._engine import registries
from lawfit._wording import listed
from lawfit.comparison import FOLDS, HOLDOUT, N_REPLICATES, compare
from lawfit.errors import DataError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("--law", dest="laws", action="append", required=True, metavar="NAME|FORMULA", help="a law; give two or more")
    arguments.add_response(parser)
    arguments.add_runs(parser)
    add = parser.add_argument_group("held-out runs").add_argument
    add("--by", action="append", default=[], metavar="FORMULA|folds",
        help="hold out the largest of this, such as 6*N*D, or random parts (folds); repeat")  # fmt: skip
    add("--holdout", type=arguments.real, default=HOLDOUT, metavar="SHARE", help=f"share held out ({HOLDOUT})")
    add("--splits", dest="n_splits", type=arguments.whole, default=5, metavar="COUNT", help="number of folds (5)")
    add("--replicates", dest="n_replicates", type=arguments.whole, default=N_REPLICATES, metavar="COUNT",
        help=f"resamples of the training runs, for standard errors ({N_REPLICATES})")  # fmt: skip
    add("--budget", dest="budgets", action="append", default=[], metavar="COST=NUMBER",
        help='what each law would do with a budget, such as "6*N*D=1e24"')  # fmt: skip
    _add_objective(parser)
    arguments.add_quiet(add_output(parser))


def _add_objective(parser: argparse.ArgumentParser) -> None:
    known = registries()
    add = parser.add_argument_group("fits").add_argument
    add("--loss", default="huber", metavar="NAME", help=f"robust loss: {listed(known.losses)} (huber)")
    add("--f-scale", type=arguments.real, metavar="NUMBER", help="its scale, for all laws (that of the richest)")
    add("--residual", default="log", metavar="|".join(known.residuals), help="logarithms or values (log)")
    add("--weights", metavar="COLUMN", help="precisions of the rows: a column or a formula")
    add("--sigma", metavar="COLUMN", help="known noise of the rows: a column or a formula")
    add("--cluster", metavar="COLUMN", help="rows with one value here are not independent, and never cut")
    add("--seed", type=arguments.whole, default=0, metavar="NUMBER", help="seed of starts, folds, resamples (0)")
    add("--threads", dest="n_threads", type=arguments.whole, metavar="COUNT", help="number of threads (all cores)")


def run(chosen: argparse.Namespace) -> int:
    """Compare and write."""
    form = choose_format(chosen)
    laws = [arguments.read_law(text) for text in chosen.laws]
    found = compare(
        laws,
        arguments.read_runs(chosen),
        response=chosen.response,
        columns=arguments.pairs("--column", chosen.columns),
        where=chosen.where,
        missing=chosen.missing,
        by=chosen.by or FOLDS,
        holdout=chosen.holdout,
        n_splits=chosen.n_splits,
        loss=chosen.loss,
        f_scale=chosen.f_scale,
        residual=chosen.residual,
        weights=chosen.weights,
        sigma=chosen.sigma,
        cluster=chosen.cluster,
        budgets=_budgets(chosen.budgets),
        n_replicates=chosen.n_replicates,
        seed=chosen.seed,
        n_threads=chosen.n_threads,
        progress=arguments.progress(chosen.quiet),
    )
    output = Output(
        table=lambda: repr(found),
        json=lambda: json_text(found.to_dict()),
        columns=lambda: comparison_columns(found),
    )
    write(output.content(form), chosen.output)
    return DONE if all(law.fit.success for law in found.laws) else SOME_FAILED


def _budgets(texts: list[str]) -> dict[str, float] | None:
    """Read COST=NUMBER; the number stands behind the last equals sign."""
    found: dict[str, float] = {}
    for text in texts:
        cost, equals, value = (part.strip() for part in text.rpartition("="))
        if not equals or not cost or not value:
            raise DataError(f"--budget {text}: write COST=NUMBER, such as 6*N*D=1e24")
        if cost in found:
            raise DataError(f"--budget: {cost} is given twice")
        found[cost] = arguments.size(f"--budget {text}", value)
    return found or None


VERB = Verb(
    name="compare",
    purpose="fit several laws to the same runs, and score them on runs that they were not fitted to",
    usage="DATA ... --law LAW --law LAW --response COLUMN [options]",
    example="""lawfit compare runs.csv --law chinchilla --law kaplan_nd --response loss \\
    --by "6*N*D" --by folds --budget "6*N*D=1e24\"""",
    add_arguments=add_arguments,
    run=run,
)
