"""Runs drawn from a law with known parameters: for the demonstration, the documentation, tests and power studies."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays
from lawfit._engine import F64
from lawfit._law import Law
from lawfit._wording import describe
from lawfit.errors import DataError, LawError


def runs(
    law: Law,
    params: Mapping[str, float],
    grid: Mapping[str, ArrayLike],
    *,
    response: str = "loss",
    noise: float = 0.0,
    seed: int = 0,
) -> dict[str, F64]:
    """Synthetic runs: every combination of the grid's values, with log-normal noise on the response.

    Parameters
    ----------
    law : Law
        The law that the runs follow.
    params : mapping of str to float
        Its true parameters.
    grid : mapping of str to (n_values,) array
        Values of each variable; the runs are all combinations.
    response : str
        Name of the column for the response.
    noise : float
        Standard deviation of the logarithm of the response.
    seed : int
        Seed of the noise.

    Returns
    -------
    dict of str to numpy.ndarray
        One column for each variable and one for the response, (n_runs,) each.

    Raises
    ------
    LawError
        A parameter or variable is missing or unknown.
    DataError
        The grid or the noise cannot be used.

    Notes
    -----
    When to use: to see what a design can identify before paying for it, and wherever an example needs data.

    Examples
    --------
    >>> import lawfit as lf
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, {"E": 2.0, "A": 10.0, "alpha": 0.5}, {"x": [100.0, 10000.0]})
    >>> runs["loss"].tolist()
    [3.0, 2.1]
    """
    if not isinstance(law, Law):
        raise LawError(f"law: give a Law or one of lawfit.laws, not {describe(law)}")
    if not isinstance(response, str):
        raise DataError(f"response: give the name of a column, not {describe(response)}")
    if not isinstance(grid, Mapping) or not grid:
        raise DataError(f"grid: give a mapping from variables to their values, not {describe(grid)}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise DataError(f"seed={seed!r}: give a whole number of at least 0")
    if not isinstance(noise, float | int) or not 0.0 <= noise < math.inf:
        raise DataError(f"noise={noise!r}: give a standard deviation of at least 0")
    axes = [np.atleast_1d(_arrays.as_float64(values, f"grid: {name}")) for name, values in grid.items()]
    columns = {
        name: np.ascontiguousarray(axis.ravel())
        for name, axis in zip(grid, np.meshgrid(*axes, indexing="ij"), strict=True)
    }
    if response in columns:
        raise DataError(f"response={response!r} is also a variable of the grid")
    values = law.evaluate(columns, params=params)
    if noise > 0.0:
        values = values * np.exp(noise * np.random.default_rng(seed).standard_normal(values.size))
    return columns | {response: values}
