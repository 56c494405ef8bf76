"""Schemes of resampling, each against what it is known to give."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lawfit as lf

optimize: Any = importlib.import_module("scipy.optimize")

F64 = NDArray[np.float64]
LINE = "a + b*x"
# A standard deviation of 4,000 normal draws has a relative error of 1.1 %, of 2,000 of 1.6 %: five of those.
N_DRAWS, MOST_OFF = 4000, 0.056


def line_runs(n: int = 14, noise: float = 0.3) -> dict[str, F64]:
    rng = np.random.default_rng(5)
    x = np.linspace(-1.0, 2.0, n) ** 3
    return {"x": x, "y": 2.0 + 0.7 * x + noise * (1 + np.abs(x)) * rng.standard_normal(n)}


def line_fit(covariance: str = "HC3", **more: object) -> lf.Fit:
    return lf.fit(LINE, line_runs(), response="y", loss="squared", residual="linear", covariance=covariance, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "known", [{}, {"weights": np.tile([0.2, 1.0, 3.0, 0.0], 4)[:14]}, {"sigma": np.tile([0.1, 0.3, 0.9], 5)[:14]}]
)
def test_the_variance_of_wild_draws_is_the_hc3_covariance_of_a_line(known: dict[str, Any]) -> None:
    fit = line_fit(**known)
    # By hand: X'WX⁻¹ X' W diag((r / (1 - h))²) W X X'WX⁻¹, with W = weights or 1 / sigma².
    design = np.stack([np.ones(14), line_runs()["x"]], axis=1)
    precision = known["weights"] if "weights" in known else known.get("sigma", np.ones(14)) ** -2.0
    bread = np.linalg.inv(design.T * precision @ design)
    residual = line_runs()["y"] - design @ (bread @ design.T * precision @ line_runs()["y"])
    leverage = precision * np.einsum("ij,jk,ik->i", design, bread, design)
    scores = design * (precision * residual / (1.0 - leverage))[:, np.newaxis]
    np.testing.assert_allclose(fit.covariance, bread @ scores.T @ scores @ bread, rtol=1e-9)
    draws = fit.bootstrap(N_DRAWS, resample="wild")
    spread = np.cov(draws.params.T) / fit.covariance
    assert np.abs(spread - 1.0).max() < 2.5 * MOST_OFF  # the covariance of the two has twice the error of one


def test_the_mean_of_wild_draws_is_the_fit() -> None:
    fit = line_fit()
    draws = fit.bootstrap(N_DRAWS, resample="wild")
    for name in fit.params:
        assert abs(draws[name].mean() - fit.params[name]) < 5.0 * fit.stderr[name] / np.sqrt(N_DRAWS)


def test_wild_draws_of_clusters_have_the_cr3_covariance_of_a_line() -> None:
    fit = lf.fit(
        LINE, line_runs(30), response="y", loss="squared", residual="linear", cluster=np.repeat(np.arange(10), 3)
    )
    assert fit.covariance_type == "CR3"
    draws = fit.bootstrap(N_DRAWS, resample="wild")
    assert draws.n_units == 10
    spread = np.diagonal(np.cov(draws.params.T)) / np.diagonal(fit.covariance)
    assert np.abs(spread - 1.0).max() < 2.5 * MOST_OFF


@pytest.mark.parametrize("given", [True, False])
def test_parametric_draws_of_a_line_have_the_variance_of_textbooks(given: bool) -> None:
    fit = line_fit("classical")
    n, p = fit.n_rows, 2
    draws = fit.bootstrap(N_DRAWS, resample="parametric", noise=0.5 if given else None)
    s2 = 0.25 if given else fit.sse / (n - p)
    design = np.stack([np.ones(n), fit.rows.x[0]], axis=1)
    expected = np.sqrt(np.diagonal(s2 * np.linalg.inv(design.T @ design)))
    np.testing.assert_allclose(draws.params.std(axis=0, ddof=1), expected, rtol=MOST_OFF)


def test_parametric_noise_of_a_robust_fit_comes_from_its_median_residual() -> None:
    runs = line_runs(40)
    runs["y"][7] += 100.0
    fit = lf.fit(LINE, runs, response="y", residual="linear")
    residual = np.abs(fit.predict(x=runs["x"]) - runs["y"])
    sd = 1.4826 * np.median(np.sort(residual)[1:])  # two parameters pass through one row more than they should
    draws = fit.bootstrap(N_DRAWS, resample="parametric", noise=float(sd))
    np.testing.assert_array_equal(fit.bootstrap(50, resample="parametric").params, draws.params[:50])


def test_a_jackknife_is_the_fits_without_each_row(power_fit: lf.Fit, power_runs: dict[str, F64]) -> None:
    draws = power_fit.bootstrap(resample="jackknife")
    assert len(draws) == draws.n_units == 12
    for row in range(12):
        without = {name: np.delete(values, row) for name, values in power_runs.items()}
        alone = lf.fit(lf.laws.power_floor, without, response="loss", f_scale=power_fit.f_scale)
        np.testing.assert_allclose(draws.params[row], list(alone.params.values()), rtol=1e-6)


def test_a_jackknife_of_clusters_leaves_whole_clusters_out() -> None:
    runs = line_runs(12)
    cluster = np.array(["d", "b", "a", "c"])[np.arange(12) % 4]
    fit = lf.fit(LINE, runs, response="y", loss="squared", residual="linear", cluster=cluster)
    draws = fit.bootstrap(resample="jackknife")
    assert len(draws) == 4
    for replicate, label in enumerate("dbac"):
        kept = cluster != label
        expected = np.polyfit(runs["x"][kept], runs["y"][kept], 1)[::-1]
        np.testing.assert_allclose(draws.params[replicate], expected, rtol=1e-9)


def test_clusters_are_drawn_whole_and_by_their_labels() -> None:
    runs = line_runs(12)
    labels = np.repeat(["x", "y", "z", "w", "v", "u"], 2)
    fit = lf.fit(LINE, runs, response="y", loss="squared", residual="linear", cluster=labels)
    pairs = fit.bootstrap(200, resample="pairs")
    assert pairs.n_units == 6
    turned = np.r_[6:12, 0:6]
    moved = {name: values[turned] for name, values in runs.items()}
    again = lf.fit(LINE, moved, response="y", loss="squared", residual="linear", cluster=labels[turned])
    np.testing.assert_allclose(again.bootstrap(200, resample="pairs").params, pairs.params, rtol=1e-9)
    other = lf.fit(LINE, runs, response="y", loss="squared", residual="linear", cluster=np.repeat(np.arange(6), 2))
    assert not np.allclose(other.bootstrap(200, resample="pairs").params, pairs.params)


def test_clusters_that_share_their_noise_have_wider_draws_than_rows_and_as_wide_as_cr3() -> None:
    rng = np.random.default_rng(2)
    luck = np.repeat(rng.normal(0, 0.5, 40), 6)
    x = np.tile(np.linspace(0, 1, 6), 40)
    runs = {"x": x, "y": 1.0 + x + luck + rng.normal(0, 0.1, 240)}
    clusters = np.repeat(np.arange(40), 6)
    fit = lf.fit(LINE, runs, response="y", loss="squared", residual="linear", cluster=clusters)
    rows = lf.fit(LINE, runs, response="y", loss="squared", residual="linear")
    for scheme in ("pairs", "bayesian"):
        spread = fit.bootstrap(2000, resample=scheme).stderr["a"]
        assert spread == pytest.approx(fit.stderr["a"], rel=0.12)
        assert spread > 1.25 * rows.bootstrap(2000, resample=scheme).stderr["a"]


def test_a_hierarchy_draws_the_noise_between_clusters_and_that_within() -> None:
    # Of the mean of G clusters of m values the variance is that of their means over G, and that within over G m.
    rng = np.random.default_rng(4)
    y = np.repeat(rng.normal(0, 0.3, 12), 5) + rng.normal(0, 1.0, 60)
    clusters = np.repeat(np.arange(12), 5)
    fit = lf.fit(
        "a + 0*x", {"x": np.ones(60), "y": y}, response="y", loss="squared", residual="linear", cluster=clusters
    )
    by_cluster = y.reshape(12, 5)
    expected = np.sqrt(by_cluster.mean(axis=1).var() / 12 + by_cluster.var(axis=1).mean() / 60)
    spread = fit.bootstrap(N_DRAWS, resample="hierarchical").stderr["a"]
    assert spread == pytest.approx(expected, rel=MOST_OFF)


def test_a_subsample_spreads_as_the_delete_d_jackknife_says() -> None:
    # Of a mean of n values, m drawn without replacement have the variance s2 (1/m - 1/n).
    rng = np.random.default_rng(0)
    y = rng.standard_normal(50)
    fit = lf.fit("a + 0*x", {"x": np.ones(50), "y": y}, response="y", loss="squared", residual="linear")
    draws = fit.bootstrap(N_DRAWS, resample="subsample", share=0.8)
    assert draws["a"].std(ddof=1) == pytest.approx(np.sqrt(y.var(ddof=1) * (1 / 40 - 1 / 50)), rel=MOST_OFF)
    assert draws.stderr["a"] == pytest.approx(np.sqrt(y.var(ddof=1) / 50), rel=MOST_OFF)


def test_strata_keep_the_number_of_rows_of_each_value() -> None:
    # Two groups whose means differ by 100: only draws that keep their sizes leave the mean where it is.
    rng = np.random.default_rng(0)
    group = np.repeat([0.0, 1.0], 20)
    y = 100.0 * group + rng.standard_normal(40)
    fit = lf.fit("a + 0*x", {"x": group, "y": y}, response="y", loss="squared", residual="linear")
    within = np.sqrt((y[:20].var() + y[20:].var()) / 2 / 40)
    for strata in ("x", group):
        draws = fit.bootstrap(N_DRAWS, resample="pairs", strata=strata)
        assert draws.stderr["a"] == pytest.approx(within, rel=MOST_OFF)
    assert fit.bootstrap(200, resample="pairs").stderr["a"] > 20 * within
    clustered = lf.fit(
        "a + 0*x", {"x": group, "y": y}, response="y", loss="squared", residual="linear", cluster=np.arange(40) % 8
    )
    with pytest.raises(lf.DataError, match=r"cluster 0 are in more than one stratum"):
        clustered.bootstrap(10, strata="x")


def test_a_studentized_replicate_has_the_covariance_of_a_fit_to_its_rows() -> None:
    fit = line_fit()
    draws = fit.bootstrap(6, resample="pairs", studentize=True, seed=3)
    assert draws.covariances is not None
    assert draws.covariances.shape == (6, 2, 2)
    counts = _counts_of(fit, 6, 3)
    for replicate in range(6):
        rows = np.repeat(np.arange(fit.n_rows), counts[replicate])
        runs = {name: values[rows] for name, values in line_runs().items()}
        alone = lf.fit(LINE, runs, response="y", loss="squared", residual="linear")
        np.testing.assert_allclose(draws.params[replicate], list(alone.params.values()), rtol=1e-9)
        np.testing.assert_allclose(draws.covariances[replicate], alone.covariance, rtol=1e-8)
    given = fit.bootstrap(weights=counts, studentize=True)
    assert given.covariances is not None
    np.testing.assert_allclose(given.covariances, draws.covariances, rtol=1e-8)


def test_a_studentized_draw_of_a_cluster_counts_each_copy_as_a_cluster() -> None:
    runs, labels = line_runs(18), np.repeat(np.arange(6), 3)
    fit = lf.fit(LINE, runs, response="y", loss="squared", residual="linear", cluster=labels)
    draws = fit.bootstrap(5, resample="pairs", studentize=True)
    assert draws.covariances is not None
    counts = _counts_of(fit, 5, 0)
    for replicate in range(5):
        rows = np.repeat(np.arange(18), counts[replicate])
        copy = np.concatenate([np.arange(count) for count in counts[replicate]])
        doubled = {name: values[rows] for name, values in runs.items()}
        alone = lf.fit(LINE, doubled, response="y", loss="squared", residual="linear", cluster=10 * copy + labels[rows])
        np.testing.assert_allclose(draws.covariances[replicate], alone.covariance, rtol=1e-8)


def _counts_of(fit: lf.Fit, n_replicates: int, seed: int) -> NDArray[np.int64]:
    """How often pairs drew each row: the mean of its indicator is its share of the rows."""
    n = fit.n_rows
    counts = np.empty((n_replicates, n))
    for row in range(n):
        runs = {"x": np.ones(n), "y": (np.arange(n) == row).astype(float)}
        labels = None if fit.rows.clusters is None else fit.rows.clusters
        indicator = lf.fit("a + 0*x", runs, response="y", loss="squared", residual="linear", cluster=labels)
        counts[:, row] = n * indicator.bootstrap(n_replicates, resample="pairs", seed=seed)["a"]
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
    return np.round(counts).astype(np.int64)


def test_a_global_search_is_never_above_the_warm_one_and_says_how_often_it_is_below(
    real_data: Callable[[str], Path],
) -> None:
    fit = lf.fit(lf.laws.chinchilla, real_data("chinchilla_epoch.csv"), response="loss", where="epoch_used")
    warm = fit.bootstrap(40, resample="pairs", n_checked=40)
    search = fit.bootstrap(40, resample="pairs", search="global")
    assert warm.n_checked == search.n_checked == 40
    assert warm.n_disagreed == search.n_disagreed
    assert np.all(search.objective <= warm.objective * (1 + 1e-9))


def test_a_replicate_with_a_lower_minimum_elsewhere_is_seen() -> None:
    # Two frequencies fit alike; which is the better one is a matter of the draw.
    rng = np.random.default_rng(2)
    x = np.sort(rng.uniform(0, 10, 12))
    y = np.sin(2.0 * x) + np.sin(3.7 * x) + rng.normal(0, 0.2, 12)
    fit = lf.fit("a*sin(w*x + c)", {"x": x, "y": y}, response="y", loss="squared", residual="linear", starts=100)
    draws = fit.bootstrap(200, n_checked=20)
    assert draws.n_checked == 20
    assert draws.n_disagreed > 5
    assert draws.caution is not None
    assert 'use search="global"' in draws.caution
    search = fit.bootstrap(20, search="global")
    assert search.n_disagreed > 5
    assert search.caution is None


def test_lost_terms_are_counted() -> None:
    # The floor is barely needed: in some draws it is not.
    truth = {"E": 0.05, "A": 20.0, "alpha": 0.3}
    runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": np.logspace(6, 8, 12)}, noise=0.02, seed=3)
    fit = lf.fit(lf.laws.power_floor, runs, response="loss")
    draws = fit.bootstrap(200)
    assert fit.params["E"] > 0.0
    np.testing.assert_array_equal(draws.lost_term, draws["E"] == 0.0)
    assert 0 < np.count_nonzero(draws.lost_term) < 200


GOLDEN = {  # standard error, lower and upper end: Besiroglu et al. 2024, 4,000 pair resamples
    "A": (124.5223, 285.214, 743.626),
    "B": (1293.2841, 1042.357, 5810.344),
    "E": (0.0256601, 1.76935, 1.87123),
    "alpha": (0.0154006, 0.31677, 0.37328),
    "beta": (0.0206031, 0.33126, 0.41538),
}


@pytest.fixture(scope="module")
def besiroglu(real_data: Callable[[str], Path]) -> tuple[lf.Fit, lf.Draws, NDArray[np.int64]]:
    fit = lf.fit(
        lf.laws.chinchilla, real_data("chinchilla_epoch.csv"), response="loss", where="epoch_used", f_scale=1e-3
    )
    random = np.random.RandomState(42)
    indices = np.array([random.choice(240, 240) for _ in range(4000)])
    return fit, fit.bootstrap(indices=indices), indices


def test_the_rows_of_besiroglu_et_al_give_their_standard_errors_and_intervals(
    besiroglu: tuple[lf.Fit, lf.Draws, NDArray[np.int64]],
) -> None:
    _, draws, _ = besiroglu
    assert draws.n_failed == draws.n_disagreed == 0
    for name, (stderr, lower, upper) in GOLDEN.items():
        assert draws[name].std(ddof=1) == pytest.approx(stderr, rel=1e-3)
        ends = np.quantile(draws[name], [0.025, 0.975])
        # Single starts, which is what they had, end too soon in some replicates: A's lower end is where that shows.
        assert ends[0] == pytest.approx(lower, rel=4e-3 if name == "A" else 1e-3)
        assert ends[1] == pytest.approx(upper, rel=1e-3)


def test_around_the_lower_end_of_a_no_other_solver_finds_better_optima(
    besiroglu: tuple[lf.Fit, lf.Draws, NDArray[np.int64]],
) -> None:
    fit, draws, indices = besiroglu
    log_n, log_d = np.log(fit.rows.x)
    log_y = np.log(fit.rows.y)

    def objective(p: F64, rows: NDArray[np.int64]) -> float:
        terms = np.stack([p[0] - p[3] * log_n[rows], p[1] - p[4] * log_d[rows], np.full(rows.size, p[2])])
        r = np.logaddexp.reduce(terms) - log_y[rows]
        size = np.abs(r)
        return 1e3 * float(np.where(size <= 1e-3, 0.5 * r * r, 1e-3 * (size - 5e-4)).sum())

    around = np.argsort(draws["A"])[96:104]
    for replicate in around:
        E, A, B, alpha, beta = (draws[name][replicate] for name in ("E", "A", "B", "alpha", "beta"))
        ours = np.array([np.log(A), np.log(B), np.log(E), alpha, beta])
        rows = indices[replicate]
        value = objective(ours, rows)
        assert value == pytest.approx(1e3 * draws.objective[replicate], rel=1e-9)
        for begin in (ours, np.array([6.0073404, 6.0179186, 0.5267228, 0.33917084, 0.2849083])):
            found = optimize.minimize(objective, begin, (rows,), method="Nelder-Mead", options={"maxiter": 4000})
            assert found.fun >= value * (1 - 1e-9)


def test_our_own_pairs_agree_with_theirs_to_three_monte_carlo_errors(
    besiroglu: tuple[lf.Fit, lf.Draws, NDArray[np.int64]],
) -> None:
    fit, theirs, _ = besiroglu
    ours = fit.bootstrap(4000, resample="pairs")
    for name, (stderr, _, _) in GOLDEN.items():
        # The relative error of a standard deviation of n draws of kurtosis k is sqrt((k - 1) / 4n), of each of the two.
        z = (theirs[name] - theirs[name].mean()) / theirs[name].std()
        error = np.sqrt(2 * (np.mean(z**4) - 1) / 4 / 4000)
        assert abs(ours[name].std(ddof=1) / stderr - 1.0) < 3 * error
