"""Figures of sampling at test time: their numbers against closed forms and plans, and that they are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit import plotting

T2 = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28, "G": 2.0, "gamma": 0.3}
TRAIN, SERVE = "6*N*D", "2*N*k"
BUDGETS = np.logspace(18, 24, 13)
ONE, MANY = "one sample", "inference budget"
COUNTS = {"n_samples": [200] * 8, "n_correct": [0, 1, 2, 5, 9, 20, 60, 140]}


def plan_of(served: object = 1.4e11) -> lf.Allocation:
    return lf.allocate(lf.laws.t2_loss, {TRAIN: BUDGETS, SERVE: served}, params=T2)  # type: ignore[dict-item]


def loss(n: np.ndarray, c: np.ndarray, k: np.ndarray | float) -> np.ndarray:
    d = c / (6.0 * n)
    out: np.ndarray = (
        T2["E"] + T2["A"] * n ** -T2["alpha"] + T2["B"] * d ** -T2["beta"] + T2["G"] * np.power(k, -T2["gamma"])
    )
    return out


def test_curves_are_the_law_with_everything_else_spent() -> None:
    data = plotting.train_to_test.data(plan_of(), n_curves=4)
    assert data["N"].shape == (4, 120)
    budget = data["budget"][:, np.newaxis]
    np.testing.assert_allclose(data[ONE], loss(data["N"], budget, 1.0), rtol=1e-9)
    k = 1.4e11 / (2.0 * data["N"])
    expected = np.where(k >= 1.0, loss(data["N"], budget, np.maximum(k, 1.0)), np.nan)
    assert np.isnan(expected).any()
    np.testing.assert_allclose(data[MANY], expected, rtol=1e-9)


def test_frontiers_of_both_panels_are_those_of_plans() -> None:
    plan = plan_of()
    data = plotting.train_to_test.data(plan)
    np.testing.assert_array_equal(data["path_budget"], BUDGETS)
    np.testing.assert_allclose(data[f"N for {MANY}"], plan["N"], rtol=1e-8)
    np.testing.assert_allclose(data[f"{MANY} at N for {MANY}"], plan["response"], rtol=1e-12)
    # Chinchilla's optimum in closed form, and its response with the samples that its size leaves.
    a, b = T2["alpha"], T2["beta"]
    chinchilla = (a * T2["A"] / (b * T2["B"])) ** (1 / (a + b)) * (BUDGETS / 6.0) ** (b / (a + b))
    np.testing.assert_allclose(data[f"N for {ONE}"], chinchilla, rtol=1e-8)
    np.testing.assert_allclose(data[f"{ONE} at N for {ONE}"], loss(chinchilla, BUDGETS, 1.0), rtol=1e-9)
    np.testing.assert_allclose(
        data[f"{MANY} at N for {ONE}"], loss(chinchilla, BUDGETS, 1.4e11 / (2.0 * chinchilla)), rtol=1e-9
    )
    np.testing.assert_allclose(data[f"{ONE} at N for {MANY}"], loss(plan["N"], BUDGETS, 1.0), rtol=1e-9)


def test_the_choice_for_one_sample_gets_worse_with_training_under_an_inference_budget() -> None:
    """The qualitative claim of Roberts et al.: judged with many samples, only their own frontier is monotone."""
    data = plotting.train_to_test.data(plan_of())
    assert np.all(np.diff(data[f"{MANY} at N for {MANY}"]) < 0.0)
    assert np.any(np.diff(data[f"{MANY} at N for {ONE}"]) > 0.0)


def test_sizes_that_leave_no_whole_sample_are_gaps() -> None:
    data = plotting.train_to_test.data(plan_of(2e9))
    assert np.isnan(data[f"{MANY} at N for {ONE}"][-1])
    assert data[f"N for {ONE}"][-1] > 1e9
    np.testing.assert_array_equal(np.isnan(data[MANY]), data["N"] > 1e9)


def test_runs_stand_with_the_curve_of_their_budgets(tmp_path: Path) -> None:
    grid: dict[str, list[float]] = {"N": [1e8, 4e8, 1.6e9], "D": [2e9, 8e9, 3.2e10], "k": [1, 8, 64]}
    runs = lf.synthetic.runs(lf.laws.t2_loss, T2, grid, response="y", noise=0.001)
    fit = lf.fit(lf.laws.t2_loss, runs, response="y", cluster="N", n_threads=1)
    spent = 6.0 * runs["N"] * runs["D"]
    plan = fit.allocate({TRAIN: np.geomspace(1.2e18, 3.072e20, 5), SERVE: 6e9})
    data = plotting.train_to_test.data(plan, fit=fit, n_curves=3)
    assert data["budget"].tolist() == pytest.approx([1.2e18, 1.92e19, 3.072e20])
    is_near = np.any(np.abs(np.log(spent[:, np.newaxis] / data["budget"])) < np.log(1.3), axis=1)
    one, many = is_near & (runs["k"] == 1), is_near & (np.abs(np.log(2 * runs["N"] * runs["k"] / 6e9)) < np.log(1.3))
    assert 0 < one.sum() < (runs["k"] == 1).sum()
    assert many.any()
    for name, kept in ((ONE, one), (MANY, many)):
        np.testing.assert_array_equal(data[f"{name} row_N"], runs["N"][kept])
        np.testing.assert_array_equal(data[f"{name} row_response"], runs["y"][kept])
        np.testing.assert_allclose(data[f"{name} row_budget"], spent[kept])
    axes = plotting.train_to_test(plan, fit=fit)
    axes[0].figure.canvas.draw()
    assert [ax.get_title(loc="left") for ax in axes] == ["k = 1", "2*N*k = 6e+09"]
    assert plotting.train_to_test.data(plan)[f"{ONE} row_N"].size == 0
    fit.save(tmp_path / "fit.json")
    saved = lf.load(tmp_path / "fit.json")
    assert plotting.train_to_test.data(plan, fit=saved)[f"{ONE} row_N"].size == 0
    other = lf.synthetic.runs(lf.laws.power_floor, {"E": 1.0, "A": 9.0, "alpha": 0.3}, {"x": [1, 2, 4, 8, 16]})
    with pytest.raises(lf.DataError, match="fit: its rows have no N"):
        plotting.train_to_test(plan, fit=lf.fit(lf.laws.power_floor, other, response="loss", n_threads=1))


def test_observed_points_are_the_unbiased_estimates_and_the_naive_curve_takes_problems_as_alike() -> None:
    mixture = lf.fit_mixture(COUNTS)
    data = plotting.pass_curve.data(mixture, on="pass_at_k")
    assert data["k"][0] == 1.0
    assert data["k"][-1] == 200.0
    by_hand = [np.mean(lf.estimate_pass_at_k(COUNTS["n_correct"], 200, k=k)) for k in data["k"]]
    np.testing.assert_allclose(data["observed"], by_hand, rtol=1e-12)
    chance = np.mean(COUNTS["n_correct"]) / 200.0
    np.testing.assert_allclose(data["naive"], 1.0 - (1.0 - chance) ** data["grid"], rtol=1e-9)
    curve = mixture.pass_at_k(data["grid"])
    np.testing.assert_array_equal(data["mixture"], curve.value)
    np.testing.assert_array_equal(data["is_extrapolated"], data["grid"] > 200.0)
    assert np.all(data["observed_lower"] <= data["observed"])
    assert np.all(data["observed"] <= data["observed_upper"])
    neglog = plotting.pass_curve.data(mixture)
    np.testing.assert_allclose(neglog["observed"], -np.log(data["observed"]), rtol=1e-12)
    np.testing.assert_allclose(neglog["mixture_lower"], np.abs(np.log(curve.upper)), rtol=1e-12)
    np.testing.assert_allclose(neglog["observed_upper"], -np.log(data["observed_lower"]), rtol=1e-12)


def test_the_interval_of_observed_points_is_about_that_of_the_mean_over_problems() -> None:
    rng = np.random.default_rng(0)
    chance = rng.beta(2.0, 5.0, 400)
    mixture = lf.fit_mixture({"n_samples": np.full(400, 50), "n_correct": rng.binomial(50, chance)})
    data = plotting.pass_curve.data(mixture, on="pass_at_k")
    width = data["observed_upper"][0] - data["observed_lower"][0]
    error = np.std(mixture.n_correct / 50.0, ddof=1) / 20.0
    assert width == pytest.approx(2.0 * 1.96 * error, rel=0.1)


def test_laws_stand_beside_the_mixture_at_its_own_checkpoint() -> None:
    truth = {"E": 0.2, "A": 60.0, "B": 300.0, "alpha": 0.2, "beta": 0.22}
    grid = {"N": [1e8, 4e8, 1.6e9], "D": [5e9, 2e10, 8e10]}
    counts = lf.synthetic.counts(lf.laws.chinchilla, truth, grid, n_problems=60, n_samples=100, seed=0)
    table = lf.pass_at_k(counts, k=[1, 4, 16], by=["N", "D"], problem="problem")
    fit = lf.fit(lf.laws.t2_beta, table, response="neglog_mean_pass", loss="squared", n_threads=1)
    of_counts = lf.fit_counts(
        "exp(-(E + A*N**-alpha))", counts, n_correct="n_correct", n_samples="n_samples", size="nu",
        bounds={"E": (0, None), "A": (0, None), "nu": (0, None)}, n_threads=1,
    )  # fmt: skip
    mixture = lf.fit_mixture(counts, by=["N", "D"], problem="problem")[4e8, 2e10]
    data = plotting.pass_curve.data(mixture, fits={"cells": fit, "counts": of_counts})
    assert data.names["fits"] == ("cells", "counts")
    np.testing.assert_allclose(data["fits"][0], fit.predict(N=4e8, D=2e10, k=data["grid"]), rtol=1e-12)
    np.testing.assert_allclose(
        data["fits"][1], -np.log(np.asarray(of_counts.pass_at_k(data["grid"], N=4e8))), rtol=1e-9
    )
    assert data.labels["title"] == "N = 400M, D = 20B"
    elsewhere = plotting.pass_curve.data(mixture, fits={"cells": fit}, at={"N": 1e8, "D": 5e9})
    np.testing.assert_allclose(elsewhere["fits"][0], fit.predict(N=1e8, D=5e9, k=data["grid"]), rtol=1e-12)
    plotting.pass_curve(mixture, fits={"cells": fit, "counts": of_counts}).figure.canvas.draw()
    with pytest.raises(lf.DataError, match=r"at: the law of cells needs D"):
        plotting.pass_curve(mixture, fits={"cells": fit}, at={"N": 1e8})


def test_observed_points_stop_at_the_least_samples_of_any_problem() -> None:
    uneven = {"n_samples": [1000, 100, 20], "n_correct": [1, 10, 9]}
    data = plotting.pass_curve.data(lf.fit_mixture(uneven))
    assert data["k"][-1] == 20.0
    assert data["grid"][-1] == pytest.approx(10_000.0)
    assert any("observed up to k = 20" in note for note in data.notes)
    assert any("extrapolation" in note for note in data.notes)


def test_a_mixture_without_a_maximum_leaves_its_points() -> None:
    never = lf.fit_mixture({"n_samples": [50, 50, 50], "n_correct": [0, 0, 0]})
    assert not never.success
    data = plotting.pass_curve.data(never)
    assert np.isnan(data["mixture"]).all()
    assert np.isinf(data["observed"]).all()
    assert never.message in data.notes
    never.plot().figure.canvas.draw()


def test_real_answers_follow_a_mixture_where_equal_problems_promise_too_much(real_data: Any) -> None:
    counts = lf.read_table(real_data("t2_pythia_pass_counts.csv")).where(
        "benchmark == 'gsm8k' and N == 1e9 and D == 2e10"
    )
    data = plotting.pass_curve.data(lf.fit_mixture(counts, problem="problem"), on="pass_at_k")
    at = np.interp(np.log(data["k"]), np.log(data["grid"]), data["mixture"])
    assert np.all((data["observed_lower"] < at) & (at < data["observed_upper"]))
    naive = np.interp(np.log(data["k"][-1]), np.log(data["grid"]), data["naive"])
    assert naive > 0.99
    assert data["observed_upper"][-1] < 0.9


def test_wrong_calls_of_figures_of_sampling_say_what_to_give() -> None:
    with pytest.raises(lf.DataError, match=r'no budget is of k; allocate with one such as "2\*N\*k" too'):
        plotting.train_to_test(lf.allocate(lf.laws.t2_loss, {TRAIN: BUDGETS}, params=T2, at={"k": 1}))
    with pytest.raises(lf.DataError, match=r"the budget that is swept, 2\*N\*k, is of k"):
        plotting.train_to_test(lf.allocate(lf.laws.t2_loss, {TRAIN: 1e20, SERVE: [1e9, 1e10]}, params=T2))
    with pytest.raises(lf.DataError, match="several budgets vary"):
        plotting.train_to_test(plan_of(np.geomspace(1e9, 1e11, BUDGETS.size)))
    chinchilla = {name: T2[name] for name in lf.laws.chinchilla.parameters}
    with pytest.raises(lf.DataError, match="its law has no variable k"):
        plotting.train_to_test(lf.allocate(lf.laws.chinchilla, {TRAIN: BUDGETS}, params=chinchilla))
    with pytest.raises(lf.DataError, match="plan: give a plan of allocate"):
        plotting.train_to_test(3)
    mixture = lf.fit_mixture(COUNTS)
    with pytest.raises(lf.DataError, match="mixture: give one of fit_mixture"):
        plotting.pass_curve(lf.fit_mixture(COUNTS | {"g": [1] * 8}, by="g"))
    with pytest.raises(lf.DataError, match=r"on='pass': did you mean 'pass_at_k'\?"):
        plotting.pass_curve(mixture, on="pass")
    with pytest.raises(lf.DataError, match="fits: a is no fit"):
        plotting.pass_curve(mixture, fits={"a": mixture})
    power = lf.Law("a*k**-b", ["k"])
    runs = lf.synthetic.runs(power, {"a": 2.0, "b": 0.4}, {"k": [1, 2, 4, 8, 16]}, response="y", noise=0.01)
    with pytest.raises(lf.DataError, match="fits: a is a law of y; give one of neglog_mean_pass or pass_at_k over k"):
        plotting.pass_curve(mixture, fits={"a": lf.fit(power, runs, response="y", n_threads=1)})
