"""Several laws on the same runs: which predicts held-out runs best, by how much, and what each would decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _export
from lawfit._comparison_text import comparison_columns, comparison_dict, comparison_text
from lawfit._decision import check_budgets, optima
from lawfit._engine import I64, Progress
from lawfit._law import Law
from lawfit._leverage import units_of
from lawfit._options import check_count
from lawfit._paired_scores import PairedScore, held_out_losses, order_values, paired, penalised
from lawfit._rows import bind_to_table, table_rows
from lawfit._splits import Split, fold_splits, ordered_splits
from lawfit._tangent import moving_parameters
from lawfit._wording import describe, listed, suggest
from lawfit.errors import DataError, LawError
from lawfit.fitting import as_law, as_mapping, as_table
from lawfit.fitting import fit as fit_law
from lawfit.results import Fit
from lawfit.tables import Table
from lawfit.validation import refit

if TYPE_CHECKING:
    from lawfit.decisions import Plans
    from lawfit.nested import LikelihoodRatio

FOLDS = "folds"
HOLDOUT = 0.3
N_REPLICATES = 200


@dataclass(frozen=True, slots=True)
class Decision:
    """What a law would do with a budget.

    Attributes
    ----------
    cost : str
        Formula of the cost.
    budget : float
        What may be spent, in its units.
    N, D : float
        Parameters and tokens at which the law is lowest; NaN where there is no such place.
    response : float
        What the law predicts there.
    reason : str or None
        Why there is none.
    """

    cost: str
    budget: float
    N: float
    D: float
    response: float
    reason: str | None


@dataclass(frozen=True, slots=True, eq=False)
class ComparedLaw:
    """One of the laws.

    Attributes
    ----------
    name : str
        What it is called in the comparison.
    fit : Fit
        To all rows, with the common ``f_scale``.
    n_parameters : int
        Parameters that the rows move.
    scores : tuple of PairedScore
        One for each way of holding out.
    aicc : float or None
        Akaike's criterion with its correction for few rows; None with a reason.
    aicc_reason : str or None
        Why there is none.
    decisions : tuple of Decision
        One for each budget.
    """

    name: str
    fit: Fit
    n_parameters: int
    scores: tuple[PairedScore, ...]
    aicc: float | None
    aicc_reason: str | None
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """Laws on the same rows, scored on runs that they were not fitted to.

    Attributes
    ----------
    laws : tuple of ComparedLaw
        In the order in which they were given.
    by : tuple of str
        The ways of holding out: formulas whose largest values are held out, or ``"folds"``.
    loss : str
        The robust loss of all fits and scores.
    f_scale : float
        Its scale, the same in every fit and score; NaN for ``"squared"``.
    f_scale_rule : str
        Where that scale comes from.
    n_rows, n_units : int
        Rows, and rows or clusters that are taken as independent.
    notes : tuple of str
        What to know besides.
    """

    laws: tuple[ComparedLaw, ...]
    by: tuple[str, ...]
    loss: str
    f_scale: float
    f_scale_rule: str
    n_rows: int
    n_units: int
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> ComparedLaw:
        """Look one up by its name."""
        for law in self.laws:
            if law.name == name:
                return law
        raise KeyError(f"{name!r} is not among the laws; {suggest(name, [law.name for law in self.laws])}")

    def survivors(self, by: str | None = None) -> tuple[str, ...]:
        """Return the laws within two standard errors of the best in one way of holding out, the first unless named.

        Raises
        ------
        DataError
            ``by`` is no way that the comparison held out.
        """
        if by is not None and by not in self.by:
            raise DataError(f"by={by!r}: the comparison held out by {listed(self.by)}")
        k = 0 if by is None else self.by.index(by)
        return tuple(law.name for law in self.laws if law.scores[k].survives)

    def likelihood_ratio(
        self, restricted: str, full: str, *, method: str = "auto", n_replicates: int = 999, seed: int = 0
    ) -> LikelihoodRatio:
        """Test a law against one that contains it; see `lawfit.likelihood_ratio`."""
        from lawfit import nested

        return nested.likelihood_ratio(
            self[restricted].fit, self[full].fit, method=method, n_replicates=n_replicates, seed=seed
        )

    def plans(
        self,
        budgets: Mapping[str, ArrayLike],
        *,
        by: str | None = None,
        bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
        at: Mapping[str, float] | None = None,
        maximize: bool = False,
    ) -> Plans:
        """Plans of the `survivors` of one way of holding out, with regrets under each other; see `lawfit.plans`."""
        from lawfit import decisions

        return decisions.plans(
            {name: self[name].fit for name in self.survivors(by)}, budgets, bounds=bounds, at=at, maximize=maximize
        )

    def to_dict(self) -> dict[str, object]:
        """Return everything but the rows, as values that JSON can hold; undefined numbers are ``None``."""
        return comparison_dict(self)

    def to_frame(self, library: str | None = None) -> Any:
        """Return one row per law and way of holding out."""
        return _export.frame(comparison_columns(self), library, self.laws[0].fit.rows.library, "to_frame")

    def __repr__(self) -> str:
        """Return the form for people."""
        return comparison_text(self)


def compare(
    laws: Mapping[str, Law | str] | Sequence[Law | str],
    data: object,
    *,
    response: str,
    columns: Mapping[str, str] | None = None,
    where: str | ArrayLike | None = None,
    missing: str = "error",
    by: str | Sequence[str] = FOLDS,
    holdout: float = HOLDOUT,
    n_splits: int = 5,
    loss: str = "huber",
    f_scale: float | None = None,
    residual: str = "log",
    weights: str | ArrayLike | None = None,
    sigma: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    budgets: Mapping[str, float] | None = None,
    n_replicates: int = N_REPLICATES,
    seed: int = 0,
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> Comparison:
    """Fit several laws to the same runs, and ask each for runs that it was not fitted to.

    Parameters
    ----------
    laws : mapping of str to law, or sequence of law
        Laws of `lawfit.laws`, `Law` objects or formulas, by name; in a sequence a law has its own name or its text.
        Their variables may differ, as long as the table has them all.
    data, response, columns, where : optional
        As in `lawfit.fit`; ``columns`` that a law does not name are not for it.
    missing : "error" or "drop"
        As in `lawfit.fit`; rows in which any of the laws misses a value are left out for all of them.
    by : str or sequence of str
        ``"folds"``: predict each of some random parts from all others. A formula such as ``"6*N*D"``, ``"N"`` or
        ``"D"``: train on the runs that come first, predict those that come last. Several are done one after the other.
    holdout : float
        Share of the rows that comes last.
    n_splits : int
        Number of folds.
    loss : str
        Robust loss of fits and scores.
    f_scale : float, optional
        Scale of the loss for every law and split. Unless given it is that of ``"mad"`` in a fit of the richest law,
        the one with the most parameters among those that could be fitted.
    residual, weights, sigma, cluster : optional
        As in `lawfit.fit`. Clusters are never cut.
    budgets : mapping of str to float, optional
        Budgets by the formula of their cost, such as ``{"6*N*D": 1e24}``: what each law would do with them.
    n_replicates : int
        Resamples of each split's training runs, for what training adds to the standard errors; 0 leaves it out.
    seed : int
        Seed of starts, folds and resamples.
    n_threads, progress : optional
        As in `lawfit.fit`.

    Returns
    -------
    Comparison
        Scores with standard errors, paired differences to the best law, AICc where it means something, and decisions.
        A law that could not be fitted says so in its status.

    Raises
    ------
    LawError
        There are fewer than two laws, or one is no law.
    DataError
        A column is missing, an order is constant, or the splits leave too few runs to train.

    Notes
    -----
    When to use: before one form is preferred to another. The score is the mean loss of held-out runs, the loss being
    the one that was minimised, at one scale for all: scores at different scales cannot be compared. Laws are judged by
    the difference of their losses on the same runs; runs that are hard for all laws drop out of it. Its standard error
    has two parts: that of a mean over held-out rows or clusters, and the spread of that mean as the training runs of
    all laws are resampled with the same weights. The second is the larger one where a law extrapolates, since a block
    of large runs shares one trained law. A law survives where its difference to the best is within two standard errors.
    Folds share training runs with each other's held-out ones, which no standard error of folds knows.

    AICc takes squared loss and independent rows. With clusters their number stands for that of rows, and the likelihood
    counts each cluster as one row.

    References
    ----------
    Gneiting 2011, Making and evaluating point forecasts, J. Amer. Statist. Assoc. 106; Bengio and Grandvalet 2004, No
    unbiased estimator of the variance of K-fold cross-validation, JMLR 5; Hurvich and Tsai 1989, Biometrika 76.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.35, "beta": 0.3}
    >>> design = {"N": [1e8, 2e8, 4e8, 8e8, 2e9], "D": [2e9, 5e9, 1e10, 3e10, 1e11]}
    >>> runs = lf.synthetic.runs(lf.laws.chinchilla, truth, design, noise=0.003, seed=1)
    >>> compared = lf.compare([lf.laws.chinchilla, "E + A*N**-alpha"], runs, response="loss", by=["6*N*D", "folds"])
    >>> compared.survivors("folds")
    ('chinchilla',)
    """
    named, table, mapping = _named_laws(laws), as_table(data), as_mapping(columns)
    orders = _orders(by)
    wanted_budgets = check_budgets(budgets)
    check_count("n_replicates", n_replicates, least=0)
    check_count("n_splits", n_splits, least=2)
    if isinstance(holdout, bool) or not isinstance(holdout, float | int) or not 0.0 < holdout < 1.0:
        raise DataError(f"holdout={holdout!r}: give a share between 0 and 1, such as 0.3")
    own = _columns_by_law(named, mapping)
    kept, n_dropped = _common_rows(named, table, own, response, where, weights, sigma, residual, cluster, missing)

    def fitted(name: str, scale: float | None) -> Fit:
        return fit_law(
            named[name], table, response=response, columns=own[name], where=kept, loss=loss, f_scale=scale,
            residual=residual, weights=weights, sigma=sigma, cluster=cluster, seed=seed, n_threads=n_threads,
            progress=progress,
        )  # fmt: skip

    scale, rule = _common_scale(named, fitted, loss, f_scale)
    fits = {name: fitted(name, scale) for name in named}
    first = next(iter(fits.values()))
    places = np.flatnonzero(np.ones(first.rows.y.size) if first.rows.weights is None else first.rows.weights)
    units = units_of(first, places)
    by_order = []
    for order in orders:
        if order == FOLDS:
            splits = fold_splits(units, places, n_splits, seed)
        else:
            values = order_values(order, table, list(fits.values()))
            splits = ordered_splits(units, places, order, values, float(holdout), 1)
        _check_training(fits, splits)
        tested: I64 = np.concatenate([split.test for split in splits])
        weights_held = np.ones(tested.size) if first.rows.weights is None else first.rows.weights[tested]
        share = weights_held / weights_held.mean()
        losses = {
            name: held_out_losses(
                fit, refit(fit, splits, n_threads, progress), splits, share, n_replicates, seed, n_threads
            )
            for name, fit in fits.items()
        }
        codes = np.full(first.rows.y.size, -1, dtype=np.int64)
        codes[places] = units.codes
        by_order.append(paired(order, losses, share, codes[tested]))
    compared = tuple(
        ComparedLaw(
            name,
            fit,
            len(moving_parameters(fit)),
            tuple(scores[name] for scores in by_order),
            *penalised(fit, len(units)),
            tuple(_decision(fit, cost, budget) for cost, budget in wanted_budgets.items()),
        )
        for name, fit in fits.items()
    )
    notes = []
    if n_dropped:
        rows_ = "row" if n_dropped == 1 else "rows"
        notes.append(f"{n_dropped} {rows_} in which one of the laws misses a value are left out for all")
    if len(units) < 10:
        notes.append(f"{len(units)} independent {units.noun}s: two standard errors over so few are rough")
    f_scale_used = float("nan") if scale is None else float(scale)
    return Comparison(compared, orders, loss, f_scale_used, rule, places.size, len(units), tuple(notes))


def _named_laws(laws: object) -> dict[str, Law]:
    if isinstance(laws, str | Law) or not isinstance(laws, Mapping | Sequence):
        raise LawError(f"laws: give several laws, in a list or by name in a mapping, not {describe(laws)}")
    if isinstance(laws, Mapping):
        found = {str(name): as_law(law) for name, law in laws.items()}
    else:
        given = [as_law(law) for law in laws]
        names = [law.name or law.text for law in given]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise LawError(f"laws: {twice[0]!r} is there twice; name the laws in a mapping")
        found = dict(zip(names, given, strict=True))
    if len(found) < 2:
        raise LawError("laws: a comparison needs two laws at least; for one see fit.validate()")
    return found


def _common_scale(
    named: Mapping[str, Law], fitted: Callable[[str, float | None], Fit], loss: str, f_scale: float | None
) -> tuple[float | None, str]:
    """Return the scale of every fit, and where it comes from."""
    if loss == "squared":
        return None, "none: squared loss has no scale"
    if f_scale is not None:
        return f_scale, "given"
    pilots = {name: fitted(name, None) for name in named}
    usable = [name for name, pilot in pilots.items() if pilot.success and pilot.f_scale > 0.0]
    if not usable:
        raise DataError(f"laws: none could be fitted; the first: {next(iter(pilots.values())).message}")
    # Of laws with as many parameters, the one that meets the rows best: misfit is not noise.
    richest = max(usable, key=lambda name: (len(moving_parameters(pilots[name])), -pilots[name].f_scale))
    return pilots[richest].f_scale, f"mad, of the richest law, {richest}"


def _orders(by: object) -> tuple[str, ...]:
    orders = (by,) if isinstance(by, str) else tuple(by) if isinstance(by, Sequence) else ()
    if not orders or not all(isinstance(order, str) for order in orders) or len(set(orders)) < len(orders):
        raise DataError(f'by={by!r}: give "folds", a formula such as "6*N*D", or a list of different ones')
    return orders


def _columns_by_law(named: Mapping[str, Law], mapping: Mapping[str, str]) -> dict[str, dict[str, str]]:
    known = {name for law in named.values() for name in law.names}
    for name in mapping:
        if name not in known:
            raise LawError(f"columns: {name!r} is not a name of any of the laws; {suggest(name, sorted(known))}")
    return {name: {key: text for key, text in mapping.items() if key in law.names} for name, law in named.items()}


def _common_rows(
    named: Mapping[str, Law],
    table: Table,
    columns: Mapping[str, Mapping[str, str]],
    response: str,
    where: object,
    weights: object,
    sigma: object,
    residual: str,
    cluster: object,
    missing: str,
) -> tuple[Any, int]:
    """Return the condition of the rows that all laws have, and how many others met ``where``."""
    if missing not in ("error", "drop"):
        raise LawError(f'missing={missing!r}: give "error" or "drop"')
    shared = np.ones(table.n_rows, dtype=np.bool_)
    seen = np.zeros(table.n_rows, dtype=np.bool_)
    for name, law in named.items():
        bound = bind_to_table(law, table, columns[name], response)
        rows, _ = table_rows(
            bound, table, response=response, columns=columns[name], where=where, weights=weights, sigma=sigma,
            residual=residual, cluster=cluster, missing=missing,
        )  # fmt: skip
        of_law = np.zeros(table.n_rows, dtype=np.bool_)
        of_law[rows.positions] = True
        shared &= of_law
        seen |= of_law
    if not shared.any():
        raise DataError("data: no row has the variables of all laws")
    return (where if (shared == seen).all() and missing == "error" else shared), int(np.count_nonzero(seen & ~shared))


def _check_training(fits: Mapping[str, Fit], splits: list[Split]) -> None:
    least = min(split.train.size for split in splits)
    for name, fit in fits.items():
        if least <= len(fit.law.parameters) + 1:
            raise DataError(
                f"holdout: a split leaves {least} rows to train on, too few for the {len(fit.law.parameters)} "
                f"parameters of {name}; hold out less"
            )


def _decision(fit: Fit, cost: str, budget: float) -> Decision:
    if not fit.success:
        nan = float("nan")
        return Decision(cost, budget, nan, nan, nan, f"the law could not be fitted: {fit.message}")
    found = optima(fit.law, fit.rows.variables, np.array([list(fit.params.values())]), cost, budget)
    return Decision(cost, budget, float(found.N[0]), float(found.D[0]), float(found.response[0]), found.reason)
