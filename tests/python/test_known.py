"""What is known beforehand: the noise of rows (`sigma=`) and parameters that others have measured (`prior=`)."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Columns
from numpy.typing import NDArray

import lawfit as lf
from lawfit._engine import registries

scipy_optimize: Any = importlib.import_module("scipy.optimize")
F64 = NDArray[np.float64]

LINE = "a + b*x + c*x**2"
# Linear fits end at rounding; their matrices have condition numbers below 1e3.
LINEAR = 1e-9
# A minimum that is known to 1e-8 of the objective per row is known to about the root of that in the parameters.
MINIMUM = 1e-9
PARAMETERS = 1e-3


def line(n: int, noise: float, seed: int = 3) -> Columns:
    """Runs of a parabola, with noise that differs from row to row."""
    random = np.random.default_rng(seed)
    x = np.linspace(-1.0, 2.0, n)
    sigma = noise * np.linspace(0.5, 1.5, n)
    return {"x": x, "y": 1.0 + 2.0 * x - 0.5 * x**2 + sigma * random.standard_normal(n), "sigma": sigma}


def design(x: F64) -> F64:
    return np.stack([np.ones_like(x), x, x**2], axis=1)


def numbers(values: Any) -> F64:
    return np.array(list(values.values()))


@pytest.fixture
def chinchilla(real_data: Callable[[str], Path]) -> Columns:
    with real_data("chinchilla_epoch.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["epoch_used"].lower() in {"1", "true"}]
    return {name: np.array([float(row[name]) for row in rows]) for name in ("N", "D", "loss")}


def vector(fit: lf.Fit) -> F64:
    """E, ln A, alpha, ln B, beta."""
    best = np.array([fit.params[name] for name in ("E", "A", "alpha", "B", "beta")])
    best[[1, 3]] = np.log(best[[1, 3]])
    return best


def predicted(theta: F64, runs: Columns) -> F64:
    floor, a, alpha, b, beta = theta
    return np.asarray(floor + np.exp(a) * runs["N"] ** -alpha + np.exp(b) * runs["D"] ** -beta)


# SciPy's losses of z = (residual / f_scale)², with two derivatives.
RHO: dict[str, Callable[[F64], list[F64]]] = {
    "squared": lambda z: [z, np.ones_like(z), np.zeros_like(z)],
    "huber": lambda z: [
        np.where(z <= 1, z, 2 * np.sqrt(z) - 1),
        np.where(z <= 1, 1.0, z**-0.5),
        np.where(z <= 1, 0.0, -0.5 * z**-1.5),
    ],
    "soft_l1": lambda z: [2 * (np.sqrt(1 + z) - 1), (1 + z) ** -0.5, -0.5 * (1 + z) ** -1.5],
    "cauchy": lambda z: [np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2],
}


def least(loss: str, f_scale: float, residuals: Callable[[F64], F64], n: int, best: F64) -> Any:
    """Minimise by SciPy from beside ``best``: a robust loss of n residuals, half the squares of those that follow."""

    def rho(z: F64) -> F64:
        return np.concatenate([RHO[loss](z[:n]), RHO["squared"](z[n:])], axis=1)

    found = scipy_optimize.least_squares(
        residuals, best * np.array([1.01, 1.01, 0.99, 0.99, 1.01]), loss=rho, f_scale=f_scale, jac="3-point",
        x_scale=[1, 10, 1, 10, 1], xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=2000,
    )  # fmt: skip
    at_best = 0.5 * f_scale**2 * np.sum(rho((residuals(best) / f_scale) ** 2)[0])
    return found, at_best


# Known noise ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", registries().losses)
@pytest.mark.parametrize("residual", registries().residuals)
def test_known_noise_divides_residuals_before_the_robust_loss(loss: str, residual: str, chinchilla: Columns) -> None:
    sigma = 0.004 * chinchilla["loss"] * np.where(chinchilla["N"] > 1e9, 1.0, 3.0)
    scale = 1.0 if loss == "squared" else 1.5
    fit = lf.fit(
        lf.laws.chinchilla, chinchilla, response="loss", loss=loss, f_scale=1.5, residual=residual, sigma=sigma
    )
    assert fit.success
    y = chinchilla["loss"]

    def residuals(theta: F64) -> F64:
        values = predicted(theta, chinchilla)
        return (np.log(values) - np.log(y)) / (sigma / y) if residual == "log" else (values - y) / sigma

    best = vector(fit)
    found, at_best = least(loss, scale, residuals, 240, best)
    assert fit.objective == pytest.approx(at_best, rel=1e-12)
    assert fit.objective <= found.cost * (1 + MINIMUM)
    assert found.cost == pytest.approx(fit.objective, rel=1e-6)
    np.testing.assert_allclose(best, found.x, rtol=PARAMETERS)
    plain = predicted(best, chinchilla)
    difference = np.log(plain) - np.log(y) if residual == "log" else plain - y
    assert fit.sse == pytest.approx(np.sum(difference**2), rel=1e-10)


def test_under_squared_loss_known_noise_is_a_precision_and_under_a_robust_one_it_is_not() -> None:
    runs = line(30, 0.1)
    runs["y"][4] += 1.5

    def fit(**options: Any) -> F64:
        return numbers(lf.fit(LINE, runs, response="y", residual="linear", **options).params)

    np.testing.assert_allclose(
        fit(loss="squared", sigma="sigma"), fit(loss="squared", weights="1/sigma**2"), rtol=LINEAR
    )
    robust = fit(loss="huber", f_scale=1.0, sigma="sigma")
    assert np.abs(robust / fit(loss="huber", f_scale=1.0, weights="1/sigma**2") - 1).max() > 1e-3
    # Equal noise of all rows only changes the unit of the scale.
    np.testing.assert_allclose(
        fit(loss="huber", f_scale=1.0, sigma=np.full(30, 0.2)), fit(loss="huber", f_scale=0.2), rtol=1e-6
    )


def test_a_scale_from_the_data_counts_standard_deviations() -> None:
    runs = line(60, 0.1)

    def fit(sigma: str) -> lf.Fit:
        return lf.fit(LINE, runs, response="y", residual="linear", sigma=sigma)

    one, ten = fit("sigma"), fit("10*sigma")
    # The noise is what sigma says, so 1.345 of it is about 1.345.
    assert 0.9 < one.f_scale < 1.9
    assert ten.f_scale == pytest.approx(one.f_scale / 10, rel=1e-6)
    np.testing.assert_allclose(numbers(ten.params), numbers(one.params), rtol=1e-6)
    np.testing.assert_allclose(numbers(ten.stderr), numbers(one.stderr), rtol=1e-5)
    assert ten.inside_scale == one.inside_scale


def test_the_law_has_to_be_met_in_units_of_the_noise_whatever_those_of_the_response() -> None:
    runs = line(30, 1e-3)
    small = lf.fit(LINE, runs, response="y", residual="linear", sigma="sigma", f_scale=1.0)
    large = lf.fit(
        LINE, {**runs, "y": 1e9 * runs["y"]}, response="y", residual="linear", sigma=1e9 * runs["sigma"], f_scale=1.0
    )
    assert large.objective == pytest.approx(small.objective, rel=1e-9)
    np.testing.assert_allclose(numbers(large.params), 1e9 * numbers(small.params), rtol=1e-7)


def test_classical_errors_keep_the_scale_of_the_residuals() -> None:
    runs = line(30, 0.1)
    options: dict[str, Any] = {"residual": "linear", "loss": "squared", "covariance": "classical"}
    fit = lf.fit(LINE, runs, response="y", sigma="sigma", **options)
    x, w = design(runs["x"]), runs["sigma"] ** -2
    best = np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * runs["y"]))
    s2 = np.sum(w * (runs["y"] - x @ best) ** 2) / 27
    np.testing.assert_allclose(numbers(fit.params), best, rtol=LINEAR)
    np.testing.assert_allclose(fit.covariance, s2 * np.linalg.inv(x.T @ (w[:, None] * x)), rtol=1e-7)
    wrong = lf.fit(LINE, runs, response="y", sigma="100*sigma", **options)
    np.testing.assert_allclose(wrong.covariance, fit.covariance, rtol=1e-7)


def test_resamples_and_groups_carry_the_noise() -> None:
    runs = line(30, 0.1)
    options: dict[str, Any] = {"residual": "linear", "f_scale": 1.0}
    fit = lf.fit(LINE, runs, response="y", sigma="sigma", where="x > -0.9", **options)
    kept = np.flatnonzero(runs["x"] > -0.9)
    rows = kept[np.random.default_rng(1).integers(0, kept.size, (3, kept.size))]
    draws = fit.bootstrap(indices=rows - kept[0])
    for r, chosen in enumerate(rows):
        alone = lf.fit(LINE, {name: values[chosen] for name, values in runs.items()}, response="y", sigma="sigma",
                       **options)  # fmt: skip
        np.testing.assert_allclose(draws.params[r], numbers(alone.params), rtol=1e-6)
    both = {name: np.concatenate([values, values[::-1]]) for name, values in runs.items()}
    both["group"] = np.repeat([0.0, 1.0], 30)
    both["sigma"][30:] *= 2
    fits = lf.fit_many(LINE, both, by="group", response="y", sigma="sigma", **options)
    tables = lf.fit_many(LINE, [runs, {**runs, "sigma": 2 * runs["sigma"]}], response="y", sigma="sigma", **options)
    whole = lf.fit(LINE, runs, response="y", sigma="sigma", **options)
    np.testing.assert_allclose(fits.raw.params[0], numbers(whole.params), rtol=1e-9)
    np.testing.assert_allclose(tables.raw.params[0], numbers(whole.params), rtol=1e-9)
    twice = lf.fit(LINE, runs, response="y", sigma="2*sigma", **options)
    np.testing.assert_allclose(fits.raw.params[1], numbers(twice.params), rtol=1e-6)
    np.testing.assert_allclose(tables.raw.params[1], numbers(twice.params), rtol=1e-6)


def test_exact_data_with_known_noise_end_at_rounding(power_runs: Columns) -> None:
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    exact = {"x": power_runs["x"], "loss": lf.laws.power_floor.evaluate(x=power_runs["x"], params=truth)}
    for loss in registries().losses:
        fit = lf.fit(lf.laws.power_floor, exact, response="loss", loss=loss, f_scale=1.0, sigma="1e-3*loss")
        assert fit.success
        np.testing.assert_allclose(numbers(fit.params), list(truth.values()), rtol=1e-8)


def test_the_result_states_the_noise(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", sigma="0.002*loss")
    assert "known, sigma=0.002*loss" in repr(fit)
    assert fit.to_dict()["sigma"] == "0.002*loss"
    given = lf.fit(lf.laws.power_floor, power_runs, response="loss", sigma=0.002 * power_runs["loss"])
    assert given.to_dict()["sigma"] == "given"
    assert given.params == fit.params
    assert lf.fit(lf.laws.power_floor, power_runs, response="loss").to_dict()["sigma"] is None


# Priors --------------------------------------------------------------------------------------------------------------

MEANS, SDS = np.array([1.1, 1.8, 0.0]), np.array([0.05, np.inf, 0.2])
PRIOR = {"a": (1.1, 0.05), "c": (0.0, 0.2)}


def posterior(x: F64, w: F64, y: F64, variance: float) -> tuple[F64, F64]:
    """Mean and covariance of the conjugate normal regression with a known noise variance."""
    precision = x.T @ (w[:, None] * x) / variance + np.diag(SDS**-2)
    mean: F64 = np.linalg.solve(precision, x.T @ (w * y) / variance + SDS**-2 * MEANS)
    return mean, np.asarray(np.linalg.inv(precision))


@pytest.mark.parametrize("with_sigma", [False, True])
def test_a_linear_fit_with_a_prior_is_the_conjugate_regression(with_sigma: bool) -> None:
    runs = line(24, 0.1)
    x, y = design(runs["x"]), runs["y"]
    noise: dict[str, Any] = {"sigma": "sigma"} if with_sigma else {}
    fit = lf.fit(LINE, runs, response="y", residual="linear", loss="squared", prior=PRIOR, **noise)
    w = runs["sigma"] ** -2 if with_sigma else np.ones(24)
    alone = np.linalg.lstsq(x, y, rcond=None)
    variance = 1.0 if with_sigma else float(alone[1][0]) / 21
    assert fit.prior_variance == pytest.approx(variance, rel=1e-9)
    mean, _ = posterior(x, w, y, variance)
    np.testing.assert_allclose(numbers(fit.params), mean, rtol=1e-8)
    distance = (mean - MEANS)[[0, 2]] / SDS[[0, 2]]
    expected = 0.5 * np.sum(w * (y - x @ mean) ** 2) + 0.5 * variance * np.sum(distance**2)
    assert fit.objective == pytest.approx(expected, rel=1e-9)


def test_every_standard_error_is_the_posterior_one_where_the_noise_is_what_it_is_said_to_be() -> None:
    # Two rows a point, above and below the curve by as much: no residual says anything about another parameter.
    x = np.repeat(np.linspace(-1.0, 2.0, 8), 2)
    off = 0.1 * np.tile([1.0, -1.0], 8)
    matrix = design(x)
    y = matrix @ np.array([1.1, 1.8, 0.0]) + off
    lambda_ = np.diag(SDS**-2)
    sigma = 0.1
    for _ in range(100):
        # The noise for which the mean square over n less the parameters that the rows determine is 1.
        gram = matrix.T @ matrix / sigma**2
        effective = np.trace(np.linalg.solve(gram + lambda_, gram))
        sigma = 0.1 * np.sqrt(16 / (16 - effective))
    expected = np.linalg.inv(matrix.T @ matrix / sigma**2 + lambda_)
    for kind in ("classical", "HC1"):
        fit = lf.fit(LINE, {"x": x, "y": y}, response="y", residual="linear", loss="squared", covariance=kind,
                     sigma=np.full(16, sigma), prior=PRIOR)  # fmt: skip
        np.testing.assert_allclose(fit.covariance, expected, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("kind", [kind for kind in registries().covariances if kind.startswith(("HC", "classical"))])
def test_standard_errors_with_a_prior_are_those_of_the_formula(kind: str) -> None:
    runs = line(24, 0.1)
    x, y = design(runs["x"]), runs["y"]
    fit = lf.fit(LINE, runs, response="y", residual="linear", loss="squared", covariance=kind, prior=PRIOR)
    v, penalty = fit.prior_variance, fit.prior_variance * np.diag(SDS**-2)
    r = y - x @ numbers(fit.params)
    bread = np.linalg.inv(x.T @ x + penalty)
    leverage = np.einsum("ij,jk,ik->i", x, bread, x)
    factor = {"HC2": 1 / (1 - leverage), "HC3": 1 / (1 - leverage) ** 2, "HC1": 24 / (24 - leverage.sum())}
    if kind == "classical":
        meat = np.sum(r**2) / (24 - leverage.sum()) * x.T @ x
    else:
        meat = x.T @ ((factor.get(kind, 1.0) * r**2)[:, None] * x)
    np.testing.assert_allclose(fit.covariance, bread @ (meat + v * penalty) @ bread, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("loss", registries().losses)
@pytest.mark.parametrize("with_sigma", [False, True])
def test_scipy_finds_the_same_penalised_optimum(loss: str, with_sigma: bool, chinchilla: Columns) -> None:
    prior = {"alpha": (0.30, 0.01), "E": (1.7, 0.02)}
    y = chinchilla["loss"]
    noise: dict[str, Any] = {"sigma": "0.005*loss"} if with_sigma else {}
    scale = 1.5 if with_sigma else 0.005
    fit = lf.fit(lf.laws.chinchilla, chinchilla, response="loss", loss=loss, f_scale=scale, prior=prior, **noise)
    assert fit.success
    if with_sigma:
        variance = 1.0
    elif loss == "squared":
        variance = 2 * lf.fit(lf.laws.chinchilla, chinchilla, response="loss", loss=loss).objective / 235
    else:
        variance = (scale / 1.345) ** 2
    assert fit.prior_variance == pytest.approx(variance, rel=1e-9)
    unit = 0.005 if with_sigma else 1.0

    def residuals(theta: F64) -> F64:
        r = (np.log(predicted(theta, chinchilla)) - np.log(y)) / unit
        pulls = np.array([(theta[2] - 0.30) / 0.01, (theta[0] - 1.7) / 0.02])
        return np.concatenate([r, np.sqrt(variance) * pulls])

    best = vector(fit)
    found, at_best = least(loss, 1.0 if loss == "squared" else scale, residuals, 240, best)
    assert fit.objective == pytest.approx(at_best, rel=1e-12)
    assert fit.objective <= found.cost * (1 + MINIMUM)
    assert found.cost == pytest.approx(fit.objective, rel=1e-6)
    np.testing.assert_allclose(best, found.x, rtol=PARAMETERS)


@pytest.mark.parametrize("loss", registries().losses)
def test_a_vague_prior_is_none_and_a_sharp_one_a_fixed_parameter(loss: str, power_runs: Columns) -> None:
    def fit(**options: Any) -> lf.Fit:
        return lf.fit(lf.laws.power_floor, power_runs, response="loss", loss=loss, f_scale=3e-3, **options)

    plain, vague = fit(), fit(prior={"alpha": (0.3, 1e9)})
    np.testing.assert_allclose(numbers(vague.params), numbers(plain.params), rtol=1e-6)
    np.testing.assert_allclose(numbers(vague.stderr), numbers(plain.stderr), rtol=1e-4)
    assert vague.condition == pytest.approx(plain.condition, rel=1e-6)
    held, sharp = fit(fixed={"alpha": 0.32}), fit(prior={"alpha": (0.32, 1e-9)})
    assert sharp.success
    assert sharp.start_agreement > 0.9
    np.testing.assert_allclose(numbers(sharp.params), numbers(held.params), rtol=1e-6)
    assert sharp.stderr["alpha"] == pytest.approx(1e-9, rel=1e-3)
    for name in ("E", "A"):
        assert sharp.stderr[name] == pytest.approx(held.stderr[name], rel=1e-4), name
    assert sharp.sse == pytest.approx(held.sse, rel=1e-6)


@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_a_prior_identifies_what_one_ratio_of_tokens_to_parameters_does_not(loss: str) -> None:
    truth = {"E": 1.69, "A": 406.4, "alpha": 0.339, "B": 410.7, "beta": 0.285}
    size = np.logspace(7, 10.5, 40)
    runs = {"N": size, "D": 20 * size}
    runs["loss"] = lf.laws.chinchilla.evaluate(runs, params=truth)
    runs["loss"] *= np.exp(0.003 * np.random.default_rng(5).standard_normal(40))
    borrowed = {"alpha": (0.339, 0.02), "beta": (0.285, 0.02)}
    plain = lf.fit(lf.laws.chinchilla, runs, response="loss", loss=loss)
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss", loss=loss, prior=borrowed)
    assert fit.status == "converged"
    # The rows alone are fitted best, by less than their noise, with one term made a constant in place of E.
    assert not plain.certificate.certified
    assert plain.objective < fit.objective < 1.02 * plain.objective
    assert fit.certificate.certified
    errors = numbers(fit.stderr)
    assert np.isfinite(errors).all()
    # The rows say next to nothing of each exponent alone: what is known of them is what was borrowed.
    for name in ("alpha", "beta"):
        assert fit.stderr[name] == pytest.approx(0.02, rel=0.1), name
    one = lf.fit(lf.laws.chinchilla, runs, response="loss", loss=loss, prior={"alpha": (0.339, 0.02)})
    assert one.success
    assert np.isfinite(one.stderr["alpha"])


def test_two_sizes_identify_three_parameters_with_one_prior() -> None:
    x = np.repeat([1e7, 1e9], 6)
    noise = np.exp(0.002 * np.random.default_rng(2).standard_normal(12))
    runs = {"x": x, "loss": (1.7 + 400 * x**-0.34) * noise}
    assert lf.fit(lf.laws.power_floor, runs, response="loss").status == "unidentified"
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", prior={"alpha": (0.34, 0.02)})
    assert fit.status == "converged"
    assert fit.params["alpha"] == pytest.approx(0.34, abs=1e-6)
    assert fit.stderr["alpha"] == pytest.approx(0.02, rel=1e-6)
    draws = fit.bootstrap(2000)
    # 2,000 draws know a standard deviation to 1.6 %; three times that.
    assert draws.stderr["alpha"] == pytest.approx(0.02, rel=0.05)
    assert draws.stderr["E"] == pytest.approx(fit.stderr["E"], rel=0.15)


def test_rows_and_priors_together_must_be_as_many_as_parameters() -> None:
    x = np.array([1e7, 1e9])
    runs = {"x": x, "loss": 1.7 + 400 * x**-0.34}
    law = lf.laws.power_floor
    assert lf.fit(law, runs, response="loss").status == "too_few_rows"
    ways: list[dict[str, Any]] = [{"loss": "squared"}, {"f_scale": 1e-3}, {"sigma": "0.01*loss"}]
    for options in ways:
        fit = lf.fit(law, runs, response="loss", prior={"alpha": (0.34, 0.02)}, **options)
        assert fit.success, fit
        np.testing.assert_allclose(numbers(fit.params), [1.7, 400.0, 0.34], rtol=1e-6)
    # Two priors leave one observation to spare, so that there are standard errors.
    fit = lf.fit(law, runs, response="loss", sigma="0.01*loss", prior={"alpha": (0.34, 0.02), "E": (1.65, 0.1)})
    assert fit.success
    assert np.isfinite(numbers(fit.stderr)).all()
    alone = {"x": x[:1], "loss": runs["loss"][:1]}
    assert lf.fit(law, alone, response="loss", prior={"alpha": (0.34, 0.02)}).status == "too_few_rows"


def test_few_rows_take_the_noise_from_a_fit_with_the_known_parameters_at_their_means() -> None:
    x = np.array([1e7, 1e8, 1e9])
    runs = {"x": x, "loss": 1.7 + 400 * x**-0.34 + np.array([0.01, -0.02, 0.01])}
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared", prior={"alpha": (0.34, 0.02)})
    held = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared", fixed={"alpha": 0.34})
    assert fit.success
    assert fit.prior_variance == pytest.approx(held.sse / (3 - 2), rel=1e-6)


def test_resamples_of_a_linear_fit_spread_as_the_posterior_does() -> None:
    random = np.random.default_rng(8)
    x = np.linspace(-1.0, 2.0, 400)
    runs = {"x": x, "y": design(x) @ np.array([1.0, 2.0, -0.5]) + 0.3 * random.standard_normal(400)}
    prior = {"a": (1.1, 0.02), "c": (-0.4, 0.03)}
    fit = lf.fit(LINE, runs, response="y", residual="linear", loss="squared", prior=prior)
    left_out = {"jackknife", "subsample", "hierarchical"}  # the last needs clusters; the others leave priors alone
    for resample in sorted(set(registries().resamplers) - left_out):
        draws = fit.bootstrap(4000, resample=resample)
        assert draws.n_failed == 0
        # 4,000 draws know a standard deviation to 1.1 %, 400 rows their noise to 3.5 %.
        np.testing.assert_allclose(numbers(draws.stderr), numbers(fit.stderr), rtol=0.08)
    # Weights of the caller's own change nothing that is not theirs.
    same = fit.bootstrap(weights=np.ones((2, 400)))
    np.testing.assert_allclose(same.params, np.tile(numbers(fit.params), (2, 1)), rtol=1e-7)
    together = lf.fit_many(LINE, runs, by=[], response="y", residual="linear", loss="squared", prior=prior,
                           bootstrap=20)[0]  # fmt: skip
    assert together.draws is not None
    np.testing.assert_allclose(together.draws.params, fit.bootstrap(20).params, rtol=1e-9)


def test_groups_that_share_a_prior_share_its_error() -> None:
    x = np.repeat([1e7, 1e9], 6)
    noise = np.exp(0.001 * np.random.default_rng(2).standard_normal((2, 12)))
    runs = {"x": np.tile(x, 2), "loss": ((1.7 + 400 * x**-0.34) * noise).ravel(), "task": ["a"] * 12 + ["b"] * 12}
    fits = lf.fit_many(lf.laws.power_floor, runs, by="task", response="loss", prior={"alpha": (0.34, 0.02)},
                       bootstrap=200)  # fmt: skip
    first, second = (fit.draws for fit in fits)
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(first["alpha"], second["alpha"], atol=1e-6)
    assert first["alpha"].std() > 0.015


def test_the_result_states_the_prior_and_warns_where_the_data_contradict_it(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", prior={"alpha": (0.33, 0.02)})
    shown = repr(fit)
    assert f"alpha = 0.33 +- 0.02, against a noise variance of {fit.prior_variance:.4g}" in shown
    assert "prior 0.33 +- 0.02" in shown.splitlines()[6]
    found: Any = fit.to_dict()
    assert found["options"]["prior"] == {"alpha": [0.33, 0.02]}
    assert found["prior_variance"] == fit.prior_variance == pytest.approx((fit.f_scale / 1.345) ** 2)
    assert not fit.warnings
    far = lf.fit(lf.laws.power_floor, power_runs, response="loss", prior={"alpha": (0.2, 0.01)})
    assert any("standard deviations of its prior above its mean" in warning for warning in far.warnings)
    plain = lf.fit(lf.laws.power_floor, power_runs, response="loss")
    assert np.isnan(plain.prior_variance)
    assert plain.to_dict()["prior_variance"] is None
    assert "prior" not in repr(plain)


def power_runs(noise: float, n: int = 12) -> dict[str, np.ndarray]:
    x = np.logspace(7, 10, n)
    return {"x": x, "loss": (1.7 + 400 * x**-0.34) * np.exp(noise * np.random.default_rng(6).standard_normal(n))}


def test_a_scale_that_is_fitted_is_of_hubers_density_and_without_prior() -> None:
    with pytest.raises(lf.LawfitError, match=r"f_scale.*Huber density.*loss=\"huber\""):
        lf.fit(lf.laws.power_floor, power_runs(0.01), response="loss", loss="cauchy", f_scale="fitted")
    with pytest.raises(lf.LawfitError, match=r"prior.*f_scale=\"mad\""):
        lf.fit(lf.laws.power_floor, power_runs(0.01), response="loss", f_scale="fitted", prior={"alpha": (0.3, 0.1)})


def test_a_fitted_scale_is_in_units_of_the_known_noise() -> None:
    def fit(sigma: float) -> lf.Fit:
        return lf.fit(lf.laws.power_floor, power_runs(0.01), response="loss", f_scale="fitted", sigma=[sigma] * 12)

    fine, coarse = fit(0.01), fit(10.0)
    assert fine.f_scale == pytest.approx(1000 * coarse.f_scale, rel=1e-3)
    assert fine.params["alpha"] == pytest.approx(coarse.params["alpha"], rel=1e-6)


def test_two_rows_and_a_borrowed_exponent_are_met_exactly() -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs(0.0, 2), response="loss", prior={"alpha": (0.34, 0.02)})
    assert fit.success
    assert fit.params["alpha"] == pytest.approx(0.34, rel=1e-6)
