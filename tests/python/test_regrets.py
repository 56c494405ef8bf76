"""Regret of a choice: closed form, bisection over repeated allocations, and choices that cannot be made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lawfit as lf
from lawfit._engine import F64

T2 = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28, "G": 2.0, "gamma": 0.3}
# A response holds to 1e-15, and a unit of the logarithm of a budget is worth a hundredth of it.
REACHED = 1e-9


@pytest.fixture(scope="module")
def draws() -> lf.Draws:
    truth = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1200.0, "beta": 0.33}
    grid = {"N": np.logspace(7, 9, 4), "D": np.logspace(9, 11, 4)}
    runs = lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.02, seed=3)
    return lf.fit(lf.laws.chinchilla, runs, response="loss").bootstrap(200, seed=0, n_checked=0)


@pytest.fixture(scope="module")
def sampled() -> lf.Draws:
    grid = {"N": [1e7, 1e8, 1e9], "D": [1e9, 1e10, 1e11], "k": [1.0, 10.0, 100.0]}
    runs = lf.synthetic.runs(lf.laws.t2_loss, T2, grid, noise=0.02, seed=0)
    return lf.fit(lf.laws.t2_loss, runs, response="loss").bootstrap(20, seed=0, n_checked=0)


def closed_form(draws: lf.Draws, budget: float, size: float) -> F64:
    """Regret of a size at 6ND = budget: along its frontier the loss above E is a power of the budget."""
    p = {name: draws[name] for name in draws.law.parameters}
    power = p["alpha"] * p["beta"] / (p["alpha"] + p["beta"])
    ratio = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1.0 / (p["alpha"] + p["beta"]))
    best_size = ratio * (budget / 6.0) ** (p["beta"] / (p["alpha"] + p["beta"]))

    def reducible(n: float | F64) -> F64:
        found: F64 = p["A"] * n ** -p["alpha"] + p["B"] * (budget / 6.0 / n) ** -p["beta"]
        return found

    return (reducible(size) / reducible(best_size)) ** (1.0 / power) - 1.0


def test_regret_under_chinchilla_has_its_closed_form(draws: lf.Draws) -> None:
    budgets = np.array([1e20, 1e23])
    front = draws.allocate({"6*N*D": budgets})
    found = front.regret({"N": [1e8, 2e11]})
    assert found.values.shape == found.excess.shape == (200, 2)
    for point, size in enumerate([1e8, 2e11]):
        expected = closed_form(draws, float(budgets[point]), size)
        ok = front.ok[:, point]
        assert ok.all()
        np.testing.assert_allclose(found.values[:, point], expected, rtol=1e-7, atol=REACHED)
        assert found.mean()[point] == pytest.approx(expected.mean(), rel=1e-7)
        assert found.quantile(0.9)[point] == pytest.approx(np.quantile(expected, 0.9), rel=1e-7)
        assert found.probability(0.3)[point] == np.mean(expected > 0.3)
        best = np.array([
            draws.law.evaluate(N=n, D=budgets[point] / 6 / n, params=dict(zip(draws.law.parameters, row, strict=True)))
            for n, row in zip(front["N"][:, point].tolist(), draws.params.tolist(), strict=True)
        ])  # fmt: skip
        chosen = np.array([
            draws.law.evaluate(
                N=size, D=budgets[point] / 6 / size, params=dict(zip(draws.law.parameters, row, strict=True))
            )
            for row in draws.params.tolist()
        ])  # fmt: skip
        np.testing.assert_allclose(found.excess[:, point], chosen - best, atol=1e-12)


@pytest.mark.parametrize("of", [("6*N*D", "2*N*k"), ("6*N*D",), ("2*N*k",)])
def test_a_smaller_budget_buys_the_same_response_by_bisection(sampled: lf.Draws, of: tuple[str, ...]) -> None:
    budgets = {"6*N*D": 5.88e23, "2*N*k": 1.4e11}
    found = sampled.allocate(budgets).regret({"N": 1e9, "k": 60.0}, budgets=of)
    assert found.budgets == of
    at = {"N": 1e9, "D": 5.88e23 / 6e9, "k": 60.0}
    np.testing.assert_allclose([found.choice[name].item() for name in "NDk"], list(at.values()), rtol=1e-9)
    for number in range(3):
        params = dict(zip(sampled.law.parameters, sampled.params[number].tolist(), strict=True))
        wanted = float(sampled.law.evaluate(params=params, **at))
        low, high = -10.0, 0.0
        while high - low > 1e-11:
            middle = 0.5 * (low + high)
            scaled = {text: amount * (math.exp(middle) if text in of else 1.0) for text, amount in budgets.items()}
            worse = lf.allocate(sampled.law, scaled, params=params).raw.value.item() > wanted
            low, high = (middle, high) if worse else (low, middle)
        assert found.values[number] == pytest.approx(math.expm1(-high), rel=1e-7)


def test_the_best_choice_has_no_regret(draws: lf.Draws) -> None:
    params = np.tile(np.array(list(draws.fit.params.values())), (len(draws), 1))
    found = replace(draws, params=params).allocate({"6*N*D": [1e20, 1e24]}).regret()
    assert np.all(found.values == 0.0)
    assert np.all(np.abs(found.excess) < 1e-14)
    assert np.all(found.probability(0.0) == 0.0)


def test_what_is_not_named_is_chosen_by_the_fit(sampled: lf.Draws) -> None:
    budgets = {"6*N*D + 2*N*k*1e12": 1e24}
    front = sampled.allocate(budgets)
    beside = sampled.fit.allocate(budgets, at={"N": 2e9})
    partly, whole = front.regret({"N": 2e9}), front.regret({name: beside[name] for name in ("N", "D", "k")})
    np.testing.assert_allclose(partly.values, whole.values, rtol=1e-6, atol=REACHED)
    assert partly.choice["D"] == pytest.approx(beside["D"], rel=1e-9)


def test_less_than_the_budget_is_regretted_as_what_is_left_unspent(draws: lf.Draws) -> None:
    params = np.tile(np.array(list(draws.fit.params.values())), (len(draws), 1))
    same = replace(draws, params=params)
    half = same.fit.allocate({"6*N*D": 0.5e24})
    found = same.allocate({"6*N*D": 1e24}).regret({"N": half["N"], "D": half["D"]})
    np.testing.assert_allclose(found.values, 1.0, rtol=1e-9)


def test_the_best_on_average_loses_less_response_than_the_plan(draws: lf.Draws) -> None:
    front = draws.allocate({"6*N*D": [1e22, 1e25]})
    average = front.best_on_average()
    plan, other = front.regret(), front.regret(average)
    assert np.all(other.excess.mean(axis=0) < plan.excess.mean(axis=0))
    difference = plan.excess.mean(axis=0) - other.excess.mean(axis=0)
    np.testing.assert_allclose(difference, average.mean_at_plan - average["response"], atol=1e-12)
    again = front.regret({"N": average["N"], "D": average["D"]})
    np.testing.assert_allclose(again.values, other.values, atol=REACHED)


def test_draws_without_an_optimum_have_no_regret_and_are_counted(draws: lf.Draws) -> None:
    params = draws.params.copy()
    params[:50, draws.law.parameters.index("A")] = 0.0  # more tokens are always better
    found = replace(draws, params=params).allocate({"6*N*D": 1e22}).regret()
    assert np.all(np.isnan(found.values[:50]))
    assert np.all(np.isfinite(found.values[50:]))
    assert found.share == 0.75
    assert "75.00%" in repr(found)
    nothing = draws.allocate({"N": 1e9}).regret()
    assert np.isnan(nothing.mean())
    assert nothing.share == 0.0


@pytest.mark.parametrize(
    ("choice", "budgets", "message"),
    [
        ({"M": 1e9}, None, "choice: 'M' is no variable of the law; those are N, D"),
        ({"N": -1.0}, None, "choice: N: give finite numbers above 0"),
        ({"N": [1e9, 2e9]}, None, r"choice: N has shape \(2,\), the amounts \(\)"),
        ({"N": 1e9, "D": 1e15}, None, "choice: 6\\*N\\*D is 6e\\+24 there, more than the 1e\\+24"),
        ({"N": 1e7}, None, "choice: N=1e\\+07 is outside its bounds, 1e\\+08 to 1e\\+30"),
        ({"N": 1e9, "D": 1.00001e24 / 6e9}, None, "6\\*N\\*D is 1.00001e\\+24 there, more than the 1e\\+24"),
        (7e9, None, "choice: give values by variable"),
        (None, "N", "budgets: 'N' is none of the frontier"),
        (None, 6, "budgets: give one or several of the frontier's, not a value of type int"),
    ],
)
def test_choices_that_cannot_be_made_are_refused(
    draws: lf.Draws, choice: object, budgets: object, message: str
) -> None:
    front = draws.allocate({"6*N*D": 1e24}, bounds={"N": (1e8, None)})
    with pytest.raises(lf.DataError, match=message):
        front.regret(choice, budgets=budgets)  # type: ignore[arg-type]


def test_a_budget_by_name_is_kept_to_as_its_formula_is(draws: lf.Draws) -> None:
    named = draws.allocate({"training + inference(tokens=1e12)": 1e24})
    plain = draws.allocate({"6*N*D + 2*N*1e12": 1e24})
    choice = {"N": 2e10, "D": 5e12}
    np.testing.assert_allclose(named.regret(choice).values, plain.regret(choice).values, rtol=1e-9)
    np.testing.assert_allclose(
        named.regret(named.best_on_average()).values, plain.regret(plain.best_on_average()).values, atol=1e-6
    )
    with pytest.raises(lf.DataError, match=r"training \+ inference.* is 6.04e\+24 there"):
        named.regret({"N": 2e10, "D": 5e13})


def test_an_average_is_read_by_the_names_of_its_variables(draws: lf.Draws) -> None:
    """And one that this frontier could not choose is refused, not rewarded."""
    front = draws.allocate({"6*N*D": 1e24})
    order = [draws.law.parameters.index(name) for name in ("E", "B", "beta", "A", "alpha")]
    law = lf.Law("E + B*D**-beta + A*N**-alpha", variables=["D", "N"])
    named = type(draws.fit.params)({name: draws.fit.params[name] for name in law.parameters})
    other = replace(draws, fit=replace(draws.fit, law=law, params=named), params=draws.params[:, order])
    turned = other.allocate({"6*N*D": 1e24}).best_on_average()
    found = front.regret(turned)
    assert found.choice["N"] == turned["N"]
    np.testing.assert_allclose(found.values, front.regret(front.best_on_average()).values, atol=1e-6)
    with pytest.raises(lf.DataError, match=r"choice: D=.* is outside its bounds, 1 to 1e\+12"):
        draws.allocate({"6*N*D": 1e24}, bounds={"D": (None, 1e12)}).regret(front.best_on_average())


def test_an_average_over_other_variables_is_refused(draws: lf.Draws, sampled: lf.Draws) -> None:
    average = sampled.allocate({"6*N*D": 1e24, "2*N*k": 1e11}).best_on_average()
    with pytest.raises(lf.DataError, match="choice: it is of a law over N, D, k, and this one is over N, D"):
        draws.allocate({"6*N*D": 1e24}).regret(average)


def test_of_two_budgets_that_hold_each_can_be_the_one_that_is_wasted(draws: lf.Draws) -> None:
    """Half of the size that fits, at the compute that stays: twice the memory is spent that would do."""
    front = draws.allocate({"6*N*D": 1e24, "N": 1e10})
    # A few draws would spend less than all of N.
    held = (front.raw.price[:, 0] > 0.0).all(axis=-1)
    assert 180 < np.count_nonzero(held) < 200
    for of in ("N", "6*N*D"):
        assert np.all(front.regret(budgets=of).values[held] == 0.0)
    np.testing.assert_allclose(front.regret({"N": 5e9}, budgets="N").values[held], 1.0, rtol=1e-9)


def test_figures_out_of_range_are_refused(draws: lf.Draws) -> None:
    found = draws.allocate({"6*N*D": 1e24}).regret()
    assert found.quantile(np.float32(0.5)) == found.quantile(0.5)  # type: ignore[arg-type]
    assert found.probability(np.int64(0)) == found.probability(0)  # type: ignore[arg-type]
    with pytest.raises(lf.DataError, match="q=2"):
        found.quantile(2)
    with pytest.raises(lf.DataError, match="more_than=-1"):
        found.probability(-1)
    with pytest.raises(lf.DataError, match="more_than='5%'"):
        found.probability("5%")  # type: ignore[arg-type]
    with pytest.raises(lf.DataError, match="without target="):
        draws.allocate({"6*N*D": None}, target=2.5).regret()
    with pytest.raises(lf.DataError, match="there is none"):
        draws.allocate({}, bounds={"N": (1e8, 1e9), "D": (1e9, 1e10)}).regret()
    with pytest.raises(lf.DataError, match="another sweep"):
        draws.allocate({"6*N*D": 1e24}).regret(draws.allocate({"6*N*D": [1e23, 1e24]}).best_on_average())


def test_the_table_has_what_the_result_has(draws: lf.Draws) -> None:
    found = draws.allocate({"6*N*D": np.logspace(20, 24, 40)}).regret()
    columns = found.columns()
    np.testing.assert_array_equal(columns["expected"], found.mean())
    assert len(found.to_frame("pandas")["P(above 5 %)"]) == 40
    assert "... 10 more; to_frame() has them all" in repr(found)


def test_the_chinchilla_points_decide_to_a_percent_of_the_budget(real_data: Callable[[str], Path]) -> None:
    """And Gopher's size at its own budget wastes nearly half of it."""
    runs = lf.read_table(real_data("chinchilla_epoch.csv"))
    draws = lf.fit(lf.laws.chinchilla, runs, response="loss", where="epoch_used").bootstrap(1000, seed=0, n_checked=0)
    front = draws.allocate({"6*N*D": 5.76e23})
    plan, gopher = front.regret(), front.regret({"N": 280e9})
    np.testing.assert_allclose(plan.values, closed_form(draws, 5.76e23, float(front.plan["N"])), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(gopher.values, closed_form(draws, 5.76e23, 280e9), rtol=1e-6)
    # The table of docs/decisions.md.
    assert plan.mean() == pytest.approx(0.009, abs=5e-4)
    assert plan.quantile(0.95) == pytest.approx(0.035, abs=5e-4)
    assert plan.probability() == pytest.approx(0.02, abs=5e-3)
    assert gopher.mean() == pytest.approx(0.85, abs=5e-3)
    assert gopher.quantile(0.95) == pytest.approx(1.26, abs=5e-3)
    assert gopher.probability() == 1.0


def test_regret_keeps_to_menus_and_whole_numbers(sampled: lf.Draws) -> None:
    """The best of a smaller budget is chosen from the same menu, by bisection."""
    budgets = {"6*N*D": 5.88e23, "2*N*k": 1.4e11}
    options = {"menus": {"N": [2e8, 5e8, 1e9]}, "integer": ["k"]}
    front = sampled.allocate(budgets, **options)  # type: ignore[arg-type]
    found = front.regret({"N": 1e9})
    assert found.choice["k"] == 70.0
    for number in range(3):
        params = dict(zip(sampled.law.parameters, sampled.params[number].tolist(), strict=True))
        wanted = float(sampled.law.evaluate(params=params, N=1e9, D=5.88e23 / 6e9, k=70.0))
        low, high = -3.0, 0.0
        while high - low > 1e-11:
            middle = 0.5 * (low + high)
            scaled = {text: amount * math.exp(middle) for text, amount in budgets.items()}
            plan = lf.allocate(sampled.law, scaled, params=params, **options)  # type: ignore[arg-type]
            low, high = (middle, high) if plan.raw.value.item() > wanted else (low, middle)
        assert found.values[number] == pytest.approx(math.expm1(-high), rel=1e-7)
