from __future__ import annotations

import math
import pickle
import runpy
from pathlib import Path
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

_EXAMPLES = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "law_examples.py"))
TRUTHS: dict[str, dict[str, float]] = _EXAMPLES["TRUTHS"]
GRIDS: dict[str, list[float]] = _EXAMPLES["GRIDS"]
OWN_GRIDS: dict[str, dict[str, list[float]]] = _EXAMPLES["OWN_GRIDS"]
POINTS = {
    "x": 3e8, "N": 3e8, "D": 2e10, "k": 12.0, "P": 4.0, "C": 3e3, "M": 6.0, "w": 1024.0, "l": 20.0, "K": 8.0, "B": 5e5,
    "L": 2.5, "U": 4e9, "n_experts": 32.0, "R": 50.0,
    "L_T": 2.2, "L_S": 2.5, "X": 1e18, "sigma": 3.0, "d": 3.0, "n": 16.0, "S": 2e4, "t": 200.0,
    "h": 4096.0, "f": 11008.0, "T": 2.0, "size": 7.0,
}  # fmt: skip


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
