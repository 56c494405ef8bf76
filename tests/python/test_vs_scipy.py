"""SciPy's least_squares finds the same optimum, with the same meaning of loss and f_scale."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH

import lawfit as lf
from lawfit._engine import registries

scipy_optimize: Any = importlib.import_module("scipy.optimize")
# SciPy's loss "linear" is least squares; the other names agree.
SCIPY_LOSS = {"squared": "linear", "huber": "huber", "soft_l1": "soft_l1", "cauchy": "cauchy"}
# SciPy stops by tolerances of 1e-15 on an objective that is flat to second order.
OBJECTIVE = 1e-9
PARAMETERS = 1e-5
F_SCALE = 2e-3


@pytest.mark.parametrize("loss", registries().losses)
@pytest.mark.parametrize("residual", registries().residuals)
def test_scipy_finds_the_same_optimum(loss: str, residual: str) -> None:
    runs = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": np.logspace(6.5, 10, 40)}, noise=0.004, seed=5)
    runs["loss"][7] *= 1.05
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss=loss, f_scale=F_SCALE, residual=residual)

    def residuals(theta: Any) -> Any:
        predicted = theta[0] + np.exp(theta[1]) * runs["x"] ** -theta[2]
        return predicted - runs["loss"] if residual == "linear" else np.log(predicted) - np.log(runs["loss"])

    start = [fit.params["E"] * 1.01, np.log(fit.params["A"]) + 0.02, fit.params["alpha"] * 0.99]
    found = scipy_optimize.least_squares(
        residuals, start, loss=SCIPY_LOSS[loss], f_scale=F_SCALE, x_scale=[1, 20, 1], xtol=1e-15, ftol=1e-15,
        gtol=1e-15, method="trf", max_nfev=5000,
    )  # fmt: skip
    # lawfit's optimum is no worse, and SciPy, which starts beside it, agrees with it.
    assert fit.objective <= found.cost * (1 + OBJECTIVE)
    assert fit.objective == pytest.approx(found.cost, rel=1e-6)
    np.testing.assert_allclose([fit.params["E"], np.log(fit.params["A"]), fit.params["alpha"]], found.x, rtol=1e-3)


def test_classical_standard_errors_are_those_of_curve_fit() -> None:
    runs = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": np.logspace(6.5, 10, 40)}, noise=0.004, seed=6)
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared", residual="linear", covariance="classical")

    def curve(x: Any, floor: float, amplitude: float, exponent: float) -> Any:
        return floor + amplitude * x**-exponent

    best, covariance = scipy_optimize.curve_fit(
        curve,
        runs["x"],
        runs["loss"],
        p0=list(fit.params.values()),
        x_scale=[1, 400, 0.3],
        method="trf",
        xtol=1e-14,
        ftol=1e-14,
    )
    np.testing.assert_allclose(list(fit.params.values()), best, rtol=PARAMETERS)
    np.testing.assert_allclose(list(fit.stderr.values()), np.sqrt(np.diagonal(covariance)), rtol=1e-4)


@pytest.mark.parametrize("loss", registries().losses)
@pytest.mark.parametrize("residual", registries().residuals)
def test_scipys_cost_of_the_chinchilla_points_is_the_objective(
    loss: str, residual: str, real_data: Callable[[str], Path]
) -> None:
    with real_data("chinchilla_epoch.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["epoch_used"].lower() in {"1", "true"}]
    runs = {name: np.array([float(row[name]) for row in rows]) for name in ("N", "D", "loss")}
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss", loss=loss, f_scale=F_SCALE, residual=residual)
    assert fit.success
    assert fit.n_rows == 240

    def residuals(theta: Any) -> Any:
        floor, a, alpha, b, beta = theta
        predicted = floor + np.exp(a) * runs["N"] ** -alpha + np.exp(b) * runs["D"] ** -beta
        return predicted - runs["loss"] if residual == "linear" else np.log(predicted) - np.log(runs["loss"])

    best = [np.log(fit.params[name]) if name in "AB" else fit.params[name] for name in ("E", "A", "alpha", "B", "beta")]

    def least(start: Any) -> Any:
        return scipy_optimize.least_squares(
            residuals, start, loss=SCIPY_LOSS[loss], f_scale=F_SCALE, x_scale=[1, 10, 1, 10, 1], jac="3-point",
            xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=5000,
        )  # fmt: skip

    # The sum of 240 terms, in another order, with another logarithm.
    at_best = scipy_optimize.least_squares(residuals, best, loss=SCIPY_LOSS[loss], f_scale=F_SCALE, max_nfev=1).cost
    assert fit.objective == pytest.approx(at_best, rel=1e-11)
    # Minima of Cauchy's loss lie a scale of the residuals apart: SciPy has to start nearer than that.
    aside = 1e-4 if loss == "cauchy" else 1e-2
    found = least(np.array(best) * (1 + aside * np.array([1.0, 0.5, -1.0, 0.5, -1.0])))
    assert fit.objective <= found.cost * (1 + OBJECTIVE)
    assert found.cost == pytest.approx(fit.objective, rel=1e-6)
    np.testing.assert_allclose(best, found.x, rtol=1e-3)


def test_every_end_of_a_redescending_loss_that_is_called_a_minimum_is_one() -> None:
    # Two curves in one table and a scale far below the distance of the two: the objective has many minima and saddles.
    x = np.logspace(6.5, 10, 30)
    runs = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": x}, noise=0.01, seed=5)
    runs["loss"][::3] *= 1.15
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss="cauchy", f_scale=2e-3, starts=300)
    assert fit.starts is not None
    success = np.array([status.success for status in registries().statuses])[fit.starts.status_codes]
    assert len(fit.optima) > 3

    def objective(theta: Any) -> float:
        r = np.log(theta[0] + np.exp(theta[1]) * x ** -theta[2]) - np.log(runs["loss"])
        return float(np.sum(np.log1p((r / F_SCALE) ** 2)))

    n_checked = 0
    for end in fit.starts.ends[success]:
        if end[0] == 0.0 or end[1] == 0.0:
            continue  # at a bound, where a gradient may point outwards
        best = np.array([end[0], np.log(end[1]), end[2]])
        value, steps = objective(best), 1e-6 * np.array([1.0, 1.0, 0.1])
        random = np.random.default_rng(n_checked)
        for direction in random.standard_normal((40, 3)):
            # A step that gains less than rounding of the sum is none.
            assert objective(best + steps * direction) >= value - 1e-9
            assert objective(best + 100 * steps * direction) >= value - 1e-9
        n_checked += 1
    assert n_checked > 20
