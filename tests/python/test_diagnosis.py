"""Leverage, influence, sets of runs, residuals: against NumPy's hat matrix, brute force and simulations."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH, Columns

import lawfit as lf
from lawfit._leverage import units_of, warnings_of
from lawfit._structure import holm, residual_tests
from lawfit._tangent import tangent_of

LINEAR: dict[str, Any] = {"response": "y", "residual": "linear"}
ROUNDING = 1e-10
# Two minima of one objective, both polished: estimates agree to about half the digits of the objective.
SAME_MINIMUM = 1e-5
CHINCHILLA = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}


def line_runs(n: int = 14, seed: int = 0) -> Columns:
    random = np.random.default_rng(seed)
    x = np.append(random.uniform(0.0, 3.0, n - 1), 9.0)
    return {"x": x, "y": 1.0 + 2.0 * x + 0.2 * random.standard_normal(n), "w": random.uniform(0.5, 2.0, n)}


def weights_without(n: int, left_out: tuple[int, ...]) -> np.ndarray[Any, Any]:
    weights = np.ones((1, n))
    weights[0, list(left_out)] = 0.0
    return weights


@pytest.mark.parametrize("noise", [{}, {"weights": "w"}, {"sigma": "0.1*w"}])
def test_leverage_under_squared_loss_is_the_diagonal_of_the_hat_matrix(noise: dict[str, Any]) -> None:
    runs = line_runs()
    found = lf.fit("a + b*x", runs, **LINEAR, loss="squared", **noise).diagnose().influence
    assert found is not None
    root = np.sqrt({"weights": runs["w"], "sigma": (0.1 * runs["w"]) ** -2.0}.get(next(iter(noise), ""), np.ones(14)))
    x = root[:, None] * np.stack([np.ones(14), runs["x"]], axis=1)
    hat = np.diagonal(x @ np.linalg.solve(x.T @ x, x.T))
    np.testing.assert_allclose(found.leverage, hat, atol=ROUNDING)
    np.testing.assert_allclose(found.design_leverage, hat, atol=ROUNDING)
    assert found.leverage.sum() == pytest.approx(2.0, abs=ROUNDING)


@pytest.mark.parametrize("loss", ["huber", "soft_l1"])
def test_leverage_in_the_metric_of_the_curvature_sums_to_the_number_of_parameters(loss: str) -> None:
    truth = dict(CHINCHILLA)
    grid = {"N": np.logspace(7.7, 9.7, 6), "D": np.logspace(9, 12, 6)}
    runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.005, seed=3)
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss", loss=loss)
    tangent = tangent_of(fit)
    leverage = tangent.leverage()
    assert leverage is not None
    assert leverage.sum() == pytest.approx(5.0, abs=ROUNDING)
    assert tangent.design_leverage().sum() == pytest.approx(5.0, abs=ROUNDING)
    if loss == "huber":
        outside = np.abs(tangent.residuals) > fit.f_scale
        assert outside.any()
        assert not leverage[outside].any()
    # The squares of the one-step changes are what HC3 is the sum of.
    steps = tangent.steps()
    assert steps is not None
    np.testing.assert_allclose(steps.T @ steps, fit.covariance, rtol=1e-6)


@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_changes_are_those_of_a_fit_to_the_table_without_the_row(power_runs: Columns, loss: str) -> None:
    runs = {name: np.append(values, values[3]) for name, values in power_runs.items()}
    held = np.arange(13) != 5  # row numbers are those of the table, not of the rows used
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss=loss, where=held)
    found = fit.diagnose().influence
    assert found is not None
    assert found.names == tuple(i for i in range(13) if i != 5)
    scale: dict[str, Any] = {} if loss == "squared" else {"f_scale": fit.f_scale}
    for i, name in enumerate(found.names):
        assert isinstance(name, int)
        without = lf.fit(
            lf.laws.power_floor, runs, response="loss", loss=loss, where=held & (np.arange(13) != name), **scale
        )
        for k, parameter in enumerate(found.parameters):
            assert fit.params[parameter] + found.changes[i, k] == pytest.approx(
                without.params[parameter], rel=SAME_MINIMUM
            )
            expected = (without.params[parameter] - fit.params[parameter]) / fit.stderr[parameter]
            assert found.in_stderr[i, k] == pytest.approx(expected, abs=1e-3)


def test_rows_without_weight_and_priors_are_counted_as_what_they_are(power_runs: Columns) -> None:
    weights = np.linspace(0.5, 2.0, 12)
    weights[4] = 0.0
    how: dict[str, Any] = {"response": "loss", "loss": "squared", "weights": weights}
    fit = lf.fit(lf.laws.power_floor, power_runs, **how)
    found = fit.diagnose().influence
    assert found is not None
    assert found.names == tuple(i for i in range(12) if i != 4)
    without = lf.fit(lf.laws.power_floor, power_runs, where=np.arange(12) != 7, **how)
    assert fit.params["alpha"] + found.changes[found.names.index(7), 2] == pytest.approx(
        without.params["alpha"], rel=SAME_MINIMUM
    )
    borrowed = lf.fit(lf.laws.power_floor, power_runs, response="loss", prior={"alpha": (0.34, 0.005)})
    found = borrowed.diagnose().influence
    assert found is not None
    # What the prior determines is the prior's leverage, not the rows'.
    assert found.leverage.sum() == pytest.approx(12.0 - borrowed.dof, abs=ROUNDING)
    assert found.leverage.sum() < 2.99


def test_the_jackknife_of_a_line_is_its_hc3() -> None:
    fit = lf.fit("a + b*x", line_runs(), **LINEAR, loss="squared")
    found = fit.diagnose().influence
    assert found is not None
    np.testing.assert_allclose(found.changes.T @ found.changes, fit.covariance, rtol=1e-7)


def test_whole_clusters_leave_together() -> None:
    random = np.random.default_rng(2)
    run = np.repeat(np.array(["a", "b", "c", "d", "e", "f"]), 5)
    x = random.uniform(0.0, 4.0, 30)
    y = 1.0 + x + np.repeat(0.3 * random.standard_normal(6), 5) + 0.05 * random.standard_normal(30)
    runs = {"x": x, "y": y, "run": run}
    fit = lf.fit("a + b*x", runs, **LINEAR, loss="squared", cluster="run")
    diagnosis = fit.diagnose(most=2)
    found = diagnosis.influence
    assert found is not None
    assert (found.unit, found.names) == ("run", ("a", "b", "c", "d", "e", "f"))
    for i, name in enumerate(found.names):
        without = lf.fit("a + b*x", runs, **LINEAR, loss="squared", where=run != name)
        np.testing.assert_allclose(fit.params["b"] + found.changes[i, 1], without.params["b"], rtol=1e-7)
    # CR3 is the sum of squares of one Newton step without each cluster, which for a line under squares is exact.
    np.testing.assert_allclose(found.changes.T @ found.changes, fit.covariance, rtol=1e-6)
    assert diagnosis.path is not None
    assert all(set(step.names) <= set("abcdef") for step in diagnosis.path.steps)


def test_the_path_of_a_small_table_is_what_all_subsets_give(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", loss="squared")
    quantity = "1/alpha"
    path = fit.diagnose(quantity=quantity, most=3).path
    assert path is not None
    for size, low, high in zip((1, 2, 3), path.lowest, path.highest, strict=True):
        values = {}
        for left_out in itertools.combinations(range(12), size):
            stays = np.setdiff1d(np.arange(12), left_out)
            rest = {name: column[stays] for name, column in power_runs.items()}
            values[left_out] = 1.0 / lf.fit(lf.laws.power_floor, rest, response="loss", loss="squared").params["alpha"]
        assert low.is_exact
        assert low.names == min(values, key=lambda key: values[key])
        assert high.names == max(values, key=lambda key: values[key])
        assert high.value == pytest.approx(max(values.values()), rel=SAME_MINIMUM)
        assert high.change == pytest.approx(high.value - 1.0 / fit.params["alpha"], abs=1e-12)


def test_the_search_finds_rows_that_mask_each_other() -> None:
    random = np.random.default_rng(1)
    x = np.append(random.uniform(0.0, 2.0, 60), [8.0, 8.0, 8.0])
    y = 1.0 + x + 0.1 * random.standard_normal(63)
    y[60:] = 3.0  # three equal runs far out: without one the others hold the slope as before
    fit = lf.fit("a + b*x", {"x": x, "y": y}, **LINEAR, loss="squared")
    diagnosis = fit.diagnose(quantity="b", most=3)
    path, found = diagnosis.path, diagnosis.influence
    assert path is not None
    assert found is not None
    assert path.steps[2].names == (60, 61, 62)
    assert not path.steps[2].is_exact
    assert path.steps[2].change > 10.0 * np.abs(found.changes[:, 1]).max()
    assert path.steps[2].value == pytest.approx(np.polyfit(x[:60], y[:60], 1)[0], rel=1e-8)


def test_on_the_real_chinchilla_runs_it_names_the_five_that_the_replication_left_out(
    real_data: Callable[[str], Path],
) -> None:
    runs = str(real_data("chinchilla_epoch.csv"))
    narrow = lf.fit(lf.laws.chinchilla, runs, response="loss", f_scale=1e-3, covariance="classical")
    assert narrow.params["beta"] == pytest.approx(0.453, abs=5e-4)
    draws = narrow.bootstrap(500)
    diagnosis = narrow.diagnose(draws=draws)
    path = diagnosis.path
    assert path is not None
    assert path.quantity == "beta"
    assert path.steps[4].names == (0, 1, 2, 3, 4)
    assert path.steps[4].value == pytest.approx(0.3672, abs=5e-5)
    wald, percentile = narrow.interval("beta"), draws.interval("beta")
    assert wald == pytest.approx((0.44, 0.465), abs=0.003)
    assert percentile == pytest.approx((0.36, 0.59), abs=0.02)
    sentence = next(finding for finding in diagnosis.findings if "bootstrap interval" in finding)
    assert "a sign of leverage, of estimates that a few runs hold" in sentence
    assert "beta" in sentence
    assert any("beta hangs on few runs: without row 0" in finding for finding in diagnosis.findings)

    default = lf.fit(lf.laws.chinchilla, runs, response="loss")
    assert default.params["beta"] == pytest.approx(0.471, abs=5e-4)
    diagnosis = default.diagnose()
    assert diagnosis.influence is not None
    assert [diagnosis.influence.names[i] for i in diagnosis.influence.order[:5]] == [0, 1, 2, 3, 4]
    assert diagnosis.path is not None
    assert diagnosis.path.steps[4].names == (0, 1, 2, 3, 4)
    # The warning that costs no refit points there.
    assert any("row 0 alone makes 42% of the variance of beta" in warning for warning in default.warnings)
    kept = lf.fit(lf.laws.chinchilla, runs, response="loss", where="epoch_used")
    assert not warnings_of(kept)


def simulated(kind: str, n_runs: int, clusters: bool) -> list[dict[str, Any]]:
    """Tables of the law, or of one with a further term, with noise that is even or grows with the response."""
    grid = {"N": np.logspace(7.7, 9.7, 8), "D": np.logspace(9, 12, 5)}
    tables = []
    for seed in range(n_runs):
        random = np.random.default_rng(seed)
        runs: dict[str, Any] = dict(lf.synthetic.runs(lf.laws.chinchilla, CHINCHILLA, grid))
        noise = 0.005 * random.standard_normal(40)
        if kind == "uneven":
            noise *= (runs["loss"] / 2.5) ** 3
        if clusters:
            # The checkpoints of one size share most of their noise.
            runs["run"] = np.repeat(np.arange(20), 2)
            noise = 0.3 * noise + np.repeat(0.005 * random.standard_normal(20), 2)
        if kind == "interaction":
            runs["loss"] = runs["loss"] + 3e5 * runs["N"] ** -0.35 * runs["D"] ** -0.3
        runs["loss"] = runs["loss"] * np.exp(noise)
        tables.append(runs)
    return tables


@pytest.mark.parametrize(
    ("kind", "clusters", "loss"),
    [("even", False, "huber"), ("even", False, "squared"), ("uneven", False, "huber"), ("even", True, "huber")],
)
def test_tests_of_the_residuals_keep_their_size(kind: str, clusters: bool, loss: str) -> None:
    n_runs = 200
    held: dict[str, Any] = {"cluster": "run"} if clusters else {}
    fits = lf.fit_many(
        lf.laws.chinchilla, simulated(kind, n_runs, clusters), response="loss", loss=loss, starts=4, **held
    )
    found = []
    for fit in fits:
        tangent = tangent_of(fit)
        found.append(residual_tests(fit, tangent, units_of(fit, tangent.places)))
    kinds = [test.kind for test in found[0]]
    small = np.mean([[test.p_value < 0.05 for test in tests] for tests in found], axis=0)
    for share, what in zip(small, kinds, strict=True):
        # Of 200 at 5 %, a coarse 99.9 % band; noise that grows is a spread, and to be found.
        if what == "trend" or kind == "even":
            assert share < 0.11, (kind, what, small)
    if kind == "uneven":
        assert small[kinds.index("spread")] > 0.3
    if not clusters:
        together = np.mean([min(test.p_holm for test in tests if test.kind == "trend") < 0.05 for tests in found])
        assert together < 0.11


def test_a_wrong_law_is_found_in_its_residuals() -> None:
    fits = lf.fit_many(lf.laws.chinchilla, simulated("interaction", 20, False), response="loss", starts=4)
    found = []
    for fit in fits:
        tangent = tangent_of(fit)
        tests = residual_tests(fit, tangent, units_of(fit, tangent.places))
        found.append(any(test.is_found and test.kind == "trend" for test in tests))
    assert np.mean(found) > 0.9
    x = np.logspace(7, 10, 30)
    runs = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": x}, noise=0.003)
    wrong = lf.fit("A*x**-alpha", runs, response="loss").diagnose()
    assert any("the residuals bend with x" in finding for finding in wrong.findings)


def test_the_warning_that_costs_no_refit_names_the_row_or_cluster() -> None:
    random = np.random.default_rng(6)
    x = np.append(random.uniform(0.0, 2.0, 59), 8.0)
    y = 1.0 + 2.0 * x + 0.1 * random.standard_normal(60)
    y[59] += 1.0
    fit = lf.fit("a + b*x", {"x": x, "y": y}, **LINEAR, loss="squared")
    tangent = tangent_of(fit)
    steps = tangent.steps()
    assert steps is not None
    share = steps[59, 1] ** 2 / fit.covariance[1, 1]  # HC3 is the sum of these squares
    leverage = tangent.design_leverage()[59]
    assert warnings_of(fit) == [
        f"row 59 alone makes {share:.0%} of the variance of b (leverage {leverage:.2f} where 0.033 is the mean): "
        "see fit.diagnose()"
    ]
    assert warnings_of(fit)[0] in repr(fit)
    # The same place with an ordinary response still has its leverage.
    y[59] = 17.0 + 0.02
    calm = lf.fit("a + b*x", {"x": x, "y": y}, **LINEAR, loss="squared")
    assert len(warnings_of(calm)) == 1
    assert "row 59" in warnings_of(calm)[0]
    assert not warnings_of(lf.fit("a + b*x", {"x": x, "y": y}, **LINEAR, loss="squared", where=x < 3.0))
    run = np.repeat(np.arange(30), 2)
    together = lf.fit("a + b*x", {"x": x, "y": y, "run": run}, **LINEAR, loss="squared", cluster="run")
    assert "run 29" in warnings_of(together)[0]


def test_holms_correction_is_the_step_down_rule() -> None:
    # Holm 1979: the smallest times 4, the next times 3, ..., never below the one before.
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, np.nan, 0.03, 0.005])), [0.06, 0.03, np.nan, 0.06, 0.02])


def test_the_trend_does_not_see_what_the_parameters_can_take() -> None:
    """The statistic is the same whatever lies in the directions of the parameters."""
    runs = line_runs(20)
    tilted = runs | {"y": runs["y"] - 5.0 + 3.0 * runs["x"]}
    tests = [lf.fit("a + b*x", data, **LINEAR, loss="squared").diagnose().residuals[0] for data in (runs, tilted)]
    assert tests[0].statistic == pytest.approx(tests[1].statistic, rel=1e-6)


def test_what_cannot_be_diagnosed_is_said() -> None:
    ratio = np.logspace(8, 10, 12)
    runs = lf.synthetic.runs(lf.laws.chinchilla, CHINCHILLA, {"N": ratio, "D": [1.0]}, noise=0.001)
    runs["D"] = 20.0 * runs["N"]
    runs["loss"] = lf.laws.chinchilla.evaluate({"N": runs["N"], "D": runs["D"]}, params=CHINCHILLA)
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss")
    diagnosis = fit.diagnose()
    assert any("not identified" in finding or "not usable" in finding for finding in diagnosis.findings)
    assert "move together" in diagnosis.direction
    three = {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.1, 2.9]}
    few = lf.fit("a + b*x", three, **LINEAR, loss="squared").diagnose()
    assert few.path is None
    assert few.note is not None
    assert "too few rows beside the parameters" in few.note
    repr(few)
    fixed = lf.fit("a + b*x", three, **LINEAR, fixed={"b": 1.0}, bounds={"a": (5, None)}).diagnose()
    assert fixed.note == "no parameter moves: all are fixed or at a bound"
    repr(fixed)


def test_wrong_arguments_are_named(power_fit: lf.Fit, power_runs: Columns) -> None:
    with pytest.raises(lf.DataError, match="'gamma' is not a parameter"):
        power_fit.diagnose(quantity="gamma")
    with pytest.raises(lf.DataError, match="names no parameter"):
        power_fit.diagnose(quantity="2 + 3")
    with pytest.raises((lf.DataError, lf.LawError), match="most=0"):
        power_fit.diagnose(most=0)
    with pytest.raises(lf.DataError, match="draws: these are of another fit"):
        power_fit.diagnose(draws=lf.fit(lf.laws.power_floor, power_runs, response="loss", loss="squared").bootstrap(10))
    with pytest.raises(lf.DataError, match="draws: give what"):
        power_fit.diagnose(draws=power_fit)  # type: ignore[arg-type]


def test_a_diagnosis_prints_pickles_and_becomes_a_frame(power_fit: lf.Fit) -> None:
    diagnosis = power_fit.diagnose()
    assert isinstance(diagnosis, lf.Diagnosis)
    text = repr(diagnosis)
    for words in ("in standard errors; leverage", "left out", "residuals (p after Holm's", "findings"):
        assert words in text
    assert repr(pickle.loads(pickle.dumps(diagnosis))) == text
    frame = diagnosis.to_frame("pandas")
    assert list(frame["row"]) == list(range(12))
    assert frame["design_leverage"].sum() == pytest.approx(3.0)
    assert diagnosis.influence is not None
    np.testing.assert_array_equal(frame["change_alpha"], diagnosis.influence.changes[:, 2])
