"""Every bad call gets a message that names the argument and says what to do."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf
from lawfit import _engine

polars = importlib.import_module("polars")

BAD_CALLS: list[tuple[dict[str, Any], str]] = [
    ({"law": "chinchilla"}, r"write lawfit\.laws\.chinchilla"),
    ({"law": "runs.csv"}, "looks like a path: the law comes first"),
    ({"law": polars.LazyFrame({"x": [1.0]})}, "this is a table; the law comes first"),
    ({"law": 3}, "law: give a law of lawfit.laws"),
    ({"law": {"x": [1.0], "loss": [1.0]}}, "this is a table; the law comes first, the data second"),
    ({"data": lf.laws.chinchilla}, "this is a law; the law comes first"),
    ({"data": 3}, "cannot read a value of type int"),
    ({"law": lf.laws.chinchilla}, "the variable 'N' of the law is not a column"),
    ({"law": "E + A*X**-alpha"}, "is a column|no name of the law"),
    ({"response": "los"}, "there is no column 'los'; did you mean 'loss'"),
    ({"response": "text"}, "the column holds text"),
    ({"response": 3}, "response: give the name of the column"),
    ({"response": "x"}, "is also a variable of the law"),
    ({"response": "bad"}, r"response='bad' is missing or NaN in row 3 \(counted from 0\), the only such row"),
    ({"response": "huge"}, "response='huge' is infinite in row 2"),
    ({"response": "negative"}, 'is -1 in row 5 .* residual="log" needs positive values: use residual="linear"'),
    ({"columns": {"x": "bad"}}, "columns: x='bad' is missing or NaN in row 3"),
    ({"columns": {"y": "x"}}, "columns: 'y' is not a name of the law"),
    ({"columns": {"alpha": "x"}, "law": lf.laws.power_floor}, "'alpha' is a parameter"),
    ({"columns": {"x": 3}}, "columns: x: give a column name"),
    ({"columns": ["x"]}, "columns: give a mapping"),
    ({"columns": {"x": "6*y"}}, "there is no column 'y'"),
    ({"where": "x >"}, "column"),
    ({"where": "x > 1e99"}, "keeps none of the 12 rows"),
    ({"where": "y > 1"}, "where='y > 1': there is no column 'y'"),
    ({"where": "x"}, "compare it with one"),
    ({"loss": "val_loss"}, "loss='val_loss' is a column: the column to fit is response='val_loss'"),
    ({"loss": "hubert"}, "loss='hubert' is not known; did you mean 'huber'"),
    ({"loss": 3}, "loss: give one of"),
    ({"residual": "logarithmic"}, "residual='logarithmic' is not known"),
    ({"covariance": "HC9"}, "covariance='HC9' is not known"),
    ({"kernels": "gpu"}, "kernels='gpu' is not known"),
    ({"f_scale": "big"}, "f_scale='big': give a number above 0, or \"mad\""),
    ({"f_scale": 0.0}, "f_scale=0.0: give a number above 0"),
    ({"f_scale": float("nan")}, "f_scale"),
    ({"weights": [1.0]}, "weights: got shape"),
    ({"weights": "negative"}, "weights: row 5"),
    ({"weights": np.zeros(12)}, "every one is 0"),
    ({"weights": np.full(12, np.nan)}, "weights is missing or NaN in row 0"),
    ({"sigma": [1.0]}, "sigma: got shape"),
    ({"sigma": "negative"}, r"sigma: row 5 \(counted from 0\) has -1, 1 in all are not positive"),
    ({"sigma": np.zeros(12)}, "sigma: row 0 .* 12 in all are not positive; give standard deviations"),
    ({"sigma": "bad"}, r"sigma='bad' is missing or NaN in row 3 \(counted from 0\)"),
    ({"sigma": np.where(np.arange(12) == 4, np.inf, 1.0)}, "sigma is infinite in row 4"),
    ({"sigma": "noise"}, "sigma: there is no column 'noise'|there is no column 'noise'"),
    ({"sigma": np.full(12, 1e-200)}, "sigma: 1e-200 in row 0 is no standard deviation|sigma"),
    ({"sigma": "loss", "weights": "loss"}, r"known \(sigma=\) or relative \(weights=\), not both"),
    ({"prior": {"beta": (0.3, 0.1)}}, "prior: 'beta' is not a parameter"),
    ({"prior": {"x": (0.3, 0.1)}}, "prior: 'x' is a variable"),
    ({"prior": {"alpha": (0.3, 0.1)}, "fixed": {"alpha": 0.3}}, "prior: alpha is fixed at 0.3; leave it out of"),
    ({"prior": {"alpha": (0.3, 0.0)}}, "the standard deviation of alpha is 0; .* to hold it use fixed="),
    ({"prior": {"alpha": (0.3, -1.0)}}, "the standard deviation of alpha is -1; it is positive and finite"),
    ({"prior": {"alpha": (0.3, np.inf)}}, "the standard deviation of alpha is inf; .* where nothing is known"),
    ({"prior": {"alpha": (0.3, np.nan)}}, "prior: alpha needs a number, got nan"),
    ({"prior": {"alpha": (np.inf, 1.0)}}, "prior: alpha needs a finite mean"),
    (
        {"prior": {"alpha": (3.0, 0.1)}, "bounds": {"alpha": (0, 1)}},
        r"the mean 3 of alpha lies outside its bounds \(0, 1",
    ),
    ({"prior": {"alpha": 0.3}}, r"prior: alpha needs a pair \(mean, sd\)"),
    ({"prior": {"alpha": "ab"}}, r"prior: alpha needs a pair \(mean, sd\)"),
    ({"prior": [0.3, 0.1]}, r"prior: give a mapping from parameters to \(mean, sd\)"),
    ({"bounds": {"beta": (0, 1)}}, "bounds: 'beta' is not a parameter"),
    ({"bounds": {"x": (0, 1)}}, "bounds: 'x' is a variable"),
    ({"bounds": {"alpha": (1, 0)}}, "lower end 1 above its upper end 0"),
    ({"bounds": {"alpha": 3}}, "needs a pair"),
    ({"bounds": [0, 1]}, "bounds: give a mapping"),
    ({"fixed": {"beta": 1}}, "fixed: 'beta' is not a parameter"),
    ({"fixed": {"alpha": "x"}}, "alpha needs a number"),
    ({"fixed": {"alpha": 2.0}, "bounds": {"alpha": (0, 1)}}, "fixed: alpha=2 lies outside its bounds"),
    ({"fixed": {"E": 1, "A": 1, "alpha": 1}}, "nothing is left to fit"),
    ({"starts": "latin"}, "starts='latin' is not known"),
    ({"starts": 0}, "starts=0: give a whole number of at least 1"),
    ({"starts": 2.5}, "starts: give a number, a rule"),
    ({"starts": {"E": 1.0}}, "starts: no value for A"),
    ({"starts": {"E": 1.0, "A": [1.0, 2.0], "alpha": [1.0, 2.0, 3.0]}}, "the arrays differ in length"),
    ({"starts": {"E": 1.0, "A": np.nan, "alpha": 1.0}}, "starts: A is missing or NaN"),
    ({"starts": {"E": 1.0, "A": 1.0, "alpha": 1.0, "beta": 1.0}}, "starts: 'beta' is not a parameter"),
    ({"seed": -1}, "seed=-1: give a whole number of at least 0"),
    ({"seed": 0.5}, "seed=0.5"),
    ({"max_iterations": 0}, "max_iterations=0"),
    ({"n_threads": 0}, "n_threads=0"),
    ({"n_threads": True}, "n_threads=True"),
    ({"progress": "yes"}, "progress='yes'"),
]


@pytest.fixture
def table(power_runs: Columns) -> dict[str, Any]:
    loss = power_runs["loss"]
    return {
        **power_runs,
        "val_loss": loss,
        "text": ["a"] * 12,
        "bad": np.where(np.arange(12) == 3, np.nan, loss),
        "huge": np.where(np.arange(12) == 2, np.inf, loss),
        "negative": np.where(np.arange(12) == 5, -1.0, loss),
    }


@pytest.mark.parametrize(("change", "message"), BAD_CALLS, ids=[str(change)[:60] for change, _ in BAD_CALLS])
def test_a_bad_call_is_refused_with_a_message_made_for_it(
    table: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    arguments = {"law": "E + A*x**-alpha", "data": table, "response": "loss"} | change
    with pytest.raises((lf.LawError, lf.DataError), match=message) as caught:
        lf.fit(arguments.pop("law"), arguments.pop("data"), **arguments)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, lf.LawfitError)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "by: name the columns that make the groups"),
        ({"by": 3}, "by=3|not iterable"),
        ({"by": [3]}, r"by=\[3\]"),
        ({"by": "txt"}, "there is no column 'txt'; did you mean 'text'"),
        ({"by": "bad"}, "by: column 'bad' is missing or NaN in row 3"),
        ({"by": "text", "bootstrap": -1}, "bootstrap=-1"),
        ({"by": "text", "resample": "wide"}, "resample='wide' is not known"),
        ({"data": [{"x": [1.0], "loss": [2.0]}, 3]}, r"data\[1\]: cannot read"),
    ],
)
def test_a_bad_batch_is_refused_with_a_message_made_for_it(
    table: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    arguments = {"data": table, "response": "loss"} | change
    with pytest.raises((lf.LawError, lf.DataError), match=message):
        lf.fit_many("E + A*x**-alpha", arguments.pop("data"), **arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": {}}, "grid: give a mapping"),
        ({"noise": -1.0}, "noise=-1.0"),
        ({"response": "x"}, "response='x' is also a variable"),
        ({"params": {"E": 1.0}}, "no value for A, alpha"),
        ({"grid": {"x": ["a"]}}, "grid: x"),
    ],
)
def test_synthetic_runs_that_cannot_be_made_are_refused(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"params": {"E": 1.0, "A": 1.0, "alpha": 1.0}, "grid": {"x": [1.0]}} | change
    with pytest.raises((lf.LawError, lf.DataError), match=message):
        lf.synthetic.runs(lf.laws.power_floor, arguments.pop("params"), arguments.pop("grid"), **arguments)


def test_every_error_is_a_lawfit_error_and_says_what_kind_of_mistake_it_is() -> None:
    assert issubclass(lf.LawError, lf.LawfitError)
    assert issubclass(lf.LawError, ValueError)
    assert issubclass(lf.DataError, ValueError)
    assert issubclass(lf.InternalError, RuntimeError)
    assert not issubclass(lf.InternalError, ValueError)


TABLE = {"N": [1e8, 1e9, 1e10, 1e11], "tokens": [1e9, 2e9, 3e9, 4e9], "loss": [3.1, 2.6, 2.3, 2.1]}


@pytest.mark.parametrize(
    ("law", "options", "message"),
    [
        ("E + A*N**-a", {"where": "N >"}, r"where: the formula ends"),
        ("E + A*N**-a", {"weights": "N*"}, r"weights: the formula ends"),
        ("E + A*n**-a", {}, r"'n'.*'N' is a column"),
        ("E + A*N**-a", {"kernels": "sse9"}, r"choose one of: auto, portable"),
        ("E + A*N**-a", {"starts": "1e3"}, r"give a number of starts, such as 200"),
        (lf.laws.chinchilla, {}, r"'D'.*the columns are N, tokens, loss; .*--column D="),
        (lf.laws.chinchilla, {"columns": {"N": "tokens"}}, r"the columns are N, tokens, loss;"),
    ],
)
def test_the_message_names_the_argument_and_what_there_is(
    law: lf.Law | str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(lf.LawfitError, match=message):
        lf.fit(law, TABLE, response="loss", **options)


def test_an_unknown_group_column_names_the_argument() -> None:
    with pytest.raises(lf.DataError, match=r"by: there is no column 'nope'"):
        lf.fit_many("E + A*N**-a", TABLE, by="nope", response="loss")


def test_a_missing_group_name_is_refused_with_its_row() -> None:
    table = {**TABLE, "task": ["a", None, "a", "a"]}
    with pytest.raises(lf.DataError, match=r"by: column 'task' is missing or empty in row 1 "):
        lf.fit_many("E + A*N**-a", table, by="task", response="loss")


def test_group_numbers_that_floats_cannot_tell_apart_are_refused() -> None:
    table = {**TABLE, "run": np.array([2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3])}
    with pytest.raises(lf.DataError, match=r"by: column 'run' holds numbers beyond 2\*\*53"):
        lf.fit_many("E + A*N**-a", table, by="run", response="loss")


def test_one_bad_cell_of_a_number_column_is_named_with_its_row() -> None:
    table = {**TABLE, "loss": ["3.1", "2.6", "#N/A", "2.1"]}
    with pytest.raises(lf.DataError, match=r"'#N/A' in row 2 \(counted from 0\)"):
        lf.fit("E + A*N**-a", table, response="loss")


@pytest.mark.parametrize("bad", [0.0, -5.0])
def test_a_variable_that_a_power_cannot_take_is_named_with_its_row(bad: float) -> None:
    table = {**TABLE, "N": [1e8, 1e9, bad, 1e11]}
    with pytest.raises(lf.DataError, match=rf"in row 2 \(counted from 0\) .* N = {bad:g}; powers and logarithms need"):
        lf.fit("E + A*N**-a", table, response="loss")
    assert lf.fit("E + A*N**2", table, response="loss").params["A"] < 1


def test_a_branch_that_a_row_does_not_take_may_be_undefined_there() -> None:
    table = {"k": [0.0, 1.0, 2.0, 4.0, 8.0, 16.0], "y": [2.0, 2.0, 1.4, 1.0, 0.7, 0.5]}
    fit = lf.fit("where(k > 1, E + A*k**-a, E + A)", table, response="y", residual="linear")
    assert fit.success


def test_the_door_takes_no_array_whose_values_come_in_another_order() -> None:
    x = np.asfortranarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with pytest.raises(lf.DataError, match="x: the array must be C-contiguous"):
        _engine.evaluate("a*x + z", ("x", "z"), ("a",), x, np.array([[2.0]]))
