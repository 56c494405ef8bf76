"""Standard errors against independent computations: least squares by hand, sandwiches, whole runs left out."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from conftest import POWER_TRUTH, Columns
from numpy.typing import NDArray

import lawfit as lf
from lawfit import _engine

F64 = NDArray[np.float64]
# Sums in another order, and a condition number of about 1e3.
ROUNDING = 1e-9
LINE = lf.Law("a + b*x", variables=["x"])
HOW: dict[str, Any] = {"response": "y", "loss": "squared", "residual": "linear"}


@pytest.fixture
def line_runs() -> dict[str, Any]:
    """Seven runs of one to nine checkpoints that share an error, about a straight line."""
    rng = np.random.default_rng(5)
    run = np.repeat(["g", "b", "a", "f", "c", "e", "d"], [3, 5, 1, 9, 4, 2, 6])
    x = rng.uniform(0.0, 3.0, run.size)
    shared = dict(zip("abcdefg", rng.normal(0.0, 0.4, 7), strict=True))
    y = 1.0 + 2.0 * x + np.array([shared[name] for name in run]) + rng.normal(0.0, 0.2, run.size)
    return {"x": x, "y": y, "run": run, "w": rng.uniform(0.5, 2.0, run.size)}


def by_hand(runs: dict[str, Any], kind: str, weights: F64 | None = None) -> F64:
    """Covariance of a straight line from the textbook's formulas."""
    x = np.stack([np.ones_like(runs["x"]), runs["x"]], axis=1)
    n, p = x.shape
    w = np.ones(n) if weights is None else weights
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    r = runs["y"] - x @ (bread @ x.T @ (w * runs["y"]))
    h = w * np.einsum("ij,jk,ik->i", x, bread, x)
    if kind == "classical":
        return np.asarray(np.sum(w * r**2) / (n - p) * bread, dtype=np.float64)
    if kind.startswith("HC"):
        factor = {"HC0": 1.0, "HC1": n / (n - p), "HC2": 1.0 / (1.0 - h), "HC3": (1.0 - h) ** -2.0}[kind]
        return np.asarray(bread @ (x.T @ ((w * r) ** 2 * factor * x.T).T) @ bread)
    clusters = [runs["run"] == name for name in np.unique(runs["run"])]
    size = len(clusters)
    if kind == "CR1":
        scores = np.stack([(w * r)[rows] @ x[rows] for rows in clusters])
        return np.asarray(size / (size - 1) * (n - 1) / (n - p) * bread @ scores.T @ scores @ bread)
    # CR3: what the estimates do when a run is left out, exactly as if fitted again.
    full, moves = bread @ x.T @ (w * runs["y"]), []
    for rows in clusters:
        kept = x[~rows]
        rest = np.linalg.solve(kept.T @ (w[~rows, None] * kept), kept.T @ (w * runs["y"])[~rows])
        moves.append(rest - full)
    return np.asarray(np.stack(moves).T @ np.stack(moves))


@pytest.mark.parametrize("kind", ["classical", "HC0", "HC1", "HC2", "HC3", "CR1", "CR3"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_covariance_of_a_line_is_the_textbooks(line_runs: dict[str, Any], kind: str, weighted: bool) -> None:
    weights = "w" if weighted else None
    fit = lf.fit(LINE, line_runs, covariance=kind, cluster="run", weights=weights, **HOW)
    np.testing.assert_allclose(
        fit.covariance, by_hand(line_runs, kind, line_runs["w"] if weighted else None), rtol=ROUNDING
    )
    assert fit.covariance_type == kind
    assert fit.dof == (6 if kind.startswith("CR") else 28)
    assert fit.n_clusters == 7


def test_cr3_is_what_fits_without_each_run_do(line_runs: dict[str, Any]) -> None:
    full = lf.fit(LINE, line_runs, cluster="run", **HOW)
    assert full.covariance_type == "CR3"
    moves = []
    for name in np.unique(line_runs["run"]):
        rest = lf.fit(LINE, line_runs, where=f"run != '{name}'", **HOW)
        moves.append([rest.params[parameter] - full.params[parameter] for parameter in full.params])
    np.testing.assert_allclose(full.covariance, np.array(moves).T @ np.array(moves), rtol=1e-6)


@pytest.mark.parametrize("kind", ["classical", "HC0", "HC1", "HC2", "HC3", "CR1", "CR3"])
def test_a_prior_joins_the_curvature_and_the_scores(line_runs: dict[str, Any], kind: str) -> None:
    mean, sd = 2.4, 0.1
    fit = lf.fit(LINE, line_runs, covariance=kind, cluster="run", prior={"b": (mean, sd)}, **HOW)
    x, y, v = np.stack([np.ones_like(line_runs["x"]), line_runs["x"]], axis=1), line_runs["y"], fit.prior_variance
    n = len(y)
    penalty = np.diag([0.0, v / sd**2])
    bread = np.linalg.inv(x.T @ x + penalty)

    def estimate(rows: NDArray[np.bool_]) -> F64:
        kept = x[rows]
        return np.asarray(np.linalg.solve(kept.T @ kept + penalty, kept.T @ y[rows] + penalty @ [0.0, mean]))

    everything = np.ones(n, dtype=np.bool_)
    full = estimate(everything)
    np.testing.assert_allclose(list(fit.params.values()), full, rtol=1e-8)
    r = y - x @ full
    freedom = n - np.trace(bread @ x.T @ x)
    assert n - 2.0 < freedom < n - 1.0
    clusters = [line_runs["run"] == name for name in np.unique(line_runs["run"])]
    if kind == "CR3":
        # What the estimates do when a run is left out, exactly as if fitted again.
        moves = np.stack([estimate(~rows) - full for rows in clusters])
        of_rows = moves.T @ moves
    elif kind == "CR1":
        scores = np.stack([r[rows] @ x[rows] for rows in clusters])
        of_rows = 7 / 6 * (n - 1) / freedom * bread @ scores.T @ scores @ bread
    else:
        h = np.einsum("ij,jk,ik->i", x, bread, x)
        factors = {"HC1": n / freedom, "HC2": 1.0 / (1.0 - h), "HC3": (1.0 - h) ** -2.0}
        squares = r @ r / freedom * np.ones(n) if kind == "classical" else r**2 * factors.get(kind, 1.0)
        of_rows = bread @ (x.T * squares) @ x @ bread
    np.testing.assert_allclose(fit.covariance, of_rows + v * bread @ penalty @ bread, rtol=1e-7)
    assert fit.dof == pytest.approx(6.0 if kind.startswith("CR") else freedom, rel=1e-10)


def test_a_prior_and_rows_that_are_met_exactly_leave_nothing_to_estimate_the_noise_from() -> None:
    runs = {"x": [0.0, 1.0], "y": [1.0, 2.0]}
    # One row more than parameters, if the prior counts; but so vague a prior leaves the rows no freedom.
    vague = lf.fit(LINE, runs, prior={"b": (1.0, 1e9)}, covariance="HC1", **HOW)
    assert "no more rows than parameters" in (vague.covariance_reason or "")
    sharp = lf.fit(LINE, runs, prior={"b": (3.0, 0.1)}, covariance="HC1", **HOW)
    assert sharp.covariance_reason is None
    assert 0.0 < sharp.dof < 1.0
    assert np.all(np.isfinite(sharp.interval("a")))


def test_a_fit_that_passes_through_rows_says_so_instead_of_a_standard_error(power_runs: Columns) -> None:
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", f_scale=1e-9)
    assert fit.success
    assert fit.inside_scale * 12 == pytest.approx(3)
    assert np.isnan(fit.dof)
    reason = "the loss is curved at no more rows than there are parameters: the fit passes through them"
    assert fit.covariance_reason == reason
    assert set(fit.stderr_reason.values()) == {reason}
    assert sum("no standard errors" in warning for warning in fit.warnings) == 1
    assert sum("least absolute deviations" in warning for warning in fit.warnings) == 1
    assert not any("standard errors are rough" in warning for warning in fit.warnings)


def test_a_robust_sandwich_uses_the_slopes_of_the_loss(power_runs: Columns) -> None:
    run = np.arange(12) // 2
    fit = lf.fit(lf.laws.power_floor, power_runs, response="loss", f_scale=0.002, cluster=run)
    prediction = fit.predict(x=power_runs["x"])
    r = np.log(prediction) - np.log(power_runs["loss"])
    params = np.array([list(fit.params.values())])
    x = power_runs["x"][np.newaxis]
    names = fit.law.parameters
    slopes = _engine.evaluate(fit.law.text, ["x"], names, x, params, wrt=names, order=1)[0] / prediction
    psi, inside = np.clip(r, -0.002, 0.002), np.abs(r) <= 0.002
    assert 0 < np.count_nonzero(~inside) < 6
    curvature = (slopes * inside) @ slopes.T
    moves = []
    for cluster in range(6):
        rows = run == cluster
        left = curvature - (slopes * inside)[:, rows] @ slopes[:, rows].T
        moves.append(np.linalg.solve(left, slopes[:, rows] @ psi[rows]))
    # The reference inverts in the parameters' own units, which costs it digits.
    np.testing.assert_allclose(fit.covariance, np.array(moves).T @ np.array(moves), rtol=1e-5)


@pytest.mark.parametrize(("by_cluster", "by_row"), [("CR3", "HC3"), ("CR1", "HC1")])
def test_clusters_of_one_row_are_rows(power_runs: Columns, by_cluster: str, by_row: str) -> None:
    law = lf.laws.power_floor
    clusters = lf.fit(law, power_runs, response="loss", cluster=np.arange(12), covariance=by_cluster)
    rows = lf.fit(law, power_runs, response="loss", covariance=by_row)
    np.testing.assert_allclose(clusters.covariance, rows.covariance, rtol=ROUNDING)
    assert (clusters.dof, rows.dof) == (11.0, 9.0)


def test_clusters_may_be_numbers_texts_or_truth_values_in_any_order(line_runs: dict[str, Any]) -> None:
    fit = lf.fit(LINE, line_runs, cluster="run", **HOW)
    names, codes = np.unique(line_runs["run"], return_inverse=True)
    for labels in (codes, 100.5 - codes, line_runs["run"], list(line_runs["run"]), names[codes].astype(object)):
        again = lf.fit(LINE, line_runs, cluster=labels, **HOW)
        np.testing.assert_allclose(again.covariance, fit.covariance, rtol=ROUNDING)
    order = np.random.default_rng(0).permutation(codes.size)
    shuffled = lf.fit(LINE, {name: values[order] for name, values in line_runs.items()}, cluster="run", **HOW)
    np.testing.assert_allclose(shuffled.covariance, fit.covariance, rtol=ROUNDING)
    halves = lf.fit(LINE, line_runs, cluster=line_runs["x"] > 1.5, **HOW)
    assert (halves.n_clusters, halves.dof) == (2, 1.0)


def test_clusters_follow_their_rows_through_where_by_tables_and_pickles(line_runs: dict[str, Any]) -> None:
    few = line_runs["run"] != "f"
    kept = {name: values[few] for name, values in line_runs.items()}
    expected = lf.fit(LINE, kept, cluster="run", **HOW).covariance
    np.testing.assert_array_equal(
        lf.fit(LINE, line_runs, cluster="run", where="run != 'f'", **HOW).covariance, expected
    )
    weighted = lf.fit(LINE, line_runs, cluster="run", weights=few.astype(float), **HOW)
    np.testing.assert_array_equal(weighted.covariance, expected)
    assert weighted.n_clusters == 6

    both = {name: np.concatenate([line_runs[name], kept[name]]) for name in line_runs}
    both["part"] = np.repeat(["all", "few"], [few.size, few.sum()])
    shuffle = np.random.default_rng(1).permutation(both["part"].size)
    mixed = {name: values[shuffle] for name, values in both.items()}
    fits = lf.fit_many(LINE, mixed, by="part", cluster="run", bootstrap=5, **HOW)
    np.testing.assert_allclose(fits["few"].covariance, expected, rtol=ROUNDING)
    assert [fits[part].n_clusters for part in ("all", "few")] == [7, 6]
    np.testing.assert_array_equal(fits.raw.dof, [fits[0].dof, fits[1].dof])
    tables = lf.fit_many(LINE, {"all": line_runs, "few": kept}, cluster="run", **HOW)
    np.testing.assert_array_equal(tables["few"].covariance, expected)

    copy = pickle.loads(pickle.dumps(fits["few"]))
    assert repr(copy) == repr(fits["few"])
    assert copy.rows.clusters is not None
    labels = [copy.rows.cluster_labels[code] for code in copy.rows.clusters]
    assert labels == [mixed["run"][row] for row in copy.rows.positions]


def test_what_clusters_cannot_be_is_said(line_runs: dict[str, Any]) -> None:
    with pytest.raises(lf.DataError, match="cluster: there is no column 'runs'; did you mean 'run'"):
        lf.fit(LINE, line_runs, cluster="runs", **HOW)
    with pytest.raises(lf.DataError, match=r"cluster: got shape \(3,\) for a table of 30 rows"):
        lf.fit(LINE, line_runs, cluster=[1, 2, 3], **HOW)
    for kind in ("CR1", "CR3"):
        with pytest.raises(lf.DataError, match=f'cluster: missing: covariance="{kind}" sums over clusters'):
            lf.fit(LINE, line_runs, covariance=kind, **HOW)
    holes = line_runs["run"].astype(object)
    holes[4] = ""
    with pytest.raises(lf.DataError, match="cluster: column 'run' is missing or empty in row 4"):
        lf.fit(LINE, line_runs | {"run": holes}, cluster="run", **HOW)
    # A row that where= leaves out needs no cluster.
    assert lf.fit(LINE, line_runs | {"run": holes}, cluster="run", where="run != ''", **HOW).n_clusters == 7


def test_one_cluster_gives_no_standard_error_and_few_a_warning(line_runs: dict[str, Any]) -> None:
    one = lf.fit(LINE, line_runs, cluster=np.zeros(30), **HOW)
    assert np.isnan(one.stderr["a"])
    assert np.isnan(one.dof)
    assert one.stderr_reason["a"] == "all rows are of one cluster, so nothing tells how clusters differ"
    assert any("no standard errors (CR3): all rows are of one cluster" in warning for warning in one.warnings)
    assert "none (CR3): all rows are of one cluster" in str(one)
    three = lf.fit(LINE, line_runs, cluster=np.arange(30) % 3, **HOW)
    assert three.stderr["a"] > 0.0
    assert any("only 3 clusters for 2 parameters" in warning for warning in three.warnings)
    assert not any("clusters" in warning for warning in lf.fit(LINE, line_runs, cluster="run", **HOW).warnings)


def test_a_cluster_or_row_that_the_others_need_is_named(line_runs: dict[str, Any]) -> None:
    runs = line_runs | {"x": np.where(line_runs["run"] == "c", line_runs["x"], 1.0)}
    fit = lf.fit(LINE, runs, cluster="run", **HOW)
    assert fit.success
    assert fit.stderr_reason["b"] == "without cluster 'c' the other rows do not determine the parameters"
    x = np.full(30, 2.0)
    x[11] = 3.0
    fit = lf.fit(LINE, line_runs | {"x": x}, where="run != 'g'", **HOW)
    assert fit.stderr_reason["b"] == "without row 11 (counted from 0) the other rows do not determine the parameters"
    assert lf.fit(LINE, line_runs | {"x": x}, covariance="HC1", **HOW).stderr["b"] > 0.0


def test_a_bootstrap_of_clustered_rows_says_what_it_takes_for_granted(line_runs: dict[str, Any]) -> None:
    fit = lf.fit(LINE, line_runs, cluster="run", **HOW)
    said = "rows were resampled as if independent"
    rows = fit.bootstrap(5, resample="parametric")
    assert said in (rows.caution or "")
    assert said in str(rows)
    together = lf.fit_many(LINE, line_runs, by=[], cluster="run", bootstrap=5, resample="parametric", **HOW)[0]
    assert any(said in warning for warning in together.warnings)
    assert fit.bootstrap(5).caution is None
    assert lf.fit(LINE, line_runs, **HOW).bootstrap(5).caution is None


def test_the_printed_fit_says_what_its_standard_errors_are(line_runs: dict[str, Any]) -> None:
    clustered = str(lf.fit(LINE, line_runs, cluster="run", **HOW))
    assert "CR3 over 7 clusters (run); Student's t with 6 degrees of freedom" in clustered
    assert "2.5 %" in clustered
    unused = str(lf.fit(LINE, line_runs, cluster=np.arange(30) % 7, covariance="HC1", **HOW))
    assert "HC1, as if rows were independent: the clusters (given) are not used; Student's t with 28" in unused
    assert "HC3; Student's t with 28 degrees of freedom" in str(lf.fit(LINE, line_runs, **HOW))


def test_a_small_seeded_run_of_the_coverage_experiment_keeps_its_order() -> None:
    """No measurement: 150 replicates have an error of 3 points. With noise that a run shares, rows mislead."""
    rng, n_replicates, n_runs, n_checkpoints = np.random.default_rng(2), 150, 12, 8
    size = n_replicates * n_runs * n_checkpoints
    x = np.tile(np.repeat(np.geomspace(1e7, 1e10, n_runs), n_checkpoints), n_replicates)
    shared = np.repeat(rng.normal(0.0, 0.004, n_replicates * n_runs), n_checkpoints)
    log_noise = shared + rng.normal(0.0, 0.002, size)
    table = {
        "x": x,
        "loss": lf.laws.power_floor.evaluate(x=x, params=POWER_TRUTH) * np.exp(log_noise),
        "run": np.tile(np.repeat(np.arange(n_runs), n_checkpoints), n_replicates),
        "replicate": np.repeat(np.arange(n_replicates), n_runs * n_checkpoints),
    }
    coverage = {}
    for kind in ("HC3", "CR3"):
        fits = lf.fit_many(
            lf.laws.power_floor, table, by="replicate", response="loss", cluster="run", covariance=kind,
            starts={name: [value] for name, value in POWER_TRUTH.items()},
        )  # fmt: skip
        assert fits.ok.all()
        hits = [fit.interval("alpha").lower <= POWER_TRUTH["alpha"] <= fit.interval("alpha").upper for fit in fits]
        coverage[kind] = np.mean(hits)
    assert coverage["HC3"] < 0.75
    assert 0.88 < coverage["CR3"] <= 1.0
