"""Runs, and sampled answers, drawn from a known law: for the demonstration, the documentation, tests, power studies."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from lawfit import _arrays, _engine
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
    if not isinstance(response, str):
        raise DataError(f"response: give the name of a column, not {describe(response)}")
    if not isinstance(noise, float | int) or not 0.0 <= noise < math.inf:
        raise DataError(f"noise={noise!r}: give a standard deviation of at least 0")
    columns = _combinations(law, grid, seed)
    if response in columns:
        raise DataError(f"response={response!r} is also a variable of the grid")
    values = law.evaluate(columns, params=params)
    if noise > 0.0:
        values = values * np.exp(noise * np.random.default_rng(seed).standard_normal(values.size))
    return columns | {response: values}


def counts(
    law: Law,
    params: Mapping[str, float],
    grid: Mapping[str, ArrayLike],
    *,
    n_problems: int = 128,
    n_samples: int = 1000,
    size: float = 2.0,
    seed: int = 0,
) -> dict[str, F64]:
    """Synthetic answers: how many of each problem's samples were right, at every combination of the grid's values.

    Parameters
    ----------
    law : Law
        The law of -log of the mean probability that one answer is right, over the population of problems.
    params : mapping of str to float
        Its true parameters.
    grid : mapping of str to (n_values,) array
        Values of each variable; the checkpoints are all combinations.
    n_problems : int
        Problems, the same at each checkpoint.
    n_samples : int
        Answers to each of them.
    size : float
        Size a + b of the Beta distribution of probabilities over problems; the smaller, the more they differ.
    seed : int
        Seed of the problems and of the answers.

    Returns
    -------
    dict of str to numpy.ndarray
        One column for each variable, and ``problem`` (numbers from 0), ``n_samples`` and ``n_correct``, for
        `lawfit.pass_at_k`; (n_checkpoints * n_problems,) each.

    Raises
    ------
    LawError
        A parameter or variable is missing or unknown.
    DataError
        The grid or a count cannot be used, or the law is not positive on the grid, where no probability is its mean.

    Notes
    -----
    When to use: to see what sampled answers tell of a law before paying for them. Each problem has a rank, drawn once,
    and its probability at a checkpoint is the quantile of that rank in a Beta distribution with mean exp(-law): a
    problem that is hard at one checkpoint is hard at all, as effects of problems are common in real tables. Over the
    population pass@k is 1 - B(a, b + k) / B(a, b); a table of few problems is off it in all cells alike.

    References
    ----------
    Kazdan et al. 2025, arXiv:2510.05197. Roberts et al. 2026, arXiv:2604.01411.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 0.5, "A": 400.0, "alpha": 0.3}
    >>> counts = lf.synthetic.counts(lf.laws.power_floor, truth, {"x": [1e8, 1e9]}, n_problems=3, n_samples=50)
    >>> counts["problem"].tolist()
    [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]
    """
    columns = _combinations(law, grid, seed)
    for argument, given in (("n_problems", n_problems), ("n_samples", n_samples)):
        if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1:
            raise DataError(f"{argument}={given!r}: give a whole number of at least 1")
    if not isinstance(size, float | int) or not 0.0 < size < math.inf:
        raise DataError(f"size={size!r}: give a positive number")
    taken = [name for name in columns if name in ("problem", "n_samples", "n_correct")]
    if taken:
        raise DataError(f"grid: {taken[0]!r} is called like a column that is made")
    values = law.evaluate(columns, params=params)
    if not (values > 0.0).all():
        raise DataError(f"the law is {values.min():g} on the grid: as -log of a probability it must be positive")
    random = np.random.default_rng(seed)
    ranks = random.random(n_problems)
    probability = _beta_quantile(ranks, np.exp(-values)[:, None], size)
    return {name: np.repeat(column, n_problems) for name, column in columns.items()} | {
        "problem": np.tile(np.arange(n_problems, dtype=np.float64), values.size),
        "n_samples": np.full(probability.size, float(n_samples)),
        "n_correct": random.binomial(n_samples, probability).ravel().astype(np.float64),
    }


def _beta_quantile(rank: F64, mean: F64, size: float) -> F64:
    """Quantiles of Beta distributions by those of F."""
    a, b = mean * size, (1.0 - mean) * size
    f = _engine.f_quantile(rank, 2.0 * a, 2.0 * b)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return np.asarray(np.where(f > 1.0, 1.0 / (1.0 + b / (a * f)), a * f / (a * f + b)))


def _combinations(law: object, grid: object, seed: object) -> dict[str, F64]:
    """Columns of all combinations of a grid's values, and the checks of what every table here is made of."""
    if not isinstance(law, Law):
        raise LawError(f"law: give a Law or one of lawfit.laws, not {describe(law)}")
    if not isinstance(grid, Mapping) or not grid:
        raise DataError(f"grid: give a mapping from variables to their values, not {describe(grid)}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise DataError(f"seed={seed!r}: give a whole number of at least 0")
    axes = [np.atleast_1d(_arrays.as_float64(values, f"grid: {name}")) for name, values in grid.items()]
    return {
        name: np.ascontiguousarray(axis.ravel())
        for name, axis in zip(grid, np.meshgrid(*axes, indexing="ij"), strict=True)
    }
