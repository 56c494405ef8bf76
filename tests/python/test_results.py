from __future__ import annotations

import importlib
import json
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf


@pytest.fixture
def two_fits(power_runs: Columns) -> lf.Fits:
    table = {name: np.tile(values, 2) for name, values in power_runs.items()}
    table["loss"][12:] *= 1.5
    task, size = ["a"] * 12 + ["b"] * 12, [1] * 12 + [2] * 12
    return lf.fit_many(
        lf.laws.power_floor, {**table, "task": task, "size": size}, by=["task", "size"], response="loss", bootstrap=20
    )


def test_a_fit_survives_pickling_and_can_still_be_resampled(power_fit: lf.Fit) -> None:
    copy = pickle.loads(pickle.dumps(power_fit))
    assert copy.to_dict() == power_fit.to_dict()
    assert repr(copy) == repr(power_fit)
    np.testing.assert_array_equal(copy.bootstrap(10).params, power_fit.bootstrap(10).params)


def test_a_fit_cannot_be_changed(power_fit: lf.Fit) -> None:
    with pytest.raises(FrozenInstanceError):
        power_fit.objective = 0.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        power_fit.params["alpha"] = 1.0  # type: ignore[index]


def test_an_unknown_parameter_is_answered_with_those_that_there_are(power_fit: lf.Fit) -> None:
    with pytest.raises(KeyError, match="E, A, alpha"):
        _ = power_fit.params["beta"]


def test_the_printed_fit_states_every_option_and_number_that_matters(power_fit: lf.Fit) -> None:
    shown = str(power_fit)
    for part in (
        "loss = E + A*x**-alpha",
        "variables: x; parameters: E, A, alpha",
        "loss=huber",
        "f_scale=",
        "(mad)",
        "residual=log",
        "seed=0",
        "12 used of 12",
        "converged",
        power_fit.covariance_type,
        power_fit.kernels,
        f"{power_fit.objective:.12g}",
    ):
        assert part in shown


def test_standard_errors_are_the_roots_of_the_covariance(power_fit: lf.Fit) -> None:
    np.testing.assert_array_equal(list(power_fit.stderr.values()), np.sqrt(np.diagonal(power_fit.covariance)))


def test_to_dict_is_json_with_every_digit_and_a_version(power_fit: lf.Fit) -> None:
    read = json.loads(json.dumps(power_fit.to_dict(), allow_nan=False))
    assert read["format"] == "lawfit.fit"
    assert read["version"] == 1
    assert read["objective"] == power_fit.objective
    assert read["params"] == dict(power_fit.params)


def test_distinct_optima_count_the_starts_that_found_them(power_fit: lf.Fit) -> None:
    assert power_fit.starts is not None
    best = power_fit.optima[0]
    assert best.objective == pytest.approx(power_fit.objective, rel=1e-9)
    assert best.count == round(power_fit.start_agreement * len(power_fit.starts.objective))
    assert sum(optimum.count for optimum in power_fit.optima) <= len(power_fit.starts.objective)


def test_optima_that_differ_by_rounding_are_one(power_runs: Columns) -> None:
    three = {name: values[[0, 5, 11]] for name, values in power_runs.items()}
    for loss in ("squared", "huber"):
        fit = lf.fit(lf.laws.power_floor, three, response="loss", loss=loss)
        assert len(fit.optima) == fit.certificate.n_optima == 1
        assert fit.optima[0].count == fit.certificate.n_best


def test_a_term_that_dies_is_reported() -> None:
    sizes = np.logspace(7, 10, 20)
    runs = {"N": sizes, "D": np.roll(sizes, 7), "loss": 1.7 + 400 * sizes**-0.34}
    fit = lf.fit(lf.laws.chinchilla, runs, response="loss", bounds={"beta": (0.1, 2)}, f_scale=1e-3)
    assert fit.dead_terms == ("B*D**-beta",) or not fit.success or fit.params["B"] < 1e-6
    assert fit.warnings


def test_runs_on_one_ratio_of_tokens_to_parameters_are_called_unidentified() -> None:
    sizes = np.logspace(7, 10, 30)
    truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.35}
    loss = lf.laws.chinchilla.evaluate(N=sizes, D=20 * sizes, params=truth)
    fit = lf.fit(lf.laws.chinchilla, {"N": sizes, "D": 20 * sizes, "loss": loss}, response="loss", f_scale=1e-3)
    assert fit.warnings, fit


def test_residuals_outside_the_scale_are_warned_of(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", f_scale=1e-6)
    assert fit.inside_scale < 0.3
    assert any("residuals lie inside f_scale" in warning for warning in fit.warnings)


def test_a_frame_of_data_that_came_in_none_must_be_named(power_fit: lf.Fit) -> None:
    with pytest.raises(lf.DataError, match="'pandas', 'polars', 'pyarrow'"):
        power_fit.to_frame()
    with pytest.raises(lf.DataError, match="library='spark' is not known"):
        power_fit.to_frame("spark")
    frame = power_fit.to_frame("pandas")
    assert frame["parameter"].tolist() == ["E", "A", "alpha"]
    assert frame["estimate"].tolist() == list(power_fit.params.values())


def test_fits_are_found_by_key_and_by_position(two_fits: lf.Fits) -> None:
    assert two_fits.keys == (("a", 1), ("b", 2))
    assert two_fits["b", 2].objective == two_fits[1].objective == two_fits[-1].objective
    assert [fit.key for fit in two_fits] == list(two_fits.keys)
    with pytest.raises(KeyError, match=r"no fit has the key 'c' for task, size"):
        _ = two_fits["c"]
    with pytest.raises(IndexError, match="there are 2 fits"):
        _ = two_fits[2]


def test_fits_have_plural_arrays_and_masks(two_fits: lf.Fits) -> None:
    assert len(two_fits) == 2
    assert two_fits.params["alpha"].shape == two_fits.stderr["alpha"].shape == two_fits.objective.shape == (2,)
    assert two_fits.ok.tolist() == [True, True]
    assert two_fits.failed.tolist() == [False, False]
    assert two_fits.status.tolist() == [fit.status for fit in two_fits]
    assert two_fits.params["alpha"][1] == two_fits[1].params["alpha"]


def test_frames_of_a_batch_have_a_row_per_parameter_or_per_fit(two_fits: lf.Fits) -> None:
    params = two_fits.to_frame("params", library="pandas")
    assert list(params.columns) == [
        "task",
        "size",
        "parameter",
        "estimate",
        "stderr",
        "lower",
        "upper",
        "at_bound",
        "status",
    ]
    assert len(params) == 6
    assert (params["lower"] <= params["upper"]).all()
    fits = two_fits.to_frame("fits", library="polars")
    assert fits["objective"].to_list() == two_fits.objective.tolist()
    with pytest.raises(lf.DataError, match="choose one of: params, fits"):
        two_fits.to_frame("rows", library="pandas")


def test_a_frame_library_that_is_not_installed_is_named(power_fit: lf.Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(lf.DataError, match="library='polars' is not installed"):
        power_fit.to_frame("polars")


def test_a_batch_prints_and_survives_pickling(two_fits: lf.Fits) -> None:
    copy = pickle.loads(pickle.dumps(two_fits))
    assert repr(copy) == repr(two_fits)
    assert "2 fits by task, size: 2 ok, 0 failed" in repr(two_fits)
    assert copy.to_dict() == two_fits.to_dict()
    json.dumps(two_fits.to_dict(), allow_nan=False)


def test_results_that_hold_draws_print_their_intervals(two_fits: lf.Fits) -> None:
    shown = str(two_fits[0])
    assert "97.5 %" in shown
    assert "20 replicates (bayesian, seed=0)" in shown


def test_named_values_compare_and_hash_by_content(power_fit: lf.Fit) -> None:
    copy = pickle.loads(pickle.dumps(power_fit.params))
    assert copy == power_fit.params == dict(power_fit.params)
    assert hash(copy) == hash(power_fit.params)
    assert repr(copy) == repr(dict(power_fit.params))


def test_a_large_batch_prints_its_beginning_and_says_how_many_more(power_runs: Columns) -> None:
    fits = lf.fit_many(lf.laws.power_floor, [power_runs] * 33, response="loss", starts=2)
    assert "33 fits by table: 33 ok, 0 failed" in repr(fits)
    assert "... 3 more" in repr(fits)
    one_row = {name: values[:1] for name, values in power_runs.items()}
    failing = lf.fit_many(lf.laws.power_floor, [power_runs, one_row], response="loss", f_scale=1e-3)
    assert "1 ok, 1 failed\nfailed: too_few_rows 1" in repr(failing)


def test_a_fit_prints_its_group_its_weights_and_what_is_fixed(power_runs: Columns) -> None:
    table = {**power_runs, "task": ["easy"] * 12}
    fits = lf.fit_many(
        lf.laws.power_floor, table, by="task", response="loss", weights=np.ones(12), fixed={"E": 1.7}, where="x > 0"
    )
    shown = str(fits["easy"])
    for part in ("task = easy", "given, as precisions", "fixed", "12 used of 12 (where x > 0)"):
        assert part in shown


def test_the_printed_optima_are_the_best_few(power_fit: lf.Fit) -> None:
    shown = next(line for line in str(power_fit).splitlines() if line.startswith("optima"))
    assert shown.count("(") == min(len(power_fit.optima), 4)


def test_a_standard_error_above_the_estimate_is_warned_of() -> None:
    sizes = np.logspace(7, 10, 30)
    wiggle = np.exp(0.02 * np.random.default_rng(0).standard_normal((2, 30)) * [[0.5], [0.3]])
    truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    loss = lf.laws.chinchilla.evaluate(N=sizes, D=20 * sizes * wiggle[0], params=truth) * wiggle[1]
    fit = lf.fit(lf.laws.chinchilla, {"N": sizes, "D": 20 * sizes * wiggle[0], "loss": loss}, response="loss")
    assert fit.warnings
    assert not fit.success or any("hardly determine" in warning for warning in fit.warnings)


def test_a_key_that_is_called_like_a_figure_is_kept_beside_it() -> None:
    runs = {"x": [1.0, 2.0, 4.0, 8.0] * 2, "y": [3.0, 2.2, 1.7, 1.45] * 2, "status": ["a"] * 4 + ["b"] * 4}
    fits = lf.fit_many("E + A*x**-a", runs, by="status", response="y")
    for what in ("params", "fits"):
        columns = lf._export.columns_of(fits, what)
        assert set(columns["by_status"]) == {"a", "b"}
        assert "a" not in columns["status"]


def test_a_dictionary_of_a_fit_says_what_was_mapped_and_weighted() -> None:
    runs = {"p": [1.0, 2.0, 4.0, 8.0, 16.0], "y": [3.0, 2.2, 1.7, 1.45, 1.3], "w": [1.0, 2.0, 1.0, 1.0, 1.0]}
    fit = lf.fit("E + A*x**-a", runs, response="y", columns={"x": "3*p"}, weights="w")
    found = fit.to_dict()
    assert (found["columns"], found["weights"]) == ({"x": "3*p"}, "w")
    assert "x = 3*p" in repr(fit)
    assert "w, as precisions" in repr(fit)
    assert lf.fit("E + A*p**-a", runs, response="y").to_dict()["weights"] is None
