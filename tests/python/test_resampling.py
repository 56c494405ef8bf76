from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH, Columns

import lawfit as lf

# Refits of the same weighted rows from different starts agree to the tolerance of the stop, times the condition.
SAME_OPTIMUM = 1e-5
# Standard errors of two schemes agree to their Monte-Carlo error at 400 replicates (1 / sqrt(800) = 3.5 %) and the
# difference between the schemes at 12 rows.
SCHEMES_AGREE = 0.5


@pytest.mark.parametrize("scheme", ["bayesian", "pairs"])
def test_a_bootstrap_is_reproducible_and_depends_on_the_seed(power_fit: lf.Fit, scheme: str) -> None:
    first = power_fit.bootstrap(50, resample=scheme, seed=1)
    np.testing.assert_array_equal(first.params, power_fit.bootstrap(50, resample=scheme, seed=1).params)
    assert not np.array_equal(first.params, power_fit.bootstrap(50, resample=scheme, seed=2).params)
    assert first["alpha"].shape == (50,)
    assert len(first) == 50


def test_more_replicates_begin_with_the_same_ones(power_fit: lf.Fit) -> None:
    np.testing.assert_array_equal(power_fit.bootstrap(30).params, power_fit.bootstrap(60).params[:30])


def test_weights_of_one_give_the_fit_itself(power_fit: lf.Fit) -> None:
    draws = power_fit.bootstrap(weights=np.ones((3, 12)))
    np.testing.assert_allclose(draws.params, [list(power_fit.params.values())] * 3, rtol=SAME_OPTIMUM)
    np.testing.assert_allclose(draws.objective, power_fit.objective, rtol=1e-9)


def test_indices_are_counts_of_rows(power_fit: lf.Fit) -> None:
    indices = np.array([[0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11], list(range(12))])
    weights = np.ones((2, 12))
    weights[0, [0, 10]] = 2, 0
    by_index, by_weight = power_fit.bootstrap(indices=indices), power_fit.bootstrap(weights=weights)
    np.testing.assert_array_equal(by_index.params, by_weight.params)
    assert by_index.resample == "weights"


def test_a_row_of_weight_two_is_the_row_twice(power_runs: Columns) -> None:
    doubled = {name: np.append(values, values[4]) for name, values in power_runs.items()}
    twice = lf.fit(lf.laws.power_floor, doubled, response="loss", f_scale=1e-3)
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", f_scale=1e-3)
    weights = np.ones((1, 12))
    weights[0, 4] = 2
    draws = fit.bootstrap(weights=weights)
    np.testing.assert_allclose(draws.params[0], list(twice.params.values()), rtol=SAME_OPTIMUM)


def test_both_schemes_find_spreads_of_the_same_size() -> None:
    runs = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": np.logspace(6.5, 10, 60)}, noise=0.002, seed=2)
    fit = lf.fit(lf.laws.power_floor, runs, response="loss")
    bayesian, pairs = fit.bootstrap(400), fit.bootstrap(400, resample="pairs")
    assert bayesian.n_failed == pairs.n_failed == 0
    for name in fit.params:
        assert bayesian.stderr[name] == pytest.approx(pairs.stderr[name], rel=SCHEMES_AGREE)
        assert fit.stderr[name] == pytest.approx(pairs.stderr[name], rel=SCHEMES_AGREE)


def test_intervals_are_quantiles_of_the_replicates(power_fit: lf.Fit) -> None:
    draws = power_fit.bootstrap(200)
    values = draws["alpha"][draws.ok]
    assert draws.interval("alpha", level=0.8, method="percentile") == tuple(np.quantile(values, [0.1, 0.9]))
    lower, upper = draws.interval("alpha")
    assert lower <= power_fit.params["alpha"] <= upper


def test_intervals_of_a_formula_are_those_of_its_values(power_fit: lf.Fit) -> None:
    draws = power_fit.bootstrap(100)
    expected = draws["A"] / (draws["alpha"] + 1)
    np.testing.assert_allclose(draws.values("A / (alpha + 1)"), expected, rtol=1e-14)
    assert draws.interval("A / (alpha + 1)", method="percentile") == pytest.approx(
        tuple(np.quantile(expected[draws.ok], [0.025, 0.975]))
    )


def test_draws_print_and_survive_pickling(power_fit: lf.Fit) -> None:
    draws = power_fit.bootstrap(20, seed=5)
    copy = pickle.loads(pickle.dumps(draws))
    np.testing.assert_array_equal(copy.params, draws.params)
    assert "20 replicates (bayesian, seed 5): 0 failed" in repr(draws)


def test_replicates_that_end_at_a_bound_are_counted_and_kept(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", bounds={"alpha": (0, 0.3)})
    draws = fit.bootstrap(20)
    assert draws.n_at_bound == np.count_nonzero(draws["alpha"] == 0.3) > 0
    assert draws.n_failed == 0


def test_replicates_with_too_few_rows_are_counted_as_failed(power_fit: lf.Fit) -> None:
    weights = np.ones((2, 12))
    weights[0, 2:] = 0
    draws = power_fit.bootstrap(weights=weights)
    assert draws.n_failed == 1
    assert draws.ok.tolist() == [False, True]


def test_a_batch_resamples_each_fit_as_it_would_be_alone(power_runs: Columns) -> None:
    table = {name: np.tile(values, 2) for name, values in power_runs.items()} | {"task": ["a"] * 12 + ["b"] * 12}
    fits = lf.fit_many(lf.laws.power_floor, table, by="task", response="loss", bootstrap=25, seed=4)
    first, second = fits["a"].draws, fits["b"].draws
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.params, second.params)
    alone = lf.fit(lf.laws.power_floor, power_runs, response="loss", seed=4).bootstrap(25, seed=4)
    np.testing.assert_allclose(first.params, alone.params, rtol=SAME_OPTIMUM)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_replicates": 0}, "n_replicates=0"),
        ({"n_replicates": 2.5}, "n_replicates=2.5"),
        ({"resample": "jacknife"}, "resample='jacknife' is not known; .*bayesian, pairs"),
        ({"resample": "cluster"}, "drawn by themselves where the fit has cluster="),
        ({"resample": "hierarchical"}, "name the column of the clusters with cluster="),
        ({"resample": "jackknife", "n_replicates": 100}, "leaves out each of the 12 rows once"),
        ({"resample": "subsample", "share": 1.0}, "share=1.0: give a number between 0 and 1"),
        ({"share": 0.8}, "share: goes with resample=\"subsample\", not resample='bayesian'"),
        ({"resample": "subsample", "share": 0.5, "indices": [[0]]}, "share: goes with .*, not weights= or indices="),
        ({"search": "cold"}, "search='cold'"),
        ({"noise": 0.1}, 'goes with resample="parametric"'),
        ({"resample": "parametric", "noise": [0.1, 0.2]}, r"noise: got shape \(2,\)"),
        ({"resample": "parametric", "noise": -1.0}, "finite and positive"),
        ({"strata": [1, 2]}, r"strata: got shape \(2,\); give one value for each of the 12 rows"),
        ({"strata": "y > 1"}, "strata"),
        ({"studentize": True}, 'use "pairs", "wild" or "parametric", not "bayesian"'),
        ({"studentize": "no"}, "studentize='no': give True or False"),
        ({"studentize": 1}, "studentize=1: give True or False"),
        ({"studentize": True, "weights": np.full((1, 12), 0.5)}, "some of weights= are no whole numbers"),
        ({"strata": np.arange(12) % 2, "weights": np.ones((1, 12))}, "weights= or indices= draws nothing within"),
        ({"strata": np.arange(12) % 2, "indices": [[0]]}, "leave strata= out"),
        ({"strata": np.arange(12) % 2, "resample": "wild"}, "resample='wild' draws nothing within strata"),
        ({"strata": np.arange(12) % 2, "resample": "parametric"}, "leave strata= out"),
        ({"noise": 0.1, "resample": "parametric", "indices": [[0]]}, "noise: goes with .*, not weights= or indices="),
        ({"n_checked": -1}, "n_checked=-1"),
        ({"weights": np.ones((3, 11))}, r"give \(n_replicates, 12\)"),
        ({"weights": -np.ones((3, 12))}, "at least 0"),
        ({"weights": np.full((3, 12), np.nan)}, "finite"),
        ({"indices": [[0, 12]]}, "numbered 0 to 11; got 0 to 12"),
        ({"indices": [[0.5, 1.0]]}, "whole numbers"),
        ({"indices": [[0]], "weights": np.ones((1, 12))}, "not both"),
        ({"indices": [[0]], "n_replicates": 2}, "contradicts the 1 replicates"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_a_bootstrap_that_cannot_mean_anything_is_refused(
    power_fit: lf.Fit, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises((lf.LawError, lf.DataError), match=message):
        lf.bootstrap(power_fit, **arguments)


def test_wrong_questions_to_draws_are_refused(power_fit: lf.Fit) -> None:
    draws = power_fit.bootstrap(10)
    with pytest.raises(KeyError, match="'beta' is not a parameter"):
        _ = draws["beta"]
    with pytest.raises(lf.DataError, match="level=95"):
        draws.interval("alpha", level=95)
    with pytest.raises(lf.DataError, match="'beta' is not a parameter"):
        draws.interval("beta / alpha")
    with pytest.raises(lf.LawError):
        draws.interval("alpha +")


def test_a_batch_has_no_jackknife(power_runs: Columns) -> None:
    with pytest.raises(lf.LawError, match="one replicate for each row or cluster"):
        lf.fit_many(lf.laws.power_floor, [power_runs], response="loss", bootstrap=12, resample="jackknife")


def test_fits_are_pointed_to_the_right_bootstrap(power_runs: Columns) -> None:
    fits: Any = lf.fit_many(lf.laws.power_floor, [power_runs], response="loss")
    with pytest.raises(lf.DataError, match="fit_many"):
        lf.bootstrap(fits)


def test_a_fit_without_an_estimate_cannot_be_resampled() -> None:
    fit = lf.fit(lf.laws.power_floor, {"x": [1e7, 1e8], "loss": [3.0, 2.5]}, response="loss", f_scale=1e-3)
    assert fit.status == "too_few_rows"
    with pytest.raises(lf.DataError, match="no estimate to start from"):
        fit.bootstrap(10)


def test_intervals_of_too_few_replicates_are_undefined(power_fit: lf.Fit) -> None:
    draws = power_fit.bootstrap(weights=np.ones((1, 12)))
    assert np.isnan(draws.interval("alpha")).all()
    assert np.isnan(draws.stderr["alpha"])
    assert "-" in repr(draws)


def test_rows_that_where_leaves_out_do_not_change_the_weights_of_the_others() -> None:
    truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    grid = {"N": np.logspace(8, 10, 8), "D": np.logspace(9, 12, 8)}
    runs = dict(lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.01))
    runs["row"] = np.arange(64.0)
    whole = lf.fit(lf.laws.chinchilla, runs, response="loss").bootstrap(300, seed=1)
    without = lf.fit(lf.laws.chinchilla, runs, response="loss", where="row != 3").bootstrap(300, seed=1)
    # Unpaired draws would have a correlation of about 0 +- .06.
    assert np.corrcoef(whole["alpha"], without["alpha"])[0, 1] > 0.9


def test_two_responses_in_a_long_table_are_resampled_alike() -> None:
    truth = {"E": 1.8, "A": 480.0, "alpha": 0.35}
    runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": np.logspace(7, 10, 20)}, noise=0.01)
    table = {
        "x": np.tile(runs["x"], 2),
        "y": np.concatenate([runs["loss"], 2 * runs["loss"]]),
        "task": ["a"] * 20 + ["b"] * 20,
    }
    fits = lf.fit_many(lf.laws.power_floor, table, by="task", response="y", bootstrap=50)
    first, second = fits["a"].draws, fits["b"].draws
    assert first is not None
    assert second is not None
    # Twice the response has twice the amplitude and the same exponent in every replicate.
    np.testing.assert_allclose(first["alpha"], second["alpha"], rtol=1e-5)


def test_draws_of_a_fit_that_is_not_usable_say_so() -> None:
    runs = {"N": [1e8, 1e10] * 6, "loss": [3.0, 2.0, 3.01, 2.02, 2.99, 2.01] * 2}
    fit = lf.fit("E + A*N**-alpha", runs, response="loss")
    assert fit.status == "unidentified"
    assert "caution: the fit that was resampled is not usable" in repr(fit.bootstrap(20))
