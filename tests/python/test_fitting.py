from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH, Columns
from test_laws import TRUTHS

import lawfit as lf
from lawfit import _arrays, _engine

GRIDS: dict[str, dict[str, Any]] = {
    "power_floor": {"x": np.logspace(6.5, 10.5, 40)},
    "chinchilla": {"N": np.logspace(7, 10.5, 8), "D": np.logspace(8.5, 12, 8)},
    "kaplan_nd": {"N": np.logspace(6, 9.5, 8), "D": np.logspace(7.5, 11, 8)},
    "t2_loss": {"N": np.logspace(6.5, 9.5, 6), "D": np.logspace(8, 11, 6), "k": np.logspace(0, 3, 6)},
    "parscale": {"N": np.logspace(8, 10, 8), "P": np.array([1.0, 2.0, 4.0, 8.0])},
}
NOISE = 1e-3
# Estimates of noisy data scatter by their standard errors; five of them leave one false alarm in two million.
STANDARD_ERRORS = 5.0
# Of data without noise the optimum is the truth, up to the curvature's condition times rounding.
EXACT = 1e-6
# The same problem, stated differently, ends at the same optimum up to the tolerance of the stop.
SAME = 1e-9


# Without noise all laws are recovered in test_laws.py; these designs tell all parameters through noise.
@pytest.mark.parametrize("name", list(GRIDS))
@pytest.mark.parametrize("residual", ["log", "linear"])
def test_laws_are_recovered_from_their_own_noisy_runs(name: str, residual: str) -> None:
    law, truth = lf.laws.CATALOGUE[name], TRUTHS[name]
    runs = lf.synthetic.runs(law, truth, GRIDS[name], noise=NOISE, seed=3)
    fit = lf.fit(law, runs, response="loss", residual=residual)
    assert fit.success, fit.message
    for key, true in truth.items():
        assert abs(fit.params[key] - true) <= STANDARD_ERRORS * fit.stderr[key], (key, fit)
        assert fit.stderr[key] < abs(true), (key, fit)
    predicted = fit.predict({key: runs[key] for key in law.variables or ()})
    np.testing.assert_allclose(predicted, runs["loss"], rtol=STANDARD_ERRORS * NOISE)


@pytest.mark.parametrize("loss", _engine.registries().losses)
def test_runs_without_noise_give_the_truth_under_every_loss(loss: str) -> None:
    runs = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, GRIDS["power_floor"])
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", loss=loss, f_scale=1e-3)
    for key, true in POWER_TRUTH.items():
        assert fit.params[key] == pytest.approx(true, rel=EXACT)


def test_the_objective_is_the_sum_of_weighted_losses_of_the_residuals(power_runs: Columns) -> None:
    weights = np.linspace(0.5, 2.0, 12)
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", f_scale=1e-3, weights=weights)
    size = np.abs(np.log(fit.predict(x=power_runs["x"])) - np.log(power_runs["loss"]))
    huber = np.where(size <= 1e-3, 0.5 * size**2, 1e-3 * (size - 0.5e-3))
    assert fit.objective == pytest.approx(float(np.sum(weights * huber)), rel=SAME)
    assert fit.f_scale == 1e-3


def test_sse_is_the_sum_of_squared_residuals(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", loss="squared", residual="linear")
    residuals = fit.predict(x=power_runs["x"]) - power_runs["loss"]
    assert fit.sse == pytest.approx(float(residuals @ residuals), rel=SAME)
    assert fit.objective == pytest.approx(0.5 * fit.sse, rel=SAME)


def test_a_formula_is_a_law_whose_variables_are_the_columns(power_runs: Columns) -> None:
    fit = lf.fit("E + A*x**-alpha", power_runs, response="loss", bounds={"E": (0, None), "A": (0, None)}, f_scale=1e-3)
    same = lf.fit(lf.laws.power_floor, power_runs, response="loss", f_scale=1e-3)
    assert fit.rows.variables == ("x",)
    assert fit.objective == pytest.approx(same.objective, rel=1e-6)


def test_columns_map_variables_to_columns_and_formulas(power_runs: Columns) -> None:
    direct = lf.fit(lf.laws.power_floor, power_runs, response="loss", f_scale=1e-3)
    renamed = {"params": power_runs["x"] / 6, "loss": power_runs["loss"]}
    mapped = lf.fit(lf.laws.power_floor, renamed, response="loss", columns={"x": "6*params"}, f_scale=1e-3)
    assert mapped.objective == pytest.approx(direct.objective, rel=1e-6)


def test_the_response_may_be_a_formula_over_columns(power_runs: Columns) -> None:
    doubled = {"x": power_runs["x"], "loss": power_runs["loss"] / 2}
    direct = lf.fit(lf.laws.power_floor, power_runs, response="loss", f_scale=1e-3)
    formula = lf.fit(lf.laws.power_floor, doubled, response="2*loss", f_scale=1e-3)
    assert formula.params["alpha"] == pytest.approx(direct.params["alpha"], rel=1e-6)


def test_where_leaves_rows_out_and_their_values_do_not_matter(power_runs: Columns) -> None:
    keep = np.arange(12) % 4 != 3
    bad = np.where(keep, power_runs["loss"], np.nan)
    fit = lf.fit(lf.laws.power_floor, power_runs | {"loss": bad, "keep": keep}, response="loss", where="keep")
    part = {name: values[keep] for name, values in power_runs.items()}
    assert fit.objective == lf.fit(lf.laws.power_floor, part, response="loss").objective
    assert fit.n_rows == 9
    assert fit.rows.positions.tolist() == np.flatnonzero(keep).tolist()


def test_fixed_parameters_stay_and_have_no_standard_error(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", fixed={"E": 1.7})
    assert fit.params["E"] == 1.7
    assert not fit.stderr["E"] > 0
    assert fit.stderr["alpha"] > 0


def test_an_active_bound_is_reached_exactly_and_reported(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", bounds={"alpha": (0, 0.3)})
    assert fit.params["alpha"] == 0.3
    assert fit.status == "converged_at_bound"
    assert fit.at_bound == ("alpha",)
    assert np.isnan(fit.stderr["alpha"])
    assert any("alpha is at its bound 0.3" in warning for warning in fit.warnings)


def test_given_starts_are_where_the_search_begins(power_runs: Columns) -> None:
    starts: dict[str, Any] = {"E": 1.5, "A": [100.0, 500.0], "alpha": [0.3, 0.4]}
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", starts=starts)
    assert fit.starts is not None
    assert fit.starts.params.tolist() == [[1.5, 100.0, 0.3], [1.5, 500.0, 0.4]]


def test_a_number_of_starts_is_how_many_there_are(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", starts=7)
    assert fit.starts is not None
    assert fit.starts.objective.shape == (7,)


def test_another_seed_draws_other_starts_and_finds_the_same_optimum(power_runs: Columns) -> None:
    fits = [lf.fit(lf.laws.power_floor, power_runs, response="loss", seed=seed) for seed in (0, 1)]
    assert fits[0].starts is not None
    assert fits[1].starts is not None
    assert not np.array_equal(fits[0].starts.params, fits[1].starts.params)
    assert fits[0].objective == pytest.approx(fits[1].objective, rel=SAME)


def test_a_fit_that_could_not_begin_does_not_ask_for_more_starts() -> None:
    fit = lf.fit("E + A*x**-a", {"x": [1.0, 2.0], "y": [2.0, 1.5]}, response="y")
    assert fit.status == "too_few_rows"
    assert len(fit.warnings) == 1


def test_fewer_rows_than_parameters_is_a_status_and_not_an_error() -> None:
    fit = lf.fit(lf.laws.power_floor, {"x": [1e7, 1e8], "loss": [3.0, 2.5]}, response="loss")
    assert fit.status == "too_few_rows"
    assert not fit.success
    assert any("not usable" in warning for warning in fit.warnings)


def test_fit_many_gives_each_group_the_fit_that_it_has_alone(power_runs: Columns) -> None:
    table = {name: np.concatenate([values, values]) for name, values in power_runs.items()}
    table["loss"][12:] *= 1.5
    fits = lf.fit_many(lf.laws.power_floor, {**table, "task": ["a"] * 12 + ["b"] * 12}, by="task", response="loss")
    assert fits.keys == (("a",), ("b",))
    assert fits.by == ("task",)
    alone = lf.fit(lf.laws.power_floor, power_runs, response="loss")
    assert fits["a"].objective == alone.objective
    assert dict(fits["a"].params) == dict(alone.params)
    assert fits.ok.all()


def test_neither_more_groups_nor_more_rows_call_more_of_python() -> None:
    def calls_of(n_groups: int, n_rows: int) -> int:
        x = np.tile(np.geomspace(1e7, 1e10, n_rows), n_groups)
        tasks = np.repeat([f"task {i:02}" for i in range(n_groups)], n_rows)
        count = 0

        def on_event(_frame: object, event: str, _argument: object) -> None:
            nonlocal count
            count += event == "call"

        table = {"x": x, "task": tasks, "loss": 1.7 + 400.0 * x**-0.34}
        sys.setprofile(on_event)
        try:
            lf.fit_many(lf.laws.power_floor, table, by="task", response="loss", starts=2, n_threads=1)
        finally:
            sys.setprofile(None)
        return count

    calls_of(2, 4)  # what is made once in a process
    few = calls_of(2, 4)
    assert calls_of(60, 4) == few
    assert calls_of(2, 400) == few


def test_groups_may_be_ragged_and_a_bad_one_does_not_spoil_its_neighbours(power_runs: Columns) -> None:
    task = np.array(["a"] * 7 + ["b"] * 1 + ["c"] * 4)
    fits = lf.fit_many(lf.laws.power_floor, {**power_runs, "task": task}, by=["task"], response="loss", f_scale=1e-3)
    assert fits.failed.tolist() == [False, True, False]
    assert fits.status[1] == "too_few_rows"
    part = {name: values[:7] for name, values in power_runs.items()}
    assert fits["a"].objective == lf.fit(lf.laws.power_floor, part, response="loss", f_scale=1e-3).objective


def test_several_tables_are_fitted_in_one_call(power_runs: Columns) -> None:
    from_list = lf.fit_many(lf.laws.power_floor, [power_runs, power_runs], response="loss")
    assert from_list.keys == ((0,), (1,))
    by_name = lf.fit_many(lf.laws.power_floor, {"u": power_runs, "v": power_runs}, response="loss")
    assert by_name.keys == (("u",), ("v",))
    assert by_name["v"].objective == from_list[0].objective


def test_the_input_is_never_changed(power_runs: Columns) -> None:
    before = {name: values.copy() for name, values in power_runs.items()}
    lf.fit(lf.laws.power_floor, power_runs, response="loss")
    for name, values in before.items():
        np.testing.assert_array_equal(power_runs[name], values)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_every_frame_library_gives_the_same_fit_and_gets_its_own_frames_back(library: str, power_runs: Columns) -> None:
    module = importlib.import_module(library)
    frame = module.table(power_runs) if library == "pyarrow" else module.DataFrame(power_runs)
    fit = lf.fit(lf.laws.power_floor, frame, response="loss")
    assert fit.objective == lf.fit(lf.laws.power_floor, power_runs, response="loss").objective
    assert type(fit.to_frame()).__module__.startswith(library)


def test_progress_is_reported_to_the_callers_function(power_runs: Columns) -> None:
    seen: list[tuple[int, int]] = []
    lf.fit(lf.laws.power_floor, power_runs, response="loss", progress=lambda done, total: seen.append((done, total)))
    assert all(0 <= done <= total for done, total in seen)


def test_threads_come_from_the_argument_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _arrays.THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert _arrays.resolve_threads(None) == _engine.default_threads() >= 1
    for name, count in zip(reversed(_arrays.THREAD_VARIABLES), (5, 4, 3), strict=True):
        monkeypatch.setenv(name, str(count))
        assert _arrays.resolve_threads(None) == count
    assert _arrays.resolve_threads(2) == 2
    monkeypatch.setenv("LAWFIT_NUM_THREADS", "many")
    with pytest.raises(lf.DataError, match="LAWFIT_NUM_THREADS='many'"):
        _arrays.resolve_threads(None)


def test_the_default_number_of_threads_respects_the_processors_of_this_process() -> None:
    assert _engine.default_threads() <= (os.cpu_count() or 1)


def test_real_groups_are_fitted_in_one_call(real_data: Callable[[str], Path]) -> None:
    fits = lf.fit_many(
        lf.laws.chinchilla,
        real_data("isoflop_experiments.csv"),
        by="experiment",
        response="loss",
        columns={"N": "params", "D": "tokens"},
        starts=16,
    )
    assert len(fits) == 8
    assert fits.raw.n_rows_used.sum() == 947
