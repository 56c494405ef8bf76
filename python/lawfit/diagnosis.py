"""What a fit rests on: rows with leverage, runs that move it together, terms and directions left open, residuals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lawfit import _arrays, _export, _reasons
from lawfit._draws import Draws, Interval
from lawfit._drop_path import DropPath, drop_path, most_moved
from lawfit._influence import Influence, Refits, influence_of
from lawfit._leverage import HIGH, MANY_TIMES, units_of
from lawfit._options import check_count
from lawfit._quantity import names_in
from lawfit._residuals import met_exactly
from lawfit._structure import ResidualTest, residual_tests
from lawfit._tangent import tangent_of
from lawfit._text import fields, number, table
from lawfit._wording import describe, listed
from lawfit.errors import DataError
from lawfit.results import Fit

# Rows that are printed, and named in a sentence.
MOST_SHOWN = 8
# Rows that get a sentence each.
MOST_TOLD = 3
# A change by that many standard errors without one unit, or without the few of a path, is called large.
LARGE = 1.0
# Where one interval is that many times as wide as the other, they disagree.
DISAGREE = 1.5
LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Diagnosis:
    """What a fit rests on.

    Attributes
    ----------
    fit : Fit
        What was diagnosed.
    findings : tuple of str
        What a careful reader should know, one sentence each; empty where nothing was found.
    direction : str
        The direction that the data determine least, in words.
    dead_terms : tuple of str
        Additive terms that contribute nothing at any row.
    influence : Influence or None
        Leverage of every row or cluster, and the estimates without it; None where the fit is not usable.
    path : DropPath or None
        How a quantity moves as the most influential runs leave together; None where there are too few of them.
    residuals : tuple of ResidualTest
        Whether residuals bend, or their size changes, with a variable or the prediction.
    note : str or None
        Why parts are missing.
    """

    fit: Fit
    findings: tuple[str, ...]
    direction: str
    dead_terms: tuple[str, ...]
    influence: Influence | None
    path: DropPath | None
    residuals: tuple[ResidualTest, ...]
    note: str | None

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row per run (or cluster) with its leverage and the changes of the estimates without it."""
        found = self.influence
        columns: dict[str, Any] = {}
        if found is not None:
            columns = {
                found.unit: list(found.names),
                "leverage": found.leverage.tolist(),
                "design_leverage": found.design_leverage.tolist(),
            }
            for k, name in enumerate(found.parameters):
                columns[f"change_{name}"] = found.changes[:, k].tolist()
                columns[f"change_{name}_in_stderr"] = found.in_stderr[:, k].tolist()
        return _export.frame(columns, library, self.fit.rows.library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        return _text_of(self)


def diagnose(
    fit: Fit,
    *,
    quantity: str | None = None,
    most: int = 5,
    draws: Draws | None = None,
    n_threads: int | None = None,
) -> Diagnosis:
    """Say what a fit rests on: which rows, which directions, and what its residuals still show.

    Parameters
    ----------
    fit : Fit
        What to diagnose.
    quantity : str, optional
        What the path of runs that leave together is about: a parameter, or a formula over parameters such as
        ``"beta / (alpha + beta)"``. Without it, the parameter that moves farthest in standard errors.
    most : int
        How many runs, or clusters, may leave together.
    draws : Draws, optional
        A bootstrap of the fit, to be compared with its Wald intervals; ``fit.draws`` if it has them.
    n_threads : int, optional
        As in `lawfit.fit`.

    Returns
    -------
    Diagnosis
        Leverage of every row, the exact change of every estimate when one leaves (each a refit), the few whose leaving
        together moves the quantity most, tests of the residuals, and sentences on what stands out.

    Raises
    ------
    DataError
        ``quantity`` names something that is no parameter, ``most`` is no positive number, or ``draws`` are of
        another fit.

    Notes
    -----
    When to use: before a fit is believed. Intervals say what other noise would have done; they do not say that five
    runs of 245 hold an exponent. ``f_scale`` stays at the fit's number; with ``cluster=`` whole clusters leave.

    There is one refit for each row and a thousand or two for the path: less than a second at 245 rows, two at 3,000,
    with the square of the rows beyond. The path is a search, not a proof: another set may move the quantity farther,
    except where a step says ``is_exact``, because all sets of its size were refitted. Sets within 1 % of the farthest
    that the search found count as equal, and the one whose members matter most by themselves is named.

    The test of the trend has F's distribution where rows (or clusters) are independent, whether or not their noise is
    equal; that of the spread supposes in addition that residuals of equal noise can be exchanged.

    References
    ----------
    Cook and Weisberg 1982, Residuals and Influence in Regression; Broderick, Giordano and Meager 2020, An automatic
    finite-sample robustness metric, arXiv:2011.14999; Kuschnig, Zens and Crespo Cuaresma 2021, Hidden in plain sight:
    influential sets in linear models; Tukey 1949, One degree of freedom for non-additivity, Biometrics 5.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> sizes = [1e7, 2e7, 3e7, 5e7, 1e8, 2e8, 3e8, 1e9, 3e9, 1e10]
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": sizes}, noise=0.002, seed=1)
    >>> runs["loss"][4] *= 1.1
    >>> found = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared").diagnose(quantity="E")
    >>> found.path.steps[0].names
    (4,)
    """
    most = check_count("most", most, least=1)
    if quantity is not None and not names_in(quantity, fit.law.parameters):
        raise DataError(f"quantity={quantity!r} names no parameter; they are {', '.join(fit.law.parameters)}")
    draws = draws_of(fit, draws)
    _arrays.resolve_threads(n_threads)
    if not fit.success:
        # Neither leverage nor refits mean anything beside no minimum; what is open does.
        return _wrap(fit, None, None, (), None, f"the fit is not usable as it is: {fit.message}")
    tangent = tangent_of(fit)
    if not tangent.rank:
        return _wrap(fit, None, None, (), draws, "no parameter moves: all are fixed or at a bound")
    units = units_of(fit, tangent.places)
    refits = Refits(fit, tangent, units, n_threads)
    influence = influence_of(fit, tangent, units, refits)
    exact = met_exactly(fit)
    if exact is not None:
        # Sets of rows that leave, tests and draws are all measured in the noise.
        return _wrap(fit, influence, None, (), None, exact)
    # With as many units left as there are parameters the law meets them whatever it is.
    most = min(most, len(units) - len(tangent.moving) - 1)
    quantity = most_moved(influence, most) if quantity is None else quantity
    path, note = None, None
    if most < 1:
        note = f"too few {'rows' if units.noun == 'row' else 'clusters'} beside the parameters to leave any out"
    elif quantity is None:
        note = "there are no standard errors to choose a quantity by: say quantity="
    else:
        path = drop_path(fit, tangent, units, influence, refits, quantity, most)
    return _wrap(fit, influence, path, residual_tests(fit, tangent, units), draws, note)


def draws_of(fit: Fit, draws: Draws | None) -> Draws | None:
    """Return the draws of a fit that are given, or else those that it has; raise ``DataError`` at another fit's."""
    if draws is None:
        return fit.draws
    if not isinstance(draws, Draws):
        raise DataError(f"draws: give what fit.bootstrap() returned, not {describe(draws)}")
    if not np.array_equal(list(draws.estimate.values()), list(fit.params.values()), equal_nan=True):
        raise DataError("draws: these are of another fit")
    return draws


def _wrap(
    fit: Fit,
    influence: Influence | None,
    path: DropPath | None,
    residuals: tuple[ResidualTest, ...],
    draws: Draws | None,
    note: str | None,
) -> Diagnosis:
    direction = _reasons.direction(fit)
    findings = [note] if note is not None and (not fit.success or note == met_exactly(fit)) else []
    if fit.unidentified or fit.status == "unidentified":
        findings.append(f"not identified: {direction} (condition number {fit.condition:.1e})")
    findings += [f"the term {term} contributes nothing at any row" for term in fit.dead_terms]
    if influence is not None:
        findings += _of_influence(influence)
    if path is not None:
        findings += _of_path(path)
    if draws is not None:
        findings += _of_draws(fit, draws, path)
    findings += [test.message for test in residuals if test.is_found]
    return Diagnosis(fit, tuple(findings), direction, fit.dead_terms, influence, path, residuals, note)


def _of_influence(found: Influence) -> list[str]:
    said = []
    share = float(np.mean(found.design_leverage))
    far = np.flatnonzero(found.design_leverage > max(HIGH, MANY_TIMES * share))
    if far.size:
        said.append(
            f"{_who(found.unit, [found.names[i] for i in far])}: leverage above {max(HIGH, MANY_TIMES * share):.2g}, "
            f"where {share:.2g} is the mean: the fit follows what stands there"
        )
    if found.lost:
        said.append(f"without {_who(found.unit, found.lost)} alone the others leave no minimum that may be used")
    sizes = np.nan_to_num(np.abs(found.in_stderr))
    for i in found.order[:MOST_TOLD].tolist():
        k = int(np.argmax(sizes[i]))
        if sizes[i, k] > LARGE:
            name = found.parameters[k]
            said.append(
                f"without {_who(found.unit, [found.names[i]])} alone {name} changes by {found.changes[i, k]:+.3g}, "
                f"{sizes[i, k]:.1f} standard errors"
            )
    return said


def _of_path(path: DropPath) -> list[str]:
    for step in path.steps:
        if abs(step.in_stderr) > LARGE:
            last = path.steps[-1]
            more = "" if last is step else f"; without {last.n_left_out} by {abs(last.in_stderr):.1f} standard errors"
            return [
                f"{path.quantity} hangs on few runs: without {_who(path.unit, step.names)} it changes from "
                f"{number(path.value, 4)} to {number(step.value, 4)}, {abs(step.in_stderr):.1f} standard errors{more}"
            ]
    return []


def _of_draws(fit: Fit, draws: Draws, path: DropPath | None) -> list[str]:
    """Say where the Wald interval and the bootstrap disagree most on how much the data determine a parameter."""
    found = []
    for name in fit.params:
        wald, percentile = fit.interval(name, LEVEL), draws.interval(name, LEVEL)
        widths = wald.upper - wald.lower, percentile.upper - percentile.lower
        if all(map(math.isfinite, widths)) and min(widths) > 0.0:
            found.append((widths[1] / widths[0], name, percentile, wald))
    said = []
    if found and (most := max(found))[0] > DISAGREE:
        ratio, name, percentile, wald = most
        others = [other for size, other, _, _ in found if size > DISAGREE and other != name]
        also = f" (so too for {listed(others)})" if others else ""
        said.append(
            f"{name}: the bootstrap interval, {_ends(percentile)}, is {ratio:.1f} times as wide as the Wald interval, "
            f"{_ends(wald)}{also}: a sign of leverage, of estimates that a few runs hold"
            + ("" if path is None else "; see which leave together")
        )
    if found and (least := min(found))[0] < 1.0 / DISAGREE:
        ratio, name, percentile, wald = least
        said.append(
            f"{name}: the Wald interval, {_ends(wald)}, is {1.0 / ratio:.1f} times as wide as the bootstrap interval, "
            f"{_ends(percentile)}: its standard error rests on few residuals; go by the bootstrap"
        )
    return said


def _ends(interval: Interval) -> str:
    return f"{number(interval.lower, 3)} to {number(interval.upper, 3)}"


def _who(unit: str, names: Any) -> str:
    names = list(names)
    if unit == "row":
        return f"row{'s' if len(names) > 1 else ''} {listed(names, most=MOST_SHOWN)}"
    return f"{unit} {listed(map(repr, names), most=MOST_SHOWN)}"


def _text_of(found: Diagnosis) -> str:
    fit, influence = found.fit, found.influence
    lines = [f"diagnosis of {fit.rows.response} = {fit.law.text}, {fit.n_rows} rows", ""]
    facts = [
        ("identified", "no" if fit.unidentified or fit.status == "unidentified" else "yes"),
        ("flattest", f"{found.direction} (condition number {fit.condition:.1e})"),
        ("dead terms", listed(found.dead_terms)),
    ]
    lines += fields(facts)
    if influence is not None:
        plural = "row" if influence.unit == "row" else influence.unit
        lines += ["", f"change of each estimate without one {plural}, in standard errors; leverage"]
        top = influence.order[:MOST_SHOWN].tolist()
        body = [
            [
                str(influence.names[i]),
                number(float(influence.leverage[i]), 2),
                number(float(influence.design_leverage[i]), 2),
                *(f"{value:+.2f}" if math.isfinite(value) else "-" for value in influence.in_stderr[i].tolist()),
            ]
            for i in top
        ]
        mean = float(np.mean(influence.design_leverage))
        lines += table([plural, "leverage", "by design", *influence.parameters], body)
        lines.append(f"{len(influence.names) - len(top)} more; the mean leverage is {mean:.2g}")
    if found.path is not None:
        lines += ["", *_path_lines(found.path)]
    tested = [test for test in found.residuals if not math.isnan(test.p_value)]
    if tested:
        lines += ["", "residuals (p after Holm's correction)"]
        rows = [[t.variable, t.kind, number(t.statistic, 3), number(t.p_holm, 2)] for t in tested]
        lines += table(["against", "test", "statistic", "p"], rows, left=2)
    if found.note is not None:
        lines += ["", f"note: {found.note}"]
    lines += ["", "findings", *(f"  - {finding}" for finding in found.findings or ("nothing stands out",))]
    return "\n".join(lines)


def _path_lines(path: DropPath) -> list[str]:
    body = [["0", number(path.value), "", "", ""]]
    for step in path.steps:
        names = ", ".join(map(str, step.names))
        moved = number(step.in_stderr, 3)
        how = "all sets" if step.is_exact else "search"
        body.append([str(step.n_left_out), number(step.value), moved, how, names])
    what = "rows" if path.unit == "row" else f"of {path.unit}"
    header = ["left out", path.quantity, "in stderr", "found by", what]
    lines = table(header, body)
    return [f"{path.quantity} as the most influential leave together (a search but for 'all sets')", *lines]
