"""From sampled answers to plans: the table, every form fitted, drawn again and allocated, and which form speaks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from numpy.typing import ArrayLike

from lawfit._budgets import Bound
from lawfit._draws import Draws
from lawfit._engine import F64, Progress
from lawfit._frontier import Frontier
from lawfit._law import Law
from lawfit._table import Table
from lawfit.errors import LawfitError
from lawfit.t2 import Beyond, FormResult, T2Comparison, compare_t2

# Of what is held out: dearer checkpoints, and those with more tokens for each parameter, where such a plan goes.
ORDERS = ("6*N*D", "D/N")


class Limits(NamedTuple):
    """What a plan keeps to besides budgets, as `lawfit.allocate` takes it."""

    bounds: Mapping[str, Bound] | None
    at: Mapping[str, float] | None
    menus: Mapping[str, ArrayLike] | None
    integer: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class FormPlan:
    """One form of the law and what it would buy.

    Attributes
    ----------
    form : str
        Its name.
    result : FormResult
        How it fits and what it says of held-out cells.
    draws : Draws or None
        Its bootstrap.
    sweep, headline : Frontier or None
        Allocations at every budget, and at the one that the report opens with.
    reason : str or None
        Why there is no plan.
    """

    form: str
    result: FormResult
    draws: Draws | None
    sweep: Frontier | None
    headline: Frontier | None
    reason: str | None

    @property
    def score(self) -> float:
        """Share of the variance that it explains of held-out cells, in the order that suits it worst."""
        return min((_score(each) for each in self.result.beyond), default=-math.inf)

    @property
    def worst(self) -> Beyond:
        """The order of held-out cells that suits it worst."""
        return min(self.result.beyond, key=_score)


def _score(beyond: Beyond) -> float:
    return beyond.r2 if beyond.success and math.isfinite(beyond.r2) else -math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """All forms on the same cells.

    Attributes
    ----------
    table : Table
        Of pass@k.
    compared : T2Comparison
        The forms, with held-out figures.
    plans : tuple of FormPlan
        In the order of the forms.
    chosen : FormPlan
        The one that the report is about.
    why : str
        Why that one.
    """

    table: Table
    compared: T2Comparison
    plans: tuple[FormPlan, ...]
    chosen: FormPlan
    why: str


def study(
    table: Table,
    forms: Mapping[str, Law],
    asked: str | None,
    sweep: Mapping[str, F64],
    headline: Mapping[str, float],
    limits: Limits,
    *,
    cluster: str | None,
    n_replicates: int,
    seed: int,
    n_threads: int | None,
    progress: Progress | None,
) -> Study:
    """Fit, draw and allocate every form; ``asked`` is the form that the caller wants to hear."""
    compared = compare_t2(
        table, forms=forms, by=ORDERS, cluster=cluster, seed=seed, n_threads=n_threads, progress=progress
    )
    plans = tuple(
        _plan(result, sweep, headline, limits, n_replicates, seed, n_threads, progress) for result in compared.results
    )
    chosen, why = _chosen(plans, asked)
    return Study(table, compared, plans, chosen, why)


def _plan(
    result: FormResult,
    sweep: Mapping[str, F64],
    headline: Mapping[str, float],
    limits: Limits,
    n_replicates: int,
    seed: int,
    n_threads: int | None,
    progress: Progress | None,
) -> FormPlan:
    fit = result.fit
    if not fit.success:
        return FormPlan(result.form, result, None, None, None, f"the fit is no minimum: {fit.message}")
    try:
        # Searched again from many starts, eight draws of a Beta law take longer than all others together.
        draws = fit.bootstrap(n_replicates, seed=seed, n_checked=0, n_threads=n_threads, progress=progress)
        fronts = [
            draws.allocate(
                budgets,
                bounds=limits.bounds,
                at=limits.at,
                menus=limits.menus,
                integer=limits.integer,
                n_threads=n_threads,
                progress=progress,
            )
            for budgets in (sweep, headline)
        ]
    except LawfitError as error:
        return FormPlan(result.form, result, None, None, None, str(error))
    point = fronts[1].plan
    reason = None if bool(point.success) else point.reason()
    return FormPlan(result.form, result, draws, fronts[0], fronts[1], reason)


def _chosen(plans: Sequence[FormPlan], asked: str | None) -> tuple[FormPlan, str]:
    if asked is not None:
        return next(plan for plan in plans if plan.form == asked), "as asked with law="
    if len(plans) == 1:
        return plans[0], "the only form that was fitted"
    usable = [plan for plan in plans if plan.headline is not None] or list(plans)
    best = max(usable, key=lambda plan: plan.score)
    if not math.isfinite(best.score):
        return best, "no form has a held-out score, so the first one is shown"
    others = ", ".join(f"{plan.form} {share(plan.score)}" for plan in plans if plan is not best)
    return best, (
        f"it explains most of the variance of -log pass@k in cells that it was not fitted to: {share(best.score)}, in "
        f"the worse of the orders {' and '.join(ORDERS)} ({others})"
    )


def share(value: float) -> str:
    """Write a share of variance; there is none where a fit ended in no minimum."""
    return f"{value:.1%}" if math.isfinite(value) else "no minimum"
