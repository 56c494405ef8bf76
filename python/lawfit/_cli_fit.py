"""``lawfit fit``: `lawfit.fit_many` on a table of runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from lawfit import _cli_arguments as arguments
from lawfit._cli_fitting import add_fit_options, fit_table
from lawfit._cli_output import FORMS, Output, add_output, choose_format, write
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._engine import registries
from lawfit._export import LEVEL, columns_of, param_columns
from lawfit._fits import Fits
from lawfit._report import names_line
from lawfit._wording import listed
from lawfit.errors import DataError
from lawfit.reporting import html_of
from lawfit.results import Fit
from lawfit.saving import as_text
from lawfit.tables import Table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_law(parser)
    # Required without --melt only.
    parser.add_argument("--response", metavar="COLUMN", help="the column to fit (with --melt: the melted values)")
    runs = arguments.add_runs(parser)
    _add_groups(runs)
    add_fit_options(parser)
    _add_bootstrap(parser)
    output = add_output(parser, (*FORMS, "latex", "html"))
    output.add_argument(
        "--with-rows", action="store_true", help="keep the rows in JSON too, for what needs them later: a report, draws"
    )
    arguments.add_quiet(output)


def _add_groups(runs: argparse._ArgumentGroup) -> None:
    add = runs.add_argument
    add("--by", action="append", default=[], metavar="COLUMNS", help="one fit per value of these columns (a,b)")
    add("--melt", dest="metrics", action="append", default=[], metavar="PATTERNS",
        help='put metric columns below each other, such as "eval/*,!*_acc": each metric is a group')  # fmt: skip
    add("--melt-name", dest="name", metavar="NAME", help="column of their names (metric)")
    add("--melt-value", dest="value", metavar="NAME", help="column of their values (value)")


def _add_bootstrap(parser: argparse.ArgumentParser) -> None:
    known = registries()
    add = parser.add_argument_group("bootstrap").add_argument
    add("--bootstrap", type=arguments.whole, default=0, metavar="COUNT", help="replicates of a bootstrap (0)")
    add("--resample", metavar="SCHEME", help=f"scheme of the bootstrap: {listed(known.resamplers)} (bayesian)")
    add("--search", default="warm", metavar="warm|global", help="search replicates from the fit alone, or anew (warm)")


def run(chosen: argparse.Namespace) -> int:
    """Fit, write, and say how many fits failed."""
    form = choose_format(chosen)
    if form == "html" and (chosen.by or chosen.metrics):
        raise DataError("a page is of one fit: write JSON, and choose a group of it with lawfit report --group")
    table, metric, response = _melted(chosen)
    by = arguments.split_names(chosen.by, table.names)
    # Metrics are never fitted as one.
    by += [metric] if metric is not None and metric not in by else []
    fits = fit_table(
        chosen,
        table,
        by=by,
        response=response,
        bootstrap=chosen.bootstrap,
        resample=chosen.resample,
        search=chosen.search,
    )
    write(_output(fits if by else fits[0], chosen.with_rows).content(form), chosen.output)
    if not chosen.quiet and (form != "table" or chosen.output):
        print(names_line(fits.rows.variables, fits.law.parameters), file=sys.stderr)
    if not chosen.quiet and fits.failed.any():
        print(f"lawfit: {fits.failed.sum()} of {len(fits)} fits failed", file=sys.stderr)
    return SOME_FAILED if fits.failed.any() else DONE


def _melted(chosen: argparse.Namespace) -> tuple[Table, str | None, str]:
    """Return the runs, melted where that is asked for; the column of the metrics' names then; and the response."""
    if not chosen.metrics:
        if chosen.name is not None or chosen.value is not None:
            raise DataError("--melt-name and --melt-value go with --melt PATTERNS, which says what to melt")
        if chosen.response is None:
            raise DataError("--response is missing: name the column to fit, such as --response loss")
        return arguments.read_runs(chosen), None, chosen.response
    table, name, value = arguments.read_runs(chosen), chosen.name or "metric", chosen.value or "value"
    table = table.melt(arguments.split_names(chosen.metrics, table.names), name=name, value=value)
    return table, name, chosen.response or value


def _output(found: Fit | Fits, with_rows: bool) -> Output:
    others: dict[str, Callable[[], str]] = {"latex": found.to_latex}
    if isinstance(found, Fit):
        others["html"] = lambda: html_of(found, None, None, None, LEVEL, True, None)
    return Output(
        table=lambda: repr(found),
        json=lambda: as_text(found, data=with_rows),
        columns=lambda: param_columns([found]) if isinstance(found, Fit) else columns_of(found, "params"),
        others=others,
    )


VERB = Verb(
    name="fit",
    purpose="fit a law to a table of runs, or to each of many groups of it",
    usage="DATA [DATA ...] --law LAW --response COLUMN [options]",
    example="""lawfit fit runs.csv --law chinchilla --response loss \\
    --bootstrap 1000 -o fit.json
lawfit fit runs.csv --law "E + A*C**-g" --column "C=6*N*D" --response loss
lawfit fit runs.csv --law chinchilla --melt "eval/*" --by data \\
    --missing drop -o fits.parquet""",
    add_arguments=add_arguments,
    run=run,
)
