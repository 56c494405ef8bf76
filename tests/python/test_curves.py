"""`curve_fit` gives what `scipy.optimize.curve_fit` gives, and says what two arrays cannot."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH

import lawfit as lf

scipy_optimize: Any = importlib.import_module("scipy.optimize")
# SciPy works with tolerances of 1e-15 and exact derivatives; both stop at a gradient of rounding size.
POPT = 1e-8
PCOV = 1e-6

X = np.linspace(0.5, 6.0, 40)
NOISE = 0.02 + 0.005 * X


def decay(x: Any, a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * x) + c


def decay_slopes(x: Any, a: Any, b: Any, c: Any) -> Any:
    return np.stack([np.exp(-b * x), -a * x * np.exp(-b * x), np.ones_like(x)], axis=1)


def plane(x: Any, a: Any, p: Any, b: Any, q: Any) -> Any:
    return a * x[0] ** p + b * x[1] ** q


def plane_slopes(x: Any, a: Any, p: Any, b: Any, q: Any) -> Any:
    u, v = x[0] ** p, x[1] ** q
    return np.stack([u, a * u * np.log(x[0]), v, b * v * np.log(x[1])], axis=1)


def logistic(x: Any, top: Any, rate: Any, middle: Any) -> Any:
    return top / (1.0 + np.exp(-rate * (x - middle)))


def logistic_slopes(x: Any, top: Any, rate: Any, middle: Any) -> Any:
    g = 1.0 / (1.0 + np.exp(-rate * (x - middle)))
    return np.stack([g, top * g * (1 - g) * (x - middle), -top * g * (1 - g) * rate], axis=1)


PLANE_X = np.array(np.meshgrid(np.linspace(1.0, 9.0, 8), np.linspace(2.0, 7.0, 6))).reshape(2, -1)
# The parameters in the order of the formula, which is that of the functions.
PROBLEMS: dict[str, tuple[str, list[str], Any, Any, Any, list[float]]] = {
    "decay": ("a*exp(-b*x) + c", ["x"], decay, decay_slopes, X, [2.5, 1.3, 0.5]),
    "plane": ("a*u**p + b*v**q", ["u", "v"], plane, plane_slopes, PLANE_X, [2.0, 0.7, 1.5, -0.4]),
    "logistic": ("top/(1 + exp(-rate*(x - middle)))", ["x"], logistic, logistic_slopes, X, [3.0, 1.4, 2.5]),
}


@pytest.mark.parametrize("noise", [None, "same", "by row"])
@pytest.mark.parametrize("absolute_sigma", [False, True])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_estimates_and_covariance_are_those_of_scipy(problem: str, absolute_sigma: bool, noise: str | None) -> None:
    text, variables, function, slopes, x, truth = PROBLEMS[problem]
    n = x.shape[-1]
    spread = np.linspace(0.02, 0.05, n)
    y = function(x, *truth) + spread * np.random.default_rng(3).standard_normal(n)
    sigma: Any = {None: None, "same": 0.03, "by row": spread}[noise]
    popt, pcov = lf.curve_fit(text, x, y, truth, sigma, absolute_sigma, variables=variables)
    expected, covariance = scipy_optimize.curve_fit(
        function, x, y, p0=truth, sigma=None if sigma is None else np.broadcast_to(sigma, n),
        absolute_sigma=absolute_sigma, jac=slopes, method="trf", xtol=1e-15, ftol=1e-15, gtol=1e-15,
    )  # fmt: skip
    np.testing.assert_allclose(popt, expected, rtol=POPT)
    np.testing.assert_allclose(pcov, covariance, rtol=PCOV)


def test_bounds_in_scipys_form_are_scipys_bounds() -> None:
    y = decay(X, 2.5, 1.3, 0.5) + 0.02 * np.random.default_rng(4).standard_normal(X.size)
    law = lf.Law("a*exp(-b*x) + c", variables=["x"])
    # The bound is off the optimum, so that it holds b.
    with pytest.warns(UserWarning, match="no variance of b: at its bound 1"):
        popt, pcov = lf.curve_fit(law, X, y, bounds=([0.0, 0.0, -1.0], [9.0, 1.0, 1.0]))
    expected, _ = scipy_optimize.curve_fit(
        decay, X, y, p0=[2.0, 0.8, 0.4], bounds=([0.0, 0.0, -1.0], [9.0, 1.0, 1.0]), xtol=1e-15, ftol=1e-15, gtol=1e-15
    )
    # SciPy's interior method stops short of the bound.
    np.testing.assert_allclose(popt, expected, rtol=1e-6)
    assert popt[1] == 1.0
    # What moves has the covariance of the fit that holds b at its bound.
    _, held = lf.curve_fit(law, X, y, fixed={"b": 1.0})
    np.testing.assert_allclose(pcov[np.ix_([0, 2], [0, 2])], held[np.ix_([0, 2], [0, 2])], rtol=PCOV)
    assert np.isinf(pcov[1]).all()
    with pytest.warns(UserWarning, match="no variance of b"):
        by_name, _ = lf.curve_fit(law, X, y, bounds={"b": (0, 1)})
    np.testing.assert_allclose(by_name, popt, rtol=POPT)
    anywhere, _ = lf.curve_fit(law, X, y, bounds=(-np.inf, np.inf))
    np.testing.assert_array_equal(anywhere, lf.curve_fit(law, X, y)[0])


def test_a_pair_of_bounds_replaces_those_of_the_law() -> None:
    x = np.geomspace(1e7, 1e10, 12)
    y = -0.1 + 400.0 * x**-0.34
    with pytest.warns(UserWarning, match="no variance of E: at its bound 0"):
        assert lf.curve_fit("power_floor", x, y)[0][0] == 0.0
    np.testing.assert_allclose(
        lf.curve_fit("power_floor", x, y, bounds=(-np.inf, np.inf))[0], [-0.1, 400.0, 0.34], rtol=1e-6
    )


def test_every_way_to_say_the_same_gives_the_same() -> None:
    x = np.logspace(6.5, 10, 20)
    y = np.asarray(lf.laws.power_floor.evaluate(x=x, params=POWER_TRUTH)) * (1 + 0.001 * np.cos(np.arange(20)))
    law = lf.laws.power_floor
    expected, covariance = lf.curve_fit(law, x, y)
    ways: list[tuple[Any, Any]] = [("power_floor", x), (law, {"x": x}), (law, [x]), (law, {"x": list(x), "other": [1]})]
    for way, xdata in ways:
        popt, pcov = lf.curve_fit(way, xdata, y)
        np.testing.assert_array_equal(popt, expected)
        np.testing.assert_array_equal(pcov, covariance)
    fit = lf.fit(law, {"x": x, "y": y}, response="y", loss="squared", residual="linear", covariance="classical")
    np.testing.assert_array_equal(expected, list(fit.params.values()))
    np.testing.assert_array_equal(covariance, fit.covariance)
    sandwich = lf.curve_fit(law, x, y, loss="huber", f_scale=0.01, residual="log", covariance="HC3")
    robust = lf.fit(law, {"x": x, "y": y}, response="y", f_scale=0.01)
    np.testing.assert_array_equal(sandwich[1], robust.covariance)


def test_a_start_by_name_or_in_order_is_the_only_start() -> None:
    x = np.linspace(0.0, 6.0, 60)
    y = np.sin(2.0 * x)
    law = lf.Law("sin(w*x)", variables=["x"])
    # From 3.6 the way down leads into another minimum, as SciPy's does.
    near = scipy_optimize.curve_fit(lambda x, w: np.sin(w * x), x, y, p0=[3.6], xtol=1e-15, ftol=1e-15, gtol=1e-15)[0]
    assert abs(near[0] - 2.0) > 0.5
    for p0 in ([3.6], {"w": 3.6}):
        assert lf.curve_fit(law, x, y, p0)[0] == pytest.approx(near, rel=1e-7)
    assert lf.curve_fit(law, x, y, starts={"w": [3.6, 2.1]})[0] == pytest.approx([2.0], rel=1e-9)


def test_the_order_is_that_of_the_parameters_and_a_response_may_have_any_name() -> None:
    law = lf.Law("ydata + ydata_*x", variables=["x"])
    popt, _ = lf.curve_fit(law, [1.0, 2.0, 3.0, 4.0], [3.0, 5.1, 6.9, 9.0])
    assert law.parameters == ("ydata", "ydata_")
    np.testing.assert_allclose(popt, np.polyfit([1, 2, 3, 4], [3, 5.1, 6.9, 9], 1)[::-1], rtol=1e-9)


def test_fixed_parameters_have_no_variance_and_hold() -> None:
    y = decay(X, 2.5, 1.3, 0.5) + 0.01 * np.cos(7 * X)
    popt, pcov = lf.curve_fit("a*exp(-b*x) + c", {"x": X}, y, fixed={"c": 0.5})
    shorter, covariance = scipy_optimize.curve_fit(
        lambda x, a, b: decay(x, a, b, 0.5), X, y, p0=[2.0, 1.0], xtol=1e-15, ftol=1e-15, gtol=1e-15, method="trf",
        jac=lambda x, a, b: decay_slopes(x, a, b, 0.5)[:, :2],
    )  # fmt: skip
    np.testing.assert_allclose(popt, [*shorter, 0.5], rtol=POPT)
    np.testing.assert_allclose(pcov[:2, :2], covariance, rtol=PCOV)
    assert not pcov[2].any()
    assert not pcov[:, 2].any()


def test_without_rows_to_spare_the_covariance_is_infinite_as_scipys_unless_the_noise_is_known() -> None:
    x, y = X[[0, 9, 20]], decay(X[[0, 9, 20]], 2.5, 1.3, 0.5)
    with pytest.warns(UserWarning, match="no more rows than parameters"):
        _, pcov = lf.curve_fit("a*exp(-b*x) + c", {"x": x}, y)
    assert np.isinf(pcov).all()
    _, pcov = lf.curve_fit("a*exp(-b*x) + c", {"x": x}, y, sigma=0.1, absolute_sigma=True)
    slopes = decay_slopes(x, 2.5, 1.3, 0.5) / 0.1
    np.testing.assert_allclose(pcov, np.linalg.inv(slopes.T @ slopes), rtol=PCOV)


@pytest.mark.parametrize("absolute_sigma", [False, True])
def test_an_open_direction_is_infinite_as_scipys_and_says_which(absolute_sigma: bool) -> None:
    y = 2.0 * X + 0.01 * np.cos(5 * X)
    with pytest.warns(UserWarning, match=r"no variance of a, b.*can move together"):
        popt, pcov = lf.curve_fit("a*b*x", {"x": X}, y, absolute_sigma=absolute_sigma)
    assert popt[0] * popt[1] == pytest.approx(X @ y / (X @ X), rel=1e-9)
    assert np.isinf(pcov).all()


def test_a_fit_that_fails_raises_what_scipy_raises() -> None:
    with pytest.raises(lf.FitError, match="too_few_rows"):
        lf.curve_fit("a*exp(-b*x) + c", {"x": [1.0, 2.0]}, [1.0, 2.0])
    with pytest.raises(RuntimeError, match="max_iterations"):
        lf.curve_fit(
            "a*exp(-b*x) + c", {"x": X}, decay(X, 2.5, 1.3, 0.5), [0.1, 5.0, 9.0], max_iterations=1, solver="generic"
        )


LAW = lf.Law("a + b*u + c*v", variables=["u", "v"])
TWO = np.arange(12.0).reshape(2, 6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a + b*x", X, X), "variables: say which names"),
        ((LAW, TWO.T, np.ones(6)), r"xdata: got an array of shape \(6, 2\); the law needs u, v"),
        ((LAW, np.ones(6), np.ones(6)), "the law needs u, v: one row for each"),
        ((LAW, {"u": TWO[0]}, np.ones(6)), "xdata: no values of v"),
        ((LAW, TWO, np.ones(5)), r"u has the shape \(6,\), ydata has 5 rows"),
        ((LAW, TWO, np.ones((6, 1))), "ydata: needs one number per row"),
        ((LAW, TWO, np.ones(6), [1.0, 2.0]), r"p0: got an array of shape \(2,\); the law has 3 parameters, a, b, c"),
        ((LAW, TWO, np.ones(6), None, np.eye(6)), "sigma: correlated noise"),
        ((LAW, TWO, [1, 2, 3, 4, 5, np.nan]), "ydata"),
        ((np.sin, X, X), "law: give a law of lawfit.laws, a Law, or a formula as text"),
    ],
)
def test_a_wrong_call_says_what_to_change(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lf.curve_fit(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variables": ["u"]}, "variables: the law has its own, u, v"),
        ({"bounds": 3.0}, "bounds: give"),
        ({"bounds": ([0, 0], [1, 1])}, r"bounds: got an array of shape \(2,\)"),
        ({"p0": [1, 1, 1], "starts": 3}, "starts: p0 is the start"),
        ({"absolute_sigma": True, "loss": "huber"}, "absolute_sigma=True needs"),
    ],
)
def test_a_wrong_option_says_what_to_change(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lf.curve_fit(LAW, TWO, np.arange(6.0) ** 2, **options)
