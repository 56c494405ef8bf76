"""Laws compared held out: against hand-written loops, published runs and exact identities."""

from __future__ import annotations

import importlib
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Columns

import lawfit as lf
from lawfit._scores import mean_stderr

scipy_stats: Any = importlib.import_module("scipy.stats")
# The same minimum of the same rows by the same starts.
SAME = 1e-7
TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
GRID = {"N": np.logspace(7.7, 9.7, 6), "D": np.logspace(9, 12, 5)}
LAWS: dict[str, lf.Law | str] = {"free": lf.laws.chinchilla, "tied": lf.laws.chinchilla_tied, "no D": "E + A*N**-alpha"}


@pytest.fixture(scope="module")
def runs() -> Columns:
    return lf.synthetic.runs(lf.laws.chinchilla, TRUTH, GRID, noise=0.003, seed=4)


@pytest.fixture(scope="module")
def compared(runs: Columns) -> lf.Comparison:
    return lf.compare(LAWS, runs, response="loss", by=["6*N*D", "folds"], budgets={"6*N*D": 1e24}, n_replicates=50)


def huber(r: np.ndarray[Any, Any], delta: float) -> np.ndarray[Any, Any]:
    size = np.abs(r)
    return np.where(size <= delta, 0.5 * r**2, delta * (size - 0.5 * delta))


def test_a_score_is_the_mean_loss_of_fits_to_the_smaller_runs(runs: Columns) -> None:
    compared = lf.compare(LAWS, runs, response="loss", by="6*N*D", n_replicates=0)
    delta = lf.fit(lf.laws.chinchilla, runs, response="loss").f_scale
    assert compared.f_scale == delta
    assert compared.f_scale_rule.endswith("free")
    budget = 6 * runs["N"] * runs["D"]
    cut = np.sort(budget)[20]
    held = budget > cut
    losses = {}
    for name, law in LAWS.items():
        trained = lf.fit(law, runs, response="loss", f_scale=delta, where=~held)
        at = {variable: runs[variable][held] for variable in trained.rows.variables}
        losses[name] = huber(np.log(trained.predict(at) / runs["loss"][held]), delta)
        score = compared[name].scores[0]
        assert score.n_held == held.sum() == 9
        assert score.score == pytest.approx(losses[name].mean(), rel=SAME)
        assert score.score_stderr == pytest.approx(scipy_stats.sem(losses[name]), rel=SAME)
    best = min(losses, key=lambda name: losses[name].mean())
    for name, loss in losses.items():
        apart, score = loss - losses[best], compared[name].scores[0]
        assert score.difference == pytest.approx(apart.mean(), rel=SAME, abs=1e-15)
        if name != best:
            assert score.difference_stderr == pytest.approx(scipy_stats.sem(apart), rel=SAME)
        assert score.survives == (apart.mean() <= 2 * score.difference_stderr)
    assert "no D" not in compared.survivors()


def test_what_training_adds_is_the_spread_over_laws_trained_on_reweighted_runs(runs: Columns) -> None:
    pair: dict[str, lf.Law | str] = {"free": LAWS["free"], "no D": LAWS["no D"]}
    compared = lf.compare(pair, runs, response="loss", by="6*N*D", n_replicates=60, seed=3)
    budget = 6 * runs["N"] * runs["D"]
    held = budget > np.sort(budget)[20]
    means = {}
    for name, law in pair.items():
        trained = lf.fit(law, runs, response="loss", f_scale=compared.f_scale, where=~held, seed=3)
        draws = trained.bootstrap(60, seed=3, n_checked=0)
        at = {variable: runs[variable][held] for variable in trained.rows.variables}
        predicted = np.array(
            [
                trained.law.evaluate(at, params=dict(zip(trained.law.parameters, line, strict=True)))
                for line in draws.params
            ]
        )
        means[name] = huber(np.log(predicted / runs["loss"][held]), compared.f_scale).mean(axis=1)
    lower, upper = np.quantile(means["no D"] - means["free"], scipy_stats.norm.cdf([-1, 1]))
    score = compared["no D"].scores[0]
    assert score.trained_stderr == pytest.approx(0.5 * (upper - lower), rel=1e-5)
    assert score.difference_stderr == pytest.approx(math.hypot(score.held_stderr, score.trained_stderr))


def test_clusters_are_never_cut_and_make_the_standard_error(runs: Columns) -> None:
    table = runs | {"run": np.repeat(np.arange(10.0), 3)}
    compared = lf.compare(LAWS, table, response="loss", cluster="run", n_replicates=0, n_splits=5)
    assert compared.n_units == 10
    alone = lf.compare(LAWS, table, response="loss", n_replicates=0, n_splits=5)
    assert alone["tied"].scores[0].score != compared["tied"].scores[0].score
    # Every row its own cluster is no cluster at all.
    single = lf.compare(
        LAWS, table | {"run": np.arange(30.0)}, response="loss", cluster="run", n_replicates=0, n_splits=5
    )
    for law, other in zip(alone.laws, single.laws, strict=True):
        assert law.scores[0].score == pytest.approx(other.scores[0].score, rel=SAME)
        assert law.scores[0].score_stderr == pytest.approx(other.scores[0].score_stderr, rel=SAME)
    values, codes = np.array([1.0, 2.0, 5.0, 4.0]), np.array([0, 0, 1, 1])
    assert mean_stderr(values, codes) == pytest.approx(scipy_stats.sem([1.5, 4.5]))


def test_aicc_is_that_of_the_gaussian_likelihood_and_is_refused_elsewhere(runs: Columns) -> None:
    squared = lf.compare(LAWS, runs, response="loss", loss="squared", n_replicates=0)
    for law in squared.laws:
        sse, p = law.fit.sse, len(law.fit.params) + 1
        expected = 30 * math.log(sse / 30) + 2 * p + 2 * p * (p + 1) / (30 - p - 1)
        assert law.aicc == pytest.approx(expected, rel=1e-9)
    table = runs | {"run": np.repeat(np.arange(10.0), 3)}
    clustered = lf.compare(LAWS, table, response="loss", loss="squared", cluster="run", n_replicates=0)
    p = 4 + 1
    expected = 10 * math.log(clustered["tied"].fit.sse / 30) + 2 * p + 2 * p * (p + 1) / (10 - p - 1)
    assert clustered["tied"].aicc == pytest.approx(expected, rel=1e-9)
    robust = lf.compare(LAWS, runs, response="loss", n_replicates=0)
    assert robust["tied"].aicc is None
    assert "squared" in str(robust["tied"].aicc_reason)


def test_decisions_are_the_closed_form_of_the_optimum(compared: lf.Comparison) -> None:
    decision, params = compared["free"].decisions[0], compared["free"].fit.params
    alpha, beta = params["alpha"], params["beta"]
    ratio = (alpha * params["A"] / (beta * params["B"])) ** (1 / (alpha + beta))
    assert pytest.approx(ratio * (1e24 / 6) ** (beta / (alpha + beta)), rel=1e-10) == decision.N
    assert pytest.approx(1e24, rel=1e-9) == 6 * decision.N * decision.D
    assert math.isnan(compared["no D"].decisions[0].N)
    assert "no variable D" in str(compared["no D"].decisions[0].reason)


def test_a_law_of_compute_alone_has_no_optimum(runs: Columns) -> None:
    laws: dict[str, lf.Law | str] = {"free": lf.laws.chinchilla, "compute": "E + A*(N*D)**-alpha"}
    compared = lf.compare(laws, runs, response="loss", n_replicates=0, budgets={"6*N*D": 1e24, "N": 1e9})
    level, cost = compared["compute"].decisions
    assert math.isnan(level.N)
    assert "the law is flat there" in str(level.reason)
    assert "improves on to the end of the search" in str(cost.reason)


def test_a_comparison_survives_pickling_and_becomes_a_frame_and_a_dict(compared: lf.Comparison) -> None:
    again = pickle.loads(pickle.dumps(compared))
    assert repr(again) == repr(compared)
    frame = compared.to_frame("pandas")
    assert frame.shape[0] == 6
    assert frame["score"][0] == compared.laws[0].scores[0].score
    found: Any = compared.to_dict()
    assert found["laws"][1]["scores"][0]["difference"] == compared.laws[1].scores[0].difference


def test_a_law_that_cannot_be_fitted_is_a_row_with_its_status(runs: Columns) -> None:
    laws: dict[str, lf.Law | str] = LAWS | {"loose": "E + A*N**-alpha + B*D**-beta + F*D**-beta"}
    compared = lf.compare(laws, runs, response="loss", n_replicates=0)
    loose = compared["loose"]
    assert loose.fit.status in repr(compared)
    if not loose.fit.success:
        assert math.isnan(loose.scores[0].score)
        assert not loose.scores[0].survives
        assert loose.scores[0].reason
    assert compared["free"].scores[0].survives


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"laws": ["E + A*N**-alpha"]}, "two laws"),
        ({"laws": [lf.laws.chinchilla, lf.laws.chinchilla]}, "twice"),
        ({"by": []}, "by="),
        ({"by": "M"}, "M"),
        ({"holdout": 1.5}, "holdout"),
        ({"holdout": 0.9, "by": "6*N*D"}, "too few"),
        ({"budgets": {"6*N*D": -1.0}}, "positive"),
        ({"columns": {"X": "N"}}, "'X'"),
        ({"missing": "skip"}, "missing"),
    ],
)
def test_bad_arguments_are_refused_in_words(runs: Columns, change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"laws": LAWS, "response": "loss"} | change
    with pytest.raises((lf.DataError, lf.LawError), match=message):
        lf.compare(given.pop("laws"), runs, **given)


def test_rows_that_one_law_lacks_are_left_out_for_all(runs: Columns) -> None:
    holed = runs | {"D": np.where(np.arange(30) == 7, np.nan, runs["D"])}
    compared = lf.compare(LAWS, holed, response="loss", missing="drop", n_replicates=0)
    assert {law.fit.n_rows for law in compared.laws} == {29}
    assert "1 row in" in compared.notes[0]


def test_published_runs_refuse_kaplan_and_leave_the_tied_law_in(real_data: Callable[[str], Path]) -> None:
    laws = [lf.laws.chinchilla, lf.laws.chinchilla_tied, lf.laws.kaplan_nd, lf.laws.chinchilla_gamma]
    compared = lf.compare(
        laws, real_data("chinchilla_epoch.csv"), response="loss", where="epoch_used", by=["6*N*D", "folds"],
        budgets={"6*N*D": 5.76e23}, n_replicates=100,
    )  # fmt: skip
    assert compared.n_rows == 240
    for by in compared.by:
        assert "chinchilla_tied" in compared.survivors(by)
        assert "kaplan_nd" not in compared.survivors(by)
    sizes = {law.name: law.decisions[0].N for law in compared.laws}
    assert 5e10 < sizes["chinchilla_tied"] < sizes["chinchilla"] < sizes["kaplan_nd"] < 2e11
