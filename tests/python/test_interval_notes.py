"""Intervals from draws where something is in the way: too few draws, bounds, failures; and how they are printed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH

import lawfit as lf
from lawfit._refits import leave_one_out

scipy_stats = pytest.importorskip("scipy.stats")

# The same few operations in another order.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def fit() -> lf.Fit:
    runs = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": np.logspace(6.5, 10, 30)}, noise=0.004, seed=1)
    return lf.fit(lf.laws.power_floor, runs, response="loss")


@pytest.fixture(scope="module")
def draws(fit: lf.Fit) -> lf.Draws:
    return fit.bootstrap(2000)


@pytest.fixture
def floorless() -> lf.Fit:
    """Runs that bend away from a floor, so that the best one is 0."""
    x = np.geomspace(1e7, 1e10, 20)
    noise = np.random.default_rng(0).normal(0.0, 0.01, 20)
    return lf.fit(
        lf.laws.power_floor,
        {"x": x, "loss": 300 * x**-0.3 * (1 - 0.03 * x / 1e10) * np.exp(noise)},
        response="loss",
        loss="squared",
    )


def test_a_jackknife_with_a_failed_refit_is_none() -> None:
    sizes = np.array([1e7, 1e7, 1e8, 1e8, 1e9])
    fit = lf.fit(lf.laws.power_floor, {"x": sizes, "loss": [3.3, 3.31, 2.5, 2.51, 2.1]}, response="loss")
    found = leave_one_out(fit).interval("alpha")
    assert np.isnan(found).all()
    assert "without some units, 1 of 5, the fit does not end in a minimum" in (found.note or "")


def test_too_few_replicates_for_the_expanded_percentile_are_replaced_and_counted(power_fit: lf.Fit) -> None:
    reach = scipy_stats.t.ppf(0.975, 9) * np.sqrt(12 / 9)
    tail = scipy_stats.norm.cdf(-reach)
    enough = int(np.ceil(10 / tail))
    few = power_fit.bootstrap(enough - 1)
    found, estimate = few.interval("alpha"), power_fit.params["alpha"]
    sd = few["alpha"].std(ddof=1)
    assert found == pytest.approx((estimate - reach * sd, estimate + reach * sd), rel=ROUNDING)
    assert found.method == "t"
    assert f"n_replicates={enough} would do" in (found.note or "")
    assert power_fit.bootstrap(enough).interval("alpha").method == "expanded"
    covariances = np.broadcast_to(power_fit.covariance, (len(few), 3, 3))
    instead = replace(few, covariances=covariances).interval("alpha")
    assert instead.method == "studentized"
    assert "bootstrap-t instead" in (instead.note or "")


@pytest.mark.parametrize("method", ["expanded", "t"])
def test_with_too_few_units_there_is_no_interval(draws: lf.Draws, method: str) -> None:
    assert not np.isnan(replace(draws, n_units=5).interval("alpha", method=method)).any()
    found = replace(draws, n_units=4).interval("alpha", method=method)
    assert np.isnan(found).all()
    assert "4 rows are too few for 3 parameters: at least two more are needed" in (found.note or "")


def test_a_parameter_held_at_its_bound_has_a_profile_for_an_interval(floorless: lf.Fit) -> None:
    assert floorless.at_bound == ("E",)
    draws = floorless.bootstrap(1500)
    found = draws.interval("E", 0.9)
    assert found == floorless.interval("E", 0.9, method="profile")
    assert found.method == "profile"
    assert found.lower == 0.0 < found.upper
    assert "one-sided: E is at its bound 0" in (found.note or "")
    for method in ("percentile", "basic", "bca", "t"):
        other = draws.interval("E", 0.9, method)
        assert other.lower == 0.0, method
        assert "one-sided: closed below by the bound 0 of E" in (other.note or ""), method
    assert "the fit has E at a bound, where basic does not hold" in (draws.interval("E", 0.9, "basic").note or "")
    for quantity in ("alpha", "E + A"):
        note = draws.interval(quantity, 0.9).note or ""
        assert note.startswith("E is at its bound 0 in the fit and in most draws, which makes them narrow")
    wald = floorless.interval("E")
    assert np.isnan(wald).all()
    assert "at its bound 0" in (wald.note or "")


def test_draws_at_a_bound_stay_and_close_the_interval(draws: lf.Draws) -> None:
    some = draws.params.copy()
    some[:150, 0] = 0.0
    found = replace(draws, params=some).interval("E", method="percentile")
    assert tuple(found) == pytest.approx((0.0, np.quantile(some[:, 0], 0.975)), rel=ROUNDING)
    assert found.note == "one-sided: closed below by the bound 0 of E"
    assert found.mc_error is not None
    assert found.mc_error[0] == 0.0
    few = draws.params.copy()
    few[:20, 0] = 0.0
    assert replace(draws, params=few).interval("E", method="percentile").lower > 0.0
    all_of_them = draws.params.copy()
    all_of_them[:, 0] = 0.0
    found = replace(draws, params=all_of_them).interval("E")
    assert found == (0.0, 0.0)
    assert "no measure of how far E may be" in (found.note or "")


def test_what_is_not_identified_has_no_interval_and_a_dash() -> None:
    size = np.geomspace(1e7, 1e10, 20)
    noise = np.random.default_rng(0).normal(0.0, 0.005, 20)
    runs = {"N": size, "D": 20 * size, "loss": (1.8 + 1200 * size**-0.35) * np.exp(noise)}
    fit = lf.fit("E + A*N**-alpha + B*D**-alpha", runs, response="loss")
    assert fit.unidentified == ("A", "B")
    draws = fit.bootstrap(50)
    for quantity in ("A", "B", "A + alpha"):
        for found in (draws.interval(quantity), fit.interval(quantity), fit.interval("A", method="profile")):
            assert np.isnan(found).all()
            assert "not identified: A and B can move together" in (found.note or "")
    line = next(line for line in repr(draws).splitlines() if line.startswith("A "))
    assert line.split()[2:] == ["-"] * 6
    # What the open direction does not move has an interval, as far as its replicates end in a minimum.
    np.testing.assert_array_equal(draws.ok, False)
    usable = replace(draws, status_codes=np.zeros_like(draws.status_codes))
    assert not np.isnan(usable.interval("alpha", method="percentile")).any()


def test_a_fit_that_failed_has_no_interval_but_its_reason(draws: lf.Draws) -> None:
    failed = replace(draws, fit=replace(draws.fit, success=False, message="no step lowers the objective"))
    found = failed.interval("alpha")
    assert np.isnan(found).all()
    assert "not usable as it is: no step lowers the objective" in (found.note or "")


def test_fixed_parameters_have_no_interval(fit: lf.Fit) -> None:
    runs = {"x": fit.rows.x[0], "loss": fit.rows.y}
    draws = lf.fit(lf.laws.power_floor, runs, response="loss", fixed={"E": 1.7}).bootstrap(50)
    assert np.isnan(draws.interval("2*E")).all()
    assert draws.interval("E").note == "fixed at 1.7, so not estimated"
    assert not np.isnan(draws.interval("E + A")).any()


def test_failed_replicates_are_left_out_and_counted(draws: lf.Draws) -> None:
    codes = draws.status_codes.copy()
    codes[:100] = 2
    some = replace(draws, status_codes=codes)
    assert some.n_failed == 100
    found = some.interval("alpha", method="percentile")
    assert found == pytest.approx(tuple(np.quantile(draws["alpha"][100:], [0.025, 0.975])), rel=ROUNDING)
    assert "5.0% of the 2000 replicates did not end in a usable minimum" in (found.note or "")
    codes[20:] = 0
    assert replace(draws, status_codes=codes).interval("alpha", method="percentile").note is None
    codes[1:] = 2
    one = replace(draws, status_codes=codes).interval("alpha")
    assert np.isnan(one).all()
    assert "0 usable replicates are too few for an interval" in (one.note or "")


def test_printed_draws_say_how_intervals_came_about(fit: lf.Fit, draws: lf.Draws) -> None:
    lost = np.zeros(2000, dtype=bool)
    lost[:7] = True
    text = repr(replace(draws, lost_term=lost, n_checked=40, n_disagreed=3))
    assert "2000 replicates (bayesian, seed 0): 0 failed, 0 at a bound, 7 lost a term" in text
    assert "3 of 40 searched from many starts have a lower minimum" in text
    found = draws.interval("alpha")
    assert found.mc_error is not None
    line = next(line for line in text.splitlines() if line.startswith("alpha"))
    assert line.split() == [
        "alpha", f"{fit.params['alpha']:.6g}", f"{draws.stderr['alpha']:.4g}",
        f"{found.lower:.6g}", f"{found.mc_error[0]:.2g}", f"{found.upper:.6g}", f"{found.mc_error[1]:.2g}", "expanded",
    ]  # fmt: skip
    assert "many starts" not in repr(replace(draws, n_checked=0))
    few = repr(fit.bootstrap(100))
    assert "E, A, alpha: with 30 rows the expanded percentile reaches out" in few


def test_a_bootstrap_within_a_fit_says_its_methods(power_runs: dict[str, Any]) -> None:
    fit = lf.fit_many(lf.laws.power_floor, power_runs, by=[], response="loss", bootstrap=50)[0]
    assert "50 replicates (bayesian, seed=0): 0 failed, 0 at a bound, 0 lost a term, 0 of 2 searched" in repr(fit)
    assert "have a lower minimum; intervals: t" in repr(fit)
    summary: Any = fit.to_dict()["bootstrap"]
    assert summary["methods"] == {"E": "t", "A": "t", "alpha": "t"}
    assert "n_replicates=2223 would do" in summary["notes"]["alpha"]
    assert summary["intervals"]["alpha"] == list(fit.draws.interval("alpha"))  # type: ignore[union-attr]


@pytest.mark.parametrize("residual", ["linear", "log"])
def test_a_law_that_meets_every_row_says_that_its_intervals_say_nothing(residual: str) -> None:
    sizes = np.logspace(7, 10, 20)
    exact = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": sizes}, noise=0.0)
    weights = np.where(np.arange(20) == 3, 0.0, 1.0)
    exact["loss"][3] = 5.0  # without weight, so it is no noise
    fit = lf.fit(lf.laws.power_floor, exact, response="loss", residual=residual, weights=weights)
    words = "the residuals are roundings"
    draws = fit.bootstrap(100)
    for note in (
        fit.interval("alpha").note,
        fit.interval("alpha", covariance="HC1").note,
        fit.interval("alpha", method="profile").note,
        fit.derived("1/alpha").note,
        fit.predict(x=1e11, interval=0.95).note,
        draws.interval("E", method="percentile").note,
        draws.predict(x=1e11).interval(method="percentile").note,
    ):
        assert note is not None
        assert words in note
    assert sum(words in warning for warning in fit.warnings) == 1
    for text in (repr(fit), repr(draws)):
        assert words in text
    # A thousand roundings are what a table of 12 digits has: noise of some kind.
    ruffled = exact | {"loss": exact["loss"] * (1.0 + 2e-13 * np.cos(np.arange(20.0)))}
    noisy = lf.fit(lf.laws.power_floor, ruffled, response="loss", residual=residual, weights=weights)
    assert noisy.interval("alpha").note is None
    assert words not in repr(noisy)


def test_a_diagnosis_of_exact_rows_measures_nothing_in_their_noise() -> None:
    x = np.arange(1.0, 9.0)
    fit = lf.fit("a + b*x", {"x": x, "y": 2 + 3 * x}, response="y", residual="linear", loss="squared")
    found = fit.diagnose(draws=fit.bootstrap(50))
    assert found.influence is not None
    assert np.isnan(found.influence.in_stderr).all()
    assert np.abs(found.influence.changes).max() < 1e-9
    assert found.path is None
    assert "the residuals are roundings" in found.findings[0]
    assert len(found.findings) == 1
    assert "nothing stands out" not in repr(found)
