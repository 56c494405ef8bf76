"""The allocation that is best on average: brute force over the budget, bounds, several free variables, no optimum."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lawfit as lf
from lawfit import _engine

scipy_optimize: Any = importlib.import_module("scipy.optimize")
F64 = NDArray[np.float64]
# What is said of the method.
VARIABLES, MEAN = 1e-5, 1e-9
T2 = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28, "G": 2.0, "gamma": 0.3}
BUDGETS = {"6*N*D": 5.88e23, "2*N*k": 1.4e11}


@pytest.fixture(scope="module")
def draws() -> lf.Draws:
    """Of noisy runs, so that draws lie far from each other."""
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    grid = {"N": np.logspace(7, 9, 4), "D": np.logspace(9, 11, 4)}
    runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.03, seed=3)
    return lf.fit(lf.laws.chinchilla, runs, response="loss").bootstrap(400, seed=0, n_checked=0)


@pytest.fixture(scope="module")
def sampled() -> lf.Draws:
    """Of a law with three variables, spread by hand."""
    grid = {"N": [1e7, 1e8, 1e9], "D": [1e9, 1e10, 1e11], "k": [1.0, 10.0, 100.0]}
    runs = lf.synthetic.runs(lf.laws.t2_loss, T2, grid, noise=0.002, seed=0)
    found = lf.fit(lf.laws.t2_loss, runs, response="loss").bootstrap(200, seed=0, n_checked=0)
    estimate = np.array(list(found.fit.params.values()))
    return replace(found, params=estimate * np.exp(6.0 * (np.log(found.params) - np.log(estimate))))


def mean_of(draws: lf.Draws, *, N: float, D: float, k: float = 1.0) -> float:
    """The mean response at one point, by hand."""
    p = {name: draws[name][draws.ok] for name in draws.law.parameters}
    loss = p["E"] + p["A"] * N ** -p["alpha"] + p["B"] * D ** -p["beta"]
    return float(np.mean(loss + (p["G"] * k ** -p["gamma"] if "G" in p else 0.0)))


def test_the_mean_is_lowest_there_of_all_that_the_budget_buys(draws: lf.Draws) -> None:
    budgets = np.array([1e21, 1e24])
    front = draws.allocate({"6*N*D": budgets})
    found = front.best_on_average()
    np.testing.assert_allclose(found["6*N*D"], budgets, rtol=1e-9)
    for point, budget in enumerate(budgets.tolist()):
        sizes = np.logspace(np.log10(found["N"][point]) - 2, np.log10(found["N"][point]) + 2, 81)
        values = [mean_of(draws, N=size, D=budget / 6.0 / size) for size in sizes.tolist()]
        assert int(np.argmin(values)) == 40
        best = scipy_optimize.minimize_scalar(
            lambda u, budget=budget: mean_of(draws, N=float(np.exp(u)), D=float(budget / 6.0 * np.exp(-u))),
            bracket=(np.log(sizes[39]), np.log(sizes[40]), np.log(sizes[41])), tol=1e-9,
        )  # fmt: skip
        assert found["N"][point] == pytest.approx(np.exp(best.x), rel=VARIABLES)
        assert found["response"][point] == pytest.approx(best.fun, rel=MEAN)
        plan = {name: float(front.plan[name][point]) for name in ("N", "D")}
        assert found.mean_at_plan[point] == pytest.approx(mean_of(draws, **plan), rel=1e-12)
    assert np.all(found["response"] < found.mean_at_plan)
    np.testing.assert_array_equal(found.to_frame("pandas")["N"], found["N"])


def test_it_is_neither_the_plan_nor_the_mean_of_the_draws_optima(draws: lf.Draws) -> None:
    """The argmin of a mean is not the mean of argmins."""
    front = draws.allocate({"6*N*D": 1e25})
    found = front.best_on_average()
    usual = np.exp(np.nanmean(np.log(front["N"])))
    assert abs(np.log(found["N"] / usual)) > 100 * VARIABLES
    assert abs(np.log(found["N"] / front.plan["N"])) > 100 * VARIABLES


def test_of_equal_draws_it_is_the_plan(draws: lf.Draws) -> None:
    params = np.tile(np.array(list(draws.fit.params.values())), (len(draws), 1))
    front = replace(draws, params=params).allocate({"6*N*D": [1e20, 1e24]})
    found = front.best_on_average()
    np.testing.assert_allclose(found["N"], front.plan["N"], rtol=VARIABLES)
    np.testing.assert_allclose(found["response"], front.plan["response"], rtol=1e-12)


def test_two_budgets_over_three_variables_leave_one_direction(sampled: lf.Draws) -> None:
    front = sampled.allocate(BUDGETS)
    found = front.best_on_average()
    best = scipy_optimize.minimize_scalar(
        lambda u: mean_of(sampled, N=np.exp(u), D=5.88e23 / 6 / np.exp(u), k=1.4e11 / 2 / np.exp(u)),
        bracket=(np.log(found["N"]) - 1.0, np.log(found["N"]) + 1.0), tol=1e-9,
    )  # fmt: skip
    assert found["N"] == pytest.approx(np.exp(best.x), rel=VARIABLES)
    assert found["response"] == pytest.approx(best.fun, rel=MEAN)


def test_one_budget_over_three_variables_leaves_two_directions(sampled: lf.Draws) -> None:
    """Training and answers are paid from one purse."""
    found = sampled.allocate({"6*N*D + 2*N*k*1e12": 1e24}).best_on_average()

    def spent(u: F64) -> float:
        size, k = np.exp(u)
        left = 1e24 - 2 * size * k * 1e12
        return mean_of(sampled, N=size, D=left / 6 / size, k=k) if left > 0 else np.inf

    start = np.log([found["N"] * 1.3, found["k"] / 1.3])
    options = {"xatol": 1e-8, "fatol": 1e-13, "maxiter": 2000, "maxfev": 2000}
    best = scipy_optimize.minimize(spent, start, method="Nelder-Mead", options=options)
    assert found["N"] == pytest.approx(np.exp(best.x[0]), rel=VARIABLES)
    assert found["k"] == pytest.approx(np.exp(best.x[1]), rel=VARIABLES)
    assert found["response"] == pytest.approx(best.fun, rel=MEAN)


def test_bounds_hold_it_and_no_optimum_is_said(draws: lf.Draws) -> None:
    free = draws.allocate({"6*N*D": 1e24}).best_on_average()
    most = 0.5 * float(free["D"])
    held = draws.allocate({"6*N*D": 1e24}, bounds={"D": (None, most)}).best_on_average()
    assert held.status.item() == "at_bound"
    assert held["D"] == pytest.approx(most, rel=1e-9)
    assert held["response"] > free["response"]
    endless = draws.allocate({"N": 1e10}).best_on_average()
    assert endless.status.item() == "no_optimum"
    assert np.isnan(endless["D"])
    assert "no_optimum: the law improves on" in repr(endless)


def test_an_accuracy_is_made_large(sampled: lf.Draws) -> None:
    law = lf.Law(f"-({sampled.law.text})", variables=sampled.law.variables)
    order = [sampled.law.parameters.index(name) for name in law.parameters]
    fit = replace(
        sampled.fit, law=law, params=type(sampled.fit.params)({n: sampled.fit.params[n] for n in law.parameters})
    )
    other = replace(sampled, fit=fit, params=np.ascontiguousarray(sampled.params[:, order]))
    low, high = sampled.allocate(BUDGETS).best_on_average(), other.allocate(BUDGETS, maximize=True).best_on_average()
    assert high["N"] == pytest.approx(low["N"], rel=VARIABLES)
    assert high["response"] == pytest.approx(-low["response"], rel=1e-12)
    assert "largest mean" in repr(high)


def test_draws_without_a_minimum_are_left_out(draws: lf.Draws) -> None:
    failed = next(i for i, status in enumerate(_engine.registries().statuses) if not status.success)
    codes = draws.status_codes.copy()
    codes[::2] = failed
    found = replace(draws, status_codes=codes).allocate({"6*N*D": 1e24}).best_on_average()
    half = replace(draws, params=draws.params[1::2], status_codes=draws.status_codes[1::2])
    assert found.n_draws == int(half.ok.sum())
    assert found["N"] == pytest.approx(half.allocate({"6*N*D": 1e24}).best_on_average()["N"], rel=VARIABLES)


def test_on_the_chinchilla_points_it_is_best_of_all_sizes(real_data: Callable[[str], Path]) -> None:
    runs = lf.read_table(real_data("chinchilla_epoch.csv"))
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss", where="epoch_used")
    draws = fit.bootstrap(300, seed=0, n_checked=0)
    found = draws.allocate({"6*N*D": 5.88e23}).best_on_average()
    sizes = float(found["N"]) * np.exp(np.linspace(-1.0, 1.0, 201))
    values = [mean_of(draws, N=size, D=5.88e23 / 6 / size) for size in sizes.tolist()]
    assert int(np.argmin(values)) == 100
    # Draws of 240 runs are near each other: to decide by the fit costs next to nothing.
    assert 0.0 <= found.mean_at_plan[0] - found["response"] < 1e-5


def test_what_cannot_be_divided_is_gone_through(sampled: lf.Draws) -> None:
    """Sizes of a menu and whole numbers of samples, by brute force."""
    menu = [1e8, 3e8, 4e8, 6e8, 2e9]
    found = sampled.allocate(BUDGETS, menus={"N": menu}, integer=["k"]).best_on_average()
    tried = {
        (size, k): mean_of(sampled, N=size, D=5.88e23 / 6 / size, k=k)
        for size in menu
        for k in range(1, int(1.4e11 / 2 / size) + 1)
    }
    best = min(tried, key=lambda pair: tried[pair])
    assert (found["N"].item(), found["k"].item()) == best
    assert found["response"] == pytest.approx(tried[best], rel=1e-12)
    assert found.status.item() == "inside"
    few = sampled.allocate({"6*N*D": 1e20}, at={"N": 1e8}, bounds={"k": (None, 9.5)}, integer=["k"])
    assert few.best_on_average()["k"] == few.plan["k"] == 9.0


def test_a_target_has_no_mean(draws: lf.Draws) -> None:
    with pytest.raises(lf.DataError, match="without target="):
        draws.allocate({"6*N*D": None}, target=2.5).best_on_average()


def with_law(draws: lf.Draws, law: lf.Law, params: F64) -> lf.Draws:
    """Draws of another law with the same variables, its first draw standing for the fit."""
    named = type(draws.fit.params)(zip(law.parameters, params[0].tolist(), strict=True))
    codes = np.full(len(params), draws.status_codes[draws.ok][0])
    return replace(draws, fit=replace(draws.fit, law=law, params=named), params=params, status_codes=codes)


@pytest.mark.parametrize("n_first", [25, 35])
def test_of_two_valleys_the_deeper_one_is_found(draws: lf.Draws, n_first: int) -> None:
    """Draws that want one of two sizes, and whose loss rises no further beyond: the mean has a minimum at each."""
    law = lf.Law("E + log(N/c)**2/(1 + log(N/c)**2) + B*D**-beta", variables=["N", "D"])
    wanted = np.where(np.arange(60) < n_first, 1e8, 1e11) * np.exp(np.random.default_rng(0).normal(0.0, 0.1, 60))
    values = {"E": np.ones(60), "c": wanted, "B": np.ones(60), "beta": np.full(60, 0.3)}
    params = np.column_stack([values[name] for name in law.parameters])
    found = with_law(draws, law, params).allocate({"6*N*D": 1e24}).best_on_average()
    sizes = np.logspace(6, 13, 70001)
    away = np.log(sizes[:, np.newaxis] / wanted) ** 2
    means = np.mean(away / (1.0 + away), axis=1) + 1.0 + (1e24 / 6 / sizes) ** -0.3
    best = int(np.argmin(means))
    assert abs(np.log(sizes[best] / (1e8 if n_first > 30 else 1e11))) < 1.0
    assert found["N"] == pytest.approx(sizes[best], rel=2e-4)
    assert found["response"] == pytest.approx(means[best], abs=1e-7)
    assert found["response"] <= means[best]


def test_corners_of_the_draws_do_not_hold_it_up(draws: lf.Draws) -> None:
    """The mean of laws with a corner each has many."""
    law = lf.Law("E + max(A*N**-alpha, B*D**-beta)", variables=["N", "D"])
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    rng = np.random.default_rng(1)
    params = np.array([truth[name] for name in law.parameters]) * np.exp(0.1 * rng.normal(size=(40, 5)))
    found = with_law(draws, law, params).allocate({"6*N*D": 1e23}).best_on_average()
    p = dict(zip(law.parameters, params.T, strict=True))
    sizes = float(found["N"]) * np.exp(np.linspace(-2.0, 2.0, 40001))[:, np.newaxis]
    values = p["E"] + np.maximum(p["A"] * sizes ** -p["alpha"], p["B"] * (1e23 / 6 / sizes) ** -p["beta"])
    assert found["response"] <= values.mean(axis=1).min() + 1e-9
