"""Functions of samples in the law language: values against SciPy, derivatives against central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lawfit import _engine

special = pytest.importorskip("scipy.special")

# Differences of logarithms of gamma functions of up to a few hundred.
VALUE = 1e-11
SLOPE = 1e-6
CURVATURE = 1e-4


def pass_at_k(p: float, k: float) -> float:
    return float(-np.expm1(k * np.log1p(-p)))


def beta_pass_at_k(mean: float, size: float, k: float) -> float:
    a, b = mean * size, (1 - mean) * size
    return float(-np.expm1(special.betaln(a, b + k) - special.betaln(a, b)))


def saturated(s: float, n: float) -> float:
    return float(special.xlogy(s, s / n) + special.xlogy(n - s, (n - s) / n))


def binomial_deviance(s: float, n: float, p: float) -> float:
    return saturated(s, n) - float(special.xlogy(s, p) + special.xlog1py(n - s, -p))


def beta_binomial_deviance(s: float, n: float, mean: float, size: float) -> float:
    a, b = mean * size, (1 - mean) * size
    return saturated(s, n) - float(special.betaln(a + s, b + n - s) - special.betaln(a, b))


CASES: list[tuple[Callable[..., float], list[float], tuple[int, ...]]] = [
    # Function, arguments, and those that are parameters; counts are data.
    (pass_at_k, [0.3, 7.5], (0, 1)),
    (pass_at_k, [1e-9, 3.0], (0, 1)),
    (beta_pass_at_k, [0.3, 0.5, 26.98], (0, 1, 2)),
    (beta_pass_at_k, [0.02, 50.0, 6.71], (0, 1, 2)),
    (binomial_deviance, [3.0, 40.0, 0.2], (2,)),
    (binomial_deviance, [0.0, 40.0, 0.2], (2,)),
    (binomial_deviance, [40.0, 40.0, 0.2], (2,)),
    (beta_binomial_deviance, [3.0, 40.0, 0.2, 5.0], (2, 3)),
    (beta_binomial_deviance, [0.0, 128.0, 0.01, 58.0], (2, 3)),
    (beta_binomial_deviance, [128.0, 128.0, 0.6, 0.1], (2, 3)),
]
IDS = [f"{function.__name__}{tuple(given)}" for function, given, _ in CASES]


def evaluated(function: Any, given: list[float], wrt: tuple[int, ...] = (), order: int = 0) -> Any:
    names = [f"x{i}" for i in range(len(given))]
    text = f"{function.__name__}({', '.join(names)})"
    rows = np.array(given)[[i for i in range(len(given)) if i not in wrt], np.newaxis]
    variables = [name for i, name in enumerate(names) if i not in wrt]
    params = [names[i] for i in wrt]
    x = np.ascontiguousarray(rows) if rows.size else np.empty((0, 1))
    return _engine.evaluate(
        text, variables, params, x, np.array([[given[i] for i in wrt]]), wrt=params if order else (), order=order
    )[0, ..., 0]


@pytest.mark.parametrize(("function", "given", "wrt"), CASES, ids=IDS)
def test_values_are_scipys(function: Any, given: list[float], wrt: tuple[int, ...]) -> None:
    assert evaluated(function, given, wrt) == pytest.approx(function(*given), rel=VALUE)


@pytest.mark.parametrize(
    ("mean", "size", "k", "value"),
    [
        (0.1, 2.0, 10.0, 0.340121976832),
        (0.3, 0.5, 26.98, 0.5751722742524783836719104),
        (0.001, 0.2, 1.109, 0.001025978342356661340872274),
        (0.001, 0.2, 200.0, 0.00211545628099139291580142),
        (1e-6, 3.0, 1000.0, 0.00001796224404630189409050246),
        (0.9, 5.0, 2.5, 0.9855278355665578134019459),
        (0.25, 10.0, 1e6, 0.99999999999980608059814),
        (0.02, 50.0, 6.71, 0.1204451624483934661640639),
    ],
)
def test_beta_pass_at_k_has_the_values_of_50_digit_arithmetic(mean: float, size: float, k: float, value: float) -> None:
    # One minus a failure that is a difference of logarithms of the size of k ln k.
    assert evaluated(beta_pass_at_k, [mean, size, k], (0, 1)) == pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("function", "given", "wrt"), CASES, ids=IDS)
def test_derivatives_agree_with_central_differences(function: Any, given: list[float], wrt: tuple[int, ...]) -> None:
    slopes, curvature = (evaluated(function, given, wrt, order) for order in (1, 2))

    def moved(i: int, sign: float) -> list[float]:
        return [value * (1 + sign * 1e-5) if k == i else value for k, value in enumerate(given)]

    for place, i in enumerate(wrt):
        step = 2e-5 * given[i]
        by_value = (function(*moved(i, 1.0)) - function(*moved(i, -1.0))) / step
        assert slopes[place] == pytest.approx(by_value, rel=SLOPE, abs=1e-12 / step)
        ends = [evaluated(function, moved(i, sign), wrt, 1) for sign in (1.0, -1.0)]
        by_slope = (ends[0] - ends[1]) / step
        scale = np.abs(slopes) * 1e-9 / step
        np.testing.assert_allclose(np.asarray(curvature)[place], by_slope, rtol=CURVATURE, atol=float(scale.max()))
