"""Derived quantities and intervals: the delta method against differences, identities, and reasons in place of NaN."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf

scipy_stats = pytest.importorskip("scipy.stats")

TRUTH = {"E": 1.8172, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}


def ray(noise: float = 0.0, n: int = 20, beta: float = TRUTH["alpha"], seed: int = 0) -> Columns:
    """Runs that all have 20 tokens per parameter."""
    size = np.geomspace(1e7, 1e10, n)
    response = lf.laws.chinchilla.evaluate(N=size, D=20.0 * size, params=TRUTH | {"beta": beta})
    return {"N": size, "D": 20.0 * size, "loss": response * np.exp(np.random.default_rng(seed).normal(0.0, noise, n))}


@pytest.fixture(scope="module")
def fit() -> lf.Fit:
    grid = {"N": np.geomspace(5e7, 5e9, 6), "D": np.geomspace(1e9, 1e12, 7)}
    return lf.fit(lf.laws.chinchilla, lf.synthetic.runs(lf.laws.chinchilla, TRUTH, grid, noise=0.005), response="loss")


@pytest.mark.parametrize(
    "quantity",
    ["beta / (alpha + beta)", "log(A) - log(B)", "E + A*7e10**-alpha + B*1.4e12**-beta", "alpha - beta", "A*B/1e6"],
)
def test_the_standard_error_is_that_of_the_numerical_delta_method(fit: lf.Fit, quantity: str) -> None:
    values = np.array(list(fit.params.values()))

    def at(params: np.ndarray) -> float:
        named = dict(zip(fit.law.parameters, params.tolist(), strict=True))
        return float(eval(quantity, {"log": np.log}, named))

    steps = 1e-5 * np.abs(values)
    slopes = np.array([(at(values + s) - at(values - s)) / (2.0 * s.sum()) for s in np.diag(steps)])
    found = fit.derived(quantity)
    assert found.value == pytest.approx(at(values), rel=1e-14)
    assert found.stderr == pytest.approx(float(np.sqrt(slopes @ fit.covariance @ slopes)), rel=1e-5)
    assert (found.dof, found.reason) == (fit.dof, None)


def test_identities_hold(fit: lf.Fit) -> None:
    for name in fit.params:
        alone = fit.derived(name)
        assert alone.value == fit.params[name]
        assert alone.stderr == pytest.approx(fit.stderr[name], rel=1e-15)
    assert fit.derived("-3 * alpha").stderr == pytest.approx(3.0 * fit.stderr["alpha"], rel=1e-14)
    assert fit.derived("log(A)").stderr == pytest.approx(fit.stderr["A"] / fit.params["A"], rel=1e-14)
    share = fit.derived("beta / (alpha + beta)")
    rest = fit.derived("alpha / (alpha + beta)")
    assert share.value + rest.value == pytest.approx(1.0)
    assert share.stderr == pytest.approx(rest.stderr, rel=1e-12)
    assert fit.derived("alpha - alpha").stderr == 0.0


def test_intervals_are_students(fit: lf.Fit) -> None:
    assert fit.dof == 42 - 5
    reach = scipy_stats.t.ppf(0.975, fit.dof) * fit.stderr["alpha"]
    assert fit.interval("alpha") == pytest.approx((fit.params["alpha"] - reach, fit.params["alpha"] + reach), rel=1e-12)
    wide, narrow = fit.interval("beta / (alpha + beta)", level=0.99), fit.interval("beta / (alpha + beta)", 0.8)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    assert narrow == fit.derived("beta / (alpha + beta)").interval(0.8)
    shown = str(fit)
    assert f"{fit.interval('E').lower:.6g}" in shown
    assert f"HC3; Student's t with {fit.dof:g} degrees of freedom" in shown
    for level in (0.0, 1.0, 95, "0.95"):
        with pytest.raises(lf.DataError, match="level="):
            fit.interval("alpha", level)  # type: ignore[arg-type]


def test_formulas_that_mean_nothing_are_answered(fit: lf.Fit) -> None:
    for empty in ("", " "):
        with pytest.raises(lf.LawError, match="quantity: the formula is empty"):
            fit.interval(empty)
    with pytest.raises(lf.DataError, match="'alpa' is not a parameter; did you mean 'alpha'"):
        fit.derived("beta / alpa")
    with pytest.raises(lf.DataError, match="'N' is not a parameter"):
        fit.interval("A*N**-alpha")
    with pytest.raises(lf.DataError, match="names no parameter; the parameters are E, A"):
        fit.derived("1 + 1")
    with pytest.raises(lf.DataError, match="give a parameter or a formula over parameters"):
        fit.derived(3)  # type: ignore[arg-type]
    with pytest.raises(lf.LawError, match="column"):
        fit.derived("alpha +")
    lost = fit.derived("log(alpha - 10)")
    assert np.isnan(lost.stderr)
    assert "no finite value" in (lost.reason or "")
    assert np.isnan(lost.interval()).all()


def test_fixed_parameters_add_no_variance(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", fixed={"E": 1.7})
    assert fit.derived("alpha + 100*E").stderr == pytest.approx(fit.stderr["alpha"], rel=1e-14)
    assert fit.dof == 10
    assert dict(fit.stderr_reason) == {"E": "fixed at 1.7, so not estimated"}
    assert fit.derived("2*E").reason == "E: fixed at 1.7, so not estimated"
    assert np.isnan(fit.interval("E")).all()


def test_a_parameter_at_its_bound_has_a_reason_and_leaves_its_freedom(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", bounds={"alpha": (0, 0.3)})
    assert fit.status == "converged_at_bound"
    assert fit.stderr_reason["alpha"] == "at its bound 0.3, which the data would have it cross"
    assert fit.derived("A / alpha").reason == "alpha: at its bound 0.3, which the data would have it cross"
    assert fit.derived("A / E").stderr > 0.0
    assert fit.dof == 12 - 2


def test_a_fit_without_a_minimum_says_so(power_runs: Columns) -> None:
    few = lf.fit(lf.laws.power_floor, {name: values[:2] for name, values in power_runs.items()}, response="loss")
    assert set(few.stderr_reason) == {"E", "A", "alpha"}
    assert few.stderr_reason["E"] == "the fit did not end in a minimum"
    even = lf.fit(lf.laws.power_floor, {name: values[::5] for name, values in power_runs.items()}, response="loss")
    assert even.n_rows == 3
    assert "no more rows than parameters" in even.stderr_reason["E"]
    assert np.isnan(even.dof)


def test_one_ratio_of_tokens_to_parameters_leaves_every_standard_error_out() -> None:
    fit = lf.fit(lf.laws.chinchilla, ray(beta=TRUTH["beta"]), response="loss")
    assert fit.status == "unidentified"
    assert set(fit.unidentified) == set(fit.params)
    assert np.isnan(list(fit.stderr.values())).all()
    for reason in fit.stderr_reason.values():
        assert reason.startswith("not identified: ")
        assert "can move" in reason
        assert "changes no prediction by more than" in reason
    assert any("condition number" in warning for warning in fit.warnings)
    assert np.isnan(fit.interval("beta / (alpha + beta)")).all()
    assert "not identified" in (fit.derived("beta / (alpha + beta)").reason or "")
    assert fit.to_dict()["stderr_reason"] == dict(fit.stderr_reason)


@pytest.mark.parametrize("seed", range(4))
def test_with_noise_one_ratio_leaves_a_parameter_that_nobody_could_take_for_known(seed: int) -> None:
    """Noise gives the law something to fit with the term that the ray has no use for: a minimum, but a vague one."""
    fit = lf.fit(lf.laws.chinchilla, ray(noise=0.005, beta=TRUTH["beta"], seed=seed), response="loss")
    assert any(np.isnan(spread) or spread > abs(fit.params[name]) for name, spread in fit.stderr.items())
    assert fit.warnings


@pytest.mark.parametrize("kind", ["classical", "HC0", "HC1", "HC2", "HC3", "CR1", "CR3"])
def test_what_no_open_direction_moves_keeps_its_standard_error(kind: str) -> None:
    """On a ray, A*N**-alpha + B*D**-alpha is one term: E and alpha are its, of A and B nothing is known."""
    runs = ray(noise=0.005, n=24)
    how = {"response": "loss", "loss": "squared", "covariance": kind, "cluster": np.arange(24) // 2}
    both = lf.fit("E + A*N**-alpha + B*D**-alpha", runs, **how)  # type: ignore[arg-type]
    one = lf.fit("E + C*N**-alpha", runs, **how)  # type: ignore[arg-type]
    assert both.status == "unidentified"
    assert both.unidentified == ("A", "B")
    assert set(both.stderr_reason) == {"A", "B"}
    assert both.stderr_reason["A"].startswith("not identified: A and B can move together: ")
    # The search along the valley ends where a step promises nothing, up to its tolerance.
    for name in ("E", "alpha"):
        assert both.params[name] == pytest.approx(one.params[name], abs=1e-3 * one.stderr[name])
        assert both.stderr[name] == pytest.approx(one.stderr[name], rel=1e-3)
    assert both.dof == one.dof
    assert any("the standard errors of E, alpha do not depend on it" in warning for warning in both.warnings)


def test_the_open_direction_is_read_in_the_units_of_the_parameters() -> None:
    fit = lf.fit("E + A*N**-alpha + B*D**-alpha", ray(noise=0.005), response="loss")
    change = fit.flat_direction
    # A and 20**-alpha B have one effect.
    assert change["A"] == pytest.approx(-change["B"] * 20.0 ** -fit.params["alpha"], rel=1e-6)
    assert abs(change["E"]) < 1e-9
    # By itself the change of A moves the logarithms of predictions by 1, in root mean square.
    effect = change["A"] * fit.rows.x[0] ** -fit.params["alpha"] / fit.predict(N=fit.rows.x[0], D=fit.rows.x[1])
    assert np.sqrt(np.mean(effect**2)) == pytest.approx(1.0, rel=1e-6)
    moved = {name: value + change[name] for name, value in fit.params.items()}
    before, after = (fit.law.evaluate(N=fit.rows.x[0], D=fit.rows.x[1], params=p) for p in (fit.params, moved))
    # Along the valley both terms may be of any size: they cancel to rounding of theirs.
    size = max(abs(moved["A"]), abs(fit.params["A"])) * fit.rows.x[0] ** -fit.params["alpha"]
    assert (np.abs(after - before) <= 1e-14 * (before + size)).all()
