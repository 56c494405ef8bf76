"""`t2_report`: from sampled answers to one page that says what to train, how long, and how often to sample."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _t2_page, _t2_verdict
from lawfit._budgets import Bound, sweep
from lawfit._draws import check_level
from lawfit._engine import F64, Progress
from lawfit._export import FORMAT_VERSION, plain
from lawfit._law import Law
from lawfit._named import Named
from lawfit._progress import as_progress
from lawfit._t2_call import Call
from lawfit._t2_cells import cells_of
from lawfit._t2_study import FormPlan, Limits, Study, study
from lawfit._t2_verdict import QUANTITIES, Verdict, verdict
from lawfit._table import Table
from lawfit._wording import describe, listed
from lawfit.errors import DataError, LawError
from lawfit.t2 import FORMS, T2Comparison

# Of which the one speaks that predicts held-out cells best.
DEFAULT_FORMS = ("t2_loss", "t2_beta", "t2_beta_added")
VARIABLES = ("N", "D", "k")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class T2Report:
    """What sampled answers say of a budget, as `lawfit.t2_report` gives it.

    Attributes
    ----------
    table : Table
        Of pass@k, one row a checkpoint and k.
    compared : T2Comparison
        All forms on these cells.
    plans : Named of FormPlan
        By form: its ``result``, its ``draws``, and the allocations ``sweep`` and ``headline`` of every draw.
    law : str
        The form that the report is about.
    why : str
        Why that one.
    verdict : Verdict
        ``is_decided``, ``sentence`` and ``reasons``.
    distrust : tuple of str
        What to know before the plan is used.
    headline : Named of float
        Budgets that the report opens with.
    level : float
        Coverage that intervals aim at.
    call : Call
        What was asked.
    """

    table: Table
    compared: T2Comparison
    plans: Named[FormPlan]
    law: str
    why: str
    verdict: Verdict
    distrust: tuple[str, ...]
    headline: Named[float]
    level: float
    call: Call

    @property
    def chosen(self) -> FormPlan:
        """The plan by the form that the report is about."""
        return self.plans[self.law]

    def to_html(self) -> str:
        """Return the page: one file, nothing from the network, no script."""
        return _t2_page.page_of(_study(self), self.verdict, self.distrust, self.headline, self.level, self.call)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the page; a file that is there is replaced."""
        try:
            Path(path).write_text(self.to_html(), encoding="utf-8", newline="")
        except OSError as error:
            raise DataError(f"path={str(path)!r}: cannot write there ({error.strerror})") from None

    def to_dict(self) -> dict[str, object]:
        """Return plain values for programs: the verdict, the plan with intervals, every form, what to distrust."""
        return {
            "format": "lawfit.t2_report",
            "version": FORMAT_VERSION,
            "is_decided": self.verdict.is_decided,
            "sentence": self.verdict.sentence,
            "reasons": list(self.verdict.reasons),
            "law": self.law,
            "why": self.why,
            "headline": dict(self.headline),
            "level": self.level,
            "plans": {form: _plan_dict(plan, self.level) for form, plan in self.plans.items()},
            "distrust": list(self.distrust),
            "notes": list(self.table.notes),
            "n_rows": self.compared.n_rows,
            "n_checkpoints": self.compared.n_cells,
            "command": self.call.as_command(),
        }

    def __repr__(self) -> str:
        """Return the form for people."""
        lines = [self.verdict.sentence, *(f"  also: {reason}" for reason in self.verdict.reasons[1:])]
        lines += ["", f"law {self.law}: {self.why}", ""]
        front = self.chosen.headline
        if front is not None:
            lines += [front.to_text(self.level), ""]
        return "\n".join([*lines, "what to distrust", *(f"  - {words}" for words in self.distrust)])


def _study(report: T2Report) -> Study:
    return Study(report.table, report.compared, tuple(report.plans.values()), report.chosen, report.why)


def _plan_dict(plan: FormPlan, level: float) -> dict[str, object]:
    fit = plan.result.fit
    found: dict[str, object] = {
        "params": {name: plain(value) for name, value in fit.params.items()}, "status": fit.status,
        "r2": plain(plan.result.r2), "reason": plan.reason,
        "held_out": [
            {"by": each.by, "r2": plain(each.r2), "relative_error": plain(each.relative_error),
             "bias": plain(each.bias), "status": each.status}
            for each in plan.result.beyond
        ],
    }  # fmt: skip
    for name, front in (("headline", plan.headline), ("sweep", plan.sweep)):
        if front is None:
            continue
        bands = {quantity: front.interval(quantity, level) for quantity in (*QUANTITIES, "response")}
        points = [
            {
                "budgets": dict(zip(front.plan.sweep.budgets, amounts, strict=True)),
                "status": str(np.ravel(front.plan.status)[place]),
                **{
                    quantity: [plain(float(np.ravel(end)[place])) for end in (band.value, band.lower, band.upper)]
                    for quantity, band in bands.items()
                },
            }
            for place, amounts in enumerate(front.plan.sweep.amounts.tolist())
        ]
        found[name] = points[0] if name == "headline" else points
    return found


def t2_report(
    data: object,
    budgets: Mapping[str, ArrayLike],
    *,
    headline: Mapping[str, float] | None = None,
    k: ArrayLike | None = None,
    by: str | Sequence[str] = ("N", "D"),
    problem: str | Sequence[str] = "problem",
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    probability: str | None = None,
    nll: str | None = None,
    few_samples: str = "error",
    problems: str = "all",
    bias: str | None = None,
    law: str | None = None,
    forms: Sequence[str] = DEFAULT_FORMS,
    bounds: Mapping[str, Bound] | None = None,
    at: Mapping[str, float] | None = None,
    menus: Mapping[str, ArrayLike] | None = None,
    integer: Sequence[str] = (),
    cluster: str | None = None,
    n_replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> T2Report:
    """From sampled answers to what a budget should buy: pass@k, laws in (N, D, k), draws, plans, and what to distrust.

    Parameters
    ----------
    data : table
        One row for each problem of each checkpoint, with counts ``n_samples`` and ``n_correct``, or a probability or
        negative log-likelihood, as `lawfit.pass_at_k` takes them.
    budgets : mapping of str to array-like
        Formulas of N, D and k with the amounts that they must not pass; one of them may be a sweep.
    headline : mapping of str to float, optional
        Amounts that the report opens with, of all budgets or of some; the last of each by default.
    k : array-like, optional
        Numbers of tries at which pass@k is taken: by default powers of 2, as far as there are samples, up to 128.
    by : str or sequence of str
        Columns that make a checkpoint; N and D must be among them.
    problem : str or sequence of str
        Columns that name a problem.
    columns : mapping of str to str, optional
        Columns that are made first, each a formula over those of the table, such as ``{"N": "params"}``.
    where : str, optional
        Condition that a row must meet, such as ``"benchmark == 'gsm8k' and N >= 4e8"``.
    probability, nll : str, optional
        Column of the probability that one answer is right, or of its -log, instead of counts.
    few_samples, problems, bias
        As in `lawfit.pass_at_k`.
    law : str, optional
        The form that the report is about, or a formula of -log pass@k over N, D and k; by default the one of ``forms``
        that predicts held-out cells best.
    forms : sequence of str
        Forms of `lawfit.compare_t2` that are fitted to the same cells, and asked for the same plan.
    bounds, at, menus, integer
        As in `lawfit.allocate`.
    cluster : str, optional
        What makes cells belong together, such as ``"N"`` where all checkpoints of a size are of one training run; each
        checkpoint by itself by default.
    n_replicates : int
        Draws of each form's bootstrap, of checkpoints and problems both.
    level : float
        Coverage that intervals aim at.
    seed : int
        Of starts and draws.
    n_threads : int, optional
        As in `lawfit.fit`.
    progress : bool or callable, optional
        As in `lawfit.fit`, for each step.

    Returns
    -------
    T2Report
        The verdict, the plans and all behind them; ``write(path)`` makes the page.

    Raises
    ------
    DataError
        A column is missing, benchmarks are mixed, or a budget cannot be used.
    LawError
        A form or formula is not known.

    Notes
    -----
    When to use: to decide on (N, D, k) from evaluations that are there. The runs are said not to decide where there is
    no optimum or no interval, where an interval spans more than a factor of 100, where the law explains less than half
    of the variance of cells left out, where a form that predicts those about as well (no more than twice the variance
    left) would choose outside of the interval or has none itself, or where the plan lies over 30 times beyond the runs
    in N, D, k or D/N.

    References
    ----------
    Roberts et al. 2026, arXiv:2604.01411; Schaeffer et al. 2025, arXiv:2509.24012.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 0.3, "A": 60.0, "B": 300.0, "alpha": 0.22, "beta": 0.24}
    >>> grid = {"N": [1e8, 4e8, 1.6e9, 6.4e9], "D": [5e9, 2e10, 8e10, 3.2e11]}
    >>> counts = lf.synthetic.counts(lf.laws.chinchilla, truth, grid, n_problems=60, n_samples=200, seed=0)
    >>> report = lf.t2_report(counts, {"6*N*D": 1e21, "2*N*k": 1e11}, forms=["t2_beta_added"], n_replicates=100)
    >>> report.law, bool(report.chosen.headline.interval("N").value > 1e8)
    ('t2_beta_added', True)
    """
    check_level(level)
    given = dict(locals())
    laws, asked = _laws(law, forms)
    limits = Limits(bounds, at, menus, integer)
    amounts, opening = _budgets(budgets, headline, limits)
    reported = as_progress(progress)
    table = cells_of(data, k, by, problem, columns, where, probability, nll, few_samples, problems, bias)
    if cluster is not None and cluster not in table.names:
        raise DataError(f"cluster={cluster!r}: name a column of by={list(table.names[: table.names.index('k')])}")
    found = study(
        table, laws, asked, amounts, opening, limits, cluster=cluster, n_replicates=n_replicates, seed=seed,
        n_threads=_arrays.resolve_threads(n_threads), progress=reported,
    )  # fmt: skip
    words = " and ".join(f"{text} = {amount:.4g}" for text, amount in opening.items())
    return T2Report(
        found.table, found.compared, Named({plan.form: plan for plan in found.plans}), found.chosen.form, found.why,
        verdict(found, words, level), _t2_verdict.distrust(found, level, cluster), Named(opening), level,
        _call(given, amounts),
    )  # fmt: skip


def _laws(law: str | None, forms: Sequence[str]) -> tuple[dict[str, Law], str | None]:
    """All forms to fit, and the name of the one that was asked for."""
    if isinstance(forms, str) or not isinstance(forms, Sequence):
        raise LawError(f"forms={forms!r}: give a list of names, such as {list(DEFAULT_FORMS)}")
    unknown = [name for name in forms if name not in FORMS]
    if unknown:
        raise LawError(f"forms: {unknown[0]!r} is not known; choose from: {listed(FORMS)}")
    chosen = {name: FORMS[name] for name in forms}
    if law is None:
        if not chosen:
            raise LawError("forms: name at least one, or say law=")
        return chosen, None
    if not isinstance(law, str):
        raise LawError(f"law: give the name of a form or a formula over N, D and k, not {describe(law)}")
    if law in FORMS:
        return {law: FORMS[law], **chosen}, law
    if law.isidentifier():
        raise LawError(f"law={law!r}: no form is called so; choose from: {listed(FORMS)}")
    own = Law(law, list(VARIABLES))
    return {law: own, **chosen}, law


def _budgets(
    budgets: Mapping[str, ArrayLike],
    headline: Mapping[str, float] | None,
    limits: Limits,
) -> tuple[dict[str, F64], dict[str, float]]:
    """Amounts of the sweep and those that the report opens with."""
    checked = sweep(
        FORMS["t2_loss"], budgets, {}, bounds=limits.bounds, at=limits.at, menus=limits.menus, integer=limits.integer
    )
    if not budgets:
        raise DataError('budgets: give at least one, such as {"6*N*D": 1e21, "2*N*k": 1e11}')
    amounts = {text: _arrays.as_float64(amount, f"budgets[{text!r}]") for text, amount in budgets.items()}
    if len(checked.shape) > 1:
        raise DataError(f"budgets: a report has one sweep, and these have the shape {checked.shape} together")
    if headline is not None and not isinstance(headline, Mapping):
        raise DataError(f"headline: give amounts of budgets by formula, not {describe(headline)}")
    opening = dict(zip(checked.budgets, checked.amounts[-1].tolist(), strict=True))
    for text, amount in (headline or {}).items():
        if text not in opening:
            raise DataError(f"headline: {text!r} is none of the budgets, which are {listed(opening)}")
        value = _arrays.as_float64(amount, f"headline[{text!r}]")
        if value.size != 1 or not np.all(np.isfinite(value) & (value > 0.0)):
            raise DataError(f"headline: {text}={amount!r}: give one number above 0")
        opening[text] = float(np.ravel(value)[0])
    return amounts, opening


def _call(given: Mapping[str, object], amounts: Mapping[str, F64]) -> Call:
    """Return what was asked, without what is as it is by default."""
    data = given["data"]
    source = os.fspath(data) if isinstance(data, str | os.PathLike) else None
    defaults: dict[str, object] = t2_report.__kwdefaults__ or {}
    left_out = {"progress", "n_threads"}
    options = {
        name: value
        for name, value in given.items()
        if name in defaults and name not in left_out and value is not None and not _is_same(value, defaults[name])
    }
    return Call(source, amounts, options)


def _is_same(value: object, default: object) -> bool:
    if isinstance(value, np.ndarray):
        return False
    return (tuple(value) if isinstance(value, list) else value) == default
