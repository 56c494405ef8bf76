"""`fit_mixture`: the distribution of success probabilities over problems, from counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine
from lawfit._batch import unit_bytes
from lawfit._cells import column_names, name_key
from lawfit._engine import F64, U64, RawMixtures
from lawfit._estimators import as_counts, check_counts
from lawfit._mixture import Mixture, MixtureDraws, Mixtures, ZeroShareTest, parameters_of
from lawfit._named import Named
from lawfit._options import check_count, check_word
from lawfit._selection import group_rows, key_value, numbers_within_groups, select_rows
from lawfit._table import Table
from lawfit.errors import DataError
from lawfit.tables import read_table

# Logarithms of shapes beyond which all problems are alike, or each is solved always or never.
ALIKE = 8.0
EXTREME = -5.0


@overload
def fit_mixture(
    counts: object,
    *,
    kind: str = "beta",
    n_samples: str = "n_samples",
    n_correct: str = "n_correct",
    by: None = None,
    problem: str | None = None,
    where: str | ArrayLike | None = None,
    scale: float | None = None,
    n_threads: int | None = None,
) -> Mixture: ...


@overload
def fit_mixture(
    counts: object,
    *,
    kind: str = "beta",
    n_samples: str = "n_samples",
    n_correct: str = "n_correct",
    by: str | Sequence[str],
    problem: str | None = None,
    where: str | ArrayLike | None = None,
    scale: float | None = None,
    n_threads: int | None = None,
) -> Mixtures: ...


def fit_mixture(
    counts: object,
    *,
    kind: str = "beta",
    n_samples: str = "n_samples",
    n_correct: str = "n_correct",
    by: str | Sequence[str] | None = None,
    problem: str | None = None,
    where: str | ArrayLike | None = None,
    scale: float | None = None,
    n_threads: int | None = None,
) -> Mixture | Mixtures:
    """Fit the distribution of success probabilities over problems to counts, by maximum likelihood.

    Parameters
    ----------
    counts : table
        Anything that `lawfit.read_table` takes, one row for each problem of each group.
    kind : {"beta", "zero_inflated_beta", "scaled_beta", "kumaraswamy"}
        The distribution: Beta(a, b); a share of impossible problems and Beta(a, b) for the others; Beta(a, b) on
        (0, c); Kumaraswamy's on (0, c).
    n_samples, n_correct : str
        Columns, or formulas over columns, of samples and right answers: whole numbers.
    by : str or sequence of str, optional
        Columns that make groups, each with a fit of its own; all groups are one call of the engine.
    problem : str, optional
        Column that names a problem: a bootstrap then gives a problem one weight in all groups. Without it, problems are
        told by their place in the group.
    where : str or (n_rows,) bool, optional
        Condition that a row must meet.
    scale : float, optional
        The c of the last two kinds, in (0, 1]; without it min(1, (m + 1) / m times the largest share of right answers)
        of m problems, the rule of Schaeffer et al. It is not fitted.
    n_threads : int, optional
        Threads; results are the same for any number.

    Returns
    -------
    Mixture or Mixtures
        One fit, or with ``by=`` one a group. A fit without a maximum has a status, a message, and NaN for parameters.

    Raises
    ------
    DataError
        A column is missing, a count is not whole, above ``n_samples`` or negative, a problem stands twice in a group,
        no row is left, or ``scale`` is outside (0, 1] or given for a kind that has none.
    LawError
        ``kind`` is not known.

    Notes
    -----
    When to use: to tell pass@k at more samples than were drawn, or how hard single problems are, from how often each
    was solved. A plain Beta has no mass at 0, so problems that cannot be solved at all bias extrapolation upward; an
    impossible problem and a very hard one cannot be told apart by counts. The likelihood is that of counts, without
    binning; its maximum is found by Newton's method from several starts, in logarithms of the shapes and without bounds
    that data meet. The last two kinds are integrals by the trapezoidal rule over logits, whose cost, some hundred nodes
    a problem, does not grow with ``n_samples``.

    References
    ----------
    Schaeffer et al. 2025, How do large language monkeys get their power (laws)?, arXiv:2502.17578. Kazdan et al. 2025,
    arXiv:2510.05197.

    Examples
    --------
    >>> import lawfit as lf
    >>> counts = {"n_samples": [100] * 8, "n_correct": [0, 0, 1, 2, 4, 9, 30, 85]}
    >>> mix = lf.fit_mixture(counts)
    >>> mix.status
    'converged'
    >>> mix.pass_at_k([1, 10]).value.round(2).tolist()
    [0.18, 0.47]
    """
    options = _engine.registries().mixtures
    check_word("kind", kind, tuple(name for name, _, _ in options))
    has_scale = next(has for name, _, has in options if name == kind)
    if scale is not None and not has_scale:
        raise DataError(f"scale={scale!r}: {kind} has no scale; leave it out")
    if scale is not None and (isinstance(scale, bool) or not isinstance(scale, int | float) or not 0.0 < scale <= 1.0):
        raise DataError(f"scale={scale!r}: give a number above 0 and at most 1")
    read = read_table(counts, "counts")
    rows = select_rows(read, where)
    if rows.size == 0:
        raise DataError("where= leaves no row" if where is not None else "counts: there is no row")
    names = () if by is None else column_names(by, "by", "that make groups")
    groups = group_rows(read, names, rows)
    order = groups.order
    n, s = _counts(read, n_samples, n_correct, rows, order)
    keys = _keys(read, names, problem, order, groups.offsets)
    if scale is not None:
        _check_scale(s, n, scale, order)
    raw = _engine.fit_mixtures(
        kind,
        n,
        s,
        groups.offsets,
        scale=np.full(len(groups.keys), np.nan if scale is None else float(scale)),
        keys=keys,
        n_threads=_arrays.resolve_threads(n_threads),
    )
    cuts = [slice(start, stop) for start, stop in pairwise(groups.offsets)]
    fits = tuple(
        _mixture(kind, names, key, raw, i, (n[cut], s[cut], keys[cut]))
        for i, (key, cut) in enumerate(zip(groups.keys, cuts, strict=True))
    )
    return fits[0] if by is None else Mixtures(kind, names, fits)


def bootstrap(mixture: Mixture, n: int, *, seed: int, n_threads: int | None) -> MixtureDraws:
    """Refits with Bayesian weights over problems."""
    n, seed = check_count("n", n, 1), check_count("seed", seed, 0)
    names = tuple(mixture.params)
    raw = _engine.fit_mixtures(
        mixture.kind,
        mixture.n_samples,
        mixture.n_correct,
        np.array([0, mixture.n_problems], dtype=np.int64),
        scale=np.array([mixture.scale]),
        keys=mixture.unit_keys,
        n_replicates=n,
        seed=seed,
        n_threads=_arrays.resolve_threads(n_threads),
    )
    statuses = _engine.registries().statuses
    success = np.array([statuses[code].success for code in raw.replicate_status[0]])
    values = np.where(success, _params(names, raw.replicates[0]), np.nan)
    return MixtureDraws(Named(zip(names, values, strict=True)), success)


def zero_share_test(mixture: Mixture) -> ZeroShareTest:
    """Likelihood ratio of a zero-inflated Beta against a plain one."""
    if mixture.kind != "zero_inflated_beta":
        raise DataError(f"the fit is of kind {mixture.kind}: fit kind='zero_inflated_beta' to test its share")
    raw = _engine.fit_mixtures(
        "beta",
        mixture.n_samples,
        mixture.n_correct,
        np.array([0, mixture.n_problems], dtype=np.int64),
        scale=np.array([np.nan]),
        keys=mixture.unit_keys,
    )
    statuses = _engine.registries().statuses
    plain = float(raw.log_likelihood[0])
    if not (mixture.success and statuses[raw.status[0]].success):
        return ZeroShareTest(np.nan, np.nan, mixture.aic, 4.0 - 2.0 * plain)
    statistic = max(2.0 * (mixture.log_likelihood - plain), 0.0)
    # A share held at 0 has the plain fit's likelihood, to rounding.
    if mixture.status == "converged_at_bound":
        statistic = 0.0
    p_value = 1.0 if statistic == 0.0 else 0.5 * float(_engine.chi2_sf(statistic, 1.0))
    return ZeroShareTest(statistic, p_value, mixture.aic, 4.0 - 2.0 * plain)


def _counts(read: Table, n_samples: str, n_correct: str, rows: _engine.I64, order: _engine.I64) -> tuple[F64, F64]:
    """Return samples and right answers of the ordered rows; messages count rows of the table."""
    found = []
    for argument, text in (("n_samples", n_samples), ("n_correct", n_correct)):
        values = read.evaluate(text, want="number", argument=argument)
        # Rows that where= leaves out may hold anything.
        used = np.ones(read.n_rows) if argument == "n_samples" else np.zeros(read.n_rows)
        used[rows] = values[rows]
        found.append(as_counts(used, argument))
    check_counts(found[1], found[0])
    return found[0][order], found[1][order]


def _keys(read: Table, by: tuple[str, ...], problem: str | None, order: _engine.I64, offsets: _engine.I64) -> U64:
    """Keys of the weights of problems; a problem must stand once in a group."""
    if problem is None:
        return _engine.row_keys(numbers_within_groups(read, by, order, offsets))
    names = column_names(problem, "problem", "that names the problem of a row")
    # Groups of one row's problem: the same code wherever the label stands.
    known = group_rows(read, names, order)
    codes = np.empty(read.n_rows, dtype=np.int64)
    codes[known.order] = np.repeat(np.arange(len(known.keys)), np.diff(known.offsets))
    codes = codes[order]
    for start, stop in pairwise(offsets):
        own = codes[start:stop]
        _, first, n_same = np.unique(own, return_index=True, return_counts=True)
        if (n_same > 1).any():
            code = int(own[first[int(np.argmax(n_same > 1))]])
            key = tuple(key_value(read.column(name), int(order[start])) for name in by)
            where = f" of the group {name_key(by, key)}" if by else ""
            raise DataError(
                f"problem: {known.keys[code][0]!r} stands in several rows{where}: add what tells them apart to by=, or "
                "add up their counts"
            )
    labels = [key[0] if len(key) == 1 else key for key in known.keys]
    return _engine.hash_keys([b"q" + unit_bytes(label) for label in labels])[codes]


def _check_scale(s: F64, n: F64, scale: float, order: _engine.I64) -> None:
    """Raise ``DataError`` where every sample of a problem was right although none can be with certainty."""
    beyond = np.flatnonzero(s / n > scale)
    if beyond.size:
        i = int(beyond[0])
        raise DataError(
            f"scale={scale:g}: row {order[i]} (counted from 0) has {s[i]:g} of {n[i]:g} right, a larger share; give a "
            "scale above every share, or leave it out"
        )


def _params(names: tuple[str, ...], at: F64) -> F64:
    """Parameters, (P, …), from the engine's coordinates, (…, P)."""
    return np.stack(
        [1.0 / (1.0 + np.exp(-at[..., i])) if name == "share" else np.exp(at[..., i]) for i, name in enumerate(names)]
    )


def _mixture(
    kind: str, by: tuple[str, ...], key: tuple[object, ...], raw: RawMixtures, i: int, own: tuple[F64, F64, U64]
) -> Mixture:
    status = _engine.registries().statuses[int(raw.status[i])]
    names, (n, s, keys) = parameters_of(kind), own
    values = _params(names, raw.at[i]) if status.success else np.full(len(names), np.nan)
    if status.name == "converged_at_bound":
        values[0] = 0.0
    return Mixture(
        kind=kind,
        by=by,
        key=key,
        params=Named(zip(names, values.tolist(), strict=True)),
        scale=float(raw.scale[i]),
        log_likelihood=float(raw.log_likelihood[i]),
        covariance=raw.covariance[i],
        status=status.name,
        message=_message(status.name, n, s, raw.at[i], len(names)),
        success=status.success,
        slope=float(raw.slope[i]),
        n_samples=n,
        n_correct=s,
        unit_keys=keys,
        at=raw.at[i],
    )


def _message(status: str, n: F64, s: F64, at: F64, n_params: int) -> str:
    """Say what the status means for these counts."""
    if status == "converged":
        return "a maximum of the likelihood, with definite curvature"
    if status == "converged_at_bound":
        return "a maximum with a share of 0: the counts ask for no impossible problems; share has no standard error"
    if status == "too_few_rows":
        return f"{n.size} problems are fewer than {n_params} parameters: add problems"
    if status == "unidentified":
        if (s == 0.0).all():
            return "no problem was ever solved: p = 0 and very hard cannot be told apart; draw more samples"
        if (s == n).all():
            return "every sample was right: how easy the problems are is not known; draw more samples or add problems"
        if (n == 1.0).all():
            return "one sample a problem tells the mean of p and nothing of its spread: draw more samples a problem"
        if at[-1] > ALIKE or at[-2] > ALIKE:
            return (
                "the counts spread no more than equal problems would, or p is bounded away from 0 and 1: the size "
                "a + b has no finite estimate; one p for all, or another kind, describes them"
            )
        if at[-1] < EXTREME or at[-2] < EXTREME:
            return "each problem is solved always or never: a and b have no estimate above 0; draw more samples"
        return "the likelihood is flat along a direction: draw more samples, or take a kind of fewer parameters"
    return {
        "stalled": "no step raises the likelihood although the slope is not 0",
        "max_iterations": "the likelihood still rises after 100 Newton steps, most likely along a ridge on which "
        "problems become alike: take kind='beta', or draw more samples",
        "not_finite": "the likelihood is not finite at any start",
    }.get(status, status)
