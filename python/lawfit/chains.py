"""A law through another law: fit both, in stages or at once, and carry the errors of the first to the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._chain_fit import ChainFit
from lawfit._chain_joint import joint_fit, joint_whole
from lawfit._chain_law import chained_law
from lawfit._chain_options import HOW, StageOptions, as_options, as_responses, bound_laws, check_protocol, split
from lawfit._chain_protocol import grid_of, isoflop_weights
from lawfit._chain_rows import StageRows, stage_rows, units_of, with_predictions
from lawfit._chain_whole import whole_of
from lawfit._engine import F64
from lawfit._law import Law
from lawfit._options import check_word
from lawfit._table import Table
from lawfit.fitting import MISSING, as_law, as_mapping, as_table, fit
from lawfit.results import Fit


class _First(NamedTuple):
    """The first stage: the fit, those of the grid that it is the best of, and what was done."""

    fit: Fit
    grid: tuple[Fit, ...]
    notes: tuple[str, ...]
    cautions: tuple[str, ...]


def fit_chain(
    first_law: Law | str,
    second_law: Law | str,
    data: object,
    *,
    responses: Sequence[str],
    through: str,
    how: str = "staged",
    first: Mapping[str, object] | None = None,
    second: Mapping[str, object] | None = None,
    columns: Mapping[str, str] | None = None,
    where: str | ArrayLike | None = None,
    missing: str = "error",
    cluster: str | ArrayLike | None = None,
    protocol: str | None = None,
    isoflop: str | None = None,
    seed: int = 0,
    n_threads: int | None = None,
) -> ChainFit:
    """Fit a law through another one: task loss by size and data, then accuracy by task loss.

    Parameters
    ----------
    first_law : Law or str
        The law of the first response, such as ``lawfit.laws.chinchilla``.
    second_law : Law or str
        The law of the second response; ``through`` is one of its variables.
    data : table
        Anything that `lawfit.read_table` takes.
    responses : two of str
        Columns, or formulas over columns: that of the first law, and that of the second.
    through : str
        The variable of the second law that stands for the first law's prediction. A column of that name is not used.
    how : "staged" or "joint"
        ``"staged"``: the first law is fitted, then the second to its predictions. ``"joint"``: all parameters are
        fitted to both responses at once, rows of each response weighted by the inverse of their residual variance in
        the staged fits (under a robust loss, each in units of its own ``f_scale``).
    first, second : mapping of str to object, optional
        Arguments of `lawfit.fit` for either stage: ``loss``, ``f_scale``, ``residual``, ``weights``, ``sigma``,
        ``bounds``, ``fixed``, ``prior``, ``starts``, ``solver``, ``covariance``, ``max_iterations``, ``kernels``,
        ``protocol``. Defaults are those of `fit`, but that the second stage compares values themselves
        (``residual="linear"``) where every second response lies between 0 and 1, as accuracies do.
    columns : mapping of str to str, optional
        For variables of either law that are no columns, as in `lawfit.fit`.
    where : str or (n_rows,) bool, optional
        Condition that a row must meet, for both stages.
    missing : "error" or "drop"
        As in `lawfit.fit`, by stage: a row without the first response may still serve the second.
    cluster : str or (n_rows,) array, optional
        What makes rows belong together, as in `lawfit.fit`. Without it the rows of one checkpoint (with equal values of
        the first law's variables) belong together, where there are several.
    protocol : "roberts2026", optional
        Fit as that paper did: squares of the responses in both stages, ``E`` held at the best of 40 values between 0.01
        and 0.95 of the smallest loss, and checkpoints weighted by 1 / variance of the losses in their isoFLOP group.
        A group of one checkpoint, or of equal losses, takes the mean variance of the others. What ``first=`` and
        ``second=`` say holds.
    isoflop : str, optional
        With the protocol: column, or formula over columns, of the compute budget; budgets within 1 % are one group.
    seed : int
        Seed of the random starts.
    n_threads : int, optional
        As in `lawfit.fit`.

    Returns
    -------
    ChainFit
        Both stages and the whole as one law, whose standard errors, intervals and draws know the errors of both.

    Raises
    ------
    LawError
        The laws do not fit together, a name would mean two things, or an option cannot mean anything.
    DataError
        A column or value is missing, or one checkpoint has two different first responses.

    Notes
    -----
    When to use: where a response is understood through another, and the first has more to say of size and data. A
    checkpoint's first response counts once, however many rows repeat it. In stages the first law knows nothing of the
    second response, so a wrong link cannot spoil it; jointly both laws must be right, and the estimates are then
    sharper. A second stage fitted by itself would call its input exact: the standard errors here are those of the
    stacked equations of both stages, one Newton step without each unit (CR3); `ChainFit.bootstrap` refits both stages.

    References
    ----------
    Roberts et al. 2026, arXiv:2604.01411, section 3.2 and appendix F; Bhagia et al. 2024, arXiv:2412.04403 (OLMo
    ladder); Gadre et al. 2024, arXiv:2403.08540; Newey and McFadden 1994, Handbook of Econometrics 4, section 6.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> N = np.logspace(7, 10, 12)
    >>> loss = 1.7 + 400 * N**-0.34
    >>> runs = {"N": N, "nll": loss, "error": 0.9 - 2.5 * np.exp(-0.7 * loss)}
    >>> first = lf.Law("E + A*N**-alpha", ["N"], positive=["E", "A"])
    >>> chain = lf.fit_chain(first, lf.laws.gadre_error, runs, responses=["nll", "error"], through="L")
    >>> chain.law.text
    'L = E + A*N**-alpha; epsilon - k*exp(-gamma*L)'
    >>> round(float(chain.predict(N=1e11)), 4)
    0.1772
    """
    check_word("how", how, HOW)
    check_word("missing", missing, MISSING)
    names = as_responses(responses)
    table, mapping = as_table(data), as_mapping(columns)
    options = as_options("first", first), as_options("second", second)
    check_protocol(protocol, isoflop, how)
    one, other, predicted = bound_laws(as_law(first_law), as_law(second_law), table, mapping, names, through)
    law = chained_law(one, other, through)
    rows = stage_rows(one, table, mapping, names[0], where, cluster)
    own = split(mapping, one), {**split(mapping, other), through: predicted}
    shared = _Shared(missing, cluster, seed, n_threads)
    stage = _fit_first(one, table, own[0], names[0], rows, options[0], shared, isoflop)
    x = np.stack(
        [table.evaluate(own[0].get(name, name), want="number", argument="column") for name in one.variables or ()]
    )
    longer = with_predictions(table, predicted, _predictions(stage.fit, x))
    last = _fit_second(other, longer, own[1], names[1], rows, options[1], shared, is_paper=protocol is not None)
    units = units_of(stage.fit, last, rows.checkpoints)
    points = np.ascontiguousarray(x[:, last.rows.positions])
    held = ("E",) if stage.grid else ()
    whole, joint = whole_of(stage.fit, last, law, through, points, units, held), None
    if how == "joint":
        joint = joint_fit(stage.fit, last, law, through, points, units, _arrays.resolve_threads(n_threads))
        whole = joint_whole(whole, joint)
    copies = (f"{rows.n_copies} rows repeat the {names[0]} of a checkpoint and count once",) if rows.n_copies else ()
    chosen = (f"rows for which {where}",) if isinstance(where, str) else ()
    return ChainFit(
        first=stage.fit, second=last, fit=whole, joint=joint, how=how, through=through, responses=names, units=units,
        grid=stage.grid, notes=(*chosen, *copies, *stage.notes), cautions=stage.cautions,
    )  # fmt: skip


class _Shared(NamedTuple):
    """Arguments that both stages have."""

    missing: str
    cluster: str | ArrayLike | None
    seed: int
    n_threads: int | None


def _fit_first(
    law: Law,
    table: Table,
    columns: dict[str, str],
    response: str,
    rows: StageRows,
    options: StageOptions,
    shared: _Shared,
    isoflop: str | None,
) -> _First:
    def run(**more: object) -> Fit:
        given = cast("StageOptions", {**options, **more})
        return fit(
            law, table, response=response, columns=columns, where=rows.first, missing=shared.missing,
            cluster=shared.cluster, seed=shared.seed, n_threads=shared.n_threads, **given,
        )  # fmt: skip

    if isoflop is None:
        return _First(run(), (), (), ())
    losses = table.evaluate(response, want="number", argument="response")
    budgets = table.evaluate(isoflop, want="number", argument="isoflop")
    used = np.flatnonzero(rows.first & np.isfinite(losses))
    groups = isoflop_weights(budgets[used], losses[used])
    weights = np.zeros(table.n_rows)
    weights[used] = groups.weights
    paper: dict[str, object] = {"loss": "squared", "residual": "linear", "weights": weights, **options}
    fixed = dict(cast("Mapping[str, float]", options.get("fixed") or {}))
    notes = [f"weights of the first stage: 1 / variance of the losses of {groups.n_groups} budgets ({isoflop})"]
    if groups.n_without:
        notes.append(
            f"{groups.n_without} budgets of one checkpoint or of equal losses have the mean variance of the others"
        )
    if "E" in fixed:
        return _First(run(**paper), (), tuple(notes), ())
    values = grid_of(law, losses[used])
    grid = tuple(run(**{**paper, "fixed": {**fixed, "E": float(value)}}) for value in values)
    best = int(np.argmin([each.objective if each.success else np.inf for each in grid]))
    step = float(values[1] - values[0])
    notes.append(f"E is the best of {len(grid)} values, {step:.3g} apart")
    ends = best in (0, len(grid) - 1)
    cautions = (f"E = {values[best]:g} is at the end of the values that the protocol tries",) if ends else ()
    return _First(grid[best], grid, tuple(notes), cautions)


def _fit_second(
    law: Law,
    table: Table,
    columns: dict[str, str],
    response: str,
    rows: StageRows,
    options: StageOptions,
    shared: _Shared,
    *,
    is_paper: bool,
) -> Fit:
    given = options
    if is_paper:
        given = cast("StageOptions", {"loss": "squared", "residual": "linear", **options})
    elif options.get("residual") is None and options.get("protocol") is None:
        y = table.evaluate(response, want="number", argument="response")[rows.second]
        y = y[np.isfinite(y)]
        if y.size and y.min() >= 0.0 and y.max() <= 1.0:
            given = cast("StageOptions", {**options, "residual": "linear"})
    cluster = shared.cluster if rows.checkpoints is None else rows.checkpoints
    found = fit(
        law, table, response=response, columns=columns, where=rows.second, missing=shared.missing, cluster=cluster,
        seed=shared.seed, n_threads=shared.n_threads, **given,
    )  # fmt: skip
    if rows.checkpoints is None:
        return found
    return replace(found, rows=replace(found.rows, clustered_by="checkpoints"))


def _predictions(first: Fit, x: F64) -> F64:
    """(n_table_rows,) values of the first law; NaN where a variable is missing."""
    known = np.isfinite(x).all(axis=0)
    values = np.full(x.shape[1], np.nan)
    points = dict(zip(first.rows.variables, x[:, known], strict=True))
    values[known] = first.law.evaluate(points, params=first.params)
    return values
