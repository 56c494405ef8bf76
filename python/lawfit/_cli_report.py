"""``lawfit report``: a fit as one static page, `lawfit.Fit.report`."""

from __future__ import annotations

import argparse

from lawfit import _cli_arguments as arguments
from lawfit._cli_output import add_output, choose_format, write
from lawfit._cli_source import about_source, add_source, read_source
from lawfit._cli_verb import DONE, SOME_FAILED, Verb
from lawfit._draws import Draws
from lawfit._fits import Fits
from lawfit._wording import describe, listed
from lawfit.errors import DataError
from lawfit.reporting import html_of
from lawfit.results import Fit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument_group("page").add_argument
    add("--title", metavar="TEXT", help="heading; the response and the law unless given")
    add("--note", dest="notes", action="append", default=[], metavar="ITEM=TEXT",
        help='what only you know, such as training="cosine to a tenth"; repeat')  # fmt: skip
    add("--level", type=arguments.real, default=0.95, metavar="SHARE", help="coverage of the intervals (0.95)")
    add("--validate", metavar="FORMULA|no", help="what orders the runs of which the last are held out, such as 6*N*D")
    add("--bootstrap", type=arguments.whole, default=0, metavar="COUNT", help="replicates for the intervals (0)")
    add("--group", metavar="VALUES", help="of a FIT by group: the group that the page is about, such as arc_easy,c4")
    add("--runs", metavar="FILE", help="the rows of a FIT that was saved without them")
    add_source(parser)
    arguments.add_quiet(add_output(parser, ("html",)))


def run(chosen: argparse.Namespace) -> int:
    """Make the page and write it."""
    choose_format(chosen)
    fit, draws = _fit(chosen)
    data = None if chosen.runs is None else arguments.read_data([chosen.runs])
    try:
        fit = fit if data is None else fit.with_data(data)
        if chosen.bootstrap:
            draws = fit.bootstrap(
                chosen.bootstrap,
                seed=chosen.seed,
                n_threads=chosen.n_threads,
                progress=arguments.progress(chosen.quiet),
            )
        notes = arguments.pairs("--note", chosen.notes)
        ordering = {None: True, "no": False}.get(chosen.validate, chosen.validate)
        page = html_of(fit, chosen.title, notes, draws, chosen.level, ordering, None)
    except DataError as error:
        raise about_source(error, {"notes": "--note", "data": "--runs"}) from None
    write(page, chosen.output)
    return DONE if fit.success else SOME_FAILED


def _fit(chosen: argparse.Namespace) -> tuple[Fit, Draws | None]:
    """Return the one fit that the page is about, and draws of it that are there already."""
    source = read_source(chosen)
    if isinstance(source, Fits):
        return _chosen_group(source, chosen.group), None
    if chosen.group is not None:
        raise DataError("--group is for a FIT by group, and this is one fit")
    if isinstance(source, Draws):
        return source.fit, source
    if not isinstance(source, Fit):
        raise DataError(f"FIT: {describe(source)}; a page is made of a fit to a response")
    return source, None


def _chosen_group(fits: Fits, group: str | None) -> Fit:
    names = [",".join(map(str, key)) for key in fits.keys]
    if group is None:
        raise DataError(f"FIT holds {len(fits)} fits; choose one with --group: {listed(names)}")
    if group not in names:
        raise DataError(f"--group {group}: there is no such group; choose one of: {listed(names)}")
    return fits[names.index(group)]


VERB = Verb(
    name="report",
    purpose="write a fit as one page with its checklist, what to distrust and how to make it again",
    usage="FIT|DATA -o PAGE.html [options]",
    example="""lawfit report fit.json -o report.html
lawfit report runs.csv --law chinchilla --response loss --bootstrap 1000 \\
    --note training="cosine decay to a tenth" -o report.html""",
    add_arguments=add_arguments,
    run=run,
)
