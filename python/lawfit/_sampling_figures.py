"""What sampling at test time changes of the best model: responses along the size, with one sample and with many."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lawfit._allocation import RESPONSE, USABLE, Allocation, columns_of, quantity_of, solved, statuses_of
from lawfit._budgets import COUNTED
from lawfit._engine import F64, I64, names
from lawfit._figure import BLACK, POINT, RED, Axes, FigureData, Panels, figure_data, scale, shades, word
from lawfit._frontier import Frontier
from lawfit._options import check_count
from lawfit._sweep_lines import lines_of, swept
from lawfit._wording import describe, suggest
from lawfit.errors import DataError
from lawfit.results import Fit

SIZE = "N"
ONE, MANY = "one sample", "inference budget"
N_CURVES, N_SIZES = 6, 120
# How far beyond both optima a curve is drawn.
AROUND = 12.0
# A run within this factor of a budget stands with its curve.
CLOSE = 1.3


class Setting(NamedTuple):
    """What holds in one panel: places of its budgets, and whether k is held at 1."""

    budgets: tuple[int, ...]
    is_one: bool


def train_to_test_data(plan: Allocation | Frontier, *, n_curves: int = N_CURVES, fit: Fit | None = None) -> FigureData:
    """Show the response along the size at several training budgets, with one sample and under the inference budget.

    Parameters
    ----------
    plan : Allocation or Frontier
        A sweep of a training budget, such as 6ND, with a budget of k, such as 2Nk, of a law over N and k.
    n_curves : int
        How many training budgets have curves: those of the sweep that divide it into equal parts.
    fit : Fit, optional
        Whose rows are shown, where their budgets are within a factor of 1.3 of a curve's; that of the draws by default.

    Returns
    -------
    FigureData
        ``budget`` (n_curves,); ``N``, ``"one sample"`` and ``"inference budget"`` (n_curves, n_sizes), NaN where no
        whole sample can be paid for. Along the whole sweep (n_points,), ``path_budget``, ``"N for one sample"`` and
        ``"N for inference budget"``, what is best for either, and the response of each in each panel, as in
        ``"one sample at N for inference budget"``. For each panel ``"one sample row_N"``, ``row_response`` and
        ``row_budget`` of the runs near it.

    Raises
    ------
    DataError
        The law lacks N or k, no budget is of k, or the budget that is swept is.

    Notes
    -----
    When to use: to see what is lost by a model that was chosen for one sample, which is the height of the black line
    above the red one on the right. All other variables are chosen anew at each size.

    References
    ----------
    Roberts et al. 2026, arXiv:2604.01411, figure 3.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> params = {"E": 1.69, "A": 406.4, "B": 410.7, "G": 2.0, "alpha": 0.34, "beta": 0.28, "gamma": 0.3}
    >>> budgets = {"6*N*D": np.logspace(18, 20, 9), "2*N*k": 2e9}
    >>> data = lf.plotting.train_to_test.data(lf.allocate(lf.laws.t2_loss, budgets, params=params))
    >>> many = data["inference budget at N for inference budget"]
    >>> bool(np.all(many < data["inference budget at N for one sample"]))
    True
    """
    draws = plan.draws if isinstance(plan, Frontier) else None
    plan = plan.plan if isinstance(plan, Frontier) else plan
    if not isinstance(plan, Allocation):
        raise DataError(f"plan: give a plan of allocate(...), not {describe(plan)}")
    if fit is not None and not isinstance(fit, Fit):
        raise DataError(f"fit: give the fit whose rows are to be shown, not {describe(fit)}")
    n_curves = check_count("n_curves", n_curves, 1)
    both, one = _settings(plan)
    fit = draws.fit if fit is None and draws is not None else fit
    line = lines_of(plan, "")[0]
    chosen = np.unique(np.linspace(0, line.x.size - 1, n_curves).round().astype(np.int64))
    arrays: dict[str, F64] = {"budget": line.x[chosen], "path_budget": line.x}
    settings = {ONE: one, MANY: both}
    for name, setting in settings.items():
        arrays[f"N for {name}"] = _solved(plan, setting, line.places, None)[0]
    for name, setting in settings.items():
        for best in settings:
            arrays[f"{name} at N for {best}"] = _solved(plan, setting, line.places, arrays[f"N for {best}"])[1]
    sizes = np.stack([arrays[f"N for {name}"][chosen] for name in settings])
    is_known = np.isfinite(sizes).any(axis=0)
    low, high = np.full(chosen.size, math.nan), np.full(chosen.size, math.nan)
    low[is_known] = np.nanmin(sizes[:, is_known], axis=0) / AROUND
    high[is_known] = np.nanmax(sizes[:, is_known], axis=0) * AROUND
    arrays["N"] = low[:, np.newaxis] * (high / low)[:, np.newaxis] ** np.linspace(0.0, 1.0, N_SIZES)
    places = np.repeat(line.places[chosen], N_SIZES)
    for name, setting in settings.items():
        arrays[name] = _solved(plan, setting, places, arrays["N"].ravel())[1].reshape(arrays["N"].shape)
        arrays |= {
            f"{name} {part}": found for part, found in _rows_near(plan, fit, setting, line.places[chosen]).items()
        }
    served = [
        text for text, formula in zip(plan.sweep.budgets, plan.sweep.formulas, strict=True) if COUNTED in names(formula)
    ]
    said = ", ".join(
        f"{text} = {plan.sweep.amounts[line.places[0], plan.sweep.budgets.index(text)]:.3g}" for text in served
    )
    budget = plan.sweep.budgets[swept(plan)]
    return figure_data(
        arrays,
        {
            "x": word(SIZE), "y": plan.response, "title": "", "colour": word("C") if budget == "6*N*D" else budget,
            f"{ONE} title": "k = 1", f"{MANY} title": said,
        },
        plan.notes,
        {"panels": (ONE, MANY)},
    )  # fmt: skip


def _settings(plan: Allocation) -> tuple[Setting, Setting]:
    """Return what holds with all budgets, and with one sample."""
    variables = plan.law.variables or ()
    for name in (SIZE, COUNTED):
        if name not in variables:
            raise DataError(f"plan: its law has no variable {name}; {suggest(name, variables)}")
    if plan.sweep.targets is not None:
        raise DataError("plan: it looks for the least budget that reaches a target; allocate with amounts")
    of_k = [COUNTED in names(formula) for formula in plan.sweep.formulas]
    if not any(of_k):
        raise DataError('plan: no budget is of k; allocate with one such as "2*N*k" too')
    if of_k[swept(plan)]:
        raise DataError(
            f"plan: the budget that is swept, {plan.sweep.budgets[swept(plan)]}, is of k; sweep one of training alone"
        )
    if len(lines_of(plan, "")) > 1 or np.ptp(plan.sweep.amounts[:, of_k], axis=0).any():
        raise DataError("plan: several budgets vary; allocate along one of them")
    everything = tuple(range(len(of_k)))
    return Setting(everything, False), Setting(tuple(place for place in everything if not of_k[place]), True)


def _solved(plan: Allocation, setting: Setting, places: I64, sizes: F64 | None) -> tuple[F64, F64]:
    """Sizes and responses that are best at points of the sweep, or with sizes that are held; NaN without an optimum."""
    sweep, variables = plan.sweep, plan.law.variables or ()
    lower, upper, is_given = sweep.lower[places], sweep.upper[places], sweep.is_given.copy()
    held = {COUNTED: np.ones(places.size)} if setting.is_one else {}
    if sizes is not None:
        # A size that is not known is any size, whose answer is then dropped.
        held[SIZE] = np.where(np.isfinite(sizes), sizes, 1.0)
    for name, values in held.items():
        place = variables.index(name)
        lower[:, place] = upper[:, place] = values
        is_given[place] = True
    part = replace(
        sweep,
        budgets=tuple(sweep.budgets[place] for place in setting.budgets),
        formulas=tuple(sweep.formulas[place] for place in setting.budgets),
        shape=(places.size,),
        amounts=np.ascontiguousarray(sweep.amounts[places][:, setting.budgets]),
        lower=lower,
        upper=upper,
        is_given=is_given,
        menus=tuple(() for _ in variables),
        is_whole=np.zeros(len(variables), dtype=np.bool_),
    )
    raw = solved(plan.law, np.array([list(plan.params.values())]), plan.maximize, part)
    columns = columns_of(raw, variables)
    is_known = np.isin(statuses_of(raw, part)[0], USABLE)
    if sizes is not None:
        is_known &= np.isfinite(sizes)
    found = (np.where(is_known, columns[name][0], math.nan) for name in (SIZE, RESPONSE))
    return next(found), next(found)


def _rows_near(plan: Allocation, fit: Fit | None, setting: Setting, places: I64) -> dict[str, F64]:
    """Sizes, responses and amounts of the swept budget of the runs that stand near a curve of a panel."""
    empty = np.empty(0)
    # A fit that was saved without its rows has none to show.
    if fit is None or fit.rows.summary is not None:
        return {"row_N": empty, "row_response": empty, "row_budget": empty}
    columns = dict(zip(fit.rows.variables, fit.rows.x, strict=True))
    for name in (SIZE, COUNTED):
        if name not in columns:
            raise DataError(f"fit: its rows have no {name}; {suggest(name, columns)}")
    is_near = columns[COUNTED] == 1.0 if setting.is_one else np.ones(fit.rows.y.size, dtype=np.bool_)
    for place in setting.budgets:
        spent = quantity_of(plan.sweep.budgets[place], columns)
        amounts = np.unique(plan.sweep.amounts[places, place])
        off = np.abs(np.log(spent[:, np.newaxis] / amounts)).min(axis=1)
        is_near &= off <= math.log(CLOSE)
    budget = quantity_of(plan.sweep.budgets[swept(plan)], columns)
    return {"row_N": columns[SIZE][is_near], "row_response": fit.rows.y[is_near], "row_budget": budget[is_near]}


def _draw_train_to_test(ax: Axes, data: FigureData, panel: int) -> None:
    name = data.names["panels"][panel]
    colours, norm = shades(data["path_budget"], data["budget"])
    for sizes, response, colour in zip(data["N"], data[name], colours, strict=True):
        ax.plot(sizes, response, color=colour, linewidth=1.0)
    shown = ax.scatter(
        data[f"{name} row_N"], data[f"{name} row_response"], c=data[f"{name} row_budget"], cmap="viridis", norm=norm,
        s=0.7 * POINT, linewidths=0, alpha=0.85,
    )  # fmt: skip
    is_curve = np.isin(data["path_budget"], data["budget"])
    for best, colour, label in ((ONE, BLACK, "best for one sample"), (MANY, RED, "best for both budgets")):
        x, y = data[f"N for {best}"], data[f"{name} at N for {best}"]
        ax.plot(x, y, color=colour, linewidth=1.4, label=label, zorder=3)
        ax.scatter(x[is_curve], y[is_curve], color=colour, marker="D", s=0.7 * POINT, zorder=4)
    drawn = (data[name], data[f"{name} row_response"])
    scale(ax, data["N"].ravel(), np.concatenate([part.ravel() for part in drawn]))
    if panel == 0:
        ax.legend(fontsize="x-small", frameon=False)
    if panel == len(data.names["panels"]) - 1:
        ax.figure.colorbar(shown, ax=ax, label=data.labels["colour"])


train_to_test = Panels(train_to_test_data, _draw_train_to_test)
