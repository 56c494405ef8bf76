"""A law fitted in SciPy's words: `curve_fit` takes arrays and returns two."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._engine import F64
from lawfit._law import Law, RangeLike
from lawfit._options import StartsLike
from lawfit._tangent import tangent_of
from lawfit._wording import describe
from lawfit.errors import DataError, FitError, LawError
from lawfit.fitting import as_law, fit
from lawfit.laws import CATALOGUE
from lawfit.results import Fit

BoundsLike: TypeAlias = Mapping[str, RangeLike] | tuple[ArrayLike, ArrayLike]

# A direction that the data leave open has estimates all the same, one of many, and an infinite variance.
OPEN = "unidentified"


def curve_fit(
    law: Law | str,
    xdata: Mapping[str, ArrayLike] | ArrayLike,
    ydata: ArrayLike,
    p0: Mapping[str, float] | ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    absolute_sigma: bool = False,
    *,
    variables: Sequence[str] | None = None,
    bounds: BoundsLike | None = None,
    fixed: Mapping[str, float] | None = None,
    loss: str = "squared",
    f_scale: float | str | None = None,
    residual: str = "linear",
    starts: StartsLike | None = None,
    seed: int = 0,
    solver: str = "auto",
    covariance: str = "classical",
    max_iterations: int = 1000,
    kernels: str = "auto",
    n_threads: int | None = None,
) -> tuple[F64, F64]:
    """Estimates and their covariance, as `scipy.optimize.curve_fit` returns them.

    Parameters
    ----------
    law : Law or str
        A law, the name of a law of the catalogue, or a formula. It takes the place of SciPy's function.
    xdata : mapping of str to array, or array
        Values of the variables by name, each (n_rows,); or (n_variables, n_rows), in the order of the law's variables;
        or (n_rows,) for one variable.
    ydata : (n_rows,) array
        The response.
    p0 : (n_parameters,) array or mapping of str to float, optional
        The one start, in the order of ``law.parameters``. Without it the law's own starts, many of them.
    sigma : float or (n_rows,) array, optional
        Noise of the rows, a standard deviation in the units of ``ydata``.
    absolute_sigma : bool
        Whether ``sigma`` is the noise itself. If not, only its ratios count, and the covariance is scaled so that the
        mean square of the residuals is the noise.
    variables : sequence of str, optional
        Names that are variables in a formula, in the order of the rows of ``xdata``.
    bounds : (lower, upper) or mapping of str to (lower, upper), optional
        Numbers, or arrays in the order of ``law.parameters``; by name, only those that differ from the law's own.
    loss, f_scale, residual, fixed, starts, seed, solver, covariance, max_iterations, kernels, n_threads
        As in `fit`, with SciPy's meaning for defaults: least squares of linear residuals, and their classical
        covariance.

    Returns
    -------
    popt : numpy.ndarray
        (n_parameters,) estimates in the order of ``law.parameters``, the order of the formula.
    pcov : numpy.ndarray
        (n_parameters, n_parameters) covariance of the estimates. Rows of fixed parameters are 0. Rows of parameters
        without a variance are infinite, and a warning says why.

    Raises
    ------
    LawError
        The law or an option cannot mean anything.
    DataError
        An array has the wrong shape, or holds a NaN.
    FitError
        The fit did not end in a minimum. It is a ``RuntimeError``, as SciPy's: two arrays have no room for a status.

    Notes
    -----
    When to use: to put a law where ``scipy.optimize.curve_fit`` is called. `fit` gives the same numbers with their
    warnings, intervals, a bootstrap, clusters and priors, and takes tables. Where SciPy starts from ones, this starts
    from many places. A law's own bounds hold, such as those of positive parameters; SciPy's pair replaces them all.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> x = np.array([1e7, 3e7, 1e8, 3e8, 1e9, 3e9])
    >>> y = 1.7 + 400.0 * x**-0.34 + np.array([1, -2, 1, 0, 1, -1]) * 1e-4
    >>> popt, pcov = lf.curve_fit("power_floor", x, y)
    >>> lf.laws.power_floor.parameters, bool(abs(popt[2] - 0.34) < 0.001)
    (('E', 'A', 'alpha'), True)
    >>> popt, pcov = lf.curve_fit("E + A*N**-alpha", {"N": x}, y, bounds=(0, np.inf))
    >>> np.sqrt(np.diag(pcov)).shape
    (3,)
    """
    bound = _bound_law(law, xdata, variables)
    y = _rows_of(ydata)
    table: dict[str, ArrayLike] = dict(zip(bound.variables or (), _points(bound, xdata, y.size), strict=True))
    response = "ydata"
    while response in bound.names:
        response += "_"
    if absolute_sigma and (loss, covariance) != ("squared", "classical"):
        raise LawError('absolute_sigma=True needs loss="squared" and covariance="classical": it is their formula')
    if p0 is not None and starts is not None:
        raise LawError("starts: p0 is the start; give one of the two")
    found = fit(
        bound, {**table, response: y}, response=response, sigma=_noise(sigma, y.size), bounds=_ranges(bound, bounds),
        fixed=fixed, starts=starts if p0 is None else _start(bound, p0), loss=loss, f_scale=f_scale, residual=residual,
        seed=seed, solver=solver, covariance=covariance, max_iterations=max_iterations, kernels=kernels,
        n_threads=n_threads,
    )  # fmt: skip
    if not found.success and found.status != OPEN:
        raise FitError(f"the fit ended with the status {found.status!r}: {found.message}")
    pcov, reason = _covariance(found, absolute_sigma)
    if reason is not None:
        warnings.warn(f"curve_fit: {reason}", stacklevel=2)
    return np.array(list(found.params.values())), pcov


def _bound_law(law: Law | str, xdata: object, variables: Sequence[str] | None) -> Law:
    """Law whose variables are known: its own, those of the call, or the names in ``xdata``."""
    given = as_law(CATALOGUE.get(law, law) if isinstance(law, str) else law)
    if given.variables is not None:
        if variables is not None and tuple(variables) != given.variables:
            raise LawError(f"variables: the law has its own, {', '.join(given.variables)}; leave the argument out")
        return given
    if variables is not None:
        return given.rewritten(given.text, variables)
    if isinstance(xdata, Mapping):
        return given.bind(xdata)
    raise LawError(
        f"variables: say which names of the law {given.text!r} the rows of xdata are, such as variables=['x'], or give "
        "xdata by name, {'x': values}"
    )


def _rows_of(ydata: ArrayLike) -> F64:
    y = _arrays.as_float64(ydata, "ydata")
    if y.ndim != 1:
        raise DataError(f"ydata: needs one number per row, got an array of shape {y.shape}")
    return y


def _points(law: Law, xdata: Mapping[str, ArrayLike] | ArrayLike, n_rows: int) -> list[F64]:
    """One array of ``n_rows`` values for each variable."""
    names = law.variables or ()
    if isinstance(xdata, Mapping):
        missing = [name for name in names if name not in xdata]
        if missing:
            raise DataError(f"xdata: no values of {', '.join(missing)}; the law needs {', '.join(names)}")
        found = [_arrays.as_float64(xdata[name], f"xdata: {name}") for name in names]
    else:
        array = _arrays.as_float64(xdata, "xdata")
        if array.ndim > 2 or (array.ndim == 2 and len(array) != len(names)) or (array.ndim == 1 and len(names) != 1):
            raise DataError(
                f"xdata: got an array of shape {array.shape}; the law needs {', '.join(names)}: one row for each"
            )
        found = list(np.atleast_2d(array))
    for name, values in zip(names, found, strict=True):
        if values.shape != (n_rows,):
            raise DataError(f"xdata: {name} has the shape {values.shape}, ydata has {n_rows} rows")
    return found


def _noise(sigma: ArrayLike | None, n_rows: int) -> F64 | None:
    if sigma is None:
        return None
    values = _arrays.as_float64(sigma, "sigma")
    if values.ndim == 2:
        raise DataError("sigma: correlated noise, as a matrix, is not for lawfit; whiten the rows, or give one per row")
    return np.full(n_rows, float(values)) if values.ndim == 0 else values


def _start(law: Law, p0: Mapping[str, float] | ArrayLike) -> dict[str, ArrayLike]:
    if isinstance(p0, Mapping):
        return dict(p0)
    return dict(zip(law.parameters, _per_parameter(law, p0, "p0"), strict=True))


def _ranges(law: Law, bounds: BoundsLike | None) -> Mapping[str, RangeLike] | None:
    """Bounds by name, from SciPy's pair as well."""
    if bounds is None or isinstance(bounds, Mapping):
        return bounds
    if not isinstance(bounds, Sequence) or len(bounds) != 2:
        raise LawError(f"bounds: give (lower, upper), or a mapping of such pairs by parameter, not {describe(bounds)}")
    lower, upper = (_per_parameter(law, side, "bounds") for side in bounds)
    return {name: (low, high) for name, low, high in zip(law.parameters, lower, upper, strict=True)}


def _per_parameter(law: Law, given: ArrayLike, argument: str) -> list[float]:
    """One number for each parameter; a single one serves all of them in bounds."""
    values = _arrays.as_float64(given, argument)
    if values.ndim == 0 and argument == "bounds":
        values = np.full(len(law.parameters), float(values))
    if values.shape != (len(law.parameters),):
        raise DataError(
            f"{argument}: got an array of shape {values.shape}; the law has {len(law.parameters)} parameters, "
            f"{', '.join(law.parameters)}"
        )
    return cast(list[float], values.tolist())


def _covariance(found: Fit, absolute_sigma: bool) -> tuple[F64, str | None]:
    """Covariance as SciPy writes it, and why a part of it is infinite."""
    names = found.law.parameters
    held = np.array([name in found.options.fixed for name in names])
    covariance = _inverse_information(found) if absolute_sigma else found.covariance.copy()
    unknown = ~np.isfinite(np.diagonal(covariance)) & ~held
    covariance[unknown, :] = covariance[:, unknown] = np.inf
    covariance[held, :] = covariance[:, held] = 0.0
    if not unknown.any():
        return covariance, None
    without = [name for name, lacks in zip(names, unknown, strict=True) if lacks]
    reasons = dict.fromkeys(found.stderr_reason.get(name, "the data do not determine it") for name in without)
    return covariance, f"no variance of {', '.join(without)}: {'; '.join(reasons)}"


def _inverse_information(found: Fit) -> F64:
    """Return (Jᵀ J)⁻¹ of residuals in units of their noise; NaN where it is not defined."""
    names = found.law.parameters
    covariance = np.full((len(names), len(names)), np.nan)
    tangent = tangent_of(found)
    if not found.unidentified and tangent.rank == len(tangent.moving):
        places, to_params = [names.index(name) for name in tangent.moving], tangent.to_params
        covariance[np.ix_(places, places)] = to_params @ to_params.T
    return covariance
