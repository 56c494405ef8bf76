"""Allocations against optima that have a closed form or were published."""

from __future__ import annotations

import math

import numpy as np
import pytest

import lawfit as lf

HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
T2 = {**HOFFMANN, "G": 2.0, "gamma": 0.3}
# Roberts et al. 2026, Approach 2, with made-up parameters.
ACCURACY = lf.Law(
    "L = E + A*N**-alpha + B*D**-beta; mu = theta2*sigmoid(theta1*(theta0 - L)); "
    "nu = exp(theta3 + theta4*L); beta_pass_at_k(mu, nu, k)",
    ["N", "D", "k"],
)
CHAIN = {
    "E": 1.0, "A": 400.0, "alpha": 0.35, "B": 2000.0, "beta": 0.36,
    "theta0": 2.0, "theta1": 1.5, "theta2": 0.95, "theta3": 0.5, "theta4": -0.4,
}  # fmt: skip
COMPUTE = np.logspace(18, 26, 33)
# A closed form takes a few powers; an optimum is found to the square root of less than its residual.
CLOSED = 1e-10


def ratio(a: float, alpha: float, b: float, beta: float) -> float:
    """G of Hoffmann et al. 2022: N* = G (C/6)^(beta/(alpha + beta))."""
    return float((alpha * a / (beta * b)) ** (1.0 / (alpha + beta)))


@pytest.mark.parametrize("outer", [0.2, 0.35, 1.0, 1.7])
def test_an_outer_power_leaves_the_optimum_where_it_is(outer: float) -> None:
    # Busbridge et al. 2025: E + (A N^-alpha + B D^-beta)^gamma.
    plan = lf.allocate("chinchilla_gamma", {"6*N*D": COMPUTE}, params={**HOFFMANN, "gamma": outer})
    alpha, beta = HOFFMANN["alpha"], HOFFMANN["beta"]
    sizes = ratio(HOFFMANN["A"], alpha, HOFFMANN["B"], beta) * (COMPUTE / 6.0) ** (beta / (alpha + beta))
    np.testing.assert_allclose(plan["N"], sizes, rtol=CLOSED)


def test_kaplans_law_has_the_closed_form_of_its_inner_powers() -> None:
    # Kaplan et al. 2020: N grows with C^.5754.
    p = {"N_c": 6.4e13, "alpha_N": 0.076, "alpha_D": 0.103, "D_c": 1.8e13}
    inner = p["alpha_N"] / p["alpha_D"]
    sizes = ratio(p["N_c"] ** inner, inner, p["D_c"], 1.0) * (COMPUTE / 6.0) ** (1.0 / (1.0 + inner))
    plan = lf.allocate("kaplan_nd", {"6*N*D": COMPUTE}, params=p)
    np.testing.assert_allclose(plan["N"], sizes, rtol=CLOSED)
    assert 1.0 / (1.0 + inner) == pytest.approx(0.5754, abs=5e-5)


def test_the_least_loss_and_its_price_have_their_closed_form() -> None:
    a, alpha, b, beta = (HOFFMANN[name] for name in ("A", "alpha", "B", "beta"))
    g, power = ratio(a, alpha, b, beta), alpha * beta / (alpha + beta)
    reducible = (a * g**-alpha + b * g**beta) * (COMPUTE / 6.0) ** -power
    plan = lf.allocate("chinchilla", {"6*N*D": COMPUTE}, params=HOFFMANN)
    np.testing.assert_allclose(plan["response"], HOFFMANN["E"] + reducible, rtol=1e-14)
    np.testing.assert_allclose(plan.price["6*N*D"], power * reducible, rtol=CLOSED)


def test_equal_exponents_of_tokens_and_samples_have_a_closed_form() -> None:
    p = {**T2, "gamma": T2["beta"]}
    alpha, beta = p["alpha"], p["beta"]
    inference = 2e9
    falls = beta * (p["B"] * (6.0 / COMPUTE) ** beta + p["G"] * (2.0 / inference) ** beta)
    plan = lf.allocate("t2_loss", {"6*N*D": COMPUTE, "2*N*k": inference}, params=p)
    np.testing.assert_allclose(plan["N"], (alpha * p["A"] / falls) ** (1.0 / (alpha + beta)), rtol=CLOSED)


@pytest.mark.parametrize(("inference", "published"), [(2e9, 8.1248e7), (1.4e11, 5.9526e8)])
def test_a_budget_for_answers_bounds_the_best_size(inference: float, published: float) -> None:
    p = T2
    limit = (p["alpha"] * p["A"] / (p["gamma"] * p["G"]) * (inference / 2.0) ** p["gamma"]) ** (
        1.0 / (p["alpha"] + p["gamma"])
    )
    assert limit == pytest.approx(published, rel=1e-4)
    plan = lf.allocate("t2_loss", {"6*N*D": np.logspace(18, 36, 19), "2*N*k": inference}, params=p)
    assert np.all(np.diff(plan["N"]) > 0.0)
    assert plan["N"][-1] == pytest.approx(limit, rel=1e-4)
    assert plan["N"][-1] < limit


@pytest.mark.parametrize(
    ("law", "params", "budgets", "expected"),
    [
        ("t2_loss", T2, {"6*N*D": 2.56e19, "2*N*k": 2e9}, {"D": 8.98116e10, "D/N": 1890.5, "k": 21.05}),
        ("t2_loss", T2, {"6*N*D": 2.56e19, "2*N*k": 1.4e11}, {"D/N": 193.8, "k": 471.7}),
        ("chinchilla", HOFFMANN, {"6*N*D": 2.56e19}, {"N": 3.4851e8, "D/N": 35.13}),
        (ACCURACY, CHAIN, {"6*N*D": 2.56e19, "2*N*k": 2e9}, {"N": 5.31251e7, "D/N": 1512.0, "k": 18.82}),
    ],
)
def test_tokens_a_parameter_and_samples_have_their_check_values(
    law: lf.Law | str, params: dict[str, float], budgets: dict[str, float], expected: dict[str, float]
) -> None:
    plan = lf.allocate(law, budgets, params=params, maximize=law is ACCURACY)
    for quantity, value in expected.items():
        # Printed to four digits or more.
        assert float(plan[quantity]) == pytest.approx(value, rel=5e-4), quantity


@pytest.mark.parametrize(
    ("inference", "training", "expected"),
    [
        (2e9, [2.56e19, 1e22, 1e25], [0.70488, 0.68616, 0.70652]),
        (1.4e11, [2.56e19, 1e22, 1e25], [0.94669, 0.94187, 0.75568]),
    ],
)
def test_sizes_for_one_answer_have_their_check_values_at_the_inference_budget(
    inference: float, training: list[float], expected: list[float]
) -> None:
    np.testing.assert_allclose(judged(np.array(training), inference), expected, atol=5e-6)


def judged(training: np.ndarray, inference: float) -> np.ndarray:
    """Accuracy at an inference budget of the sizes that are best for one answer, if at least one can be afforded."""
    alone = lf.allocate(ACCURACY, {"6*N*D": training}, params=CHAIN, at={"k": 1}, maximize=True)
    sizes = np.minimum(alone["N"], inference / 2.0)
    return ACCURACY.evaluate(N=sizes, D=training / 6.0 / sizes, k=inference / 2.0 / sizes, params=CHAIN)


@pytest.mark.parametrize("inference", [2e9, 1.4e11])
def test_accuracy_rises_along_the_frontier_and_not_along_that_of_one_answer(inference: float) -> None:
    # Roberts et al. 2026, figure 2. Sizes are cut at the one that the budget lets answer once: there the first frontier
    # turns back up, since only tokens grow.
    training = np.logspace(18, 26, 401)
    plan = lf.allocate(ACCURACY, {"6*N*D": training, "2*N*k": inference}, params=CHAIN, maximize=True)
    corrected = judged(training, inference)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(corrected))))
    assert turns.size == 2, "up, down to where sizes are cut, up"
    alone = lf.allocate(ACCURACY, {"6*N*D": training}, params=CHAIN, at={"k": 1}, maximize=True)
    cut = float(np.interp(inference / 2.0, alone["N"], training))
    assert training[turns[1]] <= cut <= training[turns[1] + 2]
    assert np.all(np.diff(plan["response"]) > 0.0)
    assert np.all(plan["response"] >= corrected)


def test_repeated_data_have_the_optimum_of_a_fine_grid() -> None:
    # Muennighoff et al. 2023, figure 1: with 25e9 unique tokens, 6.34e9 parameters on 242e9 tokens do better than
    # 8.67e9 on 178e9. Their two losses are check values of the law.
    entry = lf.published["muennighoff2023"]
    unique, compute = 25e9, 6 * 6.34e9 * 242e9
    plan = lf.allocate(entry.law, {"6*N*D": compute}, params=entry.params, at={"U": unique}, bounds={"D": (1e9, None)})
    sizes = np.exp(np.linspace(math.log(5e8), math.log(1e11), 400_001))
    losses = entry.law.evaluate(N=sizes, D=compute / 6.0 / sizes, U=unique, params=entry.params)
    assert losses.min() * (1.0 - 1e-10) <= float(plan["response"]) <= losses.min()
    # A grid finds an argument to its spacing.
    assert plan["N"] == pytest.approx(sizes[np.argmin(losses)], rel=2e-5)
    assert float(plan["response"]) < 2.2256440889984477 < 2.2269634075087867
    low, high = plan.near(0.01)["N"]
    assert low < 6.34e9 < high


def test_the_size_published_for_fresh_data_is_near_the_optimum_of_the_base_law() -> None:
    # The other run of their figure, sized as if no token repeated. Models come in steps: 1 % of compute spans both.
    base = lf.published["muennighoff2023_base"]
    plan = lf.allocate(base.law, {"6*N*D": 6 * 8.67e9 * 178e9}, params=base.params)
    low, high = plan.near(0.01)["N"]
    assert low < 8.67e9 < high
    assert plan["N"] == pytest.approx(8.67e9, rel=0.03)


def test_tokens_a_parameter_are_best_at_gadres_ratio() -> None:
    # Gadre et al. 2024: M* = (b/a)^(1/(2 eta)) at any compute.
    p = {"E": 1.5, "a": 40.0, "b": 180.0, "eta": 0.12}
    plan = lf.allocate("gadre_overtrain", {"C": [1e19, 1e23]}, params=p, bounds={"M": (1e-3, 1e6)})
    np.testing.assert_allclose(plan["M"], (p["b"] / p["a"]) ** (0.5 / p["eta"]), rtol=CLOSED)


def test_the_learning_rate_of_adam_peaks_at_the_noise_scale() -> None:
    # Li et al. 2024, arXiv:2405.14578: eta_max sech(ln(B/B_noise)/2).
    p = {"eta_max": 3e-3, "B_noise": 4.2e5}
    plan = lf.allocate("surge_rate", {}, params=p, maximize=True, bounds={"B": (1.0, 1e9)})
    assert plan["B"] == pytest.approx(p["B_noise"], rel=CLOSED)
    assert plan["response"] == pytest.approx(p["eta_max"], rel=1e-14)
    assert str(plan.status) == "inside"


def test_best_of_n_is_best_at_gaos_distance() -> None:
    # Gao et al. 2022: the reward peaks at d = alpha/(2 beta), where the distance of n is sqrt(ln n - (n - 1)/n).
    p = {"alpha": 1.0, "beta": 0.3}
    plan = lf.allocate("gao_bon_samples", {}, params=p, maximize=True, bounds={"n": (1.5, 1e6)})
    n = float(plan["n"])
    assert math.sqrt(math.log(n) - (n - 1.0) / n) == pytest.approx(p["alpha"] / (2.0 * p["beta"]), rel=CLOSED)
    assert plan["response"] == pytest.approx(p["alpha"] ** 2 / (4.0 * p["beta"]), rel=1e-14)


def test_sardanas_first_order_condition_holds() -> None:
    # Sardana et al. 2024: alpha A N^-alpha / (beta B D^-beta) = 1 + D_inf/(3 D), whichever of cost and loss is held.
    p, demand = HOFFMANN, 1e13
    plan = lf.allocate("chinchilla", {"6*N*D + 2*N*1e13": COMPUTE[16:]}, params=p)
    left = p["alpha"] * p["A"] * plan["N"] ** -p["alpha"] / (p["beta"] * p["B"] * plan["D"] ** -p["beta"])
    np.testing.assert_allclose(left, 1.0 + demand / (3.0 * plan["D"]), rtol=1e-9)


def test_sizes_without_embeddings_spend_the_compute_that_pearce_and_song_give() -> None:
    # Pearce and Song 2024: the compute at which N, without embeddings, is best has a closed form.
    p = {"E": 1.8172, "A": 482.01, "alpha": 0.3478, "B": 2085.43, "beta": 0.3658, "gamma": 47491.0}
    sizes = np.logspace(6, 11, 11)
    compute = lf.laws.pearce_song_compute.evaluate(
        N=sizes, params={"alpha": p["alpha"], "beta": p["beta"], "gamma": p["gamma"], "r": p["B"] / p["A"]}
    )
    plan = lf.allocate("pearce_song_loss", {"6*N*D": compute}, params=p)
    np.testing.assert_allclose(plan["N"], sizes, rtol=1e-8)
