"""Whatever stands where an argument belongs, the answer is a result or an error of lawfit's own."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf

pandas = importlib.import_module("pandas")
polars = importlib.import_module("polars")
pyarrow = importlib.import_module("pyarrow")

ODD: list[Any] = [
    None, 0, 1, -1, 2.5, float("nan"), float("inf"), 1e300, True, 1j, 10**30, np.float64(3), np.int64(3), "", " ", "x",
    "loss", "\u00e9", "`", "'", "x >", "nan", b"x", "x" * 1000, [], [1], ["x"], (), (1, 2), {}, {1: 2}, {"x": 1},
    {"x": None}, {"alpha": None}, {"alpha": "a"}, set(), object(), slice(3), type, np.array([]), np.ones(12),
    np.ones((2, 2)), np.array(["a"] * 12), np.ma.masked_array([1.0] * 12, mask=[True] * 12), lf.laws.chinchilla,
    pandas.Series([1.0]), pandas.DataFrame({"x": [1.0]}), polars.Series([1.0]), polars.LazyFrame({"x": [1.0]}),
    pyarrow.array([1.0]), np.datetime64("2020-01-01"), {"alpha": (1, 2)}, {"alpha": (1e300, 1e-300)},
    {"alpha": (0, 1e-320)}, {"alpha": (1, 1e-150)}, {"alpha": (1, 1e149)}, np.full(12, 1e-149), np.full(12, 1e149),
]  # fmt: skip
FIT_ARGUMENTS = [
    "law", "data", "response", "columns", "where", "protocol", "loss", "f_scale", "residual", "weights", "sigma",
    "cluster", "bounds", "fixed", "prior", "starts", "seed", "solver", "covariance", "max_iterations", "kernels",
    "n_threads",
]  # fmt: skip
LAW_ARGUMENTS = ["text", "variables", "positive", "bounds", "starts", "name", "title", "units", "reference"]


def answers(call: Callable[..., object], **fixed: object) -> None:
    """Call once with every odd value; only lawfit's own errors, with a message, may come."""
    for odd in ODD:
        with contextlib.suppress(lf.LawError, lf.DataError):
            repr(call(odd, **fixed))


@pytest.mark.parametrize("argument", FIT_ARGUMENTS)
def test_fit_answers_any_value_of_any_argument(argument: str, power_runs: Columns) -> None:
    def call(odd: Any) -> lf.Fit:
        arguments: dict[str, Any] = {"law": lf.laws.power_floor, "data": power_runs, "response": "loss", "starts": 2}
        arguments |= {"max_iterations": 50, argument: odd}
        return lf.fit(arguments.pop("law"), arguments.pop("data"), **arguments)

    answers(call)


@pytest.mark.parametrize("argument", ["by", "bootstrap", "resample", "data"])
def test_fit_many_answers_any_value_of_any_argument(argument: str, power_runs: Columns) -> None:
    def call(odd: Any) -> lf.Fits:
        arguments: dict[str, Any] = {"data": power_runs, "by": None if argument == "data" else [], argument: odd}
        return lf.fit_many(lf.laws.power_floor, arguments.pop("data"), response="loss", starts=2, **arguments)

    answers(call)


@pytest.mark.parametrize("argument", LAW_ARGUMENTS)
def test_law_answers_any_value_of_any_argument(argument: str) -> None:
    def call(odd: Any) -> lf.Law:
        arguments: dict[str, Any] = {"text": "E + A*x**-alpha", argument: odd}
        return lf.Law(**arguments)

    answers(call)


@pytest.mark.parametrize("argument", ["n_replicates", "resample", "seed", "weights", "indices", "n_threads"])
def test_bootstrap_answers_any_value_of_any_argument(argument: str, power_fit: lf.Fit) -> None:
    def call(odd: Any) -> lf.Draws:
        counted = {} if argument in ("weights", "indices", "n_replicates") else {"n_replicates": 2}
        huge = argument == "n_replicates" and isinstance(odd, int) and odd > 10**6
        return power_fit.bootstrap(**({} if huge else counted | {argument: odd}))

    answers(call)


def test_questions_to_results_are_answered(power_fit: lf.Fit) -> None:
    draws = power_fit.bootstrap(3)
    answers(lambda odd: draws.interval(odd))
    answers(lambda odd: draws.interval("alpha", odd))
    answers(lambda odd: draws.interval("alpha", method=odd))
    answers(lambda odd: draws.predict(odd))
    answers(lambda odd: draws.predict(x=odd).interval())
    answers(lambda odd: draws.predict(x=1.0, kind=odd))
    answers(lambda odd: draws.predict(x=1.0, kind="run", sigma=odd))
    answers(lambda odd: draws.predict(x=1.0).interval(odd))
    answers(lambda odd: draws.predict(x=1.0).interval(method=odd))
    answers(lambda odd: power_fit.interval(odd))
    answers(lambda odd: power_fit.interval("alpha", odd))
    answers(lambda odd: power_fit.interval("alpha", method=odd))
    answers(lambda odd: power_fit.interval("alpha", covariance=odd))
    answers(lambda odd: power_fit.interval(odd, method="profile"))
    answers(lambda odd: power_fit.derived(odd))
    answers(lambda odd: power_fit.derived("alpha").interval(odd))
    answers(lambda odd: power_fit.predict(x=odd))
    answers(lambda odd: power_fit.predict(odd))
    answers(lambda odd: power_fit.predict(x=1.0, interval=odd))
    answers(lambda odd: power_fit.predict(x=1.0, interval=0.9, kind=odd))
    answers(lambda odd: power_fit.predict(x=1.0, interval=0.9, sigma=odd))
    answers(lambda odd: lf.binomial_sigma(odd, 12))
    answers(lambda odd: lf.binomial_sigma(1, odd))
    answers(lambda odd: power_fit.to_frame(odd))
    answers(lambda odd: lf.laws.power_floor.evaluate(x=1.0, params=odd))


@pytest.mark.parametrize("argument", ["law", "params", "grid", "response", "seed"])
def test_synthetic_runs_answer_any_value_of_any_argument(argument: str) -> None:
    def call(odd: Any) -> object:
        arguments: dict[str, Any] = {"law": lf.laws.power_floor, "params": {"E": 1.0, "A": 1.0, "alpha": 1.0}}
        return lf.synthetic.runs(**(arguments | {"grid": {"x": [1.0, 2.0]}, argument: odd}))

    answers(call)


FIGURES: dict[str, Callable[[Any, dict[str, Any]], object]] = {
    "frontiers fronts": lambda odd, of: lf.plotting.frontiers.data(odd),
    "frontiers front": lambda odd, of: lf.plotting.frontiers.data({"a": odd}),
    "frontiers quantities": lambda odd, of: lf.plotting.frontiers.data(of["plan"], odd),
    "frontiers level": lambda odd, of: lf.plotting.frontiers.data(of["plan"], level=odd),
    "frontiers models": lambda odd, of: lf.plotting.frontiers.data(of["plan"], models=odd),
    "frontiers size": lambda odd, of: lf.plotting.frontiers.data(of["plan"], models={"a": {"N": odd, "D": 1e9}}),
    "near_optimal plan": lambda odd, of: lf.plotting.near_optimal.data(odd),
    "near_optimal quantity": lambda odd, of: lf.plotting.near_optimal.data(of["plan"], odd),
    "near_optimal shares": lambda odd, of: lf.plotting.near_optimal.data(of["plan"], shares=odd),
    "train_to_test plan": lambda odd, of: lf.plotting.train_to_test.data(odd),
    "train_to_test n_curves": lambda odd, of: lf.plotting.train_to_test.data(of["plan"], n_curves=odd),
    "train_to_test fit": lambda odd, of: lf.plotting.train_to_test.data(of["plan"], fit=odd),
    "contours variables": lambda odd, of: lf.plotting.contours.data(of["fit"], variables=odd, also={"2*N*k": 1e10}),
    "contours at": lambda odd, of: lf.plotting.contours.data(of["fit"], at=odd),
    "contours also": lambda odd, of: lf.plotting.contours.data(of["fit"], also=odd),
    "contours amount": lambda odd, of: lf.plotting.contours.data(of["fit"], also={"2*N*k": odd}),
    "pass_curve mixture": lambda odd, of: lf.plotting.pass_curve.data(odd),
    "pass_curve fits": lambda odd, of: lf.plotting.pass_curve.data(of["mixture"], fits=odd),
    "pass_curve fit": lambda odd, of: lf.plotting.pass_curve.data(of["mixture"], fits={"a": odd}),
    "pass_curve at": lambda odd, of: lf.plotting.pass_curve.data(of["mixture"], fits={"f": of["fit"]}, at=odd),
    "pass_curve on": lambda odd, of: lf.plotting.pass_curve.data(of["mixture"], on=odd),
    "pass_curve seed": lambda odd, of: lf.plotting.pass_curve.data(of["mixture"], seed=odd),
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    truth = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28, "G": 2.0, "gamma": 0.3}
    grid: dict[str, list[float]] = {"N": [1e8, 4e8, 1.6e9], "D": [2e9, 8e9, 3.2e10], "k": [1, 8, 64]}
    runs = lf.synthetic.runs(lf.laws.t2_loss, truth, grid, response="y", noise=0.001)
    return {
        "plan": lf.allocate(lf.laws.t2_loss, {"6*N*D": [1e18, 1e20, 1e22], "2*N*k": 2e9}, params=truth),
        "fit": lf.fit(lf.laws.t2_loss, runs, response="y", cluster="N"),
        "mixture": lf.fit_mixture({"n_samples": [200] * 4, "n_correct": [1, 9, 60, 140]}),
    }


@pytest.mark.parametrize("argument", FIGURES)
def test_figures_of_plans_answer_any_value_of_any_argument(argument: str, drawn: dict[str, Any]) -> None:
    answers(lambda odd: FIGURES[argument](odd, drawn))
