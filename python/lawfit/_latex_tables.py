"""Results as LaTeX tables, with the rules of the package booktabs."""

from __future__ import annotations

import math

from lawfit import _latex, _report
from lawfit._draws import check_level
from lawfit._fits import Fits
from lawfit.results import Fit

HEADER = ("parameter", "estimate", "standard error")


def of_fit(fit: Fit, level: float = 0.95) -> str:
    r"""Return a table of the parameters of a fit.

    Parameters
    ----------
    fit : Fit
        The fit.
    level : float
        Coverage that the intervals aim at.

    Returns
    -------
    str
        A ``tabular`` with the law in its first line and, below the parameters, what the numbers rest on. It needs
        ``\usepackage{booktabs}``.

    Raises
    ------
    DataError
        The level is not between 0 and 1.

    Notes
    -----
    When to use: for a paper. Estimates have six digits: with fewer, the predictions of a scaling law change.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]}, noise=0.001)
    >>> text = lf.fit(lf.laws.power_floor, runs, response="loss").to_latex()
    >>> text.splitlines()[0]
    '\\begin{tabular}{lrrr}'
    """
    check_level(level)
    lines = [_law_line(fit.rows.response, fit.law.text, 4), r"\midrule", _header((), level), r"\midrule"]
    lines += [_row(cells) for cells in _parameters(fit, level)]
    lines += [r"\midrule", *(_across(_latex.escape(words), 4) for words in _below(fit))]
    return _tabular("lrrr", lines)


def of_fits(fits: Fits, level: float = 0.95) -> str:
    """Return a table of the parameters of every fit of a batch; see `of_fit`."""
    check_level(level)
    width = len(fits.by) + 4
    lines = [_law_line(fits.rows.response, fits.law.text, width), r"\midrule", _header(fits.by, level)]
    for fit in fits:
        keys = [_latex.escape(value) for value in fit.key]
        lines.append(r"\midrule")
        for i, cells in enumerate(_parameters(fit, level)):
            # The key stands in the first line of its fit.
            lines.append(_row([*(keys if i == 0 else [""] * len(keys)), *cells]))
        if not fit.success:
            lines.append(_across(_latex.escape(f"not usable as it is: {fit.message}"), width))
    return _tabular("l" * len(fits.by) + "lrrr", lines)


def _parameters(fit: Fit, level: float) -> list[list[str]]:
    stderr, found = fit.stderr, []
    for name, value in fit.params.items():
        # Those that the bootstrap gives, where one was made with the fit: the ends that print() shows.
        lower, upper = fit.interval(name, level) if fit.draws is None else fit.draws.interval(name, level)
        ends = "--" if math.isnan(lower + upper) else f"[{_number(lower, 4)}, {_number(upper, 4)}]"
        spread = "fixed" if name in fit.options.fixed else _number(stderr[name], 3)
        found.append([f"${_latex.symbol(name)}$", _number(value, 6), spread, ends])
    return found


def _below(fit: Fit) -> list[str]:
    """Say what the numbers rest on."""
    options = fit.options
    scale = "" if options.loss == "squared" else f", scale {fit.f_scale:.4g}"
    made = f"standard errors: {_report.stderr_line(fit)}"
    if fit.draws is not None:
        made += f"; intervals: {len(fit.draws)} replicates ({fit.draws.resample})"
    rests = f"{fit.n_rows} rows; loss {options.loss}{scale}, {options.residual} residuals"
    return [rests, made] + ([] if fit.success else [f"not usable as it is: {fit.message}"])


def _law_line(response: str, law: str, width: int) -> str:
    formula = _latex.formula(law)
    if r" \\ " in formula:  # bindings, each a line
        formula = rf"\begin{{array}}[t]{{@{{}}l@{{}}}}{formula}\end{{array}}"
    else:
        formula = f"{_latex.name_or_formula(response)} = {formula}"
    return _across(f"${formula}$", width)


def _header(by: tuple[str, ...], level: float) -> str:
    return _row([*map(_latex.escape, by), *HEADER, rf"{100.0 * level:.4g}\,\% interval"])


def _across(cell: str, width: int) -> str:
    return rf"\multicolumn{{{width}}}{{l}}{{{cell}}} \\"


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _tabular(columns: str, lines: list[str]) -> str:
    inner = "\n".join(lines)
    return f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{inner}\n\\bottomrule\n\\end{{tabular}}\n"


def _number(value: float, digits: int) -> str:
    if math.isnan(value):
        return "--"
    if math.isinf(value):
        return r"$\infty$" if value > 0.0 else r"$-\infty$"
    # Trailing zeros are digits that are known.
    mantissa, _, exponent = f"{value:#.{digits}g}".partition("e")
    mantissa = mantissa.removesuffix(".")
    return f"${mantissa}$" if not exponent else rf"${mantissa} \times 10^{{{int(exponent)}}}$"
