"""`LawRegressor` is an estimator of scikit-learn: its own checks say so, and its searches and pipelines take it."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf
from lawfit.estimator import LawRegressor

sklearn: Any = importlib.import_module("sklearn.base")
checks: Any = importlib.import_module("sklearn.utils.estimator_checks")


# Some checks give weight to fewer rows than columns.
MOST_SLOPES = 5


class Plane(LawRegressor):
    """A law of as many columns as it is given: scikit-learn's checks fit tables of 1 to 20 columns, below zero too."""

    variables = f_scale = bounds = fixed = prior = None
    seed, solver, covariance, max_iterations, n_threads = 0, "auto", "auto", 1000, 1

    def __init__(self, law: str = "plane", *, loss: str = "squared", residual: str = "linear", starts: int = 1) -> None:
        self.law, self.loss, self.residual, self.starts = law, loss, residual, starts

    def _names(self, law: lf.Law) -> list[str]:
        return list(law.variables or ())

    def _bound_law(self, n_columns: int) -> lf.Law:
        names = [f"x{k}" for k in range(min(n_columns, MOST_SLOPES))]
        return lf.Law(" + ".join(["a", *(f"b{name}*{name}" for name in names)]), variables=names)


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_pass() -> None:
    results = checks.check_estimator(Plane(), on_skip=None)
    done = Counter(result["status"] for result in results)
    # Skipped is the one for arrays of other libraries, which SciPy takes only with a switch of the environment.
    assert done.keys() <= {"passed", "skipped"}
    assert done["passed"] > 50
    assert done["skipped"] <= 1


# Checks whose tables do not have the two columns of the law.
OTHER_WIDTH = (
    "check_dict_unchanged", "check_dont_overwrite_parameters", "check_dtype_object", "check_estimators_dtypes",
    "check_estimators_nan_inf", "check_estimators_pickle", "check_f_contiguous_array_estimator",
    "check_fit2d_predict1d", "check_fit_score_takes_y", "check_methods_sample_order_invariance",
    "check_methods_subset_invariance", "check_n_features_in_after_fitting", "check_pipeline_consistency",
    "check_positive_only_tag_during_fit", "check_regressor_data_not_an_array", "check_regressors_int",
    "check_regressors_no_decision_function", "check_regressors_train", "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weights_list", "check_supervised_y_2d",
)  # fmt: skip
# Of these, what tells its tables' width by another error than that of fitting them.
BY_ANOTHER_ERROR = ("check_positive_only_tag_during_fit",)


@pytest.mark.filterwarnings("ignore")
def test_what_a_law_of_two_columns_does_not_pass_is_what_has_other_columns() -> None:
    law = lf.Law("a + b*u + c*v", variables=["u", "v"])
    estimator = LawRegressor(law, loss="squared", residual="linear", n_threads=1)
    expected = dict.fromkeys(OTHER_WIDTH, "its table does not have the two columns of the law")
    results = checks.check_estimator(estimator, expected_failed_checks=expected, on_skip=None)
    for result in results:
        if result["status"] == "xfail" and result["check_name"] not in BY_ANOTHER_ERROR:
            assert isinstance(result["exception"], lf.DataError)
            assert "feature(s), but 2 names of columns are known (u, v)" in str(result["exception"])
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(OTHER_WIDTH)


def test_it_gives_what_fit_gives(power_runs: Columns) -> None:
    x, y = power_runs["x"][:, np.newaxis], power_runs["loss"]
    weights = np.linspace(1.0, 3.0, y.size)
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", weights=weights)
    for law in ("power_floor", lf.laws.power_floor):
        regressor = LawRegressor(law).fit(x, y, sample_weight=weights)
        assert regressor.fit_.params == fit.params
        np.testing.assert_array_equal(regressor.predict(x), fit.predict(x=power_runs["x"]))
        explained = 1.0 - np.sum((y - regressor.predict(x)) ** 2) / np.sum((y - y.mean()) ** 2)
        assert regressor.score(x, y) == pytest.approx(explained, rel=1e-12)
    again = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(again.predict(x), regressor.predict(x))


def grid_of_runs() -> Columns:
    truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    grid = {"N": [1e8, 3e8, 1e9, 3e9, 1e10], "D": [2e9, 1e10, 5e10, 2e11]}
    return lf.synthetic.runs(lf.laws.chinchilla, truth, grid, noise=0.002, seed=0)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_a_frame_go_by_name(library: str) -> None:
    runs = grid_of_runs()
    frame = importlib.import_module(library).DataFrame({"D": runs["D"], "seed": 0.0 * runs["D"], "N": runs["N"]})
    expected = lf.fit(lf.laws.chinchilla, runs, response="loss").params
    regressor = LawRegressor("chinchilla").fit(frame, runs["loss"])
    assert regressor.fit_.params == expected
    assert list(regressor.feature_names_in_) == ["D", "seed", "N"]
    array = np.stack([runs["D"], runs["N"]], axis=1)
    named = LawRegressor("E + A*N**-alpha + B*D**-beta", variables=["D", "N"], bounds=dict.fromkeys("EAB", (0, None)))
    assert dict(named.fit(array, runs["loss"]).fit_.params) == pytest.approx(dict(expected), rel=1e-6)
    with pytest.raises(ValueError, match="feature names"):
        regressor.predict(frame[["N", "seed", "D"]])


def test_a_grid_of_laws_and_losses_finds_the_law_that_made_the_runs() -> None:
    selection: Any = importlib.import_module("sklearn.model_selection")
    runs = grid_of_runs()
    x = np.stack([runs["N"], runs["D"]], axis=1)
    laws = ["E + A*N**-alpha", "E + B*D**-beta", "chinchilla"]
    search = selection.GridSearchCV(
        LawRegressor("chinchilla", variables=["N", "D"], starts=10, n_threads=1),
        {"law": laws, "loss": ["squared", "huber"]},
        cv=selection.KFold(4, shuffle=True, random_state=0),
    ).fit(x, runs["loss"])
    assert search.best_params_["law"] == "chinchilla"
    assert search.best_score_ > 0.99
    by_law = {
        law: np.mean(search.cv_results_["mean_test_score"][k : k + 2]) for k, law in zip((0, 2, 4), laws, strict=True)
    }
    assert by_law["chinchilla"] > max(by_law[laws[0]], by_law[laws[1]])
    assert search.best_estimator_.fit_.success


def test_a_pipeline_takes_it_and_clones_are_unfitted(power_runs: Columns) -> None:
    pipeline: Any = importlib.import_module("sklearn.pipeline")
    preprocessing: Any = importlib.import_module("sklearn.preprocessing")
    x, y = power_runs["x"][:, np.newaxis], power_runs["loss"]
    # A power law in units of a thousandth: another amplitude, the same curve.
    steps = pipeline.make_pipeline(
        preprocessing.FunctionTransformer(lambda values: values / 1000.0), LawRegressor("power_floor")
    )
    alone = LawRegressor("power_floor").fit(x, y)
    np.testing.assert_allclose(steps.fit(x, y).predict(x), alone.predict(x), rtol=1e-7)
    steps.set_params(lawregressor__loss="squared")
    assert steps.fit(x, y)[-1].fit_.options.loss == "squared"
    copy = sklearn.clone(alone)
    assert copy.get_params() == alone.get_params()
    exceptions: Any = importlib.import_module("sklearn.exceptions")
    with pytest.raises(exceptions.NotFittedError, match="call fit with data before predict"):
        copy.predict(x)


def test_a_fit_that_is_no_minimum_warns_and_one_without_estimates_raises() -> None:
    exceptions: Any = importlib.import_module("sklearn.exceptions")
    x = np.linspace(1.0, 4.0, 12)[:, np.newaxis]
    y = 2.0 * x[:, 0] + 0.01 * np.cos(5 * x[:, 0])
    with pytest.warns(exceptions.ConvergenceWarning, match="unidentified"):
        LawRegressor("a*b*x", variables=["x"], residual="linear").fit(x, y)
    with pytest.raises(lf.FitError, match="too_few_rows"):
        LawRegressor("power_floor").fit(x[:2], y[:2])


def test_it_is_printed_as_the_call_that_makes_it() -> None:
    assert repr(LawRegressor("a*x", loss="squared", variables=["x"])) == (
        "LawRegressor(law='a*x', variables=['x'], loss='squared')"
    )
    assert repr(LawRegressor(lf.laws.chinchilla)) == "LawRegressor(law='chinchilla')"


def test_wrong_parameters_and_columns_are_named() -> None:
    x = np.ones((4, 2))
    with pytest.raises(lf.LawError, match="'los' is no parameter of LawRegressor; did you mean 'loss'"):
        LawRegressor("a*x").set_params(los=1)
    with pytest.raises(lf.DataError, match=r"X has 2 feature\(s\), but 1 names of columns are known \(x\)"):
        LawRegressor("power_floor").fit(x, x[:, 0])
    with pytest.raises(lf.LawError, match="variables: say which names"):
        LawRegressor("a*x").fit(x, x[:, 0])
    with pytest.raises(lf.DataError, match="sample_weight: every weight is zero"):
        LawRegressor("chinchilla").fit(x, x[:, 0], sample_weight=np.zeros(4))


def test_scikit_learn_is_loaded_only_when_it_fits() -> None:
    code = (
        "import sys, lawfit as lf\n"
        "lf.estimator.LawRegressor('power_floor').get_params()\n"
        "print([name for name in sys.modules if name.startswith('sklearn')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"
