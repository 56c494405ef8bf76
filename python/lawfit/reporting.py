"""A fit as one static page: the answer, what to distrust, the checklist, and how to make it again."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lawfit import _checklist, _html, _page, _report
from lawfit._checklist import Item, check_notes, checklist, ranges_of, span
from lawfit._draws import Draws, check_level
from lawfit._inline_svg import inline
from lawfit._parameter_table import how_made, parameter_rows
from lawfit._reproduce import command, python_call
from lawfit._wording import describe
from lawfit.diagnosis import draws_of
from lawfit.errors import DataError, LawfitError
from lawfit.plotting import FIGURES
from lawfit.results import Fit
from lawfit.validation import Validation
from lawfit.validation import validate as validated

# Figures of a page, and what stands below them.
CAPTIONS = {
    "law": "The runs and the law.",
    "predicted": "Predicted beside actual.",
    "residuals": "Residuals.",
    "starts": "Objective at the end of each start.",
}


def report(
    fit: Fit,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    notes: Mapping[str, str] | None = None,
    draws: Draws | None = None,
    level: float = 0.95,
    validate: bool | str = True,
    data: object = None,
) -> None:
    """Write a fit as one static HTML page.

    Parameters
    ----------
    fit : Fit
        The fit.
    path : str or path
        The file; one that is there is replaced.
    title : str, optional
        Heading of the page; the response and the law unless given.
    notes : mapping of str to str, optional
        Items of the checklist that only you know: ``"assumptions"``, ``"counting"``, ``"training"``, ``"shape"``,
        ``"checkpoints"``, ``"evaluation"``, ``"exclusions"``, ``"sensitivity"``, ``"data"``, ``"remarks"``. Those left
        out are said to be not stated.
    draws : Draws, optional
        A bootstrap of the fit, whose intervals are shown; ``fit.draws`` if it has them, else Wald's.
    level : float
        Coverage that the intervals aim at.
    validate : bool or str
        Whether the law is refitted to a part of the runs and judged by the others: True holds out the largest runs by
        the one variable or by ``"6*N*D"``, and takes folds for other laws; a formula over the variables says what
        orders the runs; False leaves it out.
    data : table, optional
        The runs, for a fit that was loaded without them.

    Raises
    ------
    DataError
        The file cannot be written, a note is about nothing that is asked, or ``draws`` are of another fit.

    Notes
    -----
    When to use: to hand a fit to somebody who will judge it. The page needs no network and no script; with matplotlib
    it has figures. Its checklist is that of Li et al.; what the fit does not know and no note says is in the page too,
    as not stated.

    References
    ----------
    Li, Kudugunta and Zettlemoyer 2025, (Mis)fitting: a survey of scaling laws, ICLR 2025, arXiv:2502.18969.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> sizes = [1e7, 2e7, 4e7, 8e7, 2e8, 4e8, 8e8, 2e9, 4e9, 8e9, 2e10, 4e10]
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": sizes}, noise=0.001)
    >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss")
    >>> fit.report("fit.html", notes={"training": "cosine decay to a tenth, tuned learning rate"})
    """
    text = html_of(fit, title, notes, draws, level, validate, data)
    try:
        Path(path).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise DataError(f"path={str(path)!r}: cannot write there ({error.strerror})") from None


def html_of(
    fit: Fit,
    title: str | None,
    notes: Mapping[str, str] | None,
    draws: Draws | None,
    level: float,
    validate: bool | str,
    data: object,
) -> str:
    """Return the page."""
    check_level(level)
    said = check_notes(notes)
    if title is not None and not isinstance(title, str):
        raise DataError(f"title: give a text, not {describe(title)}")
    if not isinstance(validate, bool | str):
        raise DataError(f"validate: say True, False, or a formula that orders the runs, not {describe(validate)}")
    fit = fit if data is None else fit.with_data(data)
    draws = draws_of(fit, draws)
    found, held_out = _held_out(fit, validate, level)
    sections = checklist(fit, said, how_made(fit, draws, level), held_out)
    n_unknown = sum(not item.is_known for each in sections for item in each.items)
    name = fit.law.name or "a law"
    parts = [
        _answer(fit, draws, level),
        _distrust(fit, draws, found, n_unknown),
        _figures(fit),
        _page.section("Checklist", _page.checklist(sections)),
        _again(fit, draws),
    ]
    return _page.page(title or f"{fit.rows.response} by {name}{_key(fit)}", parts)


def _key(fit: Fit) -> str:
    return "".join(f", {name} = {value}" for name, value in zip(fit.by, fit.key, strict=True))


def _answer(fit: Fit, draws: Draws | None, level: float) -> str:
    """Show the law, its parameters, and how the fit ended."""
    certified, n_warnings = fit.certificate.certified, len(fit.warnings)
    kind = "bad" if not fit.success else "good" if certified and not n_warnings else "fair"
    words = fit.message if fit.success else f"not usable as it is: {fit.message}"
    proof = "Certified: as far as starts can show, the best minimum." if certified else "Not certified to be the best."
    count = f"{n_warnings or 'No'} warning{'' if n_warnings == 1 else 's'}."
    state = _html.text("span", fit.status, f'class="state {kind}"')
    formula = _html.text("code", f"{fit.rows.response} = {fit.law.text}", 'class="law"')
    header, body, notes = parameter_rows(fit, draws, level)
    return _page.section(
        "The answer",
        formula,
        _page.wide(_html.table(header, body, left=("note",))),
        _page.notes(notes),
        _html.element("p", f"{state} {_html.escape(words)}. {_html.escape(proof)} {count}"),
        _page.paragraph(f"Intervals: {how_made(fit, draws, level)}. Rows: {_report.rows_line(fit)}.", "small"),
    )


def _held_out(fit: Fit, validate: bool | str, level: float) -> tuple[Validation | None, Item]:
    """Return errors on runs that the law was not fitted to, or why there are none."""
    name = "Held-out error"
    if validate is False:
        return None, _checklist.unknown(name, "not asked for (validate=False)")
    variables = fit.rows.variables
    by: dict[str, Any] = {"by": validate} if isinstance(validate, str) else {}
    if not by and len(variables) > 1:
        by = {"by": "6*N*D"} if {"N", "D"} <= set(variables) else {"kind": "folds"}
    try:
        found = validated(fit, level=level, **by)
    except LawfitError as error:
        if isinstance(validate, str):
            raise
        return None, _checklist.unknown(name, str(error))
    return found, Item(name, found.message)


def _distrust(fit: Fit, draws: Draws | None, found: Validation | None, n_unknown: int) -> str:
    """Say what a careful reader should know before using the numbers."""
    words = list(fit.warnings)
    if not fit.certificate.certified:
        words += [f"not certified: {reason}" for reason in fit.certificate.reasons]
    if draws is not None and draws.caution is not None and draws is not fit.draws:
        words.append(f"bootstrap: {draws.caution}")
    heads = [] if words else [_page.paragraph("None of what lawfit looks for was found.")]
    reach = "; ".join(f"{name} {span(pair)}" for name, pair in list(ranges_of(fit).items())[:-1])
    words.append(
        f"the runs reach over {reach}: beyond that the law's form matters more than the intervals, which take it for "
        "granted"
    )
    if found is not None:
        words.append(f"held-out runs: {found.message}")
    if n_unknown:
        words.append(f"{n_unknown} items of the checklist are not stated")
    traps = [_html.text("h3", "What goes wrong with this law"), _page.sentences(fit.law.traps)] if fit.law.traps else []
    return _page.section("What to distrust", *heads, _page.sentences(words), *traps)


def _again(fit: Fit, draws: Draws | None) -> str:
    """How to make the fit again."""
    line, reason = command(fit)
    shell = _page.code(line) if line is not None else _page.paragraph(f"No command: {reason}.")
    return _page.section(
        "How to make it again",
        _page.paragraph("In Python, data being the table of the runs; a bare name stands for an array of the call:"),
        _page.code(python_call(fit, draws)),
        _page.paragraph("On the command line, runs.csv being the same table:"),
        shell,
    )


def _figures(fit: Fit) -> str:
    drawn = _report_figures(fit)
    inner = _html.element("div", "".join(drawn), 'class="figures"') if drawn else ""
    return _page.section("Figures", inner) if inner else ""


def _report_figures(fit: Fit) -> list[str]:
    """Draw what `lawfit.plotting` draws of a fit; nothing without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return []
    figures = importlib.import_module("matplotlib.figure")
    found = []
    for place, (name, caption) in enumerate(CAPTIONS.items()):
        figure = figures.Figure(figsize=(5.0, 3.6), layout="constrained")
        try:
            FIGURES[name](fit, ax=figure.subplots())
        except LawfitError as error:
            found.append(_html.element("figure", _html.text("figcaption", f"{caption} Not drawn: {error}")))
            continue
        found.append(inline(figure, f"figure{place}-", caption))
    return found
