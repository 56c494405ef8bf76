"""Fit a law: `fit` to one set of rows, `fit_many` to many in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike

from lawfit import _arrays, _batch, _engine
from lawfit._batch import Options, Prior, Resampling, Rows
from lawfit._crossed import scheme_of, with_problems
from lawfit._engine import F64, Progress
from lawfit._fits import Fits
from lawfit._law import Law, RangeLike
from lawfit._options import SEARCHES, StartsLike, check_count, check_scheme, check_word, make_options
from lawfit._progress import as_progress
from lawfit._rows import Keys, bind_to_table, join_rows, table_rows
from lawfit._wording import describe
from lawfit.errors import DataError, LawError
from lawfit.laws import CATALOGUE
from lawfit.results import Fit
from lawfit.tables import Table, borrow_table, is_table_like

# What a missing value in a used row may mean.
MISSING = ("error", "drop")


def fit(
    law: Law | str,
    data: object,
    *,
    response: str,
    columns: Mapping[str, str] | None = None,
    where: str | ArrayLike | None = None,
    missing: str = "error",
    protocol: str | None = None,
    loss: str | None = None,
    f_scale: float | str | None = None,
    residual: str | None = None,
    weights: str | ArrayLike | None = None,
    sigma: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    bounds: Mapping[str, RangeLike] | None = None,
    fixed: Mapping[str, float] | None = None,
    prior: Mapping[str, Prior] | None = None,
    starts: StartsLike | None = None,
    seed: int = 0,
    solver: str = "auto",
    covariance: str = "auto",
    max_iterations: int = 1000,
    kernels: str = "auto",
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> Fit:
    """Fit one law to one table of runs, from many starts.

    Parameters
    ----------
    law : Law or str
        A law of `lawfit.laws`, a `Law`, or a formula; in a formula the names that are columns are the variables.
    data : table
        Anything that `read_table` takes: a dict of arrays, a list of dicts, a frame, paths of .csv, .parquet or .jsonl.
    response : str
        Column to fit, or a formula over columns.
    columns : mapping of str to str, optional
        For variables that are no columns: a column, or a formula such as ``{"D": "C/(6*params)"}``.
    where : str or (n_rows,) bool, optional
        Condition that a row must meet, such as ``"step > 0.9*max_step and data == 'c4'"``.
    missing : "error" or "drop"
        What a missing value (NaN, null, an empty text) in a used row means: an error, or that the row is left out and
        counted in the result by the first column that lacks it. Used are response, variables, weights and noise; the
        columns of ``by=``, ``cluster=`` and ``where=`` must be there in any case.
    protocol : str, optional
        A paper whose objective and starts to use: a name of `lawfit.protocols`. It sets ``loss``, ``f_scale``,
        ``residual`` and ``starts``; one of these that is given as well holds, and the result says so.
    loss : str, optional
        Robust loss of a residual: ``"huber"`` (default), ``"squared"``, ...
    f_scale : float, "mad" or "fitted", optional
        Residual beyond which the loss stops being quadratic. ``"mad"`` (default) takes it from the data: 1.345 robust
        standard deviations. ``"fitted"`` maximises the likelihood of a Huber density over its scale too, with the turn
        at a thousandth of that: in effect least absolute deviations, without standard errors.
    residual : "log" or "linear", optional
        Difference of logarithms (default), or of values.
    weights : str or (n_rows,) array, optional
        Precisions (1 / variance) of the rows, up to a common factor: a column, a formula over columns, or an array.
    sigma : str or (n_rows,) array, optional
        Known noise of the rows, a standard deviation in the units of the response: a column, a formula over columns, or
        an array. Every residual is divided by it (under ``residual="log"`` by ``sigma / response``) before the robust
        loss sees it, so that ``f_scale`` counts standard deviations.
    cluster : str or (n_rows,) array, optional
        What makes rows belong together, such as the column of the run whose checkpoints they are: numbers or texts.
        Rows of different clusters are taken as independent, rows of one are not.
    bounds : mapping of str to (lower, upper), optional
        Bounds in place of the law's own; ``None`` where there is none.
    fixed : mapping of str to float, optional
        Parameters that are not fitted.
    prior : mapping of str to (mean, sd), optional
        What is known of parameters beforehand, such as an exponent that others have measured: a Gaussian penalty,
        weighed against the noise of the rows, ``fit.prior_variance``. Such a fit goes the generic way.
    starts : str, int or mapping of str to array, optional
        A rule (``"auto"`` by default), a number of starts of that rule, or one value per start for every parameter.
        Without a number, a law with at most two parameters beside its amplitudes is scanned, and the first few starts
        are all where they end in one minimum that the data determine well.
    seed : int
        Seed of the random starts.
    solver : "auto", "separable" or "generic"
        Whether amplitudes, in which a law is linear, are solved for at each step; ``"auto"`` does where there are any.
    covariance : str
        Kind of covariance that ``stderr`` comes from: ``"classical"``, ``"HC0"`` to ``"HC3"``, ``"CR1"`` or ``"CR3"``
        (these sum over clusters). ``"auto"`` is CR3 with ``cluster=`` and HC3 without.
    max_iterations : int
        Limit of iterations of one start.
    kernels : str
        Level of the vector kernels; ``"portable"`` gives the same bits on every processor.
    n_threads : int, optional
        Threads; otherwise ``LAWFIT_NUM_THREADS``, ``RAYON_NUM_THREADS``, ``OMP_NUM_THREADS``, then all cores. The
        result does not depend on it.
    progress : bool or callable, optional
        True draws a line on standard error; a function is called with (done, total).

    Returns
    -------
    Fit
        Estimates, standard errors, and what is known about how far to trust them. A fit that went wrong says so in
        its ``status``; it does not raise.

    Raises
    ------
    LawError
        The law or an option cannot mean anything.
    DataError
        A column is missing, a used value is NaN (without ``missing="drop"``), the response is not positive under
        ``residual="log"``, or a ``sigma`` is not positive.

    Notes
    -----
    When to use: one law, one table. For the same law on many groups use `fit_many`: it is one call of the engine.

    References
    ----------
    Hoffmann et al. 2022, arXiv:2203.15556; Besiroglu et al. 2024, arXiv:2404.10102.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9]}, noise=0.0)
    >>> fit = lf.fit("E + A*x**-alpha", runs, response="loss", bounds={"E": (0, None), "A": (0, None)})
    >>> round(fit.params["alpha"], 6)
    0.34
    """
    check_word("missing", missing, MISSING)
    given, table = as_law(law), as_table(data)
    mapping = as_mapping(columns)
    bound = bind_to_table(given, table, mapping, response)
    options, given_starts = make_options(
        bound, columns=table.names, protocol=protocol, loss=loss, f_scale=f_scale, residual=residual, bounds=bounds,
        fixed=fixed, prior=prior, starts=starts, seed=seed, solver=solver, covariance=covariance,
        max_iterations=max_iterations, kernels=kernels,
    )  # fmt: skip
    rows, keys = table_rows(
        bound, table, response=response, columns=mapping, where=where, weights=weights, sigma=sigma,
        residual=options.residual, cluster=cluster, missing=missing,
    )  # fmt: skip
    del table  # the rows are copies: what had to be converted for them is not kept beside the engine
    return _run(bound, rows, (), keys, options, given_starts, None, n_threads, progress)[0]


def fit_many(
    law: Law | str,
    data: object,
    *,
    by: str | Sequence[str] | None = None,
    response: str,
    columns: Mapping[str, str] | None = None,
    where: str | ArrayLike | None = None,
    missing: str = "error",
    protocol: str | None = None,
    loss: str | None = None,
    f_scale: float | str | None = None,
    residual: str | None = None,
    weights: str | ArrayLike | None = None,
    sigma: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    bounds: Mapping[str, RangeLike] | None = None,
    fixed: Mapping[str, float] | None = None,
    prior: Mapping[str, Prior] | None = None,
    starts: StartsLike | None = None,
    seed: int = 0,
    solver: str = "auto",
    covariance: str = "auto",
    bootstrap: int = 0,
    resample: str | None = None,
    search: str = "warm",
    max_iterations: int = 1000,
    kernels: str = "auto",
    n_threads: int | None = None,
    progress: bool | Progress | None = None,
) -> Fits:
    """Fit one law to many groups of runs in one call of the engine, with a bootstrap of each if wanted.

    Parameters
    ----------
    law, response, columns, where, missing, protocol, loss, f_scale, residual, weights, sigma, cluster, bounds, fixed, \
prior, starts, seed, solver, covariance, max_iterations, kernels, n_threads, progress
        As in `fit`.
    data : table, sequence of tables, or mapping of tables
        One table with ``by=``, or several tables, one for each fit.
    by : str or sequence of str, optional
        Columns whose values make the groups; an empty list makes one group of all rows.
    bootstrap : int
        Replicates of each fit; 0 for none.
    resample : str, optional
        Scheme of the bootstrap, as in `lawfit.bootstrap`; all but ``"jackknife"``.
    search : "warm" or "global"
        Whether replicates are minimised from the fit alone, or from many starts as well.

    Returns
    -------
    Fits
        In order of first appearance of the groups. A group that cannot be fitted has a status; it never raises and
        never changes its neighbours.

    Raises
    ------
    LawError
        The law or an option cannot mean anything.
    DataError
        A column is missing, or a used value is NaN.

    Notes
    -----
    When to use: tasks, recipes or data sets that share a law's form but not its parameters. Groups are resampled by
    the same random streams, so that differences between them are paired.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 1e8, 1e9, 1e10]})
    >>> both = {"x": np.tile(runs["x"], 2), "loss": np.concatenate([runs["loss"], 2 * runs["loss"]]),
    ...         "task": np.repeat(["easy", "hard"], 4)}
    >>> fits = lf.fit_many(lf.laws.power_floor, both, by="task", response="loss")
    >>> fits.keys
    (('easy',), ('hard',))
    >>> bool(abs(fits["easy"].params["alpha"] - fits["hard"].params["alpha"]) < 1e-6)
    True
    """
    check_word("missing", missing, MISSING)
    given, mapping = as_law(law), as_mapping(columns)
    tables, names, table_keys = as_tables(data, by)
    bound = bind_to_table(given, tables[0], mapping, response)
    options, given_starts = make_options(
        bound, columns=tables[0].names, protocol=protocol, loss=loss, f_scale=f_scale, residual=residual, bounds=bounds,
        fixed=fixed, prior=prior, starts=starts, seed=seed, solver=solver, covariance=covariance,
        max_iterations=max_iterations, kernels=kernels,
    )  # fmt: skip
    if table_keys is None:
        rows, keys = table_rows(
            bound,
            tables[0],
            response=response,
            columns=mapping,
            where=where,
            weights=weights,
            sigma=sigma,
            residual=options.residual,
            cluster=cluster,
            by=names,
            missing=missing,
        )
    else:
        rows, keys = join_rows([
            table_rows(
                bound, table, response=response, columns=mapping, where=where, weights=weights, sigma=sigma,
                residual=options.residual, cluster=cluster, missing=missing,
            )[0]
            for table in tables
        ]), table_keys  # fmt: skip
    del tables
    resampling = _as_resampling(rows, bootstrap, resample, search)
    if resampling is not None:
        resampling = with_problems(rows, resampling, options.seed)
    return _run(bound, rows, names, keys, options, given_starts, resampling, n_threads, progress)


def _run(
    law: Law,
    rows: Rows,
    by: tuple[str, ...],
    keys: Keys,
    options: Options,
    starts: F64 | None,
    resampling: Resampling | None,
    n_threads: int | None,
    progress: bool | Progress | None,
) -> Fits:
    """Make the one engine call and wrap what comes back."""
    check_defined(law, rows.x, rows, options.residual)
    raw = _batch.run(
        law,
        rows,
        options,
        starts=starts,
        resampling=resampling,
        n_threads=_arrays.resolve_threads(n_threads),
        progress=as_progress(progress),
    )
    return Fits(law=law, by=by, keys=keys, options=options, rows=rows, raw=raw, resampling=resampling)


def check_defined(law: Law, x: F64, rows: Rows, residual: str) -> None:
    """Raise ``DataError`` where a law has no value at rows whose variables are ``x``, whatever its parameters."""
    variables = law.variables or ()
    row = _engine.undefined_row(law.text, variables, law.parameters, x, residual)
    if row is not None:
        values = ", ".join(f"{name} = {value:g}" for name, value in zip(variables, x[:, row], strict=True))
        raise DataError(
            f"data: in row {rows.positions[row]} (counted from 0) the law {law.text!r} has no value whatever its "
            f"parameters: {values}; powers and logarithms need positive variables; leave such rows out with where="
        )


def as_law(law: object) -> Law:
    """Return a law from a law or a formula; what is clearly something else gets a message made for it."""
    if isinstance(law, Law):
        return law
    if isinstance(law, str):
        if law in CATALOGUE:
            raise LawError(f"law={law!r} is the name of a law of the catalogue; write lawfit.laws.{law}")
        if law.lower().endswith((".csv", ".parquet")):
            raise LawError(f"law={law!r} looks like a path: the law comes first, the data second")
        return Law(law)
    if is_table_like(law):
        raise LawError("law: this is a table; the law comes first, the data second: fit(law, data, response=...)")
    raise LawError(f"law: give a law of lawfit.laws, a Law, or a formula as text, not {describe(law)}")


def as_table(data: object) -> Table:
    """Read a table; a law in its place gets a message made for it."""
    if isinstance(data, Law):
        raise DataError("data: this is a law; the law comes first, the data second: fit(law, data, response=...)")
    return borrow_table(data)


def as_tables(data: object, by: str | Sequence[str] | None) -> tuple[list[Table], tuple[str, ...], Keys | None]:
    """Tables, names of the key's parts, and one key for each table where every table is one fit."""
    if by is not None:
        names = (by,) if isinstance(by, str) else tuple(by) if isinstance(by, Sequence) else ()
        if not isinstance(by, Sequence) or not all(isinstance(name, str) for name in names):
            raise DataError(f"by={by!r}: give the name of a column, or a list of names")
        return [as_table(data)], names, None
    parts: dict[object, object] = {}
    if isinstance(data, Mapping) and data and all(is_table_like(part) for part in data.values()):
        parts = dict(data)
    elif isinstance(data, Sequence) and not isinstance(data, str) and data:
        parts = dict(enumerate(data))
    if not parts:
        raise DataError(
            "by: name the columns that make the groups, or give several tables; for one fit to all rows use lawfit.fit"
        )
    return (
        [borrow_table(part, f"data[{key!r}]") for key, part in parts.items()],
        ("table",),
        tuple((key,) for key in parts),
    )


def as_mapping(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Return columns by variable."""
    if columns is not None and not isinstance(columns, Mapping):
        raise DataError(f"columns: give a mapping from variables to columns, not {describe(columns)}")
    return dict(columns or {})


def _as_resampling(rows: Rows, bootstrap: int, asked: str | None, search: str) -> Resampling | None:
    resample = scheme_of(rows, asked)
    check_scheme(resample)
    check_word("search", search, SEARCHES)
    if resample == "jackknife":
        raise LawError(
            'resample="jackknife" has one replicate for each row or cluster, so groups would have different numbers; '
            'bootstrap one fit of them: fits[key].bootstrap(resample="jackknife")'
        )
    n_replicates = check_count("bootstrap", bootstrap, least=0)
    # Of many groups a few replicates of each are a large sample.
    n_checked = 0 if search == "global" else 2
    return Resampling(resample, n_replicates, search=search, n_checked=n_checked) if n_replicates else None
