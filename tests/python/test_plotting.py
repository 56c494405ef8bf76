"""Figures: their numbers against references, and what is drawn of them."""

from __future__ import annotations

import importlib
import math
import sys

import numpy as np
import pytest

import lawfit as lf
from lawfit import plotting
from lawfit._figure import short as plotting_short

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
GRID = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "D": [2e9, 1e10, 5e10, 2e11]}


@pytest.fixture(scope="module")
def runs() -> dict[str, np.ndarray]:
    return lf.synthetic.runs(lf.laws.chinchilla, TRUTH, GRID, noise=0.005, seed=0)


@pytest.fixture(scope="module")
def fit(runs: dict[str, np.ndarray]) -> lf.Fit:
    return lf.fit(lf.laws.chinchilla, runs, response="loss", loss="squared")


@pytest.fixture(scope="module")
def draws(fit: lf.Fit) -> lf.Draws:
    return fit.bootstrap(500, seed=0)


def test_lines_are_the_law_and_the_band_its_interval(fit: lf.Fit) -> None:
    data = plotting.law.data(fit)
    assert data["levels"].tolist() == [2e9, 1e10, 5e10, 2e11]
    for level, line in zip(data["levels"], data["lines"], strict=True):
        np.testing.assert_array_equal(line, fit.predict(N=data["grid"], D=level))
    band = fit.predict(N=data["grid"], D=5e10, interval=0.95)
    np.testing.assert_array_equal(data["lower"], band.lower)
    assert data["grid"][-1] > data["data_range"][1] == 1e10


def test_residuals_are_predicted_over_observed_in_logarithms(fit: lf.Fit, runs: dict[str, np.ndarray]) -> None:
    data = plotting.residuals.data(fit, against="N")
    np.testing.assert_allclose(
        data["residual"], np.log(fit.predict(N=runs["N"], D=runs["D"]) / runs["loss"]), rtol=0, atol=1e-14
    )
    worst = int(np.argmax(np.abs(data["residual"])))
    assert data["named"][0] == worst


def test_named_rows_are_counted_in_the_table_not_among_those_used(runs: dict[str, np.ndarray]) -> None:
    some = lf.fit(lf.laws.chinchilla, runs, response="loss", where="N > 2e8")
    data = plotting.residuals.data(some)
    for row, x in zip(data["named"], data["named_x"], strict=True):
        assert some.predict(N=runs["N"][int(row)], D=runs["D"][int(row)]) == pytest.approx(x, rel=1e-12)


def test_quantiles_of_normal_noise_lie_on_the_line() -> None:
    rng = np.random.default_rng(0)
    x = np.linspace(1.0, 2.0, 4000)
    found = lf.fit(
        "a + b*x",
        {"x": x, "y": x + 3.0 + rng.normal(0.0, 0.1, x.size)},
        response="y",
        residual="linear",
        loss="squared",
    )
    data = plotting.quantiles.data(found)
    inside = np.abs(data["expected"]) < 2.0
    assert np.abs(data["residual"] - data["expected"])[inside].max() < 0.15


def test_held_out_runs_are_those_of_the_validation(fit: lf.Fit) -> None:
    validation = fit.validate(by="6*N*D")
    data = plotting.predicted.data(validation)
    np.testing.assert_array_equal(data["held_observed"], validation.rows.actual)
    assert "held out" in data.labels["title"]
    assert plotting.predicted.data(fit)["held_observed"].size == 0


def test_starts_are_sorted_and_counted(fit: lf.Fit) -> None:
    data = plotting.starts.data(fit)
    assert np.all(np.diff(data["excess"]) >= 0.0)
    assert data["counts"].sum() <= data["excess"].size
    assert data["optima"][0] == 0.0


def test_the_path_across_contours_is_the_closed_form(fit: lf.Fit) -> None:
    data = plotting.contours.data(fit)
    a, b = fit.params["alpha"], fit.params["beta"]
    g = (a * fit.params["A"] / (b * fit.params["B"])) ** (1 / (a + b))
    np.testing.assert_allclose(data["path_x"], g * (data["path_x"] * data["path_y"]) ** (b / (a + b)), rtol=1e-9)
    np.testing.assert_allclose(data["spent"][3, 5], 6 * data["x"][5] * data["y"][3])


def test_the_ellipse_is_that_of_the_covariance(draws: lf.Draws) -> None:
    data = plotting.pair.data(draws, "alpha", "beta")
    places = [draws.law.parameters.index(name) for name in ("alpha", "beta")]
    block = draws.fit.covariance[np.ix_(places, places)]
    off = np.stack([data["ellipse_x"], data["ellipse_y"]]) - data["estimate"][:, np.newaxis]
    distance = np.einsum("ik,ij,jk->k", off, np.linalg.inv(block), off)
    np.testing.assert_allclose(distance, -2.0 * math.log(0.05), rtol=1e-9)
    assert plotting.pair.data(draws, "alpha", "beta/alpha")["ellipse_x"].size == 0


def test_the_frontier_is_the_plan_with_its_interval(draws: lf.Draws) -> None:
    front = draws.allocate({"6*N*D": np.logspace(20, 24, 5)})
    data = plotting.frontier.data(front, "D/N", models={"known": (1e22, 20.0)})
    np.testing.assert_array_equal(data["value"], front.plan["D/N"])
    np.testing.assert_array_equal(data["upper"], front.interval("D/N").upper)
    assert data.notes == ("known",)
    assert np.isnan(plotting.frontier.data(front.plan, "N")["lower"]).all()


def test_the_histogram_counts_every_usable_draw(draws: lf.Draws) -> None:
    data = plotting.distribution.data(draws, "beta / (alpha + beta)")
    assert data["counts"].sum() == draws.ok.sum()
    np.testing.assert_array_equal(data["interval"], draws.interval("beta / (alpha + beta)"))


def test_curves_of_equal_compute_go_through_their_lowest_points() -> None:
    compute, size = (grid.ravel() for grid in np.meshgrid([1e20, 1e21], np.logspace(8.5, 10, 7), indexing="ij"))
    loss = lf.laws.chinchilla.evaluate(N=size, D=compute / 6 / size, params=TRUTH)
    found = lf.isoflop({"N": size, "D": compute / 6 / size, "loss": loss}, response="loss", n_replicates=0)
    data = plotting.isoflop.data(found)
    for x, y, one in zip(data["curve_x"], data["curve_y"], found.optima, strict=True):
        assert np.interp(np.log(one.N), np.log(x), y) == pytest.approx(one.response, abs=1e-4)
    found.plot().figure.canvas.draw()


def test_groups_are_compared_in_order(runs: dict[str, np.ndarray]) -> None:
    both = {name: np.tile(values, 2) for name, values in runs.items()}
    both["recipe"] = np.repeat(["a", "b"], runs["loss"].size)
    both["loss"] = both["loss"] * np.where(both["recipe"] == "a", 1.0, 1.1)
    fits = lf.fit_many(lf.laws.chinchilla, both, by="recipe", response="loss")
    data = plotting.compared.data(fits, "E")
    assert data.notes == ("a", "b")
    assert data["value"][0] == fits[0].params["E"]
    assert fits.plot().get_xlabel() == "E"


@pytest.mark.parametrize("kind", ["law", "residuals", "quantiles", "predicted", "starts", "contours"])
def test_every_figure_of_a_fit_draws_into_given_axes_and_new_ones(fit: lf.Fit, kind: str) -> None:
    figure = importlib.import_module("matplotlib.figure").Figure()
    ax = figure.add_subplot()
    assert fit.plot(kind, ax=ax) is ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.lines or ax.collections
    fit.plot(kind).figure.canvas.draw()
    assert "matplotlib.pyplot" not in sys.modules or importlib.import_module("matplotlib.pyplot").get_fignums() == []


def test_figures_of_draws_frontiers_and_groups_are_drawn(draws: lf.Draws) -> None:
    front = draws.allocate({"6*N*D": np.logspace(20, 24, 5)})
    for ax in (
        front.plot(), front.plan.plot(), draws.plot(), plotting.pair(draws, "alpha", "beta"),
        plotting.distribution(draws, "E"),
        plotting.frontier(front, "response", models={"known": (1e22, 2.2)}), draws.fit.validate(by="N*D").plot(),
    ):  # fmt: skip
        ax.figure.canvas.draw()
        assert ax.get_xlabel()


def test_a_fit_that_failed_says_so_in_its_figure() -> None:
    failed = lf.fit(
        "a + b*x + c*z", {"x": [1.0, 2.0], "z": [3.0, 1.0], "y": [1.0, 2.0]}, response="y", residual="linear"
    )
    assert not failed.success
    data = plotting.law.data(failed)
    assert np.isnan(data["lines"]).all()
    assert any("no law" in note for note in data.notes)
    failed.plot().figure.canvas.draw()


def test_one_variable_needs_no_colours() -> None:
    runs = {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9], "loss": [3.4, 2.8, 2.5, 2.2, 2.05, 1.95]}
    found = lf.fit(lf.laws.power_floor, runs, response="loss")
    data = plotting.law.data(found)
    assert data["lines"].shape[0] == 1
    assert data.labels["colour"] == ""
    found.plot().figure.canvas.draw()


def test_wrong_calls_say_what_there_is(fit: lf.Fit) -> None:
    with pytest.raises(lf.LawError, match=r"kind='residual': did you mean 'residuals'\?"):
        fit.plot("residual")
    with pytest.raises(lf.DataError, match="the law has no such variable"):
        plotting.law(fit, variable="k")
    with pytest.raises(lf.DataError, match="two of the law are needed"):
        plotting.contours(fit, variables=("N", "k"))


def test_without_matplotlib_the_message_says_what_to_install(fit: lf.Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(lf.LawfitError, match=r"pip install 'lawfit\[plot\]'"):
        fit.plot()
    assert plotting.residuals.data(fit)["residual"].size == 20


def test_ticks_are_short() -> None:
    shown = [plotting_short(value) for value in (0.5, 2000.0, 5e4, 5e8, 2e9, 1e13, 1e20)]
    assert shown == ["0.5", "2000", "50K", "500M", "2B", "10T", "1e+20"]
