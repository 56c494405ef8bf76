"""Figures of plans: their numbers against closed forms, other calls and the engine, and that they are drawn."""

from __future__ import annotations

import html
import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit import plotting

HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
T2 = {**HOFFMANN, "G": 2.0, "gamma": 0.3}
TRAIN, SERVE = "6*N*D", "2*N*k"
GRID = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "D": [2e9, 1e10, 5e10, 2e11]}
BUDGETS = np.logspace(19, 24, 11)


@pytest.fixture(scope="module")
def front() -> lf.Frontier:
    truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    runs = lf.synthetic.runs(lf.laws.chinchilla, truth, GRID, noise=0.005, seed=0)
    draws = lf.fit(lf.laws.chinchilla, runs, response="loss", loss="squared", n_threads=1).bootstrap(500, n_threads=1)
    return draws.allocate({TRAIN: BUDGETS})


def plan_of_t2(amounts: object = BUDGETS, served: object = 2e9) -> lf.Allocation:
    return lf.allocate(lf.laws.t2_loss, {TRAIN: amounts, SERVE: served}, params=T2)  # type: ignore[dict-item]


def test_frontiers_are_the_plans_with_their_intervals(front: lf.Frontier) -> None:
    data = plotting.frontiers.data({"fitted": front, "published": plan_of_t2()}, level=0.9)
    assert data.names["lines"] == ("fitted", "published")
    assert data.names["panels"] == ("D/N", "N", "D")
    for quantity in data.names["panels"]:
        band = front.interval(quantity, 0.9)
        np.testing.assert_array_equal(data[quantity][0], front.plan[quantity])
        np.testing.assert_array_equal(data[f"{quantity} lower"][0], band.lower)
        np.testing.assert_array_equal(data[f"{quantity} upper"][0], band.upper)
        assert np.isnan(data[f"{quantity} lower"][1]).all()
    np.testing.assert_allclose(data["N"] * data["D"] * 6.0, data["budget"], rtol=1e-9)


def test_one_sample_is_chinchilla_in_closed_form() -> None:
    plan = lf.allocate(lf.laws.t2_loss, {TRAIN: BUDGETS}, params=T2, at={"k": 1})
    a, b = T2["alpha"], T2["beta"]
    expected = (a * T2["A"] / (b * T2["B"])) ** (1 / (a + b)) * (BUDGETS / 6.0) ** (b / (a + b))
    np.testing.assert_allclose(plotting.frontiers.data(plan)["N"][0], expected, rtol=1e-8)


def test_lines_are_sorted_along_the_budget_that_varies() -> None:
    shuffled = np.array([1e22, 1e19, 1e24, 1e20])
    plan = lf.allocate(lf.laws.t2_loss, {SERVE: 2e9, TRAIN: shuffled}, params=T2)
    data = plotting.frontiers.data(plan)
    assert data.labels["x"] == "training FLOP C = 6ND"
    np.testing.assert_array_equal(data["budget"][0], np.sort(shuffled))
    np.testing.assert_array_equal(data["N"][0], plan["N"][np.argsort(shuffled)])
    served = lf.allocate(lf.laws.t2_loss, {TRAIN: 1e22, SERVE: [1e9, 1e11]}, params=T2)
    assert plotting.frontiers.data(served).labels["x"] == "budget 2*N*k"


def test_a_grid_of_budgets_is_a_line_for_each_amount_of_the_others() -> None:
    data = plotting.frontiers.data({"T²": plan_of_t2(BUDGETS[:, np.newaxis], [2e9, 1.4e11]), "one": plan_of_t2([1e20])})
    assert data.names["lines"] == ("T², 2*N*k = 2e+09", "T², 2*N*k = 1.4e+11", "one")
    for row, served in enumerate((2e9, 1.4e11)):
        np.testing.assert_array_equal(data["N"][row], plan_of_t2(BUDGETS, served)["N"])
    assert np.isfinite(data["N"][2]).tolist() == [True] + [False] * (BUDGETS.size - 1)
    together = plotting.frontiers.data(plan_of_t2([1e20, 1e21, 1e22], [1e9, 1e10, 1e11]))
    assert together["N"].shape == (1, 3)


def test_points_without_an_optimum_are_gaps_that_the_notes_explain() -> None:
    # One FLOP to answer with is less than one parameter and one sample need.
    plan = plan_of_t2(BUDGETS[:, np.newaxis], [1.0, 2e9])
    data = plotting.frontiers.data({"T²": plan})
    np.testing.assert_array_equal(np.isnan(data["N"]).all(axis=1), [True, False])
    np.testing.assert_array_equal(np.isnan(data["N"]).any(axis=1), [True, False])
    assert any(note.startswith("T²: ") and "nothing within the bounds" in note for note in data.notes)


def test_points_without_an_interval_are_gaps_that_the_notes_explain(front: lf.Frontier) -> None:
    few = front.draws.fit.bootstrap(8, seed=0, n_threads=1).allocate({TRAIN: BUDGETS})
    data = plotting.frontiers.data({"few": few})
    band = few.interval("N")
    assert band.note is not None
    np.testing.assert_array_equal(np.isnan(data["N lower"][0]), np.isnan(band.lower))
    # Said once, for all three quantities that it is true of.
    assert sum(note == f"few: D/N, N, D: {band.note}" for note in data.notes) == 1


def test_what_is_outside_is_what_lies_beyond_the_data_in_a_variable(front: lf.Frontier) -> None:
    data = plotting.frontiers.data({"fitted": front, "published": plan_of_t2()})
    n, d = front.plan["N"], front.plan["D"]
    expected = (n < 1e8) | (n > 1e10) | (d < 2e9) | (d > 2e11)
    expected |= (d / n > 2e11 / 1e8) | (d / n < 2e9 / 1e10) | (n * d > 1e10 * 2e11) | (n * d < 1e8 * 2e9)
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(data["is_outside"][0], expected)
    assert np.isnan(data["is_outside"][1]).all()
    assert any(note.startswith("fitted: N is up to") for note in data.notes)


def test_a_ratio_that_no_run_has_is_outside_though_each_variable_is_inside() -> None:
    params = {**HOFFMANN, "A": 4.0}
    size = np.repeat([1e8, 1e9, 1e10], 3)
    runs = {"N": size, "D": size * np.tile([10.0, 20.0, 40.0], 3)}
    loss = lf.laws.chinchilla.evaluate(runs, params=params) * np.tile([1.001, 0.999, 1.0005], 3)
    fit = lf.fit(lf.laws.chinchilla, {**runs, "loss": loss}, response="loss", loss="squared", n_threads=1)
    # 100 and 200 tokens a parameter, of a size and with tokens that other runs have.
    front = fit.bootstrap(40, n_threads=1).allocate({TRAIN: [9.6e19, 1.92e20]}, at={"N": 4e8})
    assert front.plan["D"].tolist() == pytest.approx([4e10, 8e10])
    data = plotting.frontiers.data({"a": front, "ranges": front.plan})
    assert data["is_outside"].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert "a: D/N is up to 5 times the largest in the data" in data.notes


def test_real_runs_end_at_their_largest_compute(real_data: Any) -> None:
    runs = lf.read_table(real_data("porian_rw_88.csv"))
    draws = lf.fit(lf.laws.chinchilla, runs, response="loss", n_threads=1).bootstrap(50, n_threads=1)
    # The largest level of the grid is 2.56e19: beyond it N and D are still among the runs', their product is not.
    data = plotting.frontiers.data(draws.allocate({TRAIN: [1e17, 2.5e19, 2.7e19, 5.12e19]}))
    assert data["is_outside"].tolist() == [[0.0, 0.0, 1.0, 1.0]]
    assert "N*D is up to 2 times the largest in the data" in data.notes


def test_grey_is_where_every_line_with_data_is_outside(front: lf.Frontier) -> None:
    axes = plotting.frontiers({"fitted": front, "published": plan_of_t2()})
    outside = plotting.frontiers.data(front)["is_outside"][0] == 1.0
    # The data lie between: one stretch of budgets below them, one above.
    first, last = int(np.argmin(outside)), outside.size - int(np.argmin(outside[::-1])) - 1
    assert not outside[first : last + 1].any()
    below, above = BUDGETS[:first], BUDGETS[last + 1 :]
    expected = [(part[0], part[-1]) for part in (below, above) if part.size > 1]
    assert expected
    for ax in axes:
        spans = [patch for patch in ax.patches if hasattr(patch, "get_width")]
        found = [(span.get_x(), span.get_x() + span.get_width()) for span in spans]
        np.testing.assert_allclose(found, expected)


def test_known_models_stand_where_the_formula_of_the_budget_puts_them() -> None:
    data = plotting.frontiers.data(plan_of_t2(), models=plotting.PUBLIC_MODELS)
    place = data.names["models"].index("Chinchilla-70B")
    assert data["model_x"][place] == pytest.approx(5.88e23)
    assert data["model D/N"][place] == pytest.approx(20.0)
    assert data["model D"][data.names["models"].index("LFM2.5-350M")] == pytest.approx(28e12)
    assert set(plotting.MODEL_SOURCES) == set(plotting.PUBLIC_MODELS)
    only = plotting.frontiers.data(plan_of_t2(), ["N", "k"], models=plotting.PUBLIC_MODELS)
    assert np.isnan(only["model k"]).all()


def test_bands_of_what_is_near_the_best_are_those_of_the_plan() -> None:
    plan = plan_of_t2(BUDGETS[::-1])
    data = plotting.near_optimal.data(plan, shares=[0.2, 0.05])
    assert data["shares"].tolist() == [0.05, 0.2]
    for row, share in enumerate((0.05, 0.2)):
        lower, upper = plan.near(share)["N"]
        np.testing.assert_array_equal(data["lower"][row], lower[::-1])
        np.testing.assert_array_equal(data["upper"][row], upper[::-1])
    # Their ends cost as much more as they say: the others chosen anew under larger budgets.
    end = data["lower"][1, 0]
    more = {TRAIN: 1.2 * BUDGETS[0], SERVE: 1.2 * 2e9}
    again = lf.allocate(lf.laws.t2_loss, more, params=T2, at={"N": float(end)})
    assert float(again["response"]) == pytest.approx(float(plan["response"][-1]), rel=1e-9)


def test_pictures_of_the_docs_are_those_of_their_script() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    script = runpy.run_path(str(docs / "figure_pictures.py"))
    # The benchmark draws its own.
    assert {path.stem for path in (docs / "pictures").iterdir()} == {*script["PICTURES"], "peers"}
    page = (docs / "figures.md").read_text(encoding="utf-8")
    for name, draw in script["PICTURES"].items():
        assert f"(pictures/{name}.svg)" in page
        labels = [text for ax in draw().axes for text in (ax.get_xlabel(), ax.get_ylabel()) if text]
        drawn = html.unescape((docs / "pictures" / f"{name}.svg").read_text(encoding="utf-8"))
        assert labels
        assert all(f">{label}<" in drawn for label in labels), name


def test_figures_of_plans_are_drawn(front: lf.Frontier) -> None:
    axes = front.plot("frontiers")
    axes[0].figure.canvas.draw()
    assert [ax.get_ylabel() for ax in axes] == [
        "best tokens per parameter D/N", "best parameters N", "best training tokens D",
    ]  # fmt: skip
    assert all(ax.get_xscale() == "log" for ax in axes)
    given = axes[0].figure.subplots(1, 2)
    assert plotting.frontiers(front, ["N", "response"], ax=given) == tuple(given)
    plotting.near_optimal(front).figure.canvas.draw()
    lone = lf.allocate(lf.laws.chinchilla, {TRAIN: 1e21}, params=HOFFMANN)
    plotting.frontiers(lone)[0].figure.canvas.draw()
    assert math.isfinite(plotting.near_optimal.data(lone)["upper"][0, 0])


@pytest.fixture(scope="module")
def sampled() -> lf.Fit:
    grid: dict[str, list[float]] = {"N": [1e8, 4e8, 1.6e9], "D": [2e9, 8e9, 3.2e10], "k": [1, 8, 64]}
    runs = lf.synthetic.runs(lf.laws.t2_loss, T2, grid, response="y", noise=0.001)
    return lf.fit(lf.laws.t2_loss, runs, response="y", cluster="N", n_threads=1)


def test_contours_under_a_second_budget_spend_it_in_every_cell(sampled: lf.Fit) -> None:
    data = plotting.contours.data(sampled, also={SERVE: 6e9})
    k = 6e9 / (2.0 * data["x"])
    assert k[0] > 1.0 > k[-1]
    expected = sampled.predict(N=data["x"], D=data["y"][:, np.newaxis], k=np.maximum(k, 1.0))
    np.testing.assert_allclose(data["response"], np.where(k >= 1.0, expected, np.nan), rtol=1e-9)
    assert "nothing is drawn where other budgets leave nothing" in data.notes
    plan = sampled.allocate({TRAIN: 6.0 * data["path_x"] * data["path_y"], SERVE: 6e9})
    np.testing.assert_allclose(data["path_x"], plan["N"], rtol=1e-6)
    np.testing.assert_allclose(data["spent"], 6.0 * data["x"] * data["y"][:, np.newaxis], rtol=1e-12)
    plotting.contours(sampled, also={SERVE: 6e9}).figure.canvas.draw()


def test_contours_reach_to_the_path_beyond_the_runs(sampled: lf.Fit) -> None:
    data = plotting.contours.data(sampled, also={SERVE: 2e8})
    assert data["path_x"].min() < 1e8 / 3.0
    assert data["x"][0] == pytest.approx(data["path_x"].min())
    held = plotting.contours.data(sampled, at={"k": 1})
    assert (held["x"][0], held["x"][-1]) == pytest.approx((1e8 / 3.0, max(1.6e9 * 3.0, held["path_x"].max())))
    np.testing.assert_allclose(held["response"][4], sampled.predict(N=held["x"], D=held["y"][4], k=1), rtol=1e-12)


def test_contours_of_what_should_be_large_lead_along_its_best(sampled: lf.Fit) -> None:
    law = lf.Law("1 - A*N**-alpha - B*D**-beta", ["N", "D"])
    truth = {"A": 100.0, "alpha": 0.34, "B": 100.0, "beta": 0.3}
    runs = lf.synthetic.runs(law, truth, GRID, response="accuracy", noise=0.0001)
    fit = lf.fit(law, runs, response="accuracy", n_threads=1)
    data = plotting.contours.data(fit, maximize=True)
    budget = 6.0 * data["path_x"] * data["path_y"]
    for factor in (0.8, 1.25):
        n = factor * data["path_x"]
        assert np.all(fit.predict(N=n, D=budget / (6.0 * n)) < fit.predict(N=data["path_x"], D=data["path_y"]))


def test_wrong_calls_of_contours_say_what_to_give(sampled: lf.Fit) -> None:
    with pytest.raises(lf.DataError, match=r"say at=\{'k': ...\}, or a budget of it by also="):
        plotting.contours(sampled)
    with pytest.raises(lf.DataError, match="also: give a mapping such as"):
        plotting.contours(sampled, also=SERVE)


def test_wrong_calls_of_frontiers_say_what_to_give(front: lf.Frontier) -> None:
    with pytest.raises(lf.DataError, match=r"'served' is a sweep of 2\*N\*k, not of 6\*N\*D"):
        plotting.frontiers({
            "a": front, "served": lf.allocate(lf.laws.t2_loss, {TRAIN: 1e21, SERVE: [1e9, 1e10]}, params=T2),
        })  # fmt: skip
    with pytest.raises(lf.DataError, match="models: X has no D, which"):
        plotting.frontiers(front, models={"X": {"N": 1e9}})
    with pytest.raises(lf.DataError, match=r'models: X needs its variables, such as \{"N": 70e9'):
        plotting.frontiers(front, models={"X": (1e9, 2e10)})
    with pytest.raises(lf.DataError, match="'x' is a plan of allocate"):
        plotting.frontiers({"x": 3})
    with pytest.raises(lf.DataError, match="ax: give one axes for each panel"):
        plotting.frontiers(front, ax=[plotting.near_optimal(front)])
    with pytest.raises(lf.DataError, match="quantity='D/N': give a variable of the law"):
        plotting.near_optimal(front, "D/N")
    with pytest.raises(lf.DataError, match="shares: give a list such as"):
        plotting.near_optimal(front, shares=0.05)
    with pytest.raises(lf.DataError, match="a grid of several budgets"):
        plotting.near_optimal(plan_of_t2(BUDGETS[:, np.newaxis], [2e9, 1.4e11]))
    with pytest.raises(lf.DataError, match="no budget"):
        plotting.frontiers(lf.allocate(lf.laws.t2_loss, {}, params=T2, at={"N": 1e9, "D": 1e10, "k": 1}))
