"""SciPy's least_squares finds the same optimum, with the same meaning of loss and f_scale."""

from __future__ import annotations

import importlib
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
