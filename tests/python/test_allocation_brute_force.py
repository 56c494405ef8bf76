"""Allocations against grids that are written in NumPy: no point that a budget can buy is better."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from allocation_problems import F64, FAMILIES, Problem
from numpy.random import Generator

import lawfit as lf

N_EACH = 56  # times 18 families: 1,008 laws with budgets
# Points along each free variable: of the first grid, and of those around its best point, each of which is smaller.
COARSE = {1: 4001, 2: 161}
FINE, SHRINK, N_ZOOMS = 41, 0.3, 24
# Of a value; and a few units of the last digit of 1, since -log pass@k is the logarithm of a number near 1.
ROUNDING, LAST_DIGIT = 1e-12, 1e-15
# First-order conditions of the answer, as a part of the largest slope.
RESIDUAL = 1e-10


def brute_force(problem: Problem) -> float:
    """Return the best value of a grid that is refined about its best point."""
    sign = -1.0 if problem.maximize else 1.0
    centre, reach, n = np.full(problem.n_free, 0.5), 0.5, COARSE[problem.n_free]
    best = np.inf
    for zoom in range(N_ZOOMS):
        axes = [np.clip(np.linspace(middle - reach, middle + reach, n), 0.0, 1.0) for middle in centre]
        places: F64 = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])
        values = sign * problem.value(problem.spend(places))
        lowest = int(np.argmin(values))
        if values[lowest] < best:
            best, centre = float(values[lowest]), places[:, lowest]
        # Narrow valleys run askew: the next grid reaches some spacings to each side, and moves with its best point.
        reach, n = (8.0 * reach / n, FINE) if zoom == 0 else (SHRINK * reach, FINE)
    return sign * best


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_no_point_of_a_refined_grid_is_better(family: Callable[[Generator], Problem]) -> None:
    lost, endings = [], []
    for seed in range(N_EACH):
        problem = family(np.random.default_rng([FAMILIES.index(family), seed]))
        plan = lf.allocate(
            lf.Law(problem.law, problem.variables), problem.budgets, params=problem.params, bounds=problem.bounds,
            at=problem.at, maximize=problem.maximize, n_threads=1,
        )  # fmt: skip
        found, status = float(plan.raw.value[0, 0]), str(plan.status)
        best = brute_force(problem)
        rounding = ROUNDING * abs(best) + LAST_DIGIT
        there = problem.value({name: plan.raw.x[0, :, j] for j, name in enumerate(problem.variables)})[0]
        spent = [float(plan[text]) / amount for text, amount in problem.budgets.items()] if plan.success else []
        is_best = max(abs(found - best), abs(there - found)) <= rounding and max(spent, default=0.0) <= 1.0 + 1e-12
        residual = float(plan.raw.residual[0, 0])
        if not is_best or (status == "inside" and residual > RESIDUAL):
            lost.append(f"{status}: {found!r}, grid {best!r}, residual {residual:.1e}, spent {spent}\n{problem}")
        endings.append(status)
    assert not lost, f"{len(lost)} of {N_EACH}\n" + "\n".join(lost[:5])
    # A family whose optima all lie at ends would show nothing.
    assert endings.count("inside") >= N_EACH // 3
