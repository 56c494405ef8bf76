"""The likelihood ratio of nested laws: against integrals, direct minimisation, and tables drawn under the null."""

from __future__ import annotations

import importlib
import math
import pickle
from typing import Any

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf
from lawfit._huber_density import least_deviance, log_constant

integrate: Any = importlib.import_module("scipy.integrate")
optimize: Any = importlib.import_module("scipy.optimize")
scipy_stats: Any = importlib.import_module("scipy.stats")
TIED = {"E": 1.8, "A": 480.0, "B": 480.0, "alpha": 0.35}
GRID = {"N": np.logspace(7.7, 9.7, 6), "D": np.logspace(9, 12, 5)}


def huber(r: Any, delta: Any) -> Any:
    return np.where(np.abs(r) <= delta, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta))


def pair(runs: Columns, **options: Any) -> tuple[lf.Fit, lf.Fit]:
    tied, free = (
        lf.fit(law, runs, response="loss", **options) for law in (lf.laws.chinchilla_tied, lf.laws.chinchilla)
    )
    return tied, free


@pytest.fixture(scope="module")
def runs() -> Columns:
    return lf.synthetic.runs(lf.laws.chinchilla_tied, TIED, GRID, noise=0.004, seed=2)


@pytest.mark.parametrize("turn", [0.1, 1.0, 1.345, 6.0])
def test_the_density_of_the_huber_loss_has_integral_one(turn: float) -> None:
    inside, _ = integrate.quad(lambda z: math.exp(-float(huber(z, turn))), 0.0, turn, epsabs=1e-13)
    beyond, _ = integrate.quad(lambda z: math.exp(-float(huber(z, turn))), turn, np.inf, epsabs=1e-13)
    assert math.exp(log_constant(np.array([turn]))[0]) == pytest.approx(2.0 * (inside + beyond), rel=1e-9)


def test_squared_loss_gives_the_ratio_of_sums_of_squares(runs: Columns) -> None:
    tied, free = pair(runs, loss="squared")
    test = lf.likelihood_ratio(tied, free, method="chi2")
    expected = 30 * math.log(tied.sse / free.sse)
    assert test.statistic == pytest.approx(expected, rel=1e-7)
    assert test.p_value == pytest.approx(scipy_stats.chi2.sf(expected, 1), rel=1e-7)
    assert test.scales[0] == pytest.approx(math.sqrt(tied.sse / 30), rel=1e-6)


def test_huber_loss_gives_the_ratio_of_likelihoods_maximised_over_the_noise(runs: Columns) -> None:
    tied, free = pair(runs, f_scale=0.003, weights=np.linspace(0.5, 2.0, 30))
    test = lf.likelihood_ratio(tied, free, method="chi2")
    weights = np.linspace(0.5, 2.0, 30)

    def least(fit: lf.Fit) -> float:
        residuals = np.log(fit.predict(N=runs["N"], D=runs["D"]) / runs["loss"])

        def minus(log_noise: float) -> float:
            noise = math.exp(log_noise) / np.sqrt(weights)
            k = 0.003 / noise
            constant = np.sqrt(2 * np.pi) * (1 - 2 * scipy_stats.norm.sf(k)) + 2 * np.exp(-(k**2) / 2) / k
            return float(np.sum(huber(residuals / noise, k) + np.log(noise * constant)))

        return float(optimize.minimize_scalar(minus, bounds=(-12, 0), method="bounded", options={"xatol": 1e-10}).fun)

    assert test.statistic == pytest.approx(2.0 * (least(tied) - least(free)), rel=1e-5)


def test_known_noise_is_not_estimated(runs: Columns) -> None:
    tied, free = pair(runs, loss="squared", sigma="0.004*loss")
    test = lf.likelihood_ratio(tied, free, n_replicates=99)
    assert test.statistic == pytest.approx(2.0 * (tied.objective - free.objective), rel=1e-9)
    assert test.scales == (1.0, 1.0)
    objective = np.array([3.0])
    assert least_deviance(objective, np.ones(4), math.inf, is_known=True)[1].tolist() == [1.0]


def test_laws_that_do_not_contain_each_other_are_told_so(runs: Columns) -> None:
    compared = lf.compare(
        [lf.laws.kaplan_nd, lf.laws.chinchilla_tied, lf.laws.chinchilla], runs, response="loss", n_replicates=0
    )
    apart = compared.likelihood_ratio("kaplan_nd", "chinchilla")
    assert math.isnan(apart.p_value)
    assert "not nested" in apart.message
    assert apart.misfit > 1e-4
    turned = compared.likelihood_ratio("chinchilla", "chinchilla_tied")
    assert "way round" in turned.message
    nested = compared.likelihood_ratio("chinchilla_tied", "chinchilla", n_replicates=99)
    assert nested.misfit < 1e-8
    assert nested.df == 1


def test_two_exponents_are_found_where_there_are_two() -> None:
    truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.42}
    runs = lf.synthetic.runs(lf.laws.chinchilla, truth, GRID, noise=0.002, seed=1)
    test = lf.likelihood_ratio(*pair(runs, f_scale=0.003), n_replicates=199)
    assert test.p_value == pytest.approx(1 / 200)
    again = pickle.loads(pickle.dumps(test))
    assert again == test
    assert test.to_dict()["p_value"] == test.p_value
    assert test.to_frame("pandas")["statistic"][0] == test.statistic


def test_tables_under_the_tied_law_are_refused_about_as_often_as_they_should_be() -> None:
    """40 tables with clusters: more than 7 of 40 at 5 % has a chance of .2 %; a crash test besides."""
    grid = {"N": np.logspace(7.7, 9.7, 12), "D": np.logspace(9, 12, 4)}
    refused = 0
    for seed in range(40):
        runs = lf.synthetic.runs(lf.laws.chinchilla_tied, TIED, grid, noise=0.001, seed=seed)
        run = np.unique(runs["N"], return_inverse=True)[1].reshape(-1)
        runs["loss"] = runs["loss"] * np.exp(0.005 * np.random.default_rng(seed).standard_normal(12))[run]
        runs["run"] = run.astype(np.float64)
        clustered = pair(runs, loss="squared", cluster="run", n_threads=1)
        refused += lf.likelihood_ratio(*clustered, n_replicates=59, seed=seed, n_threads=1).p_value <= 0.05
    assert refused <= 7


def test_fits_that_cannot_be_compared_are_refused(runs: Columns) -> None:
    tied, free = pair(runs)
    if tied.f_scale != free.f_scale:
        with pytest.raises(lf.DataError, match="f_scale"):
            lf.likelihood_ratio(tied, free)
    with pytest.raises(lf.DataError, match="same rows"):
        lf.likelihood_ratio(pair(runs, loss="squared", where="N > 1e8")[0], pair(runs, loss="squared")[1])
    with pytest.raises(lf.DataError, match="cauchy"):
        lf.likelihood_ratio(*pair(runs, loss="cauchy", f_scale=0.003))
    with pytest.raises(lf.DataError, match="chi2"):
        lf.likelihood_ratio(*pair(runs, loss="squared", cluster="N"), method="chi2")
    with pytest.raises(lf.LawError, match="method"):
        lf.likelihood_ratio(tied, free, method="wald")
