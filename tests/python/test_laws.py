from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest

import lawfit as lf
from lawfit import _engine

CHINCHILLA_TEXT = "E + A*N**-alpha + B*D**-beta"
HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
# Central differences of a smooth function of order one in double precision.
DIFFERENCE_TOLERANCE = 1e-6
# One rounding in each operation of a formula with about ten.
ROUNDING = 1e-14

TRUTHS = {
    "power_floor": {"E": 1.7, "A": 400.0, "alpha": 0.34},
    "chinchilla": {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37},
    "kaplan_nd": {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103},
    "t2_loss": {"E": 0.9, "A": 420.0, "B": 1100.0, "G": 1.6, "alpha": 0.34, "beta": 0.32, "gamma": 0.28},
    "parscale": {"E": 1.3, "A": 2e8, "k": 0.33, "alpha": 0.2},
    "power_shift_floor": {"E": 0.2, "A": 60.0, "B": 4e6, "alpha": 0.28},
    "chinchilla_tied": {"E": 1.87, "A": 520.0, "B": 1480.0, "alpha": 0.353},
    "gadre_overtrain": {"E": 1.5, "a": 140.0, "b": 190.0, "eta": 0.13},
    "chinchilla_gamma": {"E": 1.7, "A": 900.0, "B": 9000.0, "alpha": 0.5, "beta": 0.55, "gamma": 0.6},
    "gemstones": {"E": 1.6, "A": 30.0, "B": 1.2, "G": 900.0, "alpha": 0.6, "beta": 0.8, "gamma": 0.35},
    "atlas_languages": {
        "E": 0.8, "A": 400.0, "B": 1500.0, "phi": 0.11, "psi": -0.04, "alpha": 0.34, "beta": 0.36,
    },
    "muennighoff": {
        "E": 1.87, "A": 520.0, "B": 1490.0, "alpha": 0.34, "beta": 0.37, "R_D": 15.4, "R_N": 5.3,
    },
    "clark_moe": {"a": -0.082, "b": -0.108, "c": 0.009, "d": 1.104, "E_start": 1.847, "E_max": 314.478},
    "morph_shape": {"E": 1.6, "A": 400.0, "B": 1500.0, "alpha": 0.33, "gamma": 0.01},
    "step_law_rate": {"c": 1.797, "a": -0.7129, "b": 0.3075},
    "step_law_batch": {"c": 0.5807, "b": 0.5709},
    "diloco_joint": {"A": 19.226, "alpha": -0.0985, "beta": 0.0116},
    "steps_by_batch": {"S_min": 5000.0, "B_crit": 2e6},
    "surge_rate": {"eta_max": 3e-3, "B_noise": 3e5},
    "gadre_error": {"epsilon": 0.851, "k": 2.017, "gamma": 0.739},
    "loss_to_loss": {"K": 1.1, "E0": 1.6, "kappa": 0.9, "E1": 1.9},
    "scalerl": {"R0": 0.2, "A": 0.61, "C_mid": 2500.0, "B": 1.7},
    "ladder_accuracy": {"a": -0.7, "k": 6.0, "L0": 1.1, "b": 0.95},
    "t2_loss_bounded": {"E": 0.9, "A": 420.0, "B": 1100.0, "g": 0.45, "alpha": 0.34, "beta": 0.32, "gamma": 0.28},
    "t2_beta": {"E": 0.6, "A": 420.0, "B": 1100.0, "alpha": 0.34, "beta": 0.32, "nu": 4.0},
    "t2_beta_added": {"A": 420.0, "B": 1100.0, "alpha": 0.34, "beta": 0.32, "m": 0.12, "s": 4.0},
    "t2_beta_overtrained": {
        "E": 0.3, "A": 420.0, "B": 1100.0, "alpha": 0.34, "beta": 0.32, "nu": 4.0, "H": 0.002, "phi": 0.25, "psi": 0.45,
    },
    "t2_beta_product": {"A": 900.0, "alpha": 0.2, "beta": 0.1, "B": 200.0, "a": 0.1, "b": 0.05},
    "t2_accuracy": {
        "A": 420.0, "B": 1100.0, "alpha": 0.34, "beta": 0.32, "theta2": 0.8, "theta0": 1.2, "theta3": 1.5,
        "theta4": -0.3,
    },
    "t2_accuracy_link": {"theta2": 0.9, "theta1": 1.5, "theta0": 2.6, "theta3": 1.2, "theta4": -0.3},
    "t2_naive": {"A": 420.0, "B": 1100.0, "alpha": 0.34, "beta": 0.32, "theta2": 0.5, "theta0": 0.4},
    "t2_sampling_exponent": {"E": 0.6, "A": 420.0, "B": 1100.0, "alpha": 0.34, "beta": 0.32, "g0": 0.4, "g1": -0.1},
    "log_linear_ndk": {"c": 5.0, "c_N": -0.12, "c_D": -0.1, "g": -0.6, "g_N": 0.01, "g_D": 0.005},
    "log_linear_ck": {"a": 4.0, "alpha": -0.1, "beta": -0.4, "delta": 0.004},
    "neglog_accuracy": {"A": 420.0, "B": 1100.0, "alpha": 0.34, "beta": 0.32},
    "coverage": {"a": 5.0, "b": 0.3},
    "neglog_power": {"A": 5.0, "b": 0.3},
    "beta_pass": {"mean": 0.02, "size": 14.0},
    "pass_until": {"c": 900.0, "alpha": 0.33},
    "power": {"A": 12.0, "alpha": 0.076},
    "power_product": {"A": 30.0, "alpha": 0.06, "beta": 0.05},
    "kaplan_nd_floor": {"E": 1.4, "A": 4e7, "B": 3e9, "alpha": 0.4, "beta": 0.45},
    "gemstones_size": {
        "E": 1.6, "A": 30.0, "B": 1.2, "G": 900.0, "H": 300.0, "alpha": 0.6, "beta": 0.8, "gamma": 0.35, "eta": 0.3,
    },
    "pearce_song_loss": {"E": 1.8172, "A": 482.01, "alpha": 0.3478, "B": 2085.43, "beta": 0.3658, "gamma": 47491.0},
    "pearce_song_compute": {"alpha": 0.3478, "beta": 0.3658, "gamma": 47491.0, "r": 4.3265},
    "farseer": {
        "a1": -0.124, "alpha": 0.123, "b1": 0.424, "a2": 88.01, "beta": -0.1, "b2": -6.287, "a3": -0.021,
        "gamma": 0.169, "b3": -0.091,
    },
    "bnsl": {"a": 0.2, "b": 8.0, "c0": 0.1, "c1": 0.3, "d1": 1e8, "f1": 0.6},
    "isoflop_parabola": {"L_opt": 2.4, "c": 0.06, "N_opt": 1e9},
    "quokka": {
        "E": 0.5, "A": 1535.23, "alpha": 0.42, "B": 54.21, "beta": 0.13, "p": 1.49, "c": 254.35, "m": 0.39, "k": 0.55,
        "gamma": 0.4,
    },
    "atlas_repeated": {"E": 0.8, "A": 400.0, "B": 1500.0, "alpha": 0.34, "beta": 0.36, "r": 0.1},
    "rectified_sft": {"E": 0.6, "A": 3.5, "b": 1e-3, "beta": 0.7},
    "sft_power": {"B": 0.2, "beta": 0.4, "E": 0.3, "alpha": 0.5},
    "distillation": {
        "c0": 2.5, "c1": 3.0, "d1": 1.1, "f1": 0.3, "A": 900.0, "alpha": 0.35, "B": 4000.0, "beta": 0.38, "gamma": 0.8,
    },
    "rl_math": {"S": 1e12, "K_max": 0.12, "N_0": 3e9},
    "q_scaled": {"c": 1e5, "b": 1e9, "a": 0.6},
    "gao_bon": {"alpha": 0.6, "beta": 0.08},
    "gao_bon_samples": {"alpha": 0.6, "beta": 0.08},
    "gao_rl": {"alpha": 0.6, "beta": 0.2},
    "vote_saturating": {"acc": 0.62, "a": 0.3, "rho": 0.9},
    "diloco_size": {"A": 18.129, "alpha": -0.0953},
    "diloco_joint_floor": {"A": 40.0, "alpha": -0.16, "beta": 0.015, "E": 0.8},
    "diloco_exponent": {"A": 40.0, "alpha": -0.16, "beta": 0.0004, "E": 0.8},
    "diloco_sum": {"A": 40.0, "alpha": -0.16, "B": 0.1, "beta": 0.3, "E": 0.8},
    "examples_by_batch": {"E_min": 4e9, "B_crit": 2e6},
    "noise_rate": {"eta_max": 0.3, "B_noise": 3e5},
    "kaplan_steps": {"N_c": 6.5e13, "alpha_N": 0.077, "S_c": 2100.0, "alpha_S": 0.76, "B_crit": 1e6},
    "llm_line": {"a": 1.1, "e1": 1.6, "b": 0.9, "e2": 1.9},
    "ladder_log_sigmoid": {"a": -0.1, "k": 4.0, "L0": 1.1},
    "ladder_single": {"p": -0.7, "E": 0.2, "A": 900.0, "alpha": 0.35, "B": 2000.0, "beta": 0.35, "q": 0.95},
    "ladder_negated": {"E": 0.8, "A": 200.0, "alpha": 0.38, "B": 200.0, "beta": 0.32},
    "log_fit": {"y0": 0.25, "a": 0.04, "r": 1e-8},
    "observational": {"b": 0.1, "w": 0.8, "w0": -1.0},
    "densing_score": {
        "a": 482.0, "alpha": 0.348, "b": 2085.0, "beta": 0.366, "c": 0.7, "gamma": 4.0, "l": 0.8, "d": 0.2,
    },
    "densing_time": {"A": 0.007, "B": -2.0},
    "performance_law": {
        "w1": 13.95018192, "w2": 0.23072027, "w3": -0.48523402, "w4": 5.39801689, "b": 9.195410648934768, "gamma": 0.1,
    },
}  # fmt: skip
POINTS = {
    "x": 3e8, "N": 3e8, "D": 2e10, "k": 12.0, "P": 4.0, "C": 3e3, "M": 6.0, "w": 1024.0, "l": 20.0, "K": 8.0, "B": 5e5,
    "L": 2.5, "U": 4e9, "n_experts": 32.0, "R": 50.0,
    "L_T": 2.2, "L_S": 2.5, "X": 1e18, "sigma": 3.0, "d": 3.0, "n": 16.0, "S": 2e4, "t": 200.0, "h": 4096.0, "f": 11008.0,
    "T": 2.0, "size": 7.0,
}  # fmt: skip
# Sensible designs: each variable over the range of the papers' runs.
GRIDS: dict[str, list[float]] = {
    "x": list(np.logspace(5, 11, 13)), "N": list(np.logspace(7.5, 10.5, 6)), "D": list(np.logspace(9, 12, 6)),
    "k": [1.0, 4.0, 16.0, 64.0], "P": [1.0, 2.0, 4.0, 8.0], "M": [1.0, 2.0, 4.0, 8.0, 64.0],
    "w": [256.0, 512.0, 1024.0, 3072.0], "l": [4.0, 8.0, 20.0, 80.0], "K": [1.0, 4.0, 16.0, 64.0],
    "B": list(np.logspace(4, 7.5, 10)), "L": list(np.linspace(1.8, 5.0, 15)), "C": list(np.logspace(2, 5.5, 15)),
    "n_experts": [2.0, 8.0, 64.0, 256.0, 512.0], "R": [8.0, 32.0, 128.0, 512.0],
    "L_T": [1.9, 2.2, 2.5, 2.9], "L_S": [2.0, 2.4, 2.8], "X": list(np.logspace(15, 20, 6)), "sigma": [1.0, 2.0, 4.0, 8.0, 16.0],
    "d": list(np.linspace(0.3, 7.0, 12)), "n": [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0], "S": list(np.logspace(3, 5.5, 6)),
    "t": list(np.linspace(0, 700, 8)), "h": [1024.0, 2048.0, 4096.0], "f": [4096.0, 8192.0, 20000.0], "T": [0.3, 2.0, 15.0],
    "size": [0.5, 7.0, 70.0],
}  # fmt: skip
# Where a variable means something else, or a law's interest lies elsewhere.
OWN_GRIDS: dict[str, dict[str, list[float]]] = {
    "muennighoff": {"N": list(np.logspace(7.5, 10, 7)), "D": list(np.logspace(9, 11, 6)), "U": [1e8, 3e8, 1e9]},
    "gadre_overtrain": {"C": list(np.logspace(17, 22, 8)), "M": [5.0, 20.0, 80.0, 320.0]},
    "ladder_accuracy": {"L": list(np.linspace(0.4, 1.8, 15))},
    "t2_accuracy_link": {"L": list(np.linspace(1.8, 5.0, 15)), "k": [1.0, 4.0, 16.0, 64.0]},
    "log_linear_ck": {"C": list(np.logspace(18, 22, 9)), "k": [1.0, 4.0, 16.0, 64.0]},
    "coverage": {"k": list(np.logspace(0, 4, 13))},
    "neglog_power": {"k": list(np.logspace(0, 4, 13))},
    "beta_pass": {"k": list(np.logspace(0, 4, 13))},
    "quokka": {"N": list(np.logspace(7.5, 10, 5)), "D": list(np.logspace(9.5, 11.5, 5)), "U": [1e8, 3e8, 1e9]},
    "atlas_repeated": {"N": list(np.logspace(7.5, 10, 5)), "D": list(np.logspace(9, 11, 6)), "U": [3e8, 1e9, 1e10]},
    "rectified_sft": {"D": list(np.logspace(2, 7, 14))},
    "sft_power": {"D": list(np.logspace(2, 7, 14))},
    "distillation": {
        "L_T": [1.9, 2.2, 2.5, 2.9],
        "L_S": [2.0, 2.4, 2.8],
        "N": [1e8, 1e9, 1e10],
        "D": [1e9, 1e10, 1e11],
    },
    "gemstones_size": {
        "w": [256.0, 512.0, 1024.0],
        "l": [4.0, 20.0, 80.0],
        "D": [1e9, 1e10, 1e11],
        "N": [1e7, 1e8, 1e9],
    },
    "isoflop_parabola": {"N": list(np.logspace(8, 10, 9))},
    "llm_line": {"x": list(np.linspace(1.8, 5.0, 15))},
    "ladder_log_sigmoid": {"L": list(np.linspace(0.4, 1.8, 15))},
    "performance_law": {
        "l": [16.0, 32.0, 80.0],
        "h": [1024.0, 4096.0],
        "f": [4096.0, 20000.0],
        "T": [0.3, 2.0, 15.0],
        "size": [0.5, 7.0, 70.0],
    },
    "observational": {"S": list(np.linspace(-4.0, 5.0, 15))},
    "bnsl": {"x": list(np.logspace(5, 11, 25))},
}


def test_names_that_are_not_variables_are_parameters_in_order_of_appearance() -> None:
    assert lf.Law(CHINCHILLA_TEXT, ["N", "D"]).parameters == ("E", "A", "alpha", "B", "beta")


def test_a_law_evaluates_like_the_same_expression_in_numpy() -> None:
    sizes, tokens = np.logspace(7, 11, 5), np.logspace(9, 12, 5)
    law = lf.Law(CHINCHILLA_TEXT, ["N", "D"])
    expected = 1.69 + 406.4 * sizes**-0.34 + 410.7 * tokens**-0.28
    np.testing.assert_allclose(law.evaluate(N=sizes, D=tokens, params=HOFFMANN), expected, rtol=ROUNDING)


def test_scalars_and_arrays_of_points_broadcast_together() -> None:
    law = lf.laws.chinchilla
    assert np.ndim(law.evaluate(N=1e9, D=1e10, params=HOFFMANN)) == 0
    assert law.evaluate(N=[[1e9], [2e9]], D=[1e10, 2e10, 3e10], params=HOFFMANN).shape == (2, 3)


def test_points_may_come_as_a_mapping() -> None:
    law = lf.laws.chinchilla
    assert law.evaluate({"N": 1e9, "D": 1e10}, params=HOFFMANN) == law.evaluate(N=1e9, D=1e10, params=HOFFMANN)


def test_laws_with_the_same_text_and_declarations_are_equal_and_hash_alike() -> None:
    first = lf.Law(CHINCHILLA_TEXT, ["N", "D"], positive=["E"], bounds={"alpha": (0, 3)})
    second = lf.Law(f"  {CHINCHILLA_TEXT}\n", ["N", "D"], positive=["E"], bounds={"alpha": (0.0, 3.0)}, title="other")
    assert first == second
    assert hash(first) == hash(second)
    assert first != lf.Law(CHINCHILLA_TEXT, ["N", "D"], positive=["A"], bounds={"alpha": (0, 3)})


def test_a_law_survives_pickling() -> None:
    law = lf.Law(
        CHINCHILLA_TEXT, ["N", "D"], positive=["E", "A"], bounds={"alpha": (0, None)}, units={"N": "parameters"}
    )
    copy = pickle.loads(pickle.dumps(law))
    assert copy == law
    assert copy.units == law.units
    assert repr(copy) == repr(law)


def test_a_law_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        lf.laws.chinchilla.text = "E"  # type: ignore[misc]


def test_repr_shows_formula_variables_with_units_parameters_with_bounds_and_reference() -> None:
    shown = repr(lf.laws.chinchilla)
    for part in (CHINCHILLA_TEXT, "N (parameters)", "D (tokens)", "A >= 0", "Hoffmann et al. 2022"):
        assert part in shown


def test_positive_means_at_least_zero_in_the_bounds() -> None:
    law = lf.Law("E + A*x**-alpha", ["x"], positive=["A"], bounds={"alpha": (None, 2)})
    assert dict(law.bounds) == {"E": (-math.inf, math.inf), "A": (0.0, math.inf), "alpha": (-math.inf, 2.0)}


def test_a_template_takes_the_columns_among_its_names_as_variables() -> None:
    law = lf.Law(CHINCHILLA_TEXT, positive=["A"])
    assert law.is_template
    bound = law.bind(["loss", "D", "N"])
    assert bound.variables == ("N", "D")
    assert bound.parameters == ("E", "A", "alpha", "B", "beta")
    assert bound.positive == ("A",)


def test_a_template_evaluates_with_the_names_that_are_given_as_variables() -> None:
    value = lf.Law("E + A/x").evaluate(x=2.0, params={"E": 1.0, "A": 4.0})
    assert float(value) == 3.0


@pytest.mark.parametrize("name", list(lf.laws.CATALOGUE))
def test_every_catalogue_entry_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    law = lf.laws.CATALOGUE[name]
    assert getattr(lf.laws, name) is law
    assert law.title
    assert law.reference
    assert law.variables is not None
    assert set(law.units) == set(law.variables)


@pytest.mark.parametrize("name", list(lf.laws.CATALOGUE))
def test_derivatives_of_every_catalogue_entry_agree_with_differences(name: str) -> None:
    law, truth = lf.laws.CATALOGUE[name], TRUTHS[name]
    variables = law.variables or ()
    at: dict[str, float] = {**{key: POINTS[key] for key in variables}, **truth}

    def value(point: dict[str, float]) -> float:
        return float(law.evaluate({key: point[key] for key in variables}, params={key: point[key] for key in truth}))

    x = np.array([[at[key]] for key in variables])
    params = np.array([[at[key] for key in law.parameters]])
    wrt = [*law.parameters, *variables]
    exact = _engine.evaluate(law.text, variables, law.parameters, x, params, wrt=wrt, order=1)[0, :, 0]
    for key, derivative in zip(wrt, exact, strict=True):
        step = 1e-5 * at[key]
        slope = (value({**at, key: at[key] + step}) - value({**at, key: at[key] - step})) / (2 * step)
        # Relative to the law's elasticity: a derivative by N is of the order value / N.
        assert abs(slope - derivative) * at[key] <= DIFFERENCE_TOLERANCE * value(at), key


@pytest.mark.parametrize("name", list(lf.laws.CATALOGUE))
def test_every_catalogue_entry_recovers_the_law_behind_noiseless_runs(name: str) -> None:
    law, truth = lf.laws.CATALOGUE[name], TRUTHS[name]
    grid = {key: OWN_GRIDS.get(name, GRIDS)[key] for key in law.variables or ()}
    runs = lf.synthetic.runs(law, truth, grid, response="y")
    fit = lf.fit(law, runs, response="y", loss="squared", starts=50, seed=1, n_threads=1)
    points = {key: runs[key] for key in law.variables or ()}
    np.testing.assert_allclose(law.evaluate(points, params=fit.params), runs["y"], rtol=1e-6)


def test_traps_are_printed_and_survive_a_pickle_but_are_no_part_of_identity() -> None:
    law = lf.Law("A*x", ["x"], traps=["A is no slope."])
    assert law == lf.Law("A*x", ["x"])
    assert pickle.loads(pickle.dumps(law)).traps == ("A is no slope.",)
    assert "trap        A is no slope." in repr(law)


def test_an_unknown_catalogue_name_is_answered_with_the_nearest_and_all() -> None:
    with pytest.raises(AttributeError, match=r"did you mean 'chinchilla'.*power_floor"):
        _ = lf.laws.chinchila
    with pytest.raises(KeyError, match="did you mean 'chinchilla'"):
        lf.laws.CATALOGUE["Chinchila"]


BAD_LAWS: list[tuple[dict[str, Any], str]] = [
    ({"text": 3}, "a law is a text"),
    ({"text": "E + A*", "variables": ["N"]}, "column"),
    ({"text": "E + A*N", "variables": "N"}, "give a list of names"),
    ({"text": "E + A*N", "variables": ["N", "N"]}, "'N' is given twice"),
    ({"text": "E + A*N", "variables": ["D"]}, "'D' does not occur"),
    ({"text": "E + A*N", "variables": ["N"], "positive": "E"}, "give a list of names"),
    ({"text": "E + A*N", "variables": ["N"], "positive": ["F"]}, "positive: 'F' is not a parameter"),
    ({"text": "E + A*N", "variables": ["N"], "positive": ["N"]}, "'N' is a variable"),
    ({"text": "E + A*N", "variables": ["N"], "bounds": {"F": (0, 1)}}, "bounds: 'F' is not a parameter"),
    ({"text": "E + A*N", "variables": ["N"], "bounds": {"E": (2, 1)}}, "lower end 2 above its upper end 1"),
    ({"text": "E + A*N", "variables": ["N"], "bounds": {"E": 3}}, "needs a pair"),
    ({"text": "E + A*N", "variables": ["N"], "bounds": {"E": (math.nan, 1)}}, "needs a number, got nan"),
    ({"text": "E + A*N", "variables": ["N"], "bounds": {"E": ("a", 1)}}, "needs a number, got 'a'"),
    ({"text": "E + A*N", "variables": ["N"], "positive": ["E"], "bounds": {"E": (-1, 1)}}, "contradicts positive="),
    ({"text": "E + A*N", "variables": ["N"], "starts": {"E": (0, None)}}, "needs two finite ends"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_LAWS)
def test_a_declaration_that_contradicts_the_text_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(lf.LawError, match=message):
        lf.Law(**arguments)


def test_a_parameter_that_looks_like_a_column_is_refused_and_both_are_shown() -> None:
    with pytest.raises(lf.LawError, match=r"'n' in the law.*'N' is a column"):
        lf.Law("E + A*n**-alpha + D").bind(["N", "D", "loss"])
    with pytest.raises(lf.LawError, match=r"'E' is a parameter of the law chinchilla and also a column"):
        lf.laws.chinchilla.bind(["N", "D", "E"])


def test_a_law_without_any_column_among_its_names_is_refused() -> None:
    with pytest.raises(lf.LawError, match=r"no name of the law .* is a column"):
        lf.Law("E + A*x**-alpha").bind(["N", "loss"])
    with pytest.raises(lf.LawError, match=r"'N' of the law is not a column.*columns=\{\"N\""):
        lf.laws.chinchilla.bind(["params", "D"])


def test_evaluate_names_the_variable_or_parameter_that_is_wrong() -> None:
    law = lf.laws.chinchilla
    with pytest.raises(lf.LawError, match="the variable 'D' is missing"):
        law.evaluate(N=1e9, params=HOFFMANN)
    with pytest.raises(lf.LawError, match="'K' is not a variable"):
        law.evaluate(N=1e9, D=1e10, K=1.0, params=HOFFMANN)
    with pytest.raises(lf.LawError, match="no value for beta"):
        law.evaluate(N=1e9, D=1e10, params={key: value for key, value in HOFFMANN.items() if key != "beta"})
    with pytest.raises(
        lf.LawError, match=r"'gamma' is not a parameter.*did you mean 'alpha'|'gamma' is not a parameter"
    ):
        law.evaluate(N=1e9, D=1e10, params={**HOFFMANN, "gamma": 1.0})
    with pytest.raises(lf.DataError, match="shapes that do not go together"):
        law.evaluate(N=[1e9, 2e9], D=[1e10, 2e10, 3e10], params=HOFFMANN)
    with pytest.raises(lf.DataError, match="N is missing or NaN"):
        law.evaluate(N=math.nan, D=1e10, params=HOFFMANN)


def test_parameters_of_a_template_are_not_known_and_the_message_says_what_to_do() -> None:
    with pytest.raises(lf.LawError, match="has no variables yet"):
        _ = lf.Law(CHINCHILLA_TEXT).parameters
