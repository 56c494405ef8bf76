"""Allocation: published optima, brute force, bounds, draws, and what is said where there is no optimum."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lawfit as lf

HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
T2 = {**HOFFMANN, "G": 2.0, "gamma": 0.3}
# First-order conditions of the answer, as a part of the largest slope.
RESIDUAL = 1e-10
# Published check values have six digits.
SIX_DIGITS = 2e-6


@pytest.fixture(scope="module")
def draws() -> lf.Draws:
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    grid = {"N": np.logspace(7, 10, 6), "D": np.logspace(9, 12, 6)}
    runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.002, seed=0)
    return lf.fit(lf.laws.chinchilla, runs, response="loss").bootstrap(2000, seed=0)


def test_chinchilla_has_its_closed_form() -> None:
    budgets = np.logspace(18, 26, 33)
    plan = lf.allocate("chinchilla", {"6*N*D": budgets}, params=HOFFMANN)
    a, b = HOFFMANN["alpha"], HOFFMANN["beta"]
    g = (a * HOFFMANN["A"] / (b * HOFFMANN["B"])) ** (1 / (a + b))
    np.testing.assert_allclose(plan["N"], g * (budgets / 6) ** (b / (a + b)), rtol=1e-11)
    np.testing.assert_allclose(plan["D"], (budgets / 6) ** (a / (a + b)) / g, rtol=1e-11)
    np.testing.assert_allclose(plan.price["6*N*D"], a * HOFFMANN["A"] * plan["N"] ** -a, rtol=1e-11)
    assert set(plan.status) == {"inside"}
    assert plan.raw.residual.max() <= RESIDUAL


@pytest.mark.parametrize(
    ("training", "inference", "size"),
    [
        (2.56e19, 2e9, 4.75068e7), (5.88e23, 2e9, 7.82467e7), (1e25, 2e9, 7.98683e7),
        (2.56e19, 1.4e11, 1.48386e8), (5.88e23, 1.4e11, 5.24796e8), (1e25, 1.4e11, 5.61621e8),
    ],
)  # fmt: skip
def test_train_to_test_optima_have_their_check_values(training: float, inference: float, size: float) -> None:
    plan = lf.allocate("t2_loss", {"6*N*D": training, "2*N*k": inference}, params=T2)
    assert plan["N"] == pytest.approx(size, rel=SIX_DIGITS)
    assert plan["6*N*D"] == pytest.approx(training, rel=1e-12)
    assert plan["2*N*k"] == pytest.approx(inference, rel=1e-12)


@pytest.mark.parametrize(
    ("training", "size", "accuracy"),
    [(2.56e19, 5.31251e7, 0.797186), (1e22, 7.2129e7, 0.865826), (1e25, 7.486e7, 0.873090)],
)
def test_the_accuracy_law_has_its_check_values(training: float, size: float, accuracy: float) -> None:
    law = lf.Law(
        "L = E + A*N**-alpha + B*D**-beta; mu = theta2*sigmoid(theta1*(theta0 - L)); "
        "nu = exp(theta3 + theta4*L); beta_pass_at_k(mu, nu, k)",
        ["N", "D", "k"],
    )
    params = {
        "E": 1.0, "A": 400.0, "alpha": 0.35, "B": 2000.0, "beta": 0.36,
        "theta0": 2.0, "theta1": 1.5, "theta2": 0.95, "theta3": 0.5, "theta4": -0.4,
    }  # fmt: skip
    plan = lf.allocate(law, {"6*N*D": training, "2*N*k": 2e9}, params=params, maximize=True)
    assert plan["N"] == pytest.approx(size, rel=1e-4)
    assert plan["response"] == pytest.approx(accuracy, abs=2e-6)
    assert np.all(np.array(list(plan.price.values())) > 0.0)


def test_inference_demand_makes_models_smaller_as_published() -> None:
    # Sardana et al. 2024: a model of the quality of 30 billion parameters, and 1e13 tokens of answers.
    law = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}
    size = 30e9
    plain = lf.allocate("chinchilla", {"6*N*D": np.logspace(22, 25, 301)}, params=law)
    compute = np.interp(math.log(size), np.log(plain["N"]), np.log(np.logspace(22, 25, 301)))
    quality = float(lf.allocate("chinchilla", {"6*N*D": math.exp(compute)}, params=law)["response"])
    totals = np.logspace(23, 25, 401)
    served = lf.allocate("chinchilla", {"6*N*D + 2*N*1e13": totals}, params=law)
    place = np.interp(-quality, -served["response"], np.log(totals))
    best = lf.allocate("chinchilla", {"6*N*D + 2*N*1e13": math.exp(place)}, params=law)
    tokens = float(lf.allocate("chinchilla", {"6*N*D": math.exp(compute)}, params=law)["D"])
    assert best["N"] == pytest.approx(13.6e9, rel=5e-3)
    assert best["D"] / tokens == pytest.approx(2.84, rel=5e-3)
    saving = 1.0 - math.exp(place) / (6 * size * tokens + 2 * size * 1e13)
    assert saving == pytest.approx(0.28, abs=2e-3)


EXPONENT = st.floats(0.05, 1.0)
AMPLITUDE = st.floats(-1.0, 9.0).map(math.exp)


@settings(max_examples=60, deadline=None)
@given(EXPONENT, EXPONENT, EXPONENT, AMPLITUDE, AMPLITUDE, AMPLITUDE, st.floats(18, 26), st.floats(8, 14))
def test_no_point_of_a_fine_grid_is_better(
    alpha: float, beta: float, gamma: float, a: float, b: float, g: float, log_training: float, log_inference: float
) -> None:
    training, inference = 10.0**log_training, 10.0**log_inference
    params = {"E": 1.0, "A": a, "B": b, "G": g, "alpha": alpha, "beta": beta, "gamma": gamma}
    plan = lf.allocate("t2_loss", {"6*N*D": training, "2*N*k": inference}, params=params)
    sizes = np.exp(np.linspace(0.0, math.log(min(training / 6, inference / 2)), 20_001))
    every = lf.laws.t2_loss.evaluate(N=sizes, D=training / 6 / sizes, k=inference / 2 / sizes, params=params)
    assert float(plan.raw.value[0, 0]) <= every.min() * (1 + 1e-14)
    assert float(plan.raw.residual[0, 0]) <= RESIDUAL


def test_a_joint_budget_meets_its_lagrange_conditions() -> None:
    plan = lf.allocate("t2_loss", {"6*N*D + 2*N*k*1e12": [1e21, 1e23, 1e25]}, params=T2)
    by_size = T2["alpha"] * T2["A"] * plan["N"] ** -T2["alpha"]
    by_data = T2["beta"] * T2["B"] * plan["D"] ** -T2["beta"]
    by_answers = T2["gamma"] * T2["G"] * plan["k"] ** -T2["gamma"]
    np.testing.assert_allclose(by_size, by_data + by_answers, rtol=1e-9)
    np.testing.assert_allclose(plan["6*N*D"] / plan["2*N*k*1e12"], by_data / by_answers, rtol=1e-9)


def test_bounds_hold_and_say_so() -> None:
    plan = lf.allocate("chinchilla", {"6*N*D": 5.88e23}, params=HOFFMANN, bounds={"D": (None, 1e12)})
    assert plan["D"] == pytest.approx(1e12, rel=1e-12)
    assert plan["N"] == pytest.approx(5.88e23 / 6e12, rel=1e-12)
    assert str(plan.status) == "at_bound"
    held = lf.allocate("t2_loss", {"6*N*D": 1e21, "2*N*k": 1e12}, params=T2, at={"N": 1e9})
    assert held["N"] == pytest.approx(1e9, rel=1e-12)
    assert held["k"] == pytest.approx(500.0, rel=1e-12)


def test_one_sample_is_an_answer_and_one_parameter_is_none() -> None:
    few = lf.allocate("t2_loss", {"6*N*D": 1e24, "2*N*k": 1e6}, params={**T2, "G": 1e-6})
    assert str(few.status) == "at_bound"
    assert few["k"] == pytest.approx(1.0)
    none = lf.allocate(lf.Law("A*D**-beta", ["N", "D"][1:]), {"D": 1e9}, params={"A": 1.0, "beta": 0.3}, maximize=True)
    assert str(none.status) == "no_optimum"
    assert np.isnan(none["D"])
    reason = none.reason()
    assert reason is not None
    assert "D falls to 1" in reason
    assert "maximize=False" in reason


def test_what_cannot_be_bought_says_so() -> None:
    plan = lf.allocate(
        "chinchilla", {"6*N*D": [1e10, 1e24]}, params=HOFFMANN, bounds={"N": (1e9, None), "D": (1e9, None)}
    )
    assert plan.status.tolist() == ["infeasible", "inside"]
    assert np.isnan(plan["response"][0])
    assert "infeasible" in repr(plan)
    assert any("keeps to the budgets" in note for note in plan.notes)


def test_what_is_near_the_optimum_reaches_its_response_with_a_twentieth_more() -> None:
    plan = lf.allocate("chinchilla", {"6*N*D": 5.88e23}, params=HOFFMANN)
    low, high = plan.near(0.05)["N"]
    assert low < plan["N"] < high
    for size in (low, high):
        there = lf.laws.chinchilla.evaluate(N=size, D=1.05 * 5.88e23 / 6 / size, params=HOFFMANN)
        assert there == pytest.approx(float(plan["response"]), rel=1e-9)


def test_the_corrected_frontier_of_one_sample_is_not_monotone_and_that_of_three_variables_is() -> None:
    # Roberts et al. 2026, arXiv:2604.01411, figure 2: sizes chosen for one sample get worse at the inference budget.
    training, inference = np.logspace(18, 25, 57), 1.4e11
    alone = lf.allocate("chinchilla", {"6*N*D": training}, params=HOFFMANN)
    sizes = np.minimum(alone["N"], inference / 2)
    judged = lf.laws.t2_loss.evaluate(
        N=sizes, D=training / 6 / sizes, k=inference / 2 / sizes, params={**T2, "G": 20.0}
    )
    together = lf.allocate("t2_loss", {"6*N*D": training, "2*N*k": inference}, params={**T2, "G": 20.0})
    assert np.any(np.diff(judged) > 0.0)
    assert np.any(np.diff(judged) < 0.0)
    assert np.all(np.diff(together["response"]) < 0.0)
    assert np.all(together["response"] <= judged + 1e-12)


def test_draws_are_allocated_each(draws: lf.Draws) -> None:
    budgets = np.logspace(20, 24, 5)
    front = draws.allocate({"6*N*D": budgets})
    one = dict(zip(draws.law.parameters, draws.params[7], strict=True))
    np.testing.assert_array_equal(front["N"][7], lf.allocate(draws.law, {"6*N*D": budgets}, params=one)["N"])
    band = front.interval("N")
    assert band.note is None
    assert np.all((band.lower < front.plan["N"]) & (front.plan["N"] < band.upper))
    # Inside the data the truth is near; the interval says how near.
    assert 1.0 < band.upper[1] / band.lower[1] < 2.0
    assert set(front.share()) == {"inside"}
    again = pickle.loads(pickle.dumps(front))
    np.testing.assert_array_equal(again["N"], front["N"])


def test_threads_change_nothing(draws: lf.Draws) -> None:
    budgets = {"6*N*D": np.logspace(20, 24, 100)}
    one, three = (draws.allocate(budgets, n_threads=n) for n in (1, 3))
    for left, right in zip(one.raw, three.raw, strict=True):
        np.testing.assert_array_equal(left, right)


def test_there_is_no_interval_where_too_many_draws_have_no_optimum(draws: lf.Draws) -> None:
    front = draws.allocate(
        {"6*N*D": 1e22}, bounds={"N": (float(np.nanmedian(draws.allocate({"6*N*D": 1e22})["N"])), None)}
    )
    assert front.share()["at_bound"] > 0.4
    none = draws.allocate({"6*N*D": 1e22}, maximize=True).interval("N")
    assert np.isnan(none.lower)
    assert none.note is not None
    assert "no optimum" in none.note


def test_a_plan_says_how_far_it_is_from_the_data(draws: lf.Draws) -> None:
    plan = draws.fit.allocate({"6*N*D": 1e26})
    assert plan.beyond["N"] == pytest.approx(plan["N"] / 1e10)
    assert any("times the largest in the data" in note for note in plan.notes)
    assert plan.response == "loss"


@pytest.mark.parametrize(
    ("budgets", "options", "message"),
    [
        ({"6*N*D": -1.0}, {}, "must be finite and above 0"),
        ({"6*N*D": [1.0, 2.0], "2*N": [1.0, 2.0, 3.0]}, {}, "do not go together"),
        ({"6*N*Q": 1e20}, {}, "'Q' of '6\\*N\\*Q' is no variable of the law"),
        ({"6*N*": 1e20}, {}, "column 5"),
        ("6*N*D", {}, "give formulas with their amounts"),
        ({"6*N*D": 1e20}, {"bounds": {"M": (1, 2)}}, "bounds: 'M' is no variable"),
        ({"6*N*D": 1e20}, {"bounds": {"N": 3}}, "needs a pair"),
        ({"6*N*D": 1e20}, {"bounds": {"N": (5, 3)}}, "at least 5 and at most 3"),
        ({"6*N*D": 1e20}, {"bounds": {"N": (0, 3)}}, "give a number above 0"),
        ({"6*N*D": 1e20}, {"bounds": {"N": (1, math.inf)}}, "above 0 and finite, or None for no bound"),
        ({"6*N*D": 1e20}, {"at": {"N": [1e8, 1e9]}}, r"at: N=\[100000000.0, 1000000000.0\]: give one number"),
        ({"6*N*D": 1e20}, {"maximize": "yes"}, "maximize='yes': say True or False"),
        ({"6*N*D": 1e20}, {"at": {"N": 3}, "bounds": {"N": (1, 2)}}, "give it once"),
        ({"6*N*D": "much"}, {}, "budgets\\['6\\*N\\*D'\\]"),
    ],
)
def test_a_wrong_call_says_what_to_change(budgets: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(lf.LawfitError, match=message):
        lf.allocate("chinchilla", budgets, params=HOFFMANN, **options)  # type: ignore[arg-type]


def test_a_misspelt_law_and_a_share_in_words_are_told() -> None:
    with pytest.raises(lf.LawError, match=r"the variables of 'chinchila' are not known; did you mean 'chinchilla'\?"):
        lf.allocate("chinchila", {"6*N*D": 1e20}, params=HOFFMANN)
    plan = lf.allocate("chinchilla", {"6*N*D": 1e20}, params=HOFFMANN)
    with pytest.raises(lf.DataError, match=r"share='5%': give a number above 0, such as 0\.05"):
        plan.near("5%")  # type: ignore[arg-type]


def test_a_quantity_that_is_not_there_is_named() -> None:
    plan = lf.allocate("chinchilla", {"6*N*D": 1e20}, params=HOFFMANN)
    with pytest.raises(lf.DataError, match="'k' of 'k/N' is not known here"):
        plan["k/N"]


def test_a_loaded_fit_and_its_draws_allocate_as_before(draws: lf.Draws, tmp_path: Path) -> None:
    draws.save(tmp_path / "draws.json")
    again = lf.load(tmp_path / "draws.json")
    assert isinstance(again, lf.Draws)
    budgets = {"6*N*D": np.logspace(20, 26, 3)}
    front, same = draws.allocate(budgets), again.allocate(budgets)
    np.testing.assert_array_equal(same["N"], front["N"])
    assert same.interval("N").note == front.interval("N").note
    np.testing.assert_array_equal(same.interval("N").lower, front.interval("N").lower)
    assert repr(again.fit.allocate(budgets)) == repr(draws.fit.allocate(budgets))


def test_kaplans_sizes_grow_with_the_published_power_of_compute() -> None:
    law = lf.laws.kaplan_nd
    published = {"N_c": 6.4e13, "alpha_N": 0.076, "alpha_D": 0.103, "D_c": 1.8e13}
    plan = lf.allocate(law, {"6*N*D": [1e20, 1e24]}, params=published)
    assert math.log(plan["N"][1] / plan["N"][0]) / math.log(1e4) == pytest.approx(0.5754, abs=5e-5)


@pytest.mark.parametrize(
    ("law", "params", "best"),
    [
        ("gao_bon", {"alpha": 1.0, "beta": 0.05}, 10.0),
        ("gao_rl", {"alpha": 1.0, "beta": 0.4}, math.exp(1.5)),
    ],
)
def test_reward_is_best_at_the_distance_of_its_formula(law: str, params: dict[str, float], best: float) -> None:
    # Gao et al. 2022: alpha / (2 beta) for best of n, exp(alpha / beta - 1) for reinforcement learning.
    plan = lf.allocate(law, {}, params=params, maximize=True, bounds={"d": (0.01, 1000.0)})
    assert plan["d"] == pytest.approx(best, rel=1e-12)
    assert str(plan.status) == "inside"


@pytest.mark.parametrize(("share", "overhead"), [(0.75, 0.028), (0.5, 0.208), (0.3, 1.056), (0.25, 1.889)])
def test_smaller_models_cost_what_de_vries_says(share: float, overhead: float) -> None:
    # The compute that a model of a share of the best size needs for the same loss, at 1e23 FLOP.
    params = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}
    best = lf.allocate("chinchilla", {"6*N*D": 1e23}, params=params)
    assert best["N"] == pytest.approx(18.73e9, rel=1e-3)
    budgets = 1e23 * np.linspace(1.0, 3.2, 4401)
    held = lf.allocate("chinchilla", {"6*N*D": budgets}, params=params, at={"N": share * float(best["N"])})
    enough = budgets[held["response"] <= best["response"]][0]
    assert enough / 1e23 - 1.0 == pytest.approx(overhead, abs=1.1e-3)
