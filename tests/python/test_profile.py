"""Profiles: their equation, other programs, identities of linear laws; bounds and ends that do not exist."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH, Columns

import lawfit as lf
from lawfit import _engine
from lawfit._losses import LOSSES
from lawfit._residuals import loss_points, residuals_of

scipy_stats = pytest.importorskip("scipy.stats")
scipy_optimize = pytest.importorskip("scipy.optimize")

# Square of the statistic's root when the others are fitted again from cold starts.
EQUATION = 1e-8
# R reads its ends off a spline through a few points of the profile.
R_SPLINE = 2e-4
TRUTH = {"E": 1.8172, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}
# Treated cells of R's data set Puromycin: Bates and Watts 1988, appendix A1.3.
PUROMYCIN = {
    "conc": [0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.1, 1.1],
    "rate": [76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200],
}


@pytest.fixture(scope="module")
def runs() -> Columns:
    grid = {"N": np.geomspace(5e7, 5e9, 6), "D": np.geomspace(1e9, 1e12, 5)}
    found = dict(lf.synthetic.runs(lf.laws.chinchilla, TRUTH, grid, noise=0.005, seed=3))
    found["loss"][::7] *= 1.02
    return found | {"w": np.random.default_rng(0).uniform(0.5, 2.0, 30)}


def statistic(fit: lf.Fit, runs: Any, how: dict[str, Any], name: str, value: float) -> float:
    """Twice the rise of the objective over the noise, worked out from fits and definitions alone."""
    prior = {**how.get("prior", {})}
    mean, sd = prior.pop(name, (0.0, np.inf))
    fixed = {**how.get("fixed", {}), name: value}
    scale = {} if fit.options.loss == "squared" else {"f_scale": fit.f_scale}
    rest = lf.fit(fit.law, runs, response="loss", **{**how, **scale, "fixed": fixed, "prior": prior or None})
    variance = fit.prior_variance if how.get("prior") else 0.0
    # With a prior the noise that it is weighed against must be that of the fit.
    assert not prior
    objective = rest.objective + 0.5 * variance * ((value - mean) / sd) ** 2
    points = dict(zip(fit.rows.variables, fit.rows.x, strict=True))
    r = np.log(fit.predict(points)) - np.log(fit.rows.y)
    if fit.options.residual == "linear":
        r = fit.predict(points) - fit.rows.y
    if "sigma" in how:
        r /= 0.005
    d, w = fit.f_scale, runs["w"] if "weights" in how else np.ones(30)
    psi = {"squared": r, "huber": np.clip(r, -d, d), "cauchy": r / (1 + (r / d) ** 2)}[fit.options.loss]
    slope = {
        "squared": np.ones(30), "huber": 1.0 * (np.abs(r) <= d), "cauchy": (1 - (r / d) ** 2) / (1 + (r / d) ** 2) ** 2
    }[fit.options.loss]  # fmt: skip
    dof = lf.fit(fit.law, runs, response="loss", **{**how, "covariance": "classical"}).dof
    return float(2 * (objective - fit.objective) * slope.mean() / (np.sum(w * psi**2) / dof))


@pytest.mark.parametrize(
    "how",
    [
        {"loss": "squared"},
        {"loss": "squared", "residual": "linear"},
        {},
        {"f_scale": 0.003},
        {"loss": "cauchy"},
        {"weights": "w", "loss": "squared"},
        {"weights": "w"},
        {"sigma": "0.005*loss"},
        {"prior": {"alpha": (0.34, 0.02)}, "loss": "squared"},
        {"fixed": {"beta": 0.366}},
    ],
    ids=str,
)
def test_profile_endpoints_satisfy_their_equation(runs: Columns, how: dict[str, Any]) -> None:
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss", **how)
    dof = lf.fit(lf.laws.chinchilla, runs, response="loss", **{**how, "covariance": "classical"}).dof
    target = scipy_stats.f.ppf(0.9, 1, dof)
    for name in ("alpha",) if "prior" in how else ("alpha", "E"):
        found = fit.interval(name, 0.9, method="profile")
        assert (found.method, found.level, found.note) == ("profile", 0.9, None)
        assert found.lower < fit.params[name] < found.upper
        for end in found:
            assert statistic(fit, runs, how, name, end) == pytest.approx(target, rel=EQUATION)


@pytest.mark.parametrize("weights", [None, "w"])
def test_the_profile_of_a_line_is_its_wald_interval(weights: str | None) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 3, 15)
    table = {"x": x, "y": 1 + 2 * x + rng.normal(0, 0.3, 15), "w": rng.uniform(0.5, 2, 15)}
    law = lf.Law("a + b*x", variables=["x"])
    fit = lf.fit(law, table, response="y", loss="squared", residual="linear", weights=weights)
    for name in ("a", "b"):
        profile = fit.interval(name, method="profile")
        assert profile == pytest.approx(fit.interval(name, covariance="classical"), rel=1e-9)
    alone = lf.fit(law, table, response="y", loss="squared", residual="linear", weights=weights, fixed={"a": 1.0})
    assert alone.interval("b", method="profile") == pytest.approx(alone.interval("b", covariance="classical"), rel=1e-9)


def test_a_prior_on_a_line_is_an_observation_more() -> None:
    """With known noise of variance v the penalised profile is the Wald interval of rows and prior."""
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 3, 40)
    table = {"x": x, "y": 1 + 2 * x + rng.normal(0, 0.3, 40)}
    how: dict[str, Any] = {"response": "y", "loss": "squared", "residual": "linear", "prior": {"b": (1.9, 0.05)}}
    fit = lf.fit(lf.Law("a + b*x", variables=["x"]), table, **how)
    matrix = np.stack([np.ones(40), x], axis=1)
    v = fit.prior_variance
    inverse = np.linalg.inv(matrix.T @ matrix + np.diag([0, v / 0.05**2]))
    dof = 40 - np.trace(inverse @ matrix.T @ matrix)
    s2 = np.sum((table["y"] - fit.predict(x=x)) ** 2) / dof
    for k, name in enumerate("ab"):
        reach = scipy_stats.t.ppf(0.975, dof) * np.sqrt(s2 * inverse[k, k])
        expected = (fit.params[name] - reach, fit.params[name] + reach)
        assert fit.interval(name, method="profile") == pytest.approx(expected, rel=1e-8)


def test_the_profile_is_that_of_r() -> None:
    """confint(nls(rate ~ Vm * conc / (K + conc), Puromycin, state == "treated")) of R prints these."""
    fit = lf.fit("Vm*conc/(K + conc)", PUROMYCIN, response="rate", loss="squared", residual="linear")
    assert fit.interval("Vm", method="profile") == pytest.approx((197.30212848, 229.29006490), rel=R_SPLINE)
    assert fit.interval("K", method="profile") == pytest.approx((0.04692517, 0.08615995), rel=R_SPLINE)


def test_the_profile_is_that_of_a_search_by_scipy() -> None:
    conc, rate = (np.array(column, dtype=float) for column in PUROMYCIN.values())
    fit = lf.fit("Vm*conc/(K + conc)", PUROMYCIN, response="rate", loss="squared", residual="linear")
    least = np.sum((rate - fit.predict(conc=conc)) ** 2)
    level = least * (1 + scipy_stats.f.ppf(0.99, 1, 10) / 10)

    def excess(k: float) -> float:
        shape = conc / (k + conc)
        return float(np.sum((rate - shape * (shape @ rate) / (shape @ shape)) ** 2) - level)

    expected = (scipy_optimize.brentq(excess, 1e-3, 0.06), scipy_optimize.brentq(excess, 0.07, 0.5))
    assert fit.interval("K", 0.99, method="profile") == pytest.approx(expected, rel=1e-9)


def test_a_profile_does_not_depend_on_how_the_parameter_is_written(power_runs: Columns) -> None:
    how: dict[str, Any] = {"response": "loss", "loss": "squared"}
    plain = lf.fit(lf.Law("E + A*x**-alpha", variables=["x"], positive=["E", "A"]), power_runs, **how)
    logs = lf.fit(
        lf.Law("E + exp(a)*x**-exp(q)", variables=["x"]), power_runs, starts={"E": 1.7, "a": 6.0, "q": -1.1}, **how
    )
    for name, of in (("alpha", "q"), ("A", "a")):
        found = logs.interval(of, method="profile")
        assert plain.interval(name, method="profile") == pytest.approx(tuple(np.exp(found)), rel=1e-7)


def test_at_its_bound_the_level_is_one_sided() -> None:
    x = np.geomspace(1e7, 1e10, 20)
    noise = np.random.default_rng(0).normal(0.0, 0.01, 20)
    runs = {"x": x, "loss": 300 * x**-0.3 * (1 - 0.03 * x / 1e10) * np.exp(noise)}
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared")
    assert fit.at_bound == ("E",)
    found = fit.interval("E", method="profile")
    rest = lf.fit(lf.laws.power_floor, runs, response="loss", loss="squared", fixed={"E": found.upper})
    statistic = 18 * (rest.objective / fit.objective - 1)
    # Half of chi-squared with one degree of freedom beyond the level: t at .95, not at .975.
    assert statistic == pytest.approx(scipy_stats.t.ppf(0.95, 18) ** 2, rel=EQUATION)
    assert found.lower == 0.0
    assert found.note == "one-sided: E is at its bound 0"


def test_a_bound_that_comes_first_closes_the_profile() -> None:
    x = np.geomspace(1e7, 1e10, 20)
    noise = np.random.default_rng(2).normal(0.0, 0.02, 20)
    fit = lf.fit(lf.laws.power_floor, {"x": x, "loss": (0.03 + 300 * x**-0.3) * np.exp(noise)}, response="loss")
    assert fit.params["E"] > 0.0
    found = fit.interval("E", method="profile")
    assert found.lower == 0.0 < found.upper
    assert found.note == "one-sided: E meets its bound 0 before the data contradict it"
    bounded = lf.fit(
        lf.laws.power_floor,
        {"x": x, "loss": (0.03 + 300 * x**-0.3) * np.exp(noise)},
        response="loss",
        bounds={"alpha": (0.0, fit.params["alpha"] + 1e-4)},
    )
    found = bounded.interval("alpha", method="profile")
    assert found.upper == fit.params["alpha"] + 1e-4


def test_a_side_without_limit_is_infinite() -> None:
    t = np.arange(1.0, 9.0)
    y = 5 + np.exp(-3 * t) + np.random.default_rng(1).normal(0, 0.02, 8)
    fit = lf.fit("a + b*exp(-c*t)", {"t": t, "y": y}, response="y", residual="linear", loss="squared")
    assert fit.success
    for name in "bc":
        found = fit.interval(name, method="profile")
        assert found.upper == np.inf
        assert "open above" in (found.note or "")
    # Where the rate is as large as one likes, only the first row has the term.
    at_infinity = np.sum((y[1:] - y[1:].mean()) ** 2)
    assert (at_infinity / (2 * fit.objective) - 1) * fit.dof < scipy_stats.t.ppf(0.975, fit.dof) ** 2
    # Where the rate goes to 0 the law is a line, whose intercept is anything.
    assert fit.interval("a", method="profile").lower == -np.inf


def test_where_the_law_has_no_value_the_profile_ends() -> None:
    x = np.linspace(1.0, 9.0, 12)
    y = 2.0 + 3.0 * np.sqrt(x) + np.random.default_rng(0).normal(0, 0.6, 12)
    law = lf.Law("a + b*sqrt(x - c)", variables=["x"], starts={"c": (-1, 0.5)})
    fit = lf.fit(law, {"x": x, "y": y}, response="y", residual="linear", loss="squared")
    assert fit.success
    found = fit.interval("c", method="profile")
    # Beyond c = 1 the first row has no square root.
    assert found.upper == pytest.approx(1.0, rel=1e-12)
    assert "closed above: no refit ends beyond c = 1" in (found.note or "")


def test_a_branch_that_falls_below_the_one_followed_is_found() -> None:
    """A peak of few points or of many: which of the two is lower depends on the height that is held."""
    x = np.concatenate([np.linspace(1.95, 2.05, 16), [6.98, 7.02], np.linspace(3.5, 5.5, 12), np.linspace(8.5, 10, 10)])
    truth = np.where(x < 3, 0.5, 0.0) + np.where((x > 6) & (x < 8), 1.4, 0.0)
    y = truth + np.random.default_rng(0).normal(0, 0.5, 40)
    law = lf.Law("a*exp(-((x - m)/0.3)**2)", variables=["x"], bounds={"a": (0, 4), "m": (0, 12)})
    fit = lf.fit(law, {"x": x, "y": y}, response="y", loss="squared", residual="linear", starts=60)
    peaks = np.exp(-(((x - np.linspace(0, 12, 6001)[:, np.newaxis]) / 0.3) ** 2))
    level = 2 * fit.objective * (1 + scipy_stats.f.ppf(0.95, 1, 38) / 38)
    expected = scipy_optimize.brentq(lambda a: ((y - a * peaks) ** 2).sum(axis=1).min() - level, 0.0, 1.0, xtol=1e-6)
    # The grid of places is 0.002 wide: a sum of squares is off by no more than about 1e-4.
    assert fit.interval("a", method="profile").lower == pytest.approx(expected, abs=1e-4)


def test_a_fit_that_is_not_the_best_is_found_out() -> None:
    x = np.linspace(0.0, 10.0, 40)
    y = np.sin(2.0 * x) + np.random.default_rng(0).normal(0, 0.3, 40)
    law = lf.Law("a*sin(w*x)", variables=["x"])
    how: dict[str, Any] = {"response": "y", "loss": "squared", "residual": "linear"}
    local = lf.fit(law, {"x": x, "y": y}, starts={"a": 0.3, "w": 3.05}, **how)
    assert local.success
    assert local.objective > lf.fit(law, {"x": x, "y": y}, **how).objective * 1.1
    found = local.interval("a", method="profile")
    assert np.isnan(found).all()
    assert "the profile found a lower objective" in (found.note or "")


def test_what_a_profile_cannot_be_is_said(power_runs: Columns, power_fit: lf.Fit) -> None:
    with pytest.raises(lf.DataError, match="is for one parameter, and 'A/alpha' is a formula"):
        power_fit.interval("A/alpha", method="profile")
    with pytest.raises(lf.DataError, match="'beta' is not a parameter"):
        power_fit.interval("beta", method="profile")
    with pytest.raises(lf.LawError, match='covariance: it belongs to method="wald"'):
        power_fit.interval("alpha", method="profile", covariance="HC1")
    clustered = lf.fit(lf.laws.power_floor, power_runs, response="loss", cluster=np.arange(12) // 2)
    with pytest.raises(lf.DataError, match='has cluster=: use the Wald interval with covariance="CR3", or bootstrap'):
        clustered.interval("alpha", method="profile")
    fixed = lf.fit(lf.laws.power_floor, power_runs, response="loss", fixed={"E": 1.7})
    assert fixed.interval("E", method="profile").note == "fixed at 1.7, so not estimated"
    corner = lf.fit(lf.laws.power_floor, power_runs, response="loss", f_scale=1e-9)
    assert "the fit passes through them" in (corner.interval("alpha", method="profile").note or "")
    exact = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": np.logspace(7, 10, 8)}, noise=0.0)
    met = lf.fit(lf.laws.power_floor, exact, response="loss", loss="squared")
    assert "meets every row exactly" in (met.interval("alpha", method="profile").note or "")
    few = lf.fit(lf.laws.power_floor, {name: column[:2] for name, column in exact.items()}, response="loss")
    assert "not usable as it is" in (few.interval("alpha", method="profile").note or "")


@pytest.mark.parametrize("loss", _engine.registries().losses)
def test_losses_are_the_engines(power_runs: Columns, loss: str) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", loss=loss, weights=np.linspace(0.5, 2, 12))
    residuals = residuals_of(fit)
    points = loss_points(fit, residuals)
    assert np.sum(residuals.weights * points.rho) == pytest.approx(fit.objective, rel=1e-12)
    r, scale, h = np.array([-7.0, -1.3, -0.4, 0.02, 0.7, 1.1, 30.0]), 0.9, 1e-6
    up, down, here = (LOSSES[loss](r + step, scale) for step in (h, -h, 0.0))
    np.testing.assert_allclose((up.rho - down.rho) / (2 * h), here.psi, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose((up.psi - down.psi) / (2 * h), here.slope, rtol=1e-7, atol=1e-9)


def test_every_loss_is_known() -> None:
    assert tuple(LOSSES) == _engine.registries().losses
