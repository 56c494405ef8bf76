"""Rows for a result that was saved without them: read as the fit read them, and compared with what it saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lawfit._batch import Rows
from lawfit._count_fit import CountFit
from lawfit._count_rows import count_rows
from lawfit._fingerprint import check_fingerprint, fingerprint_of
from lawfit._fits import Fits
from lawfit._law import Law
from lawfit._named import Named
from lawfit._rows import Keys, join_rows, table_rows
from lawfit.errors import DataError
from lawfit.fitting import as_table, as_tables
from lawfit.results import Fit

GIVEN = "given"


def with_data(
    fit: Fit,
    data: object,
    *,
    where: object = None,
    weights: object = None,
    sigma: object = None,
    cluster: object = None,
) -> Fit:
    """Return the fit with its rows.

    Parameters
    ----------
    fit : Fit
        A fit that was loaded without rows.
    data : table
        The runs that it was fitted to; for a fit of a batch the whole table, or its own.
    where, weights, sigma, cluster : array-like, optional
        What `lawfit.fit` was given as an array; columns and formulas are known.

    Returns
    -------
    Fit
        The same fit, which can be resampled, validated and diagnosed.

    Raises
    ------
    DataError
        The rows are not those of the fit; the message says whether their number or which columns differ.

    Notes
    -----
    When to use: after `lawfit.load`, where the file was saved without ``data=True``. Nothing is fitted again.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]}, noise=0.001)
    >>> lf.fit(lf.laws.power_floor, runs, response="loss").save("fit.json")
    >>> fit = lf.load("fit.json").with_data(runs)
    >>> len(fit.bootstrap(20))
    20
    """
    given = {"where": where, "weights": weights, "sigma": sigma, "cluster": cluster}
    table = as_table(data)
    # A fit of a list of tables is known by a key that is no column; its data are its own table.
    by = fit.by if set(fit.by) <= set(table.names) else ()
    rows, keys = _read(fit.law, fit.rows, fit.options.residual, data, given, by)
    if by and fit.key not in keys:
        raise DataError(f"data: no rows have the key {fit.key!r} for {', '.join(by)}")
    found = rows.of(keys.index(fit.key)) if by else rows
    check_fingerprint(_fingerprint(fit.rows), found)
    # Of several tables, one of which is given here, the fit counted the rows of all.
    return _with_rows(fit, replace(found, n_table_rows=fit.rows.n_table_rows))


def fits_with_data(
    fits: Fits,
    data: object,
    *,
    where: object = None,
    weights: object = None,
    sigma: object = None,
    cluster: object = None,
) -> Fits:
    """Return a batch with its rows; see `with_data`."""
    given = {"where": where, "weights": weights, "sigma": sigma, "cluster": cluster}
    tables, names, table_keys = as_tables(data, None if fits.by == ("table",) else list(fits.by))
    residual = fits.options.residual
    if table_keys is None:
        rows, keys = _read(fits.law, fits.rows, residual, data, given, names)
    else:
        rows = join_rows([_read(fits.law, fits.rows, residual, table, given, ())[0] for table in tables])
        keys = table_keys
    if keys != fits.keys:
        raise DataError(f"data: these are not the rows of the fits: {len(keys)} groups, and not the same keys in order")
    for i in range(len(fits)):
        check_fingerprint(_fingerprint(fits.rows.of(i)), rows.of(i))
    return replace(fits, rows=rows)


def counts_with_data(fit: CountFit, data: object, *, where: object = None, cluster: object = None) -> CountFit:
    """Return a fit to counts with its rows; see `with_data`."""
    rows = fit.inner.rows
    found = count_rows(
        fit.model,
        as_table(data),
        n_correct=fit.n_correct,
        n_samples=fit.n_samples,
        columns=dict(rows.columns),
        where=_as_asked("where", rows.where, where),
        cluster=_as_asked("cluster", rows.clustered_by, cluster),
    )
    check_fingerprint(_fingerprint(rows), found)
    return replace(fit, inner=replace(fit.inner, rows=found))


def _read(
    law: Law, known: Rows, residual: str, data: object, given: Mapping[str, object], by: tuple[str, ...]
) -> tuple[Rows, Keys]:
    """Read rows as the fit did."""
    made = {"where": known.where, "weights": known.weighted_by, "sigma": known.noise_by, "cluster": known.clustered_by}
    table = as_table(data)
    if table.sampled is not None and made["cluster"] == "checkpoint":
        made["cluster"] = None  # the table says so itself
    asked = {argument: _as_asked(argument, made[argument], value) for argument, value in given.items()}
    return table_rows(
        law, table, response=known.response, columns=dict(known.columns), where=asked["where"],
        weights=asked["weights"], sigma=asked["sigma"], residual=residual, cluster=asked["cluster"], by=by,
        missing="drop" if known.dropped else "error",
    )  # fmt: skip


def _as_asked(argument: str, made: str | None, given: object) -> object:
    """Return what the fit was asked, where that is known or given again."""
    if made == GIVEN and given is None:
        raise DataError(f"{argument}: the fit was given an array, which its file does not hold: give {argument}= again")
    if made != GIVEN and given is not None:
        raise DataError(f"{argument}: leave it out; the fit was made with {argument}={made!r}")
    return given if made == GIVEN else made


def _fingerprint(rows: Rows) -> Named[str]:
    return fingerprint_of(rows) if rows.summary is None else rows.summary.fingerprint


def _with_rows(fit: Fit, rows: Rows) -> Fit:
    found = replace(fit, rows=rows)
    if fit.draws is None:
        return found
    return replace(found, draws=replace(fit.draws, fit=replace(found, draws=None)))
